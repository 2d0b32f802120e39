import { describe, expect, test } from '@jest/globals';

import { describeLogProgress, readLogProgress } from '../../../../src/rollout/stages/log-progress.ts';

const lines = (...all: string[]) => `${all.join('\n')}\n`;
const told = (log: string) => {
  const progress = readLogProgress(log);
  return progress === undefined ? '' : `${progress.stage} ${describeLogProgress(progress)}`.trimEnd();
};

describe('the log of a model server', () => {
  test.each([
    // vLLM
    [
      'Loading safetensors checkpoint shards:  40% Completed | 2/5 [00:04<00:06,  2.1s/it]',
      'weights 40 %, 2 of 5 shards',
    ],
    ['Loading safetensors checkpoint shards: 100% 1/1 [00:05<00:00,  5.34s/it]', 'weights 100 %, 1 of 1 shards'],
    [
      '(Worker_TP0 pid=34322) INFO 05-06 20:59:57 [default_loader.py:384] Loading weights took 24.84 seconds',
      'compile',
    ],
    ['INFO 10-06 14:26:37 [gpu_model_runner.py:2754] Model loading took 4.1801 GiB and 2.524322 seconds', 'compile'],
    ['INFO 10-26 21:47:59 [monitor.py:34] torch.compile takes 3.70 s in total', 'compile'],
    ['INFO 10-26 21:47:50 [backends.py:549] Dynamo bytecode transform time: 3.70 s', 'compile'],
    [
      'Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  40%|████ | 27/67 [00:03<00:04]',
      'compile 40 %, 27 of 67',
    ],
    ['INFO 12-19 22:58:41 model_runner.py:1535] Graph capturing finished in 14 secs, took 0.21 GiB', 'compile'],
    ['init engine (profile, create kv cache, warmup model) took 34.12 seconds', 'serving'],
    ['INFO 05-14 17:44:22 [api_server.py:1] Starting vLLM API server on http://0.0.0.0:8000', 'serving'],
    // SGLang
    ['[2025-12-23 14:18:01] Load weight begin. avail mem=46.81 GB', 'weights'],
    ['Multi-thread loading shards:  50% Completed | 2/4 [00:00<00:00,  2.3it/s]', 'weights 50 %, 2 of 4 shards'],
    ['[2025-03-27 21:33:30 TP0] Load weight end. type=Gemma3, avail mem=131.08 GB, mem usage=8.13 GB.', 'compile'],
    ['[2025-03-27 21:33:31 TP0] Capture cuda graph begin. This can take up to several minutes.', 'compile'],
    ['Capturing batches (bs=1 avail_mem=11.18 GB):  25%|██▌ | 9/36 [00:10<00:00,  3.37it/s]', 'compile 25 %, 9 of 36'],
    ['The server is fired up and ready to roll!', 'serving'],
    // Downloads
    ['Fetching 8 files:  25%|██▌       | 2/8 [00:10<00:30,  5.1s/it]', 'weights 25 %, 2 of 8 files'],
    ['model-00002-of-00005.safetensors:  40%|████      | 1.20G/9.90G [00:01<00:07]', 'weights 28 %'],
    ['Downloading model: 37.5 %', 'weights 37 %'],
    ['loaded shard 3 of 12', 'weights 25 %, 3 of 12 shards'],
  ])('%s', (line, expected) => {
    expect(told(lines('INFO starting', line))).toBe(expected);
  });

  test.each([
    'line 7 of 500',
    'CPU load 05/06 20:59:57 is high',
    'GET /v1/models/2/versions/5 200',
    'cache hit rate 97%',
    'discount 40% applied to 2/5 baskets',
    'loading 250%',
    '',
  ])('says nothing by: %s', (line) => {
    expect(told(line)).toBe('');
  });

  test('counts by its newest telling line, also where a bar is drawn over and over in one line', () => {
    const bars = ['0% Completed | 0/5', '20% Completed | 1/5', '40% Completed | 2/5'];
    const drawn = bars.map((bar) => `Loading safetensors checkpoint shards: ${bar}`).join('\r');
    expect(told(lines(drawn, 'WARNING something else'))).toBe('weights 40 %, 2 of 5 shards');
    expect(told(lines(drawn, 'INFO Loading weights took 2.03 seconds'))).toBe('compile');
  });

  test('is read from its last 4 KB alone', () => {
    const bar = 'Loading safetensors checkpoint shards: 40% Completed | 2/5';
    expect(told(lines(bar, 'x'.repeat(3000)))).toBe('weights 40 %, 2 of 5 shards');
    expect(told(lines(bar, 'x'.repeat(5000)))).toBe('');
  });

  test('gives nothing but numbers of itself', () => {
    const progress = readLogProgress('::error::loading shards 40% | 2/5 ::set-output name=x::y');
    expect(progress).toEqual({ stage: 'weights', step: 1, percent: 40, parts: { done: 2, total: 5, what: 'shards' } });
  });

  test('is of a coarse kind where whole files are counted', () => {
    expect(readLogProgress('Fetching 8 files: 25%|██▌ | 2/8')?.isCoarse).toBe(true);
    // Files come side by side, and in any order.
    expect(readLogProgress('model-00002-of-00005.safetensors: 40%|████')?.isCoarse).toBe(true);
    expect(readLogProgress('loaded 90% of weights')?.isCoarse).toBe(true);
    const shards = 'Loading safetensors checkpoint shards: 20% Completed | 1/5';
    expect(readLogProgress(shards)?.isCoarse).toBeUndefined();
    // Drawn over itself, it reaches the log when something ends its line.
    expect(readLogProgress(`${shards}\rx`)?.isCoarse).toBe(true);
  });
});
