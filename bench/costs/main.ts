/** What this cache costs as the work grows: see USAGE in options.ts. */
import { runCommand } from '../cli.js';
import { startProgress } from '../harness/progress.js';
import { circumstances } from '../report/circumstances.js';
import { writeResults } from '../report/results.js';
import { capacityChart } from './capacity.js';
import type { CostChart } from './chart.js';
import { crowdChart } from './crowd.js';
import { evictionChart } from './eviction.js';
import { boundTable, type CostResults, costFiles, costTable } from './files.js';
import { monitorChart } from './monitor.js';
import { openChart } from './open.js';
import { type CostOptions, parseCostOptions, USAGE } from './options.js';
import { processesChart } from './processes.js';
import { threadsChart } from './threads.js';
import { valuesChart } from './values.js';

const CHARTS: readonly CostChart[] = [
  capacityChart,
  valuesChart,
  threadsChart,
  crowdChart,
  processesChart,
  openChart,
  evictionChart,
  monitorChart,
];

async function main({ charts, effort, files }: CostOptions): Promise<void> {
  const where = circumstances('bench:costs');
  console.log(`seed ${effort.seed}`);
  for (const chart of CHARTS.filter(({ name }) => charts.includes(name))) {
    const progress = startProgress(chart.ticks(effort));
    let done = 0;
    try {
      const costs = await chart.measure(effort, (label) => progress.update(done++, `${chart.name}: ${label}`));
      progress.stop();
      console.log(`\n${chart.title}: ${chart.workload}\n\n${costTable(chart, costs)}`);
      if (costs.bounds.length > 0) console.log(`\n${boundTable(costs.bounds)}`);
      const results: CostResults = { ...where, chart: chart.name, effort, ...costs };
      if (files) console.log(`\nwrote ${writeResults(`cost-${chart.name}`, costFiles(chart, results)).join(', ')}`);
    } finally {
      progress.stop();
    }
  }
}

const names = CHARTS.map(({ name }) => name);
await runCommand(USAGE, (args) => parseCostOptions(args, names), main);
