// The site as a utility process of Electron: the same openSite and host as headless, over message ports of the shell.
import { mkdirSync } from 'node:fs';
import { RPCHandler } from '@orpc/server/message-port';
import type { MessagePortMain } from 'electron';
import { systemClock } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import { createLogger } from '#base/logger.ts';
import { openEndpoint } from '#host/endpoint.ts';
import { createFileKeyStore, siteKeyFile } from '#host/file-key-store.ts';
import { createPinnedTransport } from '#host/pinned-transport.ts';
import { createSiteRouter } from '#host/router.ts';
import { Session } from '#host/session.ts';
import { createTrainingHost, initialiseSite, openSite, type Site, type SitePorts } from '#site/site.ts';
import { createPortChannel } from './training-port-channel.ts';

const logger = createLogger('site');
const profile = process.argv[2] ?? '';
mkdirSync(profile, { recursive: true, mode: 0o700 });

const trainingChannel = createPortChannel(process.parentPort);
const ports: SitePorts = {
  paths: { profile },
  keyStore: createFileKeyStore({ file: siteKeyFile(profile), profile }),
  clock: systemClock,
  transport: createPinnedTransport(),
  trainingHost: createTrainingHost({ openChannel: trainingChannel.open }),
  logger,
};

/** A profile that was never initialised gets its keys here; the wizard asks for the rest. */
async function openOrInitialise(): Promise<Site> {
  try {
    return await openSite(ports);
  } catch (error) {
    if (!isCodedError(error, 'NOT_INITIALISED')) throw error;
    await initialiseSite(ports, { name: 'Consilium Site' });
    return openSite(ports);
  }
}

function serve(site: Site, port: MessagePortMain): void {
  const handler = new RPCHandler(createSiteRouter(site));
  handler.upgrade(port, { context: { session: new Session(site.clock) } });
  port.start();
}

const opened = openOrInitialise();
opened
  .then(async (site) => {
    await site.sources.listen();
    return site;
  })
  .then((site) => openEndpoint(site, { port: 0, rendererDirectory: null }))
  .catch((error: unknown) => {
    logger.error('the site does not open', { code: isCodedError(error) ? error.code : 'BUG' });
    process.exit(1);
  });

process.parentPort.on('message', ({ data, ports: [port] }) => {
  if (data === 'renderer-port' && port !== undefined) void opened.then((site) => serve(site, port));
  else trainingChannel.receive(data, port);
});
