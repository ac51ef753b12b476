/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Contests and figures of an expansion: the published totals split over their stations, and
 * simulated figures for every other contest. */
#include <math.h>
#include <stdlib.h>

#include "service/apportion.h"
#include "service/expand_work.h"

/* Simulated contests: turnout where no published one exists, rejected ballots, spreads (logit). */
static const double TURNOUT = 0.78, REJECTED = 0.009, SPREAD_CONTEST = 1.1, SPREAD_AREA = 0.35,
                    SPREAD_STATION = 0.25, OBJECTED = 0.03;

/* ---- which contests stand at which station ---- */

static bool contest_wanted(const struct expand_work *w, uint32_t c) {
    if (w->o->all_contests) return true;
    return c == (w->p->totals_contest == PRESET_NO_UNIT ? 0 : w->p->totals_contest);
}

static err keep_contests(struct expand_work *w, struct fail *f) {
    const struct preset *p = w->p;
    struct expansion *x = w->x;
    uint32_t n = 0;
    for (uint32_t c = 0; c < p->contest_count; c++)
        n += contest_wanted(w, c) && w->unit_of[p->contests[c].unit] != PRESET_NO_UNIT;
    x->contests = arena_array(w->a, n, sizeof *x->contests);
    if (!x->contests) return expand_no_memory(f);
    for (uint32_t c = 0; c < p->contest_count; c++) {
        if (!contest_wanted(w, c) || w->unit_of[p->contests[c].unit] == PRESET_NO_UNIT) continue;
        x->contests[x->contest_count] = p->contests[c];
        x->contests[x->contest_count++].unit = w->unit_of[p->contests[c].unit];
    }
    return OK;
}

/* For each contest in turn the stations below its unit; contests are sorted by kind and unit, and
 * units by code, so each station's contests come out in their order. */
static uint32_t unit_at(const struct expansion *x, uint32_t unit, uint8_t level) {
    while (x->units[unit].level > level) unit = x->units[unit].parent;
    return unit;
}

static err place_contests(struct expand_work *w, struct fail *f) {
    const struct preset *p = w->p;
    struct expansion *x = w->x;
    uint32_t kinds = p->kind_count;
    uint32_t *at = malloc((size_t)kinds * x->unit_count * sizeof *at);
    if (!at) return expand_no_memory(f);
    memset(at, 0xff, (size_t)kinds * x->unit_count * sizeof *at);
    for (uint32_t c = 0; c < x->contest_count; c++)
        at[x->contests[c].kind * x->unit_count + x->contests[c].unit] = c;
    size_t room = (size_t)x->station_count * (w->o->all_contests ? kinds : 1);
    x->figures = arena_array(w->a, room, sizeof *x->figures);
    for (uint32_t s = 0; x->figures && s < x->station_count; s++) {
        x->stations[s].figures_first = x->figures_count;
        for (uint32_t k = 0; k < kinds; k++) {
            uint32_t c = at[k * x->unit_count + unit_at(x, x->stations[s].unit, p->kinds[k].level)];
            if (c == PRESET_NO_UNIT) continue;
            x->figures[x->figures_count++] = (struct expand_figures){.station = s, .contest = c};
        }
        x->stations[s].figures_count = x->figures_count - x->stations[s].figures_first;
    }
    free(at);
    return x->figures ? OK : expand_no_memory(f);
}

/* The station's figures of this contest, or NULL. */
static struct expand_figures *figures_of(struct expansion *x, uint32_t station, uint32_t contest) {
    struct expand_station *s = &x->stations[station];
    for (uint32_t i = 0; i < s->figures_count; i++)
        if (x->figures[s->figures_first + i].contest == contest)
            return &x->figures[s->figures_first + i];
    return NULL;
}

/* ---- published totals ---- */

/* What a row says, and does not say; true when its stations have figures. */
static err judge_row(struct expand_work *w, const struct preset_row *row, uint32_t choices,
                     bool *sends, struct fail *f) {
    const struct preset_unit *u = &w->p->units[row->unit];
    uint32_t present = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < choices; i++) {
        present += row->votes[i].present;
        sum += row->votes[i].value;
    }
    *sends = present == choices;
