/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/rules_read.h"

#include <string.h>
#include "election/canonical_json.h"

struct reading {
    struct cj r;
    const struct definition *def;
    unsigned contest_level;
    struct arena *arena;
    struct rule *out;
    bool known; /* the rule's name is: every key must be too */
    bool majority, otherwise, name_wants_spread, compare;
};

enum { EXCLUDE_MAX = 64, DAYS_MAX = 100000, RATIO_MAX = 1000000 };

static bool word_is(struct reading *x, const char *word) {
    struct span s = cj_code(&x->r, 60);
    return span_is(s, word);
}

/* One of two words; true: the first. */
static bool one_of(struct reading *x, const char *yes, const char *no) {
    struct span s = cj_code(&x->r, 60);
    if (cj_failed(&x->r) || span_is(s, yes)) return true;
    if (!span_is(s, no))
        cj_fail(&x->r, E_FIELD, "\"%.*s\" is neither %s nor %s", SPAN_ARG(s), yes, no);
    return false;
}

static void only_word(struct reading *x, const char *key, const char *word) {
    cj_need(&x->r, key);
    if (!word_is(x, word))
        cj_fail(&x->r, E_FIELD, "the rule's \"%s\" can only be \"%s\"", key, word);
}

static unsigned level(struct reading *x) {
    struct span s = cj_code(&x->r, 40);
    for (unsigned i = 0; i < x->def->level_count; i++)
        if (span_eq(x->def->levels[i], s)) return i;
    cj_fail(&x->r, E_UNIT, "\"%.*s\" is not a level of the manifest", SPAN_ARG(s));
    return 0;
}

static struct ratio ratio(struct reading *x) {
    struct ratio v = {0, 1};
    cj_array(&x->r);
    if (cj_element(&x->r)) v.p = (uint32_t)cj_u64(&x->r, RATIO_MAX);
    if (cj_element(&x->r)) v.q = (uint32_t)cj_u64(&x->r, RATIO_MAX);
    if (cj_element(&x->r) || v.q == 0 || v.p > v.q) {
        cj_fail(&x->r, E_FIELD, "a share is two numbers, [1,2], and not more than the whole");
        v = (struct ratio){0, 1};
    }
    return v;
}

/* Levels from the lowest up, above the stations. */
static void levels(struct reading *x, uint8_t list[MAX_LEVELS], uint8_t *count) {
    *count = 0;
    cj_array(&x->r);
    while (cj_element(&x->r)) {
        unsigned l = level(x);
        if (cj_failed(&x->r)) return;
        if (l + 1u >= x->def->level_count || (*count && list[*count - 1] <= l)) {
            cj_fail(&x->r, E_FIELD, "levels stand from the lowest up, each once, above the stations");
            return;
        }
        list[(*count)++] = (uint8_t)l;
    }
}

static uint32_t days(struct reading *x) {
    return (uint32_t)cj_u64(&x->r, DAYS_MAX);
}

static void clocks(struct reading *x) {
    struct span key;
    cj_object(&x->r);
    while (cj_any_key(&x->r, &key)) {
        if (span_is(key, "declaration_days"))
            x->out->declaration_days = days(x);
        else if (span_is(key, "petition_days"))
            x->out->petition_days = days(x);
        else if (span_is(key, "decision_days"))
            x->out->decision_days = days(x);
        else
            (void)days(x); /* kept for those who judge it */
    }
}

static void declarer(struct reading *x) {
    cj_object(&x->r);
    cj_need(&x->r, "level");
    x->out->declarer_level = (uint8_t)level(x);
    cj_need(&x->r, "role");
    bool national = one_of(x, "national-returning-officer", "returning-officer");
    x->out->declarer = national ? ROLE_NATIONAL_RETURNING_OFFICER : ROLE_RETURNING_OFFICER;
    cj_object_end(&x->r);
    if (cj_failed(&x->r)) return;
    if (x->out->declarer_level > x->contest_level)
        cj_fail(&x->r, E_FIELD, "the declarer's level is below the contest's");
    else if (national && x->out->declarer_level != 0)
        cj_fail(&x->r, E_FIELD, "the national returning officer declares at the first level");
}

