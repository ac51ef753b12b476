/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What docs/reading.md says of findings beside the figures: correction fluid, overwritten and struck
 * boxes, stamps and signatures, and one paper photographed twice, all on simulated forms. Counts
 * with exact (Clopper-Pearson) 95 % intervals. Usage: bench_evidence SHARED WHAT [N] [SEED] [MORE],
 * where WHAT is findings or findings-bad (N forms), slips (N photographs) or duplicates (N papers; MORE
 * hashes in all; then a file to keep them in). */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "bench_form.h"
#include "paper/image.h"
#include "paper/scan.h"
#include "paper/sheet.h"
#include "paper/synth.h"
#include "paper/zones.h"
#include "stats/audit/sim.h"

static _Noreturn void die(const struct fail *f) {
    fprintf(stderr, "bench_evidence: %s (%s)\n", f->text, err_info(f->code)->name);
    exit(1);
}

/* The p at which P(X >= k) reaches `want`; it rises with p. */
static double solve(uint64_t n, uint64_t k, double want) {
    double a = 0, b = 1;
    for (int i = 0; i < 60; i++) {
        const double p = (a + b) / 2;
        *(binomial_at_least(n, k, p) < want ? &a : &b) = p;
    }
    return (a + b) / 2;
}

static void show(const char *what, size_t k, size_t n) {
    const double low = k ? solve(n, k, 0.025) : 0, high = k < n ? solve(n, k + 1, 0.975) : 1;
    printf("  %-52s %8zu of %8zu  %8.4f %%  [%.4f, %.4f]\n", what, k, n,
           n ? 100.0 * (double)k / (double)n : 0.0, 100 * low, 100 * high);
}

static uint64_t draw_value(struct rng *r) {
    return rng_below(r, 3) ? rng_below(r, 400) : rng_below(r, 12);
}

/* A page as a device sees it, through the whole way. */
static bool photograph(const struct reader *reader, struct rng *r, const struct raster *page,
                       enum synth_device device, struct scan_result *s) {
    const struct scan_options o = {.rules = decode_default_rules()};
    struct raster photo;
    struct sandbox_usage usage;
    struct hash h;
    struct buf jpeg;
    struct fail f;
    int quality;
    if (synth_photo(r, page, device, &photo, &quality, &f) != OK) die(&f);
    buf_init(&jpeg, (size_t)32 << 20);
    if (image_write_jpeg(&photo, quality, &jpeg, &f) != OK) die(&f);
    const bool read = scan_file(reader, buf_view(&jpeg), 1, &o, s, &usage, &h, &f) == OK;
    buf_release(&jpeg);
    raster_release(&photo);
    return read;
}

/* ---- findings ---- */

enum row_kind { ROW_CLEAN, ROW_FLUID, ROW_OVER, ROW_STRUCK, ROW_KINDS };
enum { STEPS = 12 };

struct tally {
    size_t forms, lost, rows[ROW_KINDS], fluid[ROW_KINDS], over[ROW_KINDS], struck[ROW_KINDS];
    size_t answered[ROW_KINDS], wrong[ROW_KINDS];
    size_t gap[ROW_KINDS][STEPS];        /* at least k / 2 mm */
    size_t stamp[3], ring[3], part[3][STEPS]; /* round stamp, scrawl, nothing; at least k / 10 */
    size_t stamp_seen[3], signed_[2][2]; /* signature there, seen */
};

static void write_row(struct rng *r, struct raster *page, const struct synth_hand *hand,
                      const struct layout_row *row, uint64_t value, enum row_kind kind) {
    struct synth_row truth;
    uint64_t first = value;
    unsigned digits = 1;
    for (uint64_t v = value / 10; v; v /= 10) digits++;
    const unsigned back = (unsigned)rng_below(r, digits), at = BOXES - 1 - back;
    uint64_t place = 1;
    for (unsigned k = 0; k < back; k++) place *= 10;
    const uint64_t is = value / place % 10, was = (is + 1 + rng_below(r, 9)) % 10;
    /* another digit stood there first; a leading 0 is written, too */
    if (kind == ROW_FLUID || kind == ROW_OVER) first = value + was * place - is * place;
    synth_write_row(r, page, hand, row, BOXES, first, 0, &truth);
    if (kind == ROW_FLUID) synth_fluid(r, page, row->figure[at]);
    if (kind == ROW_FLUID || kind == ROW_OVER)
        synth_write_box(r, page, hand, row->figure[at], (int)is);
    if (kind == ROW_STRUCK) synth_strike_box(r, page, hand, row->figure[at]);
}

