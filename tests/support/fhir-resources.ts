// FHIR resources as an export holds them.

/** One resource per line, as a Bulk Data export writes them. */
export function ndjson(...resources: readonly object[]): string {
  return resources.map((resource) => `${JSON.stringify(resource)}\n`).join('');
}

/** A consent of patient `p1` to research that permits everything, with what a test changes. */
export function researchConsent(change: object = {}) {
  return {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: { coding: [{ code: 'research' }] },
    patient: { reference: 'Patient/p1' },
    dateTime: '2020-05-05',
    provision: { provision: [{ type: 'permit' }] },
    ...change,
  };
}
