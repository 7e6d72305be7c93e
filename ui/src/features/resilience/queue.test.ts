import { beforeEach, describe, expect, it } from "vitest";
import { queueCourse } from "./queue.svelte";

describe("the course of the queue", () => {
  beforeEach(() => queueCourse.clear());

  it("keeps the last five minutes, one sample for each answer", () => {
    for (let second = 0; second < 400; second += 1) {
      queueCourse.add(second, second * 1000);
      queueCourse.add(second, second * 1000);
    }
    expect(queueCourse.samples).toHaveLength(300);
    expect(queueCourse.samples.at(-1)).toEqual({ at: 399_000, pending: 399 });
  });

  it("begins anew when the clock jumps back", () => {
    queueCourse.add(3, 7_200_000);
    queueCourse.add(5, 3_600_000);
    queueCourse.add(6, 3_601_000);
    expect(queueCourse.samples.map((sample) => sample.pending)).toEqual([5, 6]);
  });
});
