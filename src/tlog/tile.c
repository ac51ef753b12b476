/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/tile.h"

#include <stdio.h>
#include "base/text.h"

/* ---- paths ---- */

void tile_path(struct tile t, char out[TILE_PATH_MAX]) {
    size_t at = t.entries ? (size_t)snprintf(out, TILE_PATH_MAX, "tile/entries/")
                          : (size_t)snprintf(out, TILE_PATH_MAX, "tile/%u/", t.level);
    char digits[21]; /* of the index, in groups of three, all but the last behind an x */
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)t.index);
    int pad = (3 - n % 3) % 3;
    for (int i = -pad; i < n; i++) {
        if ((i + pad) % 3 == 0) {
            if (i > 0) out[at++] = '/';
            if (n - i > 3) out[at++] = 'x';
        }
        out[at++] = i < 0 ? '0' : digits[i];
    }
    if (t.width < TILE_WIDTH)
        (void)snprintf(out + at, TILE_PATH_MAX - at, ".p/%u", t.width);
    else
        out[at] = 0;
}

static err not_a_tile(struct span path, struct fail *f) {
    return fail_set(f, E_TILE, "\"%.*s\" is not a tile's path", SPAN_ARG(path));
}

/* What stands before the next '/' (or everything). */
static struct span part_next(struct span *rest) {
    const uint8_t *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
    struct span part = span_of(rest->p, slash ? (size_t)(slash - rest->p) : rest->n);
    *rest = span_from(*rest, slash ? part.n + 1 : part.n);
    return part;
}

err tile_path_parse(struct span path, struct tile *out, struct fail *f) {
    struct tile t = {.width = TILE_WIDTH};
    struct span rest = path;
    if (path.n >= TILE_PATH_MAX) return not_a_tile(path, f);
    struct span part = part_next(&rest);
    if (!span_is(part, "tile")) return not_a_tile(path, f);
    part = part_next(&rest);
    uint64_t v;
    if (span_is(part, "entries"))
        t.entries = true;
    else if (u64_parse(part, TILE_LEVEL_MAX, &v, NULL) == OK)
        t.level = (uint8_t)v;
    else
        return not_a_tile(path, f);
    for (bool last = false; !last;) {
        part = part_next(&rest);
        if (part.n == 4 && part.p[0] == 'x')
            part = span_from(part, 1);
        else
            last = true;
        if (last && part.n == 5 && part.p[3] == '.' && part.p[4] == 'p') {
            part.n = 3;
            if (u64_parse(part_next(&rest), TILE_WIDTH - 1, &v, NULL) != OK)
                return not_a_tile(path, f);
            t.width = (uint16_t)v;
        }
        if (part.n != 3) return not_a_tile(path, f);
        for (size_t i = 0; i < 3; i++)
            if (!char_is_digit(part.p[i]) || __builtin_mul_overflow(t.index, 10, &t.index) ||
                __builtin_add_overflow(t.index, (uint64_t)(part.p[i] - '0'), &t.index))
                return not_a_tile(path, f);
    }
    /* one spelling: what is written for these values must be what was read */
    char again[TILE_PATH_MAX];
    tile_path(t, again);
    if (rest.n || t.width == 0 || !span_is(path, again)) return not_a_tile(path, f);
    *out = t;
    return OK;
}

/* ---- which tiles there are ---- */

static uint64_t hashes_at(uint64_t size, unsigned level) {
    return level * TILE_HEIGHT >= 64 ? 0 : size >> (level * TILE_HEIGHT);
}

unsigned tile_width_at(uint64_t size, unsigned level, uint64_t index) {
    uint64_t n = hashes_at(size, level), whole = n / TILE_WIDTH;
    if (index < whole) return TILE_WIDTH;
    return index == whole ? (unsigned)(n % TILE_WIDTH) : 0;
}

