/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A transcript holds as it was written, and no other way. */
#include "test.h"

#include "base/rng.h"
#include "stats/audit/transcript.h"

enum { STATIONS = 60, CHOICES = 3, REGIONS = 3 };

struct small {
    uint64_t bound[STATIONS], votes[STATIONS * CHOICES], hand[STATIONS * CHOICES];
    uint32_t region[STATIONS];
    uint8_t state[STATIONS];
    struct assertion a[8];
    struct arena arena;
    struct transcript t;
    struct transcript_result result;
};

static void make_small(struct small *s) {
    struct rng r;
    struct fail f;
    rng_init(&r, 3);
    memset(s, 0, sizeof *s);
    arena_init(&s->arena, 1 << 26);
    for (size_t g = 0; g < STATIONS; g++) {
        s->bound[g] = 100 + rng_below(&r, 300);
        s->votes[g * CHOICES] = s->bound[g] * 56 / 100;
        s->votes[g * CHOICES + 1] = s->bound[g] * 30 / 100;
        s->votes[g * CHOICES + 2] = s->bound[g] * 5 / 100;
        s->region[g] = (uint32_t)(g % REGIONS);
        s->state[g] = AUDIT_COUNTED;
    }
    memcpy(s->hand, s->votes, sizeof s->hand);
    s->hand[7 * CHOICES] -= 3;
    s->t = (struct transcript){
        .c = {STATIONS, CHOICES, REGIONS, s->bound, s->votes, s->region},
        .a = s->a,
        .seed = SPAN_LIT("06712221796172622814"),
        .limit_ppm = 50000,
        .draws = 40,
        .h = {s->state, s->hand, NULL},
    };
    uint32_t winners[CHOICES];
    struct audit_rule rule = {.winners = 1, .majority = true, .regions = 2, .p = 1, .q = 4};
    must(audit_assertions(&s->t.c, &rule, &s->arena, s->a, 8, &s->t.assertions, winners, &f));
}

static err check(struct span text, struct fail *f) {
    struct arena arena;
    struct transcript t;
    arena_init(&arena, 1 << 26);
    err e = transcript_check(text, &arena, &t, NULL, f);
    arena_release(&arena);
    return e;
}

static void holds_as_written(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    make_small(&s);
    buf_init(&b, 1 << 20);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_int_equal(s.result.draws, 40);
    assert_int_equal(s.result.counted, 40);
    assert_true(s.result.confirmed);
    must(check(buf_view(&b), &f));
    struct transcript_step *steps;
    size_t n;
    must(transcript_steps(&s.t, &s.arena, &steps, &n, &f));
    assert_true(n > 40 && n <= 120);
    assert_true(steps[n - 1].draw == 40);
    buf_release(&b);
    arena_release(&s.arena);
}

static void no_digit_can_be_changed(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    make_small(&s);
    buf_init(&b, 1 << 20);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    size_t refused = 0, tried = 0, line = 0;
    for (size_t i = 0; i < b.n; i++) {
        if (b.p[i] == '\n') line = i + 1;
        if (b.p[i] < '0' || b.p[i] > '9') continue;
        /* the plan's own statements are the caller's to compare; p may differ by 1e-6 */
        if (memcmp(b.p + line, "manifest", 8) == 0 || memcmp(b.p + line, "limit", 5) == 0 ||
            memcmp(b.p + line, "regions", 7) == 0)
            continue;
        size_t end = i;
        while (b.p[end] != '\n') end++;
        if (b.p[line] == 'r' && i + 4 >= end) continue;
        if (i % 3) continue; /* a third of the digits, for time */
        uint8_t was = b.p[i];
        b.p[i] = was == '9' ? '8' : (uint8_t)(was + 1);
        tried++;
        memset(&f, 0, sizeof f);
        err e = check(buf_view(&b), &f);
        if (e == OK) fail_msg("digit %zu of line %.40s", i - line, (const char *)b.p + line);
        refused += f.text[0] != 0;
        b.p[i] = was;
    }
    assert_true(tried > 500 && refused == tried);
    must(check(buf_view(&b), &f));
    buf_release(&b);
    arena_release(&s.arena);
}

