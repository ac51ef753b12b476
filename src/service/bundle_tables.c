/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The bundle's tables. Most have one row a record with its own text in the last column, so that nothing
 * is lost in a summary; some are read off the state. */
#include <stdlib.h>
#include "base/clock.h"
#include "election/identity.h"
#include "election/results.h"
#include "service/bundle_impl.h"

enum table_id {
    T_KEYS, T_INCIDENTS, T_ARRIVALS, T_EVENTS, T_IMAGES, T_COMPARED, T_FORMS, T_CUSTODY,
    T_CORRECTIONS, T_READINGS, T_FINDINGS, T_COLLATIONS, T_OBJECTIONS, T_DECLARATIONS,
    T_OBSERVATIONS, T_AUDITS, T_HOST_LOGS, T_COUNT
};

static const char *const names[T_COUNT] = {
    "keys", "incidents", "arrivals", "events", "images", "compared", "forms", "custody",
    "corrections", "readings", "findings", "collations", "objections", "declarations",
    "observations", "audits", "host-logs"};

/* Which table a type's records go into, whatever they say. Types are named, not numbered: a log may
 * hold types that this table does not know, and they stay in the log. */
static const struct { const char *type; enum table_id table; } by_type[] = {
    {"incident", T_INCIDENTS}, {"station-event", T_EVENTS}, {"compared", T_COMPARED},
    {"custody", T_CUSTODY}, {"amend", T_CORRECTIONS}, {"revoke", T_CORRECTIONS},
    {"acting", T_CORRECTIONS}, {"decision", T_CORRECTIONS}, {"seal", T_READINGS},
    {"open", T_READINGS}, {"collation", T_COLLATIONS}, {"objection", T_OBJECTIONS},
    {"admission", T_OBJECTIONS}, {"ruling", T_OBJECTIONS}, {"notice", T_OBJECTIONS},
    {"countersign", T_OBJECTIONS}, {"declaration", T_DECLARATIONS}, {"override", T_DECLARATIONS},
    {"dissent", T_DECLARATIONS}, {"observation", T_OBSERVATIONS}, {"audit-plan", T_AUDITS},
    {"audit-seed", T_AUDITS}, {"audit-count", T_AUDITS}, {"audit-close", T_AUDITS},
    {"host-log", T_HOST_LOGS}};

struct bundle_tables {
    struct bundle_table t[T_COUNT];
};

static const char record_head[] = "entry,time,type,signers,id,record\n";
static const char *const heads[T_COUNT] = {
    [T_KEYS] = "name,role,unit,unit_name,party,acting,valid_from,valid_to,granted_by_entry,revoked_by_entry,suspect_since\n",
    [T_ARRIVALS] = "entry,logged,signed,minutes_between,station,station_name,contest,round,basis,signer,counted,superseded_by_entry\n",
    [T_IMAGES] = "entry,time,station,contest,round,kind,page,original_sha256,public_sha256,hidden_rectangles,result_entry\n",
    [T_FORMS] = "unit,name,level,contest,round,stations_expected,results_received,without_image,originals,carbons,agents_copies,posted_copies\n",
    [T_FINDINGS] = "station,station_name,contest,round,code,severity,sentence,result_entry\n"};

err bundle_tables_new(struct bundle_tables **out, struct fail *f) {
    struct bundle_tables *t = *out = calloc(1, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for the bundle's tables");
    for (int i = 0; i < T_COUNT; i++) {
        t->t[i].name = names[i];
        buf_init(&t->t[i].out, BUNDLE_TABLE_MAX);
        buf_str(&t->t[i].out, heads[i] ? heads[i] : record_head);
    }
    return OK;
}

void bundle_tables_free(struct bundle_tables *t) {
    if (!t) return;
    for (int i = 0; i < T_COUNT; i++) buf_release(&t->t[i].out);
    free(t);
}

size_t bundle_tables_count(const struct bundle_tables *t) {
    (void)t;
    return T_COUNT;
}

const struct bundle_table *bundle_tables_at(const struct bundle_tables *t, size_t i) {
    return &t->t[i];
}

uint64_t bundle_tables_rows(const struct bundle_tables *t, const char *file) {
    for (int i = 0; i < T_COUNT; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(file, "tables/", 7) == 0 && strncmp(file + 7, names[i], n) == 0 &&
            strcmp(file + 7 + n, ".csv") == 0)
            return t->t[i].rows;
    }
    return 0;
}

/* --- fields --- */

/* A text field: quoted, and never one that a spreadsheet takes for a formula. */
static void field(struct buf *b, struct span s, char end) {
    bool formula = s.n && (s.p[0] == '=' || s.p[0] == '+' || s.p[0] == '-' || s.p[0] == '@');
    buf_byte(b, '"');
    if (formula) buf_byte(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_byte(b, '"');
        buf_byte(b, s.p[i]);
    }
    buf_byte(b, '"');
    buf_byte(b, (uint8_t)end);
}

static void number(struct buf *b, uint64_t v, char end) {
    buf_u64(b, v);
    buf_byte(b, (uint8_t)end);
}

