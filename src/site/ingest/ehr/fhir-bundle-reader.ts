// A FHIR R4 Bundle. It is read whole before anything of it is taken: a bundle that breaks off gives nothing.
import { fromUtf8 } from '#base/bytes.ts';
import { type ReadRow, type RecordReader, RowRefusal, readRow } from '../clinical-record.ts';
import type { FileRefusalCode } from '../ingest-error.ts';
import { check, idOf, readResource, resourceTypeOf } from './fhir-record.ts';
import { byResourceId, lastingIdentifier, type ReferredPatient } from './fhir-reference.ts';
import { patientSchema } from './fhir-resource.ts';
import { scanJson } from './json-scan.ts';

/** A bundle lies in memory as a whole. */
export const maxBundleBytes = 134_217_728;

const bundleTypes = new Set(['collection', 'transaction', 'batch', 'searchset']);

export class BundleReader implements RecordReader {
  #parts: Uint8Array[] = [];
  #size = 0;

  *write(bytes: Uint8Array): Generator<ReadRow> {
    this.#size += bytes.length;
    if (this.#size > maxBundleBytes) {
      this.#parts = [];
      yield { kind: 'file-refused', code: 'FILE_TOO_LARGE', field: null };
      return;
    }
    this.#parts.push(bytes);
  }

  *end(): Generator<ReadRow> {
    const entries = readEntries(this.#parts);
    this.#parts = [];
    if (typeof entries === 'string') {
      yield { kind: 'file-refused', code: entries, field: entries === 'UNSUPPORTED_BUNDLE' ? 'type' : null };
      return;
    }
    const patients = readPatients(entries);
    // Patients first: facts then find their age at once, wherever the patient stands in the bundle.
    const isPatient = (entry: unknown): boolean => resourceTypeOf(resourceOf(entry)) === 'Patient';
    const numbered = entries.map((entry, index) => ({ entry, row: index + 1 }));
    const ordered = [
      ...numbered.filter(({ entry }) => isPatient(entry)),
      ...numbered.filter(({ entry }) => !isPatient(entry)),
    ];
    for (const { entry, row } of ordered) yield readRow(row, () => readEntry(entry, patients));
  }
}

function readEntries(parts: readonly Uint8Array[]): unknown[] | FileRefusalCode {
  let text: string;
  try {
    text = fromUtf8(Buffer.concat(parts));
  } catch {
    return 'NOT_UTF8';
  }
  const { shape } = scanJson(text);
  if (shape === 'truncated') return 'TRUNCATED';
  if (shape === 'too-deep') return 'TOO_DEEP';
  if (shape !== 'whole') return 'MALFORMED_JSON';
  let bundle: unknown;
  try {
    bundle = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch {
    return 'MALFORMED_JSON';
  }
  const { type, entry } = bundle as { type?: unknown; entry?: unknown };
  if (typeof type !== 'string' || !bundleTypes.has(type)) return 'UNSUPPORTED_BUNDLE';
  if (entry === undefined) return 'EMPTY_FILE';
  return Array.isArray(entry) ? entry : 'MALFORMED_JSON';
}

function resourceOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null ? (entry as { resource?: unknown }).resource : undefined;
}

function fullUrlOf(entry: unknown): string | null {
  const url =
    typeof entry === 'object' && entry !== null ? (entry as { fullUrl?: unknown }).fullUrl : undefined;
  return typeof url === 'string' && url.length <= 1000 ? url : null;
}

/** How facts of this bundle name its patients: by the lasting identifier, so that a reused resource id joins nobody's records. */
function readPatients(entries: readonly unknown[]): Map<string, ReferredPatient> {
  const patients = new Map<string, ReferredPatient>();
  for (const entry of entries) {
    if (resourceTypeOf(resourceOf(entry)) !== 'Patient') continue;
    const read = readRow(1, () => {
      const fullUrl = fullUrlOf(entry);
      const resource = check(patientSchema, resourceOf(entry));
      const id = idOf(resource.id, fullUrl);
      const referred = { ...byResourceId(id), key: lastingIdentifier(resource) ?? byResourceId(id).key };
      patients.set(`Patient/${id}`, referred);
      if (fullUrl !== null) patients.set(fullUrl, referred);
      return null;
    });
    // A patient that cannot be read is refused when its own turn comes.
    if (read.kind === 'refused') continue;
  }
  return patients;
}

function readEntry(entry: unknown, patients: ReadonlyMap<string, ReferredPatient>) {
  const method = (entry as { request?: { method?: unknown } } | null)?.request?.method;
  if (method === 'DELETE' || resourceOf(entry) === undefined)
    throw new RowRefusal('UNSUPPORTED_REQUEST', 'request.method');
  return readResource(resourceOf(entry), { fallbackId: fullUrlOf(entry), patients });
}
