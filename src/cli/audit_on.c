/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/audit_on.h"

#include <stdio.h>
#include <string.h>

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct buf *out, struct fail *f) {
    char path[80] = "objects/";
    hash_hex(id, path + 8);
    err e = tree_read(ctx, path, size, out, f);
    return e == E_NOT_FOUND ? fail_set(f, E_OBJECT_MISSING, "the tree lacks %s, which the audit names", path) : e;
}

struct audit_objects audit_on_objects(struct tree *t) {
    return (struct audit_objects){get_object, t};
}

err audit_on_read(const char *where, const char *what, struct audit_on *x, struct fail *f) {
    struct tree_log_options o = {.what = what};
    if (!where) return fail_set(f, E_USAGE, "--dir DIR|URL is needed: the election's public tree");
    TRY(tree_open(where, &x->tree, f));
    TRY(tree_log_read(&x->tree, &o, &x->log, f));
    (void)fold_election(x->log.fold, &x->election);
    return OK;
}

static err find_plan(const struct audit_on *x, const char *plan, uint32_t *out, struct fail *f) {
    size_t found = 0, all = fold_audit_count(x->log.fold);
    for (size_t i = 0; i < fold_audit_count(x->log.fold); i++) {
        const struct audit_plan *p = fold_audit(x->log.fold, i);
        struct hash id = fold_id(x->log.fold, p->entry);
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&id, hex);
        char entry[24];
        (void)snprintf(entry, sizeof entry, "%llu", (unsigned long long)p->entry);
        bool is = plan ? strcmp(plan, entry) == 0 || (strlen(plan) >= 12 && strncmp(hex, plan, strlen(plan)) == 0)
                       : p->close_entry == NO_ENTRY || all == 1;
        if (!is) continue;
        *out = (uint32_t)i;
        found++;
    }
    if (found == 1) return OK;
    if (found == 0)
        return fail_set(f, E_NOT_FOUND, plan ? "the log has no audit plan %.64s" : "the log has no open audit%.0s",
                        plan ? plan : "");
    return fail_set(f, E_USAGE, "%zu audits fit: say which with --plan ID", found);
}

err audit_on_open(const char *where, const char *plan, const char *what, struct audit_on *x,
                  struct fail *f) {
    uint32_t which = 0;
    TRY(audit_on_read(where, what, x, f));
    TRY(find_plan(x, plan, &which, f));
    struct audit_objects o = audit_on_objects(&x->tree);
    x->plan_id = fold_id(x->log.fold, fold_audit(x->log.fold, which)->entry);
    return audit_log_open(x->log.fold, which, &o, &x->a, f);
}

void audit_on_release(struct audit_on *x) {
    audit_log_release(&x->a);
    tree_log_release(&x->log);
    tree_close(&x->tree);
}

int audit_make(const char *command, struct make_options *m, audit_text *write, void *args) {
    static struct audit_on x;
    struct fail f = {0};
    struct buf text;
    buf_init(&text, 65536);
    err e = write(args, &x, m, &text, &f);
    int code = e == OK ? make_finish(command, m, buf_view(&text)) : cli_fail(command, &f);
    buf_release(&text);
    audit_on_release(&x);
    return code;
}
