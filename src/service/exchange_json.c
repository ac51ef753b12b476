/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* results.json and units.geojson, as this program writes them: figures stand behind the identifiers of
 * their contest and unit. */
#include <stdlib.h>
#include "service/exchange_impl.h"

enum state { OTHER, ROOT, CHECKPOINT, UNIT, TOTALS, TOTAL, TOTAL_VOTES, PART, RESULT, BALLOTS, RESULT_VOTES, FEATURE, PROPERTIES };
enum { DEPTH_MAX = 70, ID_MAX = 400 };

struct json_results {
    struct exchange *x;
    uint8_t state[DEPTH_MAX];
    unsigned depth;
    struct buf contest, unit, part;
    uint64_t round;
    uint32_t at; /* the contest's number; EX_NONE until it is asked for */
    bool in_part;
    enum exchange_channel channel;
    bool transmitted; /* the result of a station that is counted */
};

err json_results_new(struct exchange *x, struct json_results **out, struct fail *f) {
    struct json_results *r = *out = calloc(1, sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "no memory to read the file");
    r->x = x;
    buf_init(&r->contest, ID_MAX);
    buf_init(&r->unit, ID_MAX);
    buf_init(&r->part, ID_MAX);
    return OK;
}

void json_results_free(struct json_results *r) {
    if (!r) return;
    buf_release(&r->contest);
    buf_release(&r->unit);
    buf_release(&r->part);
    free(r);
}

static void begin_unit(struct json_results *r) {
    buf_clear(&r->contest);
    buf_clear(&r->unit);
    r->round = 0;
    r->at = EX_NONE;
    r->in_part = false;
}

static enum state top(const struct json_results *r) {
    return r->depth ? (enum state)r->state[r->depth - 1] : OTHER;
}

static err push(struct json_results *r, enum state s, struct fail *f) {
    if (r->depth == DEPTH_MAX) return fail_set(f, E_DEPTH, "nested too deeply");
    r->state[r->depth++] = (uint8_t)s;
    return OK;
}

static err pop(void *ctx, struct fail *f) {
    struct json_results *r = ctx;
    (void)f;
    if (r->state[--r->depth] == PART) r->in_part = false;
    return OK;
}

static err keep(struct buf *to, struct span text, struct fail *f) {
    buf_clear(to);
    buf_span(to, text);
    return to->failed ? fail_set(f, E_TOO_LARGE, "an identifier of more than %d bytes", ID_MAX) : OK;
}

static err checkpoint_value(struct json_results *r, struct span name, struct span text, enum node_kind kind,
                            struct fail *f) {
    if (span_is(name, "size")) return node_figure(text, kind, &r->x->size, f);
    return span_is(name, "root") ? ex_text(r->x, text, &r->x->root, f) : OK;
}

static err figure(struct json_results *r, bool votes, struct span what, struct span text, enum node_kind kind,
                  struct fail *f) {
    uint64_t v;
    const struct buf *unit = r->in_part ? &r->part : &r->unit;
    if (!unit->n) return fail_set(f, E_FIELD, "figures before the code of their unit");
    if (r->at == EX_NONE) TRY(ex_contest_of(r->x, buf_view(&r->contest), r->round, &r->at, f));
    TRY(node_figure(text, kind, &v, f));
    return ex_put(r->x, r->at, buf_view(unit), r->channel, votes, what, v, f);
}

/* --- results.json --- */

