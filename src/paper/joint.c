/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/joint.h"

#include <math.h>
#include <stdlib.h>

/* Rows of the form after the choices, as form_row_key names them. */
enum { REGISTERED, KIT, HAND, REJECTED, OBJECTED, DISPUTED, VALID };
enum {
    NEAR_MAX = 256,
    OPEN_MAX = 16, /* values of one field within the gate */
    SUMS_MAX = 4096,
    NONE = UINT32_MAX,
    SOFT = ABSTAIN_MARGIN | ABSTAIN_DISAGREE
};
#define NEVER (-1e9)

const char *joint_rule_name(enum joint_rule r) {
    static const char *const names[JOINT_RULES] = {"votes", "identified", "objected", "register",
                                                   "over-register"};
    return r < JOINT_RULES ? names[r] : "";
}

/* A value, or a sum of values, and its log-probability less that of the fields' best ones. */
struct entry {
    int64_t value;
    double behind; /* <= 0 */
};
struct list {
    struct entry *at;
    size_t n, room;
    bool full; /* something was left out for want of room */
};

struct field {
    bool usable, doubtful;
    bool bounded; /* some of its values are more than the register has voters */
    uint64_t value;
    struct entry near[NEAR_MAX];
    size_t n;
    double none; /* log-probability of no value at all, less the best value's */
};

struct joint {
    unsigned choices;
    uint32_t at[FORM_ROWS_MAX]; /* row of the form to field of the page, or NONE */
    uint32_t count;
    bool usable[JOINT_RULES];
    bool has_registered;
    uint64_t registered;
    bool full;
    struct field field[SCAN_FIELDS_MAX];
};

static uint32_t count_row(const struct joint *j, unsigned row) {
    return j->at[j->choices + row];
}

static bool usable(const struct joint *j, uint32_t field) {
    return field != NONE && j->field[field].usable;
}

static void look_at(const struct scan_field *k, struct decode_rules rules, const uint64_t *most,
                    struct field *out) {
    struct box_reading boxes[FORM_BOXES_MAX];
    struct decode_value near[NEAR_MAX];
    memset(boxes, 0, sizeof boxes);
    out->usable = k->read.has_value && !(k->read.reasons & ~(unsigned)SOFT) && k->boxes;
    out->doubtful = k->read.reasons != 0;
    out->value = k->read.value;
    if (!out->usable) return;
    for (unsigned b = 0; b < FORM_BOXES_MAX; b++)
        for (int c = 0; c < NET_CLASSES; c++) boxes[b].lp[c] = (double)k->lp[b][c];
    for (double reach = JOINT_REACH; reach >= JOINT_REACH_LEAST; reach--) {
        out->n = decode_near(boxes, k->boxes, rules, reach, near, NEAR_MAX);
        if (out->n < NEAR_MAX) break;
    }
    double all = 0;
    for (size_t i = 0; i < out->n; i++) {
        const double breaks = most && near[i].value > *most ? JOINT_EVIDENCE : 0;
        out->near[i] =
            (struct entry){(int64_t)near[i].value, near[i].score - near[0].score - breaks};
        out->bounded = out->bounded || breaks > 0;
        all += exp(near[i].score);
    }
    out->none = log(fmax(1e-12, 1 - all)) - near[0].score;
    out->usable = out->n > 0 && near[0].value == out->value;
}

