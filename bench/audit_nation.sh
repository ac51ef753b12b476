#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A risk-limiting audit of a whole election on its log, SIMULATED, from plan to close: Kenya's presidential
# election of 2017, both rules (majority, a quarter in 24 counties), every box of the sample counted by two
# people with seeded errors, then done again by verify, by the transcript's checker and by awk. Prints what
# each step took.  usage: bench/audit_nation.sh DIR [STATIONS [SEED]]   (DIR: an election of `hesabu demo --once`
# in DIR/e, made if it is not there; STATIONS 0: all 40,883)
set -u
cd "$(dirname "$0")/.." || exit 1
top=$(pwd) hesabu=$(realpath "${HESABU:-build/hesabu}") dir=${1:?DIR} stations=${2:-0} seed=${3:-2017}
mkdir -p "$dir" || exit 1
now() { date +%s.%N; }
began=
step() { # step WORDS: the time of the step before
    t=$(now)
    [ -z "$began" ] || awk -v a="$began" -v b="$t" -v w="$was" 'BEGIN { printf "%-58s %8.1f s\n", w, b - a }'
    began=$t was=$1
}
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null' EXIT
fail() { echo "audit_nation: $1" >&2; sed 's/^/    /' "$dir/out" "$dir/err" 2> /dev/null | tail -n 20 >&2; exit 1; }
run() { "$@" > "$dir/out" 2> "$dir/err" < /dev/null || fail "$*"; }

step "the election night ($stations stations; 0: all)"
[ -e "$dir/e/public/head.json" ] || run "$hesabu" demo --once --dir "$dir/e" --limit "$stations"
cd "$dir" || exit 1
dir=.
HESABU_OUTBOX=$(pwd)/box HOME=$(pwd)
export HESABU_OUTBOX HOME
step "daemon starts"
"$hesabu" serve --dir e --listen 127.0.0.1:0 --interval 50 --data-every 0 --quiet --exempt 127.0.0.0/8 \
    --unconfirmed 'an audit afterwards, without the witnesses' > serve.out 2> serve.err &
pid=$!
i=0
until grep -q listening serve.out || [ $i -gt 3000 ] || ! kill -0 "$pid" 2> /dev/null; do sleep 0.1; i=$((i + 1)); done
url=$(sed -n 's/.*\(http:[^ ]*[0-9]\).*/\1/p' serve.out | head -n 1)
[ -n "$url" ] || fail "the daemon does not listen"
send="--send $url --wait receipt"
entries() { sed -n 's/.*"size":\([0-9]*\).*/\1/p' e/public/head.json; }
settled() { # until the tree has the newest entry that a receipt named
    want=$(sed -n 's/.*: entry \([0-9]*\),.*/\1/p' out | sort -n | tail -n 1)
    i=0
    until [ -z "$want" ] || [ "$(entries)" -gt "$want" ] || [ $i -gt 6000 ]; do sleep 0.1; i=$((i + 1)); done
}
grant() { # grant NAME ROLE KEYS...
    name=$1 role=$2; shift 2
    run "$hesabu" keys new "$name" --simulated --out "$name.key"
    run "$hesabu" keys enrol "$name.key" --role "$role" --unit KE --election e
    # shellcheck disable=SC2086
    run "$hesabu" keys grant "$name.key.request" "$@" --yes $send
}
audit() { what=$1; shift; run "$hesabu" audit "$what" --dir e "$@"; }
sends() { audit "$@"; settled; }
k=e/keys
step "keys of the board and three auditors"
grant board audit-board --key $k/commissioner.1.key --key $k/commissioner.2.key --key $k/commissioner.3.key --key $k/commissioner.4.key
for a in aud1 aud2 aud3; do grant $a auditor --key board.key; done
settled
board="--key board.key --key aud1.key $send"

step "the list, from the log; compliance (one station in 400 fails)"
audit list --contest president --level county --out list.csv
header=$(head -n 1 list.csv)
awk -F, -v seed="$seed" 'BEGIN { srand(seed); print "station,delivered,cast,spoilt,unused,seals,custody,eligibility" }
    NR > 1 { bad = rand() < 1 / 400; cast = 0; for (i = 4; i <= NF; i++) cast += $i
        printf "%s,%d,%d,0,%d,ok,%s,ok\n", $2, $3 + bad, cast, $3 + bad - cast, bad ? "failed" : "ok" }' list.csv > compliance.csv
