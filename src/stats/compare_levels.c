/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/compare_levels.h"

#include <stdlib.h>
#include "base/text.h"

enum { CODE_MAX = 64 };

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the two tallies are too large to compare in the memory allowed");
}

struct matching {
    const struct cmp_table *a;
    const struct log_units *log;
    uint32_t *by_code;  /* log rows sorted by code */
    struct span *key;   /* A's keys, as the log writes them */
    uint32_t *log_row;  /* of each row of A, UINT32_MAX when unknown */
    size_t *a_row;      /* of each row of the log, SIZE_MAX when A has none or more than one */
    uint8_t *doubled;   /* log rows that A has more than once */
};

static int by_code(const void *x, const void *y, void *ctx) {
    const struct cmp_table *t = ctx;
    return span_cmp(t->key[*(const uint32_t *)x], t->key[*(const uint32_t *)y]);
}

static uint32_t find_code(const struct matching *m, struct span code) {
    size_t low = 0, high = m->log->table.rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = span_cmp(m->log->table.key[m->by_code[middle]], code);
        if (c == 0) return m->by_code[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

/* Spreadsheets drop leading zeros: the one unit whose code is `code` with some put back. */
static uint32_t find_padded(const struct matching *m, struct span code) {
    char padded[CODE_MAX];
    uint32_t found = UINT32_MAX;
    if (code.n == 0 || code.n >= CODE_MAX) return UINT32_MAX;
    for (size_t i = 0; i < code.n; i++)
        if (!char_is_digit(code.p[i])) return UINT32_MAX;
    for (size_t n = code.n + 1; n < CODE_MAX; n++) {
        memset(padded, '0', n - code.n);
        memcpy(padded + n - code.n, code.p, code.n);
        uint32_t row = find_code(m, span_of(padded, n));
        if (row == UINT32_MAX) continue;
        if (found != UINT32_MAX) return UINT32_MAX; /* more than one way */
        found = row;
    }
    return found;
}

static err match(struct matching *m, struct arena *mem, struct cmp_levels *out, struct fail *f) {
    size_t n = m->log->table.rows, rows = m->a->rows;
    size_t *unknown = arena_array(mem, rows + 1, sizeof *unknown);
    m->by_code = arena_array(mem, n + 1, sizeof *m->by_code);
    m->key = arena_array(mem, rows + 1, sizeof *m->key);
    m->log_row = arena_array(mem, rows + 1, sizeof *m->log_row);
    m->a_row = arena_array(mem, n + 1, sizeof *m->a_row);
    m->doubled = arena_alloc(mem, n + 1);
    if (!unknown || !m->by_code || !m->key || !m->log_row || !m->a_row || !m->doubled)
        return no_memory(f);
    for (size_t i = 0; i < n; i++) {
        m->by_code[i] = (uint32_t)i;
        m->a_row[i] = SIZE_MAX;
    }
    qsort_r(m->by_code, n, sizeof *m->by_code, by_code, (void *)&m->log->table);
    for (size_t i = 0; i < rows; i++) {
        m->key[i] = m->a->key[i];
        m->log_row[i] = UINT32_MAX;
        if (m->a->use && !m->a->use[i]) continue;
        uint32_t row = find_code(m, m->a->key[i]);
        if (row == UINT32_MAX && (row = find_padded(m, m->a->key[i])) != UINT32_MAX) out->padded++;
        if (row == UINT32_MAX) {
            unknown[out->unknown++] = i;
            continue;
        }
        m->key[i] = m->log->table.key[row];
        m->log_row[i] = row;
        m->doubled[row] = m->doubled[row] || m->a_row[row] != SIZE_MAX;
        m->a_row[row] = i;
    }
    for (size_t i = 0; i < n; i++)
        if (m->doubled[i]) m->a_row[i] = SIZE_MAX;
    out->unknown_rows = unknown;
    out->a_row = m->a_row;
    return OK;
}

/* One level: both tables, with only its rows in use. */
static err compare_level(const struct matching *m, uint8_t level, const struct cmp_pair *pairs,
                         size_t n, struct arena *mem, struct cmp_level_part *p, struct fail *f) {
    const struct log_units *log = m->log;
    uint8_t *use_a = arena_alloc(mem, m->a->rows + 1), *use_b = arena_alloc(mem, log->table.rows + 1);
    if (!use_a || !use_b) return no_memory(f);
    for (size_t i = 0; i < m->a->rows; i++)
        use_a[i] = m->log_row[i] != UINT32_MAX && log->level[m->log_row[i]] == level;
    for (size_t i = 0; i < log->table.rows; i++) {
        use_b[i] = log->table.use[i] && log->level[i] == level;
        if (log->level[i] == level) p->name = log->table.group[i];
    }
    p->level = level;
    p->a = *m->a;
    p->a.key = m->key;
    p->a.use = use_a;
    p->b = log->table;
    p->b.use = use_b;
    return compare_run(&p->a, &p->b, pairs, n, mem, &p->r, f);
}

static uint64_t figure(const struct cmp_table *t, size_t row, size_t column) {
    return t->value[row * t->columns + column];
}

/* The nearest unit above `row` for which A has one row; UINT32_MAX if there is none. */
static uint32_t above(const struct matching *m, uint32_t row) {
    do row = m->log->parent[row];
    while (row != UINT32_MAX && m->a_row[row] == SIZE_MAX);
    return row;
}

struct sum_of {
    uint64_t sum;
    size_t parts; /* with a figure */
};

/* Figures of A that are not the sum of its rows of the level `below`. `deeper[l]`: the next level that A
 * has below l. */
static err find_gaps(const struct matching *m, const uint8_t *deeper, const struct cmp_pair *pairs,
                     size_t n, struct arena *mem, struct cmp_levels *out, struct fail *f) {
    size_t rows = m->log->table.rows;
    struct sum_of *sum = arena_array(mem, rows * n + 1, sizeof *sum);
    size_t *parts = arena_array(mem, rows + 1, sizeof *parts);
    size_t *units = arena_array(mem, rows + 1, sizeof *units);
    if (!sum || !parts || !units) return no_memory(f);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t up = above(m, i);
        if (up == UINT32_MAX || deeper[m->log->level[up]] != m->log->level[i]) continue;
        units[up]++;
        if (m->a_row[i] == SIZE_MAX) continue;
        parts[up]++;
        for (size_t k = 0; k < n; k++) {
            uint64_t v = figure(m->a, m->a_row[i], pairs[k].a);
            if (v == CMP_ABSENT) continue;
            sum[up * n + k].sum += v; /* compare_run has added them all: they fit */
            sum[up * n + k].parts++;
        }
    }
    size_t most = 0;
    for (size_t i = 0; i < rows; i++) most += parts[i] ? n : 0;
    out->gap = arena_array(mem, most + 1, sizeof *out->gap);
    if (!out->gap) return no_memory(f);
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; parts[i] && k < n; k++) {
            uint64_t said = figure(m->a, m->a_row[i], pairs[k].a);
            const struct sum_of *s = &sum[i * n + k];
            if (said == CMP_ABSENT || said == s->sum) continue;
            out->gap[out->gaps++] = (struct cmp_gap){m->a_row[i], k, said, s->sum, s->parts,
                                                     units[i] - s->parts};
        }
    return OK;
}

