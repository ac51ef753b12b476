/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu results, findings: what holds now, recomputed from the records. */
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "cli/values.h"
#include "election/declaration.h"

int cmd_results(int argc, char **argv);
int cmd_findings(int argc, char **argv);

enum { OUT_MAX = 512 << 20 };

struct view {
    struct tree tree;
    struct tree_log log;
    struct results results;
    const char *contest, *unit, *anchor;
    bool json;
    struct buf out;
};

static void view_release(struct view *v) {
    if (v->results.tallies) results_release(&v->results);
    tree_log_release(&v->log);
    tree_close(&v->tree);
    buf_release(&v->out);
}

static err view_read(struct view *v, const char *where, const char *what, struct fail *f) {
    struct tree_log_options o = {.anchor = v->anchor, .what = what};
    buf_init(&v->out, OUT_MAX);
    TRY(tree_open(where, &v->tree, f));
    TRY(tree_log_read(&v->tree, &o, &v->log, f));
    TRY(results_compute(v->log.fold, &v->results, f));
    if (v->contest && fold_contest_by_id(v->log.fold, span_text(v->contest)) == NO_CONTEST)
        return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"; 'hesabu results' without --contest "
                                      "lists them",
                        v->contest);
    return OK;
}

static bool wanted(const struct view *v, const struct tally *t) {
    return !v->contest || span_is(fold_contest(v->log.fold, t->contest)->id, v->contest);
}

static void heading(struct view *v) {
    const struct definition *d = fold_definition(v->log.fold);
    bool declared = fold_declaration_count(v->log.fold) > 0;
    buf_printf(&v->out, "%.*s\n%s%s\n", SPAN_ARG(d->title),
               declared ? "provisional where it is not said to be declared" : "provisional, not declared",
               d->simulated ? "  SIMULATED" : "");
    tree_log_source(&v->log, &v->out);
    buf_str(&v->out, "\n");
}

/* What was declared, and how: the only place that names anybody. */
static void declared_line(struct view *v, const struct tally *t) {
    const struct fold *s = v->log.fold;
    uint32_t i = declaration_of(s, t->contest, t->round);
    if (i == NO_DECLARATION) return;
    const struct declaration *d = fold_declaration(s, i);
    const struct contest *k = fold_contest(s, t->contest);
    buf_printf(&v->out, "  %s (entry %llu): %s", results_status(s, t->contest, t->round),
               (unsigned long long)d->entry, outcome_name(d->outcome.kind));
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (outcome_has(&d->outcome, c)) {
            struct span name = contest_choice(s, k, c)->name;
            buf_printf(&v->out, ", %.*s", SPAN_ARG(name));
        }
    if (d->override != NO_OVERRIDE)
        buf_printf(&v->out, "; by an override of %u open item%s", fold_override(s, d->override)->item_count,
                   fold_override(s, d->override)->item_count == 1 ? "" : "s");
    buf_str(&v->out, "\n");
}

static void number(struct buf *out, uint64_t x, int width) {
    char n[32];
    buf_printf(out, "%*s", width, value_grouped(x, n));
}

static void choice_lines(struct view *v, const struct tally *t, const uint64_t *votes) {
    const struct fold *s = v->log.fold;
    const struct contest *k = fold_contest(s, t->contest);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        const struct choice *ch = contest_choice(s, k, c);
        if (!contest_has_choice(k, t->round, c)) continue;
        buf_printf(&v->out, "    %-36.*s ", SPAN_ARG(ch->name));
        number(&v->out, votes[c], 14);
        buf_byte(&v->out, '\n');
    }
}

