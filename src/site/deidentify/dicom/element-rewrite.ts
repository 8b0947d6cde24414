// What becomes of one element: the rule of the profile for its tag, and the rules for what no table names.
import { unnamedAction } from './beyond-table.ts';
import type { DicomElement, ValueElement } from './data-set.ts';
import { isEncapsulated, isSequence } from './data-set.ts';
import { shiftDateText } from './dicom-date.ts';
import { groupOf, vrOf } from './dictionary.ts';
import { dummyElement } from './dummy-value.ts';
import { asciiText, textElement } from './element-text.ts';
import { isCharacteristic, isNumberList, isUidList } from './kept-value.ts';
import { capAge } from './patient-age.ts';
import type { Rule } from './profile.ts';
import { keepKnownWords } from './safe-words.ts';
import type { UidMapper } from './uid-mapper.ts';

const pixelData = 0x7fe00010;

export interface RewriteContext {
  readonly rules: ReadonlyMap<number, Rule>;
  readonly mapUid: UidMapper;
  /** Stands in the place of the patient's name and identifiers. */
  readonly subjectId: string;
  /** Null: no date stays. */
  readonly offsetDays: number | null;
}

/** `inside`: the sequence stays and its items are to be rewritten. Null: the element goes. */
export type Rewritten = DicomElement | 'inside' | null;

/** VRs that name people, machines or places of a network: never kept because a table does not name the tag. */
const neverKept = new Set(['AE', 'PN', 'UR']);

/** Rewrites a public element. Private ones are the caller's. */
export function rewriteElement(element: DicomElement, context: RewriteContext): Rewritten {
  const rule = context.rules.get(element.tag);
  if (rule !== undefined) return applyRule(element, rule, context);
  return hasNoPlace(element.tag) ? null : rewriteUnnamed(element, context);
}

/** Groups that go whole: command and file meta elements, curves, overlays; and group lengths, which would be wrong. */
function hasNoPlace(tag: number): boolean {
  const group = groupOf(tag);
  return group < 4 || (tag & 0xffff) === 0 || (group >= 0x5000 && group < 0x5100) || group >>> 8 === 0x60;
}

function rewriteUnnamed(element: DicomElement, { offsetDays, mapUid }: RewriteContext): Rewritten {
  if (isEncapsulated(element)) return element.tag === pixelData ? element : null;
  if (isSequence(element)) return 'inside';
  const vr = vrOf(element.tag);
  // Unknown to the dictionary, or a sequence that was not read as one: nobody can say what it holds.
  if (vr === 'UN' || vr === 'SQ' || neverKept.has(vr) || neverKept.has(element.vr)) return null;
  const action = unnamedAction(element.tag);
  if (action === 'remove') return null;
  if (action === 'uid') return mappedUids(element, mapUid);
  const { bytes } = element;
  switch (element.vr) {
    case 'UI':
      return isUidList(bytes) ? element : null;
    case 'DS':
    case 'IS':
      return isNumberList(bytes) ? element : null;
    case 'AS':
      return withText(element, capAge(asciiText(bytes)));
    case 'DA':
    case 'DT':
      return offsetDays === null ? null : withText(element, shiftedText(element, element.vr, offsetDays));
    case 'TM':
      return withText(element, shiftedText(element, 'TM', 0));
    case 'UN':
      return bytes.length === 0 ? element : null;
    default:
      return element;
  }
}

function applyRule(element: DicomElement, rule: Rule, context: RewriteContext): Rewritten {
  const { tag } = element;
  const value = 'bytes' in element ? element : undefined;
  switch (rule.action) {
    case 'remove':
      return null;
    case 'empty':
    case 'dummy':
      return without(element, rule.action);
    case 'keep':
      return element.vr === 'UN' || element.vr === 'SQ' ? without(element, rule.otherwise) : element;
    case 'inside':
      return isSequence(element) ? 'inside' : without(element, rule.otherwise);
    case 'subject':
      return textElement(tag, statedVr(element), context.subjectId);
    case 'uid':
      return value === undefined ? null : mappedUids(value, context.mapUid);
    case 'characteristic':
      return (value && keptCharacteristic(value)) ?? without(element, rule.otherwise);
    case 'describe':
      return (value && withText(value, keepKnownWords(value.bytes))) ?? without(element, rule.otherwise);
    case 'date':
      return (value && movedDate(value, context.offsetDays ?? 0)) ?? without(element, rule.otherwise);
  }
}

/** A value without original content. A VR that the file states falsely is replaced by the dictionary's. */
function without(element: DicomElement, action: Rule['otherwise']): DicomElement | null {
  if (action === 'remove') return null;
  const vr = statedVr(element);
  if (action === 'dummy') return dummyElement(element.tag, vr);
  return vr === 'SQ'
    ? { tag: element.tag, vr, items: [] }
    : { tag: element.tag, vr, bytes: new Uint8Array() };
}

function statedVr(element: DicomElement): string {
  const known = vrOf(element.tag);
  return known === 'UN' ? element.vr : known;
}

function mappedUids(element: ValueElement, mapUid: UidMapper): ValueElement {
  const uids = asciiText(element.bytes).split('\\');
  const mapped = uids.map((uid) => (uid.trim() === '' ? '' : mapUid(uid.trim())));
  return textElement(element.tag, 'UI', mapped.join('\\'));
}

function keptCharacteristic(element: ValueElement): ValueElement | null {
  if (element.vr === 'UN' || !isCharacteristic(element.tag, element.bytes)) return null;
  return vrOf(element.tag) === 'AS' ? withText(element, capAge(asciiText(element.bytes))) : element;
}

function movedDate(element: ValueElement, offsetDays: number): ValueElement | null {
  const vr = vrOf(element.tag);
  if (vr === 'SH') return /^[+-]\d{4}$/.test(asciiText(element.bytes)) ? element : null;
  return withText({ ...element, vr }, shiftedText(element, vr, offsetDays));
}

function shiftedText(element: ValueElement, vr: string, offsetDays: number): string | undefined {
  return shiftDateText(asciiText(element.bytes), vr, offsetDays);
}

function withText({ tag, vr }: ValueElement, text: string | undefined): ValueElement | null {
  return text === undefined ? null : textElement(tag, vr, text);
}
