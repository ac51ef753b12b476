/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/rng.h"
#include "election/canonical_json.h"
#include "election_fixture.h"
#include "record_cases.h"

static void base_stands(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    assert_int_equal(fx_votes(s, "president", 1, "1101", "ann"), 200);
    assert_int_equal(fx_votes(s, "president", 1, "1102", "ann"), 101);
    assert_int_equal(fx_votes(s, "president", 1, "1201", "ann"), 0); /* two results: none counts */
    assert_int_equal(fx_votes(s, "president", 1, "2102", "ann"), 0); /* no image */
    assert_int_equal(fx_votes(s, "president", 1, "11", "ann"), 301);
    assert_int_equal(fx_votes(s, "president", 1, "1", "cy"), 50 + 51 + 300);
    assert_int_equal(fx_votes(s, "president", 1, "KE", "cy"), 50 + 51 + 300 + 200);
    assert_int_equal(fx_votes(s, "member-21", 1, "21", "hal"), 50);
    assert_int_equal(fx_votes(s, "member-21", 2, "21", "fay"), 0);
    fx_free(x);
}

/* ---- the table of cases ---- */

static void one_case(struct fixture *x, const struct record_case *c) {
    struct buf note, before, after, entry;
    struct fail f = {0};
    buf_init(&note, 1 << 20);
    buf_init(&entry, 1 << 20);
    buf_init(&before, 1 << 24);
    buf_init(&after, 1 << 24);
    fx_dump(x->fold, &before);
    x->ms = c->ms ? c->ms : FX_CASE_MS;
    x->batch = true;
    fold_begin(x->fold);
    err e;
    if (c->signers && !*c->signers) {
        fx_expand(x, c->pattern, &entry);
        e = fold_apply(x->fold, buf_view(&entry), &x->out, &f);
    } else if (c->signers) {
        struct buf text;
        buf_init(&text, 1 << 20);
        fx_expand(x, c->pattern, &text);
        fx_sign(x, c->signers, buf_view(&text), &note);
        buf_release(&text);
        e = fx_try(x, buf_view(&note), &f);
    } else {
        fx_expand(x, c->pattern, &note);
        e = fx_try(x, buf_view(&note), &f);
    }
    if (e != c->want)
        fail_msg("%s: wanted %s, got %s: %s", c->name, err_info(c->want)->name, err_info(e)->name,
                 f.text);
    if (e != OK && !f.text[0]) fail_msg("%s: no sentence", c->name);
    if (e == OK) {
        assert_int_equal(x->out.index, x->entry_count - 1);
        buf_release(&x->entries[--x->entry_count].bytes);
    } else {
        fx_dump(x->fold, &after); /* a refusal changes nothing */
        if (!span_eq(buf_view(&before), buf_view(&after))) fail_msg("%s: the state changed", c->name);
        buf_clear(&after);
    }
    fold_rollback(x->fold);
    x->batch = false;
    fx_dump(x->fold, &after);
    if (!span_eq(buf_view(&before), buf_view(&after)))
        fail_msg("%s: rolled back, yet the state changed", c->name);
    buf_release(&note);
    buf_release(&entry);
    buf_release(&before);
    buf_release(&after);
}

static void every_rule(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    size_t memory = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < record_case_count; i++) {
            for (unsigned k = 0; turn == 0 && k < i; k++)
                assert_string_not_equal(record_cases[i].name, record_cases[k].name);
            one_case(x, &record_cases[i]);
        }
        /* what was refused or taken back leaves no memory behind */
        if (turn) assert_int_equal(fold_memory(x->fold), memory);
        memory = fold_memory(x->fold);
    }
    fx_free(x);
}

