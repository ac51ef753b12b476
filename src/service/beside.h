/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What lies beside the log for the portal's pages, in the election's folder portal/: the map's layout and
 * boundaries, words.csv (the definition's own texts in other languages), copies.csv (who else serves this
 * log). None of it is part of the record; pages are whole without it. Formats: spec/results.md, "Pages".
 *
 * Read once: a change is seen after the next start. */
#ifndef SERVICE_BESIDE_H
#define SERVICE_BESIDE_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "service/page_words.h"

struct beside;

/* Somebody who serves the same log. */
struct beside_copy {
    struct span name, url; /* url: http or https */
};

/* portal_dir: may be NULL or missing, then nothing lies beside. public_dir: the tree whose objects/ pages
 * quote; may be NULL. E_CSV, E_CONFIG for a file that is wrong. The caller owns *out: beside_close. */
MUST_USE err beside_open(const char *portal_dir, const char *public_dir, struct beside **out,
                         struct fail *f);
void beside_close(struct beside *b); /* NULL is fine */

/* A text of the definition in this language; the text itself where there is no translation. `b` may be
 * NULL. Foreign text either way: escape it. */
struct span beside_said(const struct beside *b, enum page_lang lang, struct span text);
/* Whether there is one. */
bool beside_translates(const struct beside *b, enum page_lang lang, struct span text);
size_t beside_copies(const struct beside *b); /* `b` may be NULL */
struct beside_copy beside_copy(const struct beside *b, size_t i);
bool beside_has_boundaries(const struct beside *b); /* `b` may be NULL */
/* A public object of at most `max` bytes, its hash checked. E_NOT_FOUND, E_TOO_LARGE, E_OBJECT. `b` may be
 * NULL: E_NOT_FOUND. */
MUST_USE err beside_object(const struct beside *b, const struct hash *id, size_t max, struct buf *out,
                           struct fail *f);

/* Copies the files of these names from one folder to another, which is made; those that it has already
 * stay. */
MUST_USE err beside_install(const char *from, const char *to, struct fail *f);

/* words.csv and copies.csv as bytes, for tests. Texts live in `b`. */
MUST_USE err beside_read_words(struct beside *b, struct span csv, struct fail *f);
MUST_USE err beside_read_copies(struct beside *b, struct span csv, struct fail *f);
MUST_USE err beside_new(struct beside **out, struct fail *f);

#endif
