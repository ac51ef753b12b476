// SPDX-License-Identifier: AGPL-3.0-or-later
// What scripts say. The pages' own words are in src/service/page_words.def.
const words = {
  search: ['Find a place by name or code', 'Tafuta eneo kwa jina au nambari'],
  searchNone: ['No place of this name', 'Hakuna eneo lenye jina hili'],
  searchMore: ['{n} places found', 'Maeneo {n} yamepatikana'],
  searchOne: ['1 place found', 'Eneo 1 limepatikana'],
  live: ['Live', 'Moja kwa moja'],
  stale: ['Not reached since {t}. The figures stand as of then.', 'Haijafikiwa tangu {t}. Takwimu ni za wakati huo.'],
  updated: ['New records: now {n}', 'Rekodi mpya: sasa {n}'],
  bigScreen: ['Big screen', 'Skrini kubwa'],
  leave: ['Leave big screen', 'Ondoka skrini kubwa'],
  map: ['Map', 'Ramani'],
  mapMore: [
    'Each hexagon is one area of equal weight: land does not vote. Choose an area to open its page.',
    'Kila pembesita ni eneo moja lenye uzito sawa: ardhi haipigi kura. Chagua eneo ufungue ukurasa wake.',
  ],
  progress: ['Progress', 'Maendeleo'],
  highest: ['Highest so far', 'Ya juu hadi sasa'],
  turnout: ['Turnout', 'Waliojitokeza'],
  findings: ['In question', 'Vyenye maswali'],
  constituency: ['Constituencies', 'Maeneo bunge'],
  county: ['Counties', 'Kaunti'],
  hexagons: ['Hexagons', 'Pembesita'],
  land: ['Geographic', 'Kijiografia'],
  table: ['Table', 'Jedwali'],
  colourBy: ['Colour by', 'Rangi kwa'],
  areas: ['Areas', 'Maeneo'],
  shape: ['Shape', 'Umbo'],
  notYet: ['nothing yet', 'bado hakuna'],
  tie: ['equal', 'sawa'],
  received: ['stations received', 'vituo vimepokelewa'],
  receivedOne: ['station received', 'kituo kimepokelewa'],
  tooEarly: [
    'Colours by candidate are shown once {n}% of stations are in.',
    'Rangi za wagombea zitaonyeshwa asilimia {n} ya vituo ikifika.',
  ],
  highestNote: [
    'Highest figure so far, provisional: not a result. Stations that are missing may differ from those that are in.',
    'Takwimu ya juu hadi sasa, ya muda: si matokeo. Vituo ambavyo havijafika vinaweza kutofautiana.',
  ],
  lead: ['difference {p} points', 'tofauti alama {p}'],
  of: ['of', 'kati ya'],
  none: ['none', 'hakuna'],
  name: ['Name', 'Jina'],
  value: ['Value', 'Thamani'],
  zoomIn: ['Zoom in', 'Kuza'],
  zoomOut: ['Zoom out', 'Punguza'],
  rotate: ['Rotate', 'Zungusha'],
  close: ['Close', 'Funga'],
  witnessed: ['Witnesses have cosigned up to record {n}.', 'Mashahidi wametia sahihi hadi rekodi ya {n}.'],
} as const;

export type Word = keyof typeof words;
export const lang: 'en' | 'sw' = document.documentElement.lang === 'sw' ? 'sw' : 'en';
const column = lang === 'sw' ? 1 : 0;

export function say(w: Word, fill: Record<string, string | number> = {}): string {
  return words[w][column].replace(/\{(\w+)\}/g, (_, k: string) => String(fill[k] ?? ''));
}

const plain = new Intl.NumberFormat('en');
/** 1,234,567 in both languages. */
export const number = (n: number): string => plain.format(n);
export function share(part: number, whole: number): string {
  if (!whole) return '–';
  const h = Math.floor((part * 10000) / whole);
  return `${Math.floor(h / 100)}.${String(h % 100).padStart(2, '0')}%`;
}

const months = [
  'Januari', 'Februari', 'Machi', 'Aprili', 'Mei', 'Juni', 'Julai', 'Agosti', 'Septemba', 'Oktoba', 'Novemba', 'Desemba',
];
/** In the reader's own time zone. */
export function time(at: Date): string {
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }).format(at);
  const month =
    lang === 'sw' ? (months[at.getMonth()] ?? '') : new Intl.DateTimeFormat('en', { month: 'long' }).format(at);
  return `${at.getDate()} ${month} ${at.getFullYear()}, ${clock}`;
}
