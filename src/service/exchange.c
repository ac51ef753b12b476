/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/exchange_impl.h"

#include <stdlib.h>
#include "base/file.h"
#include "base/text.h"

enum { TEXT_MAX = 4096, LISTED_MAX = 40 };

/* --- the set --- */

err ex_text(struct exchange *x, struct span s, uint32_t *out, struct fail *f) {
    if (s.n > TEXT_MAX) return fail_set(f, E_TOO_LARGE, "an identifier or name of more than %d bytes", TEXT_MAX);
    if ((*out = ex_find_text(x, s)) != EX_NONE) return OK;
    if (x->texts.n >= EX_TEXTS_MAX) return fail_set(f, E_TOO_LARGE, "more than %d different texts", EX_TEXTS_MAX);
    struct span kept = arena_copy(&x->mem, s.n ? s : SPAN_LIT(" "));
    struct span *at = vec_push(&x->texts);
    uint32_t number = (uint32_t)x->texts.n - 1;
    if (!kept.p || !at || !table_add(&x->by_text, hash_bytes(s), number))
        return fail_set(f, E_MEMORY, "no memory for the file's texts");
    *at = span_of(kept.p, s.n);
    *out = number;
    return OK;
}

uint32_t ex_find_text(const struct exchange *x, struct span s) {
    size_t cursor = 0;
    uint32_t i;
    while ((i = table_next(&x->by_text, hash_bytes(s), &cursor)) != UINT32_MAX)
        if (span_eq(ex_span(x, i), s)) return i;
    return EX_NONE;
}

struct span ex_span(const struct exchange *x, uint32_t text) {
    return text == EX_NONE ? (struct span){0} : *(const struct span *)vec_at(&x->texts, text);
}

err ex_new_contest(struct exchange *x, uint32_t id, unsigned round, uint32_t *out, struct fail *f) {
    if (x->contests.n >= EX_CONTESTS_MAX) return fail_set(f, E_TOO_LARGE, "more than %d contests", EX_CONTESTS_MAX);
    struct ex_contest *k = vec_push(&x->contests);
    if (!k) return fail_set(f, E_MEMORY, "no memory for the contests");
    *k = (struct ex_contest){.id = id, .own = EX_NONE, .round = round};
    *out = (uint32_t)x->contests.n - 1;
    return OK;
}

err ex_contest_of(struct exchange *x, struct span id, uint64_t round, uint32_t *out, struct fail *f) {
    uint32_t text;
    if (!id.n || round == 0 || round > 99) return fail_set(f, E_FIELD, "figures without a contest and its round");
    TRY(ex_text(x, id, &text, f));
    uint64_t hash = hash_u64((uint64_t)text << 8 | round);
    size_t cursor = 0;
    while ((*out = table_next(&x->by_contest, hash, &cursor)) != EX_NONE) {
        const struct ex_contest *k = ex_contest(x, *out);
        if (k->id == text && k->round == round) return OK;
    }
    TRY(ex_new_contest(x, text, (unsigned)round, out, f));
    return table_add(&x->by_contest, hash, *out) ? OK : fail_set(f, E_MEMORY, "no memory for the contests");
}

err ex_choice(struct exchange *x, uint32_t contest, uint32_t choice, struct fail *f) {
    struct ex_contest *k = ex_contest(x, contest);
    for (size_t i = 0; i < k->choices; i++)
        if (k->choice[i] == choice) return OK;
    if (k->choices == EX_CHOICES_MAX)
        return fail_set(f, E_TOO_LARGE, "a contest of more than %d choices", EX_CHOICES_MAX);
    k->choice[k->choices++] = choice;
    return OK;
}

err ex_add(struct ex_set *set, const struct ex_figure *g, struct fail *f) {
    if (set->n == set->room) {
        size_t room = set->room ? 2 * set->room : 4096;
        struct ex_figure *more = set->n < EX_FIGURES_MAX ? realloc(set->at, room * sizeof *more) : NULL;
        if (!more) return fail_set(f, E_TOO_LARGE, "more than %d figures, or no memory for them", EX_FIGURES_MAX);
        set->at = more;
        set->room = room;
    }
    set->at[set->n++] = *g;
    return OK;
}

