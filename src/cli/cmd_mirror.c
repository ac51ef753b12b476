/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu mirror: a verified copy of a log. */
#include <stdio.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/listen.h"
#include "election/anchor.h"
#include "http/fetch_http.h"
#include "http/mirror_routes.h"
#include "service/mirror.h"
#include "service/page.h"

int cmd_mirror(int argc, char **argv);

enum { PATIENCE_ONCE_MS = 6000, PATIENCE_FOLLOW_MS = 60000, BEHIND_WAIT_MS = 1000, GRACE_MS = 2000,
       CONNECTIONS = 4096, PER_ADDRESS = 64 };

struct opts {
    const char *dir, *anchor, *log, *objects, *url, *listen, *key, *passphrase_file, *portal;
    struct opt_list exempt, proxies;
    uint64_t interval, rate;
    bool once, follow, recheck, json, quiet;
};

/* Where the log's key comes from; spans borrow from `text`. */
struct trust {
    struct buf text;
    struct anchor anchor;
    struct note_key log;
    bool anchored;
};

/* --anchor, --log, what the copy was begun with, or (first use) what the server says. */
static err find_trust(const struct opts *o, struct fetcher *fetch, struct trust *t,
                      struct fail *f) {
    char path[PATH_MAX_LEN];
    buf_init(&t->text, ANCHOR_BYTES_MAX);
    if (o->anchor) {
        TRY(file_read(o->anchor, ANCHOR_BYTES_MAX, &t->text, f));
        TRY(anchor_parse(buf_view(&t->text), &t->anchor, f));
        t->log = t->anchor.log;
        t->anchored = true;
        return OK;
    }
    if (o->log) return note_vkey_parse(span_text(o->log), &t->log, f);
    TRY(path_join(path, sizeof path, o->dir, "log.vkey", f));
    err e = file_read(path, NOTE_VKEY_BYTES_MAX, &t->text, f);
    if (e == E_NOT_FOUND) {
        struct fetch_item it = {.path = "log.vkey"};
        buf_init(&it.body, NOTE_VKEY_BYTES_MAX);
        e = fetch->get(fetch->ctx, &it, 1, f);
        if (e == OK && it.status != 200)
            e = fail_set(f, E_NETWORK, "%s has no log.vkey (%d): is it a log?", o->url, it.status);
        if (e == OK) buf_span(&t->text, buf_view(&it.body));
        buf_release(&it.body);
        if (e == OK)
            diag(DIAG_WARN, "no --anchor: taking the key that the server itself names; compare it with "
                            "the gazetted one");
    }
    TRY(e);
    if (t->text.n && t->text.p[t->text.n - 1] == '\n') t->text.n--;
    return note_vkey_parse(buf_view(&t->text), &t->log, f);
}

static int show(const struct opts *o, const struct trust *t, const struct mirror_report *r,
                const struct fail *failed) {
    struct buf b;
    struct json_out j = json_out(&b);
    buf_init(&b, 65536);
    if (o->json) {
        json_object(&j);
        json_ku64(&j, "size", r->size);
        json_ku64(&j, "added", r->added);
        json_ku64(&j, "objects", r->objects);
        json_ku64(&j, "objects_missing", r->missing);
        json_kstr(&j, "trust", t->anchored ? "anchored" : "self-declared");
        json_ku64(&j, "witnesses", r->witnesses);
        json_ku64(&j, "cosigned", r->cosigned);
        json_kbool(&j, "quorum", r->quorum);
        json_kbool(&j, "behind", r->behind);
        json_ku64(&j, "refused", r->refused);
        if (r->refused) json_kstr(&j, "refused_why", r->refused_why);
        json_kbool(&j, "results_differ", r->results_differ);
        if (r->evidence[0]) json_kstr(&j, "evidence", r->evidence);
        if (failed) json_kstr(&j, "code", err_info(failed->code)->name);
        if (failed) json_kstr(&j, "sentence", failed->text);
        json_object_end(&j);
        buf_byte(&b, '\n');
    } else if (!failed) {
        buf_printf(&b, "%llu entries, %llu new, all under the log's checkpoint",
                   (unsigned long long)r->size, (unsigned long long)r->added);
        if (r->has_policy)
            buf_printf(&b, "; witnessed by %zu of %zu%s", r->cosigned, r->witnesses,
                       r->quorum ? "" : ", not yet enough");
        if (r->missing)
            buf_printf(&b, "; %llu objects not to be had", (unsigned long long)r->missing);
        if (r->behind) buf_str(&b, "; the server shows an older state just now");
        buf_byte(&b, '\n');
        if (r->refused)
            buf_printf(&b, "the server has published %llu records that the rules refuse; the first: %s\n",
                       (unsigned long long)r->refused, r->refused_why);
        if (r->results_differ)
            buf_str(&b, "the server's results/index.json is not what the records give: trust the copy's\n");
    }
    int code = b.n ? cli_print(buf_view(&b)) : 0;
    fflush(stdout);
    buf_release(&b);
    return code;
}

