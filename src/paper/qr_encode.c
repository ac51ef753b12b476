/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/qr.h"

#include <qrencode.h>

err qr_encode(struct span bytes, struct qr_code *out, struct fail *f) {
    if (bytes.n == 0 || bytes.n > QR_BYTES_MAX)
        return fail_set(f, E_TOO_LARGE, "a QR code holds 1 to %d bytes, not %zu", QR_BYTES_MAX,
                        bytes.n);
    QRcode *q = QRcode_encodeData((int)bytes.n, bytes.p, 0, QR_ECLEVEL_M);
    if (!q) return fail_set(f, E_TOO_LARGE, "%zu bytes do not fit into one QR code", bytes.n);
    out->side = q->width;
    for (int i = 0; i < q->width * q->width; i++) out->dark[i] = q->data[i] & 1;
    QRcode_free(q);
    return OK;
}
