/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu amend: the commissioners change the definition, from its own entry on. */
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/send.h"
#include "cli/tree_log.h"
#include "cli/words.h"
#include "election/definition.h"

int cmd_amend(int argc, char **argv);

enum { POLICY_MAX = 32768, OBJECT_BYTES_MAX = 1 << 30 };

struct amending {
    struct opt_list areas, choices, rounds, closes;
    const char *threshold, *policy, *units, *contests, *reason;
    struct make_options m;
    struct words words;
    struct json_out j;
    struct fail *f;
};

/* "LEFT=RIGHT" */
static err halves(const char *text, struct span *left, struct span *right, const char *what, struct fail *f) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || equals[1] == 0)
        return fail_set(f, E_USAGE, "%s, not \"%s\"", what, text);
    *left = span_of(text, (size_t)(equals - text));
    *right = span_text(equals + 1);
    return OK;
}

/* "CONTEST:REST" */
static err contest_of(struct span s, struct span *contest, struct span *rest, const char *what,
                      struct fail *f) {
    const uint8_t *colon = memchr(s.p, ':', s.n);
    if (!colon || colon == s.p) return fail_set(f, E_USAGE, "%s, not \"%.*s\"", what, SPAN_ARG(s));
    *contest = span_of(s.p, (size_t)(colon - s.p));
    *rest = span_from(s, contest->n + 1);
    return OK;
}

static void change_begin(struct amending *a, const char *kind) {
    json_object(&a->j);
    json_key(&a->j, kind);
}

static err areas(struct amending *a) {
    static const char what[] = "--area takes CONTEST:UNIT=STATE";
    for (size_t i = 0; i < a->areas.n; i++) {
        struct span left, state, contest, unit;
        TRY(halves(a->areas.at[i], &left, &state, what, a->f));
        TRY(contest_of(left, &contest, &unit, what, a->f));
        change_begin(a, "area");
        json_object(&a->j);
        json_kspan(&a->j, "contest", contest);
        json_kspan(&a->j, "state", state);
        json_kspan(&a->j, "unit", unit);
        json_object_end(&a->j);
        json_object_end(&a->j);
    }
    return OK;
}

static err choices(struct amending *a) {
    static const char what[] = "--choice takes CONTEST:CHOICE=STATE";
    for (size_t i = 0; i < a->choices.n; i++) {
        struct span left, state, contest, choice;
        TRY(halves(a->choices.at[i], &left, &state, what, a->f));
        TRY(contest_of(left, &contest, &choice, what, a->f));
        change_begin(a, "choice");
        json_object(&a->j);
        json_kspan(&a->j, "choice", choice);
        json_kspan(&a->j, "contest", contest);
        json_kspan(&a->j, "state", state);
        json_object_end(&a->j);
        json_object_end(&a->j);
    }
    return OK;
}

static err rounds(struct amending *a) {
    static const char what[] = "--next-round takes CONTEST:ROUND=CHOICE,CHOICE...";
    for (size_t i = 0; i < a->rounds.n; i++) {
        struct span left, list, contest, number;
        uint64_t round;
        TRY(halves(a->rounds.at[i], &left, &list, what, a->f));
        TRY(contest_of(left, &contest, &number, what, a->f));
        if (u64_parse(number, MAX_ROUNDS, &round, NULL) != OK) return fail_set(a->f, E_USAGE, "%s", what);
        change_begin(a, "round");
        json_object(&a->j);
        json_key(&a->j, "choices");
        json_array(&a->j);
        while (list.n) {
            const uint8_t *comma = memchr(list.p, ',', list.n);
            size_t n = comma ? (size_t)(comma - list.p) : list.n;
            json_span(&a->j, span_of(list.p, n));
            list = span_from(list, n + (comma ? 1 : 0));
        }
        json_array_end(&a->j);
        json_kspan(&a->j, "contest", contest);
        json_ku64(&a->j, "round", round);
        json_object_end(&a->j);
        json_object_end(&a->j);
    }
    return OK;
}

static err object_change(struct amending *a, const char *kind, const char *file) {
    struct named_object o;
    if (!file) return OK;
    TRY(words_public(&a->m, file, OBJECT_BYTES_MAX, &o, a->f));
    change_begin(a, kind);
    json_object(&a->j);
    json_khex(&a->j, "sha256", hash_span(&o.id));
    json_ku64(&a->j, "size", o.size);
    json_object_end(&a->j);
    json_object_end(&a->j);
    return OK;
}

static err policy_change(struct amending *a) {
    struct buf b;
    struct span rest, line;
    if (!a->policy) return OK;
    buf_init(&b, POLICY_MAX);
    err e = file_read(a->policy, POLICY_MAX, &b, a->f);
    change_begin(a, "policy");
    json_array(&a->j);
    rest = buf_view(&b);
    while (e == OK && span_line(&rest, &line)) json_span(&a->j, line);
    json_array_end(&a->j);
    json_object_end(&a->j);
    buf_release(&b);
    return e;
}

