/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include "base/json_out.h"
#include "stats/compare.h"

static const char *shape_name(enum cmp_shape s) {
    switch (s) {
    case CMP_SAME: return "same";
    case CMP_CONSTANT_FACTOR: return "constant-factor";
    case CMP_CONSTANT_SHIFT: return "constant-difference";
    case CMP_SCATTERED: return "scattered";
    case CMP_FEW: return "too-few";
    }
    return "";
}

static struct span name_of(const struct cmp_result *r, const struct cmp_field *d) {
    return r->a->column[d->pair.a];
}

static uint64_t cell(const struct cmp_table *t, size_t row, size_t column) {
    return t->value[row * t->columns + column];
}

/* One sentence on one differing column. */
static void say_field(const struct cmp_result *r, const struct cmp_field *d, enum lang lang,
                      struct buf *out) {
    char n1[32], n2[32], n3[32], n4[32];
    struct span name = name_of(r, d);
    SAY(out, lang, " %.*s: differs in %s of %s units, ", " %.*s: inatofautiana katika vituo %s kati ya %s, ",
        SPAN_ARG(name), words_u64(d->differs, n1), words_u64(d->compared, n2));
    switch (compare_shape(d)) {
    case CMP_SAME: break;
    case CMP_FEW:
        SAY(out, lang,
            "too few with figures large enough to say whether one factor lies between the tallies.",
            "machache mno yenye takwimu kubwa za kutosha kusema kama kuna kizidisho kimoja kati ya "
            "hesabu hizi.");
        break;
    case CMP_CONSTANT_FACTOR:
        SAY(out, lang,
            "and one factor, %.4f, fits %s of the %s differing units that can show one (median ratio "
            "%.5f): the pattern of a constant multiplier in those units.",
            "na kizidisho kimoja, %.4f, kinalingana na vituo %s kati ya %s vinavyotofautiana na "
            "vinavyoweza kukionyesha (uwiano wa kati %.5f): hii ni alama ya kizidisho kisichobadilika "
            "katika vituo hivyo.",
            d->factor, words_u64(d->factor_fits, n3), words_u64(d->factor_n, n4), d->ratio[1]);
        break;
    case CMP_CONSTANT_SHIFT:
        SAY(out, lang, "and the same difference, %s, in %s of the %s that are large enough to tell.",
            "na tofauti ileile, %s, katika %s kati ya %s vilivyo vikubwa vya kutosha.",
            words_i64(d->shift, n3), words_u64(d->shift_fits, n1), words_u64(d->factor_n, n2));
        break;
    case CMP_SCATTERED:
        SAY(out, lang,
            "the ratios are scattered (median %.5f, quartiles %.5f and %.5f); the factor that fits "
            "most, %.4f, fits %s of %s: not a constant multiplier.",
            "uwiano umetawanyika (wa kati %.5f, robo %.5f na %.5f); kizidisho kinacholingana zaidi, "
            "%.4f, kinalingana na %s kati ya %s: si kizidisho kisichobadilika.",
            d->ratio[1], d->ratio[0], d->ratio[2], d->factor, words_u64(d->factor_fits, n3),
            words_u64(d->factor_n, n4));
        break;
    }
}

