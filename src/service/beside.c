/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/beside.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/csv.h"
#include "base/file.h"

enum { FILE_MAX = 16 << 20, WORDS_MAX = 20000, TEXT_MAX = 2000, COPIES_MAX = 64, URL_MAX = 300 };

struct said {
    struct span text, in[LANG_COUNT]; /* empty: not translated */
};

struct beside {
    struct arena arena;
    struct said *words; /* in the order of their text */
    size_t word_count;
    struct beside_copy copies[COPIES_MAX];
    size_t copy_count;
    bool boundaries;
    char public_dir[PATH_MAX_LEN]; /* empty: none */
};

static const char *const names[] = {"map.json", "boundaries.json", "words.csv", "copies.csv"};

err beside_new(struct beside **out, struct fail *f) {
    *out = calloc(1, sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for the portal");
    arena_init(&(*out)->arena, (size_t)64 << 20);
    return OK;
}

void beside_close(struct beside *b) {
    if (!b) return;
    arena_release(&b->arena);
    free(b);
}

/* --- words.csv --- */

static int by_text(const void *a, const void *b) {
    return span_cmp(((const struct said *)a)->text, ((const struct said *)b)->text);
}

static err field(struct beside *b, const struct csv *c, size_t column, size_t max, struct span *out,
                 struct fail *f) {
    struct span s = csv_field(c, column);
    if (s.n > max)
        return fail_set(f, E_CSV, "line %llu: a text of more than %zu bytes", (unsigned long long)csv_line(c),
                        max);
    *out = arena_copy(&b->arena, s);
    return out->p || !s.n ? OK : fail_set(f, E_MEMORY, "no memory for the portal's words");
}

static err read_words(struct beside *b, struct csv *c, struct fail *f) {
    size_t text, column[LANG_COUNT] = {0};
    bool has[LANG_COUNT] = {false}, more;
    TRY(csv_column(c, "text", &text, f));
    for (int l = 0; l < LANG_COUNT; l++) {
        struct fail none;
        has[l] = csv_column(c, lang_tag((enum page_lang)l), &column[l], &none) == OK;
    }
    b->words = arena_array(&b->arena, WORDS_MAX, sizeof *b->words);
    if (!b->words) return fail_set(f, E_MEMORY, "no memory for the portal's words");
    for (;;) {
        TRY(csv_next(c, &more, f));
        if (!more) break;
        if (b->word_count == WORDS_MAX)
            return fail_set(f, E_RANGE, "more than %d texts", WORDS_MAX);
        struct said *x = &b->words[b->word_count++];
        *x = (struct said){0};
        TRY(field(b, c, text, TEXT_MAX, &x->text, f));
        if (!x->text.n)
            return fail_set(f, E_CSV, "line %llu: an empty text", (unsigned long long)csv_line(c));
        for (int l = 0; l < LANG_COUNT; l++)
            if (has[l]) TRY(field(b, c, column[l], TEXT_MAX, &x->in[l], f));
    }
    qsort(b->words, b->word_count, sizeof *b->words, by_text);
    for (size_t i = 1; i < b->word_count; i++)
        if (span_eq(b->words[i - 1].text, b->words[i].text))
            return fail_set(f, E_CSV, "the text \"%.*s\" stands twice", SPAN_ARG(b->words[i].text));
    return OK;
}

err beside_read_words(struct beside *b, struct span csv, struct fail *f) {
    struct csv *c;
    TRY(csv_open_span(csv, "words.csv", &c, f));
    err e = read_words(b, c, f);
    csv_close(c);
    return e;
}

/* --- copies.csv --- */

/* Nothing that a reader of the address could take for something else. */
static bool is_address(struct span s) {
    size_t n = span_starts(s, span_text("https://")) ? 8 : span_starts(s, span_text("http://")) ? 7 : 0;
    if (!n || s.n == n || s.n > URL_MAX) return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"'<>`\\^{}|", s.p[i])) return false;
    return true;
}

static err read_copies(struct beside *b, struct csv *c, struct fail *f) {
    size_t name, url;
    bool more;
    TRY(csv_column(c, "name", &name, f));
    TRY(csv_column(c, "url", &url, f));
    for (;;) {
        TRY(csv_next(c, &more, f));
        if (!more) return OK;
        if (b->copy_count == COPIES_MAX) return fail_set(f, E_RANGE, "more than %d copies", COPIES_MAX);
        struct beside_copy *x = &b->copies[b->copy_count];
        TRY(field(b, c, name, 200, &x->name, f));
        TRY(field(b, c, url, URL_MAX, &x->url, f));
        if (!x->name.n || !is_address(x->url))
            return fail_set(f, E_CSV, "line %llu: a copy has a name and an address, http:// or https://",
                            (unsigned long long)csv_line(c));
        b->copy_count++;
    }
}