static void check_bound(struct cmp_levels *out, size_t row, size_t field, uint64_t said, uint64_t low,
                        uint64_t more) {
    uint64_t high;
    if (__builtin_add_overflow(low, more, &high)) high = UINT64_MAX;
    if (said >= low && said <= high) return;
    out->bound[out->bounds++] = (struct cmp_bound){row, field, said, low, high};
}

static err find_bounds(const struct matching *m, const struct cmp_pair *pairs, size_t n,
                       struct arena *mem, struct cmp_levels *out, struct fail *f) {
    const struct log_units *log = m->log;
    size_t choices = 0;
    for (size_t k = 0; k < n; k++) choices += pairs[k].b >= log->first_choice;
    bool all = choices > 1 && choices == log->table.columns - log->first_choice;
    out->bound = arena_array(mem, log->table.rows * (n + 1) + 1, sizeof *out->bound);
    if (!out->bound) return no_memory(f);
    for (size_t i = 0; i < log->table.rows; i++) {
        if (m->a_row[i] == SIZE_MAX || log->level[i] == log->station_level) continue;
        uint64_t said_all = 0, low_all = 0;
        bool whole = all;
        for (size_t k = 0; k < n; k++) {
            if (pairs[k].b == 0) continue; /* the register is not counted on forms */
            uint64_t said = figure(m->a, m->a_row[i], pairs[k].a);
            uint64_t low = figure(&log->table, i, pairs[k].b);
            if (low == CMP_ABSENT) low = 0;
            if (said == CMP_ABSENT) {
                whole = whole && pairs[k].b < log->first_choice;
                continue;
            }
            check_bound(out, m->a_row[i], k, said, low, log->voters_out[i]);
            if (pairs[k].b < log->first_choice) continue;
            if (__builtin_add_overflow(said_all, said, &said_all)) whole = false;
            low_all += low;
        }
        if (whole) check_bound(out, m->a_row[i], SIZE_MAX, said_all, low_all, log->voters_out[i]);
    }
    return OK;
}