/* A printed total that the rows do not give. */
static void say_printed(const struct cmp_result *r, const struct cmp_field *d, enum lang lang,
                        struct buf *out) {
    char n1[32], n2[32], n3[32];
    const struct cmp_table *side[2] = {r->a, r->b};
    uint64_t printed[2] = {d->pair.printed_a, d->pair.printed_b}, total[2] = {d->total_a, d->total_b};
    for (int s = 0; s < 2; s++) {
        if (printed[s] == CMP_ABSENT || printed[s] == total[s]) continue;
        int64_t gap = (int64_t)total[s] - (int64_t)printed[s];
        SAY(out, lang, " %s: the rows of %.*s add up to %s, the printed total is %s (%s).",
            " %s: safu za %.*s zinajumlisha %s, jumla iliyochapishwa ni %s (%s).", side[s]->name,
            SPAN_ARG(name_of(r, d)), words_u64(total[s], n1), words_u64(printed[s], n2),
            words_i64(gap, n3));
        if (gap > 0)
            SAY(out, lang,
                " No set of forms that contains these rows can give the printed total: it is smaller.",
                " Hakuna seti ya fomu yenye safu hizi inayoweza kutoa jumla iliyochapishwa: ni ndogo "
                "zaidi.");
        else
            SAY(out, lang, " Only rows that are blank or missing here could make up the rest.",
                " Ni safu tupu au zisizopo hapa tu zinazoweza kujaza pengo hilo.");
    }
}

void compare_verdict(const struct cmp_result *r, enum lang lang, struct buf *out) {
    char n1[32], n2[32], n3[32], n4[32];
    SAY(out, lang, "Of %s units in both tallies %s agree in every figure that both give and %s differ; ",
        "Kati ya vituo %s vilivyo katika hesabu zote mbili, %s vinakubaliana katika kila takwimu "
        "iliyo pande zote na %s vinatofautiana; ",
        words_u64(r->matched, n1), words_u64(r->equal, n2), words_u64(r->differs, n3));
    SAY(out, lang, "only in %s: %s; ", "katika %s tu: %s; ", r->a->name, words_u64(r->only_a, n1));
    SAY(out, lang, "only in %s: %s.", "katika %s tu: %s.", r->b->name, words_u64(r->only_b, n2));
    if (r->blank)
        SAY(out, lang, " %s matched units lack a figure on one side.",
            " Vituo %s vilivyolinganishwa havina takwimu upande mmoja.", words_u64(r->blank, n3));
    if (r->duplicate_rows_a || r->duplicate_rows_b)
        SAY(out, lang, " %s rows share their code with another row and are left out.",
            " Safu %s zina msimbo unaorudiwa na zimeachwa nje.",
            words_u64(r->duplicate_rows_a + r->duplicate_rows_b, n4));
    if (r->a->no_key || r->b->no_key)
        SAY(out, lang, " %s rows have no code and are left out.", " Safu %s hazina msimbo na zimeachwa nje.",
            words_u64(r->a->no_key + r->b->no_key, n4));
    for (size_t i = 0; i < r->fields; i++) {
        if (r->field[i].differs) say_field(r, &r->field[i], lang, out);
        say_printed(r, &r->field[i], lang, out);
    }
    buf_span(out, r->note);
    if (r->matched == 0)
        SAY(out, lang, " Nothing could be compared: are the codes written alike in both files?",
            " Hakuna kilichoweza kulinganishwa: je, misimbo imeandikwa sawa katika faili zote mbili?");
    else if (r->differs == 0)
        SAY(out, lang, " Where both have figures there is no difference to explain.",
            " Palipo na takwimu pande zote hakuna tofauti ya kueleza.");
    else
        SAY(out, lang,
            " A difference says that two tallies disagree; only the signed form, and the ballots behind "
            "it, can say which is right.",
            " Tofauti inaonyesha kwamba hesabu mbili hazikubaliani; ni fomu iliyotiwa saini, na kura "
            "zenyewe, ndizo zinazoweza kusema ipi ni sahihi.");
    if (r->matched)
        SAY(out, lang,
            " What was already wrong on the forms, or in a source that both copied, is not seen by a comparison.",
            " Kilichokuwa na makosa tayari kwenye fomu, au katika chanzo ambacho zote zilinakili, hakionekani kwa "
            "kulinganisha.");
}

static void json_ki64(struct json_out *j, const char *key, int64_t v) {
    json_key(j, key);
    json_i64(j, v);
}

