// The shipped mapping of Synthea's CSV export: its tables are known by their headers, as those of OMOP are.
import { BugError } from '#base/coded-error.ts';
import synthea from '../../../../assets/mappings/synthea.json' with { type: 'json' };
import { type CsvMapping, parseMapping } from './csv-mapping.ts';

let parsed: CsvMapping | undefined;

/** Its JSON text. */
export function shippedMapping(): string {
  return JSON.stringify(synthea, null, 2);
}

export function syntheaMapping(): CsvMapping {
  parsed ??= parseMapping(shippedMapping());
  if (parsed === undefined) throw new BugError('the shipped Synthea mapping is none');
  return parsed;
}
