/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the law asks for and how far it is met: materiality, the rule, the gate, clocks, collations,
 * objections, the declaration. Nobody is named here before a declaration. */
#include "service/page_impl.h"

static void named_time(struct html *h, enum page_word w, uint64_t ms) {
    if (ms == UINT64_MAX) return;
    html_raw(h, "<div><dt>");
    html_word(h, w);
    html_raw(h, "</dt><dd class=\"text\">");
    html_time(h, ms);
    html_raw(h, "</dd></div>\n");
}

/* --- materiality --- */

static void materiality_sw(struct html *h, const struct materiality *m) {
    const struct materiality_row *all = &m->rows[DOUBT_ANY];
    html_number(h, all->stations);
    html_raw(h, " ");
    html_plural(h, P_DOUBT_STATIONS, all->stations);
    html_raw(h, " (");
    html_word(h, W_REGISTERED);
    html_raw(h, ": ");
    html_number(h, all->voters);
    html_raw(h, "). ");
    html_word(h, all->can_change ? W_CAN_CHANGE : W_CANNOT_CHANGE);
    html_raw(h, " ");
    html_word(h, W_COURTS);
}

static void doubts(struct html *h, const struct materiality *m) {
    static const enum page_word words[DOUBT_COUNT] = {W_OUTSTANDING, W_IN_QUESTION, W_ST_DISREGARDED,
                                                      W_ST_POSTPONED, W_OBJECTED_TO, W_ALL_TOGETHER};
    html_raw(h, "<details><summary>");
    html_word(h, W_AS_TABLE);
    html_raw(h, "</summary><table><thead><tr><th></th><th scope=\"col\" class=\"n\">");
    html_word(h, W_STATIONS);
    html_raw(h, "</th><th scope=\"col\" class=\"n\">");
    html_word(h, W_REGISTERED);
    html_raw(h, "</th><th scope=\"col\">");
    html_word(h, W_MATERIALITY);
    html_raw(h, "</th></tr></thead><tbody>\n");
    for (int d = 0; d < DOUBT_COUNT; d++) {
        html_raw(h, "<tr><th scope=\"row\">");
        html_word(h, words[d]);
        html_raw(h, "</th>");
        html_cell(h, m->rows[d].stations);
        html_cell(h, m->rows[d].voters);
        html_raw(h, "<td>");
        html_word(h, m->rows[d].can_change ? W_YES : W_NO);
        html_raw(h, "</td></tr>\n");
    }
    html_raw(h, "</tbody></table></details>\n");
}

static void rule_progress(struct page *p, const struct tally *t, const struct materiality *m) {
    struct html *h = &p->h;
    const struct rule *r = contest_rule(p->s, t->contest);
    html_raw(h, "<dl class=\"facts\">");
    if (r->kind == RULE_MAJORITY) {
        html_raw(h, "<div><dt>");
        html_word(h, W_RULE_MAJORITY);
        html_printf(h, " %u/%u</dt><dd class=\"text\">", r->majority.p, r->majority.q);
        html_word(h, m->now.majority ? W_REACHED : W_NOT_REACHED);
        html_raw(h, "</dd></div>\n");
    }
    if (r->spread) {
        html_raw(h, "<div><dt>");
        html_word(h, W_RULE_REGIONS);
        html_printf(h, " %u/%u</dt><dd>%u <small>", r->spread_share.p, r->spread_share.q, m->now.regions);
        html_word(h, W_OF_NEEDED);
        html_printf(h, " %u</small></dd></div>\n", m->now.needed);
    }
    html_fact(h, W_STATIONS_HOLD, m->stations_counted);
    html_fact(h, W_VOTES_HOLD, m->votes_counted);
    html_raw(h, "</dl>\n");
}

/* Where there is nothing to weigh: why. */
static bool nothing_to_weigh(struct html *h, const struct materiality *m) {
    static const enum page_word words[OUTCOME_KINDS] = {
        [OUTCOME_UNOPPOSED] = W_MAT_UNOPPOSED, [OUTCOME_CANCELLED] = W_MAT_CANCELLED,
        [OUTCOME_POSTPONED] = W_MAT_POSTPONED, [OUTCOME_ANNULLED] = W_MAT_ANNULLED,
        [OUTCOME_CANNOT_TELL] = W_MAT_CANNOT_TELL, [OUTCOME_NONE] = W_MAT_NONE};
    bool none = m->now.kind != OUTCOME_ELECTED && m->now.kind != OUTCOME_NEXT_ROUND && m->now.kind != OUTCOME_TIE;
    if (!none && m->rows[DOUBT_ANY].stations) return false;
    html_word(h, none ? words[m->now.kind] : W_MAT_NO_DOUBT);
    if (!none || m->now.kind == OUTCOME_CANNOT_TELL) {
        html_raw(h, " ");
        html_word(h, W_COURTS);
    }
    return true;
}

