/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The report for programs. */
#include "base/json_out.h"
#include "election/verification.h"

static err contests_json(struct json_out *j, const struct fold *s, const struct results *all) {
    json_key(j, "contests");
    json_object(j);
    for (size_t i = 0; i < all->n; i++) {
        const struct tally *t = &all->tallies[i];
        const struct contest *k = fold_contest(s, t->contest);
        if (t->round != k->round) continue; /* earlier rounds stand in results/ */
        json_key_span(j, k->id);
        json_object(j);
        for (int n = 0; n < TOTAL_COUNT; n++) {
            json_key(j, total_name((enum total_name)n));
            json_object(j);
            for (uint32_t c = 0; c < k->choice_count; c++)
                if (contest_has_choice(k, t->round, c)) {
                    json_key_span(j, contest_choice(s, k, c)->id);
                    json_u64(j, t->rows[0].total[n].votes[c]);
                }
            json_object_end(j);
        }
        json_object_end(j);
    }
    json_object_end(j);
    return OK;
}

static void head_json(struct json_out *j, const struct verify_report *r) {
    json_kstr(j, "verdict", verdict_words(r->verdict));
    json_kstr(j, "trust", r->anchored ? "anchored" : "self-declared");
    json_ku64(j, "size", r->size);
    json_key(j, "root");
    json_base64(j, hash_span(&r->root));
    if (r->verdict != VERDICT_VALID) {
        json_kstr(j, "code", err_info(r->code)->name);
        if (r->index != UINT64_MAX) json_ku64(j, "index", r->index);
        json_kstr(j, "sentence", r->sentence);
    }
}

static void rest_json(struct json_out *j, const struct verify_report *r) {
    json_ku64(j, "signatures_verified", r->signatures);
    json_kdouble(j, "seconds", r->seconds);
    json_kdouble(j, "signature_seconds", r->signature_seconds);
    json_key(j, "objects");
    json_object(j);
    json_ku64(j, "checked", r->objects_checked);
    json_ku64(j, "bytes", r->objects_bytes);
    json_ku64(j, "absent", r->objects_absent);
    json_ku64(j, "damaged", r->objects_damaged);
    json_kdouble(j, "seconds", r->object_seconds);
    json_object_end(j);
    json_key(j, "witnesses");
    json_object(j);
    json_ku64(j, "in_policy", r->witnesses);
    json_ku64(j, "cosigned", r->witnessed_by);
    json_ku64(j, "earlier_checkpoints", r->witnessed_checkpoints);
    json_object_end(j);
    json_key(j, "results");
    json_object(j);
    json_kbool(j, "compared", r->results_compared);
    json_ku64(j, "files", r->results_files);
    if (r->results_left_out) json_ku64(j, "left_out", r->results_left_out);
    if (r->results_note[0]) json_kstr(j, "note", r->results_note);
    json_object_end(j);
    json_key(j, "refused");
    json_array(j);
    for (size_t i = 0; i < r->refused_listed; i++) {
        json_object(j);
        json_ku64(j, "index", r->refused[i].index);
        json_kstr(j, "code", err_info(r->refused[i].code)->name);
        json_kstr(j, "sentence", r->refused[i].text);
        json_object_end(j);
    }
    json_array_end(j);
    json_ku64(j, "refused_count", r->refused_count);
}

err verification_json(const struct verify_report *r, struct buf *out, struct fail *f) {
    struct json_out j = json_out(out);
    const struct fold *s = r->fold;
    json_object(&j);
    head_json(&j, r);
    json_key(&j, "records");
    json_object(&j);
    for (int t = 0; t < REC_COUNT; t++)
        if (fold_count(s, (enum record_type)t))
            json_ku64(&j, record_info((enum record_type)t)->name, fold_count(s, (enum record_type)t));
    json_object_end(&j);
    struct results all = {0};
    if (fold_definition(s)) TRY(results_compute(s, &all, f));
    err e = contests_json(&j, s, &all);
    json_key(&j, "findings");
    json_object(&j);
    for (int c = 0; c < FINDING_COUNT; c++)
        if (all.findings.count[c]) json_ku64(&j, finding_name((enum finding_code)c), all.findings.count[c]);
    if (r->time_findings) json_ku64(&j, "F_TIME", r->time_findings);
    json_object_end(&j);
    rest_json(&j, r);
    if (fold_definition(s) && fold_definition(s)->simulated) json_kstr(&j, "simulated", "SIMULATED");
    json_object_end(&j);
    buf_byte(out, '\n');
    if (fold_definition(s)) results_release(&all);
    return e == OK ? buf_ok(out, f) : e;
}
