/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A station's night: form, result, image, and what goes wrong on the way. */
#include "base/rng.h"
#include "crypto/secret.h"
#include "service/form_image.h"
#include "service/simulate_work.h"

enum {
    SIGNED_BEFORE_MS = 120000, /* the form is signed so long before it arrives */
    FLOOD = 60,                /* events in a flood; the quota is less */
    WRONG_BY = 10,
    EVENTS_ONE_IN = 40,
    POSTED_ONE_IN = 20,
    SEEN_ONE_IN = 100,
};

/* The station's people. Keys are made when needed and wiped at the end. */
struct crew {
    char po_name[SIM_NAME_MAX], agent_name[SIM_SIDES][SIM_NAME_MAX];
    struct note_signer officer, agents[SIM_SIDES];
    bool signs[SIM_SIDES];
};

/* What one form says; beside it all is as in the expansion. */
struct form {
    uint64_t votes[PRESET_CHOICES_MAX];
    struct preset_cell valid;
    struct named_object original, shown;
    struct span original_bytes, shown_bytes;
    uint32_t masked[4];
};

struct night {
    const struct sim *s;
    struct sim_task *t;
    uint32_t figure;
    const struct expand_figures *g;
    const struct expand_station *station;
    const struct preset_contest *contest;
    struct crew crew;
    struct fail *f;
};

/* The party's agent signs if the form says so; a party without a candidate here sends one all the
 * same. */
static bool side_signs(const struct night *n, unsigned side) {
    struct span id = n->s->sides[side];
    for (uint32_t i = 0; i < n->contest->choice_count; i++)
        if (span_eq(n->contest->choices[i].party, id) || span_eq(n->contest->choices[i].id, id))
            return n->g->agents_signed >> i & 1;
    return true;
}

static err crew_open(struct night *n) {
    struct crew *c = &n->crew;
    struct span code = n->station->code;
    TRY(sim_signer(n->s, sim_name(c->po_name, "po", code), &c->officer, n->f));
    for (unsigned i = 0; i < SIM_SIDES; i++) {
        TRY(sim_signer(n->s, sim_agent_name(c->agent_name[i], n->s->sides[i], code), &c->agents[i],
                       n->f));
        c->signs[i] = side_signs(n, i);
    }
    return OK;
}

static void crew_close(struct night *n) {
    note_signer_wipe(&n->crew.officer);
    for (unsigned i = 0; i < SIM_SIDES; i++) note_signer_wipe(&n->crew.agents[i]);
}

/* --- forms --- */

static void form_right(const struct night *n, struct form *out) {
    *out = (struct form){.valid = n->g->valid};
    for (uint32_t i = 0; i < n->contest->choice_count; i++) out->votes[i] = n->g->votes[i];
}

/* Draws it; with no images nothing is drawn and form_count is 0. */
static err form_draw(struct night *n, struct form *m) {
    struct form_image image;
    struct sim_task *t = n->t;
    if (!n->s->o.images) return OK;
    form_image_of(n->s->o.x, n->figure, &image);
    image.votes = m->votes;
    image.valid = m->valid;
    buf_clear(&t->original);
    buf_clear(&t->shown);
    TRY(form_image_draw_both(&image, &t->original, &t->shown, m->masked, n->f));
    m->original_bytes = arena_copy(&t->arena, buf_view(&t->original));
    m->shown_bytes = arena_copy(&t->arena, buf_view(&t->shown));
    if (!m->original_bytes.p || !m->shown_bytes.p)
        return fail_set(n->f, E_MEMORY, "no memory for a form's image");
    m->original = (struct named_object){sha256(m->original_bytes), m->original_bytes.n};
    m->shown = (struct named_object){sha256(m->shown_bytes), m->shown_bytes.n};
    return OK;
}

/* --- results --- */

static uint64_t figure_or_absent(struct preset_cell c) {
    return c.present ? c.value : ABSENT;
}

static uint64_t signed_ms(const struct night *n) {
    return n->s->o.x->preset->poll_closes_ms + n->g->arrival_ms -
           (n->g->arrival_ms > SIGNED_BEFORE_MS ? SIGNED_BEFORE_MS : 0);
}

