/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/witnessing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/wait.h"
#include "election/definition.h"
#include "tlog/witness.h"

/* A witness that did not answer twice running is asked again after 5 s, then 10, ... at most 60. */
enum { RETRY_S = 5, CLOCK_AWAY_S = 60, PAUSE_MAX_S = 60, FAILURES_FREE = 2 };

struct peer {
    char url[600];     /* "" : none known */
    uint64_t old_size; /* what it has, as far as we know */
    int64_t ahead_s;   /* its clock minus our monotonic one, at the last cosignature */
    bool answered;
    unsigned failures;      /* one after the other, of the exchange itself */
    uint64_t not_before_ms; /* monotonic: left alone until then */
};

struct witnessing {
    struct sequencer *q;
    struct publisher *p;
    struct transport t;
    struct arena arena;
    struct policy policy;
    bool has_policy;
    struct peer *peers;     /* one for each witness of the policy */
    pthread_mutex_t round_lock;
    struct buf lines;       /* cosignature lines of the checkpoint of `size` */
    bool *signed_by;
    uint64_t size;
    bool paused;

    pthread_mutex_t wake_lock; /* due, stopping, running */
    pthread_cond_t wake_cond;
    bool due, stopping, running;
    pthread_t thread;
};

/* "name=url" for this witness, or its URL in the policy. */
static void find_url(const struct policy_witness *pw, const char *const *overrides, size_t n,
                     char out[600]) {
    (void)snprintf(out, 600, "%.*s", (int)(pw->url.n < 590 ? pw->url.n : 0),
                   (const char *)pw->url.p);
    for (size_t i = 0; i < n; i++) {
        const char *eq = strchr(overrides[i], '=');
        if (eq && span_eq(span_of(overrides[i], (size_t)(eq - overrides[i])), pw->name))
            (void)snprintf(out, 600, "%s", eq + 1);
    }
    size_t len = strlen(out);
    if (len && out[len - 1] == '/') out[len - 1] = 0;
}

/* An address for a witness that nobody knows is a mistake that would show only on the night. */
static err check_override(const struct policy *p, const char *override, struct fail *f) {
    const char *eq = strchr(override, '=');
    if (!eq) return fail_set(f, E_CONFIG, "\"%s\" is not NAME=URL", override);
    for (size_t i = 0; i < p->witness_count; i++)
        if (span_eq(span_of(override, (size_t)(eq - override)), p->witnesses[i].name)) return OK;
    return fail_set(f, E_CONFIG, "the election's policy has no witness \"%.*s\" (it may be amended); its names stand "
                                 "after \"witness\" in the policy",
                    (int)(eq - override), override);
}

err witnessing_open(struct sequencer *q, struct publisher *p, const struct transport *t,
                    const char *const *overrides, size_t override_count, struct witnessing **out,
                    struct fail *f) {
    struct witnessing *w = calloc(1, sizeof *w);
    if (!w) return fail_set(f, E_MEMORY, "no memory for the witnesses");
    w->q = q;
    w->p = p;
    w->t = *t;
    arena_init(&w->arena, 4 << 20);
    buf_init(&w->lines, CHECKPOINT_BYTES_MAX);
    pthread_mutex_init(&w->round_lock, NULL);
    pthread_mutex_init(&w->wake_lock, NULL);
    pthread_cond_init(&w->wake_cond, NULL);
    const struct definition *d = fold_definition(sequencer_fold_lock(q));
    struct span text = d ? arena_copy(&w->arena, d->policy) : (struct span){0};
    sequencer_fold_unlock(q);
    err e = OK;
    if (text.n) e = policy_parse(text, &w->arena, &w->policy, f);
    w->has_policy = e == OK && text.n > 0;
    for (size_t i = 0; e == OK && w->has_policy && i < override_count; i++)
        e = check_override(&w->policy, overrides[i], f);
    w->peers = calloc(w->policy.witness_count + 1, sizeof *w->peers);
    w->signed_by = calloc(w->policy.witness_count + 1, sizeof *w->signed_by);
    if (e == OK && (!w->peers || !w->signed_by)) e = fail_set(f, E_MEMORY, "no memory for the witnesses");
    if (e != OK) {
        witnessing_close(w);
        return e;
    }
    for (size_t i = 0; i < w->policy.witness_count; i++)
        find_url(&w->policy.witnesses[i], overrides, override_count, w->peers[i].url);
    *out = w;
    return OK;
}

