/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The driver: framing, time, deduplication, signers and quotas are common to all types; what a type
 * means stands in type_<name>.c. */
#include "election/fold.h"

#include <stdlib.h>
#include "election/state.h"

static type_apply *const appliers[REC_COUNT] = {
    [REC_MANIFEST] = manifest_apply,       [REC_AMEND] = amend_apply,
    [REC_KEY] = key_apply,                 [REC_REVOKE] = revoke_apply,
    [REC_ACTING] = acting_apply,           [REC_RESULT] = result_apply,
    [REC_SIGNATURES] = signatures_apply,   [REC_COUNTERSIGN] = countersign_apply,
    [REC_IMAGE] = image_apply,             [REC_STATION_EVENT] = station_event_apply,
    [REC_INCIDENT] = incident_apply,
    [REC_OBJECTION] = objection_apply,     [REC_ADMISSION] = admission_apply,
    [REC_RULING] = ruling_apply,           [REC_NOTICE] = notice_apply,
    [REC_OBSERVATION] = observation_apply, [REC_HOST_LOG] = host_log_apply,
    [REC_AUDIT_PLAN] = audit_plan_apply,   [REC_AUDIT_SEED] = audit_seed_apply,
    [REC_AUDIT_ROUND] = audit_round_apply, [REC_AUDIT_COUNT] = audit_count_apply,
    [REC_AUDIT_CLOSE] = audit_close_apply,
    [REC_COLLATION] = collation_apply,
    [REC_SEAL] = seal_apply,               [REC_OPEN] = open_apply,
    [REC_COMPARED] = compared_apply,       [REC_CUSTODY] = custody_apply,
    [REC_DECISION] = decision_apply,
    [REC_OVERRIDE] = override_apply,       [REC_DECLARATION] = declaration_apply,
    [REC_DISSENT] = dissent_apply,
};

enum { JOURNAL_MAX = 1 << 30 };

err fold_new(const struct fold_options *o, struct fold **out, struct fail *f) {
    struct fold *s = calloc(1, sizeof *s);
    if (!s) return fail_set(f, E_MEMORY, "no memory for the state");
    size_t cap = o->memory_cap ? o->memory_cap : GIB(8);
    s->budget.cap = cap / 4 * 3;
    s->objects = o->objects;
    arena_init(&s->arena, cap / 4);
    journal_init(&s->journal, JOURNAL_MAX);
    struct budget *b = &s->budget;
    vec_init(&s->ids, b, sizeof(struct hash), 12);
    vec_init(&s->refs, b, sizeof(uint32_t), 14);
    vec_init(&s->units, b, sizeof(struct unit), 10);
    vec_init(&s->contests, b, sizeof(struct contest), 4);
    vec_init(&s->rules, b, sizeof(struct rule), 4);
    vec_init(&s->choices, b, sizeof(struct choice), 8);
    vec_init(&s->areas, b, sizeof(struct area), 6);
    vec_init(&s->keys, b, sizeof(struct key), 10);
    vec_init(&s->key_contests, b, sizeof(uint32_t), 8);
    vec_init(&s->cells, b, sizeof(struct cell), 10);
    vec_init(&s->results, b, sizeof(struct result), 10);
    vec_init(&s->votes, b, sizeof(uint64_t), 14);
    vec_init(&s->forms, b, sizeof(struct hash), 8);
    vec_init(&s->images, b, sizeof(struct image), 10);
    vec_init(&s->contest_cells, b, sizeof(uint32_t), 8);
    vec_init(&s->contest_places, b, sizeof(uint32_t), 8);
    vec_init(&s->signed_by, b, sizeof(struct signed_pair), 12);
    vec_init(&s->objections, b, sizeof(struct objection), 6);
    vec_init(&s->objection_units, b, sizeof(uint32_t), 8);
    vec_init(&s->notices, b, sizeof(struct notice), 6);
    vec_init(&s->observations, b, sizeof(struct observation), 8);
    vec_init(&s->observed, b, sizeof(struct observed), 10);
    vec_init(&s->items, b, sizeof(struct span), 6);
    vec_init(&s->audits, b, sizeof(struct audit_plan), 4);
    vec_init(&s->audit_claims, b, sizeof(struct audit_claimed), 6);
    vec_init(&s->audit_draws, b, sizeof(uint32_t), 12);
    vec_init(&s->audit_boxes, b, sizeof(struct audit_box), 8);
    vec_init(&s->audit_readings, b, sizeof(struct audit_reading), 8);
    vec_init(&s->host_logs, b, sizeof(struct host_log), 8);
    vec_init(&s->seals, b, sizeof(struct seal), 10);
    vec_init(&s->readings, b, sizeof(struct form_reading), 10);
    vec_init(&s->compareds, b, sizeof(struct compared), 10);
    vec_init(&s->decisions, b, sizeof(struct decision), 6);
    vec_init(&s->desks, b, sizeof(struct desk), 10);
    vec_init(&s->places, b, sizeof(struct place), 6);
    vec_init(&s->holder_marks, b, sizeof(struct holder_mark), 12);
    vec_init(&s->successions, b, sizeof(struct succession), 2);
    vec_init(&s->collations, b, sizeof(struct collation), 8);
    vec_init(&s->collation_rows, b, sizeof(struct collation_row), 10);
    vec_init(&s->declarations, b, sizeof(struct declaration), 6);
    vec_init(&s->overrides, b, sizeof(struct override), 4);
    vec_init(&s->override_items, b, sizeof(struct override_item), 6);
    vec_init(&s->dissents, b, sizeof(struct dissent), 4);
    vec_init(&s->log_pubs, b, sizeof(struct ed25519_public), 2);
    struct table *tables[] = {&s->by_id,   &s->by_code, &s->by_contest,      &s->by_area,  &s->by_name,
                              &s->by_pub,  &s->by_cell, &s->by_original, &s->by_zones, &s->by_signed,
                              &s->by_seal, &s->by_holder, &s->by_place, &s->by_item, &s->by_collation, &s->by_audit_draw,
                              &s->by_audit_box, &s->by_audit_seal};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) table_init(tables[i], b);
    *out = s;
    return OK;
}

