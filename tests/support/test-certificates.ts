// A certificate authority of a test, and certificates that it signed for loopback.
import { generate } from 'selfsigned';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificates {
  /** PEM of the authority. */
  readonly authority: string;
  readonly server: Certificate;
  readonly client: Certificate;
  /** Of another authority. */
  readonly stranger: Certificate;
}

async function makeAuthority(name: string): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, digitalSignature: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

async function makeSigned(name: string, ca: Certificate): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

export async function makeTestCertificates(): Promise<TestCertificates> {
  const [own, other] = await Promise.all([makeAuthority('Test authority'), makeAuthority('Other authority')]);
  const [server, client, stranger] = await Promise.all([
    makeSigned('localhost', own),
    makeSigned('PACS', own),
    makeSigned('Stranger', other),
  ]);
  return { authority: own.cert, server, client, stranger };
}
