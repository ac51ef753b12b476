/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/components.h"

#include <stdlib.h>

static int root(int *parent, int i) {
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* First pass: provisional labels and which of them meet. Returns their number. */
static int label_runs(const uint8_t *mask, int w, int h, int *label, int *parent) {
    int n = 1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const size_t i = (size_t)y * (size_t)w + (size_t)x;
            if (!mask[i]) continue;
            const int left = x ? label[i - 1] : 0, up = y ? label[i - (size_t)w] : 0;
            if (left && up && left != up) {
                const int a = root(parent, left), b = root(parent, up);
                label[i] = a < b ? a : b;
                parent[a < b ? b : a] = a < b ? a : b;
            } else if (left || up) {
                label[i] = left ? left : up;
            } else {
                parent[n] = n;
                label[i] = n++;
            }
        }
    return n;
}

err components_find(const uint8_t *mask, int w, int h, struct components *out, struct fail *f) {
    /* no two provisional labels start in one 2 x 2 block's diagonal neighbours: half the pixels do
     */
    const size_t most = ((size_t)w * (size_t)h) / 2 + (size_t)w + 2;
    *out = (struct components){0};
    int *parent = malloc(most * sizeof *parent);
    out->label = calloc((size_t)w * (size_t)h, sizeof *out->label);
    if (!parent || !out->label) {
        free(parent);
        return fail_set(f, E_MEMORY, "no memory to look for shapes");
    }
    out->n = label_runs(mask, w, h, out->label, parent);
    out->c = malloc((size_t)out->n * sizeof *out->c);
    if (!out->c) {
        free(parent);
        return fail_set(f, E_MEMORY, "no memory to look for shapes");
    }
    for (int k = 0; k < out->n; k++) out->c[k] = (struct component){w, h, -1, -1, 0};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int *at = &out->label[(size_t)y * (size_t)w + (size_t)x];
            if (!*at) continue;
            *at = root(parent, *at);
            struct component *c = &out->c[*at];
            if (x < c->x0) c->x0 = x;
            if (x > c->x1) c->x1 = x;
            if (y < c->y0) c->y0 = y;
            c->y1 = y;
            c->area++;
        }
    free(parent);
    return OK;
}

void components_release(struct components *c) {
    free(c->label);
    free(c->c);
    *c = (struct components){0};
}
