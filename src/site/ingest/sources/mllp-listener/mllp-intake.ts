// What becomes of one HL7 v2 message from the network, before it is answered: read (cheap), refused by name, or sealed in the inbox.

import { toHex } from '#base/bytes.ts';
import { type Clock, isoTime } from '#base/clock.ts';
import { createSha256 } from '#federation/crypto/digest.ts';
import { RowRefusal } from '../../clinical-record.ts';
import { BatchSplitter, type RawMessage } from '../../ehr/hl7v2-batch.ts';
import type { MessageHeader } from '../../ehr/hl7v2-header.ts';
import { type ParsedMessage, parseMessage, readParsedMessage } from '../../ehr/hl7v2-reader.ts';
import { openTimeZone } from '../../time-zone.ts';
import type { Inbox } from '../inbox.ts';
import { InboxError } from '../inbox-error.ts';
import type { MllpAnswer, MllpRefusalCode } from './mllp-answer.ts';
import type { MllpMessage } from './mllp-frame.ts';

export interface MllpIntakeOptions {
  readonly inbox: Pick<Inbox, 'append'>;
  /** The source's name at this site. */
  readonly label: string;
  /** MSH-11 values that are taken: a test system must not write into the records. */
  readonly processingIds: readonly string[];
  readonly clock: Clock;
}

export interface MllpVerdict {
  /** Null where nothing is answered: an acknowledgment is not acknowledged. */
  readonly answer: MllpAnswer | null;
  readonly header: MessageHeader | null;
  /** Came before, and was not stored again. */
  readonly isRepeated: boolean;
}

/** Messages that are remembered; one that comes again later is found by its content when it is imported. */
const rememberedMessages = 10_000;
const accepted: MllpAnswer = { kind: 'AA', code: null, field: null };
/** Which day it was does not decide whether a message is taken. */
const anyZone = openTimeZone('UTC');
const versionPattern = /^2\.[1-9](?:\.\d)?$/;

export class MllpIntake {
  readonly #options: MllpIntakeOptions;
  /** Oldest first. */
  readonly #seen = new Set<string>();
  #sequence = 0;

  constructor(options: MllpIntakeOptions) {
    this.#options = options;
  }

  /** Durable when it returns AA. */
  async take({ bytes, isTooLong }: MllpMessage): Promise<MllpVerdict> {
    const [raw, other] = split(bytes);
    let message: ParsedMessage;
    try {
      message = parseMessage(raw ?? { lines: [], brokenAt: null, isHeaded: false });
    } catch (error) {
      if (!(error instanceof RowRefusal)) throw error;
      // Nothing says which message it was: there is nobody to tell more.
      const code = isTooLong ? 'MESSAGE_TOO_LONG' : error.code;
      return { answer: { kind: 'AR', code, field: error.field }, header: null, isRepeated: false };
    }
    const { header } = message;
    if (header.type === 'ACK') return { answer: null, header, isRepeated: false };
    const refusal = isTooLong
      ? 'MESSAGE_TOO_LONG'
      : other !== undefined
        ? 'SEVERAL_MESSAGES'
        : this.#refusalOf(header);
    if (refusal !== undefined) return this.#rejected(refusal, header);
    const error = contentError(message);
    if (error !== undefined) return { answer: error, header, isRepeated: false };
    return this.#store(message, bytes);
  }

  #refusalOf({ version, processingId }: MessageHeader): MllpRefusalCode | undefined {
    if (!versionPattern.test(version)) return 'UNSUPPORTED_VERSION';
    return this.#options.processingIds.includes(processingId) ? undefined : 'UNSUPPORTED_PROCESSING_ID';
  }

  #rejected(code: MllpRefusalCode, header: MessageHeader): MllpVerdict {
    const fields: Partial<Record<MllpRefusalCode, string>> = {
      UNSUPPORTED_PROCESSING_ID: 'MSH-11',
      UNSUPPORTED_VERSION: 'MSH-12',
    };
    return { answer: { kind: 'AR', code, field: fields[code] ?? null }, header, isRepeated: false };
  }

  async #store({ header }: ParsedMessage, bytes: Buffer): Promise<MllpVerdict> {
    const name = nameOf(header, bytes);
    if (this.#seen.has(name)) return { answer: accepted, header, isRepeated: true };
    const receivedAt = isoTime(this.#options.clock.nowMs());
    this.#sequence += 1;
    const file = `${receivedAt.replaceAll(/[-:.]/g, '')}-${this.#sequence}.hl7`;
    try {
      await this.#options.inbox.append({
        header: { kind: 'mllp', label: this.#options.label, receivedAt, name: file },
        bytes,
      });
    } catch (error) {
      if (!(error instanceof InboxError)) throw error;
      return this.#rejected(error.code, header);
    }
    if (this.#seen.size >= rememberedMessages)
      for (const oldest of [...this.#seen].slice(0, 100)) this.#seen.delete(oldest);
    this.#seen.add(name);
    return { answer: accepted, header, isRepeated: false };
  }
}

function split(bytes: Buffer): readonly RawMessage[] {
  const splitter = new BatchSplitter();
  return [...splitter.write(bytes), ...splitter.end()].flatMap((part) => ('lines' in part ? [part] : []));
}

/** A message of which nothing can be taken; one that is taken in part is, and its refused rows are listed with its file. */
function contentError(message: ParsedMessage): MllpAnswer | undefined {
  let first: MllpAnswer | undefined;
  for (const row of readParsedMessage(message, anyZone)) {
    if (row.kind !== 'refused') return undefined;
    first ??= { kind: 'AE', code: row.code, field: row.field };
  }
  return first;
}

/** Sender, control id and content behind the header: a sender that repeats itself changes its header's time; one that begins its ids anew, the content. */
function nameOf({ application, facility, controlId }: MessageHeader, bytes: Buffer): string {
  const digest = createSha256();
  digest.update(Buffer.from(JSON.stringify([application, facility, controlId])));
  digest.update(bytes.subarray(Math.max(0, bytes.indexOf(0x0d))));
  return toHex(digest.digest());
}
