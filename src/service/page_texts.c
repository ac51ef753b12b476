/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Pages that explain: how to check, who keeps copies, where and until when to petition. */
#include "election/definition.h"
#include "service/page_impl.h"
#include "tlog/cosignature.h"
#include "tlog/policy.h"

static void paragraph(struct html *h, enum page_word w) {
    html_raw(h, "<p>");
    html_word(h, w);
    html_raw(h, "</p>\n");
}

static void column(struct html *h, enum page_word w, bool number) {
    html_raw(h, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
    html_word(h, w);
    html_raw(h, "</th>");
}

/* --- check it yourself --- */

static void copy(struct page *p, struct span name, struct span url, bool witness) {
    struct html *h = &p->h;
    html_raw(h, "<li><a rel=\"noreferrer\" href=\"");
    html_escaped(h, url);
    html_raw(h, "\">");
    html_name(h, name);
    html_raw(h, "</a> <small class=\"code\">");
    if (witness) {
        html_word(h, W_WITNESS);
        html_raw(h, ", ");
    }
    html_escaped(h, url);
    html_raw(h, "</small></li>\n");
}

static bool is_web(struct span url) {
    return span_starts(url, span_text("https://")) || span_starts(url, span_text("http://"));
}

/* Those that the folder beside the log names, and the policy's witnesses that have an address. */
static void copies(struct page *p) {
    struct html *h = &p->h;
    struct arena a;
    struct policy policy = {0};
    struct fail f;
    size_t n = beside_copies(p->site->beside), at = 0;
    arena_init(&a, (size_t)16 << 20);
    if (policy_parse(fold_definition(p->s)->policy, &a, &policy, &f) != OK) policy.witness_count = 0;
    for (size_t i = 0; i < policy.witness_count; i++) at += is_web(policy.witnesses[i].url);
    if (n + at) {
        page_section(p, "copies", W_COPIES);
        paragraph(h, W_COPIES_MORE);
        html_raw(h, "<ul>\n");
        for (size_t i = 0; i < n; i++) {
            struct beside_copy c = beside_copy(p->site->beside, i);
            copy(p, page_said(p, c.name), c.url, false);
        }
        for (size_t i = 0; i < policy.witness_count; i++) {
            const struct policy_witness *w = &policy.witnesses[i];
            if (is_web(w->url)) copy(p, w->name, w->url, true);
        }
        html_raw(h, "</ul>\n");
        page_section_end(p);
    }
    arena_release(&a);
}

void page_about(struct page *p) {
    struct html *h = &p->h;
    html_raw(h, "<h1>");
    html_word(h, W_CHECK);
    html_raw(h, "</h1>\n<div class=\"prose\">");
    paragraph(h, W_ABOUT_LOG);
    html_raw(h, "</div>\n<div id=\"verify\"></div>\n<div class=\"prose\">\n<p>");
    html_word(h, W_CHECK_1);
    html_raw(h, "</p>\n<pre><code>hesabu mirror URL --dir copy\nhesabu verify copy --anchor ANCHOR\n"
                "hesabu results copy</code></pre>\n");
    paragraph(h, W_CHECK_2);
    copies(p);
    paragraph(h, W_ABOUT_WORDS);
    paragraph(h, W_ABOUT_CANNOT);
    html_raw(h, "<p>");
    html_word(h, W_CARD);
    html_raw(h, "</p>\n<pre><code>&lt;iframe src=&quot;URL/card.html&quot; width=&quot;480&quot; "
                "height=&quot;760&quot;&gt;&lt;/iframe&gt;</code></pre>\n</div>\n");
}

/* --- witnesses --- */

/* What each witness of the policy signed under the newest checkpoint that a quorum has cosigned. */
static size_t cosigners(struct page *p, const struct policy *policy, struct arena *a,
                        struct cosignature *out, uint64_t *size) {
    struct checkpoint c;
    struct note note;
    struct fail f;
    struct note_key keys[POLICY_WITNESSES_MAX];
    struct note_line *lines = arena_array(a, NOTE_LINES_MAX, sizeof *lines);
    size_t n = 0;
    memset(out, 0, policy->witness_count * sizeof *out);
    if (!lines || !p->site->cosigned.n) return 0;
    if (note_split(p->site->cosigned, &note, lines, NOTE_LINES_MAX, &f) != OK) return 0;
    if (checkpoint_parse(note.text, &c, &f) != OK) return 0;
    *size = c.size;
    for (size_t i = 0; i < policy->witness_count; i++) keys[i] = policy->witnesses[i].key;
    if (cosignatures_collect(note.text, lines, note.count, keys, policy->witness_count, out, &f) != OK) {
        memset(out, 0, policy->witness_count * sizeof *out);
        return 0;
    }
    for (size_t i = 0; i < policy->witness_count; i++) n += out[i].present;
    return n;
}

static void witness_rows(struct page *p, const struct policy *policy, const struct cosignature *each) {
    struct html *h = &p->h;
    html_raw(h, "<table><thead><tr>");
    column(h, W_NAME, false);
    column(h, W_COSIGNED_AT, false);
    html_raw(h, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < policy->witness_count; i++) {
        html_raw(h, "<tr><th scope=\"row\">");
        html_name(h, policy->witnesses[i].name);
        html_raw(h, "</th><td>");
        if (each[i].present) html_time(h, each[i].time_s > UINT64_MAX / 1000 ? UINT64_MAX : each[i].time_s * 1000);
        else html_word(h, W_NOT_YET);
        html_raw(h, "</td></tr>\n");
    }
    html_raw(h, "</tbody></table>\n");
}

void page_witnesses(struct page *p) {
    struct html *h = &p->h;
    struct arena a;
    struct policy policy = {0};
    struct cosignature each[POLICY_WITNESSES_MAX];
    struct fail f;
    arena_init(&a, (size_t)16 << 20);
    if (policy_parse(fold_definition(p->s)->policy, &a, &policy, &f) != OK) policy.witness_count = 0;
    page_section(p, "witnesses", W_WITNESSES);
    html_raw(h, "<p class=\"more\">");
    html_word(h, policy.witness_count ? W_WITNESSES_MORE : W_NO_WITNESS_NAMED);
    html_raw(h, "</p>\n");
    if (policy.witness_count) {
        uint64_t size = 0;
        size_t n = cosigners(p, &policy, &a, each, &size);
        html_raw(h, "<p><b>");
        html_number(h, n);
        html_raw(h, "</b> ");
        html_word(h, W_OF);
        html_printf(h, " %zu ", policy.witness_count);
        html_word(h, W_COSIGNED_TO);
        html_raw(h, " <b>");
        html_number(h, n ? size : 0);
        html_raw(h, "</b></p>\n");
        witness_rows(p, &policy, each);
    }
    page_section_end(p);
    arena_release(&a);
}

/* --- petitions --- */

/* Contests of one kind, which share court and days. */
struct office {
    const struct tally *first;
    size_t contests, declared;
};

enum { OFFICES_MAX = 32 };

static size_t offices(struct page *p, struct office *out) {
    const struct results *r = p->site->results;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct tally *t = &r->tallies[i];
        const struct contest *k = fold_contest(p->s, t->contest);
        const struct rule *rule = contest_rule(p->s, t->contest);
        size_t at = 0;
        if (i + 1 < r->n && r->tallies[i + 1].contest == t->contest) continue; /* its last round */
        for (; at < n; at++) {
            const struct rule *other = contest_rule(p->s, out[at].first->contest);
            if (span_eq(fold_contest(p->s, out[at].first->contest)->kind, k->kind) &&
                span_eq(other->court, rule->court) && other->petition_days == rule->petition_days)
                break;
        }
        if (at == OFFICES_MAX) continue;
        if (at == n) out[n++] = (struct office){.first = t};
        out[at].contests++;
        out[at].declared += declaration_of(p->s, t->contest, t->round) != NO_DECLARATION;
    }
    return n;
}

