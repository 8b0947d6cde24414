// X13: what a hostile or broken caller may try at the DICOM receiver, and that honest callers are served all the while.
import { afterEach, describe, expect, it } from 'vitest';
import {
  associateRequest,
  ctImageStorage,
  DicomCaller,
  dataPdu,
  echoCommand,
  element,
  explicitLittleEndian,
  type Heard,
  pdu,
  releaseRequest,
  storeCommand,
  verification,
} from '#support/dicom-caller.ts';
import {
  openReceiverWorld,
  type ReceiverWorld,
  type ReceiverWorldOptions,
} from '#support/dicom-receiver-world.ts';

let world: ReceiverWorld;
afterEach(async () => {
  await world.close();
});

const open = async (options: ReceiverWorldOptions = {}) => {
  world = await openReceiverWorld(options);
};
const call = () => DicomCaller.connect(world.receiver.port);
const kinds = (heard: readonly Heard[]) => heard.map(({ kind }) => kind);
const end = { kind: 'end' };

/** The last report; it comes a moment after the connection's end. */
async function lastReport(count = 1) {
  for (let tries = 0; world.reports.length < count && tries < 200; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return world.reports.at(-1);
}

async function expectServed(): Promise<void> {
  const caller = await call();
  caller.send(associateRequest(), dataPdu(1, 3, echoCommand()), releaseRequest);
  expect(kinds(await caller.toEnd())).toEqual(['accept', 'status', 'released', 'end']);
}

const establish = associateRequest();
const dataSet = Buffer.from('0800160002000000', 'hex');

describe('a caller', () => {
  it.each<[string, Parameters<typeof associateRequest>[0], string, Partial<Heard>]>([
    [
      'that names another application',
      { calledAe: 'ORTHANC' },
      'CALLED_AE_UNKNOWN',
      { result: 1, source: 1, reason: 7 },
    ],
    [
      'that is not on the list',
      { callingAe: 'EVIL' },
      'CALLING_AE_UNKNOWN',
      { result: 1, source: 1, reason: 3 },
    ],
    ['in other letters', { callingAe: 'pacs' }, 'CALLING_AE_UNKNOWN', { result: 1, source: 1, reason: 3 }],
    ['of another version', { version: 2 }, 'DICOM_VERSION_UNKNOWN', { result: 1, source: 2, reason: 2 }],
    [
      'of another application context',
      { applicationContext: '1.2.3' },
      'APPLICATION_CONTEXT_UNKNOWN',
      { result: 1, source: 1, reason: 2 },
    ],
  ])('%s is rejected with its reason', async (_, request, code, rejection) => {
    await open();
    const caller = await call();
    caller.send(associateRequest(request));
    expect(await caller.toEnd()).toEqual([{ kind: 'reject', ...rejection }, end]);
    expect(await lastReport()).toMatchObject({ refusal: code, callingAe: null, objectCount: 0 });
  });

  it('from an address that is not allowed gets no word', async () => {
    await open({ settings: { peers: ['192.0.2.0/24'] } });
    const caller = await call();
    caller.send(establish);
    expect(await caller.toEnd()).toEqual([end]);
    expect(await lastReport()).toMatchObject({ refusal: 'PEER_NOT_ALLOWED' });
  });

  it('from an address that is allowed is served', async () => {
    await open({ settings: { peers: ['192.0.2.0/24', '127.0.0.1'] } });
    await expectServed();
  });

  it('gets only storage and verification, in transfer syntaxes of the standard', async () => {
    await open();
    const caller = await call();
    const contexts = [
      { id: 1, abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: [explicitLittleEndian] },
      { id: 3, abstractSyntax: ctImageStorage, transferSyntaxes: ['1.2.826.0.1.3680043.999'] },
      { id: 5, abstractSyntax: ctImageStorage, transferSyntaxes: [] },
      { id: 7, abstractSyntax: ctImageStorage, transferSyntaxes: ['1.2.3', '1.2.840.10008.1.2.4.90'] },
      { id: 7, abstractSyntax: ctImageStorage, transferSyntaxes: [explicitLittleEndian] },
    ];
    caller.send(associateRequest({ contexts }));
    expect((await caller.listen(1))[0]).toEqual({ kind: 'accept', results: [3, 4, 4, 0, 4] });
    caller.close();
  });
});

describe('before an association', () => {
  const tooManyItems = Buffer.concat([Buffer.alloc(68), Buffer.alloc(4 * 2_000)]);
  it.each<[string, Buffer, string]>([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'MALFORMED_PDU'],
    ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex'), 'MALFORMED_PDU'],
    ['zeroes', Buffer.alloc(100), 'MALFORMED_PDU'],
    ['data', dataPdu(1, 3, echoCommand()), 'UNEXPECTED_PDU'],
    ['a release', releaseRequest, 'UNEXPECTED_PDU'],
    ['an answer', pdu(2, Buffer.alloc(70)), 'UNEXPECTED_PDU'],
    ['a request of 4 GB', pdu(1, Buffer.alloc(100), 0xfffffff0), 'PDU_TOO_LARGE'],
    ['data of 4 GB', pdu(4, Buffer.alloc(100), 0xffffffff), 'PDU_TOO_LARGE'],
    ['a release of 1 MB', pdu(5, Buffer.alloc(100), 1_000_000), 'MALFORMED_PDU'],
    ['a request that is too short', pdu(1, Buffer.alloc(20)), 'MALFORMED_PDU'],
    [
      'a request with an item past its end',
      pdu(1, Buffer.concat([Buffer.alloc(68), Buffer.from([0x20, 0, 0xff, 0xff, 1])])),
      'MALFORMED_PDU',
    ],
    ['a request of thousands of items', pdu(1, tooManyItems), 'MALFORMED_PDU'],
  ])('%s is answered with an abort', async (_, bytes, code) => {
    await open();
    const caller = await call();
    caller.send(bytes);
    expect(kinds(await caller.toEnd())).toEqual(['abort', 'end']);
    expect(await lastReport()).toMatchObject({ fault: code, callingAe: null });
    await expectServed();
  });
});

