/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu demo: a preset's election night, SIMULATED, through the real thing. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/simulated_log.h"

int cmd_demo(int argc, char **argv);

enum { AREAS_MAX = 256 };

#define PRESET_NAME "kenya-2017"

struct demo {
    const char *preset, *dir, *listen, *speed, *counties;
    uint64_t limit, seed, threads, in_flight;
    bool once, fresh, all_contests;
    const char *areas[AREAS_MAX];
    size_t area_count;
    char areas_text[2048];
    char preset_path[PATH_MAX_LEN];
};

/* Where the preset is: in the source tree that is the current folder, beside the program, installed. */
static const char *find_preset(struct demo *d, struct fail *f) {
    static const char *const places[] = {"../data/" PRESET_NAME, "../share/hesabu/" PRESET_NAME};
    char self[PATH_MAX_LEN];
    if (d->preset) return d->preset;
    if (file_exists("data/" PRESET_NAME "/preset.json")) return "data/" PRESET_NAME;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = 0;
        char *slash = strrchr(self, '/');
        if (slash) *slash = 0;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            char file[PATH_MAX_LEN];
            if (path_join(d->preset_path, sizeof d->preset_path, self, places[i], f) == OK &&
                path_join(file, sizeof file, d->preset_path, "preset.json", f) == OK &&
                file_exists(file))
                return d->preset_path;
        }
    }
    f->code = fail_set(f, E_NOT_FOUND, "the preset %s is neither in ./data nor beside the program: "
                                       "give --preset DIR",
                       PRESET_NAME);
    return NULL;
}

/* "001,002" */
static err split_areas(struct demo *d, struct fail *f) {
    if (!d->counties) return OK;
    if (strlen(d->counties) >= sizeof d->areas_text)
        return fail_set(f, E_USAGE, "--counties takes codes with commas between them");
    (void)snprintf(d->areas_text, sizeof d->areas_text, "%s", d->counties);
    char *rest = d->areas_text;
    for (char *one; (one = strsep(&rest, ",")) != NULL;) {
        if (*one == 0 || d->area_count == AREAS_MAX)
            return fail_set(f, E_USAGE, "--counties takes codes with commas between them, not \"%s\"",
                            d->counties);
        d->areas[d->area_count++] = one;
    }
    return OK;
}

static err parse_speed(const char *text, double *out, struct fail *f) {
    uint64_t v;
    *out = 0;
    if (!text) return OK;
    if (u64_parse(span_text(text), 1000000, &v, NULL) != OK || v == 0)
        return fail_set(f, E_USAGE, "--speed takes a whole number from 1 to 1000000, not \"%s\"", text);
    *out = (double)v;
    return OK;
}

static err run(struct demo *d, struct arena *a, struct fail *f) {
    struct preset p;
    struct expansion x;
    double speed;
    TRY(parse_speed(d->speed, &speed, f));
    TRY(split_areas(d, f));
    const char *preset = find_preset(d, f);
    if (!preset) return f->code;
    TRY(preset_load(preset, a, &p, f));
    struct expand_options eo = {.seed = d->seed,
                                .limit = d->limit,
                                .areas = d->areas,
                                .area_count = d->area_count,
                                .all_contests = d->all_contests};
    TRY(expand(&p, &eo, a, &x, f));
    struct simulated_log o = {.command = "demo",
                              .preset = preset,
                              .dir = d->dir,
                              .origin = "demo.hesabu.example/" PRESET_NAME,
                              .x = &x,
                              .seed = d->seed,
                              .images = true,
                              .troubles = true,
                              .whole = d->limit == 0 && d->area_count == 0,
                              .once = d->once,
                              .fresh = d->fresh,
                              .listen = d->listen,
                              .speed = speed,
                              .threads = d->threads,
                              .in_flight = d->in_flight};
    return simulated_log_run(&o, f);
}

int cmd_demo(int argc, char **argv) {
    struct demo *d = calloc(1, sizeof *d);
    struct fail f = {0};
    if (!d) return cli_fail("demo", &(struct fail){.code = E_MEMORY});
    d->dir = "demo";
    d->listen = NULL;
    d->seed = 2017;
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &d->dir, "DIR", "where to (demo)"},
        {"--once", OPT_FLAG, &d->once, NULL, "as fast as it goes, serve nothing afterwards"},
        {"--limit", OPT_U64, &d->limit, "N", "only the first N stations in code order"},
        {"--counties", OPT_TEXT, &d->counties, "LIST", "only these, e.g. 001,047"},
        {"--all-contests", OPT_FLAG, &d->all_contests, NULL, "all six kinds of contest"},
        {"--seed", OPT_U64, &d->seed, "N", "of the stations' figures and of what happens (2017)"},
        {"--speed", OPT_TEXT, &d->speed, "X", "times real time (the night in about 10 minutes)"},
        {"--listen", OPT_TEXT, &d->listen, "ADDR:PORT", "where to listen (127.0.0.1:8080; with --once any port)"},
        {"--fresh", OPT_FLAG, &d->fresh, NULL, "remove what an earlier run left in DIR, and begin anew"},
        {"--preset", OPT_TEXT, &d->preset, "DIR", "the preset (data/" PRESET_NAME ")"},
        {"--threads", OPT_U64, &d->threads, "N", "that make records (one a processor)"},
        {"--in-flight", OPT_U64, &d->in_flight, "N", "requests at once (256)"},
    };
    const struct usage u = {
        "demo [--once] [--dir DIR] [--limit N]",
        "Kenya's presidential election of 2017, SIMULATED, through the real program: makes keys for\n"
        "every presiding officer and two parties' agents, begins a log, and sends each station's\n"
        "signed result and form as they arrive in the night, with things going wrong on the way\n"
        "(DIR/demo-log.txt). Stations' figures are generated and add up to Form 34C. The real election\n"
        "was annulled on 1 September 2017. Run again to go on after an interruption.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (cli_parse(&u, argc, argv, &nargs, &code)) {
        struct arena a;
        arena_init(&a, (size_t)2 << 30);
        if (!d->listen) d->listen = d->once ? "127.0.0.1:0" : "127.0.0.1:8080";
        err e = run(d, &a, &f);
        f.code = e;
        code = e == OK ? 0 : cli_fail("demo", &f);
        arena_release(&a);
    }
    free(d);
    return code;
}
