// What the IODs of PS3.3 require of the attributes whose action in PS3.15 Table E.1-1 depends on it: "X unless Z or D is needed".

/** Type 1 needs a value, Type 2 needs to be present, Type 3 needs nothing. */
export type Requirement = 'value' | 'present' | 'none';

type Family = 'document' | 'enhanced' | 'mammography' | 'projection' | 'radiotherapy' | 'slide' | 'state';

const storage = '1.2.840.10008.5.1.4.1.1.';

/** Beginnings of SOP class UIDs after the storage root -> family; the first that fits. */
const families: readonly (readonly [RegExp, Family])[] = [
  [/^88\./, 'document'],
  [/^1\.2(\.|$)/, 'mammography'],
  [/^1\.[13](\.|$)/, 'projection'],
  [/^(2\.[12]|4\.[134]|6\.[23]|12\.[12]\.1|13\.1\.[1-5]|14\.[12]|30|66\.[47]|67|128\.1|130)$/, 'enhanced'],
  [/^(11|66|104)(\.|$)/, 'state'],
  [/^481\./, 'radiotherapy'],
  [/^77\./, 'slide'],
];

/** Tag -> family -> requirement. A family that is not named leaves the attribute optional. */
const requirements: Readonly<Record<string, Readonly<Partial<Record<Family, Requirement>>>>> = {
  '0008002a': { enhanced: 'value' },
  '00080012': { radiotherapy: 'value' },
  '00080023': { document: 'value', enhanced: 'value', state: 'present' },
  '00080033': { document: 'value', enhanced: 'value', state: 'present' },
  '00081070': { radiotherapy: 'present' },
  '00081111': { document: 'present' },
  '00181000': { enhanced: 'value' },
  '0018700a': { mammography: 'value' },
  '0018700c': { mammography: 'value' },
  '0018700e': { mammography: 'value' },
  '00189919': { radiotherapy: 'value' },
  '00400555': { enhanced: 'present', mammography: 'present', projection: 'present', slide: 'present' },
  '22000002': { slide: 'present' },
  '22000005': { slide: 'present' },
  '30080054': { radiotherapy: 'present' },
  '30080056': { radiotherapy: 'present' },
  '30080105': { radiotherapy: 'present' },
  '30080250': { radiotherapy: 'present' },
  '30080251': { radiotherapy: 'present' },
  '300a0006': { radiotherapy: 'present' },
  '300a0007': { radiotherapy: 'present' },
  '300a00b2': { radiotherapy: 'present' },
  '300e0008': { radiotherapy: 'present' },
  '3010004c': { radiotherapy: 'present' },
  '3010004d': { radiotherapy: 'present' },
  '30100056': { radiotherapy: 'present' },
  '30100077': { radiotherapy: 'present' },
};

/** What the IOD of a SOP class requires of an attribute, given as eight lower-case hexadecimal digits. */
export function requirementOf(tag: string, sopClassUid: string): Requirement {
  const byFamily = requirements[tag];
  if (byFamily === undefined || !sopClassUid.startsWith(storage)) return 'none';
  const rest = sopClassUid.slice(storage.length);
  const family = families.find(([pattern]) => pattern.test(rest))?.[1];
  return (family === undefined ? undefined : byFamily[family]) ?? 'none';
}
