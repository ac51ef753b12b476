/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* NIST SP 1500-100 version 2, Election Results Reporting: the mapping, for JSON and XML alike.
 *
 * Ballot counts stand under an Election there, without a contest. Each contest has ballot papers of
 * its own here, so that each contest and round is an Election of its own (spec/exports.md). */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "service/export_cdf.h"
#include "service/export_walk.h"

#define SPACE "http://itl.nist.gov/ns/voting/1500-100/v2"

struct coverage { /* of a unit: stations below it */
    uint32_t stations, reported;
    uint16_t needed, counted; /* of a station: contests */
    bool used;
};

struct err_out {
    const struct export_source *s;
    struct export_out *o;
    struct cdf c;
    struct coverage *units;
    const struct choice **parties; /* one choice of each party, in the order of their names */
    size_t party_count;
    const struct total **totals; /* of the tally that is being written */
};

static void unit_id(const struct err_out *x, uint32_t unit, char out[CDF_ID_MAX]) {
    cdf_make_id(out, "gp-", fold_unit(x->s->fold, unit)->code, (struct span){0}, 0);
}

static int by_party(const void *a, const void *b) {
    const struct choice *const *p = a, *const *q = b;
    return span_cmp((*p)->party, (*q)->party);
}

static err collect_parties(struct err_out *x, struct fail *f) {
    const struct fold *fold = x->s->fold;
    size_t n = 0;
    for (uint32_t i = 0; i < fold_contest_count(fold); i++) n += fold_contest(fold, i)->choice_count;
    x->parties = calloc(n + 1, sizeof *x->parties);
    if (!x->parties) return fail_set(f, E_MEMORY, "no memory for the parties");
    n = 0;
    for (uint32_t i = 0; i < fold_contest_count(fold); i++) {
        const struct contest *k = fold_contest(fold, i);
        if (x->s->contest && !span_is(k->id, x->s->contest)) continue;
        for (uint32_t c = 0; c < k->choice_count; c++)
            if (contest_choice(fold, k, c)->party.n) x->parties[n++] = contest_choice(fold, k, c);
    }
    qsort(x->parties, n, sizeof *x->parties, by_party);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !span_eq(x->parties[i]->party, x->parties[i - 1]->party))
            x->parties[x->party_count++] = x->parties[i];
    return OK;
}

static void party_id(const struct err_out *x, const struct choice *ch, char out[CDF_ID_MAX]) {
    const struct choice **at = bsearch(&ch, x->parties, x->party_count, sizeof *x->parties, by_party);
    (void)snprintf(out, CDF_ID_MAX, "party-%zu", at ? (size_t)(at - x->parties) + 1 : 0);
}

/* Which units are named, and how many of their stations are counted in all contests held there. */
static err cover(struct err_out *x, struct fail *f) {
    const struct fold *fold = x->s->fold;
    size_t n = fold_unit_count(fold);
    x->units = calloc(n + 1, sizeof *x->units);
    if (!x->units) return fail_set(f, E_MEMORY, "no memory for the units");
    for (size_t k = 0; k < x->s->results->n; k++) {
        const struct tally *t = &x->s->results->tallies[k];
        if (!export_wants(x->s, t)) continue;
        for (size_t i = 0; i < t->n; i++) {
            const struct tally_row *row = &t->rows[i];
            struct coverage *u = &x->units[row->unit];
            u->used = true;
            if (!export_is_station(x->s, t, i) || row->not_held) continue;
            u->needed++;
            u->counted = (uint16_t)(u->counted + export_is_counted(x->s, t, i));
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!x->units[i].needed) continue;
        for (uint32_t up = fold_unit(fold, i)->parent; up != NO_UNIT; up = fold_unit(fold, up)->parent) {
            x->units[up].stations++;
            x->units[up].reported += x->units[i].needed == x->units[i].counted;
        }
    }
    return OK;
}

static void count_status(struct err_out *x, uint64_t counted, uint64_t of) {
    cdf_list(&x->c, "CountStatus");
    cdf_item(&x->c, "CountStatus", "CountStatus", NULL, false);
    cdf_str(&x->c, "Status", counted == 0 ? "not-processed" : counted < of ? "in-process" : "completed");
    cdf_str(&x->c, "Type", "total");
    cdf_item_end(&x->c, "CountStatus");
    cdf_list_end(&x->c);
}

