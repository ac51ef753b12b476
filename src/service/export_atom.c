/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Atom (RFC 4287): what a reader would want to be told of, newest first: declarations, corrections,
 * decisions and the findings that they resolve, notices, what became of objections. Ids are made from records' ids, so that an
 * entry keeps its id in every later feed. */
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/vec.h"
#include "base/xml_out.h"
#include "election/gate.h"
#include "election/voices.h"
#include "service/export_walk.h"

enum { NEWEST = 5000, TEXT_MAX = 1 << 16 };

enum kind { CORRECTION, DECISION, DECLARATION, DISSENT, NOTICE, RULING, KINDS };
static const char *const kind_words[KINDS] = {"correction", "decision", "declaration",
                                              "commissioner", "notice", "ruling"};

struct event {
    uint64_t entry, ms;
    enum kind kind;
    uint32_t index; /* of the result, decision, ... in the fold */
};

struct feed {
    const struct export_source *s;
    struct export_out *o;
    struct xml_out x;
    struct budget budget;
    struct vec events;
    bool full;
};

static void push(struct feed *d, enum kind kind, uint32_t index, uint64_t entry, uint64_t ms) {
    struct event *e = vec_push(&d->events);
    if (!e)
        d->full = true;
    else
        *e = (struct event){entry, ms, kind, index};
}

static bool of_contest(const struct feed *d, uint32_t contest) {
    return !d->s->contest || contest == NO_CONTEST ||
           span_is(fold_contest(d->s->fold, contest)->id, d->s->contest);
}

static int newest_first(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    if (x->entry != y->entry) return x->entry < y->entry ? 1 : -1;
    return (int)x->kind - (int)y->kind;
}

/* A result that replaces several is one correction. */
static void corrections(struct feed *d) {
    const struct fold *fold = d->s->fold;
    for (uint32_t c = 0; c < fold_cell_count(fold); c++) {
        const struct cell *cell = fold_cell_at(fold, c);
        if (!of_contest(d, cell->contest)) continue;
        for (uint32_t i = cell->first_result; i != NO_RESULT; i = fold_result(fold, i)->next) {
            bool replaces = false;
            for (uint32_t k = cell->first_result; k != NO_RESULT && !replaces; k = fold_result(fold, k)->next)
                replaces = fold_result(fold, k)->superseded_by == i;
            if (replaces) push(d, CORRECTION, i, fold_result(fold, i)->entry, fold_result(fold, i)->ms);
        }
    }
}

static err collect(struct feed *d, struct fail *f) {
    const struct fold *fold = d->s->fold;
    corrections(d);
    for (uint32_t i = 0; i < fold_decision_count(fold); i++) {
        const struct decision *x = fold_decision(fold, i);
        if (of_contest(d, x->contest)) push(d, DECISION, i, x->entry, x->ms);
    }
    for (uint32_t i = 0; i < fold_declaration_count(fold); i++) {
        const struct declaration *x = fold_declaration(fold, i);
        if (of_contest(d, x->contest)) push(d, DECLARATION, i, x->entry, x->ms);
    }
    for (uint32_t i = 0; i < fold_dissent_count(fold); i++) {
        const struct dissent *x = fold_dissent(fold, i);
        if (of_contest(d, fold_declaration(fold, x->declaration)->contest))
            push(d, DISSENT, i, x->entry, x->ms);
    }
    for (size_t i = 0; i < fold_notice_count(fold); i++) {
        const struct notice *n = fold_notice(fold, i);
        if (of_contest(d, n->contest)) push(d, NOTICE, (uint32_t)i, n->entry, n->ms);
    }
    for (size_t i = 0; i < fold_objection_count(fold); i++) {
        const struct objection *o = fold_objection(fold, i);
        if (o->ruling != NO_ENTRY && of_contest(d, o->contest))
            push(d, RULING, (uint32_t)i, o->ruling, o->ruling_ms);
    }
    if (d->full) return fail_set(f, E_MEMORY, "no memory for the feed");
    return OK;
}

