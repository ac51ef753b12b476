/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One station, as an article on the page of the unit above it: what each channel says, the form's
 * image, who signed, its findings and records.
 *
 * Stations have no files of their own, as in the JSON: a nation's stations in two languages would be
 * 80,000 more files and a gigabyte more, most of it the same frame again. */
#include "election/desk.h"
#include "service/page_impl.h"

enum { CHANNELS_MAX = 12, BALLOTS = 7 };

/* Figures from one source: a signed result, a reading, the original, the row of a collation. */
struct channel {
    enum page_word name, how;
    uint64_t entry; /* of its record */
    uint64_t ballots[BALLOTS]; /* valid, rejected, registered, objected, disputed, kit, manual */
    const uint64_t *votes;     /* ballot order */
    const struct result *result; /* NULL: it is none */
    bool holds, blind;
};

struct channels {
    struct channel at[CHANNELS_MAX];
    size_t n;
    const struct result *counted, *newest;
    const struct channel *basis; /* that the others are compared with */
};

static void part(struct page *p, enum page_word title, const char *klass) {
    html_printf(&p->h, "<div class=\"part %s\"><h3>", klass);
    html_word(&p->h, title);
    html_raw(&p->h, "</h3>\n");
}

static void part_end(struct page *p) {
    html_raw(&p->h, "</div>\n");
}


static struct channel *add(struct channels *ch, enum page_word name, enum page_word how, uint64_t entry) {
    if (ch->n == CHANNELS_MAX) return NULL;
    struct channel *x = &ch->at[ch->n++];
    *x = (struct channel){.name = name, .how = how, .entry = entry};
    for (int i = 0; i < BALLOTS; i++) x->ballots[i] = ABSENT;
    return x;
}

static void add_results(const struct fold *s, const struct cell *c, struct channels *ch) {
    for (uint32_t i = c->first_result; i != NO_RESULT; i = fold_result(s, i)->next) {
        const struct result *r = fold_result(s, i);
        struct channel *x = add(ch, W_RESULT, r->basis == BASIS_STATION ? W_BASIS_STATION : W_BASIS_PAPER,
                                r->entry);
        ch->newest = r;
        if (!x) continue;
        memcpy(x->ballots,
               (uint64_t[BALLOTS]){r->valid, r->rejected, r->registered, r->objected_votes, r->disputed,
                                   r->voters_kit, r->voters_manual},
               sizeof x->ballots);
        x->votes = result_votes(s, r);
        x->result = r;
    }
}

static void add_reading(const struct fold *s, const struct form_reading *r, enum page_word name,
                        enum page_word how, bool blind, struct channels *ch) {
    struct channel *x = add(ch, name, how, r->entry);
    if (!x) return;
    memcpy(x->ballots,
           (uint64_t[BALLOTS]){r->valid, r->rejected, r->registered, r->objected, r->disputed,
                               r->voters_kit, r->voters_manual},
           sizeof x->ballots);
    x->votes = reading_votes(s, r);
    x->blind = blind;
}

static void add_desk(const struct fold *s, const struct desk *d, struct channels *ch) {
    for (uint32_t i = d->first_seal; i != NO_SEAL; i = fold_seal(s, i)->next) {
        const struct seal *x = fold_seal(s, i);
        if (x->reading == NO_READING) continue;
        add_reading(s, fold_reading(s, x->reading), x->machine ? W_MACHINE : W_READING,
                    x->machine ? W_MACHINE : W_BY_PERSON, x->blind && !x->machine, ch);
    }
    for (uint32_t i = d->first_compared; i != NO_COMPARED; i = fold_compared(s, i)->next) {
        const struct compared *x = fold_compared(s, i);
        if (x->reading != NO_READING)
            add_reading(s, fold_reading(s, x->reading), W_ORIGINAL_SAYS, W_REC_COMPARED, false, ch);
    }
}

