/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* JSON writing: commas and escapes done right, into a bounded buffer.
 *
 * The writer keeps the order of keys it is given; where canonical form matters (records, objects)
 * the caller writes keys in bytewise order, and the output is then RFC 8785 for the values that
 * records may hold. Strings must be valid UTF-8; only what JSON demands is escaped. */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include "base/bytes.h"

struct json_out {
    struct buf *b;
    bool comma; /* something precedes at this level */
};

static inline struct json_out json_out(struct buf *b) {
    return (struct json_out){.b = b};
}
void json_object(struct json_out *j);     /* { */
void json_object_end(struct json_out *j); /* } */
void json_array(struct json_out *j);      /* [ */
void json_array_end(struct json_out *j);  /* ] */
void json_key(struct json_out *j, const char *key);
void json_key_span(struct json_out *j, struct span key);
void json_str(struct json_out *j, const char *s);
void json_span(struct json_out *j, struct span s);
void json_u64(struct json_out *j, uint64_t v);
void json_i64(struct json_out *j, int64_t v);
void json_bool(struct json_out *j, bool v);
void json_null(struct json_out *j);
void json_hex(struct json_out *j, struct span bytes);
void json_base64(struct json_out *j, struct span bytes);
/* For output only, never for records: shortest form with 15 significant digits; null if not finite. */
void json_double(struct json_out *j, double v);
/* Text that is JSON already. */
void json_raw(struct json_out *j, struct span text);

/* key and value in one */
void json_kstr(struct json_out *j, const char *key, const char *s);
void json_kspan(struct json_out *j, const char *key, struct span s);
void json_ku64(struct json_out *j, const char *key, uint64_t v);
void json_kbool(struct json_out *j, const char *key, bool v);
void json_kdouble(struct json_out *j, const char *key, double v);
void json_khex(struct json_out *j, const char *key, struct span bytes);

#endif
