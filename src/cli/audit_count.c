/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit count: a hand count of one box. It is sealed first; what was counted stays in a folder of
 * the counter's until a second person has sealed an own count, and is opened then. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/csv.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/audit_on.h"
#include "cli/send.h"
#include "cli/values.h"
#include "crypto/secret.h"
#include "election/compose_audit.h"

struct count_args {
    const char *dir, *plan, *station, *votes, *keep, *counts;
    uint64_t rejected;
    bool lost, targeted, open;
};

enum { KEPT_MAX = 16384, OPEN_MAX = 4096 };

/* keep/SEAL: "nonce HEX\ncounts JSON\n" */
static err keep_count(const char *dir, const struct hash *seal, const uint8_t nonce[32], struct span counts,
                      struct fail *f) {
    char path[PATH_MAX_LEN], hex[HASH_HEX_LEN + 1];
    struct buf b;
    TRY(file_mkdirs(dir, f));
    hash_hex(seal, hex);
    TRY(path_join(path, sizeof path, dir, hex, f));
    buf_init(&b, KEPT_MAX);
    buf_str(&b, "nonce ");
    buf_hex(&b, span_of(nonce, 32));
    buf_str(&b, "\ncounts ");
    buf_span(&b, counts);
    buf_byte(&b, '\n');
    err e = buf_ok(&b, f);
    if (e == OK) e = file_write_durable(path, buf_view(&b), 0600, f);
    buf_release(&b);
    return e;
}

static err counts_of(const struct count_args *a, const struct audit_log *x, struct buf *out, struct fail *f) {
    struct span names[MAX_CHOICES];
    uint64_t votes[MAX_CHOICES];
    size_t n = 0;
    uint64_t sum = 0, ballots = UINT64_MAX;
    if (a->lost == (a->votes != NULL)) return fail_set(f, E_USAGE, "give --votes, or --lost if there is no box");
    if (a->votes) TRY(value_pairs(a->votes, names, votes, MAX_CHOICES, &n, f));
    for (size_t k = 0; k < x->t.c.choices && a->votes; k++) {
        size_t i = 0;
        while (i < n && !span_is(names[i], x->list.choice[k])) i++;
        if (i == n || votes[i] == UINT64_MAX)
            return fail_set(f, E_USAGE, "a hand count has a figure for every choice, none is blank: %s is missing",
                            x->list.choice[k]);
        sum += votes[i];
    }
    for (size_t g = 0; g < x->t.c.batches; g++)
        if (span_is(x->list.name[g], a->station)) ballots = x->t.c.bound[g];
    if (sum > ballots)
        fprintf(stderr, "check: %llu votes where the plan allows %llu ballots; if that is so the plan's bounds are "
                        "wrong, and no risk can be given until they are right\n",
                (unsigned long long)sum, (unsigned long long)ballots);
    compose_audit_counts(out, a->lost, a->rejected, names, votes, n);
    return buf_ok(out, f);
}

static int seal_count(struct count_args *a, struct make_options *m, struct audit_on *x) {
    struct fail f = {0};
    struct buf counts, text;
    uint8_t nonce[32];
    buf_init(&counts, KEPT_MAX);
    buf_init(&text, KEPT_MAX);
    secret_random(nonce, sizeof nonce);
    err e = a->station ? OK : fail_set(&f, E_USAGE, "--station CODE is needed (or --open)");
    if (e == OK && m->keys.n != 1) e = fail_set(&f, E_USAGE, "--key FILE is needed, once: a count is one person's");
    if (e == OK) e = audit_on_open(a->dir, a->plan, "audit count", x, &f);
    if (e == OK) e = counts_of(a, &x->a, &counts, &f);
    if (e == OK) {
        struct hash seal = audit_count_seal(nonce, buf_view(&counts));
        e = keep_count(a->keep, &seal, nonce, buf_view(&counts), &f);
        compose_audit_seal(&text, &x->election, &x->plan_id, span_text(a->station), &seal, a->targeted);
    }
    if (e == OK) e = buf_ok(&text, &f);
    int code = e == OK ? make_finish("audit count", m, buf_view(&text)) : cli_fail("audit count", &f);
    if (code == 0)
        fprintf(stderr, "sealed; what was counted is kept in %s: 'audit count --open' shows it once a second person "
                        "has sealed a count too\n",
                a->keep);
    buf_release(&counts);
    buf_release(&text);
    return code;
}

/* --- a whole session's counts --- */

struct sheet { /* columns of a CSV of counts */
    struct csv *csv;
    size_t station, rejected, choice[MAX_CHOICES];
    bool has_rejected;
};

static err sheet_open(const char *path, const struct audit_log *x, struct sheet *s, struct fail *f) {
    TRY(csv_open(path, &s->csv, f));
    TRY(csv_column(s->csv, "station", &s->station, f));
    for (size_t k = 0; k < x->t.c.choices; k++) TRY(csv_column(s->csv, x->list.choice[k], &s->choice[k], f));
    s->has_rejected = csv_column(s->csv, "rejected", &s->rejected, NULL) == OK;
    return OK;
}

