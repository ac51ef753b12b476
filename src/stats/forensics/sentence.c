/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a result says, in English and Swahili. The words that may never stand here are kept out by
 * tests/unit/test_forensics_words.c. */
#include <stdio.h>
#include "stats/forensics/about.h"
#include "stats/forensics/battery.h"

/* A count that is kept as a double; one that is not there counts 0. */
static uint64_t whole(double v) {
    return v >= 0 && v < 0x1p63 ? (uint64_t)v : 0;
}

/* What a method needed and did not have; `missing` is the English text and the key. */
static const char *needed(const char *missing, enum lang lang) {
    static const struct words all[] = {
        {{"registered", "safu ya waliosajiliwa (registered)"}},
        {{"more stations", "vituo zaidi"}},
        {{"300 forms with 20 to 300 votes", "fomu 300 zenye kura 20 hadi 300"}},
        {{"area", "safu ya eneo (area)"}},
        {{"areas large enough to be tested", "maeneo makubwa ya kutosha kupimwa"}},
        {{"votes of at least two choices", "kura za angalau wagombea wawili"}},
        {{"smaller areas (one has more than 5,000 stations)",
          "maeneo madogo zaidi (moja lina vituo zaidi ya 5,000)"}},
        {{"time", "safu ya wakati (time)"}},
        {{"2,000 stations with a time", "vituo 2,000 vyenye wakati"}},
        {{"100 stations with a time", "vituo 100 vyenye wakati"}},
        {{"20,000 votes", "kura 20,000"}},
        {{"100 stations with at least 100 votes", "vituo 100 vyenye angalau kura 100"}},
        {{"1,000 stations", "vituo 1,000"}},
        {{"1,000 stations with a peak of turnout", "vituo 1,000 vyenye kilele cha mahudhurio"}},
        {{"1,000 stations with 100 registered voters", "vituo 1,000 vyenye wapiga kura 100"}},
        {{"resamples (at least 1,000 to be compared)", "sampuli za kurudia (angalau 1,000 ili kulinganishwa)"}},
    };
    for (size_t i = 0; missing && i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].in[LANG_EN], missing) == 0) return all[i].in[lang];
    return all[1].in[lang];
}

/* "nationally, Putin" / "in NAIROBI". */
static void place(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                  struct buf *b) {
    if (x->level == FX_NATION)
        SAY(b, lang, "All stations", "Vituo vyote");
    else
        buf_printf(b, "%.*s", SPAN_ARG(r->table->level[x->level].name[x->area]));
    if (x->choice >= 0) buf_printf(b, ", %.*s", SPAN_ARG(r->table->choice[x->choice]));
    buf_str(b, ": ");
}

static void corrected(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                      struct buf *b) {
    char p1[24], p2[24], n[32];
    SAY(b, lang, "p %s, corrected for %s tests %s", "p %s, baada ya kusahihisha kwa majaribio %s ni %s",
        words_p(x->p, p1), words_u64(r->family, n), words_p(x->p_holm, p2));
}

static void arithmetic(const struct fx_result *x, enum lang lang, struct buf *b) {
    char n1[32], n2[32];
    static const struct {
        const char *name;
        struct words say;
    } part[] = {
        {"sum_errors", {{"votes do not add up to valid", "kura hazijumlishi kura halali"}}},
        {"over_register", {{"more ballots than registered voters", "kura zaidi ya waliosajiliwa"}}},
        {"exactly_100_percent", {{"exactly 100 % turnout", "mahudhurio ya asilimia 100 kamili"}}},
        {"over_cap", {{"above the cap", "zaidi ya kikomo"}}},
        {"over_issued", {{"more ballots than issued", "kura zaidi ya zilizotolewa"}}},
        {"blank", {{"blank", "fomu tupu"}}},
        {"all_zero", {{"no ballots at all", "bila kura hata moja"}}},
        {"rejected_equals_registered",
         {{"rejected = registered", "zilizokataliwa = waliosajiliwa"}}},
        {"doubled_codes", {{"codes that stand twice", "misimbo iliyorudiwa"}}},
    };
    SAY(b, lang, "%s of %s stations contradict themselves: ", "vituo %s kati ya %s vinajipinga: ",
        words_u64(whole(x->value), n1), words_u64(x->n, n2));
    bool first = true;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        double v = fx_get(x, part[i].name);
        if (isnan(v)) continue;
        buf_printf(b, "%s%s: %s", first ? "" : "; ", part[i].say.in[lang], words_u64(whole(v), n1));
        first = false;
    }
    buf_byte(b, '.');
}

