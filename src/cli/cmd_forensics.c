/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu forensics: the battery of tests over the stations of a CSV or of a log. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/forensics_watch.h"
#include "service/forensics_pdf.h"
#include "service/station_csv.h"
#include "stats/forensics/battery.h"
#include "stats/forensics/spikes.h"
#include "stats/hexmap.h"
#include "stats/maps.h"
#include "stats/pictures.h"

static const size_t MEMORY = (size_t)2 << 30, MAP_MAX = (size_t)256 << 20;
enum { MOST_THREADS = 64, MOST_RESAMPLES = 100000, CHUNK = 8 };

struct args {
    const char *columns, *leader, *lang, *where, *html, *pictures, *pdf, *map, *areas;
    struct log_args log;
    const char *watch;
    uint64_t interval;
    bool once;
    uint64_t seed, cap, resamples, threads;
    bool json, nation_only, fast;
};

/* Resamples of the spikes test, handed out in chunks; which thread draws one makes no difference. */
struct crew {
    const struct fx_spikes *fit;
    float *rows;
    uint64_t seed;
    size_t next, total;
    pthread_mutex_t lock; /* guards next */
};

static void *draw_chunks(void *arg) {
    struct crew *c = arg;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        size_t from = c->next, to = from + CHUNK < c->total ? from + CHUNK : c->total;
        c->next = to;
        pthread_mutex_unlock(&c->lock);
        if (from == to) return NULL;
        fx_spikes_draw(c->fit, c->seed, from, to, c->rows + from * FX_SPIKE_BINS);
    }
}

static size_t thread_count(const struct args *a) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = a->threads ? (size_t)a->threads : cores > 0 ? (size_t)cores : 1;
    return n < MOST_THREADS ? n : MOST_THREADS;
}

static void draw_all(struct crew *c, size_t threads) {
    pthread_t id[MOST_THREADS];
    size_t started = 0;
    while (started + 1 < threads && pthread_create(&id[started], NULL, draw_chunks, c) == 0)
        started++;
    draw_chunks(c); /* this thread works too, and alone when none could be started */
    for (size_t i = 0; i < started; i++) pthread_join(id[i], NULL);
}

static err spikes(const struct args *a, const struct fx_table *t, struct arena *mem,
                  struct fx_report *r, struct fail *f) {
    struct fx_spikes fit = {0};
    struct fx_result x;
    size_t n = a->fast ? 0 : (size_t)a->resamples;
    if (n) {
        TRY(fx_spikes_fit(t, a->seed, mem, &fit, f));
        if (fit.missing) n = 0;
    }
    float *rows = calloc(n + 1, FX_SPIKE_BINS * sizeof *rows);
    double *scratch = calloc(n + 1, sizeof *scratch);
    if (rows && scratch) {
        struct crew c = {.fit = &fit, .rows = rows, .seed = a->seed, .total = n};
        pthread_mutex_init(&c.lock, NULL);
        if (n) draw_all(&c, thread_count(a));
        pthread_mutex_destroy(&c.lock);
        fx_spikes_finish(&fit, rows, n, t, scratch, &x);
    }
    bool good = rows && scratch;
    free(rows);
    free(scratch);
    if (!good) return fail_set(f, E_MEMORY, "no memory for %zu resamples", n);
    return fx_battery_add(r, &x, mem, f);
}

static err write_picture(const char *dir, const char *name, struct buf *b, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(buf_ok(b, f));
    if (b->n == 0) return OK;
    TRY(path_join(path, sizeof path, dir, name, f));
    err e = file_write_atomic(path, buf_view(b), f);
    buf_clear(b);
    return e;
}

/* The level of a cartogram that has most of the report's areas. */
static err read_hexmap(const struct fx_report *r, const struct fold *fold, struct span kept, struct arena *mem,
                       struct map_shapes *out, struct fail *f) {
    size_t most = 0;
    for (size_t l = 0; l < FX_LEVELS; l++) {
        struct map_shapes m;
        size_t level, matched;
        uint32_t *of;
        err e = hexmap_read(kept, l, mem, &m, f);
        if (e == E_NOT_FOUND && l > 0) break;
        TRY(e);
        for (size_t i = 0; fold && i < m.n; i++) { /* the report names areas, the cartogram has codes */
            uint32_t u = fold_unit_by_code(fold, m.shape[i].code);
            if (u != NO_UNIT) m.shape[i].name = fold_unit(fold, u)->name;
        }
        TRY(map_match(r, &m, mem, &level, &of, &matched, f));
        if (l > 0 && matched <= most) continue;
        most = matched;
        *out = m;
    }
    return OK;
}

static err read_map(const struct args *a, const struct fx_report *r, const struct fold *fold, struct arena *mem,
                    struct map_shapes *out, struct fail *f) {
    struct buf b;
    buf_init(&b, MAP_MAX);
    err e = file_read(a->map, MAP_MAX, &b, f);
    struct span kept = {0};
    if (e == OK && !(kept = arena_copy(mem, buf_view(&b))).p) /* the names borrow from it */
        e = fail_set(f, E_MEMORY, "no memory for %s", a->map);
    buf_release(&b);
    TRY(e);
    e = hexmap_is(kept) ? read_hexmap(r, fold, kept, mem, out, f) : geojson_read(kept, mem, out, f);
    return e == OK ? OK : fail_context(f, e, "%s", a->map);
}