/* The text of one row's seal; its counts are kept. */
static err row_text(const struct count_args *a, const struct audit_on *x, struct sheet *s, struct buf *text,
                    struct fail *f) {
    struct span names[MAX_CHOICES];
    uint64_t votes[MAX_CHOICES], rejected = UINT64_MAX;
    size_t n = x->a.t.c.choices, lost = 0;
    uint8_t nonce[32];
    struct buf counts;
    bool given;
    for (size_t k = 0; k < n; k++) {
        names[k] = span_text(x->a.list.choice[k]);
        votes[k] = 0;
        if (span_is(csv_field(s->csv, s->choice[k]), "lost")) {
            lost++;
            continue;
        }
        TRY(csv_u64(s->csv, s->choice[k], FIGURE_MAX, &given, &votes[k], f));
        if (!given)
            return fail_set(f, E_CSV, "line %llu: a hand count has a figure for every choice; there is none for %s",
                            (unsigned long long)csv_line(s->csv), x->a.list.choice[k]);
    }
    if (lost && lost != n)
        return fail_set(f, E_CSV, "line %llu: \"lost\" stands for every choice or for none",
                        (unsigned long long)csv_line(s->csv));
    if (s->has_rejected && !lost) {
        TRY(csv_u64(s->csv, s->rejected, FIGURE_MAX, &given, &rejected, f));
        if (!given) rejected = UINT64_MAX;
    }
    buf_init(&counts, KEPT_MAX);
    secret_random(nonce, sizeof nonce);
    compose_audit_counts(&counts, lost > 0, rejected, names, votes, n);
    err e = buf_ok(&counts, f);
    struct hash seal = audit_count_seal(nonce, buf_view(&counts));
    if (e == OK) e = keep_count(a->keep, &seal, nonce, buf_view(&counts), f);
    buf_release(&counts);
    if (e != OK) return e;
    compose_audit_seal(text, &x->election, &x->plan_id, csv_field(s->csv, s->station), &seal, a->targeted);
    return buf_ok(text, f);
}

static int seal_many(struct count_args *a, struct make_options *m, struct audit_on *x) {
    struct fail f = {0};
    struct sheet s = {0};
    size_t n = 0;
    bool more = true;
    struct buf *notes = calloc(OPEN_MAX, sizeof *notes), text;
    struct send_note *items = calloc(OPEN_MAX, sizeof *items);
    buf_init(&text, KEPT_MAX);
    err e = notes && items ? OK : fail_set(&f, E_MEMORY, "no memory for counts");
    if (e == OK && (m->keys.n != 1 || !m->send.url))
        e = fail_set(&f, E_USAGE, "--counts needs --key, once (a count is one person's), and --send URL");
    if (e == OK) e = audit_on_open(a->dir, a->plan, "audit count", x, &f);
    if (e == OK) e = sheet_open(a->counts, &x->a, &s, &f);
    while (e == OK && (e = csv_next(s.csv, &more, &f)) == OK && more) {
        if (n == OPEN_MAX) {
            e = fail_set(&f, E_TOO_LARGE, "more than %d counts in one file", OPEN_MAX);
            break;
        }
        buf_clear(&text);
        e = row_text(a, x, &s, &text, &f);
        if (e != OK) break;
        buf_init(&notes[n], ENTRY_MAX);
        e = make_signed(m, buf_view(&text), &notes[n], &f);
        items[n].note = buf_view(&notes[n]);
        n++;
    }
    int code = e == OK ? send_notes("audit count", &m->send, items, n) : cli_fail("audit count", &f);
    csv_close(s.csv);
    for (size_t i = 0; notes && i < n; i++) buf_release(&notes[i]);
    buf_release(&text);
    free(notes);
    free(items);
    return code;
}

/* --- opening --- */

static err read_kept(const char *dir, const struct hash *seal, struct buf *b, uint8_t nonce[32],
                     struct span *counts, struct fail *f) {
    char path[PATH_MAX_LEN], hex[HASH_HEX_LEN + 1];
    struct span rest, line;
    hash_hex(seal, hex);
    TRY(path_join(path, sizeof path, dir, hex, f));
    buf_clear(b);
    TRY(file_read(path, KEPT_MAX, b, f));
    rest = buf_view(b);
    bool good = span_line(&rest, &line) && line.n == 6 + 64 && span_starts(line, SPAN_LIT("nonce "));
    struct hash h = {0};
    if (good) good = hash_from_hex(span_from(line, 6), &h, f) == OK;
    good = good && span_line(&rest, &line) && span_starts(line, SPAN_LIT("counts "));
    if (!good) return fail_set(f, E_DAMAGED, "%s is not a kept count", path);
    memcpy(nonce, h.b, 32);
    *counts = span_from(line, 7);
    return OK;
}

