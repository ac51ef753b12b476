/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/mask.h"

#include <math.h>

err mask_zones(const struct scan_result *r, unsigned kinds, struct mask_result *out,
               struct fail *f) {
    *out = (struct mask_result){0};
    if (!r->template_ok || r->zone_count == 0)
        return fail_set(f, E_IMAGE,
                        "the form's template is not recognised, so its personal data cannot be "
                        "found: mask this image by hand");
    const int wider = (int)ceil(r->pixels_per_mm);
    for (uint32_t i = 0; i < r->zone_count; i++) {
        const struct scan_zone *z = &r->zone[i];
        if (!(kinds >> z->kind & 1)) continue;
        out->rect[out->rect_count++] = (struct image_rect){
            z->at.x - wider, z->at.y - wider, z->at.w + 2 * wider, z->at.h + 2 * wider};
    }
    return OK;
}

struct job {
    struct span file;
    const struct mask_result *mask;
};

static err work(void *ctx, struct buf *out, struct fail *f) {
    const struct job *j = ctx;
    return image_mask(j->file, j->mask->rect, j->mask->rect_count, out, f);
}

err mask_file(struct span file, struct mask_result *out, struct buf *published, struct fail *f) {
    static const struct sandbox_limits limits = {(uint64_t)640 << 20, 30, 60000};
    struct job j = {file, out};
    const size_t before = published->n;
    TRY(sandbox_run(work, &j, limits, published, NULL, f));
    out->original = sha256(file);
    out->published = sha256(span_from(buf_view(published), before));
    return OK;
}
