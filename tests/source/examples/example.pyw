"""Baskets."""
import json
from store import Shop as Place
from sums import *

RATE = 0.2


@cached("a", size=3)
class Basket(Place):
    limit: int = 3

    @property
    async def total(self, items: list[int], *extra, tax=None) -> dict[str, int]:
        """The sum."""
        größe, self.count = len(items), 0  # pairs
        größe = 2 + größe - 1
        for item in items:
            if item.sold:
                continue
            elif größe > 100:
                break
        else:
            größe += 1
        while größe < 3 and not tax:
            größe -= 1
        if (half := größe // 2) in items:
            prices[half] = -half ** 2
        elif half is None:
            del prices
        else:
            half = "x"
        with open(tax, "r") as source, lock:
            json.load(source)
        try:
            await self.save(*extra, tax=f"{tax}")
        except (OSError, Error) as error:
            raise StoreError(error) from error
        else:
            half = 5
        finally:
            source.close()
        names = [n.upper() for n in items if n]
        best = half if half > 3 else 4
        weigh = lambda w, v=2: w @ v
        match names:
            case [first, *rest] if rest:
                print(first)
            case Place(x=0) | {"k": 1}:
                assert first, ...
            case Place(x=low) as whole:
                store(low, whole)
            case _:
                pass
        yield best
        return not names
