/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Views of the definition, and the readers of its two consensus objects (spec/records.md, 5). */
#include "election/definition.h"

#include "base/text.h"
#include "election/rules_read.h"
#include "election/state.h"

const struct definition *fold_definition(const struct fold *s) {
    return s->ids.n ? &s->def : NULL;
}

size_t fold_unit_count(const struct fold *s) {
    return s->units.n;
}

const struct unit *fold_unit(const struct fold *s, uint32_t i) {
    return vec_at(&s->units, i);
}

uint32_t fold_unit_by_code(const struct fold *s, struct span code) {
    size_t cursor = 0;
    uint64_t h = state_hash(s, code);
    for (uint32_t i; (i = table_next(&s->by_code, h, &cursor)) != UINT32_MAX;)
        if (span_eq(fold_unit(s, i)->code, code)) return i;
    return NO_UNIT;
}

bool unit_is_station(const struct fold *s, uint32_t i) {
    return fold_unit(s, i)->level + 1u == s->def.level_count;
}

uint32_t unit_next(const struct fold *s, uint32_t u, uint32_t root) {
    const struct unit *x = fold_unit(s, u);
    if (x->first_child != NO_UNIT) return x->first_child;
    while (u != root) {
        x = fold_unit(s, u);
        if (x->next_sibling != NO_UNIT) return x->next_sibling;
        u = x->parent;
    }
    return NO_UNIT;
}

bool unit_within(const struct fold *s, uint32_t inner, uint32_t outer) {
    while (inner != NO_UNIT) {
        if (inner == outer) return true;
        inner = fold_unit(s, inner)->parent;
    }
    return false;
}

size_t fold_contest_count(const struct fold *s) {
    return s->contests.n;
}

const struct contest *fold_contest(const struct fold *s, uint32_t i) {
    return vec_at(&s->contests, i);
}

uint32_t fold_contest_by_id(const struct fold *s, struct span id) {
    size_t cursor = 0;
    uint64_t h = state_hash(s, id);
    for (uint32_t i; (i = table_next(&s->by_contest, h, &cursor)) != UINT32_MAX;)
        if (span_eq(fold_contest(s, i)->id, id)) return i;
    return NO_CONTEST;
}

const struct choice *contest_choice(const struct fold *s, const struct contest *c, uint32_t k) {
    return vec_at(&s->choices, c->first_choice + k);
}

bool contest_has_choice(const struct contest *c, unsigned round, uint32_t k) {
    return round >= 1 && round <= MAX_ROUNDS && k < c->choice_count &&
           (c->round_choices[round - 1][k / 64] >> (k % 64) & 1);
}

uint64_t collation_hash(uint32_t contest, unsigned round, uint32_t unit) {
    return hash_u64((uint64_t)contest << 36 ^ (uint64_t)round << 32 ^ unit);
}

uint64_t area_hash(uint32_t contest, unsigned round, uint32_t unit) {
    return hash_u64((uint64_t)contest << 36 ^ (uint64_t)round << 32 ^ unit);
}

struct area *state_area(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit) {
    size_t cursor = 0;
    uint64_t h = area_hash(contest, round, unit);
    for (uint32_t i; (i = table_next(&s->by_area, h, &cursor)) != UINT32_MAX;) {
        struct area *a = vec_at(&s->areas, i);
        if (a->contest == contest && a->round == round && a->unit == unit) return a;
    }
    return NULL;
}

enum contest_state contest_state_in(const struct fold *s, uint32_t contest, unsigned round,
                                    uint32_t unit) {
    const struct contest *c = fold_contest(s, contest);
    for (; unit != NO_UNIT && unit != c->unit && s->areas.n; unit = fold_unit(s, unit)->parent) {
        const struct area *a = state_area(s, contest, round, unit);
        if (a) return (enum contest_state)a->state;
    }
    return (enum contest_state)(round < c->round ? c->round_state[round - 1] : c->state);
}

enum contest_state contest_state_at(const struct fold *s, uint32_t contest, uint32_t unit) {
    return contest_state_in(s, contest, fold_contest(s, contest)->round, unit);
}

