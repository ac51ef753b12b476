#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Every figure of the forensic instruments, asked beside reached: reference values on real elections,
# speed with numpy and scipy beside it, multipliers, quick counts, parallel tallies, a 2 GB file, power
# and false alarms (the longest; it prints its length first).
# usage: bench/forensics.sh BUILD [quick]     quick: few seeds, a small file
# HESABU_POWER_STATE=FILE: finished seeds of the power table are lines of it; a stopped run goes on.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 size=2048 seeds=200 samples=2000 power="--seeds 100 --none 1000"
[ "${2:-}" = quick ] && size=64 seeds=8 samples=50 power="--seeds 1 --none 3"
shared=${HESABU_SHARED:-../shared}
ninja -C "$build" hesabu bench/bench_forensics bench/bench_power bench/bench_csv > /dev/null || exit 1
title() { echo; echo "== $*"; }

title "reference values on real elections"
"$build/bench/bench_forensics" reference
title "speed on 46,000 stations (aims: battery < 1 s, spikes R = 1000 < 30 s on 2 cores)"
"$build/bench/bench_forensics" speed
title "the same computations in numpy and scipy (spikes with R = 20: multiply by 50)"
/usr/bin/python3 bench/forensics_peer.py || echo "skipped: apt-get install python3-numpy python3-scipy"
title "multipliers in Kenya 2022's forms, $seeds seeds"
"$build/bench/bench_forensics" comb --seeds "$seeds"
title "quick counts, $samples samples of Uganda 2016"
"$build/bench/bench_forensics" quickcount --samples "$samples"
title "Kenya 2017: the portal against Form 34C"
if [ -d "$shared/data/kenya2017" ]; then
    portal=$(mktemp) || exit 1
    xz -dc "$shared/data/kenya2017/portal_2017_units.csv.xz" > "$portal"
    "$build/hesabu" compare "$portal" "$shared/data/kenya2017/form34c_2017.csv" --key constituency \
        --where-a level=constituency --level-a level --check-a 'valid+rejected<=registered' \
        --check-a 'rejected!=registered' --check-a stations_processed=stations_total --limit 0 \
        --printed-b registered=19611423,odinga=6762224,kenyatta=8203290,valid=15114622
    rm -f "$portal"
else
    echo "skipped: no shared data"
fi
title "a CSV of $size MiB through a pipe"
"$build/bench/bench_csv" "$build/hesabu" "$size"
title "power and false alarms"
# shellcheck disable=SC2086
"$build/bench/bench_power" $power ${HESABU_POWER_STATE:+--state "$HESABU_POWER_STATE"}
