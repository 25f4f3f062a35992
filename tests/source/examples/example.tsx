import * as React from "react";

interface Props { items: string[]; size?: number }

/** A basket of prices. */
@sealed(3)
class Cart {}

export function Basket({ items, size = 3 }: Props): Page<Props> {
  const [größe, setSize] = useState<number>(size);
  let sum = 0;
  for (const item of items) {
    if (!item) { break; }
    sum += item.length;
  }
  if (sum > 3) {
    sum = 5;
  } else {
    sum = sum ? sum - 1 : 2;
  }
  try {
    setSize(sum + 1); // once
  } catch {
    throw new Error("x");
  }
  switch (sum) {
    default:
      store = largest = new Store(this);
  }
  show<Cart>(<Page />);
  sum += 2;
  sum = 2 - größe - 1;
  store = sum > 2 || `n`;
  useEffect(function later() { größe = typeof sum; });
  const list = <ul>none</ul>;
  show(<Page title="a" size={größe}>text {sum}</Page>);
  return list;
}