static void days_cell(struct html *h, uint32_t days) {
    if (days != NO_DAYS) html_cell(h, days);
    else html_raw(h, "<td class=\"n\">&ndash;</td>");
}

/* Until when: a date for a contest of its own; else how many have one. */
static void until(struct page *p, const struct office *o) {
    struct html *h = &p->h;
    struct clocks c;
    contest_clocks(p->s, o->first->contest, o->first->round, &c);
    html_raw(h, "<td>");
    if (o->contests > 1 && o->declared) {
        html_number(h, o->declared);
        html_raw(h, " ");
        html_word(h, W_OF);
        html_raw(h, " ");
        html_number(h, o->contests);
        html_raw(h, " ");
        html_word(h, W_CONTESTS_DECLARED);
    } else if (o->contests > 1 || c.petition_by_ms == UINT64_MAX) {
        html_word(h, W_NOT_DECLARED_YET);
    } else {
        html_raw(h, "<b>");
        html_time(h, c.petition_by_ms);
        html_raw(h, "</b>");
    }
    html_raw(h, "</td></tr>\n");
}

/* The kind's own name: of "Senator, KWALE" what stands before the place. */
static void office_name(struct page *p, const struct office *o) {
    struct span name = fold_contest(p->s, o->first->contest)->name;
    size_t comma = name.n;
    while (comma > 0 && name.p[comma - 1] != ',') comma--;
    if (o->contests == 1 || !comma) page_contest_name(p, o->first->contest);
    else html_name(&p->h, page_said(p, (struct span){name.p, comma - 1}));
    if (o->contests > 1) {
        html_raw(&p->h, " <small>(");
        html_number(&p->h, o->contests);
        html_raw(&p->h, ")</small>");
    }
}

