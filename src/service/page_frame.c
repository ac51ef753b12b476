/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include "service/page_impl.h"

/* Only what this tree holds; nothing in the page itself. frame-ancestors cannot be said here: the
 * server's own header says it. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "                 \
    "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "    \
    "form-action 'self'; base-uri 'none'"

/* What says which record a page is as of: page_says_same looks for these. */
#define SIZE_MARK "\" data-size=\""
#define LOG_BEGIN "<p id=\"log\">"
#define LOG_END "</p>\n"

const char *const page_policy = POLICY;

static void up(struct page *p, const char *path) {
    html_raw(&p->h, p->h.up);
    html_raw(&p->h, path);
}

void page_in_lang(const struct page *p, enum page_lang lang, char out[PAGE_PATH_MAX]) {
    const char *path = p->path, *tag = lang_tag(p->h.lang);
    size_t n = strlen(tag);
    if (strncmp(path, tag, n) == 0 && path[n] == '/') path += n + 1;
    bool at_root = lang == LANG_EN && !strchr(path, '/');
    (void)snprintf(out, PAGE_PATH_MAX, "%s%s%s", at_root ? "" : lang_tag(lang), at_root ? "" : "/", path);
}

static void head(struct page *p, const char *kind, struct span title) {
    struct html *h = &p->h;
    const struct definition *d = fold_definition(p->s);
    html_printf(h, "<!doctype html>\n<html lang=\"%s\" data-kind=\"%s\" data-up=\"%s" SIZE_MARK "%llu\"",
                lang_tag(h->lang), kind, h->up, (unsigned long long)p->site->size);
    if (p->contest) {
        html_raw(h, " data-contest=\"");
        html_escaped(h, fold_contest(p->s, p->contest->contest)->id);
        html_printf(h, "/%u\" data-units=\"", p->contest->round);
        html_escaped(h, span_text(p->units));
        html_raw(h, "\"");
    }
    html_raw(h, ">\n<head><meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\">\n");
    html_raw(h, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<meta name=\"referrer\" content=\"no-referrer\">\n"
                "<link rel=\"icon\" href=\"data:,\">\n<title>");
    if (d->simulated) html_raw(h, "SIMULATED &middot; ");
    html_escaped(h, title);
    html_raw(h, "</title>\n<link rel=\"stylesheet\" href=\"");
    up(p, p->site->style);
    html_raw(h, "\">\n");
    for (int l = 0; l < LANG_COUNT; l++) {
        char other[PAGE_PATH_MAX];
        if (l == (int)h->lang) continue;
        page_in_lang(p, (enum page_lang)l, other);
        html_printf(h, "<link rel=\"alternate\" hreflang=\"%s\" href=\"", lang_tag((enum page_lang)l));
        up(p, other);
        html_raw(h, "\">\n");
    }
    html_raw(h, "</head>\n");
}

static void nav_link(struct page *p, enum page_kind kind, enum page_word word) {
    char path[PAGE_PATH_MAX];
    page_path(p->h.lang, kind, path);
    html_raw(&p->h, "<li><a href=\"");
    up(p, path);
    html_raw(&p->h, strcmp(path, p->path) == 0 ? "\" aria-current=\"page\">" : "\">");
    html_word(&p->h, word);
    html_raw(&p->h, "</a></li>");
}

static void languages(struct page *p) {
    for (int l = 0; l < LANG_COUNT; l++) {
        char other[PAGE_PATH_MAX];
        if (l == (int)p->h.lang) continue;
        page_in_lang(p, (enum page_lang)l, other);
        html_raw(&p->h, "<a class=\"lang\" hreflang=\"");
        html_printf(&p->h, "%s\" lang=\"%s\" href=\"", lang_tag((enum page_lang)l),
                    lang_tag((enum page_lang)l));
        up(p, other);
        html_printf(&p->h, "\">%s</a>", lang_name((enum page_lang)l));
    }
}

struct span page_said(struct page *p, struct span text) {
    return beside_said(p->site->beside, p->h.lang, text);
}

/* A demo's title has the mark behind the preset's. */
static struct span title_of(struct page *p, struct buf *room) {
    static const char mark[] = " (SIMULATED)";
    struct span t = fold_definition(p->s)->title;
    size_t n = sizeof mark - 1;
    if (beside_translates(p->site->beside, p->h.lang, t)) return page_said(p, t);
    if (t.n <= n || !span_is(span_from(t, t.n - n), mark)) return t;
    buf_span(room, page_said(p, (struct span){t.p, t.n - n}));
    buf_str(room, mark);
    return buf_view(room);
}

