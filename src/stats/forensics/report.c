/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/json_out.h"
#include "stats/forensics/about.h"
#include "stats/forensics/battery.h"

static void json_numbers(const struct fx_report *r, const struct fx_result *x, struct json_out *j) {
    json_ku64(j, "n", x->n);
    json_kdouble(j, "value", x->value);
    json_kdouble(j, "p", x->p);
    json_kdouble(j, "p_holm", x->p_holm);
    json_kdouble(j, "excess", x->excess);
    json_kdouble(j, "effect", x->effect);
    json_kstr(j, "class", fx_class_name(x->is));
    if (x->choice >= 0) json_kspan(j, "choice", r->table->choice[x->choice]);
    for (size_t i = 0; i < x->details; i++)
        json_kdouble(j, x->detail[i].name, x->detail[i].value);
}

static void json_sentence(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                          struct json_out *j) {
    struct buf b;
    buf_init(&b, 1 << 14);
    fx_sentence(r, x, lang, &b);
    json_kstr(j, "sentence", buf_cstr(&b));
    buf_release(&b);
}

/* Tests of a method other than its main one: areas, and the rival nationally. */
static void json_others(const struct fx_report *r, const struct fx_result *main_one, enum lang lang,
                        struct json_out *j) {
    json_key(j, "tests");
    json_array(j);
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *x = &r->list.at[i];
        if (x->method != main_one->method || x == main_one || x->is == FX_NA) continue;
        json_object(j);
        if (x->level != FX_NATION) {
            json_ku64(j, "level", (uint64_t)x->level);
            json_kspan(j, "area", r->table->level[x->level].name[x->area]);
        }
        json_numbers(r, x, j);
        if (x->is == FX_ANOMALY || x->is == FX_FACT) json_sentence(r, x, lang, j);
        json_object_end(j);
    }
    json_array_end(j);
}

/* The stations behind a fact or an anomaly: contradictions (with their kinds) and equal pairs. */
static void json_station(const struct fx_table *t, size_t i, struct json_out *j) {
    if (t->unit)
        json_span(j, t->unit[i]);
    else
        json_u64(j, i + 1); /* the row, from 1 */
}

