/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/page_words.h"

static const char *const words[WORD_COUNT][LANG_COUNT] = {
#define WORD(name, en, sw) {en, sw},
#include "service/page_words.def"
#undef WORD
};

const char *lang_tag(enum page_lang lang) {
    return lang == LANG_SW ? "sw" : "en";
}

const char *lang_name(enum page_lang lang) {
    return lang == LANG_SW ? "Kiswahili" : "English";
}

const char *page_word(enum page_lang lang, enum page_word w) {
    return words[w][lang];
}

const char *page_plural(enum page_lang lang, enum page_plural w, uint64_t n) {
    static const char *const plurals[PLURAL_COUNT][LANG_COUNT][2] = {
#define PLURAL(name, en1, en, sw1, sw) {{en1, en}, {sw1, sw}},
#include "service/page_plurals.def"
#undef PLURAL
    };
    return plurals[w][lang][n != 1]; /* both languages tell one from all others */
}

struct span page_level(enum page_lang lang, struct span level) {
    static const struct {
        const char *en, *sw;
    } levels[] = {
        {"nation", "taifa"},        {"county", "kaunti"},
        {"region", "mkoa"},         {"district", "wilaya"},
        {"constituency", "eneo bunge"}, {"ward", "wodi"},
        {"centre", "kituo kikuu"},  {"station", "kituo cha kupigia kura"},
    };
    for (size_t i = 0; lang == LANG_SW && i < sizeof levels / sizeof *levels; i++)
        if (span_is(level, levels[i].en)) return span_text(levels[i].sw);
    return level;
}

const char *page_record_type(enum page_lang lang, enum record_type type) {
    static const enum page_word types[REC_COUNT] = {
#define RECORD(id, name, most) [REC_##id] = W_T_##id,
#include "election/records.def"
#undef RECORD
    };
    return page_word(lang, types[type]);
}

const char *page_month(enum page_lang lang, unsigned month) {
    static const char *const months[12][LANG_COUNT] = {
        {"January", "Januari"}, {"February", "Februari"}, {"March", "Machi"},
        {"April", "Aprili"},    {"May", "Mei"},           {"June", "Juni"},
        {"July", "Julai"},      {"August", "Agosti"},     {"September", "Septemba"},
        {"October", "Oktoba"},  {"November", "Novemba"},  {"December", "Desemba"},
    };
    return months[(month + 11) % 12][lang];
}

const char *page_state(enum page_lang lang, const char *state) {
    static const struct {
        const char *state;
        enum page_word word;
    } states[] = {
        {"expected", W_ST_EXPECTED},
        {"received without image", W_ST_NO_IMAGE},
        {"transmitted", W_ST_TRANSMITTED},
        {"transcribed", W_ST_TRANSCRIBED},
        {"compared", W_ST_COMPARED},
        {"collated", W_ST_COLLATED},
        {"declared", W_ST_DECLARED},
        {"decided", W_ST_DECIDED},
        {"disregarded", W_ST_DISREGARDED},
        {"in question", W_ST_QUESTION},
        {"postponed", W_ST_POSTPONED},
        {"cancelled", W_ST_CANCELLED},
        {"unopposed", W_ST_UNOPPOSED},
        {"annulled", W_ST_ANNULLED},
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(state, states[i].state) == 0) return page_word(lang, states[i].word);
    return state;
}

/* Sentences of findings.def in Swahili; one that is missing here is shown in English. */
static const char *finding_sw(enum finding_code code) {
    switch (code) {
#define SW(name, text)                                                                             \
    case name: return text;
#include "service/page_findings_sw.def"
#undef SW
    default: return NULL;
    }
}

void page_finding(enum page_lang lang, const struct finding *x, struct buf *out) {
    const char *text = lang == LANG_SW ? finding_sw(x->code) : NULL;
    if (!text) {
        finding_text(x, out);
        return;
    }
    for (; *text; text++) {
        if (text[0] == '%' && (text[1] == 'a' || text[1] == 'b')) {
            buf_u64(out, text[1] == 'a' ? x->a : x->b);
            text++;
        } else {
            buf_byte(out, (uint8_t)*text);
        }
    }
}
