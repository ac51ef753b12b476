/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/csv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "base/text.h"

enum { MAX_FIELDS = 1024, MAX_FIELD = 64 << 10, MAX_ROW = 1 << 20, CHUNK = 1 << 18 };

struct csv {
    FILE *file; /* NULL when reading from a span */
    uint8_t *chunk;
    struct span in; /* not yet read */
    const char *name;
    char *name_owned;
    uint8_t separator;
    uint64_t line, row_line;
    bool ended;
    struct buf row;   /* the fields' bytes, one after the other */
    struct buf names; /* the header's, likewise */
    size_t count, columns;
    size_t start[MAX_FIELDS + 1], header_start[MAX_FIELDS + 1];
};

static int peek(struct csv *c) {
    if (c->in.n == 0 && c->file && !c->ended) {
        size_t n = fread(c->chunk, 1, CHUNK, c->file);
        if (n == 0) c->ended = true;
        c->in = span_of(c->chunk, n);
    }
    return c->in.n ? c->in.p[0] : -1;
}

static void skip(struct csv *c) {
    c->in = span_from(c->in, 1);
}

static err wrong(const struct csv *c, struct fail *f, const char *what) {
    return fail_set(f, E_CSV, "%s, line %llu, field %zu: %s", c->name, (unsigned long long)c->line,
                    c->count + 1, what);
}

static err end_field(struct csv *c, struct fail *f) {
    if (c->row.failed || c->row.n > MAX_ROW) return wrong(c, f, "the row is longer than 1 MiB");
    size_t from = c->start[c->count];
    if (c->row.n - from > MAX_FIELD) return wrong(c, f, "the field is longer than 64 KiB");
    struct span s = span_of(c->row.p ? c->row.p + from : (const uint8_t *)"", c->row.n - from);
    if (!utf8_valid(s))
        return wrong(c, f, "not valid UTF-8; save the file as UTF-8 and try again");
    if (c->count + 1 > MAX_FIELDS) return wrong(c, f, "more than 1,024 fields in a row");
    c->start[++c->count] = c->row.n;
    return OK;
}

/* Takes the bytes up to the next one that means something in `context`, all at once: most of a file. */
enum context { UNQUOTED = 1, QUOTED = 2 };
static const uint8_t meaning[256] = {[0] = UNQUOTED | QUOTED, ['\n'] = UNQUOTED | QUOTED,
                                     ['"'] = UNQUOTED | QUOTED, ['\r'] = UNQUOTED,
                                     [','] = UNQUOTED, [';'] = UNQUOTED, ['\t'] = UNQUOTED};

static err take_run(struct csv *c, enum context context, struct fail *f) {
    size_t n = 0;
    while (n < c->in.n && !(meaning[c->in.p[n]] & context)) n++;
    if (n == 0) return OK;
    buf_add(&c->row, c->in.p, n);
    c->in = span_from(c->in, n);
    return c->row.failed || c->row.n > MAX_ROW ? wrong(c, f, "the row is longer than 1 MiB") : OK;
}

/* After an opening quote, up to and past the closing one. */
static err quoted_field(struct csv *c, struct fail *f) {
    for (;;) {
        TRY(take_run(c, QUOTED, f));
        int ch = peek(c);
        if (ch < 0) return wrong(c, f, "a quoted field does not end");
        skip(c);
        if (ch == 0) return wrong(c, f, "a NUL byte");
        if (ch == '\n') c->line++;
        if (ch != '"') {
            buf_byte(&c->row, (uint8_t)ch);
            if (c->row.n > MAX_ROW) return wrong(c, f, "the row is longer than 1 MiB");
            continue;
        }
        if (peek(c) != '"') return OK;
        skip(c);
        buf_byte(&c->row, '"');
    }
}

