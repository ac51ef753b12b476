/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A load generator for the loopback: keep-alive connections, each with one request under way.
 *
 *   bench_load 127.0.0.1:PORT FILE [-c CONNECTIONS] [-j THREADS] [-s SECONDS] [-n REQUESTS]
 *              [-p MS] [-l] [-e]
 *
 * FILE holds requests made beforehand, each as its length in decimal, a newline, and its bytes; so
 * signatures are made before the clock starts. They are sent once, in order (-l: over and over).
 * -p: each connection rests so long after an answer, a quarter more or less (a reader that polls).
 * -e: send one request a connection and only listen (an event stream), counting bytes.
 * Prints requests a second, latencies, and how often each status came. Refuses other machines. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

enum { CONNECTIONS_MAX = 20000, THREADS_MAX = 16, HEAD_MAX = 16384, READ_MAX = 65536 };
/* Latencies: 32 steps for each power of two of microseconds: within 3 %. */
enum { STEPS = 32, BUCKETS = 32 * STEPS };

struct load {
    struct sockaddr_in to;
    struct span *requests;
    size_t request_count;
    uint64_t most;
    bool loop, events;
    double pause; /* seconds between an answer and the next request; 0: none */
    double end;
    _Atomic uint64_t next;
};

struct link {
    int fd;
    struct span left; /* of the request that is being sent */
    bool waiting, head_done;
    double sent_at, due; /* due: of a link that rests; 0: it does not */
    char head[HEAD_MAX];
    size_t head_n;
    uint64_t body_left;
    int status;
    bool close_after;
};

struct worker {
    struct load *load;
    pthread_t thread;
    int epoll;
    struct link *links;
    size_t link_count, alive;
    unsigned seed;
    uint64_t done, bytes, failed, statuses[600], latency[BUCKETS];
};

static size_t bucket_of(double seconds) {
    uint64_t us = seconds > 0 ? (uint64_t)(seconds * 1e6) : 0;
    unsigned shift = 0;
    while (us >> shift >= 2 * STEPS) shift++;
    size_t at = shift * STEPS + (size_t)(us >> shift);
    return at < BUCKETS ? at : BUCKETS - 1;
}

static double bucket_ms(size_t at) {
    unsigned shift = at < 2 * STEPS ? 0 : (unsigned)(at / STEPS - 1);
    return (double)((at - (size_t)shift * STEPS) << shift) / 1000;
}

static bool link_open(struct worker *w, struct link *l) {
    int one = 1;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&w->load->to, sizeof w->load->to) != 0) {
        if (l->fd >= 0) close(l->fd);
        l->fd = -1;
        return false;
    }
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};
    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, l->fd, &e) == 0;
}

static void link_end(struct worker *w, struct link *l) {
    if (l->fd < 0) return;
    close(l->fd);
    l->fd = -1;
    w->alive--;
}

/* Sends the next request; requests are small, so the socket's buffer takes them whole. */
static void link_next(struct worker *w, struct link *l) {
    struct load *load = w->load;
    uint64_t i = atomic_fetch_add_explicit(&load->next, 1, memory_order_relaxed);
    if (i >= load->most || (!load->loop && i >= load->request_count)) {
        link_end(w, l);
        return;
    }
    if (l->close_after) {
        close(l->fd);
        if (!link_open(w, l)) {
            w->failed++;
            w->alive--;
            return;
        }
    }
    l->head_n = 0;
    l->head_done = l->close_after = false;
    l->left = load->requests[i % load->request_count];
    l->sent_at = clock_seconds();
    while (l->left.n > 0) {
        ssize_t n = send(l->fd, l->left.p, l->left.n, MSG_NOSIGNAL);
        if (n <= 0) {
            w->failed++;
            link_end(w, l);
            return;
        }
        l->left = span_from(l->left, (size_t)n);
    }
}

/* False: not an answer that this program reads. */
static bool head_read(struct link *l) {
    l->head[l->head_n] = 0;
    if (strncmp(l->head, "HTTP/1.1 ", 9) != 0) return false;
    l->status = atoi(l->head + 9);
    if (l->status < 100 || l->status > 599) return false;
    const char *length = strcasestr(l->head, "\r\nContent-Length:");
    const char *end = strcasestr(l->head, "\r\nConnection: close");
    l->close_after = end != NULL;
    l->body_left = length ? strtoull(length + 17, NULL, 10) : 0;
    if (l->status == 304 || l->status == 204) l->body_left = 0;
    return length || l->status == 304 || l->status == 204;
}