void fold_set_hash_key(struct fold *s, const uint8_t key[16]) {
    if (s->ids.n == 0) memcpy(s->hash_key.k, key, sizeof s->hash_key.k);
}

void fold_free(struct fold *s) {
    if (!s) return;
    struct vec *vecs[] = {&s->ids,     &s->units, &s->contests, &s->choices,   &s->areas,
                          &s->keys,    &s->key_contests, &s->cells, &s->results, &s->votes,
                          &s->forms,   &s->images, &s->contest_cells, &s->contest_places, &s->signed_by, &s->successions,
                          &s->log_pubs, &s->objections, &s->objection_units, &s->notices,
                          &s->observations, &s->observed, &s->items, &s->host_logs, &s->audits, &s->audit_claims,
                          &s->audit_draws, &s->audit_boxes, &s->audit_readings, &s->rules,
                          &s->collations, &s->collation_rows, &s->declarations, &s->overrides,
                          &s->override_items, &s->dissents,
                          &s->refs, &s->seals, &s->readings, &s->compareds, &s->decisions,
                          &s->desks, &s->places, &s->holder_marks};
    for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) vec_release(vecs[i]);
    struct table *tables[] = {&s->by_id,   &s->by_code, &s->by_contest,      &s->by_area,  &s->by_name,
                              &s->by_pub,  &s->by_cell, &s->by_original, &s->by_zones, &s->by_signed,
                              &s->by_seal, &s->by_holder, &s->by_place, &s->by_item, &s->by_collation, &s->by_audit_draw,
                              &s->by_audit_box, &s->by_audit_seal};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) table_release(tables[i]);
    arena_release(&s->arena);
    journal_release(&s->journal);
    free(s);
}

uint64_t fold_find(const struct fold *s, const struct hash *id) {
    size_t cursor = 0;
    uint64_t h = state_hash(s, hash_span(id));
    for (uint32_t i; (i = table_next(&s->by_id, h, &cursor)) != UINT32_MAX;)
        if (hash_eq(vec_at(&s->ids, i), id)) return i;
    return UINT64_MAX;
}

struct hash fold_id(const struct fold *s, uint64_t i) {
    return *(const struct hash *)vec_at(&s->ids, (size_t)i);
}

uint64_t fold_size(const struct fold *s) {
    return s->ids.n;
}

uint64_t fold_last_ms(const struct fold *s) {
    return s->last_ms;
}

uint64_t fold_last_incident_ms(const struct fold *s) {
    return s->last_incident_ms;
}

uint64_t fold_count(const struct fold *s, enum record_type type) {
    return type < REC_COUNT ? s->counts[type] : 0;
}

size_t fold_memory(const struct fold *s) {
    return s->budget.used + s->arena.used;
}

