/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Checking one record, or a file that the reader holds: election/record_check.h. A step that wants a file
 * is taken again with it; what was supplied stays until the answer is there. */
#include <stdlib.h>
#include "election/record_check.h"
#include "wasm/module.h"

enum { JSON_MAX = 4 << 20, STEP_END = 1, STEP_WANTS = 2, STEP_FAILED = 3 };

struct one {
    struct record_check_options options;
    struct record_report report;
    struct anchor anchor;
    struct supplied files;
    struct buf anchor_bytes, given, json;
    struct fail fail;
};

struct one *EXPORT(record_new)(const uint8_t *anchor, size_t anchor_n, const uint8_t *given, size_t given_n,
                               double index);
void EXPORT(record_free)(struct one *x);
int EXPORT(record_failed)(const struct one *x);
const char *EXPORT(record_sentence)(const struct one *x);
int EXPORT(record_step)(struct one *x);
const char *EXPORT(record_wanted)(const struct one *x);
double EXPORT(record_wanted_max)(const struct one *x);
int EXPORT(record_supply)(struct one *x, const char *path, int code, uint8_t *bytes, size_t n);
const char *EXPORT(record_report)(struct one *x);
const char *EXPORT(anchor_read)(const uint8_t *p, size_t n);

static err begin(struct one *x) {
    TRY(buf_ok(&x->anchor_bytes, &x->fail));
    TRY(buf_ok(&x->given, &x->fail));
    x->options.given = buf_view(&x->given);
    if (x->anchor_bytes.n == 0) return OK;
    x->options.anchor = &x->anchor;
    return anchor_parse(buf_view(&x->anchor_bytes), &x->anchor, &x->fail);
}

/* As everything_new. An index below 0: the given file tells. */
struct one *record_new(const uint8_t *anchor, size_t anchor_n, const uint8_t *given, size_t given_n,
                       double index) {
    struct one *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    buf_init(&x->anchor_bytes, ANCHOR_BYTES_MAX);
    buf_init(&x->given, RECORD_CHECK_GIVEN_MAX);
    buf_init(&x->json, JSON_MAX);
    buf_add(&x->anchor_bytes, anchor, anchor_n);
    buf_add(&x->given, given, given_n);
    x->options.index = index >= 0 && index < 9007199254740992.0 ? (uint64_t)index : UINT64_MAX;
    x->fail.code = begin(x);
    return x;
}

void record_free(struct one *x) {
    if (!x) return;
    record_report_release(&x->report);
    supplied_clear(&x->files);
    buf_release(&x->anchor_bytes);
    buf_release(&x->given);
    buf_release(&x->json);
    free(x);
}

int record_failed(const struct one *x) {
    return (int)x->fail.code;
}

const char *record_sentence(const struct one *x) {
    return x->fail.text;
}

int record_step(struct one *x) {
    err e = record_check(supplied_get, &x->files, &x->options, &x->report, &x->fail);
    if (e == E_AGAIN) {
        x->fail.code = OK;
        return STEP_WANTS;
    }
    x->fail.code = e;
    return e == OK ? STEP_END : STEP_FAILED;
}

const char *record_wanted(const struct one *x) {
    return x->files.wanted;
}

double record_wanted_max(const struct one *x) {
    return (double)x->files.wanted_max;
}

int record_supply(struct one *x, const char *path, int code, uint8_t *bytes, size_t n) {
    return (int)supplied_add(&x->files, path, (err)code, bytes, n);
}

const char *record_report(struct one *x) {
    buf_clear(&x->json);
    x->fail.code = record_check_json(&x->report, &x->json, &x->fail);
    return x->fail.code == OK ? buf_cstr(&x->json) : NULL;
}

/* NULL for a trust anchor that can be read; else what is wrong with it (memory_give it). */
const char *anchor_read(const uint8_t *p, size_t n) {
    struct anchor a;
    struct fail f = {0};
    if (anchor_parse(span_of(p, n), &a, &f) == OK) return NULL;
    char *text = malloc(sizeof f.text);
    if (text) memcpy(text, f.text, sizeof f.text);
    return text;
}
