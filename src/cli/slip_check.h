/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The signed result on an officer's slip, held against an election's log. */
#ifndef CLI_SLIP_CHECK_H
#define CLI_SLIP_CHECK_H

#include "base/json_out.h"
#include "service/tree_log.h"

enum slip_verdict {
    SLIP_IN_LOG,     /* properly signed, and the log has it */
    SLIP_NOT_IN_LOG, /* properly signed and admissible, but the log (at this checkpoint) lacks it */
    SLIP_INVALID     /* code and reason say why */
};

struct slip_check {
    enum slip_verdict verdict;
    err code; /* OK unless SLIP_INVALID */
    char reason[400];
    struct hash id;
    uint64_t entry;               /* in the log; UINT64_MAX */
    struct span signer;           /* borrowed from the note */
    unsigned role;                /* enum role of that key */
    struct span contest, station; /* as the record spells them; for showing */
};

/* Verifies every signature line with the keys that the log knows, the election, and what the log
 * would say to the record. The fold is left as it was. Errors are our own failures only. */
MUST_USE err slip_check(const struct tree_log *log, struct span note, struct slip_check *out,
                        struct fail *f);
/* As one JSON object. */
void slip_check_json(const struct tree_log *log, const struct slip_check *s, struct json_out *j);

/* The note with one signature line: that of `signer`, or the only one there is. E_NOT_FOUND. */
MUST_USE err slip_one_line(struct span note, const char *signer, struct buf *out, struct fail *f);

#endif