static void materiality(struct page *p, const struct tally *t, const struct materiality *m) {
    struct html *h = &p->h;
    page_section(p, "materiality", W_MATERIALITY);
    html_raw(h, "<p class=\"lead\">");
    if (nothing_to_weigh(h, m)) {
    } else if (h->lang == LANG_SW) {
        materiality_sw(h, m);
    } else {
        struct buf text;
        buf_init(&text, 2000);
        materiality_sentence(m, &text);
        html_escaped(h, buf_view(&text));
        buf_release(&text);
    }
    html_raw(h, "</p>\n");
    doubts(h, m);
    page_section_end(p);
    page_section(p, "rule", W_RULE);
    rule_progress(p, t, m);
    page_section_end(p);
}

/* --- gate --- */

static const char *gate_words(enum page_lang lang, enum gate_code c, uint64_t n) {
    static const char *const one[GATE_COUNT][LANG_COUNT] = {
#define ONE(name, en, sw) [name] = {en, sw},
#include "service/page_gate_one.def"
#undef ONE
    };
    static const char *const sw[GATE_COUNT] = {
#define SW(name, text) [name] = text,
#include "service/page_gate_sw.def"
#undef SW
    };
    if (n == 1 && one[c][lang]) return one[c][lang];
    return lang == LANG_SW && sw[c] ? sw[c] : gate_text(c);
}

static void gate(struct page *p, const struct tally *t, const struct gate *g) {
    struct html *h = &p->h;
    struct clocks c;
    bool declared = declaration_of(p->s, t->contest, t->round) != NO_DECLARATION;
    struct span court = contest_rule(p->s, t->contest)->court;
    page_section(p, "gate", declared ? W_GATE_AFTER : W_GATE);
    html_raw(h, "<p class=\"more\">");
    html_word(h, g->open_items ? W_GATE_SHUT : W_GATE_OPEN);
    html_raw(h, "</p><ul class=\"gate\">\n");
    for (int i = 0; i < GATE_COUNT; i++) {
        const struct gate_item *x = &g->items[i];
        if (!x->count) continue;
        html_raw(h, "<li><b>");
        html_number(h, x->count);
        html_raw(h, "</b> ");
        html_escaped(h, span_text(gate_words(h->lang, (enum gate_code)i, x->count)));
        html_printf(h, " <span class=\"code\">%s</span>", gate_name((enum gate_code)i));
        if (x->link_count && x->count <= 5) html_raw(h, "<br><small>");
        for (uint32_t k = 0; x->count <= 5 && k < x->link_count; k++) {
            if (k) html_raw(h, ", ");
            page_unit_link(p, x->links[k]);
        }
        html_raw(h, x->link_count && x->count <= 5 ? "</small></li>\n" : "</li>\n");
    }
    html_raw(h, "</ul>\n<dl class=\"facts\">");
    contest_clocks(p->s, t->contest, t->round, &c);
    named_time(h, W_DECLARE_BY, c.declare_by_ms);
    named_time(h, W_PETITION_BY, c.petition_by_ms);
    named_time(h, W_DECIDE_BY, c.decide_by_ms);
    if (court.n) {
        html_raw(h, "<div><dt>");
        html_word(h, W_COURT);
        html_raw(h, "</dt><dd class=\"text\">");
        html_name(h, page_said(p, court));
        html_raw(h, "</dd></div>\n");
    }
    html_raw(h, "</dl>\n");
    page_section_end(p);
}

/* --- declaration --- */

static void signer(struct page *p, uint32_t key) {
    struct key_view k;
    fold_key_at(p->s, key, &k);
    html_name(&p->h, k.name);
}

static void outcome(struct page *p, const struct tally *t, const struct outcome *o) {
    struct html *h = &p->h;
    const struct contest *k = fold_contest(p->s, t->contest);
    bool any = false;
    html_raw(h, "<p class=\"lead\">");
    html_word(h, o->kind == OUTCOME_ELECTED || o->kind == OUTCOME_UNOPPOSED ? W_DECLARED_ELECTED
                 : o->kind == OUTCOME_NEXT_ROUND                             ? W_DECLARED_ROUND
                                                                             : W_DECLARED_TIE);
    html_raw(h, " <b>");
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!outcome_has(o, c)) continue;
        if (any) html_raw(h, ", ");
        html_name(h, contest_choice(p->s, k, c)->name);
        any = true;
    }
    html_raw(h, "</b></p>\n");
}

