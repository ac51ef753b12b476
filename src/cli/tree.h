/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An election's public tree, in a folder or at a server's address. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "crypto/hash.h"
#include "http/tree_url.h"

struct tree {
    char base[2000];       /* folder or address, without '/' at its end */
    struct tree_url *url;  /* NULL: a folder */
    struct tree_source at; /* borrows base or url: a tree does not move */
};
/* DIR (or the election's folder, which has it in public/) or URL. E_NOT_FOUND, E_USAGE. */
MUST_USE err tree_open(const char *where, struct tree *out, struct fail *f);
void tree_close(struct tree *t);
/* Appends a file of the tree; E_NOT_FOUND when it is not there. */
MUST_USE err tree_read(struct tree *t, const char *path, size_t max, struct buf *out, struct fail *f);

/* The election's id from 64 hexadecimal digits, an anchor file, or a tree's anchor. */
MUST_USE err tree_election(const char *where, struct hash *out, struct fail *f);

#endif
