/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The court's bundle: one folder that verifies offline from the first record and answers an order item
 * by item, present or absent with the reason.
 *
 *   index.html, index.pdf   what was asked, what is here, how to check it
 *   certificate.html        the certificate of electronic evidence, for the responsible person to sign
 *   public/                 the public files, byte for byte, the whole log among them
 *   tables/                 what the records say, as CSV: one row a record, entry and time first
 *   court/                  what is for the court alone: bounds, smallest sets of stations
 *   restricted/             originals that the order covers, where the caller has them
 *   added/                  what the commission adds that no log can hold
 *   bundle.json             what was made, by which program, from which checkpoint
 *   MANIFEST                SHA-256 of every other file, sorted by path
 *
 * The same input gives the same bytes, but for the time of making, which the caller states. */
#ifndef SERVICE_BUNDLE_H
#define SERVICE_BUNDLE_H

#include "base/arena.h"
#include "service/tree_log.h"

/* What courts have asked for: BUNDLE_ITEM rows of bundle_items.def. */
struct bundle_item {
    const char *code, *asked;
    const char *file;   /* in the bundle; NULL: not kept by this system */
    const char *answer; /* in words; where it is absent the reason */
};
size_t bundle_item_count(void);
const struct bundle_item *bundle_item(size_t i);

/* One thing that an order asks for. */
struct bundle_asked {
    struct span code; /* of bundle_item, or "other" */
    struct span text; /* the order's own words */
};
struct bundle_order {
    struct span title; /* first line that begins with '#', without it; may be empty */
    struct bundle_asked *items;
    size_t n;
};
/* An order as a file: lines "CODE: words", or words alone ("other"); '#' begins a comment; the first
 * comment is its title. E_CONFIG names the line. Everything borrows from `text` or the arena. */
MUST_USE err bundle_order_parse(struct span text, struct arena *a, struct bundle_order *out,
                                struct fail *f);

struct bundle_added {
    struct span code;
    const char *file; /* copied into added/ */
};

struct bundle_options {
    const char *tree;       /* folder of public files: DIR/public, or a mirror's copy */
    const char *out;        /* folder that is not there yet, or empty */
    const char *anchor;     /* the reader's own; NULL: the tree's */
    const char *restricted; /* folder of originals (DIR/private/restricted), or NULL: left out */
    const struct bundle_order *order; /* NULL: everything in bundle_items.def */
    const struct bundle_added *added;
    size_t added_count;
    const char *person, *position; /* who certifies; NULL: left blank to be filled in */
    uint64_t made_ms;
    const char *version, *source; /* of this program: its version, SHA-256 over its sources */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};
struct bundle_report {
    uint64_t files, bytes, records, signatures;
    size_t present, absent; /* items */
    bool anchored;
};
/* Verifies every record on the way; a tree that does not hold makes no bundle. E_EXISTS when `out` has
 * something in it. */
MUST_USE err bundle_make(const struct bundle_options *o, struct bundle_report *out, struct fail *f);

/* Every file against MANIFEST, none missing, none more: E_OBJECT, E_NOT_FOUND. *files: how many. */
MUST_USE err bundle_check(const char *dir, uint64_t *files, struct fail *f);
/* The folder is a bundle. */
bool bundle_is(const char *dir);

#endif
