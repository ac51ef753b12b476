/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* seal, open (spec/records.md, 6.18, 6.19): two people transcribe one form and cannot fit one entry to
 * the other's, because both are bound by hash before either is shown. */
#include "election/compose.h"
#include "election/state.h"

const char *const mark_words[MARK_COUNT + 1] = {
    "adding-error",     "agent-signature-missing", "agent-signature-missing-no-reason",
    "cancelled",        "carbon",                  "countersigned",
    "damaged",          "illegible",               "missing-page",
    "no-officer-signature", "no-serial",           "no-stamp",
    "no-watermark",     "one-handwriting",         "overwritten",
    "photocopy",        "wrong-date",              "wrong-form",
    NULL};

/* --- the reading --- */

uint32_t read_marks(struct cj *r) {
    uint32_t marks = 0;
    int last = -1;
    cj_array(r);
    while (cj_element(r)) {
        struct span w = cj_code(r, 60);
        int i = 0;
        while (i < MARK_COUNT && !span_is(w, mark_words[i])) i++;
        if (cj_failed(r)) return 0;
        if (i == MARK_COUNT)
            cj_fail(r, E_FIELD, "\"%.*s\" is not an irregularity that can be marked", SPAN_ARG(w));
        else if (i <= last)
            cj_fail(r, E_CANONICAL, "the irregularities are not in ascending order");
        else
            marks |= UINT32_C(1) << i;
        last = i;
    }
    if (!cj_failed(r) && marks == 0) cj_fail(r, E_FIELD, "an empty list of irregularities; leave it out");
    return marks;
}

/* The figure that an illegible field would have; NULL: there is no such field. */
static const uint64_t *field_of(const struct fold *s, uint32_t contest, unsigned round, struct span name,
                                const struct form_reading *x, const uint64_t *votes) {
    const struct {
        const char *name;
        const uint64_t *at;
    } fixed[] = {{"ballots.disputed", &x->disputed}, {"ballots.objected", &x->objected},
                 {"ballots.registered", &x->registered}, {"ballots.rejected", &x->rejected},
                 {"ballots.valid", &x->valid}, {"voters.kit", &x->voters_kit},
                 {"voters.manual", &x->voters_manual}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (span_is(name, fixed[i].name)) return fixed[i].at;
    const struct contest *k = fold_contest(s, contest);
    if (name.n <= 6 || memcmp(name.p, "votes.", 6) != 0) return NULL;
    for (uint32_t i = 0; i < k->choice_count; i++)
        if (contest_has_choice(k, round, i) && span_eq(contest_choice(s, k, i)->id, span_from(name, 6)))
            return &votes[i];
    return NULL;
}

/* Fields that nobody can read: named, ascending, and left out of the figures. */
static err check_illegible(const struct fold *s, uint32_t contest, unsigned round,
                           const struct form_reading *x, const uint64_t *votes, struct fail *f) {
    struct cj r;
    struct span last = {0};
    cj_init(&r, x->illegible, f);
    cj_array(&r);
    while (cj_element(&r)) {
        struct span name = cj_code(&r, 60);
        if (cj_failed(&r)) break;
        const uint64_t *at = field_of(s, contest, round, name, x, votes);
        if (!at)
            cj_fail(&r, E_FIELD, "\"%.*s\" is not a field of this form", SPAN_ARG(name));
        else if (*at != ABSENT)
            cj_fail(&r, E_FIELD, "\"%.*s\" cannot be read and has a figure", SPAN_ARG(name));
        else if (last.p && span_cmp(last, name) >= 0)
            cj_fail(&r, E_CANONICAL, "the illegible fields are not in ascending order");
        last = name;
    }
    if (!cj_failed(&r) && !last.p) cj_fail(&r, E_FIELD, "an empty list of illegible fields; leave it out");
    return cj_end(&r);
}

err reading_parse(const struct fold *s, struct span json, uint32_t contest, unsigned round,
                  struct form_reading *x, uint64_t *votes, struct fail *f) {
    struct cj r;
    struct ballots b;
    *x = (struct form_reading){.voters_kit = ABSENT, .voters_manual = ABSENT, .seal = NO_SEAL};
    cj_init(&r, json, f);
    cj_object(&r);
    cj_need(&r, "ballots");
    read_ballots(&r, &b);
    if (cj_have(&r, "illegible")) x->illegible = cj_raw(&r);
    if (cj_have(&r, "marks")) x->marks = read_marks(&r);
    if (cj_have(&r, "serial")) {
        x->serial = cj_code(&r, 40);
        if (!cj_failed(&r) && x->serial.n == 0) cj_fail(&r, E_FIELD, "an empty serial number");
    }
    if (cj_have(&r, "voters")) read_voters(&r, &x->voters_kit, &x->voters_manual);
    cj_need(&r, "votes");
    read_votes(&r, s, contest, round, votes);
    cj_object_end(&r);
    TRY(cj_end(&r));
    x->registered = b.registered;
    x->valid = b.valid;
    x->rejected = b.rejected;
    x->objected = b.objected;
    x->disputed = b.disputed;
    return x->illegible.n ? check_illegible(s, contest, round, x, votes, f) : OK;
}

err desk_reading_check(const struct fold *s, uint32_t contest, unsigned round, struct span json,
                       struct fail *f) {
    struct form_reading x;
    uint64_t votes[MAX_CHOICES];
    return reading_parse(s, json, contest, round, &x, votes, f);
}

/* --- seal --- */

struct seal_fields {
    uint32_t contest, station, image, key;
    unsigned round;
    struct hash seal;
};

static err read_seal(struct ctx *c, struct seal_fields *v) {
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "contest");
    v->contest = read_contest(c);
    read_election(c);
    cj_need(r, "image");
    uint64_t entry = read_record(c);
    v->image = cj_failed(r) ? NO_IMAGE : state_ref(c->fold, entry, REC_IMAGE);
    if (!cj_failed(r) && v->image == NO_IMAGE)
        cj_fail(r, E_REFERENCE, "the record it names is not an image");
    cj_need(r, "key");
    v->key = read_key_name(c);
    cj_need(r, "round");
    v->round = (unsigned)cj_u64(r, MAX_ROUNDS);
    cj_need(r, "seal");
    cj_hex(r, v->seal.b, sizeof v->seal.b);
    cj_need(r, "station");
    v->station = read_station(c);
    cj_object_end(r);
    return cj_end(r);
}

