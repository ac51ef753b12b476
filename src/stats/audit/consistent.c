/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/consistent.h"

#include "crypto/hash.h"

enum { DIGITS_LEAST = 64, GROUP = 1000000000 };

/* Digits of the hash, least significant first, at least 64; returns how many. */
static size_t reversed_digits(const struct hash *h, char *out) {
    uint32_t word[8];
    for (size_t i = 0; i < 8; i++) word[i] = get_u32be(h->b + 4 * i);
    size_t n = 0, first = 0;
    while (first < 8) {
        uint64_t rest = 0;
        for (size_t i = first; i < 8; i++) {
            rest = rest << 32 | word[i];
            word[i] = (uint32_t)(rest / GROUP);
            rest %= GROUP;
        }
        while (first < 8 && word[first] == 0) first++;
        for (int d = 0; d < 9; d++, rest /= 10) out[n++] = (char)('0' + rest % 10);
    }
    while (n > DIGITS_LEAST && out[n - 1] == '0') n--; /* leading zeros of the number */
    while (n < DIGITS_LEAST) out[n++] = '0';
    return n;
}

/* The first nine digits of the ticket as a number: what most tickets are passed over by. */
static uint32_t first_nine(const struct hash *h) {
    uint64_t rest = 0;
    for (size_t i = 0; i < 8; i++) rest = (rest << 32 | get_u32be(h->b + 4 * i)) % GROUP;
    uint32_t key = 0;
    for (int d = 0; d < 9; d++, rest /= 10) key = key * 10 + (uint32_t)(rest % 10);
    return key;
}

static uint32_t nine_of(const struct ticket *t) {
    uint32_t key = 0;
    for (int d = 0; d < 9; d++) key = key * 10 + (uint32_t)(t->text[2 + d] - '0');
    return key;
}

static void put_ticket(const struct hash *h, struct ticket *out) {
    memcpy(out->text, "0.", 2);
    size_t n = reversed_digits(h, out->text + 2);
    out->text[2 + n] = 0;
}

void ticket_first(struct span seed, struct span id, struct ticket *out) {
    struct hash s = sha256(seed);
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&s, hex);
    struct hash h = sha256_2(span_of(hex, HASH_HEX_LEN), id);
    put_ticket(&h, out);
}

bool ticket_next(const struct ticket *x, struct ticket *out) {
    size_t n = strlen(x->text), nines = 2;
    while (x->text[nines] == '9') nines++;
    char text[TICKET_MAX + 24], with_zero[TICKET_MAX + 2];
    memcpy(with_zero, x->text, n);
    memcpy(with_zero + n, "0", 2);
    memcpy(text, x->text, n);
    for (uint64_t i = 1;; i++) {
        struct buf b;
        buf_init(&b, 32);
        buf_byte(&b, ':');
        buf_u64(&b, i);
        bool ok = !b.failed && n + b.n <= sizeof text;
        if (ok) memcpy(text + n, b.p, b.n);
        size_t length = n + b.n;
        buf_release(&b);
        if (!ok) return false;
        struct hash h = sha256(span_of(text, length));
        char digits[96];
        size_t d = reversed_digits(&h, digits);
        if (nines + d + 1 > TICKET_MAX) return false;
        memcpy(out->text, with_zero, nines);
        memcpy(out->text + nines, digits, d);
        out->text[nines + d] = 0;
        if (strcmp(out->text, with_zero) > 0) return true;
    }
}

static bool before(const struct consistent_draw *a, const struct consistent_draw *b) {
    int c = strcmp(a->ticket.text, b->ticket.text);
    return c != 0 ? c < 0 : a->item < b->item;
}

/* A binary heap; `largest` says whether the root is the last draw or the first. */
static void sift(struct consistent_draw *h, size_t n, size_t at, bool largest) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) return;
        if (child + 1 < n && before(&h[child + 1], &h[child]) != largest) child++;
        if (before(&h[child], &h[at]) == largest) return;
        struct consistent_draw t = h[at];
        h[at] = h[child];
        h[child] = t;
        at = child;
    }
}

static void heapify(struct consistent_draw *h, size_t n, bool largest) {
    for (size_t i = n / 2; i-- > 0;) sift(h, n, i, largest);
}

void consistent_smallest(struct span seed, consistent_id *id, const void *ctx, uint64_t from,
                         uint64_t to, struct consistent_draw *out, size_t size, size_t *n) {
    struct hash s = sha256(seed);
    char text[HASH_HEX_LEN + CONSISTENT_ID_MAX + 1];
    hash_hex(&s, text);
    *n = 0;
    uint32_t limit = UINT32_MAX; /* the first digits of the largest ticket kept */
    for (uint64_t item = from; item < to && size > 0; item++) {
        size_t length = id(ctx, item, text + HASH_HEX_LEN);
        struct hash h = sha256(span_of(text, HASH_HEX_LEN + length));
        if (*n == size && first_nine(&h) > limit) continue;
        struct consistent_draw d = {.item = item, .generation = 1};
        put_ticket(&h, &d.ticket);
        if (*n < size) {
            out[(*n)++] = d;
            if (*n == size) heapify(out, size, true);
        } else if (before(&d, &out[0])) {
            out[0] = d;
            sift(out, size, 0, true);
        }
        if (*n == size) limit = nine_of(&out[0].ticket);
    }
}

void consistent_sequence(struct consistent_draw *first, size_t n, bool replacement,
                         struct consistent_draw *out, size_t size, size_t *drawn) {
    heapify(first, n, false);
    *drawn = 0;
    while (*drawn < size && n > 0) {
        out[(*drawn)++] = first[0];
        struct ticket next;
        if (replacement && ticket_next(&first[0].ticket, &next)) {
            first[0].ticket = next;
            first[0].generation++;
        } else {
            first[0] = first[--n];
        }
        sift(first, n, 0, false);
    }
}
