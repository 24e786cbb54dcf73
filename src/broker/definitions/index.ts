export { type Json, jsonOfTable, tableOf } from './arguments.ts';
export { exportDefinitions, isPredeclared } from './export.ts';
export { type ImportOptions, importDefinitions } from './import.ts';
export { type Definitions, type DefinitionsInput, parseDefinitions } from './schema.ts';
