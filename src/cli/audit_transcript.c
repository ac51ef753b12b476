/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit transcript, check: the audit as one text file, and that file done again. */
#include <inttypes.h>
#include <stdio.h>
#include "base/file.h"
#include "base/json_out.h"
#include "cli/audit_common.h"
#include "stats/audit/transcript.h"

enum { TRANSCRIPT_BYTES_MAX = 1 << 28 };

static MUST_USE err limit_ppm(const char *text, uint32_t *out, struct fail *f) {
    double limit;
    TRY(audit_limit_parse(text, &limit, f));
    *out = (uint32_t)(limit * 1e6 + 0.5);
    return *out > 0 ? OK : fail_set(f, E_USAGE, "--risk-limit is at least 0.000001 here");
}

/* Rows of the sample as hand counts, each batch by itself. */
static MUST_USE err hand_counts(struct audit_case *c, const struct audit_rows *rows,
                                struct audit_hand *h, uint64_t *draws, struct fail *f) {
    const struct audit_contest *k = &c->batches.contest;
    uint8_t *state = arena_alloc(&c->arena, k->batches);
    uint64_t *votes = arena_array(&c->arena, k->batches, k->choices * sizeof *votes);
    if (!state || !votes) return fail_set(f, E_MEMORY, "no memory for hand counts");
    for (size_t i = 0; i < rows->n; i++) {
        const struct audit_row *r = &rows->row[i];
        if (r->tickets == 0) continue; /* counted without being drawn: outside the audit */
        if (r->tickets > 1)
            return fail_set(f, E_AUDIT_DRAW,
                            "line %" PRIu64
                            " of the sample was drawn twice: a transcript is of draws "
                            "without replacement",
                            r->line);
        state[r->batch] = r->state;
        memcpy(votes + r->batch * k->choices, r->votes, k->choices * sizeof *votes);
    }
    *h = (struct audit_hand){.state = state, .votes = votes};
    *draws = rows->tickets;
    return OK;
}

/* Every row with a ticket is among the draws of the seed, else it was not drawn by it. */
static MUST_USE err check_drawn(struct audit_case *c, const struct audit_rows *rows,
                                const char *seed, struct fail *f) {
    uint32_t *draws;
    size_t n;
    TRY(audit_case_draw(c, SAMPLER_INTEGER, span_text(seed), false, (size_t)rows->tickets, &draws,
                        &n, f));
    uint8_t *drawn = arena_alloc(&c->arena, c->batches.contest.batches);
    if (!drawn) return fail_set(f, E_MEMORY, "no memory for %zu draws", n);
    for (size_t i = 0; i < n; i++) drawn[draws[i]] = 1;
    for (size_t i = 0; i < rows->n; i++) {
        uint32_t g = rows->row[i].batch;
        if (rows->row[i].tickets && !drawn[g])
            return fail_set(f, E_AUDIT_DRAW,
                            "line %" PRIu64
                            " of the sample: %s / %.*s is not among the first %zu draws "
                            "of this seed; a batch opened for another reason has no ticket number",
                            rows->row[i].line, audit_batch_jurisdiction(&c->batches, g),
                            SPAN_ARG(c->batches.name[g]), n);
    }
    return OK;
}

struct asked {
    const char *batches, *sample, *seed, *limit;
    struct audit_rule_options rule;
};

static MUST_USE err write_transcript(const struct asked *a, struct audit_case *c, struct buf *out,
                                     struct transcript_result *result, struct fail *f) {
    struct transcript t = {0};
    struct audit_rows rows;
    TRY(limit_ppm(a->limit, &t.limit_ppm, f));
    if (!a->seed) return fail_set(f, E_USAGE, "--seed is needed: the dice as they fell");
    TRY(audit_seed_check(span_text(a->seed), f));
    TRY(audit_case_open(a->batches, 0, &a->rule, c, f));
    if (!a->sample) return fail_set(f, E_USAGE, "--sample FILE is needed: what hands counted");
    TRY(audit_rows_read(a->sample, NULL, &c->batches, &rows, f));
    TRY(check_drawn(c, &rows, a->seed, f));
    t.c = c->batches.contest;
    t.a = c->assertion;
    t.assertions = c->assertions;
    t.manifest = *c->batches.digest;
    t.seed = span_text(a->seed);
    TRY(hand_counts(c, &rows, &t.h, &t.draws, f));
    return transcript_write(&t, &c->arena, out, result, f);
}

