/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a result says, in English and Swahili. The words that may never stand here are kept out by
 * tests/unit/test_forensics_words.c. */
#include <stdio.h>
#include "stats/forensics/about.h"
#include "stats/forensics/battery.h"

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
        words_u64((uint64_t)x->value, n1), words_u64(x->n, n2));
    bool first = true;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        double v = fx_get(x, part[i].name);
        if (isnan(v)) continue;
        buf_printf(b, "%s%s: %s", first ? "" : "; ", part[i].say.in[lang], words_u64((uint64_t)v, n1));
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
        words_u64((uint64_t)fx_get(x, "hits"), n1), words_u64(x->n, n2), fx_get(x, "expected"),
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
        words_u64((uint64_t)x->value, n1), words_u64(x->n, n2), fx_get(x, "expected"),
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
        words_u64(x->n, n1), words_u64((uint64_t)fx_get(x, "comb_areas"), n2),
        words_u64((uint64_t)fx_get(x, "integer_areas"), n3));
}

void fx_sentence(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                 struct buf *b) {
    place(r, x, lang, b);
    if (x->is == FX_NA) {
        SAY(b, lang, "not available: it needs %s.", "haipatikani: inahitaji %s.",
            x->missing ? x->missing : "more stations");
        return;
    }
    switch (x->method) {
    case FX_ARITHMETIC: arithmetic(x, lang, b); break;
    case FX_INTEGERS: integers(r, x, lang, b); break;
    case FX_COMB: comb(r, x, lang, b); break;
    case FX_DUPLICATES: duplicates(r, x, lang, b); break;
    case FX_CENTRAL: central(x, lang, b); break;
    default: break;
    }
}
