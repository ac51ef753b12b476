/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/policy.h"

#include "base/text.h"

enum { WORDS_MAX = 3 + POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX };

struct parser {
    struct policy *p;
    struct arena *arena;
    bool witness_used[POLICY_WITNESSES_MAX], group_used[POLICY_GROUPS_MAX]; /* as members */
    bool quorum_seen;
    size_t line;
    struct span words[WORDS_MAX];
    size_t count;
    struct fail *fail;
};

#define BAD(s, fmt, ...)                                                                           \
    fail_set((s)->fail, E_POLICY, "policy line %zu: " fmt, (s)->line, ##__VA_ARGS__)

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

static err words_split(struct parser *s, struct span line) {
    s->count = 0;
    for (size_t i = 0; i < line.n;) {
        if (is_blank(line.p[i])) {
            i++;
            continue;
        }
        size_t from = i;
        for (; i < line.n && !is_blank(line.p[i]); i++)
            if (line.p[i] < 0x20 || line.p[i] == 0x7f)
                return BAD(s, "a control character stands in it");
        if (s->count == WORDS_MAX) return BAD(s, "too many words");
        s->words[s->count++] = span_of(line.p + from, i - from);
    }
    return OK;
}

static bool find(const struct policy *p, struct span name, struct policy_member *out) {
    for (uint32_t i = 0; i < p->witness_count; i++)
        if (span_eq(p->witnesses[i].name, name)) {
            *out = (struct policy_member){.is_group = false, .index = i};
            return true;
        }
    for (uint32_t i = 0; i < p->group_count; i++)
        if (span_eq(p->groups[i].name, name)) {
            *out = (struct policy_member){.is_group = true, .index = i};
            return true;
        }
    return false;
}

static err name_is_new(struct parser *s, struct span name) {
    struct policy_member m;
    if (span_is(name, "none")) return BAD(s, "\"none\" cannot be defined");
    if (find(s->p, name, &m)) return BAD(s, "\"%.*s\" is defined twice", SPAN_ARG(name));
    return OK;
}

/* The type and public key as text: canonical base64, so equal keys have equal text. */
static struct span key_bytes(struct span vkey, const struct note_key *key) {
    return span_from(vkey, key->name.n + 10);
}

static err vkey_read(struct parser *s, struct span text, uint8_t other_type, struct note_key *out) {
    struct fail why = {0};
    if (note_vkey_parse(text, out, &why) != OK) return BAD(s, "%.300s", why.text);
    if (out->known && out->type == other_type)
        return BAD(s, "the key of %.*s is of type %02x, made for another use", SPAN_ARG(out->name),
                   out->type);
    return OK;
}

static err line_log(struct parser *s) {
    struct policy *p = s->p;
    if (s->count < 2 || s->count > 3) return BAD(s, "expected: log VKEY [URL]");
    if (p->log_count == POLICY_LOGS_MAX) return BAD(s, "more than %d logs", POLICY_LOGS_MAX);
    struct policy_log log = {.vkey = s->words[1]};
    if (s->count == 3) log.url = s->words[2];
    TRY(vkey_read(s, log.vkey, NOTE_TYPE_COSIGNATURE, &log.key));
    for (size_t i = 0; i < p->log_count; i++)
        if (span_eq(key_bytes(log.vkey, &log.key), key_bytes(p->logs[i].vkey, &p->logs[i].key)))
            return BAD(s, "this log's public key stands in an earlier line");
    p->logs[p->log_count++] = log;
    return OK;
}

static err line_witness(struct parser *s) {
    struct policy *p = s->p;
    if (s->count < 3 || s->count > 4) return BAD(s, "expected: witness NAME VKEY [URL]");
    if (p->witness_count == POLICY_WITNESSES_MAX)
        return BAD(s, "more than %d witnesses", POLICY_WITNESSES_MAX);
    struct policy_witness w = {.name = s->words[1], .vkey = s->words[2]};
    if (s->count == 4) w.url = s->words[3];
    TRY(name_is_new(s, w.name));
    TRY(vkey_read(s, w.vkey, NOTE_TYPE_ED25519, &w.key));
    for (size_t i = 0; i < p->witness_count; i++)
        if (span_eq(key_bytes(w.vkey, &w.key),
                    key_bytes(p->witnesses[i].vkey, &p->witnesses[i].key)))
            return BAD(s, "this witness's public key stands in an earlier line");
    p->witnesses[p->witness_count++] = w;
    return OK;
}

static err line_group(struct parser *s) {
    struct policy *p = s->p;
    if (s->count < 4) return BAD(s, "expected: group NAME any|all|K MEMBER...");
    if (p->group_count == POLICY_GROUPS_MAX)
        return BAD(s, "more than %d groups", POLICY_GROUPS_MAX);
    uint32_t n = (uint32_t)(s->count - 3);
    struct policy_group g = {.name = s->words[1], .count = n};
    struct span how = s->words[2];
    uint64_t k;
    TRY(name_is_new(s, g.name));
    if (span_is(how, "any"))
        k = 1;
    else if (span_is(how, "all"))
        k = n;
    else if (u64_parse(how, n, &k, NULL) != OK || k == 0)
        return BAD(s, "\"%.*s\" is not any, all or a number from 1 to %u", SPAN_ARG(how), n);
    g.threshold = (uint32_t)k;
    struct policy_member *members = arena_array(s->arena, n, sizeof *members);
    if (!members) return fail_set(s->fail, E_MEMORY, "no memory for a policy");
    for (uint32_t i = 0; i < n; i++) {
        struct span name = s->words[3 + i];
        if (!find(p, name, &members[i]))
            return BAD(s, "\"%.*s\" is not defined before this line", SPAN_ARG(name));
        bool *used = members[i].is_group ? &s->group_used[members[i].index]
                                         : &s->witness_used[members[i].index];
        if (*used) return BAD(s, "\"%.*s\" is a member twice", SPAN_ARG(name));
        *used = true;
    }
    g.members = members;
    p->groups[p->group_count++] = g;
    return OK;
}

static err line_quorum(struct parser *s) {
    if (s->count != 2) return BAD(s, "expected: quorum NAME|none");
    if (s->quorum_seen) return BAD(s, "a second quorum");
    s->quorum_seen = true;
    if (span_is(s->words[1], "none")) return OK;
    if (!find(s->p, s->words[1], &s->p->quorum))
        return BAD(s, "\"%.*s\" is not defined before this line", SPAN_ARG(s->words[1]));
    s->p->has_quorum = true;
    return OK;
}

static err line_read(struct parser *s, struct span line) {
    TRY(words_split(s, line)); /* comments too hold no control characters */
    if (s->count == 0 || s->words[0].p[0] == '#') return OK;
    if (span_is(s->words[0], "log")) return line_log(s);
    if (span_is(s->words[0], "witness")) return line_witness(s);
    if (span_is(s->words[0], "group")) return line_group(s);
    if (span_is(s->words[0], "quorum")) return line_quorum(s);
    return BAD(s, "\"%.*s\" is not log, witness, group or quorum", SPAN_ARG(s->words[0]));
}

err policy_parse(struct span text, struct arena *a, struct policy *out, struct fail *f) {
    *out = (struct policy){0};
    if (text.n > POLICY_BYTES_MAX)
        return fail_set(f, E_POLICY, "a policy of %zu bytes is too large", text.n);
    struct parser *s = arena_alloc(a, sizeof *s);
    out->logs = arena_array(a, POLICY_LOGS_MAX, sizeof *out->logs);
    out->witnesses = arena_array(a, POLICY_WITNESSES_MAX, sizeof *out->witnesses);
    out->groups = arena_array(a, POLICY_GROUPS_MAX, sizeof *out->groups);
    if (!s || !out->logs || !out->witnesses || !out->groups)
        return fail_set(f, E_MEMORY, "no memory for a policy");
    s->p = out;
    s->arena = a;
    s->fail = f;
    struct span line;
    while (span_line(&text, &line)) {
        s->line++;
        TRY(line_read(s, line));
    }
    if (text.n) return fail_set(f, E_POLICY, "the policy's last line does not end");
    if (!s->quorum_seen) return fail_set(f, E_POLICY, "the policy has no quorum line");
    return OK;
}

const struct policy_log *policy_log(const struct policy *p, struct span origin) {
    for (size_t i = 0; i < p->log_count; i++)
        if (p->logs[i].key.known && span_eq(p->logs[i].key.name, origin)) return &p->logs[i];
    return NULL;
}

bool policy_is_met(const struct policy *p, const bool *signed_by) {
    bool group_met[POLICY_GROUPS_MAX];
    if (!p->has_quorum) return true;
    /* groups name only what stands before them, so one pass settles all */
    for (size_t i = 0; i < p->group_count; i++) {
        uint32_t have = 0;
        for (uint32_t m = 0; m < p->groups[i].count; m++) {
            struct policy_member member = p->groups[i].members[m];
            have += member.is_group ? group_met[member.index] : signed_by[member.index];
        }
        group_met[i] = have >= p->groups[i].threshold;
    }
    return p->quorum.is_group ? group_met[p->quorum.index] : signed_by[p->quorum.index];
}

err policy_check(const struct policy *p, struct span body, const struct note_line *lines, size_t n,
                 struct cosignature *out, struct fail *f) {
    struct note_key keys[POLICY_WITNESSES_MAX];
    bool signed_by[POLICY_WITNESSES_MAX];
    size_t have = 0;
    for (size_t i = 0; i < p->witness_count; i++) keys[i] = p->witnesses[i].key;
    TRY(cosignatures_collect(body, lines, n, keys, p->witness_count, out, f));
    for (size_t i = 0; i < p->witness_count; i++) {
        signed_by[i] = out[i].present;
        have += out[i].present;
    }
    if (policy_is_met(p, signed_by)) return OK;
    return fail_set(f, E_QUORUM,
                    "%zu of the policy's %zu witnesses cosigned this checkpoint, which does not "
                    "meet its quorum: ask again later, or another mirror",
                    have, p->witness_count);
}

int32_t policy_tolerated_liars(uint32_t k, uint32_t n) {
    if (k > n) return -1;
    int64_t f = 2 * (int64_t)k - 1 - (int64_t)n;
    return f < 0 ? -1 : (int32_t)f;
}
