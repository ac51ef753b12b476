/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/channels.h"

enum { REGISTERED, VALID, REJECTED };

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the log's channels do not fit in the memory allowed");
}

/* Which collation has a row for each unit of the table, and which is its own. */
struct sources {
    uint32_t *above, *own; /* [rows] NO_COLLATION */
    size_t *row_at;        /* [rows] the row in `above` */
};

static err find_sources(const struct fold *fold, const struct log_pick *p, const struct log_units *log,
                        struct arena *mem, struct sources *s, size_t *collations, struct fail *f) {
    size_t n = log->table.rows, units = fold_unit_count(fold);
    uint32_t *row_of = arena_array(mem, units + 1, sizeof *row_of);
    s->above = arena_array(mem, n + 1, sizeof *s->above);
    s->own = arena_array(mem, n + 1, sizeof *s->own);
    s->row_at = arena_array(mem, n + 1, sizeof *s->row_at);
    if (!row_of || !s->above || !s->own || !s->row_at) return no_memory(f);
    memset(row_of, 0xff, units * sizeof *row_of);
    memset(s->above, 0xff, n * sizeof *s->above);
    memset(s->own, 0xff, n * sizeof *s->own);
    for (uint32_t i = 0; i < n; i++) row_of[log->unit[i]] = i;
    *collations = 0;
    for (uint32_t i = 0; i < fold_collation_count(fold); i++) {
        const struct collation *c = fold_collation(fold, i);
        if (c->contest != p->contest || c->round != p->round || c->superseded_by != NO_COLLATION) continue;
        ++*collations;
        if (c->unit < units && row_of[c->unit] != UINT32_MAX) s->own[row_of[c->unit]] = i;
        for (size_t k = 0; k < c->row_count; k++) {
            const struct collation_row *r = collation_row(fold, c, k);
            if (r->foreign || r->unit >= units || row_of[r->unit] == UINT32_MAX) continue;
            s->above[row_of[r->unit]] = i;
            s->row_at[row_of[r->unit]] = k;
        }
    }
    return OK;
}

static uint64_t collated_figure(const struct fold *fold, uint64_t registered, uint64_t valid, uint64_t rejected,
                                size_t votes_at, const struct log_units *log, size_t column) {
    uint64_t v = column == REGISTERED ? registered
                 : column == VALID    ? valid
                 : column == REJECTED ? rejected
                 : column >= log->first_choice ? collation_votes(fold, votes_at)[column - log->first_choice]
                                               : ABSENT;
    return v == ABSENT ? CMP_ABSENT : v;
}

/* The column of the file that stands for a column of the log; SIZE_MAX. */
static size_t file_column(const struct cmp_levels *file, size_t column) {
    if (!file) return SIZE_MAX;
    const struct cmp_result *r = &file->at[0].r;
    for (size_t k = 0; k < r->fields; k++)
        if (r->field[k].pair.b == column) return r->field[k].pair.a;
    return SIZE_MAX;
}

static void figures_of(const struct channels *c, const struct sources *s, const struct cmp_levels *file,
                       uint32_t row, size_t column, uint64_t out[CHANNELS]) {
    const struct cmp_table *t = &c->log->table;
    for (int k = 0; k < CHANNELS; k++) out[k] = CMP_ABSENT;
    out[CHANNEL_FORMS] = t->value[row * t->columns + column];
    if (s->above[row] != NO_COLLATION) {
        const struct collation_row *r = collation_row(c->fold, fold_collation(c->fold, s->above[row]), s->row_at[row]);
        out[CHANNEL_ROW] =
            collated_figure(c->fold, r->registered, r->valid, r->rejected, r->votes_at, c->log, column);
    }
    if (s->own[row] != NO_COLLATION) {
        const struct collation *o = fold_collation(c->fold, s->own[row]);
        out[CHANNEL_COLLATION] =
            collated_figure(c->fold, o->registered, o->valid, o->rejected, o->votes_at, c->log, column);
    }
    size_t at = file_column(file, column);
    if (at != SIZE_MAX && file->a_row[row] != SIZE_MAX) {
        const struct cmp_table *a = &file->at[0].a;
        out[CHANNEL_FILE] = a->value[file->a_row[row] * a->columns + at];
    }
}

static struct channel_level *level_of(struct channels *c, uint32_t row) {
    uint8_t level = c->log->level[row];
    for (size_t i = 0; i < c->levels; i++)
        if (c->level[i].level == level) return &c->level[i];
    c->level[c->levels] = (struct channel_level){.level = level, .name = c->log->table.group[row]};
    return &c->level[c->levels++];
}

static bool all_equal(const uint64_t v[CHANNELS]) {
    uint64_t first = CMP_ABSENT;
    for (int k = 0; k < CHANNELS; k++) {
        if (v[k] == CMP_ABSENT) continue;
        if (first != CMP_ABSENT && v[k] != first) return false;
        first = v[k];
    }
    return true;
}

