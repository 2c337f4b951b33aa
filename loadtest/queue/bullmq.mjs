// The same two measurements as src/bin/queue_hop.rs, with BullMQ.
//   node bullmq.mjs URL latency JOBS PER_SECOND   -> {"p50_ms":..,"p99_ms":..}
//   node bullmq.mjs URL drain JOBS CONCURRENCY    -> {"push_per_second":..,"drain_per_second":..}
// Finished jobs are removed, as ours are swept.
import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';

const [url, mode, jobsText, rateText] = process.argv.slice(2);
const jobs = Number(jobsText);
const rate = Number(rateText);
const { hostname, port } = new URL(url);
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const name = `hop-${randomUUID()}`;
const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } });
const payload = () => ({ job: randomUUID(), fence: 0, trace: String(process.hrtime.bigint()) });
const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;

async function latency() {
  const waits = [];
  let all;
  const finished = new Promise((resolve) => { all = resolve; });
  const worker = new Worker(name, async (job) => {
    waits.push(Number(process.hrtime.bigint() - BigInt(job.data.trace)) / 1e6);
    if (waits.length === jobs) all();
  }, { connection, concurrency: 10 });
  await worker.waitUntilReady();
  const began = process.hrtime.bigint();
  for (let sent = 0; sent < jobs; sent += 1) {
    const wait = sent / rate - seconds(began);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    await queue.add('hop', payload());
  }
  await finished;
  await worker.close();
  waits.sort((a, b) => a - b);
  const at = (share) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))];
  return { p50_ms: at(0.5), p99_ms: at(0.99) };
}

async function drain() {
  const pushing = process.hrtime.bigint();
  for (let sent = 0; sent < jobs; sent += 500) {
    const batch = Array.from({ length: Math.min(500, jobs - sent) }, () => ({ name: 'hop', data: payload() }));
    await queue.addBulk(batch);
  }
  const push_per_second = jobs / seconds(pushing);
  let first;
  let completed = 0;
  let all;
  const finished = new Promise((resolve) => { all = resolve; });
  const worker = new Worker(name, async () => {
    first ??= process.hrtime.bigint();
  }, { connection, concurrency: rate });
  worker.on('completed', () => {
    completed += 1;
    if (completed === jobs) all();
  });
  await finished;
  const drain_per_second = jobs / seconds(first);
  await worker.close();
  return { push_per_second, drain_per_second };
}

const result = mode === 'latency' ? await latency() : await drain();
console.log(JSON.stringify(result));
await queue.obliterate({ force: true });
await queue.close();
