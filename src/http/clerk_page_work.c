/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "http/clerk_page_impl.h"
#include "service/clerk_form.h"

enum {
    LOOK_MS = 2000, LOOK_BUSY_MS = 400, LOOK_AWAY_MS = 5000, /* between two looks at the log */
    QUEUE_MS = 60 * 1000,     /* the queue is counted again, news or not: keys and seals run out */
    DRAFTS_LOOKED_AT = 200,
    PICTURES_TRIED = 20, /* of one order: the clerk waits for the answer */
    STATE_MAX = 4 << 20, READING_MAX = 16384,
};

static const struct fold *fold_of(const struct clerk_page *p) {
    return p->o->clerk->log->fold;
}

/* --- seals on their way --- */

static struct clerk_sent *sent_of(struct clerk_page *p, const struct hash *record) {
    for (size_t i = 0; i < p->sent_count; i++)
        if (hash_eq(&p->sent[i].record, record)) return &p->sent[i];
    struct clerk_sent *more = realloc(p->sent, (p->sent_count + 1) * sizeof *more);
    if (!more) return NULL;
    p->sent = more;
    more[p->sent_count] = (struct clerk_sent){.record = *record};
    return &more[p->sent_count++];
}

static void note_item(void *ctx, const struct outbox_item *item) {
    struct hash id;
    if (hash_from_hex(span_text(item->id), &id, NULL) != OK) return;
    struct clerk_sent *s = sent_of(ctx, &id);
    if (!s) return;
    s->refused = item->state == OUTBOX_REFUSED ? item->refusal : (struct fail){0};
    if (item->state == OUTBOX_REFUSED && !s->refused.code) s->refused.code = E_STATE;
}

static err sign_and_queue(struct clerk_page *p, struct span text, struct fail *f) {
    struct outbox_item item;
    struct buf note;
    size_t missing;
    const struct note_signer *signer = p->o->signer;
    buf_init(&note, ENTRY_MAX);
    err e = notes_sign(text, &signer, 1, &note, f);
    if (e == OK) e = outbox_add(p->o->box, buf_view(&note), NULL, 0, &item, &missing, f);
    if (e == OK) note_item(p, &item);
    buf_release(&note);
    p->busy = true;
    p->step_ms = 0;
    return e;
}

/* What was sealed on this disk when the process ended before the seal was queued: it is sent now. */
static err send_forgotten(void *ctx, const struct opening *o, struct fail *f) {
    struct clerk_page *p = ctx;
    const struct fold *s = fold_of(p);
    struct hash election;
    const uint32_t contest = fold_contest_by_id(s, o->contest), unit = fold_unit_by_code(s, o->station);
    if (!span_eq(o->key, p->o->clerk->name) || !fold_election(s, &election) || !hash_eq(&election, &o->election) ||
        contest == NO_CONTEST || unit == NO_UNIT || seal_by_id(s, &o->record))
        return OK;
    const uint32_t cell = fold_cell_find(s, contest, o->round, unit);
    for (size_t i = 0; i < p->sent_count; i++)
        if (hash_eq(&p->sent[i].record, &o->record)) return OK;
    if (cell == NO_CELL || desk_may_seal(s, fold_cell_at(s, cell), o->key, p->o->clerk->now_ms, NULL) != OK)
        return OK;
    struct buf text;
    buf_init(&text, ENTRY_MAX);
    clerk_seal_again(o, &text);
    struct hash is = sha256(buf_view(&text));
    err e = hash_eq(&is, &o->record) ? sign_and_queue(p, buf_view(&text), f) : OK;
    buf_release(&text);
    return e;
}

static void away(struct clerk_page *p, const struct fail *why) {
    if (!p->away.code) p->away_ms = p->o->clerk->now_ms;
    p->away = *why;
}

static void tell_lapsed(void *ctx, struct span station) {
    const struct clerk_page *p = ctx;
    char line[300];
    (void)snprintf(line, sizeof line, "station %.*s: your seal lapsed; somebody else reads this form",
                   SPAN_ARG(station));
    p->o->tell(line);
}