static void compare_unit(struct channels *c, const struct sources *s, const struct cmp_levels *file, uint32_t row) {
    struct channel_level *l = level_of(c, row);
    bool has[CHANNELS] = {false}, compared[CHANNELS][CHANNELS] = {{false}}, differ[CHANNELS][CHANNELS] = {{false}};
    bool out = c->log->received[row] < c->log->expected[row];
    size_t before = c->diffs;
    for (size_t k = 0; k < c->log->table.columns; k++) {
        struct channel_diff d = {.row = row, .column = k, .above = s->above[row], .own = s->own[row]};
        figures_of(c, s, file, row, k, d.figure);
        for (int a = 0; a < CHANNELS; a++) {
            has[a] = has[a] || d.figure[a] != CMP_ABSENT;
            for (int b = a + 1; b < CHANNELS; b++) {
                if (d.figure[a] == CMP_ABSENT || d.figure[b] == CMP_ABSENT) continue;
                compared[a][b] = true;
                differ[a][b] = differ[a][b] || d.figure[a] != d.figure[b];
            }
        }
        if (!all_equal(d.figure)) c->diff[c->diffs++] = d;
    }
    l->units++;
    c->units_differ += c->diffs > before;
    for (int a = 0; a < CHANNELS; a++) {
        l->has[a] += has[a];
        for (int b = a + 1; b < CHANNELS; b++) {
            struct channel_pair *p = &l->pair[a][b];
            p->compared += compared[a][b];
            p->equal += compared[a][b] && !differ[a][b];
            p->differs += differ[a][b];
            p->out += differ[a][b] && out && a == CHANNEL_FORMS;
        }
    }
}

err channels_compare(const struct fold *fold, const struct log_pick *p, const struct log_units *log,
                     const struct cmp_levels *file, struct arena *mem, struct channels *out, struct fail *f) {
    struct sources s;
    *out = (struct channels){.fold = fold, .log = log};
    TRY(find_sources(fold, p, log, mem, &s, &out->collations, f));
    out->level = arena_array(mem, MAX_LEVELS, sizeof *out->level);
    out->diff = arena_array(mem, log->table.rows * log->table.columns + 1, sizeof *out->diff);
    if (!out->level || !out->diff) return no_memory(f);
    for (uint32_t i = 0; i < log->table.rows; i++) compare_unit(out, &s, file, i);
    return OK;
}

/* --- what is said --- */

static const char *const key[CHANNELS] = {"forms", "collation_above", "own_collation", "file"};
static const struct words name[CHANNELS] = {
    {{"stations' forms", "fomu za vituo"}},
    {{"row in the collation above", "safu katika jumuisho la juu"}},
    {{"total of its own collation", "jumla ya jumuisho lake"}},
    {{"the file", "faili"}},
};

void channels_say(const struct channels *c, enum lang lang, struct buf *out) {
    char n1[32], n2[32];
    if (c->collations == 0)
        SAY(out, lang, "The log holds no collation of this contest yet. ",
            "Kumbukumbu bado haina jumuisho lolote la uchaguzi huu. ");
    if (c->units_differ == 0)
        SAY(out, lang,
            "Wherever two channels speak of the same unit they agree. That says nothing about figures that were already "
            "wrong on the forms.",
            "Popote njia mbili zinapozungumzia eneo lilelile zinakubaliana. Hilo halisemi lolote kuhusu takwimu "
            "zilizokuwa na makosa tayari kwenye fomu.");
    else
        SAY(out, lang,
            "In %s units the channels differ, in %s figures; each is listed. Where forms are still out a collation may be "
            "ahead of them; elsewhere one of the figures is not right. Which one, only the forms show; figures that were "
            "already wrong on the forms are not seen here.",
            "Katika maeneo %s njia zinatofautiana, katika takwimu %s; kila moja imeorodheshwa. Pale fomu hazijafika "
            "bado, jumuisho linaweza kuwa mbele yake; kwingineko moja ya takwimu si sahihi. Ni ipi, fomu pekee "
            "zinaonyesha; takwimu zilizokuwa na makosa tayari kwenye fomu hazionekani hapa.",
            words_u64(c->units_differ, n1), words_u64(c->diffs, n2));
}

static void json_pairs(const struct channel_level *l, struct json_out *j) {
    json_key(j, "pairs");
    json_array(j);
    for (int a = 0; a < CHANNELS; a++)
        for (int b = a + 1; b < CHANNELS; b++) {
            const struct channel_pair *p = &l->pair[a][b];
            if (p->compared == 0) continue;
            json_object(j);
            json_kstr(j, "a", key[a]);
            json_kstr(j, "b", key[b]);
            json_ku64(j, "compared", p->compared);
            json_ku64(j, "equal", p->equal);
            json_ku64(j, "differs", p->differs);
            json_ku64(j, "forms_out", p->out);
            json_object_end(j);
        }
    json_array_end(j);
}

