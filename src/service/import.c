/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/import.h"

#include <stdio.h>

#include "base/text.h"
#include "service/import_tree.h"

enum { ID_MAX = 40 };

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the stations do not fit in the memory set aside for them");
}

/* A station without a name of its own bears its centre's. */
static struct span station_name(const struct import_tree *t, const struct import_row *r) {
    size_t l = t->m->level_count - 1;
    if (r->part[l].name.n) return r->part[l].name;
    return r->part[l - 1].name.n ? r->part[l - 1].name : r->part[l].number;
}

static err make_places(struct import_tree *t, struct expand_place **out, struct fail *f) {
    const struct import_node *nodes = t->nodes[t->m->level_count - 1];
    struct expand_place *p = arena_array(t->a, t->row_count, sizeof *p);
    if (!p) return no_memory(f);
    for (size_t i = 0; i < t->row_count; i++) {
        const struct import_row *r = &t->rows[i];
        p[i] = (struct expand_place){
            .code = nodes[i].code, .name = station_name(t, r), .registered = r->registered};
        t->report->registered_blank += !r->registered.present;
    }
    *out = p;
    return OK;
}

err import_places(const char *path, const struct import_map *m, struct arena *a,
                  struct expand_place **out, size_t *count, struct import_report *report,
                  struct fail *f) {
    memset(report, 0, sizeof *report);
    struct import_tree t = {.path = path, .m = m, .a = a, .report = report};
    err e = import_tree_read(&t, f);
    if (e == OK) e = make_places(&t, out, f);
    *count = e == OK ? t.row_count : 0;
    import_tree_release(&t);
    return e;
}

/* ---- a preset of what was read ---- */

/* Letters and digits of a column's name, the rest as '-': "yoweri_kaguta" is "yoweri-kaguta". */
static err choice_id(const char *column, struct arena *a, struct span *out, struct fail *f) {
    char id[ID_MAX + 1];
    size_t n = 0;
    for (const char *s = column; *s && n < ID_MAX; s++) {
        char c = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain)
            id[n++] = c;
        else if (n && id[n - 1] != '-')
            id[n++] = '-';
    }
    while (n && id[n - 1] == '-') n--;
    if (n == 0)
        return fail_set(f, E_CONFIG,
                        "the column \"%.80s\" has no letter or digit to make a choice's"
                        " id of",
                        column);
    *out = arena_copy(a, span_of(id, n));
    return out->p ? OK : no_memory(f);
}

static err make_kind(const struct import_map *m, struct arena *a, struct preset *p,
                     struct fail *f) {
    struct preset_choice *c = arena_array(a, m->choice_count, sizeof *c);
    p->kinds = arena_array(a, 1, sizeof *p->kinds);
    if (!c || !p->kinds) return no_memory(f);
    for (size_t i = 0; i < m->choice_count; i++) {
        const struct import_choice *from = &m->choices[i];
        TRY(choice_id(from->column, a, &c[i].id, f));
        for (size_t k = 0; k < i; k++)
            if (span_eq(c[k].id, c[i].id))
                return fail_set(f, E_CONFIG, "two columns of votes get the id \"%.*s\"",
                                SPAN_ARG(c[i].id));
        char *name = arena_text(a, span_text(from->name ? from->name : from->column));
        c[i].party = arena_copy(a, span_text(from->party ? from->party : ""));
        if (!name || !c[i].party.p) return no_memory(f);
        for (char *s = name; !from->name && *s; s++)
            if (*s == '_') *s = ' ';
        c[i].name = span_text(name);
        if (c[i].name.n == 0 || !text_is_plain(c[i].name))
            return fail_set(f, E_CONFIG, "the choice \"%.*s\" has no readable name",
                            SPAN_ARG(c[i].id));
    }
    p->kinds[0] = (struct preset_kind){.id = span_text(m->contest),
                                       .title = span_text(m->contest_title),
                                       .rule = SPAN_LIT("{\"name\":\"plurality\"}"),
                                       .forms = SPAN_LIT("{}"),
                                       .declarer = SPAN_LIT("{\"level\":\"nation\","
                                                            "\"role\":\"chairperson\"}"),
                                       .clocks = SPAN_LIT("{}"),
                                       .station_form = SPAN_LIT(""),
                                       .choices = c,
                                       .choice_count = (uint32_t)m->choice_count};
    p->kind_count = 1;
    return OK;
}

