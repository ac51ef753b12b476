/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From figures to declarations at each level: collations over collations, staleness, signed paper that
 * differs, the gate, witnesses too few or too old, second rounds, postponed areas, commissioners. */
#include "test.h"

#include <stdio.h>
#include "election/compose_law.h"
#include "election/gate.h"
#include "election_fixture.h"
#include "tlog/cosignature.h"

#define RULE_END "\"one_candidate\":\"unopposed\",\"readings\":0}"
#define PLURALITY(collate, declarer)                                                               \
    "{\"collate\":" collate ",\"compare\":[],\"declarer\":" declarer ",\"name\":\"plurality\"," RULE_END
#define OFFICER(level) "{\"level\":\"" level "\",\"role\":\"returning-officer\"}"

/* The fixture's keys and, by an amendment, contests at three levels. */
static struct fixture *law_fixture(void) {
    static const struct compose_choice choices[] = {{SPAN_LIT("a"), SPAN_LIT("Ay"), {0}},
                                                    {SPAN_LIT("b"), SPAN_LIT("Bee"), {0}},
                                                    {SPAN_LIT("c"), SPAN_LIT("Cee"), {0}}};
    static const char majority[] =
        "{\"collate\":[\"constituency\",\"nation\"],\"compare\":[],\"declarer\":{\"level\":\"nation\","
        "\"role\":\"national-returning-officer\"},\"majority\":{\"more_than\":[1,2],\"of\":\"valid\"},"
        "\"name\":\"majority-and-spread\",\"one_candidate\":\"unopposed\",\"otherwise\":{\"next_round\":"
        "\"highest-two\",\"rule\":\"plurality\",\"tie_first\":\"only-those-tied\",\"tie_second\":"
        "\"all-tied-with-first\"},\"readings\":0,\"spread\":{\"at_least\":[1,4],\"exclude\":[],"
        "\"in_more_than\":[1,2],\"level\":\"county\",\"of\":\"valid\",\"units\":2}}";
    struct fixture *x = fx_keys();
    struct buf b;
    buf_init(&b, 1 << 16);
    compose_contests_head(&b);
    compose_contest(&b, SPAN_LIT("head"), SPAN_LIT("k"), SPAN_LIT("Head"), span_text(majority),
                    SPAN_LIT("KE"), choices, 3);
    compose_contest(&b, SPAN_LIT("chair-1"), SPAN_LIT("k"), SPAN_LIT("Chair"),
                    SPAN_LIT(PLURALITY("[\"constituency\",\"county\"]", OFFICER("county"))), SPAN_LIT("1"),
                    choices, 3);
    compose_contest(&b, SPAN_LIT("elder-12"), SPAN_LIT("k"), SPAN_LIT("Elder"),
                    SPAN_LIT(PLURALITY("[\"constituency\"]", OFFICER("county"))), SPAN_LIT("12"), choices, 2);
    struct named_object o = fx_object(x, buf_view(&b));
    char amend[400], hex[65];
    hash_hex(&o.id, hex);
    snprintf(amend, sizeof amend,
             "amend {'changes':[{'contests':{'sha256':'%s','size':%llu}}],'definition':2,'election':'${e}'}",
             hex, (unsigned long long)o.size);
    buf_release(&b);
    fx_must(x, NULL, "com/1,com/2", amend);
    fx_grant(x, "ro/1", "returning-officer", "1", NULL, "com/1,com/3");
    x->ms = FX_CLOSES + 1000;
    return x;
}

static uint32_t contest_of(const struct fixture *x, const char *contest) {
    return fold_contest_by_id(x->fold, span_text(contest));
}
static uint32_t unit_of(const struct fixture *x, const char *unit) {
    return fold_unit_by_code(x->fold, span_text(unit));
}

static void station(struct fixture *x, const char *contest, const char *station, const char *votes) {
    struct fail f;
    char po[20], word[60], name[40];
    snprintf(po, sizeof po, "po/%s", station);
    snprintf(name, sizeof name, "%s-%s", contest, station);
    snprintf(word, sizeof word, "form of %s", name);
    fx_result_must(x, name, po, contest, station, votes);
    must(fx_image(x, po, contest, station, IMAGE_ORIGINAL, word, name));
}

