/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The fold on one core, without signature checks: a nation of 40,883 stations, each with the key of
 * its presiding officer, a result and an image. Prints records a second of the parse alone (framing,
 * lines, id), of the strict JSON alone, and of all of it with apply; bytes of state a record. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "election/canonical_json.h"
#include "election/compose.h"
#include "election/fold.h"
#include "election/results.h"

enum { COUNTIES = 47, CONSTITUENCIES = 290, STATIONS = 40883, CHOICES = 8 };

static struct fail f;
static void must(err e) {
    if (e == OK) return;
    fprintf(stderr, "%s: %s\n", err_info(e)->name, f.text);
    exit(70);
}

/* Processor time: the machine may be busy with other things. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Entries, one after the other in one buffer. */
struct log {
    struct buf bytes;
    size_t *at, n;
};

static struct span entry(const struct log *l, size_t i) {
    return span_of(l->bytes.p + l->at[i], l->at[i + 1] - l->at[i]);
}

static void key_of(const char *name, struct note_key *out, struct buf *vkey) {
    struct hash fake = sha256(span_text(name)); /* nothing is signed: any 32 bytes are a key */
    struct ed25519_public pub;
    memcpy(pub.b, fake.b, 32);
    must(note_key_make(span_text(name), NOTE_TYPE_ED25519, &pub, out, &f));
    buf_clear(vkey);
    note_vkey_format(out, vkey);
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(buf_view(a), buf_view(b));
}

static void append(struct log *l, struct buf *text, const char *const *signers, size_t n) {
    struct buf lines[4], vkey;
    buf_init(&vkey, 1000);
    uint8_t sig[64];
    memset(sig, 0x5a, sizeof sig);
    for (size_t i = 0; i < n; i++) {
        struct note_key k;
        key_of(signers[i], &k, &vkey);
        buf_init(&lines[i], 1000);
        note_line_write(k.name, k.id, span_of(sig, sizeof sig), &lines[i]);
    }
    qsort(lines, n, sizeof *lines, by_bytes);
    struct buf note;
    buf_init(&note, 1 << 17);
    buf_span(&note, buf_view(text));
    buf_byte(&note, '\n');
    for (size_t i = 0; i < n; i++) {
        buf_span(&note, buf_view(&lines[i]));
        buf_release(&lines[i]);
    }
    l->at[l->n] = l->bytes.n;
    entry_format(&l->bytes, 1000000 + l->n, buf_view(&note));
    l->at[++l->n] = l->bytes.n;
    buf_release(&note);
    buf_release(&vkey);
    buf_clear(text);
}

static struct buf units, contests;
static struct named_object units_ref, contests_ref;

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *why) {
    (void)ctx;
    (void)size;
    if (hash_eq(id, &units_ref.id))
        *out = buf_view(&units);
    else if (hash_eq(id, &contests_ref.id))
        *out = buf_view(&contests);
    else
        return fail_set(why, E_OBJECT_MISSING, "no such object");
    return OK;
}

static void make_units(void) {
    char code[40], parent[40];
    buf_init(&units, 1 << 26);
    compose_units_head(&units);
    compose_unit(&units, SPAN_LIT("000"), SPAN_LIT("nation"), SPAN_LIT("NATION"), (struct span){0}, 0);
    for (int i = 0; i < COUNTIES; i++) {
        snprintf(code, sizeof code, "c%03d", i);
        compose_unit(&units, span_text(code), SPAN_LIT("county"), span_text(code), SPAN_LIT("000"), 0);
    }
    for (int i = 0; i < CONSTITUENCIES; i++) {
        snprintf(code, sizeof code, "k%03d", i);
        snprintf(parent, sizeof parent, "c%03d", i % COUNTIES);
        compose_unit(&units, span_text(code), SPAN_LIT("constituency"), span_text(code),
                     span_text(parent), 0);
    }
    for (int i = 0; i < STATIONS; i++) {
        snprintf(code, sizeof code, "%015d", i);
        snprintf(parent, sizeof parent, "k%03d", i % CONSTITUENCIES);
        compose_unit(&units, span_text(code), SPAN_LIT("station"), SPAN_LIT("A PRIMARY SCHOOL"),
                     span_text(parent), 500);
    }
    units_ref = (struct named_object){sha256(buf_view(&units)), units.n};
}

