/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/identity.h"

static const struct {
    const char *name;
    uint64_t signs;
    uint32_t grants;
} roles[] = {
#define ROLE(id, name, signs, grants) {name, signs, grants},
#include "election/roles.def"
#undef ROLE
};
_Static_assert((int)REC_COUNT <= 64 && (int)ROLE_COUNT <= 32, "the bit sets are wide enough");

const char *role_name(enum role r) {
    return r < ROLE_COUNT ? roles[r].name : "unknown";
}

enum role role_by_name(struct span name) {
    for (int i = 0; i < ROLE_COUNT; i++)
        if (span_is(name, roles[i].name)) return (enum role)i;
    return ROLE_COUNT;
}

bool role_may_sign(enum role r, enum record_type t) {
    return r < ROLE_COUNT && t < REC_COUNT && (roles[r].signs >> t & 1);
}

bool role_may_grant(enum role granter, enum role r) {
    return granter < ROLE_COUNT && r < ROLE_COUNT && (roles[granter].grants >> r & 1);
}

bool log_may_sign(enum record_type t) {
    return t == REC_SIGNATURES || t == REC_INCIDENT || t == REC_HOST_LOG;
}
