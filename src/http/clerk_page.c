/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/wait.h"
#include "crypto/secret.h"
#include "election/canonical_json.h"
#include "http/clerk_page_impl.h"

enum { CLOSED_TELL_MS = 90 * 1000, GONE_MS = 30 * 60 * 1000, GRACE_MS = 1000 };

#define POLICY "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; connect-src 'self'; "   \
               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

struct http_response *page_answer(struct http_response *r) {
    if (!r) return NULL;
    http_response_no_store(r);
    http_response_header(r, "Content-Security-Policy", POLICY);
    http_response_header(r, "X-Content-Type-Options", "nosniff");
    http_response_header(r, "X-Frame-Options", "DENY");
    http_response_header(r, "Referrer-Policy", "no-referrer");
    http_response_header(r, "Cross-Origin-Resource-Policy", "same-origin");
    http_response_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    return r;
}

/* --- who asks --- */

static bool is_own_host(struct clerk_page *p, const char *host) {
    pthread_mutex_lock(&p->lock);
    const bool own = host && (strcmp(host, p->hosts[0]) == 0 || strcmp(host, p->hosts[1]) == 0);
    pthread_mutex_unlock(&p->lock);
    return own;
}

/* Another name for this address in Host is a page of somebody else's that had its name moved here (DNS
 * rebinding); another Origin is such a page, too. NULL: the request is this page's own. */
static struct http_response *stranger(struct clerk_page *p, struct http_request *r) {
    const char *host = http_header(r, "Host"), *origin = http_header(r, "Origin"),
               *site = http_header(r, "Sec-Fetch-Site");
    if (!is_own_host(p, host))
        return page_answer(http_response_error(E_STRANGER, "this desk is not reached by that name: use the address that "
                                                       "the program told"));
    const bool reads = http_method(r) == HTTP_GET;
    if ((!origin && !reads) ||
        (origin && (strncmp(origin, "http://", 7) != 0 || strcmp(origin + 7, host) != 0)) ||
        (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0))
        return page_answer(http_response_error(E_STRANGER, "another page asked: only the desk's own may"));
    return NULL;
}

static bool same_text(const char *known, const char *given) {
    return known[0] && given && strlen(given) == PAGE_SECRET_LEN && secret_eq(known, given, PAGE_SECRET_LEN);
}

/* Not the page's own, or without the token. */
static struct http_response *refused(struct clerk_page *p, struct http_request *r) {
    struct http_response *no = stranger(p, r);
    if (no) return no;
    pthread_mutex_lock(&p->lock);
    const bool known = same_text(p->token, http_header(r, "Hesabu-Desk"));
    if (known) p->seen_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&p->lock);
    return known ? NULL
                 : page_answer(http_response_error(E_STRANGER, "this window is not (or no longer) the desk: open the "
                                                                "newest address that the program told"));
}

static void new_secret(char out[PAGE_SECRET_LEN + 1]) {
    uint8_t bytes[PAGE_SECRET_BYTES];
    secret_random(bytes, sizeof bytes);
    hex_encode(span_of(bytes, sizeof bytes), out);
    secret_wipe(bytes, sizeof bytes);
}

/* The secret of the address, once, for the token of this window; an older window loses its own. */
static struct http_response *enter(struct http_request *r, void *ctx) {
    struct clerk_page *p = ctx;
    struct http_response *no = stranger(p, r);
    if (no) return no;
    char given[PAGE_SECRET_LEN + 1] = "", body[PAGE_SECRET_LEN + 16];
    struct span x = http_body(r);
    if (x.n == PAGE_SECRET_LEN) memcpy(given, x.p, PAGE_SECRET_LEN);
    pthread_mutex_lock(&p->lock);
    const bool known = same_text(p->secret, given);
    if (known) {
        secret_wipe(p->secret, sizeof p->secret);
        new_secret(p->token);
        p->seen_ms = clock_monotonic_ms();
        (void)snprintf(body, sizeof body, "{\"token\":\"%s\"}", p->token);
    }
    pthread_mutex_unlock(&p->lock);
    if (!known)
        return page_answer(http_response_error(E_STRANGER, "this address was used already, or is not the one that "
                                                            "was told: open the newest one"));
    return page_answer(http_response_copy(200, "application/json", span_text(body)));
}

/* --- what is shown --- */

static struct http_response *held(struct clerk_page *p, struct http_response **at, const char *none) {
    pthread_mutex_lock(&p->lock);
    struct http_response *a = *at;
    if (a) http_response_retain(a);
    pthread_mutex_unlock(&p->lock);
    return a ? a : page_answer(http_response_error(E_NOT_FOUND, "%s", none));
}

