/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amend (spec/records.md, 6.2): the next version of the definition, a list of changes, each an object
 * with one key that says which. */
#include "election/type_manifest.h"

static const char *const contest_words[] = {"open", "postponed", "cancelled", "unopposed",
                                            "annulled", NULL};

/* {"contest":id,"state":word,"unit":code} */
static void change_area(struct ctx *c) {
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    cj_object(r);
    cj_need(r, "contest");
    uint32_t contest = read_contest(c);
    cj_need(r, "state");
    uint8_t state = (uint8_t)read_word(c, contest_words);
    cj_need(r, "unit");
    uint32_t unit = read_unit(c);
    cj_object_end(r);
    if (cj_failed(r)) return;
    struct contest *k = vec_at(&s->contests, contest);
    if (!unit_within(s, unit, k->unit)) {
        cj_fail(r, E_UNIT, "the unit is outside the contest");
        return;
    }
    if (unit == k->unit) {
        JSET(&s->journal, k->state, state);
        return;
    }
    struct area *a = state_area(s, contest, k->round, unit);
    if (a) {
        JSET(&s->journal, a->state, state);
        return;
    }
    uint32_t i = (uint32_t)s->areas.n;
    if (state_push(c, &s->areas, (void **)&a) != OK ||
        state_index(c, &s->by_area, area_hash(contest, k->round, unit), i) != OK) {
        cj_fail(r, E_MEMORY, "the state has reached its memory cap");
        return;
    }
    *a = (struct area){contest, unit, k->round, state};
}

/* {"choice":id,"contest":id,"state":word} with the contest after the choice in key order */
static void change_choice(struct ctx *c) {
    static const char *const words[] = {"stands", "dead", "withdrawn", NULL};
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "choice");
    struct span id = cj_code(r, 40);
    cj_need(r, "contest");
    uint32_t contest = read_contest(c);
    cj_need(r, "state");
    uint8_t state = (uint8_t)read_word(c, words);
    cj_object_end(r);
    if (cj_failed(r)) return;
    const struct contest *k = fold_contest(c->fold, contest);
    for (uint32_t i = 0; i < k->choice_count; i++) {
        struct choice *ch = vec_at(&c->fold->choices, k->first_choice + i);
        if (!span_eq(ch->id, id)) continue;
        JSET(&c->fold->journal, ch->state, state);
        return;
    }
    cj_fail(r, E_CHOICE, "the contest has no choice \"%.*s\"", SPAN_ARG(id));
}

/* Some contest has a result from this station in its current round. */
static bool has_results(const struct fold *s, uint32_t station) {
    for (uint32_t i = 0; i < s->contests.n; i++) {
        const struct contest *k = fold_contest(s, i);
        uint32_t cell = fold_cell_find(s, i, k->round, station);
        if (cell != NO_CELL && fold_cell_at(s, cell)->first_result != NO_RESULT) return true;
    }
    return false;
}

/* {"unit":code}: the station is replaced by others, or given up */
static void change_close(struct ctx *c) {
    cj_object(&c->json);
    cj_need(&c->json, "unit");
    uint32_t u = read_unit(c);
    cj_object_end(&c->json);
    if (cj_failed(&c->json)) return;
    if (!unit_is_station(c->fold, u)) {
        cj_fail(&c->json, E_UNIT, "only a polling station can be closed");
        return;
    }
    struct unit *unit = vec_at(&c->fold->units, u);
    if (unit->closed || has_results(c->fold, u)) {
        cj_fail(&c->json, E_STATE,
                unit->closed ? "the station %.*s is closed already"
                             : "the station %.*s has sent results: it cannot be closed any more",
                SPAN_ARG(unit->code));
        return;
    }
    JSET(&c->fold->journal, unit->closed, true);
    JSET(&c->fold->journal, unit->since, c->fold->def.version);
}

/* {"key":vkey,"root":hex,"size":n}: the log goes on under another key */
static void change_log(struct ctx *c) {
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    struct succession next = {.index = c->index};
    cj_object(r);
    cj_need(r, "key");
    read_log_key(c);
    cj_need(r, "root");
    cj_hex(r, next.root.b, sizeof next.root.b);
    cj_need(r, "size");
    next.size = cj_u64(r, CJ_MAX_INT);
    cj_object_end(r);
    if (cj_failed(r)) return;
    struct note_key key;
    if (note_vkey_parse(s->def.log_vkey, &key, NULL) != OK || !span_eq(key.name, s->def.origin)) {
        cj_fail(r, E_FIELD, "the successor key's name is not the origin");
        return;
    }
    if (next.size != c->index) {
        cj_fail(r, E_STATE, "the frozen tree has %llu entries, the log %llu",
                (unsigned long long)next.size, (unsigned long long)c->index);
        return;
    }
    next.vkey = s->def.log_vkey;
    struct succession *to;
    if (state_push(c, &s->successions, (void **)&to) != OK)
        cj_fail(r, E_MEMORY, "the state has reached its memory cap");
    else
        *to = next;
}

