/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/notes.h"

#include <stdlib.h>
#include "base/text.h"
#include "election/canonical_json.h"

/* A text alone, or followed by the empty line after which signatures would stand. */
static err parse_unsigned(struct span bytes, struct record *out, struct fail *f) {
    struct span rest = bytes, head, json, magic = SPAN_LIT("hesabu/v1 ");
    *out = (struct record){.type = REC_COUNT};
    if (!span_line(&rest, &head) || !span_starts(head, magic) || !span_line(&rest, &json))
        return fail_set(f, E_NOTE, "neither a record's text (two lines, the first \"hesabu/v1 TYPE\") "
                                   "nor a signed note");
    if (rest.n && !(rest.n == 1 && rest.p[0] == '\n'))
        return fail_set(f, E_NOTE, "signature lines are separated from the text by an empty line");
    out->text = span_of(bytes.p, (size_t)(rest.p - bytes.p));
    if (!utf8_valid(out->text)) return fail_set(f, E_UTF8, "the text is not valid UTF-8");
    out->type = record_by_name(span_from(head, magic.n));
    if (out->type == REC_COUNT)
        return fail_set(f, E_TYPE, "\"%.*s\" is not a record type", SPAN_ARG(span_from(head, magic.n)));
    if (bytes.n > record_info(out->type)->max_note)
        return fail_set(f, E_SIZE, "a %s record of %zu bytes; it may have at most %zu",
                        record_info(out->type)->name, bytes.n, record_info(out->type)->max_note);
    out->note = bytes;
    out->json = json;
    out->split.text = out->text;
    out->id = sha256(out->text);
    return OK;
}

err notes_parse(struct span bytes, struct record *out, struct fail *f) {
    static const char empty_line[] = "\n\n";
    const uint8_t *at = bytes.n ? memmem(bytes.p, bytes.n, empty_line, 2) : NULL;
    bool has_lines = at && at + 2 < bytes.p + bytes.n;
    TRY(has_lines ? record_parse(bytes, out, f) : parse_unsigned(bytes, out, f));
    err e = cj_check(out->json, f);
    return e == OK ? OK : fail_context(f, e, "the record's second line");
}

/* --- lines in order --- */

struct line {
    struct span line, name;
    uint32_t id;
};

static int by_bytes(const void *a, const void *b) {
    return span_cmp(((const struct line *)a)->line, ((const struct line *)b)->line);
}

/* Adds a line unless it is there; E_LINES when its key signed otherwise. */
static err add_line(struct line *lines, size_t *n, struct line l, struct fail *f) {
    for (size_t i = 0; i < *n; i++) {
        if (lines[i].id != l.id || !span_eq(lines[i].name, l.name)) continue;
        if (span_eq(lines[i].line, l.line)) return OK;
        return fail_set(f, E_LINES, "the key %.*s has signed in two different ways; one of the two "
                                    "lines is damaged: find the file whose line verifies",
                        SPAN_ARG(l.name));
    }
    if (*n == NOTE_LINES_MAX)
        return fail_set(f, E_LINES, "more than %d signature lines", NOTE_LINES_MAX);
    lines[(*n)++] = l;
    return OK;
}

static err add_lines_of(struct line *lines, size_t *n, const struct record *r, struct fail *f) {
    for (size_t i = 0; i < r->split.count; i++) {
        const struct note_line *l = &r->lines[i];
        TRY(add_line(lines, n, (struct line){l->line, l->name, l->id}, f));
    }
    return OK;
}

static err write_note(struct span text, struct line *lines, size_t n, struct buf *out,
                      struct fail *f) {
    size_t from = out->n;
    qsort(lines, n, sizeof *lines, by_bytes);
    buf_span(out, text);
    buf_byte(out, '\n');
    for (size_t i = 0; i < n; i++) {
        buf_span(out, lines[i].line);
        buf_byte(out, '\n');
    }
    TRY(buf_ok(out, f));
    struct record *check = malloc(sizeof *check);
    if (!check) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = record_parse(span_of(out->p + from, out->n - from), check, f);
    free(check);
    return e;
}

