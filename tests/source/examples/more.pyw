def more[T](x, y) -> int:
    while x:
        pass
    else:
        pass
    do(x)
    @a.b
    def inner(): pass
    match x:
        case {"a": 1, **rest}: pass
    [*x, y]
    {**x}
    for *x, y in z: continue
    *x, y = z
    x and y or not z
    x in y is z
    del x
    x - y / z // x % y * u ** z
    x += y; x -= y; x *= y; x /= y; x //= y; x %= y; x **= y; x @= y
    print "x"
    exec "x"
