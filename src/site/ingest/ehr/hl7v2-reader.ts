// HL7 v2 messages of a file or an interface, one after the other. Rows: of a message that is read its patients, merges, visits,
// diagnoses, procedures, observations and drugs; any other message is one row, not needed.
import type { PatientKey } from '#site/deidentify/index.ts';
import { type ReadRow, type RecordReader, RowRefusal } from '../clinical-record.ts';
import type { TimeZone } from '../time-zone.ts';
import { deathFact } from './death.ts';
import { readHl7Time } from './hl7-time.ts';
import { readDiagnosisSegment, readProcedureSegment, readVisitSegment } from './hl7v2-admission.ts';
import { BatchSplitter, type BatchTrailer, type RawMessage } from './hl7v2-batch.ts';
import type { MessageContext, SegmentReading } from './hl7v2-context.ts';
import { type MessageHeader, openMessageDecoder, readHeader } from './hl7v2-header.ts';
import { readDrugSegment } from './hl7v2-medication.ts';
import { FieldReader, readDelimiters, readSegment, type Segment } from './hl7v2-message.ts';
import { readObservationSegment } from './hl7v2-observation.ts';
import { readLife, readPatientKey, readPatientSegment, readRetiredKey } from './hl7v2-patient.ts';
import { RecordOccurrences } from './record-occurrences.ts';

type SegmentRead = (segment: Segment, context: MessageContext) => SegmentReading;

const visitReads: Readonly<Record<string, SegmentRead>> = {
  PV1: readVisitSegment,
  DG1: readDiagnosisSegment,
  PR1: readProcedureSegment,
  OBX: readObservationSegment,
};
/** What is read of a message, by its type; a segment that is not named belongs to the one before it. */
const readsOf: Readonly<Record<string, Readonly<Record<string, SegmentRead>>>> = {
  ADT: visitReads,
  ORU: { OBX: readObservationSegment },
  VXU: { RXA: readDrugSegment },
  RAS: { RXA: readDrugSegment },
  RDE: { RXE: readDrugSegment },
  RDS: { RXD: readDrugSegment },
};
/** Admissions, transfers, discharges, their cancellations, registrations and updates; patients that are merged or renumbered. */
const admissionTriggers = new Set('A01 A02 A03 A04 A05 A06 A07 A08 A11 A12 A13 A14 A23 A28 A31'.split(' '));
const mergeTriggers = new Set('A18 A30 A34 A36 A39 A40 A46 A47'.split(' '));
/** Deletes a person: only a person may. */
const deletePerson = 'A29';

