/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "tlog/checkpoint.h"

#define RECEIPT_TYPE "application/vnd.hesabu.receipt"

/* --- POST /records --- */

struct waiting {
    struct routes_ctx *ctx;
    struct http_token *token;
};

static void sequenced(void *arg, struct receipt *r) {
    struct waiting *w = arg;
    struct http_response *answer;
    if (r->code == OK) {
        metric_add(r->duplicate ? w->ctx->duplicates : w->ctx->accepted, 1);
        answer = http_response_take(r->duplicate ? 200 : 201, RECEIPT_TYPE, &r->bytes);
        if (answer) http_response_no_store(answer);
    } else {
        metric_add(w->ctx->refused, 1);
        r->fail.code = r->code;
        answer = http_response_fail_of(&r->fail);
    }
    http_reply(w->token, answer);
    free(w);
}

/* The key's own budget: a stolen key cannot keep everybody else waiting. */
static bool within_budget(struct routes_ctx *x, const struct submission *s, uint32_t *retry_s) {
    if (!x->per_key || !s->signer[0]) return true;
    struct hash h = sha256(span_text(s->signer));
    struct peer_key key;
    memcpy(key.b, h.b, sizeof key.b);
    pthread_mutex_lock(&x->per_key_lock);
    bool ok = limits_take(x->per_key, &key, clock_monotonic_ms(), 1, retry_s);
    pthread_mutex_unlock(&x->per_key_lock);
    return ok;
}

static struct http_response *refuse(struct routes_ctx *x, struct submission *s, struct fail *f) {
    if (s) sequencer_refused(x->q, s, f->code);
    submission_free(s);
    metric_add(x->refused, 1);
    return http_response_fail_of(f);
}

static struct http_response *post_record(struct http_request *r, void *arg) {
    struct routes_ctx *x = arg;
    struct fail f = {0};
    struct submission *s = NULL;
    err e = x->unchecked ? submission_raw(http_body(r), &s, &f)
                         : submission_new(http_body(r), sequencer_keys(x->q), &s, &f);
    if (e != OK) return refuse(x, s, &f);
    uint32_t retry_s = 1;
    if (!within_budget(x, s, &retry_s)) {
        fail_set(&f, E_RATE, "the key %s sends more than it may; wait %u s", s->signer, retry_s);
        struct http_response *a = refuse(x, s, &f);
        if (a) http_response_retry(a, retry_s);
        return a;
    }
    struct waiting *w = malloc(sizeof *w);
    if (!w) {
        submission_free(s);
        return http_response_error(E_MEMORY, "no memory for this request");
    }
    w->ctx = x;
    w->token = http_defer(r);
    if (!w->token) {
        free(w);
        submission_free(s);
        return NULL;
    }
    s->done = sequenced;
    s->ctx = w;
    e = sequencer_submit(x->q, s, &f);
    if (e == OK) return NULL;
    submission_free(s);
    f.code = e;
    http_reply(w->token, http_response_fail_of(&f));
    free(w);
    return NULL;
}

/* --- PUT /objects/HASH?class=public|restricted --- */

struct upload_claim {
    struct hash id;
    uint64_t size;
    enum object_class class;
    struct submission *record; /* that names it: the caller's, freed with submission_free */
    char signer[128];
};

/* The record that names the object comes along in a header, so that a stranger cannot fill the disk:
 * its signature must hold, and its JSON must name this hash and size. */
