#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A country's own hands with the real binary: a form written by hand (here: bars and rings drawn into its
# boxes) is sent with its figures; the boxes come out of the log under the labels that people signed, and
# a training goes on from them. Prints TAP.
. "$(dirname "$0")/commands.sh"
shared=${HESABU_SHARED:-$top/../shared}

election "nro/1:nro ro/1:ro po/1:po" --limit 2
serve
unit() { grep "\"$1\"" def/units | sed -n '1s/^\["\([^"]*\)".*/\1/p'; }
registered=$(grep '"station"' def/units | sed -n '1s/.*,\([0-9]*\)\]$/\1/p')
a=$(grep '"id":"president"' def/contests | grep -o '"id":"[^"]*","name"' | sed -n '1s/"id":"\([^"]*\)".*/\1/p')
station=$(unit station)
grant() { # grant KEY ROLE UNIT GRANTER
    "$hesabu" keys enrol "$1" --role "$2" --unit "$3" --election e > /dev/null &&
        "$hesabu" keys grant "$1.request" --key "$4" --yes --send "$url" > out 2> err || { cat out err; echo "Bail out!"; exit 1; }
}
grant nro.key national-returning-officer "$(unit nation)" com.key
grant ro.key returning-officer "$(unit constituency)" com.key
grant po.key presiding-officer "$station" ro.key
published

"$hesabu" forms --dir e --contest president --unit "$station" --out form.pdf > /dev/null 2>&1
pdftoppm -gray -r 150 -l 1 -singlefile form.pdf form || { echo "Bail out! pdftoppm"; exit 1; }
# 100 in the first row of boxes (places: src/paper/form_layout.c), as a grey PNG
python3 - << 'END'
import struct, zlib
data = open('form.pgm', 'rb').read()
head, rest = data.split(b'\n255\n', 1)
w, h = map(int, head.split()[1:3])
p, mm = bytearray(rest), 150 / 25.4
def ink(x0, y0, x1, y1):  # mm
    for y in range(round(y0 * mm), round(y1 * mm)):
        for x in range(round(x0 * mm), round(x1 * mm)):
            p[y * w + x] = 40
for box, digit in ((1, 1), (2, 0), (3, 0)):
    x, y = 73.5 + 9.5 * box, 61.0
    if digit == 1:
        ink(x + 3.7, y + 1.8, x + 4.4, y + 7.8)
    else:
        for k in ((2, 1.8, 6, 2.5), (2, 7.1, 6, 7.8), (2, 1.8, 2.7, 7.8), (5.3, 1.8, 6, 7.8)):
            ink(x + k[0], y + k[1], x + k[2], y + k[3])
def chunk(name, body):
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))
rows = b''.join(b'\0' + bytes(p[y * w:(y + 1) * w]) for y in range(h))
open('form.png', 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, 8, 0, 0, 0, 0)) +
                             chunk(b'IDAT', zlib.compress(rows, 6)) + chunk(b'IEND', b''))
END
does "figures are sent" "$hesabu" result --contest president --station "$station" --votes "$a=100" --valid 100 \
    --rejected 2 --registered "$registered" --key po.key --send "$url"
does "with the form that they were written on" "$hesabu" image form.png --contest president --station "$station" --key po.key --send "$url"
published
does "boxes come out of the log" "$hesabu" train --from-log e/public --contest president --out boxes.bin
ok "one form, one image, three digits" said "^1 forms with figures that hold, 1 images, 1 of them read as our form, 3 digits"
ok "under the labels that people signed: 1, 0, 0" python3 -c "
b = open('boxes.bin', 'rb').read()
head, size = b'hesabu-boxes-1\n', 3 + 28 * 28
assert b.startswith(head) and len(b) == len(head) + 6 * size, len(b)
assert [b[len(head) + k * size] for k in range(6)] == [0, 0, 0, 0, 1, 1]  # from the right, two views each
assert all(any(b[len(head) + k * size + 3:len(head) + (k + 1) * size]) for k in range(6))"
refuses "no such contest" 1 E_CONTEST "$hesabu" train --from-log e/public --contest nothing --out x.bin
refuses "boxes are not trained from without the public data" 64 E_USAGE "$hesabu" train --boxes boxes.bin --out new
if [ -r "$shared/data/digits/semeion.data.gz" ]; then
    does "a training goes on from them" "$hesabu" train --data "$shared/data/digits" --start "$top/data/reader" \
        --boxes boxes.bin --net b --limit 4 --out new
    ok "to other weights than before" sh -c "[ -s new/net-b.bin ] && ! cmp -s new/net-b.bin '$top/data/reader/net-b.bin'"
else
    echo "# no public digit data: the training itself is not tried"
fi

echo "1..$n"
exit $bad
