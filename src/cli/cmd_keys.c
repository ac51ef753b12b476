/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu keys: new, show, enrol, grant, revoke, acting. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/keys_token.h"
#include "cli/send.h"
#include "cli/tree.h"
#include "cli/values.h"
#include "crypto/keyfile.h"
#include "election/canonical_json.h"
#include "election/compose.h"
#include "paper/qr.h"
#include "service/notes.h"

int cmd_keys(int argc, char **argv);

enum { CONTESTS_MAX = 200 };

/* --- new, show --- */

/* What two people read to each other: the first 16 bytes of SHA-256 of the verifier key. */
static void fingerprint(struct span vkey, char out[40]) {
    struct hash h = sha256(vkey);
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&h, hex);
    for (int i = 0, o = 0; i < 32; i++) {
        out[o++] = hex[i];
        if (i % 4 == 3) out[o++] = i == 31 ? 0 : ' ';
    }
}

static void draw_qr(struct span text) {
    static const char *const block[] = {"\u2588", "\u2580", "\u2584", " "}; /* light on dark */
    struct qr_code *q = malloc(sizeof *q);
    struct fail f;
    if (!q || qr_encode(text, q, &f) != OK) {
        free(q);
        return;
    }
    for (int y = -4; y < q->side + 4; y += 2) {
        for (int x = -4; x < q->side + 4; x++) {
            int dark[2];
            for (int k = 0; k < 2; k++) {
                bool inside = x >= 0 && x < q->side && y + k >= 0 && y + k < q->side;
                dark[k] = inside && q->dark[(y + k) * q->side + x];
            }
            fputs(block[dark[0] * 2 + dark[1]], stdout);
        }
        fputc('\n', stdout);
    }
    free(q);
}

static int show_key(const struct keyfile *k, bool json, bool qr) {
    struct span vkey = k->vkey;
    const struct note_key *key = &k->key;
    bool simulated = k->simulated;
    char print[40];
    fingerprint(vkey, print);
    if (json) {
        struct buf b;
        buf_init(&b, 8192);
        struct json_out j = json_out(&b);
        json_object(&j);
        json_kspan(&j, "name", key->name);
        json_kspan(&j, "vkey", vkey);
        json_kstr(&j, "fingerprint", print);
        json_kbool(&j, "simulated", simulated);
        if (k->on_token) keys_token_json(&k->at, &j);
        json_object_end(&j);
        buf_byte(&b, '\n');
        int code = cli_print(buf_view(&b));
        buf_release(&b);
        return code;
    }
    printf("name         %.*s%s\nverifier key %.*s\nfingerprint  %s\n", SPAN_ARG(key->name),
           simulated ? "  (SIMULATED: unprotected)" : "", (int)vkey.n, (const char *)vkey.p, print);
    if (k->on_token) keys_token_print(&k->at);
    if (qr) draw_qr(vkey);
    return 0;
}

static err make_key(const char *name, bool cosigner, const char *passphrase_file, bool simulated,
                    struct buf *file, struct fail *f) {
    uint8_t seed[ED25519_SEED_BYTES];
    struct buf secret;
    struct note_signer *signer = secret_alloc(sizeof *signer);
    if (!signer) return fail_set(f, E_MEMORY, "no locked memory for a key");
    buf_init(&secret, 1024);
    secret_random(seed, sizeof seed);
    err e = note_signer_make(span_text(name), cosigner ? NOTE_TYPE_COSIGNATURE : NOTE_TYPE_ED25519,
                             seed, signer, f);
    secret_wipe(seed, sizeof seed);
    if (e == OK && simulated) e = keyfile_write_simulated(signer, file, f);
    if (e == OK && !simulated) {
        e = folder_passphrase_new(passphrase_file, &secret, f);
        if (e == OK) e = keyfile_write(signer, buf_view(&secret), SECRET_KDF_DEFAULT, file, f);
    }
    if (secret.p) secret_wipe(secret.p, secret.cap);
    buf_release(&secret);
    secret_free(signer);
    return e;
}

