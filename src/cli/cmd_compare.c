/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu compare: two tallies of the same units, side by side; or one against a log's forms. */
#include <stdio.h>
#include <stdlib.h>
#include "base/csv.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/log_source.h"
#include "service/compare_pdf.h"
#include "service/exchange.h"
#include "stats/channels.h"
#include "stats/pictures.h"

enum { MAX_ROWS = 4000000, MAX_PAIRS = 64 };
static const size_t MEMORY = (size_t)3 << 30;

struct args {
    const char *key, *key_b, *lang, *level_a, *level_b, *where_a, *where_b, *columns, *printed_a,
        *printed_b, *html, *pdf, *pictures;
    struct log_args log;
    struct opt_list checks_a, checks_b;
    uint64_t limit;
    bool json;
};

/* One side as it is read: the table, and the rows' values in a growing array. */
struct side {
    struct cmp_table t;
    struct buf converted; /* CSV made from a file in another format; empty: the file is CSV */
    size_t *source; /* column of the file for each column of numbers */
    size_t capacity;
    uint64_t *value;
    struct span *key, *group;
    uint8_t *use;
};

static const struct opt *options(struct args *a, size_t *n) {
    static struct opt o[24];
    const struct opt all[] = {
        {"--key", OPT_TEXT, &a->key, "COL", "the column with the units' codes"},
        {"--key-b", OPT_TEXT, &a->key_b, "COL", "its name in B, if it is another"},
        {"--columns", OPT_TEXT, &a->columns, "A=B,..",
         "columns to compare (NAME or NAME_IN_A=NAME_IN_B); by default all numbers named alike"},
        {"--where-a", OPT_TEXT, &a->where_a, "COL=V", "only rows of A with this value"},
        {"--where-b", OPT_TEXT, &a->where_b, "COL=V", "only rows of B with this value"},
        {"--printed-a", OPT_TEXT, &a->printed_a, "COL=N,..", "totals printed under A's rows"},
        {"--printed-b", OPT_TEXT, &a->printed_b, "COL=N,..", "totals printed under B's rows"},
        {"--level-a", OPT_TEXT, &a->level_a, "COL", "level of A's rows: checks are counted by it"},
        {"--level-b", OPT_TEXT, &a->level_b, "COL", "the same for B"},
        {"--check-a", OPT_LIST, &a->checks_a, "RELATION",
         "what each row of A must satisfy: valid+rejected<=registered, a=b, a!=b"},
        {"--check-b", OPT_LIST, &a->checks_b, "RELATION", "the same for B"},
        {"--limit", OPT_U64, &a->limit, "N", "units listed at most (default 1000)"},
        {"--html", OPT_TEXT, &a->html, "FILE", "also write a page with ratio plots"},
        {"--pdf", OPT_TEXT, &a->pdf, "FILE", "also write a report to print, the same bytes each time"},
        {"--pictures", OPT_TEXT, &a->pictures, "DIR", "also write the ratio plots as SVG files"},
        {"--lang", OPT_TEXT, &a->lang, "en|sw", "language of the sentences"},
        {"--json", OPT_FLAG, &a->json, NULL, "one JSON document"},
        LOG_OPTIONS(a->log),
    };
    memcpy(o, all, sizeof all);
    *n = sizeof all / sizeof *all;
    return o;
}

/* A column holds numbers when its first non-empty cell is one, without a leading zero (a code). */
static bool looks_like_number(struct span s) {
    if (s.n > 1 && s.p[0] == '0') return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            if (i == 0 || (s.p[i] != ',' && s.p[i] != ' ' && s.p[i] != '\'')) return false;
    return s.n > 0;
}

/* Results in an exchange format become a table first (service/exchange.h). stations.csv does so unless
 * --key asks for it as it is. */
static err convert(const char *path, const struct args *o, const char *key, struct side *s, struct fail *f) {
    struct span text;
    struct exchange *x;
    TRY(file_map(path, &text, f));
    bool looks = exchange_looks(text) && !(key && text.n && text.p[0] == 'c');
    file_unmap(text);
    if (!looks) return OK;
    buf_init(&s->converted, (size_t)1 << 30);
    TRY(exchange_read_file(path, &x, f));
    err e = exchange_table(x, o->log.contest, o->log.round, &s->converted, f);
    exchange_free(x);
    return e == OK ? OK : fail_context(f, e, "%.200s", path);
}

