/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Pictures of any origin: the result never grows, has nothing more to take out, and is of the same
 * format. */
#include <stdlib.h>
#include "service/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span in = span_of(data, size);
    struct buf out, again;
    struct metadata_removed gone;
    struct fail f;
    buf_init(&out, 1 << 20);
    buf_init(&again, 1 << 20);
    if (metadata_strip(in, &out, &gone, &f) == OK) {
        if (out.n + gone.bytes != size || metadata_format(buf_view(&out)) != metadata_format(in)) abort();
        if (metadata_strip(buf_view(&out), &again, &gone, &f) != OK || gone.parts) abort();
        if (!span_eq(buf_view(&out), buf_view(&again))) abort();
        if (gone.turned) abort();
    }
    buf_release(&out);
    buf_release(&again);
    return 0;
}
