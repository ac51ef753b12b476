/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/desk.h"

#include "election/fold.h"
#include "election/state.h"

bool contest_compare_level(const struct fold *s, uint32_t contest, unsigned n, uint32_t *level) {
    const struct rule *r = contest_rule(s, contest);
    if (r->compare_count == 0) {
        *level = r->collate[0];
        return n == 0;
    }
    if (n >= r->compare_count) return false;
    *level = r->compare[n];
    return true;
}

const char *seal_state_name(enum seal_state x) {
    static const char *const names[] = {"sealed", "open", "lapsed"};
    return names[x];
}

const struct desk *cell_desk(const struct fold *s, const struct cell *c) {
    return c->desk_plus_1 ? vec_at(&s->desks, c->desk_plus_1 - 1) : NULL;
}

const struct seal *fold_seal(const struct fold *s, uint32_t i) {
    return vec_at(&s->seals, i);
}

const struct seal *seal_by_id(const struct fold *s, const struct hash *record) {
    uint32_t i = state_ref(s, fold_find(s, record), REC_SEAL);
    return i == NO_REF ? NULL : fold_seal(s, i);
}

size_t fold_seal_count(const struct fold *s) {
    return s->seals.n;
}

const struct form_reading *fold_reading(const struct fold *s, uint32_t i) {
    return vec_at(&s->readings, i);
}

size_t fold_reading_count(const struct fold *s) {
    return s->readings.n;
}

const struct compared *fold_compared(const struct fold *s, uint32_t i) {
    return vec_at(&s->compareds, i);
}

const struct decision *fold_decision(const struct fold *s, uint32_t i) {
    return vec_at(&s->decisions, i);
}

size_t fold_decision_count(const struct fold *s) {
    return s->decisions.n;
}

static uint64_t place_hash(uint32_t contest, unsigned round, uint32_t unit) {
    return hash_u64((uint64_t)contest << 36 ^ (uint64_t)round << 32 ^ unit);
}

uint32_t state_place_find(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit) {
    size_t cursor = 0;
    if (s->places.n == 0) return NO_REF;
    uint64_t h = place_hash(contest, round, unit);
    for (uint32_t i; (i = table_next(&s->by_place, h, &cursor)) != UINT32_MAX;) {
        const struct place *p = vec_at(&s->places, i);
        if (p->contest == contest && p->round == round && p->unit == unit) return i;
    }
    return NO_REF;
}

const struct place *fold_place(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit) {
    uint32_t i = state_place_find(s, contest, round, unit);
    return i == NO_REF ? NULL : fold_place_at(s, i);
}

const struct place *fold_place_at(const struct fold *s, size_t i) {
    return vec_at(&s->places, i);
}

uint32_t fold_first_place(const struct fold *s, uint32_t contest, unsigned round) {
    size_t at = (size_t)contest * MAX_ROUNDS + round - 1;
    if (round == 0 || round > MAX_ROUNDS || at >= s->contest_places.n) return NO_PLACE;
    return *(const uint32_t *)vec_at(&s->contest_places, at) - 1; /* 0 - 1: NO_PLACE */
}

size_t fold_place_count(const struct fold *s) {
    return s->places.n;
}

const uint64_t *reading_votes(const struct fold *s, const struct form_reading *r) {
    return vec_at(&s->votes, r->votes_at);
}

void reading_figures(const struct fold *s, const struct form_reading *r, struct figures *out) {
    *out = (struct figures){.registered = r->registered, .valid = r->valid, .rejected = r->rejected,
                            .objected = r->objected, .disputed = r->disputed,
                            .votes = reading_votes(s, r)};
}

unsigned figures_differ(const struct fold *s, const struct cell *c, const struct figures *a,
                        const struct figures *b, uint64_t fields[FIGURE_WORDS]) {
    const struct contest *k = fold_contest(s, c->contest);
    const uint64_t x[FIGURE_BALLOTS] = {a->registered, a->valid, a->rejected, a->objected, a->disputed};
    const uint64_t y[FIGURE_BALLOTS] = {b->registered, b->valid, b->rejected, b->objected, b->disputed};
    unsigned n = 0;
    if (fields)
        memset(fields, 0, FIGURE_WORDS * sizeof *fields);
    else if (memcmp(x, y, sizeof x) == 0 &&
             memcmp(a->votes, b->votes, k->choice_count * sizeof *a->votes) == 0)
        return 0; /* the usual case, at once */
    for (uint32_t i = 0; i < FIGURE_BALLOTS + k->choice_count; i++) {
        uint32_t choice = i - FIGURE_BALLOTS;
        bool same = i < FIGURE_BALLOTS ? x[i] == y[i]
                                       : !contest_has_choice(k, c->round, choice) ||
                                             a->votes[choice] == b->votes[choice];
        if (same) continue;
        n++;
        if (fields) fields[i / 64] |= UINT64_C(1) << (i % 64);
    }
    return n;
}

