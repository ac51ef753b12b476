/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu verify: everything, from the first record. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/verify_audits.h"
#include "http/tree_url.h"
#include "service/bundle.h"
#include "service/submission.h"
#include "service/verify.h"
#include "tlog/proof.h"

int cmd_verify(int argc, char **argv);

static int exit_code(enum verdict v) {
    return v == VERDICT_VALID ? 0 : v == VERDICT_INVALID ? 1 : 2;
}

/* For people: what was checked, what follows, what does not. */
static void report_text(const struct verify_report *r, struct buf *b) {
    const struct fold *s = r->fold;
    const struct definition *d = fold_definition(s);
    char root[HASH_BASE64_LEN + 1];
    base64_encode(hash_span(&r->root), root);
    if (d) {
        buf_span(b, d->title);
        buf_str(b, d->simulated ? "\nSIMULATED: nothing here is a real result.\n" : "\n");
    }
    buf_printf(b, "%llu entries, root %s\n", (unsigned long long)r->size, root);
    for (int t = 0; t < REC_COUNT; t++)
        if (fold_count(s, (enum record_type)t))
            buf_printf(b, "  %-16s %llu\n", record_info((enum record_type)t)->name,
                       (unsigned long long)fold_count(s, (enum record_type)t));
    buf_printf(b, "signatures verified: %llu; time: %.2f s\n", (unsigned long long)r->signatures,
               r->seconds);
    buf_printf(b, "objects checked: %llu (%.1f MB), absent: %llu\n",
               (unsigned long long)r->objects_checked, (double)r->objects_bytes / 1e6,
               (unsigned long long)r->objects_absent);
    if (r->witnesses)
        buf_printf(b, "witnesses: %zu of %zu cosigned this checkpoint; %llu earlier cosigned checkpoints fit\n",
                   r->witnessed_by, r->witnesses, (unsigned long long)r->witnessed_checkpoints);
    else
        buf_str(b, "witnesses: none are named, so nothing shows that others were shown the same log\n");
    if (r->results_compared)
        buf_printf(b, "published results: %llu files are what the records give\n",
                   (unsigned long long)r->results_files);
    else
        buf_printf(b, "published results: not compared%s%s\n", r->results_note[0] ? ": " : "",
                   r->results_note);
    if (r->time_findings)
        buf_printf(b, "finding F_TIME: %llu entries whose time does not fit the cosignatures around them\n",
                   (unsigned long long)r->time_findings);
    for (size_t i = 0; i < r->refused_listed && i < 10; i++)
        buf_printf(b, "not admissible: entry %llu: %s (%s)\n",
                   (unsigned long long)r->refused[i].index, r->refused[i].text,
                   err_info(r->refused[i].code)->name);
    buf_printf(b, "trust: %s\n", r->anchored ? "anchored" :
               "self-declared (give --anchor FILE, from a source that you trust, to know whose log this is)");
    switch (r->verdict) {
    case VERDICT_VALID:
        buf_str(b, "verdict: VALID: the records are consistent and no inadmissible record was accepted.\n"
                   "This says nothing about whether the figures are true: paper and audits do.\n");
        break;
    case VERDICT_INVALID:
        buf_printf(b, "verdict: INVALID: %s (%s)\n", r->sentence, err_info(r->code)->name);
        break;
    case VERDICT_UNKNOWN:
        buf_printf(b, "verdict: COULD NOT TELL: %s (%s)\n", r->sentence, err_info(r->code)->name);
        break;
    }
}

static void progress(void *ctx, uint64_t done, uint64_t total) {
    (void)ctx;
    cli_progress("verify", done, total);
}

/* A receipt: one entry and its proof, under the anchor's key. */
static err verify_receipt(const char *path, const struct anchor *anchor, bool json, struct buf *out,
                          struct fail *f) {
    struct buf bytes;
    struct receipt_view r;
    struct tlog_proof *proof = malloc(sizeof *proof);
    struct arena a;
    struct policy policy;
    struct checkpoint c;
    static struct cosignature each[POLICY_WITNESSES_MAX];
    buf_init(&bytes, 1 << 20);
    arena_init(&a, 1 << 20);
    err e = proof ? file_read(path, 1 << 20, &bytes, f) : fail_set(f, E_MEMORY, "no memory");
    if (e == OK) e = receipt_parse(buf_view(&bytes), &r, f);
    if (e == OK) e = tlog_proof_parse(r.proof, proof, f);
    if (e == OK && proof->index != r.index) e = fail_set(f, E_PROOF, "the proof is of another entry");
    bool has_policy = e == OK && anchor->policy.n > 0;
    if (has_policy) e = policy_parse(anchor->policy, &a, &policy, f);
    if (e == OK) e = tlog_proof_verify(proof, r.entry, &anchor->log, NULL, &c, NULL, f);
    bool witnessed = false;
    if (e == OK && has_policy)
        witnessed = tlog_proof_verify(proof, r.entry, &anchor->log, &policy, &c, each, f) == OK;
    if (e == OK && json)
        buf_printf(out, "{\"verdict\":\"valid\",\"trust\":\"anchored\",\"index\":%llu,\"size\":%llu,\"witnessed\":%s}\n",
                   (unsigned long long)r.index, (unsigned long long)c.size, witnessed ? "true" : "false");
    else if (e == OK)
        buf_printf(out, "VALID: this record is entry %llu of the anchored log, under a checkpoint of size "
                        "%llu%s\n",
                   (unsigned long long)r.index, (unsigned long long)c.size,
                   witnessed ? ", cosigned by a quorum of witnesses" : "; not yet witnessed");
    buf_release(&bytes);
    arena_release(&a);
    free(proof);
    return e;
}

