/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A large CSV through a pipe into `hesabu forensics -`: time and peak memory of the reader. Two shapes:
 * "long" has 46,000 stations of the contest among rows of other contests; "wide" a note of 4 KB in every
 * row. usage: bench_csv HESABU [MB]      prints one line a shape; the exit code is the reader's. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"

enum { STATIONS = 46000, NOTE = 4096 };

/* Writes about `bytes` bytes: the header, then rows, a share of them of the contest that is wanted. */
static void generate(FILE *out, const char *shape, unsigned long long bytes) {
    bool wide = strcmp(shape, "wide") == 0;
    static char note[NOTE + 1];
    memset(note, 'x', NOTE);
    unsigned long long rows = bytes / (wide ? NOTE + 60 : 48);
    unsigned long long every = rows > STATIONS ? rows / STATIONS : 1;
    fprintf(out, "contest,code,county,registered,valid,rejected,a,b,note\n");
    for (unsigned long long i = 0; i < rows; i++) {
        bool wanted = i % every == 0 && i / every < STATIONS;
        unsigned r = 300 + (unsigned)(i * 7919 % 400), v = r / 2 + (unsigned)(i * 104729 % 100), a = v * 3 / 5;
        fprintf(out, "%s,%09llu,\"c, %llu\",%u,%u,%u,%u,%u,%s\r\n", wanted ? "president" : "other", i,
                i / every % 47, r, v, v % 7, a, v - a, wide ? note : "");
    }
}

static int run(const char *hesabu, const char *shape, unsigned long long bytes) {
    int data[2];
    if (pipe(data) != 0) return 70;
    pid_t writer = fork();
    if (writer == 0) {
        close(data[0]);
        FILE *out = fdopen(data[1], "wb");
        if (!out) _exit(70);
        generate(out, shape, bytes);
        _exit(fclose(out) == 0 ? 0 : 74);
    }
    double start = clock_seconds();
    pid_t reader = fork();
    if (reader == 0) {
        dup2(data[0], 0);
        close(data[0]);
        close(data[1]);
        if (!freopen("/dev/null", "w", stdout)) _exit(70);
        execl(hesabu, hesabu, "forensics", "-", "--columns",
              "registered=registered,valid=valid,rejected=rejected,votes=a+b,unit=code,area=county", "--leader", "a",
              "--where", "contest=president", "--no-resampling", "--json", (char *)NULL);
        _exit(127);
    }
    close(data[0]);
    close(data[1]);
    int status = 0;
    struct rusage use;
    if (writer < 0 || reader < 0 || wait4(reader, &status, 0, &use) < 0) return 70;
    double took = clock_seconds() - start;
    (void)waitpid(writer, NULL, 0);
    printf("csv.%s %.2f GB in %.1f s (%.0f MB/s, generator included), peak memory %.0f MB\n", shape,
           (double)bytes / 1e9, took, (double)bytes / 1e6 / took, (double)use.ru_maxrss / 1024);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

int main(int argc, char **argv) {
    if (argc < 2) return 64;
    unsigned long long mb = argc > 2 ? strtoull(argv[2], NULL, 10) : 2048;
    if (mb == 0) return 64;
    setvbuf(stdout, NULL, _IOLBF, 0);
    int a = run(argv[1], "long", mb << 20), b = run(argv[1], "wide", mb << 20);
    return a ? a : b;
}
