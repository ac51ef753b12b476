/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

/* Slots stand 4 KiB apart, so that no disk tears both in one write. A slot: magic 16, number of the
 * write 8, size 8, root 32, SHA-256 of the origin 32, SHA-256 of all that 32. */
enum { SLOT_AT = 4096, SLOT_BYTES = 128, SUMMED = 96, GUARD_BYTES = 2 * SLOT_AT };

static const char MAGIC[17] = "hesabu-guard v1\n";

struct slot {
    uint64_t number, size;
    struct hash root, origin;
};

struct guard {
    int fd;
    bool failed, torn;
    struct slot last;
    char path[PATH_MAX_LEN];
};

static void slot_encode(const struct slot *s, uint8_t out[SLOT_BYTES]) {
    memcpy(out, MAGIC, 16);
    put_u64be(out + 16, s->number);
    put_u64be(out + 24, s->size);
    memcpy(out + 32, s->root.b, 32);
    memcpy(out + 64, s->origin.b, 32);
    struct hash sum = sha256(span_of(out, SUMMED));
    memcpy(out + SUMMED, sum.b, 32);
}

static bool slot_decode(struct span in, struct slot *s) {
    if (in.n < SLOT_BYTES || memcmp(in.p, MAGIC, 16) != 0) return false;
    struct hash sum = sha256(span_of(in.p, SUMMED));
    if (memcmp(sum.b, in.p + SUMMED, 32) != 0) return false;
    s->number = get_u64be(in.p + 16);
    s->size = get_u64be(in.p + 24);
    memcpy(s->root.b, in.p + 32, 32);
    memcpy(s->origin.b, in.p + 64, 32);
    return true;
}

err guard_create(const char *path, const char *origin, struct fail *f) {
    if (file_exists(path))
        return fail_set(f, E_EXISTS, "the guard %s exists: it is never made anew", path);
    uint8_t bytes[GUARD_BYTES] = {0};
    struct slot s = {.root = sha256(span_of("", 0)), .origin = sha256(span_text(origin))};
    slot_encode(&s, bytes);
    s.number = 1;
    slot_encode(&s, bytes + SLOT_AT);
    TRY(file_mkdirs_for(path, f));
    return file_write_durable(path, span_of(bytes, sizeof bytes), 0644, f);
}

/* The newer of the slots that are whole: its index, or -1. */
static int newest(struct span bytes, struct slot s[2], bool whole[2]) {
    for (int i = 0; i < 2; i++)
        whole[i] = slot_decode(span_from(bytes, (size_t)i * SLOT_AT), &s[i]) &&
                   (s[i].number & 1) == (unsigned)i;
    if (!whole[0] && !whole[1]) return -1;
    return !whole[0] || (whole[1] && s[1].number > s[0].number);
}

static err decode(struct span bytes, const char *path, struct slot *last, bool *torn,
                  struct fail *f) {
    struct slot s[2];
    bool whole[2];
    int at = newest(bytes, s, whole);
    if (at < 0)
        return fail_set(f, E_DAMAGED,
                        "the guard %s is damaged in both halves: nothing says up to where the log "
                        "was signed; compare with the witnesses before making a new one",
                        path);
    *torn = !whole[0] || !whole[1];
    *last = s[at];
    return OK;
}

err guard_decode(struct span bytes, struct guard_state *out, struct fail *f) {
    struct slot last = {0};
    bool torn = false;
    TRY(decode(bytes, "file", &last, &torn, f));
    *out = (struct guard_state){last.size == 0, last.size, last.root, torn};
    return OK;
}

static err load(struct guard *g, struct fail *f) {
    uint8_t bytes[GUARD_BYTES];
    size_t n = 0;
    while (n < sizeof bytes) {
        ssize_t got = pread(g->fd, bytes + n, sizeof bytes - n, (off_t)n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return file_error(f, errno, "reading", g->path);
        if (got == 0) break;
        n += (size_t)got;
    }
    return decode(span_of(bytes, n), g->path, &g->last, &g->torn, f);
}

err guard_open(const char *path, const char *origin, struct guard **out, struct fail *f) {
    *out = NULL;
    if (!file_exists(path))
        return fail_set(f, E_NOT_FOUND,
                        "the guard %s is not there: nothing says up to where the log was signed",
                        path);
    struct guard *g = calloc(1, sizeof *g);
    if (!g) return fail_set(f, E_MEMORY, "out of memory while opening %s", path);
    g->fd = -1;
    int n = snprintf(g->path, sizeof g->path, "%s", path);
    err e = n < 0 || (size_t)n >= sizeof g->path
                ? fail_set(f, E_TOO_LARGE, "path too long: %.200s", path)
                : file_lock(path, &g->fd, f);
    if (e == OK) e = load(g, f);
    if (e == OK) {
        struct hash want = sha256(span_text(origin));
        if (!hash_eq(&g->last.origin, &want))
            e = fail_set(f, E_ORIGIN, "the guard %s belongs to another log than %.100s", path,
                         origin);
    }
    if (e != OK) {
        guard_close(g);
        return e;
    }
    *out = g;
    return OK;
}

void guard_close(struct guard *g) {
    if (!g) return;
    if (g->fd >= 0) close(g->fd);
    free(g);
}

struct guard_state guard_state(const struct guard *g) {
    return (struct guard_state){
        .empty = g->last.size == 0, .size = g->last.size, .root = g->last.root, .torn = g->torn};
}

err guard_check(const struct guard *g, uint64_t store_size, const struct hash *root_there,
                struct fail *f) {
    if (store_size < g->last.size)
        return fail_set(f, E_ROLLBACK,
                        "the store has %llu entries, but %llu were signed already: it is an old "
                        "copy. Bring it up to date from a mirror; nothing is signed until then",
                        (unsigned long long)store_size, (unsigned long long)g->last.size);
    if (g->last.size == 0) return OK;
    if (!root_there)
        return fail_set(f, E_INTERNAL, "the guard needs the store's root at %llu",
                        (unsigned long long)g->last.size);
    if (!hash_eq(root_there, &g->last.root))
        return fail_set(f, E_ROLLBACK,
                        "the store's first %llu entries are not those that were signed: it is a "
                        "copy that went another way. Nothing is signed from it",
                        (unsigned long long)g->last.size);
    return OK;
}

err guard_advance(struct guard *g, uint64_t size, const struct hash *root, struct fail *f) {
    if (g->failed)
        return fail_set(f, E_IO, "the guard %s could not be written before: start again", g->path);
    if (size < g->last.size || (size == g->last.size && !hash_eq(root, &g->last.root)))
        return fail_set(f, E_ROLLBACK,
                        "the guard %s has signed %llu entries: it does not go to another root, or "
                        "back to %llu",
                        g->path, (unsigned long long)g->last.size, (unsigned long long)size);
    if (size == g->last.size) return OK;
    struct slot next = g->last;
    next.number++;
    next.size = size;
    next.root = *root;
    uint8_t bytes[SLOT_BYTES];
    slot_encode(&next, bytes);
    off_t at = (off_t)(next.number & 1) * SLOT_AT;
    ssize_t n = file_fault("write", g->path) ? -1 : pwrite(g->fd, bytes, sizeof bytes, at);
    if (n == (ssize_t)sizeof bytes && !file_fault("fsync", g->path) && fdatasync(g->fd) == 0) {
        g->last = next;
        return OK;
    }
    g->failed = true; /* never again: what the disk holds is unknown */
    if (n >= 0 && n < (ssize_t)sizeof bytes) errno = ENOSPC;
    return file_error(f, errno, "writing", g->path);
}
