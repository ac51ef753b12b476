/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keys on tokens, against SoftHSM 2: tokens, keys, sessions and signatures are its own;
 * bent_token.c bends single answers of it where hardware says what software does not. */
#include "test.h"
#include <dlfcn.h>
#include <pthread.h>
#include <p11-kit/pkcs11.h>
#include "bent_token.h"
#include "crypto/sealed.h"
#include "crypto/token.h"
#include "scratch.h"

#define PIN   "4711"
#define OTHER "9999"

/* SoftHSM 2.6 leaves the decoded parameters of an Edwards key behind at each signature (61 bytes).
 * Its frames are only seen by the slow unwinder; nothing of ours is passed over. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void) {
    return "fast_unwind_on_malloc=0:malloc_context_size=9";
}
const char *__lsan_default_suppressions(void) {
    return "leak:libsofthsm2.so\n";
}

static char dir[64];
static CK_FUNCTION_LIST *p; /* SoftHSM's, for what a person does to a token with other tools */
static struct bend *bend;

/* --- tokens and people --- */

static const char *typed; /* what the person at the prompt types */
static unsigned asked;
static bool last_try_seen;

static err prompt(void *ctx, const char *label, bool last_try, struct buf *out, struct fail *f) {
    (void)ctx;
    (void)label;
    asked++;
    last_try_seen = last_try;
    if (!typed) return fail_set(f, E_PIN, "nobody is here");
    buf_str(out, typed);
    return OK;
}

static void conf(const char *name, const char *tokens) {
    char text[512];
    const char *path = scratch_path(dir, name);
    int n = snprintf(text, sizeof text, "directories.tokendir = %s%s\nlog.level = ERROR\n", dir,
                     tokens);
    scratch_write(path, text, (size_t)n);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
}

static void new_token(const char *label) {
    char command[512];
    snprintf(command, sizeof command,
             "softhsm2-util --init-token --free --label '%s' --pin " PIN
             " --so-pin 12345678 > /dev/null 2>&1",
             label);
    if (system(command) != 0) fail_msg("softhsm2-util does not work: %s", command);
}

static struct keyfile_token place(const char *label) {
    return (struct keyfile_token){.module = span_text(BENT_TOKEN), .token = span_text(label)};
}

static err open_it(const struct keyfile_token *at, bool writable, uint32_t wait_ms,
                   struct token **t, struct fail *f) {
    struct token_options o = {.pin = prompt, .writable = writable, .wait_ms = wait_ms};
    *t = NULL;
    return token_open(at, &o, t, f);
}

/* Each test has a fresh token "T" with a key "k", written down as in a key file. */
struct made {
    struct keyfile_token at; /* borrows from text */
    struct note_key key;
    struct buf text;
};

static void make(struct made *m, const char *name, uint8_t type) {
    struct fail f;
    struct token *t;
    struct keyfile file;
    struct ed25519_public public;
    struct keyfile_token at = place("T");
    must(open_it(&at, true, 0, &t, &f));
    must(token_make(t, span_text(name), &f));
    must(token_public(t, &public, &f));
    must(note_key_make(span_text(name), type, &public, &m->key, &f));
    token_where(t, &at);
    buf_init(&m->text, KEYFILE_BYTES_MAX);
    must(keyfile_write_token(&m->key, &at, &m->text, &f));
    token_close(t);
    must(keyfile_parse(buf_view(&m->text), &file, &f));
    assert_true(file.on_token);
    m->at = file.at;
    m->key = file.key;
}

static err open_key(const struct made *m, uint32_t wait_ms, struct token **t, struct note_signer *s,
                    struct fail *f) {
    TRY(open_it(&m->at, false, wait_ms, t, f));
    err e = token_choose(*t, &m->at, f);
    if (e == OK) e = token_signer(*t, &m->key, s, f);
    if (e == OK) return OK;
    token_close(*t);
    *t = NULL;
    return e;
}

static int fresh(void **state) {
    (void)state;
    memset(bend, 0, sizeof *bend);
    typed = PIN;
    asked = 0;
    conf("conf", "/tokens");
    scratch_remove(scratch_path(dir, "tokens"));
    assert_int_equal(mkdir(scratch_path(dir, "tokens"), 0700), 0);
    new_token("T");
    return 0;
}

