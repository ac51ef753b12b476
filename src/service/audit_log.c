/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/audit_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/csv.h"
#include "service/audit_law.h"
#include "stats/audit/sample.h"

enum { LIST_MAX = 64 << 20, TRANSCRIPT_MAX = 1 << 28 };

static err read_object(const struct audit_objects *o, const struct named_object *n, struct buf *out,
                       struct fail *f) {
    buf_clear(out);
    if (n->size > TRANSCRIPT_MAX) return fail_set(f, E_OBJECT, "an object of more than 256 MiB");
    TRY(o->get(o->ctx, &n->id, n->size, out, f));
    struct hash h = sha256(buf_view(out));
    if (out->n != n->size || !hash_eq(&h, &n->id))
        return fail_set(f, E_OBJECT, "an object of the audit is not what the plan committed to: it was changed");
    return OK;
}

/* Columns are the contest's choices by id, all of them and no other. */
static err check_choices(const struct audit_log *a, uint32_t *choice, struct fail *f) {
    const struct contest *k = fold_contest(a->fold, a->plan->contest);
    size_t n = a->list.contest.choices, seen = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = 0;
        while (c < k->choice_count && !span_is(contest_choice(a->fold, k, c)->id, a->list.choice[i])) c++;
        if (c == k->choice_count || !contest_has_choice(k, a->plan->round, c))
            return fail_set(f, E_AUDIT_BATCHES, "the committed list has a column \"%.60s\", which is no choice of "
                                                "the contest",
                            a->list.choice[i]);
        choice[i] = c;
    }
    for (uint32_t c = 0; c < k->choice_count; c++) seen += contest_has_choice(k, a->plan->round, c);
    if (n != seen)
        return fail_set(f, E_AUDIT_BATCHES, "the committed list has %zu of the contest's %zu choices", n, seen);
    return OK;
}

static err check_stations(struct audit_log *a, struct fail *f) {
    size_t n = a->list.contest.batches;
    a->station = arena_array(&a->arena, n, sizeof *a->station);
    if (!a->station) return fail_set(f, E_MEMORY, "no memory for the list of an audit");
    for (size_t g = 0; g < n; g++) {
        uint32_t u = fold_unit_by_code(a->fold, a->list.name[g]);
        if (u == NO_UNIT || !unit_is_station(a->fold, u))
            return fail_set(f, E_AUDIT_BATCHES, "the committed list names \"%.*s\", which is no station",
                            SPAN_ARG(a->list.name[g]));
        a->station[g] = u;
    }
    return OK;
}

/* Assertions of the plan over the list's columns and jurisdictions. */
static err make_assertions(struct audit_log *a, const uint32_t *choice, struct fail *f) {
    static const enum assertion_kind kinds[] = {ASSERT_BEATS, ASSERT_ABOVE, ASSERT_AT_LEAST, ASSERT_BELOW,
                                                ASSERT_AT_MOST};
    const struct audit_contest *c = &a->list.contest;
    struct assertion *to = arena_array(&a->arena, a->plan->claim_count, sizeof *to);
    if (!to) return fail_set(f, E_MEMORY, "no memory for assertions");
    for (uint32_t j = 0; j < a->plan->claim_count; j++) {
        const struct audit_claimed *x = audit_claim_at(a->fold, a->plan, j);
        uint32_t winner = 0, loser = 0, region = AUDIT_EVERYWHERE;
        for (uint32_t i = 0; i < c->choices; i++) {
            if (choice[i] == x->winner) winner = i;
            if (choice[i] == x->loser) loser = i;
        }
        for (uint32_t r = 0; x->unit != NO_UNIT && r < c->regions; r++)
            if (span_is(fold_unit(a->fold, x->unit)->code, a->list.jurisdiction[r])) region = r;
        if (x->unit != NO_UNIT && region == AUDIT_EVERYWHERE)
            return fail_set(f, E_AUDIT_BATCHES, "an assertion is about the unit %.*s, which is no jurisdiction of "
                                                "the committed list",
                            SPAN_ARG(fold_unit(a->fold, x->unit)->code));
        to[j] = x->claim == CLAIM_BEATS ? assertion_beats(winner, loser, region)
                                        : assertion_share(kinds[x->claim], winner, x->p, x->q, region);
        if (assertion_surplus(&to[j], c) <= 0)
            return fail_set(f, E_AUDIT_OUTCOME, "assertion %u is not true of the committed list itself", j + 1);
    }
    if (!audit_spread(to, a->plan->claim_count, a->plan->spare))
        return fail_set(f, E_AUDIT_OUTCOME, "the plan has more spare assertions than it has of regions");
    a->t.a = to;
    a->t.assertions = a->plan->claim_count;
    return OK;
}

