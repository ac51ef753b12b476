/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/zones.h"

#include <math.h>

#define INK_LEAST 70 /* of 255: a pale pen on white */
enum { CELLS_X = 32, CELLS_Y = 21, HASH_BITS_LEAST = 40 };

struct rect_mm zone_inner(const struct layout_zone *z) {
    const bool heading = z->kind == ZONE_SIGNATURE_OFFICER || z->kind == ZONE_SIGNATURE_DEPUTY ||
                         z->kind == ZONE_STAMP;
    const double top = heading ? 4.6 : 1.0;
    return (struct rect_mm){z->at.x + 1, z->at.y + top, z->at.w - 2, z->at.h - top - 1};
}

err zone_ink(const struct sheet *s, const struct layout_zone *z, double *mm2, struct fail *f) {
    struct raster ink;
    TRY(sheet_cut(s, zone_inner(z), &ink, f));
    size_t n = 0;
    for (size_t i = 0; i < (size_t)ink.w * (size_t)ink.h; i++) n += ink.p[i] > INK_LEAST;
    *mm2 = (double)n / (SHEET_PPMM * SHEET_PPMM);
    raster_release(&ink);
    return OK;
}

static err hash_one(const struct sheet *s, const struct layout_zone *z, uint64_t *out, unsigned bit,
                    struct fail *f) {
    const struct rect_mm r = zone_inner(z);
    struct raster ink, soft;
    TRY(sheet_cut(s, r, &ink, f));
    for (size_t i = 0; i < (size_t)ink.w * (size_t)ink.h; i++)
        ink.p[i] = ink.p[i] > INK_LEAST ? 255 : 0;
    /* a little blur, so that a stroke near a cell's edge does not change sides at once */
    const err e = raster_box_mean(&ink, 4, &soft, f);
    for (int y = 0; e == OK && y < CELLS_Y; y++)
        for (int x = 0; x < CELLS_X; x++, bit++) {
            const int cx = (int)((x + 0.5) * ink.w / CELLS_X),
                      cy = (int)((y + 0.5) * ink.h / CELLS_Y);
            if (raster_at(&soft, cx, cy) > 40) out[bit / 64] |= (uint64_t)1 << bit % 64;
        }
    if (e == OK) raster_release(&soft);
    raster_release(&ink);
    return e;
}

static unsigned bits_of(const uint64_t *h) {
    unsigned n = 0;
    for (int i = 0; i < ZONE_HASH_WORDS; i++) n += (unsigned)__builtin_popcountll(h[i]);
    return n;
}

err zone_hash(const struct sheet *s, const struct layout_page *p, uint64_t out[ZONE_HASH_WORDS],
              bool *usable, struct fail *f) {
    memset(out, 0, ZONE_HASH_WORDS * sizeof *out);
    unsigned bit = 0;
    for (unsigned i = 0; i < p->zone_count; i++) {
        const enum zone_kind k = p->zones[i].kind;
        if (k != ZONE_SIGNATURE_OFFICER && k != ZONE_SIGNATURE_DEPUTY && k != ZONE_STAMP) continue;
        TRY(hash_one(s, &p->zones[i], out, bit, f));
        bit += CELLS_X * CELLS_Y;
    }
    *usable = bits_of(out) >= HASH_BITS_LEAST;
    return OK;
}

double zone_hash_similarity(const uint64_t *a, const uint64_t *b) {
    unsigned both = 0, either = 0;
    for (int i = 0; i < ZONE_HASH_WORDS; i++) {
        both += (unsigned)__builtin_popcountll(a[i] & b[i]);
        either += (unsigned)__builtin_popcountll(a[i] | b[i]);
    }
    return either ? (double)both / either : 0;
}

/* Bits in common, counted as this processor counts fastest. */
typedef unsigned count_common(const uint64_t *a, const uint64_t *b);

#define COUNT_COMMON                                                                             \
    uint64_t n = 0;                                                                              \
    for (int i = 0; i < ZONE_HASH_WORDS; i++) n += (uint64_t)__builtin_popcountll(a[i] & b[i]); \
    return (unsigned)n

static unsigned common_plain(const uint64_t *a, const uint64_t *b) {
    COUNT_COMMON;
}

#ifdef __x86_64__
__attribute__((target("popcnt"))) static unsigned common_popcnt(const uint64_t *a,
                                                                const uint64_t *b) {
    COUNT_COMMON;
}

__attribute__((target("avx512f,avx512vpopcntdq"))) static unsigned
common_wide(const uint64_t *a, const uint64_t *b) {
    COUNT_COMMON;
}
#endif

static count_common *fastest(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512vpopcntdq")) return common_wide;
    if (__builtin_cpu_supports("popcnt")) return common_popcnt;
#endif
    return common_plain;
}

void zone_hash_pairs(const uint64_t *hashes, size_t n, double least, size_t part, size_t parts,
                     void (*found)(void *ctx, size_t i, size_t j, double similarity), void *ctx) {
    count_common *const common = fastest();
    for (size_t i = part; i < n; i += parts) {
        const uint64_t *a = hashes + i * ZONE_HASH_WORDS;
        const unsigned na = common(a, a);
        if (na < HASH_BITS_LEAST) continue;
        for (size_t j = i + 1; j < n; j++) {
            const uint64_t *b = hashes + j * ZONE_HASH_WORDS;
            const unsigned both = common(a, b);
            /* |a and b| / |a or b| >= least needs |a and b| >= least |a| */
            if (both < least * na) continue;
            const unsigned nb = common(b, b);
            const double v = (double)both / (na + nb - both);
            if (nb >= HASH_BITS_LEAST && v >= least) found(ctx, i, j, v);
        }
    }
}
