/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/maps.h"

#include <stdlib.h>
#include "stats/forensics/about.h"

enum { WIDE = 640, TOP = 34, MARGIN = 8, LEGEND = 64, SQUARE = 14 };
static const char *const colour[MAP_SHADES] = {"#eeeeee", "#b5cbe2", "#4a7aad", "#b4561f"};

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the map does not fit in the memory allowed");
}

err map_findings(const struct fx_report *r, size_t level, struct arena *mem, struct map_area **out,
                 struct fail *f) {
    const struct fx_table *t = r->table;
    struct map_area *a = *out = arena_array(mem, t->level[level].count + 1, sizeof *a);
    if (!a) return no_memory(f);
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *x = &r->list.at[i];
        if (x->level != (int)level || x->is == FX_NA || x->is == FX_EXPLORATORY) continue;
        struct map_area *to = &a[x->area];
        if (to->shade == MAP_UNTESTED) to->shade = MAP_NOTHING;
        if (x->is == FX_FACT) to->facts += (uint32_t)x->value;
        if (x->is == FX_ANOMALY) {
            to->anomalies++;
            to->methods |= 1u << x->method;
        }
    }
    /* arithmetic looks at every station and lists only areas where something is wrong */
    for (size_t i = 0; i < t->n; i++)
        if (a[t->level[level].of[i]].shade == MAP_UNTESTED) a[t->level[level].of[i]].shade = MAP_NOTHING;
    for (size_t k = 0; k < t->level[level].count; k++)
        if (a[k].anomalies) a[k].shade = MAP_ANOMALY;
        else if (a[k].facts) a[k].shade = MAP_FACT;
    return OK;
}

static struct span last_part(struct span path) {
    size_t from = path.n;
    while (from && path.p[from - 1] != '/') from--;
    return span_from(path, from);
}

static int next_letter(struct span *s) {
    while (s->n) {
        uint8_t c = s->p[0];
        *s = span_from(*s, 1);
        if (c >= 'a' && c <= 'z') return c - 'a' + 'A';
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80) return c;
    }
    return -1;
}

/* Letters and digits alone, whatever their case: MURANG'A is Muranga. */
static int compare_names(struct span a, struct span b) {
    for (;;) {
        int x = next_letter(&a), y = next_letter(&b);
        if (x != y) return x < y ? -1 : 1;
        if (x < 0) return 0;
    }
}

struct named {
    struct span name;
    uint32_t area;
};

static int by_name(const void *x, const void *y) {
    return compare_names(((const struct named *)x)->name, ((const struct named *)y)->name);
}

static uint32_t find(const struct named *at, size_t n, struct span name) {
    struct named key = {.name = name};
    if (name.n == 0) return UINT32_MAX;
    const struct named *found = bsearch(&key, at, n, sizeof *at, by_name);
    return found ? found->area : UINT32_MAX;
}

static err match_level(const struct fx_report *r, size_t level, const struct map_shapes *m,
                       struct arena *mem, uint32_t **of, size_t *matched, struct fail *f) {
    const struct fx_level *l = &r->table->level[level];
    struct named *at = arena_array(mem, l->count + 1, sizeof *at);
    *of = arena_array(mem, m->n + 1, sizeof **of);
    *matched = 0;
    if (!at || !*of) return no_memory(f);
    for (size_t i = 0; i < l->count; i++) at[i] = (struct named){last_part(l->name[i]), (uint32_t)i};
    qsort(at, l->count, sizeof *at, by_name);
    for (size_t i = 0; i < m->n; i++) {
        uint32_t a = find(at, l->count, m->shape[i].code);
        if (a == UINT32_MAX) a = find(at, l->count, m->shape[i].name);
        (*of)[i] = a;
        *matched += a != UINT32_MAX;
    }
    return OK;
}

