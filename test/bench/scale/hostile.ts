import { setTimeout as pause } from 'node:timers/promises';
import { startProgress } from '../../../src/commands/progress.ts';
import { below, exactly, measured, percentile } from '../figure.ts';
import type { Finding, Table } from '../figure.ts';
import { exchange } from '../http-client.ts';
import type { Size } from './size.ts';

const QUERIES: readonly [string, string][] = [
  ['a page size of 9,999,999', 'page_size=9999999'],
  ['a cursor with an offset of 1,000', `cursor=${base64('o=1000')}&ordering=name`],
  ['an offset of 9,999,999', `cursor=${base64('o=9999999&p=0.01')}&ordering=price`],
  ['a filter that nothing matches', 'stock=9999&ordering=price'],
  ['filters that exclude each other', 'price__lt=1&price__gt=2&ordering=name'],
  ['price and stock, by name', 'price__gte=500&price__lte=500.1&stock=77&ordering=name'],
  ['stock, by price', 'stock=77&ordering=price'],
  ['stock, by time', 'stock__lte=1&stock__gte=1&ordering=created_at'],
  ['price, by name and time', 'price__gt=999&ordering=name,-created_at'],
  ['a word that nothing matches', 'search=quixotic&ordering=name'],
  ['a word of which parts are everywhere', 'search=9999999&ordering=price'],
  ['words that many match, by price', 'search=made+oak+small+42&ordering=price'],
  ['a word that many match, last by name', 'search=walnut&ordering=name'],
  ['four words that many match, by name', 'search=oak+chair+small+hand&ordering=name'],
  ['one letter', 'search=q'],
  ['two letters that nothing matches', 'search=zz'],
  ['wildcards', 'search=%25+_+%25%25'],
  ['20 single characters', 'search=1+2+3+4+5+6+7+8+9+0+a+b+c+d+e+f+g+h+i+j'],
  ['2,000 terms', `search=${Array.from({ length: 2000 }, (_, n) => `q${n}`).join('+')}`],
  ['part of a name, two letters', 'name__icontains=zz&ordering=-name'],
];

const ATTACKERS = 20;
const ATTACK_MS = 8000;
const NEVER_ENDING = '/products/?search=zz';
// The time of a statement, and what is around it.
const LIMIT_MS = 2500;

/** What requests that look for trouble cost alone, and what others feel of many at a time. */
export async function provoke(size: Size): Promise<{ findings: Finding[]; table: Table }> {
  const progress = startProgress('Hostile requests', QUERIES.length);
  const answers: { what: string; status: number; ms: number }[] = [];
  for (const [what, query] of QUERIES) {
    // The second one: the first may have had to wait for the disk.
    await timed(`/products/?${query}`, size);
    answers.push({ what, ...(await timed(`/products/?${query}`, size)) });
    progress.advanceTo(answers.length);
  }
  progress.stop();
  const { pages, attacks } = await attack(size);
  const others = answers.filter(({ status }) => status !== 200 && status !== 503);
  const times = (list: readonly { ms: number }[]): number[] => list.map(({ ms }) => ms);
  return {
    findings: [
      exactly('hostile requests answered by other than 200 or 503', others.length, 0),
      below('the longest of them', Math.max(...times(answers)), LIMIT_MS, 'ms'),
      exactly(
        `pages refused during ${ATTACKERS} endless searches at a time`,
        pages.filter(({ status }) => status !== 200).length,
        0,
      ),
      measured('a page meanwhile, p50', percentile(times(pages), 0.5), 'ms'),
      measured('a page meanwhile, p99', percentile(times(pages), 0.99), 'ms'),
      exactly(
        'these searches answered by other than 200 or 503',
        attacks.filter(({ status }) => status !== 200 && status !== 503).length,
        0,
      ),
      below('the longest of them, waiting included', Math.max(...times(attacks)), 4500, 'ms'),
    ],
    table: {
      title: `Requests that look for trouble, ${size.rows.toLocaleString('en')} products`,
      head: ['what', 'answer', 'time'],
      rows: answers.map(({ what, status, ms }) => [what, String(status), `${ms.toFixed(1)} ms`]),
    },
  };
}

async function attack(size: Size): Promise<Record<'pages' | 'attacks', Timed[]>> {
  const end = performance.now() + ATTACK_MS;
  const attacks: Timed[] = [];
  const attacker = async (): Promise<void> => {
    while (performance.now() < end) attacks.push(await timed(NEVER_ENDING, size));
  };
  const attackers = Array.from({ length: ATTACKERS }, attacker);
  await pause(500);
  const pages: Timed[] = [];
  while (performance.now() < end) pages.push(await timed('/products/', size));
  await Promise.all(attackers);
  return { pages, attacks };
}

interface Timed {
  status: number;
  ms: number;
}

async function timed(path: string, { keeping, access }: Size): Promise<Timed> {
  const start = performance.now();
  const { status } = await exchange(keeping.origin, path, { bearer: access });
  return { status, ms: performance.now() - start };
}

function base64(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString('base64'));
}
