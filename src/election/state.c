/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/state.h"

#include "base/text.h"

/* --- pushing and indexing --- */

err state_push(struct ctx *c, struct vec *v, void **out) {
    journal_vec(&c->fold->journal, v);
    *out = vec_push(v);
    if (*out) return OK;
    return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
}

err state_index(struct ctx *c, struct table *t, uint64_t hash, uint32_t index) {
    if (!table_add(t, hash, index))
        return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    journal_table(&c->fold->journal, t, hash, index);
    return OK;
}

uint64_t state_hash(const struct fold *s, struct span bytes) {
    return hash_keyed(&s->hash_key, bytes);
}

/* --- keys --- */

struct key *state_key(const struct fold *s, uint32_t i) {
    return vec_at(&s->keys, i);
}

uint32_t state_key_by_name(const struct fold *s, struct span name) {
    size_t cursor = 0;
    uint64_t h = state_hash(s, name);
    for (uint32_t i; (i = table_next(&s->by_name, h, &cursor)) != UINT32_MAX;)
        if (span_eq(state_key(s, i)->name, name)) return i;
    return NO_KEY;
}

bool state_pub_known(const struct fold *s, const uint8_t pub[32]) {
    size_t cursor = 0;
    uint64_t h = state_hash(s, span_of(pub, 32));
    for (size_t i = 0; i < s->log_pubs.n; i++)
        if (memcmp(vec_at(&s->log_pubs, i), pub, 32) == 0) return true;
    for (uint32_t i; (i = table_next(&s->by_pub, h, &cursor)) != UINT32_MAX;)
        if (memcmp(state_key(s, i)->pub, pub, 32) == 0) return true;
    return false;
}

err state_key_is_new(struct ctx *c, struct span name, const uint8_t pub[32]) {
    const struct fold *s = c->fold;
    if (state_pub_known(s, pub)) return fail_set(c->f, E_KEY_REUSED, "this public key was enrolled before");
    if (state_key_by_name(s, name) != NO_KEY || span_eq(name, s->def.origin))
        return fail_set(c->f, E_KEY_REUSED, "the key name %.*s was used before", SPAN_ARG(name));
    return OK;
}

err state_key_add(struct ctx *c, const struct key *k, uint32_t *out) {
    struct fold *s = c->fold;
    struct key *to;
    uint32_t i = (uint32_t)s->keys.n;
    if (i >= KEYS_MAX) return fail_set(c->f, E_MEMORY, "the state holds all the keys that it can");
    TRY(state_push(c, &s->keys, (void **)&to));
    *to = *k;
    to->name = arena_copy(&s->arena, k->name);
    to->party = arena_copy(&s->arena, k->party);
    if (!to->name.p || !to->party.p)
        return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    to->revoked_at = to->suspect_since_ms = UINT64_MAX;
    to->granted_at = c->index;
    TRY(state_index(c, &s->by_name, state_hash(s, to->name), i));
    TRY(state_index(c, &s->by_pub, state_hash(s, span_of(to->pub, 32)), i));
    if (out) *out = i;
    return OK;
}

enum role key_acts_as(const struct key *k) {
    if (k->acting && k->role == ROLE_DEPUTY_PRESIDING_OFFICER) return ROLE_PRESIDING_OFFICER;
    if (k->acting && k->role == ROLE_DEPUTY_RETURNING_OFFICER) return ROLE_RETURNING_OFFICER;
    return (enum role)k->role;
}

bool key_covers_unit(const struct fold *s, const struct key *k, uint32_t unit) {
    return unit_within(s, unit, k->unit);
}

bool key_covers_contest(const struct fold *s, const struct key *k, uint32_t contest) {
    if (k->contest_count == 0) return true;
    for (uint32_t i = 0; i < k->contest_count; i++)
        if (*(const uint32_t *)vec_at(&s->key_contests, k->first_contest + i) == contest) return true;
    return false;
}

uint32_t signer_in_role(const struct ctx *c, enum role r, uint32_t unit) {
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *k = state_key(c->fold, c->signers[i]);
        if (key_acts_as(k) == r && (unit == NO_UNIT || key_covers_unit(c->fold, k, unit)))
            return c->signers[i];
    }
    return NO_KEY;
}