/* tag:AUTHORITY,DATE:SPECIFIC (RFC 4151). The date is the election's. */
static void tag(const struct feed *d, const char *what, const char *specific, char out[300]) {
    const struct definition *def = fold_definition(d->s->fold);
    char date[21];
    size_t n = 0;
    clock_format_utc(def->opens_ms, date);
    while (n < def->origin.n && def->origin.p[n] != '/') n++;
    (void)snprintf(out, 300, "tag:%.*s,%.10s:%s/%s", (int)(n > 120 ? 120 : n),
                   (const char *)def->origin.p, date, what, specific);
}

static void place(const struct feed *d, uint32_t unit, struct buf *b) {
    const struct unit *u = fold_unit(d->s->fold, unit);
    buf_span(b, u->code);
    if (u->name.n) buf_byte(b, ' ');
    buf_span(b, u->name);
}

static void contest_name(const struct feed *d, uint32_t contest, unsigned round, struct buf *b) {
    buf_span(b, fold_contest(d->s->fold, contest)->name);
    if (round > 1) buf_printf(b, ", round %u", round);
}

/* --- corrections --- */

static void figure(struct buf *b, uint64_t v) {
    if (v == ABSENT)
        buf_str(b, "blank");
    else
        buf_u64(b, v);
}

static void change(struct buf *b, struct span name, uint64_t from, uint64_t to) {
    if (from == to) return;
    buf_span(b, name);
    buf_byte(b, ' ');
    figure(b, from);
    buf_str(b, " to ");
    figure(b, to);
    buf_str(b, "; ");
}

static bool has_code(const struct finding *list, size_t n, enum finding_code code) {
    for (size_t i = 0; i < n; i++)
        if (list[i].code == code) return true;
    return false;
}

/* The findings of one form that the other does not show. */
static err findings_gone(const struct feed *d, uint32_t from, uint32_t to, struct buf *b,
                         struct fail *f) {
    struct arena a;
    struct finding *old, *now;
    size_t old_n, now_n;
    arena_init(&a, (size_t)1 << 20);
    err e = findings_alone(d->s->fold, from, &a, &old, &old_n, f);
    if (e == OK) e = findings_alone(d->s->fold, to, &a, &now, &now_n, f);
    bool any = false;
    for (size_t i = 0; e == OK && i < old_n; i++) {
        if (has_code(now, now_n, old[i].code) || has_code(old, i, old[i].code)) continue;
        buf_str(b, any ? ", " : "Findings that the replaced form showed and this one does not: ");
        any = true;
        buf_str(b, finding_name(old[i].code));
    }
    if (any) buf_str(b, ". ");
    arena_release(&a);
    return e;
}

static err correction(const struct feed *d, uint32_t i, struct buf *title, struct buf *text,
                      struct fail *f) {
    const struct fold *fold = d->s->fold;
    const struct result *r = fold_result(fold, i);
    const struct cell *cell = fold_cell_at(fold, r->cell);
    const struct contest *k = fold_contest(fold, cell->contest);
    buf_str(title, "Correction: ");
    place(d, cell->station, title);
    buf_str(title, ", ");
    contest_name(d, cell->contest, cell->round, title);
    for (uint32_t n = cell->first_result; n != NO_RESULT; n = fold_result(fold, n)->next) {
        const struct result *old = fold_result(fold, n);
        if (old->superseded_by != i) continue;
        buf_printf(text, "Entry %llu replaces entry %llu: ", (unsigned long long)r->entry,
                   (unsigned long long)old->entry);
        const uint64_t *from = result_votes(fold, old), *to = result_votes(fold, r);
        for (uint32_t c = 0; c < k->choice_count; c++)
            change(text, contest_choice(fold, k, c)->name, from[c], to[c]);
        change(text, SPAN_LIT("valid votes as written"), old->valid, r->valid);
        change(text, SPAN_LIT("rejected"), old->rejected, r->rejected);
        text->n -= text->n >= 2 && (text->p[text->n - 2] == ';' || text->p[text->n - 2] == ':') ? 2 : 0;
        buf_str(text, ". ");
        TRY(findings_gone(d, n, i, text, f));
    }
    return OK;
}

