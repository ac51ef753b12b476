/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit court: what voiding stations would do to the outcome. */
#include <inttypes.h>
#include <stdio.h>
#include "base/csv.h"
#include "base/json_out.h"
#include "cli/audit_common.h"
#include "stats/audit/court.h"

struct court {
    const char *batches, *voided;
    bool as_json, list;
    struct audit_rule_options options;
    struct audit_case c;
    uint64_t *bound, *votes; /* with the voided batches emptied */
    uint64_t voided_count, voided_ballots;
    struct audit_contest left;
    bool holds; /* the outcome still holds without the voided batches */
    struct court_flip fails, *elects;
    uint32_t *targets;
};

static MUST_USE err read_voided(struct court *k, struct fail *f) {
    struct csv *csv;
    size_t j, b;
    TRY(csv_open(k->voided, &csv, f));
    err e = csv_column(csv, "jurisdiction", &j, f);
    if (e == OK) e = csv_column(csv, "batch", &b, f);
    for (bool more = true; e == OK;) {
        e = csv_next(csv, &more, f);
        if (e != OK || !more) break;
        uint32_t g;
        if (!audit_batch_find(&k->c.batches, csv_field(csv, j), csv_field(csv, b), &g))
            e = fail_set(f, E_AUDIT_BATCHES, "%s, line %" PRIu64 ": there is no batch %.*s / %.*s",
                         k->voided, csv_line(csv), SPAN_ARG(csv_field(csv, j)),
                         SPAN_ARG(csv_field(csv, b)));
        else if (k->bound[g] == 0 && k->left.bound != NULL && k->c.batches.contest.bound[g] != 0)
            e = fail_set(f, E_AUDIT_BATCHES, "%s, line %" PRIu64 ": %.*s is listed twice",
                         k->voided, csv_line(csv), SPAN_ARG(csv_field(csv, b)));
        else {
            k->voided_count++;
            k->voided_ballots += k->bound[g];
            k->bound[g] = 0;
            memset(k->votes + g * k->left.choices, 0, k->left.choices * sizeof *k->votes);
        }
    }
    csv_close(csv);
    return e;
}

static MUST_USE err compute(struct court *k, struct fail *f) {
    TRY(audit_case_open(k->batches, 0, &k->options, &k->c, f));
    const struct audit_contest *c = &k->c.batches.contest;
    k->left = *c;
    k->bound = arena_array(&k->c.arena, c->batches, sizeof *k->bound);
    k->votes = arena_array(&k->c.arena, c->batches, c->choices * sizeof *k->votes);
    k->elects = arena_array(&k->c.arena, c->choices, sizeof *k->elects);
    k->targets = arena_array(&k->c.arena, c->batches, sizeof *k->targets);
    if (!k->bound || !k->votes || !k->elects || !k->targets)
        return fail_set(f, E_MEMORY, "no memory");
    memcpy(k->bound, c->bound, c->batches * sizeof *k->bound);
    memcpy(k->votes, c->votes, c->batches * c->choices * sizeof *k->votes);
    k->left.bound = k->bound;
    k->left.votes = k->votes;
    if (k->voided) TRY(read_voided(k, f));
    k->holds = true;
    for (size_t j = 0; j < k->c.assertions && !k->c.rule.regions; j++)
        k->holds &= assertion_surplus(&k->c.assertion[j], &k->left) > 0;
    if (k->c.rule.regions) { /* any enough regions will do, not the ones chosen for the audit */
        struct assertion *a = arena_array(&k->c.arena, ASSERTIONS_MAX, sizeof *a);
        uint32_t *w = arena_array(&k->c.arena, c->choices, sizeof *w);
        size_t n;
        if (!a || !w) return fail_set(f, E_MEMORY, "no memory");
        err e = audit_assertions(&k->left, &k->c.rule, &k->c.arena, a, ASSERTIONS_MAX, &n, w, f);
        if (e != OK && e != E_AUDIT_OUTCOME) return e;
        k->holds = e == OK && w[0] == k->c.winners[0];
    }
    if (!k->holds) return OK;
    TRY(court_outcome_fails(&k->left, &k->c.rule, &k->c.arena, k->targets, c->batches, &k->fails, f));
    if (k->c.rule.winners != 1) return OK;
    for (uint32_t x = 0; x < c->choices; x++)
        if (x != k->c.winners[0])
            TRY(court_elects(&k->left, &k->c.rule, x, &k->c.arena, NULL, 0, &k->elects[x], f));
    return OK;
}

static void json_flip(struct json_out *j, const struct court_flip *x) {
    json_object(j);
    json_kbool(j, "possible", x->possible);
    if (x->possible) {
        json_ku64(j, "at_least", x->least);
        json_ku64(j, "at_most", x->most);
        json_kbool(j, "exact", x->least == x->most);
    }
    json_object_end(j);
}

