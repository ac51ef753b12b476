/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu train: the reader's networks from public data. */
#include <inttypes.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/train_log.h"
#include "crypto/hash.h"
#include "paper/crops.h"
#include "paper/decode.h"
#include "paper/reader.h"
#include "paper/train.h"

int cmd_train(int argc, char **argv);

static const char about[] =
    "Trains the two networks that read digits, from a folder of public data (MNIST, Semeion,\n"
    "optdigits; checksums are pinned), and writes net-a.bin and net-b.bin. The same seed gives "
    "the\n"
    "same bytes on one machine. --hold-out leaves one source out of training entirely, to measure\n"
    "how hands of a country are read that the reader never saw.\n\n"
    "In two steps, as the weights in the repository were made: --simulate writes, photographs and\n"
    "cuts out boxes with the very code that reads photographs (a file of labelled boxes), and\n"
    "--boxes learns from them beside the data. --start goes on from a folder's weights.\n\n"
    "After an election --from-log cuts such boxes out of its forms, labelled with the figures "
    "that\n"
    "people signed: a country's own hands for the next reader. A certified reader is not "
    "changed.\n\n"
    "exit codes: 0 trained; 1 the data is not the pinned data; 64 wrong usage; 74 the disk failed.";

struct options {
    const char *data, *out, *hold_out, *net, *boxes, *start, *from_log, *anchor, *contest,
        *evaluate;
    bool wide;
    uint64_t seed, epochs, threads, limit, simulate;
};

static bool held_out(const struct options *o, int source) {
    return source >= DIGITS_SEMEION && o->hold_out &&
           (strcmp(o->hold_out, "both") == 0 ||
            strcmp(o->hold_out, digit_source_name((enum digit_source)source)) == 0);
}

static void show(void *ctx, uint64_t done, uint64_t total, double loss) {
    (void)ctx;
    (void)loss;
    cli_progress("train: steps", done, total);
}

static err report(const struct net *n, const struct digit_set *set, const char *name,
                  struct fail *f) {
    size_t right, digit;
    TRY(train_evaluate(n, set, &right, &digit, f));
    printf("  %-12s %6zu of %6zu right (%.2f %%); among the ten digits %zu (%.2f %%)\n", name,
           right, set->n, 100.0 * (double)right / (double)set->n, digit,
           100.0 * (double)digit / (double)set->n);
    return OK;
}

static err report_all(const struct options *o, const struct net *n, const struct digit_set sets[],
                      struct fail *f) {
    static const char *const marks[] = {"blank", "dash", "struck", "other"};
    for (int k = DIGITS_MNIST_TEST; k < DIGITS_SOURCES; k++) {
        const char *name = digit_source_name((enum digit_source)k);
        if (k != DIGITS_MNIST_TEST && !held_out(o, k)) continue;
        TRY(report(n, &sets[k], name, f));
    }
    for (int c = CLASS_BLANK; c < NET_CLASSES; c++) {
        size_t rejected;
        TRY(train_evaluate_marks(n, &sets[DIGITS_MNIST_TEST], c, 77, 2000, &rejected, f));
        printf("  %-12s %6zu of   2000 read as no digit (synthetic)\n", marks[c - CLASS_BLANK],
               rejected);
    }
    return OK;
}

/* What the two networks of a folder say together, as the reader asks them: a disagreement or a
 * margin below the reader's own is an abstention, and an abstention is no right answer. */
static err report_reader(const char *dir, const struct digit_set *set, const char *name,
                         struct fail *f) {
    const struct decode_rules rules = decode_default_rules();
    char path[2][PATH_MAX_LEN];
    struct span file[2] = {{0}};
    struct reader r = {0};
    TRY(path_join(path[0], sizeof path[0], dir, "net-a.bin", f));
    TRY(path_join(path[1], sizeof path[1], dir, "net-b.bin", f));
    TRY(file_map(path[0], &file[0], f));
    err e = file_map(path[1], &file[1], f);
    if (e == OK) e = reader_init(&r, file[0], file[1], f);
    size_t best = 0, right = 0, wrong = 0;
    for (size_t i = 0; e == OK && i < set->n; i++) {
        struct box_reading box = {0};
        struct field_reading v;
        uint8_t view[2][NET_PIXELS];
        memcpy(view[0], set->image[i], NET_PIXELS);
        for (int k = 0; k < NET_PIXELS; k++) view[1][k] = set->image[i][k] > 127 ? 255 : 0;
        reader_ask(&r, (const uint8_t(*)[NET_PIXELS])view, &box);
        decode_boxes(&box, 1, rules, &v);
        best += box.best == set->label[i];
        right += !v.reasons && v.value == set->label[i];
        wrong += !v.reasons && v.value != set->label[i];
    }
    reader_release(&r);
    file_unmap(file[1]);
    file_unmap(file[0]);
    if (e == OK)
        printf("  %-12s %6zu of %6zu read right by both networks (%.2f %%); answered with the "
               "margin %.0f: %zu right (%.2f %%), %zu wrong\n",
               name, best, set->n, 100.0 * (double)best / (double)set->n, rules.margin, right,
               100.0 * (double)right / (double)set->n, wrong);
    return e;
}

