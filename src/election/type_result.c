/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* result (spec/records.md, 6.6): one contest's figures at one station, as counted there or as
 * adopted from its paper form. signatures (6.7) adds lines to it, countersign (6.8) comments on it. */
#include "election/state.h"

static uint64_t optional_figure(struct cj *r, const char *key) {
    return cj_have(r, key) ? cj_u64(r, FIGURE_MAX) : ABSENT;
}

static uint32_t optional_count(struct cj *r, const char *key) {
    return cj_have(r, key) ? (uint32_t)cj_u64(r, 100000) : UINT32_MAX;
}

static void read_agents(struct cj *r, struct result *x) {
    cj_object(r);
    x->agents_present = optional_count(r, "present");
    x->agents_refused = optional_count(r, "refused");
    x->agents_signed = optional_count(r, "signed");
    cj_object_end(r);
}

void read_ballots(struct cj *r, struct ballots *x) {
    cj_object(r);
    x->disputed = optional_figure(r, "disputed");
    x->objected = optional_figure(r, "objected");
    x->registered = optional_figure(r, "registered");
    x->rejected = optional_figure(r, "rejected");
    x->valid = optional_figure(r, "valid");
    cj_object_end(r);
}

void read_voters(struct cj *r, uint64_t *kit, uint64_t *manual) {
    cj_object(r);
    *kit = optional_figure(r, "kit");
    *manual = optional_figure(r, "manual");
    cj_object_end(r);
}

enum { FORMS_MAX = 8, SUPERSEDES_MAX = 8 };

static void read_form(struct ctx *c, struct result *x, struct hash *forms) {
    struct cj *r = &c->json;
    cj_array(r);
    while (cj_element(r)) {
        if (x->form_count == FORMS_MAX) {
            cj_fail(r, E_RANGE, "more than %d pages", FORMS_MAX);
            return;
        }
        cj_hex(r, forms[x->form_count++].b, sizeof forms->b);
    }
}

void read_votes(struct cj *r, const struct fold *s, uint32_t contest, unsigned round, uint64_t *votes) {
    struct span key;
    const struct contest *k = contest == NO_CONTEST ? NULL : fold_contest(s, contest);
    uint32_t guess = 0;
    if (!k) return;
    for (uint32_t i = 0; i < k->choice_count; i++) votes[i] = ABSENT;
    cj_object(r);
    while (cj_any_key(r, &key)) {
        uint64_t v = cj_u64(r, FIGURE_MAX);
        if (cj_failed(r)) return;
        uint32_t n = 0;
        while (n < k->choice_count && !span_eq(contest_choice(s, k, guess)->id, key)) {
            guess = (guess + 1) % k->choice_count;
            n++;
        }
        if (n == k->choice_count || !contest_has_choice(k, round, guess)) {
            cj_fail(r, E_CHOICE, "\"%.*s\" is not a choice of the contest in this round",
                    SPAN_ARG(key));
            return;
        }
        votes[guess] = v;
    }
}

struct fields {
    unsigned basis, round;
    uint32_t contest, station;
    uint64_t definition;
    bool recount; /* by law, with the object that says so */
    uint64_t supersedes[SUPERSEDES_MAX]; /* entries; the first supersedes_count */
    uint32_t supersedes_count;
    struct hash forms[FORMS_MAX];
    uint64_t votes[MAX_CHOICES]; /* the first choice_count are filled in */
};

/* Ids of results in ascending order: most often one; several where unlinked forms stood side by side
 * and the officer says which figures hold. */
static void read_supersedes(struct ctx *c, struct fields *v) {
    struct cj *r = &c->json;
    struct hash last = {0};
    cj_array(r);
    while (cj_element(r)) {
        if (v->supersedes_count == SUPERSEDES_MAX) {
            cj_fail(r, E_RANGE, "more than %d results are superseded at once", SUPERSEDES_MAX);
            return;
        }
        uint64_t entry = read_record(c);
        if (cj_failed(r)) return;
        struct hash id = fold_id(c->fold, entry);
        if (v->supersedes_count && hash_cmp(&last, &id) >= 0) {
            cj_fail(r, E_CANONICAL, "the superseded results are not in ascending order");
            return;
        }
        last = id;
        v->supersedes[v->supersedes_count++] = entry;
    }
    if (!cj_failed(r) && v->supersedes_count == 0)
        cj_fail(r, E_FIELD, "an empty list of superseded results; leave it out");
}

