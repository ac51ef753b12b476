/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Records and entries: their framing, names and bounds (spec/records.md, sections 1 to 3).
 *
 * entry  = "hesabu/entry/v1 " ms "\n" note          what is a leaf of the log
 * note   = text "\n" signature lines                 what people sign and send
 * text   = "hesabu/v1 " type "\n" json "\n"          id = SHA-256(text) */
#ifndef ELECTION_RECORD_H
#define ELECTION_RECORD_H

#include "base/bytes.h"
#include "crypto/hash.h"
#include "crypto/note.h"

enum record_type {
#define RECORD(id, name, max_note) REC_##id,
#include "election/records.def"
#undef RECORD
    REC_COUNT
};

struct record_info {
    const char *name;
    size_t max_note; /* bytes, the whole note */
};
const struct record_info *record_info(enum record_type type);
/* REC_COUNT if there is none of this name. */
enum record_type record_by_name(struct span name);

enum { ENTRY_MAX = 65535 };

/* Something large that a record names instead of holding it. */
struct named_object {
    struct hash id; /* SHA-256 of its bytes */
    uint64_t size;
};

/* A note taken apart. Everything borrows from the note's bytes. */
struct record {
    enum record_type type;
    struct span note, text, json;
    struct hash id;
    struct note split;
    struct note_line lines[NOTE_LINES_MAX]; /* the first split.count */
};

/* Checks framing, type, size bound and the order of signature lines; not the JSON, no signature. */
MUST_USE err record_parse(struct span note, struct record *out, struct fail *f);
MUST_USE err entry_parse(struct span entry, uint64_t *ms, struct span *note, struct fail *f);
void entry_format(struct buf *out, uint64_t ms, struct span note);

#endif
