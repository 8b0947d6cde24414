// What a fact says to whoever asks in a unit or for a code.
import type { CodeReference } from '#federation/records/data-elements.ts';
import { convertUnit, IngestError } from '#site/ingest/index.ts';
import type { CodeFacts } from './code-facts.ts';
import type { Word } from './fact-reader.ts';

/** A fact's value as a feature takes it: NaN where the fact has not the shape that is asked for. */
export interface ValueShape {
  valueOf(facts: CodeFacts, at: number): number;
  /** Whether the fact has a number, but in a unit that does not convert to the wanted one. */
  isRefused(facts: CodeFacts, at: number): boolean;
}

/** A number with a unit, converted to `unit` (UCUM). */
export function quantityShape(unit: string): ValueShape {
  const converters = new Map<number, (value: number) => number>();
  const converterOf = (facts: CodeFacts, wordId: number) => {
    const known = converters.get(wordId);
    if (known !== undefined) return known;
    const made = createConverter(facts.word(wordId), unit);
    converters.set(wordId, made);
    return made;
  };
  const convert: ValueShape['valueOf'] = (facts, at) => {
    const number = facts.numbers[at] ?? Number.NaN;
    return Number.isNaN(number) ? number : converterOf(facts, facts.wordIds[at] ?? 0)(number);
  };
  return {
    valueOf: convert,
    isRefused: (facts, at) => {
      const hasUnit = facts.word(facts.wordIds[at] ?? 0)?.kind === 'unit';
      return hasUnit && !Number.isNaN(facts.numbers[at] ?? Number.NaN) && Number.isNaN(convert(facts, at));
    },
  };
}

function createConverter(word: Word | undefined, wanted: string): (value: number) => number {
  if (word?.kind !== 'unit') return () => Number.NaN;
  const { code: found } = word;
  if (found === wanted) return (value) => value;
  return (value) => {
    try {
      return convertUnit(value, found, wanted);
    } catch (error) {
      if (error instanceof IngestError) return Number.NaN;
      throw error;
    }
  };
}

/** 0 or 1, without a unit. */
export const booleanShape: ValueShape = {
  valueOf: ({ numbers, wordIds }, at) => {
    const number = numbers[at] ?? Number.NaN;
    return wordIds[at] === 0 && (number === 0 || number === 1) ? number : Number.NaN;
  },
  isRefused: () => false,
};

/** 1 for a coded value that is one of these, 0 for another. */
export function codedShape(wanted: readonly CodeReference[]): ValueShape {
  return {
    valueOf: (facts, at) => {
      const word = facts.word(facts.wordIds[at] ?? 0);
      if (word === undefined || word.kind === 'unit') return Number.NaN;
      return Number(wanted.some(({ system, code }) => word.code === code && word.system === system));
    },
    isRefused: () => false,
  };
}
