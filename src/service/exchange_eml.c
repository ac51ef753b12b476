/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* EML 510 (OASIS Election Markup Language, "Count"): totals of contests and votes of reporting units. */
#include <stdlib.h>
#include "base/text.h"
#include "service/exchange_impl.h"

enum state {
    OTHER, ROOT, COUNT, ELECTION, CONTESTS, CONTEST, CONTEST_ID, TOTAL, UNIT, UNIT_ID, SELECTION, CANDIDATE,
    CANDIDATE_ID, REJECTED
};
enum { DEPTH_MAX = 70, ID_MAX = 400 };

struct eml_in {
    struct exchange *x;
    uint8_t state[DEPTH_MAX];
    unsigned depth;
    uint32_t contest;    /* EX_NONE before its identifier */
    bool named;          /* the unit whose votes are read */
    struct buf unit, choice;
    bool chosen;         /* the selection is a candidate's */
    bool plain_rejected; /* ReasonCode "rejected" */
};

err eml_in_new(struct exchange *x, struct eml_in **out, struct fail *f) {
    struct eml_in *e = *out = calloc(1, sizeof *e);
    if (!e) return fail_set(f, E_MEMORY, "no memory to read the file");
    e->x = x;
    buf_init(&e->unit, ID_MAX);
    buf_init(&e->choice, ID_MAX);
    return OK;
}

void eml_in_free(struct eml_in *e) {
    if (!e) return;
    buf_release(&e->unit);
    buf_release(&e->choice);
    free(e);
}

static enum state inside(enum state above, struct span name) {
    static const struct {
        enum state above;
        const char *name;
        enum state state;
    } ways[] = {
        {ROOT, "Count", COUNT},
        {COUNT, "Election", ELECTION},
        {ELECTION, "Contests", CONTESTS},
        {CONTESTS, "Contest", CONTEST},
        {CONTEST, "ContestIdentifier", CONTEST_ID},
        {CONTEST, "TotalVotes", TOTAL},
        {CONTEST, "ReportingUnitVotes", UNIT},
        {UNIT, "ReportingUnitIdentifier", UNIT_ID},
        {TOTAL, "Selection", SELECTION},
        {UNIT, "Selection", SELECTION},
        {SELECTION, "Candidate", CANDIDATE},
        {CANDIDATE, "CandidateIdentifier", CANDIDATE_ID},
        {TOTAL, "RejectedVotes", REJECTED},
        {UNIT, "RejectedVotes", REJECTED},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (ways[i].above == above && span_is(name, ways[i].name)) return ways[i].state;
    return OTHER;
}

static err eml_begin(void *ctx, struct span name, struct fail *f) {
    struct eml_in *e = ctx;
    if (e->depth == DEPTH_MAX) return fail_set(f, E_DEPTH, "nested too deeply");
    enum state s = e->depth ? inside((enum state)e->state[e->depth - 1], name) : ROOT;
    e->state[e->depth++] = (uint8_t)s;
    if (s == CONTEST) e->contest = EX_NONE;
    if (s == TOTAL || s == UNIT) {
        buf_clear(&e->unit);
        e->named = s == TOTAL;
    }
    if (s == SELECTION) e->chosen = false;
    if (s == REJECTED) e->plain_rejected = false;
    return OK;
}

/* An Id cannot hold '/': it stands as ':' (spec/exports.md). */
static err set_id(struct buf *to, struct span id, struct fail *f) {
    buf_clear(to);
    for (size_t i = 0; i < id.n; i++) buf_byte(to, id.p[i] == ':' ? '/' : id.p[i]);
    if (!id.n) return fail_set(f, E_FIELD, "an empty Id");
    return to->failed ? fail_set(f, E_TOO_LARGE, "an Id of more than %d bytes", ID_MAX) : OK;
}

/* "president", or "president:R2" in round 2. */
static err contest_id(struct eml_in *e, struct span id, struct fail *f) {
    uint64_t round = 1;
    size_t n = id.n;
    while (n && char_is_digit(id.p[n - 1])) n--;
    if (n < id.n && id.n - n <= 2 && n >= 2 && id.p[n - 1] == 'R' && id.p[n - 2] == ':') {
        TRY(ex_number(span_from(id, n), &round, f));
        id.n = n - 2;
    }
    struct buf b;
    buf_init(&b, ID_MAX);
    err code = set_id(&b, id, f);
    if (code == OK) code = ex_contest_of(e->x, buf_view(&b), round, &e->contest, f);
    buf_release(&b);
    return code;
}

static err transaction(struct eml_in *e, struct span text, struct fail *f) {
    size_t n = 0;
    while (n < text.n && char_is_digit(text.p[n])) n++;
    if (n == 0 || n > EX_FIGURE_DIGITS || n + 1 >= text.n || text.p[n] != ' ') return OK; /* somebody else's */
    TRY(ex_number(span_of(text.p, n), &e->x->size, f));
    return ex_text(e->x, span_from(text, n + 1), &e->x->root, f);
}

static err figure(struct eml_in *e, bool votes, struct span what, struct span text, enum node_kind kind, struct fail *f) {
    uint64_t v;
    if (e->contest == EX_NONE || !e->named)
        return fail_set(f, E_FIELD, "figures before the identifier of their contest and unit");
    TRY(node_figure(text, kind, &v, f));
    return ex_put(e->x, e->contest, buf_view(&e->unit), EXCHANGE_TOTAL, votes, what, v, f);
}

static err eml_value(void *ctx, struct span name, struct span text, enum node_kind kind, struct fail *f) {
    struct eml_in *e = ctx;
    switch (e->depth ? (enum state)e->state[e->depth - 1] : OTHER) {
    case ROOT:
        if (span_is(name, "@Id") && !span_is(text, "510"))
            return fail_set(f, E_FIELD, "EML message %.*s: 510 (counts) is read", SPAN_ARG(text));
        return span_is(name, "TransactionId") ? transaction(e, text, f) : OK;
    case CONTEST_ID: return span_is(name, "@Id") ? contest_id(e, text, f) : OK;
    case UNIT_ID:
        if (!span_is(name, "@Id")) return OK;
        e->named = true;
        return set_id(&e->unit, text, f);
    case CANDIDATE_ID:
        if (!span_is(name, "@Id")) return OK;
        e->chosen = true;
        return set_id(&e->choice, text, f);
    case SELECTION: /* a party's list as a whole is not a choice */
        return e->chosen && span_is(name, "ValidVotes") ? figure(e, true, buf_view(&e->choice), text, kind, f) : OK;
    case TOTAL:
    case UNIT:
        if (span_is(name, "Cast")) return figure(e, false, SPAN_LIT("cast"), text, kind, f);
        return span_is(name, "TotalCounted") ? figure(e, false, SPAN_LIT("total counted"), text, kind, f) : OK;
    case REJECTED:
        if (span_is(name, "@ReasonCode")) e->plain_rejected = span_is(text, "rejected");
        if (!span_is(name, "#text") || !e->plain_rejected) return OK;
        return figure(e, false, SPAN_LIT("rejected"), text, kind, f);
    default: return OK;
    }
}

static err eml_end(void *ctx, struct fail *f) {
    struct eml_in *e = ctx;
    (void)f;
    e->depth--;
    return OK;
}

const struct nodes eml_nodes = {eml_begin, eml_value, eml_end, NULL};