static void every_manifest_rule(void **state) {
    (void)state;
    struct fixture *x = fx_keys();
    for (unsigned i = 0; i < manifest_case_count; i++) {
        const struct manifest_case *c = &manifest_cases[i];
        struct fixture *y = fx_new();
        struct fail f = {0};
        struct buf text;
        buf_init(&text, 1 << 17);
        for (size_t o = 0; o < x->object_count; o++) (void)fx_object(y, buf_view(&x->objects[o].bytes));
        fx_manifest_case(y, x, c, &text);
        y->ms = 1;
        err e = fx_text(y, c->signers, buf_view(&text), &f);
        if (e != c->want)
            fail_msg("%s: wanted %s, got %s: %s", c->name, err_info(c->want)->name, err_info(e)->name,
                     f.text);
        if (e != OK) { /* as if nothing had been said: the right one is still taken */
            assert_int_equal(fold_size(y->fold), 0);
            assert_int_equal(fold_unit_count(y->fold), 0);
            assert_int_equal(fold_key_count(y->fold), 0);
            buf_clear(&text);
            fx_manifest_case(y, x, &manifest_cases[0], &text);
            must(fx_text(y, "com/1,com/2", buf_view(&text), &f));
        }
        buf_release(&text);
        fx_free(y);
    }
    fx_free(x);
}

/* ---- batches ---- */

static void assert_same_dump(const struct fold *a, const struct fold *b) {
    struct buf x, y;
    buf_init(&x, 1 << 24);
    buf_init(&y, 1 << 24);
    fx_dump(a, &x);
    fx_dump(b, &y);
    assert_string_equal(buf_cstr(&x), buf_cstr(&y));
    buf_release(&x);
    buf_release(&y);
}

/* A fresh fold over the accepted entries is in the same state, whatever the key of its tables. */
static void assert_replays(struct fixture *x) {
    struct fold *fresh;
    struct fail f;
    struct fold_options o = {.objects = {fx_get_object, x}};
    must(fold_new(&o, &fresh, &f));
    fold_set_hash_key(fresh, (const uint8_t *)"another hash key");
    for (size_t i = 0; i < x->entry_count; i++)
        must(fold_apply(fresh, buf_view(&x->entries[i].bytes), &x->out, &f));
    assert_same_dump(x->fold, fresh);
    fold_free(fresh);
}

static void forget_entries(struct fixture *x, size_t n) {
    while (x->entry_count > n) buf_release(&x->entries[--x->entry_count].bytes);
}

static err random_case(struct fixture *x, struct rng *r) {
    const struct record_case *c = &record_cases[rng_below(r, record_case_count)];
    struct buf text, note;
    struct fail f;
    if (!c->signers || !*c->signers) return E_NOTE;
    buf_init(&text, 1 << 20);
    buf_init(&note, 1 << 20);
    fx_expand(x, c->pattern, &text);
    fx_sign(x, c->signers, buf_view(&text), &note);
    if (rng_below(r, 10) == 0 && note.n > 3) note.p[note.n - 2 - rng_below(r, note.n / 2)] ^= 1;
    err e = fx_try(x, buf_view(&note), &f);
    x->ms += rng_below(r, 400000);
    buf_release(&text);
    buf_release(&note);
    return e;
}

static void batches_can_be_given_up(void **state) {
    (void)state;
    struct rng r;
    size_t accepted = 0, refused = 0;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct fixture *x = fx_base();
        rng_init(&r, seed);
        for (int batch = 0; batch < 40; batch++) {
            struct buf before, middle, now;
            buf_init(&before, 1 << 24);
            buf_init(&middle, 1 << 24);
            buf_init(&now, 1 << 24);
            fx_dump(x->fold, &before);
            size_t entries = x->entry_count, ms = x->ms;
            fold_begin(x->fold);
            x->batch = true;
            for (uint64_t n = rng_below(&r, 12); n; n--) *(random_case(x, &r) ? &refused : &accepted) += 1;
            if (rng_below(&r, 2)) {
                size_t mark = fold_mark(x->fold), held = x->entry_count, at = x->ms;
                fx_dump(x->fold, &middle);
                for (uint64_t n = rng_below(&r, 8); n; n--) (void)random_case(x, &r);
                fold_back(x->fold, mark);
                forget_entries(x, held);
                x->ms = at;
                fx_dump(x->fold, &now);
                assert_true(span_eq(buf_view(&middle), buf_view(&now)));
                buf_clear(&now);
            }
            x->batch = false;
            if (rng_below(&r, 2)) {
                fold_rollback(x->fold);
                forget_entries(x, entries);
                x->ms = ms;
                fx_dump(x->fold, &now);
                assert_true(span_eq(buf_view(&before), buf_view(&now)));
            } else {
                fold_commit(x->fold);
            }
            buf_release(&before);
            buf_release(&middle);
            buf_release(&now);
        }
        assert_replays(x);
        fx_free(x);
    }
    assert_true(accepted > 50 && refused > 50); /* both were tried */
}