static err open_rows(const char *path, const struct side *s, struct csv **out, struct fail *f) {
    if (s->converted.n) return csv_open_span(buf_view(&s->converted), path, out, f);
    return csv_open(path, out, f);
}

/* The column with the codes; a converted table's is "unit". */
static const char *key_of(const struct side *s, const char *key) {
    return key ? key : s->converted.n ? "unit" : NULL;
}

static err no_memory(const char *path, struct fail *f) {
    return fail_set(f, E_MEMORY, "%s is too large to compare in the memory allowed", path);
}

/* Decides from the whole file which columns are numbers: one pass. */
static err find_numbers(const char *path, const char *key, struct arena *mem, struct side *s,
                        size_t *rows, struct fail *f) {
    struct csv *c = NULL;
    if (!(key = key_of(s, key)))
        return fail_set(f, E_USAGE, "--key COL is missing: the column with the codes of the units in %s", path);
    TRY(open_rows(path, s, &c, f));
    size_t n = csv_columns(c), key_at, left = n;
    enum { UNKNOWN, NUMBER, TEXT };
    uint8_t *kind = arena_array(mem, n, 1);
    err e = kind ? csv_column(c, key, &key_at, f) : no_memory(path, f);
    bool more = e == OK;
    *rows = 0;
    while (more && e == OK) {
        e = csv_next(c, &more, f);
        if (e != OK || !more) break;
        if (++*rows > MAX_ROWS)
            e = fail_set(f, E_TOO_LARGE, "%s, line %llu: more than %d rows; compare it in parts", path,
                         (unsigned long long)csv_line(c), MAX_ROWS);
        for (size_t i = 0; i < n && left; i++) {
            struct span v;
            if (kind[i] != UNKNOWN || (v = csv_field(c, i)).n == 0) continue;
            kind[i] = looks_like_number(v) ? NUMBER : TEXT;
            left--;
        }
    }
    if (e == OK) {
        s->source = arena_array(mem, n, sizeof *s->source);
        struct span *names = arena_array(mem, n, sizeof *names);
        if (!s->source || !names) e = no_memory(path, f);
        for (size_t i = 0; e == OK && i < n; i++) {
            if (kind[i] != NUMBER || i == key_at) continue;
            names[s->t.columns] = arena_copy(mem, csv_header(c, i));
            if (!names[s->t.columns].p) e = no_memory(path, f);
            s->source[s->t.columns++] = i;
        }
        s->t.column = names;
    }
    csv_close(c);
    return e;
}

static err allocate(const char *path, size_t rows, bool grouped, struct arena *mem, struct side *s,
                    struct fail *f) {
    size_t cells;
    if (__builtin_mul_overflow(rows, s->t.columns ? s->t.columns : 1, &cells))
        return no_memory(path, f);
    s->capacity = rows;
    s->value = arena_array(mem, cells + 1, sizeof *s->value);
    s->key = arena_array(mem, rows + 1, sizeof *s->key);
    s->use = arena_alloc(mem, rows + 1);
    if (grouped) s->group = arena_array(mem, rows + 1, sizeof *s->group);
    if (!s->value || !s->key || !s->use || (grouped && !s->group)) return no_memory(path, f);
    s->t.value = s->value;
    s->t.key = s->key;
    s->t.use = s->use;
    s->t.group = s->group;
    return OK;
}

struct filter {
    size_t column;
    struct span value;
    bool on;
};

static err parse_filter(const struct csv *c, const char *where, struct filter *w, struct fail *f) {
    if (!where) return OK;
    const char *eq = strchr(where, '=');
    char name[256];
    if (!eq || (size_t)(eq - where) >= sizeof name)
        return fail_set(f, E_USAGE, "\"%s\" is no condition; write COL=VALUE", where);
    memcpy(name, where, (size_t)(eq - where));
    name[eq - where] = 0;
    w->value = span_text(eq + 1);
    w->on = true;
    return csv_column(c, name, &w->column, f);
}

