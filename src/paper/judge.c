/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/judge.h"

#include <math.h>

/* Rows of the form after the choices, as form_row_key names them. */
enum { REGISTERED, KIT, HAND, REJECTED, OBJECTED, DISPUTED, VALID };
enum { TERMS_MAX = FORM_ROWS_MAX, SUMS = 2, SOFT = ABSTAIN_MARGIN | ABSTAIN_DISAGREE };

struct sum { /* terms with a sign, that add up to nothing */
    unsigned row[TERMS_MAX];
    int sign[TERMS_MAX];
    unsigned n;
};

static void add_term(struct sum *s, unsigned row, int sign) {
    s->row[s->n] = row;
    s->sign[s->n++] = sign;
}

static struct sum sum_of(struct form_shape shape, int which) {
    struct sum s = {.n = 0};
    const unsigned c = shape.choices;
    if (c == 0 || c > FORM_CHOICES_MAX) return s; /* nobody says which form it is: no sums */
    if (which == 0) {
        for (unsigned i = 0; i < c; i++) add_term(&s, i, 1);
        add_term(&s, c + VALID, -1);
    } else {
        add_term(&s, c + KIT, 1);
        add_term(&s, c + HAND, 1);
        add_term(&s, c + REJECTED, -1);
        add_term(&s, c + VALID, -1);
    }
    return s;
}

static void boxes_of(const struct scan_field *k, struct box_reading out[FORM_BOXES_MAX]) {
    memset(out, 0, FORM_BOXES_MAX * sizeof *out);
    for (unsigned b = 0; b < FORM_BOXES_MAX; b++)
        for (int c = 0; c < NET_CLASSES; c++) out[b].lp[c] = (double)k->lp[b][c];
}

/* ---- what was read ---- */

struct term {
    struct scan_field *field;
    struct box_reading boxes[FORM_BOXES_MAX];
    int sign;
};

/* How much less likely the field is with its value moved by `delta`. */
static double moved(const struct term *t, int64_t delta, struct decode_rules rules) {
    const int64_t v = (int64_t)t->field->read.value + delta;
    if (v < 0) return INFINITY;
    return t->field->read.score - decode_score(t->boxes, t->field->boxes, rules, (uint64_t)v);
}

static double joint_margin(const struct term *t, unsigned n, unsigned at,
                           struct decode_rules rules) {
    struct decode_value all[DECODE_VALUES_MAX];
    const struct field_reading *read = &t[at].field->read;
    const size_t count = decode_values(t[at].boxes, t[at].field->boxes, rules, all);
    /* what is no value at all breaks the sum, too */
    double least = -log(fmax(1e-12, 1 - exp(read->score))) + read->score + JUDGE_SUM_EVIDENCE;
    for (size_t i = 0; i < count; i++) {
        if (all[i].value == read->value) continue;
        const double alone = read->score - all[i].score;
        least = fmin(least, alone + JUDGE_SUM_EVIDENCE);
        if (alone >= least) continue;
        const int64_t delta = t[at].sign * ((int64_t)all[i].value - (int64_t)read->value);
        for (unsigned k = 0; k < n; k++)
            if (k != at) least = fmin(least, alone + moved(&t[k], -delta * t[k].sign, rules));
    }
    return least;
}

static struct scan_field *field_of(struct scan_result *r, unsigned row) {
    for (uint32_t i = 0; i < r->field_count; i++)
        if (r->field[i].index == row) return &r->field[i];
    return NULL;
}

/* The sum's terms; false when it does not hold, or not every term can be used. */
static bool gather(struct scan_result *r, const struct sum *s, struct term t[SCAN_FIELDS_MAX]) {
    int64_t total = 0;
    if (s->n == 0 || s->n > SCAN_FIELDS_MAX) return false;
    for (unsigned i = 0; i < s->n; i++) {
        struct scan_field *k = field_of(r, s->row[i]);
        if (!k || !k->read.has_value || k->read.reasons & ~(unsigned)SOFT || !k->boxes)
            return false;
        t[i].field = k;
        t[i].sign = s->sign[i];
        boxes_of(k, t[i].boxes);
        total += t[i].sign * (int64_t)k->read.value;
    }
    return total == 0;
}

