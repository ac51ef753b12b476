/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/verify_audits.h"

#include <stdlib.h>
#include "base/json_out.h"
#include "service/audit_law.h"
#include "service/audit_log.h"

struct done {
    err code;
    struct fail why;
    enum audit_end gives;
    bool confirmed;
    uint64_t counted, draws;
    char gap[300]; /* what the audit leaves out of the law's outcome */
};

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct buf *out, struct fail *f) {
    const struct tree_source *s = ctx;
    char path[80] = "objects/";
    hash_hex(id, path + 8);
    err e = s->get(s->ctx, path, size, out, f);
    return e == E_NOT_FOUND ? fail_set(f, E_OBJECT_MISSING, "%s is not there", path) : e;
}

static void redo(const struct fold *fold, uint32_t plan, const struct tree_source *s, struct audit_log *a,
                 struct done *d) {
    struct audit_objects o = {get_object, (void *)(uintptr_t)s};
    *d = (struct done){.code = OK};
    d->code = audit_log_open(fold, plan, &o, a, &d->why);
    if (d->code == OK) d->code = audit_log_check(a, &o, &d->why);
    if (d->code == OK && a->dice->seed_entry != NO_ENTRY) {
        d->gives = audit_log_end(a);
        d->confirmed = a->confirmed;
        d->counted = a->agreed;
        d->draws = a->dice->size;
        audit_law_gap(a, d->gap, sizeof d->gap);
    }
    audit_log_release(a);
}

static bool is_wrong(const struct audit_plan *p, const struct done *d) {
    return d->code != OK && d->code != E_OBJECT_MISSING && p->close_entry != NO_ENTRY && p->end != AUDIT_STOPPED;
}

static void as_json(const struct fold *fold, const struct audit_plan *p, const struct done *d, struct json_out *j) {
    json_object(j);
    json_ku64(j, "plan", p->entry);
    json_kspan(j, "contest", fold_contest(fold, p->contest)->id);
    json_kstr(j, "says", audit_end_name(p->end));
    if (d->code == OK) {
        json_kstr(j, "gives", audit_end_name(d->gives));
        json_ku64(j, "draws", d->draws);
        json_ku64(j, "counted", d->counted);
        if (d->gap[0]) json_kstr(j, "leaves_out", d->gap);
    } else {
        json_kstr(j, "code", err_info(d->code)->name);
        json_kstr(j, "sentence", d->why.text);
    }
    json_kbool(j, "holds", !is_wrong(p, d));
    json_object_end(j);
}

static void as_text(const struct fold *fold, const struct audit_plan *p, const struct done *d, struct buf *out) {
    buf_printf(out, "audit of %.*s (plan: entry %llu): ", SPAN_ARG(fold_contest(fold, p->contest)->id),
               (unsigned long long)p->entry);
    if (is_wrong(p, d))
        buf_printf(out, "closed as \"%s\", and its records do NOT give that: %s (%s)\n", audit_end_name(p->end),
                   d->why.text, err_info(d->code)->name);
    else if (d->code != OK)
        buf_printf(out, "cannot be computed: %s (%s)\n", d->why.text, err_info(d->code)->name);
    else
        buf_printf(out, "done again: %s, %llu draws, %llu boxes counted alike by two people%s%s\n",
                   audit_end_name(d->gives), (unsigned long long)d->draws, (unsigned long long)d->counted,
                   d->gap[0] ? "; note: " : "", d->gap);
}

err verify_audits(const struct fold *fold, const struct tree_source *s, bool json, struct buf *out,
                  size_t *wrong, struct fail *f) {
    size_t n = fold_audit_count(fold);
    *wrong = 0;
    if (n == 0) return OK;
    struct audit_log *a = calloc(1, sizeof *a);
    if (!a) return fail_set(f, E_MEMORY, "no memory for an audit");
    struct json_out j = json_out(out);
    if (json) {
        while (out->n && out->p[out->n - 1] != '}') out->n--;
        out->n--;
        j.comma = true;
        json_key(&j, "audits");
        json_array(&j);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct audit_plan *p = fold_audit(fold, i);
        struct done d;
        redo(fold, i, s, a, &d);
        *wrong += is_wrong(p, &d);
        if (json)
            as_json(fold, p, &d, &j);
        else
            as_text(fold, p, &d, out);
    }
    if (json) {
        json_array_end(&j);
        buf_str(out, "}\n");
    } else {
        buf_printf(out, "audits: %zu of %zu hold\n", n - *wrong, n);
    }
    free(a);
    return buf_ok(out, f);
}
