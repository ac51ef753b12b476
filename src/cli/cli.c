/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "cli/plain.h"

static void print_help(const struct usage *u) {
    printf("usage: hesabu %s\n\n%s\n", u->synopsis, u->about);
    if (u->option_count) printf("\noptions:\n");
    for (size_t i = 0; i < u->option_count; i++) {
        char left[64];
        const struct opt *o = &u->options[i];
        if (o->kind == OPT_MAYBE)
            snprintf(left, sizeof left, "%s[=%s]", o->name, o->arg);
        else
            snprintf(left, sizeof left, "%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        printf("  %-26s %s\n", left, u->options[i].help);
    }
    printf("  %-26s %s\n", "--help", "this text");
}

static int wrong(const struct usage *u, const char *fmt, ...) PRINTF(2, 3);
static int wrong(const struct usage *u, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    size_t n = strcspn(u->synopsis, " ");
    fprintf(stderr, "hesabu %.*s: ", (int)n, u->synopsis);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; 'hesabu %.*s --help' shows how it is used\n", (int)n, u->synopsis);
    return err_info(E_USAGE)->exit;
}

static const struct opt *find(const struct usage *u, struct span name) {
    for (size_t i = 0; i < u->option_count; i++)
        if (span_is(name, u->options[i].name)) return &u->options[i];
    return NULL;
}

/* Stores one option's value; 0 or the exit code. */
static int store(const struct usage *u, const struct opt *o, const char *value) {
    switch (o->kind) {
    case OPT_FLAG: *(bool *)o->to = true; return 0;
    case OPT_MAYBE: value = value ? value : ""; __attribute__((fallthrough));
    case OPT_TEXT: *(const char **)o->to = value; return 0;
    case OPT_LIST: {
        struct opt_list *l = o->to;
        if (l->n == sizeof l->at / sizeof *l->at)
            return wrong(u, "%s is given more than %zu times", o->name, l->n);
        l->at[l->n++] = value;
        return 0;
    }
    case OPT_U64:
        if (u64_parse(span_text(value), UINT64_MAX, o->to, NULL) != OK)
            return wrong(u, "%s takes a whole number, not \"%s\"", o->name, value);
        return 0;
    }
    return 0;
}

bool cli_parse(const struct usage *u, int argc, char **argv, int *nargs, int *exit_code) {
    int kept = 0;
    bool options = true;
    *exit_code = 0;
    for (int i = 1; i < argc; i++) {
        char *a = argv[i];
        if (!options || a[0] != '-' || strcmp(a, "-") == 0) {
            argv[kept++] = a;
            continue;
        }
        if (strcmp(a, "--") == 0) {
            options = false;
            continue;
        }
        if (strcmp(a, "--help") == 0 || strcmp(a, "-h") == 0) {
            print_help(u);
            return false;
        }
        const char *eq = strchr(a, '=');
        struct span name = eq ? span_of(a, (size_t)(eq - a)) : span_text(a);
        const struct opt *o = find(u, name);
        const char *value = eq ? eq + 1 : NULL;
        if (!o) {
            *exit_code = wrong(u, "there is no option \"%.*s\"", SPAN_ARG(name));
            return false;
        }
        if (o->kind == OPT_FLAG && value) {
            *exit_code = wrong(u, "%s takes no value", o->name);
            return false;
        }
        if (o->kind != OPT_FLAG && o->kind != OPT_MAYBE && !value) {
            if (i + 1 >= argc) {
                *exit_code = wrong(u, "%s needs a value (%s)", o->name, o->arg);
                return false;
            }
            value = argv[++i];
        }
        *exit_code = store(u, o, value);
        if (*exit_code) return false;
    }
    if ((size_t)kept < u->min_args || (size_t)kept > u->max_args) {
        *exit_code = (size_t)kept < u->min_args ? wrong(u, "an argument is missing")
                                                : wrong(u, "\"%s\" is one argument too many",
                                                        argv[u->max_args]);
        return false;
    }
    *nargs = kept;
    return true;
}

int cli_fail(const char *name, const struct fail *f) {
    const struct err_info *i = err_info(f->code);
    struct buf text; /* a sentence may quote what somebody else's file says */
    buf_init(&text, 4 * sizeof f->text);
    cli_plain(&text, span_text(f->text[0] ? f->text : i->text));
    fprintf(stderr, "hesabu %s: %s (%s)\n", name, buf_cstr(&text), i->name);
    buf_release(&text);
    return i->exit;
}

int cli_print(struct span s) {
    if (fwrite(s.p, 1, s.n, stdout) == s.n && fflush(stdout) == 0) return 0;
    fprintf(stderr, "hesabu: standard output cannot be written (E_IO)\n");
    return err_info(E_IO)->exit;
}

static void with_separators(uint64_t v, char out[32]) {
    char t[24];
    int n = snprintf(t, sizeof t, "%" PRIu64, v), o = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[o++] = ',';
        out[o++] = t[i];
    }
    out[o] = 0;
}

static bool progress_shown;

void cli_progress(const char *what, uint64_t done, uint64_t total) {
    static uint64_t last_ms;
    static int wanted = -1;
    if (wanted < 0) wanted = isatty(2) || getenv("HESABU_PROGRESS") != NULL;
    if (!wanted) return;
    uint64_t now = clock_monotonic_ms();
    if (progress_shown && now - last_ms < 250 && done != total) return;
    last_ms = now;
    char a[32], b[32];
    with_separators(done, a);
    with_separators(total, b);
    if (total)
        fprintf(stderr, "\r%s: %s of %s (%" PRIu64 " %%)   ", what, a, b, done * 100 / total);
    else
        fprintf(stderr, "\r%s: %s   ", what, a);
    fflush(stderr);
    progress_shown = true;
}

void cli_progress_end(void) {
    if (progress_shown) fputc('\n', stderr);
    progress_shown = false;
}