static err read_rows(const char *path, struct csv *c, const char *key, const char *level,
                     const char *where, const bool *wanted, struct arena *mem, struct side *s,
                     struct fail *f) {
    size_t key_at, level_at = 0;
    struct filter w = {0};
    TRY(csv_column(c, key, &key_at, f));
    if (level) TRY(csv_column(c, level, &level_at, f));
    TRY(parse_filter(c, where, &w, f));
    for (bool more = true;;) {
        TRY(csv_next(c, &more, f));
        if (!more) break;
        size_t row = s->t.rows;
        if (row == s->capacity) return fail_set(f, E_IO, "%s changed while it was read", path);
        for (size_t i = 0; i < s->t.columns; i++) {
            uint64_t *to = &s->value[row * s->t.columns + i];
            bool present;
            err e = csv_u64(c, s->source[i], INT64_MAX - 1, &present, to, f);
            if (e != OK && wanted[i]) return e;
            if (e != OK || !present) *to = CMP_ABSENT;
        }
        s->key[row] = arena_copy(mem, csv_field(c, key_at));
        if (!s->key[row].p) return no_memory(path, f);
        if (level && !(s->group[row] = arena_copy(mem, csv_field(c, level_at))).p)
            return no_memory(path, f);
        s->use[row] = !w.on || span_eq(csv_field(c, w.column), w.value);
        if (s->use[row] && s->key[row].n == 0) { /* a line of totals, say: reported, not compared */
            s->use[row] = false;
            s->t.no_key++;
        }
        s->t.rows++;
    }
    return OK;
}

static bool find_column(const struct cmp_table *t, struct span name, size_t *out) {
    for (size_t i = 0; i < t->columns; i++)
        if (span_eq(t->column[i], name)) {
            *out = i;
            return true;
        }
    return false;
}

/* "a=b,c" -> pairs; without a text: every column of numbers named alike. */
static err make_pairs(const char *text, const struct cmp_table *a, const struct cmp_table *b,
                      struct cmp_pair *p, size_t *n, struct fail *f) {
    *n = 0;
    for (size_t i = 0; !text && i < a->columns; i++) {
        size_t at;
        if (!find_column(b, a->column[i], &at)) continue;
        if (*n == MAX_PAIRS)
            return fail_set(f, E_TOO_LARGE, "more than %d common columns: name some with --columns",
                            MAX_PAIRS);
        p[(*n)++] = (struct cmp_pair){i, at, CMP_ABSENT, CMP_ABSENT};
    }
    for (const char *s = text; s && *s;) {
        size_t len = strcspn(s, ","), left = strcspn(s, "=,");
        struct span na = span_of(s, left), nb = left < len ? span_of(s + left + 1, len - left - 1) : na;
        struct cmp_pair q = {0, 0, CMP_ABSENT, CMP_ABSENT};
        if (!find_column(a, na, &q.a))
            return fail_set(f, E_USAGE, "%s has no column of numbers called \"%.*s\"", a->name,
                            SPAN_ARG(na));
        if (!find_column(b, nb, &q.b))
            return fail_set(f, E_USAGE, "%s has no column of numbers called \"%.*s\"", b->name,
                            SPAN_ARG(nb));
        if (*n == MAX_PAIRS) return fail_set(f, E_TOO_LARGE, "more than %d columns", MAX_PAIRS);
        p[(*n)++] = q;
        s += len;
        if (*s == ',') s++;
    }
    if (*n == 0)
        return fail_set(f, E_USAGE, "%s and %s have no column of numbers in common; map them with "
                        "--columns NAME_IN_A=NAME_IN_B", a->name, b->name);
    return OK;
}

static err put_printed(const char *text, const struct cmp_table *t, bool side_a, struct cmp_pair *p,
                       size_t n, struct fail *f) {
    for (const char *s = text; s && *s;) {
        size_t len = strcspn(s, ","), left = strcspn(s, "=,"), at;
        char number[24] = "";
        if (left >= len || len - left - 1 >= sizeof number || !find_column(t, span_of(s, left), &at))
            return fail_set(f, E_USAGE, "\"%.*s\" is no printed total; write COL=NUMBER", (int)len, s);
        memcpy(number, s + left + 1, len - left - 1);
        char *end;
        unsigned long long v = strtoull(number, &end, 10);
        if (*end || number[0] < '0' || number[0] > '9' || v > INT64_MAX)
            return fail_set(f, E_USAGE, "\"%.*s\" is no printed total; write COL=NUMBER", (int)len, s);
        bool found = false;
        for (size_t i = 0; i < n; i++)
            if ((side_a ? p[i].a : p[i].b) == at) {
                *(side_a ? &p[i].printed_a : &p[i].printed_b) = v;
                found = true;
            }
        if (!found)
            return fail_set(f, E_USAGE, "the column \"%.*s\" is not among those compared", (int)left, s);
        s += len;
        if (*s == ',') s++;
    }
    return OK;
}

