/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* XML writing: elements, attributes and text, escaped, into a bounded buffer (XML 1.0, section 2).
 *
 * Names are constants of the program. Text and attribute values are anything: the five special
 * characters are escaped (so "]]>" cannot end anything), and what XML cannot hold (most control
 * characters, U+FFFE, bytes that are not UTF-8) becomes U+FFFD. */
#ifndef BASE_XML_OUT_H
#define BASE_XML_OUT_H

#include "base/bytes.h"

struct xml_out {
    struct buf *b;
    bool open; /* a start tag that can take attributes yet */
};

/* Begins with the declaration when `declare`. */
struct xml_out xml_out(struct buf *b, bool declare);
void xml_begin(struct xml_out *x, const char *name);
/* Only directly after xml_begin. */
void xml_attr(struct xml_out *x, const char *name, struct span value);
void xml_text(struct xml_out *x, struct span text);
void xml_u64(struct xml_out *x, uint64_t v);
/* Every end tag is followed by a line break, so that text tools can read the file. */
void xml_end(struct xml_out *x, const char *name);
/* "--" would end it and becomes "- -". Only before the root element or between elements. */
void xml_comment(struct xml_out *x, struct span text);
/* <name>text</name> */
void xml_element(struct xml_out *x, const char *name, struct span text);
void xml_element_str(struct xml_out *x, const char *name, const char *text);
void xml_element_u64(struct xml_out *x, const char *name, uint64_t v);

#endif
