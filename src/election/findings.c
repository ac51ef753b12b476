/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/findings.h"

#include <stdlib.h>
#include "base/vec.h"
#include "election/state.h"

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

struct work {
    const struct fold *s;
    struct budget budget;
    struct vec list; /* struct finding */
    bool full;
};

static void add(struct work *w, enum finding_code code, uint32_t cell, uint32_t result, uint64_t a,
                uint64_t b) {
    struct finding *x = vec_push(&w->list);
    if (!x)
        w->full = true;
    else
        *x = (struct finding){code, cell, result, a, b};
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
            add(w, F_FORM_MISMATCH, cell_index, i, x->entry, 0);
    }
    for (uint32_t m = cell->first_image; m != NO_IMAGE; m = fold_image(s, m)->next_of_result) {
        const struct image *x = fold_image(s, m);
        if (is_bound(s, r, x))
            came = true;
        else if (x->kind == IMAGE_ORIGINAL)
            stray = m;
    }
    if (!came && stray != NO_IMAGE) add(w, F_FORM_MISMATCH, cell_index, i, fold_image(s, stray)->entry, 0);
}

/* What can be seen on one form alone. */
static void check_result(struct work *w, uint32_t cell_index, uint32_t i) {
    const struct fold *s = w->s;
    const struct cell *cell = vec_at(&s->cells, cell_index);
    const struct result *r = fold_result(s, i);
    const struct contest *k = fold_contest(s, cell->contest);
    const struct limits *lim = &s->def.limits;
    const uint64_t *votes = result_votes(s, r);
    uint64_t registered = fold_unit(s, cell->station)->registered;
    uint64_t sum = 0, most = 0, blank = 0;
    unsigned on_ballot = 0;
    for (uint32_t n = 0; n < k->choice_count; n++) {
        if (!contest_has_choice(k, cell->round, n)) continue;
        on_ballot++;
        if (votes[n] == ABSENT) {
            blank++;
            continue;
        }
        sum += votes[n];
        if (votes[n] > most) most = votes[n];
    }
    uint64_t valid = r->valid == ABSENT ? sum : r->valid;
    uint64_t rejected = r->rejected == ABSENT ? 0 : r->rejected, ballots = valid + rejected;
    blank += (r->valid == ABSENT ? 1u : 0u) + (r->rejected == ABSENT ? 1u : 0u);
    if (r->valid != ABSENT && sum != r->valid) add(w, F_SUM, cell_index, i, sum, r->valid);
    if (ballots > registered) add(w, F_OVER_REGISTER, cell_index, i, ballots, registered);
    uint64_t voters = r->voters_kit;
    if (r->voters_manual != ABSENT) voters = (voters == ABSENT ? 0 : voters) + r->voters_manual;
    if (voters != ABSENT && ballots > voters) add(w, F_OVER_VOTERS, cell_index, i, ballots, voters);
    if (r->objected_votes != ABSENT && r->rejected != ABSENT && r->objected_votes > r->rejected)
        add(w, F_OBJECTED, cell_index, i, r->objected_votes, r->rejected);
    if (r->registered != ABSENT && r->registered != registered)
        add(w, F_REGISTER, cell_index, i, r->registered, registered);
    if (blank) add(w, F_BLANK, cell_index, i, blank, 0);
    if (ballots == 0) {
        add(w, F_ALL_ZERO, cell_index, i, 0, 0);
    } else {
        if (r->rejected == 0) add(w, F_ZERO_REJECTED, cell_index, i, valid, 0);
        if (exceeds(ballots, registered, lim->turnout_high))
            add(w, F_TURNOUT_HIGH, cell_index, i, ballots, registered);
        if (ballots * 1000 < registered * lim->turnout_low)
            add(w, F_TURNOUT_LOW, cell_index, i, ballots, registered);
        if (on_ballot > 1 && valid && exceeds(most, valid, lim->one_sided))
            add(w, F_ONE_SIDED, cell_index, i, most, valid);
        if (exceeds(rejected, ballots, lim->rejected_high))
            add(w, F_REJECTED_HIGH, cell_index, i, rejected, ballots);
    }
    if (r->ms < s->def.closes_ms) add(w, F_EARLY, cell_index, i, 0, 0);
    if (r->objected) add(w, F_AGENT_OBJECTS, cell_index, i, r->objected, 0);
    const struct key *signer = state_key(s, r->signer);
    if (signer->suspect_since_ms <= r->ms)
        add(w, F_SUSPECT_KEY, cell_index, i, signer->revoked_at, 0);
    check_form(w, cell_index, i);
    if (s->def.image == IMAGE_REQUIRED && !cell_has_image(s, cell, r))
        add(w, F_NO_IMAGE, cell_index, i, 0, 0);
}

