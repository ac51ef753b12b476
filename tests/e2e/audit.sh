#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# hesabu audit on the command line: a published audit reproduced, a transcript done again with awk,
# and wrong input refused. Prints TAP.
. "$(dirname "$0")/commands.sh"
shared=${HESABU_SHARED:-../shared}
is() { # is FILE JQ-FILTER
    [ "$(jq "$2" "$1")" = true ]
}

# ---- Georgia, 19 May 2026: a real statewide audit ----
ga=$shared/vectors/georgia-2026
seed=06712221796172622814
if [ -r "$ga/senate_batches.csv" ]; then
    risk() {
        "$hesabu" audit risk --batches "$ga/senate_batches.csv" --sample "$ga/senate_sample.csv" \
            --combined "$ga/senate_combined.csv" --winners 2 --runoff --risk-limit 0.05 --json "$@"
    }
    risk --method macro --seed $seed > "$tmp/macro.json"
    ok "Georgia: macro p" is "$tmp/macro.json" '.p_value - 0.049083729 | fabs < 5e-10'
    ok "Georgia: U" is "$tmp/macro.json" '.u - 45.95283424167281402 | fabs < 1e-11'
    ok "Georgia: 138 draws of 134 batches, all from the seed" is "$tmp/macro.json" \
        '.draws == 138 and .distinct_batches == 134 and .draws_reproduced and .confirmed'
    ok "Georgia: MACRO and the mixture, side by side" is "$tmp/macro.json" \
        '(.beside.mixture - 0.0622051 | fabs < 1e-6)'
    risk --method mixture --seed $seed > "$tmp/mixture.json"
    ok "Georgia: the mixture does not confirm at 5 %" is "$tmp/mixture.json" \
        '(.p_value - 0.0622051 | fabs < 1e-6) and (.confirmed | not)'
    ok "Georgia: each assertion has its p, the contest the largest" is "$tmp/mixture.json" \
        '(.assertions | length) == 8 and ([.assertions[].p_value] | max) == .p_value'
    risk --method macro > "$tmp/unordered.json"
    ok "Georgia: macro without the seed" is "$tmp/unordered.json" \
        '(.p_value - 0.049083729 | fabs < 5e-10) and (.order_known | not)'
    "$hesabu" audit draw --batches "$ga/senate_batches.csv" --seed $seed --method arlo-ppeb \
        --winners 2 --runoff --size 138 --json > "$tmp/draw.json"
    ok "Georgia: the first three draws" is "$tmp/draw.json" \
        '[.draws[0:3][] | .jurisdiction + "/" + .batch] == ["BLECKLEY/ED-1 ICP 2 - 0",
          "CLAYTON/ED-Jonesboro 20 ICP 1 - 0", "BULLOCH/ED-Blitch ICP 1 - 0"]'
    refused "Georgia: alpha needs the order" 64 E_USAGE risk --method alpha
    refused "Georgia: another seed does not draw this sample" 1 E_AUDIT_DRAW \
        risk --method macro --seed 06712221796172622815
else
    echo "ok $((n += 1)) - Georgia # SKIP no shared vectors"
fi

# ---- a small contest ----
awk 'BEGIN { print "jurisdiction,batch,ballots,Ann,Ben"
    for (g = 0; g < 300; g++) { b = 100 + (g * 7919) % 400; w = int(b * (52 + (g * 31) % 9) / 100)
        printf "C%d,S%03d,%d,%d,%d\n", g % 5, g, b, w, int(b * 97 / 100) - w } }' > "$tmp/b.csv"
"$hesabu" audit draw --batches "$tmp/b.csv" --seed $seed --method integer-ppeb --majority --size 90 \
    --json > "$tmp/draws.json"
jq -r '.draws[] | [.jurisdiction, .batch, .draw] | join(",")' "$tmp/draws.json" |
    awk -F, 'NR == FNR { a[$1 "," $2] = $4 - (FNR % 17 == 3) "," $5; next }
        FNR == 1 { print "jurisdiction,batch,tickets,audit Ann,audit Ben" } { print $0 "," a[$1 "," $2] }' \
        "$tmp/b.csv" - > "$tmp/s.csv"
