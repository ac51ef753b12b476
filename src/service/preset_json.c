/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/preset_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "paper/form_layout.h"

enum { DEPTH_MAX = 8, TEXT_MAX = 500, ID_MAX = 40, JSON_MAX = 1 << 20 };
#define INT_MAX_JSON 9007199254740991 /* 2^53-1 */

struct reader {
    const char *name;
    struct arena *a;
    struct fail *f;
};

/* A place in the document, for sentences: "kinds[2].rule". */
struct at {
    char text[120];
};

static struct at at_key(struct at p, const char *key) {
    struct at q;
    (void)snprintf(q.text, sizeof q.text, "%.70s%s%.45s", p.text, p.text[0] ? "." : "", key);
    return q;
}

static struct at at_index(struct at p, size_t i) {
    struct at q;
    (void)snprintf(q.text, sizeof q.text, "%.90s[%zu]", p.text, i);
    return q;
}

static err wrong(struct reader *r, struct at p, const char *what) {
    return fail_set(r->f, E_CONFIG, "%s: %s %s", r->name, p.text[0] ? p.text : "the file", what);
}

static err no_memory(struct reader *r) {
    return fail_set(r->f, E_MEMORY, "%s does not fit in the memory set aside for a preset",
                    r->name);
}

static const char *kind_name(json_type t) {
    switch (t) {
    case JSON_OBJECT:
        return "must be an object";
    case JSON_ARRAY:
        return "must be an array";
    case JSON_STRING:
        return "must be a text";
    case JSON_INTEGER:
        return "must be a whole number";
    default:
        return "has the wrong kind of value";
    }
}

static err child(struct reader *r, json_t *o, struct at p, const char *key, json_type type,
                 json_t **out) {
    json_t *v = json_object_get(o, key);
    if (!v) return wrong(r, at_key(p, key), "is missing");
    if (json_typeof(v) != type) return wrong(r, at_key(p, key), kind_name(type));
    *out = v;
    return OK;
}

/* Refuses keys outside `allowed`, a list separated by blanks. */
static err only(struct reader *r, json_t *o, struct at p, const char *allowed) {
    const char *key;
    json_t *v;
    json_object_foreach(o, key, v) {
        size_t n = strlen(key);
        bool found = false;
        for (const char *s = allowed; !found && (s = strstr(s, key)); s += n)
            found = n > 0 && (s == allowed || s[-1] == ' ') && (s[n] == ' ' || s[n] == 0) &&
                    !strchr(key, ' ');
        if (!found) return wrong(r, at_key(p, key), "is not a key that a preset has here");
    }
    return OK;
}

static err text_of(struct reader *r, json_t *v, struct at p, struct span *out) {
    struct span s = span_of(json_string_value(v), json_string_length(v));
    if (s.n == 0) return wrong(r, p, "is empty");
    if (s.n > TEXT_MAX) return wrong(r, p, "is longer than 500 bytes");
    if (!text_is_plain(s)) return wrong(r, p, "holds a control or bidirectional character");
    *out = arena_copy(r->a, s);
    return out->p ? OK : no_memory(r);
}

static err text(struct reader *r, json_t *o, struct at p, const char *key, struct span *out) {
    json_t *v;
    TRY(child(r, o, p, key, JSON_STRING, &v));
    return text_of(r, v, at_key(p, key), out);
}

/* An id: a-z 0-9 '-', at most 40. */
static err id(struct reader *r, json_t *o, struct at p, const char *key, struct span *out) {
    TRY(text(r, o, p, key, out));
    bool good = out->n <= ID_MAX && out->p[0] != '-' && out->p[out->n - 1] != '-';
    for (size_t i = 0; i < out->n; i++)
        good = good && ((out->p[i] >= 'a' && out->p[i] <= 'z') || char_is_digit(out->p[i]) ||
                        out->p[i] == '-');
    if (!good) return wrong(r, at_key(p, key), "must be 1 to 40 of a-z, 0-9 and '-' within");
    return OK;
}