void judge_sums(struct scan_result *r, struct decode_rules rules) {
    for (int which = 0; which < SUMS; which++) {
        const struct sum s = sum_of(r->code.shape, which);
        struct term t[SCAN_FIELDS_MAX];
        double margin[SCAN_FIELDS_MAX];
        if (!gather(r, &s, t)) continue;
        for (unsigned i = 0; i < s.n; i++) margin[i] = joint_margin(t, s.n, i, rules);
        for (unsigned i = 0; i < s.n; i++) {
            struct scan_field *k = t[i].field;
            if (!k->read.reasons || margin[i] < rules.margin) continue;
            k->by_sum = true;
        }
    }
    for (uint32_t i = 0; i < r->field_count; i++)
        if (r->field[i].by_sum) r->field[i].read.reasons &= ~(unsigned)SOFT;
}

void judge_register(struct scan_result *r, uint64_t registered, struct decode_rules rules) {
    struct scan_field *k = field_of(r, r->code.shape.choices + REGISTERED);
    struct term t = {.field = k, .sign = 1};
    if (!k || !k->read.has_value || k->read.value != registered || !k->read.reasons ||
        k->read.reasons & ~(unsigned)SOFT || !k->boxes)
        return;
    boxes_of(k, t.boxes);
    if (joint_margin(&t, 1, 0, rules) < rules.margin) return;
    k->by_sum = true;
    k->read.reasons &= ~(unsigned)SOFT;
}

/* ---- what was typed ---- */

static bool typed_sum_holds(const struct sum *s, const struct judge_typed *typed) {
    int64_t total = 0;
    for (unsigned i = 0; i < s->n; i++) {
        const struct judge_typed *t = &typed[s->row[i]];
        if (!t->present || t->value > UINT32_MAX) return false;
        total += s->sign[i] * (int64_t)t->value;
    }
    return s->n > 0 && total == 0;
}

static bool in_sum(const struct sum *s, unsigned row) {
    for (unsigned i = 0; i < s->n; i++)
        if (s->row[i] == row) return true;
    return false;
}

static struct judge_field judge_one(const struct scan_field *k, const struct judge_typed *typed,
                                    bool supported, struct decode_rules rules) {
    struct judge_field out = {.verdict = SCAN_CANNOT_TELL};
    const struct field_reading *read = &k->read;
    struct box_reading boxes[FORM_BOXES_MAX];
    if (!typed->present) {
        if (read->reasons == ABSTAIN_EMPTY) out.verdict = SCAN_AGREES;
        return out;
    }
    if (!read->has_value || read->reasons & ~(unsigned)SOFT || !k->boxes) return out;
    boxes_of(k, boxes);
    out.against = decode_against(boxes, k->boxes, rules, typed->value);
    if (out.against <= -JUDGE_CONFIRM) {
        out.verdict = SCAN_AGREES;
    } else if (supported && out.against <= JUDGE_SLACK) {
        out.verdict = SCAN_AGREES;
        out.by_sum = true;
    } else if (out.against >= rules.margin && !(read->reasons & ABSTAIN_DISAGREE)) {
        out.verdict = SCAN_DIFFERS;
    }
    return out;
}

enum scan_verdict judge_page(const struct scan_result *r, const struct judge_typed *typed,
                             const uint64_t *registered, struct decode_rules rules,
                             struct judge_field out[SCAN_FIELDS_MAX]) {
    struct sum sums[SUMS];
    bool holds[SUMS];
    double against = 0;
    enum scan_verdict all = r->field_count ? SCAN_AGREES : SCAN_CANNOT_TELL;
    for (int s = 0; s < SUMS; s++) {
        sums[s] = sum_of(r->code.shape, s);
        holds[s] = typed_sum_holds(&sums[s], typed);
    }
    for (uint32_t i = 0; i < r->field_count; i++) {
        const unsigned row = r->field[i].index;
        bool supported = registered && row == r->code.shape.choices + REGISTERED &&
                         typed[row].present && typed[row].value == *registered;
        for (int s = 0; s < SUMS; s++) supported = supported || (holds[s] && in_sum(&sums[s], row));
        out[i] = judge_one(&r->field[i], &typed[row], supported, rules);
        if (out[i].against > 0) against += out[i].against;
        if (out[i].verdict == SCAN_DIFFERS) all = SCAN_DIFFERS;
        if (out[i].verdict == SCAN_CANNOT_TELL && all == SCAN_AGREES) all = SCAN_CANNOT_TELL;
    }
    if (all == SCAN_AGREES && against > JUDGE_SLACK_TOTAL) all = SCAN_CANNOT_TELL;
    return all;
}
