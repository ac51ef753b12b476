# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers ask for, as bench_load reads it: python3 bench/requests.py PORT PATH[*TIMES]... > FILE"""
import sys

port, out = sys.argv[1], sys.stdout.buffer
for arg in sys.argv[2:]:
    path, _, times = arg.partition('*')
    request = f'GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n'.encode()
    for _ in range(int(times or 1)):
        out.write(b'%d\n%s' % (len(request), request))
