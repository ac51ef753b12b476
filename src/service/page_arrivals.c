/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A chart without a script: stations whose first result was in the log, over the time of the log. */
#include "service/page_impl.h"

enum { STEPS = 96, WIDTH = 960, HEIGHT = 220, LEFT = 64, BOTTOM = 28, TOP = 10 };
enum { SHORT_MS = 600000 }; /* so soon the ticks of the clock are told apart by seconds */

struct arrivals {
    uint64_t from, to; /* ms */
    uint64_t count[STEPS + 1]; /* cumulative */
    uint64_t all;
};

static void collect(const struct fold *s, const struct tally *t, struct arrivals *a) {
    uint32_t cursor = 0;
    const struct cell *c;
    *a = (struct arrivals){.from = UINT64_MAX};
    while ((c = fold_next_cell(s, t->contest, t->round, &cursor)) != NULL) {
        if (c->first_result == NO_RESULT) continue;
        uint64_t ms = fold_result(s, c->first_result)->ms;
        if (ms < a->from) a->from = ms;
        if (ms > a->to) a->to = ms;
        a->all++;
    }
    if (!a->all) return;
    uint64_t width = a->to - a->from;
    cursor = 0;
    while ((c = fold_next_cell(s, t->contest, t->round, &cursor)) != NULL) {
        if (c->first_result == NO_RESULT) continue;
        uint64_t ms = fold_result(s, c->first_result)->ms - a->from;
        a->count[width ? (size_t)((unsigned __int128)ms * STEPS / width) : STEPS]++;
    }
    for (size_t i = 1; i <= STEPS; i++) a->count[i] += a->count[i - 1];
}

static unsigned y_of(uint64_t v, uint64_t whole) {
    return (unsigned)(HEIGHT - BOTTOM - (uint64_t)((unsigned __int128)v * (HEIGHT - BOTTOM - TOP) / whole));
}

static unsigned x_of(size_t step) {
    return LEFT + (unsigned)(step * (WIDTH - LEFT - 8) / STEPS);
}

static void axes(struct html *h, const struct arrivals *a, uint64_t whole) {
    for (unsigned q = 0; q <= 4; q += 2) {
        unsigned y = y_of(whole * q / 4, whole);
        html_printf(h, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%u\" y2=\"%u\"/>"
                       "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">",
                    LEFT, WIDTH - 8, y, y, LEFT - 8, y + 5);
        html_number(h, whole * q / 4);
        html_raw(h, "</text>");
    }
    for (size_t q = 0; q <= 4; q++) {
        html_printf(h, "<text x=\"%u\" y=\"%d\" text-anchor=\"%s\">", x_of(q * STEPS / 4), HEIGHT - 6,
                    q == 4 ? "end" : q ? "middle" : "start");
        html_clock(h, a->from + (a->to - a->from) * q / 4, a->to - a->from < SHORT_MS);
        html_raw(h, "</text>");
    }
}

/* The same in words, for whoever cannot see the chart. */
static void as_table(struct html *h, const struct arrivals *a) {
    html_raw(h, "<details class=\"astable\"><summary>");
    html_word(h, W_AS_TABLE);
    html_raw(h, "</summary><table><thead><tr><th scope=\"col\">");
    html_word(h, W_TIME);
    html_raw(h, "</th><th scope=\"col\" class=\"n\">");
    html_word(h, W_RECEIVED);
    html_raw(h, "</th></tr></thead><tbody>");
    for (size_t q = 0; q <= 8; q++) {
        html_raw(h, "<tr><td>");
        html_time(h, a->from + (a->to - a->from) * q / 8);
        html_raw(h, "</td>");
        html_cell(h, a->count[q * STEPS / 8]);
        html_raw(h, "</tr>");
    }
    html_raw(h, "</tbody></table></details>\n");
}

void page_arrivals(struct page *p, const struct tally *t) {
    struct html *h = &p->h;
    struct arrivals a;
    uint64_t whole = t->rows[0].expected;
    collect(p->s, t, &a);
    page_section(p, "arrivals", W_ARRIVALS);
    if (!a.all || !whole) {
        html_raw(h, "<p class=\"more\">");
        html_word(h, W_NOTHING_YET);
        html_raw(h, "</p>\n");
        page_section_end(p);
        return;
    }
    html_raw(h, "<p class=\"more\">");
    html_word(h, W_ARRIVALS_MORE);
    html_raw(h, " (UTC)</p>\n");
    html_printf(h, "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_word(h, W_ARRIVALS_MORE);
    html_raw(h, ": ");
    html_number(h, a.all);
    html_raw(h, " ");
    html_word(h, W_OF);
    html_raw(h, " ");
    html_number(h, whole);
    html_raw(h, "\">");
    axes(h, &a, whole);
    html_raw(h, "<polygon class=\"area\" points=\"");
    html_printf(h, "%u,%u", x_of(0), y_of(0, whole));
    for (size_t i = 0; i <= STEPS; i++) html_printf(h, " %u,%u", x_of(i), y_of(a.count[i], whole));
    html_printf(h, " %u,%u\"/><polyline class=\"line\" points=\"", x_of(STEPS), y_of(0, whole));
    for (size_t i = 0; i <= STEPS; i++) html_printf(h, "%u,%u ", x_of(i), y_of(a.count[i], whole));
    html_raw(h, "\"/></svg>\n");
    as_table(h, &a);
    page_section_end(p);
}
