import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '#base/logger.ts';
import { type MllpSender, openMllpSender } from '#support/mllp-sender.ts';
import type { InboxEntry } from '../inbox.ts';
import { InboxError } from '../inbox-error.ts';
import { MllpFrameReader } from './mllp-frame.ts';
import { type MllpListener, type MllpListenerOptions, openMllpListener } from './mllp-listener.ts';

const message = (
  change: { id?: string; type?: string; version?: string; processingId?: string; value?: string } = {},
): string =>
  [
    `MSH|^~\\&|LAB|HOSP|SITE|SITE|20200304101500||${change.type ?? 'ORU^R01'}|${change.id ?? 'm1'}|${change.processingId ?? 'P'}|${change.version ?? '2.5.1'}`,
    'PID|1||77^^^WARD&1.2.3.4&ISO^MR||Byron^Ada||19500501|F',
    'OBR|1|P1|F1|24321-2^BMP^LN|||20200304101500',
    `OBX|1|NM|2951-2^Sodium^LN||${change.value ?? '141'}|mmol/L|||||F`,
    '',
  ].join('\r');

let listener: MllpListener | undefined;
let sender: MllpSender | undefined;
afterEach(async () => {
  sender?.close();
  await listener?.close();
});

interface Listening {
  readonly stored: InboxEntry[];
  readonly logged: string[];
}

