/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bent_token.h"

#include <dlfcn.h>
#include <string.h>
#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST *real, bent;
static struct bend bend;

struct bend *bent_token(void) {
    return &bend;
}

static CK_RV sign(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG n, CK_BYTE_PTR out,
                  CK_ULONG *out_n) {
    if (bend.sign_rv && bend.sign_times) {
        bend.sign_times--;
        return bend.sign_rv;
    }
    CK_RV rv = real->C_Sign(s, data, n, out, out_n);
    if (rv == CKR_OK && bend.bad_signature) out[0] ^= 1;
    if (rv == CKR_OK && bend.short_signature) *out_n = 63;
    return rv;
}

static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE who, CK_UTF8CHAR_PTR pin, CK_ULONG n) {
    bend.logins++;
    if (bend.login_rv) return bend.login_rv;
    if (!pin) {
        bend.no_pin++;
        if (!bend.keypad) return CKR_ARGUMENTS_BAD;
        char typed[32];
        n = strlen(bend.keypad);
        memcpy(typed, bend.keypad, n);
        return real->C_Login(s, who, (CK_UTF8CHAR_PTR)typed, n);
    }
    return real->C_Login(s, who, pin, n);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    CK_RV rv = real->C_GetTokenInfo(slot, info);
    if (rv == CKR_OK) info->flags = (info->flags | bend.set) & ~bend.clear;
    return rv;
}

static CK_RV mechanism(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info) {
    if (bend.no_eddsa && type == CKM_EDDSA) return CKR_MECHANISM_INVALID;
    return real->C_GetMechanismInfo(slot, type, info);
}

/* The point of the public key beside this object, as 34 bytes. */
static CK_RV point_of(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_BYTE point[34]) {
    CK_BYTE id[64];
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_OBJECT_HANDLE public;
    CK_ULONG n = 0;
    CK_ATTRIBUTE a = {CKA_ID, id, sizeof id};
    CK_RV rv = real->C_GetAttributeValue(s, o, &a, 1);
    if (rv != CKR_OK) return rv;
    CK_ATTRIBUTE want[2] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, a.ulValueLen}};
    rv = real->C_FindObjectsInit(s, want, 2);
    if (rv != CKR_OK) return rv;
    rv = real->C_FindObjects(s, &public, 1, &n);
    (void)real->C_FindObjectsFinal(s);
    a = (CK_ATTRIBUTE){CKA_EC_POINT, point, 34};
    return rv == CKR_OK && n == 1 ? real->C_GetAttributeValue(s, public, &a, 1)
                                  : CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV attribute(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *a, CK_ULONG n) {
    static const CK_BYTE head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                   0x2b, 0x65, 0x70, 0x03, 0x21, 0};
    if (n == 1 && a->type == CKA_EC_POINT && (bend.no_point || bend.info_point))
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (n == 1 && a->type == CKA_PUBLIC_KEY_INFO && bend.info_point && a->ulValueLen >= 44) {
        CK_BYTE point[34];
        CK_RV rv = point_of(s, o, point);
        if (rv != CKR_OK) return rv;
        memcpy(a->pValue, head, sizeof head);
        memcpy((CK_BYTE *)a->pValue + sizeof head, point + 2, 32);
        a->ulValueLen = 44;
        return CKR_OK;
    }
    CK_RV rv = real->C_GetAttributeValue(s, o, a, n);
    if (rv == CKR_OK && n == 1 && a->type == CKA_EC_POINT && bend.raw_point &&
        a->ulValueLen == 34) {
        memmove(a->pValue, (CK_BYTE *)a->pValue + 2, 32);
        a->ulValueLen = 32;
    }
    if (rv == CKR_OK && n == 1 && a->type == CKA_SENSITIVE && bend.loose) memset(a->pValue, 0, 1);
    return rv;
}

/* SoftHSM knows Ed25519 by its object identifier only. */
static CK_RV make(CK_SESSION_HANDLE s, CK_MECHANISM *how, CK_ATTRIBUTE *public, CK_ULONG public_n,
                  CK_ATTRIBUTE *private, CK_ULONG private_n, CK_OBJECT_HANDLE *a,
                  CK_OBJECT_HANDLE *b) {
    static CK_BYTE oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
    if (bend.named_curve && public[0].ulValueLen != 14) return CKR_CURVE_NOT_SUPPORTED;
    if (bend.named_curve && memcmp(public[0].pValue,
                                   "\x13\x0c"
                                   "edwards25519",
                                   14) == 0) {
        public[0].pValue = oid;
        public[0].ulValueLen = sizeof oid;
    }
    return real->C_GenerateKeyPair(s, how, public, public_n, private, private_n, a, b);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out) {
    const char *path = softhsm_path();
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;
    CK_C_GetFunctionList list = NULL;
    memcpy(&list, &symbol, sizeof list);
    if (!list || list(&real) != CKR_OK) return CKR_GENERAL_ERROR;
    bent = *real;
    bent.C_Sign = sign;
    bent.C_Login = login;
    bent.C_GetTokenInfo = token_info;
    bent.C_GetMechanismInfo = mechanism;
    bent.C_GetAttributeValue = attribute;
    bent.C_GenerateKeyPair = make;
    *out = &bent;
    return CKR_OK;
}
