#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads exported files back, each with another reader, and compares their totals with the published
results. usage: export_check.py PUBLIC FOLDER [SHARED] ; prints 'ok NAME' or 'not ok NAME: why' lines."""
import csv
import glob
import json
import os
import sqlite3
import sys
import xml.etree.ElementTree as ET

public, folder = sys.argv[1], sys.argv[2]
shared = sys.argv[3] if len(sys.argv) > 3 else None
CDF = '{http://itl.nist.gov/ns/voting/1500-100/v2}'
bad = 0


def check(name, problem):
    global bad
    bad += bool(problem)
    print(f'not ok {name}: {problem}' if problem else f'ok {name}')


def path(name):
    return os.path.join(folder, name)


def published():
    """{(contest, round, unit): (votes by choice, rejected, stations)} of everything in results/"""
    out = {}
    for name in glob.glob(public + '/results/*/*/*.json'):
        with open(name, encoding='utf-8') as file:
            unit = json.load(file)
        if 'parts' not in unit:  # findings, the gate, ...
            continue
        key = (unit['contest'], unit['round'])
        units = [unit] + [part for part in unit['parts'] if 'totals' in part]
        for u in units:
            total = u['totals']['transmitted']
            if total['stations']:
                out[(*key, u['unit'])] = (total['votes'], total['rejected'], total['stations'])
        for part in unit['parts']:
            for result in part.get('results', []):
                if result['transmitted']:
                    votes = {c: v or 0 for c, v in result['votes'].items()}
                    out[(*key, part['unit'])] = (votes, result['ballots'].get('rejected', 0), 1)
    return out


def differences(want, got, rejected=True):
    if set(want) != set(got):
        return f'units {sorted(set(want) ^ set(got))[:3]}'
    for key in want:
        if want[key][0] != got[key][0] or (rejected and want[key][1] != got[key][1]):
            return f'{key}: {got[key]} where {want[key]} is published'
    return None if want else 'nothing was compared'


def parents():
    with sqlite3.connect(path('election.sqlite')) as db:
        return dict(db.execute('SELECT code, parent FROM unit'))


def add_up(stations):
    """Stations' figures, added up through the units above them."""
    above, out = parents(), {}
    for (contest, round_, unit), (votes, rejected) in stations.items():
        while unit is not None:
            key = (contest, round_, unit)
            sums, so_far, n = out.get(key, ({}, 0, 0))
            out[key] = ({c: sums.get(c, 0) + v for c, v in votes.items()}, so_far + rejected, n + 1)
            unit = above[unit]
    return out


