/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/transcript.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include "base/text.h"

enum { BATCHES_MAX = 1 << 22, TEXT_MAX = 1 << 28 };

/* ---- the audit, step by step ---- */

typedef err on_draw(void *ctx, uint64_t position, const struct audit_pick *pick, bool counted,
                    struct fail *f);
typedef err on_step(void *ctx, const struct transcript_step *s, int64_t sum, struct fail *f);

struct run {
    const struct transcript *t;
    uint64_t *weight, *below;
    uint8_t *drawn;
    struct audit_region_sums *sums;
    struct audit_walk *walk;
    int64_t *sum;  /* S of each assertion */
    bool *met;
    bool *over;    /* a draw that it concerns was passed over: nothing after it counts for it */
    uint32_t draw; /* the one draw that the walks look at */
    struct audit_sample sample;
};

err transcript_weights(const struct transcript *t, uint64_t *weight, uint64_t *total,
                       struct fail *f) {
    if (!t->shared) return audit_weights(&t->c, t->a, t->assertions, weight, total, f);
    *total = 0;
    for (size_t g = 0; g < t->c.batches; g++) {
        weight[g] = t->shared[g];
        if (weight[g] > ((uint64_t)1 << 62) - *total)
            return fail_set(f, E_OVERFLOW, "the weights add up to more than 2^62");
        *total += weight[g];
    }
    return *total ? OK : fail_set(f, E_RANGE, "no batch has a weight");
}

static MUST_USE err run_init(struct run *r, const struct transcript *t, struct arena *mem,
                             struct fail *f) {
    size_t regions = t->c.regions ? t->c.regions : 1;
    *r = (struct run){.t = t};
    r->weight = arena_array(mem, t->c.batches, sizeof *r->weight);
    r->below = arena_array(mem, t->c.batches, sizeof *r->below);
    r->drawn = arena_alloc(mem, t->c.batches);
    r->sums = arena_array(mem, 1 + regions, sizeof *r->sums);
    r->walk = arena_array(mem, t->assertions, sizeof *r->walk);
    r->sum = arena_array(mem, t->assertions, sizeof *r->sum);
    r->met = arena_array(mem, t->assertions, sizeof *r->met);
    r->over = arena_array(mem, t->assertions, sizeof *r->over);
    if (!r->weight || !r->below || !r->drawn || !r->sums || !r->walk || !r->sum || !r->met || !r->over)
        return fail_set(f, E_MEMORY, "no memory for a transcript of %zu batches", t->c.batches);
    TRY(audit_contest_check(&t->c, f));
    TRY(audit_seed_check(t->seed, f));
    size_t where;
    TRY(audit_hand_check(&t->c, &t->h, &where, f));
    uint64_t total;
    TRY(transcript_weights(t, r->weight, &total, f));
    audit_region_sums(&t->c, r->weight, &t->h, r->sums);
    return OK;
}

static void judge(struct run *r, size_t j) {
    double slack = TRANSCRIPT_P_SLACK_PPM / 1e6;
    r->met[j] = mart_p(&r->walk[j].m) + slack <= assertion_limit(&r->t->a[j], r->t->limit_ppm / 1e6);
}

static bool concerns(const struct run *r, size_t j, uint32_t g) {
    return audit_holds(&r->t->c, r->t->a[j].region, g);
}

/* A draw without a count: passed over if nothing that it concerns is open, else the audit waits. An
 * assertion cannot go on behind such a draw: what is left of its region is not known any more. */
static bool passed_over(struct run *r, uint32_t g) {
    size_t n = r->t->assertions;
    for (size_t j = 0; j < n; j++)
        if (concerns(r, j, g) && !audit_settled(r->t->a, r->met, n, j)) return false;
    for (size_t j = 0; j < n; j++) r->over[j] |= concerns(r, j, g);
    return true;
}

