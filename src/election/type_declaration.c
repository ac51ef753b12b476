/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* override, declaration, dissent (spec/records.md, 6.24 to 6.26). */
#include "election/gate.h"
#include "election/state.h"
#include "tlog/policy.h"

enum { ARENA_MAX = 1 << 30, LIST_MAX = GATE_COUNT };

/* Who declares the contest signed, for it; *answers is that key. */
static err check_declarer(struct ctx *c, uint32_t contest, uint32_t *answers) {
    const struct fold *s = c->fold;
    const struct rule *r = contest_rule(s, contest);
    uint32_t of = contest_declarer_unit(s, contest);
    c->out->station = fold_contest(s, contest)->unit;
    TRY(signers_in_scope(c, fold_contest(s, contest)->unit, contest));
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *k = state_key(s, c->signers[i]);
        if (key_acts_as(k) != (enum role)r->declarer || k->unit != of) continue;
        *answers = c->signers[i];
        c->out->signer = c->rec->lines[i].name;
        return OK;
    }
    return fail_set(c->f, E_ROLE, "not signed by who declares this contest: the %s of %.*s",
                    role_name((enum role)r->declarer), SPAN_ARG(fold_unit(s, of)->code));
}

static void read_round(struct ctx *c, uint32_t contest, uint64_t *round) {
    cj_need(&c->json, "round");
    *round = cj_u64(&c->json, MAX_ROUNDS);
    if (!cj_failed(&c->json) && *round != fold_contest(c->fold, contest)->round)
        cj_fail(&c->json, E_ROUND, "of round %llu; the contest is in round %u",
                (unsigned long long)*round, fold_contest(c->fold, contest)->round);
}

/* The gate as it stands before this record. */
static err judge(struct ctx *c, uint32_t contest, unsigned round, struct arena *a, struct gate *g) {
    struct findings fi;
    TRY(findings_of_contest(c->fold, contest, round, a, &fi, c->f));
    return gate_compute(c->fold, &fi, contest, round, a, g, c->f);
}

static err not_declared(struct ctx *c, uint32_t contest, unsigned round) {
    if (declaration_of(c->fold, contest, round) == NO_DECLARATION) return OK;
    return fail_set(c->f, E_STATE, "the contest is declared already in this round");
}

/* ---- override ---- */

static uint32_t read_items(struct ctx *c, struct override_item list[LIST_MAX]) {
    struct cj *r = &c->json;
    uint32_t n = 0;
    cj_array(r);
    while (cj_element(r)) {
        cj_object(r);
        cj_need(r, "code");
        struct span name = cj_code(r, 60);
        enum gate_code code = gate_by_name(name);
        if (!cj_failed(r) && code == GATE_COUNT)
            cj_fail(r, E_FIELD, "the gate has no item \"%.*s\"", SPAN_ARG(name));
        if (!cj_failed(r) && n && code <= list[n - 1].code)
            cj_fail(r, E_CANONICAL, "the items do not stand in the gate's order, each once");
        cj_need(r, "count");
        uint64_t count = cj_u64(r, CJ_MAX_INT);
        cj_object_end(r);
        if (cj_failed(r)) return 0;
        list[n++] = (struct override_item){(uint8_t)code, count};
    }
    if (!cj_failed(r) && n == 0) cj_fail(r, E_FIELD, "an override of nothing");
    return n;
}

/* The list is what the gate says now, no less and no more. */
static err same_items(struct ctx *c, const struct gate *g, const struct override_item *list, uint32_t n) {
    uint32_t k = 0;
    for (int code = 0; code < GATE_COUNT; code++) {
        bool listed = k < n && list[k].code == code;
        uint64_t count = listed ? list[k++].count : 0;
        if (count != g->items[code].count)
            return fail_set(c->f, E_GATE, "%s: %llu %s; the override says %llu",
                            gate_name((enum gate_code)code),
                            (unsigned long long)g->items[code].count, gate_text((enum gate_code)code),
                            (unsigned long long)count);
    }
    return OK;
}

static err check_override(struct ctx *c, uint32_t contest, unsigned round,
                          const struct override_item *list, uint32_t n) {
    struct arena a;
    struct gate g;
    arena_init(&a, ARENA_MAX);
    err e = judge(c, contest, round, &a, &g);
    if (e == OK) e = same_items(c, &g, list, n);
    arena_release(&a);
    return e;
}

