/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The end of a simulated election: for each contest whose table gives an outcome, an override that
 * lists what is still open, and the declaration, bound to a checkpoint that witnesses have cosigned;
 * beside it each commissioner's word. */
#include <stdlib.h>
#include "crypto/secret.h"
#include "election/compose_law.h"
#include "election/compose_voices.h"
#include "election/gate.h"
#include "service/simulate_work.h"
#include "tlog/checkpoint.h"

struct sim_contest {
    struct span id, declarer; /* the declarer's key, by name */
    uint16_t round;
    bool national;
    struct hash collation, override;
    bool has_override;
    struct compose_override_item items[GATE_COUNT];
    size_t item_count;
    enum outcome_kind outcome;
    const struct span *choices;
    size_t choice_count;
};

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "no memory for the simulation");
}

/* --- the plan --- */

static err declarer_name(struct sim *s, const struct fold *fold, uint32_t contest, struct span *out,
                         struct fail *f) {
    char name[SIM_NAME_MAX];
    uint32_t unit = contest_declarer_unit(fold, contest);
    bool chair = contest_rule(fold, contest)->declarer == ROLE_NATIONAL_RETURNING_OFFICER;
    *out = arena_copy(&s->arena, chair ? SPAN_LIT("chair") : sim_name(name, "ro", fold_unit(fold, unit)->code));
    return out->p ? OK : no_memory(f);
}

static err outcome_choices(struct sim *s, const struct fold *fold, uint32_t contest,
                           const struct outcome *o, struct sim_contest *x, struct fail *f) {
    const struct contest *k = fold_contest(fold, contest);
    struct span *ids = arena_array(&s->arena, k->choice_count + 1, sizeof *ids);
    if (!ids) return no_memory(f);
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (outcome_has(o, c)) ids[x->choice_count++] = arena_copy(&s->arena, contest_choice(fold, k, c)->id);
    x->choices = ids;
    x->outcome = o->kind;
    return OK;
}

/* *any: it can be declared. */
static err plan_contest(struct sim *s, const struct fold *fold, const struct findings *fi, uint32_t contest,
                        struct arena *a, struct sim_contest *x, bool *any, struct fail *f) {
    const struct contest *k = fold_contest(fold, contest);
    struct outcome o;
    struct gate gate;
    *any = false;
    uint32_t i = fold_collation_of(fold, contest, k->round, k->unit);
    if (i == NO_COLLATION || declaration_of(fold, contest, k->round) != NO_DECLARATION) return OK;
    TRY(collation_outcome(fold, fold_collation(fold, i), a, &o, f));
    if (!outcome_declarable(&o)) return OK;
    TRY(gate_compute(fold, fi, contest, k->round, a, &gate, f));
    *x = (struct sim_contest){.id = arena_copy(&s->arena, k->id),
                              .round = k->round,
                              .national = k->unit == 0,
                              .collation = fold_id(fold, fold_collation(fold, i)->entry)};
    for (int c = 0; c < GATE_COUNT; c++)
        if (gate.items[c].count)
            x->items[x->item_count++] = (struct compose_override_item){gate_name((enum gate_code)c),
                                                                      gate.items[c].count};
    TRY(declarer_name(s, fold, contest, &x->declarer, f));
    TRY(outcome_choices(s, fold, contest, &o, x, f));
    *any = true;
    return OK;
}

err sim_plan_declarations(struct sim *s, const struct fold *fold, struct fail *f) {
    struct findings fi;
    struct arena a;
    arena_init(&a, (size_t)2 << 30);
    s->contest_count = 0;
    s->contests = arena_array(&s->arena, fold_contest_count(fold) + 1, sizeof *s->contests);
    err e = s->contests ? findings_compute(fold, &a, &fi, f) : no_memory(f);
    for (uint32_t k = 0; k < fold_contest_count(fold) && e == OK; k++) {
        bool any;
        e = plan_contest(s, fold, &fi, k, &a, &s->contests[s->contest_count], &any, f);
        if (e == OK && any) s->contest_count++;
    }
    arena_release(&a);
    return e;
}

err sim_bind_checkpoint(struct sim *s, struct span checkpoint, struct fail *f) {
    struct checkpoint c;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    s->checkpoint = arena_copy(&s->arena, checkpoint);
    if (!s->checkpoint.p) return no_memory(f);
    TRY(note_split(s->checkpoint, &note, lines, NOTE_LINES_MAX, f));
    TRY(checkpoint_parse(note.text, &c, f));
    s->bound_size = c.size;
    s->bound_root = c.root;
    return OK;
}

