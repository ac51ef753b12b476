/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where 'hesabu forms' prints to: one PDF, or one a group (a constituency) in a folder. A file bears
 * its name only when it is whole; until then it is NAME.part. */
#ifndef CLI_FORMS_STREAM_H
#define CLI_FORMS_STREAM_H

#include <stdio.h>
#include "base/file.h"
#include "crypto/hash.h"
#include "paper/canvas.h"

struct forms_stream {
    const char *out;       /* a file ending in .pdf, or a folder; borrowed */
    const char *stem;      /* first part of the files' names in a folder: "34A" */
    const char *date;      /* that the PDFs bear */
    struct canvas *canvas; /* what is being drawn on */
    FILE *file;
    char group[32];
    bool resume;   /* groups whose file is there, of the same inputs, are not printed again */
    struct hash inputs; /* of all that is printed: forms_stream_input */
    bool skipping; /* this group is such a one: nothing is to be drawn, canvas is NULL */
    char (*seen)[32]; /* groups begun in this run; forms_stream_release */
    size_t seen_count;
    char path[PATH_MAX_LEN];
    uint64_t files, bytes, pages, skipped;
};

bool forms_out_is_file(const char *out);
/* Before the first group: something that what is printed depends on. Each file bears the hash of all of
 * it, and only a file that bears the same one is left alone when a run is resumed. */
void forms_stream_input(struct forms_stream *s, struct span text);
/* From here on pages go to this group's file: OUT/STEM-GROUP.pdf, or OUT itself. Sets skipping. E_FIELD
 * for a group that comes again after another: its second file would take the place of the first. */
MUST_USE err forms_stream_group(struct forms_stream *s, struct span group, struct fail *f);
/* Closes what is open, also after an error; returns so_far, or what went wrong in closing. */
MUST_USE err forms_stream_end(struct forms_stream *s, err so_far, struct fail *f);
void forms_stream_release(struct forms_stream *s);

#endif
