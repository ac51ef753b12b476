/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu scan: what stands on photographed or scanned forms, and on slips. */
#include <stdio.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/machine_reading.h"
#include "cli/scan_duplicates.h"
#include "cli/slip_check.h"
#include "cli/tree_log.h"
#include "paper/mask.h"

int cmd_scan(int argc, char **argv);

static const char about[] =
    "Reads photographs and scans (JPEG, PNG, PDF) of forms printed by 'hesabu forms', in any\n"
    "rotation: identity, every figure with its score, the best other value and the reason for\n"
    "each one that it does not answer, signatures and stamp. One JSON object a line. Each file is\n"
    "decoded in a process that can reach neither files nor network. A machine's reading is\n"
    "evidence to compare with, never a result.\n\n"
    "With --dir the figures that were sent for that station are held against the image, each with\n"
    "agrees, differs or cannot-tell. Not for those who type the form blind.\n\n"
    "The officer's slip: with --dir the signed result in its code is checked against the "
    "election's\n"
    "log: signatures by keys that the log knows, and whether the log has that result.\n\n"
    "With --duplicates every file (or file of a folder) is compared with every other: the same "
    "bytes,\n"
    "or the same signatures and stamp, that is one paper photographed twice; pairs with different\n"
    "stations or figures are marked.\n\n"
    "With --mask the named zones of one image are painted over (the public object), its metadata\n"
    "is dropped, and both hashes and the rectangles are printed.\n\n"
    "example: hesabu scan photo1.jpg scans.pdf --page 2\n"
    "         hesabu scan slip.jpg --dir https://results.example.org --anchor gazetted.anchor\n"
    "         hesabu scan --duplicates photos/\n\n"
    "exit codes: 0 every file was read; 1 at least one was refused (its line says why), a slip is "
    "not\n"
    "valid, or --duplicates marked a pair.";

struct masking {
    const char *kinds; /* "agent_id,agent_phone", or NULL */
    const char *out;
};

/* The public object beside the original, and what the image record says about it. */
static err mask(struct span file, const struct scan_result *s, const struct masking *m,
                struct json_out *j, struct fail *f) {
    struct mask_result done;
    struct buf published;
    unsigned kinds;
    TRY(mask_kinds(m->kinds, &kinds, f));
    TRY(mask_zones(s, kinds, &done, f));
    buf_init(&published, (size_t)64 << 20);
    err e = mask_file(file, &done, &published, f);
    if (e == OK) e = file_write_durable(m->out, buf_view(&published), 0644, f);
    buf_release(&published);
    if (e != OK) return e;
    json_key(j, "mask");
    json_object(j);
    json_khex(j, "original", hash_span(&done.original));
    json_khex(j, "published", hash_span(&done.published));
    json_key(j, "rectangles");
    json_array(j);
    for (size_t i = 0; i < done.rect_count; i++) {
        const int v[4] = {done.rect[i].x, done.rect[i].y, done.rect[i].w, done.rect[i].h};
        json_array(j);
        for (int k = 0; k < 4; k++) json_i64(j, v[k]);
        json_array_end(j);
    }
    json_array_end(j);
    json_object_end(j);
    return OK;
}

/* What a slip's note is worth to whoever has the log. */
static err check_slip(const struct tree_log *log, const struct scan_result *s, struct json_out *j,
                      struct fail *f) {
    struct slip_check check;
    TRY(slip_check(log, span_of(s->note, s->note_size), &check, f));
    json_key(j, "slip");
    slip_check_json(log, &check, j);
    if (check.verdict == SLIP_INVALID) return fail_set(f, check.code, "%s", check.reason);
    return OK;
}

/* A form of a station whose result the log has: what the image says of the figures that were sent. */
static void against_log(const struct tree_log *log, const struct scan_result *s, struct json_out *j) {
    struct buf b;
    buf_init(&b, 1 << 16);
    struct json_out part = json_out(&b);
    if (machine_against_json(log, s, &part) && !b.failed) {
        json_key(j, "against_log");
        json_raw(j, buf_view(&b));
    }
    buf_release(&b);
}

