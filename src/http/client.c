/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

enum { IN_FLIGHT_MAX = 1024 };

/* One call under way. */
struct call {
    CURL *easy;
    struct curl_slist *headers;
    struct http_answer answer;
    char error[CURL_ERROR_SIZE];
    char *url;
    FILE *body_file;
    uint64_t body_file_size;
    /* a download */
    FILE *to;
    struct sha256_stream *hash;
    uint64_t received, max;
    bool too_large, write_failed;
    /* of a pool */
    http_done done;
    void *ctx;
    struct call *prev, *next;
};

struct http_client {
    struct http_client_options o;
    char *ca_file;
    CURL *easy;
};

struct http_pool {
    struct http_client_options o;
    char *ca_file;
    CURLM *multi;
    unsigned in_flight;
    size_t active;
    bool closing;
    struct call *calls;
    CURL *spare[IN_FLIGHT_MAX]; /* kept with their buffers */
    size_t spares;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode started;

static void start(void) {
    started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static err options_take(const struct http_client_options *from, struct http_client_options *o,
                        char **ca_file, struct fail *f) {
    pthread_once(&once, start);
    if (started != CURLE_OK)
        return fail_set(f, E_INTERNAL, "the HTTP client does not start: %s",
                        curl_easy_strerror(started));
    if (from) *o = *from;
    if (o->connect_ms == 0) o->connect_ms = 10000;
    if (o->total_ms == 0) o->total_ms = 60000;
    if (o->max_answer == 0) o->max_answer = (size_t)16 << 20;
    if (!o->ca_file) return OK;
    *ca_file = strdup(o->ca_file);
    if (!*ca_file) return fail_set(f, E_MEMORY, "no memory for an HTTP client");
    o->ca_file = *ca_file;
    return OK;
}

void http_answer_release(struct http_answer *a) {
    buf_release(&a->body);
}

/* ---- what arrives ---- */

static size_t on_data(char *p, size_t one, size_t n, void *ctx) {
    struct call *c = ctx;
    (void)one; /* always 1 */
    if (n > c->max - c->received) {
        c->too_large = true;
        return 0;
    }
    c->received += n;
    long status = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!c->to || status != 200) { /* what a refusal says is for the caller, not for the file */
        buf_add(&c->answer.body, p, n);
        c->too_large = c->answer.body.failed;
        return c->answer.body.failed ? 0 : n;
    }
    sha256_stream_add(c->hash, span_of(p, n));
    c->write_failed = fwrite(p, 1, n, c->to) != n;
    return c->write_failed ? 0 : n;
}

static void header_copy(struct span value, char *to, size_t max) {
    while (value.n > 0 && (value.p[0] == ' ' || value.p[0] == '\t')) value = span_from(value, 1);
    while (value.n > 0 && value.p[value.n - 1] <= ' ') value.n--;
    to[0] = 0;
    if (value.n >= max) return;
    memcpy(to, value.p, value.n);
    to[value.n] = 0;
}

static size_t on_header(char *p, size_t one, size_t n, void *ctx) {
    struct call *c = ctx;
    (void)one;
    if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* of a 100 before, or of the answer itself */
        c->answer.etag[0] = c->answer.type[0] = 0;
        c->answer.retry_after_s = 0;
        return n;
    }
    const char *colon = memchr(p, ':', n);
    if (!colon) return n;
    size_t name = (size_t)(colon - p);
    struct span value = span_of(colon + 1, n - name - 1);
    if (name == 4 && strncasecmp(p, "ETag", name) == 0)
        header_copy(value, c->answer.etag, sizeof c->answer.etag);
    if (name == 12 && strncasecmp(p, "Content-Type", name) == 0)
        header_copy(value, c->answer.type, sizeof c->answer.type);
    if (name == 11 && strncasecmp(p, "Retry-After", name) == 0) {
        char text[24];
        uint64_t s = 0;
        header_copy(value, text, sizeof text);
        if (u64_parse(span_text(text), UINT32_MAX, &s, NULL) == OK)
            c->answer.retry_after_s = (uint32_t)s;
    }
    return n;
}

/* ---- one call ---- */

