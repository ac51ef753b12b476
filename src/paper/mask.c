/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/mask.h"

#include <math.h>

err mask_kinds(const char *text, unsigned *kinds, struct fail *f) {
    *kinds = 0;
    while (*text) {
        const size_t n = strcspn(text, ",");
        unsigned k = 0;
        while (k < ZONE_KINDS && !span_is(span_of(text, n), form_zone_key((enum zone_kind)k))) k++;
        if (k == ZONE_KINDS)
            return fail_set(
                f, E_USAGE,
                "there is no zone \"%.*s\": signature_officer, signature_deputy, stamp, "
                "agent_name, agent_id, agent_phone, agent_party, agent_signature, remarks",
                (int)(n < 60 ? n : 60), text);
        *kinds |= 1u << k;
        text += n + (text[n] == ',');
    }
    return OK;
}

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
        if (z->at.x - wider >= (int)r->width || z->at.y - wider >= (int)r->height ||
            z->at.x + z->at.w + wider <= 0 || z->at.y + z->at.h + wider <= 0)
            continue; /* the picture ends before it */
        out->rect[out->rect_count++] = (struct image_rect){
            z->at.x - wider, z->at.y - wider, z->at.w + 2 * wider, z->at.h + 2 * wider};
    }
    return OK;
}

struct job {
    struct span file;
    const struct image_rect *rects;
    size_t n;
};

static err work(void *ctx, struct buf *out, struct fail *f) {
    const struct job *j = ctx;
    return image_mask(j->file, j->rects, j->n, out, f);
}

err mask_rects(struct span file, const struct image_rect *rects, size_t n, struct mask_result *out,
               struct buf *published, struct fail *f) {
    static const struct sandbox_limits limits = {(uint64_t)640 << 20, 30, 60000};
    struct job j = {file, rects, n};
    const size_t before = published->n;
    TRY(sandbox_run(work, &j, limits, published, NULL, f));
    out->original = sha256(file);
    out->published = sha256(span_from(buf_view(published), before));
    return OK;
}

err mask_file(struct span file, struct mask_result *out, struct buf *published, struct fail *f) {
    return mask_rects(file, out->rect, out->rect_count, out, published, f);
}
