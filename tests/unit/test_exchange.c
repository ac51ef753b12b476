/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Results in the formats of others read back: as tables, against the records that they came from; what
 * must be refused. */
#include "test.h"

#include <unistd.h>
#include "base/file.h"
#include "election_fixture.h"
#include "scratch.h"
#include "service/exchange.h"

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

/* The same in XML; texts with a reference and a CDATA section. */
#define X_BEGIN "<?xml version='1.0' encoding='utf-8'?><r:ElectionReport xmlns:r='http://itl.nist.gov/ns/voting/1500-100/v2'>"
#define X_END "</r:ElectionReport>"
#define X_UNITS                                                                                    \
    "<r:GpUnit ObjectId='g1'><r:ExternalIdentifier><r:Type>other</r:Type><r:OtherType>unit</r:OtherType><r:Value> 001\n" \
    "</r:Value></r:ExternalIdentifier><r:VotersRegistered>10</r:VotersRegistered></r:GpUnit><r:GpUnit ObjectId='g0'>" \
    "<x xmlns='urn:other'><Name>y</Name></x><r:VotersRegistered>30</r:VotersRegistered></r:GpUnit>"
#define X_CANDIDATES                                                                               \
    "<r:Candidate ObjectId='c2'><r:BallotName><r:Text Language='en'>B &quot;x&#34;, <![CDATA[y]]></r:Text></r:BallotName></r:Candidate>" \
    "<r:Candidate ObjectId='c1'><r:ExternalIdentifier><r:OtherType>choice</r:OtherType><r:Value>a</r:Value></r:ExternalIdentifier></r:Candidate>"
#define X_COUNT(unit, n) "<r:VoteCounts><r:GpUnitId>" unit "</r:GpUnitId><r:Type>total</r:Type><r:Count>" n "</r:Count></r:VoteCounts>"
#define X_CONTEST(id, one, two)                                                                    \
    "<r:Contest ObjectId='" id "'><r:ContestSelection ObjectId='s'>" one "<r:CandidateIds>c1 c2</r:CandidateIds>" \
    "</r:ContestSelection><r:ContestSelection>" two "<r:CandidateIds>\n c2 </r:CandidateIds></r:ContestSelection></r:Contest>"
#define X_BALLOTS(unit, cast, rejected)                                                            \
    "<r:BallotCounts><r:GpUnitId>" unit "</r:GpUnitId><r:Type>total</r:Type><r:BallotsCast>" cast              \
    "</r:BallotsCast><r:BallotsRejected>" rejected "</r:BallotsRejected></r:BallotCounts>"
#define X_ELECTION(contests, ballots) "<r:Election>" ballots X_CANDIDATES contests "</r:Election>"

static err table_of(struct span text, const char *contest, struct buf *out, struct fail *f) {
    struct exchange *x;
    buf_clear(out);
    TRY(exchange_read(text, &x, f));
    err e = exchange_table(x, contest, 0, out, f);
    exchange_free(x);
    return e;
}

static err table_text(const char *text, const char *contest, struct buf *out, struct fail *f) {
    return table_of(span_text(text), contest, out, f);
}

#define HEAD "unit,registered,cast,rejected,valid,objected,disputed,"

