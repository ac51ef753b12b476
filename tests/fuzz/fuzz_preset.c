/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* preset.json from anybody: read or refused with a sentence, within the arena's bound. */
#include <stdlib.h>

#include "service/preset_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a;
    struct preset p;
    struct preset_files files;
    struct fail f = {0};
    arena_init(&a, 4 << 20);
    err e = preset_json_read(span_of(data, size), "preset.json", &a, &p, &files, &f);
    if (e != OK && f.text[0] == 0) abort();
    if (e == OK && (p.level_count < 3 || p.kind_count == 0 || !files.nation_code.p)) abort();
    arena_release(&a);
    return 0;
}
