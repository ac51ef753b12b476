/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the HTTP layer parses itself: request targets, If-None-Match, addresses and prefixes.
 * The first byte chooses. */
#include <stdlib.h>
#include "http/limits.h"
#include "http/response.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds) abort();
}

static void target(struct span s) {
    struct uri u;
    struct fail f = {0};
    if (uri_parse(s, &u, &f) != OK) {
        check(f.text[0] != 0);
        return;
    }
    /* an accepted path cannot leave a folder it is joined to */
    check(u.path.n > 0 && u.text[0] == '/' && strlen(u.text) == u.path.n);
    check(!strstr(u.text, "//") && !strstr(u.text, "/../") && !strstr(u.text, "/./"));
    check(u.path.n < 3 || strcmp(u.text + u.path.n - 3, "/..") != 0);
    check(u.path.n < 2 || strcmp(u.text + u.path.n - 2, "/.") != 0);
    const char *end = u.text + sizeof u.text;
    for (size_t i = 0; i < u.param_count; i++) {
        check((const char *)u.params[i].name.p + u.params[i].name.n <= end);
        check((const char *)u.params[i].value.p + u.params[i].value.n <= end);
        check(u.params[i].name.n > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 4096) return 0;
    struct span s = span_of(data + 1, size - 1);
    if (data[0] == 't') {
        target(s);
        return 0;
    }
    char *text = malloc(s.n + 1);
    if (!text) return 0;
    if (s.n) memcpy(text, s.p, s.n);
    text[s.n] = 0;
    if (data[0] == 'e') {
        struct http_response *r = http_response_copy(200, "a/b", SPAN_LIT("x"));
        if (r) {
            http_response_etag(r, "tag");
            bool matches = http_response_matches(r, text);
            check(!matches || strstr(text, "\"tag\"") || strchr(text, '*'));
            http_response_header(r, "X", text);
            http_response_release(r);
        }
    } else {
        struct net_prefix p;
        struct peer_key key;
        if (peer_key_parse(text, &key, NULL) == OK && net_prefix_parse(text, &p, NULL) == OK)
            check(net_prefix_has(&p, &key));
        if (net_prefix_parse(text, &p, NULL) == OK) check(p.bits <= 128);
    }
    free(text);
    return 0;
}