transcript() {
    "$hesabu" audit transcript --batches "$tmp/b.csv" --sample "$tmp/s.csv" --seed $seed --majority "$@"
}
transcript > "$tmp/t.txt"
"$hesabu" audit check "$tmp/t.txt" --json > "$tmp/check.json"
ok "a transcript holds" is "$tmp/check.json" '.verdict == "holds" and .draws == 90 and .confirmed'
"$hesabu" audit risk --batches "$tmp/b.csv" --sample "$tmp/s.csv" --seed $seed --majority --json \
    > "$tmp/risk.json"
ok "audit risk gives the transcript's p" [ "$(jq .p_value "$tmp/risk.json")" = "$(jq .p_value "$tmp/check.json")" ]
ok "awk, sha256sum and bc do the audit again" sh -c "awk -f tools/audit-check.awk '$tmp/t.txt' > /dev/null"
# one figure altered, in the seed, a draw, a count, a sum, a p, the end
for edit in '/^seed/s/0/1/' '/^d 5 /s/[0-9]$/x/' '/^h/s/1$/2/' '/^r 9 /s/ \([0-9]*\) \([0-9.]*\)$/ 1\1 \2/' \
    '/^r 90 /s/0\.\([0-9]\)/0.9\1/' '/^end/s/1$/0/' '$d' '/^d 40 /,/^r 40 /d'; do
    sed "$edit" "$tmp/t.txt" > "$tmp/bad.txt"
    ok "awk refuses: $edit" sh -c "! awk -f tools/audit-check.awk '$tmp/bad.txt' > /dev/null 2>&1"
    refused "check refuses: $edit" 1 E_AUDIT_TRANSCRIPT "$hesabu" audit check "$tmp/bad.txt"
done

# ---- a rule of regions, with spare ones ----
head -n 61 "$tmp/b.csv" | sed 's/^C0,/C9,/' > "$tmp/r.csv" # C9 is no region of the rule
regional() { # regional SPARE FAILS: every box drawn and counted; in the region FAILS Ann has a fifth by hand
    rule="--batches $tmp/r.csv --regions 3:1/4 --outside C9 --spare $1"
    "$hesabu" audit draw $rule --seed $seed --method integer-ppeb --size 60 --json |
        jq -r '.draws[] | [.jurisdiction, .batch, .draw] | join(",")' |
        awk -F, -v fails="$2" 'NR == FNR { a[$1 "," $2] = $1 == fails ? int($5 / 4) "," $5 : $4 "," $5; next }
            FNR == 1 { print "jurisdiction,batch,tickets,audit Ann,audit Ben" } { print $0 "," a[$1 "," $2] }' \
            "$tmp/r.csv" - > "$tmp/rs.csv"
    "$hesabu" audit transcript $rule --sample "$tmp/rs.csv" --seed $seed > "$tmp/rt.txt"
    "$hesabu" audit risk $rule --sample "$tmp/rs.csv" --seed $seed --json > "$tmp/rr.json"
}
regional 0 none
ok "regions: a jurisdiction outside the rule has no assertion" is "$tmp/rr.json" \
    '([.assertions[].name | select(test(" in C"))] | length == 3 and all(test("C9") | not)) and .confirmed'
fails=$(jq -r '[.assertions[].name | select(test(" in C"))][0] | sub(".* in "; "")' "$tmp/rr.json")
regional 0 "$fails"
ok "regions: one of just enough fails, and nothing is confirmed" is "$tmp/rr.json" '.p_value == 1 and (.confirmed | not)'
regional 1 "$fails"
ok "regions: a spare one takes its place" is "$tmp/rr.json" \
    '.confirmed and ([.assertions[] | select(.p_value == 1)] | length == 1)'