/* Into t->text. */
static void result_text(struct night *n, const struct form *m, struct compose_result *r,
                        const struct hash *supersedes, size_t count) {
    struct span ids[PRESET_CHOICES_MAX];
    const struct expand_figures *g = n->g;
    compose_result_init(r);
    for (uint32_t i = 0; i < n->contest->choice_count; i++) ids[i] = n->contest->choices[i].id;
    r->election = n->s->election;
    r->contest = n->contest->id;
    r->station = n->station->code;
    r->basis = BASIS_STATION;
    r->signed_ms = signed_ms(n);
    r->form = &m->original.id;
    r->form_count = n->s->o.images ? 1 : 0;
    r->supersedes = supersedes;
    r->supersedes_count = count;
    r->registered = figure_or_absent(n->station->registered);
    r->valid = figure_or_absent(m->valid);
    r->rejected = figure_or_absent(g->rejected);
    r->objected = figure_or_absent(g->objected);
    r->disputed = figure_or_absent(g->disputed);
    r->voters_kit = figure_or_absent(g->identified);
    if (n->s->trouble[n->figure] == T_VOTERS) r->voters_kit = m->valid.value - WRONG_BY;
    r->agents_present = (uint32_t)__builtin_popcountll(g->agents_present);
    r->agents_signed = (uint32_t)__builtin_popcountll(g->agents_signed);
    r->agents_refused = r->agents_present - r->agents_signed;
    r->choices = ids;
    r->votes = m->votes;
    r->choice_count = n->contest->choice_count;
    compose_result(&n->t->text, r);
}

static size_t result_signers(const struct night *n, const struct note_signer *officer,
                             const struct note_signer **out) {
    size_t count = 0;
    out[count++] = officer;
    for (unsigned i = 0; i < SIM_SIDES; i++)
        if (n->crew.signs[i]) out[count++] = &n->crew.agents[i];
    return count;
}

/* By the officer, instead of `count` earlier ones (ids, ascending). */
static err send_instead(struct night *n, const struct form *m, const struct hash *supersedes,
                        size_t count, struct hash *id, struct sim_step **step) {
    const struct note_signer *signers[1 + SIM_SIDES];
    struct compose_result r;
    result_text(n, m, &r, supersedes, count);
    return sim_sign(n->t, signers, result_signers(n, &n->crew.officer, signers), id, step, n->f);
}

static err send_result(struct night *n, const struct form *m, const struct note_signer *officer,
                       struct hash *id, struct sim_step **step) {
    const struct note_signer *signers[1 + SIM_SIDES];
    struct compose_result r;
    result_text(n, m, &r, NULL, 0);
    return sim_sign(n->t, signers, result_signers(n, officer, signers), id, step, n->f);
}

/* The id that the result has, or had, in the log. */
static err result_id(struct night *n, const struct form *m, struct hash *id) {
    struct compose_result r;
    result_text(n, m, &r, NULL, 0);
    TRY(buf_ok(&n->t->text, n->f));
    *id = sha256(buf_view(&n->t->text));
    buf_clear(&n->t->text);
    return OK;
}

static err send_image(struct night *n, const struct form *m, const struct note_signer *by,
                      const struct hash *result, struct sim_step **out) {
    struct sim_step *step;
    if (!n->s->o.images) return OK;
    struct compose_image c = {.election = n->s->election,
                              .contest = n->contest->id,
                              .station = n->station->code,
                              .kind = IMAGE_ORIGINAL,
                              .round = 1,
                              .page = 1,
                              .original = m->original,
                              .shown = m->shown,
                              .result = result,
                              .masked = &m->masked,
                              .masked_count = 1};
    compose_image(&n->t->text, &c);
    TRY(sim_sign(n->t, &by, 1, NULL, &step, n->f));
    step->objects[0] = (struct sim_object){OBJECT_RESTRICTED, m->original.id, m->original_bytes};
    step->objects[1] = (struct sim_object){OBJECT_PUBLIC, m->shown.id, m->shown_bytes};
    step->object_count = 2;
    if (out) *out = step;
    return OK;
}

static err send_event(struct night *n, const char *event, bool of_contest, uint64_t at_ms,
                      struct sim_step **out) {
    const struct note_signer *by = &n->crew.officer;
    compose_station_event(&n->t->text, &n->s->election, n->station->code, event,
                          of_contest ? n->contest->id : (struct span){0}, at_ms, UINT64_MAX);
    return sim_sign(n->t, &by, 1, NULL, out, n->f);
}

static err send_countersign(struct night *n, const struct note_signer *by, const struct hash *result,
                            bool objects, bool at_desk, struct sim_step **out) {
    compose_countersign(&n->t->text, &n->s->election, by->key.name, result, objects, at_desk,
                        (struct named_object){.size = UINT64_MAX});
    return sim_sign(n->t, &by, 1, NULL, out, n->f);
}