export class Hl7v2Reader implements RecordReader {
  readonly #zone: TimeZone;
  readonly #splitter = new BatchSplitter();
  #inBatch = 0;

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  *write(bytes: Uint8Array): Generator<ReadRow> {
    for (const part of this.#splitter.write(bytes)) yield* this.#take(part);
  }

  *end(): Generator<ReadRow> {
    for (const part of this.#splitter.end()) yield* this.#take(part);
  }

  *#take(part: RawMessage | BatchTrailer): Generator<ReadRow> {
    if ('lines' in part) {
      this.#inBatch += 1;
      yield* readMessage(part, this.#zone);
      return;
    }
    const isShort = part.stated !== null && part.stated !== this.#inBatch;
    this.#inBatch = 0;
    if (isShort) yield { kind: 'file-refused', code: 'TRUNCATED', field: 'BTS-1' };
  }
}

/** @returns rows of one message; one refused row where its header cannot be read. */
export function* readMessage(raw: RawMessage, zone: TimeZone): Generator<ReadRow> {
  const row = raw.lines[0]?.row ?? raw.brokenAt ?? 1;
  let message: ParsedMessage;
  try {
    message = parseMessage(raw);
  } catch (error) {
    if (!(error instanceof RowRefusal)) throw error;
    yield { kind: 'refused', row, code: error.code, field: error.field };
    return;
  }
  yield* readParsedMessage(message, zone);
}

/** Rows of a message whose header could be read. */
export function readParsedMessage(message: ParsedMessage, zone: TimeZone): Generator<ReadRow> {
  return new MessageRows(message, zone).read(message.segments[0]?.row ?? 1);
}

export interface ParsedMessage {
  readonly header: MessageHeader;
  readonly fields: FieldReader;
  readonly segments: readonly Segment[];
}

/** @throws RowRefusal MALFORMED_MESSAGE, MALFORMED_ROW, NOT_UTF8, ROW_TOO_LONG, UNSUPPORTED_ENCODING. */
export function parseMessage({ lines, brokenAt, isHeaded }: RawMessage): ParsedMessage {
  const [first] = lines;
  if (first === undefined || !isHeaded) throw new RowRefusal('MALFORMED_MESSAGE', 'MSH');
  if (brokenAt !== null) throw new RowRefusal('ROW_TOO_LONG', null);
  const delimiters = readDelimiters(first.bytes.toString('latin1'));
  const fields = new FieldReader(delimiters);
  const plainHeader = readSegment(first.bytes.toString('latin1'), first.row, delimiters);
  const decode = openMessageDecoder(fields.text(plainHeader, 18));
  const joined: { row: number; text: string }[] = [];
  for (const { row, bytes } of lines) {
    const text = decode(bytes);
    const last = joined.at(-1);
    // A line that begins no segment goes on with the text of the one before.
    const isSegment =
      /^[A-Z][A-Z0-9]{2}$/.test(text.slice(0, 3)) && [delimiters.field, ''].includes(text.charAt(3));
    if (isSegment || last === undefined) joined.push({ row, text });
    else last.text += ` ${text}`;
  }
  const segments = joined.map(({ row, text }) => readSegment(text, row, delimiters));
  const [header = plainHeader] = segments;
  return { header: readHeader(header, fields), fields, segments };
}

class MessageRows {
  readonly #message: ParsedMessage;
  readonly #zone: TimeZone;
  #patient: PatientKey | undefined;
  readonly #above = new Map<string, Segment>();
  readonly #occurrences = new RecordOccurrences();

  constructor(message: ParsedMessage, zone: TimeZone) {
    this.#message = message;
    this.#zone = zone;
  }

  *read(row: number): Generator<ReadRow> {
    const { header, segments } = this.#message;
    const isMerge = header.type === 'ADT' && mergeTriggers.has(header.trigger);
    const reads = isMerge ? {} : this.#reads();
    if (reads === undefined) {
      yield { kind: 'not-needed', row };
      return;
    }
    if (header.type === 'ADT' && header.trigger === deletePerson) {
      yield { kind: 'refused', row, code: 'UNSUPPORTED_REQUEST', field: 'MSH-9' };
      return;
    }
    if (!segments.some(({ name }) => name === 'PID'))
      yield { kind: 'refused', row, code: 'MISSING_FIELD', field: 'PID' };
    for (const segment of segments) {
      const read = Object.hasOwn(reads, segment.name) ? reads[segment.name] : undefined;
      this.#stand(segment);
      if (segment.name === 'PID') yield this.#guarded(segment.row, () => this.#readPatient(segment));
      else if (isMerge && segment.name === 'MRG')
        yield this.#guarded(segment.row, () => this.#readMerge(segment));
      else if (read !== undefined) yield this.#guarded(segment.row, () => this.#readSegment(segment, read));
    }
  }

  #reads(): Readonly<Record<string, SegmentRead>> | undefined {
    const { type, trigger } = this.#message.header;
    if (type === 'ADT' && !admissionTriggers.has(trigger) && trigger !== deletePerson) return undefined;
    return Object.hasOwn(readsOf, type) ? readsOf[type] : undefined;
  }

  /** A new order begins with its ORC, or with an OBR that has none before it. */
  #stand(segment: Segment): void {
    if (segment.name === 'PID') for (const name of ['PV1', 'ORC', 'OBR', 'TQ1']) this.#above.delete(name);
    if (segment.name === 'ORC') for (const name of ['OBR', 'TQ1']) this.#above.delete(name);
    // Of several timings of an order the first is its start.
    if (segment.name === 'TQ1' && this.#above.has('TQ1')) return;
    if (segment.name === 'OBR' && this.#above.has('OBR')) this.#above.delete('ORC');
    if (['EVN', 'PID', 'PV1', 'ORC', 'OBR', 'TQ1'].includes(segment.name))
      this.#above.set(segment.name, segment);
  }

  #guarded(row: number, read: () => ReadRow): ReadRow {
    try {
      return read();
    } catch (error) {
      if (error instanceof RowRefusal) return { kind: 'refused', row, code: error.code, field: error.field };
      throw error;
    }
  }

  #readPatient(segment: Segment): ReadRow {
    const { fields, header } = this.#message;
    this.#patient = undefined;
    this.#patient = readPatientKey(segment, fields, header);
    const patient = readPatientSegment(segment, fields, header);
    // A message that does not state it leaves a death as it is.
    const says = readLife(segment, fields);
    const death = says === undefined ? undefined : ({ source: 'hl7v2', says } as const);
    const stated = fields.text(segment, 29);
    const { authority, identifier } = patient.key;
    const sourceId = stated === '' && says !== 'alive' ? null : ['hl7v2', 'patient', authority, identifier];
    const facts = stated === '' ? [] : [deathFact(readHl7Time(stated, 'PID-29', this.#zone))];
    const record = { subject: patient.key, patient, death, sourceId, facts, consents: [] };
    return { kind: 'record', row: segment.row, record };
  }

  #readMerge(segment: Segment): ReadRow {
    const { fields, header } = this.#message;
    const survivor = this.#patientKey();
    const retired = readRetiredKey(segment, fields, header);
    const isSame = survivor.authority === retired.authority && survivor.identifier === retired.identifier;
    return isSame
      ? { kind: 'not-needed', row: segment.row }
      : { kind: 'merge', row: segment.row, survivor, retired, aliases: [] };
  }

  #patientKey(): PatientKey {
    if (this.#patient === undefined) throw new RowRefusal('UNRESOLVED_REFERENCE', 'PID-3');
    return this.#patient;
  }

  #readSegment(segment: Segment, read: SegmentRead): ReadRow {
    const { fields, header } = this.#message;
    const patient = this.#patientKey();
    const { row } = segment;
    const reading = read(segment, { fields, header, zone: this.#zone, patient, above: this.#above });
    if (reading === null) return { kind: 'not-needed', row };
    if (reading.facts === null) return { kind: 'deletion', row, sourceId: reading.sourceId };
    const sourceId = this.#identify(reading.sourceId, JSON.stringify(reading.facts));
    return {
      kind: 'record',
      row,
      record: { subject: patient, patient: null, sourceId, facts: reading.facts, consents: [] },
    };
  }

  #identify(base: readonly string[], content: string): readonly string[] {
    const occurrence = this.#occurrences.numberOf(JSON.stringify(base), content);
    return occurrence === 0 ? base : [...base, String(occurrence)];
  }
}
