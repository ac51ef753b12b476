/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu export: the figures of every station as CSV or SQLite, recomputed from the records. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "cli/values.h"
#include "store/sqlite.h"

int cmd_export(int argc, char **argv);

enum { FLUSH_BYTES = 1 << 20, FINDINGS_TEXT_MAX = 4096 };

struct exporting {
    const struct tree_log *log;
    const struct results *results;
    const char *contest;
    char root[HASH_BASE64_LEN + 1];
    uint64_t rows;
    /* CSV */
    FILE *csv;
    struct buf out;
    bool wide; /* one contest: a column a choice */
    /* SQLite */
    struct sqlite_out *db;
};

static bool wanted(const struct exporting *x, const struct tally *t) {
    return !x->contest || span_is(fold_contest(x->log->fold, t->contest)->id, x->contest);
}

/* What is known of one station in one contest. */
struct station_row {
    const struct unit *unit;
    const struct cell *cell;
    const struct result *result; /* the one current one, NULL if there is none or more than one */
    const struct image *image;
    const char *state;
    bool counted;
    bool any_vote;
    uint64_t valid_computed, standing;
};

static void look(const struct exporting *x, const struct tally *t, const struct tally_row *row,
                 struct station_row *s) {
    const struct fold *fold = x->log->fold;
    *s = (struct station_row){.unit = fold_unit(fold, row->unit)};
    s->state = results_station_state(fold, &x->results->findings, t, row);
    if (row->cell == NO_CELL) return;
    s->cell = fold_cell_at(fold, row->cell);
    s->standing = s->cell->current;
    s->result = cell_current(fold, s->cell);
    s->counted = row->total[TOTAL_TRANSMITTED].stations > 0;
    uint32_t image = s->result ? s->result->first_image : NO_IMAGE;
    if (image == NO_IMAGE) image = s->cell->first_image;
    if (image != NO_IMAGE) s->image = fold_image(fold, image);
    if (!s->result) return;
    const uint64_t *votes = result_votes(fold, s->result);
    for (uint32_t c = 0; c < t->choice_count; c++) {
        if (votes[c] == ABSENT) continue;
        s->any_vote = true;
        s->valid_computed += votes[c];
    }
}

static void findings_text(const struct exporting *x, const struct tally_row *row, struct buf *out) {
    const struct findings *fi = &x->results->findings;
    if (row->cell == NO_CELL) return;
    for (size_t i = fi->first[row->cell]; i < fi->first[row->cell + 1]; i++) {
        if (out->n) buf_byte(out, ' ');
        buf_str(out, finding_name(fi->items[i].code));
    }
}

/* --- CSV --- */

static void text_field(struct buf *out, struct span s) {
    bool quote = false;
    for (size_t i = 0; i < s.n; i++)
        quote = quote || s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
    if (quote) buf_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_byte(out, '"');
        buf_byte(out, s.p[i]);
    }
    if (quote) buf_byte(out, '"');
}

static void word(struct buf *out, const char *s) {
    buf_byte(out, ',');
    text_field(out, span_text(s));
}

static void figure(struct buf *out, uint64_t v) {
    buf_byte(out, ',');
    if (v != ABSENT) buf_u64(out, v);
}

static void hex_field(struct buf *out, const struct hash *h) {
    buf_byte(out, ',');
    if (h) buf_hex(out, hash_span(h));
}

static void time_field(struct buf *out, uint64_t ms) {
    char text[21];
    clock_format_utc(ms, text);
    word(out, ms ? text : "");
}

static const char COLUMNS[] =
    "contest,round,station,name,parent,register,state,counted,findings,standing_results,entry,"
    "record,received_at,signed_at,basis,signer_lines,registered,valid_written,valid_computed,"
    "rejected,objected,disputed,voters_kit,voters_manual,agents_present,agents_signed,agents_refused,"
    "serial,image_public,image_received_at,checkpoint_size,checkpoint_root,simulated";

static void csv_head(struct exporting *x) {
    buf_str(&x->out, COLUMNS);
    if (!x->wide) buf_str(&x->out, ",votes");
    for (size_t i = 0; x->wide && i < x->results->n; i++) {
        const struct tally *t = &x->results->tallies[i];
        const struct contest *k = fold_contest(x->log->fold, t->contest);
        if (!wanted(x, t) || t->round != 1) continue;
        for (uint32_t c = 0; c < k->choice_count; c++) {
            buf_str(&x->out, ",votes:");
            buf_span(&x->out, contest_choice(x->log->fold, k, c)->id);
        }
    }
    buf_byte(&x->out, '\n');
}

