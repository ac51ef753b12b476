/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* key, revoke, acting (spec/records.md, 6.3 to 6.5): who holds which key, for what, until when. */
#include "election/state.h"

/* The line by the new key itself: proof of possession. */
static err check_possession(struct ctx *c, const struct key *k) {
    const struct record *rec = c->rec;
    bool found = false;
    for (size_t i = 0; i < rec->split.count; i++) {
        const struct note_line *l = &rec->lines[i];
        if (c->signers[i] != NO_KEY) continue;
        if (l->id != k->keyid || !span_eq(l->name, k->name))
            return fail_set(c->f, E_SIGNER, "the key %.*s is not known in this election",
                            SPAN_ARG(l->name));
        found = true;
    }
    if (!found)
        return fail_set(c->f, E_POSSESSION, "the new key %.*s did not sign its own record",
                        SPAN_ARG(k->name));
    return OK;
}

static void read_contest_list(struct ctx *c, struct key *k) {
    struct cj *r = &c->json;
    struct span last = {0};
    k->first_contest = (uint32_t)c->fold->key_contests.n;
    cj_array(r);
    while (cj_element(r)) {
        struct span before = r->rest;
        uint32_t i = read_contest(c);
        if (cj_failed(r)) return;
        struct span id = fold_contest(c->fold, i)->id;
        if (last.p && span_cmp(last, id) >= 0) {
            r->rest = before;
            cj_fail(r, E_CANONICAL, "contests are not in ascending order");
            return;
        }
        last = id;
        uint32_t *to;
        if (state_push(c, &c->fold->key_contests, (void **)&to) != OK) {
            cj_fail(r, E_MEMORY, "the state has reached its memory cap");
            return;
        }
        *to = i;
        k->contest_count++;
    }
    if (!cj_failed(r) && k->contest_count == 0)
        cj_fail(r, E_FIELD, "an empty list of contests; leave it out for all of them");
    c->out->contest = NO_CONTEST; /* the record is about a key */
}

err key_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct key k = {0};
    struct note_key vkey = {0};
    cj_object(r);
    if (cj_have(r, "contests")) read_contest_list(c, &k);
    read_election(c);
    cj_need(r, "holder");
    cj_hex(r, k.holder.b, sizeof k.holder.b);
    cj_need(r, "key");
    struct span text = cj_code(r, 300);
    if (!cj_failed(r) &&
        (note_vkey_parse(text, &vkey, NULL) != OK || vkey.type != NOTE_TYPE_ED25519 ||
         !slug_valid(vkey.name, 120)))
        cj_fail(r, E_VKEY, "\"%.*s\" is not an Ed25519 verifier key with a plain name",
                SPAN_ARG(text));
    cj_need(r, "not_after_ms");
    k.not_after_ms = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "not_before_ms");
    k.not_before_ms = cj_u64(r, CJ_MAX_INT);
    if (cj_have(r, "party")) k.party = read_slug(r, 40);
    cj_need(r, "role");
    struct span role = cj_code(r, 60);
    cj_need(r, "unit");
    k.unit = read_unit(c);
    cj_object_end(r);
    TRY(cj_end(r));
    enum role as = role_by_name(role);
    if (as == ROLE_COUNT) return fail_set(c->f, E_FIELD, "\"%.*s\" is not a role", SPAN_ARG(role));
    bool wants_party = as == ROLE_PARTY || as == ROLE_AGENT || as == ROLE_OBSERVER_GROUP ||
                       as == ROLE_OBSERVER;
    if (wants_party != (k.party.n > 0))
        return fail_set(c->f, E_FIELD, wants_party ? "a key of role %s names its party or group"
                                                   : "a key of role %s names no party",
                        role_name(as));
    if (k.not_after_ms < k.not_before_ms)
        return fail_set(c->f, E_RANGE, "the key's validity ends before it begins");
    bool officer = as == ROLE_PRESIDING_OFFICER || as == ROLE_DEPUTY_PRESIDING_OFFICER;
    if (officer && !unit_is_station(c->fold, k.unit))
        return fail_set(c->f, E_UNIT, "a %s's unit is a polling station", role_name(as));
    bool national = as == ROLE_COMMISSIONER || as == ROLE_NATIONAL_RETURNING_OFFICER;
    if (national && k.unit != 0) return fail_set(c->f, E_UNIT, "a %s's unit is the root", role_name(as));
    if (as == ROLE_COMMISSIONER && k.contest_count)
        return fail_set(c->f, E_FIELD, "a commissioner's key is for all contests");
    k.role = (uint8_t)as;
    k.name = vkey.name;
    k.keyid = vkey.id;
    memcpy(k.pub, vkey.public.b, 32);
    TRY(state_key_is_new(c, k.name, k.pub));
    TRY(check_possession(c, &k));
    TRY(signers_may_grant(c, &k));
    uint32_t i;
    TRY(state_key_add(c, &k, &i));
    const uint8_t *pub = state_key(c->fold, i)->pub;
    for (size_t n = 0; n < c->rec->split.count; n++)
        if (c->signers[n] == NO_KEY)
            check_add(c->out, pub, c->rec->lines[n].bytes, c->rec->text, 0, n);
    return OK;
}

