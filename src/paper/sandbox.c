/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

enum { HEADER = 16 }; /* error code, length of its sentence, length of the answer */

/* ---- confinement, in the child ---- */

static bool landlock_all(const char *const *readable) {
    struct landlock_ruleset_attr attr = {.handled_access_fs = (1u << 13) - 1};
    const long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0) return errno == ENOSYS || errno == EOPNOTSUPP; /* not there: seccomp stands alone */
    bool good = true;
    for (; readable && *readable; readable++) {
        struct stat st;
        struct landlock_path_beneath_attr path = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
                                                                    LANDLOCK_ACCESS_FS_EXECUTE,
                                                  .parent_fd = open(*readable, O_PATH | O_CLOEXEC)};
        if (path.parent_fd < 0) continue; /* not on this system */
        if (fstat(path.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
            path.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
        good =
            good && syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &path, 0) == 0;
        close(path.parent_fd);
    }
    good = good && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close((int)fd);
    return good;
}

bool sandbox_has_landlock(void) {
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static bool limit(int what, uint64_t value) {
    const struct rlimit r = {value, value};
    return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

#ifndef SANITIZED
static uint64_t address_space(void) {
    char text[64] = {0};
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
#endif

static bool limits_set(const struct sandbox_limits *l) {
    bool good =
        limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CPU, l->cpu_seconds);
#ifndef SANITIZED /* a sanitizer reserves terabytes */
    good = good && limit(RLIMIT_AS, address_space() + l->memory_bytes);
#endif
    return good;
}

/* Only memory, time, and the pipe that is open already. */
static bool seccomp_compute(void) {
    static const int allowed[] = {SCMP_SYS(read),
                                  SCMP_SYS(write),
                                  SCMP_SYS(munmap),
                                  SCMP_SYS(mremap),
                                  SCMP_SYS(brk),
                                  SCMP_SYS(madvise),
                                  SCMP_SYS(futex),
                                  SCMP_SYS(exit),
                                  SCMP_SYS(exit_group),
                                  SCMP_SYS(rt_sigreturn),
                                  SCMP_SYS(rt_sigprocmask),
                                  SCMP_SYS(rt_sigaction),
                                  SCMP_SYS(sigaltstack),
                                  SCMP_SYS(clock_gettime),
                                  SCMP_SYS(gettimeofday),
                                  SCMP_SYS(getrandom),
                                  SCMP_SYS(sched_yield),
                                  SCMP_SYS(getpid),
                                  SCMP_SYS(gettid),
                                  SCMP_SYS(tgkill),
                                  SCMP_SYS(restart_syscall),
                                  SCMP_SYS(close)};
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!c) return false;
    bool good = true;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        good = good && seccomp_rule_add(c, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    /* anonymous memory, never executable */
    good = good && seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                    SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)) == 0;
    good = good && seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    good = good && seccomp_load(c) == 0;
    seccomp_release(c);
    return good;
}

/* For a program of the distribution: it must map its libraries and read fonts, so calls are denied
 * by name: network, new processes, tracing, and anything that changes the file system. */
static bool seccomp_program(void) {
    static const int denied[] = {SCMP_SYS(socket),
                                 SCMP_SYS(socketpair),
                                 SCMP_SYS(connect),
                                 SCMP_SYS(bind),
                                 SCMP_SYS(listen),
                                 SCMP_SYS(accept),
                                 SCMP_SYS(accept4),
                                 SCMP_SYS(sendto),
                                 SCMP_SYS(sendmsg),
                                 SCMP_SYS(sendmmsg),
                                 SCMP_SYS(ptrace),
                                 SCMP_SYS(fork),
                                 SCMP_SYS(vfork),
                                 SCMP_SYS(clone3),
                                 SCMP_SYS(clone),
                                 SCMP_SYS(process_vm_readv),
                                 SCMP_SYS(process_vm_writev),
                                 SCMP_SYS(kill),
                                 SCMP_SYS(unlink),
                                 SCMP_SYS(unlinkat),
                                 SCMP_SYS(rename),
                                 SCMP_SYS(renameat),
                                 SCMP_SYS(renameat2),
                                 SCMP_SYS(mkdir),
                                 SCMP_SYS(mkdirat),
                                 SCMP_SYS(rmdir),
                                 SCMP_SYS(link),
                                 SCMP_SYS(linkat),
                                 SCMP_SYS(symlink),
                                 SCMP_SYS(symlinkat),
                                 SCMP_SYS(chmod),
                                 SCMP_SYS(fchmod),
                                 SCMP_SYS(fchmodat),
                                 SCMP_SYS(chown),
                                 SCMP_SYS(fchown),
                                 SCMP_SYS(fchownat),
                                 SCMP_SYS(truncate),
                                 SCMP_SYS(creat),
                                 SCMP_SYS(mknod),
                                 SCMP_SYS(mknodat),
                                 SCMP_SYS(mount),
                                 SCMP_SYS(umount2),
                                 SCMP_SYS(unshare),
                                 SCMP_SYS(setns),
                                 SCMP_SYS(bpf),
                                 SCMP_SYS(keyctl),
                                 SCMP_SYS(add_key),
                                 SCMP_SYS(perf_event_open),
                                 SCMP_SYS(io_uring_setup),
                                 SCMP_SYS(userfaultfd),
                                 SCMP_SYS(execveat),
                                 SCMP_SYS(openat2),
                                 SCMP_SYS(open_by_handle_at),
                                 SCMP_SYS(utimensat),
                                 SCMP_SYS(setxattr)};
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
    if (!c) return false;
    bool good = true;
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        good = good && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), denied[i], 0) == 0;
    for (int flag = 0; flag < 3; flag++) { /* opening for anything but reading */
        static const int flags[] = {O_WRONLY, O_RDWR, O_CREAT};
        const unsigned long v = (unsigned long)flags[flag];
        good = good && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                                        SCMP_A2(SCMP_CMP_MASKED_EQ, v, v)) == 0;
        good = good && seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                                        SCMP_A1(SCMP_CMP_MASKED_EQ, v, v)) == 0;
    }
    good = good && seccomp_load(c) == 0;
    seccomp_release(c);
    return good;
}

