/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "service/apportion.h"
#include "service/expand.h"

#define KENYA "data/kenya-2017"

struct night {
    struct arena a;
    struct preset p;
    struct expansion x;
};

static void night_open(struct night *n, struct expand_options o) {
    struct fail f;
    arena_init(&n->a, (size_t)400 << 20);
    must(preset_load(KENYA, &n->a, &n->p, &f));
    must(expand(&n->p, &o, &n->a, &n->x, &f));
}

static uint32_t above(const struct expansion *x, uint32_t unit, uint8_t level) {
    while (x->units[unit].level > level) unit = x->units[unit].parent;
    return unit;
}

/* Every cell of Form 34C is the sum of its stations' cells, and a blank is blank at each station.
 */
static void sums_are_exact(void **state) {
    (void)state;
    static const uint64_t seeds[] = {1, 2017};
    for (size_t k = 0; k < 2; k++) {
        struct night n;
        night_open(&n, (struct expand_options){.seed = seeds[k]});
        struct expansion *x = &n.x;
        uint64_t(*sum)[10] = calloc(x->unit_count, sizeof *sum);
        uint32_t *sent = calloc(x->unit_count, sizeof *sent);
        uint64_t nation[10] = {0};
        assert_true(sum && sent);
        for (uint32_t i = 0; i < x->figures_count; i++) {
            const struct expand_figures *g = &x->figures[i];
            uint32_t u = above(x, x->stations[g->station].unit, 2);
            if (!g->sent) continue;
            uint64_t valid = 0;
            for (int c = 0; c < 8; c++) {
                sum[u][c] += g->votes[c];
                valid += g->votes[c];
            }
            assert_true(g->valid.present && g->valid.value == valid);
            sum[u][8] += g->valid.value;
            sum[u][9] += g->rejected.value;
            sent[u]++;
        }
        uint32_t silent = 0;
        for (uint32_t i = x->level_first[2]; i < x->level_first[3]; i++) {
            uint32_t at = preset_unit_find(&n.p, 2, x->units[i].code);
            const struct preset_row *row = NULL;
            for (uint32_t r = 0; r < n.p.row_count; r++)
                if (n.p.rows[r].unit == at) row = &n.p.rows[r];
            if (!row || !row->votes[0].present) {
                assert_int_equal(sent[i], 0);
                assert_true(span_is(x->units[i].name, row ? "NYANDO" : "PRISONS"));
                silent += (uint32_t)x->units[i].stations;
                continue;
            }
            assert_int_equal(sent[i], x->units[i].stations);
            for (int c = 0; c < 8; c++) {
                assert_int_equal(sum[i][c], row->votes[c].value);
                nation[c] += sum[i][c];
            }
            assert_int_equal(sum[i][8], row->valid.value);
            assert_int_equal(sum[i][9], row->rejected.value);
            nation[8] += sum[i][8];
            nation[9] += sum[i][9];
        }
        assert_int_equal(silent, 148 + 103);
        assert_int_equal(x->sent_count, 40883 - 251);
        assert_int_equal(nation[4], 8203264);
        assert_int_equal(nation[7], 6762203);
        assert_int_equal(nation[8], 15114574);
        assert_int_equal(nation[9], 81685);
        free(sum);
        free(sent);
        arena_release(&n.a);
    }
}

static void the_register_holds(void **state) {
    (void)state;
    struct night n;
    night_open(&n, (struct expand_options){.seed = 7});
    const struct expansion *x = &n.x;
    uint64_t registered = 0, diaspora = 0, prisons = 0;
    assert_int_equal(x->station_count, 40883);
    for (uint32_t i = 0; i < x->station_count; i++) {
        const struct expand_station *s = &x->stations[i];
        assert_int_equal(s->code.n, 15);
        if (i) assert_true(span_cmp(x->stations[i - 1].code, s->code) < 0);
        assert_true(s->registered.present && s->registered.value <= 700);
        assert_true(s->stream >= 1 && s->stream <= s->streams);
        assert_true(span_starts(s->code, x->units[s->unit].code));
        registered += s->registered.value;
        diaspora += span_starts(s->code, SPAN_LIT("048"));
        prisons += span_starts(s->code, SPAN_LIT("049"));
    }
    assert_int_equal(registered, 19611423);
    assert_int_equal(diaspora, 10);
    assert_int_equal(prisons, 103);
    for (uint32_t i = x->level_first[3]; i < x->level_first[4]; i++) {
        uint32_t at = preset_unit_find(&n.p, 3, x->units[i].code);
        assert_int_equal(x->units[i].registered.value, n.p.units[at].registered.value);
        assert_int_equal(x->units[i].stations, n.p.units[at].stations);
    }
    assert_int_equal(x->units[0].stations, 40883);
    assert_true(x->level_first[5] - x->level_first[4] > 20000); /* centres */
    arena_release(&n.a);
}