static bool is_url(const char *s) {
    return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct args {
    const char *target, *anchor, *policy;
    uint64_t threads;
    bool json, no_objects, no_results;
};

static err run(const struct args *g, struct buf *out, int *code, struct fail *f) {
    struct buf anchor_bytes, policy_bytes;
    struct anchor anchor;
    struct tree_url *url = NULL;
    buf_init(&anchor_bytes, ANCHOR_BYTES_MAX);
    buf_init(&policy_bytes, POLICY_BYTES_MAX);
    err e = OK;
    if (g->anchor) e = file_read(g->anchor, ANCHOR_BYTES_MAX, &anchor_bytes, f);
    if (e == OK && g->anchor) e = anchor_parse(buf_view(&anchor_bytes), &anchor, f);
    if (e == OK && g->policy) e = file_read(g->policy, POLICY_BYTES_MAX, &policy_bytes, f);
    if (e == OK && !is_url(g->target) && is_file(g->target)) {
        e = g->anchor ? verify_receipt(g->target, &anchor, g->json, out, f)
                      : fail_set(f, E_USAGE, "a receipt is checked against a trust anchor: --anchor FILE");
        *code = 0;
        buf_release(&anchor_bytes);
        buf_release(&policy_bytes);
        return e;
    }
    char inside[PATH_MAX_LEN];
    const char *dir = g->target;
    if (e == OK && !is_url(g->target) && bundle_is(g->target)) { /* a bundle: its files first */
        uint64_t files;
        e = bundle_check(g->target, &files, f);
        if (e == OK && !g->json)
            buf_printf(out, "bundle: all %llu files are those that MANIFEST lists\n", (unsigned long long)files);
        if (e == OK) e = path_join(inside, sizeof inside, g->target, "public", f);
        dir = inside;
    }
    struct tree_source s = tree_source_dir(dir);
    if (e == OK && is_url(g->target)) {
        e = tree_url_open(g->target, &url, f);
        if (e == OK) s = tree_url_source(url);
    }
    struct verify_options o = {.anchor = g->anchor ? &anchor : NULL, .policy = buf_view(&policy_bytes),
                               .threads = (unsigned)g->threads, .skip_objects = g->no_objects,
                               .skip_results = g->no_results, .keep_fold = true, .progress = progress};
    struct verify_report *r = malloc(sizeof *r);
    if (e == OK && !r) e = fail_set(f, E_MEMORY, "no memory for the report");
    if (e == OK) e = verify_tree(&s, &o, r, f);
    cli_progress_end();
    if (e == OK) {
        *code = exit_code(r->verdict);
        if (g->json)
            e = verification_json(r, out, f);
        else
            report_text(r, out);
        size_t wrong = 0;
        if (e == OK && r->fold) e = verify_audits(r->fold, &s, g->json, out, &wrong, f);
        if (wrong && *code == 0) *code = 1;
        fold_free(r->fold);
    }
    free(r);
    tree_url_close(url);
    buf_release(&anchor_bytes);
    buf_release(&policy_bytes);
    return e;
}

int cmd_verify(int argc, char **argv) {
    struct args g = {0};
    const struct opt options[] = {
        {"--anchor", OPT_TEXT, &g.anchor, "FILE", "trust anchor: gazetted, printed, or from a party"},
        {"--policy", OPT_TEXT, &g.policy, "FILE", "your own witness policy, in place of the anchor's"},
        {"--json", OPT_FLAG, &g.json, NULL, "one JSON object on standard output"},
        {"--threads", OPT_U64, &g.threads, "N", "threads for signatures (one a processor)"},
        {"--no-objects", OPT_FLAG, &g.no_objects, NULL, "do not hash form images and other objects"},
        {"--no-results", OPT_FLAG, &g.no_results, NULL, "do not compare the published results"},
    };
    const struct usage u = {
        "verify DIR|URL|BUNDLE|RECEIPT [--anchor FILE] [--json]",
        "Checks an election's public files from the first record: checkpoint and witnesses, the whole\n"
        "tree, every signature, the admissibility of every record by applying it again, times, objects,\n"
        "and that the published results follow. DIR is a public tree (a mirror, or DIR/public of a\n"
        "demo); of a court's bundle every file is checked first; a file is taken as a receipt.\n"
        "exit codes: 0 valid, 1 invalid, 2 could not tell, 64 wrong usage, 70 and above: our own failure",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    g.target = argv[0];
    struct fail f = {0};
    struct buf out;
    buf_init(&out, 64 << 20);
    err e = run(&g, &out, &code, &f);
    if (e != OK) {
        f.code = e;
        code = cli_fail("verify", &f);
    } else {
        int printed = cli_print(buf_view(&out));
        if (printed) code = printed;
    }
    buf_release(&out);
    return code;
}
