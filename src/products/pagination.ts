import type { OperationResponse, PageUrl } from '../contract.ts';
import { OFFSET_CUTOFF, decodeCursor, pageLink } from '../cursor.ts';
import type { Cursor } from '../cursor.ts';
import type { Ordering } from './filters.ts';
import { positionIn } from './positions.ts';
import type { Product } from './repository.ts';
import type { FindProducts } from './seek.ts';

type ProductPage = Extract<OperationResponse<'listProducts'>, { status: 200 }>['body'];

interface PageRequest {
  ordering: Ordering;
  cursor: string | undefined;
  size: number;
  url: PageUrl;
}

interface Page {
  /** As the cursor runs: a reversed one finds them from the last to the first. */
  rows: Product[];
  /** The row beyond them, if there is one. */
  following: Product | undefined;
  cursor: Cursor;
  ordering: Ordering;
  size: number;
}

const FIRST_PAGE: Cursor = { offset: 0, reverse: false, positions: [], id: undefined };

/** DRF's CursorPagination. */
export async function paginate(
  find: FindProducts,
  { ordering, cursor: text, size, url }: PageRequest,
): Promise<ProductPage> {
  const cursor = text === undefined ? FIRST_PAGE : decodeCursor(text);
  const found = await find(ordering, cursor, size + 1);
  const page = { rows: found.slice(0, size), following: found[size], cursor, ordering, size };
  const [onward, back] = [pageLink(url, onwardCursor(page)), pageLink(url, backCursor(page))];
  return cursor.reverse
    ? { next: back, previous: onward, results: page.rows.toReversed() }
    : { next: onward, previous: back, results: page.rows };
}

/** Where the rows beyond the page begin. */
function onwardCursor({ rows, following, cursor, ordering, size }: Page): Cursor | null {
  const edge = rows.at(-1);
  if (!following || !edge) return null;
  const { offset, reverse, positions } = cursor;
  const mark =
    findMark(rows.toReversed(), positionOf(following, ordering), ordering) ??
    (cursor.id === undefined ? { offset: offset + size, positions } : null);
  return cursorAt(mark, { edge, reverse, ordering });
}

/** Where the rows that the cursor has passed begin. Among equals it may miss some, exactly as DRF's does. */
function backCursor({ rows, following, cursor, ordering, size }: Page): Cursor | null {
  const { offset, positions, id } = cursor;
  if (offset === 0 && positions.length === 0 && id === undefined) return null;
  const reverse = !cursor.reverse;
  const [edge] = rows;
  if (!edge) return { ...cursor, offset: 0, reverse };
  const passed = offset === 0 ? positions[0] : positionOf(edge, ordering);
  const turned = following
    ? { offset: 0, positions: [positionOf(following, ordering)] }
    : { offset: size, positions: [] };
  const mark = findMark(rows, passed, ordering) ?? (id === undefined ? turned : null);
  return cursorAt(mark, { edge, reverse, ordering });
}

type Mark = Pick<Cursor, 'offset' | 'positions'>;

/** The first row whose position is not the neighbour's, and how many rows there are before it. */
function findMark(rows: Product[], neighbour: string | undefined, ordering: Ordering): Mark | null {
  const positions = rows.map((row) => positionOf(row, ordering));
  const offset = positions.findIndex((position) => position !== neighbour);
  return offset === -1 ? null : { offset, positions: positions.slice(offset, offset + 1) };
}

interface Edge {
  edge: Product;
  reverse: boolean;
  ordering: Ordering;
}

function cursorAt(mark: Mark | null, { edge, reverse, ordering }: Edge): Cursor {
  if (mark && mark.offset <= OFFSET_CUTOFF) return { ...mark, reverse, id: undefined };
  // Here DRF's cursor would point to the same page for ever; ours names the row at the edge of this one.
  const positions = ordering.slice(0, -1).map(({ field }) => positionIn(edge, field));
  return { offset: 0, reverse, positions, id: String(edge.id) };
}

function positionOf(product: Product, [{ field }]: Ordering): string {
  return positionIn(product, field);
}
