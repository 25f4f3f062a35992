#include <stdio.h>
#include "basket.h"
#define LIMIT 10
#define TWICE(x) ((x) * 2)
#if LIMIT > 3 && defined(DEBUG)
#pragma once
#elif LIMIT
#endif
#ifdef DEBUG
#else
#endif

/* A basket of prices. */
typedef struct item {
    int price, *next;
    unsigned sold : 1;
} Item;

enum color { RED, GREEN = 2 };
static const double rate = 0.2;
int (*hook)(int);
double tax(Item *item);
extern const struct item *first(int n);

static inline double *total(const Item *items, int n, char label[]) {
    double sum = 0, *größe = &sum, prices[LIMIT] = {1};
    for (int i = 0; i < n; i++) {
        if (items[i].sold) continue;
        else if (sum > 100) { break; }
        sum += items[i].price; // every one
    }
    while (n > 0) n--;
    do { sum = 5; } while (sum == 0);
    switch (n) {
    case 1:
        sum = n ? sum - 1 : 2;
        break;
    default:
        goto end;
    }
    if (label) {
        int half = sizeof(int);
        prices[half] = sum + 1;
    } else {
        *größe = half << 2;
    }
    __try {
        save(*items, "a b" "c", 'd', NULL);
        items->next->close((char *)label, ~n);
    } __except (n) {
        (*hook)(n * 2);
    }
    Item one = {.price = 1};
    stdout = &one;
    sum = -n * 2.5;
    sum = 2 + n;
end:
    return größe;
}
