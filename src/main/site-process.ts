// The site as a utility process of Electron: the same openSite and host as headless, over message ports of the shell. It opens when
// the shell has said where, and with which keys.
import { mkdirSync } from 'node:fs';
import { RPCHandler } from '@orpc/server/message-port';
import type { MessagePortMain } from 'electron';
import { systemClock } from '#base/clock.ts';
import { isCodedError } from '#base/coded-error.ts';
import { createLogger } from '#base/logger.ts';
import { openEndpoint } from '#host/endpoint.ts';
import { createPinnedTransport } from '#host/pinned-transport.ts';
import { createSiteRouter } from '#host/router.ts';
import { Session } from '#host/session.ts';
import { createTrainingHost, initialiseSite, openSite, type Site, type SitePorts } from '#site/site.ts';
import { announceTraining } from './announced-training.ts';
import { openKeyStore } from './key-access.ts';
import type { FromSite, ToSite } from './shell-message.ts';
import { createPortChannel } from './training-port-channel.ts';

const logger = createLogger('site');
const trainingChannel = createPortChannel(process.parentPort);
const tell = (message: FromSite) => process.parentPort.postMessage(message);
/** How long the last message may take on its way to the shell. */
const partingMs = 250;
const waitingPollMs = 10_000;

function portsOf({ profile, keys }: Extract<ToSite, { kind: 'open' }>): SitePorts {
  mkdirSync(profile, { recursive: true, mode: 0o700 });
  const training = createTrainingHost({ openChannel: trainingChannel.open });
  return {
    paths: { profile },
    keyStore: openKeyStore(keys, profile),
    clock: systemClock,
    transport: createPinnedTransport(),
    trainingHost: announceTraining(training, (isTraining) => tell({ kind: 'training', isTraining })),
    logger,
  };
}

/** A profile that was never initialised gets its keys here; the wizard asks for the rest. */
async function openOrInitialise(ports: SitePorts): Promise<Site> {
  try {
    return await openSite(ports);
  } catch (error) {
    if (!isCodedError(error, 'NOT_INITIALISED')) throw error;
    await initialiseSite(ports, { name: 'Consilium Site' });
    return openSite(ports);
  }
}

async function open(order: Extract<ToSite, { kind: 'open' }>): Promise<Site> {
  const site = await openOrInitialise(portsOf(order));
  await site.sources.listen();
  await openEndpoint(site, { port: 0, rendererDirectory: null });
  let told = 0;
  setInterval(() => {
    const count = site.status().updatesToReview;
    if (count !== told) tell({ kind: 'waiting', count });
    told = count;
  }, waitingPollMs);
  return site;
}

/** A refusal would be the same after a restart; anything else ends the process, and the shell starts another. */
function end(error: unknown): void {
  const code = isCodedError(error) ? error.code : 'BUG';
  logger.error('the site does not open', { code });
  if (code !== 'BUG') tell({ kind: 'refused', code });
  setTimeout(() => process.exit(1), partingMs);
}

function serve(site: Site, port: MessagePortMain): void {
  const handler = new RPCHandler(createSiteRouter(site));
  handler.upgrade(port, { context: { session: new Session(site.clock) } });
  port.start();
}

let opened: Promise<Site> | undefined;
process.parentPort.on('message', ({ data, ports: [port] }) => {
  const message = data as ToSite;
  if (message.kind === 'open') {
    opened = open(message);
    opened.catch(end);
  } else if (message.kind === 'renderer-port') {
    // The refusal is told once, above.
    if (port !== undefined) opened?.then((site) => serve(site, port)).catch(() => {});
  } else trainingChannel.receive(message, port);
});