"$hesabu" audit check "$tmp/rt.txt" --json > "$tmp/check.json"
ok "regions: the transcript says so too" is "$tmp/check.json" '.confirmed'
ok "regions: and awk" sh -c "awk -f tools/audit-check.awk '$tmp/rt.txt' | grep -q ' confirmed' && grep -q '^spare 1\$' '$tmp/rt.txt'"
sed '/^spare/d' "$tmp/rt.txt" > "$tmp/bad.txt"
refused "regions: without that line it does not hold" 1 E_AUDIT_TRANSCRIPT "$hesabu" audit check "$tmp/bad.txt"
# more spare ones than regions would leave no rule; a limit said again behind the draws is nobody's promise
for edit in 's/^spare 1$/spare 9/' '/^end/i limit 900000'; do
    sed "$edit" "$tmp/rt.txt" > "$tmp/bad.txt"
    ok "regions: awk refuses: $edit" sh -c "! awk -f tools/audit-check.awk '$tmp/bad.txt' > /dev/null 2>&1"
    refused "regions: check refuses: $edit" 1 E_AUDIT_TRANSCRIPT "$hesabu" audit check "$tmp/bad.txt"
done
refused "regions: an unknown one outside" 64 E_USAGE "$hesabu" audit plan --batches "$tmp/r.csv" --regions 3:1/4 --outside C8
refused "regions: spare ones without a rule" 64 E_USAGE "$hesabu" audit plan --batches "$tmp/r.csv" --spare 2

# ---- planning, court, report ----
"$hesabu" audit plan --batches "$tmp/b.csv" --majority --stations 5 --svg "$tmp/p.svg" --json > "$tmp/plan.json"
awk -F, -v OFS=, 'NR > 1 { $1 = NR % 40 ? "C1" : "C2"; if ($1 == "C2") { $3 = 60; $4 = 20; $5 = 30 } } 1' "$tmp/b.csv" > "$tmp/small.csv"
ok "plan: fewer stations for a larger risk, and 5 are not enough" is "$tmp/plan.json" \
    '([.plans[].stations] | . == (sort | reverse)) and (.what_stations_can_show.enough_here | not)'
"$hesabu" audit plan --batches "$tmp/small.csv" --regions 2:1/4 --json > "$tmp/small.json"
ok "plan: a region of few ballots takes many draws of the whole, and they are made" is "$tmp/small.json" \
    '.plans | all(.full_count | not) and .[0].stations > 3'
ok "plan: a plot" grep -q '</svg>' "$tmp/p.svg"
"$hesabu" audit size --batches "$tmp/b.csv" --majority --seed $seed --json > "$tmp/size.json"
jq -r '.draws[] | [.jurisdiction, .batch, .draw] | join(",")' "$tmp/draws.json" |
    awk -F, 'NR == FNR { a[$1 "," $2] = $4 "," $5; next }
        FNR == 1 { print "jurisdiction,batch,tickets,audit Ann,audit Ben" } { print $0 "," a[$1 "," $2] }' \
        "$tmp/b.csv" - > "$tmp/clean.csv"
crossed=$("$hesabu" audit transcript --batches "$tmp/b.csv" --sample "$tmp/clean.csv" --seed $seed --majority |
    awk '$1 == "r" && $7 <= 0.05 { print $2; exit }')
ok "size: a clean audit stops where its p crosses the limit" is "$tmp/size.json" ".clean.enough and .clean.draws == $crossed"
awk -F, 'NR <= 21' "$tmp/s.csv" > "$tmp/s20.csv"
"$hesabu" audit size --batches "$tmp/b.csv" --majority --seed $seed --sample "$tmp/s20.csv" --json > "$tmp/next.json"
ok "size: a later round" is "$tmp/next.json" \
    '.counted == 20 and (.draws_in_all_by_percent_of_replicates | ."50" <= ."80" and ."80" <= ."90")'
