/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One station, as an article on the page of the unit above it: what each channel says, the form's
 * image, who signed, its findings and records.
 *
 * Stations have no files of their own, as in the JSON: a nation's stations in two languages would be
 * 80,000 more files and a gigabyte more, most of it the same frame again. */
#include "service/page_impl.h"

enum { CHANNELS_MAX = 12 };

static void part(struct page *p, enum page_word title, const char *klass) {
    html_printf(&p->h, "<div class=\"part %s\"><h3>", klass);
    html_word(&p->h, title);
    html_raw(&p->h, "</h3>\n");
}

static void part_end(struct page *p) {
    html_raw(&p->h, "</div>\n");
}


struct channels {
    const struct result *r[CHANNELS_MAX];
    size_t n;
    const struct result *counted;
};

static void collect(const struct fold *s, const struct cell *c, struct channels *out) {
    *out = (struct channels){.counted = cell_transmitted(s, c)};
    for (uint32_t i = c->first_result; i != NO_RESULT && out->n < CHANNELS_MAX;) {
        out->r[out->n++] = fold_result(s, i);
        i = fold_result(s, i)->next;
    }
}

/* --- channels --- */

static void channel_heads(struct page *p, const struct channels *ch) {
    struct html *h = &p->h;
    for (size_t i = 0; i < ch->n; i++) {
        const struct result *r = ch->r[i];
        html_raw(h, "<th scope=\"col\" class=\"n\">");
        html_word(h, W_RESULT);
        html_printf(h, " %llu<small>", (unsigned long long)r->entry);
        html_word(h, r->basis == BASIS_STATION ? W_BASIS_STATION : W_BASIS_PAPER);
        html_raw(h, "</small>");
        if (r == ch->counted) {
            html_raw(h, "<small class=\"tag ok\">");
            html_word(h, W_COUNTS);
            html_raw(h, "</small>");
        }
        if (r->superseded_by != NO_RESULT) {
            html_raw(h, "<small class=\"tag\">");
            html_word(h, W_SUPERSEDED);
            html_printf(h, " %llu</small>",
                        (unsigned long long)fold_result(p->s, r->superseded_by)->entry);
        }
        html_raw(h, "</th>");
    }
}

static void figure_cell(struct html *h, uint64_t v, uint64_t first, bool compare) {
    bool differs = compare && v != first;
    html_raw(h, differs ? "<td class=\"n differs\">" : "<td class=\"n\">");
    if (v == ABSENT) {
        html_raw(h, "<small>");
        html_word(h, W_BLANK);
        html_raw(h, "</small>");
    } else {
        html_number(h, v);
    }
    if (differs) {
        html_raw(h, " <small class=\"mark\">&ne; ");
        html_word(h, W_DIFFERS);
        html_raw(h, "</small>");
    }
    html_raw(h, "</td>");
}

typedef uint64_t (*figure_fn)(const struct fold *s, const struct result *r, uint32_t n);

static void figure_cells(struct page *p, const struct channels *ch, figure_fn get, uint32_t n) {
    for (size_t i = 0; i < ch->n; i++)
        figure_cell(&p->h, get(p->s, ch->r[i], n), get(p->s, ch->r[0], n), i > 0);
    html_raw(&p->h, "</tr>\n");
}

static uint64_t votes_at(const struct fold *s, const struct result *r, uint32_t n) {
    return result_votes(s, r)[n];
}

static uint64_t ballots_at(const struct fold *s, const struct result *r, uint32_t n) {
    const uint64_t all[] = {r->valid,    r->rejected,   r->registered,   r->objected_votes,
                            r->disputed, r->voters_kit, r->voters_manual};
    (void)s;
    return all[n];
}

static uint64_t sum_at(const struct fold *s, const struct result *r, uint32_t choices) {
    uint64_t sum = 0;
    for (uint32_t c = 0; c < choices; c++)
        if (result_votes(s, r)[c] != ABSENT) sum += result_votes(s, r)[c];
    return sum;
}

static bool stated(const struct fold *s, const struct channels *ch, uint32_t n) {
    for (size_t i = 0; i < ch->n; i++)
        if (ballots_at(s, ch->r[i], n) != ABSENT) return true;
    return false;
}