static uint64_t held(const struct tally_row *row) {
    return row->expected - row->not_held;
}

static err ballot_counts(struct err_out *x, const struct tally *t, struct fail *f) {
    struct cdf *c = &x->c;
    cdf_list(c, "BallotCounts");
    for (size_t i = 0; i < t->n; i++) {
        const struct total *sum = x->totals[i];
        char id[CDF_ID_MAX];
        if (sum->stations == 0) continue;
        unit_id(x, t->rows[i].unit, id);
        cdf_item(c, "BallotCounts", "BallotCounts", NULL, false);
        cdf_str(c, "GpUnitId", id);
        cdf_str(c, "Type", "total");
        if (!sum->valid_blank && !sum->rejected_blank) cdf_u64(c, "BallotsCast", sum->valid + sum->rejected);
        if (sum->rejected_blank < sum->stations) cdf_u64(c, "BallotsRejected", sum->rejected);
        cdf_item_end(c, "BallotCounts");
        TRY(export_out_spill(x->o, f));
    }
    cdf_list_end(c);
    return OK;
}

/* Only what a declaration says; NULL before there is one. */
static const char *post_status(const struct err_out *x, const struct tally *t, uint32_t choice) {
    const struct declaration *d = export_declaration(x->s, t);
    if (!d) return NULL;
    bool named = outcome_has(&d->outcome, choice);
    switch (d->outcome.kind) {
    case OUTCOME_ELECTED:
    case OUTCOME_UNOPPOSED: return named ? "winner" : "defeated";
    case OUTCOME_NEXT_ROUND: return named ? "advanced-to-runoff" : "defeated";
    default: return NULL;
    }
}

static void candidates(struct err_out *x, const struct tally *t) {
    const struct fold *fold = x->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    struct cdf *c = &x->c;
    char id[CDF_ID_MAX];
    cdf_list(c, "Candidate");
    for (uint32_t n = 0; n < k->choice_count; n++) {
        const struct choice *ch = contest_choice(fold, k, n);
        if (!contest_has_choice(k, t->round, n)) continue;
        cdf_make_id(id, "candidate-", k->id, ch->id, t->round);
        cdf_item(c, "Candidate", "Candidate", id, false);
        cdf_words(c, "BallotName", ch->name);
        cdf_list(c, "ExternalIdentifier");
        cdf_external(c, "choice", ch->id);
        cdf_list_end(c);
        if (ch->party.n) {
            party_id(x, ch, id);
            cdf_str(c, "PartyId", id);
        }
        if (post_status(x, t, n)) cdf_str(c, "PostElectionStatus", post_status(x, t, n));
        if (ch->state == CHOICE_WITHDRAWN) cdf_str(c, "PreElectionStatus", "withdrawn");
        cdf_item_end(c, "Candidate");
    }
    cdf_list_end(c);
}

static err selection(struct err_out *x, const struct tally *t, uint32_t n, struct fail *f) {
    const struct fold *fold = x->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    const struct choice *ch = contest_choice(fold, k, n);
    struct cdf *c = &x->c;
    char id[CDF_ID_MAX];
    cdf_make_id(id, "selection-", k->id, ch->id, t->round);
    cdf_item(c, "ContestSelection", "CandidateSelection", id, true);
    cdf_u64(c, "SequenceOrder", n + 1);
    cdf_list(c, "VoteCounts");
    for (size_t i = 0; i < t->n; i++) {
        const struct total *sum = x->totals[i];
        if (sum->stations == 0) continue;
        unit_id(x, t->rows[i].unit, id);
        cdf_item(c, "VoteCounts", "VoteCounts", NULL, false);
        cdf_str(c, "GpUnitId", id);
        cdf_str(c, "Type", "total");
        cdf_u64(c, "Count", sum->votes[n]);
        cdf_item_end(c, "VoteCounts");
        TRY(export_out_spill(x->o, f));
    }
    cdf_list_end(c);
    cdf_make_id(id, "candidate-", k->id, ch->id, t->round);
    cdf_ids(c, "CandidateIds");
    cdf_id(c, id);
    cdf_ids_end(c, "CandidateIds");
    cdf_item_end(c, "ContestSelection");
    return OK;
}

