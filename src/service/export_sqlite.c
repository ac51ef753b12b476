/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One SQLite file with everything, for people who ask questions in SQL. The table `readme` explains
 * the others; so do the comments, which SQLite keeps with the tables (".schema" shows them). */
#include "base/clock.h"
#include "service/export_walk.h"
#include "store/sqlite.h"

const char export_sqlite_schema[] =
    "CREATE TABLE readme(line INTEGER PRIMARY KEY, about TEXT, text TEXT) STRICT;\n"
    "CREATE TABLE source( -- one row: where these figures come from\n"
    " origin TEXT, -- name of the log\n"
    " election TEXT, -- id of the election: SHA-256 of its manifest\n"
    " checkpoint_size INTEGER, -- entries of the log that were read\n"
    " checkpoint_root TEXT, -- root of the tree of these entries, base64\n"
    " checkpoint_time TEXT, -- of the last entry, UTC\n"
    " title TEXT, status TEXT,\n"
    " simulated TEXT, -- SIMULATED, or NULL for a real election\n"
    " notice TEXT) STRICT;\n"
    "CREATE TABLE unit( -- the nation and everything below it\n"
    " code TEXT PRIMARY KEY, name TEXT, level TEXT, parent TEXT REFERENCES unit,\n"
    " registered INTEGER -- voters in the register\n"
    " ) STRICT;\n"
    "CREATE TABLE contest(id TEXT PRIMARY KEY, name TEXT, kind TEXT, unit TEXT REFERENCES unit,\n"
    " round INTEGER -- the current one\n"
    " ) STRICT;\n"
    "CREATE TABLE choice(contest TEXT REFERENCES contest, id TEXT, position INTEGER, -- on the ballot\n"
    " name TEXT, party TEXT, PRIMARY KEY(contest, id)) STRICT;\n"
    "CREATE TABLE station( -- one row a station, contest and round\n"
    " contest TEXT, round INTEGER, station TEXT REFERENCES unit, state TEXT,\n"
    " counted INTEGER, -- 1: in the total 'transmitted'\n"
    " entry INTEGER, -- of the result that stands; NULL when none or several stand\n"
    " held INTEGER, -- entry whose figures hold, after decisions; NULL: none do\n"
    " standing_results INTEGER, PRIMARY KEY(contest, round, station)) STRICT;\n"
    "CREATE TABLE result( -- every result that was sent, replaced ones too\n"
    " entry INTEGER PRIMARY KEY, -- number in the log\n"
    " record TEXT, -- id of the record: SHA-256 of its text\n"
    " contest TEXT, round INTEGER, station TEXT,\n"
    " received_ms INTEGER, received_at TEXT, -- when the log took it\n"
    " signed_ms INTEGER, signed_at TEXT, -- by the signer's own clock\n"
    " basis TEXT, -- station: typed there; paper: from the paper form\n"
    " superseded_by INTEGER, -- entry of the result that replaced it\n"
    " registered INTEGER, valid_written INTEGER, -- as on the form; NULL: blank\n"
    " valid_computed INTEGER, -- sum of the choices' votes\n"
    " rejected INTEGER, objected INTEGER, disputed INTEGER, voters_kit INTEGER, voters_manual INTEGER,\n"
    " serial TEXT, agents_present INTEGER, agents_signed INTEGER, agents_refused INTEGER,\n"
    " agent_keys INTEGER, -- agents who signed on a device\n"
    " saw INTEGER, object INTEGER -- countersignatures\n"
    " ) STRICT;\n"
    "CREATE TABLE vote(entry INTEGER REFERENCES result, choice TEXT, votes INTEGER,\n"
    " PRIMARY KEY(entry, choice)) STRICT;\n"
    "CREATE TABLE image( -- pictures of forms\n"
    " entry INTEGER PRIMARY KEY, contest TEXT, round INTEGER, station TEXT, result_entry INTEGER,\n"
    " kind TEXT, page INTEGER,\n"
    " public TEXT, -- SHA-256 of the public version: objects/<public> in the published tree\n"
    " original TEXT, received_ms INTEGER, received_at TEXT, masked INTEGER) STRICT;\n"
    "CREATE TABLE finding( -- what does not add up, or deserves a look; never an accusation\n"
    " contest TEXT, round INTEGER, unit TEXT REFERENCES unit, code TEXT, severity TEXT, text TEXT,\n"
    " entry INTEGER, -- of the result that it is about\n"
    " decision INTEGER -- entry of the decision that accepts or settles it; NULL: open\n"
    " ) STRICT;\n"
    "CREATE TABLE reading( -- what people and machines read from the picture, once it was opened\n"
    " entry INTEGER PRIMARY KEY, seal_entry INTEGER, contest TEXT, round INTEGER, station TEXT,\n"
    " machine INTEGER, blind INTEGER, -- 1: nobody's reading of this form was public before\n"
    " sealed_at TEXT, opened_at TEXT, registered INTEGER, valid INTEGER, rejected INTEGER,\n"
    " objected INTEGER, disputed INTEGER, serial TEXT) STRICT;\n"
    "CREATE TABLE reading_vote( -- of readings, and of comparisons that found another figure\n"
    " entry INTEGER, choice TEXT, votes INTEGER, PRIMARY KEY(entry, choice)) STRICT;\n"
    "CREATE TABLE comparison( -- with the paper original\n"
    " entry INTEGER PRIMARY KEY, contest TEXT, round INTEGER, station TEXT, level TEXT, at TEXT,\n"
    " with_entry INTEGER, -- the figures that were compared\n"
    " same INTEGER, registered INTEGER, valid INTEGER, rejected INTEGER) STRICT;\n"
    "CREATE TABLE decision(entry INTEGER PRIMARY KEY, contest TEXT, round INTEGER, unit TEXT,\n"
    " at TEXT, action TEXT, codes TEXT, -- findings that it accepts\n"
    " record_entry INTEGER, -- that it adopts, or releases\n"
    " court_order TEXT, released_by INTEGER) STRICT;\n"
    "CREATE TABLE declaration(entry INTEGER PRIMARY KEY, contest TEXT, round INTEGER, at TEXT,\n"
    " outcome TEXT, choices TEXT, -- ids with a blank between them\n"
    " checkpoint_size INTEGER, checkpoint_root TEXT, -- what it binds\n"
    " override INTEGER -- entry of the override that lists what was still open; NULL: nothing was\n"
    " ) STRICT;\n"
    "CREATE TABLE total( -- every unit above the stations, one row a named total\n"
    " contest TEXT, round INTEGER, unit TEXT REFERENCES unit, total TEXT, expected INTEGER,\n"
    " received INTEGER, in_question INTEGER, not_held INTEGER, stations INTEGER, registered INTEGER,\n"
    " valid_written INTEGER, rejected INTEGER, valid_blank INTEGER, rejected_blank INTEGER,\n"
    " PRIMARY KEY(contest, round, unit, total)) STRICT;\n"
    "CREATE TABLE total_vote(contest TEXT, round INTEGER, unit TEXT, total TEXT, choice TEXT,\n"
    " votes INTEGER, PRIMARY KEY(contest, round, unit, total, choice)) STRICT;\n";