static void csv_votes(struct exporting *x, const struct tally *t, const struct station_row *s) {
    const struct fold *fold = x->log->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    const uint64_t *votes = s->result ? result_votes(fold, s->result) : NULL;
    if (!x->wide) buf_byte(&x->out, ',');
    bool any = false;
    for (uint32_t c = 0; c < k->choice_count; c++) {
        uint64_t v = votes ? votes[c] : ABSENT;
        if (x->wide) {
            figure(&x->out, v);
            continue;
        }
        if (v == ABSENT) continue;
        if (any) buf_byte(&x->out, ';');
        buf_span(&x->out, contest_choice(fold, k, c)->id);
        buf_byte(&x->out, '=');
        buf_u64(&x->out, v);
        any = true;
    }
}

static err csv_row(struct exporting *x, const struct tally *t, const struct tally_row *row,
                   const struct station_row *s, struct fail *f) {
    const struct fold *fold = x->log->fold;
    const struct result *r = s->result;
    struct hash id = {0};
    if (r) id = fold_id(fold, r->entry);
    struct buf *out = &x->out, codes;
    buf_init(&codes, FINDINGS_TEXT_MAX);
    findings_text(x, row, &codes);
    text_field(out, fold_contest(fold, t->contest)->id);
    figure(out, t->round);
    buf_byte(out, ',');
    text_field(out, s->unit->code);
    buf_byte(out, ',');
    text_field(out, s->unit->name);
    buf_byte(out, ',');
    if (s->unit->parent != NO_UNIT) text_field(out, fold_unit(fold, s->unit->parent)->code);
    figure(out, s->unit->registered);
    word(out, s->state);
    word(out, s->counted ? "yes" : "no");
    buf_byte(out, ',');
    text_field(out, buf_view(&codes));
    figure(out, s->standing);
    figure(out, r ? r->entry : ABSENT);
    hex_field(out, r ? &id : NULL);
    time_field(out, r ? r->ms : 0);
    time_field(out, r ? r->signed_ms : 0);
    word(out, !r ? "" : r->basis == BASIS_STATION ? "station" : "paper");
    figure(out, r ? r->keys_signed : ABSENT);
    figure(out, r ? r->registered : ABSENT);
    figure(out, r ? r->valid : ABSENT);
    figure(out, r && s->any_vote ? s->valid_computed : ABSENT);
    figure(out, r ? r->rejected : ABSENT);
    figure(out, r ? r->objected_votes : ABSENT);
    figure(out, r ? r->disputed : ABSENT);
    figure(out, r ? r->voters_kit : ABSENT);
    figure(out, r ? r->voters_manual : ABSENT);
    figure(out, r && r->agents_present != UINT32_MAX ? r->agents_present : ABSENT);
    figure(out, r && r->agents_signed != UINT32_MAX ? r->agents_signed : ABSENT);
    figure(out, r && r->agents_refused != UINT32_MAX ? r->agents_refused : ABSENT);
    buf_byte(out, ',');
    if (r) text_field(out, r->serial);
    hex_field(out, s->image ? &s->image->shown : NULL);
    time_field(out, s->image ? s->image->ms : 0);
    figure(out, x->log->size);
    word(out, x->root);
    word(out, fold_definition(fold)->simulated ? "SIMULATED" : "");
    csv_votes(x, t, s);
    buf_byte(out, '\n');
    buf_release(&codes);
    return buf_ok(out, f);
}

static err csv_flush(struct exporting *x, struct fail *f) {
    TRY(buf_ok(&x->out, f));
    if (fwrite(x->out.p, 1, x->out.n, x->csv) != x->out.n)
        return file_error(f, errno, "writing", "the CSV file");
    buf_clear(&x->out);
    return OK;
}

/* --- SQLite --- */