static err number(struct reader *r, json_t *o, struct at p, const char *key, int64_t least,
                  int64_t most, int64_t *out) {
    json_t *v;
    TRY(child(r, o, p, key, JSON_INTEGER, &v));
    *out = json_integer_value(v);
    if (*out < least || *out > most) {
        char what[80];
        (void)snprintf(what, sizeof what, "must lie between %lld and %lld", (long long)least,
                       (long long)most);
        return wrong(r, at_key(p, key), what);
    }
    return OK;
}

/* What records may hold, and no more: the definition carries these objects as they are. */
static err canonical_values(struct reader *r, json_t *v, struct at p, int depth) {
    if (depth > DEPTH_MAX) return wrong(r, p, "is nested too deeply (8 levels at most)");
    switch (json_typeof(v)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *c;
        json_object_foreach(v, key, c) {
            struct span k = span_text(key);
            bool good = k.n > 0 && k.n <= ID_MAX;
            for (size_t i = 0; i < k.n; i++)
                good = good && k.p[i] > 0x20 && k.p[i] < 0x7f && k.p[i] != '"' && k.p[i] != '\\';
            if (!good) return wrong(r, p, "has a key that is not 1 to 40 ASCII characters");
            TRY(canonical_values(r, c, at_key(p, key), depth + 1));
        }
        return OK;
    }
    case JSON_ARRAY: {
        size_t i;
        json_t *c;
        json_array_foreach(v, i, c) TRY(canonical_values(r, c, at_index(p, i), depth + 1));
        return OK;
    }
    case JSON_STRING: {
        struct span s = span_of(json_string_value(v), json_string_length(v));
        if (s.n > TEXT_MAX) return wrong(r, p, "is longer than 500 bytes");
        if (!text_is_plain(s)) return wrong(r, p, "holds a control or bidirectional character");
        return OK;
    }
    case JSON_INTEGER:
        if (json_integer_value(v) < 0 || json_integer_value(v) > INT_MAX_JSON)
            return wrong(r, p, "must be a whole number from 0 to 2^53-1");
        return OK;
    case JSON_TRUE:
    case JSON_FALSE:
        return OK;
    case JSON_REAL:
        return wrong(r, p, "must be a whole number (write fractions as [1, 4])");
    case JSON_NULL:
        break;
    }
    return wrong(r, p, "must not be null");
}

/* RFC 8785 for such values: keys are ASCII, so sorted bytewise; integers; nothing escaped but
 * '"' and '\\' (control characters are refused above). */
static err raw(struct reader *r, json_t *o, struct at p, const char *key, json_type type,
               struct span *out) {
    json_t *v;
    TRY(child(r, o, p, key, type, &v));
    TRY(canonical_values(r, v, at_key(p, key), 1));
    char *s = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
    if (!s) return no_memory(r);
    *out = arena_copy(r->a, span_text(s));
    free(s);
    return out->p ? OK : no_memory(r);
}

static err file_name(struct reader *r, json_t *o, struct at p, const char *key, const char **out) {
    struct span s;
    TRY(text(r, o, p, key, &s));
    bool good = s.p[0] != '.';
    for (size_t i = 0; i < s.n; i++)
        good = good && (char_is_digit(s.p[i]) || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
                        (s.p[i] >= 'A' && s.p[i] <= 'Z') || strchr("._-", s.p[i]));
    if (!good)
        return wrong(r, at_key(p, key),
                     "must be a plain file name (letters, digits, '.', '-', '_')"
                     " in the preset's own folder");
    *out = arena_text(r->a, s);
    return *out ? OK : no_memory(r);
}

static err level_named(struct reader *r, json_t *o, struct at p, const struct preset *s,
                       uint8_t *out) {
    struct span name;
    TRY(text(r, o, p, "level", &name));
    for (uint32_t i = 0; i < s->level_count; i++)
        if (span_eq(s->levels[i].name, name)) {
            *out = (uint8_t)i;
            return OK;
        }
    return wrong(r, at_key(p, "level"), "names none of the levels");
}

