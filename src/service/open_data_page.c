/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/open_data_page.h"

#include <stdio.h>
#include "base/json_out.h"
#include "base/xml_out.h"
#include "service/export_walk.h"

void open_data_head(uint64_t size, struct span root, struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_kstr(&j, "format", "hesabu/data/v1");
    json_kstr(&j, "program", "hesabu " HESABU_VERSION);
    json_ku64(&j, "size", size);
    json_kspan(&j, "root", root);
}

err open_data_list(const struct export_source *s, const struct open_file *files, size_t n,
                   struct buf *out, struct fail *f) {
    const struct definition *d = fold_definition(s->fold);
    struct export_checkpoint at;
    export_checkpoint(s, &at);
    open_data_head(at.size, span_text(at.root), out);
    struct json_out j = {.b = out, .comma = true};
    json_kstr(&j, "time", at.time);
    json_kspan(&j, "origin", d->origin);
    json_kstr(&j, "election", at.election);
    if (d->simulated) json_kstr(&j, "simulated", "SIMULATED");
    json_key(&j, "files");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        const struct open_file *x = &files[i];
        json_object(&j);
        json_kstr(&j, "name", x->name);
        json_kstr(&j, "format", export_info(x->format)->name);
        json_ku64(&j, "bytes", x->bytes);
        json_khex(&j, "sha256", hash_span(&x->sha256));
        if (x->packed) {
            json_ku64(&j, "unpacked_bytes", x->unpacked_bytes);
            json_khex(&j, "unpacked_sha256", hash_span(&x->unpacked_sha256));
        }
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

err open_data_sums(const struct open_file *files, size_t n, struct buf *out, struct fail *f) {
    for (size_t i = 0; i < n; i++) {
        buf_hex(out, hash_span(&files[i].sha256));
        buf_printf(out, "  %s\n", files[i].name);
    }
    return buf_ok(out, f);
}

/* --- the page --- */

enum word {
    W_LANG, W_OTHER, W_OTHER_FILE, W_TITLE, W_BACK, W_WHAT, W_AT, W_SIZE, W_ROOT, W_TIME, W_STATUS,
    W_PROVISIONAL, W_SOME, W_DECLARED, W_FILE, W_FORMAT, W_BYTES, W_SUM, W_UNPACKED, W_AGAIN, W_API, W_SUMS, W_LIST, W_RAW,
    W_COUNT
};

static const char *const words[OPEN_LANGS][W_COUNT] = {
    {"en", "Kiswahili", "sw.html", "Open data", "Results",
     "The figures of this election in formats that others read. Each file says at which checkpoint of "
     "the log it was made.",
     "Checkpoint", "Entries of the log", "Root", "Last entry", "Status", "Provisional, not declared",
     "Some contests are declared, others provisional", "Declared",
     "File", "What", "Bytes", "SHA-256", "unpacked",
     "Anybody can make the same files, byte for byte, from the log:", "How programs read this server",
     "Checksums", "This list for programs", "The log itself: checkpoint"},
    {"sw", "English", "index.html", "Data huria", "Matokeo",
     "Takwimu za uchaguzi huu katika miundo inayosomwa na programu nyingine. Kila faili inasema "
     "imetengenezwa katika hatua gani ya daftari.",
     "Hatua ya daftari", "Maingizo ya daftari", "Mzizi", "Ingizo la mwisho", "Hali",
     "Ya muda, hayajatangazwa", "Baadhi ya nafasi zimetangazwa, nyingine ni za muda", "Yametangazwa", "Faili", "Yaliyomo", "Baiti", "SHA-256", "ikifunguliwa",
     "Yeyote anaweza kutengeneza faili hizi hizi, baiti kwa baiti, kutoka kwenye daftari:",
     "Jinsi programu zinavyosoma seva hii", "Alama za uhakiki", "Orodha hii kwa programu",
     "Daftari lenyewe: hatua ya sasa"},
};

static const char *const about[OPEN_LANGS][EXPORT_FORMATS] = {
    {
#define ABOUT(format, en, sw) [format] = en,
#include "service/open_data.def"
#undef ABOUT
    },
    {
#define ABOUT(format, en, sw) [format] = sw,
#include "service/open_data.def"
#undef ABOUT
    },
};

const char *open_data_page_name(enum open_lang lang) {
    return lang == OPEN_SW ? "sw.html" : "index.html";
}

/* HTML by the XML writer: every start tag has its end, void elements are closed by themselves. */
static void text(struct xml_out *x, const char *name, const char *s) {
    xml_element_str(x, name, s);
}

static void link_to(struct xml_out *x, const char *href, const char *s) {
    xml_begin(x, "a");
    xml_attr(x, "href", span_text(href));
    xml_text(x, span_text(s));
    xml_end(x, "a");
}

static void linked(struct xml_out *x, const char *href, const char *s) {
    xml_begin(x, "li");
    link_to(x, href, s);
    xml_end(x, "li");
}

static void fact(struct xml_out *x, const char *name, struct span value, const char *klass) {
    xml_begin(x, "div");
    text(x, "dt", name);
    xml_begin(x, "dd");
    xml_attr(x, "class", span_text(klass));
    xml_text(x, value);
    xml_end(x, "dd");
    xml_end(x, "div");
}

/* 1,234,567 */
static void grouped(struct xml_out *x, uint64_t v) {
    char digits[24], out[32];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    xml_text(x, span_of(out, (size_t)at));
}

static void head(struct xml_out *x, const char *const *w, const char *style, struct span title) {
    xml_begin(x, "head");
    xml_begin(x, "meta");
    xml_attr(x, "charset", SPAN_LIT("utf-8"));
    xml_end(x, "meta");
    xml_begin(x, "meta");
    xml_attr(x, "http-equiv", SPAN_LIT("Content-Security-Policy"));
    xml_attr(x, "content", SPAN_LIT("default-src 'none'; style-src 'self'; base-uri 'none'"));
    xml_end(x, "meta");
    xml_begin(x, "meta");
    xml_attr(x, "name", SPAN_LIT("viewport"));
    xml_attr(x, "content", SPAN_LIT("width=device-width,initial-scale=1"));
    xml_end(x, "meta");
    xml_begin(x, "title");
    xml_text(x, span_text(w[W_TITLE]));
    xml_text(x, SPAN_LIT(": "));
    xml_text(x, title);
    xml_end(x, "title");
    if (style) {
        struct buf href;
        buf_init(&href, 1000);
        buf_printf(&href, "../%s", style);
        xml_begin(x, "link");
        xml_attr(x, "rel", SPAN_LIT("stylesheet"));
        xml_attr(x, "href", buf_view(&href));
        xml_end(x, "link");
        buf_release(&href);
    }
    xml_begin(x, "link");
    xml_attr(x, "rel", SPAN_LIT("alternate"));
    xml_attr(x, "type", SPAN_LIT("application/atom+xml"));
    xml_attr(x, "href", span_text(export_info(EXPORT_ATOM)->file));
    xml_end(x, "link");
    xml_end(x, "head");
}

static void table(struct xml_out *x, const char *const *w, const struct open_file *files, size_t n,
                  enum open_lang lang) {
    static const enum word columns[] = {W_FILE, W_FORMAT, W_BYTES, W_SUM};
    xml_begin(x, "div");
    xml_attr(x, "class", SPAN_LIT("scroll"));
    xml_attr(x, "tabindex", SPAN_LIT("0"));
    xml_attr(x, "role", SPAN_LIT("region"));
    xml_attr(x, "aria-label", span_text(w[W_TITLE]));
    xml_begin(x, "table");
    xml_attr(x, "class", SPAN_LIT("files"));
    xml_begin(x, "thead");
    xml_begin(x, "tr");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        xml_begin(x, "th");
        xml_attr(x, "scope", SPAN_LIT("col"));
        xml_text(x, span_text(w[columns[i]]));
        xml_end(x, "th");
    }
    xml_end(x, "tr");
    xml_end(x, "thead");
    xml_begin(x, "tbody");
    for (size_t i = 0; i < n; i++) {
        const struct open_file *y = &files[i];
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&y->sha256, hex);
        xml_begin(x, "tr");
        xml_begin(x, "td");
        link_to(x, y->name, y->name);
        xml_end(x, "td");
        text(x, "td", about[lang][y->format]);
        xml_begin(x, "td");
        xml_attr(x, "class", SPAN_LIT("n"));
        grouped(x, y->bytes);
        if (y->packed) {
            xml_text(x, SPAN_LIT(" ("));
            grouped(x, y->unpacked_bytes);
            xml_text(x, SPAN_LIT(" "));
            xml_text(x, span_text(w[W_UNPACKED]));
            xml_text(x, SPAN_LIT(")"));
        }
        xml_end(x, "td");
        xml_begin(x, "td");
        xml_begin(x, "code");
        xml_attr(x, "class", SPAN_LIT("hash"));
        xml_text(x, span_text(hex));
        xml_end(x, "code");
        xml_end(x, "td");
        xml_end(x, "tr");
    }
    xml_end(x, "tbody");
    xml_end(x, "table");
    xml_end(x, "div");
}