/* What the law allows holds wherever the published totals leave room for it. */
static void figures_are_plausible(void **state) {
    (void)state;
    struct night n;
    night_open(&n, (struct expand_options){.seed = 3});
    const struct expansion *x = &n.x;
    uint32_t over = 0, distinct_turnouts = 0, absent = 0, early = 0, late = 0, agents = 0;
    uint64_t last = UINT64_MAX;
    for (uint32_t i = 0; i < x->figures_count; i++) {
        const struct expand_figures *g = &x->figures[i];
        const struct expand_station *s = &x->stations[g->station];
        if (!g->sent) continue;
        uint64_t all = g->valid.value + g->rejected.value;
        bool turkana_west = span_starts(s->code, SPAN_LIT("023124"));
        if (!turkana_west) assert_true(all <= s->registered.value);
        over += all > s->registered.value;
        absent += !g->rejected.present;
        assert_true(g->rejected.present == g->objected.present);
        assert_true(g->objected.value <= g->rejected.value);
        assert_true(g->identified.value >= all || turkana_west);
        assert_true(g->identified.value <= s->registered.value);
        assert_true((g->agents_signed & ~g->agents_present) == 0 && g->agents_present < 256);
        agents += (g->agents_present & 0x90) == 0x90;
        uint64_t permille = s->registered.value ? 1000 * all / s->registered.value : 0;
        distinct_turnouts += permille != last;
        last = permille;
        early += g->arrival_ms <= 7 * 3600000u;
        late += g->arrival_ms > 24 * 3600000u;
        assert_true(g->arrival_ms >= 60 * 60000u && g->arrival_ms < 20 * 86400000u);
    }
    assert_int_equal(over, 100);    /* all of Turkana West, in proportion */
    assert_int_equal(absent, 1175); /* the stations of nine constituencies and the diaspora */
    assert_true(distinct_turnouts > x->sent_count * 9 / 10);
    assert_true(early > x->sent_count * 7 / 10 && early < x->sent_count * 95 / 100);
    assert_true(late > x->sent_count / 1000 && late < x->sent_count * 3 / 100);
    assert_true(agents > x->sent_count / 2);
    for (uint32_t i = 1; i < x->sent_count; i++)
        assert_true(x->figures[x->order[i - 1]].arrival_ms <= x->figures[x->order[i]].arrival_ms);
    arena_release(&n.a);
}

static void holes_are_reported(void **state) {
    (void)state;
    struct night n;
    night_open(&n, (struct expand_options){.seed = 3});
    static const uint32_t want[NOTE_KINDS] = {[NOTE_NO_ROW] = 1,
                                              [NOTE_NO_VOTES] = 1,
                                              [NOTE_REJECTED_BLANK] = 10,
                                              [NOTE_OVER_REGISTER] = 1,
                                              [NOTE_REGISTERED_DIFFERS] = 72};
    uint32_t got[NOTE_KINDS] = {0};
    for (uint32_t i = 0; i < n.x.note_count; i++) {
        got[n.x.notes[i].kind]++;
        assert_true(n.x.notes[i].text.n > 20 && n.x.notes[i].unit < n.x.unit_count);
    }
    for (int k = 0; k < NOTE_KINDS; k++) {
        if (got[k] != want[k])
            fail_msg("%s: %u notes, wanted %u", expand_note_name((enum expand_note_kind)k), got[k],
                     want[k]);
    }
    arena_release(&n.a);
}

static bool same(const struct night *n, const struct night *m, uint32_t i, uint32_t k) {
    const struct expand_figures *g = &n->x.figures[i], *h = &m->x.figures[k];
    const struct expand_station *s = &n->x.stations[g->station], *t = &m->x.stations[h->station];
    uint32_t choices = n->x.contests[g->contest].choice_count;
    if (!span_eq(s->code, t->code) || s->registered.value != t->registered.value) return false;
    if (!span_eq(n->x.contests[g->contest].id, m->x.contests[h->contest].id)) return false;
    if (g->sent != h->sent) return false;
    if (!g->sent) return true;
    return g->arrival_ms == h->arrival_ms && g->rejected.value == h->rejected.value &&
           g->identified.value == h->identified.value && g->agents_present == h->agents_present &&
           memcmp(g->votes, h->votes, choices * sizeof *g->votes) == 0;
}