static void json_contradictions(const struct fx_report *r, struct json_out *j) {
    static const struct {
        unsigned bit;
        const char *name;
    } kind[] = {{FX_BAD_SUM, "sum"},          {FX_OVER_REGISTER, "over_register"},
                {FX_OVER_CAP, "over_cap"},    {FX_OVER_ISSUED, "over_issued"},
                {FX_BLANK, "blank"},          {FX_FULL, "exactly_100_percent"},
                {FX_ALL_REJECTED, "rejected_equals_registered"}};
    size_t listed = 0;
    json_key(j, "stations");
    json_array(j);
    for (size_t i = 0; i < r->table->n && listed < FX_LISTED; i++) {
        unsigned bad = fx_station_flags(r->table, r->options.cap, i) & ~(unsigned)FX_ALL_ZERO;
        if (bad == 0) continue;
        listed++;
        json_object(j);
        json_key(j, "unit");
        json_station(r->table, i, j);
        json_key(j, "what");
        json_array(j);
        for (size_t k = 0; k < sizeof kind / sizeof *kind; k++)
            if (bad & kind[k].bit) json_str(j, kind[k].name);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
}

static void json_pairs(const struct fx_report *r, struct json_out *j) {
    json_key(j, "pairs");
    json_array(j);
    for (size_t k = 0; k < r->pairs; k++) {
        json_array(j);
        json_station(r->table, r->pair[k].a, j);
        json_station(r->table, r->pair[k].b, j);
        json_array_end(j);
    }
    json_array_end(j);
}

static void json_method(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                        struct json_out *j) {
    const struct fx_about *a = fx_about(x->method);
    json_object(j);
    json_kstr(j, "method", a->name);
    json_ku64(j, "number", (uint64_t)a->number);
    json_kstr(j, "title", a->title.in[lang]);
    json_kstr(j, "statistic", a->statistic);
    json_numbers(r, x, j);
    json_sentence(r, x, lang, j);
    json_kstr(j, "supports", fx_class_name(a->supports));
    json_kstr(j, "effect_is", a->effect);
    json_kstr(j, "null", a->null.in[lang]);
    json_kstr(j, "controls", a->controls.in[lang]);
    json_kstr(j, "innocent_causes", a->innocent.in[lang]);
    json_kstr(j, "blind_to", a->blind.in[lang]);
    json_others(r, x, lang, j);
    if (x->method == FX_ARITHMETIC) json_contradictions(r, j);
    if (x->method == FX_DUPLICATES) json_pairs(r, j);
    json_object_end(j);
}

static const char *const summary_name[FX_SUMMARIES] = {"centralised", "localised", "neither_visible",
                                                       "cannot_see"};

void fx_report_json(const struct fx_report *r, enum lang lang, struct buf *out) {
    struct json_out w = json_out(out);
    json_object(&w);
    fx_report_json_members(r, lang, &w);
    json_object_end(&w);
    buf_byte(out, '\n');
}

void fx_report_json_members(const struct fx_report *r, enum lang lang, struct json_out *j) {
    struct buf b;
    buf_init(&b, 1 << 14);
    json_ku64(j, "stations", r->table->n);
    json_kspan(j, "leader", r->table->choice[r->table->leader]);
    json_kspan(j, "rival", r->table->choice[r->rival]);
    json_ku64(j, "seed", r->options.seed);
    json_ku64(j, "family", r->family);
    json_key(j, "methods");
    json_array(j);
    for (int m = 0; m < FX_METHODS; m++) {
        const struct fx_result *x = fx_report_nation(r, (enum fx_method)m);
        if (x) json_method(r, x, lang, j);
    }
    json_array_end(j);
    json_key(j, "summary");
    json_object(j);
    for (int i = 0; i < FX_SUMMARIES; i++) {
        buf_clear(&b);
        fx_summary(r, i, lang, &b);
        json_kstr(j, summary_name[i], buf_cstr(&b));
    }
    json_object_end(j);
    buf_release(&b);
}

void fx_report_text(const struct fx_report *r, enum lang lang, struct buf *out) {
    char n1[32], n2[32];
    SAY(out, lang, "%s stations, leader %.*s; %s tests in the family.\n\n",
        "Vituo %s, anayeongoza %.*s; majaribio %s katika familia.\n\n", words_u64(r->table->n, n1),
        SPAN_ARG(r->table->choice[r->table->leader]), words_u64(r->family, n2));
    for (int i = 0; i < FX_SUMMARIES; i++) {
        fx_summary(r, i, lang, out);
        buf_byte(out, '\n');
    }
    for (int m = 0; m < FX_METHODS; m++) {
        const struct fx_result *x = fx_report_nation(r, (enum fx_method)m);
        if (!x) continue;
        const struct fx_about *a = fx_about((enum fx_method)m);
        buf_printf(out, "\n%d. %s [%s]\n   ", a->number, a->title.in[lang], fx_class_name(x->is));
        fx_sentence(r, x, lang, out);
        if (x->is != FX_NA) {
            SAY(out, lang, "\n   null: %s\n   controls: %s\n", "\n   dhana tupu: %s\n   vidhibiti: %s\n",
                a->null.in[lang], a->controls.in[lang]);
            SAY(out, lang, "   innocent causes: %s\n   cannot see: %s", "   sababu zisizo na hatia: %s\n   haioni: %s",
                a->innocent.in[lang], a->blind.in[lang]);
        }
        buf_byte(out, '\n');
        for (size_t i = 0; i < r->list.n; i++) {
            const struct fx_result *y = &r->list.at[i];
            if (y->method != x->method || y == x || (y->is != FX_ANOMALY && y->is != FX_FACT)) continue;
            buf_str(out, "   - ");
            fx_sentence(r, y, lang, out);
            buf_byte(out, '\n');
        }
    }
}
