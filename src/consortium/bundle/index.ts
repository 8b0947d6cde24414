// Offline bundles: the same service that answers sites over HTTPS, with a medium that somebody carries in between.
export { type ExportedBundle, exportBundle } from './export-bundle.ts';
export { type ImportedBundle, importBundle } from './import-bundle.ts';
