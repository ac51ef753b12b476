/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/audit_common.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "stats/audit/consistent.h"
#include "stats/audit/macro.h"
#include "stats/audit/pcg64.h"
#include "stats/audit/sample.h"

const char *const audit_sampler_names[] = {"arlo-ppeb", "integer-ppeb", "consistent"};

err audit_sampler_by_name(const char *name, enum audit_sampler_kind *out, struct fail *f) {
    for (size_t i = 0; i < 3; i++)
        if (strcmp(name, audit_sampler_names[i]) == 0) {
            *out = (enum audit_sampler_kind)i;
            return OK;
        }
    return fail_set(f, E_USAGE,
                    "there is no sampler \"%.40s\": arlo-ppeb, integer-ppeb or consistent", name);
}

err audit_limit_parse(const char *text, double *out, struct fail *f) {
    size_t digits = strspn(text, "0123456789."), points = 0;
    for (const char *t = text; *t; t++) points += *t == '.';
    if (text[digits] || digits == 0 || digits > 12 || points > 1)
        return fail_set(f, E_USAGE, "--risk-limit takes a decimal such as 0.05, not \"%.40s\"",
                        text);
    *out = strtod(text, NULL);
    if (!(*out > 0 && *out < 1))
        return fail_set(f, E_USAGE, "--risk-limit lies between 0 and 1, not at %s", text);
    return OK;
}

/* "24:1/4" */
static MUST_USE err parse_regions(const char *text, struct audit_rule *r, struct fail *f) {
    const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
    uint64_t k = 0, p = 0, q = 0;
    if (!colon || !slash || slash < colon ||
        u64_parse(span_of(text, (size_t)(colon - text)), AUDIT_REGIONS_MAX, &k, NULL) != OK ||
        u64_parse(span_of(colon + 1, (size_t)(slash - colon - 1)), AUDIT_SHARE_MAX, &p, NULL) !=
            OK ||
        u64_parse(span_text(slash + 1), AUDIT_SHARE_MAX, &q, NULL) != OK || k == 0)
        return fail_set(f, E_USAGE, "--regions takes K:P/Q, as in 24:1/4, not \"%.40s\"", text);
    r->regions = (uint32_t)k;
    r->p = (uint32_t)p;
    r->q = (uint32_t)q;
    return OK;
}

/* "048,049": jurisdictions of the batches. */
static MUST_USE err parse_outside(const char *list, struct audit_case *c, struct fail *f) {
    const struct audit_batches *b = &c->batches;
    size_t regions = b->contest.regions ? b->contest.regions : 1;
    bool *outside = arena_array(&c->arena, regions, sizeof *outside);
    if (!outside) return fail_set(f, E_MEMORY, "no memory for the jurisdictions");
    for (const char *at = list; at;) {
        const char *comma = strchr(at, ',');
        struct span code = span_of(at, comma ? (size_t)(comma - at) : strlen(at));
        size_t r = 0;
        while (r < regions && !span_is(code, b->jurisdiction[r])) r++;
        if (r == regions)
            return fail_set(f, E_USAGE, "--outside: \"%.*s\" is no jurisdiction of the batches",
                            SPAN_ARG(code));
        outside[r] = true;
        at = comma ? comma + 1 : NULL;
    }
    c->rule.outside = outside;
    return OK;
}

static MUST_USE err parse_rule(const struct audit_rule_options *o, struct audit_case *c,
                               struct fail *f) {
    c->rule = (struct audit_rule){.majority = o->majority,
                                  .runoff = o->runoff,
                                  .regions_fail = o->regions_fail,
                                  .outside = c->rule.outside};
    if (o->winners == 0 || o->winners > AUDIT_CHOICES_MAX)
        return fail_set(f, E_USAGE, "--winners takes a number from 1 to %d", AUDIT_CHOICES_MAX);
    c->rule.winners = (uint32_t)o->winners;
    if ((o->outside || o->spare) && !o->regions)
        return fail_set(f, E_USAGE, "--outside and --spare belong to --regions");
    if (o->spare > AUDIT_REGIONS_MAX)
        return fail_set(f, E_USAGE, "--spare takes a number up to %d", AUDIT_REGIONS_MAX);
    c->rule.spare = (uint32_t)o->spare;
    if (o->regions) TRY(parse_regions(o->regions, &c->rule, f));
    return o->outside ? parse_outside(o->outside, c, f) : OK;
}