static void memory_is_capped(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f = {0};
    size_t whole = fold_memory(x->fold);
    /* whatever the cap: refused with E_MEMORY, unchanged, never damaged */
    for (size_t cap = 1 << 14; cap < whole * 2; cap += whole / 13) {
        struct fold *s, *fresh;
        struct fold_options o = {.memory_cap = cap, .objects = {fx_get_object, x}};
        struct fold_options wide = {.objects = {fx_get_object, x}};
        must(fold_new(&o, &s, &f));
        must(fold_new(&wide, &fresh, &f));
        err e = OK;
        for (size_t i = 0; i < x->entry_count && e == OK; i++) {
            e = fold_apply(s, buf_view(&x->entries[i].bytes), &x->out, &f);
            if (e == OK) must(fold_apply(fresh, buf_view(&x->entries[i].bytes), &x->out, &f));
        }
        assert_true(e == OK || e == E_MEMORY);
        if (e == OK) assert_int_equal(fold_size(s), x->entry_count);
        if (fold_size(s)) assert_same_dump(s, fresh);
        assert_true(fold_memory(s) <= cap);
        fold_free(s);
        fold_free(fresh);
    }
    fx_free(x);
}

/* ---- duplicates and added signatures ---- */

static void note_of(struct fixture *x, const char *label, const char *signers, struct buf *note) {
    uint64_t ms;
    struct span whole;
    struct note cut;
    struct fail f;
    must(entry_parse(buf_view(&x->entries[fx_label(x, label)->index].bytes), &ms, &whole, &f));
    must(note_cut(whole, &cut, &f));
    fx_sign(x, signers, cut.text, note);
}

/* The answer to a retry with these signers; *extra gets the text of a signatures record. */
static err retry(struct fixture *x, const char *label, const char *signers, struct buf *extra) {
    struct buf note, entry;
    struct fail f = {0};
    buf_init(&note, 1 << 20);
    buf_init(&entry, 1 << 20);
    note_of(x, label, signers, &note);
    uint64_t size = fold_size(x->fold);
    err e = fold_admit(x->fold, buf_view(&note), x->ms, &entry, &x->out, &f);
    assert_int_equal(fold_size(x->fold), size);
    if (e == E_DUPLICATE) {
        assert_int_equal(x->out.index, fx_label(x, label)->index);
        struct record r;
        must(record_parse(buf_view(&note), &r, &f));
        assert_int_equal(x->out.check_count, r.split.count); /* every line must hold */
        for (size_t i = 0; i < x->out.check_count; i++)
            assert_true(ed25519_verify((const struct ed25519_public *)x->out.checks[i].pub,
                                       (const struct ed25519_signature *)x->out.checks[i].sig,
                                       x->out.checks[i].message));
        must(fold_extra(x->fold, buf_view(&note), extra, &f));
    }
    buf_release(&note);
    buf_release(&entry);
    return e;
}

#define LOG "example.org/test-election"

static uint32_t keys_signed(const struct fixture *x, const char *label) {
    for (uint32_t i = 0; i < fold_result_count(x->fold); i++)
        if (fold_result(x->fold, i)->entry == fx_label(x, label)->index)
            return fold_result(x->fold, i)->keys_signed;
    return UINT32_MAX;
}