static const char *const revoke_reasons[] = {"lost",     "stolen",    "died",  "replaced",
                                             "resigned", "dismissed", "error", "ended", NULL};

err revoke_apply(struct ctx *c) {
    struct cj *r = &c->json;
    uint64_t suspect = UINT64_MAX;
    cj_object(r);
    read_election(c);
    cj_need(r, "key");
    uint32_t i = read_key_name(c);
    cj_need(r, "reason");
    (void)read_word(c, revoke_reasons);
    if (cj_have(r, "suspect_since_ms")) suspect = cj_u64(r, CJ_MAX_INT);
    cj_object_end(r);
    TRY(cj_end(r));
    struct key *k = state_key(c->fold, i);
    /* once revoked, only an earlier doubt can be added: a thief who ends the key has not the last word */
    if (k->revoked_at != UINT64_MAX && suspect >= k->suspect_since_ms)
        return fail_set(c->f, E_STATE, "the key %.*s was revoked by entry %llu already",
                        SPAN_ARG(k->name), (unsigned long long)k->revoked_at);
    bool own = false; /* everybody may revoke the own key */
    for (size_t n = 0; n < c->signer_count; n++) own |= c->signers[n] == i;
    if (!own) TRY(signers_may_grant(c, k));
    if (k->revoked_at == UINT64_MAX) JSET(&c->fold->journal, k->revoked_at, c->index);
    JSET(&c->fold->journal, k->suspect_since_ms, suspect);
    return OK;
}

static const char *const acting_reasons[] = {"died",     "ill",       "absent",    "resigned",
                                             "detained", "suspended", "kit-failed", NULL};

err acting_apply(struct ctx *c) {
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "deputy");
    uint32_t acts = read_key_name(c);
    read_election(c);
    cj_need(r, "for");
    uint32_t officer = read_key_name(c);
    cj_need(r, "reason");
    (void)read_word(c, acting_reasons);
    cj_need(r, "unit");
    uint32_t unit = read_unit(c);
    cj_object_end(r);
    TRY(cj_end(r));
    const struct key *k = state_key(c->fold, officer);
    enum role deputy = k->role == ROLE_PRESIDING_OFFICER   ? ROLE_DEPUTY_PRESIDING_OFFICER
                       : k->role == ROLE_RETURNING_OFFICER ? ROLE_DEPUTY_RETURNING_OFFICER
                                                           : ROLE_COUNT;
    if (deputy == ROLE_COUNT)
        return fail_set(c->f, E_ROLE, "%.*s is no officer with a deputy", SPAN_ARG(k->name));
    if (k->unit != unit)
        return fail_set(c->f, E_SCOPE, "%.*s is not the officer of this unit", SPAN_ARG(k->name));
    struct key *d = state_key(c->fold, acts);
    bool any = false;
    for (size_t n = 0; n < c->signer_count; n++) any |= c->signers[n] == acts;
    if (!any || d->role != deputy || d->unit != unit)
        return fail_set(c->f, E_ROLE, "not signed by the deputy of this unit that it names");
    TRY(signers_in_scope(c, unit, NO_CONTEST));
    if (d->acting)
        return fail_set(c->f, E_STATE, "%.*s acts already", SPAN_ARG(d->name));
    JSET(&c->fold->journal, d->acting, true);
    return OK;
}
