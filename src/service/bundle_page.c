/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The bundle's pages: an index that a judge can read, and the certificate. No scripts. */
#include "base/clock.h"
#include "paper/canvas.h"
#include "service/bundle_impl.h"

static void text(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n; i++) switch (s.p[i]) {
        case '&': buf_str(b, "&amp;"); break;
        case '<': buf_str(b, "&lt;"); break;
        case '>': buf_str(b, "&gt;"); break;
        case '"': buf_str(b, "&quot;"); break;
        default: buf_byte(b, s.p[i]);
        }
}

static void words(struct buf *b, const char *s) {
    text(b, span_text(s));
}

static const char style[] =
    "body{font:16px/1.5 Georgia,'DejaVu Serif',serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#111;"
    "background:#fff}h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #bbb;padding:.4rem .6rem .4rem 0;"
    "text-align:left;vertical-align:top}.absent{color:#7a1f00}code,.mono{font-family:'DejaVu Sans Mono',monospace;"
    "font-size:.85em;overflow-wrap:anywhere}.simulated{border:2px solid #7a1f00;padding:.5rem 1rem;font-weight:bold}"
    ".line{border-bottom:1px solid #111;min-height:2.2rem;display:block}@media print{body{margin:0}}";

static void head(struct buf *b, const struct bundle_page *p, const char *title) {
    const struct definition *d = fold_definition(p->log->fold);
    buf_str(b, "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>");
    words(b, title);
    buf_str(b, "</title><meta name=\"viewport\" content=\"width=device-width\"><style>");
    buf_str(b, style);
    buf_str(b, "</style></head>\n<body>\n<h1>");
    words(b, title);
    buf_str(b, "</h1>\n<p>");
    text(b, d->title);
    buf_str(b, "</p>\n");
    if (d->simulated)
        buf_str(b, "<p class=\"simulated\">SIMULATED: nothing here is a real result.</p>\n");
    if (d->notice.n) {
        buf_str(b, "<p>");
        text(b, d->notice);
        buf_str(b, "</p>\n");
    }
}

static void checkpoint_rows(struct buf *b, const struct bundle_page *p) {
    char made[21], root[HASH_BASE64_LEN + 1], hex[HASH_HEX_LEN + 1];
    struct hash election;
    clock_format_utc(p->o->made_ms, made);
    base64_encode(hash_span(&p->log->root), root);
    buf_str(b, "<table>\n<tr><th scope=\"row\">Log</th><td class=\"mono\">");
    text(b, fold_definition(p->log->fold)->origin);
    buf_printf(b, "</td></tr>\n<tr><th scope=\"row\">Records</th><td>%llu</td></tr>\n",
               (unsigned long long)p->log->size);
    buf_printf(b, "<tr><th scope=\"row\">Root of the log</th><td class=\"mono\">%s</td></tr>\n", root);
    if (fold_election(p->log->fold, &election)) {
        hash_hex(&election, hex);
        buf_printf(b, "<tr><th scope=\"row\">Election (id of its first record)</th><td class=\"mono\">%s</td></tr>\n", hex);
    }
    buf_printf(b, "<tr><th scope=\"row\">Made at</th><td>%s</td></tr>\n", made);
    buf_printf(b, "<tr><th scope=\"row\">Made and verified by</th><td>hesabu %s, sources <span class=\"mono\">%s</span></td></tr>\n",
               p->o->version, p->o->source);
    buf_printf(b, "<tr><th scope=\"row\">Trust anchor</th><td>%s</td></tr>\n</table>\n",
               p->log->anchored ? "given by whoever made this bundle, and held against the log"
                                : "the log's own: whoever reads this should hold the log against a gazetted anchor");
}

