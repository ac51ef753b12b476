/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include "cli/cli.h"

int cmd_version(int argc, char **argv);

int cmd_version(int argc, char **argv) {
    const struct usage u = {"version", "Prints the version.", NULL, 0, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    printf("hesabu %s\n", HESABU_VERSION);
    return 0;
}
