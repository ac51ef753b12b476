/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A published tree read over HTTP: service/tree_source.h for a URL. */
#ifndef HTTP_TREE_URL_H
#define HTTP_TREE_URL_H

#include "service/tree_source.h"

struct tree_url;
/* `url` without what stands in the tree, e.g. https://results.example.org/2027 */
MUST_USE err tree_url_open(const char *url, struct tree_url **out, struct fail *f);
void tree_url_close(struct tree_url *t);
struct tree_source tree_url_source(struct tree_url *t);

#endif