#define NOTE(kind, ...) TRY(expand_note_add(w, kind, row->unit, f, "%.*s (%.*s): " __VA_ARGS__))
#define UNIT            SPAN_ARG(u->name), SPAN_ARG(u->code)
    if (row->registered.present && row->registered.value != u->registered.value)
        NOTE(NOTE_REGISTERED_DIFFERS, "%llu registered on the form, %llu on the register", UNIT,
             (unsigned long long)row->registered.value, (unsigned long long)u->registered.value);
    if (present == 0) {
        NOTE(NOTE_NO_VOTES, "the form has no votes here: its stations stay expected and unsent",
             UNIT);
        return OK;
    }
    if (!*sends) {
        NOTE(NOTE_PART_BLANK, "the form lacks the votes of %u choices: its stations stay unsent",
             UNIT, choices - present);
        return OK;
    }
    if (!row->rejected.present)
        NOTE(NOTE_REJECTED_BLANK, "rejected is blank on the form: absent at its stations too",
             UNIT);
    if (row->valid.present && row->valid.value != sum)
        NOTE(NOTE_SUM_DIFFERS,
             "the form's votes add up to %llu, its valid is %llu: the stations "
             "keep the sum",
             UNIT, (unsigned long long)sum, (unsigned long long)row->valid.value);
    if (sum + row->rejected.value > u->registered.value)
        NOTE(NOTE_OVER_REGISTER,
             "%llu valid and %llu rejected of %llu registered: its stations "
             "exceed their registers in proportion",
             UNIT, (unsigned long long)sum, (unsigned long long)row->rejected.value,
             (unsigned long long)u->registered.value);
#undef NOTE
#undef UNIT
    return OK;
}

static err store_split(struct expand_work *w, const struct expand_site *sites, uint32_t n,
                       uint32_t contest, uint32_t choices, bool rejected, const uint64_t *cells,
                       struct fail *f) {
    size_t k = choices + rejected;
    for (uint32_t i = 0; i < n; i++) {
        if (sites[i].station == PRESET_NO_UNIT) continue;
        struct expand_figures *g = figures_of(w->x, sites[i].station, contest);
        uint64_t *votes = arena_array(w->a, choices, sizeof *votes);
        if (!g || !votes) return expand_no_memory(f);
        memcpy(votes, cells + i * k, choices * sizeof *votes);
        g->votes = votes;
        g->sent = true;
        g->valid.present = true;
        for (uint32_t c = 0; c < choices; c++) g->valid.value += votes[c];
        if (rejected) g->rejected = (struct preset_cell){true, cells[i * k + choices]};
    }
    return OK;
}

static err split_row(struct expand_work *w, const struct preset_row *row,
                     const struct expand_site *sites, uint32_t n, uint32_t contest,
                     uint32_t choices, struct fail *f) {
    size_t k = choices + row->rejected.present;
    uint64_t totals[PRESET_CHOICES_MAX + 1];
    uint64_t *cells = malloc(n * k * sizeof *cells), *registered = malloc(n * sizeof *registered);
    uint32_t *group = malloc(n * sizeof *group);
    err e = cells && registered && group ? OK : expand_no_memory(f);
    for (uint32_t c = 0; c < choices; c++) totals[c] = row->votes[c].value;
    totals[choices] = row->rejected.value;
    for (uint32_t i = 0, g = 0; e == OK && i < n; i++) {
        if (i && sites[i].area != sites[i - 1].area) g++;
        group[i] = g;
        registered[i] = sites[i].registered.value;
    }
    struct rng r;
    rng_init_stream(&r, w->o->seed, expand_seed("totals", w->p->units[row->unit].code));
    struct apportion_table t = {
        .n = n, .k = k, .registered = registered, .group = group, .totals = totals, .cells = cells};
    if (e == OK && !apportion_fill(&t, &r)) e = expand_no_memory(f);
    if (e == OK) e = store_split(w, sites, n, contest, choices, row->rejected.present, cells, f);
    free(cells);
    free(registered);
    free(group);
    return e;
}

