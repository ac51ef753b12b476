/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu forensics: the battery of tests over a CSV of stations. */
#include "cli/cli.h"
#include "cli/station_csv.h"
#include "stats/forensics/battery.h"

static const size_t MEMORY = (size_t)2 << 30;

struct args {
    const char *columns, *leader, *lang, *where;
    uint64_t seed, cap;
    bool json, nation_only;
};

static err run(const struct args *a, const char *path, struct station_csv *in, struct arena *mem,
               struct buf *out, struct fail *f) {
    enum lang lang;
    struct fx_report r;
    TRY(lang_parse(a->lang, &lang, f));
    if (a->cap > FX_MOST) return fail_set(f, E_USAGE, "--cap is the most voters a station may have");
    TRY(station_csv_read(path, a->columns, a->leader, a->where, in, f));
    struct fx_options o = {.seed = a->seed, .cap = (uint32_t)a->cap, .nation_only = a->nation_only};
    TRY(fx_battery_run(&in->table, &o, mem, &r, f));
    TRY(fx_battery_finish(&r, mem, f));
    if (a->json)
        fx_report_json(&r, lang, out);
    else
        fx_report_text(&r, lang, out);
    return buf_ok(out, f);
}

int cmd_forensics(int argc, char **argv);

int cmd_forensics(int argc, char **argv) {
    struct args a = {.lang = "en", .seed = 1};
    const struct opt o[] = {
        {"--columns", OPT_TEXT, &a.columns, "MAP",
         "registered=COL,valid=COL,rejected=COL,votes=COL1+COL2,unit=COL[,issued=COL+COL][,area="
         "COL+COL][,time=COL]"},
        {"--leader", OPT_TEXT, &a.leader, "COL", "the choice that is looked at, one of the votes"},
        {"--seed", OPT_U64, &a.seed, "N", "seed of what is drawn (default 1): same seed, same bytes"},
        {"--cap", OPT_U64, &a.cap, "N", "most voters a station may have by law"},
        {"--where", OPT_TEXT, &a.where, "COL=V", "only rows with this value"},
        {"--nation-only", OPT_FLAG, &a.nation_only, NULL, "no tests by area"},
        {"--lang", OPT_TEXT, &a.lang, "en|sw", "language of the sentences"},
        {"--json", OPT_FLAG, &a.json, NULL, "one JSON document"},
    };
    const struct usage u = {
        "forensics FILE.csv --columns MAP --leader COL [--seed N] [--json]",
        "Runs the forensic tests over the figures of all stations. Each result stands beside its null,\n"
        "the values of real elections used as controls, its innocent causes and what it cannot see.\n"
        "Columns that are not there make their methods n/a. Areas go from large to small:\n"
        "area=county+constituency+ward. FILE - is standard input.\n\n"
        "No result of this command says who did anything, and none says that a count is right.\n\n"
        "exit codes: 0 done (whatever was found); 1 the file is not readable data; 64 wrong usage",
        o, sizeof o / sizeof *o, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (!a.columns || !a.leader) {
        (void)fail_set(&f, E_USAGE, "%s is missing; --help shows how", a.columns ? "--leader COL"
                                                                                 : "--columns MAP");
        return cli_fail("forensics", &f);
    }
    struct station_csv in;
    struct arena mem;
    struct buf out;
    memset(&in, 0, sizeof in);
    arena_init(&mem, MEMORY);
    buf_init(&out, (size_t)256 << 20);
    err e = run(&a, argv[0], &in, &mem, &out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("forensics", &f);
    station_csv_release(&in);
    buf_release(&out);
    arena_release(&mem);
    return code;
}
