// Every secret of the consortium, and the self-signed TLS certificate that sites pin at enrolment (security.md E22).
import { generate } from 'selfsigned';
import { z } from 'zod';
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { sha256Hex } from '#federation/crypto/digest.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';

/** Arrays of 32 bytes; the TLS pair is PEM text. */
export interface ConsortiumKeys {
  /** Page key of the encrypted store. */
  readonly storeKey: Uint8Array;
  /** Ed25519 seeds, one for each thing that is signed, so that one stolen key signs one kind of record. */
  readonly rootSeed: Uint8Array;
  readonly planSeed: Uint8Array;
  readonly modelSeed: Uint8Array;
  readonly logSeed: Uint8Array;
  /** X25519 seed of the key that updates are sealed to. */
  readonly receivingSeed: Uint8Array;
  readonly tls: { readonly privateKey: string; readonly certificate: string };
}

const CERTIFICATE_YEARS = 5;
const yearMs = 365 * 24 * 60 * 60 * 1000;

/** New keys from the system's generator. `host` is put into the certificate's names; sites trust its digest alone. */
export async function createConsortiumKeys(options: {
  readonly host: string;
  readonly nowMs: number;
}): Promise<ConsortiumKeys> {
  const { private: privateKey, cert } = await generate(
    [{ name: 'commonName', value: 'Consilium Consortium' }],
    {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      // A day of grace for a site whose clock is behind.
      notBeforeDate: new Date(options.nowMs - 24 * 60 * 60 * 1000),
      notAfterDate: new Date(options.nowMs + CERTIFICATE_YEARS * yearMs),
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: alternativeNames(options.host) },
      ],
    },
  );
  return {
    storeKey: systemRandom(32),
    rootSeed: systemRandom(32),
    planSeed: systemRandom(32),
    modelSeed: systemRandom(32),
    logSeed: systemRandom(32),
    receivingSeed: systemRandom(32),
    tls: { privateKey, certificate: cert },
  };
}

function alternativeNames(host: string) {
  const isAddress = /^[0-9.]+$|:/.test(host);
  const own = isAddress ? { type: 7 as const, ip: host } : { type: 2 as const, value: host };
  return [own, { type: 2 as const, value: 'localhost' }, { type: 7 as const, ip: '127.0.0.1' }];
}

/** sha256 of a PEM certificate's DER, lower-case hexadecimal: what a site pins. */
export function certificateDigest(certificate: string): string {
  const body = certificate.replace(/-----[A-Z ]+-----|\s/g, '');
  return sha256Hex(fromBase64(body));
}

const secret = z
  .base64()
  .transform(fromBase64)
  .refine((bytes) => bytes.length === 32);

const keyFile = z.strictObject({
  format: z.literal('consilium-consortium-keys/v1'),
  storeKey: secret,
  rootSeed: secret,
  planSeed: secret,
  modelSeed: secret,
  logSeed: secret,
  receivingSeed: secret,
  tls: z.strictObject({
    privateKey: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
    certificate: z.string().startsWith('-----BEGIN CERTIFICATE-----'),
  }),
});

/** The JSON text of `keys`. */
export function encodeConsortiumKeys({ tls, ...secrets }: ConsortiumKeys): string {
  const encoded = Object.fromEntries(Object.entries(secrets).map(([name, bytes]) => [name, toBase64(bytes)]));
  return `${JSON.stringify({ format: 'consilium-consortium-keys/v1', ...encoded, tls }, null, 2)}\n`;
}

/** The keys in a key file's text. @throws SyntaxError or ZodError; their texts may hold keys and are not to be shown. */
export function parseConsortiumKeys(text: string): ConsortiumKeys {
  const { format: _format, ...keys } = keyFile.parse(JSON.parse(text));
  return keys;
}
