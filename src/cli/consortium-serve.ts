// `consilium consortium serve`: answers sites over HTTPS until it is stopped.
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand } from '#cli/consortium-command.ts';
import { parsePort } from '#cli/option-parsers.ts';
import { printFailure, printResult } from '#cli/output.ts';
import { serveConsortium } from '#consortium/consortium.ts';

const DEFAULT_PORT = 7443;

export function registerConsortiumServe(consortium: Command): void {
  consortium.addCommand(
    consortiumCommand('serve', 'run the server for sites')
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .option('--port <number>', 'port (0: any free one)', parsePort, DEFAULT_PORT)
      .action(async (options: ConsortiumCommandOptions & { host: string; port: number }) => {
        try {
          const { profile, keys: keyFile, host, port } = options;
          const served = await serveConsortium({ profile, keyFile, host, port });
          const stopped = stopOnSignal(() => served.stop());
          const { url, certificateDigest } = served;
          printResult(options, { ok: true, url, certificateDigest, pid: process.pid }, () => [
            `Sites reach this consortium at ${url}`,
            `Certificate sha256 ${certificateDigest}`,
            'Stop with Ctrl-C.',
          ]);
          await stopped;
        } catch (error) {
          printFailure(error, options.json === true);
        }
      }),
  );
}

/** Resolves when a signal came and `stop` is done. */
function stopOnSignal(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let isStopping = false;
    const begin = (): void => {
      if (isStopping) return;
      isStopping = true;
      stop().then(resolve, reject);
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, begin);
  });
}