static err evaluate(const struct options *o, const struct digit_set sets[], const char *dir,
                    struct fail *f) {
    printf("both networks, as the reader asks them\n");
    for (int k = DIGITS_MNIST_TEST; k < DIGITS_SOURCES; k++)
        if (k == DIGITS_MNIST_TEST || held_out(o, k))
            TRY(report_reader(dir, &sets[k], digit_source_name((enum digit_source)k), f));
    return OK;
}

/* DIR/net-a.bin or net-b.bin. */
static err read_start(const char *dir, bool second, struct net *out, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct span file;
    TRY(path_join(path, sizeof path, dir, second ? "net-b.bin" : "net-a.bin", f));
    TRY(file_map(path, &file, f));
    const err e = net_read(file, out, f);
    file_unmap(file);
    return e;
}

static err train_one(const struct options *o, const struct digit_set sets[],
                     const struct digit_set *boxes, bool second, struct fail *f) {
    struct train_data d = {.main = sets[DIGITS_MNIST_TRAIN], .boxes = *boxes};
    struct net start = {0};
    if (o->start) TRY(read_start(o->start, second, &start, f));
    size_t k = 0;
    for (int s = DIGITS_SEMEION; s < DIGITS_SOURCES; s++)
        if (!held_out(o, s)) d.foreign[k++] = sets[s];
    const struct train_options t = {.shape = second ? (struct net_shape){3, 32, 32, 64, 64, 96}
                                                    : (struct net_shape){5, 32, 32, 48, 96, 96},
                                    .seed = o->seed + (second ? 1000003 : 0),
                                    .epochs = (unsigned)o->epochs,
                                    .threads = (unsigned)o->threads,
                                    .limit = (unsigned)o->limit,
                                    .wide = o->wide,
                                    .start = o->start ? &start : NULL,
                                    .progress = show};
    struct net n;
    const double began = clock_seconds(), worked = clock_cpu_seconds();
    const err trained = train_net(&t, &d, &n, f);
    net_release(&start);
    if (trained != OK) return trained;
    cli_progress_end();
    printf("net-%c: %zu weights, %.0f core-seconds, %.0f s on %" PRIu64 " threads\n",
           second ? 'b' : 'a', n.count, clock_cpu_seconds() - worked, clock_seconds() - began,
           o->threads);
    struct buf b;
    char path[PATH_MAX_LEN];
    buf_init(&b, (size_t)16 << 20);
    err e = report_all(o, &n, sets, f);
    if (e == OK) e = net_write(&n, &b, f);
    if (e == OK) e = path_join(path, sizeof path, o->out, second ? "net-b.bin" : "net-a.bin", f);
    if (e == OK) e = file_mkdirs(o->out, f);
    if (e == OK) e = file_write_durable(path, buf_view(&b), 0644, f);
    if (e == OK) {
        char hex[HASH_HEX_LEN + 1];
        const struct hash h = sha256(buf_view(&b));
        hash_hex(&h, hex);
        printf("  %s  %s (%zu bytes)\n", hex, path, b.n);
    }
    fflush(stdout);
    buf_release(&b);
    net_release(&n);
    return e;
}

static void show_sheets(void *ctx, uint64_t done, uint64_t total) {
    (void)ctx;
    cli_progress("train: sheets", done, total);
}

static err write_boxes(const struct options *o, const struct digit_set *boxes, struct fail *f) {
    struct buf b;
    buf_init(&b, (size_t)2 << 30);
    err e = digit_set_write(boxes, &b, f);
    if (e == OK) e = file_write_durable(o->out, buf_view(&b), 0644, f);
    if (e == OK) printf("%zu labelled boxes in %s\n", boxes->n, o->out);
    buf_release(&b);
    return e;
}

/* Boxes that people confirmed in a finished election. */
static err from_log(const struct options *o, struct fail *f) {
    struct digit_set boxes;
    struct train_log_counts n;
    TRY(train_log_boxes(o->from_log, o->anchor, o->contest, &boxes, &n, f));
    printf("%" PRIu64 " forms with figures that hold, %" PRIu64 " images, %" PRIu64
           " of them read as our form, %" PRIu64 " digits in two views each\n",
           n.forms, n.images, n.used, n.boxes);
    const err e = write_boxes(o, &boxes, f);
    digit_set_release(&boxes);
    return e;
}