bool tile_walk_next(struct tile_walk *w, struct tile *out) {
    for (;;) {
        if (hashes_at(w->to, w->level) == 0) return false;
        unsigned width = tile_width_at(w->to, w->level, w->index);
        if (width == 0) { /* on to the next level; entries come before level 0 */
            if (w->entries)
                w->entries = false;
            else
                w->level++;
            w->index = hashes_at(w->from, w->level) / TILE_WIDTH;
            continue;
        }
        uint64_t index = w->index++;
        if (tile_width_at(w->from, w->level, index) == width) continue;
        *out = (struct tile){.entries = w->entries,
                             .level = (uint8_t)w->level,
                             .width = (uint16_t)width,
                             .index = index};
        return true;
    }
}

err tile_hashes(const struct merkle_tree *tree, struct tile t, struct buf *out, struct fail *f) {
    for (unsigned i = 0; i < t.width; i++) {
        const struct hash *h =
            t.entries || t.index > UINT64_MAX / TILE_WIDTH
                ? NULL
                : merkle_tree_hash(tree, (unsigned)t.level * TILE_HEIGHT, t.index * TILE_WIDTH + i);
        if (!h)
            return fail_set(f, E_TILE, "the tree of %llu leaves has no such tile of width %u",
                            (unsigned long long)merkle_tree_size(tree), t.width);
        buf_span(out, hash_span(h));
    }
    return buf_ok(out, f);
}

/* ---- entry bundles ---- */

err bundle_add(struct buf *out, struct span entry, struct fail *f) {
    if (entry.n > TILE_ENTRY_MAX)
        return fail_set(f, E_TOO_LARGE, "an entry of %zu bytes is over the limit of %d", entry.n,
                        TILE_ENTRY_MAX);
    uint8_t length[2];
    put_u16be(length, (uint16_t)entry.n);
    buf_add(out, length, sizeof length);
    buf_span(out, entry);
    return buf_ok(out, f);
}

err bundle_next(struct span *rest, struct span *entry, bool *more, struct fail *f) {
    *more = rest->n > 0;
    if (!*more) return OK;
    if (rest->n < 2) return fail_set(f, E_TILE, "the entry bundle is cut short");
    size_t n = get_u16be(rest->p);
    if (rest->n - 2 < n)
        return fail_set(f, E_TILE, "the entry bundle is cut short: %zu of %zu bytes of an entry",
                        rest->n - 2, n);
    *entry = span_of(rest->p + 2, n);
    *rest = span_from(*rest, 2 + n);
    return OK;
}

err bundle_parse(struct span bytes, unsigned width, struct span *entries, struct fail *f) {
    for (unsigned i = 0; i < width; i++) {
        bool more;
        TRY(bundle_next(&bytes, &entries[i], &more, f));
        if (!more) return fail_set(f, E_TILE, "the entry bundle has %u entries, not %u", i, width);
    }
    if (bytes.n)
        return fail_set(f, E_TILE, "%zu bytes follow the %u entries of a bundle", bytes.n, width);
    return OK;
}

err tile_cut(struct tile t, struct buf *b, size_t before, struct fail *f) {
    struct span all = span_of(b->p + before, b->n - before), rest = all, entry;
    size_t keep = (size_t)t.width * HASH_BYTES;
    if (t.entries) {
        bool more = true;
        for (unsigned i = 0; i < t.width && more; i++) TRY(bundle_next(&rest, &entry, &more, f));
        if (!more) return fail_set(f, E_TILE, "the full tile holds too few entries");
        keep = all.n - rest.n;
    }
    if (keep > all.n) return fail_set(f, E_TILE, "the full tile holds too few hashes");
    b->n = before + keep;
    return OK;
}

err tile_read(tile_get *get, void *ctx, struct tile t, struct buf *out, struct fail *f) {
    char path[TILE_PATH_MAX];
    size_t before = out->n, max = t.entries ? (size_t)TILE_BUNDLE_MAX : (size_t)TILE_BYTES;
    tile_path(t, path);
    err e = get(ctx, path, max, out, f);
    if (e != E_NOT_FOUND || t.width == TILE_WIDTH) return e;
    struct tile full = t;
    full.width = TILE_WIDTH;
    tile_path(full, path);
    out->n = before;
    TRY(get(ctx, path, max, out, f));
    return tile_cut(t, out, before, f);
}
