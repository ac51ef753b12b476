/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/law_view.h"

#include <stdio.h>
#include "base/text.h"
#include "cli/values.h"
#include "tlog/checkpoint.h"

enum { INDEX_MAX = 64 << 20 };

static err look(struct law_view *v, struct fail *f) {
    arena_release(&v->arena);
    arena_init(&v->arena, (size_t)4 << 30);
    return findings_compute(v->log.fold, &v->arena, &v->findings, f);
}

err law_open(const char *command, const char *where, const char *anchor, const char *contest,
             struct law_view *v, struct fail *f) {
    struct tree_log_options o = {.anchor = anchor, .what = command};
    arena_init(&v->arena, 1);
    TRY(tree_open(where, &v->tree, f));
    TRY(tree_log_read(&v->tree, &o, &v->log, f));
    if (!fold_election(v->log.fold, &v->election))
        return fail_set(f, E_NOT_FOUND, "%s has no records yet", where);
    v->contest = NO_CONTEST;
    if (contest) {
        v->contest = fold_contest_by_id(v->log.fold, span_text(contest));
        if (v->contest == NO_CONTEST)
            return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"; 'hesabu results' lists them",
                            contest);
        v->round = fold_contest(v->log.fold, v->contest)->round;
    }
    return look(v, f);
}

err law_again(struct law_view *v, struct fail *f) {
    bool news;
    TRY(tree_log_more(&v->log, &news, f));
    return news ? look(v, f) : OK;
}

void law_close(struct law_view *v) {
    tree_log_release(&v->log);
    tree_close(&v->tree);
    arena_release(&v->arena);
}

/* Reads one checkpoint note and says what it is of. */
static err read_note(struct law_view *v, const char *path, struct buf *note, uint64_t *size,
                     struct hash *root, struct fail *f) {
    struct note cut;
    struct checkpoint c;
    buf_clear(note);
    TRY(tree_read(&v->tree, path, CHECKPOINT_BYTES_MAX, note, f));
    TRY(note_cut(buf_view(note), &cut, f));
    TRY(checkpoint_parse(cut.text, &c, f));
    *size = c.size;
    *root = c.root;
    return OK;
}

static uint64_t last_witnessed(struct law_view *v) {
    struct buf b;
    struct fail ignored;
    struct span rest, line;
    uint64_t last = 0, size;
    buf_init(&b, INDEX_MAX);
    if (tree_read(&v->tree, "witnessed/index", INDEX_MAX, &b, &ignored) == OK) {
        rest = buf_view(&b);
        while (span_line(&rest, &line))
            if (u64_parse(line, UINT64_MAX - 1, &size, NULL) == OK) last = size;
    }
    buf_release(&b);
    return last;
}

err law_checkpoint(struct law_view *v, uint64_t size, struct buf *note, uint64_t *have,
                   struct hash *root, struct fail *f) {
    char path[64];
    uint64_t last = last_witnessed(v);
    (void)snprintf(path, sizeof path, "witnessed/%llu", (unsigned long long)last);
    if (last >= size && read_note(v, path, note, have, root, f) == OK && *have >= size) return OK;
    TRY(read_note(v, "checkpoint", note, have, root, f));
    if (*have >= size) return OK;
    return fail_set(f, E_NOT_FOUND, "the newest checkpoint has %llu entries, %llu are needed: try again in a moment",
                    (unsigned long long)*have, (unsigned long long)size);
}

void law_items(const struct fold *s, const struct gate *g, struct buf *out) {
    char n[32];
    for (int c = 0; c < GATE_COUNT; c++) {
        const struct gate_item *x = &g->items[c];
        if (x->count == 0) continue;
        buf_printf(out, "  %-18s %9s  %s", gate_name((enum gate_code)c), value_grouped(x->count, n),
                   gate_text((enum gate_code)c));
        for (uint32_t i = 0; i < x->link_count && i < 5; i++)
            buf_printf(out, "%s%.*s", i ? ", " : ": ", SPAN_ARG(fold_unit(s, x->links[i])->code));
        if (x->link_count > 5 || (x->link_count && x->count > x->link_count)) buf_str(out, ", ...");
        buf_byte(out, '\n');
    }
}
