/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit seed, next, status, close: the dice, how far they are read, where an audit stands, and its
 * end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/audit_on.h"
#include "cli/values.h"
#include "cli/words.h"
#include "election/compose_audit.h"
#include "service/audit_law.h"
#include "stats/audit/size.h"

enum { DRAWS_MAX = 64 << 20, TRANSCRIPT_MAX = 1 << 28 };

/* What the dice can draw, in their order. */
static err all_draws(struct audit_log *a, const uint32_t *order, struct audit_sample *out, struct fail *f) {
    size_t n = a->list.contest.batches, drawable = 0;
    uint64_t *weight = arena_array(&a->arena, n, sizeof *weight), total;
    if (!weight) return fail_set(f, E_MEMORY, "no memory for weights");
    TRY(transcript_weights(&a->t, weight, &total, f));
    while (drawable < n && weight[order[drawable]]) drawable++;
    *out = (struct audit_sample){weight, order, drawable, false, true};
    return OK;
}

/* Draws that a clean audit would take, along the dice's own order, and a tenth more. */
static err clean_size(struct audit_log *a, const uint32_t *order, uint64_t *out, struct fail *f) {
    size_t n = a->list.contest.batches;
    struct audit_sample s;
    struct size_along along;
    TRY(all_draws(a, order, &s, f));
    TRY(audit_size_along(&a->t.c, a->t.a, a->t.assertions, &s, BET_MIXTURE, a->t.limit_ppm / 1e6, &a->arena,
                         &along, f));
    *out = along.done ? along.length + along.length / 10 + 1 : n;
    if (*out > n) *out = n;
    return OK;
}

/* --- seed --- */

struct seed_args {
    const char *dir, *plan, *digits, *thrown, *draws;
    uint64_t size;
};

static err seed_text(void *args, struct audit_on *x, struct make_options *m, struct buf *text, struct fail *f) {
    struct seed_args *a = args;
    struct named_object draws;
    struct buf list;
    uint32_t *order;
    uint64_t thrown, size = a->size;
    if (!a->digits || !a->thrown)
        return fail_set(f, E_USAGE, "--digits and --thrown-at are needed: the dice as they fell, and when");
    TRY(value_time(a->thrown, &thrown, f));
    TRY(audit_seed_check(span_text(a->digits), f));
    if (!a->dir) a->dir = m->send.url;
    TRY(audit_on_open(a->dir, a->plan, "audit seed", x, f));
    if (x->a.dice->seed_entry != NO_ENTRY)
        return fail_set(f, E_STATE, "this audit has its dice: a second seed is refused");
    if (thrown < x->a.plan->ms)
        return fail_set(f, E_AUDIT_SEED, "the dice were thrown before the plan was recorded: the list could have "
                                         "been made to fit them; throw them again");
    TRY(audit_log_order(&x->a, span_text(a->digits), &order, f));
    if (!size) TRY(clean_size(&x->a, order, &size, f));
    buf_init(&list, DRAWS_MAX);
    audit_log_draws_object(&x->a, order, &list);
    err e = buf_ok(&list, f);
    if (e == OK) e = file_write_durable(a->draws, buf_view(&list), 0644, f);
    buf_release(&list);
    if (e == OK) e = words_public(m, a->draws, DRAWS_MAX, &draws, f);
    if (e != OK) return e;
    compose_audit_seed(text, &x->election, &x->plan_id, span_text(a->digits), draws, size, thrown);
    fprintf(stderr, "a first round of %llu of %zu stations; the order of draws is in %s\n",
            (unsigned long long)size, x->a.list.contest.batches, a->draws);
    return buf_ok(text, f);
}

