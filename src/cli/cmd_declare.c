/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu declare, dissent: what the law's declarer says of a contest, bound to a checkpoint that
 * witnesses have seen, and what each commissioner says of that. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/law_view.h"
#include "cli/words.h"
#include "election/compose_law.h"
#include "tlog/checkpoint.h"

int cmd_declare(int argc, char **argv);
int cmd_dissent(int argc, char **argv);

enum { BASIS_MAX = 1 << 20, CERTIFICATE_MAX = 32 << 20, OUT_MAX = 1 << 20, TRIES = 120 };

struct declare_args {
    const char *contest, *override, *certificate, *checkpoint;
};

struct work {
    const struct declare_args *a;
    struct make_options *m;
    struct law_view v;
    struct arena mem;
    struct gate gate;
    uint32_t collation, standing; /* override that lists what is open */
    struct outcome outcome;
};

/* The newest override of the contest that lists everything that is open now. */
static uint32_t covering_override(const struct work *w) {
    const struct fold *s = w->v.log.fold;
    for (size_t i = fold_override_count(s); i-- > 0;) {
        const struct override *o = fold_override(s, (uint32_t)i);
        if (o->contest == w->v.contest && o->round == w->v.round && gate_is_overridden(s, &w->gate, o))
            return (uint32_t)i;
    }
    return NO_OVERRIDE;
}

static err look(struct work *w, struct fail *f) {
    const struct fold *s = w->v.log.fold;
    arena_release(&w->mem);
    arena_init(&w->mem, (size_t)1 << 30);
    if (declaration_of(s, w->v.contest, w->v.round) != NO_DECLARATION)
        return fail_set(f, E_STATE, "the contest is declared already; 'hesabu gate' shows how");
    TRY(gate_compute(s, &w->v.findings, w->v.contest, w->v.round, &w->mem, &w->gate, f));
    w->collation = fold_collation_of(s, w->v.contest, w->v.round, fold_contest(s, w->v.contest)->unit);
    w->outcome = w->gate.materiality.now;
    w->standing = w->gate.open_items ? covering_override(w) : NO_OVERRIDE;
    if (w->outcome.kind == OUTCOME_UNOPPOSED) return OK;
    if (w->collation == NO_COLLATION)
        return fail_set(f, E_STATE, "there is no collation of the contest yet: 'hesabu collate' makes it");
    TRY(collation_outcome(s, fold_collation(s, w->collation), &w->mem, &w->outcome, f));
    if (!outcome_declarable(&w->outcome))
        return fail_set(f, E_OUTCOME, "the collation's totals give no outcome that can be declared (%s)",
                        outcome_name(w->outcome.kind));
    return OK;
}

static err shut(const struct work *w, struct fail *f) {
    struct buf b;
    buf_init(&b, OUT_MAX);
    law_items(w->v.log.fold, &w->gate, &b);
    fprintf(stderr, "the gate is shut:\n%.*s", (int)b.n, (const char *)b.p);
    buf_release(&b);
    return fail_set(f, E_GATE, "%u items forbid the declaration; --override FILE (the legal basis in words) "
                               "declares all the same, and lists them for ever", w->gate.open_items);
}

static err compose_items(struct work *w, struct buf *text, struct fail *f) {
    struct compose_override_item items[GATE_COUNT];
    struct named_object basis;
    size_t n = 0;
    TRY(words_public(w->m, w->a->override, BASIS_MAX, &basis, f));
    for (int c = 0; c < GATE_COUNT; c++)
        if (w->gate.items[c].count)
            items[n++] = (struct compose_override_item){gate_name((enum gate_code)c), w->gate.items[c].count};
    compose_override(text, &w->v.election, fold_contest(w->v.log.fold, w->v.contest)->id, w->v.round,
                     basis, items, n);
    return buf_ok(text, f);
}

