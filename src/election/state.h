/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the fold: its state, and what the record types (type_*.c) work with. Private to election/.
 *
 * Every change goes through the journal (JSET, journal_vec, journal_table, the state_* helpers), so
 * that a batch can be given up. A type's apply checks everything first and changes afterwards. */
#ifndef ELECTION_STATE_H
#define ELECTION_STATE_H

#include "base/vec.h"
#include "crypto/ed25519.h"
#include "election/canonical_json.h"
#include "election/definition.h"
#include "election/desk.h"
#include "election/identity.h"
#include "election/rules.h"
#include "election/audits.h"
#include "election/station.h"
#include "election/voices.h"
#include "election/collation.h"
#include "election/declaration.h"

#define NO_KEY UINT32_MAX
#define NO_REF UINT32_MAX

struct key {
    struct span name;
    uint8_t pub[32];
    uint32_t keyid;
    uint8_t role; /* enum role */
    bool acting;
    uint32_t unit;
    struct span party; /* empty: none */
    struct hash holder;
    uint64_t not_before_ms, not_after_ms;
    uint64_t granted_at, revoked_at, suspect_since_ms;
    uint32_t first_contest, contest_count; /* into key_contests; 0: all contests */
    uint16_t used[REC_COUNT];              /* records so far, for quotas */
};

struct area { /* a contest's state in a part of its unit, in one round */
    uint32_t contest, unit;
    uint16_t round;
    uint8_t state;
};
uint64_t collation_hash(uint32_t contest, unsigned round, uint32_t unit);
uint64_t area_hash(uint32_t contest, unsigned round, uint32_t unit);
struct area *state_area(const struct fold *fold, uint32_t contest, unsigned round, uint32_t unit);

/* `key` also carries what a countersignature said. */
struct signed_pair {
    uint32_t entry, key;
};
#define SIGNED_SAW     (UINT32_C(1) << 31)
#define SIGNED_OBJECTS (UINT32_C(1) << 30)
#define KEYS_MAX       SIGNED_OBJECTS

/* A holder's part in a cell: the last seal there, or NO_SEAL: signed a result. */
struct holder_mark {
    uint32_t cell, key, seal;
};

struct quota {
    uint16_t most[ROLE_COUNT][REC_COUNT];
};

struct fold {
    struct budget budget;
    struct hash_key hash_key;
    struct object_source objects;
    struct arena arena; /* names and texts; what a rolled-back batch left here stays unused */
    struct journal journal;
    bool in_batch;

    uint64_t last_ms;
    uint64_t counts[REC_COUNT];
    uint64_t last_incident_ms;
    struct hash election;

    struct vec ids;  /* struct hash, one an entry */
    struct vec refs; /* uint32_t, one an entry: its index in the vector of its type, or NO_REF */
    struct table by_id;

    struct definition def;
    struct quota quotas;
    struct vec units, contests, choices, areas;
    struct vec rules; /* struct rule, one a contest */
    struct table by_code, by_contest, by_area;

    struct vec keys, key_contests;
    struct table by_name, by_pub;
    uint32_t log_keyid;

    struct vec cells, results, votes, forms, images;
    struct table by_cell, by_original, by_zones; /* images: the first of those that are alike */
    struct vec signed_by; /* struct signed_pair: which keys signed which results */
    struct table by_signed;
    struct vec seals, readings, compareds, decisions, desks, places, holder_marks; /* desk.h */
    struct table by_seal, by_holder, by_place;
    struct vec successions; /* struct succession */
    struct vec log_pubs;    /* struct ed25519_public: every key that the log ever had, the last is in force */
    struct vec objections, objection_units; /* struct objection; uint32_t */
    struct vec notices, observations, observed, host_logs;
    struct vec audits, audit_claims, audit_draws, audit_boxes, audit_readings;
    struct table by_audit_draw, by_audit_box, by_audit_seal;
    struct vec items; /* struct span: names of what observers report on */
    struct table by_item;
    struct vec collations, collation_rows; /* struct collation, struct collation_row */
    struct table by_collation;             /* collation_hash */
    struct vec declarations, overrides, dissents, override_items;
    struct vec contest_cells; /* uint32_t, contest * MAX_ROUNDS + round - 1: first cell + 1 */
    struct vec contest_places; /* the same: first place + 1 */
};

