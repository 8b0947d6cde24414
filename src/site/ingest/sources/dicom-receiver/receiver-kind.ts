// The DICOM receiver as a source: its settings as an admin sets them, and what of its associations goes to the audit log (A7).
import { BlockList, isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { SettingReader } from '../setting-reader.ts';
import { badSetting } from '../source-error.ts';
import type { ListenContext, ListeningSource, SourceKind, SourceSettings } from '../source-kind.ts';
import { AssociationJournal } from './association-journal.ts';
import {
  openDicomReceiver,
  type ReceiverLimits,
  type ReceiverSettings,
  type ReceiverTls,
} from './receiver.ts';

export const dicomReceiverKind: SourceKind = {
  kind: 'dicom-receiver',
  secrets: ['tlsKey'],
  check: (settings) => void parseReceiverSettings(settings),
  listen,
};

async function listen(context: ListenContext): Promise<ListeningSource> {
  const { inbox, label, clock, logger, record } = context;
  const journal = new AssociationJournal(record);
  const receiver = await openDicomReceiver({
    ...parseReceiverSettings(context.settings),
    inbox,
    label,
    clock,
    logger,
    onEnd: (report) => journal.add(report),
  });
  return {
    close: async () => {
      await receiver.close();
      journal.close();
    },
  };
}

interface ReceiverConfiguration {
  readonly settings: ReceiverSettings;
  readonly limits: Partial<ReceiverLimits>;
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function parseReceiverSettings(given: SourceSettings): ReceiverConfiguration {
  const read = new SettingReader(given);
  const aeTitle = read.text('aeTitle');
  const callingAeTitles = read.list('callingAeTitles');
  const host = read.optionalText('host') ?? '127.0.0.1';
  const peers = read.list('peers');
  if (!isAeTitle(aeTitle)) throw badSetting('aeTitle', 'an AE title of at most 16 characters');
  if (callingAeTitles.length === 0 || !callingAeTitles.every(isAeTitle))
    throw badSetting('callingAeTitles', 'AE titles with commas between them');
  if (isIP(host) === 0 && host !== 'localhost') throw badSetting('host', 'an address of this machine');
  if (!peers.every(isPeer)) throw badSetting('peers', 'addresses or networks with commas between them');
  const configuration = {
    settings: {
      aeTitle,
      callingAeTitles,
      host,
      port: read.count('port', { standard: 11_112, min: 0, max: 65_535 }),
      peers: peers.length === 0 ? null : peers,
      tls: readTls(read),
    },
    limits: {
      maxAssociations: read.count('maxAssociations', { standard: 16, min: 1, max: 256 }),
      maxObjectBytes: read.count('maxObjectMegabytes', { standard: 2_048, min: 1, max: 16_384 }) * 2 ** 20,
      idleMs: read.count('idleSeconds', { standard: 60, min: 1, max: 3_600 }) * 1_000,
    },
  };
  read.refuseUnknown();
  return configuration;
}

function readTls(read: SettingReader): ReceiverTls | null {
  const certificate = read.optionalText('tlsCertificate');
  const key = read.optionalText('tlsKey');
  const callerAuthority = read.optionalText('tlsCallerAuthority');
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

/** Printable, without a backslash (PS3.5 section 6.2, AE). */
function isAeTitle(text: string): boolean {
  return /^[\x20-\x5b\x5d-\x7e]{1,16}$/.test(text);
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
