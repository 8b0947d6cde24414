// The cases of `consilium bench ingest`, in the order in which they run.
import type { BenchCase } from '../cases/bench-case.ts';
import { cStoreCase } from './c-store-case.ts';
import { deidentifyCase } from './deidentify-case.ts';
import { fhirNdjsonCase } from './fhir-ndjson-case.ts';
import { imageCase } from './image-case.ts';
import { largeImageCase } from './large-image-case.ts';
import { largeNdjsonCase } from './large-ndjson-case.ts';
import { omopCase } from './omop-case.ts';

export const ingestCases: readonly BenchCase[] = [
  fhirNdjsonCase,
  omopCase,
  imageCase,
  deidentifyCase,
  cStoreCase,
  largeNdjsonCase,
  largeImageCase,
];
