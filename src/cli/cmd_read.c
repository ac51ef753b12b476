/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu read: the clerk's desk. Shows a form's image, takes what the clerk reads, seals it, keeps nonce
 * and reading on this disk, and opens them once the others have sealed. What was transmitted and what
 * others read is shown by nothing here until the clerk's own seal is in the log. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/desk_page.h"
#include "cli/folder.h"
#include "cli/machine_reading.h"
#include "cli/reading_args.h"
#include "cli/send.h"
#include "cli/tree_log.h"
#include "service/clerk.h"
#include "service/notes.h"

int cmd_read(int argc, char **argv);

enum { MACHINE_MOST = 256 };

struct reading_desk {
    struct make_options m;
    struct reading_args args;
    const char *where, *contest, *station, *state, *page;
    bool list, next, open, show, json, machine, all;
    uint64_t limit;
    struct tree tree;
    struct tree_log log;
    struct buf name; /* of the key */
    char dir[PATH_MAX_LEN];
    int lock;
    struct folder_key key;
    struct clerk_desk clerk;
};

static err state_folder(struct reading_desk *d, struct fail *f) {
    const char *env = getenv("HESABU_DESK"), *home = getenv("HOME"), *given = d->state;
    if (!given && env && *env) given = env;
    int n = given  ? snprintf(d->dir, sizeof d->dir, "%s", given)
            : home ? snprintf(d->dir, sizeof d->dir, "%s/.hesabu/desk", home)
                   : -1;
    if (n < 0 || n >= (int)sizeof d->dir)
        return fail_set(f, E_USAGE, "where are your sealed readings kept? give --state DIR");
    return file_mkdirs(d->dir, f);
}

static err begin(struct reading_desk *d, struct fail *f) {
    struct tree_log_options o = {.anchor = d->m.send.anchor, .what = "read"};
    if (d->m.keys.n != 1) return fail_set(f, E_USAGE, "--key FILE is needed, once: a reading is one person's");
    TRY(state_folder(d, f));
    if (!d->list && !d->show) TRY(clerk_lock(d->dir, d->page != NULL, &d->lock, f));
    TRY(folder_key_name(d->m.keys.at[0], &d->name, f));
    TRY(tree_open(d->where, &d->tree, f));
    TRY(tree_log_read(&d->tree, &o, &d->log, f));
    if (!d->m.send.url && d->tree.url && !d->m.out) d->m.send.url = d->where;
    if (!d->m.send.wait) d->m.send.wait = "receipt"; /* half an hour runs: no waiting for witnesses */
    clerk_init(&d->clerk, &d->tree.at, &d->log, buf_view(&d->name), d->dir);
    d->clerk.contest = d->contest;
    d->clerk.station = d->station;
    return OK;
}

static err own_key(struct reading_desk *d, struct fail *f) {
    return d->key.signer ? OK : folder_key_open(d->m.keys.at[0], d->m.passphrase_file, &d->key, f);
}

/* Signs texts[n] and sends them in one go (or writes them out). Returns the exit code. */
static int deliver(struct reading_desk *d, const struct span *texts, size_t n, struct fail *f) {
    struct buf *notes = calloc(n ? n : 1, sizeof *notes);
    struct send_note *items = calloc(n ? n : 1, sizeof *items);
    const struct note_signer *signer;
    int code = 0;
    err e = notes && items ? own_key(d, f) : fail_set(f, E_MEMORY, "no memory for records");
    for (size_t i = 0; e == OK && i < n; i++) {
        signer = d->key.signer;
        buf_init(&notes[i], ENTRY_MAX);
        e = notes_sign(texts[i], &signer, 1, &notes[i], f);
        items[i] = (struct send_note){buf_view(&notes[i]), NULL, 0};
    }
    if (e != OK) {
        code = cli_fail("read", f);
    } else if (d->m.send.url) {
        code = send_notes("read", &d->m.send, items, n);
    } else {
        for (size_t i = 0; i < n && code == 0; i++) {
            if (!d->m.out) {
                code = cli_print(items[i].note);
                continue;
            }
            char path[PATH_MAX_LEN];
            (void)snprintf(path, sizeof path, n > 1 ? "%.4000s.%zu" : "%.4000s", d->m.out, i + 1);
            e = file_write_durable(path, items[i].note, 0644, f);
            if (e != OK) code = cli_fail("read", f);
        }
    }
    for (size_t i = 0; notes && i < n; i++) buf_release(&notes[i]);
    free(notes);
    free(items);
    return code;
}

