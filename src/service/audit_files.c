/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/audit_files.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/hash.h"

enum { FILE_MAX = 1 << 30, NAME_MAX_BYTES = 400 };

/* An array that grows in the arena by doubling. */
static MUST_USE err grow(struct arena *a, void **p, size_t *cap, size_t n, size_t size,
                         struct fail *f) {
    if (n < *cap) return OK;
    size_t more = *cap ? 2 * *cap : 256;
    void *q = arena_array(a, more, size);
    if (!q) return fail_set(f, E_MEMORY, "no memory for %zu rows", more);
    if (*p) memcpy(q, *p, n * size);
    *p = q;
    *cap = more;
    return OK;
}

static uint64_t hash_name(struct span j, struct span n) {
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, with a byte between the two */
    for (size_t i = 0; i < j.n; i++) h = (h ^ j.p[i]) * UINT64_C(0x100000001b3);
    h = (h ^ 0xff) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < n.n; i++) h = (h ^ n.p[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

const char *audit_batch_jurisdiction(const struct audit_batches *b, size_t batch) {
    return b->jurisdiction[audit_region(&b->contest, batch)];
}

/* The slot that holds the batch, or the free one where it belongs. */
static size_t slot_of(const struct audit_batches *b, struct span jurisdiction, struct span name) {
    size_t at = hash_name(jurisdiction, name) & (b->slots - 1);
    while (b->slot[at]) {
        uint32_t g = b->slot[at] - 1;
        if (span_eq(name, b->name[g]) && span_is(jurisdiction, audit_batch_jurisdiction(b, g)))
            break;
        at = (at + 1) & (b->slots - 1);
    }
    return at;
}

bool audit_batch_find(const struct audit_batches *b, struct span jurisdiction, struct span name,
                      uint32_t *out) {
    uint32_t at = b->slot[slot_of(b, jurisdiction, name)];
    if (at) *out = at - 1;
    return at != 0;
}

/* ---- batches ---- */

struct reading {
    struct csv *csv;
    struct audit_batches *b;
    size_t jurisdiction, batch, ballots; /* columns */
    bool has_ballots;
    size_t *choice; /* columns of the choices */
    uint64_t *bound, *votes;
    uint32_t *region;
    const char **place;
    size_t cap_bound, cap_votes, cap_region, cap_name, cap_place, places;
    uint64_t total;
};

static MUST_USE err batch_columns(struct reading *r, uint64_t total_ballots, struct fail *f) {
    struct csv *c = r->csv;
    struct arena *a = r->b->arena;
    TRY(csv_column(c, "jurisdiction", &r->jurisdiction, f));
    TRY(csv_column(c, "batch", &r->batch, f));
    err e = csv_column(c, "ballots", &r->ballots, f);
    r->has_ballots = e == OK;
    if (e != OK && !total_ballots)
        return fail_context(f, e, "without a column \"ballots\" give --total-ballots");
    size_t n = csv_columns(c);
    r->choice = arena_array(a, n, sizeof *r->choice);
    r->b->choice = arena_array(a, n, sizeof *r->b->choice);
    if (!r->choice || !r->b->choice) return fail_set(f, E_MEMORY, "no memory for %zu choices", n);
    size_t choices = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == r->jurisdiction || i == r->batch || (r->has_ballots && i == r->ballots)) continue;
        r->choice[choices] = i;
        r->b->choice[choices++] = arena_text(a, csv_header(c, i));
    }
    if (choices == 0) return fail_set(f, E_CSV, "the batches have no column for a choice");
    r->b->contest.choices = choices;
    return OK;
}

/* Regions are jurisdictions, in the order in which they first appear. Most rows repeat the last. */
static MUST_USE err region_of(struct reading *r, struct span name, uint32_t *out, struct fail *f) {
    for (size_t i = r->places; i-- > 0;)
        if (span_is(name, r->place[i])) {
            *out = (uint32_t)i;
            return OK;
        }
    if (r->places == AUDIT_REGIONS_MAX)
        return fail_set(f, E_AUDIT_BATCHES, "there are more than %d jurisdictions",
                        AUDIT_REGIONS_MAX);
    TRY(grow(r->b->arena, (void **)&r->place, &r->cap_place, r->places, sizeof *r->place, f));
    char *text = arena_text(r->b->arena, name);
    if (!text) return fail_set(f, E_MEMORY, "no memory for a jurisdiction's name");
    r->place[r->places] = text;
    *out = (uint32_t)r->places++;
    return OK;
}

