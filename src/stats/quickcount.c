/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/quickcount.h"

#include <math.h>
#include <stdlib.h>
#include "crypto/hash.h"

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the sample does not fit in the memory allowed");
}

err qc_collapse(const uint64_t *stations, size_t strata, struct arena *mem, uint32_t **of,
                size_t *count, struct fail *f) {
    *of = arena_array(mem, strata + 1, sizeof **of);
    if (!*of) return no_memory(f);
    uint64_t gathered = 0;
    size_t now = 0;
    for (size_t h = 0; h < strata; h++) {
        (*of)[h] = (uint32_t)now;
        gathered += stations[h];
        if (gathered >= QC_THIN) {
            now++;
            gathered = 0;
        }
    }
    *count = now;
    if (now == 0) *count = 1; /* the whole frame is thin */
    /* what is left over at the end joins the stratum before it */
    for (size_t h = 0; h < strata; h++)
        if ((*of)[h] >= *count) (*of)[h] = (uint32_t)(*count - 1);
    return OK;
}

err qc_allocate(const uint64_t *stations, size_t strata, uint64_t total, struct arena *mem,
                uint64_t **sizes, struct fail *f) {
    uint64_t all = 0;
    *sizes = arena_array(mem, strata + 1, sizeof **sizes);
    if (!*sizes) return no_memory(f);
    for (size_t h = 0; h < strata; h++) all += stations[h];
    for (size_t h = 0; h < strata; h++) {
        double share = (double)total * (double)stations[h] / (double)(all ? all : 1);
        uint64_t n = (uint64_t)ceil(share - 1e-9);
        if (n < QC_LEAST) n = QC_LEAST;
        (*sizes)[h] = n < stations[h] ? n : stations[h];
    }
    return OK;
}

static double expected_variance(const uint64_t *stations, const double *s2, const uint64_t *sizes,
                                size_t strata, double mean_m) {
    double v = 0, all = 0;
    for (size_t h = 0; h < strata; h++) {
        double big = (double)stations[h], n = (double)sizes[h];
        all += big;
        if (n > 0) v += big * big * (1 - n / big) * s2[h] / n;
    }
    return v / (all * mean_m * all * mean_m);
}

err qc_plan(const uint64_t *stations, const double *s2, size_t strata, double mean_m, double margin,
            double z, struct arena *mem, uint64_t *total, uint64_t **sizes, double *half_width,
            struct fail *f) {
    uint64_t all = 0;
    for (size_t h = 0; h < strata; h++) all += stations[h];
    if (!(margin > 0) || !(mean_m > 0) || all == 0)
        return fail_set(f, E_RANGE, "a plan needs stations with votes and a margin above 0");
    uint64_t low = 1, high = all;
    while (low < high) { /* the half-width falls with the size */
        uint64_t middle = low + (high - low) / 2;
        struct arena scratch;
        arena_init(&scratch, (size_t)1 << 26);
        err e = qc_allocate(stations, strata, middle, &scratch, sizes, f);
        double h = e == OK ? z * sqrt(expected_variance(stations, s2, *sizes, strata, mean_m)) : 0;
        arena_release(&scratch);
        if (e != OK) return e;
        if (h <= margin)
            high = middle;
        else
            low = middle + 1;
    }
    TRY(qc_allocate(stations, strata, low, mem, sizes, f));
    *half_width = z * sqrt(expected_variance(stations, s2, *sizes, strata, mean_m));
    *total = low;
    return OK;
}

struct ticket {
    struct hash h;
    uint32_t stratum, i;
};

static int by_ticket(const void *x, const void *y) {
    const struct ticket *a = x, *b = y;
    if (a->stratum != b->stratum) return a->stratum < b->stratum ? -1 : 1;
    int c = hash_cmp(&a->h, &b->h);
    return c ? c : (a->i > b->i) - (a->i < b->i);
}

err qc_draw(const struct qc_frame *frame, const uint64_t *sizes, struct span seed,
            struct arena *mem, uint32_t *picked, size_t *n, struct fail *f) {
    struct ticket *t = arena_array(mem, frame->n + 1, sizeof *t);
    struct buf text;
    if (!t) return no_memory(f);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < frame->n; i++) {
        buf_clear(&text);
        buf_str(&text, "hesabu/quickcount/v1\n");
        buf_span(&text, seed);
        buf_byte(&text, '\n');
        buf_span(&text, frame->unit[i]);
        t[i] = (struct ticket){sha256(buf_view(&text)), frame->stratum[i], (uint32_t)i};
    }
    err e = buf_ok(&text, f);
    buf_release(&text);
    TRY(e);
    qsort(t, frame->n, sizeof *t, by_ticket);
    *n = 0;
    for (size_t i = 0, in = 0; i < frame->n; i++) {
        in = i && t[i].stratum == t[i - 1].stratum ? in + 1 : 0;
        if (in < sizes[t[i].stratum]) picked[(*n)++] = t[i].i;
    }
    return OK;
}