static void retries_and_added_lines(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct buf extra;
    struct fail f;
    buf_init(&extra, 1 << 16);
    assert_int_equal(retry(x, "r1101", "po/1101,agent/red/1101", &extra), E_DUPLICATE);
    assert_int_equal(retry(x, "r1101", "po/1101", &extra), E_DUPLICATE); /* a stripped line */
    assert_int_equal(extra.n, 0);
    assert_int_equal(retry(x, "r1101", "po/1101,stranger", &extra), E_SIGNER);
    assert_int_equal(retry(x, "r1101", "po/1101@po/1102", &extra), E_SIGNER);
    assert_int_equal(retry(x, "r1101", "po/1101,obs/wits", &extra), E_ROLE);
    assert_int_equal(retry(x, "manifest", "com/1,com/2", &extra), E_DUPLICATE);
    assert_int_equal(retry(x, "manifest", "com/1,stranger", &extra), E_SIGNER);
    assert_int_equal(retry(x, "manifest", "com/1,po/1101", &extra), E_ROLE);
    assert_int_equal(retry(x, "posted", "po/1101", &extra), E_DUPLICATE);
    assert_int_equal(retry(x, "amend2", "com/3", &extra), E_DUPLICATE);
    assert_int_equal(extra.n, 0);
    /* lines that may not be added: another contest's agent, one whose time is over */
    assert_int_equal(retry(x, "r1101", "po/1101,agent/red/gov", &extra), E_DUPLICATE);
    assert_int_equal(retry(x, "r1101", "po/1101,agent/red/old", &extra), E_DUPLICATE);
    assert_int_equal(retry(x, "r1102b", "po/1102,po/1102-old", &extra), E_DUPLICATE);
    assert_int_equal(extra.n, 0);
    /* lines that may */
    assert_int_equal(retry(x, "r1101", "po/1101,agent/blue/1101,agent/red/11,agent/red/gov", &extra),
                     E_DUPLICATE);
    assert_true(extra.n > 0);
    assert_int_equal(keys_signed(x, "r1101"), 1);
    must(fx_text(x, LOG, buf_view(&extra), &f));
    assert_int_equal(x->out.check_count, 3);
    assert_int_equal(keys_signed(x, "r1101"), 3);
    assert_int_equal(x->out.station, fold_unit_by_code(x->fold, SPAN_LIT("1101")));
    assert_int_equal(fx_text(x, LOG, buf_view(&extra), &f), E_DUPLICATE);
    buf_clear(&extra);
    assert_int_equal(retry(x, "r1101", "po/1101,agent/blue/1101,agent/red/11", &extra), E_DUPLICATE);
    assert_int_equal(extra.n, 0);
    assert_replays(x);
    buf_release(&extra);
    fx_free(x);
}

/* A signatures record with the lines of these signers over the result `label`. */
static err add_lines(struct fixture *x, const char *label, const char *signers, bool reversed) {
    struct buf note, text;
    struct fail f;
    struct record r;
    buf_init(&note, 1 << 16);
    buf_init(&text, 1 << 16);
    note_of(x, label, signers, &note);
    must(record_parse(buf_view(&note), &r, &f));
    buf_str(&text, "hesabu/v1 signatures\n{\"election\":\"");
    buf_hex(&text, hash_span(&x->election));
    buf_str(&text, "\",\"lines\":[");
    for (size_t i = 0; i < r.split.count; i++) {
        struct span line = r.lines[reversed ? r.split.count - 1 - i : i].line;
        buf_printf(&text, "%s\"%.*s\"", i ? "," : "", (int)line.n, (const char *)line.p);
    }
    buf_str(&text, "],\"record\":\"");
    buf_hex(&text, hash_span(&fx_label(x, label)->id));
    buf_str(&text, "\"}\n");
    err e = fx_text(x, LOG, buf_view(&text), &f);
    buf_release(&note);
    buf_release(&text);
    return e;
}

