#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Paper and back with the real binary: forms, count sheets and collations out of an election's log, the
# same bytes each time; an officer's slip printed, read back and held against the log; one paper
# photographed twice. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
hesabu=$(realpath "${HESABU:-build/hesabu}")
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
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
says() { # says NAME FILE JQ-FILTER: true of the last line's JSON
    ok "$1" sh -c "tail -n 1 '$2' | jq -e '$3'"
}

"$hesabu" demo --once --dir "$tmp/night" --limit 24 > "$tmp/demo" 2>&1 || { cat "$tmp/demo"; exit 1; }
tree=$tmp/night/public

python3 - "$tree" "$tmp" << 'END'
import glob, os, sys
tree, tmp = sys.argv[1:]
best = None
# an officer whose key the demo has left
officers = {os.path.basename(k)[:-4].encode() for k in glob.glob(tmp + '/night/keys/po.*.key')}
for path in sorted(glob.glob(tree + '/tile/entries/**/*', recursive=True)):
    if not os.path.isfile(path):
        continue
    data, at = open(path, 'rb').read(), 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at:at + 2], 'big')
        entry, at = data[at + 2:at + 2 + size], at + 2 + size
        note = entry[entry.index(b'\n') + 1:]
        if note.startswith(b'hesabu/v1 result\n') and b'\xe2\x80\x94 po.' in note and note.count(b'\xe2\x80\x94') > 1:
            if b'po.' + note.split(b'\xe2\x80\x94 po.')[1].split(b' ')[0] in officers:
                best = note
open(tmp + '/note', 'wb').write(best)
open(tmp + '/officer', 'wb').write(best.split(b'\xe2\x80\x94 po.')[1].split(b' ')[0])
text = best.split(b'\n\n')[0] + b'\n'
ms = text.split(b'"signed_ms":')[1].split(b',')[0]
open(tmp + '/other.txt', 'wb').write(text.replace(ms, b'%d' % (int(ms) + 1)))
open(tmp + '/altered', 'wb').write(best.replace(b'"valid":', b'"valid":1', 1))
END
station=$(cat "$tmp/officer")

