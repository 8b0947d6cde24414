// What a column of a hospital's own CSV may mean, by its name (English and German): a suggestion that a person confirms.
import type { CodedValue } from '../clinical-record.ts';
import { loincSystem, snomedSystem } from './code-system.ts';

/** The same names as `columnRole` of the site contract. */
export type ColumnRole =
  | 'identifier'
  | 'name'
  | 'birth-date'
  | 'sex'
  | 'index-date'
  | 'quantity'
  | 'boolean'
  | 'coded'
  | 'consent'
  | 'ignore';

export interface ColumnMeaning {
  readonly role: ColumnRole;
  readonly code: (CodedValue & { readonly display: string }) | null;
  /** UCUM, where everybody measures it in that one unit. */
  readonly usualUnit: string | null;
}

const roleNames: readonly (readonly [ColumnRole, string])[] = [
  [
    'identifier',
    'id patient patientid patientnumber patientno pid mrn medicalrecordnumber number patientennummer patientennr patid pat patnr patientenid pseudonym subjectid fallnummer',
  ],
  [
    'name',
    'name patientname fullname firstname lastname givenname familyname surname vorname nachname familienname patientenname',
  ],
  ['birth-date', 'birthdate dateofbirth dob born birthday geburtsdatum gebdatum gebdat geburtstag geboren'],
  ['sex', 'sex gender geschlecht sexus administrativegender'],
  [
    'index-date',
    'date visit visitdate indexdate day datetime timestamp admission admissiondate examdate measuredat datum besuch besuchsdatum untersuchungsdatum aufnahme aufnahmedatum messdatum zeitpunkt',
  ],
  ['consent', 'consent researchconsent einwilligung forschungseinwilligung broadconsent zustimmung'],
];

const quantity = (code: string, display: string, names: string, usualUnit: string | null = null) => ({
  names,
  meaning: { role: 'quantity' as const, code: { system: loincSystem, code, display }, usualUnit },
});
const finding = (code: string, display: string, names: string) => ({
  names,
  meaning: { role: 'boolean' as const, code: { system: snomedSystem, code, display }, usualUnit: null },
});

const measured = [
  quantity(
    '8480-6',
    'Systolic blood pressure',
    'systolic sbp systolicbp sysbp bpsys rrsys systolicbloodpressure systolisch systolischerblutdruck trestbps',
    'mm[Hg]',
  ),
  quantity(
    '8462-4',
    'Diastolic blood pressure',
    'diastolic dbp diastolicbp diabp bpdia rrdia diastolicbloodpressure diastolisch diastolischerblutdruck',
    'mm[Hg]',
  ),
  quantity('8867-4', 'Heart rate', 'heartrate hr pulse pulserate puls herzfrequenz hf', '/min'),
  quantity('9279-1', 'Respiratory rate', 'respiratoryrate resprate rr breathingrate atemfrequenz af', '/min'),
  quantity('8310-5', 'Body temperature', 'temperature temp bodytemperature temperatur koerpertemperatur'),
  quantity(
    '59408-5',
    'Oxygen saturation',
    'spo2 oxygensaturation o2sat saettigung sauerstoffsaettigung',
    '%',
  ),
  quantity('29463-7', 'Body weight', 'weight bodyweight gewicht koerpergewicht'),
  quantity('8302-2', 'Body height', 'height bodyheight groesse koerpergroesse'),
  quantity('39156-5', 'Body mass index', 'bmi bodymassindex', 'kg/m2'),
  quantity(
    '2093-3',
    'Cholesterol in serum or plasma',
    'chol cholesterol totalcholesterol cholesterin gesamtcholesterin',
  ),
  quantity('2085-9', 'HDL cholesterol', 'hdl hdlc hdlcholesterol hdlcholesterin'),
  quantity('13457-7', 'LDL cholesterol, calculated', 'ldl ldlc ldlcholesterol ldlcholesterin'),
  quantity('2571-8', 'Triglyceride', 'triglycerides triglyceride tg triglyzeride'),
  quantity('2345-7', 'Glucose in serum or plasma', 'glucose bloodglucose glukose blutzucker bz'),
  quantity('4548-4', 'Hemoglobin A1c', 'hba1c a1c'),
  quantity('2160-0', 'Creatinine', 'creatinine crea kreatinin krea serumcreatinine'),
  quantity('33914-3', 'Estimated GFR (MDRD)', 'egfr gfr'),
  quantity('718-7', 'Hemoglobin', 'hemoglobin haemoglobin hb hgb haemoglobinwert'),
  quantity('4544-3', 'Hematocrit', 'hematocrit haematocrit hct hkt haematokrit', '%'),
  quantity('6690-2', 'Leukocytes', 'wbc leukocytes leukozyten leukos'),
  quantity('777-3', 'Platelets', 'platelets plt thrombozyten thrombos'),
  quantity('2951-2', 'Sodium', 'sodium na natrium'),
  quantity('2823-3', 'Potassium', 'potassium k kalium'),
  quantity('1988-5', 'C reactive protein', 'crp creactiveprotein creaktivesprotein'),
  finding('73211009', 'Diabetes mellitus', 'diabetes diabetesmellitus dm zuckerkrankheit'),
  finding('38341003', 'Hypertension', 'hypertension hypertonie bluthochdruck arteriellehypertonie'),
  finding('194828000', 'Angina', 'angina anginapectoris exang'),
  finding('77176002', 'Smoker', 'smoker smoking raucher rauchen'),
];