static void tables(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 16);
    static const char want[] = HEAD "\"a\",\"B \"\"x\"\", y\"\n\"001\",10,6,2,4,,,4,0\n";
    /* units behind the figures, a count of another type, one unit without figures */
    must(table_text("{\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "4") ",{\"GpUnitId\":\"g1\",\"Type\":\"early\","
              "\"Count\":1}", COUNT("g1", "0")), BALLOTS("g1", "6", "2")) "]," UNITS "}", NULL, &b, &f));
    assert_string_equal(buf_cstr(&b), want);
    must(table_text(X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g1", "4") "<r:VoteCounts><r:Type>early</r:Type><r:Count>1</r:Count>"
              "</r:VoteCounts>", X_COUNT("g1", "0")), X_BALLOTS("g1", "6", "2")) X_UNITS X_END, NULL, &b, &f));
    assert_string_equal(buf_cstr(&b), want);
    /* the second of two elections; its candidates, not the first's */
    static const char two[] = "{" UNITS ",\"Election\":[{\"Candidate\":[{\"@id\":\"c1\",\"ExternalIdentifier\":["
                              "{\"OtherType\":\"choice\",\"Value\":\"z\"}]}],\"Contest\":[" CONTEST("j", "", "") "]},"
                              ELECTION(CONTEST("k", COUNT("g0", "9"), ""), "") "]}";
    must(table_text(two, "k", &b, &f));
    assert_non_null(strstr(buf_cstr(&b), ",\"a\","));
    assert_non_null(strstr(buf_cstr(&b), "\"g0\",30,,,,,,9,\n"));
    refuses(E_USAGE, table_text(two, NULL, &b, &f));
    assert_non_null(strstr(f.text, "j, k"));
    refuses(E_CONTEST, table_text(two, "l", &b, &f));
    /* ballots of an election are those of each of its contests */
    must(table_text(X_BEGIN X_ELECTION(X_CONTEST("j", "", "") X_CONTEST("k", X_COUNT("g0", "1"), ""), X_BALLOTS("g0", "6", "2")) X_UNITS
              X_END, "j", &b, &f));
    assert_string_equal(buf_cstr(&b), HEAD "\"a\",\"B \"\"x\"\", y\"\n\"g0\",30,6,2,4,,,,\n");
    buf_release(&b);
}

#define EML_BEGIN "<EML xmlns='urn:oasis:names:tc:evs:schema:eml' Id='510'><TransactionId>12 AbC=</TransactionId><Count><Election><Contests>"
#define EML_END "</Contests></Election></Count></EML>"
#define EML_VOTES(choice, n) "<Selection><Candidate><CandidateIdentifier Id='" choice "'><CandidateName>A</CandidateName></CandidateIdentifier></Candidate><ValidVotes>" n "</ValidVotes></Selection>"
#define EML_UNIT(code, rest) "<ReportingUnitVotes><ReportingUnitIdentifier Id='" code "'>A</ReportingUnitIdentifier>" rest "</ReportingUnitVotes>"
#define EML_CONTEST(id, rest) "<Contest><ContestIdentifier Id='" id "'/>" rest "</Contest>"

static void eml(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    struct exchange *x;
    struct span root;
    uint64_t size;
    static const char one[] = EML_BEGIN EML_CONTEST("gov:001:R2", "<TotalVotes>" EML_VOTES("a:b", "7") "</TotalVotes>"
        EML_UNIT("01", EML_VOTES("a:b", "7") "<Cast>9</Cast><TotalCounted>7</TotalCounted><RejectedVotes ReasonCode='late'>4</RejectedVotes>"
                 "<RejectedVotes ReasonCode='rejected'>2</RejectedVotes>")) EML_END;
    buf_init(&b, 1 << 16);
    must(table_text(one, "gov/001", &b, &f));
    assert_string_equal(buf_cstr(&b), HEAD "\"a/b\"\n\"01\",,9,2,,,,7\n");
    must(exchange_read(SPAN_LIT(one), &x, &f));
    assert_int_equal(exchange_format(x), EXPORT_EML);
    assert_true(exchange_checkpoint(x, &size, &root) && size == 12 && span_is(root, "AbC="));
    refuses(E_CONTEST, exchange_table(x, NULL, 1, &b, &f));
    buf_clear(&b);
    must(exchange_table(x, NULL, 2, &b, &f));
    exchange_free(x);
    buf_release(&b);
}

