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


def figures_of(part, entry):
    """What a record with this number says of a station: a result, an opened reading, a comparison."""
    for kind, at in (('results', 'entry'), ('readings', 'opened'), ('machine', 'opened'), ('compared', 'entry')):
        for record in part.get(kind, []):
            if record.get(at) == entry and 'votes' in record:
                return {c: v or 0 for c, v in record['votes'].items()}, record['ballots'].get('rejected', 0)
    raise KeyError(f'{part["unit"]}: no record {entry}')


class Published:
    """What results/ has: totals (votes by choice, rejected, stations) by (contest, round, unit)."""

    def __init__(self):
        self.transmitted, self.parent, self.held, self.paper, self.declared, self.within = {}, {}, {}, {}, set(), set()
        self.files = 0
        for name in glob.glob(public + '/results/*/*/*.json'):
            with open(name, encoding='utf-8') as file:
                unit = json.load(file)
            if 'parts' in unit:  # not findings, the gate, ...
                self.read(unit)

    def read(self, unit):
        key = (unit['contest'], unit['round'])
        self.files += 1
        self.within.update((*key, u['unit']) for u in [unit] + unit['parts'])
        for u in [unit] + [part for part in unit['parts'] if 'totals' in part]:
            total = u['totals']['transmitted']
            if total['stations']:
                self.transmitted[(*key, u['unit'])] = (total['votes'], total['rejected'], total['stations'])
        if unit['status'] == 'declared':
            self.declared.add(key)
            if not unit['path']:
                self.paper[key] = (unit['unit'], unit['totals'].get('declared'))
        for part in unit['parts']:
            self.parent[part['unit']] = unit['unit']
            for result in part.get('results', []):
                if result['transmitted']:
                    votes = {c: v or 0 for c, v in result['votes'].items()}
                    self.transmitted[(*key, part['unit'])] = (votes, result['ballots'].get('rejected', 0), 1)
            if unit['status'] == 'declared' and part.get('held') is not None:
                self.held[(*key, part['unit'])] = figures_of(part, part['held'])

    def standing(self):
        """What formats with one figure for each unit say: the total transmitted until a contest is declared,
        then what holds, added up, and at the contest's own unit what the declaration rests on."""
        out = {key: value for key, value in self.transmitted.items() if key[:2] not in self.declared}
        out.update(clip(add_up(self.held, self.parent), self.within))
        for key, (unit, paper) in self.paper.items():
            if paper and (*key, unit) in out:
                votes, rejected, stations = out[(*key, unit)]
                votes = votes | {c: v for c, v in paper['votes'].items() if v is not None}
                out[(*key, unit)] = (votes, paper.get('rejected', rejected), stations)
        return out


def differences(want, got, rejected=True):
    if set(want) != set(got):
        return f'units {sorted(set(want) ^ set(got))[:3]}'
    for key in want:
        if want[key][0] != got[key][0] or (rejected and want[key][1] != got[key][1]):
            return f'{key}: {got[key]} where {want[key]} is published'
    return None if want else 'nothing was compared'


def add_up(stations, above):
    """Stations' figures, added up through the units above them."""
    out = {}
    for (contest, round_, unit), (votes, rejected) in stations.items():
        while unit is not None:
            key = (contest, round_, unit)
            if key not in out:
                out[key] = (dict(votes), rejected, 1)
            else:
                sums, so_far, n = out[key]
                for c, v in votes.items():
                    sums[c] = sums.get(c, 0) + v
                out[key] = (sums, so_far + rejected, n + 1)
            unit = above.get(unit)
    return out


def from_csv(above):
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
    return add_up(stations, above)


def clip(totals, want):
    """A contest's totals end at its own unit."""
    return {key: value for key, value in totals.items() if key in want}


