/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A photograph or scan of one sheet to what stands on it: identity, figures, signatures, hashes.
 *
 * scan_file runs everything that touches the image in a sandboxed child and takes back plain
 * values, which it checks; scan_image is that work itself (tests and tools may call it on their own
 * images). What comes out is evidence to confirm or to question a typed figure, never a result. */
#ifndef PAPER_SCAN_H
#define PAPER_SCAN_H

#include "base/json_out.h"
#include "crypto/hash.h"
#include "paper/decode.h"
#include "paper/form_code.h"
#include "paper/qr.h"
#include "paper/raster.h"
#include "paper/sandbox.h"

enum {
    SCAN_FIELDS_MAX = FORM_ROWS_PER_PAGE,
    SCAN_HASH_WORDS = 32, /* 2,048 bits of the signature and stamp zones */
};

struct scan_rect { /* in pixels of the original image */
    int32_t x, y, w, h;
};

struct scan_field {
    uint32_t index; /* row of the form: choices first, then counts */
    struct field_reading read;
    struct scan_rect at;
    double edges;   /* part of the printed box sides found */
    bool hidden;    /* a piece of the boxes' print is: correction fluid? marks.h */
    double hidden_mm;
    bool by_sum;    /* answered with the help of the form's arithmetic: judge.h */
    uint32_t boxes; /* of the row that was read; their log-probabilities: */
    float lp[FORM_BOXES_MAX][NET_CLASSES];
};

struct scan_zone {
    uint32_t kind, index;
    double ink_mm2;
    bool present; /* something is written or stamped */
    bool ring;    /* a stamp's zone: a round stamp; marks.h */
    double ring_part, ring_radius_mm;
    struct scan_rect at;
};

struct scan_result {
    uint32_t width, height; /* of the original */
    bool has_sheet;         /* registered by its markers */
    bool qr_read, strip_read, codes_agree;
    struct form_code code; /* from the QR code, else from the strip */
    uint32_t markers;
    double residual_mm, pixels_per_mm; /* of the original's pixels */
    double gate;      /* part of all printed box sides that were found: the independent score */
    bool template_ok; /* gate high enough: this is the form that its code says */
    uint32_t field_count;
    struct scan_field field[SCAN_FIELDS_MAX];
    uint32_t broken; /* rules of arithmetic that answered fields break: bits of enum joint_rule */
    uint32_t zone_count;
    struct scan_zone zone[FORM_ZONES_MAX];
    uint64_t zone_hash[SCAN_HASH_WORDS];
    bool zone_hash_usable; /* enough ink to compare */
    uint32_t note_size;    /* a slip: the signed note's bytes */
    uint8_t note[QR_NOTE_BYTES_MAX];
};

struct scan_options {
    struct decode_rules rules;
    bool has_shape; /* no code is needed: read as this form and page */
    struct form_shape shape;
    unsigned page;
    bool has_registered; /* what the register says of this station: may confirm that figure */
    uint64_t registered;
};

/* The work itself. `shrink`: original pixels a raster pixel. E_NOT_FOUND when no sheet and no slip
 * is found. */
MUST_USE err scan_image(const struct reader *r, const struct raster *image, double shrink,
                        const struct scan_options *o, struct scan_result *out, struct fail *f);

/* A file of any supported kind, confined. *hash gets the SHA-256 of the file. page: of a PDF,
 * from 1. */
MUST_USE err scan_file(const struct reader *r, struct span file, unsigned page,
                       const struct scan_options *o, struct scan_result *out,
                       struct sandbox_usage *usage, struct hash *hash, struct fail *f);

/* The plain values that a child may send back: E_IMAGE for anything out of bounds. */
MUST_USE err scan_result_check(const struct scan_result *r, struct fail *f);

/* {"sheet":..,"fields":[..],"zones":[..]} as one JSON object. */
void scan_result_json(const struct scan_result *r, struct json_out *j);

/* What an image says of a typed value: judge.h. */
enum scan_verdict { SCAN_AGREES, SCAN_DIFFERS, SCAN_CANNOT_TELL };
const char *scan_verdict_name(enum scan_verdict v);

/* Findings of the arithmetic on the sheet's answered fields; sums flag, they never correct. */
enum scan_sum { SUM_OK, SUM_DIFFERS, SUM_UNKNOWN };
enum scan_sum scan_check_sum(const struct scan_result *r);

#endif