err signers_in_scope(struct ctx *c, uint32_t unit, uint32_t contest) {
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *k = state_key(c->fold, c->signers[i]);
        if (unit != NO_UNIT && !key_covers_unit(c->fold, k, unit)) {
            struct span a = fold_unit(c->fold, k->unit)->code, b = fold_unit(c->fold, unit)->code;
            return fail_set(c->f, E_SCOPE, "the key %.*s is of unit %.*s, not of %.*s",
                            SPAN_ARG(k->name), SPAN_ARG(a), SPAN_ARG(b));
        }
        if (contest != NO_CONTEST && !key_covers_contest(c->fold, k, contest))
            return fail_set(c->f, E_SCOPE, "the key %.*s is not for the contest %.*s",
                            SPAN_ARG(k->name), SPAN_ARG(fold_contest(c->fold, contest)->id));
    }
    return OK;
}

unsigned signer_holders(const struct ctx *c, enum role r) {
    unsigned n = 0;
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *k = state_key(c->fold, c->signers[i]);
        bool counts = key_acts_as(k) == r;
        for (size_t j = 0; counts && j < i; j++) {
            if (c->signers[j] == NO_KEY) continue;
            const struct key *o = state_key(c->fold, c->signers[j]);
            if (key_acts_as(o) == r && hash_eq(&o->holder, &k->holder)) counts = false;
        }
        n += counts;
    }
    return n;
}

/* All contests of `inner` are `outer`'s too. */
static bool covers_contests(const struct fold *s, const struct key *outer, const struct key *inner) {
    if (outer->contest_count == 0) return true;
    for (uint32_t i = 0; i < inner->contest_count; i++)
        if (!key_covers_contest(s, outer,
                                *(const uint32_t *)vec_at(&s->key_contests, inner->first_contest + i)))
            return false;
    return inner->contest_count > 0;
}

err signers_may_grant(struct ctx *c, const struct key *k) {
    enum role r = (enum role)k->role;
    /* how near the best signer came */
    enum { NO_ROLE, NO_SCOPE_UNIT, NO_SCOPE_CONTEST, NO_SCOPE_PARTY, TOO_FEW } best = NO_ROLE;
    unsigned have = signer_holders(c, ROLE_COMMISSIONER);
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *g = state_key(c->fold, c->signers[i]);
        enum role as = key_acts_as(g);
        bool same_party = as != ROLE_PARTY && as != ROLE_OBSERVER_GROUP;
        if (!role_may_grant(as, r)) continue;
        unsigned came = !key_covers_unit(c->fold, g, k->unit)            ? NO_SCOPE_UNIT
                        : !covers_contests(c->fold, g, k)                ? NO_SCOPE_CONTEST
                        : !same_party && !span_eq(g->party, k->party)    ? NO_SCOPE_PARTY
                        : as == ROLE_COMMISSIONER && have < c->fold->def.threshold ? TOO_FEW
                                                                         : TOO_FEW + 1u;
        if (came > TOO_FEW) return OK;
        if (came > best) best = came;
    }
    switch (best) {
    case NO_ROLE:
        return fail_set(c->f, E_DELEGATION, "none of the signers may grant or revoke the role %s",
                        role_name(r));
    case NO_SCOPE_UNIT:
        return fail_set(c->f, E_DELEGATION, "outside the unit of the key that signed");
    case NO_SCOPE_CONTEST:
        return fail_set(c->f, E_DELEGATION, "outside the contests of the key that signed");
    case NO_SCOPE_PARTY:
        return fail_set(c->f, E_DELEGATION, "a party's or group's key speaks for its own only");
    default:
        return fail_set(c->f, E_THRESHOLD, "%u commissioners signed where %u must", have,
                        c->fold->def.threshold);
    }
}

/* --- cells and results --- */

static uint64_t cell_hash(uint32_t contest, unsigned round, uint32_t station) {
    return hash_u64((uint64_t)contest << 36 ^ (uint64_t)round << 32 ^ station);
}

