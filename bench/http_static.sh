#!/bin/bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Static files: nginx with open_file_cache against this project's server, on the same files, on the
# loopback, turn about, with wrk picking files at random. Prints the ratio of the medians. nginx runs
# with sendfile off, which is its faster way with files of this size (SENDFILE=on for the other).
#   bench/http_static.sh [BUILD-FOLDER [ROUNDS [SECONDS [ELECTION-FOLDER]]]]
# With an election's folder: `hesabu serve` itself, on what it has published (overview, pages of units,
# results, tiles, the head); without: the HTTP layer alone on files of the same sizes.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build} rounds=${2:-5} seconds=${3:-4} connections=${CONNECTIONS:-64} threads=${THREADS:-2}
election=${4:-}
for tool in nginx wrk python3; do
    command -v $tool > /dev/null || { echo "needs $tool: apt-get install nginx-light wrk python3"; exit 2; }
done
dir=$(mktemp -d) pids=
cleanup() {
    exec 9>&- 2> /dev/null || true
    [ -z "$pids" ] || kill $pids 2> /dev/null || true
    wait 2> /dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT
mkdir -p "$dir/tmp" "$dir/server"
if [ -n "$election" ]; then ln -s "$(realpath "$election")/public" "$dir/www"; else mkdir "$dir/www"; fi

# A tree as a published log has it: hash tiles of 8 KiB, entry bundles, results per unit, a few pages.
python3 - "$dir/www" "$dir/mix.lua" << 'PY'
import os, random, sys
root, lua = sys.argv[1:]
r = random.Random(20170808)
paths = []
def put(path, size):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'wb') as f:
        f.write(r.randbytes(size))
    paths.append('/' + path)
