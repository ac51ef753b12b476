/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* JSON and XML as the same events, and which format a document is. */
#include "base/json_in.h"
#include "base/xml_in.h"
#include "service/exchange_impl.h"

err node_figure(struct span text, enum node_kind kind, uint64_t *out, struct fail *f) {
    if (kind != NODE_NUMBER && kind != NODE_XML) return fail_set(f, E_FIELD, "a count is due here: a number");
    return ex_number(text, out, f);
}

/* --- JSON --- */

enum { VALUE_MAX = 1 << 20 };

struct json_nodes {
    struct json_in j;
    const struct nodes *n;
    struct fail *f;
    struct buf text, names[JSON_IN_DEPTH + 1]; /* without escapes; of what is open */
    unsigned depth;
};

/* Most texts have no escapes and are used where they stand. */
static struct span plain(struct span raw, struct buf *b) {
    if (!raw.n || !memchr(raw.p, '\\', raw.n)) return raw;
    buf_clear(b);
    json_in_text(raw, b);
    return buf_view(b);
}

static err json_value(struct json_nodes *x, enum json_token t, struct span raw) {
    struct span name = buf_view(&x->names[x->depth]);
    switch (t) {
    case JT_STRING: return x->n->value(x->n->ctx, name, plain(raw, &x->text), NODE_TEXT, x->f);
    case JT_NUMBER: return x->n->value(x->n->ctx, name, raw, NODE_NUMBER, x->f);
    case JT_TRUE: return x->n->value(x->n->ctx, name, SPAN_LIT("true"), NODE_OTHER, x->f);
    case JT_FALSE: return x->n->value(x->n->ctx, name, SPAN_LIT("false"), NODE_OTHER, x->f);
    default: return x->n->value(x->n->ctx, name, (struct span){0}, NODE_OTHER, x->f);
    }
}

static void set_name(struct json_nodes *x, struct span raw) {
    struct buf *b = &x->names[x->depth];
    buf_clear(b);
    json_in_text(raw, b);
}

/* The name of what is inside an array is the array's own. */
static err json_step(struct json_nodes *x, enum json_token t, struct span raw) {
    switch (t) {
    case JT_KEY: set_name(x, raw); return OK;
    case JT_OBJECT:
        TRY(x->n->begin(x->n->ctx, buf_view(&x->names[x->depth]), x->f));
        x->depth++;
        buf_clear(&x->names[x->depth]);
        return OK;
    case JT_ARRAY:
        x->depth++;
        buf_clear(&x->names[x->depth]);
        buf_span(&x->names[x->depth], buf_view(&x->names[x->depth - 1]));
        return OK;
    case JT_OBJECT_END: x->depth--; return x->n->end(x->n->ctx, x->f);
    case JT_ARRAY_END: x->depth--; return OK;
    default: return json_value(x, t, raw);
    }
}

err nodes_of_json(struct span text, const struct nodes *n, struct fail *f) {
    struct json_nodes x = {.n = n, .f = f};
    struct span raw;
    enum json_token t;
    buf_init(&x.text, VALUE_MAX);
    for (size_t i = 0; i <= JSON_IN_DEPTH; i++) buf_init(&x.names[i], VALUE_MAX);
    json_in_init(&x.j, text, f);
    err e = OK;
    while (e == OK && (t = json_in_next(&x.j, &raw)) != JT_END) {
        e = json_step(&x, t, raw);
        if (e == OK && x.names[x.depth].failed) e = fail_set(f, E_TOO_LARGE, "a key of more than %d bytes", VALUE_MAX);
        if (e == OK && x.text.failed) e = fail_set(f, E_TOO_LARGE, "a text of more than %d bytes", VALUE_MAX);
    }
    if (e != OK) {
        size_t line, column;
        json_in_place(&x.j, &line, &column);
        (void)fail_context(f, e, "line %zu, column %zu", line, column);
    } else {
        e = json_in_end(&x.j);
    }
    buf_release(&x.text);
    for (size_t i = 0; i <= JSON_IN_DEPTH; i++) buf_release(&x.names[i]);
    return e;
}

/* --- XML --- */

struct xml_nodes {
    const struct nodes *n;
    struct buf space; /* of the outermost element */
    bool began, held; /* an element is held back until it shows whether it is a value */
    struct buf held_name;
    bool with_text;    /* the open element was begun, and had no elements so far */
    unsigned foreign;  /* open elements of another namespace */
};

static err release_held(struct xml_nodes *x, struct fail *f) {
    if (!x->held) return OK;
    x->held = false;
    return x->n->begin(x->n->ctx, buf_view(&x->held_name), f);
}

static err attributes(const struct xml_nodes *x, const struct xml_attribute *at, size_t n, struct fail *f) {
    for (size_t i = 0; i < n; i++) {
        char name[80] = "@";
        struct span plain_name = at[i].name.name;
        if (at[i].name.space.n || plain_name.n > sizeof name - 2) continue; /* xsi:type and its like */
        memcpy(name + 1, plain_name.p, plain_name.n);
        TRY(x->n->value(x->n->ctx, span_of(name, plain_name.n + 1), at[i].value, NODE_XML, f));
    }
    return OK;
}

