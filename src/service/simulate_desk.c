/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* After the night: every form is read twice by clerks who see neither the figures nor each other's
 * entry, and compared with its original; now and then somebody misreads. Planned from the state of the
 * log, so that it fits whatever the night left there. */
#include <stdlib.h>
#include "base/rng.h"
#include "crypto/secret.h"
#include "election/desk.h"
#include "election/rules.h"
#include "service/simulate_work.h"

enum {
    MISREAD_ONE_IN = 150, /* forms of which one clerk mistypes a figure: a third person reads */
    COPIED_ONE_IN = 4000, /* of which two clerks agree on the same wrong figure */
    MARKED_ONE_IN = 300,  /* originals with an irregularity */
};

struct sim_form {
    struct span contest, station;
    uint32_t officer; /* of the station's constituency: index */
    uint16_t round;
    bool compare;     /* a returning officer compares the original */
    struct hash image, held;
    struct span level; /* at which it is compared */
    const struct span *choices; /* ids of the round, ballot order */
    uint64_t *votes;
    uint32_t choice_count;
    uint64_t registered, valid, rejected, objected, disputed;
};

/* --- the plan --- */

static bool first_image(const struct fold *s, const struct cell *c, uint64_t entry, uint64_t *out) {
    uint32_t m = c->first_image;
    for (uint32_t i = c->first_result; i != NO_RESULT; i = fold_result(s, i)->next)
        if (fold_result(s, i)->entry == entry && fold_result(s, i)->first_image != NO_IMAGE)
            m = fold_result(s, i)->first_image;
    if (m == NO_IMAGE) return false;
    *out = fold_image(s, m)->entry;
    return true;
}

static const struct span *choice_ids(struct sim *s, const struct fold *fold, uint32_t contest,
                                     unsigned round, uint32_t *n) {
    const struct contest *k = fold_contest(fold, contest);
    struct span *ids = arena_array(&s->arena, k->choice_count + 1, sizeof *ids);
    *n = 0;
    for (uint32_t i = 0; ids && i < k->choice_count; i++)
        if (contest_has_choice(k, round, i))
            ids[(*n)++] = arena_copy(&s->arena, contest_choice(fold, k, i)->id);
    return ids;
}

static err plan_form(struct sim *s, const struct fold *fold, const struct cell *c,
                     const struct span *ids, uint32_t id_count, struct span level, struct sim_form *out,
                     bool *any, struct fail *f) {
    struct figures held;
    uint64_t entry, image;
    *any = cell_held(fold, c, &held, &entry) && first_image(fold, c, entry, &image);
    if (!*any) return OK;
    const struct contest *k = fold_contest(fold, c->contest);
    *out = (struct sim_form){.contest = arena_copy(&s->arena, k->id),
                             .station = arena_copy(&s->arena, fold_unit(fold, c->station)->code),
                             .round = c->round,
                             .compare = level.n > 0,
                             .image = fold_id(fold, image),
                             .held = fold_id(fold, entry),
                             .level = level,
                             .choices = ids,
                             .votes = arena_array(&s->arena, id_count + 1, sizeof *out->votes),
                             .choice_count = id_count,
                             .registered = held.registered,
                             .valid = held.valid,
                             .rejected = held.rejected,
                             .objected = held.objected,
                             .disputed = held.disputed};
    if (!out->votes) return fail_set(f, E_MEMORY, "no memory for the simulation");
    for (uint32_t i = 0, n = 0; i < k->choice_count; i++)
        if (contest_has_choice(k, c->round, i)) out->votes[n++] = held.votes[i];
    return sim_officer_of(s, fold_unit(fold, c->station)->code, &out->officer, f);
}

err sim_plan_desk(struct sim *s, const struct fold *fold, struct fail *f) {
    size_t room = fold_cell_count(fold);
    s->forms = arena_array(&s->arena, room + 1, sizeof *s->forms);
    s->form_count = 0;
    if (!s->forms) return fail_set(f, E_MEMORY, "no memory for the simulation");
    for (uint32_t k = 0; k < fold_contest_count(fold); k++) {
        const struct rule *rule = contest_rule(fold, k);
        unsigned round = fold_contest(fold, k)->round;
        uint32_t ids, cursor = 0, lowest;
        struct span level = {0};
        const struct span *id = choice_ids(s, fold, k, round, &ids);
        if (!id) return fail_set(f, E_MEMORY, "no memory for the simulation");
        if (rule->readings == 0) continue;
        if (contest_compare_level(fold, k, 0, &lowest) && lowest == s->officer_level)
            level = arena_copy(&s->arena, fold_definition(fold)->levels[lowest]);
        for (const struct cell *c; (c = fold_next_cell(fold, k, round, &cursor)) != NULL;) {
            bool any;
            TRY(plan_form(s, fold, c, id, ids, level, &s->forms[s->form_count], &any, f));
            if (any) s->form_count++;
        }
    }
    return OK;
}

/* --- the work --- */

struct reading_desk {
    const struct sim *s;
    struct sim_task *t;
    const struct sim_form *form;
    struct rng r;
    struct fail *f;
};