static MUST_USE err add_batch(struct reading *r, size_t n, struct span jurisdiction,
                              struct span name, struct fail *f) {
    struct arena *a = r->b->arena;
    size_t choices = r->b->contest.choices;
    TRY(grow(a, (void **)&r->bound, &r->cap_bound, n, sizeof *r->bound, f));
    TRY(grow(a, (void **)&r->votes, &r->cap_votes, n, choices * sizeof *r->votes, f));
    TRY(grow(a, (void **)&r->region, &r->cap_region, n, sizeof *r->region, f));
    TRY(grow(a, (void **)&r->b->name, &r->cap_name, n, sizeof *r->b->name, f));
    TRY(region_of(r, jurisdiction, &r->region[n], f));
    r->b->name[n] = arena_copy(a, name);
    memset(r->votes + n * choices, 0, choices * sizeof *r->votes);
    return r->b->name[n].p || name.n == 0 ? OK : fail_set(f, E_MEMORY, "no memory for names");
}

static MUST_USE err read_batch(struct reading *r, size_t n, uint64_t total_ballots,
                               struct fail *f) {
    struct csv *c = r->csv;
    size_t choices = r->b->contest.choices;
    struct span j = csv_field(c, r->jurisdiction), name = csv_field(c, r->batch);
    if (name.n + j.n == 0 || name.n > NAME_MAX_BYTES || j.n > NAME_MAX_BYTES ||
        !text_is_plain(name) || !text_is_plain(j))
        return fail_set(
            f, E_AUDIT_BATCHES,
            "line %" PRIu64
            ": a batch needs a jurisdiction or a name, of plain characters and at most %d bytes",
            csv_line(c), NAME_MAX_BYTES);
    TRY(add_batch(r, n, j, name, f));
    uint64_t valid = 0;
    for (size_t i = 0; i < choices; i++) {
        bool present;
        uint64_t *v = &r->votes[n * choices + i];
        TRY(csv_u64(c, r->choice[i], AUDIT_BALLOTS_MAX - 1, &present, v, f));
        if (!present)
            return fail_set(f, E_AUDIT_BATCHES,
                            "line %" PRIu64
                            ": %.*s has no figure for %s; write 0 where a form is missing",
                            csv_line(c), SPAN_ARG(name), r->b->choice[i]);
        valid += *v;
    }
    bool present = false;
    uint64_t ballots = 0;
    if (r->has_ballots) TRY(csv_u64(c, r->ballots, AUDIT_BALLOTS_MAX - 1, &present, &ballots, f));
    if (!present && !total_ballots)
        return fail_set(f, E_AUDIT_BATCHES,
                        "line %" PRIu64 ": %.*s says no number of ballots; fill it in, or give "
                        "--total-ballots",
                        csv_line(c), SPAN_ARG(name));
    if (!present) {
        ballots = valid;
        r->b->bounds_given = false;
    }
    if (valid > ballots)
        return fail_set(f, E_AUDIT_BOUND,
                        "line %" PRIu64 ": %.*s / %.*s reports %" PRIu64 " votes on %" PRIu64
                        " ballots: correct it, or give a bound that holds",
                        csv_line(c), SPAN_ARG(j), SPAN_ARG(name), valid, ballots);
    r->bound[n] = ballots;
    r->total += ballots;
    if (r->total >= AUDIT_BALLOTS_MAX)
        return fail_set(f, E_OVERFLOW, "line %" PRIu64 ": more than 2^40 ballots in all",
                        csv_line(c));
    return OK;
}

