/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit list, commit: the list that an audit commits to, and the plan that fixes everything before
 * the dice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/csv.h"
#include "base/file.h"
#include "cli/audit_common.h"
#include "cli/audit_on.h"
#include "cli/words.h"
#include "election/compose_audit.h"
#include "election/rules.h"

enum { LIST_BYTES_MAX = 64 << 20, CLAIMS_MAX = 512 };

/* --- list --- */

struct list_args {
    const char *dir, *contest, *level, *bound, *out;
};

static uint32_t ancestor_at(const struct fold *s, uint32_t unit, unsigned level) {
    while (unit != NO_UNIT && fold_unit(s, unit)->level > level) unit = fold_unit(s, unit)->parent;
    return unit;
}

/* What no box can have more of: never less than the form itself says. */
static uint64_t bound_of(const struct fold *s, uint32_t station, const struct figures *held, uint64_t sum,
                         bool cast) {
    uint64_t ballots = sum, valid = held && held->valid != ABSENT ? held->valid : sum;
    if (valid > ballots) ballots = valid;
    if (held && held->rejected != ABSENT) ballots += held->rejected;
    uint64_t registered = fold_unit(s, station)->registered;
    return cast && held ? ballots : ballots > registered ? ballots : registered;
}

static err write_list(const struct fold *s, uint32_t contest, unsigned level, bool cast, struct buf *b,
                      size_t *missing, struct fail *f) {
    const struct contest *k = fold_contest(s, contest);
    buf_str(b, "jurisdiction,batch,ballots");
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, k->round, c))
            buf_printf(b, ",%.*s", SPAN_ARG(contest_choice(s, k, c)->id));
    buf_byte(b, '\n');
    for (uint32_t u = 0; u < fold_unit_count(s); u++) {
        if (!unit_is_station(s, u) || !unit_within(s, u, k->unit) || fold_unit(s, u)->closed) continue;
        struct figures held;
        uint64_t entry, sum = 0;
        uint32_t cell = fold_cell_find(s, contest, k->round, u);
        bool has = cell != NO_CELL && cell_held(s, fold_cell_at(s, cell), &held, &entry);
        *missing += !has;
        for (uint32_t c = 0; has && c < k->choice_count; c++)
            if (contest_has_choice(k, k->round, c) && held.votes[c] != ABSENT) sum += held.votes[c];
        uint32_t place = ancestor_at(s, u, level);
        buf_printf(b, "%.*s,%.*s,", SPAN_ARG(fold_unit(s, place)->code), SPAN_ARG(fold_unit(s, u)->code));
        buf_u64(b, bound_of(s, u, has ? &held : NULL, sum, cast));
        for (uint32_t c = 0; c < k->choice_count; c++) {
            if (!contest_has_choice(k, k->round, c)) continue;
            buf_byte(b, ',');
            buf_u64(b, has && held.votes[c] != ABSENT ? held.votes[c] : 0);
        }
        buf_byte(b, '\n');
    }
    return buf_ok(b, f);
}

static err list_text(const struct list_args *a, struct audit_on *x, struct buf *b, struct fail *f) {
    TRY(audit_on_read(a->dir, "audit list", x, f));
    const struct fold *s = x->log.fold;
    const struct definition *d = fold_definition(s);
    if (!a->contest) return fail_set(f, E_USAGE, "--contest ID is needed");
    uint32_t contest = fold_contest_by_id(s, span_text(a->contest));
    if (contest == NO_CONTEST) return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"", a->contest);
    unsigned level = 0;
    while (level < d->level_count && !span_is(d->levels[level], a->level)) level++;
    if (level + 1 >= d->level_count)
        return fail_set(f, E_USAGE, "--level is a level above the stations, not \"%.40s\"", a->level);
    if (strcmp(a->bound, "cast") && strcmp(a->bound, "registered"))
        return fail_set(f, E_USAGE, "--bound is registered or cast; lists of papers delivered are made by hand");
    size_t missing = 0;
    TRY(write_list(s, contest, level, strcmp(a->bound, "cast") == 0, b, &missing, f));
    if (missing)
        fprintf(stderr, "%zu stations hold no figures: they stand with no votes, which counts as half a vote a "
                        "ballot; when one is drawn its box is counted all the same\n",
                missing);
    return OK;
}

