// An object that holds every attribute of the confidentiality profile at the top and inside items of items, each with a value of its
// own, and a judge that says what became of one of them: the words of the table's test, not the code's.
import {
  type DataSet,
  type DicomElement,
  findElement,
  isEncapsulated,
  isSequence,
  tagOf,
  vrOf,
} from '#site/deidentify/index.ts';
import { dataSet, element, mrSlice } from './dicom-object.ts';

/** Two sequences that the profile does not name: what stands in them is at depth 2. */
export const outerSequence = 0x00081115;
export const innerSequence = 0x0008114a;

export type Outcome =
  | 'absent'
  | 'empty'
  | 'dummy'
  | 'new-uid'
  | 'uids-replaced-inside'
  | 'unchanged'
  | 'shifted-date'
  | 'cleaned';

const characteristics: Readonly<Record<number, string>> = {
  1048640: 'F',
  1052688: '045Y',
  1052704: '1.71',
  1052720: '70.5',
  1057120: 'ASIAN',
  1057184: 'NO',
  1057283: 'UNALTERED',
  7471199: '045Y',
};

/** A tag for a row of the table, which may stand for many: `(60XX,3000)` or an odd group. */
export function exampleTag(pattern: string): number {
  const digits = pattern.replaceAll(/[(),]/g, '').toLowerCase();
  if (digits.includes('odd')) return 0x00091010;
  return tagOf(
    Number.parseInt(digits.slice(0, 4).replaceAll('x', '0'), 16),
    Number.parseInt(digits.slice(4, 8).replaceAll('xxxx', '3000'), 16),
  );
}

/** The value that is planted: valid for its VR, different at each place. */
export function plantedElement(tag: number, place: number): DicomElement {
  const vr = tag === 0x00091010 ? 'UN' : vrOf(tag);
  const mark = `${tag.toString(16)}x${place}`;
  const characteristic = characteristics[tag];
  if (characteristic !== undefined) return element(tag, characteristic, vr);
  switch (vr) {
    case 'SQ': {
      const name = element(0x00080104, `Secret${mark}`);
      return element(tag, [dataSet(name, element(0x00081155, `1.9.${tag}.${place}`))], vr);
    }
    case 'DA':
      return element(tag, '20190403', vr);
    case 'DT':
      return element(tag, '20190403101112.000+0100', vr);
    case 'TM':
      return element(tag, '101112', vr);
    case 'UI':
      return element(tag, `1.9.${tag}.${place}`, vr);
    case 'DS':
    case 'IS':
      return element(tag, '1234567', vr);
    case 'AS':
      return element(tag, '045Y', vr);
    case 'US':
      return element(tag, [1], vr);
    case 'CS':
    case 'AE':
      return element(tag, `P${mark}`.toUpperCase(), vr);
    default:
      return element(tag, tag === 0x00080201 ? '+0100' : `Secret${mark}`, vr);
  }
}

/** Every tag at the top and, planted anew, two items deep. */
export function profileObject(tags: readonly number[]): DataSet {
  const deep = dataSet(...tags.map((tag) => plantedElement(tag, 2)));
  return dataSet(
    ...mrSlice().elements,
    ...tags.map((tag) => plantedElement(tag, 1)),
    element(outerSequence, [dataSet(element(innerSequence, [deep]))], 'SQ'),
  );
}

/** What stands two items deep. */
export function deepSet(object: DataSet): DataSet {
  const inner = (source: DataSet, tag: number): DataSet => {
    const found = findElement(source, tag);
    return (found !== undefined && isSequence(found) ? found.items[0] : undefined) ?? dataSet();
  };
  return inner(inner(object, outerSequence), innerSequence);
}

/** What became of a planted element, in the words that a test may accept. More than one word may fit. */
export function outcomesOf(before: DicomElement, after: DicomElement | undefined): Set<Outcome> {
  if (after === undefined) return new Set(['absent']);
  if (isEncapsulated(before) || isEncapsulated(after)) return new Set();
  if (isSequence(before)) return sequenceOutcomes(before.items, after);
  if (isSequence(after)) return new Set();
  const [was, is] = [text(before.bytes), text(after.bytes)];
  if (is === '') return new Set(['empty']);
  if (was === is)
    return new Set(
      before.vr === 'TM' || before.tag === 0x00080201 ? ['unchanged', 'shifted-date'] : ['unchanged'],
    );
  const outcomes = new Set<Outcome>(['dummy', 'cleaned']);
  if (isUid(is)) outcomes.add('new-uid');
  if ((before.vr === 'DA' || before.vr === 'DT') && is.length === was.length) {
    if (is.slice(8) === was.slice(8) && dayOf(is) - dayOf(was) === plantedOffsetDays)
      outcomes.add('shifted-date');
  }
  return outcomes;
}

/** The offset that tests de-identify with. */
export const plantedOffsetDays = -123;

function sequenceOutcomes(items: readonly DataSet[], after: DicomElement): Set<Outcome> {
  if (!isSequence(after)) return new Set();
  if (after.items.length === 0) return new Set(['empty']);
  const was = items.flatMap(leaves);
  const is = after.items.flatMap(leaves);
  const kept = is.filter((leaf) => was.includes(leaf));
  if (kept.length === 0) return new Set(['dummy', 'cleaned']);
  const isReplaced = is.some((leaf) => isUid(leaf)) && kept.every((leaf) => !isUid(leaf));
  return new Set(isReplaced ? ['uids-replaced-inside'] : ['unchanged']);
}

function leaves({ elements }: DataSet): string[] {
  return elements.flatMap((each) => {
    if (isSequence(each)) return each.items.flatMap(leaves);
    return isEncapsulated(each) ? [] : [text(each.bytes)];
  });
}

function isUid(value: string): boolean {
  return value.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(value);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0 ]+$/, '');
}

function dayOf(value: string): number {
  return (
    Date.UTC(Number(value.slice(0, 4)), Number(value.slice(4, 6)) - 1, Number(value.slice(6, 8))) / 86_400_000
  );
}
