/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit report: a page for people, made from a transcript after doing it again. */
#include <inttypes.h>
#include <stdio.h>
#include "base/file.h"
#include "cli/audit_common.h"
#include "cli/audit_on.h"
#include "cli/audit_report_pdf.h"
#include "cli/audit_svg.h"
#include "stats/audit/bound.h"
#include "stats/audit/transcript.h"

enum { TRANSCRIPT_BYTES_MAX = 1 << 28, LINES_MAX = 60 };

void audit_report_claim(const struct audit_report *r, size_t j, char *out, size_t max) {
    const struct assertion *a = &r->t.a[j];
    const char *region = a->region == AUDIT_EVERYWHERE ? NULL : r->names.jurisdiction[a->region];
    assertion_name(a, r->names.choice, region, out, max);
}

/* A name short enough for a legend: "Ann >= 1/4, Nyeri". */
static void short_name(const struct audit_report *r, size_t j, char *out, size_t max) {
    static const char *const signs[] = {[ASSERT_ABOVE] = ">",
                                        [ASSERT_AT_LEAST] = ">=",
                                        [ASSERT_BELOW] = "<",
                                        [ASSERT_AT_MOST] = "<="};
    const struct assertion *a = &r->t.a[j];
    const char *w = r->names.choice[a->winner];
    int n = a->kind == ASSERT_BEATS
                ? snprintf(out, max, "%.40s > %.40s", w, r->names.choice[a->loser])
                : snprintf(out, max, "%.40s %s %u/%u", w, signs[a->kind], a->p, a->q);
    if (a->region != AUDIT_EVERYWHERE && n > 0 && (size_t)n < max)
        snprintf(out + n, max - (size_t)n, ", %s", r->names.jurisdiction[a->region]);
}

static void text(struct buf *b, const char *s) {
    html_text(b, span_text(s));
}

static MUST_USE err load(struct audit_report *r, struct span transcript, const char *batches,
                         struct fail *f) {
    TRY(transcript_check(transcript, &r->arena, &r->t, &r->result, f));
    if (!batches)
        return fail_set(f, E_USAGE, "--batches FILE is needed: the committed list, for the names");
    TRY(audit_batches_read(batches, 0, &r->arena, &r->names, f));
    if (!hash_eq(r->names.digest, &r->t.manifest))
        return fail_set(
            f, E_AUDIT_TRANSCRIPT,
            "%s is not the list that was committed before the seed: its hash differs from "
            "the transcript's",
            batches);
    if (r->names.contest.batches != r->t.c.batches || r->names.contest.choices != r->t.c.choices ||
        r->names.contest.regions != r->t.c.regions ||
        memcmp(r->names.contest.votes, r->t.c.votes,
               r->t.c.batches * r->t.c.choices * sizeof(uint64_t)) != 0 ||
        memcmp(r->names.contest.bound, r->t.c.bound, r->t.c.batches * sizeof(uint64_t)) != 0)
        return fail_set(f, E_AUDIT_TRANSCRIPT, "the transcript's figures are not those of %s",
                        batches);
    hash_hex(&r->t.manifest, r->digest);
    r->worst = audit_joint_p(r->t.a, r->result.p, r->t.assertions);
    return transcript_steps(&r->t, &r->arena, &r->step, &r->steps, f);
}

/* The same from the records of a log, with the names of choices that the ballot has. */
static MUST_USE err load_log(struct audit_report *r, struct audit_on *x, struct buf *transcript,
                             struct fail *f) {
    const struct contest *k = fold_contest(x->log.fold, x->a.plan->contest);
    TRY(audit_log_run(&x->a, transcript, f));
    TRY(transcript_check(buf_view(transcript), &r->arena, &r->t, &r->result, f));
    r->names = x->a.list;
    r->names.choice = arena_array(&r->arena, r->t.c.choices, sizeof *r->names.choice);
    if (!r->names.choice) return fail_set(f, E_MEMORY, "no memory for the choices");
    for (size_t i = 0; i < r->t.c.choices; i++) {
        r->names.choice[i] = x->a.list.choice[i];
        for (uint32_t c = 0; c < k->choice_count; c++)
            if (span_is(contest_choice(x->log.fold, k, c)->id, x->a.list.choice[i]))
                r->names.choice[i] = arena_text(&r->arena, contest_choice(x->log.fold, k, c)->name);
    }
    r->names.jurisdiction = arena_array(&r->arena, r->t.c.regions, sizeof *r->names.jurisdiction);
    if (!r->names.jurisdiction) return fail_set(f, E_MEMORY, "no memory for the jurisdictions");
    for (size_t i = 0; i < r->t.c.regions; i++) {
        uint32_t u = fold_unit_by_code(x->log.fold, span_text(x->a.list.jurisdiction[i]));
        r->names.jurisdiction[i] = u == NO_UNIT ? x->a.list.jurisdiction[i]
                                                : arena_text(&r->arena, fold_unit(x->log.fold, u)->name);
    }
    r->full = x->a.full;
    r->full_holds = x->a.full_holds;
    r->simulated = fold_definition(x->log.fold)->simulated;
    hash_hex(&r->t.manifest, r->digest);
    r->worst = audit_joint_p(r->t.a, r->result.p, r->t.assertions);
    return transcript_steps(&r->t, &r->arena, &r->step, &r->steps, f);
}