err audit_case_claim(const struct audit_rule_options *o, struct audit_case *c, struct fail *f) {
    TRY(parse_rule(o, c, f));
    if (o->regions && c->batches.contest.batches > c->batches.listed)
        return fail_set(f, E_USAGE,
                        "with --regions every ballot must lie in a jurisdiction: give the "
                        "batches their ballots instead of --total-ballots");
    c->winner_count = c->rule.winners;
    c->assertion = arena_array(&c->arena, ASSERTIONS_MAX, sizeof *c->assertion);
    c->winners = arena_array(&c->arena, c->batches.contest.choices, sizeof *c->winners);
    if (!c->assertion || !c->winners) return fail_set(f, E_MEMORY, "no memory for assertions");
    return audit_assertions(&c->batches.contest, &c->rule, &c->arena, c->assertion, ASSERTIONS_MAX,
                            &c->assertions, c->winners, f);
}

err audit_case_read(const char *batches, uint64_t total_ballots, struct audit_case *out,
                    struct fail *f) {
    *out = (struct audit_case){0};
    arena_init(&out->arena, AUDIT_ARENA_MAX);
    if (!batches) return fail_set(f, E_USAGE, "--batches FILE is needed: the batches as reported");
    return audit_batches_read(batches, total_ballots, &out->arena, &out->batches, f);
}

err audit_case_open(const char *batches, uint64_t total_ballots, const struct audit_rule_options *o,
                    struct audit_case *out, struct fail *f) {
    TRY(audit_case_read(batches, total_ballots, out, f));
    return audit_case_claim(o, out, f);
}

void audit_case_release(struct audit_case *c) {
    arena_release(&c->arena);
}

void audit_case_name(const struct audit_case *c, size_t assertion, char *out, size_t max) {
    const struct assertion *a = &c->assertion[assertion];
    const char *region = a->region == AUDIT_EVERYWHERE ? NULL : c->batches.jurisdiction[a->region];
    assertion_name(a, c->batches.choice, region, out, max);
}

size_t audit_batch_id(const struct audit_batches *b, size_t batch, char *out, size_t max) {
    const char *j = audit_batch_jurisdiction(b, batch);
    struct span name = b->name[batch];
    int n = *j ? snprintf(out, max, "%s/%.*s", j, (int)name.n, (const char *)name.p)
               : snprintf(out, max, "%.*s", (int)name.n, (const char *)name.p);
    return n < 0 ? 0 : (size_t)n < max ? (size_t)n : max - 1;
}

/* The contest that draws are made from: without the batch of ballots that lie in none, unless the
 * batches' own ballots are unknown and only the total says what the probabilities were. */
static struct audit_contest drawable(const struct audit_case *c) {
    struct audit_contest l = c->batches.contest;
    if (c->batches.bounds_given) l.batches = c->batches.listed;
    return l;
}

static MUST_USE err arlo_shares(struct audit_case *c, double **share, struct fail *f) {
    struct audit_contest l = drawable(c);
    double *u = arena_array(&c->arena, l.batches, sizeof *u), sum;
    *share = arena_array(&c->arena, l.batches, sizeof **share);
    if (!u || !*share) return fail_set(f, E_MEMORY, "no memory for %zu batches", l.batches);
    return macro_bounds(&l, c->assertion, c->assertions, u, *share, &sum, &c->arena, f);
}

err audit_case_weights(struct audit_case *c, enum audit_sampler_kind kind, uint64_t **weights,
                       struct fail *f) {
    size_t n = c->batches.contest.batches;
    uint64_t *w = arena_array(&c->arena, n, sizeof *w), total;
    if (!w) return fail_set(f, E_MEMORY, "no memory for %zu weights", n);
    *weights = w;
    if (kind == SAMPLER_INTEGER) {
        TRY(audit_weights(&c->batches.contest, c->assertion, c->assertions, w, &total, f));
    } else if (kind == SAMPLER_ARLO) {
        double *share;
        TRY(arlo_shares(c, &share, f));
        /* probabilities as integers, 61 bits: finer than what numpy draws with */
        for (size_t g = 0; g < drawable(c).batches; g++) w[g] = (uint64_t)(share[g] * 0x1p61);
    } else {
        for (size_t g = 0; g < c->batches.listed; g++) w[g] = 1;
    }
    if (c->batches.bounds_given)
        for (size_t g = c->batches.listed; g < n; g++) w[g] = 0;
    return OK;
}

