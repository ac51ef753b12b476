/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading XML of others (XML 1.0 with namespaces), element by element, without building a tree: memory
 * does not grow with the file.
 *
 * Strict: UTF-8; no document type declaration, so no entities but the five of XML and nothing outside the
 * file is ever asked for; at most 64 levels, 32 attributes an element, 64 KiB of text an element, 16 MiB a
 * tag or comment, 1,000 different names. */
#ifndef BASE_XML_IN_H
#define BASE_XML_IN_H

#include "base/bytes.h"

enum { XML_IN_DEPTH = 64, XML_IN_ATTRIBUTES = 32, XML_IN_TEXT = 1 << 16, XML_IN_TOKEN = 16 << 20, XML_IN_NAMES = 1000 };

/* `space` is the namespace's address, empty where there is none; `name` is without prefix. */
struct xml_name {
    struct span space, name;
};
struct xml_attribute {
    struct xml_name name;
    struct span value;
};

/* Spans are borrowed during the call. What a function refuses ends the reading. */
struct xml_in_events {
    err (*begin)(void *ctx, struct xml_name name, const struct xml_attribute *at, size_t n, struct fail *f);
    /* `text`: of an element without elements in it, without the blanks around it; else empty. */
    err (*end)(void *ctx, struct xml_name name, struct span text, bool leaf, struct fail *f);
    void *ctx;
};

/* The whole of `text` is one document. E_XML or what an event answered, with line and column before its
 * sentence; E_DEPTH; E_TOO_LARGE. */
MUST_USE err xml_in_read(struct span text, const struct xml_in_events *events, struct fail *f);

#endif