/* What one column's totals are made of. */
static void json_totals(const struct cmp_field *d, struct json_out *j) {
    json_object(j);
    json_ku64(j, "a", d->total_a);
    json_ku64(j, "b", d->total_b);
    json_ki64(j, "difference", d->difference);
    json_ku64(j, "equal_units", d->equal_sum);
    json_ku64(j, "differing_units_a", d->differs_a);
    json_ku64(j, "differing_units_b", d->differs_b);
    json_ku64(j, "only_a", d->only_a);
    json_ku64(j, "only_b", d->only_b);
    json_ku64(j, "blank_in_b", d->blank_sum_a);
    json_ku64(j, "blank_in_a", d->blank_sum_b);
    json_ku64(j, "duplicates_a", d->duplicate_a);
    json_ku64(j, "duplicates_b", d->duplicate_b);
    json_key(j, "decomposition"); /* of a - b */
    json_object(j);
    json_ki64(j, "missing_units", (int64_t)d->only_a - (int64_t)d->only_b);
    json_ki64(j, "differing_units", (int64_t)d->differs_a - (int64_t)d->differs_b);
    json_ki64(j, "blank_figures", (int64_t)d->blank_sum_a - (int64_t)d->blank_sum_b);
    json_ki64(j, "duplicates", (int64_t)d->duplicate_a - (int64_t)d->duplicate_b);
    json_ki64(j, "arithmetic", d->arithmetic); /* printed totals that are not their rows' sums */
    json_object_end(j);
    json_ki64(j, "announced_difference", d->announced);
    if (d->pair.printed_a != CMP_ABSENT) {
        json_ku64(j, "printed_a", d->pair.printed_a);
        json_ki64(j, "rows_minus_printed_a", (int64_t)d->total_a - (int64_t)d->pair.printed_a);
    }
    if (d->pair.printed_b != CMP_ABSENT) {
        json_ku64(j, "printed_b", d->pair.printed_b);
        json_ki64(j, "rows_minus_printed_b", (int64_t)d->total_b - (int64_t)d->pair.printed_b);
    }
    json_object_end(j);
}

static void json_field(const struct cmp_result *r, const struct cmp_field *d, struct json_out *j) {
    json_object(j);
    json_kspan(j, "column", name_of(r, d));
    json_kspan(j, "column_b", r->b->column[d->pair.b]);
    json_ku64(j, "compared", d->compared);
    json_ku64(j, "equal", d->equal);
    json_ku64(j, "differs", d->differs);
    json_ku64(j, "blank_a", d->blank_a);
    json_ku64(j, "blank_b", d->blank_b);
    json_ku64(j, "more_in_a", d->more_a);
    json_ku64(j, "less_in_a", d->less_a);
    json_ku64(j, "gross_difference", d->gross);
    if (d->differs) {
        const struct cmp_diff *x = &r->diff[d->largest];
        json_key(j, "largest");
        json_object(j);
        json_kspan(j, "key", r->a->key[x->row_a]);
        json_ku64(j, "a", cell(r->a, x->row_a, d->pair.a));
        json_ku64(j, "b", cell(r->b, x->row_b, d->pair.b));
        json_object_end(j);
    }
    json_key(j, "ratio");
    json_object(j);
    json_ku64(j, "n", d->ratio_n);
    json_kdouble(j, "quartile_1", d->ratio_n ? d->ratio[0] : NAN);
    json_kdouble(j, "median", d->ratio_n ? d->ratio[1] : NAN);
    json_kdouble(j, "quartile_3", d->ratio_n ? d->ratio[2] : NAN);
    json_object_end(j);
    json_kstr(j, "shape", shape_name(compare_shape(d)));
    json_key(j, "factor");
    json_object(j);
    json_kdouble(j, "m", d->factor_fits ? d->factor : NAN);
    json_ku64(j, "fits", d->factor_fits);
    json_ku64(j, "of", d->factor_n);
    json_object_end(j);
    json_object_end(j);
}