/* ---- parts of the page ---- */

static void what_may_be_said(struct buf *b, const struct audit_report *r) {
    double limit = r->t.limit_ppm / 1e4;
    buf_str(b, "<h2>What may be said</h2>\n");
    if (r->full)
        buf_printf(b, "<p class=\"say\">Every box was counted by hand. The hand count %s the reported "
                      "outcome%s.</p>\n",
                   r->full_holds ? "gives" : "does not give",
                   r->full_holds ? "" : "; it replaces it");
    else if (r->result.confirmed)
        buf_printf(b,
                   "<p class=\"say\">If the reported outcome were wrong, the chance that this "
                   "audit would have "
                   "gone on to a full count was at least %g&#8239;%%, provided the boxes hold the "
                   "ballots as "
                   "cast and no station has more than its bound.</p>\n",
                   100 - limit);
    else if (r->result.waiting)
        buf_str(b, "<p class=\"say\">The audit is not finished: a station that the seed drew has "
                   "no count yet. "
                   "Nothing is confirmed.</p>\n");
    else
        buf_printf(b,
                   "<p class=\"say\">The hand counts so far do not confirm the reported outcome at "
                   "a risk limit "
                   "of %g&#8239;%%. The audit goes on, to a full count if need be. This does not "
                   "say that the "
                   "outcome is wrong.</p>\n",
                   limit);
    buf_str(b, "<h2>What may not be said</h2>\n<ul>\n"
               "<li>That the outcome is right with a probability of so much: p is the chance of "
               "such evidence if the "
               "outcome were wrong, not the chance that it is wrong.</li>\n"
               "<li>That the stations not counted are free of error.</li>\n"
               "<li>Anything about who was allowed to vote, whether boxes were opened or filled "
               "before they were "
               "counted, or any other contest.</li>\n"
               "<li>Anything from stations that somebody chose, or that were counted for another "
               "reason: they are "
               "not in these figures.</li>\n</ul>\n");
}

static void facts(struct buf *b, const struct audit_report *r) {
    buf_printf(b,
               "<h2>What was drawn</h2>\n<table>\n"
               "<tr><th>Committed list (SHA-256)</th><td class=\"mono\">%s</td></tr>\n"
               "<tr><th>Seed, from public dice</th><td class=\"mono\">",
               r->digest);
    html_text(b, r->t.seed);
    buf_printf(
        b,
        "</td></tr>\n<tr><th>Stations</th><td>%zu</td></tr>\n<tr><th>Draws</th><td>%" PRIu64
        "</td></tr>\n<tr><th>Stations counted by hand</th><td>%" PRIu64 " (at most %" PRIu64
        " ballots)</td></tr>\n<tr><th>Drawn and not needed any more</th><td>%" PRIu64
        "</td></tr>\n<tr><th>Risk limit</th><td>%g %%</td></tr>\n<tr><th>Method</th><td>mixture of "
        "twenty fixed bets, batch comparison, drawn without replacement in proportion to error "
        "bounds</td></tr>\n</table>\n",
        r->t.c.batches, r->result.draws, r->result.counted, r->result.ballots,
        r->result.passed_over, r->t.limit_ppm / 1e4);
}

