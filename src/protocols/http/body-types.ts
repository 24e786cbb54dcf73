import { z } from 'zod';

/** Some tools send what is true as a text. */
export const flag = () => z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

/** And numbers. */
export const wholeNumber = () =>
  z.union([
    z.int(),
    z
      .string()
      .regex(/^-?\d{1,15}$/)
      .transform(Number),
  ]);

/** Arguments; RabbitMQ's older tools wrote `[]` for none. */
export const fields = () =>
  z.union([
    z.record(z.string(), z.json()),
    z.tuple([]).transform((): Record<string, z.output<ReturnType<typeof z.json>>> => ({})),
  ]);

/** Nothing that the request says beside its path counts. */
export const nothing = z.record(z.string(), z.unknown());
