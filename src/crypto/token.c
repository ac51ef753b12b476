/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Everything that PKCS#11 does for the project. Constants and types: OASIS PKCS #11 v3.0; the
 * header that says them is a build-time matter only, modules are loaded when they are asked for. */
#include "crypto/token.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <p11-kit/pkcs11.h>
#include "base/clock.h"
#include "base/text.h"

enum { SLOTS_MAX = 256, AGAIN_MS = 250 };

/* PKCS#11 is initialised once a process, whoever uses it: so who uses it is counted here. An entry
 * stays, as does the library: some leave threads behind that must not lose their code. */
struct module {
    struct module *next;
    CK_FUNCTION_LIST *p;
    unsigned users;
    bool begun;
    bool ours; /* nobody else in this process had initialised it */
};
static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;
static struct module *modules; /* guarded by modules_lock */

struct token {
    pthread_mutex_t lock; /* session and all that hangs on it */
    struct module *m;
    struct token_options o;
    char path[KEYFILE_MODULE_MAX + 1], label[KEYFILE_TOKEN_MAX + 1], serial[KEYFILE_TOKEN_MAX + 1];
    uint8_t *pin; /* locked memory, TOKEN_PIN_MAX bytes; NULL until it is known */
    size_t pin_n;
    CK_SLOT_ID slot;
    CK_FLAGS flags; /* of the token */
    CK_SESSION_HANDLE session;
    bool open;
    bool by_id; /* how the key is named */
    uint8_t id[KEYFILE_ID_MAX];
    size_t id_n;
    char key_label[KEYFILE_LABEL_MAX + 1];
    size_t key_label_n;
    CK_OBJECT_HANDLE key;
    bool each_time; /* the key wants the PIN for every signature */
    bool shown;     /* the token shows the public key */
    struct ed25519_public public;
};

/* ---- what modules answer ---- */

/* The session is gone, or what it knew: it is worth beginning another. */
static bool is_lost(CK_RV rv) {
    switch (rv) {
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_SLOT_ID_INVALID:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_OPERATION_ACTIVE:
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
        return true;
    default:
        return false;
    }
}

static err refused(const struct token *t, CK_RV rv, const char *what, struct fail *f) {
    switch (rv) {
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_SLOT_ID_INVALID:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
        return fail_set(f, E_TOKEN,
                        "the token \"%s\" was pulled out or reset (%s): put it back and try again",
                        t->label, what);
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
        return fail_set(f, E_TOKEN_KEY, "the key is no longer on the token \"%s\"", t->label);
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_KEY_TYPE_INCONSISTENT:
        return fail_set(f, E_TOKEN_KEY, "the token \"%s\" does not let this key sign (%s)",
                        t->label, what);
    case CKR_MECHANISM_INVALID:
        return fail_set(f, E_TOKEN,
                        "the token \"%s\" does no Ed25519 (%s): take one whose module offers "
                        "CKM_EDDSA",
                        t->label, what);
    case CKR_DATA_LEN_RANGE:
        return fail_set(f, E_TOKEN,
                        "the token \"%s\" does not sign a text of this length: sign it with a key "
                        "in a file, or on another token",
                        t->label);
    default:
        return fail_set(f, E_TOKEN, "the token \"%s\" refuses (%s: error 0x%lx of its module %s)",
                        t->label, what, rv, t->path);
    }
}

/* ---- modules ---- */

static CK_RV module_begin(struct module *m) {
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    CK_RV rv = m->p->C_Initialize(&args);
    m->ours = rv == CKR_OK;
    m->begun = rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
    return m->begun ? CKR_OK : rv;
}

