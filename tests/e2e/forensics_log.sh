#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# hesabu forensics, compare and quickcount on a log, as any party would run them on a mirror. Prints TAP.
# usage: tests/e2e/forensics_log.sh [HESABU]
. "$(dirname "$0")/figures.sh"

D=$tmp/night
"$H" demo --once --dir "$D" --limit 400 > "$tmp/demo.out" 2>&1 || { echo "not ok 1 - a log to look at"; cat "$tmp/demo.out"; echo 1..1; exit 1; }
"$H" export "$D" --csv "$tmp/x.csv" 2> /dev/null
# a tally as a party would have it: code, register, four candidates, from the counted stations
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "code,kenyatta,odinga,nyagah,dida"; next }
    $at["counted"] == "yes" { print $at["station"] "," $at["votes:kenyatta"] "," $at["votes:odinga"] "," $at["votes:nyagah"] "," $at["votes:dida"] }' \
    "$tmp/x.csv" > "$tmp/same.csv"
c() { "$H" compare "$@" --dir "$D" --key code --json; }
c "$tmp/same.csv" > "$tmp/c"
is "$(jq -c '[.differs, .only_a, .only_b, .unknown, .impossible_count]' "$tmp/c")" '[0,0,0,0,0]' "a true copy agrees with every form"
is "$(jq -r '.source.contest' "$tmp/c")" president "the source is named"

# changed: one station by 100, one missing, one doubled, one unknown code, one without its leading zeros
awk -F, -v OFS=, 'NR == 5 { $2 += 100 } NR == 8 { next } NR == 10 { print } NR == 12 { $1 = "123" } NR == 14 { sub(/^0+/, "", $1) } { print }' \
    "$tmp/same.csv" > "$tmp/party.csv"
c "$tmp/party.csv" > "$tmp/c"
is "$(jq -c '[.differs, .only_b, .duplicate_keys_a, .unknown, .codes_padded]' "$tmp/c")" '[1,2,1,1,1]' \
    "difference, missing, doubled, unknown and shortened codes are told apart"
is "$(jq -c '.unknown_keys' "$tmp/c")" '["123"]' "the unknown code is listed"
is "$(jq -c '.differences[0] | [.a - .b, .column, (.form.signed_by | startswith("po."))]' "$tmp/c")" \
    '[100,"kenyatta",true]' "the difference names its form"
image=$(jq -r '.differences[0].form.image' "$tmp/c")
is "$(sha256sum "$D/public/objects/$image" | cut -d' ' -f1)" "$image" "and the picture, which is in the tree"
is "$(jq -c '.totals.kenyatta | .difference == (.decomposition | add)' "$tmp/c")" true "the parts of the difference add up to it"

# forms, collations and the file side by side
is "$(jq -c '.channels | [.collations > 0, .units_differ, .sentence != ""]' "$tmp/c")" '[true,1,true]' \
    "one unit where the channels differ: the file's own"
is "$(jq -c '.channels.differences[0] | [.forms == .collation_above, .file - .forms, .level]' "$tmp/c")" '[true,100,"station"]' \
    "form and collation agree, the file does not"
"$H" compare --dir "$D" --json > "$tmp/own"
is "$(jq -c '.channels | [.units_differ, (.levels[] | select(.level == "constituency" or .level == "station") | .pairs | map([.a, .b, .compared == .equal]))]' "$tmp/own")" \
    '[0,[["forms","collation_above",true],["forms","own_collation",true],["collation_above","own_collation",true]],[["forms","collation_above",true]]]' \
    "the log's own channels, without a file"
"$H" compare --dir "$D" --lang sw | grep -q "Njia, eneo kwa eneo"; ok $? "in Swahili"
"$H" compare > /dev/null 2>&1; is $? 64 "nothing to compare is wrong usage"

# areas and the whole: sums of the file's own rows, one of them too small for the forms there are
awk -F, -v OFS=, 'NR == 1 { print; next } { print; u[substr($1, 1, 6)]; for (i = 2; i <= 5; i++) { s[substr($1, 1, 6), i] += $i; t[i] += $i } }
    END { for (k in u) print k, s[k, 2], s[k, 3], s[k, 4], s[k, 5]; print "KE", t[2] - 50, t[3], t[4], t[5] }' \
    "$tmp/same.csv" > "$tmp/areas.csv"
