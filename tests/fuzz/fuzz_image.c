/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Decoding, registration and QR reading of any bytes, without the sandbox: nothing to lean on. */
#include "paper/image.h"
#include "paper/qr.h"
#include "paper/register.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct raster r;
    double shrink;
    if (size > 1 << 16 || image_decode(span_of(data, size), 400, &r, &shrink, NULL) != OK) return 0;
    struct registration reg;
    struct buf b;
    buf_init(&b, 4096);
    if ((int64_t)r.w * r.h <= 1 << 20) {
        if (register_sheet(&r, &reg, NULL) == OK) (void)registration_map(&reg, 1, 1);
        if (qr_decode(&r, &b, NULL) != OK) buf_clear(&b);
    }
    buf_release(&b);
    raster_release(&r);
    return 0;
}