static const char VIEWS[] =
    "CREATE VIEW counted_vote AS -- a row a counted station and choice, with names\n"
    " SELECT s.contest, s.round, s.station, u.name AS station_name, u.parent, v.choice,\n"
    " c.name AS choice_name, c.party, v.votes FROM station s JOIN unit u ON u.code = s.station\n"
    " JOIN vote v ON v.entry = s.entry JOIN choice c ON c.contest = s.contest AND c.id = v.choice\n"
    " WHERE s.counted = 1;\n"
    "CREATE VIEW counted_result AS -- the result of each counted station\n"
    " SELECT s.state, u.name AS station_name, u.parent, u.registered AS register, r.* FROM station s\n"
    " JOIN unit u ON u.code = s.station JOIN result r ON r.entry = s.entry WHERE s.counted = 1;\n"
    "CREATE VIEW unit_above AS -- every unit with each unit above it, itself included\n"
    " WITH RECURSIVE up(code, above) AS (SELECT code, code FROM unit UNION ALL\n"
    " SELECT up.code, unit.parent FROM up JOIN unit ON unit.code = up.above\n"
    " WHERE unit.parent IS NOT NULL) SELECT code, above FROM up;\n"
    "CREATE VIEW finding_count AS SELECT code, severity, count(*) AS n FROM finding GROUP BY 1, 2;\n"
    "CREATE VIEW totals_check AS -- totals added up here, beside those that were published; no row differs\n"
    " SELECT v.contest, v.round, k.unit, v.choice, sum(v.votes) AS added, t.votes AS published\n"
    " FROM counted_vote v JOIN contest k ON k.id = v.contest JOIN total_vote t ON\n"
    " t.contest = v.contest AND t.round = v.round AND t.unit = k.unit AND t.choice = v.choice\n"
    " AND t.total = 'transmitted' GROUP BY 1, 2, 3, 4;\n";