/* Opens what is due and sends what is queued. */
static err send_all(struct clerk_page *p, struct fail *f) {
    struct clerk_due *due = calloc(1, sizeof *due);
    struct outbox_progress got = {0};
    struct fail why = {0};
    if (!due) return fail_set(f, E_MEMORY, "no memory for openings");
    err e = clerk_openings(p->o->clerk, tell_lapsed, p, due, f);
    p->closed = due->n + due->sent + due->waiting + due->unlogged;
    for (size_t i = 0; e == OK && i < due->n; i++) e = sign_and_queue(p, buf_view(&due->texts[i]), f);
    clerk_due_release(due);
    free(due);
    if (e != OK || clock_monotonic_ms() < p->step_ms) return e;
    const struct outbox_step_options so = {.changed = note_item, .ctx = p};
    e = outbox_step(p->o->box, &p->o->transport, &so, &got, &why);
    if (e == OK) why = got.waits;
    if (why.code) away(p, &why);
    p->busy = got.queued > 0 || got.done > 0;
    p->step_ms = clock_monotonic_ms() + (why.code && got.again_ms < LOOK_AWAY_MS ? LOOK_AWAY_MS : got.again_ms);
    return OK; /* whatever it is, the items stay, and it is told */
}

/* --- the form that is read --- */

static void clear_task(struct clerk_page *p, bool remove_draft) {
    struct fail f;
    pthread_mutex_lock(&p->lock);
    err e = remove_draft && p->form[0] ? file_remove(p->draft, &f) : OK;
    for (size_t i = 0; i < p->pictures; i++) {
        http_response_release(p->picture[i]);
        p->picture[i] = NULL;
    }
    p->pictures = 0;
    p->form[0] = 0;
    pthread_mutex_unlock(&p->lock);
    if (e != OK) p->o->tell(f.text);
    p->has_task = false;
    p->taken = (struct fail){0};
}

static struct http_response *picture_of(struct buf *b) {
    const char *kind = clerk_picture_kind(buf_view(b));
    const char *type = strcmp(kind, "png") == 0   ? "image/png"
                       : strcmp(kind, "jpg") == 0 ? "image/jpeg"
                                                  : "application/octet-stream";
    return page_answer(http_response_take(200, type, b));
}

/* Fetches the pictures of a form and shows it. */
static err show(struct clerk_page *p, const struct desk_task *t, struct fail *f) {
    const struct fold *s = fold_of(p);
    struct http_response *got[CLERK_PAGES_MAX] = {0};
    uint32_t pages[CLERK_PAGES_MAX];
    const size_t n = clerk_pages(p->o->clerk, t, pages);
    char draft[PATH_MAX_LEN];
    err e = clerk_draft_path(p->o->clerk, fold_cell_at(s, t->cell), draft, f);
    for (size_t i = 0; e == OK && i < n; i++) {
        struct buf b;
        buf_init(&b, CLERK_IMAGE_MAX);
        e = clerk_picture(p->o->clerk, fold_image(s, pages[i]), &b, f);
        if (e == OK && !(got[i] = picture_of(&b))) e = fail_set(f, E_MEMORY, "no memory for a picture");
        buf_release(&b);
    }
    if (e != OK) {
        for (size_t i = 0; i < n; i++) http_response_release(got[i]);
        return e;
    }
    clear_task(p, false);
    struct hash image = fold_id(s, fold_image(s, t->image)->entry);
    pthread_mutex_lock(&p->lock);
    memcpy(p->picture, got, sizeof got);
    p->pictures = n;
    hash_hex(&image, p->form);
    memcpy(p->draft, draft, sizeof draft);
    pthread_mutex_unlock(&p->lock);
    p->task = *t;
    p->has_task = true;
    return OK;
}

struct cells {
    const struct clerk_page *p;
    uint32_t at[CLERK_OPEN_MOST];
    size_t n;
};