static void count_row(struct tally *t, const struct scan_field *k, enum row_kind kind,
                      uint64_t value) {
    t->rows[kind]++;
    t->fluid[kind] += k->hidden;
    t->over[kind] += (k->read.reasons & ABSTAIN_OVERWRITTEN) != 0;
    t->struck[kind] += k->read.struck || (k->read.reasons & ABSTAIN_STRUCK);
    t->answered[kind] += k->read.reasons == 0;
    t->wrong[kind] += k->read.reasons == 0 && k->read.value != value;
    for (int i = 0; i < STEPS; i++) t->gap[kind][i] += k->hidden_mm >= i / 2.0;
}

static void count_zones(struct tally *t, const struct scan_result *s, int stamp, bool officer,
                        bool deputy) {
    for (uint32_t i = 0; i < s->zone_count; i++) {
        const struct scan_zone *z = &s->zone[i];
        if (z->kind == ZONE_SIGNATURE_OFFICER) t->signed_[officer][z->present]++;
        if (z->kind == ZONE_SIGNATURE_DEPUTY) t->signed_[deputy][z->present]++;
        if (z->kind != ZONE_STAMP) continue;
        t->stamp[stamp]++;
        t->stamp_seen[stamp] += z->present;
        t->ring[stamp] += z->ring;
        for (int k = 0; k < STEPS; k++) t->part[stamp][k] += z->ring_part >= k / 10.0;
    }
}

static void one_form(const struct reader *reader, const struct digit_set *digits, uint64_t seed,
                     uint64_t i, enum synth_device device, struct tally *t) {
    struct rng r;
    struct fail f;
    struct raster page;
    struct layout_page layout;
    struct synth_hand hand;
    struct scan_result s;
    enum row_kind kind[ROWS] = {ROW_CLEAN};
    uint64_t value[ROWS];
    rng_init_stream(&r, seed, i + 1);
    const struct print_form form = simulated_form(i);
    if (synth_blank(&form, 1, &page, &f) != OK) die(&f);
    if (form_layout(form.code.shape, 1, &layout, &f) != OK) die(&f);
    synth_hand_draw(&r, digits, &hand);
    synth_hand_vary(&r, &hand);
    const int stamp = (int)rng_below(&r, 4) % 3; /* a round stamp twice as often */
    const bool officer = rng_below(&r, 5) > 0, deputy = rng_below(&r, 5) > 1;
    hand.scrawled_stamp = stamp == 1;
    hand.no_stamp = stamp == 2;
    hand.no_officer = !officer;
    hand.no_deputy = !deputy;
    synth_paper(&page, 0.94 + 0.06 * rng_double(&r));
    kind[rng_below(&r, 4)] = ROW_FLUID;
    kind[4 + rng_below(&r, 3)] = ROW_FLUID;
    kind[7 + rng_below(&r, 2)] = ROW_OVER;
    kind[9 + rng_below(&r, 2)] = ROW_STRUCK;
    for (unsigned k = 0; k < ROWS; k++) {
        value[k] = draw_value(&r);
        write_row(&r, &page, &hand, &layout.rows[k], value[k], kind[k]);
    }
    synth_sign(&r, &page, &hand, &layout);
    t->forms++;
    if (!photograph(reader, &r, &page, device, &s) || s.field_count != ROWS) {
        t->lost++;
    } else {
        for (unsigned k = 0; k < ROWS; k++) count_row(t, &s.field[k], kind[k], value[k]);
        count_zones(t, &s, stamp, officer, deputy);
    }
    raster_release(&page);
}

