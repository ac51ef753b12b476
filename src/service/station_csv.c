/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/station_csv.h"

#include <stdlib.h>
#include "base/csv.h"
#include "base/text.h"

enum { MOST_PARTS = FX_CHOICES };
static const size_t MEMORY = (size_t)2 << 30;

enum key { REGISTERED, VALID, REJECTED, ISSUED, VOTES, UNIT, AREA, TIME, KEYS };
static const char *const key_name[KEYS] = {"registered", "valid", "rejected", "issued",
                                           "votes",      "unit",  "area",     "time"};

struct mapping {
    size_t at[MOST_PARTS];
    size_t n;
};

struct names { /* interned areas of one level: open addressing on the path */
    struct span *at;
    uint32_t *slot;
    size_t n, cap, slots;
};

struct reader {
    struct csv *c;
    const char *path;
    struct mapping map[KEYS];
    struct station_csv *out;
    size_t n, cap;
    uint32_t *column[4]; /* REGISTERED .. ISSUED */
    uint32_t *votes;     /* while reading: [n][choices] */
    int64_t *time_ms;
    struct span *unit;
    uint32_t *area[FX_LEVELS];
    struct names names[FX_LEVELS];
    size_t where_at;
    struct span where;
    bool filtered, votes_needed;
};

static err no_memory(const struct reader *r, struct fail *f) {
    return fail_set(f, E_MEMORY, "%s has more stations than fit in the memory allowed; split it",
                    r->path);
}

static bool is_key_at(const char *s, enum key *k) {
    for (int i = 0; i < KEYS; i++) {
        size_t n = strlen(key_name[i]);
        if (strncmp(s, key_name[i], n) == 0 && s[n] == '=') {
            *k = (enum key)i;
            return true;
        }
    }
    return false;
}

/* "A+B+C" -> columns. A header that contains '+' is found by its whole name. */
static err map_columns(struct reader *r, enum key k, struct span text, struct fail *f) {
    struct mapping *m = &r->map[k];
    char name[512];
    if (m->n) return fail_set(f, E_USAGE, "--columns names \"%s\" twice", key_name[k]);
    if (text.n == 0 || text.n >= sizeof name)
        return fail_set(f, E_USAGE, "--columns: \"%s=\" needs the name of a column", key_name[k]);
    for (size_t i = 0; i < csv_columns(r->c); i++)
        if (span_eq(csv_header(r->c, i), text)) {
            m->at[m->n++] = i;
            return OK;
        }
    while (text.n) {
        size_t len = 0;
        while (len < text.n && text.p[len] != '+') len++;
        if (m->n == MOST_PARTS)
            return fail_set(f, E_USAGE, "--columns: more than %d columns for \"%s\"", MOST_PARTS,
                            key_name[k]);
        memcpy(name, text.p, len);
        name[len] = 0;
        TRY(csv_column(r->c, name, &m->at[m->n++], f));
        text = span_from(text, len + 1);
    }
    return OK;
}

static err map_all(struct reader *r, const char *s, struct fail *f) {
    enum key k;
    while (*s) {
        if (!is_key_at(s, &k))
            return fail_set(f, E_USAGE,
                            "--columns: \"%.40s\" is not one of registered=, valid=, rejected=, issued=, "
                            "votes=, unit=, area=, time=", s);
        const char *from = s + strlen(key_name[k]) + 1, *to = from;
        enum key next;
        while (*to && !(*to == ',' && is_key_at(to + 1, &next))) to++;
        TRY(map_columns(r, k, span_of(from, (size_t)(to - from)), f));
        s = *to ? to + 1 : to;
    }
    if (r->map[VOTES].n == 0 && r->votes_needed)
        return fail_set(f, E_USAGE, "--columns: votes=COL1+COL2+... is missing");
    if (r->map[AREA].n > FX_LEVELS)
        return fail_set(f, E_USAGE, "--columns: at most %d levels of areas", FX_LEVELS);
    if (r->map[TIME].n > 1) return fail_set(f, E_USAGE, "--columns: time= takes one column");
    return OK;
}

