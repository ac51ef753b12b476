/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu quickcount estimate: its intervals over time, as JSON, as a table and as pictures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/quickcount_sample.h"
#include "stats/pictures.h"

static int by_i64(const void *x, const void *y) {
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

err quick_moments(const struct sample *s, const struct fx_table *t, struct quick_moments *m,
                  struct fail *f) {
    m->n = 0;
    if (!t->time_ms) return OK;
    int64_t *time = reallocarray(NULL, s->n + 1, sizeof *time);
    size_t n = 0;
    if (!time) return fail_set(f, E_MEMORY, "the reports do not fit in the memory allowed");
    for (size_t i = 0; i < s->n; i++) {
        uint32_t row = s->at[i].report;
        if (row != UINT32_MAX && t->time_ms[row] != FX_NO_TIME) time[n++] = t->time_ms[row];
    }
    qsort(time, n, sizeof *time, by_i64);
    for (size_t k = 1; k <= QUICK_MOMENTS && n; k++) {
        int64_t until = time[(n * k + QUICK_MOMENTS - 1) / QUICK_MOMENTS - 1];
        if (m->n == 0 || m->until_ms[m->n - 1] < until) m->until_ms[m->n++] = until;
    }
    free(time);
    return OK;
}

static void utc(int64_t ms, char out[21]) {
    clock_format_utc(ms > 0 ? (uint64_t)ms : 0, out);
}

static void json_sentence(struct json_out *j, const char *key, void (*say)(enum lang, struct buf *),
                          enum lang lang) {
    struct buf text;
    buf_init(&text, 1 << 12);
    say(lang, &text);
    json_kstr(j, key, buf_cstr(&text));
    buf_release(&text);
}

err quick_time_json(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                    const struct quick_moments *m, const struct estimated *of, size_t n, enum lang lang,
                    struct json_out *j, struct fail *f) {
    char text[21];
    json_sentence(j, "over_time_sentence", qc_say_over_time, lang);
    if (a->at_random) json_sentence(j, "at_random_sentence", qc_say_at_random, lang);
    json_key(j, "over_time");
    json_array(j);
    for (size_t k = 0; k < m->n; k++) {
        json_object(j);
        utc(m->until_ms[k], text);
        json_kstr(j, "until", text);
        json_key(j, "until_ms");
        json_i64(j, m->until_ms[k]);
        json_key(j, "estimates");
        json_array(j);
        for (size_t i = 0; i < n; i++) {
            struct qc_estimate e;
            TRY(quick_ratio(s, t, &of[i], (double)a->cap, m->until_ms[k], &e, f));
            json_object(j);
            json_kspan(j, "of", of[i].name);
            quick_json_members(j, &e, a->at_random);
            json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    return OK;
}

static void interval(double low, double high, struct buf *out) {
    if (high > low)
        buf_printf(out, "  %6.2f .. %6.2f", 100 * low, 100 * high);
    else
        buf_printf(out, "  %16s", "-");
}

err quick_time_text(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                    const struct quick_moments *m, const struct estimated *of, enum lang lang,
                    struct buf *out, struct fail *f) {
    char text[21];
    SAY(out, lang, "\n%.*s, as reports arrived. ", "\n%.*s, kadiri ripoti zilivyofika. ", SPAN_ARG(of->name));
    qc_say_over_time(lang, out);
    if (a->at_random) buf_byte(out, ' ');
    if (a->at_random) qc_say_at_random(lang, out);
    buf_printf(out, "\n  %-20s  %14s  %16s  %16s", lang == LANG_SW ? "hadi (UTC)" : "until (UTC)",
               lang == LANG_SW ? "ripoti" : "reports", "95 %", "99 %");
    if (a->at_random) buf_printf(out, "  %16s", lang == LANG_SW ? "kubahatisha 95 %" : "at random 95 %");
    buf_byte(out, '\n');
    for (size_t k = 0; k < m->n; k++) {
        struct qc_estimate e;
        TRY(quick_ratio(s, t, of, (double)a->cap, m->until_ms[k], &e, f));
        utc(m->until_ms[k], text);
        buf_printf(out, "  %-20s  %6zu / %5zu", text, e.reported, e.drawn);
        interval(e.bound_low95, e.bound_high95, out);
        interval(e.bound_low, e.bound_high, out);
        if (a->at_random) interval(e.missing ? 0 : e.low95, e.missing ? 0 : e.high95, out);
        buf_byte(out, '\n');
    }
    return buf_ok(out, f);
}

static err one_picture(const struct quick_args *a, const struct qc_moment *at, size_t n,
                       const struct estimated *of, enum lang lang, struct fail *f) {
    char name[48], path[PATH_MAX_LEN];
    struct buf b;
    if (of->what == SHARE)
        (void)snprintf(name, sizeof name, "quickcount-%zu.svg", of->choice + 1);
    else
        (void)snprintf(name, sizeof name, "quickcount-%s.svg", of->what == TURNOUT ? "turnout" : "rejected");
    TRY(path_join(path, sizeof path, a->pictures, name, f));
    buf_init(&b, 1 << 20);
    picture_quick(at, n, of->name, of->official, a->at_random, lang, &b);
    err e = buf_ok(&b, f);
    if (e == OK) e = file_write_atomic(path, buf_view(&b), f);
    buf_release(&b);
    return e;
}

err quick_time_pictures(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                        const struct quick_moments *m, const struct estimated *of, size_t n,
                        enum lang lang, struct fail *f) {
    struct qc_moment at[QUICK_MOMENTS];
    TRY(file_mkdirs(a->pictures, f));
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < m->n; k++) {
            at[k].until_ms = m->until_ms[k];
            TRY(quick_ratio(s, t, &of[i], (double)a->cap, m->until_ms[k], &at[k].e, f));
        }
        TRY(one_picture(a, at, m->n, &of[i], lang, f));
    }
    return OK;
}
