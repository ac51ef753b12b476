/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu bundle: what a court asked for, as one folder that verifies offline. */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/tree.h"
#include "cli/values.h"
#include "service/bundle.h"
#include "source_hash.h"

int cmd_bundle(int argc, char **argv);

enum { ORDER_BYTES = 1 << 20, ADDED_MAX = 256 };

static void progress(void *ctx, uint64_t done, uint64_t total) {
    (void)ctx;
    cli_progress("bundle", done, total);
}

struct bundling {
    const char *dir, *order, *restricted, *made;
    bool json, items;
    struct opt_list add;
    struct bundle_options o;
};

/* "ITEM=FILE" */
static err parse_added(const struct opt_list *list, struct bundle_added *out, struct fail *f) {
    for (size_t i = 0; i < list->n; i++) {
        const char *equals = strchr(list->at[i], '=');
        if (!equals || equals == list->at[i] || equals[1] == 0)
            return fail_set(f, E_USAGE, "--add takes ITEM=FILE, not \"%s\"", list->at[i]);
        out[i] = (struct bundle_added){span_of(list->at[i], (size_t)(equals - list->at[i])), equals + 1};
        bool known = span_is(out[i].code, "other");
        for (size_t k = 0; k < bundle_item_count(); k++)
            known |= span_is(out[i].code, bundle_item(k)->code);
        if (!known)
            return fail_set(f, E_USAGE, "there is no item \"%.*s\"; 'hesabu bundle --items' lists them",
                            SPAN_ARG(out[i].code));
    }
    return OK;
}

static int list_items(void) {
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < bundle_item_count(); i++)
        buf_printf(&b, "%-18s %s%s\n", bundle_item(i)->code, bundle_item(i)->asked,
                   bundle_item(i)->file ? "" : " (not kept by this system)");
    int code = cli_print(buf_view(&b));
    buf_release(&b);
    return code;
}

static void report(const struct bundling *x, const struct bundle_report *r, struct buf *b) {
    char n[4][32];
    if (x->json) {
        struct json_out j = json_out(b);
        json_object(&j);
        json_kstr(&j, "bundle", x->o.out);
        json_ku64(&j, "files", r->files);
        json_ku64(&j, "bytes", r->bytes);
        json_ku64(&j, "records", r->records);
        json_ku64(&j, "signatures_verified", r->signatures);
        json_ku64(&j, "items_present", r->present);
        json_ku64(&j, "items_absent", r->absent);
        json_kstr(&j, "trust", r->anchored ? "anchored" : "self-declared");
        json_object_end(&j);
        buf_byte(b, '\n');
        return;
    }
    buf_printf(b,
               "%s: %s files, %s bytes; %s records replayed, %s signatures verified\n"
               "%zu items answered, %zu absent with the reason\n"
               "next: read %s/index.html; have %s/certificate.html signed;\n"
               "      anybody checks it with 'hesabu verify %s --anchor FILE', without any network\n",
               x->o.out, value_grouped(r->files, n[0]), value_grouped(r->bytes, n[1]),
               value_grouped(r->records, n[2]), value_grouped(r->signatures, n[3]), r->present,
               r->absent, x->o.out, x->o.out, x->o.out);
}

static err run(struct bundling *x, struct fail *f) {
    struct arena a;
    struct buf order_bytes, b;
    struct bundle_order order;
    struct bundle_report r;
    struct bundle_added added[ADDED_MAX];
    struct tree tree;
    TRY(tree_open(x->dir, &tree, f));
    if (tree.url) {
        tree_close(&tree);
        return fail_set(f, E_USAGE, "a bundle is made from a folder: first 'hesabu mirror %s --dir COPY "
                                    "--objects all'", x->dir);
    }
    arena_init(&a, 16 << 20);
    buf_init(&order_bytes, ORDER_BYTES);
    buf_init(&b, 65536);
    x->o.tree = tree.base;
    x->o.added = added;
    x->o.added_count = x->add.n;
    err e = parse_added(&x->add, added, f);
    if (e == OK && x->order) {
        e = file_read(x->order, ORDER_BYTES, &order_bytes, f);
        if (e == OK) e = bundle_order_parse(buf_view(&order_bytes), &a, &order, f);
        if (e == OK) x->o.order = &order;
    }
    x->o.made_ms = clock_wall_ms();
    if (e == OK && x->made) e = value_time(x->made, &x->o.made_ms, f);
    if (e == OK) e = bundle_make(&x->o, &r, f);
    cli_progress_end();
    if (e == OK) report(x, &r, &b);
    if (e == OK && cli_print(buf_view(&b))) e = fail_set(f, E_IO, "standard output");
    buf_release(&b);
    buf_release(&order_bytes);
    arena_release(&a);
    tree_close(&tree);
    return e;
}

int cmd_bundle(int argc, char **argv) {
    struct bundling x = {.o = {.version = HESABU_VERSION, .source = SOURCE_HASH, .progress = progress}};
    const struct opt options[] = {
        {"--out", OPT_TEXT, &x.o.out, "FOLDER", "where to: a folder that is not there yet"},
        {"--anchor", OPT_TEXT, &x.o.anchor, "FILE", "the gazetted trust anchor (else the tree's own)"},
        {"--order", OPT_TEXT, &x.order, "FILE", "the order: a line an item, \"CODE: words\" or words alone"},
        {"--items", OPT_FLAG, &x.items, NULL, "list the items that have a code, and end"},
        {"--add", OPT_LIST, &x.add, "ITEM=FILE", "a file that answers an item (may be given several times)"},
        {"--restricted", OPT_TEXT, &x.o.restricted, "DIR", "the forms' originals too, from DIR/private/restricted"},
        {"--responsible", OPT_TEXT, &x.o.person, "NAME", "who certifies (else left blank on the certificate)"},
        {"--position", OPT_TEXT, &x.o.position, "TEXT", "and in which position"},
        {"--made-at", OPT_TEXT, &x.made, "TIME", "the time that the bundle bears (now)"},
        {"--json", OPT_FLAG, &x.json, NULL, "one JSON object on standard output"},
    };
    const struct usage u = {
        "bundle DIR --out FOLDER [--order FILE] [--anchor FILE]",
        "Makes the court's bundle: the complete public record of the election (DIR, a mirror or the\n"
        "election's folder), tables of what the records say, the answer to an order item by item,\n"
        "present or absent with the reason, an index to read (HTML and PDF) and the certificate to be\n"
        "signed. Everything is verified from the first record while it is made; 'hesabu verify FOLDER'\n"
        "does it again without any network.",
        options, sizeof options / sizeof *options, 0, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    if (x.items) return list_items();
    struct fail f = {0};
    if (nargs != 1 || !x.o.out) {
        (void)fail_set(&f, E_USAGE, "name the election's folder, and --out FOLDER for the bundle");
        return cli_fail("bundle", &f);
    }
    x.dir = argv[0];
    err e = run(&x, &f);
    f.code = e;
    return e == OK ? 0 : cli_fail("bundle", &f);
}
