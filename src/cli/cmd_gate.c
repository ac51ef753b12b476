/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu gate: what still forbids a declaration, what open figures could change, and the clocks. */
#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/law_view.h"
#include "cli/values.h"
#include "service/court_table.h"

int cmd_gate(int argc, char **argv);

enum { OUT_MAX = 256 << 20 };

struct gate_args {
    const char *contest, *anchor, *now, *court;
    bool json;
    uint64_t now_ms;
};

static void clock_line(struct buf *out, const char *what, uint64_t by_ms, uint64_t now_ms) {
    if (by_ms == UINT64_MAX) return;
    bool over = now_ms > by_ms;
    uint64_t minutes = (over ? now_ms - by_ms : by_ms - now_ms) / 60000;
    buf_printf(out, "  %s: %s%llu days %llu h %llu min%s\n", what, over ? "over since " : "",
               (unsigned long long)(minutes / 1440), (unsigned long long)(minutes / 60 % 24),
               (unsigned long long)(minutes % 60), over ? "" : " left");
}

static void declared_lines(const struct fold *s, uint32_t contest, unsigned round, struct buf *out) {
    uint32_t i = declaration_of(s, contest, round);
    if (i == NO_DECLARATION) return;
    const struct declaration *d = fold_declaration(s, i);
    const struct contest *k = fold_contest(s, contest);
    buf_printf(out, "  declared by entry %llu: %s", (unsigned long long)d->entry,
               outcome_name(d->outcome.kind));
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (outcome_has(&d->outcome, c)) {
            struct span name = contest_choice(s, k, c)->name;
            buf_printf(out, ", %.*s", SPAN_ARG(name));
        }
    buf_byte(out, '\n');
    if (d->override != NO_OVERRIDE)
        buf_printf(out, "  by an override (entry %llu) that lists %u open item%s\n",
                   (unsigned long long)fold_override(s, d->override)->entry,
                   fold_override(s, d->override)->item_count,
                   fold_override(s, d->override)->item_count == 1 ? "" : "s");
    unsigned verified = 0, dissents = 0;
    for (uint32_t n = 0; n < fold_dissent_count(s); n++) {
        const struct dissent *x = fold_dissent(s, n);
        if (x->declaration != i) continue;
        *(x->says == SAYS_DISSENTS ? &dissents : &verified) += 1;
    }
    buf_printf(out, "  commissioners: %u verified it, %u dissent\n", verified, dissents);
}

static err one(struct law_view *v, const struct gate_args *a, uint32_t contest, unsigned round,
               struct buf *out, struct fail *f) {
    const struct fold *s = v->log.fold;
    const struct contest *k = fold_contest(s, contest);
    struct arena mem;
    struct gate g;
    struct clocks clocks;
    arena_init(&mem, (size_t)1 << 30);
    err e = gate_compute(s, &v->findings, contest, round, &mem, &g, f);
    if (e == OK) {
        buf_printf(out, "%.*s, round %u: %s\n", SPAN_ARG(k->name), round, results_status(s, contest, round));
        declared_lines(s, contest, round, out);
        buf_printf(out, "  the gate is %s\n", g.open_items ? "shut:" : "open");
        law_items(s, &g, out);
        buf_str(out, "  ");
        materiality_sentence(&g.materiality, out);
        buf_byte(out, '\n');
        contest_clocks(s, contest, round, &clocks);
        if (declaration_of(s, contest, round) == NO_DECLARATION)
            clock_line(out, "to declare", clocks.declare_by_ms, a->now_ms);
        clock_line(out, "to petition", clocks.petition_by_ms, a->now_ms);
        clock_line(out, "to decide", clocks.decide_by_ms, a->now_ms);
    }
    arena_release(&mem);
    return e;
}

/* ---- the table for a court ---- */

static err write_court(struct law_view *v, const char *path, struct fail *f) {
    struct arena mem;
    struct buf b;
    arena_init(&mem, (size_t)2 << 30);
    buf_init(&b, OUT_MAX);
    err e = court_table(v->log.fold, &v->findings, v->contest, v->round, &mem, &b, f);
    if (e == OK) e = file_write_durable(path, buf_view(&b), 0600, f);
    buf_release(&b);
    arena_release(&mem);
    return e;
}

/* The published file of the contest and round. */
static err one_json(struct law_view *v, uint32_t contest, unsigned round, struct buf *out, struct fail *f) {
    struct tally t = {.contest = contest, .round = round};
    return results_gate(v->log.fold, &t, &v->findings, out, f);
}

static err run(struct law_view *v, const struct gate_args *a, struct buf *out, struct fail *f) {
    const struct fold *s = v->log.fold;
    if (a->court) {
        if (v->contest == NO_CONTEST) return fail_set(f, E_USAGE, "--court is of one --contest");
        TRY(write_court(v, a->court, f));
    }
    if (!a->json) {
        tree_log_source(&v->log, out);
        buf_byte(out, '\n');
    }
    for (uint32_t c = 0; c < fold_contest_count(s); c++) {
        if (v->contest != NO_CONTEST && v->contest != c) continue;
        unsigned round = fold_contest(s, c)->round;
        TRY(a->json ? one_json(v, c, round, out, f) : one(v, a, c, round, out, f));
    }
    return buf_ok(out, f);
}

int cmd_gate(int argc, char **argv) {
    struct gate_args a = {0};
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a.contest, "ID", "only this contest"},
        {"--now", OPT_TEXT, &a.now, "TIME", "the time by which clocks are judged (now)"},
        {"--court", OPT_TEXT, &a.court, "FILE", "write the table for a court, with the smallest set of stations; not for publication"},
        {"--anchor", OPT_TEXT, &a.anchor, "FILE", "the gazetted trust anchor"},
        {"--json", OPT_FLAG, &a.json, NULL, "the published gate.json, one line a contest"},
    };
    const struct usage u = {
        "gate DIR|URL [--contest ID] [--json]",
        "What still forbids the declaration of each contest, in order, with counts and the first units\n"
        "concerned; whether what is open can still change the outcome; and the clocks of the law. It is\n"
        "arithmetic: courts also weigh how the process was run.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct law_view *v = calloc(1, sizeof *v);
    struct buf out;
    if (!v) return 70;
    buf_init(&out, OUT_MAX);
    a.now_ms = clock_wall_ms();
    err e = a.now ? value_time(a.now, &a.now_ms, &f) : OK;
    if (e == OK) e = law_open("gate", argv[0], a.anchor, a.contest, v, &f);
    if (e == OK) e = run(v, &a, &out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("gate", &f);
    buf_release(&out);
    law_close(v);
    free(v);
    return code;
}
