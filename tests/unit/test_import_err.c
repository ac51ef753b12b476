/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* NIST's common data format read back as a table; what it must refuse. */
#include "test.h"

#include "service/import_err.h"

#define UNITS                                                                                      \
    "\"GpUnit\":[{\"@id\":\"g1\",\"@type\":\"x\",\"VotersRegistered\":10,\"ExternalIdentifier\":[{"     \
    "\"Type\":\"other\",\"OtherType\":\"unit\",\"Value\":\"001\"}]},{\"@id\":\"g0\",\"VotersRegistered\":30}]"
#define CANDIDATES                                                                                 \
    "\"Candidate\":[{\"@id\":\"c2\",\"BallotName\":{\"Text\":[{\"Content\":\"B \\\"x\\\", y\",\"Language\":"  \
    "\"en\"}]}},{\"@id\":\"c1\",\"ExternalIdentifier\":[{\"OtherType\":\"choice\",\"Value\":\"a\"}]}]"
#define CONTEST(id, one, two)                                                                      \
    "{\"@id\":\"" id "\",\"ContestSelection\":[{\"CandidateIds\":[\"c1\"],\"VoteCounts\":[" one "]},{"  \
    "\"CandidateIds\":[\"c2\"],\"VoteCounts\":[" two "]}]}"
#define COUNT(unit, n) "{\"GpUnitId\":\"" unit "\",\"Type\":\"total\",\"Count\":" n "}"
#define BALLOTS(unit, cast, rejected)                                                              \
    "{\"GpUnitId\":\"" unit "\",\"Type\":\"total\",\"BallotsCast\":" cast ",\"BallotsRejected\":" rejected "}"
#define ELECTION(contests, ballots)                                                                \
    "{\"BallotCounts\":[" ballots "]," CANDIDATES ",\"Contest\":[" contests "]}"

static err read(const char *json, const char *contest, struct buf *out, struct fail *f) {
    buf_clear(out);
    return import_err_csv(span_text(json), contest, out, f);
}

static void table(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 16);
    /* units behind the figures, a count of another type, one unit without figures */
    must(read("{\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "4") ",{\"GpUnitId\":\"g1\",\"Type\":\"early\","
              "\"Count\":1}", COUNT("g1", "0")), BALLOTS("g1", "6", "2")) "]," UNITS "}", NULL, &b, &f));
    assert_string_equal(buf_cstr(&b), "unit,registered,cast,rejected,valid,\"a\",\"B \"\"x\"\", y\"\n"
                                      "\"g0\",30,,,,,\n\"001\",10,6,2,4,4,0\n");
    /* the second of two elections; its candidates, not the first's */
    static const char two[] = "{" UNITS ",\"Election\":[{\"Candidate\":[{\"@id\":\"c1\",\"ExternalIdentifier\":["
                              "{\"OtherType\":\"choice\",\"Value\":\"z\"}]}],\"Contest\":[" CONTEST("j", "", "") "]},"
                              ELECTION(CONTEST("k", COUNT("g0", "9"), ""), "") "]}";
    must(read(two, "k", &b, &f));
    assert_non_null(strstr(buf_cstr(&b), ",\"a\","));
    assert_non_null(strstr(buf_cstr(&b), "\"g0\",30,,,,9,\n"));
    refuses(E_USAGE, read(two, NULL, &b, &f));
    assert_non_null(strstr(f.text, "j, k"));
    refuses(E_CONTEST, read(two, "l", &b, &f));
    buf_release(&b);
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *json;
        err want;
    } bad[] = {
        {"", E_JSON},
        {"[]", E_JSON},
        {"{}", E_FIELD},
        {"{" UNITS "}", E_FIELD},
        {"{" UNITS ",\"Election\":[]}x", E_JSON},
        {"{\"Election\":{}}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g7", "1"), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1") "," COUNT("g1", "2"), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "-1"), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1.5"), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1e3"), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "\"1\""), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "9999999999999999"), ""), "") "]}", E_JSON},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", "", ""), BALLOTS("g1", "1", "0") "," BALLOTS("g1", "1", "0")) "]}", E_JSON},
        {"{\"GpUnit\":[{\"@id\":\"a\"},{\"@id\":\"a\"}],\"Election\":[" ELECTION(CONTEST("k", "", ""), "") "]}", E_FIELD},
        {"{\"GpUnit\":[{\"Name\":1}],\"Election\":[]}", E_JSON},
    };
    struct buf b;
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fail f;
        err e = read(bad[i].json, NULL, &b, &f);
        if (e != bad[i].want)
            fail_msg("%s: %s where %s was due (%s)", bad[i].json, err_info(e)->name, err_info(bad[i].want)->name,
                     e == OK ? buf_cstr(&b) : f.text);
    }
    assert_true(import_err_looks(SPAN_LIT(" \n{\"a\":1}")));
    assert_false(import_err_looks(SPAN_LIT("a,b\n{,\n")));
    assert_false(import_err_looks(SPAN_LIT("")));
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
