/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a scan says, as JSON, and against what was typed. */
#include <math.h>
#include "paper/joint.h"

static void rect_json(struct json_out *j, const struct scan_rect *r) {
    json_key(j, "box");
    json_array(j);
    json_i64(j, r->x);
    json_i64(j, r->y);
    json_i64(j, r->w);
    json_i64(j, r->h);
    json_array_end(j);
}

static void field_json(const struct scan_result *r, const struct scan_field *k,
                       struct json_out *j) {
    const struct field_reading *v = &k->read;
    const char *key = form_row_key(r->code.shape, k->index);
    json_object(j);
    json_kstr(j, "field", key);
    if (k->index < r->code.shape.choices) json_ku64(j, "choice", k->index + 1);
    json_kbool(j, "answered", v->reasons == 0);
    if (v->has_value) json_ku64(j, "value", v->value);
    if (v->has_value && isfinite(v->score)) json_kdouble(j, "score", v->score);
    if (v->has_other) json_ku64(j, "other", v->other);
    if (v->has_value && isfinite(v->margin)) json_kdouble(j, "margin", v->margin);
    json_kstr(j, "boxes", v->text);
    json_kbool(j, "corrected", v->corrected);
    if (k->by_sum) json_kbool(j, "by_arithmetic", true);
    if (k->hidden) json_kdouble(j, "print_hidden_mm", round(k->hidden_mm * 10) / 10);
    json_key(j, "abstained");
    json_array(j);
    for (unsigned bit = 0; bit < ABSTAIN_REASONS; bit++)
        if (v->reasons >> bit & 1) json_str(j, abstain_name(bit));
    json_array_end(j);
    rect_json(j, &k->at);
    json_object_end(j);
}

static void code_json(const struct scan_result *r, struct json_out *j) {
    json_key(j, "sheet");
    if (!r->qr_read && !r->strip_read) {
        json_null(j);
        return;
    }
    json_object(j);
    json_kstr(j, "form", r->code.form);
    json_kstr(j, "station", r->code.station);
    if (r->code.contest[0]) json_kstr(j, "contest", r->code.contest);
    if (r->code.contest_number) json_ku64(j, "contest_number", r->code.contest_number);
    json_ku64(j, "serial", r->code.serial);
    json_ku64(j, "page", r->code.page);
    json_ku64(j, "pages", r->code.pages);
    json_object_end(j);
}

void scan_result_json(const struct scan_result *r, struct json_out *j) {
    static const char *const sums[] = {"agrees", "differs", "unknown"};
    json_object(j);
    json_ku64(j, "width", r->width);
    json_ku64(j, "height", r->height);
    code_json(r, j);
    json_kbool(j, "qr_read", r->qr_read);
    json_kbool(j, "strip_read", r->strip_read);
    if (r->qr_read && r->strip_read) json_kbool(j, "codes_agree", r->codes_agree);
    json_kbool(j, "registered", r->has_sheet);
    if (r->has_sheet) {
        json_ku64(j, "markers", r->markers);
        json_kdouble(j, "residual_mm", r->residual_mm);
        json_kdouble(j, "pixels_per_mm", r->pixels_per_mm);
        json_kdouble(j, "gate", r->gate);
        json_kbool(j, "template_ok", r->template_ok);
    }
    json_key(j, "fields");
    json_array(j);
    for (uint32_t i = 0; i < r->field_count; i++) field_json(r, &r->field[i], j);
    json_array_end(j);
    if (r->field_count) {
        json_kstr(j, "sum", sums[scan_check_sum(r)]);
        json_key(j, "broken_rules");
        json_array(j);
        for (int k = 0; k < JOINT_RULES; k++)
            if (r->broken >> k & 1) json_str(j, joint_rule_name((enum joint_rule)k));
        json_array_end(j);
    }
    json_key(j, "zones");
    json_array(j);
    for (uint32_t i = 0; i < r->zone_count; i++) {
        const struct scan_zone *z = &r->zone[i];
        json_object(j);
        json_kstr(j, "zone", form_zone_key((enum zone_kind)z->kind));
        json_ku64(j, "index", z->index);
        json_kbool(j, "present", z->present);
        json_kdouble(j, "ink_mm2", round(z->ink_mm2 * 10) / 10);
        if (z->kind == ZONE_STAMP && z->present) {
            json_kbool(j, "ring", z->ring);
            json_kdouble(j, "ring_part", round(z->ring_part * 100) / 100);
            if (z->ring) json_kdouble(j, "ring_radius_mm", z->ring_radius_mm);
        }
        rect_json(j, &z->at);
        json_object_end(j);
    }
    json_array_end(j);
    if (r->zone_hash_usable) {
        uint8_t bytes[SCAN_HASH_WORDS * 8];
        for (int i = 0; i < SCAN_HASH_WORDS; i++) put_u64be(bytes + 8 * i, r->zone_hash[i]);
        json_khex(j, "zone_hash", span_of(bytes, sizeof bytes));
    }
    if (r->note_size) {
        json_key(j, "note");
        json_base64(j, span_of(r->note, r->note_size));
    }
    json_object_end(j);
}

const char *scan_verdict_name(enum scan_verdict v) {
    static const char *const names[] = {"agrees", "differs", "cannot-tell"};
    return v <= SCAN_CANNOT_TELL ? names[v] : "";
}

enum scan_sum scan_check_sum(const struct scan_result *r) {
    uint64_t sum = 0;
    unsigned choices = 0;
    bool has_valid = false;
    uint64_t valid = 0;
    for (uint32_t i = 0; i < r->field_count; i++) {
        const struct scan_field *k = &r->field[i];
        const bool is_choice = k->index < r->code.shape.choices;
        const bool is_valid = k->index + 1 == r->code.shape.choices + FORM_COUNT_ROWS;
        if (!is_choice && !is_valid) continue;
        if (k->read.reasons) return SUM_UNKNOWN;
        if (is_valid) {
            has_valid = true;
            valid = k->read.value;
        } else {
            sum += k->read.value;
            choices++;
        }
    }
    if (!has_valid || choices != r->code.shape.choices) return SUM_UNKNOWN;
    return sum == valid ? SUM_OK : SUM_DIFFERS;
}
