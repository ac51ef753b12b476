/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/import_err.h"

#include <stdlib.h>
#include "base/json_in.h"

enum {
    UNITS_MAX = 2000000,
    CHOICES_MAX = 200,
    CANDIDATES_MAX = 20000,
    CONTESTS_LISTED = 40,
    NAMES_MAX = 8192,
    FIGURE_DIGITS = 15 /* below 2^53 */
};
#define BLANK UINT64_MAX

struct unit {
    struct span id, code;
    uint64_t registered, cast, rejected;
};

/* A candidate of the election that is being read; its column's name. */
struct candidate {
    struct span id, name;
};

struct import {
    struct json_in j;
    struct fail *f;
    const char *wanted;
    struct unit *units; /* by id after the first pass */
    size_t unit_count, unit_room;
    struct candidate *candidates;
    size_t candidate_count;
    struct span choices[CHOICES_MAX]; /* candidates' ids of the contest, in its order */
    size_t choice_count;
    uint64_t *votes; /* unit * choice_count + choice */
    /* the contest's place; found by the first pass */
    size_t election, contest, found;
    struct buf names; /* of the first contests, for the sentence */
    size_t listed;
};

static err stop(struct import *x, const char *what) {
    json_in_fail(&x->j, what);
    return x->j.code;
}

/* --- values --- */

static struct span string_value(struct import *x) {
    struct span s = {0};
    if (json_in_next(&x->j, &s) != JT_STRING) json_in_fail(&x->j, "a text is due here");
    return x->j.code == OK ? s : (struct span){0};
}