static struct http_response *get_state(struct http_request *r, void *ctx) {
    struct clerk_page *p = ctx;
    struct http_response *no = refused(p, r);
    return no ? no : held(p, &p->state, "the desk is not ready yet");
}

/* /picture/N of the form that /state names */
static struct http_response *get_picture(struct http_request *r, void *ctx) {
    struct clerk_page *p = ctx;
    struct http_response *no = refused(p, r);
    const char *t = http_tail(r);
    if (no) return no;
    const size_t n = t[0] >= '0' && t[0] <= '9' ? strtoul(t, NULL, 10) : CLERK_PAGES_MAX;
    if (n >= CLERK_PAGES_MAX) return page_answer(http_response_error(E_NOT_FOUND, "there is no such picture"));
    return held(p, &p->picture[n], "there is no such picture");
}

static struct http_response *get_draft(struct http_request *r, void *ctx) {
    struct clerk_page *p = ctx;
    struct http_response *no = refused(p, r);
    struct fail f = {0};
    struct buf b;
    if (no) return no;
    buf_init(&b, CLERK_DRAFT_MAX);
    pthread_mutex_lock(&p->lock);
    err e = p->form[0] ? clerk_draft_read(p->draft, &b, &f) : OK;
    pthread_mutex_unlock(&p->lock);
    if (e == OK && cj_check(buf_view(&b), NULL) != OK) buf_clear(&b); /* not ours: nothing is typed yet */
    if (e == OK && b.n == 0) buf_str(&b, "null");
    struct http_response *a = e == OK ? http_response_take(200, "application/json", &b) : http_response_fail_of(&f);
    buf_release(&b);
    return page_answer(a);
}

/* The draft names the form that it is of, so that a late one does not end up with the next form. */
static bool is_of(struct span draft, const char *form) {
    struct cj r;
    struct span name;
    bool same = false;
    cj_init(&r, draft, NULL);
    cj_object(&r);
    while (cj_any_key(&r, &name))
        if (span_is(name, "form"))
            same = span_is(cj_code(&r, HASH_HEX_LEN), form);
        else
            (void)cj_raw(&r);
    return cj_end(&r) == OK && same;
}

static struct http_response *put_draft(struct http_request *r, void *ctx) {
    struct clerk_page *p = ctx;
    struct http_response *no = refused(p, r);
    struct fail f = {0};
    if (no) return no;
    pthread_mutex_lock(&p->lock);
    err e = p->form[0] && is_of(http_body(r), p->form)
                ? clerk_draft_write(p->draft, http_body(r), &f)
                : fail_set(&f, E_STATE, "this is not of the form that is being read now");
    pthread_mutex_unlock(&p->lock);
    return page_answer(e == OK ? http_response_copy(200, "application/json", SPAN_LIT("{}"))
                               : http_response_fail_of(&f));
}

/* --- orders, which the worker carries out --- */