err joint_new(const struct scan_result *r, const uint64_t *registered, struct decode_rules rules,
              struct joint **out, struct fail *f) {
    struct joint *j = *out = calloc(1, sizeof *j);
    if (!j) return fail_set(f, E_MEMORY, "no memory to read a page's figures together");
    j->choices = r->code.shape.choices;
    j->count = r->field_count;
    j->has_registered = registered != NULL;
    j->registered = registered ? *registered : 0;
    for (unsigned i = 0; i < FORM_ROWS_MAX; i++) j->at[i] = NONE;
    for (uint32_t i = 0; i < r->field_count; i++) {
        const bool own = r->field[i].index == r->code.shape.choices + REGISTERED;
        look_at(&r->field[i], rules, own ? NULL : registered, &j->field[i]);
        j->full = j->full || j->field[i].n == NEAR_MAX;
        j->at[r->field[i].index] = i;
    }
    if (j->choices == 0 || j->choices > FORM_CHOICES_MAX) return OK; /* which form it is: unknown */
    const bool valid = usable(j, count_row(j, VALID)), rejected = usable(j, count_row(j, REJECTED));
    j->usable[JOINT_VOTES] = valid;
    for (unsigned i = 0; i < j->choices; i++)
        j->usable[JOINT_VOTES] = j->usable[JOINT_VOTES] && usable(j, j->at[i]);
    j->usable[JOINT_IDENTIFIED] =
        valid && rejected && usable(j, count_row(j, KIT)) && usable(j, count_row(j, HAND));
    j->usable[JOINT_OBJECTED] = rejected && usable(j, count_row(j, OBJECTED));
    j->usable[JOINT_REGISTER] = registered && usable(j, count_row(j, REGISTERED));
    return OK;
}

void joint_free(struct joint *j) {
    free(j);
}

unsigned joint_rules_of(const struct joint *j, uint32_t field) {
    unsigned bits = 0;
    for (unsigned i = 0; i < j->choices && i < FORM_CHOICES_MAX; i++)
        if (j->at[i] == field) bits |= 1u << JOINT_VOTES;
    if (j->choices == 0 || j->choices > FORM_CHOICES_MAX) return 0;
    if (field == count_row(j, VALID)) bits |= 1u << JOINT_VOTES | 1u << JOINT_IDENTIFIED;
    if (field == count_row(j, KIT) || field == count_row(j, HAND)) bits |= 1u << JOINT_IDENTIFIED;
    if (field == count_row(j, REJECTED)) bits |= 1u << JOINT_IDENTIFIED | 1u << JOINT_OBJECTED;
    if (field == count_row(j, OBJECTED)) bits |= 1u << JOINT_OBJECTED;
    if (field == count_row(j, REGISTERED)) bits |= 1u << JOINT_REGISTER;
    if (field < j->count && j->field[field].bounded) bits |= 1u << JOINT_BOUND;
    for (unsigned k = 0; k < JOINT_BOUND; k++)
        if (!j->usable[k]) bits &= ~(1u << k);
    return bits;
}

/* ---- the best figures under a restriction of one field ---- */

enum restriction {
    FREE,     /* nothing is asked */
    IS_VALUE, /* the field has this value, its rules hold, fields that need no help keep theirs */
    IS_OTHER, /* the field has any other value */
    IS_NONE,  /* the field holds no value */
};
struct ask {
    enum restriction what;
    uint32_t field;
    int64_t value;
    unsigned must; /* rules that have to hold */
};

/* The values of a field that are looked at, into `out`. */
static size_t values_of(const struct joint *j, uint32_t k, const struct ask *a,
                        struct entry out[NEAR_MAX]) {
    const struct field *f = &j->field[k];
    size_t n = 0;
    if (k == a->field && a->what == IS_NONE) {
        out[0] = (struct entry){INT64_MIN / 4, f->none}; /* no sum holds with it */
        return 1;
    }
    for (size_t i = 0; i < f->n; i++) {
        const struct entry *e = &f->near[i];
        if (k == a->field && a->what == IS_VALUE && e->value != a->value) continue;
        if (k == a->field && a->what == IS_OTHER && e->value == a->value) continue;
        if (k != a->field && a->what == IS_VALUE && !f->doubtful && e->value != (int64_t)f->value)
            continue;
        out[n++] = *e;
    }
    return n;
}

static int by_sum(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->behind > y->behind ? -1 : x->behind < y->behind;
}

/* All sums of what is in the list and the field's values (times sign), each with its best way. */
static void add_field(struct list *l, struct entry *spare, const struct entry *v, size_t n,
                      int sign) {
    size_t m = 0;
    if (l->full) return;
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < n; k++) {
            const double behind = l->at[i].behind + v[k].behind;
            if (behind < -JOINT_REACH && v[k].value >= 0) continue;
            if (m == l->room) {
                l->full = true;
                return;
            }
            spare[m++] = (struct entry){l->at[i].value + sign * v[k].value, behind};
        }
    qsort(spare, m, sizeof *spare, by_sum);
    l->n = 0;
    for (size_t i = 0; i < m; i++)
        if (i == 0 || spare[i].value != spare[i - 1].value) l->at[l->n++] = spare[i];
}