/* A checkpoint that covers what the declaration rests on; it may take the witnesses a moment. */
static err find_checkpoint(struct work *w, struct buf *note, uint64_t *size, struct hash *root,
                           struct fail *f) {
    const struct fold *s = w->v.log.fold;
    uint64_t need = 1;
    if (w->collation != NO_COLLATION) need = fold_collation(s, w->collation)->entry + 1;
    if (w->standing != NO_OVERRIDE && fold_override(s, w->standing)->entry + 1 > need)
        need = fold_override(s, w->standing)->entry + 1;
    err e = OK;
    for (int i = 0; i < TRIES; i++) {
        e = law_checkpoint(&w->v, need, note, size, root, f);
        if (e != E_NOT_FOUND || !w->m->send.url) return e;
        struct timespec half = {0, 500000000};
        (void)nanosleep(&half, NULL);
    }
    return e;
}

static err compose(struct work *w, struct buf *text, struct fail *f) {
    const struct fold *s = w->v.log.fold;
    const struct contest *k = fold_contest(s, w->v.contest);
    struct compose_declaration d = {.election = w->v.election, .contest = k->id, .round = w->v.round,
                                    .kind = w->outcome.kind};
    struct hash collation, override;
    struct span choices[MAX_CHOICES];
    struct buf note;
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    err e = find_checkpoint(w, &note, &d.size, &d.root, f);
    const char *path = w->a->checkpoint ? w->a->checkpoint : "declared.checkpoint";
    if (e == OK) e = file_write_durable(path, buf_view(&note), 0644, f);
    buf_release(&note);
    TRY(e);
    TRY(words_public(w->m, path, CHECKPOINT_BYTES_MAX, &d.checkpoint, f));
    TRY(words_public(w->m, w->a->certificate, CERTIFICATE_MAX, &d.certificate, f));
    if (w->collation != NO_COLLATION) {
        collation = fold_id(s, fold_collation(s, w->collation)->entry);
        d.collation = &collation;
    }
    if (w->standing != NO_OVERRIDE) {
        override = fold_id(s, fold_override(s, w->standing)->entry);
        d.override = &override;
    }
    for (uint32_t i = 0; i < k->choice_count; i++)
        if (outcome_has(&w->outcome, i)) choices[d.choice_count++] = contest_choice(s, k, i)->id;
    d.choices = choices;
    compose_declaration(text, &d);
    return buf_ok(text, f);
}

/* Sends the override, and waits until the tree has it. *code: what the sending said. */
static err send_override(struct work *w, int *code, struct fail *f) {
    struct buf text;
    buf_init(&text, 65536);
    err e = compose_items(w, &text, f);
    if (e == OK) *code = make_finish("declare", w->m, buf_view(&text));
    buf_release(&text);
    w->m->objects.n = 0;
    if (e != OK || *code != 0) return e;
    for (int i = 0; i < TRIES; i++) {
        TRY(law_again(&w->v, f));
        TRY(look(w, f));
        if (w->standing != NO_OVERRIDE || w->gate.open_items == 0) return OK;
        struct timespec half = {0, 500000000};
        (void)nanosleep(&half, NULL);
    }
    return fail_set(f, E_TIMEOUT, "the override is sent and not yet in the published tree: run 'hesabu declare' again");
}

static err run(struct work *w, const char *where, int *code, struct fail *f) {
    if (!w->a->contest) return fail_set(f, E_USAGE, "--contest is needed");
    TRY(law_open("declare", where, w->m->send.anchor, w->a->contest, &w->v, f));
    TRY(look(w, f));
    if (w->gate.open_items && w->standing == NO_OVERRIDE) {
        if (!w->a->override) return shut(w, f);
        if (!w->m->send.url) { /* the override first: the declaration names it */
            struct buf text;
            buf_init(&text, 65536);
            err e = compose_items(w, &text, f);
            if (e == OK) {
                fprintf(stderr, "this is the override; once it is in the log, run 'hesabu declare' again\n");
                *code = make_finish("declare", w->m, buf_view(&text));
            }
            buf_release(&text);
            return e;
        }
        TRY(send_override(w, code, f));
        if (*code != 0) return OK;
    }
    struct buf text;
    buf_init(&text, 65536);
    err e = compose(w, &text, f);
    if (e == OK) *code = make_finish("declare", w->m, buf_view(&text));
    buf_release(&text);
    return e;
}

