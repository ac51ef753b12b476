/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/listen.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include "base/text.h"

static volatile sig_atomic_t stop; /* what a signal handler may touch */

err listen_parse(const char *text, char address[LISTEN_ADDRESS_MAX], uint16_t *port,
                 struct fail *f) {
    const char *colon = strrchr(text, ':'), *from = text;
    struct span digits = span_text(colon ? colon + 1 : text);
    uint64_t v;
    size_t n = colon ? (size_t)(colon - text) : 0;
    if (u64_parse(digits, 65535, &v, NULL) != OK || n >= LISTEN_ADDRESS_MAX)
        return fail_set(f, E_USAGE, "--listen takes ADDRESS:PORT, not \"%.80s\"", text);
    if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
        from++;
        n -= 2;
    }
    (void)snprintf(address, LISTEN_ADDRESS_MAX, "%.*s", n ? (int)n : 9, n ? from : "127.0.0.1");
    *port = (uint16_t)v;
    return OK;
}

static void on_signal(int n) {
    (void)n;
    stop = 1;
}

void listen_catch_signals(void) {
    struct sigaction sa = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGTERM, &sa, NULL);
    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

bool listen_stopped(void) {
    return stop != 0;
}

void listen_wait(uint32_t ms) {
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    if (!stop) (void)nanosleep(&t, NULL);
}