static err pictures(const struct args *a, const struct fx_report *r, const struct forensics_pdf *about,
                    const struct fold *fold, enum lang lang, struct arena *mem, struct fail *f) {
    struct buf b;
    struct map_shapes map;
    bool drawn;
    err e = a->map ? read_map(a, r, fold, mem, &map, f) : OK;
    const struct map_shapes *shapes = a->map ? &map : NULL;
    TRY(e);
    buf_init(&b, (size_t)64 << 20);
    if (a->pdf) {
        struct forensics_pdf p = *about;
        p.shapes = shapes;
        e = forensics_pdf(&p, lang, mem, &b, f);
        if (e == OK) e = file_write_atomic(a->pdf, buf_view(&b), f);
        buf_clear(&b);
    }
    if (e == OK && a->html) {
        e = picture_forensics_html(r, shapes, lang, mem, &b, f);
        if (e == OK) e = file_write_atomic(a->html, buf_view(&b), f);
        buf_clear(&b);
    }
    if (e == OK && a->pictures) {
        e = file_mkdirs(a->pictures, f);
        picture_cloud(r->table, lang, &b);
        if (e == OK) e = write_picture(a->pictures, "turnout-share.svg", &b, f);
        picture_comb(r->table, lang, &b);
        if (e == OK) e = write_picture(a->pictures, "percentages.svg", &b, f);
        if (e == OK) e = picture_arrival(r->table, a->seed, lang, mem, &drawn, &b, f);
        if (e == OK) e = write_picture(a->pictures, "arrival.svg", &b, f);
        if (e == OK) e = picture_map(r, shapes, lang, mem, &drawn, &b, f);
        if (e == OK) e = write_picture(a->pictures, "map.svg", &b, f);
    }
    buf_release(&b);
    return e;
}

/* Where the stations come from: one of the two is used. */
struct input {
    struct station_csv csv;
    struct log_source log;
    struct log_published published;
    struct fx_table from_log;
    const struct fx_table *table;
};

static err read_input(const struct args *a, const char *path, struct arena *mem, struct input *in,
                      struct fail *f) {
    if (!a->log.dir) {
        TRY(station_csv_read(path, a->columns, a->leader, a->where, &in->csv, f));
        in->table = &in->csv.table;
        return OK;
    }
    TRY(log_source_open(&a->log, "forensics", &in->log, f));
    TRY(log_stations(in->log.log.fold, &in->log.pick, a->areas, a->leader, false, mem, &in->from_log, f));
    in->table = &in->from_log;
    return log_source_published(&in->log, &in->published, f);
}

static void show(const struct args *a, const struct fx_report *r, const struct input *in,
                 enum lang lang, struct buf *out) {
    if (!a->json) {
        fx_report_text(r, lang, out);
        if (a->log.dir) log_published_text(&in->published, lang, out);
        if (a->log.dir) log_source_text(&in->log, out);
        return;
    }
    struct json_out w = json_out(out);
    json_object(&w);
    fx_report_json_members(r, lang, &w);
    if (a->log.dir) log_published_json(&in->published, &w);
    if (a->log.dir) log_source_json(&in->log, &w);
    json_object_end(&w);
    buf_byte(out, '\n');
}

static err run(const struct args *a, const char *path, struct input *in, struct arena *mem,
               struct buf *out, struct fail *f) {
    enum lang lang;
    struct fx_report r;
    TRY(lang_parse(a->lang, &lang, f));
    if (a->resamples > MOST_RESAMPLES)
        return fail_set(f, E_USAGE, "--resamples is at most %d", MOST_RESAMPLES);
    if (a->cap > FX_MOST) return fail_set(f, E_USAGE, "--cap is the most voters a station may have");
    TRY(read_input(a, path, mem, in, f));
    struct fx_options o = {.seed = a->seed, .cap = (uint32_t)a->cap, .nation_only = a->nation_only};
    TRY(fx_battery_run(in->table, &o, mem, &r, f));
    TRY(spikes(a, in->table, mem, &r, f));
    TRY(fx_battery_finish(&r, mem, f));
    struct buf source;
    buf_init(&source, 1 << 12);
    if (a->log.dir) log_source_text(&in->log, &source);
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!a->log.dir) buf_str(&source, slash ? slash + 1 : path);
    struct forensics_pdf about = {.report = &r, .source = buf_cstr(&source),
                                  .simulated = a->log.dir && fold_definition(in->log.log.fold)->simulated};
    err e = pictures(a, &r, &about, a->log.dir ? in->log.log.fold : NULL, lang, mem, f);
    buf_release(&source);
    TRY(e);
    show(a, &r, in, lang, out);
    return buf_ok(out, f);
}

