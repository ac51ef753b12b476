/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Taking out of a picture what is not the picture: place, time, device, comments, previews (which may
 * show what was masked). Works on the file's parts without decoding it. Bytes in, bytes out.
 *
 * PNG (ISO/IEC 15948): only the chunks that draw the picture stay. JPEG (ITU-T T.81, JFIF 1.02):
 * application segments and comments go; JFIF's and Adobe's few bytes that the colours need stay. */
#ifndef SERVICE_METADATA_H
#define SERVICE_METADATA_H

#include "base/bytes.h"

enum image_format { FORMAT_UNKNOWN, FORMAT_PNG, FORMAT_JPEG, FORMAT_PDF };
enum image_format metadata_format(struct span bytes);

struct metadata_removed {
    size_t parts, bytes; /* what was taken out */
    unsigned turned;     /* the orientation that the camera had noted, 2..8; 0: none. Without the note
                            viewers show the picture as it was taken: turn it before publishing */
};
/* Appends the picture without metadata. The result of a result is itself. E_IMAGE with what is wrong
 * with the file, also for another format than these two. */
MUST_USE err metadata_strip(struct span bytes, struct buf *out, struct metadata_removed *removed,
                            struct fail *f);

#endif
