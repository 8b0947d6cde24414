// Public synthetic C-CDA documents and HL7 v2 messages, where CONSILIUM_DATA names the folder that holds them: no crash, a named
// outcome for each file, and the rows that an independent reader counts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CcdaReader } from '#site/ingest/ehr/ccda-reader.ts';
import { Hl7v2Reader } from '#site/ingest/ehr/hl7v2-reader.ts';
import type { RowCounts } from '#site/ingest/ingest-outcome.ts';
import { openTimeZone } from '#site/ingest/time-zone.ts';
import { type IngestSite, openIngestSite, outcomesByName, summaryOf } from '#support/ingest-site.ts';

const data = process.env.CONSILIUM_DATA;
const folder = path.join(data ?? '', 'ccda');
const isThere = data !== undefined && existsSync(folder);
if (!isThere)
  process.stderr.write(
    'public C-CDA documents not tested: CONSILIUM_DATA does not name a folder with them\n',
  );

let site: IngestSite | undefined;
afterEach(() => site?.close());

/**
 * Statements in each document by section code, counted from the XML with Python's ElementTree and looked through by hand: parts of
 * organizers in 30954-2, 8716-3 and 29762-2, subjects of concern acts in 11450-4, else what stands in an entry.
 */
const labels: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  Cerner_Samples_Transition_of_Care_Referral_Summary: {
    '10160-0': 4,
    '11369-6': 1,
    '11450-4': 5,
    '29762-2': 1,
    '30954-2': 8,
    '46240-8': 1,
    '47519-4': 2,
    '48765-2': 2,
    '8716-3': 7,
  },
  'EMERGE_Patient-0.': {
    '10160-0': 2,
    '11369-6': 2,
    '11450-4': 5,
    '29762-2': 1,
    '30954-2': 4,
    '46240-8': 5,
    '47519-4': 5,
    '48765-2': 3,
    '8716-3': 7,
  },
  'EMERGE_Patient-10.': {
    '10160-0': 3,
    '11369-6': 1,
    '11450-4': 4,
    '29762-2': 1,
    '30954-2': 1,
    '46240-8': 7,
    '47519-4': 2,
    '48765-2': 3,
    '8716-3': 10,
  },
  'EMERGE_Patient-101.': {
    '10160-0': 1,
    '11369-6': 1,
    '11450-4': 2,
    '29762-2': 1,
    '30954-2': 1,
    '46240-8': 3,
    '47519-4': 2,
    '48765-2': 3,
    '8716-3': 9,
  },
  Greenway_Samples_26562_ExportSummary_CCDA: {
    '10160-0': 3,
    '11369-6': 1,
    '11450-4': 4,
    '18776-5': 7,
    '29762-2': 1,
    '30954-2': 4,
    '47420-5': 1,
    '47519-4': 2,
    '48765-2': 3,
    '8716-3': 15,
  },
  Greenway_Samples_26775_ClinicalVisitSummary_CCDA: {
    '10160-0': 2,
    '11450-4': 4,
    '18776-5': 1,
    '29762-2': 1,
    '30954-2': 4,
    '47519-4': 2,
    '48765-2': 3,
    '8716-3': 5,
  },
  Greenway_Samples_26776_ExportSummary_CCDA: {
    '10160-0': 2,
    '11369-6': 1,
    '11450-4': 2,
    '29762-2': 1,
    '30954-2': 4,
    '47420-5': 2,
    '47519-4': 1,
    '48765-2': 1,
    '8716-3': 15,
  },
  Greenway_Samples_26789_ExportSummary_CCDA: {
    '10160-0': 2,
    '11369-6': 2,
    '11450-4': 3,
    '18776-5': 5,
    '29762-2': 1,
    '30954-2': 4,
    '47420-5': 2,
    '47519-4': 9,
    '48765-2': 2,
    '8716-3': 5,
  },
  Greenway_Samples_26840_ExportSummary_CCDA: {
    '10160-0': 4,
    '11369-6': 1,
    '11450-4': 4,
    '18776-5': 11,
    '29762-2': 1,
    '30954-2': 10,
    '47420-5': 2,
    '47519-4': 15,
    '48765-2': 1,
    '8716-3': 8,
  },
  Greenway_Samples_Adam_Everyman_CCDA: {
    '10160-0': 3,
    '11369-6': 1,
    '11450-4': 6,
    '18776-5': 8,
    '29762-2': 1,
    '30954-2': 4,
    '47420-5': 1,
    '47519-4': 2,
    '48765-2': 3,
    '8716-3': 15,
  },
  'HL7_Samples_Consults.sample': {
    '10157-6': 1,
    '10160-0': 1,
    '11369-6': 4,
    '11450-4': 1,
    '18776-5': 4,
    '29762-2': 3,
    '30954-2': 3,
    '47519-4': 3,
    '48765-2': 3,
    '8716-3': 6,
  },
  'HL7_Samples_DS.sample': {
    '10157-6': 1,
    '10183-2': 1,
    '11369-6': 4,
    '11450-4': 1,
    '11535-2': 1,
    '18776-5': 4,
    '29762-2': 3,
    '46241-6': 1,
    '47420-5': 3,
    '47519-4': 3,
    '48765-2': 3,
    '8716-3': 6,
  },
  'HL7_Samples_OpNote.sample': {
    '18776-5': 4,
    '55109-3': 1,
    '59768-2': 1,
    '59772-4': 1,
    '59774-0': 2,
    '59776-5': 1,
  },
  'HL7_Samples_Progress_Note.sample': {
    '10160-0': 1,
    '11450-4': 1,
    '18776-5': 4,
    '30954-2': 3,
    '48765-2': 3,
    '8716-3': 6,
  },
  Kareo_Samples_Kareo_CCD_export_Joey_Miller: {
    '10160-0': 1,
    '11369-6': 1,
    '11450-4': 2,
    '30954-2': 2,
    '48765-2': 1,
    '8716-3': 8,
  },
  Partners_HealthCare_LMR1TEST: {
    '10160-0': 1,
    '11369-6': 1,
    '11450-4': 1,
    '18776-5': 1,
    '29762-2': 1,
    '30954-2': 43,
    '46240-8': 1,
    '47420-5': 2,
    '47519-4': 1,
    '48764-5': 1,
    '48765-2': 1,
    '8716-3': 1,
  },
  Partners_HealthCare_LMR3TEST: {
    '10160-0': 1,
    '11369-6': 1,
    '11450-4': 1,
    '18776-5': 1,
    '29762-2': 1,
    '30954-2': 19,
    '46240-8': 1,
    '47420-5': 2,
    '47519-4': 1,
    '48764-5': 1,
    '48765-2': 1,
    '8716-3': 1,
  },
  Partners_HealthCare_LMR5TEST: {
    '10160-0': 1,
    '11369-6': 1,
    '11450-4': 1,
    '18776-5': 1,
    '29762-2': 1,
    '30954-2': 26,
    '46240-8': 1,
    '47420-5': 2,
    '47519-4': 1,
    '48764-5': 1,
    '48765-2': 1,
    '8716-3': 1,
  },
  'PracticeFusion_Samples_AdamEveryman-ReferralSummary': {
    '10160-0': 1,
    '11369-6': 1,
    '11450-4': 2,
    '29762-2': 1,
    '30954-2': 1,
    '46240-8': 1,
    '47519-4': 1,
    '48765-2': 2,
  },
  'PracticeFusion_Samples_MaryGrant-ClinicalSummary': {
    '10160-0': 3,
    '11369-6': 1,
    '11450-4': 1,
    '29762-2': 1,
    '30954-2': 1,
    '46240-8': 1,
    '47519-4': 1,
    '48765-2': 2,
    '51847-2': 1,
    '69730-0': 1,
    '8716-3': 9,
  },
  hl7ex_Documents__Care_Plan: { '11383-7': 2, '61146-7': 1, '62387-6': 2, '75310-3': 2 },
  hl7ex_Documents__History: {
    '10157-6': 1,
    '10160-0': 1,
    '11369-6': 4,
    '11450-4': 2,
    '18776-5': 4,
    '29762-2': 3,
    '30954-2': 3,
    '47519-4': 3,
    '48765-2': 3,
    '8716-3': 6,
  },
};