err ex_put(struct exchange *x, uint32_t contest, struct span unit, enum exchange_channel c, bool votes,
           struct span what, uint64_t value, struct fail *f) {
    struct ex_figure g = {.contest = contest, .channel = (uint8_t)c, .votes = votes, .value = value};
    TRY(ex_text(x, unit, &g.unit, f));
    TRY(ex_text(x, what, &g.what, f));
    if (votes) TRY(ex_choice(x, contest, g.what, f));
    return ex_add(x->into, &g, f);
}

err ex_number(struct span s, uint64_t *out, struct fail *f) {
    *out = 0;
    if (s.n == 0 || s.n > EX_FIGURE_DIGITS)
        return fail_set(f, E_FIELD, "\"%.*s\" is no count: 1 to %d digits are due", SPAN_ARG(s), EX_FIGURE_DIGITS);
    for (size_t i = 0; i < s.n; i++) {
        if (!char_is_digit(s.p[i]))
            return fail_set(f, E_FIELD, "\"%.*s\" is no count: a number without sign and fraction is due", SPAN_ARG(s));
        *out = *out * 10 + (uint64_t)(s.p[i] - '0');
    }
    return OK;
}

static int by_u32(uint32_t a, uint32_t b) {
    return (a > b) - (a < b);
}

int ex_order(const void *a, const void *b) {
    const struct ex_figure *p = a, *q = b;
    int c = by_u32(p->contest, q->contest);
    if (c == 0) c = by_u32(p->unit, q->unit);
    if (c == 0) c = by_u32(p->channel, q->channel);
    if (c == 0) c = by_u32(p->votes, q->votes);
    return c ? c : by_u32(p->what, q->what);
}

const char *exchange_channel_name(enum exchange_channel c) {
    static const char *const names[] = {"form", "transmitted", "transcribed", "compared", "declared", "total"};
    return names[c];
}

void ex_say(const struct exchange *x, const struct ex_figure *g, struct buf *out) {
    if (g->contest < x->contests.n) {
        const struct ex_contest *k = ex_contest(x, g->contest);
        buf_printf(out, "contest %.*s, ", SPAN_ARG(ex_span(x, k->id)));
    }
    struct span unit = ex_span(x, g->unit), what = ex_span(x, g->what);
    if (unit.n)
        buf_printf(out, "unit %.*s, ", SPAN_ARG(unit));
    else
        buf_str(out, "the total, ");
    buf_printf(out, "%s%.*s", g->votes ? "votes of " : "", SPAN_ARG(what));
}

err ex_finish(const struct exchange *x, struct ex_set *set, bool same, struct fail *f) {
    size_t n = 0;
    if (set->n) qsort(set->at, set->n, sizeof *set->at, ex_order);
    for (size_t i = 0; i < set->n; i++) {
        if (n == 0 || ex_order(&set->at[n - 1], &set->at[i]) != 0) {
            set->at[n++] = set->at[i];
            continue;
        }
        if (same && set->at[n - 1].value == set->at[i].value) continue;
        struct buf b;
        buf_init(&b, 1024);
        ex_say(x, &set->at[i], &b);
        err e = fail_set(f, E_FIELD, "%s: the figure stands twice", buf_cstr(&b));
        buf_release(&b);
        return e;
    }
    set->n = n;
    return OK;
}

uint64_t ex_value(const struct ex_set *set, const struct ex_figure *place) {
    const struct ex_figure *g = set->n ? bsearch(place, set->at, set->n, sizeof *set->at, ex_order) : NULL;
    return g ? g->value : EXCHANGE_BLANK;
}

/* --- reading --- */

#define CSV_BEGINS "contest,round,station,"
#define SQLITE_BEGINS "SQLite format 3"

static uint8_t first_character(struct span s) {
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n')) i++;
    return i < s.n ? s.p[i] : 0;
}