/* Ballot accounting, seals, custody and eligibility as they were recorded before the dice: a station whose
 * papers do not add up, or where something failed, needs a bound of at least what was delivered. */
static err read_compliance(struct audit_log *a, const struct audit_objects *o, struct fail *f) {
    static const char *const names[] = {"delivered", "cast", "spoilt", "unused", "seals", "custody",
                                        "eligibility"};
    struct buf b;
    struct csv *c = NULL;
    size_t station = 0, column[7];
    bool more = true;
    a->failed = arena_alloc(&a->arena, a->list.contest.batches);
    if (!a->failed) return fail_set(f, E_MEMORY, "no memory for the compliance of an audit");
    memset(a->failed, 1, a->list.contest.batches); /* whatever is not recorded has failed */
    buf_init(&b, LIST_MAX);
    err e = read_object(o, &a->plan->compliance, &b, f);
    if (e == OK) e = csv_open_span(buf_view(&b), "compliance", &c, f);
    if (e == OK) e = csv_column(c, "station", &station, f);
    for (int i = 0; i < 7 && e == OK; i++) e = csv_column(c, names[i], &column[i], f);
    for (uint32_t at = 0; e == OK && (e = csv_next(c, &more, f)) == OK && more;) {
        uint64_t v[4] = {0};
        bool given[4] = {0}, good = true;
        size_t n = a->list.contest.batches, looked = 0;
        /* most often in the list's own order */
        while (looked < n && !span_eq(a->list.name[at], csv_field(c, station))) {
            at = at + 1 == n ? 0 : at + 1;
            looked++;
        }
        if (looked == n) continue; /* of a station that is not audited */
        for (int i = 0; i < 4 && e == OK; i++) e = csv_u64(c, column[i], FIGURE_MAX, &given[i], &v[i], f);
        for (int i = 4; i < 7; i++) good &= span_is(csv_field(c, column[i]), "ok");
        good &= given[0] && given[1] && v[0] == v[1] + v[2] + v[3];
        a->failed[at] = !good && (!given[0] || a->list.contest.bound[at] < v[0]);
    }
    csv_close(c);
    buf_release(&b);
    return e;
}

static err read_list(struct audit_log *a, const struct audit_objects *o, struct fail *f) {
    struct buf b;
    buf_init(&b, LIST_MAX);
    uint32_t *choice = NULL;
    err e = read_object(o, &a->plan->manifest, &b, f);
    if (e == OK) e = audit_batches_parse(buf_view(&b), "the committed list", 0, &a->arena, &a->list, f);
    if (e == OK) e = audit_contest_check(&a->list.contest, f);
    if (e == OK) {
        choice = arena_array(&a->arena, a->list.contest.choices, sizeof *choice);
        e = choice ? check_choices(a, choice, f) : fail_set(f, E_MEMORY, "no memory for choices");
    }
    if (e == OK) e = check_stations(a, f);
    if (e == OK) e = make_assertions(a, choice, f);
    if (e == OK) e = read_compliance(a, o, f);
    buf_release(&b);
    a->t.c = a->list.contest;
    a->t.manifest = a->plan->manifest.id;
    a->t.limit_ppm = a->plan->limit_ppm;
    return e;
}

