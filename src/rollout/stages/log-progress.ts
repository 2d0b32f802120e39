/** How far a start is, as the log of its container tells: numbers alone, none of its words. */
export interface LogProgress {
  stage: 'weights' | 'compile' | 'serving';
  /** Parts of one stage that come after each other: weights are downloaded (0), then loaded (1). */
  step: number;
  /** From 0 to 100. */
  percent?: number;
  parts?: Parts;
  /** One part may take longer than a wait: files of any size are counted, so that nothing follows from a number that stays. */
  isCoarse?: true;
}

interface Parts {
  done: number;
  total: number;
  /** `shards`; empty where the log does not say of what. */
  what: 'shards' | 'files' | '';
}

/** What is read of a log, characters from its end. */
const tailLength = 4096;

/** A bar of progress: `40% Completed | 2/5 [00:04<00:06]`, `25%|██▌ | 2/8`, `40 %`. */
const bar = /(?<![\d.])(?<percent>\d{1,3})(?:\.\d+)? ?%/;
const fraction = /(?<![\d./])(?<done>\d{1,6})(?:\/| of )(?<total>\d{1,6})(?![\d./])/;

interface Form {
  text: RegExp;
  read: (line: string) => LogProgress | undefined;
}

/**
 * The lines by which model servers tell where they are (vLLM, SGLang, the downloads of Hugging Face), and bars of progress that
 * name what they load. The most specific comes first.
 */
const forms: readonly Form[] = [
  // Said while it starts, and true of all that came before.
  {
    text: /Application startup complete|Uvicorn running on|Starting vLLM API server|fired up and ready to roll|init engine .{0,200}took/,
    read: () => ({ stage: 'serving', step: 0 }),
  },
  {
    text: /Capturing (?:CUDA graphs?|cudagraphs|batches)/i,
    read: (line) => ({ stage: 'compile', step: 1, ...barOf(line, '') }),
  },
  {
    text: /Capture cuda graph|Graph capturing finished/i,
    read: () => ({ stage: 'compile', step: 1 }),
  },
  {
    text: /Loading (?:model )?weights took|Model loading took|Load weight end|torch\.compile|Dynamo bytecode transform|Compiling a graph|Memory profiling takes|Memory pool end|KV cache (?:size|is allocated)|Available KV cache memory/i,
    read: () => ({ stage: 'compile', step: 0 }),
  },
  {
    text: /checkpoint shards|loading shards/i,
    read: (line) => ({ stage: 'weights', step: 1, ...barOf(line, 'shards') }),
  },
  { text: /Load weight begin|Starting to load model/i, read: () => ({ stage: 'weights', step: 1 }) },
  {
    text: /Fetching \d+ files/,
    read: (line) => ({ stage: 'weights', step: 0, ...barOf(line, 'files'), isCoarse: true }),
  },
  { text: /-\d{5}-of-\d{5}/, read: fileOf },
  {
    text: /\b(?:load|loading|loaded|download|downloading|downloaded|copying|copied|shards?|weights?|checkpoints?|model|safetensors)\b/i,
    read: (line) => {
      // A pair of numbers alone may be a date.
      if (percentIn(line) === undefined && !/\b(?:shard|file|part|chunk)s?\b.{0,200} of /i.test(line)) return undefined;
      const known = barOf(line, /shard/i.test(line) ? 'shards' : '');
      // Whoever writes such a line may count something else, or once only.
      return known.percent === undefined
        ? undefined
        : { stage: 'weights', step: stepOf(line), ...known, isCoarse: true };
    },
  },
];

/**
 * Where the newest telling line of a log says that the start is; undefined where none does.
 * @param log its end; what is before the last 4 KB is not looked at
 */
export function readLogProgress(log: string): LogProgress | undefined {
  for (const entry of log.slice(-tailLength).split('\n').toReversed()) {
    const states = entry.split('\r');
    for (const line of states.toReversed()) {
      const progress = forms.find(({ text }) => text.test(line))?.read(line);
      // A bar that is drawn over itself reaches the log when something ends its line: where it stands meanwhile, nobody knows.
      if (progress !== undefined) return states.length > 1 ? { ...progress, isCoarse: true } : progress;
    }
  }
  return undefined;
}

/** `40 %, 2 of 5 shards`; empty where it has told no number. */
export function describeLogProgress({ percent, parts }: LogProgress): string {
  const told = [
    ...(percent === undefined ? [] : [`${percent} %`]),
    ...(parts === undefined ? [] : [`${parts.done} of ${parts.total}${parts.what === '' ? '' : ` ${parts.what}`}`]),
  ];
  return told.join(', ');
}

function stepOf(line: string): number {
  return /download|fetch|cop(?:y|ie)/i.test(line) ? 0 : 1;
}

function barOf(line: string, what: Parts['what']): { percent?: number; parts?: Parts } {
  const percent = percentIn(line);
  const found = fraction.exec(line)?.groups;
  const [done, total] = [Number(found?.['done']), Number(found?.['total'])];
  const parts = found !== undefined && total > 0 && done <= total ? { done, total, what } : undefined;
  const known = percent ?? (parts === undefined ? undefined : Math.floor((parts.done / parts.total) * 100));
  return {
    ...(known === undefined ? {} : { percent: known }),
    ...(parts === undefined ? {} : { parts }),
  };
}

function percentIn(line: string): number | undefined {
  const text = bar.exec(line)?.groups?.['percent'];
  const percent = text === undefined ? undefined : Number(text);
  return percent === undefined || percent > 100 ? undefined : percent;
}

/** One file of several, each with a bar of its own that begins at 0: `model-00002-of-00005.safetensors: 40%|…`. */
function fileOf(line: string): LogProgress | undefined {
  const name = /-(?<index>\d{5})-of-(?<total>\d{5})/.exec(line)?.groups;
  const [index, total, percent] = [Number(name?.['index']), Number(name?.['total']), percentIn(line)];
  if (percent === undefined || total === 0 || index > total || index === 0) return undefined;
  return { stage: 'weights', step: 0, percent: Math.floor(((index - 1) * 100 + percent) / total), isCoarse: true };
}
