/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* NIST SP 1500-100 version 2, Election Results Reporting, in both of its spellings. What is named by an
 * id may stand before or behind it: names are put in at the end. Counts of Type "total" only. */
#include <stdlib.h>
#include "base/text.h"
#include "service/exchange_impl.h"

enum state { OTHER, REPORT, ELECTION, CANDIDATE, NAME, WORDS, EXTERNAL, CONTEST, SELECTION, COUNTS, BALLOTS, UNIT };
enum { DEPTH_MAX = 200, UNITS_MAX = 2000000, ELECTIONS_MAX = 20000 };

struct gp_unit {
    uint32_t id, code;
    uint64_t registered;
};
struct candidate {
    uint32_t election, id, name;
};
struct selection {
    uint32_t contest, candidate, own; /* the ids; EX_NONE */
};
struct election { /* its contests are first to first + n */
    uint32_t first, n;
};

struct cdf_in {
    struct exchange *x;
    uint8_t state[DEPTH_MAX];
    unsigned depth;
    struct vec units, candidates, selections, elections;
    struct gp_unit unit; /* what is open */
    struct candidate candidate;
    uint32_t name, contest, contest_id, contest_own;
    struct selection selection;
    /* an ExternalIdentifier */
    uint32_t kind, value;
    /* counts */
    uint32_t count_unit;
    bool total;
    uint64_t count, cast, rejected;
    uint32_t word_cast, word_rejected, word_registered;
};

err cdf_in_new(struct exchange *x, struct cdf_in **out, struct fail *f) {
    struct cdf_in *c = calloc(1, sizeof *c);
    *out = c;
    if (!c) return fail_set(f, E_MEMORY, "no memory to read the file");
    c->x = x;
    vec_init(&c->units, &x->budget, sizeof(struct gp_unit), 12);
    vec_init(&c->candidates, &x->budget, sizeof(struct candidate), 8);
    vec_init(&c->selections, &x->budget, sizeof(struct selection), 8);
    vec_init(&c->elections, &x->budget, sizeof(struct election), 6);
    TRY(ex_text(x, SPAN_LIT("cast"), &c->word_cast, f));
    TRY(ex_text(x, SPAN_LIT("rejected"), &c->word_rejected, f));
    return ex_text(x, SPAN_LIT("registered"), &c->word_registered, f);
}

void cdf_in_free(struct cdf_in *c) {
    if (!c) return;
    vec_release(&c->units);
    vec_release(&c->candidates);
    vec_release(&c->selections);
    vec_release(&c->elections);
    free(c);
}

static err push(struct vec *v, const void *what, size_t max, struct fail *f) {
    void *at = v->n < max ? vec_push(v) : NULL;
    if (!at) return fail_set(f, E_TOO_LARGE, "more than %zu units, candidates or elections, or no memory for them", max);
    memcpy(at, what, v->elem);
    return OK;
}

/* --- what is begun --- */

