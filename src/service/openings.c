/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/openings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json_out.h"
#include "election/canonical_json.h"
#include "election/compose.h"

enum { OPENING_MAX = 32768 };

void opening_format(const struct opening *o, struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_kspan(&j, "contest", o->contest);
    json_khex(&j, "election", hash_span(&o->election));
    json_khex(&j, "image", hash_span(&o->image));
    json_kspan(&j, "key", o->key);
    json_khex(&j, "nonce", span_of(o->nonce, sizeof o->nonce));
    json_key(&j, "reading");
    json_raw(&j, o->reading);
    json_khex(&j, "record", hash_span(&o->record));
    json_ku64(&j, "round", o->round);
    json_khex(&j, "seal", hash_span(&o->seal));
    json_kspan(&j, "station", o->station);
    json_object_end(&j);
    buf_byte(out, '\n');
}

static void hash_member(struct cj *r, const char *key, struct hash *out) {
    cj_need(r, key);
    cj_hex(r, out->b, sizeof out->b);
}

err opening_parse(struct span bytes, struct opening *o, struct fail *f) {
    struct span line;
    struct cj r;
    *o = (struct opening){0};
    if (!span_line(&bytes, &line) || bytes.n)
        return fail_set(f, E_FIELD, "an opening is one line of JSON");
    cj_init(&r, line, f);
    cj_object(&r);
    cj_need(&r, "contest");
    o->contest = cj_code(&r, 60);
    hash_member(&r, "election", &o->election);
    hash_member(&r, "image", &o->image);
    cj_need(&r, "key");
    o->key = cj_code(&r, 120);
    cj_need(&r, "nonce");
    cj_hex(&r, o->nonce, sizeof o->nonce);
    cj_need(&r, "reading");
    o->reading = cj_raw(&r);
    hash_member(&r, "record", &o->record);
    cj_need(&r, "round");
    o->round = (unsigned)cj_u64(&r, 9);
    hash_member(&r, "seal", &o->seal);
    cj_need(&r, "station");
    o->station = cj_code(&r, 32);
    cj_object_end(&r);
    TRY(cj_end(&r));
    struct hash is = seal_hash(o->nonce, o->reading);
    if (!hash_eq(&is, &o->seal))
        return fail_set(f, E_SEAL, "nonce and reading do not give the seal: the file was changed");
    return OK;
}

static err path_of(const char *dir, const char *part, const struct hash *record, char out[PATH_MAX_LEN],
                   struct fail *f) {
    char hex[HASH_HEX_LEN + 1];
    hash_hex(record, hex);
    int n = snprintf(out, PATH_MAX_LEN, "%s/%s/%s.json", dir, part, hex);
    return n < PATH_MAX_LEN ? OK : fail_set(f, E_TOO_LARGE, "the path of the clerk's folder is too long");
}

err openings_keep(const char *dir, const struct opening *o, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf b;
    TRY(path_of(dir, "closed", &o->record, path, f));
    TRY(file_mkdirs_for(path, f));
    buf_init(&b, OPENING_MAX);
    opening_format(o, &b);
    err e = buf_ok(&b, f);
    if (e == OK) e = file_write_durable(path, buf_view(&b), 0600, f);
    buf_release(&b);
    return e;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_opening(const char *name) {
    struct span s = span_text(name);
    struct hash h;
    return s.n == HASH_HEX_LEN + 5 && strcmp(name + HASH_HEX_LEN, ".json") == 0 &&
           hash_from_hex(span_of(s.p, HASH_HEX_LEN), &h, NULL) == OK;
}

static err visit_file(const char *path, openings_visit *visit, void *ctx, struct fail *f) {
    struct buf b;
    struct opening o;
    buf_init(&b, OPENING_MAX);
    err e = file_read(path, OPENING_MAX, &b, f);
    if (e == OK) {
        e = opening_parse(buf_view(&b), &o, f);
        if (e != OK) fail_context(f, e, "%.300s", path);
    }
    if (e == OK) e = visit(ctx, &o, f);
    buf_release(&b);
    return e;
}

err openings_each(const char *dir, openings_visit *visit, void *ctx, struct fail *f) {
    char folder[PATH_MAX_LEN], path[PATH_MAX_LEN], **names = NULL;
    size_t n = 0, room = 0;
    err e = path_join(folder, sizeof folder, dir, "closed", f);
    if (e != OK) return e;
    DIR *d = opendir(folder);
    if (!d) return errno == ENOENT ? OK : file_error(f, errno, "cannot read", folder);
    for (struct dirent *x; e == OK && (x = readdir(d));) {
        if (!is_opening(x->d_name)) continue;
        if (n == room) {
            room = room ? 2 * room : 64;
            char **more = realloc(names, room * sizeof *names);
            if (!more) {
                e = fail_set(f, E_MEMORY, "no memory for the clerk's openings");
                break;
            }
            names = more;
        }
        names[n] = strdup(x->d_name);
        if (!names[n++]) e = fail_set(f, E_MEMORY, "no memory for the clerk's openings");
    }
    closedir(d);
    if (e == OK && n) qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        if (e == OK) e = path_join(path, sizeof path, folder, names[i], f);
        if (e == OK) e = visit_file(path, visit, ctx, f);
        free(names[i]);
    }
    free(names);
    return e;
}

err openings_done(const char *dir, const struct hash *record, bool lapsed, struct fail *f) {
    char from[PATH_MAX_LEN], to[PATH_MAX_LEN];
    TRY(path_of(dir, "closed", record, from, f));
    TRY(path_of(dir, lapsed ? "lapsed" : "opened", record, to, f));
    TRY(file_mkdirs_for(to, f));
    if (rename(from, to) != 0) return file_error(f, errno, "cannot move", from);
    return OK;
}