size_t fold_succession_count(const struct fold *s) {
    return s->successions.n;
}

const struct succession *fold_succession(const struct fold *s, size_t i) {
    return vec_at(&s->successions, i);
}

/* --- the readers --- */

/* One line of a consensus object, without its '\n'. False at the end. */
static bool object_line(struct span *rest, struct span *line, uint64_t *number, err *e,
                        struct fail *f) {
    if (rest->n == 0) return false;
    (*number)++;
    if (span_line(rest, line)) return true;
    *e = fail_set(f, E_OBJECT, "line %llu does not end with a line break",
                  (unsigned long long)*number);
    return false;
}

static err object_head(struct span *rest, const char *magic, struct fail *f) {
    struct span line;
    if (!span_line(rest, &line) || !span_is(line, magic))
        return fail_set(f, E_OBJECT, "the object does not begin with \"%s\"", magic);
    return OK;
}

static bool unit_code_valid(struct span s) {
    if (s.n == 0 || s.n > 32 || span_is(s, "findings") || span_is(s, "gate")) return false; /* results.h */
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || char_is_digit(c) || c == '-'))
            return false;
    }
    return true;
}

/* ["001001","constituency","CHANGAMWE","001",86331]; the root's parent is null */
struct unit_line {
    struct span code, level, name, parent; /* parent.p NULL: none */
    uint64_t registered;
};

static err unit_line(struct span text, struct arena *a, struct unit_line *out, struct fail *f) {
    struct cj r;
    *out = (struct unit_line){0};
    cj_init(&r, text, f);
    cj_array(&r);
    int members = 0;
    for (; cj_element(&r); members++) {
        switch (members) {
        case 0:
            out->code = cj_code(&r, 32);
            if (!cj_failed(&r) && !unit_code_valid(out->code))
                cj_fail(&r, E_FIELD, "\"%.*s\" is not a unit code", SPAN_ARG(out->code));
            break;
        case 1: out->level = cj_code(&r, 40); break;
        case 2: out->name = cj_text(&r, a, 200); break;
        case 3:
            if (!cj_null(&r)) out->parent = cj_code(&r, 32);
            break;
        case 4: out->registered = cj_u64(&r, FIGURE_MAX); break;
        default: cj_fail(&r, E_FIELD, "a unit has five members");
        }
    }
    if (!cj_failed(&r) && members != 5) cj_fail(&r, E_FIELD, "a unit has five members");
    return cj_end(&r);
}

static err add_unit(struct ctx *c, const struct unit_line *l, bool first) {
    struct fold *s = c->fold;
    struct journal *j = &s->journal;
    uint32_t i = (uint32_t)s->units.n, parent = NO_UNIT, level = 0;
    while (level < s->def.level_count && !span_eq(s->def.levels[level], l->level)) level++;
    if (level == s->def.level_count)
        return fail_set(c->f, E_UNIT, "unit %.*s: \"%.*s\" is not a level of the manifest",
                        SPAN_ARG(l->code), SPAN_ARG(l->level));
    if (l->parent.p) parent = fold_unit_by_code(s, l->parent);
    bool root = first && i == 0;
    if (root ? l->parent.p || level != 0
             : parent == NO_UNIT || fold_unit(s, parent)->level >= level)
        return fail_set(c->f, E_UNIT,
                        "unit %.*s: its parent does not stand before it at a level above",
                        SPAN_ARG(l->code));
    if (fold_unit_by_code(s, l->code) != NO_UNIT)
        return fail_set(c->f, E_UNIT, "unit %.*s stands twice", SPAN_ARG(l->code));
    struct unit *u;
    TRY(state_push(c, &s->units, (void **)&u));
    *u = (struct unit){.code = arena_copy(&s->arena, l->code), .name = l->name, .parent = parent,
                       .first_child = NO_UNIT, .last_child = NO_UNIT, .next_sibling = NO_UNIT,
                       .level = (uint8_t)level, .since = s->def.version,
                       .registered = l->registered};
    if (!u->code.p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    if (parent != NO_UNIT) {
        struct unit *p = vec_at(&s->units, parent);
        if (p->last_child == NO_UNIT)
            JSET(j, p->first_child, i);
        else
            JSET(j, ((struct unit *)vec_at(&s->units, p->last_child))->next_sibling, i);
        JSET(j, p->last_child, i);
        JSET(j, p->child_count, p->child_count + 1);
    }
    return state_index(c, &s->by_code, state_hash(s, u->code), i);
}

err state_get_object(struct ctx *c, const struct named_object *n, struct span *out) {
    const struct object_source *o = &c->fold->objects;
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&n->id, hex);
    if (!o->get) return fail_set(c->f, E_OBJECT_MISSING, "the object %s is not there", hex);
    TRY(o->get(o->ctx, &n->id, n->size, out, c->f));
    struct hash h = sha256(*out);
    if (out->n != n->size || !hash_eq(&h, &n->id))
        return fail_set(c->f, E_OBJECT, "the object %s does not match its hash or size", hex);
    return OK;
}

