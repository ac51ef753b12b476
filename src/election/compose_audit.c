/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/compose_audit.h"

#include "election/compose_impl.h"

static void claim(struct json_out *j, const struct compose_claim *x) {
    json_object(j);
    json_kstr(j, "claim", audit_claim_name(x->claim));
    if (x->claim == CLAIM_BEATS) {
        json_kspan(j, "loser", x->loser);
    } else {
        json_ku64(j, "p", x->p);
        json_ku64(j, "q", x->q);
    }
    if (x->unit.n) json_kspan(j, "unit", x->unit);
    json_kspan(j, "winner", x->winner);
    json_object_end(j);
}

void compose_audit_plan(struct buf *out, const struct compose_audit_plan *p) {
    struct json_out j = compose_begin(out, REC_AUDIT_PLAN);
    json_key(&j, "assertions");
    json_array(&j);
    for (size_t i = 0; i < p->claim_count; i++) claim(&j, &p->claims[i]);
    json_array_end(&j);
    compose_object_if(&j, "authority", p->authority);
    json_kstr(&j, "bound", audit_bound_name(p->bound));
    compose_object_if(&j, "compliance", p->compliance);
    json_kspan(&j, "contest", p->contest);
    compose_election(&j, &p->election);
    json_ku64(&j, "limit_ppm", p->limit_ppm);
    compose_object_if(&j, "manifest", p->manifest);
    json_kstr(&j, "method", "mixture");
    json_ku64(&j, "round", p->round);
    if (p->sample) json_khex(&j, "sample", hash_span(p->sample));
    if (p->spare) json_ku64(&j, "spare", p->spare);
    compose_end(&j);
}

void compose_audit_seed(struct buf *out, const struct hash *election, const struct hash *plan,
                        struct span digits, struct named_object draws, uint64_t size, uint64_t thrown_ms) {
    struct json_out j = compose_begin(out, REC_AUDIT_SEED);
    json_kspan(&j, "digits", digits);
    compose_object_if(&j, "draws", draws);
    compose_election(&j, election);
    json_khex(&j, "plan", hash_span(plan));
    json_ku64(&j, "size", size);
    json_ku64(&j, "thrown_ms", thrown_ms);
    compose_end(&j);
}

void compose_audit_round(struct buf *out, const struct hash *election, const struct hash *plan,
                         uint64_t size) {
    struct json_out j = compose_begin(out, REC_AUDIT_ROUND);
    compose_election(&j, election);
    json_khex(&j, "plan", hash_span(plan));
    json_ku64(&j, "size", size);
    compose_end(&j);
}

void compose_audit_seal(struct buf *out, const struct hash *election, const struct hash *plan,
                        struct span station, const struct hash *seal, bool targeted) {
    struct json_out j = compose_begin(out, REC_AUDIT_COUNT);
    compose_election(&j, election);
    json_khex(&j, "plan", hash_span(plan));
    json_khex(&j, "seal", hash_span(seal));
    json_kspan(&j, "station", station);
    if (targeted) json_kbool(&j, "targeted", true);
    compose_end(&j);
}

void compose_audit_counts(struct buf *out, bool lost, uint64_t rejected, const struct span *choices,
                          const uint64_t *votes, size_t n) {
    struct json_out j = json_out(out);
    if (lost) {
        json_str(&j, "lost");
        return;
    }
    json_object(&j);
    compose_figure(&j, "rejected", rejected);
    json_key(&j, "votes");
    json_object(&j);
    struct span last = {0};
    for (;;) { /* in bytewise order of their ids: a contest has few */
        size_t least = n;
        for (size_t i = 0; i < n; i++) {
            if (last.p && span_cmp(choices[i], last) <= 0) continue;
            if (least == n || span_cmp(choices[i], choices[least]) < 0) least = i;
        }
        if (least == n) break;
        last = choices[least];
        json_key_span(&j, last);
        json_u64(&j, votes[least]);
    }
    json_object_end(&j);
    json_object_end(&j);
}

void compose_audit_open(struct buf *out, const struct hash *election, const struct hash *of,
                        const uint8_t nonce[32], struct span counts) {
    struct json_out j = compose_begin(out, REC_AUDIT_COUNT);
    json_key(&j, "counts");
    json_raw(&j, counts);
    compose_election(&j, election);
    json_khex(&j, "nonce", span_of(nonce, 32));
    json_khex(&j, "of", hash_span(of));
    compose_end(&j);
}

void compose_audit_close(struct buf *out, const struct hash *election, const struct hash *plan,
                         enum audit_end says, struct named_object reason, struct named_object transcript) {
    struct json_out j = compose_begin(out, REC_AUDIT_CLOSE);
    compose_election(&j, election);
    json_khex(&j, "plan", hash_span(plan));
    compose_object_if(&j, "reason", reason);
    json_kstr(&j, "says", audit_end_name(says));
    compose_object_if(&j, "transcript", transcript);
    compose_end(&j);
}
