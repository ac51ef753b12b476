/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/values.h"

#include <stdio.h>
#include "base/text.h"

/* Days since 1970-01-01 of a date in the Gregorian calendar (years 1970 to 9999). */
static uint64_t days_of(unsigned year, unsigned month, unsigned day) {
    static const unsigned before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    unsigned y = year - 1;
    uint64_t days = (uint64_t)y * 365 + y / 4 - y / 100 + y / 400;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    days += before[month - 1] + (leap && month > 2) + day - 1;
    return days - 719162; /* 0001-01-01 to 1970-01-01 */
}

static bool digits(const char *p, size_t n, unsigned *out) {
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (!char_is_digit((uint8_t)p[i])) return false;
        *out = *out * 10 + (unsigned)(p[i] - '0');
    }
    return true;
}

err value_time(const char *text, uint64_t *ms, struct fail *f) {
    static const unsigned longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day, hour, minute, second;
    if (u64_parse(span_text(text), UINT64_C(9007199254740991), ms, NULL) == OK) return OK;
    bool ok = strlen(text) == 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' &&
              text[13] == ':' && text[16] == ':' && text[19] == 'Z' && digits(text, 4, &year) &&
              digits(text + 5, 2, &month) && digits(text + 8, 2, &day) &&
              digits(text + 11, 2, &hour) && digits(text + 14, 2, &minute) &&
              digits(text + 17, 2, &second);
    ok = ok && year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= longest[month - 1] &&
         hour < 24 && minute < 60 && second < 60;
    if (!ok)
        return fail_set(f, E_USAGE, "\"%.60s\" is not a time: write it as 2017-08-08T17:00:00Z (UTC)",
                        text);
    *ms = (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
    return OK;
}

err value_pairs(const char *text, struct span *names, uint64_t *values, size_t max, size_t *n,
                struct fail *f) {
    *n = 0;
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, ",");
        const char *eq = memchr(at, '=', len);
        if (!eq || eq == at)
            return fail_set(f, E_USAGE, "\"%.60s\" is not of the form CHOICE=VOTES,CHOICE=VOTES", text);
        if (*n == max) return fail_set(f, E_USAGE, "more than %zu choices", max);
        struct span name = span_of(at, (size_t)(eq - at));
        struct span value = span_of(eq + 1, len - name.n - 1);
        for (size_t i = 0; i < *n; i++)
            if (span_eq(names[i], name))
                return fail_set(f, E_USAGE, "the choice %.*s stands there twice", SPAN_ARG(name));
        names[*n] = name;
        values[*n] = UINT64_MAX;
        if (value.n && !span_is(value, "-") &&
            u64_parse(value, UINT64_C(999999999), &values[*n], NULL) != OK)
            return fail_set(f, E_USAGE, "\"%.*s\" is not a number of votes", SPAN_ARG(value));
        (*n)++;
        at += len;
        if (*at == ',') at++;
    }
    return OK;
}

err value_numbers(const char *text, uint32_t *out, size_t n, struct fail *f) {
    struct span rest = span_text(text);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *comma = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
        struct span part = comma ? span_of(rest.p, (size_t)(comma - rest.p)) : rest;
        uint64_t v;
        if ((comma == NULL) != (i + 1 == n) || u64_parse(part, 100000, &v, NULL) != OK)
            return fail_set(f, E_USAGE, "\"%.60s\" is not %zu whole numbers separated by commas", text,
                            n);
        out[i] = (uint32_t)v;
        rest = span_from(rest, part.n + 1);
    }
    return OK;
}

const char *value_grouped(uint64_t v, char out[32]) {
    char plain[24];
    int n = snprintf(plain, sizeof plain, "%llu", (unsigned long long)v), o = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[o++] = ',';
        out[o++] = plain[i];
    }
    out[o] = 0;
    return out;
}
