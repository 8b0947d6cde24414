// `consilium site doctor`: what is wrong with this site and its machine, why, and the next step. Ends with 1 when something must be done.
import type { Command } from 'commander';
import { endRefused, printFailure, printResult } from '#cli/output.ts';
import { type SiteCommandOptions, siteCommand } from '#cli/site-command.ts';
import { examineHeadlessSite } from '#headless/doctor.ts';

const marks = { ok: 'ok     ', notice: 'notice ', problem: 'PROBLEM' } as const;

export function registerDoctor(site: Command): void {
  site.addCommand(
    siteCommand('doctor', 'check engine, keys, disk, clock and connection, and name each cause').action(
      async (options: SiteCommandOptions) => {
        try {
          const report = await examineHeadlessSite({ profile: options.profile, keyFile: options.keys });
          printResult(options, report, ({ findings }) =>
            findings.flatMap(({ check, state, code, message, nextStep }) => [
              `${marks[state]} ${check.padEnd(10)} ${code === null ? '' : `${code}: `}${message}`,
              ...(nextStep === null ? [] : [`${' '.repeat(19)}-> ${nextStep}`]),
            ]),
          );
          if (!report.ok) endRefused();
        } catch (error) {
          printFailure(error, options.json === true);
        }
      },
    ),
  );
}
