/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/setup.h"

#include <pthread.h>
#include "base/json_out.h"
#include "election/canonical_json.h"
#include "service/portal.h"
#include "service/setup_rule.h"
#include "store/objects.h"

enum { OBJECT_MAX = 1 << 30 };

/* A party's name for its id, as pages and exports show it. */
static struct span party_name(const struct preset *p, struct span id) {
    for (uint32_t i = 0; i < p->party_count; i++)
        if (span_eq(p->parties[i].id, id)) return p->parties[i].name;
    return id;
}

err setup_objects(const struct expansion *x, struct buf *units, struct buf *contests,
                  struct fail *f) {
    const struct preset *p = x->preset;
    compose_units_head(units);
    for (uint32_t i = 0; i < x->unit_count; i++) {
        const struct preset_unit *u = &x->units[i];
        struct span parent = {0};
        if (u->parent != PRESET_NO_UNIT) parent = x->units[u->parent].code;
        compose_unit(units, u->code, p->levels[u->level].name, u->name, parent,
                     u->registered.present ? u->registered.value : 0);
    }
    struct span station_level = p->levels[p->level_count - 1].name;
    for (uint32_t i = 0; i < x->station_count; i++) {
        const struct expand_station *s = &x->stations[i];
        compose_unit(units, s->code, station_level, s->name, x->units[s->unit].code,
                     s->registered.present ? s->registered.value : 0);
    }
    compose_contests_head(contests);
    for (uint32_t i = 0; i < x->contest_count; i++) {
        const struct preset_contest *c = &x->contests[i];
        const struct preset_kind *k = &p->kinds[c->kind];
        struct compose_choice choices[PRESET_CHOICES_MAX];
        for (uint32_t n = 0; n < c->choice_count; n++)
            choices[n] = (struct compose_choice){c->choices[n].id, c->choices[n].name,
                                                 party_name(p, c->choices[n].party)};
        struct buf rule;
        buf_init(&rule, 1 << 16);
        err e = setup_rule(x, k, &rule, f);
        if (e == OK)
            compose_contest(contests, c->id, k->id, c->title, buf_view(&rule), x->units[c->unit].code,
                            choices, c->choice_count);
        buf_release(&rule);
        TRY(e);
    }
    TRY(buf_ok(units, f));
    return buf_ok(contests, f);
}

/* The preset's plausibility thresholds, under the manifest's names. */
static err limits_json(const struct preset *p, struct buf *out, struct fail *f) {
    static const struct {
        const char *ours, *theirs;
    } names[] = {{"one_sided", "one_choice_high_permille"},
                 {"rejected_high", "rejected_high_permille"},
                 {"turnout_high", "turnout_high_permille"},
                 {"turnout_low", "turnout_low_permille"}};
    struct json_out j = json_out(out);
    json_object(&j);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct cj r;
        struct span key;
        cj_init(&r, p->thresholds, f);
        cj_object(&r);
        while (cj_any_key(&r, &key)) {
            struct span raw = cj_raw(&r);
            if (!span_is(key, names[i].theirs)) continue;
            json_key(&j, names[i].ours);
            json_raw(&j, raw);
        }
        TRY(cj_end(&r));
    }
    json_object_end(&j);
    return buf_ok(out, f);
}

/* Of the preset's quotas those for roles and types that exist; the log counts to 65,535. */
static err quotas_json(const struct preset *p, struct buf *out, struct fail *f) {
    struct json_out j = json_out(out);
    struct cj r;
    struct span role, type;
    if (p->quotas.n == 0) return OK;
    json_object(&j);
    cj_init(&r, p->quotas, f);
    cj_object(&r);
    while (cj_any_key(&r, &role)) {
        bool known = role_by_name(role) != ROLE_COUNT;
        if (known) {
            json_key_span(&j, role);
            json_object(&j);
        }
        cj_object(&r);
        while (cj_any_key(&r, &type)) {
            uint64_t most = cj_u64(&r, CJ_MAX_INT);
            if (!known || record_by_name(type) == REC_COUNT) continue;
            json_key_span(&j, type);
            json_u64(&j, most < UINT16_MAX ? most : UINT16_MAX);
        }
        if (known) json_object_end(&j);
    }
    TRY(cj_end(&r));
    json_object_end(&j);
    return buf_ok(out, f);
}