"$hesabu" audit simulate --batches "$tmp/b.csv" --majority --runs 60 --json > "$tmp/sim.json"
"$hesabu" audit simulate --batches "$tmp/b.csv" --majority --runs 60 --false-outcome --most 150 --json > "$tmp/false.json"
ok "simulate: a true outcome is confirmed, a false one seldom" sh -c "[ \"\$(jq -s \
    '(.[0].methods | all(.confirmed == 1)) and (.[1].methods | all(.confirmed < 0.2))' '$tmp/sim.json' '$tmp/false.json')\" = true ]"
"$hesabu" audit court --batches "$tmp/b.csv" --majority --list --json > "$tmp/court.json"
fewest=$(jq .further_voiding_that_changes_it.at_least "$tmp/court.json")
{ echo jurisdiction,batch; jq -r '.court_only_list[]' "$tmp/court.json" | tr / ,; } > "$tmp/v.csv"
"$hesabu" audit court --batches "$tmp/b.csv" --majority --void "$tmp/v.csv" --json > "$tmp/voided.json"
ok "court: voiding the fewest stations changes the outcome" is "$tmp/voided.json" \
    ".voided_stations == $fewest and (.outcome_unchanged | not)"
sed '$d' "$tmp/v.csv" > "$tmp/v2.csv"
"$hesabu" audit court --batches "$tmp/b.csv" --majority --void "$tmp/v2.csv" --json > "$tmp/voided.json"
ok "court: one less does not" is "$tmp/voided.json" '.outcome_unchanged'
refused "court: an unknown station" 1 E_AUDIT_BATCHES sh -c "printf 'jurisdiction,batch\nC9,S9\n' > '$tmp/v.csv'; \
    '$hesabu' audit court --batches '$tmp/b.csv' --void '$tmp/v.csv'"
"$hesabu" audit report "$tmp/t.txt" --batches "$tmp/b.csv" --out "$tmp/r.html"
ok "report: says what may be said, with a plot" sh -c "grep -q 'was at least 95' '$tmp/r.html' && grep -q '</svg>' '$tmp/r.html'"
sed '2s/S000/S999/' "$tmp/b.csv" > "$tmp/b3.csv"
refused "report: another list than the committed one" 1 E_AUDIT_TRANSCRIPT "$hesabu" audit report "$tmp/t.txt" --batches "$tmp/b3.csv"

# ---- single cards; strata ----
cards() { # cards WINNERS LAST [OPTIONS]
    { echo hand,reported; i=0; while [ $i -lt "$1" ]; do echo winner,winner; i=$((i + 1)); done; [ -z "$2" ] || echo "$2"; } > "$tmp/c.csv"
    shift 2
    "$hesabu" audit cards --sample "$tmp/c.csv" --total 1000000000 --margin 0.1 --json "$@" > "$tmp/cards.json"
}
near() { # near FILE KEY VALUE: to 1e-6
    awk -v a="$(jq "$2" "$1")" -v b="$3" 'BEGIN { d = a - b; exit !(d < 1e-6 && d > -1e-6) }'
}
cards 60 ""
ok "cards: sixty clean comparisons give what the formula gives" near "$tmp/cards.json" .p_value "$(awk 'BEGIN {
    for (k = 1; k <= 20; k++) { c = 1 - exp(-k * log(2) / 2); m += exp(60 * log(1 + c * (2 / 1.9 - 1))) } printf "%.9f", 20 / m }')"
clean=$(jq .p_value "$tmp/cards.json")
cards 59 lost,winner
ok "cards: a card that cannot be found raises p, and does not end the audit" sh -c "jq -e '.lost == 1 and .p_value > $clean and .p_value < 1' '$tmp/cards.json' > /dev/null"
refused "cards: a word that is none" 1 E_CSV sh -c "printf 'hand\\nmaybe\\n' > '$tmp/c4.csv'; '$hesabu' audit cards --sample '$tmp/c4.csv' --total 9"
refused "cards: a comparison without a margin" 64 E_USAGE "$hesabu" audit cards --sample "$tmp/c.csv" --total 100
printf 'jurisdiction,batch,ballots,ann,bo\n1,a,530,300,100\n1,b,540,301,101\n1,c,500,250,60\n1,d,610,260,60\n' > "$tmp/sb.csv"
printf 'jurisdiction,batch,tickets,audit ann,audit bo\n1,b,1,301,101\n1,a,2,298,102\n1,c,3,250,60\n' > "$tmp/ss.csv"
ok "strata: one stratum is the audit itself" sh -c "'$hesabu' audit strata --batches '$tmp/sb.csv' --sample '$tmp/ss.csv' | grep -q '^p = 0.257228 ' &&
    '$hesabu' audit risk --batches '$tmp/sb.csv' --sample '$tmp/ss.csv' --seed $seed | grep -q '0.257228'"
