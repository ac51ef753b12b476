/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/clerk.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "crypto/secret.h"
#include "election/compose.h"

enum { ARENA_MAX = 1 << 30 };

static void look_at_clock(struct clerk_desk *w) {
    w->now_ms = clock_wall_ms();
    if (w->now_ms < fold_last_ms(w->log->fold)) w->now_ms = fold_last_ms(w->log->fold);
}

void clerk_init(struct clerk_desk *w, const struct tree_source *tree, struct tree_log *log, struct span name,
                const char *dir) {
    *w = (struct clerk_desk){.tree = tree, .log = log, .name = name, .dir = dir};
    arena_init(&w->arena, ARENA_MAX);
    look_at_clock(w);
}

void clerk_release(struct clerk_desk *w) {
    arena_release(&w->arena);
}

err clerk_lock(const char *dir, bool alone, int *fd, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, "lock", f));
    err e = alone ? file_lock(path, fd, f) : file_lock_shared(path, fd, f);
    if (e != E_LOCKED) return e;
    return fail_set(f, E_LOCKED, "another 'hesabu read' works in %.200s: end it first, or give this one a folder "
                                 "of its own with --state", dir);
}

err clerk_refresh(struct clerk_desk *w, bool *news, struct fail *f) {
    err e = tree_log_more(w->log, news, f);
    look_at_clock(w);
    return e;
}

bool clerk_is_away(err e) {
    return e == E_NETWORK || e == E_TIMEOUT || e == E_BUSY || e == E_NOT_FOUND;
}

/* --- the queue --- */

static bool asked_for(const struct clerk_desk *w, const struct cell *c) {
    const struct fold *s = w->log->fold;
    return (!w->contest || span_is(fold_contest(s, c->contest)->id, w->contest)) &&
           (!w->station || span_is(fold_unit(s, c->station)->code, w->station));
}

err clerk_tasks(struct clerk_desk *w, struct desk_task **out, size_t *n, struct fail *f) {
    struct desk_task *t;
    size_t all;
    *n = 0;
    arena_release(&w->arena);
    arena_init(&w->arena, ARENA_MAX);
    TRY(desk_queue(w->log->fold, w->name, w->now_ms, &w->arena, &t, &all, f));
    for (size_t i = 0; i < all; i++)
        if (asked_for(w, fold_cell_at(w->log->fold, t[i].cell))) t[(*n)++] = t[i];
    *out = t;
    return OK;
}

void clerk_place(const struct fold *s, const struct cell *c, struct buf *out) {
    buf_printf(out, "%.*s %.*s/%u %.*s", SPAN_ARG(fold_unit(s, c->station)->code),
               SPAN_ARG(fold_contest(s, c->contest)->id), c->round, SPAN_ARG(fold_unit(s, c->station)->name));
}

/* --- pictures --- */

size_t clerk_pages(const struct clerk_desk *w, const struct desk_task *t, uint32_t out[CLERK_PAGES_MAX]) {
    const struct fold *s = w->log->fold;
    const struct cell *c = fold_cell_at(s, t->cell);
    const struct image *x = fold_image(s, t->image);
    uint32_t first = x->result == NO_RESULT ? c->first_image : fold_result(s, x->result)->first_image;
    size_t n = 0;
    for (uint32_t i = first; i != NO_IMAGE && n < CLERK_PAGES_MAX; i = fold_image(s, i)->next_of_result)
        if (fold_image(s, i)->kind == x->kind && (i == t->image || fold_image(s, i)->page != x->page)) out[n++] = i;
    return n;
}

err clerk_picture(const struct clerk_desk *w, const struct image *x, struct buf *out, struct fail *f) {
    char path[100] = "objects/";
    const size_t at = out->n;
    hash_hex(&x->shown, path + strlen(path));
    err e = w->tree->get(w->tree->ctx, path, CLERK_IMAGE_MAX, out, f);
    if (e != OK) return fail_context(f, e, "the image of entry %llu", (unsigned long long)x->entry);
    struct hash is = sha256(span_from(buf_view(out), at));
    if (!hash_eq(&is, &x->shown))
        return fail_set(f, E_OBJECT, "the server's image is not the one that the log names (entry %llu)",
                        (unsigned long long)x->entry);
    return OK;
}

const char *clerk_picture_kind(struct span x) {
    if (x.n > 3 && memcmp(x.p, "\xff\xd8\xff", 3) == 0) return "jpg";
    if (x.n > 4 && memcmp(x.p, "\x89PNG", 4) == 0) return "png";
    if (x.n > 4 && memcmp(x.p, "%PDF", 4) == 0) return "pdf";
    return "bin";
}

/* --- sealing --- */

void clerk_seal_again(const struct opening *o, struct buf *text) {
    compose_seal(text, &o->election, o->contest, o->round, o->station, &o->image, o->key, &o->seal);
}

