/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A CSV of stations from anybody, by numbers in names: imported or refused with a sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "service/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct import_level levels[] = {
    {"area", NULL, "area"}, {"part", "part", "name"}, {"station", NULL, "station"}};
static const struct import_choice choices[] = {{"x", NULL, NULL}, {"y", NULL, NULL}};
static const struct import_map map = {.levels = levels,
                                      .level_count = 3,
                                      .registered = "reg",
                                      .valid = "valid",
                                      .rejected = "rej",
                                      .choices = choices,
                                      .choice_count = 2,
                                      .id = "t",
                                      .title = "T",
                                      .nation_code = "T",
                                      .nation_title = "T",
                                      .contest = "head",
                                      .contest_title = "Head"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a;
    struct preset p;
    struct expansion x;
    struct import_report r;
    struct fail f = {0};
    struct expand_options o = {.seed = 1};
    char path[64];
    int fd = memfd_create("import", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, data, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    arena_init(&a, 8 << 20);
    err e = import_election(path, &map, &o, &a, &p, &x, &r, &f);
    if (e != OK && f.text[0] == 0) abort();
    if (e == OK && x.station_count != r.rows) abort();
    arena_release(&a);
    close(fd);
    return 0;
}