err bundle_html(const struct bundle_page *p, struct buf *b, struct fail *f) {
    head(b, p, p->o->order ? "Answer to the order" : "The record of the election");
    if (p->order_title.n) {
        buf_str(b, "<p><strong>");
        text(b, p->order_title);
        buf_str(b, "</strong></p>\n");
    }
    buf_printf(b,
               "<p>This folder holds the complete public record of the election. All %llu records were replayed "
               "from the first one and %llu signatures verified while it was made: the records are consistent, "
               "and no inadmissible record was accepted. This says nothing about whether the figures on the "
               "paper are true: the paper and audits do.</p>\n",
               (unsigned long long)p->log->size, (unsigned long long)p->log->signatures);
    buf_str(b, "<h2>Check it yourself, without any network</h2>\n<p><code>hesabu verify .</code> in this folder holds "
               "every file against <a href=\"MANIFEST\">MANIFEST</a> and does everything again from the first "
               "record; with <code>--anchor FILE</code> against the anchor that was gazetted. Without our "
               "program: <code>sha256sum -c MANIFEST</code> for the files; any library for signed notes and "
               "Merkle trees (RFC 6962) for the log.</p>\n");
    checkpoint_rows(b, p);
    buf_str(b, "<h2>Item by item</h2>\n<table>\n<thead><tr><th>Asked</th><th>Answer</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct bundle_answer *x = &p->answers[i];
        buf_str(b, "<tr><th scope=\"row\">");
        text(b, x->asked);
        buf_printf(b, "</th><td%s>", x->file[0] ? "" : " class=\"absent\"");
        if (x->file[0]) {
            buf_str(b, "<a href=\"");
            words(b, x->file);
            buf_str(b, "\">");
            words(b, x->file);
            buf_str(b, "</a>");
            if (x->has_rows) buf_printf(b, " (%llu rows)", (unsigned long long)x->rows);
            buf_str(b, ": ");
        }
        text(b, buf_view(&x->words));
        buf_str(b, ".</td></tr>\n");
    }
    buf_str(b, "</tbody>\n</table>\n</body>\n</html>\n");
    return buf_ok(b, f);
}

static void blank_line(struct buf *b, const char *label, const char *value) {
    buf_str(b, "<p>");
    words(b, label);
    buf_str(b, "<span class=\"line\">");
    if (value) words(b, value);
    buf_str(b, "</span></p>\n");
}

err bundle_certificate(const struct bundle_page *p, struct buf *b, struct fail *f) {
    head(b, p, "Certificate of electronic evidence");
    buf_str(b, "<p>I, the undersigned, hold a responsible position in relation to the operation of the system "
               "that produced the records in this folder, and to the management of the activities that they "
               "record.</p>\n");
    blank_line(b, "Name", p->o->person);
    blank_line(b, "Position", p->o->position);
    buf_str(b, "<p>I certify, to the best of my knowledge:</p>\n<ol>\n"
               "<li>This folder was produced by the computer program named below from the log named below, and "
               "its files are those that MANIFEST lists by their SHA-256 hashes.</li>\n"
               "<li>Each record was made by the person whose key signed it, and entered the log in the ordinary "
               "course of the election; times are the log's own unless a column says otherwise.</li>\n"
               "<li>While the folder was made the program replayed every record from the first one, verified the "
               "signatures and recomputed the log's root.</li>\n"
               "<li>Matters that affected the proper operation of the system, as far as they are known to me: "
               "<span class=\"line\"></span><span class=\"line\"></span></li>\n</ol>\n");
    checkpoint_rows(b, p);
    blank_line(b, "Place and date", NULL);
    blank_line(b, "Signature", NULL);
    buf_str(b, "</body>\n</html>\n");
    return buf_ok(b, f);
}

/* --- the same index on paper --- */

enum { LEFT = 20, WIDTH = 170, TOP = 20, BOTTOM = 275 };

static bool sink(void *ctx, struct span piece) {
    buf_span(ctx, piece);
    return !((struct buf *)ctx)->failed;
}

struct sheet {
    struct canvas *c;
    double y;
};

