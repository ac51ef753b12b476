/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/about.h"
#include "stats/forensics/battery.h"

struct seen {
    size_t anomalies, nation, areas, tested_areas, facts;
    bool one_factor; /* the national comb stands out with a share near 1 */
    double m, share;
};

static struct seen look(const struct fx_report *r) {
    struct seen s = {0};
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *x = &r->list.at[i];
        if (x->method == FX_ARITHMETIC && x->level == FX_NATION) s.facts = x->is == FX_FACT;
        if (x->method == FX_CENTRAL || x->method == FX_ARITHMETIC) continue;
        if (x->level != FX_NATION && x->is != FX_NA && x->is != FX_EXPLORATORY) s.tested_areas++;
        if (x->is != FX_ANOMALY) continue;
        s.anomalies++;
        if (x->level == FX_NATION)
            s.nation++;
        else
            s.areas++;
        if (x->method == FX_COMB && x->level == FX_NATION && fx_get(x, "share") > s.share) {
            s.m = fx_get(x, "m");
            s.share = fx_get(x, "share");
            s.one_factor = s.share >= .75;
        }
    }
    return s;
}

static void central(const struct seen *s, const struct fx_report *r, enum lang lang, struct buf *b) {
    (void)r;
    if (s->one_factor)
        SAY(b, lang,
            "Centralised? The pattern of one factor, m = %.4f, in nearly all forms is visible: that is "
            "what one place that changes all figures would leave. The signed forms decide.",
            "Kitaifa? Alama ya kizidisho kimoja, m = %.4f, karibu katika fomu zote inaonekana: ndiyo "
            "ambayo sehemu moja inayobadilisha takwimu zote ingeacha. Fomu zilizotiwa saini ndizo "
            "zitakazoamua.",
            s->m);
    else if (s->nation)
        SAY(b, lang,
            "Centralised? No single factor covers all stations, but %zu national tests stand out: see "
            "them below, with their innocent causes.",
            "Kitaifa? Hakuna kizidisho kimoja kwa vituo vyote, lakini majaribio %zu ya kitaifa "
            "yanajitokeza: yaone hapa chini, pamoja na sababu zake zisizo na hatia.",
            s->nation);
    else
        SAY(b, lang,
            "Centralised? None of these tests shows it. A change made after the stations' figures were "
            "added up leaves no trace in them: compare the published totals with the sum of the forms.",
            "Kitaifa? Hakuna jaribio kati ya haya linaloionyesha. Badiliko lililofanywa baada ya kujumlisha "
            "takwimu za vituo haliachi alama ndani yake: linganisha jumla zilizochapishwa na jumla ya fomu.");
}

static void local(const struct seen *s, const struct fx_report *r, enum lang lang, struct buf *b) {
    if (r->table->levels == 0)
        SAY(b, lang, "Localised? Cannot be said: the file names no areas.",
            "Mahali? Haiwezi kusemwa: faili haitaji maeneo.");
    else if (s->areas)
        SAY(b, lang, "Localised? %zu of %zu tests by area stand out; their areas are listed.",
            "Mahali? Majaribio %zu kati ya %zu ya maeneo yanajitokeza; maeneo yake yameorodheshwa.",
            s->areas, s->tested_areas);
    else
        SAY(b, lang,
            "Localised? None of %zu tests by area stands out. Changes in a few stations cannot be seen "
            "this way.",
            "Mahali? Hakuna jaribio kati ya %zu ya maeneo linalojitokeza. Mabadiliko katika vituo vichache "
            "hayawezi kuonekana kwa njia hii.",
            s->tested_areas);
}

static void neither(const struct seen *s, enum lang lang, struct buf *b) {
    if (s->anomalies)
        SAY(b, lang, "Neither visible? No: %zu anomalies are listed%s.",
            "Hakuna kinachoonekana? Hapana: hali %zu zisizo za kawaida zimeorodheshwa%s.", s->anomalies,
            s->facts ? (lang == LANG_SW ? ", na fomu zinazojipinga" : ", and forms that contradict themselves")
                     : "");
    else if (s->facts)
        SAY(b, lang,
            "Neither visible? No anomaly, but forms that contradict themselves are listed; each can be "
            "settled from its paper.",
            "Hakuna kinachoonekana? Hakuna hali isiyo ya kawaida, lakini fomu zinazojipinga "
            "zimeorodheshwa; kila moja inaweza kutatuliwa kwa karatasi yake.");
    else
        SAY(b, lang,
            "Neither visible? Neither is visible to these tests. That is a statement about the tests: it "
            "does not show that the figures are right.",
            "Hakuna kinachoonekana? Hakuna kinachoonekana kwa majaribio haya. Hiyo ni kauli kuhusu "
            "majaribio: haionyeshi kwamba takwimu ni sahihi.");
}

static void blind(const struct fx_report *r, enum lang lang, struct buf *b) {
    SAY(b, lang, "What these tests cannot see:", "Yale ambayo majaribio haya hayawezi kuona:");
    for (int m = 0; m < FX_SPIKES; m++) {
        const struct fx_result *x = fx_report_nation(r, (enum fx_method)m);
        if (!x || x->is == FX_NA) continue;
        const struct fx_about *a = fx_about((enum fx_method)m);
        buf_printf(b, " %s: %s.", a->title.in[lang], a->blind.in[lang]);
    }
    SAY(b, lang,
        " Ballots added in the box, voters turned away, buying and threats leave figures that add up. Only "
        "an audit against the paper ballots settles a count.",
        " Kura zilizoongezwa kwenye sanduku, wapiga kura waliozuiwa, kununua na vitisho huacha takwimu "
        "zinazojumlishwa sawa. Ni ukaguzi dhidi ya kura za karatasi tu unaotatua hesabu.");
}

void fx_summary(const struct fx_report *r, int which, enum lang lang, struct buf *b) {
    struct seen s = look(r);
    switch (which) {
    case FX_SUMMARY_CENTRAL: central(&s, r, lang, b); break;
    case FX_SUMMARY_LOCAL: local(&s, r, lang, b); break;
    case FX_SUMMARY_NEITHER: neither(&s, lang, b); break;
    case FX_SUMMARY_BLIND: blind(r, lang, b); break;
    default: break;
    }
}
