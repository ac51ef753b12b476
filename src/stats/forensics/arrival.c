/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The order of arrival: a stream that is too constant, and how much of a late shift geography
 * predicts. Definitions: docs/forensics.md, methods 4 and 5. */
#include <stdlib.h>
#include "stats/forensics/draw.h"
#include "stats/forensics/forensics.h"

enum { BATCH = 200, AREA_BATCHES = 30, LEAST = 300, PER_TEST = 2000, EARLY = 20, LEAST_NATION = 200, LEAST_AREA = 100 };

struct keyed {
    int64_t time_ms;
    uint64_t key; /* ties in time are broken by a seeded key, never by the station's code */
    uint32_t i;
};

static int by_arrival(const void *x, const void *y) {
    const struct keyed *a = x, *b = y;
    if (a->time_ms != b->time_ms) return a->time_ms < b->time_ms ? -1 : 1;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

err fx_arrival_order(const struct fx_table *t, uint64_t seed, struct arena *mem, uint32_t **order,
                     size_t *n, struct fail *f) {
    struct keyed *k = arena_array(mem, t->n + 1, sizeof *k);
    *order = arena_array(mem, t->n + 1, sizeof **order);
    *n = 0;
    if (!k || !*order)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    for (size_t i = 0; i < t->n && t->time_ms; i++) {
        struct rng r;
        if (t->time_ms[i] == FX_NO_TIME) continue;
        rng_init_stream(&r, seed, i + 1);
        k[(*n)++] = (struct keyed){t->time_ms[i], rng_u64(&r), (uint32_t)i};
    }
    qsort(k, *n, sizeof *k, by_arrival);
    for (size_t j = 0; j < *n; j++) (*order)[j] = k[j].i;
    return OK;
}

/* Two-candidate counts of one station. */
struct pair {
    uint32_t lead, both;
};
struct stream {
    struct pair *at; /* in order of arrival */
    size_t n;
};

/* V over batches of `size`. The last part-batch is dropped. */
static double variance(const struct pair *at, size_t n, size_t size) {
    double lead = 0, both = 0, square = 0;
    for (size_t b = 0; b < n / size; b++) {
        uint64_t l = 0, w = 0;
        for (size_t k = b * size; k < (b + 1) * size; k++) {
            l += at[k].lead;
            w += at[k].both;
        }
        if (w == 0) continue;
        lead += (double)l;
        both += (double)w;
        square += (double)l * (double)l / (double)w;
    }
    /* sum w (s - S)^2 / sum w = sum l^2/w / W - S^2 */
    return both > 0 ? square / both - (lead / both) * (lead / both) : NAN;
}

static void swap(struct pair *a, struct pair *b) {
    struct pair t = *a;
    *a = *b;
    *b = t;
}

/* Fisher and Yates; each 64 random bits serve two steps. */
static void shuffle(struct rng *r, struct pair *at, uint32_t n) {
    uint32_t i = n;
    for (; i > 2; i -= 2) {
        uint64_t x = rng_u64(r);
        swap(&at[i - 1], &at[(x >> 32) * i >> 32]);
        swap(&at[i - 2], &at[(x & UINT32_MAX) * (i - 1) >> 32]);
    }
    if (i == 2) swap(&at[1], &at[draw_below(r, 2)]);
}

/* Besag and Clifford's sequential Monte Carlo p: stop once EARLY permutations are as low. */
static void permute(struct stream *s, size_t size, size_t least, size_t most, struct rng *rng,
                    struct fx_result *r) {
    double v = variance(s->at, s->n, size), sum = 0;
    size_t low = 0, done = 0;
    while (done < most && (low < EARLY || done < least)) {
        shuffle(rng, s->at, (uint32_t)s->n);
        double w = variance(s->at, s->n, size);
        sum += w;
        done++;
        low += w <= v;
    }
    r->n = s->n;
    r->value = v;
    r->is = isnan(v) ? FX_NA : FX_NOTHING;
    r->p = done < most ? (double)low / (double)done : (double)(low + 1) / (double)(done + 1);
    r->effect = v / (sum / (double)done);
    r->excess = v - sum / (double)done;
    fx_detail(r, "permuted_mean", sum / (double)done);
    fx_detail(r, "permutations", (double)done);
    fx_detail(r, "batches", (double)(s->n / size));
    fx_detail(r, "batch_size", (double)size);
}

static size_t count_tests(const struct fx_table *t, bool nation_only) {
    size_t tests = 1;
    for (size_t l = 0; l < t->levels && l < 2 && !nation_only; l++) {
        const struct fx_level *v = &t->level[l];
        for (size_t a = 0; a < v->count; a++) {
            size_t n = 0;
            for (size_t i = 0; i < t->n && n < LEAST; i++)
                n += v->of[i] == a && t->time_ms[i] != FX_NO_TIME;
            tests += n >= LEAST;
        }
    }
    return tests;
}

static void fill(const struct fx_table *t, size_t rival, const uint32_t *order, size_t n, int level,
                 uint32_t area, struct stream *s) {
    s->n = 0;
    for (size_t k = 0; k < n; k++) {
        uint32_t i = order[k], l = fx_votes(t, t->leader, i), o = fx_votes(t, rival, i);
        if (level >= 0 && t->level[level].of[i] != area) continue;
        if (l == FX_ABSENT || o == FX_ABSENT) continue;
        s->at[s->n++] = (struct pair){l, l + o};
    }
}

err fx_constancy(const struct fx_table *t, size_t rival, uint64_t seed, bool nation_only,
                 size_t other_tests, struct arena *mem, struct fx_list *out, struct fail *f) {
    struct fx_result base = {.method = FX_CONSTANCY, .level = FX_NATION, .choice = -1, .value = NAN,
                             .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    if (!t->time_ms || rival == t->leader) {
        base.missing = t->time_ms ? "votes of at least two choices" : "time";
        return fx_list_add(out, mem, &base, f);
    }
    uint32_t *order;
    size_t n, tests = other_tests + count_tests(t, nation_only);
    TRY(fx_arrival_order(t, seed, mem, &order, &n, f));
    struct stream s = {arena_array(mem, n + 1, sizeof *s.at), 0};
    if (!s.at)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    struct rng rng;
    fill(t, rival, order, n, FX_NATION, 0, &s);
    if (s.n < (size_t)10 * BATCH) {
        base.n = s.n;
        base.missing = "2,000 stations with a time";
        return fx_list_add(out, mem, &base, f);
    }
    struct fx_result r = base;
    rng_init_stream(&rng, seed, 1u << 30);
    permute(&s, BATCH, LEAST_NATION, PER_TEST * tests, &rng, &r);
    TRY(fx_list_add(out, mem, &r, f));
    for (size_t l = 0; l < t->levels && l < 2 && !nation_only; l++)
        for (size_t a = 0; a < t->level[l].count; a++) {
            fill(t, rival, order, n, (int)l, (uint32_t)a, &s);
            if (s.n < LEAST) continue;
            r = base;
            r.level = (int)l;
            r.area = (uint32_t)a;
            rng_init_stream(&rng, seed, (l + 1) << 32 | (a + 1));
            permute(&s, s.n / AREA_BATCHES, LEAST_AREA, PER_TEST * tests, &rng, &r);
            TRY(fx_list_add(out, mem, &r, f));
        }
    return OK;
}

struct seen {
    double lead, all, size; /* size: registered voters, or stations where the register is not known */
};

static double station_size(const struct fx_table *t, size_t i) {
    uint32_t reg = fx_cell(t->registered, i);
    return reg == FX_ABSENT ? 1 : reg;
}

err fx_project(const struct fx_table *t, const uint32_t *order, size_t n, size_t cut,
               struct arena *mem, double *now, double *projected, struct fail *f) {
    struct seen nation = {0}, *area[FX_LEVELS];
    for (size_t l = 0; l < t->levels; l++)
        if (!(area[l] = arena_array(mem, t->level[l].count + 1, sizeof **area)))
            return fail_set(f, E_MEMORY, "too many areas for the memory allowed");
    for (size_t k = 0; k < cut; k++) {
        uint32_t i = order[k], v = fx_votes(t, t->leader, i);
        double all = (double)fx_votes_total(t, i), lead = v == FX_ABSENT ? 0 : v;
        double size = station_size(t, i);
        nation.lead += lead, nation.all += all, nation.size += size;
        for (size_t l = 0; l < t->levels; l++) {
            struct seen *s = &area[l][t->level[l].of[i]];
            s->lead += lead, s->all += all, s->size += size;
        }
    }
    double lead = nation.lead, all = nation.all;
    for (size_t k = cut; k < n; k++) {
        const struct seen *s = &nation;
        for (size_t l = t->levels; l-- > 0;)
            if (area[l][t->level[l].of[order[k]]].all > 0) {
                s = &area[l][t->level[l].of[order[k]]];
                break;
            }
        if (!(s->size > 0)) continue;
        lead += s->lead / s->size * station_size(t, order[k]);
        all += s->all / s->size * station_size(t, order[k]);
    }
    *now = nation.all > 0 ? nation.lead / nation.all : NAN;
    *projected = all > 0 ? lead / all : NAN;
    return OK;
}

err fx_late(const struct fx_table *t, uint64_t seed, struct arena *mem, struct fx_list *out,
            struct fail *f) {
    static const struct {
        const char *seen, *projected;
        unsigned percent;
    } cut[] = {{"share_at_10", "projected_at_10", 10}, {"share_at_25", "projected_at_25", 25},
               {"share_at_50", "projected_at_50", 50}, {"share_at_75", "projected_at_75", 75},
               {"share_at_90", "projected_at_90", 90}};
    struct fx_result r = {.method = FX_LATE, .level = FX_NATION, .choice = (int)t->leader,
                          .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    uint32_t *order;
    size_t n;
    TRY(fx_arrival_order(t, seed, mem, &order, &n, f));
    r.n = n;
    if (n < 100) {
        r.missing = t->time_ms ? "100 stations with a time" : "time";
        return fx_list_add(out, mem, &r, f);
    }
    double final, ignored;
    TRY(fx_project(t, order, n, n, mem, &final, &ignored, f));
    for (size_t k = 0; k < sizeof cut / sizeof *cut; k++) {
        double now, projected;
        TRY(fx_project(t, order, n, n * cut[k].percent / 100, mem, &now, &projected, f));
        fx_detail(&r, cut[k].seen, now);
        fx_detail(&r, cut[k].projected, projected);
        if (cut[k].percent != 50) continue;
        r.value = 100 * (final - now);
        r.excess = 100 * (final - projected); /* what geography leaves over */
        r.effect = fabs(final - now) > 1e-6 ? (projected - now) / (final - now) : NAN;
    }
    fx_detail(&r, "final_share", final);
    r.is = isnan(final) ? FX_NA : FX_NOTHING;
    return fx_list_add(out, mem, &r, f);
}
