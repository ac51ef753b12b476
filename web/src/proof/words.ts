// SPDX-License-Identifier: AGPL-3.0-or-later
// What checking says, in English and Swahili.
const words = {
  verifyHere: ['Verify here', 'Hakiki hapa'],
  verifying: ['Checking…', 'Inahakikiwa…'],
  again: ['Check again', 'Hakiki tena'],
  // verdicts
  valid: ['Valid', 'Halali'],
  invalid: ['Invalid', 'Si halali'],
  unknown: ['Could not tell', 'Haikuweza kubainika'],
  consistent: ['Its records are consistent', 'Rekodi zake zinapatana'],
  firstWrong: ['Not consistent. The first that is wrong: entry {n}', 'Hazipatani. Ya kwanza yenye kosa: rekodi {n}'],
  somethingWrong: ['Not consistent', 'Hazipatani'],
  means: [
    'Every record is signed by those who may sign it, stands in one log, and the published totals follow from them. This says nothing about whether the figures are true: paper and audits do.',
    'Kila rekodi imetiwa sahihi na wenye mamlaka, iko katika daftari moja, na jumla zilizochapishwa zinatokana nazo. Hii haisemi kama takwimu ni za kweli: karatasi na ukaguzi husema.',
  ],
  hereMeans: [
    'This record is in the log as its signers signed it, and their keys lead back to the commissioners. Whether a key had been revoked by then, only verifying everything shows.',
    'Rekodi hii iko katika daftari kama ilivyotiwa sahihi, na funguo za waliotia sahihi zinaanzia kwa makamishna. Kama ufunguo ulikuwa umefutwa, ni kuhakiki yote tu kunakoonyesha.',
  ],
  unknownMeans: [
    'Nothing wrong was found, but something was missing that is needed to be sure.',
    'Hakuna kosa lililopatikana, lakini kuna kitu kilichokosekana ili kuwa na uhakika.',
  ],
  invalidMeans: [
    'Save this page and what it names, and tell the commission, a party or an observer: it can be shown to a court.',
    'Hifadhi ukurasa huu na kinachotajwa, na uiarifu tume, chama au mwangalizi: unaweza kuonyeshwa mahakamani.',
  ],
  failed: ['This browser could not go on: {t}', 'Kivinjari hiki hakikuweza kuendelea: {t}'],
  // parts of a check
  inLog: ['In the log, as entry {n} of {size}', 'Iko katika daftari, rekodi {n} kati ya {size}'],
  witnesses: ['Witnesses: {n} of {m} have cosigned this log', 'Mashahidi: {n} kati ya {m} wametia sahihi daftari hili'],
  noWitnesses: [
    'No witnesses are named, so nothing shows that others are shown the same log',
    'Hakuna mashahidi waliotajwa, hivyo hakuna kinachoonyesha kwamba wengine wanaonyeshwa daftari hilohilo',
  ],
  quorum: ['a quorum', 'akidi imetimia'],
  noQuorum: ['no quorum yet', 'akidi bado'],
  signer: ['Signature of {name} ({role}): {state}', 'Sahihi ya {name} ({role}): {state}'],
  holds: ['holds', 'ni sahihi'],
  fails: ['DOES NOT HOLD', 'SI SAHIHI'],
  stateUnknown: ['could not be checked', 'haikuweza kuhakikiwa'],
  anchored: ['Checked against your pinned anchor', 'Imehakikiwa kwa nanga uliyobandika'],
  selfDeclared: [
    'Trust: the log’s own word for its keys. Pin the gazetted anchor to know whose log this is.',
    'Imani: neno la daftari lenyewe kuhusu funguo zake. Bandika nanga iliyochapishwa rasmi ili ujue daftari ni la nani.',
  ],
  content: ['What the record says', 'Rekodi inasema nini'],
  // everything
  title: ['Check it in this browser', 'Hakiki katika kivinjari hiki'],
  everything: ['Verify everything', 'Hakiki yote'],
  everythingMore: [
    'Reads the whole log from its first record, checks every signature, applies every record again, and compares the published totals. For a nation it takes minutes and some hundred megabytes.',
    'Husoma daftari lote kuanzia rekodi ya kwanza, hukagua kila sahihi, hutumia kila rekodi upya, na hulinganisha jumla zilizochapishwa. Kwa nchi nzima huchukua dakika kadhaa na megabaiti mia kadhaa.',
  ],
  lowest: ['The page of every polling centre too (slower)', 'Pamoja na ukurasa wa kila kituo (polepole zaidi)'],
  start: ['Start', 'Anza'],
  pause: ['Pause', 'Sitisha'],
  resume: ['Go on', 'Endelea'],
  cancel: ['Stop', 'Acha'],
  cancelled: ['Stopped. What was read is kept by the browser for the next time.', 'Imesimamishwa. Yaliyosomwa yamehifadhiwa na kivinjari kwa wakati ujao.'],
  progressEntries: ['{done} of {size} records read, {s} signatures checked, {r} a second', 'Rekodi {done} kati ya {size} zimesomwa, sahihi {s} zimekaguliwa, {r} kwa sekunde'],
  progressResults: ['Comparing published totals: {n} files', 'Inalinganisha jumla zilizochapishwa: faili {n}'],
  left: ['about {t} left', 'imebaki takriban {t}'],
  seconds: ['{n} s', 'sekunde {n}'],
  minutes: ['{n} min', 'dakika {n}'],
  checkedIn: ['{n} records, {s} signatures checked in {t}', 'Rekodi {n}, sahihi {s} zimekaguliwa kwa {t}'],
  results: ['{n} published files are what the records give', 'Faili {n} zilizochapishwa zinatokana na rekodi'],
  resultsDiffer: ['Published totals were not compared: {t}', 'Jumla zilizochapishwa hazikulinganishwa: {t}'],
  leftOut: ['{n} pages of polling centres were left out; the totals above them contain theirs', 'Kurasa {n} za vituo zimeachwa; jumla za juu yao zinazijumuisha'],
  times: ['{n} records have a time that does not fit the witnesses’', 'Rekodi {n} zina wakati usiolingana na wa mashahidi'],
  images: ['Images of forms are not read here; hesabu verify does that too', 'Picha za fomu hazisomwi hapa; hesabu verify huzisoma pia'],
  root: ['Root of the log', 'Mzizi wa daftari'],
  compareRoot: ['Compare it with a party’s or an observer’s: the same root is the same log.', 'Linganisha na wa chama au mwangalizi: mzizi uleule ni daftari lilelile.'],
  totals: ['Totals as computed here', 'Jumla kama zilivyohesabiwa hapa'],
  contest: ['Contest', 'Uchaguzi'],
  choice: ['Choice', 'Chaguo'],
  votes: ['Votes', 'Kura'],
  total_transmitted: ['transmitted', 'zilizotumwa'],
  refused: ['Records that may not stand in the log', 'Rekodi ambazo hazipaswi kuwa katika daftari'],
  entry: ['Entry', 'Rekodi'],
  // files
  file: ['A receipt, a proof, or a photo of a QR code', 'Risiti, uthibitisho, au picha ya msimbo wa QR'],
  fileMore: [
    'Drop a file here, or choose one. It is read on this device and sent nowhere.',
    'Weka faili hapa, au chagua moja. Inasomwa kwenye kifaa hiki na haitumwi popote.',
  ],
  choose: ['Choose a file or photo', 'Chagua faili au picha'],
  noCode: ['No QR code was found in this picture. Take it again: closer, flat, in good light.', 'Hakuna msimbo wa QR uliopatikana. Piga tena: karibu, wima, kwenye mwanga mzuri.'],
  tooLarge: ['This file is too large to be a receipt or a photo of a code.', 'Faili hii ni kubwa mno kuwa risiti au picha ya msimbo.'],
  givenHolds: ['Its own proof holds, under a checkpoint of {size} records that the log has signed', 'Uthibitisho wake ni sahihi, chini ya hatua ya rekodi {size} iliyotiwa sahihi na daftari'],
  givenSlip: ['The slip’s signature holds, and the log has this very record', 'Sahihi ya kijikaratasi ni sahihi, na daftari lina rekodi hiihii'],
  givenConsistent: ['The log shown today begins with the one of this file', 'Daftari linaloonyeshwa leo linaanza na lile la faili hii'],
  formCode: ['A form’s own code', 'Msimbo wa fomu'],
  formCodeMore: [
    'Form {form}, station {station}, contest {contest}, serial {serial}, page {page}. The code names the sheet; it proves nothing about its figures.',
    'Fomu {form}, kituo {station}, uchaguzi {contest}, nambari {serial}, ukurasa {page}. Msimbo hutaja karatasi; hauthibitishi takwimu zake.',
  ],
  formCodeBad: ['The check digits of this form’s code are wrong: it was misread, or is not one of this election’s forms.', 'Tarakimu za ukaguzi za msimbo huu si sahihi: umesomwa vibaya, au si fomu ya uchaguzi huu.'],
  openStation: ['Open this station', 'Fungua kituo hiki'],
  otherCode: ['This QR code is neither a slip nor a form of this system.', 'Msimbo huu wa QR si kijikaratasi wala fomu ya mfumo huu.'],
  // anchor
  anchor: ['Trust anchor', 'Nanga ya imani'],
  anchorMore: [
    'A small file with the log’s key, gazetted and printed on every form. Pinned here, this browser believes no other log.',
    'Faili ndogo yenye ufunguo wa daftari, iliyochapishwa rasmi na kwenye kila fomu. Ikibandikwa hapa, kivinjari hiki hakitaamini daftari lingine.',
  ],
  pin: ['Pin this anchor', 'Bandika nanga hii'],
  unpin: ['Remove the pin', 'Ondoa nanga'],
  pinned: ['Pinned', 'Imebandikwa'],
  notPinned: ['None is pinned.', 'Hakuna iliyobandikwa.'],
  fingerprint: ['Fingerprint', 'Alama ya utambulisho'],
  serverAnchor: ['Show the server’s own copy', 'Onyesha nakala ya seva'],
  serverAnchorMore: [
    'This is what the server says. Compare the fingerprint with the printed one before you pin it.',
    'Hivi ndivyo seva inavyosema. Linganisha alama na iliyochapishwa kabla ya kubandika.',
  ],
  anchorBad: ['Not a trust anchor: {t}', 'Si nanga ya imani: {t}'],
  anchorFile: ['Choose an anchor file', 'Chagua faili ya nanga'],
  // code
  code: ['Checked with code from this server', 'Imehakikiwa kwa msimbo kutoka kwa seva hii'],
  codeMore: [
    'A server that lies could send code that lies. Check with a copy of a party or observer too, or with hesabu verify on your own machine.',
    'Seva inayodanganya inaweza kutuma msimbo unaodanganya. Hakiki pia kwa nakala ya chama au mwangalizi, au kwa hesabu verify kwenye mashine yako.',
  ],
  moduleHash: ['SHA-256 of the module', 'SHA-256 ya moduli'],
  hashSame: ['as the manifest names it', 'kama inavyotajwa kwenye ilani'],
  hashOther: ['NOT the one that the manifest names', 'SI ile inayotajwa kwenye ilani'],
  hashNone: ['the manifest names none', 'ilani haitaji yoyote'],
  copies: ['Copies of others', 'Nakala za wengine'],
  notHere: ['This browser cannot run the checks (no WebAssembly, or it is switched off).', 'Kivinjari hiki hakiwezi kuendesha ukaguzi (hakuna WebAssembly, au imezimwa).'],
} as const;

