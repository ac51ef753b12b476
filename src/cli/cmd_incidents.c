/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu incidents: what was tried and refused, as far as it can be shown. */
#include <stdio.h>
#include "base/clock.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "cli/values.h"
#include "election/canonical_json.h"

int cmd_incidents(int argc, char **argv);

enum { OUT_MAX = 256 << 20 };

struct listing {
    bool json;
    struct buf out;
    struct json_out j;
    uint64_t proven, claimed; /* refusals, by class */
    uint64_t rows;
};

struct row {
    bool proven;
    struct span code, key, type;
    uint64_t count, first_ms, last_ms;
    struct hash note;
    bool has_note;
};

static void read_row(struct cj *r, struct row *x) {
    *x = (struct row){0};
    cj_object(r);
    cj_need(r, "class");
    x->proven = span_is(cj_code(r, 20), "proven");
    cj_need(r, "code");
    x->code = cj_code(r, 40);
    cj_need(r, "count");
    x->count = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "first_ms");
    x->first_ms = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "key");
    x->key = cj_code(r, 120);
    cj_need(r, "last_ms");
    x->last_ms = cj_u64(r, CJ_MAX_INT);
    if ((x->has_note = cj_have(r, "note"))) {
        cj_object(r);
        cj_need(r, "sha256");
        cj_hex(r, x->note.b, sizeof x->note.b);
        cj_need(r, "size");
        (void)cj_u64(r, CJ_MAX_INT);
        cj_object_end(r);
    }
    cj_need(r, "type");
    x->type = cj_code(r, 60);
    cj_object_end(r);
}

static void write_json(struct listing *l, uint64_t entry, const struct row *x) {
    struct json_out *j = &l->j;
    json_object(j);
    json_ku64(j, "entry", entry);
    json_kstr(j, "class", x->proven ? "proven" : "claimed");
    json_kspan(j, "code", x->code);
    json_ku64(j, "count", x->count);
    json_kspan(j, "key", x->key);
    json_kspan(j, "type", x->type);
    json_ku64(j, "first_ms", x->first_ms);
    json_ku64(j, "last_ms", x->last_ms);
    if (x->has_note) json_khex(j, "note", hash_span(&x->note));
    json_object_end(j);
}

static void write_line(struct listing *l, uint64_t entry, const struct row *x) {
    char from[21], to[21], hex[HASH_HEX_LEN + 1], count[32];
    char code[41];
    clock_format_utc(x->first_ms, from);
    clock_format_utc(x->last_ms, to);
    (void)snprintf(code, sizeof code, "%.*s", (int)x->code.n, (const char *)x->code.p);
    err known = err_by_name(code);
    buf_printf(&l->out, "%s  %s x  a %.*s record%s%.*s: %s (%s)", from, value_grouped(x->count, count),
               SPAN_ARG(x->type), x->proven ? ", signed by " : ", said to be by ", SPAN_ARG(x->key),
               known == ERR_COUNT ? code : err_info(known)->text, code);
    if (x->last_ms != x->first_ms) buf_printf(&l->out, ", last at %s", to);
    if (x->has_note) {
        hash_hex(&x->note, hex);
        buf_printf(&l->out, "; the note: objects/%s", hex);
    }
    buf_printf(&l->out, "  [%s, entry %llu]\n", x->proven ? "proven" : "claimed",
               (unsigned long long)entry);
}

static err visit(void *ctx, const struct applied *a, uint64_t ms, const struct record *r,
                 struct fail *f) {
    struct listing *l = ctx;
    (void)ms;
    if (a->type != REC_INCIDENT) return OK;
    struct cj j;
    struct row x;
    struct hash election;
    cj_init(&j, r->json, f);
    cj_object(&j);
    cj_need(&j, "election");
    cj_hex(&j, election.b, sizeof election.b);
    cj_need(&j, "rows");
    cj_array(&j);
    while (cj_element(&j)) {
        read_row(&j, &x);
        if (cj_failed(&j)) break;
        *(x.proven ? &l->proven : &l->claimed) += x.count;
        l->rows++;
        if (l->json)
            write_json(l, a->index, &x);
        else
            write_line(l, a->index, &x);
    }
    cj_object_end(&j);
    return cj_end(&j);
}

static void close_json(struct listing *l, const struct tree_log *log) {
    struct json_out *j = &l->j;
    json_array_end(j);
    json_ku64(j, "proven", l->proven);
    json_ku64(j, "claimed", l->claimed);
    json_ku64(j, "size", log->size);
    json_kstr(j, "trust", log->anchored ? "anchored" : "self-declared");
    json_ku64(j, "signatures_verified", log->signatures);
    json_kbool(j, "inadmissible_accepted", false);
    if (fold_definition(log->fold)->simulated) json_kstr(j, "simulated", "SIMULATED");
    json_object_end(j);
    buf_byte(&l->out, '\n');
}

static void close_text(struct listing *l, const struct tree_log *log) {
    char a[32], b[32], c[32];
    if (l->rows == 0) buf_str(&l->out, "no refusals are recorded\n");
    buf_printf(&l->out, "\n%s refusals proven: a known key signed what was refused, and the note is kept.\n"
                        "%s claimed: the server's word alone.\n",
               value_grouped(l->proven, a), value_grouped(l->claimed, b));
    buf_printf(&l->out, "All %s records were replayed here and %s signatures verified: no inadmissible "
                        "record was accepted.\n",
               value_grouped(log->size, a), value_grouped(log->signatures, c));
    tree_log_source(log, &l->out);
    buf_str(&l->out, fold_definition(log->fold)->simulated ? "\nSIMULATED\n" : "\n");
}

int cmd_incidents(int argc, char **argv) {
    const char *anchor = NULL;
    struct listing l = {0};
    const struct opt options[] = {
        {"--anchor", OPT_TEXT, &anchor, "FILE", "the gazetted trust anchor (else the tree's own)"},
        {"--json", OPT_FLAG, &l.json, NULL, "as JSON"},
    };
    const struct usage u = {
        "incidents DIR|URL [--anchor FILE] [--json]",
        "What was sent and refused: what, under which key, when; proven (a known key signed it) apart\n"
        "from claimed (the server says so). The whole log is replayed and its signatures verified first,\n"
        "because only then can it be said that nothing inadmissible was accepted.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct tree tree;
    struct tree_log log = {0};
    struct tree_log_options o = {.anchor = anchor, .check_signatures = true, .what = "incidents",
                                 .visit = visit, .ctx = &l};
    buf_init(&l.out, OUT_MAX);
    l.j = json_out(&l.out);
    if (l.json) {
        json_object(&l.j);
        json_key(&l.j, "incidents");
        json_array(&l.j);
    }
    err e = tree_open(argv[0], &tree, &f);
    if (e == OK) e = tree_log_read(&tree, &o, &log, &f);
    if (e == OK && l.json) close_json(&l, &log);
    if (e == OK && !l.json) close_text(&l, &log);
    if (e == OK) e = buf_ok(&l.out, &f);
    code = e == OK ? cli_print(buf_view(&l.out)) : cli_fail("incidents", &f);
    tree_log_release(&log);
    tree_close(&tree);
    buf_release(&l.out);
    return code;
}