/* What the unit's officer would sign now. */
static err collate(struct fixture *x, const char *label, const char *signers, const char *contest,
                   const char *unit, const char *reason) {
    const struct fold *s = x->fold;
    struct arena a;
    struct collation_line *lines;
    struct collated sums;
    struct buf rows, text;
    size_t n;
    struct fail f;
    uint32_t c = contest_of(x, contest), u = unit_of(x, unit);
    const struct contest *k = fold_contest(s, c);
    arena_init(&a, 1 << 20);
    buf_init(&rows, 1 << 16);
    buf_init(&text, 1 << 16);
    must(collation_lines(s, c, k->round, u, &a, &lines, &n, &sums, &f));
    compose_collation_head(&rows);
    for (size_t i = 0; i < n; i++) {
        struct hash id = lines[i].entry == NO_RECORD ? (struct hash){0} : fold_id(s, lines[i].entry);
        uint64_t v[3];
        size_t m = 0;
        for (uint32_t q = 0; q < k->choice_count; q++)
            if (contest_has_choice(k, k->round, q)) v[m++] = lines[i].is.votes[q];
        compose_collation_row(&rows, fold_unit(s, lines[i].unit)->code,
                              lines[i].entry == NO_RECORD ? NULL : &id, &lines[i].is, v, m);
    }
    uint64_t v[3];
    size_t m = 0;
    for (uint32_t q = 0; q < k->choice_count; q++)
        if (contest_has_choice(k, k->round, q)) v[m++] = sums.votes[q];
    struct compose_collation d = {.election = x->election, .contest = span_text(contest),
                                  .unit = span_text(unit), .handed = ABSENT,
                                  .reason = {.size = UINT64_MAX}, .round = k->round,
                                  .rows = fx_object(x, buf_view(&rows)), .registered = sums.registered,
                                  .rejected = sums.rejected, .valid = sums.valid, .votes = v, .choices = m};
    struct hash old;
    uint32_t standing = fold_collation_of(s, c, k->round, u);
    if (reason) {
        d.reason = fx_object(x, span_text(reason));
        old = fold_id(s, fold_collation(s, standing)->entry);
        d.supersedes = &old;
    }
    compose_collation(&text, &d);
    err e = fx_text(x, signers, buf_view(&text), &x->fail);
    if (e == OK && label) {
        struct fx_label *l = &x->labels[x->label_count++];
        snprintf(l->name, sizeof l->name, "%s", label);
        l->id = x->out.id;
        l->index = x->out.index;
    }
    x->ms += 1000;
    buf_release(&rows);
    buf_release(&text);
    arena_release(&a);
    return e;
}

static err declare(struct fixture *x, const char *signers, const char *contest, const char *outcome,
                   const char *label, const char *more, const struct named_object *checkpoint) {
    char text[2000], hex[65] = "";
    uint64_t size = x->entry_count;
    if (checkpoint) hash_hex(&checkpoint->id, hex);
    char cp[200];
    if (checkpoint)
        snprintf(cp, sizeof cp, "{'sha256':'%s','size':%llu}", hex, (unsigned long long)checkpoint->size);
    else
        snprintf(cp, sizeof cp, "${cp:good:all}");
    snprintf(text, sizeof text,
             "declaration {'checkpoint':%s,'collation':'${id:%s}','contest':'%s','election':'${e}',"
             "'outcome':{%s},%s'root':'${root:all}','round':%u,'size':%llu}",
             cp, label, contest, outcome, more, fold_contest(x->fold, contest_of(x, contest))->round,
             (unsigned long long)size);
    err e = fx_say(x, signers, text);
    x->ms += 1000;
    return e;
}

static uint64_t count_of(const struct fixture *x, const char *contest, enum gate_code code, struct gate *g) {
    struct findings fi;
    struct arena a;
    struct fail f;
    uint32_t c = contest_of(x, contest);
    arena_init(&a, 1 << 24);
    must(findings_compute(x->fold, &a, &fi, &f));
    must(gate_compute(x->fold, &fi, c, fold_contest(x->fold, c)->round, &a, g, &f));
    g->materiality.choices = NULL;
    arena_release(&a);
    return g->items[code].count;
}

/* ---- */

