/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/publisher.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/wait.h"
#include "election/anchor.h"
#include "election/declaration.h"
#include "election/results.h"
#include "election/head.h"
#include "service/key_files.h"
#include "service/portal_data.h"
#include "service/repair.h"
#include "service/watching.h"
#include "store/writer.h"
#include "tlog/checkpoint.h"
#include "tlog/tile.h"

enum { FILE_MAX = 256 << 20, WITNESSED_MAX = 64 << 20, REPAIR_TILES = 64 };
enum { REST_MAX_MS = 5000 };
enum { PAGES_MAX = 32 << 20 }; /* bytes of pages a tick: they are held until written */
/* Bytes of pages between which the sequencer has its turn, some milliseconds' work, and how long it has. */
enum { SLICE_BYTES = 256 << 10, SLICE_PAUSE_US = 500 };

/* A file rendered while the fold was at hand, to be written afterwards if it says something new. */
struct rendered {
    char path[PAGE_PATH_MAX];
    bool unit; /* the page of a unit: page_says_same decides */
    struct buf bytes;
};

struct publisher {
    struct publisher_options o;
    struct sequencer *q;
    struct writer *writer;
    struct store_reader *reader;
    pthread_mutex_t tick_lock; /* one tick at a time: everything below up to `head` */
    uint64_t size;             /* published */
    struct repair repair;
    bool whole;                /* results of the whole tree are published */
    uint32_t definition;
    size_t declared; /* declarations whose contests' files say so */
    struct budget budget;
    struct vec files;        /* struct rendered */
    struct portal *portal;
    uint64_t pages_witnessed; /* what the pages say of the witnesses */
    _Atomic size_t pages_due;
    struct key_files keys;
    struct vec touched;      /* struct touched: what came while pages were made, for the next tick */
    struct vec fingerprints; /* uint64_t, one a cell: its findings at the last tick */
    struct vec unit_prints;  /* the same of a unit's own */
    struct vec stamps;       /* uint64_t, one for each of results_files */

    uint64_t last_witnessed;
    struct buf witness_index; /* witnessed/index: sizes of cosigned checkpoints, a line each */

    pthread_mutex_t head_lock; /* checkpoint, witnessed */
    struct buf checkpoint;     /* as published */
    struct buf witnessed;      /* of witnessed_size, with the quorum's cosignatures */
    uint64_t checkpoint_size, witnessed_size;
    uint64_t last_ms; /* of the published checkpoint's last entry; with `simulated` for head.json */
    bool simulated;
    const char *status; /* likewise; constant text */

    pthread_mutex_t wake_lock; /* due, stopping, running */
    pthread_cond_t wake_cond;
    bool due, stopping, running;
    pthread_t thread;
};

static err add_file(struct publisher *p, const char *path, struct buf **bytes, struct fail *f) {
    struct rendered *r = vec_push(&p->files);
    if (!r) return fail_set(f, E_MEMORY, "no memory for the results");
    (void)snprintf(r->path, sizeof r->path, "%s", path);
    r->unit = false;
    buf_init(&r->bytes, FILE_MAX);
    *bytes = &r->bytes;
    return OK;
}

static void drop_files(struct publisher *p) {
    for (size_t i = 0; i < p->files.n; i++)
        buf_release(&((struct rendered *)vec_at(&p->files, i))->bytes);
    p->files.n = 0;
}

/* --- which units changed --- */

static uint64_t fingerprint(const struct findings *fi, uint32_t cell) {
    uint64_t h = 1;
    for (size_t i = fi->first[cell]; i < fi->first[cell + 1]; i++) {
        const struct finding *x = &fi->items[i];
        h = hash_u64(h ^ x->a);
        h = hash_u64(h ^ x->b);
        h = hash_u64(h ^ ((uint64_t)x->result << 8 | (uint64_t)x->code));
        h = hash_u64(h ^ ((uint64_t)x->decision << 32 | x->latest));
    }
    return h;
}

/* The same of a unit's own findings, of all contests: by unit, in prints[units]. */
static void unit_fingerprints(const struct findings *fi, uint64_t *prints) {
    for (size_t i = fi->unit_items; i < fi->n; i++) {
        const struct finding *x = &fi->items[i];
        uint64_t h = hash_u64(prints[x->unit] ^ x->a ^ x->b << 32);
        h = hash_u64(h ^ ((uint64_t)x->contest << 16 | (uint64_t)x->round << 8 | (uint64_t)x->code));
        prints[x->unit] = hash_u64(h ^ ((uint64_t)x->decision << 32 | x->latest));
    }
}

