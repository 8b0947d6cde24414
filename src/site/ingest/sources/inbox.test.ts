import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '#base/bytes.ts';
import { type Inbox, type InboxOptions, openInbox } from './inbox.ts';
import { DamagedEntry, type InboxItem } from './inbox-queue.ts';

const linkageKey = new Uint8Array(32).fill(5);
const header = (name: string) => ({
  kind: 'test',
  label: 'Ward 7',
  receivedAt: '2026-11-25T08:00:00.000Z',
  name,
});
const entry = (name: string, text = `text of ${name}`) => ({ header: header(name), bytes: utf8(text) });
const refused = (code: string) => expect.objectContaining({ code });

let profile: string;
let opened: Inbox[];
let damage: number[];
beforeEach(() => {
  profile = mkdtempSync(path.join(tmpdir(), 'consilium-inbox-'));
  opened = [];
  damage = [];
});
afterEach(async () => {
  for (const inbox of opened) await inbox.close();
  rmSync(profile, { recursive: true });
});

function open(options: Partial<InboxOptions> = {}): Inbox {
  const onDamage = (byteCount: number) => void damage.push(byteCount);
  const inbox = openInbox({ profile, linkageKey, onDamage, limits: { minFreeBytes: 0 }, ...options });
  opened.push(inbox);
  return inbox;
}

const files = () => readdirSync(path.join(profile, 'inbox')).sort();
const fileOf = (name: string) => path.join(profile, 'inbox', name);

async function takeAll(inbox: Inbox): Promise<InboxItem[]> {
  const items: InboxItem[] = [];
  for (;;) {
    const item = await inbox.take();
    if (item === undefined) return items;
    items.push(item);
  }
}

async function textOf(item: InboxItem | undefined): Promise<string> {
  const parts: Uint8Array[] = [];
  if (item !== undefined) for await (const part of item.read()) parts.push(part);
  return fromUtf8(Buffer.concat(parts));
}

const textsIn = async (inbox: Inbox) => Promise.all((await takeAll(inbox)).map(textOf));

