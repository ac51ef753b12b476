/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/print.h"

#include <inttypes.h>
#include <stdio.h>
#include "paper/qr.h"

static struct rect_mm at(double x, double y, double w, double h) {
    return (struct rect_mm){x, y, w, h};
}

static void draw_marker(struct canvas *c, unsigned m) {
    uint8_t dark[MARKER_CELLS * MARKER_CELLS];
    memset(dark, 1, sizeof dark);
    for (unsigned i = 0; i < 16; i++)
        dark[(1 + i / 4) * MARKER_CELLS + 1 + i % 4] = form_marker_bits(m) >> (15 - i) & 1;
    canvas_cells(c, form_marker_at(m), MARKER_CELLS, MARKER_CELLS, dark);
}

static err draw_strip(struct canvas *c, const struct form_code *code, struct fail *f) {
    uint8_t bits[CODE_STRIP_BYTES], dark[CODE_STRIP_BITS];
    TRY(form_strip_pack(code, bits, f));
    for (unsigned i = 0; i < CODE_STRIP_BITS; i++) dark[i] = bits[i / 8] >> (7 - i % 8) & 1;
    canvas_cells(c, form_strip_at(), FORM_STRIP_COLUMNS, FORM_STRIP_ROWS, dark);
    return OK;
}

static struct hash after(const struct hash *h, const char *text) {
    return sha256_2(hash_span(h), span_of(text, strlen(text) + 1));
}

/* Everything that draw_common shows. */
static struct hash common_key(const struct print_form *form, unsigned page) {
    const char *const text[] = {form->code.form,  form->regulation, form->contest_en,
                                form->contest_sw, form->anchor,     form->copy};
    const unsigned number[] = {page, form->code.shape.choices, form->code.shape.boxes,
                               form->simulated};
    struct hash h = sha256(span_of(number, sizeof number));
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) h = after(&h, text[i]);
    for (unsigned i = 0; i < form->code.shape.choices; i++) {
        h = after(&h, form->choices[i].name);
        h = after(&h, form->choices[i].party);
    }
    return h;
}

/* ---- what every station's page has in common ---- */

static void draw_titles(struct canvas *c, const struct print_form *form) {
    char line[400];
    for (unsigned m = 0; m < FORM_MARKERS; m++) draw_marker(c, m);
    snprintf(line, sizeof line, "FORM / FOMU %s", form->code.form);
    canvas_text(c, at(20, 8, 60, 7), 15, TEXT_BOLD, line);
    canvas_text(c, at(80, 8, 80, 4), 7, TEXT_RIGHT, form->regulation);
    snprintf(line, sizeof line, "%s%s%s", form->contest_en, form->contest_sw[0] ? " / " : "",
             form->contest_sw);
    canvas_text(c, at(20, 15.5, 142, 5), 10, TEXT_BOLD | TEXT_FIT, line);
    if (form->anchor[0]) {
        snprintf(line, sizeof line, "Trust anchor / Nanga: %s", form->anchor);
        canvas_text(c, at(18, 279.5, 174, 3.2), 6.2, TEXT_MONO | TEXT_CENTRE, line);
    }
    if (form->simulated)
        canvas_text(c, at(18, 283.2, 174, 6), 11, TEXT_BOLD | TEXT_CENTRE,
                    "SIMULATED - not a form of any election / SI FOMU HALISI");
}

/* ---- what is this station's own ---- */

static err draw_station(struct canvas *c, const struct print_form *form,
                        const struct form_code *code, struct fail *f) {
    char text[CODE_TEXT_MAX], line[400];
    const bool stream = form->stream[0] != 0;
    TRY(form_code_text(code, text, f));
    TRY(canvas_qr(c, span_text(text), form_qr_at(), f));
    TRY(draw_strip(c, code, f));
    snprintf(line, sizeof line, "Serial / Nambari: %010" PRIu64 "   Page / Ukurasa %u / %u",
             code->serial, code->page, code->pages);
    canvas_text(c, at(70, 11.5, 92, 4), 7.2, TEXT_RIGHT | TEXT_MONO, line);
    snprintf(line, sizeof line, "Polling station / Kituo: %s", form->station);
    canvas_text(c, at(20, 21, 142, 5.5), 11, TEXT_BOLD | TEXT_FIT, line);
    snprintf(line, sizeof line, "Code / Msimbo: %s%s%s", code->station,
             stream ? "    Stream / Mkondo: " : "", form->stream);
    canvas_text(c, at(20, 26.6, 142, 4.8), 10, TEXT_PLAIN | TEXT_FIT, line);
    snprintf(line, sizeof line, "Ward / Wadi: %s    Constituency / Eneo bunge: %s", form->ward,
             form->constituency);
    canvas_text(c, at(20, 31.4, 142, 4.2), 8, TEXT_PLAIN | TEXT_FIT, line);
    snprintf(line, sizeof line, "County / Kaunti: %s", form->county);
    canvas_text(c, at(20, 35.4, 142, 4.2), 8, TEXT_PLAIN | TEXT_FIT, line);
    canvas_text(c, at(18, 269.6, 174, 3.2), 6.5, TEXT_MONO | TEXT_CENTRE, text);
    return OK;
}