/* The text of every count of ours that may be opened now. */
static err open_texts(const struct count_args *a, const struct audit_on *x, struct buf *texts, size_t max, size_t *n,
                      size_t *wait, struct fail *f) {
    const struct fold *s = x->log.fold;
    struct buf kept;
    err e = OK;
    buf_init(&kept, KEPT_MAX);
    for (size_t i = 0; i < fold_audit_box_count(s) && e == OK && *n < max; i++) {
        const struct audit_box *b = fold_audit_box(s, i);
        if (b->plan != x->a.plan_index) continue;
        for (uint32_t r = b->first_reading; r != NO_READING && e == OK && *n < max;) {
            const struct audit_reading *v = fold_audit_reading(s, r);
            uint8_t nonce[32];
            struct span counts;
            struct fail ignored;
            r = v->next;
            if (v->opened_at != NO_ENTRY) continue;
            if (read_kept(a->keep, &v->seal, &kept, nonce, &counts, &ignored) != OK) continue;
            if (b->sealed < 2) {
                (*wait)++;
                continue;
            }
            struct hash of = fold_id(s, v->entry);
            buf_init(&texts[*n], KEPT_MAX);
            compose_audit_open(&texts[*n], &x->election, &of, nonce, counts);
            e = buf_ok(&texts[(*n)++], f);
        }
    }
    buf_release(&kept);
    return e;
}

static int open_counts(struct count_args *a, struct make_options *m, struct audit_on *x) {
    struct fail f = {0};
    size_t n = 0, wait = 0;
    int code = 0;
    struct buf *texts = calloc(OPEN_MAX, 2 * sizeof *texts), *notes = texts ? texts + OPEN_MAX : NULL;
    struct send_note *items = calloc(OPEN_MAX, sizeof *items);
    err e = texts && items ? OK : fail_set(&f, E_MEMORY, "no memory for counts");
    if (e == OK && (m->keys.n != 1 || !m->send.url))
        e = fail_set(&f, E_USAGE, "--open needs --key, once, and --send URL");
    if (e == OK) e = audit_on_open(a->dir, a->plan, "audit count", x, &f);
    if (e == OK) e = open_texts(a, x, texts, OPEN_MAX, &n, &wait, &f);
    for (size_t i = 0; i < n && e == OK; i++) {
        buf_init(&notes[i], ENTRY_MAX);
        e = make_signed(m, buf_view(&texts[i]), &notes[i], &f);
        items[i].note = buf_view(&notes[i]);
    }
    if (e == OK && wait)
        fprintf(stderr, "%zu counts wait until a second person has sealed one\n", wait);
    if (e != OK)
        code = cli_fail("audit count", &f);
    else if (n)
        code = send_notes("audit count", &m->send, items, n);
    else
        fprintf(stderr, "nothing to open\n");
    for (size_t i = 0; texts && i < n; i++) {
        buf_release(&texts[i]);
        buf_release(&notes[i]);
    }
    free(texts);
    free(items);
    return code;
}

int audit_cmd_count(int argc, char **argv) {
    struct make_options m = {0};
    char home[PATH_MAX_LEN];
    const char *base = getenv("HOME");
    (void)snprintf(home, sizeof home, "%s/.hesabu/counts", base ? base : ".");
    struct count_args a = {.keep = home, .rejected = UINT64_MAX};
    const struct opt options[] = {
        ON_OPTIONS(a.dir, a.plan),
        {"--station", OPT_TEXT, &a.station, "CODE", "the box that was counted"},
        {"--votes", OPT_TEXT, &a.votes, "A=1,B=2", "votes by choice, as counted by hand"},
        {"--counts", OPT_TEXT, &a.counts, "FILE", "a session's counts instead: CSV of station and each choice's id, [rejected]; \"lost\" in each"},
        {"--rejected", OPT_U64, &a.rejected, "N", "ballots without a valid vote"},
        {"--lost", OPT_FLAG, &a.lost, NULL, "the box cannot be produced"},
        {"--targeted", OPT_FLAG, &a.targeted, NULL, "a box that somebody chose (a court's scrutiny): outside the test"},
        {"--open", OPT_FLAG, &a.open, NULL, "open all sealed counts of this key that a second person has counted too"},
        {"--keep", OPT_TEXT, &a.keep, "DIR", "where counts are kept until they are opened (~/.hesabu/counts)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "audit count --dir DIR|URL --station CODE --votes A=1,B=2 --key AUDITOR --send URL",
        "Records one person's hand count of one box, blind: only its seal is public until a second person has\n"
        "sealed an own count. Where two differ a third person counts.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    static struct audit_on x;
    if (!a.dir) a.dir = m.send.url;
    code = a.open ? open_counts(&a, &m, &x) : a.counts ? seal_many(&a, &m, &x) : seal_count(&a, &m, &x);
    audit_on_release(&x);
    return code;
}