bool fold_election(const struct fold *s, struct hash *out) {
    if (s->ids.n == 0) return false;
    *out = s->election;
    return true;
}

void check_add(struct applied *out, const uint8_t pub[32], const uint8_t sig[64],
               struct span message, uint64_t of, size_t line) {
    struct sig_check *k = &out->checks[out->check_count++];
    k->pub = pub;
    memcpy(k->sig, sig, sizeof k->sig);
    k->message = message;
    k->of = of;
    k->line = (uint8_t)line;
}

err line_resolve(const struct fold *s, const struct note_line *l, enum record_type type,
                 uint64_t index, uint64_t ms, uint32_t *key, bool *by_log, struct fail *f) {
    *key = NO_KEY;
    *by_log = false;
    if (l->n != 64)
        return fail_set(f, E_SIGNER, "the line of %.*s is not a plain Ed25519 signature",
                        SPAN_ARG(l->name));
    if (l->id == s->log_keyid && span_eq(l->name, s->def.origin)) {
        if (!log_may_sign(type))
            return fail_set(f, E_ROLE, "the log's own key may not sign a %s record",
                            record_info(type)->name);
        *by_log = true;
        return OK;
    }
    uint32_t i = state_key_by_name(s, l->name);
    const struct key *k = i == NO_KEY ? NULL : state_key(s, i);
    if (!k || k->keyid != l->id)
        return fail_set(f, E_SIGNER, "the key %.*s is not known in this election%s",
                        SPAN_ARG(l->name), k ? " (the name is, but with another key)" : "");
    *key = i;
    if (!role_may_sign((enum role)k->role, type))
        return fail_set(f, E_ROLE, "%.*s is a key of role %s, which may not sign a %s record",
                        SPAN_ARG(l->name), role_name((enum role)k->role), record_info(type)->name);
    if (k->revoked_at < index)
        return fail_set(f, E_REVOKED, "the key %.*s was revoked by entry %llu", SPAN_ARG(l->name),
                        (unsigned long long)k->revoked_at);
    if (ms < k->not_before_ms || ms > k->not_after_ms)
        return fail_set(f, E_EXPIRED, "the key %.*s is not valid at this time", SPAN_ARG(l->name));
    return OK;
}

static const uint8_t *log_public(const struct fold *s) {
    return vec_at(&s->log_pubs, s->log_pubs.n - 1);
}

/* Resolves every signature line. In a key record one line may be by the key that it grants. */
static err resolve_signers(struct ctx *c) {
    const struct record *r = c->rec;
    c->signer_count = r->split.count;
    for (size_t i = 0; i < r->split.count; i++) {
        const struct note_line *l = &r->lines[i];
        bool by_log;
        err e = line_resolve(c->fold, l, r->type, c->index, c->ms, &c->signers[i], &by_log, c->f);
        if (c->signers[i] != NO_KEY) { /* whoever is refused, it is known who asked */
            c->out->signer = l->name;
            c->out->signer_known = true;
        } else if (c->out->signer.n == 0) {
            c->out->signer = l->name;
        }
        if (e == E_SIGNER && r->type == REC_KEY && l->n == 64 && c->signers[i] == NO_KEY) e = OK;
        if (e != OK) return e;
        if (by_log) {
            if (r->split.count != 1)
                return fail_set(c->f, E_LINES, "a record of the log's own key has no other line");
            c->by_log = true;
            check_add(c->out, log_public(c->fold), l->bytes, r->text, 0, i);
        } else if (c->signers[i] != NO_KEY) {
            check_add(c->out, state_key(c->fold, c->signers[i])->pub, l->bytes, r->text, 0, i);
        }
    }
    if (log_may_sign(r->type) && !c->by_log)
        return fail_set(c->f, E_ROLE, "a %s record is signed by the log's key only",
                        record_info(r->type)->name);
    return OK;
}

static err take_quota(struct ctx *c) {
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        struct key *k = state_key(c->fold, c->signers[i]);
        uint16_t most = c->fold->quotas.most[k->role][c->rec->type];
        if (k->used[c->rec->type] >= most)
            return fail_set(c->f, E_QUOTA, "the key %.*s has signed %u %s records, all it may",
                            SPAN_ARG(k->name), most, record_info(c->rec->type)->name);
        JSET(&c->fold->journal, k->used[c->rec->type], (uint16_t)(k->used[c->rec->type] + 1));
    }
    return OK;
}

