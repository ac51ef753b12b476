/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Spikes (Rozenas 2017, resampled kernel density): whether the density of the leader's share stands
 * above what smooth populations give. Exploratory: docs/forensics.md, method 9.
 *
 * Resample r of R depends on the seed and r only, so callers may spread ranges over threads. */
#ifndef STATS_FORENSICS_SPIKES_H
#define STATS_FORENSICS_SPIKES_H

#include "stats/forensics/forensics.h"

enum { FX_SPIKE_BINS = 1001, FX_SPIKE_COMPONENTS = 5 };

struct fx_mixture { /* beta-binomial components */
    size_t k;
    double weight[FX_SPIKE_COMPONENTS], a[FX_SPIKE_COMPONENTS], b[FX_SPIKE_COMPONENTS];
    double bic;
};

struct fx_spikes {
    size_t n;                           /* stations used */
    const uint32_t *registered, *turnout, *votes; /* [n] */
    struct fx_mixture of_turnout, of_share;
    const float *turnout_cdf, *share_cdf; /* [n][FX_SPIKE_COMPONENTS] posterior, cumulated */
    float observed[FX_SPIKE_BINS];
    const char *missing; /* why it cannot be done, or NULL */
};

/* Fits the two mixtures (1 to 5 components by BIC, on at most 8,000 stations chosen by the seed). */
MUST_USE err fx_spikes_fit(const struct fx_table *t, uint64_t seed, struct arena *mem,
                           struct fx_spikes *out, struct fail *f);
/* Resamples from..to-1 into rows[(r - from) * FX_SPIKE_BINS]. Thread-safe on one fit. */
void fx_spikes_draw(const struct fx_spikes *s, uint64_t seed, size_t from, size_t to, float *rows);
/* F, its leave-one-out p and the highest bins from all `resamples` rows. */
void fx_spikes_finish(const struct fx_spikes *s, const float *rows, size_t resamples,
                      const struct fx_table *t, double *scratch /* [resamples] */,
                      struct fx_result *out);

#endif
