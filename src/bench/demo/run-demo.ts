// The demo from an empty folder to a report: nothing in it is faked, only the stewards are played.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { WrittenReport } from '#bench/report/index.ts';
import { DemoError } from './demo-error.ts';
import { type DemoFederation, ingestExports, startFederation } from './demo-federation.ts';
import { type DemoFigures, demoFigures } from './demo-figures.ts';
import { createDemoProcesses, type DemoProcesses } from './demo-processes.ts';
import { runReferences } from './demo-references.ts';
import { type DemoFindings, writeDemoReport } from './demo-report.ts';
import { type DemoRound, runRounds } from './demo-rounds.ts';
import { verifyLogs } from './verify-logs.ts';

export interface DemoOptions {
  readonly researchStudy: string;
  /** Folder for report.json and report.html. */
  readonly outDirectory: string;
  /** Whether profiles, keys and logs stay on disk. */
  readonly keep: boolean;
  /** Ends the demo early; everything that was started is stopped. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly onRound: (round: DemoRound, roundCount: number) => void;
}

export interface DemoOutcome {
  readonly figures: DemoFigures;
  readonly findings: DemoFindings;
  readonly report: WrittenReport;
  /** Where the profiles are, with --keep. */
  readonly kept: { readonly directory: string; readonly secrets: Readonly<Record<string, string>> } | null;
}

/** @throws DemoError RESEARCH_STUDY_NOT_SHIPPED, DEMO_STEP_FAILED, DEMO_ROUND_STALLED, DEMO_INTERRUPTED. */
export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  if (options.researchStudy !== 'heart') {
    throw new DemoError(
      'RESEARCH_STUDY_NOT_SHIPPED',
      'This release ships one research study for the demo: heart.',
      {
        details: { found: options.researchStudy, expected: 'heart' },
      },
    );
  }
  const directory = mkdtempSync(path.join(tmpdir(), 'consilium-demo-'));
  mkdirSync(path.join(directory, 'profiles'), { mode: 0o700 });
  const logFile = openSync(path.join(directory, 'demo.log'), 'a', 0o600);
  const processes = createDemoProcesses(logFile);
  let federation: DemoFederation | undefined;
  const interrupted = new Promise<never>((_resolve, reject) => {
    const stop = () =>
      reject(
        new DemoError('DEMO_INTERRUPTED', 'The demo was interrupted; everything it started is stopped.'),
      );
    if (options.signal.aborted) stop();
    else options.signal.addEventListener('abort', stop, { once: true });
  });
  const work = async () => {
    federation = await startFederation({ directory, processes, say: options.say });
    return playDemo({ ...options, federation, processes });
  };
  try {
    const outcome = await Promise.race([work(), interrupted]);
    const secrets = Object.fromEntries(
      (federation?.sites ?? []).map(({ hospital, secret }) => [hospital.steward, secret]),
    );
    return { ...outcome, kept: options.keep ? { directory, secrets } : null };
  } finally {
    for (const { reached } of federation?.sites ?? []) await reached.close();
    await processes.stop();
    closeSync(logFile);
    if (!options.keep) rmSync(directory, { recursive: true, force: true });
  }
}

export interface DemoPlay extends Pick<DemoOptions, 'outDirectory' | 'onRound' | 'say'> {
  readonly federation: DemoFederation;
  readonly processes: DemoProcesses;
}

/** From the hospitals' exports to the report, in a federation that is up. */
export async function playDemo(play: DemoPlay): Promise<Omit<DemoOutcome, 'kept'>> {
  const startedMs = performance.now();
  const { federation, processes, say } = play;
  const ingested = await ingestExports(federation);
  const facts = ingested.reduce((total, { rows }) => total + (rows.measurement ?? 0), 0);
  say(`${facts} facts came in from four export formats`);
  const rounds = await runRounds({ federation, processes, onRound: play.onRound });
  const audit = await verifyLogs(federation, processes);
  say(
    audit.verified ? 'every audit log verified, also offline from its export' : 'AN AUDIT LOG DID NOT VERIFY',
  );
  const references = await runReferences();
  const findings: DemoFindings = {
    rounds,
    references,
    ingested,
    audit,
    durationMs: performance.now() - startedMs,
  };
  return { figures: demoFigures(findings), findings, report: writeDemoReport(play.outDirectory, findings) };
}
