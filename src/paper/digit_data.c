/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/digit_data.h"

#include <math.h>
#include <stdlib.h>
#include "base/file.h"
#include "base/gzip.h"
#include "crypto/hash.h"

/* SHA-256 of the uncompressed files; those of the IDX files stand in many public projects. */
static const struct pinned {
    const char *name, *sha256;
} files[] = {
    {"train-images-idx3-ubyte.gz",
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte.gz",
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte.gz",
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte.gz",
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
    {"mnist-writers.bin.gz", "5f02b3971592246a51e12c3cb9c8470419dde0d54269decd21e4c408b5e6131c"},
    {"semeion.data.gz", "f43228ae3da5ea6a3c95069d53450b86166770e3b719dcc333182128fe08d4b1"},
    {"optdigits-orig.tra.gz", "a4eff709680076cae40420343de292b5960fc2b0da439b8a57c3d14124113bda"},
};
enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, WRITERS, SEMEION, OPTDIGITS };

const char *digit_source_name(enum digit_source s) {
    static const char *const names[DIGITS_SOURCES] = {"mnist-train", "mnist-test", "semeion",
                                                      "optdigits"};
    return s < DIGITS_SOURCES ? names[s] : "";
}

static err read_gz(const char *dir, int which, struct buf *out, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, files[which].name, f));
    buf_init(out, (size_t)64 << 20);
    err e = gzip_read(path, (size_t)64 << 20, out, f);
    if (e == E_NOT_FOUND)
        e = fail_set(f, E_NOT_FOUND, "%s is not there: give the folder of public data", path);
    if (e == E_NOT_FOUND) {
        buf_release(out);
        return e;
    }
    const struct hash h = sha256(buf_view(out));
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&h, hex);
    if (e != OK || out->failed || strcmp(hex, files[which].sha256) != 0) {
        buf_release(out);
        return fail_set(f, E_OBJECT, "%s is not the file that is expected (SHA-256 %.16s...)", path,
                        hex);
    }
    return OK;
}

err digit_set_init(struct digit_set *s, size_t n, struct fail *f) {
    *s = (struct digit_set){.n = n};
    const size_t room = n ? n : 1; /* an empty set is a set, too */
    s->image = calloc(room, sizeof *s->image);
    s->label = calloc(room, 1);
    s->writer = calloc(room, sizeof *s->writer);
    if (s->image && s->label && s->writer) return OK;
    digit_set_release(s);
    return fail_set(f, E_MEMORY, "no memory for %zu images", n);
}

void digit_set_release(struct digit_set *s) {
    free(s->image);
    free(s->label);
    free(s->writer);
    *s = (struct digit_set){0};
}

struct extent {
    int x0, y0, x1, y1; /* inclusive */
};

static bool ink_extent(const struct raster *ink, struct extent *e) {
    *e = (struct extent){ink->w, ink->h, -1, -1};
    for (int y = 0; y < ink->h; y++)
        for (int x = 0; x < ink->w; x++) {
            if (raster_at(ink, x, y) < 64) continue;
            if (x < e->x0) e->x0 = x;
            if (x > e->x1) e->x1 = x;
            if (y < e->y0) e->y0 = y;
            e->y1 = y;
        }
    return e->x1 >= 0;
}

/* Mean of the ink over a rectangle of the source in real coordinates. */
static double area_mean(const struct raster *ink, double x0, double y0, double x1, double y1) {
    double sum = 0, weight = 0;
    for (int y = (int)floor(y0); y < (int)ceil(y1); y++) {
        const double wy = fmin(y1, y + 1) - fmax(y0, y);
        for (int x = (int)floor(x0); x < (int)ceil(x1); x++) {
            const double w = wy * (fmin(x1, x + 1) - fmax(x0, x));
            weight += w;
            if (x >= 0 && y >= 0 && x < ink->w && y < ink->h) sum += w * raster_at(ink, x, y);
        }
    }
    return weight > 0 ? sum / weight : 0;
}

