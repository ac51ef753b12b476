/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Verifying everything: election/verification.h, one step a call, so that JavaScript fetches files and
 * spreads signatures over its workers between the steps. */
#include <stdlib.h>
#include "election/verification.h"
#include "wasm/check.h"
#include "wasm/module.h"

enum { CHECKS_BYTES_MAX = 64 << 20, JSON_MAX = 16 << 20, FLAG_LOWEST_TOO = 1, FLAG_NO_RESULTS = 2 };
#define FOLD_MEMORY_MAX ((size_t)1536 << 20)

struct everything {
    struct verification *v;
    struct verification_options options;
    struct verify_report report;
    struct verification_found found;
    struct anchor anchor;
    struct supplied files;
    struct buf anchor_bytes, policy_bytes, bundle, checks, json;
    bool given; /* a bundle is complete and not yet taken */
    char path[RESULTS_PATH_MAX];
    struct fail fail;
};

enum step_answer { STEP_MORE, STEP_END, STEP_WANTS, STEP_FAILED };

struct everything *EXPORT(everything_new)(const uint8_t *anchor, size_t anchor_n, const uint8_t *policy,
                                          size_t policy_n, uint32_t flags);
void EXPORT(everything_free)(struct everything *x);
int EXPORT(everything_failed)(const struct everything *x);
const char *EXPORT(everything_sentence)(const struct everything *x);
int EXPORT(everything_step)(struct everything *x);
const char *EXPORT(everything_wanted)(const struct everything *x);
double EXPORT(everything_wanted_max)(const struct everything *x);
int EXPORT(everything_supply)(struct everything *x, const char *path, int code, uint8_t *bytes, size_t n);
const char *EXPORT(everything_ahead)(struct everything *x, size_t k);
double EXPORT(everything_done)(const struct everything *x);
double EXPORT(everything_size)(const struct everything *x);
size_t EXPORT(everything_checks)(const struct everything *x);
const uint8_t *EXPORT(everything_checks_at)(const struct everything *x);
const uint8_t *EXPORT(everything_bundle_at)(const struct everything *x);
size_t EXPORT(everything_bundle_bytes)(const struct everything *x);
void EXPORT(everything_taken)(struct everything *x);
void EXPORT(everything_good)(struct everything *x, double count);
void EXPORT(everything_bad)(struct everything *x, double index, uint32_t line);
const char *EXPORT(everything_report)(struct everything *x, double seconds);

static err get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct everything *x = ctx;
    return supplied_get(&x->files, path, max, out, f);
}

static struct buf *bundle(void *ctx) {
    struct everything *x = ctx;
    buf_clear(&x->bundle);
    buf_clear(&x->checks);
    return &x->bundle;
}

static err check(void *ctx, const struct verification_check *c, struct fail *f) {
    struct everything *x = ctx;
    struct wasm_check w = {.from = (uint32_t)(c->message.p - x->bundle.p),
                           .length = (uint32_t)c->message.n, .index = c->index, .line = c->line};
    memcpy(w.pub, c->pub, sizeof w.pub);
    memcpy(w.sig, c->sig, sizeof w.sig);
    buf_add(&x->checks, &w, sizeof w);
    return buf_ok(&x->checks, f);
}

static void give(void *ctx) {
    struct everything *x = ctx;
    x->given = x->checks.n > 0;
}

static err begin(struct everything *x, uint32_t flags) {
    struct fail *f = &x->fail;
    if (x->anchor_bytes.n) {
        TRY(anchor_parse(buf_view(&x->anchor_bytes), &x->anchor, f));
        x->options.anchor = &x->anchor;
    }
    x->options.policy = buf_view(&x->policy_bytes);
    x->options.leave_out_lowest = !(flags & FLAG_LOWEST_TOO);
    x->options.skip_results = flags & FLAG_NO_RESULTS;
    x->options.memory_cap = FOLD_MEMORY_MAX;
    /* forms' images and other objects that the fold does not need are gigabytes: not looked at here */
    struct verification_io io = {get, bundle, check, NULL, give, x};
    return verification_new(&io, &x->options, &x->report, &x->v, f);
}