/* Bytes of an answer; true when it is whole. */
static bool link_feed(struct worker *w, struct link *l, const char *p, size_t n) {
    if (!l->head_done) {
        size_t had = l->head_n, room = HEAD_MAX - 1 - had, part = n < room ? n : room;
        memcpy(l->head + had, p, part);
        l->head_n += part;
        char *end = memmem(l->head, l->head_n, "\r\n\r\n", 4);
        if (!end && l->head_n < HEAD_MAX - 1) return false;
        size_t head = end ? (size_t)(end - l->head) + 4 : 0;
        l->head_n = head;
        if (!end || !head_read(l)) {
            w->failed++;
            link_end(w, l);
            return false;
        }
        l->head_done = true;
        n -= head - had;
    }
    l->body_left -= n < l->body_left ? n : l->body_left;
    return l->body_left == 0;
}

static double some_rest(struct worker *w) {
    return w->load->pause * (0.75 + (double)rand_r(&w->seed) / RAND_MAX / 2);
}

static void wake_due(struct worker *w) {
    double now = clock_seconds();
    for (size_t i = 0; i < w->link_count; i++) {
        struct link *l = &w->links[i];
        if (l->fd < 0 || l->due <= 0 || l->due > now) continue;
        l->due = 0;
        link_next(w, l);
    }
}

static void link_ready(struct worker *w, struct link *l) {
    static _Thread_local char bytes[READ_MAX];
    ssize_t n = recv(l->fd, bytes, sizeof bytes, 0);
    if (n <= 0) {
        w->failed++;
        link_end(w, l);
        return;
    }
    w->bytes += (uint64_t)n;
    if (w->load->events || !link_feed(w, l, bytes, (size_t)n)) return;
    w->done++;
    w->statuses[l->status]++;
    w->latency[bucket_of(clock_seconds() - l->sent_at)]++;
    if (w->load->pause > 0)
        l->due = clock_seconds() + some_rest(w);
    else
        link_next(w, l);
}

static void *worker_run(void *arg) {
    struct worker *w = arg;
    struct epoll_event events[256];
    bool rests = w->load->pause > 0;
    double start = clock_seconds();
    for (size_t i = 0; i < w->link_count; i++) {
        if (rests) /* readers do not begin in step */
            w->links[i].due = start + w->load->pause * rand_r(&w->seed) / RAND_MAX;
        else
            link_next(w, &w->links[i]);
    }
    while (w->alive > 0 && clock_seconds() < w->load->end) {
        int n = epoll_wait(w->epoll, events, 256, rests ? 5 : 100);
        if (rests) wake_due(w);
        for (int i = 0; i < n; i++) link_ready(w, events[i].data.ptr);
    }
    return NULL;
}

static err requests_read(struct span file, struct load *load, struct fail *f) {
    size_t room = 0;
    struct span rest = file, line;
    while (rest.n > 0) {
        uint64_t n;
        if (!span_line(&rest, &line)) return fail_set(f, E_FIELD, "a length has no end");
        TRY(u64_parse(line, rest.n, &n, f));
        if (load->request_count == room) {
            room = room ? room * 2 : 1024;
            struct span *more = realloc(load->requests, room * sizeof *more);
            if (!more) return fail_set(f, E_MEMORY, "too many requests");
            load->requests = more;
        }
        load->requests[load->request_count++] = span_of(rest.p, (size_t)n);
        rest = span_from(rest, (size_t)n);
    }
    return load->request_count ? OK : fail_set(f, E_FIELD, "the file holds no request");
}

static err target_read(const char *text, struct sockaddr_in *to, struct fail *f) {
    char host[64];
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return fail_set(f, E_USAGE, "give the server as 127.0.0.1:PORT");
    TRY(u64_parse(span_text(colon + 1), 65535, &port, f));
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    to->sin_family = AF_INET;
    to->sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &to->sin_addr) != 1 || ntohl(to->sin_addr.s_addr) >> 24 != 127)
        return fail_set(f, E_USAGE, "%s is not on the loopback: other machines are not loaded",
                        host);
    return OK;
}

static err workers_open(struct load *load, struct worker *w, size_t threads, size_t connections,
                        struct fail *f) {
    for (size_t i = 0; i < threads; i++) {
        w[i].load = load;
        w[i].seed = (unsigned)i + 1;
        w[i].epoll = epoll_create1(EPOLL_CLOEXEC);
        w[i].link_count = connections / threads + (i < connections % threads);
        w[i].links = calloc(w[i].link_count + 1, sizeof *w[i].links);
        if (!w[i].links || w[i].epoll < 0) return fail_set(f, E_MEMORY, "too many connections");
        for (size_t j = 0; j < w[i].link_count; j++)
            if (!link_open(&w[i], &w[i].links[j]))
                return fail_set(f, E_NETWORK, "cannot connect: %s", strerror(errno));
        w[i].alive = w[i].link_count;
    }
    return OK;
}