static enum state inside(enum state above, struct span name) {
    static const struct {
        enum state above;
        const char *name;
        enum state state;
    } ways[] = {
        {ROOT, "checkpoint", CHECKPOINT}, {ROOT, "units", UNIT},       {UNIT, "totals", TOTALS},
        {UNIT, "parts", PART},            {PART, "totals", TOTALS},    {TOTALS, "", TOTAL},
        {TOTAL, "votes", TOTAL_VOTES},    {PART, "results", RESULT},   {RESULT, "ballots", BALLOTS},
        {RESULT, "votes", RESULT_VOTES},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (ways[i].above == above && (span_is(name, ways[i].name) || !*ways[i].name)) return ways[i].state;
    return OTHER;
}

static err named_total(struct span name, enum exchange_channel *out, struct fail *f) {
    for (int c = EXCHANGE_TRANSMITTED; c <= EXCHANGE_DECLARED; c++)
        if (span_is(name, exchange_channel_name((enum exchange_channel)c))) {
            *out = (enum exchange_channel)c;
            return OK;
        }
    return fail_set(f, E_FIELD, "there is no total \"%.*s\"", SPAN_ARG(name));
}

static err results_begin(void *ctx, struct span name, struct fail *f) {
    struct json_results *r = ctx;
    enum state s = r->depth ? inside(top(r), name) : ROOT;
    if (s == UNIT) begin_unit(r);
    if (s == TOTAL) TRY(named_total(name, &r->channel, f));
    if (s == PART) {
        r->in_part = true;
        buf_clear(&r->part);
    }
    if (s == RESULT) {
        r->transmitted = false;
        r->channel = EXCHANGE_FORM;
    }
    return push(r, s, f);
}

static err results_value(void *ctx, struct span name, struct span text, enum node_kind kind, struct fail *f) {
    struct json_results *r = ctx;
    switch (top(r)) {
    case CHECKPOINT: return checkpoint_value(r, name, text, kind, f);
    case UNIT:
        if (span_is(name, "contest")) return keep(&r->contest, text, f);
        if (span_is(name, "unit")) return keep(&r->unit, text, f);
        return span_is(name, "round") ? node_figure(text, kind, &r->round, f) : OK;
    case PART: return span_is(name, "unit") ? keep(&r->part, text, f) : OK;
    case TOTAL: return figure(r, false, name, text, kind, f);
    case TOTAL_VOTES: /* null: blank on a collation */
        return kind == NODE_OTHER && !text.n ? OK : figure(r, true, name, text, kind, f);
    case RESULT:
        if (span_is(name, "transmitted")) r->transmitted = span_is(text, "true");
        return OK;
    case BALLOTS: return r->transmitted && kind == NODE_NUMBER ? figure(r, false, name, text, kind, f) : OK;
    case RESULT_VOTES: return r->transmitted && kind == NODE_NUMBER ? figure(r, true, name, text, kind, f) : OK;
    default: return OK;
    }
}

const struct nodes results_nodes = {results_begin, results_value, pop, NULL};

/* --- units.geojson --- */

static err geojson_begin(void *ctx, struct span name, struct fail *f) {
    struct json_results *r = ctx;
    enum state above = top(r), s = OTHER;
    if (r->depth == 0) s = ROOT;
    if (above == ROOT && span_is(name, "checkpoint")) s = CHECKPOINT;
    if (above == ROOT && span_is(name, "features")) s = FEATURE;
    if (above == FEATURE && span_is(name, "properties")) s = PROPERTIES;
    if (s == PROPERTIES) begin_unit(r);
    r->channel = EXCHANGE_TOTAL;
    return push(r, s, f);
}

static err geojson_value(void *ctx, struct span name, struct span text, enum node_kind kind, struct fail *f) {
    struct json_results *r = ctx;
    enum state s = top(r);
    if (s == CHECKPOINT) return checkpoint_value(r, name, text, kind, f);
    if (s != PROPERTIES) return OK;
    if (span_is(name, "contest")) return keep(&r->contest, text, f);
    if (span_is(name, "code")) return keep(&r->unit, text, f);
    if (span_is(name, "round")) return node_figure(text, kind, &r->round, f);
    if (kind != NODE_NUMBER) return OK;
    bool votes = span_starts(name, SPAN_LIT("votes:"));
    return figure(r, votes, votes ? span_from(name, 6) : name, text, kind, f);
}

const struct nodes geojson_nodes = {geojson_begin, geojson_value, pop, NULL};