/* Columns whose cells must be numbers: those compared and those in a check. */
static err wanted_columns(const struct args *o, bool side_a, const struct cmp_table *t,
                          const struct cmp_pair *p, size_t n, bool *wanted, struct fail *f) {
    for (size_t i = 0; i < n; i++) wanted[side_a ? p[i].a : p[i].b] = true;
    const struct opt_list *l = side_a ? &o->checks_a : &o->checks_b;
    for (size_t i = 0; i < l->n; i++) {
        struct cmp_check c;
        TRY(compare_check_parse(l->at[i], t, &c, f));
        for (size_t k = 0; k < c.lefts; k++) wanted[c.left[k]] = true;
        for (size_t k = 0; k < c.rights; k++) wanted[c.right[k]] = true;
    }
    return OK;
}

static err read_side(const struct args *o, const char *path, bool side_a, size_t rows,
                     const struct cmp_pair *p, size_t n, struct arena *mem, struct side *s,
                     struct fail *f) {
    const char *level = side_a ? o->level_a : o->level_b;
    bool *wanted = arena_array(mem, s->t.columns + 1, sizeof *wanted);
    if (!wanted) return no_memory(path, f);
    TRY(wanted_columns(o, side_a, &s->t, p, n, wanted, f));
    TRY(allocate(path, rows, level != NULL, mem, s, f));
    struct csv *c = NULL;
    TRY(open_rows(path, s, &c, f));
    err e = read_rows(path, c, key_of(s, side_a || !o->key_b ? o->key : o->key_b), level,
                      side_a ? o->where_a : o->where_b, wanted, mem, s, f);
    csv_close(c);
    return e;
}