static const char SCHEMA[] =
    "CREATE TABLE source(origin TEXT, election TEXT, checkpoint_size INTEGER, checkpoint_root TEXT,"
    " title TEXT, status TEXT, simulated TEXT) STRICT;"
    "CREATE TABLE unit(code TEXT PRIMARY KEY, name TEXT, level TEXT, parent TEXT, registered INTEGER)"
    " STRICT;"
    "CREATE TABLE contest(id TEXT PRIMARY KEY, name TEXT, kind TEXT, unit TEXT, round INTEGER) STRICT;"
    "CREATE TABLE choice(contest TEXT, id TEXT, position INTEGER, name TEXT, party TEXT,"
    " PRIMARY KEY(contest, id)) STRICT;"
    "CREATE TABLE station(contest TEXT, round INTEGER, station TEXT, state TEXT, counted INTEGER,"
    " standing_results INTEGER, PRIMARY KEY(contest, round, station)) STRICT;"
    "CREATE TABLE result(entry INTEGER PRIMARY KEY, record TEXT, contest TEXT, round INTEGER,"
    " station TEXT, received_ms INTEGER, signed_ms INTEGER, basis TEXT, superseded_by INTEGER,"
    " registered INTEGER, valid_written INTEGER, valid_computed INTEGER, rejected INTEGER,"
    " objected INTEGER, disputed INTEGER, voters_kit INTEGER, voters_manual INTEGER, serial TEXT,"
    " agent_keys INTEGER, saw INTEGER, object INTEGER) STRICT;"
    "CREATE TABLE vote(entry INTEGER, choice TEXT, votes INTEGER, PRIMARY KEY(entry, choice)) STRICT;"
    "CREATE TABLE image(entry INTEGER PRIMARY KEY, contest TEXT, round INTEGER, station TEXT,"
    " result_entry INTEGER, kind TEXT, page INTEGER, public TEXT, original TEXT, received_ms INTEGER,"
    " masked INTEGER) STRICT;"
    "CREATE TABLE finding(contest TEXT, round INTEGER, station TEXT, code TEXT, severity TEXT,"
    " text TEXT, entry INTEGER) STRICT;";

static const char I_SOURCE[] = "INSERT INTO source VALUES(?,?,?,?,?,?,?)",
                  I_UNIT[] = "INSERT INTO unit VALUES(?,?,?,?,?)",
                  I_CONTEST[] = "INSERT INTO contest VALUES(?,?,?,?,?)",
                  I_CHOICE[] = "INSERT INTO choice VALUES(?,?,?,?,?)",
                  I_STATION[] = "INSERT INTO station VALUES(?,?,?,?,?,?)",
                  I_RESULT[] = "INSERT INTO result VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                  I_VOTE[] = "INSERT INTO vote VALUES(?,?,?)",
                  I_IMAGE[] = "INSERT INTO image VALUES(?,?,?,?,?,?,?,?,?,?,?)",
                  I_FINDING[] = "INSERT INTO finding VALUES(?,?,?,?,?,?,?)";

static struct sqlite_value num(uint64_t v) {
    return v == ABSENT ? (struct sqlite_value){.kind = SQLITE_ABSENT}
                       : (struct sqlite_value){.kind = SQLITE_NUMBER, .number = v};
}
static struct sqlite_value txt(struct span s) {
    return s.n ? (struct sqlite_value){.kind = SQLITE_WORDS, .words = s}
               : (struct sqlite_value){.kind = SQLITE_ABSENT};
}

#define ROW(x, sql, ...)                                                                           \
    sqlite_out_row((x)->db, sql, (struct sqlite_value[]){__VA_ARGS__},                             \
                   sizeof((struct sqlite_value[]){__VA_ARGS__}) / sizeof(struct sqlite_value), f)

static err db_definition(struct exporting *x, struct fail *f) {
    const struct fold *s = x->log->fold;
    const struct definition *d = fold_definition(s);
    char election[HASH_HEX_LEN + 1];
    hash_hex(&x->log->anchor.manifest, election);
    TRY(ROW(x, I_SOURCE, txt(d->origin), txt(span_text(election)), num(x->log->size),
            txt(span_text(x->root)), txt(d->title), txt(span_text("provisional, not declared")),
            txt(span_text(d->simulated ? "SIMULATED" : ""))));
    for (uint32_t i = 0; i < fold_unit_count(s); i++) {
        const struct unit *u = fold_unit(s, i);
        struct span parent = u->parent == NO_UNIT ? (struct span){0} : fold_unit(s, u->parent)->code;
        TRY(ROW(x, I_UNIT, txt(u->code), txt(u->name), txt(d->levels[u->level]), txt(parent),
                num(u->registered)));
    }
    for (uint32_t i = 0; i < fold_contest_count(s); i++) {
        const struct contest *k = fold_contest(s, i);
        if (x->contest && !span_is(k->id, x->contest)) continue;
        TRY(ROW(x, I_CONTEST, txt(k->id), txt(k->name), txt(k->kind), txt(fold_unit(s, k->unit)->code),
                num(k->round)));
        for (uint32_t c = 0; c < k->choice_count; c++) {
            const struct choice *ch = contest_choice(s, k, c);
            TRY(ROW(x, I_CHOICE, txt(k->id), txt(ch->id), num(c + 1), txt(ch->name), txt(ch->party)));
        }
    }
    return OK;
}