static void cut_and_longer_ones_are_refused(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    make_small(&s);
    buf_init(&b, 1 << 20);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    for (size_t n = 0; n < b.n; n += 97) refuses(E_AUDIT_TRANSCRIPT, check(span_of(b.p, n), &f));
    refuses(E_AUDIT_TRANSCRIPT, check(span_of(b.p, b.n - 1), &f));
    buf_str(&b, "end 40 1\n");
    refuses(E_AUDIT_TRANSCRIPT, check(buf_view(&b), &f));
    refuses(E_AUDIT_TRANSCRIPT, check(SPAN_LIT("hesabu-audit-transcript v2\n"), &f));
    buf_release(&b);
    arena_release(&s.arena);
}

static void waits_and_passes_over(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    make_small(&s);
    buf_init(&b, 1 << 20);
    /* the counties' assertions are met long before the majority is not: find a late draw */
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    struct transcript_step *steps;
    size_t n;
    must(transcript_steps(&s.t, &s.arena, &steps, &n, &f));
    uint32_t first = steps[0].batch, last = steps[n - 1].batch;
    s.state[last] = AUDIT_UNCOUNTED; /* all is met by then: nothing waits for it */
    buf_clear(&b);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_true(s.result.confirmed && !s.result.waiting && s.result.passed_over == 1);
    must(check(buf_view(&b), &f));
    s.state[first] = AUDIT_UNCOUNTED; /* this one is needed: the audit waits at the first draw */
    buf_clear(&b);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_true(!s.result.confirmed && s.result.waiting && s.result.draws == 0);
    must(check(buf_view(&b), &f));
    s.state[first] = AUDIT_LOST;
    buf_clear(&b);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    must(check(buf_view(&b), &f));
    buf_release(&b);
    arena_release(&s.arena);
}

/* Three regions of which two are needed: the third may fail, and its boxes need not be fetched once the
 * other two are met; what comes after a box that was passed over does not count for its region. */
static void with_a_spare_region(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    make_small(&s);
    for (size_t g = 0; g < STATIONS; g++) /* by hand region 2 falls short of the quarter */
        if (s.region[g] == 2) s.hand[g * CHOICES] = s.votes[g * CHOICES] / 8;
    uint32_t winners[CHOICES];
    struct audit_rule rule = {.winners = 1, .majority = true, .regions = 2, .p = 1, .q = 4, .spare = 1};
    must(audit_assertions(&s.t.c, &rule, &s.arena, s.a, 8, &s.t.assertions, winners, &f));
    assert_int_equal(s.t.assertions, 4);
    s.t.limit_ppm = 300000;
    s.t.draws = STATIONS;
    buf_init(&b, 1 << 20);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_true(s.result.confirmed);
    size_t failed = 0;
    for (size_t j = 0; j < 4; j++) failed += !s.result.met[j];
    assert_int_equal(failed, 1);
    assert_non_null(memmem(b.p, b.n, "\nspare 1\n", 9));
    must(check(buf_view(&b), &f));
    /* the same without the line: then all three are needed */
    uint8_t *line = memmem(b.p, b.n, "spare 1\n", 8);
    memmove(line, line + 8, b.n - (size_t)(line + 8 - b.p));
    refuses(E_AUDIT_TRANSCRIPT, check(span_of(b.p, b.n - 8), &f));
    /* met one by one; from there on nobody fetches a box */
    struct transcript_step *steps;
    size_t n, kept = 0;
    must(transcript_steps(&s.t, &s.arena, &steps, &n, &f));
    s.t.draws = 0;
    do {
        s.t.draws++;
        buf_clear(&b);
        must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    } while (!s.result.confirmed && s.t.draws < STATIONS);
    kept = s.t.draws;
    assert_true(kept > 3 && kept < STATIONS - 5);
    double p[4];
    memcpy(p, s.result.p, sizeof p);
    uint32_t next = UINT32_MAX; /* the first box behind it is not there, the others are */
    for (size_t i = 0; i < n && next == UINT32_MAX; i++)
        if (steps[i].draw == kept + 1) next = steps[i].batch;
    s.state[next] = AUDIT_UNCOUNTED;
    s.t.draws = STATIONS;
    buf_clear(&b);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_true(s.result.confirmed && s.result.passed_over == 1);
    assert_true(s.result.p[0] == p[0]); /* the majority holds everywhere: it stopped there */
    must(check(buf_view(&b), &f));
    buf_release(&b);
    arena_release(&s.arena);
}

