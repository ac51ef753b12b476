/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit sheets: which boxes are fetched, by county and station, and a sheet for each count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "cli/audit_on.h"
#include "cli/forms_stream.h"
#include "paper/print_audit.h"

enum { CSV_MAX = 64 << 20, PLACE_MAX = 400 };

struct sheets_args {
    const char *dir, *plan, *out, *csv;
    uint64_t from, copies;
    bool all;
};

struct box { /* to be fetched */
    uint32_t batch, position, unit;
};

/* "WARD, CONSTITUENCY, COUNTY" */
static void place_of(const struct fold *s, uint32_t unit, char *out) {
    size_t n = 0;
    *out = 0;
    for (uint32_t u = fold_unit(s, unit)->parent; u != NO_UNIT && fold_unit(s, u)->parent != NO_UNIT;
         u = fold_unit(s, u)->parent) {
        struct span name = fold_unit(s, u)->name;
        int k = snprintf(out + n, PLACE_MAX - n, "%s%.*s", n ? ", " : "", SPAN_ARG(name));
        if (k < 0 || (size_t)k >= PLACE_MAX - n) return;
        n += (size_t)k;
    }
}

/* Units stand in the order of the register: county by county. */
static int by_unit(const void *a, const void *b) {
    const struct box *x = a, *y = b;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static err find_boxes(const struct sheets_args *a, struct audit_log *x, struct box **out, size_t *n,
                      struct fail *f) {
    struct box *b = arena_array(&x->arena, x->dice->size + 1, sizeof *b);
    if (!b) return fail_set(f, E_MEMORY, "no memory for the boxes");
    for (uint32_t i = 0; i < x->dice->size; i++) {
        uint32_t g = x->order[i];
        if (i + 1 < a->from) continue;
        if (!a->all && !x->needed[g]) continue;
        b[(*n)++] = (struct box){g, i + 1, x->station[g]};
    }
    qsort(b, *n, sizeof *b, by_unit);
    *out = b;
    return OK;
}

static err write_csv(const char *path, const struct audit_log *x, const struct box *b, size_t n,
                     struct fail *f) {
    struct buf out;
    char place[PLACE_MAX];
    buf_init(&out, CSV_MAX);
    buf_str(&out, "jurisdiction,station,name,place,draw\n");
    for (size_t i = 0; i < n; i++) {
        place_of(x->fold, b[i].unit, place);
        for (char *c = place; *c; c++)
            if (*c == '"') *c = '\'';
        buf_printf(&out, "%s,%.*s,\"", audit_batch_jurisdiction(&x->list, b[i].batch), SPAN_ARG(x->list.name[b[i].batch]));
        struct span name = fold_unit(x->fold, b[i].unit)->name;
        for (size_t k = 0; k < name.n; k++) {
            if (name.p[k] == '"') buf_byte(&out, '"');
            buf_byte(&out, name.p[k]);
        }
        buf_printf(&out, "\",\"%s\",%u\n", place, b[i].position);
    }
    err e = buf_ok(&out, f);
    if (e == OK) e = file_write_durable(path, buf_view(&out), 0644, f);
    buf_release(&out);
    return e;
}

static err print_boxes(const struct sheets_args *a, struct audit_on *x, const struct box *b, size_t n,
                       struct forms_stream *stream, struct fail *f) {
    const struct contest *k = fold_contest(x->log.fold, x->a.plan->contest);
    struct arena *mem = &x->a.arena;
    const char **choices = arena_array(mem, k->choice_count, sizeof *choices);
    char plan[HASH_HEX_LEN + 1], place[PLACE_MAX];
    unsigned count = 0;
    if (!choices) return fail_set(f, E_MEMORY, "no memory for the choices");
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, x->a.plan->round, c))
            choices[count++] = arena_text(mem, contest_choice(x->log.fold, k, c)->name);
    hash_hex(&x->plan_id, plan);
    struct print_audit_sheet s = {.contest = arena_text(mem, k->name), .plan = plan, .draws = x->a.dice->size,
                                  .choices = choices, .choice_count = count, .place = place,
                                  .simulated = fold_definition(x->log.fold)->simulated};
    for (size_t i = 0; i < n; i++) {
        const struct unit *u = fold_unit(x->log.fold, b[i].unit);
        place_of(x->log.fold, b[i].unit, place);
        s.code = arena_text(mem, u->code);
        s.station = arena_text(mem, u->name);
        s.position = b[i].position;
        if (!s.code || !s.station) return fail_set(f, E_MEMORY, "no memory for the sheets");
        TRY(forms_stream_group(stream, span_text(audit_batch_jurisdiction(&x->a.list, b[i].batch)), f));
        for (uint64_t copy = 0; copy < a->copies; copy++) TRY(print_audit_sheet(stream->canvas, &s, f));
    }
    return OK;
}

int audit_cmd_sheets(int argc, char **argv) {
    struct sheets_args a = {.from = 1, .copies = 2};
    const struct opt options[] = {
        ON_OPTIONS(a.dir, a.plan),
        {"--out", OPT_TEXT, &a.out, "FILE.pdf|DIR", "sheets, all in one file or one file a jurisdiction"},
        {"--csv", OPT_TEXT, &a.csv, "FILE", "the list of boxes to fetch"},
        {"--from", OPT_U64, &a.from, "N", "from this draw on (1)"},
        {"--copies", OPT_U64, &a.copies, "N", "sheets a box: two people count (2)"},
        {"--all", OPT_FLAG, &a.all, NULL, "every box of the rounds, also those counted, or not needed if the others agree"},
    };
    const struct usage u = {
        "audit sheets --dir DIR|URL --csv boxes.csv --out sheets.pdf",
        "Lists the drawn boxes that have no count yet, by county and station, and prints a sheet for each\n"
        "person who counts one. A sheet never shows what was reported.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    static struct audit_on x;
    struct fail f = {0};
    struct box *b = NULL;
    size_t n = 0;
    err e = a.out || a.csv ? OK : fail_set(&f, E_USAGE, "--out or --csv is needed");
    if (e == OK) e = audit_on_open(a.dir, a.plan, "audit sheets", &x, &f);
    if (e == OK) e = audit_log_run(&x.a, NULL, &f);
    if (e == OK) e = find_boxes(&a, &x.a, &b, &n, &f);
    if (e == OK && a.csv) e = write_csv(a.csv, &x.a, b, n, &f);
    if (e == OK && a.out && n == 0) e = fail_set(&f, E_NOT_FOUND, "no drawn box waits for a count: no sheets are needed");
    if (e == OK && a.out) {
        struct forms_stream stream = {.out = a.out, .stem = "audit", .date = "2000-01-01T00:00:00Z"};
        e = forms_stream_end(&stream, print_boxes(&a, &x, b, n, &stream, &f), &f);
        forms_stream_release(&stream);
    }
    if (e == OK) printf("%zu boxes to fetch\n", n);
    code = e == OK ? 0 : cli_fail("audit sheets", &f);
    audit_on_release(&x);
    return code;
}