bool digit_normalise(const struct raster *ink, double max_scale, uint8_t out[NET_PIXELS]) {
    struct extent e;
    memset(out, 0, NET_PIXELS);
    if (!ink_extent(ink, &e)) return false;
    const double longer = fmax(e.x1 - e.x0 + 1, e.y1 - e.y0 + 1);
    const double scale = fmin(20 / longer, max_scale);
    double mass = 0, mx = 0, my = 0;
    for (int y = e.y0; y <= e.y1; y++)
        for (int x = e.x0; x <= e.x1; x++) {
            const double v = raster_at(ink, x, y);
            mass += v;
            mx += v * (x + 0.5);
            my += v * (y + 0.5);
        }
    mx /= mass;
    my /= mass;
    const double half = 0.5 / scale; /* half the side of an output pixel in source pixels */
    const double reach = fmax(half, 0.5);
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++) {
            const double sx = mx + (x + 0.5 - NET_SIDE / 2.0) / scale;
            const double sy = my + (y + 0.5 - NET_SIDE / 2.0) / scale;
            if (sx + reach <= e.x0 || sx - reach >= e.x1 + 1 || sy + reach <= e.y0 ||
                sy - reach >= e.y1 + 1)
                continue;
            out[y * NET_SIDE + x] =
                (uint8_t)lround(area_mean(ink, sx - reach, sy - reach, sx + reach, sy + reach));
        }
    return true;
}

/* A set from IDX files (big-endian magic, sizes, bytes). */
static err read_mnist(const char *dir, bool train, struct digit_set *out, struct fail *f) {
    struct buf im, la, wr;
    const size_t n = train ? 60000 : 10000, first = train ? 0 : 60000;
    TRY(read_gz(dir, train ? TRAIN_IMAGES : TEST_IMAGES, &im, f));
    err e = read_gz(dir, train ? TRAIN_LABELS : TEST_LABELS, &la, f);
    if (e == OK) {
        e = read_gz(dir, WRITERS, &wr, f);
        if (e == OK) {
            e = digit_set_init(out, n, f);
            for (size_t i = 0; e == OK && i < n; i++) { /* sizes are pinned with the hashes */
                memcpy(out->image[i], im.p + 16 + i * NET_PIXELS, NET_PIXELS);
                out->label[i] = la.p[8 + i];
                out->writer[i] = get_u16be(wr.p + (first + i) * 3 + 1);
            }
            buf_release(&wr);
        }
        buf_release(&la);
    }
    buf_release(&im);
    return e;
}

static err keep(struct digit_set *s, size_t i, const struct raster *r, int label, struct fail *f) {
    if (label < 0 || label > 9 || !digit_normalise(r, 20, s->image[i]))
        return fail_set(f, E_OBJECT, "image %zu of the public data cannot be read", i);
    s->label[i] = (uint8_t)label;
    return OK;
}

/* 256 pixels "0.0000 " or "1.0000 ", then ten flags "0 " or "1 ". */
static err read_semeion(const char *dir, struct digit_set *out, struct fail *f) {
    struct buf b;
    TRY(read_gz(dir, SEMEION, &b, f));
    err e = digit_set_init(out, 1593, f);
    struct span rest = buf_view(&b), line;
    size_t i = 0;
    uint8_t pixels[256];
    const struct raster r = {pixels, 16, 16};
    while (e == OK && i < out->n && span_line(&rest, &line)) {
        int label = -1;
        if (line.n < 256 * 7 + 20) break;
        for (size_t k = 0; k < 256; k++) pixels[k] = line.p[k * 7] == '1' ? 255 : 0;
        for (size_t k = 0; k < 10; k++)
            if (line.p[256 * 7 + k * 2] == '1') label = (int)k;
        e = keep(out, i++, &r, label, f);
    }
    if (e == OK && i != out->n) e = fail_set(f, E_OBJECT, "semeion has %zu images, not 1593", i);
    buf_release(&b);
    if (e != OK) digit_set_release(out);
    return e;
}