static void holds(const struct note_signer *s, const char *text) {
    struct fail f;
    struct note n;
    struct note_line lines[2];
    struct buf b;
    buf_init(&b, 4096);
    must(note_sign(&s, 1, span_text(text), &b, &f));
    must(note_open(buf_view(&b), &s->key, 1, &n, lines, 2, NULL, &f));
    buf_release(&b);
}

/* Another program's session on the token, logged in. */
static CK_SESSION_HANDLE other_session(CK_SLOT_ID *slot) {
    CK_SLOT_ID slots[8];
    CK_ULONG n = 8;
    CK_SESSION_HANDLE s;
    CK_TOKEN_INFO info;
    assert_int_equal(p->C_GetSlotList(CK_TRUE, slots, &n), CKR_OK);
    for (CK_ULONG i = 0; i < n; i++)
        if (p->C_GetTokenInfo(slots[i], &info) == CKR_OK && memcmp(info.label, "T ", 2) == 0)
            *slot = slots[i];
    assert_int_equal(p->C_OpenSession(*slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
                     CKR_OK);
    CK_RV rv = p->C_Login(s, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)PIN, strlen(PIN));
    assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
    return s;
}

/* --- what works --- */

static void test_signs(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct note_signer s;
    make(&m, "com/1", NOTE_TYPE_ED25519);
    assert_int_equal(asked, 1);
    must(open_key(&m, 0, &t, &s, &f));
    assert_true(m.at.serial.n > 0 && m.at.id_n == TOKEN_ID_BYTES);
    holds(&s, "a text\n");
    holds(&s, "another\n");
    static char big[60000];
    memset(big, 'x', sizeof big - 2);
    big[sizeof big - 2] = '\n';
    struct ed25519_signature sig;
    must(note_signer_sign(&s, span_text(big), &sig, &f));
    assert_true(ed25519_verify(&m.key.public, &sig, span_text(big)));
    assert_int_equal(asked, 2);
    /* the same key by its label, beside the first session */
    struct keyfile_token by_label = place("T"), where;
    struct token *second;
    by_label.label = SPAN_LIT("com/1");
    must(open_it(&by_label, false, 0, &second, &f));
    must(token_choose(second, &by_label, &f));
    token_where(second, &where);
    assert_memory_equal(where.id, m.at.id, TOKEN_ID_BYTES);
    token_close(second);
    holds(&s, "the first session is not disturbed\n");
    /* a second key of this name is not made by mistake */
    must(open_it(&by_label, true, 0, &second, &f));
    refuses(E_EXISTS, token_make(second, SPAN_LIT("com/1"), &f));
    token_close(second);
    token_close(t);
    buf_release(&m.text);
}

static void test_shapes_of_the_public_key(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct ed25519_public public;
    make(&m, "k", NOTE_TYPE_ED25519); /* SoftHSM: in an OCTET STRING */
    for (int i = 0; i < 3; i++) {
        bend->raw_point = i == 0;
        bend->info_point = i == 1;
        bend->no_point = i == 2;
        must(open_it(&m.at, false, 0, &t, &f));
        must(token_choose(t, &m.at, &f));
        if (i < 2) {
            must(token_public(t, &public, &f));
            assert_memory_equal(public.b, m.key.public.b, 32);
        } else {
            refuses(E_TOKEN_KEY, token_public(t, &public, &f));
            struct note_signer s; /* the file knows it; what is signed is checked anyhow */
            must(token_signer(t, &m.key, &s, &f));
            holds(&s, "a text\n");
        }
        token_close(t);
    }
    bend->no_point = false;
    bend->named_curve = true; /* a module that knows the curve by name only */
    must(open_it(&m.at, true, 0, &t, &f));
    must(token_make(t, SPAN_LIT("by-name"), &f));
    must(token_public(t, &public, &f));
    token_close(t);
    buf_release(&m.text);
}