static const char *const README[][2] = {
    {"what", "The figures of an election as the records of its public log give them. Every row was made "
             "by replaying signed records; 'hesabu verify' checks those."},
    {"what", "Made with 'hesabu export --format sqlite': at the same checkpoint anybody makes the same "
             "file, byte for byte."},
    {"words", "transmitted: the total of stations with exactly one standing result and a picture of its "
              "form, findings or not. Totals with different names are never mixed."},
    {"words", "transcribed: of these, stations whose figures people read from the form; compared: found in "
              "the paper original. station.held: the entry whose figures hold after decisions."},
    {"words", "A finding is a question to be answered from the paper, not an accusation; it changes no "
              "figure. A blank on a form is NULL, never 0."},
    {"words", "Provisional until declared: see source.status."},
    {"table", "source, unit, contest, choice: the definition. station: one row a station, contest and "
              "round. result, vote: every result that was sent. image: pictures of forms. reading, "
              "reading_vote, comparison, decision: what the tally desk did. declaration. finding. total, total_vote: "
              "totals of every unit above the stations."},
    {"view", "counted_vote, counted_result, unit_above, finding_count, totals_check"},
    {"example", "SELECT choice_name, sum(votes) FROM counted_vote WHERE contest = 'president' GROUP BY 1;"},
    {"example", "SELECT a.above, v.choice, sum(v.votes) FROM counted_vote v JOIN unit_above a ON a.code = "
                "v.station JOIN unit u ON u.code = a.above AND u.level = 'county' GROUP BY 1, 2;"},
    {"example", "SELECT * FROM totals_check WHERE added <> published;"},
    {"picture", "image.public names a file: ADDRESS/objects/<public>"},
};

static const char I_README[] = "INSERT INTO readme VALUES(?,?,?)",
                  I_SOURCE[] = "INSERT INTO source VALUES(?,?,?,?,?,?,?,?,?)",
                  I_UNIT[] = "INSERT INTO unit VALUES(?,?,?,?,?)",
                  I_CONTEST[] = "INSERT INTO contest VALUES(?,?,?,?,?)",
                  I_CHOICE[] = "INSERT INTO choice VALUES(?,?,?,?,?)",
                  I_STATION[] = "INSERT INTO station VALUES(?,?,?,?,?,?,?,?)",
                  I_RESULT[] = "INSERT INTO result VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                               "?,?)",
                  I_VOTE[] = "INSERT INTO vote VALUES(?,?,?)",
                  I_IMAGE[] = "INSERT INTO image VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
                  I_FINDING[] = "INSERT INTO finding VALUES(?,?,?,?,?,?,?,?)",
                  I_READING[] = "INSERT INTO reading VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                  I_READ_VOTE[] = "INSERT INTO reading_vote VALUES(?,?,?)",
                  I_COMPARED[] = "INSERT INTO comparison VALUES(?,?,?,?,?,?,?,?,?,?,?)",
                  I_DECLARED[] = "INSERT INTO declaration VALUES(?,?,?,?,?,?,?,?,?)",
                  I_DECISION[] = "INSERT INTO decision VALUES(?,?,?,?,?,?,?,?,?,?)",
                  I_TOTAL[] = "INSERT INTO total VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                  I_TOTAL_VOTE[] = "INSERT INTO total_vote VALUES(?,?,?,?,?,?)";

