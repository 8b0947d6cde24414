import type { AuditEvent } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { auditActions } from '#site/audit/audit-event.ts';
import { createEntry, hostileTexts, logSource } from '#support/audit-entries.ts';
import { fhirAuditEvent } from './fhir-audit-event.ts';

// FHIR R4 AuditEvent: elements, cardinalities and required bindings of http://hl7.org/fhir/R4/auditevent.html, as far as they are written.
const text = z.string().min(1);
const coding = z.strictObject({
  system: z.url(),
  code: z.string().regex(/^\S+( \S+)*$/),
  display: text.optional(),
});
const concept = z.strictObject({ coding: z.array(coding).min(1) });
const reference = z
  .strictObject({
    type: z.enum(['Patient', 'Practitioner', 'Device', 'Organization']).optional(),
    identifier: z.strictObject({ system: z.string(), value: text }).optional(),
    display: text.optional(),
  })
  .refine(({ identifier, display }) => identifier !== undefined || display !== undefined);
const auditEvent = z.strictObject({
  resourceType: z.literal('AuditEvent'),
  id: z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/),
  meta: z.strictObject({ profile: z.array(z.url()).optional(), tag: z.array(coding) }),
  type: coding,
  subtype: z.array(coding).min(1),
  action: z.enum(['C', 'R', 'U', 'D', 'E']),
  recorded: z.iso.datetime(),
  outcome: z.enum(['0', '4', '8', '12']),
  outcomeDesc: text.optional(),
  purposeOfEvent: z.array(concept).min(1).optional(),
  agent: z
    .array(
      z.strictObject({
        type: concept.optional(),
        role: z.array(concept).min(1).optional(),
        who: reference,
        name: text.optional(),
        requestor: z.boolean(),
      }),
    )
    .min(1),
  source: z.strictObject({ site: text, observer: reference, type: z.array(coding).min(1) }),
  entity: z
    .array(
      z.strictObject({
        what: reference,
        type: coding,
        role: coding.optional(),
        detail: z
          .array(z.strictObject({ type: text, valueString: text }))
          .min(1)
          .optional(),
      }),
    )
    .min(1),
});

/** Typed as R4 has it, checked as R4 has it, after a trip through a line of NDJSON. */
function read(...given: Parameters<typeof createEntry>) {
  const event: AuditEvent = structuredClone(fhirAuditEvent(createEntry(...given), logSource)) as AuditEvent;
  const line = JSON.stringify(event);
  expect(line).not.toContain('\n');
  return auditEvent.parse(JSON.parse(line));
}

describe('a FHIR AuditEvent', () => {
  it.each(auditActions)('of %s has what R4 requires, by a person and by the system', (action) => {
    for (const who of [
      {},
      { actor: 'system', role: null, object: null, researchStudyId: null, round: null },
    ]) {
      const event = read({ action, ...who });
      expect(event.agent.filter(({ requestor }) => requestor)).toHaveLength(1);
      expect(event.type.system).toBe('http://dicom.nema.org/resources/ontology/DCM');
    }
    read({ action, outcome: 'failed', reason: 'A_CODE' }, '{"count":1}');
  });

  it('says who did what to whom, when, why and with which outcome', () => {
    const event = read({ outcome: 'failed', reason: 'A_CODE' });
    expect(event).toMatchObject({
      type: { code: '110113' },
      action: 'U',
      recorded: '2026-11-21T08:00:00.123Z',
      outcome: '8',
      outcomeDesc: 'A_CODE',
      purposeOfEvent: [{ coding: [{ code: 'HRESCH' }] }],
      agent: [{ name: 'Dr Ada Steward', role: [{ coding: [{ code: 'steward' }] }] }, { requestor: false }],
      source: { observer: { type: 'Device', identifier: { value: logSource.origin } } },
    });
    expect(event.entity.map(({ what }) => what.identifier?.value)).toEqual([
      `https://${logSource.origin}/41`,
      'ABCDEF',
      'heart-disease',
    ]);
    expect(event.entity[1]).toMatchObject({ type: { code: '1' }, role: { code: '1' } });
  });

  it('of an update that leaves is a disclosure from the site to the consortium (BALP PrivacyDisclosure)', () => {
    const event = read(
      { action: 'update-sent', object: 'update:3f' },
      '{"bytes":1,"consortium":"Heart group"}',
    );
    expect(event).toMatchObject({ type: { code: '110106' }, action: 'R' });
    expect(event.subtype).toContainEqual(
      expect.objectContaining({
        system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
        code: 'disclose',
      }),
    );
    const agentOf = (code: string) => event.agent.filter(({ type }) => type?.coding[0]?.code === code);
    expect(agentOf('110153')).toHaveLength(1);
    expect(agentOf('110153')[0]?.who).toEqual(event.source.observer);
    expect(agentOf('110152')).toMatchObject([{ who: { display: 'Heart group' } }]);
    // No one patient stands behind it, so the profile itself is claimed only by the accounting for one of them.
    expect(event.meta.profile).toBeUndefined();
  });

  it('has the same id each time, and another for each entry and each log', () => {
    const id = (seq: number, origin = logSource.origin) =>
      fhirAuditEvent(createEntry({ seq }), { origin }).id;
    expect(id(7)).toBe(id(7));
    expect(new Set([id(7), id(8), id(7, 'consilium.example/site/other/log')]).size).toBe(3);
  });

  it.each(hostileTexts)('is valid whatever a name is: %j', (actor) => {
    expect(read({ actor, reason: actor }).agent[0]?.name).toBe(JSON.parse(JSON.stringify(actor)));
  });
});
