// A FHIR consent as the evaluation finds it in the store of a site whose subject's days are not shifted.
import type { ConsentVersion } from '#site/consent/index.ts';
import { FhirMedications } from '#site/ingest/ehr/fhir-medications.ts';
import { readConsentRecord } from '#site/ingest/ehr/fhir-unread-consent.ts';
import { openTimeZone } from '#site/ingest/time-zone.ts';

/** @throws RowRefusal as ingest does for a consent of which it keeps nothing. */
export function storedFhirConsent(resource: object, consentId = 'c1'): ConsentVersion {
  const context = {
    zone: openTimeZone('UTC'),
    fallbackId: null,
    patients: new Map(),
    medications: new FhirMedications(),
  };
  const [consent] = readConsentRecord(resource, context).consents;
  if (consent === undefined) throw new Error('a consent');
  const { sourceId: _, ...version } = consent;
  return { ...version, consentId, version: 1 };
}
