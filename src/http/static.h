/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Static files: a folder's tree served from a bounded cache of ready answers, text also compressed
 * (gzip) for those who take it.
 *
 * Only regular files are served, no name that begins with a dot, no symbolic link at any level:
 * what lies outside the folder cannot be reached. Files are taken to be replaced (renamed over),
 * or appended never: an immutable one is read once, another is looked at again after a time. */
#ifndef HTTP_STATIC_H
#define HTTP_STATIC_H

#include "http/response.h"

struct static_tree;

/* The first rule that matches decides; a file that no rule matches is not there (404). */
struct static_rule {
    const char *prefix; /* of the path inside the folder, "" = any */
    const char *suffix; /* "" = any */
    const char *type;   /* Content-Type */
    bool immutable;     /* never looked at again; cached for a year by whoever asks */
    uint32_t max_age;   /* seconds, for what is not immutable */
    bool framed;        /* HTML that other sites may show in a frame */
    const char *index;  /* a path that ends in '/' or is empty gets this appended; or NULL */
};

struct static_options {
    const char *dir;
    const struct static_rule *rules; /* outlive the tree */
    size_t rule_count;
    size_t cache_bytes;  /* 0 = 64 MiB */
    size_t max_cached;   /* larger files are sent from disk; 0 = 1 MiB */
    uint32_t recheck_ms; /* 0 = 1000 */
    bool any_origin;     /* Access-Control-Allow-Origin: * (public data, read by pages elsewhere) */
    const char *html_policy; /* Content-Security-Policy of HTML, to which who may frame it is added;
                              * NULL: that alone. Outlives the tree */
};

MUST_USE err static_open(const struct static_options *options, struct static_tree **out,
                         struct fail *f);
void static_close(struct static_tree *t);

/* The answer for a path inside the folder ("tile/0/000", without the first '/'), already checked as
 * uri.h does (and checked again here). Thread-safe. `now_ms` is monotonic. A reference for the
 * caller; 404 as JSON when there is no such file. `accept`: the request's Accept-Encoding, or NULL;
 * where it takes gzip, text is compressed once and kept, under an ETag of its own. */
struct http_response *static_get(struct static_tree *t, const char *path, const char *accept,
                                 uint64_t now_ms);
/* Forgets one path at once (it was just replaced). */
void static_forget(struct static_tree *t, const char *path);

struct static_stats {
    uint64_t hits, misses, checks, evicted, bytes, entries;
};
void static_stats(struct static_tree *t, struct static_stats *out);

#endif