/* The weights of the plan whose sample is shared: its stations are these, in this order. */
static err share_weights(struct audit_log *a, const struct audit_objects *o, struct fail *f) {
    struct audit_log *of = calloc(1, sizeof *of);
    if (!of) return fail_set(f, E_MEMORY, "no memory for an audit");
    arena_init(&of->arena, (size_t)1 << 30);
    of->fold = a->fold;
    of->plan = of->dice = a->dice;
    err e = read_list(of, o, f);
    size_t n = a->list.contest.batches;
    uint64_t *w = arena_array(&a->arena, n, sizeof *w), total;
    if (e == OK && !w) e = fail_set(f, E_MEMORY, "no memory for weights");
    if (e == OK && (of->list.contest.batches != n || memcmp(of->station, a->station, n * sizeof *a->station) != 0))
        e = fail_set(f, E_AUDIT_BATCHES, "the lists of two contests on one sample have the same stations in the "
                                         "same order");
    if (e == OK) e = audit_weights(&of->t.c, of->t.a, of->t.assertions, w, &total, f);
    a->t.shared = w;
    arena_release(&of->arena);
    free(of);
    return e;
}

err audit_log_order(struct audit_log *a, struct span digits, uint32_t **out, struct fail *f) {
    size_t n = a->list.contest.batches, at = 0;
    uint64_t *w = arena_array(&a->arena, n, sizeof *w), *below = arena_array(&a->arena, n, sizeof *below), total;
    uint8_t *drawn = arena_alloc(&a->arena, n);
    uint32_t *order = arena_array(&a->arena, n, sizeof *order);
    if (!w || !below || !drawn || !order) return fail_set(f, E_MEMORY, "no memory for %zu draws", n);
    TRY(audit_seed_check(digits, f));
    TRY(transcript_weights(&a->t, w, &total, f));
    struct audit_sampler s;
    struct audit_pick pick;
    audit_sampler_init(&s, w, n, below, drawn, digits, SPAN_LIT(""));
    while (audit_sampler_next(&s, &pick)) order[at++] = pick.batch;
    for (uint32_t g = 0; g < n; g++)
        if (!drawn[g]) order[at++] = g;
    *out = order;
    return OK;
}

void audit_log_draws_object(const struct audit_log *a, const uint32_t *order, struct buf *out) {
    buf_str(out, "hesabu/audit-draws/v1\n");
    for (size_t i = 0; i < a->list.contest.batches; i++) {
        buf_span(out, a->list.name[order[i]]);
        buf_byte(out, '\n');
    }
}

/* The order on the log is that of the dice. */
static err check_order(const struct audit_log *a, struct fail *f) {
    if (a->dice->draw_count != a->list.contest.batches)
        return fail_set(f, E_AUDIT_DRAW, "the log lists %u draws, the committed list has %zu stations",
                        a->dice->draw_count, a->list.contest.batches);
    for (uint32_t i = 0; i < a->dice->draw_count; i++)
        if (audit_draw_at(a->fold, a->dice, i) != a->station[a->order[i]])
            return fail_set(f, E_AUDIT_DRAW, "draw %u on the log is %.*s, the dice give %.*s", i + 1,
                            SPAN_ARG(fold_unit(a->fold, audit_draw_at(a->fold, a->dice, i))->code),
                            SPAN_ARG(a->list.name[a->order[i]]));
    return OK;
}

/* Columns of the list to choices of the contest, the other way round than read_list. */
static size_t column_choice(const struct audit_log *a, size_t column) {
    const struct contest *k = fold_contest(a->fold, a->plan->contest);
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (span_is(contest_choice(a->fold, k, c)->id, a->list.choice[column])) return c;
    return 0;
}

