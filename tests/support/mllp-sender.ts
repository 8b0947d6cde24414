// An HL7 v2 sender over MLLP, for tests: sends frames and reads what is answered.
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

export interface MllpSender {
  /** Sends a message in a frame and gives the answer's segments; undefined where the connection ends without one. */
  send(message: string | Uint8Array): Promise<string[] | undefined>;
  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void;
  /** The next answer's segments. */
  answer(): Promise<string[] | undefined>;
  close(): void;
}

export async function openMllpSender(port: number, tls?: ConnectionOptions): Promise<MllpSender> {
  const socket: Socket =
    tls === undefined ? connect(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ...tls });
  const answers: string[][] = [];
  const waiting: ((answer: string[] | undefined) => void)[] = [];
  let text = '';
  let isOver = false;
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    for (let end = text.indexOf('\u001c\r'); end !== -1; end = text.indexOf('\u001c\r')) {
      const answer = text
        .slice(1, end)
        .split('\r')
        .filter((segment) => segment !== '');
      text = text.slice(end + 2);
      const next = waiting.shift();
      if (next === undefined) answers.push(answer);
      else next(answer);
    }
  });
  const end = (): void => {
    isOver = true;
    for (const next of waiting.splice(0)) next(undefined);
  };
  socket.on('error', end).on('close', end);
  await new Promise<void>((resolve) => {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve());
    socket.once('close', () => resolve());
  });
  const answer = (): Promise<string[] | undefined> => {
    const held = answers.shift();
    if (held !== undefined || isOver) return Promise.resolve(held);
    return new Promise((resolve) => waiting.push(resolve));
  };
  return {
    answer,
    write: (bytes) => void socket.write(bytes),
    send(message) {
      socket.write(Buffer.concat([Buffer.from([0x0b]), Buffer.from(message), Buffer.from([0x1c, 0x0d])]));
      return answer();
    },
    close: () => socket.destroy(),
  };
}
