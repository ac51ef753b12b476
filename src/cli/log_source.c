/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/log_source.h"

err log_source_open(const struct log_args *a, const char *what, struct log_source *s,
                    struct fail *f) {
    struct tree_log_options o = {.anchor = a->anchor, .check_signatures = a->check, .what = what};
    *s = (struct log_source){0};
    TRY(tree_open(a->dir, &s->tree, f));
    err e = tree_log_read(&s->tree, &o, &s->log, f);
    if (e == OK) e = log_pick(s->log.fold, a->contest, a->round, &s->pick, f);
    if (e != OK) log_source_close(s);
    return e;
}

void log_source_close(struct log_source *s) {
    tree_log_release(&s->log);
    tree_close(&s->tree);
}

enum { RESULT_MAX = 256 << 20 };

static err compare_file(struct log_source *s, const struct results *r, const struct tally *t, size_t row,
                        struct buf *made, struct buf *shown, struct log_published *out, struct fail *f) {
    char path[RESULTS_PATH_MAX];
    buf_clear(made);
    buf_clear(shown);
    results_unit_path(s->log.fold, t->contest, t->round, t->rows[row].unit, path);
    TRY(results_unit(s->log.fold, t, &r->findings, row, made, f));
    err e = tree_read(&s->tree, path, RESULT_MAX, shown, f);
    if (e != OK && e != E_NOT_FOUND) return e;
    out->files++;
    bool absent = e == E_NOT_FOUND, differs = !absent && !span_eq(buf_view(made), buf_view(shown));
    if ((absent || differs) && out->differ + out->absent == 0)
        out->first = fold_unit(s->log.fold, t->rows[row].unit)->code;
    out->absent += absent;
    out->differ += differs;
    return OK;
}

err log_source_published(struct log_source *s, struct log_published *out, struct fail *f) {
    struct results r;
    struct buf made, shown;
    *out = (struct log_published){0};
    TRY(results_compute(s->log.fold, &r, f));
    buf_init(&made, RESULT_MAX);
    buf_init(&shown, RESULT_MAX);
    err e = OK;
    for (size_t i = 0; i < r.n && e == OK; i++) {
        const struct tally *t = &r.tallies[i];
        if (t->contest != s->pick.contest || t->round != s->pick.round) continue;
        for (size_t k = 0; k < t->n && e == OK; k++)
            if (results_has_file(s->log.fold, t, k)) e = compare_file(s, &r, t, k, &made, &shown, out, f);
    }
    buf_release(&made);
    buf_release(&shown);
    results_release(&r);
    return e;
}

void log_published_json(const struct log_published *p, struct json_out *j) {
    json_key(j, "published");
    json_object(j);
    json_ku64(j, "areas", p->files);
    json_ku64(j, "differ", p->differ);
    json_ku64(j, "absent", p->absent);
    if (p->first.n) json_kspan(j, "first", p->first);
    json_object_end(j);
}

void log_published_text(const struct log_published *p, enum lang lang, struct buf *out) {
    if (p->differ || p->absent)
        SAY(out, lang, "\nPublished totals: of %zu areas %zu differ from what the signed records give, %zu are not "
            "there; the first is %.*s. That is a fact: 'hesabu verify' tells more.\n",
            "\nJumla zilizochapishwa: kati ya maeneo %zu, %zu zinatofautiana na rekodi zilizotiwa saini, %zu hazipo; ya "
            "kwanza ni %.*s. Hilo ni ukweli: 'hesabu verify' inaeleza zaidi.\n",
            p->files, p->differ, p->absent, SPAN_ARG(p->first));
    else
        SAY(out, lang, "\nPublished totals: those of all %zu areas are what the signed records give.\n",
            "\nJumla zilizochapishwa: za maeneo yote %zu ni zile ambazo rekodi zilizotiwa saini zinatoa.\n", p->files);
}

void log_source_json(const struct log_source *s, struct json_out *j) {
    json_key(j, "source");
    json_object(j);
    json_kspan(j, "origin", s->log.anchor.origin);
    json_ku64(j, "size", s->log.size);
    json_key(j, "root");
    json_base64(j, hash_span(&s->log.root));
    json_kspan(j, "contest", fold_contest(s->log.fold, s->pick.contest)->id);
    json_ku64(j, "round", s->pick.round);
    json_kbool(j, "anchored", s->log.anchored);
    json_ku64(j, "signatures_verified", s->log.signatures);
    json_kbool(j, "simulated", fold_definition(s->log.fold)->simulated);
    json_object_end(j);
}

void log_source_text(const struct log_source *s, struct buf *out) {
    buf_byte(out, '\n');
    tree_log_source(&s->log, out);
    buf_str(out, fold_definition(s->log.fold)->simulated ? "; SIMULATED\n" : "\n");
}
