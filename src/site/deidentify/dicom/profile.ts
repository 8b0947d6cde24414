// The Application Level Confidentiality Profile (PS3.15 Table E.1-1, all 621 rows) resolved for the options of a plan and for the
// kind of object: what is done with each attribute, at every depth.
import { requirementOf } from './object-family.ts';
import table from './profile-table.json' with { type: 'json' };

/**
 * What is done with an attribute. `date`: moved by the subject's offset. `characteristic`: kept where it is well formed. `describe`:
 * words of a closed list are kept. `inside`: a sequence stays and its items are cleaned. `subject`: the pseudonym.
 */
export type Action =
  | 'keep'
  | 'remove'
  | 'empty'
  | 'dummy'
  | 'uid'
  | 'inside'
  | 'date'
  | 'characteristic'
  | 'describe'
  | 'subject';

export interface Rule {
  readonly action: Action;
  /** What is done where the value is none that `action` can be applied to. */
  readonly otherwise: 'remove' | 'empty' | 'dummy';
}

/** Options of CID 7050 that a plan may choose. Full dates and original UIDs are never retained (security.md D3, D4). */
export type ProfileOption = '113105' | '113107' | '113108' | '113109' | '113112';

/** A private element that a plan names safe: its creator, its group, and the low byte of its element. */
export interface SafePrivateElement {
  readonly creator: string;
  readonly group: number;
  readonly element: number;
}

export interface DicomProfile {
  readonly options: ReadonlySet<ProfileOption>;
  readonly safePrivate: readonly SafePrivateElement[];
}

/** What a site does unless a plan says otherwise (security.md D1): modified dates and patient characteristics are kept. */
export const defaultDicomProfile: DicomProfile = { options: new Set(['113107', '113108']), safePrivate: [] };

export interface ProfileRow {
  /** Eight hexadecimal digits; `x` stands for any, `odd` for any odd group. */
  readonly pattern: string;
  readonly vr: string;
  /** Action of the Basic Profile as the table writes it, e.g. `X/Z/D`. */
  readonly basic: string;
  /** Option by its code -> K or C. */
  readonly options: ReadonlyMap<string, string>;
}

/** All rows of the table. */
export const profileRows: readonly ProfileRow[] = table.rows.map((text) => {
  const [pattern = '', vr = '', basic = '', ...options] = text.split(' ');
  const stated = options.map((option) => option.split('=') as [string, string]);
  return { pattern, vr, basic, options: new Map(stated) };
});

const patientIdentifiers = new Set(['00100010', '00100020', '00120040']);
const timeZoneOffset = '00080201';
const dateVrs = new Set(['DA', 'DT', 'TM']);
const describableVrs = new Set(['LO', 'SH', 'ST', 'LT', 'UT', 'UC']);
const resolved = new Map<string, ReadonlyMap<number, Rule>>();

/**
 * The rules for one SOP class, by tag. Repeating and odd groups are not among them: those go whole, wherever they are.
 * Alternatives such as X/Z/D are resolved as the table's note says: by what the object's IOD requires of the attribute.
 */
export function resolveProfile(
  options: ReadonlySet<ProfileOption>,
  sopClassUid: string,
): ReadonlyMap<number, Rule> {
  const key = `${[...options].sort().join()} ${sopClassUid}`;
  const known = resolved.get(key);
  if (known !== undefined) return known;
  const rules = new Map<number, Rule>();
  for (const row of profileRows) {
    if (/^[0-9a-f]{8}$/.test(row.pattern))
      rules.set(Number.parseInt(row.pattern, 16), ruleOf(row, options, sopClassUid));
  }
  // Files choose the SOP class: a flood of made-up ones must not fill the memory.
  if (resolved.size > 256) resolved.clear();
  resolved.set(key, rules);
  return rules;
}

function ruleOf(row: ProfileRow, options: ReadonlySet<ProfileOption>, sopClassUid: string): Rule {
  if (patientIdentifiers.has(row.pattern)) return { action: 'subject', otherwise: 'dummy' };
  if (row.basic === 'U' || (row.basic === 'D' && row.vr === 'UI'))
    return { action: 'uid', otherwise: 'dummy' };
  if (row.basic === 'X/Z/U*') return { action: 'inside', otherwise: 'empty' };
  const otherwise = basicAction(row, sopClassUid);
  const stated = (option: ProfileOption, action: string) =>
    options.has(option) && row.options.get(option) === action;
  const isTime = dateVrs.has(row.vr) || row.pattern === timeZoneOffset;
  if (row.options.has('113107') && isTime) {
    if (options.has('113107')) return { action: 'date', otherwise };
    return { action: otherwise, otherwise };
  }
  if (stated('113108', 'K')) return { action: 'characteristic', otherwise };
  if (stated('113109', 'K') || stated('113112', 'K'))
    return { action: row.vr === 'SQ' ? 'inside' : 'keep', otherwise };
  if (stated('113105', 'C') && describableVrs.has(row.vr)) return { action: 'describe', otherwise };
  return { action: otherwise, otherwise };
}

function basicAction({ pattern, basic }: ProfileRow, sopClassUid: string): 'remove' | 'empty' | 'dummy' {
  const allowed = basic.split('/');
  const required = requirementOf(pattern, sopClassUid);
  if (allowed.includes('D') && (required === 'value' || allowed.length === 1)) return 'dummy';
  // A Type 2 attribute whose row knows X and D only: a dummy keeps the object whole.
  if (required === 'present' && !allowed.includes('Z')) return allowed.includes('D') ? 'dummy' : 'remove';
  if (required !== 'none' && allowed.includes('Z')) return 'empty';
  return allowed.includes('X') ? 'remove' : 'empty';
}