static uint64_t figure_value(struct import *x) {
    struct span s = {0};
    uint64_t v = 0;
    bool good = json_in_next(&x->j, &s) == JT_NUMBER && s.n > 0 && s.n <= FIGURE_DIGITS;
    for (size_t i = 0; good && i < s.n; i++) {
        good = s.p[i] >= '0' && s.p[i] <= '9';
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (good) return v;
    json_in_fail(&x->j, "a count is due here: a number without sign and fraction");
    return 0;
}

static void skip_value(struct import *x) {
    struct span s;
    json_in_skip(&x->j, json_in_next(&x->j, &s));
}

/* True: a member, its key in *key; the value is next. False: the object is over (or an error). */
static bool member(struct import *x, struct span *key) {
    enum json_token t = json_in_next(&x->j, key);
    if (t == JT_KEY) return true;
    if (t != JT_OBJECT_END) json_in_fail(&x->j, "an object is due here");
    return false;
}

static bool open_object(struct import *x) {
    struct span s;
    if (json_in_next(&x->j, &s) == JT_OBJECT) return true;
    json_in_fail(&x->j, "an object is due here");
    return false;
}

/* Calls `each` for every object of an array. */
static err array(struct import *x, err (*each)(struct import *, void *), void *ctx) {
    struct span s;
    if (json_in_next(&x->j, &s) != JT_ARRAY) return stop(x, "a list is due here");
    for (;;) {
        enum json_token t = json_in_next(&x->j, &s);
        if (t == JT_ARRAY_END) return x->j.code;
        if (t != JT_OBJECT) return stop(x, "a list of objects is due here");
        TRY(each(x, ctx));
    }
}

/* {"Type","OtherType","Value"} of the wanted kind into *value. */
struct external {
    const char *kind;
    struct span value;
};

static err one_external(struct import *x, void *ctx) {
    struct external *e = ctx;
    struct span key, kind = {0}, value = {0};
    while (member(x, &key)) {
        if (json_in_is(key, "OtherType")) kind = string_value(x);
        else if (json_in_is(key, "Value")) value = string_value(x);
        else skip_value(x);
    }
    if (x->j.code == OK && json_in_is(kind, e->kind)) e->value = value;
    return x->j.code;
}

static err external(struct import *x, const char *kind, struct span *out) {
    struct external e = {.kind = kind, .value = *out};
    err code = array(x, one_external, &e);
    *out = e.value;
    return code;
}

/* --- first pass: units, the contest's place, its candidates --- */

static err gp_unit(struct import *x, void *ctx) {
    struct unit u = {.registered = BLANK, .cast = BLANK, .rejected = BLANK};
    struct span key;
    (void)ctx;
    while (member(x, &key)) {
        if (json_in_is(key, "@id")) u.id = string_value(x);
        else if (json_in_is(key, "VotersRegistered")) u.registered = figure_value(x);
        else if (json_in_is(key, "ExternalIdentifier")) TRY(external(x, "unit", &u.code));
        else skip_value(x);
    }
    if (x->j.code != OK) return x->j.code;
    if (!u.id.n) return stop(x, "a GpUnit has no @id");
    if (!u.code.n) u.code = u.id;
    if (x->unit_count == x->unit_room) {
        size_t room = x->unit_room ? 2 * x->unit_room : 4096;
        struct unit *more = x->unit_count < UNITS_MAX ? realloc(x->units, room * sizeof *more) : NULL;
        if (!more) return fail_set(x->f, E_TOO_LARGE, "more than %d units, or no memory for them", UNITS_MAX);
        x->units = more;
        x->unit_room = room;
    }
    x->units[x->unit_count++] = u;
    return OK;
}

static err candidate(struct import *x, void *ctx) {
    struct candidate c = {0};
    struct span key, name = {0};
    (void)ctx;
    while (member(x, &key)) {
        if (json_in_is(key, "@id")) c.id = string_value(x);
        else if (json_in_is(key, "ExternalIdentifier")) TRY(external(x, "choice", &c.name));
        else if (json_in_is(key, "BallotName")) {
            struct span s, k;
            if (json_in_next(&x->j, &s) != JT_OBJECT) return stop(x, "an object is due here");
            while (member(x, &k)) {
                struct span before;
                if (!json_in_is(k, "Text")) {
                    skip_value(x);
                    continue;
                }
                /* the first of its languages */
                if (json_in_next(&x->j, &before) != JT_ARRAY) return stop(x, "a list is due here");
                while (json_in_next(&x->j, &before) == JT_OBJECT) {
                    struct span part;
                    while (member(x, &part)) {
                        if (json_in_is(part, "Content") && !name.n) name = string_value(x);
                        else skip_value(x);
                    }
                }
            }
        } else {
            skip_value(x);
        }
    }
    if (x->j.code != OK) return x->j.code;
    if (!c.name.n) c.name = name;
    if (!c.id.n) return stop(x, "a Candidate has no @id");
    if (x->candidate_count == CANDIDATES_MAX)
        return fail_set(x->f, E_TOO_LARGE, "more than %d candidates", CANDIDATES_MAX);
    x->candidates[x->candidate_count++] = c;
    return OK;
}

struct place {
    size_t election, contest; /* next */
    struct span choices[CHOICES_MAX];
    size_t choice_count;
    bool hit; /* in this election */
};

/* The first of CandidateIds; the selection's own @id where there is none. */
static err selection_name(struct import *x, void *ctx) {
    struct place *at = ctx;
    struct span key, id = {0}, own = {0}, s;
    while (member(x, &key)) {
        if (json_in_is(key, "@id")) own = string_value(x);
        else if (json_in_is(key, "CandidateIds")) {
            if (json_in_next(&x->j, &s) != JT_ARRAY) return stop(x, "a list is due here");
            for (enum json_token t; (t = json_in_next(&x->j, &s)) != JT_ARRAY_END;) {
                if (t != JT_STRING) return stop(x, "a list of ids is due here");
                if (!id.n) id = s;
            }
        } else {
            skip_value(x);
        }
    }
    if (x->j.code != OK) return x->j.code;
    if (at->choice_count == CHOICES_MAX)
        return fail_set(x->f, E_TOO_LARGE, "a contest of more than %d choices", CHOICES_MAX);
    at->choices[at->choice_count++] = id.n ? id : own;
    return OK;
}

static err contest_place(struct import *x, void *ctx) {
    struct place *at = ctx;
    struct span key, id = {0}, external_id = {0};
    at->choice_count = 0;
    while (member(x, &key)) {
        if (json_in_is(key, "@id")) id = string_value(x);
        else if (json_in_is(key, "ExternalIdentifier")) TRY(external(x, "contest", &external_id));
        else if (json_in_is(key, "ContestSelection")) TRY(array(x, selection_name, at));
        else skip_value(x);
    }
    if (x->j.code != OK) return x->j.code;
    if (x->listed++ < CONTESTS_LISTED && x->names.n < NAMES_MAX - 300)
        buf_printf(&x->names, "%s%.*s", x->names.n ? ", " : "",
                   SPAN_ARG(external_id.n ? external_id : id));
    if (!x->wanted || span_is(external_id, x->wanted) || span_is(id, x->wanted)) {
        x->found++;
        x->election = at->election;
        x->contest = at->contest;
        x->choice_count = at->choice_count;
        memcpy(x->choices, at->choices, sizeof x->choices);
        at->hit = true;
    }
    at->contest++;
    return OK;
}

/* Candidates of the election with the contest are kept; they may stand before or behind it. */
static err election_place(struct import *x, void *ctx) {
    struct place *at = ctx;
    struct span key;
    size_t kept = x->candidate_count;
    at->contest = 0;
    at->hit = false;
    while (member(x, &key)) {
        if (json_in_is(key, "Contest")) TRY(array(x, contest_place, at));
        else if (json_in_is(key, "Candidate")) TRY(array(x, candidate, NULL));
        else skip_value(x);
    }
    at->election++;
    if (!at->hit) x->candidate_count = kept;
    return x->j.code;
}

static int by_id(const void *a, const void *b) {
    return span_cmp(((const struct unit *)a)->id, ((const struct unit *)b)->id);
}

static err first_pass(struct import *x, struct span text) {
    struct place at = {0};
    struct span key;
    json_in_init(&x->j, text, x->f);
    if (open_object(x)) {
        while (member(x, &key)) {
            if (json_in_is(key, "Election")) TRY(array(x, election_place, &at));
            else if (json_in_is(key, "GpUnit")) TRY(array(x, gp_unit, NULL));
            else skip_value(x);
        }
    }
    TRY(json_in_end(&x->j));
    if (x->found == 0 && x->wanted)
        return fail_set(x->f, E_CONTEST, "no contest \"%s\"; there are: %s", x->wanted, buf_cstr(&x->names));
    if (x->found == 0) return fail_set(x->f, E_FIELD, "the file has no contest");
    if (x->found > 1)
        return fail_set(x->f, E_USAGE, "name one contest with --contest; there are: %s", buf_cstr(&x->names));
    if (x->unit_count) qsort(x->units, x->unit_count, sizeof *x->units, by_id);
    for (size_t i = 1; i < x->unit_count; i++)
        if (span_eq(x->units[i - 1].id, x->units[i].id))
            return fail_set(x->f, E_FIELD, "two units have the @id \"%.*s\"", SPAN_ARG(x->units[i].id));
    return OK;
}

/* --- second pass: figures --- */

struct counts {
    struct span unit, type;
    uint64_t a, b;
};

/* An object with GpUnitId, Type and up to two figures. */
static err read_counts(struct import *x, const char *a, const char *b, struct counts *out) {
    struct span key;
    *out = (struct counts){.a = BLANK, .b = BLANK};
    while (member(x, &key)) {
        if (json_in_is(key, "GpUnitId")) out->unit = string_value(x);
        else if (json_in_is(key, "Type")) out->type = string_value(x);
        else if (json_in_is(key, a)) out->a = figure_value(x);
        else if (json_in_is(key, b)) out->b = figure_value(x);
        else skip_value(x);
    }
    return x->j.code;
}

/* NULL: not a total, or an error. */
static struct unit *unit_of(struct import *x, const struct counts *c) {
    struct unit key = {.id = c->unit}, *u;
    if (!json_in_is(c->type, "total")) return NULL;
    u = x->unit_count ? bsearch(&key, x->units, x->unit_count, sizeof *x->units, by_id) : NULL;
    if (!u) json_in_fail(&x->j, "figures of a unit that the file does not have");
    return u;
}

static err ballots(struct import *x, void *ctx) {
    struct counts c;
    (void)ctx;
    TRY(read_counts(x, "BallotsCast", "BallotsRejected", &c));
    struct unit *u = unit_of(x, &c);
    if (!u) return x->j.code;
    if (u->cast != BLANK || u->rejected != BLANK) return stop(x, "ballot counts of a unit stand twice");
    u->cast = c.a;
    u->rejected = c.b;
    return OK;
}

static err vote_count(struct import *x, void *ctx) {
    size_t choice = *(const size_t *)ctx;
    struct counts c;
    TRY(read_counts(x, "Count", "", &c));
    const struct unit *u = unit_of(x, &c);
    if (!u) return x->j.code;
    uint64_t *to = &x->votes[(size_t)(u - x->units) * x->choice_count + choice];
    if (*to != BLANK) return stop(x, "votes of a unit stand twice");
    *to = c.a;
    return OK;
}

static err selection_votes(struct import *x, void *ctx) {
    size_t *choice = ctx;
    struct span key;
    while (member(x, &key)) {
        if (json_in_is(key, "VoteCounts")) TRY(array(x, vote_count, choice));
        else skip_value(x);
    }
    (*choice)++;
    return x->j.code;
}

static err contest_votes(struct import *x, void *ctx) {
    struct place *at = ctx;
    struct span key;
    bool here = at->election == x->election && at->contest == x->contest;
    size_t choice = 0;
    while (member(x, &key)) {
        if (here && json_in_is(key, "ContestSelection")) TRY(array(x, selection_votes, &choice));
        else skip_value(x);
    }
    at->contest++;
    return x->j.code;
}

static err election_votes(struct import *x, void *ctx) {
    struct place *at = ctx;
    struct span key;
    at->contest = 0;
    while (member(x, &key)) {
        if (json_in_is(key, "Contest")) TRY(array(x, contest_votes, at));
        else if (at->election == x->election && json_in_is(key, "BallotCounts")) TRY(array(x, ballots, NULL));
        else skip_value(x);
    }
    at->election++;
    return x->j.code;
}

static err second_pass(struct import *x, struct span text) {
    struct place at = {0};
    struct span key;
    size_t cells;
    if (__builtin_mul_overflow(x->unit_count, x->choice_count, &cells) || cells > (size_t)1 << 27)
        return fail_set(x->f, E_TOO_LARGE, "%zu units with %zu choices are too many", x->unit_count,
                        x->choice_count);
    x->votes = malloc((cells + 1) * sizeof *x->votes);
    if (!x->votes) return fail_set(x->f, E_MEMORY, "no memory for %zu figures", cells);
    for (size_t i = 0; i < cells; i++) x->votes[i] = BLANK;
    json_in_init(&x->j, text, x->f);
    if (open_object(x)) {
        while (member(x, &key)) {
            if (json_in_is(key, "Election")) TRY(array(x, election_votes, &at));
            else skip_value(x);
        }
    }
    return json_in_end(&x->j);
}

/* --- the table --- */

static void field(struct buf *csv, struct span raw) {
    struct buf text;
    buf_init(&text, raw.n + 16);
    json_in_text(raw, &text);
    buf_byte(csv, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') buf_byte(csv, '"');
        buf_byte(csv, text.p[i] ? text.p[i] : ' ');
    }
    buf_byte(csv, '"');
    buf_release(&text);
}

static void figure(struct buf *csv, uint64_t v) {
    buf_byte(csv, ',');
    if (v != BLANK) buf_u64(csv, v);
}

static struct span choice_name(const struct import *x, size_t k) {
    for (size_t i = 0; i < x->candidate_count; i++)
        if (span_eq(x->candidates[i].id, x->choices[k]) && x->candidates[i].name.n) return x->candidates[i].name;
    return x->choices[k];
}

static err write_csv(const struct import *x, struct buf *csv, struct fail *f) {
    buf_str(csv, "unit,registered,cast,rejected,valid");
    for (size_t k = 0; k < x->choice_count; k++) {
        buf_byte(csv, ',');
        field(csv, choice_name(x, k));
    }
    buf_byte(csv, '\n');
    for (size_t i = 0; i < x->unit_count; i++) {
        const struct unit *u = &x->units[i];
        bool both = u->cast != BLANK && u->rejected != BLANK && u->rejected <= u->cast;
        field(csv, u->code);
        figure(csv, u->registered);
        figure(csv, u->cast);
        figure(csv, u->rejected);
        figure(csv, both ? u->cast - u->rejected : BLANK);
        for (size_t k = 0; k < x->choice_count; k++) figure(csv, x->votes[i * x->choice_count + k]);
        buf_byte(csv, '\n');
    }
    return buf_ok(csv, f);
}

bool import_err_looks(struct span text) {
    size_t i = 0;
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) return false;
    while (i < text.n && (text.p[i] == ' ' || (text.p[i] >= '\t' && text.p[i] <= '\r'))) i++;
    return i < text.n && text.p[i] == '{';
}

err import_err_csv(struct span text, const char *contest, struct buf *csv, struct fail *f) {
    struct import x = {.f = f, .wanted = contest};
    buf_init(&x.names, NAMES_MAX);
    x.candidates = calloc(CANDIDATES_MAX, sizeof *x.candidates);
    err e = x.candidates ? OK : fail_set(f, E_MEMORY, "no memory to read the file");
    if (e == OK) e = first_pass(&x, text);
    if (e == OK) e = second_pass(&x, text);
    if (e == OK) e = write_csv(&x, csv, f);
    buf_release(&x.names);
    free(x.candidates);
    free(x.units);
    free(x.votes);
    return e;
}