uint32_t fold_cell_find(const struct fold *s, uint32_t contest, unsigned round, uint32_t station) {
    size_t cursor = 0;
    uint64_t h = cell_hash(contest, round, station);
    for (uint32_t i; (i = table_next(&s->by_cell, h, &cursor)) != UINT32_MAX;) {
        const struct cell *c = fold_cell_at(s, i);
        if (c->contest == contest && c->round == round && c->station == station) return i;
    }
    return NO_CELL;
}

const struct cell *fold_cell_at(const struct fold *s, uint32_t i) {
    return vec_at(&s->cells, i);
}

size_t fold_cell_count(const struct fold *s) {
    return s->cells.n;
}

err state_cell(struct ctx *c, uint32_t contest, unsigned round, uint32_t station, uint32_t *out) {
    struct fold *s = c->fold;
    *out = fold_cell_find(s, contest, round, station);
    if (*out != NO_CELL) return OK;
    struct cell *k;
    uint32_t i = (uint32_t)s->cells.n;
    TRY(state_push(c, &s->cells, (void **)&k));
    uint32_t *first = vec_at(&s->contest_cells, (size_t)contest * MAX_ROUNDS + round - 1);
    *k = (struct cell){.contest = contest, .station = station, .round = (uint16_t)round,
                       .first_result = NO_RESULT, .last_result = NO_RESULT,
                       .first_image = NO_IMAGE, .next_in_contest = *first,
                       .number = *first ? fold_cell_at(s, *first - 1)->number + 1 : 0};
    JSET(&s->journal, *first, i + 1);
    TRY(state_index(c, &s->by_cell, cell_hash(contest, round, station), i));
    *out = i;
    return OK;
}

const struct cell *fold_next_cell(const struct fold *s, uint32_t contest, unsigned round,
                                  uint32_t *cursor) {
    uint32_t next;
    if (*cursor == 0) {
        size_t at = (size_t)contest * MAX_ROUNDS + round - 1;
        if (round == 0 || round > MAX_ROUNDS || at >= s->contest_cells.n) return NULL;
        next = *(const uint32_t *)vec_at(&s->contest_cells, at);
    } else {
        next = ((const struct cell *)vec_at(&s->cells, *cursor - 1))->next_in_contest;
    }
    if (next == 0) return NULL;
    *cursor = next;
    return vec_at(&s->cells, next - 1);
}

uint32_t *fold_cells_by_unit(const struct fold *s, uint32_t contest, unsigned round, struct arena *a) {
    uint32_t *at = arena_array(a, s->units.n + 1, sizeof *at), cursor = 0;
    if (!at) return NULL;
    for (size_t i = 0; i < s->units.n; i++) at[i] = NO_CELL;
    for (const struct cell *c; (c = fold_next_cell(s, contest, round, &cursor));) at[c->station] = cursor - 1;
    return at;
}

const struct result *fold_result(const struct fold *s, uint32_t i) {
    return vec_at(&s->results, i);
}

size_t fold_result_count(const struct fold *s) {
    return s->results.n;
}

const uint64_t *result_votes(const struct fold *s, const struct result *r) {
    return vec_at(&s->votes, r->votes_at);
}

const struct hash *result_form(const struct fold *s, const struct result *r, unsigned k) {
    return vec_at(&s->forms, r->form_at + k);
}

const struct image *fold_image(const struct fold *s, uint32_t i) {
    return vec_at(&s->images, i);
}

size_t fold_image_count(const struct fold *s) {
    return s->images.n;
}

uint32_t result_of_entry(const struct fold *s, uint64_t entry) {
    return state_ref(s, entry, REC_RESULT);
}

/* The index is believed only if what stands there says that it is of this entry: indices of other
 * types look the same. */
