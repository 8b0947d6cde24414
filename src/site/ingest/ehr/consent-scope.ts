// What a FHIR consent is about (Consent.scope, R4 value set consent-scope): research, something else for certain, or nobody can tell.
import type { CodeableConcept } from './fhir-coding.ts';

const scopeSystem = 'http://terminology.hl7.org/CodeSystem/consentscope';
const otherScopes = new Set(['adr', 'patient-privacy', 'treatment']);

export type ConsentScope = 'research' | 'other' | 'unknown';

/** A code without its system counts: refusing it would lose what is denied. */
export function consentScopeOf(scope: CodeableConcept | undefined): ConsentScope {
  const codes = (scope?.coding ?? []).flatMap(({ system = scopeSystem, code = '' }) =>
    system === scopeSystem ? [code] : [],
  );
  if (codes.includes('research')) return 'research';
  return codes.some((code) => otherScopes.has(code)) ? 'other' : 'unknown';
}
