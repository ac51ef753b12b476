/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the bundle: its parts and what they share. Private to bundle*.c. */
#ifndef SERVICE_BUNDLE_IMPL_H
#define SERVICE_BUNDLE_IMPL_H

#include "service/bundle.h"

enum { BUNDLE_TABLE_MAX = 1 << 30 };

/* A table that grows while the log is replayed. */
struct bundle_table {
    const char *name; /* "keys": tables/keys.csv */
    struct buf out;
    uint64_t rows;
};

struct bundle_tables;
MUST_USE err bundle_tables_new(struct bundle_tables **out, struct fail *f);
void bundle_tables_free(struct bundle_tables *t);
/* For tree_log_options: a row for each record that belongs into a table. */
err bundle_tables_visit(void *ctx, const struct applied *a, uint64_t ms, const struct record *r,
                        struct fail *f);
/* What is read off the state at the end: keys, arrivals, images, forms, findings. */
MUST_USE err bundle_tables_finish(struct bundle_tables *t, const struct fold *fold, struct fail *f);
size_t bundle_tables_count(const struct bundle_tables *t);
const struct bundle_table *bundle_tables_at(const struct bundle_tables *t, size_t i);
/* Rows of tables/NAME.csv, 0 if there is no such table. */
uint64_t bundle_tables_rows(const struct bundle_tables *t, const char *file);

/* An item as it is answered. */
struct bundle_answer {
    struct span code, asked;
    char file[200]; /* in the bundle; empty: absent */
    struct buf words;
    uint64_t rows;
    bool has_rows;
};
struct bundle_page {
    const struct bundle_options *o;
    const struct tree_log *log;
    struct span order_title;
    struct bundle_answer *answers;
    size_t n;
    const struct bundle_report *report;
};
MUST_USE err bundle_html(const struct bundle_page *p, struct buf *out, struct fail *f);
MUST_USE err bundle_certificate(const struct bundle_page *p, struct buf *out, struct fail *f);
MUST_USE err bundle_pdf(const struct bundle_page *p, struct buf *out, struct fail *f);

#endif