static void county_level(void **state) {
    (void)state;
    struct fixture *x = law_fixture();
    struct fail f;
    struct gate g;
    static const char *const stations[] = {"1101", "1102", "1103", "1201", "1202"};
    for (size_t i = 0; i < 5; i++) station(x, "chair-1", stations[i], i < 3 ? "60,50,30" : "40,70,20");
    /* each table by the officer of exactly its unit; the county's names the constituencies' */
    assert_int_equal(collate(x, NULL, "ro/1", "chair-1", "11", NULL), E_ROLE);
    must(collate(x, "k11", "ro/11", "chair-1", "11", NULL));
    assert_int_equal(collate(x, NULL, "ro/11", "chair-1", "1", NULL), E_SCOPE);
    assert_int_equal(count_of(x, "chair-1", G_NO_COLLATION, &g), 2);
    must(collate(x, "k1 without 12", "ro/1", "chair-1", "1", NULL));
    must(collate(x, "k12", "ro/12", "chair-1", "12", NULL));
    assert_int_equal(count_of(x, "chair-1", G_COLLATION_STALE, &g), 1);
    assert_int_equal(declare(x, "ro/1", "chair-1", "'choices':['a'],'kind':'elected'", "k1 without 12", "", NULL), E_GATE);
    assert_int_equal(collate(x, NULL, "ro/1", "chair-1", "1", NULL), E_SUPERSEDE);
    must(collate(x, "k1", "ro/1", "chair-1", "1", "the other constituency came"));
    const struct collation *c = fold_collation(x->fold, fold_collation_of(x->fold, contest_of(x, "chair-1"), 1, unit_of(x, "1")));
    const uint64_t *v = collation_votes(x->fold, c->votes_at);
    assert_true(v[0] == 3 * 60 + 2 * 40 && v[1] == 3 * 50 + 2 * 70 && v[2] == 3 * 30 + 2 * 20);
    assert_int_equal(c->valid, v[0] + v[1] + v[2]);
    (void)count_of(x, "chair-1", G_MISSING, &g);
    assert_int_equal(g.open_items, 1); /* the same figures at several stations: warnings */
    assert_int_equal(g.items[G_WARNINGS].count, 5);
    fx_must(x, NULL, "ro/11,clerk/11",
            "decision {'action':'accept','codes':['F_SAME_FIGURES'],'contest':'chair-1','election':'${e}','round':1,"
            "'size':${n:all},'unit':'11'}");
    fx_must(x, NULL, "ro/12,clerk/12",
            "decision {'action':'accept','codes':['F_SAME_FIGURES'],'contest':'chair-1','election':'${e}','round':1,"
            "'size':${n:all},'unit':'12'}");
    (void)count_of(x, "chair-1", G_MISSING, &g);
    assert_int_equal(g.open_items, 0);
    assert_int_equal(declare(x, "ro/1", "chair-1", "'choices':['a'],'kind':'elected'", "k1", "", NULL), E_OUTCOME);
    assert_int_equal(declare(x, "ro/1", "chair-1", "'choices':['b'],'kind':'elected'", "k1 without 12", "", NULL), E_STATE);
    assert_int_equal(declare(x, "ro/1", "chair-1", "'choices':['b'],'kind':'elected'", "k11", "", NULL), E_REFERENCE);
    must(declare(x, "ro/1", "chair-1", "'choices':['b'],'kind':'elected'", "k1", "", NULL));
    assert_int_equal(collate(x, NULL, "ro/1", "chair-1", "1", "more"), E_STATE);
    fx_free(x);
}

static void smaller_than_its_officer(void **state) {
    (void)state;
    struct fixture *x = law_fixture();
    struct fail f;
    station(x, "elder-12", "1201", "160,150");
    station(x, "elder-12", "1202", "150,160");
    assert_int_equal(collate(x, NULL, "ro/12", "elder-12", "12", NULL), E_ROLE);
    must(collate(x, "k", "ro/1", "elder-12", "12", NULL));
    must(declare(x, "ro/1", "elder-12", "'choices':['a','b'],'kind':'tie'", "k", "", NULL));
    fx_free(x);
}

