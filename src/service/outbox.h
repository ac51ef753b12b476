/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A durable queue of signed records on their way to the log. An item is on the disk before anything
 * is sent and stays until the log's proof for it has been checked here against the pinned anchor;
 * resending is harmless, because a record is known by its id.
 *
 *   DIR/anchor               the trust anchor that receipts are checked against
 *   DIR/queue/SEQ-ID/        note, objects/HASH, classes; receipt once there is one
 *   DIR/done/, DIR/refused/  the same folders, moved; refused ones with `refusal` (JSON)
 *   DIR/evidence/            answers that do not hold: what a court would want to see
 *
 * Folders appear and move by rename, so a crash leaves an item in exactly one place. Speaks to the
 * server through a transport that http/ implements. One thread; processes exclude each other. */
#ifndef SERVICE_OUTBOX_H
#define SERVICE_OUTBOX_H

#include "election/anchor.h"
#include "service/notes.h"

/* One exchange. OK when there was a whole answer; then `code` is OK for 2xx, else what the answer's
 * JSON named (E_NETWORK when it named nothing), with its sentence. */
struct outbox_request {
    const char *method; /* GET, POST, PUT */
    const char *path;   /* "/records" */
    struct span body;
    const char *body_file;      /* sent instead of `body` when not NULL */
    const char *const *headers; /* NULL-terminated, may be NULL */
};
struct outbox_answer {
    int status;
    uint32_t retry_after_s; /* 0: not said */
    err code;
    struct fail refusal;
    struct buf body;
};
struct outbox_transport {
    err (*call)(void *ctx, const struct outbox_request *r, struct outbox_answer *a, struct fail *f);
    void *ctx;
};

enum outbox_state { OUTBOX_QUEUED, OUTBOX_RECEIVED, OUTBOX_DONE, OUTBOX_REFUSED };
const char *outbox_state_name(enum outbox_state s);

struct outbox_item {
    char name[96]; /* of its folder */
    char id[HASH_HEX_LEN + 1];
    char path[512]; /* of its folder, now */
    enum outbox_state state;
    uint64_t index;      /* in the log; UINT64_MAX before a receipt */
    bool witnessed;      /* the receipt meets the anchor's witness policy */
    uint32_t not_logged; /* of our signature lines, how many the entry does not carry */
    struct fail refusal; /* when REFUSED, or why it waits */
};

struct outbox;
/* Makes the folder if needed and sweeps what a crash left unfinished. */
MUST_USE err outbox_open(const char *dir, struct outbox **out, struct fail *f);
void outbox_close(struct outbox *o); /* NULL is fine */

/* Pins the anchor, durably. E_ANCHOR when another one is pinned already. */
MUST_USE err outbox_pin(struct outbox *o, struct span anchor, struct fail *f);
/* The pinned anchor, or NULL. */
const struct anchor *outbox_anchor(const struct outbox *o);
/* Whether the anchor's policy asks for witnesses. */
bool outbox_has_witnesses(const struct outbox *o);

/* Puts a signed note into the queue with copies of those of files[n] that it names as objects, and
 * returns when all of it is durable. *out tells where it is: an item with the same bytes that is
 * queued or done already is not added again; a refused one is queued anew. *missing counts objects
 * that the note names and no file is. E_UNSIGNED, E_ELECTION, E_OBJECT for a file that it does not
 * name, and the errors of notes_parse. */
MUST_USE err outbox_add(struct outbox *o, struct span note, const char *const *files, size_t n,
                        struct outbox_item *out, size_t *missing, struct fail *f);

struct outbox_progress {
    size_t queued, received; /* left: without a receipt, with one that is not witnessed yet */
    size_t done, refused;    /* in this step */
    uint64_t again_ms;       /* wait this long before the next step */
    struct fail waits;       /* why, when something temporary is in the way */
};
struct outbox_step_options {
    bool wait_witnessed; /* else a receipt that holds is enough */
    /* Called for each item that changed; may be NULL. */
    void (*changed)(void *ctx, const struct outbox_item *item);
    void *ctx;
};
/* One pass over the queue, in order. OK also when the server is away (see `waits`). Errors end the
 * pass and lose nothing: E_LOCKED (another process sends), E_PROOF, E_SIGNATURE, E_UNSIGNED, E_FORK
 * and their kin when an answer does not hold (it is kept as evidence, the item stays), E_IO. */
MUST_USE err outbox_step(struct outbox *o, const struct outbox_transport *t,
                         const struct outbox_step_options *so, struct outbox_progress *out,
                         struct fail *f);

/* All items, oldest first within each state. */
typedef void outbox_visit(void *ctx, const struct outbox_item *item);
MUST_USE err outbox_list(struct outbox *o, outbox_visit *visit, void *ctx, struct fail *f);

/* Checks a receipt for the record with this text: the entry holds it, the proof holds under a
 * checkpoint that the anchor's log signed. *witnessed (may be NULL): and its witness policy is met.
 * *not_logged (may be NULL): lines of `note` that the entry lacks. E_NETWORK when the bytes are no
 * receipt at all (cut, or a stranger's page); any other error means that the answer does not hold. */
MUST_USE err outbox_check_receipt(const struct anchor *a, struct span note, struct span receipt,
                                  uint64_t *index, bool *witnessed, uint32_t *not_logged,
                                  struct fail *f);

#endif
