/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/form_rows.h"

static struct judge_typed row(uint64_t v) {
    return (struct judge_typed){v != ABSENT, v == ABSENT ? 0 : v};
}

unsigned form_row_choices(const struct fold *fold, uint32_t contest, unsigned round) {
    const struct contest *c = fold_contest(fold, contest);
    unsigned n = 0;
    for (uint32_t k = 0; k < c->choice_count; k++) n += contest_has_choice(c, round, k);
    return n;
}

void form_rows_of_result(const struct fold *fold, uint32_t contest, unsigned round,
                         const struct result *r, struct judge_typed out[FORM_ROWS_MAX]) {
    const struct contest *c = fold_contest(fold, contest);
    const uint64_t *votes = result_votes(fold, r);
    unsigned n = 0;
    memset(out, 0, FORM_ROWS_MAX * sizeof *out);
    for (uint32_t k = 0; k < c->choice_count && n < FORM_CHOICES_MAX; k++)
        if (contest_has_choice(c, round, k)) out[n++] = row(votes[k]);
    const uint64_t counts[FORM_COUNT_ROWS] = {r->registered, r->voters_kit,     r->voters_manual,
                                              r->rejected,   r->objected_votes, r->disputed,
                                              r->valid}; /* as form_row_key names them */
    for (unsigned i = 0; i < FORM_COUNT_ROWS; i++) out[n++] = row(counts[i]);
}