/* Cells whose form this clerk has sealed and the log does not show it yet. */
static err on_its_way(void *ctx, const struct opening *o, struct fail *f) {
    struct cells *w = ctx;
    const struct fold *s = fold_of(w->p);
    struct hash election;
    (void)f;
    const uint32_t contest = fold_contest_by_id(s, o->contest), unit = fold_unit_by_code(s, o->station);
    if (!span_eq(o->key, w->p->o->clerk->name) || !fold_election(s, &election) ||
        !hash_eq(&election, &o->election) || contest == NO_CONTEST || unit == NO_UNIT ||
        seal_by_id(s, &o->record) || w->n == CLERK_OPEN_MOST)
        return OK;
    for (size_t i = 0; i < w->p->sent_count; i++)
        if (hash_eq(&w->p->sent[i].record, &o->record) && !w->p->sent[i].refused.code)
            w->at[w->n++] = fold_cell_find(s, contest, o->round, unit);
    return OK;
}

static bool is_among(const uint32_t *cells, size_t n, uint32_t cell) {
    for (size_t i = 0; i < n; i++)
        if (cells[i] == cell) return true;
    return false;
}

static bool has_draft(struct clerk_page *p, uint32_t cell) {
    char path[PATH_MAX_LEN];
    struct fail f;
    return clerk_draft_path(p->o->clerk, fold_cell_at(fold_of(p), cell), path, &f) == OK && file_exists(path);
}

/* The forms that wait, without those on their way; the counts for the page. */
static err waiting(struct clerk_page *p, struct desk_task **out, size_t *n, struct fail *f) {
    struct cells w = {.p = p};
    size_t all, own = 0, kept = 0;
    struct desk_task *t;
    *n = 0;
    p->queue_ms = clock_monotonic_ms();
    err e = clerk_tasks(p->o->clerk, &t, &all, f);
    if (e == E_REFERENCE) { /* the log does not know the key (yet): nothing waits, and the page says so */
        p->queue_all = p->queue_own = 0;
        return OK;
    }
    if (e == OK) e = openings_each(p->o->clerk->dir, on_its_way, &w, f);
    for (size_t i = 0; e == OK && i < all; i++) {
        if (is_among(w.at, w.n, t[i].cell)) continue;
        own += t[i].tier == TIER_OWN;
        t[kept++] = t[i];
    }
    p->queue_all = kept;
    p->queue_own = own;
    *out = t;
    *n = kept;
    return e;
}

static err pass_over(struct clerk_page *p, uint32_t cell, struct fail *f) {
    uint32_t *more = realloc(p->skipped, (p->skipped_count + 1) * sizeof *more);
    if (!more) return fail_set(f, E_MEMORY, "no memory for the queue");
    p->skipped = more;
    more[p->skipped_count++] = cell;
    return OK;
}

/* Begun forms first, then the queue's order; what was put back comes last. NULL: nothing waits. */
static struct desk_task *pick(struct clerk_page *p, struct desk_task *t, size_t n) {
    for (size_t i = 0; i < n && i < DRAFTS_LOOKED_AT; i++)
        if (!is_among(p->skipped, p->skipped_count, t[i].cell) && has_draft(p, t[i].cell)) return &t[i];
    for (size_t i = 0; i < n; i++)
        if (!is_among(p->skipped, p->skipped_count, t[i].cell)) return &t[i];
    p->skipped_count = 0;
    return n ? &t[0] : NULL;
}

/* A form whose picture is not to be had must not keep the clerk from all the others. */
static err choose(struct clerk_page *p, struct fail *f) {
    struct desk_task *t = NULL, *best;
    size_t n;
    TRY(waiting(p, &t, &n, f));
    for (size_t tries = 1; (best = pick(p, t, n)); tries++) {
        err e = show(p, best, f);
        const bool lacks = e == E_NOT_FOUND || e == E_OBJECT || e == E_TOO_LARGE;
        if (lacks) TRY(pass_over(p, best->cell, f));
        if (!lacks || tries >= n || tries == PICTURES_TRIED) return e;
        p->o->tell(f->text);
    }
    clear_task(p, false);
    return OK;
}

