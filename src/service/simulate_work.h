/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the simulation: its plan, and what the two parts of it share. Private to simulate*.c. */
#ifndef SERVICE_SIMULATE_WORK_H
#define SERVICE_SIMULATE_WORK_H

#include "service/simulate.h"

/* What happens at a station that is out of the ordinary. */
enum trouble {
    T_NONE,
    T_SUM,       /* the form does not add up; corrected by the officer's next form */
    T_WRONG,     /* figures sent for another station */
    T_RETRY,     /* sent twice */
    T_TWO,       /* two forms, the second not linked to the first */
    T_DIED,      /* the officer died; the key is used afterwards; the deputy acts */
    T_STRIPPED,  /* an agent's signature line is lost on the way */
    T_OFFLINE,   /* no network: days late */
    T_FLOOD,     /* one key sends more than it may */
    T_FORGED,    /* a signature that does not hold */
    T_REHEARSAL, /* a record of the rehearsal */
    T_IMAGE,     /* the image comes much later */
    T_OBJECTS,   /* an agent objects; it stays so */
    T_DEPUTY,    /* another contest where the officer died */
    T_VOTERS,    /* more ballots than voters identified; it stays so */
    T_COUNT
};

struct night_item {
    uint64_t due_ms;
    uint32_t figure;
    uint8_t part; /* 0: the station's report; 1: what is put right afterwards */
};

struct sim_form;   /* simulate_desk.c */
MUST_USE err sim_plan_desk(struct sim *s, const struct fold *fold, struct fail *f);
struct sim_table;  /* simulate_law.c */
struct sim_contest; /* simulate_declare.c */

struct sim {
    struct sim_options o;
    struct arena arena;
    struct hash election;
    uint8_t officer_level;
    uint32_t officer_count;
    struct note_signer *officers; /* of the units of officer_level, in order */
    struct note_signer commissioners[SIM_COMMISSIONERS], parties[SIM_SIDES];
    struct span sides[SIM_SIDES];
    uint8_t *trouble; /* enum trouble, one a figure */
    struct night_item *night;
    uint64_t night_count;
    struct sim_form *forms; /* the desk's plan */
    uint64_t form_count;
    struct sim_table *tables[SIM_TABLE_LEVELS]; /* collations, from the lowest level up */
    uint64_t table_count[SIM_TABLE_LEVELS];
    struct sim_contest *contests; /* that can be declared */
    uint64_t contest_count;
    struct span checkpoint; /* cosigned; what declarations are bound to */
    uint64_t bound_size;
    struct hash bound_root;
    uint8_t regional_level; /* units between nation and constituency that have an officer; 0: none */
    uint32_t regional_count;
};

struct span sim_name(char out[SIM_NAME_MAX], const char *role, struct span code);
struct span sim_agent_name(char out[SIM_NAME_MAX], struct span party, struct span code);
/* The returning officer over a unit of the expansion. */
const struct note_signer *sim_officer(const struct sim *s, uint32_t unit);

/* Signs t->text and appends the step; *id (may be NULL) gets the record's id. */
MUST_USE err sim_sign(struct sim_task *t, const struct note_signer *const *signers, size_t n,
                      struct hash *id, struct sim_step **out, struct fail *f);
/* A step that sends bytes as they are. */
MUST_USE err sim_send(struct sim_task *t, struct span note, struct sim_step **out, struct fail *f);
/* A grant: the granting keys and the new one. */
MUST_USE err sim_grant(const struct sim *s, struct sim_task *t, enum role role, struct span unit,
                       struct span party, const struct note_signer *new_key,
                       const struct note_signer *const *granters, size_t granter_count,
                       struct sim_step **out, struct fail *f);

/* The figure of a station's first contest, whose trouble concerns its people. */
uint32_t sim_first_figure(const struct sim *s, uint32_t station);
/* simulate_plan.c: who has which trouble, and the order of the night. */
MUST_USE err sim_plan(struct sim *s, struct fail *f);
/* "clerk.1.CODE" of an officer's unit; clerk 0 to SIM_CLERKS - 1 */
struct span sim_clerk_name(const struct sim *s, uint32_t officer, unsigned clerk, char out[SIM_NAME_MAX]);
/* Index of the returning officer over this unit or station, by its code. */
MUST_USE err sim_officer_of(const struct sim *s, struct span code, uint32_t *out, struct fail *f);
/* simulate_desk.c */
MUST_USE err sim_plan_desk(struct sim *s, const struct fold *fold, struct fail *f);
MUST_USE err sim_make_desk(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f);
/* simulate_law.c */
MUST_USE err sim_plan_tables(struct sim *s, unsigned level, const struct fold *fold, struct fail *f);
MUST_USE err sim_make_table(const struct sim *s, unsigned level, uint64_t index, struct sim_task *t,
                            struct fail *f);
/* simulate_declare.c */
MUST_USE err sim_plan_declarations(struct sim *s, const struct fold *fold, struct fail *f);
MUST_USE err sim_make_override(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f);
MUST_USE err sim_make_declaration(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f);
/* simulate_night.c */
MUST_USE err sim_make_night(const struct sim *s, uint64_t index, struct sim_task *t,
                            struct fail *f);

#endif
