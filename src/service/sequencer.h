/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The sequencer: one thread that turns submissions into entries of the log.
 *
 * A batch: apply on the fold's overlay -> one durable commit (entries and checkpoint body) -> sign ->
 * roll-back guard -> receipts. After any doubt about a commit nothing more is signed: the daemon
 * stops and replays at its next start (design: data flow; log-formats: durability and order). */
#ifndef SERVICE_SEQUENCER_H
#define SERVICE_SEQUENCER_H

#include "crypto/note.h"
#include "election/fold.h"
#include "service/incidents.h"
#include "service/submission.h"
#include "store/objects.h"
#include "store/store.h"
#include "tlog/merkle.h"

struct sequencer;

struct sequencer_options {
    const char *dir;                /* the election's folder: public/ and private/ are in it */
    const char *guard_path;         /* NULL: private/guard */
    const char *store;              /* where the records are (store/place.h); NULL: what dir says */
    bool take_over;                 /* of a database that another daemon holds */
    const struct note_signer *log;  /* borrowed; its name is the origin */
    size_t queue_max;               /* 0: 4096 submissions */
    size_t batch_max;               /* 0: 1024 entries */
    uint64_t max_object;            /* bytes of one object; 0: OBJECT_BYTES_MAX */
    uint64_t max_pending_per_key;   /* 0: 64 MiB */
    uint64_t incident_every_ms;     /* 0: 600,000; the log admits no more */
    bool apply_nothing;             /* benchmarks only: sequence whatever comes, without rules */
    /* Called by the sequencer's thread after each commit; must not block for long. */
    void (*committed)(void *ctx, uint64_t size);
    /* Called once when the sequencer had to stop (the store failed): stop the daemon. */
    void (*failed)(void *ctx, const struct fail *f);
    void *ctx;
    /* Tests: called at the steps "committed" "signed" "guarded" "answered" of each batch, to end the
     * process there. NULL in production. */
    void (*reached)(const char *step);
};

/* Opens (or makes) the folder's store, guard and objects, replays the log and checks it against the
 * guard. Nothing is sequenced before sequencer_start. E_LOCKED, E_ROLLBACK, E_DAMAGED, E_IO. */
MUST_USE err sequencer_open(const struct sequencer_options *o, struct sequencer **out,
                            struct fail *f);
/* Takes the term and starts the thread. Until then submissions are answered E_UNCONFIRMED. */
MUST_USE err sequencer_start(struct sequencer *q, struct fail *f);
/* Finishes what is queued, writes waiting incidents, stops. */
void sequencer_stop(struct sequencer *q);
void sequencer_close(struct sequencer *q);

/* Hands over *s: `done` is called later, or (E_BUSY: the queue is full, E_UNCONFIRMED, E_IO after a
 * failure) the caller keeps it. */
MUST_USE err sequencer_submit(struct sequencer *q, struct submission *s, struct fail *f);
/* Something was refused before it came to the queue. */
void sequencer_refused(struct sequencer *q, const struct submission *s, err code);

/* While paused (witnesses say that the clock is wrong) submissions are answered E_CLOCK. */
void sequencer_pause(struct sequencer *q, bool paused);

struct keyring *sequencer_keys(struct sequencer *q);
struct objects *sequencer_objects(struct sequencer *q);
struct incidents *sequencer_incidents(struct sequencer *q);
/* The tree may be read at committed sizes by any thread. */
const struct merkle_tree *sequencer_tree(const struct sequencer *q);
uint64_t sequencer_size(struct sequencer *q); /* committed */
size_t sequencer_queued(struct sequencer *q);
/* Whether what is submitted now will be sequenced: the log is open and confirmed, its clock right, its
 * store answers. If not, *why (a constant sentence) says why. */
bool sequencer_is_up(struct sequencer *q, const char **why);
struct span sequencer_origin(const struct sequencer *q);
/* The log's verifier key, in text. */
void sequencer_log_vkey(const struct sequencer *q, struct buf *out);

/* The newest signed checkpoint (a note without cosignatures); empty before the first entry. */
MUST_USE err sequencer_checkpoint(struct sequencer *q, uint64_t *size, struct buf *out,
                                  struct fail *f);
/* The committed fold, for reading: the sequencer waits meanwhile, so be quick. */
const struct fold *sequencer_fold_lock(struct sequencer *q);
void sequencer_fold_unlock(struct sequencer *q);
/* A reader of entries for one thread. */
MUST_USE err sequencer_reader(struct sequencer *q, struct store_reader **out, struct fail *f);

/* Receipt of an entry that is in the log: the entry and its proof under the newest checkpoint. */
MUST_USE err sequencer_receipt(struct sequencer *q, struct store_reader *r, uint64_t index,
                               struct buf *out, struct fail *f);
/* The same under another signed checkpoint of this log, of `size` > index. */
MUST_USE err sequencer_receipt_under(struct sequencer *q, struct store_reader *r, uint64_t index,
                                     struct span checkpoint, uint64_t size, struct buf *out,
                                     struct fail *f);
/* Index of the record with this id, or UINT64_MAX. */
uint64_t sequencer_find(struct sequencer *q, const struct hash *id);

/* Stations about which something was appended since the last call (contest, station), for the
 * publisher; at most max; *more when there are more, which must then be asked for. */
struct touched {
    uint32_t contest, station;
};
size_t sequencer_touched(struct sequencer *q, struct touched *out, size_t max);

#endif
