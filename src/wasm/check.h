/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A signature to be checked, as it goes from the worker that folds to those that verify. */
#ifndef WASM_CHECK_H
#define WASM_CHECK_H

#include <stdint.h>

struct wasm_check {
    uint8_t pub[32], sig[64];
    uint32_t from, length; /* of the message, in the bundle's bytes */
    uint64_t index;        /* of the entry */
    uint32_t line, unused;
};
_Static_assert(sizeof(struct wasm_check) == 120, "web/src/proof/checks.ts knows this layout");

#endif
