/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/net.h"

#include <math.h>
#include <stdlib.h>
#include "paper/net_kernel.h"

/* Sides of the maps: 28, pooled to 14, pooled to 7, pooled (with a clipped edge) to 4. */
enum { S1 = 28, S2 = 14, S3 = 7, S4 = 4 };

err net_init(struct net *n, struct net_shape s, struct fail *f) {
    *n = (struct net){.shape = s};
    const int ch[] = {s.c1, s.c2, s.c3, s.c4, s.hidden};
    if (s.k1 != 3 && s.k1 != 5) return fail_set(f, E_RANGE, "the first kernel is 3 or 5 wide");
    for (int i = 0; i < 5; i++)
        if (ch[i] < 16 || ch[i] > 128 || ch[i] % 16)
            return fail_set(f, E_RANGE, "a network's layers have 16 to 128 channels, by sixteens");
    const int shape[NET_LAYERS][3] = {{s.k1, 1, s.c1},
                                      {3, s.c1, s.c2},
                                      {3, s.c2, s.c3},
                                      {3, s.c3, s.c4},
                                      {0, S4 * S4 * s.c4, s.hidden},
                                      {0, s.hidden, 16}};
    for (int i = 0; i < NET_LAYERS; i++) {
        const int k = shape[i][0];
        n->count += (size_t)((k ? k * k : 1) * shape[i][1] + 1) * (size_t)shape[i][2];
    }
    n->all = calloc(n->count, sizeof *n->all);
    if (!n->all) return fail_set(f, E_MEMORY, "no memory for a network");
    float *p = n->all;
    for (int i = 0; i < NET_LAYERS; i++) {
        struct net_layer *l = &n->layer[i];
        *l = (struct net_layer){shape[i][0], shape[i][1], shape[i][2], NULL, NULL};
        l->w = p;
        p += (size_t)((l->k ? l->k * l->k : 1) * l->in) * (size_t)l->out;
        l->b = p;
        p += l->out;
    }
    return OK;
}

void net_release(struct net *n) {
    free(n->all);
    *n = (struct net){0};
}

/* Maps carry a border of `pad` zeros, so that a convolution needs no special cases at the edges. */
struct map {
    int side, pad, ch;
    float *p;
};

static size_t map_size(const struct map *m) {
    const size_t w = (size_t)(m->side + 2 * m->pad);
    return w * w * (size_t)m->ch;
}

static float *map_row(const struct map *m, int y, int x) {
    const size_t w = (size_t)(m->side + 2 * m->pad);
    return m->p + ((size_t)(y + m->pad) * w + (size_t)(x + m->pad)) * (size_t)m->ch;
}

struct net_scratch {
    struct map in, a1, p1, a2, a3, p3, a4;
    struct map d1, d2, d3, d4, dp1, dp3; /* gradients at a1, a2, a3, a4, p1, p3 */
    float *p4, *hidden, *dp4, *dhidden;
    int *arg1, *arg3, *arg4;
    float *turned[NET_LAYERS]; /* weights for the way back, of layers 1 to 3 */
    float *all;
    int *args;
};

struct net_scratch *net_scratch_new(const struct net *n) {
    struct net_scratch *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    const struct net_shape *h = &n->shape;
    const int first = h->k1 / 2;
    s->in = (struct map){S1, first, 1, NULL};
    s->a1 = (struct map){S1, 0, h->c1, NULL};
    s->p1 = (struct map){S2, 1, h->c1, NULL};
    s->a2 = (struct map){S2, 1, h->c2, NULL};
    s->a3 = (struct map){S2, 0, h->c3, NULL};
    s->p3 = (struct map){S3, 1, h->c3, NULL};
    s->a4 = (struct map){S3, 0, h->c4, NULL};
    s->d1 = (struct map){S1, 0, h->c1, NULL};
    s->dp1 = (struct map){S2, 0, h->c1, NULL};
    s->d2 = (struct map){S2, 1, h->c2, NULL};
    s->d3 = (struct map){S2, 1, h->c3, NULL};
    s->dp3 = (struct map){S3, 0, h->c3, NULL};
    s->d4 = (struct map){S3, 1, h->c4, NULL};
    struct map *maps[] = {&s->in, &s->a1, &s->p1,  &s->a2, &s->a3,  &s->p3, &s->a4,
                          &s->d1, &s->d2, &s->dp1, &s->d3, &s->dp3, &s->d4};
    enum { MAPS = sizeof maps / sizeof *maps };
    const size_t flat = (size_t)(S4 * S4 * h->c4), hidden = (size_t)h->hidden;
    size_t total = 2 * flat + 2 * hidden;
    for (int i = 0; i < MAPS; i++) total += map_size(maps[i]);
    for (int i = 1; i < 4; i++) total += (size_t)(9 * n->layer[i].in * n->layer[i].out);
    s->all = calloc(total, sizeof *s->all);
    s->args = calloc((size_t)(S2 * S2 * h->c1 + S3 * S3 * h->c3) + flat, sizeof *s->args);
    if (!s->all || !s->args) {
        net_scratch_free(s);
        return NULL;
    }
    float *p = s->all;
    for (int i = 0; i < MAPS; i++) {
        maps[i]->p = p;
        p += map_size(maps[i]);
    }
    s->p4 = p;
    s->dp4 = s->p4 + flat;
    s->hidden = s->dp4 + flat;
    s->dhidden = s->hidden + hidden;
    p = s->dhidden + hidden;
    for (int i = 1; i < 4; i++) {
        s->turned[i] = p;
        p += 9 * n->layer[i].in * n->layer[i].out;
    }
    s->arg1 = s->args;
    s->arg3 = s->arg1 + S2 * S2 * h->c1;
    s->arg4 = s->arg3 + S3 * S3 * h->c3;
    return s;
}

