/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/about.h"
#include "stats/forensics/watch.h"

static const char *const kind_name[WATCH_KINDS] = {"contradiction", "two_results", "same_votes",
                                                   "fast_device", "late_shift", "stream_constancy",
                                                   "test", "look"};

static struct span code_of(const struct watch *w, uint32_t i) {
    return i == UINT32_MAX ? (struct span){0} : watch_table(w)->unit[i];
}

static void contradiction(const struct watch *w, const struct watch_event *e, enum lang lang,
                          struct buf *b) {
    static const struct {
        unsigned flag;
        struct words text;
    } what[] = {
        {FX_BAD_SUM, {{"the votes do not add up to the valid ones", "kura hazijumlishi kura halali"}}},
        {FX_OVER_REGISTER, {{"more ballots than registered voters", "kura nyingi kuliko waliosajiliwa"}}},
        {FX_OVER_CAP, {{"more voters than a station may have", "wapiga kura wengi kuliko kikomo cha kituo"}}},
        {FX_ALL_REJECTED, {{"rejected ballots equal registered voters",
                            "kura zilizokataliwa ni sawa na waliosajiliwa"}}},
        {FX_FULL, {{"turnout is exactly 100 %", "mahudhurio ni 100 % kamili"}}},
    };
    SAY(b, lang, "Station %.*s:", "Kituo %.*s:", SPAN_ARG(code_of(w, e->station)));
    bool any = false;
    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        if (!(e->flags & what[i].flag)) continue;
        buf_printf(b, "%s %s", any ? ";" : "", what[i].text.in[lang]);
        any = true;
    }
    if (isfinite(e->expected))
        SAY(b, lang, " (%.0f ballots, %.0f registered)", " (kura %.0f, waliosajiliwa %.0f)", e->value, e->expected);
    SAY(b, lang, ". Adding and copying errors look the same; the form tells.",
        ". Makosa ya kujumlisha na kunakili huonekana vivyo hivyo; fomu itaeleza.");
}

static void test_event(const struct watch *w, const struct watch_event *e, enum lang lang,
                       struct buf *b) {
    const struct fx_about *a = fx_about(e->method);
    char p1[24];
    SAY(b, lang, "After %zu stations: %s", "Baada ya vituo %zu: %s", e->received, a->title.in[lang]);
    if (e->choice >= 0) buf_printf(b, ", %.*s", SPAN_ARG(watch_table(w)->choice[e->choice]));
    SAY(b, lang, ": %s %.2f from %zu", ": %s %.2f kutoka %zu", a->statistic, e->value, e->n);
    if (isfinite(e->expected)) SAY(b, lang, ", %.1f expected", ", %.1f zilitarajiwa", e->expected);
    if (isfinite(e->p)) SAY(b, lang, ", corrected p %s", ", p iliyosahihishwa %s", words_p(e->p, p1));
    SAY(b, lang, ". Null: %s. Controls: %s. Innocent causes: %s.",
        ". Dhana tupu: %s. Vidhibiti: %s. Sababu zisizo na hatia: %s.", a->null.in[lang],
        a->controls.in[lang], a->innocent.in[lang]);
}

