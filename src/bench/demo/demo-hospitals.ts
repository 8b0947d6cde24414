// The four hospitals of the heart research study and the exports that each of them hands in.

export interface DemoHospital {
  readonly siteId: string;
  readonly name: string;
  /** Printed name of its data steward. */
  readonly steward: string;
  /** Folder below the exports, and the format that is in it. */
  readonly folder: string;
  readonly format: string;
  /** Saved column mapping in that folder, for plain CSV. */
  readonly mapping: string | null;
}

export const demoHospitals: readonly DemoHospital[] = [
  {
    siteId: 'cleveland',
    name: 'Cleveland Clinic Foundation',
    steward: 'Charlotte Reyes',
    folder: 'cleveland',
    format: 'CSV with a column mapping',
    mapping: 'mapping.json',
  },
  {
    siteId: 'hungary',
    name: 'Hungarian Institute of Cardiology, Budapest',
    steward: 'Gergely Varga',
    folder: 'hungary',
    format: 'FHIR R4 bundle',
    mapping: null,
  },
  {
    siteId: 'switzerland',
    name: 'University Hospitals Zurich and Basel',
    steward: 'Regula Ammann',
    folder: 'switzerland',
    format: 'OMOP CDM CSV',
    mapping: null,
  },
  {
    siteId: 'long-beach',
    name: 'V.A. Medical Center, Long Beach',
    steward: 'Dana Whitfield',
    folder: 'long-beach',
    format: 'FHIR Bulk Data NDJSON',
    mapping: null,
  },
];
