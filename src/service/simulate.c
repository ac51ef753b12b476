/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/simulate_work.h"

#include <stdio.h>
#include <stdlib.h>
#include "crypto/secret.h"
#include "tlog/policy.h"

enum { WEEK_MS = 7 * 24 * 3600 * 1000, ARENA_MAX = 1 << 30, TASK_MAX = 8 << 20 };
#define YEAR_MS (UINT64_C(365) * 24 * 3600 * 1000)

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "no memory for the simulation");
}

/* --- keys --- */

struct span sim_name(char out[SIM_NAME_MAX], const char *role, struct span code) {
    int n = snprintf(out, SIM_NAME_MAX, "%s.%.*s", role, SPAN_ARG(code));
    return span_of(out, (size_t)n);
}

struct span sim_agent_name(char out[SIM_NAME_MAX], struct span party, struct span code) {
    int n = snprintf(out, SIM_NAME_MAX, "agent.%.*s.%.*s", SPAN_ARG(party), SPAN_ARG(code));
    return span_of(out, (size_t)n);
}

static err derive(const struct sim *s, struct span name, uint8_t type, struct note_signer *out,
                  struct fail *f) {
    static const char domain[] = "hesabu/simulated-key/v1\n";
    uint8_t head[sizeof domain - 1 + HASH_BYTES];
    memcpy(head, domain, sizeof domain - 1);
    memcpy(head + sizeof domain - 1, s->o.secret.b, HASH_BYTES);
    struct hash seed = sha256_2(span_of(head, sizeof head), name);
    err e = note_signer_make(name, type, seed.b, out, f);
    secret_wipe(&seed, sizeof seed);
    secret_wipe(head, sizeof head);
    return e;
}

err sim_signer(const struct sim *s, struct span name, struct note_signer *out, struct fail *f) {
    return derive(s, name, NOTE_TYPE_ED25519, out, f);
}

err sim_witness(const struct sim *s, unsigned i, char name[SIM_NAME_MAX], struct note_signer *out,
                struct fail *f) {
    char digit = (char)('1' + i);
    return derive(s, sim_name(name, "witness", span_of(&digit, 1)), NOTE_TYPE_COSIGNATURE, out, f);
}

struct span sim_clerk_name(const struct sim *s, uint32_t officer, unsigned clerk, char out[SIM_NAME_MAX]) {
    const struct expansion *x = s->o.x;
    char role[] = "clerk.1";
    role[sizeof role - 2] = (char)('1' + clerk);
    return sim_name(out, role, x->units[x->level_first[s->officer_level] + officer].code);
}

