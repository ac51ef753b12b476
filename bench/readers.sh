#!/bin/bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Readers of a results night, on the loopback, against the real program.
#   bench/readers.sh follow BUILD DIR     5,000 clients that poll head.json every 4 s and 500 event streams, in
#                                         one `hesabu serve` of DIR (an election's folder); its memory
#   bench/readers.sh night BUILD [SPEED]  a night of 12,000 stations, each result with its form's image, while
#                                         2,000 readers poll; SPEED as of `hesabu demo --speed`: the rate of
#                                         results is printed, so the case of 20 a second is found by it
set -eu
cd "$(dirname "$0")/.."
what=$1 build=$2 dir=$(mktemp -d) pids=
cleanup() {
    [ -z "$pids" ] || kill $pids 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
ninja -C "$build" hesabu bench/bench_load > /dev/null
ulimit -n "$(ulimit -Hn)" # each client is a descriptor
load="$build/bench/bench_load"
address() { # address FILE: waits for the line that says where it listens
    for _ in $(seq 600); do grep -qo 'http://127.0.0.1:[0-9]*' "$1" && break; sleep 0.2; done
    grep -o 'http://127.0.0.1:[0-9]*' "$1" | head -n 1 | sed 's,http://,,'
}
memory() { awk '/^Vm(RSS|HWM)/ { printf "%s %.0f MB  ", $1, $2 / 1000 }' "/proc/$1/status"; }
head_json() { curl -s "http://$at/head.json"; }

follow() {
    "$build/hesabu" serve --dir "$1" --listen 127.0.0.1:0 --exempt 127.0.0.0/8 --data-every 0 --quiet \
        --unconfirmed bench > "$dir/serve" 2>&1 &
    server=$! pids=$!
    at=$(address "$dir/serve")
    for _ in $(seq 300); do # the first publication looks at every page: not what is measured here
        [ "$(curl -s "http://$at/metrics" | sed -n 's/^hesabu_pages_due //p')" = 0 ] && [ -n "$(head_json)" ] && break
        sleep 1
    done
    echo "entries $(head_json | jq .size)  before: $(memory $server)"
    python3 bench/requests.py "${at#*:}" /head.json > "$dir/head"
    python3 bench/requests.py "${at#*:}" /events > "$dir/events"
    "$load" "$at" "$dir/events" -e -c 500 -s 40 > "$dir/streams" & streams=$!
    "$load" "$at" "$dir/head" -l -c 5000 -p 4000 -s 30 > "$dir/polls" & polls=$!
    sleep 25
    now=$(curl -s "http://$at/metrics")
    echo "while 5,000 poll and 500 listen: $(memory $server)"
    echo "$now" | grep -E '^hesabu_(http_connections|stream_subscribers|http_refused_total)' || echo "no metrics: the server did not answer"
    wait $polls && sed 's/^/polls of head.json: /' "$dir/polls"
    wait $streams && sed 's/^/event streams: /' "$dir/streams"
}

night() {
    "$build/hesabu" demo --dir "$dir/night" --limit 12000 ${1:+--speed "$1"} --listen 127.0.0.1:0 > "$dir/demo" 2>&1 &
    server=$! pids=$!
    at=$(address "$dir/demo")
    for _ in $(seq 600); do # until results come
        [ "$(curl -s "http://$at/results/index.json" | jq '.contests[0].stations.received // 0')" -gt "${FROM:-500}" ] 2> /dev/null && break
        sleep 0.5
    done
    python3 bench/requests.py "${at#*:}" '/head.json*6' '/index.html*2' '/sw/index.html*1' '/results/index.json*1' > "$dir/mix"
    received() { curl -s "http://$at/results/index.json" | jq -r '.contests[0].stations | "\(.received)"'; }
    from=$(received) start=$(date +%s.%N)
    "$load" "$at" "$dir/mix" -l -c 2000 -p 4000 -s "${SECONDS_LONG:-60}" > "$dir/polls"
    to=$(received) end=$(date +%s.%N)
    images=$(curl -s "http://$at/results/index.json" | jq '.records.image')
    echo "$from $to $start $end $images" | awk '{ printf "results with images: %.1f a second (%d in %.0f s; images so far %d)\n", ($2 - $1) / ($4 - $3), $2 - $1, $4 - $3, $5 }'
    sed 's/^/2,000 readers: /' "$dir/polls"
    curl -s "http://$at/metrics" | awk '/^hesabu_records_(accepted|refused)_total/ { printf "%s %d  ", $1, $2 } END { print "" }'
    echo "the process, which also makes and sends the night: $(memory $server)"
}

case $what in
follow) follow "$3" ;;
night) night ${3:+"$3"} ;;
*) sed -n '3,7p' "$0"; exit 2 ;;
esac