static MUST_USE err one_draw(struct run *r, uint64_t position, uint32_t g, on_step *step, void *ctx,
                             struct fail *f) {
    const struct transcript *t = r->t;
    for (size_t j = 0; j < t->assertions; j++) {
        if (!concerns(r, j, g) || r->over[j]) continue;
        struct audit_walk *w = &r->walk[j];
        int64_t value = 0;
        w->at = 0; /* the walk sees a sample of this one draw */
        if (!audit_walk_next(w, &value))
            return fail_set(f, E_INTERNAL, "draw %" PRIu64 " has no count", position);
        r->sum[j] += value;
        judge(r, j);
        struct transcript_step s = {
            .draw = position,
            .batch = g,
            .assertion = (uint32_t)j,
            .value = value,
            .bound = assertion_value(&t->a[j], t->c.bound[g], audit_votes(&t->c, g), t->c.choices),
            .p = mart_p(&w->m)};
        TRY(step(ctx, &s, r->sum[j], f));
    }
    return OK;
}

static err no_step(void *ctx, const struct transcript_step *s, int64_t sum, struct fail *f) {
    (void)ctx, (void)s, (void)sum, (void)f;
    return OK;
}

static MUST_USE err run_audit(const struct transcript *t, struct arena *mem, on_draw *draw,
                              on_step *step, void *ctx, struct transcript_result *out,
                              struct fail *f) {
    struct run r;
    TRY(run_init(&r, t, mem, f));
    struct audit_sampler s;
    struct audit_pick pick;
    audit_sampler_init(&s, r.weight, t->c.batches, r.below, r.drawn, t->seed, SPAN_LIT(""));
    r.sample = (struct audit_sample){r.weight, &r.draw, 1, false, true};
    for (size_t j = 0; j < t->assertions; j++)
        audit_walk_init(&r.walk[j], &t->c, &t->a[j], &r.sample, &t->h, r.sums, BET_MIXTURE);
    memset(out, 0, sizeof *out);
    for (size_t j = 0; j < t->assertions; j++) judge(&r, j);
    while (out->draws < t->draws && audit_sampler_next(&s, &pick)) {
        r.draw = pick.batch;
        bool counted = t->h.state[pick.batch] != AUDIT_UNCOUNTED;
        if (!counted && !passed_over(&r, pick.batch)) {
            out->waiting = true;
            break;
        }
        out->draws++;
        out->counted += counted;
        out->passed_over += !counted;
        if (counted) out->ballots += t->c.bound[pick.batch];
        TRY(draw(ctx, out->draws, &pick, counted, f));
        if (counted) TRY(one_draw(&r, out->draws, pick.batch, step, ctx, f));
    }
    for (size_t j = 0; j < t->assertions; j++) {
        out->p[j] = mart_p(&r.walk[j].m);
        out->met[j] = r.met[j];
    }
    out->confirmed = audit_all_met(t->a, r.met, t->assertions);
    return OK;
}

err transcript_needed(const struct transcript *t, struct arena *scratch, uint8_t *needed,
                      struct fail *f) {
    size_t n = t->c.batches, choices = t->c.choices;
    struct transcript clean = *t;
    uint8_t *state = arena_alloc(scratch, n);
    uint64_t *votes = arena_array(scratch, n, choices * sizeof *votes);
    if (!state || !votes) return fail_set(f, E_MEMORY, "no memory for %zu batches", n);
    for (size_t g = 0; g < n; g++) {
        bool counted = t->h.state[g] == AUDIT_COUNTED;
        state[g] = t->h.state[g] == AUDIT_LOST ? AUDIT_LOST : AUDIT_COUNTED;
        memcpy(votes + g * choices, (counted ? t->h.votes : t->c.votes) + g * choices,
               choices * sizeof *votes);
        needed[g] = 0;
    }
    clean.h = (struct audit_hand){.state = state, .votes = votes};
    struct run r;
    struct audit_sampler s;
    struct audit_pick pick;
    TRY(run_init(&r, &clean, scratch, f));
    audit_sampler_init(&s, r.weight, n, r.below, r.drawn, t->seed, SPAN_LIT(""));
    r.sample = (struct audit_sample){r.weight, &r.draw, 1, false, true};
    for (size_t j = 0; j < t->assertions; j++) {
        audit_walk_init(&r.walk[j], &clean.c, &t->a[j], &r.sample, &clean.h, r.sums, BET_MIXTURE);
        judge(&r, j);
    }
    for (uint64_t i = 0; i < t->draws && audit_sampler_next(&s, &pick); i++) {
        r.draw = pick.batch;
        bool counted = t->h.state[pick.batch] != AUDIT_UNCOUNTED;
        if (!counted && passed_over(&r, pick.batch)) continue;
        needed[pick.batch] = !counted;
        TRY(one_draw(&r, i + 1, pick.batch, no_step, NULL, f));
    }
    return OK;
}