size_t witnessing_count(const struct witnessing *w) {
    return w->policy.witness_count;
}

/* --- before the first signature --- */

/* The witness's latest checkpoint of this log; 404 means that it has seen none. */
static err confirm_one(struct witnessing *w, size_t i, struct fail *f) {
    char url[800], hex[HASH_HEX_LEN + 1];
    struct hash origin = checkpoint_origin_id(sequencer_origin(w->q));
    hash_hex(&origin, hex);
    (void)snprintf(url, sizeof url, "%s/%s/checkpoint", w->peers[i].url, hex);
    struct buf answer, vkey;
    int status;
    buf_init(&answer, CHECKPOINT_BYTES_MAX);
    buf_init(&vkey, 1024);
    sequencer_log_vkey(w->q, &vkey);
    struct note_key key;
    struct checkpoint c;
    struct note note;
    static _Thread_local struct note_line lines[NOTE_LINES_MAX];
    err e = note_vkey_parse(buf_view(&vkey), &key, f);
    if (e == OK) e = w->t.exchange(w->t.ctx, url, (struct span){0}, &status, &answer, f);
    if (e == OK && status != 404) {
        if (status != 200) e = fail_set(f, E_NETWORK, "%s answers %d", url, status);
        if (e == OK)
            e = checkpoint_open(buf_view(&answer), &key, &c, &note, lines, NOTE_LINES_MAX, f);
        struct hash ours;
        if (e == OK && c.size > sequencer_size(w->q))
            e = fail_set(f, E_ROLLBACK,
                         "the witness %.*s has seen %llu entries, here are %llu: this is an old "
                         "copy; restore the newer one or rebuild it from a mirror",
                         SPAN_ARG(w->policy.witnesses[i].name), (unsigned long long)c.size,
                         (unsigned long long)sequencer_size(w->q));
        if (e == OK) e = merkle_tree_root_at(sequencer_tree(w->q), c.size, &ours, f);
        if (e == OK && !hash_eq(&ours, &c.root))
            e = fail_set(f, E_FORK, "the witness %.*s has seen another log at size %llu",
                         SPAN_ARG(w->policy.witnesses[i].name), (unsigned long long)c.size);
        if (e == OK) w->peers[i].old_size = c.size;
    }
    buf_release(&answer);
    buf_release(&vkey);
    return e;
}

err witnessing_confirm(struct witnessing *w, struct fail *f) {
    if (!w->has_policy || w->policy.witness_count == 0) return OK;
    size_t agree = 0;
    struct fail last = {0};
    memset(w->signed_by, 0, w->policy.witness_count * sizeof *w->signed_by);
    for (size_t i = 0; i < w->policy.witness_count; i++) {
        if (!w->peers[i].url[0]) continue;
        err e = confirm_one(w, i, &last);
        if (e == E_ROLLBACK || e == E_FORK) {
            if (f) *f = last;
            return e;
        }
        if (e != OK) diag(DIAG_WARN, "witness %.*s: %s", SPAN_ARG(w->policy.witnesses[i].name), last.text);
        w->signed_by[i] = e == OK;
        agree += e == OK;
    }
    bool enough = policy_is_met(&w->policy, w->signed_by);
    memset(w->signed_by, 0, w->policy.witness_count * sizeof *w->signed_by);
    if (enough) return OK;
    return fail_set(f, E_UNCONFIRMED, "%zu of %zu witnesses confirm the stored log, too few for the "
                                      "policy: nothing is signed until more of them answer",
                    agree, w->policy.witness_count);
}

/* --- cosignatures --- */

