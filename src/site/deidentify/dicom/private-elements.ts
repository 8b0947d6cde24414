// Private elements go at every depth (security.md D6), but for those that a plan names by creator and element.
import type { DataSet, DicomElement } from './data-set.ts';
import { groupOf } from './dictionary.ts';
import { asciiText } from './element-text.ts';
import type { SafePrivateElement } from './profile.ts';

/** The named private elements of one data set: creators hold for their own data set only (PS3.5 7.8.1). */
export class SafePrivateFilter {
  /** Group and block (the high byte of an element) -> low bytes that are safe in it. */
  readonly #blocks = new Map<number, ReadonlySet<number>>();

  constructor(dataSet: DataSet, safe: readonly SafePrivateElement[]) {
    for (const element of dataSet.elements) {
      const block = element.tag & 0xffff;
      if ((element.tag & 0x10000) === 0 || block < 0x10 || block > 0xff || !('bytes' in element)) continue;
      const creator = asciiText(element.bytes);
      const group = groupOf(element.tag);
      const named = safe.filter((each) => each.creator === creator && each.group === group);
      if (named.length > 0)
        this.#blocks.set(group * 0x100 + block, new Set(named.map((each) => each.element)));
    }
  }

  /** The element where it or what it creates is named safe; a safe sequence has its items cleaned. */
  rewrite(element: DicomElement): DicomElement | 'inside' | null {
    const inGroup = element.tag & 0xffff;
    const group = groupOf(element.tag);
    if (inGroup <= 0xff) return this.#blocks.has(group * 0x100 + inGroup) ? element : null;
    const safe = this.#blocks.get(group * 0x100 + (inGroup >>> 8));
    if (safe?.has(inGroup & 0xff) !== true) return null;
    return 'items' in element ? 'inside' : element;
  }
}
