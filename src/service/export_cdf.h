/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The two spellings of a NIST common data format: one structure, as JSON or as XML; between the
 * export_*.c files only.
 *
 * JSON has "@type" and "@id" and arrays for what may stand several times; XML has elements in the
 * schema's order, xsi:type where a type is derived, and lists of ids separated by blanks. Callers
 * write in the schema's order, which both accept. */
#ifndef SERVICE_EXPORT_CDF_H
#define SERVICE_EXPORT_CDF_H

#include "base/json_out.h"
#include "base/xml_out.h"

enum { CDF_ID_MAX = 200 };

struct cdf {
    bool xml;
    struct buf *b;
    struct json_out j;
    struct xml_out x;
    bool listed; /* an id stands in the list already */
};
/* The root element, of `type` (its XML name too), in the namespace `space`; `prefix` stands before
 * types in JSON ("ElectionResults."). */
struct cdf cdf_begin(bool xml, const char *type, const char *space, struct buf *b);
void cdf_end(struct cdf *c, const char *type);

/* What may stand several times, or not at all. */
void cdf_list(struct cdf *c, const char *name);
void cdf_list_end(struct cdf *c);
/* An element of a list. `id` may be NULL. `derived`: XML names the type. */
void cdf_item(struct cdf *c, const char *name, const char *type, const char *id, bool derived);
void cdf_item_end(struct cdf *c, const char *name);
/* What stands once. */
void cdf_object(struct cdf *c, const char *name, const char *type);
void cdf_object_end(struct cdf *c, const char *name);

void cdf_text(struct cdf *c, const char *name, struct span text);
void cdf_str(struct cdf *c, const char *name, const char *text);
void cdf_u64(struct cdf *c, const char *name, uint64_t v);
void cdf_true(struct cdf *c, const char *name);
/* InternationalizedText with one text. */
void cdf_words(struct cdf *c, const char *name, struct span text);
/* Several ids: cdf_ids, cdf_id each, cdf_ids_end. */
void cdf_ids(struct cdf *c, const char *name);
void cdf_id(struct cdf *c, const char *id);
void cdf_ids_end(struct cdf *c, const char *name);
/* ExternalIdentifier of type other, in a list. */
void cdf_external(struct cdf *c, const char *type, struct span value);

/* "gp-001": prefix, codes joined by '.', fit for xsd:ID. Codes are of A-Z a-z 0-9 '.' '_' '-' '/';
 * ids of contests and choices have no capitals, so that '/' is written as 'S' there and nothing
 * collides. */
void cdf_make_id(char out[CDF_ID_MAX], const char *prefix, struct span a, struct span b, unsigned round);

#endif
