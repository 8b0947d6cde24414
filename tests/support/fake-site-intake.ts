// Quarantine, column mapping and sources of the made-up site: decisions are kept, a mapping is previewed by its facts.
import { implement } from '@orpc/server';
import { siteContract } from '#ipc/contract.ts';
import type { QuarantineEntry, Source } from '#ipc/ingest-contract.ts';
import { hostileTexts } from './fake-site-data.ts';
import { type FakeSite, refuse } from './fake-site-router.ts';

const os = implement(siteContract);
const loinc = (code: string, display: string) => ({ system: 'http://loinc.org', code, display });

const heldCodes = [
  ['US', 'BURNED_IN_TEXT', 'BurnedInAnnotation'],
  ['CT', 'BURNED_IN_SUSPECTED', 'ImageType'],
  ['MR', 'DICOM_NO_PATIENT_ID', 'PatientID'],
] as const;

function quarantineEntryAt(index: number, isHostile: boolean): QuarantineEntry {
  const [modality, code, field] = heldCodes[index % heldCodes.length] ?? heldCodes[0];
  const hostile = [hostileTexts.html, hostileTexts.override, hostileTexts.long, hostileTexts.stacked][index];
  return {
    quarantineId: 100 - index,
    name:
      isHostile && hostile !== undefined ? hostile : `radiology/2026-11/IM${String(index).padStart(5, '0')}`,
    format: 'dicom',
    code,
    reason: 'Held.',
    field,
    modality: isHostile ? hostileTexts.html.slice(0, 16) : modality,
    byteCount: 137_216 + index * 4_096,
    quarantinedAt: new Date(Date.parse('2026-11-21T09:00:00Z') - index * 3_600_000).toISOString(),
  };
}

export function quarantineRouter(site: FakeSite) {
  const { options, state } = site;
  const entries = (): QuarantineEntry[] =>
    Array.from({ length: options.isEmpty ? 0 : (options.heldCount ?? 3) }, (_, index) =>
      quarantineEntryAt(index, options.isHostile === true),
    ).filter(
      ({ quarantineId }) => !state.decisions.some((decision) => decision.quarantineId === quarantineId),
    );
  const decide = (kind: 'release' | 'delete', input: { quarantineId: number; reason: string }) => {
    const entry = entries().find(({ quarantineId }) => quarantineId === input.quarantineId);
    if (entry === undefined) throw refuse('BAD_INPUT', 'Nothing of this number is held.');
    state.decisions.push({ kind, ...input });
    return entry;
  };
  return {
    list: os.quarantine.list.handler(({ input }) => {
      if (options.isRefusing) throw refuse('BUG', 'Something is wrong in Consilium itself.');
      const all = entries();
      return { total: all.length, entries: all.slice(input.offset, input.offset + input.limit) };
    }),
    release: os.quarantine.release.handler(({ input }) => {
      const { name, format } = decide('release', input);
      const rows = { accepted: 1, duplicate: 0, rejected: 0, notNeeded: 0 };
      return {
        path: name,
        outcome: 'accepted' as const,
        format,
        code: null,
        reason: null,
        rows,
        refusals: [],
      };
    }),
    delete: os.quarantine.delete.handler(({ input }) => {
      decide('delete', input);
    }),
  };
}

export function mappingRouter(site: FakeSite) {
  const hostile = (text: string): string => (site.options.isHostile ? hostileTexts.html : text);
  return {
    suggest: os.mapping.suggest.handler(() => ({
      delimiter: ';',
      mapping: null,
      columns: [
        { name: hostile('patient_nr'), samples: ['100482', '100483', '100519'], role: 'identifier' as const },
        { name: 'name', samples: ['Kovács, Ada', 'Szabó, Béla'], role: 'name' as const },
        { name: 'sex', samples: ['m', 'w'], role: 'sex' as const },
        { name: 'visit', samples: ['2026-10-02', '2026-10-05'], role: 'index-date' as const },
        {
          name: 'chol',
          samples: ['212', '187', '240'],
          role: 'quantity' as const,
          code: loinc('2093-3', 'Cholesterol'),
          unit: 'mg/dL',
          confidence: 0.93,
        },
        {
          name: 'rr_sys',
          samples: ['128', '141'],
          role: 'quantity' as const,
          code: loinc('8480-6', 'Systolic blood pressure'),
          unit: 'mm[Hg]',
          confidence: 0.41,
        },
        { name: 'diabetes', samples: ['ja', 'nein'], role: 'boolean' as const, confidence: 0.52 },
        { name: 'remark', samples: [], role: 'ignore' as const, confidence: 0.3 },
      ].map((column) => ({ code: null, unit: null, confidence: 0.97, ...column })),
    })),
    preview: os.mapping.preview.handler(({ input }) => {
      const { facts } = JSON.parse(input.mapping) as { facts: { column: string; unit?: string }[] };
      const rows = Array.from({ length: 20 }, (_, index) => ({
        row: index + 2,
        day: `2026-10-${String((index % 28) + 1).padStart(2, '0')}`,
        facts:
          index === 4
            ? []
            : facts.map(({ column, unit }, at) => ({
                code: column,
                value: unit === undefined ? 'yes' : String(120 + ((index * 37 + at * 11) % 90)),
                unit: unit ?? null,
              })),
        refusal: index === 4 ? { code: 'BAD_NUMBER', field: 'chol' } : null,
      }));
      return { rows, accepted: 1_183, rejected: 17 };
    }),
  };
}

const shippedSources: readonly Source[] = [
  {
    sourceId: 'source-1',
    kind: 'dicom-receiver',
    label: 'Radiology PACS',
    state: 'listening',
    code: null,
    received: 18_412,
    lastReceivedAt: '2026-11-21T08:41:00Z',
    settings: { port: 11112, aeTitle: 'CONSILIUM' },
  },
  {
    sourceId: 'source-2',
    kind: 'bulk-export',
    label: 'Record system',
    state: 'failed',
    code: 'CONNECTION_FAILED',
    received: 0,
    lastReceivedAt: null,
    settings: { url: 'https://ehr.hospital.example/fhir' },
  },
];

export function sourcesRouter(site: FakeSite) {
  const { options, state } = site;
  const sources: Source[] = options.isEmpty
    ? []
    : shippedSources.map((source) => (options.isHostile ? { ...source, label: hostileTexts.html } : source));
  return {
    list: os.sources.list.handler(() => {
      if (options.isRefusing) throw refuse('BUG', 'Something is wrong in Consilium itself.');
      return sources;
    }),
    save: os.sources.save.handler(({ input }) => {
      const source: Source = {
        sourceId: `source-${sources.length + 1}`,
        ...input,
        state: 'listening',
        code: null,
        received: 0,
        lastReceivedAt: null,
      };
      sources.push(source);
      return source;
    }),
    remove: os.sources.remove.handler(({ input }) => {
      const at = sources.findIndex(({ sourceId }) => sourceId === input.sourceId);
      if (at >= 0) sources.splice(at, 1);
    }),
    run: os.sources.run.handler(async function* ({ input }) {
      state.runs.push(input.sourceId);
      yield {
        kind: 'summary' as const,
        summary: {
          batchId: 'b',
          accepted: 0,
          duplicate: 0,
          quarantined: 0,
          rejected: 0,
          rowCounts: { accepted: 0, duplicate: 0, rejected: 0, notNeeded: 0 },
          files: [],
          filesOmitted: 0,
          rows: {},
        },
      };
    }),
  };
}
