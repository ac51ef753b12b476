/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* manifest (spec/records.md, 6.1): the first record; everything else is judged by it. amend (6.2)
 * shares the readers of its parts. */
#include "election/type_manifest.h"

#include "election/findings.h"
#include "tlog/policy.h"

#include <stdlib.h>

/* {"F_X":"error","F_Y":"off",...}: what this election makes of a finding. */
static void read_severities(struct cj *r, uint8_t severity[FINDINGS_MAX]) {
    struct span key;
    cj_object(r);
    while (cj_any_key(r, &key)) {
        enum finding_code code = finding_by_name(key);
        struct span word = cj_code(r, 20);
        if (cj_failed(r)) return;
        enum severity is = span_is(word, "error")     ? SEVERITY_ERROR
                           : span_is(word, "warning") ? SEVERITY_WARNING
                                                      : SEVERITY_NONE;
        if (code == FINDING_COUNT)
            cj_fail(r, E_FIELD, "\"%.*s\" is not a finding", SPAN_ARG(key));
        else if (is == SEVERITY_NONE && !span_is(word, "off"))
            cj_fail(r, E_FIELD, "a finding is \"error\", \"warning\" or \"off\"");
        else
            severity[code] = (uint8_t)(is + 1);
    }
}

static void limits_read(struct cj *r, struct limits *l) {
    cj_object(r);
    if (cj_have(r, "findings")) read_severities(r, l->severity);
    if (cj_have(r, "one_sided")) l->one_sided = cj_u64(r, 1000);
    if (cj_have(r, "rejected_high")) l->rejected_high = cj_u64(r, 1000);
    if (cj_have(r, "same_vector_min")) l->same_vector_min = cj_u64(r, FIGURE_MAX);
    if (cj_have(r, "turnout_high")) l->turnout_high = cj_u64(r, 1000);
    if (cj_have(r, "turnout_low")) l->turnout_low = cj_u64(r, 1000);
    cj_object_end(r);
}

void read_limits(struct ctx *c) {
    struct limits l = c->fold->def.limits;
    limits_read(&c->json, &l);
    l.since = c->index;
    if (!cj_failed(&c->json)) JSET(&c->fold->journal, c->fold->def.limits, l);
}

void read_quotas(struct ctx *c) {
    struct cj *r = &c->json;
    struct span role, type;
    cj_object(r);
    while (cj_any_key(r, &role)) {
        enum role who = role_by_name(role);
        if (who == ROLE_COUNT) cj_fail(r, E_FIELD, "\"%.*s\" is not a role", SPAN_ARG(role));
        cj_object(r);
        while (cj_any_key(r, &type)) {
            enum record_type t = record_by_name(type);
            if (t == REC_COUNT) cj_fail(r, E_FIELD, "\"%.*s\" is not a record type", SPAN_ARG(type));
            uint16_t most = (uint16_t)cj_u64(r, UINT16_MAX);
            if (!cj_failed(r)) JSET(&c->fold->journal, c->fold->quotas.most[who][t], most);
        }
    }
}

enum { POLICY_MAX = 32768, POLICY_ARENA = 4 << 20 };

/* A policy that nobody can read would keep the log from ever starting again. */
static void check_policy(struct ctx *c, struct span text) {
    struct arena a;
    struct policy p;
    struct fail why = {0};
    if (text.n == 0) return;
    arena_init(&a, POLICY_ARENA);
    err e = policy_parse(text, &a, &p, &why);
    if (e != OK) cj_fail(&c->json, e, "%s", why.text);
    arena_release(&a);
}

/* An array of the policy's lines, kept joined as text; whoever uses them parses them again. */
void read_policy(struct ctx *c) {
    struct cj *r = &c->json;
    struct buf b;
    buf_init(&b, POLICY_MAX);
    cj_array(r);
    while (cj_element(r)) {
        struct span line = cj_code(r, 1000);
        buf_span(&b, line);
        buf_byte(&b, '\n');
    }
    if (!cj_failed(r)) {
        struct span kept = arena_copy(&c->fold->arena, buf_view(&b));
        if (b.failed)
            cj_fail(r, E_RANGE, "a witness policy of more than %d bytes", POLICY_MAX);
        else if (!kept.p)
            cj_fail(r, E_MEMORY, "the state has reached its memory cap");
        else
            check_policy(c, kept);
        if (!cj_failed(r)) JSET(&c->fold->journal, c->fold->def.policy, kept);
    }
    buf_release(&b);
}