static void forms(struct reading *x) {
    struct span key;
    cj_object(&x->r);
    while (cj_any_key(&x->r, &key)) {
        struct span *to = NULL;
        if (span_is(key, "certificate")) to = &x->out->certificate;
        for (unsigned i = 0; !to && i < x->def->level_count; i++)
            if (span_eq(x->def->levels[i], key)) to = &x->out->form[i];
        if (!to) {
            cj_fail(&x->r, E_UNIT, "forms: \"%.*s\" is not a level of the manifest", SPAN_ARG(key));
            return;
        }
        *to = cj_code(&x->r, FORM_NAME_MAX);
    }
}

static void majority(struct reading *x) {
    cj_object(&x->r);
    cj_need(&x->r, "more_than");
    x->out->majority = ratio(x);
    only_word(x, "of", "valid");
    cj_object_end(&x->r);
    x->majority = true;
}

static void otherwise(struct reading *x) {
    cj_object(&x->r);
    only_word(x, "next_round", "highest-two");
    only_word(x, "rule", "plurality");
    only_word(x, "tie_first", "only-those-tied");
    only_word(x, "tie_second", "all-tied-with-first");
    cj_object_end(&x->r);
    x->otherwise = true;
}

static void spread(struct reading *x) {
    struct span list[EXCLUDE_MAX];
    struct rule *to = x->out;
    cj_object(&x->r);
    cj_need(&x->r, "at_least");
    to->spread_share = ratio(x);
    cj_need(&x->r, "exclude");
    cj_array(&x->r);
    while (cj_element(&x->r)) {
        if (to->exclude_count == EXCLUDE_MAX) {
            cj_fail(&x->r, E_RANGE, "more than %d excluded units", EXCLUDE_MAX);
            return;
        }
        list[to->exclude_count++] = cj_code(&x->r, 32);
    }
    cj_need(&x->r, "in_more_than");
    to->spread_regions = ratio(x);
    cj_need(&x->r, "level");
    to->spread_level = (uint8_t)level(x);
    only_word(x, "of", "valid");
    cj_need(&x->r, "units");
    to->spread_units = (uint32_t)cj_u64(&x->r, 1000000);
    cj_object_end(&x->r);
    if (cj_failed(&x->r)) return;
    if (to->spread_level <= x->contest_level || to->spread_level + 1u >= x->def->level_count)
        cj_fail(&x->r, E_FIELD, "the regions' level is not between the contest's and the stations'");
    struct span *copy = arena_array(x->arena, to->exclude_count ? to->exclude_count : 1, sizeof *copy);
    if (!copy) {
        cj_fail(&x->r, E_MEMORY, "the state has reached its memory cap");
        return;
    }
    memcpy(copy, list, to->exclude_count * sizeof *copy);
    to->exclude = copy;
    to->spread = true;
}

static void rule_name(struct reading *x) {
    struct span s = cj_code(&x->r, 60);
    if (span_is(s, "plurality")) x->out->kind = RULE_PLURALITY;
    if (span_is(s, "majority") || span_is(s, "majority-and-spread")) x->out->kind = RULE_MAJORITY;
    x->name_wants_spread = span_is(s, "majority-and-spread");
}

/* What every rule may say, known or not. False: the key is another. */
static bool common_key(struct reading *x, struct span key) {
    struct rule *to = x->out;
    if (span_is(key, "clocks"))
        clocks(x);
    else if (span_is(key, "collate"))
        levels(x, to->collate, &to->collate_count);
    else if (span_is(key, "compare")) {
        levels(x, to->compare, &to->compare_count);
        x->compare = true;
    } else if (span_is(key, "court"))
        to->court = cj_text(&x->r, x->arena, COURT_NAME_MAX);
    else if (span_is(key, "declarer"))
        declarer(x);
    else if (span_is(key, "forms"))
        forms(x);
    else if (span_is(key, "readings"))
        to->readings = (uint8_t)cj_u64(&x->r, 2);
    else if (span_is(key, "recounts"))
        to->recounts = cj_bool(&x->r);
    else
        return false;
    return true;
}