static void integers(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                     struct buf *b) {
    char n1[32], n2[32];
    SAY(b, lang,
        "%s of %s stations have a turnout or share that is a whole percentage, where %.1f +- %.1f are "
        "expected: z %.2f, excess %.1f, ",
        "vituo %s kati ya %s vina mahudhurio au sehemu ya asilimia kamili, ilhali %.1f +- %.1f "
        "vilitarajiwa: z %.2f, ziada %.1f, ",
        words_u64(whole(fx_get(x, "hits")), n1), words_u64(x->n, n2), fx_get(x, "expected"),
        fx_get(x, "sd"), x->value, x->excess);
    corrected(r, x, lang, b);
    if (x->is == FX_ANOMALY)
        SAY(b, lang, ". An anomaly (z >= 5): percentages look chosen before the counts were written.",
            ". Hali isiyo ya kawaida (z >= 5): asilimia zinaonekana kuchaguliwa kabla ya hesabu kuandikwa.");
    else
        SAY(b, lang, ". Nothing beyond chance is visible.", ". Hakuna kinachozidi bahati kinachoonekana.");
}

static void comb(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                 struct buf *b) {
    char n1[32], n2[32];
    double threshold = 15 + log((double)r->family);
    if (!(x->value > 0)) {
        SAY(b, lang, "no factor improves the fit over %s forms.",
            "hakuna kizidisho kinachoboresha ulinganifu katika fomu %s.", words_u64(x->n, n1));
        return;
    }
    SAY(b, lang,
        "the best factor is m = %.4f (%s) in a share %.2f of %s forms, Delta %.1f; the threshold for "
        "%s tests is %.1f. ",
        "kizidisho bora ni m = %.4f (%s) katika sehemu %.2f ya fomu %s, Delta %.1f; kizingiti kwa "
        "majaribio %s ni %.1f. ",
        fx_get(x, "m"),
        fx_get(x, "rounded") > 0 ? (lang == LANG_SW ? "kukadiria" : "rounded")
                                 : (lang == LANG_SW ? "kukata" : "cut off"),
        fx_get(x, "share"), words_u64(x->n, n1), x->value, words_u64(r->family, n2), threshold);
    if (x->is == FX_ANOMALY)
        SAY(b, lang,
            "An anomaly: the counts look as if they had been multiplied and rounded. The forms decide.",
            "Hali isiyo ya kawaida: hesabu zinaonekana kama zilizidishwa na kukadiriwa. Fomu ndizo "
            "zitakazoamua.");
    else
        SAY(b, lang, "No multiplier is visible.", "Hakuna kizidisho kinachoonekana.");
}

static void duplicates(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                       struct buf *b) {
    char n1[32], n2[32];
    SAY(b, lang,
        "%s pairs among %s stations have the same votes in the same small area, where %.1f +- %.1f are "
        "expected: ",
        "jozi %s kati ya vituo %s zina kura zilezile katika eneo dogo lilelile, ilhali %.1f +- %.1f "
        "zilitarajiwa: ",
        words_u64(whole(x->value), n1), words_u64(x->n, n2), fx_get(x, "expected"),
        fx_get(x, "sd"));
    corrected(r, x, lang, b);
    if (x->is == FX_ANOMALY)
        SAY(b, lang, ". An anomaly: compare the images of these forms.",
            ". Hali isiyo ya kawaida: linganisha picha za fomu hizi.");
    else
        SAY(b, lang, ". Not above what chance gives.", ". Si zaidi ya kinachotolewa na bahati.");
}

static void central(const struct fx_result *x, enum lang lang, struct buf *b) {
    char n1[32], n2[32], n3[32];
    SAY(b, lang,
        "of %s tests by area, %s combs and %s counts of integer percentages stand out.",
        "kati ya majaribio %s ya maeneo, alama %s za kizidisho na hesabu %s za asilimia kamili "
        "zinajitokeza.",
        words_u64(x->n, n1), words_u64(whole(fx_get(x, "comb_areas")), n2),
        words_u64(whole(fx_get(x, "integer_areas")), n3));
}

static void constancy(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                      struct buf *b) {
    char n1[32];
    SAY(b, lang,
        "over %.0f batches in order of arrival the variance of the two-candidate share is %.3g, %.2f times "
        "the mean of %s random orders: ",
        "katika mafungu %.0f kwa mpangilio wa kufika, tofauti ya sehemu ya wagombea wawili ni %.3g, mara "
        "%.2f ya wastani wa mpangilio %s wa kubahatisha: ",
        fx_get(x, "batches"), x->value, x->effect,
        words_u64(whole(fx_get(x, "permutations")), n1));
    corrected(r, x, lang, b);
    if (x->is == FX_ANOMALY)
        SAY(b, lang, ". An anomaly: the stream is more constant than chance allows.",
            ". Hali isiyo ya kawaida: mtiririko haubadiliki kuliko bahati inavyoruhusu.");
    else
        SAY(b, lang, ". Not too constant.", ". Haujakuwa thabiti kupita kiasi.");
}

