package shop

import (
	"fmt"
	m "math"
)

// A Basket of prices.
type Basket[T any] struct {
	Items []T `json:"items"`
	size  int
}

type Sale interface {
	Tax(price int) float64
}

const Rate, Limit = 0.2, iota

var store *Basket[int] = nil

func (b *Basket[T]) Total(items []T, extra ...int) (List[T], error) {
	defer b.Close()
	var größe float64 = Rate * 2
	half, names := 1, map[string]int{"a": 1}
	for i := 0; i < len(items); i++ {
		if items[i].Sold {
			continue
		} else if größe > 100 {
			break
		}
		größe += m.Sqrt(2)
	}
	for k, v := range names {
		fmt.Println(k, v)
	}
	for half < 3 {
		half++
	}
	if v, ok := names["a"]; ok {
		rest := v
		b.Items[rest] = half + 1
	} else {
		*extra = -half << 2
	}
	switch half {
	case 1:
		half = 5
		fallthrough
	default:
		panic("x" + 'c')
	}
	switch t := store.(type) {
	case int, *Item:
		go func() { recover() }()
	}
	select {
	case msg := <-ch:
		store = &Basket{size: 1}
	case ch <- true:
		goto end
	}
	store = *extra
	store -= half + 1
	store = 2 - half > 1
	each(Map[int](names, func(w int) int { return w % 2 }))
end:
	return nil, b.Close()
}
