/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which pages of the portal are made when: overview and texts at every tick, the page of a unit or a
 * station when it changed, then what is due for another reason (a start, a declaration), and never more
 * at once than a tick may cost. Half of that is for areas, which most readers look at, half for the
 * lowest units; whoever has waited longest comes first.
 *
 * Pages may therefore be some ticks behind the JSON; each says which record it is as of. */
#ifndef SERVICE_PORTAL_H
#define SERVICE_PORTAL_H

#include "service/beside.h"
#include "service/page.h"

/* A file of the portal that does not change: style sheet, scripts, modules. */
struct portal_asset {
    const char *path; /* in the public tree: assets/HASH/NAME, HASH over all of them */
    const uint8_t *bytes;
    size_t n;
};
/* Made at build time by tools/embed-web. */
extern const struct portal_asset portal_assets[];
extern const size_t portal_asset_count;
extern const char *const portal_style;
extern const char *const portal_script; /* NULL when the program was built without npm */

/* Receives a file: *bytes is a buffer to write to, the callee's. `unit`: the page of a unit, which
 * need not replace one that says the same (page_says_same); without it only equal bytes do. */
struct portal_sink {
    err (*add)(void *ctx, const char *path, bool unit, struct buf **bytes, struct fail *f);
    void *ctx;
};

struct portal;

/* portal_dir, public_dir: as in service/beside.h, either may be NULL. */
MUST_USE err portal_new(const char *portal_dir, const char *public_dir, struct portal **out, struct fail *f);
void portal_free(struct portal *p); /* NULL is fine */

/* A tick with these results begins. `all`: everything changed. */
MUST_USE err portal_begin(struct portal *p, const struct results *r, bool all, struct fail *f);
/* The pages of row `row` of tally `tally` are due; `fresh`: because its figures changed, so before
 * those that are due for another reason. */
void portal_mark(struct portal *p, size_t tally, size_t row, bool fresh);
/* Gives the sink the pages of site->results that are due, until `budget` bytes of them are made. The
 * texts and (with `all` in portal_begin) the assets come first. */
MUST_USE err portal_render(struct portal *p, const struct page_site *site, size_t budget,
                           const struct portal_sink *sink, struct fail *f);
/* The same in slices, between which the fold may be given away: the texts, then, call by call, about
 * `bytes` of pages of the same site. `stale`: a byte a unit, 1 where the fold has more than the results
 * that the site is as of, so that the page waits for its next turn; NULL: nowhere. *more: there is more
 * in the budget. */
MUST_USE err portal_round(struct portal *p, const struct page_site *site, size_t budget,
                          const struct portal_sink *sink, struct fail *f);
MUST_USE err portal_slice(struct portal *p, const struct page_site *site, const uint8_t *stale, size_t bytes,
                          const struct portal_sink *sink, bool *more, struct fail *f);
/* Ends the round, whatever is left of it; also when there is none. */
void portal_round_end(struct portal *p);
/* Rows whose pages are left for the next tick. */
size_t portal_due(const struct portal *p);
/* There are any. */
bool portal_is_pending(const struct portal *p);

#endif
