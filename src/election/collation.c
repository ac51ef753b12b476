/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/collation.h"

#include "base/text.h"
#include "election/state.h"

size_t fold_collation_count(const struct fold *s) {
    return s->collations.n;
}

const struct collation *fold_collation(const struct fold *s, uint32_t i) {
    return vec_at(&s->collations, i);
}

const struct collation_row *collation_row(const struct fold *s, const struct collation *c, size_t k) {
    return vec_at(&s->collation_rows, c->first_row + k);
}

const uint64_t *collation_votes(const struct fold *s, size_t votes_at) {
    return vec_at(&s->votes, votes_at);
}

uint32_t fold_collation_of(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit) {
    size_t cursor = 0;
    uint64_t h = collation_hash(contest, round, unit);
    for (uint32_t i; (i = table_next(&s->by_collation, h, &cursor)) != UINT32_MAX;) {
        const struct collation *c = fold_collation(s, i);
        if (c->contest == contest && c->round == round && c->unit == unit &&
            c->superseded_by == NO_COLLATION)
            return i;
    }
    return NO_COLLATION;
}

uint32_t collation_of_entry(const struct fold *s, uint64_t entry) {
    size_t low = 0, high = s->collations.n; /* they stand in the log's order */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        uint64_t at = fold_collation(s, (uint32_t)mid)->entry;
        if (at == entry) return (uint32_t)mid;
        if (at < entry)
            low = mid + 1;
        else
            high = mid;
    }
    return NO_COLLATION;
}

err collation_level(const struct fold *s, uint32_t contest, uint32_t unit, unsigned *k,
                    struct fail *f) {
    const struct contest *c = fold_contest(s, contest);
    const struct unit *u = fold_unit(s, unit);
    if (!unit_within(s, unit, c->unit))
        return fail_set(f, E_CONTEST, "the contest %.*s is not held in %.*s", SPAN_ARG(c->id),
                        SPAN_ARG(u->code));
    int at = rule_collates(contest_rule(s, contest), u->level);
    if (at < 0)
        return fail_set(f, E_UNIT, "the contest %.*s is not collated at the level of %.*s",
                        SPAN_ARG(c->id), SPAN_ARG(u->code));
    *k = (unsigned)at;
    return OK;
}

enum role collation_officer(const struct fold *s, uint32_t contest, uint32_t unit, uint32_t *of) {
    const struct rule *r = contest_rule(s, contest);
    *of = unit;
    if (fold_unit(s, unit)->level == 0) return ROLE_NATIONAL_RETURNING_OFFICER;
    /* a ward's table is made by the returning officer of the constituency who declares it */
    if (r->declarer == ROLE_RETURNING_OFFICER &&
        r->declarer_level < fold_unit(s, fold_contest(s, contest)->unit)->level)
        while (fold_unit(s, *of)->level > r->declarer_level) *of = fold_unit(s, *of)->parent;
    return ROLE_RETURNING_OFFICER;
}

/* What holds at one part now; false if nothing does. Votes are borrowed. */
static bool part_holds(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit,
                       bool station, uint64_t *entry, struct collated *out) {
    *entry = NO_RECORD;
    if (!station) {
        uint32_t i = fold_collation_of(s, contest, round, unit);
        if (i == NO_COLLATION) return false;
        const struct collation *c = fold_collation(s, i);
        *entry = c->entry;
        if (out)
            *out = (struct collated){c->registered, c->rejected, c->valid,
                                     vec_at(&s->votes, c->votes_at)};
        return true;
    }
    struct figures x;
    uint32_t cell = fold_cell_find(s, contest, round, unit);
    if (cell == NO_CELL || !cell_held(s, fold_cell_at(s, cell), &x, entry)) {
        *entry = NO_RECORD;
        return false;
    }
    if (out) {
        /* votes are only read */
        union {
            const uint64_t *from;
            uint64_t *to;
        } v = {.from = x.votes};
        *out = (struct collated){fold_unit(s, unit)->registered, x.rejected, x.valid, v.to};
    }
    return true;
}

uint64_t collation_stale_rows(const struct fold *s, const struct collation *c) {
    uint64_t n = 0;
    for (size_t k = 0; k < c->row_count; k++) {
        const struct collation_row *r = collation_row(s, c, k);
        uint64_t now;
        if (r->foreign) continue;
        (void)part_holds(s, c->contest, c->round, r->unit, unit_is_station(s, r->unit), &now, NULL);
        n += now != r->entry;
    }
    return n;
}

/* Expected there: not a station that an amendment closed before it said anything. */
static bool is_part(const struct fold *s, uint32_t contest, unsigned round, uint32_t u, unsigned level) {
    const struct unit *x = fold_unit(s, u);
    if (x->level != level) return false;
    return !x->closed || fold_cell_find(s, contest, round, u) != NO_CELL;
}