/* --- opening what is ready --- */

static void tell_lapsed(void *ctx, struct span station) {
    (void)ctx;
    fprintf(stderr, "station %.*s: your seal lapsed (not opened in time, or the key ended); somebody else "
                    "reads this form\n", SPAN_ARG(station));
}

static int open_ready(struct reading_desk *d, bool tell) {
    struct fail f = {0};
    struct span texts[CLERK_OPEN_MOST];
    struct clerk_due *r = calloc(1, sizeof *r);
    if (!r) return 70;
    int code = clerk_openings(&d->clerk, tell_lapsed, NULL, r, &f) == OK ? 0 : cli_fail("read", &f);
    for (size_t i = 0; i < r->n; i++) texts[i] = buf_view(&r->texts[i]);
    if (code == 0 && r->n) code = deliver(d, texts, r->n, &f);
    if (tell && !d->json)
        fprintf(stderr, "%zu opened, %zu wait for the other reader, %zu seals not in this log yet\n", r->n,
                r->waiting, r->unlogged);
    clerk_due_release(r);
    free(r);
    return code;
}

/* --- the queue --- */

static void task_json(struct json_out *j, const struct fold *s, const struct desk_task *t) {
    const struct cell *c = fold_cell_at(s, t->cell);
    struct hash image = fold_id(s, fold_image(s, t->image)->entry);
    json_object(j);
    json_kspan(j, "contest", fold_contest(s, c->contest)->id);
    json_ku64(j, "round", c->round);
    json_kspan(j, "station", fold_unit(s, c->station)->code);
    json_kspan(j, "name", fold_unit(s, c->station)->name);
    json_khex(j, "image", hash_span(&image));
    json_kbool(j, "own", t->tier == TIER_OWN);
    json_kbool(j, "resumes", t->resumes);
    json_object_end(j);
}

static int print_queue(struct reading_desk *d, const struct desk_task *t, size_t n) {
    const struct fold *s = d->log.fold;
    struct buf b;
    size_t shown = 0, all = 0, own = 0;
    buf_init(&b, 64 << 20);
    struct json_out j = json_out(&b);
    if (d->json) json_array(&j);
    for (size_t i = 0; i < n; i++) {
        const struct cell *c = fold_cell_at(s, t[i].cell);
        all++;
        own += t[i].tier == TIER_OWN;
        if (shown == d->limit) continue;
        shown++;
        if (d->json) {
            task_json(&j, s, &t[i]);
            continue;
        }
        clerk_place(s, c, &b);
        buf_printf(&b, "%s%s\n", t[i].resumes ? "  [readings differ or lapsed]" : "",
                   t[i].tier == TIER_OWN ? "" : "  (somebody else's, if you have nothing else)");
    }
    if (d->json) {
        json_array_end(&j);
        buf_byte(&b, '\n');
    } else {
        buf_printf(&b, "%zu forms wait, %zu of them for you first\n", all, own);
    }
    int code = cli_print(buf_view(&b));
    buf_release(&b);
    return code;
}

/* --- images --- */

static err save_image(struct reading_desk *d, const struct cell *c, const struct image *x, struct json_out *j,
                      struct fail *f) {
    const struct fold *s = d->log.fold;
    char to[PATH_MAX_LEN];
    struct buf b;
    buf_init(&b, CLERK_IMAGE_MAX);
    err e = clerk_picture(&d->clerk, x, &b, f);
    if (e == OK && snprintf(to, sizeof to, "%.3000s/images/%.*s-%.*s-%u-p%u.%s", d->dir,
                            SPAN_ARG(fold_unit(s, c->station)->code), SPAN_ARG(fold_contest(s, c->contest)->id),
                            c->round, x->page, clerk_picture_kind(buf_view(&b))) >= (int)sizeof to)
        e = fail_set(f, E_TOO_LARGE, "the path of the clerk's folder is too long");
    if (e == OK) e = file_mkdirs_for(to, f);
    if (e == OK) e = file_write_atomic(to, buf_view(&b), f);
    if (e == OK) {
        if (j)
            json_str(j, to);
        else
            fprintf(stderr, "look at %s\n", to);
    }
    buf_release(&b);
    return e;
}