static void make_log(struct log *l) {
    struct compose_choice choices[CHOICES];
    char ids[CHOICES][24];
    for (int i = 0; i < CHOICES; i++) {
        snprintf(ids[i], sizeof ids[i], "candidate-%d", i);
        choices[i] = (struct compose_choice){span_text(ids[i]), span_text(ids[i]), {0}};
    }
    buf_init(&contests, 1 << 20);
    compose_contests_head(&contests);
    compose_contest(&contests, SPAN_LIT("president"), SPAN_LIT("president"), SPAN_LIT("President"),
                    SPAN_LIT("null"), SPAN_LIT("000"), choices, CHOICES);
    contests_ref = (struct named_object){sha256(buf_view(&contests)), contests.n};
    struct buf text, com, log;
    struct note_key k;
    buf_init(&text, 1 << 17);
    buf_init(&com, 1000);
    buf_init(&log, 1000);
    key_of("com", &k, &com);
    key_of("example.org/bench", &k, &log);
    const struct span levels[] = {SPAN_LIT("nation"), SPAN_LIT("county"), SPAN_LIT("constituency"),
                                  SPAN_LIT("station")};
    struct compose_commissioner c = {.vkey = buf_view(&com)};
    struct compose_manifest m = {.origin = SPAN_LIT("example.org/bench"), .log_vkey = buf_view(&log),
                                 .title = SPAN_LIT("bench"), .units = units_ref,
                                 .contests = contests_ref, .commissioners = &c,
                                 .commissioner_count = 1, .threshold = 1, .levels = levels,
                                 .level_count = 4, .simulated = true};
    compose_manifest(&text, &m);
    struct hash election = sha256(buf_view(&text));
    append(l, &text, (const char *const[]){"com"}, 1);
    for (int i = 0; i < STATIONS + CONSTITUENCIES; i++) {
        bool station = i >= CONSTITUENCIES;
        int n = station ? i - CONSTITUENCIES : i;
        char name[40], by[40] = "com", code[40];
        snprintf(name, sizeof name, station ? "po/%015d" : "ro/%d", n);
        snprintf(code, sizeof code, station ? "%015d" : "k%03d", n);
        if (station) snprintf(by, sizeof by, "ro/%d", n % CONSTITUENCIES);
        struct buf vkey;
        buf_init(&vkey, 1000);
        key_of(name, &k, &vkey);
        struct compose_key g = {.election = election, .holder = sha256(span_text(name)),
                                .vkey = buf_view(&vkey), .unit = span_text(code),
                                .role = station ? ROLE_PRESIDING_OFFICER : ROLE_RETURNING_OFFICER,
                                .not_after_ms = CJ_MAX_INT};
        compose_key(&text, &g);
        append(l, &text, (const char *const[]){name, by}, 2);
        buf_release(&vkey);
    }
    struct span order[CHOICES];
    uint64_t votes[CHOICES];
    for (int i = 0; i < CHOICES; i++) order[i] = span_text(ids[i]);
    for (int i = 0; i < STATIONS; i++) {
        char name[40], code[40];
        snprintf(name, sizeof name, "po/%015d", i);
        snprintf(code, sizeof code, "%015d", i);
        struct compose_result r;
        compose_result_init(&r);
        struct hash form = sha256(span_text(code));
        r.election = election;
        r.contest = SPAN_LIT("president");
        r.station = span_text(code);
        r.signed_ms = 1000000;
        r.form = &form;
        r.form_count = 1;
        r.registered = 500;
        r.rejected = 3;
        r.valid = 0;
        for (int n = 0; n < CHOICES; n++) r.valid += votes[n] = (uint64_t)((i * 7 + n * 13) % 50);
        r.choices = order;
        r.votes = votes;
        r.choice_count = CHOICES;
        compose_result(&text, &r);
        struct hash id = sha256(buf_view(&text));
        append(l, &text, (const char *const[]){name}, 1);
        struct compose_image im = {.election = election, .contest = r.contest, .station = r.station,
                                   .round = 1, .page = 1, .original = {form, 50000},
                                   .shown = {form, 50000}, .result = &id};
        compose_image(&text, &im);
        append(l, &text, (const char *const[]){name}, 1);
    }
    buf_release(&text);
    buf_release(&com);
    buf_release(&log);
}

int main(void) {
    struct log l = {.n = 0};
    buf_init(&l.bytes, (size_t)1 << 30);
    l.at = calloc(3 * STATIONS + CONSTITUENCIES + 3, sizeof *l.at);
    struct applied *a = calloc(1, sizeof *a);
    if (!l.at || !a) return 70;
    make_units();
    make_log(&l);
    double parse = 1e9, json = 1e9, apply = 1e9, results = 1e9;
    size_t memory = 0;
    for (int turn = 0; turn < 5; turn++) {
        double t = now();
        for (size_t i = 0; i < l.n; i++) {
            uint64_t ms;
            struct span note;
            struct record r;
            must(entry_parse(entry(&l, i), &ms, &note, &f));
            must(record_parse(note, &r, &f));
        }
        if (now() - t < parse) parse = now() - t;
        t = now();
        for (size_t i = 0; i < l.n; i++) {
            struct span rest = entry(&l, i), line;
            for (int n = 0; n < 3; n++)
                if (!span_line(&rest, &line)) return 70;
            must(cj_check(line, &f));
        }
        if (now() - t < json) json = now() - t;
        struct fold *s;
        struct fold_options o = {.objects = {get_object, NULL}};
        must(fold_new(&o, &s, &f));
        must(fold_apply(s, entry(&l, 0), a, &f)); /* the units are not records */
        t = now();
        for (size_t i = 1; i < l.n; i++) must(fold_apply(s, entry(&l, i), a, &f));
        if (now() - t < apply) apply = now() - t;
        memory = fold_memory(s);
        struct results r;
        t = now();
        must(results_compute(s, &r, &f));
        if (now() - t < results) results = now() - t;
        if (r.tallies[0].rows[0].total[0].stations != STATIONS) return 70;
        results_release(&r);
        fold_free(s);
    }
    double n = (double)l.n;
    printf("records %.0f, bytes %.0f (%.0f a record)\n", n, (double)l.bytes.n, (double)l.bytes.n / n);
    printf("parse with id          %9.0f records/s\n", n / parse);
    printf("strict JSON alone      %9.0f records/s\n", n / json);
    printf("fold with parse and id %9.0f records/s\n", n / apply);
    printf("findings and totals    %9.3f s\n", results);
    printf("state                  %9.0f bytes a record\n", (double)memory / n);
    free(l.at);
    free(a);
    buf_release(&l.bytes);
    buf_release(&units);
    buf_release(&contests);
    return 0;
}
