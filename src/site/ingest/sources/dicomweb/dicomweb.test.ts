import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DicomwebServer,
  makeObject,
  multipart,
  multipartType,
  openDicomwebServer,
} from '#support/dicomweb-server.ts';
import { openSourcesWorld, type SourcesWorld } from '#support/sources-world.ts';
import type { IngestSummary } from '../../ingest-outcome.ts';

const steward = { name: 'Steward', role: 'steward' } as const;
// Two imaging studies: one of two imaging series of 3 and 2 objects, one of 4.
const objects = [
  ...[1, 2, 3].map((number) => makeObject(1, 1, number)),
  ...[1, 2].map((number) => makeObject(1, 2, number)),
  ...[1, 2, 3, 4].map((number) => makeObject(2, 1, number)),
];
const allNames = objects.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort();
const refused = (code: string) => expect.objectContaining({ code });

let world: SourcesWorld;
let server: DicomwebServer;
beforeEach(async () => {
  world = openSourcesWorld();
  server = await openDicomwebServer(objects);
});
afterEach(async () => {
  await server.close();
  await world.close();
});

async function run(settings: Record<string, string | number> = {}, signal = new AbortController().signal) {
  const { sourceId } = await world.sources.save(
    { kind: 'dicomweb', label: 'PACS', settings: { url: server.url, ...settings } },
    steward,
  );
  let summary: IngestSummary | undefined;
  for await (const event of world.sources.run(sourceId, steward, signal))
    if (event.kind === 'summary') summary = event.summary;
  return summary;
}

const names = () => world.outcomeNames().sort();
const retrievals = () => server.requests.filter((request) => request.includes('/series/'));