static void row_lines(struct view *v, const struct tally *t, const struct tally_row *row) {
    const struct fold *s = v->log.fold;
    const struct unit *u = fold_unit(s, row->unit);
    char a[32], b[32], c[32], d[32];
    buf_printf(&v->out, "  %.*s %.*s\n    stations: %s expected, %s received, %s in question, %s without "
                        "image\n",
               SPAN_ARG(u->code), SPAN_ARG(u->name), value_grouped(row->expected, a),
               value_grouped(row->received, b), value_grouped(row->in_question, c),
               value_grouped(row->without_image, d));
    if (row->not_held) buf_printf(&v->out, "    not held at %s stations\n", value_grouped(row->not_held, a));
    if (row->disregarded)
        buf_printf(&v->out, "    disregarded by decision: %s stations\n", value_grouped(row->disregarded, a));
    for (int n = 0; n < TOTAL_COUNT; n++) {
        const struct total *x = &row->total[n];
        if (x->stations == 0 && n) {
            buf_printf(&v->out, "    total \"%s\": no stations yet\n", total_name((enum total_name)n));
            continue;
        }
        buf_printf(&v->out, "    total \"%s\", of %s stations with %s registered voters\n",
                   total_name((enum total_name)n), value_grouped(x->stations, a),
                   value_grouped(x->registered, b));
        choice_lines(v, t, x->votes);
        buf_printf(&v->out, "    valid as written %s, rejected %s", value_grouped(x->valid, a),
                   value_grouped(x->rejected, b));
        if (x->valid_blank || x->rejected_blank)
            buf_printf(&v->out, "; blank at %s and %s stations", value_grouped(x->valid_blank, c),
                       value_grouped(x->rejected_blank, d));
        buf_str(&v->out, "\n");
    }
}

/* One line a part of a unit. */
static void part_line(struct view *v, const struct tally *t, const struct tally_row *row) {
    const struct fold *s = v->log.fold;
    const struct unit *u = fold_unit(s, row->unit);
    char a[32], b[32];
    buf_printf(&v->out, "    %-16.*s %-28.*s %9s of %9s", SPAN_ARG(u->code), SPAN_ARG(u->name),
               value_grouped(row->total[TOTAL_TRANSMITTED].stations, a),
               value_grouped(row->expected, b));
    if (unit_is_station(s, row->unit))
        buf_printf(&v->out, "  %s", results_station_state(s, &v->results.findings, t, row));
    else if (row->in_question)
        buf_printf(&v->out, "  %s in question", value_grouped(row->in_question, a));
    buf_str(&v->out, "\n");
}

static err show_contest(struct view *v, const struct tally *t, bool *found, struct fail *f) {
    const struct fold *s = v->log.fold;
    const struct contest *k = fold_contest(s, t->contest);
    size_t at = 0;
    if (v->unit) {
        while (at < t->n && !span_is(fold_unit(s, t->rows[at].unit)->code, v->unit)) at++;
        if (at == t->n) return OK;
    }
    *found = true;
    if (v->json && !results_has_file(s, t, at))
        return fail_set(f, E_UNIT, "a station's figures stand in its parent's table: --unit with that one");
    if (v->json) return results_unit(s, t, &v->results.findings, at, &v->out, f);
    buf_printf(&v->out, "\n%.*s, round %u: %.*s\n", SPAN_ARG(k->id), t->round, SPAN_ARG(k->name));
    declared_line(v, t);
    row_lines(v, t, &t->rows[at]);
    if (!v->unit) return OK;
    bool any = false;
    for (size_t n = at + 1; n < t->n; n++) {
        if (t->rows[n].parent != at) continue;
        if (!any) buf_str(&v->out, "  transmitted stations of its parts:\n");
        any = true;
        part_line(v, t, &t->rows[n]);
    }
    return OK;
}

static err show(struct view *v, struct fail *f) {
    bool found = false;
    if (v->json && !v->unit && !v->contest)
        return results_index(v->log.fold, v->results.tallies, v->results.n, &v->results.findings, &v->out,
                             f);
    if (!v->json) heading(v);
    for (size_t i = 0; i < v->results.n; i++)
        if (wanted(v, &v->results.tallies[i])) TRY(show_contest(v, &v->results.tallies[i], &found, f));
    if (!found) return fail_set(f, E_UNIT, "no contest is held in a unit \"%.60s\"", v->unit ? v->unit : "");
    return buf_ok(&v->out, f);
}

#define VIEW_OPTIONS(v)                                                                            \
    {"--contest", OPT_TEXT, &(v).contest, "ID", "only this contest"},                             \
    {"--anchor", OPT_TEXT, &(v).anchor, "FILE", "the gazetted trust anchor (else the tree's own)"}, \
    {"--json", OPT_FLAG, &(v).json, NULL, "as JSON, in the format of the published files"}

