/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu notice: a signed statement, rebuttal, correction or petition, for everybody to read. */
#include <string.h>
#include "base/text.h"
#include "cli/cli.h"
#include "cli/tree.h"
#include "cli/words.h"
#include "election/compose_voices.h"

int cmd_notice(int argc, char **argv);

enum { TEXT_MAX = 1 << 20, TITLE_MAX = 200 };

/* Plain text whose first line can serve as a title. */
static err check_text(const char *path, struct fail *f) {
    struct buf b;
    struct span rest, line = {0};
    buf_init(&b, TEXT_MAX);
    err e = file_read(path, TEXT_MAX, &b, f);
    rest = buf_view(&b);
    if (e == OK && !utf8_valid(rest)) e = fail_set(f, E_UTF8, "%s is not UTF-8 text", path);
    if (e == OK) {
        const uint8_t *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        line = end ? span_of(rest.p, (size_t)(end - rest.p)) : rest;
    }
    if (e == OK && (line.n == 0 || line.n > TITLE_MAX))
        e = fail_set(f, E_USAGE, "the first line of %s is the notice's title: 1 to %d bytes", path, TITLE_MAX);
    buf_release(&b);
    return e;
}

int cmd_notice(int argc, char **argv) {
    struct make_options m = {0};
    const char *kind = "statement", *lang = "en", *text_file = NULL, *contest = NULL, *answers = NULL,
               *election = NULL;
    const struct opt options[] = {
        {"--text", OPT_TEXT, &text_file, "FILE", "what it says: UTF-8, the first line is the title; public for ever"},
        {"--kind", OPT_TEXT, &kind, "WORD", "statement (the default), rebuttal, correction, petition"},
        {"--answers", OPT_TEXT, &answers, "ID", "the record that it answers"},
        {"--contest", OPT_TEXT, &contest, "ID", "the contest that it is about"},
        {"--lang", OPT_TEXT, &lang, "TAG", "its language (en)"},
        {"--election", OPT_TEXT, &election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "notice --text FILE --key KEY [--kind WORD] [--answers ID] [--send URL]",
        "Makes a signed public statement: of the commission, an officer, a party or an observer group. A\n"
        "rebuttal that answers an admitted objection stops its clock.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf text;
    struct hash answered;
    struct compose_notice n = {.kind = kind, .lang = span_text(lang)};
    buf_init(&text, 8192);
    if (!election) election = m.send.url;
    err e = text_file && election ? OK : fail_set(&f, E_USAGE, "--text and --election (or --send) are needed");
    if (e == OK) e = check_text(text_file, &f);
    if (e == OK) e = tree_election(election, &n.election, &f);
    if (e == OK && answers) {
        e = hash_from_hex(span_text(answers), &answered, &f);
        n.answers = &answered;
    }
    if (e == OK) e = words_public(&m, text_file, TEXT_MAX, &n.text, &f);
    if (e == OK) {
        if (contest) n.contest = span_text(contest);
        compose_notice(&text, &n);
        e = buf_ok(&text, &f);
    }
    code = e == OK ? make_finish("notice", &m, buf_view(&text)) : cli_fail("notice", &f);
    buf_release(&text);
    return code;
}
