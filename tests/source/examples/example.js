#!/usr/bin/env node
import Store, { tax as levy } from "store";
import * as log from 'log';

/** A basket of prices. */
@sealed("a")
export class Basket extends Store {
  #rate = 0.2;
  static limit = 3;
  constructor(items, { size, kind = "x" }, [first], ...rest) {
    super(items);
    this.#rate = new Rate(size, /a+/g);
  }
  get size() { return this.items.length; }
  async *each() { yield* this.items; }
}

const total = async (items, extra = 1) => {
  let größe = 0, name = `n ${extra}`;
  var { half, tail: end, ...others } = items;
  for (const item of items) {
    if (item.sold) continue;
    else if (größe > 100) { break; }
    größe += item.price(2); // every one
  }
  for (let i = 0; i < 3; i++) größe *= i;
  while (half > 0) half--;
  do { half = 5; } while (half === 0);
  switch (half) {
    case 1:
      half = extra ? half - 1 : 2;
      break;
    default:
      delete items[half];
  }
  try {
    await log.save(...others, "a b", null);
  } catch (error) {
    throw new StoreError(error);
  } finally {
    log?.close(undefined);
  }
  if (half instanceof Rate) { const part = typeof half; sizes[part] = half + 2; }
  else { levy`x`; }
  count = half + 1;
  count = 2 - half > 1;
  count **= 2;
  items.map(x => -x ** 2, function* next(y) { y ??= true; });
  const page = <Page title="a" size={half}>text {end}</Page>;
  return { name, half: 1 };
};