static enum state inside(enum state above, struct span name) {
    static const struct {
        enum state above;
        const char *name;
        enum state state;
    } ways[] = {
        {REPORT, "Election", ELECTION},        {REPORT, "GpUnit", UNIT},
        {REPORT, "ExternalIdentifier", EXTERNAL}, {ELECTION, "Contest", CONTEST},
        {ELECTION, "Candidate", CANDIDATE},    {ELECTION, "BallotCounts", BALLOTS},
        {CANDIDATE, "BallotName", NAME},       {NAME, "Text", WORDS},
        {CANDIDATE, "ExternalIdentifier", EXTERNAL}, {CONTEST, "ExternalIdentifier", EXTERNAL},
        {UNIT, "ExternalIdentifier", EXTERNAL}, {CONTEST, "ContestSelection", SELECTION},
        {SELECTION, "VoteCounts", COUNTS},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (ways[i].above == above && span_is(name, ways[i].name)) return ways[i].state;
    return OTHER;
}

static err begin_contest(struct cdf_in *c, struct fail *f) {
    struct election *e = vec_at(&c->elections, c->elections.n - 1);
    c->contest_id = c->contest_own = EX_NONE;
    TRY(ex_new_contest(c->x, EX_NONE, 0, &c->contest, f));
    ex_contest(c->x, c->contest)->election = (uint32_t)c->elections.n - 1;
    if (e->n++ == 0) e->first = c->contest;
    return OK;
}

static err cdf_begin_node(void *ctx, struct span name, struct fail *f) {
    struct cdf_in *c = ctx;
    if (c->depth == DEPTH_MAX) return fail_set(f, E_DEPTH, "nested too deeply");
    enum state s = c->depth ? inside(c->state[c->depth - 1], name) : REPORT;
    c->state[c->depth++] = (uint8_t)s;
    switch (s) {
    case ELECTION: return push(&c->elections, &(struct election){0}, ELECTIONS_MAX, f);
    case CONTEST: return begin_contest(c, f);
    case CANDIDATE:
        c->candidate = (struct candidate){(uint32_t)c->elections.n - 1, EX_NONE, EX_NONE};
        c->name = EX_NONE;
        break;
    case UNIT: c->unit = (struct gp_unit){EX_NONE, EX_NONE, EXCHANGE_BLANK}; break;
    case SELECTION: c->selection = (struct selection){c->contest, EX_NONE, EX_NONE}; break;
    case EXTERNAL: c->kind = c->value = EX_NONE; break;
    case COUNTS:
    case BALLOTS:
        c->count_unit = EX_NONE;
        c->total = false;
        c->count = c->cast = c->rejected = EXCHANGE_BLANK;
        break;
    default: break;
    }
    return OK;
}

/* --- values --- */

static bool is_id(struct span name) {
    return span_is(name, "@id") || span_is(name, "@ObjectId");
}

/* The first of a list of ids; in XML they stand in one text. */
static err first_id(struct cdf_in *c, struct span text, uint32_t *out, struct fail *f) {
    size_t n = 0;
    if (*out != EX_NONE) return OK;
    while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t' && text.p[n] != '\n' && text.p[n] != '\r') n++;
    return ex_text(c->x, span_of(text.p, n), out, f);
}

static err counts_value(struct cdf_in *c, enum state s, struct span name, struct span text, enum node_kind kind,
                        struct fail *f) {
    if (span_is(name, "GpUnitId")) return ex_text(c->x, text, &c->count_unit, f);
    if (span_is(name, "Type")) c->total = span_is(text, "total");
    if (s == COUNTS && span_is(name, "Count")) return node_figure(text, kind, &c->count, f);
    if (s == BALLOTS && span_is(name, "BallotsCast")) return node_figure(text, kind, &c->cast, f);
    if (s == BALLOTS && span_is(name, "BallotsRejected")) return node_figure(text, kind, &c->rejected, f);
    return OK;
}

static err cdf_value(void *ctx, struct span name, struct span text, enum node_kind kind, struct fail *f) {
    struct cdf_in *c = ctx;
    enum state s = c->depth ? (enum state)c->state[c->depth - 1] : OTHER;
    switch (s) {
    case UNIT:
        if (is_id(name)) return ex_text(c->x, text, &c->unit.id, f);
        if (span_is(name, "VotersRegistered")) return node_figure(text, kind, &c->unit.registered, f);
        return OK;
    case CANDIDATE: return is_id(name) ? ex_text(c->x, text, &c->candidate.id, f) : OK;
    case NAME: return span_is(name, "Text") && c->name == EX_NONE ? ex_text(c->x, text, &c->name, f) : OK;
    case WORDS: /* the first of its languages */
        if ((span_is(name, "Content") || span_is(name, "#text")) && c->name == EX_NONE)
            return ex_text(c->x, text, &c->name, f);
        return OK;
    case EXTERNAL:
        if (span_is(name, "OtherType")) return ex_text(c->x, text, &c->kind, f);
        return span_is(name, "Value") ? ex_text(c->x, text, &c->value, f) : OK;
    case CONTEST: return is_id(name) ? ex_text(c->x, text, &c->contest_own, f) : OK;
    case SELECTION:
        if (is_id(name)) return ex_text(c->x, text, &c->selection.own, f);
        return span_is(name, "CandidateIds") ? first_id(c, text, &c->selection.candidate, f) : OK;
    case COUNTS:
    case BALLOTS: return counts_value(c, s, name, text, kind, f);
    default:
        if (kind != NODE_XML && (span_is(name, "GpUnit") || span_is(name, "Election") || span_is(name, "Contest") ||
                                 span_is(name, "VoteCounts") || span_is(name, "BallotCounts")))
            return fail_set(f, E_FIELD, "\"%.*s\" is a list of objects", SPAN_ARG(name));
        return OK;
    }
}

/* --- what is ended --- */

static err end_external(struct cdf_in *c, enum state above, struct fail *f) {
    struct span kind = ex_span(c->x, c->kind);
    if (c->kind == EX_NONE || c->value == EX_NONE) return OK;
    if (above == UNIT && span_is(kind, "unit")) c->unit.code = c->value;
    if (above == CANDIDATE && span_is(kind, "choice")) c->candidate.name = c->value;
    if (above == CONTEST && span_is(kind, "contest")) c->contest_id = c->value;
    if (above == REPORT && span_is(kind, "checkpoint-root")) c->x->root = c->value;
    if (above == REPORT && span_is(kind, "checkpoint-size")) return ex_number(ex_span(c->x, c->value), &c->x->size, f);
    return OK;
}

static err end_unit(struct cdf_in *c, struct fail *f) {
    if (c->unit.id == EX_NONE) return fail_set(f, E_FIELD, "a GpUnit has no id");
    if (c->unit.code == EX_NONE) c->unit.code = c->unit.id;
    return push(&c->units, &c->unit, UNITS_MAX, f);
}

static err end_candidate(struct cdf_in *c, struct fail *f) {
    if (c->candidate.id == EX_NONE) return fail_set(f, E_FIELD, "a Candidate has no id");
    if (c->candidate.name == EX_NONE) c->candidate.name = c->name;
    return push(&c->candidates, &c->candidate, EX_CANDIDATES_MAX, f);
}

/* "contest-2-president" is ours, in round 2. */
static unsigned round_of(struct span own) {
    static const struct span prefix = {(const uint8_t *)"contest-", 8};
    unsigned round = 0;
    size_t i = prefix.n;
    if (!span_starts(own, prefix)) return 0;
    for (; i < own.n && i < prefix.n + 2 && char_is_digit(own.p[i]); i++) round = round * 10 + (unsigned)(own.p[i] - '0');
    return i < own.n && own.p[i] == '-' ? round : 0;
}

static err end_contest(struct cdf_in *c, struct fail *f) {
    struct ex_contest *k = ex_contest(c->x, c->contest);
    k->id = c->contest_id != EX_NONE ? c->contest_id : c->contest_own;
    k->own = c->contest_own;
    if (k->id == EX_NONE) return fail_set(f, E_FIELD, "a Contest has no id");
    k->round = round_of(ex_span(c->x, k->own));
    return OK;
}

static err add(struct cdf_in *c, uint32_t contest, bool votes, uint32_t what, uint64_t value, struct fail *f) {
    if (value == EXCHANGE_BLANK) return OK;
    return ex_add(c->x->into, &(struct ex_figure){contest, c->count_unit, what, EXCHANGE_TOTAL, votes, value}, f);
}

static err end_counts(struct cdf_in *c, enum state s, struct fail *f) {
    if (!c->total) return OK;
    if (c->count_unit == EX_NONE) return fail_set(f, E_FIELD, "a count without GpUnitId");
    if (s == COUNTS) return add(c, c->contest, true, (uint32_t)c->selections.n, c->count, f);
    uint32_t election = EX_ELECTION | (uint32_t)(c->elections.n - 1);
    TRY(add(c, election, false, c->word_cast, c->cast, f));
    return add(c, election, false, c->word_rejected, c->rejected, f);
}

static err cdf_end_node(void *ctx, struct fail *f) {
    struct cdf_in *c = ctx;
    enum state s = (enum state)c->state[--c->depth], above = c->depth ? (enum state)c->state[c->depth - 1] : OTHER;
    switch (s) {
    case EXTERNAL: return end_external(c, above, f);
    case UNIT: return end_unit(c, f);
    case CANDIDATE: return end_candidate(c, f);
    case CONTEST: return end_contest(c, f);
    case SELECTION: return push(&c->selections, &c->selection, EX_CANDIDATES_MAX, f);
    case COUNTS:
    case BALLOTS: return end_counts(c, s, f);
    default: return OK;
    }
}

const struct nodes cdf_nodes = {cdf_begin_node, cdf_value, cdf_end_node, NULL};

/* --- names in place of ids --- */

/* A text's number -> the first unit with it as id. */
static err units_by_id(const struct cdf_in *c, const struct gp_unit ***out, struct fail *f) {
    const struct gp_unit **by = calloc(c->x->texts.n + 1, sizeof *by);
    *out = by;
    if (!by) return fail_set(f, E_MEMORY, "no memory for the units");
    for (size_t i = 0; i < c->units.n; i++) {
        const struct gp_unit *u = vec_at(&c->units, i);
        if (by[u->id]) return fail_set(f, E_FIELD, "two units have the id \"%.*s\"", SPAN_ARG(ex_span(c->x, u->id)));
        by[u->id] = u;
    }
    return OK;
}

static int by_candidate(const void *a, const void *b) {
    const struct candidate *p = a, *q = b;
    if (p->election != q->election) return p->election < q->election ? -1 : 1;
    return (p->id > q->id) - (p->id < q->id);
}

/* Each selection's choice, over its candidate's number. */
static err name_selections(struct cdf_in *c, struct fail *f) {
    size_t n = c->candidates.n;
    struct candidate *sorted = calloc(n + 1, sizeof *sorted);
    err e = sorted ? OK : fail_set(f, E_MEMORY, "no memory for the candidates");
    for (size_t i = 0; e == OK && i < n; i++) sorted[i] = *(const struct candidate *)vec_at(&c->candidates, i);
    if (e == OK && n) qsort(sorted, n, sizeof *sorted, by_candidate);
    for (size_t i = 0; e == OK && i < c->selections.n; i++) {
        struct selection *s = vec_at(&c->selections, i);
        struct candidate key = {ex_contest(c->x, s->contest)->election, s->candidate, EX_NONE}, *at = NULL;
        if (s->candidate == EX_NONE) s->candidate = s->own;
        if (s->candidate == EX_NONE)
            e = fail_set(f, E_FIELD, "a ContestSelection has neither candidates nor an id");
        else if (n)
            at = bsearch(&key, sorted, n, sizeof *sorted, by_candidate);
        if (at && at->name != EX_NONE) s->candidate = at->name;
        if (e == OK) e = ex_choice(c->x, s->contest, s->candidate, f);
    }
    free(sorted);
    return e;
}

/* Ballots are counted for an election: they are those of each of its contests. */
static err spread(struct cdf_in *c, size_t i, struct fail *f) {
    struct ex_set *set = &c->x->read;
    struct ex_figure g = set->at[i];
    const struct election *e = vec_at(&c->elections, g.contest & ~EX_ELECTION);
    if (e->n == 0) return fail_set(f, E_FIELD, "ballot counts of an election without contests");
    set->at[i].contest = e->first;
    for (uint32_t k = 1; k < e->n; k++) {
        g.contest = e->first + k;
        TRY(ex_add(set, &g, f));
    }
    return OK;
}

static err name_figures(struct cdf_in *c, const struct gp_unit *const *by, struct fail *f) {
    struct ex_set *set = &c->x->read;
    for (size_t i = 0, n = set->n; i < n; i++) {
        struct ex_figure *g = &set->at[i];
        const struct gp_unit *u = by[g->unit];
        if (!u) return fail_set(f, E_FIELD, "figures of \"%.*s\", a unit that the file does not have",
                                SPAN_ARG(ex_span(c->x, g->unit)));
        g->unit = u->code;
        if (g->votes) g->what = ((const struct selection *)vec_at(&c->selections, g->what))->candidate;
        if (g->contest & EX_ELECTION) TRY(spread(c, i, f));
    }
    for (size_t i = 0; i < c->units.n; i++) {
        const struct gp_unit *u = vec_at(&c->units, i);
        if (u->registered == EXCHANGE_BLANK) continue;
        TRY(ex_add(set, &(struct ex_figure){EX_EVERY, u->code, c->word_registered, EXCHANGE_TOTAL, 0, u->registered}, f));
    }
    return OK;
}

err cdf_in_finish(struct cdf_in *c, struct fail *f) {
    const struct gp_unit **by = NULL;
    err e = units_by_id(c, &by, f);
    if (e == OK) e = name_selections(c, f);
    if (e == OK) e = name_figures(c, by, f);
    free(by);
    return e;
}