static void report(const struct worker *w, size_t threads, double seconds, bool events) {
    static struct worker all;
    for (size_t i = 0; i < threads; i++) {
        all.done += w[i].done;
        all.bytes += w[i].bytes;
        all.failed += w[i].failed;
        all.alive += w[i].alive;
        for (size_t j = 0; j < 600; j++) all.statuses[j] += w[i].statuses[j];
        for (size_t j = 0; j < BUCKETS; j++) all.latency[j] += w[i].latency[j];
    }
    double ms[3] = {0};
    const double part[3] = {0.5, 0.99, 1};
    uint64_t seen = 0;
    for (size_t i = 0, k = 0; i < BUCKETS && k < 3; i++) {
        seen += all.latency[i];
        while (k < 3 && all.done && (double)seen >= part[k] * (double)all.done) {
            ms[k++] = bucket_ms(i);
        }
    }
    if (events)
        printf("listening=%zu ", all.alive);
    else
        printf("requests=%llu per_second=%.0f p50_ms=%.3f p99_ms=%.3f max_ms=%.3f ",
               (unsigned long long)all.done, (double)all.done / seconds, ms[0], ms[1], ms[2]);
    printf("seconds=%.3f bytes=%llu failed=%llu", seconds, (unsigned long long)all.bytes,
           (unsigned long long)all.failed);
    for (size_t i = 0; i < 600; i++)
        if (all.statuses[i]) printf(" status_%zu=%llu", i, (unsigned long long)all.statuses[i]);
    printf("\n");
}

struct settings {
    uint64_t connections, threads, seconds, requests, pause_ms;
};

static err run(const char *target, const char *path, const struct settings *o, struct load *load,
               struct fail *f) {
    static struct worker workers[THREADS_MAX];
    struct span file;
    struct rlimit files = {o->connections + 100, o->connections + 100};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    TRY(target_read(target, &load->to, f));
    TRY(file_map(path, &file, f));
    TRY(requests_read(file, load, f));
    TRY(workers_open(load, workers, o->threads, o->connections, f));
    load->most = o->requests;
    load->pause = (double)o->pause_ms / 1000;
    double start = clock_seconds();
    load->end = start + (double)o->seconds;
    for (size_t i = 0; i < o->threads; i++)
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0)
            return fail_set(f, E_MEMORY, "no thread");
    for (size_t i = 0; i < o->threads; i++) pthread_join(workers[i].thread, NULL);
    report(workers, o->threads, clock_seconds() - start, load->events);
    return OK;
}

int main(int argc, char **argv) {
    static struct load load;
    struct settings o = {.connections = 64, .threads = 1, .seconds = 10, .requests = UINT64_MAX};
    struct fail f = {0};
    int c;
    err code = OK;
    while ((c = getopt(argc, argv, "c:j:s:n:p:le")) != -1 && code == OK) {
        if (c == 'c') code = u64_parse(span_text(optarg), CONNECTIONS_MAX, &o.connections, &f);
        if (c == 'j') code = u64_parse(span_text(optarg), THREADS_MAX, &o.threads, &f);
        if (c == 's') code = u64_parse(span_text(optarg), 3600, &o.seconds, &f);
        if (c == 'n') code = u64_parse(span_text(optarg), UINT64_MAX, &o.requests, &f);
        if (c == 'p') code = u64_parse(span_text(optarg), 3600000, &o.pause_ms, &f);
        load.loop |= c == 'l';
        load.events |= c == 'e';
        if (c == '?') code = fail_set(&f, E_USAGE, "unknown option");
    }
    load.loop |= load.events;
    if (code == OK && (argc - optind != 2 || !o.connections || !o.threads))
        code = fail_set(&f, E_USAGE,
                        "usage: bench_load 127.0.0.1:PORT FILE [-c CONNECTIONS] "
                        "[-j THREADS] [-s SECONDS] [-n REQUESTS] [-p MS] [-l] [-e]");
    if (code == OK) code = run(argv[optind], argv[optind + 1], &o, &load, &f);
    if (code != OK) fprintf(stderr, "bench_load: %s (%s)\n", f.text, err_info(code)->name);
    return err_info(code)->exit;
}
