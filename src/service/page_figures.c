/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include "service/page_impl.h"

uint64_t page_votes_sum(const struct fold *s, const struct tally *t, const uint64_t *votes) {
    const struct contest *k = fold_contest(s, t->contest);
    uint64_t sum = 0;
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, t->round, c)) sum += votes[c];
    return sum;
}

/* "80 of 120 stations received", and a bar of what is counted, in question, and received else. */
void page_progress(struct page *p, const struct tally_row *row) {
    struct html *h = &p->h;
    uint64_t counted = row->total[TOTAL_TRANSMITTED].stations;
    html_raw(h, "<div class=\"progress\"><p class=\"big\"><b id=\"received\">");
    html_number(h, row->received);
    html_raw(h, "</b> <span>");
    html_word(h, W_OF);
    html_raw(h, " ");
    html_number(h, row->expected - row->not_held);
    html_raw(h, " ");
    html_plural(h, P_STATIONS_RECEIVED, row->expected - row->not_held);
    html_raw(h, "</span> <span class=\"share\">");
    html_share(h, row->received, row->expected - row->not_held);
    html_raw(h, "</span></p>\n");
    html_bar(h, "received", row->received, row->expected - row->not_held);
    html_raw(h, "<dl class=\"facts\">");
    html_fact(h, W_COUNTED, counted);
    if (row->without_image) html_fact(h, W_WITHOUT_IMAGE, row->without_image);
    html_fact(h, W_IN_QUESTION, row->in_question);
    html_fact(h, W_OUTSTANDING, row->expected - row->not_held - row->received);
    if (row->not_held) html_fact(h, W_NOT_HELD, row->not_held);
    html_raw(h, "</dl></div>\n");
}

static const struct {
    const char *name;
    enum page_word word, more;
} totals[] = {
    {"transmitted", W_TRANSMITTED, W_TRANSMITTED_MORE},
    {"transcribed", W_TRANSCRIBED, W_TRANSCRIBED_MORE},
    {"compared", W_COMPARED, W_COMPARED_MORE},
};

/* The fourth total stands in the collations, and counts once the contest is declared. */
static void declared_card(struct page *p, const struct tally *t, const struct tally_row *row) {
    struct html *h = &p->h;
    uint32_t d = declaration_of(p->s, t->contest, t->round);
    uint32_t c = d == NO_DECLARATION ? NO_COLLATION : fold_collation_of(p->s, t->contest, t->round, row->unit);
    html_raw(h, "<li class=\"card\" data-total=\"declared\"><h3>");
    html_word(h, W_DECLARED);
    html_raw(h, "</h3><p class=\"figure\">");
    if (c != NO_COLLATION && fold_collation(p->s, c)->valid != ABSENT) {
        html_number(h, fold_collation(p->s, c)->valid);
        html_raw(h, " <span>");
        html_word(h, W_VALID_SHORT);
        html_raw(h, "</span>");
    } else {
        html_raw(h, "<span>");
        html_word(h, W_NONE_YET);
        html_raw(h, "</span>");
    }
    html_raw(h, "</p><p class=\"more\">");
    html_word(h, W_DECLARED_MORE);
    html_raw(h, "</p></li>\n");
}

void page_totals(struct page *p, const struct tally *t, const struct tally_row *row) {
    struct html *h = &p->h;
    uint64_t whole = row->expected - row->not_held;
    page_section(p, "totals", W_TOTALS);
    html_raw(h, "<p class=\"more\">");
    html_word(h, W_TOTALS_MORE);
    html_raw(h, "</p><ol class=\"cards\">");
    for (int n = 0; n < TOTAL_COUNT; n++) {
        const struct total *x = &row->total[n];
        for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
            if (strcmp(totals[i].name, total_name((enum total_name)n)) != 0) continue;
            html_printf(h, "<li class=\"card\" data-total=\"%s\"><h3>", totals[i].name);
            html_word(h, totals[i].word);
            html_raw(h, "</h3><p class=\"figure\">");
            html_number(h, x->stations);
            html_raw(h, " <span>");
            html_plural(h, P_STATIONS, x->stations);
            html_raw(h, ", ");
            html_share(h, x->stations, whole);
            html_raw(h, "</span></p>");
            html_bar(h, totals[i].name, x->stations, whole);
            html_raw(h, "<p class=\"more\">");
            html_word(h, totals[i].more);
            html_raw(h, "</p></li>\n");
        }
    }
    declared_card(p, t, row);
    html_raw(h, "</ol>\n");
    page_section_end(p);
}

