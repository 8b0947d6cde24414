// Patients whose records are written in several formats and must mean the same in all of them (I10).

import { formatDay } from '#site/deidentify/index.ts';
import { openTimeZone } from '#site/ingest/index.ts';
import { seededRandom } from './seeded-random.ts';

const loinc = 'http://loinc.org';
const snomed = 'http://snomed.info/sct';
export const patientAuthority = 'https://hospital.example/patient-number';
export const hospitalZone = openTimeZone('Europe/Berlin');

export interface Measured {
  readonly name: 'systolic' | 'weight' | 'height' | 'temperature' | 'cholesterol' | 'grade';
  readonly code: string;
  /** Unit of the plan. */
  readonly unit: string;
  /** Another unit, and the text of a value of the plan's unit in it. */
  readonly otherUnit: string;
  readonly inOther: (value: number) => string;
}

const scaled = (factor: number) => (value: number) => String(Number((value * factor).toPrecision(12)));

export const measured: readonly Measured[] = [
  { name: 'systolic', code: '8480-6', unit: 'mm[Hg]', otherUnit: 'kPa', inOther: scaled(0.133322) },
  { name: 'weight', code: '29463-7', unit: 'kg', otherUnit: 'g', inOther: scaled(1_000) },
  { name: 'height', code: '8302-2', unit: 'cm', otherUnit: 'm', inOther: scaled(0.01) },
  {
    name: 'temperature',
    code: '8310-5',
    unit: 'Cel',
    otherUnit: '[degF]',
    inOther: (value) => scaled(1)(value * 1.8 + 32),
  },
  { name: 'cholesterol', code: '2093-3', unit: 'mg/dL', otherUnit: 'g/L', inOther: scaled(0.01) },
  { name: 'grade', code: '77465-5', unit: '1', otherUnit: '%', inOther: scaled(100) },
];

/** LOINC questions with SNOMED CT or yes-and-no answers. */
export const answered = { split: '81259-4', pain: '72514-3', angina: '88373-6' } as const;
export const answers = { train: '255299006', test: '272379006' } as const;
export const events = {
  condition: { system: snomed, code: '38341003' },
  medication: { system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '197361' },
  procedure: { system: snomed, code: '80146002' },
  encounter: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
} as const;
export const systems = { loinc, snomed } as const;

export interface SamePatient {
  readonly number: string;
  readonly given: string;
  readonly family: string;
  readonly born: string;
  readonly sex: 'male' | 'female';
  /** When it was measured; days in the hospital's own zone. */
  readonly atMs: number;
  readonly values: Readonly<Record<Measured['name'], number>>;
  readonly split: keyof typeof answers;
  readonly angina: boolean;
  /** SNOMED CT code of an answer. */
  readonly pain: string;
  /** `YYYY-MM-DD` */
  readonly visit: readonly [from: string, until: string];
  readonly drug: readonly [from: string, until: string];
  readonly onset: string;
  readonly operated: string;
}

export function createSamePatients(count: number): SamePatient[] {
  const random = seededRandom('one meaning');
  const upTo = (limit: number): number => Number(new DataView(random(4).buffer).getUint32(0)) % limit;
  const dayAfter = (start: number, days: number): string => formatDay(start + upTo(days));
  return Array.from({ length: count }, (_, index) => {
    const start = 18_200 + upTo(300);
    return {
      number: `00${4_711 + index * 13}`,
      given: `Given${index}`,
      family: `Fämily${index}`,
      born: dayAfter(-14_000, 9_000),
      sex: index % 2 === 0 ? ('male' as const) : ('female' as const),
      // Late in the evening of UTC: already the next day in the hospital.
      atMs: (start * 86_400 + 21 * 3_600 + upTo(3 * 3_600)) * 1_000,
      values: {
        systolic: 100 + upTo(80),
        weight: 50 + upTo(600) / 10,
        height: 150 + upTo(50),
        temperature: 36 + upTo(6) / 2,
        cholesterol: 120 + upTo(200),
        grade: upTo(4),
      },
      split: index % 4 === 3 ? ('test' as const) : ('train' as const),
      angina: upTo(2) === 1,
      pain: ['29857009', '194828000', '426396005'][upTo(3)] ?? '',
      visit: [formatDay(start - 2), formatDay(start + 3)] as const,
      drug: [formatDay(start - 30), formatDay(start - 1 + upTo(30))] as const,
      onset: dayAfter(start - 900, 800),
      operated: dayAfter(start - 300, 200),
    };
  });
}

/** An instant as ISO 8601 with an offset in hours. */
export function atOffset(ms: number, hours: number): string {
  const sign = hours < 0 ? '-' : '+';
  const local = new Date(ms + hours * 3_600_000).toISOString().slice(0, 19);
  return `${local}${sign}${String(Math.abs(hours)).padStart(2, '0')}:00`;
}

/** The hospital's own clock: `YYYY-MM-DD hh:mm:ss`. */
export function hospitalTime(ms: number): string {
  const { day, second } = hospitalZone.localTime(ms);
  return new Date(day * 86_400_000 + second * 1_000).toISOString().slice(0, 19).replace('T', ' ');
}

/** `YYYYMMDDhhmmss+hhmm` or `YYYYMMDD`. */
export function asHl7Time(iso: string): string {
  const [, time = '', offset = ''] = /^(.{10,19}?)([+-]\d\d:\d\d)?$/.exec(iso) ?? [];
  return time.replaceAll(/[-:T ]/g, '') + offset.replace(':', '');
}