describe('the inbox', () => {
  it('gives entries in the order in which they came, with what is known of them', async () => {
    const inbox = open();
    await inbox.append(entry('a'));
    await Promise.all([inbox.append(entry('b')), inbox.append(entry('c'))]);
    const items = await takeAll(inbox);
    expect(items.map((item) => item.header)).toEqual(['a', 'b', 'c'].map(header));
    expect(await Promise.all(items.map(textOf))).toEqual(['text of a', 'text of b', 'text of c']);
    await inbox.append(entry('d'));
    expect(await textsIn(inbox)).toEqual(['text of d']);
  });

  it('takes entries longer than a frame in parts, and leaves nothing of one that was abandoned', async () => {
    const inbox = open();
    const bytes = Buffer.alloc(3_500_000, 'abcdefghijk');
    const writer = inbox.openEntry(header('long'));
    for (let at = 0; at < bytes.length; at += 300_001) await writer.write(bytes.subarray(at, at + 300_001));
    await writer.commit();
    const other = inbox.openEntry(header('left'));
    await other.write(Buffer.alloc(2_500_000));
    await other.write(Buffer.alloc(2_500_000));
    await other.abandon();
    await inbox.append({ header: header('one piece'), bytes });
    expect(files()).toHaveLength(2);
    expect(await textsIn(inbox)).toEqual([bytes.toString(), bytes.toString()]);
    expect(inbox.heldBytes).toBe(files().reduce((total, name) => total + statSync(fileOf(name)).size, 0));
  });

  it('has nothing readable on the disk', async () => {
    const inbox = open();
    await inbox.append(entry('Mustermann.dcm', 'Otto Mustermann'));
    await inbox.append({ header: header('long'), bytes: Buffer.alloc(2_000_000, 'Otto Mustermann') });
    const text = files()
      .map((name) => readFileSync(fileOf(name), 'latin1'))
      .join('');
    expect(text.length).toBeGreaterThan(2_000_000);
    for (const secret of ['Mustermann', 'Ward 7', 'test', '2026']) expect(text).not.toContain(secret);
  });

  it('keeps across a restart what was not removed, and only that', async () => {
    const first = open();
    for (const name of ['a', 'b', 'c', 'd']) await first.append(entry(name));
    const items = await takeAll(first);
    await items[1]?.remove();
    await items[0]?.remove();
    await items[3]?.remove();
    await first.close();
    const second = open();
    // The last was removed out of order: it may come again and is then found by its content.
    expect(await textsIn(second)).toEqual(['text of c', 'text of d']);
  });

  it('finds after a restart what it wrote beside the rest of a long entry that a kill cut off, whatever that is called', async () => {
    const before = open();
    await before.close();
    writeFileSync(fileOf('1234567890123abc.partial'), 'x');
    const first = open();
    await first.append(entry('a'));
    await first.close();
    expect(await textsIn(open())).toEqual(['text of a']);
  });

  it('is empty on the disk when all of it is removed', async () => {
    const inbox = open();
    for (const name of ['a', 'b']) await inbox.append(entry(name));
    await inbox.append({ header: header('long'), bytes: Buffer.alloc(2_000_000, 'x') });
    for (const item of await takeAll(inbox)) await item.remove();
    await inbox.close();
    expect(files()).toEqual([]);
    expect(inbox.heldBytes).toBe(0);
  });

  it('loses nothing that comes while the log is renewed', async () => {
    const inbox = open();
    const texts: string[] = [];
    for (let round = 0; round < 40; round++) {
      const long = entry(String(round), `${round} ${'x'.repeat(200_000)}`);
      const appended = Promise.all([inbox.append(long), inbox.append(entry(`${round}b`, `${round}b`))]);
      for (const item of await takeAll(inbox)) {
        texts.push((await textOf(item)).slice(0, 4).trim());
        await item.remove();
      }
      await appended;
    }
    for (const item of await takeAll(inbox)) {
      texts.push((await textOf(item)).slice(0, 4).trim());
      await item.remove();
    }
    const expected = Array.from({ length: 40 }, (_, round) => [`${round}`, `${round}b`]).flat();
    expect(texts.map((text) => text.replace(/ .*/, '')).sort()).toEqual(expected.sort());
    expect(await takeAll(inbox)).toEqual([]);
    await inbox.append(entry('last'));
    expect(inbox.heldBytes).toBeLessThan(5_000_000);
  });

  it('is tidy when all of it is done, and takes what comes after', async () => {
    const inbox = open();
    await inbox.append(entry('a'));
    await inbox.tidy();
    expect(files()).toHaveLength(1);
    for (const item of await takeAll(inbox)) await item.remove();
    await inbox.tidy();
    expect(files()).toEqual([]);
    await inbox.append(entry('b'));
    expect(await textsIn(inbox)).toEqual(['text of b']);
  });

  it('refuses by name what has no room, and takes it when there is room again', async () => {
    const inbox = open({ limits: { maxBytes: 1_500_000, minFreeBytes: 0 } });
    const large = { header: header('large'), bytes: Buffer.alloc(1_000_000) };
    await inbox.append(large);
    await expect(inbox.append(large)).rejects.toThrow(refused('INBOX_FULL'));
    await expect(inbox.append({ ...large, bytes: Buffer.alloc(3_000_000) })).rejects.toThrow(
      refused('INBOX_FULL'),
    );
    for (const item of await takeAll(inbox)) await item.remove();
    await inbox.append(entry('small'));
    for (const item of await takeAll(inbox)) await item.remove();
    await inbox.append(large);
    expect(await takeAll(inbox)).toHaveLength(1);
  });

  it('leaves the disk the room that the store needs', async () => {
    const inbox = open({ limits: { minFreeBytes: Number.MAX_SAFE_INTEGER } });
    await expect(inbox.append(entry('a'))).rejects.toThrow(refused('INBOX_FULL'));
  });

  it('takes nothing after its end', async () => {
    const inbox = open();
    await inbox.close();
    await expect(inbox.append(entry('a'))).rejects.toThrow(refused('INBOX_CLOSED'));
  });

  it('drains what is there and what comes, until the signal', async () => {
    const inbox = open();
    const stop = new AbortController();
    await inbox.append(entry('a'));
    const texts: string[] = [];
    const drained = (async () => {
      for await (const item of inbox.drain(stop.signal)) {
        texts.push(await textOf(item));
        await item.remove();
        if (texts.length === 2) stop.abort();
        else await inbox.append(entry('b'));
      }
    })();
    await drained;
    expect(texts).toEqual(['text of a', 'text of b']);
  });
});

