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

static err draw_header(struct canvas *c, const struct print_form *form,
                       const struct form_code *code, struct fail *f) {
    char text[CODE_TEXT_MAX], line[400];
    TRY(form_code_text(code, text, f));
    TRY(canvas_qr(c, span_text(text), form_qr_at(), f));
    TRY(draw_strip(c, code, f));
    for (unsigned m = 0; m < FORM_MARKERS; m++) draw_marker(c, m);
    snprintf(line, sizeof line, "FORM / FOMU %s", code->form);
    canvas_text(c, at(20, 8, 60, 7), 15, TEXT_BOLD, line);
    canvas_text(c, at(80, 8, 80, 4), 7, TEXT_RIGHT, form->regulation);
    snprintf(line, sizeof line, "Serial / Nambari: %010" PRIu64 "   Page / Ukurasa %u / %u",
             code->serial, code->page, code->pages);
    canvas_text(c, at(70, 11.5, 92, 4), 7.2, TEXT_RIGHT | TEXT_MONO, line);
    canvas_text(c, at(20, 15.5, 142, 4.5), 9, TEXT_BOLD, form->contest_en);
    canvas_text(c, at(20, 19.5, 142, 4.5), 8.5, TEXT_PLAIN, form->contest_sw);
    snprintf(line, sizeof line, "Polling station / Kituo: %s", form->station);
    canvas_text(c, at(20, 24, 142, 4.5), 9, TEXT_BOLD, line);
    snprintf(line, sizeof line, "Code / Msimbo: %s    Stream / Mkondo: %s", code->station,
             form->stream);
    canvas_text(c, at(20, 28, 142, 4.5), 9, TEXT_PLAIN, line);
    snprintf(line, sizeof line, "Ward / Wadi: %s    Constituency / Eneo bunge: %s", form->ward,
             form->constituency);
    canvas_text(c, at(20, 32, 142, 4.2), 8, TEXT_PLAIN, line);
    snprintf(line, sizeof line, "County / Kaunti: %s", form->county);
    canvas_text(c, at(20, 35.8, 142, 4.2), 8, TEXT_PLAIN, line);
    canvas_text(c, at(18, 39.8, 174, 3.6), 6.5, TEXT_MONO, text);
    if (form->anchor[0]) {
        snprintf(line, sizeof line, "Trust anchor / Nanga: %s", form->anchor);
        canvas_text(c, at(18, 43, 174, 3.4), 6.2, TEXT_MONO, line);
    }
    if (form->simulated)
        canvas_text(c, at(18, 281, 174, 6), 11, TEXT_BOLD | TEXT_CENTRE,
                    "SIMULATED - not a form of any election / SI FOMU HALISI");
    return OK;
}

static void draw_instructions(struct canvas *c) {
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    canvas_paragraph(
        c, at(18, 46.4, 117, 9.4), 5.6, TEXT_PLAIN,
        "One digit in each box, at the right; put a dash in boxes not used. A mistake: strike "
        "every "
        "box of the row with X, write the figure again under CORRECTION, and sign beside it.\n"
        "Tarakimu moja katika kila kisanduku, kulia; weka kistari kwenye visanduku visivyotumika. "
        "Kosa: piga X kila kisanduku, andika upya kwenye MASAHIHISHO, na utie sahihi.");
    for (unsigned i = 0; i < 10; i++) {
        const struct rect_mm r = at(136 + 5.6 * i, 47, 4.8, 6);
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
    canvas_text(c, at(r->label.x + 1, r->label.y + 1, r->label.w - 2, 5.2), 8.5, TEXT_BOLD, top);
    canvas_text(c, at(r->label.x + 1, r->label.y + 6, r->label.w - 2, 4.5), 7, TEXT_PLAIN, low);
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

err print_form_page(struct canvas *c, const struct print_form *form, unsigned page,
                    struct fail *f) {
    struct layout_page p;
    struct form_code code = form->code;
    code.page = page;
    code.pages = form_page_count(code.shape);
    TRY(form_layout(code.shape, page, &p, f));
    if (form->simulated) canvas_watermark(c, "SIMULATED");
    if (form->copy[0]) canvas_watermark(c, form->copy);
    TRY(draw_header(c, form, &code, f));
    if (p.row_count)
        draw_figures(c, form, &p);
    else
        draw_attestation(c, &p);
    draw_signatures(c, &p);
    canvas_page_end(c);
    return OK;
}

err print_form(struct canvas *c, const struct print_form *form, struct fail *f) {
    for (unsigned page = 1; page <= form_page_count(form->code.shape); page++)
        TRY(print_form_page(c, form, page, f));
    return OK;
}
