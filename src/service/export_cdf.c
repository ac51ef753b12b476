/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/export_cdf.h"

#include <stdio.h>

static void type_and_id(struct cdf *c, const char *type, const char *id) {
    char full[100];
    (void)snprintf(full, sizeof full, "ElectionResults.%s", type);
    json_kstr(&c->j, "@type", full);
    if (id) json_kstr(&c->j, "@id", id);
}

struct cdf cdf_begin(bool xml, const char *type, const char *space, struct buf *b) {
    struct cdf c = {.xml = xml, .b = b};
    if (!xml) {
        c.j = json_out(b);
        json_object(&c.j);
        type_and_id(&c, type, NULL);
        return c;
    }
    c.x = xml_out(b, true);
    xml_begin(&c.x, type);
    xml_attr(&c.x, "xmlns", span_text(space));
    xml_attr(&c.x, "xmlns:xsi", SPAN_LIT("http://www.w3.org/2001/XMLSchema-instance"));
    return c;
}

void cdf_end(struct cdf *c, const char *type) {
    if (c->xml) {
        xml_end(&c->x, type);
        return;
    }
    json_object_end(&c->j);
    buf_byte(c->b, '\n');
}

void cdf_list(struct cdf *c, const char *name) {
    if (c->xml) return;
    json_key(&c->j, name);
    json_array(&c->j);
}

void cdf_list_end(struct cdf *c) {
    if (c->xml) return;
    json_array_end(&c->j);
    buf_byte(c->b, '\n'); /* white space: lines that a text tool can hold */
}

void cdf_item(struct cdf *c, const char *name, const char *type, const char *id, bool derived) {
    if (!c->xml) {
        json_object(&c->j);
        type_and_id(c, type, id);
        return;
    }
    xml_begin(&c->x, name);
    if (id) xml_attr(&c->x, "ObjectId", span_text(id));
    if (derived) xml_attr(&c->x, "xsi:type", span_text(type));
}

void cdf_item_end(struct cdf *c, const char *name) {
    if (c->xml)
        xml_end(&c->x, name);
    else
        json_object_end(&c->j);
}

void cdf_object(struct cdf *c, const char *name, const char *type) {
    if (!c->xml) json_key(&c->j, name);
    cdf_item(c, name, type, NULL, false);
}

void cdf_object_end(struct cdf *c, const char *name) {
    cdf_item_end(c, name);
}

void cdf_text(struct cdf *c, const char *name, struct span text) {
    if (c->xml)
        xml_element(&c->x, name, text);
    else
        json_kspan(&c->j, name, text);
}

void cdf_str(struct cdf *c, const char *name, const char *text) {
    cdf_text(c, name, span_text(text));
}

void cdf_u64(struct cdf *c, const char *name, uint64_t v) {
    if (c->xml)
        xml_element_u64(&c->x, name, v);
    else
        json_ku64(&c->j, name, v);
}

void cdf_true(struct cdf *c, const char *name) {
    if (c->xml)
        xml_element_str(&c->x, name, "true");
    else
        json_kbool(&c->j, name, true);
}

void cdf_words(struct cdf *c, const char *name, struct span text) {
    cdf_object(c, name, "InternationalizedText");
    if (c->xml) {
        xml_begin(&c->x, "Text");
        xml_attr(&c->x, "Language", SPAN_LIT("en"));
        xml_text(&c->x, text);
        xml_end(&c->x, "Text");
    } else {
        cdf_list(c, "Text");
        cdf_item(c, "Text", "LanguageString", NULL, false);
        cdf_text(c, "Content", text);
        cdf_str(c, "Language", "en");
        cdf_item_end(c, "Text");
        json_array_end(&c->j);
    }
    cdf_object_end(c, name);
}

void cdf_ids(struct cdf *c, const char *name) {
    c->listed = false;
    if (c->xml) {
        xml_begin(&c->x, name);
        return;
    }
    json_key(&c->j, name);
    json_array(&c->j);
}

void cdf_id(struct cdf *c, const char *id) {
    if (!c->xml) {
        json_str(&c->j, id);
        return;
    }
    if (c->listed) xml_text(&c->x, SPAN_LIT(" "));
    xml_text(&c->x, span_text(id));
    c->listed = true;
}

void cdf_ids_end(struct cdf *c, const char *name) {
    if (c->xml)
        xml_end(&c->x, name);
    else
        json_array_end(&c->j);
}

void cdf_external(struct cdf *c, const char *type, struct span value) {
    cdf_item(c, "ExternalIdentifier", "ExternalIdentifier", NULL, false);
    cdf_str(c, "Type", "other");
    cdf_str(c, "OtherType", type);
    cdf_text(c, "Value", value);
    cdf_item_end(c, "ExternalIdentifier");
}

static size_t put(char out[CDF_ID_MAX], size_t n, struct span s) {
    for (size_t i = 0; i < s.n && n + 1 < CDF_ID_MAX; i++)
        out[n++] = (char)(s.p[i] == '/' ? 'S' : s.p[i]);
    return n;
}

void cdf_make_id(char out[CDF_ID_MAX], const char *prefix, struct span a, struct span b,
                 unsigned round) {
    char number[16];
    size_t n = put(out, 0, span_text(prefix));
    if (round) {
        (void)snprintf(number, sizeof number, "%u-", round);
        n = put(out, n, span_text(number));
    }
    n = put(out, n, a);
    if (b.n) {
        n = put(out, n, SPAN_LIT("Z"));
        n = put(out, n, b);
    }
    out[n] = 0;
}