/* A table rests on the records that it names: what is superseded or decided later makes it stale. */
static void stale(void **state) {
    (void)state;
    struct fixture *x = law_fixture();
    struct fail f;
    struct gate g;
    struct fx_result r;
    station(x, "elder-12", "1201", "160,150");
    station(x, "elder-12", "1202", "150,161");
    must(collate(x, "k", "ro/1", "elder-12", "12", NULL));
    assert_int_equal(count_of(x, "elder-12", G_COLLATION_STALE, &g), 0);
    fx_result_init(x, &r, "elder-12", "1202", "150,166");
    r.r.supersedes = &fx_label(x, "elder-12-1202")->id;
    r.r.supersedes_count = 1;
    must(fx_result(x, "again", "po/1202", &r));
    assert_int_equal(count_of(x, "elder-12", G_COLLATION_STALE, &g), 1);
    assert_int_equal(declare(x, "ro/1", "elder-12", "'choices':['b'],'kind':'elected'", "k", "", NULL), E_GATE);
    must(fx_image(x, "po/1202", "elder-12", "1202", IMAGE_ORIGINAL, "the other form", "again"));
    must(collate(x, "k2", "ro/1", "elder-12", "12", "a corrected form"));
    assert_int_equal(count_of(x, "elder-12", G_COLLATION_STALE, &g), 0);
    /* a court's order: the station is disregarded */
    fx_must(x, NULL, "ro/12,clerk/12",
            "decision {'action':'disregard','contest':'elder-12','election':'${e}','ground':'order','order':${o:the order},"
            "'round':1,'size':${n:all},'unit':'1202'}");
    assert_int_equal(count_of(x, "elder-12", G_COLLATION_STALE, &g), 1);
    must(collate(x, "k3", "ro/1", "elder-12", "12", "the court's order"));
    assert_int_equal(count_of(x, "elder-12", G_COLLATION_STALE, &g), 0);
    assert_int_equal(g.materiality.rows[DOUBT_DISREGARDED].stations, 1);
    assert_true(g.materiality.rows[DOUBT_DISREGARDED].can_change);
    must(declare(x, "ro/1", "elder-12", "'choices':['a'],'kind':'elected'", "k3", "", NULL));
    fx_free(x);
}

#define PAPER(rows, totals)                                                                        \
    "collation {'basis':'paper','contest':'elder-12','election':'${e}','form':['${h:a page}'],'handed':3," \
    "'round':1,'rows':" rows ",'totals':" totals ",'unit':'12'}"

static void signed_paper(void **state) {
    (void)state;
    struct fixture *x = law_fixture();
    struct gate g;
    struct findings fi;
    struct arena a;
    struct fail f;
    station(x, "elder-12", "1201", "60,50");
    station(x, "elder-12", "1202", "50,61");
    struct named_object rows = fx_object(
        x, SPAN_LIT("hesabu/collation/v1\n[\"1201\",null,570,3,110,[60,51]]\n[\"1101\",null,530,1,2,[1,1]]\n"
                    "[\"1201\",null,570,3,110,[60,50]]\n"));
    char text[900], hex[65];
    hash_hex(&rows.id, hex);
    snprintf(text, sizeof text,
             PAPER("{'sha256':'%s','size':%llu}", "{'registered':1670,'rejected':7,'valid':null,'votes':[121,999]}"),
             hex, (unsigned long long)rows.size);
    fx_must(x, "paper", "ro/1", text);
    arena_init(&a, 1 << 24);
    must(findings_compute(x->fold, &a, &fi, &f));
    size_t n;
    const struct finding *t = findings_of_unit(&fi, contest_of(x, "elder-12"), 1, unit_of(x, "12"), &n);
    assert_int_equal(n, 4);
    static const struct {
        enum finding_code code;
        uint64_t a, b;
    } want[] = {{F_ROW_MISSING, 1, 2}, {F_ROW_FOREIGN, 2, 0},
                {F_COLUMN_SUM, 2, 222 + 999 - 102}, {F_HANDED_OVER, 3, 2}};
    for (size_t i = 0; i < 4; i++) {
        size_t k = 0;
        while (k < n && t[k].code != want[i].code) k++;
        if (k == n) fail_msg("%s is missing", finding_name(want[i].code));
        if (t[k].a != want[i].a || t[k].b != want[i].b)
            fail_msg("%s: %llu %llu", finding_name(want[i].code), (unsigned long long)t[k].a, (unsigned long long)t[k].b);
    }
    t = findings_of_unit(&fi, contest_of(x, "elder-12"), 1, unit_of(x, "1201"), &n);
    assert_true(n == 1 && t[0].code == F_ROW_ALTERED && t[0].a == 1 && t[0].b == 1);
    arena_release(&a);
    assert_int_equal(count_of(x, "elder-12", G_ALTERED, &g), 2);
    /* named officers accept what cannot be undone; the gate opens no other way */
    fx_must(x, NULL, "nro,ro/1",
            "decision {'action':'accept','codes':['F_COLUMN_SUM','F_HANDED_OVER','F_ROW_ALTERED','F_ROW_FOREIGN',"
            "'F_ROW_MISSING'],'contest':'elder-12','election':'${e}','reason':${o:because},'round':1,'size':${n:all},'unit':'12'}");
    assert_int_equal(count_of(x, "elder-12", G_ALTERED, &g), 0);
    fx_free(x);
}

