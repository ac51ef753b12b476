/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Exports of the small election with everything in it: what each format says of stations that are
 * counted, corrected, doubled, without an image; failing sinks and disks; text that is hostile. */
#include "test.h"

#include <jansson.h>
#include "base/csv.h"
#include "base/xml_out.h"
#include "election_fixture.h"
#include "scratch.h"
#include "service/export.h"

struct made {
    struct fixture *x;
    struct results r;
    struct export_source s;
};

static void begin(struct made *m) {
    struct fail f;
    m->x = fx_base();
    must(results_compute(m->x->fold, &m->r, &f));
    m->s = (struct export_source){.fold = m->x->fold, .results = &m->r, .root = fx_hash("root")};
}

static void end(struct made *m) {
    results_release(&m->r);
    fx_free(m->x);
}

static err collect(void *ctx, struct span bytes, struct fail *f) {
    struct buf *b = ctx;
    buf_span(b, bytes);
    return buf_ok(b, f);
}

static void exported(struct made *m, enum export_format format, struct buf *b) {
    struct fail f;
    buf_init(b, 1 << 26);
    must(export_stream(&m->s, format, &(struct export_sink){collect, b}, &f));
}

/* --- CSV --- */

static struct csv *table(struct buf *b) {
    struct csv *c;
    struct fail f;
    must(csv_open_span(buf_view(b), "export", &c, &f));
    return c;
}

static bool next_row(struct csv *c) {
    struct fail f;
    bool more;
    must(csv_next(c, &more, &f));
    return more;
}

static const char *cell(struct csv *c, const char *column) {
    static char text[8][256];
    static unsigned turn;
    struct fail f;
    size_t at;
    must(csv_column(c, column, &at, &f));
    char *p = text[turn++ % 8];
    struct span s = csv_field(c, at);
    snprintf(p, 256, "%.*s", (int)s.n, (const char *)s.p);
    return p;
}

static void find(struct csv *c, const char *station) {
    while (next_row(c))
        if (strcmp(cell(c, "station"), station) == 0) return;
    fail_msg("no row of station %s", station);
}

static void csv_of_one_contest(void **state) {
    (void)state;
    struct made m;
    struct buf b;
    begin(&m);
    m.s.contest = "president";
    exported(&m, EXPORT_CSV, &b);
    struct csv *c = table(&b);
    find(c, "1101");
    assert_string_equal(cell(c, "state"), "compared");
    assert_string_equal(cell(c, "readings"), "2");
    assert_true(strlen(cell(c, "compared_at")) == 20);
    assert_string_equal(cell(c, "counted"), "yes");
    assert_string_equal(cell(c, "serial"), "S-0001");
    assert_string_equal(cell(c, "valid_computed"), "350");
    assert_string_equal(cell(c, "agents_refused"), "1");
    assert_string_equal(cell(c, "voters_manual"), "3");
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&fx_label(m.x, "r1101")->id, hex);
    assert_string_equal(cell(c, "record"), hex);
    assert_int_equal(strlen(cell(c, "image_public")), HASH_HEX_LEN);
    assert_string_equal(cell(c, "simulated"), "SIMULATED");
    find(c, "1102"); /* corrected: the figures that stand, and one result that stands */
    assert_string_equal(cell(c, "standing_results"), "1");
    assert_string_equal(cell(c, "valid_computed"), "353");
    assert_string_equal(cell(c, "findings"), "F_AGENT_OBJECTS");
    find(c, "1201"); /* two unlinked ones: neither is shown as the station's */
    assert_string_equal(cell(c, "standing_results"), "2");
    assert_string_equal(cell(c, "counted"), "no");
    assert_string_equal(cell(c, "entry"), "");
    assert_string_equal(cell(c, "valid_computed"), "");
    assert_non_null(strstr(cell(c, "findings"), "F_TWO_RESULTS"));
    find(c, "2102"); /* figures without an image: listed, not counted */
    assert_string_equal(cell(c, "counted"), "no");
    assert_string_equal(cell(c, "valid_computed"), "6");
    assert_string_equal(cell(c, "image_public"), "");
    csv_close(c);
    buf_release(&b);
    end(&m);
}

