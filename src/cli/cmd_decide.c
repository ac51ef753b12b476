/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu decide, compared, custody: the returning officer's desk. */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/reading_args.h"
#include "cli/tree_log.h"
#include "cli/values.h"
#include "cli/words.h"
#include "election/findings.h"

int cmd_decide(int argc, char **argv);
int cmd_compared(int argc, char **argv);
int cmd_custody(int argc, char **argv);

enum { ORDER_MAX = 8 << 20 };

/* The log that the officers look at. */
struct looking {
    struct tree tree;
    struct tree_log log;
};

static void looking_end(struct looking *l) {
    tree_log_release(&l->log);
    tree_close(&l->tree);
}

static err look_at(struct looking *l, const char *where, struct make_options *m, const char *what,
                   struct fail *f) {
    struct tree_log_options o = {.anchor = m->send.anchor, .what = what};
    TRY(tree_open(where, &l->tree, f));
    TRY(tree_log_read(&l->tree, &o, &l->log, f));
    if (!m->send.url && l->tree.url && !m->out && m->keys.n) m->send.url = where;
    return OK;
}

static err find_contest(const struct fold *s, const char *id, uint64_t *round, uint32_t *out, struct fail *f) {
    *out = id ? fold_contest_by_id(s, span_text(id)) : NO_CONTEST;
    if (*out == NO_CONTEST)
        return fail_set(f, E_CONTEST, "--contest is one of this election's; 'hesabu results' lists them");
    if (*round == 0) *round = fold_contest(s, *out)->round;
    if (*round > fold_contest(s, *out)->round) return fail_set(f, E_ROUND, "there is no such round yet");
    return OK;
}

static err find_unit(const struct fold *s, const char *code, uint32_t *out, struct fail *f) {
    *out = code ? fold_unit_by_code(s, span_text(code)) : NO_UNIT;
    if (*out == NO_UNIT) return fail_set(f, E_UNIT, "--unit is the code of a unit of this election");
    return OK;
}

/* A record by its id, or by its entry's number. */
static err find_record(const struct fold *s, const char *text, struct hash *out, struct fail *f) {
    uint64_t entry;
    if (hash_from_hex(span_text(text), out, NULL) == OK) return OK;
    if (u64_parse(span_text(text), fold_size(s) - 1, &entry, NULL) != OK)
        return fail_set(f, E_REFERENCE, "\"%.70s\" is neither a record's id nor the number of an entry", text);
    *out = fold_id(s, entry);
    return OK;
}

/* --- decide --- */

struct decide_args {
    const char *contest, *unit, *record, *ground, *order, *reason;
    uint64_t round;
    struct opt_list codes;
};

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* What the officers see before they sign: the open findings that the decision is about. */
static err preview(const struct fold *s, uint32_t contest, uint32_t unit, unsigned round, struct fail *f) {
    struct arena a;
    struct findings fi;
    struct buf b;
    unsigned shown = 0;
    arena_init(&a, (size_t)4 << 30);
    buf_init(&b, 1 << 20);
    err e = findings_compute(s, &a, &fi, f);
    for (size_t i = 0; e == OK && i < fi.n; i++) {
        const struct finding *x = &fi.items[i];
        if (x->decision != NO_DECISION || x->contest != contest || x->round != round ||
            !unit_within(s, x->unit, unit))
            continue;
        if (++shown > 20) continue;
        buf_printf(&b, "  %.*s %s: ", SPAN_ARG(fold_unit(s, x->unit)->code), finding_name(x->code));
        finding_text(x, &b);
        buf_byte(&b, '\n');
    }
    if (e == OK) fprintf(stderr, "open findings there: %u\n%s", shown, b.n ? buf_cstr(&b) : "");
    buf_release(&b);
    arena_release(&a);
    return e;
}

