/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Outcomes: both sides of every boundary, and random totals against a slow reference that says the
 * law again in other words. */
#include "test.h"

#include <stdio.h>
#include "base/rng.h"
#include "election_fixture.h"
#include "election/rules.h"
#include "election/rules_read.h"

static const struct rule majority = {.kind = RULE_MAJORITY, .majority = {1, 2}, .spread = true,
                                     .spread_units = 47, .spread_share = {1, 4},
                                     .spread_regions = {1, 2}, .unopposed = true,
                                     .death_cancels = true};
static const struct rule plurality = {.kind = RULE_PLURALITY, .majority = {1, 2}, .unopposed = true};

static struct rule_case case_of(const struct rule *r, uint32_t choices) {
    struct rule_case c = {.rule = r, .choice_count = choices};
    for (uint32_t k = 0; k < choices; k++) {
        c.on_ballot[k / 64] |= UINT64_C(1) << (k % 64);
        c.stands[k / 64] |= UINT64_C(1) << (k % 64);
    }
    return c;
}

/* 47 regions of 100 valid votes: choice 0 has `share` in the first n, nothing elsewhere. */
static size_t regions_with(struct votes r[47], uint64_t v[47][3], unsigned n, uint64_t share) {
    for (unsigned i = 0; i < 47; i++) {
        v[i][0] = i < n ? share : 0;
        v[i][1] = 100 - v[i][0];
        v[i][2] = 0;
        r[i] = (struct votes){100, v[i]};
    }
    return 47;
}

static struct outcome give(const struct rule_case *c, uint64_t valid, const uint64_t *votes,
                           const struct votes *regions, size_t n) {
    struct outcome o;
    rule_outcome(c, &(struct votes){valid, votes}, regions, n, &o);
    return o;
}

static void test_majority_boundary(void **s) {
    (void)s;
    struct rule_case c = case_of(&majority, 3);
    struct votes r[47];
    uint64_t v[47][3];
    size_t n = regions_with(r, v, 24, 25);
    struct outcome o = give(&c, 100, (uint64_t[]){51, 49, 0}, r, n);
    assert_int_equal(o.kind, OUTCOME_ELECTED);
    assert_true(outcome_has(&o, 0) && o.count == 1);
    o = give(&c, 100, (uint64_t[]){50, 49, 1}, r, n); /* exactly half is not more than half */
    assert_int_equal(o.kind, OUTCOME_NEXT_ROUND);
    assert_false(o.majority);
    assert_true(outcome_has(&o, 0) && outcome_has(&o, 1) && !outcome_has(&o, 2));
    o = give(&c, 101, (uint64_t[]){51, 50, 0}, r, n); /* half plus a half */
    assert_int_equal(o.kind, OUTCOME_ELECTED);
    o = give(&c, 102, (uint64_t[]){51, 49, 0}, r, n); /* the forms say more valid votes than add up */
    assert_int_equal(o.kind, OUTCOME_NEXT_ROUND);
    o = give(&c, 90, (uint64_t[]){50, 49, 1}, r, n); /* or fewer: the sum is meant */
    assert_int_equal(o.kind, OUTCOME_NEXT_ROUND);
}

static void test_spread_boundary(void **s) {
    (void)s;
    struct rule_case c = case_of(&majority, 3);
    struct votes r[47];
    uint64_t v[47][3];
    const uint64_t most[] = {60, 40, 0};
    struct outcome o = give(&c, 100, most, r, regions_with(r, v, 24, 25));
    assert_int_equal(o.kind, OUTCOME_ELECTED); /* exactly 25 % in exactly 24 */
    assert_int_equal(o.needed, 24);
    o = give(&c, 100, most, r, regions_with(r, v, 23, 25));
    assert_int_equal(o.kind, OUTCOME_NEXT_ROUND);
    assert_true(o.majority);
    o = give(&c, 100, most, r, regions_with(r, v, 47, 24));
    assert_int_equal(o.kind, OUTCOME_NEXT_ROUND);
    /* a region without votes counts for nobody, even at a share of nothing */
    size_t n = regions_with(r, v, 24, 25);
    r[0].valid = v[0][0] = v[0][1] = 0;
    assert_int_equal(give(&c, 100, most, r, n).kind, OUTCOME_NEXT_ROUND);
}

