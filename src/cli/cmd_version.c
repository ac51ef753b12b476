/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include "cli/cli.h"
#include "source_hash.h"

int cmd_version(int argc, char **argv);

int cmd_version(int argc, char **argv) {
    const struct usage u = {"version", "Prints the version, and the SHA-256 over the sources (tools/source-hash).", NULL, 0, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    printf("hesabu %s\nsources %s\n", HESABU_VERSION, SOURCE_HASH);
    return 0;
}