static void added_lines_are_judged(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    assert_int_equal(add_lines(x, "r1101", "agent/red/11,agent/blue/1101", true), E_LINES);
    assert_int_equal(add_lines(x, "r1101", "agent/red/1101", false), E_LINES); /* signed already */
    assert_int_equal(add_lines(x, "r1101", "agent/red/11,agent/red/1101", false), E_LINES);
    assert_int_equal(add_lines(x, "r1101", "agent/red/gov", false), E_SCOPE);
    assert_int_equal(add_lines(x, "r1102b", "agent/red/1101", false), E_SCOPE);
    assert_int_equal(add_lines(x, "r1101", "agent/red/old", false), E_EXPIRED);
    assert_int_equal(add_lines(x, "r1102b", "po/1102-old", false), E_REVOKED);
    assert_int_equal(add_lines(x, "r1101", "obs/wits", false), E_ROLE);
    assert_int_equal(add_lines(x, "r1101", LOG, false), E_ROLE);
    assert_int_equal(add_lines(x, "r1101", "stranger", false), E_SIGNER);
    assert_int_equal(add_lines(x, "r1101", "agent/red/11@agent/blue/1101", false), E_SIGNER);
    assert_int_equal(add_lines(x, "r1101", "04:agent/red/11", false), E_SIGNER);
    assert_int_equal(keys_signed(x, "r1101"), 1);
    assert_int_equal(add_lines(x, "r1102a", "agent/red/11", false), OK); /* superseded, yet said */
    assert_int_equal(add_lines(x, "r1101", "agent/red/11", false), OK);
    assert_int_equal(add_lines(x, "r1101", "agent/red/11,agent/blue/1101", false), E_LINES);
    assert_int_equal(keys_signed(x, "r1101"), 2);
    /* a line that does not hold is for the caller to find: apply asks for it over the old text */
    struct fail f;
    struct buf text;
    buf_init(&text, 1 << 16);
    fx_expand(x, "signatures {'election':'${e}','lines':['\xe2\x80\x94 agent/blue/1101 ", &text);
    text.n--; /* without the end of a line that fx_expand adds */
    struct buf fake;
    buf_init(&fake, 1000);
    fx_expand(x, "${fake:agent/blue/1101}", &fake);
    const char *base64 = strrchr(buf_cstr(&fake), ' ') + 1;
    buf_add(&text, base64, strlen(base64) - 1);
    buf_str(&text, "\"],\"record\":\"");
    buf_hex(&text, hash_span(&fx_label(x, "r1101")->id));
    buf_str(&text, "\"}\n");
    refuses(E_SIGNATURE, fx_text(x, LOG, buf_view(&text), &f));
    assert_int_equal(keys_signed(x, "r1101"), 2);
    buf_release(&text);
    buf_release(&fake);
    assert_replays(x);
    fx_free(x);
}

/* Many lines at once: the record that adds them stays inside its bound, the next retry adds the rest. */
static void many_added_lines(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct buf extra;
    struct fail f;
    char all[12000] = "po/1101";
    buf_init(&extra, 1 << 16);
    for (int i = 0; i < 36; i++) {
        char name[130];
        snprintf(name, sizeof name, "agent/red/%02d-%0100d", i, i);
        fx_grant(x, name, "agent", "1101", "red", "party/red");
        strcat(strcat(all, ","), name);
    }
    int turns = 0;
    for (; turns < 5; turns++) {
        buf_clear(&extra);
        assert_int_equal(retry(x, "r1101", all, &extra), E_DUPLICATE);
        if (extra.n == 0) break;
        must(fx_text(x, LOG, buf_view(&extra), &f));
    }
    assert_int_equal(turns, 2);
    assert_int_equal(keys_signed(x, "r1101"), 37);
    buf_release(&extra);
    fx_free(x);
}

/* ---- who, over time ---- */

static void revocation_holds_from_its_own_index(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct key_view k;
    assert_true(fold_key(x->fold, SPAN_LIT("po/1102-old"), &k));
    assert_int_equal(k.revoked_at, fx_label(x, "revoked")->index);
    assert_true(fx_label(x, "g1102")->index < k.revoked_at);
    assert_int_equal(k.suspect_since_ms, 2000000);
    /* a key that ends itself signs nothing any more, not even at the same time */
    fx_must(x, NULL, "po/2103", "revoke {'election':'${e}','key':'po/2103','reason':'ended'}");
    x->ms -= 1000;
    assert_int_equal(fx_say(x, "po/2103", "station-event {'at_ms':1,'election':'${e}','event':'opened',"
                                          "'station':'2103'}"), E_REVOKED);
    /* the returning officer still can say since when it is doubted; nothing else changes */
    uint64_t at = fold_size(x->fold) - 1;
    fx_must(x, NULL, "ro/21",
            "revoke {'election':'${e}','key':'po/2103','reason':'stolen','suspect_since_ms':7}");
    assert_true(fold_key(x->fold, SPAN_LIT("po/2103"), &k));
    assert_int_equal(k.revoked_at, at);
    assert_int_equal(k.suspect_since_ms, 7);
    /* a revoked granter's grants stand */
    fx_must(x, NULL, "com/1,com/2", "revoke {'election':'${e}','key':'ro/21','reason':'died'}");
    fx_result_must(x, NULL, "po/2102", "member-21", "2102", "1,2,-");
    assert_replays(x);
    fx_free(x);
}