/* What a clerk makes of the form: the paper's figures, or with one digit gone wrong. */
static err read_form(struct reading_desk *d, bool wrong, uint32_t which, struct buf *out) {
    const struct sim_form *x = d->form;
    uint64_t votes[PRESET_CHOICES_MAX];
    struct compose_reading r;
    compose_reading_init(&r);
    for (uint32_t i = 0; i < x->choice_count; i++) votes[i] = x->votes[i];
    uint64_t *slip = &votes[which % x->choice_count];
    if (wrong && *slip != ABSENT) *slip = *slip < 100 ? *slip + 10 : *slip - 9; /* two digits exchanged */
    r.registered = x->registered;
    r.valid = x->valid;
    r.rejected = x->rejected;
    r.objected = x->objected;
    r.disputed = x->disputed;
    r.choices = x->choices;
    r.votes = votes;
    r.choice_count = x->choice_count;
    compose_reading(out, &r);
    return buf_ok(out, d->f);
}

/* SIMULATED: a clerk's nonce is drawn at random, and stays on the clerk's device until the opening. */
static void nonce_of(const struct reading_desk *d, unsigned clerk, uint8_t out[32]) {
    static const char domain[] = "hesabu/simulated-nonce/v1\n";
    uint8_t head[sizeof domain - 1 + 2 * HASH_BYTES + 1];
    memcpy(head, domain, sizeof domain - 1);
    memcpy(head + sizeof domain - 1, d->s->o.secret.b, HASH_BYTES);
    memcpy(head + sizeof domain - 1 + HASH_BYTES, d->form->image.b, HASH_BYTES);
    head[sizeof head - 1] = (uint8_t)clerk;
    struct hash h = sha256(span_of(head, sizeof head));
    memcpy(out, h.b, 32);
}

struct entry_ {
    uint8_t nonce[32];
    struct buf text;
    struct hash id; /* of the seal's record */
};

static err clerk_sign(struct reading_desk *d, unsigned clerk, struct hash *id, struct sim_step **step) {
    char name[SIM_NAME_MAX];
    struct note_signer key;
    const struct note_signer *by = &key;
    TRY(sim_signer(d->s, sim_clerk_name(d->s, d->form->officer, clerk, name), &key, d->f));
    err e = sim_sign(d->t, &by, 1, id, step, d->f);
    note_signer_wipe(&key);
    return e;
}

static err seal(struct reading_desk *d, unsigned clerk, bool wrong, uint32_t which, struct entry_ *e) {
    const struct sim_form *x = d->form;
    buf_init(&e->text, 8192);
    nonce_of(d, clerk, e->nonce);
    TRY(read_form(d, wrong, which, &e->text));
    struct hash sealed = seal_hash(e->nonce, buf_view(&e->text));
    char name[SIM_NAME_MAX];
    compose_seal(&d->t->text, &d->s->election, x->contest, x->round, x->station, &x->image,
                 sim_clerk_name(d->s, x->officer, clerk, name), &sealed);
    struct sim_step *step;
    TRY(clerk_sign(d, clerk, &e->id, &step));
    return OK;
}

static err open_seal(struct reading_desk *d, unsigned clerk, const struct entry_ *e,
                     struct sim_step **step) {
    compose_open(&d->t->text, &d->s->election, e->nonce, buf_view(&e->text), &e->id);
    return clerk_sign(d, clerk, NULL, step);
}

static err compare(struct reading_desk *d) {
    const struct sim_form *x = d->form;
    const struct note_signer *ro = &d->s->officers[x->officer];
    struct sim_step *step;
    uint32_t marks = 0;
    if (rng_below(&d->r, MARKED_ONE_IN) == 0) marks = UINT32_C(1) << rng_below(&d->r, MARK_COUNT);
    compose_compared(&d->t->text, &d->s->election, x->contest, x->round, x->station, x->level, &x->held,
                     marks, (struct span){0}, d->s->o.now_ms);
    TRY(sim_sign(d->t, &ro, 1, NULL, &step, d->f));
    if (marks) step->what = "the original was compared, with an irregularity seen (F_IRREGULAR)";
    return OK;
}

err sim_make_desk(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f) {
    struct reading_desk d = {.s = s, .t = t, .form = &s->forms[index], .f = f};
    struct entry_ e[3] = {0};
    struct sim_step *step;
    rng_init_stream(&d.r, s->o.seed + 2, index);
    unsigned first = (unsigned)rng_below(&d.r, SIM_CLERKS), second = (first + 1) % SIM_CLERKS;
    unsigned third = (first + 2) % SIM_CLERKS;
    uint32_t which = (uint32_t)rng_below(&d.r, 1000);
    bool usable = d.form->choice_count && s->o.troubles;
    bool copied = usable && rng_below(&d.r, COPIED_ONE_IN) == 0;
    bool misread = usable && !copied && rng_below(&d.r, MISREAD_ONE_IN) == 0 &&
                   d.form->votes[which % d.form->choice_count] != ABSENT;
    t->station = d.form->station;
    err code = seal(&d, first, copied || misread, which, &e[0]);
    if (code == OK) code = seal(&d, second, copied, which, &e[1]);
    if (code == OK) code = open_seal(&d, first, &e[0], &step);
    if (code == OK) code = open_seal(&d, second, &e[1], &step);
    if (code == OK && copied) step->what = "two clerks agree on a wrong figure: in question (F_READING_DIFFERS)";
    if (code == OK && misread) {
        step->what = "two clerks read the form differently: a third person reads it";
        code = seal(&d, third, false, which, &e[2]);
        if (code == OK) code = open_seal(&d, third, &e[2], &step);
    }
    if (code == OK && d.form->compare) code = compare(&d);
    for (int i = 0; i < 3; i++) buf_release(&e[i].text);
    return code;
}
