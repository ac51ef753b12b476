/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* collation (spec/records.md, 6.12): a unit's table of what its parts say. An electronic one is
 * refused where a cell is not what holds; one from paper is logged as it stands. */
#include "election/collation.h"
#include "election/state.h"

enum { FORMS_MAX = 20, ARENA_MAX = 1 << 28, ROWS_OBJECT_MAX = 1 << 26 };

struct fields {
    unsigned basis;
    uint32_t contest, unit;
    uint64_t round, handed;
    struct hash forms[FORMS_MAX];
    uint32_t form_count;
    bool reason;
    struct named_object rows;
    uint32_t supersedes; /* collation; NO_COLLATION: none named */
    uint64_t registered, rejected, valid;
    uint64_t votes[MAX_CHOICES]; /* of the ballot; those outside the round ABSENT */
};

static uint64_t figure(struct cj *r) {
    return cj_null(r) ? ABSENT : cj_u64(r, TOTAL_MAX);
}

static void read_form(struct ctx *c, struct fields *v) {
    struct cj *r = &c->json;
    cj_array(r);
    while (cj_element(r)) {
        if (v->form_count == FORMS_MAX) {
            cj_fail(r, E_RANGE, "more than %d pages", FORMS_MAX);
            return;
        }
        cj_hex(r, v->forms[v->form_count++].b, 32);
    }
}

/* Votes of the round's choices in ballot order; the rest of the ballot is blank. */
static void spread_votes(struct cj *r, const struct contest *k, unsigned round, uint64_t *votes) {
    uint32_t at = 0;
    cj_array(r);
    for (; cj_element(r); at++) {
        while (at < k->choice_count && !contest_has_choice(k, round, at)) votes[at++] = ABSENT;
        if (at >= k->choice_count) {
            cj_fail(r, E_CHOICE, "the sums have more figures than the round has choices");
            return;
        }
        votes[at] = figure(r);
    }
    while (at < k->choice_count && !contest_has_choice(k, round, at)) votes[at++] = ABSENT;
    if (!cj_failed(r) && at != k->choice_count)
        cj_fail(r, E_CHOICE, "the sums do not have one figure for each choice of the round");
}

static void read_totals(struct ctx *c, struct fields *v) {
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "registered");
    v->registered = figure(r);
    cj_need(r, "rejected");
    v->rejected = figure(r);
    cj_need(r, "valid");
    v->valid = figure(r);
    cj_need(r, "votes");
    if (!cj_failed(r)) spread_votes(r, fold_contest(c->fold, v->contest), (unsigned)v->round, v->votes);
    cj_object_end(r);
}

static err read_fields(struct ctx *c, struct fields *v) {
    static const char *const bases[] = {"electronic", "paper", NULL};
    struct cj *r = &c->json;
    v->form_count = 0;
    v->handed = ABSENT;
    v->supersedes = NO_COLLATION;
    cj_object(r);
    cj_need(r, "basis");
    v->basis = read_word(c, bases);
    cj_need(r, "contest");
    v->contest = read_contest(c);
    read_election(c);
    if (cj_have(r, "form")) read_form(c, v);
    if (cj_have(r, "handed")) v->handed = cj_u64(r, FIGURE_MAX);
    v->reason = cj_have(r, "reason");
    if (v->reason) (void)read_object_ref(c, true);
    cj_need(r, "round");
    v->round = cj_u64(r, MAX_ROUNDS);
    if (!cj_failed(r) && v->round != fold_contest(c->fold, v->contest)->round)
        cj_fail(r, E_ROUND, "a collation of round %llu; the contest is in round %u",
                (unsigned long long)v->round, fold_contest(c->fold, v->contest)->round);
    cj_need(r, "rows");
    v->rows = read_object_ref(c, false);
    if (cj_have(r, "supersedes")) {
        uint64_t entry = read_record(c);
        if (!cj_failed(r)) v->supersedes = collation_of_entry(c->fold, entry);
        if (!cj_failed(r) && v->supersedes == NO_COLLATION)
            cj_fail(r, E_REFERENCE, "it supersedes a record that is no collation");
    }
    cj_need(r, "totals");
    read_totals(c, v);
    cj_need(r, "unit");
    v->unit = read_unit(c);
    cj_object_end(r);
    if (!cj_failed(r)) c->out->station = v->unit;
    return cj_end(r);
}