void watch_say(const struct watch *w, const struct watch_event *e, struct span device, enum lang lang,
               struct buf *b) {
    char p1[24];
    const struct fx_about *steady = fx_about(FX_CONSTANCY);
    switch (e->kind) {
    case WATCH_CONTRADICTION: contradiction(w, e, lang, b); break;
    case WATCH_TWO_RESULTS:
        SAY(b, lang, "Station %.*s has two results and neither replaces the other: it counts in no total until "
            "that is decided.",
            "Kituo %.*s kina matokeo mawili na hakuna linalochukua nafasi ya jingine: hakihesabiwi katika jumla "
            "yoyote hadi iamuliwe.", SPAN_ARG(code_of(w, e->station)));
        break;
    case WATCH_SAME_VOTES:
        SAY(b, lang, "Stations %.*s and %.*s of one area have the same votes for every choice (%.0f in all). "
            "Single pairs happen by chance; their number is tested at each look.",
            "Vituo %.*s na %.*s vya eneo moja vina kura zilezile kwa kila mgombea (jumla %.0f). Jozi moja moja "
            "hutokea kwa bahati; idadi yake hupimwa kila baada ya muda.",
            SPAN_ARG(code_of(w, e->station)), SPAN_ARG(code_of(w, e->other)), e->value);
        break;
    case WATCH_FAST_DEVICE:
        SAY(b, lang, "%.0f results came from one device (%.*s) within %.0f seconds, the last of station %.*s. A "
            "device that was without a network sends what it kept.",
            "Matokeo %.0f yalitoka kifaa kimoja (%.*s) ndani ya sekunde %.0f, la mwisho la kituo %.*s. Kifaa "
            "kilichokuwa bila mtandao hutuma yaliyohifadhiwa.",
            e->value, SPAN_ARG(device), e->expected, SPAN_ARG(code_of(w, e->station)));
        break;
    case WATCH_SHIFT:
        SAY(b, lang, "After %zu stations the leader's share is %.2f %%; if the stations that are out vote as the "
            "areas around them, it goes to %.2f %%: that part of a later shift is geography. Supports no statement.",
            "Baada ya vituo %zu sehemu ya anayeongoza ni %.2f %%; vituo vilivyobaki vikipiga kura kama maeneo "
            "yanayovizunguka, itafika %.2f %%: sehemu hiyo ya badiliko la baadaye ni jiografia. Haiungi mkono kauli "
            "yoyote.",
            e->received, 100 * e->value, 100 * e->expected);
        break;
    case WATCH_CONSTANT:
        SAY(b, lang, "After %zu stations: the share varies less between batches of 200 (%zu of them) than a random "
            "order gives: %.3g of the expected variance, corrected p %s. Controls: %s. Innocent causes: %s.",
            "Baada ya vituo %zu: sehemu inatofautiana kidogo kati ya mafungu ya 200 (%zu) kuliko mpangilio wa "
            "kubahatisha: %.3g ya tofauti inayotarajiwa, p iliyosahihishwa %s. Vidhibiti: %s. Sababu zisizo na hatia: "
            "%s.",
            e->received, e->n, e->value / e->expected, words_p(e->p, p1), steady->controls.in[lang],
            steady->innocent.in[lang]);
        break;
    case WATCH_TEST: test_event(w, e, lang, b); break;
    case WATCH_LOOK:
        SAY(b, lang, "After %zu stations no test stands out. That is a statement about the tests, not about the "
            "figures.",
            "Baada ya vituo %zu hakuna jaribio linalojitokeza. Hiyo ni kauli kuhusu majaribio, si kuhusu takwimu.",
            e->received);
        break;
    case WATCH_KINDS: break;
    }
}

void watch_json_members(const struct watch *w, const struct watch_event *e, struct span device,
                        enum lang lang, struct json_out *j) {
    struct buf text;
    buf_init(&text, 1 << 14);
    json_ku64(j, "number", e->number);
    json_kstr(j, "event", kind_name[e->kind]);
    json_kstr(j, "class", fx_class_name(e->is));
    json_key(j, "ms");
    json_i64(j, e->ms);
    json_ku64(j, "received", e->received);
    json_ku64(j, "stations", watch_table(w)->n);
    if (e->station != UINT32_MAX) json_kspan(j, "station", code_of(w, e->station));
    if (e->other != UINT32_MAX) json_kspan(j, "other", code_of(w, e->other));
    if (e->device != UINT32_MAX) json_kspan(j, "device", device);
    if (e->kind == WATCH_TEST) json_kstr(j, "method", fx_about(e->method)->name);
    if (e->choice >= 0) json_kspan(j, "choice", watch_table(w)->choice[e->choice]);
    if (e->n) json_ku64(j, "n", e->n);
    json_kdouble(j, "value", e->value);
    json_kdouble(j, "expected", e->expected);
    json_kdouble(j, "p", e->p);
    watch_say(w, e, device, lang, &text);
    json_kstr(j, "sentence", buf_cstr(&text));
    buf_release(&text);
}

void watch_json(const struct watch *w, const struct watch_event *e, struct span device, enum lang lang,
                struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    watch_json_members(w, e, device, lang, &j);
    json_object_end(&j);
    buf_byte(out, '\n');
}