static void make_levels(const struct import_tree *t, struct preset *p) {
    p->levels[0].name = SPAN_LIT("nation");
    p->level_count = (uint32_t)t->m->level_count + 1;
    for (size_t l = 1; l < p->level_count; l++) {
        p->levels[l].name = span_text(t->m->levels[l - 1].level);
        p->levels[l].digits = t->digits[l - 1];
        p->levels[l].code_length = (uint8_t)(p->levels[l - 1].code_length + t->digits[l - 1]);
    }
}

/* Registered voters and stations of every area, summed up; registered only where none is blank. */
static void sum_areas(const struct import_tree *t, struct preset *p) {
    uint8_t lowest = (uint8_t)(p->level_count - 2);
    const struct import_node *nodes = t->nodes[t->m->level_count - 1];
    for (uint32_t i = 0; i < p->unit_count; i++) p->units[i].registered.present = true;
    for (size_t i = 0; i < t->row_count; i++) {
        struct span above = span_of(nodes[i].code.p, p->levels[lowest].code_length);
        for (uint32_t u = preset_unit_find(p, lowest, above); u != PRESET_NO_UNIT;
             u = p->units[u].parent) {
            p->units[u].stations++;
            p->units[u].registered.present &= t->rows[i].registered.present;
            p->units[u].registered.value += t->rows[i].registered.value;
        }
    }
    for (uint32_t i = 0; i < p->unit_count; i++)
        if (!p->units[i].registered.present) p->units[i].registered.value = 0;
}

static err make_units(const struct import_tree *t, struct preset *p, struct fail *f) {
    size_t n = 1;
    for (size_t l = 0; l + 1 < t->m->level_count; l++) n += t->node_count[l];
    if (n > PRESET_UNITS_MAX)
        return fail_set(f, E_CSV, "%s has more than %d units", t->path, PRESET_UNITS_MAX);
    p->units = arena_array(t->a, n, sizeof *p->units);
    if (!p->units) return no_memory(f);
    p->units[0] = (struct preset_unit){.code = span_text(t->m->nation_code),
                                       .name = span_text(t->m->nation_title),
                                       .parent = PRESET_NO_UNIT};
    p->unit_count = p->level_first[1] = 1;
    for (size_t l = 0; l + 1 < t->m->level_count; l++) {
        for (uint32_t i = 0; i < t->node_count[l]; i++) {
            const struct import_node *from = &t->nodes[l][i];
            struct preset_unit *u = &p->units[p->unit_count++];
            *u = (struct preset_unit){
                .code = from->code, .name = from->name, .level = (uint8_t)(l + 1)};
            if (u->name.n == 0) u->name = u->code;
            if (l)
                u->parent =
                    preset_unit_find(p, (uint8_t)l, span_of(u->code.p, p->levels[l].code_length));
        }
        p->level_first[l + 2] = p->unit_count;
    }
    for (size_t l = t->m->level_count; l < p->level_count; l++)
        p->level_first[l + 1] = p->unit_count;
    sum_areas(t, p);
    return OK;
}

static err make_preset(struct import_tree *t, struct preset *p, struct fail *f) {
    const struct import_map *m = t->m;
    memset(p, 0, sizeof *p);
    if (m->like) {
        p->roles = m->like->roles;
        p->quotas = m->like->quotas;
        p->thresholds = m->like->thresholds;
        p->deadlines = m->like->deadlines;
        p->poll_opens_ms = m->like->poll_opens_ms;
        p->poll_closes_ms = m->like->poll_closes_ms;
        p->utc_offset_minutes = m->like->utc_offset_minutes;
    } else {
        p->roles = p->quotas = p->thresholds = p->deadlines = SPAN_LIT("{}");
    }
    p->notes = p->sources = SPAN_LIT("[]");
    p->id = span_text(m->id);
    p->title = span_text(m->title);
    p->simulated = SPAN_LIT("SIMULATED. The figures are imported; every key, signature, time and "
                            "form image is generated. Not a count by the commission.");
    p->station_registered_max = PRESET_VOTERS_MAX;
    p->totals_contest = PRESET_NO_UNIT;
    p->totals_form = SPAN_LIT("");
    make_levels(t, p);
    TRY(make_kind(m, t->a, p, f));
    TRY(make_units(t, p, f));
    return preset_make_contests(p, t->a, f);
}

