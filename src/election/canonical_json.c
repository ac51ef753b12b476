/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/canonical_json.h"

#include <stdio.h>
#include "base/text.h"

void cj_init(struct cj *r, struct span text, struct fail *f) {
    r->all = r->rest = text;
    r->code = OK;
    r->f = f;
    r->depth = 0;
    r->level[0].any = false;
    r->level[0].array = true; /* the top holds one value, like an array of one */
}

void cj_fail(struct cj *r, err code, const char *fmt, ...) {
    if (r->code != OK) return;
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->code = fail_set(r->f, code, "JSON, byte %zu: %s", (size_t)(r->rest.p - r->all.p), text);
    r->rest.n = 0;
}

err cj_end(struct cj *r) {
    if (r->code == OK && (r->rest.n || r->depth || !r->level[0].any))
        cj_fail(r, E_JSON, r->rest.n ? "something follows the value" : "the value does not end");
    return r->code;
}

static int next(const struct cj *r) {
    return r->rest.n ? r->rest.p[0] : -1;
}

static bool take(struct cj *r, char c) {
    if (next(r) != (uint8_t)c) return false;
    r->rest = span_from(r->rest, 1);
    return true;
}

/* Says why the byte at hand is wrong: white space is "not canonical", anything else "not JSON". */
static void unexpected(struct cj *r, const char *wanted) {
    int c = next(r);
    if (r->code != OK) return;
    if (c < 0)
        cj_fail(r, E_JSON, "ends where %s is expected", wanted);
    else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        cj_fail(r, E_CANONICAL, "white space");
    else
        cj_fail(r, E_JSON, "expected %s", wanted);
}

/* Before a value: an array's values have no separator pending (cj_element read it). */
static bool begin_value(struct cj *r) {
    if (r->code != OK) return false;
    if (r->depth == 0) {
        if (r->level[0].any) {
            cj_fail(r, E_JSON, "a second value");
            return false;
        }
        r->level[0].any = true;
    }
    return true;
}

static void open_level(struct cj *r, char c, bool array) {
    if (!begin_value(r)) return;
    if (!take(r, c)) {
        int n = next(r);
        if (n >= 0 && strchr("{[\"0123456789tfn", n) && n)
            cj_fail(r, E_FIELD, "expected %s", array ? "an array" : "an object");
        else
            unexpected(r, array ? "an array" : "an object");
        return;
    }
    if (r->depth + 1 >= CJ_MAX_DEPTH) {
        cj_fail(r, E_DEPTH, "nested more than %d levels deep", CJ_MAX_DEPTH - 1);
        return;
    }
    r->depth++;
    r->level[r->depth].last_key = (struct span){0};
    r->level[r->depth].any = false;
    r->level[r->depth].array = array;
}

void cj_object(struct cj *r) {
    open_level(r, '{', false);
}

void cj_array(struct cj *r) {
    open_level(r, '[', true);
}

bool cj_element(struct cj *r) {
    if (r->code != OK) return false;
    if (take(r, ']')) {
        r->depth--;
        return false;
    }
    if (r->level[r->depth].any && !take(r, ',')) {
        unexpected(r, "',' or ']'");
        return false;
    }
    if (r->level[r->depth].any && next(r) == ']') {
        cj_fail(r, E_JSON, "a comma before ']'");
        return false;
    }
    r->level[r->depth].any = true;
    return true;
}

/* Printable ASCII without quote and backslash. */
static const bool needs_no_look[256] = {[0x20 ... 0x21] = true, [0x23 ... 0x5b] = true,
                                        [0x5d ... 0x7e] = true};

/* What a string holds beside plain ASCII. */
enum { HAS_ESCAPES = 1, HAS_MORE = 2 };