int cmd_results(int argc, char **argv) {
    struct view v = {0};
    const struct opt options[] = {
        {"--unit", OPT_TEXT, &v.unit, "CODE", "this unit and its parts, instead of the whole"},
        VIEW_OPTIONS(v),
    };
    const struct usage u = {
        "results DIR|URL [--contest ID] [--unit CODE] [--json]",
        "What holds now, at the tree's newest checkpoint: every total with its name, how many stations\n"
        "it is of, and what is outstanding. The records are replayed here, so nothing that the server\n"
        "computed is believed; their signatures are checked by 'hesabu verify'.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    err e = view_read(&v, argv[0], "results", &f);
    if (e == OK) e = show(&v, &f);
    code = e == OK ? cli_print(buf_view(&v.out)) : cli_fail("results", &f);
    view_release(&v);
    return code;
}

static void finding_line(struct view *v, const struct tally *t, const struct finding *x) {
    const struct fold *s = v->log.fold;
    buf_printf(&v->out, "%.*s %.*s/%u %s %s: ", SPAN_ARG(fold_unit(s, x->unit)->code),
               SPAN_ARG(fold_contest(s, t->contest)->id), t->round,
               x->severity == SEVERITY_ERROR ? "error  " : "warning", finding_name(x->code));
    finding_text(x, &v->out);
    if (x->decision != NO_DECISION)
        buf_printf(&v->out, " [decided by entry %u]", fold_decision(s, x->decision)->entry);
    buf_byte(&v->out, '\n');
}

/* Of the stations, then of the units above them. */
static void findings_of(struct view *v, const struct tally *t) {
    const struct findings *fi = &v->results.findings;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t cell = t->rows[i].cell;
        if (cell == NO_CELL) continue;
        for (size_t n = fi->first[cell]; n < fi->first[cell + 1]; n++)
            finding_line(v, t, &fi->items[n]);
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t n;
        const struct finding *x = findings_of_unit(fi, t->contest, t->round, t->rows[i].unit, &n);
        for (; n > 0; n--, x++) finding_line(v, t, x);
    }
}

static void explain_one(enum finding_code c, struct buf *out) {
    buf_printf(out, "%s (%s)\n  %s\n", finding_name(c),
               finding_severity(c) == SEVERITY_ERROR ? "error: holds the station in question"
                                                     : "warning: a named officer accepts it",
               finding_explanation(c));
}

static int explain_findings(const char *code) {
    struct buf b;
    struct fail f = {0};
    bool all = strcmp(code, "all") == 0;
    enum finding_code c = finding_by_name(span_text(code));
    if (!all && c == FINDING_COUNT) {
        (void)fail_set(&f, E_USAGE, "\"%.60s\" is not a finding; --explain all lists them", code);
        return cli_fail("findings", &f);
    }
    buf_init(&b, 1 << 20);
    for (int i = 0; all && i < FINDING_COUNT; i++) explain_one((enum finding_code)i, &b);
    if (!all) explain_one(c, &b);
    int exit = cli_print(buf_view(&b));
    buf_release(&b);
    return exit;
}

int cmd_findings(int argc, char **argv) {
    struct view v = {0};
    const char *explain = NULL;
    const struct opt options[] = {
        {"--explain", OPT_TEXT, &explain, "F_CODE", "what a finding means and what to do about it (needs no log)"},
        VIEW_OPTIONS(v)};
    const struct usage u = {
        "findings DIR|URL [--contest ID] [--json] | findings --explain F_CODE|all",
        "What does not add up, or looks as if somebody should look: station by station, recomputed from\n"
        "the records. A finding is a question to be answered from the paper, not an accusation, and\n"
        "changes no figure.",
        options, sizeof options / sizeof *options, 0, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (explain) return explain_findings(explain);
    if (nargs == 0) {
        (void)fail_set(&f, E_USAGE, "where is the log? give a folder or an address");
        return cli_fail("findings", &f);
    }
    err e = view_read(&v, argv[0], "findings", &f);
    if (e == OK && !v.json) {
        heading(&v);
        for (int c = 0; c < FINDING_COUNT; c++)
            if (v.results.findings.count[c])
                buf_printf(&v.out, "%8llu %s\n", (unsigned long long)v.results.findings.count[c],
                           finding_name((enum finding_code)c));
        if (v.results.findings.n == 0) buf_str(&v.out, "no findings\n");
    }
    for (size_t i = 0; e == OK && i < v.results.n; i++) {
        const struct tally *t = &v.results.tallies[i];
        if (!wanted(&v, t)) continue;
        if (v.json)
            e = results_findings(v.log.fold, t, &v.results.findings, &v.out, &f);
        else
            findings_of(&v, t);
    }
    if (e == OK) e = buf_ok(&v.out, &f);
    code = e == OK ? cli_print(buf_view(&v.out)) : cli_fail("findings", &f);
    view_release(&v);
    return code;
}
