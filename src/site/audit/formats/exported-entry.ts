// An entry of the log as the readable formats take it: the leaf, its hash, the detail that is still there, and what the letters of others
// are for it.
import { toHex } from '#base/bytes.ts';
import { type Leaf, type Outcome, parseLeaf } from '#federation/log/leaf.ts';
import { hashLeafText } from '#federation/log/merkle-tree.ts';

export interface ExportedEntry {
  readonly leaf: Leaf;
  /** 64 hexadecimal digits. */
  readonly leafHash: string;
  /** JSON text; null where there is none, or it was erased. */
  readonly detail: string | null;
}

/** Which log an entry is of. */
export interface EntrySource {
  /** As in its checkpoints. */
  readonly origin: string;
}

/** @throws LogError BAD_LEAF. */
export function exportedEntry(line: string, detail: string | null): ExportedEntry {
  return { leaf: parseLeaf(line), leafHash: toHex(hashLeafText(line)), detail };
}

/** EventOutcomeIndicator of PS3.15 A.5 and AuditEvent.outcome of FHIR R4: a refusal did no harm, a failure ended the act. */
export const outcomeCodes: Readonly<Record<Outcome, '0' | '4' | '8'>> = {
  success: '0',
  refused: '4',
  failed: '8',
};

export interface NamedObject {
  /** `subject`, `update`, `plan` … */
  readonly type: string;
  readonly id: string;
}

/** What an entry is about, taken apart; one that is not `type:id` is a thing by itself. */
export function objectOf({ object }: Leaf): NamedObject | null {
  if (object === null) return null;
  const split = object.indexOf(':');
  return split <= 0
    ? { type: 'object', id: object }
    : { type: object.slice(0, split), id: object.slice(split + 1) };
}

/** Where an entry stands: names it among all logs for good. */
export function leafUri({ origin }: EntrySource, seq: number): string {
  return `https://${origin}/${seq}`;
}
