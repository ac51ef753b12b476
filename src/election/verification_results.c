/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Published results are compared with those that the records give. */
#include "election/verification_impl.h"

#include <stdio.h>
#include "election/head.h"

/* The first published file that differs; it counts only if the tree is at rest. */
static void differs(struct verification *v, enum verdict verdict, err code, const char *fmt, ...)
    PRINTF(4, 5);
static void differs(struct verification *v, enum verdict verdict, err code, const char *fmt, ...) {
    if (v->differs.code != OK) return;
    v->differs.verdict = verdict;
    v->differs.code = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(v->differs.sentence, sizeof v->differs.sentence, fmt, ap);
    va_end(ap);
}

/* E_AGAIN. */
static err compare_file(struct verification *v, const char *path, const struct buf *want) {
    struct fail f;
    buf_clear(&v->scratch);
    err e = verification_get(v, path, VERIFICATION_FILE_MAX, &v->scratch, &f);
    if (e == E_AGAIN) return e;
    v->r->results_files++;
    if (e == OK && span_eq(buf_view(&v->scratch), buf_view(want))) return OK;
    if (e != OK)
        differs(v, verification_verdict_of(e), e, "%s: %s", path, f.text);
    else
        differs(v, VERDICT_INVALID, E_RESULTS,
                "%s is not what the records give: somebody changed the published results", path);
    return OK;
}

/* head.json says at which size the results were made, and repeats what the records give. *good: they
 * can be compared. E_AGAIN. */
static err check_head(struct verification *v, bool *good) {
    struct fail f = {0}, none;
    struct verify_report *r = v->r;
    uint64_t size = 0;
    *good = false;
    buf_clear(&v->scratch);
    err e = verification_get(v, "head.json", HEAD_MAX, &v->scratch, &f);
    if (e == E_AGAIN) return e;
    if (e == E_NOT_FOUND) {
        err other = verification_get(v, "results/index.json", VERIFICATION_FILE_MAX, &v->scratch, &none);
        if (other == E_AGAIN) return other;
        (void)snprintf(r->results_note, sizeof r->results_note, "there is no head.json");
        if (other == OK)
            differs(v, VERDICT_UNKNOWN, E_RESULTS,
                    "results are published without a head.json that says of which size they are");
        return OK;
    }
    if (e != OK) {
        differs(v, verification_verdict_of(e), e, "head.json: %s", f.text);
        return OK;
    }
    if (head_size(buf_view(&v->scratch), &size, &f) != OK) {
        differs(v, VERDICT_INVALID, E_RESULTS, "head.json: %s", f.text);
        return OK;
    }
    if (size != r->size) {
        (void)snprintf(r->results_note, sizeof r->results_note,
                       "the published results are of size %llu, the checkpoint is of another",
                       (unsigned long long)size);
        differs(v, VERDICT_UNKNOWN, E_RESULTS, "%s", r->results_note);
        return OK;
    }
    struct buf want;
    buf_init(&want, HEAD_MAX);
    (void)head_begin(v->checkpoint.origin, r->size, &r->root, fold_last_ms(v->fold), &want);
    if (!span_starts(buf_view(&v->scratch), buf_view(&want)))
        differs(v, VERDICT_INVALID, E_RESULTS,
                "head.json is not what the records give: somebody changed it");
    buf_release(&want);
    *good = true;
    return OK;
}

/* Units whose parts are stations: their files are the lowest ones. */
static err find_lowest(struct verification *v, struct fail *f) {
    v->lowest = arena_array(&v->all.arena, v->all.n + 1, sizeof *v->lowest);
    for (size_t c = 0; v->lowest && c < v->all.n; c++) {
        const struct tally *t = &v->all.tallies[c];
        v->lowest[c] = arena_array(&v->all.arena, t->n + 1, sizeof **v->lowest);
        for (size_t i = 0; v->lowest[c] && i < t->n; i++)
            if (t->rows[i].parent != UINT32_MAX && !results_has_file(v->fold, t, i))
                v->lowest[c][t->rows[i].parent] = true;
        if (!v->lowest[c]) return fail_set(f, E_MEMORY, "no memory for the list of results");
    }
    return v->lowest ? OK : fail_set(f, E_MEMORY, "no memory for the list of results");
}

err verification_head(struct verification *v, struct fail *f) {
    bool good;
    TRY(check_head(v, &good));
    if (!good) {
        v->phase = PHASE_REST;
        return OK;
    }
    TRY(results_compute(v->fold, &v->all, f));
    v->computed = true;
    TRY(find_lowest(v, f));
    v->phase = PHASE_RESULTS;
    return OK;
}