static void test_cosigner(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct note_signer s;
    struct ed25519_signature sig;
    make(&m, "w.example", NOTE_TYPE_COSIGNATURE);
    must(open_key(&m, 0, &t, &s, &f));
    must(note_signer_sign(&s, SPAN_LIT("cosignature/v1\n"), &sig, &f));
    assert_true(ed25519_verify(&m.key.public, &sig, SPAN_LIT("cosignature/v1\n")));
    /* what needs the secret itself is refused, not tried with zeros */
    struct buf out, sealed;
    buf_init(&out, KEYFILE_BYTES_MAX);
    buf_init(&sealed, 4096);
    refuses(E_TOKEN_KEY, keyfile_write(&s, SPAN_LIT("word"), (struct secret_kdf){1, 64}, &out, &f));
    refuses(E_TOKEN_KEY, keyfile_write_simulated(&s, &out, &f));
    assert_int_equal(out.n, 0);
    must(sealed_make(SPAN_LIT("content"), &m.key, 1, &sealed, &f));
    refuses(E_TOKEN_KEY, sealed_open(buf_view(&sealed), &s, &out, &f));
    struct keyfile file;
    struct note_signer none;
    must(keyfile_parse(buf_view(&m.text), &file, &f));
    refuses(E_TOKEN, keyfile_open(&file, SPAN_LIT(""), &none, &f));
    buf_release(&out);
    buf_release(&sealed);
    token_close(t);
    buf_release(&m.text);
}

static struct note_signer shared_signer;

static void *many(void *arg) {
    unsigned *bad = arg;
    for (int i = 0; i < 25; i++) {
        struct ed25519_signature sig;
        struct fail f;
        char text[32];
        snprintf(text, sizeof text, "%p %d\n", arg, i);
        if (note_signer_sign(&shared_signer, span_text(text), &sig, &f) != OK) ++*bad;
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    pthread_t threads[4];
    unsigned bad[4] = {0};
    make(&m, "k", NOTE_TYPE_ED25519);
    must(open_key(&m, 0, &t, &shared_signer, &f));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many, &bad[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(bad[i], 0);
    }
    token_close(t);
    buf_release(&m.text);
}

/* --- opening that fails --- */

static void test_no_module(void **state) {
    (void)state;
    struct fail f;
    struct token *t;
    struct keyfile_token at = place("T");
    at.module = SPAN_LIT("/nowhere/module.so");
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    at.module = SPAN_LIT("module.so"); /* nothing is looked for along library paths */
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "absolute"));
    scratch_write(scratch_path(dir, "text.so"), "no library", 10);
    char path[128];
    snprintf(path, sizeof path, "%s/text.so", dir);
    at.module = span_text(path);
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    Dl_info self; /* a library that is no module: cmocka */
    assert_true(dladdr((void *)(uintptr_t)&_cmocka_run_group_tests, &self) != 0);
    char *library = realpath(self.dli_fname, NULL);
    assert_non_null(library);
    if (strstr(library, ".so")) {
        at.module = span_text(library);
        refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
        assert_non_null(strstr(f.text, "C_GetFunctionList"));
    }
    free(library);
    conf("broken", "/nowhere/at/all");
    at.module = span_text(BENT_TOKEN);
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    assert_int_equal(asked, 0);
}

static void test_no_token(void **state) {
    (void)state;
    struct fail f;
    struct token *t;
    struct keyfile_token at = place("U");
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "here are: \"T\""));
    at = place("T");
    at.serial = SPAN_LIT("0000000000000000");
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    new_token("T");
    at = place("T");
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "two tokens"));
    assert_int_equal(asked, 0); /* no PIN is asked for, or tried, before the token is found */
}

static void test_no_eddsa(void **state) {
    (void)state;
    struct fail f;
    struct token *t;
    struct keyfile_token at = place("T");
    bend->no_eddsa = true;
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "CKM_EDDSA"));
    assert_int_equal(asked, 0);
}

