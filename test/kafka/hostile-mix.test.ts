import { expect, it } from 'vitest';
import { surviveMix } from './hostile-mix.ts';

const ROUNDS = 120;

it.each([1, 2, 3])(
  'survives requests of all APIs in no order, valid and mutated, and nobody else notices, seed %i',
  async (seed) => {
    const { answers, healthyAnswers } = await surviveMix(seed, ROUNDS);
    expect(answers).toBeGreaterThan(ROUNDS);
    expect(healthyAnswers).toBe(ROUNDS);
  },
);