void net_scratch_free(struct net_scratch *s) {
    if (!s) return;
    free(s->all);
    free(s->args);
    free(s);
}

/* out = [ReLU](in * w + b); `in` has a border of k/2. */
static void convolve(const struct map *in, int k, const float *w, const float *b, bool relu,
                     const struct map *out) {
    const size_t in_row = (size_t)(in->side + 2 * in->pad) * (size_t)in->ch;
    for (int y = 0; y < out->side; y++) {
        const float *from = in->p + (size_t)y * in_row;
        kernel_conv_row(from, in_row, in->ch, k, w, b, out->ch, relu, map_row(out, y, 0),
                        out->side);
    }
}

/* 2 x 2 maximum; the last row and column stand alone when the side is odd. which: 0..3, row by row.
 */
static void pool(const struct map *in, int side, float *out, size_t out_row, int *which) {
    const int c = in->ch;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            const bool right = 2 * x + 1 < in->side, below = 2 * y + 1 < in->side;
            const float *a = map_row(in, 2 * y, 2 * x);
            const float *from[4] = {a, right ? a + c : a, a, a};
            if (below) from[2] = map_row(in, 2 * y + 1, 2 * x);
            if (below) from[3] = right ? from[2] + c : from[2];
            kernel_pool(from, c, out + (size_t)y * out_row + (size_t)(x * c),
                        which + (size_t)((y * side + x) * c));
        }
}

/* Gradient of pool and of the ReLU before it: goes where the maximum stood, if that was positive.
 */
static void unpool(const float *dout, int side, const int *arg, const float *out, size_t out_row,
                   const struct map *din) {
    const int c = din->ch;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            const bool right = 2 * x + 1 < din->side, below = 2 * y + 1 < din->side;
            float *a = map_row(din, 2 * y, 2 * x);
            float *b = below ? map_row(din, 2 * y + 1, 2 * x) : NULL;
            float *to[4] = {a, right ? a + c : NULL, b, b && right ? b + c : NULL};
            const size_t at = (size_t)((y * side + x) * c);
            kernel_unpool(dout + at, arg + at, out + (size_t)y * out_row + (size_t)(x * c), c, to);
        }
}

static size_t row_of(const struct map *m) {
    return (size_t)(m->side + 2 * m->pad) * (size_t)m->ch;
}

void net_forward(const struct net *n, struct net_scratch *s, const float *image, float *logits) {
    const struct net_layer *l = n->layer;
    for (int y = 0; y < S1; y++) memcpy(map_row(&s->in, y, 0), image + y * S1, S1 * sizeof *image);
    convolve(&s->in, l[0].k, l[0].w, l[0].b, true, &s->a1);
    pool(&s->a1, S2, map_row(&s->p1, 0, 0), row_of(&s->p1), s->arg1);
    convolve(&s->p1, 3, l[1].w, l[1].b, true, &s->a2);
    convolve(&s->a2, 3, l[2].w, l[2].b, true, &s->a3);
    pool(&s->a3, S3, map_row(&s->p3, 0, 0), row_of(&s->p3), s->arg3);
    convolve(&s->p3, 3, l[3].w, l[3].b, true, &s->a4);
    pool(&s->a4, S4, s->p4, (size_t)(S4 * n->shape.c4), s->arg4);
    kernel_dense(s->p4, l[4].in, l[4].w, l[4].b, l[4].out, true, s->hidden);
    float out[16];
    kernel_dense(s->hidden, l[5].in, l[5].w, l[5].b, 16, false, out);
    memcpy(logits, out, NET_CLASSES * sizeof *logits);
}

