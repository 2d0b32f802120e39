import { describe, expect, test } from '@jest/globals';

import { listKeys, pairEntries } from '../../../src/apply/keyed-lists.ts';

describe('entries of keyed lists', () => {
  test('go together by their keys, also where one leaves a default out', () => {
    const [http, dns] = [{ port: 80 }, { port: 53, protocol: 'UDP' }];
    const [httpLive, other] = [
      { port: 80, protocol: 'TCP' },
      { port: 53, protocol: 'TCP' },
    ];
    expect(pairEntries([http, dns], [other, httpLive], ['port', 'protocol'])).toEqual([
      { name: '80/TCP', left: http, right: httpLive },
      { name: '53/UDP', left: dns, right: undefined },
      { name: '53/TCP', left: undefined, right: other },
    ]);
  });

  test('are told apart by what the server says, else by their names, if all have one', () => {
    expect(listKeys(['port'], [{ port: 1 }], [])).toEqual(['port']);
    expect(listKeys(undefined, [{ name: 'a' }], [{ name: 'b' }])).toEqual(['name']);
    expect(listKeys(undefined, [{ name: 'a' }], [{ key: 'b' }])).toBeUndefined();
    expect(listKeys(['port'], ['a'], [])).toBeUndefined();
    expect(listKeys(undefined, [], [])).toBeUndefined();
  });
});