/* The boxes that two people counted alike. */
static err take_counts(struct audit_log *a, struct fail *f) {
    const struct audit_contest *c = &a->list.contest;
    uint8_t *state = arena_alloc(&a->arena, c->batches);
    uint64_t *votes = arena_array(&a->arena, c->batches, c->choices * sizeof *votes);
    size_t *choice = arena_array(&a->arena, c->choices, sizeof *choice), counted = 0;
    if (!state || !votes || !choice) return fail_set(f, E_MEMORY, "no memory for hand counts");
    for (size_t i = 0; i < c->choices; i++) choice[i] = column_choice(a, i);
    a->agreed = a->waiting = a->differing = a->targeted = 0;
    for (size_t i = 0; i < fold_audit_box_count(a->fold); i++) {
        const struct audit_box *b = fold_audit_box(a->fold, i);
        a->targeted += b->plan == a->plan_index && b->targeted;
    }
    for (uint32_t i = 0; i < a->dice->size; i++) {
        uint32_t g = a->order[i], box = fold_audit_box_find(a->fold, a->plan_index, a->station[g]);
        const struct audit_box *b = box == NO_BOX ? NULL : fold_audit_box(a->fold, box);
        if (!b || b->agreed == NO_READING) {
            a->waiting++;
            a->differing += b && b->opened > 1;
            continue;
        }
        const struct audit_reading *r = fold_audit_reading(a->fold, b->agreed);
        a->agreed++;
        counted++;
        bool gone = r->lost || a->failed[g];
        state[g] = gone ? AUDIT_LOST : AUDIT_COUNTED;
        for (size_t k = 0; k < c->choices && !gone; k++)
            votes[g * c->choices + k] = audit_reading_votes(a->fold, r)[choice[k]];
    }
    a->t.h = (struct audit_hand){.state = state, .votes = votes};
    a->full = counted == c->batches;
    return OK;
}

err audit_log_open(const struct fold *fold, uint32_t plan, const struct audit_objects *o,
                   struct audit_log *a, struct fail *f) {
    *a = (struct audit_log){.fold = fold, .plan_index = plan};
    arena_init(&a->arena, (size_t)2 << 30);
    if (plan >= fold_audit_count(fold)) return fail_set(f, E_REFERENCE, "there is no such audit plan");
    a->plan = fold_audit(fold, plan);
    a->dice = audit_drawn_by(fold, a->plan);
    TRY(read_list(a, o, f));
    if (a->dice != a->plan) TRY(share_weights(a, o, f));
    if (a->dice->seed_entry == NO_ENTRY) return OK;
    a->t.seed = a->dice->digits;
    a->t.draws = a->dice->size;
    TRY(audit_log_order(a, a->t.seed, &a->order, f));
    return check_order(a, f);
}

void audit_log_release(struct audit_log *a) {
    arena_release(&a->arena);
}

/* After a full count the hand count replaces the outcome: sums decide, not a test. */
static void judge_full_count(struct audit_log *a) {
    bool met[ASSERTIONS_MAX];
    for (size_t j = 0; a->full && j < a->t.assertions; j++) {
        const struct assertion *x = &a->t.a[j];
        uint64_t ballots = 0;
        int64_t sum = 0;
        for (size_t g = 0; g < a->t.c.batches; g++) {
            if (!audit_holds(&a->t.c, x->region, g)) continue;
            ballots += a->t.c.bound[g];
            sum += audit_value(x, &a->t.c, &a->t.h, g);
        }
        met[j] = sum > assertion_null(x, ballots);
        /* the law asks for enough regions, whichever the plan chose */
        if (audit_law_spread(a, j)) met[j] = audit_law_spread_holds(a, j);
    }
    a->full_holds = a->full && audit_all_met(a->t.a, met, a->t.assertions);
}

/* A small region comes up seldom: by then most draws fall where everything is met, and nobody fetches
 * those boxes. */
