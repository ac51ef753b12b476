/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/expand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "service/apportion.h"
#include "service/expand_work.h"

enum { NOTES_MAX = 4096, NOTE_TEXT_MAX = 400 };

const char *expand_note_name(enum expand_note_kind kind) {
    static const char *const names[NOTE_KINDS] = {
        [NOTE_NO_ROW] = "no-row",
        [NOTE_NO_VOTES] = "no-votes",
        [NOTE_PART_BLANK] = "part-blank",
        [NOTE_REJECTED_BLANK] = "rejected-blank",
        [NOTE_SUM_DIFFERS] = "sum-differs",
        [NOTE_OVER_REGISTER] = "over-register",
        [NOTE_REGISTERED_DIFFERS] = "registered-differs",
        [NOTE_STATION_OVER_MAX] = "station-over-max",
    };
    return kind < NOTE_KINDS ? names[kind] : "unknown";
}

err expand_no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the stations do not fit in the memory set aside for them");
}

uint64_t expand_seed(const char *purpose, struct span code) {
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: names a stream of numbers, nothing more */
    for (; *purpose; purpose++) h = (h ^ (uint8_t)*purpose) * 0x100000001b3u;
    for (size_t i = 0; i < code.n; i++) h = (h ^ code.p[i]) * 0x100000001b3u;
    return h | 1; /* stream 0 is the plain seed */
}