static struct http_response *order(struct http_request *r, void *ctx, enum page_order what) {
    struct clerk_page *p = ctx;
    struct http_response *no = refused(p, r);
    if (no) return no;
    pthread_mutex_lock(&p->lock);
    const bool free = p->order == ORDER_NONE;
    struct http_token *t = free ? http_defer(r) : NULL;
    if (t) {
        p->order = what;
        p->waiting = t;
        buf_clear(&p->body);
        buf_span(&p->body, http_body(r));
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return free ? NULL : page_answer(http_response_error(E_BUSY, "the desk is still busy with what was asked before"));
}

static struct http_response *post_next(struct http_request *r, void *ctx) {
    return order(r, ctx, ORDER_NEXT);
}

static struct http_response *post_skip(struct http_request *r, void *ctx) {
    return order(r, ctx, ORDER_SKIP);
}

static struct http_response *post_seal(struct http_request *r, void *ctx) {
    return order(r, ctx, ORDER_SEAL);
}

/* --- files --- */

static struct http_response *get_file(struct http_request *r, void *ctx) {
    struct clerk_page *p = ctx;
    struct http_response *no = stranger(p, r);
    const char *path = strcmp(http_path(r), "/") == 0 ? "/desk.html" : http_path(r);
    if (no) return no;
    for (size_t i = 0; i < clerk_page_file_count; i++) {
        const struct clerk_page_file *x = &clerk_page_files[i];
        if (strcmp(path, x->path) == 0) return page_answer(http_response_copy(200, x->type, span_of(x->bytes, x->n)));
    }
    return page_answer(http_response_error(E_NOT_FOUND, "there is no such page"));
}

static const struct http_route routes[] = {
    {"/enter", HTTP_POST, enter, .max_body = PAGE_SECRET_LEN},
    {"/state", HTTP_GET, get_state},
    {"/picture/*", HTTP_GET, get_picture},
    {"/draft", HTTP_GET, get_draft},
    {"/draft", HTTP_PUT, put_draft, .max_body = PAGE_BODY_MAX},
    {"/next", HTTP_POST, post_next, .max_body = 16},
    {"/skip", HTTP_POST, post_skip, .max_body = 16},
    {"/seal", HTTP_POST, post_seal, .max_body = PAGE_BODY_MAX},
    {"/*", HTTP_GET, get_file},
};

/* --- running --- */

static void tell_address(struct clerk_page *p, const char *why) {
    char line[300];
    pthread_mutex_lock(&p->lock);
    new_secret(p->secret);
    (void)snprintf(line, sizeof line, "%shttp://%s/#%s", why, p->hosts[0], p->secret);
    pthread_mutex_unlock(&p->lock);
    p->o->tell(line);
    secret_wipe(line, sizeof line);
}

/* True: there is one. */
static bool wait_for_order(struct clerk_page *p, uint32_t ms) {
    const uint64_t until = clock_monotonic_ms() + ms;
    pthread_mutex_lock(&p->lock);
    if (p->order == ORDER_NONE) (void)wait_until(&p->wake, &p->lock, until);
    const bool came = p->order != ORDER_NONE;
    pthread_mutex_unlock(&p->lock);
    return came;
}

/* A page that is gone gets a new address, once; false: it has been gone for long, and nothing waits. */
static bool is_attended(struct clerk_page *p) {
    const uint64_t gone_ms = p->o->gone_ms ? p->o->gone_ms : GONE_MS;
    pthread_mutex_lock(&p->lock);
    const uint64_t gone = clock_monotonic_ms() - p->seen_ms;
    const bool told = p->secret[0] != 0;
    pthread_mutex_unlock(&p->lock);
    if (!told && gone > CLOSED_TELL_MS)
        tell_address(p, "the page does not ask any more; if its window is closed, go on here: ");
    if (gone <= gone_ms) return true;
    if (p->closed) return true; /* what is sealed is opened as long as this runs */
    p->o->tell("no page has asked for long and nothing is left to be opened: the desk ends here. What was typed "
               "and not sealed is kept; start it again to go on");
    return false;
}

static err serve(struct clerk_page *p, struct fail *f) {
    uint32_t wait_ms = 0;
    err e = OK;
    while (e == OK && !p->o->stopped() && is_attended(p)) {
        e = page_work_order(p, f);
        if (e == OK) e = page_work(p, &wait_ms, f);
        for (uint32_t t = 0; e == OK && t < wait_ms && !p->o->stopped(); t += 200)
            if (wait_for_order(p, wait_ms - t < 200 ? wait_ms - t : 200)) break;
    }
    return e;
}

static err check_address(const struct clerk_page_options *o, struct fail *f) {
    if (strcmp(o->address, "127.0.0.1") == 0 || strcmp(o->address, "::1") == 0) return OK;
    return fail_set(f, E_USAGE, "the desk's page is for this machine's own browser: the address is 127.0.0.1 or [::1], "
                                "not %.60s", o->address);
}

err clerk_page_run(const struct clerk_page_options *o, struct fail *f) {
    TRY(check_address(o, f));
    if (clerk_page_file_count == 0)
        return fail_set(f, E_STATE, "this program was built without the page (tools/setup installs what it takes); "
                                    "'hesabu read' works on the terminal");
    struct clerk_page *p = calloc(1, sizeof *p);
    if (!p) return fail_set(f, E_MEMORY, "no memory for the desk");
    p->o = o;
    p->seen_ms = clock_monotonic_ms();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    buf_init(&p->body, PAGE_BODY_MAX);
    err e = page_work_begin(p, f);
    const struct http_options ho = {.address = o->address, .port = o->port, .threads = 2, .max_connections = 64};
    if (e == OK) e = http_server_start(&ho, routes, sizeof routes / sizeof *routes, p, &p->server, f);
    if (e == OK) {
        const unsigned port = http_server_port(p->server);
        const bool six = strchr(o->address, ':') != NULL;
        pthread_mutex_lock(&p->lock);
        (void)snprintf(p->hosts[0], sizeof p->hosts[0], six ? "[%s]:%u" : "%s:%u", o->address, port);
        (void)snprintf(p->hosts[1], sizeof p->hosts[1], "localhost:%u", port);
        pthread_mutex_unlock(&p->lock);
        tell_address(p, "open this address in the browser of this machine, once (end with Ctrl-C): ");
        e = serve(p, f);
        http_server_stop(p->server, GRACE_MS);
    }
    page_work_end(p);
    buf_release(&p->body);
    secret_wipe(p->secret, sizeof p->secret);
    secret_wipe(p->token, sizeof p->token);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return e;
}
