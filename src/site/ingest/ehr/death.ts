// A death as a fact of its day, and as what marks the patient: many records say that somebody died and not when.
import type { DeathStatement } from '#site/deidentify/index.ts';
import type { SourceFact } from '../clinical-record.ts';
import { deathCode } from './code-system.ts';
import type { StatedTime } from './field-value.ts';

/** A death, whatever the format. */
export function deathFact({ day, second }: StatedTime): SourceFact {
  return { kind: 'condition', part: 'death', code: deathCode, value: null, day, second, endDay: null };
}

export function isDeathCode({ system, code }: { readonly system: string; readonly code: string }): boolean {
  return code === deathCode.code && system === deathCode.system;
}

/** Undefined where the facts are not about a death. A `no` says that the patient lives. */
export function deathAmong(facts: readonly SourceFact[]): DeathStatement['says'] | undefined {
  const stated = facts.find(({ code }) => isDeathCode(code));
  if (stated === undefined) return undefined;
  const isNo = stated.value !== null && 'number' in stated.value && stated.value.number === 0;
  return isNo ? 'alive' : 'deceased';
}