/* --- what goes wrong --- */

/* As it should be: result, image, now and then more. */
static err ordinary(struct night *n) {
    struct form m;
    struct hash id;
    struct rng r;
    uint64_t closes = n->s->o.x->preset->poll_closes_ms;
    rng_init_stream(&r, n->s->o.seed + 1, n->figure);
    form_right(n, &m);
    TRY(form_draw(n, &m));
    if (n->g->contest == 0 && rng_below(&r, EVENTS_ONE_IN) == 0) {
        TRY(send_event(n, "opened", false, n->s->o.x->preset->poll_opens_ms + rng_below(&r, 900000),
                       NULL));
        TRY(send_event(n, "closed", false, closes + rng_below(&r, 900000), NULL));
    }
    TRY(send_result(n, &m, &n->crew.officer, &id, NULL));
    TRY(send_image(n, &m, &n->crew.officer, &id, NULL));
    bool flooded = n->s->trouble[sim_first_figure(n->s, n->g->station)] == T_FLOOD;
    if (!flooded && rng_below(&r, POSTED_ONE_IN) == 0)
        TRY(send_event(n, "form-posted", true, signed_ms(n), NULL));
    if (n->g->contest == 0 && rng_below(&r, SEEN_ONE_IN) == 0)
        TRY(send_countersign(n, &n->s->parties[rng_below(&r, SIM_SIDES)], &id, false, true, NULL));
    return OK;
}

static err right_form_now(struct night *n, struct hash *id) {
    struct form m;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    TRY(send_result(n, &m, &n->crew.officer, id, NULL));
    return send_image(n, &m, &n->crew.officer, id, NULL);
}

static err sum_form(struct night *n, struct form *m) {
    form_right(n, m);
    m->valid.value += WRONG_BY;
    return form_draw(n, m);
}

static err trouble_sum(struct night *n, uint8_t part) {
    struct form wrong, right;
    struct hash id, next;
    struct sim_step *step;
    TRY(sum_form(n, &wrong));
    if (part == 0) {
        TRY(send_result(n, &wrong, &n->crew.officer, &id, &step));
        step->what = "the form's votes do not add up to its valid votes (finding F_SUM)";
        return send_image(n, &wrong, &n->crew.officer, &id, NULL);
    }
    TRY(result_id(n, &wrong, &id));
    form_right(n, &right);
    TRY(form_draw(n, &right));
    TRY(send_instead(n, &right, &id, 1, &next, &step));
    step->what = "the officer's corrected form replaces the one that did not add up";
    return send_image(n, &right, &n->crew.officer, &next, NULL);
}

/* The figures of the two largest choices, each in the other's row. */
static err exchanged_form(struct night *n, struct form *m) {
    uint32_t a = 0, b = 1;
    form_right(n, m);
    for (uint32_t i = 0; i < n->contest->choice_count; i++) {
        if (m->votes[i] > m->votes[a]) {
            b = a;
            a = i;
        } else if (i != a && m->votes[i] > m->votes[b]) {
            b = i;
        }
    }
    uint64_t votes = m->votes[a];
    if (votes == m->votes[b]) votes++; /* a tie: misread by one */
    m->votes[a] = m->votes[b];
    m->votes[b] = votes;
    return form_draw(n, m);
}

static err trouble_two(struct night *n, uint8_t part) {
    struct form wrong, right;
    struct hash id[2], next;
    struct sim_step *step;
    TRY(exchanged_form(n, &wrong));
    form_right(n, &right);
    TRY(form_draw(n, &right));
    if (part == 0) {
        TRY(send_result(n, &wrong, &n->crew.officer, &id[0], &step));
        step->what = "two candidates' figures were exchanged on the form";
        TRY(send_image(n, &wrong, &n->crew.officer, &id[0], NULL));
        TRY(send_result(n, &right, &n->crew.officer, &id[1], &step));
        step->what = "a second form, not linked to the first: neither counts (F_TWO_RESULTS)";
        return send_image(n, &right, &n->crew.officer, &id[1], NULL);
    }
    TRY(result_id(n, &wrong, &id[0]));
    TRY(result_id(n, &right, &id[1]));
    if (hash_cmp(&id[0], &id[1]) > 0) {
        next = id[0];
        id[0] = id[1];
        id[1] = next;
    }
    TRY(send_instead(n, &right, id, 2, &next, &step));
    step->what = "the officer's form that replaces both: the figures count";
    return send_image(n, &right, &n->crew.officer, &next, NULL);
}

