// `consilium consortium round open|close|status`: the rounds of a research study.
import { type Command, InvalidArgumentError } from 'commander';
import { CodedError } from '#base/coded-error.ts';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { printResult } from '#cli/output.ts';
import type { ResearchStudyStatus, RoundStatus } from '#consortium/consortium.ts';

interface RoundOptions extends ConsortiumCommandOptions {
  readonly researchStudy: string;
}

export function registerConsortiumRound(consortium: Command): void {
  const round = consortium.command('round').description('open, close and watch rounds');
  round.addCommand(
    roundCommand('open', 'open the next round; it closes by itself when every update is in')
      .option('--days <number>', 'how long updates are taken', parseDays)
      .action(async (options: RoundOptions & { days?: number }) => {
        await withConsortium(options, async (operations) => {
          const { researchStudy: researchStudyId, days } = options;
          const opened = await operations.openRound(
            days === undefined ? { researchStudyId } : { researchStudyId, days },
          );
          printResult(options, { ok: true, ...opened }, () => [
            `Round ${opened.round} (${opened.kind}) is open until ${opened.closesAt} for ${opened.participants.join(', ')}.`,
          ]);
        });
      }),
  );
  round.addCommand(
    roundCommand('close', 'close the open round with the updates that are there').action(
      async (options: RoundOptions) => {
        await withConsortium(options, async (operations) => {
          const closed = await operations.closeRound({ researchStudyId: options.researchStudy });
          printResult(options, { ok: true, ...closed }, () => [
            `Round ${closed.round} (${closed.kind}) is closed with ${closed.included.join(', ')}.`,
            `Model ${closed.modelDigest}`,
          ]);
        });
      },
    ),
  );
  round.addCommand(
    roundCommand('status', 'what the rounds have received').action(async (options: RoundOptions) => {
      await withConsortium(options, async (operations) => {
        const { researchStudies } = await operations.status({});
        const found = researchStudies.find(
          ({ researchStudyId }) => researchStudyId === options.researchStudy,
        );
        if (found === undefined)
          throw new CodedError('RESEARCH_STUDY_UNKNOWN', 'No plan of this research study was published.');
        printResult(options, { ok: true, ...found }, describe);
      });
    }),
  );
}

function roundCommand(name: string, description: string): Command {
  return consortiumCommand(name, description).requiredOption(
    '--research-study <id>',
    'id of the research study',
  );
}

function describe({ plannedRounds, rounds }: ResearchStudyStatus): string[] {
  const done = rounds.filter(({ state }) => state === 'closed').length;
  return [`${done} of ${plannedRounds.length} rounds are closed.`, ...rounds.map(describeRound)];
}

function describeRound({ round, attempt, kind, state, received, missing }: RoundStatus): string {
  const sites = received.map(({ siteId }) => siteId).join(', ') || 'nobody yet';
  const waiting = state === 'open' ? `; waits for ${missing.join(', ')}` : '';
  return `Round ${round}.${attempt} ${kind.padEnd(10)} ${state.padEnd(9)} from ${sites}${waiting}`;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!(days > 0 && days <= 365)) throw new InvalidArgumentError('It takes a number above 0, at most 365.');
  return days;
}
