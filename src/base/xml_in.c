/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/xml_in.h"

#include <expat.h>
#include <strings.h>
#include "base/vec.h"

/* One piece is looked at in place; only a token across the border of two is read again. */
enum { PIECE = XML_IN_TOKEN, NAME_SLOTS = 4 * XML_IN_NAMES, SEPARATOR = '\n' /* no address of a namespace holds one */ };

struct reading {
    XML_Parser parser;
    const struct xml_in_events *events;
    struct fail *f;
    err code; /* the first thing that was refused */
    unsigned depth;
    bool leaf;       /* no element since the last start tag */
    struct buf text; /* since then */
    size_t names;    /* so many different ones; expat keeps each of them */
    uint64_t name[NAME_SLOTS]; /* their hashes; 0: free */
};

static err placed(const struct reading *r, err e) {
    return fail_context(r->f, e, "line %llu, column %llu", (unsigned long long)XML_GetCurrentLineNumber(r->parser),
                        (unsigned long long)XML_GetCurrentColumnNumber(r->parser) + 1);
}

/* Events may still come after this: they are passed over. */
static void stop(struct reading *r, err e) {
    if (r->code != OK || e == OK) return;
    r->code = placed(r, e);
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static struct xml_name split(const char *full) {
    const char *at = strchr(full, SEPARATOR);
    if (!at) return (struct xml_name){.name = span_text(full)};
    const char *end = strchr(at + 1, SEPARATOR); /* a prefix would follow, if that were asked for */
    return (struct xml_name){span_of(full, (size_t)(at - full)),
                             end ? span_of(at + 1, (size_t)(end - at - 1)) : span_text(at + 1)};
}

/* Remembers a name; `kind` tells those of elements, attributes and prefixes apart. */
static bool know(struct reading *r, uint64_t kind, const char *name) {
    uint64_t h = hash_u64(hash_bytes(span_text(name)) + kind) | 1;
    size_t i = (h >> 32) % NAME_SLOTS;
    for (; r->name[i]; i = (i + 1) % NAME_SLOTS)
        if (r->name[i] == h) return true;
    if (r->names == XML_IN_NAMES) {
        stop(r, fail_set(r->f, E_TOO_LARGE, "more than %d different names of elements and attributes", XML_IN_NAMES));
        return false;
    }
    r->name[i] = h;
    r->names++;
    return true;
}

static void XMLCALL prefix(void *ctx, const XML_Char *name, const XML_Char *space) {
    struct reading *r = ctx;
    if (r->code == OK && know(r, 3, name ? name : "")) (void)know(r, 4, space ? space : "");
}

static void XMLCALL begin(void *ctx, const XML_Char *name, const XML_Char **attributes) {
    struct reading *r = ctx;
    struct xml_attribute at[XML_IN_ATTRIBUTES];
    size_t n = 0;
    if (r->code != OK || !know(r, 1, name)) return;
    if (++r->depth > XML_IN_DEPTH) {
        stop(r, fail_set(r->f, E_DEPTH, "nested deeper than %d elements", XML_IN_DEPTH));
        return;
    }
    for (; attributes[2 * n]; n++) {
        if (n == XML_IN_ATTRIBUTES) {
            stop(r, fail_set(r->f, E_TOO_LARGE, "an element with more than %d attributes", XML_IN_ATTRIBUTES));
            return;
        }
        if (!know(r, 2, attributes[2 * n])) return;
        at[n] = (struct xml_attribute){split(attributes[2 * n]), span_text(attributes[2 * n + 1])};
    }
    r->leaf = true;
    buf_clear(&r->text);
    stop(r, r->events->begin(r->events->ctx, split(name), at, n, r->f));
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span trimmed(struct span s) {
    while (s.n && is_blank(s.p[0])) s = span_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1])) s.n--;
    return s;
}

static void XMLCALL end(void *ctx, const XML_Char *name) {
    struct reading *r = ctx;
    if (r->code != OK) return;
    struct span text = r->leaf ? trimmed(buf_view(&r->text)) : (struct span){0};
    stop(r, r->events->end(r->events->ctx, split(name), text, r->leaf, r->f));
    r->depth--;
    r->leaf = false;
}

static void XMLCALL characters(void *ctx, const XML_Char *s, int n) {
    struct reading *r = ctx;
    if (r->code != OK || !r->leaf) return;
    buf_add(&r->text, s, (size_t)n);
    if (r->text.failed) stop(r, fail_set(r->f, E_TOO_LARGE, "an element with more than %d bytes of text", XML_IN_TEXT));
}

static void XMLCALL doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                            int internal) {
    struct reading *r = ctx;
    (void)name, (void)system, (void)public, (void)internal;
    stop(r, fail_set(r->f, E_XML, "a document type declaration: files with one are not read, whatever it says"));
}

static void XMLCALL declaration(void *ctx, const XML_Char *version, const XML_Char *encoding, int standalone) {
    struct reading *r = ctx;
    (void)version, (void)standalone;
    if (encoding && strcasecmp(encoding, "UTF-8") != 0)
        stop(r, fail_set(r->f, E_XML, "the encoding \"%.40s\": save the file as UTF-8", encoding));
}

/* Tags, comments and the like that were begun wait for their end. */
static err bounded(struct reading *r, size_t given) {
    XML_Index at = XML_GetCurrentByteIndex(r->parser);
    if (at < 0 || (uint64_t)at + XML_IN_TOKEN >= given) return OK;
    return placed(r, fail_set(r->f, E_TOO_LARGE, "a tag or comment of more than %d bytes", XML_IN_TOKEN));
}

static err parse(struct reading *r, struct span text) {
    bool last;
    size_t given = 0;
    do {
        struct span piece = text;
        if (piece.n > PIECE) piece.n = PIECE;
        text = span_from(text, piece.n);
        last = text.n == 0;
        enum XML_Status s = XML_Parse(r->parser, piece.n ? (const char *)piece.p : "", (int)piece.n, last);
        if (r->code != OK) return r->code;
        if (s != XML_STATUS_OK) {
            enum XML_Error what = XML_GetErrorCode(r->parser);
            if (what == XML_ERROR_NO_MEMORY) return fail_set(r->f, E_MEMORY, "no memory to read XML");
            return placed(r, fail_set(r->f, E_XML, "%s", XML_ErrorString(what)));
        }
        given += piece.n;
        if (!last) TRY(bounded(r, given));
    } while (!last);
    return OK;
}

err xml_in_read(struct span text, const struct xml_in_events *events, struct fail *f) {
    struct reading r = {.events = events, .f = f, .parser = XML_ParserCreateNS("UTF-8", SEPARATOR)};
    if (!r.parser) return fail_set(f, E_MEMORY, "no memory to read XML");
    buf_init(&r.text, XML_IN_TEXT);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, begin, end);
    XML_SetCharacterDataHandler(r.parser, characters);
    XML_SetStartDoctypeDeclHandler(r.parser, doctype);
    XML_SetXmlDeclHandler(r.parser, declaration);
    XML_SetStartNamespaceDeclHandler(r.parser, prefix);
    (void)XML_SetParamEntityParsing(r.parser, XML_PARAM_ENTITY_PARSING_NEVER);
    err e = parse(&r, text);
    buf_release(&r.text);
    XML_ParserFree(r.parser);
    return e;
}
