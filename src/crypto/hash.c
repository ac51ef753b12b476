/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <openssl/evp.h>

/* Small inputs dominate (65-byte nodes), so nothing is fetched or allocated per hash: one EVP_MD
 * for the process, one context a thread, freed when its thread ends. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MD *algorithm;
static _Thread_local EVP_MD_CTX *context;

static void context_free(void *p) {
    EVP_MD_CTX_free(p);
}

static void prepare(void) {
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!algorithm || pthread_key_create(&context_key, context_free) != 0) abort();
}

static EVP_MD_CTX *context_new(void) {
    (void)pthread_once(&once, prepare);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (c && EVP_DigestInit_ex2(c, algorithm, NULL) == 1) return c;
    EVP_MD_CTX_free(c);
    return NULL;
}

static EVP_MD_CTX *context_of_thread(void) {
    if (context) return context;
    EVP_MD_CTX *c = context_new();
    if (!c || pthread_setspecific(context_key, c) != 0) abort();
    return context = c;
}

struct hash sha256(struct span s) {
    return sha256_2(s, (struct span){NULL, 0});
}

struct hash sha256_2(struct span a, struct span b) {
    EVP_MD_CTX *c = context_of_thread();
    struct hash out;
    /* a NULL type restarts the context with the algorithm that it has */
    if (EVP_DigestInit_ex2(c, NULL, NULL) != 1 || (a.n && EVP_DigestUpdate(c, a.p, a.n) != 1) ||
        (b.n && EVP_DigestUpdate(c, b.p, b.n) != 1) || EVP_DigestFinal_ex(c, out.b, NULL) != 1)
        abort();
    return out;
}

struct sha256_stream {
    EVP_MD_CTX *context;
};

err sha256_stream_new(struct sha256_stream **out, struct fail *f) {
    *out = NULL;
    struct sha256_stream *s = malloc(sizeof *s);
    if (s) s->context = context_new();
    if (!s || !s->context) {
        free(s);
        return fail_set(f, E_MEMORY, "no memory for hashing: free some and try again");
    }
    *out = s;
    return OK;
}

void sha256_stream_add(struct sha256_stream *s, struct span part) {
    if (part.n && EVP_DigestUpdate(s->context, part.p, part.n) != 1) abort();
}

struct hash sha256_stream_end(struct sha256_stream *s) {
    struct hash out;
    if (EVP_DigestFinal_ex(s->context, out.b, NULL) != 1 ||
        EVP_DigestInit_ex2(s->context, NULL, NULL) != 1)
        abort();
    return out;
}

struct hash sha256_stream_now(const struct sha256_stream *s) {
    struct hash out;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    if (!copy || EVP_MD_CTX_copy_ex(copy, s->context) != 1 || EVP_DigestFinal_ex(copy, out.b, NULL) != 1)
        abort();
    EVP_MD_CTX_free(copy);
    return out;
}

void sha256_stream_free(struct sha256_stream *s) {
    if (!s) return;
    EVP_MD_CTX_free(s->context);
    free(s);
}
