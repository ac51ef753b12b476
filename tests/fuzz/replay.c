/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Without libFuzzer a fuzz target is a test: it replays its corpus folder (argv[1], or
 * tests/fuzz/corpus/<name> for a program fuzz_<name>) and prints TAP. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) return 0;
    static uint8_t bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees reads past the end */
    if (!exact) return 0;
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 1;
}

int main(int argc, char **argv) {
    char dir[4096];
    const char *base = strrchr(argv[0], '/');
    base = base ? base + 1 : argv[0];
    const char *name = strncmp(base, "fuzz_", 5) == 0 ? base + 5 : base;
    snprintf(dir, sizeof dir, "%s%s", argc > 1 ? argv[1] : "tests/fuzz/corpus/",
             argc > 1 ? "" : name);
    int done = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        done += replay(path);
    }
    if (d) closedir(d);
    printf("%s 1 - corpus of %s (%d inputs)\n1..1\n", done ? "ok" : "not ok", name, done);
    return done ? 0 : 1;
}
