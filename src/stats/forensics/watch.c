/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/watch.h"

enum { BURST = 10, BURST_MOST = 32, BURST_MS = 60000, BATCH = 200, LEAST_VOTES = 50, LOOKS = 10,
       LEAST_LOOK = 500, TESTS = 8, PAIRS_MOST = 32 };

struct device {
    int64_t at[BURST_MOST]; /* its last results, a ring */
    uint32_t next, count;
    int64_t told; /* no second event before this time */
};

struct watch {
    struct fx_table t; /* the frame, with the figures that have arrived */
    const uint32_t *register_of; /* of the frame, or NULL */
    struct watch_options o;
    struct arena *mem;
    struct fx_kept *kept;
    uint32_t *votes, *valid, *rejected, *registered;
    uint32_t *order, *place; /* stations in order of arrival; where each stands, from 1 */
    uint32_t *first_of, *next_of; /* stations with figures by smallest area: lists, from 1 */
    uint8_t *has;
    size_t arrived, received; /* ever, with figures now */
    size_t look;              /* looks made */
    int64_t ms;
    struct device *device;
    size_t devices;
    uint64_t number;
};

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
}

err watch_new(const struct fx_table *frame, const struct watch_options *o, struct arena *mem,
              struct watch **out, struct fail *f) {
    size_t n = frame->n + 1;
    struct watch *w = arena_alloc(mem, sizeof *w);
    if (!w) return no_memory(f);
    *w = (struct watch){.t = *frame, .o = *o, .mem = mem, .register_of = frame->registered};
    if (w->o.burst == 0) w->o.burst = BURST;
    if (w->o.burst > BURST_MOST) w->o.burst = BURST_MOST;
    if (w->o.burst_ms == 0) w->o.burst_ms = BURST_MS;
    size_t areas = frame->levels ? frame->level[frame->levels - 1].count : 0;
    w->votes = arena_array(mem, n * (frame->choices + 1), sizeof *w->votes);
    w->valid = arena_array(mem, n, sizeof *w->valid);
    w->rejected = arena_array(mem, n, sizeof *w->rejected);
    w->registered = arena_array(mem, n, sizeof *w->registered);
    w->order = arena_array(mem, n, sizeof *w->order);
    w->place = arena_array(mem, n, sizeof *w->place);
    w->next_of = arena_array(mem, n, sizeof *w->next_of);
    w->first_of = arena_array(mem, areas + 1, sizeof *w->first_of);
    w->has = arena_alloc(mem, n);
    if (!w->votes || !w->valid || !w->rejected || !w->registered || !w->order || !w->place ||
        !w->next_of || !w->first_of || !w->has)
        return no_memory(f);
    TRY(fx_kept_new(mem, &w->kept, f));
    memset(w->votes, 0xff, n * (frame->choices + 1) * sizeof *w->votes); /* FX_ABSENT */
    memset(w->valid, 0xff, n * sizeof *w->valid);
    memset(w->rejected, 0xff, n * sizeof *w->rejected);
    for (size_t i = 0; i < frame->n; i++) w->registered[i] = fx_cell(frame->registered, i);
    w->t.votes = w->votes;
    w->t.valid = w->valid;
    w->t.rejected = w->rejected;
    w->t.registered = w->registered;
    w->t.issued = NULL;
    w->t.time_ms = NULL;
    *out = w;
    return OK;
}

size_t watch_received(const struct watch *w) {
    return w->received;
}

const struct fx_table *watch_table(const struct watch *w) {
    return &w->t;
}

static struct watch_event *event(struct watch *w, struct watch_event *out, size_t *n,
                                 enum watch_kind kind, enum fx_class is) {
    struct watch_event *e = &out[(*n)++];
    *e = (struct watch_event){.kind = kind, .is = is, .number = ++w->number, .ms = w->ms,
                              .station = UINT32_MAX, .other = UINT32_MAX, .device = UINT32_MAX,
                              .received = w->received, .choice = -1, .value = NAN, .expected = NAN,
                              .p = NAN};
    return e;
}

