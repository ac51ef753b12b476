/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* incident (spec/records.md, 6.11): what the server refused, in bounded rows. */
#include "base/text.h"
#include "election/state.h"

enum { ROWS_MAX = 256, EVERY_MS = 600000 };

/* E_ and capitals, digits, '_'. Which codes there are may grow, so a list would make old readers
 * refuse new logs. */
static bool is_code(struct span s) {
    if (s.n < 3 || s.p[0] != 'E' || s.p[1] != '_') return false;
    for (size_t i = 2; i < s.n; i++)
        if (!(s.p[i] >= 'A' && s.p[i] <= 'Z') && !char_is_digit(s.p[i]) && s.p[i] != '_') return false;
    return true;
}

static void read_row(struct ctx *c) {
    static const char *const classes[] = {"claimed", "proven", NULL};
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "class");
    bool proven = read_word(c, classes) == 1;
    cj_need(r, "code");
    struct span code = cj_code(r, 40);
    if (!cj_failed(r) && !is_code(code))
        cj_fail(r, E_FIELD, "\"%.*s\" is not an error code", SPAN_ARG(code));
    cj_need(r, "count");
    if (cj_u64(r, CJ_MAX_INT) == 0) cj_fail(r, E_RANGE, "a row that counts nothing");
    cj_need(r, "first_ms");
    uint64_t first = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "key");
    struct span before = r->rest, name = cj_code(r, 120);
    bool known = !cj_failed(r) && state_key_by_name(c->fold, name) != NO_KEY;
    if (!cj_failed(r) && !known && !span_is(name, "unknown")) {
        r->rest = before;
        cj_fail(r, E_REFERENCE, "there is no key named \"%.*s\"; write unknown", SPAN_ARG(name));
    }
    cj_need(r, "last_ms");
    if (cj_u64(r, CJ_MAX_INT) < first) cj_fail(r, E_RANGE, "the last time is before the first");
    bool note = cj_have(r, "note");
    if (note) (void)read_object_ref(c, false);
    if (!cj_failed(r) && proven && (!note || !known))
        cj_fail(r, E_FIELD, "a proven row names a known key and keeps the signed note");
    cj_need(r, "type");
    struct span type = cj_code(r, 60);
    if (!cj_failed(r) && record_by_name(type) == REC_COUNT && !span_is(type, "unknown"))
        cj_fail(r, E_FIELD, "\"%.*s\" is not a record type", SPAN_ARG(type));
    cj_object_end(r);
}

err incident_apply(struct ctx *c) {
    struct cj *r = &c->json;
    size_t rows = 0;
    cj_object(r);
    read_election(c);
    cj_need(r, "rows");
    cj_array(r);
    while (cj_element(r)) {
        if (rows++ == ROWS_MAX) {
            cj_fail(r, E_RANGE, "more than %d rows", ROWS_MAX);
            break;
        }
        read_row(c);
    }
    cj_object_end(r);
    TRY(cj_end(r));
    if (rows == 0) return fail_set(c->f, E_FIELD, "an incident record without rows");
    uint64_t last = c->fold->last_incident_ms;
    if (last && c->ms < last + EVERY_MS)
        return fail_set(c->f, E_QUOTA, "incident records come at most once in ten minutes");
    JSET(&c->fold->journal, c->fold->last_incident_ms, c->ms);
    return OK;
}
