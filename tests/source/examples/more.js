<!-- old
export { a } from "m";
export * from "m";
@b class More { static f() { } set g(x) { } }
async function f() { }
async function* g() { }
function more(x) {
  using r = h();
  do { continue; } while (x);
  u(async function name() { }, async function* () { }, tag`x`);
  tag`x`;
  <a b="c" />;
  x = typeof y; x = y instanceof z; x = y in z; void x;
  x = a + b - c / d % e ** f * g;
  x += y; x -= y; x *= y; x /= y; x %= y; x **= y;
}
