/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Audits computed from a log: the order of the dice, blind counts, lost boxes, compliance, a full count
 * that overturns, shared samples, and closes that say something else than the records give. */
#include "test.h"

#include "election/compose_audit.h"
#include "election_fixture.h"
#include "election/rules.h"
#include "service/audit_law.h"

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct buf *out, struct fail *f) {
    struct span s;
    err e = fx_get_object(ctx, id, size, &s, f);
    if (e == OK) buf_span(out, s);
    return e;
}

static struct audit_objects objects(struct fixture *x) {
    return (struct audit_objects){get_object, x};
}

/* Six stations; ann leads bo. */
#define HEAD "jurisdiction,batch,ballots,ann,bo,cy\n"
static const char list[] = HEAD "11,1101,530,200,100,50\n11,1102,540,101,201,51\n12,1201,570,300,20,30\n"
                                "12,1202,580,207,8,300\n21,2101,610,260,60,200\n21,2102,620,400,2,3\n";
static const char good[] = "station,delivered,cast,spoilt,unused,seals,custody,eligibility\n"
                           "1101,530,353,7,170,ok,ok,ok\n1102,540,353,0,187,ok,ok,ok\n1201,570,350,0,220,ok,ok,ok\n"
                           "1202,580,515,5,60,ok,ok,ok\n2101,610,520,0,90,ok,ok,ok\n2102,620,405,0,215,ok,ok,ok\n";

struct planned {
    const char *list, *compliance, *unit;
    uint32_t limit_ppm;
    const struct hash *sample;
    const char *winner, *loser;
    const struct compose_claim *claims; /* instead of one that winner beats loser */
    size_t claim_count;
    uint32_t spare;
};

static struct hash plan(struct fixture *x, const struct planned *p) {
    struct fail f;
    struct buf text;
    buf_init(&text, 1 << 16);
    struct compose_claim claim = {.claim = CLAIM_BEATS, .winner = span_text(p->winner ? p->winner : "ann"),
                                  .loser = span_text(p->loser ? p->loser : "bo"),
                                  .unit = span_text(p->unit ? p->unit : "")};
    struct compose_audit_plan c = {.election = x->election, .contest = SPAN_LIT("president"), .round = 1,
                                   .limit_ppm = p->limit_ppm, .bound = AUDIT_BOUND_REGISTERED,
                                   .claims = p->claims ? p->claims : &claim,
                                   .claim_count = p->claims ? p->claim_count : 1, .spare = p->spare,
                                   .manifest = fx_object(x, span_text(p->list)),
                                   .compliance = fx_object(x, span_text(p->compliance)),
                                   .authority = fx_object(x, SPAN_LIT("an order")), .sample = p->sample};
    compose_audit_plan(&text, &c);
    must(fx_text(x, "aud/1,board", buf_view(&text), &f));
    buf_release(&text);
    x->ms += 1000;
    return x->out.id;
}

static const char dice[] = "31415926535897932384";

/* The dice, with the order that they give, or with another one. */
static void throw_dice(struct fixture *x, const struct hash *id, uint64_t size, bool wrong) {
    struct fail f;
    struct audit_log a;
    struct buf b, text;
    uint32_t *order;
    struct audit_objects o = objects(x);
    uint32_t at = audit_of_entry(x->fold, fold_find(x->fold, id));
    buf_init(&b, 1 << 16);
    buf_init(&text, 1 << 16);
    must(audit_log_open(x->fold, at, &o, &a, &f));
    must(audit_log_order(&a, SPAN_LIT("31415926535897932384"), &order, &f));
    if (wrong) {
        uint32_t first = order[0];
        order[0] = order[1];
        order[1] = first;
    }
    audit_log_draws_object(&a, order, &b);
    struct named_object draws = fx_object(x, buf_view(&b));
    compose_audit_seed(&text, &x->election, id, span_text(dice), draws, size, x->ms);
    must(fx_text(x, "aud/1,board", buf_view(&text), &f));
    x->ms += 1000;
    audit_log_release(&a);
    buf_release(&b);
    buf_release(&text);
}

