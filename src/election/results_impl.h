/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The renderers behind the table of results_files.c, and what result files share. Private to
 * election/. */
#ifndef ELECTION_RESULTS_IMPL_H
#define ELECTION_RESULTS_IMPL_H

#include "base/json_out.h"
#include "election/results.h"
#include "election/state.h"

typedef err results_render(const struct fold *s, const struct results *r, struct buf *out,
                           struct fail *f);
results_render results_objections, results_notices, results_observations, results_hosts;

/* The file's opening brace, and "simulated" where the log is. */
struct json_out results_begin(const struct fold *s, struct buf *out);
MUST_USE err results_end(struct json_out *j, struct fail *f);
/* "unit", "name", "level" */
void results_unit_head(struct json_out *j, const struct fold *s, uint32_t unit);
/* "signer", "role", ["party"] */
void results_signer(struct json_out *j, const struct fold *s, uint32_t key);
/* What every file of a contest begins with: contest, name, round, status, [declared], [simulated]. */
void results_contest_head(struct json_out *j, const struct fold *s, const struct tally *t);
/* "registered", "valid", "rejected", "votes" of a collation, as it states them. */
void results_collated(struct json_out *j, const struct fold *s, const struct collation *c);
/* "declared": the collation of the unit, once the contest is declared on collations. */
void results_declared(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round,
                      uint32_t unit);
/* "contest", "round" */
void results_contest_ref(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round);

void results_votes(struct json_out *j, const struct fold *s, const struct contest *k, unsigned round,
                   const uint64_t *votes, bool absent_too);
void results_figure(struct json_out *j, const char *key, uint64_t v); /* nothing when ABSENT */
void results_finding(struct json_out *j, const struct fold *s, const struct finding *x);
/* ["ballots.valid","votes.ann",...]: the fields that a finding across channels is about. */
void results_fields(struct json_out *j, const struct fold *s, const struct finding *x);
/* "held", "readings", "machine", "compared", "decisions" of a station. */
void results_desk(struct json_out *j, const struct fold *s, const struct tally *t, const struct cell *c);
/* "forms", "decisions" and "findings" of the unit whose file it is. */
void results_place(struct json_out *j, const struct fold *s, const struct tally *t,
                   const struct findings *fi, uint32_t unit);

#endif
