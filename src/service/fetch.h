/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading another log's public tree: files by their path, several at once. An interface: http/ has
 * the one that speaks HTTP, tests have others. */
#ifndef SERVICE_FETCH_H
#define SERVICE_FETCH_H

#include "base/bytes.h"

enum { FETCH_PATH_MAX = 200, FETCH_AT_ONCE = 64 };

struct fetch_item {
    char path[FETCH_PATH_MAX]; /* "tile/0/000.p/5" */
    struct span post;          /* .p not NULL: POST this body */
    struct buf body;           /* initialised by the caller with its maximum; the answer's */
    int status;                /* filled in: 0 when there was no answer, whatever was tried */
};
struct fetcher {
    /* All of items[n], n <= FETCH_AT_ONCE. Cut connections, 429 and 5xx are tried again with growing
     * pauses before they count. E_NETWORK when an item had no answer at all (*f says which). */
    err (*get)(void *ctx, struct fetch_item *items, size_t n, struct fail *f);
    void *ctx;
};

#endif
