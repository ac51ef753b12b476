/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A PKCS#11 module that is SoftHSM with single answers bent, for what a software token never says:
 * a locked PIN, a token pulled out, a signature that is none. Everything else is SoftHSM's own
 * work. */
#ifndef TESTS_BENT_TOKEN_H
#define TESTS_BENT_TOKEN_H

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct bend {
    unsigned long sign_rv, login_rv; /* answered instead, when not 0 */
    unsigned sign_times;             /* so many times */
    unsigned long set, clear;        /* flags of every token */
    bool raw_point;                  /* CKA_EC_POINT without its OCTET STRING */
    bool no_point;                   /* public keys are not shown */
    bool info_point;                 /* instead of it CKA_PUBLIC_KEY_INFO of the private key */
    bool bad_signature, short_signature;
    bool loose; /* CKA_SENSITIVE is false */
    bool no_eddsa;
    bool named_curve;        /* makes keys only by the curve's name */
    const char *keypad;      /* what is typed on the token when C_Login comes without a PIN */
    unsigned logins, no_pin; /* counted: calls of C_Login, those without a PIN */
};

/* The module exports this: what is bent at present. */
struct bend *bent_token(void);

static inline const char *softhsm_path(void) {
    static const char *const places[] = {
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0) return places[i];
    return NULL;
}

#endif