/* ---- witnesses ---- */

static struct named_object cosigned(struct fixture *x, const char *const *witnesses, size_t n, uint64_t time_s) {
    struct fail f;
    struct buf note, body;
    struct note cut;
    buf_init(&note, 1 << 16);
    buf_init(&body, 4096);
    fx_checkpoint(x, "good", x->entry_count, &note);
    must(note_cut(buf_view(&note), &cut, &f));
    buf_span(&body, cut.text); /* the note grows */
    for (size_t i = 0; i < n; i++) {
        struct note_signer s;
        struct hash seed = sha256_2(SPAN_LIT("witness seed "), span_text(witnesses[i]));
        must(note_signer_make(span_text(witnesses[i]), NOTE_TYPE_COSIGNATURE, seed.b, &s, &f));
        must(cosignature_sign(&s, buf_view(&body), time_s, &note, &f));
    }
    struct named_object o = fx_object(x, buf_view(&note));
    buf_release(&note);
    buf_release(&body);
    return o;
}

static void witnesses(void **state) {
    (void)state;
    static const char *const names[] = {"w/1", "w/2", "w/3"};
    struct fixture *x = law_fixture();
    struct fail f;
    struct buf policy;
    buf_init(&policy, 1 << 16);
    buf_str(&policy, "amend {'changes':[{'policy':[");
    for (int i = 0; i < 3; i++) {
        struct note_signer s;
        struct hash seed = sha256_2(SPAN_LIT("witness seed "), span_text(names[i]));
        must(note_signer_make(span_text(names[i]), NOTE_TYPE_COSIGNATURE, seed.b, &s, &f));
        buf_printf(&policy, "'witness w%d ", i + 1);
        note_vkey_format(&s.key, &policy);
        buf_str(&policy, "',");
    }
    buf_str(&policy, "'group all 2 w1 w2 w3','quorum all']}],'definition':3,'election':'${e}'}");
    station(x, "elder-12", "1201", "160,150");
    station(x, "elder-12", "1202", "150,161");
    must(collate(x, "k", "ro/1", "elder-12", "12", NULL));
    fx_must(x, NULL, "com/1,com/2", buf_cstr(&policy));
    buf_release(&policy);
    const char *b = "'choices':['b'],'kind':'elected'";
    x->ms += 7 * 3600 * 1000;
    uint64_t now = x->ms / 1000;
    struct named_object few = cosigned(x, names, 1, now), old = cosigned(x, names, 3, now - 6 * 3600 - 10);
    struct named_object half = cosigned(x, names + 1, 2, now - 6 * 3600 + 10);
    assert_int_equal(declare(x, "ro/1", "elder-12", b, "k", "", &few), E_QUORUM);
    assert_int_equal(declare(x, "ro/1", "elder-12", b, "k", "", &old), E_TIME);
    must(declare(x, "ro/1", "elder-12", b, "k", "", &half));
    fx_free(x);
}

/* ---- rounds, areas ---- */

