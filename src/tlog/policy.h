/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Witness policies (C2SP tlog-policy; spec/log.md, section 6): which logs are trusted and which
 * witnesses must have cosigned. Lines "log VKEY [URL]", "witness NAME VKEY [URL]", "group NAME
 * any|all|K MEMBER...", and exactly one "quorum NAME|none".
 *
 * Defined before used; a name is a member once; public keys do not repeat. */
#ifndef TLOG_POLICY_H
#define TLOG_POLICY_H

#include "base/arena.h"
#include "tlog/cosignature.h"

enum {
    POLICY_BYTES_MAX = 256 * 1024,
    POLICY_LOGS_MAX = 256,
    POLICY_WITNESSES_MAX = 256,
    POLICY_GROUPS_MAX = 256
};

struct policy_log {
    struct span vkey;
    struct note_key key; /* type 01; known = false for other types, which then never match */
    struct span url;     /* empty when the line has none */
};
struct policy_witness {
    struct span name; /* in the policy; the key has its own */
    struct span vkey;
    struct note_key key; /* type 04; known = false for types that this project does not verify */
    struct span url;
};
struct policy_member {
    bool is_group;
    uint32_t index; /* in witnesses or groups */
};
struct policy_group {
    struct span name;
    uint32_t threshold; /* 1..count */
    uint32_t count;
    const struct policy_member *members;
};
/* Everything borrows from the text or lives in the arena. */
struct policy {
    struct policy_log *logs;
    struct policy_witness *witnesses;
    struct policy_group *groups;
    size_t log_count, witness_count, group_count;
    bool has_quorum;             /* false for "quorum none" */
    struct policy_member quorum; /* when has_quorum */
};

/* E_POLICY with the line's number. */
MUST_USE err policy_parse(struct span text, struct arena *a, struct policy *out, struct fail *f);
/* The log with this origin (its key's name), or NULL. */
const struct policy_log *policy_log(const struct policy *p, struct span origin);
/* Whether the quorum is met when witness i has cosigned where signed_by[i]; always so for none. */
bool policy_is_met(const struct policy *p, const bool *signed_by);
/* Verifies a checkpoint's cosignatures by the policy's witnesses into out[witness_count] and
 * demands the quorum: E_QUORUM, E_SIGNATURE. */
MUST_USE err policy_check(const struct policy *p, struct span body, const struct note_line *lines,
                          size_t n, struct cosignature *out, struct fail *f);

/* The smallest k for which any two quorums of k among n witnesses share an honest one while at most
 * f lie: floor((n + f) / 2) + 1. Larger than n when there is none. */
static inline uint32_t policy_safe_threshold(uint32_t n, uint32_t liars) {
    return (uint32_t)(((uint64_t)n + liars) / 2 + 1);
}
/* The largest number of lying witnesses under which a flat k-of-n cannot certify two contradicting
 * logs; -1 when even honest witnesses can be split (2k <= n). */
int32_t policy_tolerated_liars(uint32_t k, uint32_t n);

#endif
