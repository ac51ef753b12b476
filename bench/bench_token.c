/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signatures a second of a key on a token, each verified as always: what the log's key would do
 * there. usage: HESABU_PASSPHRASE=PIN bench_token KEYFILE [SECONDS]   Prints "name value unit" per
 * line, by the clock on the wall and by the processor's time (which other work on the machine
 * changes less). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/file.h"
#include "crypto/token.h"

static err pin(void *ctx, const char *label, bool last_try, struct buf *out, struct fail *f) {
    const char *env = getenv("HESABU_PASSPHRASE");
    (void)ctx;
    (void)label;
    if (!env) return fail_set(f, E_PIN, "set HESABU_PASSPHRASE");
    if (last_try) return fail_set(f, E_PIN, "one try is left: not for a benchmark");
    buf_str(out, env);
    return OK;
}

static double cpu_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void need(err e, const struct fail *f) {
    if (e == OK) return;
    fprintf(stderr, "bench_token: %s\n", f->text);
    exit(1);
}

int main(int argc, char **argv) {
    struct fail f = {0};
    struct buf text;
    struct keyfile file;
    struct token *t;
    struct note_signer s;
    struct ed25519_signature sig;
    static const char body[] = "results.example.org/2027\n414418\n"
                               "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    if (argc < 2) return fprintf(stderr, "usage: bench_token KEYFILE [SECONDS]\n"), 64;
    buf_init(&text, KEYFILE_BYTES_MAX);
    need(file_read(argv[1], KEYFILE_BYTES_MAX, &text, &f), &f);
    need(keyfile_parse(buf_view(&text), &file, &f), &f);
    if (!file.on_token) return fprintf(stderr, "bench_token: %s is not on a token\n", argv[1]), 64;
    need(token_open(&file.at, &(struct token_options){.pin = pin}, &t, &f), &f);
    need(token_choose(t, &file.at, &f), &f);
    need(token_signer(t, &file.key, &s, &f), &f);
    uint64_t start = clock_monotonic_ms(),
             for_ms = argc > 2 ? strtoull(argv[2], NULL, 10) * 1000 : 3000;
    uint64_t n = 0, slowest = 0, last = start, now = start;
    double cpu = cpu_ms();
    for (; now - start < for_ms; n++) {
        need(note_signer_sign(&s, SPAN_LIT(body), &sig, &f), &f);
        now = clock_monotonic_ms();
        if (now - last > slowest) slowest = now - last;
        last = now;
    }
    printf("token_sign                   %12.0f signatures/s\n",
           (double)n * 1000 / (double)(now - start));
    printf("token_sign_processor         %12.0f signatures/s\n",
           (double)n * 1000 / (cpu_ms() - cpu));
    printf("token_sign_slowest           %12llu ms\n", (unsigned long long)slowest);
    token_close(t);
    buf_release(&text);
    return 0;
}