static void bench_findings(const struct reader *reader, const struct digit_set *digits, size_t n,
                           uint64_t seed, enum synth_device device) {
    static struct tally t;
    for (size_t i = 0; i < n; i++) one_form(reader, digits, seed, i, device, &t);
    printf("findings, %s: %zu forms, %zu not read; 7s with bars, 1s with serifs, dashes\n",
           device == SYNTH_PHONE ? "phone" : "bad phone", t.forms, t.lost);
    show("correction fluid: print hidden, found", t.fluid[ROW_FLUID], t.rows[ROW_FLUID]);
    show("  false alarms on rows without", t.fluid[ROW_CLEAN] + t.fluid[ROW_OVER] + t.fluid[ROW_STRUCK],
         t.rows[ROW_CLEAN] + t.rows[ROW_OVER] + t.rows[ROW_STRUCK]);
    show("  figure over fluid answered", t.answered[ROW_FLUID], t.rows[ROW_FLUID]);
    show("  wrong among those", t.wrong[ROW_FLUID], t.answered[ROW_FLUID]);
    show("overwritten digit: called overwritten", t.over[ROW_OVER], t.rows[ROW_OVER]);
    show("  not answered, for whatever reason", t.rows[ROW_OVER] - t.answered[ROW_OVER],
         t.rows[ROW_OVER]);
    show("  answered, and not the last digit's value", t.wrong[ROW_OVER], t.rows[ROW_OVER]);
    show("  clean rows called overwritten", t.over[ROW_CLEAN], t.rows[ROW_CLEAN]);
    show("one digit struck, no correction: called struck", t.struck[ROW_STRUCK],
         t.rows[ROW_STRUCK]);
    show("  not answered, for whatever reason", t.rows[ROW_STRUCK] - t.answered[ROW_STRUCK],
         t.rows[ROW_STRUCK]);
    show("  clean rows called struck", t.struck[ROW_CLEAN], t.rows[ROW_CLEAN]);
    show("clean rows answered", t.answered[ROW_CLEAN], t.rows[ROW_CLEAN]);
    show("  wrong among those", t.wrong[ROW_CLEAN], t.answered[ROW_CLEAN]);
    show("round stamp: ring found", t.ring[0], t.stamp[0]);
    show("  a scrawl in its place taken for one", t.ring[1], t.stamp[1]);
    show("  nothing there, called stamped", t.stamp_seen[2], t.stamp[2]);
    show("  a stamp or scrawl seen as present", t.stamp_seen[0] + t.stamp_seen[1],
         t.stamp[0] + t.stamp[1]);
    show("signature there, seen", t.signed_[1][1], t.signed_[1][0] + t.signed_[1][1]);
    show("no signature, called signed", t.signed_[0][1], t.signed_[0][0] + t.signed_[0][1]);
    printf("  hidden print of at least (mm): with fluid, without\n");
    for (int k = 1; k < STEPS; k++)
        printf("    %.1f: %.4f %.4f\n", k / 2.0, (double)t.gap[ROW_FLUID][k] / (double)t.rows[ROW_FLUID],
               (double)(t.gap[ROW_CLEAN][k] + t.gap[ROW_OVER][k] + t.gap[ROW_STRUCK][k]) /
                   (double)(t.rows[ROW_CLEAN] + t.rows[ROW_OVER] + t.rows[ROW_STRUCK]));
    printf("  ring of at least: stamps, scrawls\n");
    for (int k = 1; k < STEPS; k++)
        printf("    %.1f: %.4f %.4f\n", k / 10.0, (double)t.part[0][k] / (double)t.stamp[0],
               (double)t.part[1][k] / (double)t.stamp[1]);
    printf("\n");
}

/* ---- the same paper twice ---- */

enum { PHOTOS = 3 }; /* of each paper two, and one of another paper signed by the same people */

static bool is_empty(const uint64_t *h) {
    uint64_t any = 0;
    for (int i = 0; i < SCAN_HASH_WORDS; i++) any |= h[i];
    return any == 0;
}

struct pairs {
    size_t papers, found, same_people, others;
    double least_true, best_people, best_other;
};

/* Hash 3k and 3k + 1: one paper; 3k + 2: other papers by the same people; the rest strangers. */
static void pair_found(void *ctx, size_t i, size_t j, double similarity) {
    struct pairs *p = ctx;
    const bool together = i / PHOTOS == j / PHOTOS && j < PHOTOS * p->papers;
    if (together && j == i + 1 && i % PHOTOS == 0) {
        p->found++;
    } else if (together) {
        p->same_people++;
        p->best_people = fmax(p->best_people, similarity);
    } else {
        p->others++;
        p->best_other = fmax(p->best_other, similarity);
    }
}

/* Another station's form with other figures each time; signatures and stamp are those of `seed`. */
static bool make_photo(const struct reader *reader, const struct digit_set *digits, uint64_t seed,
                       uint64_t serial, bool another, uint64_t *hash) {
    struct rng r;
    struct fail f;
    struct raster page;
    struct layout_page layout;
    struct synth_hand hand;
    struct synth_row truth;
    struct scan_result s;
    rng_init_stream(&r, 91, seed); /* one pen for all that these people sign */
    synth_hand_draw(&r, digits, &hand);
    hand.signing = another ? serial + 1 : 0;
    rng_init_stream(&r, 93, serial);
    const struct print_form form = simulated_form(serial);
    if (synth_blank(&form, 1, &page, &f) != OK) die(&f);
    if (form_layout(form.code.shape, 1, &layout, &f) != OK) die(&f);
    for (unsigned k = 0; k < ROWS; k++)
        synth_write_row(&r, &page, &hand, &layout.rows[k], BOXES, draw_value(&r), 0, &truth);
    synth_sign(&r, &page, &hand, &layout);
    const bool read =
        photograph(reader, &r, &page, serial % 4 ? SYNTH_PHONE : SYNTH_SCANNER, &s) &&
        s.zone_hash_usable;
    if (read) memcpy(hash, s.zone_hash, sizeof s.zone_hash);
    raster_release(&page);
    return read;
}

