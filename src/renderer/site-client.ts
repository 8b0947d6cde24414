// The renderer's only way to the site: one typed client over a WebSocket (browser) or a MessagePort (Electron). No logic of the site.
import { type ClientLink, createORPCClient } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import type { SiteContract } from '#ipc/contract.ts';

export type SiteClient = ContractRouterClient<SiteContract>;
type Link = ClientLink<Record<never, never>>;

export interface SiteConnection {
  readonly client: SiteClient;
  /** Whether calls can be answered now. */
  isConnected(): boolean;
  /** Tells of each change of `isConnected`; returns how to stop. */
  subscribe(listener: () => void): () => void;
}

/** What the preload posts to its own window, with the port, once the window has loaded: `postMessage('consilium:port', '*', [port])`. */
export const portMessage = 'consilium:port';
const reconnectDelaysMs = [250, 500, 1000, 2000, 4000];

function createConnectionState() {
  const listeners = new Set<() => void>();
  let connected = false;
  return {
    isConnected: () => connected,
    set(value: boolean) {
      if (connected === value) return;
      connected = value;
      for (const listener of listeners) listener();
    },
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** A connection that opens a new socket when one breaks. Calls under way at that moment fail; none is sent twice. */
export function connectOverWebSocket(url: string): SiteConnection {
  const state = createConnectionState();
  let failures = 0;
  let current = open();

  function open(): Link {
    const socket = new WebSocket(url);
    socket.addEventListener('open', () => {
      failures = 0;
      state.set(true);
    });
    socket.addEventListener('close', () => {
      state.set(false);
      const delayMs = reconnectDelaysMs[Math.min(failures, reconnectDelaysMs.length - 1)];
      failures += 1;
      setTimeout(() => {
        current = open();
      }, delayMs);
    });
    return new SocketLink({ websocket: socket });
  }

  const link: Link = { call: (path, input, options) => current.call(path, input, options) };
  return { client: createORPCClient(link), isConnected: state.isConnected, subscribe: state.subscribe };
}

/** A connection over a port whose other end is the site process. It ends with that process. */
export function connectOverPort(port: MessagePort): SiteConnection {
  const state = createConnectionState();
  const link: Link = new PortLink({ port });
  port.addEventListener('close', () => state.set(false));
  port.start();
  state.set(true);
  return { client: createORPCClient(link), isConnected: state.isConnected, subscribe: state.subscribe };
}

/** The connection of this window: `/rpc` of the host that served the page, or under app:// the port that the preload posts. */
export function connectToSite(): Promise<SiteConnection> {
  if (location.protocol === 'http:' || location.protocol === 'https:') {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    return Promise.resolve(connectOverWebSocket(`${scheme}://${location.host}/rpc`));
  }
  return new Promise((resolve) => {
    const receive = (event: MessageEvent): void => {
      const [port] = event.ports;
      // Only this window's own preload may hand in a port: a frame or an opener could pose as the site.
      if (event.source !== window || event.data !== portMessage || port === undefined) return;
      window.removeEventListener('message', receive);
      resolve(connectOverPort(port));
    };
    window.addEventListener('message', receive);
  });
}