struct db_out {
    const struct export_source *s;
    struct sqlite_out *db;
};

static struct sqlite_value num(uint64_t v) {
    return v == ABSENT ? (struct sqlite_value){.kind = SQLITE_ABSENT}
                       : (struct sqlite_value){.kind = SQLITE_NUMBER, .number = v};
}
static struct sqlite_value num32(uint32_t v) {
    return num(v == UINT32_MAX ? ABSENT : v);
}
static struct sqlite_value txt(struct span s) {
    return s.n ? (struct sqlite_value){.kind = SQLITE_WORDS, .words = s}
               : (struct sqlite_value){.kind = SQLITE_ABSENT};
}
static struct sqlite_value str(const char *s) {
    return txt(span_text(s));
}

#define ROW(x, sql, ...)                                                                           \
    sqlite_out_row((x)->db, sql, (struct sqlite_value[]){__VA_ARGS__},                             \
                   sizeof((struct sqlite_value[]){__VA_ARGS__}) / sizeof(struct sqlite_value), f)

static err definition_rows(struct db_out *x, struct fail *f) {
    const struct fold *s = x->s->fold;
    const struct definition *d = fold_definition(s);
    struct export_checkpoint at;
    export_checkpoint(x->s, &at);
    for (size_t i = 0; i < sizeof README / sizeof *README; i++)
        TRY(ROW(x, I_README, num(i + 1), str(README[i][0]), str(README[i][1])));
    TRY(ROW(x, I_SOURCE, txt(d->origin), str(at.election), num(at.size), str(at.root), str(at.time),
            txt(d->title), str(export_status_text(export_status(x->s))), str(d->simulated ? "SIMULATED" : ""),
            txt(d->notice)));
    for (uint32_t i = 0; i < fold_unit_count(s); i++) {
        const struct unit *u = fold_unit(s, i);
        struct span parent = u->parent == NO_UNIT ? (struct span){0} : fold_unit(s, u->parent)->code;
        TRY(ROW(x, I_UNIT, txt(u->code), txt(u->name), txt(d->levels[u->level]), txt(parent),
                num(u->registered)));
    }
    return OK;
}

static err contest_rows(struct db_out *x, struct fail *f) {
    const struct fold *s = x->s->fold;
    for (uint32_t i = 0; i < fold_contest_count(s); i++) {
        const struct contest *k = fold_contest(s, i);
        if (x->s->contest && !span_is(k->id, x->s->contest)) continue;
        TRY(ROW(x, I_CONTEST, txt(k->id), txt(k->name), txt(k->kind), txt(fold_unit(s, k->unit)->code),
                num(k->round)));
        for (uint32_t c = 0; c < k->choice_count; c++) {
            const struct choice *ch = contest_choice(s, k, c);
            TRY(ROW(x, I_CHOICE, txt(k->id), txt(ch->id), num(c + 1), txt(ch->name), txt(ch->party)));
        }
    }
    return OK;
}