/* NIST's own examples: the same election in both spellings. */
static void published(void **state) {
    (void)state;
    static const char *const contests[] = {"cc-president", "cc-senate", "bm-proposal-1", "cc-dog-catcher"};
    const char *shared = shared_dir();
    size_t found = 0;
    if (!shared) return;
    for (int n = 1; n <= 2; n++) {
        struct span text[2];
        struct fail f;
        for (int k = 0; k < 2; k++) {
            char path[PATH_MAX_LEN + 64];
            (void)snprintf(path, sizeof path, "%s/vectors/nist-err/err-gen-0%d.%s", shared, n, k ? "xml" : "json");
            must(file_map(path, &text[k], &f));
        }
        for (size_t i = 0; i < sizeof contests / sizeof *contests; i++) {
            struct buf a, b;
            buf_init(&a, 1 << 20);
            buf_init(&b, 1 << 20);
            err e = table_of(text[0], contests[i], &a, &f);
            if (e == OK) {
                must(table_of(text[1], contests[i], &b, &f));
                assert_string_equal(buf_cstr(&a), buf_cstr(&b));
                found++;
            } else {
                assert_int_equal(table_of(text[1], contests[i], &b, &f), e);
            }
            buf_release(&a);
            buf_release(&b);
        }
        file_unmap(text[0]);
        file_unmap(text[1]);
    }
    assert_true(found > 0);
}

/* Files that grow without end in one way: each way has its bound. */
static void xml_of_one_kind(const char *begin, const char *each, size_t n, const char *last, err want) {
    struct exchange *x;
    struct fail f;
    struct buf b;
    buf_init(&b, (size_t)64 << 20);
    buf_str(&b, begin);
    for (size_t i = 0; i < n; i++) buf_printf(&b, each, (unsigned)i);
    buf_str(&b, last);
    must(buf_ok(&b, &f));
    refuses(want, exchange_read(buf_view(&b), &x, &f));
    buf_release(&b);
}