void page_contest_name(struct page *p, uint32_t contest) {
    struct span name = fold_contest(p->s, contest)->name;
    struct span of = fold_unit(p->s, fold_contest(p->s, contest)->unit)->name;
    size_t head = name.n > of.n + 2 ? name.n - of.n - 2 : 0;
    if (head && !beside_translates(p->site->beside, p->h.lang, name) && span_eq(span_from(name, head + 2), of) &&
        name.p[head] == ',' && name.p[head + 1] == ' ') {
        /* "Senator, KWALE": the kind, and where */
        html_name(&p->h, page_said(p, (struct span){name.p, head}));
        html_raw(&p->h, ", ");
        html_name(&p->h, of);
    } else {
        html_name(&p->h, page_said(p, name));
    }
}

/* The preset's own sentence; in its own language where nobody has translated it. */
static void notice_text(struct page *p) {
    struct span text = fold_definition(p->s)->notice;
    bool own = p->h.lang != LANG_EN && !beside_translates(p->site->beside, p->h.lang, text);
    if (own) html_raw(&p->h, "<span lang=\"en\">");
    html_escaped(&p->h, page_said(p, text));
    if (own) html_raw(&p->h, "</span>");
}

/* The strip that a screenshot cannot leave out: it stays in sight when the page is scrolled. */
static void simulated(struct page *p) {
    const struct definition *d = fold_definition(p->s);
    struct html *h = &p->h;
    if (!d->simulated) return;
    html_raw(h, "<p class=\"sim\"><strong>");
    html_word(h, W_SIMULATED);
    html_raw(h, "</strong></p>\n");
    if (!d->notice.n || !strstr(p->path, "index.html")) return;
    html_raw(h, "<p class=\"simmore\"><span>");
    notice_text(p);
    html_raw(h, "</span></p>\n");
}

static void notices(struct page *p) {
    const struct definition *d = fold_definition(p->s);
    struct html *h = &p->h;
    if (d->notice.n) {
        html_raw(h, "<p class=\"notice\">");
        notice_text(p);
        html_raw(h, "</p>\n");
    }
    if (p->site->note) {
        html_raw(h, "<p class=\"notice\">");
        html_escaped(h, span_text(p->site->note));
        html_raw(h, "</p>\n");
    }
}

void page_begin(struct page *p, const char *kind, struct span title) {
    struct html *h = &p->h;
    char home[PAGE_PATH_MAX];
    page_path(h->lang, PAGE_OVERVIEW, home);
    head(p, kind, title);
    html_raw(h, "<body>\n<a class=\"skip\" href=\"#main\">");
    html_word(h, W_SKIP);
    html_raw(h, "</a>\n");
    simulated(p);
    html_raw(h, "<header class=\"top\">\n<div class=\"wrap\"><a class=\"brand\" href=\"");
    up(p, home);
    html_raw(h, "\">");
    struct buf room;
    buf_init(&room, 2000);
    html_escaped(h, title_of(p, &room));
    buf_release(&room);
    html_raw(h, "</a>\n<nav aria-label=\"");
    html_word(h, W_PAGES);
    html_raw(h, "\"><ul>");
    nav_link(p, PAGE_OVERVIEW, W_OVERVIEW);
    if (p->site->results->n > 1) nav_link(p, PAGE_CONTESTS, W_CONTESTS);
    html_raw(h, "<li><a href=\"");
    up(p, h->lang == LANG_SW ? "data/sw.html" : "data/index.html");
    html_raw(h, "\">");
    html_word(h, W_DATA_OPEN);
    html_raw(h, "</a></li>");
    nav_link(p, PAGE_PETITION, W_PETITION);
    nav_link(p, PAGE_ABOUT, W_CHECK);
    html_raw(h, "</ul></nav>\n<div class=\"tools\" id=\"tools\">");
    languages(p);
    html_raw(h, "</div></div></header>\n<main id=\"main\" class=\"wrap\" tabindex=\"-1\">\n");
}

/* Cuts the next part that says which record a page is as of: `before` it, and in *rest what follows.
 * Foreign text cannot forge a mark: its quotes and angle brackets are escaped. */
static bool cut_as_of(struct span *rest, const char *begin, const char *end, struct span *before) {
    const uint8_t *at = memmem(rest->p, rest->n, begin, strlen(begin));
    if (!at) return false;
    *before = span_of(rest->p, (size_t)(at - rest->p));
    struct span after = span_from(*rest, before->n + strlen(begin));
    const uint8_t *stop = memmem(after.p, after.n, end, strlen(end));
    if (!stop) return false;
    *rest = span_from(after, (size_t)(stop - after.p));
    return true;
}

