/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Memory, codes, hashes and signatures for JavaScript. */
#include "wasm/module.h"

#include <stdlib.h>
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "wasm/check.h"

void *EXPORT(memory_take)(size_t n);
void EXPORT(memory_give)(void *p);
const char *EXPORT(code_name)(int code);
const char *EXPORT(code_text)(int code);
int EXPORT(code_of)(const char *name);
void EXPORT(hash_of)(const uint8_t *p, size_t n, uint8_t *out);
int EXPORT(signature_holds)(const uint8_t *pub, const uint8_t *sig, const uint8_t *p, size_t n);
uint32_t EXPORT(checks_run)(const uint8_t *bundle, size_t n, const struct wasm_check *checks,
                            size_t count, uint8_t *bad);

void *memory_take(size_t n) {
    return malloc(n ? n : 1);
}

void memory_give(void *p) {
    free(p);
}

const char *code_name(int code) {
    return err_info((err)code)->name;
}

const char *code_text(int code) {
    return err_info((err)code)->text;
}

int code_of(const char *name) {
    return (int)err_by_name(name);
}

void hash_of(const uint8_t *p, size_t n, uint8_t *out) {
    struct hash h = sha256(span_of(p, n));
    memcpy(out, h.b, sizeof h.b);
}

int signature_holds(const uint8_t *pub, const uint8_t *sig, const uint8_t *p, size_t n) {
    return ed25519_verify((const struct ed25519_public *)pub, (const struct ed25519_signature *)sig,
                          span_of(p, n));
}

/* How many hold; bad[i] is 1 for each that does not. */
uint32_t checks_run(const uint8_t *bundle, size_t n, const struct wasm_check *checks, size_t count,
                    uint8_t *bad) {
    uint32_t good = 0;
    for (size_t i = 0; i < count; i++) {
        const struct wasm_check *c = &checks[i];
        bool holds = c->from <= n && c->length <= n - c->from &&
                     signature_holds(c->pub, c->sig, bundle + c->from, c->length);
        bad[i] = !holds;
        good += holds;
    }
    return good;
}
