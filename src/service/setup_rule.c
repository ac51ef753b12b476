/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/setup_rule.h"

#include <stdlib.h>
#include "base/json_out.h"
#include "election/canonical_json.h"

enum { KEYS_MAX = 40, VALUE_MAX = 8192 };

/* The members of the object that is made, in any order; values lie in `bytes`. */
struct members {
    struct span key[KEYS_MAX], value[KEYS_MAX];
    size_t n;
    struct buf bytes[KEYS_MAX]; /* of values that are made here */
    size_t made;
};

static err put(struct members *m, struct span key, struct span value, struct fail *f) {
    if (m->n == KEYS_MAX) return fail_set(f, E_CONFIG, "a rule of more than %d keys", KEYS_MAX);
    for (size_t i = 0; i < m->n; i++)
        if (span_eq(m->key[i], key))
            return fail_set(f, E_CONFIG, "a rule may not have \"%.*s\": it stands beside it",
                            SPAN_ARG(key));
    m->key[m->n] = key;
    m->value[m->n++] = value;
    return OK;
}

/* A buffer for a value that is made here. */
static struct buf *made(struct members *m) {
    struct buf *b = &m->bytes[m->made++];
    buf_init(b, VALUE_MAX);
    return b;
}

static err levels_json(struct members *m, const char *key, const struct preset *p,
                       const uint8_t *levels, size_t n, struct fail *f) {
    struct buf *b = made(m);
    struct json_out j = json_out(b);
    json_array(&j);
    for (size_t i = 0; i < n; i++) json_span(&j, p->levels[levels[i]].name);
    json_array_end(&j);
    TRY(buf_ok(b, f));
    return put(m, span_text(key), buf_view(b), f);
}

static bool has_form(const struct preset_kind *k, struct span level) {
    struct cj r;
    struct span key;
    bool any = false;
    cj_init(&r, k->forms, NULL);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        any = any || span_eq(key, level);
        (void)cj_raw(&r);
    }
    return any;
}

/* {"level":..,"role":..} with the roles that the log knows. */
static err declarer(struct members *m, const struct preset *p, const struct preset_kind *k,
                    uint8_t *level, struct fail *f) {
    static const struct {
        const char *theirs, *ours;
    } roles[] = {{"chairperson", "national-returning-officer"},
                 {"county-returning-officer", "returning-officer"},
                 {"national-returning-officer", "national-returning-officer"},
                 {"returning-officer", "returning-officer"}};
    struct cj r;
    cj_init(&r, k->declarer, f);
    cj_object(&r);
    cj_need(&r, "level");
    struct span name = cj_code(&r, 60);
    cj_need(&r, "role");
    struct span role = cj_code(&r, 60);
    cj_object_end(&r);
    TRY(cj_end(&r));
    size_t i = 0;
    while (i < sizeof roles / sizeof *roles && !span_is(role, roles[i].theirs)) i++;
    *level = 0;
    while (*level < p->level_count && !span_eq(p->levels[*level].name, name)) (*level)++;
    if (i == sizeof roles / sizeof *roles || *level > k->level)
        return fail_set(f, E_CONFIG,
                        "the kind %.*s: its declarer is a chairperson or a returning officer of its "
                        "own level or one above",
                        SPAN_ARG(k->id));
    struct buf *b = made(m);
    struct json_out j = json_out(b);
    json_object(&j);
    json_kspan(&j, "level", name);
    json_kstr(&j, "role", roles[i].ours);
    json_object_end(&j);
    TRY(buf_ok(b, f));
    return put(m, SPAN_LIT("declarer"), buf_view(b), f);
}

static err levels(struct members *m, const struct preset *p, const struct preset_kind *k,
                  uint8_t declares, struct fail *f) {
    uint8_t list[PRESET_LEVELS_MAX], n = 0;
    for (uint8_t l = (uint8_t)(p->level_count - 2); l > k->level; l--)
        if (has_form(k, p->levels[l].name)) list[n++] = l;
    list[n++] = k->level;
    /* a returning officer compares at the own level, also for the smaller areas inside it */
    uint8_t compare = k->level > declares ? declares : list[0];
    if (k->collate.n)
        TRY(put(m, SPAN_LIT("collate"), k->collate, f));
    else
        TRY(levels_json(m, "collate", p, list, n, f));
    if (k->compare.n) return put(m, SPAN_LIT("compare"), k->compare, f);
    return levels_json(m, "compare", p, &compare, 1, f);
}

