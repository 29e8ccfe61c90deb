/** A text that fits into `room`: its start and its end, since names of runs differ in either; `width` measures. */
export function middleCut(text: string, room: number, width: (text: string) => number): string {
  if (width(text) <= room) return text;
  const characters = [...text];
  let [low, high] = [1, characters.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (width(cut(characters, middle)) <= room) low = middle;
    else high = middle - 1;
  }
  return cut(characters, low);
}

/** `kept` characters of the text, a few more of its start than of its end. */
function cut(characters: readonly string[], kept: number): string {
  const end = Math.floor(kept * 0.45);
  return `${characters.slice(0, kept - end).join("")}…${end ? characters.slice(-end).join("") : ""}`;
}
