// A DICOMweb server of a test that answers as it is told: pages, conflicts, cuts, redirects.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { encodeFileMeta } from '#site/ingest/sources/dicom-receiver/part-ten-meta.ts';

export interface ServedObject {
  readonly imagingStudyUid: string;
  readonly imagingSeriesUid: string;
  readonly sopInstanceUid: string;
  readonly bytes: Buffer;
}

/** An answer in the place of the usual one, or undefined for the usual one. */
export type Twist = (request: IncomingMessage, response: ServerResponse, count: number) => true | undefined;

export interface DicomwebServer {
  readonly url: string;
  /** Paths with queries, in order. */
  readonly requests: string[];
  readonly headers: IncomingMessage['headers'][];
  twist: Twist;
  close(): Promise<void>;
}

export function makeObject(studyNumber: number, seriesNumber: number, number: number): ServedObject {
  const imagingStudyUid = `1.2.${studyNumber}`;
  const imagingSeriesUid = `1.2.${studyNumber}.${seriesNumber}`;
  const sopInstanceUid = `${imagingSeriesUid}.${number}`;
  const meta = encodeFileMeta({
    sopClass: '1.2.840.10008.5.1.4.1.1.2',
    sopInstance: sopInstanceUid,
    transferSyntax: '1.2.840.10008.1.2.1',
  });
  return {
    imagingStudyUid,
    imagingSeriesUid,
    sopInstanceUid,
    bytes: Buffer.concat([meta, Buffer.from('not a data set')]),
  };
}

const element = (value: string) => ({ vr: 'UI', Value: [value] });
const asJson = ({ imagingStudyUid, imagingSeriesUid, sopInstanceUid }: ServedObject) => ({
  '0020000D': element(imagingStudyUid),
  '0020000E': element(imagingSeriesUid),
  '00080018': element(sopInstanceUid),
});

export function multipart(objects: readonly ServedObject[]): Buffer {
  return Buffer.concat([
    ...objects.flatMap(({ bytes }) => [
      Buffer.from('\r\n--part\r\nContent-Type: application/dicom\r\n\r\n'),
      bytes,
    ]),
    Buffer.from('\r\n--part--\r\n'),
  ]);
}

export const multipartType = 'multipart/related; type="application/dicom"; boundary=part';

export async function openDicomwebServer(objects: readonly ServedObject[]): Promise<DicomwebServer> {
  const requests: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://localhost');
    requests.push(`${url.pathname}${url.search}`);
    headers.push(request.headers);
    if (opened.twist(request, response, requests.length)) return;
    const limit = Number(url.searchParams.get('limit') ?? 1_000);
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const list = (matches: readonly ServedObject[]) => {
      const page = matches.slice(offset, offset + limit).map(asJson);
      if (page.length === 0) response.writeHead(204).end();
      else response.writeHead(200, { 'content-type': 'application/dicom+json' }).end(JSON.stringify(page));
    };
    const [, study, , series, instance] =
      /^\/web\/studies(?:\/([\d.]+)(\/series\/([\d.]+))?(?:\/instances(?:\/([\d.]+))?)?)?$/.exec(
        url.pathname,
      ) ?? [];
    const inStudy = objects.filter(({ imagingStudyUid }) => imagingStudyUid === study);
    if (study === undefined) {
      list(
        objects.filter(
          (object, at) =>
            objects.findIndex((other) => other.imagingStudyUid === object.imagingStudyUid) === at,
        ),
      );
    } else if (series === undefined) list(inStudy);
    else {
      const found = inStudy.filter(
        (object) =>
          object.imagingSeriesUid === series &&
          (instance === undefined || object.sopInstanceUid === instance),
      );
      if (found.length === 0) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': multipartType }).end(multipart(found));
    }
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const opened: DicomwebServer = {
    url: `http://127.0.0.1:${port}/web`,
    requests,
    headers,
    twist: () => undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return opened;
}
