// `consilium consortium bundle import|export`: what sites send and are answered on a medium that somebody carries.
import path from 'node:path';
import type { Command } from 'commander';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { endRefused, printResult } from '#cli/output.ts';

interface ExportOptions extends ConsortiumCommandOptions {
  readonly out: string;
  readonly site: string;
  readonly researchStudy: string;
}

export function registerConsortiumBundle(consortium: Command): void {
  const bundle = consortium.command('bundle').description('what sites send and are answered on a medium');
  bundle.addCommand(
    consortiumCommand('import', 'take in what a site sends')
      .argument('<dir>', 'folder of the medium')
      .action(async (directory: string, options: ConsortiumCommandOptions) => {
        await withConsortium(options, async (operations) => {
          const result = await operations.importBundle({ directory: path.resolve(directory) });
          printResult(options, { ok: true, ...result }, ({ siteId, sequence, items, missing, isRepeat }) => [
            ...items.map(
              ({ item, bundleId, outcome, code }) =>
                `${outcome} ${item}${bundleId === null ? '' : ` ${bundleId}`}${code === null ? '' : ` ${code}`}`,
            ),
            ...(missing.length === 0 ? [] : [`Never came: ${missing.join(', ')}`]),
            ...(isRepeat ? ['It was read before.'] : []),
            `Bundle ${sequence} of ${siteId}`,
          ]);
          if (result.items.some(({ outcome }) => outcome === 'refused')) endRefused();
        });
      }),
  );
  bundle.addCommand(
    consortiumCommand('export', 'write for one site what it lacks, and its receipts')
      .requiredOption('--site <id>', 'id of the site')
      .requiredOption('--research-study <id>', 'id of the research study')
      .requiredOption('--out <dir>', 'folder of the medium')
      .action(async (options: ExportOptions) => {
        await withConsortium(options, async (operations) => {
          const { site: siteId, researchStudy: researchStudyId } = options;
          const directory = path.resolve(options.out);
          const result = await operations.exportBundle({ siteId, researchStudyId, directory });
          printResult(options, { ok: true, ...result }, ({ sequence, fileCount, bytes, expires }) => [
            `Bundle ${sequence} for ${siteId}: ${fileCount} files, ${bytes} bytes, to be read by ${expires}`,
          ]);
        });
      }),
  );
}
