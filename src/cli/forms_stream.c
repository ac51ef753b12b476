/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/forms_stream.h"

#include <errno.h>

static bool to_file(void *ctx, struct span piece) {
    struct forms_stream *s = ctx;
    s->bytes += piece.n;
    return fwrite(piece.p, 1, piece.n, s->file) == piece.n;
}

bool forms_out_is_file(const char *out) {
    const size_t n = strlen(out);
    return n > 4 && strcmp(out + n - 4, ".pdf") == 0;
}

static void part_name(const struct forms_stream *s, char out[PATH_MAX_LEN + 8]) {
    snprintf(out, PATH_MAX_LEN + 8, "%s.part", s->path);
}

static err open_pdf(struct forms_stream *s, struct fail *f) {
    char part[PATH_MAX_LEN + 8];
    s->skipping = s->resume && file_exists(s->path);
    s->skipped += s->skipping;
    if (s->skipping) return OK;
    part_name(s, part);
    TRY(file_mkdirs_for(part, f));
    s->file = fopen(part, "wb");
    if (!s->file) return file_error(f, errno, "creating", part);
    s->files++;
    return canvas_pdf(to_file, s, "Result forms", s->date, &s->canvas, f);
}

err forms_stream_group(struct forms_stream *s, struct span group, struct fail *f) {
    const bool one = forms_out_is_file(s->out), begun = s->canvas || s->skipping;
    if (begun && (one || span_is(group, s->group))) return OK;
    if (group.n >= sizeof s->group)
        return fail_set(f, E_TOO_LARGE, "\"%.*s\" is too long for a file's name", SPAN_ARG(group));
    TRY(forms_stream_end(s, OK, f));
    snprintf(s->group, sizeof s->group, "%.*s", SPAN_ARG(group));
    const int n = one ? snprintf(s->path, sizeof s->path, "%s", s->out)
                      : snprintf(s->path, sizeof s->path, "%s/%s-%s.pdf", s->out, s->stem, s->group);
    if (n >= (int)sizeof s->path) return fail_set(f, E_TOO_LARGE, "path too long: %.200s", s->out);
    return open_pdf(s, f);
}

err forms_stream_end(struct forms_stream *s, err so_far, struct fail *f) {
    char part[PATH_MAX_LEN + 8];
    struct fail second;
    if (s->canvas) {
        s->pages += canvas_pages(s->canvas);
        const err e = canvas_close(s->canvas, NULL, so_far == OK ? f : &second);
        if (so_far == OK) so_far = e;
    }
    part_name(s, part);
    if (s->file && fclose(s->file) != 0 && so_far == OK)
        so_far = fail_set(f, E_IO, "the PDF cannot be written");
    if (s->file && so_far == OK && rename(part, s->path) != 0)
        so_far = file_error(f, errno, "naming", s->path);
    if (s->file && so_far != OK) (void)remove(part);
    s->canvas = NULL;
    s->file = NULL;
    s->skipping = false;
    return so_far;
}