# ---- out of the log ----
"$hesabu" forms --dir "$tree" --contest president --out "$tmp/a" --json > "$tmp/forms.json" 2>&1
says "a form of every open station, in one file a constituency" "$tmp/forms.json" '.forms >= 20 and .pages == 2 * .forms and .files == 1'
"$hesabu" forms --dir "$tree" --contest president --out "$tmp/b" > /dev/null 2>&1
ok "the same log gives the same bytes" diff -r "$tmp/a" "$tmp/b"
ok "no half-printed file is left" sh -c "! ls '$tmp/a' | grep -v '\.pdf$'"
touch "$tmp/b/$(ls "$tmp/b").part" && mv "$tmp/b/$(ls "$tmp/b" | grep -v part)" "$tmp/kept.pdf"
"$hesabu" forms --dir "$tree" --contest president --out "$tmp/b" --resume --json > "$tmp/resume.json" 2>&1
says "an interrupted run goes on: a file that was not whole is printed" "$tmp/resume.json" '.files == 1 and .files_there_already == 0'
ok "to the same bytes" diff -r "$tmp/a" "$tmp/b"
"$hesabu" forms --dir "$tree" --contest president --out "$tmp/b" --resume --json > "$tmp/resume.json" 2>&1
says "and what is whole is left alone" "$tmp/resume.json" '.files == 0 and .forms == 0 and .files_there_already == 1'
"$hesabu" scan "$tmp"/a/34A-*.pdf --page 5 > "$tmp/third.json" 2> /dev/null
says "what stations have in common stands once in the file, and each form is whole" "$tmp/third.json" '.scan.sheet.serial == 1000003 and .scan.sheet.page == 1 and .scan.codes_agree and .scan.gate > 0.95'
"$hesabu" forms --dir "$tree" --contest president --unit "$station" --out "$tmp/one.pdf" > /dev/null 2>&1
"$hesabu" scan "$tmp/one.pdf" > "$tmp/one.json" 2> /dev/null
says "one station's form says who it is" "$tmp/one.json" ".scan.sheet.station == \"$station\" and .scan.sheet.contest == \"president\" and .scan.codes_agree and .scan.template_ok"
serial=$(jq .scan.sheet.serial "$tmp/one.json")
"$hesabu" forms --dir "$tree" --contest president --unit "$station" --out "$tmp/again.pdf" --copy > /dev/null 2>&1
"$hesabu" scan "$tmp/again.pdf" > "$tmp/again.json" 2> /dev/null
says "its serial number does not depend on what else is printed" "$tmp/again.json" ".scan.sheet.serial == $serial and $serial > 1000000"
ok "count sheets do not overwrite forms" sh -c "'$hesabu' forms --dir '$tree' --contest president --count-sheet --out '$tmp/a' && diff '$tmp/a/'34A-*.pdf '$tmp/b/'34A-*.pdf"
ok "count sheets" "$hesabu" forms --dir "$tree" --contest president --count-sheet --out "$tmp/count.pdf"
ok "a collation of a constituency's stations" "$hesabu" forms --dir "$tree" --collation "$(echo "$station" | cut -c1-6)" --form 34B --out "$tmp/b.pdf"
ok "a collation of the nation's constituencies" "$hesabu" forms --dir "$tree" --collation KE --form 34C --out "$tmp/c.pdf"
if command -v pdftotext > /dev/null; then
    valid=$("$hesabu" results "$tree" --contest president --unit "$(echo "$station" | cut -c1-6)" --json | jq -r '[.. | objects | select(has("valid")) | .valid][0]')
    pdftotext -layout "$tmp/b.pdf" "$tmp/b.txt"
    ok "its total of valid votes is that of the results ($valid)" sh -c "grep 'TOTAL' '$tmp/b.txt' | tr -d , | grep -qw '$valid'"
fi
refuses "no such contest" 1 E_CONTEST "$hesabu" forms --dir "$tree" --contest nothing --out "$tmp/x.pdf"
refuses "no such unit" 1 E_UNIT "$hesabu" forms --dir "$tree" --unit 404404 --out "$tmp/x.pdf"
refuses "a round that has not come" 1 E_RANGE "$hesabu" forms --dir "$tree" --round 2 --out "$tmp/x.pdf"
refuses "two sources at once" 64 E_USAGE "$hesabu" forms --dir "$tree" --table x --out "$tmp/x.pdf"

# ---- what the public does not see ----
pdftoppm -r 120 -f 2 -l 2 -jpeg -singlefile "$tmp/one.pdf" "$tmp/agents"
pdftoppm -r 120 -f 1 -l 1 -jpeg -singlefile "$tmp/one.pdf" "$tmp/figures"
picture() { "$hesabu" image "$@" --contest president --station "$station" --key "$tmp/night/keys/po.$station.key" --election "$tree" --out "$tmp/image.note"; }
ok "the program masks what the preset names" picture "$tmp/agents.jpg" --page 2 --mask-zones preset
sed -n 2p "$tmp/image.note" > "$tmp/image.json"
says "the record names the original, the public version and 22 rectangles" "$tmp/image.json" \
    ".original.sha256 == \"$(sha256sum < "$tmp/agents.jpg" | cut -d' ' -f1)\" and .public.sha256 == \"$(sha256sum < "$tmp/agents.jpg.public" | cut -d' ' -f1)\" and (.masked | length) == 22"
command -v djpeg > /dev/null && ok "which are painted over there" python3 - "$tmp" << 'END'
import json, subprocess, sys
tmp = sys.argv[1]
masked = json.load(open(tmp + '/image.json'))['masked']
open(tmp + '/public.jpg', 'wb').write(open(tmp + '/agents.jpg.public', 'rb').read())
pgm = subprocess.run(['djpeg', '-grayscale', tmp + '/public.jpg'], capture_output=True, check=True).stdout
_, size, _, pixels = pgm.split(b'\n', 3)
w, h = map(int, size.split())
for x, y, mw, mh in masked:
    for v in range(y + 8, y + mh - 8):
        row = pixels[v * w + x + 8:v * w + x + mw - 8]
        assert max(row) - min(row) < 9, (x, y, v)
