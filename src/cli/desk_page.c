/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/desk_page.h"

#include <stdio.h>
#include "cli/listen.h"
#include "http/clerk_page.h"
#include "http/outbox_http.h"

static void tell(const char *line) {
    fprintf(stdout, "%s\n", line);
    fflush(stdout);
}

err desk_page(struct clerk_desk *clerk, const struct note_signer *signer, const struct send_options *send,
              const char *at, struct fail *f) {
    char address[LISTEN_ADDRESS_MAX], dir[PATH_MAX_LEN];
    uint16_t port;
    struct outbox *box = NULL;
    struct http_client *http = NULL;
    struct outbox_http transport;
    if (!send->url) return fail_set(f, E_USAGE, "the page sends what is sealed: read from a server's address, or give --send URL");
    TRY(listen_parse(at[0] ? at : "0", address, &port, f));
    TRY(send_folder(send->outbox, dir, f));
    listen_catch_signals();
    err e = outbox_open(dir, &box, f);
    /* the anchor of the log that the figures are read from: receipts are held against it */
    if (e == OK) e = outbox_pin(box, buf_view(&clerk->log->anchor_bytes), f);
    if (e == OK) e = http_client_new(&(struct http_client_options){.connect_ms = 5000, .total_ms = 20000}, &http, f);
    if (e == OK) e = outbox_http_init(&transport, http, send->url, f);
    if (e == OK) {
        const struct clerk_page_options o = {
            .clerk = clerk, .signer = signer, .box = box, .transport = outbox_http_transport(&transport),
            .address = address, .port = port, .stopped = listen_stopped, .tell = tell};
        e = clerk_page_run(&o, f);
    }
    outbox_close(box);
    http_client_free(http);
    return e;
}
