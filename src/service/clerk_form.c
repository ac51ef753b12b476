/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/clerk_form.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "election/canonical_json.h"
#include "election/compose.h"

/* As on the printed form (paper/form_layout), then what stands at its head. */
static const struct {
    const char *name, *words;
} counts[] = {
    {"ballots.registered", "registered voters"},
    {"voters.kit", "voters identified by the kit"},
    {"voters.manual", "voters identified by hand"},
    {"ballots.rejected", "rejected ballot papers"},
    {"ballots.objected", "rejections objected to"},
    {"ballots.disputed", "disputed votes"},
    {"ballots.valid", "total valid votes"},
    {"serial", "serial number of the form"},
};
_Static_assert(sizeof counts / sizeof *counts + MAX_CHOICES <= FORM_FIELDS_MAX, "every field has a place");

void clerk_form_init(struct clerk_form *w, const struct fold *s, uint32_t contest, unsigned round) {
    const struct contest *k = fold_contest(s, contest);
    *w = (struct clerk_form){.fold = s, .contest = contest, .round = round};
    for (uint32_t c = 0; c < k->choice_count; c++) {
        const struct choice *x = contest_choice(s, k, c);
        struct form_field *to = &w->field[w->n];
        if (!contest_has_choice(k, round, c)) continue;
        (void)snprintf(to->name, sizeof to->name, "votes.%.*s", SPAN_ARG(x->id));
        to->label = x->name;
        to->party = x->party;
        w->n++;
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct form_field *to = &w->field[w->n++];
        (void)snprintf(to->name, sizeof to->name, "%s", counts[i].name);
        to->label = span_text(counts[i].words);
    }
}

static bool is_serial(const struct form_field *x) {
    return strcmp(x->name, "serial") == 0;
}

/* The characters of serial numbers; what a log takes is judged by desk_reading_check. */
static err type_serial(struct clerk_form *w, struct form_field *to, struct span text, struct fail *f) {
    bool plain = text.n <= FORM_SERIAL_MAX;
    for (size_t i = 0; i < text.n && plain; i++)
        plain = text.p[i] > ' ' && text.p[i] < 0x7f && text.p[i] != '"' && text.p[i] != '\\';
    if (!plain || span_is(text, "?"))
        return fail_set(f, E_FIELD, "a serial number is up to %d letters, digits and signs; nothing if "
                                    "there is none that can be read", FORM_SERIAL_MAX);
    memcpy(w->serial, text.p, text.n);
    w->serial[text.n] = 0;
    to->is = TYPED_FIGURE;
    return OK;
}

err clerk_form_type(struct clerk_form *w, size_t i, struct span text, struct fail *f) {
    struct form_field *to = &w->field[i];
    to->is = TYPED_NOT;
    if (text.n == 0) {
        if (is_serial(to)) w->serial[0] = 0;
        to->is = TYPED_BLANK;
        return OK;
    }
    if (is_serial(to)) return type_serial(w, to, text, f);
    if (span_is(text, "?")) {
        to->is = TYPED_ILLEGIBLE;
        return OK;
    }
    uint64_t v = 0;
    bool digits = text.n <= 9;
    for (size_t k = 0; k < text.n && digits; k++) { /* a form says 007 where it means 7 */
        digits = char_is_digit(text.p[k]);
        v = v * 10 + (uint64_t)(text.p[k] - '0');
    }
    if (!digits)
        return fail_set(f, E_FIELD, "a whole number of up to nine digits; nothing if the field is blank; "
                                    "? if it cannot be read");
    to->figure = v;
    to->is = TYPED_FIGURE;
    return OK;
}

static err parse_field(struct clerk_form *w, struct span name, struct span text, struct fail *f) {
    for (size_t i = 0; i < w->n; i++) {
        if (!span_is(name, w->field[i].name)) continue;
        err e = clerk_form_type(w, i, text, f);
        return e == OK ? OK : fail_context(f, e, "%s", w->field[i].name);
    }
    return fail_set(f, E_FIELD, "\"%.*s\" is not a field of this form", SPAN_ARG(name));
}