static MUST_USE err index_batches(struct audit_batches *b, struct fail *f) {
    b->slots = 64;
    while (b->slots < 2 * b->contest.batches) b->slots *= 2;
    b->slot = arena_array(b->arena, b->slots, sizeof *b->slot);
    if (!b->slot) return fail_set(f, E_MEMORY, "no memory for an index of the batches");
    for (size_t g = 0; g < b->contest.batches; g++) {
        const char *j = audit_batch_jurisdiction(b, g);
        size_t at = slot_of(b, span_text(j), b->name[g]);
        if (b->slot[at])
            return fail_set(f, E_AUDIT_BATCHES,
                            "the batch %.80s / %.*s is listed twice (rows %" PRIu32
                            " and %zu): every "
                            "batch needs its own name",
                            j, SPAN_ARG(b->name[g]), b->slot[at], g + 1);
        b->slot[at] = (uint32_t)g + 1;
    }
    return OK;
}

static MUST_USE err read_batches(struct reading *r, uint64_t total_ballots, struct fail *f) {
    TRY(batch_columns(r, total_ballots, f));
    struct audit_batches *b = r->b;
    size_t n = 0;
    for (bool more = true;; n++) {
        TRY(csv_next(r->csv, &more, f));
        if (!more) break;
        TRY(read_batch(r, n, total_ballots, f));
    }
    if (n == 0) return fail_set(f, E_AUDIT_BATCHES, "the file lists no batches");
    b->listed = n;
    if (total_ballots && total_ballots < r->total)
        return fail_set(f, E_AUDIT_BATCHES,
                        "the batches hold %" PRIu64 " ballots, more than --total-ballots %" PRIu64,
                        r->total, total_ballots);
    if (total_ballots >= AUDIT_BALLOTS_MAX)
        return fail_set(f, E_RANGE, "--total-ballots is out of range");
    if (total_ballots > r->total) {
        TRY(add_batch(r, n, SPAN_LIT(""), SPAN_LIT("(ballots in no batch)"), f));
        r->bound[n++] = total_ballots - r->total;
    }
    b->contest =
        (struct audit_contest){n, b->contest.choices, r->places, r->bound, r->votes, r->region};
    b->jurisdiction = r->place;
    TRY(index_batches(b, f));
    return audit_contest_check(&b->contest, f);
}

err audit_batches_parse(struct span bytes, const char *name, uint64_t total_ballots, struct arena *arena,
                        struct audit_batches *out, struct fail *f) {
    *out = (struct audit_batches){.arena = arena, .bounds_given = true};
    struct reading r = {.b = out};
    TRY(csv_open_span(bytes, name, &r.csv, f));
    err e = read_batches(&r, total_ballots, f);
    csv_close(r.csv);
    if (e != OK && e != E_CSV) e = fail_context(f, e, "%s", name);
    if (e != OK) return e;
    out->digest = arena_alloc(arena, sizeof *out->digest);
    if (!out->digest) return fail_set(f, E_MEMORY, "no memory");
    *out->digest = sha256(bytes);
    return OK;
}

err audit_batches_read(const char *path, uint64_t total_ballots, struct arena *arena,
                       struct audit_batches *out, struct fail *f) {
    struct buf bytes;
    *out = (struct audit_batches){.arena = arena};
    buf_init(&bytes, FILE_MAX);
    err e = file_read(path, FILE_MAX, &bytes, f);
    if (e == OK) e = audit_batches_parse(buf_view(&bytes), path, total_ballots, arena, out, f);
    buf_release(&bytes);
    return e;
}

/* ---- batches counted together ---- */

struct groups {
    struct span *jurisdiction, *name; /* [n] */
    size_t n, cap_j, cap_n, cap_first;
    uint32_t *first; /* [n] index of the first part */
    uint32_t *of;    /* [batches] group + 1 */
};

static bool group_find(const struct groups *g, struct span jurisdiction, struct span name,
                       uint32_t *out) {
    for (size_t i = 0; i < g->n; i++)
        if (span_eq(name, g->name[i]) && span_eq(jurisdiction, g->jurisdiction[i])) {
            *out = (uint32_t)i;
            return true;
        }
    return false;
}

