// `consilium consortium remedy list|carry-out|dismiss`: what sites ask for after a withdrawal. Nobody here learns whose.
import type { Command } from 'commander';
import { CodedError } from '#base/coded-error.ts';
import { type ConsortiumCommandOptions, consortiumCommand, withConsortium } from '#cli/consortium-command.ts';
import { printResult } from '#cli/output.ts';
import type { RemedyRequestStatus, RemedyStatus } from '#consortium/consortium.ts';

interface RemedyOptions extends ConsortiumCommandOptions {
  readonly researchStudy: string;
}

export function registerConsortiumRemedy(consortium: Command): void {
  const remedy = consortium.command('remedy').description('what a plan promises after a withdrawal');
  remedy.addCommand(
    remedyCommand('list', 'what sites asked for, and what was carried out').action(
      async (options: RemedyOptions) => {
        await withConsortium(options, async (operations) => {
          const { researchStudies } = await operations.status({});
          const found = researchStudies.find(
            ({ researchStudyId }) => researchStudyId === options.researchStudy,
          );
          if (found === undefined)
            throw new CodedError('RESEARCH_STUDY_UNKNOWN', 'No plan of this research study was published.');
          const { remedyRequests, remedies } = found;
          printResult(options, { ok: true, remedyRequests, remedies }, () => [
            ...remedyRequests.map(describeRequest),
            ...remedies.map(describeRemedy),
            ...(remedyRequests.length === 0 ? ['No site asked for a remedy.'] : []),
          ]);
        });
      },
    ),
  );
  remedy.addCommand(
    remedyCommand(
      'carry-out',
      'answer all that wait: models since then count no longer, an open round ends',
    ).action(async (options: RemedyOptions) => {
      await withConsortium(options, async (operations) => {
        const { researchStudy: researchStudyId } = options;
        const carriedOut = await operations.carryOutRemedy({ researchStudyId });
        printResult(options, { ok: true, ...carriedOut }, ({ number, kind, fromRound, requestCount }) => [
          fromRound === null
            ? `${requestCount} requests are answered: an earlier remedy has taken back those rounds.`
            : `Remedy ${number} (${kind}) answers ${requestCount} requests: models of round ${fromRound} and later count no longer.`,
        ]);
      });
    }),
  );
  remedy.addCommand(
    remedyCommand('dismiss', 'answer one request with a reason instead: its site is told, rounds go on')
      .requiredOption('--request <digest>', 'the request, as the list names it')
      .requiredOption('--reason <text>', 'why, for the people of the site')
      .action(async (options: DismissOptions) => {
        await withConsortium(options, async (operations) => {
          const { researchStudy: researchStudyId, request: requestDigest, reason } = options;
          const dismissed = await operations.dismissRemedy({ researchStudyId, requestDigest, reason });
          printResult(options, { ok: true, ...dismissed }, ({ siteId }) => [
            `The request of ${siteId} is dismissed. The site is told why.`,
          ]);
        });
      }),
  );
}

interface DismissOptions extends RemedyOptions {
  readonly request: string;
  readonly reason: string;
}

function remedyCommand(name: string, description: string): Command {
  return consortiumCommand(name, description).requiredOption(
    '--research-study <id>',
    'id of the research study',
  );
}

function describeRequest(request: RemedyRequestStatus): string {
  const { requestDigest, siteId, kind, fromRound, toRound, receivedAt, carriedOutAt, dismissedAt } = request;
  const answered = carriedOutAt === null ? 'waits' : `carried out ${carriedOutAt}`;
  const state = dismissedAt === null ? answered : `dismissed ${dismissedAt}`;
  return `${requestDigest}  ${siteId}  ${kind}  rounds ${fromRound} to ${toRound}  asked ${receivedAt}  ${state}`;
}

function describeRemedy({ number, kind, fromRound, decidedAt }: RemedyStatus): string {
  return `Remedy ${number}: ${kind} from round ${fromRound} on, ${decidedAt}`;
}
