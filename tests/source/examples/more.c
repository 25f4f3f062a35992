#ifndef A
#elifdef B
#elifndef C
#endif
int old(a) int a; { return a; }
const int more(int x) {
    __try { __leave; } __finally { }
    do { continue; } while (x);
    p = (char *)q;
    x = sizeof(x) + alignof(int) + _Alignof(int) + offsetof(struct s, m);
    x = x + y / z % w;
    x += 1; x -= 1; x *= 1; x /= 1; x %= 1;
}