static void test_pin(void **state) {
    (void)state;
    struct fail f;
    struct token *t;
    struct keyfile_token at = place("T");
    typed = OTHER;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "is wrong"));
    assert_int_equal(bend->logins, 1); /* once, not again */
    typed = "";
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_int_equal(bend->logins, 1);
    typed = NULL;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_string_equal(f.text, "nobody is here");
    typed = OTHER;
    bend->set = CKF_USER_PIN_FINAL_TRY;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "ONE TRY"));
    assert_true(last_try_seen);
    bend->set = 0;
    bend->login_rv = CKR_PIN_LOCKED;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "locked"));
    bend->set = CKF_USER_PIN_LOCKED; /* said beforehand: nobody is asked */
    asked = bend->logins = 0;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "locked"));
    bend->set = 0;
    bend->clear = CKF_USER_PIN_INITIALIZED;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    assert_int_equal(asked + bend->logins, 0);
    bend->clear = 0;
    bend->login_rv = CKR_DEVICE_REMOVED;
    refuses(E_TOKEN, open_it(&at, false, 0, &t, &f));
    assert_non_null(strstr(f.text, "pulled out"));
    /* all that left no session behind that is logged in */
    bend->login_rv = 0;
    refuses(E_PIN, open_it(&at, false, 0, &t, &f));
    typed = PIN;
    must(open_it(&at, false, 0, &t, &f));
    token_close(t);
    /* its own keypad: no PIN passes through here */
    asked = 0;
    bend->set = CKF_PROTECTED_AUTHENTICATION_PATH;
    bend->keypad = PIN;
    bend->no_pin = 0;
    must(open_it(&at, false, 0, &t, &f));
    token_close(t);
    assert_int_equal(asked, 0);
    assert_int_equal(bend->no_pin, 1);
}

/* --- keys that will not do --- */

static void make_other(CK_MECHANISM_TYPE type, const void *params, CK_ULONG params_n, CK_BBOOL sign,
                       CK_BBOOL each_time, char *label) {
    CK_SLOT_ID slot = 0;
    CK_SESSION_HANDLE s = other_session(&slot);
    CK_BBOOL yes = CK_TRUE;
    CK_MECHANISM how = {type, NULL, 0};
    CK_OBJECT_HANDLE a, b;
    CK_ATTRIBUTE public[] = {{CKA_EC_PARAMS, (void *)(uintptr_t)params, params_n},
                             {CKA_TOKEN, &yes, 1},
                             {CKA_LABEL, label, strlen(label)}};
    CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, 1},
                              {CKA_PRIVATE, &yes, 1},
                              {CKA_SIGN, &sign, 1},
                              {CKA_ALWAYS_AUTHENTICATE, &each_time, 1},
                              {CKA_LABEL, label, strlen(label)}};
    assert_int_equal(p->C_GenerateKeyPair(s, &how, public, 3, private, 5, &a, &b), CKR_OK);
    assert_int_equal(p->C_CloseSession(s), CKR_OK);
}

static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70},
                     ed448[] = {0x06, 0x03, 0x2b, 0x65, 0x71},
                     p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

static err choose(struct token *t, const char *label, struct fail *f) {
    struct keyfile_token at = {.label = span_text(label)};
    return token_choose(t, &at, f);
}

static void test_wrong_keys(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct keyfile_token at = place("T");
    char curve[] = "p256", long_curve[] = "ed448", twin[] = "twin", mute[] = "mute";
    make(&m, "k", NOTE_TYPE_ED25519);
    must(open_it(&at, false, 0, &t, &f));
    make_other(CKM_EC_KEY_PAIR_GEN, p256, sizeof p256, CK_TRUE, CK_FALSE, curve);
    make_other(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed448, sizeof ed448, CK_TRUE, CK_FALSE, long_curve);
    make_other(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof ed25519, CK_TRUE, CK_FALSE, twin);
    make_other(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof ed25519, CK_TRUE, CK_FALSE, twin);
    make_other(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof ed25519, CK_FALSE, CK_FALSE, mute);
    must(choose(t, "k", &f));
    refuses(E_TOKEN_KEY, choose(t, "nobody", &f));
    assert_non_null(strstr(f.text, "no private key nobody"));
    refuses(E_TOKEN_KEY, choose(t, "p256", &f));
    assert_non_null(strstr(f.text, "not of Ed25519"));
    refuses(E_TOKEN_KEY, choose(t, "ed448", &f));
    assert_non_null(strstr(f.text, "not of Ed25519"));
    refuses(E_TOKEN_KEY, choose(t, "twin", &f));
    assert_non_null(strstr(f.text, "several"));
    refuses(E_TOKEN_KEY, choose(t, "mute", &f));
    struct keyfile_token id = m.at;
    id.id[0] ^= 1;
    refuses(E_TOKEN_KEY, token_choose(t, &id, &f));
    token_close(t);
    /* a token that lets its keys be taken out keeps none that was made here */
    bend->loose = true;
    must(open_it(&at, true, 0, &t, &f));
    refuses(E_TOKEN, token_make(t, SPAN_LIT("loose"), &f));
    bend->loose = false;
    refuses(E_TOKEN_KEY, choose(t, "loose", &f));
    token_close(t);
    must(open_it(&at, false, 0, &t, &f)); /* a session for reading makes none either */
    refuses(E_TOKEN, token_make(t, SPAN_LIT("new"), &f));
    token_close(t);
    buf_release(&m.text);
}

