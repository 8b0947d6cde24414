// Which data of a subject may be read (security.md C5): days of each class of data. Equal answers are one object, because a
// million subjects hold one each.

/** Data that consent tells apart. Documents and notes are neither: nothing here reads them. */
export const dataClasses = ['clinical', 'imaging'] as const;
export type DataClass = (typeof dataClasses)[number];

/** Days from `from` to `until`, both included, shifted by the subject's date offset; null is open. */
export interface DayRange {
  readonly from: number | null;
  readonly until: number | null;
}

/** For each class, sorted ranges that do not touch; `[]` is none of it. */
export type PermittedData = Readonly<Record<DataClass, readonly DayRange[]>>;

const allDays: readonly DayRange[] = [{ from: null, until: null }];
const noDays: readonly DayRange[] = [];

export const allData: PermittedData = { clinical: allDays, imaging: allDays };
export const noData: PermittedData = { clinical: noDays, imaging: noDays };

/** The one object of this content, where it says all or nothing of each class. */
export function permittedData(clinical: readonly DayRange[], imaging: readonly DayRange[]): PermittedData {
  const [ofClinical, ofImaging] = [sharedDays(clinical), sharedDays(imaging)];
  const known = plainAnswers.find((one) => one.clinical === ofClinical && one.imaging === ofImaging);
  return known ?? { clinical: ofClinical, imaging: ofImaging };
}

const plainAnswers: readonly PermittedData[] = [
  allData,
  noData,
  { clinical: allDays, imaging: noDays },
  { clinical: noDays, imaging: allDays },
];

function sharedDays(ranges: readonly DayRange[]): readonly DayRange[] {
  const [first, second] = ranges;
  if (first === undefined) return noDays;
  return second === undefined && first.from === null && first.until === null ? allDays : ranges;
}
