// An entry as a syslog message (RFC 5424) with a DICOM audit message in it, in the frame of syslog over TLS (RFC 5425), as IHE ITI-20 has it.
import { dicomAuditMessage } from '../formats/dicom-audit-message.ts';
import type { EntrySource, ExportedEntry } from '../formats/exported-entry.ts';

/** Facility 10, security and authorization. */
const facility = 10;
const severities = { success: 5, refused: 4, failed: 4 } as const;
/** RFC 5424 section 7.3.1: numbers of `meta sequenceId` begin again behind this one. */
const lastSequenceId = 2_147_483_647;

/** @param hostName of the sender: printable ASCII without a space, at most 255 characters */
export function syslogMessage(entry: ExportedEntry, source: EntrySource, hostName: string): string {
  const { leaf } = entry;
  const priority = facility * 8 + severities[leaf.outcome];
  const sequence = `[meta sequenceId="${(leaf.seq % lastSequenceId) + 1}"]`;
  const header = `<${priority}>1 ${leaf.time} ${hostName} consilium ${leaf.boot} IHE+RFC-3881 ${sequence}`;
  return `${header} \ufeff${dicomAuditMessage(entry, source)}`;
}

/** Octet counting of RFC 5425 section 4.3: length, space, message. */
export function syslogFrame(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}

/** A host name as a syslog header may have it; a hyphen stands for none. */
export function syslogHostName(name: string): string {
  return /^[\x21-\x7e]{1,255}$/.test(name) ? name : '-';
}
