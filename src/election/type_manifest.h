/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Parts of the definition that manifest and amend both carry. Private to election/. Each reads one
 * value of c->json and changes the state through the journal; errors are sticky in c->json. */
#ifndef ELECTION_TYPE_MANIFEST_H
#define ELECTION_TYPE_MANIFEST_H

#include "election/state.h"

enum { COMMISSIONERS_MAX = 50 };

void read_limits(struct ctx *c);
void read_quotas(struct ctx *c);
void read_policy(struct ctx *c);
void read_log_key(struct ctx *c);

#endif