static void body(struct xml_out *x, const struct export_source *s, const char *const *w,
                 const struct open_file *files, size_t n, enum open_lang lang) {
    const struct definition *d = fold_definition(s->fold);
    struct export_checkpoint at;
    char size[24];
    export_checkpoint(s, &at);
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)at.size);
    xml_begin(x, "main");
    xml_attr(x, "class", SPAN_LIT("wrap"));
    xml_attr(x, "id", SPAN_LIT("main"));
    xml_begin(x, "h1");
    xml_text(x, span_text(w[W_TITLE]));
    xml_end(x, "h1");
    xml_begin(x, "p");
    xml_attr(x, "class", SPAN_LIT("kicker"));
    if (lang != OPEN_EN) xml_attr(x, "lang", SPAN_LIT("en"));
    xml_text(x, d->title);
    xml_end(x, "p");
    if (d->notice.n) {
        xml_begin(x, "p");
        xml_attr(x, "class", SPAN_LIT("more"));
        if (lang != OPEN_EN) xml_attr(x, "lang", SPAN_LIT("en"));
        xml_text(x, d->notice);
        xml_end(x, "p");
    }
    text(x, "p", w[W_WHAT]);
    text(x, "h2", w[W_AT]);
    xml_begin(x, "dl");
    xml_attr(x, "class", SPAN_LIT("facts"));
    fact(x, w[W_SIZE], span_text(size), "n");
    fact(x, w[W_ROOT], span_text(at.root), "text code");
    fact(x, w[W_TIME], span_text(at.time), "text code");
    fact(x, w[W_STATUS], span_text(w[W_PROVISIONAL + export_status(s)]), "text");
    xml_end(x, "dl");
    table(x, w, files, n, lang);
    xml_begin(x, "p");
    xml_text(x, span_text(w[W_AGAIN]));
    xml_text(x, SPAN_LIT(" "));
    text(x, "code", "hesabu export URL --format F");
    xml_end(x, "p");
    xml_begin(x, "ul");
    linked(x, "SHA256SUMS", w[W_SUMS]);
    linked(x, "index.json", w[W_LIST]);
    linked(x, "../checkpoint", w[W_RAW]);
    linked(x, "api.html", w[W_API]);
    xml_end(x, "ul");
    xml_end(x, "main");
}

