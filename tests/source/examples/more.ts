export { a } from "m";
export * from "m";
import * as m from "m";
type F = (x: number) => string;
interface I { new (x: number): I; (x: number): string; m(): void; [k: string]: any }
enum E { A, B = 1 }
@b @c() class More<T> {
  static f() { }
  private x = 1;
  protected override async *g(): Promise<T> { yield x; super.g(); }
  get h() { } set h(x) { }
}
abstract class Less { protected abstract f(): void; }
declare async function d(): Promise<void>;
async function e() { }
async function* g(): T { }
var old = 1;
function more<T>(x: number): void {
  for (let i = 0; i < 3; i++) { continue; }
  while (x) { }
  do { continue; } while (x);
  try { } catch (e: unknown) { } finally { }
  u(async function name(): T { }, async function* gen(): T { }, async x => x, (x): T => x);
  tag`x`;
  f<T>(x); a.f(x); a.f!(x); await f<T>(x); await a.f<T>(x);
  switch (x) { case y: x ? y : z; }
  x = this; delete x; x = typeof y; x = y instanceof z; x = y in z; void x; x = await y;
  x = y?.z; x = new T(); x = y as keyof T; x = y satisfies T; x = y as number;
  x = a + b - c / d % e ** f;
  x += y; x -= y; x *= y; x /= y; x %= y; x **= y; x += 1;
}
