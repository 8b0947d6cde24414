// Reaches the consortium of a profile: opened here when nobody holds it, else through the process that does. Never opened twice.
import { setTimeout as delay } from 'node:timers/promises';
import { lockProfile, type ProfileLock } from '#base/profile-lock.ts';
import { consortiumEndpoint } from './endpoint.ts';
import { createAdminClient } from './http/index.ts';
import { openConsortium } from './open-consortium.ts';
import type { ConsortiumOperations } from './operations.ts';
import { loadPorts, type ProfileOptions, requireProfile } from './profile.ts';
import { ProfileError } from './store/profile-error.ts';

export interface ReachedConsortium {
  readonly operations: ConsortiumOperations;
  /** Whether another process holds the profile. */
  readonly isRemote: boolean;
  close(): void;
}

const ATTEMPTS = 50;
const PAUSE_MS = 100;

/** @throws ProfileError PROFILE_MISSING, PROFILE_IN_USE (held by a process that does not answer) and those of the key file. */
export async function reachConsortium(options: ProfileOptions): Promise<ReachedConsortium> {
  const { profile } = options;
  requireProfile(profile);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const lock = lockProfile(profile);
    if (lock !== undefined) return openHere(options, lock);
    const operations = await findRunning(profile);
    if (operations !== undefined) return { operations, isRemote: true, close: () => undefined };
    // Another command is at work, or a server is just starting or stopping.
    await delay(PAUSE_MS);
  }
  throw new ProfileError('PROFILE_IN_USE', 'Another process holds this profile and does not answer.');
}

function openHere(options: ProfileOptions, lock: ProfileLock): ReachedConsortium {
  try {
    const consortium = openConsortium(loadPorts(options));
    const close = (): void => {
      consortium.close();
      lock.release();
    };
    return { operations: consortium.operations, isRemote: false, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The operations of the process that listens, or undefined: the file may be one that a killed process left. */
async function findRunning(profile: string): Promise<ConsortiumOperations | undefined> {
  const endpoint = consortiumEndpoint.load(profile);
  if (endpoint === undefined) return undefined;
  const operations = createAdminClient({ url: endpoint.adminUrl, token: endpoint.token });
  try {
    await operations.status({});
    return operations;
  } catch {
    return undefined;
  }
}