export type ProofWord = keyof typeof words;
const sw = document.documentElement.lang === 'sw';

export function tell(w: ProofWord, fill: Record<string, string | number> = {}): string {
  return words[w][sw ? 1 : 0].replace(/\{(\w+)\}/g, (_, k: string) => String(fill[k] ?? ''));
}

const plain = new Intl.NumberFormat('en');
export const figure = (n: number): string => plain.format(n);

export function duration(s: number): string {
  return s < 90 ? tell('seconds', { n: Math.max(1, Math.round(s)) }) : tell('minutes', { n: Math.round(s / 60) });
}

const roles: Record<string, string> = {
  commissioner: 'kamishna',
  'national-returning-officer': 'msimamizi wa taifa wa uchaguzi',
  'returning-officer': 'msimamizi wa uchaguzi',
  'deputy-returning-officer': 'naibu msimamizi wa uchaguzi',
  'presiding-officer': 'afisa msimamizi wa kituo',
  'deputy-presiding-officer': 'naibu afisa msimamizi wa kituo',
  clerk: 'karani',
  machine: 'mashine',
  carrier: 'msafirishaji',
  party: 'chama',
  agent: 'wakala',
  candidate: 'mgombea',
  'observer-group': 'kundi la waangalizi',
  observer: 'mwangalizi',
  'audit-board': 'bodi ya ukaguzi',
};
export const roleOf = (role: string): string => (sw ? (roles[role] ?? role) : role.replace(/-/g, ' '));

