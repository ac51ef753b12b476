/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* audit-count (spec/records.md, 6.26): a hand count of one box, sealed first and opened when a second person
 * has sealed an own one. What two different people counted alike is the box's count. */
#include "election/state.h"

size_t fold_audit_box_count(const struct fold *s) {
    return s->audit_boxes.n;
}

const struct audit_box *fold_audit_box(const struct fold *s, size_t i) {
    return vec_at(&s->audit_boxes, i);
}

const struct audit_reading *fold_audit_reading(const struct fold *s, uint32_t i) {
    return vec_at(&s->audit_readings, i);
}

const uint64_t *audit_reading_votes(const struct fold *s, const struct audit_reading *r) {
    return vec_at(&s->votes, r->votes_at);
}

struct hash audit_count_seal(const uint8_t nonce[32], struct span counts) {
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_str(&b, "hesabu/audit-count/v1\n");
    buf_add(&b, nonce, 32);
    buf_span(&b, counts);
    struct hash h = sha256(buf_view(&b));
    buf_release(&b);
    return h;
}

static uint64_t place_hash(uint32_t plan, uint32_t station) {
    return hash_u64((uint64_t)plan << 32 ^ station ^ UINT64_C(0x5bd1e995));
}

uint32_t fold_audit_box_find(const struct fold *s, uint32_t plan, uint32_t station) {
    size_t cursor = 0;
    for (uint32_t i; (i = table_next(&s->by_audit_box, place_hash(plan, station), &cursor)) != UINT32_MAX;) {
        const struct audit_box *b = fold_audit_box(s, i);
        if (b->plan == plan && b->station == station) return i;
    }
    return NO_BOX;
}

static bool same_holder(const struct fold *s, uint32_t a, uint32_t b) {
    return hash_eq(&state_key(s, a)->holder, &state_key(s, b)->holder);
}

/* --- sealing --- */

struct seal_fields {
    uint32_t plan, station;
    struct hash seal;
    bool targeted;
};

/* One key counts for itself, and does not count this box twice. */
static err check_seal(struct ctx *c, const struct seal_fields *v, uint32_t box) {
    struct fold *s = c->fold;
    const struct audit_plan *p = fold_audit(s, v->plan), *dice = audit_drawn_by(s, p);
    if (c->signer_count != 1) return fail_set(c->f, E_LINES, "a hand count is one person's");
    TRY(signers_in_scope(c, v->station, p->contest));
    if (!unit_within(s, v->station, fold_contest(s, p->contest)->unit))
        return fail_set(c->f, E_CONTEST, "the contest is not held at this station");
    if (p->close_entry != NO_ENTRY) return fail_set(c->f, E_STATE, "the audit is closed");
    uint32_t at = dice->seed_entry == NO_ENTRY
                      ? UINT32_MAX
                      : audit_position(s, audit_of_entry(s, dice->entry), v->station);
    bool drawn = at != UINT32_MAX && at < dice->size;
    if (!v->targeted && dice->seed_entry == NO_ENTRY)
        return fail_set(c->f, E_STATE, "the dice are not thrown yet");
    if (!v->targeted && !drawn)
        return fail_set(c->f, E_AUDIT_DRAW, "the station %.*s was not drawn; a box that somebody chose is "
                                            "counted as targeted, outside the test",
                        SPAN_ARG(fold_unit(s, v->station)->code));
    if (v->targeted && drawn)
        return fail_set(c->f, E_AUDIT_DRAW, "the station was drawn: its count is not a targeted one");
    if (box == NO_BOX) return OK;
    const struct audit_box *b = fold_audit_box(s, box);
    if (b->agreed != NO_READING)
        return fail_set(c->f, E_STATE, "two people have counted this box alike already");
    for (uint32_t i = b->first_reading; i != NO_READING; i = fold_audit_reading(s, i)->next)
        if (same_holder(s, fold_audit_reading(s, i)->key, c->signers[0]))
            return fail_set(c->f, E_AUDIT_COUNT, "the same person has counted this box already: another one "
                                                 "counts it again");
    return OK;
}