err compare_levels(const struct cmp_table *a, const struct log_units *log,
                   const struct cmp_pair *pairs, size_t pair_count, struct arena *mem,
                   struct cmp_levels *out, struct fail *f) {
    struct matching m = {.a = a, .log = log};
    bool present[MAX_LEVELS] = {false};
    uint8_t deeper[MAX_LEVELS];
    *out = (struct cmp_levels){.log = log};
    TRY(match(&m, mem, out, f));
    for (size_t i = 0; i < a->rows; i++)
        if (m.log_row[i] != UINT32_MAX) present[log->level[m.log_row[i]]] = true;
    out->at = arena_array(mem, MAX_LEVELS, sizeof *out->at);
    struct cmp_pair *printed = arena_array(mem, pair_count + 1, sizeof *printed);
    if (!out->at || !printed) return no_memory(f);
    memcpy(printed, pairs, pair_count * sizeof *pairs);
    for (int l = MAX_LEVELS, next = MAX_LEVELS; l-- > 0;) {
        deeper[l] = (uint8_t)next;
        if (!present[l]) continue;
        next = l;
        bool smallest = out->n == 0, root = log->level[0] == l;
        if (smallest && !root && m.a_row[0] != SIZE_MAX)
            for (size_t k = 0; k < pair_count; k++)
                if (printed[k].printed_a == CMP_ABSENT)
                    printed[k].printed_a = figure(a, m.a_row[0], pairs[k].a);
        TRY(compare_level(&m, (uint8_t)l, smallest ? printed : pairs, pair_count, mem, &out->at[out->n++], f));
    }
    if (out->n == 0)
        return fail_set(f, E_NOT_FOUND, "none of the %zu codes of %s is that of a unit of the log: is --key the "
                        "right column?", a->rows, a->name);
    TRY(find_gaps(&m, deeper, pairs, pair_count, mem, out, f));
    return find_bounds(&m, pairs, pair_count, mem, out, f);
}

/* --- what is said --- */

static struct span key_of(const struct cmp_levels *l, size_t row) {
    return l->at[0].a.key[row];
}

static struct span field_of(const struct cmp_levels *l, size_t field, enum lang lang) {
    if (field == SIZE_MAX)
        return lang == LANG_SW ? SPAN_LIT("kura za wote pamoja") : SPAN_LIT("votes of all choices together");
    return l->at[0].a.column[l->at[0].r.field[field].pair.a];
}

static void say_bound(const struct cmp_levels *l, const struct cmp_bound *b, enum lang lang,
                      struct buf *out) {
    char n1[32], n2[32], n3[32];
    SAY(out, lang,
        "%.*s, %.*s: %s is published; the signed forms give %s already and, with every voter of the "
        "stations still out, at most %s: no set of forms that contains them can give it.",
        "%.*s, %.*s: %s imechapishwa; fomu zilizotiwa saini tayari zinatoa %s na, pamoja na kila mpiga kura "
        "wa vituo vilivyobaki, si zaidi ya %s: hakuna seti ya fomu yenye fomu hizo inayoweza kuitoa.",
        SPAN_ARG(key_of(l, b->row)), SPAN_ARG(field_of(l, b->field, lang)), words_u64(b->said, n1),
        words_u64(b->low, n2), words_u64(b->high, n3));
}

