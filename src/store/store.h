/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The record store: opaque entries in index order, append-only, and the head that they add up to.
 *
 * An interface with one implementation a database: sqlite.h for one machine, postgres.h for several;
 * place.h opens the one that an election's folder names. It holds the
 * records and what cannot be recomputed from them: the unsigned checkpoint body of the last commit,
 * signed and witnessed checkpoints, a few counters.
 *
 * One thread writes (the sequencer). Other threads read, each through its own reader. Writes are
 * fenced by a term in the head row: whoever sequences takes the next term first, and an append
 * under an older one is refused, so that two sequencers never extend one log.
 *
 * Errors. E_FENCED and wrong arguments leave the store as it was, usable. After any other error of
 * a write the outcome is unknown: the handle is failed, refuses everything that follows, and the
 * caller discards its fold, closes, opens again and replays. An append that returned OK is durable.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"

enum {
    STORE_ENTRY_MAX = 65535,      /* bytes of an entry (entry bundles have a 16-bit length) */
    STORE_BATCH_MAX = 65536,      /* entries of one append */
    STORE_BODY_MAX = 4096,        /* bytes of a checkpoint body */
    STORE_NOTE_MAX = 1024 * 1024, /* bytes of a signed or witnessed checkpoint */
    STORE_KEY_MAX = 200,          /* bytes of a meta key */
    STORE_VALUE_MAX = 1024 * 1024 /* bytes of a meta value */
};

struct store;
struct store_reader;

struct store_head {
    uint64_t size; /* entries committed */
    uint64_t term; /* the last term taken; 0 before the first */
    struct hash root;
    size_t body_n; /* 0 as long as nothing was appended */
    uint8_t body[STORE_BODY_MAX];
};

enum store_note {
    STORE_SIGNED = 1,    /* checkpoints signed by the log: only the newest is kept */
    STORE_WITNESSED = 2, /* checkpoints with their cosignatures: every published one is kept */
};

/* A row beside the entries. `note` != 0: the checkpoint of `size`; otherwise meta `key`. A value
 * with .p == NULL removes a meta row. Everything is borrowed for the call. */
struct store_row {
    enum store_note note;
    uint64_t size;
    const char *key;
    struct span value;
};

/* One transaction. Everything is borrowed for the call. */
struct store_batch {
    uint64_t term;  /* from store_take_term */
    uint64_t first; /* index of entries[0]: the size that the caller believes is stored */
    const struct span *entries;
    size_t count;                 /* 0: only rows are written, root and body are left alone */
    struct hash root;             /* of the tree of first + count entries */
    struct span body;             /* checkpoint body of that tree, unsigned */
    const struct store_row *rows; /* written in the same transaction */
    size_t row_count;
};

/* The last commit. */
MUST_USE err store_head(struct store *s, struct store_head *out, struct fail *f);

/* Begins a new term, durably; from then on appends of older terms are refused. */
MUST_USE err store_take_term(struct store *s, uint64_t *term, struct fail *f);

/* All of the batch durably, or nothing. E_FENCED when the stored size is not b->first or the stored
 * term is not b->term: nothing was written, another sequencer did; the caller replays. */
MUST_USE err store_append(struct store *s, const struct store_batch *b, struct fail *f);

/* An earlier write failed with an unknown outcome: close, open, replay. */
bool store_failed(const struct store *s);

/* Rows: E_NOT_FOUND when there is none. *out is appended to. For the writing thread; other threads
 * use a reader. */
MUST_USE err store_note_get(struct store *s, enum store_note note, uint64_t size, struct buf *out,
                            struct fail *f);
/* The one of the largest size; *size gets it. */
MUST_USE err store_note_latest(struct store *s, enum store_note note, uint64_t *size,
                               struct buf *out, struct fail *f);
MUST_USE err store_meta_get(struct store *s, const char *key, struct buf *out, struct fail *f);

/* Releases everything; readers must have been closed before. NULL is fine. */
void store_close(struct store *s);

/* A reader for one thread; sees every append that was committed before each call. The caller closes
 * it before the store. */
MUST_USE err store_reader_open(struct store *s, struct store_reader **out, struct fail *f);
void store_reader_close(struct store_reader *r);

/* Called with each entry in index order; `entry` is valid during the call. Anything but OK stops
 * the reading and is handed on with the sentence in *f. */
typedef err store_visit(void *ctx, uint64_t index, struct span entry, struct fail *f);

/* Entries first..first+count-1 in order. E_RANGE when some are past the stored size, E_DAMAGED when
 * one is missing in between. One consistent view for the whole call; a long call delays the
 * recycling of the database's log, so read in parts of some thousands while the sequencer runs. */
MUST_USE err store_read(struct store_reader *r, uint64_t first, uint64_t count, store_visit *visit,
                        void *ctx, struct fail *f);

/* One entry, appended to *out. E_RANGE past the stored size. */
MUST_USE err store_entry(struct store_reader *r, uint64_t index, struct buf *out, struct fail *f);

/* The last commit as this reader sees it. */
MUST_USE err store_reader_head(struct store_reader *r, struct store_head *out, struct fail *f);

/* --- for implementations ------------------------------------------------------------------------
 */

/* Arguments have been checked against the bounds above. A write that returns anything but OK or
 * E_FENCED fails the handle. */
struct store_ops {
    err (*head)(struct store *s, struct store_head *out, struct fail *f);
    err (*take_term)(struct store *s, uint64_t *term, struct fail *f);
    err (*append)(struct store *s, const struct store_batch *b, struct fail *f);
    err (*note)(struct store *s, enum store_note note, uint64_t *size, bool latest, struct buf *out,
                struct fail *f);
    err (*meta)(struct store *s, const char *key, struct buf *out, struct fail *f);
    void (*close)(struct store *s);
    err (*reader_open)(struct store *s, struct store_reader **out, struct fail *f);
    void (*reader_close)(struct store_reader *r);
    err (*read)(struct store_reader *r, uint64_t first, uint64_t count, store_visit *visit,
                void *ctx, struct fail *f);
    err (*reader_head)(struct store_reader *r, struct store_head *out, struct fail *f);
};

/* Implementations begin their own structs with these. */
struct store {
    const struct store_ops *ops;
    bool failed;
};
struct store_reader {
    const struct store_ops *ops;
};

/* Holds DIR/lock until *fd is closed: E_LOCKED, naming the folder, when another process has it. */
MUST_USE err store_lock_folder(const char *dir, int *fd, struct fail *f);

#endif
