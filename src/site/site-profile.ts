// A profile from nothing to an open, locked, encrypted store with its audit log.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '#base/bytes.ts';
import { lockProfile } from '#base/profile-lock.ts';
import { createSigningKey } from '#federation/crypto/signing-key.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { type AuditLog, openAuditLog, systemActor } from '#site/audit/index.ts';
import { saveImagingSettings } from '#site/ingest/index.ts';
import { createSiteKeys } from '#site/people/index.ts';
import type { SiteKeys, SitePorts } from '#site/ports.ts';
import { openStore, type Store } from '#site/store/index.ts';
import { SiteError } from './site-error.ts';
import { saveIdentifierAuthorities } from './site-identifier-authorities.ts';
import { loadSiteName, saveSiteName } from './site-overview.ts';
import { machineTimeZone, saveTimeZone } from './site-time-zone.ts';
import { software } from './software.ts';

export interface OpenProfile {
  readonly store: Store;
  readonly auditLog: AuditLog;
  readonly keys: SiteKeys;
  /** How another thread of this process opens the store. */
  readonly door: { readonly file: string; readonly key: Uint8Array };
  /** Closes the store and lets go of the profile. */
  close(): void;
}

type ProfilePorts = Pick<SitePorts, 'paths' | 'keyStore' | 'clock'>;

/**
 * Locks and opens a profile, which may still be without a site.
 * @throws SiteError PROFILE_IN_USE; DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
function openLocked({ paths, clock }: ProfilePorts, loadKeys: () => SiteKeys): OpenProfile {
  // First of all: two processes must not both find that there are no keys yet.
  const lock = lockProfile(paths.profile);
  if (lock === undefined) throw new SiteError('PROFILE_IN_USE', 'Another process has this profile open.');
  try {
    const keys = loadKeys();
    const door = { file: storeFile(paths.profile), key: keys.storeKey };
    const store = openStore({ ...door, clock });
    const signer = createSigningKey(keys.siteLogSeed);
    const origin = `consilium.example/site/${signer.keyId.slice(0, 16)}/log`;
    const bootId = toHex(systemRandom(8));
    const auditLog = openAuditLog({ store, signer, origin, bootId, softwareVersion: software.version });
    const close = () => {
      store.close();
      lock.release();
    };
    return { store, auditLog, keys, door, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

export function storeFile(profile: string): string {
  return join(profile, 'site.db');
}

/** @throws SiteError NOT_INITIALISED, PROFILE_IN_USE, PROFILE_WITHOUT_KEYS; DatabaseError. */
export function openProfile(ports: ProfilePorts): OpenProfile {
  const { profile } = ports.paths;
  if (!existsSync(profile)) throw notInitialised();
  const opened = openLocked(ports, () => {
    const keys = ports.keyStore.load();
    if (keys === undefined && existsSync(storeFile(profile))) throw withoutKeys();
    if (keys === undefined || !existsSync(storeFile(profile))) throw notInitialised();
    return keys;
  });
  if (loadSiteName(opened.store) !== undefined) return opened;
  opened.close();
  throw notInitialised();
}

export interface NewSite {
  readonly name: string;
  /** IANA name of the hospital's time zone; without it the machine's. */
  readonly timeZone?: string | undefined;
  /** How sources name an authority of patient numbers -> its URI at this site. */
  readonly identifierAuthorities?: ReadonlyMap<string, string> | undefined;
  /** False: images are indexed, and their pixels not kept. Default: true. */
  readonly keepsPixels?: boolean | undefined;
}

/**
 * Makes the keys and the store of a new site. A try that was cut off may be repeated.
 * @throws SiteError ALREADY_INITIALISED, PROFILE_IN_USE, PROFILE_WITHOUT_KEYS; RangeError for an unknown time zone.
 */
export function initialiseProfile(
  ports: ProfilePorts,
  { name, timeZone, identifierAuthorities, keepsPixels = true }: NewSite,
): void {
  const { keyStore, paths } = ports;
  const opened = openLocked(ports, () => {
    const known = keyStore.load();
    if (known !== undefined) return known;
    // New keys would not open what lies there, and would take the place of those that do.
    if (existsSync(storeFile(paths.profile))) throw withoutKeys();
    const keys = createSiteKeys(systemRandom);
    keyStore.save(keys);
    return keys;
  });
  const { store, auditLog } = opened;
  try {
    store.transaction(() => {
      if (loadSiteName(store) !== undefined) {
        throw new SiteError('ALREADY_INITIALISED', 'There is a site in this profile already.');
      }
      saveSiteName(store, name);
      saveTimeZone(store, timeZone ?? machineTimeZone());
      saveIdentifierAuthorities(store, identifierAuthorities ?? new Map());
      saveImagingSettings(store, { keepsPixels });
      auditLog.append({
        actor: systemActor.name,
        role: null,
        action: 'site-initialised',
        outcome: 'success',
      });
      auditLog.checkpoint();
    });
  } finally {
    opened.close();
  }
}

function notInitialised(): SiteError {
  return new SiteError('NOT_INITIALISED', 'There is no site in this profile yet.');
}

function withoutKeys(): SiteError {
  return new SiteError('PROFILE_WITHOUT_KEYS', 'The profile has a store, but its key file is not there.');
}
