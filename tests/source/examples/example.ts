#!/usr/bin/env node
import type { Item } from "store";

type Name = string | "x";
interface Sale<T> extends Deal {
  readonly price: number;
  name?: T;
  tax(rate: number): Promise<T>;
  [key: string]: any;
}
enum Color { Red, Green = 2 }
declare function levy(x: number): void;

/** A basket of prices. */
@Component({ kind: "a" })
export abstract class Basket<T> extends Store<T> implements Sale<T> {
  private readonly rate: number = 0.2;
  static limit?: string;
  constructor(private items: T[], public size?: number) { super(items); }
  abstract weigh(x: T): void;
  private async total<K extends keyof T>(this: Basket<T>, key: K, ...rest: any[]): Promise<Map<K, T>> {
    let größe: number = 0, names = new Map<string, K>();
    for (const item of this.items) {
      if (item.sold) continue;
      else if (größe > 100) { break; }
      größe += item.price!(2); // every one
    }
    while (größe > 0) größe--;
    do { größe = 5; } while (größe === 0);
    switch (key) {
      case 1:
        größe = rest ? größe - 1 : 2;
        break;
      default:
        delete names[key];
    }
    try {
      await log.save<K>(...rest, "a b", null);
    } catch (error: unknown) {
      throw new StoreError(error);
    } finally {
      log?.close(undefined);
    }
    if (key instanceof Item) { const part = typeof key; sizes[part] = größe + 2; }
    else { store = new Store(`t ${key}`); }
    rest.map((x: number): number => -x ** 2);
    store = new Store();
    store += 1 - größe > 1;
    store -= 3;
    store = key as Name;
    return names;
  }
}
const double = (x: number): number => x * 2;
