// The accounting for one patient as FHIR AuditEvents by the profiles of IHE Basic Audit Log Patterns: PrivacyDisclosure at the source, and
// the authorisation by consent. The log's own events claim neither: an update is made of many patients, and the profiles ask for one.

import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import {
  type Agent,
  agentType,
  agentTypes,
  discloseSubtype,
  type EntrySource,
  type FhirAuditEvent,
  objectEntity,
  ownSystem,
  patientEntity,
  siteDevice,
  sourceOf,
} from '#site/audit/index.ts';
import type { Disclosure, DisclosureAccount } from './disclosures.ts';

const balp = 'https://profiles.ihe.net/ITI/BALP';
const dcm = 'http://dicom.nema.org/resources/ontology/DCM';
const terminology = 'http://terminology.hl7.org/CodeSystem';

/** Two events for a disclosure that a known consent permitted, one for any other; oldest first. */
export function disclosureAuditEvents(account: DisclosureAccount, source: EntrySource): FhirAuditEvent[] {
  return account.disclosures.flatMap((disclosure) => {
    const one = { disclosure, source, subjectId: account.subjectId };
    return [
      ...(disclosure.consent === null ? [] : [authorisation(one, disclosure.consent)]),
      privacyDisclosure(one),
    ];
  });
}

interface OneDisclosure {
  readonly disclosure: Disclosure;
  readonly source: EntrySource;
  readonly subjectId: string;
}

function privacyDisclosure(one: OneDisclosure): FhirAuditEvent {
  const { disclosure, source, subjectId } = one;
  const { recipient, purpose, update } = disclosure;
  return {
    ...common(one, 'disclosure', 'IHE.BasicAudit.PrivacyDisclosure.Source'),
    type: { system: dcm, code: '110106', display: 'Export' },
    subtype: [discloseSubtype],
    action: 'R',
    recorded: disclosure.sentAt,
    agent: [
      {
        type: agentType(agentTypes.source),
        who: siteDevice(source),
        requestor: false,
        network: { address: `https://${source.origin}`, type: '5' },
      },
      {
        type: agentType(agentTypes.recipient),
        who: {
          type: 'Organization',
          identifier: { system: `${ownSystem}/key`, value: recipient.keyId },
          display: recipient.name,
        },
        requestor: false,
        network: { address: recipient.address, type: '5' },
      },
      approver(disclosure),
    ],
    entity: [
      patientEntity(subjectId),
      objectEntity('update', update.updateId, [
        ['kind', update.kind],
        ['round', String(update.round)],
        ['part', update.part],
      ]),
      objectEntity('plan', purpose.planDigest, [
        ['title', purpose.title],
        ['legalBasis', purpose.legalBasis],
      ]),
    ],
  };
}

function authorisation(one: OneDisclosure, consent: NonNullable<Disclosure['consent']>): FhirAuditEvent {
  const { disclosure, source, subjectId } = one;
  const device = siteDevice(source);
  return {
    ...common(one, 'consent', 'IHE.BasicAudit.AuthZconsent'),
    type: { system: dcm, code: '110113', display: 'Security Alert' },
    subtype: [{ system: `${balp}/CodeSystem/AuthZsubType`, code: 'AuthZ-Consent' }],
    action: 'E',
    recorded: disclosure.sentAt,
    agent: [
      {
        type: agentType(agentTypes.application),
        who: device,
        requestor: false,
        network: { address: `https://${source.origin}`, type: '5' },
      },
      { type: agentType(agentTypes.user), who: whoApproved(disclosure), requestor: true },
      {
        type: agentType({
          system: `${terminology}/v3-RoleClass`,
          code: 'PROV',
          display: 'healthcare provider',
        }),
        who: { type: 'Organization', identifier: { system: `${ownSystem}/audit-log`, value: source.origin } },
        requestor: false,
      },
      {
        type: agentType({
          system: `${terminology}/extra-security-role-type`,
          code: 'authserver',
          display: 'authorization server',
        }),
        who: device,
        requestor: false,
      },
    ],
    entity: [
      patientEntity(subjectId),
      {
        what: {
          identifier: { system: `${ownSystem}/consent`, value: `${consent.consentId}/${consent.version}` },
        },
        type: { system: 'http://hl7.org/fhir/resource-types', code: 'Consent', display: 'Consent' },
      },
    ],
  };
}

function common({ disclosure, source, subjectId }: OneDisclosure, what: string, profile: string) {
  const { updateId } = disclosure.update;
  const id = sha256Hex(utf8(`${source.origin}\n${subjectId}\n${updateId}\n${what}`)).slice(0, 48);
  return {
    resourceType: 'AuditEvent',
    id,
    meta: {
      profile: [`${balp}/StructureDefinition/${profile}`],
      tag: [{ system: `${ownSystem}/${what}`, code: id }],
    },
    outcome: '0',
    purposeOfEvent: disclosure.purpose.purposes.map((code) => ({
      coding: [{ system: `${terminology}/v3-ActReason`, code }],
    })),
    source: sourceOf(source),
  } as const;
}

function approver(disclosure: Disclosure): Agent {
  const { approval } = disclosure;
  const meaning = approval === null ? {} : { policy: [`urn:sha256:${approval.reportDigest}`] };
  return { type: agentType(agentTypes.user), who: whoApproved(disclosure), requestor: true, ...meaning };
}

function whoApproved({ approval }: Disclosure): Agent['who'] {
  return { type: 'Practitioner', display: approval?.person ?? 'nobody' };
}