static err read_claim(struct routes_ctx *x, const struct http_request *r, struct upload_claim *out,
                      struct fail *f) {
    struct span class;
    out->record = NULL;
    TRY(hash_from_hex(span_text(http_tail(r)), &out->id, f));
    out->class = OBJECT_PUBLIC;
    if (http_query(r, "class", &class)) {
        if (span_is(class, "restricted"))
            out->class = OBJECT_RESTRICTED;
        else if (!span_is(class, "public"))
            return fail_set(f, E_FIELD, "class is public or restricted");
    }
    const char *length = http_header(r, "Content-Length"), *record = http_header(r, "Hesabu-Record");
    if (!length) return fail_set(f, E_FIELD, "an upload says its Content-Length");
    TRY(u64_parse(span_text(length), UINT64_MAX, &out->size, f));
    if (out->size == 0) /* no body follows, and there is no upload */
        return fail_set(f, E_FIELD, "an object has at least one byte");
    if (!record)
        return fail_set(f, E_SIGNER, "an upload brings the signed record that names the object, in "
                                     "base64, in the header Hesabu-Record");
    uint8_t note[12288];
    size_t n;
    TRY(base64_decode(span_text(record), note, sizeof note, &n, f));
    err e = submission_new(span_of(note, n), sequencer_keys(x->q), &out->record, f);
    const struct submission *s = out->record;
    if (e == OK) {
        char hex[HASH_HEX_LEN + 1], member[160];
        hash_hex(&out->id, hex);
        int len = snprintf(member, sizeof member, "{\"sha256\":\"%s\",\"size\":%llu}", hex,
                           (unsigned long long)out->size);
        if (!memmem(note, n, member, (size_t)len))
            e = fail_set(f, E_REFERENCE, "the record does not name this object and size");
        (void)snprintf(out->signer, sizeof out->signer, "%s", s->signer);
        if (e == OK && !s->signer[0]) /* a manifest's signers are not known yet */
            (void)snprintf(out->signer, sizeof out->signer, "manifest");
    }
    return e;
}

/* Ends a claim: refusals with a record are counted like those of records. */
static struct http_response *end_claim(struct routes_ctx *x, struct upload_claim *c, err e,
                                       struct fail *f) {
    if (e != OK && c->record) sequencer_refused(x->q, c->record, e);
    submission_free(c->record);
    c->record = NULL;
    if (e == OK) return NULL;
    f->code = e;
    return http_response_fail_of(f);
}

static void free_claim(void *p) {
    struct upload_claim *c = p;
    submission_free(c->record);
    free(c);
}

static struct http_response *admit_object(struct http_request *r, void *arg) {
    struct fail f = {0};
    struct upload_claim *claim = calloc(1, sizeof *claim);
    if (!claim) return http_response_error(E_MEMORY, "no memory for an upload");
    err e = read_claim(arg, r, claim, &f);
    if (e == OK) {
        http_keep(r, claim, free_claim); /* put_object has it: signatures are verified once */
        return NULL;
    }
    struct http_response *refusal = end_claim(arg, claim, e, &f);
    free_claim(claim);
    return refusal;
}

static err store_upload(struct routes_ctx *x, const struct upload_claim *c,
                        const struct http_upload *u, struct fail *f) {
    struct object_put *put;
    if (!u || u->size != c->size || !hash_eq(&u->sha256, &c->id))
        return fail_set(f, E_OBJECT, "the bytes do not have the hash or size that was announced");
    TRY(objects_put_begin(sequencer_objects(x->q), c->class, &c->id, c->size, c->signer,
                          clock_wall_ms(), &put, f));
    if (!put) return OK; /* it is there already */
    int fd = open(u->path, O_RDONLY | O_CLOEXEC);
    err e = fd < 0 ? file_error(f, errno, "opening", u->path) : OK;
    static _Thread_local uint8_t part[65536];
    for (ssize_t n = 1; e == OK && n > 0;) {
        n = read(fd, part, sizeof part);
        if (n < 0) e = file_error(f, errno, "reading", u->path);
        if (n > 0) e = objects_put_write(put, span_of(part, (size_t)n), f);
    }
    if (fd >= 0) close(fd);
    if (e == OK) return objects_put_commit(put, f);
    objects_put_abort(put);
    return e;
}

static struct http_response *put_object(struct http_request *r, void *arg) {
    struct routes_ctx *x = arg;
    struct upload_claim *claim = http_kept(r);
    struct fail f = {0};
    err e = store_upload(x, claim, http_upload(r), &f);
    struct http_response *refusal = end_claim(x, claim, e, &f);
    if (refusal || e != OK) return refusal;
    return http_response_copy(201, "application/json", SPAN_LIT("{\"stored\":true}\n"));
}

/* --- reading --- */

/* The receipt under the newest checkpoint that the witnesses have cosigned, when it covers the entry;
 * else under the newest one. */
