/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/page_impl.h"

static bool is_part(const struct tally *t, size_t n, size_t row) {
    return t->rows[n].parent == row;
}

size_t page_rows_end(const struct tally *t, size_t row) {
    size_t n = row + 1;
    while (n < t->n && t->rows[n].parent != UINT32_MAX && t->rows[n].parent >= row) n++;
    return n;
}

void page_unit_name(struct page *p, uint32_t unit) {
    struct html *h = &p->h;
    const struct unit *u = fold_unit(p->s, unit);
    html_name(h, page_said(p, u->name));
    if (!unit_is_station(p->s, unit) || u->parent == NO_UNIT) return;
    /* stations of a centre bear its name: the rest of the code tells them apart */
    struct span above = fold_unit(p->s, u->parent)->code;
    if (!span_starts(u->code, above) || u->code.n == above.n) return;
    html_raw(h, " <span class=\"stream\">");
    html_escaped(h, span_from(u->code, above.n));
    html_raw(h, "</span>");
}

void page_unit_link(struct page *p, uint32_t unit) {
    struct html *h = &p->h;
    const struct unit *u = fold_unit(p->s, unit);
    bool station = unit_is_station(p->s, unit);
    html_raw(h, "<a href=\"");
    html_escaped(h, span_text(p->units));
    html_escaped(h, station ? fold_unit(p->s, u->parent)->code : u->code);
    html_raw(h, station ? ".html#" : ".html");
    if (station) html_escaped(h, u->code);
    html_raw(h, "\">");
    page_unit_name(p, unit);
    html_raw(h, "</a>");
}

void page_state_pill(struct page *p, const char *state) {
    struct html *h = &p->h;
    html_raw(h, strcmp(state, "in question") == 0 ? "<span class=\"state question\">"
                : strcmp(state, "expected") == 0  ? "<span class=\"state waiting\">"
                                                  : "<span class=\"state\">");
    html_raw(h, page_state(h->lang, state));
    html_raw(h, "</span>");
}

static void state_cell(struct page *p, const struct tally *t, const struct tally_row *row) {
    html_raw(&p->h, "<td>");
    page_state_pill(p, results_station_state(p->s, &p->site->results->findings, t, row));
    html_raw(&p->h, "</td>");
}

static void part_row(struct page *p, const struct tally *t, const struct tally_row *row, bool station) {
    struct html *h = &p->h;
    const struct total *x = &row->total[TOTAL_TRANSMITTED];
    uint64_t whole = row->expected - row->not_held;
    html_raw(h, "<tr><th scope=\"row\">");
    page_unit_link(p, row->unit);
    html_raw(h, " <small class=\"code\">");
    html_escaped(h, fold_unit(p->s, row->unit)->code);
    html_raw(h, "</small></th>");
    if (station) {
        state_cell(p, t, row);
    } else {
        html_raw(h, "<td class=\"barcell\">");
        html_bar(h, "received", row->received, whole);
        html_raw(h, "<span class=\"n\">");
        html_number(h, row->received);
        html_raw(h, "/");
        html_number(h, whole);
        html_raw(h, "</span></td>");
    }
    html_cell(h, page_votes_sum(p->s, t, x->votes));
    html_raw(h, "<td class=\"n\">");
    html_share(h, x->valid + x->rejected, x->registered);
    html_raw(h, "</td><td class=\"n\">");
    if (station) html_number(h, row->registered);
    else if (row->in_question) html_number(h, row->in_question);
    else html_raw(h, "&ndash;");
    html_raw(h, "</td></tr>\n");
}

static void column(struct html *h, enum page_word w, const char *klass) {
    html_printf(h, "<th scope=\"col\"%s>", klass);
    html_word(h, w);
    html_raw(h, "</th>");
}

/* The level of the parts, with a capital. */
static void level_title(struct page *p, uint32_t unit) {
    struct span level = page_level(p->h.lang, fold_definition(p->s)->levels[fold_unit(p->s, unit)->level]);
    html_escaped(&p->h, level);
}

void page_parts(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    size_t end = page_rows_end(t, row);
    if (end == row + 1) return;
    bool station = unit_is_station(p->s, t->rows[row + 1].unit);
    html_raw(h, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"parts-c\">"
                "<table class=\"parts\"><caption id=\"parts-c\">");
    level_title(p, t->rows[row + 1].unit);
    html_raw(h, "</caption>\n<thead><tr>");
    column(h, W_NAME, "");
    column(h, station ? W_STATE : W_RECEIVED, "");
    column(h, W_VOTES, " class=\"n\"");
    column(h, W_TURNOUT_SHORT, " class=\"n\"");
    column(h, station ? W_REGISTERED : W_IN_QUESTION, " class=\"n\"");
    html_raw(h, "</tr></thead><tbody>\n");
    for (size_t n = row + 1; n < end; n++)
        if (is_part(t, n, row)) part_row(p, t, &t->rows[n], station);
    html_raw(h, "</tbody></table></div>\n");
}

