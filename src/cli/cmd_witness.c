/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu witness: cosigns the checkpoints of logs that only grow. */
#include <stdio.h>
#include <stdlib.h>
#include "base/diag.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/listen.h"
#include "crypto/keyfile.h"
#include "election/anchor.h"
#include "http/witness_routes.h"

int cmd_witness(int argc, char **argv);

enum { GRACE_MS = 2000, CONNECTIONS = 256, PER_ADDRESS = 32 };

struct opts {
    const char *dir, *key, *passphrase_file, *listen, *new_name, *out;
    struct opt_list logs, anchors, exempt, proxies;
    uint64_t rate;
    bool simulated, quiet;
};

/* --- a new key --- */

static err new_passphrase(const struct opts *o, struct buf *out, struct fail *f) {
    const char *env = getenv("HESABU_PASSPHRASE");
    if (o->passphrase_file) {
        TRY(file_read(o->passphrase_file, out->max, out, f));
        while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r')) out->n--;
    } else if (env) {
        buf_str(out, env);
    }
    if (out->n == 0)
        return fail_set(f, E_PASSPHRASE, "a new key needs a passphrase: --passphrase-file FILE or "
                                         "$HESABU_PASSPHRASE (or --simulated, for demonstrations)");
    return buf_ok(out, f);
}

static err write_key(const struct opts *o, struct note_signer *signer, struct fail *f) {
    struct buf file, secret;
    buf_init(&file, KEYFILE_BYTES_MAX);
    buf_init(&secret, 1024);
    err e = o->simulated ? OK : new_passphrase(o, &secret, f);
    if (e == OK)
        e = o->simulated
                ? keyfile_write_simulated(signer, &file, f)
                : keyfile_write(signer, buf_view(&secret), SECRET_KDF_DEFAULT, &file, f);
    if (e == OK && file_exists(o->out))
        e = fail_set(f, E_EXISTS, "%s exists; a key is never overwritten", o->out);
    if (e == OK) e = file_write_durable(o->out, buf_view(&file), 0600, f);
    if (file.p) secret_wipe(file.p, file.cap);
    if (secret.p) secret_wipe(secret.p, secret.cap);
    buf_release(&file);
    buf_release(&secret);
    return e;
}

static err new_key(const struct opts *o, struct fail *f) {
    uint8_t seed[ED25519_SEED_BYTES];
    struct note_signer *signer = secret_alloc(sizeof *signer);
    if (!signer) return fail_set(f, E_MEMORY, "no locked memory for a key");
    secret_random(seed, sizeof seed);
    err e = note_signer_make(span_text(o->new_name), NOTE_TYPE_COSIGNATURE, seed, signer, f);
    secret_wipe(seed, sizeof seed);
    if (e == OK) e = write_key(o, signer, f);
    if (e == OK) {
        struct buf vkey;
        buf_init(&vkey, NOTE_VKEY_BYTES_MAX);
        note_vkey_format(&signer->key, &vkey);
        printf("%s\n", buf_cstr(&vkey));
        buf_release(&vkey);
    }
    secret_free(signer);
    return e;
}

/* --- running --- */

/* The logs to watch; names borrow from the command line and from texts[]. */
static err read_logs(const struct opts *o, struct note_key *logs, size_t *n, struct buf *texts,
                     struct fail *f) {
    *n = 0;
    if (o->logs.n + o->anchors.n > WITNESS_LOGS_MAX)
        return fail_set(f, E_USAGE, "a witness watches at most %d logs", WITNESS_LOGS_MAX);
    for (size_t i = 0; i < o->logs.n; i++)
        TRY(note_vkey_parse(span_text(o->logs.at[i]), &logs[(*n)++], f));
    for (size_t i = 0; i < o->anchors.n; i++) {
        struct anchor a;
        TRY(file_read(o->anchors.at[i], ANCHOR_BYTES_MAX, &texts[i], f));
        err e = anchor_parse(buf_view(&texts[i]), &a, f);
        if (e != OK) return fail_context(f, e, "%s", o->anchors.at[i]);
        logs[(*n)++] = a.log;
    }
    return OK;
}