static err save_images(struct reading_desk *d, const struct desk_task *t, struct json_out *j, struct fail *f) {
    const struct fold *s = d->log.fold;
    uint32_t pages[CLERK_PAGES_MAX];
    const size_t n = clerk_pages(&d->clerk, t, pages);
    for (size_t i = 0; i < n; i++) TRY(save_image(d, fold_cell_at(s, t->cell), fold_image(s, pages[i]), j, f));
    return OK;
}

/* --- sealing --- */

static err seal_text(struct reading_desk *d, const struct desk_task *t, struct span reading, struct buf *text,
                     struct fail *f) {
    struct hash record;
    TRY(own_key(d, f)); /* no opening without a key that can seal it */
    return clerk_seal(&d->clerk, t, reading, text, &record, f);
}

static int seal_one(struct reading_desk *d, const struct desk_task *t) {
    const struct fold *s = d->log.fold;
    const struct cell *c = fold_cell_at(s, t->cell);
    struct fail f = {0};
    struct buf reading, text;
    int code = 0;
    buf_init(&reading, 16384);
    buf_init(&text, ENTRY_MAX);
    clerk_place(s, c, &text);
    fprintf(stderr, "%s\n", buf_cstr(&text));
    buf_clear(&text);
    err e = save_images(d, t, NULL, &f);
    if (e == OK)
        e = reading_given(&d->args) ? reading_make(&d->args, s, c->contest, c->round, &reading, &f)
                                    : reading_ask(&d->args, s, c->contest, c->round, &reading, &f);
    if (e == OK) {
        reading_check(s, c->contest, c->round, buf_view(&reading));
        e = seal_text(d, t, buf_view(&reading), &text, &f);
    }
    if (e == OK) {
        struct span texts[1] = {buf_view(&text)};
        code = deliver(d, texts, 1, &f);
        if (code == 0 && d->m.send.url)
            fprintf(stderr, "sealed; keep %s until 'hesabu read --open' has opened it\n", d->dir);
    } else {
        code = cli_fail("read", &f);
    }
    buf_release(&reading);
    buf_release(&text);
    return code;
}

/* --- the machine's desk: reads the images itself, seals and opens like a person, is counted apart --- */

struct machine_batch {
    struct buf texts[MACHINE_MOST];
    size_t n, silent;
};

static err machine_one(struct reading_desk *d, const struct reader *r, const struct desk_task *t,
                       struct machine_batch *b, struct fail *f) {
    struct buf reading;
    buf_init(&reading, 16384);
    err e = machine_reading(&d->tree, &d->log, r, fold_cell_at(d->log.fold, t->cell), t->image, &reading, f);
    if (e == E_NOT_FOUND) {
        b->silent++; /* a form that it cannot read at all is for people alone */
        e = OK;
    } else if (e == OK) {
        buf_init(&b->texts[b->n], ENTRY_MAX);
        e = seal_text(d, t, buf_view(&reading), &b->texts[b->n++], f);
    }
    buf_release(&reading);
    return e;
}

static int machine_work(struct reading_desk *d, const struct desk_task *t, size_t n) {
    struct fail f = {0};
    struct reader r;
    struct machine_batch *b = calloc(1, sizeof *b);
    struct span texts[MACHINE_MOST];
    int code = 0;
    if (!b) return 70;
    err e = reader_init_builtin(&r, &f);
    for (size_t i = 0; e == OK && i < n && b->n < MACHINE_MOST && b->n < d->limit; i++) {
        e = machine_one(d, &r, &t[i], b, &f);
        cli_progress("read: forms", i + 1, n);
    }
    cli_progress_end();
    reader_release(&r);
    for (size_t i = 0; i < b->n; i++) texts[i] = buf_view(&b->texts[i]);
    if (e != OK) code = cli_fail("read", &f);
    if (code == 0 && b->n) code = deliver(d, texts, b->n, &f);
    if (code == 0)
        fprintf(stderr, "%zu forms sealed by the machine, %zu that it cannot read at all\n", b->n, b->silent);
    for (size_t i = 0; i < b->n; i++) buf_release(&b->texts[i]);
    free(b);
    return code;
}

/* --- what others read: only after one's own --- */