static err read_levels(struct reader *r, json_t *root, struct preset *s,
                       struct preset_files *files) {
    struct at p = at_key((struct at){""}, "levels");
    json_t *list, *v;
    TRY(child(r, root, (struct at){""}, "levels", JSON_ARRAY, &list));
    size_t n = json_array_size(list), i;
    if (n < 3 || n > PRESET_LEVELS_MAX) return wrong(r, p, "must have 3 to 8 levels");
    json_array_foreach(list, i, v) {
        struct at q = at_index(p, i);
        if (!json_is_object(v)) return wrong(r, q, "must be an object");
        struct preset_level *l = &s->levels[i];
        TRY(only(r, v, q, i == 0 ? "name code title" : "name digits"));
        TRY(id(r, v, q, "name", &l->name));
        for (size_t k = 0; k < i; k++)
            if (span_eq(s->levels[k].name, l->name)) return wrong(r, q, "has a name used before");
        if (i == 0) {
            TRY(text(r, v, q, "code", &files->nation_code));
            TRY(text(r, v, q, "title", &files->nation_title));
            if (files->nation_code.n > 8) return wrong(r, q, "has a code of more than 8 bytes");
            for (size_t k = 0; k < files->nation_code.n; k++)
                if (files->nation_code.p[k] < 'A' || files->nation_code.p[k] > 'Z')
                    return wrong(r, at_key(q, "code"),
                                 "must be of A-Z (it may not look like "
                                 "another unit's code)");
            continue;
        }
        int64_t digits;
        TRY(number(r, v, q, "digits", 1, 9, &digits));
        l->digits = (uint8_t)digits;
        l->code_length = (uint8_t)(s->levels[i - 1].code_length + digits);
        if (l->code_length > PRESET_CODE_MAX) return wrong(r, q, "makes codes of over 32 digits");
        s->level_count = (uint32_t)i + 1;
    }
    return OK;
}

/* The files must list every level from below the nation down to the lowest area. */
static err read_unit_files(struct reader *r, json_t *root, struct preset *s,
                           struct preset_files *files) {
    struct at p = at_key((struct at){""}, "units");
    json_t *list, *v;
    size_t i;
    TRY(child(r, root, (struct at){""}, "units", JSON_ARRAY, &list));
    json_array_foreach(list, i, v) {
        struct at q = at_index(p, i);
        if (!json_is_object(v)) return wrong(r, q, "must be an object");
        TRY(only(r, v, q, "level file"));
        uint8_t level;
        TRY(level_named(r, v, q, s, &level));
        if (level != i + 1 || level + 1u >= s->level_count)
            return wrong(r, q, "must be the next level, in the order of \"levels\"");
        files->units[i].level = level;
        TRY(file_name(r, v, q, "file", &files->units[i].file));
        files->unit_files = (uint32_t)i + 1;
    }
    uint32_t made =
        s->level_count - 1 - files->unit_files; /* levels without a file, nation apart */
    if (files->unit_files == 0 || made < 1 || made > 2)
        return wrong(r, p,
                     "must list every level but the nation, the station and, if its codes are"
                     " part of the station's, the centre");
    s->centre = made == 2;
    return OK;
}

static int64_t days_from_civil(int64_t y, int64_t m, int64_t d) {
    /* proleptic Gregorian calendar, days since 1970-01-01; years start in March */
    int64_t yy = m > 2 ? y : y - 1, mm = (m + 9) % 12;
    return 365 * yy + yy / 4 - yy / 100 + yy / 400 + (mm * 306 + 5) / 10 + d - 1 - 719468;
}

