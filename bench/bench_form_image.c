/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Form images a second of one core's time, and their size. usage: bench_form_image
 * [FOLDER_OF_PRESET] */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "service/form_image.h"

int main(int argc, char **argv) {
    struct arena a;
    struct preset p;
    struct expansion x;
    struct fail f = {0};
    struct buf out;
    arena_init(&a, (size_t)256 << 20);
    buf_init(&out, 1 << 20);
    double t0 = clock_seconds();
    err e = preset_load(argc > 1 ? argv[1] : "data/kenya-2017", &a, &p, &f);
    struct expand_options o = {.seed = 2017};
    double t1 = clock_seconds();
    if (e == OK) e = expand(&p, &o, &a, &x, &f);
    double t2 = clock_seconds();
    clock_t c0 = clock();
    size_t bytes = 0, most = 0;
    uint32_t n = e == OK && x.sent_count < 4000 ? x.sent_count : 4000;
    for (uint32_t i = 0; e == OK && i < n; i++) {
        struct form_image m;
        buf_clear(&out);
        form_image_of(&x, x.order[i], &m);
        e = form_image_draw(&m, &out, &f);
        bytes += out.n;
        if (out.n > most) most = out.n;
    }
    double cpu = (double)(clock() - c0) / CLOCKS_PER_SEC, t3 = clock_seconds();
    if (e != OK) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    printf("preset %.1f ms, expansion of %u stations %.0f ms\n", 1e3 * (t1 - t0), x.station_count,
           1e3 * (t2 - t1));
    printf(
        "%u form images: %.0f a second of processor time (%.0f by the clock), %.1f KB on average,"
        " %.1f KB at most\n",
        n, (double)n / cpu, (double)n / (t3 - t2), (double)bytes / n / 1024, (double)most / 1024);
    buf_release(&out);
    arena_release(&a);
    return 0;
}
