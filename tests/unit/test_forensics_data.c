/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reference values on real elections (shared data; skipped when it is not there), and the reading of
 * station files. */
#include "test.h"

#include <unistd.h>
#include "base/csv.h"
#include "base/rng.h"
#include "service/station_csv.h"
#include "stats/forensics/battery.h"
#include "stats/forensics/spikes.h"

/* cmocka's assert_float_equal works in single precision. */
#define near(got, want, by)                                                                        \
    do {                                                                                           \
        double near_g_ = (got), near_w_ = (want);                                                  \
        if (!(fabs(near_g_ - near_w_) <= (by)))                                                    \
            fail_msg("%s is %.10g, not %.10g +- %g", #got, near_g_, near_w_, (double)(by));        \
    } while (0)

/* Unpacks shared data/<name> into a temporary file; false when there is no shared folder. */
static bool unpack(const char *name, char path[64]) {
    const char *shared = shared_dir();
    char command[4600];
    if (!shared) return false;
    snprintf(path, 64, "/tmp/hesabu-fx-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0) return false;
    close(fd);
    snprintf(command, sizeof command, "xz -dc '%s/data/%s' > %s", shared, name, path);
    if (system(command) == 0) return true;
    unlink(path);
    return false;
}

struct election {
    struct station_csv in;
    struct arena mem;
    struct fx_report r;
};

static void load(struct election *e, const char *path, const char *columns, const char *leader,
                 unsigned skip) {
    struct fail f;
    must(station_csv_read(path, columns, leader, NULL, &e->in, &f));
    unlink(path);
    arena_init(&e->mem, (size_t)2 << 30);
    struct fx_options o = {.seed = 1, .skip = skip};
    must(fx_battery_run(&e->in.table, &o, &e->mem, &e->r, &f));
    must(fx_battery_finish(&e->r, &e->mem, &f));
}

static void release(struct election *e) {
    station_csv_release(&e->in);
    arena_release(&e->mem);
}

#define UGANDA                                                                                     \
    "registered=reg_voters,valid=valid_votes,rejected=invalid_votes,votes=abed_bwanika+"           \
    "amama_mbabazi+baryamureeba_venansius+benon_buta_biraaro+kizza_besigye_kifefe+"                \
    "mabirizi_joseph+maureen_faith_kyalya_waluube+yoweri_kaguta_museveni,area=sub_county"
#define RUSSIA                                                                                     \
    "registered=registered,valid=valid,rejected=invalid,"                                          \
    "issued=issued_early+issued_station+issued_home,area=region+tik,"
#define KENYA                                                                                      \
    "votes=odinga+ruto+wajackoyah+mwaure,unit=station,area=county+constituency+ward,"              \
    "time=upload_time_local"

static void uganda_2016(void **state) {
    (void)state;
    char path[64];
    struct election e;
    if (!unpack("uganda2016/stations_2016.csv.xz", path)) skip();
    load(&e, path, UGANDA, "yoweri_kaguta_museveni", 0);
    const struct fx_result *x = fx_report_nation(&e.r, FX_ARITHMETIC);
    assert_int_equal(x->n, 28010);
    near(fx_get(x, "sum_errors"), 0, 0);
    near(fx_get(x, "exactly_100_percent"), 130, 0);
    x = fx_report_nation(&e.r, FX_INTEGERS);
    near(x->value, -.3, .06);
    x = fx_report_nation(&e.r, FX_DUPLICATES);
    near(x->value, 21, 0);
    near(fx_get(x, "expected"), 1.0, .4);
    assert_true(fx_report_nation(&e.r, FX_COMB)->value <= 12);
    release(&e);
}

static void russia_2012(void **state) {
    (void)state;
    char path[64];
    struct election e;
    if (!unpack("russia/stations_2012.csv.xz", path)) skip();
    load(&e, path, RUSSIA "votes=zhirinovsky+zyuganov+mironov+prokhorov+putin", "putin",
         1u << FX_DUPLICATES);
    const struct fx_result *x = fx_report_nation(&e.r, FX_INTEGERS);
    assert_int_equal(x->is, FX_ANOMALY);
    near(x->excess, 1161.0, 1);
    x = fx_report_nation(&e.r, FX_SHPILKIN);
    near(fx_get(x, "lowest"), 11.3e6, .05e6);
    near(fx_get(x, "highest"), 12.0e6, .05e6);
    assert_int_equal(x->is, FX_EXPLORATORY);
    x = fx_report_nation(&e.r, FX_KLIMEK);
    assert_true(fx_get(x, "incremental") >= .35 && fx_get(x, "incremental") <= .50);
    assert_true(fx_get(x, "extreme") >= .02 && fx_get(x, "extreme") <= .05);
    release(&e);
}

static void russia_2018(void **state) {
    (void)state;
    char path[64];
    struct election e;
    if (!unpack("russia/stations_2018.csv.xz", path)) skip();
    load(&e, path,
         RUSSIA "votes=baburin+grudinin+zhirinovsky+putin+sobchak+suraykin+titov+yavlinsky", "putin",
         1u << FX_KLIMEK);
    near(fx_report_nation(&e.r, FX_INTEGERS)->excess, 1708.6, 1);
    const struct fx_result *x = fx_report_nation(&e.r, FX_DUPLICATES);
    near(x->value, 14, 0);
    near(fx_get(x, "expected"), 2.5, 1.5);
    x = fx_report_nation(&e.r, FX_SHPILKIN);
    near(fx_get(x, "lowest"), 10.8e6, .05e6);
    near(fx_get(x, "highest"), 11.0e6, .05e6);
    release(&e);
}

static void canada_2011(void **state) {
    (void)state;
    char path[64];
    struct fail f;
    struct election e;
    if (!unpack("canada2011/polls_2011.csv.xz", path)) skip();
    load(&e, path, "registered=N,valid=t,votes=v", "v", 0);
    near(fx_report_nation(&e.r, FX_INTEGERS)->value, 2.2, .06);
    assert_true(fx_report_nation(&e.r, FX_COMB)->value <= 12);
    const struct fx_result *x = fx_report_nation(&e.r, FX_KLIMEK);
    assert_true(fx_get(x, "incremental") <= .01 && fx_get(x, "extreme") <= .005);
    near(fx_get(fx_report_nation(&e.r, FX_DIGITS), "second_digit_mean"), 3.945, .0005);
    for (size_t i = 0; i < e.r.list.n; i++) assert_int_not_equal(e.r.list.at[i].is, FX_ANOMALY);
    /* spikes: a short run; R = 1000 is in the benchmark */
    struct fx_spikes fit;
    enum { R = 60 };
    float *rows = calloc(R, FX_SPIKE_BINS * sizeof *rows);
    double scratch[R];
    struct fx_result s;
    assert_non_null(rows);
    must(fx_spikes_fit(&e.in.table, 1, &e.mem, &fit, &f));
    fx_spikes_draw(&fit, 1, 0, R, rows);
    fx_spikes_finish(&fit, rows, R, &e.in.table, scratch, &s);
    assert_true(s.p >= .01);
    free(rows);
    release(&e);
}

static void kenya_2022(void **state) {
    (void)state;
    char path[64];
    struct fail f;
    struct election e;
    if (!unpack("kenya2022/form34a_2022_crowd.csv.xz", path)) skip();
    load(&e, path, KENYA, "ruto", 0);
    const struct fx_result *x = fx_report_nation(&e.r, FX_DUPLICATES);
    near(x->value, 26, 0);
    near(fx_get(x, "expected"), 16.0, .5);
    x = fx_report_nation(&e.r, FX_CONSTANCY);
    near(x->effect, 4.1, .5);
    assert_int_equal(x->is, FX_NOTHING);
    assert_true(fx_report_nation(&e.r, FX_COMB)->value <= 12);
    /* m = 1.1 in 30 % and 50 % of the forms, coarse grid and plain baseline: a few seeds */
    struct fx_comb *coarse;
    must(fx_comb_new(true, &e.mem, &coarse, &f));
    static const struct {
        unsigned percent;
        double median;
    } want[] = {{30, 92.7}, {50, 286.5}};
    for (size_t k = 0; k < 2; k++) {
        double sum = 0;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            uint32_t h[316] = {0};
            struct rng r;
            struct fx_comb_fit fit;
            rng_init_stream(&r, seed, want[k].percent);
            for (size_t i = 0; i < e.in.table.n; i++) {
                uint32_t v = fx_votes(&e.in.table, e.in.table.leader, i);
                if (rng_below(&r, 100) < want[k].percent) v = v * 11 / 10;
                if (v < 316) h[v]++;
            }
            fx_comb_fit(coarse, h, &fit);
            near(fit.m, 1.1, .0001);
            sum += fit.delta / 20;
        }
        near(sum, want[k].median, .1 * want[k].median);
    }
    release(&e);
}

static err read_text(const char *text, const char *columns, struct station_csv *s, struct fail *f) {
    struct csv *c;
    TRY(csv_open_span(span_text(text), "t.csv", &c, f));
    err e = station_csv_read_open(c, "t.csv", columns, "a", NULL, s, f);
    csv_close(c);
    return e;
}

static void station_files_are_read_strictly(void **state) {
    (void)state;
    struct fail f;
    struct station_csv s;
    must(read_text("a,b,n,k,when\n1,2,10,x,2022-08-09T22:36:59\n\"1,000\",,2000,y,\n",
                   "registered=n,votes=a+b,unit=k,area=k,time=when", &s, &f));
    assert_int_equal(s.table.n, 2);
    assert_int_equal(fx_votes(&s.table, 0, 1), 1000);
    assert_int_equal(fx_votes(&s.table, 1, 1), FX_ABSENT);
    assert_int_equal(fx_valid(&s.table, 1), 1000);
    assert_int_equal(s.table.time_ms[1], FX_NO_TIME);
    assert_true(s.table.time_ms[0] == 1660084619000);
    station_csv_release(&s);
    static const struct {
        const char *text, *columns;
        err code;
        const char *says;
    } bad[] = {
        {"a,b\n-1,2\n", "votes=a+b", E_CSV, "line 2, column \"a\""},
        {"a,b\n1,1000000000000000000\n", "votes=a+b", E_CSV, "line 2, column \"b\""},
        {"a,b\n1,2.5\n", "votes=a+b", E_CSV, "line 2, column \"b\""},
        {"a,b\n1\n", "votes=a+b", E_CSV, "line 2"},
        {"a,b\n", "votes=a+b", E_CSV, "no stations"},
        {"a,a\n1,2\n", "votes=a", E_CSV, "same name"},
        {"a,b\n1,2\n", "votes=a+c", E_CSV, "no column \"c\""},
        {"a,b\n1,2\n", "vote=a", E_USAGE, "is not one of"},
        {"a,b\n1,2\n", "valid=a", E_USAGE, "votes="},
        {"a,b\n1,2\n", "votes=b", E_USAGE, "not among the votes"},
        {"a,b\n1,2\n", "votes=a+a", E_USAGE, "twice"},
        {"a,b\n1,noon\n", "votes=a,time=b", E_CSV, "line 2, column \"b\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses(bad[i].code, read_text(bad[i].text, bad[i].columns, &s, &f));
        if (!strstr(f.text, bad[i].says)) fail_msg("\"%s\" does not say \"%s\"", f.text, bad[i].says);
        station_csv_release(&s);
    }
}

static void times_are_read_strictly(void **state) {
    (void)state;
    struct fail f;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1970-01-01T00:00:00", 0}, {"1970-01-01 00:01", 60000}, {"12345", 12345},
                {"2000-03-01T00:00:00Z", 951868800000}, {"1970-01-01T03:00:00+03:00", 0},
                {"1970-01-01T00:00:00.25Z", 250}, {"2017-08-13T16:51:32.930Z", 1502643092930}};
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        must(station_time_parse(span_text(good[i].text), &ms, &f));
        assert_true(ms == good[i].ms);
    }
    static const char *const bad[] = {"", "yesterday", "2022-13-01T00:00:00", "2022-08-09T25:00:00",
                                      "2022-08-09T10:00:00+3", "2022-08-09T10:00:00x", "-5",
                                      "2022-08-09T10:00:00."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_CSV, station_time_parse(span_text(bad[i]), &ms, &f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uganda_2016),
        cmocka_unit_test(russia_2012),
        cmocka_unit_test(russia_2018),
        cmocka_unit_test(canada_2011),
        cmocka_unit_test(kenya_2022),
        cmocka_unit_test(station_files_are_read_strictly),
        cmocka_unit_test(times_are_read_strictly),
    };
    return cmocka_run_group_tests_name("forensics_data", tests, NULL, NULL);
}