static void out_init(struct applied *out, uint64_t index) {
    out->index = index;
    out->type = REC_COUNT;
    out->id = (struct hash){0};
    out->signer = (struct span){0};
    out->signer_known = false;
    out->station = NO_UNIT;
    out->contest = NO_CONTEST;
    out->check_count = 0;
    out->object_count = 0;
}

static err apply_record(struct ctx *c) {
    struct fold *s = c->fold;
    bool first = c->index == 0, manifest = c->rec->type == REC_MANIFEST;
    uint64_t there = fold_find(s, &c->rec->id);
    if (there != UINT64_MAX) {
        c->out->index = there;
        return fail_set(c->f, E_DUPLICATE, "this record is entry %llu already",
                        (unsigned long long)there);
    }
    if (first != manifest)
        return fail_set(c->f, E_FIRST, first ? "the log does not begin with a manifest"
                                             : "a second manifest; changes are amend records");
    if (!first && c->ms < s->last_ms)
        return fail_set(c->f, E_TIME, "the entry's time is %llu ms before the one before it",
                        (unsigned long long)(s->last_ms - c->ms));
    if (!manifest) TRY(resolve_signers(c));
    cj_init(&c->json, c->rec->json, c->f);
    TRY(appliers[c->rec->type](c));
    if (!manifest) TRY(take_quota(c));
    struct hash *id;
    uint32_t *ref;
    TRY(state_push(c, &s->ids, (void **)&id));
    *id = c->rec->id;
    TRY(state_push(c, &s->refs, (void **)&ref));
    *ref = c->ref;
    TRY(state_index(c, &s->by_id, state_hash(s, hash_span(id)), (uint32_t)c->index));
    JSET(&s->journal, s->last_ms, c->ms);
    JSET(&s->journal, s->counts[c->rec->type], s->counts[c->rec->type] + 1);
    if (s->journal.failed)
        return fail_set(c->f, E_MEMORY, "the batch is too large to be taken back");
    return OK;
}

static err apply(struct fold *s, const struct record *rec, uint64_t ms, struct applied *out,
                 struct fail *f) {
    struct ctx c = {.fold = s, .rec = rec, .out = out, .f = f, .index = s->ids.n, .ms = ms,
                    .ref = NO_REF};
    out->type = rec->type;
    out->id = rec->id;
    if (s->ids.n >= UINT32_MAX - 1) return fail_set(f, E_MEMORY, "the log is full (2^32 entries)");
    if (s->journal.failed)
        return fail_set(f, E_MEMORY, "a batch was too large to be taken back: replay the log");
    size_t mark = journal_mark(&s->journal);
    journal_arena(&s->journal, &s->arena);
    err e = apply_record(&c);
    if (e != OK)
        journal_undo(&s->journal, mark);
    else if (!s->in_batch)
        journal_clear(&s->journal);
    return e;
}

err fold_apply(struct fold *s, struct span entry, struct applied *out, struct fail *f) {
    uint64_t ms;
    struct span note;
    struct record rec;
    out_init(out, s->ids.n);
    TRY(entry_parse(entry, &ms, &note, f));
    err e = record_parse(note, &rec, f);
    out->type = rec.type;
    if (e != OK) return e;
    return apply(s, &rec, ms, out, f);
}

err fold_skip(struct fold *s, struct fail *f) {
    uint32_t *ref = vec_push(&s->refs);
    if (ref) *ref = NO_REF;
    if (ref && vec_push(&s->ids)) return OK;
    return fail_set(f, E_MEMORY, "the state has reached its memory cap");
}

