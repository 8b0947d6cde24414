// Dummies for action D: a value that its VR allows, that says nothing, and that is the same for everybody.
import { wordBytes } from './byte-order.ts';
import type { DataSet, DicomElement } from './data-set.ts';
import { asciiBytes, textElement } from './element-text.ts';

const dummyText = 'REMOVED';
const texts: Readonly<Record<string, string>> = {
  AS: '000D',
  DA: '19000101',
  DT: '19000101000000',
  DS: '0',
  IS: '0',
  TM: '000000',
  UI: '2.25.0',
  UR: 'about:blank',
};
/** The dummy of an element. A sequence gets one item that holds what its own items must, all of it dummies. */
export function dummyElement(tag: number, vr: string): DicomElement {
  if (vr === 'SQ') return { tag, vr, items: [dummyItem(tag)] };
  // A tag is two words.
  const byteCount = vr === 'AT' ? 4 : wordBytes[vr];
  if (byteCount !== undefined) return { tag, vr, bytes: new Uint8Array(byteCount) };
  return { tag, vr, bytes: asciiBytes(texts[vr] ?? dummyText) };
}

function dummyItem(tag: number): DataSet {
  const code = codeItem({ value: dummyText, scheme: '99CONSILIUM', meaning: dummyText });
  if (tag === 0x0040a073) return observerItem(code);
  if (tag === 0x0040a730) {
    return {
      elements: [
        textElement(0x0040a010, 'CS', 'CONTAINS'),
        textElement(0x0040a040, 'CS', 'TEXT'),
        { tag: 0x0040a043, vr: 'SQ', items: [code] },
        textElement(0x0040a160, 'UT', dummyText),
      ],
    };
  }
  if (tag === 0x00700001) return { elements: [textElement(0x00700002, 'CS', dummyText)] };
  if (tag === 0x00340001) return { elements: [dummyElement(0x00340002, 'OB')] };
  return code;
}

function observerItem(code: DataSet): DataSet {
  return {
    elements: [
      textElement(0x0040a027, 'LO', dummyText),
      textElement(0x0040a030, 'DT', texts.DT ?? ''),
      textElement(0x0040a075, 'PN', dummyText),
      { tag: 0x0040a088, vr: 'SQ', items: [code] },
    ],
  };
}

/** An item of a code sequence. */
export function codeItem(code: {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}): DataSet {
  return {
    elements: [
      textElement(0x00080100, 'SH', code.value),
      textElement(0x00080102, 'SH', code.scheme),
      textElement(0x00080104, 'LO', code.meaning),
    ],
  };
}