describe('an inbox that was cut off', () => {
  it('gives every whole entry, wherever its tail is torn', async () => {
    const first = open();
    for (const name of ['a', 'b', 'c']) await first.append(entry(name));
    await first.close();
    const [segment = ''] = files();
    const whole = readFileSync(fileOf(segment));
    for (const cut of [1, 10, 30, 120, 180, 240, whole.length - 3]) {
      writeFileSync(fileOf(segment), whole);
      truncateSync(fileOf(segment), whole.length - cut);
      const inbox = open();
      const texts = await textsIn(inbox);
      expect(['text of a', 'text of b']).toEqual(expect.arrayContaining(texts));
      expect(texts.length).toBe(
        Math.max(0, Math.floor((whole.length - cut - 21) / ((whole.length - 21) / 3))),
      );
      await inbox.append(entry('d'));
      expect(await textsIn(inbox)).toEqual(['text of d']);
      await inbox.close();
      for (const name of files()) rmSync(fileOf(name));
    }
    expect(damage).toEqual([]);
  });

  it('says so where a byte in the middle has changed, keeps the file and gives the rest', async () => {
    const first = open();
    for (const name of ['a', 'b', 'c']) await first.append(entry(name));
    await first.close();
    const [segment = ''] = files();
    const bytes = readFileSync(fileOf(segment));
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    writeFileSync(fileOf(segment), bytes);
    const inbox = open();
    const items = await takeAll(inbox);
    expect(await Promise.all(items.map(textOf))).toEqual(['text of a', 'text of c']);
    for (const item of items) await item.remove();
    await inbox.close();
    expect(damage).toHaveLength(1);
    expect(files()).toEqual([`${segment}.damaged`]);
  });

  it.each([
    ['middle', 0.5],
    ['end', 1],
  ])('gives no long entry with a hole where a byte at its %s has changed', async (_, place) => {
    const first = open();
    await first.append({ header: header('long'), bytes: Buffer.alloc(3_500_000, 'x') });
    await first.close();
    const [segment = ''] = files();
    const bytes = readFileSync(fileOf(segment));
    const at = Math.floor((bytes.length - 1) * place);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(fileOf(segment), bytes);
    const [item] = await takeAll(open());
    await expect(textOf(item)).rejects.toBeInstanceOf(DamagedEntry);
  });

  it('has everything that was acknowledged before kill -9', async () => {
    const module = new URL('./inbox.ts', import.meta.url).href;
    const script = `const { openInbox } = await import(${JSON.stringify(module)});
      const inbox = openInbox({ profile: ${JSON.stringify(profile)}, linkageKey: new Uint8Array(32).fill(5), limits: { minFreeBytes: 0 } });
      for (let index = 0; ; index++) {
        const header = { kind: 'test', label: 'x', receivedAt: '', name: String(index) };
        await inbox.append({ header, bytes: Buffer.alloc(index % 50 === 49 ? 2_500_000 : 5_000, String(index)) });
        process.stdout.write(index + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.split('\n').length > 130) child.kill('SIGKILL');
      });
      child.on('exit', () => resolve());
    });
    const acknowledged = Number(output.trim().split('\n').at(-1));
    const items = await takeAll(open());
    const names = items.map((item) => item.header.name);
    expect(acknowledged).toBeGreaterThan(100);
    for (let index = 0; index <= acknowledged; index++) expect(names).toContain(String(index));
    for (const item of items) {
      const text = await textOf(item);
      const { name } = item.header;
      const length = Number(name) % 50 === 49 ? 2_500_000 : 5_000;
      expect(text).toBe(Buffer.alloc(length, name).toString());
    }
    expect(damage).toEqual([]);
  });
});
