/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu hostlog: a log file of a host, as produced, against the hashes that were taken of it hourly. */
#include <stdio.h>
#include "base/file.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "cli/values.h"
#include "service/hostlog.h"

int cmd_hostlog(int argc, char **argv);

static void say(const char *path, uint64_t size, const struct hostlog_match *m, bool json) {
    struct buf b;
    buf_init(&b, 8192);
    char x[32], y[32];
    if (json) {
        struct json_out j = json_out(&b);
        json_object(&j);
        json_kstr(&j, "file", path);
        json_ku64(&j, "size", size);
        json_ku64(&j, "rows", m->rows);
        json_ku64(&j, "same", m->same);
        json_ku64(&j, "other", m->other);
        json_ku64(&j, "covered", m->covered);
        if (m->first) json_ku64(&j, "first_entry", m->first->entry);
        if (m->first) json_ku64(&j, "first_ms", m->first->to_ms);
        if (m->last) json_ku64(&j, "last_entry", m->last->entry);
        if (m->last) json_ku64(&j, "last_ms", m->last->to_ms);
        json_object_end(&j);
        buf_byte(&b, '\n');
    } else {
        buf_printf(&b, "%s: %zu of %zu hashes in the log are of its beginning\n", path, m->same, m->rows);
        if (m->last)
            buf_printf(&b, "its first %s of %s bytes are what was there (%.*s, entries %llu to %llu)\n",
                       value_grouped(m->covered, x), value_grouped(size, y), SPAN_ARG(m->last->host),
                       (unsigned long long)m->first->entry, (unsigned long long)m->last->entry);
        if (m->last && m->covered < size && !m->other)
            buf_printf(&b, "what follows was written after the last hash: nothing vouches for it\n");
    }
    (void)cli_print(buf_view(&b));
    buf_release(&b);
}

int cmd_hostlog(int argc, char **argv) {
    const char *dir = NULL, *file = NULL, *host = NULL, *kind = NULL, *anchor = NULL;
    bool json = false;
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &dir, "DIR|URL", "the election's public tree"},
        {"--check", OPT_TEXT, &file, "FILE", "the log file, as somebody produced it"},
        {"--host", OPT_TEXT, &host, "NAME", "only hashes of this host and file, as results/hosts.json names them"},
        {"--kind", OPT_TEXT, &kind, "WORD", "only logs of this kind: host, database, firewall, administrator"},
        {"--anchor", OPT_TEXT, &anchor, "FILE", "the gazetted trust anchor"},
        {"--json", OPT_FLAG, &json, NULL, "as JSON"},
    };
    const struct usage u = {
        "hostlog --check FILE --dir DIR|URL [--host NAME]",
        "Says how much of a host's log file is what was there when the election's log took its hashes\n"
        "('hesabu serve --host-log'). Exit code 0: every hash of this file holds; 1: it was changed; 2: no\n"
        "hash is of its beginning.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct tree t;
    struct tree_log log;
    struct span bytes;
    struct hostlog_match m = {0};
    unsigned which = HOST_LOG_KINDS;
    if (!dir || !file) {
        fail_set(&f, E_USAGE, "--dir and --check are needed");
        return cli_fail("hostlog", &f);
    }
    if (kind && (which = host_log_kind(span_text(kind))) == HOST_LOG_KINDS) {
        fail_set(&f, E_USAGE, "\"%.40s\" is not a kind of log", kind);
        return cli_fail("hostlog", &f);
    }
    err e = tree_open(dir, &t, &f);
    if (e != OK) return cli_fail("hostlog", &f);
    struct tree_log_options o = {.anchor = anchor, .what = "hostlog"};
    e = tree_log_read(&t, &o, &log, &f);
    if (e == OK) {
        e = file_map(file, &bytes, &f);
        if (e == OK) {
            e = hostlog_compare(log.fold, bytes, host ? span_text(host) : (struct span){0}, which, &m, &f);
            if (e == OK) say(file, bytes.n, &m, json);
            file_unmap(bytes);
        }
        if (e == OK && m.other)
            e = fail_set(&f, E_OBJECT, "%zu later hashes of the same file do not hold: after byte %llu it is not "
                                       "what was there",
                         m.other, (unsigned long long)m.covered);
        else if (e == OK && m.same == 0)
            e = fail_set(&f, E_NOT_FOUND, "no hash in the log is of this file's beginning: either it was changed "
                                          "from there on, or it was never watched");
        tree_log_release(&log);
    }
    tree_close(&t);
    return e == OK ? 0 : cli_fail("hostlog", &f);
}