static MUST_USE err read_part(struct csv *c, const size_t column[3], struct audit_batches *b,
                              struct groups *g, struct fail *f) {
    struct span j = csv_field(c, column[0]), name = csv_field(c, column[1]);
    struct span part = csv_field(c, column[2]);
    uint32_t batch, group;
    if (!audit_batch_find(b, j, part, &batch))
        return fail_set(f, E_AUDIT_BATCHES, "line %" PRIu64 ": there is no batch %.*s / %.*s",
                        csv_line(c), SPAN_ARG(j), SPAN_ARG(part));
    if (audit_batch_find(b, j, name, &group))
        return fail_set(f, E_AUDIT_BATCHES,
                        "line %" PRIu64
                        ": the combined batch %.*s / %.*s has the name of a single one",
                        csv_line(c), SPAN_ARG(j), SPAN_ARG(name));
    if (g->of[batch])
        return fail_set(f, E_AUDIT_BATCHES,
                        "line %" PRIu64 ": %.*s / %.*s is part of two combined batches",
                        csv_line(c), SPAN_ARG(j), SPAN_ARG(part));
    if (!group_find(g, j, name, &group)) {
        TRY(grow(b->arena, (void **)&g->jurisdiction, &g->cap_j, g->n, sizeof *g->jurisdiction, f));
        TRY(grow(b->arena, (void **)&g->name, &g->cap_n, g->n, sizeof *g->name, f));
        TRY(grow(b->arena, (void **)&g->first, &g->cap_first, g->n, sizeof *g->first, f));
        group = (uint32_t)g->n++;
        g->jurisdiction[group] = arena_copy(b->arena, j);
        g->name[group] = arena_copy(b->arena, name);
        g->first[group] = batch;
    }
    g->of[batch] = group + 1;
    return OK;
}

static MUST_USE err groups_read(const char *path, struct audit_batches *b, struct groups *g,
                                struct fail *f) {
    g->of = arena_array(b->arena, b->contest.batches, sizeof *g->of);
    if (!g->of) return fail_set(f, E_MEMORY, "no memory for combined batches");
    if (!path) return OK;
    struct csv *c;
    TRY(csv_open(path, &c, f));
    size_t column[3];
    err e = csv_column(c, "jurisdiction", &column[0], f);
    if (e == OK) e = csv_column(c, "combined", &column[1], f);
    if (e == OK) e = csv_column(c, "part", &column[2], f);
    for (bool more = true; e == OK;) {
        e = csv_next(c, &more, f);
        if (e != OK || !more) break;
        e = read_part(c, column, b, g, f);
    }
    csv_close(c);
    return e == OK || e == E_CSV ? e : fail_context(f, e, "%s", path);
}

/* ---- the sample ---- */

/* Numbers in a field of tickets: digits with at most one point, after the last ':' of a word. */
static uint32_t count_tickets(struct span s) {
    uint32_t n = 0;
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == ',' || s.p[i] == ';' || s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\t' ||
            s.p[i] == '\r') {
            i++;
            continue;
        }
        size_t digits = 0, points = 0, other = 0;
        for (; i < s.n && !strchr(",; \n\t\r", s.p[i]); i++) {
            if (s.p[i] == ':')
                digits = points = other = 0;
            else if (char_is_digit(s.p[i]))
                digits++;
            else if (s.p[i] == '.')
                points++;
            else
                other++;
        }
        if (digits > 0 && points <= 1 && other == 0) n++;
    }
    return n;
}

struct sampling {
    struct csv *csv;
    struct audit_batches *b;
    struct groups groups;
    struct audit_rows *rows;
    size_t jurisdiction, batch, tickets, *choice, cap;
    uint32_t *row_of_group; /* [groups] row + 1 */
};