/* One person's count, sealed. votes "1,2,3" or NULL: lost. */
static struct hash seal(struct fixture *x, const struct hash *id, const char *who, struct span station,
                        const char *votes, struct buf *counts) {
    struct fail f;
    struct buf text;
    const struct span names[] = {SPAN_LIT("ann"), SPAN_LIT("bo"), SPAN_LIT("cy")};
    uint64_t v[3] = {0};
    if (votes) assert_int_equal(sscanf(votes, "%lu,%lu,%lu", &v[0], &v[1], &v[2]), 3);
    buf_init(&text, 1 << 16);
    compose_audit_counts(counts, votes == NULL, ABSENT, names, v, 3);
    struct hash nonce = fx_hash(who), h = audit_count_seal(nonce.b, buf_view(counts));
    compose_audit_seal(&text, &x->election, id, station, &h, false);
    must(fx_text(x, who, buf_view(&text), &f));
    buf_release(&text);
    x->ms += 1000;
    return x->out.id;
}

static void show(struct fixture *x, const char *who, const struct hash *of, struct buf *counts) {
    struct fail f;
    struct buf text;
    struct hash nonce = fx_hash(who);
    buf_init(&text, 1 << 16);
    compose_audit_open(&text, &x->election, of, nonce.b, buf_view(counts));
    must(fx_text(x, who, buf_view(&text), &f));
    buf_release(&text);
    buf_release(counts);
    x->ms += 1000;
}

static void count(struct fixture *x, const struct hash *id, struct span station, const char *votes) {
    struct buf a, b;
    buf_init(&a, 1 << 12);
    buf_init(&b, 1 << 12);
    struct hash one = seal(x, id, "aud/1", station, votes, &a), two = seal(x, id, "aud/2", station, votes, &b);
    show(x, "aud/1", &one, &a);
    show(x, "aud/2", &two, &b);
}

static const char *listed(struct span station) {
    static const char *const rows[][2] = {{"1101", "200,100,50"}, {"1102", "101,201,51"}, {"1201", "300,20,30"},
                                          {"1202", "207,8,300"},  {"2101", "260,60,200"}, {"2102", "400,2,3"}};
    for (int i = 0; i < 6; i++)
        if (span_is(station, rows[i][0])) return rows[i][1];
    return NULL;
}

static void count_all(struct fixture *x, const struct hash *id, const char *but, const char *votes) {
    const struct audit_plan *p = fold_audit(x->fold, audit_of_entry(x->fold, fold_find(x->fold, id)));
    for (uint32_t i = 0; i < p->size; i++) {
        struct span code = fold_unit(x->fold, audit_draw_at(x->fold, p, i))->code;
        count(x, id, code, but && span_is(code, but) ? votes : listed(code));
    }
}

static struct audit_log *opened(struct fixture *x, const struct hash *id) {
    struct fail f;
    struct audit_log *a = calloc(1, sizeof *a);
    struct audit_objects o = objects(x);
    must(audit_log_open(x->fold, audit_of_entry(x->fold, fold_find(x->fold, id)), &o, a, &f));
    return a;
}

static void closed_with(struct fixture *x, const struct hash *id, enum audit_end says, struct span transcript) {
    struct fail f;
    struct buf text;
    buf_init(&text, 1 << 16);
    compose_audit_close(&text, &x->election, id, says, (struct named_object){.size = UINT64_MAX},
                        fx_object(x, transcript));
    must(fx_text(x, "aud/1,board", buf_view(&text), &f));
    buf_release(&text);
}

static void to_the_end(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct buf t;
    buf_init(&t, 1 << 20);
    struct hash id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 200000});
    throw_dice(x, &id, 5, false);
    struct audit_log *a = opened(x, &id);
    must(audit_log_run(a, NULL, &f));
    assert_true(a->waiting > 0 && a->waiting < 5 && !a->confirmed && audit_log_end(a) == AUDIT_OPEN);
    audit_log_release(a);
    count_all(x, &id, NULL, NULL);
    must(audit_log_open(x->fold, audit_of_entry(x->fold, fold_find(x->fold, &id)),
                        &(struct audit_objects){get_object, x}, a, &f));
    must(audit_log_run(a, &t, &f));
    assert_true(a->agreed == 5 && a->waiting == 0 && !a->full);
    /* a clean sample of a wide margin; the transcript is one that its checker takes */
    assert_true(a->confirmed && audit_log_end(a) == AUDIT_CONFIRMED);
    struct arena mem;
    struct transcript again;
    arena_init(&mem, 1 << 28);
    must(transcript_check(buf_view(&t), &mem, &again, NULL, &f));
    arena_release(&mem);
    char claim[200];
    audit_log_claim(a, 0, claim, sizeof claim);
    assert_string_equal(claim, "Ann \"A\" One beats Bo Two");
    closed_with(x, &id, AUDIT_CONFIRMED, buf_view(&t));
    struct audit_objects o = objects(x);
    must(audit_log_check(a, &o, &f));
    audit_log_release(a);
    free(a);
    buf_release(&t);
    fx_free(x);
}

