/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any file taken for a witness's memory: refused, or a checkpoint that both keys signed. */
#include <stdlib.h>
#include "service/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct note_signer log, witness;
    struct witness_state state;
    struct fail f;
    uint64_t time_s;
    uint8_t seed[32] = {11};
    if (note_signer_make(SPAN_LIT("log.example"), NOTE_TYPE_ED25519, seed, &log, &f) != OK) abort();
    seed[0] = 14;
    if (note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_COSIGNATURE, seed, &witness, &f) != OK)
        abort();
    if (witness_state_parse(span_of(data, size), &log.key, &witness.key, &state, &time_s, &f) != OK)
        return 0;
    if (time_s == 0 || state.size > (uint64_t)INT64_MAX) abort();
    return 0;
}