/** Of what was offered. */
function totalOf({ accepted, duplicate, rejected, notNeeded }: RowCounts): number {
  return accepted + duplicate + rejected + notNeeded;
}

function storedFacts({ store }: IngestSite): readonly unknown[] {
  return store
    .prepare(
      'SELECT code_system, code, value_number, unit, value_code, day FROM subject_fact ORDER BY 1, 2, 3, 4, 5, 6',
    )
    .all();
}

describe.runIf(isThere)('public C-CDA documents', () => {
  it.each(Object.entries(labels))(
    '%s gives a row for its patient and for each statement',
    (start, sections) => {
      const name = readdirSync(folder).find((file) => file.startsWith(start)) ?? '';
      const reader = new CcdaReader(openTimeZone('UTC'));
      const rows = [...reader.write(readFileSync(path.join(folder, name))), ...reader.end()];
      const expected = Object.values(sections).reduce((total, count) => total + count, 1);
      expect(rows).toHaveLength(expected);
      expect(rows[0]).toMatchObject({ kind: 'record', record: { patient: { sex: expect.any(String) } } });
    },
  );

  it('give the facts that stand in them', () => {
    const factsOf = (start: string): Record<string, number> => {
      const name = readdirSync(folder).find((file) => file.startsWith(start)) ?? '';
      const reader = new CcdaReader(openTimeZone('UTC'));
      const counts: Record<string, number> = {};
      for (const row of [...reader.write(readFileSync(path.join(folder, name))), ...reader.end()]) {
        if (row.kind !== 'record') continue;
        for (const { kind } of row.record.facts) counts[kind] = (counts[kind] ?? 0) + 1;
      }
      return counts;
    };
    // Hand labels: the whole of the sections above, as nothing in these is negated, pending or without a unit.
    expect(factsOf('EMERGE_Patient-0.')).toEqual({
      condition: 5,
      encounter: 5,
      measurement: 12,
      medication: 4,
      procedure: 5,
    });
    // Two immunizations of the document are negated; its allergies are not read.
    expect(factsOf('EMERGE_Patient-101.')).toEqual({
      condition: 2,
      encounter: 3,
      measurement: 11,
      medication: 1,
      procedure: 2,
    });
  });

  it('are taken whole or refused by name, and are known when they come again', async () => {
    site = openIngestSite();
    const summary = summaryOf(await site.importPaths([folder]));
    expect(summary.files).toHaveLength(readdirSync(folder).length);
    const fragments = Object.entries(outcomesByName(summary)).filter(([name]) =>
      /^hl7ex_(?!Documents|Unstr)/.test(name),
    );
    expect(fragments).toHaveLength(13);
    for (const [, outcome] of fragments) expect(outcome).toEqual(['rejected', 'CDA_FRAGMENT']);
    const documents = summary.files.filter(({ format }) => format === 'ccda');
    expect(documents).toHaveLength(23);
    for (const { path: file, outcome, code, rows } of documents) {
      if (file.includes('Unstructured')) {
        expect([outcome, code]).toEqual(['rejected', 'CDA_UNSTRUCTURED']);
        continue;
      }
      expect(['accepted', 'duplicate']).toContain(outcome);
      const [, sections = {}] =
        Object.entries(labels).find(([start]) => path.basename(file).startsWith(start)) ?? [];
      expect(totalOf(rows), file).toBe(Object.values(sections).reduce((total, count) => total + count, 1));
    }
    const stored = storedFacts(site);
    expect(stored.length).toBeGreaterThan(300);
    // Samples of one vendor give one patient and one statement several contents, each replacing the last: the end is the same.
    const again = summaryOf(await site.importPaths([folder]));
    expect(again.rows).not.toHaveProperty('patient');
    expect(storedFacts(site)).toEqual(stored);
  }, 60_000);
});

