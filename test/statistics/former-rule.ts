/**
 * The rule that the action had before, for comparison only: a fixed number of requests, "not shown to be worse" for a pass, one
 * repetition of a bad round. One-sided bounds with 95 % confidence (Wilson).
 */

const oneSided = 1.6448536269514722;

/** So many requests without an error show, looked at once, that the rate is below the limit: 59 for 5 %, 299 for 1 %. */
export function formerSamples(limit: number): number {
  return Math.ceil(Math.log(0.05) / Math.log(1 - limit));
}

/** The lowest error rate that is compatible with what was seen. */
export function wilsonLower(errors: number, requests: number): number {
  if (requests === 0 || errors === 0) return 0;
  const rate = errors / requests;
  const spread = -oneSided * Math.sqrt((rate * (1 - rate)) / requests + oneSided ** 2 / (4 * requests ** 2));
  return Math.max(0, (rate + oneSided ** 2 / (2 * requests) + spread) / (1 + oneSided ** 2 / requests));
}

/** Whether a version passes: a round that is not shown to be above the limit, or else a second one. */
export function formerPasses(isBad: () => boolean, limit: number): boolean {
  return [1, 2].some(() => {
    const requests = formerSamples(limit);
    let errors = 0;
    for (let request = 0; request < requests; request += 1) errors += Number(isBad());
    return wilsonLower(errors, requests) <= limit;
  });
}

/** Whether it raises an alarm when it is looked at after every 20 of so many requests, from the first that may decide on. */
export function formerAlarms(isBad: () => boolean, limit: number, requests: number): boolean {
  let errors = 0;
  for (let request = 1; request <= requests; request += 1) {
    errors += Number(isBad());
    if (request >= formerSamples(limit) && request % 20 === 0 && wilsonLower(errors, request) > limit) return true;
  }
  return false;
}

/** Whether the 95th percentile of 59 samples is above the limit: three of them are slow, twice one after the other. */
export function formerCallsSlow(isSlow: () => boolean, rounds: number): boolean {
  return Array.from({ length: rounds }).every(() => {
    let slow = 0;
    for (let request = 0; request < 59; request += 1) slow += Number(isSlow());
    return slow >= 3;
  });
}
