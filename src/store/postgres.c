/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/postgres.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

/* The advisory lock (LOCK_CLASS is "hsbu") is the writer's. */
enum { SCHEMA_VERSION = 1, TRIGGER_COUNT = 5, LOCK_CLASS = 0x68736275, LOCK_WRITER = 1 };

/* CHUNK: of one INSERT. PAGE: entries of one SELECT. RETRIES: of a transaction that the server took
 * back whole (SQLSTATE class 40). */
enum { CHUNK_ENTRIES = 4096, CHUNK_BYTES = 8 << 20, PAGE = 1024, RETRIES = 3, ANSWER_MS = 60000,
       ORIGIN_MAX = 1024, BYTEA_OID = 17 };

/* All in one schema of its own. STORAGE EXTERNAL: signed notes do not compress. */
static const char SCHEMA[] =
    "CREATE TABLE hesabu.store(one int2 PRIMARY KEY CHECK(one = 1), version int8 NOT NULL,"
    " origin text NOT NULL);"
    "CREATE TABLE hesabu.entry(idx int8 PRIMARY KEY CHECK(idx >= 0),"
    " bytes bytea NOT NULL CHECK(octet_length(bytes) <= 65535));"
    "ALTER TABLE hesabu.entry ALTER bytes SET STORAGE EXTERNAL;"
    "CREATE TABLE hesabu.head(one int2 PRIMARY KEY CHECK(one = 1), size int8 NOT NULL,"
    " term int8 NOT NULL, root bytea NOT NULL CHECK(octet_length(root) = 32), body bytea NOT NULL);"
    "INSERT INTO hesabu.head VALUES(1, 0, 0, sha256(''::bytea), ''::bytea);"
    "CREATE TABLE hesabu.note(kind int2, size int8, bytes bytea NOT NULL, PRIMARY KEY(kind, size));"
    "CREATE TABLE hesabu.meta(key bytea PRIMARY KEY, value bytea NOT NULL);"
    "CREATE FUNCTION hesabu.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION 'entries are append-only, and the head never goes back'; END $$;"
    "CREATE TRIGGER entry_change BEFORE UPDATE OR DELETE ON hesabu.entry"
    " FOR EACH ROW EXECUTE FUNCTION hesabu.refuse();"
    "CREATE TRIGGER entry_empty BEFORE TRUNCATE ON hesabu.entry"
    " FOR EACH STATEMENT EXECUTE FUNCTION hesabu.refuse();"
    "CREATE TRIGGER head_back BEFORE UPDATE ON hesabu.head FOR EACH ROW"
    " WHEN (NEW.size < OLD.size OR NEW.term < OLD.term) EXECUTE FUNCTION hesabu.refuse();"
    "CREATE TRIGGER head_delete BEFORE DELETE ON hesabu.head"
    " FOR EACH ROW EXECUTE FUNCTION hesabu.refuse();"
    "CREATE TRIGGER head_empty BEFORE TRUNCATE ON hesabu.head"
    " FOR EACH STATEMENT EXECUTE FUNCTION hesabu.refuse();";

/* Of every session. A sequencer that stands still inside a transaction must not hold the head's row
 * against its successor: the server ends it first (15 s), then the successor's wait (20 s) ends well.
 * A machine that is gone is noticed within half a minute, and its lock falls. Plans by index, made
 * once: the tables' statistics are not to be trusted while a log grows. A plan without the index then
 * looks so costly that the server would compile it, 0.3 s for each query of the one-row head. */
static const char SESSION[] =
    "SET search_path = pg_catalog; SET client_min_messages = warning;"
    "SET statement_timeout = 55000; SET lock_timeout = 20000;"
    "SET idle_in_transaction_session_timeout = 15000;"
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
    "SET tcp_user_timeout = 25000; SET enable_seqscan = off; SET enable_bitmapscan = off;"
    "SET plan_cache_mode = force_generic_plan; SET jit = off;";

enum query {
    Q_TAKE_TERM,
    Q_FENCE,
    Q_FENCE_SET,
    Q_ADD,
    Q_HEAD,
    Q_READ,
    Q_SET_NOTE,
    Q_TRIM_NOTES,
    Q_NOTE,
    Q_LATEST,
    Q_SET_META,
    Q_DROP_META,
    Q_META,
    Q_ENTRIES,
    Q_ALL_ENTRIES,
    Q_COUNT
};

