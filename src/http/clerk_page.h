/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tally clerk's desk as a page: a server for the clerk's own browser, on this machine only. It holds
 * the key, the sealed readings and the copy of the log; the page holds what is on the screen.
 *
 * Who may ask: whoever has the secret of the address that was told, once; it is exchanged for a token that
 * the page sends as a header. Host and Origin must be this server's own. Everything is no-store. */
#ifndef HTTP_CLERK_PAGE_H
#define HTTP_CLERK_PAGE_H

#include "http/server.h"
#include "service/clerk_view.h"
#include "service/outbox.h"

struct clerk_page_options { /* everything is borrowed */
    struct clerk_desk *clerk;
    const struct note_signer *signer; /* the clerk's key */
    struct outbox *box;               /* pinned to the election's anchor */
    struct outbox_transport transport;
    const char *address; /* 127.0.0.1 or ::1 */
    uint16_t port;       /* 0: any free one */
    uint32_t gone_ms;    /* ends when no page has asked for so long and nothing is to be opened; 0: 30 minutes */
    bool (*stopped)(void);
    void (*tell)(const char *line); /* a line for the clerk's terminal */
};
/* Runs until `stopped` or until the page has been gone for long. E_USAGE for an address that is not this
 * machine's own, E_STATE when the program was built without the page, E_NETWORK when the port is taken,
 * and what a log that contradicts itself gives (tree_log_more). */
MUST_USE err clerk_page_run(const struct clerk_page_options *o, struct fail *f);

/* The page's files, made at build time by tools/embed-web. */
struct clerk_page_file {
    const char *path, *type; /* "/desk.js" */
    const uint8_t *bytes;
    size_t n;
};
extern const struct clerk_page_file clerk_page_files[];
extern const size_t clerk_page_file_count; /* 0: built without npm's packages */

#endif