static void a_seed_gives_one_night(void **state) {
    (void)state;
    struct night n, m, l, other;
    night_open(&n, (struct expand_options){.seed = 5});
    night_open(&m, (struct expand_options){.seed = 5});
    night_open(&l, (struct expand_options){.seed = 5, .limit = 1000});
    night_open(&other, (struct expand_options){.seed = 6});
    assert_int_equal(n.x.figures_count, m.x.figures_count);
    uint32_t equal = 0;
    for (uint32_t i = 0; i < n.x.figures_count; i++) {
        assert_true(same(&n, &m, i, i));
        equal += i < 1000 && same(&n, &other, i, i);
    }
    assert_true(equal < 5);
    /* a limit takes the first stations and changes nothing in them */
    assert_int_equal(l.x.station_count, 1000);
    for (uint32_t i = 0; i < 1000; i++) assert_true(same(&n, &l, i, i));
    assert_true(l.x.level_first[2] - l.x.level_first[1] == 2); /* Mombasa, part of Kwale */
    assert_int_equal(l.x.units[0].stations, 1000);
    arena_release(&n.a);
    arena_release(&m.a);
    arena_release(&l.a);
    arena_release(&other.a);
}

static void six_contests_of_two_counties(void **state) {
    (void)state;
    static const char *const two[] = {"042", "047"};
    struct night n;
    night_open(&n, (struct expand_options){
                       .seed = 9, .areas = two, .area_count = 2, .all_contests = true});
    const struct expansion *x = &n.x;
    /* president, 2 x 3 of the county, 7 + 17 constituencies, 35 + 85 wards */
    assert_int_equal(x->contest_count, 1 + 6 + 24 + 120);
    assert_int_equal(x->figures_count, x->station_count * 6);
    for (uint32_t i = 0; i < x->figures_count; i++) {
        const struct expand_figures *g = &x->figures[i];
        const struct preset_contest *c = &x->contests[g->contest];
        const struct expand_station *s = &x->stations[g->station];
        assert_true(span_starts(s->code, x->units[c->unit].code) || c->unit == 0);
        assert_int_equal(c->kind, i % 6);
        bool nyando = span_starts(s->code, SPAN_LIT("042242"));
        assert_int_equal(g->sent, !(nyando && c->kind == 0));
        if (!g->sent) continue;
        uint64_t sum = 0;
        for (uint32_t k = 0; k < c->choice_count; k++) sum += g->votes[k];
        assert_int_equal(sum, g->valid.value);
        assert_true(sum + g->rejected.value <= s->registered.value);
        assert_true(g->agents_present < (uint64_t)1 << c->choice_count);
    }
    arena_release(&n.a);
}

static void a_whole_day_of_1882_contests(void **state) {
    (void)state;
    struct night n;
    night_open(&n, (struct expand_options){.seed = 9, .all_contests = true});
    assert_int_equal(n.x.contest_count, 1882);
    assert_int_equal(n.x.figures_count, 40883 + 5 * (40883 - 113)); /* abroad and in prison: one */
    for (uint32_t i = 0; i < n.x.station_count; i++) {
        bool one = span_cmp(n.x.stations[i].code, SPAN_LIT("048")) > 0;
        assert_int_equal(n.x.stations[i].figures_count, one ? 1 : 6);
    }
    arena_release(&n.a);
}

static void wrong_options_are_refused(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    struct expansion x;
    static const char *const nowhere[] = {"099"};
    static const struct expand_place bad[][2] = {
        {{.code = {(const uint8_t *)"00100100010010", 14}}},
        {{.code = {(const uint8_t *)"001001099900101", 15}}},
        {{.code = {(const uint8_t *)"001001000100101", 15}},
         {.code = {(const uint8_t *)"001001000100101", 15}}},
        {{.code = {(const uint8_t *)"001001000100101", 15}, .registered = {true, 5}},
         {.code = {(const uint8_t *)"001001000100102", 15}}},
    };
    static const size_t counts[] = {1, 1, 2, 2};
    arena_init(&a, 64 << 20);
    must(preset_load(KENYA, &a, &p, &f));
    struct expand_options o = {.areas = nowhere, .area_count = 1};
    refuses(E_CONFIG, expand(&p, &o, &a, &x, &f));
    for (size_t i = 0; i < 4; i++) {
        o = (struct expand_options){.places = bad[i], .place_count = counts[i]};
        refuses(E_CONFIG, expand(&p, &o, &a, &x, &f));
        if (i) assert_non_null(strstr(f.text, "001001"));
    }
    arena_release(&a);
    arena_init(&a, 2 << 20);
    must(preset_load(KENYA, &a, &p, &f));
    o = (struct expand_options){.seed = 1};
    refuses(E_MEMORY, expand(&p, &o, &a, &x, &f));
    arena_release(&a);
}