/* ---- writing ---- */

struct writer {
    const struct transcript *t;
    struct buf *b;
};

static void put_votes(struct buf *b, const uint64_t *v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        buf_byte(b, ' ');
        buf_u64(b, v[i]);
    }
    buf_byte(b, '\n');
}

static err write_draw(void *ctx, uint64_t position, const struct audit_pick *pick, bool counted,
                      struct fail *f) {
    (void)f;
    struct writer *w = ctx;
    const struct transcript *t = w->t;
    buf_printf(w->b, "d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32 "\n", position, pick->i,
               pick->k, pick->batch);
    if (!counted) return OK;
    buf_printf(w->b, "h %" PRIu32 " %d", pick->batch, t->h.state[pick->batch]);
    if (t->h.state[pick->batch] == AUDIT_LOST)
        buf_byte(w->b, '\n');
    else
        put_votes(w->b, t->h.votes + pick->batch * t->c.choices, t->c.choices);
    return OK;
}

static err write_step(void *ctx, const struct transcript_step *s, int64_t sum, struct fail *f) {
    (void)f;
    struct writer *w = ctx;
    buf_printf(w->b, "r %" PRIu64 " %" PRIu32 " %" PRId64 " %" PRId64 " %" PRId64 " %.9f\n",
               s->draw, s->assertion, s->bound, s->value, sum, s->p);
    return OK;
}

static MUST_USE err write_head(const struct transcript *t, struct arena *mem, struct buf *b,
                               struct fail *f) {
    uint64_t *weight = arena_array(mem, t->c.batches, sizeof *weight), total;
    uint64_t *votes = arena_array(mem, t->c.choices, sizeof *votes), ballots;
    if (!weight || !votes) return fail_set(f, E_MEMORY, "no memory for a transcript");
    TRY(transcript_weights(t, weight, &total, f));
    char manifest[HASH_HEX_LEN + 1];
    hash_hex(&t->manifest, manifest);
    buf_printf(b,
               "hesabu-audit-transcript v1\nmethod %s\nmanifest %s\nseed %.*s\nlimit %" PRIu32
               "\nbatches %zu\nchoices %zu\nregions %zu\nassertions %zu\n",
               t->shared ? "mixture-shared" : "mixture", manifest, (int)t->seed.n,
               (const char *)t->seed.p, t->limit_ppm, t->c.batches, t->c.choices,
               t->c.regions ? t->c.regions : 1, t->assertions);
    uint32_t spare = 0;
    for (size_t j = 0; j < t->assertions; j++)
        if (t->a[j].spare > spare) spare = t->a[j].spare;
    if (spare) buf_printf(b, "spare %" PRIu32 "\n", spare);
    buf_printf(b, "total %" PRIu64 "\ndraws %" PRIu64 "\n", total, t->draws);
    for (size_t j = 0; j < t->assertions; j++) {
        const struct assertion *a = &t->a[j];
        audit_totals(&t->c, a->region, votes, &ballots);
        buf_printf(b,
                   "a %zu %d %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRId64
                   " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                   j, (int)a->kind, a->winner, a->loser, a->p, a->q,
                   a->region == AUDIT_EVERYWHERE ? 0 : a->region + 1, a->kb, a->kv, a->kw, a->kl,
                   assertion_null(a, ballots));
    }
    for (size_t g = 0; g < t->c.batches; g++) {
        buf_printf(b, "b %zu %" PRIu32 " %" PRIu64 " %" PRIu64, g, audit_region(&t->c, g) + 1,
                   t->c.bound[g], weight[g]);
        put_votes(b, audit_votes(&t->c, g), t->c.choices);
    }
    return OK;
}

err transcript_write(const struct transcript *t, struct arena *scratch, struct buf *out,
                     struct transcript_result *result, struct fail *f) {
    struct writer w = {t, out};
    if (t->limit_ppm == 0 || t->limit_ppm >= TRANSCRIPT_LIMIT_ONE)
        return fail_set(f, E_RANGE, "a risk limit lies between 0 and 1");
    TRY(audit_contest_check(&t->c, f));
    TRY(write_head(t, scratch, out, f));
    TRY(run_audit(t, scratch, write_draw, write_step, &w, result, f));
    buf_printf(out, "end %" PRIu64 " %d\n", result->draws, result->confirmed);
    return buf_ok(out, f);
}

