/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/forms_stream.h"

#include <errno.h>
#include "base/file.h"

static bool to_file(void *ctx, struct span piece) {
    struct forms_stream *s = ctx;
    s->bytes += piece.n;
    return fwrite(piece.p, 1, piece.n, s->file) == piece.n;
}

bool forms_out_is_file(const char *out) {
    const size_t n = strlen(out);
    return n > 4 && strcmp(out + n - 4, ".pdf") == 0;
}

static err open_pdf(struct forms_stream *s, const char *path, struct fail *f) {
    TRY(file_mkdirs_for(path, f));
    s->file = fopen(path, "wb");
    if (!s->file) return file_error(f, errno, "creating", path);
    s->files++;
    return canvas_pdf(to_file, s, "Result forms", s->date, &s->canvas, f);
}

err forms_stream_group(struct forms_stream *s, struct span group, struct fail *f) {
    char path[PATH_MAX_LEN];
    if (forms_out_is_file(s->out)) return s->canvas ? OK : open_pdf(s, s->out, f);
    if (s->canvas && span_is(group, s->group)) return OK;
    if (group.n >= sizeof s->group)
        return fail_set(f, E_TOO_LARGE, "\"%.*s\" is too long for a file's name", SPAN_ARG(group));
    TRY(forms_stream_end(s, OK, f));
    snprintf(s->group, sizeof s->group, "%.*s", SPAN_ARG(group));
    if (snprintf(path, sizeof path, "%s/%s-%s.pdf", s->out, s->stem, s->group) >= (int)sizeof path)
        return fail_set(f, E_TOO_LARGE, "path too long: %.200s", s->out);
    return open_pdf(s, path, f);
}

err forms_stream_end(struct forms_stream *s, err so_far, struct fail *f) {
    struct fail second;
    if (s->canvas) {
        const err e = canvas_close(s->canvas, NULL, so_far == OK ? f : &second);
        if (so_far == OK) so_far = e;
    }
    if (s->file && fclose(s->file) != 0 && so_far == OK)
        so_far = fail_set(f, E_IO, "the PDF cannot be written");
    s->canvas = NULL;
    s->file = NULL;
    return so_far;
}
