// The site in a utility process, its training in another, message ports between them and the window. Either may crash: the site is
// started again within a budget, training when the site asks for it again. With the fuse runAsNode off, child_process.fork would fail.
import path from 'node:path';
import type { MessagePortMain } from 'electron';
import type { Clock } from '#base/clock.ts';
import { superviseProcess } from './process-supervisor.ts';
import { createRestartBudget, type RestartLimits } from './restart-budget.ts';
import { type FromSite, parseFromSite, type ToSite } from './shell-message.ts';
import { type CreateChannel, type ForkProcess, type LinkedProcess, TrainingSlot } from './training-slot.ts';

export interface SiteLinkOptions {
  /** Folder with site-process.js and training-process.js. */
  readonly directory: string;
  /** Said to each new process first. */
  readonly open: Extract<ToSite, { kind: 'open' }>;
  readonly environment: NodeJS.ProcessEnv;
  readonly fork: ForkProcess;
  readonly createChannel: CreateChannel;
  readonly clock: Clock;
  readonly later: (work: () => void, delayMs: number) => () => void;
  readonly limits?: RestartLimits;
  readonly events: SiteEvents;
}

export interface SiteEvents {
  readonly onWaiting: (count: number) => void;
  readonly onTraining: (isTraining: boolean) => void;
  /** The training process ended by itself. */
  readonly onTrainingFailed: () => void;
  /** The site runs again: whoever spoke to it needs a new port. */
  readonly onRestarted: () => void;
  readonly onRefused: (code: string) => void;
  readonly onGivenUp: (ends: number) => void;
}

export interface SiteProcessLink {
  /** A fresh port on which the site serves its contract; undefined while it is being started again. */
  connect(): MessagePortMain | undefined;
  close(): void;
}

export function startSiteProcess(options: SiteLinkOptions): SiteProcessLink {
  const { directory, open, environment, fork, createChannel, clock, later, limits, events } = options;
  const training = new TrainingSlot({ ...options, onFailed: events.onTrainingFailed });
  const start = (): LinkedProcess => {
    const site = fork(path.join(directory, 'site-process.js'), [], {
      serviceName: 'Consilium site',
      // glibc gives every thread heaps of its own and what is freed stays in them: with the threads of an import that is 30 MB.
      env: { MALLOC_ARENA_MAX: '2', ...environment },
      stdio: 'inherit',
    });
    site.on('message', (value) => {
      const message = parseFromSite(value);
      if (message !== undefined) act(message, site);
    });
    site.once('exit', () => {
      training.kill();
      events.onTraining(false);
    });
    // By message and never by argument or environment, which other programs of the account can read: it may hold the data key.
    site.postMessage(open satisfies ToSite);
    return site;
  };
  const act = (message: FromSite, site: LinkedProcess): void => {
    if (message.kind === 'open-training') training.open(site, message.threads);
    else if (message.kind === 'kill-training') training.kill();
    else if (message.kind === 'training') events.onTraining(message.isTraining);
    else if (message.kind === 'waiting') events.onWaiting(message.count);
    else {
      supervisor.close();
      events.onRefused(message.code);
    }
  };
  const supervisor = superviseProcess({
    start,
    budget: createRestartBudget(clock, limits),
    later,
    onRestart: events.onRestarted,
    onGivenUp: events.onGivenUp,
  });
  return {
    connect: () => {
      const site = supervisor.current();
      if (site === undefined) return undefined;
      const { port1, port2 } = createChannel();
      site.postMessage({ kind: 'renderer-port' } satisfies ToSite, [port1]);
      return port2;
    },
    close: () => {
      training.kill();
      supervisor.close();
    },
  };
}
