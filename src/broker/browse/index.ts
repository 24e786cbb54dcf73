export { nextPage, type PageLimits } from './pages.ts';
export {
  BackwardScan,
  ForwardScan,
  type PartitionScan,
  pause,
  type ScanOptions,
  visibleEnd,
} from './partition-scan.ts';
export { type BatchFacts, type Fate, markerOf, type SeenRecord, sizeOf } from './seen-record.ts';
export { Work } from './work.ts';
