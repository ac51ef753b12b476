/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/simulated_witnesses.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "crypto/secret.h"
#include "http/witness_routes.h"

enum { GRACE_MS = 500 };

struct one {
    char name[SIM_NAME_MAX], url[SIM_NAME_MAX + 64];
    struct note_signer *key;
    struct witness *witness;
    struct http_server *server;
};

struct simulated_witnesses {
    struct one all[SIM_WITNESSES];
    const char *urls[SIM_WITNESSES];
    unsigned count;
};

static err start_one(const struct sim *s, unsigned i, const struct note_key *log, const char *dir,
                     struct one *w, struct fail *f) {
    static const char *const exempt[] = {"127.0.0.0/8"};
    char path[PATH_MAX_LEN], place[SIM_NAME_MAX + 16];
    w->key = secret_alloc(sizeof *w->key);
    if (!w->key) return fail_set(f, E_MEMORY, "no locked memory for a witness's key");
    TRY(sim_witness(s, i, w->name, w->key, f));
    (void)snprintf(place, sizeof place, "witnesses/%s", w->name);
    TRY(path_join(path, sizeof path, dir, place, f));
    TRY(file_mkdirs_for(path, f));
    struct witness_options wo = {.dir = path, .key = w->key, .logs = log, .log_count = 1};
    TRY(witness_open(&wo, &w->witness, f));
    struct http_options ho = {.threads = 1, .max_connections = 16, .exempt = exempt, .exempt_count = 1};
    TRY(http_server_start(&ho, witness_routes, witness_route_count, w->witness, &w->server, f));
    (void)snprintf(w->url, sizeof w->url, "%s=http://127.0.0.1:%u", w->name,
                   http_server_port(w->server));
    return OK;
}

err simulated_witnesses_start(const struct sim *s, unsigned count, const struct note_key *log,
                              const char *dir, struct simulated_witnesses **out, struct fail *f) {
    struct simulated_witnesses *w = calloc(1, sizeof *w);
    err e = OK;
    if (!w) return fail_set(f, E_MEMORY, "no memory for the witnesses");
    w->count = count < SIM_WITNESSES ? count : SIM_WITNESSES;
    for (unsigned i = 0; i < w->count && e == OK; i++) {
        e = start_one(s, i, log, dir, &w->all[i], f);
        w->urls[i] = w->all[i].url;
    }
    if (e != OK) {
        simulated_witnesses_stop(w);
        return e;
    }
    *out = w;
    return OK;
}

void simulated_witnesses_stop(struct simulated_witnesses *w) {
    if (!w) return;
    for (unsigned i = 0; i < w->count; i++) {
        http_server_stop(w->all[i].server, GRACE_MS);
        witness_close(w->all[i].witness);
        secret_free(w->all[i].key);
    }
    free(w);
}

const char *const *simulated_witnesses_urls(const struct simulated_witnesses *w) {
    return w->urls;
}
