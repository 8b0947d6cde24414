// `consilium site quality`: what is wrong with the data that a research study reads, in words, as JSON, and as a page with plots.
import path from 'node:path';
import { type Command, Option } from 'commander';
import { BugError } from '#base/coded-error.ts';
import { writeReport } from '#bench/report/index.ts';
import { printResult } from '#cli/output.ts';
import { showProgress } from '#cli/progress.ts';
import { qualitySections } from '#cli/quality-page.ts';
import { personCommand, type SiteCommandOptions, withSite } from '#cli/site-command.ts';
import type { QualityEvent, QualityReport } from '#ipc/quality-schema.ts';
import {
  type QualityLanguage,
  qualityLanguages,
  qualityWords,
  shownCount,
  shownPatients,
} from '#ipc/quality-words.ts';

interface QualityOptions extends SiteCommandOptions {
  readonly researchStudy: string;
  readonly language: QualityLanguage;
  readonly out?: string;
}

export function registerQuality(site: Command): void {
  site.addCommand(
    personCommand('quality', 'what is wrong with the data that a research study reads, and what to fix')
      .requiredOption('--research-study <id>', 'research study')
      .option('--out <dir>', 'folder for report.json and report.html')
      .addOption(new Option('--language <language>', 'of the words').choices(qualityLanguages).default('en'))
      .action(async (options: QualityOptions) => {
        await withSite(options, async ({ client }) => {
          const report = await readReport(
            await client.quality.report({ researchStudyId: options.researchStudy }),
          );
          const files =
            options.out === undefined ? [] : writeQualityPage(report, options.out, options.language);
          printResult(options, report, () => [...describeReport(report, options.language), ...files]);
        });
      }),
  );
}

/** With how far it is, on a terminal. */
async function readReport(events: AsyncIterable<QualityEvent>): Promise<QualityReport> {
  for await (const event of events) {
    if (event.kind === 'report') {
      showProgress('', 1);
      return event.report;
    }
    showProgress(`code ${event.done + 1} of ${event.total}`, event.done / event.total);
  }
  throw new BugError('a report without an end');
}

/** The files it wrote. */
function writeQualityPage(report: QualityReport, out: string, language: QualityLanguage): string[] {
  const words = qualityWords[language];
  const { page } = words;
  const { htmlFile, jsonFile } = writeReport({
    outDirectory: path.resolve(out),
    title: `${page.title}: ${report.researchStudyId}`,
    summary: [page.summary, population(report, language), page.rule].join(' '),
    language,
    sections: qualitySections(report, words),
    data: report,
  });
  return [htmlFile, jsonFile];
}

function describeReport(report: QualityReport, language: QualityLanguage): string[] {
  const { page, findings: words } = qualityWords[language];
  const lines = report.findings.flatMap((finding) => {
    const { code, severity, about, detail } = finding;
    const title = words[code]?.title ?? code;
    const named = detail === '' ? title : `${title}, ${detail}`;
    const patients = `${page.patients}: ${shownPatients(finding, page)}`;
    return [`${page[severity]}: ${about}: ${named} (${patients})`, `  ${words[code]?.fix ?? ''}`];
  });
  return [population(report, language), ...(lines.length === 0 ? [page.none] : lines)];
}

function population({ subjectCount }: QualityReport, language: QualityLanguage): string {
  const { page } = qualityWords[language];
  return page.population.replace('{count}', () => shownCount(subjectCount, page));
}
