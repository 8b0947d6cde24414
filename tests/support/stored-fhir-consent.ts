// A FHIR consent as the evaluation finds it in the store of a site whose subject's days are not shifted.
import type { ConsentVersion } from '#site/consent/index.ts';
import { RowRefusal, recordIdentityOf, type SourceReplacement } from '#site/ingest/clinical-record.ts';
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
  const { consents, refusal } = readConsentRecord(resource, context);
  const [consent] = consents;
  if (consent === undefined) throw new Error('a consent');
  const { sourceId, onlyReplaces = false, replacement, ...version } = consent;
  // Nothing came before it here.
  if (onlyReplaces && refusal !== undefined) throw new RowRefusal(refusal.code, refusal.field);
  return { ...version, replacement: storedReplacement(sourceId, replacement), consentId, version: 1 };
}

/** With names as they are, where the store has their digests. */
function storedReplacement(sourceId: readonly string[], replacement: SourceReplacement | undefined) {
  const { names = [], replaces = [], givenBy = [] } = replacement ?? {};
  const texts = (all: readonly (readonly string[])[]): string[] => all.map((name) => JSON.stringify(name));
  return {
    names: texts([recordIdentityOf(sourceId).name, ...names]),
    replaces: texts(replaces),
    givenBy: givenBy.length === 0 ? null : givenBy.join(' '),
  };
}
