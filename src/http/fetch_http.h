/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A fetcher (service/fetch.h) that speaks HTTP: several requests at once, patient with servers that
 * are busy, restarting or cut off. */
#ifndef HTTP_FETCH_HTTP_H
#define HTTP_FETCH_HTTP_H

#include "service/fetch.h"

struct fetch_http;
struct fetch_http_options {
    const char *base;     /* "https://results.example.org/": copied */
    uint32_t timeout_ms;  /* of one request; 0: 60 s */
    unsigned tries;       /* of each request; 0: 6 */
    uint32_t pause_ms;    /* before the second try, doubled each time, at most 30 s; 0: 250 */
    const volatile bool *stop; /* gives up between tries; may be NULL */
};
MUST_USE err fetch_http_new(const struct fetch_http_options *o, struct fetch_http **out,
                            struct fail *f);
void fetch_http_free(struct fetch_http *x); /* NULL is fine */
/* One thread at a time. */
struct fetcher fetch_http(struct fetch_http *x);

#endif
