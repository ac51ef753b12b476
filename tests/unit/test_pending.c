/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Deposits with a mirror: kept, acknowledged, forwarded, and gone once the copy has them. */
#include "base/diag.h"
#include "http/client.h"
#include "http/mirror_routes.h"
#include "peers_fixture.h"

struct log_side {
    struct daemon *d;
    struct mirror *m;
    struct fetch_http *http;
    struct fetcher fetch;
    struct keyring *keys;
    struct pending *p;
    struct note_signer key;
    char dir[100], copy[100];
};

static void open_mirror(struct peers *x, struct log_side *l) {
    struct fail f;
    struct mirror_report r;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", daemon_port(l->d));
    must(fetch_http_new(&(struct fetch_http_options){.base = url, .tries = 2, .pause_ms = 5},
                        &l->http, &f));
    l->fetch = fetch_http(l->http);
    must(mirror_open(&(struct mirror_options){.dir = l->copy, .fetch = l->fetch, .log = x->log.key},
                     &l->m, &f));
    must(mirror_update(l->m, &r, &f));
    must(keyring_new(&l->keys, &f));
    must(keyring_update(l->keys, mirror_fold(l->m), &f));
}

static void open_pending(struct log_side *l) {
    struct fail f;
    must(pending_open(&(struct pending_options){.dir = l->copy, .origin = SPAN_LIT(PEERS_ORIGIN),
                                                .key = &l->key, .keys = l->keys,
                                                .forward_every_ms = 1},
                      &l->p, &f));
}

static void setup_side(struct peers *x, struct log_side *l) {
    struct fail f;
    peers_open(x, false);
    memset(l, 0, sizeof *l);
    snprintf(l->dir, sizeof l->dir, "%s/log", x->root);
    snprintf(l->copy, sizeof l->copy, "%s/copy", x->root);
    peers_key("mirror.example", NOTE_TYPE_ED25519, &l->key);
    peers_begin(x, l->dir);
    struct daemon_options o = peers_options(x, l->dir);
    must(daemon_start(&o, &l->d, &f));
    peers_add(x, l->d, 4);
    open_mirror(x, l);
    open_pending(l);
}

static void close_side(struct peers *x, struct log_side *l) {
    pending_close(l->p);
    keyring_free(l->keys);
    mirror_close(l->m);
    fetch_http_free(l->http);
    daemon_stop(l->d);
    peers_close(x);
}

static bool is_logged(void *ctx, const struct hash *id) {
    return mirror_has(ctx, id);
}

static void step(struct log_side *l, uint64_t now) {
    struct fail f;
    must(pending_step(l->p, &l->fetch, is_logged, l->m, now, &f));
}

static bool index_has(struct log_side *l, const char *words) {
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 20);
    must(file_read(scratch_path(l->copy, "pending/index.json"), b.max, &b, &f));
    bool found = strstr(buf_cstr(&b), words) != NULL;
    buf_release(&b);
    return found;
}

static void test_deposit(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct log_side l;
    struct buf note, ack, again;
    struct hash id;
    struct record r;
    uint64_t ms;
    setup_side(&x, &l);
    buf_init(&note, 65536);
    buf_init(&ack, PENDING_ACK_MAX);
    buf_init(&again, PENDING_ACK_MAX);
    peers_note(&x, &note);
    must(record_parse(buf_view(&note), &r, &f));
    must(pending_add(l.p, buf_view(&note), 1700000000000, &ack, &f));
    must(pending_ack_parse(buf_view(&ack), &id, &ms, &f));
    assert_true(hash_eq(&id, &r.id) && ms == 1700000000000);
    struct note cut;
    struct note_line lines[4];
    must(note_open(buf_view(&ack), &l.key.key, 1, &cut, lines, 4, NULL, &f));
    /* once more: the first acknowledgement; also after a restart */
    must(pending_add(l.p, buf_view(&note), 1800000000000, &again, &f));
    assert_true(span_eq(buf_view(&ack), buf_view(&again)));
    pending_close(l.p);
    open_pending(&l);
    assert_int_equal(pending_count(l.p), 1);
    buf_clear(&again);
    must(pending_add(l.p, buf_view(&note), 1800000000000, &again, &f));
    assert_true(span_eq(buf_view(&ack), buf_view(&again)));
    /* the log takes it; it stays until the verified copy has it */
    step(&l, 1700000000010);
    assert_int_equal(pending_count(l.p), 1);
    assert_true(index_has(&l, "\"received_ms\":1700000000000,\"type\":\"key\",\"log_answered\":201"));
    uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (pending_count(l.p)) {
        struct mirror_report report;
        assert_true(clock_monotonic_ms() < until);
        must(mirror_update(l.m, &report, &f));
        step(&l, 1700000000020);
        pause_ms(20);
    }
    assert_false(index_has(&l, "received_ms"));
    char hex[HASH_HEX_LEN + 1], path[100];
    hash_hex(&id, hex);
    snprintf(path, sizeof path, "pending/%s.note", hex);
    assert_false(file_exists(scratch_path(l.copy, path)));
    assert_int_equal(sequencer_size(daemon_sequencer(l.d)), 6);
    buf_release(&note);
    buf_release(&ack);
    buf_release(&again);
    close_side(&x, &l);
}