/* Never NULL but without memory: everything_failed says whether it can be used. */
struct everything *everything_new(const uint8_t *anchor, size_t anchor_n, const uint8_t *policy,
                                  size_t policy_n, uint32_t flags) {
    struct everything *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    buf_init(&x->anchor_bytes, ANCHOR_BYTES_MAX);
    buf_init(&x->policy_bytes, ANCHOR_BYTES_MAX);
    buf_init(&x->bundle, TILE_BUNDLE_MAX);
    buf_init(&x->checks, CHECKS_BYTES_MAX);
    buf_init(&x->json, JSON_MAX);
    buf_add(&x->anchor_bytes, anchor, anchor_n);
    buf_add(&x->policy_bytes, policy, policy_n);
    err e = buf_ok(&x->anchor_bytes, &x->fail);
    if (e == OK) e = buf_ok(&x->policy_bytes, &x->fail);
    if (e == OK) e = begin(x, flags);
    x->fail.code = e;
    return x;
}

void everything_free(struct everything *x) {
    if (!x) return;
    verification_free(x->v);
    fold_free(x->report.fold);
    supplied_clear(&x->files);
    buf_release(&x->anchor_bytes);
    buf_release(&x->policy_bytes);
    buf_release(&x->bundle);
    buf_release(&x->checks);
    buf_release(&x->json);
    free(x);
}

int everything_failed(const struct everything *x) {
    return (int)x->fail.code;
}

const char *everything_sentence(const struct everything *x) {
    return x->fail.text;
}

int everything_step(struct everything *x) {
    bool more = true;
    x->files.wanted[0] = 0;
    err e = verification_step(x->v, &more, &x->fail);
    if (e == E_AGAIN) return STEP_WANTS;
    supplied_clear(&x->files);
    x->fail.code = e;
    if (e != OK) return STEP_FAILED;
    return more ? STEP_MORE : STEP_END;
}

const char *everything_wanted(const struct everything *x) {
    return x->files.wanted;
}

double everything_wanted_max(const struct everything *x) {
    return (double)x->files.wanted_max;
}

int everything_supply(struct everything *x, const char *path, int code, uint8_t *bytes, size_t n) {
    return (int)supplied_add(&x->files, path, (err)code, bytes, n);
}

/* NULL when nothing is known. */
const char *everything_ahead(struct everything *x, size_t k) {
    return verification_ahead(x->v, k, x->path) ? x->path : NULL;
}

double everything_done(const struct everything *x) {
    return (double)verification_done(x->v);
}

double everything_size(const struct everything *x) {
    return (double)x->report.size;
}

/* Of the bundle that the last step has completed: 0 when there is nothing to check. */
size_t everything_checks(const struct everything *x) {
    return x->given ? x->checks.n / sizeof(struct wasm_check) : 0;
}

const uint8_t *everything_checks_at(const struct everything *x) {
    return x->checks.p;
}

const uint8_t *everything_bundle_at(const struct everything *x) {
    return x->bundle.p;
}

size_t everything_bundle_bytes(const struct everything *x) {
    return x->bundle.n;
}

void everything_taken(struct everything *x) {
    x->given = false;
}

void everything_good(struct everything *x, double count) {
    x->found.signatures += (uint64_t)count;
}

void everything_bad(struct everything *x, double index, uint32_t line) {
    verification_bad(&x->found, (uint64_t)index, (uint8_t)line);
}

/* After the last step, once. JSON; NULL when it does not fit in memory. */
const char *everything_report(struct everything *x, double seconds) {
    x->report.seconds = seconds;
    verification_finish(x->v, &x->found);
    x->fail.code = verification_json(&x->report, &x->json, &x->fail);
    return x->fail.code == OK ? buf_cstr(&x->json) : NULL;
}
