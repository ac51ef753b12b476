/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* QR codes (ISO/IEC 18004): bytes to modules, and an image back to bytes.
 *
 * Byte mode, error correction level M. Reading returns the bytes as they are, without any guess at
 * their encoding, so that a signed note survives print and photo unchanged. */
#ifndef PAPER_QR_H
#define PAPER_QR_H

#include "paper/raster.h"

enum {
    QR_SIDE_MAX = 177,
    QR_BYTES_MAX = 2331,     /* version 40-M */
    QR_NOTE_BYTES_MAX = 800, /* a signed result of one signature on a slip */
};

struct qr_code {
    int side; /* modules */
    uint8_t dark[QR_SIDE_MAX * QR_SIDE_MAX];
};

/* E_TOO_LARGE past QR_BYTES_MAX. */
MUST_USE err qr_encode(struct span bytes, struct qr_code *out, struct fail *f);

/* The first QR code found in the image; appended to *out. E_NOT_FOUND when there is none. `tries`
 * scales are looked at: as it is, halved, and smoothed. */
MUST_USE err qr_decode(const struct raster *r, struct buf *out, struct fail *f);

#endif
