/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu init: begins an election's log with its signed manifest. */
#include <stdio.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "http/daemon.h"
#include "service/beside.h"
#include "service/rebuild.h"
#include "service/setup.h"

int cmd_init(int argc, char **argv);

enum { OBJECT_MAX = 1 << 30 };

static err read_part(const char *dir, const char *name, struct buf *out, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, name, f));
    return file_read(path, out->max, out, f);
}

/* The log's key goes along, so that `serve` finds it. */
static err keep_key(const char *dir, const struct folder_key *key, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, "private/log.key", f));
    if (file_exists(path)) return OK;
    TRY(file_mkdirs_for(path, f));
    return file_write_durable(path, buf_view(&key->text), 0600, f);
}

static void progress(void *ctx, uint64_t done, uint64_t total) {
    (void)ctx;
    cli_progress("rebuild", done, total);
}

/* What the preset brings for the portal's pages goes along. */
static err take_portal(const char *dir, const char *define, struct fail *f) {
    char from[PATH_MAX_LEN], to[PATH_MAX_LEN];
    TRY(path_join(from, sizeof from, define, "portal", f));
    TRY(path_join(to, sizeof to, dir, "portal", f));
    return beside_install(from, to, f);
}

static err begin(const char *dir, const char *define, const char *manifest,
                 const struct folder_key *key, const char *guard, const char *store,
                 struct fail *f) {
    struct buf note, units, contests;
    buf_init(&note, 65536);
    buf_init(&units, OBJECT_MAX);
    buf_init(&contests, OBJECT_MAX);
    struct daemon_options o = {.dir = dir, .log = key->signer, .no_http = true, .guard_path = guard,
                               .store = store};
    struct daemon *d = NULL;
    err e = manifest ? file_read(manifest, note.max, &note, f)
                     : read_part(define, "manifest.note", &note, f);
    if (e == OK) e = read_part(define, "units", &units, f);
    if (e == OK) e = read_part(define, "contests", &contests, f);
    if (e == OK) e = keep_key(dir, key, f);
    if (e == OK) e = take_portal(dir, define, f);
    if (e == OK) e = daemon_start(&o, &d, f);
    if (e == OK)
        e = setup_begin(daemon_sequencer(d), buf_view(&note), buf_view(&units), buf_view(&contests), f);
    daemon_stop(d);
    buf_release(&note);
    buf_release(&units);
    buf_release(&contests);
    return e;
}

/* A server was lost: the same log goes on from a copy. */
static err again(const char *dir, const char *mirror, const struct folder_key *key,
                 const char *guard, const char *store, uint64_t *size, struct fail *f) {
    struct rebuild_options o = {.dir = dir, .mirror = mirror, .log = key->signer, .guard_path = guard,
                                .store = store,
                                .progress = progress};
    TRY(rebuild_from_mirror(&o, size, f));
    cli_progress_end();
    return keep_key(dir, key, f);
}

int cmd_init(int argc, char **argv) {
    const char *mirror = NULL;
    const char *dir = NULL, *define = NULL, *manifest = NULL, *key = NULL, *passphrase = NULL,
               *guard = NULL, *store = NULL;
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &dir, "DIR", "the new election's folder"},
        {"--define", OPT_TEXT, &define, "DIR", "what 'hesabu define' wrote"},
        {"--manifest", OPT_TEXT, &manifest, "FILE", "the signed manifest (DIR/manifest.note)"},
        {"--log-key", OPT_TEXT, &key, "FILE", "the log's key file"},
        {"--passphrase-file", OPT_TEXT, &passphrase, "FILE", "its passphrase, or its token's PIN"},
        {"--from-mirror", OPT_TEXT, &mirror, "DIR", "rebuild a lost log from a mirror's copy, instead of --define"},
        {"--guard", OPT_TEXT, &guard, "FILE", "the roll-back guard (DIR/private/guard)"},
        {"--store", OPT_TEXT, &store, "STORE", "where the records go: sqlite, a file in DIR (the default), or postgres:CONNINFO as psql takes it, without a password"},
    };
    const struct usage u = {"init --dir DIR --define DIR --log-key FILE [--manifest FILE]",
                            "Begins the log: its first entry is the manifest that the commissioners\n"
                            "signed. Afterwards 'hesabu serve --dir DIR' runs it, and DIR/public/anchor\n"
                            "is the trust anchor to be gazetted.\n\n"
                            "With --from-mirror the log of a lost server goes on from a verified copy, which\n"
                            "must hold everything that the witnesses have seen. Originals of forms are in no\n"
                            "mirror: restore DIR/private/restricted from its backup. With --store and a database that\n"
                            "holds the log already, DIR becomes the folder of one more machine (repeatable).",
                            options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (!dir || !define == !mirror || !key) {
        fail_set(&f, E_USAGE, "--dir, --log-key and one of --define and --from-mirror are needed");
        return cli_fail("init", &f);
    }
    struct folder_key k;
    err e = folder_key_open(key, passphrase, &k, &f);
    if (e != OK) return cli_fail("init", &f);
    uint64_t size = 1;
    e = mirror ? again(dir, mirror, &k, guard, store, &size, &f)
               : begin(dir, define, manifest, &k, guard, store, &f);
    folder_key_release(&k);
    if (e != OK) return cli_fail("init", &f);
    if (mirror) {
        printf("the log is here again, with %llu entries\nnext: hesabu serve --dir %s\n",
               (unsigned long long)size, dir);
        return 0;
    }
    printf("the log has begun; gazette %s/public/anchor\nnext: hesabu serve --dir %s\n", dir, dir);
    return 0;
}