static err db_images(struct exporting *x, const struct cell *cell, uint32_t first,
                     uint64_t result_entry, struct fail *f) {
    static const char *const kinds[] = {"original", "carbon", "agent", "posted"};
    const struct fold *s = x->log->fold;
    for (uint32_t i = first; i != NO_IMAGE;) {
        const struct image *m = fold_image(s, i);
        char shown[HASH_HEX_LEN + 1], original[HASH_HEX_LEN + 1];
        hash_hex(&m->shown, shown);
        hash_hex(&m->original, original);
        TRY(ROW(x, I_IMAGE, num(m->entry), txt(fold_contest(s, cell->contest)->id), num(cell->round),
                txt(fold_unit(s, cell->station)->code), num(result_entry), txt(span_text(kinds[m->kind])),
                num(m->page), txt(span_text(shown)), txt(span_text(original)), num(m->ms),
                num(m->masked)));
        i = m->next_of_result;
    }
    return OK;
}

static err db_result(struct exporting *x, const struct cell *cell, const struct result *r,
                     struct fail *f) {
    const struct fold *s = x->log->fold;
    const struct contest *k = fold_contest(s, cell->contest);
    const uint64_t *votes = result_votes(s, r);
    struct hash id = fold_id(s, r->entry);
    char hex[HASH_HEX_LEN + 1];
    uint64_t sum = 0;
    bool any = false;
    hash_hex(&id, hex);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (votes[c] == ABSENT) continue;
        sum += votes[c];
        any = true;
        TRY(ROW(x, I_VOTE, num(r->entry), txt(contest_choice(s, k, c)->id), num(votes[c])));
    }
    uint64_t by = r->superseded_by == NO_RESULT ? ABSENT : fold_result(s, r->superseded_by)->entry;
    TRY(ROW(x, I_RESULT, num(r->entry), txt(span_text(hex)), txt(k->id), num(cell->round),
            txt(fold_unit(s, cell->station)->code), num(r->ms), num(r->signed_ms),
            txt(span_text(r->basis == BASIS_STATION ? "station" : "paper")), num(by),
            num(r->registered), num(r->valid), num(any ? sum : ABSENT), num(r->rejected),
            num(r->objected_votes), num(r->disputed), num(r->voters_kit), num(r->voters_manual),
            txt(r->serial), num(r->keys_signed), num(r->saw), num(r->objected)));
    return db_images(x, cell, r->first_image, r->entry, f);
}

static err db_row(struct exporting *x, const struct tally *t, const struct tally_row *row,
                  const struct station_row *s, struct fail *f) {
    const struct fold *fold = x->log->fold;
    struct span contest = fold_contest(fold, t->contest)->id;
    TRY(ROW(x, I_STATION, txt(contest), num(t->round), txt(s->unit->code), txt(span_text(s->state)),
            num(s->counted), num(s->standing)));
    if (!s->cell) return OK;
    for (uint32_t i = s->cell->first_result; i != NO_RESULT; i = fold_result(fold, i)->next)
        TRY(db_result(x, s->cell, fold_result(fold, i), f));
    TRY(db_images(x, s->cell, s->cell->first_image, ABSENT, f));
    const struct findings *fi = &x->results->findings;
    for (size_t i = fi->first[row->cell]; i < fi->first[row->cell + 1]; i++) {
        const struct finding *y = &fi->items[i];
        struct buf text;
        buf_init(&text, FINDINGS_TEXT_MAX);
        finding_text(y, &text);
        err e = ROW(x, I_FINDING, txt(contest), num(t->round), txt(s->unit->code),
                    txt(span_text(finding_name(y->code))),
                    txt(span_text(finding_severity(y->code) == SEVERITY_ERROR ? "error" : "warning")),
                    txt(buf_view(&text)),
                    num(y->result == NO_RESULT ? ABSENT : fold_result(fold, y->result)->entry));
        buf_release(&text);
        TRY(e);
    }
    return OK;
}

/* --- all rows --- */

static err all_rows(struct exporting *x, struct fail *f) {
    const struct fold *fold = x->log->fold;
    for (size_t i = 0; i < x->results->n; i++) {
        const struct tally *t = &x->results->tallies[i];
        if (!wanted(x, t)) continue;
        for (size_t n = 0; n < t->n; n++) {
            const struct tally_row *row = &t->rows[n];
            struct station_row s;
            if (!unit_is_station(fold, row->unit) || row->expected == 0) continue;
            look(x, t, row, &s);
            TRY(x->csv ? csv_row(x, t, row, &s, f) : OK);
            TRY(x->db ? db_row(x, t, row, &s, f) : OK);
            x->rows++;
            if (x->csv && x->out.n > FLUSH_BYTES) TRY(csv_flush(x, f));
        }
    }
    return OK;
}