static err xml_begin_element(void *ctx, struct xml_name name, const struct xml_attribute *at, size_t n,
                             struct fail *f) {
    struct xml_nodes *x = ctx;
    if (!x->began) {
        x->began = true;
        buf_span(&x->space, name.space);
    }
    if (x->foreign || !span_eq(name.space, buf_view(&x->space))) {
        x->foreign++;
        return OK;
    }
    TRY(release_held(x, f));
    x->with_text = false;
    if (n == 0) {
        x->held = true;
        buf_clear(&x->held_name);
        buf_span(&x->held_name, name.name);
        return buf_ok(&x->held_name, f);
    }
    TRY(x->n->begin(x->n->ctx, name.name, f));
    x->with_text = true;
    return attributes(x, at, n, f);
}

static err xml_end_element(void *ctx, struct xml_name name, struct span text, bool leaf, struct fail *f) {
    struct xml_nodes *x = ctx;
    if (x->foreign) {
        x->foreign--;
        return OK;
    }
    if (x->held) {
        x->held = false;
        return x->n->value(x->n->ctx, name.name, text, NODE_XML, f);
    }
    if (x->with_text && leaf) TRY(x->n->value(x->n->ctx, SPAN_LIT("#text"), text, NODE_XML, f));
    x->with_text = false;
    return x->n->end(x->n->ctx, f);
}

err nodes_of_xml(struct span text, const struct nodes *n, struct fail *f) {
    struct xml_nodes x = {.n = n};
    buf_init(&x.space, XML_IN_TEXT);
    buf_init(&x.held_name, XML_IN_TEXT);
    err e = xml_in_read(text, &(struct xml_in_events){xml_begin_element, xml_end_element, &x}, f);
    buf_release(&x.space);
    buf_release(&x.held_name);
    return e;
}

/* --- which format --- */

struct document {
    struct exchange *x;
    bool xml;
    const struct nodes *chosen; /* NULL until something tells */
    struct nodes to;
    unsigned depth;
    struct cdf_in *cdf;
    struct eml_in *eml;
    struct json_results *results;
};

static err choose(struct document *d, enum export_format format, struct fail *f) {
    d->x->format = format;
    switch (format) {
    case EXPORT_ERR_JSON:
    case EXPORT_ERR_XML:
        TRY(cdf_in_new(d->x, &d->cdf, f));
        d->to = cdf_nodes;
        d->to.ctx = d->cdf;
        break;
    case EXPORT_EML:
        TRY(eml_in_new(d->x, &d->eml, f));
        d->to = eml_nodes;
        d->to.ctx = d->eml;
        break;
    default:
        TRY(json_results_new(d->x, &d->results, f));
        d->to = format == EXPORT_GEOJSON ? geojson_nodes : results_nodes;
        d->to.ctx = d->results;
    }
    d->chosen = &d->to;
    return OK;
}

static err choose_xml(struct document *d, struct span root, struct fail *f) {
    if (span_is(root, "ElectionReport")) return choose(d, EXPORT_ERR_XML, f);
    if (span_is(root, "EML")) return choose(d, EXPORT_EML, f);
    return fail_set(f, E_FIELD, "the outermost element is \"%.*s\": ElectionReport (NIST SP 1500-100) or EML is read",
                    SPAN_ARG(root));
}

static err document_begin(void *ctx, struct span name, struct fail *f) {
    struct document *d = ctx;
    if (!d->chosen && d->depth == 0 && d->xml) TRY(choose_xml(d, name, f));
    if (!d->chosen && d->depth == 1 && (span_is(name, "Election") || span_is(name, "GpUnit"))) {
        TRY(choose(d, EXPORT_ERR_JSON, f));
        TRY(d->chosen->begin(d->chosen->ctx, (struct span){0}, f));
    }
    d->depth++;
    return d->chosen ? d->chosen->begin(d->chosen->ctx, name, f) : OK;
}

static err document_value(void *ctx, struct span name, struct span text, enum node_kind kind, struct fail *f) {
    struct document *d = ctx;
    if (d->chosen) return d->chosen->value(d->chosen->ctx, name, text, kind, f);
    if (d->xml && d->depth == 0) return choose_xml(d, name, f);
    if (d->depth != 1) return OK;
    if (span_is(name, "@type") && span_starts(text, SPAN_LIT("ElectionResults.")))
        TRY(choose(d, EXPORT_ERR_JSON, f));
    else if (span_is(name, "type") && span_is(text, "FeatureCollection"))
        TRY(choose(d, EXPORT_GEOJSON, f));
    else if (span_is(name, "format") && span_is(text, "hesabu/export/v1"))
        TRY(choose(d, EXPORT_JSON, f));
    return d->chosen ? d->chosen->begin(d->chosen->ctx, (struct span){0}, f) : OK;
}

static err document_end(void *ctx, struct fail *f) {
    struct document *d = ctx;
    d->depth--;
    return d->chosen ? d->chosen->end(d->chosen->ctx, f) : OK;
}

err exchange_document(struct exchange *x, struct span text, bool xml, struct fail *f) {
    struct document d = {.x = x, .xml = xml};
    const struct nodes n = {document_begin, document_value, document_end, &d};
    err e = xml ? nodes_of_xml(text, &n, f) : nodes_of_json(text, &n, f);
    if (e == OK && !d.chosen)
        e = fail_set(f, E_FIELD, "JSON of none of the formats that are read back: NIST SP 1500-100, GeoJSON, results.json");
    if (e == OK && d.cdf) e = cdf_in_finish(d.cdf, f);
    cdf_in_free(d.cdf);
    eml_in_free(d.eml);
    json_results_free(d.results);
    return e;
}
