// A real Orthanc with its DICOMweb plug-in, started for a test on free ports of the loopback interface, with a password. TLS ends in a
// proxy before it, as in most hospitals: Debian's Orthanc 1.10.1 dies of its first HTTPS request.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer, type Server } from 'node:tls';
import { Agent, request } from 'undici';
import { freePort } from './free-port.ts';
import type { TestCertificates } from './test-certificates.ts';

export interface Orthanc {
  /** Of its DICOMweb interface. */
  readonly webUrl: string;
  readonly dicomPort: number;
  /** One call of its REST interface; gives JSON, or the bytes of a file. */
  call(method: 'GET' | 'POST', place: string, body?: string | Buffer): Promise<unknown>;
  file(place: string): Promise<Buffer>;
  close(): Promise<void>;
}

export const orthancUser = 'ada';
export const orthancPassword = 'a long pass phrase';

/** @param peer where it may send with C-STORE, as the modality `consilium` */
export async function startOrthanc(
  certificates: TestCertificates,
  peer: { readonly aeTitle: string; readonly port: number },
): Promise<Orthanc> {
  const folder = mkdtempSync(path.join(tmpdir(), 'consilium-orthanc-'));
  const [httpPort, dicomPort] = [await freePort(), await freePort()];
  const configuration = {
    Name: 'Test',
    StorageDirectory: path.join(folder, 'store'),
    IndexDirectory: path.join(folder, 'store'),
    HttpPort: httpPort,
    DicomPort: dicomPort,
    DicomAet: 'ORTHANC',
    RemoteAccessAllowed: false,
    AuthenticationEnabled: true,
    RegisteredUsers: { [orthancUser]: orthancPassword },
    StoreDicom: true,
    Plugins: ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so'],
    DicomWeb: { Enable: true, Root: '/dicom-web/' },
    DicomModalities: {
      consilium: { AET: peer.aeTitle, Host: '127.0.0.1', Port: peer.port, AllowTranscoding: false },
    },
  };
  writeFileSync(path.join(folder, 'orthanc.json'), JSON.stringify(configuration));
  const child = spawn('/usr/sbin/Orthanc', [path.join(folder, 'orthanc.json')], {
    stdio: 'ignore',
    env: { ...process.env, TCP_NODELAY: '1' },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const agent = new Agent();
  const proxy = await openProxy(certificates, httpPort);
  const authorization = `Basic ${Buffer.from(`${orthancUser}:${orthancPassword}`).toString('base64')}`;
  const send = async (method: 'GET' | 'POST', place: string, body?: string | Buffer): Promise<Buffer> => {
    const answer = await request(`http://127.0.0.1:${httpPort}${place}`, {
      method,
      dispatcher: agent,
      headers: { authorization },
      ...(body === undefined ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode !== 200) throw new Error(`Orthanc answered ${answer.statusCode} to ${place}`);
    return bytes;
  };
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await agent.destroy();
    proxy.server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries++) {
    try {
      await send('GET', '/system');
      break;
    } catch (error) {
      if (tries > 600 || child.exitCode !== null) {
        await close();
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    webUrl: `https://127.0.0.1:${proxy.port}/dicom-web`,
    dicomPort,
    call: async (method, place, body) => JSON.parse((await send(method, place, body)).toString('utf8')),
    file: (place) => send('GET', place),
    close,
  };
}

async function openProxy(
  { server: { cert, key } }: TestCertificates,
  httpPort: number,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ cert, key }, (socket) => {
    const orthanc = connect({ host: '127.0.0.1', port: httpPort });
    socket.pipe(orthanc).pipe(socket);
    for (const end of [socket, orthanc]) {
      end.on('error', () => {});
      end.on('close', () => {
        socket.destroy();
        orthanc.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
