/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* CSV reading (RFC 4180), streaming and bounded, for files of any size and of any origin.
 *
 * Accepts a UTF-8 byte order mark, CRLF, LF or CR line ends, quoted fields with doubled quotes and
 * embedded line breaks, ',' ';' or tab as separator (the one that the header uses). Refuses invalid
 * UTF-8, NUL bytes, rows with another number of fields than the header, duplicate or empty header
 * names, a field over 64 KiB, a row over 1 MiB or 1,024 fields: each with line and column. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/bytes.h"

struct csv; /* a reader */

/* Opens a file ("-" is standard input) and reads its header. The caller owns *out: csv_close. */
MUST_USE err csv_open(const char *path, struct csv **out, struct fail *f);
/* The same over bytes that stay valid while the reader is used; `name` is for messages. */
MUST_USE err csv_open_span(struct span bytes, const char *name, struct csv **out, struct fail *f);
void csv_close(struct csv *c);

size_t csv_columns(const struct csv *c);
struct span csv_header(const struct csv *c, size_t column);
/* The column with this header, matched exactly, then ignoring case and surrounding blanks; E_CSV
 * naming the headers there are when it is missing. */
MUST_USE err csv_column(const struct csv *c, const char *name, size_t *out, struct fail *f);

/* The next row: *more false at the end. Fields stay valid until the next call. Empty lines are
 * passed over. */
MUST_USE err csv_next(struct csv *c, bool *more, struct fail *f);
struct span csv_field(const struct csv *c, size_t column); /* surrounding blanks removed */
uint64_t csv_line(const struct csv *c);                    /* where the row began, from 1 */

/* A non-negative integer field; thousands separators (',' '\'' space, NBSP, thin space) are accepted
 * in groups of three. *present false and *out 0 when the field is empty. E_CSV with line and column
 * name for a sign, a fraction, letters, or a value past `max`. */
MUST_USE err csv_u64(const struct csv *c, size_t column, uint64_t max, bool *present, uint64_t *out,
                     struct fail *f);

#endif