static void json_rows(const struct cmp_table *t, const size_t *rows, size_t n, size_t limit,
                      struct json_out *j) {
    json_array(j);
    for (size_t i = 0; i < n && i < limit; i++) json_span(j, t->key[rows[i]]);
    json_array_end(j);
}

static void json_checks(const struct cmp_checks *c, size_t n, struct json_out *j) {
    json_array(j);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c[i].count; k++) {
            const struct cmp_level *l = &c[i].levels[k];
            json_object(j);
            json_kstr(j, "table", c[i].table->name);
            json_kstr(j, "check", c[i].check->text);
            json_kspan(j, "level", l->name);
            json_ku64(j, "rows", l->rows);
            json_ku64(j, "blank", l->blank);
            json_ku64(j, "broken", l->broken);
            json_ku64(j, "amount", l->amount);
            if (l->broken) json_kspan(j, "first", c[i].table->key[l->first]);
            json_object_end(j);
        }
    json_array_end(j);
}

/* The form behind a row: who signed it, its record, its picture. */
static void json_form(const struct cmp_table *t, size_t row, struct json_out *j) {
    const struct cmp_form *x = t->form ? &t->form[row] : NULL;
    if (!x || (!x->has_record && !x->has_image)) return;
    json_key(j, "form");
    json_object(j);
    if (x->has_record) {
        json_kspan(j, "signed_by", x->signer);
        json_ku64(j, "entry", x->entry);
        json_khex(j, "record", hash_span(&x->record));
    }
    if (x->has_image) json_khex(j, "image", hash_span(&x->image));
    json_object_end(j);
}

void compare_json(const struct cmp_result *r, const struct cmp_checks *checks, size_t check_count,
                  enum lang lang, size_t limit, struct buf *out) {
    struct json_out w = json_out(out), *j = &w;
    json_object(j);
    compare_json_members(r, checks, check_count, lang, limit, j);
    json_object_end(j);
    buf_byte(out, '\n');
}

void compare_json_members(const struct cmp_result *r, const struct cmp_checks *checks,
                          size_t check_count, enum lang lang, size_t limit, struct json_out *j) {
    json_kstr(j, "a", r->a->name);
    json_kstr(j, "b", r->b->name);
    json_ku64(j, "matched", r->matched);
    json_ku64(j, "equal", r->equal);
    json_ku64(j, "differs", r->differs);
    json_ku64(j, "only_a", r->only_a);
    json_ku64(j, "only_b", r->only_b);
    json_ku64(j, "blank", r->blank);
    json_ku64(j, "duplicate_keys_a", r->duplicate_keys_a);
    json_ku64(j, "duplicate_keys_b", r->duplicate_keys_b);
    json_ku64(j, "no_key_a", r->a->no_key);
    json_ku64(j, "no_key_b", r->b->no_key);
    json_key(j, "totals");
    json_object(j);
    for (size_t i = 0; i < r->fields; i++) {
        json_key_span(j, name_of(r, &r->field[i]));
        json_totals(&r->field[i], j);
    }
    json_object_end(j);
    struct buf text;
    buf_init(&text, 1 << 20);
    compare_verdict(r, lang, &text);
    json_kstr(j, "verdict", buf_cstr(&text));
    buf_release(&text);
    json_key(j, "fields");
    json_array(j);
    for (size_t i = 0; i < r->fields; i++) json_field(r, &r->field[i], j);
    json_array_end(j);
    json_key(j, "checks");
    json_checks(checks, check_count, j);
    json_key(j, "differences");
    json_array(j);
    for (size_t k = 0; k < r->diffs && k < limit; k++) {
        const struct cmp_diff *x = &r->diff[k];
        const struct cmp_field *d = &r->field[x->field];
        json_object(j);
        json_kspan(j, "key", r->a->key[x->row_a]);
        json_kspan(j, "column", name_of(r, d));
        json_ku64(j, "a", cell(r->a, x->row_a, d->pair.a));
        json_ku64(j, "b", cell(r->b, x->row_b, d->pair.b));
        json_form(r->b, x->row_b, j);
        json_object_end(j);
    }
    json_array_end(j);
    json_key(j, "only_a_keys");
    json_rows(r->a, r->only_a_rows, r->only_a, limit, j);
    json_key(j, "only_b_keys");
    json_rows(r->b, r->only_b_rows, r->only_b, limit, j);
    json_key(j, "duplicated_a");
    json_rows(r->a, r->duplicate_a_rows, r->duplicate_rows_a, limit, j);
    json_key(j, "duplicated_b");
    json_rows(r->b, r->duplicate_b_rows, r->duplicate_rows_b, limit, j);
}

