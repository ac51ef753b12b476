/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a mirror writes beside tiles and entries: results, anchor, checkpoints with their
 * cosignatures, evidence. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "election/anchor.h"
#include "election/definition.h"
#include "election/results.h"
#include "service/key_files.h"
#include "service/mirror_impl.h"
#include "service/portal.h"
#include "service/portal_data.h"

enum { FILE_MAX = 256 << 20 };

static const char note_text[] = "A mirror: a copy of the log, verified entry by entry; results computed "
                                "here from the copied records.";

/* --- cosignatures --- */

err mirror_use_policy(struct mirror *m, struct span text, struct fail *f) {
    struct span copy = arena_copy(&m->arena, text);
    if (!copy.p) return fail_set(f, E_MEMORY, "no memory for the witness policy");
    TRY(policy_parse(copy, &m->arena, &m->policy, f));
    m->has_policy = true;
    return OK;
}

static bool counts(struct mirror *m, const struct checkpoint *c, const struct note_line *line) {
    struct cosignature one;
    for (size_t i = 0; i < m->policy.witness_count; i++)
        if (cosignatures_collect(c->body, line, 1, &m->policy.witnesses[i].key, 1, &one, NULL) == OK &&
            one.present)
            return true;
    return false;
}

/* The log's line and those of the policy's witnesses that hold (without a policy: all lines, for
 * whoever has one). *cosigned gets their number. */
static err filter_note(struct mirror *m, struct span bytes, struct buf *out, size_t *cosigned,
                       bool *quorum, struct fail *f) {
    struct note note;
    struct checkpoint c;
    struct note_line lines[NOTE_LINES_MAX];
    bool by[POLICY_WITNESSES_MAX] = {0};
    *cosigned = 0;
    TRY(checkpoint_open(bytes, &m->o.log, &c, &note, lines, NOTE_LINES_MAX, f));
    buf_span(out, c.body);
    buf_byte(out, '\n');
    for (size_t i = 0; i < note.count; i++) {
        bool log = note_line_is_by(&lines[i], &m->o.log);
        if (!log && m->has_policy && !counts(m, &c, &lines[i])) continue;
        for (size_t w = 0; w < m->policy.witness_count; w++)
            by[w] = by[w] || note_line_is_by(&lines[i], &m->policy.witnesses[w].key);
        buf_span(out, lines[i].line);
        buf_byte(out, '\n');
    }
    for (size_t w = 0; w < m->policy.witness_count; w++) *cosigned += by[w];
    *quorum = m->has_policy && policy_is_met(&m->policy, by);
    return buf_ok(out, f);
}

/* Stages checkpoint and witnessed/SIZE when they say more than what is there. */
static err put_checkpoint(struct mirror *m, bool newer, struct mirror_report *out, bool *changed,
                          struct fail *f) {
    struct buf note;
    size_t had = 0, now = 0;
    bool quorum_had, quorum;
    char path[64];
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    err e = OK;
    *changed = newer;
    if (!newer) {
        e = filter_note(m, buf_view(&m->note), &note, &had, &quorum_had, f);
        buf_clear(&note);
    }
    if (e == OK) e = filter_note(m, buf_view(&m->seen), &note, &now, &quorum, f);
    if (e == OK && !newer) *changed = m->has_policy ? now > had : note.n > m->note.n;
    if (e == OK && *changed) {
        e = writer_replace(m->writer, "checkpoint", buf_view(&note), f);
        buf_clear(&m->note);
        buf_span(&m->note, buf_view(&note));
    } else if (e == OK) {
        now = had;
        quorum = quorum_had;
    }
    struct checkpoint c;
    struct note cut;
    if (e == OK) e = note_cut(buf_view(&m->note), &cut, f);
    if (e == OK) e = checkpoint_parse(cut.text, &c, f);
    if (e == OK && *changed && (now || !m->has_policy)) {
        (void)snprintf(path, sizeof path, "witnessed/%llu", (unsigned long long)c.size);
        e = writer_replace(m->writer, path, buf_view(&m->note), f);
    }
    if (e == OK) {
        out->has_policy = m->has_policy;
        out->witnesses = m->policy.witness_count;
        out->cosigned = now;
        out->quorum = quorum;
    }
    buf_release(&note);
    return e;
}

/* The server's copy of the checkpoint that was there before the new one, with the cosignatures that
 * came in the meantime. Nice to have: whatever goes wrong is passed over. */
