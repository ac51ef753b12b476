/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The live watch inside the daemon: what the publisher shows as watch.json. It never stops the
 * publication of results: when it fails it says so once and rests.
 *
 * One thread at a time. Memory: two arenas of at most 1 GiB; a nation takes about 20 MB. */
#ifndef SERVICE_WATCHING_H
#define SERVICE_WATCHING_H

#include "election/fold.h"

struct watching;
/* `what` is "CONTEST=CHOICE": the contest, and the choice whose share is looked at. E_USAGE. */
MUST_USE err watching_new(const char *what, struct watching **out, struct fail *f);
void watching_free(struct watching *w); /* NULL is fine */

/* Takes the new results; cheap, for the time that the fold is held. True: call watching_look, then this
 * again. */
bool watching_take(struct watching *w, const struct fold *fold);
/* Makes the look that is due; without the fold. True when there are new events since the last render. */
bool watching_look(struct watching *w);
/* {"events":[...],"number":N}: the last 256 events, oldest first, sentences in both languages. */
void watching_render(struct watching *w, struct buf *out);

/* Facts and anomalies since the last call, for the event stream: {"choice":..,"contest":..,"number":N,
 * "left_out":K,"events":[...]}, the newest 16 at most. False when there are none, and on the first call:
 * what the log already held is no news. `number` is that of watch.json. */
bool watching_news(struct watching *w, struct buf *out);

#endif
