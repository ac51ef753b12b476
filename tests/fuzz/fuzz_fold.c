/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* apply on the state after spec/vectors/base.log. The input is a record: its type's number, then
 * which keys sign (two bytes, a set over a few keys), then the JSON; or, with 255 in front, a whole
 * note. Signature lines are made, not computed: apply does not verify them. Whatever is refused leaves
 * size, memory and journal as they were; whatever is accepted is taken back. Run from the top. */
#include <stdlib.h>
#include "base_fold.h"
#include "crypto/note.h"
#include "election/definition.h"
#include "election/station.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A note from type, signers and JSON: the lines stand in the order of the fold's keys, which the
 * fixture grants unsorted, so they are sorted here. */
static int by_bytes(const void *a, const void *b) {
    return span_cmp(buf_view(a), buf_view(b));
}

static void make_note(const struct fold *s, const uint8_t *data, size_t size, struct buf *note) {
    static const char *const some[] = {"com/1", "com/2", "com/3", "ro/11", "ro/12", "po/1101", "po/1102",
                                       "po/2101", "dpo/2101", "clerk/12", "agent/red/11", "obs/eyes",
                                       "party/red", "po/2103", "agent/blue/1101"};
    struct buf lines[16];
    size_t n = 0;
    unsigned set = get_u16be(data + 1);
    uint8_t sig[64] = {1};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct key_view k;
        if (!(set >> i & 1) || !fold_key(s, span_text(some[i]), &k)) continue;
        buf_init(&lines[n], 1000);
        note_line_write(k.name, note_key_id(k.name, NOTE_TYPE_ED25519, span_of(k.pub, 32)),
                        span_of(sig, 64), &lines[n]);
        n++;
    }
    if (set >> 15) { /* the log */
        struct note_key log;
        buf_init(&lines[n], 1000);
        if (note_vkey_parse(fold_definition(s)->log_vkey, &log, NULL) != OK) abort();
        note_line_write(log.name, log.id, span_of(sig, 64), &lines[n]);
        n++;
    }
    qsort(lines, n, sizeof *lines, by_bytes);
    buf_str(note, "hesabu/v1 ");
    buf_str(note, record_info((enum record_type)(data[0] % REC_COUNT))->name);
    buf_byte(note, '\n');
    buf_add(note, data + 3, size - 3);
    buf_str(note, "\n\n");
    for (size_t i = 0; i < n; i++) {
        buf_span(note, buf_view(&lines[i]));
        buf_release(&lines[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct fold *s;
    static struct applied *a;
    if (!s) {
        a = calloc(1, sizeof *a);
        s = base_fold(a);
    }
    if (size < 4 || size > 60000) return 0;
    struct buf note, entry;
    struct fail f = {0};
    buf_init(&note, 1 << 17);
    buf_init(&entry, 1 << 17);
    if (data[0] == 255)
        buf_add(&note, data + 1, size - 1);
    else
        make_note(s, data, size, &note);
    uint64_t entries = fold_size(s);
    size_t keys = fold_key_count(s), units = fold_unit_count(s), cells = fold_cell_count(s);
    size_t results = fold_result_count(s), images = fold_image_count(s);
    fold_begin(s);
    size_t mark = fold_mark(s);
    err e = fold_admit(s, buf_view(&note), 4000000, &entry, a, &f);
    if (e != OK && f.text[0] == 0) abort();
    if (e != OK && (fold_mark(s) != mark || fold_size(s) != entries)) abort();
    if (e == OK && fold_size(s) != entries + 1) abort();
    if (e == E_DUPLICATE) {
        struct buf extra;
        buf_init(&extra, 1 << 16);
        if (fold_extra(s, buf_view(&note), &extra, &f) != OK) abort();
        buf_release(&extra);
    }
    fold_rollback(s);
    if (fold_size(s) != entries || fold_key_count(s) != keys || fold_unit_count(s) != units ||
        fold_cell_count(s) != cells || fold_result_count(s) != results ||
        fold_image_count(s) != images)
        abort();
    buf_release(&note);
    buf_release(&entry);
    return 0;
}
