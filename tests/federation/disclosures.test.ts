// What left of one patient is told for that patient (45 CFR 164.528), before and after a withdrawal, by role; as FHIR by the profiles of IHE
// BALP 1.1.4, whose rules are written down here in our own words.
import path from 'node:path';
import type { AuditEvent, AuditEventAgent } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { type Actor, type DisclosureAccount, disclosureAuditEvents } from '#site/site.ts';
import { openStore } from '#site/store/index.ts';
import {
  type AttackedFederation,
  researchStudyId,
  startAttackedFederation,
} from '#support/attacked-federation.ts';
import { refusalCode } from '#support/refusal-code.ts';

const auditor: Actor = { name: 'Olga Auditor', role: 'auditor' };
let federation: AttackedFederation;
let subjectId: string;
let patientName: string | null;

beforeAll(async () => {
  federation = await startAttackedFederation();
  for (let round = 1; round <= 2; round += 1) {
    await federation.openRound();
    await federation.finishRound();
  }
  const { site, person } = federation.cleveland;
  const page = { researchStudyId, decision: null, search: '', offset: 0, limit: 500 } as const;
  const found = site.consent
    .list(page, person)
    .rows.find((row) => site.consent.rounds(row.subjectId, person).some(({ part }) => part === 'training'));
  ({ subjectId, patientName } = found ?? { subjectId: '', patientName: null });
});
afterAll(() => federation.close());

const account = (
  actor: Actor = federation.cleveland.person,
  nameReason: 'complaint' | null = null,
): DisclosureAccount => federation.cleveland.site.audit.disclosures({ subjectId, nameReason }, actor);

