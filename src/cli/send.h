/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From a record's text to the log: signing, writing down, queueing, sending and waiting for proof. The
 * commands that make a record share it. */
#ifndef CLI_SEND_H
#define CLI_SEND_H

#include "base/file.h"
#include "cli/cli.h"

/* --url, --outbox, --anchor, --wait, --for */
struct send_options {
    const char *url, *outbox, *anchor, *wait;
    uint64_t for_s; /* 0: until it is done */
    bool json;
};
#define SEND_OPTIONS(s)                                                                            \
    {"--outbox", OPT_TEXT, &(s).outbox, "DIR", "the durable queue ($HESABU_OUTBOX, else ~/.hesabu/outbox)"}, \
    {"--anchor", OPT_TEXT, &(s).anchor, "FILE", "the gazetted trust anchor; pinned in the outbox at first use"}, \
    {"--wait", OPT_TEXT, &(s).wait, "WHAT", "queued, receipt, or witnessed (witnessed if the anchor names witnesses)"}, \
    {"--for", OPT_U64, &(s).for_s, "SECONDS", "give up waiting after so long; the queue stays (0: never)"}

struct send_note {
    struct span note;
    const char *const *objects; /* files */
    size_t object_count;
};
/* The outbox's folder: `given`, $HESABU_OUTBOX, else ~/.hesabu/outbox. E_USAGE. */
MUST_USE err send_folder(const char *given, char out[PATH_MAX_LEN], struct fail *f);
/* Queues notes[n] durably, then sends everything that the outbox holds. n may be 0. Prints what
 * happened; returns the exit code. */
int send_notes(const char *command, const struct send_options *o, const struct send_note *notes,
               size_t n);

/* --key, --passphrase-file, --out, --send, and the above */
struct make_options {
    struct opt_list keys, objects;
    const char *passphrase_file, *out;
    struct send_options send; /* .url: --send */
};
#define MAKE_OPTIONS(m)                                                                            \
    {"--key", OPT_LIST, &(m).keys, "FILE", "sign with this key file (may be given several times)"}, \
    {"--passphrase-file", OPT_TEXT, &(m).passphrase_file, "FILE", "its passphrase or token's PIN (else $HESABU_PASSPHRASE, or asked for)"}, \
    {"--out", OPT_TEXT, &(m).out, "FILE", "write the record there instead of to standard output"}, \
    {"--send", OPT_TEXT, &(m).send.url, "URL", "queue it and send it to this server"},             \
    SEND_OPTIONS((m).send)

/* Signs a text (or a partly signed note) with the keys, in *out. Without keys the bytes are copied. */
MUST_USE err make_signed(const struct make_options *m, struct span bytes, struct buf *out,
                         struct fail *f);
/* Signs, writes to --out or (unless it is sent) standard output, sends. Returns the exit code. */
int make_finish(const char *command, const struct make_options *m, struct span text);

#endif
