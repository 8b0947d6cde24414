// The data key of a site under the operating system's key store, through Electron's safeStorage (security.md E23). Where the system
// keeps no secret the answer is a refusal that names the ways out, never a weaker place taken in silence.
import type { SafeStorage } from 'electron';
import { fromBase64, toBase64 } from '#base/bytes.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import { KeyStoreError } from '#host/key-store-error.ts';
import { type SystemBackend, systemBackends } from '#host/sealed-key-format.ts';
import type { SystemDataKey, SystemWrapping } from '#host/system-key-store.ts';

/** What is used of Electron: the asynchronous calls, which wait for an unlock without blocking the app. */
export type AsyncSafeStorage = Pick<
  SafeStorage,
  'isAsyncEncryptionAvailable' | 'encryptStringAsync' | 'decryptStringAsync' | 'getSelectedStorageBackend'
>;

export interface SystemState {
  readonly platform: NodeJS.Platform;
  /** `getSelectedStorageBackend()`; it exists on Linux only. */
  readonly linuxBackend: string | undefined;
  readonly isAvailable: boolean;
}

export type KeyStoreDecision =
  | { readonly isUsable: true; readonly backend: SystemBackend }
  | {
      readonly isUsable: false;
      readonly code: 'SYSTEM_KEY_STORE_UNSAFE' | 'SYSTEM_KEY_STORE_UNAVAILABLE';
    };

/** `keyStore.kind` of the managed policy, in the order in which they are offered. */
export const waysOut = ['passphrase', 'key-file'] as const;

/**
 * Whether the system's key store may hold the key. `basic_text` encrypts under a password that is the same on every machine, and
 * `unknown` says nothing: both count as unsafe even where encryption is said to be available. So does a name not known here.
 */
export function decideSystemKeyStore({ platform, linuxBackend, isAvailable }: SystemState): KeyStoreDecision {
  if (platform !== 'linux') {
    if (platform !== 'darwin' && platform !== 'win32') return unusable('SYSTEM_KEY_STORE_UNAVAILABLE');
    if (!isAvailable) return unusable('SYSTEM_KEY_STORE_UNAVAILABLE');
    return { isUsable: true, backend: platform === 'darwin' ? 'keychain' : 'dpapi' };
  }
  const backend = systemBackends.find((known) => known === linuxBackend);
  if (backend === undefined || backend === 'keychain' || backend === 'dpapi')
    return unusable('SYSTEM_KEY_STORE_UNSAFE');
  return isAvailable ? { isUsable: true, backend } : unusable('SYSTEM_KEY_STORE_UNAVAILABLE');
}

export interface SystemKeyOptions {
  readonly safeStorage: AsyncSafeStorage;
  readonly platform: NodeJS.Platform;
  /** Of the key file that is there; undefined for a new site, which gets a new key. */
  readonly wrapping: SystemWrapping | undefined;
  /** How long the system may wait for a person to unlock it. */
  readonly timeoutMs?: number;
}

/**
 * The data key, and how it is to be kept from now on.
 * @throws KeyStoreError SYSTEM_KEY_STORE_UNSAFE, SYSTEM_KEY_STORE_UNAVAILABLE (not there, or locked for too long),
 * SYSTEM_KEY_STORE_OTHER when the key was wrapped by another account or machine.
 */
export async function openSystemDataKey(options: SystemKeyOptions): Promise<SystemDataKey> {
  const { safeStorage, platform, wrapping, timeoutMs = 120_000 } = options;
  const inTime = <T>(work: Promise<T>) => withinTime(work, timeoutMs);
  const isAvailable = await inTime(safeStorage.isAsyncEncryptionAvailable());
  const linuxBackend = platform === 'linux' ? safeStorage.getSelectedStorageBackend() : undefined;
  const decision = decideSystemKeyStore({ platform, linuxBackend, isAvailable });
  if (!decision.isUsable) throw refusal(decision.code, linuxBackend);
  const wrap = async (dataKey: Uint8Array): Promise<SystemDataKey> => {
    const wrapped = await inTime(safeStorage.encryptStringAsync(toBase64(dataKey)));
    const { backend } = decision;
    return { dataKey, wrapping: { kind: 'system', backend, wrappedDataKey: new Uint8Array(wrapped) } };
  };
  if (wrapping === undefined) return wrap(systemRandom(32));
  const { dataKey, isOld } = await inTime(unwrap(safeStorage, wrapping));
  return isOld ? wrap(dataKey) : { dataKey, wrapping };
}

async function unwrap(safeStorage: AsyncSafeStorage, { wrappedDataKey }: SystemWrapping) {
  try {
    const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(wrappedDataKey));
    const dataKey = fromBase64(result);
    if (dataKey.length === 32) return { dataKey, isOld: shouldReEncrypt };
  } catch {
    // The cause is left out: it may quote what was decrypted.
  }
  throw new KeyStoreError(
    'SYSTEM_KEY_STORE_OTHER',
    "This account's key store does not open the keys of the site.",
  );
}

function unusable(code: 'SYSTEM_KEY_STORE_UNSAFE' | 'SYSTEM_KEY_STORE_UNAVAILABLE'): KeyStoreDecision {
  return { isUsable: false, code };
}

function refusal(
  code: 'SYSTEM_KEY_STORE_UNSAFE' | 'SYSTEM_KEY_STORE_UNAVAILABLE',
  found?: string,
): KeyStoreError {
  const message =
    code === 'SYSTEM_KEY_STORE_UNSAFE'
      ? 'This session has no key store that keeps a secret.'
      : "The system's key store is not there or stays locked.";
  return new KeyStoreError(code, message, { details: { found: found ?? null, waysOut } });
}

function withinTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(refusal('SYSTEM_KEY_STORE_UNAVAILABLE')), timeoutMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
