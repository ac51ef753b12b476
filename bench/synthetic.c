/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench/synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include "election/canonical_json.h"
#include "election/compose.h"

static struct fail f;
static void must(err e) {
    if (e == OK) return;
    fprintf(stderr, "%s: %s\n", err_info(e)->name, f.text);
    exit(70);
}

enum { COUNTIES = 47, CONSTITUENCIES = 290, WARDS = 1450, CHOICES = 8, CLERKS = 12 };

/* The contests of a general election in Kenya, in this order: one of the nation, three of each county,
 * one of each constituency, one of each ward. */
enum { OF_COUNTIES = 1, OF_CONSTITUENCIES = OF_COUNTIES + 3 * COUNTIES,
       OF_WARDS = OF_CONSTITUENCIES + CONSTITUENCIES, ALL_CONTESTS = OF_WARDS + WARDS };

static void unit_of_contest(const struct synthetic *l, unsigned contest, char out[24]) {
    if (!l->six_kinds || contest < OF_COUNTIES)
        snprintf(out, 24, "000");
    else if (contest < OF_CONSTITUENCIES)
        snprintf(out, 24, "c%03u", (contest - OF_COUNTIES) / 3);
    else if (contest < OF_WARDS)
        snprintf(out, 24, "k%03u", contest - OF_CONSTITUENCIES);
    else
        snprintf(out, 24, "w%04u", contest - OF_WARDS);
}

/* The k-th contest at a station. */
static unsigned contest_at(const struct synthetic *l, unsigned station, unsigned k) {
    unsigned constituency = station % CONSTITUENCIES;
    if (!l->six_kinds || k == 0) return k;
    if (k < 4) return OF_COUNTIES + 3 * (constituency % COUNTIES) + k - 1;
    return k == 4 ? OF_CONSTITUENCIES + constituency : OF_WARDS + station % WARDS;
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

static void append(struct synthetic *l, struct buf *text, const char *const *signers, size_t n) {
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
    buf_clear(&l->entry);
    entry_format(&l->entry, 1000000 + l->n++, buf_view(&note));
    l->sink(l->ctx, buf_view(&l->entry));
    buf_release(&note);
    buf_release(&vkey);
    buf_clear(text);
}

err synthetic_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                     struct fail *why) {
    const struct synthetic *l = ctx;
    (void)size;
    if (hash_eq(id, &l->units_ref.id))
        *out = buf_view(&l->units);
    else if (hash_eq(id, &l->contests_ref.id))
        *out = buf_view(&l->contests);
    else
        return fail_set(why, E_OBJECT_MISSING, "no such object");
    return OK;
}

static void make_units(struct synthetic *l) {
    char code[40], parent[40];
    buf_init(&l->units, 1 << 26);
    compose_units_head(&l->units);
    compose_unit(&l->units, SPAN_LIT("000"), SPAN_LIT("nation"), SPAN_LIT("NATION"), (struct span){0}, 0);
    for (int i = 0; i < COUNTIES; i++) {
        snprintf(code, sizeof code, "c%03d", i);
        compose_unit(&l->units, span_text(code), SPAN_LIT("county"), span_text(code), SPAN_LIT("000"), 0);
    }
    for (int i = 0; i < CONSTITUENCIES; i++) {
        snprintf(code, sizeof code, "k%03d", i);
        snprintf(parent, sizeof parent, "c%03d", i % COUNTIES);
        compose_unit(&l->units, span_text(code), SPAN_LIT("constituency"), span_text(code),
                     span_text(parent), 0);
    }
    for (int i = 0; i < WARDS && l->six_kinds; i++) {
        snprintf(code, sizeof code, "w%04d", i);
        snprintf(parent, sizeof parent, "k%03d", i % CONSTITUENCIES);
        compose_unit(&l->units, span_text(code), SPAN_LIT("ward"), span_text(code), span_text(parent), 0);
    }
    for (int i = 0; i < SYNTHETIC_STATIONS; i++) {
        snprintf(code, sizeof code, "%015d", i);
        if (l->six_kinds)
            snprintf(parent, sizeof parent, "w%04d", i % WARDS);
        else
            snprintf(parent, sizeof parent, "k%03d", i % CONSTITUENCIES);
        compose_unit(&l->units, span_text(code), SPAN_LIT("station"), SPAN_LIT("A PRIMARY SCHOOL"),
                     span_text(parent), 500);
    }
    l->units_ref = (struct named_object){sha256(buf_view(&l->units)), l->units.n};
}

/* A key with its record, by the one that grants it. */
static void enrol(struct synthetic *l, struct buf *text, const struct hash *election, const char *name,
                  enum role role, const char *unit, const char *by) {
    struct note_key k;
    struct buf vkey;
    buf_init(&vkey, 1000);
    key_of(name, &k, &vkey);
    struct compose_key g = {.election = *election, .holder = sha256(span_text(name)), .vkey = buf_view(&vkey),
                            .unit = span_text(unit), .role = role, .not_after_ms = CJ_MAX_INT};
    compose_key(text, &g);
    append(l, text, (const char *const[]){name, by}, 2);
    buf_release(&vkey);
}

static void clerk_name(char out[40], int constituency, unsigned n) {
    snprintf(out, 40, "clerk/%d.%u", constituency, n % CLERKS);
}