static void quotas_count(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const char *event = "station-event {'at_ms':%d,'election':'${e}','event':'opened','station':'2103'}";
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'quotas':{'presiding-officer':{'station-event':3}}}],'definition':3,"
            "'election':'${e}'}");
    for (int i = 0; i < 6; i++) {
        char text[300];
        snprintf(text, sizeof text, event, i);
        fold_begin(x->fold); /* what is taken back is not counted */
        x->batch = true;
        err e = fx_say(x, "po/2103", text);
        fold_rollback(x->fold);
        x->batch = false;
        if (e == OK) forget_entries(x, x->entry_count - 1);
        assert_int_equal(fx_say(x, "po/2103", text), i < 3 ? OK : E_QUOTA);
        assert_int_equal(e, i < 3 ? OK : E_QUOTA);
    }
    assert_int_equal(fx_say(x, "po/2102", "station-event {'at_ms':1,'election':'${e}','event':'opened',"
                                          "'station':'2102'}"), OK); /* each key has its own */
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'quotas':{'presiding-officer':{'station-event':4}}}],'definition':4,"
            "'election':'${e}'}");
    char text[300];
    snprintf(text, sizeof text, event, 77);
    assert_int_equal(fx_say(x, "po/2103", text), OK);
    snprintf(text, sizeof text, event, 78);
    assert_int_equal(fx_say(x, "po/2103", text), E_QUOTA);
    fx_free(x);
}

static void default_quota_is_a_thousand(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    for (int i = 0; i <= 1000; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "station-event {'at_ms':%d,'election':'${e}','event':'opened','station':'2103'}", i);
        assert_int_equal(fx_say(x, "po/2103", text), i < 1000 ? OK : E_QUOTA);
    }
    fx_free(x);
}

static void log_key_succession(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    char text[800];
    const char *incident = "incident {'election':'${e}','rows':[{'class':'claimed','code':'E_X','count':%d,"
                           "'first_ms':1,'key':'unknown','last_ms':1,'type':'result'}]}";
    snprintf(text, sizeof text, incident, 1);
    fx_must(x, NULL, LOG, text);
    const uint8_t *old_pub = x->out.checks[0].pub;
    uint8_t copy[32];
    memcpy(copy, old_pub, 32);
    snprintf(text, sizeof text,
             "amend {'changes':[{'log':{'key':'${v:newlog@example.org/test-election}','root':'${h:root}',"
             "'size':%zu}}],'definition':3,'election':'${e}'}", x->entry_count);
    fx_must(x, NULL, "com/1,com/2", text);
    assert_int_equal(fold_succession_count(x->fold), 1);
    const struct succession *next = fold_succession(x->fold, 0);
    struct hash root = fx_hash("root");
    assert_true(next->index == x->entry_count - 1 && next->size == next->index);
    assert_true(hash_eq(&next->root, &root));
    assert_memory_equal(old_pub, copy, 32); /* checks asked for earlier keep their key */
    x->ms += 600000;
    snprintf(text, sizeof text, incident, 2);
    assert_int_equal(fx_say(x, LOG, text), E_SIGNER);
    assert_int_equal(fx_say(x, "newlog@example.org/test-election", text), OK);
    /* neither key can become a person's, nor the log's again */
    fx_key(x, "newlog");
    const char *grab = "key {'election':'${e}','holder':'${h:x}','key':'${v:%s}','not_after_ms':9,"
                       "'not_before_ms':0,'role':'clerk','unit':'11'}";
    snprintf(text, sizeof text, grab, "newlog@new");
    assert_int_equal(fx_say(x, "ro/11,newlog@new", text), E_KEY_REUSED);
    snprintf(text, sizeof text, grab, "example.org/test-election@new");
    assert_int_equal(fx_say(x, "ro/11,example.org/test-election@new", text), E_KEY_REUSED);
    snprintf(text, sizeof text,
             "amend {'changes':[{'log':{'key':'${v:example.org/test-election}','root':'${h:root}',"
             "'size':%zu}}],'definition':4,'election':'${e}'}", x->entry_count);
    assert_int_equal(fx_say(x, "com/1,com/2", text), E_KEY_REUSED);
    assert_replays(x);
    fx_free(x);
}

