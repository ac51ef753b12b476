/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* verify, kind by kind: a published tree in which one thing was changed, and what must be said. */
#include "daemon_fixture.h"

#include "election/anchor.h"
#include "tlog/cosignature.h"

static struct fixture *x;
static char base[64]; /* a daemon's folder, published */

static int setup(void **state) {
    (void)state;
    x = fx_base();
    static const char *const stations[] = {"2101", "2102", "2103", "1102"};
    for (unsigned i = 0; i < 4; i++)
        for (unsigned n = 0; n < 60; n++) {
            char key[40];
            snprintf(key, sizeof key, "po/%s", stations[i]);
            fx_must(x, NULL, key, site_event(stations[i], n + 10));
        }
    scratch_make(base);
    site_store(x, base);
    struct site s = {.x = x, .o = {.no_http = true}};
    snprintf(s.dir, sizeof s.dir, "%s", base);
    site_start(&s);
    site_await_published(&s);
    site_stop(&s);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_remove(base);
    fx_free(x);
    return 0;
}

/* ---- trees ---- */

struct tree {
    char dir[64];
    struct verify_report *r;
    struct verify_options o;
};

static struct tree tree_copy(void) {
    struct tree t = {0};
    scratch_make(t.dir);
    site_copy(scratch_path(base, "public"), t.dir);
    return t;
}

static void tree_end(struct tree *t) {
    scratch_remove(t->dir);
    free(t->r);
}

static struct verify_report *tree_judge(struct tree *t) {
    struct fail f;
    free(t->r);
    t->r = calloc(1, sizeof *t->r);
    struct tree_source s = tree_source_dir(t->dir);
    t->o.threads = 2;
    must(verify_tree(&s, &t->o, t->r, &f));
    return t->r;
}

/* The verdict, its code, the entry (UINT64_MAX: none), and a sentence with `word` in it. */
static void tree_is(struct tree *t, enum verdict v, err code, uint64_t index, const char *word) {
    const struct verify_report *r = tree_judge(t);
    if (r->verdict != v || r->code != code || r->index != index)
        fail_msg("wanted %d %s %lld, got %d %s %lld: %s %s", v, err_info(code)->name,
                 (long long)index, r->verdict, err_info(r->code)->name, (long long)r->index,
                 r->sentence, r->results_note);
    if (v != VERDICT_VALID && !strstr(r->sentence, word))
        fail_msg("\"%s\" is not in \"%s\"", word, r->sentence);
}

static const char *in(const struct tree *t, const char *name) {
    return scratch_path(t->dir, name);
}

static struct buf slurp(const char *path) {
    struct buf b;
    struct fail f;
    buf_init(&b, 64 << 20);
    must(file_read(path, 64 << 20, &b, &f));
    return b;
}

/* Replaces bytes in a file by as many others. */
static void swap_in(const char *path, const char *from, const char *to) {
    struct buf b = slurp(path);
    assert_int_equal(strlen(from), strlen(to));
    uint8_t *at = memmem(b.p, b.n, from, strlen(from));
    if (!at) fail_msg("%s is not in %s", from, path);
    memcpy(at, to, strlen(to));
    scratch_write(path, b.p, b.n);
    buf_release(&b);
}

static long where_in(const char *path, const char *what) {
    struct buf b = slurp(path);
    const uint8_t *at = memmem(b.p, b.n, what, strlen(what));
    if (!at) fail_msg("%s is not in %s", what, path);
    long n = (long)(at - b.p);
    buf_release(&b);
    return n;
}

