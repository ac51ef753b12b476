/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The corpora of spec/: each case gives the code that its name says; the files are what the fixture
 * makes; every code that the fold can return is among them. Run from the top of the tree. */
#include "test.h"

#include <dirent.h>
#include "corpus.h"
#include "crypto/ed25519.h"
#include "election/fold.h"
#include "election/identity.h"
#include "election/results.h"

static struct buf slurp(const char *path) {
    struct buf b;
    buf_init(&b, 1 << 24);
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s cannot be read: run the test from the top of the tree", path);
    uint8_t bytes[65536];
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;) buf_add(&b, bytes, n);
    fclose(f);
    return b;
}

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *f) {
    struct buf *kept = ctx;
    char path[200] = "spec/vectors/objects/";
    hash_hex(id, path + strlen(path));
    (void)size;
    FILE *there = fopen(path, "rb");
    if (!there) return fail_set(f, E_OBJECT_MISSING, "there is no %s", path);
    fclose(there);
    buf_release(kept);
    *kept = slurp(path);
    *out = buf_view(kept);
    return OK;
}

static struct span bundled(struct span *rest) {
    assert_true(rest->n >= 2);
    size_t n = get_u16be(rest->p);
    assert_true(rest->n >= 2 + n);
    struct span e = span_of(rest->p + 2, n);
    *rest = span_from(*rest, 2 + n);
    return e;
}

static err verified(const struct applied *a, struct fail *f) {
    for (size_t i = 0; i < a->check_count; i++)
        if (a->checks[i].message.p &&
            !ed25519_verify((const struct ed25519_public *)a->checks[i].pub,
                            (const struct ed25519_signature *)a->checks[i].sig, a->checks[i].message))
            return fail_set(f, E_SIGNATURE, "line %u does not verify", a->checks[i].line);
    return OK;
}

static struct fold *replay(struct buf *object, bool base) {
    struct fold *s;
    struct fail f;
    struct fold_options o = {.objects = {get_object, object}};
    must(fold_new(&o, &s, &f));
    if (!base) return s;
    struct applied *a = calloc(1, sizeof *a);
    struct buf log = slurp("spec/vectors/base.log");
    struct span rest = buf_view(&log);
    while (rest.n) {
        must(fold_apply(s, bundled(&rest), a, &f));
        must(verified(a, &f));
    }
    buf_release(&log);
    free(a);
    return s;
}

static bool covered[ERR_COUNT];

static void one(const char *file, struct fold *s, const char *ms, const char *code) {
    char path[400];
    snprintf(path, sizeof path, "spec/%s", file);
    struct buf note = slurp(path), entry;
    struct applied *a = calloc(1, sizeof *a);
    struct fail f = {0};
    buf_init(&entry, 1 << 20);
    if (*ms == '-')
        buf_span(&entry, buf_view(&note));
    else
        entry_format(&entry, strtoull(ms, NULL, 10), buf_view(&note));
    fold_begin(s);
    err want = err_by_name(code), got = fold_apply(s, buf_view(&entry), a, &f);
    if (got == OK) got = verified(a, &f);
    if (got != want)
        fail_msg("%s: wanted %s, got %s: %s", file, code, err_info(got)->name, f.text);
    /* the sequencer's door says the same */
    if (*ms != '-') {
        fold_rollback(s);
        fold_begin(s);
        got = fold_admit(s, buf_view(&note), strtoull(ms, NULL, 10), &entry, a, &f);
        if (got != want)
            fail_msg("%s: admit: wanted %s, got %s: %s", file, code, err_info(got)->name, f.text);
    }
    fold_rollback(s);
    covered[want] = true;
    buf_release(&note);
    buf_release(&entry);
    free(a);
}

static void each_case(void **state) {
    (void)state;
    struct buf index = slurp("spec/vectors/index.tsv"), object;
    buf_init(&object, 1 << 20);
    struct fold *empty = replay(&object, false), *base = replay(&object, true);
    char *save = NULL, *line = strtok_r((char *)(uintptr_t)buf_cstr(&index), "\n", &save);
    assert_string_equal(line, "file\tbefore\tms\tcode");
    int n = 0;
    while ((line = strtok_r(NULL, "\n", &save))) {
        char *inner = NULL, *file = strtok_r(line, "\t", &inner), *before = strtok_r(NULL, "\t", &inner);
        char *ms = strtok_r(NULL, "\t", &inner), *code = strtok_r(NULL, "\t", &inner);
        assert_non_null(code);
        assert_true(err_by_name(code) < ERR_COUNT);
        bool reject = strncmp(file, "reject/", 7) == 0;
        assert_int_equal(reject, strcmp(code, "OK") != 0);
        if (reject) assert_memory_equal(file + 7, code, strlen(code));
        one(file, strcmp(before, "nothing") == 0 ? empty : base, ms, code);
        n++;
    }
    assert_true(n > 200);
    fold_free(empty);
    fold_free(base);
    buf_release(&index);
    buf_release(&object);
}

