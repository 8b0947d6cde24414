// Ages by the HIPAA rule: above 89 is 90; a birth date leaves only the age on the day of the study (security.md D2, D4).
import { ageInYears, highestExactAge } from '../calendar-day.ts';
import type { DataSet } from './data-set.ts';
import { dayOf } from './dicom-date.ts';
import { textOf } from './element-text.ts';

const agePattern = /^(\d{1,3})([DWMY])$/;
const birthDate = 0x00100030;
/** Study, content, acquisition and creation dates: the first that is a day tells when the patient had the age. */
const examinationDates = [0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002a, 0x00080012];

/** The age as AS, capped; undefined where the text is no age. */
export function capAge(text: string): string | undefined {
  const parts = agePattern.exec(text.toUpperCase());
  if (parts === null) return undefined;
  const count = Number(parts[1]);
  return parts[2] === 'Y' && count > highestExactAge
    ? ageText(highestExactAge + 1)
    : ageText(count, parts[2]);
}

/** Age in whole years on the day of the examination; undefined where either date is missing. */
export function deriveAge(dataSet: DataSet): string | undefined {
  const birthDay = dayOf(textOf(dataSet, birthDate));
  if (birthDay === undefined) return undefined;
  for (const tag of examinationDates) {
    const day = dayOf(textOf(dataSet, tag));
    const age = day === undefined ? null : ageInYears(birthDay, day);
    if (age !== null) return ageText(age);
  }
  return undefined;
}

function ageText(count: number, unit = 'Y'): string {
  return `${String(count).padStart(3, '0')}${unit}`;
}
