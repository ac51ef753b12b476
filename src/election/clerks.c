/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/clerks.h"

#include <stdlib.h>
#include "base/json_out.h"
#include "election/state.h"

/* A pair of people and how many wrong figures they share. */
struct pair {
    uint32_t a, b; /* keys, a < b */
    uint64_t shared;
};

struct counting {
    const struct fold *s;
    struct clerk *of;   /* one a key */
    struct budget budget;
    struct vec pairs;   /* struct pair */
    struct table by_pair;
    uint64_t *waits;    /* ms from image to seal, by seal */
    bool full;
};

static struct pair *pair_of(struct counting *w, uint32_t a, uint32_t b) {
    if (a > b) {
        uint32_t t = a;
        a = b;
        b = t;
    }
    uint64_t h = hash_u64((uint64_t)a << 32 | b);
    size_t cursor = 0;
    for (uint32_t i; (i = table_next(&w->by_pair, h, &cursor)) != UINT32_MAX;) {
        struct pair *p = vec_at(&w->pairs, i);
        if (p->a == a && p->b == b) return p;
    }
    struct pair *p = vec_push(&w->pairs);
    if (!p || !table_add(&w->by_pair, h, (uint32_t)w->pairs.n - 1)) {
        w->full = true;
        return NULL;
    }
    *p = (struct pair){a, b, 0};
    return p;
}

/* The figures that were settled on at the cell. */
static bool settled(const struct fold *s, const struct cell *c, struct figures *out) {
    const struct decision *d = cell_decision(s, c);
    uint64_t entry;
    if (d) return cell_held(s, c, out, &entry);
    uint32_t agreed = desk_agreed(s, c);
    if (agreed == NO_READING) return false;
    reading_figures(s, fold_reading(s, agreed), out);
    return true;
}

static uint64_t figure_at(const struct figures *g, uint32_t i) {
    const uint64_t ballots[FIGURE_BALLOTS] = {g->registered, g->valid, g->rejected, g->objected, g->disputed};
    return i < FIGURE_BALLOTS ? ballots[i] : g->votes[i - FIGURE_BALLOTS];
}

/* Fields in which both are wrong with the very same figure. */
static uint64_t same_errors(const struct fold *s, const struct cell *c, const struct figures *truth,
                            const struct form_reading *x, const struct form_reading *y) {
    uint64_t wrong[FIGURE_WORDS], n = 0;
    struct figures a, b;
    uint32_t choices = fold_contest(s, c->contest)->choice_count;
    reading_figures(s, x, &a);
    reading_figures(s, y, &b);
    (void)figures_differ(s, c, truth, &a, wrong);
    for (uint32_t i = 0; i < FIGURE_BALLOTS + choices; i++)
        n += (wrong[i / 64] >> (i % 64) & 1) && figure_at(&a, i) == figure_at(&b, i);
    return n;
}

static void count_partner(struct counting *w, const struct cell *c, const struct figures *truth,
                          const struct seal *x, const struct seal *y) {
    struct clerk *k = &w->of[x->key];
    uint64_t apart = x->ms > y->ms ? x->ms - y->ms : y->ms - x->ms;
    k->close += apart <= CLERKS_CLOSE_MS;
    if (!truth || x->reading == NO_READING || y->reading == NO_READING) return;
    uint64_t n = same_errors(w->s, c, truth, fold_reading(w->s, x->reading), fold_reading(w->s, y->reading));
    if (!n) return;
    k->shared_errors += n;
    struct pair *p = x->key < y->key ? pair_of(w, x->key, y->key) : NULL; /* each pair once */
    if (p) p->shared += n;
}

static void count_seal(struct counting *w, const struct cell *c, const struct figures *truth, uint32_t i,
                       uint64_t now_ms) {
    const struct fold *s = w->s;
    const struct seal *x = fold_seal(s, i);
    struct clerk *k = &w->of[x->key];
    struct figures own;
    enum seal_state state = seal_state_at(s, x, now_ms);
    k->key = x->key;
    k->machine = x->machine;
    k->sealed++;
    k->not_blind += !x->blind;
    if (state == SEAL_LAPSED) k->lapsed++;
    if (state == SEAL_CLOSED) k->waiting++;
    if (state != SEAL_OPEN) return;
    k->opened++;
    if (!truth) return;
    reading_figures(s, fold_reading(s, x->reading), &own);
    unsigned wrong = figures_differ(s, c, &own, truth, NULL);
    if (wrong)
        k->overruled++;
    else
        k->agreed++;
    k->fields_wrong += wrong;
}