static err pick_leader(struct reader *r, const char *leader, struct fail *f) {
    struct fx_table *t = &r->out->table;
    struct mapping *m = &r->map[VOTES];
    struct span *names = arena_array(&r->out->mem, m->n + 1, sizeof *names);
    size_t at;
    if (!names) return no_memory(r, f);
    for (size_t i = 0; i < m->n; i++) {
        names[i] = arena_copy(&r->out->mem, csv_header(r->c, m->at[i]));
        if (!names[i].p) return no_memory(r, f);
        for (size_t j = 0; j < i; j++)
            if (m->at[i] == m->at[j])
                return fail_set(f, E_USAGE, "--columns: \"%.*s\" stands twice among the votes",
                                SPAN_ARG(names[i]));
    }
    t->choice = names;
    t->choices = m->n;
    t->votes_complete = m->n > 1;
    if (!leader) return OK;
    TRY(csv_column(r->c, leader, &at, f));
    for (size_t i = 0; i < m->n; i++)
        if (m->at[i] == at) {
            t->leader = i;
            return OK;
        }
    return fail_set(f, E_USAGE, "--leader %s is not among the votes=", leader);
}

static err parse_where(struct reader *r, const char *where, struct fail *f) {
    if (!where) return OK;
    const char *eq = strchr(where, '=');
    char name[256];
    if (!eq || (size_t)(eq - where) >= sizeof name)
        return fail_set(f, E_USAGE, "\"%s\" is no condition; write COL=VALUE", where);
    memcpy(name, where, (size_t)(eq - where));
    name[eq - where] = 0;
    r->where = span_text(eq + 1);
    r->filtered = true;
    return csv_column(r->c, name, &r->where_at, f);
}

/* Two decimal digits at s[from]. */
static bool two(struct span s, size_t from, int *out) {
    if (from + 2 > s.n || !char_is_digit(s.p[from]) || !char_is_digit(s.p[from + 1])) return false;
    *out = (s.p[from] - '0') * 10 + s.p[from + 1] - '0';
    return true;
}

/* Days from 1970-01-01 (H. Hinnant's civil calendar algorithm). */
static int64_t days_from_civil(int64_t y, int m, int d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static err bad_time(struct span s, struct fail *f) {
    return fail_set(f, E_CSV, "\"%.*s\" is no time; write 2022-08-09T22:36:59", SPAN_ARG(s));
}

static err parse_zone(struct span s, size_t at, int64_t *ms, struct span whole, struct fail *f) {
    if (at == s.n || (s.n - at == 1 && s.p[at] == 'Z')) return OK;
    int h, m, sign = s.p[at] == '-' ? -1 : 1;
    if ((s.p[at] != '+' && s.p[at] != '-') || s.n - at != 6 || s.p[at + 3] != ':' ||
        !two(s, at + 1, &h) || !two(s, at + 4, &m) || h > 15 || m > 59)
        return bad_time(whole, f);
    *ms -= (int64_t)sign * (h * 60 + m) * 60000;
    return OK;
}

err station_time_parse(struct span s, int64_t *out, struct fail *f) {
    uint64_t plain;
    if (s.n < 16 && u64_parse(s, INT64_MAX, &plain, NULL) == OK) {
        *out = (int64_t)plain;
        return OK;
    }
    int c, y, mo, d, h, mi, se = 0;
    if (!two(s, 0, &c) || !two(s, 2, &y) || s.n < 16 || s.p[4] != '-' || !two(s, 5, &mo) ||
        s.p[7] != '-' || !two(s, 8, &d) || (s.p[10] != 'T' && s.p[10] != ' ') || !two(s, 11, &h) ||
        s.p[13] != ':' || !two(s, 14, &mi) || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59)
        return bad_time(s, f);
    size_t at = 16;
    int64_t ms = 0;
    if (at < s.n && s.p[at] == ':') {
        if (!two(s, 17, &se) || se > 60) return bad_time(s, f);
        at = 19;
        if (at < s.n && s.p[at] == '.') {
            int64_t unit = 100;
            size_t digits = 0;
            for (at++; at < s.n && char_is_digit(s.p[at]); at++, unit /= 10, digits++)
                ms += (s.p[at] - '0') * unit;
            if (digits == 0 || digits > 9) return bad_time(s, f);
        }
    }
    ms += ((days_from_civil(c * 100 + y, mo, d) * 24 + h) * 60 + mi) * 60000 + se * 1000;
    TRY(parse_zone(s, at, &ms, s, f));
    *out = ms;
    return OK;
}

static uint64_t hash_of(struct span s) { /* FNV-1a */
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ s.p[i]) * 0x100000001b3u;
    return h;
}

