// How many contexts waited for their vector over the last minutes, as far as somebody looked.

/** Samples kept: five minutes at one a second. */
const most = 300;

export type Sample = { at: number; pending: number };

class QueueCourse {
  samples = $state.raw<Sample[]>([]);

  add(pending: number, at: number): void {
    const latest = this.samples.at(-1);
    if (latest && at === latest.at) return;
    // A clock that jumped back begins a new course.
    const before = latest && at < latest.at ? [] : this.samples.slice(1 - most);
    this.samples = [...before, { at, pending }];
  }

  clear(): void {
    this.samples = [];
  }
}

export const queueCourse = new QueueCourse();