/* Figures under the next station's code: the officer is not that station's. */
static err trouble_wrong(struct night *n) {
    const struct expansion *x = n->s->o.x;
    const struct note_signer *signers[1 + SIM_SIDES];
    struct compose_result r;
    struct form m;
    struct hash id;
    struct sim_step *step;
    const struct expand_station *own = n->station;
    uint32_t other = n->g->station + 1 < x->station_count ? n->g->station + 1 : n->g->station - 1;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    n->station = &x->stations[other];
    result_text(n, &m, &r, NULL, 0);
    n->station = own;
    TRY(sim_sign(n->t, signers, result_signers(n, &n->crew.officer, signers), NULL, &step, n->f));
    step->expect = E_SCOPE;
    step->what = "figures were sent under another station's code";
    return right_form_now(n, &id);
}

static err trouble_retry(struct night *n) {
    struct form m;
    struct hash id;
    struct sim_step *step;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    TRY(send_result(n, &m, &n->crew.officer, &id, &step));
    struct span note = step->note;
    TRY(sim_send(n->t, note, &step, n->f));
    step->duplicate = true;
    step->what = "the answer was lost, so the same record was sent again";
    return send_image(n, &m, &n->crew.officer, &id, NULL);
}

static err grant_deputy(struct night *n, const struct note_signer *deputy) {
    const struct note_signer *ro = sim_officer(n->s, n->station->unit);
    struct sim_step *step;
    TRY(sim_grant(n->s, n->t, ROLE_DEPUTY_PRESIDING_OFFICER, n->station->code, (struct span){0},
                  deputy, &ro, 1, &step, n->f));
    step->what = "the returning officer grants a key to the deputy";
    compose_acting(&n->t->text, &n->s->election, deputy->key.name, n->crew.officer.key.name, "died",
                   n->station->code);
    TRY(sim_sign(n->t, &deputy, 1, NULL, &step, n->f));
    step->what = "the deputy presiding officer acts";
    return OK;
}

static err trouble_died(struct night *n) {
    const struct note_signer *ro = sim_officer(n->s, n->station->unit);
    char name[SIM_NAME_MAX];
    struct note_signer deputy;
    struct form m;
    struct hash id;
    struct sim_step *step;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    compose_revoke(&n->t->text, &n->s->election, n->crew.officer.key.name, "died", UINT64_MAX);
    TRY(sim_sign(n->t, &ro, 1, NULL, &step, n->f));
    step->what = "the presiding officer died; the returning officer revokes the key";
    TRY(send_result(n, &m, &n->crew.officer, &id, &step));
    step->expect = E_REVOKED;
    step->what = "the revoked key was used";
    TRY(sim_signer(n->s, sim_name(name, "dpo", n->station->code), &deputy, n->f));
    err e = grant_deputy(n, &deputy);
    if (e == OK) e = send_result(n, &m, &deputy, &id, NULL);
    if (e == OK) e = send_image(n, &m, &deputy, &id, NULL);
    note_signer_wipe(&deputy);
    return e;
}

static err trouble_deputy(struct night *n) {
    char name[SIM_NAME_MAX];
    struct note_signer deputy;
    struct form m;
    struct hash id;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    TRY(sim_signer(n->s, sim_name(name, "dpo", n->station->code), &deputy, n->f));
    err e = send_result(n, &m, &deputy, &id, NULL);
    if (e == OK) e = send_image(n, &m, &deputy, &id, NULL);
    note_signer_wipe(&deputy);
    return e;
}

static err trouble_stripped(struct night *n) {
    const struct note_signer *po = &n->crew.officer;
    struct compose_result r;
    struct form m;
    struct hash id;
    struct sim_step *step;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    result_text(n, &m, &r, NULL, 0);
    TRY(sim_sign(n->t, &po, 1, &id, &step, n->f));
    step->what = "the agents' signature lines were lost on the way";
    n->crew.signs[0] = n->crew.signs[1] = true;
    TRY(send_result(n, &m, po, &id, &step));
    step->duplicate = true;
    step->what = "the whole record was sent again: the log adds the missing lines";
    return send_image(n, &m, po, &id, NULL);
}

static err trouble_offline(struct night *n) {
    struct sim_step *step;
    struct hash id;
    TRY(send_event(n, "network-down", false, n->s->o.x->preset->poll_closes_ms, &step));
    step->what = "no network at this station; its result comes last of all";
    return right_form_now(n, &id);
}