c "$tmp/areas.csv" > "$tmp/c"
is "$(jq -c '[.levels[].level]' "$tmp/c")" '["station","constituency","nation"]' "every level is compared"
is "$(jq -c '[.sums_broken[] | .key, .column, .sum_of_parts - .published]' "$tmp/c")" '["KE","kenyatta",50]' \
    "a total that is not the sum of the file's own parts"
is "$(jq -c '[.impossible[] | .key, .column]' "$tmp/c")" '["KE","kenyatta"]' "a total that no set of forms can give"
is "$(jq -c '.totals.kenyatta | [.announced_difference, .decomposition.arithmetic]' "$tmp/c")" '[-50,-50]' \
    "and all of the difference is arithmetic"
"$H" compare "$tmp/areas.csv" --dir "$D" --key code --lang sw > "$tmp/sw" && grep -q "hakuna seti ya fomu" "$tmp/sw"
ok $? "in Swahili too"
"$H" compare "$tmp/same.csv" --dir "$D" --key odinga --json > /dev/null 2> "$tmp/e"
[ $? -ne 0 ] && grep -q "right column" "$tmp/e"; ok $? "a wrong key column is said to be one"

# the battery on the log gives what it gives on the log's export
"$H" forensics --dir "$D" --leader odinga --areas county+constituency+ward --no-resampling --json > "$tmp/log"
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "code,r,v,j,a,b,c,d,e,f,g,h,c1,c2,c3"; next } $at["counted"] == "yes" {
    s = $at["station"]; print s, $at["registered"], $at["valid_written"], $at["rejected"], $at["votes:aukot"], $at["votes:dida"], $at["votes:jirongo"],
    $at["votes:kaluyu"], $at["votes:kenyatta"], $at["votes:mwaura"], $at["votes:nyagah"], $at["votes:odinga"], substr(s, 1, 3), substr(s, 4, 3), substr(s, 7, 4) }' \
    "$tmp/x.csv" > "$tmp/flat.csv"
"$H" forensics "$tmp/flat.csv" --columns registered=r,valid=v,rejected=j,votes=a+b+c+d+e+f+g+h,unit=code,area=c1+c2+c3 \
    --leader h --no-resampling --json > "$tmp/flat"
same() { jq -c '[.methods[] | select(.method != "late_shift" and .method != "stream_constancy") | [.method, .n, .value, .excess, .class]]' "$1"; }
is "$(same "$tmp/log" | sha256sum)" "$(same "$tmp/flat" | sha256sum)" "forensics: the log and its export give the same"
"$H" forensics --dir "$D" --leader odinga --no-resampling --map data/kenya-2017/map.json --pictures "$tmp/map" --pdf "$tmp/map.pdf" > /dev/null
is "$(grep -o '<title>[A-Z]* / [A-Z]*:' "$tmp/map/map.svg" | wc -l)" 3 "the preset's cartogram: the constituencies that have stations"
[ -s "$tmp/map.pdf" ]; ok $? "and in the report to print"
is "$(jq -c '[.source.simulated, .source.signatures_verified]' "$tmp/log")" '[true,0]' "it says what it read"
is "$(jq -c '[.published.areas > 0, .published.differ, .published.absent]' "$tmp/log")" '[true,0,0]' "published totals are those of the records"
cp -r "$D/public" "$tmp/false"
sed -i '0,/"kenyatta":[0-9]*/s//"kenyatta":999999/' "$tmp/false/results/president/1/KE.json"
is "$("$H" forensics --dir "$tmp/false" --leader odinga --no-resampling --json | jq -c '[.published.differ, .published.first]')" '[1,"KE"]' \
    "a total that was changed afterwards is found"
[ "$("$H" forensics --dir "$D" --leader odinga --no-resampling --check-signatures --json | jq .source.signatures_verified)" -gt 400 ]
ok $? "and checks the signatures when asked"
"$H" forensics --dir "$D" --leader nobody > /dev/null 2> "$tmp/e"
[ $? -ne 0 ] && grep -q "not a choice" "$tmp/e"; ok $? "an unknown choice is refused"

