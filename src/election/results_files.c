/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The table of the files that tell about the election as a whole. */
#include "election/results_impl.h"

#define T(t) (UINT64_C(1) << REC_##t)

const struct results_file results_files[] = {
    {"results/objections.json", T(OBJECTION) | T(ADMISSION) | T(RULING) | T(NOTICE) | T(DECISION) | T(AMEND),
     results_objections},
    {"results/notices.json", T(NOTICE), results_notices},
    {"results/observations.json", T(OBSERVATION), results_observations},
    {"results/hosts.json", T(HOST_LOG), results_hosts},
};
const size_t results_file_count = sizeof results_files / sizeof *results_files;

uint64_t results_file_stamp(const struct fold *s, size_t i) {
    uint64_t n = 1; /* never what a fresh reader remembers */
    for (int t = 0; t < REC_COUNT; t++)
        if (results_files[i].types >> t & 1) n += s->counts[t];
    return n;
}
