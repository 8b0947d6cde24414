import { describe, expect, it } from 'vitest';
import { fromBase64, fromUtf8 } from '#base/bytes.ts';
import { auditActions } from '#site/audit/audit-event.ts';
import { createEntry, hostileTexts, logSource } from '#support/audit-entries.ts';
import { elementsOf, type ReadElement, readAuditMessage } from '#support/audit-message-schema.ts';
import { dicomAuditMessage } from './dicom-audit-message.ts';

const read = (...entry: Parameters<typeof createEntry>): ReadElement =>
  readAuditMessage(dicomAuditMessage(createEntry(...entry), logSource));
const one = (root: ReadElement, name: string): Readonly<Record<string, string>> =>
  elementsOf(root, name)[0]?.attributes ?? {};

describe('a DICOM audit message', () => {
  it.each(auditActions)('of %s is valid by the schema of PS3.15, by a person and by the system', (action) => {
    read({ action });
    read({ action, actor: 'system', role: null, object: null, researchStudyId: null, round: null });
    read({ action, outcome: 'failed', reason: 'A_CODE' }, '{"count":1}');
  });

  it('says who did what to whom, when and with which outcome', () => {
    const root = read({ outcome: 'refused', reason: 'CONSENT_CHANGED' });
    expect(one(root, 'EventIdentification')).toEqual({
      EventActionCode: 'U',
      EventDateTime: '2026-11-21T08:00:00.123Z',
      EventOutcomeIndicator: '4',
    });
    expect(elementsOf(root, 'EventOutcomeDescription')[0]?.text).toBe('CONSENT_CHANGED');
    expect(elementsOf(root, 'EventTypeCode').map(({ attributes }) => attributes['csd-code'])).toEqual([
      '110135',
      'consent-withdrawn',
    ]);
    expect(elementsOf(root, 'ActiveParticipant').map(({ attributes }) => attributes)).toEqual([
      { UserID: 'Dr Ada Steward', UserName: 'Dr Ada Steward', UserIsRequestor: 'true' },
      { UserID: logSource.origin, UserIsRequestor: 'false' },
    ]);
    const objects = elementsOf(root, 'ParticipantObjectIdentification').map(({ attributes }) => attributes);
    expect(objects.map((object) => object.ParticipantObjectID)).toEqual([
      `https://${logSource.origin}/41`,
      'ABCDEF',
      'heart-disease',
    ]);
    expect(objects[1]).toMatchObject({ ParticipantObjectTypeCode: '1', ParticipantObjectTypeCodeRole: '1' });
  });

  it.each([
    ['app-started', '110100', '110120'],
    ['app-stopped', '110100', '110121'],
    ['audit-exported', '110101', undefined],
    ['quarantine-released', '110103', undefined],
    ['association-ended', '110104', undefined],
    ['update-sent', '110106', undefined],
    ['import-finished', '110107', undefined],
    ['cohort-previewed', '110112', undefined],
    ['integrity-failure', '110113', undefined],
    ['signed-in', '110114', '110122'],
    ['signed-out', '110114', '110123'],
    ['an-event-of-a-later-release', '110100', undefined],
  ])('calls %s event %s of type %s', (action, event, type) => {
    const root = read({ action });
    expect(one(root, 'EventID')).toMatchObject({ 'csd-code': event, codeSystemName: 'DCM' });
    const codes = elementsOf(root, 'EventTypeCode').map(({ attributes }) => attributes['csd-code']);
    expect(codes).toEqual([...(type === undefined ? [] : [type]), action]);
  });

  it('points at its entry by the hash, and keeps the detail byte by byte', () => {
    const entry = createEntry({}, '{"text":"<&>"}');
    const root = readAuditMessage(dicomAuditMessage(entry, logSource));
    const details = elementsOf(root, 'ParticipantObjectDetail').map(({ attributes }) => [
      attributes.type,
      fromUtf8(fromBase64(attributes.value ?? '')),
    ]);
    expect(details).toContainEqual(['leafHash', entry.leafHash]);
    expect(details).toContainEqual(['detail', '{"text":"<&>"}']);
  });

  it.each(hostileTexts)('is one well-formed line whatever a name is: %j', (actor) => {
    const xml = dicomAuditMessage(
      createEntry({ actor, reason: actor, object: `update:${actor}` }),
      logSource,
    );
    expect(xml).not.toContain('\n');
    const [user] = elementsOf(readAuditMessage(xml), 'ActiveParticipant');
    const isCharacter = (character: string) => !['\u0000', '\u0007', '\ufffe', '\uffff'].includes(character);
    const characters = [...actor.toWellFormed()];
    const shown = characters.map((character) => (isCharacter(character) ? character : '\ufffd')).join('');
    expect(user?.attributes.UserName).toBe(shown);
  });
});

describe('the check by the schema', () => {
  const good = dicomAuditMessage(createEntry(), logSource);
  it.each([
    ['an unknown element', good.replace('<EventID', '<EventName/><EventID')],
    ['an unknown attribute', good.replace('EventActionCode', 'ActionCode')],
    ['a code without a system', good.replaceAll(/ codeSystemName="[^"]*"/g, '')],
    ['another outcome', good.replace('EventOutcomeIndicator="0"', 'EventOutcomeIndicator="1"')],
    ['no participant', good.replaceAll(/<ActiveParticipant .*?<\/ActiveParticipant>/g, '')],
    ['elements in another order', good.replace(/(<EventID .*?\/>)(<EventTypeCode .*?\/>)/, '$2$1')],
    ['a time without a zone', good.replace('123Z"', '123"')],
    ['a detail that is not base64', good.replace(/type="leafHash" value="/, '$&*')],
    ['an object without a name', good.replace(/<ParticipantObjectName>[^<]*<\/ParticipantObjectName>/, '')],
  ])('refuses %s', (_what, xml) => {
    expect(xml).not.toBe(good);
    expect(() => readAuditMessage(xml)).toThrow();
  });
});
