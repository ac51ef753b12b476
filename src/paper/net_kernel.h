/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The inner loops of the network, written with vectors of 16 floats, compiled for three instruction
 * sets and chosen when the program starts. Private to net.c. */
#ifndef PAPER_NET_KERNEL_H
#define PAPER_NET_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* One row of a convolution: `pixels` (a multiple of 7) outputs of `cout` channels (a multiple of
 * 16). `in` points at the window of the first output; in_row is the distance of its rows in floats.
 */
void kernel_conv_row(const float *in, size_t in_row, int cin, int k, const float *w, const float *b,
                     int cout, bool relu, float *out, int pixels);

/* dw[k*k*cin][cout] += and db[cout] += over side x side outputs. */
void kernel_conv_weights(const float *in, size_t in_row, int cin, int k, const float *dout,
                         size_t dout_row, int cout, int side, float *dw, float *db);

/* Maximum of four pixels, channel by channel, and which of them it was (the first, if equal). */
void kernel_pool(const float *const from[4], int channels, float *out, int *which);

/* The way back: dout where the maximum stood and was positive, zero elsewhere. to: the four places,
 * NULL where the edge cuts one off. */
void kernel_unpool(const float *dout, const int *which, const float *out, int channels,
                   float *const to[4]);
void kernel_dense(const float *in, int n_in, const float *w, const float *b, int n_out, bool relu,
                  float *out);
/* dw +=, db +=, din =. */
void kernel_dense_gradient(const float *in, int n_in, const float *w, const float *dout, int n_out,
                           float *dw, float *db, float *din);

/* One step of Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019). */
void kernel_adam(float *w, float *m, float *v, const float *g, size_t n, float rate, float beta1,
                 float beta2, float decay);

#endif