/* A paragraph's height is guessed from its length: one font, one width. */
static void paragraph(struct sheet *s, double size_pt, unsigned how, const char *words_, double indent) {
    double per_line = (WIDTH - indent) / (size_pt * 0.19), lines = 1;
    for (const char *t = words_, *line = t;; t++) {
        if (*t && *t != '\n') continue;
        double n = (double)(t - line) / per_line;
        lines += (double)(uint64_t)n + (line == words_ ? 0 : 1);
        if (!*t) break;
        line = t + 1;
    }
    double height = lines * size_pt * 0.46 + 1.5;
    if (s->y + height > BOTTOM) {
        canvas_page_end(s->c);
        s->y = TOP;
    }
    canvas_paragraph(s->c, (struct rect_mm){LEFT + indent, s->y, WIDTH - indent, height}, size_pt, how, words_);
    s->y += height;
}

static const char *copied(struct buf *b, struct span s) {
    buf_clear(b);
    buf_span(b, s);
    buf_byte(b, 0);
    return b->failed ? "" : (const char *)b->p;
}

static void draw(struct sheet *s, const struct bundle_page *p, struct buf *b) {
    const struct definition *d = fold_definition(p->log->fold);
    char root[HASH_BASE64_LEN + 1], made[21];
    base64_encode(hash_span(&p->log->root), root);
    clock_format_utc(p->o->made_ms, made);
    paragraph(s, 18, TEXT_BOLD, p->o->order ? "Answer to the order" : "The record of the election", 0);
    paragraph(s, 11, TEXT_PLAIN, copied(b, d->title), 0);
    if (p->order_title.n) paragraph(s, 11, TEXT_BOLD, copied(b, p->order_title), 0);
    if (d->simulated) paragraph(s, 12, TEXT_BOLD, "SIMULATED: nothing here is a real result.", 0);
    buf_clear(b);
    buf_printf(b,
               "All %llu records were replayed from the first one and %llu signatures verified while this was "
               "made: the records are consistent, and no inadmissible record was accepted. This says nothing "
               "about whether the figures on the paper are true: the paper and audits do.",
               (unsigned long long)p->log->size, (unsigned long long)p->log->signatures);
    buf_byte(b, 0);
    paragraph(s, 10, TEXT_PLAIN, (const char *)b->p, 0);
    buf_clear(b);
    buf_printf(b, "Log %.*s, %llu records\nroot %s\nmade at %s by hesabu %s\nsources %s", SPAN_ARG(d->origin),
               (unsigned long long)p->log->size, root, made, p->o->version, p->o->source);
    buf_byte(b, 0);
    paragraph(s, 8, TEXT_MONO, (const char *)b->p, 0);
    s->y += 3;
    for (size_t i = 0; i < p->n; i++) {
        const struct bundle_answer *x = &p->answers[i];
        if (s->y > BOTTOM - 20) { /* a question stays with its answer */
            canvas_page_end(s->c);
            s->y = TOP;
        }
        paragraph(s, 10, TEXT_BOLD, copied(b, x->asked), 0);
        buf_clear(b);
        if (x->file[0]) buf_printf(b, "%s", x->file);
        if (x->has_rows) buf_printf(b, " (%llu rows)", (unsigned long long)x->rows);
        if (x->file[0]) buf_str(b, ": ");
        buf_span(b, buf_view(&x->words));
        buf_str(b, ".");
        buf_byte(b, 0);
        paragraph(s, 9.5, TEXT_PLAIN, (const char *)b->p, 6);
    }
    if (d->simulated) canvas_watermark(s->c, "SIMULATED");
}

err bundle_pdf(const struct bundle_page *p, struct buf *out, struct fail *f) {
    struct sheet s = {.y = TOP};
    struct buf b;
    char made[21];
    clock_format_utc(p->o->made_ms, made);
    TRY(canvas_pdf(sink, out, "The record of the election", made, &s.c, f));
    buf_init(&b, 1 << 20);
    draw(&s, p, &b);
    canvas_page_end(s.c);
    buf_release(&b);
    return canvas_close(s.c, NULL, f);
}