err expand_note_add(struct expand_work *w, enum expand_note_kind kind, uint32_t unit,
                    struct fail *f, const char *fmt, ...) {
    struct expansion *x = w->x;
    if (w->unit_of[unit] == PRESET_NO_UNIT || x->note_count == NOTES_MAX) return OK;
    if (!x->notes) x->notes = arena_array(w->a, NOTES_MAX, sizeof *x->notes);
    if (!x->notes) return expand_no_memory(f);
    char text[NOTE_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct expand_note *note = &x->notes[x->note_count++];
    note->kind = kind;
    note->unit = w->unit_of[unit];
    if (n < 0) n = 0;
    note->text = arena_copy(w->a, span_of(text, n < NOTE_TEXT_MAX ? (size_t)n : NOTE_TEXT_MAX - 1));
    return note->text.p ? OK : expand_no_memory(f);
}

/* ---- sites ---- */

static uint32_t power10(unsigned digits) {
    uint32_t v = 1;
    while (digits--) v *= 10;
    return v;
}

/* Streams of a made-up centre: mostly one in thinly settled areas, many in towns. */
static uint32_t streams_drawn(double load, uint32_t most, struct rng *r) {
    double mean = 0.15 + 6 * load * load * load * load * load * load;
    uint32_t n = 1;
    while (n < most && rng_double(r) < mean / (1 + mean)) n++;
    return n;
}

static err made_site(struct expand_work *w, uint32_t area, uint32_t number, uint32_t stream,
                     uint32_t streams, struct fail *f) {
    const struct preset *p = w->p;
    const struct preset_unit *u = &p->units[area];
    const struct preset_level *last = &p->levels[p->level_count - 1];
    char code[PRESET_CODE_MAX + 32], name[300];
    int n = snprintf(code, sizeof code, "%.*s", SPAN_ARG(u->code));
    if (p->centre)
        n += snprintf(code + n, sizeof code - (size_t)n, "%0*u", last[-1].digits, number);
    n += snprintf(code + n, sizeof code - (size_t)n, "%0*u", last->digits,
                  p->centre ? stream : number);
    int m = snprintf(name, sizeof name, "%.*s %s %03u", (int)u->name.n, (const char *)u->name.p,
                     p->centre ? "CENTRE" : "STATION", number);
    struct expand_site *s = &w->sites[w->site_count++];
    *s = (struct expand_site){.area = area,
                              .stream = stream,
                              .streams = streams,
                              .station = PRESET_NO_UNIT,
                              .code = arena_copy(w->a, span_of(code, (size_t)n)),
                              .name = arena_copy(w->a, span_of(name, (size_t)m))};
    return s->code.p && s->name.p ? OK : expand_no_memory(f);
}

static err make_sites(struct expand_work *w, struct fail *f) {
    const struct preset *p = w->p;
    unsigned stream_digits = p->levels[p->level_count - 1].digits;
    uint32_t most = p->centre ? power10(stream_digits) - 1 : 1;
    uint8_t lowest = p->units[p->unit_count - 1].level;
    for (uint32_t i = p->level_first[lowest]; i < p->level_first[lowest + 1]; i++) {
        const struct preset_unit *u = &p->units[i];
        struct rng r;
        rng_init_stream(&r, w->o->seed, expand_seed("centres", u->code));
        double load =
            (double)u->registered.value / ((double)u->stations * (double)p->station_registered_max);
        uint32_t left = (uint32_t)u->stations, centres = 0;
        uint32_t centres_most =
            p->centre ? power10(p->levels[p->level_count - 2].digits) - 1 : left;
        while (left) {
            uint32_t k = streams_drawn(load > 1 ? 1 : load, left < most ? left : most, &r);
            /* never more centres than their codes can number */
            uint32_t after = centres_most - ++centres;
            if (left - k > (uint64_t)after * most) k = left - after * most;
            for (uint32_t s = 1; s <= k; s++) TRY(made_site(w, i, centres, s, k, f));
            left -= k;
        }
    }
    return OK;
}

static err given_site(struct expand_work *w, const struct expand_place *g, uint32_t *area,
                      struct fail *f) {
    const struct preset *p = w->p;
    uint8_t lowest = p->units[p->unit_count - 1].level;
    size_t length = p->levels[lowest].code_length;
    if (g->code.n != p->levels[p->level_count - 1].code_length)
        return fail_set(f, E_CONFIG, "station %.*s: the code has %zu digits, the preset's have %u",
                        SPAN_ARG(g->code), g->code.n, p->levels[p->level_count - 1].code_length);
    if (w->site_count && span_cmp(w->sites[w->site_count - 1].code, g->code) >= 0)
        return fail_set(f, E_CONFIG, "station %.*s stands twice, or not in the order of codes",
                        SPAN_ARG(g->code));
    struct span above = span_of(g->code.p, length);
    if (*area == PRESET_NO_UNIT || !span_eq(p->units[*area].code, above))
        *area = preset_unit_find(p, lowest, above);
    if (*area == PRESET_NO_UNIT)
        return fail_set(f, E_CONFIG, "station %.*s: the preset has no %.*s with the code %.*s",
                        SPAN_ARG(g->code), SPAN_ARG(p->levels[lowest].name), SPAN_ARG(above));
    w->sites[w->site_count++] = (struct expand_site){.code = g->code,
                                                     .name = g->name,
                                                     .registered = g->registered,
                                                     .area = *area,
                                                     .station = PRESET_NO_UNIT,
                                                     .stream = 1,
                                                     .streams = 1};
    return OK;
}

static struct span centre_of(const struct preset *p, const struct expand_site *s) {
    return span_of(s->code.p, p->levels[p->level_count - 2].code_length);
}

static err take_sites(struct expand_work *w, struct fail *f) {
    uint32_t area = PRESET_NO_UNIT;
    for (size_t i = 0; i < w->o->place_count; i++) TRY(given_site(w, &w->o->places[i], &area, f));
    if (!w->p->centre) return OK;
    for (uint32_t i = 0, n; i < w->site_count; i += n) {
        for (n = 1; i + n < w->site_count &&
                    span_eq(centre_of(w->p, &w->sites[i]), centre_of(w->p, &w->sites[i + n]));)
            n++;
        for (uint32_t k = 0; k < n; k++) {
            w->sites[i + k].stream = k + 1;
            w->sites[i + k].streams = n;
        }
    }
    return OK;
}

/* ---- registered voters ---- */

/* Divides an area's voters over its sites [first, first + n): by centre, then evenly by stream. */
static bool divide_voters(struct expand_work *w, uint32_t first, uint32_t n, struct rng *r) {
    uint64_t voters = w->p->units[w->sites[first].area].registered.value, room = 0;
    uint64_t *most = calloc(n, 2 * sizeof *most), *out = most + n;
    double *effect = calloc(n, 3 * sizeof *effect);
    uint32_t centres = 0;
    for (uint32_t i = 0; most && effect && i < n; i += w->sites[first + i].streams) {
        uint32_t k = w->sites[first + i].streams;
        most[centres] = k * w->p->station_registered_max;
        room += most[centres];
        effect[centres] = 0.6 * rng_normal(r) + (k > 1 ? 1.2 : 0);
        centres++;
    }
    if (centres && voters <= room)
        apportion_logistic(effect, most, centres, voters, out, effect + n);
    else
        for (uint32_t c = 0; c < centres; c++) effect[c] = (double)most[c];
    if (centres && voters > room) apportion(effect, NULL, centres, voters, out, effect + n);
    for (uint32_t i = 0, c = 0; c < centres; i += w->sites[first + i].streams, c++) {
        uint32_t k = w->sites[first + i].streams;
        for (uint32_t s = 0; s < k; s++)
            w->sites[first + i + s].registered =
                (struct preset_cell){true, out[c] / k + (s < out[c] % k)};
    }
    bool done = most && effect;
    free(most);
    free(effect);
    return done;
}

static err register_area(struct expand_work *w, uint32_t first, uint32_t n, struct fail *f) {
    const struct preset_unit *u = &w->p->units[w->sites[first].area];
    uint32_t known = 0;
    for (uint32_t i = 0; i < n; i++) known += w->sites[first + i].registered.present;
    if (known == n) return OK;
    if (known)
        return fail_set(f, E_CONFIG,
                        "%.*s %.*s: only %u of its %u stations have registered voters; "
                        "give all of them or none",
                        SPAN_ARG(u->code), SPAN_ARG(u->name), known, n);
    struct rng r;
    rng_init_stream(&r, w->o->seed, expand_seed("voters", u->code));
    return divide_voters(w, first, n, &r) ? OK : expand_no_memory(f);
}

/* The sites of one area from `first` on. */
static uint32_t area_sites(const struct expand_work *w, uint32_t first) {
    uint32_t n = 1;
    while (first + n < w->site_count && w->sites[first + n].area == w->sites[first].area) n++;
    return n;
}

/* ---- the chosen stations and their units ---- */

static bool wanted(const struct expand_work *w, const struct expand_site *s) {
    if (w->o->area_count == 0) return true;
    uint32_t top = preset_unit_at(w->p, s->area, 1);
    for (size_t i = 0; i < w->o->area_count; i++)
        if (span_is(w->p->units[top].code, w->o->areas[i])) return true;
    return false;
}

static err choose(struct expand_work *w, struct fail *f) {
    struct expansion *x = w->x;
    for (size_t i = 0; i < w->o->area_count; i++)
        if (preset_unit_find(w->p, 1, span_text(w->o->areas[i])) == PRESET_NO_UNIT)
            return fail_set(f, E_CONFIG, "no %.*s has the code \"%.40s\"",
                            SPAN_ARG(w->p->levels[1].name), w->o->areas[i]);
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->site_count; i++)
        if (wanted(w, &w->sites[i]) && (w->o->limit == 0 || n < w->o->limit))
            w->sites[i].station = n++;
    if (n == 0) return fail_set(f, E_CONFIG, "no station is left: none lies in the chosen areas");
    x->stations = arena_array(w->a, n, sizeof *x->stations);
    if (!x->stations) return expand_no_memory(f);
    x->station_count = n;
    return OK;
}