static bool write_all(int fd, const void *p, size_t n) {
    const uint8_t *at = p;
    while (n) {
        const ssize_t k = write(fd, at, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

static void answer(int fd, err code, const struct fail *f, struct span out) {
    uint8_t head[HEADER] = {0};
    const size_t text = code == OK ? 0 : strnlen(f->text, sizeof f->text);
    put_u32be(head, (uint32_t)code);
    put_u32be(head + 4, (uint32_t)text);
    put_u64be(head + 8, code == OK ? out.n : 0);
    if (write_all(fd, head, sizeof head) && (code == OK || write_all(fd, f->text, text)))
        (void)(code == OK && write_all(fd, out.p, out.n));
}

static void child(int fd, sandbox_work *work, void *ctx, const struct sandbox_limits *l,
                  size_t out_max) {
    struct fail f = {0};
    struct buf out;
    buf_init(&out, out_max);
    /* one descriptor stays: the way out */
    if (fd != 3 && dup2(fd, 3) != 3) _exit(1);
    (void)syscall(SYS_close_range, 4u, ~0u, 0u);
    close(0);
    close(1);
#ifndef SANITIZED
    close(2);
#endif
    signal(SIGPIPE, SIG_IGN);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
        !limits_set(l) || !landlock_all(NULL) || !seccomp_compute()) {
        answer(3, E_SANDBOX,
               &(struct fail){.text = "the process that reads images cannot be "
                                      "confined on this system"},
               (struct span){0});
        _exit(1);
    }
    err e = work(ctx, &out, &f);
    if (e == OK) e = buf_ok(&out, &f);
    answer(3, e, &f, buf_view(&out));
    _exit(0);
}

/* ---- the parent ---- */

/* Reads to the end of the pipe; false past the buf's max or when the time is up. */
static bool drain(int fd, uint64_t deadline_ms, struct buf *in) {
    for (;;) {
        const uint64_t now = clock_monotonic_ms();
        struct pollfd p = {fd, POLLIN, 0};
        const int r = now < deadline_ms ? poll(&p, 1, (int)(deadline_ms - now)) : 0;
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return false;
        uint8_t piece[1 << 16];
        const ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) return true;
        buf_add(in, piece, (size_t)n);
        if (in->failed) return false;
    }
}

static err ended(pid_t pid, bool complete, struct sandbox_usage *usage, struct fail *f) {
    int status;
    struct rusage ru = {0};
    if (!complete) kill(pid, SIGKILL);
    while (wait4(pid, &status, 0, &ru) < 0)
        if (errno != EINTR) return fail_set(f, E_SANDBOX, "the reading process is lost");
    if (usage) {
        usage->peak_kb = (uint64_t)ru.ru_maxrss;
        usage->cpu_seconds = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
                             (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
    }
    if (!complete)
        return fail_set(f, E_IMAGE, "the file took too long or gave too much and was refused");
    if (WIFSIGNALED(status))
        return fail_set(f, E_IMAGE, "the file stopped its reader (signal %d) and was refused",
                        WTERMSIG(status));
    return OK;
}

/* Takes the child's message apart; nothing in it is trusted. */
static err take_answer(struct span in, struct buf *out, struct fail *f) {
    if (in.n < HEADER) return fail_set(f, E_IMAGE, "the file stopped its reader and was refused");
    const uint32_t code = get_u32be(in.p), text = get_u32be(in.p + 4);
    const uint64_t n = get_u64be(in.p + 8);
    const struct span body = span_from(in, HEADER);
    if (code >= ERR_COUNT || text >= sizeof f->text || body.n < text || body.n - text != n)
        return fail_set(f, E_IMAGE, "the reader gave no proper answer; the file was refused");
    if (code != OK) {
        char sentence[sizeof f->text];
        for (uint32_t i = 0; i < text; i++)
            sentence[i] = body.p[i] >= 0x20 && body.p[i] < 0x7f ? (char)body.p[i] : '?';
        sentence[text] = 0;
        return fail_set(f, (err)code, "%s", sentence);
    }
    buf_span(out, span_from(body, text));
    return buf_ok(out, f);
}

err sandbox_run(sandbox_work *work, void *ctx, struct sandbox_limits limits, struct buf *out,
                struct sandbox_usage *usage, struct fail *f) {
    int p[2];
    if (pipe2(p, O_CLOEXEC)) return fail_set(f, E_SANDBOX, "no pipe to a reading process");
    const size_t max = out->max - out->n;
    const pid_t pid = fork();
    if (pid < 0) {
        close(p[0]);
        close(p[1]);
        return fail_set(f, E_SANDBOX, "no process to read an image in");
    }
    if (pid == 0) child(p[1], work, ctx, &limits, max);
    close(p[1]);
    struct buf in;
    buf_init(&in, max + HEADER + sizeof f->text);
    const bool complete = drain(p[0], clock_monotonic_ms() + limits.wall_ms, &in);
    close(p[0]);
    err e = ended(pid, complete, usage, f);
    if (e == OK) e = take_answer(buf_view(&in), out, f);
    buf_release(&in);
    return e;
}

static void exec_converter(int in, int out, unsigned page, unsigned side) {
    static const char *const readable[] = {"/usr",
                                           "/lib",
                                           "/lib64",
                                           "/etc/ld.so.cache",
                                           "/etc/fonts",
                                           "/var/cache/fontconfig",
                                           "/etc/alternatives",
                                           NULL};
    char number[16], size[16];
    char *const argv[] = {(char *)(uintptr_t) "pdftoppm",
                          (char *)(uintptr_t) "-gray",
                          (char *)(uintptr_t) "-q",
                          (char *)(uintptr_t) "-f",
                          number,
                          (char *)(uintptr_t) "-l",
                          number,
                          (char *)(uintptr_t) "-scale-to",
                          size,
                          (char *)(uintptr_t) "-",
                          NULL};
    char *const env[] = {(char *)(uintptr_t) "PATH=/usr/bin", (char *)(uintptr_t) "LC_ALL=C", NULL};
    const struct sandbox_limits l = {(uint64_t)768 << 20, 20, 0};
    (void)snprintf(number, sizeof number, "%u", page);
    (void)snprintf(size, sizeof size, "%u", side);
    if (dup2(in, 0) != 0 || dup2(out, 1) != 1) _exit(126);
    const int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, 2) != 2) _exit(126);
    (void)syscall(SYS_close_range, 3u, ~0u, 0u);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || !limit(RLIMIT_CORE, 0) ||
        !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_CPU, l.cpu_seconds) ||
        !limit(RLIMIT_AS, l.memory_bytes) || !landlock_all(readable) || !seccomp_program())
        _exit(125);
    execve("/usr/bin/pdftoppm", argv, env);
    _exit(127);
}

err sandbox_pdf_page(struct span pdf, unsigned page, unsigned side, struct buf *out,
                     struct fail *f) {
    int p[2];
    const int in = memfd_create("pdf", MFD_CLOEXEC);
    if (in < 0 || !write_all(in, pdf.p, pdf.n) || lseek(in, 0, SEEK_SET) != 0 ||
        pipe2(p, O_CLOEXEC)) {
        if (in >= 0) close(in);
        return fail_set(f, E_SANDBOX, "no memory file for a PDF");
    }
    const pid_t pid = fork();
    if (pid == 0) exec_converter(in, p[1], page, side);
    close(in);
    close(p[1]);
    if (pid < 0) {
        close(p[0]);
        return fail_set(f, E_SANDBOX, "no process to read a PDF in");
    }
    const size_t before = out->n;
    const bool complete = drain(p[0], clock_monotonic_ms() + 30000, out);
    close(p[0]);
    TRY(ended(pid, complete, NULL, f));
    if (out->n == before)
        return fail_set(f, E_IMAGE, "the PDF has no page %u that can be drawn (is pdftoppm there?)",
                        page);
    return OK;
}