static bool two_digits(const uint8_t *p, int64_t *out) {
    if (!char_is_digit(p[0]) || !char_is_digit(p[1])) return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

static err clock_time(struct reader *r, json_t *o, struct at p, const char *key, int64_t *ms) {
    struct span s;
    int64_t h, m;
    TRY(text(r, o, p, key, &s));
    if (s.n != 5 || s.p[2] != ':' || !two_digits(s.p, &h) || !two_digits(s.p + 3, &m) || h > 23 ||
        m > 59)
        return wrong(r, at_key(p, key), "must be a time as 17:00");
    *ms = (h * 60 + m) * 60000;
    return OK;
}

static err read_poll(struct reader *r, json_t *root, struct preset *s) {
    static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct at p = at_key((struct at){""}, "poll");
    json_t *o;
    struct span d;
    int64_t century, year, month, day, opens, closes, offset;
    TRY(child(r, root, (struct at){""}, "poll", JSON_OBJECT, &o));
    TRY(only(r, o, p, "date opens closes utc_offset_minutes"));
    TRY(text(r, o, p, "date", &d));
    if (d.n != 10 || d.p[4] != '-' || d.p[7] != '-' || !two_digits(d.p, &century) ||
        !two_digits(d.p + 2, &year) || !two_digits(d.p + 5, &month) || !two_digits(d.p + 8, &day) ||
        month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
        century * 100 + year < 1970)
        return wrong(r, at_key(p, "date"), "must be a date as 2017-08-08");
    TRY(clock_time(r, o, p, "opens", &opens));
    TRY(clock_time(r, o, p, "closes", &closes));
    if (opens >= closes) return wrong(r, p, "must open before it closes");
    TRY(number(r, o, p, "utc_offset_minutes", -720, 840, &offset));
    int64_t midnight =
        days_from_civil(century * 100 + year, month, day) * 86400000 - offset * 60000;
    if (midnight + opens < 0) return wrong(r, p, "lies before 1970");
    s->utc_offset_minutes = (int32_t)offset;
    s->poll_opens_ms = (uint64_t)(midnight + opens);
    s->poll_closes_ms = (uint64_t)(midnight + closes);
    return OK;
}

static err read_parties(struct reader *r, json_t *root, struct preset *s) {
    struct at p = at_key((struct at){""}, "parties");
    json_t *list, *v;
    size_t i;
    TRY(child(r, root, (struct at){""}, "parties", JSON_ARRAY, &list));
    if (json_array_size(list) > PRESET_PARTIES_MAX) return wrong(r, p, "has more than 256 parties");
    s->parties = arena_array(r->a, json_array_size(list), sizeof *s->parties);
    if (!s->parties) return no_memory(r);
    json_array_foreach(list, i, v) {
        struct at q = at_index(p, i);
        if (!json_is_object(v)) return wrong(r, q, "must be an object");
        TRY(only(r, v, q, "id name"));
        TRY(id(r, v, q, "id", &s->parties[i].id));
        TRY(text(r, v, q, "name", &s->parties[i].name));
        for (size_t k = 0; k < i; k++)
            if (span_eq(s->parties[k].id, s->parties[i].id))
                return wrong(r, at_key(q, "id"), "is used by another party");
        s->party_count = (uint32_t)i + 1;
    }
    return OK;
}

static err read_choices(struct reader *r, json_t *list, struct at p, const struct preset *s,
                        struct preset_kind *k) {
    size_t n = json_array_size(list), i;
    json_t *v;
    if (n == 0 || n > PRESET_CHOICES_MAX) return wrong(r, p, "must have 1 to 64 choices");
    struct preset_choice *c = arena_array(r->a, n, sizeof *c);
    if (!c) return no_memory(r);
    json_array_foreach(list, i, v) {
        struct at q = at_index(p, i);
        if (!json_is_object(v)) return wrong(r, q, "must be an object");
        TRY(only(r, v, q, "id name party"));
        TRY(id(r, v, q, "id", &c[i].id));
        TRY(text(r, v, q, "name", &c[i].name));
        for (size_t j = 0; j < i; j++)
            if (span_eq(c[j].id, c[i].id))
                return wrong(r, at_key(q, "id"), "is used by another choice");
        if (!json_object_get(v, "party")) continue;
        TRY(id(r, v, q, "party", &c[i].party));
        bool known = false;
        for (uint32_t j = 0; j < s->party_count; j++)
            known = known || span_eq(s->parties[j].id, c[i].party);
        if (!known) return wrong(r, at_key(q, "party"), "names none of the parties");
    }
    k->choices = c;
    k->choice_count = (uint32_t)n;
    return OK;
}

/* How the contest's forms are read, compared and collated; all of it optional. */
static err read_paper_work(struct reader *r, json_t *v, struct at q, struct preset_kind *k) {
    int64_t readings = 2;
    if (json_object_get(v, "collate")) TRY(raw(r, v, q, "collate", JSON_ARRAY, &k->collate));
    if (json_object_get(v, "compare")) TRY(raw(r, v, q, "compare", JSON_ARRAY, &k->compare));
    if (json_object_get(v, "readings")) TRY(number(r, v, q, "readings", 0, 2, &readings));
    k->readings = (uint8_t)readings;
    json_t *recounts = json_object_get(v, "recounts");
    if (recounts && !json_is_boolean(recounts))
        return wrong(r, at_key(q, "recounts"), "must be true or false");
    k->recounts = json_is_true(recounts);
    return OK;
}

static err read_kind(struct reader *r, json_t *v, struct at q, const struct preset *s,
                     struct preset_kind *k) {
    if (!json_is_object(v)) return wrong(r, q, "must be an object");
    TRY(only(r, v, q, "id title level forms declarer rule clocks collate compare readings recounts choices "
                      "placeholder_choices"));
    TRY(id(r, v, q, "id", &k->id));
    TRY(text(r, v, q, "title", &k->title));
    TRY(level_named(r, v, q, s, &k->level));
    if (k->level + (s->centre ? 2u : 1u) >= s->level_count)
        return wrong(r, at_key(q, "level"),
                     "must be an area: the nation or a level that has a file");
    TRY(raw(r, v, q, "forms", JSON_OBJECT, &k->forms));
    json_t *forms = json_object_get(v, "forms");
    if (json_object_get(forms, "station"))
        TRY(text(r, forms, at_key(q, "forms"), "station", &k->station_form));
    TRY(raw(r, v, q, "declarer", JSON_OBJECT, &k->declarer));
    TRY(raw(r, v, q, "rule", JSON_OBJECT, &k->rule));
    TRY(raw(r, v, q, "clocks", JSON_OBJECT, &k->clocks));
    TRY(read_paper_work(r, v, q, k));
    json_t *choices = json_object_get(v, "choices"),
           *made = json_object_get(v, "placeholder_choices");
    if (!choices == !made)
        return wrong(r, q, "must have either \"choices\" or \"placeholder_choices\"");
    if (choices) {
        if (k->level != 0)
            return wrong(r, at_key(q, "choices"), "can only be given for a contest of the nation");
        if (!json_is_array(choices)) return wrong(r, at_key(q, "choices"), "must be an array");
        return read_choices(r, choices, at_key(q, "choices"), s, k);
    }
    struct at m = at_key(q, "placeholder_choices");
    if (!json_is_object(made)) return wrong(r, m, "must be an object");
    int64_t least, most;
    TRY(only(r, made, m, "least most"));
    TRY(number(r, made, m, "least", 1, 26, &least));
    TRY(number(r, made, m, "most", least, 26, &most));
    k->placeholder_least = (uint32_t)least;
    k->placeholder_most = (uint32_t)most;
    return OK;
}

static err read_kinds(struct reader *r, json_t *root, struct preset *s) {
    struct at p = at_key((struct at){""}, "kinds");
    json_t *list, *v;
    size_t i;
    TRY(child(r, root, (struct at){""}, "kinds", JSON_ARRAY, &list));
    size_t n = json_array_size(list);
    if (n == 0 || n > PRESET_KINDS_MAX) return wrong(r, p, "must have 1 to 16 kinds of contest");
    s->kinds = arena_array(r->a, n, sizeof *s->kinds);
    if (!s->kinds) return no_memory(r);
    json_array_foreach(list, i, v) {
        TRY(read_kind(r, v, at_index(p, i), s, &s->kinds[i]));
        for (size_t k = 0; k < i; k++)
            if (span_eq(s->kinds[k].id, s->kinds[i].id))
                return wrong(r, at_key(at_index(p, i), "id"), "is used by another kind");
    }
    s->kind_count = (uint32_t)n;
    return OK;
}

static err read_national_only(struct reader *r, json_t *root, const struct preset *s,
                              struct preset_files *files) {
    struct at p = at_key((struct at){""}, "national_only");
    json_t *list, *v;
    size_t i;
    TRY(child(r, root, (struct at){""}, "national_only", JSON_ARRAY, &list));
    if (json_array_size(list) > PRESET_NATIONAL_MAX) return wrong(r, p, "has more than 64 codes");
    json_array_foreach(list, i, v) {
        if (!json_is_string(v)) return wrong(r, at_index(p, i), "must be a code, as a text");
        TRY(text_of(r, v, at_index(p, i), &files->national_only[i]));
        if (files->national_only[i].n != s->levels[1].code_length)
            return wrong(r, at_index(p, i), "has not the length of a code of the first level");
        files->national_only_count = (uint32_t)i + 1;
    }
    return OK;
}

static err printed_cell(struct reader *r, json_t *o, struct at p, const char *key,
                        struct preset_cell *out) {
    int64_t v;
    if (!json_object_get(o, key)) return OK;
    TRY(number(r, o, p, key, 0, PRESET_VOTERS_MAX, &v));
    *out = (struct preset_cell){true, (uint64_t)v};
    return OK;
}

/* What the totals' own form prints at the foot of its columns, whether or not they add up. */
static err read_printed(struct reader *r, json_t *totals, struct at above, const struct preset_kind *k,
                        struct preset_row *out) {
    struct at p = at_key(above, "printed");
    json_t *o = json_object_get(totals, "printed");
    size_t known = 0;
    if (!o) return OK;
    if (!json_is_object(o)) return wrong(r, p, "must be an object");
    out->votes = arena_array(r->a, k->choice_count, sizeof *out->votes);
    if (!out->votes) return fail_set(r->f, E_MEMORY, "no memory for the preset");
    TRY(printed_cell(r, o, p, "registered", &out->registered));
    TRY(printed_cell(r, o, p, "valid", &out->valid));
    TRY(printed_cell(r, o, p, "rejected", &out->rejected));
    known = out->registered.present + (size_t)out->valid.present + out->rejected.present;
    for (uint32_t i = 0; i < k->choice_count; i++) {
        char key[80];
        (void)snprintf(key, sizeof key, "%.*s", SPAN_ARG(k->choices[i].id));
        TRY(printed_cell(r, o, p, key, &out->votes[i]));
        known += out->votes[i].present;
    }
    if (known != json_object_size(o))
        return wrong(r, p, "names what is neither registered, valid, rejected nor a choice");
    return OK;
}

static err read_totals(struct reader *r, json_t *root, struct preset *s,
                       struct preset_files *files) {
    struct at p = at_key((struct at){""}, "totals");
    json_t *o = json_object_get(root, "totals");
    if (!o) return OK;
    if (!json_is_object(o)) return wrong(r, p, "must be an object");
    TRY(only(r, o, p, "contest level file form printed"));
    TRY(id(r, o, p, "contest", &files->totals_kind));
    TRY(level_named(r, o, p, s, &files->totals_level));
    TRY(file_name(r, o, p, "file", &files->totals_file));
    TRY(text(r, o, p, "form", &s->totals_form));
    if (files->totals_level == 0 || files->totals_level > files->unit_files)
        return wrong(r, at_key(p, "level"), "must be a level that has a file");
    for (uint32_t i = 0; i < s->kind_count; i++)
        if (span_eq(s->kinds[i].id, files->totals_kind) && s->kinds[i].level == 0 &&
            s->kinds[i].choices)
            return read_printed(r, o, p, &s->kinds[i], &s->printed);
    return wrong(r, at_key(p, "contest"), "must be a kind of the nation's level that has choices");
}

/* Zones of the printed form that the law keeps from the public; none when the key is absent. */
static err read_masked_zones(struct reader *r, json_t *root, struct preset *s) {
    const struct at p = at_key((struct at){""}, "masked_zones");
    json_t *list = json_object_get(root, "masked_zones");
    if (!list) return OK;
    TRY(child(r, root, (struct at){""}, "masked_zones", JSON_ARRAY, &list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct span name;
        unsigned kind = 0;
        TRY(text_of(r, json_array_get(list, i), at_index(p, i), &name));
        while (kind < ZONE_KINDS && !span_is(name, form_zone_key((enum zone_kind)kind))) kind++;
        if (kind == ZONE_KINDS) return wrong(r, at_index(p, i), "must name a zone of the form");
        s->masked_zones |= 1u << kind;
    }
    return OK;
}

static err read_root(struct reader *r, json_t *root, struct preset *s, struct preset_files *files) {
    struct at top = {""};
    struct span format, image;
    int64_t most;
    if (!json_is_object(root)) return wrong(r, top, "must hold one object");
    TRY(only(r, root, top,
             "format id title simulated notes sources poll image masked_zones levels units "
             "station_registered_max national_only totals parties kinds roles quotas thresholds "
             "deadlines"));
    TRY(text(r, root, top, "format", &format));
    if (!span_is(format, "hesabu/preset/v1"))
        return wrong(r, at_key(top, "format"), "must be hesabu/preset/v1");
    TRY(id(r, root, top, "id", &s->id));
    TRY(text(r, root, top, "title", &s->title));
    TRY(text(r, root, top, "simulated", &s->simulated));
    TRY(text(r, root, top, "image", &image));
    if (!span_is(image, "required") && !span_is(image, "optional"))
        return wrong(r, at_key(top, "image"), "must be \"required\" or \"optional\"");
    s->image_required = span_is(image, "required");
    TRY(read_masked_zones(r, root, s));
    TRY(number(r, root, top, "station_registered_max", 1, 1000000, &most));
    s->station_registered_max = (uint64_t)most;
    TRY(raw(r, root, top, "notes", JSON_ARRAY, &s->notes));
    TRY(raw(r, root, top, "sources", JSON_ARRAY, &s->sources));
    TRY(raw(r, root, top, "roles", JSON_OBJECT, &s->roles));
    TRY(raw(r, root, top, "quotas", JSON_OBJECT, &s->quotas));
    TRY(raw(r, root, top, "thresholds", JSON_OBJECT, &s->thresholds));
    TRY(raw(r, root, top, "deadlines", JSON_OBJECT, &s->deadlines));
    TRY(read_poll(r, root, s));
    TRY(read_levels(r, root, s, files));
    TRY(read_unit_files(r, root, s, files));
    TRY(read_national_only(r, root, s, files));
    TRY(read_parties(r, root, s));
    TRY(read_kinds(r, root, s));
    return read_totals(r, root, s, files);
}

err preset_json_read(struct span text_bytes, const char *name, struct arena *a, struct preset *out,
                     struct preset_files *files, struct fail *f) {
    memset(out, 0, sizeof *out);
    memset(files, 0, sizeof *files);
    if (text_bytes.n > JSON_MAX) return fail_set(f, E_TOO_LARGE, "%s is larger than 1 MiB", name);
    struct reader r = {.name = name, .a = a, .f = f};
    json_error_t e;
    json_t *root = json_loadb((const char *)text_bytes.p, text_bytes.n, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        return fail_set(f, E_JSON, "%s, line %d, column %d: %.160s", name, e.line, e.column,
                        e.text);
    err code = read_root(&r, root, out, files);
    json_decref(root);
    return code;
}