/* A whole tree of entries as a server that has the log's key could publish it: no results. */
static void tree_write(struct tree *t, const struct span *entries, size_t n,
                       const struct note_signer *log) {
    struct fail f;
    struct merkle_tree *m;
    struct buf b;
    struct tile tile;
    scratch_make(t->dir);
    must(merkle_tree_new(1 << 20, &m, &f));
    for (size_t i = 0; i < n; i++) {
        struct hash leaf = merkle_leaf(entries[i]);
        must(merkle_tree_append(m, &leaf, &f));
    }
    buf_init(&b, TILE_BUNDLE_MAX);
    struct tile_walk w = tile_walk(0, n);
    while (tile_walk_next(&w, &tile)) {
        char path[TILE_PATH_MAX];
        tile_path(tile, path);
        buf_clear(&b);
        if (!tile.entries) must(tile_hashes(m, tile, &b, &f));
        for (unsigned i = 0; tile.entries && i < tile.width; i++)
            must(bundle_add(&b, entries[tile.index * TILE_WIDTH + i], &f));
        must(file_mkdirs_for(in(t, path), &f));
        scratch_write(in(t, path), b.p, b.n);
    }
    struct hash root = merkle_tree_root(m);
    buf_clear(&b);
    must(checkpoint_sign(log, n, &root, &b, &f));
    scratch_write(in(t, "checkpoint"), b.p, b.n);
    merkle_tree_free(m);
    buf_release(&b);
    site_copy(scratch_path(base, "public/objects"), in(t, "objects"));
}

static size_t all_entries(struct span *out) {
    for (size_t i = 0; i < x->entry_count; i++) out[i] = buf_view(&x->entries[i].bytes);
    return x->entry_count;
}

static const struct note_signer *log_key(void) {
    return &fx_key(x, SITE_ORIGIN)->signer;
}

/* An entry from a pattern at a time; the buffer is the caller's. */
static struct span entry_of(struct buf *b, uint64_t ms, const char *signers, const char *pattern) {
    struct buf text, note;
    buf_init(b, ENTRY_MAX);
    buf_init(&text, 65536);
    buf_init(&note, 65536);
    fx_expand(x, pattern, &text);
    if (signers)
        fx_sign(x, signers, buf_view(&text), &note);
    else
        buf_span(&note, buf_view(&text));
    entry_format(b, ms, buf_view(&note));
    buf_release(&text);
    buf_release(&note);
    return buf_view(b);
}

/* ---- a good one ---- */

static void good(void **state) {
    (void)state;
    struct tree t = tree_copy();
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_true(t.r->size == x->entry_count);
    assert_true(t.r->signatures == x->verified);
    assert_true(t.r->results_compared && t.r->results_files > 10);
    assert_true(t.r->refused_count == 0 && !t.r->anchored);
    assert_true(t.r->objects_damaged == 0 && t.r->objects_absent == 0);
    tree_end(&t);
}

/* ---- checkpoint ---- */

