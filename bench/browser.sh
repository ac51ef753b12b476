#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A phone's first view of an election's portal, and "verify everything" in its page, against the real
# program: Chromium, throttled as bench/browser.mjs says.  usage: bench/browser.sh BUILD ELECTION-FOLDER [first|everything]
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1 election=$2
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] && [ -d web/node_modules/playwright-core ] || {
    echo "needs Chromium and npm's packages (make setup)"; exit 2; }
tmp=$(mktemp -d) || exit 1
serve=
trap '[ -z "$serve" ] || kill "$serve" 2> /dev/null; wait; rm -rf "$tmp"' EXIT
"$build/hesabu" serve --dir "$election" --listen 127.0.0.1:0 --exempt 127.0.0.0/8 --data-every 0 --quiet \
    --unconfirmed bench > "$tmp/serve" 2>&1 &
serve=$!
i=0
until grep -qs 'http://' "$tmp/serve" || [ $i -ge 300 ]; do sleep 0.1; i=$((i + 1)); done
PORTAL_URL=$(grep -o 'http://127.0.0.1:[0-9]*' "$tmp/serve" | head -n 1)
[ -n "$PORTAL_URL" ] || { cat "$tmp/serve"; exit 1; }
i=0 # the first publication looks at every page: not what is measured here
until [ "$(curl -s "$PORTAL_URL/metrics" | sed -n 's/^hesabu_pages_due //p')" = 0 ] || [ $i -ge 300 ]; do sleep 1; i=$((i + 1)); done
PORTAL_URL=$PORTAL_URL node bench/browser.mjs "${3:-both}"
