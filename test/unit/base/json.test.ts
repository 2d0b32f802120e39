import { describe, expect, test } from '@jest/globals';

import { at, equal, ownValue, putOwn, setAt, type Json, type JsonObject } from '../../../src/base/json.ts';

/** Keys that every object of JavaScript inherits; in Kubernetes they are names like any others. */
const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

describe.each(inherited)('a key called %s', (key) => {
  const withKey = (value: Json): JsonObject => JSON.parse(`{"${key}":${JSON.stringify(value)}}`) as JsonObject;

  test('is there only where somebody has put it', () => {
    expect(ownValue({}, key)).toBeUndefined();
    expect(at({ a: {} }, 'a', key)).toBeUndefined();
    expect(at(withKey({ b: 1 }), key, 'b')).toBe(1);
    expect(equal({}, withKey('x'))).toBe(false);
    expect(equal(withKey('x'), withKey('x'))).toBe(true);
    expect(equal(withKey({}), {})).toBe(false);
  });

  test('is kept, and makes nothing of the object', () => {
    const map: JsonObject = {};
    putOwn(map, key, { polluted: true });
    setAt(map, [key, 'more'], 'x');
    expect(JSON.stringify(map)).toBe(`{"${key}":{"polluted":true,"more":"x"}}`);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(({} as JsonObject)['more']).toBeUndefined();
  });
});
