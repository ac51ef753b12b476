/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox's transport over HTTP. */
#ifndef HTTP_OUTBOX_HTTP_H
#define HTTP_OUTBOX_HTTP_H

#include "http/client.h"
#include "service/outbox.h"

struct outbox_http {
    struct http_client *client; /* borrowed; one thread at a time */
    char base[2000];            /* without a '/' at its end */
};
/* E_USAGE for an address that is not http or https. */
MUST_USE err outbox_http_init(struct outbox_http *x, struct http_client *client, const char *url,
                              struct fail *f);
/* Borrows x. */
struct outbox_transport outbox_http_transport(struct outbox_http *x);

#endif
