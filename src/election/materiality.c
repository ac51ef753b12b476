/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/materiality.h"

#include "base/text.h"
#include "election/materiality_impl.h"

const char *doubt_name(enum doubt d) {
    static const char *const names[] = {"outstanding", "in question", "disregarded", "postponed",
                                        "objected to", "all"};
    return d < DOUBT_COUNT ? names[d] : "all";
}

err tallied_new(const struct weighed *w, struct arena *a, struct tallied *t, struct fail *f) {
    uint32_t k = w->c.choice_count;
    t->choices = k;
    t->regions = arena_array(a, w->region_count + 1u, sizeof *t->regions);
    t->open = arena_array(a, w->region_count + 1u, sizeof *t->open);
    uint64_t *votes = arena_array(a, (size_t)w->region_count + 1, (size_t)k * sizeof *votes);
    if (!t->regions || !t->open || !votes) return fail_set(f, E_MEMORY, "no memory for bounds");
    t->all = (struct votes){0, votes};
    for (uint32_t r = 0; r < w->region_count; r++)
        t->regions[r] = (struct votes){0, votes + ((size_t)r + 1) * k};
    t->all_votes = votes;
    t->open_all = 0;
    return OK;
}

static uint64_t *region_votes(const struct tallied *t, uint32_t r) {
    return t->all_votes + ((size_t)r + 1) * t->choices;
}

void tallied_add(struct tallied *t, const struct weighed_station *s) {
    uint64_t *region = s->region == NO_REGION ? NULL : region_votes(t, s->region);
    for (uint32_t k = 0; k < t->choices; k++) {
        t->all_votes[k] += s->votes[k];
        if (region) region[k] += s->votes[k];
    }
    t->all.valid += s->valid;
    if (region) t->regions[s->region].valid += s->valid;
}

/* Firm: what is counted and not in this doubt. Open: voters of the stations that are. */
static err firm(const struct weighed *w, unsigned mask, struct arena *a, struct tallied *t,
                struct materiality_row *row, struct fail *f) {
    TRY(tallied_new(w, a, t, f));
    for (size_t i = 0; i < w->n; i++) {
        const struct weighed_station *s = &w->stations[i];
        if (s->doubts & mask) {
            row->stations++;
            row->voters += s->most;
            t->open_all += s->most;
            if (s->region != NO_REGION) t->open[s->region] += s->most;
        } else if (s->counted) {
            tallied_add(t, s);
        }
    }
    return OK;
}

static bool on_ballot(const struct weighed *w, uint32_t k) {
    return w->c.on_ballot[k / 64] >> (k % 64) & 1;
}

/* Regions in which the choice has the share when everything open goes to others, or to it. */
static uint32_t regions_least(const struct weighed *w, const struct tallied *t, uint32_t k) {
    uint32_t n = 0;
    for (uint32_t r = 0; r < w->region_count; r++) {
        uint64_t valid = t->regions[r].valid + t->open[r];
        /* without a vote the region is nobody's: an open one may have none at all */
        n += t->regions[r].valid > 0 &&
             ratio_reached(t->regions[r].votes[k], valid, w->c.rule->spread_share);
    }
    return n;
}

static uint32_t regions_most(const struct weighed *w, const struct tallied *t, uint32_t k) {
    uint32_t n = 0;
    for (uint32_t r = 0; r < w->region_count; r++) {
        uint64_t valid = t->regions[r].valid + t->open[r];
        n += valid > 0 &&
             ratio_reached(t->regions[r].votes[k] + t->open[r], valid, w->c.rule->spread_share);
    }
    return n;
}

bool by_majority(const struct weighed *w) {
    return w->c.rule->kind == RULE_MAJORITY && !w->c.runoff;
}

/* Somebody has been elected on these figures; can that be lost? */
static void may_lose(const struct weighed *w, const struct tallied *t, uint32_t winner,
                     struct materiality_row *row) {
    uint64_t mine = t->all.votes[winner];
    if (by_majority(w)) {
        row->majority_can_change = !ratio_exceeded(mine, t->all.valid + t->open_all, w->c.rule->majority);
        if (w->c.rule->spread)
            row->regions_can_change =
                regions_least(w, t, winner) < rule_regions_needed(w->c.rule);
    } else if (mine == 0) {
        row->majority_can_change = true; /* no vote at all may be left */
    }
    for (uint32_t k = 0; k < w->c.choice_count; k++) /* a majority of less than half can be tied */
        if (k != winner && on_ballot(w, k) && t->all.votes[k] + t->open_all >= mine)
            row->majority_can_change = true;
}

