/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu define: from a preset to a manifest that commissioners can sign. */
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "cli/cli.h"
#include "service/beside.h"
#include "service/setup.h"

int cmd_define(int argc, char **argv);

enum { COMMISSIONERS_MAX = 50, OBJECT_MAX = 1 << 30 };

/* "VKEY" or "VKEY:HOLDER_HEX"; without a holder the key's own hash stands for the person. */
static err parse_commissioner(const char *text, struct compose_commissioner *out, struct fail *f) {
    struct span s = span_text(text);
    const char *colon = strrchr(text, ':');
    struct note_key key;
    out->vkey = colon ? span_of(text, (size_t)(colon - text)) : s;
    TRY(note_vkey_parse(out->vkey, &key, f));
    out->holder = sha256(out->vkey);
    if (colon) TRY(hash_from_hex(span_text(colon + 1), &out->holder, f));
    return OK;
}

static err write_out(const char *dir, const char *name, const struct buf *b, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, name, f));
    return file_write_durable(path, buf_view(b), 0644, f);
}

struct define {
    const char *preset, *out, *origin, *log, *policy;
    uint64_t threshold, limit, seed;
    bool simulated, all_contests, image_optional;
    struct opt_list commissioners;
};

static err run(const struct define *d, struct arena *a, struct buf *units, struct buf *contests,
               struct buf *text, struct buf *policy, struct fail *f) {
    struct preset p;
    struct expansion x;
    struct compose_commissioner com[COMMISSIONERS_MAX];
    TRY(preset_load(d->preset, a, &p, f));
    struct expand_options eo = {.seed = d->seed, .limit = d->limit, .all_contests = d->all_contests};
    TRY(expand(&p, &eo, a, &x, f));
    if (d->commissioners.n == 0 || d->commissioners.n > COMMISSIONERS_MAX)
        return fail_set(f, E_USAGE, "name the commissioners' keys: --commissioner VKEY[:HOLDER] each");
    for (size_t i = 0; i < d->commissioners.n; i++)
        TRY(parse_commissioner(d->commissioners.at[i], &com[i], f));
    if (d->policy) TRY(file_read(d->policy, policy->max, policy, f));
    TRY(setup_objects(&x, units, contests, f));
    struct setup_options so = {.origin = span_text(d->origin),
                               .log_vkey = span_text(d->log),
                               .policy = buf_view(policy),
                               .commissioners = com,
                               .commissioner_count = d->commissioners.n,
                               .threshold = (uint32_t)d->threshold,
                               .simulated = d->simulated,
                               .image_optional = d->image_optional};
    TRY(setup_manifest(&p, &so, buf_view(units), buf_view(contests), text, f));
    TRY(file_mkdirs(d->out, f));
    TRY(write_out(d->out, "units", units, f));
    TRY(write_out(d->out, "contests", contests, f));
    TRY(write_out(d->out, "manifest.txt", text, f));
    char portal[PATH_MAX_LEN];
    TRY(path_join(portal, sizeof portal, d->out, "portal", f));
    TRY(beside_install(d->preset, portal, f));
    printf("%u units, %u stations, %u contests; written to %s\n"
           "next: each commissioner runs 'hesabu sign %s/manifest.txt --key KEY'; then 'hesabu merge',\n"
           "then 'hesabu init --dir DIR --define %s --log-key KEY'\n",
           x.unit_count, x.station_count, x.contest_count, d->out, d->out, d->out);
    return OK;
}

int cmd_define(int argc, char **argv) {
    struct define d = {.preset = "data/kenya-2017", .threshold = 1, .seed = 2017};
    const struct opt options[] = {
        {"--preset", OPT_TEXT, &d.preset, "DIR", "the preset's folder (data/kenya-2017)"},
        {"--out", OPT_TEXT, &d.out, "DIR", "where to write units, contests and manifest.txt"},
        {"--origin", OPT_TEXT, &d.origin, "NAME", "the log's name, e.g. results.example.org/2027"},
        {"--log", OPT_TEXT, &d.log, "VKEY", "the log's verifier key; its name is the origin"},
        {"--commissioner", OPT_LIST, &d.commissioners, "VKEY[:HEX]", "a commissioner's key, and holder if two keys are one person's"},
        {"--threshold", OPT_U64, &d.threshold, "M", "how many commissioners must sign (1)"},
        {"--policy", OPT_TEXT, &d.policy, "FILE", "witness policy; without it there are no witnesses"},
        {"--limit", OPT_U64, &d.limit, "N", "only the first N stations in code order"},
        {"--all-contests", OPT_FLAG, &d.all_contests, NULL, "all kinds of contest, not the first alone"},
        {"--image-optional", OPT_FLAG, &d.image_optional, NULL, "count figures without a form's image"},
        {"--simulated", OPT_FLAG, &d.simulated, NULL, "everything made from it says SIMULATED"},
        {"--seed", OPT_U64, &d.seed, "N", "seed of generated stations (2017)"},
    };
    const struct usage u = {"define --out DIR --origin NAME --log VKEY --commissioner VKEY...",
                            "Writes what an election's first record says: its units and contests (two\n"
                            "objects) and the manifest's text, to be signed by the commissioners.",
                            options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (!d.out || !d.origin || !d.log) {
        fail_set(&f, E_USAGE, "--out, --origin and --log are needed");
        return cli_fail("define", &f);
    }
    struct arena a;
    struct buf units, contests, text, policy;
    arena_init(&a, (size_t)2 << 30);
    buf_init(&units, OBJECT_MAX);
    buf_init(&contests, OBJECT_MAX);
    buf_init(&text, 65536);
    buf_init(&policy, 65536);
    err e = run(&d, &a, &units, &contests, &text, &policy, &f);
    buf_release(&units);
    buf_release(&contests);
    buf_release(&text);
    buf_release(&policy);
    arena_release(&a);
    return e == OK ? 0 : cli_fail("define", &f);
}
