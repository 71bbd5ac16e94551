/**
 * BullMQ against the server: a queue is some thirty Lua scripts (with cmsgpack, cjson and most commands), streams for
 * its events and blocking commands for its workers.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FlowProducer, type Job, Queue, QueueEvents, Worker, type WorkerOptions } from "bullmq";
import { startServer, type TestServer } from "../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

interface Closable {
  close(): Promise<void>;
}

/** A queue with its events and a worker that runs `process`, all closed at the end of `body`. */
async function withQueue(
  name: string,
  process: (job: Job) => Promise<unknown>,
  body: (queue: Queue, events: QueueEvents, worker: Worker) => Promise<void>,
  options: Partial<WorkerOptions> = {},
): Promise<void> {
  const connection = { host: "127.0.0.1", port: server.port };
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  const worker = new Worker(name, process, { connection, ...options });
  const all: (Closable & { on(event: "error", listener: (error: Error) => void): unknown })[] = [
    queue,
    events,
    worker,
  ];
  const errors: Error[] = [];
  for (const each of all) each.on("error", (error) => errors.push(error));
  try {
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
    await body(queue, events, worker);
    expect(errors).toEqual([]);
  } finally {
    await Promise.all([worker.close(), events.close()]);
    await queue.close();
  }
}

describe("BullMQ", () => {
  test("jobs are done, with their results, progress and logs", async () => {
    const work = async (job: Job): Promise<number> => {
      await job.updateProgress(50);
      await job.log(`half of ${job.name}`);
      return job.data.a + job.data.b;
    };
    await withQueue("sums", work, async (queue, events) => {
      const jobs = await queue.addBulk(
        Array.from({ length: 50 }, (_, i) => ({ name: `sum${i}`, data: { a: i, b: 1 } })),
      );
      const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
      expect(results).toEqual(jobs.map((_, i) => i + 1));
      expect(await queue.getJobCounts("completed", "failed", "wait")).toEqual({
        completed: 50,
        failed: 0,
        wait: 0,
      });
      const again = await queue.getJob(jobs[7]!.id!);
      expect(again?.progress).toBe(50);
      expect((await queue.getJobLogs(jobs[7]!.id!)).logs).toEqual(["half of sum7"]);
    });
  });

  test("a job that fails is tried again, and fails for good at the end", async () => {
    let tries = 0;
    const work = async (job: Job): Promise<string> => {
      tries++;
      if (job.name === "hopeless" || tries < 3) throw new Error(`try ${job.attemptsMade}`);
      return "at last";
    };
    await withQueue("tries", work, async (queue, events) => {
      const options = { attempts: 3, backoff: { type: "fixed", delay: 10 } };
      const stubborn = await queue.add("stubborn", {}, options);
      expect(await stubborn.waitUntilFinished(events)).toBe("at last");
      const hopeless = await queue.add("hopeless", {}, options);
      await expect(hopeless.waitUntilFinished(events)).rejects.toThrow("try 2");
      expect(await queue.getFailedCount()).toBe(1);
    });
  });

  test("delayed jobs wait, priorities count", async () => {
    const order: string[] = [];
    const work = async (job: Job): Promise<void> => {
      order.push(job.name);
    };
    await withQueue(
      "order",
      work,
      async (queue, events, worker) => {
        await worker.pause();
        const delay = 150;
        const started = Date.now();
        const delayed = await queue.add("delayed", {}, { delay });
        const low = await queue.add("low", {}, { priority: 10 });
        const high = await queue.add("high", {}, { priority: 1 });
        expect(await queue.getDelayedCount()).toBe(1);
        expect(await queue.getPrioritized().then((jobs) => jobs.map(({ name }) => name))).toEqual([
          "high",
          "low",
        ]);
        worker.resume();
        await Promise.all([low, high, delayed].map((job) => job.waitUntilFinished(events)));
        expect(order).toEqual(["high", "low", "delayed"]);
        expect(Date.now() - started).toBeGreaterThanOrEqual(delay - 1);
      },
      { concurrency: 1 },
    );
  });

  test("a scheduler repeats a job", async () => {
    const done: number[] = [];
    let third: (() => void) | null = null;
    const thirdDone = new Promise<void>((resolve) => (third = resolve));
    const work = async (): Promise<void> => {
      if (done.push(Date.now()) === 3) third!();
    };
    await withQueue("repeated", work, async (queue) => {
      await queue.upsertJobScheduler("beat", { every: 30 }, { name: "beat" });
      expect((await queue.getJobSchedulers()).map(({ key }) => key)).toEqual(["beat"]);
      await thirdDone;
      expect(await queue.removeJobScheduler("beat")).toBe(true);
      expect(await queue.getJobSchedulers()).toEqual([]);
    });
  });

  test("a flow: the parent waits for its children, and sees their results", async () => {
    const work = async (job: Job): Promise<unknown> =>
      job.name === "parent" ? Object.values(await job.getChildrenValues()).sort() : job.data.value;
    await withQueue("flow", work, async (_queue, events) => {
      const producer = new FlowProducer({ connection: { host: "127.0.0.1", port: server.port } });
      try {
        const children = ["a", "b", "c"].map((value) => ({
          name: "child",
          queueName: "flow",
          data: { value },
        }));
        const { job } = await producer.add({ name: "parent", queueName: "flow", children });
        expect(await job.waitUntilFinished(events)).toEqual(["a", "b", "c"]);
      } finally {
        await producer.close();
      }
    });
  });

  test("jobs can be promoted, removed, drained and cleaned", async () => {
    await withQueue(
      "cleaning",
      async () => "done",
      async (queue, events, worker) => {
        const later = await queue.add("later", {}, { delay: 100_000 });
        await later.promote();
        await later.waitUntilFinished(events);
        await worker.pause();
        const gone = await queue.add("gone", {});
        await gone.remove();
        await queue.addBulk([1, 2, 3].map((i) => ({ name: `idle${i}`, data: {} })));
        expect(await queue.getWaitingCount()).toBe(3);
        await queue.drain();
        expect(await queue.getWaitingCount()).toBe(0);
        expect(await queue.clean(0, 10, "completed")).toEqual([later.id!]);
        await queue.obliterate({ force: true });
        expect(await queue.getJobCountByTypes("completed", "wait")).toBe(0);
      },
    );
  });
});