static err add_seal(struct ctx *c, const struct seal_fields *v, uint32_t box) {
    struct fold *s = c->fold;
    struct audit_box *b;
    struct audit_reading *r;
    if (box == NO_BOX) {
        box = (uint32_t)s->audit_boxes.n;
        TRY(state_push(c, &s->audit_boxes, (void **)&b));
        *b = (struct audit_box){.plan = v->plan, .station = v->station, .first_reading = NO_READING,
                                .agreed = NO_READING, .targeted = v->targeted};
        TRY(state_index(c, &s->by_audit_box, place_hash(v->plan, v->station), box));
    }
    b = vec_at(&s->audit_boxes, box);
    uint32_t i = (uint32_t)s->audit_readings.n;
    TRY(state_push(c, &s->audit_readings, (void **)&r));
    *r = (struct audit_reading){.entry = c->index, .ms = c->ms, .opened_at = NO_ENTRY,
                                .key = c->signers[0], .next = b->first_reading, .box = box,
                                .rejected = ABSENT, .seal = v->seal};
    TRY(state_index(c, &s->by_audit_seal, hash_u64(c->index), i));
    JSET(&s->journal, b->first_reading, i);
    JSET(&s->journal, b->sealed, b->sealed + 1);
    c->out->station = v->station;
    return OK;
}

/* --- opening --- */

static uint32_t reading_of_entry(const struct fold *s, uint64_t entry) {
    size_t cursor = 0;
    for (uint32_t i; (i = table_next(&s->by_audit_seal, hash_u64(entry), &cursor)) != UINT32_MAX;)
        if (fold_audit_reading(s, i)->entry == entry) return i;
    return NO_READING;
}

/* "lost", or {["rejected"],"votes":{...}} with a figure for every choice of the round. */
static err read_counts(struct ctx *c, const struct audit_plan *p, struct span text,
                       struct audit_reading *to, uint64_t *votes) {
    struct cj whole = c->json;
    const struct contest *k = fold_contest(c->fold, p->contest);
    static const char *const lost[] = {"lost", NULL};
    cj_init(&c->json, text, c->f);
    if (text.n && text.p[0] == '"') {
        (void)read_word(c, lost);
        to->lost = true;
        TRY(cj_end(&c->json));
        c->json = whole;
        return OK;
    }
    cj_object(&c->json);
    if (cj_have(&c->json, "rejected")) to->rejected = cj_u64(&c->json, FIGURE_MAX);
    cj_need(&c->json, "votes");
    if (!cj_failed(&c->json)) read_votes(&c->json, c->fold, p->contest, p->round, votes);
    cj_object_end(&c->json);
    TRY(cj_end(&c->json));
    c->json = whole;
    for (uint32_t i = 0; i < k->choice_count; i++) {
        if (votes[i] != ABSENT) continue;
        if (contest_has_choice(k, p->round, i))
            return fail_set(c->f, E_FIELD, "a hand count has a figure for every choice: none for %.*s",
                            SPAN_ARG(contest_choice(c->fold, k, i)->id));
        votes[i] = 0;
    }
    return OK;
}

static bool alike(const struct fold *s, const struct audit_reading *a, const struct audit_reading *b,
                  uint32_t choices) {
    if (b->opened_at == NO_ENTRY || a->lost != b->lost) return false;
    return a->lost || memcmp(audit_reading_votes(s, a), audit_reading_votes(s, b), choices * sizeof(uint64_t)) == 0;
}