static err contest(struct err_out *x, const struct tally *t, struct fail *f) {
    const struct contest *k = fold_contest(x->s->fold, t->contest);
    const struct tally_row *top = &t->rows[0];
    struct cdf *c = &x->c;
    char id[CDF_ID_MAX];
    cdf_list(c, "Contest");
    cdf_make_id(id, "contest-", k->id, (struct span){0}, t->round);
    cdf_item(c, "Contest", "CandidateContest", id, true);
    cdf_list(c, "ContestSelection");
    for (uint32_t n = 0; n < k->choice_count; n++)
        if (contest_has_choice(k, t->round, n)) TRY(selection(x, t, n, f));
    cdf_list_end(c);
    count_status(x, x->totals[0]->stations, held(top));
    unit_id(x, k->unit, id);
    cdf_str(c, "ElectionDistrictId", id);
    cdf_list(c, "ExternalIdentifier");
    cdf_external(c, "contest", k->id);
    cdf_list_end(c);
    cdf_text(c, "Name", k->name);
    cdf_u64(c, "SubUnitsReported", x->totals[0]->stations);
    cdf_u64(c, "TotalSubUnits", held(top));
    cdf_u64(c, "VotesAllowed", 1);
    cdf_item_end(c, "Contest");
    cdf_list_end(c);
    return OK;
}

static void date(struct err_out *x, const char *name, uint64_t ms) {
    char text[21];
    clock_format_utc(ms, text);
    cdf_text(&x->c, name, span_of(text, 10));
}

static err election(struct err_out *x, const struct tally *t, struct fail *f) {
    const struct definition *d = fold_definition(x->s->fold);
    const struct contest *k = fold_contest(x->s->fold, t->contest);
    struct cdf *c = &x->c;
    struct buf name;
    char id[CDF_ID_MAX];
    cdf_item(c, "Election", "Election", NULL, false);
    struct arena a;
    arena_init(&a, (size_t)1 << 30);
    err e = export_totals(x->s, t, &a, &x->totals, f);
    if (e == OK) e = ballot_counts(x, t, f);
    if (e == OK) candidates(x, t);
    if (e == OK) e = contest(x, t, f);
    arena_release(&a);
    TRY(e);
    unit_id(x, k->unit, id);
    cdf_str(c, "ElectionScopeId", id);
    buf_init(&name, 4096);
    buf_span(&name, d->title);
    buf_str(&name, ": ");
    buf_span(&name, k->name);
    if (t->round > 1) buf_printf(&name, ", round %u", t->round);
    cdf_words(c, "Name", buf_view(&name));
    e = buf_ok(&name, f);
    buf_release(&name);
    date(x, "StartDate", d->opens_ms);
    date(x, "EndDate", d->closes_ms);
    cdf_str(c, "Type", t->round > 1 ? "runoff" : "general");
    cdf_item_end(c, "Election");
    return e;
}

/* The schema's word for a level; NULL: "other" with the level's own name. */
static const char *unit_type(const struct definition *d, const struct unit *u) {
    static const char *const words[] = {"borough", "city", "congressional", "county", "judicial",
                                        "municipality", "polling-place", "precinct", "school", "state",
                                        "state-house", "state-senate", "town", "township", "village",
                                        "vote-center", "ward"};
    struct span level = d->levels[u->level];
    if (u->level == 0) return "country";
    if (u->level + 1u == d->level_count) return "precinct";
    if (span_is(level, "centre") || span_is(level, "center")) return "polling-place";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (span_is(level, words[i])) return words[i];
    return NULL;
}

static void composing(struct err_out *x, const struct unit *u) {
    char id[CDF_ID_MAX];
    bool any = false;
    for (uint32_t i = u->first_child; i != NO_UNIT; i = fold_unit(x->s->fold, i)->next_sibling) {
        if (!x->units[i].used) continue;
        if (!any) cdf_ids(&x->c, "ComposingGpUnitIds");
        any = true;
        unit_id(x, i, id);
        cdf_id(&x->c, id);
    }
    if (any) cdf_ids_end(&x->c, "ComposingGpUnitIds");
}

