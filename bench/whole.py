# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page of a published tree against its results: python3 bench/whole.py PUBLIC
Follows links from the overview, in each language, to every unit's page and every station's place on one; compares
what each page states with the file of results of the same unit. Links, figures, then counts are printed; exit 1 on a
difference. (That the files of results are what the records give is what `hesabu verify` compares.)"""
import json
import os
import re
import sys

public = sys.argv[1]
LINK = re.compile(r'href="([^"#?]+\.html)(?:#[^"]*)?"')
STATION = re.compile(r'<article class="station" id="([^"]+)"')
VOTES = re.compile(r'data-votes="(\d+)"')
SIZE = re.compile(r' data-size="(\d+)"')
NAMED = {n: re.compile(rf'data-name="{n}">([^<]*)') for n in ('valid', 'rejected', 'registered')}
bad = []


def text_of(path):
    with open(os.path.join(public, path), encoding='utf-8') as file:
        return file.read()


def digits(match):
    return int(re.sub(r'\D', '', match.group(1))) if match else None


def compare(path, html):
    """What the page of a unit states, against the unit's results."""
    with open(os.path.join(public, 'results', path.split('/', 1)[1][:-5] + '.json'), encoding='utf-8') as file:
        data = json.load(file)
    total = data['totals']['transmitted']
    shown = [int(v) for v in VOTES.findall(html)]
    want = list(total['votes'].values())
    figures = {n: digits(NAMED[n].search(html)) for n in NAMED}
    if shown != want:
        bad.append(f'{path}: votes {shown} where {want} are published')
    if (figures['valid'], figures['rejected'], figures['registered']) != (
            total['valid'], total['rejected'], data['stations']['registered']):
        bad.append(f'{path}: {figures} where {total["valid"]}, {total["rejected"]}, '
                   f'{data["stations"]["registered"]} are published')
    stations = {p['unit'] for p in data['parts'] if 'totals' not in p}
    if stations != set(STATION.findall(html)):
        bad.append(f'{path}: stations {sorted(stations ^ set(STATION.findall(html)))[:3]}')
    return stations


def walk(home):
    seen, todo, stations, sizes, units = {home}, [home], set(), set(), 0
    while todo:
        path = todo.pop()
        try:
            html = text_of(path)
        except FileNotFoundError:
            bad.append(f'{path}: is linked to and not there')
            continue
        sizes.add(int(SIZE.search(html).group(1)) if SIZE.search(html) else 0)
        parts = path.split('/')
        if len(parts) == 4:
            stations |= compare(path, html)
            units += 1
        for link in LINK.findall(html):
            if '://' in link:
                continue
            to = os.path.normpath(os.path.join(os.path.dirname(path), link))
            same = to.split('/')[0] == ('sw' if home.startswith('sw/') else to.split('/')[0])
            if to not in seen and same and not to.startswith('data/') and (home.startswith('sw/') or not to.startswith('sw/')):
                seen.add(to)
                todo.append(to)
    return units, stations, sizes


expected = set()
for folder, _, files in os.walk(os.path.join(public, 'results')):
    for name in files:
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            unit = json.load(file)
        expected |= {p['unit'] for p in unit.get('parts', []) if 'totals' not in p}
size = json.loads(text_of('head.json'))['size']
for home in ('index.html', 'sw/index.html'):
    units, stations, sizes = walk(home)
    if stations != expected:
        bad.append(f'from {home} {len(stations)} stations are reached of {len(expected)}')
    if max(sizes) > size:
        bad.append(f'a page is as of {max(sizes)}, later than the published checkpoint of {size}')
    print(f'{home}: {units} pages of units compared, {len(stations)} of {len(expected)} stations reached by links')
for line in bad[:10]:
    print(f'not ok: {line}')
print(f'differences {len(bad)}')
sys.exit(1 if bad or not expected else 0)