void read_log_key(struct ctx *c) {
    struct cj *r = &c->json;
    struct span text = cj_code(r, 300);
    struct note_key key;
    if (cj_failed(r)) return;
    if (note_vkey_parse(text, &key, NULL) != OK || key.type != NOTE_TYPE_ED25519) {
        cj_fail(r, E_VKEY, "\"%.*s\" is not an Ed25519 verifier key", SPAN_ARG(text));
        return;
    }
    struct fold *s = c->fold;
    if (state_pub_known(s, key.public.b)) {
        cj_fail(r, E_KEY_REUSED, "this public key was enrolled before");
        return;
    }
    struct span kept = arena_copy(&s->arena, text);
    struct ed25519_public *pub;
    if (!kept.p || state_push(c, &s->log_pubs, (void **)&pub) != OK) {
        cj_fail(r, E_MEMORY, "the state has reached its memory cap");
        return;
    }
    *pub = key.public;
    JSET(&s->journal, s->def.log_vkey, kept);
    JSET(&s->journal, s->log_keyid, key.id);
}

struct commissioner {
    struct note_key key;
    struct hash holder;
};

/* {"keys":[{"holder":hex,"key":vkey},...],"threshold":m} */
static size_t read_commissioners(struct ctx *c, struct commissioner *all) {
    struct cj *r = &c->json;
    size_t n = 0;
    cj_object(r);
    cj_need(r, "keys");
    cj_array(r);
    while (cj_element(r)) {
        if (n == COMMISSIONERS_MAX) {
            cj_fail(r, E_RANGE, "more than %d commissioners", COMMISSIONERS_MAX);
            break;
        }
        struct commissioner *k = &all[n++];
        cj_object(r);
        cj_need(r, "holder");
        cj_hex(r, k->holder.b, sizeof k->holder.b);
        cj_need(r, "key");
        struct span vkey = cj_code(r, 300);
        cj_object_end(r);
        if (cj_failed(r)) break;
        if (note_vkey_parse(vkey, &k->key, NULL) != OK || k->key.type != NOTE_TYPE_ED25519 ||
            !slug_valid(k->key.name, 120))
            cj_fail(r, E_VKEY, "\"%.*s\" is not an Ed25519 verifier key with a plain name",
                    SPAN_ARG(vkey));
    }
    cj_need(r, "threshold");
    c->fold->def.threshold = (uint32_t)cj_u64(r, COMMISSIONERS_MAX);
    cj_object_end(r);
    return cj_failed(r) ? 0 : n;
}

/* Whoever grants keys, counts in audits, or sees the forms of a whole nation. */
static bool usually_many(enum role r, enum record_type t) {
    if (t == REC_KEY || t == REC_REVOKE || t == REC_AUDIT_COUNT) return true;
    if (r == ROLE_MACHINE) return t == REC_SEAL || t == REC_OPEN;
    return r == ROLE_NATIONAL_RETURNING_OFFICER && (t == REC_COMPARED || t == REC_CUSTODY);
}

static void defaults(struct fold *s) {
    s->def.version = 1;
    s->def.image = IMAGE_REQUIRED;
    s->def.limits = (struct limits){.turnout_high = 950, .turnout_low = 200, .one_sided = 990,
                                    .rejected_high = 50, .same_vector_min = 50};
    for (int r = 0; r < ROLE_COUNT; r++)
        for (int t = 0; t < REC_COUNT; t++)
            s->quotas.most[r][t] = usually_many((enum role)r, (enum record_type)t) ? UINT16_MAX : 1000;
}

static struct span keep(struct ctx *c, struct span s) {
    struct span k = arena_copy(&c->fold->arena, s);
    if (!k.p) cj_fail(&c->json, E_MEMORY, "the state has reached its memory cap");
    return k;
}

static void read_levels(struct ctx *c) {
    struct cj *r = &c->json;
    struct definition *d = &c->fold->def;
    cj_array(r);
    while (cj_element(r)) {
        if (d->level_count == MAX_LEVELS) {
            cj_fail(r, E_RANGE, "more than %d levels", MAX_LEVELS);
            return;
        }
        d->levels[d->level_count++] = keep(c, read_slug(r, 40));
    }
    if (!cj_failed(r) && d->level_count < 2) cj_fail(r, E_RANGE, "fewer than two levels");
}

