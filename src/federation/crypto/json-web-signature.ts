// JSON Web Signatures (RFC 7515, compact form) with RS384 and ES384 (RFC 7518), as SMART Backend Services asks a client to sign.
import { constants, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { toBase64, utf8 } from '#base/bytes.ts';
import { CryptoError } from '#federation/crypto/crypto-error.ts';

export type JwsAlgorithm = 'ES384' | 'RS384';

export interface JwsSigner {
  readonly algorithm: JwsAlgorithm;
  /** Header and claims as `base64url.base64url.base64url`. */
  sign(header: Readonly<Record<string, string>>, claims: Readonly<Record<string, string | number>>): string;
}

const smallestModulusBits = 2_048;

/**
 * A signer with a private key (PEM): RSA of at least 2048 bits gives RS384, a key of P-384 gives ES384.
 * @throws CryptoError BAD_KEY for any other key, and for text that is none.
 */
export function openJwsSigner(pem: string): JwsSigner {
  const key = importKey(pem);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const isRsa = type === 'rsa' && (details?.modulusLength ?? 0) >= smallestModulusBits;
  const isP384 = type === 'ec' && details?.namedCurve === 'secp384r1';
  if (!isRsa && !isP384)
    throw new CryptoError('BAD_KEY', 'The key is no RSA key of 2048 bits and no P-384 key.');
  const algorithm: JwsAlgorithm = isRsa ? 'RS384' : 'ES384';
  return {
    algorithm,
    sign: (header, claims) => {
      const signed = `${encodePart({ ...header, alg: algorithm })}.${encodePart(claims)}`;
      const signature = isRsa
        ? sign('sha384', utf8(signed), { key, padding: constants.RSA_PKCS1_PADDING })
        : sign('sha384', utf8(signed), { key, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${base64Url(signature)}`;
    },
  };
}

function importKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new CryptoError('BAD_KEY', 'The text is no private key in PEM.');
  }
}

function encodePart(part: Readonly<Record<string, string | number>>): string {
  return base64Url(utf8(JSON.stringify(part)));
}

function base64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