/* A 409 with more entries than were published. Its word alone proves nothing: only a checkpoint that
 * this log's key has signed does. */
static err claims_more(struct witnessing *w, size_t i, uint64_t claimed, struct fail *f) {
    err e = confirm_one(w, i, f);
    if (e == E_ROLLBACK || e == E_FORK) return fail_context(f, E_FORK, "another log has signed with this key");
    return fail_set(f, E_NETWORK, "it claims to have seen %llu entries, and shows no checkpoint of them",
                    (unsigned long long)claimed);
}

/* One witness and one checkpoint; tries again once where it says what it has. */
static err ask(struct witnessing *w, size_t i, struct span note, struct span body, uint64_t size,
               struct buf *lines, struct fail *f) {
    struct peer *peer = &w->peers[i];
    char url[800];
    (void)snprintf(url, sizeof url, "%s/add-checkpoint", peer->url);
    struct buf request, answer;
    buf_init(&request, WITNESS_REQUEST_MAX);
    buf_init(&answer, WITNESS_ANSWER_MAX);
    err e = OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        struct hash proof[MERKLE_PROOF_MAX];
        size_t n = 0;
        int status = 0;
        buf_clear(&request);
        buf_clear(&answer);
        if (peer->old_size > size) { /* after a restart: the next publication has them */
            e = fail_set(f, E_OLD_SIZE, "it has seen more entries than are published yet");
            break;
        }
        if (peer->old_size)
            e = merkle_tree_consistency(sequencer_tree(w->q), peer->old_size, size, proof, &n, f);
        if (e == OK) e = witness_request_format(peer->old_size, proof, n, note, &request, f);
        if (e == OK) e = w->t.exchange(w->t.ctx, url, buf_view(&request), &status, &answer, f);
        if (e != OK) break;
        if (status == 409) {
            uint64_t has;
            e = witness_conflict_read(buf_view(&answer), &has, f);
            if (e == OK && has > size) {
                e = claims_more(w, i, has, f);
                break;
            }
            if (e == OK) peer->old_size = has;
            if (e == OK) e = fail_set(f, E_OLD_SIZE, "it has size %llu", (unsigned long long)peer->old_size);
            if (e == E_OLD_SIZE) {
                if (attempt == 0) e = OK;
                continue;
            }
            break;
        }
        if (status != 200) {
            e = fail_set(f, E_NETWORK, "it answers %d: %.*s", status, SPAN_ARG(buf_view(&answer)));
            break;
        }
        uint64_t time_s;
        e = witness_answer_read(buf_view(&answer), &w->policy.witnesses[i].key, body, lines, &time_s,
                                f);
        if (e == OK) {
            peer->old_size = size;
            peer->ahead_s = (int64_t)time_s - (int64_t)(clock_monotonic_ms() / 1000);
            peer->answered = true;
        }
        break;
    }
    buf_release(&request);
    buf_release(&answer);
    return e;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* More than a minute from the witnesses' median: times in the log would be wrong. */
static void judge_clock(struct witnessing *w) {
    int64_t away[POLICY_WITNESSES_MAX];
    size_t n = 0;
    /* by the monotonic clock, a jump shows without a new cosignature, and so does its end: while
     * nothing is sequenced there is nothing to cosign */
    int64_t ours = (int64_t)(clock_wall_ms() / 1000) - (int64_t)(clock_monotonic_ms() / 1000);
    for (size_t i = 0; i < w->policy.witness_count; i++)
        if (w->peers[i].answered) away[n++] = w->peers[i].ahead_s - ours;
    if (n == 0) {
        sequencer_pause(w->q, w->paused);
        return;
    }
    qsort(away, n, sizeof *away, by_value);
    int64_t median = away[n / 2];
    bool bad = median > CLOCK_AWAY_S || median < -CLOCK_AWAY_S;
    if (bad != w->paused)
        diag(bad ? DIAG_ERROR : DIAG_INFO, "the clock is %lld s from the witnesses' median: %s",
             (long long)-median, bad ? "sequencing stops until it is set" : "sequencing goes on");
    w->paused = bad;
    sequencer_pause(w->q, bad);
}

