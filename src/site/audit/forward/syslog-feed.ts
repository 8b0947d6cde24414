// Entries by syslog over TLS (RFC 5425; IHE ATNA ITI-20). Syslog acknowledges nothing, so each batch has a connection of its own: it counts
// as arrived when the receiver, told that no more comes, has ended its side in order, which it does behind the last byte it read.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { connect, type TLSSocket } from 'node:tls';
import { type Batch, type Feed, feedTimeoutMs } from './feed.ts';
import { ForwardingError } from './forwarding-error.ts';
import type { ForwardingSettings } from './forwarding-settings.ts';
import { syslogFrame, syslogHostName, syslogMessage } from './syslog-message.ts';

type SyslogSettings = Extract<ForwardingSettings, { readonly kind: 'syslog' }>;

export function createSyslogFeed(settings: SyslogSettings): Feed {
  const hostName = syslogHostName(hostname());
  return {
    batchSize: 1000,
    send: async ({ entries, source, signal }: Batch) => {
      const frames = entries.map((entry) => syslogFrame(syslogMessage(entry, source, hostName)));
      await deliver(settings, Buffer.concat(frames), signal);
      return entries.length;
    },
    close: async () => {},
  };
}

function deliver(settings: SyslogSettings, bytes: Buffer, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(feedTimeoutMs)]);
  return new Promise((resolve, reject) => {
    const socket = openSocket(settings);
    let isWhole = false;
    const fail = () => {
      socket.destroy();
      // The cause may quote the address.
      reject(new ForwardingError('REPOSITORY_UNAVAILABLE', 'The audit repository did not take the entries.'));
    };
    signal.addEventListener('abort', fail, { once: true });
    socket.once('error', fail);
    socket.once('secureConnect', () =>
      socket.end(bytes, () => {
        isWhole = true;
      }),
    );
    // A receiver says nothing; what it says all the same is read so that its end is seen.
    socket.resume();
    socket.once('end', () => {
      // An end before all was sent: the receiver has gone.
      if (isWhole) resolve();
      else fail();
    });
    socket.once('close', () => {
      signal.removeEventListener('abort', fail);
      fail();
    });
  });
}

function openSocket({ host, port, authority, certificate, key }: SyslogSettings): TLSSocket {
  return connect({
    host,
    port,
    servername: isIP(host) === 0 ? host : '',
    minVersion: 'TLSv1.2',
    ...(authority === null ? {} : { ca: authority }),
    ...(certificate === null || key === null ? {} : { cert: certificate, key }),
  });
}