/* The form that is shown may have been read by others meanwhile, or a better picture may have come. */
static void look_at_task(struct clerk_page *p) {
    struct fail f = {0};
    if (!p->has_task) return;
    const struct cell *c = fold_cell_at(fold_of(p), p->task.cell);
    if (desk_may_seal(fold_of(p), c, p->o->clerk->name, p->o->clerk->now_ms, &f) != OK) {
        p->taken = f;
        return;
    }
    p->taken = (struct fail){0};
    struct desk_task t = p->task;
    t.image = desk_image(fold_of(p), c);
    if (t.image != p->task.image && t.image != NO_IMAGE && show(p, &t, &f) != OK) away(p, &f);
}

/* --- what the page is told --- */

static void state_json(struct clerk_page *p, struct json_out *j, struct fail *f, err *e) {
    const struct definition *d = fold_definition(fold_of(p));
    json_object(j);
    json_key(j, "clerk");
    clerk_view_key(p->o->clerk, j);
    json_kspan(j, "title", d->title);
    json_kbool(j, "simulated", d->simulated);
    json_kspan(j, "notice", d->notice);
    json_ku64(j, "now", p->o->clerk->now_ms);
    json_ku64(j, "entries", fold_size(fold_of(p)));
    if (p->away.code) {
        json_key(j, "away");
        json_object(j);
        json_ku64(j, "since", p->away_ms);
        json_kstr(j, "sentence", p->away.text);
        json_object_end(j);
    }
    json_ku64(j, "queue", p->queue_all);
    json_ku64(j, "queue_own", p->queue_own);
    if (p->has_task) {
        json_key(j, "task");
        clerk_view_task(p->o->clerk, &p->task, p->pictures, j);
    }
    if (p->has_task && p->taken.code) json_kstr(j, "taken", p->taken.text);
    json_key(j, "marks");
    json_array(j);
    for (int m = 0; m < MARK_COUNT; m++) json_str(j, mark_words[m]);
    json_array_end(j);
    json_key(j, "readings");
    *e = clerk_view_readings(p->o->clerk, p->sent, p->sent_count, j, f);
    json_object_end(j);
}

static err tell_page(struct clerk_page *p, struct fail *f) {
    struct buf b;
    err e = OK;
    buf_init(&b, STATE_MAX);
    struct json_out j = json_out(&b);
    state_json(p, &j, f, &e);
    if (e == OK) e = buf_ok(&b, f);
    struct http_response *now = e == OK ? page_answer(http_response_take(200, "application/json", &b)) : NULL;
    buf_release(&b);
    if (e == OK && !now) e = fail_set(f, E_MEMORY, "no memory for the page");
    if (e != OK) return e;
    pthread_mutex_lock(&p->lock);
    struct http_response *before = p->state;
    p->state = now;
    pthread_mutex_unlock(&p->lock);
    http_response_release(before);
    return OK;
}

/* --- orders --- */

static err seal(struct clerk_page *p, struct span body, struct hash *record, struct fail *f) {
    const struct fold *s = fold_of(p);
    struct clerk_desk *w = p->o->clerk;
    struct hash form, is;
    struct buf reading, text;
    if (!p->has_task) return fail_set(f, E_STATE, "no form is being read now");
    const struct cell *c = fold_cell_at(s, p->task.cell);
    err e = desk_may_seal(s, c, w->name, w->now_ms, f);
    if (e != OK) {
        p->taken = *f;
        return e;
    }
    struct clerk_form *typed = calloc(1, sizeof *typed);
    if (!typed) return fail_set(f, E_MEMORY, "no memory for a form");
    buf_init(&reading, READING_MAX);
    buf_init(&text, ENTRY_MAX);
    clerk_form_init(typed, s, c->contest, c->round);
    e = clerk_form_parse(typed, body, &form, f);
    is = fold_id(s, fold_image(s, p->task.image)->entry);
    if (e == OK && !hash_eq(&form, &is))
        e = fail_set(f, E_STATE, "another picture of this form has come: look at it before you seal");
    if (e == OK) e = clerk_form_reading(typed, &reading, f);
    if (e == OK) e = clerk_seal(w, &p->task, buf_view(&reading), &text, record, f);
    if (e == OK && (e = sign_and_queue(p, buf_view(&text), f)) != OK) {
        struct fail why = {0};
        if (openings_done(w->dir, record, true, &why) != OK) p->o->tell(why.text); /* it never left: sealed anew */
    }
    if (e == OK) {
        clear_task(p, true);
        p->closed++;
    }
    buf_release(&reading);
    buf_release(&text);
    free(typed);
    return e;
}

