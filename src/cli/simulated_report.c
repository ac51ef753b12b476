/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/simulated_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include "base/text.h"
#include "election/definition.h"
#include "election/gate.h"
#include "election/results.h"

enum { FINDINGS_WIDTH = 18 };

static void say_simulated(const struct simulated_log *o) {
    printf("%.*s\n", (int)o->x->preset->simulated.n, (const char *)o->x->preset->simulated.p);
}

void simulated_report_start(const struct simulated_log *o, const char *url) {
    say_simulated(o);
    printf("\nThe night arrives at %s/ (Ctrl-C stops; the same command goes on from there).\n\n", url);
    fflush(stdout);
}

/* --- are the totals what they should be? --- */

/* The expansion's unit with this code, at any level; PRESET_NO_UNIT for a station. */
static uint32_t unit_of(const struct expansion *x, struct span code) {
    for (uint32_t l = 0; l + 1 < x->preset->level_count; l++) {
        uint32_t from = x->level_first[l], to = x->level_first[l + 1];
        while (from < to) {
            uint32_t mid = from + (to - from) / 2;
            int c = span_cmp(x->units[mid].code, code);
            if (c == 0) return mid;
            if (c < 0)
                from = mid + 1;
            else
                to = mid;
        }
    }
    return PRESET_NO_UNIT;
}

struct check {
    const struct expansion *x;
    uint64_t *sums; /* by unit of x, choices each: what was sent */
    uint64_t units, published; /* compared */
};

static void add_up(struct check *c, uint32_t contest, uint32_t choices) {
    const struct expansion *x = c->x;
    memset(c->sums, 0, (size_t)x->unit_count * PRESET_CHOICES_MAX * sizeof *c->sums);
    for (uint32_t i = 0; i < x->figures_count; i++) {
        const struct expand_figures *g = &x->figures[i];
        if (g->contest != contest || !g->sent) continue;
        for (uint32_t u = x->stations[g->station].unit; u != PRESET_NO_UNIT; u = x->units[u].parent)
            for (uint32_t k = 0; k < choices; k++)
                c->sums[(size_t)u * PRESET_CHOICES_MAX + k] += g->votes[k];
    }
}

static err check_contest(struct check *c, const struct fold *s, const struct tally *t,
                         uint32_t contest, struct fail *f) {
    const struct preset_contest *k = &c->x->contests[contest];
    add_up(c, contest, k->choice_count);
    for (size_t i = 0; i < t->n; i++) {
        struct span code = fold_unit(s, t->rows[i].unit)->code;
        uint32_t u = unit_of(c->x, code);
        if (u == PRESET_NO_UNIT) continue;
        const uint64_t *got = t->rows[i].total[TOTAL_TRANSMITTED].votes;
        for (uint32_t n = 0; n < k->choice_count; n++) {
            uint64_t sent = c->sums[(size_t)u * PRESET_CHOICES_MAX + n];
            if (got[n] == sent) continue;
            return fail_set(f, E_RESULTS,
                            "unit %.*s, %.*s: the stations sent %" PRIu64 " votes, the log's total is "
                            "%" PRIu64,
                            SPAN_ARG(code), SPAN_ARG(k->choices[n].id), sent, got[n]);
        }
        c->units++;
    }
    return OK;
}

/* The preset's own rows, read from its files: independent of the expansion. */
static err check_published(struct check *c, const struct fold *s, const struct tally *t,
                           struct fail *f) {
    const struct preset *p = c->x->preset;
    for (uint32_t r = 0; r < p->row_count; r++) {
        const struct preset_row *row = &p->rows[r];
        const struct preset_contest *k = &p->contests[p->totals_contest];
        bool whole = true;
        for (uint32_t n = 0; n < k->choice_count; n++) whole &= row->votes[n].present;
        if (!whole) continue;
        const struct tally_row *at = NULL;
        for (size_t i = 0; i < t->n && !at; i++)
            if (span_eq(fold_unit(s, t->rows[i].unit)->code, p->units[row->unit].code))
                at = &t->rows[i];
        for (uint32_t n = 0; n < k->choice_count; n++) {
            uint64_t got = at ? at->total[TOTAL_TRANSMITTED].votes[n] : 0;
            if (got == row->votes[n].value) continue;
            return fail_set(f, E_RESULTS,
                            "unit %.*s, %.*s: the published row says %" PRIu64 ", the log's total is "
                            "%" PRIu64,
                            SPAN_ARG(p->units[row->unit].code), SPAN_ARG(k->choices[n].id),
                            row->votes[n].value, got);
        }
        c->published++;
    }
    return OK;
}

