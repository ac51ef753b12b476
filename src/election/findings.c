/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/findings.h"

#include <stdlib.h>
#include "base/vec.h"
#include "election/findings_impl.h"

static const struct {
    const char *name, *text;
    enum severity severity;
} table[] = {
#define FINDING(name, severity, text) {#name, text, SEVERITY_##severity},
#include "election/findings.def"
#undef FINDING
};

const char *finding_name(enum finding_code code) {
    return table[code].name;
}

enum severity finding_severity(enum finding_code code) {
    return table[code].severity;
}

enum finding_code finding_by_name(struct span name) {
    int c = 0;
    while (c < FINDING_COUNT && !span_is(name, table[c].name)) c++;
    return (enum finding_code)c;
}

_Static_assert((int)FINDING_COUNT <= FINDINGS_MAX, "a finding needs its bit and its severity");

enum severity finding_severity_in(const struct fold *s, enum finding_code code) {
    uint8_t set = s->def.limits.severity[code];
    return set ? (enum severity)(set - 1) : table[code].severity;
}

bool finding_needs_adopt(enum finding_code code) {
    return code == F_TWO_RESULTS || code == F_READING_DIFFERS || code == F_READINGS_DISAGREE ||
           code == F_ORIGINAL_DIFFERS;
}

bool finding_acceptable(enum finding_code code) {
    return !finding_needs_adopt(code) && code != F_OBJECTION;
}

void finding_text(const struct finding *x, struct buf *out) {
    for (const char *t = table[x->code].text; *t; t++) {
        if (t[0] == '%' && (t[1] == 'a' || t[1] == 'b')) {
            buf_u64(out, t[1] == 'a' ? x->a : x->b);
            t++;
        } else {
            buf_byte(out, (uint8_t)*t);
        }
    }
}

void finding_because(struct finding *x, uint64_t entry) {
    if (x->entries < FINDING_ENTRIES) x->entry[x->entries++] = (uint32_t)entry;
    if (entry > x->latest) x->latest = (uint32_t)entry;
}

struct finding *finding_add(struct work *w, enum finding_code code, uint32_t cell, uint32_t result,
                            uint64_t a, uint64_t b) {
    enum severity severity = finding_severity_in(w->s, code);
    struct finding *x = severity == SEVERITY_NONE ? NULL : vec_push(&w->list);
    if (!x) {
        w->full |= severity != SEVERITY_NONE;
        x = &w->nowhere;
    }
    *x = (struct finding){.code = code, .severity = (uint8_t)severity, .cell = cell, .result = result,
                          .decision = NO_DECISION, .a = a, .b = b};
    if (cell != NO_CELL) {
        const struct cell *c = vec_at(&w->s->cells, cell);
        x->contest = c->contest;
        x->round = c->round;
        x->unit = c->station;
    }
    if (result != NO_RESULT) finding_because(x, fold_result(w->s, result)->entry);
    return x;
}

struct finding *finding_add_unit(struct work *w, enum finding_code code, uint32_t contest,
                                 unsigned round, uint32_t unit, uint64_t a, uint64_t b) {
    struct finding *x = finding_add(w, code, NO_CELL, NO_RESULT, a, b);
    x->contest = contest;
    x->round = (uint16_t)round;
    x->unit = unit;
    return x;
}

/* a of b is more than `thousandths`. */
static bool exceeds(uint64_t a, uint64_t b, uint64_t thousandths) {
    return a * 1000 > b * thousandths; /* figures are < 10^9: no overflow */
}

static bool is_bound(const struct fold *s, const struct result *r, const struct image *x) {
    for (unsigned n = 0; n < r->form_count; n++)
        if (hash_eq(result_form(s, r, n), &x->original)) return true;
    return false;
}

/* Images of the original that are not those which the signers bound to the figures. Others (an
 * agent's copy) photograph the paper again and differ rightly. An image that names no result may be
 * of a form that was replaced, so it counts only when the bound one never came. */