END
ok "a page without such zones is published whole" picture "$tmp/figures.jpg" --page 1 --mask-zones preset
sed -n 2p "$tmp/image.note" > "$tmp/image.json"
says "and its record says so" "$tmp/image.json" '.masked == []'
refuses "the wrong page" 1 E_FIELD picture "$tmp/agents.jpg" --page 1 --mask-zones preset
pdftoppm -r 20 -f 2 -l 2 -jpeg -singlefile "$tmp/one.pdf" "$tmp/small"
refuses "a form that is not recognised is not masked by guess" 2 E_NOT_FOUND picture "$tmp/small.jpg" --public-out "$tmp/x" --mask-zones preset
refuses "no such zone" 64 E_USAGE picture "$tmp/agents.jpg" --page 2 --mask-zones faces

# ---- the original, for parties and court alone ----
for k in court party-a stranger; do "$hesabu" keys new "$k" --simulated --out "$tmp/$k.key" > /dev/null; done
{ echo "# who may open originals"; "$hesabu" keys show "$tmp/party-a.key" --json 2> /dev/null | jq -r .vkey; } > "$tmp/parties.keys"
ok "an original is sealed" "$hesabu" seal "$tmp/agents.jpg" --to "$tmp/parties.keys" --to "$("$hesabu" keys show "$tmp/court.key" --json 2> /dev/null | jq -r .vkey)"
ok "and goes into the record as it is sealed" picture "$tmp/agents.jpg" --sealed "$tmp/agents.jpg.sealed" --page 2 --mask-zones preset
sed -n 2p "$tmp/image.note" > "$tmp/image.json"
says "under the sealed file's hash" "$tmp/image.json" ".original.sha256 == \"$(sha256sum < "$tmp/agents.jpg.sealed" | cut -d' ' -f1)\" and (.masked | length) == 22"
ok "the court opens it" sh -c "'$hesabu' unseal '$tmp/agents.jpg.sealed' --key '$tmp/court.key' --out '$tmp/opened' && cmp '$tmp/opened' '$tmp/agents.jpg'"
ok "so does a party" sh -c "'$hesabu' unseal '$tmp/agents.jpg.sealed' --key '$tmp/party-a.key' --out '$tmp/opened2' && cmp '$tmp/opened2' '$tmp/agents.jpg'"
refuses "nobody else" 2 E_NOT_FOUND "$hesabu" unseal "$tmp/agents.jpg.sealed" --key "$tmp/stranger.key" --out "$tmp/opened3"
refuses "what was sealed from another picture" 1 E_OBJECT picture "$tmp/figures.jpg" --sealed "$tmp/agents.jpg.sealed"
refuses "a seal for nobody" 64 E_USAGE "$hesabu" seal "$tmp/agents.jpg"

# ---- the slip ----
officer=po.$(cat "$tmp/officer")
ok "the slip of a signed result" "$hesabu" forms --slip "$tmp/note" --signer "$officer" --simulated --out "$tmp/slip.pdf"
"$hesabu" scan "$tmp/slip.pdf" --dir "$tree" --anchor "$tree/anchor" > "$tmp/slip.json" 2>&1
says "read back: properly signed, and the log has it" "$tmp/slip.json" ".slip.verdict == \"in-log\" and .slip.signer == \"$officer\" and .slip.role == \"presiding-officer\" and .slip.anchored"
"$hesabu" forms --slip "$tmp/altered" --signer "$officer" --simulated --out "$tmp/altered.pdf" > /dev/null 2>&1
"$hesabu" scan "$tmp/altered.pdf" --dir "$tree" > "$tmp/altered.json" 2>&1
ok "an altered figure fails the command" [ $? -eq 1 ]
says "and is named as an altered text" "$tmp/altered.json" '.slip.verdict == "invalid" and .slip.error == "E_SIGNATURE"'
"$hesabu" sign "$tmp/other.txt" --quiet --key "$tmp/night/keys/$officer.key" --out "$tmp/other.note" > /dev/null 2>&1
"$hesabu" forms --slip "$tmp/other.note" --simulated --out "$tmp/other.pdf" > /dev/null 2>&1
"$hesabu" scan "$tmp/other.pdf" --dir "$tree" > "$tmp/other.json" 2>&1
says "a signed result that the log does not show is not passed over" "$tmp/other.json" '.slip.verdict == "signed-but-not-in-log"'
says "without a log the slip's note is shown and not judged" "$tmp/one.json" '.slip == null'
refuses "several signatures need a choice" 2 E_NOT_FOUND "$hesabu" forms --slip "$tmp/note" --out "$tmp/x.pdf"