static err image_rows(struct db_out *x, const struct cell *cell, uint32_t first,
                      uint64_t result_entry, struct fail *f) {
    const struct fold *s = x->s->fold;
    for (uint32_t i = first; i != NO_IMAGE;) {
        const struct image *m = fold_image(s, i);
        char shown[HASH_HEX_LEN + 1], original[HASH_HEX_LEN + 1], at[21];
        hash_hex(&m->shown, shown);
        hash_hex(&m->original, original);
        clock_format_utc(m->ms, at);
        TRY(ROW(x, I_IMAGE, num(m->entry), txt(fold_contest(s, cell->contest)->id), num(cell->round),
                txt(fold_unit(s, cell->station)->code), num(result_entry), str(export_image_kind(m)),
                num(m->page), str(shown), str(original), num(m->ms), str(at), num(m->masked)));
        i = m->next_of_result;
    }
    return OK;
}

static err result_rows(struct db_out *x, const struct cell *cell, const struct result *r,
                       struct fail *f) {
    const struct fold *s = x->s->fold;
    const struct contest *k = fold_contest(s, cell->contest);
    const uint64_t *votes = result_votes(s, r);
    struct hash id = fold_id(s, r->entry);
    char hex[HASH_HEX_LEN + 1], received[21], signed_at[21];
    uint64_t sum = ABSENT;
    hash_hex(&id, hex);
    clock_format_utc(r->ms, received);
    clock_format_utc(r->signed_ms, signed_at);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (votes[c] == ABSENT) continue;
        sum = (sum == ABSENT ? 0 : sum) + votes[c];
        TRY(ROW(x, I_VOTE, num(r->entry), txt(contest_choice(s, k, c)->id), num(votes[c])));
    }
    uint64_t by = r->superseded_by == NO_RESULT ? ABSENT : fold_result(s, r->superseded_by)->entry;
    TRY(ROW(x, I_RESULT, num(r->entry), str(hex), txt(k->id), num(cell->round),
            txt(fold_unit(s, cell->station)->code), num(r->ms), str(received), num(r->signed_ms),
            str(signed_at), str(r->basis == BASIS_STATION ? "station" : "paper"), num(by),
            num(r->registered), num(r->valid), num(sum), num(r->rejected), num(r->objected_votes),
            num(r->disputed), num(r->voters_kit), num(r->voters_manual), txt(r->serial),
            num32(r->agents_present), num32(r->agents_signed), num32(r->agents_refused),
            num(r->keys_signed), num(r->saw), num(r->objected)));
    return image_rows(x, cell, r->first_image, r->entry, f);
}

static err finding_row(struct db_out *x, const struct finding *y, struct fail *f) {
    const struct fold *fold = x->s->fold;
    struct buf text;
    buf_init(&text, 4096);
    finding_text(y, &text);
    err e = ROW(x, I_FINDING, txt(fold_contest(fold, y->contest)->id), num(y->round),
                txt(fold_unit(fold, y->unit)->code), str(finding_name(y->code)),
                str(y->severity == SEVERITY_ERROR ? "error" : "warning"), txt(buf_view(&text)),
                num(y->result == NO_RESULT ? ABSENT : fold_result(fold, y->result)->entry),
                num(y->decision == NO_DECISION ? ABSENT : fold_decision(fold, y->decision)->entry));
    buf_release(&text);
    return e;
}

/* --- the tally desk --- */

static err read_votes(struct db_out *x, const struct tally *t, const struct form_reading *r,
                      struct fail *f) {
    const struct fold *fold = x->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    const uint64_t *votes = reading_votes(fold, r);
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (votes[c] != ABSENT)
            TRY(ROW(x, I_READ_VOTE, num(r->entry), txt(contest_choice(fold, k, c)->id), num(votes[c])));
    return OK;
}

