/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Apportioning: whole numbers that add up exactly and vary as real ones do.
 *
 * Totals of an area go to its stations so that every column and every row adds up; the same seed
 * gives the same split. Used for simulation only: nothing here decides a result. */
#ifndef SERVICE_APPORTION_H
#define SERVICE_APPORTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/rng.h"

/* out[0..n) with the sum `total`, near total * weight / sum(weights) and at most most[i] (NULL: no
 * bound). The largest remainders are rounded up. Needs weights >= 0, n > 0 and sum(most) >= total;
 * `scratch` has room for n doubles. */
void apportion(const double *weights, const uint64_t *most, size_t n, uint64_t total, uint64_t *out,
               double *scratch);

/* As apportion, by shares: out[i] near most[i] * logistic(shift + effect[i]) with one shift for all
 * (so that no share leaves 0..1). Needs sum(most) >= total; `scratch` has room for 2n doubles. */
void apportion_logistic(const double *effect, const uint64_t *most, size_t n, uint64_t total,
                        uint64_t *out, double *scratch);

/* A table of n rows (stations) and k columns (choices, and rejected if counted). */
struct apportion_table {
    size_t n, k;
    const uint64_t *registered; /* n: what a row's sum may reach where the totals allow */
    const uint32_t *group;      /* n: rows of one group (ward) vary together; ascending, from 0 */
    const uint64_t *totals;     /* k: what each column must add up to */
    uint64_t *cells;            /* n * k, row by row: the result */
};

/* Fills the table: column sums exact; each row's sum <= registered if sum(totals) <=
 * sum(registered), otherwise rows exceed it in proportion. False when memory ran out. n, k > 0, k
 * <= 66. */
bool apportion_fill(const struct apportion_table *t, struct rng *r);

/* Poisson by inversion, or by the normal above 40. */
uint64_t rng_poisson(struct rng *r, double mean);

#endif
