/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu result, hesabu countersign: one contest's figures at one station, and a word on somebody
 * else's. */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/send.h"
#include "cli/tree.h"
#include "cli/values.h"
#include "cli/words.h"
#include "election/canonical_json.h"
#include "election/compose.h"
#include "service/notes.h"

int cmd_result(int argc, char **argv);
int cmd_countersign(int argc, char **argv);

enum { FORMS_MAX = 8, IMAGE_BYTES_MAX = 32 << 20 };

struct result_args {
    const char *contest, *station, *votes, *basis, *serial, *supersedes, *recount, *election, *signed_at;
    uint64_t registered, valid, rejected, objected, disputed, kit, manual, present, on_paper,
        refused, round, definition;
    struct opt_list forms;
    struct span names[MAX_CHOICES];
    uint64_t figures[MAX_CHOICES];
    struct hash form[FORMS_MAX], old;
    struct named_object order; /* of a recount */
};

static void warn(size_t *n, const char *fmt, ...) PRINTF(2, 3);
static void warn(size_t *n, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("check: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    (*n)++;
}

/* What can be seen on the form alone. The figures are signed as they stand on the paper: a wrong sum
 * is reported, never put right here. */
static size_t check_sums(const struct result_args *a, size_t choices) {
    size_t n = 0, blank = 0;
    uint64_t sum = 0;
    char x[32], y[32];
    for (size_t i = 0; i < choices; i++) {
        if (a->figures[i] == ABSENT) blank++;
        else sum += a->figures[i];
    }
    if (blank) warn(&n, "%zu choices are blank", blank);
    if (a->valid != ABSENT && sum != a->valid)
        warn(&n, "the choices add up to %s, the form says %s valid votes", value_grouped(sum, x),
             value_grouped(a->valid, y));
    uint64_t cast = (a->valid == ABSENT ? sum : a->valid) + (a->rejected == ABSENT ? 0 : a->rejected);
    if (a->registered != ABSENT && cast > a->registered)
        warn(&n, "%s ballots where %s voters are registered", value_grouped(cast, x),
             value_grouped(a->registered, y));
    if (a->kit != ABSENT || a->manual != ABSENT) {
        uint64_t voters = (a->kit == ABSENT ? 0 : a->kit) + (a->manual == ABSENT ? 0 : a->manual);
        if (cast > voters)
            warn(&n, "%s ballots where %s voters were identified", value_grouped(cast, x),
                 value_grouped(voters, y));
    }
    if (a->valid == ABSENT) warn(&n, "the number of valid votes is left blank");
    if (a->rejected == ABSENT) warn(&n, "the number of rejected ballot papers is left blank");
    return n;
}

static err file_hash(const char *path, struct hash *out, uint64_t *size, struct fail *f) {
    struct span bytes;
    TRY(file_map(path, &bytes, f));
    *out = sha256(bytes);
    *size = bytes.n;
    file_unmap(bytes);
    return OK;
}

static err result_text(struct result_args *a, struct buf *text, size_t *warnings, struct fail *f) {
    struct compose_result r;
    compose_result_init(&r);
    if (!a->contest || !a->station || !a->votes || !a->election)
        return fail_set(f, E_USAGE, "--contest, --station, --votes and --election (or --send) are "
                                    "needed");
    TRY(tree_election(a->election, &r.election, f));
    TRY(value_pairs(a->votes, a->names, a->figures, MAX_CHOICES, &r.choice_count, f));
    if (strcmp(a->basis, "station") && strcmp(a->basis, "paper"))
        return fail_set(f, E_USAGE, "--basis is station or paper");
    if (a->forms.n > FORMS_MAX) return fail_set(f, E_USAGE, "more than %d pages", FORMS_MAX);
    for (size_t i = 0; i < a->forms.n; i++) {
        uint64_t size;
        if (hash_from_hex(span_text(a->forms.at[i]), &a->form[i], NULL) != OK)
            TRY(file_hash(a->forms.at[i], &a->form[i], &size, f));
    }
    if (a->supersedes) {
        TRY(hash_from_hex(span_text(a->supersedes), &a->old, f));
        r.supersedes = &a->old;
        r.supersedes_count = 1;
    }
    if (a->recount) {
        TRY(file_hash(a->recount, &a->order.id, &a->order.size, f));
        r.recount = &a->order;
    }
    r.signed_ms = clock_wall_ms();
    if (a->signed_at) TRY(value_time(a->signed_at, &r.signed_ms, f));
    if (a->round < 1 || a->round > MAX_ROUNDS || a->definition < 1 || a->definition > UINT32_MAX)
        return fail_set(f, E_USAGE, "rounds and definitions are counted from 1");
    r.contest = span_text(a->contest);
    r.station = span_text(a->station);
    if (a->serial) r.serial = span_text(a->serial);
    r.basis = strcmp(a->basis, "paper") == 0 ? BASIS_PAPER : BASIS_STATION;
    r.round = (unsigned)a->round;
    r.definition = (uint32_t)a->definition;
    r.form = a->form;
    r.form_count = a->forms.n;
    r.registered = a->registered;
    r.valid = a->valid;
    r.rejected = a->rejected;
    r.objected = a->objected;
    r.disputed = a->disputed;
    r.voters_kit = a->kit;
    r.voters_manual = a->manual;
    r.agents_present = a->present > 100000 ? UINT32_MAX : (uint32_t)a->present;
    r.agents_signed = a->on_paper > 100000 ? UINT32_MAX : (uint32_t)a->on_paper;
    r.agents_refused = a->refused > 100000 ? UINT32_MAX : (uint32_t)a->refused;
    r.choices = a->names;
    r.votes = a->figures;
    *warnings = check_sums(a, r.choice_count);
    compose_result(text, &r);
    TRY(buf_ok(text, f));
    struct record *check = malloc(sizeof *check);
    if (!check) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = notes_parse(buf_view(text), check, f);
    free(check);
    return e;
}

int cmd_result(int argc, char **argv) {
    struct result_args *a = calloc(1, sizeof *a);
    struct make_options m = {0};
    bool strict = false;
    if (!a) return 70;
    a->basis = "station";
    a->round = a->definition = 1;
    a->registered = a->valid = a->rejected = a->objected = a->disputed = a->kit = a->manual = ABSENT;
    a->present = a->on_paper = a->refused = UINT64_MAX;
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a->contest, "ID", "the contest"},
        {"--station", OPT_TEXT, &a->station, "CODE", "the polling station"},
        {"--votes", OPT_TEXT, &a->votes, "A=1,B=2", "votes by choice; \"A=-\" is blank on the form"},
        {"--registered", OPT_U64, &a->registered, "N", "registered voters, as the form says"},
        {"--valid", OPT_U64, &a->valid, "N", "valid votes, as the form says"},
        {"--rejected", OPT_U64, &a->rejected, "N", "rejected ballot papers"},
        {"--objected", OPT_U64, &a->objected, "N", "rejected ballot papers that were objected to"},
        {"--disputed", OPT_U64, &a->disputed, "N", "disputed ballot papers"},
        {"--voters-kit", OPT_U64, &a->kit, "N", "voters identified electronically"},
        {"--voters-manual", OPT_U64, &a->manual, "N", "voters identified by the printed register"},
        {"--agents-present", OPT_U64, &a->present, "N", "agents present at the end"},
        {"--agents-signed", OPT_U64, &a->on_paper, "N", "agents who signed the form on paper"},
        {"--agents-refused", OPT_U64, &a->refused, "N", "agents who refused to sign"},
        {"--serial", OPT_TEXT, &a->serial, "TEXT", "the form's serial number"},
        {"--form", OPT_LIST, &a->forms, "FILE|HEX", "picture of the form that the signers bind to the figures"},
        {"--supersedes", OPT_TEXT, &a->supersedes, "ID", "the record that this one replaces"},
        {"--recount", OPT_TEXT, &a->recount, "FILE", "the order or protocol of a recount by law (public), where the contest's rule has them"},
        {"--basis", OPT_TEXT, &a->basis, "WORD", "station (the default), or paper: adopted from the form"},
        {"--round", OPT_U64, &a->round, "N", "round of the contest (1)"},
        {"--definition", OPT_U64, &a->definition, "N", "definition that it was made under (1)"},
        {"--signed-at", OPT_TEXT, &a->signed_at, "TIME", "when it was signed (now)"},
        {"--election", OPT_TEXT, &a->election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        {"--strict", OPT_FLAG, &strict, NULL, "stop when something does not add up"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "result --contest ID --station CODE --votes A=1,B=2 --election WHERE [--key KEY] [--send URL]",
        "Makes the record of one contest's figures at one station, exactly as they stand on the signed\n"
        "paper form, and warns of what does not add up. Without --key it is only the text, for 'hesabu\n"
        "sign'. Agents add their signatures with 'hesabu sign' and 'hesabu merge' before it is sent.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (cli_parse(&u, argc, argv, &nargs, &code)) {
        struct fail f = {0};
        struct buf text;
        size_t warnings = 0;
        buf_init(&text, 65536);
        if (!a->election) a->election = m.send.url;
        if (a->recount) m.objects.at[m.objects.n++] = a->recount;
        err e = result_text(a, &text, &warnings, &f);
        if (e == OK && strict && warnings)
            e = fail_set(&f, E_USAGE, "%zu things do not add up; nothing was made", warnings);
        code = e == OK ? make_finish("result", &m, buf_view(&text)) : cli_fail("result", &f);
        buf_release(&text);
    }
    free(a);
    return code;
}

/* --- countersign --- */

/* The record's id and election, from its id and --election, or from the note itself. */
static err what_is_countersigned(const char *arg, const char *election, struct hash *record,
                                 struct hash *id, struct fail *f) {
    if (hash_from_hex(span_text(arg), record, NULL) == OK) {
        if (!election)
            return fail_set(f, E_USAGE, "--election (or --send) is needed with a record's id");
        return tree_election(election, id, f);
    }
    struct buf b;
    buf_init(&b, ENTRY_MAX);
    struct record *r = malloc(sizeof *r);
    err e = r ? file_read(arg, ENTRY_MAX, &b, f) : fail_set(f, E_MEMORY, "no memory for a record");
    if (e == OK) e = notes_parse(buf_view(&b), r, f);
    if (e == OK && r->type != REC_RESULT)
        e = fail_set(f, E_REFERENCE, "only a result can be countersigned, not a %s record",
                     record_info(r->type)->name);
    if (e == OK) e = hash_from_hex(notes_member(r, "election"), id, f);
    if (e == OK) {
        *record = r->id;
        fprintf(stderr, "%.*s\n", (int)r->json.n, (const char *)r->json.p);
    }
    free(r);
    buf_release(&b);
    return e;
}

int cmd_countersign(int argc, char **argv) {
    struct make_options m = {0};
    const char *because = NULL, *election = NULL;
    bool desk = false, objects = false;
    const struct opt options[] = {
        {"--object", OPT_FLAG, &objects, NULL, "I object (without it: I saw this)"},
        {"--object-because", OPT_TEXT, &because, "FILE", "I object, and this file says why (not public, erasable)"},
        {"--desk", OPT_FLAG, &desk, NULL, "said from the party's desk, not from a device at the station"},
        {"--election", OPT_TEXT, &election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "countersign RECORD_ID|NOTE --key KEY [--object-because FILE] [--send URL]",
        "An agent's or observer's own word on a result: \"I saw this\", or \"I object, because\".",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct hash record, id;
    struct buf text, name;
    struct named_object reason = {.size = UINT64_MAX};
    static struct words words;
    buf_init(&text, 4096);
    buf_init(&name, 1024);
    if (!election) election = m.send.url;
    err e = m.keys.n == 1 ? folder_key_name(m.keys.at[0], &name, &f)
                          : fail_set(&f, E_USAGE, "--key FILE is needed, once: it is one key's word");
    if (e == OK) e = what_is_countersigned(argv[0], election, &record, &id, &f);
    if (e == OK) e = words_restricted(&m, &words, because, &reason, &f);
    if (e == OK) {
        compose_countersign(&text, &id, buf_view(&name), &record, objects || because, desk, reason);
        e = buf_ok(&text, &f);
    }
    code = e == OK ? make_finish("countersign", &m, buf_view(&text)) : cli_fail("countersign", &f);
    buf_release(&text);
    buf_release(&name);
    return code;
}