/* The content of a string, checked; *has tells what it holds. */
static struct span string(struct cj *r, unsigned *has) {
    *has = 0;
    if (!take(r, '"')) {
        int n = next(r);
        if (n > 0 && strchr("{[0123456789tfn", n))
            cj_fail(r, E_FIELD, "expected a string");
        else
            unexpected(r, "a string");
        return (struct span){0};
    }
    struct span from = r->rest;
    while (r->rest.n) {
        size_t plain = 0;
        while (plain < r->rest.n && needs_no_look[r->rest.p[plain]]) plain++;
        r->rest = span_from(r->rest, plain);
        if (r->rest.n == 0) break;
        uint8_t c = r->rest.p[0];
        if (c == '"') {
            struct span s = {from.p, (size_t)(r->rest.p - from.p)};
            r->rest = span_from(r->rest, 1);
            return s;
        }
        if (c == '\\') {
            if (r->rest.n > 1 && (r->rest.p[1] == '"' || r->rest.p[1] == '\\')) {
                *has |= HAS_ESCAPES;
                r->rest = span_from(r->rest, 2);
                continue;
            }
            cj_fail(r, E_CANONICAL, "an escape other than \\\" and \\\\");
            return (struct span){0};
        }
        *has |= HAS_MORE;
        struct span before = r->rest;
        int32_t u = utf8_next(&r->rest);
        if (u < 0 || !char_is_plain(u)) {
            r->rest = before;
            cj_fail(r, E_UTF8, u < 0 ? "not valid UTF-8" : "the forbidden character U+%04X",
                    (unsigned)u);
            return (struct span){0};
        }
    }
    cj_fail(r, E_JSON, "a string does not end");
    return (struct span){0};
}

/* The key comes after the one before it. */
static bool in_order(struct cj *r, struct span key) {
    struct span last = r->level[r->depth].last_key;
    bool first = !r->level[r->depth].any;
    r->level[r->depth].any = true;
    r->level[r->depth].last_key = key;
    if (first || (last.n && key.n && last.p[0] < key.p[0])) return true;
    int c = span_cmp(last, key);
    if (c < 0) return true;
    cj_fail(r, E_CANONICAL, c ? "key \"%.*s\" is out of order" : "key \"%.*s\" stands twice",
            SPAN_ARG(key));
    return false;
}

static bool read_key(struct cj *r, struct span *key) {
    if (r->level[r->depth].any && !take(r, ',')) {
        unexpected(r, "',' or '}'");
        return false;
    }
    if (next(r) != '"') {
        unexpected(r, "a key");
        return false;
    }
    unsigned has;
    *key = string(r, &has);
    if (r->code != OK) return false;
    if (has) {
        cj_fail(r, E_CANONICAL, has & HAS_MORE ? "a key that is not ASCII" : "a key with escapes");
        return false;
    }
    if (!take(r, ':')) {
        unexpected(r, "':'");
        return false;
    }
    return in_order(r, *key);
}

bool cj_any_key(struct cj *r, struct span *key) {
    if (r->code != OK) return false;
    if (take(r, '}')) {
        r->depth--;
        return false;
    }
    return read_key(r, key);
}

void cj_object_end(struct cj *r) {
    if (r->code != OK) return;
    if (take(r, '}')) {
        r->depth--;
        return;
    }
    struct span key;
    if (read_key(r, &key)) cj_fail(r, E_FIELD, "unknown field \"%.*s\"", SPAN_ARG(key));
}

bool cj_have(struct cj *r, const char *key) {
    if (r->code != OK || next(r) == '}') return false;
    size_t n = strlen(key), comma = r->level[r->depth].any ? 1 : 0;
    /* ,"key": */
    if (r->rest.n < comma + n + 3) return false;
    const uint8_t *p = r->rest.p;
    if ((comma && p[0] != ',') || p[comma] != '"' || memcmp(p + comma + 1, key, n) ||
        p[comma + 1 + n] != '"' || p[comma + 2 + n] != ':')
        return false;
    /* `key` is the program's own, so it needs no further look */
    r->rest = span_from(r->rest, comma + n + 3);
    return in_order(r, span_of(p + comma + 1, n));
}

void cj_need(struct cj *r, const char *key) {
    if (r->code != OK || cj_have(r, key)) return;
    if (next(r) == '}') {
        cj_fail(r, E_FIELD, "the field \"%s\" is missing", key);
        return;
    }
    struct span other;
    if (read_key(r, &other))
        cj_fail(r, E_FIELD, "expected the field \"%s\", found \"%.*s\"", key, SPAN_ARG(other));
}

