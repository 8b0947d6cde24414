// The part of each row by a coded fact of the plan. All facts of the code have to agree, whenever they were recorded.
import type { SplitSpecification } from '#federation/records/data-elements.ts';
import type { FactUse } from './fact-use.ts';

type CodedSplit = Extract<SplitSpecification, { kind: 'coded' }>;

/** 'ambiguous': facts that put a subject into both parts; it must not be trained on and tested with. */
export type Part = 'training' | 'holdout' | 'none' | 'ambiguous';

export function codedSplitUse({ code, training, holdout }: CodedSplit, parts: Part[]): FactUse {
  return {
    code,
    windowDays: null,
    take: ({ starts, wordIds, word }) => {
      for (let row = 0; row < parts.length; row += 1)
        for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at += 1) {
          const found = word(wordIds[at] ?? 0);
          if (found?.kind !== 'answer') continue;
          if (found.code === training) parts[row] = joinParts(parts[row], 'training');
          else if (found.code === holdout) parts[row] = joinParts(parts[row], 'holdout');
        }
    },
  };
}

export function joinParts(known: Part | undefined, found: Part): Part {
  return known === undefined || known === 'none' || known === found ? found : 'ambiguous';
}