/* {"choices":[id,...],"contest":id,"round":n}: a run-off, or a fresh election */
static void change_round(struct ctx *c) {
    struct cj *r = &c->json;
    struct span ids[MAX_CHOICES];
    size_t n = 0;
    cj_object(r);
    cj_need(r, "choices");
    cj_array(r);
    while (cj_element(r)) {
        if (n == MAX_CHOICES) {
            cj_fail(r, E_RANGE, "more than %d choices", MAX_CHOICES);
            return;
        }
        ids[n++] = cj_code(r, 40);
    }
    cj_need(r, "contest");
    uint32_t contest = read_contest(c);
    cj_need(r, "round");
    uint64_t round = cj_u64(r, MAX_ROUNDS);
    cj_object_end(r);
    if (cj_failed(r)) return;
    struct contest *k = vec_at(&c->fold->contests, contest);
    if (round != k->round + 1u) {
        cj_fail(r, E_ROUND, "round %llu does not follow round %u", (unsigned long long)round,
                k->round);
        return;
    }
    uint64_t *bits = k->round_choices[round - 1];
    journal_save(&c->fold->journal, bits, sizeof k->round_choices[0]);
    for (size_t i = 0; i < n; i++) {
        uint32_t at = 0;
        while (at < k->choice_count && !span_eq(contest_choice(c->fold, k, at)->id, ids[i])) at++;
        if (at == k->choice_count) {
            cj_fail(r, E_CHOICE, "the contest has no choice \"%.*s\"", SPAN_ARG(ids[i]));
            return;
        }
        if (bits[at / 64] >> (at % 64) & 1) {
            cj_fail(r, E_CHOICE, "the choice \"%.*s\" stands twice", SPAN_ARG(ids[i]));
            return;
        }
        bits[at / 64] |= UINT64_C(1) << (at % 64);
    }
    if (n == 0) cj_fail(r, E_CHOICE, "a round without choices");
    JSET(&c->fold->journal, k->round_state[round - 2], k->state);
    JSET(&c->fold->journal, k->round, (uint16_t)round);
    JSET(&c->fold->journal, k->state, (uint8_t)CONTEST_OPEN);
    JSET(&c->fold->journal, k->changed, c->fold->def.version);
}

static void change_units(struct ctx *c, bool contests) {
    struct named_object o = read_object_ref(c, false);
    if (cj_failed(&c->json)) return;
    err e = contests ? definition_load_contests(c, &o) : definition_load_units(c, &o, false);
    if (e != OK) {
        c->json.code = e; /* the sentence is there already */
        c->json.rest.n = 0;
    }
}

/* People who hold a commissioner's key that may sign now. */
static uint32_t commissioners(const struct ctx *c) {
    const struct fold *s = c->fold;
    struct hash seen[COMMISSIONERS_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->keys.n && n < COMMISSIONERS_MAX; i++) {
        const struct key *k = state_key(s, i);
        if (k->role != ROLE_COMMISSIONER || k->revoked_at < c->index || c->ms < k->not_before_ms ||
            c->ms > k->not_after_ms)
            continue;
        uint32_t j = 0;
        while (j < n && !hash_eq(&seen[j], &k->holder)) j++;
        if (j == n) seen[n++] = k->holder;
    }
    return n;
}

static void change(struct ctx *c) {
    struct cj *r = &c->json;
    struct span key;
    cj_object(r);
    if (!cj_any_key(r, &key)) {
        cj_fail(r, E_FIELD, "an empty change");
        return;
    }
    if (span_is(key, "area"))
        change_area(c);
    else if (span_is(key, "choice"))
        change_choice(c);
    else if (span_is(key, "close"))
        change_close(c);
    else if (span_is(key, "contests"))
        change_units(c, true);
    else if (span_is(key, "limits"))
        read_limits(c);
    else if (span_is(key, "log"))
        change_log(c);
    else if (span_is(key, "policy"))
        read_policy(c);
    else if (span_is(key, "quotas"))
        read_quotas(c);
    else if (span_is(key, "round"))
        change_round(c);
    else if (span_is(key, "threshold")) {
        uint32_t m = (uint32_t)cj_u64(r, COMMISSIONERS_MAX);
        if (!cj_failed(r) && (m == 0 || m > commissioners(c)))
            cj_fail(r, E_RANGE, "the threshold of commissioners must be from 1 to their number");
        JSET(&c->fold->journal, c->fold->def.threshold, m);
    } else if (span_is(key, "units"))
        change_units(c, false);
    else
        cj_fail(r, E_FIELD, "unknown change \"%.*s\"", SPAN_ARG(key));
    cj_object_end(r);
}

err amend_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    uint32_t threshold = s->def.threshold; /* the one in force before */
    unsigned have = signer_holders(c, ROLE_COMMISSIONER);
    if (have < threshold)
        return fail_set(c->f, E_THRESHOLD, "%u commissioners signed where %u must", have, threshold);
    JSET(&s->journal, s->def.version, s->def.version + 1);
    cj_object(r);
    cj_need(r, "changes");
    cj_array(r);
    bool any = false;
    while (cj_element(r)) {
        change(c);
        any = true;
    }
    if (!any) cj_fail(r, E_FIELD, "an amendment without changes");
    cj_need(r, "definition");
    uint64_t version = cj_u64(r, UINT32_MAX);
    if (!cj_failed(r) && version != s->def.version)
        cj_fail(r, E_DEFINITION, "definition %llu does not follow %u", (unsigned long long)version,
                s->def.version - 1);
    read_election(c);
    if (cj_have(r, "reason")) (void)read_object_ref(c, true);
    cj_object_end(r);
    return cj_end(r);
}