static MUST_USE err sample_columns(struct sampling *s, struct fail *f) {
    TRY(csv_column(s->csv, "jurisdiction", &s->jurisdiction, f));
    TRY(csv_column(s->csv, "batch", &s->batch, f));
    TRY(csv_column(s->csv, "tickets", &s->tickets, f));
    size_t n = s->b->contest.choices;
    s->choice = arena_array(s->b->arena, n, sizeof *s->choice);
    if (!s->choice) return fail_set(f, E_MEMORY, "no memory for %zu choices", n);
    for (size_t i = 0; i < n; i++) {
        char name[2 * NAME_MAX_BYTES];
        snprintf(name, sizeof name, "audit %s", s->b->choice[i]);
        TRY(csv_column(s->csv, name, &s->choice[i], f));
    }
    return OK;
}

/* The counts of one row: all figures, all "lost", or all empty. */
static MUST_USE err read_counts(struct sampling *s, struct audit_row *r, struct fail *f) {
    size_t n = s->b->contest.choices, counted = 0, lost = 0;
    for (size_t i = 0; i < n; i++) {
        bool present;
        if (span_is(csv_field(s->csv, s->choice[i]), "lost")) {
            lost++;
            continue;
        }
        TRY(csv_u64(s->csv, s->choice[i], AUDIT_BALLOTS_MAX - 1, &present, &r->votes[i], f));
        counted += present;
    }
    if (counted != n && lost != n && counted + lost != 0)
        return fail_set(f, E_AUDIT_COUNT,
                        "line %" PRIu64
                        ": some choices have a hand count and others have none; give "
                        "all, leave all empty (not counted yet), or write \"lost\" in all",
                        csv_line(s->csv));
    r->state = counted == n ? AUDIT_COUNTED : lost == n ? AUDIT_LOST : AUDIT_UNCOUNTED;
    if (r->tickets == 0 && r->state == AUDIT_LOST) r->state = AUDIT_UNCOUNTED;
    return OK;
}

/* A row for a batch that has one already: the same count may be repeated, another may not. */
static MUST_USE err again(struct sampling *s, const struct audit_row *old,
                          const struct audit_row *r, struct fail *f) {
    size_t bytes = s->b->contest.choices * sizeof *r->votes;
    if (old->state == r->state && memcmp(old->votes, r->votes, bytes) == 0 &&
        old->tickets == r->tickets)
        return OK;
    return fail_set(
        f, E_AUDIT_COUNT,
        "line %" PRIu64 ": %.*s / %.*s was counted already in line %" PRIu64
        ", with another result or other tickets: find out which holds, and keep one row",
        csv_line(s->csv), SPAN_ARG(csv_field(s->csv, s->jurisdiction)),
        SPAN_ARG(csv_field(s->csv, s->batch)), old->line);
}

static MUST_USE err bind_row(struct sampling *s, const struct audit_row *r, struct fail *f) {
    struct audit_rows *rows = s->rows;
    uint64_t valid = 0, bound = 0;
    for (size_t i = 0; i < s->b->contest.choices; i++) valid += r->votes[i];
    size_t from = r->group ? 0 : r->batch, to = r->group ? s->b->contest.batches : from + 1;
    for (size_t g = from; g < to; g++) {
        if (s->groups.of[g] != r->group && r->group) continue;
        if (rows->row_of[g] && rows->row_of[g] != (uint32_t)rows->n)
            return fail_set(f, E_AUDIT_COUNT,
                            "line %" PRIu64 ": %.*s was counted alone (line %" PRIu64
                            ") and together with others: keep one",
                            r->line, SPAN_ARG(s->b->name[g]), rows->row[rows->row_of[g] - 1].line);
        rows->row_of[g] = (uint32_t)rows->n;
        bound += s->b->contest.bound[g];
        for (size_t i = 0; i < s->b->contest.choices; i++)
            r->against[i] += audit_votes(&s->b->contest, g)[i];
    }
    if (r->state == AUDIT_COUNTED && valid > bound)
        return fail_set(
            f, E_AUDIT_BOUND,
            "line %" PRIu64 ": %.*s / %.*s holds %" PRIu64
            " votes by hand and its bound is %" PRIu64
            " ballots: the bounds are false; give every batch a bound that holds (papers "
            "delivered, say) and compute again from the first draw",
            r->line, SPAN_ARG(csv_field(s->csv, s->jurisdiction)),
            SPAN_ARG(csv_field(s->csv, s->batch)), valid, bound);
    return OK;
}