/* What a close says is not what the records give; its transcript is another one; the order is not the
 * dice's; the list was changed, or never gave the outcome, or names what is not there. */
static void contradictions(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct audit_objects o = objects(x);
    struct hash id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 1000});
    throw_dice(x, &id, 3, false);
    count_all(x, &id, NULL, NULL);
    struct audit_log *a = opened(x, &id);
    struct buf t;
    buf_init(&t, 1 << 20);
    must(audit_log_run(a, &t, &f));
    assert_int_equal(audit_log_end(a), AUDIT_OPEN);
    closed_with(x, &id, AUDIT_CONFIRMED, buf_view(&t));
    refuses(E_AUDIT_OUTCOME, audit_log_check(a, &o, &f));
    audit_log_release(a);
    fx_free(x);

    x = fx_base();
    o = objects(x);
    id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 1000});
    throw_dice(x, &id, 3, true);
    refuses(E_AUDIT_DRAW, audit_log_open(x->fold, audit_of_entry(x->fold, fold_find(x->fold, &id)), &o, a, &f));
    audit_log_release(a);
    static const char *const lists[] = {
        HEAD "11,1101,530,100,200,50\n",                     /* ann does not lead */
        "jurisdiction,batch,ballots,ann,bo\n11,1101,530,200,100\n", /* a choice is missing */
        "jurisdiction,batch,ballots,ann,bo,zed\n11,1101,530,200,100,50\n",
        HEAD "11,9999,530,200,100,50\n",                     /* no such station */
        HEAD "11,11,530,200,100,50\n",                       /* a constituency */
        HEAD "11,1101,300,200,100,50\n"};                    /* more votes than ballots */
    static const err codes[] = {E_AUDIT_OUTCOME, E_AUDIT_BATCHES, E_AUDIT_BATCHES, E_AUDIT_BATCHES,
                                E_AUDIT_BATCHES, E_AUDIT_BOUND};
    for (int i = 0; i < 6; i++) {
        id = plan(x, &(struct planned){.list = lists[i], .compliance = good, .limit_ppm = 50000 + (uint32_t)i});
        refuses(codes[i], audit_log_open(x->fold, audit_of_entry(x->fold, fold_find(x->fold, &id)), &o, a, &f));
        audit_log_release(a);
    }
    /* an assertion about a unit that is no jurisdiction of the list */
    id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 70000, .unit = "1"});
    refuses(E_AUDIT_BATCHES, audit_log_open(x->fold, audit_of_entry(x->fold, fold_find(x->fold, &id)), &o, a, &f));
    audit_log_release(a);
    free(a);
    buf_release(&t);
    fx_free(x);
}

/* A full count replaces the outcome, in either direction. */
static void full_counts(void **state) {
    (void)state;
    struct fail f;
    struct fixture *x = fx_base();
    struct hash id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 1000});
    throw_dice(x, &id, 6, false);
    /* sum A is 4527 of T = 3450; the lost box takes its 1018, and 59 are left */
    count_all(x, &id, "2102", NULL);
    struct audit_log *a = opened(x, &id);
    must(audit_log_run(a, NULL, &f));
    assert_true(a->full);
    assert_int_equal(audit_log_end(a), AUDIT_FULL_CONFIRMS);
    audit_log_release(a);
    free(a);
    fx_free(x);
    x = fx_base();
    static const char narrow[] = HEAD "11,1101,530,200,190,50\n11,1102,540,201,201,51\n";
    id = plan(x, &(struct planned){.list = narrow, .compliance = good, .limit_ppm = 1000});
    throw_dice(x, &id, 2, false);
    count(x, &id, SPAN_LIT("1101"), "195,195,50"); /* a tie: nobody beats anybody */
    count(x, &id, SPAN_LIT("1102"), "201,201,51");
    a = opened(x, &id);
    must(audit_log_run(a, NULL, &f));
    assert_int_equal(audit_log_end(a), AUDIT_FULL_OVERTURNS);
    audit_log_release(a);
    free(a);
    fx_free(x);
}

