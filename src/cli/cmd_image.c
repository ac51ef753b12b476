/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu image: the record of a form's picture, its original and its public version. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/send.h"
#include "cli/tree.h"
#include "cli/values.h"
#include "crypto/sealed.h"
#include "election/compose.h"
#include "paper/mask.h"
#include "service/metadata.h"
#include "service/preset.h"

int cmd_image(int argc, char **argv);

enum { PICTURE_MAX = 32 << 20, MASKS_MAX = 100 };

struct image_args {
    const char *contest, *station, *kind, *result, *shown, *public_out, *election;
    const char *zones, *preset, *sealed;
    uint64_t page, round;
    struct opt_list masks;
    uint32_t masked[MASKS_MAX][4];
    size_t masked_count;
    char public_path[PATH_MAX_LEN];
    struct hash result_id;
};

/* ---- what the public does not see ---- */

/* "preset", or names of zones, to bits. */
static err zone_kinds(const struct image_args *a, unsigned *kinds, struct fail *f) {
    if (strcmp(a->zones, "preset") != 0) return mask_kinds(a->zones, kinds, f);
    struct arena mem;
    struct preset p;
    arena_init(&mem, (size_t)256 << 20);
    const err e = preset_load(a->preset, &mem, &p, f);
    if (e == OK) *kinds = p.masked_zones;
    arena_release(&mem);
    return e;
}

static err keep_rect(struct image_args *a, const struct image_rect *r, struct fail *f) {
    const int x0 = r->x < 0 ? 0 : r->x, y0 = r->y < 0 ? 0 : r->y;
    const int w = r->x + r->w - x0, h = r->y + r->h - y0;
    if (w <= 0 || h <= 0) return OK; /* outside of the picture */
    if (a->masked_count == MASKS_MAX)
        return fail_set(f, E_USAGE, "more than %d masks", MASKS_MAX);
    const uint32_t v[4] = {(uint32_t)x0, (uint32_t)y0, (uint32_t)w, (uint32_t)h};
    memcpy(a->masked[a->masked_count++], v, sizeof v);
    return OK;
}

/* The zones of a form of ours, found on this picture: where the sheet is not recognised nothing is
 * masked by guess. */
static err find_zones(struct image_args *a, struct span original, struct fail *f) {
    const struct scan_options o = {.rules = decode_default_rules()};
    struct mask_result m;
    struct reader r;
    struct sandbox_usage usage;
    struct hash hash;
    unsigned kinds;
    TRY(zone_kinds(a, &kinds, f));
    if (kinds == 0) return OK; /* this law hides nothing */
    struct scan_result *s = malloc(sizeof *s);
    if (!s) return fail_set(f, E_MEMORY, "no memory to find the form's zones");
    err e = reader_init_builtin(&r, f);
    if (e == OK) {
        e = scan_file(&r, original, 1, &o, s, &usage, &hash, f);
        reader_release(&r);
    }
    if (e == OK) e = mask_zones(s, kinds, &m, f);
    if (e == OK && s->code.page != a->page)
        e = fail_set(f, E_FIELD, "this picture shows page %u of the form: say --page %u", s->code.page,
                     s->code.page);
    if (e == OK && strcmp(s->code.station, a->station) != 0)
        e = fail_set(f, E_FIELD, "this picture shows the form of station %s, not of %s",
                     s->code.station, a->station);
    for (size_t i = 0; e == OK && i < m.rect_count; i++) e = keep_rect(a, &m.rect[i], f);
    free(s);
    return e;
}

/* The original with its rectangles painted over, in a sandboxed child. */
static err paint(const struct image_args *a, struct span original, struct buf *out, struct fail *f) {
    struct image_rect rects[MASKS_MAX];
    struct mask_result m = {0};
    for (size_t i = 0; i < a->masked_count; i++)
        rects[i] = (struct image_rect){(int)a->masked[i][0], (int)a->masked[i][1],
                                       (int)a->masked[i][2], (int)a->masked[i][3]};
    return mask_rects(original, rects, a->masked_count, &m, out, f);
}

