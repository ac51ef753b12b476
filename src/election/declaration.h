/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Declarations: who the law names says what the outcome of a contest is, bound to a checkpoint that
 * witnesses have cosigned; an override that lists what was still open; each commissioner's word
 * beside it (spec/records.md, 6.13 to 6.15). */
#ifndef ELECTION_DECLARATION_H
#define ELECTION_DECLARATION_H

#include "election/collation.h"

#define NO_DECLARATION UINT32_MAX
#define NO_OVERRIDE    UINT32_MAX

enum { DECLARATION_CHECKPOINT_AGE_MS = 6 * 3600 * 1000 };

struct override_item {
    uint8_t code; /* enum gate_code */
    uint64_t count;
};

struct override {
    uint64_t entry, ms;
    uint32_t contest, signer;
    uint16_t round;
    uint32_t first_item, item_count;
    struct hash basis; /* the legal basis in words: a public object */
    uint64_t basis_size;
};

struct declaration {
    uint64_t entry, ms;
    uint32_t contest, signer;
    uint16_t round;
    uint32_t collation; /* NO_COLLATION: the contest was unopposed */
    uint32_t override;  /* NO_OVERRIDE: the gate was open */
    struct outcome outcome;
    uint64_t size; /* of the tree whose checkpoint it binds */
    struct hash root;
    struct hash checkpoint, certificate; /* objects */
    uint64_t checkpoint_size, certificate_size; /* 0: no certificate */
};

enum dissent_says { SAYS_VERIFIED, SAYS_DISSENTS };
struct dissent {
    uint64_t entry, ms;
    uint32_t declaration, signer;
    uint8_t says; /* enum dissent_says */
    bool has_reason;
};

size_t fold_declaration_count(const struct fold *fold);
const struct declaration *fold_declaration(const struct fold *fold, uint32_t i);
/* The declaration of a contest and round, or NO_DECLARATION. */
uint32_t declaration_of(const struct fold *fold, uint32_t contest, unsigned round);
uint32_t declaration_of_entry(const struct fold *fold, uint64_t entry);
size_t fold_override_count(const struct fold *fold);
const struct override *fold_override(const struct fold *fold, uint32_t i);
const struct override_item *override_item(const struct fold *fold, const struct override *o, size_t k);
uint32_t override_of_entry(const struct fold *fold, uint64_t entry);
size_t fold_dissent_count(const struct fold *fold);
const struct dissent *fold_dissent(const struct fold *fold, uint32_t i);

#endif
