/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/uri.h"

static int hex_value(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The next character of s, decoded; *encoded says whether it was %XX. False on a bad escape. */
static bool next(struct span *s, uint8_t *out, bool *encoded) {
    *encoded = s->p[0] == '%';
    if (!*encoded) {
        *out = s->p[0];
        *s = span_from(*s, 1);
        return true;
    }
    if (s->n < 3) return false;
    int high = hex_value(s->p[1]), low = hex_value(s->p[2]);
    if (high < 0 || low < 0) return false;
    *out = (uint8_t)(high << 4 | low);
    *s = span_from(*s, 3);
    return true;
}

static bool is_control(uint8_t c) {
    return c < 0x20 || c == 0x7f;
}

static err path_parse(struct span raw, char *to, struct span *path, struct fail *f) {
    size_t n = 0, segment = 0; /* where the present segment begins in `to` */
    if (raw.n == 0 || raw.p[0] != '/')
        return fail_set(f, E_FIELD, "the request's path does not begin with '/'");
    while (raw.n > 0) {
        uint8_t c;
        bool encoded;
        if (!next(&raw, &c, &encoded))
            return fail_set(f, E_FIELD, "the path holds a '%%' that is not an escape");
        if (is_control(c) || c == '\\' || (c == '/' && encoded))
            return fail_set(f, E_FIELD, "the path holds a character that paths here never hold");
        bool end = c == '/';
        if (end && n > 0) {
            if (n == segment) return fail_set(f, E_FIELD, "the path holds \"//\"");
            if (n - segment <= 2 && memcmp(to + segment, "..", n - segment) == 0)
                return fail_set(f, E_FIELD, "the path holds a \".\" or \"..\" segment");
        }
        to[n++] = (char)c;
        if (end) segment = n;
    }
    if (n > segment && n - segment <= 2 && memcmp(to + segment, "..", n - segment) == 0)
        return fail_set(f, E_FIELD, "the path ends in a \".\" or \"..\" segment");
    to[n] = 0;
    *path = span_of(to, n);
    return OK;
}

static err part_decode(struct span *raw, char stop, char *to, struct span *out, struct fail *f) {
    size_t n = 0;
    while (raw->n > 0 && raw->p[0] != stop && raw->p[0] != '&') {
        uint8_t c;
        bool encoded;
        if (!next(raw, &c, &encoded))
            return fail_set(f, E_FIELD, "the query holds a '%%' that is not an escape");
        if (c == 0) return fail_set(f, E_FIELD, "the query holds a NUL");
        if (!encoded && (is_control(c) || c == '#'))
            return fail_set(f, E_FIELD, "the query holds a character that must be escaped");
        to[n++] = c == '+' && !encoded ? ' ' : (char)c;
    }
    *out = span_of(to, n);
    return OK;
}

static err query_parse(struct span raw, char *to, struct uri *u, struct fail *f) {
    while (raw.n > 0) {
        struct uri_param p = {0};
        TRY(part_decode(&raw, '=', to, &p.name, f));
        to += p.name.n;
        p.value = span_of(to, 0);
        if (raw.n > 0 && raw.p[0] == '=') {
            raw = span_from(raw, 1);
            TRY(part_decode(&raw, '&', to, &p.value, f));
            to += p.value.n;
        }
        if (p.name.n == 0)
            return fail_set(f, E_FIELD, "the query holds a parameter without a name");
        if (raw.n == 1) return fail_set(f, E_FIELD, "the query ends in '&'");
        raw = span_from(raw, 1); /* the '&' */
        for (size_t i = 0; i < u->param_count; i++)
            if (span_eq(u->params[i].name, p.name))
                return fail_set(f, E_FIELD, "the query names \"%.*s\" twice", SPAN_ARG(p.name));
        if (u->param_count == URI_PARAMS_MAX)
            return fail_set(f, E_FIELD, "the query has more than %d parameters", URI_PARAMS_MAX);
        u->params[u->param_count++] = p;
    }
    return OK;
}

err uri_parse(struct span target, struct uri *out, struct fail *f) {
    out->param_count = 0;
    out->path = (struct span){NULL, 0};
    if (target.n > URI_TARGET_MAX)
        return fail_set(f, E_FIELD, "the request's target is longer than %d bytes", URI_TARGET_MAX);
    const uint8_t *mark = target.n ? memchr(target.p, '?', target.n) : NULL;
    size_t n = mark ? (size_t)(mark - target.p) : target.n;
    TRY(path_parse(span_of(target.p, n), out->text, &out->path, f));
    if (!mark) return OK;
    /* decoding never makes longer: path + NUL + query without its '?' fit in the text */
    return query_parse(span_from(target, n + 1), out->text + out->path.n + 1, out, f);
}

bool uri_param(const struct uri *u, const char *name, struct span *value) {
    for (size_t i = 0; i < u->param_count; i++)
        if (span_is(u->params[i].name, name)) {
            *value = u->params[i].value;
            return true;
        }
    return false;
}
