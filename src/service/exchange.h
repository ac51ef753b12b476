/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Results in a format that others read (spec/exports.md), read back into one set of figures: of our own
 * making or, for NIST SP 1500-100 version 2 and EML 510, of anybody's.
 *
 * The format is told by what the bytes say, not by the file's name. Memory grows with units and choices,
 * not with the file: it is mapped and read from front to back. What a file does not say stays blank. */
#ifndef SERVICE_EXCHANGE_H
#define SERVICE_EXCHANGE_H

#include "base/bytes.h"
#include "service/export.h"

/* These bytes begin like a format that is read here: SQLite, XML, JSON, or the stations' CSV of this
 * program (another CSV is none: `compare` takes it as it is). */
bool exchange_looks(struct span head);

struct exchange;
/* Reads a whole file, or bytes. E_JSON, E_XML, E_CSV, with line and column; E_FIELD for figures of
 * unknown units, that stand twice, or are none; E_DAMAGED for a database; E_TOO_LARGE. The caller owns
 * *out: exchange_free. Bytes are borrowed during the call; a database needs a file. */
MUST_USE err exchange_read_file(const char *path, struct exchange **out, struct fail *f);
MUST_USE err exchange_read(struct span text, struct exchange **out, struct fail *f);
void exchange_free(struct exchange *x);

enum export_format exchange_format(const struct exchange *x);
/* The checkpoint that the file names: entries and root in base64. False when it names none. */
bool exchange_checkpoint(const struct exchange *x, uint64_t *size, struct span *root);

/* One contest as CSV with the columns unit, registered, cast, rejected, valid, objected, disputed, and one
 * for each choice, by its identifier or else its name; a row a unit. `valid`: as the file says, or cast without rejected
 * where it says both. A unit without a code of its own (the total of EML) has no row. `contest`: its
 * identifier; NULL: the only one; `round` 0: the only one (E_USAGE lists them when there are several). */
MUST_USE err exchange_table(const struct exchange *x, const char *contest, uint64_t round, struct buf *csv,
                            struct fail *f);

/* Which figure of a unit: as on the form, one of the named totals, or the one that such a format has for
 * each unit (export_totals). */
enum exchange_channel {
    EXCHANGE_FORM,
    EXCHANGE_TRANSMITTED,
    EXCHANGE_TRANSCRIBED,
    EXCHANGE_COMPARED,
    EXCHANGE_DECLARED,
    EXCHANGE_TOTAL,
    EXCHANGE_CHANNELS
};
const char *exchange_channel_name(enum exchange_channel c);

#define EXCHANGE_BLANK UINT64_MAX
struct exchange_difference {
    struct span contest, unit; /* a unit without code: the contest's own */
    unsigned round;
    enum exchange_channel channel;
    bool votes;         /* of the choice `what`; else the figure of this name */
    struct span what;
    uint64_t file, log; /* EXCHANGE_BLANK: it has none */
};
enum { EXCHANGE_LISTED = 1000 };
struct exchange_report {
    size_t contests, units, figures; /* compared; a unit counts once in each contest */
    size_t equal, differs, missing, extra; /* missing: only the log has it; extra: only the file */
    size_t listed;
    struct exchange_difference at[EXCHANGE_LISTED];
};
/* Every figure of the file against those that the records give for this format; the format's whole extent
 * is due. Spans are borrowed from x. */
MUST_USE err exchange_check(struct exchange *x, const struct export_source *s, struct exchange_report *out,
                            struct fail *f);

#endif
