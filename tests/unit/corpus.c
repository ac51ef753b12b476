/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "corpus.h"
#include "election_fixture.h"
#include "record_cases.h"

typedef void emit_fn(void *ctx, const char *path, struct span bytes);

static void emit_objects(const struct fixture *x, emit_fn *emit, void *ctx) {
    for (size_t i = 0; i < x->object_count; i++) {
        char path[200] = "vectors/objects/";
        hash_hex(&x->objects[i].ref.id, path + strlen(path));
        emit(ctx, path, buf_view(&x->objects[i].bytes));
    }
}

static void emit_base(const struct fixture *x, emit_fn *emit, void *ctx) {
    struct buf bundle;
    buf_init(&bundle, 1 << 20);
    for (size_t i = 0; i < x->entry_count; i++) {
        uint8_t length[2];
        put_u16be(length, (uint16_t)x->entries[i].bytes.n);
        buf_add(&bundle, length, 2);
        buf_span(&bundle, buf_view(&x->entries[i].bytes));
    }
    emit(ctx, "vectors/base.log", buf_view(&bundle));
    buf_release(&bundle);
}

static void emit_case(emit_fn *emit, void *ctx, struct buf *index, const char *base,
                      const char *name, err want, bool entry, uint64_t ms, struct span bytes) {
    char path[300], code[80] = "";
    if (want != OK) snprintf(code, sizeof code, "%s-", err_info(want)->name);
    snprintf(path, sizeof path, "%s/%s%s.%s", want == OK ? "accept" : "reject", code, name,
             entry ? "entry" : "note");
    emit(ctx, path, bytes);
    buf_printf(index, "%s\t%s\t", path, base);
    if (entry)
        buf_byte(index, '-');
    else
        buf_u64(index, ms);
    buf_printf(index, "\t%s\n", err_info(want)->name);
}

void corpus_make(emit_fn *emit, void *ctx) {
    struct fixture *x = fx_base();
    struct buf index;
    buf_init(&index, 1 << 20);
    emit_base(x, emit, ctx);
    buf_str(&index, "file\tbefore\tms\tcode\n");
    for (unsigned i = 0; i < manifest_case_count; i++) {
        const struct manifest_case *c = &manifest_cases[i];
        struct buf text, note;
        buf_init(&text, 1 << 17);
        buf_init(&note, 1 << 17);
        fx_manifest_case(x, x, c, &text);
        fx_sign(x, c->signers, buf_view(&text), &note);
        emit_case(emit, ctx, &index, "nothing", c->name, c->want, false, 1, buf_view(&note));
        buf_release(&text);
        buf_release(&note);
    }
    for (unsigned i = 0; i < record_case_count; i++) {
        const struct record_case *c = &record_cases[i];
        struct buf text, note;
        buf_init(&text, 1 << 17);
        buf_init(&note, 1 << 17);
        fx_expand(x, c->pattern, c->signers && *c->signers ? &text : &note);
        if (c->signers && *c->signers) fx_sign(x, c->signers, buf_view(&text), &note);
        emit_case(emit, ctx, &index, "base.log", c->name, c->want, c->signers && !*c->signers,
                  c->ms ? c->ms : FX_CASE_MS, buf_view(&note));
        buf_release(&text);
        buf_release(&note);
    }
    emit_objects(x, emit, ctx);
    emit(ctx, "vectors/index.tsv", buf_view(&index));
    buf_release(&index);
    fx_free(x);
}