static void candidate(struct page *p, const struct choice *c, uint32_t n, const char *attribute,
                      uint64_t votes, uint64_t sum) {
    struct html *h = &p->h;
    html_raw(h, "<tr><th scope=\"row\">");
    html_printf(h, "<span class=\"key c%u\"></span>", n % 12);
    html_name(h, c->name);
    if (c->party.n) {
        html_raw(h, " <small>");
        html_name(h, page_said(p, c->party));
        html_raw(h, "</small>");
    }
    if (c->state != CHOICE_STANDS) {
        html_raw(h, " <small class=\"tag\">");
        html_word(h, c->state == CHOICE_DEAD ? W_DEAD : W_WITHDRAWN);
        html_raw(h, "</small>");
    }
    html_raw(h, "</th><td class=\"barcell\">");
    char klass[16];
    (void)snprintf(klass, sizeof klass, "c%u", n % 12);
    html_bar(h, klass, votes, sum);
    html_printf(h, "</td><td class=\"n\" %s=\"%llu\">", attribute, (unsigned long long)votes);
    html_number(h, votes);
    html_raw(h, "</td><td class=\"n share\">");
    html_share(h, votes, sum);
    html_raw(h, "</td></tr>\n");
}

/* `votes` in ballot order, none ABSENT. */
static void candidates(struct page *p, const struct tally *t, enum page_word caption, bool declared,
                       const uint64_t *votes) {
    struct html *h = &p->h;
    const struct contest *k = fold_contest(p->s, t->contest);
    uint64_t sum = page_votes_sum(p->s, t, votes);
    html_raw(h, "<table class=\"candidates\"><caption>");
    html_word(h, caption);
    html_raw(h, " ");
    if (declared || declaration_of(p->s, t->contest, t->round) == NO_DECLARATION) page_status_pill(p, t);
    html_raw(h, "</caption>\n<thead><tr><th scope=\"col\">");
    html_word(h, W_CANDIDATE);
    html_raw(h, "</th><td class=\"barcell\"></td><th scope=\"col\" class=\"n\">");
    html_word(h, W_VOTES);
    html_raw(h, "</th><th scope=\"col\" class=\"n\">");
    html_word(h, W_SHARE);
    html_raw(h, "</th></tr></thead><tbody>\n");
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, t->round, c))
            candidate(p, contest_choice(p->s, k, c), c, declared ? "data-declared" : "data-votes", votes[c],
                      sum);
    html_raw(h, "</tbody></table>\n");
}

/* What the unit's collation says, once the contest is declared. Cells that it leaves blank are no
 * figures: then there is no table. */
static void declared_figures(struct page *p, const struct tally *t, const struct tally_row *row) {
    uint32_t d = declaration_of(p->s, t->contest, t->round);
    uint32_t i = d == NO_DECLARATION ? NO_COLLATION : fold_collation_of(p->s, t->contest, t->round, row->unit);
    if (i == NO_COLLATION || fold_declaration(p->s, d)->collation == NO_COLLATION) return;
    const uint64_t *votes = collation_votes(p->s, fold_collation(p->s, i)->votes_at);
    for (uint32_t c = 0; c < t->choice_count; c++)
        if (votes[c] == ABSENT) return;
    candidates(p, t, W_DECLARED_FIGURES, true, votes);
}

void page_candidates(struct page *p, const struct tally *t, const struct tally_row *row) {
    struct html *h = &p->h;
    declared_figures(p, t, row);
    candidates(p, t, W_BALLOT_ORDER, false, row->total[TOTAL_TRANSMITTED].votes);
    html_raw(h, "<p class=\"more\">");
    html_word(h, W_SHARE_OF);
    html_raw(h, "</p>\n");
}

static void blank(struct html *h, uint64_t forms) {
    if (!forms) return;
    html_raw(h, " <small>(");
    html_number(h, forms);
    html_raw(h, " ");
    html_plural(h, P_BLANK_FORMS, forms);
    html_raw(h, ")</small>");
}

static void fact(struct html *h, enum page_word w, const char *name, uint64_t v, uint64_t forms) {
    html_raw(h, "<div><dt>");
    html_word(h, w);
    html_printf(h, "</dt><dd data-name=\"%s\">", name);
    html_number(h, v);
    blank(h, forms);
    html_raw(h, "</dd></div>\n");
}

void page_facts(struct page *p, const struct tally_row *row) {
    struct html *h = &p->h;
    const struct total *x = &row->total[TOTAL_TRANSMITTED];
    html_raw(h, "<dl class=\"facts\">");
    fact(h, W_VALID, "valid", x->valid, x->valid_blank);
    fact(h, W_REJECTED, "rejected", x->rejected, x->rejected_blank);
    fact(h, W_REGISTERED, "registered", row->registered, 0);
    html_raw(h, "<div><dt>");
    html_word(h, W_TURNOUT);
    html_raw(h, "</dt><dd>");
    html_share(h, x->valid + x->rejected, x->registered);
    html_raw(h, "</dd></div></dl>\n");
}
