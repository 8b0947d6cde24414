// The settings of a DICOMweb source: where, as whom, and what is asked for.
import { createSecureContext } from 'node:tls';
import { SettingReader } from '../setting-reader.ts';
import { badSetting } from '../source-error.ts';
import type { SourceSettings } from '../source-kind.ts';

export interface DicomwebSettings {
  /** Base of QIDO-RS and WADO-RS, e.g. `https://pacs.example/dicom-web`. */
  readonly url: string;
  readonly user: string | null;
  readonly password: string | null;
  readonly token: string | null;
  /** PEM of the authority that signed the server's certificate; null: those of the system. */
  readonly authority: string | null;
  /** PEM of our own certificate, with its key. */
  readonly certificate: string | null;
  readonly key: string | null;
  readonly modalities: readonly string[];
  readonly patientIds: readonly string[];
  /** `YYYYMMDD`. */
  readonly fromDay: string | null;
  readonly untilDay: string | null;
  readonly pageSize: number;
  readonly timeoutMs: number;
  readonly maxObjectBytes: number;
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function parseDicomwebSettings(given: SourceSettings): DicomwebSettings {
  const read = new SettingReader(given);
  const settings = {
    url: readUrl(read.text('url')),
    user: read.optionalText('user'),
    password: read.optionalText('password'),
    token: read.optionalText('token'),
    authority: read.optionalPem('authority'),
    certificate: read.optionalPem('certificate'),
    key: read.optionalPem('key'),
    modalities: read.list('modalities'),
    patientIds: read.list('patientIds'),
    fromDay: readDay(read, 'fromDay'),
    untilDay: readDay(read, 'untilDay'),
    pageSize: read.count('pageSize', { standard: 500, min: 1, max: 10_000 }),
    timeoutMs: read.count('timeoutSeconds', { standard: 60, min: 1, max: 3_600 }) * 1_000,
    maxObjectBytes: read.count('maxObjectMegabytes', { standard: 2_048, min: 1, max: 16_384 }) * 2 ** 20,
  };
  read.refuseUnknown();
  if (settings.user !== null && settings.token !== null)
    throw badSetting('token', 'left out where there is a user');
  if (settings.user === null && settings.password !== null)
    throw badSetting('user', 'set where there is a password');
  if (!settings.modalities.every((modality) => /^[A-Z0-9]{2,16}$/.test(modality)))
    throw badSetting('modalities', 'DICOM modalities with commas between them');
  checkCertificates(settings);
  return settings;
}

/** Stops names and images from going over a network in the clear: https, or this machine. */
function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (url === undefined || !isSafe) throw badSetting('url', 'an https address');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw badSetting('url', 'an address without user, query and fragment');
  return url.href;
}

function readDay(read: SettingReader, name: string): string | null {
  const text = read.optionalText(name);
  if (text === null) return null;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text)))
    throw badSetting(name, 'YYYY-MM-DD');
  return text.replaceAll('-', '');
}

function checkCertificates({ authority, certificate, key }: DicomwebSettings): void {
  if ((certificate === null) !== (key === null)) throw badSetting('key', 'set together with the certificate');
  try {
    createSecureContext({
      ...(authority === null ? {} : { ca: authority }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
    });
  } catch {
    throw badSetting(certificate === null ? 'authority' : 'certificate', 'PEM');
  }
}