static double best_of(const struct entry *v, size_t n) {
    double best = NEVER;
    for (size_t i = 0; i < n; i++) best = fmax(best, v[i].behind);
    return best;
}

static double find_sum(const struct list *l, int64_t value) {
    const struct entry key = {value, 1};
    size_t low = 0, high = l->n;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (by_sum(&l->at[mid], &key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < l->n && l->at[low].value == value ? l->at[low].behind : NEVER;
}

/* With the rule, or without it where it need not hold. */
static double with_rule(double holds, double free, bool must) {
    return must ? holds + JOINT_EVIDENCE : fmax(holds + JOINT_EVIDENCE, free);
}

struct room {
    struct list votes, people;
    struct entry votes_at[SUMS_MAX], people_at[SUMS_MAX], spare[SUMS_MAX];
};

static void sum_up(const struct joint *j, const struct ask *a, struct room *m) {
    struct entry v[NEAR_MAX];
    m->votes = (struct list){m->votes_at, 1, SUMS_MAX, false};
    m->people = (struct list){m->people_at, 1, SUMS_MAX, false};
    m->votes_at[0] = m->people_at[0] = (struct entry){0, 0};
    if (j->usable[JOINT_VOTES])
        for (unsigned i = 0; i < j->choices; i++)
            add_field(&m->votes, m->spare, v, values_of(j, j->at[i], a, v), 1);
    if (j->usable[JOINT_IDENTIFIED])
        for (unsigned row = KIT; row <= HAND; row++)
            add_field(&m->people, m->spare, v, values_of(j, count_row(j, row), a, v), 1);
}

/* The rejected papers with value `v`: alone, and with the objected ones. */
static double rejected_best(const struct joint *j, const struct ask *a, int64_t value) {
    struct entry o[NEAR_MAX];
    if (!j->usable[JOINT_OBJECTED]) return 0;
    const size_t n = values_of(j, count_row(j, OBJECTED), a, o);
    double holds = NEVER;
    /* no value at all breaks no bound */
    for (size_t i = 0; i < n; i++)
        if (o[i].value <= value || value < 0) holds = fmax(holds, o[i].behind);
    return with_rule(holds, best_of(o, n), a->must >> JOINT_OBJECTED & 1);
}

/* What lies below the number of valid votes, worked out once for all of them. */
struct below {
    struct entry rejected[NEAR_MAX]; /* each value with its best number of objections */
    size_t n;
    double people, most; /* the best of the people's sums, of the rejected papers */
};

static void look_below(const struct joint *j, const struct ask *a, const struct room *m,
                       struct below *out) {
    out->n = 0;
    out->people = best_of(m->people.at, m->people.n);
    out->most = 0;
    if (!usable(j, count_row(j, REJECTED))) return;
    out->n = values_of(j, count_row(j, REJECTED), a, out->rejected);
    for (size_t i = 0; i < out->n; i++)
        out->rejected[i].behind += rejected_best(j, a, out->rejected[i].value);
    out->most = best_of(out->rejected, out->n);
}

/* The rejected papers, the people identified and the objections, for one number of valid votes. */
static double below_valid(const struct joint *j, const struct ask *a, const struct room *m,
                          const struct below *b, int64_t valid) {
    const bool must = a->must >> JOINT_IDENTIFIED & 1;
    if (!j->usable[JOINT_IDENTIFIED]) return b->most;
    double best = NEVER;
    for (size_t i = 0; i < b->n; i++) {
        const double holds = find_sum(&m->people, valid + b->rejected[i].value);
        best = fmax(best, b->rejected[i].behind + with_rule(holds, b->people, must));
    }
    return best;
}

/* How likely the best figures are, less the likelihood of every field's own best one, the rules'
 * evidence added. */
static double best_page(const struct joint *j, const struct ask *a, struct room *m) {
    struct entry v[NEAR_MAX];
    double best = NEVER, register_part = 0;
    if (j->usable[JOINT_REGISTER]) {
        const size_t n = values_of(j, count_row(j, REGISTERED), a, v);
        double holds = NEVER;
        for (size_t i = 0; i < n; i++)
            if (v[i].value == (int64_t)j->registered) holds = v[i].behind;
        register_part = with_rule(holds, best_of(v, n), a->must >> JOINT_REGISTER & 1);
    }
    struct below below;
    sum_up(j, a, m);
    look_below(j, a, m, &below);
    const uint32_t valid = count_row(j, VALID);
    if (!usable(j, valid)) return register_part + below.most;
    const size_t n = values_of(j, valid, a, v);
    const double votes = best_of(m->votes.at, m->votes.n);
    for (size_t i = 0; i < n; i++) {
        double s = v[i].behind + below_valid(j, a, m, &below, v[i].value);
        if (j->usable[JOINT_VOTES])
            s += with_rule(find_sum(&m->votes, v[i].value), votes, a->must >> JOINT_VOTES & 1);
        best = fmax(best, s);
    }
    return best + register_part;
}

bool joint_value(const struct joint *j, uint32_t field, double gate, uint64_t *value,
                 double *margin) {
    const unsigned must = joint_rules_of(j, field);
    if (field >= j->count || !j->field[field].usable || !must || j->full) return false;
    struct room *m = malloc(sizeof *m);
    double best = NEVER;
    if (!m) return false;
    unsigned open = 0;
    bool full = false;
    for (size_t i = 0; i < j->field[field].n && !full; i++) {
        const struct entry *e = &j->field[field].near[i];
        if (e->behind < -gate) continue;
        const struct ask is = {IS_VALUE, field, e->value, must};
        const double s = best_page(j, &is, m);
        full = m->votes.full || m->people.full || ++open > OPEN_MAX;
        if (s > best) {
            best = s;
            *value = (uint64_t)e->value;
        }
    }
    bool good = best > NEVER / 2 && !full;
    if (good) {
        const struct ask other = {IS_OTHER, field, (int64_t)*value, 0};
        const struct ask none = {IS_NONE, field, 0, 0};
        const double second = best_page(j, &other, m);
        good = !m->votes.full && !m->people.full;
        *margin = best - fmax(second, best_page(j, &none, m));
    }
    free(m);
    return good;
}

/* ---- what does not add up ---- */

static const struct scan_field *answered(const struct scan_result *r, unsigned row) {
    for (uint32_t i = 0; i < r->field_count; i++)
        if (r->field[i].index == row) return r->field[i].read.reasons ? NULL : &r->field[i];
    return NULL;
}

unsigned joint_broken(const struct scan_result *r, const uint64_t *registered) {
    const unsigned c = r->code.shape.choices;
    const struct scan_field *row[FORM_COUNT_ROWS];
    unsigned broken = 0;
    uint64_t sum = 0;
    bool all = c > 0 && c <= FORM_CHOICES_MAX;
    if (!all) return 0;
    for (unsigned i = 0; i < c; i++) {
        const struct scan_field *k = answered(r, i);
        all = all && k;
        if (k) sum += k->read.value;
    }
    for (unsigned i = 0; i < FORM_COUNT_ROWS; i++) row[i] = answered(r, c + i);
    if (all && row[VALID] && sum != row[VALID]->read.value) broken |= 1u << JOINT_VOTES;
    if (row[KIT] && row[HAND] && row[REJECTED] && row[VALID] &&
        row[KIT]->read.value + row[HAND]->read.value !=
            row[REJECTED]->read.value + row[VALID]->read.value)
        broken |= 1u << JOINT_IDENTIFIED;
    if (row[OBJECTED] && row[REJECTED] && row[OBJECTED]->read.value > row[REJECTED]->read.value)
        broken |= 1u << JOINT_OBJECTED;
    if (registered && row[REGISTERED] && row[REGISTERED]->read.value != *registered)
        broken |= 1u << JOINT_REGISTER;
    for (uint32_t i = 0; registered && i < r->field_count; i++)
        if (!r->field[i].read.reasons && r->field[i].index != c + REGISTERED &&
            r->field[i].read.value > *registered)
            broken |= 1u << JOINT_BOUND;
    return broken;
}
