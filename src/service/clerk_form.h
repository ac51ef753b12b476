/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A paper form as a clerk types it: its fields in the order in which they stand on the printed form,
 * what was typed into each, and the reading that comes of it. The terminal and the page share it.
 *
 * Nothing is put right here: what is typed is what is read. */
#ifndef SERVICE_CLERK_FORM_H
#define SERVICE_CLERK_FORM_H

#include "election/desk.h"

enum { FORM_FIELDS_MAX = MAX_CHOICES + 8, FORM_NAME_MAX = 72, FORM_SERIAL_MAX = 40 };

enum typed { TYPED_NOT, TYPED_BLANK, TYPED_ILLEGIBLE, TYPED_FIGURE };

struct form_field {
    char name[FORM_NAME_MAX]; /* "votes.ID", "ballots.valid", "voters.kit", "serial" */
    struct span label, party; /* of a choice, borrowed from the fold; else English words, and empty */
    enum typed is;
    uint64_t figure; /* TYPED_FIGURE, but of the serial number */
};
struct clerk_form {
    const struct fold *fold; /* borrowed */
    uint32_t contest;
    unsigned round;
    struct form_field field[FORM_FIELDS_MAX];
    size_t n;
    char serial[FORM_SERIAL_MAX + 1];
    uint32_t marks; /* bits of mark_words */
};

/* The fields of a form of this contest and round, nothing typed. */
void clerk_form_init(struct clerk_form *w, const struct fold *fold, uint32_t contest, unsigned round);
/* What was typed into field i: digits; nothing: the field is blank; "?": there is something and it cannot
 * be read. E_FIELD says what was expected. */
MUST_USE err clerk_form_type(struct clerk_form *w, size_t i, struct span text, struct fail *f);
/* All of it, as a page sends it: canonical JSON {"fields":{NAME:TEXT,...},"form":HASH,"marks":[WORD,...]}
 * with every field of the form and no other. *form: the record id of the image it was typed from. */
MUST_USE err clerk_form_parse(struct clerk_form *w, struct span json, struct hash *form, struct fail *f);
/* Appends the reading's canonical JSON. E_STATE when a field was not typed; what a log would not take. */
MUST_USE err clerk_form_reading(const struct clerk_form *w, struct buf *out, struct fail *f);

#endif
