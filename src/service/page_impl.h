/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Shared by the files that make pages. */
#ifndef SERVICE_PAGE_IMPL_H
#define SERVICE_PAGE_IMPL_H

#include "election/gate.h"
#include "election/voices.h"
#include "service/beside.h"
#include "service/page.h"
#include "service/page_html.h"

/* A page being written. */
struct page {
    const struct page_site *site;
    const struct fold *s;
    struct html h;
    const char *path; /* its own, from the tree's root */
    const char *data;  /* the JSON that says the same; NULL: none */
    const struct tally *contest; /* that its links lead to; NULL: none */
    const char *units; /* what to put before "CODE.html" to reach a unit's page from here */
};

/* page_frame.c: everything up to <main>, and everything behind it. `kind`: a word for scripts and
 * style ("overview", "unit", "station", "text"). `title` is foreign text, for the browser's title. */
void page_begin(struct page *p, const char *kind, struct span title);
void page_end(struct page *p);
/* A text of the definition in the page's language, where somebody has translated it. Foreign: escape it. */
struct span page_said(struct page *p, struct span text);
void page_contest_name(struct page *p, uint32_t contest);
/* <h2 id="...">word</h2> in a section; close it with page_section_end. */
void page_section(struct page *p, const char *id, enum page_word title);
void page_section_end(struct page *p);
/* The path of this page in another language. */
void page_in_lang(const struct page *p, enum page_lang lang, char out[PAGE_PATH_MAX]);

/* page_figures.c */
void page_progress(struct page *p, const struct tally_row *row);
void page_totals(struct page *p, const struct tally *t, const struct tally_row *row);
void page_candidates(struct page *p, const struct tally *t, const struct tally_row *row);
void page_facts(struct page *p, const struct tally_row *row);
/* Ballots in the counted stations: votes for all choices and rejected papers. */
uint64_t page_votes_sum(const struct fold *s, const struct tally *t, const uint64_t *votes);

/* page_parts.c: tables of the units below. */
/* The unit's name, and what tells a station from its neighbours. */
void page_unit_name(struct page *p, uint32_t unit);
void page_unit_link(struct page *p, uint32_t unit);
void page_parts(struct page *p, const struct tally *t, size_t row);
void page_parts_votes(struct page *p, const struct tally *t, size_t row);
void page_state_pill(struct page *p, const char *state);
void page_findings(struct page *p, const struct tally *t, size_t row);
/* Of one station: whether there are any; the list without a heading. */
bool page_has_findings(struct page *p, const struct tally *t, size_t row);
void page_findings_list(struct page *p, const struct tally *t, size_t row);
/* Behind the last row below this one. */
size_t page_rows_end(const struct tally *t, size_t row);

/* page_arrivals.c: how many stations had been received by when. */
void page_arrivals(struct page *p, const struct tally *t);

/* page_law.c: of the contest as a whole; the signed statements; the standing collation of a unit. */
void page_law(struct page *p, const struct tally *t, const struct gate *g);
void page_declaration(struct page *p, const struct tally *t); /* nothing before there is one */
/* `kind`: one of enum notice_kind; below 0: all. */
void page_notices(struct page *p, int kind);
/* page_texts.c: the pages that explain. */
void page_about(struct page *p);
void page_petition(struct page *p);
void page_witnesses(struct page *p); /* which have cosigned, and when */
void page_collation(struct page *p, const struct tally *t, size_t row);

/* page_frame.c: whether it is declared, in a word, and in a sentence after it. */
void page_status_pill(struct page *p, const struct tally *t);
void page_status(struct page *p, const struct tally *t);

/* page_station.c */
void page_station(struct page *p, const struct tally *t, size_t row);

#endif