/* --- printing --- */

static void print_number(uint64_t v) {
    char t[24], out[32];
    int n = snprintf(t, sizeof t, "%" PRIu64, v), o = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[o++] = ',';
        out[o++] = t[i];
    }
    out[o] = 0;
    printf("%12s", out);
}

static void print_contest(const struct preset_contest *k, const struct tally *t) {
    static const char *const meaning[TOTAL_COUNT] = {
        [TOTAL_TRANSMITTED] = "signed at the station, with an image of the form",
        [TOTAL_TRANSCRIBED] = "read twice from the form by people who saw nothing else",
        [TOTAL_COMPARED] = "held against the paper original"};
    const struct tally_row *root = &t->rows[0];
    printf("%.*s, stations: %" PRIu64 " expected, %" PRIu64 " received, %" PRIu64
           " without an image, %" PRIu64 " in question\n",
           SPAN_ARG(k->title), root->expected, root->received, root->without_image,
           root->in_question);
    for (int n = 0; n < TOTAL_COUNT; n++)
        printf("%12" PRIu64 "  %s%s%s\n", root->total[n].stations, total_name((enum total_name)n),
               meaning[n] ? ": " : "", meaning[n] ? meaning[n] : "");
    printf("  transmitted (provisional, not declared), %" PRIu64 " stations:\n",
           root->total[TOTAL_TRANSMITTED].stations);
    for (uint32_t n = 0; n < k->choice_count; n++) {
        print_number(root->total[TOTAL_TRANSMITTED].votes[n]);
        printf("  %.*s\n", SPAN_ARG(k->choices[n].name));
    }
    print_number(root->total[TOTAL_TRANSMITTED].valid);
    printf("  valid votes\n");
    print_number(root->total[TOTAL_TRANSMITTED].rejected);
    printf("  rejected");
    if (root->total[TOTAL_TRANSMITTED].rejected_blank)
        printf(" (blank at %" PRIu64 " stations)", root->total[TOTAL_TRANSMITTED].rejected_blank);
    printf("\n");
}

/* The declaration, and what its override says was open. */
static void print_declaration(const struct fold *s, const struct tally *t) {
    uint32_t i = declaration_of(s, t->contest, t->round);
    if (i == NO_DECLARATION) {
        printf("not declared\n");
        return;
    }
    const struct declaration *d = fold_declaration(s, i);
    printf("declared by entry %" PRIu64 ": outcome %s", d->entry, outcome_name(d->outcome.kind));
    for (uint32_t c = 0; c < t->choice_count; c++)
        if (outcome_has(&d->outcome, c))
            printf(", %.*s", SPAN_ARG(contest_choice(s, fold_contest(s, t->contest), c)->name));
    printf("\n");
    if (d->override == NO_OVERRIDE) return;
    const struct override *o = fold_override(s, d->override);
    printf("  by an override (entry %" PRIu64 "); what was open then:\n", o->entry);
    for (size_t k = 0; k < o->item_count; k++) {
        const struct override_item *x = override_item(s, o, k);
        print_number(x->count);
        printf("  %s: %s\n", gate_name((enum gate_code)x->code), gate_text((enum gate_code)x->code));
    }
}

static void print_answers(const struct replay_report *r) {
    if (r->records == 0) return;
    printf("\n%" PRIu64 " records were sent: %" PRIu64 " taken, %" PRIu64 " in the log already",
           r->records, r->accepted, r->duplicates);
    for (int c = 1; c < ERR_COUNT; c++)
        if (r->refused[c]) printf(", %" PRIu64 " %s", r->refused[c], err_info((err)c)->name);
    printf("; %" PRIu64 " objects were uploaded", r->objects);
    printf("\nkeys %.1f s, night %.1f s, readings and comparisons %.1f s, tables %.1f s\n",
           r->seconds[SIM_OFFICERS] + r->seconds[SIM_KEYS], r->seconds[SIM_NIGHT], r->seconds[SIM_DESK],
           r->seconds[SIM_TABLES] + r->seconds[SIM_HIGHER]);
}