err sim_officer_of(const struct sim *s, struct span code, uint32_t *out, struct fail *f) {
    const struct expansion *x = s->o.x;
    uint32_t first = x->level_first[s->officer_level], low = 0, high = s->officer_count;
    size_t digits = x->units[first].code.n;
    struct span own = span_of(code.p, code.n < digits ? code.n : digits);
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = span_cmp(x->units[first + mid].code, own);
        if (c == 0) {
            *out = mid;
            return OK;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return fail_set(f, E_CONFIG, "no returning officer's unit holds %.*s", SPAN_ARG(code));
}

/* A person's pseudonym: nobody can say whose it is without the secret. */
static struct hash holder_of(const struct sim *s, struct span name) {
    static const char domain[] = "hesabu/simulated-holder/v1\n";
    uint8_t head[sizeof domain - 1 + HASH_BYTES];
    memcpy(head, domain, sizeof domain - 1);
    memcpy(head + sizeof domain - 1, s->o.secret.b, HASH_BYTES);
    return sha256_2(span_of(head, sizeof head), name);
}

/* A signer whose name stays as long as the simulation. */
static err kept_signer(struct sim *s, struct span name, struct note_signer *out, struct fail *f) {
    struct span kept = arena_copy(&s->arena, name);
    return kept.p ? sim_signer(s, kept, out, f) : no_memory(f);
}

/* --- making it --- */

/* The parties of the two choices with the most votes: they have agents everywhere. */
static err choose_sides(struct sim *s, struct fail *f) {
    const struct expansion *x = s->o.x;
    const struct preset_contest *c = &x->contests[0];
    uint64_t sums[PRESET_CHOICES_MAX] = {0};
    for (uint32_t i = 0; i < x->figures_count; i++)
        for (uint32_t k = 0; x->figures[i].contest == 0 && x->figures[i].sent && k < c->choice_count; k++)
            sums[k] += x->figures[i].votes[k];
    if (c->choice_count < SIM_SIDES)
        return fail_set(f, E_CONFIG, "a simulation needs a contest of two choices or more");
    uint32_t best[SIM_SIDES] = {sums[1] > sums[0], sums[1] <= sums[0]};
    for (uint32_t k = 2; k < c->choice_count; k++) {
        if (sums[k] > sums[best[0]]) {
            best[1] = best[0];
            best[0] = k;
        } else if (sums[k] > sums[best[1]]) {
            best[1] = k;
        }
    }
    bool parties = c->choices[best[0]].party.n && c->choices[best[1]].party.n &&
                   !span_eq(c->choices[best[0]].party, c->choices[best[1]].party);
    for (int i = 0; i < SIM_SIDES; i++)
        s->sides[i] = parties ? c->choices[best[i]].party : c->choices[best[i]].id;
    return OK;
}

static err make_officers(struct sim *s, struct fail *f) {
    const struct expansion *x = s->o.x;
    char name[SIM_NAME_MAX];
    uint32_t first = x->level_first[s->officer_level];
    s->officer_count = x->level_first[s->officer_level + 1] - first;
    s->officers = arena_array(&s->arena, s->officer_count + 1, sizeof *s->officers);
    if (!s->officers) return no_memory(f);
    for (uint32_t i = 0; i < s->officer_count; i++)
        TRY(kept_signer(s, sim_name(name, "ro", x->units[first + i].code), &s->officers[i], f));
    if (x->contest_count > 1 && s->officer_level > 1) {
        s->regional_level = (uint8_t)(s->officer_level - 1);
        s->regional_count = x->level_first[s->regional_level + 1] - x->level_first[s->regional_level];
    }
    for (unsigned i = 0; i < SIM_COMMISSIONERS; i++) {
        char digit = (char)('1' + i);
        TRY(kept_signer(s, sim_name(name, "commissioner", span_of(&digit, 1)),
                        &s->commissioners[i], f));
    }
    for (unsigned i = 0; i < SIM_SIDES; i++)
        TRY(kept_signer(s, sim_name(name, "party", s->sides[i]), &s->parties[i], f));
    return OK;
}

err sim_new(const struct sim_options *o, struct sim **out, struct fail *f) {
    struct sim *s = calloc(1, sizeof *s);
    if (!s) return no_memory(f);
    s->o = *o;
    if (s->o.witnesses > SIM_WITNESSES) s->o.witnesses = SIM_WITNESSES;
    arena_init(&s->arena, ARENA_MAX);
    uint32_t areas = o->x->preset->level_count - 1; /* levels above the stations */
    s->officer_level = (uint8_t)(areas > 2 ? 2 : areas - 1);
    err e = s->officer_level == 0
                ? fail_set(f, E_CONFIG, "returning officers need a level between nation and stations")
                : OK;
    if (e == OK) e = choose_sides(s, f);
    if (e == OK) e = make_officers(s, f);
    if (e == OK) e = sim_plan(s, f);
    if (e != OK) {
        sim_free(s);
        return e;
    }
    *out = s;
    return OK;
}

void sim_free(struct sim *s) {
    if (!s) return;
    for (uint32_t i = 0; s->officers && i < s->officer_count; i++) note_signer_wipe(&s->officers[i]);
    for (unsigned i = 0; i < SIM_COMMISSIONERS; i++) note_signer_wipe(&s->commissioners[i]);
    for (unsigned i = 0; i < SIM_SIDES; i++) note_signer_wipe(&s->parties[i]);
    arena_release(&s->arena);
    secret_wipe(&s->o.secret, sizeof s->o.secret);
    free(s);
}

struct span sim_side(const struct sim *s, unsigned side) {
    return s->sides[side];
}

uint8_t sim_officer_level(const struct sim *s) {
    return s->officer_level;
}

struct hash sim_election(const struct sim *s) {
    return s->election;
}

/* "witness NAME VKEY" a line, and more than half of them as the quorum. */
static err policy_text(const struct sim *s, struct buf *out, struct fail *f) {
    char name[SIM_NAME_MAX];
    struct note_signer w;
    for (unsigned i = 0; i < s->o.witnesses; i++) {
        TRY(sim_witness(s, i, name, &w, f));
        buf_printf(out, "witness %s ", name);
        note_vkey_format(&w.key, out);
        buf_byte(out, '\n');
        note_signer_wipe(&w);
    }
    if (s->o.witnesses) {
        buf_printf(out, "group most %u", policy_safe_threshold(s->o.witnesses, 0));
        for (unsigned i = 1; i <= s->o.witnesses; i++) buf_printf(out, " witness.%u", i);
        buf_str(out, "\nquorum most\n");
    }
    return buf_ok(out, f);
}

err sim_begin(struct sim *s, struct buf *units, struct buf *contests, struct buf *manifest,
              struct fail *f) {
    struct compose_commissioner com[SIM_COMMISSIONERS];
    const struct note_signer *signers[SIM_COMMISSIONERS];
    struct buf vkeys[SIM_COMMISSIONERS], log_vkey, text, policy;
    struct note_signer log;
    buf_init(&log_vkey, 1024);
    buf_init(&text, ENTRY_MAX);
    buf_init(&policy, 16384);
    for (unsigned i = 0; i < SIM_COMMISSIONERS; i++) {
        buf_init(&vkeys[i], 1024);
        note_vkey_format(&s->commissioners[i].key, &vkeys[i]);
        com[i] = (struct compose_commissioner){holder_of(s, s->commissioners[i].key.name),
                                               buf_view(&vkeys[i])};
        signers[i] = &s->commissioners[i];
    }
    err e = sim_signer(s, s->o.origin, &log, f);
    if (e == OK) {
        note_vkey_format(&log.key, &log_vkey);
        e = setup_objects(s->o.x, units, contests, f);
    }
    if (e == OK) e = policy_text(s, &policy, f);
    struct setup_options so = {.origin = s->o.origin,
                               .log_vkey = buf_view(&log_vkey),
                               .policy = buf_view(&policy),
                               .commissioners = com,
                               .commissioner_count = SIM_COMMISSIONERS,
                               .threshold = SIM_THRESHOLD,
                               .simulated = true,
                               .image_optional = !s->o.images};
    if (e == OK)
        e = setup_manifest(s->o.x->preset, &so, buf_view(units), buf_view(contests), &text, f);
    if (e == OK) {
        s->election = sha256(buf_view(&text));
        e = note_sign(signers, SIM_COMMISSIONERS, buf_view(&text), manifest, f);
    }
    note_signer_wipe(&log);
    for (unsigned i = 0; i < SIM_COMMISSIONERS; i++) buf_release(&vkeys[i]);
    buf_release(&log_vkey);
    buf_release(&policy);
    buf_release(&text);
    return e;
}

/* --- tasks --- */

void sim_task_init(struct sim_task *t) {
    *t = (struct sim_task){0};
    arena_init(&t->arena, TASK_MAX);
    buf_init(&t->text, ENTRY_MAX);
    buf_init(&t->note, ENTRY_MAX);
    buf_init(&t->original, 1 << 20);
    buf_init(&t->shown, 1 << 20);
}

void sim_task_release(struct sim_task *t) {
    arena_release(&t->arena);
    buf_release(&t->text);
    buf_release(&t->note);
    buf_release(&t->original);
    buf_release(&t->shown);
    free(t->steps);
    *t = (struct sim_task){0};
}

err sim_send(struct sim_task *t, struct span note, struct sim_step **out, struct fail *f) {
    if (t->count == t->room) {
        size_t room = t->room ? t->room * 2 : 4;
        struct sim_step *p = realloc(t->steps, room * sizeof *p);
        if (!p) return no_memory(f);
        t->steps = p;
        t->room = room;
    }
    struct span kept = arena_copy(&t->arena, note);
    if (!kept.p) return no_memory(f);
    struct sim_step *step = &t->steps[t->count++];
    *step = (struct sim_step){.note = kept};
    if (out) *out = step;
    return OK;
}

err sim_sign(struct sim_task *t, const struct note_signer *const *signers, size_t n,
             struct hash *id, struct sim_step **out, struct fail *f) {
    TRY(buf_ok(&t->text, f));
    if (id) *id = sha256(buf_view(&t->text));
    buf_clear(&t->note);
    TRY(note_sign(signers, n, buf_view(&t->text), &t->note, f));
    buf_clear(&t->text);
    return sim_send(t, buf_view(&t->note), out, f);
}

err sim_grant(const struct sim *s, struct sim_task *t, enum role role, struct span unit,
              struct span party, const struct note_signer *new_key,
              const struct note_signer *const *granters, size_t granter_count,
              struct sim_step **out, struct fail *f) {
    const struct note_signer *signers[SIM_COMMISSIONERS + 1];
    struct buf vkey;
    uint64_t opens = s->o.x->preset->poll_opens_ms;
    buf_init(&vkey, 1024);
    note_vkey_format(&new_key->key, &vkey);
    struct compose_key k = {.election = s->election,
                            .holder = holder_of(s, new_key->key.name),
                            .vkey = buf_view(&vkey),
                            .party = party,
                            .unit = unit,
                            .role = role,
                            .not_before_ms = opens > WEEK_MS ? opens - WEEK_MS : 0,
                            .not_after_ms = s->o.now_ms + YEAR_MS};
    compose_key(&t->text, &k);
    buf_release(&vkey);
    for (size_t i = 0; i < granter_count; i++) signers[i] = granters[i];
    signers[granter_count] = new_key;
    return sim_sign(t, signers, granter_count + 1, NULL, out, f);
}

const struct note_signer *sim_officer(const struct sim *s, uint32_t unit) {
    const struct expansion *x = s->o.x;
    while (x->units[unit].level > s->officer_level) unit = x->units[unit].parent;
    return &s->officers[unit - x->level_first[s->officer_level]];
}

static err make_officer(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f) {
    const struct expansion *x = s->o.x;
    const struct note_signer *granters[SIM_THRESHOLD];
    for (unsigned i = 0; i < SIM_THRESHOLD; i++) granters[i] = &s->commissioners[i];
    if (index < SIM_SIDES)
        return sim_grant(s, t, ROLE_PARTY, x->units[0].code, s->sides[index], &s->parties[index],
                         granters, SIM_THRESHOLD, NULL, f);
    index -= SIM_SIDES;
    enum role role = ROLE_NATIONAL_RETURNING_OFFICER;
    struct span unit = x->units[0].code, who = SPAN_LIT("chair");
    char name[SIM_NAME_MAX];
    if (index > 0) { /* an officer and a deputy for each unit of the two levels */
        uint32_t i = (uint32_t)(index - 1) / 2;
        uint32_t at = i < s->officer_count ? x->level_first[s->officer_level] + i
                                           : x->level_first[s->regional_level] + i - s->officer_count;
        unit = x->units[at].code;
        role = index % 2 ? ROLE_RETURNING_OFFICER : ROLE_DEPUTY_RETURNING_OFFICER;
        who = sim_name(name, index % 2 ? "ro" : "dro", unit);
    }
    struct note_signer key;
    TRY(sim_signer(s, who, &key, f));
    err e = sim_grant(s, t, role, unit, (struct span){0}, &key, granters, SIM_THRESHOLD, NULL, f);
    note_signer_wipe(&key);
    return e;
}

static err make_clerk_key(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f) {
    const struct expansion *x = s->o.x;
    uint32_t officer = (uint32_t)(index / SIM_CLERKS);
    char name[SIM_NAME_MAX];
    struct note_signer key;
    const struct note_signer *ro = &s->officers[officer];
    TRY(sim_signer(s, sim_clerk_name(s, officer, (unsigned)(index % SIM_CLERKS), name), &key, f));
    err e = sim_grant(s, t, ROLE_CLERK, x->units[x->level_first[s->officer_level] + officer].code,
                      (struct span){0}, &key, &ro, 1, NULL, f);
    note_signer_wipe(&key);
    return e;
}

static err make_station_key(const struct sim *s, uint64_t index, struct sim_task *t,
                            struct fail *f) {
    uint64_t stations = (uint64_t)s->o.x->station_count * (1 + SIM_SIDES);
    if (index >= stations) return make_clerk_key(s, index - stations, t, f);
    const struct expand_station *st = &s->o.x->stations[index / (1 + SIM_SIDES)];
    unsigned who = (unsigned)(index % (1 + SIM_SIDES));
    char name[SIM_NAME_MAX];
    struct note_signer key;
    err e;
    t->station = st->code;
    if (who == 0) {
        const struct note_signer *ro = sim_officer(s, st->unit);
        TRY(sim_signer(s, sim_name(name, "po", st->code), &key, f));
        e = sim_grant(s, t, ROLE_PRESIDING_OFFICER, st->code, (struct span){0}, &key, &ro, 1, NULL, f);
    } else {
        const struct note_signer *root = &s->parties[who - 1];
        TRY(sim_signer(s, sim_agent_name(name, s->sides[who - 1], st->code), &key, f));
        e = sim_grant(s, t, ROLE_AGENT, st->code, s->sides[who - 1], &key, &root, 1, NULL, f);
    }
    note_signer_wipe(&key);
    return e;
}

uint64_t sim_count(const struct sim *s, enum sim_phase p) {
    switch (p) {
    case SIM_OFFICERS: return SIM_SIDES + 1 + (uint64_t)2 * (s->officer_count + s->regional_count);
    case SIM_KEYS:
        return (uint64_t)s->o.x->station_count * (1 + SIM_SIDES) + (uint64_t)s->officer_count * SIM_CLERKS;
    case SIM_NIGHT: return s->night_count;
    case SIM_DESK: return s->form_count;
    case SIM_TABLES: return s->table_count[0];
    case SIM_HIGHER: return s->table_count[1];
    case SIM_OVERRIDES:
    case SIM_DECLARE: return s->contest_count;
    case SIM_PHASES: break;
    }
    return 0;
}

err sim_plan_phase(struct sim *s, enum sim_phase p, const struct fold *fold, struct fail *f) {
    switch (p) {
    case SIM_DESK: return sim_plan_desk(s, fold, f);
    case SIM_TABLES: return sim_plan_tables(s, 0, fold, f);
    case SIM_HIGHER: return sim_plan_tables(s, 1, fold, f);
    case SIM_OVERRIDES: return sim_plan_declarations(s, fold, f);
    default: return OK;
    }
}

uint64_t sim_due_ms(const struct sim *s, uint64_t index) {
    return s->night[index].due_ms;
}

bool sim_waits(const struct sim *s, enum sim_phase p, uint64_t index) {
    if (p != SIM_NIGHT) return false;
    return s->night[index].part > 0 || s->trouble[s->night[index].figure] == T_DEPUTY;
}

err sim_make(const struct sim *s, enum sim_phase p, uint64_t index, struct sim_task *t,
             struct fail *f) {
    arena_release(&t->arena);
    arena_init(&t->arena, TASK_MAX);
    t->count = 0;
    t->station = (struct span){0};
    buf_clear(&t->text);
    switch (p) {
    case SIM_OFFICERS: return make_officer(s, index, t, f);
    case SIM_KEYS: return make_station_key(s, index, t, f);
    case SIM_NIGHT: return sim_make_night(s, index, t, f);
    case SIM_DESK: return sim_make_desk(s, index, t, f);
    case SIM_TABLES: return sim_make_table(s, 0, index, t, f);
    case SIM_HIGHER: return sim_make_table(s, 1, index, t, f);
    case SIM_OVERRIDES: return sim_make_override(s, index, t, f);
    case SIM_DECLARE: return sim_make_declaration(s, index, t, f);
    case SIM_PHASES: break;
    }
    return fail_set(f, E_INTERNAL, "no such phase of a simulation");
}