err override_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    struct override_item list[LIST_MAX];
    struct override x = {.entry = c->index, .ms = c->ms};
    uint64_t round;
    cj_object(r);
    cj_need(r, "basis");
    struct named_object basis = read_object_ref(c, false);
    cj_need(r, "contest");
    x.contest = read_contest(c);
    read_election(c);
    cj_need(r, "items");
    x.item_count = read_items(c, list);
    read_round(c, x.contest, &round);
    cj_object_end(r);
    TRY(cj_end(r));
    TRY(check_declarer(c, x.contest, &x.signer));
    TRY(not_declared(c, x.contest, (unsigned)round));
    TRY(check_override(c, x.contest, (unsigned)round, list, x.item_count));
    x.round = (uint16_t)round;
    x.basis = basis.id;
    x.basis_size = basis.size;
    x.first_item = (uint32_t)s->override_items.n;
    for (uint32_t i = 0; i < x.item_count; i++) {
        struct override_item *item;
        TRY(state_push(c, &s->override_items, (void **)&item));
        *item = list[i];
    }
    struct override *to;
    TRY(state_push(c, &s->overrides, (void **)&to));
    *to = x;
    return OK;
}

/* ---- declaration ---- */

/* The choices by their ids, in ballot order, and the kind. */
static void read_outcome(struct ctx *c, uint32_t contest, struct outcome *o) {
    struct cj *r = &c->json;
    const struct contest *k = cj_failed(r) ? NULL : fold_contest(c->fold, contest);
    uint32_t at = 0;
    cj_object(r);
    cj_need(r, "choices");
    cj_array(r);
    while (cj_element(r) && k) {
        struct span id = cj_code(r, 40);
        while (at < k->choice_count && !span_eq(contest_choice(c->fold, k, at)->id, id)) at++;
        if (at == k->choice_count) {
            cj_fail(r, E_CHOICE, "\"%.*s\" is not one of the contest's choices, or not in ballot order",
                    SPAN_ARG(id));
            return;
        }
        o->choices[at / 64] |= UINT64_C(1) << (at % 64);
        o->count++;
        at++;
    }
    cj_need(r, "kind");
    struct span kind = cj_code(r, 40);
    o->kind = outcome_by_name(kind);
    if (!cj_failed(r) && o->kind == OUTCOME_KINDS)
        cj_fail(r, E_FIELD, "\"%.*s\" is no kind of outcome", SPAN_ARG(kind));
    cj_object_end(r);
}

static uint32_t read_named(struct ctx *c, uint32_t (*of_entry)(const struct fold *, uint64_t),
                           const char *what) {
    uint64_t entry = read_record(c);
    if (cj_failed(&c->json)) return UINT32_MAX;
    uint32_t i = of_entry(c->fold, entry);
    if (i == UINT32_MAX) cj_fail(&c->json, E_REFERENCE, "the record it names is no %s", what);
    return i;
}

static err read_declaration(struct ctx *c, struct declaration *x, struct named_object *checkpoint) {
    struct cj *r = &c->json;
    uint64_t round;
    cj_object(r);
    if (cj_have(r, "certificate")) {
        struct named_object o = read_object_ref(c, false);
        x->certificate = o.id;
        x->certificate_size = o.size;
    }
    cj_need(r, "checkpoint");
    *checkpoint = read_object_ref(c, false);
    if (cj_have(r, "collation")) x->collation = read_named(c, collation_of_entry, "collation");
    cj_need(r, "contest");
    x->contest = read_contest(c);
    read_election(c);
    cj_need(r, "outcome");
    read_outcome(c, x->contest, &x->outcome);
    if (cj_have(r, "override")) x->override = read_named(c, override_of_entry, "override");
    cj_need(r, "root");
    cj_hex(r, x->root.b, sizeof x->root.b);
    read_round(c, x->contest, &round);
    cj_need(r, "size");
    x->size = cj_u64(r, CJ_MAX_INT);
    cj_object_end(r);
    TRY(cj_end(r));
    x->round = (uint16_t)round;
    x->checkpoint = checkpoint->id;
    x->checkpoint_size = checkpoint->size;
    return OK;
}