/* A byte a cell and a byte a unit: 1 if what a page says about it may have changed. */
struct changed {
    uint8_t *cells, *units;
};

static err changed_units(struct publisher *p, const struct fold *s, struct results *r, uint8_t *changed,
                         struct fail *f) {
    uint64_t *now = arena_array(&r->arena, fold_unit_count(s), sizeof *now);
    if (!now) return fail_set(f, E_MEMORY, "no memory for the results");
    unit_fingerprints(&r->findings, now);
    for (size_t i = 0; i < fold_unit_count(s); i++) {
        uint64_t *old = i < p->unit_prints.n ? vec_at(&p->unit_prints, i) : vec_push(&p->unit_prints);
        if (!old) return fail_set(f, E_MEMORY, "no memory for the results");
        changed[i] = *old != now[i];
        *old = now[i];
    }
    return OK;
}

/* With the fold at hand: what was appended about stations is noted for the next tick. */
static err take_touched(struct publisher *p, struct fail *f) {
    struct touched t[1024];
    for (size_t n; (n = sequencer_touched(p->q, t, 1024)) > 0;) {
        for (size_t i = 0; i < n; i++) {
            struct touched *to = vec_push(&p->touched);
            if (!to) return fail_set(f, E_MEMORY, "no memory for the results");
            *to = t[i];
        }
    }
    return OK;
}

static err changed_cells(struct publisher *p, const struct fold *s, struct results *r,
                         struct changed *out, struct fail *f) {
    size_t cells = fold_cell_count(s);
    uint8_t *changed = out->cells = arena_array(&r->arena, cells + 1, 1);
    out->units = arena_array(&r->arena, fold_unit_count(s), 1);
    if (!changed || !out->units) return fail_set(f, E_MEMORY, "no memory for the results");
    TRY(changed_units(p, s, r, out->units, f));
    for (uint32_t i = 0; i < cells; i++) {
        uint64_t now = fingerprint(&r->findings, i);
        uint64_t *old = i < p->fingerprints.n ? vec_at(&p->fingerprints, i) : vec_push(&p->fingerprints);
        if (!old) return fail_set(f, E_MEMORY, "no memory for the results");
        changed[i] = *old != now;
        *old = now;
    }
    TRY(take_touched(p, f));
    for (size_t i = 0; i < p->touched.n; i++) {
        const struct touched *t = vec_at(&p->touched, i);
        if (t->contest == NO_CONTEST) continue;
        out->units[t->station] = 1; /* a station may have said nothing yet, and be contested */
        unsigned rounds = fold_contest(s, t->contest)->round;
        for (unsigned k = 1; k <= rounds; k++) {
            uint32_t c = fold_cell_find(s, t->contest, k, t->station);
            if (c != NO_CELL) changed[c] = 1;
        }
    }
    p->touched.n = 0;
    return OK;
}

static err render_contest(struct publisher *p, const struct fold *s, struct results *r, size_t at,
                          const struct changed *changed, bool all, struct fail *f) {
    const struct tally *t = &r->tallies[at];
    uint8_t *dirty = arena_array(&r->arena, t->n, 1);
    if (!dirty) return fail_set(f, E_MEMORY, "no memory for the results");
    bool any = all;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t cell = t->rows[i].cell;
        if (all || changed->units[t->rows[i].unit] || (cell != NO_CELL && changed->cells[cell])) {
            dirty[i] = 1;
            any = true;
        }
        for (uint32_t up = t->rows[i].parent; dirty[i] && up != UINT32_MAX && !dirty[up];
             up = t->rows[up].parent)
            dirty[up] = 1;
    }
    char path[RESULTS_PATH_MAX];
    struct buf *b;
    for (size_t i = 0; i < t->n && any; i++) {
        if (!dirty[i]) continue;
        portal_mark(p->portal, at, i, !all);
        if (!results_has_file(s, t, i)) continue;
        results_unit_path(s, t->contest, t->round, t->rows[i].unit, path);
        TRY(add_file(p, path, &b, f));
        TRY(results_unit(s, t, &r->findings, i, b, f));
    }
    if (!any) return OK;
    results_findings_path(s, t->contest, t->round, path);
    TRY(add_file(p, path, &b, f));
    TRY(results_findings(s, t, &r->findings, b, f));
    results_gate_path(s, t->contest, t->round, path);
    TRY(add_file(p, path, &b, f));
    return results_gate(s, t, &r->findings, b, f);
}

