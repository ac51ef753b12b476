/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The portal's pages: HTML made from the state alone, readable without any script, linking to nothing
 * outside of the tree. spec/results.md, "Pages", has the paths.
 *
 * Pages are a view: no verifier compares them, every figure on them stands in the JSON too. */
#ifndef SERVICE_PAGE_H
#define SERVICE_PAGE_H

#include "election/gate.h"
#include "election/results.h"
#include "service/page_words.h"

enum { PAGE_PATH_MAX = 200 };

/* What every page's own Content-Security-Policy says; a server's header repeats it and adds who may
 * frame it, which a page cannot say. */
extern const char *const page_policy;

struct beside;

/* What a page is made from; borrowed. */
struct page_site {
    const struct fold *fold; /* has a definition */
    const struct results *results;
    uint64_t size, last_ms; /* what the results are as of: entries, and the last one's time */
    const char *note;   /* a sentence for every page, e.g. that there are no witnesses; may be NULL */
    const char *style;  /* path of the style sheet in the tree */
    const char *script; /* of the module that makes pages live; NULL: there is none */
    uint64_t witnessed; /* entries that a quorum of witnesses has cosigned; 0: none */
    struct span cosigned; /* a checkpoint with its cosignatures, for who has cosigned when; empty: none */
    const struct gate *gate; /* of this tally; NULL: it is computed where it is shown */
    const struct tally *gate_of;
    const struct beside *beside; /* translations, copies, objects; may be NULL */
    bool local_proofs;  /* somebody answers /proofs/INDEX here (not on a mirror) */
};

enum page_kind { PAGE_OVERVIEW, PAGE_CONTESTS, PAGE_ABOUT, PAGE_PETITION, PAGE_CARD, PAGE_KIND_COUNT };

/* Path of one of these pages: English stands at the root, other languages in a folder of their tag. */
void page_path(enum page_lang lang, enum page_kind kind, char out[PAGE_PATH_MAX]);
/* Path of the page of a unit in a contest and round: TAG/CONTEST/ROUND/UNIT.html. */
void page_unit_path(const struct fold *fold, enum page_lang lang, const struct tally *t, uint32_t unit,
                    char out[PAGE_PATH_MAX]);

/* The contest that the overview shows, in its last round; NULL: there is none. */
const struct tally *page_main_contest(const struct page_site *site);

/* Two versions of a unit's page say the same but for the record that they are as of: the old one is
 * still true of that record, and need not be written again. False where in doubt. */
bool page_says_same(struct span old, struct span now);

/* Appends the page; the overview needs site->gate. */
MUST_USE err page_make(const struct page_site *site, enum page_lang lang, enum page_kind kind,
                       struct buf *out, struct fail *f);
/* Appends the page of row `row` of a tally, a unit above the stations; the page of the unit above
 * stations has each of them in full, as an element whose id is the station's code. */
MUST_USE err page_unit(const struct page_site *site, enum page_lang lang, const struct tally *t,
                       size_t row, struct buf *out, struct fail *f);

#endif