static err take_witnessed(struct mirror *m, uint64_t size, const struct hash *root,
                          struct fail *f) {
    struct buf got, note;
    char path[64];
    size_t n;
    bool quorum;
    struct note cut;
    struct checkpoint c;
    struct fail ignored;
    err e = OK;
    buf_init(&got, CHECKPOINT_BYTES_MAX);
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    (void)snprintf(path, sizeof path, "witnessed/%llu", (unsigned long long)size);
    if (size && mirror_get(m, path, CHECKPOINT_BYTES_MAX, &got, &ignored) == OK &&
        filter_note(m, buf_view(&got), &note, &n, &quorum, &ignored) == OK &&
        note_cut(buf_view(&note), &cut, &ignored) == OK &&
        checkpoint_parse(cut.text, &c, &ignored) == OK && c.size == size && hash_eq(&c.root, root) &&
        (n || !m->has_policy))
        e = writer_replace(m->writer, path, buf_view(&note), f);
    buf_release(&got);
    buf_release(&note);
    return e;
}

/* --- results --- */

static err put_if_new(struct mirror *m, const char *path, struct span bytes, struct fail *f) {
    return writer_update(m->writer, path, bytes, NULL, NULL, f);
}

static err put_tally(struct mirror *m, struct results *r, const struct tally *t, struct buf *b,
                     struct fail *f) {
    char path[RESULTS_PATH_MAX];
    for (size_t i = 0; i < t->n; i++) {
        if (!results_has_file(m->fold, t, i)) continue;
        results_unit_path(m->fold, t->contest, t->round, t->rows[i].unit, path);
        buf_clear(b);
        TRY(results_unit(m->fold, t, &r->findings, i, b, f));
        TRY(put_if_new(m, path, buf_view(b), f));
    }
    results_findings_path(m->fold, t->contest, t->round, path);
    buf_clear(b);
    TRY(results_findings(m->fold, t, &r->findings, b, f));
    TRY(put_if_new(m, path, buf_view(b), f));
    results_gate_path(m->fold, t->contest, t->round, path);
    buf_clear(b);
    TRY(results_gate(m->fold, t, &r->findings, b, f));
    return put_if_new(m, path, buf_view(b), f);
}

/* The server's overview of the same size must be these bytes. */
static void compare_index(struct mirror *m, struct span own, struct mirror_report *out) {
    struct buf b;
    struct fail ignored;
    char size[48];
    buf_init(&b, FILE_MAX);
    int n = snprintf(size, sizeof size, "\"size\":%llu,", (unsigned long long)fold_size(m->fold));
    if (mirror_get(m, "results/index.json", FILE_MAX, &b, &ignored) == OK && b.n &&
        memmem(b.p, b.n, size, (size_t)n))
        out->results_differ = !span_eq(buf_view(&b), own);
    buf_release(&b);
}

static err put_anchor(struct mirror *m, struct buf *b, struct fail *f) {
    const struct definition *d = fold_definition(m->fold);
    struct hash manifest = {0};
    (void)fold_election(m->fold, &manifest);
    buf_clear(b);
    anchor_format(d->origin, d->log_vkey, &manifest, d->policy, b);
    TRY(buf_ok(b, f));
    TRY(put_if_new(m, "anchor", buf_view(b), f));
    buf_clear(b);
    note_vkey_format(&m->o.log, b);
    buf_byte(b, '\n');
    TRY(buf_ok(b, f));
    TRY(put_if_new(m, "log.vkey", buf_view(b), f));
    struct fail ignored; /* a policy that cannot be read is the manifest's fault, not the copy's */
    if (!m->has_policy && d->policy.n && mirror_use_policy(m, d->policy, &ignored) != OK)
        m->policy = (struct policy){0};
    return OK;
}

/* Pages go from one buffer to the next: what was written to it last is put when the next is asked for. */
struct pages {
    struct mirror *m;
    char path[PAGE_PATH_MAX];
    bool unit;
    struct buf b;
};

static err put_page(struct pages *p, struct fail *f) {
    err e = p->path[0] ? writer_update(p->m->writer, p->path, buf_view(&p->b),
                                       p->unit ? page_says_same : NULL, NULL, f)
                       : OK;
    buf_clear(&p->b);
    p->path[0] = 0;
    return e;
}

