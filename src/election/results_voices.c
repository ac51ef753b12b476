/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* results/objections.json, notices.json, observations.json, hosts.json (spec/results.md). */
#include <stdlib.h>
#include "election/results_impl.h"

struct json_out results_begin(const struct fold *s, struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    if (s->def.simulated) json_kstr(&j, "simulated", "SIMULATED");
    return j;
}

err results_end(struct json_out *j, struct fail *f) {
    json_object_end(j);
    buf_byte(j->b, '\n');
    return buf_ok(j->b, f);
}

void results_unit_head(struct json_out *j, const struct fold *s, uint32_t unit) {
    const struct unit *u = fold_unit(s, unit);
    json_kspan(j, "unit", u->code);
    json_kspan(j, "name", u->name);
    json_kspan(j, "level", s->def.levels[u->level]);
}

void results_signer(struct json_out *j, const struct fold *s, uint32_t key) {
    const struct key *k = state_key(s, key);
    json_kspan(j, "signer", k->name);
    json_kstr(j, "role", role_name((enum role)k->role));
    if (k->party.n) json_kspan(j, "party", k->party);
}

void results_contest_ref(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round) {
    json_kspan(j, "contest", fold_contest(s, contest)->id);
    json_ku64(j, "round", round);
}

static void id_of(struct json_out *j, const struct fold *s, uint64_t entry) {
    struct hash id = fold_id(s, entry);
    json_khex(j, "id", hash_span(&id));
}

/* --- objections --- */

static void objection_json(struct json_out *j, const struct fold *s, const struct objection *o) {
    json_object(j);
    json_ku64(j, "entry", o->entry);
    id_of(j, s, o->entry);
    json_ku64(j, "ms", o->ms);
    results_contest_ref(j, s, o->contest, o->round);
    results_signer(j, s, o->signer);
    json_kstr(j, "ground", objection_ground_name(o->ground));
    json_ku64(j, "evidence", o->evidence);
    json_key(j, "units");
    json_array(j);
    for (uint32_t k = 0; k < o->unit_count; k++)
        json_span(j, fold_unit(s, objection_unit(s, o, k))->code);
    json_array_end(j);
    json_kstr(j, "state", objection_state_name((enum objection_state)o->state));
    json_kbool(j, "holds_gate", o->state == OBJECTION_ADMITTED);
    if (o->admission != NO_ENTRY) {
        json_ku64(j, "admission", o->admission);
        json_ku64(j, "admission_ms", o->admission_ms);
    }
    if (o->answer_by_ms != UINT64_MAX) json_ku64(j, "answer_by_ms", o->answer_by_ms);
    if (o->answer != NO_ENTRY) {
        json_ku64(j, "answer", o->answer);
        json_ku64(j, "answer_ms", o->answer_ms);
    }
    if (o->ruling != NO_ENTRY) {
        json_ku64(j, "ruling", o->ruling);
        json_ku64(j, "ruling_ms", o->ruling_ms);
        json_kbool(j, "court_order", o->ordered);
    }
    if (objection_is_upheld(o)) json_ku64(j, "undecided", objection_undecided(s, o));
    json_object_end(j);
}

/* Everything that an officer has dealt with, and the newest of the rest: a party that files objections
 * without end does not make a file without end. */
enum { FILED_LISTED_MAX = 5000 };

err results_objections(const struct fold *s, const struct results *r, struct buf *out, struct fail *f) {
    (void)r;
    struct json_out j = results_begin(s, out);
    uint64_t states[OBJECTION_STATES] = {0};
    uint64_t passed = 0, filed = 0;
    for (size_t i = 0; i < s->objections.n; i++) {
        states[fold_objection(s, i)->state]++;
        filed += fold_objection(s, i)->admission == NO_ENTRY;
    }
    json_key(&j, "states");
    json_object(&j);
    for (int n = 0; n < OBJECTION_STATES; n++)
        json_ku64(&j, objection_state_name((enum objection_state)n), states[n]);
    json_object_end(&j);
    json_key(&j, "objections");
    json_array(&j);
    for (size_t i = 0; i < s->objections.n; i++) {
        const struct objection *o = fold_objection(s, i);
        bool dealt_with = o->admission != NO_ENTRY;
        if (!dealt_with && filed > FILED_LISTED_MAX && passed++ < filed - FILED_LISTED_MAX) continue;
        objection_json(&j, s, o);
    }
    json_array_end(&j);
    return results_end(&j, f);
}