uint64_t figures_ballots(const struct fold *s, const struct cell *c, const struct figures *g) {
    const struct contest *k = fold_contest(s, c->contest);
    uint64_t n = g->rejected == ABSENT ? 0 : g->rejected;
    if (g->valid != ABSENT) return n + g->valid;
    for (uint32_t i = 0; i < k->choice_count; i++)
        if (contest_has_choice(k, c->round, i) && g->votes[i] != ABSENT) n += g->votes[i];
    return n;
}

uint64_t figures_voters(uint64_t kit, uint64_t manual) {
    if (manual == ABSENT) return kit;
    return (kit == ABSENT ? 0 : kit) + manual;
}

/* --- seals --- */

enum seal_state state_seal_at(const struct fold *s, const struct seal *x, uint64_t now_ms,
                              uint64_t index) {
    if (x->reading != NO_READING) return SEAL_OPEN;
    const struct key *k = state_key(s, x->key);
    if (k->revoked_at < index || now_ms > k->not_after_ms) return SEAL_LAPSED;
    if (x->deadline_ms != UINT64_MAX && now_ms > x->deadline_ms) return SEAL_LAPSED;
    return SEAL_CLOSED;
}

enum seal_state seal_state_at(const struct fold *s, const struct seal *x, uint64_t now_ms) {
    return state_seal_at(s, x, now_ms, s->ids.n);
}

unsigned desk_open(const struct fold *s, const struct desk *d, uint32_t out[3]) {
    unsigned n = 0;
    for (int i = 0; i < 3; i++) {
        if (d->slot[i] == NO_SEAL) continue;
        const struct seal *x = fold_seal(s, d->slot[i]);
        if (x->reading != NO_READING) out[n++] = x->reading;
    }
    return n;
}

static bool alike(const struct fold *s, const struct cell *c, uint32_t i, uint32_t j) {
    struct figures a, b;
    reading_figures(s, fold_reading(s, i), &a);
    reading_figures(s, fold_reading(s, j), &b);
    return figures_differ(s, c, &a, &b, NULL) == 0;
}

uint32_t desk_agreed(const struct fold *s, const struct cell *c) {
    const struct desk *d = cell_desk(s, c);
    uint32_t r[3];
    if (!d) return NO_READING;
    unsigned n = desk_open(s, d, r), wanted = contest_rule(s, c->contest)->readings;
    if (wanted == 1) return n ? r[0] : NO_READING;
    for (unsigned i = 1; i < n; i++)
        for (unsigned j = 0; j < i; j++)
            if (alike(s, c, r[j], r[i])) return r[j];
    return NO_READING;
}

bool desk_disagrees(const struct fold *s, const struct cell *c) {
    const struct desk *d = cell_desk(s, c);
    uint32_t r[3];
    return d && desk_open(s, d, r) == 3 && desk_agreed(s, c) == NO_READING;
}

uint32_t desk_machine(const struct fold *s, const struct cell *c) {
    const struct desk *d = cell_desk(s, c);
    return d && d->machine != NO_SEAL ? fold_seal(s, d->machine)->reading : NO_READING;
}

/* How many people's seals the cell asks for now: the rule's, and one more when two differ. */
static unsigned asked(const struct fold *s, const struct cell *c) {
    unsigned wanted = contest_rule(s, c->contest)->readings;
    const struct desk *d = cell_desk(s, c);
    uint32_t r[3];
    if (wanted == 2 && d && desk_open(s, d, r) >= 2 && !alike(s, c, r[0], r[1])) return 3;
    return wanted;
}

static unsigned live(const struct fold *s, const struct desk *d, uint64_t now_ms, uint64_t index) {
    unsigned n = 0;
    for (int i = 0; d && i < 3; i++)
        n += d->slot[i] != NO_SEAL &&
             state_seal_at(s, fold_seal(s, d->slot[i]), now_ms, index) != SEAL_LAPSED;
    return n;
}

static bool has_image(const struct fold *s, const struct cell *c) {
    if (c->first_image != NO_IMAGE) return true;
    for (uint32_t i = c->first_result; i != NO_RESULT; i = fold_result(s, i)->next)
        if (fold_result(s, i)->first_image != NO_IMAGE) return true;
    return false;
}

unsigned desk_wanted(const struct fold *s, const struct cell *c, uint64_t now_ms) {
    if (!has_image(s, c)) return 0;
    unsigned a = asked(s, c), n = live(s, cell_desk(s, c), now_ms, s->ids.n);
    return a > n ? a - n : 0;
}