static void print_findings(const struct results *r) {
    bool any = false;
    for (int c = 0; c < FINDING_COUNT; c++) {
        if (!r->findings.count[c]) continue;
        printf("%s  %s %" PRIu64, any ? "," : "findings:", finding_name((enum finding_code)c),
               r->findings.count[c]);
        any = true;
    }
    if (any) printf("\n");
}

static void print_next(const struct simulated_log *o, const char *url) {
    struct span first = o->x->stations[0].code;
    printf("\nTry next:\n"
           "  hesabu verify %s/public --anchor %s/public/anchor\n"
           "  hesabu results %s/public\n"
           "  less %s/demo-log.txt\n",
           o->dir, o->dir, o->dir, o->dir);
    if (url)
        printf("  open %s/ in a browser\n"
               "  curl %s/head.json\n"
               "  curl -N %s/events\n"
               "  curl %s/results/index.json\n",
               url, url, url, url);
    else
        printf("  hesabu serve --dir %s    and open http://127.0.0.1:8080/\n"
               "    (its witnesses ran in this process; to send it further records without them, add\n"
               "    --unconfirmed 'trying it out')\n",
               o->dir);
    printf("SIMULATED keys are in %s/keys, e.g. po.%.*s.key\n", o->dir, SPAN_ARG(first));
}

static err report(const struct simulated_log *o, const struct fold *s, struct results *all,
                  struct check *c, struct fail *f) {
    const struct expansion *x = o->x;
    bool shown = false;
    for (uint32_t k = 0; k < x->contest_count; k++) {
        const struct tally *t = NULL;
        for (size_t i = 0; i < all->n && !t; i++)
            if (span_eq(fold_contest(s, all->tallies[i].contest)->id, x->contests[k].id))
                t = &all->tallies[i];
        if (!t) return fail_set(f, E_RESULTS, "the log knows no contest %.*s", SPAN_ARG(x->contests[k].id));
        TRY(check_contest(c, s, t, k, f));
        if (k == 0 && o->whole && x->preset->totals_contest != PRESET_NO_UNIT)
            TRY(check_published(c, s, t, f));
        if (!shown) {
            print_contest(&x->contests[k], t);
            print_declaration(s, t);
        }
        shown = true;
    }
    if (x->contest_count > 1)
        printf("%zu of %u contests are declared\n", fold_declaration_count(s), x->contest_count);
    printf("Checked: the transmitted totals of %" PRIu64 " units equal what their stations sent",
           c->units);
    if (c->published)
        printf(";\n  those of %" PRIu64 " units equal the rows of Form %.*s figure by figure",
               c->published, SPAN_ARG(x->preset->totals_form));
    printf(".\n");
    for (uint32_t i = 0; i < x->note_count; i++) {
        enum expand_note_kind kind = x->notes[i].kind;
        if (kind == NOTE_NO_ROW || kind == NOTE_NO_VOTES || kind == NOTE_PART_BLANK)
            printf("  %.*s\n", (int)x->notes[i].text.n, (const char *)x->notes[i].text.p);
    }
    return OK;
}

err simulated_report(const struct simulated_log *o, const struct fold *fold,
                     const struct replay_report *r, const char *url, struct fail *f) {
    struct results all;
    struct check c = {.x = o->x};
    say_simulated(o);
    printf("\n");
    TRY(results_compute(fold, &all, f));
    c.sums = calloc((size_t)o->x->unit_count * PRESET_CHOICES_MAX, sizeof *c.sums);
    err e = c.sums ? report(o, fold, &all, &c, f) : fail_set(f, E_MEMORY, "no memory for the summary");
    if (e == OK) {
        print_findings(&all);
        print_answers(r);
        print_next(o, url);
    }
    fflush(stdout);
    free(c.sums);
    results_release(&all);
    return e;
}