static void incidents_keep_their_distance(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    char text[800];
    const char *incident = "incident {'election':'${e}','rows':[{'class':'claimed','code':'E_X','count':%d,"
                           "'first_ms':1,'key':'unknown','last_ms':1,'type':'result'}]}";
    snprintf(text, sizeof text, incident, 1);
    assert_int_equal(fx_say(x, LOG, text), OK);
    snprintf(text, sizeof text, incident, 2);
    x->ms += 599999;
    assert_int_equal(fx_say(x, LOG, text), E_QUOTA);
    x->ms += 1;
    assert_int_equal(fx_say(x, LOG, text), OK);
    /* 256 rows, and one more */
    for (int rows = 256; rows <= 257; rows++) {
        struct buf b;
        buf_init(&b, 1 << 17);
        struct compose_incident *all = calloc((size_t)rows, sizeof *all);
        for (int i = 0; i < rows; i++)
            all[i] = (struct compose_incident){.code = "E_SIGNER", .count = 1, .first_ms = 1, .last_ms = 2,
                                               .key = SPAN_LIT("unknown"), .type = SPAN_LIT("unknown")};
        compose_incidents(&b, &x->election, all, (size_t)rows);
        x->ms += 600000;
        struct fail f;
        assert_int_equal(fx_text(x, LOG, buf_view(&b), &f), rows == 256 ? OK : E_RANGE);
        free(all);
        buf_release(&b);
    }
    fx_free(x);
}

static void time_does_not_go_back(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const char *event = "station-event {'at_ms':%d,'election':'${e}','event':'opened','station':'2103'}";
    char text[300];
    x->ms = fold_last_ms(x->fold) - 1;
    snprintf(text, sizeof text, event, 1);
    assert_int_equal(fx_say(x, "po/2103", text), E_TIME);
    x->ms++;
    assert_int_equal(fx_say(x, "po/2103", text), OK); /* the same ms again */
    x->ms = CJ_MAX_INT;
    snprintf(text, sizeof text, event, 2);
    assert_int_equal(fx_say(x, "po/2103", text), OK);
    x->ms++;
    snprintf(text, sizeof text, event, 3);
    assert_int_equal(fx_say(x, "po/2103", text), E_ENTRY);
    fx_free(x);
}

static void another_elections_records(void **state) {
    (void)state;
    struct fixture *x = fx_base(), *y = fx_new();
    struct fail f;
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t o = 0; o < x->object_count; o++) (void)fx_object(y, buf_view(&x->objects[o].bytes));
    const struct manifest_case rehearsal = {"rehearsal", OK, "", "'title':'A test", "'title':'A rehearsal"};
    fx_manifest_case(y, x, &rehearsal, &text);
    must(fx_text(y, "com/1,com/2", buf_view(&text), &f));
    /* the same keys, but every record names the other election */
    y->ms = FX_CASE_MS;
    for (size_t i = 1; i < x->entry_count; i++) {
        uint64_t ms;
        struct span note;
        must(entry_parse(buf_view(&x->entries[i].bytes), &ms, &note, &f));
        err e = fx_try(y, note, &f);
        assert_true(e == E_ELECTION || e == E_SIGNER);
    }
    assert_int_equal(fold_size(y->fold), 1);
    buf_release(&text);
    fx_free(x);
    fx_free(y);
}

/* ---- bounds ---- */

