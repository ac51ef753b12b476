/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What somebody reads on a paper form, from options, a file or questions on the terminal, as the JSON
 * that seals and comparisons carry. */
#ifndef CLI_READING_ARGS_H
#define CLI_READING_ARGS_H

#include "cli/cli.h"
#include "election/compose.h"
#include "election/fold.h"

struct reading_args {
    const char *file, *votes, *serial;
    uint64_t registered, valid, rejected, objected, disputed, kit, manual; /* ABSENT: blank */
    struct opt_list illegible, marks;
};
#define READING_ARGS_NONE                                                                          \
    {.registered = ABSENT, .valid = ABSENT, .rejected = ABSENT, .objected = ABSENT,                \
     .disputed = ABSENT, .kit = ABSENT, .manual = ABSENT}
#define READING_OPTIONS(a)                                                                         \
    {"--votes", OPT_TEXT, &(a).votes, "A=1,B=2", "votes by choice; \"A=-\" is blank on the form"},   \
    {"--registered", OPT_U64, &(a).registered, "N", "registered voters, as the form says"},        \
    {"--valid", OPT_U64, &(a).valid, "N", "valid votes, as the form says"},                        \
    {"--rejected", OPT_U64, &(a).rejected, "N", "rejected ballot papers"},                         \
    {"--objected", OPT_U64, &(a).objected, "N", "rejected ballot papers that were objected to"},   \
    {"--disputed", OPT_U64, &(a).disputed, "N", "disputed ballot papers"},                         \
    {"--voters-kit", OPT_U64, &(a).kit, "N", "voters identified electronically"},                  \
    {"--voters-manual", OPT_U64, &(a).manual, "N", "voters identified by the printed register"},   \
    {"--serial", OPT_TEXT, &(a).serial, "TEXT", "the form's serial number"},                       \
    {"--illegible", OPT_LIST, &(a).illegible, "FIELD", "a field that cannot be read: ballots.valid, votes.CHOICE... (several times)"}, \
    {"--figures", OPT_TEXT, &(a).file, "FILE", "the whole reading as JSON (\"-\": standard input)"}

bool reading_given(const struct reading_args *a);
/* Appends the reading's canonical JSON, of a form of this contest and round. E_USAGE, E_CHOICE, E_FIELD. */
MUST_USE err reading_make(const struct reading_args *a, const struct fold *s, uint32_t contest,
                          unsigned round, struct buf *out, struct fail *f);
/* Asks for each field on the terminal; the marks are those of the options. E_USAGE when there is none, or the
 * answer ends. */
MUST_USE err reading_ask(const struct reading_args *a, const struct fold *s, uint32_t contest, unsigned round,
                         struct buf *out, struct fail *f);
/* Writes to standard error what does not add up in a reading; nothing is put right here. */
void reading_check(const struct fold *s, uint32_t contest, unsigned round, struct span json);
/* Bits of mark_words from words. E_USAGE. */
MUST_USE err reading_marks(const struct opt_list *words, uint32_t *marks, struct fail *f);

#endif
