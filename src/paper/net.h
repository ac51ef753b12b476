/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A small convolutional network for 28 x 28 images of single characters, in plain C.
 *
 * conv k x k + ReLU, 2 x 2 max, conv 3 x 3, conv 3 x 3, max, conv 3 x 3, max, dense + ReLU, dense.
 * Weights are floats in memory and 8-bit integers with one scale an output channel in a file. The
 * same machine gives the same bits; another instruction set may differ in the last ones. */
#ifndef PAPER_NET_H
#define PAPER_NET_H

#include "base/bytes.h"

enum {
    NET_SIDE = 28,
    NET_PIXELS = NET_SIDE * NET_SIDE,
    NET_CLASSES = 14,
    NET_LAYERS = 6,
    CLASS_BLANK = 10, /* 0..9 are the digits */
    CLASS_DASH = 11,
    CLASS_STRUCK = 12, /* X, or a character struck through */
    CLASS_OTHER = 13,  /* overwritten, scribble, anything else */
};

/* Channels are multiples of 16. */
struct net_shape {
    int k1, c1, c2, c3, c4, hidden;
};

struct net_layer {
    int k, in,
        out;  /* kernel side (dense: 0), channels or values in and out; out is a multiple of 16 */
    float *w; /* [k*k*in][out] */
    float *b; /* [out] */
};

struct net {
    struct net_shape shape;
    struct net_layer layer[NET_LAYERS]; /* 4 convolutions, 2 dense */
    float *all;                         /* what w and b point into */
    size_t count;
};

/* Zero weights; the caller owns *n: net_release. E_RANGE for a shape out of bounds, E_MEMORY. */
MUST_USE err net_init(struct net *n, struct net_shape s, struct fail *f);
void net_release(struct net *n);

/* Working memory of one evaluation or one training thread; net_scratch_free. NULL: no memory. */
struct net_scratch;
struct net_scratch *net_scratch_new(const struct net *n);
void net_scratch_free(struct net_scratch *s);

/* image: NET_PIXELS values, 0 paper .. 1 ink. logits: NET_CLASSES values. */
void net_forward(const struct net *n, struct net_scratch *s, const float *image, float *logits);

/* Call when weights have changed, before net_gradient. */
void net_gradient_begin(const struct net *n, struct net_scratch *s);

/* Adds the gradient of the cross-entropy at (image, label) to grad[n->count]; returns the loss. */
double net_gradient(const struct net *n, struct net_scratch *s, const float *image, int label,
                    float *grad);

/* File format "hesabu-net-1": header line, shape, then per layer scales, weights and biases. */
MUST_USE err net_write(const struct net *n, struct buf *out, struct fail *f);
/* E_READER for anything that net_write does not write. The caller owns *n. */
MUST_USE err net_read(struct span bytes, struct net *n, struct fail *f);

/* log softmax of NET_CLASSES logits. */
void net_log_softmax(const float *logits, double *out);

#endif
