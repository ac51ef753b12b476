/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Records applied to the base election of election_fixture.h, each with what must be said to it. The
 * same cases are the accept/ and reject/ corpora of spec/. Patterns: fx_expand. */
#ifndef TESTS_RECORD_CASES_H
#define TESTS_RECORD_CASES_H

#include "base/err.h"
#include <stdint.h>

/* What still forbids the declaration of head-21 in the base election. */
#define FX_OVERRIDE_21                                                                             \
    "override {'basis':${o:the law that allows it},'contest':'head-21','election':'${e}','items':" \
    "[{'code':'G_MISSING','count':2}],'round':1}"

struct record_case {
    const char *name; /* unique; a file's name */
    err want;
    const char *signers; /* NULL: the pattern is the whole note; "": the whole entry */
    const char *pattern;
    uint64_t ms; /* 0: FX_CASE_MS */
};
extern const struct record_case record_cases[];
extern const unsigned record_case_count;

/* The manifest of the fixture with one part replaced, applied to an empty log. */
struct manifest_case {
    const char *name;
    err want;
    const char *signers;
    const char *from, *to; /* in the text; patterns; "" replaces nothing */
};
extern const struct manifest_case manifest_cases[];
extern const unsigned manifest_case_count;

#endif
