/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* audit-plan, audit-seed, audit-round, audit-close (spec/records.md, 6.23 to 6.27): what is fixed before the
 * dice, the dice, how far they are read, and how it ended. */
#include "base/text.h"
#include "election/state.h"

enum { CLAIMS_MAX = 512, SHARE_MAX = 10000, SEED_MIN = 20, SEED_MAX = 200, LIST_MAX = 64 << 20 };

static const char *const claims[] = {"beats", "above", "at-least", "below", "at-most", NULL};
static const char *const bounds[] = {"cast", "delivered", "registered", NULL};
static const char *const ends[] = {"open", "confirmed", "full-count-confirms", "full-count-overturns",
                                   "stopped", NULL};

const char *audit_claim_name(unsigned claim) {
    return claims[claim];
}

const char *audit_bound_name(unsigned bound) {
    return bounds[bound];
}

const char *audit_end_name(unsigned end) {
    return ends[end];
}

size_t fold_audit_count(const struct fold *s) {
    return s->audits.n;
}

const struct audit_plan *fold_audit(const struct fold *s, size_t i) {
    return vec_at(&s->audits, i);
}

uint32_t audit_of_entry(const struct fold *s, uint64_t entry) {
    for (size_t i = 0; i < s->audits.n; i++)
        if (fold_audit(s, i)->entry == entry) return (uint32_t)i;
    return NO_PLAN;
}

const struct audit_plan *audit_drawn_by(const struct fold *s, const struct audit_plan *p) {
    return p->sample == NO_PLAN ? p : fold_audit(s, p->sample);
}

const struct audit_claimed *audit_claim_at(const struct fold *s, const struct audit_plan *p, uint32_t k) {
    return (const struct audit_claimed *)vec_at(&s->audit_claims, p->first_claim + k);
}

uint32_t audit_draw_at(const struct fold *s, const struct audit_plan *p, uint32_t k) {
    return *(const uint32_t *)vec_at(&s->audit_draws, p->first_draw + k);
}

static uint64_t place_hash(uint32_t plan, uint32_t station) {
    return hash_u64((uint64_t)plan << 32 ^ station);
}

uint32_t audit_position(const struct fold *s, uint32_t plan, uint32_t station) {
    const struct audit_plan *p = fold_audit(s, plan);
    size_t cursor = 0;
    uint64_t h = place_hash(plan, station);
    for (uint32_t i; (i = table_next(&s->by_audit_draw, h, &cursor)) != UINT32_MAX;)
        if (i >= p->first_draw && i - p->first_draw < p->draw_count &&
            *(const uint32_t *)vec_at(&s->audit_draws, i) == station)
            return (uint32_t)(i - p->first_draw);
    return UINT32_MAX;
}

/* The audit board, and a second person. */
static err by_the_board(struct ctx *c, const struct audit_plan *p) {
    TRY(signers_in_scope(c, fold_contest(c->fold, p->contest)->unit, p->contest));
    uint32_t board = signer_in_role(c, ROLE_AUDIT_BOARD, fold_contest(c->fold, p->contest)->unit);
    if (board == NO_KEY) return fail_set(c->f, E_ROLE, "not signed by an audit board of this contest");
    const struct hash *holder = &state_key(c->fold, board)->holder;
    for (size_t i = 0; i < c->signer_count; i++)
        if (!hash_eq(&state_key(c->fold, c->signers[i])->holder, holder)) return OK;
    return fail_set(c->f, E_THRESHOLD, "an audit board signs with a second person");
}

static struct audit_plan *read_plan_ref(struct ctx *c, const char *field) {
    cj_need(&c->json, field);
    uint64_t entry = read_record(c);
    if (cj_failed(&c->json)) return NULL;
    uint32_t i = audit_of_entry(c->fold, entry);
    if (i == NO_PLAN) {
        cj_fail(&c->json, E_REFERENCE, "the record it names is not an audit plan");
        return NULL;
    }
    struct audit_plan *p = vec_at(&c->fold->audits, i);
    c->out->contest = p->contest;
    return p;
}

/* --- plan --- */

static uint32_t read_choice(struct ctx *c, uint32_t contest, unsigned round) {
    struct span id = read_slug(&c->json, 40);
    if (cj_failed(&c->json)) return 0;
    const struct contest *k = fold_contest(c->fold, contest);
    for (uint32_t i = 0; i < k->choice_count; i++)
        if (contest_has_choice(k, round, i) && span_eq(contest_choice(c->fold, k, i)->id, id)) return i;
    cj_fail(&c->json, E_CHOICE, "\"%.*s\" is not a choice of the contest in this round", SPAN_ARG(id));
    return 0;
}