static void time_field(struct buf *b, uint64_t ms, char end) {
    char at[21];
    if (ms != UINT64_MAX && ms <= UINT64_C(253402300799999)) {
        clock_format_utc(ms, at);
        buf_str(b, at);
    }
    buf_byte(b, (uint8_t)end);
}

static void hash_field(struct buf *b, const struct hash *h, char end) {
    buf_hex(b, hash_span(h));
    buf_byte(b, (uint8_t)end);
}

static struct span contest_id(const struct fold *s, uint32_t c) {
    return c == NO_CONTEST ? (struct span){0} : fold_contest(s, c)->id;
}

/* --- records --- */

static void add_record(struct bundle_table *t, const struct applied *a, uint64_t ms,
                       const struct record *r) {
    struct buf *b = &t->out;
    number(b, a->index, ',');
    time_field(b, ms, ',');
    buf_str(b, record_info(a->type)->name);
    buf_str(b, ",\"");
    for (size_t i = 0; i < r->split.count; i++) { /* names of keys are slugs or origins */
        if (i) buf_byte(b, ' ');
        buf_span(b, r->lines[i].name);
    }
    buf_str(b, "\",");
    t->rows++;
}

err bundle_tables_visit(void *ctx, const struct applied *a, uint64_t ms, const struct record *r,
                        struct fail *f) {
    struct bundle_tables *t = ctx;
    const char *type = record_info(a->type)->name;
    for (size_t i = 0; i < sizeof by_type / sizeof *by_type; i++) {
        if (strcmp(by_type[i].type, type) != 0) continue;
        struct bundle_table *x = &t->t[by_type[i].table];
        add_record(x, a, ms, r);
        hash_field(&x->out, &a->id, ',');
        field(&x->out, r->json, '\n');
        TRY(buf_ok(&x->out, f));
    }
    return OK;
}

/* --- off the state --- */

static void keys(struct bundle_table *t, const struct fold *s) {
    struct buf *b = &t->out;
    for (size_t i = 0; i < fold_key_count(s); i++) {
        struct key_view k;
        fold_key_at(s, i, &k);
        field(b, k.name, ',');
        buf_str(b, role_name((enum role)k.role));
        buf_byte(b, ',');
        field(b, fold_unit(s, k.unit)->code, ',');
        field(b, fold_unit(s, k.unit)->name, ',');
        field(b, k.party, ',');
        buf_str(b, k.acting ? "yes," : "no,");
        time_field(b, k.not_before_ms, ',');
        time_field(b, k.not_after_ms, ',');
        number(b, k.granted_at, ',');
        if (k.revoked_at != UINT64_MAX) buf_u64(b, k.revoked_at);
        buf_byte(b, ',');
        time_field(b, k.suspect_since_ms, '\n');
        t->rows++;
    }
}

static void arrivals(struct bundle_table *t, const struct fold *s) {
    struct buf *b = &t->out;
    for (size_t i = 0; i < fold_result_count(s); i++) {
        const struct result *r = fold_result(s, (uint32_t)i);
        const struct cell *c = fold_cell_at(s, r->cell);
        struct key_view signer;
        fold_key_at(s, r->signer, &signer);
        number(b, r->entry, ',');
        time_field(b, r->ms, ',');
        time_field(b, r->signed_ms, ',');
        if (r->signed_ms <= r->ms) buf_u64(b, (r->ms - r->signed_ms) / 60000);
        buf_byte(b, ',');
        field(b, fold_unit(s, c->station)->code, ',');
        field(b, fold_unit(s, c->station)->name, ',');
        field(b, contest_id(s, c->contest), ',');
        number(b, c->round, ',');
        buf_str(b, r->basis == BASIS_STATION ? "station," : "paper,");
        field(b, signer.name, ',');
        buf_str(b, cell_transmitted(s, c) == r ? "yes," : "no,");
        if (r->superseded_by != NO_RESULT) buf_u64(b, fold_result(s, r->superseded_by)->entry);
        buf_byte(b, '\n');
        t->rows++;
    }
}

static const char *const kinds[] = {"original", "carbon", "agent", "posted"};

static void images(struct bundle_table *t, const struct fold *s) {
    struct buf *b = &t->out;
    for (size_t i = 0; i < fold_image_count(s); i++) {
        const struct image *x = fold_image(s, (uint32_t)i);
        const struct cell *c = fold_cell_at(s, x->cell);
        number(b, x->entry, ',');
        time_field(b, x->ms, ',');
        field(b, fold_unit(s, c->station)->code, ',');
        field(b, contest_id(s, c->contest), ',');
        number(b, c->round, ',');
        buf_str(b, kinds[x->kind]);
        buf_byte(b, ',');
        number(b, x->page, ',');
        hash_field(b, &x->original, ',');
        hash_field(b, &x->shown, ',');
        number(b, x->masked, ',');
        if (x->result != NO_RESULT) buf_u64(b, fold_result(s, x->result)->entry);
        buf_byte(b, '\n');
        t->rows++;
    }
}