static void checkpoints(void **state) {
    (void)state;
    struct tree t = tree_copy();
    struct fail f;
    struct buf b, was = slurp(in(&t, "checkpoint"));
    struct hash root = tree_judge(&t)->root;
    uint64_t size = t.r->size;
    buf_init(&b, 65536);
    /* signed by another key of the same name, and by nobody */
    struct note_signer other;
    uint8_t seed[32] = "not the log";
    must(note_signer_make(SPAN_LIT(SITE_ORIGIN), NOTE_TYPE_ED25519, seed, &other, &f));
    must(checkpoint_sign(&other, size, &root, &b, &f));
    scratch_write(in(&t, "checkpoint"), b.p, b.n);
    tree_is(&t, VERDICT_INVALID, E_UNSIGNED, UINT64_MAX, "checkpoint");
    /* the right line, one bit of its signature changed: still base64, another value */
    const uint8_t *dash = memmem(was.p, was.n, "\xe2\x80\x94", 3);
    const uint8_t *sig = memchr(dash + 4, ' ', was.n - (size_t)(dash + 4 - was.p));
    size_t at = (size_t)(sig - was.p) + 30;
    was.p[at] ^= was.p[at] == 'A' ? 'A' ^ 'B' : was.p[at] ^ 'A';
    scratch_write(in(&t, "checkpoint"), was.p, was.n);
    tree_is(&t, VERDICT_INVALID, E_SIGNATURE, UINT64_MAX, "checkpoint");
    /* another root, signed by the log itself */
    struct hash wrong = root;
    wrong.b[5] ^= 1;
    buf_clear(&b);
    must(checkpoint_sign(log_key(), size, &wrong, &b, &f));
    scratch_write(in(&t, "checkpoint"), b.p, b.n);
    tree_is(&t, VERDICT_INVALID, E_TILE, UINT64_MAX, "root");
    /* more entries than there are; fewer */
    buf_clear(&b);
    must(checkpoint_sign(log_key(), size + 1, &root, &b, &f));
    scratch_write(in(&t, "checkpoint"), b.p, b.n);
    tree_is(&t, VERDICT_UNKNOWN, E_NOT_FOUND, size / TILE_WIDTH * TILE_WIDTH, "tile/entries/001");
    buf_clear(&b);
    must(checkpoint_sign(log_key(), size - 1, &root, &b, &f));
    scratch_write(in(&t, "checkpoint"), b.p, b.n);
    assert_int_equal(tree_judge(&t)->verdict == VERDICT_VALID, 0);
    /* none, and none that can be read */
    assert_int_equal(unlink(in(&t, "checkpoint")), 0);
    tree_is(&t, VERDICT_UNKNOWN, E_NOT_FOUND, UINT64_MAX, "checkpoint");
    scratch_write(in(&t, "checkpoint"), "x\n", 2);
    assert_int_equal(tree_judge(&t)->verdict, VERDICT_INVALID);
    buf_release(&b);
    buf_release(&was);
    tree_end(&t);
}

/* ---- tiles and entries ---- */

static void tiles(void **state) {
    (void)state;
    struct tree t = tree_copy();
    char last[TILE_PATH_MAX];
    uint16_t rest = (uint16_t)(x->entry_count - TILE_WIDTH);
    scratch_flip(in(&t, "tile/0/000"), 7 * 32 + 3);
    tree_is(&t, VERDICT_INVALID, E_TILE, 7, "tile/0/000");
    scratch_flip(in(&t, "tile/0/000"), 7 * 32 + 3);
    tile_path((struct tile){.index = 1, .width = rest}, last);
    scratch_flip(in(&t, last), 3 * 32);
    tree_is(&t, VERDICT_INVALID, E_TILE, TILE_WIDTH + 3, last);
    scratch_flip(in(&t, last), 3 * 32);
    tile_path((struct tile){.level = 1, .width = 1}, last);
    scratch_flip(in(&t, last), 0);
    tree_is(&t, VERDICT_INVALID, E_TILE, UINT64_MAX, last);
    scratch_flip(in(&t, last), 0);
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    /* cut short, too long, gone */
    assert_int_equal(truncate(in(&t, last), 31), 0);
    tree_is(&t, VERDICT_INVALID, E_TILE, UINT64_MAX, last);
    assert_int_equal(unlink(in(&t, last)), 0);
    tree_is(&t, VERDICT_UNKNOWN, E_NOT_FOUND, UINT64_MAX, last);
    tree_end(&t);
}

