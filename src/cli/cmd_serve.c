/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu serve: the daemon. */
#include <stdio.h>
#include "base/diag.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/listen.h"
#include "http/daemon.h"

int cmd_serve(int argc, char **argv);

int cmd_serve(int argc, char **argv) {
    const char *dir = NULL, *listen = "127.0.0.1:8080", *guard = NULL, *key = NULL,
               *passphrase = NULL, *store = NULL, *unconfirmed = NULL, *watch = NULL;
    uint64_t interval = 1000, data_every = 600, threads = 0, rate = 0, burst = 0;
    bool quiet = false, standby = false, take_over = false;
    struct opt_list exempt = {0}, proxies = {0}, witnesses = {0}, host_logs = {0};
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &dir, "DIR", "the election's folder, made by 'hesabu init' or 'demo'"},
        {"--listen", OPT_TEXT, &listen, "ADDR:PORT", "where to listen (127.0.0.1:8080; port 0: any)"},
        {"--key", OPT_TEXT, &key, "FILE", "the log's key (DIR/private/log.key)"},
        {"--passphrase-file", OPT_TEXT, &passphrase, "FILE", "its passphrase or token's PIN (else $HESABU_PASSPHRASE, or asked for)"},
        {"--guard", OPT_TEXT, &guard, "FILE", "the roll-back guard, best on another disk (DIR/private/guard)"},
        {"--store", OPT_TEXT, &store, "STORE", "where the records are: sqlite, or postgres:CONNINFO as psql takes it (what DIR says)"},
        {"--standby", OPT_FLAG, &standby, NULL, "wait while another daemon sequences this log, then go on in its place"},
        {"--take-over", OPT_FLAG, &take_over, NULL, "go on in the place of a daemon that stands still but holds the database"},
        {"--witness", OPT_LIST, &witnesses, "NAME=URL", "where a witness of the policy is reached"},
        {"--unconfirmed", OPT_TEXT, &unconfirmed, "REASON", "sign although witnesses have not confirmed the stored log"},
        {"--interval", OPT_U64, &interval, "MS", "shortest time between publications (1000)"},
        {"--data-every", OPT_U64, &data_every, "S", "seconds between exports into public/data (600; 0: none)"},
        {"--threads", OPT_U64, &threads, "N", "HTTP threads (one a processor)"},
        {"--rate", OPT_U64, &rate, "N", "requests a second and address (50)"},
        {"--burst", OPT_U64, &burst, "N", "requests at once and address (200)"},
        {"--exempt", OPT_LIST, &exempt, "PREFIX", "addresses without a budget, e.g. 127.0.0.0/8"},
        {"--proxy", OPT_LIST, &proxies, "PREFIX", "reverse proxies, whose X-Forwarded-For is believed"},
        {"--host-log", OPT_LIST, &host_logs, "[KIND=]FILE", "hash this machine's own log into the log each hour (kinds: host, database, firewall, administrator)"},
        {"--watch", OPT_TEXT, &watch, "CONTEST=CHOICE", "publish live forensic events (watch.json); CHOICE is the one looked at"},
        {"--quiet", OPT_FLAG, &quiet, NULL, "only warnings and errors on standard error"},
    };
    const struct usage u = {
        "serve --dir DIR [--listen ADDR:PORT]",
        "Runs the log of one election: takes signed records (POST /records), sequences them, answers\n"
        "with receipts, publishes tiles, results and the first page, and collects cosignatures.\n"
        "Serves DIR/public at /. Put nginx in front for TLS. SIGTERM and SIGINT stop it in good order;\n"
        "after a crash just start it again.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    char address[LISTEN_ADDRESS_MAX];
    uint16_t port;
    if (!dir) {
        f.code = fail_set(&f, E_USAGE, "say which election: --dir DIR");
        return cli_fail("serve", &f);
    }
    if (listen_parse(listen, address, &port, &f) != OK) return cli_fail("serve", &f);
    if (quiet) diag_level_set(DIAG_WARN);
    listen_catch_signals();
    struct note_signer *log;
    struct folder_key held;
    err e = folder_log_key(dir, key, passphrase, &held, &log, &f);
    if (e != OK) return cli_fail("serve", &f);
    struct daemon_options o = {.dir = dir, .guard_path = guard, .store = store, .take_over = take_over, .log = log, .address = address,
                               .port = port, .threads = (unsigned)threads,
                               .interval_ms = (uint32_t)interval,
                               .no_data = data_every == 0,
                               .data_interval_ms = (uint32_t)(data_every > 86400 ? 86400 : data_every) * 1000, .per_second = (uint32_t)rate,
                               .burst = (uint32_t)burst, .exempt = exempt.at,
                               .exempt_count = exempt.n, .proxies = proxies.at,
                               .proxy_count = proxies.n, .witnesses = witnesses.at,
                               .witness_count = witnesses.n, .unconfirmed = unconfirmed, .watch = watch,
                               .host_logs = host_logs.at, .host_log_count = host_logs.n};
    struct daemon *d;
    e = daemon_start(&o, &d, &f);
    if (e == E_LOCKED && standby) diag(DIAG_INFO, "standing by: %s", f.text);
    while (e == E_LOCKED && standby && !listen_stopped()) {
        listen_wait(1000);
        e = daemon_start(&o, &d, &f);
    }
    if (e != OK) {
        folder_key_release(&held);
        return cli_fail("serve", &f);
    }
    printf("listening on http://%s:%u/\n", address, daemon_port(d));
    fflush(stdout);
    while (!listen_stopped() && !daemon_failed(d)) listen_wait(200);
    bool failed = daemon_failed(d);
    daemon_stop(d);
    folder_key_release(&held);
    if (failed) {
        fail_set(&f, E_IO, "stopped after an error (see above); start it again");
        return cli_fail("serve", &f);
    }
    return 0;
}
