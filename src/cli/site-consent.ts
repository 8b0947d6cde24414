// `consilium site consent`: who may be in, and why.
import path from 'node:path';
import type { Command } from 'commander';
import { parseDate, parseWholeNumber } from '#cli/option-parsers.ts';
import { endRefused, printResult } from '#cli/output.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { ConsentRow } from '#ipc/schema.ts';
import type { SubjectRound } from '#ipc/subject-rounds-schema.ts';

interface ConsentOptions extends SiteCommandOptions {
  readonly researchStudy?: string;
}

export function registerConsent(site: Command): void {
  const consent = site.command('consent').description('who may be in, and why');
  consent.addCommand(
    personCommand('list', 'subjects with what the rules say today')
      .option('--research-study <id>', 'for this research study')
      .option('--search <text>', 'part of a name, an identifier or a subject id', '')
      .option('--offset <number>', 'first row', parseWholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
      .option('--limit <number>', 'rows at most', parseWholeNumber(1, 500), 100)
      .action(async (options: ConsentOptions & { search: string; offset: number; limit: number }) => {
        await withSite(options, async ({ client }) => {
          const { search, offset, limit } = options;
          const page = await client.consent.list({
            researchStudyId: options.researchStudy ?? null,
            decision: null,
            search,
            offset,
            limit,
          });
          printResult(options, page, ({ rows, total, permitted, denied }) => [
            ...rows.map(describe),
            `${total} subjects: ${permitted} permitted, ${denied} denied`,
          ]);
        });
      }),
  );
  consent.addCommand(
    personCommand('grant', 'record a consent')
      .argument('<subject>', 'subject id')
      .option('--research-study <id>', 'for this research study only')
      .option('--until <date>', 'last day it holds, YYYY-MM-DD', parseDate)
      .action(async (subjectId: string, options: ConsentOptions & { until?: string }) => {
        await withSite(options, async ({ client }) => {
          const row = await client.consent.grant({
            subjectId,
            researchStudyId: options.researchStudy ?? null,
            untilDate: options.until ?? null,
          });
          if (row.decision === 'permit') {
            printResult(options, row, describe);
            return;
          }
          printResult(options, row, (denied) => [
            describe(denied),
            `Recorded, but the subject is still denied (${denied.rule}): a refusal or withdrawal of another scope stays.`,
          ]);
          endRefused();
        });
      }),
  );
  consent.addCommand(optOutCommand());
  consent.addCommand(roundsCommand());
  consent.addCommand(remedyCommand());
  consent.addCommand(
    personCommand('withdraw', 'record that a consent is withdrawn; holds from now on')
      .argument('<subject>', 'subject id')
      .option('--research-study <id>', 'for this research study only')
      .action(async (subjectId: string, options: ConsentOptions) => {
        await withSite(options, async ({ client }) => {
          printResult(
            options,
            await client.consent.withdraw({ subjectId, researchStudyId: options.researchStudy ?? null }),
            describe,
          );
        });
      }),
  );
}

function roundsCommand(): Command {
  return personCommand('rounds', 'in which rounds a subject was, and what of them left')
    .argument('<subject>', 'subject id')
    .action(async (subjectId: string, options: SiteCommandOptions) => {
      await withSite(options, async ({ client }) => {
        printResult(options, await client.consent.rounds({ subjectId }), (rounds) =>
          rounds.length === 0 ? ['in no round'] : rounds.map(describeRound),
        );
      });
    });
}

const departures = {
  never: 'no update with the subject left',
  possible: 'an update with the subject was offered and may have arrived',
  received: 'an update with the subject left',
} as const;

const remedyStates = {
  none: '',
  requested: '; its remedy is asked for',
  refused: '; the consortium refused its remedy',
  dismissed: '; the consortium dismissed the request for its remedy',
  'carried-out': '; its remedy is carried out',
} as const;

function describeRound(found: SubjectRound): string {
  const { researchStudyId, round, part, departure, erasedAt, remedy, remedyState, dismissalReason, epsilon } =
    found;
  const why = dismissalReason === null ? '' : `: ${dismissalReason}`;
  const until = erasedAt === null ? '' : `; erased ${erasedAt}`;
  const bound = epsilon === null ? 'nothing bounds what it tells of the subject' : `epsilon ${epsilon}`;
  const promised = remedy === null ? '' : `; the plan's remedy: ${remedy}`;
  const left = departure === 'never' ? '' : ` (${bound}${promised})`;
  return `${researchStudyId}  round ${round}  ${part}  ${departures[departure]}${left}${until}${remedyStates[remedyState]}${why}`;
}

function remedyCommand(): Command {
  return personCommand(
    'remedy',
    "ask the consortium for the plan's remedy after a withdrawal, without saying for whom; the next sync sends it",
  )
    .argument('<subject>', 'subject id')
    .requiredOption('--research-study <id>', 'in this research study')
    .action(async (subjectId: string, options: SiteCommandOptions & { researchStudy: string }) => {
      await withSite(options, async ({ client }) => {
        const { researchStudy: researchStudyId } = options;
        const requested = await client.consent.requestRemedy({ subjectId, researchStudyId });
        printResult(options, requested, ({ remedy, fromRound, toRound }) => [
          `${remedy} is asked for, for rounds ${fromRound} to ${toRound}.`,
        ]);
      });
    });
}

function optOutCommand(): Command {
  return personCommand('opt-outs', 'take an opt-out list in place of the last one of the same authority')
    .argument('<path>', 'CSV file of identifiers')
    .requiredOption('--authority <uri>', 'who gave the identifiers, as in imports')
    .requiredOption('--stated <date>', 'the day up to which it is complete, YYYY-MM-DD', parseDate)
    .option('--column <header>', 'the identifiers’ column (default: the first one, without a header)')
    .action(
      async (
        file: string,
        options: SiteCommandOptions & { authority: string; stated: string; column?: string },
      ) => {
        await withSite(options, async ({ client }) => {
          const { authority, stated: statedDate, column = null } = options;
          const list = { path: path.resolve(file), authority, statedDate, column };
          printResult(options, await client.consent.importOptOuts(list), (summary) => [
            `${summary.entryCount} identifiers; ${summary.matchedCount} patients of this site are on the list and out of every cohort`,
          ]);
        });
      },
    );
}

/** Without the patient's name: a terminal keeps what it shows. */
function describe(row: ConsentRow): string {
  const until = row.untilDate === null ? '' : ` until ${row.untilDate}`;
  const open = row.awaitsErasure ? '; the data are still here: a withdrawal erases them' : '';
  return `${row.subjectId}  ${row.decision}  ${row.rule}${until}${open}`;
}