/* A record being applied. */
struct ctx {
    struct fold *fold;
    const struct record *rec;
    struct applied *out;
    struct fail *f;
    uint64_t index, ms;
    struct cj json;
    /* the record's signers, in line order: key index, or NO_KEY for the log key or a new key */
    size_t signer_count;
    uint32_t signers[100];
    bool by_log; /* signed by the log key */
    uint32_t ref; /* set by types that have a vector of their own; see state_ref */
};

/* One record type: reads c->json to its end (cj_end), checks, changes the state. The common part
 * (election id, first field order) is in the type's own reader because keys are sorted. */
typedef err type_apply(struct ctx *c);
type_apply manifest_apply, amend_apply, key_apply, revoke_apply, acting_apply, result_apply,
    signatures_apply, countersign_apply, image_apply, station_event_apply, incident_apply,
    objection_apply, admission_apply, ruling_apply, notice_apply, observation_apply, host_log_apply,
    audit_plan_apply, audit_seed_apply, audit_round_apply, audit_count_apply, audit_close_apply,
    collation_apply, declaration_apply, override_apply, dissent_apply, seal_apply, open_apply, compared_apply,
    custody_apply, decision_apply;

/* --- reading what several types have in common; all use c->json's sticky error --- */

/* The field "election": must be this election. */
void read_election(struct ctx *c);
/* The value of a field that names a unit, a contest, a record, a key. NO_... after an error. */
uint32_t read_unit(struct ctx *c);
uint32_t read_station(struct ctx *c);
uint32_t read_contest(struct ctx *c);
uint64_t read_record(struct ctx *c); /* index of the record named by id; E_REFERENCE */
uint32_t read_key_name(struct ctx *c);
/* {"sha256":hex,"size":n}; noted in c->out */
struct named_object read_object_ref(struct ctx *c, bool restricted);
/* One of the words in `words` (NULL-terminated); its index. E_FIELD otherwise. */
unsigned read_word(struct ctx *c, const char *const *words);
/* A name: 1..max characters of a-z 0-9 . / _ - */
struct span read_slug(struct cj *r, size_t max);
bool slug_valid(struct span s, size_t max);

/* The figures of a form as result, open and compared carry them. */
struct ballots {
    uint64_t disputed, objected, registered, rejected, valid;
};
void read_ballots(struct cj *r, struct ballots *out);
void read_voters(struct cj *r, uint64_t *kit, uint64_t *manual);
/* {CHOICE:figure,...} into votes[choice_count], in ballot order, for this contest and round; a choice
 * that is left out is blank on the form (ABSENT). Nothing is done when contest is NO_CONTEST. */
void read_votes(struct cj *r, const struct fold *s, uint32_t contest, unsigned round, uint64_t *votes);
/* An array of irregularity words, ascending, at least one: bits of mark_words. */
uint32_t read_marks(struct cj *r);
/* A reading, as JSON, of a cell in this contest and round. Figures go to votes[MAX_CHOICES]. */
MUST_USE err reading_parse(const struct fold *s, struct span json, uint32_t contest, unsigned round,
                           struct form_reading *out, uint64_t *votes, struct fail *f);

/* --- signers --- */

struct key *state_key(const struct fold *fold, uint32_t i);
uint32_t state_key_by_name(const struct fold *fold, struct span name);
/* The key's role where it acts: a deputy with an acting record has the officer's role. */
enum role key_acts_as(const struct key *k);
bool key_covers_unit(const struct fold *fold, const struct key *k, uint32_t unit);
bool key_covers_contest(const struct fold *fold, const struct key *k, uint32_t contest);
/* First signer acting in this role over this unit, or NO_KEY. */
uint32_t signer_in_role(const struct ctx *c, enum role r, uint32_t unit);
/* Every signer covers the unit (NO_UNIT: any) and the contest (NO_CONTEST: any); else E_SCOPE. */
MUST_USE err signers_in_scope(struct ctx *c, uint32_t unit, uint32_t contest);
/* Distinct holders among the signers in a role. */
unsigned signer_holders(const struct ctx *c, enum role r);
/* At least one signer may grant (or revoke) this key: its role, unit, contests and party;
 * commissioners only by threshold. E_DELEGATION, E_THRESHOLD. */