static err grow_names(struct reader *r, struct names *m, struct fail *f) {
    size_t cap = m->cap ? 2 * m->cap : 512, slots = 2 * cap;
    struct span *at = arena_array(&r->out->mem, cap, sizeof *at);
    uint32_t *slot = arena_array(&r->out->mem, slots, sizeof *slot);
    if (!at || !slot) return no_memory(r, f);
    if (m->n) memcpy(at, m->at, m->n * sizeof *at);
    m->at = at;
    m->slot = slot;
    m->cap = cap;
    m->slots = slots;
    for (size_t i = 0; i < m->n; i++) {
        size_t k = hash_of(at[i]) & (slots - 1);
        while (slot[k]) k = (k + 1) & (slots - 1);
        slot[k] = (uint32_t)i + 1;
    }
    return OK;
}

static err intern(struct reader *r, struct names *m, struct span path, uint32_t *out,
                  struct fail *f) {
    if (m->n == m->cap) TRY(grow_names(r, m, f));
    size_t k = hash_of(path) & (m->slots - 1);
    for (; m->slot[k]; k = (k + 1) & (m->slots - 1))
        if (span_eq(m->at[m->slot[k] - 1], path)) {
            *out = m->slot[k] - 1;
            return OK;
        }
    struct span copy = arena_copy(&r->out->mem, path);
    if (!copy.p) return no_memory(r, f);
    m->at[m->n++] = copy;
    m->slot[k] = (uint32_t)m->n;
    *out = (uint32_t)(m->n - 1);
    return OK;
}

static bool grow_one(void **p, size_t count, size_t size) {
    void *q = reallocarray(*p, count, size);
    if (!q) return false;
    *p = q;
    return true;
}

static err grow(struct reader *r, struct fail *f) {
    if (r->n < r->cap) return OK;
    if (r->cap >= FX_STATIONS)
        return fail_set(f, E_TOO_LARGE, "%s, line %llu: more than %d stations; split the file", r->path,
                        (unsigned long long)csv_line(r->c), FX_STATIONS);
    size_t cap = r->cap ? 2 * r->cap : 4096;
    if (cap > FX_STATIONS) cap = FX_STATIONS;
    bool good = grow_one((void **)&r->votes, cap, (r->map[VOTES].n + 1) * sizeof(uint32_t));
    for (int k = REGISTERED; k <= ISSUED && good; k++)
        if (r->map[k].n) good = grow_one((void **)&r->column[k], cap, sizeof(uint32_t));
    if (good && r->map[TIME].n) good = grow_one((void **)&r->time_ms, cap, sizeof(int64_t));
    if (good && r->map[UNIT].n) good = grow_one((void **)&r->unit, cap, sizeof(struct span));
    for (size_t l = 0; l < r->map[AREA].n && good; l++)
        good = grow_one((void **)&r->area[l], cap, sizeof(uint32_t));
    if (!good) return no_memory(r, f);
    r->cap = cap;
    return OK;
}

static err read_sum(struct reader *r, enum key k, uint32_t *out, struct fail *f) {
    uint64_t sum = 0, v;
    bool any = false, present;
    for (size_t i = 0; i < r->map[k].n; i++) {
        TRY(csv_u64(r->c, r->map[k].at[i], FX_MOST, &present, &v, f));
        any = any || present;
        sum += v;
    }
    if (sum > FX_MOST)
        return fail_set(f, E_CSV, "%s, line %llu: the columns of \"%s\" add up to more than %u", r->path,
                        (unsigned long long)csv_line(r->c), key_name[k], FX_MOST);
    *out = any ? (uint32_t)sum : FX_ABSENT;
    return OK;
}

/* Joins the fields of a path with '/' into text; only the first `parts`. */
static err path_of(struct reader *r, enum key k, size_t parts, struct buf *text, struct fail *f) {
    buf_clear(text);
    for (size_t i = 0; i < parts; i++) {
        if (i) buf_byte(text, '/');
        buf_span(text, csv_field(r->c, r->map[k].at[i]));
    }
    return buf_ok(text, f);
}

