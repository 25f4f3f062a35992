package shop;

import java.util.List;

/** A basket of prices. */
@Deprecated(since = "2")
public class Basket<T> extends Store {
    private final double rate = 0.2;

    int[] sizes() { return null; }

    @Deprecated(since = "3") @Override
    public <K> List<K> total(List<Item> items, int... extra) throws IOException {
        double sum = 0.0, größe = rate * 2;
        // every item counts
        for (Item item : items) {
            if (item.sold) {
                continue;
            } else if (sum > 100) break;
            sum += item.price();
        }
        while (sum < 1) sum++;
        do {
            sum = 5;
        } while (sum == 0);
        try {
            this.save(sum, "a b", 'c', null);
        } catch (IOException | Error e) {
            throw new StoreError(e);
        } finally {
            Log.close();
        }
        switch (items.size()) {
            case 1:
                found = new Item();
                break;
            default:
                sum = sum > 3 ? sum - 1 : -2;
        }
        if (rate != sum) {
            int half = 2;
            prices[half] = sum >> 1 + half;
        }
        each(x -> x.sold);
        assert sum > 0;
        found = -größe % 2;
        found = 2 + größe;
        String[] names = {"ä"};
        synchronized (items) { count = 3; }
        return new Names<K>(sum, y -> y + 1);
    }
}