static void entries(void **state) {
    (void)state;
    static const struct {
        const char *what;
        long at; /* behind its first byte */
    } cases[] = {
        {"\"votes\":{\"ann\":200", 15},       /* text */
        {"\xe2\x80\x94 po/1101 ", 30},        /* signature */
        {"hesabu/entry/v1 2001000\n", 21},    /* ms */
        {"hesabu/v1 station-event\n", 3},     /* framing */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tree t = tree_copy();
        long at = where_in(in(&t, "tile/entries/000"), cases[i].what);
        scratch_flip(in(&t, "tile/entries/000"), at + cases[i].at);
        const struct verify_report *r = tree_judge(&t);
        if (r->verdict != VERDICT_INVALID || r->code != E_TILE || r->index == UINT64_MAX)
            fail_msg("%s: %d %s %s", cases[i].what, r->verdict, err_info(r->code)->name, r->sentence);
        /* the entry that it names is the one that was changed */
        long before = 0;
        for (uint64_t k = 0; k < r->index; k++) before += 2 + (long)x->entries[k].bytes.n;
        assert_in_range(at, before, before + 2 + (long)x->entries[r->index].bytes.n);
        tree_end(&t);
    }
    struct tree t = tree_copy();
    scratch_flip(in(&t, "tile/entries/000"), 1); /* a length */
    assert_int_equal(tree_judge(&t)->verdict, VERDICT_INVALID);
    tree_end(&t);
}

/* ---- a server that has the log's key ---- */

static void inadmissible(void **state) {
    (void)state;
    uint64_t now = x->ms + 1000;
    const char *opened = "station-event {'at_ms':5,'election':'${e}','event':'opened','station':'1101'}";
    const char *in_1102 = "station-event {'at_ms':5,'election':'${e}','event':'opened','station':'1102'}";
    const struct {
        const char *name, *signers, *pattern;
        err code;
        uint64_t ms;
    } cases[] = {
        {"unsigned", NULL, "hesabu/v1 station-event\n{'at_ms':5,'election':'${e}','event':'opened','station':'1101'}\n",
         E_NOTE, now},
        {"forged", NULL, "hesabu/v1 station-event\n{'at_ms':5,'election':'${e}','event':'opened','station':'1101'}\n"
                         "\n${fake:po/1101}", E_SIGNATURE, now},
        {"revoked", "po/1102-old", in_1102, E_REVOKED, now},
        {"scope", "po/1102", opened, E_SCOPE, now},
        {"stranger", "nobody/1", opened, E_SIGNER, now},
        {"time", "po/1101", opened, E_TIME, 5},
        {"election", "po/1101", "station-event {'at_ms':5,'election':'${h:other}','event':'opened','station':'1101'}",
         E_ELECTION, now},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span list[FX_ENTRIES];
        struct buf bad, after;
        struct tree t = {0};
        size_t n = all_entries(list);
        list[n++] = entry_of(&bad, cases[i].ms, cases[i].signers, cases[i].pattern);
        list[n++] = entry_of(&after, now + 1, "po/2103", site_event("2103", 4000)); /* it goes on */
        tree_write(&t, list, n, log_key());
        const struct verify_report *r = tree_judge(&t);
        if (r->verdict != VERDICT_INVALID || r->code != cases[i].code || r->index != n - 2 ||
            r->refused_count != 1 || r->refused[0].code != cases[i].code)
            fail_msg("%s: %d %s %llu, %llu refused: %s", cases[i].name, r->verdict,
                     err_info(r->code)->name, (unsigned long long)r->index,
                     (unsigned long long)r->refused_count, r->sentence);
        tree_end(&t);
        buf_release(&bad);
        buf_release(&after);
    }
}