static err reading_row(struct db_out *x, const struct tally *t, struct span station,
                       const struct seal *seal, struct fail *f) {
    const struct form_reading *r = fold_reading(x->s->fold, seal->reading);
    char sealed[21], opened[21];
    clock_format_utc(seal->ms, sealed);
    clock_format_utc(seal->opened_ms, opened);
    TRY(ROW(x, I_READING, num(r->entry), num(seal->entry), txt(fold_contest(x->s->fold, t->contest)->id),
            num(t->round), txt(station), num(seal->machine), num(seal->blind), str(sealed), str(opened),
            num(r->registered), num(r->valid), num(r->rejected), num(r->objected), num(r->disputed),
            txt(r->serial)));
    return read_votes(x, t, r, f);
}

static err compared_row(struct db_out *x, const struct tally *t, struct span station,
                        const struct compared *c, struct fail *f) {
    const struct fold *fold = x->s->fold;
    bool same = c->reading == NO_READING;
    const struct form_reading *r = same ? NULL : fold_reading(fold, c->reading);
    char at[21];
    clock_format_utc(c->ms, at);
    TRY(ROW(x, I_COMPARED, num(c->entry), txt(fold_contest(fold, t->contest)->id), num(t->round),
            txt(station), txt(fold_definition(fold)->levels[c->level]), str(at), num(c->record), num(same),
            num(r ? r->registered : ABSENT), num(r ? r->valid : ABSENT), num(r ? r->rejected : ABSENT)));
    return r ? read_votes(x, t, r, f) : OK;
}

static err desk_rows(struct db_out *x, const struct tally *t, const struct export_station *st,
                     struct fail *f) {
    const struct fold *fold = x->s->fold;
    const struct desk *d = cell_desk(fold, st->cell);
    if (!d) return OK;
    for (uint32_t i = d->first_seal; i != NO_SEAL; i = fold_seal(fold, i)->next)
        if (fold_seal(fold, i)->reading != NO_READING)
            TRY(reading_row(x, t, st->unit->code, fold_seal(fold, i), f));
    for (uint32_t i = d->first_compared; i != NO_COMPARED; i = fold_compared(fold, i)->next)
        TRY(compared_row(x, t, st->unit->code, fold_compared(fold, i), f));
    return OK;
}

static err decision_rows(struct db_out *x, struct fail *f) {
    const struct fold *fold = x->s->fold;
    for (uint32_t i = 0; i < fold_decision_count(fold); i++) {
        const struct decision *d = fold_decision(fold, i);
        struct span contest = fold_contest(fold, d->contest)->id;
        if (x->s->contest && !span_is(contest, x->s->contest)) continue;
        bool names = d->action == DECISION_ADOPT || d->action == DECISION_RELEASE;
        char at[21], order[HASH_HEX_LEN + 1] = "";
        struct buf codes;
        buf_init(&codes, 4096);
        export_codes(d, &codes);
        clock_format_utc(d->ms, at);
        if (d->has_order) hash_hex(&d->order, order);
        err e = ROW(x, I_DECISION, num(d->entry), txt(contest), num(d->round),
                    txt(fold_unit(fold, d->unit)->code), str(at), str(export_action(d)),
                    txt(buf_view(&codes)), num(names ? d->record : ABSENT), str(order),
                    num(d->released_by == NO_DECISION ? ABSENT : fold_decision(fold, d->released_by)->entry));
        buf_release(&codes);
        TRY(e);
    }
    return OK;
}

static err declaration_rows(struct db_out *x, struct fail *f) {
    const struct fold *fold = x->s->fold;
    for (uint32_t i = 0; i < fold_declaration_count(fold); i++) {
        const struct declaration *d = fold_declaration(fold, i);
        struct span contest = fold_contest(fold, d->contest)->id;
        if (x->s->contest && !span_is(contest, x->s->contest)) continue;
        char at[21], root[HASH_BASE64_LEN + 1];
        struct buf choices;
        buf_init(&choices, 1 << 16);
        export_outcome(fold, d, false, " ", &choices);
        clock_format_utc(d->ms, at);
        base64_encode(hash_span(&d->root), root);
        err e = ROW(x, I_DECLARED, num(d->entry), txt(contest), num(d->round), str(at),
                    str(outcome_name(d->outcome.kind)), txt(buf_view(&choices)), num(d->size), str(root),
                    num(d->override == NO_OVERRIDE ? ABSENT : fold_override(fold, d->override)->entry));
        buf_release(&choices);
        TRY(e);
    }
    return OK;
}

