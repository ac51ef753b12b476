/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writing the records by which a contest is collated and declared. As compose.h: all append to *out,
 * nothing is judged. */
#ifndef ELECTION_COMPOSE_LAW_H
#define ELECTION_COMPOSE_LAW_H

#include "election/compose.h"
#include "election/declaration.h"

/* The rows object, line by line; id NULL: none. `choices` figures in ballot order of the round. */
void compose_collation_head(struct buf *out);
void compose_collation_row(struct buf *out, struct span code, const struct hash *id,
                           const struct collated *is, const uint64_t *votes, size_t choices);

struct compose_collation {
    struct hash election;
    enum collation_basis basis;
    struct span contest, unit;
    const struct hash *form; /* images of its pages */
    size_t form_count;
    uint64_t handed;             /* ABSENT: left out */
    struct named_object reason;  /* size UINT64_MAX: none */
    unsigned round;
    struct named_object rows;
    const struct hash *supersedes; /* NULL: none */
    uint64_t registered, rejected, valid; /* ABSENT: blank */
    const uint64_t *votes; /* `choices` figures, ballot order of the round */
    size_t choices;
};
void compose_collation(struct buf *out, const struct compose_collation *k);

struct compose_override_item {
    const char *code; /* "G_MISSING" */
    uint64_t count;
};
/* Items in the gate's order; basis: the legal basis in words. */
void compose_override(struct buf *out, const struct hash *election, struct span contest,
                      unsigned round, struct named_object basis,
                      const struct compose_override_item *items, size_t n);

struct compose_declaration {
    struct hash election, root;
    struct named_object certificate; /* size UINT64_MAX: none */
    struct named_object checkpoint;
    const struct hash *collation, *override; /* ids; NULL: none */
    struct span contest;
    unsigned round;
    uint64_t size;
    enum outcome_kind kind;
    const struct span *choices; /* ids, ballot order */
    size_t choice_count;
};
void compose_declaration(struct buf *out, const struct compose_declaration *d);

/* `key` is the name of the key that signs (two people's words are two records); reason.size
 * UINT64_MAX: none */
void compose_dissent(struct buf *out, const struct hash *election, const struct hash *declaration,
                     struct span key, bool dissents, struct named_object reason);

#endif
