/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/reading_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/text.h"
#include "cli/values.h"
#include "election/canonical_json.h"
#include "service/clerk_form.h"

enum { READING_MAX = 16384, LINE_MAX_LEN = 200 };

bool reading_given(const struct reading_args *a) {
    return a->file || a->votes;
}

err reading_marks(const struct opt_list *words, uint32_t *marks, struct fail *f) {
    *marks = 0;
    for (size_t i = 0; i < words->n; i++) {
        int m = 0;
        while (m < MARK_COUNT && strcmp(words->at[i], mark_words[m]) != 0) m++;
        if (m == MARK_COUNT) {
            struct buf b;
            buf_init(&b, 1000);
            for (m = 0; m < MARK_COUNT; m++) buf_printf(&b, "%s%s", m ? ", " : "", mark_words[m]);
            err e = fail_set(f, E_USAGE, "\"%.40s\" is none of: %.300s", words->at[i], buf_cstr(&b));
            buf_release(&b);
            return e;
        }
        *marks |= UINT32_C(1) << m;
    }
    return OK;
}

static err from_file(const char *path, struct buf *out, struct fail *f) {
    struct buf b;
    buf_init(&b, READING_MAX);
    err e = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, READING_MAX, &b, f);
    struct span text = buf_view(&b);
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')) text.n--;
    if (e == OK) e = cj_check(text, f);
    if (e == OK) {
        buf_span(out, text);
        e = buf_ok(out, f);
    } else {
        fail_context(f, e, "%s", path);
    }
    buf_release(&b);
    return e;
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static err known_choice(const struct fold *s, uint32_t contest, unsigned round, struct span id,
                        struct fail *f) {
    const struct contest *k = fold_contest(s, contest);
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, round, c) && span_eq(contest_choice(s, k, c)->id, id)) return OK;
    return fail_set(f, E_CHOICE, "\"%.*s\" is not a choice of this contest and round", SPAN_ARG(id));
}

err reading_make(const struct reading_args *a, const struct fold *s, uint32_t contest, unsigned round,
                 struct buf *out, struct fail *f) {
    struct compose_reading r;
    struct span names[MAX_CHOICES], illegible[64];
    uint64_t votes[MAX_CHOICES];
    if (a->file) return from_file(a->file, out, f);
    compose_reading_init(&r);
    TRY(value_pairs(a->votes, names, votes, MAX_CHOICES, &r.choice_count, f));
    for (size_t i = 0; i < r.choice_count; i++) TRY(known_choice(s, contest, round, names[i], f));
    if (a->illegible.n > sizeof illegible / sizeof *illegible)
        return fail_set(f, E_USAGE, "more than 64 illegible fields: mark the form as damaged instead");
    for (size_t i = 0; i < a->illegible.n; i++) illegible[i] = span_text(a->illegible.at[i]);
    qsort(illegible, a->illegible.n, sizeof *illegible, by_bytes);
    TRY(reading_marks(&a->marks, &r.marks, f));
    r.registered = a->registered;
    r.valid = a->valid;
    r.rejected = a->rejected;
    r.objected = a->objected;
    r.disputed = a->disputed;
    r.voters_kit = a->kit;
    r.voters_manual = a->manual;
    if (a->serial) r.serial = span_text(a->serial);
    r.choices = names;
    r.votes = votes;
    r.illegible = illegible;
    r.illegible_count = a->illegible.n;
    compose_reading(out, &r);
    return buf_ok(out, f);
}

/* --- questions --- */

/* What stands in a field: figures, nothing (blank on the form), or "?" (there, and cannot be read). */
static err ask(struct clerk_form *w, size_t i, struct fail *f) {
    char line[LINE_MAX_LEN];
    for (;;) {
        struct fail why = {0};
        fprintf(stderr, "%-44.*s ", SPAN_ARG(w->field[i].label));
        if (!fgets(line, sizeof line, stdin))
            return fail_set(f, E_USAGE, "the answers end before the form does; nothing was sealed");
        struct span x = span_text(line);
        while (x.n && (x.p[x.n - 1] == '\n' || x.p[x.n - 1] == '\r' || x.p[x.n - 1] == ' ')) x.n--;
        while (x.n && x.p[0] == ' ') x = span_from(x, 1);
        if (clerk_form_type(w, i, x, &why) == OK) return OK;
        fprintf(stderr, "  %s\n", why.text);
    }
}

err reading_ask(const struct reading_args *a, const struct fold *s, uint32_t contest, unsigned round,
                struct buf *out, struct fail *f) {
    if (!isatty(0))
        return fail_set(f, E_USAGE, "no figures: give --votes and the others, --figures FILE, or use a terminal");
    struct clerk_form *w = calloc(1, sizeof *w);
    if (!w) return fail_set(f, E_MEMORY, "no memory for a form");
    clerk_form_init(w, s, contest, round);
    fprintf(stderr, "Enter what stands on the paper, right or wrong. Nothing: blank. ?: cannot be read.\n");
    err e = reading_marks(&a->marks, &w->marks, f);
    for (size_t i = 0; e == OK && i < w->n; i++) e = ask(w, i, f);
    if (e == OK) e = clerk_form_reading(w, out, f);
    free(w);
    return e;
}

/* --- what does not add up --- */

static void check_sums(const struct fold *s, const struct contest *k, unsigned round, const uint64_t *votes,
                       uint64_t valid) {
    uint64_t sum = 0;
    char x[32], y[32];
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, round, c) && votes[c] != ABSENT) sum += votes[c];
    (void)s;
    if (valid != ABSENT && sum != valid)
        fprintf(stderr, "check: the choices add up to %s, you read %s valid votes; leave it if the paper says so\n",
                value_grouped(sum, x), value_grouped(valid, y));
}

void reading_check(const struct fold *s, uint32_t contest, unsigned round, struct span json) {
    const struct contest *k = fold_contest(s, contest);
    uint64_t votes[MAX_CHOICES], valid = ABSENT;
    struct span key;
    struct cj r;
    for (uint32_t c = 0; c < k->choice_count; c++) votes[c] = ABSENT;
    cj_init(&r, json, NULL);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        if (!span_is(key, "ballots") && !span_is(key, "votes")) {
            (void)cj_raw(&r);
            continue;
        }
        bool ballots = span_is(key, "ballots");
        cj_object(&r);
        while (cj_any_key(&r, &key)) {
            uint64_t v = cj_u64(&r, FIGURE_MAX);
            if (ballots && span_is(key, "valid")) valid = v;
            for (uint32_t c = 0; c < k->choice_count && !ballots; c++)
                if (span_eq(contest_choice(s, k, c)->id, key)) votes[c] = v;
        }
    }
    if (cj_end(&r) == OK) check_sums(s, k, round, votes, valid);
}
