/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <unistd.h>

#include "base/file.h"
#include "service/import.h"

static char folder[] = "/tmp/hesabu-import-XXXXXX";
static char file[200];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/t.csv", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    (void)unlink(file);
    return rmdir(folder);
}

/* Unpacks a shared .csv.xz to `file`; false when it is not there. */
static bool unpack(const char *name) {
    char command[5000], path[4500];
    const char *dir = shared_dir();
    snprintf(path, sizeof path, "%s/data/%s", dir ? dir : "", name);
    if (!dir || !file_exists(path)) return false;
    snprintf(command, sizeof command, "xz -dc '%s' > '%s'", path, file);
    assert_int_equal(system(command), 0);
    return true;
}

static const struct import_level uganda_levels[] = {{"district", NULL, "district"},
                                                    {"constituency", NULL, "constituency"},
                                                    {"sub-county", NULL, "sub_county"},
                                                    {"parish", NULL, "parish"},
                                                    {"station", NULL, "station"}};
static const struct import_choice uganda_choices[] = {{"abed_bwanika", NULL, NULL},
                                                      {"amama_mbabazi", NULL, NULL},
                                                      {"baryamureeba_venansius", NULL, NULL},
                                                      {"benon_buta_biraaro", NULL, NULL},
                                                      {"kizza_besigye_kifefe", NULL, NULL},
                                                      {"mabirizi_joseph", NULL, NULL},
                                                      {"maureen_faith_kyalya_waluube", NULL, NULL},
                                                      {"yoweri_kaguta_museveni", NULL, NULL}};
static const struct import_map uganda = {.levels = uganda_levels,
                                         .level_count = 5,
                                         .registered = "reg_voters",
                                         .valid = "valid_votes",
                                         .rejected = "invalid_votes",
                                         .choices = uganda_choices,
                                         .choice_count = 8,
                                         .id = "uganda-2016",
                                         .title = "Uganda 2016",
                                         .nation_code = "UG",
                                         .nation_title = "UGANDA",
                                         .contest = "president",
                                         .contest_title = "President"};

static void uganda_2016_passes(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    struct expansion x;
    struct import_report r;
    struct expand_options o = {.seed = 1};
    if (!unpack("uganda2016/stations_2016.csv.xz")) return;
    arena_init(&a, 128 << 20);
    must(import_election(file, &uganda, &o, &a, &p, &x, &r, &f));
    assert_int_equal(r.rows, 28010);
    assert_int_equal(x.station_count, 28010);
    assert_int_equal(x.level_first[2] - x.level_first[1], 112);
    assert_int_equal(x.level_first[3] - x.level_first[2], 287);
    assert_int_equal(r.number_at_end, 131);
    assert_true(r.number_repeated > 0 && r.sum_differs == 0 && r.unsent == 0);
    uint64_t sums[8] = {0}, valid = 0, rejected = 0, registered = 0;
    for (uint32_t i = 0; i < x.figures_count; i++) {
        const struct expand_figures *g = &x.figures[i];
        const struct expand_station *s = &x.stations[g->station];
        assert_true(g->sent && g->arrival_ms > 0 && g->identified.present);
        assert_true(span_starts(s->code, x.units[s->unit].code));
        for (int c = 0; c < 8; c++) sums[c] += g->votes[c];
        valid += g->valid.value;
        rejected += g->rejected.value;
        registered += s->registered.value;
        if (i) assert_true(span_cmp(x.stations[i - 1].code, s->code) < 0);
    }
    static const uint64_t want[] = {89005, 136519, 52798, 25600, 3508687, 24498, 42833, 5971872};
    for (int c = 0; c < 8; c++) assert_int_equal(sums[c], want[c]);
    assert_int_equal(valid, 9851812);
    assert_int_equal(rejected, 477319);
    assert_int_equal(registered, 15277198);
    assert_int_equal(x.units[0].registered.value, 15277198);
    assert_true(span_is(x.contests[0].choices[7].id, "yoweri-kaguta-museveni"));
    assert_true(span_is(x.contests[0].choices[7].name, "yoweri kaguta museveni"));
    assert_true(span_is(x.units[1].code, "001") && span_is(x.units[1].name, "APAC"));
    arena_release(&a);
}