/* Papers that do not add up make the box count as lost, unless the bound covers what was delivered. */
static void compliance(void **state) {
    (void)state;
    static const char *const rows[] = {"1101,530,353,7,170,ok,ok,ok\n", "1101,531,353,7,170,ok,ok,ok\n",
                                       "1101,530,353,7,171,ok,ok,ok\n", "1101,530,353,7,170,ok,failed,ok\n",
                                       "1101,531,353,7,171,ok,failed,ok\n", "1101,,353,7,170,ok,ok,ok\n"};
    static const uint8_t failed[] = {0, 1, 0, 0, 1, 1};
    static const char one[] = HEAD "11,1101,530,200,100,50\n";
    for (int i = 0; i < 6; i++) {
        struct fixture *x = fx_base();
        char text[400];
        snprintf(text, sizeof text, "station,delivered,cast,spoilt,unused,seals,custody,eligibility\n%s", rows[i]);
        struct hash id = plan(x, &(struct planned){.list = one, .compliance = text, .limit_ppm = 50000});
        struct audit_log *a = opened(x, &id);
        assert_int_equal(a->failed[0], failed[i]);
        audit_log_release(a);
        free(a);
        fx_free(x);
    }
    struct fixture *x = fx_base();
    struct hash id = plan(x, &(struct planned){
                                 .list = list, .limit_ppm = 50000,
                                 .compliance = "station,delivered,cast,spoilt,unused,seals,custody,eligibility\n"});
    struct audit_log *a = opened(x, &id);
    for (int g = 0; g < 6; g++) assert_int_equal(a->failed[g], 1); /* nothing was recorded */
    audit_log_release(a);
    free(a);
    fx_free(x);
}

/* Two assertions' worth of contests on one sample: the second uses the first one's dice and weights. */
static void shared_sample(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct buf t;
    buf_init(&t, 1 << 20);
    struct hash id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 50000});
    struct hash second = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 300000,
                                                   .sample = &id, .winner = "ann", .loser = "cy"});
    throw_dice(x, &id, 5, false);
    for (uint32_t i = 0; i < 5; i++) {
        struct span code = fold_unit(x->fold, audit_draw_at(x->fold, fold_audit(x->fold, audit_of_entry(x->fold, fold_find(x->fold, &id))), i))->code;
        count(x, &second, code, listed(code));
    }
    struct audit_log *a = opened(x, &second);
    assert_true(a->plan != a->dice && a->t.shared);
    must(audit_log_run(a, &t, &f));
    assert_true(a->agreed == 5 && a->result.draws == 5 && a->result.p[0] < 1);
    assert_true(span_starts(buf_view(&t), SPAN_LIT("hesabu-audit-transcript v1\nmethod mixture-shared\n")));
    struct arena mem;
    struct transcript again;
    arena_init(&mem, 1 << 28);
    must(transcript_check(buf_view(&t), &mem, &again, NULL, &f));
    arena_release(&mem);
    audit_log_release(a);
    free(a);
    buf_release(&t);
    fx_free(x);
}

/* The law: more than half of the votes, and a quarter in more than `p` of `q` of the two counties. */
static void give_law(struct fixture *x, uint32_t p, uint32_t q) {
    uint32_t contest = fold_contest_by_id(x->fold, SPAN_LIT("president"));
    struct rule *law = (struct rule *)(uintptr_t)contest_rule(x->fold, contest);
    law->kind = RULE_MAJORITY;
    law->majority = (struct ratio){1, 2};
    law->spread = true;
    law->spread_level = 1;
    law->spread_units = 2;
    law->spread_share = (struct ratio){1, 4};
    law->spread_regions = (struct ratio){p, q};
}

/* Every station of the fixture that is not closed, county 1 and county 2; ann has `one` and `two` of 100. */
static const char *all_stations(const struct fixture *x, unsigned one, unsigned two) {
    static char text[2000];
    int n = snprintf(text, sizeof text, "jurisdiction,batch,ballots,ann,bo,cy\n");
    for (uint32_t u = 0; u < fold_unit_count(x->fold); u++) {
        const struct unit *s = fold_unit(x->fold, u);
        if (!unit_is_station(x->fold, u) || s->closed) continue;
        unsigned ann = s->code.p[0] == '1' ? one : two;
        n += snprintf(text + n, sizeof text - (size_t)n, "%c,%.*s,700,%u,%u,%u\n", s->code.p[0], SPAN_ARG(s->code),
                      ann, (100 - ann) / 2, 100 - ann - (100 - ann) / 2);
    }
    return text;
}