/* Strangers: drawn signatures and stamps on a flat page, hashed where a registration that is a
 * little wrong puts them; no photograph, so that 40,000 are made in minutes. */
static void make_flat(const struct digit_set *digits, uint64_t *hash, size_t from, size_t n,
                      size_t step) {
    const struct print_form form = simulated_form(1);
    struct layout_page layout;
    struct raster page;
    struct fail f;
    if (form_layout(form.code.shape, 1, &layout, &f) != OK) die(&f);
    layout.row_count = 0; /* only what is hashed is drawn */
    if (raster_init(&page, (int)(SHEET_W_MM * SYNTH_PPMM), (int)(SHEET_H_MM * SYNTH_PPMM), &f) != OK)
        die(&f);
    struct registration flat = {.to_image = {{SYNTH_PPMM, 0, 0, 0, SYNTH_PPMM, 0, 0, 0, 1}},
                                .pixels_per_mm = SYNTH_PPMM};
    struct sheet sheet;
    memset(page.p, 255, (size_t)page.w * (size_t)page.h);
    if (sheet_init(&sheet, &page, &flat, &f) != OK) die(&f);
    for (size_t i = from; i < n; i += step) {
        struct rng r;
        struct synth_hand hand;
        bool usable;
        if (!is_empty(hash + i * SCAN_HASH_WORDS)) continue;
        rng_init_stream(&r, 92, i);
        synth_hand_draw(&r, digits, &hand);
        const size_t top = (size_t)(236 * SYNTH_PPMM) * (size_t)page.w;
        memset(page.p + top, 255, (size_t)page.w * (size_t)page.h - top);
        synth_sign(&r, &page, &hand, &layout);
        sheet.reg.to_image.m[2] = rng_normal(&r) * 0.3 * SYNTH_PPMM;
        sheet.reg.to_image.m[5] = rng_normal(&r) * 0.3 * SYNTH_PPMM;
        if (zone_hash(&sheet, &layout, hash + i * SCAN_HASH_WORDS, &usable, &f) != OK) die(&f);
    }
    sheet_release(&sheet);
    raster_release(&page);
}

/* Two processes share the work; what each makes does not depend on that. */
static void make_all(const struct reader *reader, const struct digit_set *digits, uint64_t *hash,
                     size_t photos, size_t n) {
    enum { WORKERS = 2 };
    for (size_t w = 0; w < WORKERS; w++) {
        const pid_t child = fork();
        if (child < 0) exit(1);
        if (child > 0) continue;
        for (size_t i = w; i < photos; i += WORKERS)
            if (is_empty(hash + i * SCAN_HASH_WORDS))
                (void)make_photo(reader, digits, i / PHOTOS, i, i % PHOTOS == 2,
                                 hash + i * SCAN_HASH_WORDS);
        make_flat(digits, hash, photos + w, n, WORKERS);
        _exit(0);
    }
    for (size_t w = 0; w < WORKERS; w++) {
        int status;
        if (wait(&status) < 0 || status != 0) exit(1);
    }
}

/* Hashes in a file, so that a run that was stopped goes on; without one, in memory only. */
static uint64_t *hashes_in(const char *path, size_t size) {
    const int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (path && (fd < 0 || ftruncate(fd, (off_t)size) != 0)) exit(1);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, path ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS,
                   fd, 0);
    if (p == MAP_FAILED) exit(1);
    return p;
}