/* Nobody has been: can somebody be, or others go on? */
static void may_win(const struct weighed *w, const struct tallied *t, const struct outcome *now,
                    struct materiality_row *row) {
    const struct rule *rule = w->c.rule;
    uint64_t valid = t->all.valid + t->open_all, last = UINT64_MAX;
    bool elected = false, enters = now->count != 2 && t->open_all > 0;
    for (uint32_t k = 0; k < w->c.choice_count; k++) {
        if (!on_ballot(w, k)) continue;
        uint64_t best = t->all.votes[k] + t->open_all;
        bool alone = best > 0;
        for (uint32_t j = 0; j < w->c.choice_count; j++)
            if (j != k && on_ballot(w, j) && t->all.votes[j] >= best) alone = false;
        bool majority = alone && ratio_exceeded(best, valid, rule->majority);
        bool spread = !rule->spread || regions_most(w, t, k) >= rule_regions_needed(rule);
        row->majority_can_change |= majority;
        row->regions_can_change |= rule->spread && spread;
        elected |= majority && spread;
        if (outcome_has(now, k) && t->all.votes[k] < last) last = t->all.votes[k];
    }
    for (uint32_t k = 0; k < w->c.choice_count; k++)
        if (on_ballot(w, k) && !outcome_has(now, k) && t->all.votes[k] + t->open_all >= last)
            enters = true;
    row->can_change = t->open_all > 0 && (elected || enters || t->all.valid == 0);
}

static void judge(const struct weighed *w, const struct tallied *t, const struct outcome *now,
                  struct materiality_row *row) {
    uint32_t winner = 0;
    switch (now->kind) {
    case OUTCOME_ELECTED:
        while (!outcome_has(now, winner)) winner++;
        if (row->stations) may_lose(w, t, winner, row);
        row->can_change = row->majority_can_change || row->regions_can_change;
        break;
    case OUTCOME_NEXT_ROUND: may_win(w, t, now, row); break;
    case OUTCOME_TIE:
    case OUTCOME_NONE:
    case OUTCOME_CANNOT_TELL: row->can_change = row->majority_can_change = t->open_all > 0; break;
    default: break; /* unopposed, cancelled, ...: no figures */
    }
}

err materiality_compute(const struct weighed *w, struct arena *a, struct materiality *out,
                        struct fail *f) {
    struct tallied t;
    uint32_t n = w->c.choice_count;
    *out = (struct materiality){.choice_count = n};
    TRY(tallied_new(w, a, &t, f));
    for (size_t i = 0; i < w->n; i++) {
        if (!w->stations[i].counted) continue;
        tallied_add(&t, &w->stations[i]);
        out->stations_counted++;
    }
    out->votes_counted = t.all.valid;
    rule_outcome(&w->c, &t.all, t.regions, w->region_count, &out->now);
    for (unsigned d = 0; d < DOUBT_COUNT; d++) {
        unsigned mask = d == DOUBT_ANY ? (1u << DOUBT_ANY) - 1 : 1u << d;
        TRY(firm(w, mask, a, &t, &out->rows[d], f));
        judge(w, &t, &out->now, &out->rows[d]);
    }
    /* t is of DOUBT_ANY now */
    out->valid_least = t.all.valid;
    out->valid_most = t.all.valid + t.open_all;
    out->choices = arena_array(a, n, sizeof *out->choices);
    if (!out->choices) return fail_set(f, E_MEMORY, "no memory for bounds");
    for (uint32_t k = 0; k < n; k++)
        out->choices[k] = (struct choice_bounds){t.all.votes[k], t.all.votes[k] + t.open_all,
                                                 regions_least(w, &t, k), regions_most(w, &t, k)};
    return OK;
}

static const char courts[] = " Courts also weigh how the process was run.";

void materiality_sentence(const struct materiality *m, struct buf *out) {
    const struct materiality_row *all = &m->rows[DOUBT_ANY];
    switch (m->now.kind) {
    case OUTCOME_UNOPPOSED: buf_str(out, "The contest has one candidate and no figures."); return;
    case OUTCOME_CANCELLED: buf_str(out, "The contest is cancelled."); return;
    case OUTCOME_POSTPONED: buf_str(out, "The contest is postponed."); return;
    case OUTCOME_ANNULLED: buf_str(out, "The contest is annulled."); return;
    case OUTCOME_CANNOT_TELL:
        buf_str(out, "The contest's rule does not tell what these figures amount to.");
        buf_str(out, courts);
        return;
    case OUTCOME_NONE: buf_str(out, "No figures are counted yet."); return;
    default: break;
    }
    if (all->stations == 0) {
        buf_str(out, "No station is outstanding, in question, disregarded, postponed or objected to.");
    } else {
        buf_u64_grouped(out, all->stations);
        buf_str(out, all->stations == 1 ? " station with " : " stations with ");
        buf_u64_grouped(out, all->voters);
        buf_printf(out, " registered %s outstanding, in question, disregarded, postponed or objected to: ",
                   all->stations == 1 ? "voters is" : "voters are");
        if (all->can_change)
            buf_str(out, all->stations == 1 ? "what it gives can still" : "what they give can still");
        else
            buf_str(out, all->stations == 1 ? "whatever it gives, it cannot" : "whatever they give, it cannot");
        buf_str(out, " change the outcome that the counted figures give.");
    }
    buf_str(out, courts);
}
