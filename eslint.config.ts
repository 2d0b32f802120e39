import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import jest from 'eslint-plugin-jest';
import regexp from 'eslint-plugin-regexp';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

import { layers, outlines } from './script/structure/layers.ts';

const importsGoDown = layers.slice(1).map((layer, index) => ({
  target: `./src/${layer}`,
  from: [...outlines, ...layers.slice(0, index + 1)].map((upper) => `./src/${upper}`),
  message: `src/${layer}/ may only import from itself and from the layers below it (docs/architecture.md).`,
}));

export default defineConfig(
  globalIgnores(['dist/', 'build/', 'node_modules/', 'demo-output/', 'test-output/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts'] })] },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones: importsGoDown }],
    },
  },
  {
    // What comes from servers, pods and files must not stop the process: no expression takes longer than its text is long.
    files: ['src/**/*.ts'],
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/action/**', 'src/main.ts', 'src/post-step.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/action/ and the entry points read the environment.' },
        { object: 'console', property: 'log', message: 'Use the reporter.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    plugins: { jest },
    rules: {
      ...jest.configs['flat/recommended'].rules,
      'jest/no-disabled-tests': 'error',
      'jest/no-focused-tests': 'error',
      'jest/expect-expect': 'error',
    },
    languageOptions: { globals: jest.environments.globals.globals },
  },
  { files: ['test/cluster/**', 'test/support/**', 'test/e2e/**/suite.ts'], rules: { 'jest/no-export': 'off' } },
);