/* --- decisions --- */

/* Findings that stand as accepted or settled by this decision. */
static void settled(const struct feed *d, uint32_t i, struct buf *b) {
    const struct findings *fi = &d->s->results->findings;
    bool any = false;
    for (size_t n = 0; n < fi->n; n++) {
        if (fi->items[n].decision != i) continue;
        buf_str(b, any ? ", " : " Findings that it accepts or settles: ");
        any = true;
        buf_str(b, finding_name(fi->items[n].code));
    }
    if (any) buf_byte(b, '.');
}

static void decision(const struct feed *d, uint32_t i, struct buf *title, struct buf *text) {
    static const char *const says[] = {"findings accepted", "figures adopted", "disregarded", "released"};
    const struct decision *x = fold_decision(d->s->fold, i);
    buf_printf(title, "Decision, %s: ", says[x->action]);
    place(d, x->unit, title);
    buf_str(title, ", ");
    contest_name(d, x->contest, x->round, title);
    buf_printf(text, "Entry %u, signed by two.", x->entry);
    if (x->action == DECISION_ADOPT) buf_printf(text, " It adopts the figures of entry %u.", x->record);
    if (x->action == DECISION_RELEASE) buf_printf(text, " It withdraws the decision of entry %u.", x->record);
    if (x->has_order) buf_str(text, " It carries a court's order.");
    if (x->released_by != NO_DECISION)
        buf_printf(text, " Entry %u withdraws it.", fold_decision(d->s->fold, x->released_by)->entry);
    settled(d, i, text);
}

/* --- declarations --- */

static void declaration(const struct feed *d, uint32_t i, struct buf *title, struct buf *text) {
    const struct fold *fold = d->s->fold;
    const struct declaration *x = fold_declaration(fold, i);
    buf_str(title, "Declaration: ");
    contest_name(d, x->contest, x->round, title);
    buf_printf(text, "Declared in entry %llu, %s: ", (unsigned long long)x->entry,
               outcome_name(x->outcome.kind));
    export_outcome(fold, x, true, ", ", text);
    buf_printf(text, ". It binds the log's first %llu entries.", (unsigned long long)x->size);
    if (x->override == NO_OVERRIDE) return;
    const struct override *o = fold_override(fold, x->override);
    buf_printf(text, " Entry %llu lists what was still open:", (unsigned long long)o->entry);
    for (size_t k = 0; k < o->item_count; k++) {
        const struct override_item *item = override_item(fold, o, k);
        buf_printf(text, "%s %s %llu", k ? "," : "", gate_name((enum gate_code)item->code),
                   (unsigned long long)item->count);
    }
    buf_byte(text, '.');
}

static void dissent(const struct feed *d, uint32_t i, struct buf *title, struct buf *text) {
    const struct dissent *x = fold_dissent(d->s->fold, i);
    const struct declaration *of = fold_declaration(d->s->fold, x->declaration);
    bool against = x->says == SAYS_DISSENTS;
    buf_str(title, against ? "A commissioner dissents: " : "A commissioner verified: ");
    contest_name(d, of->contest, of->round, title);
    buf_printf(text, "Entry %llu, on the declaration of entry %llu.", (unsigned long long)x->entry,
               (unsigned long long)of->entry);
}

/* --- entries --- */