static uint64_t holder_hash(const struct fold *s, uint32_t cell, const struct hash *holder) {
    return hash_u64(state_hash(s, hash_span(holder)) ^ (uint64_t)cell << 20);
}

static struct holder_mark *find_mark(const struct fold *s, uint32_t cell, const struct hash *holder,
                                     bool signed_result) {
    size_t cursor = 0;
    uint64_t h = holder_hash(s, cell, holder);
    for (uint32_t i; (i = table_next(&s->by_holder, h, &cursor)) != UINT32_MAX;) {
        struct holder_mark *m = vec_at(&s->holder_marks, i);
        if (m->cell == cell && (m->seal == NO_SEAL) == signed_result &&
            hash_eq(&state_key(s, m->key)->holder, holder))
            return m;
    }
    return NULL;
}

static err add_mark(struct ctx *c, uint32_t cell, uint32_t key, uint32_t seal) {
    struct fold *s = c->fold;
    struct holder_mark *m;
    uint32_t i = (uint32_t)s->holder_marks.n;
    TRY(state_push(c, &s->holder_marks, (void **)&m));
    *m = (struct holder_mark){cell, key, seal};
    return state_index(c, &s->by_holder, holder_hash(s, cell, &state_key(s, key)->holder), i);
}

err state_holder_signed(struct ctx *c, uint32_t cell, uint32_t key) {
    const struct key *k = state_key(c->fold, key);
    /* whoever signs in the crowd (officers of stations, agents) never reads forms */
    if (!role_may_sign((enum role)k->role, REC_SEAL)) return OK;
    if (find_mark(c->fold, cell, &k->holder, true)) return OK;
    return add_mark(c, cell, key, NO_SEAL);
}

err state_holder_sealed(struct ctx *c, uint32_t cell, uint32_t key, uint32_t seal) {
    struct holder_mark *m = find_mark(c->fold, cell, &state_key(c->fold, key)->holder, false);
    if (!m) return add_mark(c, cell, key, seal);
    JSET(&c->fold->journal, m->seal, seal);
    return OK;
}

err state_may_seal(const struct fold *s, const struct cell *c, uint32_t cell, uint32_t key,
                   uint64_t now_ms, uint64_t index, struct fail *f) {
    const struct key *k = state_key(s, key);
    const struct desk *d = cell_desk(s, c);
    uint32_t r[3];
    if (k->role == ROLE_MACHINE) {
        if (d && d->machine != NO_SEAL &&
            state_seal_at(s, fold_seal(s, d->machine), now_ms, index) != SEAL_LAPSED)
            return fail_set(f, E_STATE, "a machine's reading of this form is sealed already");
        return OK;
    }
    unsigned a = asked(s, c);
    if (a == 0) return fail_set(f, E_STATE, "forms of this contest are not entered at a desk");
    if (live(s, d, now_ms, index) >= a)
        return fail_set(f, E_STATE, "enough people have read this form: %u are asked for now", a);
    if (find_mark(s, cell, &k->holder, true))
        return fail_set(f, E_STATE, "the holder of %.*s signed a result here and may not read its form",
                        SPAN_ARG(k->name));
    const struct holder_mark *m = find_mark(s, cell, &k->holder, false);
    if (!m) return OK;
    if (state_seal_at(s, fold_seal(s, m->seal), now_ms, index) != SEAL_LAPSED)
        return fail_set(f, E_STATE, "the holder of %.*s has read this form already", SPAN_ARG(k->name));
    /* whoever let a seal lapse has had the time to look at what others opened since */
    if (desk_open(s, d, r))
        return fail_set(f, E_STATE, "the holder of %.*s let a seal lapse here, and a reading is public "
                                    "since: it is somebody else's turn", SPAN_ARG(k->name));
    return OK;
}

err desk_may_seal(const struct fold *s, const struct cell *c, struct span key_name, uint64_t now_ms,
                  struct fail *f) {
    uint32_t key = state_key_by_name(s, key_name);
    if (key == NO_KEY)
        return fail_set(f, E_REFERENCE, "there is no key named \"%.*s\"", SPAN_ARG(key_name));
    const struct key *k = state_key(s, key);
    if (!role_may_sign((enum role)k->role, REC_SEAL) || k->revoked_at < s->ids.n ||
        now_ms < k->not_before_ms || now_ms > k->not_after_ms)
        return fail_set(f, E_ROLE, "the key %.*s may not read forms now", SPAN_ARG(key_name));
    if (!key_covers_unit(s, k, c->station) || !key_covers_contest(s, k, c->contest))
        return fail_set(f, E_SCOPE, "the key %.*s is not of this station and contest",
                        SPAN_ARG(key_name));
    uint32_t cell = fold_cell_find(s, c->contest, c->round, c->station);
    return state_may_seal(s, c, cell, key, now_ms, s->ids.n, f);
}