/* The preset's units that have a station, in the same order, with sums of what is here. */
static err keep_units(struct expand_work *w, uint32_t centres, struct fail *f) {
    const struct preset *p = w->p;
    struct expansion *x = w->x;
    for (uint32_t i = 0; i < p->unit_count; i++) w->unit_of[i] = PRESET_NO_UNIT;
    for (uint32_t i = 0; i < w->site_count; i++)
        for (uint32_t u = w->sites[i].area;
             w->sites[i].station != PRESET_NO_UNIT && u != PRESET_NO_UNIT && w->unit_of[u] != 0;
             u = p->units[u].parent)
            w->unit_of[u] = 0; /* marked */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->unit_count; i++) kept += w->unit_of[i] == 0;
    x->units = arena_array(w->a, (size_t)kept + centres, sizeof *x->units);
    if (!x->units) return expand_no_memory(f);
    for (uint8_t l = 0; l <= p->units[p->unit_count - 1].level; l++) {
        x->level_first[l] = x->unit_count;
        for (uint32_t i = p->level_first[l]; i < p->level_first[l + 1]; i++) {
            if (w->unit_of[i] != 0) continue;
            struct preset_unit *u = &x->units[x->unit_count];
            *u = p->units[i];
            u->registered = (struct preset_cell){0};
            u->stations = 0;
            if (u->parent != PRESET_NO_UNIT) u->parent = w->unit_of[u->parent];
            w->unit_of[i] = x->unit_count++;
        }
    }
    return OK;
}

static void count_upwards(struct expansion *x, const struct expand_station *s) {
    for (uint32_t u = s->unit; u != PRESET_NO_UNIT; u = x->units[u].parent) {
        x->units[u].stations++;
        if (s->registered.present) {
            x->units[u].registered.present = true;
            x->units[u].registered.value += s->registered.value;
        }
    }
}

