/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu import: real stations from a CSV, through the same pipeline as the demonstration. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli/cli.h"
#include "cli/simulated_log.h"
#include "service/import.h"

int cmd_import(int argc, char **argv);

enum { LEVELS_MAX = 7, COLUMNS_TEXT_MAX = 16384 };

struct opts {
    const char *file, *columns, *dir, *id, *title, *nation, *contest, *preset, *listen;
    uint64_t limit, seed;
    bool once, fresh, images;
    char text[COLUMNS_TEXT_MAX], nation_text[200], contest_text[200];
    struct import_level levels[LEVELS_MAX];
    struct import_choice choices[PRESET_CHOICES_MAX];
    struct import_map map;
};

/* "a|b|c": columns of votes. */
static err add_choices(struct opts *o, char *list, struct fail *f) {
    for (char *one; (one = strsep(&list, "|")) != NULL;) {
        if (*one == 0 || o->map.choice_count == PRESET_CHOICES_MAX)
            return fail_set(f, E_USAGE, "votes= takes 1 to %d columns with '|' between them",
                            PRESET_CHOICES_MAX);
        o->choices[o->map.choice_count++].column = one;
    }
    return OK;
}

/* "district=NAME_COLUMN" or "county=CODE_COLUMN+NAME_COLUMN" or "station=CODE_COLUMN+" */
static err add_level(struct opts *o, const char *level, char *columns, struct fail *f) {
    if (o->map.level_count == LEVELS_MAX)
        return fail_set(f, E_USAGE, "at most %d levels below the nation", LEVELS_MAX);
    struct import_level *l = &o->levels[o->map.level_count++];
    char *plus = strchr(columns, '+');
    l->level = level;
    if (!plus) {
        l->name = columns;
        return OK;
    }
    *plus = 0;
    l->code = columns;
    l->name = plus[1] ? plus + 1 : NULL;
    return OK;
}

static err read_columns(struct opts *o, struct fail *f) {
    if (strlen(o->columns) >= sizeof o->text) return fail_set(f, E_USAGE, "--columns is too long");
    (void)snprintf(o->text, sizeof o->text, "%s", o->columns);
    char *rest = o->text;
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        char *eq = strchr(item, '=');
        if (!eq || eq == item || !eq[1])
            return fail_set(f, E_USAGE, "--columns: \"%.80s\" is not WHAT=COLUMN", item);
        *eq = 0;
        char *value = eq + 1;
        if (strcmp(item, "registered") == 0)
            o->map.registered = value;
        else if (strcmp(item, "valid") == 0)
            o->map.valid = value;
        else if (strcmp(item, "rejected") == 0)
            o->map.rejected = value;
        else if (strcmp(item, "votes") == 0)
            TRY(add_choices(o, value, f));
        else
            TRY(add_level(o, item, value, f));
    }
    if (o->map.level_count < 2)
        return fail_set(f, E_USAGE, "--columns names two levels or more, the station last");
    o->map.levels = o->levels;
    o->map.choices = o->choices;
    return OK;
}

/* "UG=UGANDA" in two. */
static err split(const char *what, const char *text, char room[200], const char **left,
                 const char **right, struct fail *f) {
    (void)snprintf(room, 200, "%s", text);
    char *eq = strchr(room, '=');
    if (!eq || eq == room || !eq[1])
        return fail_set(f, E_USAGE, "%s takes CODE=NAME, not \"%.80s\"", what, text);
    *eq = 0;
    *left = room;
    *right = eq + 1;
    return OK;
}

static void print_report(const struct import_report *r) {
    const struct {
        uint64_t n;
        const char *text;
    } rows[] = {
        {r->number_repeated, "units shared a sibling's number and were told apart by a digit"},
        {r->number_at_end, "rows had a number behind its name"},
        {r->unsent, "stations have no votes: expected, and not sent"},
        {r->part_blank, "stations have votes for some choices only: not sent"},
        {r->registered_blank, "stations have no registered voters"},
        {r->rejected_blank, "stations have no rejected ballots: left blank"},
        {r->sum_differs, "stations' votes do not add up to their valid votes (F_SUM)"},
        {r->over_register, "stations have more ballots than registered voters (F_OVER_REGISTER)"},
    };
    printf("%" PRIu64 " rows read\n", r->rows);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].n) printf("  %" PRIu64 " %s\n", rows[i].n, rows[i].text);
}

