/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A mirror over HTTP: its copy as files, and POST /records to deposit a record that the log would not
 * take (202 with the acknowledgement). */
#ifndef HTTP_MIRROR_ROUTES_H
#define HTTP_MIRROR_ROUTES_H

#include "http/server.h"
#include "http/static.h"
#include "service/pending.h"

struct mirror_site {
    struct static_tree *files;
    struct pending *pending;
};
/* The handlers' ctx is the struct mirror_site. */
extern const struct http_route mirror_routes[];
extern const size_t mirror_route_count;
extern const struct static_rule mirror_static_rules[];
extern const size_t mirror_static_rule_count;

#endif
