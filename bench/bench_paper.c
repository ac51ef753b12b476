/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What docs/reading.md is measured with: simulated forms, written with real digits of writers that
 * no network saw, photographed in arithmetic, read from the JPEG file. Prints counts with exact
 * (Clopper-Pearson) 95 % intervals. Usage: bench_paper SHARED WHAT [N] [SEED] [MORE], where WHAT is
 * scanner, phone, phone-dev, unsound, bad-phone, semeion, optdigits (MORE: a folder for images that
 * went wrong), columns (N figures in open cells) or mutated (N files). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "bench_form.h"
#include "paper/cell.h"
#include "paper/image.h"
#include "paper/judge.h"
#include "paper/scan.h"
#include "paper/sheet.h"
#include "paper/synth.h"

static _Noreturn void die(const struct fail *f) {
    fprintf(stderr, "bench_paper: %s (%s)\n", f->text, err_info(f->code)->name);
    exit(1);
}

/* ---- exact intervals: Clopper and Pearson 1934, by bisection on the binomial tail ---- */

static double log_choose(double n, double k) {
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

/* P(X <= k) for X ~ Bin(n, p). */
static double binomial_cdf(size_t k, size_t n, double p) {
    double sum = 0;
    if (p <= 0) return 1;
    if (p >= 1) return k >= n ? 1 : 0;
    for (size_t i = 0; i <= k; i++)
        sum += exp(log_choose((double)n, (double)i) + (double)i * log(p) +
                   (double)(n - i) * log1p(-p));
    return sum > 1 ? 1 : sum;
}

static void interval(size_t k, size_t n, double *low, double *high) {
    *low = 0;
    *high = 1;
    if (n == 0) return;
    for (int side = 0; side < 2; side++) {
        double a = 0, b = 1;
        if (side == 0 && k == 0) continue;
        if (side == 1 && k == n) continue;
        for (int i = 0; i < 60; i++) {
            const double p = (a + b) / 2;
            const bool up =
                side == 0 ? 1 - binomial_cdf(k - 1, n, p) < 0.025 : binomial_cdf(k, n, p) > 0.025;
            if (up)
                a = p;
            else
                b = p;
        }
        *(side == 0 ? low : high) = (a + b) / 2;
    }
}

static void show(const char *what, size_t k, size_t n) {
    /* the smaller side of the count keeps the sums short */
    double low, high;
    const bool flip = k > n / 2;
    interval(flip ? n - k : k, n, &low, &high);
    if (flip) {
        const double t = low;
        low = 1 - high;
        high = 1 - t;
    }
    printf("  %-46s %8zu of %8zu  %8.4f %%  [%.4f, %.4f]\n", what, k, n,
           n ? 100.0 * (double)k / (double)n : 0.0, 100 * low, 100 * high);
}

/* ---- forms ---- */

struct votes {
    uint64_t v[CHOICES];
};
static struct votes *stations;
static size_t station_count;

/* Vote values of real stations (crowd transcriptions of 2022), for realistic figures. */
static void load_votes(const char *shared) {
    char command[4300], line[400];
    snprintf(command, sizeof command,
             "xz -dc '%s/data/kenya2022/form34a_2022_crowd.csv.xz' 2>/dev/null", shared);
    FILE *p = popen(command, "r");
    stations = calloc(40000, sizeof *stations);
    if (!p || !stations) exit(1);
    while (station_count < 40000 && fgets(line, sizeof line, p)) {
        unsigned long v[CHOICES];
        const char *at = line;
        int commas = 0;
        for (; *at && commas < 8; at++) commas += *at == ',';
        if (sscanf(at, "%lu,%lu,%lu,%lu", &v[0], &v[1], &v[2], &v[3]) != 4) continue;
        if (v[0] + v[1] + v[2] + v[3] > 700) continue;
        for (int i = 0; i < CHOICES; i++) stations[station_count].v[i] = v[i];
        station_count++;
    }
    pclose(p);
    if (station_count == 0) { /* without the shared data: plausible values */
        struct rng r;
        rng_init(&r, 1);
        for (; station_count < 1000; station_count++)
            for (int i = 0; i < CHOICES; i++)
                stations[station_count].v[i] = rng_below(&r, i < 2 ? 350 : 8);
    }
}

static bool unsound; /* every form has one figure that its officer got wrong by a power of ten */

static void draw_values(struct rng *r, uint64_t v[ROWS]) {
    uint64_t valid = 0;
    const struct votes *s = &stations[rng_below(r, station_count)];
    for (int i = 0; i < CHOICES; i++) valid += v[i] = s->v[i];
    const uint64_t rejected = rng_below(r, 9), hand = rng_below(r, 5);
    const uint64_t cast = valid + rejected;
    v[CHOICES + 0] = cast + rng_below(r, 701 - (cast > 700 ? 700 : cast));
    v[CHOICES + 1] = cast > hand ? cast - hand : cast;
    v[CHOICES + 2] = cast > hand ? hand : 0;
    v[CHOICES + 3] = rejected;
    v[CHOICES + 4] = rejected ? rng_below(r, 2) : 0;
    v[CHOICES + 5] = rng_below(r, 2);
    v[CHOICES + 6] = valid;
    if (!unsound) return;
    static const uint64_t step[] = {1, 10, 100};
    const uint64_t by = step[rng_below(r, 3)];
    uint64_t *at = &v[rng_below(r, 3) == 0 ? rng_below(r, CHOICES) : CHOICES + 6];
    *at += *at >= by && rng_below(r, 2) ? -by : by;
}

struct made {
    struct buf jpeg;
    struct synth_row truth[ROWS];
    struct synth_hand hand;
    char station[19];
};

static struct rng form_rng(uint64_t seed, uint64_t i) {
    struct rng r;
    rng_init_stream(&r, seed, i + 1);
    return r;
}

static void make_form(uint64_t seed, uint64_t i, const struct digit_set *digits,
                      enum synth_device device, const uint64_t *signatures, struct made *m) {
    struct fail f;
    struct raster page, photo;
    struct layout_page layout;
    uint64_t values[ROWS];
    int quality;
    struct rng r = form_rng(seed, i);
    const struct print_form form = simulated_form(i);
    memcpy(m->station, form.code.station, sizeof form.code.station);
    draw_values(&r, values);
    synth_hand_draw(&r, digits, &m->hand);
    if (signatures) m->hand.signatures = *signatures;
    if (synth_blank(&form, 1, &page, &f) != OK) die(&f);
    if (form_layout(form.code.shape, 1, &layout, &f) != OK) die(&f);
    for (unsigned k = 0; k < ROWS; k++)
        synth_write_row(&r, &page, &m->hand, &layout.rows[k], BOXES, values[k], 0.02, &m->truth[k]);
    synth_sign(&r, &page, &m->hand, &layout);
    if (synth_photo(&r, &page, device, &photo, &quality, &f) != OK) die(&f);
    buf_init(&m->jpeg, (size_t)32 << 20);
    if (image_write_jpeg(&photo, quality, &m->jpeg, &f) != OK) die(&f);
    raster_release(&photo);
    raster_release(&page);
}

/* ---- counting ---- */

struct field_row { /* one field, for the curve */
    double margin;
    bool hard; /* abstained for another reason than the margin */
    bool right;
};

/* Where a form was lost first, in the order of the way. */
enum cause {
    LOST_SHEET,
    LOST_IDENTITY,
    LOST_GATE,
    LOST_PLACE,
    LOST_STRIKE,
    LOST_OVERWRITTEN,
    LOST_INK,
    LOST_FREE,
    LOST_DOUBT,
    LOST_RULE,
    CAUSES
};
static const char *const cause_names[CAUSES] = {
    "sheet not found",
    "identity not read",
    "template gate",
    "a row not found, or cut off",
    "struck, corrected, gaps",
    "a box taken for overwritten",
    "unlike ink",
    "margin, in objected or disputed",
    "margin, rules left it open",
    "answered figures break a rule",
};

struct counts {
    size_t forms, registered, coded, gated;
    size_t boxes, boxes_right, digits, digits_right;
    size_t marks[NET_CLASSES], marks_as_digit[NET_CLASSES];
    size_t cause[CAUSES]; /* of a form's first flag */
    size_t fields, answered, wrong;
    size_t forms_flagged, forms_silent_wrong, forms_clean;
    size_t reason[ABSTAIN_REASONS];
    struct field_row *row;
    size_t rows;
    double seconds, seconds_max;
    uint64_t peak_kb;
};

static char class_letter(uint8_t c) {
    return c < 10              ? (char)('0' + c)
           : c == CLASS_BLANK  ? ' '
           : c == CLASS_DASH   ? '-'
           : c == CLASS_STRUCK ? 'X'
                               : '?';
}

static enum cause cause_of(const struct scan_result *s, bool scanned) {
    unsigned reasons = 0;
    bool free_only = true;
    if (!scanned || !s->has_sheet) return LOST_SHEET;
    if (!s->qr_read && !s->strip_read) return LOST_IDENTITY;
    if (!s->template_ok || s->field_count < ROWS) return LOST_GATE;
    for (unsigned k = 0; k < ROWS; k++) {
        reasons |= s->field[k].read.reasons;
        const bool in_no_sum = k == CHOICES + 4 || k == CHOICES + 5;
        if (s->field[k].read.reasons && !in_no_sum) free_only = false;
    }
    if (reasons & ABSTAIN_PLACE) return LOST_PLACE;
    if (reasons & (ABSTAIN_STRUCK | ABSTAIN_BOTH | ABSTAIN_LAYOUT | ABSTAIN_EMPTY | ABSTAIN_DASHES))
        return LOST_STRIKE;
    if (reasons & ABSTAIN_OVERWRITTEN) return LOST_OVERWRITTEN;
    if (reasons & ABSTAIN_INK) return LOST_INK;
    if (reasons) return free_only ? LOST_FREE : LOST_DOUBT;
    return LOST_RULE;
}

static void count_form(const struct made *m, const struct scan_result *s, bool scanned,
                       struct counts *c) {
    bool flagged = !scanned || !s->template_ok || !(s->qr_read || s->strip_read), silent = false;
    c->forms++;
    c->registered += scanned && s->has_sheet;
    c->coded +=
        scanned && (s->qr_read || s->strip_read) && strcmp(s->code.station, m->station) == 0;
    c->gated += scanned && s->template_ok;
    for (unsigned k = 0; k < ROWS; k++) {
        const struct synth_row *t = &m->truth[k];
        const struct field_row lost = {-1e9, true, false};
        c->fields++;
        if (!scanned || k >= s->field_count) {
            for (unsigned b = 0; b < BOXES; b++) c->digits += t->figure[b] < 10;
            c->boxes += BOXES;
            c->row[c->rows++] = lost;
            flagged = true;
            continue;
        }
        const struct field_reading *v = &s->field[k].read;
        const uint8_t *truth = v->corrected ? t->correction : t->figure;
        for (unsigned b = 0; b < BOXES; b++) {
            const char want = class_letter(truth[b]);
            const bool same = v->text[b] == want;
            c->boxes++;
            c->boxes_right += same;
            if (truth[b] < 10) {
                c->digits++;
                c->digits_right += same;
            } else {
                c->marks[truth[b]]++;
                c->marks_as_digit[truth[b]] += v->text[b] >= '0' && v->text[b] <= '9';
            }
        }
        const bool right = v->has_value && v->value == t->value;
        for (unsigned bit = 0; bit < ABSTAIN_REASONS; bit++)
            c->reason[bit] += v->reasons >> bit & 1;
        c->row[c->rows++] =
            (struct field_row){v->margin, (v->reasons & ~(unsigned)ABSTAIN_MARGIN) != 0, right};
        if (v->reasons) {
            flagged = true;
        } else {
            c->answered++;
            c->wrong += !right;
            silent = silent || !right;
        }
    }
    if (scanned && s->broken) flagged = true;
    if (flagged) c->cause[cause_of(s, scanned)]++;
    c->forms_flagged += flagged;
    c->forms_silent_wrong += silent && !flagged;
    c->forms_clean += !flagged && !silent;
}

static int by_margin(const void *a, const void *b) {
    const struct field_row *x = a, *y = b;
    if (x->hard != y->hard) return x->hard ? 1 : -1;
    return x->margin > y->margin ? -1 : x->margin < y->margin;
}

static void print_counts(const char *title, struct counts *c) {
    printf("%s: %zu forms\n", title, c->forms);
    show("sheet registered", c->registered, c->forms);
    show("identity read (QR or strip)", c->coded, c->forms);
    show("template gate passed", c->gated, c->forms);
    show("boxes right, from the whole image", c->boxes_right, c->boxes);
    show("digits right, from the whole image", c->digits_right, c->digits);
    show("X and struck boxes read as a digit", c->marks_as_digit[CLASS_STRUCK],
         c->marks[CLASS_STRUCK]);
    show("dashes read as a digit", c->marks_as_digit[CLASS_DASH], c->marks[CLASS_DASH]);
    show("blank boxes read as a digit", c->marks_as_digit[CLASS_BLANK], c->marks[CLASS_BLANK]);
    show("fields answered", c->answered, c->fields);
    show("wrong among answered fields", c->wrong, c->answered);
    show("forms with a flag (any field, code or sum)", c->forms_flagged, c->forms);
    show("forms silently wrong", c->forms_silent_wrong, c->forms);
    printf("  forms lost first to:");
    for (int k = 0; k < CAUSES; k++)
        if (c->cause[k]) printf(" %s %zu;", cause_names[k], c->cause[k]);
    printf("\n  reasons of fields:");
    for (unsigned b = 0; b < ABSTAIN_REASONS; b++)
        if (c->reason[b]) printf(" %s %zu", abstain_name(b), c->reason[b]);
    printf("\n  %.3f core-seconds a form in the child (JPEG to answer), %llu KB peak\n",
           c->forms ? c->seconds / (double)c->forms : 0, (unsigned long long)c->peak_kb);
    qsort(c->row, c->rows, sizeof *c->row, by_margin);
    printf("  coverage of fields: error among them\n");
    static const double cover[] = {0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 1.0};
    for (size_t k = 0; k < sizeof cover / sizeof *cover; k++) {
        const size_t n = (size_t)(cover[k] * (double)c->rows);
        size_t wrong = 0;
        for (size_t i = 0; i < n; i++) wrong += !c->row[i].right;
        char label[64];
        snprintf(label, sizeof label, "    %5.1f %%  (margin %.2f%s)", 100 * cover[k],
                 n ? c->row[n - 1].margin : 0,
                 n && c->row[n - 1].hard ? ", also hard abstentions" : "");
        show(label, wrong, n);
    }
}

/* ---- typed against image ---- */

enum typo { TYPO_ONE_DIGIT, TYPO_LOOK_ALIKE, TYPO_TRANSPOSED, TYPO_ROWS, TYPO_PREFIX, TYPOS };
static const char *const typo_names[TYPOS] = {"one digit", "look-alike (1/7 3/8 0/6 4/9)",
                                              "two digits transposed", "two rows swapped",
                                              "a digit before it"};

static bool make_typo(struct rng *r, enum typo kind, uint64_t v, uint64_t next, uint64_t *out) {
    char t[24];
    const int n = snprintf(t, sizeof t, "%llu", (unsigned long long)v);
    const int at = (int)rng_below(r, (uint64_t)n);
    static const char pair[] = "17713883066094490000";
    switch (kind) {
    case TYPO_ONE_DIGIT:
        t[at] = (char)('0' + (t[at] - '0' + 1 + (int)rng_below(r, 9)) % 10);
        break;
    case TYPO_LOOK_ALIKE: {
        int k = 0;
        while (k < 16 && pair[k] != t[at]) k += 2;
        if (k >= 16) return false;
        t[at] = pair[k + 1];
        break;
    }
    case TYPO_TRANSPOSED:
        if (at + 1 >= n || t[at] == t[at + 1]) return false;
        {
            const char k = t[at];
            t[at] = t[at + 1];
            t[at + 1] = k;
        }
        break;
    case TYPO_ROWS:
        *out = next;
        return next != v;
    case TYPO_PREFIX:
        memmove(t + 1, t, (size_t)n + 1);
        t[0] = (char)('1' + (int)rng_below(r, 9));
        break;
    case TYPOS:
        return false;
    }
    *out = strtoull(t, NULL, 10);
    return *out != v;
}

struct typed {
    size_t tried[TYPOS], missed[TYPOS], fields, flagged, forms, forms_flagged;
    size_t form_typos, form_missed;
};

/* Forms typed right, and forms with one figure typed wrong: is that figure said to agree, and does
 * the whole form pass as agreeing? */
static void count_typos(struct rng *r, const struct made *m, const struct scan_result *s,
                        bool scanned, struct typed *t) {
    const struct decode_rules rules = decode_default_rules();
    struct judge_typed typed[FORM_ROWS_MAX] = {{0}};
    struct judge_field out[SCAN_FIELDS_MAX];
    static const struct scan_result none = {.field_count = 0};
    const struct scan_result *q = scanned && s->field_count == ROWS ? s : &none;
    const bool identified = q->qr_read || q->strip_read;
    const uint64_t registered = m->truth[CHOICES].value; /* the register is right here */
    for (unsigned k = 0; k < ROWS; k++) typed[k] = (struct judge_typed){true, m->truth[k].value};
    t->forms++;
    t->forms_flagged += judge_page(q, typed, &registered, rules, out) != SCAN_AGREES || !identified;
    t->fields += ROWS;
    for (unsigned k = 0; k < ROWS; k++)
        t->flagged += q->field_count == 0 || out[k].verdict != SCAN_AGREES;
    for (unsigned k = 0; k < ROWS; k++)
        for (int kind = 0; kind < TYPOS; kind++) {
            const uint64_t right = typed[k].value, next = m->truth[(k + 1) % ROWS].value;
            if (!make_typo(r, (enum typo)kind, right, next, &typed[k].value)) {
                typed[k].value = right;
                continue;
            }
            if (kind == TYPO_ROWS) typed[(k + 1) % ROWS].value = right;
            const enum scan_verdict form = judge_page(q, typed, &registered, rules, out);
            t->tried[kind]++;
            t->missed[kind] += q->field_count && out[k].verdict == SCAN_AGREES;
            t->form_typos++;
            t->form_missed += form == SCAN_AGREES && identified;
            typed[k].value = right;
            typed[(k + 1) % ROWS].value = next;
        }
}

static void bench_forms(const struct reader *reader, const struct digit_set *digits,
                        const char *title, enum synth_device device, size_t n, uint64_t seed,
                        const char *dump) {
    struct counts c = {.row = calloc(n * ROWS, sizeof *c.row)};
    struct typed typed = {0};
    if (!c.row) exit(1);
    for (size_t i = 0; i < n; i++) {
        struct made m;
        struct scan_result s;
        struct sandbox_usage usage = {0};
        struct hash hash;
        struct fail f = {0};
        make_form(seed, i, digits, device, NULL, &m);
        const struct scan_options o = {.rules = decode_default_rules(),
                                       .has_registered = true,
                                       .registered = m.truth[CHOICES].value};
        const bool scanned =
            scan_file(reader, buf_view(&m.jpeg), 1, &o, &s, &usage, &hash, &f) == OK;
        c.seconds += usage.cpu_seconds;
        if (usage.peak_kb > c.peak_kb) c.peak_kb = usage.peak_kb;
        const size_t wrong = c.wrong, silent = c.forms_silent_wrong;
        count_form(&m, &s, scanned, &c);
        struct rng r = form_rng(seed ^ 0x7470, i);
        count_typos(&r, &m, &s, scanned, &typed);
        if (dump && (!scanned || c.wrong > wrong || c.forms_silent_wrong > silent || i < 2)) {
            char path[4200];
            snprintf(path, sizeof path, "%s/form-%zu.jpg", dump, i);
            if (file_write_atomic(path, buf_view(&m.jpeg), &f) != OK) die(&f);
            for (unsigned k = 0; scanned && k < s.field_count; k++)
                if (!s.field[k].read.reasons && s.field[k].read.value != m.truth[k].value)
                    printf("  # form %zu row %u: wrote %llu, read %llu margin %.2f\n", i, k,
                           (unsigned long long)m.truth[k].value,
                           (unsigned long long)s.field[k].read.value, s.field[k].read.margin);
            if (!scanned) printf("  # form %zu: %s\n", i, f.text);
        }
        buf_release(&m.jpeg);
    }
    print_counts(title, &c);
    printf("  typed against image:\n");
    show("true values flagged (abstained or differing)", typed.flagged, typed.fields);
    show("forms typed right that are flagged", typed.forms_flagged, typed.forms);
    show("forms with one typing error that pass", typed.form_missed, typed.form_typos);
    for (int k = 0; k < TYPOS; k++) {
        char label[80];
        snprintf(label, sizeof label, "missed: %s", typo_names[k]);
        show(label, typed.missed[k], typed.tried[k]);
    }
    printf("\n");
    fflush(stdout);
    free(c.row);
}

/* ---- open cells ---- */

/* The "in words" cells of our form stand in for the ruled vote column of a form without boxes. */
static void bench_columns(const struct reader *reader, const struct digit_set *digits, size_t n,
                          uint64_t seed) {
    const struct decode_rules rules = decode_default_rules();
    size_t cells = 0, right = 0, answered = 0, wrong = 0, confirmed = 0, typos = 0, missed = 0;
    for (uint64_t i = 0; cells < n; i++) {
        struct fail f;
        struct raster page, photo, image;
        struct layout_page layout;
        struct registration reg;
        struct sheet sheet;
        struct synth_hand hand;
        struct buf jpeg;
        uint64_t values[ROWS];
        int quality;
        double shrink;
        struct rng r = form_rng(seed ^ 0xce11, i);
        const struct print_form form = simulated_form(i);
        draw_values(&r, values);
        synth_hand_draw(&r, digits, &hand);
        if (synth_blank(&form, 1, &page, &f) != OK) die(&f);
        if (form_layout(form.code.shape, 1, &layout, &f) != OK) die(&f);
        for (unsigned k = 0; k < ROWS; k++)
            synth_write_cell(&r, &page, &hand, layout.rows[k].words, values[k]);
        if (synth_photo(&r, &page, SYNTH_PHONE, &photo, &quality, &f) != OK) die(&f);
        buf_init(&jpeg, (size_t)32 << 20);
        if (image_write_jpeg(&photo, quality, &jpeg, &f) != OK) die(&f);
        if (image_decode(buf_view(&jpeg), 2200, &image, &shrink, &f) != OK) die(&f);
        const bool found = register_sheet(&image, &reg, &f) == OK;
        if (found && sheet_init(&sheet, &image, &reg, &f) != OK) die(&f);
        struct row_boxes boxes, previous;
        for (unsigned k = 0; k < ROWS; k++, cells++) {
            struct field_reading v = {.reasons = ABSTAIN_PLACE};
            struct rect_mm at = layout.rows[k].words;
            uint64_t typed;
            if (found && sheet_align_row(&sheet, &layout.rows[k], BOXES, k ? &previous : NULL,
                                         &boxes, &f) != OK)
                die(&f);
            previous = boxes;
            at.x += boxes.dx_mm;
            at.y += boxes.dy_mm;
            if (found && cell_read_at(reader, &sheet, at, rules, &v, &f) != OK) die(&f);
            right += v.has_value && v.value == values[k];
            answered += v.reasons == 0;
            wrong += v.reasons == 0 && v.value != values[k];
            const bool plain =
                v.has_value && !(v.reasons & ~(unsigned)(ABSTAIN_MARGIN | ABSTAIN_DISAGREE));
            confirmed += plain && v.value == values[k] && v.margin >= JUDGE_CONFIRM;
            if (!make_typo(&r, TYPO_ONE_DIGIT, values[k], 0, &typed)) continue;
            typos++;
            missed += plain && v.value == typed && v.margin >= JUDGE_CONFIRM;
        }
        if (found) sheet_release(&sheet);
        raster_release(&image);
        raster_release(&photo);
        raster_release(&page);
        buf_release(&jpeg);
    }
    printf("open cells (ruled, a dash before the figure, no boxes), held-out writers, phone\n");
    show("figures right", right, cells);
    show("answered", answered, cells);
    show("wrong among answered", wrong, answered);
    show("right typed values confirmed", confirmed, cells);
    show("missed: one digit wrong", missed, typos);
    printf("\n");
}

/* ---- hostile files ---- */

static bool append_piece(void *ctx, struct span piece) {
    buf_span(ctx, piece);
    return !((struct buf *)ctx)->failed;
}

static void bench_mutated(const struct reader *reader, const struct digit_set *digits, size_t n,
                          uint64_t seed) {
    struct buf source[3];
    struct made m;
    struct fail f;
    struct raster image, small;
    double shrink;
    size_t by_code[ERR_COUNT] = {0}, strange = 0;
    const struct scan_options o = {.rules = decode_default_rules()};
    make_form(7, 1, digits, SYNTH_PHONE, NULL, &m);
    if (image_decode(buf_view(&m.jpeg), 0, &image, &shrink, &f) != OK) die(&f);
    if (raster_halve(&image, 1, &small, &f) != OK) die(&f);
    for (int i = 0; i < 3; i++) buf_init(&source[i], (size_t)32 << 20);
    if (image_write_jpeg(&small, 60, &source[0], &f) != OK) die(&f);
    if (image_write_png(&small, &source[1], &f) != OK) die(&f);
    struct canvas *c;
    const struct print_form form = simulated_form(1);
    if (canvas_pdf(append_piece, &source[2], "t", "2017-08-08T00:00:00Z", &c, &f) != OK ||
        print_form(c, &form, &f) != OK || canvas_close(c, NULL, &f) != OK)
        die(&f);
    const double start = clock_seconds();
    for (size_t k = 0; k < n; k++) {
        struct rng r = form_rng(92 + seed, k);
        struct buf b;
        struct scan_result s;
        struct sandbox_usage usage;
        struct hash h;
        buf_init(&b, (size_t)32 << 20);
        buf_span(&b, buf_view(&source[k % 20 == 0 ? 2 : k % 2]));
        for (uint64_t q = 1 + rng_below(&r, 20); q > 0 && b.n > 2; q--) {
            const size_t at = (size_t)rng_below(&r, b.n);
            if (rng_below(&r, 12) == 0)
                b.n = at + 1;
            else
                b.p[at] = rng_below(&r, 2) ? (uint8_t)rng_u64(&r)
                                           : (uint8_t)(b.p[at] ^ (1u << rng_below(&r, 8)));
        }
        struct fail why = {0};
        const err e = scan_file(reader, buf_view(&b), 1, &o, &s, &usage, &h, &why);
        by_code[e]++;
        strange += e == E_SANDBOX || e == E_INTERNAL || (e != OK && why.text[0] == 0);
        buf_release(&b);
    }
    printf("%zu mutated files (JPEG, PNG, 5 %% PDF) through the child, %.1f s: ", n,
           clock_seconds() - start);
    for (int e = 0; e < ERR_COUNT; e++)
        if (by_code[e]) printf(" %s %zu", err_info((err)e)->name, by_code[e]);
    printf("; %zu without a clear refusal, parent alive; Landlock %s\n\n", strange,
           sandbox_has_landlock() ? "present" : "absent");
    for (int i = 0; i < 3; i++) buf_release(&source[i]);
    raster_release(&image);
    raster_release(&small);
    buf_release(&m.jpeg);
}

/* MNIST's test writers in two halves: one to develop and choose thresholds with ("-dev"), the other
 * to measure with. */
static void keep_half(struct digit_set *s, unsigned half) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->writer[i] % 2 != half) continue;
        memmove(s->image[n], s->image[i], sizeof s->image[n]);
        s->label[n] = s->label[i];
        s->writer[n++] = s->writer[i];
    }
    s->n = n;
}

