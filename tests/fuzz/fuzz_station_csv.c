/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a file of stations: first line = the mapping, then the CSV; whatever is read goes
 * through the methods that take no resamples. */
#include <stdlib.h>
#include "base/csv.h"
#include "service/station_csv.h"
#include "stats/forensics/battery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct fx_table *t) {
    struct fail f = {0};
    struct fx_report r;
    struct arena mem;
    struct buf out;
    arena_init(&mem, (size_t)256 << 20);
    buf_init(&out, 1 << 24);
    struct fx_options o = {.seed = 1, .cap = 700, .skip = 1u << FX_KLIMEK | 1u << FX_COMB};
    if (fx_battery_run(t, &o, &mem, &r, &f) == OK && fx_battery_finish(&r, &mem, &f) == OK) {
        fx_report_json(&r, LANG_EN, &out);
        fx_report_text(&r, LANG_SW, &out);
    }
    buf_release(&out);
    arena_release(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span rest = span_of(data, size), line;
    char columns[600];
    if (!span_line(&rest, &line) || line.n >= sizeof columns) return 0;
    memcpy(columns, line.p, line.n);
    columns[line.n] = 0;
    struct csv *c = NULL;
    struct fail f = {0};
    struct station_csv s;
    if (csv_open_span(rest, "fuzz", &c, &f) != OK) return 0;
    if (station_csv_read_open(c, "fuzz", columns, "a", NULL, &s, &f) == OK)
        run(&s.table);
    else if (f.text[0] == 0)
        abort();
    station_csv_release(&s);
    csv_close(c);
    return 0;
}