/* The station's row in the lowest collation above it. */
static void add_row(const struct fold *s, const struct tally *t, uint32_t station, struct channels *ch) {
    for (uint32_t u = fold_unit(s, station)->parent; u != NO_UNIT; u = fold_unit(s, u)->parent) {
        uint32_t i = fold_collation_of(s, t->contest, t->round, u);
        if (i == NO_COLLATION) continue;
        const struct collation *c = fold_collation(s, i);
        for (size_t k = 0; k < c->row_count; k++) {
            const struct collation_row *r = collation_row(s, c, k);
            struct channel *x;
            if (r->unit != station) continue;
            x = add(ch, W_COLLATION_ROW,
                    c->basis == COLLATION_PAPER ? W_BASIS_PAPER : W_COLLATED_HERE, c->entry);
            if (!x) return;
            x->ballots[0] = r->valid;
            x->ballots[1] = r->rejected;
            x->ballots[2] = r->registered;
            x->votes = collation_votes(s, r->votes_at);
            return;
        }
        return;
    }
}

static void collect(const struct fold *s, const struct tally *t, const struct cell *c,
                    struct channels *out) {
    struct figures held;
    uint64_t entry = 0;
    const struct desk *d = cell_desk(s, c);
    out->n = 0;
    out->newest = NULL;
    out->counted = cell_transmitted(s, c);
    add_results(s, c, out);
    if (d) add_desk(s, d, out);
    add_row(s, t, c->station, out);
    bool any = cell_held(s, c, &held, &entry);
    out->basis = &out->at[0];
    for (size_t i = 0; i < out->n; i++) {
        out->at[i].holds = any && out->at[i].entry == entry;
        if (out->at[i].holds) out->basis = &out->at[i];
    }
}

/* --- channels --- */

