/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* words.csv and copies.csv of the portal's folder: read or refused; what is read is asked for. */
#include <stdlib.h>

#include "service/beside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct beside *b;
    struct fail f;
    struct span csv = {data, size};
    if (beside_new(&b, &f) != OK) return 0;
    if (beside_read_words(b, csv, &f) == OK)
        (void)beside_said(b, LANG_SW, (struct span){data, size < 9 ? size : 9});
    beside_close(b);
    if (beside_new(&b, &f) != OK) return 0;
    if (beside_read_copies(b, csv, &f) == OK)
        for (size_t i = 0; i < beside_copies(b); i++)
            if (!span_starts(beside_copy(b, i).url, span_text("http"))) abort();
    beside_close(b);
    return 0;
}
