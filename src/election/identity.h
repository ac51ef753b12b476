/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who may say what: roles, which record types each may sign, which roles each may grant. */
#ifndef ELECTION_IDENTITY_H
#define ELECTION_IDENTITY_H

#include "election/record.h"

enum role {
#define ROLE(id, name, signs, grants) ROLE_##id,
#include "election/roles.def"
#undef ROLE
    ROLE_COUNT
};

const char *role_name(enum role r);
enum role role_by_name(struct span name); /* ROLE_COUNT if there is none */
/* A key of this role may stand under this type of record. */
bool role_may_sign(enum role r, enum record_type t);
/* A key of role `granter` may grant (and revoke) a key of role `r`, inside its own unit. */
bool role_may_grant(enum role granter, enum role r);
/* What the log says itself, under its own key. */
bool log_may_sign(enum record_type t);

#endif