echo "By order of a court (SIMULATED): boxes of the stations that the dice draw are opened." > order.txt
step "the plan is committed"
rule= # the law's own: majority, a quarter in 24 counties
[ "$stations" = 0 ] || rule=--majority # parts of a country have not its counties
# shellcheck disable=SC2086
sends commit --contest president --batches list.csv --authority order.txt --compliance compliance.csv $rule $board
cat err
step "the dice; the order of all draws"
dice=$(awk -v seed="$seed" 'BEGIN { srand(seed); for (i = 0; i < 20; i++) printf "%d", rand() * 10 }')
sleep 1
sends seed --digits "$dice" --thrown-at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" $board
cat err

# What the boxes hold: in three of ten 5 votes moved between the first two, either way; one in 300 is gone.
awk -F, -v seed="$seed" -v OFS=, 'BEGIN { srand(seed + 1) }
    NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; sub(/^jurisdiction,batch,ballots/, "station"); print; next }
    { a = 4; b = 5; for (i = 4; i <= NF; i++) if ($i > $a) a = i; b = a == 4 ? 5 : 4
      for (i = 4; i <= NF; i++) if (i != a && $i > $b) b = i
      if (rand() < .3) { d = rand() < .5 ? 5 : -5; if (d > $b) d = $b; if (-d > $a) d = -$a; $a += d; $b -= d }
      gone = rand() < 1 / 300; line = $2; for (i = 4; i <= NF; i++) line = line OFS (gone ? "lost" : $i); print line }' \
    list.csv > boxes-hold.csv
session() { # session SEED SHARE: the boxes to count, as one person counts them: one choice wrong by one in SHARE of them
    awk -F, -v OFS=, -v seed="$1" -v share="$2" 'BEGIN { srand(seed) }
        FILENAME == "boxes.csv" { want[$2] = 1; next }
        FNR == 1 { print; next }
        $1 in want { if (rand() < share && $3 != "lost") $3 += 1; print }' boxes.csv boxes-hold.csv
}
round=1
while :; do
    step "round $round: boxes by county, sheets"
    audit sheets --csv boxes.csv --out sheets.pdf
    echo "    $(($(wc -l < boxes.csv) - 1)) boxes, sheets.pdf $(($(wc -c < sheets.pdf) / 1024)) KiB"
    step "round $round: two people count each box, sealed, opened"
    session $((seed + 10 + round)) 0.02 > session.aud1.csv
    session $((seed + 20 + round)) 0.02 > session.aud2.csv
    for a in aud1 aud2; do sends count --counts session.$a.csv --keep kept.$a --key $a.key $send; done
    for a in aud1 aud2; do sends count --open --keep kept.$a --key $a.key $send; done
    step "round $round: a third where the two differ"
    audit sheets --csv boxes.csv
    if [ "$(wc -l < boxes.csv)" -gt 1 ]; then
        echo "    $(($(wc -l < boxes.csv) - 1)) boxes"
        session 1 0 > session.aud3.csv
        sends count --counts session.aud3.csv --keep kept.aud3 --key aud3.key $send
        sends count --open --keep kept.aud3 --key aud3.key $send
    fi
    step "round $round: risk, progress by county, differences"
    audit status --json
    cp out status.json
    jq -r '"    \(.size) of \(.stations) stations drawn, \(.counted) counted, \(.waiting) waiting; \(.differences | length) differ (\([.differences[] | select(.form)] | length) with the image of the form); largest p \([.assertions[].p] | max); confirmed: \(.confirmed)"' status.json
    [ "$(jq .confirmed status.json)" = true ] && break
    [ $round -lt 9 ] || fail "not confirmed after $round rounds"
    round=$((round + 1))
    step "round $round: opened"
    # shellcheck disable=SC2086
    sends next $board
    cat err
done
step "closed"
# shellcheck disable=SC2086
sends close --transcript transcript.txt $board
kill "$pid"; wait "$pid" 2> /dev/null; pid=

step "report, HTML and PDF"
audit report --out report.html --pdf report.pdf
step "the transcript, done again: hesabu audit check"
run "$hesabu" audit check transcript.txt
sed 's/^/    /' out
step "the same with awk, sha256sum and bc"
run awk -f "$top/tools/audit-check.awk" transcript.txt
sed 's/^/    /' out
step "verify, with the audit"
"$hesabu" verify e/public --no-objects --json > verify.json 2> err
jq -c '{verdict, audits}' verify.json | sed 's/^/    /'
step end
[ "$(jq '.audits[0].holds and .audits[0].gives == "confirmed"' verify.json)" = true ] || fail "verify does not give the close"
echo "transcript.txt $(wc -l < transcript.txt) lines, $(wc -c < transcript.txt) bytes; log of $(entries) entries"
