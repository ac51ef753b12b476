/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/watching.h"

#include <stdlib.h>
#include "base/diag.h"
#include "base/json_out.h"
#include "stats/watch_log.h"

enum { KEPT = 256, EVENT_MAX = 1 << 16, NEWS = 16, NEWS_BYTES = 48 << 10 };
static const size_t MEMORY = (size_t)1 << 30;

struct watching {
    char contest[64], leader[64];
    struct watch_log log;
    bool begun, resting, news;
    uint64_t number;        /* of the newest event */
    struct buf event[KEPT]; /* a ring: event n is at n % KEPT */
    bool stands[KEPT];      /* it is a fact or an anomaly */
    bool told_before;       /* watching_news was called */
    uint64_t told_to;       /* up to this event */
};

err watching_new(const char *what, struct watching **out, struct fail *f) {
    const char *eq = strchr(what, '=');
    struct watching *w = calloc(1, sizeof *w);
    if (!w) return fail_set(f, E_MEMORY, "no memory for the live watch");
    if (!eq || eq == what || !eq[1] || (size_t)(eq - what) >= sizeof w->contest ||
        strlen(eq + 1) >= sizeof w->leader) {
        free(w);
        return fail_set(f, E_USAGE, "--watch is CONTEST=CHOICE, not \"%.100s\"", what);
    }
    memcpy(w->contest, what, (size_t)(eq - what));
    memcpy(w->leader, eq + 1, strlen(eq + 1));
    for (size_t i = 0; i < KEPT; i++) buf_init(&w->event[i], EVENT_MAX);
    *out = w;
    return OK;
}

void watching_free(struct watching *w) {
    if (!w) return;
    watch_log_release(&w->log);
    for (size_t i = 0; i < KEPT; i++) buf_release(&w->event[i]);
    free(w);
}

static void rest(struct watching *w, const struct fail *f) {
    diag(DIAG_WARN, "the live watch rests: %s", f->text);
    w->resting = true;
}

static err told(void *ctx, const struct watch *watch, const struct watch_event *e, struct span device,
                struct fail *f) {
    struct watching *w = ctx;
    struct buf *b = &w->event[e->number % KEPT], text;
    struct json_out j = json_out(b);
    (void)f;
    buf_clear(b);
    json_object(&j);
    watch_json_members(watch, e, device, LANG_EN, &j);
    buf_init(&text, EVENT_MAX);
    watch_say(watch, e, device, LANG_SW, &text);
    json_kstr(&j, "sentence_sw", buf_cstr(&text));
    buf_release(&text);
    json_object_end(&j);
    w->stands[e->number % KEPT] = e->is == FX_FACT || e->is == FX_ANOMALY;
    w->number = e->number;
    w->news = true;
    return OK;
}

/* The contest is there from some record on; the choice and its stations with it. */
static err begin(struct watching *w, const struct fold *fold, struct fail *f) {
    struct log_pick pick;
    struct watch_options o = {0};
    TRY(log_pick(fold, w->contest, 0, &pick, f));
    TRY(watch_log_init(fold, &pick, NULL, w->leader, &o, MEMORY, &w->log, f));
    w->begun = true;
    return OK;
}

bool watching_take(struct watching *w, const struct fold *fold) {
    struct fail f;
    struct watch_sink to = {told, w};
    bool more = false;
    if (w->resting || !fold_definition(fold)) return false;
    err e = w->begun ? OK : begin(w, fold, &f);
    if (e == OK) e = watch_log_take(&w->log, fold, &to, &more, &f);
    if (e != OK) rest(w, &f);
    return e == OK && more;
}

bool watching_look(struct watching *w) {
    struct fail f;
    struct watch_sink to = {told, w};
    if (w->begun && !w->resting && watch_log_look(&w->log, &to, &f) != OK) rest(w, &f);
    return w->news;
}

static uint64_t oldest(const struct watching *w) {
    return w->number >= KEPT ? w->number - KEPT + 1 : 1;
}

static void json_subject(struct json_out *j, const struct watching *w) {
    json_kstr(j, "contest", w->contest);
    json_kstr(j, "choice", w->leader);
}

void watching_render(struct watching *w, struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_subject(&j, w);
    json_kbool(&j, "resting", w->resting);
    json_ku64(&j, "number", w->number);
    json_key(&j, "events");
    json_array(&j);
    for (uint64_t n = oldest(w); n <= w->number; n++)
        json_raw(&j, buf_view(&w->event[n % KEPT]));
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
    w->news = false;
}

bool watching_news(struct watching *w, struct buf *out) {
    uint64_t from = w->told_to + 1 > oldest(w) ? w->told_to + 1 : oldest(w), left_out = from - w->told_to - 1;
    bool first = !w->told_before;
    size_t kept = 0, bytes = 0;
    uint64_t n = w->number;
    for (; n >= from; n--) { /* the newest that there is room for */
        if (!w->stands[n % KEPT]) continue;
        if (kept == NEWS || bytes + w->event[n % KEPT].n > NEWS_BYTES) break;
        kept++;
        bytes += w->event[n % KEPT].n;
    }
    for (uint64_t k = from; k <= n; k++) left_out += w->stands[k % KEPT];
    w->told_before = true;
    w->told_to = w->number;
    if (kept == 0 || first) return false;
    struct json_out j = json_out(out);
    json_object(&j);
    json_subject(&j, w);
    json_ku64(&j, "number", w->number);
    json_ku64(&j, "left_out", left_out);
    json_key(&j, "events");
    json_array(&j);
    for (n++; n <= w->number; n++)
        if (w->stands[n % KEPT]) json_raw(&j, buf_view(&w->event[n % KEPT]));
    json_array_end(&j);
    json_object_end(&j);
    return true;
}