static err proof_of(struct routes_ctx *x, uint64_t index, struct buf *out, struct fail *f) {
    struct buf checkpoint;
    uint64_t size = 0;
    buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
    err e = x->publisher ? publisher_witnessed(x->publisher, &size, &checkpoint, f) : OK;
    pthread_mutex_lock(&x->reader_lock);
    if (e == OK && index < size)
        e = sequencer_receipt_under(x->q, x->reader, index, buf_view(&checkpoint), size, out, f);
    else if (e == OK)
        e = sequencer_receipt(x->q, x->reader, index, out, f);
    pthread_mutex_unlock(&x->reader_lock);
    buf_release(&checkpoint);
    return e;
}

/* GET /proofs/INDEX, /proofs/ID or /proofs/key/NAME (the record that introduced the key): the receipt
 * again, witnessed if it can be. */
static struct http_response *get_proof(struct http_request *r, void *arg) {
    struct routes_ctx *x = arg;
    struct span tail = span_text(http_tail(r));
    struct fail f = {0};
    uint64_t index = UINT64_MAX;
    if (span_starts(tail, SPAN_LIT("key/"))) {
        index = keyring_index(sequencer_keys(x->q), span_from(tail, 4));
        if (index == UINT64_MAX) return http_response_error(E_NOT_FOUND, "the log knows no key of this name");
    } else if (tail.n == HASH_HEX_LEN) {
        struct hash id;
        if (hash_from_hex(tail, &id, &f) != OK) return http_response_fail_of(&f);
        index = sequencer_find(x->q, &id);
        if (index == UINT64_MAX) return http_response_error(E_NOT_FOUND, "no such record in the log");
    } else if (u64_parse(tail, UINT32_MAX, &index, &f) != OK) {
        return http_response_fail_of(&f);
    }
    struct buf out;
    buf_init(&out, 256 << 10);
    err e = proof_of(x, index, &out, &f);
    if (e != OK) {
        buf_release(&out);
        f.code = e;
        return http_response_fail_of(&f);
    }
    struct http_response *a = http_response_take(200, RECEIPT_TYPE, &out);
    if (a) http_response_no_store(a);
    return a;
}

static struct http_response *get_events(struct http_request *r, void *arg) {
    return stream_subscribe(((struct routes_ctx *)arg)->events, r);
}

static struct http_response *get_metrics(struct http_request *r, void *arg) {
    struct buf out;
    struct fail f = {0};
    (void)r;
    buf_init(&out, 1 << 20);
    if (metrics_text(((struct routes_ctx *)arg)->metrics, &out, &f) != OK)
        return http_response_fail_of(&f);
    struct http_response *a = http_response_take(200, METRICS_TYPE, &out);
    if (a) http_response_no_store(a);
    return a;
}

static struct http_response *get_health(struct http_request *r, void *arg) {
    struct routes_ctx *x = arg;
    (void)r;
    struct buf out;
    buf_init(&out, 256);
    const char *why;
    bool up = sequencer_is_up(x->q, &why);
    struct json_out j = json_out(&out);
    json_object(&j);
    json_kbool(&j, "sequencing", up);
    if (!up) json_kstr(&j, "why", why);
    json_ku64(&j, "size", sequencer_size(x->q));
    json_ku64(&j, "queued", sequencer_queued(x->q));
    if (x->publisher) {
        struct buf checkpoint;
        struct fail f;
        uint64_t size = 0;
        buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
        if (publisher_checkpoint(x->publisher, &size, &checkpoint, &f) == OK) json_ku64(&j, "published", size);
        buf_release(&checkpoint);
        json_ku64(&j, "pages_due", publisher_pages_due(x->publisher));
    }
    json_object_end(&j);
    buf_byte(&out, '\n');
    struct http_response *a = http_response_take(up ? 200 : 503, "application/json", &out);
    if (a) http_response_no_store(a);
    return a;
}

static struct http_response *get_file(struct http_request *r, void *arg) {
    return static_get(((struct routes_ctx *)arg)->files, http_path(r) + 1, http_header(r, "Accept-Encoding"),
                      clock_monotonic_ms());
}

