/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Forms of a real election: units, contests, choices and figures come from its log. */
#ifndef CLI_FORMS_ELECTION_H
#define CLI_FORMS_ELECTION_H

#include "cli/forms_stream.h"

struct forms_election {
    const char *where, *anchor; /* DIR or URL; the reader's own anchor file or NULL */
    const char *contest, *unit; /* NULL: the first contest; the contest's whole area */
    const char *group;          /* the level whose units get a file each */
    const char *form, *regulation, *contest_sw;
    const char *collation; /* code of the unit whose collation is printed; NULL: none */
    uint64_t round;        /* 0: the current one */
    uint64_t boxes, limit; /* limit 0: all */
    bool count_sheet, copy;
};

struct forms_printed {
    uint64_t forms;
};

/* Result forms (or count sheets) of the contest's stations, in the definition's order, with serial
 * numbers that do not depend on what is printed: 1,000,000 times the contest's number, and the
 * station's place among the contest's stations. Or one collation: a row a station for a unit at the
 * group's level or below, else a row a unit of that level, with the figures that hold now. */
MUST_USE err forms_of_election(const struct forms_election *o, struct forms_stream *s,
                               struct forms_printed *n, struct fail *f);

#endif
