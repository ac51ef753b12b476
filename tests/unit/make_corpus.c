/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* make_corpus SPEC: writes the corpora into the folder SPEC. Not installed. */
#include "test.h"

#include <errno.h>
#include <sys/stat.h>
#include "corpus.h"

static const char *spec;

static void make_parents(char *path) {
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        if (mkdir(path, 0777) && errno != EEXIST) fail_msg("%s: %s", path, strerror(errno));
        *p = '/';
    }
}

static void write_file(void *ctx, const char *name, struct span bytes) {
    (void)ctx;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", spec, name);
    make_parents(path);
    FILE *f = fopen(path, "wb");
    if (!f || (bytes.n && fwrite(bytes.p, 1, bytes.n, f) != bytes.n) || fclose(f))
        fail_msg("%s: %s", path, strerror(errno));
}

static void write_all(void **state) {
    (void)state;
    corpus_make(write_file, NULL);
}

int main(int argc, char **argv) {
    if (argc != 2) return 64;
    spec = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(write_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
