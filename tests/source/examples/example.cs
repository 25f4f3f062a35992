#nullable enable
#if DEBUG
#endif
using System;
using Text = System.Text;

namespace Shop;

/* A basket of prices. */
[Serializable, Table("a", Key = 1)]
public class Basket<T> : Store<T>, ISale where T : class, new()
{
    private const double Rate = 0.2;
    public event Action Sold;
    public int Size { get; private set; } = 5;
    public int Count => items.Count;
    public int this[int i] { get { return items[i]; } }
    enum Color { Red, Green = 2 }
    delegate int Tax(int x);

    public Basket(int n, params int[] extra) : base(n) { this.Size = n; }
    ~Basket() { }
    public static Basket<T> operator +(Basket<T> a, Basket<T> b) => a;

    [Test]
    public override async Task<int> Total<K>(List<K> things, string label = "x") where K : struct
    {
        double größe = Rate * 2, half = 3;
        foreach (var thing in things)
        {
            if (thing.Sold) continue;
            else if (größe > 100) { break; }
            größe += thing.Price(2); // every one
        }
        for (int k = 0; k < 3; k++) { half *= k; }
        while (half > 0) half--;
        do { half = 5; } while (half == 0);
        switch (half)
        {
            case 1: half = label != null ? half - 1 : 2; break;
            case > 3 when half < 9: goto default;
            case Item found: break;
            default: store = new Item(); break;
        }
        try
        {
            await this.Save(out var n, $"a {half}", 'c');
            things?.Clear(n);
        }
        catch (IOException e) when (e.Code == 3) { throw new StoreError(e); }
        finally { Log.Close<int>(1); }
        if (things is Item item && item is not null) { var rest = 2; sizes[rest] = ~rest << 1; }
        else { Print(typeof(int)); }
        var word = half switch { 1 => "one", _ => "many" };
        var query = from thing in things where thing > 3 select thing;
        Func<int, int> next = q => q + 1;
        each(delegate (int w) { w = -1; });
        x = y ?? throw new Error("gone");
        lock (things) { count = (int)half + 3; count = 2 - half; }
        return base.Total(half);
    }
}
