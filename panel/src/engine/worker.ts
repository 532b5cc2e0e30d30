/** The engine beside the page: a slider moves while it counts. */
import type { Row } from '../flag/row.ts';
import { aside, count, matrix, setPeople, start } from './census.ts';

export type Question =
  | { kind: 'people'; people: Row[] }
  | { kind: 'count'; key: string; rows: Row[]; place: number; draft: Row }
  | { kind: 'matrix'; rows: Row[]; attribute: string }
  | { kind: 'aside'; rows: Row[] };

const ready = start();

function answer(question: Question): unknown {
  switch (question.kind) {
    case 'people':
      return setPeople(question.people);
    case 'count':
      return count(question.key, question.rows, question.place, question.draft);
    case 'matrix':
      return matrix(question.rows, question.attribute);
    case 'aside':
      return aside(question.rows);
  }
}

addEventListener('message', async ({ data }: MessageEvent<{ number: number; question: Question }>) => {
  const { number, question } = data;
  try {
    await ready;
    postMessage({ number, answer: answer(question) });
  } catch (problem) {
    postMessage({ number, problem: String(problem) });
  }
});