static err check_place(struct ctx *c, const struct fields *v) {
    unsigned at;
    const struct fold *s = c->fold;
    TRY(collation_level(s, v->contest, v->unit, &at, c->f));
    enum contest_state state = contest_state_at(s, v->contest, v->unit);
    if (state != CONTEST_OPEN)
        return fail_set(c->f, E_STATE, "the contest is not held in this unit");
    if (declaration_of(s, v->contest, (unsigned)v->round) != NO_DECLARATION)
        return fail_set(c->f, E_STATE, "the contest is declared: what differs is for a court");
    if (v->basis == COLLATION_PAPER && v->form_count == 0)
        return fail_set(c->f, E_FIELD, "a collation from paper names the images of its form");
    return OK;
}

static err check_signers(struct ctx *c, const struct fields *v, uint32_t *answers) {
    const struct fold *s = c->fold;
    uint32_t of;
    enum role role = collation_officer(s, v->contest, v->unit, &of);
    TRY(signers_in_scope(c, v->unit, v->contest));
    *answers = NO_KEY;
    for (size_t i = 0; i < c->signer_count && *answers == NO_KEY; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *k = state_key(s, c->signers[i]);
        if (key_acts_as(k) == role && k->unit == of) {
            *answers = c->signers[i];
            c->out->signer = c->rec->lines[i].name;
        }
    }
    if (*answers == NO_KEY)
        return fail_set(c->f, E_ROLE, "not signed by the %s of %.*s, nor by a deputy with an acting "
                                      "record", role_name(role), SPAN_ARG(fold_unit(s, of)->code));
    return OK;
}

static err check_supersedes(struct ctx *c, const struct fields *v) {
    uint32_t standing = fold_collation_of(c->fold, v->contest, (unsigned)v->round, v->unit);
    if (v->supersedes != standing)
        return fail_set(c->f, E_SUPERSEDE,
                        standing == NO_COLLATION
                            ? "no collation of this unit stands that it could supersede"
                            : "a collation of this unit stands: a further one names it, and a reason");
    if (standing != NO_COLLATION && !v->reason)
        return fail_set(c->f, E_FIELD, "a collation that supersedes another gives its reason");
    return OK;
}

/* The rows as they are read, against the lines that hold. */
struct work {
    struct ctx *c;
    const struct fields *v;
    const struct contest *k;
    struct collation_line *lines;
    size_t line_count;
    uint32_t *line_of; /* paper: of each unit, line + 1 */
    bool *seen;        /* paper: the line has a row */
    struct collated sums, rows; /* of what holds; of the rows */
    struct collation x;
};

static void differ(uint64_t a, uint64_t b, uint32_t *cells, uint64_t *by) {
    if (a == b) return;
    uint64_t x = a == ABSENT ? 0 : a, y = b == ABSENT ? 0 : b;
    ++*cells;
    *by += x > y ? x - y : y - x;
}

/* Cells of a row that are not those of the line. */
static void compare(const struct work *w, const struct collated *row, const struct collated *is,
                    uint32_t *cells, uint64_t *by) {
    differ(row->registered, is->registered, cells, by);
    differ(row->rejected, is->rejected, cells, by);
    differ(row->valid, is->valid, cells, by);
    for (uint32_t k = 0; k < w->k->choice_count; k++)
        if (contest_has_choice(w->k, w->x.round, k)) differ(row->votes[k], is->votes[k], cells, by);
}

static err plus(struct ctx *c, uint64_t *to, uint64_t v) {
    if (v != ABSENT && __builtin_add_overflow(*to, v, to))
        return fail_set(c->f, E_OVERFLOW, "a sum does not fit in 64 bits");
    return OK;
}