static bool seal_known(const struct fold *s, const struct hash *h) {
    size_t cursor = 0;
    uint64_t at = state_hash(s, hash_span(h));
    for (uint32_t i; (i = table_next(&s->by_seal, at, &cursor)) != UINT32_MAX;)
        if (hash_eq(&fold_seal(s, i)->hash, h)) return true;
    return false;
}

static bool is_live(const struct ctx *c, uint32_t seal) {
    return seal != NO_SEAL &&
           state_seal_at(c->fold, fold_seal(c->fold, seal), c->ms, c->index) != SEAL_LAPSED;
}

static void set_deadline(struct ctx *c, uint32_t seal) {
    struct seal *x = vec_at(&c->fold->seals, seal);
    if (x->reading == NO_READING) JSET(&c->fold->journal, x->deadline_ms, c->ms + SEAL_OPEN_MS);
}

/* People's seals: enough of them may be opened now. */
static void people_sealed(struct ctx *c, const struct desk *d, unsigned wanted) {
    unsigned n = 0;
    for (int i = 0; i < 3; i++) n += is_live(c, d->slot[i]);
    if (n < wanted) return;
    for (int i = 0; i < 3; i++)
        if (is_live(c, d->slot[i])) set_deadline(c, d->slot[i]);
}

static bool people_opened(const struct fold *s, const struct desk *d, unsigned wanted) {
    uint32_t r[3];
    return desk_open(s, d, r) >= wanted;
}

static err add_seal(struct ctx *c, const struct seal_fields *v, uint32_t cell) {
    struct fold *s = c->fold;
    struct journal *j = &s->journal;
    struct desk *d;
    struct seal *x;
    uint32_t i = (uint32_t)s->seals.n, open[3];
    unsigned wanted = contest_rule(s, v->contest)->readings;
    TRY(state_desk(c, cell, &d));
    TRY(state_push(c, &s->seals, (void **)&x));
    bool machine = state_key(s, c->signers[0])->role == ROLE_MACHINE;
    *x = (struct seal){.hash = v->seal, .ms = c->ms, .deadline_ms = UINT64_MAX,
                       .entry = (uint32_t)c->index, .reading = NO_READING, .cell = cell,
                       .key = c->signers[0], .image = v->image, .next = NO_SEAL, .machine = machine,
                       .blind = desk_open(s, d, open) == 0};
    if (d->last_seal == NO_SEAL)
        JSET(j, d->first_seal, i);
    else
        JSET(j, ((struct seal *)vec_at(&s->seals, d->last_seal))->next, i);
    JSET(j, d->last_seal, i);
    TRY(state_index(c, &s->by_seal, state_hash(s, hash_span(&v->seal)), i));
    c->ref = i;
    if (machine) {
        JSET(j, d->machine, i);
        if (people_opened(s, d, wanted)) set_deadline(c, i);
        return OK;
    }
    bool third = people_opened(s, d, 2);
    int at = 0;
    while (at < 2 && is_live(c, d->slot[at])) at++;
    JSET(j, d->slot[at], i);
    if (third)
        set_deadline(c, i);
    else
        people_sealed(c, d, wanted);
    return state_holder_sealed(c, cell, c->signers[0], i);
}