static void overridden(struct page *p, const struct override *o) {
    struct html *h = &p->h;
    html_raw(h, "<p><span class=\"sev\">");
    html_word(h, W_OVERRIDE);
    html_raw(h, "</span> ");
    html_word(h, W_OVERRIDE_MORE);
    html_raw(h, "</p><ul class=\"gate\">");
    for (uint32_t k = 0; k < o->item_count; k++) {
        const struct override_item *x = override_item(p->s, o, k);
        html_raw(h, "<li><b>");
        html_number(h, x->count);
        html_raw(h, "</b> ");
        html_escaped(h, span_text(gate_words(h->lang, (enum gate_code)x->code, x->count)));
        html_raw(h, "</li>");
    }
    html_raw(h, "</ul>\n");
}

void page_declaration(struct page *p, const struct tally *t) {
    struct html *h = &p->h;
    uint32_t i = declaration_of(p->s, t->contest, t->round);
    if (i == NO_DECLARATION) return;
    const struct declaration *d = fold_declaration(p->s, i);
    page_section(p, "declaration", W_DECLARATION);
    outcome(p, t, &d->outcome);
    html_raw(h, "<dl class=\"facts\"><div><dt>");
    html_word(h, W_DECLARED_BY);
    html_raw(h, "</dt><dd class=\"text\">");
    signer(p, d->signer);
    html_raw(h, "</dd></div>\n");
    named_time(h, W_TIME, d->ms);
    html_fact(h, W_RECORD, d->entry);
    html_raw(h, "</dl>\n");
    if (d->override != NO_OVERRIDE) overridden(p, fold_override(p->s, d->override));
    html_raw(h, "<ul class=\"voices\">");
    for (uint32_t n = 0; n < fold_dissent_count(p->s); n++) {
        const struct dissent *x = fold_dissent(p->s, n);
        if (x->declaration != i) continue;
        html_raw(h, "<li>");
        signer(p, x->signer);
        html_raw(h, ": <b>");
        html_word(h, x->says == SAYS_DISSENTS ? W_DISSENTS : W_VERIFIED);
        html_raw(h, "</b></li>");
    }
    html_raw(h, "</ul>\n");
    page_section_end(p);
}

/* --- objections and notices --- */

static void objections(struct page *p, const struct tally *t) {
    static const enum page_word words[OBJECTION_STATES] = {
        W_OB_FILED, W_OB_ADMITTED, W_OB_REFUSED, W_OB_UPHELD, W_OB_PARTLY, W_OB_DISMISSED, W_OB_WITHDRAWN};
    struct html *h = &p->h;
    uint64_t count[OBJECTION_STATES] = {0}, all = 0;
    for (size_t i = 0; i < fold_objection_count(p->s); i++) {
        const struct objection *o = fold_objection(p->s, i);
        if (o->contest != t->contest || o->round != t->round) continue;
        count[o->state]++;
        all++;
    }
    if (!all) return;
    page_section(p, "objections", W_OBJECTIONS);
    html_raw(h, "<dl class=\"facts\">");
    for (int i = 0; i < OBJECTION_STATES; i++)
        if (count[i]) html_fact(h, words[i], count[i]);
    html_raw(h, "</dl>\n<p><a href=\"");
    html_raw(h, h->up);
    html_raw(h, "results/objections.json\">results/objections.json</a></p>\n");
    page_section_end(p);
}

enum { NOTICES_MAX = 12, NOTICE_TEXT_MAX = 16384 };

/* What it says; its first line is its title. */
static void notice_said(struct page *p, const struct notice *x) {
    struct html *h = &p->h;
    struct buf text;
    struct fail f;
    bool here = x->text.size <= NOTICE_TEXT_MAX;
    buf_init(&text, NOTICE_TEXT_MAX + 1);
    here = here && beside_object(p->site->beside, &x->text.id, NOTICE_TEXT_MAX, &text, &f) == OK;
    if (here) {
        struct span all = buf_view(&text);
        size_t line = 0;
        while (line < all.n && all.p[line] != '\n') line++;
        html_raw(h, "<blockquote");
        if (x->lang.n) {
            html_raw(h, " lang=\"");
            html_escaped(h, x->lang);
            html_raw(h, "\"");
        }
        html_raw(h, "><b>");
        html_lines(h, (struct span){all.p, line});
        html_raw(h, "</b>");
        html_lines(h, span_from(all, line < all.n ? line + 1 : line));
        html_raw(h, "</blockquote>");
    } else {
        html_raw(h, "<p class=\"more\">");
        html_word(h, W_WITHHELD);
        html_raw(h, "</p>");
    }
    buf_release(&text);
}

