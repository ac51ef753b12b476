/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Digits of the leader's counts: last digits, equal last pairs, and the mean second digit. Shown only
 * to be debunked: stations are made to a size, so leading digits say nothing about anybody. */
#include "stats/forensics/forensics.h"

/* P(chi-squared with 9 degrees > x), closed form for odd degrees. */
static double chi9_tail(double x) {
    double s = sqrt(x), q = erfc(s / sqrt(2)), term = s;
    double sum = term;
    for (int k = 3; k <= 7; k += 2) {
        term *= x / k;
        sum += term;
    }
    return q + sqrt(2 / M_PI) * exp(-x / 2) * sum;
}

err fx_digits(const struct fx_table *t, struct arena *mem, struct fx_list *out, struct fail *f) {
    struct fx_result r = {.method = FX_DIGITS, .level = FX_NATION, .choice = (int)t->leader,
                          .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    size_t last[10] = {0}, n = 0, pairs = 0, seconds = 0;
    double sum = 0, square = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t v = fx_votes(t, t->leader, i);
        if (v == FX_ABSENT || v < 10) continue;
        uint32_t lead = v;
        while (lead >= 100) lead /= 10;
        sum += lead % 10;
        square += (double)(lead % 10) * (lead % 10);
        seconds++;
        if (v < 100) continue;
        last[v % 10]++;
        pairs += v % 10 == v / 10 % 10;
        n++;
    }
    r.n = n;
    if (n < 100) {
        r.missing = "100 stations with at least 100 votes";
        return fx_list_add(out, mem, &r, f);
    }
    double chi = 0, each = (double)n / 10;
    for (int d = 0; d < 10; d++) chi += ((double)last[d] - each) * ((double)last[d] - each) / each;
    r.is = FX_EXPLORATORY;
    r.value = chi;
    r.p = chi9_tail(chi);
    r.effect = sum / (double)seconds;
    fx_detail(&r, "second_digit_mean", r.effect);
    fx_detail(&r, "second_digit_n", (double)seconds);
    fx_detail(&r, "second_digit_se",
              sqrt((square / (double)seconds - r.effect * r.effect) / (double)seconds));
    fx_detail(&r, "equal_last_pairs", (double)pairs / (double)n);
    return fx_list_add(out, mem, &r, f);
}