static err find_needed(struct audit_log *a, struct fail *f) {
    a->needed = arena_alloc(&a->arena, a->t.c.batches);
    if (!a->needed) return fail_set(f, E_MEMORY, "no memory for the boxes of an audit");
    TRY(transcript_needed(&a->t, &a->arena, a->needed, f));
    a->waiting = 0;
    for (uint32_t i = 0; i < a->dice->size; i++) a->waiting += a->needed[a->order[i]];
    return OK;
}

err audit_log_run(struct audit_log *a, struct buf *transcript, struct fail *f) {
    struct buf own;
    if (a->dice->seed_entry == NO_ENTRY) return fail_set(f, E_STATE, "the dice of this audit are not thrown yet");
    TRY(take_counts(a, f));
    buf_init(&own, TRANSCRIPT_MAX);
    err e = transcript_write(&a->t, &a->arena, transcript ? transcript : &own, &a->result, f);
    buf_release(&own);
    if (e == OK) e = find_needed(a, f);
    if (e == OK) judge_full_count(a);
    a->confirmed = e == OK && (a->full ? a->full_holds : a->result.confirmed);
    return e;
}

enum audit_end audit_log_end(const struct audit_log *a) {
    if (a->full) return a->full_holds ? AUDIT_FULL_CONFIRMS : AUDIT_FULL_OVERTURNS;
    return a->result.confirmed ? AUDIT_CONFIRMED : AUDIT_OPEN;
}

err audit_log_check(struct audit_log *a, const struct audit_objects *o, struct fail *f) {
    struct buf made, given;
    if (a->dice->seed_entry == NO_ENTRY) return OK;
    buf_init(&made, TRANSCRIPT_MAX);
    buf_init(&given, TRANSCRIPT_MAX);
    err e = audit_log_run(a, &made, f);
    if (e == OK && a->plan->close_entry != NO_ENTRY && a->plan->end != AUDIT_STOPPED) {
        e = read_object(o, &a->plan->transcript, &given, f);
        if (e == OK && !span_eq(buf_view(&made), buf_view(&given)))
            e = fail_set(f, E_AUDIT_TRANSCRIPT, "the transcript that the close names is not what the records give");
        enum audit_end may = audit_log_end(a);
        /* a test that confirms suffices, whether or not everything was counted afterwards */
        bool fits = may == (enum audit_end)a->plan->end || (a->plan->end == AUDIT_CONFIRMED && a->result.confirmed && !a->full);
        if (e == OK && !fits)
            e = fail_set(f, E_AUDIT_OUTCOME, "the close says \"%s\", the counts give \"%s\"",
                         audit_end_name(a->plan->end), audit_end_name(may));
    }
    buf_release(&made);
    buf_release(&given);
    return e;
}

void audit_log_claim(const struct audit_log *a, size_t j, char *out, size_t max) {
    const struct assertion *x = &a->t.a[j];
    const struct contest *k = fold_contest(a->fold, a->plan->contest);
    const char *names[AUDIT_CHOICES_MAX];
    char text[2][200];
    const struct choice *w = contest_choice(a->fold, k, (uint32_t)column_choice(a, x->winner));
    const struct choice *l = contest_choice(a->fold, k, (uint32_t)column_choice(a, x->loser));
    for (size_t i = 0; i < a->list.contest.choices; i++) names[i] = a->list.choice[i];
    (void)snprintf(text[0], sizeof text[0], "%.*s", SPAN_ARG(w->name));
    (void)snprintf(text[1], sizeof text[1], "%.*s", SPAN_ARG(l->name));
    names[x->loser] = text[1];
    names[x->winner] = text[0];
    const char *region = NULL;
    char place[200];
    if (x->region != AUDIT_EVERYWHERE) {
        uint32_t u = fold_unit_by_code(a->fold, span_text(a->list.jurisdiction[x->region]));
        region = a->list.jurisdiction[x->region];
        if (u != NO_UNIT) {
            (void)snprintf(place, sizeof place, "%.*s", SPAN_ARG(fold_unit(a->fold, u)->name));
            region = place;
        }
    }
    assertion_name(x, names, region, out, max);
}
