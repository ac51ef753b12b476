// SPDX-License-Identifier: AGPL-3.0-or-later
// The text in a form's QR code: spec/paper-codes.md, "Text".
export interface FormCode {
  form: string;
  station: string;
  contest: string;
  serial: string;
  page: string;
}

const SHAPE =
  /^(HESABU\/1 ([A-Z0-9]{1,4}) ([0-9]{1,18}) ([a-z0-9._-]{1,24}) ([0-9]{10}) ([1-9][0-9]*\/[1-9][0-9]*) [1-9][0-9]?x[1-5]) ([0-9]{2})$/;

/** ISO 7064 MOD 97-10 over bytes taken as digits of base 256. */
export function checkDigits(text: string): string {
  let r = 0;
  for (const c of new TextEncoder().encode(text)) r = (r * 256 + c) % 97;
  return String(98 - ((r * 100) % 97)).padStart(2, '0');
}

/** null: not a form's code. 'wrong': it is one, with wrong check digits. */
export function readFormCode(text: string): FormCode | 'wrong' | null {
  if (!text.startsWith('HESABU/1 ')) return null;
  const m = SHAPE.exec(text);
  if (!m || checkDigits(m[1]!) !== m[7]) return 'wrong';
  return { form: m[2]!, station: m[3]!, contest: m[4]!, serial: m[5]!, page: m[6]! };
}