err definition_load_units(struct ctx *c, const struct named_object *o, bool first) {
    struct span rest, line;
    TRY(state_get_object(c, o, &rest));
    TRY(object_head(&rest, "hesabu/units/v1", c->f));
    uint64_t number = 1;
    err e = OK;
    while (object_line(&rest, &line, &number, &e, c->f)) {
        struct unit_line l;
        e = unit_line(line, &c->fold->arena, &l, c->f);
        if (e == OK) e = add_unit(c, &l, first);
        if (e != OK) return fail_context(c->f, e, "units, line %llu", (unsigned long long)number);
    }
    if (e == OK && first && c->fold->units.n == 0)
        return fail_set(c->f, E_OBJECT, "the units object names no unit");
    return e;
}

err units_object_check(struct span rest, struct fail *f) {
    struct span line;
    struct arena a;
    arena_init(&a, GIB(1));
    uint64_t number = 1;
    err e = object_head(&rest, "hesabu/units/v1", f);
    while (e == OK && object_line(&rest, &line, &number, &e, f)) {
        struct unit_line l;
        e = unit_line(line, &a, &l, f);
    }
    arena_release(&a);
    return e;
}

/* One contest a line; choices are collected in choice[]. */
struct contest_line {
    struct span id, kind, name, rule, unit;
    size_t count;
    struct choice choice[MAX_CHOICES];
};

static err contest_line(struct span text, struct arena *a, struct contest_line *out,
                        struct fail *f) {
    struct cj r;
    out->count = 0;
    cj_init(&r, text, f);
    cj_object(&r);
    cj_need(&r, "choices");
    cj_array(&r);
    while (cj_element(&r)) {
        if (out->count == MAX_CHOICES) {
            cj_fail(&r, E_RANGE, "more than %d choices", MAX_CHOICES);
            break;
        }
        struct choice *k = &out->choice[out->count++];
        *k = (struct choice){0};
        cj_object(&r);
        cj_need(&r, "id");
        k->id = read_slug(&r, 40);
        cj_need(&r, "name");
        k->name = cj_text(&r, a, 200);
        if (cj_have(&r, "party")) k->party = cj_text(&r, a, 80);
        cj_object_end(&r);
        for (size_t i = 0; !cj_failed(&r) && i + 1 < out->count; i++)
            if (span_eq(out->choice[i].id, k->id))
                cj_fail(&r, E_CHOICE, "the choice %.*s stands twice", SPAN_ARG(k->id));
    }
    if (!cj_failed(&r) && out->count == 0) cj_fail(&r, E_CHOICE, "a contest without choices");
    cj_need(&r, "id");
    out->id = read_slug(&r, 60);
    /* it names a folder of the published tree */
    if (!cj_failed(&r) && (memchr(out->id.p, '/', out->id.n) || memchr(out->id.p, '.', out->id.n)))
        cj_fail(&r, E_FIELD, "\"%.*s\": a contest's id has no '.' and no '/'", SPAN_ARG(out->id));
    cj_need(&r, "kind");
    out->kind = read_slug(&r, 40);
    cj_need(&r, "name");
    out->name = cj_text(&r, a, 200);
    cj_need(&r, "rule");
    out->rule = cj_raw(&r);
    cj_need(&r, "unit");
    out->unit = cj_code(&r, 32);
    cj_object_end(&r);
    return cj_end(&r);
}

