import { readFileSync } from 'node:fs';
import * as echarts from 'echarts';

// Draws a chart of groups of bars, given as JSON on standard input, as SVG on standard output. The colours are those
// that can be read on white and on black; the text takes that of the reader's scheme.

const OURS = '#2f81f7';
const OTHERS = '#8b949e';
const WIDTH = 1000;
const COLUMNS = 2;
const COLUMN = WIDTH / COLUMNS;
const LABELS = 200;
const VALUES = 70;
const BAR = 24;
const HEADING = 34;
const TOP = 58;

const { title, note, panels } = JSON.parse(readFileSync(0, 'utf8'));

// A row of panels is as high as its tallest.
const places = [];
let top = TOP;
for (let first = 0; first < panels.length; first += COLUMNS) {
  const row = panels.slice(first, first + COLUMNS);
  const height = Math.max(...row.map(({ bars }) => bars.length)) * BAR;
  for (const [column, panel] of row.entries())
    places.push({ panel, left: column * COLUMN, top: top + HEADING });
  top += HEADING + height + 12;
}

const count = (value) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });

function optionsOf({ panel: { title: heading, bars }, left, top: y }, index) {
  const most = Math.max(...bars.map(({ max }) => max));
  const axes = { xAxisIndex: index, yAxisIndex: index };
  return {
    title: {
      text: heading,
      left: left + 12,
      top: y - HEADING + 8,
      textStyle: { fontSize: 13, fontWeight: 600 },
    },
    grid: {
      left: left + LABELS,
      top: y,
      width: COLUMN - LABELS - VALUES,
      height: bars.length * BAR,
      containLabel: false,
    },
    xAxis: { gridIndex: index, type: 'value', min: 0, max: most, show: false },
    yAxis: {
      gridIndex: index,
      type: 'category',
      inverse: true,
      data: bars.map(({ label }) => label),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { fontSize: 12, width: LABELS - 16, overflow: 'truncate', interval: 0 },
    },
    series: [
      {
        type: 'bar',
        ...axes,
        barWidth: BAR * 0.6,
        data: bars.map(({ value, isOurs }) => ({
          value,
          itemStyle: { color: isOurs ? OURS : OTHERS },
        })),
      },
      {
        type: 'custom',
        z: 3,
        ...axes,
        data: bars.map(({ value, min, max }, at) => [at, value, min, max]),
        encode: { x: [1, 2, 3], y: 0 },
        renderItem: drawSpread,
      },
    ],
  };
}

/** The line from the slowest round to the fastest, and behind it the median in figures. */
function drawSpread(params, api) {
  const at = api.value(0);
  const [low, y] = api.coord([api.value(2), at]);
  const [high] = api.coord([api.value(3), at]);
  return {
    type: 'group',
    children: [
      {
        type: 'line',
        shape: { x1: low, y1: y, x2: high, y2: y },
        style: { stroke: '#d29922', lineWidth: 2 },
      },
      {
        type: 'text',
        x: high + 6,
        y,
        style: { text: count(api.value(1)), fontSize: 12, verticalAlign: 'middle' },
      },
    ],
  };
}

const parts = places.map(optionsOf);
const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: top });
chart.setOption({
  animation: false,
  textStyle: { fontFamily: 'system-ui, -apple-system, sans-serif' },
  title: [
    { text: title, subtext: note, left: 12, top: 8, itemGap: 6, textStyle: { fontSize: 16 } },
    ...parts.map((part) => part.title),
  ],
  grid: parts.map(({ grid }) => grid),
  xAxis: parts.map(({ xAxis }) => xAxis),
  yAxis: parts.map(({ yAxis }) => yAxis),
  series: parts.flatMap(({ series }) => series),
});
const SCHEMES =
  '<style>text{fill:#1f2328}@media (prefers-color-scheme:dark){text{fill:#e6edf3}}</style>';
process.stdout.write(
  `${chart.renderToSVGString().replace(/<svg[^>]*>/, (head) => `${head}${SCHEMES}`)}\n`,
);
chart.dispose();