# quick count: the log's stations are the frame
"$H" quickcount plan --dir "$D" --areas constituency --margin 5 > "$tmp/plan"
"$H" quickcount draw --dir "$D" --areas constituency --size "$(jq .size "$tmp/plan")" --seed "4 2 6" > "$tmp/sample.csv"
is "$(($(wc -l < "$tmp/sample.csv") - 1))" "$(jq .sample "$tmp/plan")" "quickcount: as many of the log's stations as planned"
awk -F, 'NR == FNR { v[$1] = $0; next } FNR == 1 { print "code,kenyatta,odinga,nyagah,dida"; next } { print v[$1] }' \
    "$tmp/same.csv" "$tmp/sample.csv" > "$tmp/reports.csv"
"$H" quickcount estimate "$tmp/sample.csv" "$tmp/reports.csv" --columns unit=code,votes=kenyatta+odinga+nyagah+dida \
    --dir "$D" --json > "$tmp/q"
is "$(jq -c '[.official_stations == .official_expected, (.estimates[1] | .official >= .low_99 and .official <= .high_99)]' "$tmp/q")" \
    '[true,true]' "observers who saw the same forms agree with the log"
# live: a watcher that follows from the beginning says what one says who reads it all at the end
W=$tmp/live
"$H" demo --once --dir "$W" --limit 700 --seed 5 > "$tmp/demo.out" 2>&1 &
maker=$!
for _ in $(seq 600); do [ -s "$W/public/checkpoint" ] && [ -s "$W/public/anchor" ] && break; sleep .05; done
"$H" forensics --watch "$W" --leader odinga --interval 100 --json > "$tmp/followed" 2> "$tmp/err" &
watcher=$!
wait "$maker"; ok $? "an election night while somebody watches"
size=$(sed -n 2p "$W/public/checkpoint")
"$H" forensics --watch "$W" --leader odinga --once --json > "$tmp/afterwards"
for _ in $(seq 200); do [ "$(wc -l < "$tmp/followed")" -ge "$(wc -l < "$tmp/afterwards")" ] && break; sleep .1; done
kill "$watcher" 2> /dev/null; wait "$watcher"; ok $? "the watcher ends when it is told to"
is "$(tail -n +2 "$tmp/followed" | sha256sum)" "$(tail -n +2 "$tmp/afterwards" | sha256sum)" "the same events, live and afterwards"
is "$(head -1 "$tmp/afterwards" | jq -c '[.event, .source.size]')" "[\"start\",$size]" "of the whole log"
is "$(jq -c 'select(.event == "look" or .event == "test") | .received' "$tmp/afterwards" | wc -l)" 10 "ten looks"
[ "$(jq -c 'select(.class == "fact")' "$tmp/afterwards" | wc -l)" -ge 1 ]; ok $? "facts of the night are events"
"$H" forensics --watch "$W" --leader odinga --once --lang sw > "$tmp/sw" && grep -q "Baada ya vituo" "$tmp/sw"; ok $? "in Swahili too"
# a log that takes entries back is caught while it is watched
cp -r "$W/public" "$tmp/back"
old=$(ls "$tmp/back/witnessed" | grep -E '^[0-9]+$' | sort -n | head -1)
"$H" forensics --watch "$tmp/back" --leader odinga --interval 100 --json > "$tmp/followed" 2> "$tmp/err" &
watcher=$!
for _ in $(seq 200); do [ "$(wc -l < "$tmp/followed")" -ge "$(wc -l < "$tmp/afterwards")" ] && break; sleep .1; done
cp "$tmp/back/witnessed/$old" "$tmp/back/older" && mv "$tmp/back/older" "$tmp/back/checkpoint"
wait "$watcher"
[ $? -ne 0 ] && grep -q E_REWIND "$tmp/err"; ok $? "a log that shows fewer entries than before ends the watch"

# the daemon publishes the same events
"$H" serve --dir "$W" --listen 127.0.0.1:0 --watch president=odinga --unconfirmed "a test" --quiet > "$tmp/serve" 2> "$tmp/err" &
server=$!
for _ in $(seq 200); do [ -s "$W/public/watch.json" ] && break; sleep .1; done
is "$(jq -c '.events[] | del(.sentence_sw)' "$W/public/watch.json" | sha256sum)" "$(tail -n +2 "$tmp/afterwards" | sha256sum)" \
    "the daemon's watch.json holds them too"
kill "$server"; wait "$server"; ok $? "the daemon ends in good order"
"$H" serve --dir "$W" --listen 127.0.0.1:0 --watch president > /dev/null 2>&1
is $? 64 "a watch without a choice is refused"
echo "1..$n"
[ "$bad" -eq 0 ]