static void a_second_round(void **state) {
    (void)state;
    struct fixture *x = law_fixture();
    struct fail f;
    struct gate g;
    static const char *const stations[] = {"1101", "1102", "1103", "1201", "1202", "2101", "2102", "2103"};
    char votes[40];
    for (size_t i = 0; i < 8; i++) { /* a: 8 x 100 + 28; b and c: 8 x 60 each */
        snprintf(votes, sizeof votes, "%zu,60,60", 100 + i);
        station(x, "head", stations[i], votes);
    }
    static const char *const units[][2] = {{"11", "ro/11"}, {"12", "ro/12"}, {"21", "ro/21"}};
    for (size_t i = 0; i < 3; i++) must(collate(x, NULL, units[i][1], "head", units[i][0], NULL));
    must(collate(x, "k1", "nro", "head", "KE", NULL));
    (void)count_of(x, "head", G_MISSING, &g);
    assert_int_equal(g.open_items, 0);
    assert_int_equal(declare(x, "nro", "head", "'choices':['a'],'kind':'elected'", "k1", "", NULL), E_OUTCOME);
    assert_int_equal(declare(x, "nro", "head", "'choices':['a','b'],'kind':'next-round'", "k1", "", NULL), E_OUTCOME);
    /* a tie for second: all tied with the first */
    must(declare(x, "nro", "head", "'choices':['a','b','c'],'kind':'next-round'", "k1", "", NULL));
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'round':{'choices':['a','c'],'contest':'head','round':2}}],'definition':3,'election':'${e}'}");
    assert_int_equal(declaration_of(x->fold, contest_of(x, "head"), 2), NO_DECLARATION);
    for (size_t i = 0; i < 8; i++) {
        struct fx_result r;
        char po[20], name[40], word[60];
        fx_result_init(x, &r, "head", stations[i], i % 2 ? "51,-,50" : "50,-,51");
        r.ids[1] = r.ids[2];
        r.votes[1] = r.votes[2];
        r.r.choice_count = 2;
        snprintf(po, sizeof po, "po/%s", stations[i]);
        snprintf(name, sizeof name, "second %s", stations[i]);
        snprintf(word, sizeof word, "form %s", name);
        must(fx_result(x, name, po, &r));
        must(fx_image(x, po, "head", stations[i], IMAGE_ORIGINAL, word, name));
    }
    for (size_t i = 0; i < 3; i++) must(collate(x, NULL, units[i][1], "head", units[i][0], NULL));
    must(collate(x, "k2", "nro", "head", "KE", NULL));
    (void)count_of(x, "head", G_MISSING, &g);
    assert_int_equal(g.materiality.now.kind, OUTCOME_TIE); /* 404 each, by plurality */
    assert_int_equal(g.items[G_OUTCOME].count, 0);
    fx_free(x);
}

static void postponed_in_part(void **state) {
    (void)state;
    struct fixture *x = law_fixture();
    struct fail f;
    struct gate g;
    /* constituency 12 (1,150 voters) is postponed; a lead of less, and then of more */
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'area':{'contest':'chair-1','state':'postponed','unit':'12'}}],'definition':3,'election':'${e}'}");
    station(x, "chair-1", "1101", "500,10,1");
    station(x, "chair-1", "1102", "500,12,1");
    assert_int_equal(count_of(x, "chair-1", G_POSTPONED, &g), 2);
    assert_int_equal(g.items[G_MISSING].count, 1);
    station(x, "chair-1", "1103", "520,14,1");
    assert_int_equal(count_of(x, "chair-1", G_POSTPONED, &g), 0); /* 1,520 against 36 + 1,150 */
    assert_int_equal(g.materiality.rows[DOUBT_POSTPONED].voters, 1150);
    must(collate(x, "k11", "ro/11", "chair-1", "11", NULL));
    assert_int_equal(collate(x, NULL, "ro/12", "chair-1", "12", NULL), E_STATE);
    must(collate(x, "k1", "ro/1", "chair-1", "1", NULL));
    assert_int_equal(count_of(x, "chair-1", G_NO_COLLATION, &g), 0);
    fx_free(x);
}

static void commissioners(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    fx_must(x, NULL, "com/1", "dissent {'declaration':'${id:d11}','election':'${e}','key':'com/1','says':'verified'}");
    /* another key of the same person, and other words */
    assert_int_equal(fx_say(x, "com/1b", "dissent {'declaration':'${id:d11}','election':'${e}','key':'com/1b','says':'dissents'}"), E_STATE);
    assert_int_equal(fx_say(x, "com/1", "dissent {'declaration':'${id:d11}','election':'${e}','key':'com/1','reason':${o:now I see},'says':'dissents'}"), E_STATE);
    fx_must(x, NULL, "com/2", "dissent {'declaration':'${id:d11}','election':'${e}','key':'com/2','says':'dissents'}");
    assert_int_equal(fold_dissent_count(x->fold), 2);
    /* annulled by a court: it says so ever after */
    uint32_t c = contest_of(x, "chief-11");
    assert_string_equal(results_status(x->fold, c, 1), "declared");
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'area':{'contest':'chief-11','state':'annulled','unit':'11'}}],'definition':3,'election':'${e}'}");
    assert_string_equal(results_status(x->fold, c, 1), "declared, annulled since");
    assert_string_equal(results_status(x->fold, contest_of(x, "president"), 1), "provisional, not declared");
    fx_free(x);
}

