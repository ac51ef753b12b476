#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A running server against its description: api_check.py URL PUBLIC TREE-OF-THIS-PROJECT
Asks every operation of spec/api.yaml, rightly and wrongly; each answer's status, type and JSON must be among those
that the operation names, every field of it included, and every status that can be had from outside must come up.
Fields of results/ stand in spec/results.md. Prints 'ok NAME' or 'not ok NAME: why' lines."""
import base64
import glob
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request

import jsonschema

url, public, tree = sys.argv[1:4]
loader = importlib.machinery.SourceFileLoader('api_page', tree + '/tools/api-page')
api_page = importlib.util.module_from_spec(importlib.util.spec_from_loader('api_page', loader))
loader.exec_module(api_page)
bad = 0


def check(name, problem):
    global bad
    bad += bool(problem)
    print(f'not ok {name}: {problem}' if problem else f'ok {name}')


def typed(x):
    """The page's reader gives texts only."""
    if isinstance(x, dict):
        return {k: v if k in ('pattern', 'description', 'const', 'summary') else typed(v) for k, v in x.items()}
    if isinstance(x, list):
        return [typed(v) for v in x]
    return {'true': True, 'false': False}.get(x, int(x) if re.fullmatch(r'\d{1,9}', x) else x)


def described():
    with open(tree + '/spec/api.yaml', encoding='utf-8') as file:
        lines = [line.rstrip('\n') for line in file if not line.lstrip().startswith('#')]
    return typed(api_page.block(lines, 0, 0)[0])


def strict(x):
    """Every object that lists its fields has no others."""
    if isinstance(x, dict):
        x = {k: strict(v) for k, v in x.items()}
        if 'properties' in x and 'additionalProperties' not in x:
            x['additionalProperties'] = False
    return [strict(v) for v in x] if isinstance(x, list) else x


api = described()
closed = strict(api)
came = {}  # (path, method) -> statuses


