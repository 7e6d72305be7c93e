// The time of day as the page shows it, so that "2 min. ago" moves on.
class Clock {
  now = $state(Date.now());

  /** Ticks every ten seconds until the returned function is called. */
  run(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 10_000);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
