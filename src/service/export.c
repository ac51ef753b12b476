/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/export.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "base/file.h"
#include "service/export_walk.h"

static const struct export_info infos[EXPORT_FORMATS] = {
    [EXPORT_CSV] = {"csv", "stations.csv", "one row a station, contest and round"},
    [EXPORT_JSON] = {"json", "results.json", "everything that results/ has, in one file"},
    [EXPORT_ERR_JSON] = {"err-json", "err.json", "NIST SP 1500-100 version 2, as JSON"},
    [EXPORT_ERR_XML] = {"err-xml", "err.xml", "NIST SP 1500-100 version 2, as XML"},
    [EXPORT_EML] = {"eml", "eml510.xml", "OASIS EML 5.0, message 510"},
    [EXPORT_ATOM] = {"atom", "feed.atom", "a feed of corrections, notices and rulings"},
    [EXPORT_GEOJSON] = {"geojson", "units.geojson", "figures of every unit, with its shape where there is one"},
    [EXPORT_SQLITE] = {"sqlite", "election.sqlite", "a database with tables, views and a README"},
};

const struct export_info *export_info(enum export_format format) {
    return &infos[format];
}

err export_format_parse(const char *name, enum export_format *out, struct fail *f) {
    char names[200] = "";
    for (size_t i = 0; i < EXPORT_FORMATS; i++) {
        if (strcmp(name, infos[i].name) == 0) {
            *out = (enum export_format)i;
            return OK;
        }
        size_t n = strlen(names);
        (void)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", infos[i].name);
    }
    return fail_set(f, E_USAGE, "there is no format \"%.40s\"; these are: %s", name, names);
}

static err check_source(const struct export_source *s, struct fail *f) {
    if (!fold_definition(s->fold))
        return fail_set(f, E_NOT_FOUND, "the log has no manifest yet: there is nothing to export");
    if (s->contest && fold_contest_by_id(s->fold, span_text(s->contest)) == NO_CONTEST)
        return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"; 'hesabu results' lists them",
                        s->contest);
    return OK;
}

err export_stream(const struct export_source *s, enum export_format format,
                  const struct export_sink *sink, struct fail *f) {
    struct export_out o;
    TRY(check_source(s, f));
    export_out_init(&o, sink);
    err e = OK;
    switch (format) {
    case EXPORT_CSV: e = export_csv(s, &o, f); break;
    case EXPORT_JSON: e = export_json(s, &o, f); break;
    case EXPORT_ERR_JSON: e = export_err(s, false, &o, f); break;
    case EXPORT_ERR_XML: e = export_err(s, true, &o, f); break;
    case EXPORT_EML: e = export_eml(s, &o, f); break;
    case EXPORT_ATOM: e = export_atom(s, &o, f); break;
    case EXPORT_GEOJSON: e = export_geojson(s, &o, f); break;
    case EXPORT_SQLITE:
    case EXPORT_FORMATS: e = fail_set(f, E_USAGE, "this format is written into a file only"); break;
    }
    if (e == OK) e = export_out_end(&o, f);
    export_out_release(&o);
    return e;
}

struct file_sink {
    int fd;
    const char *path;
};

static err put(void *ctx, struct span bytes, struct fail *f) {
    struct file_sink *w = ctx;
    if (file_fault("write", w->path)) return file_error(f, errno, "writing", w->path);
    while (bytes.n) {
        ssize_t n = write(w->fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return file_error(f, n < 0 ? errno : EIO, "writing", w->path);
        bytes = span_from(bytes, (size_t)n);
    }
    return OK;
}

err export_file(const struct export_source *s, enum export_format format, const char *path,
                struct fail *f) {
    char made[PATH_MAX_LEN];
    TRY(check_source(s, f));
    if (format == EXPORT_SQLITE) return export_sqlite(s, path, f);
    if (snprintf(made, sizeof made, "%s.new", path) >= (int)sizeof made)
        return fail_set(f, E_IO, "the path is too long");
    FILE *file = fopen(made, "wbe");
    if (!file) return file_error(f, errno, "making", made);
    struct file_sink w = {fileno(file), made};
    err e = export_stream(s, format, &(struct export_sink){put, &w}, f);
    if (e == OK && (file_fault("fsync", made) || fsync(w.fd)))
        e = file_error(f, errno, "syncing", made);
    if (fclose(file) && e == OK) e = file_error(f, errno, "writing", made);
    if (e == OK && rename(made, path)) e = file_error(f, errno, "writing", path);
    if (e != OK) (void)unlink(made);
    return e;
}
