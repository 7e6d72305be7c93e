// Arrow keys between the rows of a list whose rows have controls of their own.

const control = "a[href], button:not(:disabled), input:not(:disabled)";

/**
 * Moves the focus to the same control of the row above or below. Rows carry `data-row`; they stand
 * in the page in their order. For `onkeydown` of what holds the rows.
 */
export function rove(event: KeyboardEvent): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0 || !(event.target instanceof HTMLElement) || !(event.currentTarget instanceof HTMLElement)) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const row = event.target.closest<HTMLElement>("[data-row]");
  // From the list itself the first row in sight is entered.
  const at = row ? rows.indexOf(row) + by : 0;
  const place = row ? [...row.querySelectorAll(control)].indexOf(event.target) : 0;
  const there = rows[at]?.querySelectorAll<HTMLElement>(control);
  const next = there?.[Math.min(Math.max(place, 0), there.length - 1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
