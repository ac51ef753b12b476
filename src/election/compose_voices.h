/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writing the texts of objections, notices, observations and host logs (spec/records.md, 6.12 to
 * 6.17). As compose.h: appended to *out, to be signed; an object whose size is UINT64_MAX is left out. */
#ifndef ELECTION_COMPOSE_VOICES_H
#define ELECTION_COMPOSE_VOICES_H

#include "election/compose.h"
#include "election/voices.h"

struct compose_objection {
    struct hash election;
    struct span contest;
    const char *ground;
    unsigned round;
    struct named_object reason;
    const struct named_object *evidence;
    size_t evidence_count;
    const struct span *units; /* codes, in any order, each once */
    size_t unit_count;
};
void compose_objection(struct buf *out, const struct compose_objection *o);

/* says "admitted" or "refused"; answer_by_ms UINT64_MAX: no answer is asked for */
void compose_admission(struct buf *out, const struct hash *election, const struct hash *objection,
                       const char *says, uint64_t answer_by_ms, struct named_object order,
                       struct named_object reason);
/* says "upheld", "partly", "dismissed" or "withdrawn" */
void compose_ruling(struct buf *out, const struct hash *election, const struct hash *objection,
                    const char *says, struct named_object order, struct named_object reason);

struct compose_notice {
    struct hash election;
    const struct hash *answers; /* NULL: none */
    struct span contest;        /* .n 0: none */
    const char *kind;
    struct span lang;
    struct named_object text;
};
void compose_notice(struct buf *out, const struct compose_notice *n);

struct compose_item {
    struct span name;
    uint8_t kind; /* enum observed_kind */
    uint64_t value;
};
struct compose_observation {
    struct hash election;
    struct span contest, station; /* contest.n 0: none */
    unsigned round;               /* with a contest */
    uint64_t at_ms;
    struct span key; /* name of the key that will sign */
    const struct compose_item *items; /* in any order, each once */
    size_t item_count;
    bool has_counts;
    uint64_t valid, rejected; /* ABSENT: left out */
    const struct span *choices;
    const uint64_t *votes; /* ABSENT: left out */
    size_t choice_count;
    struct named_object note;
};
void compose_observation(struct buf *out, const struct compose_observation *o);

struct compose_host_log {
    uint64_t from_ms, to_ms, size;
    struct span host;
    const char *kind;
    struct hash hash;
};
void compose_host_logs(struct buf *out, const struct hash *election,
                       const struct compose_host_log *rows, size_t n);

#endif
