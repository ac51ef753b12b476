/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writing the texts of an audit's records (spec/records.md, "audit-plan" to "audit-close"). As compose.h:
 * appended to *out, to be signed. */
#ifndef ELECTION_COMPOSE_AUDIT_H
#define ELECTION_COMPOSE_AUDIT_H

#include "election/audits.h"
#include "election/compose.h"

struct compose_claim {
    enum audit_claim claim;
    struct span winner, loser; /* loser of `beats` only */
    uint32_t p, q;             /* of the others */
    struct span unit;          /* .n 0: the whole contest */
};
struct compose_audit_plan {
    struct hash election;
    struct span contest;
    unsigned round;
    uint32_t limit_ppm;
    enum audit_bound bound;
    const struct compose_claim *claims;
    size_t claim_count;
    struct named_object manifest, authority, compliance;
    const struct hash *sample; /* NULL: own dice */
    uint32_t spare;            /* 0: left out */
};
void compose_audit_plan(struct buf *out, const struct compose_audit_plan *p);
void compose_audit_seed(struct buf *out, const struct hash *election, const struct hash *plan,
                        struct span digits, struct named_object draws, uint64_t size, uint64_t thrown_ms);
void compose_audit_round(struct buf *out, const struct hash *election, const struct hash *plan, uint64_t size);
void compose_audit_seal(struct buf *out, const struct hash *election, const struct hash *plan,
                        struct span station, const struct hash *seal, bool targeted);
/* The canonical JSON of a hand count: "lost", or a figure for every choice. rejected ABSENT: left out */
void compose_audit_counts(struct buf *out, bool lost, uint64_t rejected, const struct span *choices,
                          const uint64_t *votes, size_t n);
void compose_audit_open(struct buf *out, const struct hash *election, const struct hash *of,
                        const uint8_t nonce[32], struct span counts);
/* reason.size UINT64_MAX: none */
void compose_audit_close(struct buf *out, const struct hash *election, const struct hash *plan,
                         enum audit_end says, struct named_object reason, struct named_object transcript);

#endif