static void check_form(struct work *w, uint32_t cell_index, uint32_t i) {
    const struct fold *s = w->s;
    const struct cell *cell = vec_at(&s->cells, cell_index);
    const struct result *r = fold_result(s, i);
    if (r->form_count == 0) return;
    bool came = false;
    uint32_t stray = NO_IMAGE;
    for (uint32_t m = r->first_image; m != NO_IMAGE; m = fold_image(s, m)->next_of_result) {
        const struct image *x = fold_image(s, m);
        if (is_bound(s, r, x))
            came = true;
        else if (x->kind == IMAGE_ORIGINAL)
            finding_because(finding_add(w, F_FORM_MISMATCH, cell_index, i, x->entry, 0), x->entry);
    }
    for (uint32_t m = cell->first_image; m != NO_IMAGE; m = fold_image(s, m)->next_of_result) {
        const struct image *x = fold_image(s, m);
        if (is_bound(s, r, x))
            came = true;
        else if (x->kind == IMAGE_ORIGINAL)
            stray = m;
    }
    if (came || stray == NO_IMAGE) return;
    uint64_t entry = fold_image(s, stray)->entry;
    finding_because(finding_add(w, F_FORM_MISMATCH, cell_index, i, entry, 0), entry);
}

void findings_of_figures(struct work *w, uint32_t cell_index, uint32_t i, const struct figures *g,
                         uint64_t voters, uint64_t reading, uint64_t decision) {
    const struct fold *s = w->s;
    const struct cell *cell = vec_at(&s->cells, cell_index);
    const struct contest *k = fold_contest(s, cell->contest);
    const struct limits *lim = &s->def.limits;
    uint64_t registered = fold_unit(s, cell->station)->registered;
    uint64_t sum = 0, most = 0, blank = 0;
    unsigned on_ballot = 0;
    size_t from = w->list.n;
    for (uint32_t n = 0; n < k->choice_count; n++) {
        if (!contest_has_choice(k, cell->round, n)) continue;
        on_ballot++;
        if (g->votes[n] == ABSENT) {
            blank++;
            continue;
        }
        sum += g->votes[n];
        if (g->votes[n] > most) most = g->votes[n];
    }
    uint64_t valid = g->valid == ABSENT ? sum : g->valid;
    uint64_t rejected = g->rejected == ABSENT ? 0 : g->rejected, ballots = valid + rejected;
    blank += (g->valid == ABSENT ? 1u : 0u) + (g->rejected == ABSENT ? 1u : 0u);
    if (g->valid != ABSENT && sum != g->valid) finding_add(w, F_SUM, cell_index, i, sum, g->valid);
    if (ballots > registered) finding_add(w, F_OVER_REGISTER, cell_index, i, ballots, registered);
    if (voters != ABSENT && ballots > voters) finding_add(w, F_OVER_VOTERS, cell_index, i, ballots, voters);
    if (g->objected != ABSENT && g->rejected != ABSENT && g->objected > g->rejected)
        finding_add(w, F_OBJECTED, cell_index, i, g->objected, g->rejected);
    if (g->registered != ABSENT && g->registered != registered)
        finding_add(w, F_REGISTER, cell_index, i, g->registered, registered);
    if (blank) finding_add(w, F_BLANK, cell_index, i, blank, 0);
    if (ballots == 0) {
        finding_add(w, F_ALL_ZERO, cell_index, i, 0, 0);
    } else {
        if (g->rejected == 0) finding_add(w, F_ZERO_REJECTED, cell_index, i, valid, 0);
        if (exceeds(ballots, registered, lim->turnout_high))
            finding_because(finding_add(w, F_TURNOUT_HIGH, cell_index, i, ballots, registered), lim->since);
        if (ballots * 1000 < registered * lim->turnout_low)
            finding_because(finding_add(w, F_TURNOUT_LOW, cell_index, i, ballots, registered), lim->since);
        if (on_ballot > 1 && valid && exceeds(most, valid, lim->one_sided))
            finding_because(finding_add(w, F_ONE_SIDED, cell_index, i, most, valid), lim->since);
        if (exceeds(rejected, ballots, lim->rejected_high))
            finding_because(finding_add(w, F_REJECTED_HIGH, cell_index, i, rejected, ballots), lim->since);
    }
    for (; reading != ABSENT && from < w->list.n; from++) {
        struct finding *x = vec_at(&w->list, from);
        finding_because(x, reading);
        if (decision != ABSENT) finding_because(x, decision);
    }
}

