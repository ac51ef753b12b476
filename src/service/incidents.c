/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/incidents.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "election/compose.h"

enum { ROWS = 256, EVIDENCE_MAX = 1 << 20, TEXT_MAX = 60000 };

struct row {
    err code;
    bool proven;
    enum record_type type;
    char key[128];
    uint64_t count, first_ms, last_ms;
    uint64_t told;    /* of `count`, by the last take */
    struct span note; /* owned */
};

struct incidents {
    pthread_mutex_t lock; /* everything */
    struct row rows[ROWS];
    size_t n, taken;
    size_t evidence_bytes;
    uint64_t waiting, total;
};

err incidents_new(struct incidents **out, struct fail *f) {
    *out = calloc(1, sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for incidents");
    pthread_mutex_init(&(*out)->lock, NULL);
    return OK;
}

void incidents_free(struct incidents *x) {
    if (!x) return;
    for (size_t i = 0; i < x->n; i++) free((void *)(uintptr_t)x->rows[i].note.p);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

static struct row *find_row(struct incidents *x, err code, const char *key, bool proven,
                            enum record_type type) {
    for (size_t i = x->taken; i < x->n; i++) {
        struct row *r = &x->rows[i];
        if (r->code == code && r->proven == proven && r->type == type && strcmp(r->key, key) == 0)
            return r;
    }
    /* the last row is for whatever does not fit: of nobody, of no type */
    if (x->n + 1 >= ROWS && (key[0] || proven || type != REC_COUNT))
        return find_row(x, E_BUSY, "", false, REC_COUNT);
    if (x->n == ROWS) return &x->rows[ROWS - 1];
    struct row *r = &x->rows[x->n++];
    *r = (struct row){.code = code, .proven = proven, .type = type};
    (void)snprintf(r->key, sizeof r->key, "%s", key);
    return r;
}

void incidents_add(struct incidents *x, err code, const char *signer, bool proven,
                   enum record_type type, struct span note, uint64_t ms) {
    pthread_mutex_lock(&x->lock);
    if (x->evidence_bytes + note.n > EVIDENCE_MAX) proven = false;
    struct row *r = find_row(x, code, signer, proven, type);
    if (r->count++ == 0) r->first_ms = ms;
    if (ms > r->last_ms) r->last_ms = ms;
    if (r->proven && !r->note.p && note.n) { /* one example a row */
        uint8_t *copy = malloc(note.n);
        if (copy) {
            memcpy(copy, note.p, note.n);
            r->note = span_of(copy, note.n);
            x->evidence_bytes += note.n;
        } else {
            r->proven = false;
        }
    }
    x->waiting++;
    x->total++;
    pthread_mutex_unlock(&x->lock);
}

uint64_t incidents_waiting(struct incidents *x) {
    pthread_mutex_lock(&x->lock);
    uint64_t n = x->waiting;
    pthread_mutex_unlock(&x->lock);
    return n;
}

uint64_t incidents_total(struct incidents *x) {
    pthread_mutex_lock(&x->lock);
    uint64_t n = x->total;
    pthread_mutex_unlock(&x->lock);
    return n;
}

err incidents_take(struct incidents *x, const struct fold *fold, struct buf *text,
                   struct span *evidence, size_t max, size_t *count, struct fail *f) {
    struct compose_incident rows[ROWS];
    struct hash election;
    *count = 0;
    if (!fold_election(fold, &election)) return OK;
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->n; i++) {
        struct row *r = &x->rows[i];
        struct key_view key;
        r->told = r->count;
        bool known = r->key[0] && fold_key(fold, span_text(r->key), &key);
        bool proven = r->proven && known && r->note.n && *count < max;
        rows[i] = (struct compose_incident){
            .proven = proven,
            .code = err_info(r->code)->name,
            .count = r->count,
            .first_ms = r->first_ms,
            .last_ms = r->last_ms,
            .key = known ? span_text(r->key) : SPAN_LIT("unknown"),
            .type = r->type == REC_COUNT ? SPAN_LIT("unknown")
                                         : span_text(record_info(r->type)->name)};
        if (!proven) continue;
        evidence[(*count)++] = r->note;
        rows[i].note = (struct named_object){sha256(r->note), r->note.n};
    }
    /* what does not fit into one record waits for the next */
    for (x->taken = x->n; x->taken; x->taken = x->taken / 2) {
        buf_clear(text);
        compose_incidents(text, &election, rows, x->taken);
        if (!text->failed && text->n <= TEXT_MAX) break;
    }
    pthread_mutex_unlock(&x->lock);
    return buf_ok(text, f);
}

void incidents_written(struct incidents *x, bool logged) {
    pthread_mutex_lock(&x->lock);
    if (logged) {
        size_t kept = 0;
        for (size_t i = 0; i < x->n; i++) {
            struct row *r = &x->rows[i];
            if (i < x->taken) {
                x->waiting -= r->told;
                x->evidence_bytes -= r->note.n;
                free((void *)(uintptr_t)r->note.p);
                r->note = (struct span){0};
                r->count -= r->told; /* what came meanwhile into a full table */
                r->first_ms = r->last_ms;
                r->proven = false;
                if (r->count == 0) continue;
            }
            x->rows[kept++] = *r;
        }
        x->n = kept;
    }
    x->taken = 0;
    pthread_mutex_unlock(&x->lock);
}
