#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The portal's pages: a small night through the real daemon with hostile names, watched in Chromium while it
# happens; then scripts off, keyboard, small screens, both languages, axe-core, and every number against
# `hesabu results`. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
hesabu=${HESABU:-${BUILD:-build}/hesabu}
stations=${PORTAL_STATIONS:-150}
skip() { echo "1..0 # SKIP $1"; exit 0; }
command -v node > /dev/null || skip "no node"
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || skip "no Chromium (make setup)"
[ -d web/node_modules/playwright-core ] || skip "npm's packages are not installed (make setup)"
tmp=$(mktemp -d) || exit 1
serve= static=
cleanup() {
    [ -z "$serve" ] || kill "$serve" 2> /dev/null
    [ -z "$static" ] || kill "$static" 2> /dev/null
    wait
    rm -rf "$tmp"
}
trap cleanup EXIT
# names that would like to be markup
cp -r data/kenya-2017 "$tmp/preset"
python3 - "$tmp/preset" << 'END'
import sys
d = sys.argv[1]
def edit(name, old, new):
    s = open(d + '/' + name, encoding='utf-8').read()
    assert old in s, (name, old)
    open(d + '/' + name, 'w', encoding='utf-8').write(s.replace(old, new))
edit('preset.json', '"Mohamed Abduba Dida"', '"<script>window.hacked=1</script>"')
edit('preset.json', '"Japheth Kavinga Kaluyu"', '"\\"><img src=x onerror=window.hacked=2> \'&amp;`"')
edit('preset.json', '"Michael Wainaina Mwaura"', '"' + 'W' * 190 + '"')
edit('wards.csv', ',PORT REITZ,', ',"<b id=hacked>PORT</b> ""REITZ"" \' & ${1}",')
END
# boundaries, where the shared folder has some; copies that others keep
land=../shared/data/kenya_geo/kenya_constituencies_counties.topo.json
PORTAL_LAND=
if [ -r "$land" ]; then
    cp "$land" "$tmp/preset/boundaries.json"
    PORTAL_LAND=yes
fi
printf 'name,url\n"<img src=x onerror=window.hacked=3>",https://copy.example/log/\n' > "$tmp/preset/copies.csv"
"$hesabu" demo --preset "$tmp/preset" --dir "$tmp/night" --limit "$stations" --speed 2000 \
    --listen 127.0.0.1:0 > "$tmp/demo.txt" 2>&1 &
serve=$!
i=0
until grep -q 'http://127.0.0.1:[0-9]' "$tmp/demo.txt" || [ $i -ge 300 ]; do sleep 0.1; i=$((i + 1)); done
PORTAL_URL=$(grep -o 'http://127.0.0.1:[0-9]*' "$tmp/demo.txt" | head -n 1)
[ -n "$PORTAL_URL" ] || { sed 's/^/# /' "$tmp/demo.txt"; echo "Bail out! demo"; exit 1; }
export PORTAL_URL PORTAL_DIR="$tmp/night" PORTAL_LOG="$tmp/demo.txt" HESABU="$hesabu" PORTAL_STATIONS="$stations" PORTAL_LAND
node tests/e2e/portal.mjs
