/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "service/bundle_impl.h"
#include "service/court_table.h"

enum { FILE_MAX = 1 << 30, MANIFEST_MAX = 1 << 30, ORDER_ITEMS_MAX = 1000, ORDER_MAX = 1 << 20 };

static const struct bundle_item items[] = {
#define BUNDLE_ITEM(code, asked, file, answer) {code, asked, file, answer},
#include "service/bundle_items.def"
#undef BUNDLE_ITEM
};

size_t bundle_item_count(void) {
    return sizeof items / sizeof *items;
}

const struct bundle_item *bundle_item(size_t i) {
    return &items[i];
}

static const struct bundle_item *item_named(struct span code) {
    for (size_t i = 0; i < bundle_item_count(); i++)
        if (span_is(code, items[i].code)) return &items[i];
    return NULL;
}

/* --- the order --- */

static struct span trimmed(struct span s) {
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = span_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r')) s.n--;
    return s;
}

err bundle_order_parse(struct span text, struct arena *a, struct bundle_order *out, struct fail *f) {
    struct span line;
    *out = (struct bundle_order){.items = arena_array(a, ORDER_ITEMS_MAX, sizeof *out->items)};
    if (!out->items) return fail_set(f, E_MEMORY, "no memory for the order");
    if (text.n > ORDER_MAX) return fail_set(f, E_CONFIG, "an order of more than %d bytes", ORDER_MAX);
    if (!utf8_valid(text)) return fail_set(f, E_CONFIG, "the order is not UTF-8 text");
    for (unsigned number = 1; text.n; number++) {
        if (!span_line(&text, &line)) {
            line = text;
            text.n = 0;
        }
        line = trimmed(line);
        if (line.n == 0) continue;
        if (line.p[0] == '#') {
            if (out->title.n == 0) out->title = trimmed(span_from(line, 1));
            continue;
        }
        if (out->n == ORDER_ITEMS_MAX)
            return fail_set(f, E_CONFIG, "line %u: more than %d items", number, ORDER_ITEMS_MAX);
        struct bundle_asked *x = &out->items[out->n++];
        *x = (struct bundle_asked){.code = SPAN_LIT("other"), .text = line};
        const uint8_t *colon = memchr(line.p, ':', line.n);
        struct span head = trimmed(span_of(line.p, colon ? (size_t)(colon - line.p) : line.n));
        if (item_named(head)) { /* words that happen to hold a colon stay words */
            x->code = head;
            x->text = colon ? trimmed(span_from(line, (size_t)(colon - line.p) + 1)) : (struct span){0};
            if (x->text.n == 0) x->text = span_text(item_named(head)->asked);
        }
    }
    if (out->n == 0) return fail_set(f, E_CONFIG, "the order asks for nothing: one line an item");
    return OK;
}

/* --- files --- */

struct making {
    const struct bundle_options *o;
    struct bundle_report *report;
    struct fail *f;
};

static err put(struct making *m, const char *name, struct span bytes) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, m->o->out, name, m->f));
    TRY(file_mkdirs_for(path, m->f));
    TRY(file_write_atomic(path, bytes, m->f));
    return OK;
}

static err copy_file(struct making *m, const char *from, const char *to) {
    struct span bytes;
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, m->o->out, to, m->f));
    TRY(file_mkdirs_for(path, m->f));
    TRY(file_map(from, &bytes, m->f));
    err e = file_write_atomic(path, bytes, m->f);
    file_unmap(bytes);
    return e;
}