err witnessing_clock(struct witnessing *w, struct fail *f) {
    struct buf note, lines;
    uint64_t size;
    struct note cut;
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    buf_init(&lines, CHECKPOINT_BYTES_MAX);
    pthread_mutex_lock(&w->round_lock);
    err e = sequencer_checkpoint(w->q, &size, &note, f);
    if (e == OK && size) e = note_cut(buf_view(&note), &cut, f);
    for (size_t i = 0; e == OK && size && i < w->policy.witness_count; i++) {
        struct fail why;
        if (!w->peers[i].url[0]) continue;
        if (ask(w, i, buf_view(&note), cut.text, size, &lines, &why) != OK)
            diag(DIAG_WARN, "the clock was not compared with that of witness %.*s: %s",
                 SPAN_ARG(w->policy.witnesses[i].name), why.text);
    }
    judge_clock(w);
    pthread_mutex_unlock(&w->round_lock);
    buf_release(&note);
    buf_release(&lines);
    return e;
}

/* Lines that were published with this checkpoint before (by an earlier process) still hold. */
static void take_published(struct witnessing *w, struct span body, struct span signatures) {
    static _Thread_local struct note_line lines[NOTE_LINES_MAX];
    struct fail ignored;
    size_t n = 0;
    if (note_split_lines(signatures, lines, NOTE_LINES_MAX, &n, &ignored) != OK) return;
    for (size_t i = 0; i < w->policy.witness_count; i++)
        for (size_t k = 0; k < n && !w->signed_by[i]; k++) {
            uint64_t time_s;
            if (!note_line_is_by(&lines[k], &w->policy.witnesses[i].key) ||
                cosignature_verify(&w->policy.witnesses[i].key, body, &lines[k], &time_s, &ignored) != OK)
                continue;
            w->signed_by[i] = true;
            buf_span(&w->lines, lines[k].line);
            buf_byte(&w->lines, '\n');
        }
}

static err publish_lines(struct witnessing *w, uint64_t size, struct span log_only, bool met,
                         struct fail *f) {
    struct buf whole;
    buf_init(&whole, CHECKPOINT_BYTES_MAX);
    buf_span(&whole, log_only);
    buf_span(&whole, buf_view(&w->lines));
    err e = buf_ok(&whole, f);
    if (e == OK) e = publisher_cosigned(w->p, size, buf_view(&whole), met, f);
    buf_release(&whole);
    return e;
}

static void try_one(struct witnessing *w, size_t i, struct span log_only, struct span body,
                    uint64_t size) {
    struct peer *peer = &w->peers[i];
    struct fail why = {0};
    uint64_t now = clock_monotonic_ms();
    if (w->signed_by[i] || !peer->url[0] || now < peer->not_before_ms) return;
    err e = ask(w, i, log_only, body, size, &w->lines, &why);
    w->signed_by[i] = e == OK;
    if (e == OK || e == E_OLD_SIZE) {
        peer->failures = 0;
        return;
    }
    if (++peer->failures >= FAILURES_FREE) {
        unsigned doublings = peer->failures - FAILURES_FREE < 4 ? peer->failures - FAILURES_FREE : 4;
        uint64_t pause = (uint64_t)RETRY_S << doublings;
        peer->not_before_ms = clock_monotonic_ms() + (pause < PAUSE_MAX_S ? pause : PAUSE_MAX_S) * 1000;
    }
    diag(e == E_FORK || e == E_SIGNATURE ? DIAG_ERROR : DIAG_DEBUG, "witness %.*s: %s",
         SPAN_ARG(w->policy.witnesses[i].name), why.text);
}