/* What a later try may mend. */
static bool is_passing(err e) {
    return e == E_NETWORK || e == E_TIMEOUT || e == E_TILE || e == E_OBJECT || e == E_OBJECT_MISSING ||
           e == E_SIGNATURE || e == E_UNSIGNED || e == E_NOTE || e == E_CHECKPOINT || e == E_UTF8 ||
           e == E_BASE64 || e == E_NOT_FOUND || e == E_TOO_LARGE;
}

/* --- serving the copy, taking deposits --- */

struct site {
    struct mirror_site routes;
    struct keyring *keys;
    struct folder_key key;
    struct http_server *server;
    struct fetcher fetch;
    struct mirror *m;
};

static void site_stop(struct site *s) {
    http_server_stop(s->server, GRACE_MS);
    pending_close(s->routes.pending);
    static_close(s->routes.files);
    keyring_free(s->keys);
    if (s->key.signer) folder_key_release(&s->key);
}

static err site_start(const struct opts *o, const struct trust *t, struct site *s, struct fail *f) {
    char address[LISTEN_ADDRESS_MAX];
    uint16_t port;
    TRY(listen_parse(o->listen, address, &port, f));
    TRY(keyring_new(&s->keys, f));
    TRY(keyring_update(s->keys, mirror_fold(s->m), f));
    if (o->key) TRY(folder_key_open(o->key, o->passphrase_file, &s->key, f));
    TRY(pending_open(&(struct pending_options){.dir = o->dir, .origin = t->log.name,
                                               .key = s->key.signer, .keys = s->keys},
                     &s->routes.pending, f));
    TRY(static_open(&(struct static_options){.dir = o->dir, .rules = mirror_static_rules,
                                             .rule_count = mirror_static_rule_count,
                                             .any_origin = true, .html_policy = page_policy},
                    &s->routes.files, f));
    struct http_options ho = {.address = address, .port = port, .max_connections = CONNECTIONS,
                              .exempt = o->exempt.at, .exempt_count = o->exempt.n,
                              .proxies = o->proxies.at, .proxy_count = o->proxies.n};
    ho.per_peer.per_second = (uint32_t)(o->rate < 100000 ? o->rate : 100000);
    ho.per_peer.burst = ho.per_peer.per_second * 4;
    ho.per_peer.connections = PER_ADDRESS;
    TRY(http_server_start(&ho, mirror_routes, mirror_route_count, &s->routes, &s->server, f));
    fprintf(stderr, "listening on http://%s:%u/\n", address, http_server_port(s->server));
    return OK;
}

static bool is_logged(void *ctx, const struct hash *id) {
    return mirror_has(ctx, id);
}

static err site_step(struct site *s, struct fail *f) {
    if (!s->server) return OK;
    TRY(keyring_update(s->keys, mirror_fold(s->m), f));
    return pending_step(s->routes.pending, &s->fetch, is_logged, s->m, clock_wall_ms(), f);
}

static err run(const struct opts *o, const struct trust *t, struct mirror *m, struct site *s,
               struct fail *f) {
    struct mirror_report r = {0};
    bool alarmed = false;
    err e = OK;
    for (bool first = true; !listen_stopped(); first = false) {
        e = mirror_update(m, &r, f);
        cli_progress_end();
        f->code = e;
        struct fail pf;
        if (site_step(s, &pf) != OK) diag(DIAG_ERROR, "deposits: %s", pf.text);
        bool alarm = e == E_FORK || e == E_REWIND;
        bool news = first || r.added || r.behind || (alarm && !alarmed);
        if (e != OK && !alarm && o->follow && is_passing(e)) diag(DIAG_WARN, "%s", f->text);
        if (news && (e == OK || o->json) && show(o, t, &r, e == OK ? NULL : f)) return E_IO;
        if (alarm && o->follow && !alarmed) diag(DIAG_ERROR, "%s", f->text);
        alarmed = alarmed || alarm;
        if (!o->follow) {
            if (e != OK || !r.behind) return e;
            listen_wait(BEHIND_WAIT_MS);
            continue;
        }
        if (e != OK && !alarm && !is_passing(e)) return e;
        listen_wait((uint32_t)o->interval);
    }
    return alarmed ? e : OK;
}

static void progress(void *ctx, uint64_t done, uint64_t total) {
    (void)ctx;
    cli_progress("mirror", done, total);
}