static err to_csv(struct exporting *x, const char *path, struct fail *f) {
    char made[PATH_MAX_LEN];
    bool standard = strcmp(path, "-") == 0;
    if (snprintf(made, sizeof made, "%s.new", path) >= (int)sizeof made)
        return fail_set(f, E_IO, "the path is too long");
    x->csv = standard ? stdout : fopen(made, "wb");
    if (!x->csv) return file_error(f, errno, "making", made);
    size_t contests = 0;
    for (size_t i = 0; i < x->results->n; i++)
        contests += wanted(x, &x->results->tallies[i]) && x->results->tallies[i].round == 1;
    x->wide = contests == 1;
    buf_init(&x->out, FLUSH_BYTES * 4);
    csv_head(x);
    err e = all_rows(x, f);
    if (e == OK) e = csv_flush(x, f);
    buf_release(&x->out);
    bool bad = fflush(x->csv) != 0 || (!standard && fsync(fileno(x->csv)) != 0);
    if (!standard) bad = fclose(x->csv) != 0 || bad;
    if (e == OK && bad) e = file_error(f, errno, "writing", made);
    if (e == OK && !standard && rename(made, path)) e = file_error(f, errno, "writing", path);
    if (e != OK && !standard) (void)unlink(made);
    x->csv = NULL;
    return e;
}

static err to_sqlite(struct exporting *x, const char *path, struct fail *f) {
    TRY(sqlite_out_new(path, SCHEMA, &x->db, f));
    err e = db_definition(x, f);
    if (e == OK) e = all_rows(x, f);
    if (e == OK) e = sqlite_out_commit(x->db, f);
    sqlite_out_close(x->db);
    x->db = NULL;
    return e;
}

static err export_all(struct exporting *x, const char *csv, const char *sqlite, struct fail *f) {
    base64_encode(hash_span(&x->log->root), x->root);
    if (x->contest && fold_contest_by_id(x->log->fold, span_text(x->contest)) == NO_CONTEST)
        return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"; 'hesabu results' lists them",
                        x->contest);
    if (csv) TRY(to_csv(x, csv, f));
    if (csv) x->rows = sqlite ? 0 : x->rows;
    return sqlite ? to_sqlite(x, sqlite, f) : OK;
}

int cmd_export(int argc, char **argv) {
    const char *csv = NULL, *sqlite = NULL, *anchor = NULL;
    struct exporting x = {0};
    const struct opt options[] = {
        {"--csv", OPT_TEXT, &csv, "FILE", "one row a station and contest (\"-\": standard output)"},
        {"--sqlite", OPT_TEXT, &sqlite, "FILE", "a database: unit, contest, choice, station, result, vote, image, finding"},
        {"--contest", OPT_TEXT, &x.contest, "ID", "only this contest; its votes then have a column a choice"},
        {"--anchor", OPT_TEXT, &anchor, "FILE", "the gazetted trust anchor (else the tree's own)"},
    };
    const struct usage u = {
        "export DIR|URL --csv FILE|--sqlite FILE [--contest ID]",
        "Writes the figures of every station as they stand at the tree's newest checkpoint, which the\n"
        "rows name: written and computed totals, hash of the form's picture, times, state, findings, and\n"
        "whether the station is counted in the total \"transmitted\". Made by replaying the records.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct tree tree = {0};
    struct tree_log log = {0};
    struct results results = {0};
    struct tree_log_options o = {.anchor = anchor, .what = "export"};
    err e = csv || sqlite ? tree_open(argv[0], &tree, &f)
                          : fail_set(&f, E_USAGE, "--csv FILE or --sqlite FILE is needed");
    if (e == OK) e = tree_log_read(&tree, &o, &log, &f);
    if (e == OK) e = results_compute(log.fold, &results, &f);
    x.log = &log;
    x.results = &results;
    if (e == OK) e = export_all(&x, csv, sqlite, &f);
    if (e == OK) {
        struct buf b;
        buf_init(&b, 4096);
        tree_log_source(&log, &b);
        fprintf(stderr, "%llu rows; %s%s\n", (unsigned long long)x.rows, buf_cstr(&b),
                fold_definition(log.fold)->simulated ? "; SIMULATED" : "");
        buf_release(&b);
    }
    if (results.tallies) results_release(&results);
    tree_log_release(&log);
    tree_close(&tree);
    return e == OK ? 0 : cli_fail("export", &f);
}
