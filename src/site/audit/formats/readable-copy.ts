// A copy of an exported log for other readers: a table for people, FHIR or DICOM for an audit record repository. Made from the files that
// can be verified, entry by entry, with memory for one block of each: a log of years takes no more than one of a day.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileBlocks } from '#base/file-blocks.ts';
import { parseLogTrust } from '#federation/log/exported-log.ts';
import { AuditError } from '../audit-error.ts';
import { syncFolder, writeDurably } from '../durable-file.ts';
import { csvHeader, csvRow } from './audit-csv.ts';
import { dicomAuditMessage } from './dicom-audit-message.ts';
import { type EntrySource, type ExportedEntry, exportedEntry } from './exported-entry.ts';
import { fhirAuditEvent } from './fhir-audit-event.ts';

interface Format {
  readonly file: string;
  readonly header: string;
  readonly encode: (entry: ExportedEntry, source: EntrySource) => string;
}

const formats = {
  csv: { file: 'audit.csv', header: csvHeader, encode: csvRow },
  fhir: {
    file: 'audit-events.ndjson',
    header: '',
    encode: (entry, source) => `${JSON.stringify(fhirAuditEvent(entry, source))}\n`,
  },
  dicom: {
    file: 'audit-messages.ndxml',
    header: '',
    encode: (entry, source) => `${dicomAuditMessage(entry, source)}\n`,
  },
} as const satisfies Readonly<Record<string, Format>>;

export type ReadableFormat = keyof typeof formats;
export const readableFormats = Object.keys(formats) as ReadableFormat[];

/**
 * Writes the copy into the folder that `exportAudit` wrote, and gives the name of its file.
 * @throws AuditError AUDIT_EXPORT_FAILED when the folder holds no export, or the file cannot be written; LogError BAD_LEAF.
 */
export function writeReadableCopy(directory: string, format: ReadableFormat): string {
  const { file, header, encode }: Format = formats[format];
  try {
    const [log] = parseLogTrust(readFileSync(path.join(directory, 'log-key.json'), 'utf8'));
    const source: EntrySource = { origin: log?.origin ?? '' };
    writeDurably(path.join(directory, file), copyParts());
    syncFolder(directory);
    function* copyParts(): Iterable<string> {
      yield header;
      for (const entry of exportedEntries(directory)) yield encode(entry, source);
    }
    return file;
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) {
      throw new AuditError('AUDIT_EXPORT_FAILED', 'the copy could not be written to the folder', { cause });
    }
    throw cause;
  }
}

/** Entries with the details that were not erased. */
function* exportedEntries(directory: string): Iterable<ExportedEntry> {
  const details = fileLines(path.join(directory, 'details.jsonl'));
  const nextDetail = (): { readonly seq: number; readonly detail: string } | undefined => {
    const next = details.next();
    return next.done === true ? undefined : JSON.parse(next.value);
  };
  let detail = nextDetail();
  let seq = 0;
  for (const line of fileLines(path.join(directory, 'leaves.jsonl'))) {
    while (detail !== undefined && detail.seq < seq) detail = nextDetail();
    yield exportedEntry(line, detail?.seq === seq ? detail.detail : null);
    seq += 1;
  }
}

/** Lines of a file, without their line feeds, with memory for a block and the longest line. */
function* fileLines(file: string): Generator<string, void, undefined> {
  let rest = Buffer.alloc(0);
  for (const block of fileBlocks(file)) {
    const bytes = Buffer.concat([rest, block]);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      yield bytes.toString('utf8', start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield rest.toString('utf8');
}