const meanings = new Map<string, ColumnMeaning>([
  ...roleNames.flatMap(([role, names]) =>
    names.split(' ').map((name) => [name, { role, code: null, usualUnit: null }] as const),
  ),
  ...measured.flatMap(({ names, meaning }) => names.split(' ').map((name) => [name, meaning] as const)),
]);

/** The meaning of a column's name without its unit, or undefined: `Körpergröße`, `sys_BP`, `Patient No.`. */
export function meaningOfName(name: string): ColumnMeaning | undefined {
  const plain = name
    .toLowerCase()
    .replaceAll('ä', 'ae')
    .replaceAll('ö', 'oe')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
    .replaceAll(/[^a-z0-9]/g, '');
  return meanings.get(plain);
}

/** Column name -> name and unit: `chol (mg/dL)`, `Gewicht [kg]`. */
export function splitUnit(name: string): { readonly name: string; readonly unit: string | null } {
  const found = /^(.*?)\s*(?:\(([^()]{1,40})\)|\[(.{1,40})\])$/.exec(name);
  return found === null
    ? { name, unit: null }
    : { name: found[1] ?? name, unit: found[2] ?? found[3] ?? null };
}

export const sexWords: Readonly<Record<string, 'male' | 'female' | 'other' | 'unknown'>> = {
  m: 'male',
  male: 'male',
  mann: 'male',
  männlich: 'male',
  f: 'female',
  female: 'female',
  w: 'female',
  frau: 'female',
  weiblich: 'female',
  d: 'other',
  x: 'other',
  other: 'other',
  divers: 'other',
  u: 'unknown',
  unknown: 'unknown',
  unbekannt: 'unknown',
};
export const booleanWords: Readonly<Record<string, boolean>> = {
  '1': true,
  y: true,
  yes: true,
  true: true,
  ja: true,
  j: true,
  pos: true,
  positive: true,
  positiv: true,
  '0': false,
  n: false,
  no: false,
  false: false,
  nein: false,
  neg: false,
  negative: false,
  negativ: false,
};
export const consentWords: Readonly<Record<string, 'permit' | 'deny'>> = {
  yes: 'permit',
  ja: 'permit',
  given: 'permit',
  permit: 'permit',
  active: 'permit',
  erteilt: 'permit',
  zugestimmt: 'permit',
  '1': 'permit',
  no: 'deny',
  nein: 'deny',
  refused: 'deny',
  deny: 'deny',
  denied: 'deny',
  withdrawn: 'deny',
  verweigert: 'deny',
  abgelehnt: 'deny',
  widerrufen: 'deny',
  '0': 'deny',
};
export const missingWords = ['-', '?', 'NA', 'N/A', 'n/a', 'NULL', 'null', '.', 'k.A.'];
