// An entry as a DICOM audit message (PS3.15 A.5.1, the schema that IHE ATNA carries), one line of XML. Names staff as the log does, and
// patients by the site's pseudonym alone.
import { toBase64, utf8 } from '#base/bytes.ts';
import { type EventCode, eventCodeOf } from './event-code.ts';
import { type EntrySource, type ExportedEntry, leafUri, objectOf, outcomeCodes } from './exported-entry.ts';

/** Code system of what this program names by itself. */
const ownSystem = 'Consilium';

/** The message without an XML declaration and without a line feed. */
export function dicomAuditMessage(entry: ExportedEntry, source: EntrySource): string {
  const { leaf } = entry;
  return element(
    'AuditMessage',
    {},
    identification(entry, eventCodeOf(leaf.action)),
    ...participants(entry, source),
    element(
      'AuditSourceIdentification',
      { AuditSourceID: source.origin },
      element('AuditSourceTypeCode', { 'csd-code': '4' }),
    ),
    ...objects(entry, source),
  );
}

function identification({ leaf }: ExportedEntry, { event, type, action }: EventCode): string {
  return element(
    'EventIdentification',
    {
      EventActionCode: action,
      EventDateTime: leaf.time,
      EventOutcomeIndicator: outcomeCodes[leaf.outcome],
    },
    element('EventID', coded(event.code, 'DCM', event.meaning)),
    ...(type === null ? [] : [element('EventTypeCode', coded(type.code, 'DCM', type.meaning))]),
    element('EventTypeCode', coded(leaf.action, ownSystem, leaf.action.replaceAll('-', ' '))),
    ...(leaf.reason === null ? [] : [element('EventOutcomeDescription', {}, escapeText(leaf.reason))]),
  );
}

function participants({ leaf }: ExportedEntry, source: EntrySource): string[] {
  const isSystem = leaf.role === null && leaf.actor === 'system';
  const application = element(
    'ActiveParticipant',
    { UserID: source.origin, UserIsRequestor: String(isSystem) },
    element('RoleIDCode', coded('110150', 'DCM', 'Application')),
  );
  if (isSystem) return [application];
  const role = leaf.role === null ? [] : [element('RoleIDCode', coded(leaf.role, ownSystem, leaf.role))];
  const user = { UserID: leaf.actor, UserName: leaf.actor, UserIsRequestor: 'true' };
  return [element('ActiveParticipant', user, ...role), application];
}

function objects({ leaf, leafHash, detail }: ExportedEntry, source: EntrySource): string[] {
  const object = objectOf(leaf);
  const details = [pair('leafHash', leafHash), ...(detail === null ? [] : [pair('detail', detail)])];
  const study = leaf.researchStudyId;
  const round = leaf.round === null ? [] : [pair('round', String(leaf.round))];
  return [
    // The entry itself: its place in the tree, and its hash, by which anybody finds it in an export of the whole log.
    systemObject({ role: '13', type: 'audit-leaf', id: leafUri(source, leaf.seq) }, details),
    ...(object === null ? [] : [object.type === 'subject' ? patient(object.id) : systemObject(object, [])]),
    ...(study === null ? [] : [systemObject({ type: 'research-study', id: study }, round)]),
  ];
}

function patient(subjectId: string): string {
  return element(
    'ParticipantObjectIdentification',
    { ParticipantObjectID: subjectId, ParticipantObjectTypeCode: '1', ParticipantObjectTypeCodeRole: '1' },
    element('ParticipantObjectIDTypeCode', coded('subject', ownSystem, 'pseudonym at the site')),
    element('ParticipantObjectName', {}, 'subject'),
  );
}

interface SystemObject {
  readonly type: string;
  readonly id: string;
  readonly role?: string;
}

function systemObject({ type, id, role }: SystemObject, details: readonly string[]): string {
  return element(
    'ParticipantObjectIdentification',
    {
      ParticipantObjectID: id,
      ParticipantObjectTypeCode: '2',
      ...(role === undefined ? {} : { ParticipantObjectTypeCodeRole: role }),
    },
    element('ParticipantObjectIDTypeCode', coded(type, ownSystem, type.replaceAll('-', ' '))),
    element('ParticipantObjectName', {}, escapeText(type)),
    ...details,
  );
}

/** Values are base64 by the schema: no text of ours can be taken for markup. */
function pair(type: string, value: string): string {
  return element('ParticipantObjectDetail', { type, value: toBase64(utf8(value)) });
}

function coded(code: string, system: string, meaning: string): Readonly<Record<string, string>> {
  return { 'csd-code': code, codeSystemName: system, originalText: meaning };
}

/** `content` is markup already. */
function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...content: readonly string[]
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(value)}"`);
  const start = `<${name}${written.join('')}`;
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('')}</${name}>`;
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** What XML 1.0 has no character for becomes a replacement character: no reader may stop at an entry (log evasion). */
function escapeText(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll(/[&<>"'\n\r\t]/g, (character) => references[character] ?? '')
  );
}