/* By whichever key the log had: the newest first. */
static err open_checkpoint(struct ctx *c, struct span bytes, struct checkpoint *cp, struct note *note,
                           struct note_line lines[NOTE_LINES_MAX]) {
    const struct fold *s = c->fold;
    err e = E_UNSIGNED;
    for (size_t i = s->log_pubs.n; i-- > 0;) {
        struct note_key k = {.name = s->def.origin, .type = NOTE_TYPE_ED25519, .known = true};
        k.public = *(const struct ed25519_public *)vec_at(&s->log_pubs, i);
        k.id = note_key_id(k.name, NOTE_TYPE_ED25519, span_of(k.public.b, 32));
        e = checkpoint_open(bytes, &k, cp, note, lines, NOTE_LINES_MAX, c->f);
        if (e != E_UNSIGNED) return e;
    }
    return e;
}

/* Enough witnesses saw it, and not longer ago than the law of this program allows. */
static err check_witnesses(struct ctx *c, const struct checkpoint *cp, const struct note_line *lines,
                           size_t n, struct arena *a) {
    struct policy p;
    if (c->fold->def.policy.n == 0) return OK;
    TRY(policy_parse(c->fold->def.policy, a, &p, c->f));
    struct cosignature *seen = arena_array(a, p.witness_count + 1, sizeof *seen);
    bool *fresh = arena_array(a, p.witness_count + 1, sizeof *fresh);
    if (!seen || !fresh) return fail_set(c->f, E_MEMORY, "no memory for a checkpoint");
    TRY(policy_check(&p, cp->body, lines, n, seen, c->f));
    for (size_t i = 0; i < p.witness_count; i++)
        fresh[i] = seen[i].present && seen[i].time_s <= CJ_MAX_INT / 1000 &&
                   seen[i].time_s * 1000 + DECLARATION_CHECKPOINT_AGE_MS >= c->ms;
    if (policy_is_met(&p, fresh)) return OK;
    return fail_set(c->f, E_TIME, "the witnesses saw this checkpoint more than six hours ago: bind a newer one");
}

static err check_checkpoint(struct ctx *c, const struct declaration *x, const struct named_object *o,
                            struct arena *a) {
    struct span bytes;
    struct checkpoint cp;
    struct note note;
    struct note_line *lines = arena_array(a, NOTE_LINES_MAX, sizeof *lines);
    if (!lines) return fail_set(c->f, E_MEMORY, "no memory for a checkpoint");
    if (o->size > CHECKPOINT_BYTES_MAX) return fail_set(c->f, E_CHECKPOINT, "a checkpoint of more than 64 KiB");
    TRY(state_get_object(c, o, &bytes));
    TRY(open_checkpoint(c, bytes, &cp, &note, lines));
    if (cp.size != x->size || !hash_eq(&cp.root, &x->root))
        return fail_set(c->f, E_CHECKPOINT, "size and root are not those of the checkpoint");
    if (cp.size > c->index)
        return fail_set(c->f, E_CHECKPOINT, "the checkpoint is of %llu entries, the log has %llu",
                        (unsigned long long)cp.size, (unsigned long long)c->index);
    bool covers = x->collation == NO_COLLATION || fold_collation(c->fold, x->collation)->entry < cp.size;
    if (x->override != NO_OVERRIDE && fold_override(c->fold, x->override)->entry >= cp.size) covers = false;
    if (!covers)
        return fail_set(c->f, E_CHECKPOINT, "the checkpoint is older than the collation or override that "
                                            "is declared: bind a newer one");
    return check_witnesses(c, &cp, lines, note.count, a);
}