static void channel_head(struct page *p, const struct channel *x, const struct channels *ch) {
    struct html *h = &p->h;
    html_raw(h, "<th scope=\"col\" class=\"n\">");
    html_word(h, x->name);
    html_printf(h, " %llu<small>", (unsigned long long)x->entry);
    if (x->how != x->name) html_word(h, x->how);
    if (x->blind) {
        html_raw(h, ", ");
        html_word(h, W_BLIND);
    }
    html_raw(h, "</small>");
    if (x->holds || (x->result && x->result == ch->counted)) {
        html_raw(h, "<small class=\"tag ok\">");
        html_word(h, x->holds ? W_HOLDS : W_COUNTS);
        html_raw(h, "</small>");
    }
    if (x->result && x->result->superseded_by != NO_RESULT) {
        html_raw(h, "<small class=\"tag\">");
        html_word(h, W_SUPERSEDED);
        html_printf(h, " %llu</small>",
                    (unsigned long long)fold_result(p->s, x->result->superseded_by)->entry);
    }
    html_raw(h, "</th>");
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

/* n below the number of choices: a choice's votes; then their sum; then the ballot counts. */
static uint64_t figure(const struct channel *x, uint32_t n, uint32_t choices) {
    uint64_t sum = 0;
    if (n < choices) return x->votes[n];
    if (n > choices) return x->ballots[n - choices - 1];
    for (uint32_t c = 0; c < choices; c++)
        if (x->votes[c] != ABSENT) sum += x->votes[c];
    return sum;
}

static void figure_cells(struct page *p, const struct channels *ch, uint32_t n, uint32_t choices) {
    for (size_t i = 0; i < ch->n; i++) {
        const struct channel *x = &ch->at[i];
        uint64_t v = figure(x, n, choices), basis = figure(ch->basis, n, choices);
        /* a collation has no column for every count, and clerks need not enter the kit's */
        bool silent = v == ABSENT && n > choices + 2 && x != ch->basis;
        if (silent) html_raw(&p->h, "<td class=\"n\">&ndash;</td>");
        else figure_cell(&p->h, v, basis, x != ch->basis);
    }
    html_raw(&p->h, "</tr>\n");
}

static bool stated(const struct channels *ch, uint32_t n) {
    for (size_t i = 0; i < ch->n; i++)
        if (ch->at[i].ballots[n] != ABSENT) return true;
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
    for (size_t i = 0; i < ch->n; i++) channel_head(p, &ch->at[i], ch);
    html_raw(h, "</tr></thead><tbody>\n");
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!contest_has_choice(k, t->round, c)) continue;
        html_printf(h, "<tr><th scope=\"row\"><span class=\"key c%u\"></span>", c % 12);
        html_name(h, contest_choice(p->s, k, c)->name);
        html_raw(h, "</th>");
        figure_cells(p, ch, c, k->choice_count);
    }
    html_raw(h, "<tr class=\"sum\"><th scope=\"row\">");
    html_word(h, W_SUM_COMPUTED);
    html_raw(h, "</th>");
    figure_cells(p, ch, k->choice_count, k->choice_count);
    for (uint32_t n = 0; n < sizeof words / sizeof *words; n++) {
        if (n > 1 && !stated(ch, n)) continue;
        html_raw(h, "<tr><th scope=\"row\">");
        html_word(h, words[n]);
        html_raw(h, "</th>");
        figure_cells(p, ch, k->choice_count + 1 + n, k->choice_count);
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
        if (m->masked) html_plural(h, P_MASKED, m->masked);
        else html_word(h, W_NOT_MASKED);
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
    for (size_t i = ch->n; i-- > 0;)
        if (ch->at[i].result) n += images(p, ch->at[i].result->first_image);
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
        html_printf(h, " <a class=\"receipt\" href=\"%sproofs/%llu\" download=\"record-%llu.receipt\">", h->up,
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

static void desk_records(struct page *p, const struct cell *c) {
    static const enum page_word actions[] = {W_DEC_ACCEPT, W_DEC_ADOPT, W_DEC_DISREGARD, W_DEC_RELEASE};
    enum page_lang l = p->h.lang;
    const struct desk *d = cell_desk(p->s, c);
    const struct place *at = fold_place(p->s, c->contest, c->round, c->station);
    for (uint32_t i = d ? d->first_seal : NO_SEAL; i != NO_SEAL; i = fold_seal(p->s, i)->next) {
        const struct seal *x = fold_seal(p->s, i);
        record(p, x->entry, x->ms, page_word(l, W_REC_SEAL), x->machine ? page_word(l, W_MACHINE) : NULL);
        if (x->reading != NO_READING)
            record(p, fold_reading(p->s, x->reading)->entry, x->opened_ms, page_word(l, W_REC_OPEN), NULL);
    }
    for (uint32_t i = d ? d->first_compared : NO_COMPARED; i != NO_COMPARED; i = fold_compared(p->s, i)->next) {
        const struct compared *x = fold_compared(p->s, i);
        record(p, x->entry, x->ms, page_word(l, W_REC_COMPARED),
               page_word(l, x->reading == NO_READING ? W_REC_SAME : W_DIFFERS));
    }
    for (uint32_t i = at ? at->first_decision : NO_DECISION; i != NO_DECISION; i = fold_decision(p->s, i)->next) {
        const struct decision *x = fold_decision(p->s, i);
        record(p, x->entry, x->ms, page_word(l, W_REC_DECISION), page_word(l, actions[x->action % 4]));
    }
}

static void timeline(struct page *p, const struct cell *c) {
    part(p, W_TIMELINE, "records");
    html_raw(&p->h, "<ol class=\"timeline\">\n");
    for (uint32_t i = c->first_result; i != NO_RESULT; i = fold_result(p->s, i)->next) {
        const struct result *r = fold_result(p->s, i);
        record(p, r->entry, r->ms, page_word(p->h.lang, W_REC_RESULT),
               page_word(p->h.lang, r->basis == BASIS_STATION ? W_BASIS_STATION : W_BASIS_PAPER));
        image_records(p, r->first_image);
    }
    image_records(p, c->first_image);
    desk_records(p, c);
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
    struct channels ch;
    ch.n = 0;
    if (c) collect(p->s, t, c, &ch);
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
        if (ch.newest) signed_by(p, ch.counted ? ch.counted : ch.newest);
        timeline(p, c);
    }
    html_raw(h, "</article>\n");
}
