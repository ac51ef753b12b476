/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/vec.h"

#include <stdlib.h>

static bool budget_take(struct budget *b, size_t n) {
    if (n > b->cap || b->used > b->cap - n) return false;
    b->used += n;
    return true;
}

void vec_init(struct vec *v, struct budget *b, size_t elem, unsigned shift) {
    *v = (struct vec){.elem = elem, .shift = shift, .budget = b};
}

void vec_release(struct vec *v) {
    for (size_t i = 0; i < v->chunk_count; i++) free(v->chunks[i]);
    free(v->chunks);
    v->budget->used -= v->chunk_count * (v->elem << v->shift);
    vec_init(v, v->budget, v->elem, v->shift);
}

static bool add_chunk(struct vec *v) {
    size_t bytes = v->elem << v->shift;
    if (v->chunk_count == v->chunk_slots) {
        size_t slots = v->chunk_slots ? v->chunk_slots * 2 : 16;
        void **p = realloc(v->chunks, slots * sizeof *p);
        if (!p) return false;
        v->chunks = p;
        v->chunk_slots = slots;
    }
    if (!budget_take(v->budget, bytes)) return false;
    void *c = malloc(bytes);
    if (!c) {
        v->budget->used -= bytes;
        return false;
    }
    v->chunks[v->chunk_count++] = c;
    return true;
}

void *vec_push(struct vec *v) {
    if (v->n >> v->shift >= v->chunk_count && !add_chunk(v)) return NULL;
    void *p = vec_at(v, v->n);
    v->n++;
    memset(p, 0, v->elem);
    return p;
}

void *vec_push_run(struct vec *v, size_t count, size_t *at) {
    size_t per = (size_t)1 << v->shift, from = v->n;
    if (count > per) return NULL;
    if ((from & (per - 1)) + count > per) from = (from | (per - 1)) + 1;
    while (from + count > v->chunk_count << v->shift)
        if (!add_chunk(v)) return NULL;
    v->n = from + count;
    *at = from;
    if (count == 0) return v; /* any non-NULL pointer: nothing may be read through it */
    void *p = vec_at(v, from);
    memset(p, 0, count * v->elem);
    return p;
}

void table_init(struct table *t, struct budget *b) {
    *t = (struct table){.budget = b};
}

void table_release(struct table *t) {
    if (t->slots) t->budget->used -= (t->mask + 1) * sizeof *t->slots;
    free(t->slots);
    table_init(t, t->budget);
}

static void put(struct table_slot *slots, size_t mask, struct table_slot s) {
    size_t i = s.hash & mask;
    while (slots[i].index_plus_1) i = (i + 1) & mask;
    slots[i] = s;
}

static bool grow(struct table *t) {
    size_t size = t->slots ? (t->mask + 1) * 2 : 64;
    if (size - 1 > UINT32_MAX) return false; /* 32 bits of the hash are kept */
    if (!budget_take(t->budget, size * sizeof *t->slots)) return false;
    struct table_slot *slots = calloc(size, sizeof *slots);
    if (!slots) {
        t->budget->used -= size * sizeof *slots;
        return false;
    }
    for (size_t i = 0; t->slots && i <= t->mask; i++)
        if (t->slots[i].index_plus_1) put(slots, size - 1, t->slots[i]);
    if (t->slots) t->budget->used -= (t->mask + 1) * sizeof *slots;
    free(t->slots);
    t->slots = slots;
    t->mask = size - 1;
    return true;
}

bool table_add(struct table *t, uint64_t hash, uint32_t index) {
    if (index == UINT32_MAX) return false;
    if ((!t->slots || t->n >= (t->mask + 1) / 8 * 5) && !grow(t)) return false;
    put(t->slots, t->mask, (struct table_slot){(uint32_t)hash, index + 1});
    t->n++;
    return true;
}

uint32_t table_next(const struct table *t, uint64_t hash, size_t *cursor) {
    if (!t->slots) return UINT32_MAX;
    for (size_t step = *cursor;; step++) {
        struct table_slot s = t->slots[((uint32_t)hash + step) & t->mask];
        if (!s.index_plus_1) return UINT32_MAX;
        if (s.hash == (uint32_t)hash) {
            *cursor = step + 1;
            return s.index_plus_1 - 1;
        }
    }
}