describe('a DICOMweb server', () => {
  it('is fetched from by whole imaging series, each object once', async () => {
    const summary = await run();
    expect(summary?.files).toHaveLength(9);
    expect(names()).toEqual(allNames);
    expect(retrievals()).toEqual([
      '/web/studies/1.2.1/series/1.2.1.1',
      '/web/studies/1.2.1/series/1.2.1.2',
      '/web/studies/1.2.2/series/1.2.2.1',
    ]);
    expect(world.sources.list()).toMatchObject([{ received: 9, state: 'off', code: null }]);
    await run();
    expect(retrievals()).toHaveLength(3);
    expect(names()).toEqual(allNames);
  });

  it('is asked page by page, and not for ever where it does not know pages', async () => {
    await run({ pageSize: 2 });
    expect(names()).toEqual(allNames);
    expect(server.requests.filter((request) => request.startsWith('/web/studies?'))).toEqual([
      '/web/studies?limit=2&offset=0',
      '/web/studies?limit=2&offset=2',
    ]);
    server.twist = (request, response) => {
      if (!request.url?.startsWith('/web/studies?')) return undefined;
      response.end(JSON.stringify([{ '0020000D': { vr: 'UI', Value: ['1.2.1'] } }]));
      return true;
    };
    expect((await run({ pageSize: 1 }))?.files).toEqual([]);
  });

  it('is asked with the filters that were set, for every patient that was named', async () => {
    await run({ patientIds: 'A 1, B&2', modalities: 'MR', fromDay: '2020-01-31', untilDay: '2021-12-01' });
    expect(
      server.requests.filter((request) => request.includes('offset=0') && request.includes('studies?')),
    ).toEqual([
      '/web/studies?PatientID=A+1&ModalitiesInStudy=MR&StudyDate=20200131-20211201&limit=500&offset=0',
      '/web/studies?PatientID=B%262&ModalitiesInStudy=MR&StudyDate=20200131-20211201&limit=500&offset=0',
    ]);
  });

  it.each([
    [{ user: 'ada', password: 'pässword' }, `Basic ${Buffer.from('ada:pässword').toString('base64')}`],
    [{ token: 'abc.def' }, 'Bearer abc.def'],
    [{}, undefined],
  ])('is told who asks: %j', async (settings, authorization) => {
    await run(settings);
    expect(new Set(server.headers.map((headers) => headers.authorization))).toEqual(new Set([authorization]));
  });

  it('that cannot give so many at once is asked for fewer', async () => {
    server.twist = (request, response) => {
      const limit = Number(new URL(request.url ?? '', 'http://x').searchParams.get('limit') ?? 0);
      if (limit <= 2) return undefined;
      response.writeHead(413).end();
      return true;
    };
    await run({ pageSize: 8 });
    expect(names()).toEqual(allNames);
  });

  it.each([409, 413, 500, 404])(
    'that answers %i for an imaging series is asked for its objects one by one',
    async (status) => {
      server.twist = (request, response) => {
        if (!/series\/[\d.]+$/.test(request.url ?? '')) return undefined;
        response.writeHead(status).end('sorry');
        return true;
      };
      await run();
      expect(names()).toEqual(allNames);
    },
  );

  it('that gives a part of an imaging series (206), or breaks off in it, is asked for the rest', async () => {
    server.twist = (request, response) => {
      if (request.url?.endsWith('/series/1.2.1.1')) {
        response.writeHead(206, { 'content-type': multipartType }).end(multipart(objects.slice(0, 1)));
        return true;
      }
      if (!request.url?.endsWith('/series/1.2.2.1')) return undefined;
      response.writeHead(200, { 'content-type': multipartType });
      response.write(multipart(objects.slice(5, 9)).subarray(0, 700), () => response.destroy());
      return true;
    };
    const summary = await run();
    expect(names()).toEqual(allNames);
    expect(summary?.files).toHaveLength(9);
  });

  it('that is busy is asked again when it says, and then by longer pauses', async () => {
    let refusals = 3;
    server.twist = (_request, response) => {
      if (refusals-- <= 0) return undefined;
      response.writeHead(refusals === 2 ? 429 : 503, { 'retry-after': '1' }).end();
      return true;
    };
    const startedMs = Date.now();
    await run();
    expect(names()).toEqual(allNames);
    expect(Date.now() - startedMs).toBeGreaterThan(3_000);
  });

  it('gives an object that it does not have no second chance in this run, and one in the next', async () => {
    server.twist = (request, response) => {
      if (!request.url?.includes('/series/1.2.1.1')) return undefined;
      response.writeHead(500).end();
      return true;
    };
    const first = await run();
    expect(first?.files.filter(({ code }) => code === 'UNREADABLE')).toHaveLength(3);
    server.twist = () => undefined;
    const second = await run();
    expect(second?.files).toHaveLength(3);
    expect(second?.files.every(({ code }) => code !== 'UNREADABLE')).toBe(true);
  });

  it.each<[string, number, Record<string, string>, string]>([
    ['does not know us', 401, {}, 'DICOMWEB_NOT_ALLOWED'],
    ['does not let us', 403, {}, 'DICOMWEB_NOT_ALLOWED'],
    ['refuses the query', 400, {}, 'DICOMWEB_REFUSED'],
    ['points to another server', 302, { location: 'http://127.0.0.1:1/web' }, 'DICOMWEB_REDIRECTED'],
    ['points nowhere', 301, {}, 'DICOMWEB_REDIRECTED'],
    ['points to itself for ever', 307, { location: '/web/studies' }, 'DICOMWEB_REDIRECTED'],
  ])('that %s ends the run: %i', async (_, status, headers, code) => {
    server.twist = (_request, response) => {
      response.writeHead(status, headers).end();
      return true;
    };
    await expect(run({ token: 'secret' })).rejects.toThrow(refused(code));
    expect(world.sources.list()).toMatchObject([{ state: 'failed', code }]);
    expect(world.events().at(-1)).toMatchObject({ action: 'source-failed', reason: code });
  });

  it('that points to another of its own paths is followed', async () => {
    server.twist = (request, response) => {
      if (!request.url?.startsWith('/old')) return undefined;
      response.writeHead(308, { location: request.url.replace('/old', '/web') }).end();
      return true;
    };
    await run({ url: server.url.replace('/web', '/old') });
    expect(names()).toEqual(allNames);
  });

  it.each<[string, string, string]>([
    ['no JSON', 'DICOMWEB_BAD_ANSWER', '<html>'],
    ['no list', 'DICOMWEB_BAD_ANSWER', '{"0020000D":{}}'],
    ['a list of nothing', 'DICOMWEB_BAD_ANSWER', '[null]'],
    ['no UID', 'DICOMWEB_BAD_ANSWER', '[{"0020000D":{"vr":"UI"}}]'],
    ['a path for a UID', 'DICOMWEB_BAD_ANSWER', '[{"0020000D":{"vr":"UI","Value":["../../admin"]}}]'],
  ])('that lists %s is refused: %s', async (_, code, text) => {
    server.twist = (_request, response) => {
      response.end(text);
      return true;
    };
    await expect(run()).rejects.toThrow(refused(code));
  });

  it('that lists objects of an imaging study without end is refused', async () => {
    let count = 0;
    server.twist = (request, response) => {
      if (!request.url?.includes('/instances?')) return undefined;
      const page = Array.from({ length: 20_000 }, () => {
        count += 1;
        return { '00080018': { Value: [`1.2.${count}`] }, '0020000E': { Value: ['1.9'] } };
      });
      response.end(JSON.stringify(page));
      return true;
    };
    await expect(run()).rejects.toThrow(refused('DICOMWEB_ANSWER_TOO_LARGE'));
    expect(count).toBeLessThan(150_000);
  });

  it('that knows no pages and lists in another order each time is not asked for ever', async () => {
    let turn = 0;
    server.twist = (request, response) => {
      if (!request.url?.startsWith('/web/studies?')) return undefined;
      const uids = ['1.2.1', '1.2.2'];
      if (turn++ % 2 === 1) uids.reverse();
      response.end(JSON.stringify(uids.map((uid) => ({ '0020000D': { vr: 'UI', Value: [uid] } }))));
      return true;
    };
    await run();
    expect(names()).toEqual(allNames);
    expect(turn).toBe(2);
  });

  it.each([
    ['a header that is none', 'HTTP/1.1 200 OK\r\nDoe^Jane\0: 1\r\n\r\n'],
    ['another protocol', 'Doe^Jane\r\n\r\n'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZ Doe^Jane\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Doe\r\n\r\n'],
  ])('that answers with %s is refused, and not a byte of it is passed on', async (_, answer) => {
    const strange = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
    const { port } = strange.address() as AddressInfo;
    const failure: unknown = await run({ url: `http://127.0.0.1:${port}/web` }).catch((error) => error);
    strange.close();
    expect(failure).toEqual(refused('DICOMWEB_BAD_ANSWER'));
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('Doe');
  });

  it.each<[string, (objectsOf: typeof objects) => Buffer, string]>([
    ['an object that was not asked for', () => multipart([makeObject(7, 7, 7)]), multipartType],
    ['no DICOM', () => Buffer.from('<html>'), 'text/html'],
    ['no boundary', (some) => multipart(some), 'multipart/related; type="application/dicom"'],
  ])('that sends %s gives nothing, and that is told', async (_, body, contentType) => {
    server.twist = (request, response) => {
      if (!request.url?.includes('/series/')) return undefined;
      response.writeHead(200, { 'content-type': contentType }).end(body(objects));
      return true;
    };
    const summary = await run();
    expect(summary?.files.map(({ code }) => code)).toEqual(Array.from({ length: 9 }, () => 'UNREADABLE'));
  });

  it('that gives single objects without a multipart is understood', async () => {
    server.twist = (request, response) => {
      if (request.url?.includes('/instances/')) {
        const found = objects.find(({ sopInstanceUid }) => request.url?.endsWith(`/${sopInstanceUid}`));
        response.writeHead(200, { 'content-type': 'application/dicom' }).end(found?.bytes);
        return true;
      }
      if (!request.url?.includes('/series/')) return undefined;
      response.writeHead(406).end();
      return true;
    };
    await run();
    expect(names()).toEqual(allNames);
  });

  it('stops when a person cancels, tells what is in, and goes on in the next run', async () => {
    const stop = new AbortController();
    server.twist = (request) => {
      if (request.url?.endsWith('/series/1.2.1.2')) stop.abort();
      return undefined;
    };
    const summary = await run({}, stop.signal);
    expect(summary?.files.length).toBe(3);
    server.twist = () => undefined;
    await run();
    expect(names()).toEqual(allNames);
  });

  it.each([
    ['url', { url: 'http://pacs.example/web' }],
    ['url', { url: 'https://ada:secret@pacs.example/web' }],
    ['url', { url: 'file:///etc/passwd' }],
    ['url', { url: 'https://pacs.example/web?x=1' }],
    ['token', { token: 't', user: 'u' }],
    ['user', { password: 'p' }],
    ['certificate', { certificate: 'x' }],
    ['authority', { authority: 'x' }],
    ['fromDay', { fromDay: '2020-13-01' }],
    ['modalities', { modalities: 'MR;CT' }],
    ['pageSize', { pageSize: 0 }],
  ])('cannot be set up with this %s: %j', async (setting, settings) => {
    await expect(run(settings)).rejects.toThrow(
      expect.objectContaining({ code: 'BAD_SOURCE_SETTINGS', details: expect.objectContaining({ setting }) }),
    );
  });
});