static err one(const struct reader *r, const char *path, unsigned page,
               const struct scan_options *o, const struct masking *m, const struct tree_log *log,
               struct json_out *j, struct fail *f) {
    struct span file;
    struct scan_result result;
    struct sandbox_usage usage = {0};
    struct hash hash;
    char hex[HASH_HEX_LEN + 1];
    TRY(file_map(path, &file, f));
    err e = scan_file(r, file, page, o, &result, &usage, &hash, f);
    hash_hex(&hash, hex);
    json_kstr(j, "sha256", hex);
    if (e == OK && m->kinds) e = mask(file, &result, m, j, f);
    file_unmap(file);
    if (e != OK) return e;
    json_key(j, "scan");
    scan_result_json(&result, j);
    json_kdouble(j, "cpu_seconds", usage.cpu_seconds);
    json_ku64(j, "peak_kb", usage.peak_kb);
    if (log) against_log(log, &result, j);
    return log && result.note_size ? check_slip(log, &result, j, f) : OK;
}

struct args {
    uint64_t page;
    struct masking mask;
    const char *dir, *anchor;
    bool duplicates;
};

static int scan_all(const struct reader *r, const struct args *a, const struct tree_log *log,
                    char **files, int n) {
    const struct scan_options o = {.rules = decode_default_rules()};
    struct fail f = {0};
    int code = 0;
    for (int i = 0; i < n; i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        struct json_out j = json_out(&b);
        json_object(&j);
        json_kstr(&j, "file", files[i]);
        const err e = one(r, files[i], (unsigned)(a->page > 9999 ? 9999 : a->page), &o, &a->mask,
                          log, &j, &f);
        if (e != OK) {
            json_kstr(&j, "error", err_info(e)->name);
            json_kstr(&j, "reason", f.text);
            code = 1;
        }
        json_object_end(&j);
        buf_byte(&b, '\n');
        const int printed = cli_print(buf_view(&b));
        buf_release(&b);
        if (printed) code = printed;
    }
    return code;
}

static err run(const struct args *a, char **files, int n, int *code, struct fail *f) {
    struct reader r;
    struct tree tree = {0};
    struct tree_log log = {0};
    const struct scan_options o = {.rules = decode_default_rules()};
    const struct tree_log_options options = {.anchor = a->anchor, .what = "scan"};
    if ((a->mask.kinds != NULL) != (a->mask.out != NULL) || (a->mask.kinds && n != 1))
        return fail_set(f, E_USAGE, "--mask and --out go together, with one image");
    if (a->duplicates && (a->mask.kinds || a->dir))
        return fail_set(f, E_USAGE, "--duplicates stands alone");
    if (a->anchor && !a->dir) return fail_set(f, E_USAGE, "--anchor goes with --dir");
    TRY(reader_init_builtin(&r, f));
    err e = OK;
    if (a->dir) e = tree_open(a->dir, &tree, f);
    if (a->dir && e == OK) e = tree_log_read(&tree, &options, &log, f);
    if (e == OK && a->duplicates)
        e = scan_duplicates(&r, files, n, &o, code, f);
    else if (e == OK)
        *code = scan_all(&r, a, a->dir ? &log : NULL, files, n);
    tree_log_release(&log);
    tree_close(&tree);
    reader_release(&r);
    return e;
}

int cmd_scan(int argc, char **argv) {
    struct args a = {.page = 1};
    const struct opt options[] = {
        {"--page", OPT_U64, &a.page, "N", "page of PDF files (1)"},
        {"--dir", OPT_TEXT, &a.dir, "DIR|URL", "the election whose log a form or slip is checked against"},
        {"--anchor", OPT_TEXT, &a.anchor, "FILE",
         "the gazetted trust anchor (else the tree's own)"},
        {"--duplicates", OPT_FLAG, &a.duplicates, NULL, "look for one paper photographed twice"},
        {"--mask", OPT_TEXT, &a.mask.kinds, "ZONES",
         "paint over: agent_id,agent_phone,agent_signature,..."},
        {"--out", OPT_TEXT, &a.mask.out, "FILE",
         "where the masked JPEG is written (one image at a time)"},
    };
    const struct usage u = {"scan FILE...", about, options, sizeof options / sizeof *options, 1,
                            100000};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    code = 0;
    return run(&a, argv, nargs, &code, &f) == OK ? code : cli_fail("scan", &f);
}
