// The site in a utility process, its training in another, message ports between them and the window. Either may crash: the site is
// started again within a budget, training when the site asks for it again. With the fuse runAsNode off, child_process.fork would fail.
import path from 'node:path';
import type { ForkOptions, MessagePortMain } from 'electron';
import type { Clock } from '#base/clock.ts';
import { superviseProcess } from './process-supervisor.ts';
import { createRestartBudget, type RestartLimits } from './restart-budget.ts';
import { type FromSite, parseFromSite, type ToSite } from './shell-message.ts';

/** What is used of a UtilityProcess. */
export interface LinkedProcess {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'exit', listener: (code: number) => void): unknown;
  postMessage(message: unknown, transfer?: MessagePortMain[]): void;
  kill(): boolean;
}

export interface SiteLinkOptions {
  /** Folder with site-process.js and training-process.js. */
  readonly directory: string;
  /** Said to each new process first. */
  readonly open: Extract<ToSite, { kind: 'open' }>;
  readonly environment: NodeJS.ProcessEnv;
  readonly fork: (modulePath: string, args: string[], options: ForkOptions) => LinkedProcess;
  readonly createChannel: () => { readonly port1: MessagePortMain; readonly port2: MessagePortMain };
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
  const training = new TrainingSlot(options);
  const start = (): LinkedProcess => {
    const site = fork(path.join(directory, 'site-process.js'), [], {
      serviceName: 'Consilium site',
      // glibc gives every thread heaps of its own and what is freed stays in them: with the threads of an import that is 30 MB.
      env: { MALLOC_ARENA_MAX: '2', ...environment },
      stdio: 'inherit',
    });
    const act: Readonly<Record<FromSite['kind'], (message: FromSite) => void>> = {
      'open-training': () => training.open(site),
      'kill-training': () => training.kill(),
      training: (message) => message.kind === 'training' && events.onTraining(message.isTraining),
      waiting: (message) => message.kind === 'waiting' && events.onWaiting(message.count),
      refused: (message) => {
        if (message.kind !== 'refused') return;
        supervisor.close();
        events.onRefused(message.code);
      },
    };
    site.on('message', (value) => {
      const message = parseFromSite(value);
      if (message !== undefined) act[message.kind](message);
    });
    site.once('exit', () => {
      training.kill();
      events.onTraining(false);
    });
    // By message and never by argument or environment, which other programs of the account can read: it may hold the data key.
    site.postMessage(open satisfies ToSite);
    return site;
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

type TrainingOptions = Pick<
  SiteLinkOptions,
  'directory' | 'environment' | 'fork' | 'createChannel' | 'clock' | 'limits' | 'events'
>;

/** The one training process of a site. */
class TrainingSlot {
  #process: LinkedProcess | undefined;
  readonly #options: TrainingOptions;
  readonly #budget;

  constructor(options: TrainingOptions) {
    this.#options = options;
    this.#budget = createRestartBudget(options.clock, options.limits);
  }

  open(site: LinkedProcess): void {
    const { directory, environment, fork, createChannel, events } = this.#options;
    // A plan that ends every training process is told so at once, and the machine is left alone for a while.
    if (this.#budget.isSpent()) {
      site.postMessage({ kind: 'training-exit' } satisfies ToSite);
      return;
    }
    const { port1, port2 } = createChannel();
    const started = fork(path.join(directory, 'training-process.js'), [], {
      serviceName: 'Consilium training',
      // Nothing of the app's own environment, which may hold a person's secret.
      env: { PATH: environment.PATH ?? '' },
      stdio: 'inherit',
    });
    this.#process = started;
    started.postMessage('training-port', [port1]);
    started.once('exit', () => {
      site.postMessage({ kind: 'training-exit' } satisfies ToSite);
      if (this.#process !== started) return;
      this.#process = undefined;
      this.#budget.next();
      events.onTrainingFailed();
    });
    site.postMessage({ kind: 'training-port' } satisfies ToSite, [port2]);
  }

  /** Ends it because somebody wants it so: no failure. */
  kill(): void {
    const running = this.#process;
    this.#process = undefined;
    running?.kill();
  }
}
