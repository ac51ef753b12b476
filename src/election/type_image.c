/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* image (spec/records.md, 6.9): what a form looks like, by hash. station-event (6.10): what happened
 * at a station. */
#include "base/text.h"
#include "election/state.h"

struct image_fields {
    uint32_t contest, station, result;
    unsigned round;
    struct image x;
};

static const char *const kind_words[] = {"original", "carbon", "agent", "posted", NULL};

/* [[x,y,w,h],...]: rectangles of the public version, in pixels */
static uint32_t read_masked(struct cj *r) {
    uint32_t n = 0;
    cj_array(r);
    while (cj_element(r)) {
        int members = 0;
        cj_array(r);
        while (cj_element(r)) {
            (void)cj_u64(r, 100000);
            members++;
        }
        if (!cj_failed(r) && members != 4) cj_fail(r, E_FIELD, "a rectangle is [x,y,width,height]");
        n++;
    }
    return n;
}

static err read_image(struct ctx *c, struct image_fields *v) {
    struct cj *r = &c->json;
    uint8_t small[8];
    cj_object(r);
    cj_need(r, "contest");
    v->contest = read_contest(c);
    read_election(c);
    cj_need(r, "kind");
    v->x.kind = (uint8_t)read_word(c, kind_words);
    cj_need(r, "masked");
    v->x.masked = read_masked(r);
    cj_need(r, "original");
    struct named_object original = read_object_ref(c, true);
    cj_need(r, "page");
    v->x.page = (uint16_t)cj_u64(r, 99);
    if (cj_have(r, "perceptual")) cj_hex(r, small, sizeof small);
    cj_need(r, "public");
    struct named_object shown = read_object_ref(c, false);
    v->x.original = original.id;
    v->x.original_size = original.size;
    v->x.shown = shown.id;
    v->x.shown_size = shown.size;
    v->result = NO_RESULT;
    if (cj_have(r, "result")) {
        uint64_t entry = read_record(c);
        if (!cj_failed(r)) v->result = result_of_entry(c->fold, entry);
        if (!cj_failed(r) && v->result == NO_RESULT)
            cj_fail(r, E_REFERENCE, "the record it names is not a result");
    }
    cj_need(r, "round");
    v->round = (unsigned)cj_u64(r, MAX_ROUNDS);
    cj_need(r, "station");
    v->station = read_station(c);
    if (cj_have(r, "zones")) {
        struct span s = cj_code(r, 1024);
        bool hex = s.n > 0 && s.n % 2 == 0;
        for (size_t i = 0; i < s.n; i++) hex &= char_is_digit(s.p[i]) || (s.p[i] >= 'a' && s.p[i] <= 'f');
        if (!hex) cj_fail(r, E_HEX, "\"zones\" is not lowercase hex digits");
        v->x.has_zones = true;
        v->x.zones = sha256(s);
    }
    cj_object_end(r);
    return cj_end(r);
}

static err check_image(struct ctx *c, const struct image_fields *v) {
    const struct fold *s = c->fold;
    const struct contest *k = fold_contest(s, v->contest);
    if (!unit_within(s, v->station, k->unit))
        return fail_set(c->f, E_CONTEST, "the contest %.*s is not held at this station",
                        SPAN_ARG(k->id));
    if (v->round == 0 || v->round > k->round)
        return fail_set(c->f, E_ROUND, "an image of round %u; the contest is in round %u", v->round,
                        k->round);
    if (v->x.page == 0) return fail_set(c->f, E_RANGE, "pages are counted from 1");
    if (v->result != NO_RESULT) {
        const struct cell *cell = vec_at(&s->cells, fold_result(s, v->result)->cell);
        if (cell->contest != v->contest || cell->station != v->station || cell->round != v->round)
            return fail_set(c->f, E_REFERENCE, "the result it names is of another station or contest");
    }
    TRY(signers_in_scope(c, v->station, v->contest));
    for (size_t i = 0; i < c->signer_count; i++) {
        enum role as = (enum role)state_key(s, c->signers[i])->role;
        bool outsider = as == ROLE_AGENT || as == ROLE_OBSERVER;
        if (outsider && v->x.kind != IMAGE_AGENT && v->x.kind != IMAGE_POSTED)
            return fail_set(c->f, E_ROLE, "a key of role %s sends images of an agent's or a posted "
                                          "copy only",
                            role_name(as));
    }
    return OK;
}

