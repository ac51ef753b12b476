/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/slip_check.h"

#include <stdio.h>
#include <stdlib.h>
#include "election/identity.h"
#include "service/notes.h"

static err refuse(struct slip_check *s, const struct fail *why) {
    s->verdict = SLIP_INVALID;
    s->code = why->code;
    snprintf(s->reason, sizeof s->reason, "%s", why->text);
    return why->code;
}

/* Every line by a key of the log that may sign results. */
static err check_lines(const struct fold *fold, const struct record *r, struct slip_check *s,
                       struct fail *f) {
    for (size_t i = 0; i < r->split.count; i++) {
        const struct note_line *line = &r->lines[i];
        struct key_view key;
        struct note_key verifier;
        struct ed25519_public pub;
        if (!fold_key(fold, line->name, &key))
            return fail_set(f, E_SIGNATURE, "the log knows no key \"%.*s\"", SPAN_ARG(line->name));
        memcpy(pub.b, key.pub, sizeof pub.b);
        TRY(note_key_make(key.name, 1, &pub, &verifier, f));
        TRY(note_verify(&verifier, r->text, line, f));
        if (!role_may_sign((enum role)key.role, REC_RESULT))
            return fail_set(f, E_ROLE, "\"%.*s\" (%s) signs no results", SPAN_ARG(line->name),
                            role_name((enum role)key.role));
        if (i == 0 || key.role == ROLE_PRESIDING_OFFICER) {
            s->signer = line->name;
            s->role = key.role;
        }
    }
    return OK;
}

/* What the log says of it, now. */
static err ask_log(const struct tree_log *log, const struct record *r, struct slip_check *s,
                   struct fail *f) {
    struct applied *applied = malloc(sizeof *applied);
    struct buf entry;
    if (!applied) return fail_set(f, E_MEMORY, "no memory to check a slip");
    buf_init(&entry, ENTRY_MAX);
    fold_begin(log->fold);
    const err e = fold_admit(log->fold, r->note, fold_last_ms(log->fold), &entry, applied, f);
    if (e == E_DUPLICATE) s->entry = applied->index;
    fold_rollback(log->fold);
    buf_release(&entry);
    free(applied);
    return e == E_DUPLICATE ? OK : e;
}

err slip_check(const struct tree_log *log, struct span note, struct slip_check *out,
               struct fail *f) {
    struct record *r = malloc(sizeof *r);
    struct fail why = {0};
    *out = (struct slip_check){.entry = UINT64_MAX, .role = ROLE_COUNT};
    if (!r) return fail_set(f, E_MEMORY, "no memory to check a slip");
    err e = record_parse(note, r, &why);
    if (e == OK && r->type != REC_RESULT)
        e = fail_set(&why, E_TYPE, "this is a record of type %s, not a result",
                     record_info(r->type)->name);
    if (e == OK) {
        out->id = r->id;
        out->contest = notes_member(r, "contest");
        out->station = notes_member(r, "station");
        e = check_lines(log->fold, r, out, &why);
    }
    if (e == OK) e = ask_log(log, r, out, &why);
    if (e == OK) out->verdict = out->entry == UINT64_MAX ? SLIP_NOT_IN_LOG : SLIP_IN_LOG;
    free(r);
    if (e == E_MEMORY) return fail_set(f, e, "%s", why.text);
    if (e != OK) (void)refuse(out, &why);
    return OK;
}

void slip_check_json(const struct tree_log *log, const struct slip_check *s, struct json_out *j) {
    static const char *const verdicts[] = {"in-log", "signed-but-not-in-log", "invalid"};
    char hex[HASH_HEX_LEN + 1];
    json_object(j);
    json_kstr(j, "verdict", verdicts[s->verdict]);
    if (s->verdict == SLIP_INVALID) {
        json_kstr(j, "error", err_info(s->code)->name);
        json_kstr(j, "reason", s->reason);
    }
    hash_hex(&s->id, hex);
    if (s->contest.p) json_kspan(j, "contest", s->contest);
    if (s->station.p) json_kspan(j, "station", s->station);
    json_kstr(j, "id", hex);
    if (s->signer.p) json_kspan(j, "signer", s->signer);
    if (s->role < ROLE_COUNT) json_kstr(j, "role", role_name((enum role)s->role));
    if (s->entry != UINT64_MAX) json_ku64(j, "entry", s->entry);
    json_ku64(j, "log_size", log->size);
    json_kbool(j, "anchored", log->anchored);
    json_object_end(j);
}

err slip_one_line(struct span note, const char *signer, struct buf *out, struct fail *f) {
    struct record *r = calloc(1, sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = record_parse(note, r, f);
    size_t at = r->split.count;
    for (size_t i = 0; e == OK && i < r->split.count; i++)
        if (signer ? span_is(r->lines[i].name, signer) : r->split.count == 1) at = i;
    if (e == OK && at == r->split.count)
        e = signer ? fail_set(f, E_NOT_FOUND, "\"%.60s\" has not signed this record", signer)
                   : fail_set(f, E_NOT_FOUND,
                              "%zu keys have signed this record: say whose line the slip carries "
                              "(--signer NAME)",
                              r->split.count);
    if (e == OK) {
        buf_span(out, r->text);
        buf_byte(out, '\n');
        buf_span(out, r->lines[at].line);
        buf_byte(out, '\n');
        e = buf_ok(out, f);
    }
    free(r);
    return e;
}
