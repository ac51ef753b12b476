/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu read --page: the desk's page (http/clerk_page.h) with the outbox and the terminal of the command. */
#ifndef CLI_DESK_PAGE_H
#define CLI_DESK_PAGE_H

#include "cli/send.h"
#include "crypto/note.h"
#include "service/clerk.h"

/* Until Ctrl-C. `at`: ADDR:PORT of this machine, "": any free port. Errors of clerk_page_run and of the
 * outbox. */
MUST_USE err desk_page(struct clerk_desk *clerk, const struct note_signer *signer, const struct send_options *send,
                       const char *at, struct fail *f);

#endif