/* Boxes that a clean audit would pass over need not be fetched; when one that was fetched is not clean,
 * more are. */
static void fetches_what_is_needed(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    uint8_t needed[STATIONS];
    make_small(&s);
    memcpy(s.hand, s.votes, sizeof s.hand);
    memset(s.state, AUDIT_UNCOUNTED, sizeof s.state);
    s.t.limit_ppm = 100000;
    s.t.draws = STATIONS;
    buf_init(&b, 1 << 20);
    must(transcript_needed(&s.t, &s.arena, needed, &f));
    size_t first = 0, more = 0;
    for (size_t g = 0; g < STATIONS; g++) first += needed[g];
    assert_true(first > 3 && first < STATIONS / 2);
    memcpy(s.state, needed, sizeof needed); /* 1 is AUDIT_COUNTED */
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_true(s.result.confirmed && !s.result.waiting && s.result.counted == first);
    must(transcript_needed(&s.t, &s.arena, needed, &f));
    for (size_t g = 0; g < STATIONS; g++) assert_int_equal(needed[g], 0);
    uint32_t lost = 0;
    while (s.state[lost] != AUDIT_COUNTED) lost++;
    s.state[lost] = AUDIT_LOST;
    buf_clear(&b);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    must(transcript_needed(&s.t, &s.arena, needed, &f));
    for (size_t g = 0; g < STATIONS; g++) more += needed[g];
    assert_true(!s.result.confirmed && s.result.waiting && more > 0);
    for (size_t g = 0; g < STATIONS; g++)
        if (needed[g]) s.state[g] = AUDIT_COUNTED;
    buf_clear(&b);
    must(transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    assert_true(s.result.confirmed && s.result.counted == first + more);
    must(check(buf_view(&b), &f));
    buf_release(&b);
    arena_release(&s.arena);
}

static void what_cannot_be_written(void **state) {
    (void)state;
    static struct small s;
    struct fail f;
    struct buf b;
    make_small(&s);
    buf_init(&b, 1 << 20);
    s.t.seed = SPAN_LIT("0671222179617262281");
    refuses(E_AUDIT_SEED, transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    s.t.seed = SPAN_LIT("06712221796172622814");
    s.hand[3 * CHOICES] = s.bound[3] + 1;
    refuses(E_AUDIT_BOUND, transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    s.hand[3 * CHOICES] = 0;
    s.votes[3 * CHOICES] = s.bound[3] + 1;
    refuses(E_AUDIT_BOUND, transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    s.t.limit_ppm = 0;
    refuses(E_RANGE, transcript_write(&s.t, &s.arena, &b, &s.result, &f));
    buf_release(&b);
    arena_release(&s.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_as_written),
        cmocka_unit_test(no_digit_can_be_changed),
        cmocka_unit_test(cut_and_longer_ones_are_refused),
        cmocka_unit_test(waits_and_passes_over),
        cmocka_unit_test(with_a_spare_region),
        cmocka_unit_test(fetches_what_is_needed),
        cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
