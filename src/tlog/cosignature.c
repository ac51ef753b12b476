/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/cosignature.h"

enum { HEAD_MAX = 64 };

/* What is signed, in a buffer of its own: Ed25519 needs it in one piece. */
static err message_make(struct span body, uint64_t time_s, struct buf *out, struct fail *f) {
    buf_init(out, CHECKPOINT_BYTES_MAX + HEAD_MAX);
    buf_str(out, "cosignature/v1\ntime ");
    buf_u64(out, time_s);
    buf_byte(out, '\n');
    buf_span(out, body);
    err e = buf_ok(out, f);
    if (e != OK) buf_release(out);
    return e;
}

err cosignature_sign(const struct note_signer *signer, struct span body, uint64_t time_s,
                     struct buf *out, struct fail *f) {
    struct checkpoint c;
    TRY(checkpoint_parse(body, &c, f));
    if (signer->key.type != NOTE_TYPE_COSIGNATURE)
        return fail_set(f, E_VKEY, "%.*s is not a key for cosignatures (type 04)",
                        SPAN_ARG(signer->key.name));
    if (time_s == 0 || time_s > COSIGNATURE_TIME_MAX)
        return fail_set(f, E_RANGE, "a cosignature needs a time after 1970");
    struct buf message;
    TRY(message_make(body, time_s, &message, f));
    uint8_t raw[8 + ED25519_SIGNATURE_BYTES];
    struct ed25519_signature sig;
    err e = note_signer_sign(signer, buf_view(&message), &sig, f);
    buf_release(&message);
    if (e != OK) return e;
    put_u64be(raw, time_s);
    memcpy(raw + 8, sig.b, sizeof sig.b);
    note_line_write(signer->key.name, signer->key.id, span_of(raw, sizeof raw), out);
    return buf_ok(out, f);
}

err cosignature_verify(const struct note_key *key, struct span body, const struct note_line *line,
                       uint64_t *time_s, struct fail *f) {
    struct ed25519_signature sig;
    bool good = false;
    if (key->known && key->type == NOTE_TYPE_COSIGNATURE && note_line_is_by(line, key) &&
        line->n == 8 + sizeof sig.b) {
        uint64_t time = get_u64be(line->bytes);
        memcpy(sig.b, line->bytes + 8, sizeof sig.b);
        if (time > 0 && time <= COSIGNATURE_TIME_MAX) {
            struct buf message;
            TRY(message_make(body, time, &message, f));
            good = ed25519_verify(&key->public, &sig, buf_view(&message));
            buf_release(&message);
            *time_s = time;
        }
    }
    if (good) return OK;
    return fail_set(f, E_SIGNATURE, "the cosignature of %.*s does not fit the checkpoint",
                    SPAN_ARG(line->name));
}

err cosignatures_collect(struct span body, const struct note_line *lines, size_t n,
                         const struct note_key *keys, size_t count, struct cosignature *out,
                         struct fail *f) {
    for (size_t k = 0; k < count; k++) {
        out[k] = (struct cosignature){0};
        if (!keys[k].known || keys[k].type != NOTE_TYPE_COSIGNATURE) continue;
        for (size_t i = 0; i < n; i++) {
            if (!note_line_is_by(&lines[i], &keys[k])) continue;
            uint64_t time_s;
            TRY(cosignature_verify(&keys[k], body, &lines[i], &time_s, f));
            if (out[k].present && out[k].time_s <= time_s) continue;
            out[k] = (struct cosignature){.present = true, .time_s = time_s, .line = i};
        }
    }
    return OK;
}