static err serve(const struct opts *o, struct witness *w, const struct note_key *key,
                 struct fail *f) {
    char address[LISTEN_ADDRESS_MAX];
    uint16_t port;
    TRY(listen_parse(o->listen, address, &port, f));
    struct http_options ho = {.address = address, .port = port, .max_connections = CONNECTIONS,
                              .exempt = o->exempt.at, .exempt_count = o->exempt.n,
                              .proxies = o->proxies.at, .proxy_count = o->proxies.n};
    ho.per_peer.per_second = (uint32_t)(o->rate < 100000 ? o->rate : 100000);
    ho.per_peer.burst = ho.per_peer.per_second * 10;
    ho.per_peer.connections = PER_ADDRESS;
    struct http_server *s;
    TRY(http_server_start(&ho, witness_routes, witness_route_count, w, &s, f));
    struct buf vkey;
    buf_init(&vkey, NOTE_VKEY_BYTES_MAX);
    note_vkey_format(key, &vkey);
    printf("listening on http://%s:%u/ as %s\n", address, http_server_port(s), buf_cstr(&vkey));
    fflush(stdout);
    buf_release(&vkey);
    while (!listen_stopped()) listen_wait(200);
    http_server_stop(s, GRACE_MS);
    return OK;
}

static err run(const struct opts *o, struct fail *f) {
    static struct note_key logs[WITNESS_LOGS_MAX];
    struct buf texts[WITNESS_LOGS_MAX];
    struct folder_key key = {0};
    struct witness *w = NULL;
    size_t n;
    for (size_t i = 0; i < o->anchors.n; i++) buf_init(&texts[i], ANCHOR_BYTES_MAX);
    err e = read_logs(o, logs, &n, texts, f);
    if (e == OK) e = folder_key_open(o->key, o->passphrase_file, &key, f);
    if (e == OK) {
        struct witness_options wo = {.dir = o->dir, .key = key.signer, .logs = logs, .log_count = n};
        e = witness_open(&wo, &w, f);
        if (e == OK) e = serve(o, w, &key.signer->key, f);
        witness_close(w);
        folder_key_release(&key);
    }
    for (size_t i = 0; i < o->anchors.n; i++) buf_release(&texts[i]);
    return e;
}

int cmd_witness(int argc, char **argv) {
    struct opts o = {.listen = "127.0.0.1:8081", .rate = 20};
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &o.dir, "DIR", "where this witness keeps what it has cosigned"},
        {"--key", OPT_TEXT, &o.key, "FILE", "its key (a cosigner's: see --new)"},
        {"--passphrase-file", OPT_TEXT, &o.passphrase_file, "FILE", "the key's passphrase (else $HESABU_PASSPHRASE, or asked for)"},
        {"--log", OPT_LIST, &o.logs, "VKEY", "a log to watch, by its verifier key"},
        {"--anchor", OPT_LIST, &o.anchors, "FILE", "a log to watch, by its gazetted trust anchor"},
        {"--listen", OPT_TEXT, &o.listen, "ADDR:PORT", "where to listen (127.0.0.1:8081; port 0: any)"},
        {"--rate", OPT_U64, &o.rate, "N", "requests a second and address (20)"},
        {"--exempt", OPT_LIST, &o.exempt, "PREFIX", "addresses without a budget, e.g. the log's server"},
        {"--proxy", OPT_LIST, &o.proxies, "PREFIX", "reverse proxies, whose X-Forwarded-For is believed"},
        {"--new", OPT_TEXT, &o.new_name, "NAME", "make a cosigner's key of this name and print its verifier key"},
        {"--out", OPT_TEXT, &o.out, "FILE", "where --new writes the key"},
        {"--simulated", OPT_FLAG, &o.simulated, NULL, "with --new: an unprotected key, for demonstrations"},
        {"--quiet", OPT_FLAG, &o.quiet, NULL, "only warnings and errors on standard error"},
    };
    const struct usage u = {
        "witness --dir DIR --key FILE (--log VKEY | --anchor FILE)... [--listen ADDR:PORT]",
        "Watches logs for a party, an observer or a court: cosigns a checkpoint only when it extends\n"
        "every one cosigned before, so that a log cannot show different people different records while\n"
        "too few witnesses lie. Speaks the witness protocol (C2SP tlog-witness): the log calls\n"
        "POST /add-checkpoint; GET /healthz shows the state. Put a proxy in front for TLS.\n\n"
        "  hesabu witness --new observers.example/w1 --out w1.key    prints the verifier key for the policy\n"
        "  hesabu witness --dir w1 --key w1.key --anchor anchor --listen 0.0.0.0:8081\n\n"
        "Never restore DIR from a backup: the witness might then contradict itself. If DIR is lost,\n"
        "begin with an empty one and a new key, and have the policy amended.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    err e = OK;
    if (o.quiet) diag_level_set(DIAG_WARN);
    if (o.new_name) {
        e = o.out ? new_key(&o, &f) : fail_set(&f, E_USAGE, "say where the key goes: --out FILE");
    } else if (!o.dir || !o.key || o.logs.n + o.anchors.n == 0) {
        e = fail_set(&f, E_USAGE, "--dir, --key and one or more of --log and --anchor are needed");
    } else {
        listen_catch_signals();
        e = run(&o, &f);
    }
    return e == OK ? 0 : cli_fail("witness", &f);
}
