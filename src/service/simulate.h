/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Simulation: from an expansion to the signed records of its election night, in order.
 *
 * Pure but for keys and signatures: every key is derived from one secret (SIMULATED: never do this in
 * an election), so that the same expansion, options and secret give the same bytes again, from any
 * number of threads, and a run that was cut short can be repeated over its own log. */
#ifndef SERVICE_SIMULATE_H
#define SERVICE_SIMULATE_H

#include "service/expand.h"
#include "service/setup.h"
#include "service/submission.h"

enum {
    SIM_COMMISSIONERS = 7,
    SIM_THRESHOLD = 4,
    SIM_SIDES = 2, /* parties with an agent at each station */
    SIM_OBJECTS = 2,
    SIM_WITNESSES = 9,
    SIM_CLERKS = 3, /* at each returning officer's desk */
    SIM_TABLE_LEVELS = 2,
    SIM_NAME_MAX = 120,
};

struct sim_options {
    const struct expansion *x; /* borrowed, as everything here */
    uint64_t seed;             /* of what happens */
    struct hash secret;        /* of which all keys are made */
    uint64_t now_ms;           /* keys are valid until a year after */
    struct span origin;
    unsigned witnesses; /* 0: none; at most SIM_WITNESSES. More than half of them are a quorum */
    bool images;        /* a form's image for each result */
    bool troubles;      /* things go wrong on the way, and are put right */
    bool whole;         /* the preset's whole country: its published form can be made */
};

struct sim;
/* The caller owns *out: sim_free. E_CONFIG for an expansion without returning officers' units. */
MUST_USE err sim_new(const struct sim_options *o, struct sim **out, struct fail *f);
void sim_free(struct sim *s);

/* The key with this name; its name borrows. Names: the origin (the log), "commissioner.1", "ro.CODE",
 * "dro.CODE", "party.ID", "po.CODE", "dpo.CODE", "agent.ID.CODE", "chair", "clerk.1.CODE". */
MUST_USE err sim_signer(const struct sim *s, struct span name, struct note_signer *out,
                        struct fail *f);
/* The cosigning key of witness i, named "witness.1" for the first; `name` is room for that. */
MUST_USE err sim_witness(const struct sim *s, unsigned i, char name[SIM_NAME_MAX],
                         struct note_signer *out, struct fail *f);
struct span sim_side(const struct sim *s, unsigned side); /* the party's id */
/* Level of the units that have a returning officer. */
uint8_t sim_officer_level(const struct sim *s);

/* The two consensus objects and the manifest, signed by all commissioners. From here on the election's
 * id is known and tasks can be made. */
MUST_USE err sim_begin(struct sim *s, struct buf *units, struct buf *contests, struct buf *manifest,
                       struct fail *f);
struct hash sim_election(const struct sim *s);

/* Tasks of a phase may be done in any order and at once, but for those that sim_waits names; every
 * record of a phase is in the log before the next phase begins. */
enum sim_phase {
    SIM_OFFICERS, /* keys of returning officers, deputies and parties */
    SIM_KEYS,     /* keys of presiding officers and agents */
    SIM_NIGHT,    /* results, images, events */
    SIM_DESK,     /* readings of every form, comparisons with the originals */
    SIM_TABLES,   /* decisions; the tables of the lowest level, e.g. 34B */
    SIM_HIGHER,   /* the tables above them, e.g. 34C */
    SIM_OVERRIDES, /* what is open where a contest is declared all the same */
    SIM_DECLARE,  /* after sim_bind_checkpoint */
    SIM_PHASES
};
/* The phases after the night are planned from what the log holds when they begin: before each of them
 * the caller gives the fold, which nobody changes meanwhile. Nothing of it is kept. */
struct fold;
MUST_USE err sim_plan_phase(struct sim *s, enum sim_phase p, const struct fold *fold, struct fail *f);
/* The cosigned checkpoint to which declarations are bound: of everything before them. */
MUST_USE err sim_bind_checkpoint(struct sim *s, struct span checkpoint, struct fail *f);
uint64_t sim_count(const struct sim *s, enum sim_phase p);
/* When the night's task is due: after the poll's close. Never falls with the index. */
uint64_t sim_due_ms(const struct sim *s, uint64_t index);
/* Every task before it must be finished first: it comes back to something. */
bool sim_waits(const struct sim *s, enum sim_phase p, uint64_t index);

struct sim_object {
    enum object_class class;
    struct hash id;
    struct span bytes;
};

/* One record to be sent, after its objects. */
struct sim_step {
    struct span note;
    struct sim_object objects[SIM_OBJECTS];
    size_t object_count;
    err expect;       /* OK: it is taken; else how it must be refused */
    err or_else;      /* a second answer that is right, too (a flood's refusals); else OK */
    bool duplicate;   /* answered with the index of the record that is there already */
    const char *what; /* something out of the ordinary, in words; NULL: ordinary */
};

/* Steps are sent one after the other, each when the one before is answered. */
struct sim_task {
    struct sim_step *steps;
    size_t count, room;
    struct span station; /* its code; empty: none */
    struct arena arena;  /* of what steps point to */
    struct buf text, note, original, shown; /* room for work */
};
void sim_task_init(struct sim_task *t);
void sim_task_release(struct sim_task *t);
/* Makes task `index` of a phase; what *t held before is gone. Any number of threads, each with its
 * own *t. */
MUST_USE err sim_make(const struct sim *s, enum sim_phase p, uint64_t index, struct sim_task *t,
                      struct fail *f);

#endif