static void csv_of_all_contests(void **state) {
    (void)state;
    struct made m;
    struct buf b;
    begin(&m);
    exported(&m, EXPORT_CSV, &b);
    struct csv *c = table(&b);
    size_t rows = 0, expected = 0, counted = 0, transmitted = 0;
    for (size_t i = 0; i < m.r.n; i++) {
        expected += m.r.tallies[i].rows[0].expected;
        transmitted += m.r.tallies[i].rows[0].total[TOTAL_TRANSMITTED].stations;
    }
    while (next_row(c)) {
        rows++;
        counted += strcmp(cell(c, "counted"), "yes") == 0;
        if (strcmp(cell(c, "contest"), "member-21") == 0 && strcmp(cell(c, "station"), "2101") == 0 &&
            strcmp(cell(c, "round"), "1") == 0)
            assert_non_null(strstr(cell(c, "votes"), "=70;"));
    }
    assert_int_equal(rows, expected);
    assert_int_equal(counted, transmitted);
    assert_true(counted > 0);
    csv_close(c);
    buf_release(&b);
    end(&m);
}

/* --- NIST --- */

static json_t *object_with(json_t *list, const char *key, const char *value) {
    size_t i;
    json_t *x;
    json_array_foreach(list, i, x) {
        const char *s = json_string_value(json_object_get(x, key));
        if (s && strcmp(s, value) == 0) return x;
    }
    return NULL;
}

static void err_json(void **state) {
    (void)state;
    struct made m;
    struct buf b;
    json_error_t je;
    begin(&m);
    exported(&m, EXPORT_ERR_JSON, &b);
    json_t *j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, &je);
    if (!j) fail_msg("%s at %d", je.text, je.position);
    assert_string_equal(json_string_value(json_object_get(j, "Status")), "unofficial-partial");
    json_t *elections = json_object_get(j, "Election");
    assert_int_equal(json_array_size(elections), m.r.n);
    json_t *president = json_array_get(elections, 0);
    json_t *contest = json_array_get(json_object_get(president, "Contest"), 0);
    assert_int_equal(json_array_size(json_object_get(contest, "ContestSelection")), 3);
    json_t *first = json_array_get(json_object_get(contest, "ContestSelection"), 0), *counts;
    counts = json_object_get(first, "VoteCounts");
    json_t *nation = json_array_get(counts, 0), *one = object_with(counts, "GpUnitId", "gp-1102");
    /* 1101, 1102 as corrected, 1202, 2101 */
    assert_int_equal(json_integer_value(json_object_get(nation, "Count")), 200 + 101 + 7 + 60);
    assert_int_equal(json_integer_value(json_object_get(one, "Count")), 101);
    assert_null(object_with(counts, "GpUnitId", "gp-1201"));
    assert_null(object_with(counts, "GpUnitId", "gp-2102"));
    json_t *ballots = json_array_get(json_object_get(president, "BallotCounts"), 0);
    assert_int_equal(json_integer_value(json_object_get(ballots, "BallotsRejected")), 4 * 3);
    json_t *unit = object_with(json_object_get(j, "GpUnit"), "@id", "gp-1102");
    assert_string_equal(json_string_value(json_object_get(unit, "Type")), "precinct");
    json_decref(j);
    buf_release(&b);
    end(&m);
}

/* --- all of them --- */

static err refuse_after(void *ctx, struct span bytes, struct fail *f) {
    int *left = ctx;
    (void)bytes;
    assert_true(*left > 0); /* nobody writes on after an error */
    return --*left ? OK : fail_set(f, E_DISK_FULL, "the sink is full");
}

static void streams(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    begin(&m);
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        struct buf a, b;
        if (i == EXPORT_SQLITE) continue;
        exported(&m, (enum export_format)i, &a);
        exported(&m, (enum export_format)i, &b);
        assert_true(span_eq(buf_view(&a), buf_view(&b)));
        assert_true(a.n > 1000 && a.p[a.n - 1] == '\n');
        buf_release(&a);
        buf_release(&b);
        int left = 1;
        refuses(E_DISK_FULL, export_stream(&m.s, (enum export_format)i,
                                           &(struct export_sink){refuse_after, &left}, &f));
    }
    refuses(E_USAGE, export_stream(&m.s, EXPORT_SQLITE, &(struct export_sink){collect, NULL}, &f));
    m.s.contest = "nobody";
    refuses(E_CONTEST, export_stream(&m.s, EXPORT_CSV, &(struct export_sink){collect, NULL}, &f));
    refuses(E_CONTEST, export_file(&m.s, EXPORT_SQLITE, "/nowhere/x", &f));
    end(&m);
}

static void before_the_manifest(void **state) {
    (void)state;
    struct fixture *x = fx_new();
    struct results r = {0};
    struct fail f;
    struct export_source s = {.fold = x->fold, .results = &r};
    refuses(E_NOT_FOUND, export_stream(&s, EXPORT_CSV, &(struct export_sink){collect, NULL}, &f));
    fx_free(x);
}

