/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* EML 510 (OASIS Election Markup Language 5.0, "Count"): for each contest its total and the votes of
 * each counted station. spec/exports.md says what stands where, spec/schemas/eml510.xsd the shape. */
#include <stdio.h>
#include "base/xml_out.h"
#include "service/export_walk.h"

struct eml_out {
    const struct export_source *s;
    struct export_out *o;
    struct xml_out x;
};

/* An Id is an NMTOKEN: '/' of contests and choices becomes ':', which they cannot hold. */
static void id_attr(struct eml_out *e, struct span a, unsigned round) {
    char id[200];
    size_t n = 0;
    for (size_t i = 0; i < a.n && n + 20 < sizeof id; i++) id[n++] = (char)(a.p[i] == '/' ? ':' : a.p[i]);
    if (round > 1) n += (size_t)snprintf(id + n, sizeof id - n, ":R%u", round);
    xml_attr(&e->x, "Id", span_of(id, n));
}

static void named(struct eml_out *e, const char *outer, struct span id, unsigned round,
                  const char *inner, struct span name) {
    xml_begin(&e->x, outer);
    id_attr(e, id, round);
    if (name.n) xml_element(&e->x, inner, name);
    xml_end(&e->x, outer);
}

static void votes(struct eml_out *e, const struct tally *t, const struct total *sum, bool names) {
    const struct fold *fold = e->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    uint64_t counted = 0; /* cannot overflow: figures are below 2^30 */
    for (uint32_t n = 0; n < k->choice_count; n++) {
        const struct choice *ch = contest_choice(fold, k, n);
        if (!contest_has_choice(k, t->round, n)) continue;
        xml_begin(&e->x, "Selection");
        xml_begin(&e->x, "Candidate");
        named(e, "CandidateIdentifier", ch->id, 0, "CandidateName", names ? ch->name : (struct span){0});
        xml_end(&e->x, "Candidate");
        xml_element_u64(&e->x, "ValidVotes", sum->votes[n]);
        xml_end(&e->x, "Selection");
        counted += sum->votes[n];
    }
    xml_element_u64(&e->x, "Cast", counted + sum->rejected);
    xml_element_u64(&e->x, "TotalCounted", counted);
    if (sum->rejected_blank && sum->rejected_blank >= sum->stations) return;
    xml_begin(&e->x, "RejectedVotes");
    xml_attr(&e->x, "ReasonCode", SPAN_LIT("rejected"));
    xml_u64(&e->x, sum->rejected);
    xml_end(&e->x, "RejectedVotes");
}

static err contest(struct eml_out *e, const struct tally *t, const struct total *const *totals,
                   struct fail *f) {
    const struct fold *fold = e->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    xml_begin(&e->x, "Contest");
    named(e, "ContestIdentifier", k->id, t->round, "ContestName", k->name);
    xml_begin(&e->x, "TotalVotes");
    votes(e, t, totals[0], true);
    xml_end(&e->x, "TotalVotes");
    for (size_t i = 0; i < t->n; i++) {
        const struct tally_row *row = &t->rows[i];
        if (!export_is_station(e->s, t, i) || !totals[i]->stations) continue;
        xml_begin(&e->x, "ReportingUnitVotes");
        xml_begin(&e->x, "ReportingUnitIdentifier");
        id_attr(e, fold_unit(fold, row->unit)->code, 0);
        xml_text(&e->x, fold_unit(fold, row->unit)->name);
        xml_end(&e->x, "ReportingUnitIdentifier");
        votes(e, t, totals[i], false);
        xml_end(&e->x, "ReportingUnitVotes");
        TRY(export_out_spill(e->o, f));
    }
    xml_end(&e->x, "Contest");
    return OK;
}

static void head(struct eml_out *e) {
    const struct definition *d = fold_definition(e->s->fold);
    struct export_checkpoint at;
    char transaction[100];
    struct buf sentence;
    export_checkpoint(e->s, &at);
    buf_init(&sentence, 1 << 16);
    export_sentence(e->s, &sentence);
    xml_comment(&e->x, buf_view(&sentence));
    if (sentence.failed) e->o->b.failed = true;
    buf_release(&sentence);
    (void)snprintf(transaction, sizeof transaction, "%llu %s", (unsigned long long)at.size, at.root);
    xml_begin(&e->x, "EML");
    xml_attr(&e->x, "xmlns", SPAN_LIT("urn:oasis:names:tc:evs:schema:eml"));
    xml_attr(&e->x, "Id", SPAN_LIT("510"));
    xml_attr(&e->x, "SchemaVersion", SPAN_LIT("5.0"));
    xml_element_str(&e->x, "TransactionId", transaction);
    xml_begin(&e->x, "ManagingAuthority");
    xml_begin(&e->x, "AuthorityIdentifier");
    xml_text(&e->x, d->origin);
    xml_end(&e->x, "AuthorityIdentifier");
    xml_begin(&e->x, "AuthorityAddress");
    xml_end(&e->x, "AuthorityAddress");
    xml_end(&e->x, "ManagingAuthority");
    xml_element_str(&e->x, "IssueDate", at.time);
    xml_begin(&e->x, "Count");
    named(e, "EventIdentifier", span_text(at.election), 0, "EventName", d->title);
    xml_begin(&e->x, "Election");
    named(e, "ElectionIdentifier", span_text(at.election), 0, "ElectionName", d->title);
    xml_begin(&e->x, "Contests");
}

err export_eml(const struct export_source *s, struct export_out *o, struct fail *f) {
    struct eml_out e = {.s = s, .o = o, .x = xml_out(&o->b, true)};
    head(&e);
    for (size_t i = 0; i < s->results->n; i++) {
        const struct tally *t = &s->results->tallies[i];
        const struct total **totals;
        struct arena a;
        if (!export_wants(s, t)) continue;
        arena_init(&a, (size_t)1 << 30);
        err code = export_totals(s, t, &a, &totals, f);
        if (code == OK) code = contest(&e, t, totals, f);
        arena_release(&a);
        TRY(code);
    }
    xml_end(&e.x, "Contests");
    xml_end(&e.x, "Election");
    xml_end(&e.x, "Count");
    xml_end(&e.x, "EML");
    return OK;
}
