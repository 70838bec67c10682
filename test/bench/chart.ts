/** The pictures of docs/benchmarks.md, as SVG text, drawn by ECharts without a browser. */
import * as echarts from 'echarts';
import { TITLES } from '../../host/bench/report.ts';
import { type BenchResult, CONTESTANTS, type ContestantName } from '../../host/bench/types.ts';

const COLOURS: Record<ContestantName, string> = {
  damselflyUp: '#0b5cad',
  damselflySmp: '#5aa5e8',
  memfs: '#e08a1e',
  zenfs: '#b7410e',
  nodefs: '#4d8b31',
  native: '#777777',
};
const FONT = 'system-ui, sans-serif';

function draw(height: number, option: echarts.EChartsCoreOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 960, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      textStyle: { fontFamily: FONT },
      ...option,
    });
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}

function title(text: string, subtext: string) {
  return { text, subtext, left: 'center', textStyle: { fontFamily: FONT, fontSize: 16 } };
}

/** Bars of every operation measured in ns through an fs, on a logarithmic scale. */
export function operationsChart(result: BenchResult): string {
  const rows = result.rows.filter(({ unit, memfs, native }) => unit === 'ns' && (memfs ?? native) !== null);
  return draw(560, {
    title: title('Time per operation', 'ns, logarithmic: shorter is better'),
    legend: { bottom: 8 },
    grid: { left: 70, right: 20, top: 70, bottom: 120 },
    xAxis: { type: 'category', data: rows.map(({ op }) => op), axisLabel: { rotate: 35, interval: 0 } },
    yAxis: { type: 'log', name: 'ns', min: 10 },
    series: CONTESTANTS.map((name) => ({
      type: 'bar',
      name: TITLES[name],
      itemStyle: { color: COLOURS[name] },
      barGap: '5%',
      data: rows.map((row) => row[name]),
    })),
  });
}

/** A lookup of a random name, by the size of its directory. */
export function scalingChart(result: BenchResult): string {
  const { scaling } = result;
  if (!scaling) throw new Error('this result has no scaling table');
  return draw(420, {
    title: title('Looking up a random name', 'ns, by names in the directory, both logarithmic'),
    legend: { bottom: 8 },
    grid: { left: 70, right: 40, top: 70, bottom: 80 },
    xAxis: { type: 'log', name: 'names', nameLocation: 'middle', nameGap: 26, min: 1000 },
    yAxis: { type: 'log', name: 'ns', min: 10 },
    series: CONTESTANTS.map((name) => ({
      type: 'line',
      name: TITLES[name],
      itemStyle: { color: COLOURS[name] },
      data: (scaling[name] ?? []).map((point) => [point.names, point.lookup]),
    })),
  });
}
