/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A clerk's work at the tally desk, whoever shows it (the terminal or the page): which form comes next,
 * its pictures, sealing a reading, opening what may be opened. Nonce and reading lie in the clerk's own
 * folder until then; nothing here tells what was sent or what others read. */
#ifndef SERVICE_CLERK_H
#define SERVICE_CLERK_H

#include "base/file.h"
#include "election/desk_queue.h"
#include "service/openings.h"
#include "service/tree_log.h"

enum { CLERK_IMAGE_MAX = 32 << 20, CLERK_OPEN_MOST = 256, CLERK_TRIED_MOST = 4096, CLERK_PAGES_MAX = 16 };

struct clerk_desk {
    const struct tree_source *tree; /* borrowed, like all of these */
    struct tree_log *log;
    struct span name;     /* of the clerk's key */
    const char *dir;      /* the clerk's own folder: see service/openings.h */
    const char *contest, *station; /* only this contest, only this station; NULL: any */
    uint64_t now_ms;      /* of this device, never before the log's last entry */
    struct arena arena;   /* of the last clerk_tasks */
    struct hash tried[CLERK_TRIED_MOST]; /* seals whose openings were made: the log answers them once */
    size_t tried_count;
};
void clerk_init(struct clerk_desk *w, const struct tree_source *tree, struct tree_log *log, struct span name,
                const char *dir);
void clerk_release(struct clerk_desk *w);

/* Held until *fd is closed. `alone`: no other process may use the folder meanwhile; else none that wants
 * it alone. E_LOCKED. */
MUST_USE err clerk_lock(const char *dir, bool alone, int *fd, struct fail *f);

/* What the log has learnt since; sets now_ms. See tree_log_more. */
MUST_USE err clerk_refresh(struct clerk_desk *w, bool *news, struct fail *f);
/* The error is of a network or a server that is away: nothing is lost, and it goes on later. */
bool clerk_is_away(err e);

/* The forms that wait for this clerk, the next one first. In the arena until the next call. As
 * desk_queue. */
MUST_USE err clerk_tasks(struct clerk_desk *w, struct desk_task **out, size_t *n, struct fail *f);
/* "STATION CONTEST/ROUND NAME" */
void clerk_place(const struct fold *s, const struct cell *c, struct buf *out);

/* The images of the pages of the task's form, in the log's order; how many (at most CLERK_PAGES_MAX). */
size_t clerk_pages(const struct clerk_desk *w, const struct desk_task *t, uint32_t out[CLERK_PAGES_MAX]);
/* Appends the public picture of an image; E_OBJECT when it is not the one that the log names. */
MUST_USE err clerk_picture(const struct clerk_desk *w, const struct image *x, struct buf *out, struct fail *f);
/* "jpg", "png", "pdf" or "bin", by its first bytes. */
const char *clerk_picture_kind(struct span picture);

/* The text of a seal over this reading. Nonce and reading are durable before it returns. A reading that
 * could not be opened is refused: as desk_reading_check. */
MUST_USE err clerk_seal(const struct clerk_desk *w, const struct desk_task *t, struct span reading,
                        struct buf *text, struct hash *record, struct fail *f);
/* The text of the seal that an opening of this clerk belongs to, as clerk_seal made it. */
void clerk_seal_again(const struct opening *o, struct buf *text);

/* Openings that are due: texts to be signed and sent, each made once. What is open or lapsed in the log
 * is moved out of the way; `lapsed` (may be NULL) hears of the latter. The caller releases *out. */
struct clerk_due {
    struct buf texts[CLERK_OPEN_MOST];
    size_t n, waiting, unlogged; /* wait for the other reader; seals that this log does not have (yet) */
    size_t sent;                 /* were made before, and are not open in the log */
};
typedef void clerk_lapsed(void *ctx, struct span station);
MUST_USE err clerk_openings(struct clerk_desk *w, clerk_lapsed *lapsed, void *ctx, struct clerk_due *out, struct fail *f);
void clerk_due_release(struct clerk_due *d);

/* What is typed and not sealed yet: DIR/drafts/HASH.json, mode 0600, one a form. Appends nothing when
 * there is none. */
enum { CLERK_DRAFT_MAX = 16384 };
MUST_USE err clerk_draft_path(const struct clerk_desk *w, const struct cell *c, char out[PATH_MAX_LEN], struct fail *f);
MUST_USE err clerk_draft_write(const char *path, struct span text, struct fail *f);
MUST_USE err clerk_draft_read(const char *path, struct buf *out, struct fail *f);

#endif
