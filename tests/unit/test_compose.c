/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What compose writes is canonical and says what it was asked to say: the fold takes it. */
#include "test.h"

#include "election/canonical_json.h"
#include "election_fixture.h"

static void taken(struct fixture *x, const char *signers, struct buf *text, const char *json) {
    struct fail f;
    struct span rest = buf_view(text), head = {0}, line = {0};
    assert_true(span_line(&rest, &head));
    assert_true(span_line(&rest, &line));
    assert_int_equal(rest.n, 0);
    must(cj_check(line, &f));
    struct buf want;
    buf_init(&want, 1 << 16);
    fx_expand(x, json, &want);
    assert_true(want.n > 0);
    if (!span_eq(line, buf_view(&want)))
        fail_msg("wanted %s\ngot    %.*s", buf_cstr(&want), (int)line.n, (const char *)line.p);
    must(fx_text(x, signers, buf_view(text), &f));
    x->ms += 1000;
    buf_release(&want);
    buf_clear(text);
}

static void each_type(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct buf t;
    buf_init(&t, 1 << 16);
    const struct hash *e = &x->election;
    struct named_object none = {.size = UINT64_MAX}, why = fx_object(x, SPAN_LIT("why"));
    compose_acting(&t, e, SPAN_LIT("dpo/1101"), SPAN_LIT("po/1101"), "died", SPAN_LIT("1101"));
    taken(x, "dpo/1101", &t,
          "{'deputy':'dpo/1101','election':'${e}','for':'po/1101','reason':'died','unit':'1101'}");
    compose_countersign(&t, e, SPAN_LIT("agent/red/1101"), &fx_label(x, "r1101")->id, false, false, none);
    taken(x, "agent/red/1101", &t,
          "{'election':'${e}','how':'device','key':'agent/red/1101','record':'${id:r1101}','says':'saw'}");
    /* another's same words are another record */
    compose_countersign(&t, e, SPAN_LIT("agent/blue/1101"), &fx_label(x, "r1101")->id, false, false, none);
    taken(x, "agent/blue/1101", &t,
          "{'election':'${e}','how':'device','key':'agent/blue/1101','record':'${id:r1101}','says':'saw'}");
    compose_countersign(&t, e, SPAN_LIT("party/blue"), &fx_label(x, "r1101")->id, true, true, why);
    taken(x, "party/blue", &t,
          "{'election':'${e}','how':'desk','key':'party/blue','reason':${o:why},'record':'${id:r1101}',"
          "'says':'object'}");
    compose_station_event(&t, e, SPAN_LIT("1102"), "opened", (struct span){0}, 5, UINT64_MAX);
    taken(x, "po/1102", &t, "{'at_ms':5,'election':'${e}','event':'opened','station':'1102'}");
    compose_station_event(&t, e, SPAN_LIT("1102"), "count-ended", SPAN_LIT("president"), 5, 17);
    taken(x, "po/1102", &t,
          "{'at_ms':5,'contest':'president','election':'${e}','event':'count-ended','station':'1102','value':17}");
    compose_revoke(&t, e, SPAN_LIT("po/2103"), "lost", UINT64_MAX);
    taken(x, "ro/21", &t, "{'election':'${e}','key':'po/2103','reason':'lost'}");
    compose_revoke(&t, e, SPAN_LIT("po/2103"), "stolen", 12);
    taken(x, "ro/21", &t, "{'election':'${e}','key':'po/2103','reason':'stolen','suspect_since_ms':12}");
    struct compose_incident row = {true, "E_REVOKED", 2, 3, 4, SPAN_LIT("po/2103"), SPAN_LIT("result"), why};
    compose_incidents(&t, e, &row, 1);
    taken(x, "example.org/test-election", &t,
          "{'election':'${e}','rows':[{'class':'proven','code':'E_REVOKED','count':2,'first_ms':3,"
          "'key':'po/2103','last_ms':4,'note':${o:why},'type':'result'}]}");
    buf_release(&t);
    fx_free(x);
}

static void whole_result(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct buf t;
    buf_init(&t, 1 << 16);
    const struct span ids[] = {SPAN_LIT("cy"), SPAN_LIT("ann"), SPAN_LIT("bo")}; /* any order */
    const uint64_t votes[] = {3, 1, ABSENT};
    struct hash form = fx_hash("f");
    struct compose_result r;
    compose_result_init(&r);
    r.election = x->election;
    r.contest = SPAN_LIT("president");
    r.station = SPAN_LIT("2102");
    r.serial = SPAN_LIT("S 9");
    r.basis = BASIS_STATION;
    r.definition = 2;
    r.signed_ms = 8;
    r.form = &form;
    r.form_count = 1;
    r.supersedes = &fx_label(x, "r2102")->id;
    r.supersedes_count = 1;
    r.registered = 620;
    r.valid = 4;
    r.rejected = 0;
    r.objected = 0;
    r.disputed = 1;
    r.voters_kit = 4;
    r.voters_manual = 1;
    r.agents_present = 3;
    r.agents_signed = 2;
    r.agents_refused = 1;
    r.choices = ids;
    r.votes = votes;
    r.choice_count = 3;
    compose_result(&t, &r);
    taken(x, "po/2102", &t,
          "{'agents':{'present':3,'refused':1,'signed':2},'ballots':{'disputed':1,'objected':0,"
          "'registered':620,'rejected':0,'valid':4},'basis':'station','contest':'president','definition':2,"
          "'election':'${e}','form':['${h:f}'],'round':1,'serial':'S 9','signed_ms':8,'station':'2102',"
          "'supersedes':['${id:r2102}'],'voters':{'kit':4,'manual':1},'votes':{'ann':1,'cy':3}}");
    const struct result *got = fold_result(x->fold, (uint32_t)fold_result_count(x->fold) - 1);
    const uint64_t *v = result_votes(x->fold, got);
    assert_true(v[0] == 1 && v[1] == ABSENT && v[2] == 3);
    assert_true(got->registered == 620 && got->valid == 4 && got->rejected == 0 && got->disputed == 1);
    assert_true(got->voters_kit == 4 && got->voters_manual == 1 && got->objected_votes == 0);
    assert_true(got->agents_present == 3 && got->agents_signed == 2 && got->agents_refused == 1);
    assert_true(hash_eq(result_form(x->fold, got, 0), &form) && span_is(got->serial, "S 9"));
    assert_true(span_is(x->out.signer, "po/2102") && x->out.signer_known);
    buf_release(&t);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_type), cmocka_unit_test(whole_result)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
