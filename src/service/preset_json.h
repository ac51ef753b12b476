/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* preset.json: bytes in, the parts of a preset that need no other file out.
 *
 * The only reader of free-form JSON in the project (records have their own, canonical one). Refuses
 * duplicate and unknown keys, fractions, negative numbers, control and bidirectional characters. */
#ifndef SERVICE_PRESET_JSON_H
#define SERVICE_PRESET_JSON_H

#include "service/preset.h"

/* What preset.json says about the other files. File names are plain names inside the folder. */
struct preset_files {
    struct {
        uint8_t level;
        const char *file;
    } units[PRESET_LEVELS_MAX];
    uint32_t unit_files;
    struct span nation_code, nation_title;
    struct span national_only[PRESET_NATIONAL_MAX]; /* codes at level 1 */
    uint32_t national_only_count;
    const char *totals_file; /* NULL: none */
    uint8_t totals_level;
    struct span totals_kind; /* id of a kind of the nation's level */
};

/* `name` is for messages. Fills what preset.h documents except units, contests and rows; everything
 * is copied into `a`. E_JSON (with line and column), E_CONFIG (with the JSON path), E_MEMORY. */
MUST_USE err preset_json_read(struct span text, const char *name, struct arena *a,
                              struct preset *out, struct preset_files *files, struct fail *f);

#endif
