/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The list of published exports, for people and for programs; between open_data's two files only. */
#ifndef SERVICE_OPEN_DATA_PAGE_H
#define SERVICE_OPEN_DATA_PAGE_H

#include "service/export.h"

struct open_file {
    enum export_format format;
    char name[64]; /* "err.json.gz" */
    bool packed;
    uint64_t bytes, unpacked_bytes; /* equal when it is not packed */
    struct hash sha256, unpacked_sha256;
};

/* How index.json begins at a checkpoint: files of this checkpoint and program need not be made again. */
void open_data_head(uint64_t size, struct span root, struct buf *out);
MUST_USE err open_data_list(const struct export_source *s, const struct open_file *files, size_t n,
                            struct buf *out, struct fail *f);
MUST_USE err open_data_sums(const struct open_file *files, size_t n, struct buf *out, struct fail *f);

enum open_lang { OPEN_EN, OPEN_SW, OPEN_LANGS };
const char *open_data_page_name(enum open_lang lang); /* "index.html" */
MUST_USE err open_data_page(const struct export_source *s, const struct open_file *files, size_t n,
                            enum open_lang lang, const char *style, struct buf *out, struct fail *f);

/* The interface for programs: English, the same for every election. `title` is the election's. */
extern const char api_page[]; /* what stands in it, made at build time from spec/api.yaml */
MUST_USE err open_data_api(struct span title, const char *style, struct buf *out, struct fail *f);

#endif