static MUST_USE err plot_risk(struct buf *b, struct audit_report *r, struct fail *f) {
    size_t shown = r->t.assertions < LINES_MAX ? r->t.assertions : LINES_MAX;
    struct svg_line *line = arena_array(&r->arena, shown, sizeof *line);
    double *x = arena_array(&r->arena, r->steps + shown, sizeof *x);
    double *y = arena_array(&r->arena, r->steps + shown, sizeof *y);
    if (!line || !x || !y) return fail_set(f, E_MEMORY, "no memory for a plot");
    size_t at = 0;
    for (size_t j = 0; j < shown; j++) {
        char name[256], *kept;
        short_name(r, j, name, sizeof name);
        kept = arena_text(&r->arena, span_text(name));
        line[j] = (struct svg_line){kept ? kept : "", x + at, y + at, 1, true};
        x[at] = 0, y[at++] = 1;
        for (size_t i = 0; i < r->steps; i++) {
            if (r->step[i].assertion != j) continue;
            x[at] = (double)r->step[i].draw;
            y[at++] = r->step[i].p;
            line[j].n++;
        }
    }
    struct svg_plot plot = {.title = "Risk after each draw",
                            .x_title = "draws",
                            .y_title = "p",
                            .line = line,
                            .lines = shown,
                            .log_y = true,
                            .limit = r->t.limit_ppm / 1e6,
                            .limit_name = "risk limit"};
    buf_str(b, "<h2>Risk after each draw</h2>\n");
    svg_draw(b, &plot);
    if (shown < r->t.assertions)
        buf_printf(b, "<p>The first %zu of %zu assertions are drawn.</p>\n", shown,
                   r->t.assertions);
    return OK;
}

static MUST_USE err assertions_table(struct buf *b, struct audit_report *r, struct fail *f) {
    /* bounds need the draws as a sample: those that have a count, in order */
    uint32_t *draw = arena_array(&r->arena, r->result.draws + 1, sizeof *draw);
    uint64_t *weight = arena_array(&r->arena, r->t.c.batches, sizeof *weight), total;
    if (!draw || !weight) return fail_set(f, E_MEMORY, "no memory for a report");
    TRY(transcript_weights(&r->t, weight, &total, f));
    double limit = r->t.limit_ppm / 1e6;
    buf_printf(b,
               "<h2>Assertions</h2>\n<table>\n<tr><th>What the reported outcome "
               "claims</th><th>p</th><th></th>"
               "<th>At least (%g %% confidence, each by itself)</th></tr>\n",
               100 - 100 * limit);
    for (size_t j = 0; j < r->t.assertions; j++) {
        char name[1024];
        double bound;
        size_t n = 0; /* those that its p rests on: none behind a draw that was passed over */
        for (size_t i = 0; i < r->steps; i++)
            if (r->step[i].assertion == j) draw[n++] = r->step[i].batch;
        const struct audit_sample s = {weight, draw, n, false, true};
        audit_report_claim(r, j, name, sizeof name);
        TRY(audit_lower_bound(&r->t.c, &r->t.a[j], &s, &r->t.h, BET_MIXTURE, limit, &r->arena,
                              &bound, f));
        buf_str(b, "<tr><td>");
        text(b, name);
        buf_printf(b, "</td><td>%.6f</td><td>%s</td>", r->result.p[j],
                   r->result.met[j] ? "confirmed" : "open");
        if (r->t.a[j].kind == ASSERT_BEATS)
            buf_printf(b, "<td>%.0f votes ahead</td></tr>\n", bound);
        else
            buf_printf(b, "<td>%.2f %% of the valid votes%s</td></tr>\n", 100 * bound,
                       r->t.a[j].kind == ASSERT_BELOW || r->t.a[j].kind == ASSERT_AT_MOST
                           ? " for all others together"
                           : "");
    }
    buf_str(b, "</table>\n");
    return OK;
}

static void differences(struct buf *b, const struct audit_report *r) {
    const struct audit_contest *c = &r->t.c;
    size_t found = 0;
    buf_str(b, "<h2>Differences found</h2>\n<table>\n<tr><th>Station</th>");
    for (size_t i = 0; i < c->choices; i++) {
        buf_str(b, "<th>");
        text(b, r->names.choice[i]);
        buf_str(b, "<br>form &rarr; hand</th>");
    }
    buf_str(b, "</tr>\n");
    for (size_t g = 0; g < c->batches; g++) {
        const uint64_t *form = audit_votes(c, g), *hand = r->t.h.votes + g * c->choices;
        bool lost = r->t.h.state[g] == AUDIT_LOST;
        if (r->t.h.state[g] == AUDIT_UNCOUNTED ||
            (!lost && memcmp(form, hand, c->choices * sizeof *hand) == 0))
            continue;
        found++;
        char id[1024];
        size_t n = audit_batch_id(&r->names, g, id, sizeof id);
        buf_str(b, "<tr><td>");
        html_text(b, span_of(id, n));
        buf_str(b, "</td>");
        for (size_t i = 0; i < c->choices; i++) {
            if (lost)
                buf_printf(b, "<td>%" PRIu64 " &rarr; no box</td>", form[i]);
            else if (form[i] == hand[i])
                buf_printf(b, "<td>%" PRIu64 "</td>", form[i]);
            else
                buf_printf(b, "<td class=\"diff\">%" PRIu64 " &rarr; %" PRIu64 "</td>", form[i],
                           hand[i]);
        }
        buf_str(b, "</tr>\n");
    }
    buf_str(b, "</table>\n");
    buf_printf(b, "<p>%zu of %" PRIu64 " stations counted by hand differ from their form.</p>\n",
               found, r->result.counted);
}