static void test_even_regions(void **s) {
    (void)s;
    struct rule even = majority;
    even.spread_units = 46; /* more than half of 46 is 24, not 23 */
    assert_int_equal(rule_regions_needed(&even), 24);
    assert_int_equal(rule_regions_needed(&majority), 24);
    even.spread_units = 48;
    assert_int_equal(rule_regions_needed(&even), 25);
    even.spread_units = 2;
    assert_int_equal(rule_regions_needed(&even), 2);
    even.spread_units = 1;
    assert_int_equal(rule_regions_needed(&even), 1);
    even.spread_units = 46;
    struct rule_case c = case_of(&even, 3);
    struct votes r[47];
    uint64_t v[47][3];
    const uint64_t most[] = {60, 40, 0};
    (void)regions_with(r, v, 23, 25);
    assert_int_equal(give(&c, 100, most, r, 46).kind, OUTCOME_NEXT_ROUND);
    (void)regions_with(r, v, 24, 25);
    assert_int_equal(give(&c, 100, most, r, 46).kind, OUTCOME_ELECTED);
}

static void test_no_votes(void **s) {
    (void)s;
    const uint64_t none[3] = {0, 0, 0};
    struct votes r[47];
    uint64_t v[47][3];
    size_t n = regions_with(r, v, 0, 0);
    for (size_t i = 0; i < n; i++) r[i].valid = v[i][1] = 0;
    struct rule_case c = case_of(&majority, 3), p = case_of(&plurality, 3);
    struct outcome o = give(&c, 0, none, r, n);
    assert_int_equal(o.kind, OUTCOME_NONE);
    assert_int_equal(o.regions, 0);
    assert_int_equal(give(&p, 0, none, NULL, 0).kind, OUTCOME_NONE);
    assert_int_equal(give(&p, 5, none, NULL, 0).kind, OUTCOME_CANNOT_TELL); /* papers for nobody */
    assert_false(outcome_declarable(&o));
}

static void test_ties(void **s) {
    (void)s;
    struct rule_case c = case_of(&majority, 4), p = case_of(&plurality, 4);
    struct outcome o = give(&c, 90, (uint64_t[]){30, 30, 30, 0}, NULL, 0);
    assert_int_equal(o.kind, OUTCOME_NEXT_ROUND); /* a tie for first: only those tied */
    assert_true(o.count == 3 && !outcome_has(&o, 3));
    o = give(&c, 100, (uint64_t[]){40, 30, 30, 0}, NULL, 0); /* for second: all tied with the first */
    assert_true(o.count == 3 && outcome_has(&o, 0) && outcome_has(&o, 1) && outcome_has(&o, 2));
    o = give(&c, 100, (uint64_t[]){50, 50, 0, 0}, NULL, 0);
    assert_true(o.kind == OUTCOME_NEXT_ROUND && o.count == 2);
    o = give(&p, 100, (uint64_t[]){50, 50, 0, 0}, NULL, 0);
    assert_true(o.kind == OUTCOME_TIE && o.count == 2);
    assert_int_equal(give(&p, 101, (uint64_t[]){50, 51, 0, 0}, NULL, 0).kind, OUTCOME_ELECTED);
    /* the second round is by plurality: no majority of valid votes, no regions */
    struct rule_case second = case_of(&majority, 4);
    second.runoff = true;
    second.on_ballot[0] = second.stands[0] = 3;
    o = give(&second, 100, (uint64_t[]){26, 25, 0, 0}, NULL, 0);
    assert_true(o.kind == OUTCOME_ELECTED && outcome_has(&o, 0) && o.needed == 0);
    o = give(&second, 100, (uint64_t[]){50, 50, 0, 0}, NULL, 0);
    assert_true(o.kind == OUTCOME_TIE && o.count == 2);
    /* a choice that is not of this round is not counted, whatever stands beside it */
    o = give(&second, 100, (uint64_t[]){26, 25, 90, 0}, NULL, 0);
    assert_true(o.kind == OUTCOME_ELECTED && outcome_has(&o, 0));
}