err seal_apply(struct ctx *c) {
    struct seal_fields v = {0};
    TRY(read_seal(c, &v));
    const struct fold *s = c->fold;
    uint32_t cell = fold_image(s, v.image)->cell;
    const struct cell *k = fold_cell_at(s, cell);
    if (k->contest != v.contest || k->station != v.station || k->round != v.round)
        return fail_set(c->f, E_REFERENCE, "the image it names is of another station, contest or round");
    if (c->signer_count != 1 || c->signers[0] != v.key)
        return fail_set(c->f, E_LINES, "a reading is one person's: the key it names signs it, alone");
    TRY(signers_in_scope(c, v.station, v.contest));
    if (seal_known(s, &v.seal))
        return fail_set(c->f, E_STATE, "this seal was logged before: every reading has a nonce of its own");
    TRY(state_may_seal(s, k, cell, c->signers[0], c->ms, c->index, c->f));
    return add_seal(c, &v, cell);
}

/* --- open --- */

static err check_open(struct ctx *c, const struct seal *x, const uint8_t nonce[32], struct span reading) {
    struct hash is = seal_hash(nonce, reading);
    if (!hash_eq(&is, &x->hash))
        return fail_set(c->f, E_SEAL, "nonce and reading do not give the seal of entry %u", x->entry);
    return OK;
}

static err may_open(struct ctx *c, const struct seal *x) {
    const struct fold *s = c->fold;
    if (c->signer_count != 1)
        return fail_set(c->f, E_LINES, "an opening is signed by one key: the one that sealed");
    if (c->signers[0] != x->key)
        return fail_set(c->f, E_SCOPE, "the seal is of the key %.*s, which alone may open it",
                        SPAN_ARG(state_key(s, x->key)->name));
    if (x->reading != NO_READING)
        return fail_set(c->f, E_STATE, "it is open already (entry %u)", fold_reading(s, x->reading)->entry);
    if (x->deadline_ms == UINT64_MAX)
        return fail_set(c->f, E_STATE, x->machine ? "the machine's reading opens after the people's"
                                                  : "the other reading is not sealed yet");
    if (c->ms > x->deadline_ms)
        return fail_set(c->f, E_STATE, "the seal lapsed: it was not opened within 30 minutes");
    return OK;
}

err open_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    uint8_t nonce[32] = {0};
    uint64_t votes[MAX_CHOICES];
    struct form_reading x;
    cj_object(r);
    read_election(c);
    cj_need(r, "nonce");
    cj_hex(r, nonce, sizeof nonce);
    cj_need(r, "reading");
    struct span reading = cj_raw(r);
    cj_need(r, "seal");
    uint64_t entry = read_record(c);
    uint32_t i = cj_failed(r) ? NO_SEAL : state_ref(s, entry, REC_SEAL);
    if (!cj_failed(r) && i == NO_SEAL) cj_fail(r, E_REFERENCE, "the record it names is not a seal");
    cj_object_end(r);
    TRY(cj_end(r));
    struct seal *seal = vec_at(&s->seals, i);
    const struct cell *k = fold_cell_at(s, seal->cell);
    c->out->station = k->station;
    c->out->contest = k->contest;
    TRY(reading_parse(s, reading, k->contest, k->round, &x, votes, c->f));
    TRY(may_open(c, seal));
    TRY(check_open(c, seal, nonce, reading));
    x.entry = (uint32_t)c->index;
    x.cell = seal->cell;
    x.seal = i;
    uint32_t at;
    TRY(state_reading_add(c, &x, votes, &at));
    c->ref = at;
    JSET(&s->journal, seal->reading, at);
    JSET(&s->journal, seal->opened_ms, c->ms);
    struct desk *d = vec_at(&s->desks, k->desk_plus_1 - 1);
    if (!seal->machine && d->machine != NO_SEAL && is_live(c, d->machine) &&
        people_opened(s, d, contest_rule(s, k->contest)->readings))
        set_deadline(c, d->machine);
    return OK;
}
