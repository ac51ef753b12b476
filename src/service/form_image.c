/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/form_image.h"

#include <stdio.h>
#include <stdlib.h>
#include "paper/image.h"

enum {
    WIDTH = 400,
    STRIDE = WIDTH / 8,
    MARGIN = 16,
    ROW = 18,     /* a line of the table */
    CELL_X = 300, /* where figures begin */
    GLYPH_W = 5,
    GLYPH_H = 7,
    HEAD = 130,
    TAIL = 120,
    BIG = 7,         /* scales of the word across the page, sideways and down */
    TALL = 20,
};

/* Glyphs of 5 x 7, a byte a row, bit 4 leftmost: from ' ' to '_'; lower case is drawn as capitals.
 */
static const uint8_t font[64][GLYPH_H] = {
    {0},                                        /*   */
    {0x04, 0x04, 0x04, 0x04, 0x04, 0x00, 0x04}, /* ! */
    {0x0a, 0x0a, 0x0a, 0x00, 0x00, 0x00, 0x00}, /* " */
    {0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a}, /* # */
    {0x04, 0x0f, 0x14, 0x0e, 0x05, 0x1e, 0x04}, /* $ */
    {0x18, 0x19, 0x02, 0x04, 0x08, 0x13, 0x03}, /* % */
    {0x0c, 0x12, 0x14, 0x08, 0x15, 0x12, 0x0d}, /* & */
    {0x0c, 0x04, 0x08, 0x00, 0x00, 0x00, 0x00}, /* ' */
    {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02}, /* ( */
    {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08}, /* ) */
    {0x00, 0x0a, 0x04, 0x1f, 0x04, 0x0a, 0x00}, /* * */
    {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00}, /* + */
    {0x00, 0x00, 0x00, 0x00, 0x0c, 0x04, 0x08}, /* , */
    {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}, /* - */
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}, /* . */
    {0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x00}, /* / */
    {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}, /* 0 */
    {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}, /* 1 */
    {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}, /* 2 */
    {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e}, /* 3 */
    {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}, /* 4 */
    {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}, /* 5 */
    {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}, /* 6 */
    {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}, /* 7 */
    {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}, /* 8 */
    {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}, /* 9 */
    {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00}, /* : */
    {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x04, 0x08}, /* ; */
    {0x02, 0x04, 0x08, 0x10, 0x08, 0x04, 0x02}, /* < */
    {0x00, 0x00, 0x1f, 0x00, 0x1f, 0x00, 0x00}, /* = */
    {0x08, 0x04, 0x02, 0x01, 0x02, 0x04, 0x08}, /* > */
    {0x0e, 0x11, 0x01, 0x02, 0x04, 0x00, 0x04}, /* ? */
    {0x0e, 0x11, 0x01, 0x0d, 0x15, 0x15, 0x0e}, /* @ */
    {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, /* A */
    {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e}, /* B */
    {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}, /* C */
    {0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e}, /* D */
    {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}, /* E */
    {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10}, /* F */
    {0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f}, /* G */
    {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, /* H */
    {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}, /* I */
    {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c}, /* J */
    {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11}, /* K */
    {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f}, /* L */
    {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}, /* M */
    {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11}, /* N */
    {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}, /* O */
    {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10}, /* P */
    {0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d}, /* Q */
    {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}, /* R */
    {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}, /* S */
    {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}, /* T */
    {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}, /* U */
    {0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04}, /* V */
    {0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11}, /* W */
    {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11}, /* X */
    {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04}, /* Y */
    {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f}, /* Z */
    {0x0e, 0x08, 0x08, 0x08, 0x08, 0x08, 0x0e}, /* [ */
    {0x00, 0x10, 0x08, 0x04, 0x02, 0x01, 0x00}, /* \ */
    {0x0e, 0x02, 0x02, 0x02, 0x02, 0x02, 0x0e}, /* ] */
    {0x04, 0x0a, 0x11, 0x00, 0x00, 0x00, 0x00}, /* ^ */
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f}, /* _ */
};
static const uint8_t box[GLYPH_H] = {0x1f, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1f};

