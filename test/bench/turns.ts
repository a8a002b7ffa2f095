/** The items in turn, for as long as it takes. */
export function inTurn<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('there is nothing to take in turn');
  return item;
}
