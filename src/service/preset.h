/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Preset: a country's election as a folder of human-readable files (data/README.md has the format).
 *
 * preset.json says levels, kinds of contest, rules, roles and limits; CSV files list the units and,
 * optionally, one contest's published totals. Loading is strict: anything unknown, missing, doubled
 * or contradictory is refused with a sentence that names file, line and column, or the JSON path.
 * A blank figure is absent, never zero. All memory belongs to the caller's arena. */
#ifndef SERVICE_PRESET_H
#define SERVICE_PRESET_H

#include "base/arena.h"
#include "base/bytes.h"

enum {
    PRESET_LEVELS_MAX = 8,
    PRESET_KINDS_MAX = 16,
    PRESET_CHOICES_MAX = 64, /* of one contest: a set of choices fits in 64 bits */
    PRESET_PARTIES_MAX = 256,
    PRESET_NATIONAL_MAX = 64, /* top units that count in the nation only */
    PRESET_CODE_MAX = 32,     /* digits of a station's full code */
    PRESET_UNITS_MAX = 1 << 20,
    PRESET_STATIONS_MAX = 1 << 20,
    PRESET_VOTERS_MAX = 2000000000, /* of any one unit */
};
#define PRESET_NO_UNIT UINT32_MAX

/* A figure that may be blank. */
struct preset_cell {
    bool present;
    uint64_t value;
};

/* From the nation (0) down to the station (level_count - 1); the level above it is the centre when
 * `centre` is true in the preset, otherwise the lowest area. */
struct preset_level {
    struct span name;    /* "ward" */
    uint8_t digits;      /* of its own part of the code; 0 for the nation */
    uint8_t code_length; /* of a full code at this level: its digits and those above */
};

struct preset_unit {
    struct span code, name; /* full code ("001001"), as published; the nation's is e.g. "KE" */
    uint32_t parent;        /* index; PRESET_NO_UNIT for the nation */
    uint8_t level;
    bool national_only; /* it, or what it belongs to, counts in the nation only (diaspora) */
    struct preset_cell registered; /* where the files give it, or as the sum of what is below */
    uint64_t stations;             /* expected number; 0 when not given */
};

struct preset_choice {
    struct span id, name; /* id: a-z 0-9 '-' */
    struct span party;    /* party's id; empty when there is none */
};

struct preset_party {
    struct span id, name;
};

struct preset_kind {
    struct span id, title;
    uint8_t level;    /* one contest for each unit of this level (national_only ones left out
                         unless the level is the nation) */
    struct span rule; /* canonical JSON objects, as the definition carries them */
    struct span forms, declarer, clocks;
    struct span collate, compare;        /* arrays of levels, from the lowest; empty: derived */
    uint8_t readings;                    /* how often each form is read: 0 to 2 */
    bool recounts;                       /* a recount by law may replace a station's figures */
    struct span station_form;            /* forms.station, "34A"; empty when there is none */
    const struct preset_choice *choices; /* NULL: placeholders are made for each contest */
    uint32_t choice_count;
    uint32_t placeholder_least, placeholder_most;
};

struct preset_contest {
    struct span id, title; /* "governor-001", "County Governor, MOMBASA" */
    uint32_t kind, unit;   /* indices */
    const struct preset_choice *choices;
    uint32_t choice_count;
};

/* One row of the published totals; votes in the order of the contest's choices. */
struct preset_row {
    uint32_t unit;
    uint64_t line; /* in the file */
    struct preset_cell registered, valid, rejected;
    struct preset_cell *votes;
};

struct preset {
    struct span id, title;
    struct span simulated; /* the sentence that everything made from this preset must show */
    struct preset_level levels[PRESET_LEVELS_MAX];
    uint32_t level_count;
    bool centre; /* the level above the station is made from its code, not listed in a file */
    uint64_t poll_opens_ms, poll_closes_ms; /* unix time */
    int32_t utc_offset_minutes;
    bool image_required;
    unsigned masked_zones; /* bits of enum zone_kind: what published forms must not show */
    uint64_t station_registered_max;
    /* Canonical JSON: arrays of strings / objects, as written in the file. */
    struct span notes, sources, roles, quotas, thresholds, deadlines;

    struct preset_party *parties;
    uint32_t party_count;
    struct preset_kind *kinds;
    uint32_t kind_count;
    struct preset_unit *units; /* nation first, then level by level, each sorted by code */
    uint32_t unit_count;
    uint32_t level_first[PRESET_LEVELS_MAX + 1]; /* units of level l: level_first[l]..[l+1] */
    struct preset_contest *contests;             /* by kind, then in the order of units */
    uint32_t contest_count;
    uint32_t totals_contest; /* whose totals the rows give; PRESET_NO_UNIT when there are none */
    uint8_t totals_level;    /* the rows' units are of this level */
    struct span totals_form; /* "34C" */
    struct preset_row printed; /* the foot of that form's columns as printed; votes NULL: not given */
    struct preset_row *rows; /* sorted by unit */
    uint32_t row_count;
};

/* Reads DIR/preset.json and the files that it names. *out borrows from `a` only (about 600 KB for
 * Kenya). E_JSON, E_CSV, E_CONFIG, E_NOT_FOUND, E_MEMORY, E_TOO_LARGE. */
MUST_USE err preset_load(const char *dir, struct arena *a, struct preset *out, struct fail *f);

/* Index of the unit with this full code at this level, or PRESET_NO_UNIT. */
uint32_t preset_unit_find(const struct preset *p, uint8_t level, struct span code);
/* The unit's ancestor (or itself) at this level. */
uint32_t preset_unit_at(const struct preset *p, uint32_t unit, uint8_t level);

/* Fills p->contests from kinds and units: one contest a unit, with placeholder choices where a kind
 * has none (seeded by the unit's code, so that they never change). Used by preset_load and import.
 */
MUST_USE err preset_make_contests(struct preset *p, struct arena *a, struct fail *f);

#endif