static err fill_stations(struct expand_work *w, struct fail *f) {
    const struct preset *p = w->p;
    struct expansion *x = w->x;
    uint8_t lowest = p->units[p->unit_count - 1].level;
    uint32_t centres = 0;
    for (uint32_t i = 0; p->centre && i < w->site_count; i++)
        centres += w->sites[i].station != PRESET_NO_UNIT && w->sites[i].stream == 1;
    TRY(keep_units(w, centres, f));
    x->level_first[lowest + 1] = x->unit_count;
    for (uint32_t i = 0; i < w->site_count; i++) {
        const struct expand_site *s = &w->sites[i];
        if (s->station == PRESET_NO_UNIT) continue;
        uint32_t unit = w->unit_of[s->area];
        if (p->centre) {
            if (s->stream == 1)
                x->units[x->unit_count++] =
                    (struct preset_unit){.code = centre_of(p, s),
                                         .name = s->name,
                                         .parent = unit,
                                         .level = (uint8_t)(lowest + 1),
                                         .national_only = x->units[unit].national_only};
            unit = x->unit_count - 1;
        }
        x->stations[s->station] = (struct expand_station){.code = s->code,
                                                          .name = s->name,
                                                          .unit = unit,
                                                          .stream = s->stream,
                                                          .streams = s->streams,
                                                          .registered = s->registered};
        count_upwards(x, &x->stations[s->station]);
    }
    for (uint32_t l = lowest + 1u; l < p->level_count; l++) x->level_first[l + 1] = x->unit_count;
    return OK;
}

static err note_crowded(struct expand_work *w, struct fail *f) {
    const struct preset *p = w->p;
    for (uint32_t i = 0, n; i < w->site_count; i += n) {
        n = area_sites(w, i);
        uint64_t most = 0;
        for (uint32_t k = 0; k < n; k++)
            if (w->sites[i + k].registered.value > most) most = w->sites[i + k].registered.value;
        if (most <= p->station_registered_max) continue;
        const struct preset_unit *u = &p->units[w->sites[i].area];
        TRY(expand_note_add(w, NOTE_STATION_OVER_MAX, w->sites[i].area, f,
                            "%.*s (%.*s): up to %llu voters at one of %u stations, %llu allowed",
                            SPAN_ARG(u->name), SPAN_ARG(u->code), (unsigned long long)most, n,
                            (unsigned long long)p->station_registered_max));
    }
    return OK;
}

err expand_place_all(struct expand_work *w, struct fail *f) {
    size_t n = w->o->places ? w->o->place_count : w->p->units[0].stations;
    if (n == 0 || n > PRESET_STATIONS_MAX)
        return fail_set(f, E_CONFIG, "%zu stations: 1 to %d are possible", n, PRESET_STATIONS_MAX);
    w->sites = calloc(n, sizeof *w->sites);
    w->unit_of = calloc(w->p->unit_count, sizeof *w->unit_of);
    if (!w->sites || !w->unit_of) return expand_no_memory(f);
    TRY(w->o->places ? take_sites(w, f) : make_sites(w, f));
    for (uint32_t i = 0, k; i < w->site_count; i += k) {
        k = area_sites(w, i);
        if (w->p->units[w->sites[i].area].registered.present) TRY(register_area(w, i, k, f));
    }
    TRY(choose(w, f));
    TRY(fill_stations(w, f));
    return note_crowded(w, f);
}

void expand_work_release(struct expand_work *w) {
    free(w->sites);
    free(w->unit_of);
}

err expand_stations(const struct preset *p, const struct expand_options *o, struct arena *a,
                    struct expansion *out, struct fail *f) {
    memset(out, 0, sizeof *out);
    out->preset = p;
    struct expand_work w = {.p = p, .o = o, .a = a, .x = out};
    err e = expand_place_all(&w, f);
    expand_work_release(&w);
    return e;
}

err expand(const struct preset *p, const struct expand_options *o, struct arena *a,
           struct expansion *out, struct fail *f) {
    memset(out, 0, sizeof *out);
    out->preset = p;
    struct expand_work w = {.p = p, .o = o, .a = a, .x = out};
    err e = expand_place_all(&w, f);
    if (e == OK) e = expand_figures(&w, f);
    expand_work_release(&w);
    TRY(e);
    return expand_night(out, o->seed, a, f);
}
