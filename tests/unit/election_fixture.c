/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "election_fixture.h"
#include "record_cases.h"

#include "election/audits.h"
#include "election/canonical_json.h"
#include "tlog/checkpoint.h"
#include "tlog/merkle.h"

struct hash fx_hash(const char *word) {
    return sha256(span_text(word));
}

struct fixture *fx_new(void) {
    struct fixture *x = calloc(1, sizeof *x);
    assert_non_null(x);
    x->keys = calloc(FX_KEYS, sizeof *x->keys);
    x->entries = calloc(FX_ENTRIES, sizeof *x->entries);
    assert_non_null(x->keys);
    assert_non_null(x->entries);
    struct fail f;
    struct fold_options o = {.objects = {fx_get_object, x}};
    must(fold_new(&o, &x->fold, &f));
    x->ms = FX_OPENS / 2;
    return x;
}

void fx_free(struct fixture *x) {
    fold_free(x->fold);
    for (size_t i = 0; i < x->key_count; i++) buf_release(&x->keys[i].vkey);
    for (size_t i = 0; i < x->object_count; i++) buf_release(&x->objects[i].bytes);
    for (size_t i = 0; i < x->entry_count; i++) buf_release(&x->entries[i].bytes);
    free(x->keys);
    free(x->entries);
    free(x);
}

struct fx_key *fx_key(struct fixture *x, const char *name) {
    struct fail f;
    for (size_t i = 0; i < x->key_count; i++)
        if (strcmp(x->keys[i].name, name) == 0) return &x->keys[i];
    assert_true(x->key_count < FX_KEYS);
    struct fx_key *k = &x->keys[x->key_count++];
    snprintf(k->name, sizeof k->name, "%s", name);
    struct hash seed = sha256_2(SPAN_LIT("fixture seed "), span_text(name));
    must(note_signer_make(span_text(k->name), NOTE_TYPE_ED25519, seed.b, &k->signer, &f));
    buf_init(&k->vkey, 1000);
    note_vkey_format(&k->signer.key, &k->vkey);
    return k;
}

struct span fx_vkey(struct fixture *x, const char *name) {
    return buf_view(&fx_key(x, name)->vkey);
}

struct named_object fx_object(struct fixture *x, struct span bytes) {
    struct hash id = sha256(bytes);
    for (size_t i = 0; i < x->object_count; i++)
        if (hash_eq(&x->objects[i].ref.id, &id)) return x->objects[i].ref;
    assert_true(x->object_count < FX_OBJECTS);
    struct fx_object *o = &x->objects[x->object_count++];
    buf_init(&o->bytes, 1 << 24);
    buf_span(&o->bytes, bytes);
    o->ref = (struct named_object){id, bytes.n};
    return o->ref;
}

err fx_get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                  struct fail *f) {
    const struct fixture *x = ctx;
    (void)size;
    for (size_t i = 0; i < x->object_count; i++)
        if (hash_eq(&x->objects[i].ref.id, id)) {
            *out = buf_view(&x->objects[i].bytes);
            return OK;
        }
    return fail_set(f, E_OBJECT_MISSING, "the fixture has no such object");
}

const struct fx_label *fx_label(const struct fixture *x, const char *name) {
    for (size_t i = 0; i < x->label_count; i++)
        if (strcmp(x->labels[i].name, name) == 0) return &x->labels[i];
    fail_msg("no record is labelled %s", name);
    return NULL;
}

/* ---- checkpoints ---- */

static struct hash root_at(const struct fixture *x, uint64_t size) {
    struct merkle_frontier m = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct hash leaf = merkle_leaf(buf_view(&x->entries[i].bytes));
        merkle_frontier_append(&m, &leaf);
    }
    return merkle_frontier_root(&m);
}

void fx_checkpoint(struct fixture *x, const char *kind, uint64_t size, struct buf *out) {
    struct fail f;
    struct hash root = root_at(x, size < x->entry_count ? size : x->entry_count);
    struct note_signer s = fx_key(x, "example.org/test-election")->signer;
    if (strcmp(kind, "key") == 0) s.secret = fx_key(x, "stranger")->signer.secret;
    if (strcmp(kind, "stranger") == 0) {
        s = fx_key(x, "stranger")->signer;
        s.key.name = SPAN_LIT("example.org/test-election");
        s.key.id = note_key_id(s.key.name, NOTE_TYPE_ED25519, span_of(s.key.public.b, 32));
    }
    if (strcmp(kind, "origin") == 0) s = fx_key(x, "example.org/another-election")->signer;
    must(checkpoint_sign(&s, size, &root, out, &f));
}

/* ---- signing ---- */

/* The signer for "a" or "a@b"; `name` keeps the text. */
static struct note_signer signer_of(struct fixture *x, const char *who, char name[160]) {
    snprintf(name, 160, "%s", who);
    char *as = strchr(name, '@');
    if (as) *as++ = 0;
    struct note_signer s = fx_key(x, name)->signer;
    if (as) {
        s.key.name = span_text(as);
        s.key.id = note_key_id(s.key.name, NOTE_TYPE_ED25519, span_of(s.key.public.b, 32));
    }
    return s;
}

/* "a", "a@b", "04:a" */
static void sign_line(struct fixture *x, const char *who, struct span text, struct buf *line) {
    struct fail f;
    char name[160];
    bool timed = strncmp(who, "04:", 3) == 0;
    struct note_signer s = signer_of(x, timed ? who + 3 : who, name);
    if (timed) {
        uint8_t sig[72] = {0};
        note_line_write(s.key.name, s.key.id, span_of(sig, sizeof sig), line);
    } else {
        must(note_sign_line(&s, text, line, &f));
    }
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(buf_view(a), buf_view(b));
}