/* --- comparisons and decisions --- */

const struct compared *cell_compared(const struct fold *s, const struct cell *c, uint32_t level,
                                     uint64_t held_entry) {
    const struct desk *d = cell_desk(s, c);
    const struct compared *last = NULL;
    for (uint32_t i = d ? d->first_compared : NO_COMPARED; i != NO_COMPARED;) {
        const struct compared *x = fold_compared(s, i);
        if (x->level == level && x->record == held_entry) last = x;
        i = x->next;
    }
    return last;
}

bool cell_compared_same(const struct fold *s, const struct cell *c, uint32_t level, uint64_t held_entry) {
    const struct compared *x = cell_compared(s, c, level, held_entry);
    const struct desk *d = cell_desk(s, c);
    if (x) return x->reading == NO_READING;
    for (uint32_t i = d ? d->first_compared : NO_COMPARED; i != NO_COMPARED; i = fold_compared(s, i)->next)
        if (fold_compared(s, i)->level == level && fold_compared(s, i)->entry == held_entry) return true;
    return false;
}

bool cell_transcribed(const struct fold *s, const struct cell *c) {
    struct figures held, read;
    uint64_t entry;
    if (!c->desk_plus_1 || !cell_held(s, c, &held, &entry)) return false;
    const struct decision *d = cell_decision(s, c);
    if (d && state_ref(s, d->record, REC_RESULT) == NO_REF) return true;
    uint32_t agreed = desk_agreed(s, c);
    if (agreed == NO_READING || d) return agreed != NO_READING;
    reading_figures(s, fold_reading(s, agreed), &read);
    return figures_differ(s, c, &held, &read, NULL) == 0;
}

const struct decision *cell_decision(const struct fold *s, const struct cell *c) {
    const struct desk *d = cell_desk(s, c);
    return d && d->standing != NO_DECISION ? fold_decision(s, d->standing) : NULL;
}

/* --- changing the state --- */

err state_desk(struct ctx *c, uint32_t cell, struct desk **out) {
    struct fold *s = c->fold;
    struct cell *k = vec_at(&s->cells, cell);
    if (k->desk_plus_1) {
        *out = vec_at(&s->desks, k->desk_plus_1 - 1);
        return OK;
    }
    uint32_t i = (uint32_t)s->desks.n;
    TRY(state_push(c, &s->desks, (void **)out));
    **out = (struct desk){.cell = cell, .slot = {NO_SEAL, NO_SEAL, NO_SEAL}, .machine = NO_SEAL,
                          .first_seal = NO_SEAL, .last_seal = NO_SEAL,
                          .first_compared = NO_COMPARED, .last_compared = NO_COMPARED,
                          .standing = NO_DECISION};
    JSET(&s->journal, k->desk_plus_1, i + 1);
    return OK;
}

err state_place(struct ctx *c, uint32_t contest, unsigned round, uint32_t unit, struct place **out) {
    struct fold *s = c->fold;
    uint32_t i = state_place_find(s, contest, round, unit);
    if (i != NO_REF) {
        *out = vec_at(&s->places, i);
        return OK;
    }
    i = (uint32_t)s->places.n;
    TRY(state_push(c, &s->places, (void **)out));
    uint32_t *first = vec_at(&s->contest_places, (size_t)contest * MAX_ROUNDS + round - 1);
    **out = (struct place){.contest = contest, .unit = unit, .round = (uint16_t)round,
                           .first_decision = NO_DECISION, .last_decision = NO_DECISION,
                           .next_in_contest = *first - 1};
    JSET(&s->journal, *first, i + 1);
    return state_index(c, &s->by_place, place_hash(contest, round, unit), i);
}

err state_reading_add(struct ctx *c, const struct form_reading *r, const uint64_t *votes, uint32_t *out) {
    struct fold *s = c->fold;
    const struct cell *cell = fold_cell_at(s, r->cell);
    uint32_t choices = fold_contest(s, cell->contest)->choice_count;
    struct form_reading *to;
    *out = (uint32_t)s->readings.n;
    TRY(state_push(c, &s->readings, (void **)&to));
    *to = *r;
    journal_vec(&s->journal, &s->votes);
    uint64_t *v = vec_push_run(&s->votes, choices, &to->votes_at);
    if (r->serial.n) to->serial = arena_copy(&s->arena, r->serial);
    if (r->illegible.n) to->illegible = arena_copy(&s->arena, r->illegible);
    if (!v || (r->serial.n && !to->serial.p) || (r->illegible.n && !to->illegible.p))
        return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    memcpy(v, votes, choices * sizeof *v);
    return OK;
}