/* The contest stands after the assertions, so they are read a second time when it is known. */
static void read_claim(struct ctx *c, const struct audit_plan *p, struct audit_claimed *x) {
    struct cj *r = &c->json;
    *x = (struct audit_claimed){.unit = NO_UNIT};
    cj_object(r);
    cj_need(r, "claim");
    x->claim = (uint8_t)read_word(c, claims);
    bool share = x->claim != CLAIM_BEATS;
    if (!share) {
        cj_need(r, "loser");
        x->loser = read_choice(c, p->contest, p->round);
    } else {
        cj_need(r, "p");
        x->p = (uint32_t)cj_u64(r, SHARE_MAX);
        cj_need(r, "q");
        x->q = (uint32_t)cj_u64(r, SHARE_MAX);
        if (!cj_failed(r) && (x->p == 0 || x->p >= x->q))
            cj_fail(r, E_RANGE, "a share lies between 0 and 1");
    }
    if (cj_have(r, "unit")) {
        x->unit = read_unit(c);
        if (!cj_failed(r) && !unit_within(c->fold, x->unit, fold_contest(c->fold, p->contest)->unit))
            cj_fail(r, E_UNIT, "the contest is not held in the unit of an assertion");
    }
    cj_need(r, "winner");
    x->winner = read_choice(c, p->contest, p->round);
    if (!cj_failed(r) && !share && x->winner == x->loser)
        cj_fail(r, E_CHOICE, "a choice cannot beat itself");
    cj_object_end(r);
}

static err read_claims(struct ctx *c, struct audit_plan *p, struct span text) {
    struct cj whole = c->json;
    struct audit_claimed all[CLAIMS_MAX], *to;
    cj_init(&c->json, text, c->f);
    cj_array(&c->json);
    while (cj_element(&c->json)) {
        if (p->claim_count == CLAIMS_MAX) {
            cj_fail(&c->json, E_RANGE, "more than %d assertions", CLAIMS_MAX);
            break;
        }
        read_claim(c, p, &all[p->claim_count++]);
    }
    TRY(cj_end(&c->json));
    c->json = whole;
    if (p->claim_count == 0) return fail_set(c->f, E_FIELD, "a plan without assertions");
    for (uint32_t i = 0; i < p->claim_count; i++) {
        if (i == 0) p->first_claim = c->fold->audit_claims.n;
        TRY(state_push(c, &c->fold->audit_claims, (void **)&to));
        *to = all[i];
    }
    return OK;
}

/* A regional rule whose K claims need K - spare of them. */
static err check_spare(struct ctx *c, const struct audit_plan *p) {
    uint32_t regional = 0;
    for (uint32_t i = 0; i < p->claim_count; i++) {
        const struct audit_claimed *x = audit_claim_at(c->fold, p, i);
        regional += x->unit != NO_UNIT && (x->claim == CLAIM_AT_LEAST || x->claim == CLAIM_BELOW);
    }
    if (p->spare && p->spare >= regional)
        return fail_set(c->f, E_RANGE, "%u spare ones among %u assertions of a share in units", p->spare,
                        regional);
    return OK;
}

