// A profile that a running app or `serve` holds is reached through it; any other is opened here. Never twice.
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { createRouterClient } from '@orpc/server';
import { WebSocket } from 'ws';
import { isCodedError } from '#base/coded-error.ts';
import { type HeadlessSiteOptions, openHeadlessSite } from '#headless/open-headless-site.ts';
import type { HostContract } from '#host/bundle-contract.ts';
import { siteEndpoint } from '#host/endpoint-file.ts';
import { createSiteRouter } from '#host/router.ts';
import { Session } from '#host/session.ts';

export type SiteClient = ContractRouterClient<HostContract>;

export interface ReachedSite {
  readonly client: SiteClient;
  close(): Promise<void>;
}

const attempts = 20;
const pauseMs = 250;

/**
 * The site of a profile, by whichever way is open. Two commands at the same moment take turns.
 * @throws SiteError PROFILE_IN_USE when another process holds the profile and does not answer.
 */
export async function reachSite(options: HeadlessSiteOptions): Promise<ReachedSite> {
  for (let attempt = 1; ; attempt += 1) {
    const running = await reachRunningSite(options.profile);
    if (running !== undefined) return running;
    try {
      return await openHere(options);
    } catch (error) {
      if (!isCodedError(error, 'PROFILE_IN_USE') || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function openHere(options: HeadlessSiteOptions): Promise<ReachedSite> {
  const site = await openHeadlessSite(options);
  const client: SiteClient = createRouterClient(createSiteRouter(site), {
    context: { session: new Session(site.clock) },
  });
  return { client, close: () => site.close() };
}

/** The running app or `serve` that holds the profile, if it answers. */
export async function reachRunningSite(profile: string): Promise<ReachedSite | undefined> {
  const endpoint = siteEndpoint.load(profile);
  if (endpoint === undefined) return undefined;
  const socket = new WebSocket(`${endpoint.url.replace(/^http/, 'ws')}/rpc`, {
    headers: { authorization: `Bearer ${endpoint.token}` },
    handshakeTimeout: 5_000,
  });
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  if (!isOpen) return undefined; // left by a killed process
  const client: SiteClient = createORPCClient(
    new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }),
  );
  return {
    client,
    close: async () => {
      socket.close();
    },
  };
}