static const struct import_level kenya_levels[] = {
    {"county", "county", "county_name"},
    {"constituency", "constituency", "constituency_name"},
    {"ward", "ward", "ward_name"},
    {"centre", "centre", "centre_name"},
    {"station", "stream", NULL}};

/* Real codes are the units; the figures are Form 34C's, split over them. */
static void kenya_2017_codes_pass(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    struct expansion x;
    struct import_report r;
    const struct import_map m = {.levels = kenya_levels, .level_count = 5};
    struct expand_options o = {.seed = 2017};
    struct expand_place *places;
    if (!unpack("kenya2017/stations_2017.csv.xz")) return;
    arena_init(&a, 128 << 20);
    must(preset_load("data/kenya-2017", &a, &p, &f));
    must(import_places(file, &m, &a, &places, &o.place_count, &r, &f));
    assert_int_equal(o.place_count, 40883);
    assert_true(span_is(places[0].code, "001001000100101"));
    assert_true(span_is(places[0].name, "BOMU PRIMARY SCHOOL"));
    assert_int_equal(r.number_repeated, 0);
    assert_int_equal(r.registered_blank, 40883);
    o.places = places;
    must(expand(&p, &o, &a, &x, &f));
    assert_int_equal(x.station_count, 40883);
    assert_int_equal(x.level_first[5] - x.level_first[4], 24703); /* centres */
    assert_int_equal(x.sent_count, 40883 - 251);
    uint64_t sums[8] = {0}, *by_row = calloc(p.unit_count * 8, sizeof *by_row);
    assert_non_null(by_row);
    for (uint32_t i = 0; i < x.figures_count; i++) {
        const struct expand_figures *g = &x.figures[i];
        const struct expand_station *s = &x.stations[g->station];
        uint32_t unit = preset_unit_find(&p, 2, span_of(s->code.p, 6));
        for (int c = 0; g->sent && c < 8; c++) {
            sums[c] += g->votes[c];
            by_row[unit * 8 + (uint32_t)c] += g->votes[c];
        }
    }
    for (uint32_t i = 0; i < p.row_count; i++)
        for (uint32_t c = 0; c < 8; c++)
            assert_int_equal(by_row[p.rows[i].unit * 8 + c], p.rows[i].votes[c].value);
    assert_int_equal(sums[4], 8203264);
    assert_int_equal(sums[7], 6762203);
    uint32_t crowded = 0;
    for (uint32_t i = 0; i < x.note_count; i++) {
        if (x.notes[i].kind != NOTE_STATION_OVER_MAX) continue;
        crowded++;
        assert_true(span_is(x.units[x.notes[i].unit].code, "0120580285")); /* 22,013 at 30 */
    }
    assert_int_equal(crowded, 1);
    free(by_row);
    arena_release(&a);
}

/* ---- small files ---- */

static const struct import_level named[] = {{"area", NULL, "area"}, {"station", NULL, "station"}};
static const struct import_choice two[] = {{"x", "Xaver", "p"}, {"y", NULL, NULL}};
static const struct import_map small = {.levels = named,
                                        .level_count = 2,
                                        .registered = "reg",
                                        .valid = "valid",
                                        .rejected = "rej",
                                        .choices = two,
                                        .choice_count = 2,
                                        .id = "t",
                                        .title = "T",
                                        .nation_code = "T",
                                        .nation_title = "T",
                                        .contest = "head",
                                        .contest_title = "Head"};

static err import_text(const char *text, const struct import_map *m, struct arena *a,
                       struct preset *p, struct expansion *x, struct import_report *r,
                       struct fail *f) {
    struct expand_options o = {.seed = 1};
    struct fail g;
    if (file_write_atomic(file, span_text(text), &g) != OK) fail_msg("%s", g.text);
    return import_election(file, m, &o, a, p, x, r, f);
}

