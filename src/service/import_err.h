/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* NIST SP 1500-100 version 2 in JSON (spec/exports.md, "err-json"), read back as a table: a row a unit,
 * a column a choice. Of anybody's making; what it does not say stays blank.
 *
 * Memory grows with units and choices, not with the file: it is read token by token, twice. */
#ifndef SERVICE_IMPORT_ERR_H
#define SERVICE_IMPORT_ERR_H

#include "base/bytes.h"
#include "base/err.h"

/* The file looks like JSON: its first character that is no blank is '{'. */
bool import_err_looks(struct span text);

/* Appends CSV with the columns unit, registered, cast, rejected, valid (cast without rejected, where both
 * are said), and one for each choice, by its ExternalIdentifier "choice" or else its ballot name. Counts of
 * Type "total" only. `contest`: its ExternalIdentifier "contest", or its @id; NULL: the only one (E_USAGE
 * lists them when there are several). `text` is borrowed. E_JSON with line and column; E_FIELD for figures
 * of unknown or repeated units; E_TOO_LARGE. */
MUST_USE err import_err_csv(struct span text, const char *contest, struct buf *csv, struct fail *f);

#endif
