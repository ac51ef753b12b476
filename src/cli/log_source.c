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