static void call_release(struct call *c) {
    curl_slist_free_all(c->headers);
    if (c->body_file) fclose(c->body_file);
    if (c->to) fclose(c->to);
    sha256_stream_free(c->hash);
    http_answer_release(&c->answer);
    free(c->url);
}

static err header_add(struct call *c, const char *text, struct fail *f) {
    struct curl_slist *more = curl_slist_append(c->headers, text);
    if (!more) return fail_set(f, E_MEMORY, "no memory for a request's headers");
    c->headers = more;
    return OK;
}

static err call_headers(struct call *c, const struct http_call *call, struct fail *f) {
    TRY(header_add(c, "Expect:", f)); /* bodies are small: no waiting for a 100 */
    for (const char *const *h = call->headers; h && *h; h++) TRY(header_add(c, *h, f));
    if (call->if_none_match) {
        char text[256];
        (void)snprintf(text, sizeof text, "If-None-Match: %s", call->if_none_match);
        TRY(header_add(c, text, f));
    }
    return OK;
}

static err call_body(struct call *c, const struct http_call *call, struct fail *f) {
    CURL *e = c->easy;
    bool post = strcmp(call->method, "POST") == 0, put = strcmp(call->method, "PUT") == 0;
    if (!post && !put) {
        if (strcmp(call->method, "HEAD") == 0)
            curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
        else if (strcmp(call->method, "GET") == 0)
            curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
        else
            curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
        return OK;
    }
    if (call->body_file) {
        TRY(file_size(call->body_file, &c->body_file_size, f));
        c->body_file = fopen(call->body_file, "re");
        if (!c->body_file) return file_error(f, errno, "cannot open", call->body_file);
        curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(e, CURLOPT_READDATA, c->body_file);
        curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_file_size);
    } else {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body.n ? (const char *)call->body.p : "");
    }
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->headers) return OK;
    return header_add(c, "Content-Type: application/octet-stream", f);
}

static err call_prepare(struct call *c, const struct http_client_options *o,
                        const struct http_call *call, struct fail *f) {
    CURL *e = c->easy;
    if (strncasecmp(call->url, "http://", 7) != 0 && strncasecmp(call->url, "https://", 8) != 0)
        return fail_set(f, E_USAGE,
                        "\"%.200s\" is not an address that begins with http:// or "
                        "https://",
                        call->url);
    c->max = call->max_answer ? call->max_answer : o->max_answer;
    buf_init(&c->answer.body, (size_t)c->max);
    c->url = strdup(call->url);
    if (!c->url) return fail_set(f, E_MEMORY, "no memory for a request");
    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_URL, call->url);
    if (curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
        return fail_set(f, E_INTERNAL, "the HTTP library cannot be limited to http and https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "hesabu/" HESABU_VERSION);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(call->total_ms ? call->total_ms : o->total_ms));
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    if (o->ca_file) curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file);
    TRY(call_headers(c, call, f));
    TRY(call_body(c, call, f));
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
    return OK;
}