# ---- the same paper twice ----
mkdir "$tmp/photos"
cp "$tmp/one.pdf" "$tmp/photos/1.pdf"
cp "$tmp/one.pdf" "$tmp/photos/2.pdf"
cp "$tmp/again.pdf" "$tmp/photos/3.pdf"
"$hesabu" scan --duplicates "$tmp/photos" > "$tmp/dup.json" 2>&1
ok "two copies of one file at one station are no alarm" [ $? -eq 0 ]
ok "but they are said" grep -q '"same":"bytes"' "$tmp/dup.json"
says "and counted; unsigned forms are not compared by ink" "$tmp/dup.json" '.images == 3 and .same_bytes == 1 and .same_paper == 0 and .without_signature_or_stamp == 3'
mkdir "$tmp/signed"
python3 - "$tmp" << 'END'
# forms of two stations that bear the same signatures and stamp, at two resolutions; a third with others
import glob, random, struct, subprocess, sys, zlib
tmp = sys.argv[1]
pdf = glob.glob(tmp + '/a/34A-*.pdf')[0]
def sheet(name, page, dpi, seed):
    pgm = subprocess.run(['pdftoppm', '-gray', '-r', str(dpi), '-f', str(page), '-l', str(page), pdf], capture_output=True, check=True).stdout
    _, size, _, pixels = pgm.split(b'\n', 3)
    w, h = map(int, size.split())
    p, mm, r = bytearray(pixels), dpi / 25.4, random.Random(seed)
    for left, right in ((20, 76), (84, 140), (150, 188)):
        x, y = left, 255
        for k in range(14):
            u, v = r.uniform(left, right), r.uniform(244, 266)
            for t in range(400):
                cx, cy = (x + (u - x) * t / 400) * mm, (y + (v - y) * t / 400) * mm
                for dy in range(-2, 3):
                    for dx in range(-2, 3):
                        p[(int(cy) + dy) * w + int(cx) + dx] = 30
            x, y = u, v
    raw = b''.join(b'\0' + bytes(p[i * w:(i + 1) * w]) for i in range(h))
    chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    open(tmp + '/signed/' + name, 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 0, 0, 0, 0)) +
                                              chunk(b'IDAT', zlib.compress(raw, 1)) + chunk(b'IEND', b''))
sheet('1.png', 1, 150, 1)
sheet('2.png', 3, 170, 1)
sheet('3.png', 5, 150, 2)
END
"$hesabu" scan --duplicates "$tmp/signed" > "$tmp/dup.json" 2>&1
ok "one paper's signatures under two stations are an alarm" [ $? -eq 1 ]
says "once: the third was signed by others" "$tmp/dup.json" '.images == 3 and .same_paper == 1 and .to_look_at == 1'
ok "and both stations are named" sh -c "grep '\"same\":\"paper\"' '$tmp/dup.json' | jq -e '.look and .station_a != .station_b and .alike > 0.8'"
refuses "nothing else beside it" 64 E_USAGE "$hesabu" scan --duplicates "$tmp/photos" --dir "$tree"

echo "1..$n"
exit $bad
