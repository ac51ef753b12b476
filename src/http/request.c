/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "http/request_impl.h"

/* A buffer that grew larger than this is given back after its request. */
enum { BODY_KEEP = 16384 };

err request_upload_open(struct http_request *r, const char *dir, struct fail *f) {
    if (!dir) return fail_set(f, E_INTERNAL, "this server has no folder for uploads");
    size_t n = strlen(dir) + sizeof "/.upload-XXXXXX";
    struct upload *u = calloc(1, sizeof *u + n);
    if (!u) return fail_set(f, E_MEMORY, "no memory for an upload");
    err code = sha256_stream_new(&u->hash, f);
    if (code != OK) {
        free(u);
        return code;
    }
    (void)snprintf(u->path, n, "%s/.upload-XXXXXX", dir);
    u->fd = mkostemp(u->path, O_CLOEXEC);
    if (u->fd < 0) {
        code = file_error(f, errno, "cannot make a file in", dir);
        sha256_stream_free(u->hash);
        free(u);
        return code;
    }
    u->pub.path = u->path;
    r->upload = u;
    return OK;
}

err request_upload_finish(struct http_request *r, struct fail *f) {
    struct upload *u = r->upload;
    int fd = u->fd;
    u->fd = -1;
    u->pub.sha256 = sha256_stream_end(u->hash);
    if (close(fd) != 0) return file_error(f, errno, "cannot close", u->path);
    return OK;
}

static err upload_add(struct upload *u, struct span part, struct fail *f) {
    sha256_stream_add(u->hash, part);
    u->pub.size += part.n;
    while (part.n > 0) {
        ssize_t n = write(u->fd, part.p, part.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(f, errno, "cannot write", u->path);
        part = span_from(part, (size_t)n);
    }
    return OK;
}

err request_body_add(struct http_request *r, struct span part, struct fail *f) {
    uint64_t have = r->upload ? r->upload->pub.size : r->body.n, max = r->route->max_body;
    if (part.n > max - have)
        return fail_set(f, E_TOO_LARGE, "a body here is at most %llu bytes",
                        (unsigned long long)max);
    if (r->upload) return upload_add(r->upload, part, f);
    buf_span(&r->body, part);
    return buf_ok(&r->body, f);
}

void http_keep(struct http_request *r, void *p, void (*release)(void *)) {
    r->kept = p;
    r->free_kept = release;
}

void *http_kept(const struct http_request *r) {
    return r->kept;
}

void request_reset(struct http_request *r) {
    struct upload *u = r->upload;
    if (u) {
        if (u->fd >= 0) close(u->fd);
        if (!u->taken) (void)unlink(u->path);
        sha256_stream_free(u->hash);
        free(u);
        r->upload = NULL;
    }
    if (r->kept) r->free_kept(r->kept);
    r->kept = NULL;
    if (r->body.cap > BODY_KEEP)
        buf_release(&r->body);
    else
        buf_clear(&r->body);
    r->route = NULL;
    r->lingered = 0;
    r->state = REQ_NONE;
}

const struct http_route *request_route(const struct http_route *at, size_t n, const char *path,
                                       enum http_method method, const char **tail) {
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(at[i].path);
        bool prefix = len > 0 && at[i].path[len - 1] == '*';
        if (prefix ? strncmp(at[i].path, path, len - 1) != 0 : strcmp(at[i].path, path) != 0)
            continue;
        *tail = prefix ? path + len - 1 : "";
        for (size_t k = i; k < n; k++)
            if ((at[k].methods & method) && strcmp(at[k].path, at[i].path) == 0) return &at[k];
        return &at[i];
    }
    return NULL;
}

enum http_method http_method(const struct http_request *r) {
    return r->method;
}

const char *http_path(const struct http_request *r) {
    return r->uri.text;
}

const char *http_tail(const struct http_request *r) {
    return r->tail;
}

bool http_query(const struct http_request *r, const char *name, struct span *value) {
    return uri_param(&r->uri, name, value);
}

struct span http_body(const struct http_request *r) {
    return buf_view(&r->body);
}

const struct peer_key *http_peer(const struct http_request *r) {
    return &r->peer;
}

bool http_peer_exempt(const struct http_request *r) {
    return r->exempt;
}

const struct http_upload *http_upload(const struct http_request *r) {
    return r->upload ? &r->upload->pub : NULL;
}

void http_upload_take(struct http_request *r) {
    if (r->upload) r->upload->taken = true;
}