/* One bit a pixel, 1 is white; outside is ignored. */
struct page {
    uint8_t *bits;
    int height;
};

static void dot(struct page *p, int x, int y) {
    if (x < 0 || x >= WIDTH || y < 0 || y >= p->height) return;
    p->bits[y * STRIDE + x / 8] &= (uint8_t) ~(0x80u >> (x % 8));
}

/* White paper, in whole bytes of pixels. */
static void clear(struct page *p, int x, int y, int width, int height) {
    for (int row = y; row < y + height && row < p->height; row++)
        for (int i = x / 8; i < (x + width + 7) / 8 && i < STRIDE; i++)
            p->bits[row * STRIDE + i] = 0xff;
}

static void line_across(struct page *p, int y) {
    if (y >= 0 && y < p->height)
        for (int x = MARGIN / 8; x < (WIDTH - MARGIN) / 8; x++) p->bits[y * STRIDE + x] = 0;
}

static void line_down(struct page *p, int x, int from, int to) {
    for (int y = from; y <= to; y++) dot(p, x, y);
}

static const uint8_t *glyph(uint8_t c) {
    if (c >= 'a' && c <= 'z') c = (uint8_t)(c - 32);
    return c >= ' ' && c <= '_' ? font[c - ' '] : box;
}

/* A row of a glyph with each pixel `scale` times, its left end in the highest bit. */
static uint32_t row_bits(uint8_t row, int scale) {
    uint32_t ink = 0;
    if (scale == 1) return (uint32_t)row << 27;
    for (int col = 0; col < GLYPH_W; col++)
        if (row & (0x10 >> col)) ink |= 0xc0000000u >> (2 * col);
    return ink;
}

/* One glyph of scale 1 or 2, wholly inside the page. */
static void glyph_draw(struct page *p, int x, int y, int scale, const uint8_t *g) {
    uint8_t *at = p->bits + y * STRIDE + x / 8;
    int bytes = (x % 8 + GLYPH_W * scale + 7) / 8;
    for (int row = 0; row < GLYPH_H; row++) {
        uint32_t ink = row_bits(g[row], scale) >> (x % 8);
        for (int k = 0; k < scale; k++, at += STRIDE)
            for (int i = 0; i < bytes; i++) at[i] &= (uint8_t) ~(ink >> (24 - 8 * i));
    }
}

/* Draws as many characters as fit before `right`; returns where it ended. A character of several
 * bytes is one box. */
static int text_draw(struct page *p, int x, int y, int scale, int right, struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] & 0xc0) == 0x80) continue;
        if (x < 0 || y < 0 || x + GLYPH_W * scale > right || y + GLYPH_H * scale > p->height) break;
        glyph_draw(p, x, y, scale, glyph(s.p[i]));
        x += (GLYPH_W + 1) * scale;
    }
    return x;
}

static int text_c(struct page *p, int x, int y, int scale, const char *s) {
    return text_draw(p, x, y, scale, WIDTH - MARGIN, span_text(s));
}

static void number_draw(struct page *p, int y, struct preset_cell v) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v.value);
    if (!v.present) return;
    int x = WIDTH - MARGIN - 6 - n * 12;
    clear(p, x - 4, y - 1, n * 12 + 6, 2 * GLYPH_H + 2);
    text_draw(p, x, y, 2, WIDTH, span_of(digits, (size_t)n));
}

/* The word across the whole page, each letter lower than the one before, in a light screen of dots:
 * what stands below stays readable. Rows of dots, every third one, compress well. */
static void simulated_across(struct page *p) {
    static const char word[] = "SIMULATED";
    int n = (int)sizeof word - 1, advance = (WIDTH - 2 * MARGIN) / n, from = p->height / 5;
    for (int i = 0; i < n; i++) {
        const uint8_t *g = glyph((uint8_t)word[i]);
        int left = MARGIN + i * advance, top = from + i * 10;
        for (int y = 0; y < GLYPH_H * TALL && top + y < p->height; y++) {
            uint8_t *row = p->bits + (top + y) * STRIDE;
            for (int x = 0; (top + y) % 3 == 0 && x < GLYPH_W * BIG; x++)
                if ((g[y / TALL] & (0x10 >> (x / BIG))) && (left + x) % 2)
                    row[(left + x) / 8] &= (uint8_t) ~(0x80u >> ((left + x) % 8));
        }
    }
}

