/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the page's routes (clerk_page.c) and its worker (clerk_page_work.c) share. The server's threads
 * answer from what the worker has put down here; only the worker touches the log, the key and the outbox. */
#ifndef HTTP_CLERK_PAGE_IMPL_H
#define HTTP_CLERK_PAGE_IMPL_H

#include <pthread.h>
#include "http/clerk_page.h"

enum { PAGE_SECRET_BYTES = 16, PAGE_SECRET_LEN = 2 * PAGE_SECRET_BYTES, PAGE_BODY_MAX = CLERK_DRAFT_MAX };

enum page_order { ORDER_NONE, ORDER_NEXT, ORDER_SKIP, ORDER_SEAL };

struct clerk_page {
    const struct clerk_page_options *o;
    struct http_server *server;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;  /* an order came */
    char hosts[2][80];    /* what Host may say */
    char secret[PAGE_SECRET_LEN + 1], token[PAGE_SECRET_LEN + 1]; /* "": none */
    uint64_t seen_ms;     /* monotonic: the page asked last */
    struct http_response *state;
    struct http_response *picture[CLERK_PAGES_MAX]; /* of the form that is shown */
    size_t pictures;
    char form[HASH_HEX_LEN + 1]; /* record id of its image; "": none */
    char draft[PATH_MAX_LEN];
    enum page_order order;
    struct buf body;            /* of ORDER_SEAL */
    struct http_token *waiting; /* for the order's answer */

    /* the worker's own */
    struct desk_task task;
    bool has_task;
    struct fail taken;      /* code: the form that is shown cannot be sealed by this clerk any more */
    size_t queue_all, queue_own;
    struct clerk_sent *sent; /* what this process knows of seals on their way */
    size_t sent_count;
    uint32_t *skipped;       /* cells put back by the clerk */
    size_t skipped_count;
    struct fail away;        /* code: the log or the network is not reached now */
    uint64_t away_ms, queue_ms;
    uint64_t step_ms;        /* monotonic: the outbox is tried again then */
    size_t closed;           /* seals of this clerk that are not open in the log */
    bool busy;               /* something is on its way: look often */
};

/* Headers that every answer has. NULL stays NULL. */
struct http_response *page_answer(struct http_response *r);

/* The worker: once before the server starts; then again and again, waiting up to *wait_ms in between. */
MUST_USE err page_work_begin(struct clerk_page *p, struct fail *f);
MUST_USE err page_work(struct clerk_page *p, uint32_t *wait_ms, struct fail *f);
/* Takes the order that waits, if one does, and answers it. */
MUST_USE err page_work_order(struct clerk_page *p, struct fail *f);
void page_work_end(struct clerk_page *p);

#endif
