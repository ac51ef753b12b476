/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/about.h"

#define W(en, sw) {{en, sw}}

static const struct fx_about all[FX_METHODS] = {
    [FX_ARITHMETIC] =
        {"arithmetic", 8, "stations whose own figures contradict each other", "share of stations",
         FX_FACT, W("Arithmetic and caps", "Hesabu na vikomo"),
         W("none: each figure is compared with the others on its own form",
           "hakuna: kila takwimu inalinganishwa na nyingine katika fomu yake yenyewe"),
         W("Uganda 2016: 0 sum errors, 130 stations at exactly 100 %",
           "Uganda 2016: makosa 0 ya kujumlisha, vituo 130 vyenye asilimia 100 kamili"),
         W("adding or copying errors, voters moved between streams, an outdated register",
           "makosa ya kujumlisha au kunakili, wapiga kura kuhamishwa kati ya vituo, daftari la zamani"),
         W("any set of figures that adds up", "takwimu zozote zinazojumlishwa sawasawa")},
    [FX_INTEGERS] =
        {"integer_percentages", 1, "z", "excess share of stations", FX_ANOMALY,
         W("Integer percentages", "Asilimia kamili"),
         W("each station's turnout and leader's share are binomial about the reported ones (exact)",
           "mahudhurio na sehemu ya anayeongoza katika kila kituo ni binomia kuzunguka "
           "zilizoripotiwa (halisi)"),
         W("Canada 2011 z 2.2; Uganda 2016 z -0.3; Russia 2012 excess 1,161; Russia 2018 excess 1,709",
           "Kanada 2011 z 2.2; Uganda 2016 z -0.3; Urusi 2012 ziada 1,161; Urusi 2018 ziada 1,709"),
         W("registers or ballots issued in round numbers; figures rounded while being copied",
           "daftari au kura zilizotolewa kwa idadi kamili; takwimu kukadiriwa wakati wa kunakili"),
         W("added ballots, votes moved, a factor applied later: only invented percentages show",
           "kura zilizoongezwa, kura zilizohamishwa, kizidisho cha baadaye: ni asilimia zilizobuniwa "
           "tu zinazoonekana")},
    [FX_COMB] =
        {"multiplier_comb", 2, "Delta (log-likelihood ratio)", "share of stations in the best fit",
         FX_ANOMALY, W("Multiplier comb", "Alama ya kizidisho"),
         W("the histogram of the choice's votes is smooth apart from preferred last digits",
           "mgawanyo wa kura za mgombea ni laini isipokuwa tarakimu za mwisho zinazopendelewa"),
         W("controls at most 12; a factor 1.1 put into 30 % of Kenya 2022's forms gives about 93",
           "vidhibiti si zaidi ya 12; kizidisho 1.1 katika 30 % ya fomu za Kenya 2022 hutoa takriban 93"),
         W("forms filled by adding equal batches; heaping on numbers other than tens",
           "fomu zilizojazwa kwa kujumlisha mafungu sawa; kupendelea nambari nyingine zisizo makumi"),
         W("a factor of 1.25, a factor with noise, a factor applied after aggregation, most of what "
           "touches 10 % of the stations or fewer",
           "kizidisho 1.25, kizidisho chenye kelele, kizidisho baada ya kujumlisha, na mengi "
           "yanayogusa 10 % ya vituo au chini")},
    [FX_DUPLICATES] =
        {"duplicates", 7, "pairs of stations with the same votes in one small area",
         "pairs found / expected", FX_ANOMALY, W("Duplicated results", "Matokeo yanayojirudia"),
         W("each station's counts are Poisson about its own figures",
           "hesabu za kila kituo ni Poisson kuzunguka takwimu zake"),
         W("Kenya 2022: 26 against 16.0 +- 3.8; Uganda 2016: 21 against 1.0 +- 0.8; Russia 2018: 14 "
           "against 2.5 +- 1.5",
           "Kenya 2022: 26 dhidi ya 16.0 +- 3.8; Uganda 2016: 21 dhidi ya 1.0 +- 0.8; Urusi 2018: 14 "
           "dhidi ya 2.5 +- 1.5"),
         W("one form entered for two streams; a register split evenly in a uniform village",
           "fomu moja kuingizwa kwa vituo viwili; daftari kugawanywa sawa katika kijiji kimoja"),
         W("copies with a changed figure, copies across areas",
           "nakala zenye takwimu iliyobadilishwa, nakala kati ya maeneo tofauti")},
    [FX_CONSTANCY] =
        {"stream_constancy", 4, "V (weighted variance of the batches' two-candidate share)",
         "V / its mean under permutation", FX_ANOMALY,
         W("Stream constancy", "Uthabiti wa mtiririko"),
         W("the order of arrival is exchangeable (permutations); only a variance too low counts",
           "mpangilio wa kufika unabadilishana (vibadilisho); ni tofauti ndogo mno tu inayohesabiwa"),
         W("Kenya 2022: V is 4.1 times the permuted mean, as geography makes it",
           "Kenya 2022: V ni mara 4.1 ya wastani wa vibadilisho, kwa sababu ya jiografia"),
         W("results released in an order that mixes all areas evenly",
           "matokeo kutolewa kwa mpangilio unaochanganya maeneo yote sawasawa"),
         W("partial smoothing: the natural variance is several times the permuted one",
           "kulainisha kwa sehemu: tofauti ya asili ni mara kadhaa ya ile ya vibadilisho")},
    [FX_LATE] =
        {"late_shift", 5, "shift of the leader's share after half of the stations, in points",
         "part of the shift that geography predicts", FX_NOTHING,
         W("Late shift", "Mabadiliko ya mwisho"),
         W("unseen stations vote like the smallest area around them that has been seen",
           "vituo ambavyo havijaonekana hupiga kura kama eneo dogo linalovizunguka"),
         W("Kenya 2022, in order of upload: see docs/forensics.md",
           "Kenya 2022, kwa mpangilio wa kupakia: tazama docs/forensics.md"),
         W("late areas differ from early ones; this alone supports no statement",
           "maeneo yanayochelewa hutofautiana na ya mapema; hili peke yake haliungi mkono kauli yoyote"),
         W("everything that is not tied to the order of arrival",
           "chochote kisichohusiana na mpangilio wa kufika")},
    [FX_ROUND] =
        {"round_totals", 6, "choices whose total is a rounded tenth of a percent of all votes",
         "share of choices", FX_ANOMALY,
         W("Round-percent totals", "Jumla za asilimia ya mviringo"),
         W("each total falls on such a value with chance 1000/V; the last one follows from the others",
           "kila jumla huangukia thamani hiyo kwa nafasi 1000/V; ya mwisho hufuata nyingine"),
         W("no control has one: the chance for three choices and a million votes is one in a million",
           "hakuna kidhibiti chenye hali hii: nafasi kwa wagombea watatu na kura milioni ni moja kwa milioni"),
         W("totals given out as percentages and turned back into votes by a reporter",
           "jumla zilizotolewa kama asilimia na kugeuzwa tena kuwa kura na mwandishi"),
         W("totals made with any other rounding", "jumla zilizotengenezwa kwa ukadiriaji mwingine wowote")},
    [FX_CENTRAL] =
        {"central_or_local", 3, "areas whose own comb or percentages stand out", "share of areas",
         FX_ANOMALY, W("Centralised or localised", "Kitaifa au mahali"),
         W("as for the tests by area", "kama kwa majaribio ya kila eneo"),
         W("no area of a control stands out", "hakuna eneo la kidhibiti linalojitokeza"),
         W("as for the tests by area", "kama kwa majaribio ya kila eneo"),
         W("what the tests by area cannot see; the decisive test compares published totals with the "
           "sum of signed forms at every level (compare, verify) and needs no statistics",
           "yale ambayo majaribio ya maeneo hayaoni; jaribio la uhakika ni kulinganisha jumla "
           "zilizochapishwa na jumla ya fomu zilizotiwa saini katika kila ngazi (compare, verify), bila "
           "takwimu")},
    [FX_SPIKES] =
        {"spikes", 9, "F (resampled density)", "percent of the density above its upper envelope",
         FX_EXPLORATORY, W("Spikes", "Miiba"),
         W("smooth beta-binomial mixtures for turnout and share, each station about its own posterior",
           "michanganyiko laini ya beta-binomia ya mahudhurio na sehemu, kila kituo kuzunguka makadirio yake"),
         W("Canada 2011: F published .03888 at R = 1000, one noisy bin; null at R = 1000: mean .024, "
           "95 % .080, largest .17",
           "Kanada 2011: F iliyochapishwa .03888 kwa R = 1000, pipa moja lenye kelele; dhana tupu kwa R "
           "= 1000: wastani .024, 95 % .080, kubwa zaidi .17"),
         W("simple fractions in small stations; compare only at equal R and n",
           "sehemu rahisi katika vituo vidogo; linganisha tu kwa R na n sawa"),
         W("whatever keeps the shares smooth", "chochote kinachoacha sehemu zikiwa laini")},
    [FX_SHPILKIN] =
        {"shpilkin", 10, "votes above proportion at high turnout", "share of the leader's votes",
         FX_EXPLORATORY, W("Turnout and votes (Shpilkin)", "Mahudhurio na kura (Shpilkin)"),
         W("the leader's votes are proportional to the others' at every turnout",
           "kura za anayeongoza ni sawia na za wengine katika kila kiwango cha mahudhurio"),
         W("Russia 2012 11.3 to 12.0 million; 2018 10.8 to 11.0 million; Kenya: 3.1 to 3.4 million that "
           "mean nothing, because turnout and support vary by region",
           "Urusi 2012 milioni 11.3 hadi 12.0; 2018 milioni 10.8 hadi 11.0; Kenya: milioni 3.1 hadi 3.4 "
           "zisizo na maana, kwa sababu mahudhurio na uungaji mkono hutofautiana kwa mikoa"),
         W("strongholds that turn out more", "ngome zenye mahudhurio makubwa zaidi"),
         W("everything, where turnout and support go together by region",
           "kila kitu, pale mahudhurio na uungaji mkono vinapoambatana kwa mikoa")},
    [FX_KLIMEK] =
        {"klimek", 11, "share of stations fitted by the incremental component",
         "share of stations fitted by the extreme component", FX_EXPLORATORY,
         W("Turnout fingerprint (Klimek)", "Alama ya mahudhurio (Klimek)"),
         W("turnout and share are normal over stations", "mahudhurio na sehemu ni kawaida kwa vituo vyote"),
         W("Russia 2012 published .39 and .021; Canada at most .01 and .005; Bolivia 2019 is a known "
           "false positive",
           "Urusi 2012 iliyochapishwa .39 na .021; Kanada si zaidi ya .01 na .005; Bolivia 2019 ni tokeo "
           "la uongo linalojulikana"),
         W("regions that differ in turnout and support", "mikoa inayotofautiana kwa mahudhurio na uungaji mkono"),
         W("whatever leaves the shape of the cloud", "chochote kisichobadilisha umbo la wingu")},
    [FX_DIGITS] =
        {"digits", 12, "chi-squared of the last digits (9 degrees)", "mean second digit",
         FX_EXPLORATORY, W("Digits", "Tarakimu"),
         W("last digits of three-digit counts are uniform",
           "tarakimu za mwisho za hesabu zenye tarakimu tatu ni sawa"),
         W("the second-digit test expects a mean of 4.187; Canada, where nothing was found, gives 3.945: "
           "the test does not work",
           "jaribio la tarakimu ya pili hutarajia wastani 4.187; Kanada, ambako hakuna kilichopatikana, "
           "hutoa 3.945: jaribio hili halifanyi kazi"),
         W("sizes of stations, people who round", "ukubwa wa vituo, watu wanaokadiria"),
         W("almost everything; shown only because it is often quoted",
           "karibu kila kitu; linaonyeshwa tu kwa kuwa hunukuliwa mara nyingi")},
};

const struct fx_about *fx_about(enum fx_method m) {
    return &all[m];
}

const char *fx_class_name(enum fx_class c) {
    static const char *const name[] = {"n/a", "none", "fact", "anomaly", "exploratory"};
    return name[c];
}
