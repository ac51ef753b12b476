/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whatever note_split accepts is made of its parts again, byte for byte. */
#include <stdlib.h>
#include "crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct note n;
    struct fail f;
    static struct note_line lines[NOTE_LINES_MAX];
    if (note_split(span_of(data, size), &n, lines, NOTE_LINES_MAX, &f) != OK) return 0;
    size_t at = n.text.n + 1;
    if (n.count == 0 || n.text.p != data || data[at - 1] != '\n' || data[at - 2] != '\n') abort();
    for (size_t i = 0; i < n.count; i++) {
        if (lines[i].line.p != data + at || !note_name_is_valid(lines[i].name)) abort();
        at += lines[i].line.n + 1;
        if (lines[i].n <= NOTE_SIGNATURE_KEPT) { /* one value, one spelling */
            struct buf b;
            buf_init(&b, 1024);
            note_line_write(lines[i].name, lines[i].id, span_of(lines[i].bytes, lines[i].n), &b);
            if (b.n != lines[i].line.n + 1 || memcmp(b.p, lines[i].line.p, b.n) != 0) abort();
            buf_release(&b);
        }
    }
    if (at != size) abort();
    struct note_key key;
    if (note_vkey_parse(SPAN_LIT("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10"
                                 "TW"),
                        &key, &f) != OK)
        abort();
    err e = note_open(span_of(data, size), &key, 1, &n, lines, NOTE_LINES_MAX, NULL, &f);
    if (e != OK && e != E_SIGNATURE && e != E_UNSIGNED) abort();
    return 0;
}