static err next_page(void *ctx, const char *path, bool unit, struct buf **bytes, struct fail *f) {
    struct pages *p = ctx;
    TRY(put_page(p, f));
    (void)snprintf(p->path, sizeof p->path, "%s", path);
    p->unit = unit;
    *bytes = &p->b;
    return OK;
}

static err put_pages(struct mirror *m, const struct results *r, struct fail *f) {
    struct page_site site = {.fold = m->fold, .results = r, .size = fold_size(m->fold), .last_ms = fold_last_ms(m->fold), .note = note_text, .style = portal_style,
                             .script = portal_script, .cosigned = buf_view(&m->note)};
    struct pages pages = {.m = m};
    struct portal_sink sink = {next_page, &pages};
    struct portal *portal;
    TRY(portal_new(m->o.portal_dir, m->o.dir, &portal, f));
    buf_init(&pages.b, FILE_MAX);
    err e = portal_begin(portal, r, true, f);
    if (e == OK) e = portal_render(portal, &site, SIZE_MAX, &sink, f);
    if (e == OK && m->o.portal_dir) e = portal_files(m->o.portal_dir, &sink, f);
    struct key_files keys;
    key_files_init(&keys);
    if (e == OK) e = key_files_render(&keys, m->fold, true, &sink, f);
    if (e == OK) e = put_page(&pages, f);
    key_files_release(&keys);
    buf_release(&pages.b);
    portal_free(portal);
    return e;
}

static err put_results(struct mirror *m, struct mirror_report *out, struct fail *f) {
    struct results r;
    struct buf b;
    if (!fold_definition(m->fold)) return OK;
    buf_init(&b, FILE_MAX);
    err e = put_anchor(m, &b, f);
    if (e == OK) e = results_compute(m->fold, &r, f);
    if (e != OK) {
        buf_release(&b);
        return e;
    }
    for (size_t i = 0; i < r.n && e == OK; i++) e = put_tally(m, &r, &r.tallies[i], &b, f);
    buf_clear(&b);
    if (e == OK) e = results_index(m->fold, r.tallies, r.n, &r.findings, &b, f);
    if (e == OK) e = put_if_new(m, "results/index.json", buf_view(&b), f);
    if (e == OK) compare_index(m, buf_view(&b), out);
    for (size_t i = 0; i < results_file_count && e == OK; i++) {
        buf_clear(&b);
        e = results_files[i].render(m->fold, &r, &b, f);
        if (e == OK) e = put_if_new(m, results_files[i].path, buf_view(&b), f);
    }
    buf_clear(&b);
    if (e == OK) e = put_pages(m, &r, f);
    results_release(&r);
    buf_release(&b);
    return e;
}

static err put_head(struct mirror *m, const struct checkpoint *c, const struct mirror_report *r,
                    struct fail *f) {
    struct buf b;
    struct json_out j = json_out(&b);
    buf_init(&b, 65536);
    json_object(&j);
    json_kspan(&j, "origin", m->o.log.name);
    json_ku64(&j, "size", c->size);
    json_key(&j, "root");
    json_base64(&j, hash_span(&c->root));
    json_ku64(&j, "last_ms", fold_last_ms(m->fold));
    json_ku64(&j, "published_ms", clock_wall_ms());
    json_ku64(&j, "witnessed", r->quorum ? c->size : 0);
    json_kstr(&j, "results", "results/index.json");
    json_kstr(&j, "status", results_election_status(m->fold));
    const struct definition *d = fold_definition(m->fold);
    if (d && d->simulated) json_kstr(&j, "simulated", "SIMULATED");
    json_kstr(&j, "note", note_text);
    json_object_end(&j);
    buf_byte(&b, '\n');
    err e = buf_ok(&b, f);
    if (e == OK) e = writer_replace(m->writer, "head.json", buf_view(&b), f);
    buf_release(&b);
    return e;
}

/* --- accepting --- */

/* Once a tile is full its partial forms are no longer needed. */
static void drop_partials(struct mirror *m, uint64_t from, uint64_t to) {
    struct tile_walk w = tile_walk(from, to);
    struct tile t;
    while (tile_walk_next(&w, &t)) {
        char path[TILE_PATH_MAX], dir[PATH_MAX_LEN], file[PATH_MAX_LEN];
        if (t.width != TILE_WIDTH) continue;
        tile_path(t, path);
        (void)snprintf(dir, sizeof dir, "%s/%s.p", m->o.dir, path);
        DIR *d = opendir(dir);
        if (!d) continue;
        for (struct dirent *e; (e = readdir(d));)
            if (e->d_name[0] != '.' && path_join(file, sizeof file, dir, e->d_name, NULL) == OK)
                (void)unlink(file);
        closedir(d);
        (void)rmdir(dir);
    }
}