static err station_rows(struct db_out *x, const struct tally *t, size_t i, struct fail *f) {
    const struct fold *fold = x->s->fold;
    struct export_station st;
    struct export_desk desk;
    export_station(x->s, t, i, &st);
    export_desk(x->s, st.cell, &desk);
    TRY(ROW(x, I_STATION, txt(fold_contest(fold, t->contest)->id), num(t->round), txt(st.unit->code),
            str(st.state), num(st.counted), num(st.result ? st.result->entry : ABSENT), num(desk.held),
            num(st.standing)));
    if (!st.cell) return OK;
    for (uint32_t k = st.cell->first_result; k != NO_RESULT; k = fold_result(fold, k)->next)
        TRY(result_rows(x, st.cell, fold_result(fold, k), f));
    TRY(image_rows(x, st.cell, st.cell->first_image, ABSENT, f));
    return desk_rows(x, t, &st, f);
}

static err total_rows(struct db_out *x, const struct tally *t, const struct tally_row *row,
                      struct fail *f) {
    const struct fold *fold = x->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    struct span unit = fold_unit(fold, row->unit)->code;
    for (int n = 0; n < TOTAL_COUNT; n++) {
        const struct total *sum = &row->total[n];
        const char *name = total_name((enum total_name)n);
        TRY(ROW(x, I_TOTAL, txt(k->id), num(t->round), txt(unit), str(name), num(row->expected),
                num(row->received), num(row->in_question), num(row->not_held), num(sum->stations),
                num(sum->registered), num(sum->valid), num(sum->rejected), num(sum->valid_blank),
                num(sum->rejected_blank)));
        for (uint32_t c = 0; c < k->choice_count; c++) {
            if (!contest_has_choice(k, t->round, c)) continue;
            TRY(ROW(x, I_TOTAL_VOTE, txt(k->id), num(t->round), txt(unit), str(name),
                    txt(contest_choice(fold, k, c)->id), num(sum->votes[c])));
        }
    }
    return OK;
}

static err all_rows(struct db_out *x, struct fail *f) {
    TRY(definition_rows(x, f));
    TRY(contest_rows(x, f));
    for (size_t n = 0; n < x->s->results->n; n++) {
        const struct tally *t = &x->s->results->tallies[n];
        if (!export_wants(x->s, t)) continue;
        for (size_t i = 0; i < t->n; i++) {
            if (export_is_station(x->s, t, i)) TRY(station_rows(x, t, i, f));
            if (!unit_is_station(x->s->fold, t->rows[i].unit)) TRY(total_rows(x, t, &t->rows[i], f));
        }
    }
    const struct findings *fi = &x->s->results->findings;
    for (size_t i = 0; i < fi->n; i++) {
        struct span contest = fold_contest(x->s->fold, fi->items[i].contest)->id;
        if (!x->s->contest || span_is(contest, x->s->contest)) TRY(finding_row(x, &fi->items[i], f));
    }
    TRY(decision_rows(x, f));
    return declaration_rows(x, f);
}

err export_sqlite(const struct export_source *s, const char *path, struct fail *f) {
    struct db_out x = {.s = s};
    TRY(sqlite_out_new(path, export_sqlite_schema, &x.db, f));
    err e = all_rows(&x, f);
    if (e == OK) e = sqlite_out_exec(x.db, VIEWS, f);
    if (e == OK) e = sqlite_out_commit(x.db, f);
    sqlite_out_close(x.db);
    return e;
}
