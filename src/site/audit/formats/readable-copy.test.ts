import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseLeaf } from '#federation/log/leaf.ts';
import { type ReadableFormat, writeReadableCopy } from '#site/audit/index.ts';
import { elementsOf, readAuditMessage } from '#support/audit-message-schema.ts';
import { createSiteFoundation, type SiteFoundation } from '#support/site-foundation.ts';

const entryCount = 3000;
let folder = '';
let site: SiteFoundation;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'consilium-copy-'));
  site = createSiteFoundation('copy');
  const { store, auditLog } = site;
  store.transaction(() => {
    for (let index = 0; index < entryCount; index += 1) {
      const event = {
        actor: 'Dr Ada',
        role: 'steward',
        action: 'file-imported',
        outcome: 'success',
      } as const;
      auditLog.append({ ...event, detail: index % 3 === 0 ? undefined : { index, text: 'ü'.repeat(300) } });
    }
  });
  // Erased: the copies have the entry without it.
  store.prepare('DELETE FROM audit_detail WHERE seq = 1000').run();
  auditLog.exportTo(folder);
});
afterEach(() => {
  site.close();
  rmSync(folder, { recursive: true, force: true });
});

const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
const leaves = () => read('leaves.jsonl').split('\n').slice(0, -1).map(parseLeaf);
const detailOf = (index: number): string | undefined =>
  index % 3 === 0 || index === 1000 || index >= entryCount
    ? undefined
    : JSON.stringify({ index, text: 'ü'.repeat(300) });

it('as a table has one row for each entry of the verified files', () => {
  const rows = parse(read(writeReadableCopy(folder, 'csv')), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ seq, action }) => [Number(seq), action])).toEqual(
    leaves().map(({ seq, action }) => [seq, action]),
  );
  expect(rows.map(({ detail }) => detail || undefined)).toEqual(rows.map((_, index) => detailOf(index)));
});

it('as FHIR is NDJSON with one event for each', () => {
  const lines = read(writeReadableCopy(folder, 'fhir')).split('\n');
  expect(lines.pop()).toBe('');
  const events = lines.map((line) => JSON.parse(line));
  expect(events.map(({ recorded }) => recorded)).toEqual(leaves().map(({ time }) => time));
  const details = events.map(
    ({ entity }) => entity[0].detail.find(({ type }: { type: string }) => type === 'detail')?.valueString,
  );
  expect(details).toEqual(events.map((_, index) => detailOf(index)));
});

it('as DICOM is one valid message a line', () => {
  const lines = read(writeReadableCopy(folder, 'dicom')).split('\n');
  expect(lines.pop()).toBe('');
  const times = lines.map(
    (line) => elementsOf(readAuditMessage(line), 'EventIdentification')[0]?.attributes.EventDateTime,
  );
  expect(times).toEqual(leaves().map(({ time }) => time));
});

it.each<ReadableFormat>(['csv', 'fhir', 'dicom'])('in %s is readable by its owner alone', (format) => {
  const file = path.join(folder, writeReadableCopy(folder, format));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('is refused where there is no export, or one that was changed', () => {
  expect(() => writeReadableCopy(path.join(folder, 'nowhere'), 'csv')).toThrow(
    expect.objectContaining({ code: 'AUDIT_EXPORT_FAILED' }),
  );
  writeFileSync(path.join(folder, 'leaves.jsonl'), `${read('leaves.jsonl')}{}\n`);
  expect(() => writeReadableCopy(folder, 'csv')).toThrow(expect.objectContaining({ code: 'BAD_LEAF' }));
});
