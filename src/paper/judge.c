/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/judge.h"

#include <math.h>
#include "paper/joint.h"

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

err judge_figures(struct scan_result *r, const uint64_t *registered, struct decode_rules rules,
                  struct fail *f) {
    struct joint *j;
    double margin[SCAN_FIELDS_MAX] = {0};
    uint64_t value[SCAN_FIELDS_MAX];
    TRY(joint_new(r, registered, rules, &j, f));
    for (uint32_t i = 0; i < r->field_count; i++) {
        if (!r->field[i].read.reasons || r->field[i].read.reasons & ~(unsigned)SOFT) continue;
        if (!joint_value(j, i, JUDGE_GATE, &value[i], &margin[i])) margin[i] = 0;
    }
    joint_free(j);
    for (uint32_t i = 0; i < r->field_count; i++) {
        struct field_reading *k = &r->field[i].read;
        if (margin[i] < rules.margin || margin[i] <= 0) continue;
        if (k->value != value[i]) k->other = k->value;
        k->has_other = true;
        k->value = value[i];
        k->margin = margin[i];
        k->reasons &= ~(unsigned)SOFT;
        r->field[i].by_sum = true;
    }
    r->broken = joint_broken(r, registered);
    return OK;
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