static void draw_instructions(struct canvas *c) {
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    static const char *const rules[] = {
        "One digit in each box, at the right. A dash in every box not used.",
        "Tarakimu moja katika kila kisanduku, kulia. Kistari katika kisanduku kisichotumika.",
        "Mistake: X through every box of the row, write it again under CORRECTION, sign beside it.",
        "Kosa: piga X kila kisanduku cha safu, andika upya kwenye MASAHIHISHO, tia sahihi kando."};
    for (unsigned i = 0; i < 4; i++)
        canvas_text(c, at(18, 40.2 + 3.6 * i, i < 2 ? 116 : 174, 3.6), 8,
                    TEXT_FIT | (i % 2 ? TEXT_PLAIN : TEXT_BOLD), rules[i]);
    for (unsigned i = 0; i < 10; i++) {
        const struct rect_mm r = at(136 + 5.6 * i, 40, 4.8, 6);
        canvas_frame(c, r, 0.15, 0.5);
        canvas_text(c, r, 11, TEXT_CENTRE, digits[i]);
    }
}

static void draw_row(struct canvas *c, const struct print_form *form, const struct layout_row *r) {
    static const char *const en[FORM_COUNT_ROWS] = {
        "Registered voters", "Voters identified by the kit", "Voters identified by hand",
        "Rejected ballots",  "Rejections objected to",       "Disputed votes",
        "TOTAL VALID VOTES"};
    static const char *const sw[FORM_COUNT_ROWS] = {
        "Wapiga kura walioandikishwa", "Waliotambuliwa kwa kifaa", "Waliotambuliwa kwa mkono",
        "Kura zilizokataliwa",         "Kukataliwa kulikopingwa",  "Kura zenye mzozo",
        "JUMLA YA KURA HALALI"};
    const unsigned choices = form->code.shape.choices;
    char number[12];
    snprintf(number, sizeof number, "%c%u", r->index < choices ? ' ' : 'C',
             r->index < choices ? r->index + 1 : r->index - choices + 1);
    /* no rule crosses the boxes' columns: a line beside a box's own could be taken for it */
    canvas_frame(c, at(r->row.x, r->row.y, 6 + r->label.w, r->row.h), 0.2, 0);
    canvas_frame(c, r->words, 0.2, 0);
    canvas_text(c, at(r->row.x, r->row.y, 6, r->row.h), 7.5, TEXT_CENTRE, number);
    const char *top = r->index < choices ? form->choices[r->index].name : en[r->index - choices];
    const char *low = r->index < choices ? form->choices[r->index].party : sw[r->index - choices];
    char total[80];
    if (r->index == choices + FORM_COUNT_ROWS - 1) { /* what adds up to it */
        snprintf(total, sizeof total, "%s (1 - %u)", low, choices);
        low = total;
    }
    canvas_text(c, at(r->label.x + 1, r->label.y + 1, r->label.w - 2, 5.2), 9.5,
                TEXT_BOLD | TEXT_FIT, top);
    canvas_text(c, at(r->label.x + 1, r->label.y + 6, r->label.w - 2, 4.5), 7.5, TEXT_FIT, low);
    for (unsigned i = 0; i < form->code.shape.boxes; i++) {
        canvas_frame(c, r->figure[i], 0.35, 0);
        canvas_frame(c, r->correction[i], 0.35, 0);
    }
    canvas_line(c, r->words.x + 1, r->words.y + 8.5, r->words.x + r->words.w - 1, r->words.y + 8.5,
                0.15, 0.4);
}

static void draw_figures(struct canvas *c, const struct print_form *form,
                         const struct layout_page *p) {
    const struct layout_row *r = &p->rows[0];
    const unsigned n = form->code.shape.boxes;
    draw_instructions(c);
    canvas_text(c, at(r->label.x, 55.6, r->label.w, 4.2), 7, TEXT_BOLD, "Candidate / Mgombea");
    canvas_text(c, at(r->figure[0].x, 55.6, r->figure[n - 1].x + 8 - r->figure[0].x, 4.2), 7,
                TEXT_BOLD | TEXT_CENTRE, "FIGURES / TARAKIMU");
    if (r->words.w > 20)
        canvas_text(c, at(r->words.x, 55.6, r->words.w, 4.2), 7, TEXT_BOLD | TEXT_CENTRE,
                    "In words / Kwa maneno");
    canvas_text(
        c, at(r->correction[0].x - 2, 55.6, r->correction[n - 1].x + 12 - r->correction[0].x, 4.2),
        7, TEXT_BOLD | TEXT_CENTRE, "CORRECT. / MASAHIHISHO");
    for (unsigned i = 0; i < p->row_count; i++) draw_row(c, form, &p->rows[i]);
}

