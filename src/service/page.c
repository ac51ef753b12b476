/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/page.h"

#include <stdio.h>
#include "service/page_impl.h"

void page_path(enum page_lang lang, enum page_kind kind, char out[PAGE_PATH_MAX]) {
    static const char *const names[] = {"index.html", "contests.html", "about.html", "petition.html",
                                        "card.html"};
    (void)snprintf(out, PAGE_PATH_MAX, "%s%s%s", lang == LANG_EN ? "" : lang_tag(lang),
                   lang == LANG_EN ? "" : "/", names[kind]);
}

/* --- overview --- */

static void contest_heading(struct page *p, const struct tally *t) {
    struct html *h = &p->h;
    html_raw(h, "<p class=\"kicker\">");
    html_name(h, fold_unit(p->s, fold_contest(p->s, t->contest)->unit)->name);
    html_raw(h, "</p>\n<h1>");
    page_contest_name(p, t->contest);
    if (t->round > 1) {
        html_raw(h, ", ");
        html_word(h, W_ROUND);
        html_printf(h, " %u", t->round);
    }
    html_raw(h, "</h1>\n");
    page_status(p, t);
}

static void units_prefix(struct page *p, const struct tally *t, char out[PAGE_PATH_MAX + 8]) {
    char path[PAGE_PATH_MAX];
    page_unit_path(p->s, p->h.lang, t, t->rows[0].unit, path);
    char *slash = strrchr(path, '/');
    if (slash) slash[1] = 0;
    (void)snprintf(out, PAGE_PATH_MAX + 8, "%s%s", p->h.up, path);
    p->units = out;
}

static void records(struct page *p) {
    struct html *h = &p->h;
    page_section(p, "log-records", W_RECORDS_TITLE);
    html_raw(h, "<dl class=\"facts\">");
    for (int t = 0; t < REC_COUNT; t++) {
        uint64_t n = fold_count(p->s, (enum record_type)t);
        if (!n) continue;
        html_printf(h, "<div><dt>%s</dt><dd>", page_record_type(h->lang, (enum record_type)t));
        html_number(h, n);
        html_raw(h, "</dd></div>\n");
    }
    html_raw(h, "</dl>\n");
    if (fold_count(p->s, REC_INCIDENT)) {
        html_raw(h, "<p class=\"more\">");
        html_word(h, W_INCIDENTS);
        html_raw(h, ": ");
        html_word(h, W_INCIDENTS_MORE);
        html_raw(h, " ");
        html_word(h, W_LAST_RECORD);
        html_raw(h, ": ");
        html_time(h, fold_last_incident_ms(p->s));
        html_raw(h, ". <code>hesabu incidents DIR</code>");
        html_raw(h, "</p>\n");
    }
    page_section_end(p);
}

const struct tally *page_main_contest(const struct page_site *site) {
    const struct results *r = site->results;
    const struct tally *t = r->n ? &r->tallies[0] : NULL;
    for (size_t i = 1; i < r->n; i++)
        if (r->tallies[i].contest == t->contest) t = &r->tallies[i];
    return t;
}

/* Where the script puts the map; until then its place is kept, so that nothing jumps. */
static void map_place(struct page *p) {
    struct html *h = &p->h;
    html_printf(h, "<div id=\"map\" class=\"map waiting\"%s><h2>",
                beside_has_boundaries(p->site->beside) ? " data-land=\"boundaries.json\"" : "");
    html_word(h, W_MAP);
    html_raw(h, "</h2><p>");
    html_word(h, W_MAP_WAIT);
    html_raw(h, "</p></div>\n");
}

static void overview(struct page *p) {
    const struct tally *t = p->contest;
    if (!t) return;
    contest_heading(p, t);
    page_declaration(p, t);
    page_progress(p, &t->rows[0]);
    html_raw(&p->h, "<div class=\"front\">\n");
    page_section(p, "figures", W_RESULTS);
    page_candidates(p, t, &t->rows[0]);
    page_facts(p, &t->rows[0]);
    page_section_end(p);
    map_place(p);
    html_raw(&p->h, "</div>\n");
    page_totals(p, t, &t->rows[0]);
    if (p->site->gate) page_law(p, t, p->site->gate);
    page_section(p, "places", W_PLACES);
    page_parts(p, t, 0);
    page_parts_votes(p, t, 0);
    page_section_end(p);
    page_arrivals(p, t);
    page_findings(p, t, 0);
    page_notices(p, -1);
    page_witnesses(p);
    records(p);
}

/* --- all contests --- */

static void contests(struct page *p) {
    struct html *h = &p->h;
    const struct results *r = p->site->results;
    char prefix[PAGE_PATH_MAX + 8];
    html_raw(h, "<h1>");
    html_word(h, W_CONTESTS);
    html_raw(h, "</h1>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_word(h, W_CONTESTS);
    html_raw(h, "\"><table class=\"parts\"><thead><tr><th scope=\"col\">");
    html_word(h, W_CONTEST);
    html_raw(h, "</th><th scope=\"col\">");
    html_word(h, W_NAME);
    html_raw(h, "</th><th scope=\"col\" class=\"n\">");
    html_word(h, W_RECEIVED);
    html_raw(h, "</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->n; i++) {
        const struct tally *t = &r->tallies[i];
        units_prefix(p, t, prefix);
        html_raw(h, "<tr><th scope=\"row\">");
        page_contest_name(p, t->contest);
        if (t->round > 1) html_printf(h, " (%u)", t->round);
        html_raw(h, "</th><td>");
        page_unit_link(p, t->rows[0].unit);
        html_raw(h, "</td><td class=\"n\">");
        html_number(h, t->rows[0].received);
        html_raw(h, "/");
        html_number(h, t->rows[0].expected - t->rows[0].not_held);
        html_raw(h, "</td></tr>\n");
    }
    html_raw(h, "</tbody></table></div>\n");
}

/* For other people's pages: the first contest in short, with a link to the whole. */
static void card(struct page *p) {
    struct html *h = &p->h;
    const struct tally *t = p->contest;
    char home[PAGE_PATH_MAX];
    if (!t) return;
    page_path(h->lang, PAGE_OVERVIEW, home);
    html_raw(h, "<h1><a target=\"_top\" href=\"");
    html_raw(h, h->up);
    html_raw(h, home);
    html_raw(h, "\">");
    page_contest_name(p, t->contest);
    html_raw(h, "</a></h1>\n");
    page_progress(p, &t->rows[0]);
    page_candidates(p, t, &t->rows[0]);
}

err page_make(const struct page_site *site, enum page_lang lang, enum page_kind kind, struct buf *out,
              struct fail *f) {
    static void (*const bodies[])(struct page *) = {overview, contests, page_about, page_petition, card};
    static const char *const kinds[] = {"overview", "contests", "text", "text", "card"};
    char path[PAGE_PATH_MAX], prefix[PAGE_PATH_MAX + 8];
    page_path(lang, kind, path);
    struct page p = {.site = site, .s = site->fold, .path = path, .units = "",
                     .data = kind == PAGE_OVERVIEW || kind == PAGE_CONTESTS ? "results/index.json" : NULL,
                     .h = {.b = out, .lang = lang, .up = lang == LANG_EN ? "" : "../"}};
    p.contest = page_main_contest(site);
    if (p.contest) units_prefix(&p, p.contest, prefix);
    page_begin(&p, kinds[kind], fold_definition(site->fold)->title);
    bodies[kind](&p);
    page_end(&p);
    return buf_ok(out, f);
}
