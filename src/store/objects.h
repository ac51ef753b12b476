/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The object store: large things named by the SHA-256 of their bytes, in folders.
 *
 * Two classes that never mix on disk: public ones in PUBLIC/objects/<hex>, a part of the published
 * tree, and restricted ones in PRIVATE/restricted/<hex>, never below it. Uploads wait, durable but
 * unpublished, in PRIVATE/pending/ until a record that names them is appended (objects_keep) or
 * they expire; what a key has pending is limited. Names say everything, so that a scan of the
 * folders at start rebuilds the accounting. Thread-safe. */
#ifndef STORE_OBJECTS_H
#define STORE_OBJECTS_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"

enum object_class { OBJECT_PUBLIC, OBJECT_RESTRICTED };

/* The largest object that a log's server takes, where its options do not say otherwise; nothing larger is
 * made for one either. */
enum { OBJECT_BYTES_MAX = 32 << 20 };

struct objects_options {
    const char *public_dir;       /* the published tree; objects/ is made in it */
    const char *private_dir;      /* outside the published tree */
    uint64_t max_object;          /* bytes of one object */
    uint64_t max_pending_per_key; /* bytes that one key may have pending, open uploads included */
    uint64_t max_pending;         /* bytes pending altogether */
    uint32_t max_pending_count;   /* objects pending altogether, open uploads included */
};

struct objects_usage {
    uint64_t pending_count, pending_bytes; /* durable, not yet named by a record */
    uint64_t open_count, open_bytes;       /* uploads being received: reserved bytes */
};

struct objects;
struct object_put;

/* Makes the folders, removes what unfinished uploads left, and scans pending/. E_CONFIG when the
 * private folder lies in the public one. E_LOCKED when another process has it open. `o` is copied.
 * The caller owns *out: objects_close. */
MUST_USE err objects_open(const struct objects_options *o, struct objects **out, struct fail *f);
void objects_close(struct objects *o);

/* --- uploading --- */

/* Begins an upload of `size` bytes whose hash shall be `id`, charged to `key` (the name of the key
 * that asks) while it is pending. *out is NULL when the object is there already (kept, or pending:
 * then its time is renewed to now_ms): nothing more to do. E_TOO_LARGE past max_object, E_QUOTA
 * past what the key may have pending, E_BUSY past the total. The caller ends *out by commit or
 * abort. */
MUST_USE err objects_put_begin(struct objects *o, enum object_class class, const struct hash *id,
                               uint64_t size, const char *key, uint64_t now_ms,
                               struct object_put **out, struct fail *f);
/* The next bytes. E_OBJECT past the announced size; after an error only abort remains. */
MUST_USE err objects_put_write(struct object_put *p, struct span bytes, struct fail *f);
/* Checks size and hash (E_OBJECT) and makes the object durable and pending. Calls of several
 * threads share one sync of the file system. Ends *p in every case. */
MUST_USE err objects_put_commit(struct object_put *p, struct fail *f);
void objects_put_abort(struct object_put *p);

/* Many small objects at once, charged to nobody, kept at once (import, simulation, tests): one sync
 * for all. ids[i] gets the hash of bytes[i] unless `ids` is NULL. Those there already are passed
 * over. */
MUST_USE err objects_add_many(struct objects *o, enum object_class class, const struct span *bytes,
                              size_t count, struct hash *ids, struct fail *f);

/* --- when records are appended --- */

struct object_ref {
    enum object_class class;
    struct hash id;
};

/* Durable: kept, or pending. The sequencer asks before it appends a record that names the object.
 */
bool objects_has(struct objects *o, enum object_class class, const struct hash *id, uint64_t *size);

/* Moves pending objects to where they stay, and publishes the public ones; one sync of folders for
 * all. To be called after the append; again at replay (those kept already are passed over).
 * E_OBJECT_MISSING when one is nowhere; the others are kept all the same. */
MUST_USE err objects_keep(struct objects *o, const struct object_ref *refs, size_t count,
                          struct fail *f);

/* Removes pending objects last asked for before `older_than_ms`; *removed gets their number. At
 * start only after the replay has kept what the log names. */
MUST_USE err objects_expire(struct objects *o, uint64_t older_than_ms, uint64_t *removed,
                            struct fail *f);

/* --- reading --- */

/* A read-only file descriptor of a kept object; pending ones are not readable. E_NOT_FOUND. The
 * caller closes *fd. */
MUST_USE err objects_open_read(struct objects *o, enum object_class class, const struct hash *id,
                               int *fd, uint64_t *size, struct fail *f);
/* Appends a kept or pending object's bytes, with its hash checked (E_OBJECT): what the fold reads.
 */
MUST_USE err objects_read(struct objects *o, enum object_class class, const struct hash *id,
                          size_t max, struct buf *out, struct fail *f);
/* Where a kept object lies, for messages and file servers. */
MUST_USE err objects_path(const struct objects *o, enum object_class class, const struct hash *id,
                          char *out, size_t max, struct fail *f);

struct objects_usage objects_usage(struct objects *o);
/* Bytes that one key has pending, open uploads included. */
uint64_t objects_key_bytes(struct objects *o, const char *key);

/* --- bit rot --- */

/* Hashes every kept object of a class again. Called for each one that is not what its name says,
 * with E_OBJECT or E_IO; `done` counts all. The visitor may be NULL. */
typedef void objects_visit_bad(void *ctx, const struct hash *id, err code, const char *sentence);
MUST_USE err objects_check(struct objects *o, enum object_class class, objects_visit_bad *bad,
                           void *ctx, uint64_t *done, uint64_t *bad_count, struct fail *f);
/* One object. OK, E_NOT_FOUND, E_OBJECT, E_IO. */
MUST_USE err objects_check_one(struct objects *o, enum object_class class, const struct hash *id,
                               struct fail *f);

#endif