err mirror_accept(struct mirror *m, const struct checkpoint *c, struct mirror_report *out,
                  struct fail *f) {
    uint64_t before = m->size;
    struct hash root = m->root;
    bool changed;
    err e = put_results(m, out, f);
    if (e == OK && before != c->size) e = take_witnessed(m, before, &root, f);
    if (e == OK) e = put_checkpoint(m, true, out, &changed, f);
    if (e == OK) e = put_head(m, c, out, f);
    if (e == OK) e = writer_commit(m->writer, f);
    if (e != OK) {
        writer_abort(m->writer);
        return e;
    }
    m->size = m->good = c->size;
    m->root = c->root;
    m->published = true;
    drop_partials(m, before, c->size);
    return OK;
}

err mirror_refresh(struct mirror *m, const struct checkpoint *c, struct mirror_report *out,
                   struct fail *f) {
    bool changed;
    err e = m->published ? OK : put_results(m, out, f);
    if (e == OK) e = put_checkpoint(m, false, out, &changed, f);
    if (e == OK && (changed || !m->published)) e = put_head(m, c, out, f);
    if (e == OK) e = writer_commit(m->writer, f);
    if (e != OK) writer_abort(m->writer);
    m->published = m->published || e == OK;
    return e;
}

/* --- evidence --- */

static err put_evidence(struct mirror *m, const char *folder, const char *name, struct span bytes,
                        struct fail *f) {
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return writer_replace(m->writer, path, bytes, f);
}

static void explain(struct buf *b, const struct mirror *m, err kind, uint64_t seen_size,
                    uint64_t size, const struct hash *root, const struct hash *proof, size_t n) {
    buf_printf(b, "log: %.*s\n", SPAN_ARG(m->o.log.name));
    if (kind == E_REWIND)
        buf_printf(b, "The log signed ours.checkpoint with %llu entries. Later its server showed "
                      "theirs.checkpoint\nwith only %llu: records that were public were taken away.\n",
                   (unsigned long long)m->size, (unsigned long long)seen_size);
    else
        buf_str(b, "The log signed both ours.checkpoint and theirs.checkpoint, and no log that only "
                   "grows can have both:\ndifferent people were shown different records.\n");
    if (kind != E_FORK || m->size == seen_size) return;
    buf_printf(b, "\nHow to check: the larger checkpoint's log had the root below at size %llu; the "
                  "consistency proof leads\nfrom there to the larger checkpoint's root (RFC 9162, "
                  "2.1.4.2). The smaller checkpoint names another root.\n\nroot ",
               (unsigned long long)size);
    buf_base64(b, hash_span(root));
    for (size_t i = 0; i < n; i++) {
        buf_str(b, "\nproof ");
        buf_base64(b, hash_span(&proof[i]));
    }
    buf_byte(b, '\n');
}

err evidence_keep(struct mirror *m, err kind, uint64_t seen_size, uint64_t size,
                  const struct hash *root, const struct hash *proof, size_t n,
                  struct mirror_report *out, struct fail *f) {
    struct buf b;
    struct hash id = sha256(buf_view(&m->seen));
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&id, hex);
    (void)snprintf(out->evidence, sizeof out->evidence, "evidence/%s-%llu-%llu-%.8s",
                   kind == E_FORK ? "fork" : "rewind", (unsigned long long)m->size,
                   (unsigned long long)seen_size, hex);
    buf_init(&b, 1 << 16);
    explain(&b, m, kind, seen_size, size, root, proof, n);
    writer_abort(m->writer);
    err e = buf_ok(&b, f);
    if (e == OK) e = put_evidence(m, out->evidence, "README.txt", buf_view(&b), f);
    if (e == OK) e = put_evidence(m, out->evidence, "ours.checkpoint", buf_view(&m->note), f);
    if (e == OK) e = put_evidence(m, out->evidence, "theirs.checkpoint", buf_view(&m->seen), f);
    if (e == OK) e = writer_commit(m->writer, f);
    buf_release(&b);
    return e;
}