/* Repeated entries: of a record, of the manifest; several at once are all listed, in order. */
static void several(void **state) {
    (void)state;
    struct span list[FX_ENTRIES], note;
    struct buf again, manifest, forged, late, forged2;
    struct fail f;
    uint64_t ms, now = x->ms + 1000;
    size_t n = all_entries(list), first = n;
    buf_init(&again, ENTRY_MAX);
    buf_init(&manifest, ENTRY_MAX);
    must(entry_parse(list[fx_label(x, "r1101")->index], &ms, &note, &f));
    entry_format(&again, now, note);
    must(entry_parse(list[0], &ms, &note, &f));
    entry_format(&manifest, now, note);
    const char *pattern = "hesabu/v1 station-event\n{'at_ms':%d,'election':'${e}','event':'opened',"
                          "'station':'1101'}\n\n${fake:po/1101}";
    char one[300], two[300];
    snprintf(one, sizeof one, pattern, 6);
    snprintf(two, sizeof two, pattern, 7);
    list[n++] = entry_of(&forged, now, NULL, one);
    list[n++] = buf_view(&again);
    list[n++] = buf_view(&manifest);
    list[n++] = entry_of(&forged2, now, NULL, two);
    list[n++] = entry_of(&late, now, "po/2103", site_event("2103", 4000));
    struct tree t = {0};
    tree_write(&t, list, n, log_key());
    tree_is(&t, VERDICT_INVALID, E_SIGNATURE, first, "entry");
    const err codes[] = {E_SIGNATURE, E_DUPLICATE, E_DUPLICATE, E_SIGNATURE};
    assert_int_equal(t.r->refused_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(t.r->refused[i].index == first + i);
        assert_int_equal(t.r->refused[i].code, codes[i]);
    }
    tree_end(&t);
    buf_release(&again);
    buf_release(&manifest);
    buf_release(&forged);
    buf_release(&forged2);
    buf_release(&late);
}

/* ---- published results ---- */

static void results(void **state) {
    (void)state;
    struct tree t = tree_copy();
    struct buf index = slurp(in(&t, "results/index.json"));
    /* the multiplier: a choice's total in the nation's file */
    char path[300] = "", command[400];
    snprintf(command, sizeof command, "grep -rl '\"transmitted\"' %s/results | sort | head -n 1", t.dir);
    FILE *h = popen(command, "r");
    assert_non_null(h);
    assert_non_null(fgets(path, sizeof path, h));
    pclose(h);
    path[strcspn(path, "\n")] = 0;
    struct buf b = slurp(path);
    uint8_t *at = memmem(b.p, b.n, "\"votes\":{", 9);
    if (!at) at = memmem(b.p, b.n, "\"transmitted\":{", 15);
    assert_non_null(at);
    while (!char_is_digit(*at)) at++;
    *at = *at == '9' ? '8' : (uint8_t)(*at + 1);
    scratch_write(path, b.p, b.n);
    tree_is(&t, VERDICT_INVALID, E_RESULTS, UINT64_MAX, "results/");
    t.o.skip_results = true;
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    t.o.skip_results = false;
    assert_int_equal(unlink(path), 0);
    tree_is(&t, VERDICT_UNKNOWN, E_NOT_FOUND, UINT64_MAX, "results/");
    buf_release(&b);
    buf_release(&index);
    tree_end(&t);
}

static void heads(void **state) {
    (void)state;
    struct tree t = tree_copy();
    struct buf was = slurp(in(&t, "head.json"));
    char size[60], other[60];
    snprintf(size, sizeof size, "\"size\":%zu,", x->entry_count);
    snprintf(other, sizeof other, "\"size\":%zu,", x->entry_count - 1);
    swap_in(in(&t, "head.json"), size, other);
    tree_is(&t, VERDICT_UNKNOWN, E_RESULTS, UINT64_MAX, "another");
    scratch_write(in(&t, "head.json"), was.p, was.n);
    swap_in(in(&t, "head.json"), "example.org", "example.com");
    tree_is(&t, VERDICT_INVALID, E_RESULTS, UINT64_MAX, "head.json");
    scratch_write(in(&t, "head.json"), was.p, was.n);
    scratch_flip(in(&t, "head.json"), where_in(in(&t, "head.json"), "\"root\":\"") + 12);
    tree_is(&t, VERDICT_INVALID, E_RESULTS, UINT64_MAX, "head.json");
    scratch_write(in(&t, "head.json"), "{}\n", 3);
    tree_is(&t, VERDICT_INVALID, E_RESULTS, UINT64_MAX, "head.json");
    assert_int_equal(unlink(in(&t, "head.json")), 0);
    tree_is(&t, VERDICT_UNKNOWN, E_RESULTS, UINT64_MAX, "head.json");
    scratch_remove(in(&t, "results")); /* a mirror without results */
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_false(t.r->results_compared);
    buf_release(&was);
    tree_end(&t);
}