bool page_says_same(struct span old, struct span now) {
    static const char *const marks[][2] = {{SIZE_MARK, "\""}, {LOG_BEGIN, LOG_END}};
    for (size_t i = 0; i < 2; i++) {
        struct span a, b;
        if (!cut_as_of(&old, marks[i][0], marks[i][1], &a) ||
            !cut_as_of(&now, marks[i][0], marks[i][1], &b) || !span_eq(a, b))
            return false;
    }
    return span_eq(old, now);
}

static void log_line(struct page *p) {
    struct html *h = &p->h;
    html_raw(h, LOG_BEGIN);
    html_word(h, W_AS_OF);
    html_raw(h, " <b>");
    html_number(h, p->site->size);
    html_raw(h, "</b>; ");
    html_word(h, W_LAST_RECORD);
    html_raw(h, ": ");
    html_time(h, p->site->last_ms);
    html_raw(h, ". <span id=\"witnessed\">");
    if (p->site->witnessed) {
        html_word(h, W_WITNESSED_TO);
        html_raw(h, " ");
        html_number(h, p->site->witnessed);
        html_raw(h, ".");
    } else {
        html_word(h, W_NOT_WITNESSED);
    }
    html_raw(h, "</span>" LOG_END);
}

void page_end(struct page *p) {
    struct html *h = &p->h;
    html_raw(h, "</main>\n<footer class=\"wrap\">\n");
    notices(p);
    log_line(p);
    html_raw(h, "<p>");
    html_word(h, W_RECOMPUTE);
    html_raw(h, " ");
    html_word(h, W_NO_WINNER);
    html_raw(h, "</p>\n<ul class=\"links\">");
    if (p->data) {
        html_raw(h, "<li><a href=\"");
        html_raw(h, h->up);
        html_escaped(h, span_text(p->data));
        html_raw(h, "\">");
        html_word(h, W_JSON);
        html_raw(h, "</a></li>");
    }
    html_raw(h, "<li><a href=\"");
    up(p, "checkpoint\">");
    html_word(h, W_CHECKPOINT);
    html_raw(h, "</a></li><li><a href=\"");
    up(p, "anchor\">");
    html_word(h, W_ANCHOR);
    html_raw(h, "</a></li></ul>\n</footer>\n");
    if (p->site->script) { /* behind everything, so that on a slow line the style comes first */
        html_raw(h, "<script type=\"module\" src=\"");
        up(p, p->site->script);
        html_raw(h, "\"></script>\n");
    }
    html_raw(h, "</body></html>\n");
}

void page_section(struct page *p, const char *id, enum page_word title) {
    html_printf(&p->h, "<section id=\"%s\" aria-labelledby=\"%s-h\"><h2 id=\"%s-h\">", id, id, id);
    html_word(&p->h, title);
    html_raw(&p->h, "</h2>\n");
}

void page_section_end(struct page *p) {
    html_raw(&p->h, "</section>\n");
}

void page_status_pill(struct page *p, const struct tally *t) {
    const char *status = results_status(p->s, t->contest, t->round);
    bool declared = strcmp(status, "declared") == 0;
    html_raw(&p->h, declared ? "<span class=\"pill declared\">" : "<span class=\"pill\">");
    html_word(&p->h, declared                          ? W_IS_DECLARED
                     : strncmp(status, "declared", 8) ? W_PROVISIONAL
                                                       : W_IS_ANNULLED);
    html_raw(&p->h, "</span>");
}

void page_status(struct page *p, const struct tally *t) {
    uint32_t d = declaration_of(p->s, t->contest, t->round);
    html_raw(&p->h, "<p class=\"status\">");
    page_status_pill(p, t);
    if (d != NO_DECLARATION && fold_declaration(p->s, d)->override != NO_OVERRIDE) {
        char home[PAGE_PATH_MAX]; /* an override is said on every page, and listed on the first */
        page_unit_path(p->s, p->h.lang, t, t->rows[0].unit, home);
        html_raw(&p->h, " <a class=\"sev\" href=\"");
        up(p, home);
        html_raw(&p->h, "#declaration\">");
        html_word(&p->h, W_OVERRIDE);
        html_raw(&p->h, "</a>");
    }
    html_raw(&p->h, " <span>");
    html_word(&p->h, d != NO_DECLARATION ? W_DECLARED_STATUS : W_PROVISIONAL_MORE);
    html_raw(&p->h, "</span></p>\n");
}