static int show_readings(struct reading_desk *d) {
    const struct fold *s = d->log.fold;
    struct fail f = {0};
    struct buf b;
    buf_init(&b, 1 << 20);
    uint32_t cursor = 0, contest = d->contest ? fold_contest_by_id(s, span_text(d->contest)) : NO_CONTEST;
    const struct cell *c = NULL, *at = NULL;
    if (contest != NO_CONTEST && d->station)
        while ((c = fold_next_cell(s, contest, fold_contest(s, contest)->round, &cursor)))
            if (span_is(fold_unit(s, c->station)->code, d->station)) at = c;
    const struct desk *desk = at ? cell_desk(s, at) : NULL;
    bool mine = false;
    for (uint32_t i = desk ? desk->first_seal : NO_SEAL; i != NO_SEAL; i = fold_seal(s, i)->next) {
        struct key_view k;
        fold_key_at(s, fold_seal(s, i)->key, &k);
        mine = mine || span_eq(k.name, buf_view(&d->name));
    }
    err e = OK;
    if (!at) e = fail_set(&f, E_NOT_FOUND, "--show needs --contest and --station of a form that was sent");
    if (e == OK && !mine)
        e = fail_set(&f, E_STATE, "your own seal of this form is not in the log: others' readings are shown after it");
    for (uint32_t i = e == OK ? desk->first_seal : NO_SEAL; i != NO_SEAL; i = fold_seal(s, i)->next) {
        const struct seal *x = fold_seal(s, i);
        const struct contest *k = fold_contest(s, at->contest);
        struct key_view key;
        fold_key_at(s, x->key, &key);
        buf_printf(&b, "%.*s: %s", SPAN_ARG(key.name), seal_state_name(seal_state_at(s, x, d->clerk.now_ms)));
        for (uint32_t n = 0; x->reading != NO_READING && n < k->choice_count; n++) {
            uint64_t v = reading_votes(s, fold_reading(s, x->reading))[n];
            if (!contest_has_choice(k, at->round, n)) continue;
            buf_printf(&b, "  %.*s ", SPAN_ARG(contest_choice(s, k, n)->id));
            if (v == ABSENT)
                buf_byte(&b, '-');
            else
                buf_u64(&b, v);
        }
        buf_byte(&b, '\n');
    }
    int code = e == OK ? cli_print(buf_view(&b)) : cli_fail("read", &f);
    buf_release(&b);
    return code;
}

static int next_only(struct reading_desk *d, const struct desk_task *t) {
    struct fail f = {0};
    struct buf b;
    buf_init(&b, 65536);
    struct json_out j = json_out(&b);
    json_object(&j);
    json_key(&j, "task");
    task_json(&j, d->log.fold, t);
    json_key(&j, "images");
    json_array(&j);
    err e = save_images(d, t, &j, &f);
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(&b, '\n');
    int code = e == OK ? cli_print(buf_view(&b)) : cli_fail("read", &f);
    buf_release(&b);
    return code;
}

/* What the log has learnt since; waits a little when there is nothing new. */
static err refresh(struct reading_desk *d, struct fail *f) {
    bool news = false;
    err e = clerk_refresh(&d->clerk, &news, f);
    if (clerk_is_away(e)) e = OK; /* what was read stays */
    if (e == OK && !news) (void)nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    return e;
}

/* Form after form, opening in between what the others have sealed, until the answers end. */
static int go_on(struct reading_desk *d) {
    struct fail f = {0};
    struct desk_task *t;
    size_t n;
    bool idle = false;
    for (;;) {
        int code = open_ready(d, false);
        if (code > 1) return code; /* 1: the log refused one, which has been told */
        err e = clerk_tasks(&d->clerk, &t, &n, &f);
        if (e == OK && n) {
            code = seal_one(d, &t[0]);
            if (code > 1) return code;
        } else if (e == OK && !idle) {
            fprintf(stderr, "no form waits for this key now; what you sealed is opened as soon as it can be "
                            "(end with Ctrl-C)\n");
        }
        idle = n == 0;
        if (e == OK) e = refresh(d, &f);
        if (e != OK) return cli_fail("read", &f);
    }
}

static int page(struct reading_desk *d) {
    struct fail f = {0};
    err e = OK;
    if (d->open || d->list || d->next || d->show || d->all || d->machine || reading_given(&d->args))
        e = fail_set(&f, E_USAGE, "--page asks for the figures itself: leave out --open, --all, --votes and their like");
    if (e == OK) e = own_key(d, &f);
    if (e == OK) e = desk_page(&d->clerk, d->key.signer, &d->m.send, d->page, &f);
    return e == OK ? 0 : cli_fail("read", &f);
}

