#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# 'hesabu read --page' without a browser, where something around it goes wrong: a clock that is set back,
# a form whose picture is not to be had. Prints TAP.
. "$(dirname "$0")/commands.sh"
desk=
trap 'kill $pid $desk 2> /dev/null; rm -rf "$tmp"' EXIT
election "ro/1:ro clerk/1:c1 po/1:po po/2:po2" --limit 4
serve --rate 1000 --burst 2000
constituency=$(grep '"constituency"' def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p')
choices=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed 's/"id":"\([^"]*\)".*/\1/' | tr '\n' ' ')
must() { run "$@"; [ $got -eq 0 ] || { cat out err; echo "Bail out!"; exit 1; }; }
grant() { # grant KEY ROLE UNIT GRANTER
    must "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e
    must "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url"
}
grant ro.key returning-officer "$constituency" com.key
grant c1.key clerk "$constituency" ro.key
i=0
for k in po po2; do # two forms, each with a picture of its own
    i=$((i + 1))
    station=$(grep '"station"' def/units | sed -n "${i}s/^\[\"\([^\"]*\)\".*/\1/p")
    grant $k.key presiding-officer "$station" ro.key
    must "$hesabu" result --contest president --station "$station" --votes "${choices%% *}=$i" --valid $i --rejected 0 \
        --registered 9 --key $k.key --send "$url"
    python3 - $i > $k.png << 'PY' # one grey pixel
import struct, sys, zlib
part = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
sys.stdout.buffer.write(b'\x89PNG\r\n\x1a\n' + part(b'IHDR', struct.pack('>IIBBBBB', 1, 1, 8, 0, 0, 0, 0)) +
                        part(b'IDAT', zlib.compress(bytes([0, int(sys.argv[1])]))) + part(b'IEND', b''))
PY
    must "$hesabu" image $k.png --contest president --station "$station" --key $k.key --send "$url"
done
published

start() { # start: the desk, entered: $base and $token
    : > desk.out
    ${under:-} "$hesabu" read "$url" --key c1.key --state desk --page > desk.out 2>&1 &
    desk=$!
    i=0
    until grep -q -e '#' -e 'without the page' desk.out || [ $i -gt 200 ]; do sleep 0.1; i=$((i + 1)); done
    ! grep -q 'built without the page' desk.out || { echo "1..0 # SKIP built without the page"; exit 0; }
    base=$(sed -n 's/.*\(http:[^#]*[0-9]\)\/#.*/\1/p' desk.out | head -n 1)
    token=$(ask POST /enter "$(sed -n 's/.*\/#\([0-9a-f]*\).*/\1/p' desk.out)" | sed 's/.*"token":"\([0-9a-f]*\)".*/\1/')
}
ask() { # ask METHOD PATH BODY
    curl -s -m 20 -X "$1" -H "Origin: $base" -H "Hesabu-Desk: ${token:-}" ${3+--data-binary "$3"} "$base$2"
}
ends() { # ends: within ten seconds of Ctrl-C
    kill -INT $desk
    i=0
    while kill -0 $desk 2> /dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    ! kill -0 $desk 2> /dev/null
}
object_of() { sha256sum < "$1.png.public" | cut -d' ' -f1; }
shown() { ask GET /state | sed -n 's/.*"task":{"id":"\([0-9a-f]*\)".*/\1/p'; }

# ---- the wall clock stands an hour before the time up to which a wait was counted: as after it was set back ----
cat > clock.c << 'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t) {
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (id == CLOCK_REALTIME) t->tv_sec += 3600;
    return r;
}
C
if ${CC:-cc} -shared -fPIC -o clock.so clock.c -ldl 2> /dev/null && LD_PRELOAD=$tmp/clock.so "$hesabu" version > /dev/null 2>&1; then
    under="env LD_PRELOAD=$tmp/clock.so"
    start
    before=$(ask GET /state | sed -n 's/.*"now":\([0-9]*\).*/\1/p')
    sleep 6
    ok "a clock that is set back holds nothing up" [ "$(ask GET /state | sed -n 's/.*"now":\([0-9]*\).*/\1/p')" -gt "$before" ]
    ok "nor Ctrl-C" ends
    under=
    kill -9 $desk 2> /dev/null
    wait $desk 2> /dev/null
else
    ok "a clock that is set back # SKIP no preloading with this compiler" true
fi

# ---- the picture of one form of the two is not to be had ----
rm "e/public/objects/$(object_of po)"
start
ask POST /next '' > out
one=$(shown)
ok "a form without its picture does not stop the other" [ -n "$one" ]
ask POST /skip '' > out
ok "nor when the other is put back" sh -c "[ \"\$(cat out)\" = {} ] && [ '$(shown)' = '$one' ]"
ok "the terminal says which picture is missing" grep -q "the image of entry" desk.out
ends
kill -INT "$pid"; wait "$pid" # it keeps what it has read
rm "e/public/objects/$(object_of po2)"
serve --rate 1000 --burst 2000
start
ask POST /next '' > out
ok "with none at all it says so" sh -c "grep -q 'the image of entry' out && [ -z '$(shown)' ]"
ok "and ends in good order" ends
echo "1..$n"
exit "$bad"
