#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A server whose clock is a year ahead when it starts: nothing gets a time of next year, because the
# clock is compared with a witness's before anything is sequenced. Prints TAP.
. "$(dirname "$0")/commands.sh"
watcher=
trap 'kill $pid $watcher 2> /dev/null; rm -rf "$tmp"' EXIT
stop() { kill -INT "$pid"; wait "$pid"; pid=; }
healthy() { curl -s "$url/healthz" > "$tmp/health"; grep -q "\"sequencing\":$1" "$tmp/health"; }
comes() { # comes CONDITION...: within twenty seconds
    i=0
    until "$@" || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
    "$@"
}

name=observers.example/w1
"$hesabu" witness --new $name --out "$tmp/w1.key" --simulated > "$tmp/w1.vkey"
printf 'witness w1 %s\nquorum w1\n' "$(tail -n 1 "$tmp/w1.vkey")" > "$tmp/policy"
election "" --limit 4 --policy "$tmp/policy"
"$hesabu" witness --dir w1 --key w1.key --log "$(vkey log.key)" --listen 127.0.0.1:0 --quiet > witness.out 2> witness.err &
watcher=$!
witness=w1=$(address_in witness.out)
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
grant() { # grant NAME: its key becomes a returning officer's
    "$hesabu" keys new "$1" --simulated --out "$1.key" > /dev/null &&
        "$hesabu" keys enrol "$1.key" --role returning-officer --unit "$constituency" --election e > /dev/null &&
        run timeout "${2:-20}" "$hesabu" keys grant "$1.key.request" --key com.key --yes --send "$url"
}

refuses "an address for a witness that nobody knows" 64 'no witness "w2"' "$hesabu" serve --dir e --listen 127.0.0.1:0 --witness w2=http://127.0.0.1:9
serve --witness "$witness"
ok "with the right clock it sequences" comes healthy true
grant ro1
ok "a record is logged" exits 0
published
stop

library=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 | head -n 1)
under="env LD_PRELOAD=$library FAKETIME=+365d FAKETIME_DONT_FAKE_MONOTONIC=1"
serve --witness "$witness"
ok "a year ahead it says that its clock is away" comes grep -q "clock is 315[0-9]* s from" serve.err
ok "and sequences nothing" healthy false
grant ro2 5
ok "a record is not taken" sh -c "[ $got -ne 0 ]"
ok "the reason is the clock" said "clock is away"
stop
ok "the log has no entry more" [ "$(sed -n 2p e/public/checkpoint)" = 2 ]

under=
serve --witness "$witness"
ok "set right, it goes on" comes healthy true
grant ro3
ok "and takes records" exits 0
published
stop
run "$hesabu" verify e/public
ok "the log is valid" said "verdict: VALID"
echo "1..$n"
exit "$bad"
