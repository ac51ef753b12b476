/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A witness over HTTP (C2SP tlog-witness v1.0.0): POST /add-checkpoint, GET /<origin id>/checkpoint,
 * and GET /healthz with the state of each log as JSON. */
#ifndef HTTP_WITNESS_ROUTES_H
#define HTTP_WITNESS_ROUTES_H

#include "http/server.h"
#include "service/witness.h"

/* For http_server_start; the handlers' ctx is the struct witness. */
extern const struct http_route witness_routes[];
extern const size_t witness_route_count;

#endif
