/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/qr.h"

#include <stdlib.h>
#include <zbar.h>

static bool decode_at(zbar_image_scanner_t *s, const struct raster *r, struct buf *out) {
    zbar_image_t *img = zbar_image_create();
    if (!img) return false;
    zbar_image_set_format(img, zbar_fourcc('Y', '8', '0', '0'));
    zbar_image_set_size(img, (unsigned)r->w, (unsigned)r->h);
    zbar_image_set_data(img, r->p, (unsigned long)r->w * (unsigned long)r->h, NULL);
    bool found = false;
    if (zbar_scan_image(s, img) > 0) {
        const zbar_symbol_t *sym = zbar_image_first_symbol(img);
        if (sym) {
            buf_add(out, zbar_symbol_get_data(sym), zbar_symbol_get_data_length(sym));
            found = true;
        }
    }
    zbar_image_destroy(img);
    return found;
}

err qr_decode(const struct raster *r, struct buf *out, struct fail *f) {
    zbar_image_scanner_t *s = zbar_image_scanner_create();
    if (!s) return fail_set(f, E_MEMORY, "no memory for the QR reader");
    (void)zbar_image_scanner_set_config(s, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
    (void)zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
    (void)zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
    bool found = decode_at(s, r, out);
    struct raster t;
    if (!found && r->w > 200 && r->h > 200 && raster_halve(r, 1, &t, NULL) == OK) {
        found = decode_at(s, &t, out);
        raster_release(&t);
    }
    if (!found && raster_box_mean(r, 1, &t, NULL) == OK) {
        found = decode_at(s, &t, out);
        raster_release(&t);
    }
    zbar_image_scanner_destroy(s);
    if (!found) return fail_set(f, E_NOT_FOUND, "no QR code is found in the image");
    return buf_ok(out, f);
}
