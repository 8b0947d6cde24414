// Entries of a log for tests of its formats, by what they differ in.
import { encodeLeaf, type Leaf, NO_LEAF_HASH } from '#federation/log/leaf.ts';
import { type ExportedEntry, exportedEntry } from '#site/audit/formats/exported-entry.ts';

export const logSource = { origin: 'consilium.example/site/0123456789abcdef/log' };

export function createEntry(changes: Partial<Leaf> = {}, detail: string | null = null): ExportedEntry {
  const leaf: Leaf = {
    seq: 41,
    time: '2026-11-21T08:00:00.123Z',
    boot: 1,
    bootId: 'boot',
    previous: NO_LEAF_HASH,
    actor: 'Dr Ada Steward',
    role: 'steward',
    onBehalfOf: null,
    session: null,
    action: 'consent-withdrawn',
    object: 'subject:ABCDEF',
    researchStudyId: 'heart-disease',
    round: 2,
    outcome: 'success',
    reason: null,
    detailDigest: null,
    softwareVersion: '0.1.0',
    ...changes,
  };
  return exportedEntry(encodeLeaf(leaf), detail);
}

/** Texts that break a writer which takes them for its own marks. */
export const hostileTexts = [
  '<AuditMessage/>',
  'Ada & "Eve" \'Mallory\'',
  ']]>',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
  'a\u0000b\u0007c',
  'two\nlines\r\nand a\ttab',
  'half \ud800 a pair',
  'right \u202eto left',
  '\ufffe\uffff',
] as const;
