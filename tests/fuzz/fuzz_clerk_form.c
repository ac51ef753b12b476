/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the clerk's page sends: a reading that a log would take, or a refusal with a sentence. */
#include "base_fold.h"
#include "service/clerk_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct fold *fold;
    static struct applied a;
    struct clerk_form w;
    struct fail f = {0};
    struct hash form;
    struct buf b;
    if (!fold) fold = base_fold(&a);
    clerk_form_init(&w, fold, fold_contest_by_id(fold, SPAN_LIT("president")), 1);
    if (clerk_form_parse(&w, span_of(data, size), &form, &f) != OK) {
        if (!f.text[0]) abort();
        return 0;
    }
    buf_init(&b, 65536);
    if (clerk_form_reading(&w, &b, &f) == OK ? !b.n : !f.text[0]) abort();
    buf_release(&b);
    return 0;
}
