/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The rows of an imported CSV as a tree of units with codes; between import's two files only. */
#ifndef SERVICE_IMPORT_TREE_H
#define SERVICE_IMPORT_TREE_H

#include "service/import.h"

/* A unit as the file names it, at one level. */
struct import_part {
    struct span number, name;
};

struct import_row {
    uint64_t line;
    struct import_part part[PRESET_LEVELS_MAX];
    uint32_t node; /* its station's */
    struct preset_cell registered, valid, rejected;
    struct preset_cell *votes;
};

struct import_node {
    uint32_t parent; /* PRESET_NO_UNIT at the first level */
    uint32_t row;    /* the first in the file that names it */
    uint32_t nth;    /* among siblings of the same number, from 0 */
    struct span code, name;
};

struct import_tree {
    const char *path;
    const struct import_map *m;
    struct arena *a;
    struct import_report *report;
    struct import_row *rows; /* by code of the station, once built */
    size_t row_count, row_room;
    struct import_node *nodes[PRESET_LEVELS_MAX]; /* by code, once built */
    uint32_t node_count[PRESET_LEVELS_MAX];
    uint8_t digits[PRESET_LEVELS_MAX]; /* of each level's part of the code */
};

MUST_USE err import_tree_read(struct import_tree *t, struct fail *f);
void import_tree_release(struct import_tree *t);

#endif