/* One row into c->row / c->start / c->count; *more false at the end of the file. */
static err read_row(struct csv *c, bool *more, struct fail *f) {
    buf_clear(&c->row);
    c->count = 0;
    c->start[0] = 0;
    c->row_line = c->line;
    int ch = peek(c);
    if (ch < 0) {
        *more = false;
        if (c->file && ferror(c->file)) return file_error(f, errno, "reading", c->name);
        return OK;
    }
    *more = true;
    bool at_start = true, was_quoted = false;
    for (;;) {
        ch = peek(c);
        if (ch >= 0) skip(c);
        if (ch < 0 || ch == '\n' || ch == '\r') {
            if (ch == '\r' && peek(c) == '\n') skip(c);
            TRY(end_field(c, f));
            c->line++;
            return OK;
        }
        if (ch == 0) return wrong(c, f, "a NUL byte");
        if (c->separator == 0 && (ch == ',' || ch == ';' || ch == '\t')) c->separator = (uint8_t)ch;
        if (ch == c->separator) {
            TRY(end_field(c, f));
            at_start = true;
            was_quoted = false;
            continue;
        }
        if (ch == '"') {
            if (!at_start) return wrong(c, f, "a quote inside an unquoted field");
            TRY(quoted_field(c, f));
            at_start = false;
            was_quoted = true;
            continue;
        }
        if (was_quoted) return wrong(c, f, "text after a closing quote");
        at_start = false;
        buf_byte(&c->row, (uint8_t)ch);
        if (c->row.n > MAX_ROW) return wrong(c, f, "the row is longer than 1 MiB");
        TRY(take_run(c, UNQUOTED, f));
    }
}

static struct span trimmed(struct span s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = span_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

static err read_header(struct csv *c, struct fail *f) {
    for (int i = 0; i < 3; i++) { /* byte order mark */
        static const uint8_t bom[3] = {0xef, 0xbb, 0xbf};
        if (peek(c) != bom[i]) break;
        skip(c);
    }
    bool more;
    TRY(read_row(c, &more, f));
    if (!more) return fail_set(f, E_CSV, "%s is empty: a header is expected in line 1", c->name);
    struct buf names = c->names;
    c->names = c->row;
    c->row = names;
    memcpy(c->header_start, c->start, sizeof c->start);
    c->columns = c->count;
    for (size_t i = 0; i < c->columns; i++) {
        struct span a = csv_header(c, i);
        if (a.n == 0)
            return fail_set(f, E_CSV, "%s, line 1, column %zu: no name in the header", c->name, i + 1);
        for (size_t j = 0; j < i; j++)
            if (span_eq(a, csv_header(c, j)))
                return fail_set(f, E_CSV, "%s, line 1: columns %zu and %zu have the same name \"%.*s\"",
                                c->name, j + 1, i + 1, SPAN_ARG(a));
    }
    return OK;
}

static err open_common(struct csv *c, struct csv **out, struct fail *f) {
    c->line = 1;
    buf_init(&c->row, MAX_ROW + 8);
    buf_init(&c->names, MAX_ROW + 8);
    err e = read_header(c, f);
    if (e != OK) {
        csv_close(c);
        return e;
    }
    *out = c;
    return OK;
}

err csv_open(const char *path, struct csv **out, struct fail *f) {
    struct csv *c = calloc(1, sizeof *c);
    if (c) {
        c->chunk = malloc(CHUNK);
        c->name_owned = strdup(path);
    }
    if (!c || !c->chunk || !c->name_owned) {
        csv_close(c);
        return fail_set(f, E_MEMORY, "no memory for reading %s", path);
    }
    c->name = c->name_owned;
    c->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (!c->file) {
        err e = file_error(f, errno, "opening", path);
        csv_close(c);
        return e;
    }
    return open_common(c, out, f);
}

err csv_open_span(struct span bytes, const char *name, struct csv **out, struct fail *f) {
    struct csv *c = calloc(1, sizeof *c);
    if (!c) return fail_set(f, E_MEMORY, "no memory for reading %s", name);
    c->in = bytes;
    c->name = name;
    return open_common(c, out, f);
}

void csv_close(struct csv *c) {
    if (!c) return;
    if (c->file && c->file != stdin) fclose(c->file);
    buf_release(&c->row);
    buf_release(&c->names);
    free(c->chunk);
    free(c->name_owned);
    free(c);
}

size_t csv_columns(const struct csv *c) {
    return c->columns;
}

struct span csv_header(const struct csv *c, size_t i) {
    if (c->names.n == 0) return (struct span){(const uint8_t *)"", 0}; /* one empty name */
    return trimmed(
        span_of(c->names.p + c->header_start[i], c->header_start[i + 1] - c->header_start[i]));
}

static bool same_ignoring_case(struct span a, struct span b) {
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        uint8_t x = a.p[i], y = b.p[i];
        if (x >= 'A' && x <= 'Z') x = (uint8_t)(x + 32);
        if (y >= 'A' && y <= 'Z') y = (uint8_t)(y + 32);
        if (x != y) return false;
    }
    return true;
}