static bool sum_up(uint64_t *to, uint64_t v) {
    return v == ABSENT || !__builtin_add_overflow(*to, v, to);
}

static bool add_line(const struct fold *s, uint32_t choices, const struct collation_line *l,
                     struct collated *sums) {
    (void)s;
    bool ok = sum_up(&sums->registered, l->is.registered) && sum_up(&sums->rejected, l->is.rejected) &&
              sum_up(&sums->valid, l->is.valid);
    for (uint32_t k = 0; k < choices; k++) ok = sum_up(&sums->votes[k], l->is.votes[k]) && ok;
    return ok;
}

err collation_lines(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit,
                    struct arena *a, struct collation_line **lines, size_t *n,
                    struct collated *sums, struct fail *f) {
    const struct rule *r = contest_rule(s, contest);
    uint32_t choices = fold_contest(s, contest)->choice_count;
    unsigned at;
    TRY(collation_level(s, contest, unit, &at, f));
    unsigned level = at ? r->collate[at - 1] : s->def.level_count - 1;
    size_t count = 0;
    for (uint32_t u = unit; u != NO_UNIT; u = unit_next(s, u, unit))
        count += is_part(s, contest, round, u, level);
    *n = count;
    *lines = arena_array(a, count + 1, sizeof **lines);
    sums->votes = arena_array(a, choices, sizeof *sums->votes);
    uint64_t *blank = arena_array(a, choices, sizeof *blank);
    if (!*lines || !sums->votes || !blank) return fail_set(f, E_MEMORY, "no memory for a collation");
    for (uint32_t k = 0; k < choices; k++) blank[k] = ABSENT;
    sums->registered = sums->rejected = sums->valid = 0;
    size_t i = 0;
    for (uint32_t u = unit; u != NO_UNIT; u = unit_next(s, u, unit)) {
        if (!is_part(s, contest, round, u, level)) continue;
        struct collation_line *l = &(*lines)[i++];
        l->unit = u;
        if (!part_holds(s, contest, round, u, at == 0, &l->entry, &l->is)) {
            uint64_t registered = at == 0 ? fold_unit(s, u)->registered : ABSENT;
            l->is = (struct collated){registered, ABSENT, ABSENT, blank};
        }
        if (!add_line(s, choices, l, sums))
            return fail_set(f, E_OVERFLOW, "a sum does not fit in 64 bits");
    }
    return OK;
}

/* ---- the rows object ---- */

static uint64_t figure(struct cj *r) {
    return cj_null(r) ? ABSENT : cj_u64(r, TOTAL_MAX);
}

static void member(struct cj *r, int at, struct collation_text *out) {
    switch (at) {
    case 0: out->code = cj_code(r, 32); break;
    case 1:
        if (!cj_null(r)) {
            cj_hex(r, out->id.b, sizeof out->id.b);
            out->has_id = true;
        }
        break;
    case 2: out->registered = figure(r); break;
    case 3: out->rejected = figure(r); break;
    case 4: out->valid = figure(r); break;
    case 5:
        cj_array(r);
        while (cj_element(r)) {
            if (out->vote_count == MAX_CHOICES) {
                cj_fail(r, E_RANGE, "more than %d choices", MAX_CHOICES);
                return;
            }
            out->votes[out->vote_count++] = figure(r);
        }
        break;
    default: cj_fail(r, E_FIELD, "a row has six members");
    }
}

err collation_text_next(struct span *rest, uint64_t *number, struct collation_text *out, bool *more,
                        struct fail *f) {
    struct span line;
    *more = false;
    if (*number == 0) {
        if (!span_line(rest, &line) || !span_is(line, "hesabu/collation/v1"))
            return fail_set(f, E_OBJECT, "the object does not begin with \"hesabu/collation/v1\"");
        *number = 1;
    }
    if (rest->n == 0) return OK;
    ++*number;
    if (!span_line(rest, &line))
        return fail_set(f, E_OBJECT, "rows, line %llu does not end with a line break",
                        (unsigned long long)*number);
    struct cj r;
    int members = 0;
    out->has_id = false;
    out->vote_count = 0;
    out->code = (struct span){0};
    cj_init(&r, line, f);
    cj_array(&r);
    while (cj_element(&r)) member(&r, members++, out);
    if (!cj_failed(&r) && members != 6) cj_fail(&r, E_FIELD, "a row has six members");
    err e = cj_end(&r);
    if (e != OK) return fail_context(f, e, "rows, line %llu", (unsigned long long)*number);
    *more = true;
    return OK;
}