static struct image_alike *alike_of(const struct fold *s, uint32_t i, bool zones) {
    struct image *x = vec_at(&s->images, i);
    return zones ? &x->by_zones : &x->by_original;
}

/* Joins the image to those before it that have the same original (or zones), if there are any. */
static err join_alike(struct ctx *c, struct table *t, uint32_t i, bool zones) {
    struct fold *s = c->fold;
    struct journal *j = &s->journal;
    const struct image *x = vec_at(&s->images, i);
    const struct hash *h = zones ? &x->zones : &x->original;
    struct image_alike *to = alike_of(s, i, zones);
    *to = (struct image_alike){NO_IMAGE, NO_IMAGE, i};
    size_t cursor = 0;
    uint64_t at = state_hash(s, hash_span(h));
    for (uint32_t first; (first = table_next(t, at, &cursor)) != UINT32_MAX;) {
        const struct image *y = vec_at(&s->images, first);
        if (!hash_eq(zones ? &y->zones : &y->original, h)) continue;
        struct image_alike *head = alike_of(s, first, zones);
        to->before = head->last;
        JSET(j, alike_of(s, head->last, zones)->after, i);
        JSET(j, head->last, i);
        return OK;
    }
    return state_index(c, t, at, i);
}

err image_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct image_fields v = {0};
    TRY(read_image(c, &v));
    TRY(check_image(c, &v));
    uint32_t cell_index, i = (uint32_t)s->images.n;
    TRY(state_cell(c, v.contest, v.round, v.station, &cell_index));
    struct cell *cell = vec_at(&s->cells, cell_index);
    struct image *to;
    TRY(state_push(c, &s->images, (void **)&to));
    v.x.entry = c->index;
    v.x.ms = c->ms;
    v.x.cell = cell_index;
    v.x.result = v.result;
    uint32_t *first = v.result == NO_RESULT
                          ? &cell->first_image
                          : &((struct result *)vec_at(&s->results, v.result))->first_image;
    v.x.next_of_result = *first;
    *to = v.x;
    c->ref = i;
    TRY(join_alike(c, &s->by_original, i, false));
    if (v.x.has_zones) TRY(join_alike(c, &s->by_zones, i, true));
    JSET(&s->journal, *first, i);
    if (v.x.kind == IMAGE_POSTED) JSET(&s->journal, cell->posted, true);
    return OK;
}

err station_event_apply(struct ctx *c) {
    static const char *const events[] = {"opened",      "closed",     "count-started",
                                         "count-ended", "form-posted", "kit-failed",
                                         "kit-replaced", "delayed",    "network-down",
                                         "relocated",   "not-held",    NULL};
    enum { FORM_POSTED = 4 };
    struct cj *r = &c->json;
    uint32_t contest = NO_CONTEST;
    cj_object(r);
    cj_need(r, "at_ms");
    (void)cj_u64(r, CJ_MAX_INT);
    if (cj_have(r, "contest")) contest = read_contest(c);
    read_election(c);
    cj_need(r, "event");
    unsigned event = read_word(c, events);
    if (cj_have(r, "note")) (void)read_object_ref(c, true);
    cj_need(r, "station");
    uint32_t station = read_station(c);
    if (cj_have(r, "value")) (void)cj_u64(r, FIGURE_MAX);
    cj_object_end(r);
    TRY(cj_end(r));
    TRY(signers_in_scope(c, station, contest));
    if (contest != NO_CONTEST && !unit_within(c->fold, station, fold_contest(c->fold, contest)->unit))
        return fail_set(c->f, E_CONTEST, "the contest is not held at this station");
    if (event == FORM_POSTED) {
        if (contest == NO_CONTEST)
            return fail_set(c->f, E_FIELD, "form-posted names the contest whose form it is");
        uint32_t i;
        TRY(state_cell(c, contest, fold_contest(c->fold, contest)->round, station, &i));
        struct cell *cell = vec_at(&c->fold->cells, i);
        JSET(&c->fold->journal, cell->posted, true);
    }
    return OK;
}