int audit_cmd_list(int argc, char **argv) {
    struct list_args a = {.level = "county", .bound = "registered"};
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &a.dir, "DIR|URL", "the election's public tree"},
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--level", OPT_TEXT, &a.level, "LEVEL", "what counts as jurisdiction (county)"},
        {"--bound", OPT_TEXT, &a.bound, "WORD", "most ballots a box can hold: registered (the default), or cast"},
        {"--out", OPT_TEXT, &a.out, "B.csv", "write it there (standard output)"},
    };
    const struct usage u = {
        "audit list --dir DIR|URL --contest ID --out B.csv",
        "Writes the list of stations with the figures that hold on the log now: what 'audit commit' commits\n"
        "to, and what 'audit plan' and 'audit risk' take as --batches.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    static struct audit_on x;
    struct fail f = {0};
    struct buf b;
    buf_init(&b, LIST_BYTES_MAX);
    err e = list_text(&a, &x, &b, &f);
    if (e == OK && a.out) e = file_write_durable(a.out, buf_view(&b), 0644, &f);
    code = e != OK ? cli_fail("audit list", &f) : a.out ? 0 : cli_print(buf_view(&b));
    buf_release(&b);
    audit_on_release(&x);
    return code;
}

/* --- commit --- */

struct commit_args {
    const char *dir, *contest, *batches, *limit, *authority, *compliance, *bound, *sample;
    uint64_t round;
    struct audit_rule_options rule;
    char regions[40]; /* of the contest's law, as the option would say it */
    struct audit_case c;
};

/* Ballot accounting of every station: delivered = cast + spoilt + unused, and nothing failed; else the
 * list's bound is at least what was delivered, or the box will count as lost. */
static err check_compliance(const char *path, const struct audit_batches *b, size_t *failed, size_t *lost,
                            struct fail *f) {
    enum { NUMBERS = 4, WORDS = 3 };
    static const char *const number[] = {"delivered", "cast", "spoilt", "unused"};
    static const char *const word[] = {"seals", "custody", "eligibility"};
    struct csv *c;
    size_t station, columns[NUMBERS], words[WORDS], rows = 0, n = b->contest.batches, g = 0;
    bool more = true;
    TRY(csv_open(path, &c, f));
    err e = csv_column(c, "station", &station, f);
    for (int i = 0; i < NUMBERS && e == OK; i++) e = csv_column(c, number[i], &columns[i], f);
    for (int i = 0; i < WORDS && e == OK; i++) e = csv_column(c, word[i], &words[i], f);
    while (e == OK && (e = csv_next(c, &more, f)) == OK && more) {
        uint64_t v[NUMBERS] = {0};
        bool given[NUMBERS] = {0}, good = true;
        size_t looked = 0; /* most often in the list's own order */
        for (; looked < n && !span_eq(b->name[g], csv_field(c, station)); looked++) g = g + 1 == n ? 0 : g + 1;
        if (looked == n)
            e = fail_set(f, E_AUDIT_BATCHES, "%s, line %llu: %.*s is not on the list", path,
                         (unsigned long long)csv_line(c), SPAN_ARG(csv_field(c, station)));
        for (int i = 0; i < NUMBERS && e == OK; i++)
            e = csv_u64(c, columns[i], FIGURE_MAX, &given[i], &v[i], f);
        for (int i = 0; i < WORDS && e == OK; i++) {
            struct span s = csv_field(c, words[i]);
            good &= span_is(s, "ok");
            if (!span_is(s, "ok") && !span_is(s, "failed"))
                e = fail_set(f, E_CSV, "%s, line %llu: %s is ok or failed", path,
                             (unsigned long long)csv_line(c), word[i]);
        }
        if (e != OK) break;
        rows++;
        good &= given[0] && given[1] && v[0] == v[1] + v[2] + v[3];
        *failed += !good;
        *lost += !good && (!given[0] || b->contest.bound[g] < v[0]);
    }
    csv_close(c);
    if (e == OK && rows != b->contest.batches)
        e = fail_set(f, E_AUDIT_BATCHES, "%s has %zu rows, the list has %zu stations: compliance is recorded for "
                                         "each, before the dice",
                     path, rows, b->contest.batches);
    return e;
}