/* ---- steps for reports ---- */

struct collector {
    struct transcript_step *at;
    size_t n, max;
};
static err ignore_draw(void *ctx, uint64_t position, const struct audit_pick *pick, bool counted,
                       struct fail *f) {
    (void)ctx, (void)position, (void)pick, (void)counted, (void)f;
    return OK;
}
static err collect_step(void *ctx, const struct transcript_step *s, int64_t sum, struct fail *f) {
    (void)sum;
    struct collector *c = ctx;
    if (c->n == c->max) return fail_set(f, E_TOO_LARGE, "more than %zu steps", c->max);
    c->at[c->n++] = *s;
    return OK;
}

err transcript_steps(const struct transcript *t, struct arena *arena,
                     struct transcript_step **steps, size_t *n, struct fail *f) {
    struct collector c = {.max = (size_t)t->draws * t->assertions};
    c.at = arena_array(arena, c.max, sizeof *c.at);
    struct transcript_result *r = arena_alloc(arena, sizeof *r);
    if (!c.at || !r) return fail_set(f, E_MEMORY, "no memory for %zu steps", c.max);
    TRY(run_audit(t, arena, ignore_draw, collect_step, &c, r, f));
    *steps = c.at;
    *n = c.n;
    return OK;
}

/* ---- reading ---- */

struct reader {
    struct span rest, line;
    uint64_t number; /* of the line, from 1 */
    struct fail *f;
};

static err wrong(struct reader *r, const char *what) {
    return fail_set(r->f, E_AUDIT_TRANSCRIPT, "line %" PRIu64 ": %s", r->number, what);
}

static MUST_USE err next_line(struct reader *r) {
    r->number++;
    if (!span_line(&r->rest, &r->line)) return wrong(r, "the transcript is cut short");
    return OK;
}

/* Takes the next word of the line; words are separated by single blanks. */
static struct span word(struct reader *r) {
    size_t n = 0;
    while (n < r->line.n && r->line.p[n] != ' ') n++;
    struct span w = span_of(r->line.p, n);
    r->line = span_from(r->line, n < r->line.n ? n + 1 : n);
    return w;
}

static MUST_USE err number(struct reader *r, uint64_t max, uint64_t *out) {
    if (u64_parse(word(r), max, out, NULL) != OK)
        return wrong(r, "a whole number in range is expected");
    return OK;
}

static MUST_USE err header(struct reader *r, const char *key, struct span *out) {
    TRY(next_line(r));
    if (!span_is(word(r), key))
        return fail_set(r->f, E_AUDIT_TRANSCRIPT, "line %" PRIu64 ": \"%s\" is expected", r->number,
                        key);
    *out = r->line;
    return OK;
}

static MUST_USE err header_number(struct reader *r, const char *key, uint64_t max, uint64_t *out) {
    struct span value;
    TRY(header(r, key, &value));
    if (u64_parse(value, max, out, NULL) != OK)
        return wrong(r, "a whole number in range is expected");
    return OK;
}

static MUST_USE err read_assertion(struct reader *r, const struct transcript *t,
                                   struct assertion *a) {
    uint64_t v[7], most[7] = {ASSERTIONS_MAX,  ASSERT_AT_MOST,  t->c.choices - 1, t->c.choices - 1,
                              AUDIT_SHARE_MAX, AUDIT_SHARE_MAX, t->c.regions};
    TRY(next_line(r));
    if (!span_is(word(r), "a")) return wrong(r, "an assertion is expected");
    for (size_t i = 0; i < 7; i++) TRY(number(r, most[i], &v[i]));
    enum assertion_kind kind = (enum assertion_kind)v[1];
    uint32_t region = v[6] ? (uint32_t)v[6] - 1 : AUDIT_EVERYWHERE;
    if (kind == ASSERT_BEATS) {
        if (v[2] == v[3]) return wrong(r, "a choice cannot beat itself");
        *a = assertion_beats((uint32_t)v[2], (uint32_t)v[3], region);
    } else {
        if (v[4] == 0 || v[4] >= v[5]) return wrong(r, "a share lies between 0 and 1");
        *a = assertion_share(kind, (uint32_t)v[2], (uint32_t)v[4], (uint32_t)v[5], region);
    }
    return OK; /* coefficients and T: compared when the text is made again */
}