/* Regions of the expansion at this level that the list of exclusions leaves. */
static uint64_t regions(const struct expansion *x, struct span level, struct span exclude) {
    const struct preset *p = x->preset;
    uint64_t n = 0;
    for (uint32_t i = 0; i < x->unit_count; i++) {
        if (!span_eq(p->levels[x->units[i].level].name, level)) continue;
        struct cj r;
        bool out = false;
        cj_init(&r, exclude, NULL);
        cj_array(&r);
        while (cj_element(&r)) out = span_eq(cj_code(&r, 32), x->units[i].code) || out;
        n += !out;
    }
    return n;
}

/* The spread with the number of regions at hand. */
static err spread(struct members *m, const struct expansion *x, struct span json, struct fail *f) {
    struct cj r;
    struct span key, level = {0}, exclude = {0};
    cj_init(&r, json, f);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        if (span_is(key, "level")) {
            level = cj_code(&r, 60);
            continue;
        }
        struct span v = cj_raw(&r);
        if (span_is(key, "exclude")) exclude = v;
    }
    TRY(cj_end(&r));
    struct buf *b = made(m);
    struct json_out j = json_out(b);
    json_object(&j);
    cj_init(&r, json, f);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        struct span v = cj_raw(&r);
        json_key_span(&j, key);
        if (span_is(key, "units"))
            json_u64(&j, regions(x, level, exclude));
        else
            json_raw(&j, v);
    }
    json_object_end(&j);
    TRY(buf_ok(b, f));
    return put(m, SPAN_LIT("spread"), buf_view(b), f);
}

static err own_keys(struct members *m, const struct expansion *x, const struct preset_kind *k,
                    struct fail *f) {
    struct cj r;
    struct span key;
    bool part = x->unit_count < x->preset->unit_count;
    cj_init(&r, k->rule, f);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        struct span v = cj_raw(&r);
        if (part && span_is(key, "spread") && v.n && v.p[0] == '{')
            TRY(spread(m, x, v, f));
        else
            TRY(put(m, key, v, f));
    }
    return cj_end(&r);
}

static err gather(struct members *m, const struct expansion *x, const struct preset_kind *k,
                  struct fail *f) {
    uint8_t declares;
    TRY(own_keys(m, x, k, f));
    TRY(put(m, SPAN_LIT("clocks"), k->clocks, f));
    TRY(put(m, SPAN_LIT("forms"), k->forms, f));
    TRY(declarer(m, x->preset, k, &declares, f));
    TRY(levels(m, x->preset, k, declares, f));
    struct buf *b = made(m);
    buf_u64(b, k->readings);
    TRY(put(m, SPAN_LIT("readings"), buf_view(b), f));
    if (k->recounts) return put(m, SPAN_LIT("recounts"), SPAN_LIT("true"), f);
    return OK;
}

err setup_rule(const struct expansion *x, const struct preset_kind *k, struct buf *out,
               struct fail *f) {
    struct members m = {.n = 0};
    err e = gather(&m, x, k, f);
    struct json_out j = json_out(out);
    json_object(&j);
    for (size_t done = 0; e == OK && done < m.n; done++) { /* few keys: the least that is left */
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < m.n; i++)
            if (m.key[i].p && (least == SIZE_MAX || span_cmp(m.key[i], m.key[least]) < 0)) least = i;
        json_key_span(&j, m.key[least]);
        json_raw(&j, m.value[least]);
        m.key[least].p = NULL;
    }
    json_object_end(&j);
    for (size_t i = 0; i < m.made; i++) buf_release(&m.bytes[i]);
    if (e != OK) return fail_context(f, e, "the kind of contest %.*s", SPAN_ARG(k->id));
    return buf_ok(out, f);
}