void page_notices(struct page *p, int kind) {
    static const enum page_word kinds[] = {W_NOTICE_STATEMENT, W_NOTICE_REBUTTAL, W_NOTICE_CORRECTION,
                                           W_NOTICE_PETITION};
    struct html *h = &p->h;
    size_t shown = 0;
    for (size_t i = fold_notice_count(p->s); i-- > 0 && shown < NOTICES_MAX;) {
        const struct notice *x = fold_notice(p->s, i);
        char hex[HASH_HEX_LEN + 1];
        if (kind >= 0 && x->kind != kind) continue;
        if (!shown++) {
            page_section(p, "notices", kind == NOTICE_PETITION ? W_PETITIONS_FILED : W_NOTICES);
            html_raw(h, "<ol class=\"timeline\">\n");
        }
        hash_hex(&x->text.id, hex);
        html_raw(h, "<li><b>");
        html_word(h, kinds[x->kind % 4]);
        html_raw(h, "</b>, ");
        signer(p, x->signer);
        html_raw(h, " ");
        html_time(h, x->ms);
        if (x->answers != NO_ENTRY) {
            html_raw(h, " <small>");
            html_word(h, W_ANSWERS);
            html_printf(h, " %llu</small>", (unsigned long long)x->answers);
        }
        notice_said(p, x);
        html_printf(h, "<span class=\"actions\" data-entry=\"%llu\"><span class=\"code\">",
                    (unsigned long long)x->entry);
        html_word(h, W_RECORD);
        html_printf(h, " %llu</span> <a href=\"%sobjects/%s\">", (unsigned long long)x->entry, h->up, hex);
        html_word(h, W_READ_TEXT);
        html_raw(h, "</a></span></li>\n");
    }
    if (!shown) return;
    html_raw(h, "</ol>\n");
    page_section_end(p);
}

void page_law(struct page *p, const struct tally *t, const struct gate *g) {
    materiality(p, t, &g->materiality);
    gate(p, t, g);
    objections(p, t);
}

/* --- collations --- */

static void off_rows(struct page *p, const struct collation *c) {
    struct html *h = &p->h;
    html_raw(h, "<ul class=\"findings\">\n");
    for (size_t k = 0; k < c->row_count; k++) {
        const struct collation_row *r = collation_row(p->s, c, k);
        if (!r->altered && !r->foreign) continue;
        html_raw(h, "<li class=\"differs\">");
        page_unit_link(p, r->unit);
        html_raw(h, ": ");
        html_number(h, r->altered);
        html_raw(h, " ");
        html_plural(h, P_CELLS_DIFFER, r->altered);
        html_raw(h, ", ");
        html_number(h, r->off_by);
        html_raw(h, "</li>\n");
    }
    html_raw(h, "</ul>\n");
}

void page_collation(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    uint32_t unit = t->rows[row].unit;
    uint32_t i = fold_collation_of(p->s, t->contest, t->round, unit);
    if (i == NO_COLLATION) return;
    const struct collation *c = fold_collation(p->s, i);
    struct span form = contest_rule(p->s, t->contest)->form[fold_unit(p->s, unit)->level];
    page_section(p, "collation", W_COLLATION);
    html_raw(h, "<p class=\"more\">");
    html_escaped(h, form);
    html_raw(h, " &middot; ");
    html_word(h, c->basis == COLLATION_PAPER ? W_BASIS_PAPER : W_COLLATED_HERE);
    html_raw(h, " &middot; ");
    signer(p, c->signer);
    html_raw(h, " &middot; ");
    html_time(h, c->ms);
    html_raw(h, "</p><dl class=\"facts\">");
    html_fact(h, W_ROWS, c->row_count);
    html_fact(h, W_ROWS_MISSING, c->missing);
    html_fact(h, W_ROWS_STALE, collation_stale_rows(p->s, c));
    html_fact(h, W_SUMS_WRONG, c->columns);
    if (c->valid != ABSENT) html_fact(h, W_VALID, c->valid);
    if (c->rejected != ABSENT) html_fact(h, W_REJECTED, c->rejected);
    html_raw(h, "</dl>\n");
    off_rows(p, c);
    html_printf(h, "<p class=\"actions\" data-entry=\"%llu\"><span class=\"code\">", (unsigned long long)c->entry);
    html_word(h, W_RECORD);
    html_printf(h, " %llu</span></p>\n", (unsigned long long)c->entry);
    page_section_end(p);
}