/* An override is of the moment: what is open later and was not listed holds the gate again. */
static void overtaken(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    fx_result_must(x, "h2102", "po/2102", "head-21", "2102", "5,5"); /* without an image; now stale too */
    must(fx_image(x, "po/2102", "head-21", "2102", IMAGE_ORIGINAL, "its form", "h2102"));
    assert_int_equal(declare(x, "ro/21", "head-21", "'choices':['kim'],'kind':'elected'", "k21",
                             "'override':'${id:ov21}',", NULL), E_GATE);
    fx_free(x);
}

static void same_findings(const struct finding *p, const struct finding *q, size_t n) {
    for (size_t i = 0; i < n; i++)
        assert_true(p[i].code == q[i].code && p[i].cell == q[i].cell && p[i].unit == q[i].unit &&
                    p[i].result == q[i].result && p[i].a == q[i].a && p[i].b == q[i].b &&
                    p[i].decision == q[i].decision && p[i].latest == q[i].latest);
}

/* One contest's findings are those of all, at its stations and units. */
static void findings_of_one_contest(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct arena a;
    struct findings all, one;
    arena_init(&a, 1 << 24);
    must(findings_compute(x->fold, &a, &all, &f));
    size_t seen = 0, of_one = 0;
    for (uint32_t c = 0; c < fold_contest_count(x->fold); c++)
        for (unsigned round = 1; round <= fold_contest(x->fold, c)->round; round++) {
            must(findings_of_contest(x->fold, c, round, &a, &one, &f));
            of_one += one.n;
            for (uint32_t i = 0; i < fold_cell_count(x->fold); i++) {
                const struct cell *cell = fold_cell_at(x->fold, i);
                if (cell->contest != c || cell->round != round) continue;
                size_t n = all.first[i + 1] - all.first[i];
                size_t at = findings_place(&one, x->fold, i);
                assert_int_equal(all.worst[i], one.worst[at]);
                assert_int_equal(n, one.first[at + 1] - one.first[at]);
                same_findings(&all.items[all.first[i]], &one.items[one.first[at]], n);
                seen += n;
            }
            for (uint32_t u = 0; u < fold_unit_count(x->fold); u++) {
                size_t n, m;
                const struct finding *p = findings_of_unit(&all, c, round, u, &n), *q = findings_of_unit(&one, c, round, u, &m);
                assert_int_equal(n, m);
                same_findings(p, q, n);
                seen += n;
            }
        }
    assert_int_equal(seen, all.n);
    assert_int_equal(of_one, all.n);
    arena_release(&a);
    fx_free(x);
}

/* Before a declaration no published sentence has a name in it. */
static void names_nobody(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct results r;
    struct fail f;
    must(results_compute(x->fold, &r, &f));
    for (size_t i = 0; i < r.n; i++) {
        const struct contest *k = fold_contest(x->fold, r.tallies[i].contest);
        struct buf b;
        buf_init(&b, 1 << 20);
        must(results_gate(x->fold, &r.tallies[i], &r.findings, &b, &f));
        bool declared = strstr(buf_cstr(&b), "\"declaration\":") != NULL;
        assert_int_equal(declared, span_is(k->id, "chief-11"));
        const char *open = strstr(buf_cstr(&b), "\"items\":"), *end = strstr(buf_cstr(&b), "\"clocks\":");
        assert_true(open && end && open < end);
        for (uint32_t c = 0; c < k->choice_count; c++) {
            char id[50];
            snprintf(id, sizeof id, "\"%.*s\"", SPAN_ARG(contest_choice(x->fold, k, c)->id));
            assert_null(memmem(open, (size_t)(end - open), id, strlen(id)));
        }
        buf_release(&b);
    }
    results_release(&r);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(county_level), cmocka_unit_test(smaller_than_its_officer),
        cmocka_unit_test(stale), cmocka_unit_test(signed_paper), cmocka_unit_test(witnesses),
        cmocka_unit_test(a_second_round), cmocka_unit_test(postponed_in_part),
        cmocka_unit_test(commissioners), cmocka_unit_test(overtaken), cmocka_unit_test(names_nobody), cmocka_unit_test(findings_of_one_contest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