def from_sqlite(above):
    stations = {}
    with sqlite3.connect(path('election.sqlite')) as db:
        for contest, round_, station, rejected, entry in db.execute(
                'SELECT contest, round, station, rejected, entry FROM counted_result'):
            votes = dict(db.execute('SELECT choice, votes FROM vote WHERE entry = ?', (entry,)))
            stations[(contest, round_, station)] = (votes, rejected or 0)
        differ = [added != published for added, published in db.execute('SELECT added, published FROM totals_check')]
        check('sqlite: totals_check finds every total equal', None if differ and not any(differ) else f'{sum(differ)} of {len(differ)}')
        check('sqlite: its README names every table and view', [
            name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
            if not db.execute("SELECT 1 FROM readme WHERE text LIKE '%' || ? || '%'", (name,)).fetchone()
            and name != 'readme'])
    return add_up(stations, above)


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
    """Element by element: what was read is forgotten."""
    out, units, ballots, figures, choice, election, contests = {}, {}, [], [], {}, 0, {}

    def ids(x):
        return [(e.findtext(CDF + 'OtherType'), e.findtext(CDF + 'Value'))
                for e in x.findall(CDF + 'ExternalIdentifier')]
    for _, x in ET.iterparse(path('err.xml')):
        tag = x.tag[len(CDF):]
        if tag == 'GpUnit':
            units[x.get('ObjectId')] = other(ids(x), 'unit')
        elif tag == 'Candidate':
            choice[x.get('ObjectId')] = other(ids(x), 'choice')
        elif tag == 'BallotCounts':
            ballots.append((election, x.findtext(CDF + 'GpUnitId'), int(x.findtext(CDF + 'BallotsRejected') or 0)))
        elif tag == 'ContestSelection':
            name = choice[x.findtext(CDF + 'CandidateIds')]
            figures += [(election, name, c.findtext(CDF + 'GpUnitId'), int(c.findtext(CDF + 'Count')))
                        for c in x.findall(CDF + 'VoteCounts')]
        elif tag == 'Contest':  # one in each election
            contests[election] = (other(ids(x), 'contest'), round_of(x.get('ObjectId')))
        elif tag == 'Election':
            election += 1
        else:
            continue
        if tag in ('GpUnit', 'BallotCounts', 'ContestSelection', 'Election'):
            x.clear()
    for election, name, unit, count in figures:
        out.setdefault((*contests[election], units[unit]), ({}, 0, 1))[0][name] = count
    for election, unit, rejected in ballots:
        at = (*contests[election], units[unit])
        out[at] = (out[at][0], rejected, 1)
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
    key = None
    for _, x in ET.iterparse(path('eml510.xml')):
        if x.tag == eml + 'ContestIdentifier':
            name, _, round_ = x.get('Id').partition(':R')
            key = (name.replace(':', '/'), int(round_ or 1))
        elif x.tag == eml + 'TotalVotes':
            totals[key] = figures(x)
        elif x.tag == eml + 'ReportingUnitVotes':
            stations[(*key, x.find(eml + 'ReportingUnitIdentifier').get('Id'))] = figures(x)
            x.clear()
    return stations, totals


def eml_totals(want, p):
    stations, totals = from_eml()
    summed = clip(add_up(stations, p.parent), want)
    for key, (unit, paper) in p.paper.items():  # may differ from the sum of its stations: so it is declared
        if paper and (*key, unit) in summed:
            summed[(*key, unit)] = want[(*key, unit)]
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
    """By each of the validators that are here: jsonschema, and for a nation's size one that compiles the schema."""
    with open(shared + '/vectors/nist-err/NIST_V2_election_results_reporting.json', encoding='utf-8') as file:
        text = json.load(file)
    ways = {}
    try:
        import fastjsonschema
        fast = fastjsonschema.compile(text, formats={'date': r'^\d{4}-\d{2}-\d{2}\Z', 'time': r'^\d{2}:\d{2}:\d{2}'})

        def problem(x):
            try:
                fast(x)
            except fastjsonschema.JsonSchemaException as e:
                return str(e)[:300]
        ways['fastjsonschema'] = problem
    except ImportError:
        pass
    if os.path.getsize(path('err.json')) < 20e6:  # hours for a nation
        try:
            import jsonschema
            validator = jsonschema.Draft4Validator(text)
            ways['jsonschema'] = lambda x: [e.message[:200] for e in validator.iter_errors(x)][:3]
        except ImportError:
            pass
    if not ways:
        check('err-json: valid against the published schema', 'no validator for this size: install python3-fastjsonschema')
    for name, problem in ways.items():
        check(f'err-json: valid against the published schema ({name})', problem(report))
    kind = report['GpUnit'][0].pop('Type')
    for name, problem in ways.items():
        check(f'err-json: and {name} refuses a unit without a type', None if problem(report) else 'it does not')
    report['GpUnit'][0]['Type'] = kind


def same_objects(count):
    """results.json holds each published file as it is, on a line of its own."""
    n, wrong = 0, None
    with open(path('results.json'), encoding='utf-8') as file:
        while next(file) != '"units":[\n':
            pass
        for line in file:
            line = line.rstrip('\n').rstrip(',')
            if line == ']}':
                break
            unit = json.loads(line)
            name = f'{public}/results/{unit["contest"]}/{unit["round"]}/{unit["unit"]}.json'
            with open(name, encoding='utf-8') as published:
                if published.read().rstrip('\n') != line:
                    wrong = wrong or name
            n += 1
    check('json: the same objects as the published files', wrong or (None if n == count > 0 else f'{n} of {count}'))


def main():
    p = Published()
    want, standing = p.transmitted, p.standing()
    check('csv: counted stations add up to the published totals', differences(want, clip(from_csv(p.parent), want)))
    check('sqlite: counted stations add up to the published totals', differences(want, clip(from_sqlite(p.parent), want)))
    check('err-xml: every total equals the published one', differences(standing, from_err_xml()))
    eml_totals(standing, p)
    feed()
    geojson(standing)
    same_objects(p.files)
    got, report = from_err_json()
    check('err-json: every total equals the published one', differences(standing, got))
    check('err-json: every reference leads somewhere, every id is there once', every_reference_leads_somewhere(report))
    if shared and os.path.isdir(shared + '/vectors/nist-err'):
        schema(report)
    return bad


sys.exit(main() != 0)
