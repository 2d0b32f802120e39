/** How many characters the input `reason` may have. */
export const longestReason = 200;
