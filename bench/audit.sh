#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The audit benchmark, side by side with numpy in one run.
# usage: bench/audit.sh [RUNS_TABLE [RUNS_NULL]]
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
python=${PYTHON:-/usr/bin/python3} # Debian's, with python3-numpy and python3-scipy
ninja -C "$build" bench/bench_audit > /dev/null
nation=$build/bench/audit-population.csv
[ -s "$nation" ] || "$python" bench/audit_population.py "$nation"
"$build/bench/bench_audit" "$nation" times
"$python" bench/audit_peer.py "$nation"
"$build/bench/bench_audit" "$nation" table "${1:-200}"
"$build/bench/bench_audit" "$nation" nulls "${2:-20000}"