static void bench_duplicates(const struct reader *reader, const struct digit_set *digits,
                             size_t papers, size_t n, const char *kept) {
    struct pairs p = {.papers = papers, .least_true = 1};
    size_t unusable = 0, tried = 0;
    const size_t photos = PHOTOS * papers;
    double sum_true = 0, most_people = 0;
    if (n < photos) exit(1);
    uint64_t *hash = hashes_in(kept, n * SCAN_HASH_WORDS * sizeof *hash);
    make_all(reader, digits, hash, photos, n);
    for (size_t i = 0; i < photos; i++) unusable += is_empty(hash + i * SCAN_HASH_WORDS);
    for (size_t k = 0; k < papers; k++) {
        const uint64_t *h = hash + PHOTOS * k * SCAN_HASH_WORDS;
        const double same = zone_hash_similarity(h, h + SCAN_HASH_WORDS);
        most_people = fmax(most_people, zone_hash_similarity(h, h + 2 * SCAN_HASH_WORDS));
        if (same == 0) continue; /* one of them could not be hashed */
        p.least_true = fmin(p.least_true, same);
        sum_true += same;
        tried++;
    }
    const double start = clock_seconds();
    zone_hash_pairs(hash, n, 0.5, 0, 1, pair_found, &p);
    const double took = clock_seconds() - start;
    printf("the same paper twice: %zu papers photographed twice, %zu other papers of the same "
           "people, %zu strangers (flat), %zu hashes in all\n",
           papers, papers, n - photos, n);
    show("pairs found (similarity at least 0.50)", p.found, papers);
    printf("  photographs without a usable hash: %zu of %zu; similarity of one paper: mean %.3f, "
           "least %.3f\n"
           "  false pairs: %zu of other papers by the same people (most alike %.3f, of %zu), %zu of "
           "strangers (most alike above 0.5: %.3f) in %.0f million pairs\n"
           "  %.2f s for all pairs on one core\n",
           unusable, photos, sum_true / (double)(tried ? tried : 1), p.least_true, p.same_people,
           most_people, 2 * papers, p.others, p.best_other,
           (double)n * (double)(n - 1) / 2e6, took);
    struct pairs near = {.papers = papers};
    zone_hash_pairs(hash, n, 0.3, 0, 1, pair_found, &near);
    printf("  at least 0.30: %zu true, %zu by the same people, %zu of strangers (most alike %.3f)\n\n",
           near.found, near.same_people, near.others, near.best_other);
    munmap(hash, n * SCAN_HASH_WORDS * sizeof *hash);
}

/* ---- slips ---- */

/* Slips with as many bytes as they carry at most, photographed. */
static void bench_slips(const struct reader *reader, size_t n, uint64_t seed,
                        enum synth_device device) {
    uint8_t note[QR_NOTE_BYTES_MAX];
    size_t read = 0, wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct rng r;
        struct fail f;
        struct canvas *c;
        struct raster page;
        struct scan_result s;
        rng_init_stream(&r, seed, i + 1);
        for (size_t k = 0; k < sizeof note; k++) note[k] = (uint8_t)(32 + rng_below(&r, 95));
        const struct print_slip slip = {.note = span_of(note, sizeof note),
                                        .id = "00",
                                        .contest = "President",
                                        .station = "A school",
                                        .simulated = true};
        if (canvas_image(SYNTH_PPMM, &c, &f) != OK || print_slip(c, &slip, &f) != OK ||
            canvas_close(c, &page, &f) != OK)
            die(&f);
        const bool found = photograph(reader, &r, &page, device, &s) && s.note_size;
        const bool same = found && span_eq(span_of(s.note, s.note_size), slip.note);
        read += same;
        wrong += found && !same;
        raster_release(&page);
    }
    printf("slips of %d bytes, %s\n", QR_NOTE_BYTES_MAX,
           device == SYNTH_PHONE ? "phone" : "bad phone");
    show("read back byte for byte", read, n);
    show("read, and not what was printed", wrong, n);
    printf("\n");
}

int main(int argc, char **argv) {
    struct fail f = {0};
    struct reader reader;
    struct digit_set digits;
    char dir[4200];
    if (argc < 3) {
        fprintf(stderr, "usage: bench_evidence SHARED WHAT [N] [SEED] [MORE]\n");
        return 64;
    }
    const size_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 100;
    const uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    snprintf(dir, sizeof dir, "%s/data/digits", argv[1]);
    if (reader_init_builtin(&reader, &f) != OK) die(&f);
    if (digit_set_read(dir, DIGITS_MNIST_TEST, &digits, &f) != OK) die(&f);
    if (strcmp(argv[2], "findings") == 0) bench_findings(&reader, &digits, n, seed, SYNTH_PHONE);
    if (strcmp(argv[2], "findings-bad") == 0)
        bench_findings(&reader, &digits, n, seed, SYNTH_BAD_PHONE);
    if (strcmp(argv[2], "slips") == 0) {
        bench_slips(&reader, n, seed, SYNTH_PHONE);
        bench_slips(&reader, n, seed + 1, SYNTH_BAD_PHONE);
    }
    if (strcmp(argv[2], "duplicates") == 0)
        bench_duplicates(&reader, &digits, n, argc > 5 ? strtoull(argv[5], NULL, 10) : 40000,
                         argc > 6 ? argv[6] : NULL);
    digit_set_release(&digits);
    reader_release(&reader);
    return 0;
}