static err call_outcome(struct call *c, CURLcode code, struct fail *f) {
    long status = 0;
    (void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->answer.status = (int)status;
    if (code == CURLE_OK) return OK;
    if (c->too_large)
        return fail_set(f, E_TOO_LARGE, "%s: the answer is longer than %llu bytes", c->url,
                        (unsigned long long)c->max);
    if (c->write_failed) return fail_set(f, E_IO, "%s: cannot write what arrives", c->url);
    const char *why = c->error[0] ? c->error : curl_easy_strerror(code);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fail_set(f, E_TIMEOUT, "%s: no whole answer in time (%s)", c->url, why);
    return fail_set(f, E_NETWORK, "%s: %s", c->url, why);
}

err http_client_new(const struct http_client_options *options, struct http_client **out,
                    struct fail *f) {
    struct http_client *c = calloc(1, sizeof *c);
    if (!c) return fail_set(f, E_MEMORY, "no memory for an HTTP client");
    err code = options_take(options, &c->o, &c->ca_file, f);
    if (code == OK && !(c->easy = curl_easy_init()))
        code = fail_set(f, E_MEMORY, "no memory for an HTTP client");
    if (code != OK) {
        http_client_free(c);
        return code;
    }
    *out = c;
    return OK;
}

void http_client_free(struct http_client *c) {
    if (!c) return;
    if (c->easy) curl_easy_cleanup(c->easy);
    free(c->ca_file);
    free(c);
}

err http_call(struct http_client *client, const struct http_call *call, struct http_answer *out,
              struct fail *f) {
    struct call c = {.easy = client->easy};
    err code = call_prepare(&c, &client->o, call, f);
    if (code == OK) code = call_outcome(&c, curl_easy_perform(c.easy), f);
    *out = c.answer;
    buf_init(&c.answer.body, 0);
    call_release(&c);
    return code;
}

static err download_end(struct call *c, const char *path, uint64_t *size, struct hash *sha256,
                        struct fail *f) {
    FILE *to = c->to;
    c->to = NULL;
    if (fclose(to) != 0) return file_error(f, errno, "cannot write", path);
    *size = c->received;
    struct hash h = sha256_stream_end(c->hash);
    if (sha256) *sha256 = h;
    return OK;
}

err http_download(struct http_client *client, const char *url, const char *path, uint64_t max,
                  int *status, uint64_t *size, struct hash *sha256, struct fail *f) {
    struct call c = {.easy = client->easy};
    const struct http_call call = {.method = "GET", .url = url};
    *status = 0;
    *size = 0;
    err code = call_prepare(&c, &client->o, &call, f);
    c.max = max;
    if (code == OK) code = sha256_stream_new(&c.hash, f);
    if (code == OK && !(c.to = fopen(path, "we")))
        code = file_error(f, errno, "cannot write", path);
    if (code != OK) {
        call_release(&c);
        return code;
    }
    code = call_outcome(&c, curl_easy_perform(c.easy), f);
    *status = c.answer.status;
    if (code == OK && *status == 200) code = download_end(&c, path, size, sha256, f);
    call_release(&c);
    if (code != OK || *status != 200) (void)unlink(path);
    return code;
}

/* ---- judging an answer ---- */

/* The value of "key":"..." in a flat JSON object that this project's server wrote; only used to
 * quote it to a person, so a reading that fails is no error. */
static struct span quoted(struct span json, const char *key) {
    char want[32];
    (void)snprintf(want, sizeof want, "\"%s\":\"", key);
    const uint8_t *at = json.n ? memmem(json.p, json.n, want, strlen(want)) : NULL;
    if (!at) return (struct span){0};
    const uint8_t *from = at + strlen(want), *end = json.p + json.n, *to = from;
    while (to < end && *to != '"' && *to >= 0x20) to += *to == '\\' && to + 1 < end ? 2 : 1;
    if (to > end) to = end;
    struct span s = span_of(from, (size_t)(to - from));
    return utf8_valid(s) ? s : (struct span){0};
}

err http_answer_check(const struct http_answer *a, const char *url, struct fail *f) {
    if (a->status >= 200 && a->status < 300) return OK;
    struct span code = quoted(buf_view(&a->body), "code");
    struct span sentence = quoted(buf_view(&a->body), "sentence");
    char name[32] = "";
    if (code.n > 0 && code.n < sizeof name) {
        memcpy(name, code.p, code.n);
        name[code.n] = 0;
    }
    err e = err_by_name(name);
    /* a code whose status is another one was not said by such a server */
    bool known = e != ERR_COUNT && e != OK && err_info(e)->http == a->status;
    if (!known) return fail_set(f, E_NETWORK, "%s answers with status %d", url, a->status);
    char plain[301];
    size_t n = 0;
    for (size_t i = 0; i < sentence.n && n < sizeof plain - 1; i++) {
        bool escape = sentence.p[i] == '\\' && i + 1 < sentence.n &&
                      (sentence.p[i + 1] == '"' || sentence.p[i + 1] == '\\');
        plain[n++] = (char)sentence.p[escape ? ++i : i];
    }
    return fail_set(f, e, "%s: %.*s", url, (int)n, plain);
}

/* ---- many calls ---- */

err http_pool_new(const struct http_client_options *options, unsigned in_flight, unsigned per_host,
                  struct http_pool **out, struct fail *f) {
    if (in_flight < 1 || in_flight > IN_FLIGHT_MAX)
        return fail_set(f, E_USAGE, "1 to %d requests at once, not %u", IN_FLIGHT_MAX, in_flight);
    struct http_pool *p = calloc(1, sizeof *p);
    if (!p) return fail_set(f, E_MEMORY, "no memory for an HTTP client");
    err code = options_take(options, &p->o, &p->ca_file, f);
    if (code == OK && !(p->multi = curl_multi_init()))
        code = fail_set(f, E_MEMORY, "no memory for an HTTP client");
    if (code != OK) {
        http_pool_free(p);
        return code;
    }
    p->in_flight = in_flight;
    curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      (long)(per_host ? per_host : in_flight));
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    *out = p;
    return OK;
}