static void test_lies(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct note_signer s;
    struct ed25519_signature sig;
    struct buf out;
    const struct note_signer *by = &s;
    make(&m, "k", NOTE_TYPE_ED25519);
    /* a key file that names another public key */
    struct made lie = m;
    struct ed25519_secret unused;
    ed25519_generate(&unused, &lie.key.public);
    must(note_key_make(m.key.name, NOTE_TYPE_ED25519, &lie.key.public, &lie.key, &f));
    refuses(E_TOKEN_KEY, open_key(&lie, 0, &t, &s, &f));
    /* the same, on a token that does not show its own: at the latest when it signs */
    bend->no_point = true;
    buf_init(&out, 4096);
    must(open_key(&lie, 0, &t, &s, &f));
    refuses(E_TOKEN_KEY, note_signer_sign(&s, SPAN_LIT("a text\n"), &sig, &f));
    static const struct ed25519_signature none;
    assert_memory_equal(sig.b, none.b, sizeof sig.b);
    refuses(E_TOKEN_KEY, note_sign(&by, 1, SPAN_LIT("a text\n"), &out, &f));
    assert_int_equal(out.n, 0);
    token_close(t);
    bend->no_point = false;
    /* a token that signs something else */
    must(open_key(&m, 0, &t, &s, &f));
    bend->bad_signature = true;
    refuses(E_TOKEN_KEY, note_sign(&by, 1, SPAN_LIT("a text\n"), &out, &f));
    bend->bad_signature = false;
    bend->short_signature = true;
    refuses(E_TOKEN, note_sign(&by, 1, SPAN_LIT("a text\n"), &out, &f));
    assert_int_equal(out.n, 0);
    bend->short_signature = false;
    holds(&s, "a text\n");
    token_close(t);
    buf_release(&out);
    buf_release(&m.text);
}