static void names_become_codes(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    struct expansion x;
    struct import_report r;
    arena_init(&a, 1 << 20);
    must(import_text("area,station,reg,x,y,valid,rej\n"
                     "02 B,01 S,100,1,2,3,4\n"
                     "01 A,2 T,100,5,6,12,\n" /* does not add up: carried over */
                     "01 A,1 S,,7,0,7,0\n"
                     "01 Z,1 S,50,,,,\n"    /* same number as A: told apart by a digit */
                     "C 03,1 S,50,1,,1,\n", /* number at the end; partly blank */
                     &small, &a, &p, &x, &r, &f));
    static const char *const codes[] = {"01001", "01002", "01101", "02001", "03001"};
    assert_int_equal(x.station_count, 5);
    for (int i = 0; i < 5; i++) assert_true(span_is(x.stations[i].code, codes[i]));
    assert_true(span_is(x.units[2].name, "Z") && span_is(x.units[2].code, "011"));
    assert_true(r.number_repeated == 1 && r.number_at_end == 1 && r.unsent == 1);
    assert_true(r.part_blank == 1 && r.sum_differs == 1 && r.registered_blank == 1);
    assert_true(r.rejected_blank == 1 && r.over_register == 0);
    assert_true(x.figures[0].sent && !x.stations[0].registered.present);
    assert_true(x.figures[1].valid.value == 12 && !x.figures[1].rejected.present);
    assert_false(x.figures[2].sent);
    assert_false(x.figures[4].sent);
    assert_int_equal(x.sent_count, 3);
    assert_true(span_is(x.contests[0].choices[0].name, "Xaver"));
    arena_release(&a);
}

static void what_cannot_be_read_is_refused(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    struct expansion x;
    struct import_report r;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"area,station,reg,x,y,valid,rej\n", "0 rows"},
        {"area,station,reg,x,valid,rej\n", "\"y\""},
        {"area,station,reg,x,y,valid,rej\nA,1 S,1,1,0,1,0\n", "line 2, column \"area\""},
        {"area,station,reg,x,y,valid,rej\n01,1 S,1,1,0,1,0\n", "no number"},
        {"area,station,reg,x,y,valid,rej\n1234567890 A,1 S,1,1,0,1,0\n", "no number"},
        {"area,station,reg,x,y,valid,rej\n1 A,,1,1,0,1,0\n", "column \"station\""},
        {"area,station,reg,x,y,valid,rej\n1 A,1 S,1,-1,0,1,0\n", "negative"},
        {"area,station,reg,x,y,valid,rej\n1 A,1 S,1,1.5,0,1,0\n", "column \"x\""},
        {"area,station,reg,x,y,valid,rej\n1 A,1 S,1,1,0,1,0\n1 A,2 S,1,1,0,1,0\n"
         "1 A,1 S,1,1,0,1,0\n",
         "lines 2 and 4 are the same station"},
        {"area,station,reg,x,y,valid,rej\n1 A,1 S,1,1,0,1,0\n01 B,1 S,1,1,0,1,0\n",
         "the same digits"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arena_init(&a, 1 << 20);
        refuses(E_CSV, import_text(bad[i].text, &small, &a, &p, &x, &r, &f));
        if (!strstr(f.text, bad[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, f.text, bad[i].says);
        arena_release(&a);
    }
    static const struct import_level coded[] = {{"area", "code", "area"},
                                                {"station", NULL, "station"}};
    struct import_map m = small;
    m.levels = coded;
    arena_init(&a, 1 << 20);
    refuses(E_CSV, import_text("code,area,station,reg,x,y,valid,rej\n01,A,1 S,1,1,0,1,0\n"
                               "01,B,1 T,1,1,0,1,0\n",
                               &m, &a, &p, &x, &r, &f));
    assert_non_null(strstr(f.text, "two names"));
    arena_release(&a);
    m = small;
    m.choice_count = 0;
    refuses(E_CONFIG, import_text("a\n1\n", &m, &a, &p, &x, &r, &f));
    arena_init(&a, 100);
    refuses(E_MEMORY, import_text("area,station,reg,x,y,valid,rej\n1 A,1 S,1,1,0,1,0\n", &small, &a,
                                  &p, &x, &r, &f));
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uganda_2016_passes),
        cmocka_unit_test(kenya_2017_codes_pass),
        cmocka_unit_test(names_become_codes),
        cmocka_unit_test(what_cannot_be_read_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
