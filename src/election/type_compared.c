/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* compared (spec/records.md, 6.20): the paper original was held against the figures that stand. */
#include "election/state.h"

struct compared_fields {
    uint32_t contest, station, level, marks;
    unsigned round;
    bool differs;
    uint64_t record;
    struct span reading; /* .p NULL: none */
};

static uint32_t read_level(struct ctx *c) {
    struct span w = cj_code(&c->json, 40);
    uint32_t i = 0;
    while (i < c->fold->def.level_count && !span_eq(c->fold->def.levels[i], w)) i++;
    if (!cj_failed(&c->json) && i == c->fold->def.level_count)
        cj_fail(&c->json, E_FIELD, "\"%.*s\" is not a level of this election", SPAN_ARG(w));
    return i;
}

static err read_compared(struct ctx *c, struct compared_fields *v) {
    static const char *const says[] = {"same", "differs", NULL};
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "at_ms"); /* makes two comparisons of one record two records */
    (void)cj_u64(r, CJ_MAX_INT);
    cj_need(r, "contest");
    v->contest = read_contest(c);
    read_election(c);
    if (cj_have(r, "irregularities")) v->marks = read_marks(r);
    cj_need(r, "level");
    v->level = read_level(c);
    if (cj_have(r, "reading")) v->reading = cj_raw(r);
    cj_need(r, "record");
    v->record = read_record(c);
    cj_need(r, "round");
    v->round = (unsigned)cj_u64(r, MAX_ROUNDS);
    cj_need(r, "says");
    v->differs = read_word(c, says) == 1;
    cj_need(r, "station");
    v->station = read_station(c);
    if (!cj_failed(r) && v->differs != (v->reading.p != NULL))
        cj_fail(r, E_FIELD, v->differs ? "it differs, and no reading tells what the original says"
                                       : "it is the same, and a reading tells otherwise");
    cj_object_end(r);
    return cj_end(r);
}

static bool asked_at(const struct fold *s, uint32_t contest, uint32_t level) {
    uint32_t l;
    for (unsigned n = 0; contest_compare_level(s, contest, n, &l); n++)
        if (l == level) return true;
    return false;
}

/* The officer whose own unit is at this level and over the station. */
static uint32_t officer_at(const struct ctx *c, uint32_t level) {
    for (size_t i = 0; i < c->signer_count; i++) {
        const struct key *k = state_key(c->fold, c->signers[i]);
        enum role as = key_acts_as(k);
        if (fold_unit(c->fold, k->unit)->level != level) continue;
        if (as == ROLE_RETURNING_OFFICER || as == ROLE_NATIONAL_RETURNING_OFFICER) return c->signers[i];
    }
    return NO_KEY;
}

err compared_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct compared_fields v = {0};
    struct form_reading x;
    uint64_t votes[MAX_CHOICES], held_entry;
    struct figures held, original;
    TRY(read_compared(c, &v));
    uint32_t cell = fold_cell_find(s, v.contest, v.round, v.station);
    if (!asked_at(s, v.contest, v.level))
        return fail_set(c->f, E_FIELD, "originals of this contest are not compared at the level %.*s",
                        SPAN_ARG(s->def.levels[v.level]));
    TRY(signers_in_scope(c, v.station, v.contest));
    uint32_t officer = officer_at(c, v.level);
    if (officer == NO_KEY)
        return fail_set(c->f, E_ROLE, "a comparison at the level %.*s is signed by its returning officer",
                        SPAN_ARG(s->def.levels[v.level]));
    const struct cell *k = cell == NO_CELL ? NULL : fold_cell_at(s, cell);
    if (!k || !cell_held(s, k, &held, &held_entry) || held_entry != v.record)
        return fail_set(c->f, E_STATE, "the record it names is not the one whose figures hold here");
    uint32_t reading = NO_READING;
    if (v.differs) {
        TRY(reading_parse(c->fold, v.reading, v.contest, v.round, &x, votes, c->f));
        original = (struct figures){x.registered, x.valid, x.rejected, x.objected, x.disputed, votes};
        if (figures_differ(s, k, &held, &original, NULL) == 0)
            return fail_set(c->f, E_FIELD, "no figure of the reading differs from the one that holds");
        x.entry = (uint32_t)c->index;
        x.cell = cell;
        TRY(state_reading_add(c, &x, votes, &reading));
        c->ref = reading;
    }
    struct desk *d;
    struct compared *to;
    uint32_t i = (uint32_t)s->compareds.n;
    TRY(state_desk(c, cell, &d));
    TRY(state_push(c, &s->compareds, (void **)&to));
    *to = (struct compared){.ms = c->ms, .entry = (uint32_t)c->index, .cell = cell, .key = officer,
                            .record = (uint32_t)v.record, .reading = reading, .marks = v.marks,
                            .next = NO_COMPARED, .level = (uint8_t)v.level};
    if (d->last_compared == NO_COMPARED)
        JSET(&s->journal, d->first_compared, i);
    else
        JSET(&s->journal, ((struct compared *)vec_at(&s->compareds, d->last_compared))->next, i);
    JSET(&s->journal, d->last_compared, i);
    return OK;
}
