/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/forms_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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

void forms_stream_input(struct forms_stream *s, struct span text) {
    s->inputs = sha256_2(hash_span(&s->inputs), text);
}

/* A whole file of the same inputs. */
static err printed_before(const struct forms_stream *s, const char *title, bool *same, struct fail *f) {
    struct span file;
    *same = false;
    if (!s->resume || !file_exists(s->path)) return OK;
    TRY(file_map(s->path, &file, f));
    *same = file.n && memmem(file.p, file.n, title, strlen(title)) != NULL;
    file_unmap(file);
    return OK;
}

static err open_pdf(struct forms_stream *s, struct fail *f) {
    char part[PATH_MAX_LEN + 8], hex[HASH_HEX_LEN + 1], title[HASH_HEX_LEN + 20];
    hash_hex(&s->inputs, hex);
    (void)snprintf(title, sizeof title, "Result forms %s", hex);
    TRY(printed_before(s, title, &s->skipping, f));
    s->skipped += s->skipping;
    if (s->skipping) return OK;
    part_name(s, part);
    TRY(file_mkdirs_for(part, f));
    s->file = fopen(part, "wb");
    if (!s->file) return file_error(f, errno, "creating", part);
    s->files++;
    return canvas_pdf(to_file, s, title, s->date, &s->canvas, f);
}

static err begin_group(struct forms_stream *s, struct span group, struct fail *f) {
    for (size_t i = 0; i < s->seen_count; i++)
        if (span_is(group, s->seen[i]))
            return fail_set(f, E_FIELD, "the stations of \"%.*s\" do not stand together: sort them by code",
                            SPAN_ARG(group));
    char(*more)[32] = reallocarray(s->seen, s->seen_count + 1, sizeof *more);
    if (!more) return fail_set(f, E_MEMORY, "no memory for the names of groups");
    s->seen = more;
    snprintf(s->seen[s->seen_count++], sizeof *more, "%.*s", SPAN_ARG(group));
    snprintf(s->group, sizeof s->group, "%.*s", SPAN_ARG(group));
    return OK;
}

void forms_stream_release(struct forms_stream *s) {
    free(s->seen);
    s->seen = NULL;
    s->seen_count = 0;
}

err forms_stream_group(struct forms_stream *s, struct span group, struct fail *f) {
    const bool one = forms_out_is_file(s->out), begun = s->canvas || s->skipping;
    if (begun && (one || span_is(group, s->group))) return OK;
    if (group.n >= sizeof s->group)
        return fail_set(f, E_TOO_LARGE, "\"%.*s\" is too long for a file's name", SPAN_ARG(group));
    TRY(forms_stream_end(s, OK, f));
    TRY(begin_group(s, group, f));
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
    if (s->file && so_far == OK && (fflush(s->file) != 0 || fsync(fileno(s->file)) != 0))
        so_far = fail_set(f, E_IO, "the PDF cannot be written"); /* before it gets its name */
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