static const char *compliance_of(const char *stations) {
    static char text[2000];
    int n = snprintf(text, sizeof text, "station,delivered,cast,spoilt,unused,seals,custody,eligibility\n");
    for (const char *at = strchr(stations, '\n') + 1; *at; at = strchr(at, '\n') + 1)
        n += snprintf(text + n, sizeof text - (size_t)n, "%.4s,700,100,0,600,ok,ok,ok\n", at + 2);
    return text;
}

#define SHARE(kind, u) {.claim = kind, .winner = SPAN_LIT("ann"), .p = 1, .q = 4, .unit = SPAN_LIT(u)}
static const struct compose_claim half = {.claim = CLAIM_ABOVE, .winner = SPAN_LIT("ann"), .p = 1, .q = 2};

static void what_the_law_asks(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    char gap[300];
    const char *stations = all_stations(x, 60, 55);
    struct compose_claim claims[] = {half, SHARE(CLAIM_AT_LEAST, "1"), SHARE(CLAIM_AT_LEAST, "2")};
    static const struct {
        uint32_t p, claims, spare;
        bool covers;
    } cases[] = {{1, 3, 0, true}, {1, 2, 0, false}, {1, 1, 0, false}, {0, 2, 0, true},
                 {0, 3, 0, true}, {0, 3, 1, true},  {1, 3, 1, false}, {0, 1, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hash id = plan(x, &(struct planned){.list = stations, .compliance = compliance_of(stations),
                                                   .limit_ppm = 50000 + (uint32_t)i, .claims = claims,
                                                   .claim_count = cases[i].claims, .spare = cases[i].spare});
        give_law(x, cases[i].p, 2);
        struct audit_log *a = opened(x, &id);
        audit_law_gap(a, gap, sizeof gap);
        if ((*gap == 0) != cases[i].covers) fail_msg("case %zu: \"%s\"", i, gap);
        audit_log_release(a);
        free(a);
    }
    /* a list that leaves stations out; a rule that is not known */
    struct hash id = plan(x, &(struct planned){.list = list, .compliance = good, .limit_ppm = 90000});
    struct audit_log *a = opened(x, &id);
    audit_law_gap(a, gap, sizeof gap);
    assert_non_null(strstr(gap, "the committed list lacks"));
    audit_log_release(a);
    free(a);
    fx_free(x);
}

/* Everything is counted and the county that the plan chose has no quarter: the other one has, and that is
 * what the law asks; or it has not, and then the hand count overturns the outcome. */
static void any_county_will_do(void **state) {
    (void)state;
    struct fail f;
    struct compose_claim claims[] = {half, SHARE(CLAIM_AT_LEAST, "1")};
    for (int other = 0; other < 2; other++) {
        struct fixture *x = fx_base();
        const char *stations = all_stations(x, 60, 55);
        uint32_t n = 0;
        for (const char *c = stations; *c; c++) n += *c == '\n';
        struct hash id = plan(x, &(struct planned){.list = stations, .compliance = compliance_of(stations),
                                                   .limit_ppm = 1000, .claims = claims, .claim_count = 2});
        throw_dice(x, &id, n - 1, false);
        const struct audit_plan *p = fold_audit(x->fold, audit_of_entry(x->fold, fold_find(x->fold, &id)));
        for (uint32_t i = 0; i < p->size; i++) {
            struct span code = fold_unit(x->fold, audit_draw_at(x->fold, p, i))->code;
            count(x, &id, code, code.p[0] == '1' ? "24,40,36" : other ? "690,5,5" : "24,40,36");
        }
        give_law(x, 0, 2); /* one county is enough */
        struct audit_log *a = opened(x, &id);
        must(audit_log_run(a, NULL, &f));
        assert_true(a->full);
        assert_int_equal(audit_log_end(a), other ? AUDIT_FULL_CONFIRMS : AUDIT_FULL_OVERTURNS);
        give_law(x, 1, 2); /* both are needed */
        must(audit_log_run(a, NULL, &f));
        assert_int_equal(audit_log_end(a), AUDIT_FULL_OVERTURNS);
        audit_log_release(a);
        free(a);
        fx_free(x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(to_the_end), cmocka_unit_test(contradictions),
                                       cmocka_unit_test(full_counts), cmocka_unit_test(compliance),
                                       cmocka_unit_test(shared_sample), cmocka_unit_test(what_the_law_asks),
                                       cmocka_unit_test(any_county_will_do)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