static MUST_USE err read_row(struct sampling *s, struct fail *f) {
    struct audit_rows *rows = s->rows;
    struct arena *a = s->b->arena;
    size_t choices = s->b->contest.choices;
    struct span j = csv_field(s->csv, s->jurisdiction), name = csv_field(s->csv, s->batch);
    struct audit_row r = {.line = csv_line(s->csv),
                          .tickets = count_tickets(csv_field(s->csv, s->tickets)),
                          .votes = arena_array(a, choices, sizeof(uint64_t)),
                          .against = arena_array(a, choices, sizeof(uint64_t))};
    if (!r.votes || !r.against) return fail_set(f, E_MEMORY, "no memory for the sample");
    TRY(read_counts(s, &r, f));
    uint32_t group, *mark;
    if (audit_batch_find(s->b, j, name, &r.batch)) {
        mark = &rows->row_of[r.batch];
        if (r.batch >= s->b->listed)
            return fail_set(f, E_AUDIT_BATCHES,
                            "line %" PRIu64 ": ballots in no batch cannot be counted", r.line);
        if (*mark && !rows->row[*mark - 1].group) return again(s, &rows->row[*mark - 1], &r, f);
    } else if (group_find(&s->groups, j, name, &group)) {
        r.group = group + 1;
        r.batch = s->groups.first[group];
        mark = &s->row_of_group[group];
        if (*mark) return again(s, &rows->row[*mark - 1], &r, f);
    } else {
        return fail_set(f, E_AUDIT_BATCHES,
                        "line %" PRIu64
                        ": there is no batch %.*s / %.*s among the reported ones; if it "
                        "was put together from several, give --combined",
                        r.line, SPAN_ARG(j), SPAN_ARG(name));
    }
    TRY(grow(a, (void **)&rows->row, &s->cap, rows->n, sizeof r, f));
    rows->row[rows->n++] = r;
    if (r.group) s->row_of_group[r.group - 1] = (uint32_t)rows->n;
    rows->tickets += r.tickets;
    rows->repeated |= r.tickets > 1 && !r.group;
    return bind_row(s, &r, f);
}

/* The rows of a file that is open; closes it. */
static MUST_USE err rows_read(struct sampling *s, struct fail *f) {
    err e = sample_columns(s, f);
    for (bool more = true; e == OK;) {
        e = csv_next(s->csv, &more, f);
        if (e != OK || !more) break;
        e = read_row(s, f);
    }
    csv_close(s->csv);
    return e;
}

static MUST_USE err rows_init(struct sampling *s, const char *combined, struct fail *f) {
    struct audit_batches *b = s->b;
    struct audit_rows *out = s->rows;
    *out = (struct audit_rows){0};
    TRY(groups_read(combined, b, &s->groups, f));
    out->row_of = arena_array(b->arena, b->contest.batches, sizeof *out->row_of);
    s->row_of_group = arena_array(b->arena, s->groups.n + 1, sizeof *s->row_of_group);
    return out->row_of && s->row_of_group ? OK : fail_set(f, E_MEMORY, "no memory for the sample");
}

err audit_rows_parse(struct span bytes, const char *name, struct audit_batches *b,
                     struct audit_rows *out, struct fail *f) {
    struct sampling s = {.b = b, .rows = out};
    TRY(rows_init(&s, NULL, f));
    TRY(csv_open_span(bytes, name, &s.csv, f));
    return rows_read(&s, f);
}

err audit_rows_read(const char *path, const char *combined, struct audit_batches *b,
                    struct audit_rows *out, struct fail *f) {
    struct sampling s = {.b = b, .rows = out};
    TRY(rows_init(&s, combined, f));
    TRY(csv_open(path, &s.csv, f));
    err e = rows_read(&s, f);
    return e == OK || e == E_CSV ? e : fail_context(f, e, "%s", path);
}