/* One row into the state. `line`: what it is of, or NULL. */
static err add_row(struct work *w, uint32_t unit, const struct collation_line *line,
                   const struct collated *is) {
    struct fold *s = w->c->fold;
    struct collation_row *row;
    size_t at;
    TRY(state_push(w->c, &s->collation_rows, (void **)&row));
    *row = (struct collation_row){.unit = unit, .entry = line ? line->entry : NO_RECORD,
                                  .foreign = !line, .registered = is->registered,
                                  .rejected = is->rejected, .valid = is->valid};
    journal_vec(&s->journal, &s->votes);
    uint64_t *votes = vec_push_run(&s->votes, w->k->choice_count, &at);
    if (!votes) return fail_set(w->c->f, E_MEMORY, "the state has reached its memory cap");
    memcpy(votes, is->votes, w->k->choice_count * sizeof *votes);
    row->votes_at = at;
    if (line) compare(w, is, &line->is, &row->altered, &row->off_by);
    w->x.row_count++;
    TRY(plus(w->c, &w->rows.registered, is->registered));
    TRY(plus(w->c, &w->rows.rejected, is->rejected));
    TRY(plus(w->c, &w->rows.valid, is->valid));
    for (uint32_t k = 0; k < w->k->choice_count; k++) TRY(plus(w->c, &w->rows.votes[k], is->votes[k]));
    return OK;
}

static err row_altered(struct work *w, const struct collation_text *t, const char *what) {
    return fail_set(w->c->f, E_ALTERED,
                    "the row of %.*s: %s; a collation carries what its parts say, and no other figure",
                    SPAN_ARG(t->code), what);
}

static err electronic_row(struct work *w, const struct collation_text *t, const struct collated *is) {
    size_t at = w->x.row_count;
    const struct fold *s = w->c->fold;
    if (at == w->line_count || !span_eq(fold_unit(s, w->lines[at].unit)->code, t->code))
        return fail_set(w->c->f, E_ROWS,
                        "row %zu is of %.*s: the rows are the parts of the unit, each once, in order",
                        at + 1, SPAN_ARG(t->code));
    const struct collation_line *l = &w->lines[at];
    struct hash id = l->entry == NO_RECORD ? (struct hash){0} : fold_id(s, l->entry);
    if (t->has_id != (l->entry != NO_RECORD) || (t->has_id && !hash_eq(&id, &t->id)))
        return row_altered(w, t, l->entry == NO_RECORD ? "it names a record where none holds"
                                                      : "it does not name the record that holds");
    uint32_t cells = 0;
    uint64_t by = 0;
    compare(w, is, &l->is, &cells, &by);
    if (cells) return row_altered(w, t, "a figure is not that of the record");
    return add_row(w, l->unit, l, is);
}

static err paper_row(struct work *w, const struct collation_text *t, const struct collated *is) {
    const struct fold *s = w->c->fold;
    if (t->has_id)
        return fail_set(w->c->f, E_FIELD, "a row of a paper form names no record: paper does not");
    uint32_t unit = fold_unit_by_code(s, t->code);
    if (unit == NO_UNIT)
        return fail_set(w->c->f, E_UNIT, "there is no reporting unit \"%.*s\"", SPAN_ARG(t->code));
    uint32_t i = w->line_of[unit];
    if (i == 0 || w->seen[i - 1]) return add_row(w, unit, NULL, is);
    w->seen[i - 1] = true;
    return add_row(w, unit, &w->lines[i - 1], is);
}

/* Votes of a row, over the whole ballot. */
static err ballot_votes(struct work *w, const struct collation_text *t, uint64_t *votes) {
    uint32_t at = 0;
    for (uint32_t k = 0; k < w->k->choice_count; k++) {
        if (!contest_has_choice(w->k, w->x.round, k))
            votes[k] = ABSENT;
        else if (at < t->vote_count)
            votes[k] = t->votes[at++];
        else
            at = UINT32_MAX;
        if (at == UINT32_MAX) break;
    }
    if (at != t->vote_count)
        return fail_set(w->c->f, E_CHOICE, "the row of %.*s does not have one figure for each choice "
                                           "of the round", SPAN_ARG(t->code));
    return OK;
}

static err read_rows(struct work *w, struct span rest) {
    struct collation_text t;
    uint64_t number = 0, votes[MAX_CHOICES];
    bool more;
    for (;;) {
        TRY(collation_text_next(&rest, &number, &t, &more, w->c->f));
        if (!more) return OK;
        if (w->x.row_count > 2 * w->line_count + 1000)
            return fail_set(w->c->f, E_RANGE, "many more rows than the unit has parts");
        TRY(ballot_votes(w, &t, votes));
        struct collated is = {t.registered, t.rejected, t.valid, votes};
        TRY(w->v->basis == COLLATION_PAPER ? paper_row(w, &t, &is) : electronic_row(w, &t, &is));
    }
}

