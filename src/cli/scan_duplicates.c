/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/scan_duplicates.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "paper/zones.h"

/* Measured in docs/reading.md: photographs of one paper are more alike, other papers less. */
#define ALIKE_LEAST 0.5
enum { IMAGES_MAX = 1000000 };

struct image {
    char *path;
    struct hash file;
    struct form_code code;
    bool identified;
    unsigned fields;
    struct { /* answered figures only */
        bool answered;
        uint64_t value;
    } figure[FORM_ROWS_PER_PAGE];
};

struct pile {
    struct image *at;
    uint64_t *hashes;
    size_t n, cap;
    size_t refused, without_zones;
    size_t same_bytes, same_paper, to_look_at;
    bool failed;
};

/* ---- reading them ---- */

static err add(struct pile *p, const char *path, struct fail *f) {
    if (p->n == IMAGES_MAX) return fail_set(f, E_TOO_LARGE, "more than %d images", IMAGES_MAX);
    if (p->n == p->cap) {
        const size_t cap = p->cap ? 2 * p->cap : 256;
        struct image *at = realloc(p->at, cap * sizeof *at);
        if (at) p->at = at;
        uint64_t *h = realloc(p->hashes, cap * SCAN_HASH_WORDS * sizeof *h);
        if (h) p->hashes = h;
        if (!at || !h) return fail_set(f, E_MEMORY, "no memory for %zu images", cap);
        p->cap = cap;
    }
    p->at[p->n] = (struct image){.path = strdup(path)};
    memset(p->hashes + p->n * SCAN_HASH_WORDS, 0, SCAN_HASH_WORDS * sizeof *p->hashes);
    if (!p->at[p->n].path) return fail_set(f, E_MEMORY, "no memory for a path");
    p->n++;
    return OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A folder's files by name, so that the output does not depend on the disk's order. */
static err add_folder(struct pile *p, const char *path, struct fail *f) {
    struct dirent **names;
    const int n = scandir(path, &names, NULL, NULL);
    if (n < 0) return file_error(f, errno, "reading", path);
    qsort(names, (size_t)n, sizeof *names, by_name);
    err e = OK;
    for (int i = 0; i < n; i++) {
        char full[PATH_MAX_LEN];
        if (e == OK && names[i]->d_name[0] != '.') {
            e = path_join(full, sizeof full, path, names[i]->d_name, f);
            if (e == OK) e = add(p, full, f);
        }
        free(names[i]);
    }
    free(names);
    return e;
}

static err read_one(struct pile *p, size_t i, const struct reader *r, const struct scan_options *o,
                    struct fail *f) {
    struct span file;
    struct scan_result s;
    struct sandbox_usage usage;
    struct image *m = &p->at[i];
    TRY(file_map(m->path, &file, f));
    const err e = scan_file(r, file, 1, o, &s, &usage, &m->file, f);
    file_unmap(file);
    if (e == E_SANDBOX) return e;
    if (e != OK) {
        p->refused++;
        fprintf(stderr, "hesabu scan: %s: %s (%s)\n", m->path, f->text, err_info(e)->name);
        return OK;
    }
    m->identified = s.qr_read || s.strip_read;
    m->code = s.code;
    m->fields = s.field_count;
    for (uint32_t k = 0; k < s.field_count; k++) {
        m->figure[k].answered = s.field[k].read.reasons == 0;
        m->figure[k].value = s.field[k].read.value;
    }
    if (s.zone_hash_usable)
        memcpy(p->hashes + i * SCAN_HASH_WORDS, s.zone_hash, sizeof s.zone_hash);
    else
        p->without_zones++;
    return OK;
}

/* ---- comparing them ---- */

/* The QR code says a contest's id, the strip its number: compared where both sheets say it. */
static bool other_contest(const struct form_code *a, const struct form_code *b) {
    return (a->contest[0] && b->contest[0] && strcmp(a->contest, b->contest) != 0) ||
           (a->contest_number && b->contest_number && a->contest_number != b->contest_number);
}

/* One sheet of one station's form: a paper can be no other. */
static bool same_sheet(const struct image *a, const struct image *b) {
    return strcmp(a->code.station, b->code.station) == 0 && a->code.page == b->code.page &&
           !other_contest(&a->code, &b->code);
}

static bool same_rows(const struct image *a, const struct image *b) {
    return a->code.page == b->code.page && a->code.shape.choices == b->code.shape.choices;
}

/* Answered figures in the same row that are not the same. */
static unsigned different_figures(const struct image *a, const struct image *b,
                                  unsigned *compared) {
    unsigned n = 0;
    *compared = 0;
    if (!same_rows(a, b)) return 0;
    for (unsigned k = 0; k < a->fields && k < b->fields; k++) {
        if (!a->figure[k].answered || !b->figure[k].answered) continue;
        (*compared)++;
        n += a->figure[k].value != b->figure[k].value;
    }
    return n;
}

static void say(struct pile *p, const struct image *a, const struct image *b, const char *what,
                double similarity) {
    struct buf out;
    buf_init(&out, 1 << 16);
    struct json_out j = json_out(&out);
    unsigned compared;
    const unsigned differ = different_figures(a, b, &compared);
    const bool known = a->identified && b->identified;
    const bool look = (known && !same_sheet(a, b)) || differ > 0;
    json_object(&j);
    json_kstr(&j, "same", what);
    json_kstr(&j, "a", a->path);
    json_kstr(&j, "b", b->path);
    json_kdouble(&j, "alike", similarity);
    if (a->identified) json_kstr(&j, "station_a", a->code.station);
    if (b->identified) json_kstr(&j, "station_b", b->code.station);
    json_ku64(&j, "figures_compared", compared);
    json_ku64(&j, "figures_different", differ);
    json_kbool(&j, "look", look);
    json_object_end(&j);
    buf_byte(&out, '\n');
    p->failed = p->failed || cli_print(buf_view(&out)) != 0;
    p->to_look_at += look;
    buf_release(&out);
}

struct order { /* of files by their hash */
    struct hash file;
    size_t i;
};

static int by_hash(const void *a, const void *b) {
    const struct order *x = a, *y = b;
    const int c = memcmp(&x->file, &y->file, sizeof x->file);
    return c ? c : x->i < y->i ? -1 : 1;
}

static err find_bytes(struct pile *p, struct fail *f) {
    struct order *o = calloc(p->n + 1, sizeof *o);
    if (!o) return fail_set(f, E_MEMORY, "no memory to compare %zu files", p->n);
    for (size_t i = 0; i < p->n; i++) o[i] = (struct order){p->at[i].file, i};
    qsort(o, p->n, sizeof *o, by_hash);
    for (size_t i = 1; i < p->n; i++) {
        if (!hash_eq(&o[i].file, &o[i - 1].file)) continue;
        say(p, &p->at[o[i - 1].i], &p->at[o[i].i], "bytes", 1);
        p->same_bytes++;
    }
    free(o);
    return OK;
}

static void found(void *ctx, size_t i, size_t j, double similarity) {
    struct pile *p = ctx;
    if (hash_eq(&p->at[i].file, &p->at[j].file)) return; /* said already */
    say(p, &p->at[i], &p->at[j], "paper", similarity);
    p->same_paper++;
}

static void say_counts(struct pile *p, double seconds) {
    struct buf out;
    buf_init(&out, 4096);
    struct json_out j = json_out(&out);
    json_object(&j);
    json_ku64(&j, "images", p->n);
    json_ku64(&j, "refused", p->refused);
    json_ku64(&j, "without_signature_or_stamp", p->without_zones);
    json_ku64(&j, "same_bytes", p->same_bytes);
    json_ku64(&j, "same_paper", p->same_paper);
    json_ku64(&j, "to_look_at", p->to_look_at);
    json_kdouble(&j, "seconds_comparing", seconds);
    json_object_end(&j);
    buf_byte(&out, '\n');
    p->failed = p->failed || cli_print(buf_view(&out)) != 0;
    buf_release(&out);
}

err scan_duplicates(const struct reader *r, char **paths, int n, const struct scan_options *o,
                    int *exit_code, struct fail *f) {
    struct pile p = {0};
    err e = OK;
    for (int i = 0; e == OK && i < n; i++) {
        DIR *d = opendir(paths[i]);
        e = d ? add_folder(&p, paths[i], f) : add(&p, paths[i], f);
        if (d) closedir(d);
    }
    for (size_t i = 0; e == OK && i < p.n; i++) {
        e = read_one(&p, i, r, o, f);
        cli_progress("scan: images", i + 1, p.n);
    }
    cli_progress_end();
    const double start = clock_seconds();
    if (e == OK) e = find_bytes(&p, f);
    if (e == OK) zone_hash_pairs(p.hashes, p.n, ALIKE_LEAST, 0, 1, found, &p);
    if (e == OK) say_counts(&p, clock_seconds() - start);
    *exit_code = p.failed ? 74 : p.to_look_at ? 1 : 0;
    for (size_t i = 0; i < p.n; i++) free(p.at[i].path);
    free(p.at);
    free(p.hashes);
    return e;
}