static err write_changes(struct amending *a) {
    TRY(areas(a));
    TRY(choices(a));
    for (size_t i = 0; i < a->closes.n; i++) {
        change_begin(a, "close");
        json_object(&a->j);
        json_kspan(&a->j, "unit", span_text(a->closes.at[i]));
        json_object_end(&a->j);
        json_object_end(&a->j);
    }
    TRY(object_change(a, "contests", a->contests));
    TRY(policy_change(a));
    TRY(rounds(a));
    if (a->threshold) {
        uint64_t m;
        if (u64_parse(span_text(a->threshold), 1000, &m, NULL) != OK)
            return fail_set(a->f, E_USAGE, "--threshold takes a whole number");
        change_begin(a, "threshold");
        json_u64(&a->j, m);
        json_object_end(&a->j);
    }
    return object_change(a, "units", a->units);
}

/* The next definition's number, from the log itself. */
static err next_definition(const char *where, const char *anchor, struct hash *election, uint64_t *out,
                           struct fail *f) {
    struct tree tree;
    struct tree_log log = {0};
    struct tree_log_options o = {.anchor = anchor, .what = "amend"};
    TRY(tree_open(where, &tree, f));
    err e = tree_log_read(&tree, &o, &log, f);
    if (e == OK) {
        *out = fold_definition(log.fold)->version + 1u;
        (void)fold_election(log.fold, election);
    }
    tree_log_release(&log);
    tree_close(&tree);
    return e;
}

static err amend_text(struct amending *a, const char *where, struct buf *text) {
    struct hash election;
    struct named_object reason;
    uint64_t definition;
    TRY(next_definition(where, a->m.send.anchor, &election, &definition, a->f));
    TRY(words_restricted(&a->m, &a->words, a->reason, &reason, a->f));
    buf_str(text, "hesabu/v1 amend\n");
    a->j = json_out(text);
    json_object(&a->j);
    json_key(&a->j, "changes");
    json_array(&a->j);
    size_t before = text->n;
    TRY(write_changes(a));
    if (text->n == before)
        return fail_set(a->f, E_USAGE, "nothing to change: 'hesabu amend --help' says what can be");
    json_array_end(&a->j);
    json_ku64(&a->j, "definition", definition);
    json_khex(&a->j, "election", hash_span(&election));
    if (a->reason) {
        json_key(&a->j, "reason");
        json_object(&a->j);
        json_khex(&a->j, "sha256", hash_span(&reason.id));
        json_ku64(&a->j, "size", reason.size);
        json_object_end(&a->j);
    }
    json_object_end(&a->j);
    buf_byte(text, '\n');
    return buf_ok(text, a->f);
}

int cmd_amend(int argc, char **argv) {
    static struct amending a;
    struct fail f = {0};
    struct buf text;
    const struct opt options[] = {
        {"--area", OPT_LIST, &a.areas, "CONTEST:UNIT=STATE", "open, postponed, cancelled, unopposed or annulled there"},
        {"--choice", OPT_LIST, &a.choices, "CONTEST:CHOICE=STATE", "stands, dead or withdrawn"},
        {"--next-round", OPT_LIST, &a.rounds, "CONTEST:N=A,B", "a further round with these choices"},
        {"--close", OPT_LIST, &a.closes, "STATION", "give up a station that has said nothing"},
        {"--units", OPT_TEXT, &a.units, "FILE", "further units (an object, see spec/records.md, 5)"},
        {"--contests", OPT_TEXT, &a.contests, "FILE", "further contests"},
        {"--policy", OPT_TEXT, &a.policy, "FILE", "another witness policy"},
        {"--threshold", OPT_TEXT, &a.threshold, "M", "how many commissioners must sign from now on"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why, in words (not public, erasable)"},
        MAKE_OPTIONS(a.m),
    };
    const struct usage u = {
        "amend DIR|URL --area CONTEST:UNIT=postponed ... [--key KEY ...] [--send URL]",
        "Writes the next version of the election's definition: areas postponed or annulled, candidates dead\n"
        "or withdrawn, a further round, stations split, another witness policy, another number of\n"
        "commissioners. Holds from its own entry on. As many commissioners sign as the threshold before it\n"
        "asks; without their keys it is only the text, for 'hesabu sign' and 'hesabu merge'.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    a.f = &f;
    buf_init(&text, 61440);
    err e = amend_text(&a, argv[0], &text);
    f.code = e;
    code = e == OK ? make_finish("amend", &a.m, buf_view(&text)) : cli_fail("amend", &f);
    buf_release(&text);
    return code;
}