const codes: Record<string, string> = {
  E_NETWORK: 'Seva haikufikiwa, au ilijibu vibaya.',
  E_TIMEOUT: 'Muda uliisha.',
  E_NOT_FOUND: 'Kinachohitajika hakikupatikana.',
  E_MEMORY: 'Kumbukumbu ya kivinjari haikutosha.',
  E_NOTE: 'Si waraka uliotiwa sahihi.',
  E_SIGNATURE: 'Sahihi haikuthibitika.',
  E_UNSIGNED: 'Hakuna sahihi ya ufunguo unaojulikana.',
  E_CHECKPOINT: 'Si hatua ya daftari.',
  E_ORIGIN: 'Ni ya daftari lingine.',
  E_TILE: 'Kipande cha daftari kimeharibika.',
  E_PROOF: 'Uthibitisho hausimami.',
  E_FORK: 'Hatua mbili za daftari moja zinapingana.',
  E_REWIND: 'Daftari linaonyesha rekodi chache kuliko lilizotia sahihi awali.',
  E_QUORUM: 'Mashahidi hawatoshi.',
  E_ANCHOR: 'Si nanga ya uaminifu inayotarajiwa.',
  E_ENTRY: 'Si ingizo la daftari la mfumo huu.',
  E_ELECTION: 'Ni rekodi ya uchaguzi mwingine.',
  E_SIGNER: 'Imetiwa sahihi kwa ufunguo usiojulikana hapa.',
  E_ROLE: 'Wadhifa wa aliyetia sahihi hauruhusu hili.',
  E_SCOPE: 'Nje ya eneo, uchaguzi au chama cha aliyetia sahihi.',
  E_REVOKED: 'Ufunguo uliotia sahihi umefutwa.',
  E_EXPIRED: 'Ufunguo uliotia sahihi haukuwa halali wakati huo.',
  E_THRESHOLD: 'Waliotia sahihi ni wachache kuliko wanaohitajika.',
  E_OBJECT: 'Faili si ile inayotajwa na alama yake.',
  E_OBJECT_MISSING: 'Faili inayohitajika haipo.',
  E_RESULTS: 'Jumla zilizochapishwa si zile zinazotokana na rekodi.',
};
/** What a code of the program means; null where its own sentence does. */
export const meaningOf = (code: string): string | null =>
  sw ? (codes[code] ?? 'Maelezo ya programu, kwa Kiingereza:') : null;
