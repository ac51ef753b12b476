/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit draw: the draws that a seed makes, in order. */
#include <inttypes.h>
#include <stdio.h>
#include "base/json_out.h"
#include "cli/audit_common.h"

static size_t distinct(const struct audit_case *c, const uint32_t *draws, size_t n, uint8_t *seen) {
    size_t d = 0;
    memset(seen, 0, c->batches.contest.batches);
    for (size_t i = 0; i < n; i++) {
        d += !seen[draws[i]];
        seen[draws[i]] = 1;
    }
    return d;
}

static void print_json(struct buf *b, const struct audit_case *c, enum audit_sampler_kind kind,
                       const char *seed, const uint32_t *draws, size_t n, size_t different) {
    struct json_out j = json_out(b);
    json_object(&j);
    json_kstr(&j, "method", audit_sampler_names[kind]);
    json_kstr(&j, "seed", seed);
    json_ku64(&j, "size", n);
    json_ku64(&j, "distinct_batches", different);
    json_key(&j, "draws");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        json_object(&j);
        json_ku64(&j, "draw", i + 1);
        json_kstr(&j, "jurisdiction", audit_batch_jurisdiction(&c->batches, draws[i]));
        json_kspan(&j, "batch", c->batches.name[draws[i]]);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
}

static void print_text(struct buf *b, const struct audit_case *c, const uint32_t *draws, size_t n,
                       size_t different) {
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%6zu  %s / %.*s\n", i + 1, audit_batch_jurisdiction(&c->batches, draws[i]),
                   (int)c->batches.name[draws[i]].n, (const char *)c->batches.name[draws[i]].p);
    buf_printf(b, "%zu draws, %zu distinct batches\n", n, different);
}

static MUST_USE err run(struct audit_case *c, const char *method, const char *seed,
                        bool replacement, uint64_t size, bool as_json, struct buf *out,
                        struct fail *f) {
    enum audit_sampler_kind kind;
    TRY(audit_sampler_by_name(method, &kind, f));
    if (!seed) return fail_set(f, E_USAGE, "--seed is needed: the dice as they fell");
    uint32_t *draws;
    size_t n;
    TRY(audit_case_draw(c, kind, span_text(seed), replacement, (size_t)size, &draws, &n, f));
    uint8_t *seen = arena_alloc(&c->arena, c->batches.contest.batches);
    if (!seen) return fail_set(f, E_MEMORY, "no memory for %zu draws", n);
    size_t different = distinct(c, draws, n, seen);
    if (as_json)
        print_json(out, c, kind, seed, draws, n, different);
    else
        print_text(out, c, draws, n, different);
    return buf_ok(out, f);
}

int audit_cmd_draw(int argc, char **argv) {
    const char *batches = NULL, *seed = NULL, *method = "integer-ppeb";
    uint64_t size = 0, total = 0;
    bool as_json = false, replacement = false;
    struct audit_rule_options rule = {.winners = 1};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &batches, "B.csv",
         "columns jurisdiction, batch, ballots, one per choice"},
        {"--seed", OPT_TEXT, &seed, "DIGITS",
         "public dice, as text; 20 digits or more bind an audit"},
        {"--method", OPT_TEXT, &method, "M",
         "integer-ppeb (default), arlo-ppeb (re-check only) or consistent"},
        {"--size", OPT_U64, &size, "N", "how many draws"},
        AUDIT_RULE_OPTIONS(rule),
        {"--total-ballots", OPT_U64, &total, "N", "ballots cast, where the batches do not say"},
        {"--with-replacement", OPT_FLAG, &replacement, NULL,
         "drawn batches go back (arlo-ppeb always)"},
        {"--json", OPT_FLAG, &as_json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit draw --batches B.csv --seed DIGITS --method M --size N [--json]",
        "Prints the batches that the seed draws, in order. integer-ppeb and consistent use "
        "integers\n"
        "only and are checked with sha256sum and bc; arlo-ppeb re-does numpy's draws, to re-check\n"
        "audits run with Arlo.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct audit_case c;
    struct buf out;
    buf_init(&out, (size_t)1 << 31);
    err e = audit_case_open(batches, total, &rule, &c, &f);
    if (e == OK) e = run(&c, method, seed, replacement, size, as_json, &out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit draw", &f);
    buf_release(&out);
    audit_case_release(&c);
    return code;
}