static err read_manifest(struct ctx *c, struct commissioner *com, size_t *com_count,
                         struct named_object *contests, struct named_object *units) {
    struct cj *r = &c->json;
    struct definition *d = &c->fold->def;
    static const char *const image_words[] = {"required", "optional", NULL};
    cj_object(r);
    cj_need(r, "closes_ms");
    d->closes_ms = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "commissioners");
    *com_count = read_commissioners(c, com);
    cj_need(r, "contests");
    *contests = read_object_ref(c, false);
    if (cj_have(r, "deadlines")) (void)cj_raw(r);
    cj_need(r, "image");
    d->image = (uint8_t)read_word(c, image_words);
    cj_need(r, "levels");
    read_levels(c);
    if (cj_have(r, "limits")) read_limits(c);
    cj_need(r, "log");
    read_log_key(c);
    if (cj_have(r, "notice")) d->notice = cj_text(r, &c->fold->arena, 500);
    cj_need(r, "opens_ms");
    d->opens_ms = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "origin");
    d->origin = keep(c, cj_code(r, 200));
    if (cj_have(r, "policy")) read_policy(c);
    if (cj_have(r, "quotas")) read_quotas(c);
    if (cj_have(r, "simulated")) d->simulated = cj_bool(r);
    if (cj_have(r, "software")) (void)cj_raw(r);
    cj_need(r, "title");
    d->title = cj_text(r, &c->fold->arena, 200);
    cj_need(r, "units");
    *units = read_object_ref(c, false);
    if (cj_have(r, "vacancy")) (void)cj_raw(r);
    cj_object_end(r);
    return cj_end(r);
}

/* Every signature line is by a listed commissioner; enough of them signed. */
static err check_manifest_signers(struct ctx *c, const struct commissioner *com, size_t n) {
    const struct record *rec = c->rec;
    for (size_t i = 0; i < rec->split.count; i++) {
        const struct note_line *l = &rec->lines[i];
        size_t k = 0;
        while (k < n && !(note_line_is_by(l, &com[k].key) && l->n == 64)) k++;
        if (k == n)
            return fail_set(c->f, E_SIGNER, "%.*s signs the manifest but is not listed in it",
                            SPAN_ARG(l->name));
        uint32_t key = state_key_by_name(c->fold, l->name);
        c->signers[i] = key;
        c->signer_count = i + 1;
        c->out->signer = l->name;
        c->out->signer_known = true;
        check_add(c->out, state_key(c->fold, key)->pub, l->bytes, rec->text, 0, i);
    }
    unsigned have = signer_holders(c, ROLE_COMMISSIONER);
    if (have < c->fold->def.threshold)
        return fail_set(c->f, E_THRESHOLD, "%u commissioners signed where %u must", have,
                        c->fold->def.threshold);
    return OK;
}

err manifest_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct commissioner com[COMMISSIONERS_MAX];
    size_t n = 0;
    struct named_object contests, units;
    /* nothing was there before: saving these whole is the simplest way back */
    journal_save(&s->journal, &s->def, sizeof s->def);
    journal_save(&s->journal, &s->quotas, sizeof s->quotas);
    journal_save(&s->journal, &s->election, sizeof s->election);
    s->def = (struct definition){0};
    defaults(s);
    TRY(read_manifest(c, com, &n, &contests, &units));
    struct note_key log;
    TRY(note_vkey_parse(s->def.log_vkey, &log, c->f));
    if (!span_eq(log.name, s->def.origin))
        return fail_set(c->f, E_FIELD, "the log key's name is not the origin");
    if (s->def.closes_ms < s->def.opens_ms)
        return fail_set(c->f, E_RANGE, "the polls close before they open");
    if (n == 0 || s->def.threshold == 0 || s->def.threshold > n)
        return fail_set(c->f, E_RANGE, "the threshold of commissioners must be from 1 to their number");
    s->election = c->rec->id;
    TRY(definition_load_units(c, &units, true));
    TRY(definition_load_contests(c, &contests));
    for (size_t i = 0; i < n; i++) {
        struct key k = {.name = com[i].key.name, .keyid = com[i].key.id, .role = ROLE_COMMISSIONER,
                        .unit = 0, .holder = com[i].holder, .not_after_ms = UINT64_MAX};
        memcpy(k.pub, com[i].key.public.b, 32);
        TRY(state_key_is_new(c, k.name, k.pub));
        TRY(state_key_add(c, &k, NULL));
    }
    return check_manifest_signers(c, com, n);
}