static void late(const struct fx_result *x, enum lang lang, struct buf *b) {
    SAY(b, lang,
        "the share moved by %+.2f points after half of the stations; projecting the smallest areas seen "
        "leaves %+.2f points. Late areas differ from early ones; this supports no statement by itself.",
        "sehemu ilibadilika kwa pointi %+.2f baada ya nusu ya vituo; makadirio kwa maeneo madogo "
        "yaliyoonekana yanaacha pointi %+.2f. Maeneo yanayochelewa hutofautiana na ya mapema; hili "
        "haliungi mkono kauli yoyote peke yake.",
        x->value, x->excess);
}

static void round_totals(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                         struct buf *b) {
    SAY(b, lang, "%.0f of %.0f totals are a rounded tenth of a percent of all votes: ",
        "jumla %.0f kati ya %.0f ni sehemu ya kumi ya asilimia ya kura zote iliyokadiriwa: ", x->value,
        fx_get(x, "choices"));
    corrected(r, x, lang, b);
    if (x->is == FX_ANOMALY)
        SAY(b, lang, ". An anomaly: the percentages seem to have been there before the totals.",
            ". Hali isiyo ya kawaida: asilimia zinaonekana kuwepo kabla ya jumla.");
    else
        SAY(b, lang, ". Within chance.", ". Ndani ya bahati.");
}

static void exploratory(const struct fx_result *x, enum lang lang, struct buf *b) {
    char n1[32], p1[24];
    switch (x->method) {
    case FX_SPIKES:
        SAY(b, lang, "F = %.4f %% with R = %s, leave-one-out p %s. ",
            "F = %.4f %% kwa R = %s, p ya kuacha-moja-nje %s. ", x->value,
            words_u64(whole(fx_get(x, "resamples")), n1), words_p(x->p, p1));
        break;
    case FX_SHPILKIN:
        SAY(b, lang,
            "%.2f million votes lie above proportion (%.2f to %.2f by the choice of bins); strongholds that "
            "turn out more give the same picture. ",
            "kura milioni %.2f ziko juu ya uwiano (%.2f hadi %.2f kulingana na mapipa); ngome zenye "
            "mahudhurio makubwa hutoa picha ileile. ",
            x->value / 1e6, fx_get(x, "lowest") / 1e6, fx_get(x, "highest") / 1e6);
        break;
    case FX_KLIMEK:
        SAY(b, lang, "the fitted shape gives %.3f (incremental) and %.3f (extreme). ",
            "umbo lililolinganishwa linatoa %.3f (la nyongeza) na %.3f (la kupindukia). ", x->value,
            x->effect);
        break;
    case FX_DIGITS:
        SAY(b, lang,
            "last digits: chi-squared %.1f, p %s; mean second digit %.3f where theory has 4.187 and Canada, "
            "a control, 3.945. Digits say nothing about an election. ",
            "tarakimu za mwisho: khi-mraba %.1f, p %s; wastani wa tarakimu ya pili %.3f ambapo nadharia ni "
            "4.187 na Kanada, kidhibiti, 3.945. Tarakimu hazisemi lolote kuhusu uchaguzi. ",
            x->value, words_p(x->p, p1), fx_get(x, "second_digit_mean"));
        break;
    default: break;
    }
    SAY(b, lang, "Exploratory: it supports no statement.", "Ya uchunguzi tu: haiungi mkono kauli yoyote.");
}

void fx_sentence(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                 struct buf *b) {
    place(r, x, lang, b);
    if (x->is == FX_NA) {
        SAY(b, lang, "not available: it needs %s.", "haipatikani: inahitaji %s.",
            needed(x->missing, lang));
        return;
    }
    switch (x->method) {
    case FX_ARITHMETIC: arithmetic(x, lang, b); break;
    case FX_INTEGERS: integers(r, x, lang, b); break;
    case FX_COMB: comb(r, x, lang, b); break;
    case FX_DUPLICATES: duplicates(r, x, lang, b); break;
    case FX_CENTRAL: central(x, lang, b); break;
    case FX_CONSTANCY: constancy(r, x, lang, b); break;
    case FX_LATE: late(x, lang, b); break;
    case FX_ROUND: round_totals(r, x, lang, b); break;
    default: exploratory(x, lang, b); break;
    }
}
