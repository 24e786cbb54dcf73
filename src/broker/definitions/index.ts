export { exportDefinitions } from './export.ts';
export { type ImportOptions, importDefinitions } from './import.ts';
export { type Definitions, type DefinitionsInput, parseDefinitions } from './schema.ts';
