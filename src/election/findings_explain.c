/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/findings.h"

const char *finding_explanation(enum finding_code code) {
    switch (code) {
#define EXPLAIN(name, text)                                                                        \
    case name: return text;
#include "election/findings_explain.def"
#undef EXPLAIN
    default: return "";
    }
}