/* Something that should be unique: sorted by its hash, neighbours are compared. */
struct twin {
    uint64_t hash;
    uint32_t index; /* of a result or an image */
};

static int by_hash(const void *a, const void *b) {
    const struct twin *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Calls report(w, one, other) for each member that equals a neighbour, with that neighbour: linear in n
 * however large a group is. */
static void twins(struct work *w, struct twin *t, size_t n,
                  bool (*same)(const struct fold *, uint32_t, uint32_t),
                  void (*report)(struct work *, uint32_t, uint32_t)) {
    qsort(t, n, sizeof *t, by_hash);
    bool reported = false; /* the member before this one */
    for (size_t i = 1; i < n; i++) {
        bool twin = t[i - 1].hash == t[i].hash && same(w->s, t[i - 1].index, t[i].index);
        if (twin && !reported) report(w, t[i - 1].index, t[i].index);
        if (twin) report(w, t[i].index, t[i - 1].index);
        reported = twin;
    }
}

/* Serials and figures are compared inside a contest and round; the hash says so too, so that others
 * never stand between two that are alike. */
static uint64_t place_hash(const struct fold *s, const struct result *r) {
    const struct cell *c = vec_at(&s->cells, r->cell);
    return hash_u64((uint64_t)c->contest << 8 | c->round);
}

static bool same_serial(const struct fold *s, uint32_t i, uint32_t j) {
    const struct result *a = fold_result(s, i), *b = fold_result(s, j);
    const struct cell *c = vec_at(&s->cells, a->cell), *d = vec_at(&s->cells, b->cell);
    return span_eq(a->serial, b->serial) && a->cell != b->cell && c->contest == d->contest &&
           c->round == d->round;
}

static void report_serial(struct work *w, uint32_t i, uint32_t j) {
    add(w, F_SERIAL, fold_result(w->s, i)->cell, i, fold_result(w->s, j)->entry, 0);
}

static uint64_t votes_hash(const struct fold *s, const struct result *r) {
    const struct cell *c = vec_at(&s->cells, r->cell);
    uint32_t n = fold_contest(s, c->contest)->choice_count;
    return hash_bytes(span_of(result_votes(s, r), n * sizeof(uint64_t))) ^ place_hash(s, r);
}

static bool same_votes(const struct fold *s, uint32_t i, uint32_t j) {
    const struct result *a = fold_result(s, i), *b = fold_result(s, j);
    const struct cell *c = vec_at(&s->cells, a->cell), *d = vec_at(&s->cells, b->cell);
    uint32_t n = fold_contest(s, c->contest)->choice_count;
    return c->contest == d->contest && c->round == d->round && c->station != d->station &&
           memcmp(result_votes(s, a), result_votes(s, b), n * sizeof(uint64_t)) == 0;
}

static void report_votes(struct work *w, uint32_t i, uint32_t j) {
    add(w, F_SAME_FIGURES, fold_result(w->s, i)->cell, i, fold_result(w->s, j)->entry, 0);
}

static bool same_image(const struct fold *s, uint32_t i, uint32_t j) {
    const struct image *a = fold_image(s, i), *b = fold_image(s, j);
    return hash_eq(&a->original, &b->original) && a->cell != b->cell;
}

static void report_image(struct work *w, uint32_t i, uint32_t j) {
    const struct image *a = fold_image(w->s, i);
    add(w, F_IMAGE_REUSED, a->cell, a->result, fold_image(w->s, j)->entry, 0);
}

static bool same_zones(const struct fold *s, uint32_t i, uint32_t j) {
    const struct image *a = fold_image(s, i), *b = fold_image(s, j);
    return hash_eq(&a->zones, &b->zones) && a->cell != b->cell;
}

static void report_zones(struct work *w, uint32_t i, uint32_t j) {
    const struct image *a = fold_image(w->s, i);
    add(w, F_IMAGE_ALIKE, a->cell, a->result, fold_image(w->s, j)->entry, 0);
}

static uint64_t sum_of_votes(const struct fold *s, const struct result *r) {
    const struct cell *c = vec_at(&s->cells, r->cell);
    const uint64_t *v = result_votes(s, r);
    uint64_t sum = 0;
    for (uint32_t n = 0; n < fold_contest(s, c->contest)->choice_count; n++)
        if (v[n] != ABSENT) sum += v[n];
    return sum;
}

static uint64_t head64(const struct hash *h) {
    uint64_t v;
    memcpy(&v, h->b, sizeof v);
    return v;
}

static err check_twins(struct work *w, struct arena *a, struct fail *f) {
    const struct fold *s = w->s;
    size_t most = s->results.n > s->images.n ? s->results.n : s->images.n, n = 0;
    struct twin *t = arena_array(a, most, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for findings");
    for (uint32_t i = 0; i < s->results.n; i++) {
        const struct result *r = fold_result(s, i);
        if (r->superseded_by == NO_RESULT && r->serial.n)
            t[n++] = (struct twin){hash_bytes(r->serial) ^ place_hash(s, r), i};
    }
    twins(w, t, n, same_serial, report_serial);
    n = 0;
    for (uint32_t i = 0; i < s->results.n; i++) {
        const struct result *r = fold_result(s, i);
        if (r->superseded_by == NO_RESULT && sum_of_votes(s, r) >= s->def.limits.same_vector_min)
            t[n++] = (struct twin){votes_hash(s, r), i};
    }
    twins(w, t, n, same_votes, report_votes);
    n = 0;
    for (uint32_t i = 0; i < s->images.n; i++)
        t[n++] = (struct twin){head64(&fold_image(s, i)->original), i};
    twins(w, t, n, same_image, report_image);
    n = 0;
    for (uint32_t i = 0; i < s->images.n; i++)
        if (fold_image(s, i)->has_zones) t[n++] = (struct twin){head64(&fold_image(s, i)->zones), i};
    twins(w, t, n, same_zones, report_zones);
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
    for (size_t i = 0; i < s->objections.n; i++) contest_units(w, fold_objection(s, i), &list, &index);
    for (uint32_t i = 0; i < s->cells.n && list.n; i++) {
        const struct cell *c = vec_at(&s->cells, i);
        uint64_t unruled = 0, last = 0, upheld = NO_ENTRY;
        for (uint32_t u = c->station; u != NO_UNIT; u = fold_unit(s, u)->parent) {
            const struct contested *x = contested_at(&list, &index, c->contest, c->round, u);
            if (!x) continue;
            unruled += x->unruled;
            if (x->unruled && x->last_unruled > last) last = x->last_unruled;
            if (x->upheld != NO_ENTRY && (upheld == NO_ENTRY || x->upheld > upheld)) upheld = x->upheld;
        }
        if (unruled) add(w, F_OBJECTION, i, NO_RESULT, unruled, last);
        if (upheld != NO_ENTRY && !cell_decided_since(s, i, upheld))
            add(w, F_RULING, i, NO_RESULT, upheld, 0);
    }
    vec_release(&list);
    table_release(&index);
}

/* Counting sort by cell, stable. */
static err arrange(struct work *w, struct arena *a, struct findings *out, struct fail *f) {
    size_t cells = w->s->cells.n, n = w->list.n;
    out->first = arena_array(a, cells + 2, sizeof *out->first);
    out->worst = arena_array(a, cells + 1, 1);
    out->items = arena_array(a, n + 1, sizeof *out->items);
    if (!out->first || !out->worst || !out->items || w->full)
        return fail_set(f, E_MEMORY, "no memory for findings");
    memset(out->count, 0, sizeof out->count);
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        const struct finding *x = vec_at(&w->list, i);
        out->first[x->cell + 2]++;
        out->count[x->code]++;
        uint8_t severity = (uint8_t)finding_severity(x->code);
        if (severity > out->worst[x->cell]) out->worst[x->cell] = severity;
    }
    for (size_t c = 2; c < cells + 2; c++) out->first[c] += out->first[c - 1];
    for (size_t i = 0; i < n; i++) {
        const struct finding *x = vec_at(&w->list, i);
        out->items[out->first[x->cell + 1]++] = *x;
    }
    return OK;
}

err findings_compute(const struct fold *s, struct arena *a, struct findings *out, struct fail *f) {
    struct work w = {.s = s, .budget = {.cap = GIB(2)}};
    vec_init(&w.list, &w.budget, sizeof(struct finding), 12);
    for (uint32_t i = 0; i < s->cells.n; i++) {
        const struct cell *c = vec_at(&s->cells, i);
        for (uint32_t r = c->first_result; r != NO_RESULT; r = fold_result(s, r)->next)
            if (fold_result(s, r)->superseded_by == NO_RESULT) check_result(&w, i, r);
        if (c->current > 1) add(&w, F_TWO_RESULTS, i, NO_RESULT, c->current, 0);
    }
    check_objections(&w);
    err e = check_twins(&w, a, f);
    if (e == OK) e = arrange(&w, a, out, f);
    vec_release(&w.list);
    return e;
}

err findings_alone(const struct fold *s, uint32_t result, struct arena *a, struct finding **out,
                   size_t *n, struct fail *f) {
    struct work w = {.s = s, .budget = {.cap = (size_t)1 << 20}};
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
