// The settings of a Bulk Data source: which server, what of it, and as whom (SMART Backend Services).
import { createSecureContext } from 'node:tls';
import { isCodedError } from '#base/coded-error.ts';
import { openJwsSigner } from '#federation/crypto/json-web-signature.ts';
import { SettingReader } from '../setting-reader.ts';
import { badSetting } from '../source-error.ts';
import type { SourceSettings } from '../source-kind.ts';

export interface BulkExportSettings {
  /** Base of the FHIR server, without a slash at its end. */
  readonly url: string;
  /** `$export`, `Patient/$export` or `Group/ID/$export`. */
  readonly operation: string;
  /** Resource types; none: all that the server has. */
  readonly types: readonly string[];
  /** Origins besides the server's own from which its files may be fetched. */
  readonly fileOrigins: readonly string[];
  /** PEM of the authority that signed the server's certificate; null: those of the system. */
  readonly authority: string | null;
  readonly client: BulkExportClient | null;
  readonly timeoutMs: number;
  /** How long the server may work on an export. */
  readonly exportMs: number;
  readonly maxFileBytes: number;
}

export interface BulkExportClient {
  readonly clientId: string;
  readonly tokenUrl: string;
  /** PEM, RSA or P-384. */
  readonly signingKey: string;
  readonly keyId: string | null;
  readonly scope: string;
}

/** @throws SourceError BAD_SOURCE_SETTINGS. */
export function parseBulkExportSettings(given: SourceSettings): BulkExportSettings {
  const read = new SettingReader(given);
  const settings = {
    url: readUrl(read.text('url'), 'url').replace(/\/+$/, ''),
    operation: read.optionalText('operation') ?? 'Patient/$export',
    types: read.list('types'),
    fileOrigins: read.list('fileOrigins').map((text) => new URL(readUrl(text, 'fileOrigins')).origin),
    authority: read.optionalText('authority'),
    client: readClient(read),
    timeoutMs: read.count('timeoutSeconds', { standard: 60, min: 1, max: 3_600 }) * 1_000,
    exportMs: read.count('exportHours', { standard: 24, min: 1, max: 240 }) * 3_600_000,
    maxFileBytes: read.count('maxFileMegabytes', { standard: 65_536, min: 1, max: 1_048_576 }) * 2 ** 20,
  };
  read.refuseUnknown();
  if (!/^(?:Patient\/|Group\/[A-Za-z0-9.-]{1,64}\/)?\$export$/.test(settings.operation))
    throw badSetting('operation', '$export, Patient/$export or Group/ID/$export');
  if (!settings.types.every((type) => /^[A-Z][A-Za-z]{1,63}$/.test(type)))
    throw badSetting('types', 'FHIR resource types with commas between them');
  try {
    // Text that is no PEM at all is passed over without a word.
    if (settings.authority !== null && !settings.authority.includes('-----BEGIN CERTIFICATE-----'))
      throw new Error('PEM');
    createSecureContext(settings.authority === null ? {} : { ca: settings.authority });
  } catch {
    throw badSetting('authority', 'PEM');
  }
  return settings;
}

function readClient(read: SettingReader): BulkExportClient | null {
  const clientId = read.optionalText('clientId');
  const tokenUrl = read.optionalText('tokenUrl');
  const signingKey = read.optionalText('signingKey');
  const keyId = read.optionalText('keyId');
  const scope = read.optionalText('scope') ?? 'system/*.read';
  if (clientId === null && tokenUrl === null && signingKey === null) return null;
  if (clientId === null) throw badSetting('clientId', 'set together with tokenUrl and signingKey');
  if (tokenUrl === null) throw badSetting('tokenUrl', 'set together with clientId');
  if (signingKey === null) throw badSetting('signingKey', 'set together with clientId');
  try {
    openJwsSigner(signingKey);
  } catch (error) {
    if (!isCodedError(error, 'BAD_KEY')) throw error;
    throw badSetting('signingKey', 'a private key in PEM: RSA of 2048 bits or more, or P-384');
  }
  return { clientId, tokenUrl: readUrl(tokenUrl, 'tokenUrl'), signingKey, keyId, scope };
}

/** Stops names and tokens from going over a network in the clear: https, or this machine. */
function readUrl(text: string, setting: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isSafeUrl(url)) throw badSetting(setting, 'an https address');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw badSetting(setting, 'an address without user, query and fragment');
  return url.href;
}

export function isSafeUrl({ protocol, hostname }: URL): boolean {
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}