static err need_device(struct watch *w, uint32_t device, struct fail *f) {
    if (device < w->devices) return OK;
    size_t now = w->devices ? w->devices : 256;
    while (now <= device) now *= 2;
    struct device *d = arena_array(w->mem, now, sizeof *d);
    if (!d) return no_memory(f);
    if (w->devices) memcpy(d, w->device, w->devices * sizeof *d);
    for (size_t i = w->devices; i < now; i++) d[i].told = INT64_MIN;
    w->device = d;
    w->devices = now;
    return OK;
}

static err note_device(struct watch *w, const struct watch_result *r, struct watch_event *out,
                       size_t *n, struct fail *f) {
    if (r->device == UINT32_MAX) return OK;
    TRY(need_device(w, r->device, f));
    struct device *d = &w->device[r->device];
    uint32_t burst = w->o.burst;
    d->at[d->next] = r->ms; /* once full, the next place holds the oldest of the last `burst` */
    d->next = (d->next + 1) % burst;
    if (d->count < burst) d->count++;
    int64_t took = r->ms - d->at[d->next];
    if (d->count < burst || took > (int64_t)w->o.burst_ms || r->ms < d->told) return OK;
    d->told = r->ms + (int64_t)w->o.burst_ms;
    struct watch_event *e = event(w, out, n, WATCH_FAST_DEVICE, FX_NOTHING);
    e->device = r->device;
    e->station = r->station;
    e->value = burst;
    e->expected = (double)took / 1000;
    return OK;
}

static bool same_votes(const struct watch *w, size_t i, size_t j) {
    for (size_t c = 0; c < w->t.choices; c++)
        if (fx_votes(&w->t, c, i) != fx_votes(&w->t, c, j)) return false;
    return true;
}

static void take_out(struct watch *w, uint32_t i) {
    if (!w->has[i]) return;
    w->has[i] = 0;
    w->received--;
    for (size_t c = 0; c < w->t.choices; c++) w->votes[c * w->t.n + i] = FX_ABSENT;
    w->valid[i] = w->rejected[i] = FX_ABSENT;
    w->registered[i] = fx_cell(w->register_of, i);
    if (w->t.levels == 0) return;
    uint32_t *at = &w->first_of[w->t.level[w->t.levels - 1].of[i]];
    while (*at && *at != i + 1) at = &w->next_of[*at - 1];
    if (*at) *at = w->next_of[i];
}

static void put_in(struct watch *w, const struct watch_result *r) {
    uint32_t i = r->station;
    w->has[i] = 1;
    w->received++;
    for (size_t c = 0; c < w->t.choices; c++) w->votes[c * w->t.n + i] = r->votes[c];
    w->valid[i] = r->valid;
    w->rejected[i] = r->rejected;
    w->registered[i] = r->registered;
    if (w->place[i] == 0) {
        w->order[w->arrived++] = i;
        w->place[i] = (uint32_t)w->arrived;
    }
}

/* Stations of the smallest area with the same votes; then the station joins the area's list. */
static void find_same(struct watch *w, uint32_t i, struct watch_event *out, size_t *n) {
    if (w->t.levels == 0) return;
    uint32_t *first = &w->first_of[w->t.level[w->t.levels - 1].of[i]];
    size_t told = 0;
    bool large = fx_votes_total(&w->t, i) >= LEAST_VOTES;
    for (uint32_t j = *first; j && large && told < PAIRS_MOST; j = w->next_of[j - 1]) {
        if (!same_votes(w, i, j - 1)) continue;
        struct watch_event *e = event(w, out, n, WATCH_SAME_VOTES, FX_NOTHING);
        e->station = i;
        e->other = j - 1;
        e->value = (double)fx_votes_total(&w->t, i);
        told++;
    }
    w->next_of[i] = *first;
    *first = i + 1;
}

