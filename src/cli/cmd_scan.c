/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu scan: what stands on photographed or scanned forms, and on slips. */
#include <stdio.h>
#include "base/file.h"
#include "cli/cli.h"
#include "paper/image.h"
#include "paper/scan.h"

int cmd_scan(int argc, char **argv);

static const char about[] =
    "Reads photographs and scans (JPEG, PNG, PDF) of forms printed by 'hesabu forms', in any\n"
    "rotation: identity, every figure with its score, the best other value and the reason for\n"
    "each one that it does not answer, signatures and stamp. One JSON object a line. Each file is\n"
    "decoded in a process that can reach neither files nor network. A machine's reading is\n"
    "evidence to compare with, never a result.\n\n"
    "example: hesabu scan photo1.jpg scans.pdf --page 2\n\n"
    "exit codes: 0 every file was read; 1 at least one was refused (its line says why).";

static err one(const struct reader *r, const char *path, unsigned page,
               const struct scan_options *o, struct json_out *j, struct fail *f) {
    struct span file;
    struct scan_result result;
    struct sandbox_usage usage = {0};
    struct hash hash;
    char hex[HASH_HEX_LEN + 1];
    TRY(file_map(path, &file, f));
    const err e = scan_file(r, file, page, o, &result, &usage, &hash, f);
    file_unmap(file);
    hash_hex(&hash, hex);
    json_kstr(j, "sha256", hex);
    if (e != OK) return e;
    json_key(j, "scan");
    scan_result_json(&result, j);
    json_kdouble(j, "cpu_seconds", usage.cpu_seconds);
    json_ku64(j, "peak_kb", usage.peak_kb);
    return OK;
}

int cmd_scan(int argc, char **argv) {
    uint64_t page = 1;
    const struct opt options[] = {
        {"--page", OPT_U64, &page, "N", "page of PDF files (1)"},
    };
    const struct usage u = {"scan FILE...", about, options, sizeof options / sizeof *options, 1,
                            100000};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct reader r;
    if (reader_init_builtin(&r, &f) != OK) return cli_fail("scan", &f);
    const struct scan_options o = {.rules = decode_default_rules()};
    code = 0;
    for (int i = 0; i < nargs; i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        struct json_out j = json_out(&b);
        json_object(&j);
        json_kstr(&j, "file", argv[i]);
        const err e = one(&r, argv[i], (unsigned)(page > 9999 ? 9999 : page), &o, &j, &f);
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
    reader_release(&r);
    return code;
}