def send(method, path, body=None, headers=None):
    request = urllib.request.Request(url + path, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def problem_of(operation, status, headers, body):
    answer = operation['responses'].get(str(status)) or operation['responses'].get(status)
    if answer is None and 400 <= status:
        answer = api['components']['responses']['Server']
        if status not in (400, 404, 405, 408, 413, 414, 429, 431, 500, 503):
            answer = None
    if answer is None:
        return f'{status} is not described: {body[:200]}'
    answer = api_page.resolve(api, answer)
    content = answer.get('content') or {}
    kind = (headers.get('Content-Type') or '').partition(';')[0]
    if status == 304:
        return 'a body' if body else None
    if content and kind not in content:
        return f'{status}: {kind} where {list(content)} is described'
    schema = (content.get(kind) or {}).get('schema')
    if kind == 'application/json' and not schema:
        return f'{status}: JSON without a schema'
    if kind == 'application/json':
        validator = jsonschema.Draft202012Validator({**schema, 'components': closed['components']})
        errors = [f'{"/".join(map(str, e.absolute_path))}: {e.message[:200]}' for e in validator.iter_errors(json.loads(body))]
        if errors:
            return f'{status}: {errors[:3]}'
    for name in (answer.get('headers') or {}):
        if not headers.get(name):
            return f'{status}: no {name}'
    return None


def ask(name, path, method, at, want, body=None, headers=None):
    """The operation `path` of the description, asked at `at`, answers `want` as it is described there."""
    status, got, content = send(method.upper(), at, body, headers)
    problem = problem_of(closed['paths'][path][method], status, got, content)
    if not problem and status != want:
        problem = f'{status} where {want} was due: {content[:200]}'
    came.setdefault((path, method), set()).add(status)
    check(f'{method.upper()} {path}: {name}', problem)
    return got, content


def notes():
    """The notes of the first bundle of entries: what a record looks like."""
    name = sorted(glob.glob(public + '/tile/entries/000*'))[0]
    if os.path.isdir(name):
        name = sorted(glob.glob(name + '/*'))[-1]
    with open(name, 'rb') as file:
        data = file.read()
    out, at = [], 0
    while at < len(data):
        n = int.from_bytes(data[at:at + 2], 'big')
        entry = data[at + 2:at + 2 + n]
        out.append(entry[entry.index(b'\n') + 1:])
        at += 2 + n
    return out


def static_files():
    def one(pattern):
        return sorted(glob.glob(f'{public}/{pattern}'))[0].removeprefix(public)
    ask('there', '/checkpoint', 'get', '/checkpoint', 200)
    ask('the list', '/witnessed/{size}', 'get', '/witnessed/index', 200)
    ask('none', '/witnessed/{size}', 'get', '/witnessed/3', 404)
    ask('hashes', '/tile/{path}', 'get', one('tile/0/*'), 200) if os.path.isfile(public + one('tile/0/*')) else \
        ask('hashes', '/tile/{path}', 'get', one('tile/0/*/*'), 200)
    ask('none', '/tile/{path}', 'get', '/tile/0/999', 404)
    ask('there', '/anchor', 'get', '/anchor', 200)
    ask('there', '/log.vkey', 'get', '/log.vkey', 200)
    ask('there', '/keys/{file}', 'get', one('keys/*'), 200)
    headers, _ = ask('there', '/head.json', 'get', '/head.json', 200)
    ask('again', '/head.json', 'get', '/head.json', 304, None, {'If-None-Match': headers['ETag']})
    ask('with --watch', '/watch.json', 'get', '/watch.json', 200)
    ask('none', '/results/{path}', 'get', '/results/never.json', 404)
    headers, _ = ask('index', '/results/{path}', 'get', '/results/index.json', 200)
    ask('again', '/results/{path}', 'get', '/results/index.json', 304, None, {'If-None-Match': headers['ETag']})
    for file in ('index.json', 'index.html', 'api.html', 'SHA256SUMS', 'stations.csv', 'feed.atom', 'err.xml.gz'):
        ask(file, '/data/{file}', 'get', '/data/' + file, 200)
    ask('none', '/data/{file}', 'get', '/data/never', 404)
    ask('there', '/metrics', 'get', '/metrics', 200)
    ask('there', '/healthz', 'get', '/healthz', 200)
    ask('there', '/{lang}/{contest}/{round}/{unit}.html', 'get', one('en/*/1/*.html'), 200)
    ask('none', '/{lang}/{contest}/{round}/{unit}.html', 'get', '/en/president/1/never.html', 404)
    ask('there', '/areas/{path}', 'get', one('areas/*/1.json'), 200)
    ask('none', '/areas/{path}', 'get', '/areas/never/1.json', 404)
    ask('top', '/search/{path}', 'get', '/search/top.json', 200)
    ask('one area', '/search/{path}', 'get', [f for f in sorted(glob.glob(public + '/search/*.json')) if 'top' not in f][0].removeprefix(public), 200)
    ask('none', '/search/{path}', 'get', '/search/never.json', 404)
    ask('there', '/', 'get', '/', 200)
    ask('there', '/objects/{sha256}', 'get', one('objects/*'), 200)
    ask('none', '/objects/{sha256}', 'get', '/objects/' + '0' * 64, 404)


def records():
    note = notes()[1]
    granted = next(text for text in (open(f, encoding='utf-8').read() for f in sorted(glob.glob(public + '/keys/*'))) if text)
    key = granted.split('\n')[0].split(' ', 1)[1]
    _, receipt = ask('sent again', '/records', 'post', '/records', 200, note)
    if not receipt.startswith(b'hesabu/receipt/v1 1 '):
        check('POST /records: a receipt', receipt[:60])
    ask('no note', '/records', 'post', '/records', 400, b'hello')
    ask('nothing', '/records', 'post', '/records', 400, b'')
    ask('a forged signature', '/records', 'post', '/records', 403, re.sub(rb'\n([^\n]{70,}?)(.)(.)=*\n$', lambda m: b'\n' + m[1] + m[3] + m[2] + m[0][len(m[1]) + 3:], note))
    ask('too large', '/records', 'post', '/records', 413, None, {'Content-Length': str(1 << 20)})
    name = hashlib.sha256(b'x').hexdigest()
    ask('without a record', '/objects/{sha256}', 'put', '/objects/' + name, 403, b'x')
    ask('a record that names another', '/objects/{sha256}', 'put', '/objects/' + name, 422, b'x', {'Hesabu-Record': base64.b64encode(note).decode()})
    ask('no name', '/objects/{sha256}', 'put', '/objects/x', 400, b'x')
    ask('too large', '/objects/{sha256}', 'put', '/objects/' + name, 413, None, {'Content-Length': str((32 << 20) + 1)})
    ask('of an entry', '/proofs/{which}', 'get', '/proofs/1', 200)
    ask('of a record', '/proofs/{which}', 'get', '/proofs/' + hashlib.sha256(note[:note.index(b'\n\n') + 1]).hexdigest(), 200)
    ask('of a key', '/proofs/{which}', 'get', '/proofs/key/' + key, 200)
    ask('beyond', '/proofs/{which}', 'get', '/proofs/4000000000', 404)
    ask('no key', '/proofs/{which}', 'get', '/proofs/key/nobody', 404)
    ask('no number', '/proofs/{which}', 'get', '/proofs/x', 400)


def events():
    """A stream does not end: its head is read by hand."""
    host = urllib.parse.urlparse(url)
    with socket.create_connection((host.hostname, host.port), timeout=10) as s:
        s.sendall(b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
        head = s.recv(2000).decode().lower()
    came.setdefault(('/events', 'get'), set()).add(200)
    check('GET /events: a stream', None if head.startswith('http/1.1 200') and 'text/event-stream' in head else head[:200])


def anywhere():
    for method, path, want in (('GET', '/never', 404), ('DELETE', '/records', 405), ('POST', '/head.json', 405), ('GET', '/' + 'x' * 20000, 0)):
        status, headers, body = send(method, path, b'' if method == 'POST' else None)
        problem = problem_of({'responses': {}}, status, headers, body)
        if want == 405 and not headers.get('Allow'):
            problem = problem or 'no Allow'
        check(f'{method} {path[:12]}: refused as described', problem or (f'{status}' if want not in (0, status) else None))


# Objects whose keys are data: codes, ids and names of the election.
MAPS = {'votes', 'records', 'findings', 'findings_open', 'fields', 'ballots', 'states', 'totals', 'party', 'groups'}


def names_in(x, out, parent=''):
    if isinstance(x, dict):
        for key, value in x.items():
            if not (parent in MAPS and not isinstance(value, (dict, list))) and not (parent == 'totals'):
                out.add(key)
            names_in(value, out, key)
    elif isinstance(x, list):
        for value in x:
            names_in(value, out, '')


def results_fields():
    """Every field of every file of results/ has its name in spec/results.md."""
    with open(tree + '/spec/results.md', encoding='utf-8') as file:
        words = set(re.findall(r'[a-z_0-9]+', ' '.join(re.findall(r'`([^`]*)`', file.read()))))
    names, files = set(), glob.glob(public + '/results/**/*.json', recursive=True)
    for name in files:
        with open(name, encoding='utf-8') as file:
            names_in(json.load(file), names)
    check(f'results/: {len(names)} fields of {len(files)} files stand in spec/results.md',
          sorted(names - words) or (None if len(names) > 60 else 'too few were found'))


def all_came():
    outside = {('/records', 'post', '201'), ('/records', 'post', '409'), ('/records', 'post', '422'), ('/records', 'post', '424'),
               ('/objects/{sha256}', 'put', '201'), ('/watch.json', 'get', '404')}  # need a key that signs: tests of the desk
    rest = []
    for path, methods in api['paths'].items():
        for method, operation in methods.items():
            if method == 'parameters':
                continue
            for status in operation['responses']:
                if int(status) not in came.get((path, method), ()) and (path, method, str(status)) not in outside \
                        and str(status) not in ('429', '503'):  # a server in distress
                    rest.append(f'{method} {path} {status}')
    check('every operation and status that can be had from outside was', rest)


static_files()
records()
events()
anywhere()
results_fields()
all_came()
sys.exit(bad != 0)