static void notice(const struct feed *d, uint32_t i, struct buf *title, struct buf *text) {
    const struct notice *n = fold_notice(d->s->fold, i);
    buf_printf(title, "Notice: %s", notice_kind_name(n->kind));
    if (n->contest != NO_CONTEST) {
        buf_str(title, ", ");
        buf_span(title, fold_contest(d->s->fold, n->contest)->name);
    }
    buf_printf(text, "Signed notice, entry %llu.", (unsigned long long)n->entry);
    if (n->answers != NO_ENTRY) buf_printf(text, " It answers entry %llu.", (unsigned long long)n->answers);
}

static void ruling(const struct feed *d, uint32_t i, struct buf *title, struct buf *text) {
    const struct objection *o = fold_objection(d->s->fold, i);
    const char *state = objection_state_name((enum objection_state)o->state);
    buf_printf(title, "Objection %s: ", state);
    contest_name(d, o->contest, o->round, title);
    buf_printf(text, "The objection of entry %llu (%s) was ruled on in entry %llu: %s.",
               (unsigned long long)o->entry, objection_ground_name(o->ground),
               (unsigned long long)o->ruling, state);
    if (o->ordered) buf_str(text, " The ruling carries a court's order.");
    buf_str(text, " Units:");
    for (uint32_t k = 0; k < o->unit_count; k++) {
        buf_str(text, k ? ", " : " ");
        place(d, objection_unit(d->s->fold, o, k), text);
    }
    buf_byte(text, '.');
}

static void link_to(struct feed *d, const char *rel, const char *href) {
    xml_begin(&d->x, "link");
    xml_attr(&d->x, "rel", span_text(rel));
    xml_attr(&d->x, "href", span_text(href));
    xml_end(&d->x, "link");
}

enum { HREF_MAX = RESULTS_PATH_MAX + 8 };

/* A station stands in the file of the unit above it. */
static void unit_file(const struct fold *fold, uint32_t contest, unsigned round, uint32_t unit,
                      char href[HREF_MAX]) {
    char path[RESULTS_PATH_MAX];
    if (unit_is_station(fold, unit)) unit = fold_unit(fold, unit)->parent;
    results_unit_path(fold, contest, round, unit, path);
    (void)snprintf(href, HREF_MAX, "../%s", path);
}

/* The published file that shows what this is about, relative to the feed. */
static void entry_link(struct feed *d, const struct event *e) {
    const struct fold *fold = d->s->fold;
    char href[HREF_MAX];
    if (e->kind == NOTICE) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&fold_notice(fold, e->index)->text.id, hex);
        (void)snprintf(href, sizeof href, "../objects/%s", hex);
    } else if (e->kind == RULING) {
        (void)snprintf(href, sizeof href, "../results/objections.json");
    } else if (e->kind == DECLARATION || e->kind == DISSENT) {
        uint32_t i = e->kind == DISSENT ? fold_dissent(fold, e->index)->declaration : e->index;
        const struct declaration *x = fold_declaration(fold, i);
        unit_file(fold, x->contest, x->round, fold_contest(fold, x->contest)->unit, href);
    } else if (e->kind == DECISION) {
        const struct decision *x = fold_decision(fold, e->index);
        unit_file(fold, x->contest, x->round, x->unit, href);
    } else {
        const struct cell *cell = fold_cell_at(fold, fold_result(fold, e->index)->cell);
        unit_file(fold, cell->contest, cell->round, cell->station, href);
    }
    link_to(d, "alternate", href);
}

static void when(struct feed *d, const char *name, uint64_t ms) {
    char text[21];
    clock_format_utc(ms, text);
    xml_element_str(&d->x, name, text);
}

