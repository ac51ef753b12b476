/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Between the exchange*.c files only: the set of figures while it is filled, and one way to look at JSON
 * and XML. */
#ifndef SERVICE_EXCHANGE_IMPL_H
#define SERVICE_EXCHANGE_IMPL_H

#include "base/vec.h"
#include "service/exchange.h"

enum {
    EX_CHOICES_MAX = 200,      /* of a contest */
    EX_CONTESTS_MAX = 20000,   /* rounds count apart */
    EX_CANDIDATES_MAX = 100000,
    EX_TEXTS_MAX = 4000000,    /* codes, names and ids, each kept once */
    EX_FIGURES_MAX = 1 << 25,
    EX_FIGURE_DIGITS = 15      /* below 2^53 */
};
#define EX_NONE UINT32_MAX

/* Texts are numbers (ex_text). */
struct ex_contest {
    uint32_t id, own; /* its identifier; the file's own id for it, or EX_NONE */
    unsigned round;   /* 0: not said */
    uint32_t election;
    size_t choices;
    uint32_t choice[EX_CHOICES_MAX]; /* in the order of the file */
};
struct ex_figure {
    uint32_t contest, unit, what; /* contest: a number, or EX_EVERY, or EX_ELECTION | number of the election */
    uint8_t channel, votes; /* votes: of the choice `what`; else the figure of that name */
    uint64_t value;
};
#define EX_EVERY 0xffffffffu
#define EX_ELECTION 0x80000000u

struct ex_set { /* sorted once it is whole */
    struct ex_figure *at;
    size_t n, room;
};

struct exchange {
    enum export_format format;
    struct budget budget;
    struct arena mem;
    struct vec texts; /* struct span */
    struct table by_text;
    struct vec contests; /* struct ex_contest */
    struct table by_contest; /* of ex_contest_of */
    struct ex_set read;     /* what the file says */
    struct ex_set expected; /* what the records give */
    struct ex_set *into;    /* the one of them that is filled */
    uint64_t size;
    uint32_t root;
};

/* --- filling --- */

/* The number of a text, which is kept once. */
MUST_USE err ex_text(struct exchange *x, struct span s, uint32_t *out, struct fail *f);
uint32_t ex_find_text(const struct exchange *x, struct span s); /* EX_NONE */
struct span ex_span(const struct exchange *x, uint32_t text);
MUST_USE err ex_new_contest(struct exchange *x, uint32_t id, unsigned round, uint32_t *out, struct fail *f);
static inline struct ex_contest *ex_contest(const struct exchange *x, uint32_t i) {
    return vec_at(&x->contests, i);
}
/* The contest of this identifier and round, made where there is none. */
MUST_USE err ex_contest_of(struct exchange *x, struct span id, uint64_t round, uint32_t *out, struct fail *f);
/* Remembers a choice of a contest unless it is there. */
MUST_USE err ex_choice(struct exchange *x, uint32_t contest, uint32_t choice, struct fail *f);
MUST_USE err ex_add(struct ex_set *set, const struct ex_figure *g, struct fail *f);
/* The same into x->into, with texts; a choice of the contest is remembered as one. */
MUST_USE err ex_put(struct exchange *x, uint32_t contest, struct span unit, enum exchange_channel c, bool votes,
                    struct span what, uint64_t value, struct fail *f);
/* 1 to 15 digits. E_FIELD. */
MUST_USE err ex_number(struct span s, uint64_t *out, struct fail *f);
/* Sorts a set; a figure that stands twice is refused, or, with `same`, kept once if both say the same. */
MUST_USE err ex_finish(const struct exchange *x, struct ex_set *set, bool same, struct fail *f);
int ex_order(const void *a, const void *b); /* of struct ex_figure: the figure's place, not its value */
/* Its value in a sorted set, or EXCHANGE_BLANK. */
uint64_t ex_value(const struct ex_set *set, const struct ex_figure *place);
/* "unit 001001, votes of a" */
void ex_say(const struct exchange *x, const struct ex_figure *g, struct buf *out);

/* --- JSON and XML alike --- */

/* A value's kind: in XML every value is a text. */
enum node_kind { NODE_TEXT, NODE_NUMBER, NODE_OTHER, NODE_XML };
/* JSON: an object is begun and ended under the key that holds it or the array it stands in, other values
 * are values; XML: elements without attributes and elements in them are values, the text of others is the
 * value "#text", an attribute the value "@name". The outermost is begun too: "" in JSON. */
struct nodes {
    err (*begin)(void *ctx, struct span name, struct fail *f);
    err (*value)(void *ctx, struct span name, struct span text, enum node_kind kind, struct fail *f);
    err (*end)(void *ctx, struct fail *f);
    void *ctx;
};
MUST_USE err nodes_of_json(struct span text, const struct nodes *n, struct fail *f);
/* Elements of another namespace than the outermost one's are passed over, with all that is in them. */
MUST_USE err nodes_of_xml(struct span text, const struct nodes *n, struct fail *f);
MUST_USE err node_figure(struct span text, enum node_kind kind, uint64_t *out, struct fail *f);

/* --- the formats --- */

MUST_USE err exchange_document(struct exchange *x, struct span text, bool xml, struct fail *f);
/* NIST SP 1500-100: functions for struct nodes. */
struct cdf_in;
MUST_USE err cdf_in_new(struct exchange *x, struct cdf_in **out, struct fail *f);
void cdf_in_free(struct cdf_in *c);
extern const struct nodes cdf_nodes; /* ctx: struct cdf_in */
MUST_USE err cdf_in_finish(struct cdf_in *c, struct fail *f);
/* EML 510; results.json; units.geojson. */
struct eml_in;
MUST_USE err eml_in_new(struct exchange *x, struct eml_in **out, struct fail *f);
void eml_in_free(struct eml_in *e);
extern const struct nodes eml_nodes;
struct json_results;
MUST_USE err json_results_new(struct exchange *x, struct json_results **out, struct fail *f);
void json_results_free(struct json_results *r);
extern const struct nodes results_nodes, geojson_nodes;

MUST_USE err exchange_csv(struct exchange *x, struct span text, struct fail *f);
MUST_USE err exchange_sqlite(struct exchange *x, const char *path, struct fail *f);

/* The figures that the records give for x's format, into x->expected; contests that the file lacks are
 * added. */
MUST_USE err exchange_expect(struct exchange *x, const struct export_source *s, struct fail *f);

#endif