err map_match(const struct fx_report *r, const struct map_shapes *m, struct arena *mem, size_t *level,
              uint32_t **of, size_t *matched, struct fail *f) {
    *matched = 0;
    *level = 0;
    *of = NULL;
    for (size_t l = 0; l < r->table->levels && l < 2; l++) {
        uint32_t *these;
        size_t n;
        TRY(match_level(r, l, m, mem, &these, &n, f));
        if (*of && n <= *matched) continue;
        *of = these;
        *matched = n;
        *level = l;
    }
    return OK;
}

/* --- SVG --- */

static void label(const struct fx_report *r, size_t level, uint32_t area, const struct map_area *a,
                  enum lang lang, struct buf *out) {
    buf_str(out, "<title>");
    words_html(out, r->table->level[level].name[area]);
    if (a->shade == MAP_NOTHING)
        SAY(out, lang, ": nothing beyond chance is visible to these tests", ": hakuna kinachozidi bahati kwa majaribio haya");
    if (a->facts)
        SAY(out, lang, ": %u stations contradict themselves", ": vituo %u vinajipinga", a->facts);
    for (int m = 0; m < FX_METHODS; m++)
        if (a->methods >> m & 1) buf_printf(out, "; %s", fx_about((enum fx_method)m)->title.in[lang]);
    buf_str(out, "</title>");
}

static void head(struct buf *b, int high, enum lang lang) {
    const char *title = lang == LANG_SW ? "Maeneo kwa yale ambayo majaribio yanasema"
                                        : "Areas by what the tests say of them";
    buf_printf(b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
               "role=\"img\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\"><title>%s</title>"
               "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><text x=\"%d\" y=\"20\" font-size=\"14\">%s</text>",
               WIDE, high, WIDE, high, title, WIDE, high, MARGIN, title);
}

static void legend(struct buf *b, int y, const size_t n[MAP_SHADES], size_t missing, enum lang lang) {
    static const struct words text[MAP_SHADES] = {
        {{"no station", "hakuna kituo"}},
        {{"nothing beyond chance", "hakuna kinachozidi bahati"}},
        {{"contradictions (facts)", "kujipinga (ukweli)"}},
        {{"an anomaly: innocent causes are listed", "hali isiyo ya kawaida: sababu zisizo na hatia zimeorodheshwa"}}};
    for (int s = 0; s < MAP_SHADES; s++)
        buf_printf(b, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>"
                   "<text x=\"%d\" y=\"%d\">%s: %zu</text>",
                   MARGIN + s % 2 * WIDE / 2, y + s / 2 * 18, colour[s], MARGIN + 18 + s % 2 * WIDE / 2,
                   y + 10 + s / 2 * 18, text[s].in[lang], n[s]);
    if (missing)
        SAY(b, lang, "<text x=\"%d\" y=\"%d\">areas without a shape on this map: %zu</text>",
            "<text x=\"%d\" y=\"%d\">maeneo yasiyo na umbo kwenye ramani hii: %zu</text>", MARGIN, y + 50, missing);
    buf_str(b, "</svg>\n");
}

struct order_ctx {
    const struct span *name;
};

static int by_path(const void *x, const void *y, void *ctx) {
    const struct order_ctx *c = ctx;
    return span_cmp(c->name[*(const uint32_t *)x], c->name[*(const uint32_t *)y]);
}