static void test_states(void **s) {
    (void)s;
    const uint64_t v[] = {60, 40, 0};
    static const struct {
        enum contest_state state;
        enum outcome_kind want;
    } rows[] = {{CONTEST_POSTPONED, OUTCOME_POSTPONED}, {CONTEST_CANCELLED, OUTCOME_CANCELLED},
                {CONTEST_ANNULLED, OUTCOME_ANNULLED}, {CONTEST_OPEN, OUTCOME_ELECTED},
                {CONTEST_UNOPPOSED, OUTCOME_CANNOT_TELL}}; /* three stand: unopposed by whom? */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rule_case c = case_of(&plurality, 3);
        c.state = rows[i].state;
        assert_int_equal(give(&c, 100, v, NULL, 0).kind, rows[i].want);
    }
    struct rule_case one = case_of(&plurality, 3);
    one.stands[0] = 2;
    struct outcome o = give(&one, 0, v, NULL, 0);
    assert_true(o.kind == OUTCOME_UNOPPOSED && o.count == 1 && outcome_has(&o, 1));
    one.state = CONTEST_UNOPPOSED;
    assert_int_equal(give(&one, 0, v, NULL, 0).kind, OUTCOME_UNOPPOSED);
    one.state = CONTEST_OPEN;
    struct rule polled = plurality;
    polled.unopposed = false;
    one.rule = &polled; /* the only one who stands is not the one with most votes */
    assert_int_equal(give(&one, 100, v, NULL, 0).kind, OUTCOME_CANNOT_TELL);
    struct rule_case dead = case_of(&majority, 3);
    dead.dead = true;
    dead.stands[0] = 5;
    assert_int_equal(give(&dead, 100, v, NULL, 0).kind, OUTCOME_CANCELLED);
    dead.rule = &plurality; /* the rule does not say: whoever has most and is alive */
    assert_int_equal(give(&dead, 100, v, NULL, 0).kind, OUTCOME_ELECTED);
    dead.stands[0] = 6;
    assert_int_equal(give(&dead, 100, v, NULL, 0).kind, OUTCOME_CANNOT_TELL);
    struct rule unknown = {.kind = RULE_UNKNOWN};
    struct rule_case u = case_of(&unknown, 3);
    assert_int_equal(give(&u, 100, v, NULL, 0).kind, OUTCOME_CANNOT_TELL);
}

static void test_large(void **s) {
    (void)s;
    struct rule_case c = case_of(&plurality, 2);
    const uint64_t big = UINT64_C(1) << 62;
    struct outcome o = give(&c, 2 * big, (uint64_t[]){big + 1, big - 1}, NULL, 0);
    assert_true(o.kind == OUTCOME_ELECTED && o.majority);
    assert_false(ratio_exceeded(UINT64_MAX / 2, UINT64_MAX, (struct ratio){1, 2}));
    assert_true(ratio_exceeded(UINT64_MAX / 2 + 1, UINT64_MAX, (struct ratio){1, 2}));
    assert_true(ratio_reached(UINT64_MAX, UINT64_MAX, (struct ratio){1000000, 1000000}));
}