int audit_cmd_transcript(int argc, char **argv) {
    struct asked a = {.limit = "0.05", .rule = {.winners = 1}};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &a.batches, "B.csv", "the committed batches"},
        {"--sample", OPT_TEXT, &a.sample, "S.csv",
         "the hand counts; a row with a ticket was drawn"},
        {"--seed", OPT_TEXT, &a.seed, "DIGITS", "public dice: at least 20 decimal digits"},
        {"--risk-limit", OPT_TEXT, &a.limit, "0.05", "the risk limit"},
        AUDIT_RULE_OPTIONS(a.rule),
    };
    const struct usage u = {
        "audit transcript --batches B.csv --sample S.csv --seed DIGITS [--risk-limit 0.05]",
        "Prints the audit as one text file of integers (integer-ppeb without replacement, the\n"
        "mixture), which 'hesabu audit check' and tools/audit-check.awk do again.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct audit_case c = {0};
    struct buf out;
    buf_init(&out, TRANSCRIPT_BYTES_MAX);
    static struct transcript_result result;
    err e = write_transcript(&a, &c, &out, &result, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit transcript", &f);
    buf_release(&out);
    audit_case_release(&c);
    return code;
}

static void print_check(struct buf *b, const struct transcript *t,
                        const struct transcript_result *r, bool as_json) {
    double worst = audit_joint_p(t->a, r->p, t->assertions);
    if (!as_json) {
        buf_printf(b,
                   "the transcript holds: %" PRIu64 " draws, %" PRIu64 " batches counted, %" PRIu64
                   " passed over, p = %.9f, %s at %g\n",
                   r->draws, r->counted, r->passed_over, worst,
                   r->confirmed ? "confirmed"
                   : r->waiting ? "waiting for a count"
                                : "not confirmed",
                   t->limit_ppm / 1e6);
        return;
    }
    struct json_out j = json_out(b);
    json_object(&j);
    json_kstr(&j, "verdict", "holds");
    json_kbool(&j, "confirmed", r->confirmed);
    json_kbool(&j, "waiting", r->waiting);
    json_kdouble(&j, "p_value", worst);
    json_kdouble(&j, "risk_limit", t->limit_ppm / 1e6);
    json_ku64(&j, "draws", r->draws);
    json_ku64(&j, "batches_counted", r->counted);
    json_ku64(&j, "passed_over", r->passed_over);
    json_ku64(&j, "ballots", r->ballots);
    json_khex(&j, "manifest", hash_span(&t->manifest));
    json_key(&j, "p_values");
    json_array(&j);
    for (size_t i = 0; i < t->assertions; i++) json_double(&j, r->p[i]);
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
}

int audit_cmd_check(int argc, char **argv) {
    bool as_json = false;
    const struct opt options[] = {{"--json", OPT_FLAG, &as_json, NULL, "print JSON"}};
    const struct usage u = {
        "audit check TRANSCRIPT [--json]",
        "Does an audit again from its transcript: every draw from the seed, every\n"
        "weight, every assorter value, every p. Exit code 1 where a line does not hold.",
        options,
        1,
        1,
        1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct arena arena;
    struct buf text, out;
    struct transcript t;
    static struct transcript_result result;
    arena_init(&arena, (size_t)2 << 30);
    buf_init(&text, TRANSCRIPT_BYTES_MAX);
    buf_init(&out, 1 << 24);
    err e = file_read(argv[0], TRANSCRIPT_BYTES_MAX, &text, &f);
    if (e == OK) e = transcript_check(buf_view(&text), &arena, &t, &result, &f);
    if (e == OK) print_check(&out, &t, &result, as_json);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit check", &f);
    buf_release(&out);
    buf_release(&text);
    arena_release(&arena);
    return code;
}