static int by_name(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Calls each(path below dir) for every plain file below dir, sorted; links are not followed. */
static err walk(const char *dir, err (*each)(void *ctx, const char *full, const char *below), void *ctx,
                struct fail *f) {
    char *roots[] = {(char *)(uintptr_t)dir, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (!fts) return file_error(f, errno, "reading the folder", dir);
    size_t skip = strlen(dir);
    err e = OK;
    for (FTSENT *x; e == OK && (errno = 0, x = fts_read(fts)) != NULL;) {
        if (x->fts_info == FTS_F)
            e = each(ctx, x->fts_path, x->fts_path + skip + (x->fts_path[skip] == '/' ? 1 : 0));
        else if (x->fts_info == FTS_DNR || x->fts_info == FTS_ERR || x->fts_info == FTS_NS)
            e = file_error(f, x->fts_errno, "reading", x->fts_path);
        else if (x->fts_info == FTS_SL || x->fts_info == FTS_SLNONE || x->fts_info == FTS_DEFAULT)
            e = fail_set(f, E_IO, "%s is no plain file: a bundle holds files only", x->fts_path);
    }
    if (e == OK && errno) e = file_error(f, errno, "reading the folder", dir);
    (void)fts_close(fts);
    return e;
}

struct copying {
    struct making *m;
    const char *to;
};

static err copy_one(void *ctx, const char *full, const char *below) {
    struct copying *c = ctx;
    char name[PATH_MAX_LEN];
    TRY(path_join(name, sizeof name, c->to, below, c->m->f));
    if (c->m->o->progress && ++c->m->report->files % 64 == 0)
        c->m->o->progress(c->m->o->ctx, c->m->report->files, 0);
    return copy_file(c->m, full, name);
}

static err copy_tree(struct making *m, const char *from, const char *to) {
    struct copying c = {m, to};
    return walk(from, copy_one, &c, m->f);
}

static err must_be_empty(const char *dir, struct fail *f) {
    DIR *d = opendir(dir);
    if (!d) return errno == ENOENT ? OK : file_error(f, errno, "opening", dir);
    err e = OK;
    for (struct dirent *x; e == OK && (x = readdir(d)) != NULL;)
        if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
            e = fail_set(f, E_EXISTS, "%s holds something already: name a new folder", dir);
    (void)closedir(d);
    return e;
}

/* --- the manifest of files --- */

struct listing {
    struct buf out;
    uint64_t files, bytes;
    struct fail *f;
};

static err list_one(void *ctx, const char *full, const char *below) {
    struct listing *l = ctx;
    struct span bytes;
    if (strcmp(below, "MANIFEST") == 0) return OK;
    if (strchr(below, '\n')) return fail_set(l->f, E_IO, "a file name with a line end in it");
    TRY(file_map(full, &bytes, l->f));
    struct hash h = sha256(bytes);
    l->files++;
    l->bytes += bytes.n;
    file_unmap(bytes);
    buf_hex(&l->out, hash_span(&h));
    buf_printf(&l->out, "  %s\n", below);
    return buf_ok(&l->out, l->f);
}

static err list_files(const char *dir, struct listing *l, struct fail *f) {
    buf_init(&l->out, MANIFEST_MAX);
    l->files = l->bytes = 0;
    l->f = f;
    return walk(dir, list_one, l, f);
}

bool bundle_is(const char *dir) {
    char path[PATH_MAX_LEN];
    return path_join(path, sizeof path, dir, "bundle.json", NULL) == OK && file_exists(path) &&
           path_join(path, sizeof path, dir, "MANIFEST", NULL) == OK && file_exists(path);
}

/* The first line in which the two lists differ says which file. */
static err lists_differ(struct span said, struct span found, struct fail *f) {
    struct span a, b;
    for (;;) {
        bool x = span_line(&said, &a), y = span_line(&found, &b);
        if (x && y && span_eq(a, b)) continue;
        struct span name_a = x ? span_from(a, 66) : (struct span){0};
        struct span name_b = y ? span_from(b, 66) : (struct span){0};
        if (x && y && span_eq(name_a, name_b))
            return fail_set(f, E_OBJECT, "%.*s is not the file that MANIFEST names", SPAN_ARG(name_a));
        if (x && (!y || span_cmp(name_a, name_b) < 0))
            return fail_set(f, E_NOT_FOUND, "%.*s is named by MANIFEST and not there", SPAN_ARG(name_a));
        return fail_set(f, E_OBJECT, "%.*s is there and MANIFEST does not name it", SPAN_ARG(name_b));
    }
}

err bundle_check(const char *dir, uint64_t *files, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct listing l;
    struct buf said;
    buf_init(&said, MANIFEST_MAX);
    err e = path_join(path, sizeof path, dir, "MANIFEST", f);
    if (e == OK) e = file_read(path, MANIFEST_MAX, &said, f);
    if (e == OK) {
        e = list_files(dir, &l, f);
        if (e == OK && !span_eq(buf_view(&said), buf_view(&l.out)))
            e = lists_differ(buf_view(&said), buf_view(&l.out), f);
        *files = l.files;
        buf_release(&l.out);
    }
    buf_release(&said);
    return e;
}

/* --- answers --- */

static bool in_bundle(const struct bundle_options *o, const char *file) {
    char path[PATH_MAX_LEN];
    return path_join(path, sizeof path, o->out, file, NULL) == OK && access(path, F_OK) == 0;
}

static void base_name(const char *path, char *out, size_t max) {
    const char *slash = strrchr(path, '/');
    (void)snprintf(out, max, "%s", slash ? slash + 1 : path);
}

static void answer(const struct bundle_options *o, const struct bundle_tables *t,
                   const struct bundle_item *item, struct span text, struct bundle_answer *x) {
    buf_init(&x->words, 65536);
    x->asked = text;
    x->code = item ? span_text(item->code) : SPAN_LIT("other");
    bool made = item && item->file &&
                (strncmp(item->file, "restricted", 10) == 0 ? o->restricted != NULL : true);
    if (made) {
        (void)snprintf(x->file, sizeof x->file, "%s", item->file);
        x->has_rows = strncmp(item->file, "tables/", 7) == 0;
        x->rows = bundle_tables_rows(t, item->file);
    }
    for (size_t i = 0; i < o->added_count; i++) {
        char name[160];
        if (!span_eq(o->added[i].code, x->code)) continue;
        base_name(o->added[i].file, name, sizeof name);
        if (x->file[0] == 0) (void)snprintf(x->file, sizeof x->file, "added/%s", name);
        buf_printf(&x->words, "added by the commission: added/%s. ", name);
    }
    if (!item)
        buf_str(&x->words, x->file[0] ? "" : "absent: this is not kept by this system; the commission answers it");
    else if (x->file[0] == 0 && item->file)
        buf_str(&x->words, "absent: whoever made this bundle did not have the originals, or the order does not cover them");
    else if (x->file[0] == 0)
        buf_printf(&x->words, "absent: %s", item->answer);
    else
        buf_str(&x->words, item->answer);
    if (x->has_rows && x->rows == 0) buf_str(&x->words, ". The log holds no such record");
}

static err answer_all(struct making *m, const struct bundle_tables *t, struct bundle_page *p) {
    const struct bundle_options *o = m->o;
    p->n = o->order ? o->order->n : bundle_item_count();
    p->answers = calloc(p->n, sizeof *p->answers);
    if (!p->answers) return fail_set(m->f, E_MEMORY, "no memory for the answers");
    for (size_t i = 0; i < p->n; i++) {
        const struct bundle_item *item = o->order ? item_named(o->order->items[i].code) : &items[i];
        struct span text = o->order ? o->order->items[i].text : span_text(items[i].asked);
        answer(o, t, item, text, &p->answers[i]);
        *(p->answers[i].file[0] ? &m->report->present : &m->report->absent) += 1;
        TRY(buf_ok(&p->answers[i].words, m->f));
    }
    return OK;
}

/* --- putting it together --- */

/* court/CONTEST-ROUND.csv: what is for the court alone. */
static err write_court(struct making *m, const struct fold *fold, struct buf *b) {
    struct arena a;
    struct findings fi;
    arena_init(&a, (size_t)4 << 30);
    err e = findings_compute(fold, &a, &fi, m->f);
    for (uint32_t k = 0; k < fold_contest_count(fold) && e == OK; k++) {
        const struct contest *c = fold_contest(fold, k);
        char name[120];
        buf_clear(b);
        (void)snprintf(name, sizeof name, "court/%.*s-%u.csv", SPAN_ARG(c->id), c->round);
        e = court_table(fold, &fi, k, c->round, &a, b, m->f);
        if (e == OK) e = buf_ok(b, m->f);
        if (e == OK) e = put(m, name, buf_view(b));
    }
    arena_release(&a);
    return e;
}

static err write_software(struct making *m, const struct fold *fold, struct buf *b) {
    buf_clear(b);
    buf_printf(b, "This bundle was made and verified by hesabu %s\nSHA-256 over its sources: %s\n",
               m->o->version, m->o->source);
    const struct definition *d = fold_definition(fold);
    buf_printf(b, "\nElection: %.*s\nLog: %.*s\nLog key: %.*s\n", SPAN_ARG(d->title), SPAN_ARG(d->origin),
               (int)d->log_vkey.n, (const char *)d->log_vkey.p);
    buf_str(b, "\nHashes that the manifest fixed stand in the first entry of the log (field \"software\").\n");
    return put(m, "software.txt", buf_view(b));
}

static void summary_json(const struct bundle_page *p, struct buf *b) {
    struct json_out j = json_out(b);
    struct hash election;
    json_object(&j);
    json_kstr(&j, "format", "hesabu/bundle/v1");
    if (fold_election(p->log->fold, &election)) json_khex(&j, "election", hash_span(&election));
    json_kspan(&j, "origin", fold_definition(p->log->fold)->origin);
    json_ku64(&j, "size", p->log->size);
    json_khex(&j, "root", hash_span(&p->log->root));
    json_kstr(&j, "trust", p->log->anchored ? "anchored" : "self-declared");
    json_ku64(&j, "signatures_verified", p->log->signatures);
    json_ku64(&j, "made_ms", p->o->made_ms);
    json_kstr(&j, "version", p->o->version);
    json_kstr(&j, "source", p->o->source);
    if (fold_definition(p->log->fold)->simulated) json_kstr(&j, "simulated", "SIMULATED");
    json_key(&j, "items");
    json_array(&j);
    for (size_t i = 0; i < p->n; i++) {
        const struct bundle_answer *x = &p->answers[i];
        json_object(&j);
        json_kspan(&j, "item", x->code);
        json_kspan(&j, "asked", x->asked);
        json_kbool(&j, "present", x->file[0] != 0);
        if (x->file[0]) json_kstr(&j, "file", x->file);
        if (x->has_rows) json_ku64(&j, "rows", x->rows);
        json_kspan(&j, "answer", buf_view(&x->words));
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
}

static err write_pages(struct making *m, struct bundle_page *p, struct buf *b) {
    static const struct {
        const char *name;
        err (*make)(const struct bundle_page *p, struct buf *out, struct fail *f);
    } pages[] = {{"index.html", bundle_html}, {"certificate.html", bundle_certificate},
                 {"index.pdf", bundle_pdf}};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        buf_clear(b);
        TRY(pages[i].make(p, b, m->f));
        TRY(buf_ok(b, m->f));
        TRY(put(m, pages[i].name, buf_view(b)));
    }
    buf_clear(b);
    summary_json(p, b);
    TRY(buf_ok(b, m->f));
    return put(m, "bundle.json", buf_view(b));
}

static err write_all(struct making *m, struct bundle_tables *t, struct bundle_page *p, struct buf *b) {
    const struct bundle_options *o = m->o;
    TRY(copy_tree(m, o->tree, "public"));
    if (o->restricted) TRY(copy_tree(m, o->restricted, "restricted"));
    if (o->restricted && !in_bundle(o, "restricted"))
        return fail_set(m->f, E_NOT_FOUND, "%s holds no originals", o->restricted);
    for (size_t i = 0; i < o->added_count; i++) {
        char name[160], to[200];
        base_name(o->added[i].file, name, sizeof name);
        (void)snprintf(to, sizeof to, "added/%s", name);
        if (in_bundle(o, to))
            return fail_set(m->f, E_EXISTS, "two added files are named %s", name);
        TRY(copy_file(m, o->added[i].file, to));
    }
    TRY(bundle_tables_finish(t, p->log->fold, m->f));
    for (size_t i = 0; i < bundle_tables_count(t); i++) {
        char name[64];
        const struct bundle_table *x = bundle_tables_at(t, i);
        (void)snprintf(name, sizeof name, "tables/%s.csv", x->name);
        TRY(put(m, name, buf_view(&x->out)));
    }
    TRY(write_court(m, p->log->fold, b));
    TRY(write_software(m, p->log->fold, b));
    TRY(answer_all(m, t, p));
    TRY(write_pages(m, p, b));
    struct listing l;
    err e = list_files(o->out, &l, m->f);
    if (e == OK) e = put(m, "MANIFEST", buf_view(&l.out));
    m->report->files = l.files;
    m->report->bytes = l.bytes;
    buf_release(&l.out);
    return e;
}

err bundle_make(const struct bundle_options *o, struct bundle_report *out, struct fail *f) {
    *out = (struct bundle_report){0};
    struct making m = {o, out, f};
    struct tree_source source = tree_source_dir(o->tree);
    struct bundle_tables *t;
    struct tree_log log = {0};
    struct buf b;
    TRY(must_be_empty(o->out, f));
    TRY(bundle_tables_new(&t, f));
    struct tree_log_options lo = {.anchor = o->anchor, .check_signatures = true, .what = "bundle",
                                  .visit = bundle_tables_visit, .ctx = t, .progress = o->progress,
                                  .progress_ctx = o->ctx};
    buf_init(&b, FILE_MAX);
    err e = tree_log_replay(&source, &lo, &log, f);
    struct bundle_page p = {.o = o, .log = &log, .report = out};
    if (o->order) p.order_title = o->order->title;
    out->records = log.size;
    out->signatures = log.signatures;
    out->anchored = log.anchored;
    if (e == OK) e = write_all(&m, t, &p, &b);
    for (size_t i = 0; p.answers && i < p.n; i++) buf_release(&p.answers[i].words);
    free(p.answers);
    tree_log_release(&log);
    bundle_tables_free(t);
    buf_release(&b);
    return e;
}
