/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the pages say, in each language. Words are constant, safe to write as HTML, and complete: a
 * language that lacks a word does not compile. */
#ifndef SERVICE_PAGE_WORDS_H
#define SERVICE_PAGE_WORDS_H

#include "base/bytes.h"
#include "election/findings.h"
#include "election/record.h"

enum page_lang { LANG_EN, LANG_SW, LANG_COUNT };

enum page_word {
#define WORD(name, en, sw) name,
#include "service/page_words.def"
#undef WORD
    WORD_COUNT
};

enum page_plural {
#define PLURAL(name, en1, en, sw1, sw) name,
#include "service/page_plurals.def"
#undef PLURAL
    PLURAL_COUNT
};

/* "en", "sw": the tag of BCP 47, also the folder's name. */
const char *lang_tag(enum page_lang lang);
/* The language's own name. */
const char *lang_name(enum page_lang lang);
/* A constant string that is HTML already. */
const char *page_word(enum page_lang lang, enum page_word w);
/* The words behind the number n: of one, or of none and several. HTML. */
const char *page_plural(enum page_lang lang, enum page_plural w, uint64_t n);
/* A level's name ("county") in the language; the name itself where no translation is known. Plain
 * text, not HTML. */
struct span page_level(enum page_lang lang, struct span level);
/* "January" ... for month 1..12. */
const char *page_month(enum page_lang lang, unsigned month);
/* What records of a type are called. HTML. */
const char *page_record_type(enum page_lang lang, enum record_type type);
/* A station's state as results_station_state gives it. HTML. */
const char *page_state(enum page_lang lang, const char *state);
/* The finding's sentence with its amounts, appended as plain text. */
void page_finding(enum page_lang lang, const struct finding *x, struct buf *out);

#endif