/* A row that does not add up: stations keep the arithmetic, the difference is a note. */
static void a_row_that_contradicts_itself(void **state) {
    (void)state;
    struct fail f;
    struct night n;
    night_open(&n, (struct expand_options){.seed = 1, .limit = 1});
    n.p.rows[0].valid.value += 5;
    n.p.rows[1].votes[2].present = false;
    struct expansion x;
    struct expand_options o = {.seed = 1, .limit = 200};
    must(expand(&n.p, &o, &n.a, &x, &f));
    uint64_t valid = 0;
    for (uint32_t i = 0; i < 136; i++) {
        uint64_t sum = 0;
        for (int c = 0; c < 8; c++) sum += x.figures[i].votes[c];
        assert_int_equal(sum, x.figures[i].valid.value);
        valid += sum;
    }
    assert_int_equal(valid, n.p.rows[0].valid.value - 5);
    assert_false(x.figures[136].sent);
    assert_int_equal(x.note_count, 2);
    assert_int_equal(x.notes[0].kind, NOTE_SUM_DIFFERS);
    assert_int_equal(x.notes[1].kind, NOTE_PART_BLANK);
    arena_release(&n.a);
}

/* ---- apportioning ---- */

static void apportioning_is_exact(void **state) {
    (void)state;
    enum { N = 40, K = 5 };
    struct rng r;
    rng_init(&r, 11);
    for (int round = 0; round < 3000; round++) {
        size_t n = 1 + rng_below(&r, N), k = 1 + rng_below(&r, K);
        uint64_t registered[N], totals[K], cells[N * K], all = 0, voters = 0;
        uint32_t group[N];
        for (size_t i = 0; i < n; i++) {
            registered[i] = rng_below(&r, round % 3 ? 700 : 3);
            voters += registered[i];
            group[i] = (uint32_t)(i / 7);
        }
        for (size_t c = 0; c < k; c++) {
            uint64_t most =
                round % 5 == 4 ? 2 * voters : voters - all; /* also beyond the register */
            totals[c] = rng_below(&r, most + 1);
            if (round % 5 == 3 && c + 1 == k) totals[c] = most; /* every last voter */
            all += totals[c];
        }
        struct apportion_table t = {.n = n,
                                    .k = k,
                                    .registered = registered,
                                    .group = group,
                                    .totals = totals,
                                    .cells = cells};
        assert_true(apportion_fill(&t, &r));
        for (size_t c = 0; c < k; c++) {
            uint64_t sum = 0;
            for (size_t i = 0; i < n; i++) sum += cells[i * k + c];
            assert_int_equal(sum, totals[c]);
        }
        for (size_t i = 0; i < n && all <= voters; i++) {
            uint64_t sum = 0;
            for (size_t c = 0; c < k; c++) sum += cells[i * k + c];
            assert_true(sum <= registered[i]);
        }
    }
}

static void largest_remainders(void **state) {
    (void)state;
    double scratch[4];
    uint64_t out[4];
    apportion((double[]){1, 1, 1, 1}, NULL, 4, 10, out, scratch);
    assert_true(out[0] == 3 && out[1] == 3 && out[2] == 2 && out[3] == 2);
    apportion((double[]){5, 3, 1.6, 0.4}, NULL, 4, 10, out, scratch);
    assert_true(out[0] == 5 && out[1] == 3 && out[2] == 2 && out[3] == 0);
    apportion((double[]){9, 1, 0, 0}, (uint64_t[]){2, 3, 4, 5}, 4, 14, out, scratch);
    assert_true(out[0] == 2 && out[1] == 3 && out[2] == 4 && out[3] == 5);
    apportion((double[]){0, 0, 0, 0}, (uint64_t[]){0, 1, 1, 1}, 4, 2, out, scratch);
    assert_true(out[0] == 0 && out[1] + out[2] + out[3] == 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(the_register_holds),
        cmocka_unit_test(figures_are_plausible),
        cmocka_unit_test(holes_are_reported),
        cmocka_unit_test(a_seed_gives_one_night),
        cmocka_unit_test(six_contests_of_two_counties),
        cmocka_unit_test(a_whole_day_of_1882_contests),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(a_row_that_contradicts_itself),
        cmocka_unit_test(apportioning_is_exact),
        cmocka_unit_test(largest_remainders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
