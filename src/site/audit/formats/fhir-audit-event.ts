// An entry as a FHIR R4 AuditEvent, after the patterns of IHE Basic Audit Log Patterns (BALP 1.1). Names staff as the log does, and patients
// by the site's pseudonym alone.

import { utf8 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { eventCodeOf } from './event-code.ts';
import { type EntrySource, type ExportedEntry, leafUri, objectOf, outcomeCodes } from './exported-entry.ts';

const dcm = 'http://dicom.nema.org/resources/ontology/DCM';
const terminology = 'http://terminology.hl7.org/CodeSystem';
/** Of what this program names by itself. */
export const ownSystem = 'https://consilium.example/fhir';

export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

export interface Reference {
  readonly type?: string;
  readonly identifier?: { readonly system: string; readonly value: string };
  readonly display?: string;
}

export interface Agent {
  readonly type?: { readonly coding: readonly Coding[] };
  readonly role?: readonly { readonly coding: readonly Coding[] }[];
  readonly who: Reference;
  readonly name?: string;
  readonly requestor: boolean;
  readonly policy?: readonly string[];
  readonly network?: { readonly address: string; readonly type: '1' | '2' | '5' };
}

export interface Entity {
  readonly what: Reference;
  readonly type: Coding;
  readonly role?: Coding;
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

/** What of AuditEvent this program writes. */
export interface FhirAuditEvent {
  readonly resourceType: 'AuditEvent';
  readonly id: string;
  readonly meta: { readonly profile?: readonly string[]; readonly tag: readonly Coding[] };
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: string;
  readonly recorded: string;
  readonly outcome: string;
  readonly outcomeDesc?: string;
  readonly purposeOfEvent?: readonly { readonly coding: readonly Coding[] }[];
  readonly agent: readonly Agent[];
  readonly source: { readonly site: string; readonly observer: Reference; readonly type: readonly Coding[] };
  readonly entity: readonly Entity[];
}

/** HRESCH: why everything at a site that takes part in a research study is done with records. */
export const researchPurpose = [
  { coding: [{ system: `${terminology}/v3-ActReason`, code: 'HRESCH', display: 'healthcare research' }] },
] as const;

/** The site's program, which writes the log and is the source of every event. */
export function siteDevice({ origin }: EntrySource): Reference {
  return { type: 'Device', identifier: { system: `${ownSystem}/audit-log`, value: origin } };
}

export const agentTypes = {
  source: { system: dcm, code: '110153', display: 'Source Role ID' },
  recipient: { system: dcm, code: '110152', display: 'Destination Role ID' },
  application: { system: dcm, code: '110150', display: 'Application' },
  user: { system: `${terminology}/v3-ParticipationType`, code: 'IRCP', display: 'information recipient' },
} as const;

export function agentType(coding: Coding): { readonly coding: readonly Coding[] } {
  return { coding: [coding] };
}

/** One entry's event; its id is the same each time, so that a receiver knows one that comes again. */
export function fhirAuditEvent(entry: ExportedEntry, source: EntrySource): FhirAuditEvent {
  const { leaf } = entry;
  const { event, type, action } = eventCodeOf(leaf.action);
  const isDisclosure = leaf.action === 'update-sent';
  const observer = siteDevice(source);
  return {
    resourceType: 'AuditEvent',
    id: eventId(source, leaf.seq),
    meta: { tag: [leafTag(source, leaf.seq)] },
    type: { system: dcm, code: event.code, display: event.meaning },
    subtype: [
      ...(type === null ? [] : [{ system: dcm, code: type.code, display: type.meaning }]),
      ...(isDisclosure ? [discloseSubtype] : []),
      { system: `${ownSystem}/audit-action`, code: leaf.action },
    ],
    action,
    recorded: leaf.time,
    outcome: outcomeCodes[leaf.outcome],
    ...(leaf.reason === null ? {} : { outcomeDesc: leaf.reason }),
    ...(leaf.researchStudyId === null ? {} : { purposeOfEvent: researchPurpose }),
    agent: [...agentsOf(entry, observer), ...(isDisclosure ? disclosureAgents(entry, observer) : [])],
    source: sourceOf(source),
    entity: entitiesOf(entry, source),
  };
}

export const discloseSubtype: Coding = {
  system: `${terminology}/iso-21089-lifecycle`,
  code: 'disclose',
  display: 'Disclose Record Lifecycle Event',
};

export function sourceOf(source: EntrySource): FhirAuditEvent['source'] {
  return {
    site: source.origin,
    observer: siteDevice(source),
    type: [{ system: `${terminology}/security-source-type`, code: '4', display: 'Application Server' }],
  };
}

/** Id of 64 characters at most, as FHIR has it: the log's digest and the entry's place. */
export function eventId({ origin }: EntrySource, seq: number, suffix = ''): string {
  return `${sha256Hex(utf8(origin)).slice(0, 32)}-${seq}${suffix}`;
}

/** Names the entry for a search (`_tag`), also where a server gives ids of its own. */
export function leafTag(source: EntrySource, seq: number): Coding {
  return { system: `${ownSystem}/audit-leaf`, code: eventId(source, seq) };
}

function agentsOf({ leaf }: ExportedEntry, observer: Reference): Agent[] {
  if (leaf.role === null && leaf.actor === 'system') {
    return [{ type: agentType(agentTypes.application), who: observer, requestor: true }];
  }
  const role =
    leaf.role === null ? {} : { role: [{ coding: [{ system: `${ownSystem}/role`, code: leaf.role }] }] };
  return [
    {
      type: agentType(agentTypes.user),
      ...role,
      who: { type: 'Practitioner', display: leaf.actor },
      name: leaf.actor,
      requestor: true,
    },
    { type: agentType(agentTypes.application), who: observer, requestor: false },
  ];
}

/** Who gave and who got an update, as BALP PrivacyDisclosure has them. */
function disclosureAgents({ detail }: ExportedEntry, observer: Reference): Agent[] {
  const consortium =
    detail === null ? undefined : (JSON.parse(detail) as { consortium?: unknown }).consortium;
  return [
    { type: agentType(agentTypes.source), who: observer, requestor: false },
    {
      type: agentType(agentTypes.recipient),
      who: { type: 'Organization', display: typeof consortium === 'string' ? consortium : 'the consortium' },
      requestor: false,
    },
  ];
}

function entitiesOf(entry: ExportedEntry, source: EntrySource): Entity[] {
  const { leaf } = entry;
  const object = objectOf(leaf);
  const study = leaf.researchStudyId;
  return [
    leafEntity(entry, source),
    ...(object === null
      ? []
      : [object.type === 'subject' ? patientEntity(object.id) : objectEntity(object.type, object.id)]),
    ...(study === null
      ? []
      : [objectEntity('research-study', study, leaf.round === null ? [] : [['round', String(leaf.round)]])]),
  ];
}

/** The entry itself: its place in the tree, and its hash, by which anybody finds it in an export of the whole log. */
function leafEntity({ leaf, leafHash, detail }: ExportedEntry, source: EntrySource): Entity {
  const own = [
    ['leafHash', leafHash],
    ['softwareVersion', leaf.softwareVersion],
    ['detail', detail],
  ] as const;
  return {
    what: { identifier: { system: 'urn:ietf:rfc:3986', value: leafUri(source, leaf.seq) } },
    type: { system: `${terminology}/audit-entity-type`, code: '2', display: 'System Object' },
    role: { system: `${terminology}/object-role`, code: '13', display: 'Security Resource' },
    detail: own.flatMap(([type, value]) => (value === null ? [] : [{ type, valueString: value }])),
  };
}

/** By the site's pseudonym; whoever may see names finds the patient in Consilium. */
export function patientEntity(subjectId: string): Entity {
  return {
    what: { type: 'Patient', identifier: { system: `${ownSystem}/subject`, value: subjectId } },
    type: { system: `${terminology}/audit-entity-type`, code: '1', display: 'Person' },
    role: { system: `${terminology}/object-role`, code: '1', display: 'Patient' },
  };
}

export function objectEntity(
  type: string,
  id: string,
  details: readonly (readonly [string, string])[] = [],
): Entity {
  const detail = details.map(([name, valueString]) => ({ type: name, valueString }));
  return {
    what: { identifier: { system: `${ownSystem}/${type}`, value: id } },
    type: { system: `${terminology}/audit-entity-type`, code: '2', display: 'System Object' },
    ...(detail.length === 0 ? {} : { detail }),
  };
}