err clerk_seal(const struct clerk_desk *w, const struct desk_task *t, struct span reading, struct buf *text,
               struct hash *record, struct fail *f) {
    const struct fold *s = w->log->fold;
    const struct cell *c = fold_cell_at(s, t->cell);
    struct opening o = {.round = c->round, .contest = fold_contest(s, c->contest)->id,
                        .station = fold_unit(s, c->station)->code, .key = w->name, .reading = reading};
    TRY(desk_reading_check(s, c->contest, c->round, reading, f));
    (void)fold_election(s, &o.election);
    o.image = fold_id(s, fold_image(s, t->image)->entry);
    secret_random(o.nonce, sizeof o.nonce);
    o.seal = seal_hash(o.nonce, o.reading);
    clerk_seal_again(&o, text);
    TRY(buf_ok(text, f));
    *record = o.record = sha256(buf_view(text));
    return openings_keep(w->dir, &o, f);
}

/* --- opening --- */

struct looking {
    struct clerk_desk *w;
    struct clerk_due *due;
    clerk_lapsed *lapsed;
    void *ctx;
    struct hash settled[CLERK_OPEN_MOST]; /* seals that are open or lapsed in the log */
    bool gone[CLERK_OPEN_MOST];           /* ... lapsed */
    size_t n;
};

static void settle(struct looking *l, const struct opening *o, bool lapsed) {
    if (l->n == CLERK_OPEN_MOST) return;
    l->gone[l->n] = lapsed;
    l->settled[l->n++] = o->record;
    if (lapsed && l->lapsed) l->lapsed(l->ctx, o->station);
}

static err look(void *ctx, const struct opening *o, struct fail *f) {
    struct looking *l = ctx;
    struct clerk_desk *w = l->w;
    struct clerk_due *due = l->due;
    const struct fold *s = w->log->fold;
    struct hash election;
    if (!span_eq(o->key, w->name) || !fold_election(s, &election) || !hash_eq(&election, &o->election))
        return OK; /* another key's, or another election's */
    const struct seal *x = seal_by_id(s, &o->record);
    if (!x) {
        due->unlogged++;
        return OK;
    }
    /* by the log's own time: this device's clock may be wrong, and the log judges what it is sent */
    enum seal_state state = seal_state_at(s, x, fold_last_ms(s));
    if (state != SEAL_CLOSED) {
        settle(l, o, state == SEAL_LAPSED);
        return OK;
    }
    for (size_t i = 0; i < w->tried_count; i++)
        if (hash_eq(&w->tried[i], &o->record)) {
            due->sent++;
            return OK;
        }
    if (x->deadline_ms == UINT64_MAX || due->n == CLERK_OPEN_MOST) {
        due->waiting++;
        return OK;
    }
    if (w->tried_count < CLERK_TRIED_MOST) w->tried[w->tried_count++] = o->record;
    buf_init(&due->texts[due->n], ENTRY_MAX);
    compose_open(&due->texts[due->n], &o->election, o->nonce, o->reading, &o->record);
    return buf_ok(&due->texts[due->n++], f);
}

err clerk_openings(struct clerk_desk *w, clerk_lapsed *lapsed, void *ctx, struct clerk_due *out, struct fail *f) {
    out->n = out->sent = out->waiting = out->unlogged = 0;
    struct looking *l = calloc(1, sizeof *l);
    if (!l) return fail_set(f, E_MEMORY, "no memory for openings");
    *l = (struct looking){.w = w, .due = out, .lapsed = lapsed, .ctx = ctx};
    err e = openings_each(w->dir, look, l, f);
    for (size_t i = 0; e == OK && i < l->n; i++) e = openings_done(w->dir, &l->settled[i], l->gone[i], f);
    free(l);
    return e;
}

void clerk_due_release(struct clerk_due *d) {
    for (size_t i = 0; i < d->n; i++) buf_release(&d->texts[i]);
    d->n = 0;
}

/* --- drafts --- */

err clerk_draft_path(const struct clerk_desk *w, const struct cell *c, char out[PATH_MAX_LEN], struct fail *f) {
    const struct fold *s = w->log->fold;
    struct hash election = {0};
    struct buf b;
    char hex[HASH_HEX_LEN + 1];
    buf_init(&b, 4096);
    (void)fold_election(s, &election);
    buf_hex(&b, hash_span(&election));
    buf_byte(&b, '\n');
    buf_span(&b, w->name);
    buf_printf(&b, "\n%u\n", c->round);
    buf_span(&b, fold_contest(s, c->contest)->id);
    buf_byte(&b, '\n');
    buf_span(&b, fold_unit(s, c->station)->code);
    err e = buf_ok(&b, f);
    struct hash h = sha256(buf_view(&b));
    buf_release(&b);
    hash_hex(&h, hex);
    if (e == OK && snprintf(out, PATH_MAX_LEN, "%s/drafts/%s.json", w->dir, hex) >= PATH_MAX_LEN)
        e = fail_set(f, E_TOO_LARGE, "the path of the clerk's folder is too long");
    return e;
}

err clerk_draft_write(const char *path, struct span text, struct fail *f) {
    TRY(file_mkdirs_for(path, f));
    return file_write_durable(path, text, 0600, f);
}

err clerk_draft_read(const char *path, struct buf *out, struct fail *f) {
    return file_exists(path) ? file_read(path, CLERK_DRAFT_MAX, out, f) : OK;
}
