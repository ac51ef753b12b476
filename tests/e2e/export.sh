#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# hesabu export with the real binary: every format, byte for byte the same when it is made again, valid
# against the published schemas, read back by other readers to the published totals; hostile names.
# Prints TAP. Schemas are read from $HESABU_SHARED (default ../shared) when they are there.
set -u
cd "$(dirname "$0")/../.." || exit 1
hesabu=$(realpath "${HESABU:-build/hesabu}")
shared=${HESABU_SHARED:-../shared}
xsd=$shared/vectors/nist-err/NIST_V2_election_results_reporting.xsd
tmp=$(mktemp -d) || exit 1
pid=
trap '[ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$tmp"' EXIT
n=0 bad=0
ok() { # ok NAME COMMAND...
    name=$1; shift
    n=$((n + 1))
    if "$@" > "$tmp/out" 2>&1; then echo "ok $n - $name"; else
        echo "not ok $n - $name"; bad=1; head -n 20 "$tmp/out" | sed 's/^/# /'
    fi
}
refuses() { # refuses NAME EXIT WORDS COMMAND...
    name=$1 want=$2 words=$3; shift 3
    "$@" > "$tmp/said" 2>&1; got=$?
    ok "$name" sh -c "[ $got -eq $want ] && grep -q -e '$words' '$tmp/said'"
}
checked() { # checked NAME PUBLIC FOLDER: the lines of export_check.py as tests
    python3 tests/e2e/export_check.py "$2" "$3" "$shared" > "$tmp/lines" 2> "$tmp/trace"
    ended=$?
    [ -s "$tmp/trace" ] && ok "$1: the readers run to their end" sh -c "cat '$tmp/trace'; false"
    [ -s "$tmp/lines" ] || ok "$1: the readers say something" false
    while IFS= read -r line; do
        n=$((n + 1))
        case $line in
        ok*) echo "ok $n - $1: ${line#ok }" ;;
        *) echo "not ok $n - $1: ${line#not ok }"; bad=1 ;;
        esac
    done < "$tmp/lines"
    ok "$1: the readers end well" [ "$ended" -eq 0 ]
}
same() { # same A B: the same files with the same bytes
    diff -r "$1" "$2"
}
valid() { # valid FOLDER
    [ -f "$xsd" ] || return 0
    xmllint --noout --schema "$xsd" "$1/err.xml"
}
shaped() { # shaped FOLDER: EML by our own schema of the part that is written
    xmllint --noout --schema spec/schemas/eml510.xsd "$1/eml510.xml"
}

# ---- a night with things going wrong on the way ----
"$hesabu" demo --once --limit 120 --dir "$tmp/d" > /dev/null 2>&1 || { echo "Bail out! no demo"; exit 1; }
ok "every format" "$hesabu" export "$tmp/d" --dir "$tmp/one"
ok "again" "$hesabu" export "$tmp/d/public" --dir "$tmp/two"
ok "the same bytes at the same checkpoint" same "$tmp/one" "$tmp/two"
ok "err-xml: valid against the published schema" valid "$tmp/one"
ok "eml: of the shape that the spec gives" shaped "$tmp/one"
checked president "$tmp/d/public" "$tmp/one"
size=$(sed -n 2p "$tmp/d/public/checkpoint"); root=$(sed -n 3p "$tmp/d/public/checkpoint")
for f in csv json err-json err-xml eml atom geojson; do
    "$hesabu" export "$tmp/d" --format $f > "$tmp/text" 2> /dev/null
    ok "$f says at which checkpoint it was made" sh -c "grep -qF '$size' '$tmp/text' && grep -qF '$root' '$tmp/text'"
done
ok "sqlite says at which checkpoint it was made" sh -c "[ \"\$(sqlite3 '$tmp/one/election.sqlite' \
    'SELECT checkpoint_size, checkpoint_root FROM source')\" = '$size|$root' ]"
