/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/page.h"

#include "base/clock.h"

static void text(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<': buf_str(b, "&lt;"); break;
        case '>': buf_str(b, "&gt;"); break;
        case '&': buf_str(b, "&amp;"); break;
        case '"': buf_str(b, "&quot;"); break;
        case '\'': buf_str(b, "&#39;"); break;
        default: buf_byte(b, s.p[i]);
        }
    }
}

static void number(struct buf *b, uint64_t v) {
    char digits[32];
    int n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n-- > 0) {
        buf_byte(b, (uint8_t)digits[n]);
        if (n && n % 3 == 0) buf_byte(b, ',');
    }
}

/* Hundredths of a percent, rounded down: integers only. */
static void share(struct buf *b, uint64_t part, uint64_t whole) {
    if (whole == 0) {
        buf_str(b, "&ndash;");
        return;
    }
    uint64_t h = (uint64_t)((unsigned __int128)part * 10000 / whole);
    buf_printf(b, "%llu.%02llu %%", (unsigned long long)(h / 100), (unsigned long long)(h % 100));
}

static void cell(struct buf *b, uint64_t v) {
    buf_str(b, "<td>");
    number(b, v);
    buf_str(b, "</td>");
}

static void counts(struct buf *b, const struct tally_row *row) {
    buf_str(b, "<p>Stations expected <b>");
    number(b, row->expected);
    buf_str(b, "</b>, received <b>");
    number(b, row->received);
    buf_str(b, "</b>, counted as transmitted <b>");
    number(b, row->total[TOTAL_TRANSMITTED].stations);
    buf_str(b, "</b>, without an image of the form <b>");
    number(b, row->without_image);
    buf_str(b, "</b>, in question <b>");
    number(b, row->in_question);
    buf_str(b, "</b>.</p>\n");
}

static void choices(struct buf *b, const struct fold *s, const struct tally *t) {
    const struct contest *k = fold_contest(s, t->contest);
    const struct total *x = &t->rows[0].total[TOTAL_TRANSMITTED];
    uint64_t sum = 0;
    for (uint32_t c = 0; c < k->choice_count; c++) sum += x->votes[c];
    buf_str(b, "<table><caption>Transmitted figures (ballot order)</caption>"
               "<tr><th>Choice<th>Votes<th>Share of these votes</tr>\n");
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!contest_has_choice(k, t->round, c)) continue;
        buf_str(b, "<tr><td>");
        text(b, contest_choice(s, k, c)->name);
        buf_str(b, "</td>");
        cell(b, x->votes[c]);
        buf_str(b, "<td>");
        share(b, x->votes[c], sum);
        buf_str(b, "</td></tr>\n");
    }
    buf_str(b, "<tr><td>Valid, as written on the forms</td>");
    cell(b, x->valid);
    buf_str(b, "<td></td></tr>\n<tr><td>Rejected</td>");
    cell(b, x->rejected);
    buf_str(b, "<td></td></tr></table>\n");
}

static void parts(struct buf *b, const struct fold *s, const struct tally *t) {
    buf_str(b, "<details><summary>By ");
    if (t->n > 1) text(b, fold_definition(s)->levels[fold_unit(s, t->rows[1].unit)->level]);
    buf_str(b, "</summary><table><tr><th>Unit<th>Expected<th>Received<th>Transmitted"
               "<th>In question</tr>\n");
    for (size_t i = 1; i < t->n; i++) {
        const struct tally_row *row = &t->rows[i];
        if (row->parent != 0 || unit_is_station(s, row->unit)) continue;
        char path[RESULTS_PATH_MAX];
        results_unit_path(s, t->contest, t->round, row->unit, path);
        buf_str(b, "<tr><td><a href=\"");
        text(b, span_text(path));
        buf_str(b, "\">");
        text(b, fold_unit(s, row->unit)->name);
        buf_str(b, "</a></td>");
        cell(b, row->expected);
        cell(b, row->received);
        cell(b, row->total[TOTAL_TRANSMITTED].stations);
        cell(b, row->in_question);
        buf_str(b, "</tr>\n");
    }
    buf_str(b, "</table></details>\n");
}

err page_overview(const struct fold *s, const struct results *r, const char *note, struct buf *b,
                  struct fail *f) {
    const struct definition *d = fold_definition(s);
    char when[21];
    clock_format_utc(fold_last_ms(s), when);
    buf_str(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    text(b, d->title);
    buf_str(b, "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;"
               "margin:1rem auto;padding:0 1rem;color:#111;background:#fff}table{border-collapse:"
               "collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid "
               "#ccc}td+td{text-align:right;font-variant-numeric:tabular-nums}caption{text-align:"
               "left;font-weight:bold}.mark{background:#7a0000;color:#fff;padding:.3rem .6rem;"
               "font-weight:bold}@media(prefers-color-scheme:dark){body{color:#eee;background:#111}"
               "a{color:#9cf}}</style></head><body>\n");
    if (d->simulated)
        buf_str(b, "<p class=\"mark\">SIMULATED. Nothing on this page is a real result.</p>\n");
    if (d->notice.n) {
        buf_str(b, "<p>");
        text(b, d->notice);
        buf_str(b, "</p>\n");
    }
    buf_str(b, "<h1>");
    text(b, d->title);
    buf_str(b, "</h1>\n<p><b>Provisional, not declared.</b> Figures as sent from polling stations, "
               "signed where they were counted; not yet compared with the paper originals.</p>\n");
    if (note) {
        buf_str(b, "<p>");
        text(b, span_text(note));
        buf_str(b, "</p>\n");
    }
    buf_printf(b, "<p>Log entries: %llu. Last entry: %s. ", (unsigned long long)fold_size(s), when);
    buf_str(b, "Anybody can recompute every figure: <code>hesabu verify</code> on the "
               "<a href=\"checkpoint\">checkpoint</a> and its log. "
               "Data: <a href=\"results/index.json\">results/index.json</a>.</p>\n");
    for (size_t i = 0; i < r->n && i < 12; i++) {
        const struct tally *t = &r->tallies[i];
        buf_str(b, "<h2>");
        text(b, fold_contest(s, t->contest)->name);
        if (t->round > 1) buf_printf(b, ", round %u", t->round);
        buf_str(b, "</h2>\n");
        counts(b, &t->rows[0]);
        choices(b, s, t);
        parts(b, s, t);
    }
    if (r->n > 12)
        buf_printf(b, "<p>and %zu more contests in results/index.json.</p>\n", r->n - 12);
    buf_str(b, "</body></html>\n");
    return buf_ok(b, f);
}
