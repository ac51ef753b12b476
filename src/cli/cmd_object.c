/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu object, admit, rule: an objection, whether it holds the gate, and what was decided. */
#include "cli/cli.h"
#include "cli/tree.h"
#include "cli/values.h"
#include "cli/words.h"
#include "election/compose_voices.h"

int cmd_object(int argc, char **argv);
int cmd_admit(int argc, char **argv);
int cmd_rule(int argc, char **argv);

enum { UNITS_MAX = 64, EVIDENCE_MAX = 16, ORDER_MAX = 8 << 20 };

#define ELECTION_OPTION(e)                                                                         \
    {"--election", OPT_TEXT, &(e), "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"}

static err which_election(const char *given, const struct make_options *m, struct hash *out,
                          struct fail *f) {
    if (!given) given = m->send.url;
    if (!given) return fail_set(f, E_USAGE, "--election (or --send) is needed");
    return tree_election(given, out, f);
}

static int finish(const char *command, err e, struct fail *f, const struct make_options *m,
                  struct buf *text) {
    if (e == OK) e = buf_ok(text, f);
    int code = e == OK ? make_finish(command, m, buf_view(text)) : cli_fail(command, f);
    buf_release(text);
    return code;
}

/* --- object --- */

struct object_args {
    const char *contest, *ground, *reason, *election;
    uint64_t round;
    struct opt_list units, evidence;
};

static err objection_text(const struct object_args *a, struct make_options *m, struct words *w,
                          struct buf *text, struct fail *f) {
    struct compose_objection o = {.round = (unsigned)a->round};
    struct named_object evidence[EVIDENCE_MAX];
    struct span units[UNITS_MAX];
    if (!a->contest || a->units.n == 0 || !a->reason)
        return fail_set(f, E_USAGE, "--contest, --unit and --reason FILE are needed");
    if (a->units.n > UNITS_MAX || a->evidence.n > EVIDENCE_MAX)
        return fail_set(f, E_USAGE, "at most %d units (name the one above them) and %d pieces of evidence",
                        UNITS_MAX, EVIDENCE_MAX);
    if (a->round < 1 || a->round > MAX_ROUNDS) return fail_set(f, E_USAGE, "rounds are counted from 1");
    TRY(which_election(a->election, m, &o.election, f));
    TRY(words_restricted(m, w, a->reason, &o.reason, f));
    for (size_t i = 0; i < a->evidence.n; i++)
        TRY(words_restricted(m, w, a->evidence.at[i], &evidence[i], f));
    for (size_t i = 0; i < a->units.n; i++) units[i] = span_text(a->units.at[i]);
    o.contest = span_text(a->contest);
    o.ground = a->ground;
    o.evidence = evidence;
    o.evidence_count = a->evidence.n;
    o.units = units;
    o.unit_count = a->units.n;
    compose_objection(text, &o);
    return OK;
}

int cmd_object(int argc, char **argv) {
    static struct words w;
    struct make_options m = {0};
    struct object_args a = {.ground = "figures", .round = 1};
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--unit", OPT_LIST, &a.units, "CODE", "what is contested: a station, a constituency... (may be given several times)"},
        {"--ground", OPT_TEXT, &a.ground, "WORD", "figures (the default), form, identity, procedure, missing, other"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why, in words (not public, erasable)"},
        {"--evidence", OPT_LIST, &a.evidence, "FILE", "a photograph, a statement... (not public, erasable)"},
        {"--round", OPT_U64, &a.round, "N", "round of the contest (1)"},
        ELECTION_OPTION(a.election),
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "object --contest ID --unit CODE --reason FILE --key KEY [--evidence FILE] [--send URL]",
        "Makes an objection: a party's, agent's or observer's, by one key. It is on record at once. Once an\n"
        "officer admits it ('hesabu admit'), it holds the declaration until it is ruled on.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf text;
    buf_init(&text, 16384);
    err e = objection_text(&a, &m, &w, &text, &f);
    return finish("object", e, &f, &m, &text);
}

/* --- admit, rule --- */

struct about {
    const char *says, *reason, *order, *election, *answer_by;
};

static err read_about(const char *id, const struct about *a, struct make_options *m, struct words *w,
                      struct hash *objection, struct hash *election, struct named_object *order,
                      struct named_object *reason, struct fail *f) {
    TRY(hash_from_hex(span_text(id), objection, f));
    TRY(which_election(a->election, m, election, f));
    TRY(words_public(m, a->order, ORDER_MAX, order, f));
    return words_restricted(m, w, a->reason, reason, f);
}

int cmd_admit(int argc, char **argv) {
    static struct words w;
    struct make_options m = {0};
    struct about a = {0};
    bool refuse = false;
    const struct opt options[] = {
        {"--refuse", OPT_FLAG, &refuse, NULL, "refuse it: it holds nothing up, and stays on record"},
        {"--answer-by", OPT_TEXT, &a.answer_by, "TIME", "until when an answer is asked for"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why, in words (not public, erasable)"},
        {"--order", OPT_TEXT, &a.order, "FILE", "a court's order (public): needed to change what was said before"},
        ELECTION_OPTION(a.election),
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "admit OBJECTION_ID --key KEY [--answer-by TIME] [--refuse] [--send URL]",
        "Says whether an objection is admitted: the returning officer of its units, the national returning\n"
        "officer, or the commissioners. An admitted one holds the declaration until 'hesabu rule'.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf text;
    struct hash objection, election;
    struct named_object order, reason;
    uint64_t answer_by = UINT64_MAX;
    buf_init(&text, 8192);
    err e = read_about(argv[0], &a, &m, &w, &objection, &election, &order, &reason, &f);
    if (e == OK && a.answer_by) e = value_time(a.answer_by, &answer_by, &f);
    if (e == OK)
        compose_admission(&text, &election, &objection, refuse ? "refused" : "admitted", answer_by, order,
                          reason);
    return finish("admit", e, &f, &m, &text);
}

int cmd_rule(int argc, char **argv) {
    static struct words w;
    struct make_options m = {0};
    struct about a = {0};
    const struct opt options[] = {
        {"--says", OPT_TEXT, &a.says, "WORD", "upheld, partly, dismissed; or withdrawn, by whoever objected"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why, in words (not public, erasable)"},
        {"--order", OPT_TEXT, &a.order, "FILE", "a court's order (public): needed for another ruling"},
        ELECTION_OPTION(a.election),
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "rule OBJECTION_ID --says WORD --key KEY --key SECOND [--order FILE] [--send URL]",
        "Rules on an admitted objection: an officer with a second person, or the commissioners. A ruling\n"
        "changes no figure; where it upholds, each station concerned waits for a decision.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf text;
    struct hash objection, election;
    struct named_object order, reason;
    buf_init(&text, 8192);
    err e = a.says ? OK : fail_set(&f, E_USAGE, "--says is needed: upheld, partly, dismissed or withdrawn");
    if (e == OK) e = read_about(argv[0], &a, &m, &w, &objection, &election, &order, &reason, &f);
    if (e == OK) compose_ruling(&text, &election, &objection, a.says, order, reason);
    return finish("rule", e, &f, &m, &text);
}