async function listen(
  change: Partial<MllpListenerOptions['settings']> = {},
  options: Pick<MllpListenerOptions, 'limits'> & { append?: (entry: InboxEntry) => Promise<void> } = {},
): Promise<Listening> {
  const stored: InboxEntry[] = [];
  const logged: string[] = [];
  const keep = (text: string, fields?: unknown): void => void logged.push(JSON.stringify([text, fields]));
  listener = await openMllpListener({
    settings: { host: '127.0.0.1', port: 0, peers: null, tls: null, processingIds: ['P'], ...change },
    inbox: { append: options.append ?? (async (entry) => void stored.push(entry)) },
    label: 'lab',
    clock: { nowMs: () => Date.UTC(2026, 10, 21, 8) },
    logger: { ...silentLogger, warn: keep, error: keep },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  sender = await openMllpSender(listener.port);
  return { stored, logged };
}
const answerOf = async (text: string | Uint8Array): Promise<string[]> => (await sender?.send(text)) ?? [];
const said = async (text: string | Uint8Array): Promise<string> => (await answerOf(text)).slice(1).join(' ');

describe('the HL7 v2 listener', () => {
  it('ends the connection, and not the site, at an error of its own, and says nothing of the message', async () => {
    let isBroken = true;
    const stored: InboxEntry[] = [];
    const { logged } = await listen(
      {},
      {
        append: async (entry) => {
          if (isBroken) throw new TypeError('Byron');
          stored.push(entry);
        },
      },
    );
    const port = listener?.port ?? 0;
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1').on('close', () => resolve());
      socket.write(Buffer.concat([Buffer.from([0x0b]), Buffer.from(message()), Buffer.from([0x1c, 0x0d])]));
    });
    expect(logged).toEqual([expect.stringContaining('ended')]);
    expect(logged.join('')).not.toContain('Byron');
    isBroken = false;
    expect(await said(message())).toBe('MSA|AA|m1');
    expect(stored).toHaveLength(1);
  });

  it('answers AA when the message is durable, and names it', async () => {
    let isDurable = false;
    const stored: InboxEntry[] = [];
    await listen(
      {},
      {
        append: async (entry) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          isDurable = true;
          stored.push(entry);
        },
      },
    );
    const answer = await answerOf(message());
    expect(isDurable).toBe(true);
    expect(answer[0]).toMatch(
      /^MSH\|\^~\\&\|CONSILIUM\|\|LAB\|HOSP\|20261121080000\+0000\|\|ACK\^R01\^ACK\|[0-9a-f]{16}\|P\|2\.5\.1\|/,
    );
    expect(answer.slice(1)).toEqual(['MSA|AA|m1']);
    expect(
      stored.map(({ header, bytes }) => [
        header.kind,
        header.label,
        header.name,
        Buffer.from(bytes).toString(),
      ]),
    ).toEqual([['mllp', 'lab', '20261121T080000000Z-1.hl7', message()]]);
  });

  it('answers a repeated message again and stores it once; another content under the same id is another message', async () => {
    const { stored } = await listen();
    expect(await said(message())).toBe('MSA|AA|m1');
    expect(await said(message().replace('20200304101500||ORU', '20200304101900||ORU'))).toBe('MSA|AA|m1');
    expect(stored).toHaveLength(1);
    expect(await said(message({ value: '150' }))).toBe('MSA|AA|m1');
    expect(stored).toHaveLength(2);
  });

  it.each([
    [
      'a content that cannot be taken',
      message().replace('77^^^WARD&1.2.3.4&ISO^MR', ''),
      'MSA|AE|m1|MISSING_FIELD ERR||PID^1^3|101^Required field missing^HL70357|E|MISSING_FIELD',
    ],
    [
      'a version that is not 2',
      message({ version: '3.0' }),
      'MSA|AR|m1|UNSUPPORTED_VERSION ERR||MSH^1^12|203^Unsupported version id^HL70357|E|UNSUPPORTED_VERSION',
    ],
    [
      'a test message',
      message({ processingId: 'T' }),
      'MSA|AR|m1|UNSUPPORTED_PROCESSING_ID ERR||MSH^1^11|202^Unsupported processing id^HL70357|E|UNSUPPORTED_PROCESSING_ID',
    ],
    [
      'two messages in a frame',
      message() + message({ id: 'm2' }),
      'MSA|AR|m1|SEVERAL_MESSAGES ERR|||207^Application error^HL70357|E|SEVERAL_MESSAGES',
    ],
    [
      'no HL7 v2 at all',
      'GET / HTTP/1.1',
      'MSA|AR||MALFORMED_MESSAGE ERR||MSH|207^Application error^HL70357|E|MALFORMED_MESSAGE',
    ],
    [
      'an empty frame',
      '',
      'MSA|AR||MALFORMED_MESSAGE ERR||MSH|207^Application error^HL70357|E|MALFORMED_MESSAGE',
    ],
    [
      'a person to delete',
      message({ type: 'ADT^A29' }),
      'MSA|AE|m1|UNSUPPORTED_REQUEST ERR||MSH^1^9|207^Application error^HL70357|E|UNSUPPORTED_REQUEST',
    ],
  ])('refuses %s by name and stores nothing', async (_, text, expected) => {
    const { stored, logged } = await listen();
    expect(await said(text)).toBe(expected);
    expect(stored).toEqual([]);
    expect(logged.join()).not.toMatch(/Byron|WARD|77/);
    // The connection goes on.
    expect(await said(message())).toBe('MSA|AA|m1');
  });

  it('takes what is partly refused, and what is not needed; its import says which rows', async () => {
    const { stored } = await listen();
    expect(await said(message({ value: '<5' }))).toBe('MSA|AA|m1');
    expect(await said(message({ id: 'm2', type: 'SIU^S12' }))).toBe('MSA|AA|m2');
    expect(stored).toHaveLength(2);
  });

  it('escapes what it repeats, and does not acknowledge an acknowledgment', async () => {
    await listen();
    expect(await said(message({ id: 'a\\F\\b\\S\\c' }))).toBe('MSA|AA|a\\F\\b\\S\\c');
    sender?.write(Buffer.from('\u000bMSH|^~\\&|A|B|C|D|2020||ACK|x|P|2.5\rMSA|AA|y\r\u001c\r'));
    expect(await said(message({ id: 'm3' }))).toBe('MSA|AA|m3');
  });

  it('answers AR while the inbox takes nothing, so that the sender keeps the message', async () => {
    let isFull = true;
    await listen(
      {},
      {
        append: async () => {
          if (isFull) throw new InboxError('INBOX_FULL', 'full');
        },
      },
    );
    expect(await said(message())).toContain('MSA|AR|m1|INBOX_FULL');
    isFull = false;
    expect(await said(message())).toBe('MSA|AA|m1');
  });

  it('names a message that is too long and never holds it', async () => {
    const { stored } = await listen({}, { limits: { maxMessageBytes: 10_000 } });
    expect(await said(`${message()}NTE|1||${'x'.repeat(5_000_000)}`)).toContain('MSA|AR|m1|MESSAGE_TOO_LONG');
    expect(await said(message({ id: 'm2' }))).toBe('MSA|AA|m2');
    expect(stored).toHaveLength(1);
  });

  it('reads frames in pieces of any size, several at once, with line ends between them', async () => {
    const { stored } = await listen();
    const frames = Buffer.from(`\u000b${message()}\u001c\r\r\n\u000b${message({ id: 'm2' })}\u001c\r`);
    for (let at = 0; at < frames.length; at += 5) sender?.write(frames.subarray(at, at + 5));
    expect((await sender?.answer())?.[1]).toBe('MSA|AA|m1');
    expect((await sender?.answer())?.[1]).toBe('MSA|AA|m2');
    sender?.write(frames);
    expect((await sender?.answer())?.[1]).toBe('MSA|AA|m1');
    expect((await sender?.answer())?.[1]).toBe('MSA|AA|m2');
    expect(stored).toHaveLength(2);
  });

  it.each([
    ['no MLLP', Buffer.alloc(5_000, 0x41), { messageMs: 60_000 }],
    ['nothing', Buffer.alloc(0), { messageMs: 50 }],
    ['a message that never ends', Buffer.from('\u000bMSH|'), { messageMs: 50 }],
  ])('ends a connection that brings %s', async (_, bytes, limits) => {
    await listen({}, { limits });
    sender?.write(bytes);
    expect(await sender?.answer()).toBeUndefined();
  });

  it('ends an idle connection, and takes no more than it may', async () => {
    await listen({}, { limits: { idleMs: 60, maxConnections: 1 } });
    const second = await openMllpSender(listener?.port ?? 0);
    expect(await second.send(message())).toBeUndefined();
    expect(await said(message())).toBe('MSA|AA|m1');
    expect(await sender?.answer()).toBeUndefined();
  });

  it('serves named peers alone, and none of the network without a name or a certificate', async () => {
    await listen({ peers: ['10.0.0.0/8'] });
    expect(await sender?.send(message())).toBeUndefined();
    await listener?.close();
    await expect(listen({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'MLLP_PEERS_REQUIRED' });
    await listen({ host: '0.0.0.0', peers: ['127.0.0.1'] });
    expect(await said(message())).toBe('MSA|AA|m1');
  });
});

describe('an MLLP frame reader', () => {
  it('gives the same messages however the bytes are cut', () => {
    const bytes = Buffer.from('\n\u000bone\u001ctwo\u001c\r\u000b\u001c\r\r\u000bthree\r\u001c\r');
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new MllpFrameReader(100);
      const found: (string | undefined)[] = [];
      for (let at = 0; at < bytes.length; at += size)
        for (const frame of reader.push(bytes.subarray(at, at + size))) found.push(frame?.bytes.toString());
      expect(found).toEqual(['one\u001ctwo', '', 'three\r']);
    }
  });
});
