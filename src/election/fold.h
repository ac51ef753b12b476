/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The fold: state = fold(apply, records).
 *
 * apply accepts the next entry of the log or refuses it with a stable code. Daemon, mirror, auditor
 * and browser run the same fold. Everything anyone may ask of an election is a pure function of this
 * state: definition.h (what is elected), station.h (what each station said), tally.h, findings.h.
 *
 * Signatures: apply does not verify; it returns the list of signatures that must hold, each with the
 * key that the state names for it, so that callers verify on as many cores as they have. An entry
 * counts as accepted only if all of them hold.
 *
 * Not thread-safe: one writer, or readers only. */
#ifndef ELECTION_FOLD_H
#define ELECTION_FOLD_H

#include "election/record.h"

struct fold;

/* Where apply finds consensus objects (units, contests). Bytes stay valid during the call only. */
struct object_source {
    /* E_OBJECT_MISSING when it is not there. */
    err (*get)(void *ctx, const struct hash *id, uint64_t size, struct span *out, struct fail *f);
    void *ctx;
};

struct fold_options {
    size_t memory_cap; /* bytes of state; 0 means 8 GiB */
    struct object_source objects;
};

MUST_USE err fold_new(const struct fold_options *o, struct fold **out, struct fail *f);
void fold_free(struct fold *fold);
/* The key of the tables inside (0 without this call), before the first record. Nothing that can be seen
 * depends on it, only how long a log takes whose names and hashes were chosen to be slow: so it is one
 * that their authors could not know. Random where records come in; where a finished log is read, its
 * root: whoever changes a record changes it. */
void fold_set_hash_key(struct fold *fold, const uint8_t key[16]);

/* A signature that must hold for the record to be accepted. */
struct sig_check {
    const uint8_t *pub; /* 32 bytes; stays valid as long as the fold (or the entry's bytes) */
    uint8_t sig[64];
    struct span message; /* borrowed from the entry; .p NULL: the text of entry number `of` */
    uint64_t of;
    uint8_t line; /* which signature line of the note (or element of `lines`) */
};

enum { APPLIED_MAX_CHECKS = 101, APPLIED_MAX_OBJECTS = 260 };

/* What apply found out. */
struct applied {
    uint64_t index; /* the entry's; for E_DUPLICATE the index of the one that is logged */
    enum record_type type;
    struct hash id;
    struct span signer;  /* name of the key that answers for the record; borrowed from the note */
    bool signer_known;   /* the key is in the state (false: `signer` is only what the note claims) */
    uint32_t station;    /* unit that the record is about (mostly a station), or UINT32_MAX */
    uint32_t contest;    /* likewise */
    size_t object_count; /* objects that the record names; whoever appends it has them durably */
    struct {
        struct named_object ref;
        bool restricted; /* not for the public: originals of forms, people's words */
    } objects[APPLIED_MAX_OBJECTS];
    size_t check_count;
    struct sig_check checks[APPLIED_MAX_CHECKS];
};

/* Applies the entry with index fold_size(fold). On refusal the state is unchanged. `out` is filled as
 * far as it was understood. */
MUST_USE err fold_apply(struct fold *fold, struct span entry, struct applied *out, struct fail *f);

/* Passes over an entry that apply refused, so that a verifier can go on and say what else is wrong:
 * it counts as an entry and says nothing. */
MUST_USE err fold_skip(struct fold *fold, struct fail *f);

/* The sequencer's door: what fold_apply would say to this note at time ms, plus deduplication. The
 * entry's bytes are put in *entry (cleared first; must outlive the checks). OK: it is applied.
 * E_DUPLICATE: out->index is the first one's, and out->checks lists the lines, which must all hold
 * before the duplicate is answered. */
MUST_USE err fold_admit(struct fold *fold, struct span note, uint64_t ms, struct buf *entry,
                        struct applied *out, struct fail *f);

/* After E_DUPLICATE: appends to *text the text of a `signatures` record with those lines of the note
 * that the log lacks and that may stand under the record. Nothing is appended when there are none. */
MUST_USE err fold_extra(struct fold *fold, struct span note, struct buf *text, struct fail *f);

/* Batches: everything applied since fold_begin is kept by fold_commit or taken back by
 * fold_rollback. Outside a batch each apply stands by itself. */
void fold_begin(struct fold *fold);
void fold_commit(struct fold *fold);
void fold_rollback(struct fold *fold);
/* Inside a batch: a place to go back to (one record whose signatures turned out not to hold). */
size_t fold_mark(const struct fold *fold);
void fold_back(struct fold *fold, size_t mark);

uint64_t fold_size(const struct fold *fold);    /* entries applied */
uint64_t fold_last_ms(const struct fold *fold); /* of the last entry; 0 before the first */
uint64_t fold_last_incident_ms(const struct fold *fold); /* of the last incident record; 0: none */
uint64_t fold_count(const struct fold *fold, enum record_type type);
size_t fold_memory(const struct fold *fold); /* bytes of state */
/* Index of the record with this id, or UINT64_MAX. */
uint64_t fold_find(const struct fold *fold, const struct hash *id);
/* The id of entry number i < fold_size. */
struct hash fold_id(const struct fold *fold, uint64_t i);
/* The election's id: the manifest's. False before the first record. */
bool fold_election(const struct fold *fold, struct hash *out);

/* A key as the state knows it. Spans are borrowed from the fold. */
struct key_view {
    struct span name;
    const uint8_t *pub; /* 32 bytes */
    unsigned role;      /* enum role */
    uint32_t unit;
    struct span party;
    uint64_t granted_at;           /* index of its key record (0: the manifest) */
    uint64_t revoked_at;           /* index of its revocation, UINT64_MAX if none */
    uint64_t suspect_since_ms;     /* UINT64_MAX if none */
    uint64_t not_before_ms, not_after_ms;
    bool acting;
};
/* False if no key of this name is known. */
bool fold_key(const struct fold *fold, struct span name, struct key_view *out);
size_t fold_key_count(const struct fold *fold);
void fold_key_at(const struct fold *fold, size_t i, struct key_view *out);

#endif