static err add_contest(struct ctx *c, const struct contest_line *l) {
    struct fold *s = c->fold;
    uint32_t i = (uint32_t)s->contests.n, unit = fold_unit_by_code(s, l->unit);
    if (unit == NO_UNIT)
        return fail_set(c->f, E_UNIT, "contest %.*s: there is no unit %.*s", SPAN_ARG(l->id),
                        SPAN_ARG(l->unit));
    if (unit_is_station(s, unit))
        return fail_set(c->f, E_UNIT, "contest %.*s: its unit %.*s is a polling station",
                        SPAN_ARG(l->id), SPAN_ARG(l->unit));
    if (fold_contest_by_id(s, l->id) != NO_CONTEST)
        return fail_set(c->f, E_CONTEST, "the contest %.*s stands twice", SPAN_ARG(l->id));
    struct contest *k;
    TRY(state_push(c, &s->contests, (void **)&k));
    *k = (struct contest){.id = arena_copy(&s->arena, l->id), .name = l->name,
                          .kind = arena_copy(&s->arena, l->kind),
                          .rule = arena_copy(&s->arena, l->rule), .unit = unit,
                          .first_choice = (uint32_t)s->choices.n,
                          .choice_count = (uint32_t)l->count, .changed = s->def.version,
                          .round = 1, .state = CONTEST_OPEN};
    for (size_t n = 0; n < l->count; n++) {
        struct choice *to;
        TRY(state_push(c, &s->choices, (void **)&to));
        *to = l->choice[n];
        to->id = arena_copy(&s->arena, l->choice[n].id);
        if (!to->id.p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
        k->round_choices[0][n / 64] |= UINT64_C(1) << (n % 64);
    }
    for (int r = 0; r < MAX_ROUNDS; r++) {
        uint32_t *first;
        TRY(state_push(c, &s->contest_cells, (void **)&first));
        TRY(state_push(c, &s->contest_places, (void **)&first));
    }
    if (!k->id.p || !k->kind.p || !k->rule.p)
        return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    struct rule *r;
    TRY(state_push(c, &s->rules, (void **)&r));
    err e = rule_read(k->rule, &s->def, fold_unit(s, unit)->level, &s->arena, r, c->f);
    if (e != OK) return fail_context(c->f, e, "contest %.*s: its rule", SPAN_ARG(l->id));
    return state_index(c, &s->by_contest, state_hash(s, k->id), i);
}

err definition_load_contests(struct ctx *c, const struct named_object *o) {
    struct span rest, line;
    TRY(state_get_object(c, o, &rest));
    TRY(object_head(&rest, "hesabu/contests/v1", c->f));
    uint64_t number = 1;
    err e = OK;
    while (object_line(&rest, &line, &number, &e, c->f)) {
        struct contest_line l;
        e = contest_line(line, &c->fold->arena, &l, c->f);
        if (e == OK) e = add_contest(c, &l);
        if (e != OK) return fail_context(c->f, e, "contests, line %llu", (unsigned long long)number);
    }
    if (e == OK && c->fold->contests.n == 0)
        return fail_set(c->f, E_OBJECT, "the contests object names no contest");
    return e;
}

err contests_object_check(struct span rest, struct fail *f) {
    struct span line;
    struct arena a;
    arena_init(&a, GIB(1));
    uint64_t number = 1;
    err e = object_head(&rest, "hesabu/contests/v1", f);
    while (e == OK && object_line(&rest, &line, &number, &e, f)) {
        struct contest_line l;
        e = contest_line(line, &a, &l, f);
    }
    arena_release(&a);
    return e;
}