/* The outcome is what the rule gives. */
static err check_outcome(struct ctx *c, const struct declaration *x, struct arena *a) {
    const struct fold *s = c->fold;
    struct outcome o;
    if (x->collation == NO_COLLATION) {
        struct rule_case rc;
        uint64_t *none = arena_array(a, fold_contest(s, x->contest)->choice_count, sizeof *none);
        if (!none) return fail_set(c->f, E_MEMORY, "no memory for an outcome");
        rule_case_of(s, x->contest, x->round, &rc);
        rule_outcome(&rc, &(struct votes){0, none}, NULL, 0, &o);
        if (o.kind != OUTCOME_UNOPPOSED)
            return fail_set(c->f, E_FIELD, "a declaration names the collation that it rests on");
    } else {
        const struct collation *k = fold_collation(s, x->collation);
        if (k->contest != x->contest || k->round != x->round ||
            k->unit != fold_contest(s, x->contest)->unit)
            return fail_set(c->f, E_REFERENCE, "the collation is not of this contest, round and unit");
        if (k->superseded_by != NO_COLLATION)
            return fail_set(c->f, E_STATE, "the collation it names is superseded");
        TRY(collation_outcome(s, k, a, &o, c->f));
    }
    if (!outcome_declarable(&o) || !outcome_equal(&o, &x->outcome))
        return fail_set(c->f, E_OUTCOME, "the rule gives another outcome on these totals (%s)",
                        outcome_name(o.kind));
    return OK;
}

static err check_gate(struct ctx *c, const struct declaration *x, struct arena *a) {
    const struct fold *s = c->fold;
    struct gate g;
    const struct override *o = x->override == NO_OVERRIDE ? NULL : fold_override(s, x->override);
    if (o && (o->contest != x->contest || o->round != x->round))
        return fail_set(c->f, E_REFERENCE, "the override is of another contest or round");
    TRY(judge(c, x->contest, x->round, a, &g));
    if (g.open_items == 0 || (o && gate_is_overridden(s, &g, o))) return OK;
    int first = 0;
    while (g.items[first].count == 0) first++;
    return fail_set(c->f, E_GATE, "%u items forbid the declaration%s, the first: %llu %s", g.open_items,
                    o ? " and the override does not list them all" : "",
                    (unsigned long long)g.items[first].count, gate_text((enum gate_code)first));
}

err declaration_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct declaration x = {.entry = c->index, .ms = c->ms, .collation = NO_COLLATION,
                            .override = NO_OVERRIDE};
    struct named_object checkpoint;
    struct arena a;
    TRY(read_declaration(c, &x, &checkpoint));
    TRY(check_declarer(c, x.contest, &x.signer));
    TRY(not_declared(c, x.contest, x.round));
    arena_init(&a, ARENA_MAX);
    err e = check_outcome(c, &x, &a);
    if (e == OK) e = check_checkpoint(c, &x, &checkpoint, &a);
    if (e == OK) e = check_gate(c, &x, &a);
    arena_release(&a);
    TRY(e);
    struct declaration *to;
    TRY(state_push(c, &s->declarations, (void **)&to));
    *to = x;
    return OK;
}

/* ---- dissent ---- */

err dissent_apply(struct ctx *c) {
    static const char *const words[] = {"verified", "dissents", NULL};
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    struct dissent x = {.entry = c->index, .ms = c->ms};
    cj_object(r);
    cj_need(r, "declaration");
    x.declaration = read_named(c, declaration_of_entry, "declaration");
    read_election(c);
    cj_need(r, "key");
    x.signer = read_key_name(c);
    x.has_reason = cj_have(r, "reason");
    if (x.has_reason) (void)read_object_ref(c, true);
    cj_need(r, "says");
    x.says = (uint8_t)read_word(c, words);
    cj_object_end(r);
    TRY(cj_end(r));
    if (c->signer_count != 1 || c->signers[0] != x.signer)
        return fail_set(c->f, E_LINES, "a commissioner's word is one key's: the key it names");
    c->out->contest = fold_declaration(s, x.declaration)->contest;
    c->out->station = fold_contest(s, c->out->contest)->unit;
    const struct hash *holder = &state_key(s, x.signer)->holder;
    for (size_t i = 0; i < s->dissents.n; i++) {
        const struct dissent *d = fold_dissent(s, (uint32_t)i);
        if (d->declaration == x.declaration && hash_eq(&state_key(s, d->signer)->holder, holder))
            return fail_set(c->f, E_STATE, "this commissioner has spoken on this declaration already");
    }
    struct dissent *to;
    TRY(state_push(c, &s->dissents, (void **)&to));
    *to = x;
    return OK;
}
