/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu quickcount: plan, draw, add, estimate. */
#include <math.h>
#include <stdlib.h>
#include "base/json_out.h"
#include "cli/quickcount.h"

/* The frame with thin strata joined. */
struct frame {
    struct station_csv in;
    struct log_source log;
    struct fx_table t; /* borrows from the one or the other */
    struct qc_frame f;
    uint64_t *stations;
    uint32_t *stratum;
    struct span *name; /* of each joined stratum: its first part */
};

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the frame does not fit in the memory allowed");
}

struct by_name {
    const struct span *name;
    uint32_t i;
};

static int compare_names(const void *x, const void *y) {
    const struct by_name *a = x, *b = y;
    return span_cmp(a->name[a->i], b->name[b->i]);
}

static err join_strata(struct frame *fr, struct fail *f) {
    struct fx_table *t = &fr->t;
    struct arena *mem = &fr->in.mem;
    const struct fx_level *l = &t->level[t->levels - 1];
    struct by_name *order = arena_array(mem, l->count + 1, sizeof *order);
    uint64_t *old = arena_array(mem, l->count + 1, sizeof *old);
    uint32_t *rank = arena_array(mem, l->count + 1, sizeof *rank), *of;
    size_t count;
    if (!order || !old || !rank) return no_memory(f);
    for (size_t h = 0; h < l->count; h++) order[h] = (struct by_name){l->name, (uint32_t)h};
    qsort(order, l->count, sizeof *order, compare_names);
    for (size_t h = 0; h < l->count; h++) rank[order[h].i] = (uint32_t)h;
    for (size_t i = 0; i < t->n; i++) old[rank[l->of[i]]]++;
    TRY(qc_collapse(old, l->count, mem, &of, &count, f));
    fr->stations = arena_array(mem, count, sizeof *fr->stations);
    fr->stratum = arena_array(mem, t->n + 1, sizeof *fr->stratum);
    fr->name = arena_array(mem, count, sizeof *fr->name);
    if (!fr->stations || !fr->stratum || !fr->name) return no_memory(f);
    for (size_t h = l->count; h-- > 0;) fr->name[of[h]] = l->name[order[h].i];
    for (size_t i = 0; i < t->n; i++) {
        fr->stratum[i] = of[rank[l->of[i]]];
        fr->stations[fr->stratum[i]]++;
    }
    fr->f = (struct qc_frame){.n = t->n, .strata = count, .unit = t->unit, .stratum = fr->stratum,
                              .registered = t->registered, .stratum_name = fr->name};
    return OK;
}

static err read_frame(const struct quick_args *a, const char *path, struct frame *fr,
                      struct fail *f) {
    memset(fr, 0, sizeof *fr);
    if (!path) {
        arena_init(&fr->in.mem, (size_t)2 << 30);
        TRY(log_source_open(&a->log, "quickcount", &fr->log, f));
        TRY(log_stations(fr->log.log.fold, &fr->log.pick, a->areas, NULL, true, &fr->in.mem, &fr->t, f));
        fr->t.choices = 0; /* this election's own votes are no past to plan with */
        if (fr->t.levels == 0)
            return fail_set(f, E_USAGE, "the contest's stations have no area above them to be strata");
        if (!a->areas) fr->t.levels = 1;
        return join_strata(fr, f);
    }
    if (!a->columns)
        return fail_set(f, E_USAGE, "--columns is missing: unit=COL,area=COL[,registered=COL]");
    TRY(station_csv_read(path, a->columns, a->leader, NULL, &fr->in, f));
    if (!fr->in.table.unit || fr->in.table.levels == 0)
        return fail_set(f, E_USAGE, "--columns needs unit=COL and area=COL (the strata)");
    fr->t = fr->in.table;
    return join_strata(fr, f);
}

/* Variance of a - R m between the stations of each stratum, from the votes of a past election in the
 * frame; without them: share varies by `assumed` (default .20) around the mean. */
static err spread(const struct quick_args *a, const struct frame *fr, struct arena *mem,
                  double **s2, double *mean_m, bool *from_past, struct fail *f) {
    const struct fx_table *t = &fr->t;
    struct moments {
        double n, d, d2;
    } *s = arena_array(mem, fr->f.strata + 1, sizeof *s);
    *s2 = arena_array(mem, fr->f.strata + 1, sizeof **s2);
    if (!s || !*s2) return no_memory(f);
    double top = 0, bottom = 0, voters = 0, used = 0;
    *from_past = t->choices > 1 && a->leader;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t v = *from_past ? fx_votes(t, t->leader, i) : FX_ABSENT;
        uint32_t reg = fx_cell(t->registered, i);
        if (reg != FX_ABSENT) voters += reg, used++;
        if (v != FX_ABSENT) top += v, bottom += (double)fx_votes_total(t, i);
    }
    *mean_m = *from_past ? bottom / (double)t->n : used > 0 ? .7 * voters / used : 300;
    double sd = a->assumed ? strtod(a->assumed, NULL) : .2;
    if (!(sd > 0 && sd <= .5))
        return fail_set(f, E_USAGE, "--assumed-sd is a share between 0 and .5, not %s", a->assumed);
    for (size_t i = 0; i < t->n && *from_past; i++) {
        uint32_t v = fx_votes(t, t->leader, i);
        double d = (v == FX_ABSENT ? 0 : v) - top / bottom * (double)fx_votes_total(t, i);
        struct moments *h = &s[fr->stratum[i]];
        h->n++, h->d += d, h->d2 += d * d;
    }
    for (size_t h = 0; h < fr->f.strata; h++)
        (*s2)[h] = *from_past ? (s[h].n > 1 ? (s[h].d2 - s[h].d * s[h].d / s[h].n) / (s[h].n - 1) : 0)
                              : (sd * *mean_m) * (sd * *mean_m);
    return OK;
}