err watch_add(struct watch *w, const struct watch_result *r, struct watch_event out[WATCH_EVENTS_MOST],
              size_t *n, struct fail *f) {
    static const unsigned wrong = FX_BAD_SUM | FX_OVER_REGISTER | FX_OVER_CAP | FX_ALL_REJECTED;
    *n = 0;
    if (r->station >= w->t.n) return fail_set(f, E_RANGE, "a result of a station that is not in the frame");
    w->ms = r->ms;
    take_out(w, r->station);
    if (!r->standing) {
        struct watch_event *e = event(w, out, n, WATCH_TWO_RESULTS, FX_FACT);
        e->station = r->station;
        e->device = r->device;
        return note_device(w, r, out, n, f);
    }
    put_in(w, r);
    unsigned flags = fx_station_flags(&w->t, w->o.cap, r->station);
    if (flags & (wrong | FX_FULL)) {
        struct watch_event *e = event(w, out, n, WATCH_CONTRADICTION, flags & wrong ? FX_FACT : FX_NOTHING);
        e->station = r->station;
        e->device = r->device;
        e->flags = flags & (wrong | FX_FULL);
        e->value = fx_counted(&w->t, r->station);
        e->expected = r->registered == FX_ABSENT ? NAN : (double)r->registered;
    }
    find_same(w, r->station, out, n);
    return note_device(w, r, out, n, f);
}

/* --- looks --- */

/* Every tenth part of the frame; never for a small one. */
bool watch_look_due(const struct watch *w) {
    return w->look < LOOKS && w->t.n >= LEAST_LOOK && w->received * LOOKS >= w->t.n * (w->look + 1);
}

/* P(X <= x) for a chi-squared with k degrees: the series of the incomplete gamma function. */
static double chi2_low(double x, double k) {
    double a = k / 2, y = x / 2;
    if (!(x > 0)) return 0;
    if (y > a + 60 * sqrt(a + 1)) return 1;
    double term = 1 / a, sum = term;
    for (int i = 1; i < 100000 && term > sum * 1e-16; i++) {
        term *= y / (a + i);
        sum += term;
    }
    double p = sum * exp(-y + a * log(y) - lgamma(a));
    return p < 1 ? p : 1;
}

double watch_constancy_p(const uint32_t *lead, const uint32_t *both, size_t n, size_t size, double *v,
                         double *mean) {
    size_t batches = size ? n / size : 0;
    *v = *mean = NAN;
    if (batches < 10) return NAN;
    n = batches * size; /* the last part-batch is dropped */
    double l = 0, w = 0, squares = 0, between = 0;
    for (size_t i = 0; i < n; i++) {
        l += lead[i];
        w += both[i];
    }
    if (!(w > 0)) return NAN;
    double share = l / w;
    for (size_t b = 0; b < batches; b++) {
        double d = 0, wb = 0;
        for (size_t i = b * size; i < (b + 1) * size; i++) {
            double x = lead[i] - share * both[i];
            squares += x * x;
            d += x;
            wb += both[i];
        }
        if (wb > 0) between += d * d / wb;
    }
    *v = between / w;
    /* drawing `size` of n without replacement: Var(sum of x) = size s^2 (1 - size/n), s^2 = squares/(n - 1);
     * a batch weighs size w/n on average */
    double per_batch = (double)size * squares / (double)(n - 1) * (1 - (double)size / (double)n);
    *mean = (double)batches * per_batch / ((double)size * w / (double)n) / w;
    if (!(*mean > 0)) return NAN;
    return chi2_low(*v / *mean * (double)(batches - 1), (double)(batches - 1));
}