static err read_row(struct reader *r, struct buf *text, struct fail *f) {
    size_t choices = r->map[VOTES].n;
    TRY(grow(r, f));
    for (int k = REGISTERED; k <= ISSUED; k++)
        if (r->map[k].n) TRY(read_sum(r, (enum key)k, &r->column[k][r->n], f));
    for (size_t c = 0; c < choices; c++) {
        uint64_t v;
        bool present;
        TRY(csv_u64(r->c, r->map[VOTES].at[c], FX_MOST, &present, &v, f));
        r->votes[r->n * choices + c] = present ? (uint32_t)v : FX_ABSENT;
    }
    if (r->map[TIME].n) {
        struct span s = csv_field(r->c, r->map[TIME].at[0]);
        r->time_ms[r->n] = FX_NO_TIME;
        err e = s.n ? station_time_parse(s, &r->time_ms[r->n], f) : OK;
        if (e != OK)
            return fail_context(f, e, "%s, line %llu, column \"%.*s\"", r->path,
                                (unsigned long long)csv_line(r->c),
                                SPAN_ARG(csv_header(r->c, r->map[TIME].at[0])));
    }
    for (size_t l = 0; l < r->map[AREA].n; l++) {
        TRY(path_of(r, AREA, l + 1, text, f));
        TRY(intern(r, &r->names[l], buf_view(text), &r->area[l][r->n], f));
    }
    if (r->map[UNIT].n) {
        TRY(path_of(r, UNIT, r->map[UNIT].n, text, f));
        r->unit[r->n] = arena_copy(&r->out->mem, buf_view(text));
        if (!r->unit[r->n].p) return no_memory(r, f);
    }
    r->n++;
    return OK;
}

/* Hands the arrays over, votes turned to one column a choice. */
static err hand_over(struct reader *r, struct fail *f) {
    struct fx_table *t = &r->out->table;
    size_t choices = t->choices;
    uint32_t *votes = arena_array(&r->out->mem, r->n * choices + 1, sizeof *votes);
    if (!votes) return no_memory(r, f);
    for (size_t c = 0; c < choices; c++)
        for (size_t i = 0; i < r->n; i++) votes[c * r->n + i] = r->votes[i * choices + c];
    t->votes = votes;
    t->n = r->n;
    t->registered = r->column[REGISTERED];
    t->valid = r->column[VALID];
    t->rejected = r->column[REJECTED];
    t->issued = r->column[ISSUED];
    t->time_ms = r->time_ms;
    t->unit = r->unit;
    t->levels = r->map[AREA].n;
    for (size_t l = 0; l < t->levels; l++)
        t->level[l] = (struct fx_level){r->area[l], r->names[l].n, r->names[l].at};
    return OK;
}

static err read_all(struct reader *r, const char *columns, const char *leader, const char *where,
                    struct buf *text, struct fail *f) {
    TRY(map_all(r, columns, f));
    TRY(pick_leader(r, leader, f));
    TRY(parse_where(r, where, f));
    for (bool more = true;;) {
        TRY(csv_next(r->c, &more, f));
        if (!more) break;
        if (r->filtered && !span_eq(csv_field(r->c, r->where_at), r->where)) continue;
        TRY(read_row(r, text, f));
    }
    if (r->n == 0) return fail_set(f, E_CSV, "%s has no stations%s", r->path,
                                   r->filtered ? " that satisfy the condition" : "");
    return hand_over(r, f);
}

err station_csv_read_open(struct csv *c, const char *name, const char *columns, const char *leader,
                          const char *where, struct station_csv *out, struct fail *f) {
    struct reader *r = calloc(1, sizeof *r);
    struct buf text;
    *out = (struct station_csv){0};
    arena_init(&out->mem, MEMORY);
    if (!r) return fail_set(f, E_MEMORY, "no memory for reading %s", name);
    buf_init(&text, 1 << 20);
    r->c = c;
    r->path = name;
    r->votes_needed = leader != NULL;
    r->out = out;
    err e = read_all(r, columns, leader, where, &text, f);
    for (int k = 0; k < 4; k++) out->columns[k] = r->column[k];
    out->columns[4] = r->time_ms;
    out->columns[5] = r->unit;
    for (int l = 0; l < FX_LEVELS; l++) out->levels[l] = r->area[l];
    free(r->votes);
    free(r);
    buf_release(&text);
    return e;
}

err station_csv_read(const char *path, const char *columns, const char *leader, const char *where,
                     struct station_csv *out, struct fail *f) {
    struct csv *c = NULL;
    *out = (struct station_csv){0};
    TRY(csv_open(path, &c, f));
    err e = station_csv_read_open(c, path, columns, leader, where, out, f);
    csv_close(c);
    return e;
}

void station_csv_release(struct station_csv *s) {
    for (int k = 0; k < 8; k++) free(s->columns[k]);
    for (int l = 0; l < FX_LEVELS; l++) free(s->levels[l]);
    arena_release(&s->mem);
}