/* Passes over the rows without a file, from (contest, row). Rows t->n and t->n + 1 are the contest's findings and its gate;
 * a contest of all.n the index (row 0) and results_files (row 1 on). */
static void find_file(const struct verification *v, size_t *contest, size_t *row, uint64_t *left_out) {
    while (*contest < v->all.n) {
        const struct tally *t = &v->all.tallies[*contest];
        for (; *row < t->n; (*row)++) {
            if (!results_has_file(v->fold, t, *row)) continue;
            if (!v->o->leave_out_lowest || !v->lowest[*contest][*row]) return;
            if (left_out) (*left_out)++;
        }
        if (*row <= t->n + 1) return;
        *row = 0;
        (*contest)++;
    }
}

static bool file_path(const struct verification *v, size_t contest, size_t row, char *path) {
    if (contest > v->all.n) return false;
    if (contest == v->all.n) {
        (void)snprintf(path, RESULTS_PATH_MAX, "%s",
                       row ? results_files[row - 1].path : "results/index.json");
        return true;
    }
    const struct tally *t = &v->all.tallies[contest];
    if (row == t->n)
        results_findings_path(v->fold, t->contest, t->round, path);
    else if (row > t->n)
        results_gate_path(v->fold, t->contest, t->round, path);
    else
        results_unit_path(v->fold, t->contest, t->round, t->rows[row].unit, path);
    return true;
}

static void next_file(const struct verification *v, size_t *contest, size_t *row) {
    size_t last = *contest < v->all.n ? v->all.tallies[*contest].n + 1 : results_file_count;
    if (*row < last) {
        (*row)++;
        return;
    }
    *row = 0;
    (*contest)++;
}

bool verification_results_ahead(const struct verification *v, size_t k, char *path) {
    size_t contest = v->contest, row = v->row;
    if (!v->computed) return false;
    for (;; k--) {
        find_file(v, &contest, &row, NULL);
        if (contest > v->all.n || k == 0) break;
        next_file(v, &contest, &row);
    }
    return file_path(v, contest, row, path);
}

err verification_results(struct verification *v, struct fail *f) {
    char path[RESULTS_PATH_MAX];
    struct buf want;
    uint64_t left_out = 0;
    size_t contest = v->contest, row = v->row;
    find_file(v, &contest, &row, &left_out);
    if (!file_path(v, contest, row, path)) {
        v->r->results_compared = true;
        v->phase = PHASE_REST;
        return OK;
    }
    buf_init(&want, VERIFICATION_FILE_MAX);
    err e;
    if (contest == v->all.n && row > 0)
        e = results_files[row - 1].render(v->fold, &v->all, &want, f);
    else if (contest == v->all.n)
        e = results_index(v->fold, v->all.tallies, v->all.n, &v->all.findings, &want, f);
    else if (row == v->all.tallies[contest].n)
        e = results_findings(v->fold, &v->all.tallies[contest], &v->all.findings, &want, f);
    else if (row > v->all.tallies[contest].n)
        e = results_gate(v->fold, &v->all.tallies[contest], &v->all.findings, &want, f);
    else
        e = results_unit(v->fold, &v->all.tallies[contest], &v->all.findings, row, &want, f);
    if (e == OK) e = compare_file(v, path, &want);
    buf_release(&want);
    if (e != OK) return e;
    v->r->results_left_out += left_out;
    next_file(v, &contest, &row);
    v->contest = contest;
    v->row = row;
    return OK;
}

/* A log that goes on being published while it is verified changes under our hands. */
err verification_rest(struct verification *v) {
    struct fail f;
    if (v->differs.code == OK) {
        v->phase = PHASE_END;
        return OK;
    }
    buf_clear(&v->scratch);
    err e = verification_get(v, "checkpoint", CHECKPOINT_BYTES_MAX, &v->scratch, &f);
    if (e == E_AGAIN) return e;
    bool moved = e == OK && !span_eq(buf_view(&v->scratch), buf_view(&v->checkpoint_note));
    v->r->results_compared =
        v->r->results_compared && v->differs.verdict == VERDICT_INVALID && !moved;
    if (moved)
        (void)snprintf(v->r->results_note, sizeof v->r->results_note,
                       "the tree went on while it was verified; verify a copy at rest");
    else
        verification_judge(v, v->differs.verdict, v->differs.code, UINT64_MAX, "%s",
                           v->differs.sentence);
    v->phase = PHASE_END;
    return OK;
}