ok "results.json holds the published index" sh -c "grep -qF \"\$(cat '$tmp/d/public/results/index.json')\" '$tmp/one/results.json'"

# the program reads its own back: every unit has the figures of the signed forms, and of the other export
cat > "$tmp/all_equal.py" << 'X'
import json, sys
r = json.load(open(sys.argv[1]))
bad = [f for f in r['fields'] if f['differs'] or not f['equal']]
sys.exit(str(bad or r['fields']) if bad or len(r['fields']) < int(sys.argv[2]) or not r['matched'] else 0)
X
read_back() { # read_back NAME DIR FOLDER: every format but the feed, to exactly the figures of the records
    ok "$1: every figure of seven formats comes back" "$hesabu" export "$2" --check "$3/err.json" --check "$3/err.xml" \
        --check "$3/eml510.xml" --check "$3/stations.csv" --check "$3/results.json" --check "$3/units.geojson" \
        --check "$3/election.sqlite"
}
read_back president "$tmp/d" "$tmp/one"
for f in err.json err.xml eml510.xml stations.csv results.json units.geojson election.sqlite; do
    cp "$tmp/one/$f" "$tmp/plain" # the format is told by what the file says
    "$hesabu" compare "$tmp/plain" --dir "$tmp/d/public" --json > "$tmp/back.json" 2> "$tmp/out"
    ok "compare: $f read back equals the log's forms, unit by unit" python3 "$tmp/all_equal.py" "$tmp/back.json" 8
done
"$hesabu" compare "$tmp/one/err.xml" "$tmp/one/err.json" --json > "$tmp/back.json" 2> "$tmp/out"
ok "compare: both spellings of the common format are equal" python3 "$tmp/all_equal.py" "$tmp/back.json" 8
cat > "$tmp/changed.jq" << 'X'
.contests == 1 and .checkpoint_same and .figures > 500 and .differs == 1 and .equal == .figures - 1 and
.only_log + .only_file == 0 and (.differences[0] | .contest == "president" and .round == 1 and .channel == $channel and
.choice == "kenyatta" and .file == 4711 and .log != 4711 and (.unit | length) == 15)
X
changed() { # changed FILE CHANNEL: $tmp/FILE, in which one station's votes are 4711
    "$hesabu" export "$tmp/d" --check "$tmp/$1" --json > "$tmp/said.json" 2> /dev/null
    ok "$1: one changed figure is named by unit, channel and choice" \
        sh -c "[ $? -eq 1 ] && jq -e --arg channel $2 -f '$tmp/changed.jq' '$tmp/said.json'"
}
python3 - "$tmp/one" "$tmp" <<'X'
import re, sqlite3, sys, shutil
folder, to = sys.argv[1:]
def change(name, pattern):
    text = open(f'{folder}/{name}', encoding='utf-8').read()
    made, n = re.subn(pattern, lambda m: m[1] + '4711', text, count=1, flags=re.S)
    assert n == 1, name
    open(f'{to}/{name}', 'w', encoding='utf-8').write(made)
change('err.json', r'(selection-1-presidentZkenyatta.*?"gp-\d{15}","Type":"total","Count":)\d+')
change('err.xml', r'(selection-1-presidentZkenyatta.*?gp-\d{15}</GpUnitId>\n<Type>total</Type>\n<Count>)\d+')
change('eml510.xml', r'(ReportingUnitIdentifier Id="\d{15}".*?Id="kenyatta".*?<ValidVotes>)\d+')
change('results.json', r'("transmitted":true,.*?"kenyatta":)\d+')
lines = open(f'{folder}/stations.csv', encoding='utf-8').read().split('\n')
at = lines[0].split(',').index('votes:kenyatta') - lines[0].count(',') - 1
row = next(i for i, line in enumerate(lines) if i and ',yes,' in line)
cells = lines[row].split(',')
cells[at] = '4711'
lines[row] = ','.join(cells)
open(f'{to}/stations.csv', 'w', encoding='utf-8').write('\n'.join(lines))
shutil.copy(f'{folder}/election.sqlite', to)
with sqlite3.connect(f'{to}/election.sqlite') as db:
    db.execute("UPDATE vote SET votes = 4711 WHERE choice = 'kenyatta' AND entry = "
               "(SELECT min(entry) FROM station WHERE counted = 1)")
