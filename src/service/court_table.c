/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/court_table.h"

#include "election/materiality.h"

static void bounds_lines(const struct fold *s, const struct contest *k, const struct materiality *m,
                         struct buf *out) {
    buf_str(out, "choice,votes_least,votes_most,regions_least,regions_most\n");
    for (uint32_t c = 0; c < m->choice_count; c++)
        buf_printf(out, "%.*s,%llu,%llu,%u,%u\n", SPAN_ARG(contest_choice(s, k, c)->id),
                   (unsigned long long)m->choices[c].least, (unsigned long long)m->choices[c].most,
                   m->choices[c].regions_least, m->choices[c].regions_most);
    buf_printf(out, "all valid votes,%llu,%llu,,\n", (unsigned long long)m->valid_least,
               (unsigned long long)m->valid_most);
    buf_str(out, "\nwhat,stations,voters,outcome_can_change,majority_or_lead_can_change,regions_can_change\n");
    for (unsigned d = 0; d < DOUBT_COUNT; d++)
        buf_printf(out, "%s,%llu,%llu,%s,%s,%s\n", doubt_name((enum doubt)d),
                   (unsigned long long)m->rows[d].stations, (unsigned long long)m->rows[d].voters,
                   m->rows[d].can_change ? "yes" : "no", m->rows[d].majority_can_change ? "yes" : "no",
                   m->rows[d].regions_can_change ? "yes" : "no");
}

err court_table(const struct fold *s, const struct findings *fi, uint32_t contest, unsigned round,
                struct arena *mem, struct buf *out, struct fail *f) {
    struct weighed w;
    struct materiality m;
    struct smallest x;
    TRY(weighed_of(s, fi, contest, round, mem, &w, f));
    TRY(materiality_compute(&w, mem, &m, f));
    TRY(materiality_smallest(&w, mem, &x, f));
    buf_str(out, "FOR THE COURT ONLY. ");
    materiality_sentence(&m, out);
    buf_str(out, "\n\n");
    bounds_lines(s, fold_contest(s, contest), &m, out);
    if (x.none) {
        buf_str(out, "\nno set of stations would change the outcome by being left out\n");
        return buf_ok(out, f);
    }
    if (x.least == x.most)
        buf_printf(out, "\nsmallest set of stations without which the outcome is another: %llu (exact)\n",
                   (unsigned long long)x.least);
    else
        buf_printf(out, "\nsmallest set of stations without which the outcome is another: at least %llu, at "
                        "most %llu (bounds; the list is one such set)\n",
                   (unsigned long long)x.least, (unsigned long long)x.most);
    buf_str(out, "station\n");
    for (uint64_t i = 0; i < x.most; i++) {
        struct span code = fold_unit(s, x.units[i])->code;
        buf_printf(out, "%.*s\n", SPAN_ARG(code));
    }
    return buf_ok(out, f);
}