/* ---- objects ---- */

static void object_name(const char *bytes, char out[100]) {
    struct hash id = sha256(span_text(bytes));
    strcpy(out, "objects/");
    hash_hex(&id, out + 8);
}

static void objects(void **state) {
    (void)state;
    struct tree t = tree_copy();
    char image[100], units[100] = "objects/";
    object_name("form 1101", image);
    scratch_flip(in(&t, image), 2);
    tree_is(&t, VERDICT_INVALID, E_OBJECT, UINT64_MAX, image);
    scratch_write(in(&t, image), "form 1101 and more", 18);
    tree_is(&t, VERDICT_INVALID, E_OBJECT, UINT64_MAX, image);
    assert_int_equal(unlink(in(&t, image)), 0); /* erased by order, perhaps: counted */
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_int_equal(t.r->objects_absent, 1);
    t.o.skip_objects = true;
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    /* what the fold needs: missing leaves the question open, another is an answer */
    const uint8_t *at = memmem(x->entries[0].bytes.p, x->entries[0].bytes.n, "\"units\":{\"sha256\":\"", 19);
    assert_non_null(at);
    memcpy(units + 8, at + 19, 64);
    units[72] = 0;
    struct buf was = slurp(in(&t, units));
    scratch_flip(in(&t, units), 60);
    tree_is(&t, VERDICT_INVALID, E_OBJECT, 0, "entry 0");
    assert_int_equal(unlink(in(&t, units)), 0);
    tree_is(&t, VERDICT_UNKNOWN, E_OBJECT_MISSING, 0, "entry 0");
    buf_release(&was);
    tree_end(&t);
}

/* ---- anchors and witnesses ---- */

static void anchors(void **state) {
    (void)state;
    struct tree t = tree_copy();
    struct fail f;
    struct anchor a;
    struct buf b = slurp(in(&t, "anchor"));
    must(anchor_parse(buf_view(&b), &a, &f));
    t.o.anchor = &a;
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_true(t.r->anchored);
    a.manifest.b[0] ^= 1;
    tree_is(&t, VERDICT_INVALID, E_ANCHOR, 0, "anchor");
    a.manifest.b[0] ^= 1;
    a.origin = SPAN_LIT("example.org/another");
    tree_is(&t, VERDICT_INVALID, E_ANCHOR, 0, "anchor");
    buf_release(&b);
    tree_end(&t);
}

struct witness {
    struct note_signer signer;
    struct buf policy;
};

static struct witness witness_make(void) {
    struct witness w;
    struct fail f;
    uint8_t seed[32] = "a witness";
    must(note_signer_make(SPAN_LIT("wit.example"), NOTE_TYPE_COSIGNATURE, seed, &w.signer, &f));
    buf_init(&w.policy, 4096);
    buf_str(&w.policy, "witness w ");
    note_vkey_format(&w.signer.key, &w.policy);
    buf_str(&w.policy, "\nquorum w\n");
    return w;
}

/* The log's checkpoint of `size` entries as it was, with a cosignature of this time. */
static void cosigned(struct witness *w, const struct note_signer *log, uint64_t size,
                     struct hash *root_or_null, uint64_t time_s, struct buf *out) {
    struct fail f;
    struct note note;
    struct merkle_frontier m = {0};
    for (uint64_t i = 0; i < size; i++) {
        struct hash leaf = merkle_leaf(buf_view(&x->entries[i].bytes));
        merkle_frontier_append(&m, &leaf);
    }
    struct hash root = root_or_null ? *root_or_null : merkle_frontier_root(&m);
    must(checkpoint_sign(log, size, &root, out, &f));
    must(note_cut(buf_view(out), &note, &f));
    struct buf line;
    buf_init(&line, 1024);
    must(cosignature_sign(&w->signer, note.text, time_s, &line, &f));
    buf_span(out, buf_view(&line));
    buf_release(&line);
}

