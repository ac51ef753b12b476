/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu observe: an observer's report from a station: a checklist, and an own count. */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/csv.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/tree.h"
#include "cli/values.h"
#include "cli/words.h"
#include "election/compose_voices.h"

int cmd_observe(int argc, char **argv);

enum { ITEMS_MAX = 100 };

struct observe_args {
    const char *contest, *station, *items, *votes, *note, *election, *at, *checklist;
    uint64_t round, valid, rejected;
    struct compose_item item[ITEMS_MAX];
    size_t item_count;
    struct span names[MAX_CHOICES];
    uint64_t figures[MAX_CHOICES];
};

/* "posted=yes,queue=40" */
static err read_items(struct observe_args *a, struct fail *f) {
    static const char *const words[] = {"yes", "no", "unknown"};
    struct span rest = span_text(a->items), part, name, value;
    while (rest.n) {
        const uint8_t *comma = memchr(rest.p, ',', rest.n);
        part = comma ? span_of(rest.p, (size_t)(comma - rest.p)) : rest;
        rest = span_from(rest, part.n + (comma ? 1 : 0));
        const uint8_t *is = part.n ? memchr(part.p, '=', part.n) : NULL;
        if (!is || a->item_count == ITEMS_MAX)
            return fail_set(f, E_USAGE, "--items is NAME=ANSWER,..., at most %d; an answer is yes, no, unknown "
                                        "or a whole number",
                            ITEMS_MAX);
        name = span_of(part.p, (size_t)(is - part.p));
        value = span_from(part, name.n + 1);
        struct compose_item *x = &a->item[a->item_count++];
        *x = (struct compose_item){.name = name, .kind = OBSERVED_FIGURE};
        for (uint8_t k = 0; k < 3; k++)
            if (span_is(value, words[k])) x->kind = k;
        if (x->kind == OBSERVED_FIGURE && u64_parse(value, FIGURE_MAX, &x->value, f) != OK)
            return fail_set(f, E_USAGE, "%.*s is yes, no, unknown or a whole number, not \"%.*s\"",
                            SPAN_ARG(name), SPAN_ARG(value));
        for (size_t k = 0; k + 1 < a->item_count; k++)
            if (span_eq(a->item[k].name, name))
                return fail_set(f, E_USAGE, "%.*s is answered twice", SPAN_ARG(name));
    }
    return OK;
}

/* A checklist is a CSV with columns item and question: an item that it does not have is a slip; one that
 * was left out is told. */
static err check_items(const struct observe_args *a, struct fail *f) {
    struct csv *r;
    size_t item, question;
    bool used[ITEMS_MAX] = {0}, more = true;
    TRY(csv_open(a->checklist, &r, f));
    err e = csv_column(r, "item", &item, f);
    if (e == OK) e = csv_column(r, "question", &question, f);
    while (e == OK && (e = csv_next(r, &more, f)) == OK && more) {
        bool found = false;
        for (size_t i = 0; i < a->item_count; i++) {
            if (!span_eq(a->item[i].name, csv_field(r, item))) continue;
            used[i] = found = true;
        }
        if (!found)
            fprintf(stderr, "not answered: %.*s (%.*s)\n", SPAN_ARG(csv_field(r, item)),
                    SPAN_ARG(csv_field(r, question)));
    }
    csv_close(r);
    for (size_t i = 0; e == OK && i < a->item_count; i++)
        if (!used[i])
            e = fail_set(f, E_USAGE, "%.*s is not on the checklist %s", SPAN_ARG(a->item[i].name), a->checklist);
    return e;
}

static err observation_text(struct observe_args *a, struct make_options *m, struct words *w,
                            struct buf *key, struct buf *text, struct fail *f) {
    struct compose_observation o = {.valid = a->valid, .rejected = a->rejected};
    if (!a->election) a->election = m->send.url;
    if (!a->station || !a->election || (!a->items && !a->votes))
        return fail_set(f, E_USAGE, "--station, --items or --votes, and --election (or --send) are needed");
    if (m->keys.n != 1)
        return fail_set(f, E_USAGE, "--key once: an observation is one person's, and names the key that signs it");
    TRY(folder_key_name(m->keys.at[0], key, f));
    if (a->votes && !a->contest) return fail_set(f, E_USAGE, "--votes are of a --contest");
    if (a->round < 1 || a->round > MAX_ROUNDS) return fail_set(f, E_USAGE, "rounds are counted from 1");
    TRY(tree_election(a->election, &o.election, f));
    if (a->items) TRY(read_items(a, f));
    if (a->checklist) TRY(check_items(a, f));
    if (a->votes) TRY(value_pairs(a->votes, a->names, a->figures, MAX_CHOICES, &o.choice_count, f));
    o.at_ms = clock_wall_ms();
    if (a->at) TRY(value_time(a->at, &o.at_ms, f));
    TRY(words_restricted(m, w, a->note, &o.note, f));
    o.key = buf_view(key);
    o.station = span_text(a->station);
    if (a->contest) o.contest = span_text(a->contest);
    o.round = (unsigned)a->round;
    o.items = a->item;
    o.item_count = a->item_count;
    o.has_counts = a->votes != NULL;
    o.choices = a->names;
    o.votes = a->figures;
    compose_observation(text, &o);
    return OK;
}

int cmd_observe(int argc, char **argv) {
    static struct words w;
    static struct observe_args a;
    struct make_options m = {0};
    a.round = 1;
    a.valid = a.rejected = ABSENT;
    const struct opt options[] = {
        {"--station", OPT_TEXT, &a.station, "CODE", "the polling station"},
        {"--items", OPT_TEXT, &a.items, "NAME=ANSWER,...", "the checklist: yes, no, unknown or a whole number"},
        {"--checklist", OPT_TEXT, &a.checklist, "FILE", "CSV of item,question: slips are refused, gaps are told"},
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest that was counted"},
        {"--votes", OPT_TEXT, &a.votes, "A=1,B=2", "votes by choice, as counted or read from the posted form"},
        {"--valid", OPT_U64, &a.valid, "N", "valid votes"},
        {"--rejected", OPT_U64, &a.rejected, "N", "rejected ballot papers"},
        {"--round", OPT_U64, &a.round, "N", "round of the contest (1)"},
        {"--note", OPT_TEXT, &a.note, "FILE", "more, in words (not public, erasable)"},
        {"--at", OPT_TEXT, &a.at, "TIME", "when it was seen (now)"},
        {"--election", OPT_TEXT, &a.election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "observe --station CODE --items NAME=ANSWER,... --key KEY [--contest ID --votes A=1,B=2] [--send URL]",
        "Makes an observer's report from a station. Its figures are compared, never added to a total.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf text, key;
    buf_init(&text, 16384);
    buf_init(&key, NOTE_NAME_MAX + 1);
    err e = observation_text(&a, &m, &w, &key, &text, &f);
    if (e == OK) e = buf_ok(&text, &f);
    code = e == OK ? make_finish("observe", &m, buf_view(&text)) : cli_fail("observe", &f);
    buf_release(&text);
    buf_release(&key);
    return code;
}
