import { readFileSync } from 'node:fs';
import * as echarts from 'echarts';

// Draws panels of lines over common values, given as JSON on standard input, as SVG on standard output. The text takes
// the colour of the reader's scheme; those of the lines can be read on white and on black.

const COLOURS = [
  '#2f81f7',
  '#d29922',
  '#3fb950',
  '#f778ba',
  '#a371f7',
  '#db6d28',
  '#39c5cf',
  '#8b949e',
];
const WIDTH = 1000;
const COLUMNS = 2;
const COLUMN = WIDTH / COLUMNS;
const LEFT = 62;
const PLOT = 190;
const LINE = 18;
const HEADING = 36;
const TOP = 62;

const { title, note, x, panels } = JSON.parse(readFileSync(0, 'utf8'));
const count = (value) => value.toLocaleString('en', { maximumFractionDigits: 2 });

// A row of panels is as high as the one with the most lines, which are named below their plot.
const places = [];
let top = TOP;
for (let first = 0; first < panels.length; first += COLUMNS) {
  const row = panels.slice(first, first + COLUMNS);
  for (const [column, panel] of row.entries())
    places.push({ panel, left: column * COLUMN, top: top + HEADING });
  top += HEADING + PLOT + 34 + Math.max(...row.map(({ lines }) => lines.length)) * LINE + 18;
}

function optionsOf({ panel: { title: heading, lines }, left, top: y }, index) {
  const values = lines.flatMap((line) => line.values);
  const grid = { left: left + LEFT, top: y, width: COLUMN - LEFT - 24, height: PLOT };
  const axis = {
    gridIndex: index,
    type: 'log',
    axisLabel: { fontSize: 11, formatter: count },
    splitLine: { lineStyle: { color: '#8b949e', opacity: 0.25 } },
    axisLine: { lineStyle: { color: '#8b949e' } },
  };
  return {
    title: {
      text: heading,
      left: left + 12,
      top: y - HEADING + 6,
      textStyle: { fontSize: 13, fontWeight: 600 },
    },
    grid: { ...grid, containLabel: false },
    xAxis: { ...axis, min: x[0], max: x.at(-1), name: '' },
    yAxis: {
      ...axis,
      // Whole powers of ten, so that the slope of panels can be compared.
      min: Math.min(0.1, 10 ** Math.floor(Math.log10(Math.min(...values)))),
      max: Math.max(10, 10 ** Math.ceil(Math.log10(Math.max(...values)))),
    },
    series: lines.map(({ values: line }, at) => ({
      type: 'line',
      xAxisIndex: index,
      yAxisIndex: index,
      symbol: 'circle',
      symbolSize: 6,
      lineStyle: { width: 2 },
      color: COLOURS[at % COLOURS.length],
      data: line.map((value, column) => [x[column], value]),
    })),
    names: lines.map(({ label, values: line }, at) => ({
      type: 'group',
      left: left + LEFT,
      top: y + PLOT + 28 + at * LINE,
      children: [
        {
          type: 'line',
          shape: { x1: 0, y1: 7, x2: 18, y2: 7 },
          style: { stroke: COLOURS[at % COLOURS.length], lineWidth: 3 },
        },
        {
          type: 'text',
          x: 26,
          y: 0,
          style: { text: `${label}: ${line.map(count).join(' · ')} ms`, fontSize: 12 },
        },
      ],
    })),
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
  graphic: parts.flatMap(({ names }) => names),
});
const SCHEMES =
  '<style>text{fill:#1f2328}@media (prefers-color-scheme:dark){text{fill:#e6edf3}}</style>';
process.stdout.write(
  `${chart.renderToSVGString().replace(/<svg[^>]*>/, (head) => `${head}${SCHEMES}`)}\n`,
);
chart.dispose();