static bool is_database(struct span head) {
    return span_starts(head, SPAN_LIT(SQLITE_BEGINS));
}

bool exchange_looks(struct span head) {
    uint8_t c = first_character(head);
    return c == '{' || c == '<' || span_starts(head, SPAN_LIT(CSV_BEGINS)) || is_database(head);
}

static struct exchange *make(void) {
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->root = EX_NONE;
    x->into = &x->read;
    x->budget.cap = (size_t)1 << 30;
    arena_init(&x->mem, (size_t)1 << 30);
    vec_init(&x->texts, &x->budget, sizeof(struct span), 12);
    table_init(&x->by_text, &x->budget);
    vec_init(&x->contests, &x->budget, sizeof(struct ex_contest), 4);
    table_init(&x->by_contest, &x->budget);
    return x;
}

void exchange_free(struct exchange *x) {
    if (!x) return;
    free(x->read.at);
    free(x->expected.at);
    vec_release(&x->texts);
    table_release(&x->by_text);
    vec_release(&x->contests);
    table_release(&x->by_contest);
    arena_release(&x->mem);
    free(x);
}

static err fill(struct exchange *x, struct span text, const char *path, struct fail *f) {
    uint8_t c = first_character(text);
    if (is_database(text) && !path) return fail_set(f, E_USAGE, "a database is read from a file");
    if (is_database(text))
        TRY(exchange_sqlite(x, path, f));
    else if (c == '{' || c == '<')
        TRY(exchange_document(x, text, c == '<', f));
    else if (span_starts(text, SPAN_LIT(CSV_BEGINS)))
        TRY(exchange_csv(x, text, f));
    else
        return fail_set(f, E_FIELD, "none of the formats that are read back: NIST SP 1500-100 (JSON, XML), EML 510, "
                        "GeoJSON, results.json, stations.csv, a database of this program's");
    /* results.json says a part's totals in its own file too */
    TRY(ex_finish(x, &x->read, x->format == EXPORT_JSON, f));
    return x->contests.n ? OK : fail_set(f, E_FIELD, "the file has no contest");
}

static err read_from(struct span text, const char *path, struct exchange **out, struct fail *f) {
    *out = make();
    if (!*out) return fail_set(f, E_MEMORY, "no memory to read the file");
    err e = fill(*out, text, path, f);
    if (e == OK) return OK;
    exchange_free(*out);
    *out = NULL;
    return e;
}

err exchange_read(struct span text, struct exchange **out, struct fail *f) {
    return read_from(text, NULL, out, f);
}

err exchange_read_file(const char *path, struct exchange **out, struct fail *f) {
    struct span text;
    *out = NULL;
    TRY(file_map(path, &text, f));
    err e = read_from(text, path, out, f);
    file_unmap(text);
    return e == OK ? OK : fail_context(f, e, "%.200s", path);
}

enum export_format exchange_format(const struct exchange *x) {
    return x->format;
}

bool exchange_checkpoint(const struct exchange *x, uint64_t *size, struct span *root) {
    *size = x->size;
    *root = ex_span(x, x->root);
    return x->root != EX_NONE && x->size != 0;
}

/* --- the table --- */

static void text_field(struct buf *csv, struct span text) {
    buf_byte(csv, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') buf_byte(csv, '"');
        buf_byte(csv, text.p[i] ? text.p[i] : ' ');
    }
    buf_byte(csv, '"');
}

static void number_field(struct buf *csv, uint64_t v) {
    buf_byte(csv, ',');
    if (v != EXCHANGE_BLANK) buf_u64(csv, v);
}