/* It names the first of the results that it replaced. */
static void check_recount(struct work *w, uint32_t cell_index, uint32_t i) {
    const struct cell *cell = vec_at(&w->s->cells, cell_index);
    uint32_t old = cell->first_result;
    while (old != i && fold_result(w->s, old)->superseded_by != i) old = fold_result(w->s, old)->next;
    uint64_t entry = fold_result(w->s, old)->entry;
    finding_because(finding_add(w, F_RECOUNT, cell_index, i, entry, 0), entry);
}

static void check_result(struct work *w, uint32_t cell_index, uint32_t i) {
    const struct fold *s = w->s;
    const struct cell *cell = vec_at(&s->cells, cell_index);
    const struct result *r = fold_result(s, i);
    struct figures g;
    result_figures(s, r, &g);
    findings_of_figures(w, cell_index, i, &g, figures_voters(r->voters_kit, r->voters_manual), ABSENT, ABSENT);
    if (r->ms < s->def.closes_ms) finding_add(w, F_EARLY, cell_index, i, 0, 0);
    if (r->objected) finding_because(finding_add(w, F_AGENT_OBJECTS, cell_index, i, r->objected, 0), r->objected_entry);
    const struct key *signer = state_key(s, r->signer);
    if (signer->suspect_since_ms <= r->ms)
        finding_because(finding_add(w, F_SUSPECT_KEY, cell_index, i, signer->revoked_at, 0), signer->revoked_at);
    if (r->recount) check_recount(w, cell_index, i);
    check_form(w, cell_index, i);
    if (s->def.image == IMAGE_REQUIRED && !cell_has_image(s, cell, r))
        finding_add(w, F_NO_IMAGE, cell_index, i, 0, 0);
}

/* Something that should be unique. The hash only brings together what may be alike. */
struct twin {
    uint64_t hash;
    uint32_t index, cell; /* of a result */
};

/* A result or image, and one of another cell that is like it. They are reported in the log's order: no
 * finding depends on how things are hashed. */
struct pair {
    uint32_t index, other;
};