describe('in an association', () => {
  const absurd = Buffer.concat([element(0x0002, Buffer.from(verification), 0xfffffff0)]);
  const otherGroup = Buffer.concat([Buffer.from('0800'.concat('0001020000003000'), 'hex'), echoCommand()]);
  const half = echoCommand().subarray(0, 21);
  it.each<[string, readonly Buffer[], string]>([
    ['a second request', [establish], 'UNEXPECTED_PDU'],
    ['garbage', [Buffer.alloc(40, 0xee)], 'MALFORMED_PDU'],
    ['a PDU longer than agreed', [pdu(4, Buffer.alloc(100), 262_145)], 'PDU_TOO_LARGE'],
    ['a fragment past the end of its PDU', [pdu(4, Buffer.from([0, 0, 0, 99, 1, 3, 0, 0]))], 'MALFORMED_PDU'],
    ['a fragment without a header', [pdu(4, Buffer.from([0, 0, 0, 1, 1]))], 'MALFORMED_PDU'],
    ['a context that was not accepted', [dataPdu(9, 3, echoCommand())], 'MALFORMED_DIMSE'],
    ['data without a command', [dataPdu(3, 2, dataSet)], 'MALFORMED_DIMSE'],
    [
      'a command in the middle of an object',
      [dataPdu(3, 3, storeCommand()), dataPdu(3, 0, dataSet), dataPdu(3, 3, echoCommand())],
      'MALFORMED_DIMSE',
    ],
    [
      'an object in another context than its command',
      [dataPdu(3, 3, storeCommand()), dataPdu(1, 2, dataSet)],
      'MALFORMED_DIMSE',
    ],
    ['a command that is cut', [dataPdu(1, 3, half)], 'MALFORMED_DIMSE'],
    ['a command with a length of 4 GB', [dataPdu(1, 3, absurd)], 'MALFORMED_DIMSE'],
    ['a command of another group', [dataPdu(1, 3, otherGroup)], 'MALFORMED_DIMSE'],
    ['an empty command', [dataPdu(1, 3, Buffer.alloc(0))], 'MALFORMED_DIMSE'],
    [
      'a command without end',
      Array.from({ length: 30 }, () => dataPdu(1, 1, Buffer.alloc(1_000))),
      'MALFORMED_DIMSE',
    ],
    [
      'fragments without a byte',
      Array.from({ length: 1_100 }, () => dataPdu(1, 1, Buffer.alloc(0))),
      'MALFORMED_DIMSE',
    ],
    [
      'a query',
      [
        dataPdu(
          3,
          3,
          Buffer.concat([
            element(0x0100, Buffer.from([0x20, 0])),
            element(0x0110, Buffer.from([1, 0])),
            element(0x0800, Buffer.from([1, 1])),
          ]),
        ),
      ],
      'MALFORMED_DIMSE',
    ],
    [
      'more echoes than anyone needs',
      Array.from({ length: 60 }, (_, at) => dataPdu(1, 3, echoCommand(at))),
      'ECHO_FLOOD',
    ],
    ['an abort', [pdu(7, Buffer.alloc(4))], 'ASSOCIATION_ABORTED'],
  ])('%s ends it, and nothing of it is kept', async (_, parts, code) => {
    await open({ limits: { maxEchoCount: 50 } });
    const caller = await call();
    caller.send(establish);
    await caller.listen(1);
    caller.send(...parts);
    await caller.toEnd();
    expect(await lastReport()).toMatchObject({ fault: code, callingAe: 'PACS', objectCount: 0 });
    expect(await world.takeFiles()).toEqual(new Map());
    await expectServed();
  });

  it.each<[string, Parameters<typeof storeCommand>[0], number]>([
    ['of another SOP class than its context', { sopClass: '1.2.840.10008.5.1.4.1.1.4' }, 0x0122],
    ['whose UID is a path', { sopInstance: '../../etc/passwd' }, 0x0117],
    ['whose UID is empty', { sopInstance: '' }, 0x0117],
  ])('an object %s is refused and the next is taken', async (_, command, status) => {
    await open();
    const caller = await call();
    caller.send(
      establish,
      dataPdu(3, 3, storeCommand(command)),
      dataPdu(3, 0, dataSet),
      dataPdu(3, 2, dataSet),
    );
    caller.send(dataPdu(3, 3, storeCommand()), dataPdu(3, 2, dataSet), releaseRequest);
    expect((await caller.toEnd()).slice(1, 3)).toEqual([
      { kind: 'status', status },
      { kind: 'status', status: 0 },
    ]);
    expect([...(await world.takeFiles()).keys()]).toEqual(['1.2.3.dcm']);
    expect(await lastReport()).toMatchObject({ objectCount: 1, refusedCount: 1, fault: null });
  });

  it('a store without a data set, or with an empty one, is not understood', async () => {
    await open();
    const caller = await call();
    caller.send(establish, dataPdu(3, 3, storeCommand({ dataSetType: 0x0101 })));
    caller.send(dataPdu(3, 3, storeCommand()), dataPdu(3, 2, Buffer.alloc(0)), releaseRequest);
    const notUnderstood = { kind: 'status', status: 0xc000 };
    expect((await caller.toEnd()).slice(1, 3)).toEqual([notUnderstood, notUnderstood]);
    expect(await world.takeFiles()).toEqual(new Map());
  });

  it('an object over the limit is refused, and one that never ends is cut off', async () => {
    await open({ limits: { maxObjectBytes: 100_000 } });
    const part = dataPdu(3, 0, Buffer.alloc(60_000));
    const caller = await call();
    caller.send(establish, dataPdu(3, 3, storeCommand()), part, part, dataPdu(3, 2, dataSet), releaseRequest);
    expect((await caller.toEnd())[1]).toEqual({ kind: 'status', status: 0xa700 });
    const other = await call();
    other.send(establish, dataPdu(3, 3, storeCommand()), part, part, part, part);
    expect(kinds(await other.toEnd())).toEqual(['accept', 'abort', 'end']);
    expect(await lastReport(2)).toMatchObject({ fault: 'OBJECT_TOO_LARGE' });
    expect(await world.takeFiles()).toEqual(new Map());
    expect(world.inbox.heldBytes).toBe(0);
  });

  it('a full inbox is told to the sender, which keeps the object', async () => {
    await open({ inboxLimits: { maxBytes: 50_000 } });
    const caller = await call();
    const object = [dataPdu(3, 3, storeCommand()), dataPdu(3, 2, Buffer.alloc(30_000))];
    caller.send(establish, ...object, ...object, releaseRequest);
    const statuses = (await caller.toEnd()).slice(1, 3);
    expect(statuses).toEqual([
      { kind: 'status', status: 0 },
      { kind: 'status', status: 0xa700 },
    ]);
    expect((await world.takeFiles()).size).toBe(1);
  });

  it('an object that breaks off leaves nothing', async () => {
    await open();
    const caller = await call();
    const many = Array.from({ length: 30 }, () => dataPdu(3, 0, Buffer.alloc(200_000)));
    caller.send(establish, dataPdu(3, 3, storeCommand()), ...many);
    await caller.listen(1);
    caller.close();
    expect(await lastReport()).toMatchObject({ fault: 'ASSOCIATION_ABORTED', objectCount: 0 });
    expect(await world.takeFiles()).toEqual(new Map());
    expect(world.inbox.heldBytes).toBe(0);
  });
});

