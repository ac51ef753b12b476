/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/declaration.h"

#include "election/state.h"

size_t fold_declaration_count(const struct fold *s) {
    return s->declarations.n;
}

const struct declaration *fold_declaration(const struct fold *s, uint32_t i) {
    return vec_at(&s->declarations, i);
}

/* There are at most a few thousand; the newest is asked for most. */
uint32_t declaration_of(const struct fold *s, uint32_t contest, unsigned round) {
    for (size_t i = s->declarations.n; i-- > 0;) {
        const struct declaration *d = fold_declaration(s, (uint32_t)i);
        if (d->contest == contest && d->round == round) return (uint32_t)i;
    }
    return NO_DECLARATION;
}

uint32_t declaration_of_entry(const struct fold *s, uint64_t entry) {
    for (size_t i = s->declarations.n; i-- > 0;)
        if (fold_declaration(s, (uint32_t)i)->entry == entry) return (uint32_t)i;
    return NO_DECLARATION;
}

size_t fold_override_count(const struct fold *s) {
    return s->overrides.n;
}

const struct override *fold_override(const struct fold *s, uint32_t i) {
    return vec_at(&s->overrides, i);
}

const struct override_item *override_item(const struct fold *s, const struct override *o, size_t k) {
    return vec_at(&s->override_items, o->first_item + k);
}

uint32_t override_of_entry(const struct fold *s, uint64_t entry) {
    for (size_t i = s->overrides.n; i-- > 0;)
        if (fold_override(s, (uint32_t)i)->entry == entry) return (uint32_t)i;
    return NO_OVERRIDE;
}

size_t fold_dissent_count(const struct fold *s) {
    return s->dissents.n;
}

const struct dissent *fold_dissent(const struct fold *s, uint32_t i) {
    return vec_at(&s->dissents, i);
}
