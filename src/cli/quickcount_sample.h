/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The drawn stations of a quick count, as draw wrote them. */
#ifndef CLI_QUICKCOUNT_SAMPLE_H
#define CLI_QUICKCOUNT_SAMPLE_H

#include "cli/quickcount.h"

struct drawn {
    struct span unit;
    uint32_t stratum;  /* from 0 */
    double registered; /* NAN when not known */
    uint32_t report;   /* row of the reports, or UINT32_MAX */
};

struct sample {
    struct arena mem;
    struct drawn *at; /* sorted by unit */
    size_t n, strata;
    uint64_t *stations; /* of each stratum */
};
/* E_CSV. Always release. */
MUST_USE err sample_read(const char *path, struct sample *s, struct fail *f);
void sample_release(struct sample *s);
struct drawn *sample_find(const struct sample *s, struct span unit); /* NULL: not drawn */

#endif