static int work(struct reading_desk *d) {
    struct fail f = {0};
    struct desk_task *t;
    size_t n;
    if (d->page) return page(d);
    if (d->open) return open_ready(d, true);
    if (d->show) return show_readings(d);
    if (d->all && (!d->m.send.url || reading_given(&d->args))) {
        (void)fail_set(&f, E_USAGE, "--all asks for form after form on the terminal, and sends to a server");
        return cli_fail("read", &f);
    }
    if (d->all) return go_on(d);
    if (clerk_tasks(&d->clerk, &t, &n, &f) != OK) return cli_fail("read", &f);
    if (d->list) return print_queue(d, t, n);
    if (d->machine) {
        const int opened = d->m.send.url ? open_ready(d, false) : 0;
        return opened ? opened : machine_work(d, t, n);
    }
    if (n == 0) {
        (void)fail_set(&f, E_NOT_FOUND, d->station ? "this key reads no form of that station now: it has read it, "
                                                     "it may not, or enough people have"
                                                   : "no form waits for this key now");
        return cli_fail("read", &f);
    }
    if (d->next) return next_only(d, &t[0]);
    int code = d->m.send.url ? open_ready(d, false) : 0; /* a seal lapses in half an hour */
    return code ? code : seal_one(d, &t[0]);
}

int cmd_read(int argc, char **argv) {
    struct reading_desk *d = calloc(1, sizeof *d);
    if (!d) return 70;
    d->args = (struct reading_args)READING_ARGS_NONE;
    d->limit = 40;
    d->lock = -1;
    const struct opt options[] = {
        {"--list", OPT_FLAG, &d->list, NULL, "only list the forms that wait for this key"},
        {"--next", OPT_FLAG, &d->next, NULL, "only fetch the next form's image and say where it lies (JSON)"},
        {"--open", OPT_FLAG, &d->open, NULL, "open the readings that the other reader has sealed too"},
        {"--all", OPT_FLAG, &d->all, NULL, "go on with the next form, and open what is ready in between, until Ctrl-C"},
        {"--page", OPT_MAYBE, &d->page, "ADDR:PORT", "the desk as a page for this machine's own browser (127.0.0.1, any free port), until Ctrl-C"},
        {"--show", OPT_FLAG, &d->show, NULL, "what others read of a form, once your own seal of it is in the log"},
        {"--machine", OPT_FLAG, &d->machine, NULL, "with a machine's key: read the waiting images, seal, open"},
        {"--contest", OPT_TEXT, &d->contest, "ID", "only this contest"},
        {"--station", OPT_TEXT, &d->station, "CODE", "only this station"},
        READING_OPTIONS(d->args),
        {"--mark", OPT_LIST, &d->args.marks, "WORD", "an irregularity on the paper: overwritten, no-stamp... (several times)"},
        {"--limit", OPT_U64, &d->limit, "N", "with --list or --machine: at most so many (40)"},
        {"--state", OPT_TEXT, &d->state, "DIR", "where your closed readings are kept ($HESABU_DESK, else ~/.hesabu/desk)"},
        {"--json", OPT_FLAG, &d->json, NULL, "JSON"},
        MAKE_OPTIONS(d->m),
    };
    const struct usage u = {
        "read DIR|URL --key KEY [--votes A=1,B=2 --valid N ...] [--open | --list]",
        "The clerk's desk. Takes the next form that waits for this key, shows its image, asks what stands\n"
        "on the paper and seals it: the log learns that you have read it and cannot learn what until the\n"
        "other reader has sealed too. Then 'hesabu read --open', within half an hour, opens it. Your\n"
        "reading lies in the state folder until then and nowhere else. Figures that were sent, and what\n"
        "others read, are not shown.\n\n"
        "With --machine the program reads the images itself (hesabu scan's reader) and seals what it read,\n"
        "figures that it does not answer as illegible; a form that is not the printed one it leaves alone.\n"
        "Its reading is evidence beside the people's, never a result.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (cli_parse(&u, argc, argv, &nargs, &code)) {
        struct fail f = {0};
        d->where = argv[0];
        buf_init(&d->name, 1024);
        code = begin(d, &f) == OK ? work(d) : cli_fail("read", &f);
        folder_key_release(&d->key);
        clerk_release(&d->clerk);
        tree_log_release(&d->log);
        tree_close(&d->tree);
        if (d->lock >= 0) close(d->lock);
        buf_release(&d->name);
    }
    free(d);
    return code;
}
