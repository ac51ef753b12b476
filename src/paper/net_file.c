/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A network's file: "hesabu-net-1\n", six bytes of shape, then for each layer `out` scales and
 * biases (IEEE floats, big-endian) and k*k*in*out signed bytes. */
#include <math.h>
#include "paper/net.h"

static const char magic[] = "hesabu-net-1\n";

static void put_float(struct buf *b, float v) {
    uint32_t u;
    uint8_t t[4];
    memcpy(&u, &v, 4);
    put_u32be(t, u);
    buf_add(b, t, 4);
}

static bool get_float(struct span *s, float *v) {
    if (s->n < 4) return false;
    const uint32_t u = get_u32be(s->p);
    memcpy(v, &u, 4);
    *s = span_from(*s, 4);
    return isfinite(*v) && fabsf(*v) < 1e6f;
}

static size_t rows_of(const struct net_layer *l) {
    return (size_t)((l->k ? l->k * l->k : 1) * l->in);
}

err net_write(const struct net *n, struct buf *out, struct fail *f) {
    const struct net_shape *s = &n->shape;
    buf_str(out, magic);
    const int shape[] = {s->k1, s->c1, s->c2, s->c3, s->c4, s->hidden};
    for (int i = 0; i < 6; i++) buf_byte(out, (uint8_t)shape[i]);
    for (int k = 0; k < NET_LAYERS; k++) {
        const struct net_layer *l = &n->layer[k];
        const size_t rows = rows_of(l), cols = (size_t)l->out;
        float scale[128];
        for (size_t c = 0; c < cols; c++) {
            float most = 0;
            for (size_t r = 0; r < rows; r++) most = fmaxf(most, fabsf(l->w[r * cols + c]));
            scale[c] = most > 0 ? most / 127 : 1;
            put_float(out, scale[c]);
        }
        for (size_t c = 0; c < cols; c++) put_float(out, l->b[c]);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++)
                buf_byte(out, (uint8_t)(int8_t)lrintf(l->w[r * cols + c] / scale[c]));
    }
    return buf_ok(out, f);
}

static err damaged(struct fail *f) {
    return fail_set(f, E_READER, "the reader's weights are damaged: install them again");
}

err net_read(struct span bytes, struct net *n, struct fail *f) {
    *n = (struct net){0};
    if (!span_starts(bytes, SPAN_LIT(magic)) || bytes.n < sizeof magic - 1 + 6) return damaged(f);
    struct span s = span_from(bytes, sizeof magic - 1);
    const struct net_shape shape = {s.p[0], s.p[1], s.p[2], s.p[3], s.p[4], s.p[5]};
    s = span_from(s, 6);
    if (net_init(n, shape, f) != OK) return damaged(f);
    for (int k = 0; k < NET_LAYERS; k++) {
        struct net_layer *l = &n->layer[k];
        const size_t rows = rows_of(l), cols = (size_t)l->out;
        float scale[128];
        bool good = true;
        for (size_t c = 0; good && c < cols; c++) good = get_float(&s, &scale[c]);
        for (size_t c = 0; good && c < cols; c++) good = get_float(&s, &l->b[c]);
        if (!good || s.n < rows * cols) {
            net_release(n);
            return damaged(f);
        }
        for (size_t i = 0; i < rows * cols; i++) l->w[i] = (float)(int8_t)s.p[i] * scale[i % cols];
        s = span_from(s, rows * cols);
    }
    if (s.n) {
        net_release(n);
        return damaged(f);
    }
    return OK;
}