static err render_whole(struct publisher *p, const struct fold *s, struct results *r, bool all,
                        struct fail *f) {
    struct buf *b;
    for (size_t i = 0; i < results_file_count; i++) {
        uint64_t now = results_file_stamp(s, i);
        uint64_t *old = i < p->stamps.n ? vec_at(&p->stamps, i) : vec_push(&p->stamps);
        if (!old) return fail_set(f, E_MEMORY, "no memory for the results");
        if (!all && *old == now) continue;
        *old = now;
        TRY(add_file(p, results_files[i].path, &b, f));
        TRY(results_files[i].render(s, r, b, f));
    }
    return OK;
}

static err add_page(void *ctx, const char *path, bool unit, struct buf **bytes, struct fail *f) {
    struct publisher *p = ctx;
    TRY(add_file(p, path, bytes, f));
    ((struct rendered *)vec_at(&p->files, p->files.n - 1))->unit = unit;
    return OK;
}

/* Results of a tick, and what the pages that show them are made from: as of one record, while the log
 * goes on. */
struct view {
    struct results results;
    struct page_site site;
    struct buf cosigned;
    uint64_t silent; /* records so far that change no page: silent_records */
    uint8_t *stale;  /* a byte a unit: something below came since */
    size_t units;
    bool whole;      /* results and site hold, pages may be made */
};

static void view_release(struct view *v) {
    buf_release(&v->cosigned);
    results_release(&v->results);
}

/* Records of the types that no unit's page shows. */
static uint64_t silent_records(const struct fold *s) {
    return fold_count(s, REC_KEY) + fold_count(s, REC_INCIDENT) + fold_count(s, REC_HOST_LOG);
}

static void view_site(struct publisher *p, const struct fold *s, struct view *v) {
    v->site = (struct page_site){.fold = s, .results = &v->results, .note = p->o.note, .style = portal_style,
                                 .script = portal_script, .local_proofs = true,
                                 .size = fold_size(s), .last_ms = fold_last_ms(s)};
    v->silent = silent_records(s);
    pthread_mutex_lock(&p->head_lock);
    v->site.witnessed = p->witnessed_size;
    buf_span(&v->cosigned, buf_view(&p->witnessed));
    pthread_mutex_unlock(&p->head_lock);
    v->site.cosigned = buf_view(&v->cosigned);
    p->pages_witnessed = v->site.witnessed;
}

static err render_pages(struct publisher *p, const struct fold *s, struct view *v, bool all, struct fail *f) {
    struct portal_sink sink = {add_page, p};
    bool more;
    view_site(p, s, v);
    v->units = fold_unit_count(s);
    v->stale = arena_array(&v->results.arena, v->units, 1);
    if (!v->stale) return fail_set(f, E_MEMORY, "no memory for the portal");
    TRY(portal_round(p->portal, &v->site, PAGES_MAX, &sink, f));
    TRY(portal_slice(p->portal, &v->site, NULL, SLICE_BYTES, &sink, &more, f)); /* each tick makes some */
    TRY(key_files_render(&p->keys, s, all, &sink, f));
    return all && p->o.portal_dir ? portal_files(p->o.portal_dir, &sink, f) : OK;
}

/* Whether pages that are not stale can still be made as of the view's record: all that came since is
 * about stations, which become stale with all above them, or changes no page. */
static err still_holds(struct publisher *p, const struct fold *s, struct view *v, bool *holds, struct fail *f) {
    TRY(take_touched(p, f));
    for (size_t i = 0; i < p->touched.n; i++) {
        const struct touched *t = vec_at(&p->touched, i);
        for (uint32_t u = t->station; u != NO_UNIT; u = fold_unit(s, u)->parent)
            if (u < v->units) v->stale[u] = 1; /* an amendment may have added some */
    }
    *holds = fold_size(s) - v->site.size == p->touched.n + silent_records(s) - v->silent;
    return OK;
}

/* The rest of the tick's pages, slice by slice: submissions have their turn in between. */
static err render_slices(struct publisher *p, struct view *v, struct fail *f) {
    struct portal_sink sink = {add_page, p};
    err e = OK;
    for (bool more = v->whole; more && e == OK;) {
        (void)usleep(SLICE_PAUSE_US); /* a lock that is given back and taken again at once is never another's */
        const struct fold *s = sequencer_fold_lock(p->q);
        e = still_holds(p, s, v, &more, f);
        if (e == OK && more) e = portal_slice(p->portal, &v->site, v->stale, SLICE_BYTES, &sink, &more, f);
        sequencer_fold_unlock(p->q);
    }
    portal_round_end(p->portal);
    p->pages_due = portal_due(p->portal);
    return e;
}