static err pick(const struct exchange *x, const char *wanted, uint64_t round, uint32_t *out, struct fail *f) {
    struct buf names;
    size_t found = 0;
    buf_init(&names, 1 << 16);
    for (uint32_t i = 0; i < x->contests.n; i++) {
        const struct ex_contest *k = ex_contest(x, i);
        struct span id = ex_span(x, k->id);
        if (i < LISTED_MAX) {
            buf_printf(&names, "%s%.*s", i ? ", " : "", SPAN_ARG(id));
            if (k->round > 1) buf_printf(&names, " (round %u)", k->round);
        }
        if (wanted && !span_is(id, wanted) && !span_is(ex_span(x, k->own), wanted)) continue;
        if (round && k->round && k->round != round) continue;
        *out = i;
        found++;
    }
    err e = OK;
    if (found == 0)
        e = fail_set(f, E_CONTEST, "no contest \"%s\" of that round; there are: %s", wanted ? wanted : "", buf_cstr(&names));
    if (found > 1)
        e = fail_set(f, E_USAGE, "name one contest with --contest (and --round); there are: %s", buf_cstr(&names));
    buf_release(&names);
    return e;
}

/* A channel that has one figure for a unit, and of which there is no better one. */
static bool is_shown(const struct ex_figure *g) {
    return g->channel == EXCHANGE_FORM || g->channel == EXCHANGE_TRANSMITTED || g->channel == EXCHANGE_TOTAL;
}

/* Figures in the columns before the choices. */
enum { REGISTERED, CAST, REJECTED, VALID, OBJECTED, DISPUTED, COUNTED, COLUMNS };
static const char *const columns[] = {"registered", "cast", "rejected", "valid", "objected", "disputed", "counted"};

static void row(const struct exchange *x, const struct ex_contest *k, const uint32_t *names,
                const struct ex_figure *g, size_t n, struct buf *csv) {
    uint64_t v[COLUMNS];
    struct ex_figure place = {.contest = EX_EVERY, .unit = g->unit, .channel = EXCHANGE_TOTAL, .what = names[REGISTERED]};
    for (int c = 0; c < COLUMNS; c++) v[c] = EXCHANGE_BLANK;
    v[REGISTERED] = ex_value(&x->read, &place);
    for (size_t i = 0; i < n; i++)
        for (int c = 0; c < COLUMNS; c++)
            if (is_shown(&g[i]) && !g[i].votes && g[i].what == names[c]) v[c] = g[i].value;
    if (v[COUNTED] == 0) return; /* on a form that is not in the total */
    if (v[VALID] == EXCHANGE_BLANK && v[CAST] != EXCHANGE_BLANK && v[REJECTED] <= v[CAST] && x->format != EXPORT_EML)
        v[VALID] = v[CAST] - v[REJECTED]; /* in EML that is the sum of the choices, whatever the form says */
    text_field(csv, ex_span(x, g->unit));
    for (int c = 0; c < COUNTED; c++) number_field(csv, v[c]);
    for (size_t c = 0; c < k->choices; c++) {
        uint64_t votes = EXCHANGE_BLANK;
        for (size_t i = 0; i < n; i++)
            if (is_shown(&g[i]) && g[i].votes && g[i].what == k->choice[c]) votes = g[i].value;
        number_field(csv, votes);
    }
    buf_byte(csv, '\n');
}

err exchange_table(const struct exchange *x, const char *contest, uint64_t round, struct buf *csv, struct fail *f) {
    uint32_t at = 0, names[COLUMNS];
    TRY(pick(x, contest, round, &at, f));
    const struct ex_contest *k = ex_contest(x, at);
    for (int c = 0; c < COLUMNS; c++) names[c] = ex_find_text(x, span_text(columns[c]));
    buf_str(csv, "unit,registered,cast,rejected,valid,objected,disputed");
    for (size_t c = 0; c < k->choices; c++) {
        buf_byte(csv, ',');
        text_field(csv, ex_span(x, k->choice[c]));
    }
    buf_byte(csv, '\n');
    for (size_t i = 0, n; i < x->read.n; i += n) {
        const struct ex_figure *g = &x->read.at[i];
        for (n = 1; i + n < x->read.n && g[n].contest == g->contest && g[n].unit == g->unit;) n++;
        if (g->contest == at && ex_span(x, g->unit).n) row(x, k, names, g, n, csv);
    }
    return buf_ok(csv, f);
}