/* Which options go with which input. */
static err check_usage(const struct args *a, int nargs, struct fail *f) {
    if ((nargs == 1) + (a->log.dir != NULL) + (a->watch != NULL) != 1)
        return fail_set(f, E_USAGE, "give one file, or --dir DIR|URL, or --watch DIR|URL");
    if (a->watch && (a->html || a->pictures || a->pdf))
        return fail_set(f, E_USAGE, "--watch writes events; --html, --pdf and --pictures go with --dir");
    if (!a->leader) return fail_set(f, E_USAGE, "--leader is missing; --help shows how");
    if ((a->log.dir || a->watch) && (a->columns || a->where))
        return fail_set(f, E_USAGE, "--columns and --where are for files; a log has its own names");
    if (!a->log.dir && !a->watch && !a->columns)
        return fail_set(f, E_USAGE, "--columns MAP is missing; --help shows how");
    if (!a->log.dir && !a->watch && a->areas)
        return fail_set(f, E_USAGE, "--areas is for a log; a file has area=COL+COL in --columns");
    return OK;
}

int cmd_forensics(int argc, char **argv);

int cmd_forensics(int argc, char **argv) {
    struct args a = {.lang = "en", .seed = 1, .resamples = 1000, .interval = 2000};
    const struct opt o[] = {
        {"--columns", OPT_TEXT, &a.columns, "MAP",
         "registered=COL,valid=COL,rejected=COL,votes=COL1+COL2,unit=COL[,issued=COL+COL][,area="
         "COL+COL][,time=COL]"},
        {"--leader", OPT_TEXT, &a.leader, "COL", "the choice that is looked at, one of the votes"},
        {"--seed", OPT_U64, &a.seed, "N", "seed of what is drawn (default 1): same seed, same bytes"},
        {"--cap", OPT_U64, &a.cap, "N", "most voters a station may have by law"},
        {"--areas", OPT_TEXT, &a.areas, "A+B+..",
         "of a log: levels of areas, from large to small (default: the first three)"},
        {"--where", OPT_TEXT, &a.where, "COL=V", "only rows with this value"},
        {"--resamples", OPT_U64, &a.resamples, "R", "of the spikes test (default 1000)"},
        {"--no-resampling", OPT_FLAG, &a.fast, NULL, "leave the spikes test out: a second instead of many"},
        {"--threads", OPT_U64, &a.threads, "N", "for the resamples; the result does not depend on it"},
        {"--html", OPT_TEXT, &a.html, "FILE", "also write a page with the pictures"},
        {"--pictures", OPT_TEXT, &a.pictures, "DIR", "also write the pictures as SVG files"},
        {"--pdf", OPT_TEXT, &a.pdf, "FILE", "also write a report to print, the same bytes each time"},
        {"--map", OPT_TEXT, &a.map, "FILE", "for the map of findings: GeoJSON of areas (properties code, name), or a preset's map.json"},
        {"--nation-only", OPT_FLAG, &a.nation_only, NULL, "no tests by area"},
        {"--lang", OPT_TEXT, &a.lang, "en|sw", "language of the sentences"},
        {"--json", OPT_FLAG, &a.json, NULL, "one JSON document"},
        LOG_OPTIONS(a.log),
        {"--watch", OPT_TEXT, &a.watch, "DIR|URL", "follow a log: events as its results arrive"},
        {"--interval", OPT_U64, &a.interval, "MS", "how often --watch asks (2000)"},
        {"--once", OPT_FLAG, &a.once, NULL, "with --watch: the events so far, then end"},
    };
    const struct usage u = {
        "forensics FILE.csv --columns MAP|--dir DIR|URL --leader COL [--seed N] [--json]",
        "Runs the forensic tests over the figures of all stations. Each result stands beside its null,\n"
        "the values of real elections used as controls, its innocent causes and what it cannot see.\n"
        "Columns that are not there make their methods n/a. Areas go from large to small:\n"
        "area=county+constituency+ward. FILE - is standard input. With --dir the figures are those that\n"
        "hold in a log, read from its records; --leader is then the id of a choice. With --watch it\n"
        "follows a log or a mirror of it, and prints facts and anomalies as the results arrive.\n\n"
        "No result of this command says who did anything, and none says that a count is right.\n\n"
        "exit codes: 0 done (whatever was found); 1 the file is not readable data; 64 wrong usage",
        o, sizeof o / sizeof *o, 0, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (check_usage(&a, nargs, &f) != OK) return cli_fail("forensics", &f);
    if (a.watch) {
        a.log.dir = a.watch;
        struct watch_args w = {.log = a.log, .leader = a.leader, .areas = a.areas, .lang = a.lang, .cap = a.cap,
                               .interval_ms = a.interval, .json = a.json, .once = a.once};
        return forensics_watch(&w, &f) == OK ? 0 : cli_fail("forensics", &f);
    }
    struct input in;
    struct arena mem;
    struct buf out;
    memset(&in, 0, sizeof in);
    arena_init(&mem, MEMORY);
    buf_init(&out, (size_t)256 << 20);
    err e = run(&a, argv[0], &in, &mem, &out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("forensics", &f);
    station_csv_release(&in.csv);
    log_source_close(&in.log);
    buf_release(&out);
    arena_release(&mem);
    return code;
}
