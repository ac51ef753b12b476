/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Turnout and votes (S. Shpilkin): if the leader's votes were proportional to the others' at every
 * turnout, how many of the leader's votes are above that. Exploratory; it measures regions that
 * differ just as well. */
#include "stats/forensics/forensics.h"

enum { BINS = 101, SHORTEST = 5, LONGEST = 12, MIDDLE = 8 };

/* L - rho O summed over all bins, rho from the bins peak - width .. peak. */
static double above(const double *lead, const double *other, int peak, int width) {
    double l = 0, o = 0, all_l = 0, all_o = 0;
    for (int b = peak - width; b <= peak; b++) {
        if (b < 0) continue;
        l += lead[b];
        o += other[b];
    }
    for (int b = 0; b < BINS; b++) {
        all_l += lead[b];
        all_o += other[b];
    }
    return o > 0 ? all_l - l / o * all_o : NAN;
}

err fx_shpilkin(const struct fx_table *t, struct arena *mem, struct fx_list *out, struct fail *f) {
    struct fx_result r = {.method = FX_SHPILKIN, .level = FX_NATION, .choice = (int)t->leader,
                          .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    double lead[BINS] = {0}, other[BINS] = {0}, votes = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t reg = fx_cell(t->registered, i), g = fx_issued(t, i), valid = fx_valid(t, i);
        uint32_t l = fx_votes(t, t->leader, i);
        if (reg == FX_ABSENT || g == FX_ABSENT || valid == FX_ABSENT || l == FX_ABSENT) continue;
        if (reg == 0 || g > reg || l > valid) continue;
        size_t bin = (size_t)(100ull * g / reg);
        lead[bin] += l;
        other[bin] += valid - l;
        votes += l;
        r.n++;
    }
    int peak = 0;
    for (int b = 1; b < BINS - 1; b++) /* the last bin, 100 %, is no peak */
        if (other[b] > other[peak]) peak = b;
    if (r.n < 1000 || peak < SHORTEST) {
        r.missing = t->registered ? "1,000 stations with a peak of turnout" : "registered";
        return fx_list_add(out, mem, &r, f);
    }
    double low = INFINITY, high = -INFINITY;
    for (int w = SHORTEST; w <= LONGEST; w++) {
        double v = above(lead, other, peak, w);
        if (v < low) low = v;
        if (v > high) high = v;
    }
    r.is = FX_EXPLORATORY;
    r.value = r.excess = above(lead, other, peak, MIDDLE);
    r.effect = votes > 0 ? r.value / votes : NAN;
    fx_detail(&r, "lowest", low);
    fx_detail(&r, "highest", high);
    fx_detail(&r, "peak_turnout", peak);
    return fx_list_add(out, mem, &r, f);
}
