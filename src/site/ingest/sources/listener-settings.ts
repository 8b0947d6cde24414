// Where a listening source listens, who may connect, and with which certificates: the same settings for every kind.
import { BlockList, isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SettingReader } from './setting-reader.ts';
import { badSetting } from './source-error.ts';

export interface ListenerPlace {
  /** Interface to listen on: this machine alone where none is set. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Addresses or networks (`10.1.2.0/24`) that may connect; null: any that reaches the interface. */
  readonly peers: readonly string[] | null;
  readonly tls: ListenerTls | null;
}

export interface ListenerTls {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authority that signs callers' certificates; null: callers need none. */
  readonly callerAuthority: string | null;
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function readListenerPlace(read: SettingReader, standardPort: number): ListenerPlace {
  const host = read.optionalText('host') ?? '127.0.0.1';
  const peers = read.list('peers');
  if (isIP(host) === 0 && host !== 'localhost') throw badSetting('host', 'an address of this machine');
  if (!peers.every(isPeer)) throw badSetting('peers', 'addresses or networks with commas between them');
  return {
    host,
    port: read.count('port', { standard: standardPort, min: 0, max: 65_535 }),
    peers: peers.length === 0 ? null : peers,
    tls: readTls(read),
  };
}

function readTls(read: SettingReader): ListenerTls | null {
  const certificate = read.optionalPem('tlsCertificate');
  const key = read.optionalPem('tlsKey');
  const callerAuthority = read.optionalPem('tlsCallerAuthority');
  if (certificate === null && key === null && callerAuthority === null) return null;
  if (certificate === null) throw badSetting('tlsCertificate', 'a certificate (PEM)');
  if (key === null) throw badSetting('tlsKey', 'the key of the certificate (PEM)');
  try {
    createSecureContext({
      cert: certificate,
      key,
      ...(callerAuthority === null ? {} : { ca: callerAuthority }),
    });
  } catch {
    throw badSetting('tlsCertificate', 'a certificate and its key (PEM)');
  }
  return { certificate, key, callerAuthority };
}

function isPeer(peer: string): boolean {
  const [address = '', prefix, ...rest] = peer.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix ?? '0')) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix ?? 32), family === 6 ? 'ipv6' : 'ipv4');
    return true;
  } catch {
    return false;
  }
}
