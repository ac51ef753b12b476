/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* host-log (spec/records.md, 6.17): hashes of the hosts' own logs, so that what is produced later can be
 * shown to be what was there. */
#include "election/state.h"

static const char *const kinds[] = {"administrator", "database", "firewall", "host", NULL};
_Static_assert(sizeof kinds / sizeof *kinds == HOST_LOG_KINDS + 1, "the kinds are counted");

const char *host_log_kind_name(unsigned kind) {
    return kinds[kind];
}

unsigned host_log_kind(struct span word) {
    unsigned i = 0;
    while (kinds[i] && !span_is(word, kinds[i])) i++;
    return i;
}

size_t fold_host_log_count(const struct fold *s) {
    return s->host_logs.n;
}

const struct host_log *fold_host_log(const struct fold *s, size_t i) {
    return vec_at(&s->host_logs, i);
}

uint64_t fold_last_host_log_ms(const struct fold *s) {
    return s->host_logs.n ? fold_host_log(s, s->host_logs.n - 1)->ms : 0;
}

static void read_row(struct cj *r, struct host_log *x) {
    cj_object(r);
    cj_need(r, "from_ms");
    x->from_ms = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "host");
    x->host = read_slug(r, 80);
    cj_need(r, "kind");
    struct span kind = cj_code(r, 40);
    x->kind = (uint8_t)host_log_kind(kind);
    if (!cj_failed(r) && x->kind == HOST_LOG_KINDS)
        cj_fail(r, E_FIELD, "\"%.*s\" is not a kind of log", SPAN_ARG(kind));
    cj_need(r, "sha256");
    cj_hex(r, x->hash.b, sizeof x->hash.b);
    cj_need(r, "size");
    x->size = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "to_ms");
    x->to_ms = cj_u64(r, CJ_MAX_INT);
    if (!cj_failed(r) && x->to_ms < x->from_ms) cj_fail(r, E_RANGE, "the last time is before the first");
    cj_object_end(r);
}

err host_log_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct cj *r = &c->json;
    struct host_log rows[HOST_LOG_ROWS_MAX];
    size_t n = 0;
    cj_object(r);
    read_election(c);
    cj_need(r, "rows");
    cj_array(r);
    while (cj_element(r)) {
        if (n == HOST_LOG_ROWS_MAX) {
            cj_fail(r, E_RANGE, "more than %d rows", HOST_LOG_ROWS_MAX);
            break;
        }
        rows[n] = (struct host_log){.entry = c->index, .ms = c->ms};
        read_row(r, &rows[n++]);
    }
    cj_object_end(r);
    TRY(cj_end(r));
    if (n == 0) return fail_set(c->f, E_FIELD, "a host-log record without rows");
    uint64_t last = fold_last_host_log_ms(s);
    if (last && c->ms < last + HOST_LOG_EVERY_MS)
        return fail_set(c->f, E_QUOTA, "host-log records come at most once in ten minutes");
    for (size_t i = 0; i < n; i++) {
        rows[i].host = arena_copy(&s->arena, rows[i].host);
        if (!rows[i].host.p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
        struct host_log *to;
        TRY(state_push(c, &s->host_logs, (void **)&to));
        *to = rows[i];
    }
    return OK;
}