static MUST_USE err page(struct buf *b, struct audit_report *r, const char *title, struct fail *f) {
    buf_str(
        b, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
           "content=\"width=device-width\">\n<title>");
    text(b, title);
    buf_str(b, "</title>\n<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem "
               "auto;padding:0 1rem;"
               "color:#111}table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid "
               "#ccc;padding:.3rem "
               ".6rem;text-align:left;vertical-align:top}.mono{font-family:monospace;word-break:"
               "break-all}.say"
               "{border-left:.4rem solid #1f4e9c;padding:.5rem "
               "1rem;background:#f2f5fb}.diff{background:#fff3d6}"
               "svg{max-width:100%;height:auto}</style>\n<h1>");
    text(b, title);
    buf_str(b, "</h1>\n");
    if (r->simulated) buf_str(b, "<p><strong>SIMULATED</strong></p>\n");
    what_may_be_said(b, r);
    facts(b, r);
    TRY(plot_risk(b, r, f));
    TRY(assertions_table(b, r, f));
    differences(b, r);
    buf_str(b, "<h2>How to check this</h2>\n<p>Everything above follows from the transcript, a "
               "text file of "
               "integers: <code>hesabu audit check TRANSCRIPT</code>, or <code>awk -f "
               "tools/audit-check.awk "
               "TRANSCRIPT</code> with nothing but awk, sha256sum and bc. That the list was "
               "committed before the "
               "dice were thrown, and that the hand counts are those of the drawn boxes, is what "
               "the signed "
               "records and those present can say.</p>\n</html>\n");
    return buf_ok(b, f);
}

struct report_args {
    const char *batches, *out, *title, *dir, *plan, *pdf;
};

static err make_report(const struct report_args *a, const char *path, struct audit_on *x,
                       struct audit_report *r, struct buf *transcript, struct buf *out, struct fail *f) {
    if ((path != NULL) == (a->dir != NULL))
        return fail_set(f, E_USAGE, "give a transcript with --batches, or --dir for an audit on a log");
    if (path) {
        TRY(file_read(path, TRANSCRIPT_BYTES_MAX, transcript, f));
        TRY(load(r, buf_view(transcript), a->batches, f));
    } else {
        TRY(audit_on_open(a->dir, a->plan, "audit report", x, f));
        TRY(load_log(r, x, transcript, f));
    }
    TRY(page(out, r, a->title, f));
    if (a->pdf) TRY(audit_report_pdf(r, a->title, a->pdf, f));
    return a->out ? file_write_atomic(a->out, buf_view(out), f) : OK;
}

int audit_cmd_report(int argc, char **argv) {
    struct report_args a = {.title = "Audit of the reported outcome"};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &a.batches, "B.csv",
         "the committed list: names of stations and choices"},
        ON_OPTIONS(a.dir, a.plan),
        {"--out", OPT_TEXT, &a.out, "FILE", "write the page there (standard output)"},
        {"--pdf", OPT_TEXT, &a.pdf, "FILE", "the same as PDF"},
        {"--title", OPT_TEXT, &a.title, "TEXT", "heading of the page"},
    };
    const struct usage u = {
        "audit report TRANSCRIPT --batches B.csv | --dir DIR|URL [--out FILE.html] [--pdf FILE.pdf]",
        "Writes a page for people from a transcript, or from an audit on a log: what was drawn, the\n"
        "risk after each draw against the limit, differences, what may be said and what may not.",
        options,
        sizeof options / sizeof *options,
        0,
        1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf transcript, out;
    static struct audit_report r;
    static struct audit_on x;
    arena_init(&r.arena, (size_t)2 << 30);
    buf_init(&transcript, TRANSCRIPT_BYTES_MAX);
    buf_init(&out, 1 << 28);
    err e = make_report(&a, nargs ? argv[0] : NULL, &x, &r, &transcript, &out, &f);
    code = e != OK ? cli_fail("audit report", &f) : a.out ? 0 : cli_print(buf_view(&out));
    buf_release(&out);
    buf_release(&transcript);
    arena_release(&r.arena);
    audit_on_release(&x);
    return code;
}
