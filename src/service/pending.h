/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Records deposited with a mirror because their log would not take them: kept durably, published with
 * the time of deposit, forwarded until the log has them. So a refusal or silence of the log leaves a
 * trace that it does not control.
 *
 * DIR/pending/<id>.note is the signed record, <id>.ack the acknowledgement, index.json the list. */
#ifndef SERVICE_PENDING_H
#define SERVICE_PENDING_H

#include "service/fetch.h"
#include "service/keyring.h"

enum { PENDING_RECORDS_MAX = 10000, PENDING_ACK_MAX = 2048 };

struct pending;

struct pending_options {
    const char *dir;               /* the mirror's copy; pending/ is made in it */
    struct span origin;            /* of the log; borrowed */
    const struct note_signer *key; /* type 01, signs acknowledgements; NULL: they bear no signature */
    struct keyring *keys;          /* whose signatures are taken; borrowed */
    uint64_t forward_every_ms;     /* of each record; 0: 30,000 */
};

/* Reads what is there. E_DAMAGED when an acknowledgement is not one. */
MUST_USE err pending_open(const struct pending_options *o, struct pending **out, struct fail *f);
void pending_close(struct pending *p);

/* Takes a record that a key of the log has signed: durable when this returns. Appends the
 * acknowledgement, that of the first deposit when there was one:
 *   hesabu/deposit/v1 \n log ORIGIN \n record <id> \n received <unix ms> \n [signature of the mirror]
 * Errors of submission_new; E_BUSY when the mirror is full. Thread-safe. */
MUST_USE err pending_add(struct pending *p, struct span note, uint64_t now_ms, struct buf *ack,
                         struct fail *f);
size_t pending_count(struct pending *p);

/* Whether the verified copy has the record. */
typedef bool pending_is_logged(void *ctx, const struct hash *id);
/* Forwards what is due, removes what the copy has and the log has acknowledged, and lists the rest in
 * index.json. One thread. Failures to reach the log are no error. */
MUST_USE err pending_step(struct pending *p, struct fetcher *fetch, pending_is_logged *logged,
                          void *ctx, uint64_t now_ms, struct fail *f);

/* An acknowledgement's contents, whoever signed it. E_DAMAGED. */
MUST_USE err pending_ack_parse(struct span bytes, struct hash *id, uint64_t *received_ms,
                               struct fail *f);

#endif