static void say_gap(const struct cmp_levels *l, const struct cmp_gap *g, enum lang lang,
                    struct buf *out) {
    char n1[32], n2[32], n3[32], n4[32];
    SAY(out, lang, "%.*s, %.*s: %s is published, the file's own %s rows below it add up to %s",
        "%.*s, %.*s: %s imechapishwa, safu %s za faili hilohilo zilizo chini yake zinajumlisha %s",
        SPAN_ARG(key_of(l, g->row)), SPAN_ARG(field_of(l, g->field, lang)), words_u64(g->said, n1),
        words_u64(g->parts, n2), words_u64(g->sum, n3));
    if (g->parts_missing)
        SAY(out, lang, " (%s units have no figure there).", " (vituo %s havina takwimu humo).",
            words_u64(g->parts_missing, n4));
    else
        buf_byte(out, '.');
}

void compare_levels_say(const struct cmp_levels *l, enum lang lang, struct buf *out) {
    char n1[32], n2[32];
    if (l->unknown)
        SAY(out, lang, " %s rows have a code that no unit of the log has; they are listed.",
            " Safu %s zina msimbo ambao hakuna kituo au eneo la kumbukumbu lenye nao; zimeorodheshwa.",
            words_u64(l->unknown, n1));
    if (l->padded)
        SAY(out, lang, " %s codes were matched after their leading zeros were put back.",
            " Misimbo %s ililinganishwa baada ya kurudisha sifuri za mwanzo.", words_u64(l->padded, n1));
    if (l->log->in_question)
        SAY(out, lang, " %s stations have results in the log but none that holds: in question, or without the form's "
                        "picture.",
            " Vituo %s vina matokeo kwenye kumbukumbu lakini hakuna linalosimama: yana mashaka, au picha ya fomu "
            "haipo.",
            words_u64(l->log->in_question, n1));
    if (l->n > 1)
        SAY(out, lang, " Rows of %s levels were compared, each with the forms below it.",
            " Safu za ngazi %s zililinganishwa, kila moja na fomu zilizo chini yake.", words_u64(l->n, n1));
    if (l->gaps)
        SAY(out, lang, " %s published figures are not the sum of the file's own rows below them.",
            " Takwimu %s zilizochapishwa si jumla ya safu za faili hilohilo zilizo chini yake.",
            words_u64(l->gaps, n1));
    if (l->bounds)
        SAY(out, lang, " %s published figures cannot come from any set of forms that contains the signed ones.",
            " Takwimu %s zilizochapishwa haziwezi kutoka katika seti yoyote ya fomu yenye zile zilizotiwa saini.",
            words_u64(l->bounds, n2));
}