static int keys_new(int argc, char **argv) {
    const char *out = NULL, *passphrase = NULL;
    bool simulated = false, json = false, cosigner = false;
    struct keys_token token = {0};
    const struct opt options[] = {
        {"--out", OPT_TEXT, &out, "FILE", "where to write the key file (NAME.key)"},
        {"--passphrase-file", OPT_TEXT, &passphrase, "FILE", "its passphrase, or the token's PIN (else $HESABU_PASSPHRASE, or asked for)"},
        {"--token", OPT_TEXT, &token.token, "LABEL", "make it on this token; FILE then says where it is"},
        {"--module", OPT_TEXT, &token.module, "PATH", "the token's PKCS#11 module ($HESABU_PKCS11)"},
        {"--on-token", OPT_FLAG, &token.there, NULL, "with --token: make no key, take one that is there"},
        {"--id", OPT_TEXT, &token.id, "HEX", "with --on-token: which key, by its id"},
        {"--label", OPT_TEXT, &token.label, "TEXT", "with --on-token: which key, by its label (NAME)"},
        {"--cosigner", OPT_FLAG, &cosigner, NULL, "a witness's key, for cosigning checkpoints"},
        {"--simulated", OPT_FLAG, &simulated, NULL, "for demonstrations: no passphrase, marked SIMULATED"},
        {"--json", OPT_FLAG, &json, NULL, "print the verifier key as JSON"},
    };
    const struct usage u = {"keys new NAME [--out FILE] [--token LABEL --module PATH [--on-token]]",
                            "Makes an Ed25519 key on this device, in a file under a passphrase (Argon2id), or on a\n"
                            "hardware token (PKCS#11 with CKM_EDDSA), which it never leaves.\n"
                            "A name has a-z, 0-9, '.', '/', '_', '-': no personal name; it stands in the log\n"
                            "for ever. Keep a copy: nobody can restore a lost key, only grant a new one.",
                            options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf file;
    struct keyfile k;
    char path[PATH_MAX_LEN];
    buf_init(&file, KEYFILE_BYTES_MAX);
    const char *base = strrchr(argv[0], '/');
    (void)snprintf(path, sizeof path, "%s.key", base ? base + 1 : argv[0]);
    if (!out) out = path;
    err e = file_exists(out) ? fail_set(&f, E_EXISTS, "%s is there already; a key file is never "
                                                      "overwritten: give another --out",
                                        out)
                             : OK;
    if (e == OK) e = keys_token_check(&token, simulated, &f);
    if (e == OK)
        e = token.token ? keys_token_make(&token, argv[0], cosigner, passphrase, &file, &f)
                        : make_key(argv[0], cosigner, passphrase, simulated, &file, &f);
    if (e == OK) e = file_write_durable(out, buf_view(&file), 0600, &f);
    if (e == OK) e = keyfile_parse(buf_view(&file), &k, &f);
    if (e == OK) {
        code = show_key(&k, json, false);
        if (!json) printf("written to %s\n", out);
    }
    if (file.p) secret_wipe(file.p, file.cap);
    buf_release(&file);
    return e == OK ? code : cli_fail("keys", &f);
}

static int keys_show(int argc, char **argv) {
    bool json = false, qr = false, check = false;
    const char *passphrase = NULL;
    const struct opt options[] = {
        {"--qr", OPT_FLAG, &qr, NULL, "draw the verifier key as a QR code in the terminal"},
        {"--json", OPT_FLAG, &json, NULL, "as JSON"},
        {"--check", OPT_FLAG, &check, NULL, "open it and sign a trial text, to see that key, token and PIN work"},
        {"--passphrase-file", OPT_TEXT, &passphrase, "FILE", "with --check: its passphrase, or its token's PIN"},
    };
    const struct usage u = {"keys show FILE [--qr] [--json] [--check]",
                            "Shows a key's name, verifier key and fingerprint, and the token that it lies on. Needs\n"
                            "no passphrase, but for --check.",
                            options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf file;
    struct keyfile k;
    buf_init(&file, KEYFILE_BYTES_MAX);
    err e = file_read(argv[0], KEYFILE_BYTES_MAX, &file, &f);
    if (e == OK) e = keyfile_parse(buf_view(&file), &k, &f);
    if (e == OK && check) e = keys_token_try_file(argv[0], passphrase, &f);
    if (e == OK) code = show_key(&k, json, qr);
    if (e == OK && check && !json) printf("it signs\n");
    if (file.p) secret_wipe(file.p, file.cap);
    buf_release(&file);
    return e == OK ? code : cli_fail("keys", &f);
}

/* --- enrol --- */

static int by_span(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

struct enrol {
    const char *role, *unit, *holder, *party, *election, *from, *until, *out, *passphrase;
    struct opt_list contests;
};

static err enrol_text(const struct enrol *x, struct span vkey, struct buf *text, struct fail *f) {
    struct span contests[CONTESTS_MAX];
    struct compose_key k = {.vkey = vkey, .party = x->party ? span_text(x->party) : (struct span){0},
                            .unit = span_text(x->unit), .not_after_ms = CJ_MAX_INT};
    k.role = role_by_name(span_text(x->role));
    if (k.role == ROLE_COUNT) {
        struct buf names;
        buf_init(&names, 1000);
        for (int r = 0; r < ROLE_COUNT; r++) {
            if (r) buf_str(&names, ", ");
            buf_str(&names, role_name((enum role)r));
        }
        fail_set(f, E_USAGE, "\"%.40s\" is not a role; these are: %s", x->role, buf_cstr(&names));
        buf_release(&names);
        return E_USAGE;
    }
    TRY(tree_election(x->election, &k.election, f));
    k.holder = sha256(vkey);
    if (x->holder) TRY(hash_from_hex(span_text(x->holder), &k.holder, f));
    if (x->from) TRY(value_time(x->from, &k.not_before_ms, f));
    if (x->until) TRY(value_time(x->until, &k.not_after_ms, f));
    if (x->contests.n > CONTESTS_MAX) return fail_set(f, E_USAGE, "more than %d contests", CONTESTS_MAX);
    for (size_t i = 0; i < x->contests.n; i++) contests[i] = span_text(x->contests.at[i]);
    if (x->contests.n) qsort(contests, x->contests.n, sizeof *contests, by_span);
    k.contests = contests;
    k.contest_count = x->contests.n;
    compose_key(text, &k);
    return buf_ok(text, f);
}

static int keys_enrol(int argc, char **argv) {
    struct enrol x = {0};
    const struct opt options[] = {
        {"--role", OPT_TEXT, &x.role, "ROLE", "presiding-officer, returning-officer, agent, clerk, ..."},
        {"--unit", OPT_TEXT, &x.unit, "CODE", "the reporting unit that the key is for"},
        {"--election", OPT_TEXT, &x.election, "WHERE", "the manifest's id, an anchor file, DIR or URL"},
        {"--party", OPT_TEXT, &x.party, "ID", "of an agent, a party's or an observer group's key"},
        {"--contest", OPT_LIST, &x.contests, "ID", "only for this contest (may be given several times)"},
        {"--holder", OPT_TEXT, &x.holder, "HEX", "64 digits that stand for the person, if two keys are one person's (else the key's own hash)"},
        {"--from", OPT_TEXT, &x.from, "TIME", "valid from (2017-08-08T05:00:00Z; always)"},
        {"--until", OPT_TEXT, &x.until, "TIME", "valid until (always)"},
        {"--out", OPT_TEXT, &x.out, "FILE", "the request to bring to the granter (FILE.request)"},
        {"--passphrase-file", OPT_TEXT, &x.passphrase, "FILE", "the key's passphrase"},
    };
    const struct usage u = {
        "keys enrol FILE --role ROLE --unit CODE --election WHERE",
        "Writes a request for a grant: a key record signed by the new key itself (proof of possession).\n"
        "Bring it in person to whoever may grant the role; compare the fingerprint there.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct folder_key key = {0};
    struct buf text, vkey, note;
    char path[PATH_MAX_LEN], print[40] = "";
    buf_init(&text, 8192);
    buf_init(&vkey, 1024);
    buf_init(&note, 16384);
    (void)snprintf(path, sizeof path, "%.3000s.request", argv[0]);
    if (!x.out) x.out = path;
    err e = x.role && x.unit && x.election
                ? folder_key_open(argv[0], x.passphrase, &key, &f)
                : fail_set(&f, E_USAGE, "--role, --unit and --election are needed");
    if (e == OK) {
        note_vkey_format(&key.signer->key, &vkey);
        e = enrol_text(&x, buf_view(&vkey), &text, &f);
    }
    if (e == OK) {
        const struct note_signer *signers[] = {key.signer};
        e = notes_sign(buf_view(&text), signers, 1, &note, &f);
    }
    if (e == OK) e = file_write_durable(x.out, buf_view(&note), 0644, &f);
    if (e == OK) {
        fingerprint(buf_view(&vkey), print);
        printf("request written to %s\nfingerprint %s\nnext: the granter runs 'hesabu keys grant %s --key "
               "THEIRS'\n",
               x.out, print, x.out);
    }
    folder_key_release(&key);
    buf_release(&text);
    buf_release(&vkey);
    buf_release(&note);
    return e == OK ? 0 : cli_fail("keys", &f);
}

/* --- grant --- */

/* The new key's own line must hold; anything else is for the log to judge. */
static err check_request(struct span bytes, struct record *r, struct note_key *key, struct fail *f) {
    TRY(record_parse(bytes, r, f));
    if (r->type != REC_KEY)
        return fail_set(f, E_TYPE, "a %s record is not a request for a key", record_info(r->type)->name);
    err e = cj_check(r->json, f);
    if (e != OK) return fail_context(f, e, "the request");
    TRY(note_vkey_parse(notes_member(r, "key"), key, f));
    for (size_t i = 0; i < r->split.count; i++)
        if (note_line_is_by(&r->lines[i], key)) return note_verify(key, r->text, &r->lines[i], f);
    return fail_set(f, E_POSSESSION, "the new key has not signed the request: whoever made it may not "
                                     "hold that key");
}

static void show_time(const char *what, struct span ms, const char *open) {
    uint64_t v = strtoull(ms.n && ms.n < 20 ? (const char *)ms.p : "0", NULL, 10);
    char text[21];
    clock_format_utc(v, text);
    fprintf(stderr, "  %-12s %s\n", what, v == 0 || v == CJ_MAX_INT ? open : text);
}

static void show_request(const struct record *r) {
    static const char *const members[] = {"role", "unit", "party", "contests", "holder", "election"};
    struct span vkey = notes_member(r, "key");
    char print[40];
    fingerprint(vkey, print);
    fprintf(stderr, "to be granted:\n  %-12s %.*s\n  %-12s %s\n", "key", (int)vkey.n,
            (const char *)vkey.p, "fingerprint", print);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct span v = notes_member(r, members[i]);
        if (v.p) fprintf(stderr, "  %-12s %.*s\n", members[i], (int)v.n, (const char *)v.p);
    }
    show_time("valid from", notes_member(r, "not_before_ms"), "always");
    show_time("valid until", notes_member(r, "not_after_ms"), "always");
}

static bool agreed(void) {
    char line[16];
    fprintf(stderr, "Is the person here, and does their device show this fingerprint? [y/N] ");
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int keys_grant(int argc, char **argv) {
    struct make_options m = {0};
    bool yes = false;
    const struct opt options[] = {
        {"--yes", OPT_FLAG, &yes, NULL, "do not ask"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "keys grant REQUEST --key GRANTER [--send URL]",
        "Checks a request made by 'hesabu keys enrol', shows what will be granted, and adds the granter's\n"
        "signature. Several granters (commissioners) sign one after the other. The result replaces the\n"
        "request unless --out is given; --send brings it to the log.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf in;
    struct note_key key;
    struct record *r = malloc(sizeof *r);
    buf_init(&in, ENTRY_MAX);
    err e = !r         ? fail_set(&f, E_MEMORY, "no memory for a record")
            : m.keys.n ? file_read(argv[0], ENTRY_MAX, &in, &f)
                       : fail_set(&f, E_USAGE, "--key FILE is needed: who grants?");
    if (e == OK) e = check_request(buf_view(&in), r, &key, &f);
    if (e == OK) show_request(r);
    if (e == OK && !yes && !isatty(0))
        e = fail_set(&f, E_USAGE, "nobody is here to confirm; give --yes if it was confirmed");
    if (e == OK && !yes && !agreed()) e = fail_set(&f, E_USAGE, "not granted");
    if (!m.out && !m.send.url) m.out = argv[0];
    code = e == OK ? make_finish("keys", &m, buf_view(&in)) : cli_fail("keys", &f);
    buf_release(&in);
    free(r);
    return code;
}

/* --- revoke, acting --- */

static int keys_revoke(int argc, char **argv) {
    struct make_options m = {0};
    const char *reason = NULL, *since = NULL, *election = NULL;
    const struct opt options[] = {
        {"--reason", OPT_TEXT, &reason, "WORD", "lost, stolen, died, replaced, resigned, dismissed, error, ended"},
        {"--suspect-since", OPT_TEXT, &since, "TIME", "records of the key from then on are put in question"},
        {"--election", OPT_TEXT, &election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "keys revoke NAME --reason WORD --key KEY [--send URL]",
        "Revokes a key from the log's next entry on. What it signed before stays admissible; with\n"
        "--suspect-since it is shown as in question. Signed by the key itself or by one that may grant it.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct hash id;
    struct buf text;
    uint64_t since_ms = UINT64_MAX;
    buf_init(&text, 4096);
    if (!election) election = m.send.url;
    err e = reason && election ? tree_election(election, &id, &f)
                               : fail_set(&f, E_USAGE, "--reason and --election (or --send) are needed");
    if (e == OK && since) e = value_time(since, &since_ms, &f);
    if (e == OK) {
        compose_revoke(&text, &id, span_text(argv[0]), reason, since_ms);
        e = buf_ok(&text, &f);
    }
    code = e == OK ? make_finish("keys", &m, buf_view(&text)) : cli_fail("keys", &f);
    buf_release(&text);
    return code;
}

static int keys_acting(int argc, char **argv) {
    struct make_options m = {0};
    const char *reason = NULL, *unit = NULL, *election = NULL;
    const struct opt options[] = {
        {"--reason", OPT_TEXT, &reason, "WORD", "died, ill, absent, resigned, detained, suspended, kit-failed"},
        {"--unit", OPT_TEXT, &unit, "CODE", "the officer's unit"},
        {"--election", OPT_TEXT, &election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {"keys acting OFFICER_KEY --reason WORD --unit CODE --key DEPUTY [--send URL]",
                            "A deputy (the first --key) declares, for a reason, to act for the officer with the named key.",
                            options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct hash id;
    struct buf text, deputy;
    buf_init(&text, 4096);
    buf_init(&deputy, 1024);
    if (!election) election = m.send.url;
    err e = reason && unit && election && m.keys.n
                ? tree_election(election, &id, &f)
                : fail_set(&f, E_USAGE,
                           "--reason, --unit, --key and --election (or --send) are needed");
    if (e == OK) e = folder_key_name(m.keys.at[0], &deputy, &f);
    if (e == OK) {
        compose_acting(&text, &id, buf_view(&deputy), span_text(argv[0]), reason, span_text(unit));
        e = buf_ok(&text, &f);
    }
    code = e == OK ? make_finish("keys", &m, buf_view(&text)) : cli_fail("keys", &f);
    buf_release(&text);
    buf_release(&deputy);
    return code;
}

int cmd_keys(int argc, char **argv) {
    static const struct command actions[] = {
        {"new", keys_new, "make a key on this device"},
        {"show", keys_show, "a key's name, verifier key and fingerprint"},
        {"enrol", keys_enrol, "request a role for a key, with proof of possession"},
        {"grant", keys_grant, "check a request and grant it"},
        {"revoke", keys_revoke, "revoke a key"},
        {"acting", keys_acting, "act for an officer, as deputy"},
    };
    size_t n = sizeof actions / sizeof *actions;
    for (size_t i = 0; argc > 1 && i < n; i++)
        if (strcmp(argv[1], actions[i].name) == 0) return actions[i].run(argc - 1, argv + 1);
    bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    FILE *to = help ? stdout : stderr;
    if (argc > 1 && !help) fprintf(to, "hesabu keys: there is no action \"%s\"\n", argv[1]);
    fprintf(to, "usage: hesabu keys ACTION [options]\n\n");
    for (size_t i = 0; i < n; i++) fprintf(to, "  %-8s %s\n", actions[i].name, actions[i].summary);
    fprintf(to, "\n'hesabu keys ACTION --help' tells more.\n");
    return help ? 0 : err_info(E_USAGE)->exit;
}
