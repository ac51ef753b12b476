/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/train_log.h"

#include "cli/cli.h"
#include "cli/form_rows.h"
#include "cli/tree_log.h"
#include "paper/crops.h"

enum { PICTURE_MAX = 32 << 20 };

struct harvest {
    struct tree tree;
    struct tree_log log;
    struct digit_set *out;
    struct train_log_counts *n;
};

/* One page: its public version, as the tree holds it; what is not there or not ours gives nothing.
 */
static err take_page(struct harvest *h, const struct image *m, const struct judge_typed *figures,
                     struct fail *f) {
    char path[80] = "objects/";
    struct buf file;
    struct digit_set boxes = {0};
    hash_hex(&m->shown, path + strlen(path));
    buf_init(&file, PICTURE_MAX);
    h->n->images++;
    err e = tree_read(&h->tree, path, PICTURE_MAX, &file, f);
    if (e == OK) {
        const struct hash is = sha256(buf_view(&file));
        if (!hash_eq(&is, &m->shown))
            e = fail_set(f, E_OBJECT, "%s is not what its name says", path);
    }
    if (e == OK) e = crops_confirmed(buf_view(&file), 1, figures, &boxes, f);
    if (e == OK && boxes.n) e = digit_set_append(h->out, &boxes, f);
    if (e == OK) {
        h->n->used += boxes.n > 0;
        h->n->boxes += boxes.n / 2;
    }
    digit_set_release(&boxes);
    buf_release(&file);
    return e == E_MEMORY || e == E_SANDBOX ? e : OK;
}

static err take_cell(struct harvest *h, const struct cell *c, struct fail *f) {
    const struct fold *s = h->log.fold;
    const struct result *r = cell_transmitted(s, c);
    struct judge_typed figures[FORM_ROWS_MAX];
    if (!r) return OK;
    h->n->forms++;
    form_rows_of_result(s, c->contest, c->round, r, figures);
    for (uint32_t i = r->first_image; i != NO_IMAGE; i = fold_image(s, i)->next_of_result)
        TRY(take_page(h, fold_image(s, i), figures, f));
    for (uint32_t i = c->first_image; i != NO_IMAGE; i = fold_image(s, i)->next_of_result)
        TRY(take_page(h, fold_image(s, i), figures, f));
    return OK;
}

static err take_all(struct harvest *h, const char *contest, struct fail *f) {
    const struct fold *s = h->log.fold;
    if (contest && fold_contest_by_id(s, span_text(contest)) == NO_CONTEST)
        return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"", contest);
    for (uint32_t i = 0; i < fold_cell_count(s); i++) {
        const struct cell *c = fold_cell_at(s, i);
        if (contest && !span_is(fold_contest(s, c->contest)->id, contest)) continue;
        TRY(take_cell(h, c, f));
        cli_progress("train: forms", i + 1, fold_cell_count(s));
    }
    cli_progress_end();
    return OK;
}

err train_log_boxes(const char *where, const char *anchor, const char *contest,
                    struct digit_set *out, struct train_log_counts *n, struct fail *f) {
    struct harvest h = {.out = out, .n = n};
    const struct tree_log_options options = {.anchor = anchor, .what = "train"};
    *out = (struct digit_set){0};
    *n = (struct train_log_counts){0};
    err e = tree_open(where, &h.tree, f);
    if (e == OK) e = tree_log_read(&h.tree, &options, &h.log, f);
    if (e == OK) e = take_all(&h, contest, f);
    tree_log_release(&h.log);
    tree_close(&h.tree);
    if (e != OK) digit_set_release(out);
    return e;
}