/* Codes that stand in the fold's sources but that no bytes can bring about: memory, sums. */
static bool not_of_bytes(const char *code) {
    return strcmp(code, "E_MEMORY") == 0 || strcmp(code, "E_OVERFLOW") == 0;
}

static void every_code(void **state) {
    (void)state;
    DIR *d = opendir("src/election");
    assert_non_null(d);
    int codes = 0;
    for (struct dirent *e; (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len < 3 || strcmp(e->d_name + len - 2, ".c") || strcmp(e->d_name, "anchor.c") == 0) continue;
        if (strncmp(e->d_name, "verification", 12) == 0 || strncmp(e->d_name, "record_check", 12) == 0 ||
            strcmp(e->d_name, "receipt.c") == 0)
            continue; /* the verifier's, not the fold's */
        char path[400];
        snprintf(path, sizeof path, "src/election/%s", e->d_name);
        struct buf b = slurp(path);
        for (const char *p = buf_cstr(&b); (p = strstr(p, "E_")); p += 2) {
            char code[64] = "";
            size_t n = 0;
            if (p[-1] != ' ' && p[-1] != '(') continue; /* a code, not the end of another word */
            while (n < 60 && ((p[n] >= 'A' && p[n] <= 'Z') || p[n] == '_')) n++;
            snprintf(code, n + 1, "%s", p);
            err c = err_by_name(code);
            if (c == ERR_COUNT || not_of_bytes(code)) continue;
            if (!covered[c]) fail_msg("%s: %s has no case in spec/reject", path, code);
            codes++;
        }
        buf_release(&b);
    }
    closedir(d);
    assert_true(codes > 100);
}

/* The tables of spec/records.md are those of the program. */
static void must_stand(const char *text, struct buf *row) {
    if (!strstr(text, buf_cstr(row))) fail_msg("spec/records.md lacks the row:\n%s", buf_cstr(row));
    buf_clear(row);
}

static void tables_of_the_text(void **state) {
    (void)state;
    struct buf md = slurp("spec/records.md"), row;
    const char *text = buf_cstr(&md);
    buf_init(&row, 1 << 16);
    buf_str(&row, "\n| type | largest note, bytes |\n|---|---|\n");
    for (int t = 0; t < REC_COUNT; t++)
        buf_printf(&row, "| %s | %zu |\n", record_info((enum record_type)t)->name,
                   record_info((enum record_type)t)->max_note);
    buf_byte(&row, '\n');
    must_stand(text, &row);
    buf_str(&row, "\n| role | may stand under | may grant and revoke |\n|---|---|---|\n");
    for (int r = 0; r < ROLE_COUNT; r++) {
        buf_printf(&row, "| %s |", role_name((enum role)r));
        const char *comma = " ";
        for (int t = 0; t < REC_COUNT; t++) {
            if (!role_may_sign((enum role)r, (enum record_type)t)) continue;
            buf_printf(&row, "%s%s", comma, record_info((enum record_type)t)->name);
            comma = ", ";
        }
        buf_str(&row, " |");
        comma = " ";
        for (int g = 0; g < ROLE_COUNT; g++) {
            if (!role_may_grant((enum role)r, (enum role)g)) continue;
            buf_printf(&row, "%s%s", comma, role_name((enum role)g));
            comma = ", ";
        }
        buf_str(&row, *comma == ' ' ? " - |\n" : " |\n");
    }
    buf_byte(&row, '\n');
    must_stand(text, &row);
    static const char *const findings[][2] = {
#define FINDING(name, severity, text) {#name, text},
#include "election/findings.def"
#undef FINDING
    };
    buf_str(&row, "\n| code | severity | sentence |\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        enum finding_code c = (enum finding_code)i;
        buf_printf(&row, "| %s | %s | %s |\n", finding_name(c),
                   finding_severity(c) == SEVERITY_ERROR ? "error" : "warning", findings[i][1]);
    }
    buf_byte(&row, '\n');
    must_stand(text, &row);
    buf_release(&md);
    buf_release(&row);
}

static size_t files;

static void same(void *ctx, const char *name, struct span bytes) {
    (void)ctx;
    char path[400];
    snprintf(path, sizeof path, "spec/%s", name);
    struct buf b = slurp(path);
    if (!span_eq(buf_view(&b), bytes))
        fail_msg("%s is not what make_corpus writes: run it again", path);
    buf_release(&b);
    files++;
}

static size_t count_files(const char *dir) {
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void files_are_made(void **state) {
    (void)state;
    corpus_make(same, NULL);
    /* and nothing is left over from earlier cases: base.log and index.tsv are the other two */
    assert_int_equal(files, 2 + count_files("spec/accept") + count_files("spec/reject") +
                                count_files("spec/vectors/objects"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case), cmocka_unit_test(every_code),
                                       cmocka_unit_test(files_are_made),
                                       cmocka_unit_test(tables_of_the_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
