// Runs a consortium: holds its profile, answers sites over HTTPS and the operator over loopback, until it is stopped.

import { consortiumEndpoint } from './endpoint.ts';
import { createAdminServer } from './http/index.ts';
import { openConsortium } from './open-consortium.ts';
import { loadPorts, type ProfileOptions, requireLock, requireProfile } from './profile.ts';

export interface ServeOptions extends ProfileOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface ServedConsortium {
  /** https URL that the server listens at. */
  readonly url: string;
  readonly certificateDigest: string;
  /** Ends all connections, closes the store, lets go of the profile. A site repeats what got no answer. */
  stop(): Promise<void>;
}

/** @throws ProfileError PROFILE_MISSING, PROFILE_IN_USE and those of the key file. */
export async function serveConsortium(options: ServeOptions): Promise<ServedConsortium> {
  const { profile, host, port } = options;
  requireProfile(profile);
  const lock = requireLock(profile);
  const closers: (() => Promise<void> | void)[] = [() => lock.release()];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const ports = loadPorts(options);
    const consortium = openConsortium(ports);
    closers.push(() => consortium.close());
    const server = await consortium.createServer();
    closers.push(() => server.close());
    const url = nameableUrl(await server.listen({ host, port }));
    consortium.announce(url);
    const admin = await createAdminServer(consortium.operations, ports.logger);
    closers.push(() => admin.close());
    closers.push(() => consortiumEndpoint.remove(profile));
    consortiumEndpoint.save(profile, { url, adminUrl: admin.url, token: admin.token, pid: process.pid });
    return { url, certificateDigest: consortium.certificateDigest, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A server that listens everywhere is reached at this machine's own name, until `init` was given a URL. */
function nameableUrl(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const isEverywhere = hostname === '0.0.0.0' || hostname === '[::]';
  return `${protocol}//${isEverywhere ? '127.0.0.1' : hostname}:${port}`;
}