uint64_t cj_u64(struct cj *r, uint64_t max) {
    if (!begin_value(r)) return 0;
    size_t n = 0;
    uint64_t v = 0;
    while (n < r->rest.n && char_is_digit(r->rest.p[n])) {
        if (n >= 16) break;
        v = v * 10 + (uint64_t)(r->rest.p[n] - '0');
        n++;
    }
    int after = n < r->rest.n ? r->rest.p[n] : -1;
    if (n == 0) {
        if (next(r) == '-')
            cj_fail(r, E_RANGE, "a negative number");
        else if (next(r) > 0 && strchr("{[\"tfn", next(r)))
            cj_fail(r, E_FIELD, "expected a number");
        else
            unexpected(r, "a number");
        return 0;
    }
    if (n > 1 && r->rest.p[0] == '0') {
        cj_fail(r, E_CANONICAL, "a number with a leading zero");
        return 0;
    }
    if (after == '.' || after == 'e' || after == 'E') {
        cj_fail(r, E_CANONICAL, "a number with a fraction or an exponent");
        return 0;
    }
    if ((after >= '0' && after <= '9') || v > CJ_MAX_INT) {
        cj_fail(r, E_RANGE, "an integer past 2^53 - 1");
        return 0;
    }
    if (v > max) {
        cj_fail(r, E_RANGE, "%llu is more than %llu", (unsigned long long)v,
                (unsigned long long)max);
        return 0;
    }
    r->rest = span_from(r->rest, n);
    return v;
}

static bool literal(struct cj *r, const char *word) {
    struct span w = span_text(word);
    if (!span_starts(r->rest, w)) return false;
    r->rest = span_from(r->rest, w.n);
    return true;
}

bool cj_bool(struct cj *r) {
    if (!begin_value(r)) return false;
    if (literal(r, "true")) return true;
    if (!literal(r, "false")) cj_fail(r, E_FIELD, "expected true or false");
    return false;
}

bool cj_null(struct cj *r) {
    if (r->code != OK || !span_starts(r->rest, SPAN_LIT("null"))) return false;
    return begin_value(r) && literal(r, "null");
}

struct span cj_code(struct cj *r, size_t max) {
    if (!begin_value(r)) return (struct span){0};
    unsigned has;
    struct span s = string(r, &has);
    if (r->code == OK && has & HAS_ESCAPES) cj_fail(r, E_FIELD, "a code holds a quote or a backslash");
    if (r->code == OK && s.n > max) cj_fail(r, E_RANGE, "a text of more than %zu bytes", max);
    return r->code == OK ? s : (struct span){0};
}

struct span cj_text(struct cj *r, struct arena *a, size_t max) {
    if (!begin_value(r)) return (struct span){0};
    unsigned has;
    struct span s = string(r, &has);
    size_t n = s.n;
    if (has & HAS_ESCAPES) { /* two bytes for one */
        n = 0;
        for (size_t i = 0; i < s.n; i++, n++)
            if (s.p[i] == '\\') i++;
    }
    if (r->code == OK && n > max) cj_fail(r, E_RANGE, "a text of more than %zu bytes", max);
    if (r->code != OK) return (struct span){0};
    uint8_t *to = arena_alloc(a, n);
    if (!to) {
        cj_fail(r, E_MEMORY, "no memory for a text");
        return (struct span){0};
    }
    n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\') i++;
        to[n++] = s.p[i];
    }
    return (struct span){to, n};
}

void cj_hex(struct cj *r, uint8_t *out, size_t n) {
    struct span s = cj_code(r, 2 * n);
    if (r->code != OK) return;
    if (hex_decode(s, out, n, NULL) != OK)
        cj_fail(r, E_HEX, "\"%.*s\" is not %zu lowercase hex digits", SPAN_ARG(s), 2 * n);
}

struct span cj_raw(struct cj *r) {
    if (r->code != OK) return (struct span){0};
    const uint8_t *from = r->rest.p;
    struct span key;
    unsigned has;
    switch (next(r)) {
    case '{':
        cj_object(r);
        while (cj_any_key(r, &key)) (void)cj_raw(r);
        break;
    case '[':
        cj_array(r);
        while (cj_element(r)) (void)cj_raw(r);
        break;
    case '"':
        if (begin_value(r)) (void)string(r, &has);
        break;
    case 't':
    case 'f': (void)cj_bool(r); break;
    case 'n':
        if (!cj_null(r)) unexpected(r, "a value");
        break;
    case '-': cj_fail(r, E_RANGE, "a negative number"); break;
    default:
        if (next(r) >= '0' && next(r) <= '9')
            (void)cj_u64(r, CJ_MAX_INT);
        else
            unexpected(r, "a value");
    }
    if (r->code != OK) return (struct span){0};
    return (struct span){from, (size_t)(r->rest.p - from)};
}

err cj_check(struct span text, struct fail *f) {
    struct cj r;
    cj_init(&r, text, f);
    (void)cj_raw(&r);
    return cj_end(&r);
}