/* What is too long comes as NULL: a length is read without the bytes. */
static const char *const SQL[Q_COUNT] = {
    [Q_TAKE_TERM] = "UPDATE hesabu.head SET term = term + 1 RETURNING term",
    [Q_FENCE] = "SELECT one FROM hesabu.head WHERE term = $1::int8 AND size = $2::int8 FOR UPDATE",
    [Q_FENCE_SET] = "UPDATE hesabu.head SET size = $3::int8, root = $4::bytea, body = $5::bytea"
                    " WHERE term = $1::int8 AND size = $2::int8",
    [Q_ADD] = "INSERT INTO hesabu.entry(idx, bytes) SELECT $1::int8 + at - 1, bytes"
              " FROM unnest($2::bytea[]) WITH ORDINALITY AS list(bytes, at)",
    [Q_HEAD] = "SELECT size, term, root, CASE WHEN octet_length(body) <= 4096 THEN body END"
               " FROM hesabu.head",
    [Q_READ] = "SELECT h.size, e.idx, CASE WHEN octet_length(e.bytes) <= 65535 THEN e.bytes END"
               " FROM hesabu.head h LEFT JOIN hesabu.entry e"
               " ON e.idx >= $1::int8 AND e.idx < $2::int8 ORDER BY e.idx",
    [Q_SET_NOTE] = "INSERT INTO hesabu.note(kind, size, bytes)"
                   " VALUES($1::int8::int2, $2::int8, $3::bytea)"
                   " ON CONFLICT (kind, size) DO UPDATE SET bytes = EXCLUDED.bytes",
    [Q_TRIM_NOTES] = "DELETE FROM hesabu.note WHERE kind = $1::int8::int2 AND size < $2::int8",
    [Q_NOTE] = "SELECT size, CASE WHEN octet_length(bytes) <= 1048576 THEN bytes END"
               " FROM hesabu.note WHERE kind = $1::int8::int2 AND size = $2::int8",
    [Q_LATEST] = "SELECT size, CASE WHEN octet_length(bytes) <= 1048576 THEN bytes END"
                 " FROM hesabu.note WHERE kind = $1::int8::int2 ORDER BY size DESC LIMIT 1",
    [Q_SET_META] = "INSERT INTO hesabu.meta(key, value) VALUES($1::bytea, $2::bytea)"
                   " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
    [Q_DROP_META] = "DELETE FROM hesabu.meta WHERE key = $1::bytea",
    [Q_META] = "SELECT CASE WHEN octet_length(value) <= 1048576 THEN value END"
               " FROM hesabu.meta WHERE key = $1::bytea",
    [Q_ENTRIES] = "SELECT size, coalesce((SELECT min(idx) FROM hesabu.entry), 0),"
                  " coalesce((SELECT max(idx) + 1 FROM hesabu.entry), 0) FROM hesabu.head",
    [Q_ALL_ENTRIES] = "SELECT size, 0::int8, (SELECT count(*) FROM hesabu.entry) FROM hesabu.head",
};

/* One session. `h` is NULL, or its connection broken, after the server was lost. */
struct db {
    PGconn *h;
    char *conninfo;
    bool prepared[Q_COUNT];
    bool again;        /* the last error took the transaction back whole: it may be tried again */
    bool reader, locked; /* locked: holds the writer's lock */
    uint32_t answer_ms;
    char name[160];    /* for messages: the database and where it is */
    char warning[200]; /* the last of the server's, "" when there was none */
    char origin[ORIGIN_MAX + 1]; /* "": any */
};

struct postgres_store {
    struct store base; /* first */
    struct db db;
    struct buf array; /* of one INSERT; kept, so that its memory is */
    int lock;
};

struct postgres_reader {
    struct store_reader base; /* first */
    struct db db;
};

static const struct store_ops OPS;

/* --- errors --------------------------------------------------------------------------------------
 */

/* One printable line of what the server or libpq said. Neither puts a password into it. */
static void one_line(char *out, size_t max, const char *said) {
    size_t n = 0;
    for (; said && *said && n + 1 < max; said++) {
        unsigned char c = (unsigned char)*said;
        bool space = c < 0x20 || c == 0x7f;
        if (space && (n == 0 || out[n - 1] == ' ')) continue;
        out[n++] = space ? ' ' : (char)c;
    }
    while (n && out[n - 1] == ' ') n--;
    out[n] = 0;
}

static bool alive(const struct db *d) {
    return d->h && PQstatus(d->h) == CONNECTION_OK;
}

static err lost(struct db *d, const char *why, struct fail *f) {
    return fail_set(f, E_IO, "the connection to %s was lost (%s): what was being written may be there "
                             "or not",
                    d->name, why);
}

/* The connection is of no more use. */
static err give_up(struct db *d, const char *why, struct fail *f) {
    char said[160];
    one_line(said, sizeof said, why);
    PQfinish(d->h);
    d->h = NULL;
    return lost(d, said, f);
}

/* What an SQLSTATE means here: postgresql.org/docs/15, appendix A. */
static err state_error(struct db *d, const char *state, const char *why, struct fail *f) {
    if (strcmp(state, "53100") == 0)
        return fail_set(f, E_DISK_FULL, "no space left on the server of %s: free some and start again",
                        d->name);
    if (strncmp(state, "XX00", 4) == 0 || strncmp(state, "42", 2) == 0 ||
        strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0) {
        if (strcmp(state, "42501") == 0)
            return fail_set(f, E_IO, "%s: %s: grant that to the role that hesabu uses", d->name, why);
        return fail_set(f, E_DAMAGED,
                        "%s is damaged (%s): restore it, or rebuild it from a mirror", d->name, why);
    }
    if (strcmp(state, "55P03") == 0 || strcmp(state, "57014") == 0)
        return fail_set(f, E_IO, "%s did not answer in time (%s): is another session holding the log's "
                                 "head?",
                        d->name, why);
    if (strcmp(state, "25006") == 0)
        return fail_set(f, E_IO, "%s takes no writes (%s): it is a standby; connect to the primary",
                        d->name, why);
    return fail_set(f, E_IO, "%s: %s (%s)", d->name, why, *state ? state : "no code");
}

static err db_error(struct db *d, const PGresult *r, struct fail *f) {
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char said[200];
    one_line(said, sizeof said, text ? text : d->h ? PQerrorMessage(d->h) : "no connection");
    d->again = state && strncmp(state, "40", 2) == 0 && strcmp(state, "40003") != 0;
    if (!alive(d) || !state) return lost(d, said, f);
    return state_error(d, state, said, f);
}

static void on_notice(void *ctx, const PGresult *r) {
    struct db *d = ctx;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && strcmp(severity, "WARNING") == 0)
        one_line(d->warning, sizeof d->warning, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
}

/* --- asking and waiting --------------------------------------------------------------------------
 */

/* Sends what waits and takes what came, until the server's next result is whole or time is up. Both
 * directions at once: a server whose answers nobody takes stops reading. */