static void test_refusals_and_silence(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct log_side l;
    struct buf note, ack;
    setup_side(&x, &l);
    buf_init(&note, 65536);
    buf_init(&ack, PENDING_ACK_MAX);
    /* strangers' records and broken ones are not kept */
    refuses(E_NOTE, pending_add(l.p, SPAN_LIT("hello"), 1, &ack, &f));
    refuses(E_FIRST, pending_add(l.p, buf_view(&x.manifest), 1, &ack, &f));
    struct note_signer stranger;
    peers_key("stranger", NOTE_TYPE_ED25519, &stranger);
    const struct note_signer *by = &stranger;
    must(note_sign(&by, 1, SPAN_LIT("hesabu/v1 revoke\n{}\n"), &note, &f));
    refuses(E_SIGNER, pending_add(l.p, buf_view(&note), 1, &ack, &f));
    peers_note(&x, &note);
    note.p[note.n - 20] = note.p[note.n - 20] == 'A' ? 'B' : 'A';
    err e = pending_add(l.p, buf_view(&note), 1, &ack, &f);
    assert_int_equal(e, E_SIGNATURE);
    assert_int_equal(pending_count(l.p), 0);
    /* what the log refuses stays, listed with its answer */
    buf_clear(&note);
    by = &x.commissioner;
    must(note_sign(&by, 1, SPAN_LIT("hesabu/v1 revoke\n{}\n"), &note, &f));
    must(pending_add(l.p, buf_view(&note), 5, &ack, &f));
    step(&l, 100);
    assert_int_equal(pending_count(l.p), 1);
    assert_true(index_has(&l, "\"type\":\"revoke\",\"log_answered\":400"));
    /* so does what it is silent about, for as long as it takes */
    fetch_http_free(l.http);
    must(fetch_http_new(&(struct fetch_http_options){.base = "http://127.0.0.1:1", .tries = 1},
                        &l.http, &f));
    l.fetch = fetch_http(l.http);
    buf_clear(&ack);
    peers_note(&x, &note);
    must(pending_add(l.p, buf_view(&note), 6, &ack, &f));
    step(&l, 200);
    assert_int_equal(pending_count(l.p), 2);
    assert_true(index_has(&l, "\"received_ms\":6,\"type\":\"key\",\"log_answered\":0"));
    /* a damaged deposit is left aside, the others are there */
    struct record r;
    char hex[HASH_HEX_LEN + 1], path[100];
    must(record_parse(buf_view(&note), &r, &f));
    hash_hex(&r.id, hex);
    snprintf(path, sizeof path, "pending/%s.note", hex);
    scratch_flip(scratch_path(l.copy, path), 30);
    pending_close(l.p);
    open_pending(&l);
    assert_int_equal(pending_count(l.p), 1);
    buf_release(&note);
    buf_release(&ack);
    close_side(&x, &l);
}

static void test_http(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct log_side l;
    struct buf note;
    struct http_client *c;
    struct http_answer a;
    struct mirror_site site;
    struct http_server *s;
    char url[100];
    setup_side(&x, &l);
    buf_init(&note, 65536);
    site.pending = l.p;
    must(static_open(&(struct static_options){.dir = l.copy, .rules = mirror_static_rules,
                                              .rule_count = mirror_static_rule_count},
                     &site.files, &f));
    must(http_server_start(&(struct http_options){.threads = 1}, mirror_routes, mirror_route_count,
                           &site, &s, &f));
    must(http_client_new(NULL, &c, &f));
    peers_note(&x, &note);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/records", http_server_port(s));
    struct http_call call = {.method = "POST", .url = url, .body = buf_view(&note)};
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 202);
    assert_non_null(strstr(buf_cstr(&a.body), "hesabu/deposit/v1\nlog " PEERS_ORIGIN "\nrecord "));
    http_answer_release(&a);
    call.body = SPAN_LIT("not a record");
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 400);
    http_answer_release(&a);
    step(&l, 10);
    static const struct {
        const char *path, *type;
    } reads[] = {{"", "text/html; charset=utf-8"},
                 {"checkpoint", "text/plain; charset=utf-8"},
                 {"pending/index.json", "application/json"},
                 {"results/index.json", "application/json"},
                 {"tile/0/000.p/5", "application/octet-stream"}};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        snprintf(url, sizeof url, "http://127.0.0.1:%u/%s", http_server_port(s), reads[i].path);
        must(http_call(c, &(struct http_call){.method = "GET", .url = url}, &a, &f));
        assert_int_equal(a.status, 200);
        assert_string_equal(a.type, reads[i].type);
        http_answer_release(&a);
    }
    http_client_free(c);
    http_server_stop(s, 500);
    static_close(site.files);
    buf_release(&note);
    close_side(&x, &l);
}

int main(void) {
    diag_level_set(DIAG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deposit),
        cmocka_unit_test(test_refusals_and_silence),
        cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