err beside_read_copies(struct beside *b, struct span csv, struct fail *f) {
    struct csv *c;
    TRY(csv_open_span(csv, "copies.csv", &c, f));
    err e = read_copies(b, c, f);
    csv_close(c);
    return e;
}

/* --- the folder --- */

/* Calls `read` with the file's bytes, if it is there. */
static err read_file(struct beside *b, const char *dir, const char *name,
                     err (*read)(struct beside *, struct span, struct fail *), struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf text;
    TRY(path_join(path, sizeof path, dir, name, f));
    if (!file_exists(path)) return OK;
    buf_init(&text, FILE_MAX);
    err e = file_read(path, FILE_MAX, &text, f);
    struct fail why;
    if (e == OK) {
        e = read(b, buf_view(&text), &why);
        if (e != OK) (void)fail_set(f, e, "%s: %s", path, why.text);
    }
    buf_release(&text);
    return e;
}

static err read_folder(struct beside *b, const char *dir, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, "boundaries.json", f));
    b->boundaries = file_exists(path);
    TRY(read_file(b, dir, "words.csv", beside_read_words, f));
    return read_file(b, dir, "copies.csv", beside_read_copies, f);
}

err beside_open(const char *portal_dir, const char *public_dir, struct beside **out, struct fail *f) {
    TRY(beside_new(out, f));
    if (public_dir) (void)snprintf((*out)->public_dir, sizeof (*out)->public_dir, "%s", public_dir);
    err e = portal_dir ? read_folder(*out, portal_dir, f) : OK;
    if (e != OK) {
        beside_close(*out);
        *out = NULL;
    }
    return e;
}

err beside_install(const char *from, const char *to, struct fail *f) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char a[PATH_MAX_LEN], b[PATH_MAX_LEN];
        struct buf bytes;
        TRY(path_join(a, sizeof a, from, names[i], f));
        TRY(path_join(b, sizeof b, to, names[i], f));
        if (!file_exists(a) || file_exists(b)) continue;
        buf_init(&bytes, FILE_MAX);
        err e = file_read(a, FILE_MAX, &bytes, f);
        if (e == OK) e = file_mkdirs_for(b, f);
        if (e == OK) e = file_write_atomic(b, buf_view(&bytes), f);
        buf_release(&bytes);
        TRY(e);
    }
    return OK;
}

/* --- asked by pages --- */

static const struct said *find(const struct beside *b, struct span text) {
    struct said key = {.text = text};
    if (!b || !b->word_count || !text.n) return NULL;
    return bsearch(&key, b->words, b->word_count, sizeof *b->words, by_text);
}

struct span beside_said(const struct beside *b, enum page_lang lang, struct span text) {
    const struct said *x = find(b, text);
    return x && x->in[lang].n ? x->in[lang] : text;
}

bool beside_translates(const struct beside *b, enum page_lang lang, struct span text) {
    const struct said *x = find(b, text);
    return x && x->in[lang].n;
}

size_t beside_copies(const struct beside *b) {
    return b ? b->copy_count : 0;
}

struct beside_copy beside_copy(const struct beside *b, size_t i) {
    return b->copies[i];
}

bool beside_has_boundaries(const struct beside *b) {
    return b && b->boundaries;
}

err beside_object(const struct beside *b, const struct hash *id, size_t max, struct buf *out,
                  struct fail *f) {
    char hex[HASH_HEX_LEN + 1], dir[PATH_MAX_LEN], path[PATH_MAX_LEN];
    if (!b || !b->public_dir[0]) return fail_set(f, E_NOT_FOUND, "there is no tree to read objects from");
    hash_hex(id, hex);
    TRY(path_join(dir, sizeof dir, b->public_dir, "objects", f));
    TRY(path_join(path, sizeof path, dir, hex, f));
    size_t before = out->n;
    TRY(file_read(path, max, out, f));
    struct hash is = sha256((struct span){out->p + before, out->n - before});
    if (hash_eq(&is, id)) return OK;
    out->n = before;
    return fail_set(f, E_OBJECT, "%s is not what its name says", path);
}