static void own_key(struct reading *x, struct span key) {
    if (span_is(key, "death_of_candidate"))
        x->out->death_cancels = one_of(x, "cancelled", "no-effect");
    else if (span_is(key, "legal_basis"))
        (void)cj_text(&x->r, x->arena, 500);
    else if (span_is(key, "majority"))
        majority(x);
    else if (span_is(key, "name"))
        rule_name(x);
    else if (span_is(key, "one_candidate"))
        x->out->unopposed = one_of(x, "unopposed", "polled");
    else if (span_is(key, "otherwise"))
        otherwise(x);
    else if (span_is(key, "spread"))
        spread(x);
    else if (span_is(key, "tie_first"))
        (void)one_of(x, "fresh-election", "lot");
    else
        cj_fail(&x->r, E_FIELD, "the rule has an unknown key \"%.*s\"", SPAN_ARG(key));
}

/* The name stands in the middle of the keys, and says how the others are read. */
static bool is_known(struct span json) {
    struct cj r;
    struct span key;
    bool known = false;
    cj_init(&r, json, NULL);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        struct span v = cj_raw(&r);
        if (span_is(key, "name"))
            known = span_is(v, "\"plurality\"") || span_is(v, "\"majority\"") ||
                    span_is(v, "\"majority-and-spread\"");
    }
    return known;
}

static void defaults(struct rule *r, unsigned contest_level) {
    *r = (struct rule){.readings = 2, .declarer_level = (uint8_t)contest_level,
                       .declarer = contest_level ? ROLE_RETURNING_OFFICER
                                                 : ROLE_NATIONAL_RETURNING_OFFICER,
                       .declaration_days = NO_DAYS, .petition_days = NO_DAYS,
                       .decision_days = NO_DAYS, .majority = {1, 2}, .spread_share = {0, 1},
                       .spread_regions = {0, 1}};
    r->collate[0] = (uint8_t)contest_level;
    r->compare[0] = (uint8_t)contest_level;
    r->collate_count = r->compare_count = 1;
}

static void whole(struct reading *x) {
    const struct rule *r = x->out;
    if (cj_failed(&x->r)) return;
    if (r->collate_count == 0 || r->collate[r->collate_count - 1] != x->contest_level)
        cj_fail(&x->r, E_FIELD, "the last level that collates is the contest's own");
    else if (x->known && (r->kind == RULE_MAJORITY) != x->majority)
        cj_fail(&x->r, E_FIELD, "\"majority\" belongs to a majority rule, and to no other");
    else if (x->known && r->kind == RULE_MAJORITY && !x->otherwise)
        cj_fail(&x->r, E_FIELD, "a majority rule says what happens otherwise");
    else if (x->known && r->spread != x->name_wants_spread)
        cj_fail(&x->r, E_FIELD, "\"spread\" belongs to majority-and-spread, and to no other");
    else if (x->known && r->kind == RULE_PLURALITY && x->otherwise)
        cj_fail(&x->r, E_FIELD, "under plurality there is no \"otherwise\"");
}

err rule_read(struct span json, const struct definition *def, unsigned contest_level,
              struct arena *a, struct rule *out, struct fail *f) {
    struct reading x = {.def = def, .contest_level = contest_level, .arena = a, .out = out};
    struct span key;
    defaults(out, contest_level);
    if (json.n == 0 || json.p[0] != '{') return OK;
    x.known = is_known(json);
    cj_init(&x.r, json, f);
    cj_object(&x.r);
    while (cj_any_key(&x.r, &key)) {
        if (common_key(&x, key)) continue;
        if (x.known)
            own_key(&x, key);
        else
            (void)cj_raw(&x.r);
    }
    if (!x.compare) {
        out->compare[0] = out->collate[0];
        out->compare_count = 1;
    }
    whole(&x);
    return cj_end(&x.r);
}