void page_parts_votes(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    const struct contest *k = fold_contest(p->s, t->contest);
    size_t end = page_rows_end(t, row);
    if (end == row + 1) return;
    html_raw(h, "<details class=\"votes\"><summary>");
    html_word(h, W_VOTES_BY_PLACE);
    html_raw(h, "</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_word(h, W_VOTES_BY_PLACE);
    html_raw(h, "\"><table class=\"wide\"><thead><tr>");
    column(h, W_NAME, "");
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!contest_has_choice(k, t->round, c)) continue;
        html_raw(h, "<th scope=\"col\" class=\"n\">");
        html_name(h, contest_choice(p->s, k, c)->name);
        html_raw(h, "</th>");
    }
    column(h, W_REJECTED, " class=\"n\"");
    html_raw(h, "</tr></thead><tbody>\n");
    for (size_t n = row + 1; n < end; n++) {
        if (!is_part(t, n, row)) continue;
        const struct total *x = &t->rows[n].total[TOTAL_TRANSMITTED];
        html_raw(h, "<tr><th scope=\"row\">");
        page_unit_link(p, t->rows[n].unit);
        html_raw(h, "</th>");
        for (uint32_t c = 0; c < k->choice_count; c++)
            if (contest_has_choice(k, t->round, c)) html_cell(h, x->votes[c]);
        html_cell(h, x->rejected);
        html_raw(h, "</tr>\n");
    }
    html_raw(h, "</tbody></table></div></details>\n");
}

/* --- findings --- */

static void finding_item(struct page *p, const struct finding *x) {
    struct html *h = &p->h;
    bool error = finding_severity(x->code) == SEVERITY_ERROR;
    struct buf text;
    buf_init(&text, 2000);
    page_finding(h->lang, x, &text);
    html_raw(h, error ? "<span class=\"sev error\">" : "<span class=\"sev\">");
    html_word(h, error ? W_ERROR : W_WARNING);
    html_raw(h, "</span> ");
    html_escaped(h, buf_view(&text));
    html_printf(h, " <small class=\"code\">%s</small>", finding_name(x->code));
    buf_release(&text);
}

enum { LISTED_MAX = 50 };

/* Lists findings of one severity until the list is full; gives back how many there are. */
static size_t list_findings(struct page *p, const struct tally *t, size_t row, enum severity which,
                            size_t listed) {
    struct html *h = &p->h;
    const struct findings *fi = &p->site->results->findings;
    size_t end = page_rows_end(t, row), all = 0;
    for (size_t n = row; n < end; n++) {
        uint32_t cell = t->rows[n].cell;
        if (cell == NO_CELL) continue;
        for (size_t i = fi->first[cell]; i < fi->first[cell + 1]; i++) {
            if (finding_severity(fi->items[i].code) != which) continue;
            if (listed + all++ >= LISTED_MAX) continue;
            html_raw(h, "<li>");
            if (end > row + 1) {
                page_unit_link(p, t->rows[n].unit);
                html_raw(h, ": ");
            }
            finding_item(p, &fi->items[i]);
            html_raw(h, "</li>\n");
        }
    }
    return all;
}

bool page_has_findings(struct page *p, const struct tally *t, size_t row) {
    const struct findings *fi = &p->site->results->findings;
    uint32_t cell = t->rows[row].cell;
    return cell != NO_CELL && fi->first[cell] != fi->first[cell + 1];
}

void page_findings_list(struct page *p, const struct tally *t, size_t row) {
    html_raw(&p->h, "<ul class=\"findings\">\n");
    size_t errors = list_findings(p, t, row, SEVERITY_ERROR, 0);
    (void)list_findings(p, t, row, SEVERITY_WARNING, errors);
    html_raw(&p->h, "</ul>\n");
}

/* How many warnings of each kind there are: a nation's list would be longer than its results. */
static size_t count_warnings(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    const struct findings *fi = &p->site->results->findings;
    size_t count[FINDING_COUNT] = {0}, all = 0;
    const struct finding *any[FINDING_COUNT] = {0};
    for (size_t n = row, end = page_rows_end(t, row); n < end; n++) {
        uint32_t cell = t->rows[n].cell;
        for (size_t i = cell == NO_CELL ? 0 : fi->first[cell]; cell != NO_CELL && i < fi->first[cell + 1]; i++) {
            count[fi->items[i].code]++;
            any[fi->items[i].code] = &fi->items[i];
        }
    }
    for (int c = 0; c < FINDING_COUNT; c++) {
        if (!count[c] || finding_severity((enum finding_code)c) != SEVERITY_WARNING) continue;
        all += count[c];
        html_raw(h, "<li><span class=\"sev\">");
        html_word(h, W_WARNING);
        html_printf(h, "</span> <b>%zu</b> &times; <span class=\"code\">%s</span> <small>", count[c],
                    finding_name((enum finding_code)c));
        html_word(h, W_FOR_EXAMPLE);
        html_raw(h, " ");
        struct buf text;
        buf_init(&text, 2000);
        page_finding(h->lang, any[c], &text);
        html_escaped(h, buf_view(&text));
        buf_release(&text);
        html_raw(h, "</small></li>\n");
    }
    return all;
}

void page_findings(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    size_t next = row + 1;
    bool listed = next >= t->n || unit_is_station(p->s, t->rows[next].unit);
    page_section(p, "findings", W_FINDINGS);
    html_raw(h, "<p class=\"more\">");
    html_word(h, W_FINDINGS_MORE);
    html_raw(h, "</p><ul class=\"findings\">\n");
    size_t errors = list_findings(p, t, row, SEVERITY_ERROR, 0), all = errors;
    all += listed ? list_findings(p, t, row, SEVERITY_WARNING, errors) : count_warnings(p, t, row);
    if (!all) {
        html_raw(h, "<li>");
        html_word(h, W_FINDINGS_NONE);
        html_raw(h, "</li>");
    }
    html_raw(h, "</ul>\n");
    if (!listed && all) {
        char path[RESULTS_PATH_MAX];
        results_findings_path(p->s, t->contest, t->round, path);
        html_raw(h, "<p><a href=\"");
        html_raw(h, h->up);
        html_escaped(h, span_text(path));
        html_raw(h, "\">");
        html_word(h, W_FINDINGS_ALL);
        html_raw(h, "</a></p>\n");
    }
    page_section_end(p);
}
