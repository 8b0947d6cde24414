// A TCP proxy in front of a consortium. It cannot read what passes (TLS), but sees by its length when an update is being sent, and
// lets a test cut the connection at that moment: before the request has arrived, or before the answer has.
import { connect, createServer, type Socket } from 'node:net';

/** Longer than any other request: those have a few signed header fields and at most a checkpoint. */
const updateBytes = 4_000;

export interface UpdateWatch {
  /** The update's first bytes are here; gives whether they go on to the consortium. */
  readonly onUpdate: () => boolean;
  /** The consortium has begun to answer it. No answer goes on to the site while somebody watches. */
  readonly onAnswer: () => void;
}

export interface RequestProxy {
  readonly url: string;
  /** Port of the consortium. */
  target: number;
  /** Who is told of the next update; undefined lets everything pass. */
  watch: UpdateWatch | undefined;
  close(): Promise<void>;
}

export async function startRequestProxy(): Promise<RequestProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((site) => {
    const consortium = connect(proxy.target, '127.0.0.1');
    for (const [socket, peer] of [
      [site, consortium],
      [consortium, site],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => peer.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
    pass(proxy, site, consortium);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const proxy: RequestProxy = {
    url: `https://127.0.0.1:${port}`,
    target: 0,
    watch: undefined,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function pass(proxy: RequestProxy, site: Socket, consortium: Socket): void {
  let requestBytes = 0;
  let watched: UpdateWatch | undefined;
  let isCut = false;
  site.on('data', (chunk) => {
    requestBytes += chunk.length;
    if (watched === undefined && requestBytes > updateBytes && proxy.watch !== undefined) {
      watched = proxy.watch;
      isCut = !watched.onUpdate();
    }
    if (!isCut) consortium.write(chunk);
  });
  consortium.on('data', (chunk) => {
    requestBytes = 0;
    if (watched === undefined) site.write(chunk);
    else watched.onAnswer();
  });
}