/* Images by kind, summed up the units of a tally. */
static err forms_of(struct bundle_table *t, const struct fold *s, const struct tally *tally,
                    uint64_t (*count)[4], uint32_t *row_of, struct fail *f) {
    struct buf *b = &t->out;
    memset(count, 0, tally->n * sizeof *count);
    memset(row_of, 0, fold_unit_count(s) * sizeof *row_of);
    for (size_t i = 0; i < tally->n; i++) row_of[tally->rows[i].unit] = (uint32_t)i + 1;
    for (size_t i = 0; i < fold_image_count(s); i++) {
        const struct image *x = fold_image(s, (uint32_t)i);
        const struct cell *c = fold_cell_at(s, x->cell);
        if (c->contest != tally->contest || c->round != tally->round) continue;
        if (x->page == 1 && row_of[c->station]) count[row_of[c->station] - 1][x->kind]++;
    }
    for (size_t i = tally->n; i-- > 1;)
        for (int k = 0; k < 4; k++) count[tally->rows[i].parent][k] += count[i][k];
    for (size_t i = 0; i < tally->n; i++) {
        const struct tally_row *row = &tally->rows[i];
        if (unit_is_station(s, row->unit)) continue;
        const struct unit *u = fold_unit(s, row->unit);
        field(b, u->code, ',');
        field(b, u->name, ',');
        buf_span(b, fold_definition(s)->levels[u->level]);
        buf_byte(b, ',');
        field(b, contest_id(s, tally->contest), ',');
        number(b, tally->round, ',');
        number(b, row->expected, ',');
        number(b, row->received, ',');
        number(b, row->without_image, ',');
        for (int k = 0; k < 4; k++) number(b, count[i][k], k == 3 ? '\n' : ',');
        t->rows++;
    }
    return buf_ok(b, f);
}

static void findings(struct bundle_table *t, const struct fold *s, const struct findings *x) {
    struct buf *b = &t->out, text;
    buf_init(&text, 1000);
    for (size_t i = 0; i < x->n; i++) {
        const struct finding *y = &x->items[i];
        const struct cell *c = fold_cell_at(s, y->cell);
        field(b, fold_unit(s, c->station)->code, ',');
        field(b, fold_unit(s, c->station)->name, ',');
        field(b, contest_id(s, c->contest), ',');
        number(b, c->round, ',');
        buf_str(b, finding_name(y->code));
        buf_str(b, y->severity == SEVERITY_ERROR ? ",error," : ",warning,");
        buf_clear(&text);
        finding_text(y, &text);
        field(b, buf_view(&text), ',');
        if (y->result != NO_RESULT) buf_u64(b, fold_result(s, y->result)->entry);
        buf_byte(b, '\n');
        t->rows++;
    }
    buf_release(&text);
}

/* Forms that replaced others are corrections, too, and have no record type of their own. */
static void superseding(struct bundle_table *t, const struct fold *s) {
    struct buf *b = &t->out;
    for (size_t i = 0; i < fold_result_count(s); i++) {
        const struct result *r = fold_result(s, (uint32_t)i);
        if (r->superseded_by == NO_RESULT) continue;
        const struct result *by = fold_result(s, r->superseded_by);
        const struct cell *c = fold_cell_at(s, r->cell);
        struct key_view signer;
        struct hash id = fold_id(s, by->entry);
        fold_key_at(s, by->signer, &signer);
        number(b, by->entry, ',');
        time_field(b, by->ms, ',');
        buf_str(b, "result,");
        field(b, signer.name, ',');
        hash_field(b, &id, ',');
        buf_printf(b, "\"station %.*s, contest %.*s: this form replaces the one of entry %llu\"\n",
                   SPAN_ARG(fold_unit(s, c->station)->code), SPAN_ARG(contest_id(s, c->contest)),
                   (unsigned long long)r->entry);
        t->rows++;
    }
}

err bundle_tables_finish(struct bundle_tables *t, const struct fold *s, struct fail *f) {
    struct results r;
    keys(&t->t[T_KEYS], s);
    arrivals(&t->t[T_ARRIVALS], s);
    images(&t->t[T_IMAGES], s);
    superseding(&t->t[T_CORRECTIONS], s);
    TRY(results_compute(s, &r, f));
    findings(&t->t[T_FINDINGS], s, &r.findings);
    uint64_t(*count)[4] = calloc(fold_unit_count(s) + 1, sizeof *count);
    uint32_t *row_of = calloc(fold_unit_count(s) + 1, sizeof *row_of);
    err e = count && row_of ? OK : fail_set(f, E_MEMORY, "no memory for the bundle's tables");
    for (size_t i = 0; i < r.n && e == OK; i++)
        e = forms_of(&t->t[T_FORMS], s, &r.tallies[i], count, row_of, f);
    for (int i = 0; i < T_COUNT && e == OK; i++) e = buf_ok(&t->t[i].out, f);
    free(count);
    free(row_of);
    results_release(&r);
    return e;
}
