/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A clerk's own seals until they are opened: nonce and reading, which nobody else has. They are on the
 * disk before a seal is sent; without them it lapses.
 *
 *   DIR/closed/RECORD.json   one opening, mode 0600; RECORD is the id of the seal's record
 *   DIR/opened/RECORD.json   the same file, moved once the log has the opening
 *   DIR/lapsed/RECORD.json   ... or the seal lapsed */
#ifndef SERVICE_OPENINGS_H
#define SERVICE_OPENINGS_H

#include "base/bytes.h"
#include "crypto/hash.h"

struct opening {
    struct hash election, image, record, seal; /* record: of the seal */
    uint8_t nonce[32];
    unsigned round;
    struct span contest, key, reading, station; /* borrowed; reading: canonical JSON */
};

/* One line of canonical JSON. */
void opening_format(const struct opening *o, struct buf *out);
/* Strict; spans borrow from the bytes. The nonce and the reading give the seal. E_FIELD, E_JSON and the
 * like, E_SEAL. */
MUST_USE err opening_parse(struct span bytes, struct opening *out, struct fail *f);

/* Durable before it returns. */
MUST_USE err openings_keep(const char *dir, const struct opening *o, struct fail *f);
/* Calls visit for each closed one, in order of the names. A file that cannot be read is an error: it is
 * somebody's reading. None when there is no such folder. */
typedef err openings_visit(void *ctx, const struct opening *o, struct fail *f);
MUST_USE err openings_each(const char *dir, openings_visit *visit, void *ctx, struct fail *f);
/* Moves a closed one. */
MUST_USE err openings_done(const char *dir, const struct hash *record, bool lapsed, struct fail *f);

#endif