static err trouble_flood(struct night *n) {
    struct sim_step *step;
    struct hash id;
    uint64_t at = n->s->o.x->preset->poll_closes_ms;
    for (uint64_t i = 0; i < FLOOD; i++) {
        TRY(send_event(n, "delayed", false, at + i, &step));
        step->or_else = E_QUOTA;
        if (i == 0) step->what = "the key sends a flood of events: the quota stops it";
        if (i + 1 == FLOOD) {
            step->expect = E_QUOTA;
            step->what = "the last event of the flood";
        }
    }
    return right_form_now(n, &id);
}

static err trouble_forged(struct night *n) {
    struct form m;
    struct hash id;
    struct sim_step *step;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    TRY(send_result(n, &m, &n->crew.officer, &id, &step));
    step->expect = E_SIGNATURE;
    step->what = "a signature was forged";
    struct span line = step->note;
    /* the last line but its last characters: another signature of the right length */
    uint8_t *bytes = (uint8_t *)(uintptr_t)line.p;
    size_t at = line.n - 12;
    bytes[at] = bytes[at] == 'A' ? 'B' : 'A';
    return right_form_now(n, &id);
}

static err trouble_rehearsal(struct night *n) {
    struct sim rehearsal = *n->s;
    const struct sim *real = n->s;
    struct form m;
    struct hash id;
    struct sim_step *step;
    rehearsal.election = sha256(SPAN_LIT("SIMULATED: the rehearsal's manifest"));
    form_right(n, &m);
    TRY(form_draw(n, &m));
    n->s = &rehearsal;
    err e = send_result(n, &m, &n->crew.officer, &id, &step);
    n->s = real;
    TRY(e);
    step->expect = E_ELECTION;
    step->what = "a record of the rehearsal was sent to the election";
    return right_form_now(n, &id);
}

static err trouble_image(struct night *n, uint8_t part) {
    struct form m;
    struct hash id;
    struct sim_step *step;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    if (part == 0) {
        TRY(send_result(n, &m, &n->crew.officer, NULL, &step));
        step->what = "the figures came without the image: listed, not totalled (F_NO_IMAGE)";
        return OK;
    }
    TRY(result_id(n, &m, &id));
    TRY(send_image(n, &m, &n->crew.officer, &id, &step));
    step->what = "the missing image arrived: the figures count from now on";
    return OK;
}

static err trouble_objects(struct night *n) {
    struct sim_step *step;
    struct hash id;
    TRY(right_form_now(n, &id));
    TRY(send_countersign(n, &n->crew.agents[1], &id, true, false, &step));
    step->what = "an agent objects to the result; it stays listed (F_AGENT_OBJECTS)";
    return OK;
}

static err trouble_voters(struct night *n) {
    struct form m;
    struct hash id;
    struct sim_step *step;
    form_right(n, &m);
    TRY(form_draw(n, &m));
    TRY(send_result(n, &m, &n->crew.officer, &id, &step));
    step->what = "more ballots than voters identified; in question until somebody decides "
                 "(F_OVER_VOTERS)";
    return send_image(n, &m, &n->crew.officer, &id, NULL);
}

static err make(struct night *n, uint8_t part) {
    switch ((enum trouble)n->s->trouble[n->figure]) {
    case T_NONE: return ordinary(n);
    case T_SUM: return trouble_sum(n, part);
    case T_WRONG: return trouble_wrong(n);
    case T_RETRY: return trouble_retry(n);
    case T_TWO: return trouble_two(n, part);
    case T_DIED: return trouble_died(n);
    case T_STRIPPED: return trouble_stripped(n);
    case T_OFFLINE: return trouble_offline(n);
    case T_FLOOD: return trouble_flood(n);
    case T_FORGED: return trouble_forged(n);
    case T_REHEARSAL: return trouble_rehearsal(n);
    case T_IMAGE: return trouble_image(n, part);
    case T_OBJECTS: return trouble_objects(n);
    case T_DEPUTY: return trouble_deputy(n);
    case T_VOTERS: return trouble_voters(n);
    case T_COUNT: break;
    }
    return fail_set(n->f, E_INTERNAL, "no such trouble");
}

err sim_make_night(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f) {
    const struct expansion *x = s->o.x;
    const struct night_item *item = &s->night[index];
    const struct expand_figures *g = &x->figures[item->figure];
    struct night n = {.s = s, .t = t, .figure = item->figure, .g = g,
                      .station = &x->stations[g->station], .contest = &x->contests[g->contest],
                      .f = f};
    t->station = n.station->code;
    err e = crew_open(&n);
    if (e == OK) e = make(&n, item->part);
    crew_close(&n);
    return e;
}