static void json_figure(struct json_out *j, const char *k, uint64_t v) {
    json_key(j, k);
    if (v == CMP_ABSENT)
        json_null(j);
    else
        json_u64(j, v);
}

static void json_diff(const struct channels *c, const struct channel_diff *d, struct json_out *j) {
    const struct cmp_table *t = &c->log->table;
    json_object(j);
    json_kspan(j, "unit", t->key[d->row]);
    json_kspan(j, "level", t->group[d->row]);
    json_kspan(j, "column", t->column[d->column]);
    for (int k = 0; k < CHANNELS; k++) json_figure(j, key[k], d->figure[k]);
    json_ku64(j, "stations_out", c->log->expected[d->row] - c->log->received[d->row]);
    if (d->above != NO_COLLATION) json_ku64(j, "entry_above", fold_collation(c->fold, d->above)->entry);
    if (d->own != NO_COLLATION) json_ku64(j, "entry_own", fold_collation(c->fold, d->own)->entry);
    json_object_end(j);
}

void channels_json(const struct channels *c, enum lang lang, size_t limit, struct json_out *j) {
    struct buf text;
    json_key(j, "channels");
    json_object(j);
    json_ku64(j, "collations", c->collations);
    json_ku64(j, "units_differ", c->units_differ);
    json_ku64(j, "figures_differ", c->diffs);
    json_key(j, "levels");
    json_array(j);
    for (size_t i = 0; i < c->levels; i++) {
        const struct channel_level *l = &c->level[i];
        json_object(j);
        json_kspan(j, "level", l->name);
        json_ku64(j, "units", l->units);
        json_key(j, "with");
        json_object(j);
        for (int k = 0; k < CHANNELS; k++) json_ku64(j, key[k], l->has[k]);
        json_object_end(j);
        json_pairs(l, j);
        json_object_end(j);
    }
    json_array_end(j);
    json_key(j, "differences");
    json_array(j);
    for (size_t i = 0; i < c->diffs && i < limit; i++) json_diff(c, &c->diff[i], j);
    json_array_end(j);
    buf_init(&text, 1 << 14);
    channels_say(c, lang, &text);
    json_kstr(j, "sentence", buf_cstr(&text));
    buf_release(&text);
    json_object_end(j);
}

static void text_diff(const struct channels *c, const struct channel_diff *d, enum lang lang, struct buf *out) {
    const struct cmp_table *t = &c->log->table;
    char n[32];
    buf_printf(out, "  %.*s, %.*s:", SPAN_ARG(t->key[d->row]), SPAN_ARG(t->column[d->column]));
    for (int k = 0, shown = 0; k < CHANNELS; k++)
        if (d->figure[k] != CMP_ABSENT)
            buf_printf(out, "%s %s %s", shown++ ? "," : "", name[k].in[lang], words_u64(d->figure[k], n));
    uint64_t missing = c->log->expected[d->row] - c->log->received[d->row];
    if (missing) SAY(out, lang, " (%s stations are out)", " (vituo %s havijafika)", words_u64(missing, n));
    buf_byte(out, '\n');
}

void channels_text(const struct channels *c, enum lang lang, size_t limit, struct buf *out) {
    char n1[32], n2[32], n3[32];
    SAY(out, lang, "\nChannels, unit by unit\n", "\nNjia, eneo kwa eneo\n");
    for (size_t i = 0; i < c->levels; i++)
        for (int a = 0; a < CHANNELS; a++)
            for (int b = a + 1; b < CHANNELS; b++) {
                const struct channel_pair *p = &c->level[i].pair[a][b];
                if (p->compared == 0) continue;
                buf_printf(out, "  %.*s, %s / %s: ", SPAN_ARG(c->level[i].name), name[a].in[lang], name[b].in[lang]);
                SAY(out, lang, "%s units, %s equal, %s differ", "maeneo %s, sawa %s, tofauti %s",
                    words_u64(p->compared, n1), words_u64(p->equal, n2), words_u64(p->differs, n3));
                if (p->out)
                    SAY(out, lang, " (%s with forms still out)", " (%s ambako fomu hazijafika)", words_u64(p->out, n1));
                buf_byte(out, '\n');
            }
    for (size_t i = 0; i < c->diffs && i < limit; i++) text_diff(c, &c->diff[i], lang, out);
    if (c->diffs > limit)
        SAY(out, lang, "  and %s more\n", "  na nyingine %s\n", words_u64(c->diffs - limit, n1));
    channels_say(c, lang, out);
    buf_byte(out, '\n');
}
