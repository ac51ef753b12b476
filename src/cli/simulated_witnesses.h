/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Witnesses of a simulated log, in this process, over HTTP on the loopback: the real protocol, but
 * one machine, so that they protect nobody. DIR/witnesses/NAME is what each remembers. */
#ifndef CLI_SIMULATED_WITNESSES_H
#define CLI_SIMULATED_WITNESSES_H

#include "service/simulate.h"

struct simulated_witnesses;

/* `log` is borrowed. The caller owns *out: simulated_witnesses_stop. */
MUST_USE err simulated_witnesses_start(const struct sim *s, unsigned count,
                                       const struct note_key *log, const char *dir,
                                       struct simulated_witnesses **out, struct fail *f);
void simulated_witnesses_stop(struct simulated_witnesses *w); /* NULL is fine */
/* "name=url" of each. */
const char *const *simulated_witnesses_urls(const struct simulated_witnesses *w);

#endif
