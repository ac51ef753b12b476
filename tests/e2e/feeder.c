/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Kills the daemon again and again while records are sent to it, and shows that nothing acknowledged
 * is lost. Speaks TAP. Run by kill.sh; not installed.
 *
 *   feeder DIR HESABU KILLS        the whole experiment, in the empty folder DIR
 *   feeder serve DIR STEP N        (its own child) the daemon, which ends with SIGKILL when it comes
 *                                  to STEP for the Nth time: "committed" "signed" "guarded"
 *                                  "answered" "rendered" "published"
 *
 * A third of the kills is at such a step; the others hit the real `hesabu serve` after a random time,
 * its start included. */
#include "../unit/daemon_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/rng.h"
#include "crypto/keyfile.h"
#include "service/submission.h"
#include "tlog/proof.h"

enum { SENDERS = 8, RECEIPTS_MAX = 200000, LIFE_MS = 260 };

static const char *const senders[SENDERS] = {"1101", "1102", "1103", "1201",
                                             "1202", "2101", "2102", "2103"};

/* ---- the daemon that kills itself ---- */

static const char *fatal_step;
static int visits_left;

static void reached(const char *step) {
    if (strcmp(step, fatal_step) == 0 && --visits_left <= 0) kill(getpid(), SIGKILL);
}

static int serve(const char *dir, const char *step, int n) {
    struct fixture *x = fx_new();
    struct site s = {.x = x};
    struct fail f = {0};
    fatal_step = step;
    visits_left = n;
    snprintf(s.dir, sizeof s.dir, "%s", dir);
    s.o.reached = reached;
    if (site_try_start(&s, &f) != OK) {
        fprintf(stderr, "%s\n", f.text);
        return 1;
    }
    printf("listening on http://127.0.0.1:%u/\n", daemon_port(s.d));
    fflush(stdout);
    for (;;) pause(); /* somebody will end this */
}

/* ---- what was acknowledged ---- */

struct ack {
    struct hash id;
    struct buf receipt;
    uint64_t index;
};

struct sender {
    pthread_t thread;
    unsigned number;
    struct buf *notes; /* signed beforehand: the fixture is one thread's */
    size_t note_count;
    struct ack *acks; /* acks[i] is of notes[i] */
    size_t acked;
    uint64_t again, differing, refused;
    char refusal[300];
    struct rng rng;
};

static _Atomic uint16_t port; /* 0: nobody is there */
static _Atomic bool ending;