static err module_take(const char *path, struct module **out, struct fail *f) {
    void *library = path[0] == '/' ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        const char *why = path[0] == '/' ? dlerror() : "it is not an absolute path";
        return fail_set(f, E_TOKEN,
                        "the PKCS#11 module %s cannot be loaded (%.200s): install it, or name the "
                        "right one",
                        path, why ? why : "no reason given");
    }
    CK_C_GetFunctionList list = NULL;
    CK_FUNCTION_LIST *p = NULL;
    void *symbol = dlsym(library, "C_GetFunctionList");
    memcpy(&list, &symbol, sizeof list);
    if (!list || list(&p) != CKR_OK || !p)
        return fail_set(f, E_TOKEN, "%s is no PKCS#11 module: it has no C_GetFunctionList", path);
    pthread_mutex_lock(&modules_lock);
    struct module *m = modules;
    while (m && m->p != p) m = m->next;
    if (!m && (m = calloc(1, sizeof *m))) {
        *m = (struct module){.next = modules, .p = p};
        modules = m;
    }
    CK_RV rv = !m ? CKR_HOST_MEMORY : m->begun ? CKR_OK : module_begin(m);
    if (rv == CKR_OK) m->users++;
    pthread_mutex_unlock(&modules_lock);
    if (rv != CKR_OK)
        return fail_set(f, E_TOKEN,
                        "the PKCS#11 module %s does not start (error 0x%lx): is it "
                        "configured for this user?",
                        path, rv);
    *out = m;
    return OK;
}

static void module_end(struct module *m) {
    if (m->begun && m->ours) (void)m->p->C_Finalize(NULL);
    m->begun = false;
}

static void module_give(struct module *m) {
    pthread_mutex_lock(&modules_lock);
    if (--m->users == 0) module_end(m);
    pthread_mutex_unlock(&modules_lock);
}

/* A module that lost its reader often finds it again only from the beginning. Others who use it
 * would lose their sessions, so only when there are none. */
static CK_RV module_again(struct module *m) {
    pthread_mutex_lock(&modules_lock);
    if (m->users == 1) module_end(m);
    CK_RV rv = m->begun ? CKR_OK : module_begin(m);
    pthread_mutex_unlock(&modules_lock);
    return rv;
}

/* ---- finding the token ---- */

/* A text field of PKCS#11 is filled up with blanks. */
static struct span unpadded(const unsigned char *p, size_t n) {
    while (n && (p[n - 1] == ' ' || p[n - 1] == 0)) n--;
    return span_of(p, n);
}

static void keep(char *to, struct span s, size_t room) {
    size_t n = s.n < room ? s.n : room;
    if (n) memcpy(to, s.p, n);
    to[n] = 0;
}