# an index that still has the right figures, beside a table that has others
shutil.copy(f'{folder}/election.sqlite', f'{to}/stale.sqlite')
def do(*statements):
    db = sqlite3.connect(f'{to}/stale.sqlite')
    rows = [db.execute(*s).fetchall() for s in statements]
    db.commit()
    db.close()
    return rows
row = do(('CREATE INDEX stale ON vote(entry, choice, votes)',),
         ("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE name = 'stale'",),
         ('PRAGMA writable_schema = ON',), ("DELETE FROM sqlite_schema WHERE name = 'stale'",))[1][0]
do(('UPDATE vote SET votes = votes + 1000',), ('PRAGMA writable_schema = ON',),
   ('INSERT INTO sqlite_schema VALUES(?, ?, ?, ?, ?)', row))
# names that would act on the terminal
with open(f'{to}/names.json', 'w') as out:
    out.write('{"format":"hesabu/export/v1","units":[{"contest":"president","round":1,"unit":"1\\u001b[2J\\n1",'
              '"totals":{"transmitted":{"stations":1}}}]}')
with open(f'{to}/twice.json', 'w') as out:
    out.write(open(f'{to}/names.json').read().replace('"stations":1', '"stations":1,"stations":2'))
X
refuses "an index cannot say other than its table" 74 "contradicts itself" "$hesabu" export "$tmp/d" --check "$tmp/stale.sqlite"
for f in names twice; do
    "$hesabu" export "$tmp/d" --check "$tmp/$f.json" --limit 1000 > "$tmp/said" 2>&1
    ok "$f.json: a file's names are shown as text" sh -c "grep -qF 'unit 1?[2J?1, ' '$tmp/said' && ! LC_ALL=C grep -q '[[:cntrl:]]' '$tmp/said'"
done
for f in err.json err.xml eml510.xml; do changed $f total; done
for f in results.json stations.csv election.sqlite; do changed $f form; done
ok "compare: one changed count is found, and the unit's channels beside it" sh -c \
    "'$hesabu' compare '$tmp/err.xml' --dir '$tmp/d/public' | grep -q 4,*711"
printf '<?xml version="1.0"?><!DOCTYPE EML [<!ENTITY x SYSTEM "file://%s/one/err.xml">]><EML>&x;</EML>' "$tmp" > "$tmp/xxe.xml"
refuses "a file that names another is refused" 1 "document type" "$hesabu" export "$tmp/d" --check "$tmp/xxe.xml"
refuses "the feed is none of them" 1 "ElectionReport" "$hesabu" export "$tmp/d" --check "$tmp/one/feed.atom"
sed 's/<TransactionId>/&1/' "$tmp/one/eml510.xml" > "$tmp/later.xml"
refuses "another checkpoint is said" 1 "names checkpoint 1$(sed -n 2p "$tmp/d/public/checkpoint")" "$hesabu" export "$tmp/d" --check "$tmp/later.xml"
ok "the demonstration leaves them under data/, whole" sh -c "cd '$tmp/d/public/data' && sha256sum -c SHA256SUMS"
for f in err.json err.xml eml510.xml results.json election.sqlite; do
    ok "data/$f.gz is one's own export" sh -c "gunzip -c '$tmp/d/public/data/$f.gz' | cmp - '$tmp/one/$f'"
done
ok "the page of open data is well-formed" sh -c "tail -n +2 '$tmp/d/public/data/index.html' | xmllint --noout - && tail -n +2 '$tmp/d/public/data/sw.html' | xmllint --noout -"