/* --- notices --- */

err results_notices(const struct fold *s, const struct results *r, struct buf *out, struct fail *f) {
    (void)r;
    struct json_out j = results_begin(s, out);
    json_key(&j, "notices");
    json_array(&j);
    for (size_t i = 0; i < s->notices.n; i++) {
        const struct notice *x = fold_notice(s, i);
        json_object(&j);
        json_ku64(&j, "entry", x->entry);
        id_of(&j, s, x->entry);
        json_ku64(&j, "ms", x->ms);
        json_kstr(&j, "kind", notice_kind_name(x->kind));
        if (x->contest != NO_CONTEST) json_kspan(&j, "contest", fold_contest(s, x->contest)->id);
        results_signer(&j, s, x->signer);
        json_kspan(&j, "lang", x->lang);
        json_khex(&j, "text", hash_span(&x->text.id));
        json_ku64(&j, "size", x->text.size);
        if (x->answers != NO_ENTRY) json_ku64(&j, "answers", x->answers);
        json_object_end(&j);
    }
    json_array_end(&j);
    return results_end(&j, f);
}

/* --- observations --- */

/* What was said of one item in one unit. */
struct item_sum {
    uint64_t n[4]; /* by enum observed_kind */
    uint64_t sum, least, most;
};
struct unit_sum {
    uint64_t reports, stations, counts;
    struct item_sum *items; /* NULL: no reports */
};

static void add_item(struct item_sum *x, const struct observed *o) {
    x->n[o->kind]++;
    if (o->kind != OBSERVED_FIGURE) return;
    bool first = x->n[OBSERVED_FIGURE] == 1;
    x->sum += o->value; /* at most 2^32 figures below 10^9 */
    if (first || o->value < x->least) x->least = o->value;
    if (first || o->value > x->most) x->most = o->value;
}

/* Levels with more units than this are left out: the file stays of a size to be read. */
enum { LEVEL_UNITS_MAX = 2000 };

static void levels_of_interest(const struct fold *s, bool *wanted) {
    size_t count[MAX_LEVELS] = {0};
    for (size_t i = 0; i < s->units.n; i++) count[fold_unit(s, (uint32_t)i)->level]++;
    for (unsigned l = 0; l < MAX_LEVELS; l++) wanted[l] = count[l] <= LEVEL_UNITS_MAX;
}

/* A station with several reports gives each of them; `stations` counts it once. */
static err sum_observations(const struct fold *s, struct arena *a, struct unit_sum **out,
                            struct fail *f) {
    struct unit_sum *units = arena_array(a, s->units.n + 1, sizeof *units);
    uint8_t *seen = arena_array(a, s->units.n + 1, 1);
    bool wanted[MAX_LEVELS];
    if (!units || !seen) return fail_set(f, E_MEMORY, "no memory for the observations");
    levels_of_interest(s, wanted);
    for (size_t i = 0; i < s->observations.n; i++) {
        const struct observation *o = fold_observation(s, i);
        bool first = !seen[o->station];
        seen[o->station] = 1;
        for (uint32_t u = fold_unit(s, o->station)->parent; u != NO_UNIT; u = fold_unit(s, u)->parent) {
            struct unit_sum *x = &units[u];
            if (!wanted[fold_unit(s, u)->level]) continue;
            if (!x->items) x->items = arena_array(a, s->items.n + 1, sizeof *x->items);
            if (!x->items) return fail_set(f, E_MEMORY, "no memory for the observations");
            x->reports++;
            x->stations += first;
            x->counts += o->has_counts;
            for (unsigned k = 0; k < o->item_count; k++) {
                const struct observed *item = &observation_items(s, o)[k];
                add_item(&x->items[item->item], item);
            }
        }
    }
    *out = units;
    return OK;
}