static err await(struct db *d, struct fail *f) {
    uint64_t until = clock_monotonic_ms() + d->answer_ms;
    for (;;) {
        int unsent = PQflush(d->h);
        if (unsent < 0) return give_up(d, PQerrorMessage(d->h), f);
        if (!unsent && !PQisBusy(d->h)) return OK;
        uint64_t now = clock_monotonic_ms();
        struct pollfd p = {.fd = PQsocket(d->h), .events = (short)(unsent ? POLLIN | POLLOUT : POLLIN)};
        int ready = now < until ? poll(&p, 1, (int)(until - now)) : 0;
        if (ready == 0) return give_up(d, "it did not answer in time", f);
        if (ready < 0 && errno != EINTR) return give_up(d, strerror(errno), f);
        if (ready > 0 && (p.revents & ~POLLOUT) && !PQconsumeInput(d->h))
            return give_up(d, PQerrorMessage(d->h), f);
    }
}

/* The next result; NULL at the end of a statement's. The caller clears it. */
static err next_result(struct db *d, PGresult **out, struct fail *f) {
    *out = NULL;
    TRY(await(d, f));
    *out = PQgetResult(d->h);
    return OK;
}

static bool went_well(const PGresult *r) {
    ExecStatusType s = PQresultStatus(r);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

/* What one request outside a pipeline gives; *out (may be NULL) gets the last statement's result, which
 * the caller clears. */
static err take_answer(struct db *d, PGresult **out, struct fail *f) {
    PGresult *last = NULL, *r;
    err e;
    while ((e = next_result(d, &r, f)) == OK && r) {
        bool bad = last && !went_well(last); /* the first error is the one to tell */
        PQclear(bad ? r : last);
        if (!bad) last = r;
    }
    if (e == OK && (!last || !went_well(last))) e = db_error(d, last, f);
    if (e != OK || !out) PQclear(last);
    if (out) *out = e == OK ? last : NULL;
    return e;
}

static err ready(struct db *d, struct fail *f) {
    return alive(d) ? OK : lost(d, "it is closed", f);
}

/* Statements in text, without parameters. */
static err ask_text(struct db *d, const char *sql, PGresult **out, struct fail *f) {
    if (out) *out = NULL;
    TRY(ready(d, f));
    if (!PQsendQuery(d->h, sql)) return db_error(d, NULL, f);
    return take_answer(d, out, f);
}

enum { ARGS_MAX = 5 };
struct args {
    int n;
    const char *p[ARGS_MAX];
    int len[ARGS_MAX];
    uint8_t number[ARGS_MAX][8];
};

static void arg_bytes(struct args *a, struct span s) {
    a->p[a->n] = s.n ? (const char *)s.p : "";
    a->len[a->n++] = (int)s.n;
}

static void arg_number(struct args *a, uint64_t v) {
    put_u64be(a->number[a->n], v);
    arg_bytes(a, span_of(a->number[a->n], 8));
}

static err prepare(struct db *d, enum query q, struct fail *f) {
    char name[8];
    TRY(ready(d, f));
    if (d->prepared[q]) return OK;
    (void)snprintf(name, sizeof name, "q%d", (int)q);
    if (!PQsendPrepare(d->h, name, SQL[q], 0, NULL)) return db_error(d, NULL, f);
    TRY(take_answer(d, NULL, f));
    d->prepared[q] = true;
    return OK;
}

static err send_query(struct db *d, enum query q, const struct args *a, struct fail *f) {
    static const int binary[ARGS_MAX] = {1, 1, 1, 1, 1};
    char name[8];
    (void)snprintf(name, sizeof name, "q%d", (int)q);
    if (!PQsendQueryPrepared(d->h, name, a->n, a->p, a->len, binary, 1)) return db_error(d, NULL, f);
    return OK;
}

static err ask(struct db *d, enum query q, const struct args *a, PGresult **out, struct fail *f) {
    if (out) *out = NULL;
    TRY(prepare(d, q, f));
    TRY(send_query(d, q, a, f));
    return take_answer(d, out, f);
}

/* --- pipelines: several statements, one round trip ---------------------------------------------- */

static err pipe_text(struct db *d, const char *sql, struct fail *f) {
    return PQsendQueryParams(d->h, sql, 0, NULL, NULL, NULL, NULL, 1) ? OK : db_error(d, NULL, f);
}

/* Takes the results of everything since PQenterPipelineMode: all must be well. After an error the
 * server skips what follows. *last gets the last statement's, for the caller to clear. */
static err pipe_end(struct db *d, PGresult **last, struct fail *f) {
    *last = NULL;
    TRY(ready(d, f));
    if (!PQpipelineSync(d->h)) return db_error(d, NULL, f);
    err e = OK;
    for (int ends = 0;;) {
        PGresult *r;
        err waited = next_result(d, &r, f);
        if (waited == OK && !r && (++ends > 1 || !alive(d))) /* one ends a statement, two the link */
            waited = give_up(d, "no more answers", f);
        if (waited != OK) {
            PQclear(*last);
            *last = NULL;
            return waited;
        }
        if (!r) continue;
        ends = 0;
        if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            break;
        }
        if (!went_well(r) && e == OK) e = db_error(d, r, f);
        PQclear(*last);
        *last = r;
        if (!alive(d)) break;
    }
    if (alive(d) && !PQexitPipelineMode(d->h) && e == OK) e = db_error(d, NULL, f);
    if (e != OK) {
        PQclear(*last);
        *last = NULL;
    }
    return e;
}