double qc_t_quantile(double p, double df) {
    double two = 2 * (1 - p); /* two-tailed */
    if (df < 1.5) return tan(M_PI_2 * (1 - two));
    if (df < 2.5) return sqrt(2 / (two * (2 - two)) - 2);
    double a = 1 / (df - .5), b = 48 / (a * a);
    double c = ((20700 * a / b - 98) * a - 16) * a + 96.36;
    double d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * M_PI_2) * df;
    double x = d * two, y = pow(x, 2 / df);
    if (y > a + .05) { /* asymptotic inverse about the normal: its quantile by Newton steps */
        double u = 1.6;
        for (int i = 0; i < 60; i++) {
            double q = .5 * erfc(u / M_SQRT2) - two / 2, density = exp(-u * u / 2) / sqrt(2 * M_PI);
            if (fabs(q) < 1e-15) break;
            u += q / density;
        }
        x = -u;
        y = x * x;
        if (df < 5) c += .3 * (df - 4.5) * (x + .6);
        c = (((.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
        y = (((((.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
        y = expm1(a * y * y);
    } else {
        y = ((1 / (((df + 6) / (df * y) - .089 * d - .822) * (df + 2) * 3) + .5 / (df + 4)) * y - 1) *
                (df + 1) / (df + 2) +
            1 / y;
    }
    return sqrt(df * y);
}

struct sums {
    double n, a, m, d, d2; /* d = a - R m */
};

/* R and its standard error with a[] and m[] given per item; items with m < 0 are left out. */
static double fit_ratio(const struct qc_item *items, const double *a, const double *m, size_t n,
                        const uint64_t *stations, size_t strata, struct sums *s, double *se,
                        double *df) {
    memset(s, 0, strata * sizeof *s);
    for (size_t i = 0; i < n; i++) {
        if (m[i] < 0) continue;
        struct sums *h = &s[items[i].stratum];
        h->n++, h->a += a[i], h->m += m[i];
    }
    double top = 0, bottom = 0, v = 0;
    for (size_t h = 0; h < strata; h++) {
        if (s[h].n == 0) continue;
        top += (double)stations[h] / s[h].n * s[h].a;
        bottom += (double)stations[h] / s[h].n * s[h].m;
    }
    double ratio = bottom > 0 ? top / bottom : NAN;
    for (size_t i = 0; i < n; i++) {
        if (m[i] < 0) continue;
        double d = a[i] - ratio * m[i];
        s[items[i].stratum].d += d;
        s[items[i].stratum].d2 += d * d;
    }
    *df = 0;
    for (size_t h = 0; h < strata; h++) {
        if (s[h].n < 2) continue;
        double big = (double)stations[h], s2 = (s[h].d2 - s[h].d * s[h].d / s[h].n) / (s[h].n - 1);
        v += big * big * (1 - s[h].n / big) * (s2 > 0 ? s2 : 0) / s[h].n;
        *df += s[h].n - 1;
    }
    *se = sqrt(v) / bottom;
    return ratio;
}

static double clamp(double x) {
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Limits at 95 and 99 % with every missing station all for (sign 1) or all against (-1) the numerator. */
static void bound(const struct qc_item *items, double *a, double *m, size_t n, const uint64_t *stations,
                  size_t strata, struct sums *s, int sign, double *at95, double *at99) {
    double se, df;
    for (size_t i = 0; i < n; i++) {
        m[i] = items[i].reported ? items[i].m : items[i].most;
        a[i] = items[i].reported ? items[i].a : sign > 0 ? items[i].most : 0;
    }
    double ratio = fit_ratio(items, a, m, n, stations, strata, s, &se, &df);
    *at95 = clamp(ratio + sign * qc_t_quantile(.975, df) * se);
    *at99 = clamp(ratio + sign * qc_t_quantile(.995, df) * se);
}

err qc_estimate(const struct qc_item *items, size_t n, const uint64_t *stations, size_t strata,
                struct arena *mem, struct qc_estimate *out, struct fail *f) {
    *out = (struct qc_estimate){.drawn = n};
    double *a = arena_array(mem, n + 1, sizeof *a), *m = arena_array(mem, n + 1, sizeof *m);
    struct sums *s = arena_array(mem, strata + 1, sizeof *s);
    uint64_t *drawn = arena_array(mem, strata + 1, sizeof *drawn);
    if (!a || !m || !s || !drawn) return no_memory(f);
    for (size_t i = 0; i < n; i++) {
        if (items[i].stratum >= strata)
            return fail_set(f, E_RANGE, "a station of the sample is in no stratum of the frame");
        drawn[items[i].stratum]++;
        out->reported += items[i].reported;
        a[i] = items[i].a;
        m[i] = items[i].reported ? items[i].m : -1;
    }
    for (size_t h = 0; h < strata; h++)
        if (drawn[h] < 2 && stations[h] > 0)
            out->missing = "a stratum has fewer than two stations in the sample";
    if (out->missing) return OK;
    bound(items, a, m, n, stations, strata, s, -1, &out->bound_low95, &out->bound_low);
    bound(items, a, m, n, stations, strata, s, 1, &out->bound_high95, &out->bound_high);
    for (size_t i = 0; i < n; i++) {
        a[i] = items[i].a;
        m[i] = items[i].reported ? items[i].m : -1;
    }
    out->ratio = fit_ratio(items, a, m, n, stations, strata, s, &out->se, &out->df);
    double ballots = 0;
    for (size_t h = 0; h < strata; h++) {
        if (s[h].n < 2 && stations[h] > 0) out->missing = "a stratum has fewer than two reports";
        ballots += s[h].m;
    }
    if (!isfinite(out->ratio)) out->missing = "no ballots are reported";
    if (out->missing) return OK;
    double t95 = qc_t_quantile(.975, out->df) * out->se, t99 = qc_t_quantile(.995, out->df) * out->se;
    out->low95 = clamp(out->ratio - t95);
    out->high95 = clamp(out->ratio + t95);
    out->low99 = clamp(out->ratio - t99);
    out->high99 = clamp(out->ratio + t99);
    double simple = out->ratio * (1 - out->ratio) / ballots;
    out->design_effect = simple > 0 ? out->se * out->se / simple : NAN;
    return OK;
}

void qc_say(const struct qc_estimate *e, struct span what, double official, enum lang lang,
            struct buf *out) {
    bool complete = e->reported == e->drawn;
    if (e->drawn < 2 || (e->missing && e->bound_high <= e->bound_low)) {
        SAY(out, lang, "%.*s: not available.", "%.*s: haipatikani.", SPAN_ARG(what));
        return;
    }
    if (!complete || e->missing) {
        SAY(out, lang,
            "%.*s: %zu of %zu stations have reported. Early reports are not a random sample: all that can "
            "be said is that the share lies between %.2f %% and %.2f %% (99 %%, whatever the missing "
            "stations hold).",
            "%.*s: vituo %zu kati ya %zu vimeripoti. Ripoti za mapema si sampuli ya kubahatisha: "
            "kinachoweza kusemwa ni kwamba sehemu iko kati ya %.2f %% na %.2f %% (99 %%, vituo "
            "visivyoripoti viwe na chochote).",
            SPAN_ARG(what), e->reported, e->drawn, 100 * e->bound_low, 100 * e->bound_high);
    } else {
        SAY(out, lang,
            "%.*s: %.2f %%, between %.2f %% and %.2f %% (95 %%), %.2f %% and %.2f %% (99 %%), from %zu "
            "stations. The sample excludes shares outside the wider interval, at 99 %%; it says nothing "
            "about single stations, nor about figures that were already wrong on the forms.",
            "%.*s: %.2f %%, kati ya %.2f %% na %.2f %% (95 %%), %.2f %% na %.2f %% (99 %%), kutoka vituo "
            "%zu. Sampuli inaondoa sehemu zilizo nje ya kipimo kipana, kwa 99 %%; haisemi lolote kuhusu "
            "kituo kimoja kimoja, wala takwimu zilizokuwa na makosa tayari kwenye fomu.",
            SPAN_ARG(what), 100 * e->ratio, 100 * e->low95, 100 * e->high95, 100 * e->low99,
            100 * e->high99, e->drawn);
    }
    if (isnan(official)) return;
    double low = complete && !e->missing ? e->low99 : e->bound_low;
    double high = complete && !e->missing ? e->high99 : e->bound_high;
    if (official < low || official > high)
        SAY(out, lang,
            " The official figure, %.2f %%, lies outside: the sample and the official total do not agree.",
            " Takwimu rasmi, %.2f %%, iko nje: sampuli na jumla rasmi hazikubaliani.", 100 * official);
    else
        SAY(out, lang,
            " The official figure, %.2f %%, lies inside: the sample does not contradict it, and cannot "
            "tell it from any other figure in the interval.",
            " Takwimu rasmi, %.2f %%, iko ndani: sampuli haiipingi, na haiwezi kuitofautisha na takwimu "
            "nyingine yoyote ndani ya kipimo.",
            100 * official);
}

void qc_say_over_time(enum lang lang, struct buf *out) {
    SAY(out, lang,
        "Each interval holds whatever the stations that had not reported by then contain: none of their votes, "
        "or all of them. Early reports are not a random sample.",
        "Kila kipimo kinafaa kwa lolote lililomo katika vituo ambavyo havikuwa vimeripoti wakati huo: hakuna "
        "hata kura moja, au zote. Ripoti za mapema si sampuli ya kubahatisha.");
}

void qc_say_at_random(enum lang lang, struct buf *out) {
    SAY(out, lang,
        "The intervals \"at random\" would hold only if the missing stations were missing at random, which no "
        "report can show: where missing depended on support, 95 %% intervals held the true share in 42 %% of "
        "2,000 simulated samples.",
        "Vipimo vya \"kubahatisha\" vingefaa tu kama vituo vinavyokosekana vinakosekana kwa kubahatisha, jambo "
        "ambalo hakuna ripoti inayoweza kuonyesha: pale kukosekana kulipotegemea uungaji mkono, vipimo vya "
        "95 %% vilikuwa na sehemu ya kweli katika 42 %% ya sampuli 2,000 zilizoigizwa.");
}
