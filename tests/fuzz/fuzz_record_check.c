/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A server that answers anything: the first two bytes of the input say how the rest is cut into files,
 * which are given out in turn; the reader's own file is the first of them. A verdict or an error must come,
 * and what it says must not depend on how often it was asked to wait. */
#include <stdlib.h>
#include "election/record_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = 64 };

struct server {
    struct span parts[PARTS_MAX];
    size_t n, at;
    size_t known; /* answers given so far that are not awaited again */
    bool slow;
};

static err get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct server *s = ctx;
    size_t i = s->at++;
    if (s->slow && i >= s->known) {
        s->known = i + 1;
        return fail_set(f, E_AGAIN, "%s is on its way", path);
    }
    if (i >= s->n) return fail_set(f, E_NOT_FOUND, "%s is not there", path);
    if (s->parts[i].n > max) return fail_set(f, E_TOO_LARGE, "%s is too large", path);
    buf_span(out, s->parts[i]);
    return buf_ok(out, f);
}

static void cut(struct server *s, struct span rest) {
    while (rest.n >= 2 && s->n < PARTS_MAX) {
        size_t n = get_u16be(rest.p);
        rest = span_from(rest, 2);
        if (n > rest.n) n = rest.n;
        s->parts[s->n++] = span_of(rest.p, n);
        rest = span_from(rest, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct server s = {0}, slow = {0};
    struct fail f = {0};
    if (size == 0) return 0;
    struct record_report *r = calloc(2, sizeof *r);
    if (!r) return 0;
    cut(&s, span_of(data + 1, size - 1));
    struct record_check_options o = {.index = data[0]};
    if (data[0] & 1 && s.n) o.given = s.parts[--s.n];
    slow = s;
    slow.slow = true;
    err e = record_check(get, &s, &o, &r[0], &f);
    if (e == E_AGAIN) abort();
    err again = E_AGAIN;
    for (int i = 0; again == E_AGAIN && i < 1000; i++) {
        slow.at = 0;
        again = record_check(get, &slow, &o, &r[1], &f);
    }
    if (e != again || r[0].verdict != r[1].verdict || r[0].code != r[1].code) abort();
    if (e == OK && r[0].verdict != VERDICT_VALID && !r[0].sentence[0]) abort();
    struct buf b;
    buf_init(&b, 1 << 20);
    if (e == OK && record_check_json(&r[0], &b, &f) != OK) abort();
    buf_release(&b);
    record_report_release(&r[0]);
    record_report_release(&r[1]);
    free(r);
    return 0;
}