err csv_column(const struct csv *c, const char *name, size_t *out, struct fail *f) {
    struct span want = trimmed(span_text(name));
    for (int loose = 0; loose < 2; loose++) {
        for (size_t i = 0; i < c->columns; i++) {
            struct span h = csv_header(c, i);
            if (loose ? same_ignoring_case(h, want) : span_eq(h, want)) {
                *out = i;
                return OK;
            }
        }
    }
    char list[220] = "";
    size_t n = 0;
    for (size_t i = 0; i < c->columns && n < sizeof list - 1; i++) {
        struct span h = csv_header(c, i);
        int k = snprintf(list + n, sizeof list - n, "%s%.*s", i ? ", " : "", SPAN_ARG(h));
        if (k > 0) n += (size_t)k;
    }
    return fail_set(f, E_CSV, "%s has no column \"%s\"; it has: %s", c->name, name, list);
}

err csv_next(struct csv *c, bool *more, struct fail *f) {
    do {
        TRY(read_row(c, more, f));
        if (!*more) return OK;
    } while (c->count == 1 && c->row.n == 0);
    if (c->count != c->columns)
        return fail_set(f, E_CSV, "%s, line %llu: %zu fields where the header has %zu", c->name,
                        (unsigned long long)c->row_line, c->count, c->columns);
    return OK;
}

struct span csv_field(const struct csv *c, size_t i) {
    if (c->row.n == 0) return (struct span){(const uint8_t *)"", 0};
    return trimmed(span_of(c->row.p + c->start[i], c->start[i + 1] - c->start[i]));
}

uint64_t csv_line(const struct csv *c) {
    return c->row_line;
}

/* Length of a thousands separator at s, or 0. */
static size_t thousands_separator(struct span s) {
    static const char *const all[] = {",", "'", " ", "\xc2\xa0", "\xe2\x80\x89", "\xe2\x80\xaf"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (span_starts(s, span_text(all[i]))) return strlen(all[i]);
    return 0;
}

err csv_u64(const struct csv *c, size_t column, uint64_t max, bool *present, uint64_t *out,
            struct fail *f) {
    struct span s = csv_field(c, column), whole = s, h = csv_header(c, column);
    *out = 0;
    *present = s.n > 0;
    uint64_t v = 0;
    size_t group = 0, groups = 0;
    const char *what = NULL;
    while (s.n && !what) {
        if (char_is_digit(s.p[0])) {
            if (__builtin_mul_overflow(v, 10, &v) ||
                __builtin_add_overflow(v, (uint64_t)(s.p[0] - '0'), &v) || v > max)
                what = "is too large";
            group++;
            s = span_from(s, 1);
            continue;
        }
        size_t sep = thousands_separator(s);
        if (s.p[0] == '-')
            what = "is negative";
        else if (!sep || group == 0 || (groups == 0 ? group > 3 : group != 3))
            what = "is not a whole number";
        groups++;
        group = 0;
        s = span_from(s, sep);
    }
    if (!what && groups && group != 3) what = "is not a whole number";
    if (what)
        return fail_set(f, E_CSV, "%s, line %llu, column \"%.*s\": \"%.*s\" %s", c->name,
                        (unsigned long long)c->row_line, SPAN_ARG(h), SPAN_ARG(whole), what);
    *out = v;
    return OK;
}