sed 's/^1,[cd]/2&/; s/^21,/2,/' "$tmp/sb.csv" > "$tmp/sb2.csv"; sed 's/^1,c/2,c/' "$tmp/ss.csv" > "$tmp/ss2.csv"
ok "strata: two that draw by themselves know less" sh -c "'$hesabu' audit strata --batches '$tmp/sb2.csv' --sample '$tmp/ss2.csv' > '$tmp/two'; grep -q 'over 2 strata' '$tmp/two' && awk '/^p/ { exit !(\$3 > 0.2572) }' '$tmp/two'"

# ---- wrong input ----
alter() { sed "$1" "$tmp/b.csv" > "$tmp/b2.csv"; "$hesabu" audit draw --batches "$tmp/b2.csv" --seed $seed --size 3; }
refused "a negative count" 1 E_CSV alter '5s/,\([0-9]*\)$/,-\1/'
refused "more votes than ballots" 1 E_AUDIT_BOUND alter '5s/,\([0-9]*\)$/,9\1/'
refused "a batch listed twice" 1 E_AUDIT_BATCHES alter '5p'
refused "a figure missing" 1 E_AUDIT_BATCHES alter '5s/,[0-9]*$/,/'
refused "a tie" 1 E_AUDIT_OUTCOME alter '3,$d;2s/,[0-9]*,[0-9]*$/,9,9/'
refused "a seed of 19 digits" 1 E_AUDIT_SEED "$hesabu" audit transcript --batches "$tmp/b.csv" \
    --sample "$tmp/s.csv" --seed 0671222179617262281
sample() { sed "$1" "$tmp/s.csv" > "$tmp/s2.csv"; "$hesabu" audit risk --batches "$tmp/b.csv" --sample "$tmp/s2.csv" --majority --seed $seed; }
refused "a box counted twice with different results" 1 E_AUDIT_COUNT sample '5{p;s/,[0-9]*$/,1/}'
ok "a box counted twice with the same result" sh -c "sed '5p' '$tmp/s.csv' > '$tmp/s3.csv'; '$hesabu' \
    audit risk --batches '$tmp/b.csv' --sample '$tmp/s3.csv' --majority --seed $seed > /dev/null"
refused "a box that is not in the list" 1 E_AUDIT_BATCHES sample '5s/,S/,X/'
refused "more votes by hand than the box can hold" 1 E_AUDIT_BOUND sample '5s/,\([0-9]*\)$/,9\1/'
refused "a count for some choices only" 1 E_AUDIT_COUNT sample '5s/,[0-9]*$/,/'
drawn=$(cut -d, -f2 "$tmp/s.csv"); other=$(cut -d, -f1-2 "$tmp/b.csv" | grep -vF "$drawn" | head -n 1)
refused "a count for a station that was not drawn" 1 E_AUDIT_DRAW sample "5s/^[^,]*,[^,]*,\([^,]*\),.*/$other,\1,0,0/"
refused "an unknown method" 64 E_USAGE "$hesabu" audit risk --batches "$tmp/b.csv" --sample "$tmp/s.csv" --method wish
refused "a risk limit of 2" 64 E_USAGE "$hesabu" audit risk --batches "$tmp/b.csv" --sample "$tmp/s.csv" --risk-limit 2
refused "no such file" 2 E_NOT_FOUND "$hesabu" audit draw --batches "$tmp/none.csv" --seed $seed --size 3

echo "1..$n"
exit $bad