static MUST_USE err read_batch(struct reader *r, struct transcript *t, size_t g, uint64_t *bound,
                               uint64_t *votes, uint32_t *region, uint64_t *shared) {
    uint64_t index, where, weight;
    TRY(next_line(r));
    if (!span_is(word(r), "b")) return wrong(r, "a batch is expected");
    TRY(number(r, BATCHES_MAX, &index));
    TRY(number(r, t->c.regions, &where));
    TRY(number(r, AUDIT_BALLOTS_MAX, &bound[g]));
    TRY(number(r, UINT64_MAX, &weight));
    for (size_t i = 0; i < t->c.choices; i++)
        TRY(number(r, AUDIT_BALLOTS_MAX, &votes[g * t->c.choices + i]));
    if (index != g || where == 0) return wrong(r, "batches are numbered from 0, regions from 1");
    region[g] = (uint32_t)where - 1;
    shared[g] = weight;
    return OK;
}

/* The lines "h", wherever they stand; everything else is compared later. */
static MUST_USE err read_counts(struct reader *r, const struct transcript *t, uint8_t *state,
                                uint64_t *votes) {
    while (r->rest.n > 0) {
        TRY(next_line(r));
        if (!span_is(word(r), "h")) continue;
        uint64_t g, how;
        TRY(number(r, t->c.batches - 1, &g));
        TRY(number(r, AUDIT_LOST, &how));
        if (how == AUDIT_UNCOUNTED || state[g])
            return wrong(r, "one count for each batch, with state 1 or 2");
        state[g] = (uint8_t)how;
        for (size_t i = 0; how == AUDIT_COUNTED && i < t->c.choices; i++)
            TRY(number(r, AUDIT_BALLOTS_MAX - 1, &votes[g * t->c.choices + i]));
    }
    return OK;
}

/* A line that stands there only where it says something. */
static MUST_USE err read_spare(struct reader *r, uint64_t assertions, uint64_t *spare) {
    static const char word[] = "spare ";
    *spare = 0;
    if (r->rest.n < sizeof word || memcmp(r->rest.p, word, sizeof word - 1) != 0) return OK;
    TRY(header_number(r, "spare", assertions - 1, spare));
    return *spare ? OK : wrong(r, "at least one spare region, or no such line");
}

static MUST_USE err read_head(struct reader *r, struct transcript *t, uint64_t *assertions,
                              uint64_t *spare, bool *shared) {
    struct span s;
    uint64_t limit, batches, choices, regions, total;
    TRY(header(r, "hesabu-audit-transcript", &s));
    if (!span_is(s, "v1")) return wrong(r, "only version v1 can be read");
    TRY(header(r, "method", &s));
    *shared = span_is(s, "mixture-shared");
    if (!*shared && !span_is(s, "mixture")) return wrong(r, "only the mixture can be checked");
    TRY(header(r, "manifest", &s));
    if (hash_from_hex(s, &t->manifest, NULL) != OK)
        return wrong(r, "a hash of 64 digits is expected");
    TRY(header(r, "seed", &t->seed));
    TRY(header_number(r, "limit", TRANSCRIPT_LIMIT_ONE - 1, &limit));
    TRY(header_number(r, "batches", BATCHES_MAX, &batches));
    TRY(header_number(r, "choices", AUDIT_CHOICES_MAX, &choices));
    TRY(header_number(r, "regions", AUDIT_REGIONS_MAX, &regions));
    TRY(header_number(r, "assertions", ASSERTIONS_MAX, assertions));
    if (!*assertions) return wrong(r, "an audit has assertions");
    TRY(read_spare(r, *assertions, spare));
    TRY(header_number(r, "total", UINT64_MAX, &total));
    TRY(header_number(r, "draws", batches, &t->draws));
    if (!limit || !batches || !choices || !regions)
        return wrong(r, "limit, batches, choices and regions are at least 1");
    /* each batch takes a line of at least nine bytes: no more memory than the text is worth */
    if (batches * (2 * choices + 8) > r->rest.n) return wrong(r, "fewer lines than batches");
    t->limit_ppm = (uint32_t)limit;
    t->c.batches = batches;
    t->c.choices = choices;
    t->c.regions = regions;
    return OK;
}

