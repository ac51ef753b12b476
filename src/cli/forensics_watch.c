/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/forensics_watch.h"

#include <stdio.h>
#include "base/clock.h"
#include "base/diag.h"
#include "cli/cli.h"
#include "cli/listen.h"
#include "stats/forensics/about.h"
#include "stats/watch_log.h"

static const size_t MEMORY = (size_t)1 << 30;

struct printing {
    const struct watch_args *a;
    enum lang lang;
    struct buf line;
};

static err print(struct printing *p, struct fail *f) {
    err e = buf_ok(&p->line, f);
    if (e == OK && (fwrite(p->line.p, 1, p->line.n, stdout) != p->line.n || fflush(stdout) != 0))
        e = fail_set(f, E_IO, "writing to standard output failed");
    buf_clear(&p->line);
    return e;
}

static err told(void *ctx, const struct watch *w, const struct watch_event *e, struct span device,
                struct fail *f) {
    struct printing *p = ctx;
    if (p->a->json) {
        watch_json(w, e, device, p->lang, &p->line);
    } else {
        char text[21];
        clock_format_utc(e->ms > 0 ? (uint64_t)e->ms : 0, text);
        buf_printf(&p->line, "%s [%s] ", text, fx_class_name(e->is));
        watch_say(w, e, device, p->lang, &p->line);
        buf_byte(&p->line, '\n');
    }
    return print(p, f);
}

/* What may pass: the server, or the folder that a mirror is writing, is not there right now. */
static bool is_passing(err e) {
    return e == E_NETWORK || e == E_TIMEOUT || e == E_BUSY || e == E_RATE || e == E_NOT_FOUND;
}

static err catch_up(struct watch_log *w, const struct fold *fold, const struct watch_sink *to,
                    struct fail *f) {
    for (bool more = true; more;) {
        TRY(watch_log_take(w, fold, to, &more, f));
        TRY(watch_log_look(w, to, f));
    }
    return OK;
}

static err start_line(const struct log_source *src, struct printing *p, struct fail *f) {
    if (!p->a->json) {
        tree_log_source(&src->log, &p->line);
        buf_str(&p->line, fold_definition(src->log.fold)->simulated ? "; SIMULATED\n" : "\n");
        return print(p, f);
    }
    struct json_out j = json_out(&p->line);
    json_object(&j);
    json_kstr(&j, "event", "start");
    log_source_json(src, &j);
    json_object_end(&j);
    buf_byte(&p->line, '\n');
    return print(p, f);
}

static err follow(const struct watch_args *a, struct log_source *src, struct watch_log *w,
                  const struct watch_sink *to, struct fail *f) {
    TRY(catch_up(w, src->log.fold, to, f));
    while (!a->once && !listen_stopped()) {
        bool news;
        listen_wait((uint32_t)a->interval_ms);
        if (listen_stopped()) break;
        err e = tree_log_more(&src->log, &news, f);
        if (e != OK && is_passing(e)) {
            diag(DIAG_WARN, "%s", f->text);
            continue;
        }
        TRY(e);
        TRY(catch_up(w, src->log.fold, to, f));
    }
    return OK;
}

err forensics_watch(const struct watch_args *a, struct fail *f) {
    struct log_source src;
    struct watch_log w = {0};
    struct printing p = {.a = a};
    struct watch_options o = {.cap = (uint32_t)a->cap};
    const struct watch_sink to = {told, &p};
    TRY(lang_parse(a->lang, &p.lang, f));
    if (a->interval_ms < 100 || a->interval_ms > 3600000)
        return fail_set(f, E_USAGE, "--interval is 100 to 3600000 ms");
    listen_catch_signals();
    TRY(log_source_open(&a->log, "forensics", &src, f));
    buf_init(&p.line, 1 << 18);
    err e = watch_log_init(src.log.fold, &src.pick, a->areas, a->leader, &o, MEMORY, &w, f);
    if (e == OK) e = start_line(&src, &p, f);
    if (e == OK) e = follow(a, &src, &w, &to, f);
    watch_log_release(&w);
    log_source_close(&src);
    buf_release(&p.line);
    return e;
}