/* After a header: 32 lines of 32 '0' '1', then the label on a line of its own. */
static err read_optdigits(const char *dir, struct digit_set *out, struct fail *f) {
    struct buf b;
    TRY(read_gz(dir, OPTDIGITS, &b, f));
    buf_byte(&b, '\n'); /* the last line has no end */
    err e = digit_set_init(out, 1934, f);
    struct span rest = buf_view(&b), line;
    size_t i = 0, row = 0;
    uint8_t pixels[1024];
    const struct raster r = {pixels, 32, 32};
    while (e == OK && i < out->n && span_line(&rest, &line)) {
        if (line.n >= 32 && (line.p[0] == '0' || line.p[0] == '1') && row < 32) {
            for (size_t k = 0; k < 32; k++) pixels[row * 32 + k] = line.p[k] == '1' ? 255 : 0;
            row++;
        } else if (row == 32 && line.n >= 2) {
            e = keep(out, i++, &r, line.p[1] - '0', f);
            row = 0;
        }
    }
    if (e == OK && i != out->n) e = fail_set(f, E_OBJECT, "optdigits has %zu images, not 1934", i);
    buf_release(&b);
    if (e != OK) digit_set_release(out);
    return e;
}

err digit_set_read(const char *dir, enum digit_source source, struct digit_set *out,
                   struct fail *f) {
    *out = (struct digit_set){0};
    switch (source) {
    case DIGITS_MNIST_TRAIN:
        return read_mnist(dir, true, out, f);
    case DIGITS_MNIST_TEST:
        return read_mnist(dir, false, out, f);
    case DIGITS_SEMEION:
        return read_semeion(dir, out, f);
    case DIGITS_OPTDIGITS:
        return read_optdigits(dir, out, f);
    case DIGITS_SOURCES:
        break;
    }
    return fail_set(f, E_RANGE, "no such source of digits");
}

err digit_set_append(struct digit_set *to, const struct digit_set *from, struct fail *f) {
    const size_t n = to->n + from->n;
    if (from->n == 0) return OK;
    uint8_t(*image)[NET_PIXELS] = realloc(to->image, n * sizeof *image);
    if (image) to->image = image;
    uint8_t *label = realloc(to->label, n);
    if (label) to->label = label;
    uint16_t *writer = realloc(to->writer, n * sizeof *writer);
    if (writer) to->writer = writer;
    if (!image || !label || !writer) return fail_set(f, E_MEMORY, "no memory for %zu images", n);
    memcpy(to->image + to->n, from->image, from->n * sizeof *image);
    memcpy(to->label + to->n, from->label, from->n);
    memcpy(to->writer + to->n, from->writer, from->n * sizeof *writer);
    to->n = n;
    return OK;
}

static const char boxes_magic[] = "hesabu-boxes-1\n";
enum { BOX_RECORD = 3 + NET_PIXELS };

err digit_set_write(const struct digit_set *s, struct buf *out, struct fail *f) {
    buf_str(out, boxes_magic);
    for (size_t i = 0; i < s->n; i++) {
        uint8_t head[3] = {s->label[i]};
        put_u16be(head + 1, s->writer[i]);
        buf_add(out, head, sizeof head);
        buf_add(out, s->image[i], NET_PIXELS);
    }
    return buf_ok(out, f);
}

err digit_set_parse(struct span file, struct digit_set *out, struct fail *f) {
    *out = (struct digit_set){0};
    const size_t head = sizeof boxes_magic - 1;
    if (!span_starts(file, SPAN_LIT(boxes_magic)) || (file.n - head) % BOX_RECORD != 0)
        return fail_set(f, E_READER, "this is no file of labelled boxes");
    const size_t n = (file.n - head) / BOX_RECORD;
    TRY(digit_set_init(out, n, f));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = file.p + head + i * BOX_RECORD;
        if (p[0] >= NET_CLASSES) {
            digit_set_release(out);
            return fail_set(f, E_READER, "box %zu has no known label", i);
        }
        out->label[i] = p[0];
        out->writer[i] = get_u16be(p + 1);
        memcpy(out->image[i], p + 3, NET_PIXELS);
    }
    return OK;
}
