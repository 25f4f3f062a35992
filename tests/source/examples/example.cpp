#include <vector>
#define LIMIT 3
#define TWICE(x) ((x) * 2)
#ifdef DEBUG
#endif
using namespace std;
using Prices = std::vector<int>;
namespace shop {
enum class Color : int { Red, Green = 2 };
int (*hook)(int) = nullptr;

/* A basket of prices. */
template <typename T, int N = 3>
class Basket : public Store<T> {
  public:
    explicit Basket(int n) : size_(n), items{} {}
    virtual ~Basket() = default;
    virtual int tax(const T &item) const noexcept = 0;
    bool operator==(const Basket &other) const { return this->size_ == other.size_; }
    virtual void push(int n)=0;
    static std::vector<T> *sorted(int n = 3);
  private:
    int size_ = 0, *end_;
    static const double rate;
};

template <typename T>
std::vector<T> total(const std::vector<T> &items, T &&first, int *n = nullptr) {
    auto größe = new Item(1, "a"), half = std::make_unique<Item>(3);
    const auto [a, b] = split(items);
    for (const auto &item : items) {
        if (item.sold) continue;
        else if (a > 100) { break; }
        std::cout << item << std::endl;  // every one
    }
    for (int i = 0; i < 3; ++i) a += i * 2;
    while (a > 0 and not b) a--;
    do { a = 5; } while (a == 0);
    if (int k = 3; k > LIMIT) {
        int rest = k;
        prices[rest] = R"(x)" + 2_km;
    } else {
        half->template get<int>(a);
    }
    try {
        Store::save(*n, [&, a](int q) -> int { return q + 1; });
        shop::Store<T>::load(this, static_cast<int>(b));
    } catch (const std::exception &e) {
        throw std::runtime_error("x");
    }
    switch (a) {
    case Color::Red:
        a = b ? a - 1 : 2;
        break;
    default:
        delete größe;
    }
    const Item one(a);
    static_assert(sizeof(T) > 1);
    stock = new Item;
    stock = -a % 'c';
    stock = 2 + a;
    co_return items;
}
}  // namespace shop
