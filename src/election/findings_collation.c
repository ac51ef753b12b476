/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Standing collations from paper against the records, and forms handed over against stations. */
#include "election/findings_impl.h"

static void because(struct work *w, enum finding_code code, const struct collation *c, uint32_t unit,
                    uint64_t a, uint64_t b) {
    finding_because(finding_add_unit(w, code, c->contest, c->round, unit, a, b), c->entry);
}

static uint64_t stations_of(const struct fold *s, const struct collation *c) {
    uint64_t n = 0;
    for (uint32_t u = c->unit; u != NO_UNIT; u = unit_next(s, u, c->unit))
        n += unit_is_station(s, u) &&
             (!fold_unit(s, u)->closed || fold_cell_find(s, c->contest, c->round, u) != NO_CELL);
    return n;
}

static void check(struct work *w, const struct collation *c) {
    const struct fold *s = w->s;
    uint64_t foreign = 0;
    for (size_t k = 0; k < c->row_count; k++) {
        const struct collation_row *r = collation_row(s, c, k);
        foreign += r->foreign;
        if (r->altered) because(w, F_ROW_ALTERED, c, r->unit, r->altered, r->off_by);
    }
    if (c->missing) because(w, F_ROW_MISSING, c, c->unit, c->missing, c->missing + c->row_count - foreign);
    if (foreign) because(w, F_ROW_FOREIGN, c, c->unit, foreign, 0);
    if (c->columns) because(w, F_COLUMN_SUM, c, c->unit, c->columns, c->columns_off_by);
    uint64_t stations = c->handed == ABSENT ? 0 : stations_of(s, c);
    if (c->handed != ABSENT && c->handed > stations)
        because(w, F_HANDED_OVER, c, c->unit, c->handed, stations);
}

void findings_of_collations(struct work *w) {
    const struct fold *s = w->s;
    if (w->only != NO_CONTEST) { /* a contest's collations are of units inside its own */
        uint32_t root = fold_contest(s, w->only)->unit;
        for (uint32_t u = root; u != NO_UNIT; u = unit_next(s, u, root)) {
            uint32_t i = unit_is_station(s, u) ? NO_COLLATION : fold_collation_of(s, w->only, w->only_round, u);
            if (i != NO_COLLATION) check(w, fold_collation(s, i));
        }
        return;
    }
    for (uint32_t i = 0; i < fold_collation_count(s); i++) {
        const struct collation *c = fold_collation(s, i);
        if (c->superseded_by == NO_COLLATION) check(w, c);
    }
}

bool finding_of_collation(enum finding_code code) {
    return code == F_ROW_ALTERED || code == F_ROW_MISSING || code == F_ROW_FOREIGN ||
           code == F_COLUMN_SUM || code == F_HANDED_OVER;
}