def n3(i):
    return '%03d' % i if i < 1000 else 'x%03d/%03d' % (i // 1000, i % 1000)
def real(top, end, most):
    found = ['/' + os.path.relpath(os.path.join(d, f), root) for t in top for d, _, fs in os.walk(os.path.join(root, t))
             for f in fs if f.endswith(end)]
    return r.sample(sorted(found), min(most, len(found)))
election = os.path.islink(root)
for i in range(0 if election else 600):
    put('tile/0/' + n3(i), 8192)
    if i % 3 == 0: put('tile/entries/' + n3(i), r.randint(40000, 90000))
for i in range(0 if election else 3):
    put('tile/1/' + n3(i), 8192)
for unit in range(0 if election else 1900):
    put('results/%d.json' % unit, r.randint(400, 4000))
if not election:
    put('head.json', 300); put('index.html', 12000); put('checkpoint', 420)
# what readers ask for: the head most, then results, then tiles, entries least
tiles = [p for p in paths if p.startswith('/tile/') and 'entries' not in p]
bundles = [p for p in paths if 'entries' in p]
results = [p for p in paths if p.startswith('/results/')]
if election:
    tiles = real(['tile/0', 'tile/1'], '', 600)
    bundles = real(['tile/entries'], '', 200)
    results = real(['results'], '.json', 1300) + real(['en', 'sw'], '.html', 600)
with open(lua, 'w') as f:
    f.write('local groups = {\n')
    for g in (['/head.json', '/checkpoint', '/index.html'], results, tiles, bundles):
        f.write('{' + ','.join('"%s"' % p for p in g) + '},\n')
    f.write('''}
local id = 0
function setup(thread) thread:set("seed", id); id = id + 1 end
local made = {}
function init(args)
  math.randomseed(42 + seed)
  for g = 1, #groups do made[g] = {}
    for i = 1, #groups[g] do made[g][i] = wrk.format("GET", groups[g][i]) end end
end
function request()
  local x, g = math.random(100), 4
  if x <= 30 then g = 1 elseif x <= 70 then g = 2 elseif x <= 95 then g = 3 end
  return made[g][math.random(#made[g])]
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %.0f %d %d %d %.3f %.3f\\n", summary.requests / summary.duration * 1e6,
    summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
''')
PY
nport=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > "$dir/nginx.conf" << CONF
worker_processes $threads; daemon off; pid $dir/nginx.pid; error_log $dir/error.log;
worker_rlimit_nofile 20000;
events { worker_connections 8192; multi_accept on; }
http {
    access_log off; server_tokens off; sendfile ${SENDFILE:-off}; tcp_nopush ${NOPUSH:-off}; tcp_nodelay on;
    keepalive_timeout 60; keepalive_requests 1000000000;
    open_file_cache max=20000 inactive=60s; open_file_cache_valid 60s; open_file_cache_min_uses 1;
    open_file_cache_errors on; etag on;
    client_body_temp_path $dir/tmp/b; proxy_temp_path $dir/tmp/p; fastcgi_temp_path $dir/tmp/f;
    uwsgi_temp_path $dir/tmp/u; scgi_temp_path $dir/tmp/s;
    types { application/json json; text/html html; } default_type application/octet-stream;
    server {
        listen 127.0.0.1:$nport backlog=1024; root $dir/www;
        add_header Cache-Control "public, max-age=31536000, immutable";
        add_header X-Content-Type-Options nosniff; add_header Access-Control-Allow-Origin "*";
        add_header Cross-Origin-Resource-Policy cross-origin;
    }
}
CONF
# wrk and both servers see the files as root or not: nginx's workers need to read them
chmod -R a+rX "$dir"
nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" & nginx=$! pids="$!"
mkfifo "$dir/stdin"
if [ -n "$election" ]; then
    "$build/hesabu" serve --dir "$election" --listen 127.0.0.1:0 --threads "$threads" --exempt 127.0.0.0/8 \
        --data-every 0 --quiet --unconfirmed bench > "$dir/server/out" 2>&1 & ours=$! pids="$pids $!"
    for _ in $(seq 300); do grep -q 'http://' "$dir/server/out" && break; sleep 0.1; done
    grep -o 'http://127.0.0.1:[0-9]*' "$dir/server/out" | sed 's/.*://' | head -n 1 > "$dir/port"
    for _ in $(seq 300); do # the first publication looks at every page: not what is measured here
        [ "$(curl -s "http://127.0.0.1:$(cat "$dir/port")/metrics" | sed -n 's/^hesabu_pages_due //p')" = 0 ] && break
        sleep 1
    done
else
    "$build/bench/bench_http" "$dir/www" 0 "$threads" < "$dir/stdin" > "$dir/port" & ours=$! pids="$pids $!"
    exec 9> "$dir/stdin"
fi
for _ in $(seq 100); do [ -s "$dir/port" ] && [ -s "$dir/nginx.pid" ] && break; sleep 0.05; done
oport=$(cat "$dir/port")
# processor time (ticks) of the given processes and their children: robust on a machine with other work
ticks() {
    for p in "$@" $(pgrep -P "$(echo "$@" | tr ' ' ',')" || true); do
        sed -E 's/^.*\) //' "/proc/$p/stat" | awk '{ print $12 + $13 }'
    done | awk '{ n += $1 } END { print n }'
}
hz=$(getconf CLK_TCK)
# prints: requests/s, requests, wrong statuses, errors, p50 and p99 in ms, microseconds of cpu a request
measure() {
    before=$(ticks "$3")
    wrk -t2 -c"$connections" -d"$2" -s "$dir/mix.lua" "http://127.0.0.1:$1" | grep '^RESULT' > "$dir/one"
    awk -v t="$(($(ticks "$3") - before))" -v hz="$hz" '{ printf "%s %.2f\n", $0, t / hz * 1e6 / $3 }' "$dir/one"
}
measure "$nport" 2 "$nginx" > /dev/null; measure "$oport" 2 "$ours" > /dev/null # warm caches
for round in $(seq "$rounds"); do
    measure "$nport" "$seconds" "$nginx" | sed 's/RESULT/nginx/' | tee -a "$dir/results"
    measure "$oport" "$seconds" "$ours" | sed 's/RESULT/ours/' | tee -a "$dir/results"
done
awk -v c="$connections" '
    $4 + $5 > 0 { bad++ }
    { v[$1, 2, ++n[$1]] = $2; v[$1, 8, n[$1]] = $8 }
    function median(k, field,   i, j, t, m) {
        m = n[k]
        for (i = 1; i <= m; i++) a[i] = v[k, field, i]
        for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++) if (a[j] < a[i]) { t = a[i]; a[i] = a[j]; a[j] = t }
        return m % 2 ? a[(m + 1) / 2] : (a[m / 2] + a[m / 2 + 1]) / 2
    }
    END {
        x = median("nginx", 2); y = median("ours", 2)
        printf "processor time a request: nginx %.1f us, ours %.1f us\n", median("nginx", 8), median("ours", 8)
        printf "static files, %d connections: nginx %.0f/s, ours %.0f/s, ratio %.2f%s\n", c, x, y, y / x,
            bad ? " (WITH ERRORS in " bad " runs)" : ""
    }' "$dir/results"