static void files(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    char dir[64];
    struct buf a, b;
    begin(&m);
    scratch_make(dir);
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        enum export_format format = (enum export_format)i;
        const char *path = scratch_path(dir, export_info(format)->file);
        buf_init(&a, 1 << 26);
        buf_init(&b, 1 << 26);
        must(export_file(&m.s, format, path, &f));
        must(file_read(path, 1 << 26, &a, &f));
        must(export_file(&m.s, format, path, &f)); /* replaces it, with the same bytes */
        must(file_read(path, 1 << 26, &b, &f));
        assert_true(a.n > 1000 && span_eq(buf_view(&a), buf_view(&b)));
        buf_release(&b);
        buf_release(&a);
    }
    /* a disk that fails: the old file stays, nothing half is left */
    for (int i = 0; i < 2; i++) {
        struct scratch_fault fault = {i ? "fsync" : "write", "stations.csv", 1, 0, ENOSPC};
        const char *path = scratch_path(dir, "stations.csv");
        scratch_write(path, "old", 3);
        scratch_faults(&fault);
        refuses(E_DISK_FULL, export_file(&m.s, EXPORT_CSV, path, &f));
        scratch_faults(NULL);
        buf_init(&a, 100);
        must(file_read(path, 100, &a, &f));
        assert_true(span_is(buf_view(&a), "old"));
        assert_false(file_exists(scratch_path(dir, "stations.csv.new")));
        buf_release(&a);
    }
    scratch_remove(dir);
    end(&m);
}

static void names_of_formats(void **state) {
    (void)state;
    struct fail f;
    enum export_format format;
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        must(export_format_parse(export_info((enum export_format)i)->name, &format, &f));
        assert_int_equal(format, i);
    }
    refuses(E_USAGE, export_format_parse("pdf", &format, &f));
    refuses(E_USAGE, export_format_parse("", &format, &f));
    assert_non_null(strstr(f.text, "err-json"));
}

/* --- the feed --- */

static size_t position(const struct buf *b, const char *what) {
    const uint8_t *at = memmem(b->p, b->n, what, strlen(what));
    return at ? (size_t)(at - b->p) : SIZE_MAX;
}

static void feed(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct buf first, later;
    struct fx_result r;
    char id[120], newer[120], hex[HASH_HEX_LEN + 1];
    begin(&m);
    exported(&m, EXPORT_ATOM, &first);
    hash_hex(&fx_label(m.x, "r1102b")->id, hex);
    snprintf(id, sizeof id, "record/%s</id>", hex);
    assert_true(position(&first, id) != SIZE_MAX);
    assert_true(position(&first, "Correction: 1102") != SIZE_MAX);
    assert_true(position(&first, " 100 to 101; ") != SIZE_MAX);
    assert_int_equal(position(&first, "Correction: 1101"), SIZE_MAX);
    /* a form whose sum was wrong is replaced: the finding goes with it, the older entry keeps its id */
    fx_result_init(m.x, &r, "president", "2102", "1,2,4");
    r.r.valid = 400;
    r.r.supersedes = &fx_label(m.x, "r2102")->id;
    r.r.supersedes_count = 1;
    must(fx_result(m.x, "wrong", "po/2102", &r));
    fx_result_init(m.x, &r, "president", "2102", "1,2,4");
    r.r.supersedes = &fx_label(m.x, "wrong")->id;
    r.r.supersedes_count = 1;
    must(fx_result(m.x, "right", "po/2102", &r));
    results_release(&m.r);
    must(results_compute(m.x->fold, &m.r, &f));
    exported(&m, EXPORT_ATOM, &later);
    hash_hex(&fx_label(m.x, "right")->id, hex);
    snprintf(newer, sizeof newer, "record/%s</id>", hex);
    assert_true(position(&later, newer) < position(&later, id));
    assert_true(position(&later, id) != SIZE_MAX);
    assert_true(position(&later, "valid votes as written 400 to 7") != SIZE_MAX);
    assert_true(position(&later, "this one does not: F_SUM") != SIZE_MAX);
    buf_release(&first);
    buf_release(&later);
    end(&m);
}

/* --- a declaration --- */

static json_t *report(struct made *m, const char *contest) {
    struct buf b;
    json_error_t je;
    m->s.contest = contest;
    exported(m, EXPORT_ERR_JSON, &b);
    json_t *j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, &je);
    if (!j) fail_msg("%s at %d", je.text, je.position);
    buf_release(&b);
    return j;
}

static const char *post_status(json_t *report, const char *candidate) {
    json_t *election = json_array_get(json_object_get(report, "Election"), 0);
    json_t *x = object_with(json_object_get(election, "Candidate"), "@id", candidate);
    assert_non_null(x);
    return json_string_value(json_object_get(x, "PostElectionStatus"));
}