err audit_plan_apply(struct ctx *c) {
    static const char *const methods[] = {"mixture", NULL};
    struct fold *s = c->fold;
    struct cj *r = &c->json;
    struct audit_plan p = {.entry = c->index, .ms = c->ms, .sample = NO_PLAN, .seed_entry = NO_ENTRY,
                           .close_entry = NO_ENTRY};
    cj_object(r);
    cj_need(r, "assertions");
    struct span assertions = cj_raw(r);
    cj_need(r, "authority");
    p.authority = read_object_ref(c, false);
    cj_need(r, "bound");
    p.bound = (uint8_t)read_word(c, bounds);
    cj_need(r, "compliance");
    p.compliance = read_object_ref(c, false);
    cj_need(r, "contest");
    p.contest = read_contest(c);
    read_election(c);
    cj_need(r, "limit_ppm");
    p.limit_ppm = (uint32_t)cj_u64(r, 500000);
    if (!cj_failed(r) && p.limit_ppm == 0) cj_fail(r, E_RANGE, "a risk limit lies between 0 and 1/2");
    cj_need(r, "manifest");
    p.manifest = read_object_ref(c, false);
    cj_need(r, "method");
    (void)read_word(c, methods);
    cj_need(r, "round");
    p.round = (uint16_t)cj_u64(r, MAX_ROUNDS);
    if (cj_have(r, "sample")) {
        const struct audit_plan *of = NULL;
        uint64_t entry = read_record(c);
        if (!cj_failed(r)) {
            p.sample = audit_of_entry(s, entry);
            of = p.sample == NO_PLAN ? NULL : fold_audit(s, p.sample);
        }
        if (!cj_failed(r) && (!of || of->sample != NO_PLAN))
            cj_fail(r, E_REFERENCE, "\"sample\" names a plan that draws by itself");
        if (!cj_failed(r) && of->seed_entry != NO_ENTRY)
            cj_fail(r, E_AUDIT_SEED, "the dice of that plan are known already: what shares its sample is "
                                     "committed before them");
    }
    if (cj_have(r, "spare")) {
        p.spare = (uint32_t)cj_u64(r, CLAIMS_MAX);
        if (!cj_failed(r) && p.spare == 0) cj_fail(r, E_RANGE, "no spare assertion: left out");
    }
    cj_object_end(r);
    TRY(cj_end(r));
    if (p.round == 0 || p.round > fold_contest(s, p.contest)->round)
        return fail_set(c->f, E_ROUND, "an audit of round %u; the contest is in round %u", p.round,
                        fold_contest(s, p.contest)->round);
    TRY(read_claims(c, &p, assertions));
    TRY(check_spare(c, &p));
    TRY(by_the_board(c, &p));
    p.signer = c->signers[0];
    struct audit_plan *to;
    TRY(state_push(c, &s->audits, (void **)&to));
    *to = p;
    return OK;
}

/* --- the dice --- */

static err check_digits(struct ctx *c, struct span digits) {
    bool plain = digits.n >= SEED_MIN;
    for (size_t i = 0; i < digits.n; i++) plain &= char_is_digit(digits.p[i]);
    if (!plain)
        return fail_set(c->f, E_AUDIT_SEED, "a seed is at least %d decimal digits, as the dice fell", SEED_MIN);
    for (size_t i = 0; i < c->fold->audits.n; i++)
        if (span_eq(fold_audit(c->fold, i)->digits, digits))
            return fail_set(c->f, E_AUDIT_SEED, "these dice are another plan's");
    return OK;
}

/* One station a line, in the order of the dice, all of the manifest: each of the contest, each once. */
static err load_draws(struct ctx *c, struct audit_plan *p, uint32_t plan, const struct named_object *o) {
    struct fold *s = c->fold;
    struct span rest, line;
    uint32_t n = 0;
    if (o->size > LIST_MAX) return fail_set(c->f, E_OBJECT, "a list of draws of more than 64 MiB");
    TRY(state_get_object(c, o, &rest));
    if (!span_line(&rest, &line) || !span_is(line, "hesabu/audit-draws/v1"))
        return fail_set(c->f, E_OBJECT, "not a list of draws: its first line is hesabu/audit-draws/v1");
    JSET(&s->journal, p->first_draw, s->audit_draws.n);
    while (rest.n) {
        if (!span_line(&rest, &line)) return fail_set(c->f, E_OBJECT, "the list of draws is cut");
        uint32_t u = fold_unit_by_code(s, line);
        if (u == NO_UNIT || !unit_is_station(s, u))
            return fail_set(c->f, E_UNIT, "draw %u: there is no station \"%.*s\"", n + 1, SPAN_ARG(line));
        if (!unit_within(s, u, fold_contest(s, p->contest)->unit))
            return fail_set(c->f, E_CONTEST, "draw %u: the contest is not held at %.*s", n + 1, SPAN_ARG(line));
        JSET(&s->journal, p->draw_count, n);
        if (audit_position(s, plan, u) != UINT32_MAX)
            return fail_set(c->f, E_AUDIT_DRAW, "the station %.*s is drawn twice", SPAN_ARG(line));
        uint32_t *to, at = (uint32_t)s->audit_draws.n;
        TRY(state_push(c, &s->audit_draws, (void **)&to));
        *to = u;
        TRY(state_index(c, &s->by_audit_draw, place_hash(plan, u), at));
        n++;
    }
    JSET(&s->journal, p->draw_count, n);
    return OK;
}

