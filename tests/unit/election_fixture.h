/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A small election with everything in it: four levels, two counties, three constituencies, eight
 * stations (and a ninth from an amendment), four contests. All keys, ids and times are the same in
 * each run, so that the corpus in spec/ can be made from it.
 *
 * Like a real caller it accepts a record only when every signature that apply asks for holds. */
#ifndef TESTS_ELECTION_FIXTURE_H
#define TESTS_ELECTION_FIXTURE_H

#include "crypto/note.h"
#include "election/compose.h"
#include "election/fold.h"
#include "election/results.h"

enum { FX_KEYS = 128, FX_LABELS = 256, FX_OBJECTS = 256, FX_ENTRIES = 4096 };

/* A case is applied at this time; the base ends before it. */
#define FX_CASE_MS UINT64_C(4000000)
#define FX_OPENS   UINT64_C(1000000)
#define FX_CLOSES  UINT64_C(2000000)

struct fx_key {
    char name[160];
    struct note_signer signer;
    struct buf vkey;
};
struct fx_label {
    char name[40];
    struct hash id;
    uint64_t index;
};
struct fx_object {
    struct named_object ref;
    struct buf bytes;
};
/* Consensus objects that the cases name. */
struct fx_named {
    const char *name, *bytes;
};
extern const struct fx_named fx_named[];
/* Readings of forms, as JSON: ${r:NAME} in a pattern, ${seal:NONCE:NAME} its seal with the nonce
 * SHA-256(NONCE). */
extern const struct fx_named fx_readings[];

struct fx_entry {
    struct buf bytes;
};

struct fixture {
    struct fold *fold;
    uint64_t ms;
    bool batch; /* the caller has called fold_begin */
    struct fx_key *keys;
    size_t key_count;
    struct fx_label labels[FX_LABELS];
    size_t label_count;
    struct fx_object objects[FX_OBJECTS];
    size_t object_count;
    struct fx_entry *entries; /* accepted, in order */
    size_t entry_count;
    struct hash election;
    struct applied out; /* of the last apply */
    size_t verified;    /* signatures checked so far */
    struct fail fail;
};

/* An empty fold and no objects. */
struct fixture *fx_new(void);
void fx_free(struct fixture *x);
/* The base election: fails the test if anything is refused. */
struct fixture *fx_base(void);
/* Only its manifest and keys. */
struct fixture *fx_keys(void);

/* The key of this name, seeded by the name. */
struct fx_key *fx_key(struct fixture *x, const char *name);
struct span fx_vkey(struct fixture *x, const char *name);
struct hash fx_hash(const char *word);
/* An object with these bytes, known to the fold. */
struct named_object fx_object(struct fixture *x, struct span bytes);
err fx_get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out, struct fail *f);
const struct fx_label *fx_label(const struct fixture *x, const char *name);

/* Signs with the keys in `signers` ("a,b"; "a@b": a's key under the name b; "04:a": a cosignature
 * line) and appends the note. */
void fx_sign(struct fixture *x, const char *signers, struct span text, struct buf *note);
/* Fills in ${...}: e election; v:NAME verifier key ("a@b" as above); h:WORD SHA-256 of a word;
 * id:LABEL record id; o:WORD reference to an object of these bytes; O:NAME to one of fx_named;
 * wrong:NAME the same with another size; x:N:C character C, N times; line:SIGNER the line of a raw
 * note; fake:NAME a line of this key that does not hold; pad:N rectangles that make the text N bytes
 * long. ' stands for ", and "TYPE JSON" for the two lines of a record's text. */
void fx_expand(struct fixture *x, const char *pattern, struct buf *out);

/* The log's checkpoint note of its first `size` entries. `kind`: "good"; "key": another key signed it under the
 * log's name and id; "stranger": under the log's name;
 * "origin": another log's. In patterns: ${cp:KIND:SIZE} the reference, ${root:SIZE} the root,
 * ${n:SIZE} the number; SIZE is a number, "all", or "@LABEL": the entries before that record. */
void fx_checkpoint(struct fixture *x, const char *kind, uint64_t size, struct buf *out);

/* Applies a note at x->ms, checks all its signatures, remembers the entry. */
err fx_try(struct fixture *x, struct span note, struct fail *f);
/* text + signers -> fx_try. */
err fx_text(struct fixture *x, const char *signers, struct span text, struct fail *f);
/* The same from a pattern. */
err fx_say(struct fixture *x, const char *signers, const char *pattern);
/* fx_say that must succeed; the record gets a label (may be NULL). */
void fx_must(struct fixture *x, const char *label, const char *signers, const char *pattern);

struct fx_grant {
    const char *name, *role, *unit, *party, *contests, *by; /* contests "a,b" or NULL */
    uint64_t not_before, not_after;
    const char *holder; /* NULL: the name */
};
void fx_grant_text(struct fixture *x, const struct fx_grant *g, struct buf *text);
void fx_grant(struct fixture *x, const char *name, const char *role, const char *unit,
              const char *party, const char *by);

/* A result of the present round and definition: votes "12,34,-" in ballot order ("-" is blank), sum
 * as valid, 3 rejected. *r may be changed before fx_result_text. */
struct fx_result {
    struct compose_result r;
    struct span ids[MAX_CHOICES];
    uint64_t votes[MAX_CHOICES];
    struct hash form;
};
void fx_result_init(struct fixture *x, struct fx_result *r, const char *contest,
                    const char *station, const char *votes);
err fx_result(struct fixture *x, const char *label, const char *signers, const struct fx_result *r);
void fx_result_must(struct fixture *x, const char *label, const char *signers, const char *contest,
                    const char *station, const char *votes);
/* An image whose bytes are `word`, of the result with this label (NULL: of the station). */
err fx_image(struct fixture *x, const char *signers, const char *contest, const char *station,
             enum image_kind kind, const char *word, const char *result);

/* A seal and its opening, accepted. */
void fx_seal(struct fixture *x, const char *label, const char *who, const char *contest,
             const char *station, const char *image, const char *nonce, const char *reading);
void fx_open(struct fixture *x, const char *label, const char *who, const char *nonce,
             const char *reading, const char *seal);

/* The text of a manifest case, from the manifest of `base`. */
struct manifest_case;
void fx_manifest_case(struct fixture *x, const struct fixture *base, const struct manifest_case *c,
                      struct buf *text);

/* All results files and views as one text: equal text, equal state. */
void fx_dump(const struct fold *fold, struct buf *out);
/* The transmitted votes of a choice in a contest at a unit (row of the tally). */
uint64_t fx_votes(const struct fold *fold, const char *contest, unsigned round, const char *unit,
                  const char *choice);

#endif