void table_remove(struct table *t, uint64_t hash, uint32_t index) {
    if (!t->slots) return;
    size_t i = (uint32_t)hash & t->mask;
    while (t->slots[i].index_plus_1 &&
           (t->slots[i].hash != (uint32_t)hash || t->slots[i].index_plus_1 != index + 1))
        i = (i + 1) & t->mask;
    if (!t->slots[i].index_plus_1) return;
    /* close the gap: move back whatever could not stand nearer to its place (Knuth 6.4, algorithm R) */
    for (size_t j = i;;) {
        j = (j + 1) & t->mask;
        if (!t->slots[j].index_plus_1) break;
        size_t home = t->slots[j].hash & t->mask;
        if (((j - home) & t->mask) >= ((j - i) & t->mask)) {
            t->slots[i] = t->slots[j];
            i = j;
        }
    }
    t->slots[i] = (struct table_slot){0};
    t->n--;
}

static inline uint64_t rotate(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline uint64_t word_le(const uint8_t *p, size_t n) {
    uint64_t w = 0;
    for (size_t i = 0; i < n; i++) w |= (uint64_t)p[i] << 8 * i;
    return w;
}

uint64_t hash_keyed(const struct hash_key *key, struct span s) {
    uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575u, key->k[1] ^ 0x646f72616e646f6du,
                     key->k[0] ^ 0x6c7967656e657261u, key->k[1] ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)s.n << 56;
    for (; s.n >= 8; s.p += 8, s.n -= 8) {
        uint64_t w = word_le(s.p, 8);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    last |= word_le(s.p, s.n);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_bytes(struct span s) {
    static const struct hash_key none = {{0, 0}};
    return hash_keyed(&none, s);
}

enum { KEPT = 1 << 22 }; /* bytes of log that are kept for the next batch */

/* The log is read backwards: old bytes, then a header that says where they go. */
enum undo_kind { UNDO_BYTES, UNDO_VEC, UNDO_TABLE, UNDO_ARENA };
struct undo {
    void *at;
    uint64_t a; /* length of bytes; old n; hash; bytes used */
    uint32_t b; /* table index; blocks made */
    uint32_t kind;
};

void journal_init(struct journal *j, size_t max) {
    *j = (struct journal){0};
    buf_init(&j->log, max);
}

void journal_release(struct journal *j) {
    buf_release(&j->log);
}

/* All or nothing: the log never ends with bytes that no header describes. */
static void record(struct journal *j, struct span old, struct undo u) {
    uint8_t *to = buf_room(&j->log, old.n + sizeof u);
    if (!to) {
        j->failed = true;
        return;
    }
    if (old.n) memcpy(to, old.p, old.n);
    memcpy(to + old.n, &u, sizeof u);
    j->log.n += old.n + sizeof u;
}

void journal_save(struct journal *j, void *p, size_t n) {
    record(j, span_of(p, n), (struct undo){p, n, 0, UNDO_BYTES});
}

void journal_vec(struct journal *j, struct vec *v) {
    record(j, (struct span){0}, (struct undo){v, v->n, 0, UNDO_VEC});
}

void journal_table(struct journal *j, struct table *t, uint64_t hash, uint32_t index) {
    record(j, (struct span){0}, (struct undo){t, hash, index, UNDO_TABLE});
}

void journal_arena(struct journal *j, struct arena *a) {
    struct arena_mark m = arena_mark(a);
    record(j, (struct span){0}, (struct undo){a, m.used, m.made, UNDO_ARENA});
}

void journal_undo(struct journal *j, size_t mark) {
    while (j->log.n > mark) {
        struct undo u;
        j->log.n -= sizeof u;
        memcpy(&u, j->log.p + j->log.n, sizeof u);
        switch ((enum undo_kind)u.kind) {
        case UNDO_BYTES:
            j->log.n -= (size_t)u.a;
            memcpy(u.at, j->log.p + j->log.n, (size_t)u.a);
            break;
        case UNDO_VEC: ((struct vec *)u.at)->n = (size_t)u.a; break;
        case UNDO_TABLE: table_remove(u.at, u.a, u.b); break;
        case UNDO_ARENA: arena_rewind(u.at, (struct arena_mark){(size_t)u.a, u.b}); break;
        }
    }
}

void journal_clear(struct journal *j) {
    j->log.n = 0; /* `failed` stays: what could not be recorded once is not made good later */
    if (j->log.cap <= KEPT) return;
    size_t max = j->log.max;
    bool failed = j->log.failed;
    buf_release(&j->log);
    buf_init(&j->log, max);
    j->log.failed = failed;
}
