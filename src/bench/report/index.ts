// Reports for people and programs, shared by the benches and the demo.
export type { HistogramChart, PartsChart } from './bar-charts.ts';
export type { Chart, IntervalChart, LineChart } from './chart.ts';
export {
  type ReportOptions,
  type ReportSection,
  type ReportTable,
  renderReport,
  type WrittenReport,
  writeReport,
} from './report.ts';
