/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The printed code's text and the strip's bits: what is accepted is written back the same. */
#include <stdlib.h>
#include "paper/form_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct form_code c;
    char text[CODE_TEXT_MAX];
    if (form_code_parse(span_of(data, size), &c, NULL) == OK)
        if (form_code_text(&c, text, NULL) != OK || !span_is(span_of(data, size), text)) abort();
    if (size == CODE_STRIP_BYTES) {
        uint8_t again[CODE_STRIP_BYTES];
        if (form_strip_unpack(data, &c, NULL) == OK)
            if (form_strip_pack(&c, again, NULL) != OK || memcmp(again, data, sizeof again) != 0)
                abort();
    }
    return 0;
}
