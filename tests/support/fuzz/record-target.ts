// Fuzz target: a mutated EHR export is recognised, read in pieces of random size and packed for the store. Every refusal, of the file
// or of a row, must be one of the closed set of codes; every row has a number.

import type { ReadRow } from '#site/ingest/clinical-record.ts';
import { parseMapping } from '#site/ingest/ehr/csv-mapping.ts';
import { FhirMedications } from '#site/ingest/ehr/fhir-medications.ts';
import { OmopConcepts } from '#site/ingest/ehr/omop-concepts.ts';
import { headBytes, openReader, type ReaderContext, recogniseFormat } from '#site/ingest/file-format.ts';
import { reasonOf } from '#site/ingest/ingest-error.ts';
import { RecordPacker } from '#site/ingest/record-packer.ts';
import { openTimeZone } from '#site/ingest/time-zone.ts';
import { byteMutations, type Mutation, type RandomSource, randomSource } from './mutation.ts';
import { recordBases } from './record-bases.ts';

const bases = recordBases();
const zone = openTimeZone('Europe/Berlin');
const linkageKey = new Uint8Array(32);

/** What hurts readers of text: quotes, delimiters, nesting, NUL, other encodings, numbers and dates out of range. */
const tokens = [
  ...[
    '"',
    ',',
    '\r',
    '\n',
    '\u0000',
    '\ufeff',
    '\u2028',
    '{',
    '}',
    '[',
    ']',
    '\\',
    '|',
    '^',
    '~',
    '&',
    '<',
    '>',
    '=',
    "'",
  ],
  ...[
    'null',
    'true',
    '1e999',
    '-0',
    '99999999999999999999',
    '0x1',
    'NaN',
    '9999-99-99',
    '0000-00-00',
    '2024-02-30T25:61:61Z',
  ],
  ...[
    '<!DOCTYPE x [<!ENTITY e "e">]>',
    '&e;',
    '&#0;',
    '&#x10FFFF;',
    '<![CDATA[',
    ']]>',
    '<!--',
    '__proto__',
    '\ud800',
  ],
  ...[
    '\\X0D\\',
    '\\.sp\\',
    '\x0b',
    '\x1c\r',
    'MSH|',
    '=cmd()',
    'x'.repeat(70_000),
    '{"a":'.repeat(3_000),
    '['.repeat(5_000),
  ],
  ...['<a>'.repeat(300), '"'.repeat(999), ','.repeat(5_000), '\n'.repeat(2_000)],
];

const insertToken: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(tokens)), bytes.subarray(at)]);
};

/** A word of the file in place of another. */
const swapWords: Mutation = (bytes, random) => {
  const words = bytes.toString('latin1').split(/([",|<>=:{}[\]\r\n]+)/);
  const [from, to] = [random.below(words.length), random.below(words.length)];
  words[to] = words[from] ?? '';
  return Buffer.from(words.join(''), 'latin1');
};

const mutations: readonly Mutation[] = [
  ...byteMutations,
  insertToken,
  insertToken,
  insertToken,
  swapWords,
  swapWords,
  swapWords,
];

/** The mutated export of a number, and which base it came from. */
export function mutatedRecords(
  seed: string,
  index: number,
): { name: string; bytes: Buffer; random: RandomSource } {
  const random = randomSource(seed, index);
  const base = random.pick(bases.files);
  const others = bases.files.map(({ bytes }) => bytes);
  let bytes = base.bytes;
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 0; times -= 1) {
    bytes = random.pick(mutations)(bytes, random, others);
  }
  return { name: base.name, bytes, random };
}

export async function attempt(seed: string, index: number): Promise<string> {
  const { bytes, random } = mutatedRecords(seed, index);
  const reader = openReader(recogniseFormat(bytes.subarray(0, headBytes)), reading());
  if ('code' in reader) return named(reader.code);
  const packer = new RecordPacker({ linkageKey, maxRows: 500 });
  let rowsRead = 0;
  const take = (rows: Iterable<ReadRow>): string | undefined => {
    for (const row of rows) {
      if (row.kind === 'file-refused') return named(row.code);
      if (!Number.isInteger(row.row) || row.row < 1) throw new Error(`a row without a number: ${row.row}`);
      rowsRead += 1;
      if (row.kind === 'refused') named(row.code);
      packer.add(row);
      if (packer.isFull) packer.take();
    }
    return undefined;
  };
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(random.pick([7, 500, 100_000]));
    const refusal = take(reader.write(bytes.subarray(at, end)));
    if (refusal !== undefined) return refusal;
    at = end;
  }
  return take(reader.end()) ?? (rowsRead === 0 ? 'read, no row' : 'read');
}

function reading(): ReaderContext {
  return {
    zone,
    mapping: parseMapping(bases.mapping) ?? null,
    onMapping: () => undefined,
    concepts: readConcepts(),
    medications: new FhirMedications(),
  };
}

function named(code: string): string {
  if (code in reasonOf) return code;
  throw new Error(`a refusal without a name: ${code}`);
}

let concepts: OmopConcepts | undefined;

/** Read once; a mutated concept table adds to it, as a second one of a batch would. */
function readConcepts(): OmopConcepts {
  if (concepts !== undefined) return concepts;
  concepts = new OmopConcepts();
  const bytes = Buffer.from(bases.concepts);
  const context = {
    zone,
    mapping: null,
    onMapping: () => undefined,
    concepts,
    medications: new FhirMedications(),
  };
  const reader = openReader(recogniseFormat(bytes), context);
  if ('code' in reader) throw new Error(reader.code);
  for (const row of [...reader.write(bytes), ...reader.end()])
    if (row.kind === 'refused') throw new Error(row.code);
  return concepts;
}