/* Ends a transaction that shall have no effect; the error that led here is the one to report. */
static void roll_back(struct db *d) {
    struct fail ignored;
    if (!alive(d) || PQtransactionStatus(d->h) == PQTRANS_IDLE) return;
    if (PQpipelineStatus(d->h) != PQ_PIPELINE_OFF) { /* cut off in the middle of sending */
        (void)give_up(d, "unfinished", &ignored);
        return;
    }
    if (ask_text(d, "ROLLBACK", NULL, &ignored) != OK) (void)give_up(d, "no roll-back", &ignored);
}

/* --- values of a result -------------------------------------------------------------------------- */

static bool number_at(const PGresult *r, int row, int column, uint64_t *out) {
    if (PQgetisnull(r, row, column) || PQgetlength(r, row, column) != 8) return false;
    *out = get_u64be((const uint8_t *)PQgetvalue(r, row, column));
    return *out <= INT64_MAX;
}

static struct span span_at(const PGresult *r, int row, int column) {
    return span_of(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

/* --- connecting ---------------------------------------------------------------------------------- */

enum { KEYWORDS_MAX = 100 };

/* What holds unless the connection string says otherwise. */
static const char *const DEFAULTS[][2] = {
    {"connect_timeout", "10"},    {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
    {"keepalives_count", "3"},    {"tcp_user_timeout", "25000"}, {"application_name", "hesabu"},
    {"target_session_attrs", "read-write"},
};

static err parse_conninfo(const char *conninfo, PQconninfoOption **out, struct fail *f) {
    char *why = NULL, said[200];
    *out = PQconninfoParse(conninfo, &why);
    if (*out) return OK;
    one_line(said, sizeof said, why ? why : "out of memory");
    PQfreemem(why);
    /* libpq quotes the word that it does not understand, which may be part of a password */
    if (strstr(conninfo, "pass") || strchr(conninfo, '@'))
        return fail_set(f, E_CONFIG, "not a connection string of PostgreSQL");
    return fail_set(f, E_CONFIG, "not a connection string of PostgreSQL: %s", said);
}

static err find_password(const PQconninfoOption *o, struct fail *f) {
    for (; o->keyword; o++)
        if (o->val && (strcmp(o->keyword, "password") == 0 || strcmp(o->keyword, "sslpassword") == 0))
            return fail_set(f, E_CONFIG, "a connection string with a password in it is seen by "
                                         "everybody on this machine: put the password into ~/.pgpass "
                                         "(mode 0600), a service file or PGPASSWORD");
    return OK;
}

err postgres_conninfo_check(const char *conninfo, struct fail *f) {
    PQconninfoOption *o;
    TRY(parse_conninfo(conninfo, &o, f));
    err e = find_password(o, f);
    PQconninfoFree(o);
    return e;
}

static void name_it(struct db *d) {
    const char *host = PQhost(d->h), *name = PQdb(d->h), *port = PQport(d->h);
    char said[120];
    (void)snprintf(said, sizeof said, "%.50s at %.50s", name ? name : "?", host && *host ? host : "?");
    one_line(d->name, sizeof d->name, said);
    if (host && *host != '/' && port)
        (void)snprintf(d->name + strlen(d->name), 8, ":%.5s", port);
}

static err dial(struct db *d, const PQconninfoOption *o, struct fail *f) {
    const char *keys[KEYWORDS_MAX + 1] = {0}, *values[KEYWORDS_MAX + 1] = {0};
    size_t n = 0;
    for (size_t i = 0; i < sizeof DEFAULTS / sizeof *DEFAULTS; i++) {
        keys[n] = DEFAULTS[i][0];
        values[n++] = DEFAULTS[i][1];
    }
    for (; o->keyword && n + 1 < KEYWORDS_MAX; o++) {
        if (!o->val) continue;
        size_t at = 0;
        while (at < n && strcmp(keys[at], o->keyword) != 0) at++;
        keys[at] = o->keyword;
        values[at] = o->val;
        if (at == n) n++;
    }
    keys[n] = "client_encoding"; /* the last of two that are the same holds */
    values[n] = "UTF8";
    char said[250];
    d->h = PQconnectdbParams(keys, values, 0);
    if (!d->h) return fail_set(f, E_MEMORY, "out of memory while connecting to PostgreSQL");
    if (PQstatus(d->h) == CONNECTION_OK) return OK;
    one_line(said, sizeof said, PQerrorMessage(d->h));
    PQfinish(d->h);
    d->h = NULL;
    return fail_set(f, E_NETWORK, "no connection to PostgreSQL: %s", said);
}

/* Whether what is there is this program's store and the right log's; *there: any at all. */
static err check_kind(struct db *d, bool *there, struct fail *f) {
    PGresult *r;
    TRY(ask_text(d, "SELECT to_regclass('hesabu.store') IS NOT NULL", &r, f));
    *there = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
    PQclear(r);
    if (!*there) return OK;
    TRY(ask_text(d, "SELECT version, origin FROM hesabu.store", &r, f));
    err e = OK;
    if (PQntuples(r) != 1)
        e = fail_set(f, E_DAMAGED, "%s is not a record store: it does not say whose", d->name);
    else if (strtoull(PQgetvalue(r, 0, 0), NULL, 10) != SCHEMA_VERSION)
        e = fail_set(f, E_DAMAGED, "%s has format %.20s; this program knows format %d", d->name,
                     PQgetvalue(r, 0, 0), SCHEMA_VERSION);
    else if (*d->origin && strcmp(PQgetvalue(r, 0, 1), d->origin) != 0)
        e = fail_set(f, E_ORIGIN, "%s holds the log %.80s, not %.80s: give each election a database of "
                                  "its own",
                     d->name, PQgetvalue(r, 0, 1), d->origin);
    PQclear(r);
    return e;
}

/* Settings of every session. A commit is waited for whatever the server's or the role's default is. */
static err db_connect(struct db *d, struct fail *f) {
    PQconninfoOption *o;
    TRY(parse_conninfo(d->conninfo, &o, f));
    PQfinish(d->h);
    d->h = NULL;
    memset(d->prepared, 0, sizeof d->prepared);
    err e = find_password(o, f);
    if (e == OK) e = dial(d, o, f);
    PQconninfoFree(o);
    TRY(e);
    (void)PQsetNoticeReceiver(d->h, on_notice, d);
    name_it(d);
    if (PQsetnonblocking(d->h, 1)) return db_error(d, NULL, f);
    TRY(ask_text(d, SESSION, NULL, f));
    return d->reader ? ask_text(d, "SET default_transaction_read_only = on", NULL, f) : OK;
}

static err db_new(struct db *d, const char *conninfo, const char *origin, uint32_t answer_ms,
                  struct fail *f) {
    if (origin && strlen(origin) > ORIGIN_MAX)
        return fail_set(f, E_TOO_LARGE, "a log's origin has at most %d bytes", ORIGIN_MAX);
    d->conninfo = strdup(conninfo);
    if (!d->conninfo) return fail_set(f, E_MEMORY, "out of memory while opening a store");
    (void)snprintf(d->origin, sizeof d->origin, "%s", origin ? origin : "");
    (void)snprintf(d->name, sizeof d->name, "the database");
    d->answer_ms = answer_ms ? answer_ms : ANSWER_MS;
    return db_connect(d, f);
}

static void db_close(struct db *d) {
    PQfinish(d->h);
    free(d->conninfo);
    *d = (struct db){0};
}

/* --- reading ------------------------------------------------------------------------------------- */

static err read_head(struct db *d, struct store_head *out, struct fail *f) {
    PGresult *r;
    struct args none = {0};
    TRY(ask(d, Q_HEAD, &none, &r, f));
    err e = OK;
    if (PQntuples(r) != 1) {
        e = fail_set(f, E_DAMAGED, "%s is damaged: it has no head row", d->name);
    } else {
        struct span root = span_at(r, 0, 2), body = span_at(r, 0, 3);
        if (!number_at(r, 0, 0, &out->size) || !number_at(r, 0, 1, &out->term) ||
            root.n != sizeof out->root.b || PQgetisnull(r, 0, 3) || body.n > STORE_BODY_MAX) {
            e = fail_set(f, E_DAMAGED, "%s is damaged: its head row makes no sense", d->name);
        } else {
            memcpy(out->root.b, root.p, root.n);
            out->body_n = body.n;
            if (body.n) memcpy(out->body, body.p, body.n);
        }
    }
    PQclear(r);
    return e;
}

struct reading {
    uint64_t next, end;
    store_visit *visit;
    void *ctx;
};

/* Entries that are there never change, and the head only grows: parts read one after the other are
 * one view as long as the first knew of all of them. */
static err visit_page(struct db *d, const PGresult *r, uint64_t to, struct reading *w,
                      struct fail *f) {
    uint64_t size, index;
    if (PQntuples(r) == 0 || !number_at(r, 0, 0, &size))
        return fail_set(f, E_DAMAGED, "%s is damaged: it has no head row", d->name);
    if (w->end > size)
        return fail_set(f, E_RANGE, "entries %llu to %llu: the log has %llu",
                        (unsigned long long)w->next, (unsigned long long)(w->end - 1),
                        (unsigned long long)size);
    for (int row = 0; w->next < to; row++, w->next++) {
        if (row >= PQntuples(r) || !number_at(r, row, 1, &index) || index != w->next)
            return fail_set(f, E_DAMAGED, "%s is damaged: entry %llu is missing", d->name,
                            (unsigned long long)w->next);
        struct span entry = span_at(r, row, 2);
        if (PQgetisnull(r, row, 2) || entry.n > STORE_ENTRY_MAX)
            return fail_set(f, E_DAMAGED, "%s is damaged: entry %llu is longer than an entry can be",
                            d->name, (unsigned long long)w->next);
        TRY(w->visit(w->ctx, w->next, entry, f));
    }
    return OK;
}

/* A reader that lost its connection gets one more, if it is to the same log. */
static err read_again(struct db *d, struct fail *f) {
    bool there;
    TRY(db_connect(d, f));
    TRY(check_kind(d, &there, f));
    return there ? OK : fail_set(f, E_NOT_FOUND, "%s holds no record store", d->name);
}

static err op_read(struct store_reader *reader, uint64_t first, uint64_t count, store_visit *visit,
                   void *ctx, struct fail *f) {
    struct db *d = &((struct postgres_reader *)reader)->db;
    struct reading w = {.next = first, .end = first + count, .visit = visit, .ctx = ctx};
    bool again = true;
    while (w.next < w.end) {
        uint64_t to = w.end - w.next > PAGE ? w.next + PAGE : w.end;
        struct args a = {0};
        PGresult *r;
        arg_number(&a, w.next);
        arg_number(&a, to);
        err e = ask(d, Q_READ, &a, &r, f);
        if (e != OK && !alive(d) && again) {
            again = false;
            TRY(read_again(d, f));
            continue;
        }
        TRY(e);
        e = visit_page(d, r, to, &w, f);
        PQclear(r);
        TRY(e);
    }
    return OK;
}

static err op_reader_head(struct store_reader *reader, struct store_head *out, struct fail *f) {
    struct db *d = &((struct postgres_reader *)reader)->db;
    err e = read_head(d, out, f);
    if (e == OK || alive(d)) return e;
    TRY(read_again(d, f));
    return read_head(d, out, f);
}

static void op_reader_close(struct store_reader *reader) {
    db_close(&((struct postgres_reader *)reader)->db);
    free(reader);
}

static err reader_new(const char *conninfo, const char *origin, uint32_t answer_ms,
                      struct store_reader **out, struct fail *f) {
    struct postgres_reader *r = calloc(1, sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "out of memory while opening a store");
    r->base.ops = &OPS;
    r->db.reader = true;
    bool there = true;
    err e = db_new(&r->db, conninfo, origin, answer_ms, f);
    if (e == OK) e = check_kind(&r->db, &there, f);
    if (e == OK && !there) e = fail_set(f, E_NOT_FOUND, "%s holds no record store", r->db.name);
    if (e != OK) {
        op_reader_close(&r->base);
        return e;
    }
    *out = &r->base;
    return OK;
}

static err op_reader_open(struct store *s, struct store_reader **out, struct fail *f) {
    struct db *d = &((struct postgres_store *)s)->db;
    return reader_new(d->conninfo, d->origin, d->answer_ms, out, f);
}

err postgres_reader_open(const char *conninfo, const char *origin, struct store_reader **out,
                         struct fail *f) {
    *out = NULL;
    return reader_new(conninfo, origin, 0, out, f);
}

/* --- the writer ---------------------------------------------------------------------------------- */

static err op_head(struct store *s, struct store_head *out, struct fail *f) {
    return read_head(&((struct postgres_store *)s)->db, out, f);
}

/* The writer's lock, if it can be had. */
static err try_lock(struct db *d, struct fail *f) {
    char sql[80];
    PGresult *r;
    (void)snprintf(sql, sizeof sql, "SELECT pg_try_advisory_lock(%d, %d)", LOCK_CLASS, LOCK_WRITER);
    TRY(ask_text(d, sql, &r, f));
    d->locked = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "t") == 0;
    PQclear(r);
    return OK;
}

/* A warning with a commit: it is on the server's disk, but the standbys that should have it too have
 * not said so. Nobody may rely on it yet. */
static err doubtful(struct db *d, struct fail *f) {
    if (!d->warning[0]) return OK;
    return fail_set(f, E_IO, "%s wrote but did not confirm (%s): start again", d->name, d->warning);
}

static err op_take_term(struct store *s, uint64_t *term, struct fail *f) {
    struct db *d = &((struct postgres_store *)s)->db;
    struct args none = {0};
    PGresult *r;
    d->warning[0] = 0;
    TRY(ask(d, Q_TAKE_TERM, &none, &r, f));
    err e = PQntuples(r) == 1 && number_at(r, 0, 0, term)
                ? doubtful(d, f)
                : fail_set(f, E_DAMAGED, "%s is damaged: it has no head row", d->name);
    PQclear(r);
    return e;
}

/* Nothing was written: another sequencer did before. */
static err fenced(struct db *d, const struct store_batch *b, struct fail *f) {
    struct store_head head;
    TRY(read_head(d, &head, f));
    if (head.term != b->term)
        return fail_set(f, E_FENCED,
                        "another sequencer took over %s (term %llu, ours is %llu): this one stops",
                        d->name, (unsigned long long)head.term, (unsigned long long)b->term);
    return fail_set(f, E_FENCED, "%s has %llu entries where %llu were expected: replay it", d->name,
                    (unsigned long long)head.size, (unsigned long long)b->first);
}

/* Opens the transaction and locks the head, if its term and size are the caller's. */
static err begin(struct db *d, const struct store_batch *b, struct fail *f) {
    enum query q = b->count ? Q_FENCE_SET : Q_FENCE;
    struct args a = {0};
    arg_number(&a, b->term);
    arg_number(&a, b->first);
    if (b->count) {
        arg_number(&a, b->first + b->count);
        arg_bytes(&a, span_of(b->root.b, sizeof b->root.b));
        arg_bytes(&a, b->body);
    }
    TRY(prepare(d, q, f));
    if (!PQenterPipelineMode(d->h)) return db_error(d, NULL, f);
    err e = pipe_text(d, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", f);
    if (e == OK) e = send_query(d, q, &a, f);
    PGresult *r = NULL;
    if (e == OK) e = pipe_end(d, &r, f);
    if (e == OK && strcmp(b->count ? PQcmdTuples(r) : PQntuples(r) ? "1" : "0", "1") != 0)
        e = fenced(d, b, f);
    PQclear(r);
    return e;
}

/* Appends entries from..to as a one-dimensional bytea[] in binary form (array_recv of PostgreSQL). */
static err make_array(struct buf *out, const struct span *entries, size_t n, struct fail *f) {
    uint8_t word[4];
    const uint32_t head[] = {1, 0, BYTEA_OID, (uint32_t)n, 1};
    buf_clear(out);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        put_u32be(word, head[i]);
        buf_add(out, word, sizeof word);
    }
    for (size_t i = 0; i < n; i++) {
        put_u32be(word, (uint32_t)entries[i].n);
        buf_add(out, word, sizeof word);
        buf_span(out, entries[i]);
    }
    return buf_ok(out, f);
}

static err send_row(struct db *d, const struct store_row *r, struct fail *f) {
    struct args a = {0}, before = {0};
    if (!r->note) {
        arg_bytes(&a, span_text(r->key));
        if (r->value.p) arg_bytes(&a, r->value);
        return send_query(d, r->value.p ? Q_SET_META : Q_DROP_META, &a, f);
    }
    arg_number(&a, (uint64_t)r->note);
    arg_number(&a, r->size);
    arg_bytes(&a, r->value);
    TRY(send_query(d, Q_SET_NOTE, &a, f));
    if (r->note != STORE_SIGNED) return OK;
    arg_number(&before, (uint64_t)r->note);
    arg_number(&before, r->size);
    return send_query(d, Q_TRIM_NOTES, &before, f);
}

static err send_entries(struct postgres_store *s, const struct store_batch *b, size_t *at,
                        struct fail *f) {
    struct args a = {0};
    size_t from = *at, bytes = 0;
    while (*at < b->count && *at - from < CHUNK_ENTRIES && bytes < CHUNK_BYTES)
        bytes += b->entries[(*at)++].n;
    TRY(make_array(&s->array, b->entries + from, *at - from, f));
    arg_number(&a, b->first + from);
    arg_bytes(&a, buf_view(&s->array));
    return send_query(&s->db, Q_ADD, &a, f);
}

static err prepare_rows(struct db *d, const struct store_batch *b, struct fail *f) {
    if (b->count) TRY(prepare(d, Q_ADD, f));
    for (size_t i = 0; i < b->row_count; i++) {
        const struct store_row *r = &b->rows[i];
        TRY(prepare(d, r->note ? Q_SET_NOTE : r->value.p ? Q_SET_META : Q_DROP_META, f));
        if (r->note == STORE_SIGNED) TRY(prepare(d, Q_TRIM_NOTES, f));
    }
    return OK;
}

/* Entries, rows and COMMIT; the last part in one pipeline. The server skips the COMMIT after an error.
 * OK only for its own word that it committed. */
static err put_batch(struct postgres_store *s, const struct store_batch *b, struct fail *f) {
    struct db *d = &s->db;
    size_t at = 0;
    bool more = true;
    TRY(prepare_rows(d, b, f));
    TRY(begin(d, b, f));
    while (more) {
        PGresult *r;
        if (!PQenterPipelineMode(d->h)) return db_error(d, NULL, f);
        if (b->count) TRY(send_entries(s, b, &at, f));
        more = at < b->count;
        for (size_t i = 0; i < b->row_count && !more; i++) TRY(send_row(d, &b->rows[i], f));
        if (!more) TRY(pipe_text(d, "COMMIT", f));
        d->warning[0] = 0;
        TRY(pipe_end(d, &r, f));
        err e = more || strcmp(PQcmdStatus(r), "COMMIT") == 0
                    ? OK
                    : fail_set(f, E_IO, "%s did not commit (%.20s)", d->name, PQcmdStatus(r));
        PQclear(r);
        TRY(e);
    }
    return doubtful(d, f);
}

static err op_append(struct store *base, const struct store_batch *b, struct fail *f) {
    struct postgres_store *s = (struct postgres_store *)base;
    struct db *d = &s->db;
    if (!d->locked) TRY(try_lock(d, f));
    for (int tries = 0;; tries++) {
        d->again = false;
        err e = put_batch(s, b, f);
        if (e == OK) return OK;
        roll_back(d);
        if (!d->again || !alive(d) || tries == RETRIES) return e;
    }
}

/* One row of [size,] bytes, appended. */
static err take_value(struct db *d, const PGresult *r, int column, uint64_t *size, struct buf *out,
                      struct fail *f) {
    uint64_t at;
    if (PQgetisnull(r, 0, column) || (size && !number_at(r, 0, 0, &at)))
        return fail_set(f, E_DAMAGED, "%s is damaged: a row beside the entries makes no sense", d->name);
    if (size) *size = at;
    buf_span(out, span_at(r, 0, column));
    return buf_ok(out, f);
}

static err op_note(struct store *s, enum store_note note, uint64_t *size, bool latest,
                   struct buf *out, struct fail *f) {
    struct db *d = &((struct postgres_store *)s)->db;
    struct args a = {0};
    PGresult *r;
    arg_number(&a, (uint64_t)note);
    if (!latest) arg_number(&a, *size);
    TRY(ask(d, latest ? Q_LATEST : Q_NOTE, &a, &r, f));
    err e = PQntuples(r) ? take_value(d, r, 1, size, out, f)
                         : fail_set(f, E_NOT_FOUND, "%s holds no such checkpoint", d->name);
    PQclear(r);
    return e;
}

static err op_meta(struct store *s, const char *key, struct buf *out, struct fail *f) {
    struct db *d = &((struct postgres_store *)s)->db;
    struct args a = {0};
    PGresult *r;
    arg_bytes(&a, span_text(key));
    TRY(ask(d, Q_META, &a, &r, f));
    err e = PQntuples(r) ? take_value(d, r, 0, NULL, out, f)
                         : fail_set(f, E_NOT_FOUND, "%s holds no value %.80s", d->name, key);
    PQclear(r);
    return e;
}

static void op_close(struct store *base) {
    struct postgres_store *s = (struct postgres_store *)base;
    struct fail ignored;
    /* the server may take its time over the end of a session: whoever opens next need not wait */
    if (s->db.locked && alive(&s->db) && PQtransactionStatus(s->db.h) == PQTRANS_IDLE)
        (void)(ask_text(&s->db, "SELECT pg_advisory_unlock_all()", NULL, &ignored) == OK);
    db_close(&s->db);
    buf_release(&s->array);
    if (s->lock >= 0) close(s->lock);
    free(s);
}

static const struct store_ops OPS = {
    .head = op_head,
    .take_term = op_take_term,
    .append = op_append,
    .note = op_note,
    .meta = op_meta,
    .close = op_close,
    .reader_open = op_reader_open,
    .reader_close = op_reader_close,
    .read = op_read,
    .reader_head = op_reader_head,
};

/* --- opening ------------------------------------------------------------------------------------- */

static err one_number(struct db *d, const char *sql, uint64_t *out, struct fail *f) {
    PGresult *r;
    TRY(ask_text(d, sql, &r, f));
    char *end = NULL;
    if (PQntuples(r) == 1 && !PQgetisnull(r, 0, 0)) *out = strtoull(PQgetvalue(r, 0, 0), &end, 10);
    bool good = end && !*end;
    PQclear(r);
    return good ? OK : fail_set(f, E_DAMAGED, "%s does not answer with a number", d->name);
}

/* An acknowledged append survives a power cut only on a server that syncs; fsync and full pages are
 * the server's own settings, a commit's waiting is the session's. remote_apply waits for more. */
static err check_durable(struct db *d, struct fail *f) {
    PGresult *r;
    TRY(ask_text(d,
                 "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
                 " WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)",
                 NULL, f));
    TRY(ask_text(d, "SELECT current_setting('fsync'), current_setting('full_page_writes')", &r, f));
    static const char *const settings[] = {"fsync", "full_page_writes"};
    err e = OK;
    for (int i = 0; e == OK && i < 2; i++)
        if (PQntuples(r) != 1 || strcmp(PQgetvalue(r, 0, i), "on") != 0)
            e = fail_set(f, E_CONFIG, "the server of %s runs with %s = %.20s: it would lose acknowledged "
                                      "records with the power; set it to on",
                         d->name, settings[i], PQgetvalue(r, 0, i));
    PQclear(r);
    return e;
}

/* The tables and the empty head in one transaction: a store is there entirely or not at all. */
static err create(struct db *d, struct fail *f) {
    static const char schema_there[] = "SELECT count(*) FROM pg_namespace WHERE nspname = 'hesabu'";
    uint64_t made = 0;
    char *origin = PQescapeLiteral(d->h, d->origin, strlen(d->origin));
    struct buf sql;
    if (!origin) return db_error(d, NULL, f);
    buf_init(&sql, 16384);
    err e = one_number(d, schema_there, &made, f);
    buf_str(&sql, "BEGIN;");
    if (!made) buf_str(&sql, "CREATE SCHEMA hesabu;");
    buf_str(&sql, SCHEMA);
    buf_printf(&sql, "INSERT INTO hesabu.store VALUES(1, %d, %s); COMMIT", SCHEMA_VERSION, origin);
    PQfreemem(origin);
    if (e == OK) e = buf_ok(&sql, f);
    if (e == OK) e = ask_text(d, buf_cstr(&sql), NULL, f);
    if (e != OK) roll_back(d);
    buf_release(&sql);
    return e;
}

/* Head against entries, in one statement: another session may still be appending (take_over). */
static err check_entries(struct db *d, bool slowly, struct fail *f) {
    PGresult *r;
    uint64_t size, least, next;
    struct args none = {0};
    TRY(ask(d, slowly ? Q_ALL_ENTRIES : Q_ENTRIES, &none, &r, f));
    bool good = PQntuples(r) == 1 && number_at(r, 0, 0, &size) && number_at(r, 0, 1, &least) &&
                number_at(r, 0, 2, &next);
    PQclear(r);
    if (!good) return fail_set(f, E_DAMAGED, "%s is damaged: its head makes no sense", d->name);
    if (least == 0 && next == size) return OK;
    return fail_set(f, E_DAMAGED, "%s is damaged: its head says %llu entries, it holds %s%llu", d->name,
                    (unsigned long long)size, slowly ? "" : "up to ", (unsigned long long)next);
}

/* Also the rules that keep the tables append-only. */
static err check_whole(struct db *d, bool slowly, struct fail *f) {
    struct store_head head;
    uint64_t triggers = 0;
    TRY(one_number(d,
                   "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
                   " AND tgrelid IN ('hesabu.entry'::regclass, 'hesabu.head'::regclass)",
                   &triggers, f));
    if (triggers != TRIGGER_COUNT)
        return fail_set(f, E_DAMAGED,
                        "%s was tampered with: the rules that keep it append-only are missing", d->name);
    TRY(read_head(d, &head, f));
    TRY(check_entries(d, false, f));
    return slowly ? check_entries(d, true, f) : OK;
}

static err open_writer(struct db *d, const struct postgres_options *o, struct fail *f) {
    bool there;
    TRY(check_durable(d, f));
    TRY(try_lock(d, f));
    /* the session of a daemon that was just killed ends in a moment */
    for (int i = 0; i < 10 && !d->locked && !o->take_over; i++) {
        (void)poll(NULL, 0, 100);
        TRY(try_lock(d, f));
    }
    if (!d->locked && !o->take_over)
        return fail_set(f, E_LOCKED,
                        "%s is in use: another daemon sequences this log. Stop that one first, or go on "
                        "in its place with --take-over",
                        d->name);
    TRY(check_kind(d, &there, f));
    if (!there && !o->create)
        return fail_set(f, E_NOT_FOUND, "%s holds no record store", d->name);
    if (!there) TRY(create(d, f));
    return check_whole(d, o->check, f);
}

err postgres_store_open(const char *conninfo, const struct postgres_options *options,
                        struct store **out, struct fail *f) {
    struct postgres_options o = options ? *options : (struct postgres_options){0};
    *out = NULL;
    struct postgres_store *s = calloc(1, sizeof *s);
    if (!s) return fail_set(f, E_MEMORY, "out of memory while opening a store");
    s->base.ops = &OPS;
    s->lock = -1;
    buf_init(&s->array, (size_t)CHUNK_BYTES + STORE_ENTRY_MAX + (size_t)CHUNK_ENTRIES * 4 + 64);
    err e = o.dir ? store_lock_folder(o.dir, &s->lock, f) : OK;
    if (e == OK) e = db_new(&s->db, conninfo, o.origin, o.answer_ms, f);
    if (e == OK) e = open_writer(&s->db, &o, f);
    if (e != OK) {
        op_close(&s->base);
        return e;
    }
    *out = &s->base;
    return OK;
}
