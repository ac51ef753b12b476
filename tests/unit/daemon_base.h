/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The base election, stored once for all tests of a program: each takes a copy of it (site_new). */
#ifndef DAEMON_BASE_H
#define DAEMON_BASE_H

#include "daemon_fixture.h"

static struct fixture *x;
static char base[64]; /* the folder */

static int setup(void **state) {
    (void)state;
    x = fx_base();
    scratch_make(base);
    site_store(x, base);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    scratch_remove(base);
    fx_free(x);
    return 0;
}

#endif