static void sizes_at_their_bound(void **state) {
    (void)state;
    struct fixture *x = fx_new();
    for (int t = 0; t < REC_COUNT; t++) {
        const struct record_info *info = record_info((enum record_type)t);
        for (size_t more = 0; more < 2; more++) {
            struct buf text, note;
            struct record r;
            struct fail f;
            buf_init(&text, 1 << 17);
            buf_init(&note, 1 << 17);
            buf_printf(&text, "hesabu/v1 %s\n", info->name);
            size_t line = strlen("\xe2\x80\x94 k ") + BASE64_LEN(68) + 1; /* and the empty line */
            while (text.n < info->max_note + more - line - 2) buf_byte(&text, 'x');
            buf_byte(&text, '\n');
            fx_sign(x, "k", buf_view(&text), &note);
            assert_int_equal(note.n, info->max_note + more);
            if (more)
                refuses(E_SIZE, record_parse(buf_view(&note), &r, &f));
            else
                must(record_parse(buf_view(&note), &r, &f));
            assert_int_equal(r.type, t);
            buf_release(&text);
            buf_release(&note);
        }
    }
    struct buf huge, entry;
    struct fail f;
    struct record r;
    buf_init(&huge, 1 << 20);
    buf_init(&entry, 1 << 20);
    while (huge.n <= ENTRY_MAX) buf_byte(&huge, 'x');
    refuses(E_SIZE, record_parse(buf_view(&huge), &r, &f));
    refuses(E_SIZE, fold_admit(x->fold, buf_view(&huge), 1, &entry, &x->out, &f));
    refuses(E_ENTRY, fold_apply(x->fold, buf_view(&huge), &x->out, &f));
    buf_release(&huge);
    buf_release(&entry);
    fx_free(x);
}

static void a_hundred_lines(void **state) {
    (void)state;
    struct fixture *x = fx_new();
    for (int lines = 100; lines <= 101; lines++) {
        struct buf note;
        struct record r;
        struct fail f;
        buf_init(&note, 1 << 17);
        buf_str(&note, "hesabu/v1 amend\n{}\n\n");
        for (int i = 0; i < lines; i++) {
            char name[8];
            snprintf(name, sizeof name, "k%03d", i);
            note_line_write(span_text(name), 1, span_of((uint8_t[64]){0}, 64), &note);
        }
        if (lines == 100)
            must(record_parse(buf_view(&note), &r, &f));
        else
            refuses(E_NOTE, record_parse(buf_view(&note), &r, &f));
        buf_release(&note);
    }
    fx_free(x);
}

static err damaged_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                          struct fail *f) {
    static char bytes[1 << 16];
    err e = fx_get_object(ctx, id, size, out, f);
    if (e != OK) return e;
    memcpy(bytes, out->p, out->n);
    bytes[out->n / 2] ^= 1;
    *out = span_of(bytes, out->n);
    return OK;
}

static void damaged_objects(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fold *s;
    struct fail f;
    struct span entry = buf_view(&x->entries[0].bytes);
    struct fold_options none = {0}, damaged = {.objects = {damaged_object, x}};
    must(fold_new(&none, &s, &f));
    refuses(E_OBJECT_MISSING, fold_apply(s, entry, &x->out, &f));
    fold_free(s);
    must(fold_new(&damaged, &s, &f));
    refuses(E_OBJECT, fold_apply(s, entry, &x->out, &f));
    assert_int_equal(fold_size(s), 0);
    assert_null(fold_definition(s));
    fold_free(s);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_stands),
        cmocka_unit_test(every_rule),
        cmocka_unit_test(every_manifest_rule),
        cmocka_unit_test(batches_can_be_given_up),
        cmocka_unit_test(memory_is_capped),
        cmocka_unit_test(retries_and_added_lines),
        cmocka_unit_test(added_lines_are_judged),
        cmocka_unit_test(many_added_lines),
        cmocka_unit_test(revocation_holds_from_its_own_index),
        cmocka_unit_test(quotas_count),
        cmocka_unit_test(default_quota_is_a_thousand),
        cmocka_unit_test(log_key_succession),
        cmocka_unit_test(incidents_keep_their_distance),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(another_elections_records),
        cmocka_unit_test(sizes_at_their_bound),
        cmocka_unit_test(a_hundred_lines),
        cmocka_unit_test(damaged_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