void fx_sign(struct fixture *x, const char *signers, struct span text, struct buf *note) {
    struct buf lines[NOTE_LINES_MAX + 2];
    size_t n = 0;
    char all[16000], *save = NULL;
    snprintf(all, sizeof all, "%s", signers);
    for (char *p = strtok_r(all, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
        buf_init(&lines[n], 1000);
        sign_line(x, p, text, &lines[n++]);
    }
    qsort(lines, n, sizeof *lines, by_bytes);
    buf_span(note, text);
    buf_byte(note, '\n');
    for (size_t i = 0; i < n; i++) {
        buf_span(note, buf_view(&lines[i]));
        buf_release(&lines[i]);
    }
}

/* ---- patterns ---- */

static void object_ref(struct span bytes, uint64_t size, struct buf *out) {
    struct hash id = sha256(bytes);
    buf_str(out, "{\"sha256\":\"");
    buf_hex(out, hash_span(&id));
    buf_printf(out, "\",\"size\":%llu}", (unsigned long long)size);
}

/* Rectangles "[0,0,0,0]" whose last numbers grow until exactly n bytes are there. */
static void pad(struct buf *out, size_t n) {
    while (n >= 30) {
        buf_str(out, "[0,0,0,0],");
        n -= 10;
    }
    const char *digits[] = {"0", "10", "100", "1000", "10000", "100000"};
    size_t more = n - 9;
    buf_byte(out, '[');
    for (int i = 0; i < 4; i++) {
        size_t take = more > 5 ? 5 : more;
        more -= take;
        buf_str(out, digits[take]);
        if (i < 3) buf_byte(out, ',');
    }
    buf_byte(out, ']');
}

static struct span named_bytes(const char *name) {
    for (const struct fx_named *o = fx_named; o->name; o++)
        if (strcmp(o->name, name) == 0) return span_text(o->bytes);
    fail_msg("no object is named %s", name);
    return (struct span){0};
}

const struct fx_named fx_readings[] = {
#define READING(reg, rejected, valid, a, b, c)                                                     \
    "{\"ballots\":{\"registered\":" reg ",\"rejected\":" rejected ",\"valid\":" valid "},\"votes\":{\"ann\":" a \
    ",\"bo\":" b ",\"cy\":" c "}}"
    {"1101", READING("530", "3", "350", "200", "100", "50")},
    {"1102", READING("540", "3", "353", "101", "201", "51")},
    {"1102x", READING("540", "3", "359", "101", "201", "57")},
    {"1102y", READING("540", "3", "363", "111", "201", "51")},
    {"1202", READING("580", "3", "315", "7", "8", "300")},
    {"2101", READING("610", "3", "320", "60", "60", "200")},
    {"over", READING("540", "3", "541", "101", "201", "239")},
    {"gov", "{\"ballots\":{},\"votes\":{\"dee\":80,\"eve\":90}}"},
    {"full", "{\"ballots\":{\"registered\":540,\"rejected\":3},\"illegible\":[\"ballots.valid\",\"votes.cy\"],"
             "\"marks\":[\"no-stamp\",\"overwritten\"],\"serial\":\"S-9\",\"voters\":{\"kit\":355},"
             "\"votes\":{\"ann\":101,\"bo\":201}}"},
    {"illegible-figure", "{\"ballots\":{\"valid\":1},\"illegible\":[\"ballots.valid\"],\"votes\":{}}"},
    {"illegible-field", "{\"ballots\":{},\"illegible\":[\"votes.zed\"],\"votes\":{}}"},
    {"illegible-order", "{\"ballots\":{},\"illegible\":[\"votes.bo\",\"votes.ann\"],\"votes\":{}}"},
    {"illegible-none", "{\"ballots\":{},\"illegible\":[],\"votes\":{}}"},
    {"mark", "{\"ballots\":{},\"marks\":[\"ugly\"],\"votes\":{}}"},
    {"mark-order", "{\"ballots\":{},\"marks\":[\"overwritten\",\"no-stamp\"],\"votes\":{}}"},
    {"mark-none", "{\"ballots\":{},\"marks\":[],\"votes\":{}}"},
    {"choice", "{\"ballots\":{},\"votes\":{\"zed\":1}}"},
    {"serial", "{\"ballots\":{},\"serial\":\"\",\"votes\":{}}"},
#undef READING
    {NULL, NULL}};

static const char *reading_named(const char *name) {
    for (const struct fx_named *o = fx_readings; o->name; o++)
        if (strcmp(o->name, name) == 0) return o->bytes;
    fail_msg("no reading is named %s", name);
    return NULL;
}

/* "all": every entry; "@LABEL": those before the record with this label; or a number. */
static uint64_t size_of(const struct fixture *x, const char *word) {
    if (strcmp(word, "all") == 0) return x->entry_count;
    return word[0] == '@' ? fx_label(x, word + 1)->index : strtoull(word, NULL, 10);
}

/* Hand counts of an audit, by number; the nonce is ${h:nonce}, or ${h:WORD} with "NUMBER/WORD". */
static struct span audit_counts(const char *number) {
    static const char *const all[] = {
        "{\"rejected\":3,\"votes\":{\"ann\":200,\"bo\":100,\"cy\":50}}",
        "{\"votes\":{\"ann\":200,\"bo\":101,\"cy\":49}}", "\"lost\"",
        "{\"votes\":{\"ann\":200,\"bo\":100}}", "{\"votes\":{\"ann\":200,\"bo\":100,\"zed\":1}}",
        "\"mislaid\"", "{\"votes\":{\"ann\":1000000000,\"bo\":100,\"cy\":50}}"};
    return span_text(all[strtol(number, NULL, 10)]);
}

static void expand_word(struct fixture *x, char *word, struct buf *out) {
    char *arg = strchr(word, ':'), name[160];
    if (arg) *arg++ = 0;
    if (strcmp(word, "e") == 0) {
        buf_hex(out, hash_span(&x->election));
    } else if (strcmp(word, "count") == 0 || strcmp(word, "auditseal") == 0) {
        struct span counts = audit_counts(arg);
        const char *other = strchr(arg, '/');
        struct hash nonce = fx_hash(other ? other + 1 : "nonce"), seal = audit_count_seal(nonce.b, counts);
        if (*word == 'c')
            buf_span(out, counts);
        else
            buf_hex(out, hash_span(&seal));
    } else if (strcmp(word, "v") == 0) {
        struct note_signer s = signer_of(x, arg, name);
        note_vkey_format(&s.key, out);
    } else if (strcmp(word, "h") == 0) {
        struct hash h = fx_hash(arg);
        buf_hex(out, hash_span(&h));
    } else if (strcmp(word, "id") == 0) {
        buf_hex(out, hash_span(&fx_label(x, arg)->id));
    } else if (strcmp(word, "o") == 0) {
        object_ref(span_text(arg), fx_object(x, span_text(arg)).size, out);
    } else if (strcmp(word, "O") == 0) {
        struct buf bytes;
        buf_init(&bytes, 1 << 20);
        if (memmem(named_bytes(arg).p, named_bytes(arg).n, "${", 2))
            fx_expand(x, (const char *)named_bytes(arg).p, &bytes);
        else
            buf_span(&bytes, named_bytes(arg));
        object_ref(buf_view(&bytes), fx_object(x, buf_view(&bytes)).size, out);
        buf_release(&bytes);
    } else if (strcmp(word, "wrong") == 0) {
        object_ref(named_bytes(arg), fx_object(x, named_bytes(arg)).size + 1, out);
    } else if (strcmp(word, "missing") == 0) {
        object_ref(SPAN_LIT("nobody has this"), 15, out);
    } else if (strcmp(word, "n") == 0) {
        buf_u64(out, size_of(x, arg));
    } else if (strcmp(word, "root") == 0) {
        struct hash root = root_at(x, size_of(x, arg));
        buf_hex(out, hash_span(&root));
    } else if (strcmp(word, "cp") == 0) {
        struct buf note;
        buf_init(&note, 4096);
        char *size = strchr(arg, ':');
        assert_non_null(size);
        *size++ = 0;
        fx_checkpoint(x, arg, size_of(x, size), &note);
        object_ref(buf_view(&note), fx_object(x, buf_view(&note)).size, out);
        buf_release(&note);
    } else if (strcmp(word, "x") == 0) {
        char *c = strchr(arg, ':');
        assert_non_null(c);
        for (long i = strtol(arg, NULL, 10); i > 0; i--) buf_str(out, c + 1);
    } else if (strcmp(word, "r") == 0) {
        buf_str(out, reading_named(arg));
    } else if (strcmp(word, "seal") == 0) { /* ${seal:NONCE:READING} */
        char *reading = strchr(arg, ':');
        assert_non_null(reading);
        *reading++ = 0;
        struct hash h = seal_hash(fx_hash(arg).b, span_text(reading_named(reading)));
        buf_hex(out, hash_span(&h));
    } else if (strcmp(word, "line") == 0) {
        const uint8_t *cut = memmem(out->p, out->n, "\n\n", 2);
        assert_non_null(cut);
        struct buf line;
        buf_init(&line, 1000);
        sign_line(x, arg, span_of(out->p, (size_t)(cut - out->p) + 1), &line);
        buf_span(out, buf_view(&line));
        buf_release(&line);
    } else if (strcmp(word, "fake") == 0) {
        struct note_signer s = signer_of(x, arg, name);
        uint8_t zero[64] = {0};
        note_line_write(s.key.name, s.key.id, span_of(zero, sizeof zero), out);
    } else {
        fail_msg("unknown pattern ${%s}", word);
    }
}

void fx_expand(struct fixture *x, const char *p, struct buf *out) {
    size_t pad_to = 0, pad_at = 0;
    const char *space = strchr(p, ' ');
    bool bare = space && space[1] == '{' && strncmp(p, "hesabu/", 7) != 0;
    if (bare) {
        buf_printf(out, "hesabu/v1 %.*s\n", (int)(space - p), p);
        p = space + 1;
    }
    while (*p) {
        if (p[0] != '$' || p[1] != '{') {
            buf_byte(out, (uint8_t)(*p == '\'' ? '"' : *p));
            p++;
            continue;
        }
        const char *end = strchr(p, '}');
        assert_non_null(end);
        char word[400];
        snprintf(word, sizeof word, "%.*s", (int)(end - p - 2), p + 2);
        p = end + 1;
        if (strncmp(word, "pad:", 4) == 0) {
            pad_to = (size_t)strtol(word + 4, NULL, 10);
            pad_at = out->n;
        } else {
            expand_word(x, word, out);
        }
    }
    if (bare) buf_byte(out, '\n');
    if (pad_to) {
        struct buf tail;
        buf_init(&tail, 1 << 20);
        buf_add(&tail, out->p + pad_at, out->n - pad_at);
        out->n = pad_at;
        pad(out, pad_to - tail.n - pad_at);
        buf_span(out, buf_view(&tail));
        buf_release(&tail);
    }
    assert_false(out->failed);
}

/* ---- applying ---- */

static struct span text_of_entry(const struct fixture *x, uint64_t i) {
    uint64_t ms;
    struct span note;
    struct note cut;
    struct fail f;
    assert_true(i < x->entry_count);
    must(entry_parse(buf_view(&x->entries[i].bytes), &ms, &note, &f));
    must(note_cut(note, &cut, &f));
    return cut.text;
}

static err verify(struct fixture *x, struct fail *f) {
    for (size_t i = 0; i < x->out.check_count; i++) {
        const struct sig_check *k = &x->out.checks[i];
        struct span message = k->message.p ? k->message : text_of_entry(x, k->of);
        x->verified++;
        if (!ed25519_verify((const struct ed25519_public *)k->pub,
                            (const struct ed25519_signature *)k->sig, message))
            return fail_set(f, E_SIGNATURE, "line %u does not verify", k->line);
    }
    return OK;
}

err fx_try(struct fixture *x, struct span note, struct fail *f) {
    struct buf entry;
    buf_init(&entry, 1 << 20);
    entry_format(&entry, x->ms, note);
    if (!x->batch) fold_begin(x->fold);
    size_t mark = fold_mark(x->fold);
    uint64_t size = fold_size(x->fold);
    err e = fold_apply(x->fold, buf_view(&entry), &x->out, f);
    if (e == OK) {
        /* every line of the note is checked, no more and no less */
        if (x->out.type != REC_SIGNATURES) {
            struct record r;
            assert_int_equal(record_parse(note, &r, NULL), OK);
            assert_int_equal(x->out.check_count, r.split.count);
        }
        e = verify(x, f);
        if (e != OK) fold_back(x->fold, mark);
    }
    assert_int_equal(fold_size(x->fold), size + (e == OK));
    if (!x->batch) fold_commit(x->fold);
    if (e != OK) {
        buf_release(&entry);
        return e;
    }
    assert_true(x->entry_count < FX_ENTRIES);
    x->entries[x->entry_count++].bytes = entry;
    if (size == 0) assert_true(fold_election(x->fold, &x->election));
    return OK;
}

err fx_text(struct fixture *x, const char *signers, struct span text, struct fail *f) {
    struct buf note;
    buf_init(&note, 1 << 20);
    fx_sign(x, signers, text, &note);
    err e = fx_try(x, buf_view(&note), f);
    buf_release(&note);
    return e;
}

err fx_say(struct fixture *x, const char *signers, const char *pattern) {
    struct buf text;
    buf_init(&text, 1 << 20);
    fx_expand(x, pattern, &text);
    err e = fx_text(x, signers, buf_view(&text), &x->fail);
    buf_release(&text);
    return e;
}

static void label(struct fixture *x, const char *name) {
    if (!name) return;
    assert_true(x->label_count < FX_LABELS);
    struct fx_label *l = &x->labels[x->label_count++];
    snprintf(l->name, sizeof l->name, "%s", name);
    l->id = x->out.id;
    l->index = x->out.index;
}

void fx_must(struct fixture *x, const char *name, const char *signers, const char *pattern) {
    err e = fx_say(x, signers, pattern);
    if (e != OK) fail_msg("%.200s: %s: %s", pattern, err_info(e)->name, x->fail.text);
    label(x, name);
    x->ms += 1000;
}

static enum role role_of(const char *name) {
    enum role r = role_by_name(span_text(name));
    assert_true(r < ROLE_COUNT);
    return r;
}

void fx_grant_text(struct fixture *x, const struct fx_grant *g, struct buf *text) {
    struct span contests[8];
    size_t n = 0;
    char list[400], *save = NULL;
    snprintf(list, sizeof list, "%s", g->contests ? g->contests : "");
    for (char *p = strtok_r(list, ",", &save); p; p = strtok_r(NULL, ",", &save))
        contests[n++] = span_text(p);
    struct compose_key k = {.election = x->election, .holder = fx_hash(g->holder ? g->holder : g->name),
                            .vkey = fx_vkey(x, g->name),
                            .party = span_text(g->party ? g->party : ""), .unit = span_text(g->unit),
                            .role = role_of(g->role), .contests = contests, .contest_count = n,
                            .not_before_ms = g->not_before, .not_after_ms = g->not_after};
    compose_key(text, &k);
}

static void grant(struct fixture *x, const struct fx_grant *g) {
    struct fail f;
    struct buf text;
    char signers[400];
    buf_init(&text, 8192);
    fx_grant_text(x, g, &text);
    snprintf(signers, sizeof signers, "%s,%s", g->name, g->by);
    must(fx_text(x, signers, buf_view(&text), &f));
    buf_release(&text);
    x->ms += 1000;
}

void fx_grant(struct fixture *x, const char *name, const char *role, const char *unit,
              const char *party, const char *by) {
    grant(x, &(struct fx_grant){name, role, unit, party, NULL, by, 0, CJ_MAX_INT});
}

void fx_result_init(struct fixture *x, struct fx_result *r, const char *contest,
                    const char *station, const char *votes) {
    const struct fold *s = x->fold;
    const struct contest *c = fold_contest(s, fold_contest_by_id(s, span_text(contest)));
    compose_result_init(&r->r);
    r->r.election = x->election;
    r->r.contest = span_text(contest);
    r->r.station = span_text(station);
    r->r.definition = fold_definition(s)->version;
    r->r.round = c->round;
    r->r.signed_ms = x->ms;
    r->r.registered = fold_unit(s, fold_unit_by_code(s, r->r.station))->registered;
    r->r.rejected = 3;
    r->r.valid = 0;
    for (uint32_t i = 0; i < c->choice_count; i++) {
        r->ids[i] = contest_choice(s, c, i)->id;
        char *end;
        r->votes[i] = *votes == '-' ? ABSENT : strtoull(votes, &end, 10);
        votes = *votes == '-' ? votes + 1 : end;
        if (*votes == ',') votes++;
        if (r->votes[i] != ABSENT) r->r.valid += r->votes[i];
    }
    r->r.choices = r->ids;
    r->r.votes = r->votes;
    r->r.choice_count = c->choice_count;
}

err fx_result(struct fixture *x, const char *name, const char *signers,
              const struct fx_result *r) {
    struct buf text;
    buf_init(&text, 1 << 16);
    compose_result(&text, &r->r);
    err e = fx_text(x, signers, buf_view(&text), &x->fail);
    if (e == OK) {
        label(x, name);
        x->ms += 1000;
    }
    buf_release(&text);
    return e;
}

void fx_result_must(struct fixture *x, const char *name, const char *signers, const char *contest,
                    const char *station, const char *votes) {
    struct fail f;
    struct fx_result r;
    fx_result_init(x, &r, contest, station, votes);
    must(fx_result(x, name, signers, &r));
}

err fx_image(struct fixture *x, const char *signers, const char *contest, const char *station,
             enum image_kind kind, const char *word, const char *result) {
    const struct fold *s = x->fold;
    struct buf text;
    buf_init(&text, 8192);
    struct compose_image m = {
        .election = x->election, .contest = span_text(contest), .station = span_text(station),
        .kind = kind, .page = 1,
        .round = fold_contest(s, fold_contest_by_id(s, span_text(contest)))->round,
        .original = fx_object(x, span_text(word)), .shown = fx_object(x, span_text(word)),
        .result = result ? &fx_label(x, result)->id : NULL};
    compose_image(&text, &m);
    err e = fx_text(x, signers, buf_view(&text), &x->fail);
    if (e == OK) x->ms += 1000;
    buf_release(&text);
    return e;
}

/* ---- the base election ---- */

static struct named_object units_object(struct fixture *x) {
    static const char *const rows[][4] = {
        {"KE", "nation", "Nation", NULL},
        {"1", "county", "COUNTY ONE", "KE"},
        {"11", "constituency", "NORTH", "1"},
        {"1101", "station", "NORTH PRIMARY SCHOOL 1", "11"},
        {"1102", "station", "NORTH PRIMARY SCHOOL 2", "11"},
        {"1103", "station", "NORTH MARKET", "11"},
        {"12", "constituency", "SOUTH", "1"},
        {"1201", "station", "SOUTH \"OLD\" SCHOOL", "12"},
        {"1202", "station", "SOUTH \\ HALL", "12"},
        {"2", "county", "COUNTY TWO", "KE"},
        {"21", "constituency", "EAST", "2"},
        {"2101", "station", "EAST CHURCH", "21"},
        {"2102", "station", "EAST SCHOOL", "21"},
        {"2103", "station", "EAST WATER TOWER \xc3\xa9", "21"}};
    struct buf b;
    buf_init(&b, 1 << 16);
    compose_units_head(&b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span parent = rows[i][3] ? span_text(rows[i][3]) : (struct span){0};
        bool station = strcmp(rows[i][1], "station") == 0;
        compose_unit(&b, span_text(rows[i][0]), span_text(rows[i][1]), span_text(rows[i][2]), parent,
                     station ? 500 + 10 * i : 5000);
    }
    struct named_object o = fx_object(x, buf_view(&b));
    buf_release(&b);
    return o;
}

static struct named_object contests_object(struct fixture *x) {
    static const struct compose_choice president[] = {
        {SPAN_LIT("ann"), SPAN_LIT("Ann \"A\" One"), SPAN_LIT("red")},
        {SPAN_LIT("bo"), SPAN_LIT("Bo Two"), SPAN_LIT("blue")},
        {SPAN_LIT("cy"), SPAN_LIT("Cy Three"), {0}}};
    static const struct compose_choice governor[] = {{SPAN_LIT("eve"), SPAN_LIT("Eve"), {0}},
                                                     {SPAN_LIT("dee"), SPAN_LIT("Dee"), {0}}};
    static const struct compose_choice member[] = {{SPAN_LIT("fay"), SPAN_LIT("Fay"), {0}},
                                                   {SPAN_LIT("gus"), SPAN_LIT("Gus"), {0}},
                                                   {SPAN_LIT("hal"), SPAN_LIT("Hal"), {0}}};
    static const struct compose_choice ward[] = {{SPAN_LIT("ida"), SPAN_LIT("Ida"), {0}},
                                                 {SPAN_LIT("jon"), SPAN_LIT("Jon"), {0}}};
    struct buf b;
    buf_init(&b, 1 << 16);
    compose_contests_head(&b);
    compose_contest(&b, SPAN_LIT("president"), SPAN_LIT("president"), SPAN_LIT("President"),
                    SPAN_LIT("{\"compare\":[\"constituency\",\"nation\"],\"rule\":\"majority\"}"), SPAN_LIT("KE"), president, 3);
    compose_contest(&b, SPAN_LIT("governor-1"), SPAN_LIT("governor"), SPAN_LIT("Governor"),
                    SPAN_LIT("{\"readings\":1,\"recounts\":true}"), SPAN_LIT("1"), governor, 2);
    compose_contest(&b, SPAN_LIT("member-21"), SPAN_LIT("member"), SPAN_LIT("Member for East"),
                    SPAN_LIT("null"), SPAN_LIT("21"), member, 3);
    compose_contest(&b, SPAN_LIT("ward-12"), SPAN_LIT("ward"), SPAN_LIT("Ward South"),
                    SPAN_LIT("null"), SPAN_LIT("12"), ward, 2);
    static const struct compose_choice head[] = {{SPAN_LIT("kim"), SPAN_LIT("Kim"), {0}},
                                                 {SPAN_LIT("lee"), SPAN_LIT("Lee"), {0}}};
    static const char plurality[] =
        "{\"clocks\":{\"declaration_days\":1,\"petition_days\":2},\"collate\":[\"constituency\"],\"compare\":[],"
        "\"declarer\":{\"level\":\"constituency\",\"role\":\"returning-officer\"},"
        "\"name\":\"plurality\",\"one_candidate\":\"unopposed\",\"readings\":0}";
    compose_contest(&b, SPAN_LIT("head-21"), SPAN_LIT("head"), SPAN_LIT("Head of East"),
                    span_text(plurality), SPAN_LIT("21"), head, 2);
    compose_contest(&b, SPAN_LIT("chief-11"), SPAN_LIT("chief"), SPAN_LIT("Chief of North"),
                    span_text(plurality), SPAN_LIT("11"), head, 1);
    compose_contest(&b, SPAN_LIT("chief-12"), SPAN_LIT("chief"), SPAN_LIT("Chief of South"),
                    span_text(plurality), SPAN_LIT("12"), head, 1);
    struct named_object o = fx_object(x, buf_view(&b));
    buf_release(&b);
    return o;
}

static void manifest(struct fixture *x) {
    struct fail f;
    const struct span levels[] = {SPAN_LIT("nation"), SPAN_LIT("county"), SPAN_LIT("constituency"),
                                  SPAN_LIT("station")};
    const char *const names[] = {"com/1", "com/1b", "com/2", "com/3"};
    struct compose_commissioner com[4];
    for (int i = 0; i < 4; i++)
        com[i] = (struct compose_commissioner){fx_hash(i == 1 ? "com/1" : names[i]),
                                               fx_vkey(x, names[i])};
    struct compose_manifest m = {
        .origin = SPAN_LIT("example.org/test-election"),
        .log_vkey = fx_vkey(x, "example.org/test-election"),
        .title = SPAN_LIT("A test \"election\""),
        .policy = SPAN_LIT("quorum none\n"),
        .units = units_object(x), .contests = contests_object(x),
        .commissioners = com, .commissioner_count = 4, .threshold = 2, .levels = levels,
        .level_count = 4, .opens_ms = FX_OPENS, .closes_ms = FX_CLOSES, .simulated = true,
        .quotas = SPAN_LIT("{\"observer\":{\"countersign\":1}}"),
        .deadlines = SPAN_LIT("{\"declare_days\":7}"), .limits = SPAN_LIT("{}")};
    struct buf text;
    buf_init(&text, 1 << 16);
    compose_manifest(&text, &m);
    must(fx_text(x, "com/1,com/2", buf_view(&text), &f));
    buf_release(&text);
    label(x, "manifest");
    x->ms += 1000;
}

struct fixture *fx_keys(void) {
    struct fixture *x = fx_new();
    manifest(x);
    const char *both = "com/1,com/3";
    fx_grant(x, "nro", "national-returning-officer", "KE", NULL, both);
    fx_grant(x, "ro/11", "returning-officer", "11", NULL, both);
    fx_grant(x, "ro/12", "returning-officer", "12", NULL, both);
    fx_grant(x, "ro/21", "returning-officer", "21", NULL, both);
    fx_grant(x, "dro/11", "deputy-returning-officer", "11", NULL, both);
    grant(x, &(struct fx_grant){"ro/11gov", "returning-officer", "11", NULL, "governor-1", both, 0,
                                CJ_MAX_INT});
    fx_grant(x, "clerk/11", "clerk", "11", NULL, "ro/11");
    fx_grant(x, "clerk/12", "clerk", "12", NULL, "ro/12");
    fx_grant(x, "clerk/21", "clerk", "21", NULL, "ro/21");
    grant(x, &(struct fx_grant){"clerk/12own", "clerk", "12", NULL, NULL, "ro/12", 0, CJ_MAX_INT,
                                "ro/12"}); /* the returning officer's own second key */
    static const char *const stations[] = {"1101", "1102", "1103", "1201", "1202", "2101", "2102",
                                           "2103"};
    for (size_t i = 0; i < sizeof stations / sizeof *stations; i++) {
        char name[40], by[40];
        snprintf(name, sizeof name, "po/%s", stations[i]);
        snprintf(by, sizeof by, "ro/%.2s", stations[i]);
        fx_grant(x, name, "presiding-officer", stations[i], NULL, by);
    }
    fx_grant(x, "po/1102-old", "presiding-officer", "1102", NULL, "ro/11");
    fx_grant(x, "dpo/1101", "deputy-presiding-officer", "1101", NULL, "ro/11");
    fx_grant(x, "dpo/2101", "deputy-presiding-officer", "2101", NULL, "ro/21");
    fx_grant(x, "party/red", "party", "KE", "red", both);
    fx_grant(x, "party/blue", "party", "1", "blue", both);
    fx_grant(x, "agent/red/1101", "agent", "1101", "red", "party/red");
    fx_grant(x, "agent/red/11", "agent", "11", "red", "party/red");
    fx_grant(x, "agent/blue/1101", "agent", "1101", "blue", "party/blue");
    grant(x, &(struct fx_grant){"agent/red/old", "agent", "11", "red", NULL, "party/red", 0,
                                FX_CLOSES});
    grant(x, &(struct fx_grant){"agent/red/new", "agent", "11", "red", NULL, "party/red",
                                FX_CASE_MS + 1, CJ_MAX_INT});
    grant(x, &(struct fx_grant){"agent/red/now", "agent", "11", "red", NULL, "party/red",
                                FX_CASE_MS, FX_CASE_MS});
    grant(x, &(struct fx_grant){"agent/red/gov", "agent", "11", "red", "governor-1", "party/red", 0,
                                CJ_MAX_INT});
    fx_grant(x, "og/wits", "observer-group", "KE", "wits", both);
    fx_grant(x, "og/eyes", "observer-group", "KE", "eyes", both);
    fx_grant(x, "obs/wits", "observer", "KE", "wits", "og/wits");
    fx_grant(x, "obs/eyes", "observer", "KE", "eyes", "og/eyes");
    fx_grant(x, "board", "audit-board", "KE", NULL, both);
    fx_grant(x, "clerk/11b", "clerk", "11", NULL, "ro/11");
    fx_grant(x, "clerk/11c", "clerk", "11", NULL, "ro/11");
    fx_grant(x, "clerk/n", "clerk", "KE", NULL, "nro");
    fx_grant(x, "clerk/n2", "clerk", "KE", NULL, "nro");
    grant(x, &(struct fx_grant){"clerk/nown", "clerk", "KE", NULL, NULL, "nro", 0, CJ_MAX_INT,
                                "clerk/n"}); /* a second key of one person */
    fx_grant(x, "machine", "machine", "KE", NULL, "nro");
    fx_grant(x, "carrier/11", "carrier", "11", NULL, "ro/11");
    assert_true(x->ms < FX_CLOSES);
    return x;
}

/* Objections in each state that a later record can meet, about a contest that nobody voted in; a notice;
 * the host's log. */
static void voices(struct fixture *x) {
#define OBJECT(contest, units)                                                                     \
    "objection {'contest':'" contest "','election':'${e}','evidence':[],'ground':'figures',"       \
    "'reason':${o:my reason},'round':1,'units':['" units "']}"
#define ABOUT(type, label, says)                                                                   \
    type " {'election':'${e}','objection':'${id:" label "}','says':'" says "'}"
    fx_must(x, "ob-filed", "party/red", OBJECT("president", "1102"));
    fx_must(x, "ob-admitted", "party/blue", OBJECT("ward-12", "12"));
    fx_must(x, "admitted", "ro/12", ABOUT("admission", "ob-admitted", "admitted"));
    fx_must(x, "ob-upheld", "party/red", OBJECT("ward-12", "1201"));
    fx_must(x, NULL, "nro", ABOUT("admission", "ob-upheld", "admitted"));
    fx_must(x, NULL, "ro/12,clerk/12", ABOUT("ruling", "ob-upheld", "upheld"));
    fx_must(x, "ob-refused", "party/red", OBJECT("ward-12", "1202"));
    fx_must(x, NULL, "com/1,com/2", ABOUT("admission", "ob-refused", "refused"));
    fx_must(x, "notice", "com/1",
            "notice {'election':'${e}','kind':'statement','lang':'en','text':${o:A statement}}");
    fx_must(x, "hosts", "example.org/test-election",
            "host-log {'election':'${e}','rows':[{'from_ms':1,'host':'db1/postgres','kind':'database',"
            "'sha256':'${h:a log}','size':5,'to_ms':2}]}");
#undef OBJECT
#undef ABOUT
}

void fx_seal(struct fixture *x, const char *label_to, const char *who, const char *contest,
             const char *station, const char *image, const char *nonce, const char *reading) {
    char text[600];
    snprintf(text, sizeof text,
             "seal {'contest':'%s','election':'${e}','image':'${id:%s}','key':'%s','round':1,"
             "'seal':'${seal:%s:%s}','station':'%s'}", contest, image, who, nonce, reading, station);
    fx_must(x, label_to, who, text);
}

void fx_open(struct fixture *x, const char *label_to, const char *who, const char *nonce,
             const char *reading, const char *seal) {
    char text[400];
    snprintf(text, sizeof text,
             "open {'election':'${e}','nonce':'${h:%s}','reading':${r:%s},'seal':'${id:%s}'}", nonce,
             reading, seal);
    fx_must(x, label_to, who, text);
}

/* The tally desk: at 1101 two people and the machine read the same, the original is compared; at 1102
 * two differ and a third is asked for; at 1202 two have sealed, and may open until FX_CASE_MS; at 2101
 * one has sealed, and the machine. */
static void desk(struct fixture *x) {
    fx_seal(x, "s1101a", "clerk/11", "president", "1101", "i1101", "n1", "1101");
    fx_seal(x, "s1101b", "clerk/n", "president", "1101", "i1101", "n2", "1101");
    fx_seal(x, "s1101m", "machine", "president", "1101", "i1101", "n3", "1101");
    fx_open(x, "o1101a", "clerk/11", "n1", "1101", "s1101a");
    fx_open(x, "o1101b", "clerk/n", "n2", "1101", "s1101b");
    fx_open(x, "o1101m", "machine", "n3", "1101", "s1101m");
    fx_must(x, "c1101", "ro/11",
            "compared {'at_ms':1,'contest':'president','election':'${e}','level':'constituency',"
            "'record':'${id:r1101}','round':1,'says':'same','station':'1101'}");
    fx_seal(x, "s1102a", "clerk/11", "president", "1102", "i1102", "n4", "1102");
    fx_seal(x, "s1102b", "clerk/11b", "president", "1102", "i1102", "n5", "1102x");
    fx_open(x, "o1102a", "clerk/11", "n4", "1102", "s1102a");
    fx_open(x, "o1102b", "clerk/11b", "n5", "1102x", "s1102b");
    fx_seal(x, "s2101", "clerk/21", "president", "2101", "i2101", "n6", "2101");
    fx_seal(x, "s2101m", "machine", "president", "2101", "i2101", "n7", "2101");
    fx_must(x, "d-accept", "ro/21,clerk/21",
            "decision {'action':'accept','codes':['F_NO_IMAGE'],'contest':'president','election':'${e}',"
            "'round':1,'size':50,'unit':'21'}");
    fx_must(x, "d-released", "ro/11,clerk/11",
            "decision {'action':'accept','codes':['F_BLANK'],'contest':'president','election':'${e}',"
            "'round':1,'size':50,'unit':'11'}");
    fx_must(x, "d-release", "ro/11,clerk/11",
            "decision {'action':'release','contest':'president','election':'${e}',"
            "'record':'${id:d-released}','round':1,'size':50,'unit':'11'}");
    fx_must(x, "d-adopt", "ro/11,dro/11",
            "decision {'action':'adopt','contest':'governor-1','election':'${e}','order':${o:an order},"
            "'record':'${id:g1102}','round':1,'size':50,'unit':'1102'}");
    fx_must(x, "custody", "po/1101,ro/11",
            "custody {'at_ms':1,'contest':'president','count':1,'election':'${e}','from':'po/1101',"
            "'kind':'original','to':'ro/11','unit':'1101','what':'forms'}");
    fx_seal(x, "s1202a", "clerk/n", "president", "1202", "i1202", "n8", "1202");
    x->ms = FX_CASE_MS - SEAL_OPEN_MS;
    fx_seal(x, "s1202b", "clerk/n2", "president", "1202", "i1202", "n9", "1202");
}

/* One plan before its dice, one with two boxes that wait to be opened or counted again, one that ended. */
static void audits(struct fixture *x) {
#define PLAN(limit)                                                                                \
    "audit-plan {'assertions':[{'claim':'beats','loser':'bo','winner':'ann'}],'authority':${o:an order}," \
    "'bound':'registered','compliance':${o:compliance},'contest':'president','election':'${e}',"   \
    "'limit_ppm':" limit ",'manifest':${o:manifest},'method':'mixture','round':1}"
#define SEAL(plan, station, counts)                                                                \
    "audit-count {'election':'${e}','plan':'${id:" plan "}','seal':'${auditseal:" counts "}','station':'" station "'}"
    fx_grant(x, "aud/1", "auditor", "KE", NULL, "board");
    fx_grant(x, "aud/2", "auditor", "KE", NULL, "board");
    fx_grant(x, "aud/3", "auditor", "KE", NULL, "board");
    fx_must(x, "plan", "aud/1,board", PLAN("50000"));
    fx_must(x, "plan-thrown", "aud/1,board", PLAN("100000"));
    fx_must(x, "seed", "aud/1,board",
            "audit-seed {'digits':'06712221796172622814','draws':${O:d-ok},'election':'${e}','plan':"
            "'${id:plan-thrown}','size':2,'thrown_ms':3000000}");
    fx_must(x, "seal-1", "aud/1", SEAL("plan-thrown", "1101", "0"));
    fx_must(x, "seal-2", "aud/2", SEAL("plan-thrown", "1101", "0/another"));
    fx_must(x, "seal-alone", "aud/1", SEAL("plan-thrown", "2102", "1"));
    fx_must(x, "plan-closed", "aud/1,board", PLAN("200000"));
    fx_must(x, NULL, "aud/2,board",
            "audit-close {'election':'${e}','plan':'${id:plan-closed}','reason':${o:a court's order},'says':"
            "'stopped','transcript':${o:nothing}}");
#undef PLAN
#undef SEAL
}

struct fixture *fx_base(void) {
    struct fixture *x = fx_keys();
    struct fail f;
    struct fx_result r;
    x->ms = FX_CLOSES + 1000;
    fx_must(x, NULL, "dpo/2101",
            "hesabu/v1 acting\n{\"deputy\":\"dpo/2101\",\"election\":\"${e}\",\"for\":\"po/2101\","
            "\"reason\":\"ill\",\"unit\":\"2101\"}\n");
    /* 1101: agents sign, the form is bound and its image comes, the copy is posted */
    fx_result_init(x, &r, "president", "1101", "200,100,50");
    r.form = fx_hash("form 1101");
    r.r.form = &r.form;
    r.r.form_count = 1;
    r.r.serial = SPAN_LIT("S-0001");
    r.r.agents_present = 2;
    r.r.agents_signed = 1;
    r.r.agents_refused = 1;
    r.r.voters_kit = 350;
    r.r.voters_manual = 3;
    must(fx_result(x, "r1101", "po/1101,agent/red/1101", &r));
    must(fx_image(x, "po/1101", "president", "1101", IMAGE_ORIGINAL, "form 1101", "r1101"));
    label(x, "i1101");
    fx_must(x, "posted", "po/1101",
            "hesabu/v1 station-event\n{\"at_ms\":1,\"contest\":\"president\",\"election\":\"${e}\","
            "\"event\":\"form-posted\",\"station\":\"1101\"}\n");
    /* 1102: corrected by its officer */
    fx_result_must(x, "r1102a", "po/1102", "president", "1102", "100,200,50");
    fx_result_init(x, &r, "president", "1102", "101,201,51");
    r.r.supersedes = &fx_label(x, "r1102a")->id;
    r.r.supersedes_count = 1;
    must(fx_result(x, "r1102b", "po/1102", &r));
    must(fx_image(x, "po/1102", "president", "1102", IMAGE_ORIGINAL, "form 1102", "r1102b"));
    label(x, "i1102");
    /* 1201: two that do not belong together; 1202: from paper; 2101: by the deputy */
    fx_result_must(x, "r1201a", "po/1201", "president", "1201", "10,20,30");
    fx_result_must(x, "r1201b", "po/1201", "president", "1201", "10,20,31");
    must(fx_image(x, "po/1201", "president", "1201", IMAGE_ORIGINAL, "form 1201", NULL));
    fx_result_init(x, &r, "president", "1202", "7,8,300");
    r.form = fx_hash("form 1202");
    r.r.form = &r.form;
    r.r.form_count = 1;
    r.r.basis = BASIS_PAPER;
    must(fx_result(x, "r1202", "ro/12,clerk/12", &r));
    must(fx_image(x, "clerk/12", "president", "1202", IMAGE_ORIGINAL, "form 1202", NULL));
    label(x, "i1202");
    fx_result_must(x, "r2101", "dpo/2101", "president", "2101", "60,60,200");
    must(fx_image(x, "dpo/2101", "president", "2101", IMAGE_ORIGINAL, "form 2101", "r2101"));
    label(x, "i2101");
    /* 2102: figures without an image */
    fx_result_must(x, "r2102", "po/2102", "president", "2102", "1,2,3");
    /* other contests; a key that is stolen later */
    fx_result_must(x, "g1102", "po/1102-old", "governor-1", "1102", "90,80");
    fx_must(x, "revoked", "ro/11",
            "hesabu/v1 revoke\n{\"election\":\"${e}\",\"key\":\"po/1102-old\",\"reason\":\"stolen\","
            "\"suspect_since_ms\":2000000}\n");
    fx_result_must(x, "m2101", "po/2101", "member-21", "2101", "70,60,50");
    must(fx_image(x, "po/2101", "member-21", "2101", IMAGE_ORIGINAL, "member form", "m2101"));
    fx_must(x, "saw1", "obs/wits",
            "hesabu/v1 countersign\n{\"election\":\"${e}\",\"how\":\"device\",\"key\":\"obs/wits\","
            "\"record\":\"${id:r1101}\",\"says\":\"saw\"}\n");
    fx_must(x, "objects1", "agent/red/11",
            "hesabu/v1 countersign\n{\"election\":\"${e}\",\"how\":\"desk\",\"key\":\"agent/red/11\","
            "\"reason\":${o:because},\"record\":\"${id:r1102b}\",\"says\":\"object\"}\n");
    fx_must(x, "incident", "example.org/test-election",
            "hesabu/v1 incident\n{\"election\":\"${e}\",\"rows\":[{\"class\":\"claimed\",\"code\":"
            "\"E_SIGNER\",\"count\":3,\"first_ms\":1,\"key\":\"unknown\",\"last_ms\":2,\"type\":"
            "\"result\"}]}\n");
    struct named_object more = fx_object(
        x, SPAN_LIT("hesabu/units/v1\n[\"1104\",\"station\",\"NORTH MARKET 2\",\"11\",300]\n"));
    char amend[2000], hex[65];
    hash_hex(&more.id, hex);
    snprintf(amend, sizeof amend,
             "hesabu/v1 amend\n{\"changes\":["
             "{\"close\":{\"unit\":\"1103\"}},"
             "{\"units\":{\"sha256\":\"%s\",\"size\":%llu}},"
             "{\"area\":{\"contest\":\"governor-1\",\"state\":\"postponed\",\"unit\":\"12\"}},"
             "{\"area\":{\"contest\":\"ward-12\",\"state\":\"cancelled\",\"unit\":\"12\"}},"
             "{\"choice\":{\"choice\":\"hal\",\"contest\":\"member-21\",\"state\":\"dead\"}},"
             "{\"round\":{\"choices\":[\"fay\",\"gus\"],\"contest\":\"member-21\",\"round\":2}}"
             "],\"definition\":2,\"election\":\"${e}\",\"reason\":${o:why}}\n",
             hex, (unsigned long long)more.size);
    fx_must(x, "amend2", "com/1,com/2,com/3", amend);
    /* a contest that is collated, and what still forbids its declaration; one without a poll */
    fx_result_must(x, "h2101", "po/2101", "head-21", "2101", "70,60");
    must(fx_image(x, "po/2101", "head-21", "2101", IMAGE_ORIGINAL, "head form", "h2101"));
    fx_must(x, "k21", "ro/21",
            "collation {'basis':'electronic','contest':'head-21','election':'${e}','round':1,"
            "'rows':${O:rows-head21},'totals':{'registered':1860,'rejected':3,'valid':130,"
            "'votes':[70,60]},'unit':'21'}");
    fx_must(x, "ov21", "ro/21", FX_OVERRIDE_21);
    fx_must(x, "d11", "ro/11",
            "declaration {'checkpoint':${cp:good:9},'contest':'chief-11','election':'${e}','outcome':"
            "{'choices':['kim'],'kind':'unopposed'},'root':'${root:9}','round':1,'size':9}");
    voices(x);
    desk(x);
    audits(x);
    x->ms = FX_CASE_MS;
    return x;
}

void fx_manifest_case(struct fixture *x, const struct fixture *base, const struct manifest_case *c,
                      struct buf *text) {
    struct span all = text_of_entry(base, 0);
    struct buf from, to;
    buf_init(&from, 1 << 16);
    buf_init(&to, 1 << 16);
    fx_expand(x, c->from, &from);
    fx_expand(x, c->to, &to);
    if (from.n) {
        const uint8_t *at = memmem(all.p, all.n, from.p, from.n);
        if (!at) fail_msg("%s: nothing to replace", c->name);
        buf_add(text, all.p, (size_t)(at - all.p));
        buf_span(text, buf_view(&to));
        buf_span(text, span_from(all, (size_t)(at - all.p) + from.n));
    } else {
        buf_span(text, all);
    }
    buf_release(&from);
    buf_release(&to);
}

/* ---- looking ---- */

void fx_dump(const struct fold *s, struct buf *out) {
    struct results r;
    struct fail f;
    buf_printf(out, "size %llu ms %llu\n", (unsigned long long)fold_size(s),
               (unsigned long long)fold_last_ms(s));
    for (uint64_t i = 0; i < fold_size(s); i++) {
        struct hash id = fold_id(s, i);
        buf_hex(out, hash_span(&id));
        assert_true(fold_find(s, &id) == i);
        buf_byte(out, '\n');
    }
    for (size_t i = 0; i < fold_key_count(s); i++) {
        struct key_view k, again;
        fold_key_at(s, i, &k);
        assert_true(fold_key(s, k.name, &again) && again.pub == k.pub);
        buf_printf(out, "%.*s ", SPAN_ARG(k.name));
        buf_hex(out, span_of(k.pub, 32));
        buf_printf(out, " %u %u %.*s %llu %llu %llu %llu %llu %d\n", k.role, k.unit, SPAN_ARG(k.party),
                   (unsigned long long)k.granted_at, (unsigned long long)k.revoked_at,
                   (unsigned long long)k.suspect_since_ms, (unsigned long long)k.not_before_ms,
                   (unsigned long long)k.not_after_ms, k.acting);
    }
    for (uint32_t i = 0; i < fold_unit_count(s); i++) {
        const struct unit *u = fold_unit(s, i);
        assert_true(fold_unit_by_code(s, u->code) == i);
        buf_printf(out, "%.*s %.*s %u %u %u %u %u %d %u %llu\n", SPAN_ARG(u->code), SPAN_ARG(u->name),
                   u->parent, u->first_child, u->last_child, u->next_sibling, u->child_count, u->closed,
                   u->since, (unsigned long long)u->registered);
    }
    buf_printf(out, "cells %zu results %zu images %zu\n", fold_cell_count(s), fold_result_count(s),
               fold_image_count(s));
    const struct definition *d = fold_definition(s);
    if (!d) return;
    buf_printf(out, "%u %.*s %.*s %u %zu\n", d->version, SPAN_ARG(d->log_vkey), SPAN_ARG(d->policy),
               d->threshold, fold_succession_count(s));
    must(results_compute(s, &r, &f));
    must(results_index(s, r.tallies, r.n, &r.findings, out, &f));
    for (size_t i = 0; i < results_file_count; i++) must(results_files[i].render(s, &r, out, &f));
    for (size_t t = 0; t < r.n; t++) {
        must(results_findings(s, &r.tallies[t], &r.findings, out, &f));
        for (size_t i = 0; i < r.tallies[t].n; i++)
            if (results_has_file(s, &r.tallies[t], i))
                must(results_unit(s, &r.tallies[t], &r.findings, i, out, &f));
    }
    results_release(&r);
    assert_false(out->failed);
}

uint64_t fx_votes(const struct fold *s, const char *contest, unsigned round, const char *unit,
                  const char *choice) {
    struct results r;
    struct fail f;
    uint64_t votes = ABSENT;
    uint32_t want = fold_contest_by_id(s, span_text(contest));
    const struct contest *c = fold_contest(s, want);
    must(results_compute(s, &r, &f));
    for (size_t t = 0; t < r.n; t++) {
        if (r.tallies[t].contest != want || r.tallies[t].round != round) continue;
        for (size_t i = 0; i < r.tallies[t].n; i++)
            for (uint32_t k = 0; k < c->choice_count; k++)
                if (span_is(fold_unit(s, r.tallies[t].rows[i].unit)->code, unit) &&
                    span_is(contest_choice(s, c, k)->id, choice))
                    votes = r.tallies[t].rows[i].total[TOTAL_TRANSMITTED].votes[k];
    }
    results_release(&r);
    assert_true(votes != ABSENT);
    return votes;
}