static int by_index(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_hash(const void *a, const void *b) {
    const struct twin *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

typedef bool same_fn(const struct fold *, uint32_t, uint32_t);
typedef void report_fn(struct work *, uint32_t, uint32_t);

/* Of n with one hash, moves those that are the same as the first to the front, each part in its order;
 * how many they are. */
static size_t gather(const struct fold *s, struct twin *t, size_t n, struct twin *rest, same_fn *same) {
    size_t alike = 1, others = 0;
    for (size_t i = 1; i < n; i++) {
        if (same(s, t[0].index, t[i].index))
            t[alike++] = t[i];
        else
            rest[others++] = t[i];
    }
    if (others) memcpy(t + alike, rest, others * sizeof *rest);
    return alike;
}

/* Calls report(w, one, other) for each member that has a neighbour of another cell, with that neighbour:
 * linear in n however large a group is. `rest` and `pairs`: room for n. */
static void twins(struct work *w, struct twin *t, size_t n, struct twin *rest, struct pair *pairs,
                  same_fn *same, report_fn *report) {
    size_t m = 0;
    qsort(t, n, sizeof *t, by_hash);
    for (size_t from = 0, end = 0; from < n; from += end) {
        for (end = 1; from + end < n && t[from + end].hash == t[from].hash;) end++;
        if (end > 1) end = gather(w->s, t + from, end, rest, same);
        bool paired = false; /* the member before this one */
        for (size_t i = from + 1; i < from + end; i++) {
            bool twin = t[i - 1].cell != t[i].cell;
            if (twin && !paired) pairs[m++] = (struct pair){t[i - 1].index, t[i].index};
            if (twin) pairs[m++] = (struct pair){t[i].index, t[i - 1].index};
            paired = twin;
        }
    }
    qsort(pairs, m, sizeof *pairs, by_index);
    for (size_t i = 0; i < m; i++) report(w, pairs[i].index, pairs[i].other);
}

/* Serials and figures are compared inside a contest and round. */
static uint64_t place_hash(const struct fold *s, const struct result *r) {
    const struct cell *c = vec_at(&s->cells, r->cell);
    return hash_u64((uint64_t)c->contest << 8 | c->round);
}

static bool same_serial(const struct fold *s, uint32_t i, uint32_t j) {
    const struct result *a = fold_result(s, i), *b = fold_result(s, j);
    const struct cell *c = vec_at(&s->cells, a->cell), *d = vec_at(&s->cells, b->cell);
    return span_eq(a->serial, b->serial) && c->contest == d->contest && c->round == d->round;
}

static void report_serial(struct work *w, uint32_t i, uint32_t j) {
    uint64_t other = fold_result(w->s, j)->entry;
    finding_because(finding_add(w, F_SERIAL, fold_result(w->s, i)->cell, i, other, 0), other);
}

static uint64_t votes_hash(const struct fold *s, const struct result *r) {
    const struct cell *c = vec_at(&s->cells, r->cell);
    uint32_t n = fold_contest(s, c->contest)->choice_count;
    return state_hash(s, span_of(result_votes(s, r), n * sizeof(uint64_t))) ^ place_hash(s, r);
}

static bool same_votes(const struct fold *s, uint32_t i, uint32_t j) {
    const struct result *a = fold_result(s, i), *b = fold_result(s, j);
    const struct cell *c = vec_at(&s->cells, a->cell), *d = vec_at(&s->cells, b->cell);
    uint32_t n = fold_contest(s, c->contest)->choice_count;
    return c->contest == d->contest && c->round == d->round &&
           memcmp(result_votes(s, a), result_votes(s, b), n * sizeof(uint64_t)) == 0;
}

static void report_votes(struct work *w, uint32_t i, uint32_t j) {
    uint64_t other = fold_result(w->s, j)->entry;
    finding_because(finding_add(w, F_SAME_FIGURES, fold_result(w->s, i)->cell, i, other, 0), other);
}

static uint64_t sum_of_votes(const struct fold *s, const struct result *r) {
    const struct cell *c = vec_at(&s->cells, r->cell);
    const uint64_t *v = result_votes(s, r);
    uint64_t sum = 0;
    for (uint32_t n = 0; n < fold_contest(s, c->contest)->choice_count; n++)
        if (v[n] != ABSENT) sum += v[n];
    return sum;
}

/* ---- images ---- */

static const struct image_alike *alike_of(const struct image *x, bool zones) {
    return zones ? &x->by_zones : &x->by_original;
}

/* The neighbour of another cell among the images that are alike; NO_IMAGE. */
static uint32_t other_image(const struct fold *s, uint32_t i, bool zones) {
    const struct image *x = fold_image(s, i);
    if (zones && !x->has_zones) return NO_IMAGE;
    const struct image_alike *at = alike_of(x, zones);
    if (at->before != NO_IMAGE && fold_image(s, at->before)->cell != x->cell) return at->before;
    if (at->after != NO_IMAGE && fold_image(s, at->after)->cell != x->cell) return at->after;
    return NO_IMAGE;
}

/* Those of the list that have such a neighbour are reported. */
static void check_images(struct work *w, const uint32_t *images, size_t count, bool zones, struct pair *pairs) {
    const struct fold *s = w->s;
    size_t n = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t other = other_image(s, images[k], zones);
        if (other != NO_IMAGE) pairs[n++] = (struct pair){images[k], other};
    }
    qsort(pairs, n, sizeof *pairs, by_index);
    for (size_t k = 0; k < n; k++) {
        const struct image *x = fold_image(s, pairs[k].index), *y = fold_image(s, pairs[k].other);
        struct finding *f = finding_add(w, zones ? F_IMAGE_ALIKE : F_IMAGE_REUSED, x->cell, x->result, y->entry, 0);
        finding_because(f, x->entry);
        finding_because(f, y->entry);
    }
}

/* ---- what stands at two stations ---- */

/* The wanted results that are not superseded, and all wanted images. */
struct wanted {
    uint32_t *results, *images;
    size_t result_count, image_count;
};

static void want_images(const struct fold *s, uint32_t first, struct wanted *x) {
    for (uint32_t i = first; i != NO_IMAGE; i = fold_image(s, i)->next_of_result, x->image_count++)
        if (x->images) x->images[x->image_count] = i;
}

/* Counts them, and writes them down where there is room for them. */
static void want_all(const struct work *w, struct wanted *x) {
    const struct fold *s = w->s;
    uint32_t cursor = 0;
    x->result_count = x->image_count = 0;
    for (const struct cell *c; (c = findings_next_cell(w, &cursor));) {
        want_images(s, c->first_image, x);
        for (uint32_t i = c->first_result; i != NO_RESULT;) {
            const struct result *r = fold_result(s, i);
            if (r->superseded_by == NO_RESULT) {
                if (x->results) x->results[x->result_count] = i;
                x->result_count++;
            }
            want_images(s, r->first_image, x);
            i = r->next;
        }
    }
}

static err check_twins(struct work *w, struct arena *a, struct fail *f) {
    const struct fold *s = w->s;
    struct wanted x = {0};
    want_all(w, &x);
    size_t most = x.result_count > x.image_count ? x.result_count : x.image_count, n = 0;
    struct twin *t = arena_array(a, x.result_count, sizeof *t), *rest = arena_array(a, x.result_count, sizeof *rest);
    struct pair *pairs = arena_array(a, most, sizeof *pairs);
    x.results = arena_array(a, x.result_count, sizeof *x.results);
    x.images = arena_array(a, x.image_count, sizeof *x.images);
    if (!t || !rest || !pairs || !x.results || !x.images) return fail_set(f, E_MEMORY, "no memory for findings");
    want_all(w, &x);
    for (size_t k = 0; k < x.result_count; k++) {
        uint32_t i = x.results[k];
        const struct result *r = fold_result(s, i);
        if (r->serial.n) t[n++] = (struct twin){state_hash(s, r->serial) ^ place_hash(s, r), i, r->cell};
    }
    twins(w, t, n, rest, pairs, same_serial, report_serial);
    n = 0;
    for (size_t k = 0; k < x.result_count; k++) {
        uint32_t i = x.results[k];
        const struct result *r = fold_result(s, i);
        if (sum_of_votes(s, r) >= s->def.limits.same_vector_min)
            t[n++] = (struct twin){votes_hash(s, r), i, r->cell};
    }
    twins(w, t, n, rest, pairs, same_votes, report_votes);
    check_images(w, x.images, x.image_count, false, pairs);
    check_images(w, x.images, x.image_count, true, pairs);
    return OK;
}

/* What objections say about one unit of a contest and round. */
struct contested {
    uint32_t contest, unit, unruled;
    uint16_t round;
    uint64_t last_unruled, upheld; /* entries: of the objection; of the last ruling that upheld one */
};

static struct contested *contested_at(const struct vec *list, const struct table *index,
                                      uint32_t contest, unsigned round, uint32_t unit) {
    size_t cursor = 0;
    for (uint32_t i; (i = table_next(index, area_hash(contest, round, unit), &cursor)) != UINT32_MAX;) {
        struct contested *x = vec_at(list, i);
        if (x->contest == contest && x->round == round && x->unit == unit) return x;
    }
    return NULL;
}

static void contest_units(struct work *w, const struct objection *o, struct vec *list,
                          struct table *index) {
    bool unruled = o->state == OBJECTION_ADMITTED, upheld = objection_is_upheld(o);
    for (uint32_t k = 0; k < o->unit_count && (unruled || upheld); k++) {
        uint32_t unit = objection_unit(w->s, o, k);
        struct contested *x = contested_at(list, index, o->contest, o->round, unit);
        if (!x) {
            x = vec_push(list);
            if (!x || !table_add(index, area_hash(o->contest, o->round, unit), (uint32_t)list->n - 1)) {
                w->full = true;
                return;
            }
            *x = (struct contested){.contest = o->contest, .unit = unit, .round = o->round,
                                    .upheld = NO_ENTRY};
        }
        if (unruled) {
            x->unruled++;
            x->last_unruled = o->entry;
        } else if (x->upheld == NO_ENTRY || o->ruling > x->upheld) {
            x->upheld = o->ruling;
        }
    }
}

/* Objections name units at any level: they are noted there, and each station looks upwards. */
static void check_objections(struct work *w) {
    const struct fold *s = w->s;
    struct vec list;
    struct table index;
    if (s->objections.n == 0) return;
    vec_init(&list, &w->budget, sizeof(struct contested), 6);
    table_init(&index, &w->budget);
    for (size_t i = 0; i < s->objections.n; i++) {
        const struct objection *o = fold_objection(s, i);
        if (findings_wanted(w, o->contest, o->round)) contest_units(w, o, &list, &index);
    }
    uint32_t cursor = 0;
    for (const struct cell *c; list.n && (c = findings_next_cell(w, &cursor));) {
        uint32_t i = cursor - 1;
        uint64_t unruled = 0, last = 0, upheld = NO_ENTRY;
        for (uint32_t u = c->station; u != NO_UNIT; u = fold_unit(s, u)->parent) {
            const struct contested *x = contested_at(&list, &index, c->contest, c->round, u);
            if (!x) continue;
            unruled += x->unruled;
            if (x->unruled && x->last_unruled > last) last = x->last_unruled;
            if (x->upheld != NO_ENTRY && (upheld == NO_ENTRY || x->upheld > upheld)) upheld = x->upheld;
        }
        if (unruled) finding_because(finding_add(w, F_OBJECTION, i, NO_RESULT, unruled, last), last);
        if (upheld != NO_ENTRY && !cell_decided_since(s, i, upheld))
            finding_because(finding_add(w, F_RULING, i, NO_RESULT, upheld, 0), upheld);
    }
    vec_release(&list);
    table_release(&index);
}

static void check_two(struct work *w, uint32_t i) {
    const struct cell *c = vec_at(&w->s->cells, i);
    struct finding *x = finding_add(w, F_TWO_RESULTS, i, NO_RESULT, c->current, 0);
    for (uint32_t r = c->first_result; r != NO_RESULT; r = fold_result(w->s, r)->next)
        if (fold_result(w->s, r)->superseded_by == NO_RESULT)
            finding_because(x, fold_result(w->s, r)->entry);
}

static int by_unit(const void *a, const void *b) {
    const struct finding *x = a, *y = b;
    if (x->contest != y->contest) return x->contest < y->contest ? -1 : 1;
    if (x->round != y->round) return x->round < y->round ? -1 : 1;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    if (x->code != y->code) return x->code < y->code ? -1 : 1;
    return x->latest < y->latest ? -1 : x->latest > y->latest;
}

const struct finding *findings_of_unit(const struct findings *fi, uint32_t contest, unsigned round,
                                       uint32_t unit, size_t *n) {
    const struct finding key = {.contest = contest, .round = (uint16_t)round, .unit = unit};
    size_t lo = fi->unit_items, hi = fi->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (by_unit(&fi->items[mid], &key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    hi = lo;
    while (hi < fi->n && fi->items[hi].contest == contest && fi->items[hi].round == round &&
           fi->items[hi].unit == unit)
        hi++;
    *n = hi - lo;
    return &fi->items[lo];
}

size_t findings_place(const struct findings *fi, const struct fold *s, uint32_t cell) {
    return fi->one_contest ? fold_cell_at(s, cell)->number : cell;
}

/* Sorted: those of cells by a stable counting sort, those of units behind them. */
static err arrange(struct work *w, size_t cells, struct arena *a, struct findings *out, struct fail *f) {
    const struct fold *s = w->s;
    size_t n = w->list.n;
    out->first = arena_array(a, cells + 2, sizeof *out->first);
    out->worst = arena_array(a, cells + 1, 1);
    out->items = arena_array(a, n + 1, sizeof *out->items);
    if (!out->first || !out->worst || !out->items || w->full)
        return fail_set(f, E_MEMORY, "no memory for findings");
    memset(out->count, 0, sizeof out->count);
    memset(out->open, 0, sizeof out->open);
    out->n = n;
    out->one_contest = w->only != NO_CONTEST;
    for (size_t i = 0; i < n; i++) {
        const struct finding *x = vec_at(&w->list, i);
        if (x->cell != NO_CELL) out->first[findings_place(out, s, x->cell) + 2]++;
    }
    for (size_t c = 2; c < cells + 2; c++) out->first[c] += out->first[c - 1];
    size_t units = out->first[cells + 1];
    for (size_t i = 0; i < n; i++) {
        const struct finding *x = vec_at(&w->list, i);
        size_t to = x->cell == NO_CELL ? units++ : out->first[findings_place(out, s, x->cell) + 1]++;
        out->items[to] = *x;
    }
    units = out->unit_items = out->first[cells];
    qsort(out->items + units, n - units, sizeof *out->items, by_unit);
    return OK;
}

static void count_all(const struct fold *s, struct findings *out) {
    for (size_t i = 0; i < out->n; i++) {
        const struct finding *x = &out->items[i];
        out->count[x->code]++;
        if (x->decision != NO_DECISION) continue;
        out->open[x->code]++;
        if (x->cell == NO_CELL) continue;
        uint8_t *worst = &out->worst[findings_place(out, s, x->cell)];
        if (x->severity > *worst) *worst = x->severity;
    }
}

const struct cell *findings_next_cell(const struct work *w, uint32_t *cursor) {
    if (w->only != NO_CONTEST) return fold_next_cell(w->s, w->only, w->only_round, cursor);
    return *cursor < w->s->cells.n ? fold_cell_at(w->s, (*cursor)++) : NULL;
}

static err compute(const struct fold *s, uint32_t only, unsigned round, struct arena *a,
                   struct findings *out, struct fail *f) {
    struct work w = {.s = s, .budget = {.cap = GIB(2)}, .only = only, .only_round = round};
    vec_init(&w.list, &w.budget, sizeof(struct finding), 12);
    size_t cells = 0;
    uint32_t cursor = 0;
    for (const struct cell *c; (c = findings_next_cell(&w, &cursor)); cells++) {
        uint32_t i = cursor - 1;
        for (uint32_t r = c->first_result; r != NO_RESULT; r = fold_result(s, r)->next)
            if (fold_result(s, r)->superseded_by == NO_RESULT) check_result(&w, i, r);
        if (c->current > 1) check_two(&w, i);
        findings_of_desk(&w, i);
    }
    check_objections(&w);
    findings_of_forms(&w);
    findings_of_collations(&w);
    err e = check_twins(&w, a, f);
    if (e == OK) e = arrange(&w, cells, a, out, f);
    if (e == OK) e = findings_settle(s, a, out, f);
    if (e == OK) count_all(s, out);
    vec_release(&w.list);
    return e;
}

err findings_compute(const struct fold *s, struct arena *a, struct findings *out, struct fail *f) {
    return compute(s, NO_CONTEST, 0, a, out, f);
}

err findings_of_contest(const struct fold *s, uint32_t contest, unsigned round, struct arena *a,
                        struct findings *out, struct fail *f) {
    return compute(s, contest, round, a, out, f);
}

err findings_alone(const struct fold *s, uint32_t result, struct arena *a, struct finding **out,
                   size_t *n, struct fail *f) {
    struct work w = {.s = s, .budget = {.cap = (size_t)1 << 20}, .only = NO_CONTEST};
    vec_init(&w.list, &w.budget, sizeof(struct finding), 6);
    check_result(&w, fold_result(s, result)->cell, result);
    *n = w.list.n;
    *out = arena_array(a, *n + 1, sizeof **out);
    bool full = w.full || !*out;
    for (size_t i = 0; i < *n && !full; i++)
        (*out)[i] = *(const struct finding *)vec_at(&w.list, i);
    vec_release(&w.list);
    return full ? fail_set(f, E_MEMORY, "no memory for findings") : OK;
}
