#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# How long a submission waits while the pages of a whole election are made: `hesabu serve` of an election's
# folder, whose pages are all looked at again after a start, and one sender who sends a record that the log
# has already, again and again: it goes through the queue, the signature checks and the fold, and adds nothing.
#   bench/submission_wait.sh BUILD ELECTION-FOLDER [SECONDS]
set -eu
cd "$(dirname "$0")/.."
build=$1 election=$2 seconds=${3:-20} dir=$(mktemp -d) server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; wait; rm -rf "$dir"' EXIT
"$build/hesabu" serve --dir "$election" --listen 127.0.0.1:0 --exempt 127.0.0.0/8 --data-every 0 --quiet \
    --unconfirmed bench > "$dir/out" 2>&1 & server=$!
i=0
until grep -qs 'http://' "$dir/out" || [ $i -ge 600 ]; do sleep 0.05; i=$((i + 1)); done
python3 - "$(grep -o 'http://127.0.0.1:[0-9]*' "$dir/out" | head -n 1)" "$seconds" << 'END'
import http.client
import sys
import time
from urllib.parse import urlsplit

at = urlsplit(sys.argv[1])
http_ = http.client.HTTPConnection(at.hostname, at.port, timeout=60)


def ask(method, path, body=None):
    http_.request(method, path, body)
    answer = http_.getresponse()
    return answer.status, answer.read()


def due():
    return next(int(float(l.split()[1])) for l in ask('GET', '/metrics')[1].decode().splitlines() if l.startswith('hesabu_pages_due '))


index = 1
while True:  # a record that a person signed
    status, receipt = ask('GET', '/proofs/%d' % index)
    head, rest = receipt.split(b'\n', 1)
    note = rest[:int(head.split()[2])].split(b'\n', 1)[1]
    if note.startswith((b'hesabu/v1 result\n', b'hesabu/v1 key\n')):
        break
    index += 1
waits, early, start, first = [], [], time.monotonic(), due()
while time.monotonic() - start < float(sys.argv[2]):
    from_ = time.monotonic()
    status, _ = ask('POST', '/records', note)
    took = (time.monotonic() - from_) * 1000
    assert status == 200, status
    (early if from_ - start < 5 else waits).append(took)
    time.sleep(0.04)  # below what one key may send
for what, w in (('the first 5 s after the start', early), ('afterwards, pages being made', waits)):
    w.sort()
    if w:
        print('submission_wait  %s: %d sent, p50 %.1f ms, p99 %.1f ms, longest %.0f ms' % (what, len(w), w[len(w) // 2], w[len(w) * 99 // 100], w[-1]))
print('pages due: %d, at the end %d' % (first, due()))
END