uint32_t state_ref(const struct fold *s, uint64_t entry, enum record_type type) {
    if (entry >= s->refs.n) return NO_REF;
    uint32_t i = *(const uint32_t *)vec_at(&s->refs, (size_t)entry);
    uint64_t is = UINT64_MAX;
    switch (type) {
    case REC_RESULT:
        if (i < s->results.n) is = fold_result(s, i)->entry;
        break;
    case REC_IMAGE:
        if (i < s->images.n) is = fold_image(s, i)->entry;
        break;
    case REC_SEAL:
        if (i < s->seals.n) is = fold_seal(s, i)->entry;
        break;
    case REC_OPEN:
    case REC_COMPARED:
        if (i < s->readings.n && (fold_reading(s, i)->seal == NO_SEAL) == (type == REC_COMPARED))
            is = fold_reading(s, i)->entry;
        break;
    case REC_DECISION:
        if (i < s->decisions.n) is = fold_decision(s, i)->entry;
        break;
    default: break;
    }
    return is == entry ? i : NO_REF;
}

const struct result *cell_current(const struct fold *s, const struct cell *c) {
    if (c->current != 1) return NULL;
    for (uint32_t i = c->first_result; i != NO_RESULT;) {
        const struct result *r = fold_result(s, i);
        if (r->superseded_by == NO_RESULT) return r;
        i = r->next;
    }
    return NULL;
}

bool cell_has_image(const struct fold *s, const struct cell *c, const struct result *r) {
    (void)s;
    return c->first_image != NO_IMAGE || r->first_image != NO_IMAGE;
}

const struct result *cell_transmitted(const struct fold *s, const struct cell *c) {
    const struct result *r = cell_current(s, c);
    if (!r) return NULL;
    if (s->def.image == IMAGE_REQUIRED && !cell_has_image(s, c, r)) return NULL;
    return r;
}

void result_figures(const struct fold *s, const struct result *r, struct figures *out) {
    *out = (struct figures){.registered = r->registered, .valid = r->valid, .rejected = r->rejected,
                            .objected = r->objected_votes, .disputed = r->disputed,
                            .votes = result_votes(s, r)};
}

bool cell_held(const struct fold *s, const struct cell *c, struct figures *out, uint64_t *entry) {
    const struct decision *d = cell_decision(s, c);
    const struct result *r = d ? NULL : cell_transmitted(s, c);
    uint32_t reading = NO_READING;
    if (d && d->action == DECISION_DISREGARD) return false;
    if (d) {
        uint32_t i = state_ref(s, d->record, REC_RESULT);
        if (i != NO_REF) r = fold_result(s, i);
        reading = state_ref(s, d->record, REC_OPEN);
        if (reading == NO_REF) reading = state_ref(s, d->record, REC_COMPARED);
    } else if (c->first_result == NO_RESULT) {
        reading = desk_agreed(s, c); /* nothing was transmitted: the paper's figures are all there is */
    }
    if (r) {
        result_figures(s, r, out);
        *entry = r->entry;
    } else if (reading != NO_READING) {
        reading_figures(s, fold_reading(s, reading), out);
        *entry = fold_reading(s, reading)->entry;
    }
    return r || reading != NO_READING;
}

bool state_has_signed(const struct fold *s, uint64_t entry, uint32_t key) {
    size_t cursor = 0;
    uint64_t h = hash_u64(entry << 32 ^ key);
    for (uint32_t i; (i = table_next(&s->by_signed, h, &cursor)) != UINT32_MAX;) {
        const struct signed_pair *p = vec_at(&s->signed_by, i);
        if (p->entry == entry && p->key == key) return true;
    }
    return false;
}

err state_signed_add(struct ctx *c, uint64_t entry, uint32_t key) {
    struct signed_pair *p;
    uint32_t i = (uint32_t)c->fold->signed_by.n;
    TRY(state_push(c, &c->fold->signed_by, (void **)&p));
    *p = (struct signed_pair){(uint32_t)entry, key};
    return state_index(c, &c->fold->by_signed, hash_u64(entry << 32 ^ key), i);
}

/* --- reading fields --- */

void read_election(struct ctx *c) {
    struct hash h = {0};
    cj_need(&c->json, "election");
    cj_hex(&c->json, h.b, sizeof h.b);
    if (!cj_failed(&c->json) && !hash_eq(&h, &c->fold->election))
        cj_fail(&c->json, E_ELECTION, "the record is of another election");
}

