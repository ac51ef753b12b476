/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/tree_log.h"

#include "cli/cli.h"
#include "cli/values.h"

static void progress(void *ctx, uint64_t done, uint64_t total) {
    const struct tree_log_options *o = ctx;
    cli_progress(o->what, done, total);
}

err tree_log_read(struct tree *t, const struct tree_log_options *o, struct tree_log *out,
                  struct fail *f) {
    struct tree_log_options shown = *o;
    shown.progress = progress;
    shown.progress_ctx = &shown;
    err e = tree_log_replay(&t->at, &shown, out, f);
    cli_progress_end();
    return e;
}

void tree_log_source(const struct tree_log *l, struct buf *out) {
    char n[32];
    buf_printf(out, "recomputed from %s records; checkpoint %llu of %.*s, root ",
               value_grouped(l->size, n), (unsigned long long)l->size, SPAN_ARG(l->anchor.origin));
    buf_base64(out, hash_span(&l->root));
    buf_str(out, l->anchored ? "" : "; anchor: the tree's own (self-declared)");
}