int audit_cmd_seed(int argc, char **argv) {
    struct make_options m = {0};
    struct seed_args a = {.draws = "draws.txt"};
    const struct opt options[] = {
        ON_OPTIONS(a.dir, a.plan),
        {"--digits", OPT_TEXT, &a.digits, "DIGITS", "the dice as they fell: at least 20 decimal digits"},
        {"--thrown-at", OPT_TEXT, &a.thrown, "TIME", "when they were thrown, in public"},
        {"--size", OPT_U64, &a.size, "N", "stations of the first round (what a clean audit takes, and a tenth)"},
        {"--draws", OPT_TEXT, &a.draws, "FILE", "where the order of draws is written (draws.txt)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "audit seed --dir DIR|URL --digits DIGITS --thrown-at TIME --key BOARD --key SECOND --send URL",
        "Records the public dice of a committed audit, computes the order in which they draw the stations, and\n"
        "opens the first round.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    return audit_make("audit seed", &m, seed_text, &a);
}

/* --- next --- */

/* Later rounds: what was found is resampled along the dice's own order; nine in ten replicates end. */
static err next_size(struct audit_on *x, uint64_t *out, struct fail *f) {
    enum { REPLICATES = 200 };
    struct audit_log *a = &x->a;
    size_t n = a->list.contest.batches;
    uint64_t sizes[REPLICATES];
    struct audit_sample s;
    TRY(all_draws(a, a->order, &s, f));
    struct size_rounds r = {&a->t.c, a->t.a, a->t.assertions, &s, &a->t.h, BET_MIXTURE,
                            a->t.limit_ppm / 1e6, 1};
    TRY(audit_size_rounds(&r, 0, REPLICATES, &a->arena, sizes, f));
    *out = audit_quantile(sizes, REPLICATES, 0.9);
    if (*out > n) *out = n; /* what does not end before is a full count */
    if (*out <= a->dice->size) *out = a->dice->size + 1 + a->dice->size / 4;
    if (*out > n) *out = n;
    return OK;
}

struct next_args {
    const char *dir, *plan;
    uint64_t size;
    bool all;
};

static err next_text(void *args, struct audit_on *x, struct make_options *m, struct buf *text, struct fail *f) {
    const struct next_args *a = args;
    uint64_t size = a->size;
    TRY(audit_on_open(a->dir ? a->dir : m->send.url, a->plan, "audit next", x, f));
    TRY(audit_log_run(&x->a, NULL, f));
    if (x->a.dice != x->a.plan)
        return fail_set(f, E_STATE, "this audit shares another plan's draws: rounds are opened for that one");
    if (x->a.confirmed) return fail_set(f, E_STATE, "the outcome is confirmed: no further round is needed");
    if (x->a.waiting && !size && !a->all)
        return fail_set(f, E_STATE, "%llu drawn boxes of this round have no count yet",
                        (unsigned long long)x->a.waiting);
    if (a->all) size = x->a.list.contest.batches;
    if (!size) TRY(next_size(x, &size, f));
    compose_audit_round(text, &x->election, &x->plan_id, size);
    fprintf(stderr, "a round up to draw %llu (before: %u)%s\n", (unsigned long long)size, x->a.dice->size,
            size == x->a.list.contest.batches ? ": a full count" : "");
    return buf_ok(text, f);
}

int audit_cmd_next(int argc, char **argv) {
    struct make_options m = {0};
    struct next_args a = {0};
    const struct opt options[] = {
        ON_OPTIONS(a.dir, a.plan),
        {"--size", OPT_U64, &a.size, "N", "draws of all rounds together (estimated from what was found)"},
        {"--full", OPT_FLAG, &a.all, NULL, "go on to a full count"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "audit next --dir DIR|URL --key BOARD --key SECOND --send URL [--full]",
        "Opens the next round: the same dice are read further. The size is where nine in ten continuations\n"
        "end that find what was found so far.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    return audit_make("audit next", &m, next_text, &a);
}

/* --- status --- */

/* The newest original of a station's form, to be looked at beside the hand count. */
static const struct image *form_of(const struct fold *s, const struct audit_plan *p, uint32_t station) {
    uint32_t cell = fold_cell_find(s, p->contest, p->round, station);
    if (cell == NO_CELL) return NULL;
    const struct cell *c = fold_cell_at(s, cell);
    const struct result *r = cell_current(s, c);
    uint32_t i = r && r->first_image != NO_IMAGE ? r->first_image : c->first_image;
    return i == NO_IMAGE ? NULL : fold_image(s, i);
}

static const char *box_state(const struct audit_log *a, uint32_t g) {
    uint32_t box = fold_audit_box_find(a->fold, a->plan_index, a->station[g]);
    if (a->t.h.state[g] == AUDIT_LOST) return a->failed[g] ? "compliance failed" : "lost";
    if (a->t.h.state[g] == AUDIT_COUNTED) return "counted";
    if (box == NO_BOX) return "to be counted";
    const struct audit_box *b = fold_audit_box(a->fold, box);
    return b->opened > 1 ? "counts differ: a third person counts" : b->sealed > 1 ? "sealed twice: to be opened" : "sealed once";
}

static void difference_json(struct json_out *j, const struct audit_log *a, uint32_t g) {
    const struct image *form = form_of(a->fold, a->plan, a->station[g]);
    json_object(j);
    json_kspan(j, "station", a->list.name[g]);
    json_kstr(j, "jurisdiction", audit_batch_jurisdiction(&a->list, g));
    json_kstr(j, "state", box_state(a, g));
    json_key(j, "listed");
    json_object(j);
    for (size_t k = 0; k < a->t.c.choices; k++) json_ku64(j, a->list.choice[k], audit_votes(&a->t.c, g)[k]);
    json_object_end(j);
    if (a->t.h.state[g] == AUDIT_COUNTED) {
        json_key(j, "counted");
        json_object(j);
        for (size_t k = 0; k < a->t.c.choices; k++)
            json_ku64(j, a->list.choice[k], a->t.h.votes[g * a->t.c.choices + k]);
        json_object_end(j);
    }
    if (form) json_khex(j, "form", hash_span(&form->shown));
    json_object_end(j);
}

static bool differs(const struct audit_log *a, uint32_t g) {
    size_t n = a->t.c.choices;
    if (a->t.h.state[g] == AUDIT_LOST) return true;
    return a->t.h.state[g] == AUDIT_COUNTED &&
           memcmp(audit_votes(&a->t.c, g), a->t.h.votes + g * n, n * sizeof(uint64_t)) != 0;
}

struct place_progress {
    uint64_t drawn, counted;
};

static err places(const struct audit_log *a, struct arena *mem, struct place_progress **out, struct fail *f) {
    size_t n = a->t.c.regions ? a->t.c.regions : 1;
    struct place_progress *p = arena_array(mem, n, sizeof *p);
    if (!p) return fail_set(f, E_MEMORY, "no memory for the jurisdictions");
    for (uint32_t i = 0; i < a->dice->size; i++) {
        uint32_t g = a->order[i];
        p[audit_region(&a->t.c, g)].drawn++;
        p[audit_region(&a->t.c, g)].counted += a->t.h.state[g] != AUDIT_UNCOUNTED;
    }
    *out = p;
    return OK;
}

static void status_json(struct audit_log *a, const struct place_progress *p, struct buf *out) {
    struct json_out j = json_out(out);
    char name[1024];
    json_object(&j);
    json_kspan(&j, "contest", fold_contest(a->fold, a->plan->contest)->id);
    json_ku64(&j, "plan", a->plan->entry);
    json_kstr(&j, "end", audit_end_name(a->plan->end));
    json_kdouble(&j, "risk_limit", a->t.limit_ppm / 1e6);
    json_ku64(&j, "stations", a->list.contest.batches);
    json_ku64(&j, "rounds", a->dice->rounds);
    json_ku64(&j, "size", a->dice->size);
    json_ku64(&j, "counted", a->agreed);
    json_ku64(&j, "waiting", a->waiting);
    json_ku64(&j, "counts_differ", a->differing);
    json_ku64(&j, "targeted", a->targeted);
    json_kbool(&j, "confirmed", a->confirmed);
    json_kbool(&j, "full_count", a->full);
    audit_law_gap(a, name, sizeof name);
    if (*name) json_kstr(&j, "leaves_out", name);
    if (a->plan->spare) json_kdouble(&j, "p_of_regions", audit_regional_p(a->t.a, a->result.p, a->t.assertions));
    json_key(&j, "assertions");
    json_array(&j);
    for (size_t i = 0; i < a->t.assertions; i++) {
        audit_log_claim(a, i, name, sizeof name);
        json_object(&j);
        json_kstr(&j, "claim", name);
        json_kdouble(&j, "p", a->result.p[i]);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_key(&j, "jurisdictions");
    json_array(&j);
    for (size_t r = 0; r < a->t.c.regions; r++) {
        if (!p[r].drawn) continue;
        json_object(&j);
        json_kstr(&j, "jurisdiction", a->list.jurisdiction[r]);
        json_ku64(&j, "drawn", p[r].drawn);
        json_ku64(&j, "counted", p[r].counted);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_key(&j, "differences");
    json_array(&j);
    for (uint32_t i = 0; i < a->dice->size; i++)
        if (differs(a, a->order[i])) difference_json(&j, a, a->order[i]);
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
}

static void difference_text(const struct audit_log *a, uint32_t g, struct buf *out) {
    const struct image *form = form_of(a->fold, a->plan, a->station[g]);
    buf_printf(out, "  %.*s", SPAN_ARG(a->list.name[g]));
    if (a->t.h.state[g] == AUDIT_LOST) buf_printf(out, ": %s", box_state(a, g));
    for (size_t k = 0; k < a->t.c.choices && a->t.h.state[g] == AUDIT_COUNTED; k++) {
        uint64_t was = audit_votes(&a->t.c, g)[k], is = a->t.h.votes[g * a->t.c.choices + k];
        if (was != is) buf_printf(out, ", %s %llu -> %llu", a->list.choice[k], (unsigned long long)was, (unsigned long long)is);
    }
    if (form) {
        buf_str(out, ", form objects/");
        buf_hex(out, hash_span(&form->shown));
    }
    buf_byte(out, '\n');
}

static void status_text(struct audit_log *a, const struct place_progress *p, struct buf *out) {
    char name[1024];
    buf_printf(out, "round %u: %u of %zu stations drawn, %llu counted, %llu waiting (%llu with counts that differ), "
                    "%llu outside the test\n",
               a->dice->rounds, a->dice->size, a->list.contest.batches, (unsigned long long)a->agreed,
               (unsigned long long)a->waiting, (unsigned long long)a->differing,
               (unsigned long long)a->targeted);
    for (size_t i = 0; i < a->t.assertions; i++) {
        audit_log_claim(a, i, name, sizeof name);
        buf_printf(out, "  p = %.6f  %s\n", a->result.p[i], name);
    }
    if (a->plan->spare)
        buf_printf(out, "  p = %.6f  the regional rule, of which %u may fail\n",
                   audit_regional_p(a->t.a, a->result.p, a->t.assertions), a->plan->spare);
    audit_law_gap(a, name, sizeof name);
    if (*name) buf_printf(out, "note: %s\n", name);
    buf_str(out, "by jurisdiction (counted of drawn):\n");
    for (size_t r = 0; r < a->t.c.regions; r++)
        if (p[r].drawn)
            buf_printf(out, "  %s: %llu of %llu\n", a->list.jurisdiction[r], (unsigned long long)p[r].counted,
                       (unsigned long long)p[r].drawn);
    buf_str(out, "differences between list and hand count:\n");
    for (uint32_t i = 0; i < a->dice->size; i++)
        if (differs(a, a->order[i])) difference_text(a, a->order[i], out);
    buf_printf(out, "%s\n", a->full            ? a->full_holds ? "full count: it gives the outcome"
                                                               : "full count: it does NOT give the outcome; the hand count replaces it"
                            : a->confirmed     ? "confirmed at the risk limit"
                                               : "not confirmed yet");
}

int audit_cmd_status(int argc, char **argv) {
    const char *dir = NULL, *plan = NULL, *out_path = NULL;
    bool json = false;
    const struct opt options[] = {
        ON_OPTIONS(dir, plan),
        {"--transcript", OPT_TEXT, &out_path, "FILE", "write the transcript there"},
        {"--json", OPT_FLAG, &json, NULL, "as JSON"},
    };
    const struct usage u = {
        "audit status --dir DIR|URL [--plan ID] [--transcript FILE]",
        "Where an audit on a log stands: the risk of every assertion, progress by jurisdiction, and the\n"
        "differences found, each with the image of the station's form.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    static struct audit_on x;
    struct fail f = {0};
    struct buf out, transcript;
    struct place_progress *p = NULL;
    buf_init(&out, 1 << 26);
    buf_init(&transcript, TRANSCRIPT_MAX);
    err e = audit_on_open(dir, plan, "audit status", &x, &f);
    if (e == OK) e = audit_log_run(&x.a, &transcript, &f);
    if (e == OK) e = places(&x.a, &x.a.arena, &p, &f);
    if (e == OK && out_path) e = file_write_durable(out_path, buf_view(&transcript), 0644, &f);
    if (e == OK) {
        if (json)
            status_json(&x.a, p, &out);
        else
            status_text(&x.a, p, &out);
        e = buf_ok(&out, &f);
    }
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit status", &f);
    buf_release(&out);
    buf_release(&transcript);
    audit_on_release(&x);
    return code;
}

/* --- close --- */

struct close_args {
    const char *dir, *plan, *reason, *transcript;
    bool stop;
};

static err close_text(void *args, struct audit_on *x, struct make_options *m, struct buf *text, struct fail *f) {
    struct close_args *a = args;
    struct named_object transcript, reason;
    struct buf b;
    enum audit_end says = AUDIT_STOPPED;
    if (a->stop != (a->reason != NULL))
        return fail_set(f, E_USAGE, "--stop and --reason FILE belong together: an audit that is stopped says why");
    TRY(audit_on_open(a->dir ? a->dir : m->send.url, a->plan, "audit close", x, f));
    buf_init(&b, TRANSCRIPT_MAX);
    err e = OK;
    if (x->a.dice->seed_entry != NO_ENTRY) {
        e = audit_log_run(&x->a, &b, f);
        if (!a->stop) says = audit_log_end(&x->a);
    } else {
        buf_str(&b, "no dice were thrown\n");
    }
    if (e == OK && says == AUDIT_OPEN)
        e = fail_set(f, E_STATE, "neither the test nor a full count has decided: go on with 'audit next', or stop "
                                 "it with --stop and --reason");
    if (e == OK) e = file_write_durable(a->transcript, buf_view(&b), 0644, f);
    buf_release(&b);
    TRY(e);
    TRY(words_public(m, a->transcript, TRANSCRIPT_MAX, &transcript, f));
    TRY(words_public(m, a->reason, 8 << 20, &reason, f));
    compose_audit_close(text, &x->election, &x->plan_id, says, reason, transcript);
    fprintf(stderr, "%s; the transcript is in %s\n", audit_end_name(says), a->transcript);
    return buf_ok(text, f);
}

int audit_cmd_close(int argc, char **argv) {
    struct make_options m = {0};
    struct close_args a = {.transcript = "transcript.txt"};
    const struct opt options[] = {
        ON_OPTIONS(a.dir, a.plan),
        {"--transcript", OPT_TEXT, &a.transcript, "FILE", "where the transcript is written (transcript.txt)"},
        {"--stop", OPT_FLAG, &a.stop, NULL, "end it although nothing is confirmed"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why it is stopped (public)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "audit close --dir DIR|URL --key BOARD --key SECOND --send URL",
        "Ends an audit with what its counts give: confirmed, or after a full count whether that confirms or\n"
        "overturns the outcome. 'hesabu verify' does it all again from the records.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    return audit_make("audit close", &m, close_text, &a);
}
