/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/table.h"

uint64_t fx_votes_total(const struct fx_table *t, size_t i) {
    uint64_t sum = 0;
    for (size_t c = 0; c < t->choices; c++) {
        uint32_t v = fx_votes(t, c, i);
        if (v != FX_ABSENT) sum += v;
    }
    return sum;
}

uint32_t fx_valid(const struct fx_table *t, size_t i) {
    if (t->valid) return t->valid[i];
    bool blank = true;
    for (size_t c = 0; c < t->choices && blank; c++) blank = fx_votes(t, c, i) == FX_ABSENT;
    uint64_t sum = fx_votes_total(t, i);
    return blank || sum > FX_MOST ? FX_ABSENT : (uint32_t)sum;
}

uint32_t fx_counted(const struct fx_table *t, size_t i) {
    uint32_t v = fx_valid(t, i), r = fx_cell(t->rejected, i);
    if (v == FX_ABSENT || r == FX_ABSENT) return v; /* a blank "rejected" is no reason to drop v */
    return v + r;                                   /* both at most FX_MOST */
}

uint32_t fx_issued(const struct fx_table *t, size_t i) {
    return t->issued ? t->issued[i] : fx_counted(t, i);
}

size_t fx_rival(const struct fx_table *t) {
    size_t best = t->leader;
    uint64_t most = 0;
    for (size_t c = 0; c < t->choices; c++) {
        uint64_t sum = 0;
        if (c == t->leader) continue;
        for (size_t i = 0; i < t->n; i++) {
            uint32_t v = fx_votes(t, c, i);
            if (v != FX_ABSENT) sum += v;
        }
        if (sum > most || best == t->leader) {
            most = sum;
            best = c;
        }
    }
    return best;
}

err fx_group(const struct fx_table *t, size_t level, struct arena *mem, struct fx_groups *out,
             struct fail *f) {
    const struct fx_level *l = &t->level[level];
    out->count = l->count;
    out->order = arena_array(mem, t->n + 1, sizeof *out->order);
    out->start = arena_array(mem, l->count + 2, sizeof *out->start);
    if (!out->order || !out->start)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    for (size_t i = 0; i < t->n; i++) out->start[l->of[i] + 2]++;
    for (size_t a = 2; a <= l->count; a++) out->start[a] += out->start[a - 1];
    for (size_t i = 0; i < t->n; i++) out->order[out->start[l->of[i] + 1]++] = (uint32_t)i;
    return OK;
}