static void test_each_time(void **state) {
    (void)state;
    struct fail f;
    struct token *t;
    struct note_key key;
    struct note_signer s;
    struct keyfile_token at = place("T");
    struct ed25519_public public;
    char label[] = "each";
    must(open_it(&at, false, 0, &t, &f));
    make_other(CKM_EC_EDWARDS_KEY_PAIR_GEN, ed25519, sizeof ed25519, CK_TRUE, CK_TRUE, label);
    must(choose(t, label, &f));
    must(token_public(t, &public, &f));
    must(note_key_make(SPAN_LIT("each"), NOTE_TYPE_ED25519, &public, &key, &f));
    must(token_signer(t, &key, &s, &f));
    asked = bend->logins = 0;
    holds(&s, "one\n");
    holds(&s, "two\n");
    assert_int_equal(bend->logins, 2); /* the PIN before each signature, and nobody asked for it */
    assert_int_equal(asked, 0);
    bend->login_rv = CKR_PIN_INCORRECT;
    struct ed25519_signature sig;
    refuses(E_PIN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    bend->login_rv = 0;
    refuses(E_PIN,
            note_signer_sign(&s, SPAN_LIT("x"), &sig, &f)); /* a refused PIN is not tried again */
    assert_int_equal(bend->logins, 3);
    token_close(t);
}

/* --- tokens that go away --- */

static void test_reset(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct note_signer s;
    struct ed25519_signature sig;
    CK_SLOT_ID slot = 0;
    make(&m, "k", NOTE_TYPE_ED25519);
    must(open_key(&m, 0, &t, &s, &f));
    asked = 0;
    (void)other_session(&slot);
    assert_int_equal(p->C_CloseAllSessions(slot), CKR_OK); /* a reset, as software can do it */
    holds(&s, "after a reset\n");
    assert_int_equal(p->C_Logout(other_session(&slot)), CKR_OK);
    holds(&s, "after somebody logged out\n");
    bend->sign_rv = CKR_DEVICE_REMOVED;
    bend->sign_times = 1;
    holds(&s, "pulled out and put back\n");
    assert_int_equal(asked, 0);
    bend->sign_times = 100; /* away for good */
    refuses(E_TOKEN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_non_null(strstr(f.text, "pulled out"));
    assert_int_equal(bend->sign_times, 98); /* one more try, no wait */
    bend->sign_rv = CKR_DATA_LEN_RANGE;
    refuses(E_TOKEN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_non_null(strstr(f.text, "length"));
    assert_int_equal(bend->sign_times, 97); /* no reason to begin again */
    bend->sign_times = 0;
    holds(&s, "here again\n");
    token_close(t);
    /* the log waits some seconds */
    must(open_key(&m, 60000, &t, &s, &f));
    bend->sign_rv = CKR_TOKEN_NOT_PRESENT;
    bend->sign_times = 3;
    holds(&s, "put back in time\n");
    assert_int_equal(bend->sign_times, 0);
    token_close(t);
    /* the real thing: the token's store is gone, and comes back */
    must(open_key(&m, 0, &t, &s, &f));
    assert_int_equal(rename(scratch_path(dir, "tokens"), scratch_path(dir, "away")), 0);
    refuses(E_TOKEN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_int_equal(rename(scratch_path(dir, "away"), scratch_path(dir, "tokens")), 0);
    holds(&s, "the store is back\n");
    token_close(t);
    buf_release(&m.text);
}

static void test_changed_meanwhile(void **state) {
    (void)state;
    struct fail f;
    struct made m;
    struct token *t;
    struct note_signer s;
    struct ed25519_signature sig;
    CK_SLOT_ID slot = 0;
    make(&m, "k", NOTE_TYPE_ED25519);
    must(open_key(&m, 60000, &t, &s, &f));
    /* another PIN: tried once, never again, though the caller would wait for the token */
    CK_SESSION_HANDLE other = other_session(&slot);
    assert_int_equal(p->C_SetPIN(other, (CK_UTF8CHAR_PTR)(uintptr_t)PIN, 4,
                                 (CK_UTF8CHAR_PTR)(uintptr_t)OTHER, 4),
                     CKR_OK);
    assert_int_equal(p->C_CloseAllSessions(slot), CKR_OK);
    asked = bend->logins = 0;
    refuses(E_PIN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_int_equal(bend->logins, 1);
    refuses(E_PIN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_int_equal(bend->logins, 1);
    assert_int_equal(asked, 0); /* a signature never stops to ask */
    token_close(t);
    typed = OTHER;
    must(open_key(&m, 60000, &t, &s, &f));
    holds(&s, "with the new PIN\n");
    /* somebody has tried PINs on it: with one try left nothing is tried without a person */
    bend->set = CKF_USER_PIN_FINAL_TRY;
    bend->logins = 0;
    assert_int_equal(p->C_CloseAllSessions(slot), CKR_OK);
    refuses(E_PIN, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_non_null(strstr(f.text, "one try left"));
    assert_int_equal(bend->logins, 0);
    bend->set = 0;
    holds(&s, "somebody entered it rightly\n");
    /* the key is removed between opening and signing */
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE want = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE o;
    CK_ULONG n;
    assert_int_equal(
        p->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &other), CKR_OK);
    assert_int_equal(p->C_FindObjectsInit(other, &want, 1), CKR_OK);
    assert_int_equal(p->C_FindObjects(other, &o, 1, &n), CKR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(p->C_FindObjectsFinal(other), CKR_OK);
    assert_int_equal(p->C_DestroyObject(other, o), CKR_OK);
    assert_int_equal(p->C_CloseSession(other), CKR_OK);
    refuses(E_TOKEN_KEY, note_signer_sign(&s, SPAN_LIT("x"), &sig, &f));
    assert_non_null(strstr(f.text, "no private key"));
    token_close(t);
    refuses(E_TOKEN_KEY, open_key(&m, 0, &t, &s, &f));
    buf_release(&m.text);
}

/* --- the key file --- */

static void test_key_file(void **state) {
    (void)state;
    struct fail f;
    struct keyfile file;
    struct note_key key;
    struct ed25519_public public = {{1}};
    struct buf b;
    must(note_key_make(SPAN_LIT("com/1"), NOTE_TYPE_ED25519, &public, &key, &f));
    struct keyfile_token good = {.module = SPAN_LIT("/usr/lib/m.so"),
                                 .token = SPAN_LIT("Tume ya 3"),
                                 .label = SPAN_LIT("ufunguo wa kwanza")};
    buf_init(&b, KEYFILE_BYTES_MAX);
    must(keyfile_write_token(&key, &good, &b, &f));
    must(keyfile_parse(buf_view(&b), &file, &f));
    assert_true(file.on_token && !file.simulated && span_eq(file.at.label, good.label));
    assert_true(span_eq(file.at.token, good.token) && file.at.serial.n == 0 && file.at.id_n == 0);
    for (size_t n = 0; n < b.n; n++) /* cut anywhere: another label, or no key file */
        if (keyfile_parse(span_of(b.p, n), &file, &f) == OK) fail_msg("cut at %zu", n);
    buf_byte(&b, '\n');
    refuses(E_FIELD, keyfile_parse(buf_view(&b), &file, &f));
    static const char *const bad[] = {
        "module lib.so\ntoken T\nlabel k\n",
        "module /l.so\ntoken \nlabel k\n",
        "module /l.so\ntoken T \nlabel k\n",
        "module /l.so\ntoken T\nid \n",
        "module /l.so\ntoken T\nid 0\n",
        "module /l.so\ntoken T\nid AB\n",
        "module /l.so\ntoken T\n",
        "module /l.so\ntoken T\nserial \nid 00\n",
        "module /l.so\ntoken T\nlabel k\nid 00\n",
        "token T\nmodule /l.so\nid 00\n",
        "module /l.so\ntoken T\nid 00\nserial 1\n",
        "module /l\t.so\ntoken T\nid 00\n",
        "module /l.so\ntoken 123456789012345678901234567890123\nid 00\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        buf_clear(&b);
        buf_str(&b, "hesabu-key/v1 on a token\nvkey ");
        note_vkey_format(&key, &b);
        buf_printf(&b, "\n%s", bad[i]);
        refuses(E_FIELD, keyfile_parse(buf_view(&b), &file, &f));
    }
    buf_clear(&b);
    struct keyfile_token wrong = good;
    wrong.label = SPAN_LIT("two\nlines");
    refuses(E_FIELD, keyfile_write_token(&key, &wrong, &b, &f));
    wrong = good;
    wrong.module = SPAN_LIT("m.so");
    refuses(E_FIELD, keyfile_write_token(&key, &wrong, &b, &f));
    buf_release(&b);
}

static int begin(void **state) {
    (void)state;
    const char *path = softhsm_path();
    if (!path) fail_msg("SoftHSM is not installed (tools/packages.txt names it)");
    void *soft = dlopen(path, RTLD_NOW | RTLD_LOCAL),
         *bent = dlopen(BENT_TOKEN, RTLD_NOW | RTLD_LOCAL);
    if (!soft || !bent) fail_msg("%s", dlerror());
    CK_C_GetFunctionList list;
    struct bend *(*get)(void);
    void *symbol = dlsym(soft, "C_GetFunctionList");
    memcpy(&list, &symbol, sizeof list);
    symbol = dlsym(bent, "bent_token");
    memcpy(&get, &symbol, sizeof get);
    assert_int_equal(list(&p), CKR_OK);
    bend = get();
    scratch_make(dir);
    return 0;
}

static int finish(void **state) {
    (void)state;
    scratch_remove(dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_signs, fresh),
        cmocka_unit_test_setup(test_shapes_of_the_public_key, fresh),
        cmocka_unit_test_setup(test_cosigner, fresh),
        cmocka_unit_test_setup(test_threads, fresh),
        cmocka_unit_test_setup(test_no_module, fresh),
        cmocka_unit_test_setup(test_no_token, fresh),
        cmocka_unit_test_setup(test_no_eddsa, fresh),
        cmocka_unit_test_setup(test_pin, fresh),
        cmocka_unit_test_setup(test_wrong_keys, fresh),
        cmocka_unit_test_setup(test_lies, fresh),
        cmocka_unit_test_setup(test_each_time, fresh),
        cmocka_unit_test_setup(test_reset, fresh),
        cmocka_unit_test_setup(test_changed_meanwhile, fresh),
        cmocka_unit_test(test_key_file),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
