/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/paper_rows.h"

#include <stdio.h>
#include "base/csv.h"

struct sheet {
    struct csv *c;
    size_t code, registered, rejected, valid, choice[MAX_CHOICES];
    size_t choices;
};

static err columns(struct sheet *s, const struct fold *fold, const struct contest *k, unsigned round,
                   struct fail *f) {
    TRY(csv_column(s->c, "code", &s->code, f));
    TRY(csv_column(s->c, "registered", &s->registered, f));
    TRY(csv_column(s->c, "rejected", &s->rejected, f));
    TRY(csv_column(s->c, "valid", &s->valid, f));
    for (uint32_t i = 0; i < k->choice_count; i++) {
        char name[64];
        if (!contest_has_choice(k, round, i)) continue;
        (void)snprintf(name, sizeof name, "%.*s", SPAN_ARG(contest_choice(fold, k, i)->id));
        TRY(csv_column(s->c, name, &s->choice[s->choices++], f));
    }
    if (csv_columns(s->c) != s->choices + 4)
        return fail_set(f, E_CSV, "the form has columns besides code, registered, rejected, valid and the "
                                  "choices of the round");
    return OK;
}

static err cell(const struct sheet *s, size_t column, uint64_t *out, struct fail *f) {
    bool present;
    TRY(csv_u64(s->c, column, TOTAL_MAX, &present, out, f));
    if (!present) *out = ABSENT;
    return OK;
}

static err row(const struct sheet *s, struct collated *is, uint64_t *votes, struct fail *f) {
    TRY(cell(s, s->registered, &is->registered, f));
    TRY(cell(s, s->rejected, &is->rejected, f));
    TRY(cell(s, s->valid, &is->valid, f));
    for (size_t i = 0; i < s->choices; i++) TRY(cell(s, s->choice[i], &votes[i], f));
    return OK;
}

static err read_all(struct sheet *s, const struct fold *fold, struct compose_collation *k,
                    uint64_t *sums, struct buf *rows, struct fail *f) {
    bool more, totals = false;
    compose_collation_head(rows);
    for (;;) {
        struct collated is = {0};
        uint64_t votes[MAX_CHOICES];
        TRY(csv_next(s->c, &more, f));
        if (!more) return totals ? OK : fail_set(f, E_CSV, "the last row, with code TOTAL, is missing: it "
                                                           "has the sums as they are written");
        if (totals) return fail_set(f, E_CSV, "line %llu stands after the sums",
                                    (unsigned long long)csv_line(s->c));
        TRY(row(s, &is, votes, f));
        struct span code = csv_field(s->c, s->code);
        if (span_is(code, "TOTAL")) {
            k->registered = is.registered;
            k->rejected = is.rejected;
            k->valid = is.valid;
            for (size_t i = 0; i < s->choices; i++) sums[i] = votes[i];
            totals = true;
        } else if (fold_unit_by_code(fold, code) == NO_UNIT) {
            return fail_set(f, E_UNIT, "line %llu: there is no unit \"%.*s\"",
                            (unsigned long long)csv_line(s->c), SPAN_ARG(code));
        } else {
            compose_collation_row(rows, code, NULL, &is, votes, s->choices);
        }
    }
}

err paper_rows_read(const char *path, const struct fold *fold, uint32_t contest, unsigned round,
                    struct compose_collation *k, uint64_t *votes, struct buf *rows, struct fail *f) {
    struct sheet s = {.choices = 0};
    TRY(csv_open(path, &s.c, f));
    err e = columns(&s, fold, fold_contest(fold, contest), round, f);
    if (e == OK) e = read_all(&s, fold, k, votes, rows, f);
    csv_close(s.c);
    k->votes = votes;
    k->choices = s.choices;
    return e;
}