err fold_admit(struct fold *s, struct span note, uint64_t ms, struct buf *entry,
               struct applied *out, struct fail *f) {
    out_init(out, s->ids.n);
    if (note.n > ENTRY_MAX - 64)
        return fail_set(f, E_SIZE, "a record of %zu bytes; none may have more than %d", note.n,
                        ENTRY_MAX - 64);
    buf_clear(entry);
    entry_format(entry, ms, note);
    TRY(buf_ok(entry, f));
    /* parsed where the entry's bytes lie, so that the checks borrow from *entry */
    struct record rec;
    err e = record_parse(span_from(buf_view(entry), entry->n - note.n), &rec, f);
    out->type = rec.type;
    if (e != OK) return e;
    e = apply(s, &rec, ms, out, f);
    if (e != E_DUPLICATE) return e;
    /* signatures are checked before a duplicate is answered; a retry with any bad line is refused */
    uint64_t there = out->index;
    out->check_count = 0;
    for (size_t i = 0; i < rec.split.count; i++) {
        uint32_t key;
        bool by_log;
        struct fail why;
        err bad = line_resolve(s, &rec.lines[i], rec.type, UINT32_MAX, ms, &key, &by_log, &why);
        const struct key *k = key == NO_KEY ? NULL : state_key(s, key);
        /* a key of the manifest, or the new key of a key record, signs the record that makes it */
        bool own = k && k->granted_at == there &&
                   (rec.type == REC_MANIFEST || rec.type == REC_KEY);
        if (k && (bad == OK || bad == E_REVOKED || bad == E_EXPIRED || own))
            check_add(out, k->pub, rec.lines[i].bytes, rec.text, 0, i);
        else if (by_log)
            check_add(out, log_public(s), rec.lines[i].bytes, rec.text, 0, i);
        else
            return fail_set(f, bad, "%s", why.text);
        if (out->signer.n == 0) {
            out->signer = rec.lines[i].name;
            out->signer_known = key != NO_KEY;
        }
    }
    out->index = there;
    return E_DUPLICATE;
}

/* The longest text of a signatures record that leaves room for the log's own line. */
enum { EXTRA_MAX = 7600 };

err fold_extra(struct fold *s, struct span note, struct buf *text, struct fail *f) {
    struct record rec;
    TRY(record_parse(note, &rec, f));
    uint64_t there = fold_find(s, &rec.id);
    if (there == UINT64_MAX) return fail_set(f, E_REFERENCE, "the record is not in the log");
    if (rec.type != REC_RESULT) return OK;
    const struct result *r = fold_result(s, result_of_entry(s, there));
    const struct cell *cell = vec_at(&s->cells, r->cell);
    size_t from = text->n;
    bool any = false;
    for (size_t i = 0; i < rec.split.count; i++) {
        uint32_t key;
        bool by_log;
        if (line_resolve(s, &rec.lines[i], rec.type, s->ids.n, s->last_ms, &key, &by_log, NULL) != OK)
            continue;
        if (key == NO_KEY || state_has_signed(s, there, key)) continue;
        if (!key_covers_unit(s, state_key(s, key), cell->station) ||
            !key_covers_contest(s, state_key(s, key), cell->contest))
            continue;
        if (text->n - from + rec.lines[i].line.n > EXTRA_MAX) break; /* the next retry brings them */
        if (!any) {
            buf_str(text, "hesabu/v1 signatures\n{\"election\":\"");
            buf_hex(text, hash_span(&s->election));
            buf_str(text, "\",\"lines\":[");
        }
        buf_str(text, any ? ",\"" : "\"");
        buf_span(text, rec.lines[i].line); /* key names hold no quote or backslash: slugs */
        buf_byte(text, '"');
        any = true;
    }
    if (any) {
        buf_str(text, "],\"record\":\"");
        buf_hex(text, hash_span(&rec.id));
        buf_str(text, "\"}\n");
    }
    return buf_ok(text, f);
}

void fold_begin(struct fold *s) {
    journal_clear(&s->journal);
    s->in_batch = true;
}

void fold_commit(struct fold *s) {
    journal_clear(&s->journal);
    s->in_batch = false;
}

void fold_rollback(struct fold *s) {
    journal_undo(&s->journal, 0);
    s->in_batch = false;
}

size_t fold_mark(const struct fold *s) {
    return journal_mark(&s->journal);
}

void fold_back(struct fold *s, size_t mark) {
    journal_undo(&s->journal, mark);
}

/* --- views of keys --- */

static void view(const struct key *k, struct key_view *out) {
    *out = (struct key_view){.name = k->name, .pub = k->pub, .role = k->role, .unit = k->unit,
                             .party = k->party, .granted_at = k->granted_at,
                             .revoked_at = k->revoked_at, .suspect_since_ms = k->suspect_since_ms,
                             .not_before_ms = k->not_before_ms, .not_after_ms = k->not_after_ms,
                             .acting = k->acting};
}

bool fold_key(const struct fold *s, struct span name, struct key_view *out) {
    uint32_t i = state_key_by_name(s, name);
    if (i == NO_KEY) return false;
    view(state_key(s, i), out);
    return true;
}

size_t fold_key_count(const struct fold *s) {
    return s->keys.n;
}

void fold_key_at(const struct fold *s, size_t i, struct key_view *out) {
    view(state_key(s, (uint32_t)i), out);
}