/* Declared since the last tick: every file of the contest says so. */
static bool newly_declared(const struct publisher *p, const struct fold *s, const struct tally *t) {
    for (size_t i = p->declared; i < fold_declaration_count(s); i++) {
        const struct declaration *d = fold_declaration(s, (uint32_t)i);
        if (d->contest == t->contest && d->round == t->round) return true;
    }
    return false;
}

static err render_results(struct publisher *p, const struct fold *s, struct view *v, struct fail *f) {
    struct results *r = &v->results;
    const struct definition *d = fold_definition(s);
    if (!d) return OK;
    bool all = !p->whole || p->definition != d->version;
    TRY(results_compute(s, r, f));
    struct changed changed;
    struct buf *b;
    err e = changed_cells(p, s, r, &changed, f);
    if (e == OK) e = portal_begin(p->portal, r, all, f);
    for (size_t i = 0; i < r->n && e == OK; i++)
        e = render_contest(p, s, r, i, &changed, all || newly_declared(p, s, &r->tallies[i]), f);
    if (e == OK) e = add_file(p, "results/index.json", &b, f);
    if (e == OK) e = results_index(s, r->tallies, r->n, &r->findings, b, f);
    if (e == OK) e = render_whole(p, s, r, all, f);
    if (e == OK) e = render_pages(p, s, v, all, f);
    if (e == OK && all) {
        struct hash manifest = {0};
        (void)fold_election(s, &manifest);
        e = add_file(p, "anchor", &b, f);
        if (e == OK) anchor_format(d->origin, d->log_vkey, &manifest, d->policy, b);
    }
    v->whole = p->whole = e == OK;
    p->definition = d->version;
    if (e == OK) p->declared = fold_declaration_count(s);
    return e;
}

/* --- tiles --- */

/* Once a tile is full its partial forms are no longer needed. */
static void remove_partials(struct publisher *p, const char *tile) {
    char dir[PATH_MAX_LEN], path[PATH_MAX_LEN];
    (void)snprintf(dir, sizeof dir, "%s/%s.p", p->o.public_dir, tile);
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        if (path_join(path, sizeof path, dir, e->d_name, NULL) == OK) (void)unlink(path);
    }
    closedir(d);
    (void)rmdir(dir);
}

/* The tree in memory agrees with database and guard: a file that does not was damaged on the disk. */
static err add_tile(struct publisher *p, const char *path, struct span bytes, struct fail *f) {
    err e = writer_add(p->writer, path, bytes, f);
    if (e != E_EXISTS) return e;
    diag(DIAG_ERROR, "%s: damaged on the disk, replaced by the right bytes", f->text);
    return writer_replace(p->writer, path, bytes, f);
}

static err add_tiles(struct publisher *p, uint64_t from, uint64_t to, struct fail *f) {
    struct tile_walk w = tile_walk(from, to);
    struct tile t;
    struct buf b;
    err e = OK;
    buf_init(&b, TILE_BUNDLE_MAX);
    while (e == OK && tile_walk_next(&w, &t)) {
        char path[TILE_PATH_MAX];
        tile_path(t, path);
        buf_clear(&b);
        e = repair_tile_bytes(sequencer_tree(p->q), p->reader, t, &b, f);
        if (e == OK) e = add_tile(p, path, buf_view(&b), f);
    }
    buf_release(&b);
    return e;
}

static void drop_partials(struct publisher *p, uint64_t from, uint64_t to) {
    struct tile_walk w = tile_walk(from, to);
    struct tile t;
    while (tile_walk_next(&w, &t)) {
        char path[TILE_PATH_MAX];
        if (t.width != TILE_WIDTH) continue;
        tile_path(t, path);
        remove_partials(p, path);
    }
}

/* --- a tick --- */

/* A quorum has cosigned more than the pages say: nobody else writes them while the log is quiet. */
static bool witnesses_untold(struct publisher *p) {
    pthread_mutex_lock(&p->head_lock);
    bool untold = p->whole && p->definition && p->witnessed_size > p->pages_witnessed;
    pthread_mutex_unlock(&p->head_lock);
    return untold;
}

