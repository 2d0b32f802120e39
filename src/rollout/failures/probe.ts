import { numberAt, objectAt, objectsAt, stringAt, stringsIn, type JsonObject } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { ObjectEvent } from './events.ts';

export const probeHint = 'See its log, and whether path, port and delays of the probe are right.';

const maxAnswerLength = 300;
