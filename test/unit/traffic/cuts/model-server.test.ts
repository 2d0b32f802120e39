import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { modelServerIn } from '../../../../src/traffic/cuts/model-server.ts';

function nameOf(image: string, more: JsonObject = {}): string | undefined {
  return modelServerIn({ name: 'server', image, ...more })?.name;
}

describe('a model server is known', () => {
  test.each([
    ['vllm/vllm-openai:v0.11.0', 'vLLM'],
    ['registry.example.com/acme/llama-vllm:3', 'vLLM'],
    ['lmsysorg/sglang:v0.5.2', 'SGLang'],
    ['ghcr.io/huggingface/text-generation-inference:3.3.4', 'Text Generation Inference'],
    [
      'us-docker.pkg.dev/deeplearning-platform-release/gcr.io/huggingface-text-generation-inference-cu124.2-3.ubuntu2204.py311',
      'Text Generation Inference',
    ],
    ['registry.example.com/tgi@sha256:0123', 'Text Generation Inference'],
    ['nvcr.io/nvidia/tritonserver:25.08-py3', 'Triton'],
    ['ollama/ollama', 'Ollama'],
    ['localhost:5000/Ollama:latest', 'Ollama'],
  ])('by its image: %s', (image, name) => {
    expect(nameOf(image)).toBe(name);
  });

  test.each<[JsonObject, string]>([
    [{ command: ['vllm', 'serve', 'acme/model'] }, 'vLLM'],
    [{ command: ['/bin/sh', '-c'], args: ['exec vllm serve acme/model --port 8000'] }, 'vLLM'],
    [{ args: ['-m', 'vllm.entrypoints.openai.api_server'] }, 'vLLM'],
    [{ command: ['python3', '-m', 'sglang.launch_server'] }, 'SGLang'],
    [{ command: ['text-generation-launcher'] }, 'Text Generation Inference'],
    [{ command: ['/opt/tritonserver/bin/tritonserver'], args: ['--model-repository=/models'] }, 'Triton'],
    [{ args: ['ollama serve'] }, 'Ollama'],
  ])('by how it is started: %j', (more, name) => {
    expect(nameOf('registry.example.com/acme/model:1', more)).toBe(name);
  });

  test.each<[string, JsonObject]>([
    ['nginx:1.29', {}],
    ['registry.example.com/vllm/web:1', {}],
    ['registry.example.com/web:1', { args: ['--backend=http://vllm:8000', '--ollama'] }],
    ['registry.example.com/ollama-exporter:1', {}],
    ['registry.example.com/sglang-client:1', {}],
    ['vllm/production-stack-vllm-router:1', {}],
    ['', {}],
  ])('others are none: %s %j', (image, more) => {
    expect(nameOf(image, more)).toBeUndefined();
  });
});

describe('what vLLM does with requests when it is told to stop (vllm#36666)', () => {
  const stopping = (image: string, ...args: string[]) => modelServerIn({ name: 'server', image, args })?.stopping;

  test.each([
    ['vllm/vllm-openai:v0.18.0', '0.18.0'],
    ['vllm/vllm-openai:v0.19.1-cu130', '0.19.1'],
    ['registry.example.com/mirror/vllm-openai-rocm:0.20.0', '0.20.0'],
    ['registry.example.com/vllm:v1.0.0@sha256:0123', '1.0.0'],
  ])('from 0.18 on it aborts them: %s', (image, version) => {
    expect(stopping(image)).toEqual({ waits: 'never', version });
  });

  test.each([
    ['vllm/vllm-openai:v0.17.1'],
    ['vllm/vllm-openai:latest'],
    ['vllm/vllm-openai'],
    ['registry.example.com/llama-vllm:4.0.0'],
    ['vllm/vllm-openai:v0.18.0', '--config', '/etc/vllm.yaml'],
    ['vllm/vllm-openai:v0.18.0', '--shutdown-timeout=$(DRAIN)'],
  ])('cannot be told: %s %s', (image, ...args) => {
    expect(stopping(image, ...args)).toBeUndefined();
  });

  test.each([[['--shutdown-timeout', '60']], [['--shutdown-timeout=60']], [['--shutdown_timeout=60']]])(
    'is said: %j',
    (args) => {
      expect(stopping('registry.example.com/llama-vllm:4', ...args)).toEqual({ waits: 'seconds', seconds: 60 });
    },
  );

  test('is asked of vLLM alone', () => {
    expect(stopping('lmsysorg/sglang:v0.18.0', '--shutdown-timeout=60')).toBeUndefined();
  });
});