/* What the contest's own law asks of whoever is elected, where the command does not say it, and which
 * jurisdictions of the list that law does not count as regions. */
static err rule_of_law(const struct fold *s, struct commit_args *a, struct audit_case *c, struct fail *f) {
    struct audit_rule_options *o = &a->rule;
    uint32_t contest = fold_contest_by_id(s, span_text(a->contest));
    if (contest == NO_CONTEST) return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"", a->contest);
    const struct rule *law = contest_rule(s, contest);
    struct rule_case round;
    rule_case_of(s, contest, (unsigned)a->round, &round);
    bool said = o->winners || o->majority || o->runoff || o->regions || o->regions_fail;
    if (!said && law->kind == RULE_UNKNOWN)
        return fail_set(f, E_USAGE, "the contest's rule is not known to this program: say what the outcome claims, "
                                    "with --winners, --majority or --regions");
    if (!said && law->kind == RULE_MAJORITY && !round.runoff) {
        if (law->majority.p * 2 != law->majority.q)
            return fail_set(f, E_USAGE, "a majority of more than %u of %u cannot be planned here", law->majority.p,
                            law->majority.q);
        o->majority = true;
        if (law->spread) {
            (void)snprintf(a->regions, sizeof a->regions, "%u:%u/%u", rule_regions_needed(law), law->spread_share.p,
                           law->spread_share.q);
            o->regions = a->regions;
        }
    }
    if (!o->winners) o->winners = 1;
    if (!o->regions || !law->spread || o->outside) return OK;
    bool any = false, *outside = arena_array(&c->arena, c->batches.contest.regions, sizeof *outside);
    if (!outside) return fail_set(f, E_MEMORY, "no memory for the jurisdictions");
    for (size_t r = 0; r < c->batches.contest.regions; r++) {
        uint32_t u = fold_unit_by_code(s, span_text(c->batches.jurisdiction[r]));
        outside[r] = u == NO_UNIT || !rule_is_region(s, law, u);
        any |= !outside[r];
    }
    if (!any)
        return fail_set(f, E_USAGE, "no jurisdiction of the list is a region of the contest's rule: make it with "
                                    "'audit list --level %.*s'",
                        SPAN_ARG(fold_definition(s)->levels[law->spread_level]));
    c->rule.outside = outside;
    return OK;
}

static err claims_of(const struct audit_case *c, struct compose_claim *to, struct fail *f) {
    static const enum audit_claim claims[] = {[ASSERT_BEATS] = CLAIM_BEATS, [ASSERT_ABOVE] = CLAIM_ABOVE,
                                              [ASSERT_AT_LEAST] = CLAIM_AT_LEAST,
                                              [ASSERT_BELOW] = CLAIM_BELOW, [ASSERT_AT_MOST] = CLAIM_AT_MOST};
    if (c->assertions > CLAIMS_MAX) return fail_set(f, E_RANGE, "more than %d assertions", CLAIMS_MAX);
    for (size_t j = 0; j < c->assertions; j++) {
        const struct assertion *a = &c->assertion[j];
        to[j] = (struct compose_claim){.claim = claims[a->kind], .p = a->p, .q = a->q,
                                       .winner = span_text(c->batches.choice[a->winner]),
                                       .loser = span_text(c->batches.choice[a->loser])};
        if (a->region != AUDIT_EVERYWHERE) to[j].unit = span_text(c->batches.jurisdiction[a->region]);
    }
    return OK;
}

