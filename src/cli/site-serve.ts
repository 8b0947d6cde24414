// `consilium site serve`: the node without a window, its screens in a browser on this machine.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { parsePort } from '#cli/option-parsers.ts';
import { printFailure, printResult } from '#cli/output.ts';
import { type SiteCommandOptions, siteCommand } from '#cli/site-command.ts';
import { serveSite } from '#headless/serve-site.ts';

const builtRenderer = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../dist/renderer');

export function registerServe(site: Command): void {
  site.addCommand(
    siteCommand('serve', 'run the node; its screens open in a browser on this machine')
      .option('--port <number>', 'loopback port (0: any free one)', parsePort, 0)
      .option('--no-screens', 'serve the command line alone')
      .action(async (options: SiteCommandOptions & { port: number; screens: boolean }) => {
        try {
          const { launchUrl, stopped } = await serveSite({
            profile: options.profile,
            keyFile: options.keys,
            port: options.port,
            rendererDirectory: options.screens ? builtRenderer : null,
          });
          printResult(
            options,
            { ok: true, url: launchUrl, pid: process.pid },
            () => `${options.screens ? `Open ${launchUrl}` : 'The node runs.'}\nStop with Ctrl-C.`,
          );
          await stopped;
        } catch (error) {
          printFailure(error, options.json === true);
        }
      }),
  );
}