static err plan(const struct quick_args *a, struct frame *fr, struct buf *out, struct fail *f) {
    char *end;
    double margin = a->margin ? strtod(a->margin, &end) / 100 : 0;
    if (!a->margin || *end || !(margin > 0 && margin < 50))
        return fail_set(f, E_USAGE, "--margin is a number of points of the share, for example 1.5");
    if (a->confidence != 95 && a->confidence != 99)
        return fail_set(f, E_USAGE, "--confidence is 95 or 99");
    double *s2, mean_m = 0, half;
    bool from_past = false;
    uint64_t total, *sizes;
    TRY(spread(a, fr, &fr->in.mem, &s2, &mean_m, &from_past, f));
    double z = a->confidence == 95 ? 1.959964 : 2.575829;
    TRY(qc_plan(fr->stations, s2, fr->f.strata, mean_m, margin, z, &fr->in.mem, &total, &sizes, &half, f));
    uint64_t sample = 0;
    for (size_t h = 0; h < fr->f.strata; h++) sample += sizes[h];
    struct json_out w = json_out(out), *j = &w;
    json_object(j);
    json_ku64(j, "stations", fr->f.n);
    json_ku64(j, "size", total); /* for draw --size */
    json_ku64(j, "sample", sample);
    json_kdouble(j, "expected_half_width_points", 100 * half);
    json_ku64(j, "confidence", a->confidence);
    json_kstr(j, "spread", from_past ? "from the votes in the frame" : "assumed");
    json_kstr(j, "rule", "strata in order of name; one with fewer than 16 stations is joined to the next; "
                         "at least 8 stations a stratum; smallest SHA-256 of seed and code first");
    json_key(j, "strata");
    json_array(j);
    for (size_t h = 0; h < fr->f.strata; h++) {
        json_object(j);
        json_kspan(j, "name", fr->name[h]);
        json_ku64(j, "stations", fr->stations[h]);
        json_ku64(j, "sample", sizes[h]);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

/* A field of a CSV: quoted where it must be. */
static void csv_out(struct buf *b, struct span s) {
    bool quote = false;
    for (size_t i = 0; i < s.n; i++)
        quote = quote || s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    if (quote) buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_byte(b, '"');
        buf_byte(b, s.p[i]);
    }
    if (quote) buf_byte(b, '"');
}

static err draw(const struct quick_args *a, struct frame *fr, struct buf *out, struct fail *f) {
    uint64_t *sizes;
    size_t n;
    if (!a->seed || !*a->seed)
        return fail_set(f, E_USAGE, "--seed is missing: public text, for example dice thrown in public");
    if (a->size == 0) return fail_set(f, E_USAGE, "--size is missing: the sample that plan gave");
    TRY(qc_allocate(fr->stations, fr->f.strata, a->size, &fr->in.mem, &sizes, f));
    uint32_t *picked = arena_array(&fr->in.mem, fr->f.n + 1, sizeof *picked);
    if (!picked) return no_memory(f);
    TRY(qc_draw(&fr->f, sizes, span_text(a->seed), &fr->in.mem, picked, &n, f));
    buf_str(out, "unit,stratum,stratum_name,stratum_stations,registered\n");
    for (size_t k = 0; k < n; k++) {
        uint32_t i = picked[k], h = fr->stratum[i], reg = fx_cell(fr->f.registered, i);
        csv_out(out, fr->f.unit[i]);
        buf_printf(out, ",%u,", h + 1);
        csv_out(out, fr->name[h]);
        buf_printf(out, ",%llu,", (unsigned long long)fr->stations[h]);
        if (reg != FX_ABSENT) buf_u64(out, reg);
        buf_byte(out, '\n');
    }
    return buf_ok(out, f);
}

static void release_frame(struct frame *fr) {
    station_csv_release(&fr->in);
    log_source_close(&fr->log);
}

err quick_plan(const struct quick_args *a, const char *path, struct buf *out, struct fail *f) {
    struct frame fr;
    err e = read_frame(a, path, &fr, f);
    if (e == OK) e = plan(a, &fr, out, f);
    release_frame(&fr);
    return e;
}

err quick_draw(const struct quick_args *a, const char *path, struct buf *out, struct fail *f) {
    struct frame fr;
    err e = read_frame(a, path, &fr, f);
    if (e == OK) e = draw(a, &fr, out, f);
    release_frame(&fr);
    return e;
}

static err run(const struct quick_args *a, int n, char **argv, struct buf *out, struct fail *f) {
    int frame = a->log.dir ? 1 : 2; /* the log is the frame */
    if (strcmp(argv[0], "plan") == 0 && n == frame) return quick_plan(a, n == 2 ? argv[1] : NULL, out, f);
    if (strcmp(argv[0], "draw") == 0 && n == frame) return quick_draw(a, n == 2 ? argv[1] : NULL, out, f);
    if (strcmp(argv[0], "estimate") == 0 && (n == 3 || (n == 2 && a->log.dir)))
        return quick_estimate(a, argv[1], n == 3 ? argv[2] : NULL, out, f);
    if (strcmp(argv[0], "add") == 0 && (n == 4 || (n == 3 && a->log.dir)))
        return quick_add(a, argv[1], argv[2], n == 4 ? argv[3] : NULL, out, f);
    return fail_set(f, E_USAGE, "write plan FRAME.csv, draw FRAME.csv, add SAMPLE.csv REPORTS.csv CODE or "
                    "estimate SAMPLE.csv REPORTS.csv; --dir DIR|URL in place of frame or reports; --help "
                    "tells more");
}

int cmd_quickcount(int argc, char **argv);

int cmd_quickcount(int argc, char **argv) {
    struct quick_args a = {.lang = "en", .confidence = 95, .cap = 1000};
    const struct opt o[] = {
        {"--columns", OPT_TEXT, &a.columns, "MAP",
         "frame: unit=COL,area=COL[,registered=COL][,votes=A+B] (area: the strata); reports: "
         "unit=COL,votes=A+B[,valid=COL][,rejected=COL][,time=COL]"},
        {"--leader", OPT_TEXT, &a.leader, "COL",
         "plan: the choice whose share is planned for; estimate: whose intervals over time are shown (default: the first)"},
        {"--margin", OPT_TEXT, &a.margin, "POINTS", "plan: half-width wanted, in points of the share"},
        {"--confidence", OPT_U64, &a.confidence, "95|99", "plan: of the interval (default 95)"},
        {"--assumed-sd", OPT_TEXT, &a.assumed, "SHARE",
         "plan without past votes: how the share varies between stations (default .20)"},
        {"--size", OPT_U64, &a.size, "N", "draw: stations, as plan gave"},
        {"--seed", OPT_TEXT, &a.seed, "TEXT", "draw: public text, named before it is known"},
        {"--cap", OPT_U64, &a.cap, "N", "most ballots of a station whose register is not known"},
        {"--figures", OPT_TEXT, &a.figures, "COL=N,..", "add: the figures of one report"},
        {"--observers", OPT_TEXT, &a.observers, "GROUP", "with --dir: only reports of this group's observers"},
        {"--official", OPT_TEXT, &a.official, "COL=N,..",
         "estimate: official votes by column of votes=, to be compared"},
        {"--pictures", OPT_TEXT, &a.pictures, "DIR", "estimate: also write the intervals over time as SVG files"},
        {"--at-random", OPT_FLAG, &a.at_random, NULL,
         "estimate: also the intervals that hold only if the missing reports are missing at random"},
        {"--lang", OPT_TEXT, &a.lang, "en|sw", "language of the sentences"},
        {"--areas", OPT_TEXT, &a.areas, "A+B",
         "plan, draw with --dir: levels of the strata; the last one counts (default: the largest areas)"},
        {"--json", OPT_FLAG, &a.json, NULL, "estimate: one JSON document"},
        LOG_OPTIONS(a.log),
    };
    const struct usage u = {
        "quickcount plan|draw|add|estimate FILES [options]",
        "A count of a random sample of stations by observers.\n"
        "  plan FRAME.csv --margin 1.5           how many stations, by stratum\n"
        "  draw FRAME.csv --size N --seed DICE   which ones: a CSV on standard output\n"
        "  add SAMPLE.csv REPORTS.csv CODE --figures COL=N,..   adds one report\n"
        "  estimate SAMPLE.csv REPORTS.csv       shares, turnout, rejected, with intervals\n"
        "Until every drawn station has reported only bounds are given: early reports are not a random\n"
        "sample. Where the reports have times, the intervals as they arrived are shown too.\n"
        "With --dir DIR|URL plan and draw take the log's stations as the frame; estimate without\n"
        "REPORTS.csv takes the observers' signed observation records of the drawn stations, and compares\n"
        "with the log's own totals; add without CODE writes those records into REPORTS.csv.",
        o, sizeof o / sizeof *o, 1, 4};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf out;
    buf_init(&out, (size_t)256 << 20);
    err e = run(&a, nargs, argv, &out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("quickcount", &f);
    buf_release(&out);
    return code;
}