/* The law in other words: by sorting, by fractions of 1000 voters' lists. */
static enum outcome_kind reference(const uint64_t *v, uint32_t n, const struct votes *regions,
                                   size_t region_count, uint32_t units, uint64_t *set) {
    uint64_t sum = 0;
    *set = 0;
    for (uint32_t k = 0; k < n; k++) sum += v[k];
    if (sum == 0) return OUTCOME_NONE;
    for (uint32_t k = 0; k < n; k++) {
        uint64_t others = sum - v[k];
        uint32_t at = 0;
        for (size_t i = 0; i < region_count; i++) {
            uint64_t rest = 0;
            for (uint32_t o = 0; o < n; o++) rest += o == k ? 0 : regions[i].votes[o];
            /* a quarter of all: the others have at most three times as many */
            if (regions[i].votes[k] + rest > 0 && rest <= 3 * regions[i].votes[k]) at++;
        }
        if (v[k] > others && at > units - at) {
            *set = UINT64_C(1) << k;
            return OUTCOME_ELECTED;
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t above = 0, distinct_above = 0;
        uint64_t best = 0;
        for (uint32_t o = 0; o < n; o++) {
            above += v[o] > v[k];
            if (v[o] > best) best = v[o];
        }
        uint32_t tops = 0;
        for (uint32_t o = 0; o < n; o++) tops += v[o] == best;
        for (uint32_t o = 0; o < n; o++) distinct_above += v[o] > v[k] && v[o] != best;
        if (above == 0 || (tops == 1 && above == 1 && distinct_above == 0)) *set |= UINT64_C(1) << k;
    }
    return OUTCOME_NEXT_ROUND;
}

static void test_against_reference(void **s) {
    (void)s;
    struct rng g;
    rng_init(&g, 138);
    unsigned seen[OUTCOME_KINDS] = {0};
    for (int n = 0; n < 200000; n++) {
        struct rule r = majority;
        uint32_t choices = 2 + (uint32_t)rng_below(&g, 3), regions = 1 + (uint32_t)rng_below(&g, 5);
        r.spread_units = regions;
        uint64_t v[5][4] = {{0}}, all[4] = {0};
        struct votes rv[5];
        uint64_t most = 1 + rng_below(&g, 6);
        for (uint32_t i = 0; i < regions; i++) {
            uint64_t sum = 0;
            for (uint32_t k = 0; k < choices; k++) {
                v[i][k] = rng_below(&g, most);
                if (k == 0 && rng_below(&g, 2)) v[i][k] += 2 * most;
                sum += v[i][k];
                all[k] += v[i][k];
            }
            rv[i] = (struct votes){sum, v[i]};
        }
        struct rule_case c = case_of(&r, choices);
        uint64_t valid = 0, set;
        for (uint32_t k = 0; k < choices; k++) valid += all[k];
        struct outcome o = give(&c, valid, all, rv, regions);
        enum outcome_kind want = reference(all, choices, rv, regions, regions, &set);
        assert_int_equal(o.kind, want);
        assert_int_equal(o.choices[0], set);
        seen[o.kind]++;
    }
    assert_true(seen[OUTCOME_ELECTED] > 1000 && seen[OUTCOME_NEXT_ROUND] > 1000 && seen[OUTCOME_NONE]);
}

/* ---- reading ---- */

#define SPREAD "\"spread\":{\"at_least\":[1,4],\"exclude\":[\"3\"],\"in_more_than\":[1,2],\"level\":\"county\",\"of\":\"valid\",\"units\":2}"
#define MAJ    "\"majority\":{\"more_than\":[1,2],\"of\":\"valid\"},\"name\":\"majority-and-spread\",\"one_candidate\":\"unopposed\","
#define OTHER  "\"otherwise\":{\"next_round\":\"highest-two\",\"rule\":\"plurality\",\"tie_first\":\"only-those-tied\",\"tie_second\":\"all-tied-with-first\"}"

static err read_at(const char *json, unsigned level, struct rule *r, struct arena *a, struct fail *f) {
    static const struct definition def = {
        .level_count = 4,
        .levels = {SPAN_LIT("nation"), SPAN_LIT("county"), SPAN_LIT("constituency"),
                   SPAN_LIT("station")}};
    return rule_read(span_text(json), &def, level, a, r, f);
}

static void test_read(void **s) {
    (void)s;
    struct arena a;
    struct fail f;
    struct rule r;
    arena_init(&a, 1 << 16);
    refuses(E_CANONICAL, read_at("{\"clocks\":{\"decision_days\":1,\"a\":7}}", 0, &r, &a, &f));
    must(read_at("{\"clocks\":{\"declaration_days\":7,\"petition_days\":9},\"collate\":[\"constituency\","
                 "\"nation\"],\"compare\":[\"constituency\"],\"court\":\"A court, there\",\"death_of_candidate\":\"cancelled\","
                 "\"declarer\":{\"level\":\"nation\",\"role\":\"national-returning-officer\"},\"forms\":{"
                 "\"certificate\":\"34D\",\"constituency\":\"34B\",\"station\":\"34A\"},\"legal_basis\":\"a law\","
                 MAJ OTHER ",\"readings\":1,\"recounts\":true," SPREAD "}", 0, &r, &a, &f));
    assert_true(r.kind == RULE_MAJORITY && r.readings == 1 && r.recounts && r.spread && r.death_cancels);
    assert_true(r.collate_count == 2 && r.collate[0] == 2 && r.collate[1] == 0);
    assert_int_equal(rule_collates(&r, 0), 1);
    assert_int_equal(rule_collates(&r, 1), -1);
    assert_true(rule_compares(&r, 2) && !rule_compares(&r, 0));
    assert_true(r.declaration_days == 7 && r.petition_days == 9 && r.decision_days == NO_DAYS);
    assert_true(span_is(r.court, "A court, there"));
    assert_true(r.exclude_count == 1 && span_is(r.exclude[0], "3") && r.spread_level == 1);
    assert_true(span_is(r.form[2], "34B") && span_is(r.certificate, "34D") && r.form[0].n == 0);
    /* what nobody knows is kept, its common part is read */
    must(read_at("null", 2, &r, &a, &f));
    assert_true(r.kind == RULE_UNKNOWN && r.readings == 2 && r.collate[0] == 2 &&
                r.declarer == ROLE_RETURNING_OFFICER);
    must(read_at("{\"name\":\"borda\",\"points\":[3,2,1],\"readings\":0,\"spread\":5}", 1, &r, &a, &f));
    assert_true(r.kind == RULE_UNKNOWN && r.readings == 0);
    static const struct {
        const char *json;
        unsigned level;
        err want;
    } bad[] = {
        {"{\"name\":\"plurality\",\"points\":1}", 1, E_FIELD},
        {"{\"name\":\"majority\"}", 0, E_FIELD},
        {"{" MAJ OTHER "}", 0, E_FIELD},
        {"{" MAJ SPREAD "}", 0, E_FIELD},
        {"{" MAJ OTHER "," SPREAD "}", 1, E_FIELD}, /* regions are not below the contest */
        {"{\"name\":\"plurality\"," SPREAD "}", 0, E_FIELD},
        {"{\"majority\":{\"more_than\":[1,0],\"of\":\"valid\"},\"name\":\"majority\"," OTHER "}", 0, E_FIELD},
        {"{\"majority\":{\"more_than\":[3,2],\"of\":\"valid\"},\"name\":\"majority\"," OTHER "}", 0, E_FIELD},
        {"{\"majority\":{\"more_than\":[1,2],\"of\":\"cast\"},\"name\":\"majority\"," OTHER "}", 0, E_FIELD},
        {"{\"collate\":[\"village\"]}", 0, E_UNIT},
        {"{\"collate\":[]}", 0, E_FIELD},
        {"{\"collate\":[\"nation\",\"county\"]}", 0, E_FIELD},
        {"{\"collate\":[\"county\",\"county\"]}", 1, E_FIELD},
        {"{\"collate\":[\"constituency\"]}", 1, E_FIELD},
        {"{\"collate\":[\"station\",\"nation\"]}", 0, E_FIELD},
        {"{\"readings\":3}", 0, E_RANGE},
        {"{\"declarer\":{\"level\":\"constituency\",\"role\":\"returning-officer\"}}", 1, E_FIELD},
        {"{\"declarer\":{\"level\":\"county\",\"role\":\"national-returning-officer\"}}", 1, E_FIELD},
        {"{\"declarer\":{\"level\":\"nation\",\"role\":\"chairperson\"}}", 0, E_FIELD},
        {"{\"forms\":{\"village\":\"1A\"}}", 0, E_UNIT},
        {"{\"clocks\":{\"declaration_days\":100001}}", 0, E_RANGE},
        {"{\"recounts\":1}", 0, E_FIELD},
        {"{\"court\":7}", 0, E_FIELD},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err e = read_at(bad[i].json, bad[i].level, &r, &a, &f);
        if (e != bad[i].want)
            fail_msg("%s: %s where %s was due", bad[i].json, err_info(e)->name, err_info(bad[i].want)->name);
    }
    arena_release(&a);
}

static void test_rounds(void **s) {
    (void)s;
    struct fixture *x = fx_base();
    struct rule_case c;
    uint32_t member = fold_contest_by_id(x->fold, SPAN_LIT("member-21"));
    rule_case_of(x->fold, member, 1, &c);
    assert_true(!c.runoff && c.dead && c.on_ballot[0] == 7 && c.stands[0] == 3);
    rule_case_of(x->fold, member, 2, &c);
    assert_true(c.runoff && !c.dead && c.on_ballot[0] == 3);
    /* after an annulment the next round is a fresh election under the first rule */
    fx_must(x, NULL, "com/1,com/2", "amend {'changes':[{'area':{'contest':'president','state':'annulled','unit':'KE'}}],'definition':3,'election':'${e}'}");
    uint32_t president = fold_contest_by_id(x->fold, SPAN_LIT("president"));
    rule_case_of(x->fold, president, 1, &c);
    assert_int_equal(c.state, CONTEST_ANNULLED);
    fx_must(x, NULL, "com/1,com/2", "amend {'changes':[{'round':{'choices':['ann','bo','cy'],'contest':'president','round':2}}],'definition':4,'election':'${e}'}");
    rule_case_of(x->fold, president, 2, &c);
    assert_true(!c.runoff && c.state == CONTEST_OPEN);
    fx_must(x, NULL, "com/1,com/2", "amend {'changes':[{'round':{'choices':['ann','bo'],'contest':'president','round':3}}],'definition':5,'election':'${e}'}");
    rule_case_of(x->fold, president, 3, &c);
    assert_true(c.runoff);
    rule_case_of(x->fold, president, 2, &c);
    assert_false(c.runoff);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_majority_boundary), cmocka_unit_test(test_spread_boundary),
        cmocka_unit_test(test_even_regions), cmocka_unit_test(test_no_votes),
        cmocka_unit_test(test_ties), cmocka_unit_test(test_states), cmocka_unit_test(test_large),
        cmocka_unit_test(test_against_reference), cmocka_unit_test(test_read),
        cmocka_unit_test(test_rounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
