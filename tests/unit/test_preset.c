/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <unistd.h>

#include "base/file.h"
#include "service/preset.h"
#include "service/preset_json.h"

#define KENYA "data/kenya-2017"

static bool has(struct span s, const char *part) {
    return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static void kenya_loads_whole(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    arena_init(&a, 64 << 20);
    must(preset_load(KENYA, &a, &p, &f));
    assert_true(span_is(p.id, "kenya-2017"));
    assert_true(has(p.simulated, "annulled"));
    assert_true(p.image_required && p.centre && p.level_count == 6);
    assert_int_equal(p.levels[5].code_length, 15);
    assert_true(p.poll_closes_ms == 1502200800000u); /* 8 August 2017, 14:00 UTC */
    static const uint32_t counts[] = {1, 49, 292, 1456};
    for (int l = 0; l < 4; l++)
        assert_int_equal(p.level_first[l + 1] - p.level_first[l], counts[l]);
    assert_int_equal(p.units[0].registered.value, 19611423);
    assert_int_equal(p.units[0].stations, 40883);
    uint32_t diaspora = preset_unit_find(&p, 1, SPAN_LIT("048"));
    uint32_t prisons = preset_unit_find(&p, 2, SPAN_LIT("049292"));
    assert_true(p.units[diaspora].national_only && p.units[diaspora].stations == 10);
    assert_true(p.units[prisons].national_only && p.units[prisons].stations == 103);
    assert_int_equal(p.units[prisons].registered.value, 5528);
    uint32_t ward = preset_unit_find(&p, 3, SPAN_LIT("0472901450"));
    assert_true(ward != PRESET_NO_UNIT);
    assert_true(span_is(p.units[preset_unit_at(&p, ward, 2)].name, "MATHARE"));
    assert_true(preset_unit_find(&p, 3, SPAN_LIT("0472909999")) == PRESET_NO_UNIT);
    arena_release(&a);
}

static void six_kinds_make_1882_contests(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    arena_init(&a, 64 << 20);
    must(preset_load(KENYA, &a, &p, &f));
    static const uint32_t want[] = {1, 47, 47, 47, 290, 1450};
    uint32_t by_kind[6] = {0};
    assert_int_equal(p.contest_count, 1882);
    assert_int_equal(p.kind_count, 6);
    for (uint32_t i = 0; i < p.contest_count; i++) {
        const struct preset_contest *c = &p.contests[i];
        by_kind[c->kind]++;
        assert_int_equal(p.units[c->unit].level, p.kinds[c->kind].level);
        if (i == 0) continue;
        assert_true(c->choice_count >= 2 && c->choice_count <= 9);
        for (uint32_t k = 0; k < c->choice_count; k++)
            assert_true(has(c->choices[k].name, "SIMULATED"));
    }
    for (int k = 0; k < 6; k++) assert_int_equal(by_kind[k], want[k]);
    assert_int_equal(p.contests[0].choice_count, 8);
    assert_true(span_is(p.contests[0].choices[4].name, "Uhuru Kenyatta"));
    assert_true(span_is(p.contests[1].id, "governor-001"));
    assert_true(span_is(p.contests[1].title, "County Governor, MOMBASA"));
    assert_true(span_is(p.contests[1881].id, "county-assembly-0472901450"));
    /* the rule is data, in canonical form */
    assert_true(span_starts(p.kinds[0].rule, SPAN_LIT("{\"court\":\"Supreme Court of Kenya, Nairobi\","
                                                        "\"death_of_candidate\":\"cancelled\",")));
    assert_true(has(p.kinds[0].rule, "\"at_least\":[1,4],\"exclude\":[\"048\",\"049\"]"));
    assert_true(span_is(p.kinds[1].clocks, "{\"decision_months\":6,\"petition_days\":28}"));
    arena_release(&a);
}

static void form_34c_with_its_holes(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    arena_init(&a, 64 << 20);
    must(preset_load(KENYA, &a, &p, &f));
    assert_int_equal(p.row_count, 291);
    uint64_t votes[8] = {0}, valid = 0, rejected = 0, registered = 0, blank = 0, empty = 0;
    for (uint32_t i = 0; i < p.row_count; i++) {
        const struct preset_row *r = &p.rows[i];
        uint64_t sum = 0;
        for (int k = 0; k < 8; k++) {
            votes[k] += r->votes[k].value;
            sum += r->votes[k].value;
        }
        assert_int_equal(sum, r->valid.value);
        valid += r->valid.value;
        rejected += r->rejected.value;
        registered += r->registered.value;
        blank += !r->rejected.present;
        if (!r->votes[0].present) {
            empty++;
            assert_true(span_is(p.units[r->unit].name, "NYANDO"));
        }
    }
    static const uint64_t want[] = {27311, 38093, 11705, 16482, 8203264, 13257, 42259, 6762203};
    for (int k = 0; k < 8; k++) assert_int_equal(votes[k], want[k]);
    assert_int_equal(valid, 15114574);
    assert_int_equal(rejected, 81685);
    assert_int_equal(registered, 19611457);
    assert_int_equal(blank, 11);
    assert_int_equal(empty, 1);
    assert_true(span_is(p.totals_form, "34C"));
    assert_true(p.printed.valid.present && p.printed.valid.value == 15114622); /* its rows: 15,114,574 */
    assert_true(p.printed.votes && !p.printed.rejected.present);
    arena_release(&a);
}

/* ---- a small preset, and everything that may be wrong with it ---- */

static const char good_json[] =
    "{\"format\":\"hesabu/preset/v1\",\"id\":\"t\",\"title\":\"T\",\"simulated\":\"SIMULATED\","
    "\"notes\":[],\"sources\":[],\"poll\":{\"date\":\"2020-02-29\",\"opens\":\"06:00\","
    "\"closes\":\"17:00\",\"utc_offset_minutes\":0},\"image\":\"optional\","
    "\"levels\":[{\"name\":\"nation\",\"code\":\"T\",\"title\":\"T\"},{\"name\":\"area\","
    "\"digits\":2},{\"name\":\"station\",\"digits\":2}],"
    "\"units\":[{\"level\":\"area\",\"file\":\"areas.csv\"}],\"station_registered_max\":500,"
    "\"national_only\":[\"02\"],\"totals\":{\"contest\":\"head\",\"level\":\"area\","
    "\"file\":\"totals.csv\",\"form\":\"C\"},\"parties\":[{\"id\":\"p\",\"name\":\"P\"}],"
    "\"kinds\":[{\"id\":\"head\",\"title\":\"Head\",\"level\":\"nation\",\"forms\":{},"
    "\"declarer\":{},\"rule\":{\"b\":1,\"a\":[1,2]},\"clocks\":{},\"choices\":[{\"id\":\"x\","
    "\"name\":\"X\",\"party\":\"p\"},{\"id\":\"y\",\"name\":\"Y\"}]},"
    "{\"id\":\"mp\",\"title\":\"MP\",\"level\":\"area\",\"forms\":{},\"declarer\":{},\"rule\":{},"
    "\"clocks\":{},\"placeholder_choices\":{\"least\":2,\"most\":2}}],"
    "\"roles\":{},\"quotas\":{},\"thresholds\":{},\"deadlines\":{}}";
static const char good_areas[] = "code,name,registered,stations\n01,A,100,2\n02,B,50,1\n";
static const char good_totals[] = "code,name,registered,x,y,valid,rejected\n01,A,100,30,20,50,\n";

static char folder[] = "/tmp/hesabu-preset-XXXXXX";

static void put(const char *name, const char *text) {
    struct fail f;
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(file_write_atomic(path, span_text(text), &f));
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"preset.json", "areas.csv", "totals.csv"};
    for (size_t i = 0; i < 3; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

/* `text` with the first `from` replaced by `to`; static storage. */
static const char *with(const char *text, const char *from, const char *to) {
    static char out[8192];
    const char *at = strstr(text, from);
    assert_non_null(at);
    int n = snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_true(n > 0 && (size_t)n < sizeof out);
    return out;
}

static err load(struct fail *f) {
    struct arena a;
    struct preset p;
    arena_init(&a, 1 << 20);
    err e = preset_load(folder, &a, &p, f);
    if (e != OK) assert_null(p.units);
    arena_release(&a);
    return e;
}

static void put_good(void) {
    put("preset.json", good_json);
    put("areas.csv", good_areas);
    put("totals.csv", good_totals);
}

static void a_small_preset(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    put_good();
    arena_init(&a, 1 << 20);
    must(preset_load(folder, &a, &p, &f));
    assert_false(p.centre);
    assert_int_equal(p.contest_count, 2); /* the national contest and area 01's: 02 is left out */
    assert_true(span_is(p.kinds[0].rule, "{\"a\":[1,2],\"b\":1}"));
    assert_false(p.rows[0].rejected.present);
    assert_true(p.rows[0].votes[1].present && p.rows[0].votes[1].value == 20);
    assert_true(p.poll_opens_ms == 1582956000000u);
    arena_release(&a);
}

static void hostile_json(void **state) {
    (void)state;
    struct fail f;
    static const struct {
        const char *from, *to;
        err code;
        const char *says;
    } bad[] = {
        {"{\"format\"", "[\"format\"", E_JSON, "line 1"},
        {"\"id\":\"t\"", "\"id\":\"t\",\"id\":\"u\"", E_JSON, "duplicate"},
        {"preset/v1", "preset/v2", E_CONFIG, "format"},
        {"\"id\":\"t\"", "\"id\":\"T\"", E_CONFIG, "id must be"},
        {"\"id\":\"t\",", "", E_CONFIG, "id is missing"},
        {"\"notes\":[]", "\"notes\":[],\"more\":1", E_CONFIG, "more is not a key"},
        {"\"notes\":[]", "\"notes\":[1.5]", E_CONFIG, "notes[0] must be a whole number"},
        {"\"notes\":[]", "\"notes\":[-1]", E_CONFIG, "notes[0]"},
        {"\"notes\":[]", "\"notes\":[9007199254740992]", E_CONFIG, "2^53-1"},
        {"\"notes\":[]", "\"notes\":[null]", E_CONFIG, "null"},
        {"\"notes\":[]", "\"notes\":[[[[[[[[[[1]]]]]]]]]]", E_CONFIG, "nested"},
        {"\"notes\":[]", "\"notes\":{}", E_CONFIG, "array"},
        {"\"title\":\"T\"", "\"title\":\"\\u202eT\"", E_CONFIG, "bidirectional"},
        {"\"title\":\"T\"", "\"title\":\"a\\nb\"", E_CONFIG, "control"},
        {"\"title\":\"T\"", "\"title\":\"\\u0000\"", E_JSON, "line 1"},
        {"\"title\":\"T\"", "\"title\":\"\xff\"", E_JSON, "line 1"},
        {"\"title\":\"T\"", "\"title\":\"\"", E_CONFIG, "empty"},
        {"2020-02-29", "2020-13-01", E_CONFIG, "poll.date"},
        {"2020-02-29", "2020-2-29", E_CONFIG, "poll.date"},
        {"\"17:00\"", "\"05:00\"", E_CONFIG, "open before"},
        {"\"17:00\"", "\"25:00\"", E_CONFIG, "poll.closes"},
        {"\"optional\"", "\"maybe\"", E_CONFIG, "image"},
        {"\"digits\":2", "\"digits\":0", E_CONFIG, "levels[1].digits"},
        {"\"digits\":2", "\"digits\":2.0", E_CONFIG, "whole number"},
        {"\"code\":\"T\"", "\"code\":\"01\"", E_CONFIG, "A-Z"},
        {"\"name\":\"station\"", "\"name\":\"area\"", E_CONFIG, "used before"},
        {"areas.csv", "../areas.csv", E_CONFIG, "plain file name"},
        {"areas.csv", "/etc/passwd", E_CONFIG, "plain file name"},
        {"areas.csv", "none.csv", E_NOT_FOUND, "none.csv"},
        {"{\"level\":\"area\",\"file\":\"areas.csv\"}", "", E_CONFIG, "units"},
        {"\"02\"]", "\"2\"]", E_CONFIG, "national_only[0]"},
        {"\"02\"]", "\"07\"]", E_CONFIG, "national_only[0]"},
        {"\"contest\":\"head\"", "\"contest\":\"mp\"", E_CONFIG, "totals.contest"},
        {"\"form\":\"C\"", "\"form\":\"C\",\"printed\":{\"z\":1}", E_CONFIG, "totals.printed"},
        {"\"form\":\"C\"", "\"form\":\"C\",\"printed\":{\"x\":-1}", E_CONFIG, "totals.printed.x"},
        {"\"party\":\"p\"", "\"party\":\"q\"", E_CONFIG, "none of the parties"},
        {"\"id\":\"y\"", "\"id\":\"x\"", E_CONFIG, "another choice"},
        {"\"id\":\"mp\"", "\"id\":\"head\"", E_CONFIG, "another kind"},
        {"\"least\":2,\"most\":2", "\"least\":3,\"most\":2", E_CONFIG, "most"},
        {",\"placeholder_choices\":{\"least\":2,\"most\":2}", "", E_CONFIG, "either"},
        {"\"level\":\"nation\"", "\"level\":\"station\"", E_CONFIG, "must be an area"},
        {"\"level\":\"nation\"", "\"level\":\"moon\"", E_CONFIG, "none of the levels"},
        {"\"roles\":{}", "\"roles\":{\"a b\":1}", E_CONFIG, "key"},
        {"\"deadlines\":{}}", "\"deadlines\":{}} x", E_JSON, "line 1"},
    };
    put_good();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("preset.json", with(good_json, bad[i].from, bad[i].to));
        refuses(bad[i].code, load(&f));
        if (!strstr(f.text, bad[i].says))
            fail_msg("case %zu (%s): \"%s\" does not say \"%s\"", i, bad[i].to, f.text,
                     bad[i].says);
    }
    put("preset.json", "");
    refuses(E_JSON, load(&f));
}

static void hostile_tables(void **state) {
    (void)state;
    struct fail f;
    static const struct {
        const char *areas, *totals;
        err code;
        const char *says;
    } bad[] = {
        {"code,name,registered,stations\n", good_totals, E_CONFIG, "no rows"},
        {"code,name,stations\n01,A,2\n02,B,1\n", good_totals, E_CONFIG, "registered"},
        {"code,name,registered,stations,x\n01,A,1,2,3\n", good_totals, E_CONFIG, "column \"x\""},
        {"code,registered,stations\n01,1,2\n", good_totals, E_CONFIG, "\"name\" is missing"},
        {"code,name,registered,stations\n1,A,100,2\n02,B,50,1\n", good_totals, E_CONFIG,
         "line 2, column \"code\""},
        {"code,name,registered,stations\n0x,A,100,2\n", good_totals, E_CONFIG, "2 digits"},
        {"code,name,registered,stations\n02,A,100,2\n01,B,50,1\n", good_totals, E_CONFIG,
         "line 3, column \"code\""},
        {"code,name,registered,stations\n01,A,100,2\n01,B,50,1\n", good_totals, E_CONFIG,
         "without repeats"},
        {"code,name,registered,stations\n01,,100,2\n02,B,50,1\n", good_totals, E_CONFIG,
         "column \"name\""},
        {"code,name,registered,stations\n01,\xe2\x80\xae,100,2\n02,B,50,1\n", good_totals, E_CONFIG,
         "column \"name\""},
        {"code,name,registered,stations\n01,A,,2\n02,B,50,1\n", good_totals, E_CONFIG, "blank"},
        {"code,name,registered,stations\n01,A,100,0\n02,B,50,1\n", good_totals, E_CONFIG,
         "number of stations"},
        {"code,name,registered,stations\n01,A,100,100\n02,B,50,1\n", good_totals, E_CONFIG,
         "more than the stations' codes"},
        {"code,name,registered,stations\n01,A,-1,2\n02,B,50,1\n", good_totals, E_CSV, "negative"},
        {"code,name,registered,stations\n01,A,99999999999,2\n02,B,50,1\n", good_totals, E_CSV,
         "too large"},
        {good_areas, "code,name,registered,x,valid,rejected\n01,A,100,30,50,\n", E_CSV, "\"y\""},
        {good_areas, "code,name,registered,x,y,z,valid,rejected\n01,A,100,30,20,1,50,\n", E_CONFIG,
         "columns"},
        {good_areas, "code,name,registered,x,y,valid,rejected\n03,A,100,30,20,50,\n", E_CONFIG,
         "no unit has"},
        {good_areas, "code,name,registered,x,y,valid,rejected\n01,C,100,30,20,50,\n", E_CONFIG,
         "line 2, column \"name\""},
        {good_areas,
         "code,name,registered,x,y,valid,rejected\n01,A,100,30,20,50,\n01,A,100,30,20,50,\n",
         E_CONFIG, "line 3"},
        {good_areas, "code,name,registered,x,y,valid,rejected\n01,A,100,3.5,20,50,\n", E_CSV,
         "column \"x\""},
    };
    put_good();
    must(load(&f));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put("areas.csv", bad[i].areas);
        put("totals.csv", bad[i].totals);
        refuses(bad[i].code, load(&f));
        if (!strstr(f.text, bad[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, f.text, bad[i].says);
    }
}

static void memory_is_bounded(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    arena_init(&a, 64 << 20);
    must(preset_load(KENYA, &a, &p, &f));
    size_t needed = a.used;
    arena_release(&a);
    assert_true(needed < 2 << 20);
    for (size_t cap = 0; cap < needed * 3 / 4; cap += needed / 16) {
        arena_init(&a, cap);
        refuses(E_MEMORY, preset_load(KENYA, &a, &p, &f));
        assert_true(a.used <= cap);
        arena_release(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kenya_loads_whole),
        cmocka_unit_test(six_kinds_make_1882_contests),
        cmocka_unit_test(form_34c_with_its_holes),
        cmocka_unit_test(a_small_preset),
        cmocka_unit_test(hostile_json),
        cmocka_unit_test(hostile_tables),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
