// Preloaded (`node --import`) into the programs of a test: writes down every byte that they send over TLS, before it is encrypted.
// One file for each process, in the folder that CONSILIUM_TEST_SENT names.
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

const folder = process.env.CONSILIUM_TEST_SENT;

function record(chunk: unknown, encoding: unknown): void {
  if (folder === undefined || (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))) return;
  const bytes =
    typeof chunk === 'string'
      ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
      : chunk;
  appendFileSync(path.join(folder, `${process.pid}.sent`), bytes);
}

// Every writer of a socket comes by these two: HTTP client and server, and anything that would go around them. They are put on the
// plain socket: a socket that connects takes its `write` from there.
for (const name of ['write', 'end'] as const) {
  Object.defineProperty(Socket.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Socket, ...written: unknown[]): unknown {
      if (this instanceof TLSSocket) record(written[0], written[1]);
      return Reflect.apply(Duplex.prototype[name], this, written);
    },
  });
}