static void xml_is_bounded(void **state) {
    (void)state;
    xml_of_one_kind("<EML>", "<e%04x/>", 900, "</EML>", E_FIELD); /* read, but it says nothing */
    xml_of_one_kind("<EML>", "<e%04x/>", 1100, "</EML>", E_TOO_LARGE);
    xml_of_one_kind("<EML>", "<e a%04x='1'/>", 1100, "</EML>", E_TOO_LARGE);
    xml_of_one_kind("<EML>", "<e xmlns:a%04x='u'/>", 1100, "</EML>", E_TOO_LARGE);
    xml_of_one_kind("<EML>", "<e xmlns='u%04x'/>", 1100, "</EML>", E_TOO_LARGE);
    xml_of_one_kind("<EML><!--", "%08x", 5 << 20, "--></EML>", E_TOO_LARGE);
    xml_of_one_kind("<EML a='", "%08x", 5 << 20, "'></EML>", E_TOO_LARGE);
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        err want;
    } bad[] = {
        {"", E_FIELD},
        {"[]", E_FIELD},
        {"a,b\n1,2\n", E_FIELD},
        {"{}", E_FIELD},
        {"{\"type\":\"Feature\"}", E_FIELD},
        {"{" UNITS "}", E_FIELD},
        {"{" UNITS ",\"Election\":[]}x", E_JSON},
        {"{\"Election\":7}", E_FIELD},
        {"{\"@type\":\"ElectionResults.ElectionReport\",\"Election\":7}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g7", "1"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1") "," COUNT("g1", "2"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1") "," COUNT("g1", "1"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "-1"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1.5"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "1e3"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "\"1\""), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", COUNT("g1", "9999999999999999"), ""), "") "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION(CONTEST("k", "", ""), BALLOTS("g1", "1", "0") "," BALLOTS("g1", "1", "0")) "]}", E_FIELD},
        {"{" UNITS ",\"Election\":[" ELECTION("", BALLOTS("g1", "1", "0")) "]}", E_FIELD},
        {"{\"GpUnit\":[{\"@id\":\"a\"},{\"@id\":\"a\"}],\"Election\":[" ELECTION(CONTEST("k", "", ""), "") "]}", E_FIELD},
        {"{\"GpUnit\":[{\"Name\":1}],\"Election\":[]}", E_FIELD},
        /* XML that is none, or none that is read */
        {"<", E_XML},
        {"<EML", E_XML},
        {"<EML></ELM>", E_XML},
        {"<EML/><EML/>", E_XML},
        {"<EML>&nbsp;</EML>", E_XML},
        {"<EML>\xff</EML>", E_XML},
        {"<EML a='1' a='1'/>", E_XML},
        {"<?xml version='1.0' encoding='iso-8859-1'?><EML/>", E_XML},
        {"<?xml version='1.0' encoding='UTF-16'?><EML/>", E_XML},
        {"<EML/>", E_FIELD},
        {"<html/>", E_FIELD},
        {"<EML Id='410'><Count/></EML>", E_FIELD},
        /* nothing is expanded, nothing is fetched */
        {"<!DOCTYPE EML><EML/>", E_XML},
        {"<!DOCTYPE EML SYSTEM 'http://127.0.0.1:1/a.dtd'><EML/>", E_XML},
        {"<!DOCTYPE EML [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><EML Id='&x;'>&x;</EML>", E_XML},
        {"<!DOCTYPE EML [<!ENTITY % x SYSTEM 'file:///etc/hostname'> %x;]><EML/>", E_XML},
        {"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
         "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'>]><EML>&e;&e;&e;</EML>", E_XML},
        /* figures that are none */
        {X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g1", "-1"), ""), "") X_UNITS X_END, E_FIELD},
        {X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g1", ""), ""), "") X_UNITS X_END, E_FIELD},
        {X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g1", "1<a/>2"), ""), "") X_UNITS X_END, E_FIELD},
        {X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g2", "1"), ""), "") X_UNITS X_END, E_FIELD},
        {X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g1", "1") X_COUNT("g1", "1"), ""), "") X_UNITS X_END, E_FIELD},
        {X_BEGIN X_ELECTION(X_CONTEST("k", "", ""), "") X_UNITS X_UNITS X_END, E_FIELD},
        {X_BEGIN X_ELECTION("", X_BALLOTS("g1", "1", "0")) X_UNITS X_END, E_FIELD},
        {EML_BEGIN EML_CONTEST("k", EML_UNIT("01", EML_VOTES("a", "1") EML_VOTES("a", "2"))) EML_END, E_FIELD},
        {EML_BEGIN EML_CONTEST("k", EML_UNIT("01", EML_VOTES("a", "1")) EML_UNIT("01", EML_VOTES("a", "1"))) EML_END, E_FIELD},
        {EML_BEGIN EML_CONTEST("k", EML_UNIT("01", EML_VOTES("a", "one"))) EML_END, E_FIELD},
        {EML_BEGIN EML_CONTEST("k", "<ReportingUnitVotes>" EML_VOTES("a", "1") "</ReportingUnitVotes>") EML_END, E_FIELD},
        {EML_BEGIN "<Contest><TotalVotes>" EML_VOTES("a", "1") "</TotalVotes></Contest>" EML_END, E_FIELD},
        {EML_BEGIN EML_CONTEST("", "") EML_END, E_FIELD},
        {EML_BEGIN EML_CONTEST("k", EML_UNIT("", EML_VOTES("a", "1"))) EML_END, E_FIELD},
        /* tables */
        {"contest,round,station,counted\nk,1,001,yes\n", E_CSV},
        {"contest,round,station,counted,registered,valid_written,rejected,objected,disputed,checkpoint_size,checkpoint_root,votes\n"
         "k,1,001,maybe,,,,,,1,A,\n", E_FIELD},
        {"contest,round,station,counted,registered,valid_written,rejected,objected,disputed,checkpoint_size,checkpoint_root,votes\n"
         "k,1,001,yes,,,,,,1,A,a=1;b\n", E_FIELD},
        {"contest,round,station,counted,registered,valid_written,rejected,objected,disputed,checkpoint_size,checkpoint_root,votes\n"
         "k,1,001,yes,,,,,,1,A,a=1\nk,1,002,yes,,,,,,2,A,a=1\n", E_FIELD},
        {"contest,round,station,counted,registered,valid_written,rejected,objected,disputed,checkpoint_size,checkpoint_root,votes\n"
         "k,1,001,yes,,,,,,1,A,a=1\nk,1,001,yes,,,,,,1,A,a=1\n", E_FIELD},
        {"contest,round,station,counted,registered,valid_written,rejected,objected,disputed,checkpoint_size,checkpoint_root,votes\n"
         "k,0,001,yes,,,,,,1,A,a=1\n", E_FIELD},
        {"{\"format\":\"hesabu/export/v1\",\"units\":[{\"contest\":\"k\",\"round\":1,\"totals\":{\"transmitted\":{\"valid\":1}}}]}", E_FIELD},
        {"{\"format\":\"hesabu/export/v1\",\"units\":[{\"unit\":\"01\",\"totals\":{\"transmitted\":{\"valid\":1}}}]}", E_FIELD},
        {"{\"format\":\"hesabu/export/v1\",\"units\":[{\"contest\":\"k\",\"round\":1,\"unit\":\"01\",\"totals\":{\"other\":{\"valid\":1}}}]}", E_FIELD},
        {"{\"format\":\"hesabu/export/v1\",\"units\":[{\"contest\":\"k\",\"round\":1,\"unit\":\"01\",\"totals\":{\"transmitted\":{\"valid\":1}},"
         "\"parts\":[{\"unit\":\"01\",\"totals\":{\"transmitted\":{\"valid\":2}}}]}]}", E_FIELD},
        {"{\"type\":\"FeatureCollection\",\"features\":[{\"properties\":{\"contest\":\"k\",\"round\":1,\"registered\":1}}]}", E_FIELD},
        {"SQLite format 3", E_USAGE},
    };
    struct buf b;
    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fail f;
        err e = table_text(bad[i].text, NULL, &b, &f);
        if (e != bad[i].want)
            fail_msg("%s: %s where %s was due (%s)", bad[i].text, err_info(e)->name, err_info(bad[i].want)->name,
                     e == OK ? buf_cstr(&b) : f.text);
    }
    assert_true(exchange_looks(SPAN_LIT(" \n{\"a\":1}")) && exchange_looks(SPAN_LIT("<a/>")));
    assert_false(exchange_looks(SPAN_LIT("a,b\n{,\n")) || exchange_looks(SPAN_LIT("")));
    struct fail f;
    refuses(E_FIELD, table_text(X_BEGIN X_ELECTION(X_CONTEST("k", X_COUNT("g1", "1.0"), ""), "") X_UNITS X_END, NULL, &b, &f));
    assert_non_null(strstr(f.text, "line 1, column "));
    buf_release(&b);
}

/* Depth, attributes, text and identifiers have bounds. */
static void bounded(void **state) {
    (void)state;
    struct fail f;
    struct buf b, t;
    buf_init(&b, 1 << 24);
    buf_init(&t, 1 << 16);
    for (int depth = 64; depth <= 65; depth++) {
        buf_clear(&b);
        buf_str(&b, "<EML Id='510'>");
        for (int i = 1; i < depth; i++) buf_str(&b, "<a>");
        for (int i = 1; i < depth; i++) buf_str(&b, "</a>");
        buf_str(&b, "</EML>");
        refuses(depth == 64 ? E_FIELD : E_DEPTH, table_of(buf_view(&b), NULL, &t, &f)); /* E_FIELD: no contest */
    }
    for (int n = 32; n <= 33; n++) {
        buf_clear(&b);
        buf_str(&b, "<EML");
        for (int i = 0; i < n; i++) buf_printf(&b, " a%d=''", i);
        buf_str(&b, "/>");
        refuses(n == 32 ? E_FIELD : E_TOO_LARGE, table_of(buf_view(&b), NULL, &t, &f));
    }
    for (int over = 0; over <= 1; over++) {
        buf_clear(&b);
        buf_str(&b, "<EML Id='510'><TransactionId>");
        for (int i = 0; i < (1 << 16) + over; i++) buf_byte(&b, 'x');
        buf_str(&b, "</TransactionId></EML>");
        refuses(over ? E_TOO_LARGE : E_FIELD, table_of(buf_view(&b), NULL, &t, &f));
    }
    buf_clear(&b);
    buf_str(&b, "{\"Election\":[");
    for (int i = 0; i < 62; i++) buf_str(&b, "[");
    refuses(E_JSON, table_of(buf_view(&b), NULL, &t, &f));
    buf_clear(&b);
    buf_str(&b, EML_BEGIN "<Contest><ContestIdentifier Id='");
    for (int i = 0; i < 500; i++) buf_byte(&b, 'k');
    buf_str(&b, "'/></Contest>" EML_END);
    refuses(E_TOO_LARGE, table_of(buf_view(&b), NULL, &t, &f));
    buf_clear(&b);
    buf_str(&b, EML_BEGIN "<Contest><ContestIdentifier Id='k'/><TotalVotes>");
    for (int i = 0; i < 201; i++) {
        buf_str(&b, "<Selection><Candidate><CandidateIdentifier Id='c");
        buf_u64(&b, (uint64_t)i);
        buf_str(&b, "'/></Candidate><ValidVotes>1</ValidVotes></Selection>");
    }
    buf_str(&b, "</TotalVotes></Contest>" EML_END);
    refuses(E_TOO_LARGE, table_of(buf_view(&b), NULL, &t, &f));
    buf_release(&b);
    buf_release(&t);
}

/* --- against the records --- */

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

static struct exchange_report report;

static void checked(const struct made *m, const char *path, enum export_format format) {
    struct fail f;
    struct exchange *x;
    struct span root;
    uint64_t size;
    must(exchange_read_file(path, &x, &f));
    assert_int_equal(exchange_format(x), format);
    assert_true(exchange_checkpoint(x, &size, &root) && size == fold_size(m->s.fold) && root.n > 40);
    must(exchange_check(x, &m->s, &report, &f));
    if (report.listed)
        print_message("%s: unit %.*s, %.*s: %llu, %llu\n", export_info(format)->name, SPAN_ARG(report.at[0].unit),
                      SPAN_ARG(report.at[0].what), (unsigned long long)report.at[0].file, (unsigned long long)report.at[0].log);
    assert_true(report.figures > 20 && report.units > 2 && report.contests > 1);
    assert_int_equal(report.equal, report.figures);
    exchange_free(x);
}

static void all_equal(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    char dir[PATH_MAX_LEN], path[PATH_MAX_LEN];
    begin(&m);
    scratch_make(dir);
    for (int n = 0; n < EXPORT_FORMATS; n++) {
        if (n == EXPORT_ATOM) continue;
        must(path_join(path, sizeof path, dir, "file", &f)); /* the name says nothing */
        must(export_file(&m.s, (enum export_format)n, path, &f));
        checked(&m, path, (enum export_format)n);
        /* one contest of several: the rest is missing, and said to be */
        m.s.contest = "president";
        must(export_file(&m.s, (enum export_format)n, path, &f));
        m.s.contest = NULL;
        struct exchange *x;
        must(exchange_read_file(path, &x, &f));
        must(exchange_check(x, &m.s, &report, &f));
        assert_true(report.missing > 0 && report.differs == 0 && report.extra == 0);
        exchange_free(x);
    }
    scratch_remove(dir);
    end(&m);
}

/* One figure that becomes another is named: contest, unit, channel, and choice or figure. */
static void one_changed(void **state) {
    (void)state;
    static const struct {
        enum export_format format;
        const char *before; /* the figure stands behind this text */
        const char *unit, *what;
        enum exchange_channel channel;
        bool votes;
    } cases[] = {
        {EXPORT_ERR_JSON, "\"GpUnitId\":\"gp-1101\",\"Type\":\"total\",\"Count\":", "1101", "ann", EXCHANGE_TOTAL, true},
        {EXPORT_ERR_XML, "<GpUnitId>gp-1101</GpUnitId>\n<Type>total</Type>\n<Count>", "1101", "ann", EXCHANGE_TOTAL, true},
        {EXPORT_EML, "<TotalCounted>", "", "total counted", EXCHANGE_TOTAL, false},
        {EXPORT_GEOJSON, "\"votes:ann\":", "KE", "ann", EXCHANGE_TOTAL, true},
        {EXPORT_JSON, "\"ballots\":{\"registered\":", "1101", "registered", EXCHANGE_FORM, false},
    };
    struct made m;
    struct fail f;
    char dir[PATH_MAX_LEN], path[PATH_MAX_LEN];
    begin(&m);
    m.s.contest = "president";
    scratch_make(dir);
    must(path_join(path, sizeof path, dir, "file", &f));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        struct exchange *x;
        buf_init(&b, 1 << 24);
        must(export_file(&m.s, cases[i].format, path, &f));
        must(file_read(path, 1 << 24, &b, &f));
        char *at = strstr((char *)(uintptr_t)buf_cstr(&b), cases[i].before);
        if (!at) fail_msg("no %s", cases[i].before);
        at += strlen(cases[i].before);
        *at = (char)(*at == '9' ? '8' : *at + 1);
        must(exchange_read(buf_view(&b), &x, &f));
        must(exchange_check(x, &m.s, &report, &f));
        assert_int_equal(report.differs, 1);
        assert_int_equal(report.equal + 1, report.figures);
        const struct exchange_difference *d = &report.at[0];
        if (!span_is(d->unit, cases[i].unit) || !span_is(d->what, cases[i].what))
            fail_msg("%s: %.*s, unit %.*s, %.*s", cases[i].before, SPAN_ARG(d->contest), SPAN_ARG(d->unit), SPAN_ARG(d->what));
        assert_true(span_is(d->contest, "president") && span_is(d->unit, cases[i].unit) && span_is(d->what, cases[i].what));
        assert_true(d->channel == cases[i].channel && d->votes == cases[i].votes && d->file != d->log);
        exchange_free(x);
        buf_release(&b);
    }
    scratch_remove(dir);
    end(&m);
}

/* A database that only looks like one of ours. */
static void databases(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    char dir[PATH_MAX_LEN], path[PATH_MAX_LEN];
    struct exchange *x;
    struct buf b;
    begin(&m);
    scratch_make(dir);
    must(path_join(path, sizeof path, dir, "file", &f));
    must(export_file(&m.s, EXPORT_SQLITE, path, &f));
    buf_init(&b, 1 << 24);
    must(file_read(path, 1 << 24, &b, &f));
    /* a table of another shape: the schema's text stands in the file */
    char *at = memmem(b.p, b.n, "CREATE TABLE vote(entry", 23);
    assert_non_null(at);
    at[18] = 'E'; /* "CREATE TABLE vote(Entry" */
    must(file_write_atomic(path, buf_view(&b), &f));
    refuses(E_FIELD, exchange_read_file(path, &x, &f));
    assert_non_null(strstr(f.text, "\"vote\""));
    /* torn */
    must(file_write_atomic(path, span_of(b.p, b.n / 2), &f));
    refuses(E_DAMAGED, exchange_read_file(path, &x, &f));
    must(file_write_atomic(path, span_of("SQLite format 3\0xxxxxxxx", 24), &f));
    refuses(E_DAMAGED, exchange_read_file(path, &x, &f));
    buf_release(&b);
    scratch_remove(dir);
    end(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),    cmocka_unit_test(eml),         cmocka_unit_test(published),
        cmocka_unit_test(xml_is_bounded), cmocka_unit_test(refused),   cmocka_unit_test(bounded),     cmocka_unit_test(all_equal),
        cmocka_unit_test(one_changed), cmocka_unit_test(databases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
