/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* When each station's figures arrive, how many voters were identified, whose agents were there. */
#include <math.h>
#include <stdlib.h>

#include "service/apportion.h"
#include "service/expand_work.h"

/* Minutes after the poll's close. Counting takes a while for each voter and each contest, sending
 * longer where stations are small (rural); some find no network and arrive in the next days. The
 * shape follows what was reported of 2022: more than 80 % by midnight, about 99 % within a day. */
static const double COUNT_START = 60, COUNT_VOTER = 0.12, COUNT_CONTEST = 25, SEND_TOWN = 70,
                    SEND_RURAL = 250, SEND_SPREAD = 0.7, OFFLINE_TOWN = 0.004, OFFLINE_RURAL = 0.03,
                    OFFLINE_LEAST = 720, OFFLINE_MEAN = 1080;

static double rurality(const struct expand_station *s) {
    double r = s->registered.present ? (650 - (double)s->registered.value) / 500 : 0.5;
    r = r < 0 ? 0 : r > 1 ? 1 : r;
    return s->streams > 1 ? r / 2 : r;
}

static uint64_t arrival_drawn(const struct expand_station *s, uint32_t nth, bool offline,
                              double delay, struct rng *r) {
    double rural = rurality(s);
    double minutes = COUNT_START + COUNT_VOTER * (double)s->registered.value + COUNT_CONTEST * nth +
                     (SEND_TOWN + (SEND_RURAL - SEND_TOWN) * rural) *
                         exp(SEND_SPREAD * delay + 0.1 * rng_normal(r));
    if (offline) minutes += OFFLINE_LEAST - OFFLINE_MEAN * log(1 - rng_double(r));
    return (uint64_t)(minutes * 60000);
}

static void agents_drawn(const struct preset_contest *c, struct expand_figures *g, struct rng *r) {
    for (uint32_t i = 0; i < c->choice_count; i++) {
        double share = g->valid.value ? (double)g->votes[i] / (double)g->valid.value : 0;
        double chance = share >= 0.05 ? 0.97 : c->choices[i].party.n ? 0.35 : 0.12;
        double signs = rng_double(r);
        if (rng_double(r) >= chance) continue;
        g->agents_present |= (uint64_t)1 << i;
        if (signs < 0.97) g->agents_signed |= (uint64_t)1 << i;
    }
}

static void night_of(struct expansion *x, const struct expand_station *s, uint64_t seed) {
    struct rng r;
    rng_init_stream(&r, seed, expand_seed("night", s->code));
    double delay = rng_normal(&r), rural = rurality(s);
    bool offline = rng_double(&r) < OFFLINE_TOWN + (OFFLINE_RURAL - OFFLINE_TOWN) * rural;
    uint64_t mistakes = rng_poisson(&r, 0.4); /* identified, and no ballot in the box */
    for (uint32_t i = 0; i < s->figures_count; i++) {
        struct expand_figures *g = &x->figures[s->figures_first + i];
        if (!g->sent) continue;
        if (!g->arrival_ms) g->arrival_ms = arrival_drawn(s, i, offline, delay, &r);
        if (!g->agents_present) agents_drawn(&x->contests[g->contest], g, &r);
        if (g->identified.present) continue;
        uint64_t n = g->valid.value + g->rejected.value + mistakes;
        /* nobody who is not on the register can be identified */
        if (s->registered.present && n > s->registered.value) n = s->registered.value;
        g->identified = (struct preset_cell){true, n};
    }
}

static int by_arrival(const void *a, const void *b, void *ctx) {
    const struct expand_figures *f = ctx;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    if (f[i].arrival_ms != f[k].arrival_ms) return f[i].arrival_ms < f[k].arrival_ms ? -1 : 1;
    return i < k ? -1 : i > k;
}

err expand_night(struct expansion *x, uint64_t seed, struct arena *a, struct fail *f) {
    for (uint32_t s = 0; s < x->station_count; s++) night_of(x, &x->stations[s], seed);
    x->sent_count = 0;
    for (uint32_t i = 0; i < x->figures_count; i++) x->sent_count += x->figures[i].sent;
    x->order = arena_array(a, x->sent_count, sizeof *x->order);
    if (!x->order) return expand_no_memory(f);
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->figures_count; i++)
        if (x->figures[i].sent) x->order[n++] = i;
    qsort_r(x->order, n, sizeof *x->order, by_arrival, x->figures);
    return OK;
}