if [ -f "$shared/data/kenya_geo/constituencies_iebc2012.geojson.xz" ]; then
    python3 - "$shared/data/kenya_geo/constituencies_iebc2012.geojson.xz" > "$tmp/places.geojson" <<'X'
import json, lzma, sys
places = json.load(lzma.open(sys.argv[1]))
for f in places['features']: f['properties']['code'] = f['properties']['county'] + f['properties']['code']
json.dump(places, sys.stdout)
X
    cp -r "$tmp/d/public" "$tmp/shaped"; cp "$tmp/places.geojson" "$tmp/shaped/"
    "$hesabu" export "$tmp/d" --format geojson --places "$tmp/places.geojson" > "$tmp/a.geojson" 2> /dev/null
    "$hesabu" export "$tmp/shaped" --format geojson > "$tmp/b.geojson" 2> /dev/null
    ok "shapes from a file or from the tree: the same" cmp "$tmp/a.geojson" "$tmp/b.geojson"
    ok "each constituency has its boundary, to a millionth of a degree" python3 - "$tmp/a.geojson" "$tmp/places.geojson" <<'X'
import json, sys
def flat(x): return [x[:2]] if isinstance(x[0], (int, float)) else [p for y in x for p in flat(y)]
made, given = (json.load(open(f))['features'] for f in sys.argv[1:])
given = {f['properties']['code']: f['geometry'] for f in given}
shaped = [f for f in made if f['geometry']]
assert shaped and all(f['properties']['level'] == 'constituency' for f in shaped)
assert len(shaped) == sum(f['properties']['level'] == 'constituency' for f in made)
for f in shaped:
    a, b = flat(f['geometry']['coordinates']), flat(given[f['properties']['code']]['coordinates'])
    assert len(a) == len(b) and max(abs(p - q) for x, y in zip(a, b) for p, q in zip(x, y)) < 1e-6
X
fi

tail -n +2 "$tmp/d/public/data/api.html" > "$tmp/api.xml"
ok "the page about the interface is well-formed" xmllint --noout "$tmp/api.xml"
ok "it has every operation of spec/api.yaml" sh -c "[ \"\$(grep -cE '^    (get|post|put|delete):' spec/api.yaml)\" -eq \"\$(grep -c '<section>' '$tmp/api.xml')\" ]"
sed 's/{description: Has an ETag.,/{description: Has an, ETag.,/' spec/api.yaml > "$tmp/bent.yaml"
ok "a file that is not understood is refused" sh -c "! tools/api-page '$tmp/bent.yaml' '$tmp/never.c' && [ ! -e '$tmp/never.c' ]"

