/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/static.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/gzip.h"
#include "crypto/hash.h"

enum { SHARDS = 16, BUCKETS = 4096, STATIC_PATH_MAX = 1024, YEAR_S = 31536000 };
/* Shorter text fits one packet either way. */
enum { PACK_FROM = 700 };
enum { HEAD_BYTES = 4096 }; /* of a page: its style sheet stands there */

/* How a file is recognised as the one that was read. */
struct version {
    uint64_t size, inode, device;
    struct timespec modified, changed;
};

struct entry {
    struct entry *next;          /* of its bucket */
    struct entry *newer, *older; /* by last use */
    struct http_response *response;
    struct http_response *packed; /* the same, compressed; NULL: not yet, or not worth it */
    bool unpackable;
    const struct static_rule *rule;
    struct version version;
    uint64_t checked_ms;
    size_t bytes;
    uint64_t hash;
    char path[];
};

struct shard {
    pthread_mutex_t lock; /* guards everything here */
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    struct static_stats stats;
    char pad[64]; /* the next shard's lock is on another cache line */
};

struct static_tree {
    struct static_options o;
    int root;
    struct shard shards[SHARDS];
};

err static_open(const struct static_options *options, struct static_tree **out, struct fail *f) {
    struct static_tree *t = calloc(1, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for the cache of %s", options->dir);
    t->o = *options;
    if (t->o.cache_bytes == 0) t->o.cache_bytes = (size_t)64 << 20;
    if (t->o.max_cached == 0) t->o.max_cached = (size_t)1 << 20;
    if (t->o.recheck_ms == 0) t->o.recheck_ms = 1000;
    t->root = open(options->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (t->root < 0) {
        err code = file_error(f, errno, "cannot open the folder", options->dir);
        free(t);
        return code;
    }
    for (size_t i = 0; i < SHARDS; i++) pthread_mutex_init(&t->shards[i].lock, NULL);
    *out = t;
    return OK;
}

static void entry_free(struct entry *e) {
    http_response_release(e->response);
    http_response_release(e->packed);
    free(e);
}

void static_close(struct static_tree *t) {
    if (!t) return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct entry *e = t->shards[i].newest;
        while (e) {
            struct entry *older = e->older;
            entry_free(e);
            e = older;
        }
        pthread_mutex_destroy(&t->shards[i].lock);
    }
    close(t->root);
    free(t);
}

/* FNV-1a; only files that exist are entered, so nobody outside chooses what collides. */
static uint64_t hash_path(const char *path) {
    uint64_t h = 0xcbf29ce484222325u;
    for (; *path; path++) h = (h ^ (uint8_t)*path) * 0x100000001b3u;
    return h ^ h >> 31;
}

static const struct static_rule *rule_for(const struct static_tree *t, const char *path) {
    size_t n = strlen(path);
    for (size_t i = 0; i < t->o.rule_count; i++) {
        const struct static_rule *r = &t->o.rules[i];
        size_t pre = strlen(r->prefix), suf = strlen(r->suffix);
        if (n >= pre && n >= suf && memcmp(path, r->prefix, pre) == 0 &&
            memcmp(path + n - suf, r->suffix, suf) == 0)
            return r;
    }
    return NULL;
}

/* Opens a file below the root, one folder at a time: no link is followed, no name that begins with
 * a dot is opened, so nothing outside of the tree is ever reached. -1 when it is not there. */
static int open_below(int root, const char *path, struct stat *st) {
    int dir = root, fd = -1;
    for (;;) {
        const char *slash = strchr(path, '/');
        size_t n = slash ? (size_t)(slash - path) : strlen(path);
        char name[256];
        if (n == 0 || n >= sizeof name || path[0] == '.') break;
        memcpy(name, path, n);
        name[n] = 0;
        fd = openat(dir, name,
                    O_NOFOLLOW | O_CLOEXEC |
                        (slash ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY));
        if (fd < 0 || !slash) break;
        if (dir != root) close(dir);
        dir = fd;
        fd = -1;
        path = slash + 1;
    }
    if (dir != root) close(dir);
    if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static struct version version_of(const struct stat *st) {
    return (struct version){.size = (uint64_t)st->st_size,
                            .inode = st->st_ino,
                            .device = st->st_dev,
                            .modified = st->st_mtim,
                            .changed = st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_version(const struct version *a, const struct version *b) {
    return a->size == b->size && a->inode == b->inode && a->device == b->device &&
           same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

static struct http_response *not_there(void) {
    return http_response_fail(E_NOT_FOUND, "there is no such file here");
}

/* What pays: images and tiles are hashes, signatures or compressed already. */
static bool is_text(const struct static_rule *rule) {
    return strncmp(rule->type, "text/", 5) == 0 || strstr(rule->type, "json") ||
           strstr(rule->type, "xml") || strstr(rule->type, "wasm");
}

/* What a browser is to do with a page: run only what lies here, show it in no frame of others unless
 * that is what it is for, tell nobody where a link was followed from. */
static void dress_page(const struct static_tree *t, const struct static_rule *rule,
                       struct http_response *r) {
    char policy[400];
    (void)snprintf(policy, sizeof policy, "%s%sframe-ancestors %s",
                   t->o.html_policy ? t->o.html_policy : "", t->o.html_policy ? "; " : "",
                   rule->framed ? "*" : "'self'");
    http_response_header(r, "Content-Security-Policy", policy);
    http_response_header(r, "Referrer-Policy", "no-referrer");
    http_response_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    http_response_header(r, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

/* A page's style sheet is asked for with the page's header: a phone need not have read the page first.
 * Nothing is hinted at but a plain path of this tree, so no page's text can become a header. */
static void hint_style(struct span page, struct http_response *r) {
    static const char mark[] = "<link rel=\"stylesheet\" href=\"";
    char hint[200];
    struct span head = {page.p, page.n < HEAD_BYTES ? page.n : HEAD_BYTES};
    const uint8_t *at = memmem(head.p, head.n, mark, sizeof mark - 1);
    if (!at) return;
    struct span path = span_from(head, (size_t)(at - head.p) + sizeof mark - 1);
    size_t n = 0;
    while (n < path.n && (isalnum(path.p[n]) || memchr("./_-", path.p[n], 4))) n++;
    if (n == 0 || n == path.n || n > 100 || path.p[n] != '"') return;
    if (memmem(path.p, n, "//", 2)) return; /* "//elsewhere.example/a.css" is of another host */
    (void)snprintf(hint, sizeof hint, "<%.*s>; rel=preload; as=style", (int)n, (const char *)path.p);
    http_response_header(r, "Link", hint);
}

/* `page`: its bytes as they are read, where they are at hand. */
static struct http_response *dress(const struct static_tree *t, const struct static_rule *rule,
                                   struct http_response *r, const char *tag, struct span page) {
    if (!r) return NULL;
    http_response_etag(r, tag);
    http_response_cache(r, rule->immutable ? YEAR_S : rule->max_age, rule->immutable);
    http_response_header(r, "X-Content-Type-Options", "nosniff");
    if (is_text(rule)) http_response_header(r, "Vary", "Accept-Encoding");
    if (strncmp(rule->type, "text/html", 9) == 0) {
        dress_page(t, rule, r);
        hint_style(page, r);
    }
    if (t->o.any_origin) {
        http_response_header(r, "Access-Control-Allow-Origin", "*");
        http_response_header(r, "Cross-Origin-Resource-Policy", "cross-origin");
    }
    return r;
}

/* Reads the whole file: the tag is its hash, so that mirrors of a file agree on it. */
static struct http_response *load_whole(const struct static_tree *t, const struct static_rule *rule,
                                        int fd, size_t size) {
    struct buf b;
    buf_init(&b, size + 1);
    uint8_t *to = buf_room(&b, size + 1);
    while (to && b.n <= size) {
        ssize_t n = read(fd, to + b.n, size + 1 - b.n);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        b.n += (size_t)n;
    }
    if (!to || b.n != size) { /* it changed while it was read, or cannot be read */
        buf_release(&b);
        return http_response_fail(E_LOCKED, "this file is being replaced: try again");
    }
    char tag[HASH_HEX_LEN + 1];
    struct hash h = sha256(buf_view(&b));
    hash_hex(&h, tag);
    tag[32] = 0;
    struct http_response *r = http_response_take(200, rule->type, &b);
    return dress(t, rule, r, tag, r ? http_response_body(r) : (struct span){0});
}

static err take_piece(void *ctx, struct span bytes, struct fail *f) {
    struct buf *b = ctx;
    buf_span(b, bytes);
    return buf_ok(b, f);
}

/* The same bytes compressed; NULL when that saves less than a tenth. */
static struct http_response *pack(const struct static_tree *t, const struct static_rule *rule,
                                  const struct http_response *plain) {
    struct span body = http_response_body(plain);
    const char *tag = http_response_header_get(plain, "ETag");
    struct gzip_out *g;
    struct fail f;
    struct buf b;
    char own[80];
    if (!rule || !tag || !is_text(rule) || body.n < PACK_FROM || strlen(tag) > sizeof own - 8) return NULL;
    buf_init(&b, body.n - body.n / 10);
    if (gzip_out_new(take_piece, &b, &g, &f) != OK) return NULL;
    err e = gzip_out_put(g, body, &f);
    if (e == OK) e = gzip_out_end(g, &f);
    gzip_out_free(g);
    if (e != OK) {
        buf_release(&b);
        return NULL;
    }
    (void)snprintf(own, sizeof own, "%.*s-gz", (int)strlen(tag) - 2, tag + 1);
    struct http_response *r = dress(t, rule, http_response_take(200, rule->type, &b), own, body);
    http_response_header(r, "Content-Encoding", "gzip");
    return r;
}

static struct http_response *load_large(const struct static_tree *t, const struct static_rule *rule,
                                        int fd, const struct version *v) {
    char tag[64];
    (void)snprintf(tag, sizeof tag, "%llx-%llx.%lx", (unsigned long long)v->size,
                   (unsigned long long)v->modified.tv_sec, (unsigned long)v->modified.tv_nsec);
    return dress(t, rule, http_response_file(200, rule->type, fd, v->size), tag, (struct span){0});
}

/* ---- the cache; each function under the shard's lock ---- */

static struct entry *find(struct shard *s, uint64_t hash, const char *path) {
    struct entry *e = s->buckets[hash / SHARDS % BUCKETS];
    while (e && (e->hash != hash || strcmp(e->path, path) != 0)) e = e->next;
    return e;
}

static void unlink_use(struct shard *s, struct entry *e) {
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(struct shard *s, struct entry *e) {
    e->newer = NULL;
    e->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
}

static void drop(struct shard *s, struct entry *e) {
    struct entry **at = &s->buckets[e->hash / SHARDS % BUCKETS];
    while (*at != e) at = &(*at)->next;
    *at = e->next;
    unlink_use(s, e);
    s->stats.bytes -= e->bytes;
    s->stats.entries--;
    entry_free(e);
}

static void insert(struct static_tree *t, struct shard *s, struct entry *e) {
    struct entry *old = find(s, e->hash, e->path);
    if (old) drop(s, old);
    struct entry **at = &s->buckets[e->hash / SHARDS % BUCKETS];
    e->next = *at;
    *at = e;
    link_newest(s, e);
    s->stats.bytes += e->bytes;
    s->stats.entries++;
    while (s->stats.bytes > t->o.cache_bytes / SHARDS && s->oldest != e) {
        s->stats.evicted++;
        drop(s, s->oldest);
    }
}

static void remember(struct static_tree *t, struct shard *s, uint64_t hash, const char *path,
                     const struct static_rule *rule, const struct version *v,
                     struct http_response *r, uint64_t now_ms) {
    size_t n = strlen(path) + 1;
    struct entry *e = calloc(1, sizeof *e + n);
    if (!e) return; /* served all the same */
    memcpy(e->path, path, n);
    e->hash = hash;
    e->rule = rule;
    e->version = *v;
    e->checked_ms = now_ms;
    e->response = r;
    e->bytes = http_response_body(r).n + n + 1024; /* the entry, headers, the library's share */
    http_response_retain(r);
    pthread_mutex_lock(&s->lock);
    insert(t, s, e);
    pthread_mutex_unlock(&s->lock);
}

/* The ready answer, or NULL. *gzip: it may be compressed; afterwards: it should be. *due: it must be looked at on disk first (by this thread only). */
static struct http_response *cached(struct static_tree *t, struct shard *s, uint64_t hash,
                                    const char *path, uint64_t now_ms, bool *gzip, bool *due,
                                    struct version *v) {
    struct http_response *r = NULL;
    *due = false;
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, hash, path);
    if (e) {
        r = *gzip && e->packed ? e->packed : e->response;
        if (e->packed || e->unpackable) *gzip = false; /* nothing is left to be done */
        http_response_retain(r);
        if (!e->rule->immutable && now_ms >= e->checked_ms + t->o.recheck_ms) {
            *due = true;
            *v = e->version;
            e->checked_ms = now_ms;
            s->stats.checks++;
        }
        s->stats.hits++;
        if (s->newest != e) {
            unlink_use(s, e);
            link_newest(s, e);
        }
    } else {
        s->stats.misses++;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

/* Compresses what is served plain so far, and keeps that for the next one. Takes r over. */
static struct http_response *packed(struct static_tree *t, struct shard *s, uint64_t hash,
                                    const char *path, struct http_response *r) {
    struct http_response *small = pack(t, rule_for(t, path), r);
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, hash, path);
    if (e && e->response == r && !e->packed) {
        e->unpackable = !small;
        e->packed = small;
        if (small) {
            http_response_retain(small);
            e->bytes += http_response_body(small).n + 1024;
            s->stats.bytes += http_response_body(small).n + 1024;
            while (s->stats.bytes > t->o.cache_bytes / SHARDS && s->oldest != e) {
                s->stats.evicted++;
                drop(s, s->oldest);
            }
        }
    }
    pthread_mutex_unlock(&s->lock);
    if (!small) return r;
    http_response_release(r);
    return small;
}

void static_forget(struct static_tree *t, const char *path) {
    uint64_t hash = hash_path(path);
    struct shard *s = &t->shards[hash % SHARDS];
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, hash, path);
    if (e) drop(s, e);
    pthread_mutex_unlock(&s->lock);
}

static struct http_response *load(struct static_tree *t, struct shard *s, uint64_t hash,
                                  const char *path, uint64_t now_ms, struct http_response *have,
                                  const struct version *had) {
    struct stat st;
    const struct static_rule *rule = rule_for(t, path);
    int fd = rule ? open_below(t->root, path, &st) : -1;
    if (fd < 0) {
        if (have) static_forget(t, path);
        http_response_release(have);
        return not_there();
    }
    struct version v = version_of(&st);
    if (have && same_version(&v, had)) {
        close(fd);
        return have;
    }
    http_response_release(have);
    if (v.size > t->o.max_cached) {
        if (have) static_forget(t, path);
        return load_large(t, rule, fd, &v);
    }
    struct http_response *r = load_whole(t, rule, fd, (size_t)v.size);
    close(fd);
    if (r && http_response_status(r) == 200) remember(t, s, hash, path, rule, &v, r, now_ms);
    return r;
}

/* RFC 9110, section 12.5.3: gzip is named, and not with a weight of nothing. */
static bool takes_gzip(const char *accept) {
    while (accept && *accept) {
        size_t n = strcspn(accept, ",");
        while (n && (*accept == ' ' || *accept == '\t')) accept++, n--;
        size_t name = strcspn(accept, ",; \t");
        if (name == 4 && strncasecmp(accept, "gzip", 4) == 0) {
            const char *q = memmem(accept, n, "q=", 2);
            return !q || strspn(q + 2, "0.") < strcspn(q + 2, ", \t");
        }
        accept += n + (accept[n] == ',');
    }
    return false;
}

struct http_response *static_get(struct static_tree *t, const char *path, const char *accept,
                                 uint64_t now_ms) {
    char whole[STATIC_PATH_MAX + 64];
    size_t n = strlen(path);
    if (n > STATIC_PATH_MAX) return not_there();
    if (n == 0 || path[n - 1] == '/') {
        const struct static_rule *rule = rule_for(t, path);
        if (!rule || !rule->index) return not_there();
        if ((size_t)snprintf(whole, sizeof whole, "%s%s", path, rule->index) >= sizeof whole)
            return not_there();
        path = whole;
    }
    uint64_t hash = hash_path(path);
    struct shard *s = &t->shards[hash % SHARDS];
    bool due, gzip = takes_gzip(accept), wanted = gzip;
    struct version v = {0};
    struct http_response *r = cached(t, s, hash, path, now_ms, &gzip, &due, &v), *had = r;
    if (!r || due) {
        r = load(t, s, hash, path, now_ms, r, &v);
        gzip = r == had ? gzip : wanted;
    }
    return r && gzip && http_response_status(r) == 200 ? packed(t, s, hash, path, r) : r;
}

void static_stats(struct static_tree *t, struct static_stats *out) {
    *out = (struct static_stats){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];
        pthread_mutex_lock(&s->lock);
        out->hits += s->stats.hits;
        out->misses += s->stats.misses;
        out->checks += s->stats.checks;
        out->evicted += s->stats.evicted;
        out->bytes += s->stats.bytes;
        out->entries += s->stats.entries;
        pthread_mutex_unlock(&s->lock);
    }
}
