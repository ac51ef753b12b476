/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* People's words as objects beside a record: public ones as they are; those that are not for the public
 * behind a salt, so that nobody can guess them from their hash, and erasable. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "base/file.h"
#include "cli/send.h"
#include "election/record.h"

enum { WORDS_FILES_MAX = 20 };

/* Paths of the salted copies; must live until the record is sent. Zero-initialised. */
struct words {
    char path[WORDS_FILES_MAX][PATH_MAX_LEN];
    size_t n;
};

/* The object of a file that everybody may read: at most `max` bytes. Added to m->objects. NULL path:
 * *out has size UINT64_MAX (none). E_NOT_FOUND, E_TOO_LARGE. */
MUST_USE err words_public(struct make_options *m, const char *path, size_t max,
                          struct named_object *out, struct fail *f);
/* The object of FILE behind a salt: FILE.salted, which is written beside it the first time and used
 * again afterwards, so that the same words are the same object. */
MUST_USE err words_restricted(struct make_options *m, struct words *w, const char *path,
                              struct named_object *out, struct fail *f);

#endif