static void unit_sum_json(struct json_out *j, const struct fold *s, uint32_t unit,
                          const struct unit_sum *x) {
    static const char *const words[] = {"yes", "no", "unknown"};
    json_object(j);
    results_unit_head(j, s, unit);
    json_ku64(j, "reports", x->reports);
    json_ku64(j, "stations", x->stations);
    json_ku64(j, "with_counts", x->counts);
    json_key(j, "items");
    json_object(j);
    for (uint32_t i = 0; i < s->items.n; i++) {
        const struct item_sum *v = &x->items[i];
        if (v->n[0] + v->n[1] + v->n[2] + v->n[3] == 0) continue;
        json_key_span(j, observation_item(s, i));
        json_object(j);
        for (int k = 0; k < 3; k++)
            if (v->n[k]) json_ku64(j, words[k], v->n[k]);
        if (v->n[OBSERVED_FIGURE]) {
            json_ku64(j, "figures", v->n[OBSERVED_FIGURE]);
            json_ku64(j, "sum", v->sum);
            json_ku64(j, "least", v->least);
            json_ku64(j, "most", v->most);
        }
        json_object_end(j);
    }
    json_object_end(j);
    json_object_end(j);
}

struct group_sum {
    struct span name;
    uint64_t reports;
};

/* Reports by group of observers, in the order of their first report. */
static err groups_json(struct json_out *j, const struct fold *s, struct arena *a, struct fail *f) {
    size_t most = 0, n = 0;
    for (size_t i = 0; i < s->keys.n; i++) most += state_key(s, (uint32_t)i)->role == ROLE_OBSERVER_GROUP;
    struct group_sum *g = arena_array(a, most + 1, sizeof *g);
    if (!g) return fail_set(f, E_MEMORY, "no memory for the observations");
    for (size_t i = 0; i < s->observations.n; i++) {
        struct span name = state_key(s, fold_observation(s, i)->signer)->party;
        size_t k = 0;
        while (k < n && !span_eq(g[k].name, name)) k++;
        if (k == n && n < most) g[n++].name = name; /* an observer's key comes from a group's */
        g[k].reports++;
    }
    json_key(j, "groups");
    json_array(j);
    for (size_t k = 0; k < n; k++) {
        json_object(j);
        json_kspan(j, "group", g[k].name);
        json_ku64(j, "reports", g[k].reports);
        json_object_end(j);
    }
    json_array_end(j);
    return OK;
}

err results_observations(const struct fold *s, const struct results *r, struct buf *out,
                         struct fail *f) {
    (void)r;
    struct arena a;
    struct unit_sum *units = NULL;
    arena_init(&a, (size_t)1 << 30);
    err e = sum_observations(s, &a, &units, f);
    if (e == OK) {
        struct json_out j = results_begin(s, out);
        json_ku64(&j, "reports", s->observations.n);
        e = groups_json(&j, s, &a, f);
        json_key(&j, "units");
        json_array(&j);
        for (uint32_t u = 0; u < s->units.n; u++)
            if (units[u].reports) unit_sum_json(&j, s, u, &units[u]);
        json_array_end(&j);
        if (e == OK) e = results_end(&j, f);
    }
    arena_release(&a);
    return e;
}

/* --- host logs --- */

/* Of each log file its last row, and how many there are. Newest rows first, at most 256 files. */
err results_hosts(const struct fold *s, const struct results *r, struct buf *out, struct fail *f) {
    (void)r;
    enum { FILES_MAX = 256 };
    struct {
        const struct host_log *last;
        uint64_t rows;
    } files[FILES_MAX];
    size_t n = 0;
    for (size_t i = s->host_logs.n; i-- > 0;) {
        const struct host_log *x = fold_host_log(s, i);
        size_t k = 0;
        while (k < n && (files[k].last->kind != x->kind || !span_eq(files[k].last->host, x->host))) k++;
        if (k == FILES_MAX) continue;
        if (k == n) {
            files[n].rows = 0;
            files[n++].last = x;
        }
        files[k].rows++;
    }
    struct json_out j = results_begin(s, out);
    json_ku64(&j, "rows", s->host_logs.n);
    json_key(&j, "logs");
    json_array(&j);
    for (size_t k = 0; k < n; k++) {
        const struct host_log *x = files[k].last;
        json_object(&j);
        json_kspan(&j, "host", x->host);
        json_kstr(&j, "kind", host_log_kind_name(x->kind));
        json_ku64(&j, "rows", files[k].rows);
        json_ku64(&j, "entry", x->entry);
        json_ku64(&j, "to_ms", x->to_ms);
        json_ku64(&j, "size", x->size);
        json_khex(&j, "sha256", hash_span(&x->hash));
        json_object_end(&j);
    }
    json_array_end(&j);
    return results_end(&j, f);
}
