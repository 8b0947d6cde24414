// Elements of a CDA document (HL7 CDA R2, namespace urn:hl7-org:v3): found by name, read by data type (HL7 v3 datatypes R1).
import {
  type CodedValue,
  codedFactValue,
  type FactKind,
  type FactValue,
  RowRefusal,
} from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { preferCoding } from './code-system.ts';
import { readCode, readNumber, type StatedTime } from './field-value.ts';
import { systemOfOid } from './hl7-code-system.ts';
import { readHl7Time } from './hl7-time.ts';
import { readSourceUnit } from './unit-spelling.ts';
import type { XmlElement } from './xml-document.ts';

export const cdaNamespace = 'urn:hl7-org:v3';
/** Extensions of the standard's own committee. */
export const sdtcNamespace = 'urn:hl7-org:sdtc';
const typeAttribute = '{http://www.w3.org/2001/XMLSchema-instance}type';

export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((child) => child.name === name && child.namespace === cdaNamespace) ?? [];
}

/** The first element at the end of a path of names. */
export function descend(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => childrenOf(at, name)[0], element);
}

export function hasTemplate(element: XmlElement, roots: ReadonlySet<string>): boolean {
  return childrenOf(element, 'templateId').some(({ attributes }) => roots.has(attributes.get('root') ?? ''));
}

/** Stated to be unknown, not there or not asked. */
export function isNull(element: XmlElement | undefined): boolean {
  return element?.attributes.has('nullFlavor') ?? false;
}

/** Data type that the element states, without its prefix. */
export function typeOf(element: XmlElement): string {
  return (element.attributes.get(typeAttribute) ?? '').replace(/^.*:/, '');
}

/** The codings of a concept: its code and the translations of it, as they are written. @throws RowRefusal BAD_CODE. */
export function readCodings(element: XmlElement | undefined, field: string): CodedValue[] {
  const codings = element === undefined ? [] : [element, ...childrenOf(element, 'translation')];
  return codings.flatMap(({ attributes }) => {
    const [code, oid] = [attributes.get('code'), attributes.get('codeSystem')];
    if (code === undefined || oid === undefined) return [];
    return [{ system: systemOfOid(oid, `${field}.codeSystem`), code }];
  });
}

/** The code or the translation of it that is wanted. @throws RowRefusal MISSING_FIELD, BAD_CODE. */
export function readConcept(
  element: XmlElement | undefined,
  field: string,
  kind: FactKind = 'measurement',
): CodedValue {
  const chosen = preferCoding(readCodings(element, field), kind);
  if (chosen === undefined) throw new RowRefusal('MISSING_FIELD', field);
  return { system: chosen.system, code: readCode(chosen.code, `${field}.code`) };
}

export interface StatedInterval extends StatedTime {
  readonly endDay: number | null;
}

/** A point or an interval of time; undefined where none is stated. @throws RowRefusal BAD_DATE. */
export function readInterval(element: XmlElement | undefined, zone: TimeZone): StatedInterval | undefined {
  const stated = (part: XmlElement | undefined): string | undefined =>
    isNull(part) ? undefined : part?.attributes.get('value')?.trim();
  const start = stated(element) ?? stated(descend(element, 'low')) ?? stated(descend(element, 'center'));
  if (start === undefined || start === '') return undefined;
  const end = stated(descend(element, 'high'));
  const from = readHl7Time(start, 'effectiveTime', zone);
  const endDay = end === undefined || end === '' ? null : readHl7Time(end, 'effectiveTime.high', zone).day;
  // An end before the start is none.
  return { ...from, endDay: endDay !== null && endDay < from.day ? null : endDay };
}

/** The first of several that states a time. @throws RowRefusal MISSING_FIELD, BAD_DATE. */
export function readTime(elements: readonly (XmlElement | undefined)[], zone: TimeZone): StatedInterval {
  for (const element of elements) {
    const stated = readInterval(element, zone);
    if (stated !== undefined) return stated;
  }
  throw new RowRefusal('MISSING_FIELD', 'effectiveTime');
}

/** A `value`, null where it is stated to be unknown. @throws RowRefusal. */
export function readValue(element: XmlElement): FactValue | null {
  const type = typeOf(element);
  const isCoded = ['CD', 'CE', 'CO', 'CV', 'CS'].includes(type);
  if (isNull(element) && !(isCoded && childrenOf(element, 'translation').length > 0)) return null;
  if (isCoded) return codedFactValue(readConcept(element, 'value'));
  const text = element.attributes.get('value');
  const required = (): string => {
    if (text === undefined || text === '') throw new RowRefusal('MISSING_FIELD', 'value');
    return text;
  };
  switch (type) {
    case 'PQ':
      return {
        number: readNumber(required(), 'value'),
        unit: readSourceUnit(element.attributes.get('unit') ?? '', 'value.unit'),
      };
    case 'INT':
    case 'REAL':
      return { number: readNumber(required(), 'value'), unit: '1' };
    case 'BL':
      if (!['true', 'false'].includes(required())) throw new RowRefusal('BAD_VALUE', 'value');
      return { number: text === 'true' ? 1 : 0, unit: null };
    default:
      // Text, ratios, and intervals: `< 5` is no number that a model may take for 5.
      throw new RowRefusal('UNSUPPORTED_VALUE', 'value');
  }
}