static void gp_unit(struct err_out *x, uint32_t i) {
    const struct definition *d = fold_definition(x->s->fold);
    const struct unit *u = fold_unit(x->s->fold, i);
    const struct coverage *v = &x->units[i];
    struct cdf *c = &x->c;
    char id[CDF_ID_MAX];
    bool station = unit_is_station(x->s->fold, i);
    const char *type = unit_type(d, u);
    unit_id(x, i, id);
    cdf_item(c, "GpUnit", "ReportingUnit", id, true);
    composing(x, u);
    cdf_list(c, "ExternalIdentifier");
    cdf_external(c, "unit", u->code);
    cdf_list_end(c);
    if (u->name.n) cdf_words(c, "Name", u->name);
    count_status(x, station ? v->counted : v->reported, station ? v->needed : v->stations);
    cdf_text(c, "Number", u->code);
    if (!station) {
        cdf_u64(c, "SubUnitsReported", v->reported);
        cdf_u64(c, "TotalSubUnits", v->stations);
    }
    cdf_str(c, "Type", type ? type : "other");
    if (!type) cdf_text(c, "OtherType", d->levels[u->level]);
    cdf_u64(c, "VotersRegistered", u->registered);
    cdf_item_end(c, "GpUnit");
}

static void parties(struct err_out *x) {
    struct cdf *c = &x->c;
    cdf_list(c, "Party");
    for (size_t i = 0; i < x->party_count; i++) {
        char id[CDF_ID_MAX];
        party_id(x, x->parties[i], id);
        cdf_item(c, "Party", "Party", id, false);
        cdf_words(c, "Name", x->parties[i]->party);
        cdf_item_end(c, "Party");
    }
    cdf_list_end(c);
}

static const char *status(const struct export_source *s) {
    if (fold_result_count(s->fold) == 0) return "pre-election";
    if (export_status(s) == EXPORT_DECLARED) return "certified";
    return export_complete(s) ? "unofficial-complete" : "unofficial-partial";
}

static void head(struct err_out *x, const struct export_checkpoint *at) {
    char size[24];
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)at->size);
    cdf_list(&x->c, "ExternalIdentifier");
    cdf_external(&x->c, "election", span_text(at->election));
    cdf_external(&x->c, "checkpoint-size", span_text(size));
    cdf_external(&x->c, "checkpoint-root", span_text(at->root));
    cdf_list_end(&x->c);
    cdf_str(&x->c, "Format", "precinct-level");
    cdf_str(&x->c, "GeneratedDate", at->time);
}

static err tail(struct err_out *x, struct fail *f) {
    const struct definition *d = fold_definition(x->s->fold);
    struct buf notes;
    buf_init(&notes, 1 << 16);
    export_sentence(x->s, &notes);
    cdf_text(&x->c, "Issuer", d->origin);
    cdf_text(&x->c, "IssuerAbbreviation", d->origin);
    if (d->simulated) cdf_true(&x->c, "IsTest");
    cdf_text(&x->c, "Notes", buf_view(&notes));
    err e = buf_ok(&notes, f);
    buf_release(&notes);
    parties(x);
    cdf_u64(&x->c, "SequenceStart", 1);
    cdf_u64(&x->c, "SequenceEnd", 1);
    cdf_str(&x->c, "Status", status(x->s));
    if (d->simulated) cdf_str(&x->c, "TestType", "SIMULATED");
    cdf_str(&x->c, "VendorApplicationId", "hesabu " HESABU_VERSION);
    return e;
}

static err report(struct err_out *x, struct fail *f) {
    const struct fold *fold = x->s->fold;
    struct export_checkpoint at;
    TRY(collect_parties(x, f));
    TRY(cover(x, f));
    export_checkpoint(x->s, &at);
    cdf_list(&x->c, "Election");
    for (size_t i = 0; i < x->s->results->n; i++)
        if (export_wants(x->s, &x->s->results->tallies[i]))
            TRY(election(x, &x->s->results->tallies[i], f));
    cdf_list_end(&x->c);
    head(x, &at);
    cdf_list(&x->c, "GpUnit");
    for (uint32_t i = 0; i < fold_unit_count(fold); i++) {
        if (!x->units[i].used) continue;
        gp_unit(x, i);
        TRY(export_out_spill(x->o, f));
    }
    cdf_list_end(&x->c);
    return tail(x, f);
}

err export_err(const struct export_source *s, bool xml, struct export_out *o, struct fail *f) {
    struct err_out x = {.s = s, .o = o};
    x.c = cdf_begin(xml, "ElectionReport", SPACE, &o->b);
    err e = report(&x, f);
    cdf_end(&x.c, "ElectionReport");
    free(x.units);
    free(x.parties);
    return e;
}