describe('connections', () => {
  it('that stay half open are dropped', async () => {
    await open({ limits: { artimMs: 150 } });
    const silent = await call();
    const slow = await call();
    const drip = setInterval(() => slow.send(Buffer.from([1])), 20);
    expect(kinds(await silent.toEnd())).toEqual(['abort', 'end']);
    await slow.toEnd();
    clearInterval(drip);
    expect(await lastReport(2)).toMatchObject({ fault: 'ASSOCIATION_TIMEOUT' });
  });

  it('that stay silent, or send a byte now and then, are dropped in an association too', async () => {
    await open({ limits: { idleMs: 200 } });
    const silent = await call();
    const slow = await call();
    silent.send(establish);
    slow.send(establish, Buffer.from([4, 0, 0, 0, 99, 0]));
    const drip = setInterval(() => slow.send(Buffer.from([0])), 20);
    expect(kinds(await silent.toEnd())).toEqual(['accept', 'abort', 'end']);
    expect(kinds(await slow.toEnd())).toEqual(['accept', 'abort', 'end']);
    clearInterval(drip);
  });

  it('beyond the limit of associations are told to come later, and have room when others end', async () => {
    await open({ limits: { maxAssociations: 3 } });
    const held = await Promise.all([call(), call(), call()]);
    for (const caller of held) caller.send(establish);
    for (const caller of held) expect(kinds(await caller.listen(1))).toEqual(['accept']);
    const fourth = await call();
    fourth.send(establish);
    expect(await fourth.toEnd()).toEqual([{ kind: 'reject', result: 2, source: 3, reason: 2 }, end]);
    expect(await lastReport()).toMatchObject({ refusal: 'ASSOCIATION_LIMIT' });
    for (const caller of held) caller.send(releaseRequest);
    for (const caller of held) await caller.toEnd();
    await lastReport(4);
    await expectServed();
  });

  it('that come as a flood are cut off, and the receiver lives', async () => {
    await open({ limits: { artimMs: 300 } });
    const callers = await Promise.all(Array.from({ length: 400 }, call));
    await Promise.all(callers.map((caller) => caller.toEnd()));
    expect(world.reports.filter(({ refusal }) => refusal === 'ASSOCIATION_LIMIT').length).toBeGreaterThan(
      100,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expectServed();
  });

  it('that are open when the receiver closes are aborted', async () => {
    await open();
    const caller = await call();
    caller.send(establish);
    await caller.listen(1);
    const [heard] = await Promise.all([caller.toEnd(), world.receiver.close()]);
    expect(kinds(heard)).toEqual(['accept', 'abort', 'end']);
  });
});