/* Two clerks seal what stands in the result, then open it. */
static void read_twice(struct synthetic *l, struct buf *text, const struct compose_result *r,
                       const struct hash *image, int constituency, unsigned at) {
    struct compose_reading x;
    struct buf json;
    struct hash record[2], seal;
    uint8_t nonce[32] = {0};
    char name[2][40];
    compose_reading_init(&x);
    x.registered = r->registered;
    x.rejected = r->rejected;
    x.valid = r->valid;
    x.choices = r->choices;
    x.votes = r->votes;
    x.choice_count = r->choice_count;
    buf_init(&json, 8192);
    compose_reading(&json, &x);
    for (unsigned n = 0; n < 2; n++) {
        clerk_name(name[n], constituency, at + n);
        put_u32be(nonce, 2 * at + n);
        seal = seal_hash(nonce, buf_view(&json));
        compose_seal(text, &r->election, r->contest, 1, r->station, image, span_text(name[n]), &seal);
        record[n] = sha256(buf_view(text));
        append(l, text, (const char *const[]){name[n]}, 1);
    }
    for (unsigned n = 0; n < 2; n++) {
        put_u32be(nonce, 2 * at + n);
        compose_open(text, &r->election, nonce, buf_view(&json), &record[n]);
        append(l, text, (const char *const[]){name[n]}, 1);
    }
    buf_release(&json);
}

void synthetic_log(struct synthetic *l) {
    char contest[24];
    buf_init(&l->entry, ENTRY_MAX);
    l->n = 0;
    make_units(l);
    struct compose_choice choices[CHOICES];
    char ids[CHOICES][24];
    for (int i = 0; i < CHOICES; i++) {
        snprintf(ids[i], sizeof ids[i], "candidate-%d", i);
        choices[i] = (struct compose_choice){span_text(ids[i]), span_text(ids[i]), {0}};
    }
    buf_init(&l->contests, 1 << 20);
    compose_contests_head(&l->contests);
    if (l->six_kinds) l->contest_count = 6; /* at a station */
    for (unsigned i = 0; i < (l->six_kinds ? ALL_CONTESTS : l->contest_count); i++) {
        char of[24];
        unit_of_contest(l, i, of);
        snprintf(contest, sizeof contest, "contest-%u", i);
        compose_contest(&l->contests, span_text(contest), SPAN_LIT("president"), SPAN_LIT("A contest"),
                        SPAN_LIT("null"), span_text(of), choices, CHOICES);
    }
    l->contests_ref = (struct named_object){sha256(buf_view(&l->contests)), l->contests.n};
    struct buf text, com, log;
    struct note_key k;
    buf_init(&text, 1 << 17);
    buf_init(&com, 1000);
    buf_init(&log, 1000);
    key_of("com", &k, &com);
    key_of("example.org/bench", &k, &log);
    const struct span levels[] = {SPAN_LIT("nation"), SPAN_LIT("county"), SPAN_LIT("constituency"),
                                  l->six_kinds ? SPAN_LIT("ward") : SPAN_LIT("station"), SPAN_LIT("station")};
    struct compose_commissioner c = {.vkey = buf_view(&com)};
    struct compose_manifest m = {.origin = SPAN_LIT("example.org/bench"), .log_vkey = buf_view(&log),
                                 .title = SPAN_LIT("bench"), .units = l->units_ref,
                                 .contests = l->contests_ref, .commissioners = &c,
                                 .commissioner_count = 1, .threshold = 1, .levels = levels,
                                 .level_count = l->six_kinds ? 5 : 4, .simulated = true};
    compose_manifest(&text, &m);
    struct hash election = sha256(buf_view(&text));
    append(l, &text, (const char *const[]){"com"}, 1);
    for (int i = 0; i < SYNTHETIC_STATIONS + CONSTITUENCIES; i++) {
        bool station = i >= CONSTITUENCIES;
        int n = station ? i - CONSTITUENCIES : i;
        char name[40], by[40] = "com", code[40];
        snprintf(name, sizeof name, station ? "po/%015d" : "ro/%d", n);
        snprintf(code, sizeof code, station ? "%015d" : "k%03d", n);
        if (station) snprintf(by, sizeof by, "ro/%d", n % CONSTITUENCIES);
        enrol(l, &text, &election, name, station ? ROLE_PRESIDING_OFFICER : ROLE_RETURNING_OFFICER, code, by);
        for (unsigned c2 = 0; !station && l->readings && c2 < CLERKS; c2++) {
            char clerk[40];
            clerk_name(clerk, n, c2);
            enrol(l, &text, &election, clerk, ROLE_CLERK, code, name);
        }
    }
    struct span order[CHOICES];
    uint64_t votes[CHOICES];
    for (int i = 0; i < CHOICES; i++) order[i] = span_text(ids[i]);
    for (unsigned at = 0; at < SYNTHETIC_STATIONS * l->contest_count; at++) {
        int i = (int)(at / l->contest_count);
        snprintf(contest, sizeof contest, "contest-%u", contest_at(l, (unsigned)i, at % l->contest_count));
        char name[40], code[40];
        snprintf(name, sizeof name, "po/%015d", i);
        snprintf(code, sizeof code, "%015d", i);
        struct compose_result r;
        compose_result_init(&r);
        struct hash form = sha256(span_text(code));
        r.election = election;
        r.contest = span_text(contest);
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
        struct hash image = sha256(buf_view(&text));
        append(l, &text, (const char *const[]){name}, 1);
        if (l->readings) read_twice(l, &text, &r, &image, i % CONSTITUENCIES, at);
        for (unsigned e = 0; e < l->events; e++) {
            compose_station_event(&text, &election, span_text(code), "opened", span_text(contest), at,
                                  e);
            append(l, &text, (const char *const[]){name}, 1);
        }
    }
    buf_release(&text);
    buf_release(&com);
    buf_release(&log);
}

void synthetic_release(struct synthetic *l) {
    buf_release(&l->entry);
    buf_release(&l->units);
    buf_release(&l->contests);
}
