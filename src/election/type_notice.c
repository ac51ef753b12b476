/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* notice (spec/records.md, 6.15): a signed statement, rebuttal, correction or petition. */
#include "election/state.h"

enum { TEXT_MAX = 1 << 20 };

static const char *const kinds[] = {"statement", "rebuttal", "correction", "petition", NULL};

const char *notice_kind_name(unsigned kind) {
    return kinds[kind];
}

size_t fold_notice_count(const struct fold *s) {
    return s->notices.n;
}

const struct notice *fold_notice(const struct fold *s, size_t i) {
    return vec_at(&s->notices, i);
}

static const struct notice *notice_of_entry(const struct fold *s, uint64_t entry) {
    for (size_t i = s->notices.n; i-- > 0;)
        if (fold_notice(s, i)->entry == entry) return fold_notice(s, i);
    return NULL;
}

/* A language tag: lowercase letters and digits in parts joined by '-'. */
static struct span read_lang(struct cj *r) {
    struct span s = cj_code(r, 20);
    bool ok = s.n >= 2;
    for (size_t i = 0; i < s.n && ok; i++)
        ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (i > 1 && (s.p[i] == '-' || (s.p[i] >= '0' && s.p[i] <= '9')));
    if (!cj_failed(r) && !ok) cj_fail(r, E_FIELD, "\"lang\" is a language tag such as en, sw or pt-br");
    return s;
}

static err read_notice(struct ctx *c, struct notice *x) {
    struct cj *r = &c->json;
    cj_object(r);
    if (cj_have(r, "answers")) x->answers = read_record(c);
    if (cj_have(r, "contest")) x->contest = read_contest(c);
    read_election(c);
    cj_need(r, "kind");
    x->kind = (uint8_t)read_word(c, kinds);
    cj_need(r, "lang");
    x->lang = read_lang(r);
    cj_need(r, "text");
    x->text = read_object_ref(c, false);
    if (!cj_failed(r) && (x->text.size == 0 || x->text.size > TEXT_MAX))
        cj_fail(r, E_RANGE, "a notice's text has 1 to %d bytes", TEXT_MAX);
    cj_object_end(r);
    return cj_end(r);
}

err notice_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct notice x = {.entry = c->index, .ms = c->ms, .answers = NO_ENTRY, .contest = NO_CONTEST};
    TRY(read_notice(c, &x));
    for (size_t i = 0; i < c->signer_count; i++)
        if (x.contest != NO_CONTEST && !key_covers_contest(s, state_key(s, c->signers[i]), x.contest))
            return fail_set(c->f, E_SCOPE, "the key %.*s does not speak for this contest",
                            SPAN_ARG(state_key(s, c->signers[i])->name));
    x.signer = c->signers[0];
    if (x.kind == NOTICE_REBUTTAL && x.answers == NO_ENTRY)
        return fail_set(c->f, E_FIELD, "a rebuttal names the record that it answers");
    if (x.kind == NOTICE_CORRECTION) {
        const struct notice *old = x.answers == NO_ENTRY ? NULL : notice_of_entry(s, x.answers);
        if (!old || !hash_eq(&state_key(s, old->signer)->holder, &state_key(s, x.signer)->holder))
            return fail_set(c->f, E_REFERENCE, "a correction names an earlier notice of its own author");
    }
    x.lang = arena_copy(&s->arena, x.lang);
    if (!x.lang.p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    struct notice *to;
    TRY(state_push(c, &s->notices, (void **)&to));
    *to = x;
    size_t i = x.answers == NO_ENTRY ? SIZE_MAX : objection_of_entry(s, x.answers);
    struct objection *o = i == SIZE_MAX ? NULL : vec_at(&s->objections, i);
    /* the objector's own further words are no answer */
    if (o && o->answer == NO_ENTRY &&
        !hash_eq(&state_key(s, o->signer)->holder, &state_key(s, x.signer)->holder)) {
        JSET(&s->journal, o->answer, c->index);
        JSET(&s->journal, o->answer_ms, c->ms);
    }
    return OK;
}
