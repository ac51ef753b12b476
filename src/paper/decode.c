/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/decode.h"

#include <math.h>
#include <stdlib.h>

const char *abstain_name(unsigned bit) {
    static const char *const names[ABSTAIN_REASONS] = {
        "margin", "disagreement", "overwritten",           "partly-struck", "layout",
        "empty",  "dashes-only",  "figure-and-correction", "place",         "ink"};
    return bit < ABSTAIN_REASONS ? names[bit] : "";
}

struct decode_rules decode_default_rules(void) {
    return (struct decode_rules){.margin = 3.0};
}

/* log-probability that a box is one that is not used. */
static double unused(const struct box_reading *b, struct decode_rules r) {
    double p = exp(b->lp[CLASS_BLANK]) + exp(b->lp[CLASS_DASH]);
    if (r.cross_is_void) p += exp(b->lp[CLASS_STRUCK]);
    return log(p + 1e-30);
}

/* Values and their scores; the same value in two ways (007, --7) keeps the better way. */
struct values {
    struct decode_value *at;
    size_t n, room;
};

static void add_value(struct values *s, uint64_t v, double score) {
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].value == v) {
            if (score > s->at[i].score) s->at[i].score = score;
            return;
        }
    if (s->n < s->room) s->at[s->n++] = (struct decode_value){v, score};
}

static int best_digit(const struct box_reading *b) {
    int d = 0;
    for (int i = 1; i < 10; i++)
        if (b->lp[i] > b->lp[d]) d = i;
    return d;
}

/* Every start of the digits, with the best digits and each one of them exchanged: the best and the
 * second best value are among these. */
static void list_values(const struct box_reading *b, unsigned n, struct decode_rules rules,
                        struct values *out) {
    out->n = 0;
    for (unsigned start = 0; start < n; start++) {
        double base = 0;
        int digit[FORM_BOXES_MAX] = {0};
        for (unsigned i = 0; i < start; i++) base += unused(&b[i], rules);
        for (unsigned i = start; i < n; i++) {
            digit[i] = best_digit(&b[i]);
            base += b[i].lp[digit[i]];
        }
        for (unsigned at = start; at < n; at++)
            for (int d = 0; d < 10; d++) {
                uint64_t v = 0;
                for (unsigned i = start; i < n; i++)
                    v = v * 10 + (uint64_t)(i == at ? d : digit[i]);
                add_value(out, v, base - b[at].lp[digit[at]] + b[at].lp[d]);
            }
    }
}

static int by_score(const void *a, const void *b) {
    const struct decode_value *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

size_t decode_values(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                     struct decode_value out[DECODE_VALUES_MAX]) {
    struct values all = {out, 0, DECODE_VALUES_MAX};
    if (n == 0 || n > FORM_BOXES_MAX) return 0;
    list_values(boxes, n, rules, &all);
    qsort(out, all.n, sizeof *out, by_score);
    return all.n;
}

/* Digits from box `at` on, every way that stays above `least`; rest[i]: the best of boxes i.. */
static void extend(const struct box_reading *b, unsigned n, unsigned at, uint64_t value,
                   double score, double least, const double *rest, struct values *out) {
    if (at == n) {
        add_value(out, value, score);
        return;
    }
    for (int d = 0; d < 10; d++) {
        const double s = score + b[at].lp[d];
        if (s + rest[at + 1] >= least)
            extend(b, n, at + 1, value * 10 + (uint64_t)d, s, least, rest, out);
    }
}

size_t decode_near(const struct box_reading *b, unsigned n, struct decode_rules rules,
                   double within, struct decode_value *out, size_t room) {
    double rest[FORM_BOXES_MAX + 1] = {0}, before[FORM_BOXES_MAX + 1] = {0}, best = -INFINITY;
    struct values all = {out, 0, room};
    if (n == 0 || n > FORM_BOXES_MAX) return 0;
    for (unsigned i = n; i-- > 0;) rest[i] = rest[i + 1] + b[i].lp[best_digit(&b[i])];
    for (unsigned i = 0; i < n; i++) before[i + 1] = before[i] + unused(&b[i], rules);
    for (unsigned start = 0; start < n; start++) best = fmax(best, before[start] + rest[start]);
    for (unsigned start = 0; start < n; start++)
        extend(b, n, start, 0, before[start], best - within, rest, &all);
    qsort(out, all.n, sizeof *out, by_score);
    return all.n;
}

double decode_score(const struct box_reading *b, unsigned n, struct decode_rules rules,
                    uint64_t v) {
    double best = -INFINITY;
    if (n > FORM_BOXES_MAX) return best;
    for (unsigned start = 0; start < n; start++) {
        double s = 0;
        uint64_t rest = v;
        for (unsigned i = n; i-- > start; rest /= 10) s += b[i].lp[rest % 10];
        if (rest) continue; /* more digits than boxes */
        for (unsigned i = 0; i < start; i++) s += unused(&b[i], rules);
        best = fmax(best, s);
    }
    return best;
}

double decode_against(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                      uint64_t typed) {
    struct decode_value all[DECODE_VALUES_MAX];
    const size_t count = decode_values(boxes, n, rules, all);
    if (count == 0) return INFINITY;
    const size_t other = all[0].value == typed;
    return (other < count ? all[other].score : -INFINITY) - decode_score(boxes, n, rules, typed);
}

static char letter(const struct box_reading *b) {
    if (b->best < 10) return (char)('0' + b->best);
    return b->best == CLASS_BLANK    ? ' '
           : b->best == CLASS_DASH   ? '-'
           : b->best == CLASS_STRUCK ? 'X'
                                     : '?';
}

/* A digit whose stroke is much darker or broader than the other digits' of its row. */
static bool ink_differs(const struct box_reading *b, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        double dark = 0, width = 0;
        unsigned others = 0;
        for (unsigned k = 0; k < n; k++)
            if (k != i && b[k].best < 10) {
                dark += b[k].darkness;
                width += b[k].width_mm;
                others++;
            }
        if (b[i].best > 9 || !others) continue;
        if (fabs(b[i].darkness - dark / others) > 0.45 || b[i].width_mm > 2.6 * width / others)
            return true;
    }
    return false;
}

