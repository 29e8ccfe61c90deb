/** Spearman's rank correlation, ties at the mean of their ranks; 0 where one of the two does not vary. */
export function rankCorrelation(xs: readonly number[], ys: readonly number[]): number {
  return correlation(ranks(xs), ranks(ys));
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    for (const index of order.slice(start, end)) result[index] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}

function correlation(xs: readonly number[], ys: readonly number[]): number {
  const meanX = mean(xs);
  const meanY = mean(ys);
  let [product, squareX, squareY] = [0, 0, 0];
  xs.forEach((x, index) => {
    product += (x - meanX) * (ys[index]! - meanY);
    squareX += (x - meanX) ** 2;
    squareY += (ys[index]! - meanY) ** 2;
  });
  return squareX && squareY ? product / Math.sqrt(squareX * squareY) : 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
}