static void print_json(struct buf *b, const struct court *k) {
    struct json_out j = json_out(b);
    json_object(&j);
    json_ku64(&j, "voided_stations", k->voided_count);
    json_ku64(&j, "voided_ballots", k->voided_ballots);
    json_key(&j, "margins");
    json_array(&j);
    for (size_t i = 0; i < k->c.assertions; i++) {
        char name[1024];
        audit_case_name(&k->c, i, name, sizeof name);
        json_object(&j);
        json_kstr(&j, "name", name);
        json_key(&j, "reported");
        json_i64(&j, assertion_margin(&k->c.assertion[i], &k->c.batches.contest));
        json_key(&j, "without_voided");
        json_i64(&j, assertion_margin(&k->c.assertion[i], &k->left));
        json_object_end(&j);
    }
    json_array_end(&j);
    json_kbool(&j, "outcome_unchanged", k->holds);
    if (k->holds) {
        json_key(&j, "further_voiding_that_changes_it");
        json_flip(&j, &k->fails);
        json_ku64(&j, "ballots_in_those", k->fails.ballots);
    }
    if (k->holds && k->c.rule.winners == 1) {
        json_key(&j, "further_voiding_that_puts_first");
        json_array(&j);
        for (uint32_t x = 0; x < k->left.choices; x++) {
            if (x == k->c.winners[0]) continue;
            json_object(&j);
            json_kstr(&j, "choice", k->c.batches.choice[x]);
            json_key(&j, "stations");
            json_flip(&j, &k->elects[x]);
            json_object_end(&j);
        }
        json_array_end(&j);
    }
    if (k->list && k->holds && k->fails.possible) {
        json_key(&j, "court_only_list");
        json_array(&j);
        for (uint64_t i = 0; i < k->fails.least; i++) {
            char id[1024];
            size_t n = audit_batch_id(&k->c.batches, k->targets[i], id, sizeof id);
            json_span(&j, span_of(id, n));
        }
        json_array_end(&j);
    }
    json_object_end(&j);
    buf_byte(b, '\n');
}

static void print_text(struct buf *b, const struct court *k) {
    buf_printf(b,
               "%" PRIu64 " stations voided (%" PRIu64 " ballots); the outcome as reported is %s\n",
               k->voided_count, k->voided_ballots, k->holds ? "unchanged" : "CHANGED");
    for (size_t i = 0; i < k->c.assertions; i++) {
        char name[1024];
        audit_case_name(&k->c, i, name, sizeof name);
        buf_printf(b, "  %s: margin %" PRId64 " as reported, %" PRId64 " without them\n", name,
                   assertion_margin(&k->c.assertion[i], &k->c.batches.contest),
                   assertion_margin(&k->c.assertion[i], &k->left));
    }
    if (k->holds && k->fails.possible)
        buf_printf(b,
                   "the fewest %sstations whose voiding would change it: %" PRIu64 " (%" PRIu64
                   " ballots)\n",
                   k->voided_count ? "further " : "", k->fails.least, k->fails.ballots);
    for (uint64_t i = 0; k->list && k->holds && k->fails.possible && i < k->fails.least; i++) {
        char id[1024];
        size_t n = audit_batch_id(&k->c.batches, k->targets[i], id, sizeof id);
        buf_printf(b, "    %.*s\n", (int)n, id);
    }
    buf_str(b, "The risk of an audit stays valid for a reduced set of stations only if that set "
               "was fixed\n"
               "before the hand counts.\n");
}

int audit_cmd_court(int argc, char **argv) {
    struct court k = {.options = {.winners = 1}};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &k.batches, "B.csv", "the batches as reported"},
        {"--void", OPT_TEXT, &k.voided, "V.csv",
         "columns jurisdiction, batch: stations to leave out"},
        AUDIT_RULE_OPTIONS(k.options),
        {"--list", OPT_FLAG, &k.list, NULL, "name the stations: for the court's bundle only"},
        {"--json", OPT_FLAG, &k.as_json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit court --batches B.csv [--void V.csv] [--majority] [--list] [--json]",
        "Computes the outcome without contested stations, and the fewest stations whose\n"
        "voiding would change it. A list of those is a list of targets and is not published.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf out;
    buf_init(&out, 1 << 26);
    err e = compute(&k, &f);
    if (e == OK && k.as_json)
        print_json(&out, &k);
    else if (e == OK)
        print_text(&out, &k);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit court", &f);
    buf_release(&out);
    audit_case_release(&k.c);
    return code;
}