static void where(struct page *p) {
    struct html *h = &p->h;
    struct office list[OFFICES_MAX];
    size_t n = offices(p, list);
    if (!n) return;
    page_section(p, "where", W_PETITION_WHERE);
    html_raw(h, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"where-h\">"
                "<table class=\"offices\"><thead><tr>");
    column(h, W_CONTEST, false);
    column(h, W_COURT, false);
    column(h, W_DAYS_AFTER, true);
    column(h, W_DECISION_DAYS, true);
    column(h, W_UNTIL, false);
    html_raw(h, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++) {
        const struct rule *r = contest_rule(p->s, list[i].first->contest);
        html_raw(h, "<tr><th scope=\"row\"><b>");
        office_name(p, &list[i]);
        html_raw(h, "</b></th><td>");
        if (r->court.n) html_name(h, page_said(p, r->court));
        else html_word(h, W_COURT_NOT_SAID);
        html_raw(h, "</td>");
        days_cell(h, r->petition_days);
        days_cell(h, r->decision_days);
        until(p, &list[i]);
    }
    html_raw(h, "</tbody></table></div>\n");
    page_section_end(p);
}

void page_petition(struct page *p) {
    struct html *h = &p->h;
    html_raw(h, "<h1>");
    html_word(h, W_PETITION);
    html_raw(h, "</h1>\n<div class=\"prose\">");
    paragraph(h, W_PETITION_MORE);
    html_raw(h, "</div>\n");
    where(p);
    page_section(p, "evidence", W_PETITION_EVIDENCE);
    html_raw(h, "<div class=\"prose\">");
    paragraph(h, W_PETITION_EVIDENCE_1);
    html_raw(h, "<p>");
    html_word(h, W_PETITION_EVIDENCE_2);
    html_raw(h, "</p>\n<pre><code>hesabu mirror URL --dir copy\nhesabu bundle copy --out bundle</code></pre>\n");
    paragraph(h, W_ABOUT_WORDS);
    html_raw(h, "</div>\n");
    page_section_end(p);
    page_notices(p, NOTICE_PETITION);
}
