/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu desk: how the tally desk is doing, and how each of its people works, from the log alone. */
#include <stdio.h>
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "election/clerks.h"
#include "election/fold.h"

int cmd_desk(int argc, char **argv);

static void table(const struct fold *s, const struct clerks_report *r, struct buf *out) {
    buf_printf(out, "%llu forms with an image; %llu read often enough, %llu agreed, %llu by a third person; "
                    "%llu where no two agree; %llu seals lapsed\n\n",
               (unsigned long long)r->forms, (unsigned long long)r->read, (unsigned long long)r->agreed,
               (unsigned long long)r->third, (unsigned long long)r->disagree, (unsigned long long)r->lapsed);
    if (r->n == 0) return;
    buf_printf(out, "%-32s %7s %7s %7s %9s %8s %8s  %s\n", "key", "sealed", "opened", "lapsed", "overruled",
               "fields", "minutes", "shares errors with");
    for (size_t i = 0; i < r->n; i++) {
        const struct clerk *k = &r->items[i];
        struct key_view key, other;
        fold_key_at(s, k->key, &key);
        buf_printf(out, "%-32.*s %7llu %7llu %7llu %9llu %8llu %8llu", SPAN_ARG(key.name),
                   (unsigned long long)k->sealed, (unsigned long long)k->opened, (unsigned long long)k->lapsed,
                   (unsigned long long)k->overruled, (unsigned long long)k->fields_wrong,
                   (unsigned long long)(k->median_ms / 60000));
        if (k->partner != UINT32_MAX) {
            fold_key_at(s, k->partner, &other);
            buf_printf(out, "  %.*s (%llu of %llu)", SPAN_ARG(other.name), (unsigned long long)k->partner_errors,
                       (unsigned long long)k->fields_wrong);
        }
        buf_byte(out, '\n');
    }
    buf_str(out, "\nfields: figures that differ from what was settled on. minutes: median from image to seal. The\n"
                 "same wrong figure in two readings can be a copy, or a form that everybody misreads: look at it.\n");
}

int cmd_desk(int argc, char **argv) {
    const char *anchor = NULL;
    bool json = false;
    const struct opt options[] = {
        {"--anchor", OPT_TEXT, &anchor, "FILE", "the gazetted trust anchor"},
        {"--json", OPT_FLAG, &json, NULL, "JSON"},
    };
    const struct usage u = {
        "desk DIR|URL [--json]",
        "How the tally desk is doing, recomputed from the records: forms read, agreed, read by a third\n"
        "person; and for each key how many readings it sealed, opened or let lapse, how often it was\n"
        "overruled, how fast it is, and with whom it shares mistakes.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct tree tree = {0};
    struct tree_log log = {0};
    struct arena a;
    struct buf out;
    struct clerks_report r;
    struct tree_log_options o = {.anchor = anchor, .what = "desk"};
    arena_init(&a, (size_t)2 << 30);
    buf_init(&out, 64 << 20);
    err e = tree_open(argv[0], &tree, &f);
    if (e == OK) e = tree_log_read(&tree, &o, &log, &f);
    if (e == OK) e = clerks_compute(log.fold, clock_wall_ms(), &a, &r, &f);
    if (e == OK && json) clerks_json(log.fold, &r, &out);
    if (e == OK && !json) table(log.fold, &r, &out);
    if (e == OK) e = buf_ok(&out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("desk", &f);
    buf_release(&out);
    arena_release(&a);
    tree_log_release(&log);
    tree_close(&tree);
    return code;
}
