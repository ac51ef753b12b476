/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Real elections for the benchmarks: unpacked from $HESABU_SHARED (default ../shared) into a table. */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "service/station_csv.h"
#include "stats/forensics/battery.h"

#define BENCH_UGANDA                                                                               \
    "registered=reg_voters,valid=valid_votes,rejected=invalid_votes,votes=abed_bwanika+"           \
    "amama_mbabazi+baryamureeba_venansius+benon_buta_biraaro+kizza_besigye_kifefe+"                \
    "mabirizi_joseph+maureen_faith_kyalya_waluube+yoweri_kaguta_museveni,unit=order,"              \
    "area=district+constituency+sub_county"
#define BENCH_KENYA                                                                                \
    "votes=odinga+ruto+wajackoyah+mwaure,unit=station,area=county+constituency+ward,"              \
    "time=upload_time_local"
#define BENCH_RUSSIA                                                                               \
    "registered=registered,valid=valid,rejected=invalid,issued=issued_early+issued_station+"       \
    "issued_home,votes=baburin+grudinin+zhirinovsky+putin+sobchak+suraykin+titov+yavlinsky,"       \
    "area=region+tik"

static inline void bench_check(err e, const struct fail *f) {
    if (e == OK) return;
    fprintf(stderr, "bench: %s (%s)\n", f->text, err_info(e)->name);
    exit(1);
}

static inline void bench_load(const char *name, const char *columns, const char *leader,
                              struct station_csv *out) {
    const char *env = getenv("HESABU_SHARED");
    char command[4600], path[] = "/tmp/hesabu-bench-XXXXXX";
    struct fail f = {0};
    int fd = mkstemp(path);
    if (fd < 0) exit(1);
    close(fd);
    snprintf(command, sizeof command, "xz -dc '%s/data/%s' > %s", env && *env ? env : "../shared",
             name, path);
    if (system(command) != 0) {
        unlink(path);
        printf("skipped: no shared data %s\n", name);
        exit(0);
    }
    bench_check(station_csv_read(path, columns, leader, NULL, out, &f), &f);
    unlink(path);
}

#endif
