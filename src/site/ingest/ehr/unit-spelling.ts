// Common spellings of units in tables and messages, by their UCUM codes (ucum.org). FHIR states UCUM and gets no such help.
import { RowRefusal } from '../clinical-record.ts';
import { normaliseUnit } from '../unit.ts';

/** Compared without regard to case and surrounding spaces; none of them is another UCUM unit in any case. */
const spellings = new Map<string, string>([
  ['mmhg', 'mm[Hg]'],
  ['mm hg', 'mm[Hg]'],
  ['bpm', '/min'],
  ['beats/min', '/min'],
  ['breaths/min', '/min'],
  ['/minute', '/min'],
  ['percent', '%'],
  ['years', 'a'],
  ['year', 'a'],
  ['jahre', 'a'],
  ['months', 'mo'],
  ['weeks', 'wk'],
  ['days', 'd'],
  ['hours', 'h'],
  ['minutes', 'min'],
  ['seconds', 's'],
  ['°c', 'Cel'],
  ['degc', 'Cel'],
  ['celsius', 'Cel'],
  ['°f', '[degF]'],
  ['degf', '[degF]'],
  ['lb', '[lb_av]'],
  ['lbs', '[lb_av]'],
  ['inch', '[in_i]'],
  ['inches', '[in_i]'],
  ['kg/m²', 'kg/m2'],
  ['kg/m^2', 'kg/m2'],
  ['m²', 'm2'],
  ['iu/l', '[IU]/L'],
  ['iu/ml', '[IU]/mL'],
  ['miu/l', 'm[IU]/L'],
  ['µg/l', 'ug/L'],
  ['μg/l', 'ug/L'],
  ['mcg/l', 'ug/L'],
  ['µmol/l', 'umol/L'],
  ['μmol/l', 'umol/L'],
  ['10^3/ul', '10*3/uL'],
  ['10^3/µl', '10*3/uL'],
  ['k/ul', '10*3/uL'],
  ['10^6/ul', '10*6/uL'],
  ['10^9/l', '10*9/L'],
  ['10^12/l', '10*12/L'],
  ['ml/min/1.73m2', 'mL/min/{1.73_m2}'],
  ['ml/min/1.73 m2', 'mL/min/{1.73_m2}'],
  ['ratio', '1'],
  ['score', '1'],
]);

/** The UCUM unit of a text: as it stands, or of a common spelling; undefined when it is neither. */
export function unitOfSpelling(text: string): string | undefined {
  return normaliseUnit(text) ?? normaliseUnit(spellings.get(text.trim().toLowerCase()) ?? '');
}

/** @throws RowRefusal MISSING_UNIT, UNKNOWN_UNIT. */
export function readSourceUnit(text: string, field: string): string {
  if (text === '') throw new RowRefusal('MISSING_UNIT', field);
  const unit = unitOfSpelling(text);
  if (unit === undefined) throw new RowRefusal('UNKNOWN_UNIT', field);
  return unit;
}