/* A figure that was struck out: no digit is left, and whatever holds ink is struck or, where the
 * strokes cover a digit, no single character. */
static bool is_struck(const struct box_reading *b, unsigned n, bool cross_is_void) {
    unsigned struck = 0;
    for (unsigned i = 0; i < n; i++) {
        if (b[i].best < 10) return false;
        if (b[i].best == CLASS_STRUCK) struck++;
        if (b[i].best == CLASS_OTHER && exp(b[i].lp[CLASS_STRUCK]) < 0.01) return false;
    }
    return struck > 0 && !cross_is_void;
}

static unsigned look(const struct box_reading *b, unsigned n, struct decode_rules rules,
                     struct field_reading *out) {
    unsigned digits = 0, struck = 0, dashes = 0, reasons = 0;
    out->struck = is_struck(b, n, rules.cross_is_void);
    for (unsigned i = 0; i < n; i++) {
        out->text[i] = letter(&b[i]);
        digits += b[i].best < 10;
        dashes += b[i].best == CLASS_DASH;
        struck += b[i].best == CLASS_STRUCK && !(rules.cross_is_void && digits == 0);
        if (out->struck) continue;
        if (b[i].best == CLASS_OTHER || exp(b[i].lp[CLASS_OTHER]) > 0.3)
            reasons |= ABSTAIN_OVERWRITTEN;
        if (b[i].disagree) reasons |= ABSTAIN_DISAGREE;
        if (digits && (b[i].best == CLASS_BLANK || b[i].best == CLASS_DASH))
            reasons |= ABSTAIN_LAYOUT;
    }
    out->text[n] = 0;
    if (struck && !out->struck) reasons |= ABSTAIN_STRUCK;
    if (!digits && !struck && !(reasons & ABSTAIN_OVERWRITTEN))
        reasons |= dashes ? ABSTAIN_DASHES : ABSTAIN_EMPTY;
    if (ink_differs(b, n)) reasons |= ABSTAIN_INK;
    return reasons;
}

void decode_boxes(const struct box_reading *b, unsigned n, struct decode_rules rules,
                  struct field_reading *out) {
    memset(out, 0, sizeof *out);
    if (n == 0 || n > FORM_BOXES_MAX) {
        out->reasons = ABSTAIN_EMPTY;
        return;
    }
    out->reasons = look(b, n, rules, out);
    if (out->struck) out->reasons |= ABSTAIN_STRUCK;
    if (out->struck || out->reasons & (ABSTAIN_EMPTY | ABSTAIN_DASHES)) return;
    struct decode_value all[DECODE_VALUES_MAX];
    const size_t count = decode_values(b, n, rules, all);
    out->value = all[0].value;
    out->score = all[0].score;
    out->has_value = true;
    out->has_other = count > 1;
    out->margin = 99;
    if (out->has_other) {
        out->other = all[1].value;
        out->margin = out->score - all[1].score;
    }
    /* also against everything that is no value at all */
    const double none = log(fmax(1e-12, 1 - exp(out->score)));
    if (out->score - none < out->margin) out->margin = out->score - none;
    if (out->margin < rules.margin) out->reasons |= ABSTAIN_MARGIN;
}

/* Struck out but for one box at most, where the strike hides in the digit (a line through a 7):
 * taken together, the boxes say so far more likely than that nothing was struck. Asked only beside
 * a correction that can be read. */
static bool is_nearly_struck(const struct box_reading *b, unsigned n) {
    double struck = 0, plain = 0;
    unsigned voids = 0, digits = 0;
    for (unsigned i = 0; i < n; i++) {
        const double void_p = exp(b[i].lp[CLASS_STRUCK]) + exp(b[i].lp[CLASS_OTHER]);
        const double unused_p = exp(b[i].lp[CLASS_BLANK]) + exp(b[i].lp[CLASS_DASH]);
        const double digit_p = exp(b[i].lp[best_digit(&b[i])]);
        voids += b[i].best == CLASS_STRUCK || b[i].best == CLASS_OTHER;
        digits += b[i].best < 10;
        struck += log(fmax(void_p + 0.2 * unused_p, 0.003));
        plain += log(fmax(fmax(digit_p, unused_p), 1e-6));
    }
    return voids >= 2 && digits <= 1 && struck - plain >= 3;
}

void decode_field(const struct box_reading *figure, const struct box_reading *correction,
                  unsigned n, struct decode_rules rules, struct field_reading *out) {
    struct field_reading second;
    decode_boxes(figure, n, rules, out);
    decode_boxes(correction, n, rules, &second);
    const bool empty = second.reasons == ABSTAIN_EMPTY;
    if (out->struck && !(out->reasons & ~(unsigned)ABSTAIN_STRUCK) && !empty) {
        *out = second;
        out->corrected = true;
        return;
    }
    const unsigned soft = ABSTAIN_MARGIN | ABSTAIN_DISAGREE;
    if (!empty && second.has_value && !(second.reasons & ~soft) && is_nearly_struck(figure, n)) {
        *out = second;
        out->corrected = true;
        return;
    }
    if (!empty) out->reasons |= ABSTAIN_BOTH;
}