static err read_result(struct ctx *c, struct fields *v, struct result *x) {
    static const char *const bases[] = {"station", "paper", NULL};
    struct cj *r = &c->json;
    v->supersedes_count = 0;
    cj_object(r);
    x->agents_present = x->agents_refused = x->agents_signed = UINT32_MAX;
    if (cj_have(r, "agents")) read_agents(r, x);
    struct ballots b;
    cj_need(r, "ballots");
    read_ballots(r, &b);
    x->disputed = b.disputed;
    x->objected_votes = b.objected;
    x->registered = b.registered;
    x->rejected = b.rejected;
    x->valid = b.valid;
    cj_need(r, "basis");
    v->basis = read_word(c, bases);
    cj_need(r, "contest");
    v->contest = read_contest(c);
    cj_need(r, "definition");
    v->definition = cj_u64(r, UINT32_MAX);
    read_election(c);
    if (cj_have(r, "form")) read_form(c, x, v->forms);
    v->recount = cj_have(r, "recount");
    if (v->recount) (void)read_object_ref(c, false);
    cj_need(r, "round");
    v->round = (unsigned)cj_u64(r, MAX_ROUNDS);
    if (!cj_failed(r) && v->round != fold_contest(c->fold, v->contest)->round)
        cj_fail(r, E_ROUND, "a result of round %u; the contest is in round %u", v->round,
                fold_contest(c->fold, v->contest)->round);
    if (cj_have(r, "serial")) {
        x->serial = cj_code(r, 40);
        if (!cj_failed(r) && x->serial.n == 0) cj_fail(r, E_FIELD, "an empty serial number");
    }
    cj_need(r, "signed_ms");
    x->signed_ms = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "station");
    v->station = read_station(c);
    if (cj_have(r, "supersedes")) read_supersedes(c, v);
    x->voters_kit = x->voters_manual = ABSENT;
    if (cj_have(r, "voters")) read_voters(r, &x->voters_kit, &x->voters_manual);
    cj_need(r, "votes");
    read_votes(r, c->fold, v->contest, v->round, v->votes);
    cj_object_end(r);
    return cj_end(r);
}

/* The contest is held at this station, in this round, under this definition. */
static err check_contest(struct ctx *c, const struct fields *v) {
    const struct fold *s = c->fold;
    const struct contest *k = fold_contest(s, v->contest);
    if (!unit_within(s, v->station, k->unit))
        return fail_set(c->f, E_CONTEST, "the contest %.*s is not held at station %.*s",
                        SPAN_ARG(k->id), SPAN_ARG(fold_unit(s, v->station)->code));
    uint32_t since = fold_unit(s, v->station)->since;
    if (since < k->changed) since = k->changed;
    if (v->definition > s->def.version || v->definition < since)
        return fail_set(c->f, E_DEFINITION,
                        "made under definition %llu; those of %u to %u can be at this station",
                        (unsigned long long)v->definition, since, s->def.version);
    enum contest_state state = contest_state_at(s, v->contest, v->station);
    if (state != CONTEST_OPEN)
        return fail_set(c->f, E_STATE,
                        "the contest is %s at this station",
                        state == CONTEST_POSTPONED   ? "postponed"
                        : state == CONTEST_CANCELLED ? "cancelled"
                        : state == CONTEST_UNOPPOSED ? "unopposed"
                                                     : "annulled");
    return OK;
}

/* Who must have signed, by basis; *answers is the officer's key. */
static err check_signers(struct ctx *c, const struct fields *v, uint32_t *answers) {
    TRY(signers_in_scope(c, v->station, v->contest));
    if (v->basis == BASIS_STATION) {
        *answers = signer_in_role(c, ROLE_PRESIDING_OFFICER, v->station);
        if (*answers == NO_KEY)
            return fail_set(c->f, E_ROLE, "not signed by the station's presiding officer, nor by a "
                                          "deputy with an acting record");
        return OK;
    }
    *answers = signer_in_role(c, ROLE_RETURNING_OFFICER, v->station);
    if (*answers == NO_KEY)
        return fail_set(c->f, E_ROLE, "a result from paper is signed by the returning officer");
    const struct hash *holder = &state_key(c->fold, *answers)->holder;
    for (size_t i = 0; i < c->signer_count; i++) {
        if (c->signers[i] == NO_KEY) continue;
        const struct key *k = state_key(c->fold, c->signers[i]);
        bool second = k->role == ROLE_DEPUTY_RETURNING_OFFICER || k->role == ROLE_CLERK ||
                      k->role == ROLE_RETURNING_OFFICER;
        if (second && !hash_eq(&k->holder, holder)) return OK;
    }
    return fail_set(c->f, E_THRESHOLD, "a result from paper needs a second officer's signature");
}