err open_data_page(const struct export_source *s, const struct open_file *files, size_t n,
                   enum open_lang lang, const char *style, struct buf *out, struct fail *f) {
    const struct definition *d = fold_definition(s->fold);
    const char *const *w = words[lang];
    buf_str(out, "<!doctype html>\n");
    struct xml_out x = xml_out(out, false);
    xml_begin(&x, "html");
    xml_attr(&x, "lang", span_text(w[W_LANG]));
    head(&x, w, style, d->title);
    xml_begin(&x, "body");
    if (d->simulated) {
        xml_begin(&x, "p");
        xml_attr(&x, "class", SPAN_LIT("sim"));
        text(&x, "strong", "SIMULATED");
        xml_end(&x, "p");
    }
    xml_begin(&x, "header");
    xml_attr(&x, "class", SPAN_LIT("top"));
    xml_begin(&x, "div");
    xml_attr(&x, "class", SPAN_LIT("wrap"));
    link_to(&x, "../", w[W_BACK]);
    xml_text(&x, SPAN_LIT(" "));
    link_to(&x, w[W_OTHER_FILE], w[W_OTHER]);
    xml_end(&x, "div");
    xml_end(&x, "header");
    body(&x, s, w, files, n, lang);
    xml_end(&x, "body");
    xml_end(&x, "html");
    return buf_ok(out, f);
}

err open_data_api(struct span title, const char *style, struct buf *out, struct fail *f) {
    const char *const *w = words[OPEN_EN];
    buf_str(out, "<!doctype html>\n");
    struct xml_out x = xml_out(out, false);
    xml_begin(&x, "html");
    xml_attr(&x, "lang", span_text(w[W_LANG]));
    head(&x, w, style, title);
    xml_begin(&x, "body");
    xml_begin(&x, "header");
    xml_attr(&x, "class", SPAN_LIT("top"));
    xml_begin(&x, "div");
    xml_attr(&x, "class", SPAN_LIT("wrap"));
    link_to(&x, "../", w[W_BACK]);
    xml_text(&x, SPAN_LIT(" "));
    link_to(&x, open_data_page_name(OPEN_EN), w[W_TITLE]);
    xml_end(&x, "div");
    xml_end(&x, "header");
    xml_begin(&x, "main");
    xml_attr(&x, "class", SPAN_LIT("wrap"));
    xml_attr(&x, "id", SPAN_LIT("main"));
    xml_text(&x, (struct span){0});
    buf_str(out, api_page);
    xml_end(&x, "main");
    xml_end(&x, "body");
    xml_end(&x, "html");
    return buf_ok(out, f);
}
