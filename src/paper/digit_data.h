/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Public data of handwritten digits: MNIST (with writers), Semeion, optdigits; checksums pinned.
 *
 * Every image becomes 28 x 28 grey (0 paper, 255 ink), the character in a 20 x 20 field, centred by
 * its mass: the form that the reader gives to the network too. */
#ifndef PAPER_DIGIT_DATA_H
#define PAPER_DIGIT_DATA_H

#include "paper/net.h"
#include "paper/raster.h"

enum digit_source {
    DIGITS_MNIST_TRAIN, /* 60,000; 539 writers */
    DIGITS_MNIST_TEST,  /* 10,000; 297 other writers */
    DIGITS_SEMEION,     /* 1,593; Italian writers */
    DIGITS_OPTDIGITS,   /* 1,934; Turkish writers */
    DIGITS_SOURCES
};

struct digit_set {
    uint8_t (*image)[NET_PIXELS];
    uint8_t *label;
    uint16_t *writer; /* 0 where the source names none */
    size_t n;
};

/* Reads one source from the folder; E_OBJECT when a file is not the pinned one. Caller: release. */
MUST_USE err digit_set_read(const char *dir, enum digit_source source, struct digit_set *out,
                            struct fail *f);
void digit_set_release(struct digit_set *s);
const char *digit_source_name(enum digit_source s);

/* A set as a file of labelled boxes: "hesabu-boxes-1\n", then for each image its label (one byte,
 * below NET_CLASSES), its writer (two bytes, big-endian) and NET_PIXELS bytes. */
MUST_USE err digit_set_write(const struct digit_set *s, struct buf *out, struct fail *f);
/* E_READER for anything that digit_set_write does not write. Caller: release. */
MUST_USE err digit_set_parse(struct span file, struct digit_set *out, struct fail *f);
/* Room for n images, all zero. Caller: release. */
MUST_USE err digit_set_init(struct digit_set *s, size_t n, struct fail *f);

/* Adds copies of all images of `from`; *to may be all zero. */
MUST_USE err digit_set_append(struct digit_set *to, const struct digit_set *from, struct fail *f);

/* A character's ink (0 none .. 255 full) of any size to 28 x 28: its box scaled to 20 on the longer
 * side (never by more than `max_scale`), by area where it shrinks, the centre of mass in the
 * middle. False when there is no ink at all (out is zeroed). */
bool digit_normalise(const struct raster *ink, double max_scale, uint8_t out[NET_PIXELS]);

#endif