static err decision_text(const char *action, const struct decide_args *a, struct make_options *m, struct words *w,
                         const struct fold *s, struct buf *text, struct fail *f) {
    static const char *const actions[] = {"accept", "adopt", "disregard", "release"};
    static const char *const grounds[] = {"", "order", "over-register", "over-voters"};
    struct compose_decision d = {.ground = GROUND_NONE, .size = fold_size(s)};
    struct span codes[FINDING_COUNT];
    struct hash record;
    uint32_t contest, unit;
    uint64_t round = a->round;
    int k = 0;
    while (k < 4 && strcmp(action, actions[k]) != 0) k++;
    if (k == 4) return fail_set(f, E_USAGE, "a decision is accept, adopt, disregard or release, not \"%.40s\"", action);
    d.action = (enum decision_action)k;
    TRY(find_contest(s, a->contest, &round, &contest, f));
    TRY(find_unit(s, a->unit, &unit, f));
    (void)fold_election(s, &d.election);
    if (a->record) {
        TRY(find_record(s, a->record, &record, f));
        d.record = &record;
    }
    for (size_t i = 0; i < a->codes.n; i++) {
        if (i == FINDING_COUNT || finding_by_name(span_text(a->codes.at[i])) == FINDING_COUNT)
            return fail_set(f, E_USAGE, "\"%.40s\" is not a finding; 'hesabu findings' lists them", a->codes.at[i]);
        codes[d.code_count++] = span_text(a->codes.at[i]);
    }
    qsort(codes, d.code_count, sizeof *codes, by_bytes);
    for (k = 1; a->ground && k < 4 && strcmp(a->ground, grounds[k]) != 0; k++) {}
    if (k == 4) return fail_set(f, E_USAGE, "--ground is over-register, over-voters or order");
    if (a->ground) d.ground = (enum decision_ground)k;
    TRY(words_public(m, a->order, ORDER_MAX, &d.order, f));
    TRY(words_restricted(m, w, a->reason, &d.reason, f));
    d.contest = fold_contest(s, contest)->id;
    d.unit = fold_unit(s, unit)->code;
    d.round = (unsigned)round;
    d.codes = codes;
    TRY(preview(s, contest, unit, d.round, f));
    compose_decision(text, &d);
    return buf_ok(text, f);
}

