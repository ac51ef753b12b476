/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What hash.h has beside hashing: the same in every build. */
#include "crypto/hash.h"

bool hash_is_zero(const struct hash *h) {
    static const struct hash zero;
    return hash_eq(h, &zero);
}

err hash_from_hex(struct span s, struct hash *out, struct fail *f) {
    return hex_decode(s, out->b, sizeof out->b, f);
}

err hash_from_base64(struct span s, struct hash *out, struct fail *f) {
    size_t n = 0;
    if (s.n != HASH_BASE64_LEN)
        return fail_set(f, E_BASE64, "a hash is %d characters of base64, here are %zu",
                        HASH_BASE64_LEN, s.n);
    TRY(base64_decode(s, out->b, sizeof out->b, &n, f));
    if (n != sizeof out->b) return fail_set(f, E_BASE64, "a hash is 32 bytes, here are %zu", n);
    return OK;
}
