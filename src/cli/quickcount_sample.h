/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The drawn stations of a quick count, as draw wrote them. */
#ifndef CLI_QUICKCOUNT_SAMPLE_H
#define CLI_QUICKCOUNT_SAMPLE_H

#include "base/json_out.h"
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

/* One thing that is estimated: a choice's share of the valid votes, turnout, rejected of the counted. */
enum ratio { SHARE, TURNOUT, REJECTED };
struct estimated {
    enum ratio what;
    size_t choice;
    struct span name;
    double official; /* NAN: none */
};
/* From the reports up to `until` (unix ms; those without a time always count). */
MUST_USE err quick_ratio(const struct sample *s, const struct fx_table *t, const struct estimated *of,
                         double cap, int64_t until, struct qc_estimate *e, struct fail *f);
/* The members of one estimate, in an object that the caller has opened: figures without the assumption
 * that reports are missing at random; with `at_random` those too, apart. */
void quick_json_members(struct json_out *j, const struct qc_estimate *e, bool at_random);

/* Intervals at up to 20 moments of the arrival of the drawn stations' reports. */
enum { QUICK_MOMENTS = 20 };
struct quick_moments {
    int64_t until_ms[QUICK_MOMENTS];
    size_t n; /* 0: no report has a time */
};
MUST_USE err quick_moments(const struct sample *s, const struct fx_table *t, struct quick_moments *m,
                           struct fail *f);
/* The member "over_time" of all n; a table of one; a picture of each into the folder a->pictures. */
MUST_USE err quick_time_json(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                             const struct quick_moments *m, const struct estimated *of, size_t n,
                             enum lang lang, struct json_out *j, struct fail *f);
MUST_USE err quick_time_text(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                             const struct quick_moments *m, const struct estimated *of, enum lang lang,
                             struct buf *out, struct fail *f);
MUST_USE err quick_time_pictures(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                                 const struct quick_moments *m, const struct estimated *of, size_t n,
                                 enum lang lang, struct fail *f);

#endif