static err run_checks(const struct args *o, const struct side *a, const struct side *b,
                      struct arena *mem, struct cmp_checks *out, size_t *n, struct fail *f) {
    *n = 0;
    for (int side = 0; side < 2; side++) {
        const struct opt_list *l = side ? &o->checks_b : &o->checks_a;
        const struct cmp_table *t = side ? &b->t : &a->t;
        for (size_t i = 0; i < l->n; i++) {
            struct cmp_check *c = arena_alloc(mem, sizeof *c);
            struct cmp_level *levels;
            size_t count;
            if (!c) return no_memory(t->name, f);
            TRY(compare_check_parse(l->at[i], t, c, f));
            TRY(compare_check(t, c, mem, &levels, &count, f));
            out[(*n)++] = (struct cmp_checks){t, c, levels, count};
        }
    }
    return OK;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What stands beside the answer itself: a page, a report, plots. `out` is empty before and after. */
static err write_files(const struct args *o, const struct cmp_result *r, const char *source, bool simulated,
                       enum lang lang, struct buf *out, struct fail *f) {
    if (o->html) {
        TRY(picture_compare_html(r, lang, o->limit, out, f));
        TRY(file_write_atomic(o->html, buf_view(out), f));
        buf_clear(out);
    }
    if (o->pdf) {
        struct compare_pdf p = {.result = r, .source = source, .simulated = simulated, .limit = o->limit};
        TRY(compare_pdf(&p, lang, out, f));
        TRY(file_write_atomic(o->pdf, buf_view(out), f));
        buf_clear(out);
    }
    for (size_t i = 0; o->pictures && i < r->fields; i++) {
        char path[PATH_MAX_LEN], name[32];
        if (r->field[i].differs == 0) continue;
        (void)snprintf(name, sizeof name, "ratio-%zu.svg", i + 1); /* in the order of the columns */
        picture_ratio(r, i, lang, out);
        TRY(buf_ok(out, f));
        TRY(file_mkdirs(o->pictures, f));
        TRY(path_join(path, sizeof path, o->pictures, name, f));
        TRY(file_write_atomic(path, buf_view(out), f));
        buf_clear(out);
    }
    return OK;
}

static err show_log(const struct args *o, const struct log_source *src, struct cmp_levels *l,
                    const struct channels *channels, const struct cmp_checks *checks, size_t check_count, enum lang lang,
                    struct buf *out, struct fail *f) {
    struct cmp_result *r = &l->at[0].r;
    struct buf note;
    buf_init(&note, 1 << 16);
    compare_levels_say(l, lang, &note);
    r->note = buf_view(&note);
    size_t some = o->limit < 1000 ? o->limit : 20;
    struct buf source;
    buf_init(&source, 1 << 12);
    buf_printf(&source, "A %s", r->a->name);
    log_source_text(src, &source);
    err e = write_files(o, r, buf_cstr(&source), fold_definition(src->log.fold)->simulated, lang, out, f);
    buf_release(&source);
    if (o->json) {
        struct json_out w = json_out(out), *j = &w;
        json_object(j);
        compare_json_members(r, checks, check_count, lang, o->limit, j);
        compare_levels_json(l, lang, o->limit, j);
        channels_json(channels, lang, o->limit, j);
        log_source_json(src, j);
        json_object_end(j);
        buf_byte(out, '\n');
    } else {
        compare_text(r, checks, check_count, lang, some, out);
        compare_levels_text(l, lang, some, out);
        channels_text(channels, lang, some, out);
        log_source_text(src, out);
    }
    buf_release(&note);
    return e != OK ? e : buf_ok(out, f);
}

/* A file against the signed forms of a log. */
static err compare_log(const struct args *o, const char *path, struct arena *mem, struct buf *out,
                       struct fail *f) {
    static struct cmp_pair pairs[MAX_PAIRS];
    static struct cmp_checks checks[256];
    enum lang lang;
    size_t n, check_count, rows;
    struct side a = {.t.name = base_name(path)}, none = {.t.name = "log"};
    struct log_source src;
    struct log_units units;
    struct cmp_levels levels;
    struct channels channels;
    TRY(lang_parse(o->lang, &lang, f));
    if (o->checks_b.n || o->where_b || o->level_b || o->printed_b || o->key_b)
        return fail_set(f, E_USAGE, "with --dir there is no second file: the options for B do not apply");
    if (strcmp(path, "-") == 0)
        return fail_set(f, E_USAGE, "the file is read twice: give a file, not standard input");
    err e = convert(path, o, o->key, &a, f);
    if (e == OK) e = find_numbers(path, o->key, mem, &a, &rows, f);
    if (e == OK) e = log_source_open(&o->log, "compare", &src, f);
    if (e != OK) {
        buf_release(&a.converted);
        return e;
    }
    e = log_units(src.log.fold, &src.pick, mem, &units, f);
    if (e == OK) e = make_pairs(o->columns, &a.t, &units.table, pairs, &n, f);
    if (e == OK) e = put_printed(o->printed_a, &a.t, true, pairs, n, f);
    if (e == OK) e = read_side(o, path, true, rows, pairs, n, mem, &a, f);
    if (e == OK) e = compare_levels(&a.t, &units, pairs, n, mem, &levels, f);
    if (e == OK) e = run_checks(o, &a, &none, mem, checks, &check_count, f);
    if (e == OK) e = channels_compare(src.log.fold, &src.pick, &units, &levels, mem, &channels, f);
    if (e == OK) e = show_log(o, &src, &levels, &channels, checks, check_count, lang, out, f);
    log_source_close(&src);
    buf_release(&a.converted);
    return e;
}

/* The log's own channels, without a file. */
static err compare_channels(const struct args *o, struct arena *mem, struct buf *out, struct fail *f) {
    enum lang lang;
    struct log_source src;
    struct log_units units;
    struct channels c;
    TRY(lang_parse(o->lang, &lang, f));
    TRY(log_source_open(&o->log, "compare", &src, f));
    err e = log_units(src.log.fold, &src.pick, mem, &units, f);
    if (e == OK) e = channels_compare(src.log.fold, &src.pick, &units, NULL, mem, &c, f);
    if (e == OK && o->json) {
        struct json_out w = json_out(out);
        json_object(&w);
        channels_json(&c, lang, o->limit, &w);
        log_source_json(&src, &w);
        json_object_end(&w);
        buf_byte(out, '\n');
    } else if (e == OK) {
        channels_text(&c, lang, o->limit < 1000 ? o->limit : 20, out);
        log_source_text(&src, out);
    }
    log_source_close(&src);
    return e != OK ? e : buf_ok(out, f);
}

static err compare_sides(const struct args *o, const char *path_a, const char *path_b, struct side *sa,
                         struct side *sb, struct arena *mem, struct buf *out, struct fail *f) {
    static struct cmp_pair pairs[MAX_PAIRS];
    static struct cmp_checks checks[512];
    enum lang lang;
    size_t n, check_count, rows_a, rows_b;
    struct cmp_result r;
    TRY(lang_parse(o->lang, &lang, f));
    if (strcmp(path_a, "-") == 0 || strcmp(path_b, "-") == 0)
        return fail_set(f, E_USAGE, "the files are read twice: give two files, not standard input");
    TRY(convert(path_a, o, o->key, sa, f));
    TRY(convert(path_b, o, o->key_b ? o->key_b : o->key, sb, f));
    TRY(find_numbers(path_a, o->key, mem, sa, &rows_a, f));
    TRY(find_numbers(path_b, o->key_b ? o->key_b : o->key, mem, sb, &rows_b, f));
    TRY(make_pairs(o->columns, &sa->t, &sb->t, pairs, &n, f));
    TRY(put_printed(o->printed_a, &sa->t, true, pairs, n, f));
    TRY(put_printed(o->printed_b, &sb->t, false, pairs, n, f));
    TRY(read_side(o, path_a, true, rows_a, pairs, n, mem, sa, f));
    TRY(read_side(o, path_b, false, rows_b, pairs, n, mem, sb, f));
    TRY(compare_run(&sa->t, &sb->t, pairs, n, mem, &r, f));
    TRY(run_checks(o, sa, sb, mem, checks, &check_count, f));
    char source[600];
    (void)snprintf(source, sizeof source, "A %.250s\nB %.250s", sa->t.name, sb->t.name);
    TRY(write_files(o, &r, source, false, lang, out, f));
    if (o->json)
        compare_json(&r, checks, check_count, lang, o->limit, out);
    else
        compare_text(&r, checks, check_count, lang, o->limit < 1000 ? o->limit : 20, out);
    return buf_ok(out, f);
}

static err compare_files(const struct args *o, const char *path_a, const char *path_b,
                         struct arena *mem, struct buf *out, struct fail *f) {
    struct side a = {.t.name = base_name(path_a)}, b = {.t.name = base_name(path_b)};
    err e = compare_sides(o, path_a, path_b, &a, &b, mem, out, f);
    buf_release(&a.converted);
    buf_release(&b.converted);
    return e;
}

int cmd_compare(int argc, char **argv);

int cmd_compare(int argc, char **argv) {
    static struct args a;
    a = (struct args){.lang = "en", .limit = 1000};
    size_t n;
    const struct opt *o = options(&a, &n);
    const struct usage u = {
        "compare [A] B|--dir DIR|URL --key COL [--columns A=B,..] [--json]",
        "Compares two tallies of the same units: equal, differing (by how much), only in one; totals\n"
        "of each class; where the difference of the totals comes from; and whether one constant\n"
        "factor lies between them. A tally of a party, the media or a portal is not a count by the\n"
        "commission.\n\n"
        "A and B are CSV, or results in a format that others read, which is told by what the file says:\n"
        "NIST's common data format (SP 1500-100, JSON or XML), EML 510, or results.json, stations.csv,\n"
        "units.geojson and the database of 'hesabu export'. Then --contest (and --round) picks the contest,\n"
        "--key is not needed, and the columns are registered, cast, valid, rejected and the choices.\n\n"
        "With --dir the second tally is a log's: rows of A are matched by code with stations, areas and\n"
        "the whole, each difference names the signed form and its picture, and published figures that\n"
        "no set of forms can give are listed. The log's columns: registered, valid, rejected, objected,\n"
        "disputed, and the ids of the choices. Unit by unit, stations' forms, collations (34B, 34C or\n"
        "their kin) and the file stand side by side; without a file, the log's own channels alone.\n\n"
        "example: hesabu compare portal.csv forms.csv --key constituency --where-a level=constituency\n"
        "exit codes: 0 compared (whatever was found); 1 a file is not readable data; 64 wrong usage",
        o, n, 0, 2};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if ((nargs < 2) != (a.log.dir != NULL)) {
        (void)fail_set(&f, E_USAGE, "give two files, or --dir DIR|URL with one file or none");
        return cli_fail("compare", &f);
    }
    struct arena mem;
    struct buf out;
    arena_init(&mem, MEMORY);
    buf_init(&out, (size_t)1 << 30);
    err e = a.log.dir && nargs == 0 ? compare_channels(&a, &mem, &out, &f)
            : a.log.dir             ? compare_log(&a, argv[0], &mem, &out, &f)
                      : compare_files(&a, argv[0], argv[1], &mem, &out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("compare", &f);
    buf_release(&out);
    arena_release(&mem);
    return code;
}