static err check_sums(struct work *w) {
    const struct fields *v = w->v;
    struct collated stated = {v->registered, v->rejected, v->valid, NULL};
    uint64_t votes[MAX_CHOICES];
    memcpy(votes, v->votes, w->k->choice_count * sizeof *votes);
    stated.votes = votes;
    compare(w, &stated, &w->rows, &w->x.columns, &w->x.columns_off_by);
    if (w->x.columns && v->basis == COLLATION_ELECTRONIC)
        return fail_set(w->c->f, E_SUM, "%u of the sums are not those of the rows (%llu off in all)",
                        w->x.columns, (unsigned long long)w->x.columns_off_by);
    return OK;
}

static err add_collation(struct work *w, struct arena *a) {
    struct ctx *c = w->c;
    struct fold *s = c->fold;
    const struct fields *v = w->v;
    struct span rest;
    if (v->rows.size > ROWS_OBJECT_MAX) return fail_set(c->f, E_RANGE, "rows of more than 64 MiB");
    TRY(collation_lines(s, v->contest, w->x.round, v->unit, a, &w->lines, &w->line_count, &w->sums, c->f));
    w->seen = arena_array(a, w->line_count + 1, sizeof *w->seen);
    w->rows.votes = arena_array(a, w->k->choice_count, sizeof *w->rows.votes);
    w->line_of = arena_array(a, s->units.n, sizeof *w->line_of);
    if (!w->seen || !w->rows.votes || !w->line_of)
        return fail_set(c->f, E_MEMORY, "no memory for a collation");
    for (size_t i = 0; i < w->line_count; i++) w->line_of[w->lines[i].unit] = (uint32_t)i + 1;
    w->x.first_row = s->collation_rows.n;
    TRY(state_get_object(c, &v->rows, &rest));
    TRY(read_rows(w, rest));
    if (v->basis == COLLATION_ELECTRONIC && w->x.row_count != w->line_count)
        return fail_set(c->f, E_ROWS, "%zu rows where the unit has %zu parts", w->x.row_count,
                        w->line_count);
    for (size_t i = 0; v->basis == COLLATION_PAPER && i < w->line_count; i++) w->x.missing += !w->seen[i];
    TRY(check_sums(w));
    journal_vec(&s->journal, &s->votes);
    uint64_t *votes = vec_push_run(&s->votes, w->k->choice_count, &w->x.votes_at);
    journal_vec(&s->journal, &s->forms);
    struct hash *forms = vec_push_run(&s->forms, v->form_count, &w->x.form_at);
    if (!votes || !forms) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    memcpy(votes, v->votes, w->k->choice_count * sizeof *votes);
    if (v->form_count) memcpy(forms, v->forms, v->form_count * sizeof *forms);
    struct collation *to;
    uint32_t i = (uint32_t)s->collations.n;
    TRY(state_push(c, &s->collations, (void **)&to));
    *to = w->x;
    if (v->supersedes != NO_COLLATION)
        JSET(&s->journal, ((struct collation *)vec_at(&s->collations, v->supersedes))->superseded_by, i);
    return state_index(c, &s->by_collation, collation_hash(v->contest, w->x.round, v->unit), i);
}

err collation_apply(struct ctx *c) {
    struct fields v;
    uint32_t answers;
    TRY(read_fields(c, &v));
    TRY(check_place(c, &v));
    TRY(check_signers(c, &v, &answers));
    TRY(check_supersedes(c, &v));
    struct work w = {.c = c, .v = &v, .k = fold_contest(c->fold, v.contest)};
    w.x = (struct collation){.entry = c->index, .ms = c->ms, .contest = v.contest, .unit = v.unit,
                             .signer = answers, .superseded_by = NO_COLLATION,
                             .round = (uint16_t)v.round, .basis = (uint8_t)v.basis,
                             .form_count = (uint8_t)v.form_count, .handed = v.handed,
                             .rows = v.rows.id, .rows_size = v.rows.size,
                             .registered = v.registered, .rejected = v.rejected, .valid = v.valid};
    struct arena a;
    arena_init(&a, ARENA_MAX);
    err e = add_collation(&w, &a);
    arena_release(&a);
    return e;
}
