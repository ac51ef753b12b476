/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The strict reader of canonical JSON: RFC 8785 restricted to what records may hold.
 *
 * Objects with ASCII keys in ascending order, each once; arrays; integers 0..2^53-1; strings of plain
 * characters in which only \" and \\ are escaped; true, false, null. No white space. One value has one
 * spelling, so that bytes can be compared and hashed.
 *
 * A pull reader with a sticky error: ask for what the format wants, in order; after a mistake every
 * call returns zero values and the first error stays. Check once, with cj_end. */
#ifndef ELECTION_CANONICAL_JSON_H
#define ELECTION_CANONICAL_JSON_H

#include "base/arena.h"
#include "base/bytes.h"

enum { CJ_MAX_DEPTH = 16 };
#define CJ_MAX_INT UINT64_C(9007199254740991) /* 2^53 - 1 */

struct cj {
    struct span all, rest;
    err code;
    struct fail *f;
    unsigned depth;
    struct {
        struct span last_key;
        bool any; /* something was read at this level */
        bool array;
    } level[CJ_MAX_DEPTH];
};

/* `text` must stay valid while the reader and what it returned are used. f may be NULL. */
void cj_init(struct cj *r, struct span text, struct fail *f);
/* OK if all was read, nothing is left over and no error occurred. */
MUST_USE err cj_end(struct cj *r);
static inline bool cj_failed(const struct cj *r) {
    return r->code != OK;
}
/* Sets the sticky error (the first one stays). */
void cj_fail(struct cj *r, err code, const char *fmt, ...) PRINTF(3, 4);

void cj_object(struct cj *r);
/* The object ends here; a key that is left over is E_FIELD (or E_CANONICAL if out of order). */
void cj_object_end(struct cj *r);
/* The next key must be this one. */
void cj_need(struct cj *r, const char *key);
/* True (and reads it) if the next key is this one. */
bool cj_have(struct cj *r, const char *key);
/* The next key, whatever it is; false at the object's end (which is read). */
bool cj_any_key(struct cj *r, struct span *key);

void cj_array(struct cj *r);
/* True if another element follows; false at the array's end (which is read). */
bool cj_element(struct cj *r);

uint64_t cj_u64(struct cj *r, uint64_t max);
bool cj_bool(struct cj *r);
bool cj_null(struct cj *r); /* true (and reads it) if the next value is null */
/* A string without escapes (codes, names of keys, hashes): borrowed from the input. */
struct span cj_code(struct cj *r, size_t max);
/* A string of plain text for people, unescaped into the arena when needed, at most max bytes. */
struct span cj_text(struct cj *r, struct arena *a, size_t max);
void cj_hex(struct cj *r, uint8_t *out, size_t n);
/* Any value, checked throughout; its bytes. */
struct span cj_raw(struct cj *r);

/* Text is one canonical value and nothing else. */
MUST_USE err cj_check(struct span text, struct fail *f);

#endif
