// The codes of the heart-disease research study (docs/heart-disease.md).
import type { Finding } from './patient.ts';

export const loinc = 'http://loinc.org';
export const heartSystem = 'https://consilium.example/fhir/CodeSystem/heart-disease';
export const researchStudyId = 'heart-disease';

export interface FindingCode {
  readonly system: string;
  readonly code: string;
  readonly display: string;
  readonly kind: 'quantity' | 'boolean' | 'coded';
  /** UCUM, for quantities. */
  readonly unit: string | null;
}

const quantity = (system: string, code: string, display: string, unit: string): FindingCode => ({
  system,
  code,
  display,
  kind: 'quantity',
  unit,
});
const other = (kind: 'boolean' | 'coded', code: string, display: string): FindingCode => ({
  system: heartSystem,
  code,
  display,
  kind,
  unit: null,
});

export const findingCodes: Readonly<Record<Finding, FindingCode>> = {
  trestbps: quantity(loinc, '8480-6', 'Systolic blood pressure', 'mm[Hg]'),
  chol: quantity(loinc, '2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma', 'mg/dL'),
  fbs: other('boolean', 'fasting-blood-sugar-above-120', 'Fasting blood sugar above 120 mg/dL'),
  thalach: quantity(heartSystem, 'maximum-heart-rate', 'Maximum heart rate under exercise', '/min'),
  exang: other('boolean', 'exercise-angina', 'Angina induced by exercise'),
  oldpeak: quantity(heartSystem, 'st-depression', 'ST depression under exercise relative to rest', 'mm'),
  cp: other('coded', 'chest-pain-type', 'Chest pain type'),
  restecg: other('coded', 'resting-ecg', 'Resting electrocardiogram'),
  grade: quantity(heartSystem, 'disease-grade', 'Vessels narrowed by more than half, grade of disease', '1'),
};

export const splitCode = other('coded', 'split', 'Part of the split a patient is in');
export const consentCode = other('coded', 'research-consent', 'Consent to the research study');