static void json_level(const struct cmp_level_part *p, size_t limit, struct json_out *j) {
    json_object(j);
    json_kspan(j, "level", p->name);
    json_ku64(j, "matched", p->r.matched);
    json_ku64(j, "equal", p->r.equal);
    json_ku64(j, "differs", p->r.differs);
    json_ku64(j, "only_a", p->r.only_a);
    json_ku64(j, "only_b", p->r.only_b);
    json_ku64(j, "duplicate_keys_a", p->r.duplicate_keys_a);
    json_key(j, "totals");
    json_object(j);
    for (size_t k = 0; k < p->r.fields; k++) {
        const struct cmp_field *d = &p->r.field[k];
        json_key_span(j, p->a.column[d->pair.a]);
        json_object(j);
        json_ku64(j, "a", d->total_a);
        json_ku64(j, "b", d->total_b);
        json_key(j, "difference");
        json_i64(j, d->difference);
        json_ku64(j, "differs", d->differs);
        json_object_end(j);
    }
    json_object_end(j);
    json_key(j, "differences");
    json_array(j);
    for (size_t k = 0; k < p->r.diffs && k < limit; k++) {
        const struct cmp_diff *x = &p->r.diff[k];
        const struct cmp_field *d = &p->r.field[x->field];
        json_object(j);
        json_kspan(j, "key", p->a.key[x->row_a]);
        json_kspan(j, "column", p->a.column[d->pair.a]);
        json_ku64(j, "a", figure(&p->a, x->row_a, d->pair.a));
        json_ku64(j, "b", figure(&p->b, x->row_b, d->pair.b));
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void json_sentence(struct json_out *j, struct buf *text) {
    json_kstr(j, "sentence", buf_cstr(text));
    buf_clear(text);
}

static void json_gap(const struct cmp_levels *l, const struct cmp_gap *g, enum lang lang,
                     struct buf *text, struct json_out *j) {
    json_object(j);
    json_kspan(j, "key", key_of(l, g->row));
    json_kspan(j, "column", field_of(l, g->field, LANG_EN));
    json_ku64(j, "published", g->said);
    json_ku64(j, "sum_of_parts", g->sum);
    json_ku64(j, "parts", g->parts);
    json_ku64(j, "parts_missing", g->parts_missing);
    say_gap(l, g, lang, text);
    json_sentence(j, text);
    json_object_end(j);
}

static void json_bound(const struct cmp_levels *l, const struct cmp_bound *b, enum lang lang,
                       struct buf *text, struct json_out *j) {
    json_object(j);
    json_kspan(j, "key", key_of(l, b->row));
    json_kspan(j, "column", field_of(l, b->field, LANG_EN));
    json_ku64(j, "published", b->said);
    json_ku64(j, "least", b->low);
    json_ku64(j, "most", b->high);
    say_bound(l, b, lang, text);
    json_sentence(j, text);
    json_object_end(j);
}

void compare_levels_json(const struct cmp_levels *l, enum lang lang, size_t limit, struct json_out *j) {
    struct buf text;
    buf_init(&text, 1 << 14);
    json_ku64(j, "unknown", l->unknown);
    json_ku64(j, "codes_padded", l->padded);
    json_ku64(j, "log_in_question", l->log->in_question);
    json_key(j, "unknown_keys");
    json_array(j);
    for (size_t i = 0; i < l->unknown && i < limit; i++) json_span(j, key_of(l, l->unknown_rows[i]));
    json_array_end(j);
    json_key(j, "levels");
    json_array(j);
    for (size_t i = 0; i < l->n; i++) json_level(&l->at[i], limit, j);
    json_array_end(j);
    json_ku64(j, "sums_broken_count", l->gaps);
    json_key(j, "sums_broken");
    json_array(j);
    for (size_t i = 0; i < l->gaps && i < limit; i++) json_gap(l, &l->gap[i], lang, &text, j);
    json_array_end(j);
    json_ku64(j, "impossible_count", l->bounds);
    json_key(j, "impossible");
    json_array(j);
    for (size_t i = 0; i < l->bounds && i < limit; i++) json_bound(l, &l->bound[i], lang, &text, j);
    json_array_end(j);
    buf_release(&text);
}

void compare_levels_text(const struct cmp_levels *l, enum lang lang, size_t limit, struct buf *out) {
    char n1[32], n2[32], n3[32];
    buf_byte(out, '\n');
    for (size_t i = 0; i < l->n; i++) {
        const struct cmp_level_part *p = &l->at[i];
        SAY(out, lang, "%.*s: %s in both, %s differ, only in %s: ", "%.*s: %s katika zote mbili, %s zinatofautiana, katika %s tu: ",
            SPAN_ARG(p->name), words_u64(p->r.matched, n1), words_u64(p->r.differs, n2), p->a.name);
        SAY(out, lang, "%s, only in the log: %s\n", "%s, katika kumbukumbu tu: %s\n",
            words_u64(p->r.only_a, n1), words_u64(p->r.only_b, n3));
    }
    for (size_t i = 0; i < l->unknown && i < limit; i++)
        SAY(out, lang, "unknown code: %.*s\n", "msimbo usiojulikana: %.*s\n",
            SPAN_ARG(key_of(l, l->unknown_rows[i])));
    for (size_t i = 0; i < l->gaps && i < limit; i++) {
        say_gap(l, &l->gap[i], lang, out);
        buf_byte(out, '\n');
    }
    for (size_t i = 0; i < l->bounds && i < limit; i++) {
        say_bound(l, &l->bound[i], lang, out);
        buf_byte(out, '\n');
    }
}