const messageFolder = path.join(data ?? '', 'hl7v2');
const areMessagesThere = data !== undefined && existsSync(messageFolder);
if (!areMessagesThere)
  process.stderr.write(
    'public HL7 v2 messages not tested: CONSILIUM_DATA does not name a folder with them\n',
  );

/** Segments that are rows, by type of message; any other message is one row. */
const rowSegments: Readonly<Record<string, RegExp>> = {
  ADT: /^(?:PID|PV1|DG1|PR1|OBX)\|/,
  ORU: /^(?:PID|OBX)\|/,
};

/** Counts with nothing but a split by line ends. */
function countRows(text: string): number {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.replace(/^\ufeff/, ''));
  let count = 0;
  let rows: RegExp | undefined;
  for (const line of lines) {
    if (line.startsWith('MSH')) {
      const isBroken = !/^MSH\|\^~\\&\|/.test(line) || (line.split('|')[8] ?? '') === '';
      rows = isBroken ? undefined : rowSegments[line.split('|')[8]?.slice(0, 3) ?? ''];
      if (rows === undefined) count += 1;
    } else if (rows?.test(line)) count += 1;
  }
  return count;
}

describe.runIf(areMessagesThere)('public HL7 v2 messages', () => {
  const names = areMessagesThere ? readdirSync(messageFolder).filter((name) => name.endsWith('.hl7')) : [];

  it.each(names)('%s gives as many rows as a plain splitter counts, in pieces of any size', (name) => {
    const bytes = readFileSync(path.join(messageFolder, name));
    const read = (size: number) => {
      const reader = new Hl7v2Reader(openTimeZone('UTC'));
      const rows = [];
      for (let at = 0; at < bytes.length; at += size)
        rows.push(...reader.write(bytes.subarray(at, at + size)));
      return [...rows, ...reader.end()];
    };
    expect(read(bytes.length)).toHaveLength(countRows(bytes.toString('utf8')));
    expect(read(97)).toEqual(read(bytes.length));
  });

  it('that are malformed are refused by name', async () => {
    site = openIngestSite();
    const summary = summaryOf(await site.importPaths([messageFolder]));
    for (const { path: file, format, rows } of summary.files)
      if (format === 'hl7v2') expect(totalOf(rows), file).toBe(countRows(readFileSync(file, 'utf8')));
    const outcomes = outcomesByName(summary);
    expect(Object.keys(outcomes)).toHaveLength(readdirSync(messageFolder).length);
    expect(outcomes).toMatchObject({
      'empty.hl7': ['rejected', 'EMPTY_FILE'],
      'README.md': ['rejected', 'NOT_RECOGNISED'],
      'msh_present_but_missing_all_fields.hl7': ['rejected', 'MALFORMED_MESSAGE'],
      'msh_present_but_missing_msh-2.hl7': ['rejected', 'MALFORMED_MESSAGE'],
      'msh_present_but_missing_msh-9.hl7': ['rejected', 'MALFORMED_MESSAGE'],
      // Its fourth encoding character is the third again.
      'lfh_sample_unix.hl7': ['rejected', 'MALFORMED_MESSAGE'],
      '001_ADT_A01.hl7': ['accepted', null],
    });
    const stored = storedFacts(site);
    expect(stored.length).toBeGreaterThan(700);
    await site.importPaths([messageFolder]);
    expect(storedFacts(site)).toEqual(stored);
  }, 60_000);
});
