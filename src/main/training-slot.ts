// The one training process of a site: started when the site asks, wired to it by a channel of their own, and not started for a while
// after it ended by itself too often.
import path from 'node:path';
import type { ForkOptions, MessagePortMain } from 'electron';
import type { Clock } from '#base/clock.ts';
import { createRestartBudget, type RestartBudget, type RestartLimits } from './restart-budget.ts';
import type { ToSite } from './shell-message.ts';

/** What is used of a UtilityProcess. */
export interface LinkedProcess {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'exit', listener: (code: number) => void): unknown;
  postMessage(message: unknown, transfer?: MessagePortMain[]): void;
  kill(): boolean;
}

export type ForkProcess = (modulePath: string, args: string[], options: ForkOptions) => LinkedProcess;
export type CreateChannel = () => { readonly port1: MessagePortMain; readonly port2: MessagePortMain };

export interface TrainingOptions {
  /** Folder with training-process.js. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly fork: ForkProcess;
  readonly createChannel: CreateChannel;
  readonly clock: Clock;
  readonly limits?: RestartLimits;
  /** It ended by itself. */
  readonly onFailed: () => void;
}

/** As threadSettings of the site's training says. */
function threadSettings(count: number | null): Record<string, string> {
  if (count === null) return {};
  return { TF_NUM_INTRAOP_THREADS: String(count), TF_NUM_INTEROP_THREADS: String(count) };
}

/** The one training process of a site. */
export class TrainingSlot {
  #process: LinkedProcess | undefined;
  readonly #options: TrainingOptions;
  readonly #budget: RestartBudget;

  constructor(options: TrainingOptions) {
    this.#options = options;
    this.#budget = createRestartBudget(options.clock, options.limits);
  }

  open(site: LinkedProcess, threads: number | null): void {
    const { directory, environment, fork, createChannel, onFailed } = this.#options;
    // A plan that ends every training process is told so at once, and the machine is left alone for a while.
    if (this.#budget.isSpent()) {
      site.postMessage({ kind: 'training-exit' } satisfies ToSite);
      return;
    }
    const { port1, port2 } = createChannel();
    const started = fork(path.join(directory, 'training-process.js'), [], {
      serviceName: 'Consilium training',
      // Nothing of the app's own environment, which may hold a person's secret.
      env: { PATH: environment.PATH ?? '', ...threadSettings(threads) },
      stdio: 'inherit',
    });
    this.#process = started;
    started.postMessage('training-port', [port1]);
    started.once('exit', () => {
      site.postMessage({ kind: 'training-exit' } satisfies ToSite);
      if (this.#process !== started) return;
      this.#process = undefined;
      this.#budget.next();
      onFailed();
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