static err look_constancy(struct watch *w, size_t rival, struct arena *scratch, struct watch_event *out,
                          size_t *n, struct fail *f) {
    uint32_t *lead = arena_array(scratch, w->arrived + 1, sizeof *lead);
    uint32_t *both = arena_array(scratch, w->arrived + 1, sizeof *both);
    size_t used = 0;
    double v, mean;
    if (!lead || !both) return no_memory(f);
    for (size_t k = 0; k < w->arrived; k++) {
        uint32_t a = fx_votes(&w->t, w->t.leader, w->order[k]), b = fx_votes(&w->t, rival, w->order[k]);
        if (a == FX_ABSENT || b == FX_ABSENT) continue;
        lead[used] = a;
        both[used++] = a + b;
    }
    double p = watch_constancy_p(lead, both, used, BATCH, &v, &mean) * TESTS * LOOKS;
    if (isnan(p) || p > .001) return OK;
    struct watch_event *e = event(w, out, n, WATCH_CONSTANT, FX_ANOMALY);
    e->n = used / BATCH;
    e->value = v;
    e->expected = mean;
    e->p = p;
    return OK;
}

static err look_shift(struct watch *w, struct arena *scratch, struct watch_event *out, size_t *n,
                      struct fail *f) {
    uint32_t *order = arena_array(scratch, w->t.n + 1, sizeof *order);
    size_t cut = 0, used = 0;
    double now, projected;
    if (!order) return no_memory(f);
    for (size_t k = 0; k < w->arrived; k++)
        if (w->has[w->order[k]]) order[used++] = w->order[k];
    cut = used;
    for (uint32_t i = 0; i < w->t.n; i++)
        if (!w->has[i]) order[used++] = i;
    TRY(fx_project(&w->t, order, used, cut, scratch, &now, &projected, f));
    if (isnan(now) || isnan(projected)) return OK; /* nobody has a vote yet */
    struct watch_event *e = event(w, out, n, WATCH_SHIFT, FX_NOTHING);
    e->n = w->look;
    e->value = now;
    e->expected = projected;
    return OK;
}

static bool stands_out(const struct fx_result *x) {
    return x->is == FX_ANOMALY && (x->method == FX_INTEGERS || x->method == FX_COMB ||
                                   x->method == FX_DUPLICATES || x->method == FX_ROUND);
}

/* The national tests of the battery, with the family taken over all looks. */
static err look_tests(struct watch *w, struct arena *scratch, struct watch_event *out, size_t *n,
                      struct fail *f) {
    struct fx_report r;
    struct fx_options o = {.nation_only = true, .kept = w->kept, .cap = w->o.cap, .looks = LOOKS,
                           .skip = 1u << FX_ARITHMETIC | 1u << FX_CONSTANCY | 1u << FX_LATE |
                                   1u << FX_SHPILKIN | 1u << FX_KLIMEK | 1u << FX_DIGITS | 1u << FX_CENTRAL};
    TRY(fx_battery_run(&w->t, &o, scratch, &r, f));
    TRY(fx_battery_finish(&r, scratch, f));
    for (size_t i = 0; i < r.list.n && *n + 4 < WATCH_EVENTS_MOST; i++) {
        const struct fx_result *x = &r.list.at[i];
        if (!stands_out(x)) continue;
        struct watch_event *e = event(w, out, n, WATCH_TEST, FX_ANOMALY);
        e->method = x->method;
        e->choice = x->choice;
        e->n = x->n;
        e->value = x->value;
        e->expected = x->method == FX_DUPLICATES ? fx_get(x, "expected") : NAN;
        e->p = x->p_holm;
    }
    return OK;
}

err watch_look(struct watch *w, struct arena *scratch, struct watch_event out[WATCH_EVENTS_MOST],
               size_t *n, struct fail *f) {
    struct arena_mark mark = arena_mark(scratch);
    *n = 0;
    while (watch_look_due(w)) w->look++; /* after an outage one look stands for several */
    err e = look_tests(w, scratch, out, n, f);
    if (e == OK) e = look_constancy(w, fx_rival(&w->t), scratch, out, n, f);
    if (e == OK && *n == 0) (void)event(w, out, n, WATCH_LOOK, FX_NOTHING);
    if (e == OK) e = look_shift(w, scratch, out, n, f);
    arena_rewind(scratch, mark);
    return e;
}
