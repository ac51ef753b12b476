/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/audit_report_pdf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cli/forms_stream.h"
#include "paper/print_audit.h"

enum { LINES_MAX = 60, DIFFERENCES_MAX = 2000, TEXT_MAX = 600 };

struct lines {
    const char **at;
    size_t n, max;
};

static void add(struct audit_report *r, struct lines *l, const char *text) {
    if (l->n == l->max) return;
    const char *kept = arena_text(&r->arena, span_text(text));
    if (kept) l->at[l->n++] = kept;
}

static void say(const struct audit_report *r, char *out) {
    double limit = r->t.limit_ppm / 1e4;
    if (r->full)
        (void)snprintf(out, TEXT_MAX, "Every box was counted by hand. The hand count %s the reported outcome%s.",
                       r->full_holds ? "gives" : "does not give", r->full_holds ? "" : "; it replaces it");
    else if (r->result.confirmed)
        (void)snprintf(out, TEXT_MAX,
                       "If the reported outcome were wrong, the chance that this audit would have gone on to a full "
                       "count was at least %g %%, provided the boxes hold the ballots as cast and no station has more "
                       "than its bound.",
                       100 - limit);
    else
        (void)snprintf(out, TEXT_MAX, "The hand counts so far do not confirm the reported outcome at a risk limit of "
                                      "%g %%. The audit goes on, to a full count if need be. This does not say that "
                                      "the outcome is wrong.",
                       limit);
}

static void facts(struct audit_report *r, struct lines *l) {
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof text, "Committed list (SHA-256): %s", r->digest);
    add(r, l, text);
    (void)snprintf(text, sizeof text, "Seed, from public dice: %.*s", (int)r->t.seed.n, (const char *)r->t.seed.p);
    add(r, l, text);
    (void)snprintf(text, sizeof text, "Stations: %zu. Draws: %" PRIu64 ". Counted by hand: %" PRIu64
                                      ", with at most %" PRIu64 " ballots. Drawn and not needed any more: %" PRIu64 ".",
                   r->t.c.batches, r->result.draws, r->result.counted, r->result.ballots, r->result.passed_over);
    add(r, l, text);
    (void)snprintf(text, sizeof text, "Risk limit: %g %%. Method: mixture of twenty fixed bets, batch comparison, "
                                      "drawn without replacement in proportion to error bounds.",
                   r->t.limit_ppm / 1e4);
    add(r, l, text);
}

static void assertions(struct audit_report *r, struct lines *l) {
    char name[400], text[TEXT_MAX];
    for (size_t j = 0; j < r->t.assertions; j++) {
        audit_report_claim(r, j, name, sizeof name);
        (void)snprintf(text, sizeof text, "p = %.6f  %s  (%s)", r->result.p[j], name,
                       r->result.met[j] ? "confirmed" : "open");
        add(r, l, text);
    }
}

static void differences(struct audit_report *r, struct lines *l) {
    const struct audit_contest *c = &r->t.c;
    for (size_t g = 0; g < c->batches; g++) {
        const uint64_t *form = audit_votes(c, g), *hand = r->t.h.votes + g * c->choices;
        bool lost = r->t.h.state[g] == AUDIT_LOST;
        if (r->t.h.state[g] == AUDIT_UNCOUNTED || (!lost && memcmp(form, hand, c->choices * sizeof *hand) == 0))
            continue;
        char text[TEXT_MAX];
        int n = snprintf(text, sizeof text, "%.*s:%s", (int)r->names.name[g].n, (const char *)r->names.name[g].p,
                         lost ? " no box, or its compliance failed: counted as lost" : "");
        for (size_t i = 0; i < c->choices && !lost && n > 0 && (size_t)n < sizeof text; i++)
            if (form[i] != hand[i])
                n += snprintf(text + n, sizeof text - (size_t)n, " %s %" PRIu64 " -> %" PRIu64, r->names.choice[i],
                              form[i], hand[i]);
        add(r, l, text);
    }
    if (l->n == 0) add(r, l, "None: every counted box agrees with the list.");
}

static err lines_of(struct audit_report *r, struct print_audit_line *line, size_t shown, struct fail *f) {
    double *x = arena_array(&r->arena, r->steps + shown, sizeof *x);
    double *y = arena_array(&r->arena, r->steps + shown, sizeof *y);
    if (!x || !y) return fail_set(f, E_MEMORY, "no memory for a plot");
    size_t at = 0;
    for (size_t j = 0; j < shown; j++) {
        line[j] = (struct print_audit_line){"", x + at, y + at, 1};
        x[at] = 0;
        y[at++] = 1;
        for (size_t i = 0; i < r->steps; i++) {
            if (r->step[i].assertion != j) continue;
            x[at] = (double)r->step[i].draw;
            y[at++] = r->step[i].p;
            line[j].n++;
        }
    }
    return OK;
}

err audit_report_pdf(struct audit_report *r, const char *title, const char *path, struct fail *f) {
    static const char *const not_say[] = {
        "That the outcome is right with a probability of so much: p is the chance of such evidence if the outcome "
        "were wrong, not the chance that it is wrong.",
        "That the stations not counted are free of error.",
        "Anything about who was allowed to vote, whether boxes were opened or filled before they were counted, or "
        "any other contest.",
        "Anything from stations that somebody chose, or that were counted for another reason: they are not in these "
        "figures."};
    char text[TEXT_MAX];
    size_t shown = r->t.assertions < LINES_MAX ? r->t.assertions : LINES_MAX, most = DIFFERENCES_MAX + ASSERTIONS_MAX;
    struct print_audit_line *line = arena_array(&r->arena, shown, sizeof *line);
    const char **room = arena_array(&r->arena, 3 * most, sizeof *room);
    if (!line || !room) return fail_set(f, E_MEMORY, "no memory for a report");
    struct lines fact = {room, 0, most}, claim = {room + most, 0, most}, diff = {room + 2 * most, 0, most};
    TRY(lines_of(r, line, shown, f));
    say(r, text);
    facts(r, &fact);
    assertions(r, &claim);
    differences(r, &diff);
    struct print_audit_report p = {.title = title, .say = text, .not_say = not_say, .not_say_count = 4,
                                   .facts = fact.at, .fact_count = fact.n, .assertions = claim.at,
                                   .assertion_count = claim.n, .differences = diff.at,
                                   .difference_count = diff.n, .line = line, .line_count = shown,
                                   .limit = r->t.limit_ppm / 1e6, .last_draw = (double)r->result.draws,
                                   .simulated = r->simulated};
    struct forms_stream stream = {.out = path, .stem = "audit", .date = "2000-01-01T00:00:00Z"};
    err e = forms_out_is_file(path) ? forms_stream_group(&stream, SPAN_LIT(""), f)
                                    : fail_set(f, E_USAGE, "--pdf names a file that ends in .pdf");
    if (e == OK) print_audit_report(stream.canvas, &p);
    return forms_stream_end(&stream, e, f);
}