static MUST_USE err draw_arlo(struct audit_case *c, struct span seed, size_t n, uint32_t *draws,
                              struct fail *f) {
    double *share;
    TRY(arlo_shares(c, &share, f));
    double *sums = arena_array(&c->arena, c->batches.listed, sizeof *sums);
    if (!sums) return fail_set(f, E_MEMORY, "no memory for %zu batches", c->batches.listed);
    struct pcg64 r;
    pcg64_seed_arlo(&r, seed);
    pcg64_choice(&r, share, c->batches.listed, sums, draws, n);
    return OK;
}

static MUST_USE err draw_integer(struct audit_case *c, struct span seed, bool replacement, size_t n,
                                 uint32_t *draws, size_t *drawn, struct fail *f) {
    uint64_t *w;
    TRY(audit_case_weights(c, SAMPLER_INTEGER, &w, f));
    size_t batches = c->batches.listed;
    uint64_t *below = arena_array(&c->arena, batches, sizeof *below);
    uint8_t *seen = arena_alloc(&c->arena, batches);
    if (!below || !seen) return fail_set(f, E_MEMORY, "no memory for %zu batches", batches);
    struct audit_sampler s;
    audit_sampler_init(&s, w, batches, below, replacement ? NULL : seen, seed, SPAN_LIT(""));
    struct audit_pick pick;
    for (*drawn = 0; *drawn < n && audit_sampler_next(&s, &pick);) draws[(*drawn)++] = pick.batch;
    return OK;
}

static size_t batch_item(const void *ctx, uint64_t item, char *out) {
    return audit_batch_id(ctx, (size_t)item, out, CONSISTENT_ID_MAX);
}

static MUST_USE err draw_consistent(struct audit_case *c, struct span seed, bool replacement,
                                    size_t n, uint32_t *draws, size_t *drawn, struct fail *f) {
    size_t keep = n < c->batches.listed ? n : c->batches.listed, found;
    struct consistent_draw *first = arena_array(&c->arena, keep, sizeof *first);
    struct consistent_draw *seq = arena_array(&c->arena, n, sizeof *seq);
    if (!first || !seq) return fail_set(f, E_MEMORY, "no memory for %zu tickets", n);
    consistent_smallest(seed, batch_item, &c->batches, 0, c->batches.listed, first, keep, &found);
    consistent_sequence(first, found, replacement, seq, n, drawn);
    for (size_t i = 0; i < *drawn; i++) draws[i] = (uint32_t)seq[i].item;
    return OK;
}

err audit_case_draw(struct audit_case *c, enum audit_sampler_kind kind, struct span seed,
                    bool replacement, size_t n, uint32_t **draws, size_t *drawn, struct fail *f) {
    if (seed.n > AUDIT_SEED_MAX)
        return fail_set(f, E_USAGE, "a seed has at most %d bytes", AUDIT_SEED_MAX);
    if (n == 0 || n > 10000000)
        return fail_set(f, E_USAGE, "the number of draws is 1 to 10,000,000, not %zu", n);
    *draws = arena_array(&c->arena, n, sizeof **draws);
    if (!*draws) return fail_set(f, E_MEMORY, "no memory for %zu draws", n);
    *drawn = n;
    switch (kind) {
    case SAMPLER_ARLO:
        return draw_arlo(c, seed, n, *draws, f);
    case SAMPLER_INTEGER:
        return draw_integer(c, seed, replacement, n, *draws, drawn, f);
    case SAMPLER_CONSISTENT:
        return draw_consistent(c, seed, replacement, n, *draws, drawn, f);
    }
    return fail_set(f, E_INTERNAL, "no such sampler");
}