static int head_draw(struct page *p, const struct form_image *m) {
    char line[200];
    int x = text_c(p, MARGIN, 12, 2, "SIMULATED  FORM ");
    text_draw(p, x, 12, 2, WIDTH - MARGIN - 56, m->form);
    if (m->copy) text_c(p, WIDTH - MARGIN - 48, 12, 2, "COPY");
    text_draw(p, MARGIN, 32, 1, WIDTH - MARGIN, m->election);
    text_draw(p, MARGIN, 42, 1, WIDTH - MARGIN, m->contest);
    line_across(p, 54);
    text_draw(p, MARGIN, 60, 1, WIDTH - MARGIN, m->station);
    snprintf(line, sizeof line, "%.*s  STREAM %u OF %u", SPAN_ARG(m->code), m->stream, m->streams);
    text_c(p, MARGIN, 71, 2, line);
    int y = 92;
    for (uint32_t i = 0; i < m->area_count; i++) { /* two a line */
        int left = i % 2 ? WIDTH / 2 : MARGIN, right = i % 2 ? WIDTH - MARGIN : WIDTH / 2 - 8;
        x = text_draw(p, left, y, 1, right, m->area_levels[i]);
        text_draw(p, x + 6, y, 1, right, m->areas[i]);
        if (i % 2) y += 11;
    }
    return m->area_count % 2 ? y + 11 : y;
}

static int label_draw(struct page *p, int y, struct span name) {
    return text_draw(p, MARGIN + 6, y + 6, 1, CELL_X - 4, name);
}

static int table_draw(struct page *p, const struct form_image *m, int y) {
    int top = y;
    for (uint32_t i = 0; i < m->choice_count; i++, y += ROW) {
        line_across(p, y);
        int x = label_draw(p, y, m->choices[i].name);
        text_draw(p, x + 12, y + 6, 1, CELL_X - 4, m->choices[i].party);
        number_draw(p, y + 2, (struct preset_cell){true, m->votes[i]});
    }
    const struct {
        const char *name;
        struct preset_cell v;
    } counts[] = {{"TOTAL VALID VOTES", m->valid},
                  {"REGISTERED VOTERS", m->registered},
                  {"REJECTED BALLOT PAPERS", m->rejected},
                  {"REJECTION OBJECTED TO", m->objected},
                  {"DISPUTED VOTES", m->disputed}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++, y += ROW) {
        line_across(p, y);
        if (i == 0) line_across(p, y + 1);
        (void)label_draw(p, y, span_text(counts[i].name));
        number_draw(p, y + 2, counts[i].v);
    }
    line_across(p, y);
    line_down(p, MARGIN, top, y);
    line_down(p, CELL_X, top, y);
    line_down(p, WIDTH - MARGIN - 1, top, y);
    return y + 10;
}

/* Small print, broken at blanks. */
static int notice_draw(struct page *p, int y, struct span s) {
    enum { PER_LINE = (WIDTH - 2 * MARGIN) / (GLYPH_W + 1) };
    while (s.n) {
        size_t n = s.n;
        if (n > PER_LINE) {
            n = PER_LINE;
            while (n > 1 && s.p[n] != ' ') n--;
            if (n == 1) n = PER_LINE;
        }
        text_draw(p, MARGIN, y, 1, WIDTH - MARGIN, span_of(s.p, n));
        y += 10;
        s = span_from(s, n);
        if (s.n && s.p[0] == ' ') s = span_from(s, 1);
    }
    return y;
}

