/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/record.h"

#include "base/text.h"

static const struct record_info types[] = {
#define RECORD(id, name, max_note) {name, max_note},
#include "election/records.def"
#undef RECORD
};

const struct record_info *record_info(enum record_type type) {
    static const struct record_info none = {"unknown", 0};
    return type < REC_COUNT ? &types[type] : &none;
}

enum record_type record_by_name(struct span name) {
    for (int i = 0; i < REC_COUNT; i++)
        if (span_is(name, types[i].name)) return (enum record_type)i;
    return REC_COUNT;
}

#define TEXT_MAGIC  "hesabu/v1 "
#define ENTRY_MAGIC "hesabu/entry/v1 "

/* Sorted bytewise, one line a key. */
static err check_lines(const struct record *r, struct fail *f) {
    for (size_t i = 1; i < r->split.count; i++) {
        const struct note_line *a = &r->lines[i - 1], *b = &r->lines[i];
        if (span_cmp(a->line, b->line) >= 0)
            return fail_set(f, E_LINES, "signature line %zu does not stand in bytewise order", i + 1);
        if (a->id == b->id && span_eq(a->name, b->name))
            return fail_set(f, E_LINES, "the key %.*s signs twice", SPAN_ARG(a->name));
    }
    return OK;
}

err record_parse(struct span note, struct record *out, struct fail *f) {
    out->note = note;
    out->type = REC_COUNT;
    if (note.n > ENTRY_MAX)
        return fail_set(f, E_SIZE, "a record of %zu bytes; none may have more than %d", note.n,
                        ENTRY_MAX);
    TRY(note_split(note, &out->split, out->lines, NOTE_LINES_MAX, f));
    out->text = out->split.text;
    struct span rest = out->text, head, json, magic = SPAN_LIT(TEXT_MAGIC);
    if (!span_line(&rest, &head) || !span_starts(head, magic))
        return fail_set(f, E_NOTE, "the text does not begin with \"%s\" and a record type",
                        TEXT_MAGIC);
    struct span name = span_from(head, magic.n);
    out->type = record_by_name(name);
    if (out->type == REC_COUNT)
        return fail_set(f, E_TYPE, "\"%.*s\" is not a record type", SPAN_ARG(name));
    if (note.n > types[out->type].max_note)
        return fail_set(f, E_SIZE, "a %s record of %zu bytes; it may have at most %zu",
                        types[out->type].name, note.n, types[out->type].max_note);
    if (!span_line(&rest, &json) || rest.n)
        return fail_set(f, E_NOTE, "the text is not two lines: type and JSON");
    out->json = json;
    TRY(check_lines(out, f));
    out->id = sha256(out->text);
    return OK;
}

err entry_parse(struct span entry, uint64_t *ms, struct span *note, struct fail *f) {
    struct span rest = entry, head, magic = SPAN_LIT(ENTRY_MAGIC);
    if (entry.n > ENTRY_MAX || !span_line(&rest, &head) || !span_starts(head, magic))
        return fail_set(f, E_ENTRY, "the entry does not begin with \"%s\"", ENTRY_MAGIC);
    err e = u64_parse(span_from(head, magic.n), UINT64_C(9007199254740991), ms, f);
    if (e != OK) return fail_context(f, E_ENTRY, "the entry's time");
    *note = rest;
    return OK;
}

void entry_format(struct buf *out, uint64_t ms, struct span note) {
    buf_str(out, ENTRY_MAGIC);
    buf_u64(out, ms);
    buf_byte(out, '\n');
    buf_span(out, note);
}