# ---- at an address ----
"$hesabu" serve --dir "$tmp/d" --listen 127.0.0.1:0 --quiet --unconfirmed test > "$tmp/serve.out" 2>&1 & pid=$!
i=0
until grep -q listening "$tmp/serve.out" || [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done
url=$(sed -n 's/.*\(http:[^ ]*[0-9]\).*/\1/p' "$tmp/serve.out" | head -n 1)
ok "from an address" "$hesabu" export "$url" --format err-json --out "$tmp/remote.json"
ok "the same as from the folder" cmp "$tmp/remote.json" "$tmp/one/err.json"
kill "$pid"; wait "$pid" 2> /dev/null; pid=

# ---- compare reads it back ----
"$hesabu" compare "$tmp/one/stations.csv" "$tmp/two/stations.csv" --key station --json > "$tmp/cmp.json"
ok "compare finds every station equal" sh -c "jq -e '.equal == 120 and .differs == 0 and .only_a + .only_b == 0' '$tmp/cmp.json'"

# ---- all six kinds of contest ----
"$hesabu" demo --once --limit 30 --all-contests --dir "$tmp/six" > /dev/null 2>&1
ok "every format, all contests" "$hesabu" export "$tmp/six" --dir "$tmp/six.out"
ok "err-xml of all contests: valid" valid "$tmp/six.out"
ok "eml of all contests: of the shape" shaped "$tmp/six.out"
checked "all contests" "$tmp/six/public" "$tmp/six.out"
read_back "all contests" "$tmp/six" "$tmp/six.out"
ok "one contest of many" sh -c "'$hesabu' export '$tmp/six' --format csv --contest president --out '$tmp/p.csv' &&
    head -n 1 '$tmp/p.csv' | grep -q votes: && [ \"\$(cut -d, -f1 '$tmp/p.csv' | sort -u | wc -l)\" -eq 2 ]"

# ---- hostile names ----
cat > "$tmp/hostile.csv" <<'X'
district,station,registered,"=HYPERLINK(""http://example.org"")","]]></Text><b>&amp;'""",plain
1 =cmd|' /C calc'!A0,1 ]]>&<script>alert(1)</script>,500,100,120,3
1 =cmd|' /C calc'!A0,2 +1+1,400,80,99,1
2 @SUM(A1:A9),"1 ""quoted"", and; more",300,70,60,5
2 @SUM(A1:A9),2 -- '; DROP TABLE unit; --,300,1,2,3
X
"$hesabu" import "$tmp/hostile.csv" --once --dir "$tmp/h" --nation 'XX==1+1' --contest "president=<i>\"President\"</i>" \
    --columns "district=district,station=station,registered=registered,votes==HYPERLINK(\"http://example.org\")|]]></Text><b>&amp;'\"|plain" > "$tmp/imp" 2>&1 ||
    sed 's/^/# /' "$tmp/imp"
ok "hostile names: every format" "$hesabu" export "$tmp/h" --dir "$tmp/h.out"
ok "hostile names: err-xml is valid" valid "$tmp/h.out"
ok "hostile names: err-xml has them as text" sh -c "xmllint --xpath 'count(//*[local-name()=\"script\" or local-name()=\"b\"])' '$tmp/h.out/err.xml' | grep -qx 0"
ok "hostile names: eml is of the shape" shaped "$tmp/h.out"
checked "hostile names" "$tmp/h/public" "$tmp/h.out"
read_back "hostile names" "$tmp/h" "$tmp/h.out"
ok "hostile names: the page of open data is well-formed" sh -c "tail -n +2 '$tmp/h/public/data/index.html' | xmllint --noout -"
ok "no cell of the CSV begins like a formula" python3 - "$tmp/h.out/stations.csv" <<'X'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline='')))
assert len(rows) == 4
assert any("'=cmd" in v for r in rows for v in r.values())
assert not [v for r in rows for v in r.values() if v[:1] in ('=', '+', '-', '@', '\t')]
X

# ---- refusals ----
refuses "an unknown format" 64 "these are: csv, json" "$hesabu" export "$tmp/d" --format pdf
refuses "no format at all" 64 "say what to write" "$hesabu" export "$tmp/d"
refuses "an unknown contest" 1 "there is no contest" "$hesabu" export "$tmp/d" --format csv --contest king
refuses "a folder that is not there" 2 "neither a folder" "$hesabu" export "$tmp/nowhere" --format csv
refuses "sqlite needs a file" 64 "into a file" "$hesabu" export "$tmp/d" --format sqlite
refuses "a full disk is said" 74 "cannot be written" sh -c "'$hesabu' export '$tmp/d' --format csv > /dev/full"
cp -r "$tmp/d/public" "$tmp/bent"
b=$(find "$tmp/bent/tile/entries" -type f | sort | head -n 1)
printf 'X' | dd of="$b" bs=1 seek=3000 conv=notrunc 2> /dev/null
ok "a tree with one changed byte is not exported" sh -c "! '$hesabu' export '$tmp/bent' --format csv --out '$tmp/never.csv' && [ ! -e '$tmp/never.csv' ]"
echo "1..$n"
exit $bad