static err open_reading(struct ctx *c, uint32_t i, const struct audit_reading *what, const uint64_t *votes,
                        uint32_t choices) {
    struct fold *s = c->fold;
    struct journal *j = &s->journal;
    struct audit_reading *r = vec_at(&s->audit_readings, i);
    struct audit_box *b = vec_at(&s->audit_boxes, r->box);
    size_t at = 0;
    if (!what->lost) {
        journal_vec(j, &s->votes);
        uint64_t *to = vec_push_run(&s->votes, choices, &at);
        if (!to) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
        memcpy(to, votes, choices * sizeof *to);
    }
    JSET(j, r->lost, what->lost);
    JSET(j, r->rejected, what->rejected);
    JSET(j, r->votes_at, at);
    JSET(j, r->opened_at, c->index);
    JSET(j, r->opened_ms, c->ms);
    JSET(j, b->opened, b->opened + 1);
    for (uint32_t k = b->first_reading; k != NO_READING && b->agreed == NO_READING;
         k = fold_audit_reading(s, k)->next)
        if (k != i && alike(s, r, fold_audit_reading(s, k), choices)) JSET(j, b->agreed, i);
    c->out->station = b->station;
    return OK;
}

static err opened_apply(struct ctx *c, struct span counts, const uint8_t nonce[32], uint64_t of) {
    struct fold *s = c->fold;
    uint64_t votes[MAX_CHOICES];
    uint32_t i = reading_of_entry(s, of);
    if (i == NO_READING) return fail_set(c->f, E_REFERENCE, "the record it names is not a sealed hand count");
    struct audit_reading *r = vec_at(&s->audit_readings, i);
    const struct audit_box *b = fold_audit_box(s, r->box);
    const struct audit_plan *p = fold_audit(s, b->plan);
    c->out->contest = p->contest;
    if (c->signer_count != 1 || c->signers[0] != r->key)
        return fail_set(c->f, E_LINES, "a sealed count is opened by the key that sealed it, alone");
    if (p->close_entry != NO_ENTRY) return fail_set(c->f, E_STATE, "the audit is closed");
    if (r->opened_at != NO_ENTRY) return fail_set(c->f, E_STATE, "this count is open already");
    if (b->sealed < 2)
        return fail_set(c->f, E_STATE, "a second person has not sealed a count of this box yet: wait");
    struct hash h = audit_count_seal(nonce, counts);
    if (!hash_eq(&h, &r->seal)) return fail_set(c->f, E_SEAL, "these are not the counts that were sealed");
    struct audit_reading what = {.rejected = ABSENT};
    TRY(read_counts(c, p, counts, &what, votes));
    return open_reading(c, i, &what, votes, fold_contest(s, p->contest)->choice_count);
}

err audit_count_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct seal_fields v = {0};
    cj_object(r);
    if (cj_have(r, "counts")) {
        uint8_t nonce[32] = {0};
        struct span counts = cj_raw(r);
        read_election(c);
        cj_need(r, "nonce");
        cj_hex(r, nonce, sizeof nonce);
        cj_need(r, "of");
        uint64_t of = read_record(c);
        cj_object_end(r);
        TRY(cj_end(r));
        return opened_apply(c, counts, nonce, of);
    }
    read_election(c);
    cj_need(r, "plan");
    uint64_t entry = read_record(c);
    if (!cj_failed(r)) {
        v.plan = audit_of_entry(c->fold, entry);
        if (v.plan == NO_PLAN) cj_fail(r, E_REFERENCE, "the record it names is not an audit plan");
    }
    cj_need(r, "seal");
    cj_hex(r, v.seal.b, sizeof v.seal.b);
    cj_need(r, "station");
    v.station = read_station(c);
    if (cj_have(r, "targeted")) {
        v.targeted = cj_bool(r);
        if (!cj_failed(r) && !v.targeted) cj_fail(r, E_FIELD, "\"targeted\" is true or left out");
    }
    cj_object_end(r);
    TRY(cj_end(r));
    c->out->contest = fold_audit(c->fold, v.plan)->contest;
    uint32_t box = fold_audit_box_find(c->fold, v.plan, v.station);
    TRY(check_seal(c, &v, box));
    return add_seal(c, &v, box);
}