/* Hashes of programs that readers run unseen: the browser's module. Nothing in a build without it. */
static void software_json(struct buf *out) {
    const char *name = "hesabu.wasm";
    for (size_t i = 0; i < portal_asset_count; i++) {
        const struct portal_asset *a = &portal_assets[i];
        const char *last = strrchr(a->path, '/');
        if (!last || strcmp(last + 1, name) != 0) continue;
        struct json_out j = json_out(out);
        struct hash h = sha256(span_of(a->bytes, a->n));
        json_object(&j);
        json_khex(&j, name, hash_span(&h));
        json_object_end(&j);
        return;
    }
}

err setup_manifest(const struct preset *p, const struct setup_options *o, struct span units,
                   struct span contests, struct buf *text, struct fail *f) {
    struct buf limits, quotas, title, software;
    struct span levels[PRESET_LEVELS_MAX];
    buf_init(&limits, 4096);
    buf_init(&quotas, 16384);
    buf_init(&title, 400);
    buf_init(&software, 400);
    software_json(&software);
    for (uint32_t i = 0; i < p->level_count; i++) levels[i] = p->levels[i].name;
    buf_span(&title, p->title);
    if (o->simulated) buf_str(&title, " (SIMULATED)");
    err e = limits_json(p, &limits, f);
    if (e == OK) e = quotas_json(p, &quotas, f);
    if (e == OK) e = buf_ok(&title, f);
    struct compose_manifest m = {
        .origin = o->origin,
        .log_vkey = o->log_vkey,
        .title = buf_view(&title),
        .notice = o->simulated ? p->simulated : (struct span){0},
        .policy = o->policy,
        .units = {sha256(units), units.n},
        .contests = {sha256(contests), contests.n},
        .commissioners = o->commissioners,
        .commissioner_count = o->commissioner_count,
        .threshold = o->threshold,
        .levels = levels,
        .level_count = p->level_count,
        .opens_ms = o->opens_ms ? o->opens_ms : p->poll_opens_ms,
        .closes_ms = o->closes_ms ? o->closes_ms : p->poll_closes_ms,
        .simulated = o->simulated,
        .image_optional = o->image_optional || !p->image_required,
        .limits = buf_view(&limits),
        .quotas = buf_view(&quotas),
        .deadlines = p->deadlines,
        .software = buf_view(&software),
    };
    if (e == OK) {
        compose_manifest(text, &m);
        e = buf_ok(text, f);
    }
    buf_release(&limits);
    buf_release(&quotas);
    buf_release(&title);
    buf_release(&software);
    return e;
}

struct wait {
    pthread_mutex_t lock; /* done */
    pthread_cond_t cond;
    bool done;
    err code;
    struct fail fail;
    struct buf *receipt;
};

static void arrived(void *ctx, struct receipt *r) {
    struct wait *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->code = r->code;
    w->fail = r->fail;
    if (w->receipt && r->code == OK) buf_span(w->receipt, buf_view(&r->bytes));
    w->done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

err setup_submit(struct sequencer *q, struct span note, struct buf *receipt, struct fail *f) {
    struct wait w = {.receipt = receipt};
    struct submission *s;
    err e = submission_new(note, sequencer_keys(q), &s, f);
    if (e != OK) {
        submission_free(s);
        return e;
    }
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
    s->done = arrived;
    s->ctx = &w;
    e = sequencer_submit(q, s, f);
    if (e != OK) {
        submission_free(s);
    } else {
        pthread_mutex_lock(&w.lock);
        while (!w.done) pthread_cond_wait(&w.cond, &w.lock);
        pthread_mutex_unlock(&w.lock);
        e = w.code;
        if (e != OK && f) *f = w.fail;
    }
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.cond);
    return e;
}

err setup_begin(struct sequencer *q, struct span manifest_note, struct span units,
                struct span contests, struct fail *f) {
    struct span both[2] = {units, contests};
    if (sequencer_size(q))
        return fail_set(f, E_FIRST, "this folder has a log already; a new election needs a new one");
    TRY(objects_add_many(sequencer_objects(q), OBJECT_PUBLIC, both, 2, NULL, f));
    return setup_submit(q, manifest_note, NULL, f);
}