static void channels(struct page *p, const struct tally *t, const struct channels *ch) {
    static const enum page_word words[] = {W_VALID,    W_REJECTED,   W_REGISTERED,   W_OBJECTED,
                                           W_DISPUTED, W_VOTERS_KIT, W_VOTERS_MANUAL};
    struct html *h = &p->h;
    const struct contest *k = fold_contest(p->s, t->contest);
    html_raw(h, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html_word(h, W_CHANNELS);
    html_raw(h, "\"><table class=\"channels\"><thead><tr><th scope=\"col\">");
    html_word(h, W_FIGURE);
    html_raw(h, "</th>");
    channel_heads(p, ch);
    html_raw(h, "</tr></thead><tbody>\n");
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!contest_has_choice(k, t->round, c)) continue;
        html_printf(h, "<tr><th scope=\"row\"><span class=\"key c%u\"></span>", c % 12);
        html_name(h, contest_choice(p->s, k, c)->name);
        html_raw(h, "</th>");
        figure_cells(p, ch, votes_at, c);
    }
    html_raw(h, "<tr class=\"sum\"><th scope=\"row\">");
    html_word(h, W_SUM_COMPUTED);
    html_raw(h, "</th>");
    figure_cells(p, ch, sum_at, k->choice_count);
    for (uint32_t n = 0; n < sizeof words / sizeof *words; n++) {
        if (n > 1 && !stated(p->s, ch, n)) continue;
        html_raw(h, "<tr><th scope=\"row\">");
        html_word(h, words[n]);
        html_raw(h, "</th>");
        figure_cells(p, ch, ballots_at, n);
    }
    html_raw(h, "</tbody></table></div>\n");
}

/* --- images --- */

static enum page_word kind_word(const struct image *m) {
    static const enum page_word words[] = {W_ORIGINAL, W_CARBON, W_AGENT_COPY, W_POSTED};
    return words[m->kind % 4];
}

static size_t images(struct page *p, uint32_t first) {
    struct html *h = &p->h;
    size_t n = 0;
    for (uint32_t i = first; i != NO_IMAGE; n++) {
        const struct image *m = fold_image(p->s, i);
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&m->shown, hex);
        html_printf(h, "<figure class=\"form\" data-object=\"%s\"><a href=\"%sobjects/%s\">"
                       "<img loading=\"lazy\" decoding=\"async\" src=\"%sobjects/%s\" alt=\"",
                    hex, h->up, hex, h->up, hex);
        html_word(h, W_FORM_IMAGE);
        html_printf(h, ", ");
        html_word(h, W_PAGE);
        html_printf(h, " %u\"></a><figcaption><b>", m->page);
        html_word(h, kind_word(m));
        html_raw(h, "</b>, ");
        html_word(h, W_PAGE);
        html_printf(h, " %u. ", m->page);
        if (m->masked) html_printf(h, "%u ", m->masked);
        html_word(h, m->masked ? W_MASKED : W_NOT_MASKED);
        html_printf(h, ". <span class=\"hash\">SHA-256 %s</span></figcaption></figure>\n", hex);
        i = m->next_of_result;
    }
    return n;
}

static void forms(struct page *p, const struct cell *c, const struct channels *ch) {
    struct html *h = &p->h;
    size_t n = 0;
    part(p, W_FORM, "formpart");
    html_raw(h, "<div class=\"forms\">");
    for (size_t i = ch->n; i-- > 0;) n += images(p, ch->r[i]->first_image);
    n += images(p, c->first_image);
    html_raw(h, "</div>");
    if (!n) {
        html_raw(h, "<p class=\"more\">");
        html_word(h, W_NO_IMAGE);
        html_raw(h, "</p>\n");
    }
    part_end(p);
}

/* --- who signed --- */

static void agents(struct html *h, enum page_word w, uint32_t n) {
    html_raw(h, "<div><dt>");
    html_word(h, w);
    html_raw(h, "</dt><dd>");
    if (n == UINT32_MAX) html_word(h, W_NOT_STATED);
    else html_number(h, n);
    html_raw(h, "</dd></div>\n");
}

static void signed_by(struct page *p, const struct result *r) {
    struct html *h = &p->h;
    struct key_view key;
    part(p, W_SIGNED, "signed");
    fold_key_at(p->s, r->signer, &key);
    html_raw(h, "<dl class=\"facts\"><div><dt>");
    html_word(h, W_SIGNED_OFFICER);
    html_raw(h, "</dt><dd class=\"text\">");
    html_name(h, key.name);
    html_raw(h, "</dd></div>\n");
    agents(h, W_AGENTS_PRESENT, r->agents_present);
    agents(h, W_SIGNED_PAPER, r->agents_signed);
    agents(h, W_SIGNED_DEVICE, r->keys_signed);
    agents(h, W_REFUSED, r->agents_refused);
    if (r->saw) agents(h, W_SAW, r->saw);
    if (r->objected) agents(h, W_OBJECT, r->objected);
    if (r->serial.n) {
        html_raw(h, "<div><dt>");
        html_word(h, W_SERIAL);
        html_raw(h, "</dt><dd class=\"text\">");
        html_name(h, r->serial);
        html_raw(h, "</dd></div>\n");
    }
    html_raw(h, "</dl><p class=\"more\">");
    html_word(h, W_SIGNED_NOTE);
    html_raw(h, "</p>\n");
    part_end(p);
}