static MUST_USE err read_all(struct reader *r, struct arena *mem, struct transcript *t) {
    uint64_t n, spare;
    bool is_shared = false;
    TRY(read_head(r, t, &n, &spare, &is_shared));
    struct assertion *a = arena_array(mem, n, sizeof *a);
    uint64_t *bound = arena_array(mem, t->c.batches, sizeof *bound);
    uint64_t *votes = arena_array(mem, t->c.batches, t->c.choices * sizeof *votes);
    uint64_t *hand = arena_array(mem, t->c.batches, t->c.choices * sizeof *hand);
    uint32_t *region = arena_array(mem, t->c.batches, sizeof *region);
    uint64_t *shared = arena_array(mem, t->c.batches, sizeof *shared);
    uint8_t *state = arena_alloc(mem, t->c.batches);
    if (!a || !bound || !votes || !hand || !region || !state || !shared)
        return fail_set(r->f, E_MEMORY, "no memory for a transcript of %zu batches", t->c.batches);
    for (size_t j = 0; j < n; j++) TRY(read_assertion(r, t, &a[j]));
    if (!audit_spread(a, n, (uint32_t)spare))
        return wrong(r, "more spare regions than regions of the rule");
    for (size_t g = 0; g < t->c.batches; g++) TRY(read_batch(r, t, g, bound, votes, region, shared));
    t->a = a;
    t->assertions = n;
    t->shared = is_shared ? shared : NULL;
    t->c.bound = bound;
    t->c.votes = votes;
    t->c.region = region;
    TRY(read_counts(r, t, state, hand));
    t->h = (struct audit_hand){.state = state, .votes = hand};
    return OK;
}

/* "0.123456789" or "1.000000000": billionths, or -1. */
static int64_t billionths(struct span s) {
    if (s.n != 11 || s.p[1] != '.' || (s.p[0] != '0' && s.p[0] != '1')) return -1;
    int64_t v = s.p[0] - '0';
    for (size_t i = 2; i < s.n; i++) {
        if (!char_is_digit(s.p[i])) return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

/* Lines are equal; in lines "r" the last word may differ by 1e-6. */
static bool same_line(struct span given, struct span made) {
    if (span_eq(given, made)) return true;
    if (given.n < 13 || made.n < 13 || given.p[0] != 'r' || given.n != made.n) return false;
    size_t head = given.n - 11;
    if (memcmp(given.p, made.p, head) != 0) return false;
    int64_t a = billionths(span_from(given, head)), b = billionths(span_from(made, head));
    return a >= 0 && b >= 0 && llabs(a - b) <= 1000 * TRANSCRIPT_P_SLACK_PPM;
}

static MUST_USE err compare(struct span given, struct span made, struct fail *f) {
    for (uint64_t n = 1; given.n > 0 || made.n > 0; n++) {
        struct span a, b;
        bool has_a = span_line(&given, &a), has_b = span_line(&made, &b);
        if (has_a && has_b && same_line(a, b)) continue;
        if (!has_a || !has_b)
            return fail_set(f, E_AUDIT_TRANSCRIPT, "line %" PRIu64 ": the audit %s here", n,
                            has_b ? "goes on where the transcript stops"
                                  : "stops, the transcript goes on");
        return fail_set(f, E_AUDIT_TRANSCRIPT,
                        "line %" PRIu64 " says \"%.*s\", the audit done again gives \"%.*s\"", n,
                        SPAN_ARG(a), SPAN_ARG(b));
    }
    return OK;
}

err transcript_check(struct span text, struct arena *arena, struct transcript *out,
                     struct transcript_result *result, struct fail *f) {
    *out = (struct transcript){0};
    if (text.n > TEXT_MAX)
        return fail_set(f, E_TOO_LARGE, "a transcript has at most %d bytes", TEXT_MAX);
    struct reader r = {.rest = text, .f = f};
    TRY(read_all(&r, arena, out));
    struct transcript_result *own = arena_alloc(arena, sizeof *own);
    if (!own) return fail_set(f, E_MEMORY, "no memory for a transcript");
    struct buf again;
    buf_init(&again, 2 * (size_t)TEXT_MAX);
    err e = transcript_write(out, arena, &again, own, f);
    if (e == OK) e = compare(text, buf_view(&again), f);
    buf_release(&again);
    if (e == OK && result) *result = *own;
    return e;
}
