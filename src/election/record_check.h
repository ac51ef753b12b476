/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One record, checked from a log's public files without folding it: that it stands in the log, under a
 * checkpoint that the log has signed and witnesses have cosigned; that its signatures hold; and by whose
 * authority: each signer's key record, and its granters', up to the manifest's commissioners.
 *
 * What only the whole log shows is not asked here: whether a key was revoked or had used up its quota,
 * whether the record was admissible in the state it met (election/verification.h). */
#ifndef ELECTION_RECORD_CHECK_H
#define ELECTION_RECORD_CHECK_H

#include "election/identity.h"
#include "election/verification.h"

enum { RECORD_CHECK_GIVEN_MAX = 1 << 20 };

/* What the reader holds in hand. */
enum given_kind {
    GIVEN_NOTHING,
    GIVEN_RECEIPT, /* entry and proof */
    GIVEN_PROOF,   /* proof alone */
    GIVEN_NOTE     /* a signed note: a slip's QR code */
};

enum signer_state {
    SIGNER_HOLDS,
    SIGNER_FAILS,
    SIGNER_UNKNOWN /* its key record cannot be had */
};

struct checked_signer {
    char name[NOTE_NAME_MAX + 1];
    enum signer_state state;
    bool is_log;        /* the log's own key */
    enum role role;     /* ROLE_COUNT: of the log, or unknown */
    uint64_t key_index; /* of its key record (0: the manifest); UINT64_MAX: unknown, or the log's */
};

struct record_report {
    enum verdict verdict;
    err code; /* the first reason when not valid */
    char sentence[400];
    bool anchored;
    bool in_log;   /* the entry stands under the checkpoint */
    uint64_t size; /* of the checkpoint */
    struct hash root;
    uint64_t index, ms;
    enum record_type type; /* REC_COUNT: not read */
    struct hash id;
    size_t witnesses, witnessed_by;
    bool quorum; /* the policy's quorum has cosigned */
    struct buf entry;
    struct span json; /* the record's, in `entry` */
    size_t signer_count;
    struct checked_signer signers[NOTE_LINES_MAX];
    size_t keys; /* key records checked on the way */
    enum given_kind given;
    bool given_holds;      /* its proof holds by itself, under a checkpoint that the log has signed */
    uint64_t given_size;   /* of that checkpoint */
    bool given_quorum;     /* which a quorum has cosigned */
    bool given_consistent; /* the log as it is now begins with that one, and has the same entry there */
};

struct record_check_options {
    const struct anchor *anchor; /* NULL: the log's own word for its key; borrowed */
    struct span policy;          /* the reader's own; or empty */
    struct span given;           /* a file's bytes, or empty */
    uint64_t index;              /* when nothing is given */
};

/* Where key records are: keys/HH, HH the first byte of SHA-256(name), has a line "INDEX NAME" for each
 * key that was granted. A server that has no such files, or a newer key, is asked for proofs/key/NAME,
 * which gives a receipt. Either way only the index is taken: the entry there says whose key it is. */
enum { KEY_FILES = 256, KEY_FILE_PATH_MAX = 16, KEY_FILE_MAX = 64 << 20 };
uint8_t key_file_of(struct span name);
void key_file_path(uint8_t file, char out[KEY_FILE_PATH_MAX]);
/* The entry that a file of keys names for this one; false: it names none. */
bool key_file_find(struct span file, struct span name, uint64_t *index);

/* Checks one record, by its index or as a file that the reader holds.
 * Clears *r first (zeroed, or used before). E_AGAIN as `get` said it: then everything is to be called
 * again. Otherwise OK, with a verdict, or our own failure. */
MUST_USE err record_check(tile_get *get, void *ctx, const struct record_check_options *o,
                          struct record_report *r, struct fail *f);
void record_report_release(struct record_report *r);

/* Appends the report as one JSON object (docs/verifying.md). */
MUST_USE err record_check_json(const struct record_report *r, struct buf *out, struct fail *f);

#endif