int cmd_decide(int argc, char **argv) {
    static struct words w;
    struct make_options m = {0};
    struct decide_args a = {0};
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--unit", OPT_TEXT, &a.unit, "CODE", "the station; with accept also a unit above it"},
        {"--record", OPT_TEXT, &a.record, "ID|N", "adopt: the result, reading or comparison; release: the decision"},
        {"--code", OPT_LIST, &a.codes, "F_CODE", "accept: a finding (several times)"},
        {"--ground", OPT_TEXT, &a.ground, "WORD", "disregard: over-register, over-voters, order"},
        {"--order", OPT_TEXT, &a.order, "FILE", "a court's order (public)"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why, in words (not public, erasable); needed to accept an error"},
        {"--round", OPT_U64, &a.round, "N", "round of the contest (the current one)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "decide ACTION DIR|URL --contest ID --unit CODE [--record ID|N] [--code F_X] --key KEY --key SECOND",
        "ACTION: adopt (these figures hold), disregard (a station, on a legal ground), accept (findings as\n"
        "they are now), release (withdraw a decision). The returning officer signs with a second person;\n"
        "without the second key the record is written out for 'hesabu sign'. A decision chooses among\n"
        "what was read from the station's form and never brings a figure of its own.",
        options, sizeof options / sizeof *options, 2, 2};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct looking l = {0};
    struct buf text;
    buf_init(&text, 16384);
    err e = look_at(&l, argv[1], &m, "decide", &f);
    if (e == OK) e = decision_text(argv[0], &a, &m, &w, l.log.fold, &text, &f);
    if (e == OK && m.keys.n < 2) m.send.url = NULL;
    looking_end(&l);
    code = e == OK ? make_finish("decide", &m, buf_view(&text)) : cli_fail("decide", &f);
    buf_release(&text);
    return code;
}

/* --- compared --- */

struct compared_args {
    const char *contest, *station, *level;
    uint64_t round;
    bool same;
    struct reading_args reading;
    struct opt_list marks;
};

static err compared_text(const struct compared_args *a, const struct fold *s, struct buf *text, struct fail *f) {
    uint32_t contest, unit, marks;
    uint64_t round = a->round, entry;
    struct figures held;
    struct hash election = {0};
    TRY(find_contest(s, a->contest, &round, &contest, f));
    TRY(find_unit(s, a->station, &unit, f));
    uint32_t cell = fold_cell_find(s, contest, (unsigned)round, unit);
    if (cell == NO_CELL || !cell_held(s, fold_cell_at(s, cell), &held, &entry))
        return fail_set(f, E_STATE, "no figures hold at this station: there is nothing to compare the original with");
    if (!a->level) return fail_set(f, E_USAGE, "--level says where it is compared: constituency, nation...");
    if (a->same == reading_given(&a->reading))
        return fail_set(f, E_USAGE, "say --same, or give what the original says (--votes and the others)");
    TRY(reading_marks(&a->marks, &marks, f));
    struct buf reading;
    buf_init(&reading, 16384);
    err e = a->same ? OK : reading_make(&a->reading, s, contest, (unsigned)round, &reading, f);
    if (e == OK) {
        struct hash record = fold_id(s, entry);
        (void)fold_election(s, &election);
        compose_compared(text, &election, fold_contest(s, contest)->id, (unsigned)round, fold_unit(s, unit)->code,
                         span_text(a->level), &record, marks, buf_view(&reading), clock_wall_ms());
        e = buf_ok(text, f);
    }
    buf_release(&reading);
    return e;
}

int cmd_compared(int argc, char **argv) {
    struct make_options m = {0};
    struct compared_args a = {.reading = READING_ARGS_NONE};
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--station", OPT_TEXT, &a.station, "CODE", "the polling station"},
        {"--level", OPT_TEXT, &a.level, "WORD", "where: constituency, nation..."},
        {"--same", OPT_FLAG, &a.same, NULL, "the original says what holds"},
        READING_OPTIONS(a.reading),
        {"--irregularity", OPT_LIST, &a.marks, "WORD", "what is irregular on the original: no-stamp, photocopy... (several times)"},
        {"--round", OPT_U64, &a.round, "N", "round of the contest (the current one)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "compared DIR|URL --contest ID --station CODE --level LEVEL --same --key KEY",
        "Records that the paper original was held against the figures that stand, by the returning officer\n"
        "of that level: --same, or what the original says instead.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct looking l = {0};
    struct buf text;
    buf_init(&text, ENTRY_MAX);
    err e = look_at(&l, argv[0], &m, "compared", &f);
    if (e == OK) e = compared_text(&a, l.log.fold, &text, &f);
    looking_end(&l);
    code = e == OK ? make_finish("compared", &m, buf_view(&text)) : cli_fail("compared", &f);
    buf_release(&text);
    return code;
}

/* --- custody --- */

int cmd_custody(int argc, char **argv) {
    static struct words w;
    struct make_options m = {0};
    const char *contest = NULL, *unit = NULL, *from = NULL, *to = NULL, *what = "forms", *kind = NULL, *note = NULL,
               *serials = NULL, *election = NULL, *at = NULL;
    uint64_t count = 0;
    const struct opt options[] = {
        {"--what", OPT_TEXT, &what, "WORD", "forms (the default), seals, boxes"},
        {"--kind", OPT_TEXT, &kind, "WORD", "of forms: original (the default), carbon, agent, posted"},
        {"--count", OPT_U64, &count, "N", "how many"},
        {"--contest", OPT_TEXT, &contest, "ID", "the contest (forms have one)"},
        {"--unit", OPT_TEXT, &unit, "CODE", "what they are of: a station, a constituency"},
        {"--from", OPT_TEXT, &from, "NAME", "name of the key of who gives"},
        {"--to", OPT_TEXT, &to, "NAME", "name of the key of who takes"},
        {"--serials", OPT_TEXT, &serials, "FILE", "their serial numbers (public)"},
        {"--note", OPT_TEXT, &note, "FILE", "a remark (not public, erasable)"},
        {"--at", OPT_TEXT, &at, "TIME", "when (now)"},
        {"--election", OPT_TEXT, &election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "custody --unit CODE --count N --from NAME --to NAME [--contest ID] --key KEY --key KEY [--send URL]",
        "Records that forms, seals or boxes changed hands. Giver and taker both sign; with one key the\n"
        "record is written out for the other's 'hesabu sign'.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf text;
    struct compose_custody k = {.what = what, .count = count, .at_ms = clock_wall_ms()};
    buf_init(&text, 8192);
    if (!kind) kind = strcmp(what, "forms") == 0 ? "original" : "none";
    k.kind = kind;
    if (!election) election = m.send.url;
    err e = unit && from && to && count && election
                ? tree_election(election, &k.election, &f)
                : fail_set(&f, E_USAGE, "--unit, --count, --from, --to and --election (or --send) are needed");
    if (e == OK && at) e = value_time(at, &k.at_ms, &f);
    if (e == OK) e = words_restricted(&m, &w, note, &k.note, &f);
    if (e == OK) e = words_public(&m, serials, ORDER_MAX, &k.serials, &f);
    if (e == OK) {
        if (contest) k.contest = span_text(contest);
        k.unit = span_text(unit);
        k.from = span_text(from);
        k.to = span_text(to);
        compose_custody(&text, &k);
        e = buf_ok(&text, &f);
    }
    if (e == OK && m.keys.n < 2) m.send.url = NULL;
    code = e == OK ? make_finish("custody", &m, buf_view(&text)) : cli_fail("custody", &f);
    buf_release(&text);
    return code;
}
