/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What each station said in each contest and round: results, images, countersignatures, events. */
#ifndef ELECTION_STATION_H
#define ELECTION_STATION_H

#include "base/arena.h"
#include "election/definition.h"

#define ABSENT     UINT64_MAX /* a figure that is blank on the form */
#define NO_RESULT  UINT32_MAX
#define FIGURE_MAX UINT64_C(999999999)

enum basis { BASIS_STATION, BASIS_PAPER };

/* One result record. Figures are ABSENT where the form is blank. */
struct result {
    uint64_t entry; /* index of its record */
    uint64_t ms;    /* the entry's */
    uint64_t signed_ms;
    uint32_t cell;
    uint32_t next;          /* the next result of the same cell, in log order; NO_RESULT */
    uint32_t superseded_by; /* NO_RESULT: it stands */
    uint32_t signer;        /* key index of the officer who answers for it */
    uint32_t agents_present, agents_signed, agents_refused; /* UINT32_MAX: not stated */
    uint32_t keys_signed;   /* agents' keys under the record, later lines included */
    uint32_t saw, objected; /* countersignatures */
    uint32_t objected_entry; /* the last that objects */
    uint32_t first_image;   /* images of this result; NO_IMAGE */
    uint8_t basis;          /* enum basis */
    bool recount;           /* by law: it replaces figures that were final */
    uint8_t form_count;     /* hashes of images that the signers bound to it */
    size_t form_at;
    struct span serial;
    uint64_t registered, valid, rejected, objected_votes, disputed;
    uint64_t voters_kit, voters_manual;
    size_t votes_at; /* choice_count figures: result_votes */
};

/* The figures of one form, whichever record carries them; ABSENT where it is blank. */
struct figures {
    uint64_t registered, valid, rejected, objected, disputed;
    const uint64_t *votes; /* choice_count figures, ballot order; borrowed from the fold */
};

#define NO_IMAGE UINT32_MAX
/* Images with one and the same hash, in log order. */
struct image_alike {
    uint32_t before, after; /* NO_IMAGE: it is the first, the last */
    uint32_t last;          /* in the first of them */
};
enum image_kind { IMAGE_ORIGINAL, IMAGE_CARBON, IMAGE_AGENT, IMAGE_POSTED };

struct image {
    uint64_t entry, ms;
    uint32_t cell;
    uint32_t result;         /* NO_RESULT: of the cell in general */
    uint32_t next_of_result; /* or of the cell, when it names no result */
    uint8_t kind;            /* enum image_kind */
    uint16_t page;
    struct hash original, shown; /* SHA-256 of the original's plaintext, of the public version */
    uint64_t original_size, shown_size;
    uint32_t masked;         /* number of rectangles */
    bool has_zones;
    struct hash zones; /* SHA-256 of the residual-ink hash */
    struct image_alike by_original, by_zones;
};

/* One contest and round at one station. Exists once something was said. */
struct cell {
    uint32_t contest, station;
    uint32_t first_result, last_result; /* NO_RESULT */
    uint32_t current;                   /* results that are not superseded */
    uint32_t first_image;               /* images that name no result */
    uint32_t next_in_contest;           /* cells of the same contest and round */
    uint32_t number;                    /* among them, from 0 in log order */
    uint16_t round;
    bool posted; /* a copy of the form is posted: the officer's figures are final */
    uint32_t desk_plus_1; /* desk.h; 0: nothing was sealed, compared or decided */
};

#define NO_CELL UINT32_MAX
/* Index of the cell, NO_CELL if nothing was said there. */
uint32_t fold_cell_find(const struct fold *fold, uint32_t contest, unsigned round, uint32_t station);
const struct cell *fold_cell_at(const struct fold *fold, uint32_t i);
size_t fold_cell_count(const struct fold *fold);
/* All cells of a contest and round: *cursor starts at 0; NULL at the end. */
const struct cell *fold_next_cell(const struct fold *fold, uint32_t contest, unsigned round, uint32_t *cursor);
/* The same by unit: an array over all units, NO_CELL where nothing was said. For who looks at every
 * station. In the arena; NULL without memory. */
uint32_t *fold_cells_by_unit(const struct fold *fold, uint32_t contest, unsigned round, struct arena *a);
const struct result *fold_result(const struct fold *fold, uint32_t i);
size_t fold_result_count(const struct fold *fold);
const uint64_t *result_votes(const struct fold *fold, const struct result *r);
const struct hash *result_form(const struct fold *fold, const struct result *r, unsigned k);
const struct image *fold_image(const struct fold *fold, uint32_t i);
size_t fold_image_count(const struct fold *fold);

/* The result that counts as transmitted: the one current result, with an image of its form where the
 * definition requires one. NULL otherwise. */
const struct result *cell_transmitted(const struct fold *fold, const struct cell *c);
/* The one current result, with or without image; NULL if there is none or more than one. */
const struct result *cell_current(const struct fold *fold, const struct cell *c);
bool cell_has_image(const struct fold *fold, const struct cell *c, const struct result *r);

void result_figures(const struct fold *fold, const struct result *r, struct figures *out);
/* The figures that hold at a station, and the entry that carries them: what is compared with the
 * original, collated and declared. What a decision adopted; else what was transmitted; else, where
 * nothing was, what people agree to read from the form. False: none do, or a decision disregards the
 * station. A figure is only ever a transcription of the
 * station's own form. */
bool cell_held(const struct fold *fold, const struct cell *c, struct figures *out, uint64_t *entry);

#endif