/* --- its records --- */

static void record(struct page *p, uint64_t entry, uint64_t ms, const char *what, const char *detail) {
    struct html *h = &p->h;
    html_printf(h, "<li id=\"r%llu\"><b>%s</b>", (unsigned long long)entry, what);
    if (detail) html_printf(h, ", %s", detail);
    html_raw(h, " ");
    html_time(h, ms);
    html_printf(h, " <span class=\"actions\" data-entry=\"%llu\"><span class=\"code\">",
                (unsigned long long)entry);
    html_word(h, W_RECORD);
    html_printf(h, " %llu</span>", (unsigned long long)entry);
    if (p->site->local_proofs) {
        html_printf(h, " <a class=\"proof\" href=\"%sproofs/%llu\" download=\"record-%llu.receipt\">", h->up,
                    (unsigned long long)entry, (unsigned long long)entry);
        html_word(h, W_PROOF);
        html_raw(h, "</a>");
    }
    html_raw(h, "</span></li>\n");
}

static void image_records(struct page *p, uint32_t first) {
    for (uint32_t i = first; i != NO_IMAGE;) {
        const struct image *m = fold_image(p->s, i);
        record(p, m->entry, m->ms, page_word(p->h.lang, W_REC_IMAGE), page_word(p->h.lang, kind_word(m)));
        i = m->next_of_result;
    }
}

static void timeline(struct page *p, const struct cell *c, const struct channels *ch) {
    part(p, W_TIMELINE, "records");
    html_raw(&p->h, "<ol class=\"timeline\">\n");
    for (size_t i = 0; i < ch->n; i++) {
        const struct result *r = ch->r[i];
        record(p, r->entry, r->ms, page_word(p->h.lang, W_REC_RESULT),
               page_word(p->h.lang, r->basis == BASIS_STATION ? W_BASIS_STATION : W_BASIS_PAPER));
        image_records(p, r->first_image);
    }
    image_records(p, c->first_image);
    html_raw(&p->h, "</ol>\n");
    part_end(p);
}

static void heading(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    const struct unit *u = fold_unit(p->s, t->rows[row].unit);
    const char *state = results_station_state(p->s, &p->site->results->findings, t, &t->rows[row]);
    html_raw(h, "<article class=\"station\" id=\"");
    html_escaped(h, u->code);
    html_raw(h, "\"><header><h2><a href=\"#");
    html_escaped(h, u->code);
    html_raw(h, "\">");
    page_unit_name(p, t->rows[row].unit);
    html_raw(h, "</a></h2><p>");
    page_state_pill(p, state);
    html_raw(h, " <span class=\"code\">");
    html_escaped(h, u->code);
    html_raw(h, "</span> &middot; ");
    html_word(h, W_REGISTERED);
    html_raw(h, " ");
    html_number(h, u->registered);
    html_raw(h, "</p></header>\n");
}

void page_station(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    uint32_t cell = t->rows[row].cell;
    const struct cell *c = cell == NO_CELL ? NULL : fold_cell_at(p->s, cell);
    struct channels ch = {0};
    if (c) collect(p->s, c, &ch);
    heading(p, t, row);
    html_raw(h, "<div class=\"two\">\n");
    part(p, W_CHANNELS, "channelpart");
    html_raw(h, "<p class=\"more\">");
    html_word(h, ch.n ? W_CHANNELS_MORE : W_NOT_SENT);
    html_raw(h, "</p>\n");
    if (ch.n) channels(p, t, &ch);
    part_end(p);
    if (c) forms(p, c, &ch);
    html_raw(h, "</div>\n");
    if (c) {
        if (page_has_findings(p, t, row)) {
            part(p, W_FINDINGS, "findingspart");
            page_findings_list(p, t, row);
            part_end(p);
        }
        if (ch.n) signed_by(p, ch.counted ? ch.counted : ch.r[ch.n - 1]);
        timeline(p, c, &ch);
    }
    html_raw(h, "</article>\n");
}
