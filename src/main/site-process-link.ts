// Starts the site in a utility process, and its training in another, and wires message ports between them and the window.
import path from 'node:path';
import { MessageChannelMain, type MessagePortMain, type UtilityProcess, utilityProcess } from 'electron';

export interface SiteProcessLink {
  /** A fresh port on which the site serves its contract. */
  connect(): MessagePortMain;
  close(): void;
}

/** As threadSettings of the site's training says. */
const oneThread = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1' };

/** @param directory folder with site-process.js and training-process.js. @param profile the site's profile folder. */
export function startSiteProcess(options: {
  readonly directory: string;
  readonly profile: string;
}): SiteProcessLink {
  const site = utilityProcess.fork(path.join(options.directory, 'site-process.js'), [options.profile], {
    serviceName: 'Consilium site',
    // glibc gives every thread heaps of its own and what is freed stays in them: with the threads of an import that is 30 MB.
    env: { MALLOC_ARENA_MAX: '2', ...process.env },
    stdio: 'inherit',
  });
  let training: UtilityProcess | undefined;
  site.on('message', (message: unknown) => {
    if (message === 'kill-training') training?.kill();
    if (message !== 'open-training' && message !== 'open-training-in-one-thread') return;
    const inOneThread = message === 'open-training-in-one-thread';
    const { port1, port2 } = new MessageChannelMain();
    const started = utilityProcess.fork(path.join(options.directory, 'training-process.js'), [], {
      serviceName: 'Consilium training',
      // Nothing of the app's own environment, which may hold a person's secret.
      env: { PATH: process.env.PATH ?? '', ...(inOneThread ? oneThread : {}) },
      stdio: 'inherit',
    });
    training = started;
    started.postMessage('training-port', [port1]);
    started.on('exit', () => site.postMessage('training-exit'));
    site.postMessage('training-port', [port2]);
  });
  return {
    connect: () => {
      const { port1, port2 } = new MessageChannelMain();
      site.postMessage('renderer-port', [port1]);
      return port2;
    },
    close: () => {
      training?.kill();
      site.kill();
    },
  };
}