int main(int argc, char **argv) {
    struct fail f = {0};
    struct reader reader;
    if (argc < 3) {
        fprintf(stderr, "usage: bench_paper SHARED WHAT [N] [SEED] [MORE]\n");
        return 64;
    }
    const size_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 100;
    const uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/data/digits", argv[1]);
    if (reader_init_builtin(&reader, &f) != OK) die(&f);
    load_votes(argv[1]);
    static const struct {
        const char *what, *title;
        enum digit_source source;
        enum synth_device device;
    } runs[] = {
        {"scanner", "held-out writers (MNIST test), scanner", DIGITS_MNIST_TEST, SYNTH_SCANNER},
        {"phone", "held-out writers (MNIST test), phone", DIGITS_MNIST_TEST, SYNTH_PHONE},
        {"phone-dev", "the other half of the held-out writers, phone", DIGITS_MNIST_TEST,
         SYNTH_PHONE},
        {"bad-phone", "held-out writers (MNIST test), bad phone photos", DIGITS_MNIST_TEST,
         SYNTH_BAD_PHONE},
        {"unsound", "held-out writers (MNIST test), phone, forms that do not add up",
         DIGITS_MNIST_TEST, SYNTH_PHONE},
        {"semeion", "Semeion writers, phone", DIGITS_SEMEION, SYNTH_PHONE},
        {"optdigits", "optdigits writers, phone", DIGITS_OPTDIGITS, SYNTH_PHONE},
    };
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        struct digit_set digits;
        if (strcmp(argv[2], runs[k].what) != 0) continue;
        if (digit_set_read(dir, runs[k].source, &digits, &f) != OK) die(&f);
        if (runs[k].source == DIGITS_MNIST_TEST)
            keep_half(&digits, strcmp(runs[k].what, "phone-dev") == 0 ? 0 : 1);
        unsound = strcmp(runs[k].what, "unsound") == 0;
        bench_forms(&reader, &digits, runs[k].title, runs[k].device, n, seed,
                    argc > 5 ? argv[5] : NULL);
        digit_set_release(&digits);
    }
    struct digit_set digits;
    if (digit_set_read(dir, DIGITS_MNIST_TEST, &digits, &f) != OK) die(&f);
    if (strcmp(argv[2], "columns") == 0) {
        keep_half(&digits, 1);
        bench_columns(&reader, &digits, n, seed);
    }
    if (strcmp(argv[2], "mutated") == 0) bench_mutated(&reader, &digits, n, seed);
    digit_set_release(&digits);
    reader_release(&reader);
    free(stations);
    return 0;
}
