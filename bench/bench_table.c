/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A table whose names an attacker chose, knowing its key and not knowing it: nanoseconds a look-up. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/vec.h"

enum { N = 10000, PLACES = 1 << 14 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double look_up(const struct hash_key *key, const uint64_t *names) {
    struct budget b = {.cap = 1 << 20};
    struct table t;
    table_init(&t, &b);
    for (uint32_t i = 0; i < N; i++)
        if (!table_add(&t, hash_keyed(key, span_of(&names[i], 8)), i)) exit(70);
    double from = now();
    for (size_t i = 0; i < N; i++) {
        size_t cursor = 0;
        uint32_t found;
        while ((found = table_next(&t, hash_keyed(key, span_of(&names[i], 8)), &cursor)) != UINT32_MAX)
            if (names[found] == names[i]) break;
        if (found == UINT32_MAX) exit(70);
    }
    double took = now() - from;
    table_release(&t);
    return took / N * 1e9;
}

int main(void) {
    const struct hash_key known = {{0, 0}}, secret = {{UINT64_C(0x9e3779b97f4a7c15), 42}};
    uint64_t *names = calloc(N, sizeof *names);
    size_t n = 0;
    if (!names) return 70;
    for (uint64_t x = 0; n < N; x++)
        if (hash_keyed(&known, span_of(&x, 8)) % PLACES == 0) names[n++] = x;
    double bad = look_up(&known, names), good = look_up(&secret, names);
    printf("%d chosen names: %.0f ns a look-up under the key they were chosen for, %.0f ns under another (%.0f x)\n",
           N, bad, good, bad / good);
    free(names);
    return 0;
}
