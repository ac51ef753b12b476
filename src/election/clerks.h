/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How the people at the tally desk work, from the log alone: how fast, how often wrong, how often they
 * let a seal lapse, and how often two of them share a mistake. A count is not an accusation: easy forms
 * are read alike by everybody, hard ones are misread alike. */
#ifndef ELECTION_CLERKS_H
#define ELECTION_CLERKS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "election/desk.h"

struct clerk {
    uint32_t key;       /* fold_key_at */
    bool machine;
    uint64_t sealed, opened, lapsed, waiting;
    uint64_t agreed;    /* of those opened: equal to the figures that were settled on */
    uint64_t overruled; /* different from them */
    uint64_t fields_wrong;
    uint64_t not_blind; /* sealed when somebody's reading of the form was public already */
    uint64_t median_ms; /* from the form's image to the seal */
    uint64_t close;     /* sealed within CLERKS_CLOSE_MS of a partner's seal of the same form */
    uint64_t shared_errors; /* fields wrong in which a partner has the very same wrong figure */
    uint32_t partner;   /* with whom most of them are shared; UINT32_MAX: nobody */
    uint64_t partner_errors;
};
enum { CLERKS_CLOSE_MS = 10000 };

struct clerks_report {
    struct clerk *items; /* in the order of the keys; those who sealed something */
    size_t n;
    uint64_t forms, read, agreed, third, disagree, lapsed; /* cells with an image; with enough readings; ... */
};

/* Everything in the arena. Settled on: what a decision adopted, else the agreed reading. */
MUST_USE err clerks_compute(const struct fold *fold, uint64_t now_ms, struct arena *a,
                            struct clerks_report *out, struct fail *f);
/* {"forms",...,"clerks":[...]} and a line feed. */
void clerks_json(const struct fold *fold, const struct clerks_report *r, struct buf *out);

#endif
