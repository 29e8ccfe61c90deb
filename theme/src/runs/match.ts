import { ChunkSource } from "../query/chunks";
import { compile, QueryError } from "../query/evaluate";
import type { ExperimentChunk } from "../types";
import type { Compile } from "./querybar";

/** Queries over the chunks that the table was made of; rows are counted in the same way. */
export function compileFor(chunks: readonly ExperimentChunk[]): Compile {
  const source = new ChunkSource(chunks);
  return (query) => {
    try {
      return { match: compile(query, source) };
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return { mistake: { position: error.position, message: `${closed(error.detail)} Expected ${closed(error.expected)}` } };
    }
  };
}

/** A sentence with its mark at the end. */
function closed(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}
