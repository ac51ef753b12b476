/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu scan: what stands on photographed or scanned forms, and on slips. */
#include <stdio.h>
#include "base/file.h"
#include "cli/cli.h"
#include "paper/mask.h"

int cmd_scan(int argc, char **argv);

static const char about[] =
    "Reads photographs and scans (JPEG, PNG, PDF) of forms printed by 'hesabu forms', in any\n"
    "rotation: identity, every figure with its score, the best other value and the reason for\n"
    "each one that it does not answer, signatures and stamp. One JSON object a line. Each file is\n"
    "decoded in a process that can reach neither files nor network. A machine's reading is\n"
    "evidence to compare with, never a result.\n\n"
    "With --mask the named zones of one image are painted over (the public object), its metadata\n"
    "is dropped, and both hashes and the rectangles are printed.\n\n"
    "example: hesabu scan photo1.jpg scans.pdf --page 2\n\n"
    "exit codes: 0 every file was read; 1 at least one was refused (its line says why).";

struct masking {
    const char *kinds; /* "agent_id,agent_phone", or NULL */
    const char *out;
};

/* Names of zones, separated by commas, to bits. */
static err parse_kinds(const char *text, unsigned *kinds, struct fail *f) {
    *kinds = 0;
    while (*text) {
        const size_t n = strcspn(text, ",");
        unsigned k = 0;
        while (k < ZONE_KINDS && !span_is(span_of(text, n), form_zone_key((enum zone_kind)k))) k++;
        if (k == ZONE_KINDS)
            return fail_set(
                f, E_USAGE,
                "there is no zone \"%.*s\": signature_officer, signature_deputy, stamp, "
                "agent_name, agent_id, agent_phone, agent_party, agent_signature, remarks",
                (int)n, text);
        *kinds |= 1u << k;
        text += n + (text[n] == ',');
    }
    return OK;
}

/* The public object beside the original, and what the image record says about it. */
static err mask(struct span file, const struct scan_result *s, const struct masking *m,
                struct json_out *j, struct fail *f) {
    struct mask_result done;
    struct buf published;
    unsigned kinds;
    TRY(parse_kinds(m->kinds, &kinds, f));
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

static err one(const struct reader *r, const char *path, unsigned page,
               const struct scan_options *o, const struct masking *m, struct json_out *j,
               struct fail *f) {
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
    return OK;
}

int cmd_scan(int argc, char **argv) {
    uint64_t page = 1;
    struct masking m = {0};
    const struct opt options[] = {
        {"--page", OPT_U64, &page, "N", "page of PDF files (1)"},
        {"--mask", OPT_TEXT, &m.kinds, "ZONES",
         "paint over: agent_id,agent_phone,agent_signature,..."},
        {"--out", OPT_TEXT, &m.out, "FILE",
         "where the masked JPEG is written (one image at a time)"},
    };
    const struct usage u = {"scan FILE...", about, options, sizeof options / sizeof *options, 1,
                            100000};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct reader r;
    if ((m.kinds != NULL) != (m.out != NULL) || (m.kinds && nargs != 1)) {
        (void)fail_set(&f, E_USAGE, "--mask and --out go together, with one image");
        return cli_fail("scan", &f);
    }
    if (reader_init_builtin(&r, &f) != OK) return cli_fail("scan", &f);
    const struct scan_options o = {.rules = decode_default_rules()};
    code = 0;
    for (int i = 0; i < nargs; i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        struct json_out j = json_out(&b);
        json_object(&j);
        json_kstr(&j, "file", argv[i]);
        const err e = one(&r, argv[i], (unsigned)(page > 9999 ? 9999 : page), &o, &m, &j, &f);
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
