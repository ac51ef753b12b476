/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writing HTML: everything that comes from a record or a definition goes through html_escaped, which
 * leaves nothing that a browser could read as markup, and nothing that turns the direction of text.
 *
 * No page holds a script, a style, a style attribute or an event handler of its own: the policy in
 * each page's head forbids them. Bars and charts are SVG with plain attributes. */
#ifndef SERVICE_PAGE_HTML_H
#define SERVICE_PAGE_HTML_H

#include "service/page_words.h"

struct html {
    struct buf *b;
    enum page_lang lang;
    const char *up; /* from this page to the tree's root: "", "../", "../../../" */
};

void html_raw(struct html *h, const char *markup);
void html_printf(struct html *h, const char *fmt, ...) PRINTF(2, 3); /* markup; %s takes no foreign text */
/* Foreign text, for content and for quoted attributes: escaped; controls, direction marks and bytes
 * that are not UTF-8 become U+FFFD. */
void html_escaped(struct html *h, struct span s);
/* The same of several lines: line feeds stay. Content only. */
void html_lines(struct html *h, struct span s);
/* The same, kept from affecting the direction of what stands around it: <bdi>. Content only. */
void html_name(struct html *h, struct span s);
void html_word(struct html *h, enum page_word w);
/* The words behind the number n, which stands before them already. */
void html_plural(struct html *h, enum page_plural w, uint64_t n);
/* 1,234,567: both languages group by threes with commas. */
void html_number(struct html *h, uint64_t v);
/* Hundredths of a percent, rounded down, "12.34%"; a dash for 0 of 0. */
void html_share(struct html *h, uint64_t part, uint64_t whole);
/* "8 August 2017, 20:15 UTC" in a <time> that a script may turn into the reader's own. */
void html_time(struct html *h, uint64_t unix_ms);
/* "20:15" UTC, or "20:15:07"; plain. */
void html_clock(struct html *h, uint64_t unix_ms, bool seconds);
/* A bar: `part` of `whole` as the width of an SVG rectangle with this class. Decoration: the number
 * stands beside it. */
void html_bar(struct html *h, const char *klass, uint64_t part, uint64_t whole);
/* <dt>word</dt><dd>number</dd> */
void html_fact(struct html *h, enum page_word w, uint64_t v);
/* <td class="n">number</td> */
void html_cell(struct html *h, uint64_t v);

#endif
