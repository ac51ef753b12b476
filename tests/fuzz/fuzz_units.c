/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include "election/definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fail f = {0};
    if (units_object_check(span_of(data, size), &f) != OK && f.text[0] == 0) abort();
    return 0;
}