/* Boxes written with the digits of all that is not held out: nine in ten from MNIST. */
static err simulate(const struct options *o, const struct digit_set sets[], struct fail *f) {
    const struct digit_set *from[DIGITS_SOURCES] = {&sets[DIGITS_MNIST_TRAIN]};
    double share[DIGITS_SOURCES] = {0.85};
    size_t n = 1;
    for (int s = DIGITS_SEMEION; s < DIGITS_SOURCES; s++)
        if (!held_out(o, s)) from[n++] = &sets[s];
    for (size_t k = 1; k < n; k++) share[k] = 0.15 / (double)(n - 1);
    const struct crop_options c = {.sets = from,
                                   .share = share,
                                   .set_count = n,
                                   .seed = o->seed,
                                   .sheets = o->simulate,
                                   .progress = show_sheets};
    struct digit_set boxes;
    TRY(crops_make(&c, &boxes, f));
    cli_progress_end();
    const err e = write_boxes(o, &boxes, f);
    digit_set_release(&boxes);
    return e;
}

static err read_boxes(const char *path, struct digit_set *out, struct fail *f) {
    struct span file;
    TRY(file_map(path, &file, f));
    const err e = digit_set_parse(file, out, f);
    file_unmap(file);
    return e;
}

int cmd_train(int argc, char **argv) {
    struct options o = {.seed = 1, .epochs = 6, .threads = 2, .net = "both"};
    const struct opt options[] = {
        {"--data", OPT_TEXT, &o.data, "DIR", "the folder of public data"},
        {"--out", OPT_TEXT, &o.out, "DIR", "where the weights are written"},
        {"--seed", OPT_U64, &o.seed, "N", "seed of weights, order and distortions (1)"},
        {"--epochs", OPT_U64, &o.epochs, "N", "passes over MNIST (6)"},
        {"--threads", OPT_U64, &o.threads, "N", "1 or 2; the result is the same (2)"},
        {"--limit", OPT_U64, &o.limit, "N", "at most N steps (for trials)"},
        {"--net", OPT_TEXT, &o.net, "NAME", "a, b or both (both)"},
        {"--boxes", OPT_TEXT, &o.boxes, "FILE", "labelled boxes to learn from as well"},
        {"--start", OPT_TEXT, &o.start, "DIR", "go on from the weights in this folder"},
        {"--simulate", OPT_U64, &o.simulate, "SHEETS",
         "write a file of labelled boxes (--out FILE) instead of training"},
        {"--from-log", OPT_TEXT, &o.from_log, "DIR|URL",
         "write labelled boxes from a finished election's forms (--out FILE) instead of training"},
        {"--contest", OPT_TEXT, &o.contest, "ID", "with --from-log: only this contest"},
        {"--anchor", OPT_TEXT, &o.anchor, "FILE", "with --from-log: the gazetted trust anchor"},
        {"--wide", OPT_FLAG, &o.wide, NULL,
         "distort more: for hands of countries that no source shows (with --boxes: half of the "
         "data)"},
        {"--hold-out", OPT_TEXT, &o.hold_out, "SOURCE",
         "semeion, optdigits or both: evaluated, not trained"},
        {"--evaluate", OPT_TEXT, &o.evaluate, "DIR",
         "only say what the two networks in this folder make of the data"},
    };
    const struct usage u = {"train --data DIR --out DIR",     about, options,
                            sizeof options / sizeof *options, 0,     0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct digit_set sets[DIGITS_SOURCES] = {0}, boxes = {0};
    err e = OK;
    const bool known =
        !o.hold_out || held_out(&o, DIGITS_SEMEION) || held_out(&o, DIGITS_OPTDIGITS);
    const bool a = strcmp(o.net, "b") != 0, b = strcmp(o.net, "a") != 0;
    if (o.from_log && o.out && !o.data) {
        return from_log(&o, &f) == OK ? 0 : cli_fail("train", &f);
    }
    if (!o.data || (!o.out && !o.evaluate) || o.from_log || !known || o.epochs < 1 ||
        o.epochs > 1000 || o.threads < 1 || o.threads > 2 || o.simulate > 100000 ||
        (a && b && strcmp(o.net, "both") != 0))
        e = fail_set(&f, E_USAGE, "train needs --data DIR and --out DIR; --help shows the choices");
    for (int k = 0; e == OK && k < DIGITS_SOURCES; k++)
        e = digit_set_read(o.data, (enum digit_source)k, &sets[k], &f);
    if (e == OK && o.boxes) e = read_boxes(o.boxes, &boxes, &f);
    if (e == OK && o.evaluate) {
        e = evaluate(&o, sets, o.evaluate, &f);
    } else if (e == OK && o.simulate) {
        e = simulate(&o, sets, &f);
    } else {
        if (e == OK && a) e = train_one(&o, sets, &boxes, false, &f);
        if (e == OK && b) e = train_one(&o, sets, &boxes, true, &f);
        if (e == OK && a && b) e = evaluate(&o, sets, o.out, &f);
    }
    digit_set_release(&boxes);
    for (int k = 0; k < DIGITS_SOURCES; k++) digit_set_release(&sets[k]);
    return e == OK ? 0 : cli_fail("train", &f);
}
