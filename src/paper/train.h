/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Training of the reader's networks: fixed seed, two shards of every batch, so that the result does
 * not depend on how many threads work (the same machine gives the same bits). */
#ifndef PAPER_TRAIN_H
#define PAPER_TRAIN_H

#include "paper/digit_data.h"

struct train_options {
    struct net_shape shape;
    uint64_t seed;
    unsigned epochs;  /* 96,000 images each when the main set is MNIST's training part */
    unsigned threads; /* 1 or 2 */
    unsigned limit;   /* steps at most; 0 = all (for tests) */
    bool wide; /* augment_wide, for hands that no source shows; beside boxes, every second image */
    const struct net *start; /* go on from these weights, at a lower rate; NULL: from nothing */
    void (*progress)(void *ctx, uint64_t done, uint64_t total, double loss);
    void *ctx;
};

/* The data of a training: whoever calls fills it; sets with n == 0 are left out. */
struct train_data {
    struct digit_set main;       /* MNIST, or any other large set */
    struct digit_set foreign[3]; /* other hands; one in eight images */
    struct digit_set boxes;      /* cut from photographs, any class; half of all images */
};

/* *out is the mean of the weights over about the last fifth of all steps; the rate falls without
 * knowing where it ends. It is new; the caller owns it: net_release. Its weights are already what a
 * file can hold (8 bits), so that what is evaluated is what is shipped. */
MUST_USE err train_net(const struct train_options *o, const struct train_data *d, struct net *out,
                       struct fail *f);

/* How many of a set's images the network gets right: among all classes, and among the ten digits
 * (as published results on these sets count). */
MUST_USE err train_evaluate(const struct net *n, const struct digit_set *s, size_t *right,
                            size_t *right_digit, struct fail *f);
/* Of `count` synthetic marks of a class: how many get no digit as the most likely class. */
MUST_USE err train_evaluate_marks(const struct net *n, const struct digit_set *digits, int class,
                                  uint64_t seed, size_t count, size_t *rejected, struct fail *f);

#endif