/* One exchange on a connection that is kept; false when it broke. */
static bool post(int fd, struct span note, struct reply *r) {
    char head[120];
    snprintf(head, sizeof head, "POST /records HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             note.n);
    memset(r, 0, sizeof *r);
    if (!say(fd, head) || !say_bytes(fd, note.p, note.n)) return false;
    struct buf *b = &r->raw;
    buf_init(b, 1 << 20);
    for (;;) { /* like hear_reply, but silence is no failure here: the daemon was killed */
        uint8_t *to = buf_room(b, 65536);
        ssize_t n = to ? recv(fd, to, 65536, 0) : -1;
        if (n <= 0) return false;
        b->n += (size_t)n;
        const uint8_t *end = memmem(b->p, b->n, "\r\n\r\n", 4);
        if (!end) continue;
        r->head = span_of(b->p, (size_t)(end - b->p) + 4);
        const char *length = reply_header(r, "Content-Length");
        size_t body = length ? strtoul(length, NULL, 10) : 0;
        if (b->n < r->head.n + body) continue;
        r->body = span_of(b->p + r->head.n, body);
        r->status = atoi((const char *)b->p + 9);
        return true;
    }
}

static int dial_now(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval t = {10, 0};
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    if (port == 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* An earlier record again: the same index, whenever. */
static bool send_again(struct sender *s, int fd) {
    struct reply r;
    size_t i = rng_below(&s->rng, s->acked);
    bool whole = post(fd, buf_view(&s->notes[i]), &r);
    if (whole && r.status == 200) {
        s->again++;
        s->differing += site_index(&r) != s->acks[i].index;
    } else if (whole && r.status == 201) {
        s->differing++;
    }
    reply_free(&r);
    return whole;
}

static bool send_next(struct sender *s, int fd) {
    struct reply r;
    size_t i = s->acked;
    bool whole = post(fd, buf_view(&s->notes[i]), &r);
    if (whole && (r.status == 200 || r.status == 201)) {
        struct ack *a = &s->acks[i];
        buf_init(&a->receipt, 1 << 20);
        buf_span(&a->receipt, r.body);
        a->index = site_index(&r);
        s->acked++;
    } else if (whole && r.status != 503) {
        s->refused++;
        snprintf(s->refusal, sizeof s->refusal, "%d %.*s", r.status, (int)r.body.n,
                 (const char *)r.body.p);
    }
    reply_free(&r);
    return whole;
}

static void *sending(void *arg) {
    struct sender *s = arg;
    int fd = -1;
    while (!ending && s->acked < s->note_count && !s->refused) {
        if (fd < 0) fd = dial_now();
        if (fd < 0) {
            pause_ms(3);
            continue;
        }
        bool whole = s->acked && rng_below(&s->rng, 5) == 0 ? send_again(s, fd) : send_next(s, fd);
        if (!whole) {
            close(fd);
            fd = -1;
        }
        pause_ms(8); /* within a key's budget */
    }
    if (fd >= 0) close(fd);
    return NULL;
}

/* ---- starting and killing ---- */

/* Starts a program and reads the port that it says; 0 when it ended first. */
static pid_t start(char *const argv[], int wait_for_port_ms) {
    int out[2];
    if (pipe2(out, O_CLOEXEC)) fail_msg("no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        int null = open("/dev/null", O_WRONLY);
        if (!getenv("KILL_VERBOSE")) dup2(null, 2);
        execv(argv[0], argv);
        _exit(127);
    }
    close(out[1]);
    char line[200] = "";
    size_t n = 0;
    struct pollfd p = {.fd = out[0], .events = POLLIN};
    while (n < sizeof line - 1 && !strchr(line, '\n') && poll(&p, 1, wait_for_port_ms) > 0) {
        ssize_t got = read(out[0], line + n, sizeof line - 1 - n);
        if (got <= 0) break;
        n += (size_t)got;
        line[n] = 0;
    }
    close(out[0]);
    const char *colon = strrchr(line, ':');
    port = (uint16_t)(strchr(line, '\n') && colon ? strtoul(colon + 1, NULL, 10) : 0);
    return pid;
}

/* The status after SIGKILL (or what it died of by itself). */
static int end_by(pid_t pid, int signal) {
    int status = 0;
    kill(pid, signal);
    waitpid(pid, &status, 0);
    port = 0;
    return status;
}

struct plan {
    const char *dir, *self, *hesabu;
    struct rng rng;
    unsigned at_step, at_random, in_start, failed_starts;
};

static void kill_at_step(struct plan *p) {
    static const char *const steps[] = {"committed", "signed", "guarded", "answered", "rendered",
                                        "published"};
    char n[20], word[20], dir[300], self[300], step[20];
    snprintf(word, sizeof word, "serve");
    snprintf(self, sizeof self, "%s", p->self);
    snprintf(dir, sizeof dir, "%s", p->dir);
    snprintf(step, sizeof step, "%s", steps[rng_below(&p->rng, 6)]);
    snprintf(n, sizeof n, "%u", 1 + (unsigned)rng_below(&p->rng, 6));
    char *const argv[] = {self, word, dir, step, n, NULL};
    pid_t pid = start(argv, PATIENCE_MS);
    int status = 0;
    for (int i = 0; i < PATIENCE_MS / 5; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            port = 0;
            p->at_step += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
            p->failed_starts += WIFEXITED(status);
            return;
        }
        pause_ms(5);
    }
    end_by(pid, SIGKILL);
}

static pid_t start_hesabu(struct plan *p, int wait_ms) {
    char hesabu[300], dir[300];
    snprintf(hesabu, sizeof hesabu, "%s", p->hesabu);
    snprintf(dir, sizeof dir, "%s", p->dir);
    char *const argv[] = {hesabu, (char[]){"serve"}, (char[]){"--dir"}, dir, (char[]){"--listen"},
                          (char[]){"127.0.0.1:0"}, (char[]){"--interval"}, (char[]){"50"},
                          (char[]){"--exempt"}, (char[]){"127.0.0.0/8"}, (char[]){"--quiet"}, NULL};
    return start(argv, wait_ms);
}

static void kill_at_random(struct plan *p) {
    bool in_start = rng_below(&p->rng, 5) == 0;
    pid_t pid = start_hesabu(p, in_start ? (int)rng_below(&p->rng, 40) : PATIENCE_MS);
    p->in_start += port == 0;
    pause_ms(1 + (long)rng_below(&p->rng, port ? LIFE_MS : 5));
    int status = end_by(pid, SIGKILL);
    p->at_random += WIFSIGNALED(status);
    p->failed_starts += WIFEXITED(status);
}

/* ---- afterwards ---- */

static struct span *read_entries(const char *dir, uint64_t size, struct buf **kept) {
    struct tree_source t = tree_source_dir(scratch_path(dir, "public"));
    struct span *all = calloc(size, sizeof *all);
    uint64_t bundles = (size + TILE_WIDTH - 1) / TILE_WIDTH;
    struct buf *b = calloc(bundles, sizeof *b);
    struct fail f;
    for (uint64_t i = 0; i < bundles; i++) {
        struct tile tile = {.entries = true, .index = i,
                            .width = (uint16_t)tile_width_at(size, 0, i)};
        buf_init(&b[i], TILE_BUNDLE_MAX);
        must(tree_source_tile(&t, tile, &b[i], &f));
        must(bundle_parse(buf_view(&b[i]), tile.width, all + i * TILE_WIDTH, &f));
    }
    *kept = b;
    return all;
}

/* The receipt's entry stands where it says, under a checkpoint that the final tree contains. */
static bool holds(const struct ack *a, struct span note, const struct span *entries, uint64_t size,
                  const struct merkle_tree *tree, const struct note_key *log) {
    struct receipt_view v;
    static struct tlog_proof proof;
    struct checkpoint c;
    struct hash root;
    struct span inner;
    uint64_t ms;
    struct fail f;
    if (receipt_parse(buf_view(&a->receipt), &v, &f) != OK || v.index != a->index ||
        v.index >= size || !span_eq(v.entry, entries[v.index]) ||
        entry_parse(v.entry, &ms, &inner, &f) != OK || !span_eq(inner, note))
        return false;
    if (tlog_proof_parse(v.proof, &proof, &f) != OK || proof.index != v.index ||
        tlog_proof_verify(&proof, v.entry, log, NULL, &c, NULL, &f) != OK || c.size > size)
        return false;
    if (merkle_tree_root_at(tree, c.size, &root, &f) != OK || !hash_eq(&root, &c.root)) return false;
    struct hash path[MERKLE_PROOF_MAX], last = merkle_tree_root(tree);
    size_t n;
    return merkle_tree_consistency(tree, c.size, size, path, &n, &f) == OK &&
           merkle_verify_consistency(c.size, size, path, n, &c.root, &last, &f) == OK;
}

static int tap;
static int bad;

static void tell(bool good, const char *fmt, ...) PRINTF(2, 3);
static void tell(bool good, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    printf("%s %d - ", good ? "ok" : "not ok", ++tap);
    vprintf(fmt, ap);
    printf("\n");
    va_end(ap);
    bad += !good;
}

static void judge(struct plan *p, struct sender *s, struct fixture *x) {
    struct fail f;
    struct verify_report *r = calloc(1, sizeof *r);
    struct tree_source t = tree_source_dir(scratch_path(p->dir, "public"));
    must(verify_tree(&t, &(struct verify_options){.threads = 2}, r, &f));
    tell(r->verdict == VERDICT_VALID && r->results_compared, "the published tree is valid (%s)",
         r->verdict == VERDICT_VALID ? "results compared" : r->sentence);
    struct buf *kept;
    struct merkle_tree *tree;
    struct span *entries = read_entries(p->dir, r->size, &kept);
    must(merkle_tree_new(1 << 20, &tree, &f));
    for (uint64_t i = 0; i < r->size; i++) {
        struct hash leaf = merkle_leaf(entries[i]);
        must(merkle_tree_append(tree, &leaf, &f));
    }
    uint64_t acked = 0, lost = 0, again = 0, differing = 0, refused = 0;
    for (int k = 0; k < SENDERS; k++) {
        for (size_t i = 0; i < s[k].acked; i++)
            lost += !holds(&s[k].acks[i], buf_view(&s[k].notes[i]), entries, r->size, tree,
                           &fx_key(x, SITE_ORIGIN)->signer.key);
        acked += s[k].acked;
        again += s[k].again;
        differing += s[k].differing;
        refused += s[k].refused;
        if (s[k].refused) printf("# refused: %s\n", s[k].refusal);
    }
    tell(acked > 200 && lost == 0,
         "%llu acknowledged records stand where their receipts say, bytes and proofs (%llu do not)",
         (unsigned long long)acked, (unsigned long long)lost);
    tell(again > 20 && differing == 0, "%llu retries were answered with the same entry (%llu were not)",
         (unsigned long long)again, (unsigned long long)differing);
    tell(refused == 0, "no admissible record was refused");
    /* a record in doubt (sent, no answer) is in the log once or not at all */
    tell(r->size >= x->entry_count + acked && r->size <= x->entry_count + acked + SENDERS,
         "%llu entries: what was there before, what was acknowledged, at most one in doubt a sender",
         (unsigned long long)r->size);
    for (uint64_t i = 0; i < (r->size + TILE_WIDTH - 1) / TILE_WIDTH; i++) buf_release(&kept[i]);
    free(kept);
    free(entries);
    merkle_tree_free(tree);
    free(r);
}

static void write_key(const char *dir, struct fixture *x) {
    struct buf b;
    struct fail f;
    buf_init(&b, KEYFILE_BYTES_MAX);
    must(keyfile_write_simulated(&fx_key(x, SITE_ORIGIN)->signer, &b, &f));
    must(file_write_durable(scratch_path(dir, "private/log.key"), buf_view(&b), 0600, &f));
    buf_release(&b);
}

static void make_sender(struct sender *s, unsigned number, size_t notes, struct fixture *x) {
    char key[40];
    struct site site = {.x = x};
    *s = (struct sender){.number = number, .note_count = notes};
    rng_init(&s->rng, 1000 + number);
    s->notes = calloc(notes, sizeof *s->notes);
    s->acks = calloc(notes, sizeof *s->acks);
    snprintf(key, sizeof key, "po/%s", senders[number]);
    for (size_t i = 0; i < notes; i++) {
        buf_init(&s->notes[i], 4096);
        site_note(&site, key, site_event(senders[number], (unsigned)i), &s->notes[i]);
    }
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "serve") == 0) return serve(argv[2], argv[3], atoi(argv[4]));
    if (argc != 4) {
        fprintf(stderr, "usage: feeder DIR HESABU KILLS\n");
        return 64;
    }
    struct plan p = {.dir = argv[1], .self = argv[0], .hesabu = argv[2]};
    unsigned kills = (unsigned)atoi(argv[3]);
    struct fixture *x = fx_keys();
    struct sender s[SENDERS];
    rng_init(&p.rng, 20170808);
    site_store(x, p.dir);
    write_key(p.dir, x);
    for (unsigned i = 0; i < SENDERS; i++) make_sender(&s[i], i, 900, x);
    for (unsigned i = 0; i < SENDERS; i++)
        if (pthread_create(&s[i].thread, NULL, sending, &s[i])) return 1;
    for (unsigned i = 0; i < kills; i++) {
        if (i % 3 == 0)
            kill_at_step(&p);
        else
            kill_at_random(&p);
    }
    pid_t pid = start_hesabu(&p, PATIENCE_MS);
    pause_ms(500); /* those in doubt send again */
    ending = true;
    for (unsigned i = 0; i < SENDERS; i++) pthread_join(s[i].thread, NULL);
    int status = end_by(pid, SIGTERM);
    printf("# killed %u times at a step, %u times at random (%u of them while it started)\n",
           p.at_step, p.at_random, p.in_start);
    tell(p.at_step + p.at_random == kills && p.failed_starts == 0,
         "%u kills, and it started again each time (%u starts failed)", p.at_step + p.at_random,
         p.failed_starts);
    tell(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it stops in good order at the end");
    judge(&p, s, x);
    printf("1..%d\n", tap);
    fx_free(x);
    return bad ? 1 : 0;
}