static const struct preset_row *row_of(const struct preset *p, uint32_t unit) {
    uint32_t low = 0, high = p->row_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (p->rows[mid].unit == unit) return &p->rows[mid];
        if (p->rows[mid].unit < unit)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static err split_totals(struct expand_work *w, struct fail *f) {
    const struct preset *p = w->p;
    struct expansion *x = w->x;
    uint32_t contest = 0, choices = p->contests[p->totals_contest].choice_count;
    uint8_t level = p->totals_level;
    while (contest < x->contest_count &&
           !span_eq(x->contests[contest].id, p->contests[p->totals_contest].id))
        contest++;
    for (uint32_t i = 0, n; i < w->site_count; i += n) {
        uint32_t unit = preset_unit_at(p, w->sites[i].area, level);
        bool here = false;
        for (n = 0; i + n < w->site_count && preset_unit_at(p, w->sites[i + n].area, level) == unit;
             n++)
            here = here || w->sites[i + n].station != PRESET_NO_UNIT;
        if (!here) continue;
        const struct preset_row *row = row_of(p, unit);
        const struct preset_unit *u = &p->units[unit];
        if (!row) {
            TRY(expand_note_add(w, NOTE_NO_ROW, unit, f,
                                "%.*s (%.*s): the form has no row: its "
                                "stations stay expected and unsent",
                                SPAN_ARG(u->name), SPAN_ARG(u->code)));
            continue;
        }
        bool sends;
        TRY(judge_row(w, row, choices, &sends, f));
        if (sends) TRY(split_row(w, row, &w->sites[i], n, contest, choices, f));
    }
    return OK;
}

/* ---- simulated contests ---- */

/* Ballots in the box: as many as the published contest had, else by a simulated turnout. */
static uint64_t ballots_at(const struct expand_work *w, const struct expand_station *s,
                           struct rng *r) {
    const struct expansion *x = w->x;
    for (uint32_t i = 0; i < s->figures_count; i++) {
        const struct expand_figures *g = &x->figures[s->figures_first + i];
        if (!g->sent) continue;
        uint64_t all = g->valid.value + g->rejected.value, astray = rng_below(r, 4);
        return all > astray ? all - astray : all;
    }
    double logit = log(TURNOUT / (1 - TURNOUT)) + SPREAD_STATION * rng_normal(r);
    return (uint64_t)((double)s->registered.value / (1 + exp(-logit)));
}

static err simulate_one(struct expand_work *w, struct expand_figures *g, uint64_t ballots,
                        struct rng *station_rng, struct fail *f) {
    struct expansion *x = w->x;
    const struct preset_contest *c = &x->contests[g->contest];
    const struct expand_station *s = &x->stations[g->station];
    double weight[PRESET_CHOICES_MAX], scratch[PRESET_CHOICES_MAX], sum = 0;
    uint32_t area = s->unit;
    if (w->p->centre) area = x->units[area].parent;
    struct rng contest_rng, area_rng;
    rng_init_stream(&contest_rng, w->o->seed, expand_seed("shares", c->id));
    rng_init_stream(&area_rng, w->o->seed ^ expand_seed("area", x->units[area].code),
                    expand_seed("shares", c->id));
    for (uint32_t i = 0; i < c->choice_count; i++) {
        weight[i] =
            exp(SPREAD_CONTEST * rng_normal(&contest_rng) + SPREAD_AREA * rng_normal(&area_rng) +
                SPREAD_STATION * rng_normal(station_rng));
        sum += weight[i];
    }
    uint64_t rejected = rng_poisson(station_rng, REJECTED * (double)ballots);
    if (rejected > ballots) rejected = ballots;
    uint64_t valid = ballots - rejected;
    for (uint32_t i = 0; i < c->choice_count; i++)
        weight[i] = (double)rng_poisson(station_rng, weight[i] / sum * (double)valid) + 0.01;
    uint64_t *votes = arena_array(w->a, c->choice_count, sizeof *votes);
    if (!votes) return expand_no_memory(f);
    apportion(weight, NULL, c->choice_count, valid, votes, scratch);
    g->votes = votes;
    g->valid = (struct preset_cell){true, valid};
    g->rejected = (struct preset_cell){true, rejected};
    return OK;
}

static err simulate_rest(struct expand_work *w, struct fail *f) {
    struct expansion *x = w->x;
    uint32_t published = w->p->totals_contest;
    struct span id = published == PRESET_NO_UNIT ? SPAN_LIT("") : w->p->contests[published].id;
    for (uint32_t s = 0; s < x->station_count; s++) {
        const struct expand_station *st = &x->stations[s];
        struct rng r;
        rng_init_stream(&r, w->o->seed, expand_seed("station", st->code));
        uint64_t ballots = ballots_at(w, st, &r);
        for (uint32_t i = 0; i < st->figures_count; i++) {
            struct expand_figures *g = &x->figures[st->figures_first + i];
            if (span_eq(x->contests[g->contest].id, id)) continue;
            TRY(simulate_one(w, g, ballots, &r, f));
        }
        for (uint32_t i = 0; i < st->figures_count; i++) {
            struct expand_figures *g = &x->figures[st->figures_first + i];
            g->sent = g->votes != NULL;
            if (!g->sent) continue;
            g->disputed.present = true; /* none: a dispute needs its ballot's serial and decision */
            if (!g->rejected.present) continue;
            g->objected.present = true;
            for (uint64_t k = 0; k < g->rejected.value; k++)
                g->objected.value += rng_double(&r) < OBJECTED;
        }
    }
    return OK;
}

err expand_figures(struct expand_work *w, struct fail *f) {
    TRY(keep_contests(w, f));
    TRY(place_contests(w, f));
    if (w->p->totals_contest != PRESET_NO_UNIT) TRY(split_totals(w, f));
    return simulate_rest(w, f);
}