static void text_checks(const struct cmp_checks *c, size_t n, enum lang lang, struct buf *out) {
    char n1[32], n2[32], n3[32];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c[i].count; k++) {
            const struct cmp_level *l = &c[i].levels[k];
            SAY(out, lang, "%s, %s%s%.*s: broken in %s of %s rows, by %s in all\n",
                "%s, %s%s%.*s: haitimizwi katika safu %s kati ya %s, kwa jumla ya %s\n",
                c[i].table->name, c[i].check->text, l->name.n ? ", " : "", SPAN_ARG(l->name),
                words_u64(l->broken, n1), words_u64(l->rows, n2), words_u64(l->amount, n3));
        }
}

void compare_text(const struct cmp_result *r, const struct cmp_checks *checks, size_t check_count,
                  enum lang lang, size_t limit, struct buf *out) {
    char n1[32], n2[32], n3[32];
    compare_verdict(r, lang, out);
    buf_str(out, "\n\n");
    SAY(out, lang, "%-24s %16s %16s %14s  %8s %8s\n", "%-24s %16s %16s %14s  %8s %8s\n",
        lang == LANG_SW ? "safu" : "column", "A", "B", "A - B", lang == LANG_SW ? "sawa" : "equal",
        lang == LANG_SW ? "tofauti" : "differ");
    for (size_t i = 0; i < r->fields; i++) {
        const struct cmp_field *d = &r->field[i];
        buf_printf(out, "%-24.*s %16s %16s %14s  %8zu %8zu\n", SPAN_ARG(name_of(r, d)),
                   words_u64(d->total_a, n1), words_u64(d->total_b, n2),
                   words_i64(d->difference, n3), d->equal, d->differs);
    }
    buf_byte(out, '\n');
    text_checks(checks, check_count, lang, out);
    for (size_t k = 0; k < r->diffs && k < limit; k++) {
        const struct cmp_diff *x = &r->diff[k];
        const struct cmp_field *d = &r->field[x->field];
        buf_printf(out, "%.*s  %.*s  A %s  B %s", SPAN_ARG(r->a->key[x->row_a]),
                   SPAN_ARG(name_of(r, d)), words_u64(cell(r->a, x->row_a, d->pair.a), n1),
                   words_u64(cell(r->b, x->row_b, d->pair.b), n2));
        const struct cmp_form *form = r->b->form ? &r->b->form[x->row_b] : NULL;
        if (form && form->has_record)
            SAY(out, lang, "; form signed by %.*s, entry %llu", "; fomu iliyotiwa saini na %.*s, ingizo %llu",
                SPAN_ARG(form->signer), (unsigned long long)form->entry);
        if (form && form->has_image) {
            char hex[HASH_HEX_LEN + 1];
            hash_hex(&form->image, hex);
            SAY(out, lang, ", picture objects/%s", ", picha objects/%s", hex);
        }
        buf_byte(out, '\n');
    }
    if (r->diffs > limit)
        SAY(out, lang, "... and %s more; --limit N shows them\n", "... na %s zaidi; --limit N inazionyesha\n",
            words_u64(r->diffs - limit, n1));
}
