/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu submit: signed records into the durable queue, and from there into the log. */
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/send.h"
#include "election/record.h"

int cmd_submit(int argc, char **argv);

int cmd_submit(int argc, char **argv) {
    struct send_options o = {0};
    struct opt_list objects = {0};
    const struct opt options[] = {
        {"--url", OPT_TEXT, &o.url, "URL", "the server; without it the records are only queued"},
        {"--object", OPT_LIST, &objects, "FILE", "an object that the records name, to be uploaded first"},
        {"--json", OPT_FLAG, &o.json, NULL, "one JSON object a line for each change"},
        SEND_OPTIONS(o),
    };
    const struct usage u = {
        "submit [FILE...] --url URL [--outbox DIR]",
        "Writes the signed records into a durable queue, then sends them until each has the proof it\n"
        "waits for: a receipt whose proof holds under the pinned anchor, and a checkpoint that the\n"
        "witnesses cosigned. It may be killed, unplugged and started again at any time: nothing queued\n"
        "is lost, and sending twice is harmless. Without FILE it goes on with what is queued.\n"
        "What the server refuses for good moves to OUTBOX/refused with the reason; an answer that does\n"
        "not hold is kept in OUTBOX/evidence.\n\n"
        "exit: 0 all proved; 1 or 77 something was refused or an answer was false; 2 not yet witnessed;\n"
        "75 still queued",
        options, sizeof options / sizeof *options, 0, 100000};
    int nargs, code = 0;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    size_t n = (size_t)nargs;
    struct buf *files = calloc(n + 1, sizeof *files);
    struct send_note *notes = calloc(n + 1, sizeof *notes);
    err e = files && notes ? OK : fail_set(&f, E_MEMORY, "no memory for the files");
    if (e == OK && !n && !o.url)
        e = fail_set(&f, E_USAGE, "give records to queue, or --url to send what is queued");
    if (e == OK && n > 1 && objects.n)
        e = fail_set(&f, E_USAGE, "--object goes with one FILE: submit the others by themselves");
    for (size_t i = 0; e == OK && i < n; i++) {
        buf_init(&files[i], ENTRY_MAX);
        e = file_read(argv[i], ENTRY_MAX, &files[i], &f);
        notes[i] = (struct send_note){buf_view(&files[i]), objects.at, objects.n};
    }
    code = e == OK ? send_notes("submit", &o, notes, n) : cli_fail("submit", &f);
    for (size_t i = 0; files && i < n; i++) buf_release(&files[i]);
    free(files);
    free(notes);
    return code;
}
