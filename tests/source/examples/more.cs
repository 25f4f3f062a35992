#!/usr/bin/env dotnet
#if A
#elif B
#else
#endif
#region R
#endregion
#pragma warning disable
#define X
#undef X
#line 3
#error no
#warning no
namespace Shop { }
public delegate int Tax(int x);
class More {
    void ISale.Sell() { }
    public static More operator -(More a) { yield return 1; }
    public static implicit operator int(More a) => 1;
    public static explicit operator long(More a) => 2;
    int F() {
        static List<int> Half(int x) { }
        int Third(int x) { }
        a = x.y switch { 1 => 2 };
        a = f(x) switch { 1 => 2 };
        a = (x, y) switch { (1, 2) => 2 };
        a = from q in l join r in m on q equals r let s = q select r;
        do { continue; } while (x);
        using (var s = g()) { }
        unsafe { fixed (int* p = q) { *p = 1; } }
        switch (x) { case Foo { X: 1 } f: break; case var v: break; case var (a, b): break; case > 1 and < 3 or not 4: break; }
        h(async (q) => q);
        Foo<int>(a);
        x = y as Foo; x = y is Foo; x = typeof(int*); x = sizeof(int); x = stackalloc int[3];
        x = a - b * c / d % e;
        x += 1; x -= 1; x *= 1; x /= 1; x %= 1;
        a?.b;
    }
}
