// The cases of `consilium bench ingest`, in the order in which they run.
import type { BenchCase } from './bench-case.ts';
import { cStoreCase } from './c-store-case.ts';
import { deidentifyCase } from './deidentify-case.ts';
import { fhirNdjsonCase } from './fhir-ndjson-case.ts';
import { largeNdjsonCase } from './large-ndjson-case.ts';
import { omopCase } from './omop-case.ts';

export const benchCases: readonly BenchCase[] = [
  fhirNdjsonCase,
  omopCase,
  deidentifyCase,
  cStoreCase,
  largeNdjsonCase,
];
