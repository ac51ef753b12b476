/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Policies: what is accepted is met by everybody and, if it has a quorum, never by nobody. */
#include <stdlib.h>
#include "tlog/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a;
    struct policy p;
    struct fail f;
    arena_init(&a, 1 << 20);
    if (policy_parse(span_of(data, size), &a, &p, &f) == OK) {
        static bool all[POLICY_WITNESSES_MAX], none[POLICY_WITNESSES_MAX];
        memset(all, 1, sizeof all);
        if (!policy_is_met(&p, all) || policy_is_met(&p, none) != !p.has_quorum) abort();
    }
    arena_release(&a);
    return 0;
}