/* ---- its figures ---- */

static err take_figures(struct import_tree *t, const struct import_row *r, struct expand_figures *g,
                        struct fail *f) {
    const struct import_map *m = t->m;
    size_t present = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < m->choice_count; i++) {
        present += r->votes[i].present;
        sum += r->votes[i].value; /* 64 of 2^31 at most */
    }
    t->report->unsent += present == 0;
    t->report->part_blank += present > 0 && present < m->choice_count;
    if (present < m->choice_count) return OK;
    uint64_t *votes = arena_array(t->a, m->choice_count, sizeof *votes);
    if (!votes) return no_memory(f);
    for (size_t i = 0; i < m->choice_count; i++) votes[i] = r->votes[i].value;
    g->sent = true;
    g->votes = votes;
    g->valid = m->valid ? r->valid : (struct preset_cell){true, sum};
    g->rejected = r->rejected;
    t->report->rejected_blank += !r->rejected.present;
    t->report->sum_differs += g->valid.present && g->valid.value != sum;
    t->report->over_register +=
        r->registered.present && sum + r->rejected.value > r->registered.value;
    return OK;
}

static err make_figures(struct import_tree *t, const struct preset *p, struct expansion *x,
                        struct fail *f) {
    x->contests = arena_array(t->a, 1, sizeof *x->contests);
    x->figures = arena_array(t->a, x->station_count, sizeof *x->figures);
    if (!x->contests || !x->figures) return no_memory(f);
    x->contests[0] = p->contests[0]; /* the nation is unit 0 in both */
    x->contest_count = 1;
    const struct import_node *nodes = t->nodes[t->m->level_count - 1];
    size_t row = 0;
    for (uint32_t s = 0; s < x->station_count; s++, row++) {
        while (!span_eq(nodes[row].code, x->stations[s].code)) row++; /* both in code order */
        x->stations[s].figures_first = s;
        x->stations[s].figures_count = 1;
        x->figures[s].station = s;
        TRY(take_figures(t, &t->rows[row], &x->figures[s], f));
    }
    x->figures_count = x->station_count;
    return OK;
}

static err build(struct import_tree *t, const struct expand_options *o, struct preset *p,
                 struct expansion *x, struct fail *f) {
    struct expand_place *places = NULL;
    TRY(import_tree_read(t, f));
    TRY(make_places(t, &places, f));
    TRY(make_preset(t, p, f));
    struct expand_options with = *o;
    with.places = places;
    with.place_count = t->row_count;
    with.all_contests = false;
    /* an area where some registers are blank is left as it is */
    TRY(expand_stations(p, &with, t->a, x, f));
    TRY(make_figures(t, p, x, f));
    return expand_night(x, o->seed, t->a, f);
}

err import_election(const char *path, const struct import_map *m, const struct expand_options *o,
                    struct arena *a, struct preset *p, struct expansion *x,
                    struct import_report *report, struct fail *f) {
    memset(report, 0, sizeof *report);
    memset(x, 0, sizeof *x);
    if (m->choice_count == 0 || m->choice_count > PRESET_CHOICES_MAX || !m->id || !m->title ||
        !m->nation_code || !m->nation_title || !m->contest || !m->contest_title)
        return fail_set(f, E_CONFIG,
                        "an import needs 1 to 64 columns of votes, an id, a title, the "
                        "nation's code and name, and the contest's id and title");
    struct import_tree t = {.path = path, .m = m, .a = a, .report = report};
    err e = build(&t, o, p, x, f);
    import_tree_release(&t);
    return e;
}
