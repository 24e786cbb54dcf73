export * from './field.ts';
export { checkTable, decodeTable, findField } from './field-table.ts';
export { encodeTable, tableSize, writeTable } from './field-table-encoder.ts';
export { encodeAddress, MessageBytes } from './message-bytes.ts';
export {
  changeProperties,
  decodeProperties,
  encodeProperties,
  PROPERTY_NAMES,
  type Properties,
  type PropertyName,
  propertyPosition,
  validateProperties,
} from './properties.ts';