static err squares(const struct fx_report *r, enum lang lang, struct arena *mem, struct buf *out,
                   struct fail *f) {
    size_t level = r->table->levels > 1 && r->table->level[1].count <= 2000 ? 1 : 0, seen[MAP_SHADES] = {0};
    const struct fx_level *l = &r->table->level[level];
    struct map_area *a;
    uint32_t *ix = arena_array(mem, l->count + 1, sizeof *ix);
    struct order_ctx ctx = {l->name};
    if (!ix) return no_memory(f);
    TRY(map_findings(r, level, mem, &a, f));
    for (uint32_t i = 0; i < l->count; i++) ix[i] = i;
    qsort_r(ix, l->count, sizeof *ix, by_path, &ctx);
    int across = (WIDE - 2 * MARGIN) / (SQUARE + 1);
    int down = (int)((l->count + (size_t)across - 1) / (size_t)across) * (SQUARE + 1);
    head(out, TOP + down + LEGEND + MARGIN, lang);
    for (size_t k = 0; k < l->count; k++) {
        const struct map_area *x = &a[ix[k]];
        seen[x->shade]++;
        buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\">",
                   MARGIN + (int)(k % (size_t)across) * (SQUARE + 1),
                   TOP + (int)(k / (size_t)across) * (SQUARE + 1), SQUARE, SQUARE, colour[x->shade]);
        label(r, level, ix[k], x, lang, out);
        buf_str(out, "</rect>");
    }
    legend(out, TOP + down + 10, seen, 0, lang);
    return OK;
}

/* A ring as a path; points closer than a third of a pixel to the last one are left out. */
static void ring_path(const struct map_shapes *m, const struct map_ring *ring, double scale, double squeeze,
                      struct buf *out) {
    double px = 1e9, py = 1e9;
    for (size_t i = 0; i < ring->n; i++) {
        double x = MARGIN + (m->xy[2 * (ring->first + i)] - m->west) * squeeze * scale;
        double y = TOP + (m->north - m->xy[2 * (ring->first + i) + 1]) * scale;
        if (i && hypot(x - px, y - py) < .3) continue;
        buf_printf(out, "%s%.1f %.1f", i ? "L" : "M", x, y);
        px = x;
        py = y;
    }
    buf_byte(out, 'Z');
}

static err shaped(const struct fx_report *r, const struct map_shapes *m, enum lang lang, struct arena *mem,
                  struct buf *out, struct fail *f) {
    size_t level, matched, seen[MAP_SHADES] = {0};
    uint32_t *of;
    struct map_area *a;
    TRY(map_match(r, m, mem, &level, &of, &matched, f));
    TRY(map_findings(r, level, mem, &a, f));
    double squeeze = cos((m->north + m->south) / 2 * M_PI / 180), wide = (m->east - m->west) * squeeze;
    double scale = wide > 0 ? (WIDE - 2 * MARGIN) / wide : 1, high = (m->north - m->south) * scale;
    if (high > 2000) scale *= 2000 / high, high = 2000;
    uint8_t *drawn = arena_alloc(mem, r->table->level[level].count + 1);
    if (!drawn) return no_memory(f);
    head(out, TOP + (int)high + LEGEND + MARGIN, lang);
    for (size_t i = 0; i < m->n; i++) {
        enum map_shade shade = of[i] == UINT32_MAX ? MAP_UNTESTED : a[of[i]].shade;
        buf_printf(out, "<path fill=\"%s\" stroke=\"#fff\" stroke-width=\".5\" fill-rule=\"evenodd\" d=\"", colour[shade]);
        for (size_t k = 0; k < m->shape[i].rings; k++)
            ring_path(m, &m->ring[m->shape[i].first_ring + k], scale, squeeze, out);
        buf_str(out, "\">");
        if (of[i] != UINT32_MAX) label(r, level, of[i], &a[of[i]], lang, out);
        buf_str(out, "</path>");
        seen[shade]++;
        if (of[i] != UINT32_MAX) drawn[of[i]] = 1;
    }
    size_t missing = 0;
    for (size_t i = 0; i < r->table->level[level].count; i++) missing += !drawn[i];
    legend(out, TOP + (int)high + 10, seen, missing, lang);
    return OK;
}

err picture_map(const struct fx_report *r, const struct map_shapes *shapes, enum lang lang,
                struct arena *mem, bool *drawn, struct buf *out, struct fail *f) {
    *drawn = r->table->levels > 0;
    if (!*drawn) return OK;
    return shapes ? shaped(r, shapes, lang, mem, out, f) : squares(r, lang, mem, out, f);
}