static err round_with(struct witnessing *w, uint64_t size, const struct note *cut,
                      struct span log_only, struct fail *f) {
    bool met = false;
    size_t had = w->lines.n;
    if (size != w->size) {
        w->size = size;
        buf_clear(&w->lines);
        memset(w->signed_by, 0, (w->policy.witness_count + 1) * sizeof *w->signed_by);
        take_published(w, cut->text, cut->signatures);
        had = w->lines.n;
        met = policy_is_met(&w->policy, w->signed_by);
        if (met) TRY(publisher_quorum(w->p, size, f));
    }
    met = policy_is_met(&w->policy, w->signed_by);
    for (size_t i = 0; i < w->policy.witness_count; i++) {
        try_one(w, i, log_only, cut->text, size);
        if (met || w->lines.n == had || !policy_is_met(&w->policy, w->signed_by)) continue;
        met = true; /* at once: slow witnesses keep nobody waiting */
        had = w->lines.n;
        TRY(publish_lines(w, size, log_only, true, f));
    }
    if (w->lines.n != had) TRY(publish_lines(w, size, log_only, met, f));
    if (met) return OK;
    return fail_set(f, E_QUORUM, "the checkpoint of size %llu has too few cosignatures yet",
                    (unsigned long long)size);
}

static err round_locked(struct witnessing *w, struct fail *f) {
    struct buf note;
    uint64_t size;
    struct note cut;
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    err e = publisher_checkpoint(w->p, &size, &note, f);
    if (e == OK && size) e = note_cut(buf_view(&note), &cut, f);
    if (e == OK && size) {
        /* the log's own line, the first, is what witnesses are sent */
        struct span rest = cut.signatures, line, log_only = buf_view(&note);
        if (span_line(&rest, &line)) log_only = span_of(note.p, (size_t)(rest.p - note.p));
        e = round_with(w, size, &cut, log_only, f);
        judge_clock(w);
    }
    buf_release(&note);
    return e;
}

err witnessing_round(struct witnessing *w, struct fail *f) {
    if (!w->has_policy || w->policy.witness_count == 0) return OK;
    pthread_mutex_lock(&w->round_lock);
    err e = round_locked(w, f);
    pthread_mutex_unlock(&w->round_lock);
    return e;
}

static void *run(void *arg) {
    struct witnessing *w = arg;
    pthread_mutex_lock(&w->wake_lock);
    while (!w->stopping) {
        if (!w->due)
            (void)wait_until(&w->wake_cond, &w->wake_lock, clock_monotonic_ms() + RETRY_S * 1000);
        if (w->stopping) break;
        w->due = false;
        pthread_mutex_unlock(&w->wake_lock);
        struct fail f;
        err e = witnessing_round(w, &f); /* those that did not answer are asked again later */
        if (e != OK && e != E_QUORUM) diag(DIAG_WARN, "witnesses: %s", f.text);
        pthread_mutex_lock(&w->wake_lock);
    }
    pthread_mutex_unlock(&w->wake_lock);
    return NULL;
}

err witnessing_start(struct witnessing *w, struct fail *f) {
    if (!w->has_policy || w->policy.witness_count == 0) return OK;
    if (pthread_create(&w->thread, NULL, run, w))
        return fail_set(f, E_MEMORY, "no thread for the witnesses");
    pthread_mutex_lock(&w->wake_lock);
    w->running = true;
    pthread_mutex_unlock(&w->wake_lock);
    return OK;
}

void witnessing_wake(struct witnessing *w) {
    pthread_mutex_lock(&w->wake_lock);
    w->due = true;
    pthread_cond_signal(&w->wake_cond);
    pthread_mutex_unlock(&w->wake_lock);
}

void witnessing_close(struct witnessing *w) {
    if (!w) return;
    pthread_mutex_lock(&w->wake_lock);
    bool running = w->running;
    w->stopping = true;
    pthread_cond_broadcast(&w->wake_cond);
    pthread_mutex_unlock(&w->wake_lock);
    if (running) pthread_join(w->thread, NULL);
    arena_release(&w->arena);
    buf_release(&w->lines);
    free(w->peers);
    free(w->signed_by);
    pthread_mutex_destroy(&w->round_lock);
    pthread_mutex_destroy(&w->wake_lock);
    pthread_cond_destroy(&w->wake_cond);
    free(w);
}
