/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Whatever is accepted is one canonical value: read again member by member and written out by the
 * project's writer it gives the same bytes. */
#include <stdlib.h>
#include "base/json_out.h"
#include "election/canonical_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy(struct cj *r, struct json_out *j, struct arena *a) {
    struct span key;
    switch (r->rest.n ? r->rest.p[0] : 0) {
    case '{':
        cj_object(r);
        json_object(j);
        while (cj_any_key(r, &key)) {
            json_key_span(j, key);
            copy(r, j, a);
        }
        json_object_end(j);
        break;
    case '[':
        cj_array(r);
        json_array(j);
        while (cj_element(r)) copy(r, j, a);
        json_array_end(j);
        break;
    case '"': json_span(j, cj_text(r, a, SIZE_MAX)); break;
    case 't':
    case 'f': json_bool(j, cj_bool(r)); break;
    case 'n':
        if (!cj_null(r)) abort();
        json_null(j);
        break;
    default: json_u64(j, cj_u64(r, CJ_MAX_INT));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span text = span_of(data, size);
    struct fail f = {0};
    if (cj_check(text, &f) != OK) {
        if (f.text[0] == 0) abort();
        return 0;
    }
    struct buf b;
    struct arena a;
    struct cj r;
    buf_init(&b, size + 1);
    arena_init(&a, 64 * (size + 65536));
    struct json_out j = json_out(&b);
    cj_init(&r, text, NULL);
    copy(&r, &j, &a);
    if (cj_end(&r) != OK || !span_eq(buf_view(&b), text)) abort();
    buf_release(&b);
    arena_release(&a);
    return 0;
}
