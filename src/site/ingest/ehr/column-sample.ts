// The first rows of a CSV table, column by column: what its cells look like. They are patient data and go to the caller only.
import { IngestError } from '../ingest-error.ts';
import { missingWords } from './column-meaning.ts';
import { parseHeader, type TableHeader, TableReader } from './csv-table.ts';
import { isNumber } from './field-value.ts';

const sampledRows = 1_000;
const shownSamples = 5;
const toldValues = 20;

export interface ColumnSample {
  readonly name: string;
  /** Different cells, the first few. */
  readonly samples: readonly string[];
  /** All its different cells, null when there are many. */
  readonly values: readonly string[] | null;
  /** Share of the filled cells that look like it. */
  readonly numbers: number;
  readonly commaNumbers: number;
  readonly dates: Readonly<Record<DateFormat, number>>;
  readonly isFilled: boolean;
}

export const dateFormats = {
  'YYYY-MM-DD': /^\d{4}-\d{2}-\d{2}(?:[T ].*)?$/,
  'DD.MM.YYYY': /^\d{1,2}\.\d{1,2}\.\d{4}$/,
  'MM/DD/YYYY': /^\d{1,2}\/\d{1,2}\/\d{4}$/,
} as const;
export type DateFormat = keyof typeof dateFormats;

/** A table's header from its first bytes. @throws IngestError NOT_A_TABLE. */
export function readHeader(head: Uint8Array): TableHeader {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const end = bytes.indexOf(0x0a);
  const line = bytes.toString('utf8', 0, end === -1 ? bytes.length : end).replace(/\r$/, '');
  const header = line.includes('\ufffd') || line.includes('\0') ? 'MALFORMED_HEADER' : parseHeader(line);
  if (typeof header === 'string' || header.columns.size < 2)
    throw new IngestError('NOT_A_TABLE', 'the file does not begin with the header of a CSV table');
  return header;
}

/** @param isWhole else the last line may be cut */
export function sampleColumns(head: Uint8Array, header: TableHeader, isWhole: boolean): ColumnSample[] {
  const names = [...header.columns.keys()];
  const cells = names.map((): string[] => []);
  const reader = new TableReader(header, (row) => {
    for (const [index, name] of names.entries()) {
      const column = cells[index];
      const text = cellOf(row, name);
      if (column !== undefined && column.length < sampledRows && text !== '') column.push(text);
    }
    return { kind: 'reference', row: row.row };
  });
  // Rows are read as they are drawn.
  for (const _ of reader.write(head));
  if (isWhole) for (const _ of reader.end());
  return names.map((name, index) => describeColumn(name, cells[index] ?? []));
}

function cellOf(row: { cell(column: string): string }, name: string): string {
  try {
    const text = row.cell(name);
    return missingWords.includes(text) ? '' : text.slice(0, 200);
  } catch {
    // A control character: the preview refuses the row by name.
    return '';
  }
}

function describeColumn(name: string, cells: readonly string[]): ColumnSample {
  const different = [...new Set(cells)];
  const share = (isSuch: (cell: string) => boolean): number =>
    cells.length === 0 ? 0 : cells.filter(isSuch).length / cells.length;
  return {
    name,
    samples: different.slice(0, shownSamples),
    values: different.length <= toldValues ? different : null,
    numbers: share(isNumber),
    commaNumbers: share((cell) => isNumber(cell) || /^-?\d+,\d+$/.test(cell)),
    dates: {
      'YYYY-MM-DD': share((cell) => dateFormats['YYYY-MM-DD'].test(cell)),
      'DD.MM.YYYY': share((cell) => dateFormats['DD.MM.YYYY'].test(cell)),
      'MM/DD/YYYY': share((cell) => dateFormats['MM/DD/YYYY'].test(cell)),
    },
    isFilled: cells.length > 0,
  };
}