def from_csv():
    stations = {}
    with open(path('stations.csv'), newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            if row['counted'] != 'yes':
                continue
            if 'votes' in row:
                votes = dict(pair.split('=') for pair in row['votes'].split(';') if pair)
            else:
                votes = {c[6:]: v or 0 for c, v in row.items() if c.startswith('votes:')}
            key = (row['contest'], int(row['round']), row['station'])
            stations[key] = ({c: int(v) for c, v in votes.items()}, int(row['rejected'] or 0))
    return add_up(stations)


def clip(totals, want):
    """A contest's totals end at its own unit."""
    return {key: value for key, value in totals.items() if key in want}


def from_sqlite():
    stations = {}
    with sqlite3.connect(path('election.sqlite')) as db:
        for contest, round_, station, rejected, entry in db.execute(
                'SELECT contest, round, station, rejected, entry FROM counted_result'):
            votes = dict(db.execute('SELECT choice, votes FROM vote WHERE entry = ?', (entry,)))
            stations[(contest, round_, station)] = (votes, rejected or 0)
        wrong = db.execute('SELECT count(*) FROM totals_check WHERE added <> published').fetchone()[0]
        checked = db.execute('SELECT count(*) FROM totals_check').fetchone()[0]
        check('sqlite: totals_check finds every total equal', None if checked and not wrong else f'{wrong} of {checked}')
        check('sqlite: its README names every table and view', [
            name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
            if not db.execute("SELECT 1 FROM readme WHERE text LIKE '%' || ? || '%'", (name,)).fetchone()
            and name != 'readme'])
    return add_up(stations)


def round_of(object_id):
    return int(object_id.split('-')[1])


def other(identifiers, kind):
    return next(v for t, v in identifiers if t == kind)


def from_err_json():
    with open(path('err.json'), encoding='utf-8') as file:
        report = json.load(file)

    def ids(x):
        return [(e['OtherType'], e['Value']) for e in x['ExternalIdentifier']]
    unit = {u['@id']: other(ids(u), 'unit') for u in report['GpUnit']}
    out = {}
    for election in report['Election']:
        choice = {c['@id']: other(ids(c), 'choice') for c in election['Candidate']}
        for contest in election['Contest']:
            key = (other(ids(contest), 'contest'), round_of(contest['@id']))
            for selection in contest['ContestSelection']:
                for count in selection['VoteCounts']:
                    votes, rejected, n = out.get((*key, unit[count['GpUnitId']]), ({}, 0, 1))
                    votes[choice[selection['CandidateIds'][0]]] = count['Count']
                    out[(*key, unit[count['GpUnitId']])] = (votes, rejected, n)
            for count in election['BallotCounts']:
                votes, _, n = out[(*key, unit[count['GpUnitId']])]
                out[(*key, unit[count['GpUnitId']])] = (votes, count.get('BallotsRejected', 0), n)
    return out, report


def from_err_xml():
    report = ET.parse(path('err.xml')).getroot()

    def ids(x):
        return [(e.findtext(CDF + 'OtherType'), e.findtext(CDF + 'Value'))
                for e in x.findall(CDF + 'ExternalIdentifier')]
    unit = {u.get('ObjectId'): other(ids(u), 'unit') for u in report.findall(CDF + 'GpUnit')}
    out = {}
    for election in report.findall(CDF + 'Election'):
        choice = {c.get('ObjectId'): other(ids(c), 'choice') for c in election.findall(CDF + 'Candidate')}
        for contest in election.findall(CDF + 'Contest'):
            key = (other(ids(contest), 'contest'), round_of(contest.get('ObjectId')))
            for selection in contest.findall(CDF + 'ContestSelection'):
                name = choice[selection.findtext(CDF + 'CandidateIds')]
                for count in selection.findall(CDF + 'VoteCounts'):
                    at = (*key, unit[count.findtext(CDF + 'GpUnitId')])
                    votes, rejected, n = out.get(at, ({}, 0, 1))
                    votes[name] = int(count.findtext(CDF + 'Count'))
                    out[at] = (votes, rejected, n)
            for count in election.findall(CDF + 'BallotCounts'):
                at = (*key, unit[count.findtext(CDF + 'GpUnitId')])
                out[at] = (out[at][0], int(count.findtext(CDF + 'BallotsRejected') or 0), 1)
    return out


def from_eml():
    """Totals as written, and the stations' figures added up: they must agree with each other first."""
    eml = '{urn:oasis:names:tc:evs:schema:eml}'
    stations, totals = {}, {}

    def figures(x):
        votes = {s.find(f'{eml}Candidate/{eml}CandidateIdentifier').get('Id').replace(':', '/'):
                 int(s.findtext(eml + 'ValidVotes')) for s in x.findall(eml + 'Selection')}
        assert sum(votes.values()) == int(x.findtext(eml + 'TotalCounted'))
        rejected = int(x.findtext(eml + 'RejectedVotes') or 0)
        assert int(x.findtext(eml + 'Cast')) == sum(votes.values()) + rejected
        return votes, rejected
    for contest in ET.parse(path('eml510.xml')).getroot().iter(eml + 'Contest'):
        name, _, round_ = contest.find(eml + 'ContestIdentifier').get('Id').partition(':R')
        key = (name.replace(':', '/'), int(round_ or 1))
        totals[key] = figures(contest.find(eml + 'TotalVotes'))
        for unit in contest.findall(eml + 'ReportingUnitVotes'):
            stations[(*key, unit.find(eml + 'ReportingUnitIdentifier').get('Id'))] = figures(unit)
    return stations, totals


def eml_totals(want):
    stations, totals = from_eml()
    summed = clip(add_up(stations), want)
    check('eml: stations add up to the published totals', differences(want, summed))
    with sqlite3.connect(path('election.sqlite')) as db:
        top = dict(db.execute('SELECT id, unit FROM contest'))
    wrong = [key for key, total in totals.items()
             if (*key, top[key[0]]) in want and total != want[(*key, top[key[0]])][:2]]
    check('eml: its totals are the published ones', wrong if totals else 'there are none')


def feed():
    atom = '{http://www.w3.org/2005/Atom}'
    root = ET.parse(path('feed.atom')).getroot()
    entries = root.findall(atom + 'entry')
    ids = [e.findtext(atom + 'id') for e in entries]
    with sqlite3.connect(path('election.sqlite')) as db:
        by = [f'/{record}' for (record,) in db.execute(
            'SELECT record FROM result WHERE entry IN (SELECT superseded_by FROM result)')]
    corrections = [e.findtext(atom + 'id') for e in entries
                   if e.find(atom + 'category').get('term') == 'correction']
    problem = None
    if len(set(ids)) != len(ids) or not all(i.startswith('tag:') for i in ids + [root.findtext(atom + 'id')]):
        problem = 'ids'
    for e in [root, *entries]:  # RFC 4287, 4.1.1 and 4.1.2
        if any(len(e.findall(atom + name)) != 1 for name in ('id', 'title', 'updated')):
            problem = 'an element is missing'
    times = [e.findtext(atom + 'updated') for e in entries]
    if times != sorted(times, reverse=True):
        problem = 'the order'
    if {i[i.rindex('/'):] for i in corrections} != set(by):
        problem = f'{len(corrections)} corrections where {len(by)} results replaced others'
    for e in entries:
        href = e.find(atom + 'link').get('href')
        if not os.path.exists(os.path.join(public, 'data', href).replace('/data/../', '/')):
            problem = f'{href} is not there'
    check('atom: an entry for each correction, with its record\'s id', problem)


def geojson(want):
    with open(path('units.geojson'), encoding='utf-8') as file:
        features = [f['properties'] for f in json.load(file)['features']]
    got = {(p['contest'], p['round'], p['code']): (
        {c[6:]: v for c, v in p.items() if c.startswith('votes:')}, p.get('rejected', 0), p['stations_counted'])
        for p in features if p['stations_counted']}
    with sqlite3.connect(path('election.sqlite')) as db:
        stations = {code for (code,) in db.execute('SELECT station FROM station')}
    above = {key: value for key, value in want.items() if key[2] not in stations}
    check('geojson: every unit\'s figures are the published ones', differences(above, got))


def every_reference_leads_somewhere(report):
    """Schematron's rules, as far as ids go: what is named exists."""
    here, named = set(), set()

    def walk(x):
        if isinstance(x, dict):
            if '@id' in x:
                if x['@id'] in here:
                    named.add('twice: ' + x['@id'])
                here.add(x['@id'])
            for key, value in x.items():
                if key.endswith('Ids'):
                    named.update(value)
                elif key.endswith('Id') and key not in ('@id', 'VendorApplicationId'):
                    named.add(value)
                walk(value)
        elif isinstance(x, list):
            for value in x:
                walk(value)
    walk(report)
    return sorted(named - here)[:3]


def schema(report):
    import jsonschema
    with open(shared + '/vectors/nist-err/NIST_V2_election_results_reporting.json', encoding='utf-8') as file:
        validator = jsonschema.Draft4Validator(json.load(file))
    check('err-json: valid against the published schema', [e.message[:200] for e in validator.iter_errors(report)][:3])
    report['GpUnit'][0].pop('Type')
    check('err-json: and the validator refuses a unit without a type',
          None if list(validator.iter_errors(report)) else 'it does not')


def main():
    want = published()
    check('csv: counted stations add up to the published totals', differences(want, clip(from_csv(), want)))
    check('sqlite: counted stations add up to the published totals', differences(want, clip(from_sqlite(), want)))
    got, report = from_err_json()
    check('err-json: every total equals the published one', differences(want, got))
    check('err-json: every reference leads somewhere, every id is there once', every_reference_leads_somewhere(report))
    check('err-xml: every total equals the published one', differences(want, from_err_xml()))
    eml_totals(want)
    feed()
    geojson(want)
    with open(path('results.json'), encoding='utf-8') as file:
        whole = json.load(file)
    files = {}
    for name in glob.glob(public + '/results/*/*/*.json'):
        with open(name, encoding='utf-8') as file:
            files[name] = json.load(file)
    units = [u for u in files.values() if 'parts' in u]
    check('json: the same objects as the published files',
          None if len(units) == len(whole['units']) and all(u in whole['units'] for u in units) else 'they differ')
    if shared and os.path.isdir(shared + '/vectors/nist-err'):
        schema(report)
    return bad


sys.exit(main() != 0)
