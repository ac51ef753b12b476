/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the compose functions of all record types share. Private to election/. */
#ifndef ELECTION_COMPOSE_IMPL_H
#define ELECTION_COMPOSE_IMPL_H

#include "base/json_out.h"
#include "election/compose.h"

/* The first line, and the second one's opening brace. */
struct json_out compose_begin(struct buf *out, enum record_type t);
void compose_end(struct json_out *j);
void compose_election(struct json_out *j, const struct hash *id);
/* {"sha256":...,"size":...}; with a key, unless size is UINT64_MAX. */
void compose_object(struct json_out *j, struct named_object r);
void compose_object_if(struct json_out *j, const char *key, struct named_object r);
/* Left out when it is ABSENT. */
void compose_figure(struct json_out *j, const char *key, uint64_t v);
/* Figures by choice, in bytewise order of the ids. */
void compose_votes(struct json_out *j, const struct span *choices, const uint64_t *figures, size_t count);

#endif
