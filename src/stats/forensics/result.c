/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/forensics.h"

void fx_detail(struct fx_result *r, const char *name, double value) {
    if (r->details < FX_DETAILS) r->detail[r->details++] = (struct fx_detail){name, value};
}

double fx_get(const struct fx_result *r, const char *name) {
    for (size_t i = 0; i < r->details; i++)
        if (strcmp(r->detail[i].name, name) == 0) return r->detail[i].value;
    return NAN;
}

err fx_list_add(struct fx_list *l, struct arena *mem, const struct fx_result *r, struct fail *f) {
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct fx_result *at = arena_array(mem, cap, sizeof *at);
        if (!at) return fail_set(f, E_MEMORY, "too many areas for the memory allowed");
        if (l->n) memcpy(at, l->at, l->n * sizeof *at);
        l->at = at;
        l->cap = cap;
    }
    l->at[l->n++] = *r;
    return OK;
}