static err find_slot(struct token *t, struct fail *f) {
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    size_t found = 0;
    char its[sizeof t->serial] = "";
    struct buf seen;
    CK_RV rv = t->m->p->C_GetSlotList(CK_TRUE, slots, &n);
    if (rv != CKR_OK) return refused(t, rv, "listing the tokens", f);
    buf_init(&seen, 4096);
    for (CK_ULONG i = 0; i < n && i < SLOTS_MAX; i++) {
        CK_TOKEN_INFO info;
        if (t->m->p->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
        if (!(info.flags & CKF_TOKEN_INITIALIZED)) continue;
        struct span label = unpadded(info.label, sizeof info.label);
        struct span serial = unpadded(info.serialNumber, sizeof info.serialNumber);
        if (text_is_plain(label))
            buf_printf(&seen, "%s\"%.*s\"", seen.n ? ", " : "", SPAN_ARG(label));
        if (!span_is(label, t->label)) continue;
        if (t->serial[0] && !span_is(serial, t->serial)) continue;
        found++;
        t->slot = slots[i];
        t->flags = info.flags;
        keep(its, serial, KEYFILE_TOKEN_MAX);
    }
    if (found == 1) { /* from now on this one, not another with its label */
        memcpy(t->serial, its, sizeof its);
        buf_release(&seen);
        return OK;
    }
    if (found)
        fail_set(f, E_TOKEN, "two tokens are labelled \"%s\": pull out the one that is not meant",
                 t->label);
    else
        fail_set(f, E_TOKEN, "no token \"%s\"%s%s is here (%s%.150s): plug it in", t->label,
                 t->serial[0] ? " with serial number " : "", t->serial,
                 seen.n ? "here are: " : "no token at all", seen.n ? buf_cstr(&seen) : "");
    buf_release(&seen);
    return E_TOKEN;
}

/* ---- the PIN ---- */

static void forget_pin(struct token *t) {
    secret_free(t->pin);
    t->pin = NULL;
    t->pin_n = 0;
}

static err ask_pin(struct token *t, struct fail *f) {
    if (t->pin) return OK;
    if (!t->o.pin)
        return fail_set(f, E_PIN, "the token \"%s\" wants its PIN again, which is not known here",
                        t->label);
    struct buf pin;
    buf_init(&pin, TOKEN_PIN_MAX);
    (void)buf_room(&pin,
                   TOKEN_PIN_MAX); /* at once, so that no part of it is left behind by growing */
    err e = t->o.pin(t->o.ctx, t->label, (t->flags & CKF_USER_PIN_FINAL_TRY) != 0, &pin, f);
    if (e == OK) e = buf_ok(&pin, f);
    if (e == OK && pin.n == 0)
        e = fail_set(f, E_PIN, "the PIN of the token \"%s\" is empty; it was not tried", t->label);
    if (e == OK && !(t->pin = secret_alloc(TOKEN_PIN_MAX)))
        e = fail_set(f, E_MEMORY, "no locked memory for a PIN");
    if (e == OK) {
        memcpy(t->pin, pin.p, pin.n);
        t->pin_n = pin.n;
    }
    if (pin.p) secret_wipe(pin.p, pin.cap);
    buf_release(&pin);
    return e;
}

/* Why a log-in failed; a PIN that was refused is never tried a second time. */
static err login_failed(struct token *t, CK_RV rv, struct fail *f) {
    CK_TOKEN_INFO info;
    if (rv != CKR_PIN_INCORRECT && rv != CKR_PIN_INVALID && rv != CKR_PIN_LEN_RANGE &&
        rv != CKR_PIN_LOCKED && rv != CKR_PIN_EXPIRED && rv != CKR_FUNCTION_CANCELED)
        return refused(t, rv, "logging in", f);
    forget_pin(t);
    if (rv == CKR_FUNCTION_CANCELED)
        return fail_set(f, E_PIN, "the PIN of the token \"%s\" was not entered", t->label);
    if (rv == CKR_PIN_EXPIRED)
        return fail_set(f, E_PIN, "the PIN of the token \"%s\" has expired: set another", t->label);
    if (t->m->p->C_GetTokenInfo(t->slot, &info) == CKR_OK) t->flags = info.flags;
    if (rv == CKR_PIN_LOCKED || (t->flags & CKF_USER_PIN_LOCKED))
        return fail_set(
            f, E_PIN,
            "the PIN of the token \"%s\" is locked after too many wrong ones: unlock it "
            "with its security officer's PIN (PUK)",
            t->label);
    return fail_set(f, E_PIN, "the PIN of the token \"%s\" is wrong%s", t->label,
                    t->flags & CKF_USER_PIN_FINAL_TRY ? "; ONE TRY IS LEFT, then it is locked"
                                                      : "; after some wrong ones it locks itself");
}

static err login(struct token *t, struct fail *f) {
    if (!(t->flags & CKF_LOGIN_REQUIRED)) return OK;
    if (t->flags & CKF_USER_PIN_LOCKED) return login_failed(t, CKR_PIN_LOCKED, f);
    if (!(t->flags & CKF_USER_PIN_INITIALIZED))
        return fail_set(f, E_PIN,
                        "the token \"%s\" has no user's PIN yet: set one with its own tool",
                        t->label);
    bool keypad = t->flags & CKF_PROTECTED_AUTHENTICATION_PATH;
    if (!t->o.pin && !keypad &&
        (t->flags & CKF_USER_PIN_FINAL_TRY)) /* nobody is here to answer for it */
        return fail_set(
            f, E_PIN,
            "the token \"%s\" has one try left before it locks, so it was not logged in to "
            "again: somebody tried wrong PINs on it",
            t->label);
    if (!keypad) TRY(ask_pin(t, f));
    CK_RV rv =
        t->m->p->C_Login(t->session, CKU_USER, keypad ? NULL : t->pin, keypad ? 0 : t->pin_n);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return OK;
    return login_failed(t, rv, f);
}

/* ---- the session ---- */

static err begin(struct token *t, struct fail *f) {
    CK_MECHANISM_INFO can;
    TRY(find_slot(t, f));
    CK_RV rv = t->m->p->C_GetMechanismInfo(t->slot, CKM_EDDSA, &can);
    if (rv != CKR_OK) return refused(t, rv, "asking for CKM_EDDSA", f);
    CK_FLAGS how = CKF_SERIAL_SESSION | (t->o.writable ? CKF_RW_SESSION : 0);
    rv = t->m->p->C_OpenSession(t->slot, how, NULL, NULL, &t->session);
    if (rv != CKR_OK) return refused(t, rv, "opening a session", f);
    t->open = true;
    return login(t, f);
}

static void end(struct token *t) {
    if (t->open) (void)t->m->p->C_CloseSession(t->session); /* the last one of a token logs out */
    t->open = false;
}

err token_open(const struct keyfile_token *at, const struct token_options *o, struct token **out,
               struct fail *f) {
    struct token *t = calloc(1, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for a token");
    t->o = *o;
    keep(t->path, at->module, KEYFILE_MODULE_MAX);
    keep(t->label, at->token, KEYFILE_TOKEN_MAX);
    keep(t->serial, at->serial, KEYFILE_TOKEN_MAX);
    pthread_mutex_init(&t->lock, NULL);
    err e = module_take(t->path, &t->m, f);
    if (e == OK) e = begin(t, f);
    if (e != OK) {
        token_close(t);
        return e;
    }
    *out = t;
    return OK;
}

void token_close(struct token *t) {
    if (!t) return;
    end(t);
    if (t->m) module_give(t->m);
    forget_pin(t);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- keys ---- */

/* An attribute of at most *n bytes; *n becomes its length. */
static CK_RV attribute(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                       void *to, size_t *n) {
    CK_ATTRIBUTE a = {type, to, *n};
    CK_RV rv = t->m->p->C_GetAttributeValue(t->session, object, &a, 1);
    if (rv == CKR_OK && (a.ulValueLen == CK_UNAVAILABLE_INFORMATION || a.ulValueLen > *n))
        rv = CKR_ATTRIBUTE_TYPE_INVALID;
    if (rv == CKR_OK) *n = a.ulValueLen;
    return rv;
}

static bool flag(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 bool unsaid) {
    CK_BBOOL v = CK_FALSE;
    size_t n = sizeof v;
    return attribute(t, object, type, &v, &n) == CKR_OK && n == sizeof v ? v != CK_FALSE : unsaid;
}

/* Objects of a class with this id or (n 0) label: at most two are told apart from one. */
static CK_RV find(const struct token *t, CK_OBJECT_CLASS class, struct span id, struct span label,
                  CK_OBJECT_HANDLE out[2], CK_ULONG *found) {
    CK_ATTRIBUTE want[2] = {
        {CKA_CLASS, &class, sizeof class},
        {id.n ? CKA_ID : CKA_LABEL, (void *)(uintptr_t)(id.n ? id.p : label.p),
         id.n ? id.n : label.n},
    };
    CK_RV rv = t->m->p->C_FindObjectsInit(t->session, want, 2);
    if (rv != CKR_OK) return rv;
    rv = t->m->p->C_FindObjects(t->session, out, 2, found);
    CK_RV last = t->m->p->C_FindObjectsFinal(t->session);
    return rv != CKR_OK ? rv : last;
}

/* DER: the object identifiers of RFC 8410 and of GnuPG's curve, and the curve's name. */
static const uint8_t params_oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const uint8_t params_gnu[] = {0x06, 0x09, 0x2b, 0x06, 0x01, 0x04,
                                     0x01, 0xda, 0x47, 0x0f, 0x01};
static const uint8_t params_name[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
                                      'd',  's',  '2', '5', '5', '1', '9'};

static bool params_are_ed25519(struct span s) {
    return span_eq(s, span_of(params_oid, sizeof params_oid)) ||
           span_eq(s, span_of(params_gnu, sizeof params_gnu)) ||
           span_eq(s, span_of(params_name, sizeof params_name));
}

/* CKA_EC_POINT is 32 bytes, or those in an OCTET STRING: both are seen. CKA_PUBLIC_KEY_INFO is RFC
 * 8410's SubjectPublicKeyInfo. */
static bool read_public(const struct token *t, CK_OBJECT_HANDLE object,
                        struct ed25519_public *out) {
    static const uint8_t octets[] = {0x04, 0x20};
    static const uint8_t info[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                   0x2b, 0x65, 0x70, 0x03, 0x21, 0};
    uint8_t raw[128];
    size_t n = sizeof raw, skip = SIZE_MAX;
    if (attribute(t, object, CKA_EC_POINT, raw, &n) == CKR_OK) {
        if (n == sizeof out->b) skip = 0;
        if (n == sizeof octets + sizeof out->b && !memcmp(raw, octets, sizeof octets))
            skip = sizeof octets;
    }
    n = sizeof raw;
    if (skip == SIZE_MAX && attribute(t, object, CKA_PUBLIC_KEY_INFO, raw, &n) == CKR_OK &&
        n == sizeof info + sizeof out->b && !memcmp(raw, info, sizeof info))
        skip = sizeof info;
    if (skip == SIZE_MAX) return false;
    memcpy(out->b, raw + skip, sizeof out->b);
    return true;
}

static err check_key(struct token *t, struct fail *f) {
    CK_KEY_TYPE type = 0;
    uint8_t params[64];
    size_t n = sizeof type;
    CK_RV rv = attribute(t, t->key, CKA_KEY_TYPE, &type, &n);
    if (rv != CKR_OK) return refused(t, rv, "reading the key's type", f);
    n = sizeof params;
    bool told = attribute(t, t->key, CKA_EC_PARAMS, params, &n) == CKR_OK;
    if (type != CKK_EC_EDWARDS || (told && !params_are_ed25519(span_of(params, n))))
        return fail_set(f, E_TOKEN_KEY,
                        "the key on the token \"%s\" is not of Ed25519, which all signatures here "
                        "are: make another",
                        t->label);
    if (flag(t, t->key, CKA_SIGN, true)) return OK;
    return refused(t, CKR_KEY_FUNCTION_NOT_PERMITTED, "CKA_SIGN is not set", f);
}

/* The key that t->id or t->key_label names, in the present session. */
static err choose(struct token *t, struct fail *f) {
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    struct span label = span_of((const uint8_t *)t->key_label, t->key_label_n), none = {0};
    struct span id = t->by_id ? span_of(t->id, t->id_n) : none;
    CK_RV rv = find(t, CKO_PRIVATE_KEY, id, label, found, &count);
    if (rv != CKR_OK) return refused(t, rv, "looking for the key", f);
    if (count != 1) {
        char hex[2 * KEYFILE_ID_MAX + 1];
        hex_encode(id, hex);
        return fail_set(
            f, E_TOKEN_KEY,
            count ? "several keys on the token \"%s\" are called %s: name the one by its id"
                  : "the token \"%s\" has no private key %s",
            t->label, t->by_id ? hex : t->key_label);
    }
    t->key = found[0];
    TRY(check_key(t, f));
    t->each_time = flag(t, t->key, CKA_ALWAYS_AUTHENTICATE, false);
    if (t->each_time && !(t->flags & CKF_PROTECTED_AUTHENTICATION_PATH)) TRY(ask_pin(t, f));
    if (!t->by_id) {
        t->id_n = sizeof t->id;
        if (attribute(t, t->key, CKA_ID, t->id, &t->id_n) != CKR_OK) t->id_n = 0;
    }
    id = span_of(t->id, t->id_n);
    t->shown = find(t, CKO_PUBLIC_KEY, id, label, found, &count) == CKR_OK && count == 1 &&
               read_public(t, found[0], &t->public);
    if (!t->shown) t->shown = read_public(t, t->key, &t->public);
    return OK;
}

err token_choose(struct token *t, const struct keyfile_token *at, struct fail *f) {
    t->by_id = at->id_n > 0;
    t->id_n = at->id_n;
    memcpy(t->id, at->id, sizeof t->id);
    t->key_label_n = at->label.n < KEYFILE_LABEL_MAX ? at->label.n : KEYFILE_LABEL_MAX;
    keep(t->key_label, at->label, KEYFILE_LABEL_MAX);
    return choose(t, f);
}

static CK_RV make_pair(struct token *t, const uint8_t *params, size_t n, CK_OBJECT_HANDLE out[2]) {
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM how = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public[] = {
        {CKA_EC_PARAMS, (void *)(uintptr_t)params, n},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_ID, t->id, t->id_n},
        {CKA_LABEL, t->key_label, t->key_label_n},
    };
    CK_ATTRIBUTE private[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_ID, t->id, t->id_n},
        {CKA_LABEL, t->key_label, t->key_label_n},
    };
    return t->m->p->C_GenerateKeyPair(t->session, &how, public, sizeof public / sizeof *public,
                                      private, sizeof private / sizeof *private, &out[0], &out[1]);
}

err token_make(struct token *t, struct span label, struct fail *f) {
    CK_OBJECT_HANDLE pair[2];
    CK_ULONG count = 0;
    if (label.n == 0 || label.n > KEYFILE_LABEL_MAX)
        return fail_set(f, E_FIELD, "a key's label has 1 to %d bytes", KEYFILE_LABEL_MAX);
    CK_RV rv = find(t, CKO_PRIVATE_KEY, (struct span){0}, label, pair, &count);
    if (rv != CKR_OK) return refused(t, rv, "looking for keys", f);
    if (count)
        return fail_set(
            f, E_EXISTS,
            "the token \"%s\" has a key labelled %.*s already: take that one (--on-token), or "
            "another name",
            t->label, SPAN_ARG(label));
    struct keyfile_token at = {.label = label, .id_n = TOKEN_ID_BYTES};
    secret_random(at.id, TOKEN_ID_BYTES);
    t->by_id = true;
    t->id_n = at.id_n;
    memcpy(t->id, at.id, sizeof t->id);
    t->key_label_n = label.n;
    keep(t->key_label, label, KEYFILE_LABEL_MAX);
    rv = make_pair(t, params_oid, sizeof params_oid, pair);
    if (rv != CKR_OK && rv != CKR_MECHANISM_INVALID && !is_lost(rv)) /* as v3.0 had it at first */
        rv = make_pair(t, params_name, sizeof params_name, pair);
    if (rv != CKR_OK) return refused(t, rv, "making a key", f);
    if (flag(t, pair[1], CKA_EXTRACTABLE, true) || !flag(t, pair[1], CKA_SENSITIVE, false)) {
        (void)t->m->p->C_DestroyObject(t->session, pair[0]);
        (void)t->m->p->C_DestroyObject(t->session, pair[1]);
        return fail_set(
            f, E_TOKEN,
            "the token \"%s\" would let its key be taken out; the key was removed again", t->label);
    }
    return token_choose(t, &at, f);
}

err token_public(const struct token *t, struct ed25519_public *out, struct fail *f) {
    if (!t->shown)
        return fail_set(f, E_TOKEN_KEY,
                        "the token \"%s\" does not show the key's public part: put the public key "
                        "on it, with the same id",
                        t->label);
    *out = t->public;
    return OK;
}

void token_where(const struct token *t, struct keyfile_token *out) {
    *out = (struct keyfile_token){.module = span_text(t->path),
                                  .token = span_text(t->label),
                                  .serial = span_text(t->serial),
                                  .id_n = t->id_n};
    if (t->serial[0] == ' ' || !text_is_plain(out->serial)) out->serial.n = 0; /* not for a line */
    memcpy(out->id, t->id, sizeof out->id);
    if (!t->id_n) out->label = span_of((const uint8_t *)t->key_label, t->key_label_n);
}

/* ---- signing ---- */

static CK_RV sign_once(struct token *t, struct span message, struct ed25519_signature *out) {
    CK_MECHANISM how = {CKM_EDDSA, NULL, 0};
    CK_ULONG n = sizeof out->b;
    bool keypad = t->flags & CKF_PROTECTED_AUTHENTICATION_PATH;
    if (!t->open) return CKR_SESSION_CLOSED;
    if (t->each_time && !keypad && !t->pin) return CKR_PIN_INCORRECT; /* it was refused before */
    CK_RV rv = t->m->p->C_SignInit(t->session, &how, t->key);
    if (rv == CKR_OK && t->each_time)
        rv = t->m->p->C_Login(t->session, CKU_CONTEXT_SPECIFIC, keypad ? NULL : t->pin,
                              keypad ? 0 : t->pin_n);
    if (rv == CKR_OK)
        rv = t->m->p->C_Sign(t->session, (uint8_t *)(uintptr_t)message.p, message.n, out->b, &n);
    if (rv == CKR_OK && n != sizeof out->b) rv = CKR_SIGNATURE_LEN_RANGE;
    return rv;
}

/* The same token in a new session, with the PIN that was good; the same key on it. */
static err begin_again(struct token *t, struct fail *f) {
    struct ed25519_public was = t->public;
    bool shown = t->shown;
    end(t);
    CK_RV rv = module_again(t->m);
    if (rv != CKR_OK) return refused(t, rv, "starting its module again", f);
    TRY(begin(t, f));
    TRY(choose(t, f));
    if (shown && (!t->shown || memcmp(was.b, t->public.b, sizeof was.b) != 0))
        return fail_set(f, E_TOKEN_KEY, "the token \"%s\" came back with another key", t->label);
    return OK;
}

static err sign_locked(struct token *t, struct span message, struct ed25519_signature *out,
                       struct fail *f) {
    uint64_t until = clock_monotonic_ms() + t->o.wait_ms;
    CK_RV rv = sign_once(t, message, out);
    while (is_lost(rv)) {
        err e = begin_again(t, f);
        if (e == OK) {
            rv = sign_once(t, message, out);
            if (is_lost(rv)) e = refused(t, rv, "signing", f);
        }
        if (e == OK) break;
        if (e != E_TOKEN || clock_monotonic_ms() >= until) return e;
        nanosleep(&(struct timespec){.tv_nsec = AGAIN_MS * 1000000}, NULL);
    }
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED) return login_failed(t, rv, f);
    return rv == CKR_OK ? OK : refused(t, rv, "signing", f);
}

static err sign(void *ctx, struct span message, struct ed25519_signature *out, struct fail *f) {
    struct token *t = ctx;
    pthread_mutex_lock(&t->lock);
    t->o.pin = NULL; /* a signature never stops to ask a person */
    err e = sign_locked(t, message, out, f);
    pthread_mutex_unlock(&t->lock);
    return e;
}

err token_signer(struct token *t, const struct note_key *key, struct note_signer *out,
                 struct fail *f) {
    if (t->shown && memcmp(t->public.b, key->public.b, sizeof key->public.b) != 0)
        return fail_set(f, E_TOKEN_KEY,
                        "the key on the token \"%s\" is not that of %.*s: another token, or an "
                        "altered key file",
                        t->label, SPAN_ARG(key->name));
    *out = (struct note_signer){.key = *key, .device = {sign, t}};
    return OK;
}
