// HL7 v2 text as segments and fields (v2.5.1 chapter 2): the message's own delimiters, repetitions, components, escapes. Empty and
// `""` (deleted at the source) read as empty.
import { RowRefusal } from '../clinical-record.ts';

export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

export interface Segment {
  /** Line on which it begins, from 1. */
  readonly row: number;
  readonly name: string;
  readonly fields: readonly string[];
}

/** Real segments of the kinds that are read have under 50. */
const maxFields = 1_000;
/** Of one field: each value of an observation is a fact, and all facts of a record go in at once. */
const maxRepetitions = 1_000;

/** @throws RowRefusal MALFORMED_MESSAGE when the header does not state five delimiters that differ. */
export function readDelimiters(header: string): Delimiters {
  const field = header[3] ?? '';
  const [component = '', repetition = '', escapeMark = '', subcomponent = ''] = (
    header.slice(4).split(field)[0] ?? ''
  ).split('');
  const all = [field, component, repetition, escapeMark, subcomponent];
  // Letters, digits and controls as delimiters would cut words and numbers apart.
  const isUsable = all.every((one) => /^[!-/:-@[-`{-~]$/.test(one));
  if (!isUsable || new Set(all).size !== all.length) throw new RowRefusal('MALFORMED_MESSAGE', 'MSH-2');
  return { field, component, repetition, escape: escapeMark, subcomponent };
}

/** @throws RowRefusal MALFORMED_ROW. */
export function readSegment(line: string, row: number, { field }: Delimiters): Segment {
  const fields = line.split(field, maxFields + 1);
  if (fields.length > maxFields) throw new RowRefusal('MALFORMED_ROW', line.slice(0, 3));
  const name = fields[0] ?? '';
  // The field separator is itself MSH-1.
  return { row, name, fields: name === 'MSH' ? ['MSH', field, ...fields.slice(1)] : fields };
}

/** The fields of a message's segments, unescaped. */
export class FieldReader {
  readonly #delimiters: Delimiters;
  readonly #escapes: RegExp;
  readonly #meanings: ReadonlyMap<string, string>;

  constructor(delimiters: Delimiters) {
    this.#delimiters = delimiters;
    const mark = `\\${delimiters.escape}`;
    this.#escapes = new RegExp(`${mark}([^${mark}]{0,64})${mark}`, 'g');
    this.#meanings = new Map([
      ['F', delimiters.field],
      ['S', delimiters.component],
      ['T', delimiters.subcomponent],
      ['R', delimiters.repetition],
      ['E', delimiters.escape],
      ['.br', ' '],
      ['.sp', ' '],
    ]);
  }

  /**
   * Repetitions of a field as written; none where it is empty.
   * @param at from 1, as in the standard. @throws RowRefusal MALFORMED_ROW for more than any field has.
   */
  repetitions(segment: Segment | undefined, at: number): string[] {
    const field = segment?.fields[at] ?? '';
    if (field === '' || field === '""') return [];
    const repetitions = field.split(this.#delimiters.repetition, maxRepetitions + 1);
    if (repetitions.length > maxRepetitions) throw new RowRefusal('MALFORMED_ROW', `${segment?.name}-${at}`);
    return repetitions.filter((one) => one !== '');
  }

  /** Text of a component of a repetition. @param part from 1 */
  component(repetition: string | undefined, part: number): string {
    const text = repetition?.split(this.#delimiters.component, part)[part - 1] ?? '';
    return text === '""' ? '' : this.#unescape(text.split(this.#delimiters.subcomponent, 1)[0] ?? '');
  }

  /** Texts of the subcomponents of a component. */
  subcomponents(repetition: string | undefined, part: number): string[] {
    const text = repetition?.split(this.#delimiters.component, part)[part - 1] ?? '';
    return text.split(this.#delimiters.subcomponent).map((one) => (one === '""' ? '' : this.#unescape(one)));
  }

  /** First repetition, first component or the one that is named. */
  text(segment: Segment | undefined, at: number, part = 1): string {
    return this.component(this.repetitions(segment, at)[0], part);
  }

  #unescape(text: string): string {
    if (!text.includes(this.#delimiters.escape)) return text.trim();
    return text.replaceAll(this.#escapes, (_, sequence: string) => this.#meaningOf(sequence)).trim();
  }

  /** Highlighting and formatting have no meaning for a value; what is not known is dropped, never passed on. */
  #meaningOf(sequence: string): string {
    const known = this.#meanings.get(sequence);
    if (known !== undefined) return known;
    const hex = /^X((?:[0-9A-Fa-f]{2}){1,32})$/.exec(sequence)?.[1];
    return hex === undefined ? '' : Buffer.from(hex, 'hex').toString('latin1');
  }
}
