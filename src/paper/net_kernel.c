/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/net_kernel.h"

#include <math.h>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#ifdef __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

typedef float v16 __attribute__((vector_size(64), aligned(4)));
typedef int v16i __attribute__((vector_size(64), aligned(4)));
#define V(p)  (*(v16 *)(p))
#define VC(p) (*(const v16 *)(p))

/* 4 pixels x 32 channels in registers; the last block of a row overlaps the one before it, which
 * only computes a few outputs twice. */
#define CONV_BLOCK(P, NV)                                                                          \
    v16 acc[P][NV];                                                                                \
    UNROLL for (int r = 0; r < P; r++) UNROLL for (int v = 0; v < NV; v++) acc[r][v] =             \
        VC(b + c + 16 * v);                                                                        \
    for (int ky = 0; ky < k; ky++) {                                                               \
        const float *a = in + (size_t)ky * in_row + (size_t)(x * cin);                             \
        const float *wk = w + (size_t)(ky * run) * (size_t)cout + c;                               \
        for (int i = 0; i < run; i++, wk += cout) {                                                \
            v16 wv[NV];                                                                            \
            UNROLL for (int v = 0; v < NV; v++) wv[v] = VC(wk + 16 * v);                           \
            UNROLL for (int r = 0; r < P; r++) UNROLL for (int v = 0; v < NV; v++) acc[r][v] +=    \
                wv[v] * a[i + r * cin];                                                            \
        }                                                                                          \
    }                                                                                              \
    UNROLL for (int r = 0; r < P; r++) UNROLL for (int v = 0; v < NV; v++) {                       \
        v16 t = acc[r][v];                                                                         \
        if (relu) t = (v16)((t > 0) & (v16i)t);                                                    \
        V(out + (size_t)((x + r) * cout) + c + 16 * v) = t;                                        \
    }

CLONES void kernel_conv_row(const float *in, size_t in_row, int cin, int k, const float *w,
                            const float *b, int cout, bool relu, float *out, int pixels) {
    const int run = k * cin;
    int c = 0;
    for (; c + 32 <= cout; c += 32)
        for (int x = 0; x < pixels; x += 7) {
            CONV_BLOCK(7, 2)
        }
    for (; c < cout; c += 16)
        for (int x = 0; x < pixels; x += 7) {
            CONV_BLOCK(7, 1)
        }
}

/* 4 weights x 32 channels in registers, over all pixels. */
#define WEIGHTS_BLOCK(R, NV)                                                                       \
    v16 acc[R][NV];                                                                                \
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < NV; v++) acc[r][v] = (v16){0};   \
    for (int y = 0; y < side; y++) {                                                               \
        const float *a = in + (size_t)(y + ky) * in_row + i;                                       \
        const float *d = dout + (size_t)y * dout_row + c;                                          \
        for (int x = 0; x < side; x++, a += cin, d += cout) {                                      \
            v16 dv[NV];                                                                            \
            UNROLL for (int v = 0; v < NV; v++) dv[v] = VC(d + 16 * v);                            \
            UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < NV; v++) acc[r][v] +=    \
                dv[v] * a[r];                                                                      \
        }                                                                                          \
    }                                                                                              \
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int v = 0; v < NV; v++)                         \
        V(dw + (size_t)(ky * run + i + r) * (size_t)cout + c + 16 * v) += acc[r][v];

CLONES void kernel_conv_weights(const float *in, size_t in_row, int cin, int k, const float *dout,
                                size_t dout_row, int cout, int side, float *dw, float *db) {
    const int run = k * cin;
    for (int ky = 0; ky < k; ky++) {
        int c = 0;
        for (; c + 32 <= cout; c += 32) {
            int i = 0;
            for (; i + 4 <= run; i += 4) {
                WEIGHTS_BLOCK(4, 2)
            }
            for (; i < run; i++) {
                WEIGHTS_BLOCK(1, 2)
            }
        }
        for (; c < cout; c += 16) {
            int i = 0;
            for (; i + 8 <= run; i += 8) {
                WEIGHTS_BLOCK(8, 1)
            }
            for (; i < run; i++) {
                WEIGHTS_BLOCK(1, 1)
            }
        }
    }
    for (int c = 0; c < cout; c += 16) {
        v16 sum = {0};
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++)
                sum += VC(dout + (size_t)y * dout_row + (size_t)(x * cout) + c);
        V(db + c) += sum;
    }
}

CLONES void kernel_pool(const float *const from[4], int channels, float *out, int *which) {
    for (int c = 0; c < channels; c += 16) {
        v16 best = VC(from[0] + c);
        v16i at = {0};
        for (int q = 1; q < 4; q++) {
            const v16 v = VC(from[q] + c);
            const v16i more = (v16i)(v > best);
            best = (v16)(((v16i)v & more) | ((v16i)best & ~more));
            at = (((v16i){0} + q) & more) | (at & ~more);
        }
        V(out + c) = best;
        *(v16i *)(which + c) = at;
    }
}

CLONES void kernel_unpool(const float *dout, const int *which, const float *out, int channels,
                          float *const to[4]) {
    for (int c = 0; c < channels; c += 16) {
        const v16i at = *(const v16i *)(which + c);
        const v16i d = (v16i)VC(dout + c) & (v16i)(VC(out + c) > 0);
        for (int q = 0; q < 4; q++)
            if (to[q]) V(to[q] + c) = (v16)(d & (at == q));
    }
}

CLONES void kernel_dense(const float *in, int n_in, const float *w, const float *b, int n_out,
                         bool relu, float *out) {
    for (int c = 0; c < n_out; c += 16) {
        v16 acc[4] = {VC(b + c)}; /* four chains, so that one addition need not wait for the last */
        int i = 0;
        for (; i + 4 <= n_in; i += 4)
            UNROLL for (int q = 0; q < 4; q++) acc[q] +=
                VC(w + (size_t)(i + q) * (size_t)n_out + c) * in[i + q];
        for (; i < n_in; i++) acc[0] += VC(w + (size_t)i * (size_t)n_out + c) * in[i];
        v16 t = (acc[0] + acc[1]) + (acc[2] + acc[3]);
        if (relu) t = (v16)((t > 0) & (v16i)t);
        V(out + c) = t;
    }
}

CLONES void kernel_dense_gradient(const float *in, int n_in, const float *w, const float *dout,
                                  int n_out, float *dw, float *db, float *din) {
    for (int i = 0; i < n_in; i++) {
        v16 sum = {0};
        const float *wi = w + (size_t)i * (size_t)n_out;
        float *di = dw + (size_t)i * (size_t)n_out;
        for (int c = 0; c < n_out; c += 16) {
            sum += VC(wi + c) * VC(dout + c);
            if (in[i] != 0) V(di + c) += VC(dout + c) * in[i];
        }
        float s = 0;
        for (int q = 0; q < 16; q++) s += sum[q];
        din[i] = s;
    }
    for (int c = 0; c < n_out; c += 16) V(db + c) += VC(dout + c);
}

CLONES void kernel_adam(float *w, float *m, float *v, const float *g, size_t n, float rate,
                        float beta1, float beta2, float decay) {
    for (size_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        w[i] -= rate * (m[i] / (sqrtf(v[i]) + 1e-8f) + decay * w[i]);
    }
}
