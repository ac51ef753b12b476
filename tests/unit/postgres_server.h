/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A PostgreSQL server for a test program (tests/postgres-server), what an administrator types into it,
 * and a wire to it that can be cut. It ends with the program, however that ends. */
#ifndef TESTS_POSTGRES_SERVER_H
#define TESTS_POSTGRES_SERVER_H

#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "scratch.h"

static struct {
    char dir[64], conninfo[160];
    int alive; /* a pipe whose other end the keeper waits at */
    pid_t keeper;
} server;

static inline int server_do(const char *what) {
    char command[256];
    snprintf(command, sizeof command, "tests/postgres-server %s %s", what, server.dir);
    int rc = system(command);
    return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

/* 0, or the exit status of tests/postgres-server: 77 when there is no PostgreSQL here. */
static inline int server_begin(void) {
    int p[2];
    char bin[200] = "", path[2000];
    FILE *h = popen("tests/postgres-server bin .", "r"); /* psql itself, not Debian's chooser of one */
    if (h && fgets(bin, sizeof bin, h)) {
        bin[strcspn(bin, "\n")] = 0;
        snprintf(path, sizeof path, "%s:%s", bin, getenv("PATH"));
        setenv("PATH", path, 1);
    }
    if (h) pclose(h);
    scratch_make(server.dir);
    snprintf(server.conninfo, sizeof server.conninfo, "host=%s dbname=postgres user=hesabu",
             server.dir);
    int rc = server_do("start");
    if (rc) scratch_remove(server.dir);
    if (rc) return rc;
    if (pipe2(p, O_CLOEXEC)) return -1; /* no server that is started later holds it open */
    server.keeper = fork();
    if (server.keeper == 0) {
        char end;
        close(p[1]);
        (void)setsid();
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)) _exit(1);
        while (read(p[0], &end, 1) < 0) continue;
        int ignored = server_do("stop");
        (void)ignored;
        scratch_remove(server.dir);
        _exit(0);
    }
    close(p[0]);
    server.alive = p[1];
    return 0;
}

static inline void server_end(void) {
    close(server.alive);
    waitpid(server.keeper, NULL, 0);
}

/* What an administrator types: psql's exit status, and what it printed in out[max] if given. */
static inline int server_ask(const char *sql, char *out, size_t max) {
    char command[600];
    const char *file = scratch_path(server.dir, "statements.sql"), *said = scratch_path(server.dir, "said");
    scratch_write(file, sql, strlen(sql));
    snprintf(command, sizeof command, "psql -XqAt -v ON_ERROR_STOP=1 -d '%s' -f %s > %s 2>&1",
             server.conninfo, file, said);
    int rc = system(command);
    if (out) {
        FILE *h = fopen(said, "r");
        size_t n = h ? fread(out, 1, max - 1, h) : 0;
        if (h) fclose(h);
        while (n && out[n - 1] == '\n') n--;
        out[n] = 0;
    }
    return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

static inline int server_sql(const char *sql) {
    return server_ask(sql, NULL, 0);
}

static inline void server_must(const char *sql) {
    char said[2000];
    if (server_ask(sql, said, sizeof said)) fail_msg("psql: %s: %s", sql, said);
}

/* Until the server takes statements again. */
static inline void server_wait(void) {
    for (int i = 0; i < 400 && server_sql("SELECT 1"); i++) usleep(50000);
}

/* --- a wire --- */

enum wire_mode {
    WIRE_WHOLE,
    WIRE_CUT_BEFORE, /* the COMMIT does not reach the server */
    WIRE_CUT_AFTER,  /* the server's answer to it does not come back */
    WIRE_SILENT,     /* nothing comes back, and the connection stays */
};

static struct {
    char dir[64], conninfo[160];
    int listener;
    pthread_t thread;
    _Atomic int mode;
    _Atomic int cuts;
} wire;

static inline int wire_connect(const char *dir) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%.60s/.s.PGSQL.5432", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline bool wire_send(int fd, const char *p, ssize_t n) {
    for (ssize_t sent = 0; n > 0; p += sent, n -= sent)
        if ((sent = send(fd, p, (size_t)n, MSG_NOSIGNAL)) <= 0) return false;
    return true;
}

static inline void *wire_carry(void *arg) {
    static _Thread_local char bytes[1 << 16];
    int client = (int)(intptr_t)arg, far = wire_connect(server.dir);
    bool silent = false;
    while (far >= 0) {
        struct pollfd p[2] = {{client, POLLIN, 0}, {far, POLLIN, 0}};
        if (poll(p, 2, -1) < 0) break;
        if (p[0].revents) {
            ssize_t n = read(client, bytes, sizeof bytes);
            /* with its NUL: not READ COMMITTED */
            bool commit = n > 0 && memmem(bytes, (size_t)n, "COMMIT", 7);
            int mode = wire.mode;
            if (n <= 0) break;
            if (commit && mode != WIRE_WHOLE) wire.cuts++;
            if (commit && mode == WIRE_CUT_BEFORE) break;
            silent = silent || (commit && mode == WIRE_SILENT);
            if (!silent && !wire_send(far, bytes, n)) break;
            if (commit && mode == WIRE_CUT_AFTER) {
                (void)poll(&p[1], 1, 5000); /* it has answered: it has committed */
                break;
            }
        } else if (p[1].revents) {
            ssize_t n = read(far, bytes, sizeof bytes);
            if (n <= 0 || !wire_send(client, bytes, n)) break;
        }
    }
    close(client);
    if (far >= 0) close(far);
    return NULL;
}

static inline void *wire_listen(void *arg) {
    (void)arg;
    for (int fd; (fd = accept(wire.listener, NULL, NULL)) >= 0;) {
        pthread_t t;
        if (pthread_create(&t, NULL, wire_carry, (void *)(intptr_t)fd) == 0) pthread_detach(t);
    }
    return NULL;
}

static inline void wire_begin(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    scratch_make(wire.dir);
    snprintf(wire.conninfo, sizeof wire.conninfo, "host=%s dbname=postgres user=hesabu", wire.dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%.60s/.s.PGSQL.5432", wire.dir);
    wire.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    wire.mode = WIRE_WHOLE;
    wire.cuts = 0;
    if (bind(wire.listener, (struct sockaddr *)&a, sizeof a) || listen(wire.listener, 8) ||
        pthread_create(&wire.thread, NULL, wire_listen, NULL))
        fail_msg("no wire to the server");
}

static inline void wire_end(void) {
    shutdown(wire.listener, SHUT_RDWR);
    pthread_join(wire.thread, NULL);
    close(wire.listener);
    scratch_remove(wire.dir);
}

#endif