static void declared(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct buf b;
    begin(&m);
    json_t *before = report(&m, "head-21");
    assert_string_equal(json_string_value(json_object_get(before, "Status")), "unofficial-partial");
    assert_null(post_status(before, "candidate-1-head-21Zkim"));
    json_decref(before);
    fx_must(m.x, "d21", "ro/21",
            "declaration {'checkpoint':${cp:good:all},'collation':'${id:k21}','contest':'head-21',"
            "'election':'${e}','outcome':{'choices':['kim'],'kind':'elected'},'override':'${id:ov21}',"
            "'root':'${root:all}','round':1,'size':${n:all}}");
    results_release(&m.r);
    must(results_compute(m.x->fold, &m.r, &f));
    json_t *after = report(&m, "head-21");
    assert_string_equal(json_string_value(json_object_get(after, "Status")), "certified");
    assert_string_equal(post_status(after, "candidate-1-head-21Zkim"), "winner");
    assert_string_equal(post_status(after, "candidate-1-head-21Zlee"), "defeated");
    json_t *election = json_array_get(json_object_get(after, "Election"), 0);
    json_t *contest = json_array_get(json_object_get(election, "Contest"), 0);
    json_t *counts = json_object_get(json_array_get(json_object_get(contest, "ContestSelection"), 0), "VoteCounts");
    assert_int_equal(json_integer_value(json_object_get(object_with(counts, "GpUnitId", "gp-21"), "Count")), 70);
    assert_int_equal(json_integer_value(json_object_get(object_with(counts, "GpUnitId", "gp-2101"), "Count")), 70);
    json_decref(after);
    json_t *all = report(&m, NULL); /* the others are not declared */
    assert_string_equal(json_string_value(json_object_get(all, "Status")), "unofficial-partial");
    json_decref(all);
    exported(&m, EXPORT_ATOM, &b);
    assert_true(position(&b, "<title>Declaration: ") != SIZE_MAX);
    assert_true(position(&b, "elected: ") != SIZE_MAX);
    assert_true(position(&b, "lists what was still open: G_MISSING ") != SIZE_MAX);
    buf_release(&b);
    m.s.contest = "head-21";
    exported(&m, EXPORT_CSV, &b);
    struct csv *c = table(&b);
    find(c, "2101");
    assert_int_equal(strlen(cell(c, "declared_at")), 20);
    csv_close(c);
    buf_release(&b);
    end(&m);
}

/* --- XML --- */

static void xml_is(struct span text, const char *want) {
    struct buf b;
    buf_init(&b, 1000);
    struct xml_out x = xml_out(&b, false);
    xml_begin(&x, "a");
    xml_attr(&x, "k", text);
    xml_text(&x, text);
    xml_end(&x, "a");
    char all[1000];
    snprintf(all, sizeof all, "<a k=\"%s\">%s</a>\n", want, want);
    assert_string_equal(buf_cstr(&b), all);
    buf_release(&b);
}

static void xml_escapes(void **state) {
    (void)state;
    xml_is(SPAN_LIT("plain \xc3\xa9"), "plain \xc3\xa9");
    xml_is(SPAN_LIT("]]>"), "]]&gt;");
    xml_is(SPAN_LIT("<b a='1' c=\"2\">&amp;"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;");
    xml_is(SPAN_LIT("a\tb\nc\rd"), "a&#9;b&#10;c&#13;d");
    xml_is(SPAN_LIT("\x01\x1f"), "\xef\xbf\xbd\xef\xbf\xbd");
    xml_is(SPAN_LIT("\xef\xbf\xbe"), "\xef\xbf\xbd");         /* U+FFFE */
    xml_is(SPAN_LIT("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd"); /* no UTF-8 */
    struct buf b;
    buf_init(&b, 1000);
    struct xml_out x = xml_out(&b, false);
    xml_comment(&x, SPAN_LIT("a--b---> \xc3\xa9 \x01-"));
    assert_string_equal(buf_cstr(&b), "<!-- a- -b- - -> \xc3\xa9 \xef\xbf\xbd- -->\n");
    buf_clear(&b);
    x = xml_out(&b, true);
    xml_begin(&x, "a");
    xml_begin(&x, "b");
    xml_end(&x, "b");
    xml_element_u64(&x, "c", 7);
    xml_end(&x, "a");
    assert_string_equal(buf_cstr(&b), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a><b/>\n<c>7</c>\n</a>\n");
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_of_one_contest), cmocka_unit_test(csv_of_all_contests),
        cmocka_unit_test(err_json),           cmocka_unit_test(streams),
        cmocka_unit_test(before_the_manifest), cmocka_unit_test(files),
        cmocka_unit_test(names_of_formats), cmocka_unit_test(feed), cmocka_unit_test(declared),   cmocka_unit_test(xml_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