/* --- the work --- */

static const char basis_text[] =
    "SIMULATED. What this override lists was open when the contest was declared: stations that sent nothing, "
    "figures above the register, a national form whose sums are not those of its rows. The law names a day by "
    "which a result is declared; the record of what was open stands beside the declaration for the court.\n";

static const char notice_text[] =
    "SIMULATED: how to contest this result\n\n"
    "A petition about the presidential election goes to the Supreme Court within seven days of the declaration. "
    "The court's order is answered from this log ('hesabu bundle'). The real presidential election of 8 August "
    "2017 was annulled on 1 September 2017.\n";

static struct named_object object_of(struct span bytes) {
    return (struct named_object){sha256(bytes), bytes.n};
}

static err sign_as(const struct sim *s, struct span name, struct sim_task *t, struct hash *id,
                   struct sim_step **step, struct fail *f) {
    struct note_signer key;
    const struct note_signer *by = &key;
    TRY(sim_signer(s, name, &key, f));
    err e = sim_sign(t, &by, 1, id, step, f);
    note_signer_wipe(&key);
    return e;
}

static err override_text(const struct sim *s, const struct sim_contest *x, struct sim_task *t) {
    compose_override(&t->text, &s->election, x->id, x->round, object_of(span_text(basis_text)), x->items,
                     x->item_count);
    return OK;
}

err sim_make_override(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f) {
    const struct sim_contest *x = &s->contests[index];
    struct sim_step *step;
    t->station = x->id;
    if (x->item_count == 0) return OK;
    TRY(override_text(s, x, t));
    TRY(sign_as(s, x->declarer, t, NULL, &step, f));
    struct named_object basis = object_of(span_text(basis_text));
    step->objects[step->object_count++] = (struct sim_object){OBJECT_PUBLIC, basis.id, span_text(basis_text)};
    step->what = "the gate is shut: the declarer's override lists every item that is open";
    return OK;
}

static err commissioners_words(const struct sim *s, const struct hash *declaration, struct sim_task *t,
                               struct fail *f) {
    struct sim_step *step;
    for (unsigned i = 0; i < SIM_COMMISSIONERS; i++) {
        bool dissents = s->o.troubles && i + 1 == SIM_COMMISSIONERS;
        compose_dissent(&t->text, &s->election, declaration, s->commissioners[i].key.name, dissents, (struct named_object){.size = UINT64_MAX});
        TRY(sign_as(s, s->commissioners[i].key.name, t, NULL, &step, f));
        if (dissents) step->what = "a commissioner dissents; it stands beside the declaration";
    }
    struct compose_notice n = {.election = s->election,
                               .kind = "statement",
                               .lang = SPAN_LIT("en"),
                               .text = object_of(span_text(notice_text))};
    compose_notice(&t->text, &n);
    TRY(sign_as(s, s->commissioners[0].key.name, t, NULL, &step, f));
    step->objects[step->object_count++] = (struct sim_object){OBJECT_PUBLIC, n.text.id, span_text(notice_text)};
    return OK;
}

err sim_make_declaration(const struct sim *s, uint64_t index, struct sim_task *t, struct fail *f) {
    const struct sim_contest *x = &s->contests[index];
    struct compose_declaration d = {.election = s->election,
                                    .root = s->bound_root,
                                    .certificate.size = UINT64_MAX,
                                    .checkpoint = object_of(s->checkpoint),
                                    .collation = &x->collation,
                                    .contest = x->id,
                                    .round = x->round,
                                    .size = s->bound_size,
                                    .kind = x->outcome,
                                    .choices = x->choices,
                                    .choice_count = x->choice_count};
    struct hash override, id;
    struct sim_step *step;
    t->station = x->id;
    if (x->item_count) { /* the override's text gives its id */
        TRY(override_text(s, x, t));
        TRY(buf_ok(&t->text, f));
        override = sha256(buf_view(&t->text));
        buf_clear(&t->text);
        d.override = &override;
    }
    compose_declaration(&t->text, &d);
    TRY(sign_as(s, x->declarer, t, &id, &step, f));
    step->objects[step->object_count++] = (struct sim_object){OBJECT_PUBLIC, d.checkpoint.id, s->checkpoint};
    step->what = x->item_count ? "declared, by an override that lists what is open" : "declared";
    return x->national ? commissioners_words(s, &id, t, f) : OK;
}