static bool same_file(const char *x, const char *y) {
    struct stat a, b;
    return stat(x, &a) == 0 && stat(y, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* FILE.public: what goes to the public, without metadata. */
static err write_public(struct image_args *a, const char *original, struct named_object *out,
                        struct fail *f) {
    const char *from = a->shown ? a->shown : original;
    struct buf file, painted, clean;
    struct metadata_removed gone;
    if (a->public_out && same_file(a->public_out, original))
        return fail_set(f, E_USAGE, "--public-out is the original itself");
    buf_init(&file, PICTURE_MAX);
    buf_init(&painted, PICTURE_MAX);
    buf_init(&clean, PICTURE_MAX);
    err e = file_read(from, PICTURE_MAX, &file, f);
    if (e == OK && a->zones) e = find_zones(a, buf_view(&file), f);
    const bool paints = a->masked_count && !a->shown;
    if (e == OK) e = metadata_strip(buf_view(&file), &clean, &gone, f);
    if (e == OK && paints && a->masks.n && gone.turned)
        e = fail_set(f, E_IMAGE, "the camera noted that this picture is turned (%u): viewers show it turned, and "
                                 "--mask counts pixels as they were taken; turn the picture itself, then mask",
                     gone.turned);
    if (e == OK && paints) e = paint(a, buf_view(&file), &painted, f);
    const struct buf *shows = paints ? &painted : &clean; /* a painted one is made anew, without metadata */
    if (e != OK) fail_context(f, e, "%s", from);
    if (e == OK) {
        if (a->public_out)
            (void)snprintf(a->public_path, sizeof a->public_path, "%s", a->public_out);
        else
            (void)snprintf(a->public_path, sizeof a->public_path, "%.4000s.public", original);
        e = file_write_durable(a->public_path, buf_view(shows), 0644, f);
    }
    if (e == OK) {
        *out = (struct named_object){sha256(buf_view(shows)), shows->n};
        fprintf(stderr, "public version: %s (%zu places masked, %zu parts with metadata taken out, "
                        "%zu bytes)\n",
                a->public_path, a->masked_count, gone.parts, gone.bytes);
        if (paints)
            fprintf(stderr, "look at it before you sign: your record says that nothing is in it that "
                            "must not be shown\n");
        if (a->sealed && !paints && !a->shown)
            fprintf(stderr, "nothing is masked: the public version shows all that %s was sealed to hide\n",
                    a->sealed);
        if (gone.turned)
            fprintf(stderr, "check: the camera had noted that the picture is turned (%u); without that "
                            "note it lies as it was taken: turn the public version first if that "
                            "matters\n",
                    gone.turned);
    }
    buf_release(&file);
    buf_release(&painted);
    buf_release(&clean);
    return e;
}

/* The sealed file stands for the original: it must hold just that. */
static err name_sealed(const char *path, struct named_object *original, struct fail *f) {
    struct span file;
    struct sealed_head *h = malloc(sizeof *h);
    if (!h) return fail_set(f, E_MEMORY, "no memory for a sealed file's head");
    err e = file_map(path, &file, f);
    if (e == OK) {
        e = sealed_parse(file, h, f);
        if (e == OK && !hash_eq(&h->content, &original->id))
            e = fail_set(f, E_OBJECT, "%s holds another file than the one given", path);
        if (e == OK) *original = (struct named_object){sha256(file), file.n};
        file_unmap(file);
    }
    free(h);
    return e;
}

static err image_text(struct image_args *a, const char *file, struct buf *text, struct fail *f) {
    static const char *const kinds[] = {"original", "carbon", "agent", "posted"};
    struct compose_image m = {.kind = IMAGE_ORIGINAL, .round = (unsigned)a->round,
                              .page = (unsigned)a->page};
    if (!a->contest || !a->station || !a->election)
        return fail_set(f, E_USAGE, "--contest, --station and --election (or --send) are needed");
    if (a->page < 1 || a->page > 99 || a->round < 1 || a->round > MAX_ROUNDS)
        return fail_set(f, E_USAGE, "pages and rounds are counted from 1");
    bool known = false;
    for (int i = 0; i < 4; i++) {
        if (strcmp(a->kind, kinds[i]) != 0) continue;
        m.kind = (enum image_kind)i;
        known = true;
    }
    if (!known) return fail_set(f, E_USAGE, "--kind is original, carbon, agent or posted");
    if (a->masks.n > MASKS_MAX) return fail_set(f, E_USAGE, "more than %d masks", MASKS_MAX);
    if (a->zones && a->shown)
        return fail_set(f, E_USAGE, "--mask-zones makes the public version itself: without --public");
    for (size_t i = 0; i < a->masks.n; i++) {
        TRY(value_numbers(a->masks.at[i], a->masked[i], 4, f));
        if (a->masked[i][0] > 100000 || a->masked[i][1] > 100000 || a->masked[i][2] > 100000 ||
            a->masked[i][3] > 100000)
            return fail_set(f, E_USAGE, "--mask %.40s: pixels up to 100000", a->masks.at[i]);
    }
    a->masked_count = a->masks.n;
    if (a->result) {
        TRY(hash_from_hex(span_text(a->result), &a->result_id, f));
        m.result = &a->result_id;
    }
    TRY(tree_election(a->election, &m.election, f));
    struct span original;
    TRY(file_map(file, &original, f));
    m.original = (struct named_object){sha256(original), original.n};
    enum image_format format = metadata_format(original);
    file_unmap(original);
    if (a->sealed) TRY(name_sealed(a->sealed, &m.original, f));
    if (m.original.size > PICTURE_MAX + SEALED_HEAD_MAX) return fail_set(f, E_TOO_LARGE, "%s has more than 32 MiB", file);
    if (format == FORMAT_UNKNOWN)
        return fail_set(f, E_IMAGE, "%s is no PNG, JPEG or PDF file", file);
    TRY(write_public(a, file, &m.shown, f));
    m.contest = span_text(a->contest);
    m.station = span_text(a->station);
    m.masked = (const uint32_t (*)[4])a->masked;
    m.masked_count = a->masked_count;
    compose_image(text, &m);
    return buf_ok(text, f);
}

int cmd_image(int argc, char **argv) {
    struct image_args *a = calloc(1, sizeof *a);
    struct make_options m = {0};
    if (!a) return 70;
    a->kind = "original";
    a->preset = "data/kenya-2017";
    a->page = a->round = 1;
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a->contest, "ID", "the contest whose form it is"},
        {"--station", OPT_TEXT, &a->station, "CODE", "the polling station"},
        {"--result", OPT_TEXT, &a->result, "ID", "the result record that the form belongs to"},
        {"--kind", OPT_TEXT, &a->kind, "WORD", "original (the default), carbon, agent or posted"},
        {"--page", OPT_U64, &a->page, "N", "page of the form (1)"},
        {"--round", OPT_U64, &a->round, "N", "round of the contest (1)"},
        {"--public", OPT_TEXT, &a->shown, "FILE", "a masked version made elsewhere"},
        {"--mask", OPT_LIST, &a->masks, "X,Y,W,H", "a rectangle that is painted over in the public version"},
        {"--mask-zones", OPT_TEXT, &a->zones, "ZONES", "zones of the printed form: agent_id,agent_phone,.. or \"preset\""},
        {"--preset", OPT_TEXT, &a->preset, "DIR", "whose masked_zones \"preset\" means (data/kenya-2017)"},
        {"--sealed", OPT_TEXT, &a->sealed, "FILE", "the original as 'hesabu seal' encrypted it: sent and named instead of it"},
        {"--public-out", OPT_TEXT, &a->public_out, "FILE", "where the public version is written (FILE.public)"},
        {"--election", OPT_TEXT, &a->election, "WHERE", "the manifest's id, an anchor file, DIR or URL (else --send)"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "image FILE --contest ID --station CODE [--result ID] --key KEY [--send URL]",
        "Makes the record of a form's picture. The original goes to the restricted objects; the public\n"
        "version is freed of place, time, device, comments and previews before it is hashed. With --send\n"
        "both are uploaded before the record. What is masked is painted over here: rectangles, or zones of\n"
        "the printed form, found on the picture; the record names them with both hashes, and whoever signs\n"
        "it attests the public version. --public gives a version that was masked by other means.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (cli_parse(&u, argc, argv, &nargs, &code)) {
        struct fail f = {0};
        struct buf text;
        const char *file = argv[0];
        buf_init(&text, 65536);
        if (!a->election) a->election = m.send.url;
        err e = image_text(a, file, &text, &f);
        if (e == OK) {
            m.objects.at[m.objects.n++] = a->sealed ? a->sealed : file;
            m.objects.at[m.objects.n++] = a->public_path;
            code = make_finish("image", &m, buf_view(&text));
        } else {
            code = cli_fail("image", &f);
        }
        buf_release(&text);
    }
    free(a);
    return code;
}