static err check_superseded(struct ctx *c, const struct fields *v, uint64_t entry, uint32_t *old) {
    uint32_t i = result_of_entry(c->fold, entry);
    const struct result *o = i == NO_RESULT ? NULL : fold_result(c->fold, i);
    const struct cell *cell = o ? vec_at(&c->fold->cells, o->cell) : NULL;
    if (!cell || cell->contest != v->contest || cell->station != v->station ||
        cell->round != v->round)
        return fail_set(c->f, E_REFERENCE,
                        "it supersedes a record that is no result of this contest and station");
    if (o->superseded_by != NO_RESULT)
        return fail_set(c->f, E_SUPERSEDE, "the result it supersedes is superseded already");
    *old = i;
    if (v->recount) return OK; /* whatever stands, posted or not */
    if (v->basis != BASIS_STATION || o->basis != BASIS_STATION)
        return fail_set(c->f, E_SUPERSEDE, "only the presiding officer's own form can be superseded "
                                           "in this way; other differences are for a decision");
    if (cell->posted)
        return fail_set(c->f, E_SUPERSEDE, "the station's form is posted: its figures are final");
    return OK;
}

/* A recount replaces a station's figures only where the contest's rule has recounts: elsewhere nobody
 * puts new figures in the place of the station's. */
static err check_recount(struct ctx *c, const struct fields *v) {
    if (!v->recount) return OK;
    if (!contest_rule(c->fold, v->contest)->recounts)
        return fail_set(c->f, E_STATE, "under this contest's rule no recount replaces a station's figures");
    if (v->basis != BASIS_PAPER || v->supersedes_count == 0)
        return fail_set(c->f, E_FIELD, "a recount is a result from paper, and names the results that it replaces");
    return OK;
}

/* The results that this one replaces, into old[v->supersedes_count]. */
static err check_supersedes(struct ctx *c, const struct fields *v, uint32_t *old) {
    for (uint32_t i = 0; i < v->supersedes_count; i++)
        TRY(check_superseded(c, v, v->supersedes[i], &old[i]));
    return OK;
}