const struct http_route routes_table[] = {
    {.path = "/records", .methods = HTTP_POST, .handle = post_record, .max_body = ENTRY_MAX, .cost = 1},
    {.path = "/objects/*", .methods = HTTP_PUT, .handle = put_object, .admit = admit_object,
     .max_body = OBJECT_BYTES_MAX, .to_file = true, .cost = 4},
    {.path = "/objects/*", .methods = HTTP_GET, .handle = get_file},
    {.path = "/proofs/*", .methods = HTTP_GET, .handle = get_proof, .cost = 1},
    {.path = "/events", .methods = HTTP_GET, .handle = get_events, .cost = 1},
    {.path = "/metrics", .methods = HTTP_GET, .handle = get_metrics},
    {.path = "/healthz", .methods = HTTP_GET, .handle = get_health},
    {.path = "/*", .methods = HTTP_GET, .handle = get_file},
};
const size_t routes_count = sizeof routes_table / sizeof *routes_table;

const struct static_rule routes_static_rules[] = {
    {.prefix = "data/", .suffix = ".csv", .type = "text/csv; charset=utf-8", .max_age = 60},
    {.prefix = "data/", .suffix = ".gz", .type = "application/gzip", .max_age = 60},
    {.prefix = "data/", .suffix = ".atom", .type = "application/atom+xml", .max_age = 60},
    {.prefix = "places.geojson", .suffix = "", .type = "application/geo+json", .max_age = 60},
    {.prefix = "data/", .suffix = ".json", .type = "application/json", .max_age = 60},
    {.prefix = "data/SHA256SUMS", .suffix = "", .type = "text/plain; charset=utf-8", .max_age = 60},
    {.prefix = "", .suffix = "card.html", .type = "text/html; charset=utf-8", .max_age = 2, .framed = true},
    {.prefix = "", .suffix = ".html", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "assets/", .suffix = ".css", .type = "text/css; charset=utf-8", .immutable = true},
    {.prefix = "assets/", .suffix = ".js", .type = "text/javascript; charset=utf-8", .immutable = true},
    {.prefix = "assets/", .suffix = ".wasm", .type = "application/wasm", .immutable = true},
    {.prefix = "assets/", .suffix = ".svg", .type = "image/svg+xml", .immutable = true},
    {.prefix = "tile/", .suffix = "", .type = "application/octet-stream", .immutable = true},
    {.prefix = "objects/", .suffix = "", .type = "application/octet-stream", .immutable = true},
    {.prefix = "witnessed/", .suffix = "", .type = "text/plain; charset=utf-8", .max_age = 5},
    {.prefix = "checkpoint", .suffix = "", .type = "text/plain; charset=utf-8", .max_age = 2},
    {.prefix = "log.vkey", .suffix = "", .type = "text/plain; charset=utf-8", .max_age = 60},
    {.prefix = "anchor", .suffix = "", .type = "text/plain; charset=utf-8", .max_age = 60},
    {.prefix = "results/", .suffix = ".json", .type = "application/json", .max_age = 2},
    {.prefix = "keys/", .suffix = "", .type = "text/plain; charset=utf-8", .max_age = 5},
    {.prefix = "watch.json", .suffix = "", .type = "application/json", .max_age = 2},
    {.prefix = "areas/", .suffix = ".json", .type = "application/json", .max_age = 2},
    {.prefix = "search/", .suffix = ".json", .type = "application/json", .max_age = 60},
    {.prefix = "map.json", .suffix = "", .type = "application/json", .max_age = 60},
    {.prefix = "boundaries.json", .suffix = "", .type = "application/json", .max_age = 60},
    {.prefix = "head.json", .suffix = "", .type = "application/json", .max_age = 1},
    {.prefix = "", .suffix = "/", .type = "text/html; charset=utf-8", .max_age = 2, .index = "index.html"},
    {.prefix = "", .suffix = "", .type = "text/html; charset=utf-8", .max_age = 2, .index = "index.html"},
};
const size_t routes_static_rule_count = sizeof routes_static_rules / sizeof *routes_static_rules;
