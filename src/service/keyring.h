/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The keys that the log names, for threads that check signatures before a submission is queued.
 *
 * A name and a public key occur once, ever, so an entry never changes: what a thread found here is
 * what apply will find. Whether the key may sign is apply's question. Thread-safe. */
#ifndef SERVICE_KEYRING_H
#define SERVICE_KEYRING_H

#include "election/fold.h"

struct keyring;
MUST_USE err keyring_new(struct keyring **out, struct fail *f);
void keyring_free(struct keyring *k);
/* Takes over the keys fold_key_at(fold, already taken..) that are new since the last call. */
MUST_USE err keyring_update(struct keyring *k, const struct fold *fold, struct fail *f);
/* No key is known: the log has not begun. */
bool keyring_is_empty(struct keyring *k);
/* The public key and id of this name; false if there is none. */
bool keyring_find(struct keyring *k, struct span name, uint8_t pub[32], uint32_t *keyid);
/* Index of the record that introduced this key (0: the manifest); UINT64_MAX if there is none. */
uint64_t keyring_index(struct keyring *k, struct span name);

#endif