describe('the accounting for a patient', () => {
  it('has every update that left: who got it, when, what it was, why, and who approved it', () => {
    const { disclosures } = account();
    expect(disclosures.map(({ update }) => [update.round, update.kind, update.part])).toEqual([
      [1, 'statistics', 'training'],
      [2, 'delta', 'training'],
    ]);
    const { person, site } = federation.cleveland;
    const [plan] = site.researchStudies();
    for (const { sentAt, receivedAt, recipient, update, purpose, approval, consent } of disclosures) {
      expect(Date.parse(sentAt)).toBeGreaterThan(Date.parse(approval?.decidedAt ?? ''));
      expect(Date.parse(receivedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(sentAt));
      expect(recipient).toMatchObject({ name: 'Attacked consortium', address: federation.url });
      expect(update.patientCount).toBeGreaterThan(0);
      expect(purpose).toMatchObject({ researchStudyId, title: plan?.title, planDigest: plan?.planDigest });
      expect(approval).toMatchObject({
        person: person.name,
        meaning: expect.stringContaining('approve that exactly this update leaves'),
      });
      expect(consent).toMatchObject({ version: 1 });
    }
  });

  it('is itself in the log, with how many and without whom', () => {
    const before = federation.cleveland.site.audit.list(
      { search: '', action: 'disclosures-shown', offset: 0, limit: 1 },
      auditor,
    ).total;
    account(auditor, 'complaint');
    const shown = federation.cleveland.site.audit.list(
      { search: '', action: 'disclosures-shown', offset: 0, limit: 1 },
      auditor,
    );
    expect(shown.total).toBe(before + 1);
    expect(shown.entries).toMatchObject([
      { actor: auditor.name, object: `subject:${subjectId}`, outcome: 'success' },
    ]);
    expect(JSON.parse(shown.entries[0]?.detail ?? '')).toEqual({
      disclosureCount: 2,
      isNameShown: true,
      nameReason: 'complaint',
    });
    expect(JSON.stringify(shown)).not.toContain(patientName ?? 'no name');
  });

  it.each([
    ['a steward', () => federation.cleveland.person, null, true],
    ['an auditor with a reason', () => auditor, 'complaint', true],
    ['an auditor without one', () => auditor, null, false],
    [
      'an admin, whatever the reason',
      () => ({ name: 'Ada Admin', role: 'admin' }) as const,
      'complaint',
      false,
    ],
  ] as const)('shows the name to %s: %s', (_who, actor, reason, isShown) => {
    expect(patientName).not.toBeNull();
    expect(account(actor(), reason).patient?.name ?? null).toBe(isShown ? patientName : null);
  });

  it('is refused for somebody who is not here', () => {
    const order = { subjectId: 'nobody', nameReason: null };
    expect(refusalCode(() => federation.cleveland.site.audit.disclosures(order, auditor))).toBe(
      'SUBJECT_UNKNOWN',
    );
  });
});

describe('the same as FHIR', () => {
  const dcm = 'http://dicom.nema.org/resources/ontology/DCM';
  const eventsOf = (profile: string): AuditEvent[] =>
    (
      structuredClone(disclosureAuditEvents(account(), federation.cleveland.site.audit)) as AuditEvent[]
    ).filter(({ meta }) =>
      meta?.profile?.includes(`https://profiles.ihe.net/ITI/BALP/StructureDefinition/${profile}`),
    );
  const agentsOf = (event: AuditEvent, system: string, code: string): AuditEventAgent[] =>
    event.agent.filter(({ type }) =>
      type?.coding?.some((coding) => coding.system === system && coding.code === code),
    );
  const entitiesOf = (event: AuditEvent, system: string, code: string) =>
    (event.entity ?? []).filter(({ type }) => type?.system === system && type.code === code);

  it('keeps the rules of IHE.BasicAudit.PrivacyDisclosure.Source', () => {
    const events = eventsOf('IHE.BasicAudit.PrivacyDisclosure.Source');
    expect(events).toHaveLength(2);
    for (const event of events) {
      expect(event.type).toMatchObject({ system: dcm, code: '110106' });
      const disclose = {
        system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
        code: 'disclose',
      };
      expect(event.subtype?.filter(({ code }) => code === 'disclose')).toMatchObject([disclose]);
      expect([event.action, event.outcome]).toEqual(['R', '0']);
      const [source, ...sources] = agentsOf(event, dcm, '110153');
      const [recipient, ...recipients] = agentsOf(event, dcm, '110152');
      expect([sources, recipients]).toEqual([[], []]);
      expect(source?.who).toEqual(event.source.observer);
      expect([source?.network?.address, recipient?.network?.address, recipient?.who]).not.toContain(
        undefined,
      );
      expect((event.entity ?? []).length).toBeGreaterThanOrEqual(2);
      const patients = entitiesOf(event, 'http://terminology.hl7.org/CodeSystem/audit-entity-type', '1');
      expect(patients).toMatchObject([
        {
          what: { type: 'Patient', identifier: { value: subjectId } },
          role: { system: 'http://terminology.hl7.org/CodeSystem/object-role', code: '1' },
        },
      ]);
    }
  });

  it('keeps the rules of IHE.BasicAudit.AuthZconsent', () => {
    const events = eventsOf('IHE.BasicAudit.AuthZconsent');
    expect(events).toHaveLength(2);
    for (const event of events) {
      expect(event.type).toMatchObject({ system: dcm, code: '110113' });
      expect(event.subtype).toMatchObject([
        { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType', code: 'AuthZ-Consent' },
      ]);
      expect([event.action, event.outcome]).toEqual(['E', '0']);
      const [client] = agentsOf(event, dcm, '110150');
      const [user] = agentsOf(event, 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP');
      const [organisation] = agentsOf(event, 'http://terminology.hl7.org/CodeSystem/v3-RoleClass', 'PROV');
      const [authorizer] = agentsOf(
        event,
        'http://terminology.hl7.org/CodeSystem/extra-security-role-type',
        'authserver',
      );
      expect(client?.network?.address).toBeDefined();
      expect([user?.requestor, organisation?.requestor, authorizer?.requestor]).toEqual([true, false, false]);
      expect(authorizer?.who).toEqual(event.source.observer);
      expect(event.entity).toHaveLength(2);
      expect(entitiesOf(event, 'http://terminology.hl7.org/CodeSystem/audit-entity-type', '1')).toHaveLength(
        1,
      );
      expect(entitiesOf(event, 'http://hl7.org/fhir/resource-types', 'Consent')[0]?.what).toBeDefined();
    }
  });

  it('names the patient by the pseudonym alone', () => {
    const text = JSON.stringify(disclosureAuditEvents(account(), federation.cleveland.site.audit));
    expect(text).toContain(subjectId);
    expect(text).not.toContain(patientName ?? 'no name');
  });
});

describe('A5: the log held against the store', () => {
  const verify = () => federation.cleveland.site.audit.verify(auditor);
  /** What somebody with the key of the store does; taken back afterwards. */
  const tampered = (sql: string) => {
    const { profile, keys } = federation.cleveland;
    const store = openStore({ file: path.join(profile, 'site.db'), key: keys.storeKey, clock: systemClock });
    try {
      store.prepare('PRAGMA foreign_keys = OFF').run();
      const updates = store.all(store.query.selectFrom('model_update').selectAll());
      const approvals = store.all(store.query.selectFrom('approval').selectAll());
      store.prepare(sql).run();
      const result = verify();
      store.prepare('DELETE FROM approval').run();
      store.prepare('DELETE FROM model_update').run();
      for (const row of updates) store.run(store.query.insertInto('model_update').values(row));
      for (const row of approvals) store.run(store.query.insertInto('approval').values(row));
      return result;
    } finally {
      store.close();
    }
  };
  const seqOf = (action: string): number =>
    federation.cleveland.site.audit.list({ search: '', action, offset: 0, limit: 9 }, auditor).entries.at(-1)
      ?.seq ?? -1;

  it.each([
    ['an approval taken out', 'DELETE FROM approval', 'RECORD_MISSING', 'update-approved'],
    ['an update taken out', 'DELETE FROM model_update', 'RECORD_MISSING', 'update-built'],
    [
      'an approval put in',
      `INSERT INTO approval SELECT 'planted', decision, person, envelope, decided_at FROM approval LIMIT 1`,
      'RECORD_NOT_LOGGED',
      null,
    ],
  ])('finds %s', (_what, sql, code, action) => {
    expect(verify().verified).toBe(true);
    const seq = action === null ? null : seqOf(action);
    expect(tampered(sql)).toMatchObject({ verified: false, problem: { code, seq } });
    expect(verify().verified).toBe(true);
  });
});

describe('after a withdrawal', () => {
  it('tells the same of what had left, and no name any more', async () => {
    const before = account().disclosures;
    const { site, person } = federation.cleveland;
    await site.consent.withdraw({ subjectId, researchStudyId: null }, person);
    const { patient, disclosures } = account();
    expect(patient).toBeNull();
    expect(disclosures).toEqual(before.map((disclosure) => ({ ...disclosure, consent: null })));
  });
});