static err add_result(struct ctx *c, const struct fields *v, struct result *x, const uint32_t *old) {
    struct fold *s = c->fold;
    struct journal *j = &s->journal;
    uint32_t choices = fold_contest(s, v->contest)->choice_count, i = (uint32_t)s->results.n;
    TRY(state_cell(c, v->contest, v->round, v->station, &x->cell));
    journal_vec(j, &s->votes);
    uint64_t *votes = vec_push_run(&s->votes, choices, &x->votes_at);
    journal_vec(j, &s->forms);
    struct hash *forms = vec_push_run(&s->forms, x->form_count, &x->form_at);
    if (!votes || !forms) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    memcpy(votes, v->votes, choices * sizeof *votes);
    if (x->form_count) memcpy(forms, v->forms, x->form_count * sizeof *forms);
    if (x->serial.n) {
        x->serial = arena_copy(&s->arena, x->serial);
        if (!x->serial.p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    }
    struct result *to;
    TRY(state_push(c, &s->results, (void **)&to));
    *to = *x;
    struct cell *cell = vec_at(&s->cells, x->cell);
    if (cell->last_result == NO_RESULT)
        JSET(j, cell->first_result, i);
    else
        JSET(j, ((struct result *)vec_at(&s->results, cell->last_result))->next, i);
    JSET(j, cell->last_result, i);
    JSET(j, cell->current, cell->current + 1 - v->supersedes_count);
    for (uint32_t n = 0; n < v->supersedes_count; n++)
        JSET(j, ((struct result *)vec_at(&s->results, old[n]))->superseded_by, i);
    c->ref = i;
    for (size_t n = 0; n < c->signer_count; n++) {
        TRY(state_signed_add(c, c->index, c->signers[n]));
        TRY(state_holder_signed(c, x->cell, c->signers[n]));
        if (state_key(s, c->signers[n])->role == ROLE_AGENT) to->keys_signed++;
    }
    return OK;
}

err result_apply(struct ctx *c) {
    struct fields v; /* filled by read_result: too large to be cleared each time */
    struct result x = {.entry = c->index, .ms = c->ms, .next = NO_RESULT,
                       .superseded_by = NO_RESULT, .first_image = NO_IMAGE};
    uint32_t old[SUPERSEDES_MAX];
    TRY(read_result(c, &v, &x));
    TRY(check_contest(c, &v));
    TRY(check_signers(c, &v, &x.signer));
    TRY(check_recount(c, &v));
    TRY(check_supersedes(c, &v, old));
    x.recount = v.recount;
    x.basis = (uint8_t)v.basis;
    for (size_t n = 0; n < c->signer_count; n++)
        if (c->signers[n] == x.signer) c->out->signer = c->rec->lines[n].name;
    if (v.basis == BASIS_PAPER && x.form_count == 0)
        return fail_set(c->f, E_FIELD, "a result from paper names the image of its form");
    return add_result(c, &v, &x, old);
}

/* The result that a record's field names by id; NO_RESULT after an error. */
static uint32_t read_result_ref(struct ctx *c, const char *what) {
    uint64_t entry = read_record(c);
    if (cj_failed(&c->json)) return NO_RESULT;
    uint32_t i = result_of_entry(c->fold, entry);
    if (i == NO_RESULT) {
        cj_fail(&c->json, E_REFERENCE, "%s", what);
        return NO_RESULT;
    }
    const struct cell *cell = vec_at(&c->fold->cells, fold_result(c->fold, i)->cell);
    c->out->station = cell->station;
    c->out->contest = cell->contest;
    return i;
}

/* The log's own record of lines that arrived with a retry. Each is a check over the original text. */
err signatures_apply(struct ctx *c) {
    struct cj *r = &c->json;
    struct fold *s = c->fold;
    struct span lines[NOTE_LINES_MAX];
    size_t n = 0;
    cj_object(r);
    read_election(c);
    cj_need(r, "lines");
    cj_array(r);
    while (cj_element(r)) {
        if (n == NOTE_LINES_MAX) {
            cj_fail(r, E_RANGE, "more than %d lines", NOTE_LINES_MAX);
            break;
        }
        lines[n++] = cj_code(r, 400);
    }
    cj_need(r, "record");
    uint32_t i = read_result_ref(c, "signature lines can be added to results only");
    cj_object_end(r);
    TRY(cj_end(r));
    if (n == 0) return fail_set(c->f, E_FIELD, "no signature lines");
    struct result *x = vec_at(&s->results, i);
    const struct cell *cell = vec_at(&s->cells, x->cell);
    for (size_t k = 0; k < n; k++) {
        if (k && span_cmp(lines[k - 1], lines[k]) >= 0)
            return fail_set(c->f, E_LINES, "line %zu does not stand in bytewise order", k + 1);
        struct buf b;
        buf_init(&b, 500);
        buf_span(&b, lines[k]);
        buf_byte(&b, '\n');
        struct note_line l;
        size_t count;
        err e = note_split_lines(buf_view(&b), &l, 1, &count, c->f);
        if (e == OK) l.name.p = lines[k].p + (l.name.p - b.p); /* the same bytes, where they stay */
        buf_release(&b);
        if (e != OK) return e;
        uint32_t key;
        bool by_log;
        TRY(line_resolve(s, &l, REC_RESULT, c->index, c->ms, &key, &by_log, c->f));
        const struct key *signer = state_key(s, key);
        if (!key_covers_unit(s, signer, cell->station) ||
            !key_covers_contest(s, signer, cell->contest))
            return fail_set(c->f, E_SCOPE, "the key %.*s is not of this station and contest",
                            SPAN_ARG(l.name));
        if (state_has_signed(s, x->entry, key))
            return fail_set(c->f, E_LINES, "the key %.*s has signed this record already",
                            SPAN_ARG(l.name));
        check_add(c->out, signer->pub, l.bytes, (struct span){0}, x->entry, k);
        TRY(state_signed_add(c, x->entry, key));
        TRY(state_holder_signed(c, x->cell, key));
        if (signer->role == ROLE_AGENT) JSET(&s->journal, x->keys_signed, x->keys_signed + 1);
    }
    return OK;
}

err countersign_apply(struct ctx *c) {
    static const char *const how_words[] = {"device", "desk", NULL};
    static const char *const says_words[] = {"saw", "object", NULL};
    struct cj *r = &c->json;
    cj_object(r);
    read_election(c);
    cj_need(r, "how");
    (void)read_word(c, how_words);
    cj_need(r, "key");
    uint32_t key = read_key_name(c);
    if (cj_have(r, "reason")) (void)read_object_ref(c, true);
    cj_need(r, "record");
    uint32_t i = read_result_ref(c, "only a result can be countersigned");
    cj_need(r, "says");
    unsigned says = read_word(c, says_words);
    cj_object_end(r);
    TRY(cj_end(r));
    if (c->signer_count != 1 || c->signers[0] != key)
        return fail_set(c->f, E_LINES, "a countersignature is one key's word: the key it names");
    struct result *x = vec_at(&c->fold->results, i);
    const struct cell *cell = vec_at(&c->fold->cells, x->cell);
    TRY(signers_in_scope(c, cell->station, cell->contest));
    uint32_t word = key | (says ? SIGNED_OBJECTS : SIGNED_SAW);
    if (state_has_signed(c->fold, x->entry, word))
        return fail_set(c->f, E_STATE, "the key %.*s has said so already",
                        SPAN_ARG(state_key(c->fold, key)->name));
    TRY(state_signed_add(c, x->entry, word));
    if (says == 0) {
        JSET(&c->fold->journal, x->saw, x->saw + 1);
    } else {
        JSET(&c->fold->journal, x->objected, x->objected + 1);
        JSET(&c->fold->journal, x->objected_entry, (uint32_t)c->index);
    }
    return OK;
}
