// The order of the lists. The choice is kept on this machine.
import type { Order } from "$bindings/Order";

export const orders: { value: Order; label: string }[] = [
  { value: "newest_first", label: "Newest first" },
  { value: "oldest_first", label: "Oldest first" },
  { value: "recently_changed", label: "Recently changed" },
  { value: "recently_used", label: "Recently used" },
  { value: "most_used", label: "Most used" },
  { value: "longest_first", label: "Longest first" },
];

const key = "hirag.order";

function kept(): Order {
  try {
    const value = localStorage.getItem(key);
    return orders.find((order) => order.value === value)?.value ?? "newest_first";
  } catch {
    return "newest_first";
  }
}

class ListOrder {
  #choice = $state<Order | null>(null);
  /** Read when a list is shown: what is kept takes a browser longer to reach than the first content takes. */
  #kept: Order | undefined;

  get choice(): Order {
    return this.#choice ?? (this.#kept ??= kept());
  }

  /** Whether a search changes it, which counts as a use of what it returns. */
  get followsUses(): boolean {
    return this.choice === "recently_used" || this.choice === "most_used";
  }

  set choice(order: Order) {
    this.#choice = order;
    try {
      localStorage.setItem(key, order);
    } catch {
      // Where nothing can be kept, the choice holds for this run.
    }
  }
}

export const listOrder = new ListOrder();
