/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/incidents.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/diag.h"
#include "base/file.h"
#include "base/text.h"
#include "election/compose.h"

enum { ROWS = 256, EVIDENCE_MAX = 1 << 20, TEXT_MAX = 60000 };

struct row {
    err code;
    bool proven;
    enum record_type type;
    char key[128];
    uint64_t count, first_ms, last_ms;
    uint64_t told;    /* of `count`, by the last take */
    struct span note; /* owned */
};

struct incidents {
    pthread_mutex_t lock; /* everything */
    struct row rows[ROWS];
    size_t n, taken;
    size_t evidence_bytes;
    uint64_t waiting, total;
    uint64_t taken_ms; /* of the last take */
    bool changed;      /* since the last incidents_format */
};

err incidents_new(struct incidents **out, struct fail *f) {
    *out = calloc(1, sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for incidents");
    pthread_mutex_init(&(*out)->lock, NULL);
    return OK;
}

void incidents_free(struct incidents *x) {
    if (!x) return;
    for (size_t i = 0; i < x->n; i++) free((void *)(uintptr_t)x->rows[i].note.p);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

static struct row *find_row(struct incidents *x, err code, const char *key, bool proven,
                            enum record_type type) {
    for (size_t i = x->taken; i < x->n; i++) {
        struct row *r = &x->rows[i];
        if (r->code == code && r->proven == proven && r->type == type && strcmp(r->key, key) == 0)
            return r;
    }
    /* the last row is for whatever does not fit: of nobody, of no type */
    if (x->n + 1 >= ROWS && (key[0] || proven || type != REC_COUNT))
        return find_row(x, E_BUSY, "", false, REC_COUNT);
    if (x->n == ROWS) return &x->rows[ROWS - 1];
    struct row *r = &x->rows[x->n++];
    *r = (struct row){.code = code, .proven = proven, .type = type};
    (void)snprintf(r->key, sizeof r->key, "%s", key);
    return r;
}

void incidents_add(struct incidents *x, err code, const char *signer, bool proven,
                   enum record_type type, struct span note, uint64_t ms) {
    pthread_mutex_lock(&x->lock);
    if (x->evidence_bytes + note.n > EVIDENCE_MAX) proven = false;
    struct row *r = find_row(x, code, signer, proven, type);
    if (r->count++ == 0) r->first_ms = ms;
    if (ms > r->last_ms) r->last_ms = ms;
    if (r->proven && !r->note.p && note.n) { /* one example a row */
        uint8_t *copy = malloc(note.n);
        if (copy) {
            memcpy(copy, note.p, note.n);
            r->note = span_of(copy, note.n);
            x->evidence_bytes += note.n;
        } else {
            r->proven = false;
        }
    }
    x->waiting++;
    x->total++;
    x->changed = true;
    pthread_mutex_unlock(&x->lock);
}

uint64_t incidents_waiting(struct incidents *x) {
    pthread_mutex_lock(&x->lock);
    uint64_t n = x->waiting;
    pthread_mutex_unlock(&x->lock);
    return n;
}

uint64_t incidents_total(struct incidents *x) {
    pthread_mutex_lock(&x->lock);
    uint64_t n = x->total;
    pthread_mutex_unlock(&x->lock);
    return n;
}

err incidents_take(struct incidents *x, const struct fold *fold, uint64_t ms, struct buf *text,
                   struct span *evidence, size_t max, size_t *count, struct fail *f) {
    struct compose_incident rows[ROWS];
    struct hash election;
    *count = 0;
    if (!fold_election(fold, &election)) return OK;
    pthread_mutex_lock(&x->lock);
    x->taken_ms = ms;
    x->changed = true;
    for (size_t i = 0; i < x->n; i++) {
        struct row *r = &x->rows[i];
        struct key_view key;
        r->told = r->count;
        bool known = r->key[0] && fold_key(fold, span_text(r->key), &key);
        bool proven = r->proven && known && r->note.n && *count < max;
        rows[i] = (struct compose_incident){.proven = proven,
                                            .code = err_info(r->code)->name,
                                            .count = r->count,
                                            .first_ms = r->first_ms,
                                            .last_ms = r->last_ms,
                                            .key = known ? span_text(r->key) : SPAN_LIT("unknown"),
                                            .type = r->type == REC_COUNT
                                                        ? SPAN_LIT("unknown")
                                                        : span_text(record_info(r->type)->name)};
        if (!proven) continue;
        evidence[(*count)++] = r->note;
        rows[i].note = (struct named_object){sha256(r->note), r->note.n};
    }
    /* what does not fit into one record waits for the next */
    for (x->taken = x->n; x->taken; x->taken = x->taken / 2) {
        buf_clear(text);
        compose_incidents(text, &election, rows, x->taken);
        if (!text->failed && text->n <= TEXT_MAX) break;
    }
    for (size_t i = x->taken; i < x->n; i++) x->rows[i].told = 0;
    pthread_mutex_unlock(&x->lock);
    return buf_ok(text, f);
}

void incidents_written(struct incidents *x, bool logged) {
    pthread_mutex_lock(&x->lock);
    if (logged) {
        size_t kept = 0;
        for (size_t i = 0; i < x->n; i++) {
            struct row *r = &x->rows[i];
            if (i < x->taken) {
                x->waiting -= r->told;
                x->evidence_bytes -= r->note.n;
                free((void *)(uintptr_t)r->note.p);
                r->note = (struct span){0};
                r->count -= r->told; /* what came meanwhile into a full table */
                r->told = 0;
                r->first_ms = r->last_ms;
                r->proven = false;
                if (r->count == 0) continue;
            }
            x->rows[kept++] = *r;
        }
        x->n = kept;
    }
    for (size_t i = 0; i < x->n; i++) x->rows[i].told = 0;
    x->taken = 0;
    x->changed = true;
    pthread_mutex_unlock(&x->lock);
}

/* --- what waits, as a text --- */

static void format_row(struct buf *out, const struct row *r) {
    buf_printf(out, "%s %s %s %s %llu %llu %llu %llu ", err_info(r->code)->name,
               r->proven ? "proven" : "claimed",
               r->type == REC_COUNT ? "-" : record_info(r->type)->name, r->key[0] ? r->key : "-",
               (unsigned long long)r->count, (unsigned long long)r->told,
               (unsigned long long)r->first_ms, (unsigned long long)r->last_ms);
    if (r->note.n)
        buf_base64(out, r->note);
    else
        buf_byte(out, '-');
    buf_byte(out, '\n');
}

bool incidents_format(struct incidents *x, struct buf *out) {
    pthread_mutex_lock(&x->lock);
    bool changed = x->changed;
    x->changed = false;
    buf_printf(out, "hesabu incidents v1\ntaken %llu\n", (unsigned long long)x->taken_ms);
    for (size_t i = 0; i < x->n; i++) format_row(out, &x->rows[i]);
    pthread_mutex_unlock(&x->lock);
    return changed;
}

/* Up to the next space, or the whole rest. */
static struct span word(struct span *rest) {
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ') n++;
    struct span w = span_of(rest->p, n);
    *rest = span_from(*rest, n < rest->n ? n + 1 : n);
    return w;
}

static err parse_note(struct span w, struct row *r, struct fail *f) {
    size_t n;
    if (span_is(w, "-")) return OK;
    if (!base64_check(w, &n) || n == 0 || n > EVIDENCE_MAX)
        return fail_set(f, E_DAMAGED, "a note that is not base64");
    uint8_t *p = malloc(n);
    if (!p) return fail_set(f, E_MEMORY, "no memory for incidents");
    r->note = span_of(p, n);
    return base64_decode(w, p, n, &n, f);
}

static err parse_row(struct span line, struct row *r, struct fail *f) {
    char code[48];
    struct span name = word(&line), class = word(&line), type = word(&line), key = word(&line);
    (void)snprintf(code, sizeof code, "%.*s", SPAN_ARG(name));
    r->code = err_by_name(code);
    r->proven = span_is(class, "proven");
    r->type = span_is(type, "-") ? REC_COUNT : record_by_name(type);
    if (name.n >= sizeof code || r->code == ERR_COUNT || r->code == OK)
        return fail_set(f, E_DAMAGED, "\"%.*s\" is not an error code", SPAN_ARG(name));
    if (!r->proven && !span_is(class, "claimed"))
        return fail_set(f, E_DAMAGED, "neither proven nor claimed");
    if (r->type == REC_COUNT && !span_is(type, "-"))
        return fail_set(f, E_DAMAGED, "\"%.*s\" is not a record type", SPAN_ARG(type));
    if (key.n == 0 || key.n >= sizeof r->key || !text_is_plain(key))
        return fail_set(f, E_DAMAGED, "a row without a key's name");
    if (!span_is(key, "-")) (void)snprintf(r->key, sizeof r->key, "%.*s", SPAN_ARG(key));
    uint64_t *const numbers[] = {&r->count, &r->told, &r->first_ms, &r->last_ms};
    for (size_t i = 0; i < 4; i++) TRY(u64_parse(word(&line), (uint64_t)1 << 53, numbers[i], f));
    if (r->count == 0 || r->told > r->count || r->first_ms > r->last_ms)
        return fail_set(f, E_DAMAGED, "a row whose numbers cannot be");
    TRY(parse_note(word(&line), r, f));
    return line.n ? fail_set(f, E_DAMAGED, "something stands after the note") : OK;
}

static err parse_rows(struct span text, struct row *rows, size_t *n, uint64_t *taken_ms,
                      struct fail *f) {
    struct span line;
    if (!span_line(&text, &line) || !span_is(line, "hesabu incidents v1"))
        return fail_set(f, E_DAMAGED, "not a text of incidents");
    if (!span_line(&text, &line) || !span_starts(line, SPAN_LIT("taken ")))
        return fail_set(f, E_DAMAGED, "no line \"taken\"");
    TRY(u64_parse(span_from(line, 6), (uint64_t)1 << 53, taken_ms, f));
    while (span_line(&text, &line)) {
        if (*n == ROWS) return fail_set(f, E_DAMAGED, "more than %d rows", ROWS);
        rows[*n] = (struct row){0};
        (*n)++;
        TRY(parse_row(line, &rows[*n - 1], f));
    }
    return text.n ? fail_set(f, E_DAMAGED, "the last line is cut") : OK;
}

err incidents_parse(struct incidents *x, struct span text, uint64_t logged_ms, struct fail *f) {
    struct row *rows = calloc(ROWS, sizeof *rows);
    if (!rows) return fail_set(f, E_MEMORY, "no memory for incidents");
    size_t n = 0;
    uint64_t taken_ms = 0;
    err e = parse_rows(text, rows, &n, &taken_ms, f);
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; e == OK && i < n; i++) {
        struct row *r = &rows[i];
        if (logged_ms && taken_ms == logged_ms) {
            r->count -= r->told;
            if (r->told) r->proven = false; /* its note went with what was told */
        }
        r->told = 0;
        if (r->count == 0) continue;
        struct row *to = find_row(x, r->code, r->key, r->proven, r->type);
        if (to->count == 0 || r->first_ms < to->first_ms) to->first_ms = r->first_ms;
        if (r->last_ms > to->last_ms) to->last_ms = r->last_ms;
        to->count += r->count;
        x->waiting += r->count;
        if (to->proven && !to->note.p && r->proven &&
            x->evidence_bytes + r->note.n <= EVIDENCE_MAX) {
            to->note = r->note; /* moved */
            r->note = (struct span){0};
            x->evidence_bytes += to->note.n;
        }
    }
    if (e == OK && taken_ms > x->taken_ms) x->taken_ms = taken_ms;
    pthread_mutex_unlock(&x->lock);
    for (size_t i = 0; i < n; i++) free((void *)(uintptr_t)rows[i].note.p);
    free(rows);
    return e == OK || e == E_MEMORY ? e : fail_context(f, E_DAMAGED, "waiting incidents");
}

enum { FILE_MAX = 4 << 20 };

void incidents_save(struct incidents *x, const char *path) {
    struct buf text;
    struct fail f = {0};
    buf_init(&text, FILE_MAX);
    if (incidents_format(x, &text)) {
        err e = buf_ok(&text, &f);
        if (e == OK) e = file_write_durable(path, buf_view(&text), 0600, &f);
        if (e != OK) diag(DIAG_WARN, "waiting incidents were not kept: %s", f.text);
    }
    buf_release(&text);
}

err incidents_load(struct incidents *x, const char *path, uint64_t logged_ms, struct fail *f) {
    struct buf text;
    struct fail why = {0};
    buf_init(&text, FILE_MAX);
    err e = file_read(path, FILE_MAX, &text, &why);
    if (e == OK) e = incidents_parse(x, buf_view(&text), logged_ms, &why);
    buf_release(&text);
    if (e == OK || e == E_NOT_FOUND) return OK;
    char aside[PATH_MAX_LEN];
    if (snprintf(aside, sizeof aside, "%s.damaged", path) < (int)sizeof aside)
        (void)rename(path, aside);
    diag(DIAG_WARN,
         "waiting incidents could not be read (%s); the file was put aside as %s.damaged", why.text,
         path);
    return e == E_MEMORY ? fail_set(f, e, "%s", why.text) : OK;
}
