import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as prettier from 'prettier';
import { OperatorError } from '../../src/errors.ts';
import type { Chart, Figure, Plot } from './figure.ts';
import { chartFileOf } from './report.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const REPORT = path.join(ROOT, 'BENCHMARKS.md');
const DRAWERS = path.join(import.meta.dirname, 'contenders/chart');

/** Puts the section of a figure, and its chart, where they are published. */
export async function publish(
  figure: Figure,
  section: string,
  chart?: Chart | Plot,
): Promise<void> {
  const text = replaceSection(readFileSync(REPORT, 'utf8'), figure.name, section);
  const style = await prettier.resolveConfig(REPORT);
  writeFileSync(REPORT, await prettier.format(text, { ...style, parser: 'markdown' }));
  if (chart) writeFileSync(path.join(ROOT, chartFileOf(figure)), drawn(chart));
}

// A program of its own, since what it draws with is no dependency of the service.
function drawn(chart: Chart | Plot): string {
  const program = path.join(DRAWERS, 'x' in chart ? 'draw-lines.js' : 'draw.js');
  try {
    return execFileSync(process.execPath, [program], {
      input: JSON.stringify(chart),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  } catch (error) {
    throw new OperatorError(
      'The chart could not be drawn: `npm run setup:bench` installs what draws it.',
      {
        cause: error,
      },
    );
  }
}

/** The text with the section of that name in the place of its own, or before all others if there was none. */
export function replaceSection(text: string, name: string, section: string): string {
  const headings = [...text.matchAll(/^## (.*)$/gm)];
  const at = headings.findIndex(([, heading]) => heading === name);
  const place = headings[Math.max(at, 0)]?.index ?? text.length;
  const end = at === -1 ? place : (headings[at + 1]?.index ?? text.length);
  return (
    `${text.slice(0, place).trimEnd()}\n\n${section.trim()}\n\n${text.slice(end)}`.trimEnd() + '\n'
  );
}