static uint32_t mark_of(struct span word) {
    for (int m = 0; m < MARK_COUNT; m++)
        if (span_is(word, mark_words[m])) return UINT32_C(1) << m;
    return 0;
}

err clerk_form_parse(struct clerk_form *w, struct span json, struct hash *form, struct fail *f) {
    struct span name;
    struct cj r;
    cj_init(&r, json, f);
    cj_object(&r);
    cj_need(&r, "fields");
    cj_object(&r);
    while (cj_any_key(&r, &name)) {
        struct span text = cj_code(&r, FORM_SERIAL_MAX);
        if (!cj_failed(&r)) TRY(parse_field(w, name, text, f));
    }
    cj_need(&r, "form");
    cj_hex(&r, form->b, sizeof form->b);
    cj_need(&r, "marks");
    cj_array(&r);
    w->marks = 0;
    while (cj_element(&r)) {
        struct span word = cj_code(&r, 60);
        uint32_t m = mark_of(word);
        if (!m) cj_fail(&r, E_FIELD, "\"%.*s\" is not an irregularity that can be marked", SPAN_ARG(word));
        w->marks |= m;
    }
    cj_object_end(&r);
    TRY(cj_end(&r));
    for (size_t i = 0; i < w->n; i++)
        if (w->field[i].is == TYPED_NOT)
            return fail_set(f, E_FIELD, "%s was not typed: say what stands there, or that nothing does",
                            w->field[i].name);
    return OK;
}

/* --- the reading --- */

static void take_count(struct compose_reading *r, const struct form_field *x) {
    const struct {
        const char *name;
        uint64_t *to;
    } at[] = {{"ballots.registered", &r->registered}, {"voters.kit", &r->voters_kit},
              {"voters.manual", &r->voters_manual},   {"ballots.rejected", &r->rejected},
              {"ballots.objected", &r->objected},     {"ballots.disputed", &r->disputed},
              {"ballots.valid", &r->valid}};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        if (strcmp(x->name, at[i].name) == 0 && x->is == TYPED_FIGURE) *at[i].to = x->figure;
}

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

struct gathered {
    struct span names[MAX_CHOICES], illegible[FORM_FIELDS_MAX];
    uint64_t votes[MAX_CHOICES];
};

static err gather(const struct clerk_form *w, struct gathered *g, struct compose_reading *r, struct fail *f) {
    compose_reading_init(r);
    for (size_t i = 0; i < w->n; i++) {
        const struct form_field *x = &w->field[i];
        if (x->is == TYPED_NOT) return fail_set(f, E_STATE, "%s was not typed yet", x->name);
        if (x->is == TYPED_ILLEGIBLE) g->illegible[r->illegible_count++] = span_text(x->name);
        if (is_serial(x)) {
            if (x->is == TYPED_FIGURE) r->serial = span_text(w->serial);
        } else if (strncmp(x->name, "votes.", 6) == 0) {
            g->names[r->choice_count] = span_text(x->name + 6);
            g->votes[r->choice_count++] = x->is == TYPED_FIGURE ? x->figure : ABSENT;
        } else {
            take_count(r, x);
        }
    }
    qsort(g->illegible, r->illegible_count, sizeof *g->illegible, by_bytes);
    r->choices = g->names;
    r->votes = g->votes;
    r->illegible = g->illegible;
    r->marks = w->marks;
    return OK;
}

err clerk_form_reading(const struct clerk_form *w, struct buf *out, struct fail *f) {
    struct compose_reading r;
    struct gathered *g = calloc(1, sizeof *g);
    if (!g) return fail_set(f, E_MEMORY, "no memory for a form");
    const size_t at = out->n;
    err e = gather(w, g, &r, f);
    if (e == OK) {
        compose_reading(out, &r);
        e = buf_ok(out, f);
    }
    free(g);
    return e == OK ? desk_reading_check(w->fold, w->contest, w->round, span_from(buf_view(out), at), f) : e;
}
