import { debug, error, group, info, notice, setSecret, warning, type AnnotationProperties } from '@actions/core';

import type { Location } from '../base/errors.ts';
import { Redaction } from '../base/redaction.ts';
import type { Reporter } from '../base/reporter.ts';
import { isMaskable } from '../base/telling.ts';
import { cut, harmlessLines } from './harmless.ts';

/** GitHub shows ten annotations of each level per step (actions/runner, ExecutionContext). */
const maxAnnotations = 10;

/** It cuts a message at 4,096 characters. */
const maxMessage = 4_000;

const title = 'gke-rollout';

const annotations = { error, warning, notice };

type Level = keyof typeof annotations;

/** The runner compares each line of its log with each mask; longer values are hidden by ourselves alone. */
const longestMask = 10_000;

/**
 * The reporter of a run on GitHub: groups, annotations and masks are workflow commands on stdout.
 * @param redaction learns what is masked, and keeps it out of all that is printed
 */
export function createReporter(redaction = new Redaction()): Reporter {
  /** One notice is kept back for saying that there was more. */
  const left = { error: maxAnnotations, warning: maxAnnotations, notice: maxAnnotations - 1 };
  let saidThereIsMore = false;
  const masked = new Set<string>();

  /** A value may be torn by escape sequences, which are gone afterwards; and lines are cut. */
  const linesOf = (text: string) => redaction.redact(harmlessLines(redaction.redact(text)).join('\n')).split('\n');

  const print = (text: string) => {
    for (const line of linesOf(text)) info(line);
  };

  const annotate = (level: Level, message: string, location: Location | undefined) => {
    if (left[level] === 0) {
      print(`${level}: ${describe(location)}${message}`);
      if (!saidThereIsMore) {
        saidThereIsMore = true;
        notice('GitHub shows no more annotations of this step; the others are in its log.', { title });
      }
      return;
    }
    left[level] -= 1;
    annotations[level](redaction.redact(cut(linesOf(message).join('\n'), maxMessage)), propertiesOf(location));
  };

  /** GitHub has no groups in groups: an end inside of one ends the outer, too, and the rest of it falls out of the fold. */
  let isOpen = false;

  return {
    info: print,
    group: async (name, work) => {
      const heading = linesOf(name).join(' ');
      if (isOpen) {
        info(`${heading}:`);
        return await work();
      }
      isOpen = true;
      try {
        return await group(heading, work);
      } finally {
        isOpen = false;
      }
    },
    debug: (line) => {
      for (const part of linesOf(line)) debug(part);
    },
    notice: (message, location) => {
      annotate('notice', message, location);
    },
    warning: (message, location) => {
      annotate('warning', message, location);
    },
    error: (message, location) => {
      annotate('error', message, location);
    },
    mask: (secret) => {
      // One by one: the runner would mask each line of a text anyway, the trivial ones too.
      for (const line of secret.split(/\r?\n/).map((part) => part.trim())) {
        if (!isMaskable(line) || masked.has(line)) continue;
        masked.add(line);
        redaction.add(line);
        if (line.length <= longestMask) setSecret(line);
      }
    },
  };
}

function propertiesOf(location: Location | undefined): AnnotationProperties {
  if (location === undefined) return { title };
  return {
    title,
    file: harmlessLines(location.file).join(' '),
    ...(location.line === undefined ? {} : { startLine: location.line }),
    ...(location.line === undefined || location.column === undefined ? {} : { startColumn: location.column }),
  };
}

function describe(location: Location | undefined): string {
  if (location === undefined) return '';
  return location.line === undefined ? `${location.file}: ` : `${location.file}:${location.line}: `;
}