static err entry(struct feed *d, const struct event *e, struct buf *title, struct buf *text,
                 struct fail *f) {
    struct hash record = fold_id(d->s->fold, e->entry);
    char hex[HASH_HEX_LEN + 1], id[300];
    hash_hex(&record, hex);
    tag(d, "record", hex, id);
    buf_clear(title);
    buf_clear(text);
    switch (e->kind) {
    case CORRECTION: TRY(correction(d, e->index, title, text, f)); break;
    case DECISION: decision(d, e->index, title, text); break;
    case DECLARATION: declaration(d, e->index, title, text); break;
    case DISSENT: dissent(d, e->index, title, text); break;
    case NOTICE: notice(d, e->index, title, text); break;
    case RULING:
    case KINDS: ruling(d, e->index, title, text); break;
    }
    TRY(buf_ok(title, f));
    TRY(buf_ok(text, f));
    if (text->n && text->p[text->n - 1] == ' ') text->n--;
    xml_begin(&d->x, "entry");
    xml_element_str(&d->x, "id", id);
    xml_element(&d->x, "title", buf_view(title));
    when(d, "updated", e->ms);
    entry_link(d, e);
    xml_begin(&d->x, "category");
    xml_attr(&d->x, "term", span_text(kind_words[e->kind]));
    xml_end(&d->x, "category");
    xml_element(&d->x, "summary", buf_view(text));
    xml_end(&d->x, "entry");
    return export_out_spill(d->o, f);
}

static void head(struct feed *d, struct buf *text) {
    const struct definition *def = fold_definition(d->s->fold);
    struct export_checkpoint at;
    char id[300];
    export_checkpoint(d->s, &at);
    tag(d, "feed", at.election, id);
    xml_begin(&d->x, "feed");
    xml_attr(&d->x, "xmlns", SPAN_LIT("http://www.w3.org/2005/Atom"));
    xml_attr(&d->x, "xml:lang", SPAN_LIT("en"));
    xml_element_str(&d->x, "id", id);
    xml_element(&d->x, "title", def->title);
    export_sentence(d->s, text);
    if (d->events.n > NEWEST) buf_printf(text, " The newest %d of %zu entries.", NEWEST, d->events.n);
    xml_element(&d->x, "subtitle", buf_view(text));
    when(d, "updated", d->events.n ? ((struct event *)vec_at(&d->events, 0))->ms : at.ms);
    xml_begin(&d->x, "author");
    xml_element(&d->x, "name", def->origin);
    xml_end(&d->x, "author");
    link_to(d, "self", export_info(EXPORT_ATOM)->file);
    link_to(d, "alternate", "../");
    xml_begin(&d->x, "generator");
    xml_attr(&d->x, "version", SPAN_LIT(HESABU_VERSION));
    xml_text(&d->x, SPAN_LIT("hesabu"));
    xml_end(&d->x, "generator");
}

/* The collection is not one piece of memory: its members are sorted as a copy. */
static err sort(struct feed *d, struct fail *f) {
    size_t n = d->events.n;
    struct event *all = malloc((n + 1) * sizeof *all);
    if (!all) return fail_set(f, E_MEMORY, "no memory for the feed");
    for (size_t i = 0; i < n; i++) all[i] = *(struct event *)vec_at(&d->events, i);
    qsort(all, n, sizeof *all, newest_first);
    for (size_t i = 0; i < n; i++) *(struct event *)vec_at(&d->events, i) = all[i];
    free(all);
    return OK;
}

err export_atom(const struct export_source *s, struct export_out *o, struct fail *f) {
    struct feed d = {.s = s, .o = o, .budget = {.cap = (size_t)1 << 30}};
    struct buf title, text;
    vec_init(&d.events, &d.budget, sizeof(struct event), 10);
    buf_init(&title, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    d.x = xml_out(&o->b, true);
    err e = collect(&d, f);
    if (e == OK) e = sort(&d, f);
    if (e == OK) head(&d, &text);
    for (size_t i = 0; e == OK && i < d.events.n && i < NEWEST; i++)
        e = entry(&d, vec_at(&d.events, i), &title, &text, f);
    if (e == OK) xml_end(&d.x, "feed");
    buf_release(&title);
    buf_release(&text);
    vec_release(&d.events);
    return e;
}