static void witnesses(void **state) {
    (void)state;
    struct tree t = tree_copy();
    struct witness w = witness_make();
    struct buf note;
    buf_init(&note, 65536);
    t.o.policy = buf_view(&w.policy);
    tree_is(&t, VERDICT_UNKNOWN, E_QUORUM, UINT64_MAX, "checkpoint");
    uint64_t size = x->entry_count, now = x->ms / 1000 + 5;
    cosigned(&w, log_key(), size, NULL, now, &note);
    scratch_write(in(&t, "checkpoint"), note.p, note.n);
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_true(t.r->witnesses == 1 && t.r->witnessed_by == 1);
    /* the witness's line does not hold */
    note.p[note.n - 40] ^= note.p[note.n - 40] == 'A' ? 'A' ^ 'B' : note.p[note.n - 40] ^ 'A';
    scratch_write(in(&t, "checkpoint"), note.p, note.n);
    tree_is(&t, VERDICT_INVALID, E_SIGNATURE, UINT64_MAX, "checkpoint");
    buf_clear(&note);
    cosigned(&w, log_key(), size, NULL, now, &note);
    scratch_write(in(&t, "checkpoint"), note.p, note.n);
    /* an earlier one, as it was; then of a forked tree */
    struct fail f;
    must(file_mkdirs(in(&t, "witnessed"), &f));
    scratch_write(in(&t, "witnessed/index"), "20\n", 3);
    uint64_t ms;
    struct span rest;
    must(entry_parse(buf_view(&x->entries[19].bytes), &ms, &rest, &f));
    buf_clear(&note);
    cosigned(&w, log_key(), 20, NULL, ms / 1000 + 3, &note);
    scratch_write(in(&t, "witnessed/20"), note.p, note.n);
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_true(t.r->witnessed_checkpoints == 1 && t.r->time_findings == 0);
    buf_clear(&note);
    cosigned(&w, log_key(), 20, NULL, ms / 1000 + 200, &note); /* cosigned after entries that follow */
    scratch_write(in(&t, "witnessed/20"), note.p, note.n);
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, ""); /* a finding, no verdict */
    assert_true(t.r->time_findings > 0);
    buf_clear(&note);
    cosigned(&w, log_key(), 20, NULL, ms / 1000 - 100, &note); /* and long before those it covers */
    scratch_write(in(&t, "witnessed/20"), note.p, note.n);
    tree_is(&t, VERDICT_VALID, OK, UINT64_MAX, "");
    assert_true(t.r->time_findings > 0);
    struct hash wrong = sha256(SPAN_LIT("another tree"));
    buf_clear(&note);
    cosigned(&w, log_key(), 20, &wrong, ms / 1000 + 3, &note);
    scratch_write(in(&t, "witnessed/20"), note.p, note.n);
    tree_is(&t, VERDICT_INVALID, E_FORK, UINT64_MAX, "witnessed/20");
    scratch_write(in(&t, "witnessed/index"), "300\n20\n", 7); /* out of order, to hide one */
    tree_is(&t, VERDICT_INVALID, E_CHECKPOINT, UINT64_MAX, "witnessed/index");
    buf_release(&note);
    buf_release(&w.policy);
    tree_end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),      cmocka_unit_test(checkpoints), cmocka_unit_test(tiles),
        cmocka_unit_test(entries),   cmocka_unit_test(inadmissible), cmocka_unit_test(several),
        cmocka_unit_test(results),   cmocka_unit_test(heads),       cmocka_unit_test(objects),
        cmocka_unit_test(anchors),   cmocka_unit_test(witnesses),
    };
    return cmocka_run_group_tests_name("verify", tests, setup, teardown);
}