static err head_json(struct publisher *p, uint64_t size, uint64_t last_ms, bool simulated,
                     const char *status, struct buf *out, struct fail *f) {
    struct hash root;
    TRY(merkle_tree_root_at(sequencer_tree(p->q), size, &root, f));
    struct json_out j = head_begin(sequencer_origin(p->q), size, &root, last_ms, out);
    json_ku64(&j, "published_ms", clock_wall_ms());
    pthread_mutex_lock(&p->head_lock);
    json_ku64(&j, "witnessed", p->witnessed_size);
    pthread_mutex_unlock(&p->head_lock);
    json_kstr(&j, "results", "results/index.json");
    json_kstr(&j, "status", status);
    if (simulated) json_kstr(&j, "simulated", "SIMULATED");
    if (p->o.note) json_kstr(&j, "note", p->o.note);
    json_object_end(&j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

static err write_all(struct publisher *p, uint64_t size, struct span checkpoint, struct span head,
                     struct fail *f) {
    TRY(add_tiles(p, p->size, size, f));
    for (size_t i = 0; i < p->files.n; i++) {
        struct rendered *r = vec_at(&p->files, i);
        TRY(writer_update(p->writer, r->path, buf_view(&r->bytes), r->unit ? page_says_same : NULL,
                          NULL, f));
    }
    TRY(writer_replace(p->writer, "checkpoint", checkpoint, f));
    TRY(writer_replace(p->writer, "head.json", head, f));
    if (p->o.reached) p->o.reached("rendered");
    TRY(writer_commit(p->writer, f));
    if (p->o.reached) p->o.reached("published");
    return OK;
}

/* What the live watch says of the new results; whatever becomes of it, results are published. */
static void observe(struct publisher *p) {
    struct fail f;
    struct buf *b;
    bool news = false;
    if (!p->o.watching) return;
    for (bool more = true; more;) {
        const struct fold *s = sequencer_fold_lock(p->q);
        more = watching_take(p->o.watching, s);
        sequencer_fold_unlock(p->q);
        news = watching_look(p->o.watching) || news; /* the fold is not held: it may take a while */
    }
    if (!news && p->whole) return;
    if (add_file(p, "watch.json", &b, &f) == OK) watching_render(p->o.watching, b);
}

/* The same checkpoint was published before, perhaps with cosignatures: they stay. */
static void keep_cosigned(struct publisher *p, uint64_t size, struct buf *checkpoint) {
    struct note old, now;
    struct fail ignored;
    pthread_mutex_lock(&p->head_lock);
    if (size == p->checkpoint_size && note_cut(buf_view(&p->checkpoint), &old, &ignored) == OK &&
        note_cut(buf_view(checkpoint), &now, &ignored) == OK && span_eq(old.text, now.text) &&
        span_starts(old.signatures, now.signatures)) {
        buf_clear(checkpoint);
        buf_span(checkpoint, buf_view(&p->checkpoint));
    }
    pthread_mutex_unlock(&p->head_lock);
}

static void tell_watched(struct publisher *p) {
    struct buf news;
    if (!p->o.watching || !p->o.watched) return;
    buf_init(&news, 1 << 16);
    if (watching_news(p->o.watching, &news)) p->o.watched(p->o.ctx, buf_view(&news));
    buf_release(&news);
}

static err tick(struct publisher *p, struct fail *f) {
    struct buf checkpoint, head;
    struct view view = {0};
    uint64_t size = 0, last_ms = 0;
    bool simulated = false;
    const char *status = "provisional, not declared";
    buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
    buf_init(&head, HEAD_MAX);
    buf_init(&view.cosigned, CHECKPOINT_BYTES_MAX);
    const struct fold *s = sequencer_fold_lock(p->q);
    err e = sequencer_checkpoint(p->q, &size, &checkpoint, f);
    bool due = e == OK && size > 0 && (size != p->size || !p->whole || portal_is_pending(p->portal) || witnesses_untold(p));
    if (due && !p->o.no_results) e = render_results(p, s, &view, f);
    last_ms = fold_last_ms(s);
    simulated = fold_definition(s) && fold_definition(s)->simulated;
    status = results_election_status(s);
    sequencer_fold_unlock(p->q);
    if (e == OK && due) e = render_slices(p, &view, f);
    view_release(&view);
    if (e == OK && due) observe(p);
    if (e == OK && due) keep_cosigned(p, size, &checkpoint);
    if (e == OK && due) e = head_json(p, size, last_ms, simulated, status, &head, f);
    if (e == OK && due) e = write_all(p, size, buf_view(&checkpoint), buf_view(&head), f);
    drop_files(p);
    if (e == OK && due) {
        drop_partials(p, p->size, size);
        p->size = size;
        pthread_mutex_lock(&p->head_lock);
        buf_clear(&p->checkpoint);
        buf_span(&p->checkpoint, buf_view(&checkpoint));
        p->checkpoint_size = size;
        p->last_ms = last_ms;
        p->simulated = simulated;
        p->status = status;
        pthread_mutex_unlock(&p->head_lock);
        if (p->o.published) p->o.published(p->o.ctx, size, buf_view(&head));
        tell_watched(p);
    }
    buf_release(&checkpoint);
    buf_release(&head);
    return e;
}

/* *more: pages are left for another tick. */
static err one_tick(struct publisher *p, bool *more, struct fail *f) {
    pthread_mutex_lock(&p->tick_lock);
    err e = tick(p, f);
    *more = e == OK && portal_is_pending(p->portal);
    pthread_mutex_unlock(&p->tick_lock);
    return e;
}

err publisher_tick(struct publisher *p, struct fail *f) {
    bool more = true;
    err e = OK;
    while (e == OK && more) e = one_tick(p, &more, f);
    return e;
}

static err repair_part(struct publisher *p, struct fail *f) {
    pthread_mutex_lock(&p->tick_lock);
    err e = repair_some(&p->repair, REPAIR_TILES, f);
    pthread_mutex_unlock(&p->tick_lock);
    return e;
}

/* --- opening --- */

/* What the tree shows already. A checkpoint that our key signed is as good as the guard: a private
 * folder that was restored from a backup, guard and all, does not contain it. */
static err read_checkpoint(struct publisher *p, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf b, vkey;
    struct fail why = {0};
    struct note_key key;
    struct note note;
    struct checkpoint c;
    struct hash root;
    static _Thread_local struct note_line lines[NOTE_LINES_MAX];
    TRY(path_join(path, sizeof path, p->o.public_dir, "checkpoint", f));
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    buf_init(&vkey, 1024);
    sequencer_log_vkey(p->q, &vkey);
    err e = file_read(path, CHECKPOINT_BYTES_MAX, &b, &why);
    bool there = e != E_NOT_FOUND;
    if (e == OK) e = note_vkey_parse(buf_view(&vkey), &key, &why);
    if (e == OK) e = checkpoint_open(buf_view(&b), &key, &c, &note, lines, NOTE_LINES_MAX, &why);
    if (e != OK) {
        if (there) diag(DIAG_WARN, "%s is not this log's and is made again: %s", path, why.text);
        e = OK;
    } else if (c.size > sequencer_size(p->q)) {
        e = fail_set(f, E_ROLLBACK, "%s was signed for %llu entries, %llu are stored: the private "
                                    "folder is an old copy; restore the newer one",
                     path, (unsigned long long)c.size, (unsigned long long)sequencer_size(p->q));
    } else if ((e = merkle_tree_root_at(sequencer_tree(p->q), c.size, &root, f)) == OK) {
        if (hash_eq(&root, &c.root)) {
            /* the partial tiles of a crash are made again: begin at the last full one */
            p->size = c.size / TILE_WIDTH * TILE_WIDTH;
            buf_span(&p->checkpoint, buf_view(&b));
            p->checkpoint_size = c.size;
        } else {
            e = fail_set(f, E_ROLLBACK, "%s was signed for other entries than those that are stored: "
                                        "the private folder is not the one that belongs to it",
                         path);
        }
    }
    buf_release(&b);
    buf_release(&vkey);
    return e;
}

static void read_witnessed(struct publisher *p) {
    char path[PATH_MAX_LEN];
    struct fail f;
    struct span rest, line;
    if (path_join(path, sizeof path, p->o.public_dir, "witnessed/index", &f) == OK &&
        file_read(path, WITNESSED_MAX, &p->witness_index, &f) == OK)
        for (rest = buf_view(&p->witness_index); span_line(&rest, &line);)
            if (u64_parse(line, UINT64_MAX, &p->last_witnessed, &f) != OK) break;
}

err publisher_open(const struct publisher_options *o, struct sequencer *q, struct publisher **out,
                   struct fail *f) {
    struct publisher *p = calloc(1, sizeof *p);
    if (!p) return fail_set(f, E_MEMORY, "no memory for the publisher");
    p->o = *o;
    p->q = q;
    if (!p->o.interval_ms) p->o.interval_ms = 1000;
    p->pages_due = o->no_results ? 0 : 1;
    p->budget.cap = (size_t)1 << 30;
    vec_init(&p->files, &p->budget, sizeof(struct rendered), 8);
    key_files_init(&p->keys);
    vec_init(&p->touched, &p->budget, sizeof(struct touched), 12);
    vec_init(&p->fingerprints, &p->budget, sizeof(uint64_t), 12);
    vec_init(&p->unit_prints, &p->budget, sizeof(uint64_t), 12);
    vec_init(&p->stamps, &p->budget, sizeof(uint64_t), 4);
    buf_init(&p->checkpoint, CHECKPOINT_BYTES_MAX);
    buf_init(&p->witnessed, CHECKPOINT_BYTES_MAX);
    buf_init(&p->witness_index, WITNESSED_MAX);
    pthread_mutex_init(&p->tick_lock, NULL);
    pthread_mutex_init(&p->head_lock, NULL);
    pthread_mutex_init(&p->wake_lock, NULL);
    pthread_cond_init(&p->wake_cond, NULL);
    err e = writer_open(o->public_dir, &p->writer, f);
    if (e == OK) e = portal_new(p->o.portal_dir, p->o.public_dir, &p->portal, f);
    if (e == OK) e = sequencer_reader(q, &p->reader, f);
    if (e != OK) {
        publisher_close(p);
        return e;
    }
    e = read_checkpoint(p, f);
    if (e != OK) {
        publisher_close(p);
        return e;
    }
    read_witnessed(p);
    p->repair = (struct repair){.public_dir = o->public_dir, .writer = p->writer,
                                .reader = p->reader, .tree = sequencer_tree(q)};
    repair_begin(&p->repair, p->size);
    struct buf vkey;
    buf_init(&vkey, 1024);
    sequencer_log_vkey(q, &vkey);
    buf_byte(&vkey, '\n');
    e = writer_replace(p->writer, "log.vkey", buf_view(&vkey), f);
    if (e == OK) e = writer_commit(p->writer, f);
    buf_release(&vkey);
    if (e != OK) {
        publisher_close(p);
        return e;
    }
    *out = p;
    return OK;
}

/* After a tick: it takes a fifth of a processor, unless that would let readers wait for more than REST_MAX_MS
 * (ticks of more than 1.25 s, as after a start). Its own processor time counts: on a busy machine ticks are
 * slow without being dear. */
static uint64_t rest_after(const struct publisher *p, uint64_t cpu_ms) {
    uint64_t rest = cpu_ms * 4 < REST_MAX_MS ? cpu_ms * 4 : REST_MAX_MS;
    return rest > p->o.interval_ms ? rest : p->o.interval_ms;
}

static uint64_t thread_cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* True when publishing cannot go on. */
static bool has_failed(struct publisher *p, err e, const struct fail *f) {
    if (e == OK) return false;
    diag(DIAG_ERROR, "publishing: %s", f->text);
    if (p->o.failed) p->o.failed(p->o.ctx, f);
    return true;
}

/* Until `rest` ms have passed or the end has come; wake_lock is held. */
static void wait_ms(struct publisher *p, uint64_t rest) {
    uint64_t until = clock_monotonic_ms() + rest;
    while (!p->stopping && wait_until(&p->wake_cond, &p->wake_lock, until)) continue;
}

static void *run(void *arg) {
    struct publisher *p = arg;
    pthread_mutex_lock(&p->wake_lock);
    for (bool last = false; !last;) {
        while (!p->due && !p->stopping && p->repair.done)
            pthread_cond_wait(&p->wake_cond, &p->wake_lock);
        last = p->stopping;
        bool due = p->due || last;
        p->due = false;
        pthread_mutex_unlock(&p->wake_lock);
        struct fail f = {0};
        uint64_t from = thread_cpu_ms();
        bool more = false;
        err e = !due ? OK : last ? publisher_tick(p, &f) : one_tick(p, &more, &f);
        uint64_t rest = rest_after(p, thread_cpu_ms() - from);
        if (e == OK && !last) e = repair_part(p, &f);
        bool failed = has_failed(p, e, &f);
        pthread_mutex_lock(&p->wake_lock);
        if (failed) break;
        p->due = p->due || more;
        if (due) wait_ms(p, rest);
    }
    pthread_mutex_unlock(&p->wake_lock);
    return NULL;
}

err publisher_start(struct publisher *p, struct fail *f) {
    if (pthread_create(&p->thread, NULL, run, p))
        return fail_set(f, E_MEMORY, "no thread for the publisher");
    pthread_mutex_lock(&p->wake_lock);
    p->running = true;
    p->due = true;
    pthread_cond_signal(&p->wake_cond);
    pthread_mutex_unlock(&p->wake_lock);
    return OK;
}

void publisher_wake(struct publisher *p) {
    pthread_mutex_lock(&p->wake_lock);
    if (!p->due) {
        p->due = true;
        pthread_cond_signal(&p->wake_cond);
    }
    pthread_mutex_unlock(&p->wake_lock);
}

void publisher_stop(struct publisher *p) {
    pthread_mutex_lock(&p->wake_lock);
    bool running = p->running;
    p->stopping = true;
    p->running = false;
    pthread_cond_broadcast(&p->wake_cond);
    pthread_mutex_unlock(&p->wake_lock);
    if (running) pthread_join(p->thread, NULL);
}

void publisher_close(struct publisher *p) {
    if (!p) return;
    publisher_stop(p);
    drop_files(p);
    vec_release(&p->files);
    key_files_release(&p->keys);
    vec_release(&p->touched);
    vec_release(&p->fingerprints);
    vec_release(&p->unit_prints);
    vec_release(&p->stamps);
    buf_release(&p->checkpoint);
    buf_release(&p->witnessed);
    buf_release(&p->witness_index);
    portal_free(p->portal);
    writer_close(p->writer);
    store_reader_close(p->reader);
    pthread_mutex_destroy(&p->tick_lock);
    pthread_mutex_destroy(&p->head_lock);
    pthread_mutex_destroy(&p->wake_lock);
    pthread_cond_destroy(&p->wake_cond);
    free(p);
}

size_t publisher_pages_due(const struct publisher *p) {
    return p->pages_due;
}

err publisher_checkpoint(struct publisher *p, uint64_t *size, struct buf *out, struct fail *f) {
    pthread_mutex_lock(&p->head_lock);
    *size = p->checkpoint_size;
    buf_span(out, buf_view(&p->checkpoint));
    pthread_mutex_unlock(&p->head_lock);
    return buf_ok(out, f);
}

err publisher_witnessed(struct publisher *p, uint64_t *size, struct buf *out, struct fail *f) {
    pthread_mutex_lock(&p->head_lock);
    *size = p->witnessed_size;
    buf_span(out, buf_view(&p->witnessed));
    pthread_mutex_unlock(&p->head_lock);
    return buf_ok(out, f);
}

/* head.json once more, with tick_lock held: `witnessed` has grown. */
static err put_head(struct publisher *p, struct buf *head, struct fail *f) {
    TRY(head_json(p, p->checkpoint_size, p->last_ms, p->simulated, p->status ? p->status : "provisional, not declared",
                  head, f));
    return writer_replace(p->writer, "head.json", buf_view(head), f);
}

/* With tick_lock held. *newest: it is the published checkpoint. */
static err put_note(struct publisher *p, uint64_t size, struct span note, bool *newest,
                    struct fail *f) {
    char path[64];
    (void)snprintf(path, sizeof path, "witnessed/%llu", (unsigned long long)size);
    TRY(writer_replace(p->writer, path, note, f));
    if (size > p->last_witnessed) { /* verify reads the list: folders on the web have none */
        buf_u64(&p->witness_index, size);
        buf_byte(&p->witness_index, '\n');
        p->last_witnessed = size;
        TRY(buf_ok(&p->witness_index, f));
        TRY(writer_replace(p->writer, "witnessed/index", buf_view(&p->witness_index), f));
    }
    pthread_mutex_lock(&p->head_lock);
    *newest = size == p->checkpoint_size;
    if (*newest) {
        buf_clear(&p->checkpoint);
        buf_span(&p->checkpoint, note);
    }
    pthread_mutex_unlock(&p->head_lock);
    return *newest ? writer_replace(p->writer, "checkpoint", note, f) : OK;
}

/* `note` empty: nothing but the quorum is new. */
static err cosigned(struct publisher *p, uint64_t size, struct span note, bool quorum,
                    struct fail *f) {
    struct buf head;
    buf_init(&head, HEAD_MAX);
    pthread_mutex_lock(&p->tick_lock);
    bool newest = size == p->checkpoint_size; /* it changes under this lock only */
    err e = note.n ? put_note(p, size, note, &newest, f) : OK;
    pthread_mutex_lock(&p->head_lock);
    bool more = quorum && size > p->witnessed_size && (note.n || newest);
    if (more) { /* receipts are made under this one: it is kept whole */
        p->witnessed_size = size;
        buf_clear(&p->witnessed);
        buf_span(&p->witnessed, note.n ? note : buf_view(&p->checkpoint));
    }
    pthread_mutex_unlock(&p->head_lock);
    bool told = e == OK && more && newest && p->last_ms;
    if (told) e = put_head(p, &head, f);
    if (e == OK) e = writer_commit(p->writer, f);
    pthread_mutex_unlock(&p->tick_lock);
    if (e == OK && told && p->o.published) p->o.published(p->o.ctx, size, buf_view(&head));
    if (e == OK && more) publisher_wake(p);
    buf_release(&head);
    if (e != OK && p->o.failed) p->o.failed(p->o.ctx, f);
    return e;
}

err publisher_cosigned(struct publisher *p, uint64_t size, struct span note, bool quorum,
                       struct fail *f) {
    return cosigned(p, size, note, quorum, f);
}

err publisher_quorum(struct publisher *p, uint64_t size, struct fail *f) {
    return cosigned(p, size, (struct span){0}, true, f);
}
