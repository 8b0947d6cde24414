// A look through a research study's data as seen from this window: how far it is, and the report or the problem that ends it.
import { useEffect, useRef, useState } from 'react';
import type { QualityReport } from '#ipc/quality-schema.ts';
import { type Problem, readProblem } from './problem.ts';
import { useSite } from './site-context.ts';

export type QualityRunState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly report: QualityReport }
  | { readonly kind: 'failed'; readonly problem: Problem };

export interface QualityRun {
  readonly state: QualityRunState;
  start(): void;
  cancel(): void;
}

/** Leaving the place where it is shown cancels it. */
export function useQualityRun(researchStudyId: string): QualityRun {
  const { client } = useSite();
  const [state, setState] = useState<QualityRunState>({ kind: 'idle' });
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const run = async (signal: AbortSignal): Promise<void> => {
    for await (const event of await client.quality.report({ researchStudyId }, { signal })) {
      if (signal.aborted) return;
      if (event.kind === 'report') setState({ kind: 'done', report: event.report });
      else setState({ kind: 'running', done: event.done, total: event.total });
    }
  };
  return {
    state,
    start: () => {
      abort.current?.abort();
      const started = new AbortController();
      abort.current = started;
      const { signal } = started;
      setState({ kind: 'running', done: 0, total: 0 });
      run(signal).catch((error: unknown) => {
        if (!signal.aborted) setState({ kind: 'failed', problem: readProblem(error) });
      });
    },
    cancel: () => {
      abort.current?.abort();
      setState({ kind: 'idle' });
    },
  };
}