int cmd_declare(int argc, char **argv) {
    struct declare_args a = {0};
    struct make_options m = {0};
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--override", OPT_TEXT, &a.override, "FILE", "declare although the gate is shut: the legal basis in words (public)"},
        {"--certificate", OPT_TEXT, &a.certificate, "FILE", "the certificate (public)"},
        {"--checkpoint", OPT_TEXT, &a.checkpoint, "FILE", "where to write the checkpoint that is bound (declared.checkpoint)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "declare DIR|URL --contest ID --key KEY [--override FILE] [--certificate FILE] [--send URL]",
        "Declares a contest on its collation, bound to a checkpoint that the witnesses have cosigned. The\n"
        "outcome is what the contest's rule gives on the collation's totals. While something forbids it,\n"
        "only an override declares all the same: it lists each open item and its legal basis, for ever.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct work *w = calloc(1, sizeof *w);
    struct fail f = {0};
    if (!w) return 70;
    w->a = &a;
    w->m = &m;
    arena_init(&w->mem, 1);
    err e = run(w, argv[0], &code, &f);
    if (e != OK) code = cli_fail("declare", &f);
    arena_release(&w->mem);
    law_close(&w->v);
    free(w);
    return code;
}

/* ---- dissent ---- */

static err dissent_text(struct law_view *v, const char *reason, bool verified, struct make_options *m,
                        struct words *w, struct buf *text, struct fail *f) {
    struct named_object why;
    struct buf key;
    uint32_t d = declaration_of(v->log.fold, v->contest, v->round);
    if (d == NO_DECLARATION) return fail_set(f, E_STATE, "the contest is not declared yet");
    TRY(words_restricted(m, w, reason, &why, f));
    struct hash id = fold_id(v->log.fold, fold_declaration(v->log.fold, d)->entry);
    if (m->keys.n != 1) return fail_set(f, E_USAGE, "--key FILE is needed, once: it is one commissioner's word");
    buf_init(&key, 1024);
    err e = folder_key_name(m->keys.at[0], &key, f);
    if (e == OK) {
        compose_dissent(text, &v->election, &id, buf_view(&key), !verified, why);
        e = buf_ok(text, f);
    }
    buf_release(&key);
    return e;
}

int cmd_dissent(int argc, char **argv) {
    static struct words w;
    struct make_options m = {0};
    const char *contest = NULL, *reason = NULL;
    bool verified = false;
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &contest, "ID", "the contest that was declared"},
        {"--verified", OPT_FLAG, &verified, NULL, "I have verified it (without it: I dissent)"},
        {"--reason", OPT_TEXT, &reason, "FILE", "why, in words (not public, erasable)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "dissent DIR|URL --contest ID --key KEY [--verified] [--reason FILE] [--send URL]",
        "A commissioner's own word on a declaration, once: dissents, or has verified it. It stands beside the\n"
        "declaration, and does not undo it.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct law_view *v = calloc(1, sizeof *v);
    struct fail f = {0};
    struct buf text;
    if (!v) return 70;
    buf_init(&text, 8192);
    err e = contest ? law_open("dissent", argv[0], m.send.anchor, contest, v, &f)
                    : fail_set(&f, E_USAGE, "--contest is needed");
    if (e == OK) e = dissent_text(v, reason, verified, &m, &w, &text, &f);
    code = e == OK ? make_finish("dissent", &m, buf_view(&text)) : cli_fail("dissent", &f);
    buf_release(&text);
    law_close(v);
    free(v);
    return code;
}
