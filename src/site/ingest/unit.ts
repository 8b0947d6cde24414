// Units by UCUM (ucum.org, case-sensitive codes): checked and spelt one way at import, converted where a plan reads them.
import { UcumLhcUtils } from '@lhncbc/ucum-lhc';
import { IngestError } from './ingest-error.ts';

const ucum = UcumLhcUtils.getInstance();
const longestUnit = 64;
const largestCache = 2_000;
const normalised = new Map<string, string | undefined>();

/** The library looks names up in plain objects and takes these for units. */
const inheritedNames = Object.getOwnPropertyNames(Object.prototype);

/**
 * The UCUM code without annotations (they carry no meaning, and could carry a name), or undefined when it is no unit:
 * `{beats}/min` -> `/min`, `{score}` -> `1`, `mmHg` -> undefined.
 */
export function normaliseUnit(text: string): string | undefined {
  if (normalised.has(text)) return normalised.get(text);
  if (normalised.size >= largestCache) normalised.clear();
  const unit = checkUnit(text);
  normalised.set(text, unit);
  return unit;
}

function checkUnit(text: string): string | undefined {
  if (text === '' || text.length > longestUnit || !/^[!-~]+$/.test(text)) return undefined;
  const bare = text
    .replaceAll(/(^|[./(])\{[^{}]*\}/g, '$11')
    .replaceAll(/\{[^{}]*\}/g, '')
    .replace(/^1\//, '/');
  if (inheritedNames.some((name) => bare.includes(name))) return undefined;
  const found = ucum.validateUnitString(bare);
  if (found.status !== 'valid' || found.ucumCode === null || found.unit?.code === undefined) return undefined;
  return found.ucumCode;
}

/** Beyond what any instrument tells, and short of what binary fractions blur: 37.5 Cel and 99.5 [degF] become the same number. */
const convertedDigits = 12;

/**
 * `value` of unit `from` in unit `to`; the same unit leaves it untouched, bit by bit.
 * @throws IngestError UNIT_NOT_CONVERTIBLE when a unit is unknown or measures something else.
 */
export function convertUnit(value: number, from: string, to: string): number {
  if (from === to) return value;
  const source = normaliseUnit(from);
  const target = normaliseUnit(to);
  if (source !== undefined && source === target) return value;
  const converted =
    source === undefined || target === undefined ? null : ucum.convertUnitTo(source, value, target).toVal;
  if (converted === null || !Number.isFinite(converted)) {
    throw new IngestError('UNIT_NOT_CONVERTIBLE', 'a value cannot be converted to the wanted unit', {
      details: { expected: to, found: from },
    });
  }
  return Number(converted.toPrecision(convertedDigits));
}
