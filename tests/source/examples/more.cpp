#if A
#elif B
#else
#endif
#ifndef A
#elifdef B
#elifndef C
#endif
#pragma once
class More {
    More(const More &) = delete;
    virtual int f() = 0;
    operator bool() const;
    virtual ~More() = 0;
};
template <typename T> requires Small<T> static const int *more(int x) throw(E) {
    __try { __leave; } __except (x) { }
    __try { } __finally { }
    if constexpr (x) { }
    static Item one(a);
    do { continue; } while (x);
    goto end;
    co_yield x;
    co_await x;
    this->f(x);
    g(x); h<int>(x); *p = x;
    [=] { x; };
    p = (char *)q;
    x = alignof(int) + offsetof(S, m) * y / z;
    x = x and y or not z xor x bitand y bitor compl z;
    x and_eq y; x or_eq y; x xor_eq y; x not_eq y;
    x += 1; x -= 1; x *= 1; x /= 1; x %= 1;
}
Box<int> box() { }