MUST_USE err signers_may_grant(struct ctx *c, const struct key *k);

/* --- changing the state --- */

/* Pushes with journal; E_MEMORY when the cap is reached. */
MUST_USE err state_push(struct ctx *c, struct vec *v, void **out);
/* For tables of what records name: names, codes, ids and hashes. */
uint64_t state_hash(const struct fold *fold, struct span s);
MUST_USE err state_index(struct ctx *c, struct table *t, uint64_t hash, uint32_t index);
/* The cell for (contest, round, station), made if needed. */
MUST_USE err state_cell(struct ctx *c, uint32_t contest, unsigned round, uint32_t station, uint32_t *out);
MUST_USE err state_desk(struct ctx *c, uint32_t cell, struct desk **out);
uint32_t state_place_find(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit); /* NO_REF */
MUST_USE err state_place(struct ctx *c, uint32_t contest, unsigned round, uint32_t unit, struct place **out);
/* Notes that the holder of this key signed a result at the cell, or sealed a reading of its form. */
MUST_USE err state_holder_signed(struct ctx *c, uint32_t cell, uint32_t key);
MUST_USE err state_holder_sealed(struct ctx *c, uint32_t cell, uint32_t key, uint32_t seal);
/* The key's holder may seal at the cell in an entry with this index; E_STATE and why not. */
MUST_USE err state_may_seal(const struct fold *s, const struct cell *c, uint32_t cell, uint32_t key,
                            uint64_t now_ms, uint64_t index, struct fail *f);
/* As an entry with this index finds it: what was revoked before cannot open any more. */
enum seal_state state_seal_at(const struct fold *s, const struct seal *x, uint64_t now_ms,
                              uint64_t index);
MUST_USE err state_reading_add(struct ctx *c, const struct form_reading *r, const uint64_t *votes, uint32_t *out);
MUST_USE err state_key_add(struct ctx *c, const struct key *k, uint32_t *out);
/* The public key is, or was, somebody's or the log's. */
bool state_pub_known(const struct fold *fold, const uint8_t pub[32]);
/* Name or public key is in use already: E_KEY_REUSED. */
MUST_USE err state_key_is_new(struct ctx *c, struct span name, const uint8_t pub[32]);
/* The bytes of a consensus object, checked; valid until the next one is asked for. */
MUST_USE err state_get_object(struct ctx *c, const struct named_object *n, struct span *out);
MUST_USE err definition_load_units(struct ctx *c, const struct named_object *o, bool first);
MUST_USE err definition_load_contests(struct ctx *c, const struct named_object *o);
/* A signature that must hold: line number `line` of the note. */
void check_add(struct applied *out, const uint8_t pub[32], const uint8_t sig[64],
               struct span message, uint64_t of, size_t line);
uint32_t result_of_entry(const struct fold *fold, uint64_t entry); /* NO_RESULT */
/* Index in the vector of this type's own structures (a reading for open and compared), or NO_REF when
 * the entry is of another type. */
uint32_t state_ref(const struct fold *fold, uint64_t entry, enum record_type type);
bool state_has_signed(const struct fold *fold, uint64_t entry, uint32_t key);
MUST_USE err state_signed_add(struct ctx *c, uint64_t entry, uint32_t key);
/* One signature line: a known key that may sign this type now. The log key gives NO_KEY and *by_log. */
MUST_USE err line_resolve(const struct fold *fold, const struct note_line *line, enum record_type type,
                          uint64_t index, uint64_t ms, uint32_t *key, bool *by_log, struct fail *f);

#endif