static err plan_text(void *args, struct audit_on *x, struct make_options *m, struct buf *text, struct fail *f) {
    struct commit_args *a = args;
    struct audit_case *c = &a->c;
    static struct compose_claim claims[CLAIMS_MAX];
    struct compose_audit_plan p = {.round = (unsigned)a->round, .claims = claims};
    struct hash sample;
    double limit;
    size_t failed = 0, lost = 0;
    if (!a->contest || !a->batches || !a->authority || !a->compliance)
        return fail_set(f, E_USAGE, "--contest, --batches, --authority and --compliance are needed: what boxes "
                                    "are opened by whose order, and how they were kept");
    while (p.bound < 3 && strcmp(a->bound, audit_bound_name(p.bound))) p.bound++;
    if (p.bound == 3) return fail_set(f, E_USAGE, "--bound is cast, delivered or registered");
    TRY(audit_limit_parse(a->limit, &limit, f));
    TRY(audit_case_read(a->batches, 0, c, f));
    TRY(check_compliance(a->compliance, &c->batches, &failed, &lost, f));
    if (!a->dir) a->dir = m->send.url;
    if (!a->dir) return fail_set(f, E_USAGE, "--dir (or --send) is needed: which election");
    TRY(audit_on_read(a->dir, "audit commit", x, f));
    p.election = x->election;
    TRY(rule_of_law(x->log.fold, a, c, f));
    TRY(audit_case_claim(&a->rule, c, f));
    TRY(claims_of(c, claims, f));
    TRY(words_public(m, a->batches, LIST_BYTES_MAX, &p.manifest, f));
    TRY(words_public(m, a->authority, 8 << 20, &p.authority, f));
    TRY(words_public(m, a->compliance, 8 << 20, &p.compliance, f));
    if (a->sample) {
        TRY(hash_from_hex(span_text(a->sample), &sample, f));
        p.sample = &sample;
    }
    p.contest = span_text(a->contest);
    p.limit_ppm = (uint32_t)(limit * 1e6 + 0.5);
    p.claim_count = c->assertions;
    for (size_t j = 0; j < c->assertions; j++)
        if (c->assertion[j].spare) p.spare = c->assertion[j].spare;
    compose_audit_plan(text, &p);
    fprintf(stderr, "%zu stations, %zu assertions (%u of them spare); compliance failed at %zu stations, of which %zu will count as "
                    "lost when they are drawn\n",
            c->batches.contest.batches, c->assertions, p.spare, failed, lost);
    return buf_ok(text, f);
}

int audit_cmd_commit(int argc, char **argv) {
    struct make_options m = {0};
    struct commit_args a = {.limit = "0.05", .bound = "registered", .round = 1};
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &a.dir, "DIR|URL", "the election (else --send)"},
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--round", OPT_U64, &a.round, "N", "its round (1)"},
        {"--batches", OPT_TEXT, &a.batches, "B.csv", "the list that is committed to ('audit list' makes it)"},
        {"--risk-limit", OPT_TEXT, &a.limit, "0.05", "the risk limit"},
        {"--bound", OPT_TEXT, &a.bound, "WORD", "what the list's ballots are: registered (the default), cast, delivered"},
        {"--authority", OPT_TEXT, &a.authority, "FILE", "by whose order or under which law boxes are opened (public)"},
        {"--compliance", OPT_TEXT, &a.compliance, "FILE", "CSV: station,delivered,cast,spoilt,unused,seals,custody,eligibility"},
        {"--sample", OPT_TEXT, &a.sample, "ID", "share the draws of this plan (its dice are not thrown yet)"},
        AUDIT_RULE_OPTIONS(a.rule),
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "audit commit --contest ID --batches B.csv --authority FILE --compliance FILE --majority --key BOARD --key SECOND --send URL",
        "Makes the plan of an audit: the list, the assertions, the limit, the authority and the compliance of\n"
        "every station, fixed before the dice. A seed thrown before it is refused. Without --winners,\n"
        "--majority, --runoff or --regions it claims what the contest's own law asks of whoever is elected;\n"
        "jurisdictions that this law does not count as regions are left out of --regions by themselves.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    code = audit_make("audit commit", &m, plan_text, &a);
    audit_case_release(&a.c);
    return code;
}