/* Partners are people whose seals stand side by side: at most three a form, so pairs are few. */
static void count_cell(struct counting *w, const struct cell *c, uint64_t now_ms, struct clerks_report *out) {
    const struct fold *s = w->s;
    const struct desk *d = cell_desk(s, c);
    struct figures g;
    uint32_t open[3];
    bool known = settled(s, c, &g);
    for (uint32_t i = d->first_seal; i != NO_SEAL; i = fold_seal(s, i)->next) {
        count_seal(w, c, known ? &g : NULL, i, now_ms);
        out->lapsed += seal_state_at(s, fold_seal(s, i), now_ms) == SEAL_LAPSED;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            if (i != j && d->slot[i] != NO_SEAL && d->slot[j] != NO_SEAL)
                count_partner(w, c, known ? &g : NULL, fold_seal(s, d->slot[i]), fold_seal(s, d->slot[j]));
    unsigned n = desk_open(s, d, open), wanted = contest_rule(s, c->contest)->readings;
    out->read += n >= wanted && wanted > 0;
    out->agreed += desk_agreed(s, c) != NO_READING;
    out->third += n == 3;
    out->disagree += desk_disagrees(s, c);
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Medians: seals gathered by key (counting sort), then the middle one of each. */
static err medians(struct counting *w, struct arena *a, struct fail *f) {
    const struct fold *s = w->s;
    size_t keys = s->keys.n;
    size_t *at = arena_array(a, keys + 2, sizeof *at);
    w->waits = arena_array(a, s->seals.n + 1, sizeof *w->waits);
    if (!at || !w->waits) return fail_set(f, E_MEMORY, "no memory for statistics");
    for (uint32_t i = 0; i < s->seals.n; i++) at[fold_seal(s, i)->key + 2]++;
    for (size_t k = 2; k < keys + 2; k++) at[k] += at[k - 1];
    for (uint32_t i = 0; i < s->seals.n; i++) {
        const struct seal *x = fold_seal(s, i);
        w->waits[at[x->key + 1]++] = x->ms - fold_image(s, x->image)->ms; /* the image is an earlier entry */
    }
    for (size_t k = 0; k < keys; k++) {
        size_t n = at[k + 1] - at[k];
        if (n == 0) continue;
        qsort(w->waits + at[k], n, sizeof *w->waits, by_value);
        w->of[k].median_ms = w->waits[at[k] + (n - 1) / 2];
    }
    return OK;
}

static void best_partners(struct counting *w) {
    for (size_t i = 0; i < w->pairs.n; i++) {
        const struct pair *p = vec_at(&w->pairs, i);
        struct clerk *a = &w->of[p->a], *b = &w->of[p->b];
        if (p->shared > a->partner_errors) {
            a->partner_errors = p->shared;
            a->partner = p->b;
        }
        if (p->shared > b->partner_errors) {
            b->partner_errors = p->shared;
            b->partner = p->a;
        }
    }
}

err clerks_compute(const struct fold *s, uint64_t now_ms, struct arena *a, struct clerks_report *out,
                   struct fail *f) {
    struct counting w = {.s = s, .budget = {.cap = (size_t)1 << 30}};
    *out = (struct clerks_report){0};
    w.of = arena_array(a, s->keys.n + 1, sizeof *w.of);
    if (!w.of) return fail_set(f, E_MEMORY, "no memory for statistics");
    for (size_t i = 0; i < s->keys.n; i++) w.of[i].partner = UINT32_MAX;
    vec_init(&w.pairs, &w.budget, sizeof(struct pair), 8);
    table_init(&w.by_pair, &w.budget);
    for (uint32_t i = 0; i < s->cells.n; i++) {
        const struct cell *c = fold_cell_at(s, i);
        bool image = c->first_image != NO_IMAGE;
        for (uint32_t r = c->first_result; r != NO_RESULT && !image; r = fold_result(s, r)->next)
            image = fold_result(s, r)->first_image != NO_IMAGE;
        out->forms += image;
        if (c->desk_plus_1) count_cell(&w, c, now_ms, out);
    }
    err e = medians(&w, a, f);
    best_partners(&w);
    if (e == OK && w.full) e = fail_set(f, E_MEMORY, "no memory for statistics");
    vec_release(&w.pairs);
    table_release(&w.by_pair);
    out->items = w.of;
    for (size_t i = 0; i < s->keys.n; i++)
        if (w.of[i].sealed) out->items[out->n++] = w.of[i];
    return e;
}

void clerks_json(const struct fold *s, const struct clerks_report *r, struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_ku64(&j, "forms", r->forms);
    json_ku64(&j, "read", r->read);
    json_ku64(&j, "agreed", r->agreed);
    json_ku64(&j, "third", r->third);
    json_ku64(&j, "disagree", r->disagree);
    json_ku64(&j, "lapsed", r->lapsed);
    json_key(&j, "clerks");
    json_array(&j);
    for (size_t i = 0; i < r->n; i++) {
        const struct clerk *k = &r->items[i];
        json_object(&j);
        json_kspan(&j, "key", state_key(s, k->key)->name);
        json_kbool(&j, "machine", k->machine);
        json_ku64(&j, "sealed", k->sealed);
        json_ku64(&j, "opened", k->opened);
        json_ku64(&j, "waiting", k->waiting);
        json_ku64(&j, "lapsed", k->lapsed);
        json_ku64(&j, "agreed", k->agreed);
        json_ku64(&j, "overruled", k->overruled);
        json_ku64(&j, "fields_wrong", k->fields_wrong);
        json_ku64(&j, "not_blind", k->not_blind);
        json_ku64(&j, "median_ms", k->median_ms);
        json_ku64(&j, "close", k->close);
        json_ku64(&j, "shared_errors", k->shared_errors);
        if (k->partner != UINT32_MAX) {
            json_kspan(&j, "partner", state_key(s, k->partner)->name);
            json_ku64(&j, "partner_errors", k->partner_errors);
        }
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
}