void net_log_softmax(const float *logits, double *out) {
    double most = logits[0], sum = 0;
    for (int i = 1; i < NET_CLASSES; i++)
        if (logits[i] > most) most = logits[i];
    for (int i = 0; i < NET_CLASSES; i++) sum += exp(logits[i] - most);
    for (int i = 0; i < NET_CLASSES; i++) out[i] = logits[i] - most - log(sum);
}

/* Weights for the gradient at a convolution's input: kernel turned by half, in and out exchanged.
 */
static void turn_weights(const struct net_layer *l, float *to) {
    const int kk = l->k * l->k;
    for (int q = 0; q < kk; q++)
        for (int i = 0; i < l->in; i++)
            for (int o = 0; o < l->out; o++)
                to[(q * l->out + o) * l->in + i] = l->w[((kk - 1 - q) * l->in + i) * l->out + o];
}

static float *grad_of(const struct net *n, float *grad, const float *at) {
    return grad + (at - n->all);
}

static void conv_gradient(const struct net *n, int i, const struct map *in, const struct map *dout,
                          float *grad) {
    const struct net_layer *l = &n->layer[i];
    kernel_conv_weights(in->p, row_of(in), l->in, l->k, map_row(dout, 0, 0), row_of(dout), l->out,
                        dout->side, grad_of(n, grad, l->w), grad_of(n, grad, l->b));
}

static void back_to(struct net_scratch *s, int i, const struct map *dout, const struct map *din) {
    static const float zeros[128];
    convolve(dout, 3, s->turned[i], zeros, false, din);
}

void net_gradient_begin(const struct net *n, struct net_scratch *s) {
    for (int i = 1; i < 4; i++) turn_weights(&n->layer[i], s->turned[i]);
}

double net_gradient(const struct net *n, struct net_scratch *s, const float *image, int label,
                    float *grad) {
    const struct net_layer *l = n->layer;
    float logits[NET_CLASSES], d[16] = {0};
    double lp[NET_CLASSES];
    net_forward(n, s, image, logits);
    net_log_softmax(logits, lp);
    for (int i = 0; i < NET_CLASSES; i++) d[i] = (float)exp(lp[i]) - (i == label ? 1.0f : 0.0f);
    kernel_dense_gradient(s->hidden, l[5].in, l[5].w, d, 16, grad_of(n, grad, l[5].w),
                          grad_of(n, grad, l[5].b), s->dhidden);
    for (int i = 0; i < l[5].in; i++)
        if (!(s->hidden[i] > 0)) s->dhidden[i] = 0;
    kernel_dense_gradient(s->p4, l[4].in, l[4].w, s->dhidden, l[4].out, grad_of(n, grad, l[4].w),
                          grad_of(n, grad, l[4].b), s->dp4);
    unpool(s->dp4, S4, s->arg4, s->p4, (size_t)(S4 * n->shape.c4), &s->d4);
    conv_gradient(n, 3, &s->p3, &s->d4, grad);
    back_to(s, 3, &s->d4, &s->dp3);
    unpool(s->dp3.p, S3, s->arg3, map_row(&s->p3, 0, 0), row_of(&s->p3), &s->d3);
    conv_gradient(n, 2, &s->a2, &s->d3, grad);
    back_to(s, 2, &s->d3, &s->d2);
    for (int y = 0; y < S2; y++) { /* the ReLU of a2, which no pool follows */
        float *g = map_row(&s->d2, y, 0);
        const float *a = map_row(&s->a2, y, 0);
        for (int i = 0; i < S2 * n->shape.c2; i++) g[i] = a[i] > 0 ? g[i] : 0;
    }
    conv_gradient(n, 1, &s->p1, &s->d2, grad);
    back_to(s, 1, &s->d2, &s->dp1);
    unpool(s->dp1.p, S2, s->arg1, map_row(&s->p1, 0, 0), row_of(&s->p1), &s->d1);
    conv_gradient(n, 0, &s->in, &s->d1, grad);
    return -lp[label];
}