/* Stations with their figures, or, without columns of votes, stations for a preset's totals. */
static err load(struct opts *o, struct arena *a, struct preset *p, struct expansion *x,
                struct import_report *r, struct fail *f) {
    struct expand_options eo = {.seed = o->seed, .limit = o->limit};
    if (o->map.choice_count == 0) {
        struct expand_place *places;
        if (!o->preset)
            return fail_set(f, E_USAGE, "without votes= in --columns, --preset says whose totals the "
                                        "stations share");
        TRY(preset_load(o->preset, a, p, f));
        TRY(import_places(o->file, &o->map, a, &places, &eo.place_count, r, f));
        eo.places = places;
        return expand(p, &eo, a, x, f);
    }
    struct preset *like = o->preset ? arena_alloc(a, sizeof *like) : NULL;
    if (like) {
        TRY(preset_load(o->preset, a, like, f));
        o->map.like = like;
    }
    o->map.id = o->id;
    o->map.title = o->title ? o->title : o->id;
    TRY(split("--nation", o->nation, o->nation_text, &o->map.nation_code, &o->map.nation_title, f));
    TRY(split("--contest", o->contest, o->contest_text, &o->map.contest, &o->map.contest_title, f));
    return import_election(o->file, &o->map, &eo, a, p, x, r, f);
}

static err run(struct opts *o, struct arena *a, struct fail *f) {
    struct preset p;
    struct expansion x;
    struct import_report r;
    char origin[200];
    if (!o->columns) return fail_set(f, E_USAGE, "say which columns there are: --columns");
    TRY(read_columns(o, f));
    TRY(load(o, a, &p, &x, &r, f));
    print_report(&r);
    (void)snprintf(origin, sizeof origin, "import.hesabu.example/%s", o->id);
    struct simulated_log l = {.command = "import",
                              .dir = o->dir,
                              .origin = origin,
                              .x = &x,
                              .poll_of = &p,
                              .seed = o->seed,
                              .images = o->images,
                              .whole = o->limit == 0,
                              .once = o->once,
                              .fresh = o->fresh,
                              .listen = o->listen ? o->listen
                                        : o->once ? "127.0.0.1:0"
                                                  : "127.0.0.1:8080"};
    return simulated_log_run(&l, f);
}

int cmd_import(int argc, char **argv) {
    struct opts *o = calloc(1, sizeof *o);
    struct fail f = {0};
    if (!o) return cli_fail("import", &(struct fail){.code = E_MEMORY});
    o->dir = "import";
    o->id = "import";
    o->nation = "N=NATION";
    o->contest = "contest=Contest";
    o->seed = 1;
    const struct opt options[] = {
        {"--columns", OPT_TEXT, &o->columns, "LIST", "which column is what (see above)"},
        {"--dir", OPT_TEXT, &o->dir, "DIR", "where to (import)"},
        {"--once", OPT_FLAG, &o->once, NULL, "as fast as it goes, serve nothing afterwards"},
        {"--id", OPT_TEXT, &o->id, "ID", "the election's id, e.g. uganda-2016"},
        {"--title", OPT_TEXT, &o->title, "TEXT", "its title"},
        {"--nation", OPT_TEXT, &o->nation, "CODE=NAME", "of the root, e.g. UG=UGANDA"},
        {"--contest", OPT_TEXT, &o->contest, "ID=TITLE", "e.g. president=President"},
        {"--preset", OPT_TEXT, &o->preset, "DIR", "lends rules and quotas; without votes= also the figures"},
        {"--images", OPT_FLAG, &o->images, NULL, "draw a form for each result, and require it"},
        {"--limit", OPT_U64, &o->limit, "N", "only the first N stations in code order"},
        {"--seed", OPT_U64, &o->seed, "N", "of arrival times (1)"},
        {"--listen", OPT_TEXT, &o->listen, "ADDR:PORT", "where to listen (127.0.0.1:8080; with --once any port)"},
        {"--fresh", OPT_FLAG, &o->fresh, NULL, "remove what an earlier run left in DIR, and begin anew"},
    };
    const struct usage u = {
        "import FILE.csv --columns LIST [--dir DIR] [--once]",
        "Real stations and figures, one row each, become a log: keys are generated (SIMULATED), figures\n"
        "are the file's, and the totals of the log equal its sums. FILE \"-\" is standard input.\n"
        "LIST is WHAT=COLUMN with commas: levels from the top to the station, in order, as\n"
        "LEVEL=NAME_COLUMN (the code is the number in the name), LEVEL=CODE_COLUMN+NAME_COLUMN or\n"
        "LEVEL=CODE_COLUMN+; then registered=, valid=, rejected=, and votes=COLUMN|COLUMN|...\n\n"
        "  xz -dc stations.csv.xz | hesabu import - --once --dir ug --id uganda-2016 \\\n"
        "    --nation UG=UGANDA --contest president=President --columns \\\n"
        "    district=district,station=station,registered=reg_voters,votes=a_name|b_name",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (cli_parse(&u, argc, argv, &nargs, &code)) {
        struct arena a;
        arena_init(&a, (size_t)4 << 30);
        o->file = argv[0];
        err e = run(o, &a, &f);
        f.code = e;
        code = e == OK ? 0 : cli_fail("import", &f);
        arena_release(&a);
    }
    free(o);
    return code;
}