static err start(const struct opts *o, struct fail *f) {
    struct fetch_http *http;
    struct trust t = {0};
    struct mirror *m = NULL;
    TRY(fetch_http_new(&(struct fetch_http_options){.base = o->url}, &http, f));
    struct fetcher fetch = fetch_http(http);
    err e = find_trust(o, &fetch, &t, f);
    if (e == OK) {
        struct mirror_options mo = {.dir = o->dir, .fetch = fetch, .log = t.log,
                                    .portal_dir = o->portal,
                                    .policy = t.anchored ? t.anchor.policy : (struct span){0},
                                    .manifest = t.anchored ? &t.anchor.manifest : NULL,
                                    .all_objects = strcmp(o->objects, "all") == 0,
                                    .recheck = o->recheck, .progress = progress,
                                    .patience_ms = o->follow ? PATIENCE_FOLLOW_MS : PATIENCE_ONCE_MS};
        e = mirror_open(&mo, &m, f);
        cli_progress_end();
    }
    struct site s = {.fetch = fetch, .m = m};
    if (e == OK && o->listen) e = site_start(o, &t, &s, f);
    if (e == OK) e = run(o, &t, m, &s, f);
    site_stop(&s);
    mirror_close(m);
    fetch_http_free(http);
    buf_release(&t.text);
    return e;
}

int cmd_mirror(int argc, char **argv) {
    struct opts o = {.objects = "consensus", .interval = 2000, .rate = 50};
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &o.dir, "DIR", "the copy"},
        {"--anchor", OPT_TEXT, &o.anchor, "FILE", "the gazetted trust anchor: key, manifest, witnesses"},
        {"--log", OPT_TEXT, &o.log, "VKEY", "the log's verifier key, when there is no anchor"},
        {"--objects", OPT_TEXT, &o.objects, "all|consensus", "also images and the like, or only what results need (consensus)"},
        {"--portal", OPT_TEXT, &o.portal, "DIR", "what its pages show beside the log: map, translations, other copies (the election's portal/, or a preset)"},
        {"--once", OPT_FLAG, &o.once, NULL, "copy what there is, then end (the default)"},
        {"--follow", OPT_FLAG, &o.follow, NULL, "keep copying until told to stop"},
        {"--interval", OPT_U64, &o.interval, "MS", "how often --follow asks (2000)"},
        {"--listen", OPT_TEXT, &o.listen, "ADDR:PORT", "with --follow: serve the copy, and take deposits (POST /records)"},
        {"--key", OPT_TEXT, &o.key, "FILE", "signs acknowledgements of deposits (an ordinary key)"},
        {"--passphrase-file", OPT_TEXT, &o.passphrase_file, "FILE", "the key's passphrase"},
        {"--rate", OPT_U64, &o.rate, "N", "requests a second and address (50)"},
        {"--exempt", OPT_LIST, &o.exempt, "PREFIX", "addresses without a budget"},
        {"--proxy", OPT_LIST, &o.proxies, "PREFIX", "reverse proxies, whose X-Forwarded-For is believed"},
        {"--recheck", OPT_FLAG, &o.recheck, NULL, "look at every file of the copy again and repair it"},
        {"--json", OPT_FLAG, &o.json, NULL, "one JSON object for each update"},
        {"--quiet", OPT_FLAG, &o.quiet, NULL, "only errors on standard error"},
    };
    const struct usage u = {
        "mirror URL --dir DIR [--anchor FILE] [--follow]",
        "Copies a log's public tree into DIR, in the same layout, and checks all of it on the way: the\n"
        "log's signature, that nothing signed before was changed or taken away, every entry against the\n"
        "checkpoint, the objects against their hashes. Results are computed here from the records. DIR\n"
        "can be served by any web server and read by 'hesabu verify DIR'.\n\n"
        "  hesabu mirror https://results.example.org/ --dir copy --anchor anchor --follow\n\n"
        "With --listen it serves the copy and takes signed records that the log would not: they are\n"
        "acknowledged with the time, listed in pending/index.json and forwarded until the log has them.\n\n"
        "If the log ever contradicts itself, both signed checkpoints are kept in DIR/evidence and the\n"
        "copy stays as it was. Exit codes: 0 the copy is complete; 1 evidence of a fork or rewind, or\n"
        "the server gave damaged data; 2 something that is needed was not to be had; 69 no server.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    err e = OK;
    o.url = argv[0];
    if (o.quiet) diag_level_set(DIAG_ERROR);
    if (!o.dir)
        e = fail_set(&f, E_USAGE, "say where the copy is: --dir DIR");
    else if (o.once && o.follow)
        e = fail_set(&f, E_USAGE, "--once or --follow, not both");
    else if (strcmp(o.objects, "all") != 0 && strcmp(o.objects, "consensus") != 0)
        e = fail_set(&f, E_USAGE, "--objects is all or consensus");
    else if (o.interval < 100 || o.interval > 3600000)
        e = fail_set(&f, E_USAGE, "--interval is 100 to 3600000 ms");
    else if (o.listen && !o.follow)
        e = fail_set(&f, E_USAGE, "--listen goes with --follow");
    if (e == OK) {
        listen_catch_signals();
        e = start(&o, &f);
    }
    return e == OK ? 0 : cli_fail("mirror", &f);
}