err notes_sign(struct span bytes, const struct note_signer *const *signers, size_t n,
               struct buf *out, struct fail *f) {
    struct record *r = malloc(sizeof *r);
    struct line *lines = calloc(NOTE_LINES_MAX, sizeof *lines);
    struct buf own[NOTE_LINES_MAX];
    size_t count = 0, made = 0;
    err e = r && lines ? notes_parse(bytes, r, f) : fail_set(f, E_MEMORY, "no memory for a record");
    if (e == OK) e = add_lines_of(lines, &count, r, f);
    for (size_t i = 0; e == OK && i < n && made < NOTE_LINES_MAX; i++) {
        if (signers[i]->key.type != NOTE_TYPE_ED25519) {
            e = fail_set(f, E_USAGE, "the key %.*s is for cosigning checkpoints, not for records",
                         SPAN_ARG(signers[i]->key.name));
            break;
        }
        buf_init(&own[made], 1024);
        e = note_sign_line(signers[i], r->text, &own[made], f);
        struct line l = {span_of(own[made].p, own[made].n ? own[made].n - 1 : 0),
                         signers[i]->key.name, signers[i]->key.id};
        made++;
        if (e == OK) e = add_line(lines, &count, l, f);
        if (e == E_LINES)
            e = fail_set(f, E_SIGNATURE, "the line that stands there for %.*s is not its signature of "
                                         "this text: remove it first",
                         SPAN_ARG(signers[i]->key.name));
    }
    if (e == OK && count == 0) e = fail_set(f, E_USAGE, "no key to sign with");
    if (e == OK) e = write_note(r->text, lines, count, out, f);
    for (size_t i = 0; i < made; i++) buf_release(&own[i]);
    free(lines);
    free(r);
    return e;
}

err notes_merge(const struct span *parts, size_t n, struct buf *out, struct fail *f) {
    struct record *r = malloc(sizeof *r);
    struct line *lines = calloc(NOTE_LINES_MAX, sizeof *lines);
    struct span text = {0};
    size_t count = 0;
    err e = r && lines ? OK : fail_set(f, E_MEMORY, "no memory for a record");
    for (size_t i = 0; e == OK && i < n; i++) {
        e = notes_parse(parts[i], r, f);
        if (e != OK) {
            fail_context(f, e, "file %zu", i + 1);
            break;
        }
        if (i == 0) text = r->text;
        if (!span_eq(text, r->text))
            e = fail_set(f, E_NOTE, "file %zu is another record than file 1: signatures are of one "
                                    "text, so they cannot be put together",
                         i + 1);
        if (e == OK) e = add_lines_of(lines, &count, r, f);
    }
    if (e == OK && count == 0) e = fail_set(f, E_UNSIGNED, "none of the files is signed");
    if (e == OK) e = write_note(text, lines, count, out, f);
    free(lines);
    free(r);
    return e;
}

/* --- looking into a record --- */

/* The text before `at` ends with "KEY": . */
static bool under_key(struct span json, const uint8_t *at, const char *key) {
    size_t n = strlen(key);
    return (size_t)(at - json.p) >= n && memcmp(at - n, key, n) == 0;
}

err notes_objects(const struct record *r, struct notes_object *out, size_t max, size_t *n,
                  struct fail *f) {
    static const char member[] = "{\"sha256\":\"", middle[] = "\",\"size\":";
    struct span rest = r->json;
    *n = 0;
    /* In canonical JSON a quote inside a string is escaped: these bytes stand only where they mean it. */
    for (const uint8_t *at; rest.n && (at = memmem(rest.p, rest.n, member, sizeof member - 1));) {
        struct span v = span_of(at + sizeof member - 1,
                                (size_t)(rest.p + rest.n - at) - (sizeof member - 1));
        struct notes_object o = {0};
        const size_t fixed = HASH_HEX_LEN + sizeof middle - 1;
        if (v.n < fixed || memcmp(v.p + HASH_HEX_LEN, middle, sizeof middle - 1) != 0)
            return fail_set(f, E_FIELD, "an object is named by sha256 and size");
        TRY(hash_from_hex(span_of(v.p, HASH_HEX_LEN), &o.id, f));
        struct span size = span_from(v, fixed);
        size_t digits = 0;
        while (digits < size.n && char_is_digit(size.p[digits])) digits++;
        TRY(u64_parse(span_of(size.p, digits), CJ_MAX_INT, &o.size, f));
        o.restricted = under_key(r->json, at, "\"original\":") || under_key(r->json, at, "\"reason\":") ||
                       r->type == REC_OBJECTION ||
                       (r->type == REC_OBSERVATION && under_key(r->json, at, "\"note\":")) ||
                       (r->type == REC_STATION_EVENT && under_key(r->json, at, "\"note\":"));
        if (*n == max) return fail_set(f, E_RANGE, "the record names more than %zu objects", max);
        out[(*n)++] = o;
        rest = size;
    }
    return OK;
}

struct span notes_member(const struct record *r, const char *key) {
    struct cj j;
    struct span found = {0}, name;
    cj_init(&j, r->json, NULL);
    cj_object(&j);
    while (!cj_failed(&j) && cj_any_key(&j, &name)) {
        struct span value = cj_raw(&j);
        if (span_is(name, key)) found = value;
    }
    if (cj_end(&j) != OK) return (struct span){0};
    if (found.n >= 2 && found.p[0] == '"') return span_of(found.p + 1, found.n - 2);
    return found;
}