bool slug_valid(struct span s, size_t max) {
    if (s.n == 0 || s.n > max) return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t ch = s.p[i];
        bool ok = (ch >= 'a' && ch <= 'z') || char_is_digit(ch) || ch == '.' || ch == '/' ||
                  ch == '_' || ch == '-';
        if (!ok) return false;
    }
    return true;
}

struct span read_slug(struct cj *r, size_t max) {
    struct span s = cj_code(r, max);
    if (!cj_failed(r) && !slug_valid(s, max))
        cj_fail(r, E_FIELD, "\"%.*s\" is not a name of a-z, 0-9, '.', '/', '_', '-'", SPAN_ARG(s));
    return s;
}

uint32_t read_unit(struct ctx *c) {
    struct span s = cj_code(&c->json, 40);
    if (cj_failed(&c->json)) return NO_UNIT;
    uint32_t u = fold_unit_by_code(c->fold, s);
    if (u == NO_UNIT)
        cj_fail(&c->json, E_UNIT, "there is no reporting unit \"%.*s\"", SPAN_ARG(s));
    return u;
}

uint32_t read_station(struct ctx *c) {
    uint32_t u = read_unit(c);
    if (cj_failed(&c->json)) return NO_UNIT;
    const struct unit *unit = fold_unit(c->fold, u);
    if (!unit_is_station(c->fold, u))
        cj_fail(&c->json, E_UNIT, "the unit %.*s is not a polling station", SPAN_ARG(unit->code));
    else if (unit->closed)
        cj_fail(&c->json, E_UNIT, "the station %.*s was closed by an amendment",
                SPAN_ARG(unit->code));
    c->out->station = u;
    return cj_failed(&c->json) ? NO_UNIT : u;
}

uint32_t read_contest(struct ctx *c) {
    struct span s = cj_code(&c->json, 60);
    if (cj_failed(&c->json)) return NO_CONTEST;
    uint32_t i = fold_contest_by_id(c->fold, s);
    if (i == NO_CONTEST) cj_fail(&c->json, E_CONTEST, "there is no contest \"%.*s\"", SPAN_ARG(s));
    c->out->contest = i;
    return i;
}

uint64_t read_record(struct ctx *c) {
    struct hash h = {0};
    cj_hex(&c->json, h.b, sizeof h.b);
    if (cj_failed(&c->json)) return UINT64_MAX;
    uint64_t i = fold_find(c->fold, &h);
    if (i == UINT64_MAX) cj_fail(&c->json, E_REFERENCE, "the record it names is not in the log");
    return i;
}

uint32_t read_key_name(struct ctx *c) {
    struct span s = cj_code(&c->json, 120);
    if (cj_failed(&c->json)) return NO_KEY;
    uint32_t i = state_key_by_name(c->fold, s);
    if (i == NO_KEY)
        cj_fail(&c->json, E_REFERENCE, "there is no key named \"%.*s\"", SPAN_ARG(s));
    return i;
}

struct named_object read_object_ref(struct ctx *c, bool restricted) {
    struct named_object o = {0};
    cj_object(&c->json);
    cj_need(&c->json, "sha256");
    cj_hex(&c->json, o.id.b, sizeof o.id.b);
    cj_need(&c->json, "size");
    o.size = cj_u64(&c->json, CJ_MAX_INT);
    cj_object_end(&c->json);
    if (c->out->object_count == APPLIED_MAX_OBJECTS) {
        cj_fail(&c->json, E_RANGE, "more than %d objects", APPLIED_MAX_OBJECTS);
    } else if (!cj_failed(&c->json)) {
        c->out->objects[c->out->object_count].ref = o;
        c->out->objects[c->out->object_count++].restricted = restricted;
    }
    return o;
}

unsigned read_word(struct ctx *c, const char *const *words) {
    struct span s = cj_code(&c->json, 60);
    if (cj_failed(&c->json)) return 0;
    for (unsigned i = 0; words[i]; i++)
        if (span_is(s, words[i])) return i;
    cj_fail(&c->json, E_FIELD, "\"%.*s\" is not one of the words that may stand here", SPAN_ARG(s));
    return 0;
}
