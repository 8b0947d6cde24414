// What the profile's table does not name and this house does not let out all the same (security.md D2, D3): UIDs of instances, free
// comments, birth dates of other calendars, addresses and names of machines in a network.
import { keywordOf, vrOf } from './dictionary.ts';

export type UnnamedAction = 'remove' | 'uid' | 'keep';

/** UIDs that name classes, syntaxes, coding schemes and the makers of software: the same for everybody. */
const commonUids =
  /SOPClass|TransferSyntax|CodingScheme|ContextUID|ContextGroup|MappingResource|Creator|ImplementationClass/;
const textVrs = new Set(['LO', 'LT', 'SH', 'ST', 'UC', 'UT']);
const removedTexts =
  /Comment|AlternativeCalendar|NTPSourceAddress|ContactDisplayName|PrinterName|UserGroupName|RadiationMachineName/;

const known = new Map<number, UnnamedAction>();

/** What is done with a public attribute that the dictionary knows and the table does not. */
export function unnamedAction(tag: number): UnnamedAction {
  const found = known.get(tag);
  if (found !== undefined) return found;
  const action = decide(tag);
  known.set(tag, action);
  return action;
}

function decide(tag: number): UnnamedAction {
  const keyword = keywordOf(tag) ?? '';
  const vr = vrOf(tag);
  if (vr === 'UI') return commonUids.test(keyword) ? 'keep' : 'uid';
  return removedTexts.test(keyword) && (textVrs.has(vr) || vr === 'CS') ? 'remove' : 'keep';
}
