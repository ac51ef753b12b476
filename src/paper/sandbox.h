/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Work on hostile bytes in a child that can do nothing but compute: no files, no network, no
 * programs, bounded memory and time. Its one way out is a pipe of bounded size.
 *
 * seccomp allows memory and that pipe; every other call fails with EPERM. Landlock denies the file
 * system once more where the kernel has it; rlimits bound memory and processor time. */
#ifndef PAPER_SANDBOX_H
#define PAPER_SANDBOX_H

#include "base/bytes.h"

struct sandbox_limits {
    uint64_t memory_bytes; /* address space above what the parent has */
    unsigned cpu_seconds;
    unsigned wall_ms;
};

struct sandbox_usage {
    uint64_t peak_kb; /* resident, at its highest, shared pages included */
    double cpu_seconds;
};

/* Runs in the child with what the parent had in memory (a copy); writes its answer into *out, whose
 * max bounds it. Must not rely on locks that other threads of the parent may hold. */
typedef err sandbox_work(void *ctx, struct buf *out, struct fail *f);

/* Forks, confines, works, and appends the answer to *out. The child's own error comes back as it
 * is; a child that dies or takes too long is E_IMAGE (its input did that); what cannot be confined
 * is E_SANDBOX, and nothing is run. The answer is as untrusted as the input. usage may be NULL. */
MUST_USE err sandbox_run(sandbox_work *work, void *ctx, struct sandbox_limits limits,
                         struct buf *out, struct sandbox_usage *usage, struct fail *f);

/* Page `page` (from 1) of a PDF as grey PGM bytes, by Debian's pdftoppm, confined: its standard
 * input and output, reading system libraries and fonts, no writing, no network. Longer side `side`
 * pixels. E_IMAGE when there is no such page. */
MUST_USE err sandbox_pdf_page(struct span pdf, unsigned page, unsigned side, struct buf *out,
                              struct fail *f);

/* Whether the kernel has Landlock (for reports). */
bool sandbox_has_landlock(void);

#endif