static err put_back(struct clerk_page *p, struct fail *f) {
    if (p->has_task) TRY(pass_over(p, p->task.cell, f));
    return choose(p, f);
}

static err carry_out(struct clerk_page *p, enum page_order what, struct span body, struct buf *said, struct fail *f) {
    struct hash record;
    struct json_out j = json_out(said);
    err e = OK;
    if (what == ORDER_SEAL) {
        e = seal(p, body, &record, f);
    } else if (what == ORDER_SKIP) {
        e = put_back(p, f);
    } else {
        if (p->has_task && p->taken.code) clear_task(p, true);
        if (!p->has_task) e = choose(p, f);
    }
    json_object(&j);
    if (e == OK && what == ORDER_SEAL) json_khex(&j, "record", hash_span(&record));
    json_object_end(&j);
    return e;
}

err page_work_order(struct clerk_page *p, struct fail *f) {
    struct buf body, said;
    struct fail why = {0};
    pthread_mutex_lock(&p->lock);
    const enum page_order what = p->order;
    struct http_token *token = p->waiting;
    buf_init(&body, PAGE_BODY_MAX);
    if (what != ORDER_NONE) buf_span(&body, buf_view(&p->body));
    p->waiting = NULL;
    pthread_mutex_unlock(&p->lock);
    if (what == ORDER_NONE) return OK;
    buf_init(&said, 1024);
    err e = carry_out(p, what, buf_view(&body), &said, &why);
    err told = tell_page(p, f); /* the page asks for it next */
    pthread_mutex_lock(&p->lock);
    p->order = ORDER_NONE;
    pthread_mutex_unlock(&p->lock);
    struct http_response *a = e == OK ? http_response_take(200, "application/json", &said) : http_response_fail_of(&why);
    http_reply(token, page_answer(a));
    buf_release(&said);
    buf_release(&body);
    return told;
}

/* --- turns --- */

err page_work_begin(struct clerk_page *p, struct fail *f) {
    struct desk_task *t;
    size_t n;
    TRY(outbox_list(p->o->box, note_item, p, f));
    TRY(openings_each(p->o->clerk->dir, send_forgotten, p, f));
    TRY(waiting(p, &t, &n, f));
    return tell_page(p, f);
}

err page_work(struct clerk_page *p, uint32_t *wait_ms, struct fail *f) {
    struct desk_task *t;
    struct fail why = {0};
    bool news = false;
    size_t n;
    const bool was_away = p->away.code != OK;
    p->away = (struct fail){0};
    err e = clerk_refresh(p->o->clerk, &news, &why);
    if (e != OK && !clerk_is_away(e)) {
        *f = why;
        return e;
    }
    const uint64_t since = p->away_ms;
    if (e != OK) away(p, &why);
    TRY(send_all(p, f));
    if (was_away && p->away.code) p->away_ms = since;
    if (news || clock_monotonic_ms() - p->queue_ms > QUEUE_MS) TRY(waiting(p, &t, &n, f));
    look_at_task(p);
    *wait_ms = p->away.code ? LOOK_AWAY_MS : p->busy ? LOOK_BUSY_MS : LOOK_MS;
    return tell_page(p, f);
}

void page_work_end(struct clerk_page *p) {
    if (p->waiting) http_reply(p->waiting, page_answer(http_response_error(E_BUSY, "the desk ends")));
    p->waiting = NULL;
    clear_task(p, false);
    http_response_release(p->state);
    free(p->sent);
    free(p->skipped);
}