static void draw_signatures(struct canvas *c, const struct layout_page *p) {
    for (unsigned i = 0; i < p->zone_count; i++) {
        const struct layout_zone *z = &p->zones[i];
        const char *text = z->kind == ZONE_SIGNATURE_OFFICER
                               ? "Presiding officer / Msimamizi: name, signature, time"
                           : z->kind == ZONE_SIGNATURE_DEPUTY
                               ? "Deputy / Naibu: name, signature, time"
                           : z->kind == ZONE_STAMP ? "Stamp / Muhuri"
                                                   : NULL;
        if (!text) continue;
        canvas_frame(c, z->at, 0.3, 0);
        canvas_text(c, at(z->at.x + 1, z->at.y + 0.3, z->at.w - 2, 3.4), 6, TEXT_PLAIN, text);
    }
}

static void draw_attestation(struct canvas *c, const struct layout_page *p) {
    static const struct {
        enum zone_kind kind;
        const char *text;
    } heads[] = {{ZONE_AGENT_NAME, "Name / Jina"},
                 {ZONE_AGENT_ID, "ID / Kitambulisho"},
                 {ZONE_AGENT_PHONE, "Telephone / Simu"},
                 {ZONE_AGENT_PARTY, "Party / Chama"},
                 {ZONE_AGENT_SIGNATURE, "Signature, or: refused / absent"}};
    canvas_paragraph(
        c, at(18, 47, 174, 12), 8, TEXT_PLAIN,
        "We declare that the figures on the pages before this one are the result of the "
        "count at this station. / Tunatangaza kwamba tarakimu zilizo kwenye kurasa "
        "zilizotangulia ni matokeo ya hesabu katika kituo hiki.");
    canvas_text(c, at(18, 60, 174, 4.5), 8.5, TEXT_BOLD,
                "Agents of candidates and parties / Mawakala wa wagombea na vyama");
    for (unsigned i = 0; i < p->zone_count; i++) {
        const struct layout_zone *z = &p->zones[i];
        if (z->kind < ZONE_AGENT_NAME) continue;
        canvas_frame(c, z->at, 0.2, 0);
        if (z->kind == ZONE_REMARKS) continue;
        if (z->kind == ZONE_AGENT_NAME) {
            char n[8];
            snprintf(n, sizeof n, "%u", z->index + 1);
            canvas_text(c, at(z->at.x - 6, z->at.y, 6, z->at.h), 7.5, TEXT_CENTRE, n);
        }
        for (size_t h = 0; z->index == 0 && h < sizeof heads / sizeof *heads; h++)
            if (heads[h].kind == z->kind)
                canvas_text(c, at(z->at.x + 0.5, z->at.y - 5, z->at.w - 1, 5), 6.5, TEXT_PLAIN,
                            heads[h].text);
    }
    canvas_text(c, at(18, 174, 174, 4.5), 8.5, TEXT_BOLD,
                "Reasons for refusing to sign; remarks of the presiding officer");
    canvas_text(c, at(18, 178.5, 174, 4.5), 8, TEXT_PLAIN,
                "Sababu za kukataa kutia sahihi; maoni ya msimamizi");
}

static void draw_common(struct canvas *c, const struct print_form *form,
                        const struct layout_page *p) {
    if (form->simulated) canvas_watermark(c, "SIMULATED");
    if (form->copy[0]) canvas_watermark(c, form->copy);
    draw_titles(c, form);
    if (p->row_count)
        draw_figures(c, form, p);
    else
        draw_attestation(c, p);
    draw_signatures(c, p);
}

err print_form_page(struct canvas *c, const struct print_form *form, unsigned page,
                    struct fail *f) {
    struct layout_page p;
    struct form_code code = form->code;
    code.page = page;
    code.pages = form_page_count(code.shape);
    TRY(form_layout(code.shape, page, &p, f));
    const struct hash key = common_key(form, page);
    if (canvas_shared_begin(c, &key)) {
        draw_common(c, form, &p);
        canvas_shared_end(c);
    }
    TRY(draw_station(c, form, &code, f));
    canvas_page_end(c);
    return OK;
}

err print_form(struct canvas *c, const struct print_form *form, struct fail *f) {
    for (unsigned page = 1; page <= form_page_count(form->code.shape); page++)
        TRY(print_form_page(c, form, page, f));
    return OK;
}
