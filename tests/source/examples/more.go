type F func(x int) string

func more(x *int) int {
	for !x { continue }
	for f(x) { }
	for x { }
	for x.y { }
	switch y := f(); y { }
	switch y := f(); y.(type) { case *T: }
	*p = x + y - z / w % v * u
	x += y; x -= y; x *= y; x /= y; x %= y
	g(p.q).r = s.t
}