err audit_seed_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "digits");
    struct span digits = cj_code(r, SEED_MAX);
    cj_need(r, "draws");
    struct named_object draws = read_object_ref(c, false);
    read_election(c);
    struct audit_plan *p = read_plan_ref(c, "plan");
    cj_need(r, "size");
    uint64_t size = cj_u64(r, UINT32_MAX);
    cj_need(r, "thrown_ms");
    uint64_t thrown = cj_u64(r, CJ_MAX_INT);
    cj_object_end(r);
    TRY(cj_end(r));
    TRY(by_the_board(c, p));
    if (p->sample != NO_PLAN)
        return fail_set(c->f, E_STATE, "the plan shares another one's sample: the dice are thrown for that");
    if (p->seed_entry != NO_ENTRY)
        return fail_set(c->f, E_STATE, "the plan has its dice (entry %llu): a second seed is refused",
                        (unsigned long long)p->seed_entry);
    TRY(check_digits(c, digits));
    if (thrown < p->ms)
        return fail_set(c->f, E_AUDIT_SEED, "the dice were thrown before the plan was recorded: they prove "
                                            "nothing; throw them again");
    TRY(load_draws(c, p, (uint32_t)audit_of_entry(s, p->entry), &draws));
    if (size == 0 || size > p->draw_count)
        return fail_set(c->f, E_RANGE, "a first round of %llu of %u draws", (unsigned long long)size,
                        p->draw_count);
    struct span kept = arena_copy(&s->arena, digits);
    if (!kept.p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    JSET(&s->journal, p->digits, kept);
    JSET(&s->journal, p->draws_object, draws);
    JSET(&s->journal, p->seed_entry, c->index);
    JSET(&s->journal, p->seed_ms, c->ms);
    JSET(&s->journal, p->size, (uint32_t)size);
    JSET(&s->journal, p->rounds, 1);
    return OK;
}

/* --- rounds, end --- */

err audit_round_apply(struct ctx *c) {
    struct cj *r = &c->json;
    cj_object(r);
    read_election(c);
    struct audit_plan *p = read_plan_ref(c, "plan");
    cj_need(r, "size");
    uint64_t size = cj_u64(r, UINT32_MAX);
    cj_object_end(r);
    TRY(cj_end(r));
    TRY(by_the_board(c, p));
    if (p->seed_entry == NO_ENTRY) return fail_set(c->f, E_STATE, "the plan has no dice of its own yet");
    if (p->close_entry != NO_ENTRY) return fail_set(c->f, E_STATE, "the audit is closed");
    if (size <= p->size || size > p->draw_count)
        return fail_set(c->f, E_RANGE, "a round to %llu draws, after %u of %u", (unsigned long long)size,
                        p->size, p->draw_count);
    JSET(&c->fold->journal, p->size, (uint32_t)size);
    JSET(&c->fold->journal, p->rounds, p->rounds + 1);
    return OK;
}

err audit_close_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct journal *j = &c->fold->journal;
    struct named_object transcript;
    bool reason = false;
    cj_object(r);
    read_election(c);
    struct audit_plan *p = read_plan_ref(c, "plan");
    if (cj_have(r, "reason")) {
        (void)read_object_ref(c, false);
        reason = true;
    }
    cj_need(r, "says");
    unsigned says = read_word(c, ends);
    cj_need(r, "transcript");
    transcript = read_object_ref(c, false);
    cj_object_end(r);
    TRY(cj_end(r));
    TRY(by_the_board(c, p));
    if (says == AUDIT_OPEN) return fail_set(c->f, E_FIELD, "an audit is not closed as open");
    if (audit_drawn_by(c->fold, p)->seed_entry == NO_ENTRY && says != AUDIT_STOPPED)
        return fail_set(c->f, E_STATE, "no dice were thrown: the audit can only be stopped");
    if (p->close_entry != NO_ENTRY)
        return fail_set(c->f, E_STATE, "the audit was closed by entry %llu already",
                        (unsigned long long)p->close_entry);
    if (says == AUDIT_STOPPED && !reason)
        return fail_set(c->f, E_FIELD, "an audit that is stopped before its end says why");
    JSET(j, p->end, (uint8_t)says);
    JSET(j, p->close_entry, c->index);
    JSET(j, p->close_ms, c->ms);
    JSET(j, p->transcript, transcript);
    return OK;
}
