// SPDX-License-Identifier: AGPL-3.0-or-later
// What the desk says, in English and Swahili.
const words = {
  desk: ['Tally desk', 'Dawati la kujumlisha'],
  simulated: ['SIMULATED: a rehearsal, not an election', 'SIMULATED: mazoezi, si uchaguzi'],
  skip: ['To the form', 'Nenda kwenye fomu'],
  clerk: ['Clerk {n}', 'Karani {n}'],
  language: ['Kiswahili', 'English'],
  waitingForms: ['{n} forms wait, {own} of them for you first', 'Fomu {n} zinasubiri, {own} kati yake ni zako kwanza'],
  start: ['Read the next form', 'Soma fomu inayofuata'],
  noForm: ['No form waits for you now. What you sealed is opened as soon as it can be. Keep this program running.',
    'Hakuna fomu inayokusubiri sasa. Ulizofunga zitafunguliwa mara itakapowezekana. Acha programu hii iendelee.'],
  loading: ['One moment…', 'Subiri kidogo…'],
  station: ['Station {n}', 'Kituo {n}'],
  third: ['Two readings of this form differ, or one lapsed. Read it as if nobody had.',
    'Masomo mawili ya fomu hii yanatofautiana, au moja limeisha muda. Isome kana kwamba hakuna aliyeisoma.'],
  how: ['Type what stands on the paper, right or wrong. Enter moves on; - says that nothing is written there; ? that it cannot be read.',
    'Andika kilichoandikwa kwenye karatasi, kiwe sahihi au la. Enter huendelea; - maana yake hakuna kilichoandikwa; ? maana yake hakisomeki.'],
  votes: ['Votes', 'Kura'],
  counts: ['Counts', 'Hesabu'],
  blank: ['blank', 'tupu'],
  illegible: ['cannot be read', 'hakisomeki'],
  blankFor: ['{f}: nothing is written there', '{f}: hakuna kilichoandikwa'],
  illegibleFor: ['{f}: cannot be read', '{f}: hakisomeki'],
  'ballots.registered': ['Registered voters', 'Wapiga kura walioandikishwa'],
  'voters.kit': ['Voters identified by the kit', 'Waliotambuliwa kwa kifaa'],
  'voters.manual': ['Voters identified by hand', 'Waliotambuliwa kwa mkono'],
  'ballots.rejected': ['Rejected ballots', 'Kura zilizokataliwa'],
  'ballots.objected': ['Rejections objected to', 'Kukataliwa kulikopingwa'],
  'ballots.disputed': ['Disputed votes', 'Kura zenye mzozo'],
  'ballots.valid': ['Total valid votes', 'Jumla ya kura halali'],
  serial: ['Serial number of the form', 'Nambari ya fomu'],
  seen: ['What you see on the paper', 'Unachokiona kwenye karatasi'],
  seenMore: ['Only what is there to be seen. None is fine.', 'Kile tu kinachoonekana. Bila chochote ni sawa.'],
  'mark.adding-error': ['a sum on it is wrong', 'jumla iliyomo si sahihi'],
  'mark.agent-signature-missing': ['an agent’s signature is missing', 'sahihi ya wakala haipo'],
  'mark.agent-signature-missing-no-reason': ['… and no reason is given', '… na sababu haikutolewa'],
  'mark.cancelled': ['marked as cancelled', 'imeandikwa kuwa imefutwa'],
  'mark.carbon': ['a carbon copy', 'nakala ya kaboni'],
  'mark.countersigned': ['corrections are countersigned', 'masahihisho yametiwa sahihi'],
  'mark.damaged': ['torn, wet or damaged', 'imechanika, imelowa au imeharibika'],
  'mark.illegible': ['hard to read as a whole', 'ni vigumu kusoma kwa jumla'],
  'mark.missing-page': ['a page is missing', 'ukurasa unakosekana'],
  'mark.no-officer-signature': ['no signature of the presiding officer', 'hakuna sahihi ya msimamizi wa kituo'],
  'mark.no-serial': ['no serial number', 'hakuna nambari ya fomu'],
  'mark.no-stamp': ['no stamp', 'hakuna muhuri'],
  'mark.no-watermark': ['no watermark', 'hakuna alama ya maji'],
  'mark.one-handwriting': ['signatures in one handwriting', 'sahihi kwa mwandiko mmoja'],
  'mark.overwritten': ['figures are overwritten', 'takwimu zimeandikwa juu ya nyingine'],
  'mark.photocopy': ['a photocopy', 'nakala ya fotokopi'],
  'mark.wrong-date': ['a wrong date', 'tarehe si sahihi'],
  'mark.wrong-form': ['not the form of this station', 'si fomu ya kituo hiki'],
  marksNone: ['nothing marked', 'hakuna alama'],
  sum: ['The figures you typed add up to {n}; valid votes typed: {m}.', 'Takwimu ulizoandika jumla yake ni {n}; kura halali ulizoandika: {m}.'],
  sumMore: ['Leave both as the paper has them.', 'Acha zote zilivyo kwenye karatasi.'],
  check: ['Look at it once more', 'Angalia tena'],
  checkMore: ['Hold each figure against the picture. After sealing nobody can change it.', 'Linganisha kila takwimu na picha. Baada ya kufunga hakuna anayeweza kuibadilisha.'],
  left: ['{n} fields are still open: type what stands there, or say that nothing does.', 'Sehemu {n} bado ziko wazi: andika kilichopo, au sema hakuna kitu.'],
  change: ['Change something', 'Badilisha kitu'],
  seal: ['Seal this reading', 'Funga somo hili'],
  sealing: ['Sealing…', 'Inafunga…'],
  putBack: ['Put this form back', 'Rudisha fomu hii'],
  putBackMore: ['What you typed is kept.', 'Ulichoandika kinahifadhiwa.'],
  nextForm: ['Next form', 'Fomu inayofuata'],
  sealedTitle: ['Sealed', 'Imefungwa'],
  'state.sending': ['sealed on this machine, on its way to the log', 'imefungwa kwenye mashine hii, inaelekea kwenye kumbukumbu'],
  'state.refused': ['the log refused it: {s}', 'kumbukumbu imeikataa: {s}'],
  'state.waiting': ['sealed as entry {e}, waiting for the other reader', 'imefungwa kama ingizo {e}, inasubiri msomaji mwingine'],
  'state.opening': ['sealed as entry {e}; both are sealed, it is being opened', 'imefungwa kama ingizo {e}; zote zimefungwa, inafunguliwa'],
  'state.open': ['open (sealed as entry {e})', 'imefunguliwa (ilifungwa kama ingizo {e})'],
  'state.lapsed': ['lapsed: not opened in time, or the key ended; somebody else reads it', 'muda umeisha: haikufunguliwa kwa wakati, au ufunguo umekoma; mwingine ataisoma'],
  clock: ['{t} left to open it', 'imebaki {t} kuifungua'],
  'outcome.transcribed': ['Transcribed: what was read is what holds.', 'Imenakiliwa: kilichosomwa ndicho kinachosimama.'],
  'outcome.agreed': ['Two readers agree; no figures were sent.', 'Wasomaji wawili wanakubaliana; hakuna takwimu zilizotumwa.'],
  'outcome.sent-differs': ['Two readers agree and the figures that were sent differ: the returning officer decides.', 'Wasomaji wawili wanakubaliana na takwimu zilizotumwa zinatofautiana: msimamizi wa uchaguzi ataamua.'],
  'outcome.disagree': ['No two readings agree: the returning officer decides.', 'Hakuna masomo mawili yanayokubaliana: msimamizi wa uchaguzi ataamua.'],
  'outcome.third': ['Two readings differ: a third person reads the form.', 'Masomo mawili yanatofautiana: mtu wa tatu ataisoma fomu.'],
  'outcome.reader': ['Another reader is asked for.', 'Msomaji mwingine anahitajika.'],
  'outcome.waits': ['The other reading is not open yet.', 'Somo lingine halijafunguliwa bado.'],
  own: ['Your readings', 'Masomo yako'],
  ownNone: ['None yet.', 'Hakuna bado.'],
  field: ['Field', 'Sehemu'],
  you: ['you', 'wewe'],
  machine: ['the machine', 'mashine'],
  sentFigures: ['as sent', 'zilivyotumwa'],
  differs: ['differs', 'inatofautiana'],
  same: ['Everywhere the same.', 'Zote ni sawa.'],
  compare: ['What was read and sent', 'Kilichosomwa na kutumwa'],
  away: ['The log is not reached since {t}. It is tried again; nothing is lost. Opening needs it within the half hour. ({s})',
    'Kumbukumbu haifikiki tangu {t}. Inajaribiwa tena; hakuna kinachopotea. Kufungua kunaihitaji ndani ya nusu saa. ({s})'],
  gone: ['The program on this machine does not answer. What you typed last may not be kept: leave this window open and start "hesabu read --page" again.',
    'Programu kwenye mashine hii haijibu. Ulichoandika mwisho huenda hakijahifadhiwa: acha dirisha hili wazi na uanzishe "hesabu read --page" tena.'],
  shut: ['This window is not the desk (any more). Open the newest address that the program told on its terminal.',
    'Dirisha hili si dawati (tena). Fungua anwani mpya kabisa iliyotolewa na programu.'],
  taken: ['This form does not need you any more: {s}. What you typed is not sealed.', 'Fomu hii haikuhitaji tena: {s}. Ulichoandika hakijafungwa.'],
  changed: ['A newer picture of this form has come: hold what you typed against it.', 'Picha mpya ya fomu hii imefika: linganisha ulichoandika nayo.'],
  'key.revoked': ['Your key is revoked: it reads no form any more. Go to your returning officer.', 'Ufunguo wako umefutwa: hausomi fomu tena. Nenda kwa msimamizi wako.'],
  'key.expired': ['Your key is not valid any more. Go to your returning officer.', 'Muda wa ufunguo wako umeisha. Nenda kwa msimamizi wako.'],
  'key.early': ['Your key is not valid yet.', 'Ufunguo wako bado haujaanza kutumika.'],
  'key.unknown': ['This log does not know your key yet. Go to your returning officer.', 'Kumbukumbu hii haijui ufunguo wako bado. Nenda kwa msimamizi wako.'],
  picture: ['Picture of the form, page {n} of {m}', 'Picha ya fomu, ukurasa {n} kati ya {m}'],
  pictureKeys: ['+ and - zoom, arrows move, r turns, 0 fits, page up and down change the page.', '+ na - hukuza, mishale husogeza, r huzungusha, 0 hutosheleza, page up na page down hubadilisha ukurasa.'],
  pictureNot: ['This picture cannot be shown here (it is no JPEG or PNG). Look at it with: hesabu read … --next', 'Picha hii haiwezi kuonyeshwa hapa (si JPEG wala PNG). Itazame kwa: hesabu read … --next'],
  zoomIn: ['Zoom in', 'Kuza'],
  zoomOut: ['Zoom out', 'Punguza'],
  turn: ['Turn', 'Zungusha'],
  fit: ['Fit', 'Tosheleza'],
  pageBefore: ['Page before', 'Ukurasa uliopita'],
  pageAfter: ['Page after', 'Ukurasa unaofuata'],
  kept: ['kept on this machine', 'imehifadhiwa kwenye mashine hii'],
  notKept: ['not kept yet', 'haijahifadhiwa bado'],
  digits: ['Digits only: - for blank, ? for what cannot be read', 'Tarakimu tu: - kwa tupu, ? kwa kisichosomeka'],
  failed: ['It was not done: {s}', 'Haikufanyika: {s}'],
} as const;

export type Word = keyof typeof words;
let column: 0 | 1 = 0;
const stored = 'hesabu-desk-language';

export function language(): 'en' | 'sw' {
  return column ? 'sw' : 'en';
}
export function speak(to: 'en' | 'sw'): void {
  column = to === 'sw' ? 1 : 0;
  document.documentElement.lang = to;
  localStorage.setItem(stored, to);
}
export function speakAsBefore(): void {
  const before = localStorage.getItem(stored) ?? navigator.language.slice(0, 2);
  speak(before === 'sw' ? 'sw' : 'en');
}
export function say(w: Word, fill: Record<string, string | number> = {}): string {
  return words[w][column].replace(/\{(\w+)\}/g, (_, k: string) => String(fill[k] ?? ''));
}
/** A word of the program's (a state, a mark); itself where there is none. */
export function sayOf(kind: string, word: string, fill: Record<string, string | number> = {}): string {
  const key = kind ? `${kind}.${word}` : word;
  return key in words ? say(key as Word, fill) : word;
}
