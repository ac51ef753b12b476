/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Hashes of the hosts' own logs (system, database, firewall, administrators), taken about once an hour
 * into the election's log (spec/records.md, 6.17): what a court is given later can be shown to be what
 * was there. Each row hashes a file from its beginning to its size at that moment, so that any later
 * copy, rotated or grown, can be compared with every row. Not thread-safe. */
#ifndef SERVICE_HOSTLOG_H
#define SERVICE_HOSTLOG_H

#include "election/voices.h"

struct hostlog;

/* `files`: "PATH" or "KIND=PATH", KIND one of administrator, database, firewall, host (the default).
 * `host`: a slug for this machine; NULL: its host name. E_USAGE, E_RANGE (more than 30 files). */
MUST_USE err hostlog_new(const char *const *files, size_t n, const char *host, struct hostlog **out,
                         struct fail *f);
void hostlog_free(struct hostlog *h);
size_t hostlog_count(const struct hostlog *h);

/* Looks at every file now and appends the text of a host-log record. A file that was moved away since
 * (rotated) is looked for under its other name in the same folder and hashed once more to its end. A
 * file that is not there, or cannot be read, gives a row of size 0. */
MUST_USE err hostlog_take(struct hostlog *h, const struct hash *election, uint64_t now_ms,
                          struct buf *text, struct fail *f);

/* Compares a file that somebody produced with the rows of a log: */
struct hostlog_match {
    size_t rows;           /* of this host and kind (all, if not given) whose file is at most as long */
    size_t same;           /* of these, rows whose bytes are the file's beginning */
    size_t other;          /* longer rows of the same file that do not: it was changed since */
    uint64_t covered;      /* bytes of the file that the longest such row covers */
    const struct host_log *first, *last; /* of these; NULL: none */
};
/* `bytes`: the file's. host.n 0: any; kind HOST_LOG_KINDS: any. Hashes the file once. */
MUST_USE err hostlog_compare(const struct fold *fold, struct span bytes, struct span host, unsigned kind,
                             struct hostlog_match *out, struct fail *f);

#endif