/* The agents' table: people's names and signatures on a real form. Returns where it ends. */
static int agents_draw(struct page *p, const struct form_image *m, int y) {
    char line[120];
    snprintf(line, sizeof line, "AGENTS PRESENT %d  SIGNED %d",
             __builtin_popcountll(m->agents_present), __builtin_popcountll(m->agents_signed));
    text_c(p, MARGIN, y, 1, line);
    y += 12;
    for (uint32_t i = 0, x = MARGIN; i < m->choice_count && i < PRESET_CHOICES_MAX; i++) {
        if (!(m->agents_present >> i & 1)) continue;
        bool signs = m->agents_signed >> i & 1;
        int end = text_draw(p, (int)x, y, 1, WIDTH - MARGIN, m->choices[i].id);
        end = text_c(p, end, y, 1, signs ? " SIGNED" : " REFUSED");
        x = (uint32_t)end + 14;
        if (x + 110 > WIDTH - MARGIN) {
            x = MARGIN;
            y += 12;
        }
    }
    return y + 12;
}

static void fill(struct page *p, int x, int y, int width, int height) {
    for (int row = y; row < y + height; row++)
        for (int i = x; i < x + width; i++) dot(p, i, row);
}

static err encode(const struct page *p, struct buf *out, struct fail *f) {
    return png_write_bits(p->bits, WIDTH, p->height, "SIMULATED", out, f);
}

/* Draws, encodes, and, where a public version is wanted, masks and encodes that. */
static err draw(struct page *p, const struct form_image *m, struct buf *original,
                struct buf *shown, uint32_t masked[4], struct fail *f) {
    simulated_across(p);
    int y = head_draw(p, m);
    y = table_draw(p, m, y + 6);
    y = notice_draw(p, y, m->notice) + 8;
    int end = agents_draw(p, m, y);
    TRY(encode(p, original, f));
    if (!shown) return OK;
    if (end > p->height) end = p->height;
    fill(p, MARGIN, y - 2, WIDTH - 2 * MARGIN, end - y + 2);
    masked[0] = MARGIN;
    masked[1] = (uint32_t)(y - 2);
    masked[2] = WIDTH - 2 * MARGIN;
    masked[3] = (uint32_t)(end - y + 2);
    return encode(p, shown, f);
}

err form_image_draw_both(const struct form_image *m, struct buf *original, struct buf *shown,
                         uint32_t masked[4], struct fail *f) {
    struct page p = {.height = HEAD + ROW * ((int)m->choice_count + 5) + TAIL};
    p.bits = malloc((size_t)p.height * STRIDE);
    if (!p.bits) return fail_set(f, E_MEMORY, "the form's image does not fit in memory");
    memset(p.bits, 0xff, (size_t)p.height * STRIDE);
    err e = draw(&p, m, original, shown, masked, f);
    free(p.bits);
    return e;
}

err form_image_draw(const struct form_image *m, struct buf *out, struct fail *f) {
    return form_image_draw_both(m, out, NULL, NULL, f);
}

void form_image_of(const struct expansion *x, uint32_t index, struct form_image *out) {
    const struct expand_figures *g = &x->figures[index];
    const struct expand_station *s = &x->stations[g->station];
    const struct preset_contest *c = &x->contests[g->contest];
    *out = (struct form_image){.election = x->preset->title,
                               .contest = c->title,
                               .notice = x->preset->simulated,
                               .form = x->preset->kinds[c->kind].station_form,
                               .station = s->name,
                               .code = s->code,
                               .stream = s->stream,
                               .streams = s->streams,
                               .choices = c->choices,
                               .choice_count = c->choice_count,
                               .votes = g->votes,
                               .registered = s->registered,
                               .valid = g->valid,
                               .rejected = g->rejected,
                               .objected = g->objected,
                               .disputed = g->disputed,
                               .agents_present = g->agents_present,
                               .agents_signed = g->agents_signed};
    for (uint32_t u = s->unit; u != PRESET_NO_UNIT && x->units[u].level > 0;
         u = x->units[u].parent) {
        if (x->preset->centre && u == s->unit) continue; /* it is the station's name */
        out->areas[out->area_count] = x->units[u].name;
        out->area_levels[out->area_count++] = x->preset->levels[x->units[u].level].name;
    }
}
