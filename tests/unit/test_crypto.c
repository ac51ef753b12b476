/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* SHA-256, Ed25519, secrets and key files. */
#include "test.h"

#include <pthread.h>
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/keyfile.h"
#include "crypto/secret.h"

static void hex_is(const struct hash *h, const char *want) {
    char hex[HASH_HEX_LEN + 1];
    hash_hex(h, hex);
    assert_string_equal(hex, want);
}

/* FIPS 180-4 examples. */
static void test_sha256(void **state) {
    (void)state;
    struct fail f;
    struct hash h = sha256(SPAN_LIT(""));
    hex_is(&h, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    h = sha256(SPAN_LIT("abc"));
    hex_is(&h, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const char *want = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
    struct span s = SPAN_LIT(two);
    for (size_t cut = 0; cut <= s.n; cut++) {
        h = sha256_2(span_of(s.p, cut), span_from(s, cut));
        hex_is(&h, want);
    }
    struct sha256_stream *stream;
    must(sha256_stream_new(&stream, &f));
    for (int again = 0; again < 2; again++) { /* the stream starts afresh after its end */
        for (size_t i = 0; i < s.n; i++) sha256_stream_add(stream, span_of(s.p + i, 1));
        h = sha256_stream_end(stream);
        hex_is(&h, want);
    }
    sha256_stream_free(stream);
    sha256_stream_free(NULL);
}

static void test_hash_text(void **state) {
    (void)state;
    struct fail f;
    struct hash h = sha256(SPAN_LIT("abc")), g;
    char hex[HASH_HEX_LEN + 1], b64[HASH_BASE64_LEN + 1];
    hash_hex(&h, hex);
    must(hash_from_hex(span_text(hex), &g, &f));
    assert_true(hash_eq(&h, &g));
    base64_encode(hash_span(&h), b64);
    memset(&g, 0, sizeof g);
    assert_true(hash_is_zero(&g));
    must(hash_from_base64(span_text(b64), &g, &f));
    assert_int_equal(hash_cmp(&h, &g), 0);
    assert_false(hash_is_zero(&g));
    refuses(E_HEX, hash_from_hex(SPAN_LIT("ba78"), &g, &f));
    refuses(E_BASE64, hash_from_base64(SPAN_LIT("AAAA"), &g, &f));
    /* 44 characters that stand for 33 and for 31 bytes */
    refuses(E_BASE64,
            hash_from_base64(SPAN_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &g, &f));
    refuses(E_BASE64,
            hash_from_base64(SPAN_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="), &g, &f));
}

static void *hash_in_thread(void *arg) {
    struct hash *out = arg;
    for (int i = 0; i < 1000; i++) *out = sha256_2(hash_span(out), SPAN_LIT("x"));
    return NULL;
}

static void test_hash_threads(void **state) {
    (void)state;
    struct hash alone = {{0}}, h[4] = {0};
    pthread_t t[4];
    hash_in_thread(&alone);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, hash_in_thread, &h[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(t[i], NULL), 0);
        assert_true(hash_eq(&h[i], &alone));
    }
}

static void bytes(const char *hex, uint8_t *out, size_t n) {
    struct fail f;
    must(hex_decode(span_text(hex), out, n, &f));
}

/* RFC 8032 section 7.1, tests 1 and 3. */
static void test_ed25519(void **state) {
    (void)state;
    static const struct {
        const char *seed, *public, *message, *sig;
    } rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
         "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t seed[32], public[32], want[64], message[2];
        struct ed25519_secret secret;
        struct ed25519_public p, q;
        struct ed25519_signature sig;
        size_t n = strlen(rows[i].message) / 2;
        bytes(rows[i].seed, seed, sizeof seed);
        bytes(rows[i].public, public, sizeof public);
        bytes(rows[i].sig, want, sizeof want);
        bytes(rows[i].message, message, n);
        ed25519_from_seed(seed, &secret, &p);
        assert_memory_equal(p.b, public, 32);
        q = ed25519_public_of(&secret);
        assert_memory_equal(q.b, public, 32);
        ed25519_sign(&secret, span_of(message, n), &sig);
        assert_memory_equal(sig.b, want, 64);
        assert_true(ed25519_verify(&p, &sig, span_of(message, n)));
        for (size_t bit = 0; bit < 512; bit++) {
            sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(ed25519_verify(&p, &sig, span_of(message, n)));
            sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    struct ed25519_secret a, b;
    struct ed25519_public pa, pb;
    ed25519_generate(&a, &pa);
    ed25519_generate(&b, &pb);
    assert_memory_not_equal(pa.b, pb.b, 32);
}

static void test_secret(void **state) {
    (void)state;
    struct fail f;
    uint8_t salt[SECRET_SALT_BYTES], nonce[SECRET_NONCE_BYTES], box[5 + SECRET_TAG_BYTES], plain[5];
    struct secret_kdf kdf = {1, 64};
    must(secret_seal(SPAN_LIT("hello"), SPAN_LIT("word"), kdf, salt, nonce, box, &f));
    struct span sealed = span_of(box, sizeof box);
    must(secret_open(sealed, SPAN_LIT("word"), kdf, salt, nonce, plain, &f));
    assert_memory_equal(plain, "hello", 5);
    refuses(E_PASSPHRASE, secret_open(sealed, SPAN_LIT("Word"), kdf, salt, nonce, plain, &f));
    refuses(E_PASSPHRASE,
            secret_open(span_of(box, 3), SPAN_LIT("word"), kdf, salt, nonce, plain, &f));
    box[2] ^= 1;
    refuses(E_PASSPHRASE, secret_open(sealed, SPAN_LIT("word"), kdf, salt, nonce, plain, &f));
    kdf.ops = SECRET_KDF_OPS_MAX + 1;
    refuses(E_RANGE, secret_open(sealed, SPAN_LIT("word"), kdf, salt, nonce, plain, &f));
    kdf = (struct secret_kdf){1, SECRET_KDF_KIB_MAX + 1};
    refuses(E_RANGE, secret_seal(SPAN_LIT("hello"), SPAN_LIT("word"), kdf, salt, nonce, box, &f));

    uint8_t *locked = secret_alloc(64);
    assert_non_null(locked);
    secret_random(locked, 64);
    uint8_t copy[64];
    memcpy(copy, locked, 64);
    assert_true(secret_eq(copy, locked, 64));
    secret_wipe(copy, 64);
    for (size_t i = 0; i < 64; i++) assert_int_equal(copy[i], 0);
    assert_false(secret_eq(copy, locked, 64));
    secret_free(locked);
    for (int i = 0; i < 100; i++) assert_true(secret_random_below(7) < 7);
}

static const uint8_t seed_7[32] = {7, 7, 7};

static void test_keyfile_protected(void **state) {
    (void)state;
    struct fail f;
    struct note_signer signer, again;
    must(note_signer_make(SPAN_LIT("po.017.example"), NOTE_TYPE_ED25519, seed_7, &signer, &f));
    struct buf b;
    buf_init(&b, KEYFILE_BYTES_MAX);
    must(keyfile_write(&signer, SPAN_LIT("correct horse"), (struct secret_kdf){1, 64}, &b, &f));
    struct keyfile file;
    must(keyfile_parse(buf_view(&b), &file, &f));
    assert_false(file.simulated);
    assert_true(span_is(file.key.name, "po.017.example"));
    must(keyfile_open(&file, SPAN_LIT("correct horse"), &again, &f));
    assert_memory_equal(&again.secret, &signer.secret, sizeof signer.secret);
    assert_int_equal(again.key.id, signer.key.id);
    refuses(E_PASSPHRASE, keyfile_open(&file, SPAN_LIT("correct hors"), &again, &f));
    /* the seed stands nowhere in the clear */
    char hidden[BASE64_LEN(32) + 1];
    base64_encode(span_of(seed_7, 32), hidden);
    assert_null(strstr(buf_cstr(&b), hidden));

    /* the same box under another name, with a fitting vkey */
    struct note_signer other;
    must(note_signer_make(SPAN_LIT("po.018.example"), NOTE_TYPE_ED25519, seed_7, &other, &f));
    struct buf v, forged;
    buf_init(&v, 1024);
    buf_init(&forged, KEYFILE_BYTES_MAX);
    note_vkey_format(&other.key, &v);
    buf_str(&forged, "hesabu-key/v1\nvkey ");
    buf_span(&forged, buf_view(&v));
    buf_str(&forged, strstr(buf_cstr(&b), "\nargon2id"));
    must(keyfile_parse(buf_view(&forged), &file, &f));
    refuses(E_PASSPHRASE, keyfile_open(&file, SPAN_LIT("correct horse"), &again, &f));

    refuses(E_PASSPHRASE, keyfile_write(&signer, SPAN_LIT(""), SECRET_KDF_DEFAULT, &forged, &f));
    /* cut anywhere, or one byte more: not a key file */
    for (size_t n = 0; n < b.n; n++)
        assert_int_not_equal(keyfile_parse(span_of(b.p, n), &file, &f), OK);
    buf_byte(&b, '\n');
    refuses(E_FIELD, keyfile_parse(buf_view(&b), &file, &f));
    buf_release(&b);
    buf_release(&v);
    buf_release(&forged);
}

static void test_keyfile_costs(void **state) {
    (void)state;
    struct fail f;
    struct note_signer signer;
    struct keyfile file;
    must(note_signer_make(SPAN_LIT("a"), NOTE_TYPE_ED25519, seed_7, &signer, &f));
    static const char *const costs[] = {"0 64", "1 7",   "17 64", "1 1048577",
                                        "1",    "1 64 ", "01 64", "1 99999999999999999999"};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
        struct buf b;
        buf_init(&b, KEYFILE_BYTES_MAX);
        buf_str(&b, "hesabu-key/v1\nvkey ");
        note_vkey_format(&signer.key, &b);
        buf_printf(&b, "\nargon2id %s\nsalt ", costs[i]);
        static const uint8_t zero[KEYFILE_BOX_BYTES];
        buf_base64(&b, span_of(zero, SECRET_SALT_BYTES));
        buf_str(&b, "\nnonce ");
        buf_base64(&b, span_of(zero, SECRET_NONCE_BYTES));
        buf_str(&b, "\nbox ");
        buf_base64(&b, span_of(zero, sizeof zero));
        buf_byte(&b, '\n');
        refuses(E_FIELD, keyfile_parse(buf_view(&b), &file, &f));
        buf_release(&b);
    }
}

static void test_keyfile_simulated(void **state) {
    (void)state;
    struct fail f;
    struct note_signer signer, again;
    must(note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_COSIGNATURE, seed_7, &signer, &f));
    struct buf b;
    buf_init(&b, KEYFILE_BYTES_MAX);
    must(keyfile_write_simulated(&signer, &b, &f));
    assert_non_null(strstr(buf_cstr(&b), "SIMULATED"));
    struct keyfile file;
    must(keyfile_parse(buf_view(&b), &file, &f));
    assert_true(file.simulated);
    must(keyfile_open(&file, SPAN_LIT(""), &again, &f));
    assert_memory_equal(&again.secret, &signer.secret, sizeof signer.secret);
    assert_int_equal(again.key.type, NOTE_TYPE_COSIGNATURE);

    /* a secret key that is not the verifier key's */
    static const uint8_t seed_8[32] = {8};
    struct note_signer other;
    must(note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_COSIGNATURE, seed_8, &other, &f));
    struct buf mixed;
    buf_init(&mixed, KEYFILE_BYTES_MAX);
    buf_add(&mixed, b.p, (size_t)(strstr(buf_cstr(&b), "skey ") - (char *)b.p));
    buf_str(&mixed, "skey ");
    note_skey_format(&other, &mixed);
    buf_byte(&mixed, '\n');
    must(keyfile_parse(buf_view(&mixed), &file, &f));
    refuses(E_PASSPHRASE, keyfile_open(&file, SPAN_LIT(""), &again, &f));
    buf_release(&b);
    buf_release(&mixed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),        cmocka_unit_test(test_hash_text),
        cmocka_unit_test(test_hash_threads),  cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_secret),        cmocka_unit_test(test_keyfile_protected),
        cmocka_unit_test(test_keyfile_costs), cmocka_unit_test(test_keyfile_simulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