bool http_pool_ready(const struct http_pool *p) {
    return p->active < p->in_flight;
}

size_t http_pool_active(const struct http_pool *p) {
    return p->active;
}

static void pool_unlink(struct http_pool *p, struct call *c) {
    if (c->prev)
        c->prev->next = c->next;
    else
        p->calls = c->next;
    if (c->next) c->next->prev = c->prev;
    p->active--;
}

static void pool_finish(struct http_pool *p, struct call *c, err code, const struct fail *f) {
    pool_unlink(p, c);
    curl_multi_remove_handle(p->multi, c->easy);
    p->spare[p->spares++] = c->easy; /* never more than in_flight */
    if (c->done) c->done(c->ctx, code, &c->answer, f);
    call_release(c);
    free(c);
}

void http_pool_free(struct http_pool *p) {
    if (!p) return;
    p->closing = true; /* a `done` starts nothing new */
    while (p->calls) {
        struct fail f = {0};
        err code = fail_set(&f, E_NETWORK, "%s: given up", p->calls->url);
        pool_finish(p, p->calls, code, &f);
    }
    for (size_t i = 0; i < p->spares; i++) curl_easy_cleanup(p->spare[i]);
    if (p->multi) curl_multi_cleanup(p->multi);
    free(p->ca_file);
    free(p);
}

err http_pool_start(struct http_pool *p, const struct http_call *call, http_done done, void *ctx,
                    struct fail *f) {
    if (p->closing || !http_pool_ready(p))
        return fail_set(f, E_BUSY, "%u requests are under way already", p->in_flight);
    struct call *c = calloc(1, sizeof *c);
    CURL *easy = p->spares ? p->spare[--p->spares] : curl_easy_init();
    if (!c || !easy) {
        free(c);
        if (easy) curl_easy_cleanup(easy);
        return fail_set(f, E_MEMORY, "no memory for a request");
    }
    c->easy = easy;
    c->done = done;
    c->ctx = ctx;
    err code = call_prepare(c, &p->o, call, f);
    CURLMcode added = code == OK ? curl_multi_add_handle(p->multi, easy) : CURLM_OK;
    if (added != CURLM_OK) code = fail_set(f, E_INTERNAL, "%s", curl_multi_strerror(added));
    if (code != OK) {
        p->spare[p->spares++] = easy;
        call_release(c);
        free(c);
        return code;
    }
    c->next = p->calls;
    if (p->calls) p->calls->prev = c;
    p->calls = c;
    p->active++;
    return OK;
}

static bool pool_collect(struct http_pool *p) {
    bool any = false;
    int left;
    CURLMsg *m;
    while ((m = curl_multi_info_read(p->multi, &left))) {
        if (m->msg != CURLMSG_DONE) continue;
        char *private = NULL;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
        struct call *c = (struct call *)(void *)private;
        struct fail f = {0};
        err code = call_outcome(c, m->data.result, &f);
        pool_finish(p, c, code, &f);
        any = true;
    }
    return any;
}

err http_pool_run(struct http_pool *p, uint32_t wait_ms, struct fail *f) {
    uint64_t until = clock_monotonic_ms() + wait_ms;
    for (;;) {
        int running;
        CURLMcode code = curl_multi_perform(p->multi, &running);
        if (code != CURLM_OK) return fail_set(f, E_INTERNAL, "%s", curl_multi_strerror(code));
        if (pool_collect(p)) return OK;
        uint64_t now = clock_monotonic_ms();
        if (now >= until || p->active == 0) return OK;
        code = curl_multi_poll(p->multi, NULL, 0, (int)(until - now), NULL);
        if (code != CURLM_OK) return fail_set(f, E_INTERNAL, "%s", curl_multi_strerror(code));
    }
}
